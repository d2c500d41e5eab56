"""What was read, and who beats whom: as plain data and as lines of text."""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import majority
from ..data import DataReport, Loaded, data_report
from ..games import MatrixGame, PreferenceGame
from .text import count, listing

# A share this far from one half is worth a sentence: the order of showing may have decided comparisons.
_POSITION_SHARE = 0.05
_LISTED = 8


def describe(loaded: Loaded) -> dict[str, Any]:
    """Return what was read, as plain data: the report of the reader, and the names."""
    game = loaded.game
    result = data_report(loaded).to_dict()
    if isinstance(game, PreferenceGame):
        return result | {"names": list(game.names)}
    result["names"] = [list(labels) for labels in game.names]
    return result | {"constant_sum": game.constant_sum} if isinstance(game, MatrixGame) else result


def heading(loaded: Loaded) -> str:
    """Return the first line: how large the game is and what it was made from."""
    report = data_report(loaded)
    if report.game != "preference":
        players = "two-player" if len(report.shape) == 2 else f"{len(report.shape)}-player"
        return f"{players}{_sum_kind(loaded)} game, {' x '.join(str(size) for size in report.shape)}"
    parts = [count(report.shape[0], "response")]
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
    if report.first_share is not None and abs(report.first_share - 0.5) > _POSITION_SHARE:
        found.append(f"the response shown first won {report.first_share:.1%} of the decided comparisons")
    if report.kind == "margin":
        found.append("plays wins minus losses, not win rates")
    return [f"note: {remark}" for remark in found]


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


def majority_of(game: PreferenceGame) -> Majority:
    """Return the majority relation's winners, cycle and sets."""
    smith = majority.smith_indices(game)
    return Majority(
        majority.condorcet_winner(game),
        majority.weak_condorcet_winners(game),
        majority.majority_cycle(game),
        tuple(game.names[i] for i in smith),
        tuple(game.names[i] for i in majority.schwartz_indices(game)),
        majority.missing_pairs_note(game, smith),
    )


def majority_fields(found: Majority, *, every: bool) -> list[tuple[str, str]]:
    """Return the lines on Condorcet winner and Smith set."""
    most = None if every else _LISTED
    smith = listing(found.smith_set, most)
    if len(found.smith_set) > _LISTED:
        smith = f"{len(found.smith_set)} responses: {smith}"
    lines = [("Condorcet winner", _winner(found, most)), ("Smith set", smith)]
    if found.note is not None:
        lines.append(("", f"({found.note})"))
    return lines


def _winner(found: Majority, most: int | None) -> str:
    if found.condorcet_winner is not None:
        return str(found.condorcet_winner)
    weak = (
        f"{listing(found.weak_condorcet_winners, most)} lost to nobody, but tied"
        if found.weak_condorcet_winners
        else ""
    )
    cycle = f"cycle {' > '.join(str(name) for name in (*found.cycle, found.cycle[0]))}" if found.cycle else ""
    return f"none: {'; '.join(part for part in (weak, cycle) if part) or 'ties'}"
