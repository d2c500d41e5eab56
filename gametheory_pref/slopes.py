"""Straight lines through measured curves, with the interval that they deserve."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._types import FloatArray

# Residuals below this (relative to the change over the window) are those of a straight line.
_STRAIGHT = 2e-3
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
    harmonic; a curve that is straight anyway gets the plain line.
    """
    plain = line(x, y)
    rest = y - plain.intercept - plain.slope * x
    if len(x) < 16 or np.abs(rest).max() <= _STRAIGHT * max(np.ptp(y), 1e-300):
        return plain
    count = int(min(_MOST_FREQUENCIES, 2.0 * np.ptp(x)))
    columns = [np.stack([x, np.ones_like(x)], axis=1)] * 2
    best = float(rest @ rest)
    for frequency in np.linspace(0.0, np.pi, count + 2)[1:-1]:
        phase = frequency * x
        wave = np.stack([np.cos(phase), np.sin(phase), np.cos(2.0 * phase), np.sin(2.0 * phase)], axis=1)
        candidate = np.concatenate([columns[0], wave], axis=1)
        solution = np.linalg.lstsq(candidate, y, rcond=None)[0]
        error = y - candidate @ solution
        if float(error @ error) < best:
            best, columns[1] = float(error @ error), candidate
    return _fit(columns[1], y)


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
