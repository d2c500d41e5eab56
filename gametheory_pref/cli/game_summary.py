"""What was read, and who beats whom: as plain data and as lines of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from .. import majority
from ..data import DataReport, Loaded, data_report
from ..games import MatrixGame, PreferenceGame, is_symmetric
from .text import count, label, listing

# A share this far from one half is worth a sentence: the order of showing may have decided comparisons.
_POSITION_SHARE = 0.05
_LISTED = 8


def describe(loaded: Loaded) -> dict[str, Any]:
    """Return what was read, as plain data: the report of the reader, and the names."""
    game: Any = loaded.game
    result = data_report(loaded).to_dict()
    if is_symmetric(game):
        # A million positions are no names.
        return result | {"names": None if isinstance(game.names, range) else list(game.names)}
    result["names"] = [list(labels) for labels in game.names]
    return result | {"constant_sum": game.constant_sum} if isinstance(game, MatrixGame) else result


def heading(loaded: Loaded) -> str:
    """Return the first line: how large the game is and what it was made from."""
    report = data_report(loaded)
    if len(report.shape) > 1:
        players = "two-player" if len(report.shape) == 2 else f"{len(report.shape)}-player"
        return f"{players}{_sum_kind(loaded)} game, {' x '.join(str(size) for size in report.shape)}"
    parts = [count(report.shape[0], "response")]
    if report.payoff is not None:
        parts.append(report.payoff)
    if report.n_comparisons is not None and report.n_ties is not None and report.n_missing is not None:
        parts.append(f"{count(report.n_comparisons, 'comparison')} ({count(report.n_ties, 'tie')})")
        parts.append(f"{count(report.n_missing, 'pair')} never compared")
    if report.n_judges is not None:
        parts.append(count(report.n_judges, "judge"))
    return ", ".join(parts)


def _sum_kind(loaded: Loaded) -> str:
    game = loaded.game
    if not isinstance(game, MatrixGame):
        return ""
    return {None: " general-sum", 0.0: " zero-sum"}.get(game.constant_sum, " constant-sum")


def remarks(loaded: Loaded) -> list[str]:
    """Return the sentences about the data that a reader of the answer should know."""
    report: DataReport = data_report(loaded)
    found = list(report.notes)
    if _favours_a_position(report):
        found.append(f"the response shown first won {report.first_share:.1%} of the decided comparisons")
    if report.kind == "margin":
        found.append("plays wins minus losses, not win rates")
    return [f"note: {remark}" for remark in found]


def _favours_a_position(report: DataReport) -> bool:
    """Return whether the response shown first won clearly more, or less, than half of the time."""
    if report.first_share is None or report.n_comparisons is None or report.n_ties is None:
        return False
    # Three standard deviations of a fair coin, so that a handful of comparisons raises no alarm.
    noise = 1.5 / math.sqrt(max(report.n_comparisons - report.n_ties, 1.0))
    return abs(report.first_share - 0.5) > max(_POSITION_SHARE, noise)


class Majority(NamedTuple):
    """Who beats whom."""

    condorcet_winner: Any
    weak_condorcet_winners: tuple[Any, ...]
    cycle: tuple[Any, ...]
    smith_set: tuple[Any, ...]
    schwartz_set: tuple[Any, ...]
    note: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in self._asdict().items()
        }


def majority_of(game: Any) -> Majority:
    """Return the majority relation's winners, cycle and sets; no cycle is looked for in a sparse game."""
    smith = majority.smith_indices(game)
    return Majority(
        majority.condorcet_winner(game),
        majority.weak_condorcet_winners(game),
        majority.majority_cycle(game) if isinstance(game, PreferenceGame) else (),
        tuple(game.names[i] for i in smith),
        tuple(game.names[i] for i in majority.schwartz_indices(game)),
        majority.missing_pairs_note(game, smith),
    )


def majority_fields(game: Any, *, every: bool) -> list[tuple[str, str]]:
    """Return the lines on Condorcet winner and Smith set."""
    found = majority_of(game)
    most = None if every else _LISTED
    smith = listing(found.smith_set, most)
    if len(found.smith_set) > _LISTED:
        whole = len(found.smith_set) == game.n_responses
        smith = f"all {game.n_responses} responses" if whole else f"{len(found.smith_set)} responses: {smith}"
    winner = _winner(found, most, searched=isinstance(game, PreferenceGame))
    lines = [("Condorcet winner", winner), ("Smith set", smith)]
    if found.note is not None:
        lines.append(("", f"({found.note})"))
    return lines


def cycle_text(cycle: Sequence[object]) -> str:
    """Return "a > b > c > a"."""
    return " > ".join(label(name) for name in (*cycle, cycle[0]))


def _winner(found: Majority, most: int | None, *, searched: bool) -> str:
    """Return who it is, or why there is none; `searched` tells whether a cycle was looked for."""
    if found.condorcet_winner is not None:
        return label(found.condorcet_winner)
    if found.weak_condorcet_winners:
        tied = "tied" if found.note is None else "tied or was never compared with some"
        return f"none: {listing(found.weak_condorcet_winners, most)} lost to nobody, but {tied}"
    if found.cycle:
        return f"none: cycle {cycle_text(found.cycle)}"
    return "none: ties" if searched else "none: everybody lost to somebody"
