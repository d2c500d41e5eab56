"""The Newton equations of a low-rank zero-sum game at a point inside, and the direction that they give.

A step (dp, ds, dtheta) towards products ``p s + c`` satisfies ``p ds + s dp = c``, ``ds = E dtheta - A dp``,
``E'dp = 0``, where ``A = V C V'`` and E says which response is whose. Of dp the payoff sees the r numbers ``q = V'dp``
alone. With ``F = [V, E]`` and ``H = F' diag(p/s) F``, dividing by s and multiplying by F' leaves

    (q, 0) = F'(c/s) + H (C q, -dtheta),

r + 1 equations (r + 2 for two players), whose matrix is found in n r^2 operations. They have one solution, however
degenerate V is, because ``diag(s/p) - A`` is definite: see docs/theory.md. The vectors of order n follow,
``ds = -F (C q, -dtheta)`` and ``dp = (c - p ds) / s``. Nothing of order n x n is ever made.

References
----------
S. Mehrotra, "On the implementation of a primal-dual interior point method", SIAM J. Optim. 2, 1992.
J. Gondzio, "Multiple centrality corrections in a primal-dual method", Comput. Optim. Appl. 6, 1996.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._types import FloatArray
from .low_rank_factors import Factors

_CORRECTIONS = 1
"""Corrections of centrality; each costs nearly as much as a new matrix."""

_SHIFT = 1e-13
"""Added to the diagonal of a matrix of order r + 2 and unit diagonal, so that it has a Cholesky factor."""


class Direction(NamedTuple):
    """``dp / p`` and ``ds / s``, the small solution ``(q, -dtheta)``, and the longest step of at most 1 inside."""

    dp: FloatArray
    ds: FloatArray
    small: FloatArray
    longest: float


class SmallEquations:
    """The Newton equations at one iterate, in relative terms: ``dp/p + ds/s = c/(p s)``."""

    def __init__(self, factors: Factors, p: FloatArray, s: FloatArray) -> None:
        from scipy.linalg import lapack

        self.factors, self.p, self.s = factors, p, s
        self.products = p * s
        matrix = self._matrix(p / s)
        # Rows differ by the sizes of the columns of V, which pivoting must not mistake for meaning.
        self._row_scale = 1.0 / np.abs(matrix).max(axis=1)
        self._lu, self._pivots, _ = lapack.dgetrf(matrix * self._row_scale[:, None])
        self._getrs = lapack.dgetrs

    def _matrix(self, weights: FloatArray) -> FloatArray:
        """Return the matrix of the small equations in (q, -dtheta)."""
        return self._left_side() - self.factors.payoffs_of(self.factors.weighted(weights))

    def _left_side(self) -> FloatArray:
        ones = np.zeros(self.factors.rank + self.factors.n_players)
        ones[: self.factors.rank] = 1.0
        return np.diag(ones)

    def _solve_small(self, right: FloatArray) -> FloatArray:
        solution: FloatArray = self._getrs(self._lu, self._pivots, self._row_scale * right)[0]
        return solution

    def solve(self, change: FloatArray | None) -> Direction:
        """Return the direction for the relative change ``c/(p s)`` of the products; for -1 everywhere if it is None."""
        relative = -self.p if change is None else change * self.p
        small = self._solve_small(self.factors.gather(relative))
        ds = self.factors.spread(self.factors.payoffs_to(small))
        np.divide(ds, -self.s, out=ds)
        dp = np.subtract(-1.0 if change is None else change, ds)
        return Direction(dp, ds, small, _longest(dp, ds))

    def refined(self, direction: Direction) -> Direction:
        """Return the direction, corrected for what its dp leaves of the small equations."""
        residual = self.factors.gather(direction.dp * self.p)
        residual[: self.factors.rank] -= direction.small[: self.factors.rank]
        small = self._solve_small(residual)
        change = self.factors.spread(self.factors.payoffs_to(small))
        change /= self.s
        dp, ds = direction.dp + change, direction.ds - change
        return Direction(dp, ds, direction.small + small, _longest(dp, ds))


class TurnedEquations(SmallEquations):
    """The same equations in a basis in which H is nearly the identity, for where it has large and small directions.

    What is small beside the large is lost when H is added up. Its Cholesky factor ``H = R'R`` tells the directions
    apart all the same; in the basis ``B = inv(R)`` they have one size, and H is added up once more (Cholesky QR).
    """

    def _matrix(self, weights: FloatArray) -> FloatArray:
        from scipy.linalg import lapack

        matrix = self.factors.weighted(weights)
        size = np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))
        matrix /= np.outer(size, size)
        matrix.flat[:: len(matrix) + 1] += _SHIFT
        factor = lapack.dpotrf(matrix)[0] * size
        self._basis: FloatArray = lapack.dtrtri(factor)[0]
        turned = self.factors.weighted_in(self._basis, weights) @ self.factors.payoffs_of(factor)
        result: FloatArray = self._basis.T @ self._left_side() - turned
        return result

    def _solve_small(self, right: FloatArray) -> FloatArray:
        return super()._solve_small(right @ self._basis)


def corrected_direction(system: SmallEquations) -> Direction:
    """Return Mehrotra's corrected direction, with Gondzio's corrections while they make it longer."""
    products = system.products
    mu = float(products.mean())
    predictor = system.solve(None)
    length = predictor.longest
    second_order = predictor.dp * predictor.ds
    predicted = (1.0 - length) * mu + length * length * float(second_order @ products) / len(products)
    target = min(max((predicted / mu) ** 3, 1e-6), 0.8) * mu
    change = target / products
    change -= 1.0
    change -= second_order
    direction = system.solve(change)
    for _ in range(_CORRECTIONS):
        if direction.longest > 0.9:
            break
        corrected = change + _centrality(products, direction, target)
        longer = system.solve(corrected)
        if longer.longest < direction.longest + 0.015:
            break
        change, direction = corrected, longer
    return direction


def _centrality(products: FloatArray, direction: Direction, target: float) -> FloatArray:
    """Return, relative to the products, what moves outliers of a longer step to within a factor 10 of the target."""
    length = min(1.0, direction.longest + 0.3)
    trial = products * (1.0 + length * direction.dp) * (1.0 + length * direction.ds)
    change = np.clip(trial, 0.1 * target, 10.0 * target) - trial
    np.maximum(change, -10.0 * target, out=change)
    change /= products
    return change


def _longest(dp: FloatArray, ds: FloatArray) -> float:
    steepest = min(float(dp.min()), float(ds.min()))
    return 1.0 if steepest >= -1.0 else -1.0 / steepest
