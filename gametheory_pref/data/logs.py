"""Which column of a table of comparisons is which, and the games they make."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .._types import FloatArray
from ..errors import InputError
from ..games.comparisons import (
    LEFT_WON,
    MAX_COUNT,
    RIGHT_WON,
    TIE,
    Columns,
    Encoder,
    Fail,
    comparisons_from_columns,
    game_of_log,
    is_dense,
    refuse_texts,
)
from ..games.pair_votes import PairVotes, count_pairs
from ..games.sparse_games import game_from_pairs
from ..games.votes import Kind, Votes, game_from_votes
from .options import Loaded, Options

PAIRS = (("model_a", "model_b"), ("item_a", "item_b"), ("left", "right"))


class LogLayout(NamedTuple):
    """Positions of the columns of a battle log; -1 where there is none."""

    left: int
    right: int
    winner: int = -1
    winner_columns: tuple[int, ...] = ()
    """One-hot columns: left won, right won, then any number of ties."""
    weight: int = -1
    judge: int = -1
    prompt: int = -1
    winner_first: bool = False
    """The left column is the winner (winner, loser), and who was shown first is unknown."""


class PairLayout(NamedTuple):
    """Positions of the columns of a table of counted pairs."""

    left: int
    right: int
    wins_left: int
    wins_right: int
    ties: int = -1


def find_layout(header: Sequence[str]) -> LogLayout | PairLayout | None:
    """Return what the column names say, or None when they are not those of comparisons."""
    names = [cell.strip().lower() for cell in header]

    def at(name: str) -> int:
        if names.count(name) > 1:
            raise InputError(
                f"there are {names.count(name)} columns called {name!r}; rename or drop all but one", line=1
            )
        return names.index(name) if name in names else -1

    weight, judge = at("weight"), at("judge")
    prompt = at("prompt_id") if "prompt_id" in names else at("prompt")
    present = [pair for pair in PAIRS if pair[0] in names and pair[1] in names]
    if not present:
        if "winner" in names and "loser" in names:
            return LogLayout(at("winner"), at("loser"), -1, (), weight, judge, prompt, winner_first=True)
        return None
    if len(present) > 1:
        raise InputError(
            f"the columns {present[0]} and {present[1]} both name the two responses; keep one pair of them",
            line=1,
        )
    a, b = present[0]
    wins_a, wins_b = (
        f"wins_{a[-1]}" if a != "left" else "wins_left",
        f"wins_{b[-1]}" if b != "right" else "wins_right",
    )
    if wins_a in names and wins_b in names:
        if "winner" in names:
            raise InputError(f"there is a column 'winner' and also {wins_a!r}, {wins_b!r}; keep one of the two", line=1)
        return PairLayout(at(a), at(b), at(wins_a), at(wins_b), at("ties"))
    if "winner" in names:
        return LogLayout(at(a), at(b), at("winner"), (), weight, judge, prompt)
    ties = tuple(k for k, name in enumerate(names) if name.startswith("winner_tie"))
    if f"winner_{a}" in names and f"winner_{b}" in names:
        one_hot = (at(f"winner_{a}"), at(f"winner_{b}"), *ties)
        return LogLayout(at(a), at(b), -1, one_hot, weight, judge, prompt)
    raise InputError(
        f"there are columns {a!r} and {b!r} but none says who won: "
        f"add 'winner', or {wins_a!r} and {wins_b!r}, or 'winner_{a}' and 'winner_{b}' (with 'winner_tie')",
        line=1,
    )


def one_hot_outcome(flags: FloatArray, fail: Fail) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """Return the outcome of each row from one-hot columns (left, right, ties ...), shape (m, k)."""
    wrong = ((flags != 0) & (flags != 1)).any(axis=1) | (flags.sum(axis=1) != 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise fail(row, f"the winner columns must hold a single 1 and else 0; they hold {flags[row].tolist()}")
    worth = np.zeros(flags.shape[1])
    worth[:2] = 1.0, -1.0
    return (flags @ worth).astype(np.int8)


def game_from_log(columns: Columns, options: Options, fail: Fail, *, format: str) -> Loaded:
    """Return the game of a battle log."""
    kind, ties = options.vote_kind(), options.vote_ties()
    notes: tuple[str, ...] = ()
    if options.judge is not None:
        columns, rows = _only_judge(columns, options.judge)
        notes = (f"only the judgements of {options.judge!r} were used, {rows.size} in number",)
        fail = _Shifted(fail, rows)
    log, dropped = comparisons_from_columns(columns, names=None, skip_bad=options.skip_bad, fail=fail)
    game = game_of_log(
        log, kind=kind, ties=ties, missing=options.missing, table=options.table, notes=notes + dropped
    )
    return Loaded(game, format, game.votes.notes if game.votes is not None else ())


class _Shifted:
    """Report rows of a selection by their place in the whole log."""

    def __init__(self, fail: Fail, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> None:
        self._fail = fail
        self._rows = rows

    def __call__(self, row: int, reason: str) -> InputError:
        return self._fail(int(self._rows[row]), reason)


def _only_judge(columns: Columns, judge: str) -> tuple[Columns, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    if columns.judge is None:
        raise InputError(f"judge={judge!r} was asked for, but the log has no column 'judge'")
    known = [str(value).strip() for value in columns.judge.values]
    if judge not in known:
        more = " ..." if len(known) > 12 else ""
        raise InputError(f"no judge is called {judge!r}; judges: {', '.join(known[:12])}{more}")
    wanted = np.array([k for k, name in enumerate(known) if name == judge])
    rows = np.flatnonzero(np.isin(columns.judge.codes, wanted))

    return columns.select(rows), rows


class PairCounts:
    """Collect counted pairs, row by row, and add them up."""

    def __init__(self) -> None:
        self.names = Encoder()
        self._sides = array("i"), array("i")
        # Wins of the left response, ties, wins of the right one.
        self._counts = array("d"), array("d"), array("d")

    def add(self, left: str, right: str, wins_left: float, wins_right: float, ties: float) -> None:
        """Add one row; raises `InputError` without a place when it makes no sense."""
        left, right = left.strip(), right.strip()
        if not left or not right:
            raise InputError("a response has no name")
        if left == right:
            raise InputError(f"{left!r} is compared with itself; drop the row")
        for what, count in (("wins", wins_left), ("wins", wins_right), ("ties", ties)):
            if not 0 <= count <= MAX_COUNT or count != np.floor(count):
                kind = "negative" if count < 0 else "fractional" if count <= MAX_COUNT else "beyond 2**53"
                raise InputError(
                    f"{count:g} {what} of {left!r} and {right!r} is {kind}; counts are whole numbers of at least 0"
                )
        for side, name in zip(self._sides, (left, right), strict=True):
            side.append(self.names[name])
        for column, count in zip(self._counts, (wins_left, ties, wins_right), strict=True):
            column.append(count)

    def game(self, options: Options, *, format: str) -> Loaded:
        """Return the game of all pairs."""
        options.require_comparisons("a table of counted pairs")
        names = tuple(self.names)
        if not names:
            raise InputError("there are no comparisons, only column names; check the source")
        left, right = (np.frombuffer(side, np.int32) for side in self._sides)
        refuse_texts(left, right, len(names))
        pairs = self._pairs(len(names), options.vote_kind())
        notes: tuple[str, ...] = ()
        repeated = len(self._sides[0]) - pairs.low.size
        if repeated:
            notes = (f"rows that repeat a pair ({repeated}) were added to it",)
        if options.vote_ties() == "drop" and pairs.ties.any():
            notes = (*notes, f"{pairs.n_ties:g} ties were left out")
            pairs = replace(pairs, ties=np.zeros_like(pairs.ties))
        if is_dense(options.table, len(names)):
            votes = Votes(*_tables(pairs), pairs.kind, notes=notes)
            return Loaded(game_from_votes(votes, names, missing=options.missing), format, notes)
        return Loaded(game_from_pairs(replace(pairs, notes=notes), names, missing=options.missing), format, notes)

    def _pairs(self, n_responses: int, kind: Kind) -> PairVotes:
        left, right = (np.tile(np.frombuffer(side, np.int32), 3) for side in self._sides)
        rows = len(self._sides[0])
        outcome = np.repeat(np.array([LEFT_WON, TIE, RIGHT_WON], np.int8), rows)
        weight = np.concatenate([np.frombuffer(column) for column in self._counts])
        return count_pairs(n_responses, left, right, outcome, weight, positioned=False, kind=kind)


def _tables(pairs: PairVotes) -> tuple[FloatArray, FloatArray]:
    """Return wins and ties as tables."""
    n = pairs.n_responses
    wins, ties = np.zeros((n, n)), np.zeros((n, n))
    wins[pairs.low, pairs.high], wins[pairs.high, pairs.low] = pairs.wins_low, pairs.wins_high
    ties[pairs.low, pairs.high] = ties[pairs.high, pairs.low] = pairs.ties
    return wins, ties
