"""Write games to files that `read` turns back into the same game."""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .._check import choice
from .._types import FloatArray
from ..errors import InputError, UnsupportedCombination
from ..games import Game, MatrixGame, OperatorGame, PreferenceGame
from ..games.pair_votes import PairVotes
from .gambit import format_nfg
from .json_format import game_to_dict
from .operator_format import is_summary

Layout = Literal["auto", "matrix", "pairs", "log"]

LAYOUTS: tuple[Layout, ...] = ("auto", "matrix", "pairs", "log")
_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".npz", ".nfg")


def write(game: Game, path: str | os.PathLike[str], *, layout: Layout = "auto") -> None:
    """Write `game` to a file; the suffix of `path` says in which format.

    ``.json`` keeps everything and gives the same game back bit for bit, with the raw log if there is one.
    ``.npz`` keeps the matrix bit for bit, ``.nfg`` the payoffs of both players. ``.csv`` and ``.tsv`` are for
    other programs.

    Parameters
    ----------
    game : PreferenceGame, OperatorGame, MatrixGame or MultiplayerGame
        The game. Of an `OperatorGame` the comparisons, a sparse payoff or embeddings are written.
    path : path
        Ends in ``.csv``, ``.tsv``, ``.json``, ``.jsonl``, ``.npz`` or ``.nfg``; an existing file is replaced.
    layout : {"auto", "matrix", "pairs", "log"}
        What a ``.csv`` or ``.tsv`` holds: win probabilities, counted pairs (item_a, item_b, wins_a, wins_b,
        ties), or one judgement per row. "auto" writes counted pairs for a game made of whole counts and the
        matrix for any other. ``.jsonl`` is always a log.

    Raises
    ------
    InputError
        Unknown suffix, a folder that does not exist, a name that the format cannot hold.
    UnsupportedCombination
        The game has no such thing: no log, no counts, or a format that cannot hold it (PrefLib needs
        ballots).
    """
    target = Path(path)
    choice(layout, LAYOUTS, name="layout")
    suffix = target.suffix.lower()
    if suffix in (".soc", ".soi", ".toc", ".toi"):
        raise UnsupportedCombination(
            "a PrefLib file holds ballots and a game only counts them; write Ballots.to_text(), or the game as .json"
        )
    if suffix not in _SUFFIXES:
        raise InputError(f"{target.name!r}: unknown suffix {suffix!r}; write one of {', '.join(_SUFFIXES)}")
    content = _content(game, suffix, layout)
    try:
        target.write_bytes(content)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", file=str(target)) from error


def _content(game: Game, suffix: str, layout: Layout) -> bytes:
    if suffix == ".json":
        return _json(game)
    if isinstance(game, OperatorGame):
        return _operator_game(game, suffix, layout)
    if suffix == ".nfg":
        return format_nfg(game).encode("utf-8", "replace")
    if suffix == ".npz":
        return _npz(game)
    if suffix == ".jsonl":
        return _jsonl(_require_preference(game, suffix))
    return _table(_require_preference(game, suffix), layout, "\t" if suffix == ".tsv" else ",").encode(
        "utf-8", "replace"
    )


def _json(game: Game) -> bytes:
    data = game_to_dict(game)
    if isinstance(game, OperatorGame) and is_summary(data):
        raise UnsupportedCombination(f"{data['payoff']['what']}: {data['payoff']['note']}; keep what it was made from")
    return (json.dumps(data, allow_nan=False, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _operator_game(game: OperatorGame, suffix: str, layout: Layout) -> bytes:
    """Return the comparisons of a game without a table, as counted pairs or as a log."""
    if game.votes is None or suffix not in (".csv", ".tsv", ".jsonl") or layout == "matrix":
        raise UnsupportedCombination(
            f"a game known by its products has no table for {suffix}; write .json, which holds sparse games and "
            "embeddings of moderate size, or its comparisons, if there were some, as .csv"
        )
    if suffix == ".jsonl":
        return _jsonl(game)
    layout = "pairs" if layout == "auto" else layout
    return _table(game, layout, "\t" if suffix == ".tsv" else ",").encode("utf-8", "replace")


def _require_preference(game: Game, suffix: str) -> PreferenceGame:
    if isinstance(game, PreferenceGame):
        return game
    if isinstance(game, MatrixGame):
        raise UnsupportedCombination(
            f"a {suffix} table has one matrix and this game has two; write .json, .npz or .nfg"
        )
    raise UnsupportedCombination(f"a {suffix} table cannot hold a game of several players; write .json or .nfg")


def _npz(game: Game) -> bytes:
    if not isinstance(game, PreferenceGame):
        raise UnsupportedCombination(".npz holds preference games; write this game as .json or .nfg")
    # Twice the payoff is exact in binary, the win probability (payoff + 1/2) is not.
    arrays: dict[str, Any] = {"margins": 2.0 * game.payoff}
    if game.votes is not None and _are_whole(game):
        arrays = {"wins": game.votes.wins, "ties": game.votes.ties}
        if game.votes.kind == "margin":
            arrays = {"margins": 2.0 * game.payoff}
    arrays["names"] = np.array(game.names) if _of_one_type(game.names) else np.array([str(name) for name in game.names])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            # A fixed date, so that the same game gives the same bytes.
            archive.writestr(
                zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), member.getvalue(), zipfile.ZIP_DEFLATED
            )
    return stream.getvalue()


def _of_one_type(names: Iterable[Any]) -> bool:
    return len({isinstance(name, str) for name in names}) == 1


def _are_whole(game: PreferenceGame | OperatorGame) -> bool:
    votes = game.votes
    if votes is None:
        return False
    parts = (votes.wins_low, votes.wins_high, votes.ties) if isinstance(votes, PairVotes) else (votes.wins, votes.ties)
    return all(bool((part == np.floor(part)).all()) for part in parts)


def _table(game: PreferenceGame | OperatorGame, layout: Layout, delimiter: str) -> str:
    if layout == "auto":
        layout = "pairs" if game.votes is not None and game.votes.kind == "rate" and _are_whole(game) else "matrix"
    _require_plain_names(game)
    rows: dict[str, Callable[[Any], Iterable[Sequence[Any]]]] = {
        "matrix": _matrix_rows,
        "pairs": _pair_rows,
        "log": _log_rows,
    }
    stream = io.StringIO()
    # A carriage return inside a name is only safe in quotes, which csv sets for it only on request.
    everything = any("\r" in str(name) for name in game.names)
    table = csv.writer(
        stream,
        delimiter=delimiter,
        lineterminator="\n",
        quoting=csv.QUOTE_NONNUMERIC if everything else csv.QUOTE_MINIMAL,
    )
    table.writerows(rows[layout](game))
    return stream.getvalue()


def _require_plain_names(game: PreferenceGame | OperatorGame) -> None:
    for name in game.names:
        text = str(name)
        if not text or text != text.strip() or "\0" in text:
            raise InputError(
                f"the name {name!r} is empty or has blanks around it, which tables do not keep; write "
                f".json, or rename it"
            )


def _matrix_rows(game: PreferenceGame) -> Iterable[Sequence[Any]]:
    yield ["", *game.names]
    for name, row in zip(game.names, game.preference.tolist(), strict=True):
        yield [name, *row]


def _pair_rows(game: PreferenceGame | OperatorGame) -> Iterable[Sequence[Any]]:
    if game.votes is None or not _are_whole(game):
        raise UnsupportedCombination(
            'the game has no whole counts of wins and ties to write as pairs; use layout="matrix", or write .json'
        )
    yield ["item_a", "item_b", "wins_a", "wins_b", "ties"]
    if isinstance(game, OperatorGame):
        yield from _compared_rows(game)
        return
    wins, ties = game.votes.wins, game.votes.ties
    covered = np.zeros(len(game.names), bool)
    for i in range(len(game.names)):
        for j in range(i + 1, len(game.names)):
            counts = [int(wins[i, j]), int(wins[j, i]), int(ties[i, j])]
            # A pair without data is left out, unless a response would vanish from the file with it.
            if any(counts) or _is_last_chance(game, i, j, covered):
                covered[[i, j]] = True
                yield [game.names[i], game.names[j], *counts]


def _compared_rows(game: OperatorGame) -> Iterable[Sequence[Any]]:
    votes, names = game.votes, game.row_names
    assert votes is not None
    lonely = np.flatnonzero(np.bincount(np.concatenate([votes.low, votes.high]), minlength=len(names)) == 0)
    if lonely.size:
        raise UnsupportedCombination(
            f"{lonely.size} responses were never compared, {names[lonely[0]]!r} first, and would vanish from a table "
            "of pairs; write .json"
        )
    counts = np.stack([votes.wins_low, votes.wins_high, votes.ties], axis=1).astype(np.int64).tolist()
    for i, j, count in zip(votes.low.tolist(), votes.high.tolist(), counts, strict=True):
        yield [names[i], names[j], *count]


def _is_last_chance(game: PreferenceGame, i: int, j: int, covered: Any) -> bool:
    assert game.votes is not None
    lonely: FloatArray = game.votes.totals.sum(axis=1) == 0
    return bool((lonely[i] and not covered[i]) or (lonely[j] and not covered[j]))


_WORDS = {1: "model_a", -1: "model_b", 0: "tie"}


def _log_rows(game: PreferenceGame | OperatorGame) -> Iterable[Sequence[Any]]:
    log = None if game.votes is None else game.votes.comparisons
    if log is None:
        raise UnsupportedCombination("the game was not made from a log of judgements, so there is none to write")
    names = log.names
    extra: list[tuple[str, Sequence[Any]]] = []
    if log.judge is not None:
        extra.append(("judge", [log.judges[k] for k in log.judge.tolist()]))
    if log.prompt is not None:
        extra.append(("prompt_id", [log.prompts[k] for k in log.prompt.tolist()]))
    if log.weight is not None:
        extra.append(("weight", log.weight.tolist()))
    yield ["model_a", "model_b", "winner", *(name for name, _ in extra)]
    for k, (i, j, outcome) in enumerate(zip(log.left.tolist(), log.right.tolist(), log.outcome.tolist(), strict=True)):
        yield [names[i], names[j], _WORDS[outcome], *(column[k] for _, column in extra)]


def _jsonl(game: PreferenceGame | OperatorGame) -> bytes:
    rows = iter(_log_rows(game))
    header = next(rows)
    lines = (json.dumps(dict(zip(header, row, strict=True)), ensure_ascii=False, allow_nan=False) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
