"""One Newton step along the central path of a symmetric zero-sum game: the linear system, direction and length.

With mu the wanted product ``p_i s_i`` the step satisfies ``p ds + s dp = mu - p s`` and ``ds = dtheta - A dp``, one
bordered system of order n + 1; Mehrotra's corrector and Gondzio's centrality correctors solve it again.
"""

from __future__ import annotations

import numpy as np

from .._types import FloatArray


class NewtonSystem:
    """``[diag(d) - A, 1; -1', 0]``, factorised in place, in single or double precision."""

    def __init__(self, payoff: FloatArray, single: bool) -> None:
        from scipy.linalg import lapack

        n = len(payoff)
        self.single = single
        dtype = np.float32 if single else np.float64
        self._getrf, self._getrs = (lapack.sgetrf, lapack.sgetrs) if single else (lapack.dgetrf, lapack.dgetrs)
        # -A is A', whose columns are contiguous: the matrix LAPACK wants is a straight copy of memory.
        self._negated = payoff.astype(dtype).T if single else payoff.T
        self._matrix = np.empty((n + 1, n + 1), dtype, order="F")
        self._right = np.zeros(n + 1, dtype)

    def factorize(self, diagonal: FloatArray) -> bool:
        """Factorise for a diagonal d; False if a pivot is zero."""
        n = len(diagonal)
        matrix = self._matrix
        matrix[:n, :n] = self._negated
        np.fill_diagonal(matrix, diagonal)
        matrix[:n, n] = 1.0
        matrix[n, :n] = -1.0
        matrix[n, n] = 0.0
        self._factors, self._pivots, info = self._getrf(matrix, overwrite_a=1)
        return bool(info == 0)

    def solve(self, right: FloatArray) -> tuple[FloatArray, float]:
        """Return dp, of sum 0, and dtheta."""
        n = len(right)
        self._right[:n] = right
        self._right[n] = 0.0
        solution = self._getrs(self._factors, self._pivots, self._right)[0].astype(np.float64, copy=False)
        return solution[:n], float(solution[n])


def direction(
    newton: NewtonSystem, p: FloatArray, s: FloatArray, mu: float, mu_floor: float
) -> tuple[FloatArray, FloatArray, float, float]:
    """Return the corrected direction (dp, ds, dtheta) and the length to go along it."""
    # With right-hand side c/p the step satisfies p ds + s dp = c, hence ds = c/p - (s/p) dp.
    ratio = s / p
    dp, dtheta = newton.solve(-s)
    ds = -s - ratio * dp
    length = _longest(p, s, dp, ds)
    predicted = float((p + length * dp) @ (s + length * ds)) / len(p)
    target = max(min(max((predicted / mu) ** 3, 1e-6), 0.8) * mu, mu_floor)
    right = (target - p * s - dp * ds) / p
    dp, dtheta = newton.solve(right)
    ds = right - ratio * dp
    length = _longest(p, s, dp, ds)
    for _ in range(2):
        corrected = right + _centrality(p, s, dp, ds, min(1.0, length + 0.3), target) / p
        dp_new, dtheta_new = newton.solve(corrected)
        ds_new = corrected - ratio * dp_new
        length_new = _longest(p, s, dp_new, ds_new)
        if length_new < length + 0.015:
            break
        right, dp, ds, dtheta, length = corrected, dp_new, ds_new, dtheta_new, length_new
    return dp, ds, dtheta, 0.995 * length


def _centrality(
    p: FloatArray, s: FloatArray, dp: FloatArray, ds: FloatArray, length: float, target: float
) -> FloatArray:
    """Return what moves outlying products, one trial step ahead, back to within a factor 10 of the target."""
    products = (p + length * dp) * (s + length * ds)
    result: FloatArray = np.minimum(np.maximum(products, 0.1 * target), 10.0 * target) - products
    np.maximum(result, -10.0 * target, out=result)
    return result


def _longest(p: FloatArray, s: FloatArray, dp: FloatArray, ds: FloatArray) -> float:
    """Return the longest step, at most 1, that keeps p and s nonnegative."""
    steepest = min(float(np.minimum.reduce(dp / p)), float(np.minimum.reduce(ds / s)))
    return 1.0 if steepest >= -1.0 else -1.0 / steepest
