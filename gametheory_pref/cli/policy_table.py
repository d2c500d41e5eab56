"""Policies as aligned columns with bars."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .._types import FloatArray, IntArray, Labels
from .output import can_encode
from .text import BLOCKS, bar, count, pad, probability, width

_WIDEST_BAR = 24
_NARROWEST_BAR = 8
_PLAIN_WIDTH = 80
_ALWAYS_SHOWN = 20
_MOST_SHOWN = 40


class Column(NamedTuple):
    """A policy and what it is called."""

    title: str
    policy: FloatArray


def table(names: Labels, columns: Sequence[Column], payoff: FloatArray, *, every: bool) -> list[str]:
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
    order = np.lexsort((-payoff, -main))
    shown = order if every else order[: _rows(columns)]
    labels = [str(names[i]) for i in shown]
    name_cells = max((width(label) for label in labels), default=0)
    bar_cells = _bar_cells(name_cells, len(columns))
    blocks = can_encode(sys.stdout, BLOCKS)
    lines = [_line(" " * name_cells, [column.title for column in columns], bar_cells)]
    for label, i in zip(labels, shown, strict=True):
        cells = [
            f"{pad(probability(column.policy[i]), 6)} {bar(column.policy[i], bar_cells, blocks=blocks)}"
            for column in columns
        ]
        lines.append(_line(pad(label, name_cells), cells, bar_cells))
    return lines + _rest(order[shown.size :], main)


def _rows(columns: Sequence[Column]) -> int:
    played = max(int(np.count_nonzero(column.policy)) for column in columns)
    return max(_ALWAYS_SHOWN, min(played, _MOST_SHOWN))


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
