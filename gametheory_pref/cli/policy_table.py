"""Policies as aligned columns with bars."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .._types import FloatArray, IntArray, Label
from .output import can_encode
from .text import BLOCKS, bar, count, label, pad, probability, width

_WIDEST_BAR = 24
_NARROWEST_BAR = 8
_PLAIN_WIDTH = 80
_SMALL_GAME = 20
_A_FEW_MORE = 5
_MOST_SHOWN = 40
_SORTED_DECIMALS = 12


class Column(NamedTuple):
    """A policy and what it is called."""

    title: str
    policy: FloatArray


def table(names: Sequence[Label], columns: Sequence[Column], payoff: FloatArray, *, every: bool) -> list[str]:
    """Return the lines of a table, likeliest responses first.

    Parameters
    ----------
    names : tuple
        What the responses are called.
    columns : sequence of Column
        Policies; the last one decides the order.
    payoff : ndarray, shape (n,)
        Payoff of each response against the last policy: the order of those that it does not play.
    every : bool
        Show all responses, however many.
    """
    main = columns[-1].policy
    # Shares that differ by rounding only stay in the order of the game.
    order = np.lexsort((-payoff.round(_SORTED_DECIMALS), -main.round(_SORTED_DECIMALS)))
    shown = order if every else order[: _rows(columns)]
    labels = [label(names[i]) for i in shown]
    name_cells = max((width(text) for text in labels), default=0)
    bar_cells = _bar_cells(name_cells, len(columns))
    blocks = can_encode(sys.stdout, BLOCKS)
    lines = [_line(" " * name_cells, [column.title for column in columns], bar_cells)]
    for text, i in zip(labels, shown, strict=True):
        cells = [
            f"{pad(probability(column.policy[i]), 6)} {bar(column.policy[i], bar_cells, blocks=blocks)}"
            for column in columns
        ]
        lines.append(_line(pad(text, name_cells), cells, bar_cells))
    return lines + _rest(order[shown.size :], main)


def _rows(columns: Sequence[Column]) -> int:
    """Return how many rows to show: all of a small game, else those that are played and a few more."""
    if columns[0].policy.size <= _SMALL_GAME:
        return _SMALL_GAME
    played = max(int(np.count_nonzero(column.policy)) for column in columns)
    return min(played + _A_FEW_MORE, _MOST_SHOWN)


def _bar_cells(name_cells: int, columns: int) -> int:
    total = shutil.get_terminal_size((_PLAIN_WIDTH, 24)).columns if sys.stdout.isatty() else _PLAIN_WIDTH
    # Each column takes two spaces, six places of the number and a space.
    free = (total - name_cells) // columns - 9
    return max(_NARROWEST_BAR, min(_WIDEST_BAR, free))


def _line(name: str, cells: Sequence[str], bar_cells: int) -> str:
    return "  ".join([name, *(pad(cell, 7 + bar_cells) for cell in cells)]).rstrip()


def _rest(hidden: IntArray, policy: FloatArray) -> list[str]:
    if not hidden.size:
        return []
    largest = float(policy[hidden].max())
    what = "not played" if largest == 0.0 else f"at most {probability(largest)} each"
    return [f"and {count(hidden.size, 'more response')}, {what} (--all shows them)"]
