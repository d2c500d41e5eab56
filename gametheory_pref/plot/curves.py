"""What a verdict on a theorem rests on: the measured curve beside what is claimed or fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._types import BoolArray, FloatArray
from ..errors import InputError
from ..methods._info import Bound, Contraction, LocalRate
from .runs import Line as MeasuredLine
from .runs import draw_line, legend_below, log_limits
from .style import GREY, INK, axes_size, hide_frame, new_axes, set_title, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INCHES = (6.0, 3.6)
# More points than a screen can show make a page heavy.
_MOST_POINTS = 240
_SMALLEST = 1e-30


def rate_curve(report: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the numbers behind a verdict: what was measured, and the bound, the fitted line, or neither.

    Parameters
    ----------
    report : RateReport
        What `verify_rate` returned for one theorem.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    InputError
        The report has no curve: it is about several theorems, or a hypothesis failed before anything was measured.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> run = gp.solve(game, "extragradient", temperature=0.1, tol=1e-12, start=[0.2, 0.4, 0.4], jit=False)
    >>> ax = gp.plot.rate_curve(gp.verify_rate(run, "extragradient-contraction"))
    >>> [line.get_label() for line in ax.get_lines()]
    ['KL(pi* || pi)', 'bound of the theorem']
    """
    curve = getattr(report, "curve", None)
    if curve is None:
        raise InputError(f"report on {getattr(report, 'name', report)!r} has no curve: {getattr(report, 'reason', '')}")
    linear = isinstance(report.guarantee, Contraction | LocalRate)
    shown = _shown(curve.steps, linear=linear)
    x, values, bounds = curve.steps[shown], _positive(curve.values[shown]), _positive(curve.bounds[shown])
    with style():
        if ax is None:
            ax = new_axes(*_INCHES)
        draw_line(ax, x, MeasuredLine(x, values, values, values), _SMALLEST, curve.quantity, 0)
        if np.isfinite(bounds).any():
            # A theorem about the end of a run is a single point.
            lone: dict[str, Any] = {"marker": "_", "markersize": 12.0} if np.isfinite(bounds).sum() < 3 else {}
            ax.plot(x, bounds, color=INK, linestyle="--", linewidth=1.2, label=_label(report), gid="bound", **lone)
        if report.window is not None:
            ax.axvspan(*report.window, color=GREY, alpha=0.15, linewidth=0.0, label=_window(report), zorder=0)
        ax.set_yscale("log")
        if not linear:
            ax.set_xscale("log")
        log_limits(ax, [values, _near(bounds, values)])
        low, high = ax.get_ylim()
        if high > 1e3 * low:
            # Hundreds of ticks between the powers of ten are most of the drawing time, and cannot be told apart.
            ax.minorticks_off()
        ax.set_xlabel("steps")
        ax.set_ylabel(curve.quantity)
        hide_frame(ax)
        legend_below(ax)
        set_title(ax, f"{report.name}: {report.verdict}", inches=axes_size(ax)[0])
    return ax


def _shown(steps: Any, *, linear: bool) -> BoolArray:
    """Return which record points to draw: without the start on a logarithmic axis, and not too many."""
    kept = np.ones(len(steps), dtype=np.bool_) if linear else np.asarray(steps > 0)
    places = np.flatnonzero(kept)
    if places.size > _MOST_POINTS:
        kept[:] = False
        kept[places[np.unique(np.linspace(0, places.size - 1, _MOST_POINTS).round().astype(int))]] = True
    return kept


def _positive(values: FloatArray) -> FloatArray:
    """Return the numbers that a logarithmic axis can show, NaN for the others."""
    return np.where(np.isfinite(values) & (values > 0.0), np.maximum(values, _SMALLEST), np.nan)


def _near(bounds: FloatArray, values: FloatArray) -> FloatArray:
    """Return the bounds without those so far from the curve that they would squeeze it into a line."""
    if not np.isfinite(values).any():
        return bounds
    low, high = np.nanmin(values), np.nanmax(values)
    return np.clip(bounds, low * 1e-3, high * 1e3)


def _label(report: Any) -> str:
    return "bound of the theorem" if isinstance(report.guarantee, Bound | Contraction) else "fitted line"


def _window(report: Any) -> str:
    first, last = report.window
    return f"steps {first:,} to {last:,}, fitted"
