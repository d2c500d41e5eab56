"""Policies as bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .._types import FloatArray, IntArray, Labels
from ..errors import InputError
from ..solution import Solution
from .style import (
    BLUE,
    FONT,
    GREY,
    LONGEST_LABEL,
    SERIES,
    axes_size,
    hide_frame,
    label_inches,
    label_limit,
    name_look,
    new_axes,
    set_title,
    shorten,
    style,
)
from .words import NEGLIGIBLE, gap_text, kind, players, show_probability, uniqueness_sentence, warning

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_BARS = 12
# Games of up to this size show their zeros too.
_FEW = 6
_MANY = 1000
BAR_INCHES = 0.27


class Block(NamedTuple):
    """The bars of one player: those shown, most probable first, and what the others add up to."""

    title: str
    names: Labels
    shown: IntArray
    values: FloatArray
    n_hidden: int
    hidden: FloatArray


def policy_bars(solution: Solution, *, ax: Axes | None = None) -> Axes:
    """Draw a policy as bars, one block of bars per player.

    The most probable responses come first. Of more than 6, those with probability 0 and those after the
    twelfth become one line that says how many they are and what they add up to.

    Parameters
    ----------
    solution : Solution
        The answer.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        The axes drawn on.
    """
    problem = warning(solution)
    sentence = f"duality gap {gap_text(solution)}, {uniqueness_sentence(solution.certificate())}"
    notes = [sentence] if problem is None else [sentence, problem]
    return draw_policy(solution, [kind(solution), *notes], ax)


def draw_policy(solution: Solution, titles: list[str], ax: Axes | None) -> Axes:
    """Draw the bars of one solution under a title of several lines."""
    return _draw(_solution_blocks(solution), [""], titles, ax)


def compare_policies(solutions: Mapping[str, Solution], *, ax: Axes | None = None) -> Axes:
    """Draw the policies of several solutions of games with the same responses side by side.

    Parameters
    ----------
    solutions : mapping of str to Solution
        What to call each solution in the legend.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    InputError
        No solutions, too many to tell apart by colour, or different responses.
    """
    if not 1 <= len(solutions) <= len(SERIES):
        raise InputError(f"solutions must hold 1 to {len(SERIES)} solutions; got {len(solutions)}")
    first_name, first = next(iter(solutions.items()))
    for name, other in solutions.items():
        if other.names != first.names:
            raise InputError(
                f"the responses of {name!r} are not those of {first_name!r}; compare answers to one game"
            )
    parts = [players(solution) for solution in solutions.values()]
    blocks = [
        policy_block(title, names, np.stack([part[p][2] for part in parts]))
        for p, (title, names, _) in enumerate(parts[0])
    ]
    return _draw(blocks, list(solutions), ["Policies"], ax)


def policy_block(title: str, names: Labels, policies: FloatArray) -> Block:
    """Choose the bars to show of `policies`, shape (series, n)."""
    n = policies.shape[1]
    largest = policies.max(axis=0)
    order = np.argsort(-largest, kind="stable")
    if n > _FEW:
        played = max(int(np.count_nonzero(largest > NEGLIGIBLE)), 1)
        order = order[: min(played, _MOST_BARS)]
        if len(order) == n - 1:
            order = np.argsort(-largest, kind="stable")
    rest = np.ones(n, dtype=bool)
    rest[order] = False
    return Block(title, names, order, policies[:, order], int(rest.sum()), policies[:, rest].sum(axis=1))


def policy_rows(solution: Solution) -> int:
    """Return how many rows the bars of a solution take."""
    return _n_rows(_solution_blocks(solution))


def _solution_blocks(solution: Solution) -> list[Block]:
    return [policy_block(title, names, policy[None, :]) for title, names, policy in players(solution)]


def _n_rows(blocks: list[Block]) -> int:
    return sum(len(block.shown) + bool(block.title) + bool(block.n_hidden) for block in blocks)


def hidden_sentence(block: Block) -> str:
    """Return the line that stands for the responses without a bar."""
    return f"and {block.n_hidden} more" + (" with 0" if (block.hidden <= NEGLIGIBLE).all() else " together")


def _draw(blocks: list[Block], series: list[str], titles: list[str], ax: Axes | None) -> Axes:
    with style():
        own = ax is None
        if ax is None:
            ax = new_axes(*_figure_size(blocks, len(series)))
        limit = LONGEST_LABEL if own else label_limit(ax)
        ticks: list[float] = []
        texts: list[str] = []
        y = 0.0
        for block in blocks:
            if block.title:
                _write_heading(ax, y, block.title)
                y += 1.0
            names = _tick_names(block, limit)
            for column, name in enumerate(names):
                _draw_bars(ax, y, block.values[:, column], single=len(series) == 1)
                ticks.append(y)
                texts.append(name)
                y += 1.0
            if block.n_hidden:
                _write_hidden(ax, y, block)
                ticks.append(y)
                texts.append(hidden_sentence(block))
                y += 1.0
        ax.set_yticks(ticks, texts, **name_look())
        _frame(ax, blocks, y)
        if len(series) > 1:
            _add_legend(ax, series)
        set_title(ax, *titles, inches=1.25 * axes_size(ax)[0] - label_inches(texts))
    return ax


def _tick_names(block: Block, limit: int) -> list[str]:
    """Return the labels of the bars; those of small games stay apart from names without a bar as well."""
    if len(block.names) > _MANY:
        return shorten([block.names[i] for i in block.shown], limit)
    names = shorten(block.names, limit)
    return [names[i] for i in block.shown]


def _figure_size(blocks: list[Block], n_series: int) -> tuple[float, float]:
    rows = _n_rows(blocks)
    label = max(label_inches(shorten([block.names[i] for i in block.shown])) for block in blocks)
    return 4.2 + label, 1.4 + rows * BAR_INCHES * max(1.0, 0.6 * n_series)


def _write_heading(ax: Axes, y: float, title: str) -> None:
    ax.annotate(title, (0.0, y), fontweight="bold", family=FONT, va="center", gid="heading")


def _draw_bars(ax: Axes, y: float, values: FloatArray, *, single: bool) -> None:
    height = 0.8 / len(values)
    offsets = (np.arange(len(values)) - (len(values) - 1) / 2.0) * height
    for offset, value, color in zip(offsets, values, (BLUE,) if single else SERIES, strict=False):
        ax.barh(y + offset, value, height=0.92 * height, color=color)
        _write_number(ax, float(value), y + offset, show_probability(float(value)))


def _write_hidden(ax: Axes, y: float, block: Block) -> None:
    if (block.hidden <= NEGLIGIBLE).all():
        return
    height = 0.8 / len(block.hidden)
    offsets = (np.arange(len(block.hidden)) - (len(block.hidden) - 1) / 2.0) * height
    for offset, value in zip(offsets, block.hidden, strict=True):
        _write_number(ax, 0.0, y + offset, show_probability(float(value)))


def _write_number(ax: Axes, x: float, y: float, text: str) -> None:
    ax.annotate(text, (x, y), xytext=(3.0, 0.0), textcoords="offset points", va="center", fontsize=8.0)


def _frame(ax: Axes, blocks: list[Block], bottom: float) -> None:
    from matplotlib.ticker import MaxNLocator

    largest = max(float(block.values.max()) for block in blocks)
    # The number behind the longest bar takes 0.45 inches.
    ax.set_xlim(0.0, largest / (1.0 - min(0.45 / axes_size(ax)[0], 0.4)))
    ax.set_ylim(bottom - 0.4, -0.6)
    ax.set_xlabel("probability")
    ax.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_color(GREY)
    hide_frame(ax)


def _add_legend(ax: Axes, series: list[str]) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(color=color, label=name) for name, color in zip(shorten(series), SERIES, strict=False)]
    legend = ax.legend(handles=handles, loc="lower right")
    for text in legend.get_texts():
        text.set_parse_math(False)
