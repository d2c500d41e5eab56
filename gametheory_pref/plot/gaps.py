"""The duality gap of several methods against what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from .._types import FloatArray
from ..errors import InputError
from .runs import (
    MOST_LINES,
    Group,
    Line,
    Runs,
    answer_of,
    at_steps,
    common_steps,
    draw_line,
    floor_of,
    groups_of,
    iterate_words,
    legend_below,
    legend_names,
    legend_rows,
    line_of,
    log_limits,
    mark_floor,
    quantity_words,
)
from .style import axes_size, hide_frame, new_axes, set_title, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_AXIS = {
    "payoff_calls": "payoff products (matrix times policy)",
    "steps": "steps",
    "seconds": "seconds",
}
_INCHES = (6.4, 4.0)


def gap_curves(
    solutions: Runs,
    *,
    against: Literal["payoff_calls", "steps", "seconds"] = "payoff_calls",
    among: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the duality gap of the answers of several methods, on logarithmic axes.

    The gap is that of the policy which each method answers with: its last iterate, or the average of those played.
    Several runs of one method, such as several seeds, become their median and a band from the 10 to the 90 % point,
    over the record points that all of them have. A gap that is nothing but rounding is drawn at a dotted line.

    Parameters
    ----------
    solutions : Solution, list of Solution, or mapping of str to either
        What to draw; a list is parted by method, a mapping says what each line is called.
    against : {"payoff_calls", "steps", "seconds"}
        The axis of the cost. Payoff products are what methods of different kinds have in common.
    among : sequence of str, optional
        What the lines of several pictures are called, in the order in which they get their colors, so that a line looks
        the same in each of them.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    InputError
        A solution without a run (by an exact method, or read from a file), two lines of the same name, more lines
        than can be told apart, or a line that is not in `among`.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> options = dict(tol=0, max_steps=100, jit=False)
    >>> names = ("extragradient", "multiplicative_weights")
    >>> ax = gp.plot.gap_curves({name: gp.solve(game, name, **options) for name in names})
    >>> [line.get_label() for line in ax.get_lines()]
    ['extragradient', 'multiplicative_weights']
    >>> ax.get_lines()[0].get_xdata()[:3]
    array([2., 4., 6.])
    """
    if against not in _AXIS:
        raise InputError(f"against must be one of {', '.join(map(repr, _AXIS))}; got {against!r}")
    groups = groups_of(solutions, name="solutions")
    lines = [line_of(group, "gap", answer_of(group.runs[0])) for group in groups]
    floors = [floor_of(group.runs[0], "gap") for group in groups]
    places = _places([group.label for group in groups], among)
    labels = [group.label if isinstance(solutions, Mapping) else _title(group) for group in groups]
    with style():
        if ax is None:
            ax = new_axes(_INCHES[0], _INCHES[1] + 0.17 * legend_rows([*labels, ""], _INCHES[0] - 1.0)[1])
        labels = legend_names(labels, axes_size(ax)[0])
        shown = [
            _draw(ax, group, line, floor, label, place, against)
            for place, group, line, floor, label in zip(places, groups, lines, floors, labels, strict=True)
        ]
        _frame(ax, groups, shown, floors, against)
        set_title(ax, *_titles(groups), inches=axes_size(ax)[0])
    return ax


def _places(labels: list[str], among: Sequence[str] | None) -> list[int]:
    """Return which color and dash each line has; those of a long list come round again."""
    order = labels if among is None else list(among)
    for label in labels:
        if label not in order:
            raise InputError(f"among must name every line; {label!r} is missing")
    return [order.index(label) % MOST_LINES for label in labels]


def _title(group: Group) -> str:
    return group.label + (", average" if answer_of(group.runs[0]) == "average" else "")


def _cost(group: Group, against: str) -> FloatArray:
    steps = common_steps(group.runs)
    return np.asarray(np.median([at_steps(run, getattr(run, against), steps) for run in group.runs], axis=0))


def _draw(ax: Axes, group: Group, line: Line, floor: float, label: str, place: int, against: str) -> FloatArray:
    kept = line.after_start()
    draw_line(ax, _cost(group, against)[line.steps > 0], kept, floor, label, place)
    return np.asarray(np.maximum(np.concatenate([kept.low, kept.high]), floor))


def _frame(ax: Axes, groups: list[Group], shown: list[FloatArray], floors: list[float], against: str) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    log_limits(ax, shown)
    for floor in sorted({floor for part, floor in zip(shown, floors, strict=True) if (part <= floor).any()}):
        mark_floor(ax, floor)
    ax.set_xlabel(_AXIS[against])
    ax.set_ylabel(quantity_words(groups[0], "gap"))
    hide_frame(ax)
    legend_below(ax)


def _titles(groups: list[Group]) -> list[str]:
    heats = {group.runs[0].facts.temperature for group in groups}
    heat = f" at temperature {heats.pop():g}" if len(heats) == 1 else ""
    if len(groups) == 1:
        which = iterate_words(answer_of(groups[0].runs[0]))
        lines = [f"{groups[0].runs[0].rule.info.title}: gap of the {which}{heat}"]
    else:
        lines = [f"Gap of each method's answer{heat}"]
    repeated = sorted({len(group.runs) for group in groups if len(group.runs) > 1})
    if repeated:
        count = f"{repeated[0]} to {repeated[-1]}" if len(repeated) > 1 else f"{repeated[0]}"
        lines.append(f"median of {count} runs, with their 10 to 90 % band")
    return lines
