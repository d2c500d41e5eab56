"""Straight lines through measured curves, with the interval that they deserve."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._types import FloatArray

# Residuals below this (relative to the change over the window) are those of a straight line.
_STRAIGHT = 2e-3
# Two periods cross their line four times; a bend does so twice.
_FEWEST_CROSSINGS = 4
# A wave must leave less than this share of the squared residuals.
_EXPLAINED = 0.2
_MOST_FREQUENCIES = 4000


class Line(NamedTuple):
    """A least-squares line, and the 95 per cent interval of its slope."""

    slope: float
    interval: tuple[float, float]
    intercept: float


def line(x: FloatArray, y: FloatArray) -> Line:
    """Return the least-squares line through at least three points.

    Examples
    --------
    >>> import numpy as np
    >>> round(line(np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, 3.0, 5.0, 7.0])).slope, 9)
    2.0
    """
    return _fit(np.stack([x, np.ones_like(x)], axis=1), y)


def oscillating_line(x: FloatArray, y: FloatArray) -> Line:
    """Return the line along which a curve of integer `x` oscillates, with the wave taken out.

    The divergence of a rule with memory falls by a constant factor times a wave of one frequency; a plain line
    through few periods would lean with the phase. The frequency with the smallest residuals is taken, with its second
    harmonic. A curve that is straight, or that no wave of two periods or more explains, gets the plain line.
    """
    plain = line(x, y)
    trend = np.stack([x, np.ones_like(x)], axis=1)
    rest = y - plain.intercept - plain.slope * x
    crossings = np.count_nonzero(np.diff(np.sign(rest)))
    if len(x) < 16 or np.abs(rest).max() <= _STRAIGHT * np.ptp(y) or crossings < _FEWEST_CROSSINGS:
        return plain
    best, waves = _EXPLAINED * float(rest @ rest), None
    lowest = 4.0 * np.pi / np.ptp(x)
    for frequency in np.linspace(lowest, np.pi, int(min(_MOST_FREQUENCIES, 2.0 * np.ptp(x))), endpoint=False):
        phase = frequency * x
        wave = np.stack([np.cos(phase), np.sin(phase), np.cos(2.0 * phase), np.sin(2.0 * phase)], axis=1)
        columns = np.concatenate([trend, wave], axis=1)
        error = y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]
        if float(error @ error) < best:
            best, waves = float(error @ error), columns
    return plain if waves is None else _fit(waves, y)


def _fit(columns: FloatArray, y: FloatArray) -> Line:
    """Return the first coefficient of a regression with its interval, and the second."""
    from scipy.special import stdtrit

    solution, _, rank, _ = np.linalg.lstsq(columns, y, rcond=None)
    slope, freedom = float(solution[0]), len(y) - int(rank)
    if freedom <= 0:
        return Line(slope, (-np.inf, np.inf), float(solution[1]))
    error = y - columns @ solution
    variance = float(error @ error) / freedom * np.linalg.pinv(columns.T @ columns)[0, 0]
    half = float(stdtrit(freedom, 0.975)) * float(np.sqrt(max(variance, 0.0)))
    return Line(slope, (slope - half, slope + half), float(solution[1]))


def mean_line(x: FloatArray, curves: FloatArray) -> Line:
    """Return the log-log line through the mean of several curves, its interval from leaving out each curve in turn.

    Parameters
    ----------
    x : ndarray, shape (points,)
    curves : ndarray, shape (runs, points)
        Positive values of runs with independent luck.
    """
    from scipy.special import stdtrit

    runs = len(curves)
    mean = line(np.log(x), np.log(curves.mean(axis=0)))
    if runs < 2:
        return mean
    total = curves.sum(axis=0)
    slopes = np.array([line(np.log(x), np.log((total - curve) / (runs - 1))).slope for curve in curves])
    spread = float(np.sqrt((runs - 1) / runs * ((slopes - slopes.mean()) ** 2).sum()))
    half = float(stdtrit(runs - 1, 0.975)) * spread
    return Line(mean.slope, (mean.slope - half, mean.slope + half), mean.intercept)
