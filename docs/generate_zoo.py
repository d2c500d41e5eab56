"""Write ``docs/zoo.md``, the page that lists the zoo: ``python docs/generate_zoo.py``."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable

from gametheory_pref.games import MatrixGame
from gametheory_pref.games.zoo import ZOO
from gametheory_pref.games.zoo_entry import ZooEntry

PAGE = pathlib.Path(__file__).with_name("zoo.md")

_HEAD = """# The zoo

Games with known answers. `gp.zoo["comal"].game` is the game, `.winner` its answer in float64 and
`.winner_exact` in fractions; print `gp.zoo` for the list. Where a game has several winners, the answer is the
one of maximum entropy and "dimension" is that of the set of all winners. This page is written by
`docs/generate_zoo.py`.
"""


def page() -> str:
    """Return the text of the page."""
    rows = [f"| [`{name}`](#{name}) | {entry.title} | {_size(entry)} |" for name, entry in ZOO.items()]
    table = "\n".join(["| name | game | size |", "|---|---|---|", *rows])
    return "\n".join([_HEAD, table, "", *(_section(entry) for entry in ZOO.values())])


def _size(entry: ZooEntry) -> str:
    if isinstance(entry.game, MatrixGame):
        return " x ".join(str(k) for k in entry.game.row_payoff.shape)
    return str(entry.game.n_responses)


def _section(entry: ZooEntry) -> str:
    lines = [f"## {entry.name}", "", f"{entry.title[:1].upper()}{entry.title[1:]}.", "", *_answers(entry)]
    if not isinstance(entry.game, MatrixGame):
        lines += _majorities(entry)
    lines.append(f"- Source: {entry.source}")
    if entry.note:
        lines.append(f"- Note: {entry.note}")
    return "\n".join([*lines, ""])


def _answers(entry: ZooEntry) -> list[str]:
    game = entry.game
    if isinstance(game, MatrixGame):
        players = zip(("Row", "Column"), entry.winner_exact, game.names, entry.dimension, strict=True)
        lines = [
            f"- {who} player: {_shown(policy, names)}{_unique(dimension)}"
            for who, policy, names, dimension in players
        ]
        return [*lines, f"- Value: {entry.value}"]
    policy = entry.winner_exact or [f"{p:.16f}" for p in entry.winner]
    return [f"- Winner: {_shown(policy, game.names)}{_unique(entry.dimension)}"]


def _shown(policy: Iterable[object], names: Iterable[object]) -> str:
    return ", ".join(f"{name} {p}" for name, p in zip(names, policy, strict=True) if p)


def _unique(dimension: int) -> str:
    return "" if dimension == 0 else f" (not unique: dimension {dimension})"


def _majorities(entry: ZooEntry) -> list[str]:
    if entry.condorcet_winner is not None:
        return [f"- Condorcet winner: {entry.condorcet_winner}"]
    lines = [f"- Smith set: {', '.join(map(str, entry.smith_set))}"]
    if entry.schwartz_set != entry.smith_set:
        lines.append(f"- Schwartz set: {', '.join(map(str, entry.schwartz_set))}")
    return lines


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
