"""Strictly complementary solutions of skew games: who can be played at all.

By Goldman and Tucker (1956) every game with skew payoff ``A`` has a solution p with ``p_i > 0`` for exactly
the positions with ``(A p)_i = 0``. The central path of interior-point methods leads there.

References
----------
A. J. Goldman, A. W. Tucker, "Theory of linear programming", 1956.
S. Mehrotra, "On the implementation of a primal-dual interior point method", SIAM J. Optim. 2, 1992.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from .._types import BoolArray, FloatArray, IntArray

EPS = float(np.finfo(np.float64).eps)

WIN_PROBABILITY_ERROR = EPS / 2
"""Absolute error of ``P - 1/2``: rounding P moves it by at most 2^-54, the difference by as much again."""

_LAST_BARRIER = 1e-14
_FIRST_CHECK = 1e-5
_MAX_STEPS = 150


class Null(NamedTuple):
    """Null space of a matrix as far as float64 can tell.

    Attributes
    ----------
    basis : ndarray, shape (columns, nullity)
        Orthonormal.
    smallest : float
        Smallest singular value that counts as non-zero (infinity when there is none).
    decided : bool
        False when a singular value is neither clearly zero nor clearly not.
    """

    basis: FloatArray
    smallest: float
    decided: bool


def null_space(matrix: FloatArray, entry_error: float) -> Null:
    """Return the null space of `matrix`, whose entries are known up to `entry_error`.

    By Weyl's inequality an error of at most e in every entry moves a singular value by at most ``e sqrt(rows
    columns)``, and the decomposition itself adds a few units in the last place of the largest one. A value
    below that cannot be told from zero; one a hundred times above it cannot be zero; between the two no
    honest decision exists.
    """
    rows, columns = matrix.shape
    if min(rows, columns) == 0:
        return Null(np.eye(columns), np.inf, True)
    _, values, right = np.linalg.svd(matrix)
    noise = 4.0 * (entry_error * np.sqrt(rows * columns) + EPS * np.sqrt(max(rows, columns)) * values[0])
    rank = int(np.count_nonzero(values > noise))
    smallest = float(values[rank - 1]) if rank else np.inf
    return Null(np.ascontiguousarray(right[rank:].T), smallest, smallest > 100.0 * noise)


class StrictPair(NamedTuple):
    """A strictly complementary solution of a skew game.

    Attributes
    ----------
    support : ndarray of int
        Positions with positive probability, which are those that some solution plays.
    policy : ndarray, shape (n,)
        Loses strictly to nobody and wins strictly against every position outside `support`.
    """

    support: IntArray
    policy: FloatArray


def strictly_complementary(skew: FloatArray, error: float) -> StrictPair | None:
    """Return a strictly complementary solution of the skew game, or None when none can be told from rounding.

    Follows the central path ``x_i s_i = t / n`` with ``s = t - A x`` and ``sum x = 1``, which starts at the
    uniform point for large t and ends, as t goes to 0, at the analytic centre of the set of solutions: the
    most interior point there is. The path only proposes the support; `_certify_support` accepts it from the
    data.
    """
    scale = float(np.abs(skew).max())
    n = skew.shape[0]
    if scale == 0.0:
        return StrictPair(np.arange(n), np.full(n, 1.0 / n))
    matrix = skew / scale
    for x, slack, barrier in _central_path(matrix):
        if barrier > _FIRST_CHECK or not _separated(x, slack):
            continue
        pair = _certify_support(matrix, x, x > slack, error / scale)
        if pair is not None:
            return pair
    return None


def _separated(x: FloatArray, slack: FloatArray) -> bool:
    ratio = x / slack
    return bool((np.maximum(ratio, 1.0 / ratio) > 100.0).all())


def _central_path(matrix: FloatArray) -> Iterator[tuple[FloatArray, FloatArray, float]]:
    """Yield ``(x, slack, t)`` along the central path, by Mehrotra's predictor and corrector.

    ``diag(s / x) - A`` has a positive definite symmetric part, so it is never singular. Both directions keep
    the sum of x, because ``d' A d = 0`` for a skew matrix.
    """
    n = matrix.shape[0]
    x = np.full(n, 1.0 / n)
    drift = matrix @ x
    t = 4.0 * float(np.abs(drift).max()) + 1e-3
    slack = t - drift
    for _ in range(_MAX_STEPS):
        solve = _factorise(np.diag(slack / x) - matrix)
        dx = solve(-slack + t)
        dslack = -t - matrix @ dx
        longest = min(1.0, longest_step(x, dx), longest_step(slack, dslack))
        keep = max((1.0 - longest) ** 3, 1e-3)
        dt = (keep - 1.0) * t
        dx = solve((keep * t / n - x * slack - dx * dslack) / x - dt)
        dslack = dt - matrix @ dx
        step = min(1.0, 0.95 * min(longest_step(x, dx), longest_step(slack, dslack)))
        x = x + step * dx
        slack = slack + step * dslack
        t = t + step * dt
        x /= x.sum()
        yield x, slack, t
        if t < _LAST_BARRIER:
            return


def _factorise(matrix: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Return the function that solves with `matrix`; an explicit inverse is quickest for small ones."""
    if matrix.shape[0] <= 40:
        inverse = np.linalg.inv(matrix)
        return lambda right: inverse @ right
    from scipy.linalg import lu_factor, lu_solve

    factors = lu_factor(matrix, overwrite_a=True, check_finite=False)
    return lambda right: lu_solve(factors, right, check_finite=False)


def _certify_support(matrix: FloatArray, x: FloatArray, played: BoolArray, error: float) -> StrictPair | None:
    """Move x onto the equations of the proposed support; accept it if strictly complementary beyond rounding.

    The correction is the smallest relative to x, so that it does not push small probabilities over the edge.
    A point with residual r lies within r / (smallest non-zero singular value) of an exact solution.
    """
    support = np.flatnonzero(played)
    columns = matrix[:, support]
    kernel = null_space(columns[support], error)
    if not kernel.decided or kernel.basis.shape[1] == 0:
        return None
    weights = x[support] / x[support].sum()
    spread = np.diag(1.0 / weights) @ kernel.basis
    # Least squares in relative terms: nearest kernel vector to the weights, measured in units of each weight.
    weights = kernel.basis @ np.linalg.lstsq(spread, np.ones(support.size), rcond=None)[0]
    weights /= weights.sum()
    advantage = columns @ weights
    residual = float(np.abs(advantage[support]).max())
    advantage[support] = -np.inf
    doubt = 10.0 * (residual + support.size * (error + EPS)) / min(kernel.smallest, 1.0)
    if float(weights.min()) <= doubt or float(advantage.max()) >= -doubt:
        return None
    policy = np.zeros(x.size)
    policy[support] = weights
    return StrictPair(support, policy)


def longest_step(value: FloatArray, change: FloatArray) -> float:
    """Return the largest step that keeps ``value + step change`` non-negative; infinity if all do."""
    shrinking = change < 0
    return float((value[shrinking] / -change[shrinking]).min(initial=np.inf))
