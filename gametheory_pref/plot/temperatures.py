"""The KL-regularised equilibrium along the temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._types import BoolArray, FloatArray
from ..temperature_path import TemperaturePath
from .style import (
    GREY,
    INK,
    SERIES,
    WHITE,
    axes_size,
    hide_frame,
    label_limit,
    new_axes,
    set_title,
    shorten,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# One colour each; the other responses are thin grey lines.
_MOST_COLORS = 6
_COST_LOOK = {"color": INK, "linestyle": "--", "linewidth": 1.2}


def temperature_path(path: TemperaturePath, *, ax: Axes | None = None) -> Axes:
    """Draw one line per response over the temperature, and the cost of regularisation on a second axis.

    The cost is the duality gap without regularisation, in units of win probability. Points whose own gap
    exceeds the tolerance of the path are hollow. Temperature 0 (the Minimax Winner) stands left of the
    logarithmic axis, at a tick of its own.

    Parameters
    ----------
    path : TemperaturePath
        What `path` returned.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        The axes of the policies.
    """
    with style():
        if ax is None:
            ax = new_axes(7.5, 5.0)
        order = np.argsort(path.temperatures, kind="stable")
        x = _places(path.temperatures[order])
        solid = path.gaps[order] <= path.tol
        _draw_policies(ax, x, path.policies[order], solid, shorten(path.names, label_limit(ax)))
        _draw_cost(ax, x, path.costs[order])
        _frame(ax, path.temperatures, x)
        set_title(ax, "Equilibrium along the temperature", *_notes(path), inches=axes_size(ax)[0])
    return ax


def _places(temperatures: FloatArray) -> FloatArray:
    """Return where ascending temperatures go on a logarithmic axis: 0 is half a decade left of the others."""
    positive = temperatures[temperatures > 0.0]
    zero = 10.0**-0.5 * float(positive.min()) if len(positive) else 1.0
    return np.where(temperatures > 0.0, temperatures, zero)


def _draw_policies(ax: Axes, x: FloatArray, policies: FloatArray, solid: BoolArray, names: list[str]) -> None:
    n = policies.shape[1]
    by_size = np.argsort(-policies.max(axis=0), kind="stable")
    colored = by_size if n <= _MOST_COLORS else by_size[:_MOST_COLORS]
    for i in by_size[len(colored) :]:
        label = f"{n - len(colored)} more" if i == by_size[-1] else f"_{i}"
        ax.plot(x, policies[:, i], color=GREY, linewidth=0.6, alpha=0.7, label=label, gid=f"response-{i}")
    for i, color in zip(colored, SERIES, strict=False):
        ax.plot(x, policies[:, i], color=color, linewidth=1.6, label=names[i], gid=f"response-{i}")
        _mark(ax, x[solid], policies[solid, i], color, color, f"solid-{i}")
        _mark(ax, x[~solid], policies[~solid, i], color, WHITE, f"hollow-{i}")


def _mark(ax: Axes, x: FloatArray, y: FloatArray, color: str, face: str, gid: str) -> None:
    if len(x):
        ax.plot(
            x, y, linestyle="none", marker="o", markersize=5.0, markeredgecolor=color, markerfacecolor=face,
            zorder=3, gid=gid,
        )


def _draw_cost(ax: Axes, x: FloatArray, costs: FloatArray) -> None:
    side = ax.twinx()
    side.plot(x, costs, label="cost", **_COST_LOOK, gid="cost")  # type: ignore[arg-type]
    side.set_ylim(0.0, max(1.08 * float(costs.max()), 1e-12))
    side.set_ylabel("cost (win probability)")
    hide_frame(ax)
    hide_frame(side)
    side.spines["right"].set_visible(True)


def _frame(ax: Axes, temperatures: FloatArray, x: FloatArray) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    ax.set_xscale("log")
    ticks = _ticks(temperatures[temperatures > 0.0])
    texts = [f"{tick:g}" for tick in ticks]
    if (temperatures == 0.0).any():
        ticks, texts = [float(x[0]), *ticks], ["0", *texts]
        ax.axvline(10.0**0.25 * x[0], color=GREY, linewidth=0.8, linestyle=":", gid="break")
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_major_formatter(FixedFormatter(texts))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_ylim(bottom=0.0)
    ax.set_xlabel("temperature (KL weight)")
    ax.set_ylabel("probability")
    cost = Line2D([], [], label="cost (right axis)", **_COST_LOOK)  # type: ignore[arg-type]
    handles = [line for line in ax.get_lines() if not str(line.get_label()).startswith("_")]
    # The padding is in units of the type size: it clears the axis label whatever the size of the axes.
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "borderaxespad": 4.6}
    legend = ax.legend(handles=[*handles, cost], ncols=2 if axes_size(ax)[0] < 4.5 else 3, **place)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _ticks(positive: FloatArray) -> list[float]:
    """Return round numbers inside the range of the temperatures, or its ends where fewer than two are."""
    if not len(positive):
        return []
    low, high = float(positive.min()), float(positive.max())
    digits = (1.0,) if high >= 100.0 * low else (1.0, 2.0, 5.0)
    powers = range(int(np.floor(np.log10(low))), int(np.floor(np.log10(high))) + 1)
    # Built from text: 3 * 10**-1 in float64 is not the number written 0.3.
    ticks = [float(f"{digit:g}e{power}") for power in powers for digit in digits]
    inside = [tick for tick in ticks if low * (1.0 - 1e-9) <= tick <= high * (1.0 + 1e-9)]
    return inside if len(inside) > 1 else sorted({low, high})


def _notes(path: TemperaturePath) -> list[str]:
    n_hollow = int(np.count_nonzero(path.gaps > path.tol))
    anchor = "uniform reference" if path.reference is None else "given reference"
    hollow = f"; hollow: gap above {path.tol:g} ({n_hollow} of {len(path.gaps)} points)" if n_hollow else ""
    return [anchor + hollow]
