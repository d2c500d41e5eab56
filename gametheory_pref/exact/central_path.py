"""The central path of a symmetric zero-sum game: the iterate on it, a step along it, and the best policy so far.

The largest payoff is 1. A step is one LU factorisation of order n (newton_direction.py). Early steps need few digits:
they factorise in single precision, and the new slacks, computed from the new p in double, show whether that was
enough. Where the support is known, p solves linear equations, so that the answer is exact to rounding.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._types import BoolArray, FloatArray, IntArray
from ..errors import InputError
from .elimination import block, gains
from .newton_direction import NewtonSystem, direction

ROUNDING = 2e-14
"""Gap, as a share of the largest payoff, below which a polished point counts as exact."""


class _Candidate(NamedTuple):
    """A policy with its gap relative to the largest payoff."""

    policy: FloatArray
    gap: float
    polished: bool


class CentralPath:
    """The iterate of one game whose largest payoff is 1, its Newton system, and the best candidate so far."""

    def __init__(
        self, payoff: FloatArray, start: FloatArray, *, single: bool, offset: FloatArray | None = None
    ) -> None:
        n = len(payoff)
        self.payoff = payoff
        self.p = start
        payoffs = gains(payoff, start)
        # The smallest theta for which every product p_i s_i is at least 0.3 of their mean, theta / n.
        self.theta = max(float((start * payoffs / (start - 0.3 / n)).max()), 1e-6)
        self.s = self.theta - payoffs
        self.best = _Candidate(start, 2.0 * float(payoffs.max()), False)
        self.n_steps = 0
        self.n_factorizations = 0
        self._newton = NewtonSystem(payoff, single)
        self._size = float(np.linalg.norm(payoff) / n)
        self._offset = offset

    @property
    def mu(self) -> float:
        """Mean of the products p_i s_i."""
        return float(self.p @ self.s) / len(self.p)

    def offset(self) -> FloatArray:
        """Return what centres log(p/s): given, or the typical slack outside against the typical p inside.

        Typical is the mean weighted by itself, for the slack at most (root mean square payoff) * |p|, that of
        a random response. Where no slack stays large, all of the game is support.
        """
        if self._offset is not None:
            return self._offset
        size_p = float(self.p @ self.p)
        random_s = self._size * size_p**0.5
        size_s = float(self.s @ self.s) / float(self.s.sum())
        return np.full(len(self.p), np.log(min(max(size_s, 1e-3 * random_s), random_s) / size_p))

    def centre(self, offset: FloatArray) -> None:
        """Let this centre log(p/s) from now on."""
        self._offset = offset

    def certainty(self) -> FloatArray:
        """Return log(p/s), centred: large in the support, very negative outside."""
        result: FloatArray = np.log(self.p / self.s) + self.offset()
        return result

    def is_centred_at(self, target: float) -> bool:
        """Return whether all products p_i s_i are within a factor 2 of `target`."""
        products = self.p * self.s
        return bool(products.max() <= 2.0 * target and products.min() >= 0.5 * target)

    def step(self, mu_floor: float) -> bool:
        """Take one step towards a mu of at least `mu_floor`; False if none is possible."""
        if self._newton.single:
            if self.mu * len(self.p) > 1e-6 and self._try_step(mu_floor):
                return True
            self._newton = NewtonSystem(self.payoff, False)
        return self._try_step(mu_floor)

    def _try_step(self, mu_floor: float) -> bool:
        p, s = self.p, self.s
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            self.n_factorizations += 1
            if not self._newton.factorize(s / p):
                return False
            dp, ds, dtheta, length = direction(self._newton, p, s, self.mu, mu_floor)
            p = p + length * dp
            p /= p.sum()
            # s and theta follow from p, so that rounding and inexact solves never leave the feasible set;
            # only the centrality suffers, and the next step repairs that.
            payoffs = gains(self.payoff, p)
            theta = self.theta + length * dtheta
            s = theta - payoffs
        if not (length > 1e-4 and np.minimum.reduce(p) > 0.0 and np.minimum.reduce(s) > 0.0):
            return False
        if self._newton.single and not np.all(np.abs(s - self.s - length * ds) <= 0.5 * s):
            return False
        self.p, self.s, self.theta = p, s, theta
        self.n_steps += 1
        self._keep(_Candidate(p, 2.0 * float(payoffs.max()), False))
        return True

    def propose_vertex(self) -> None:
        """Propose a response that no other beats: it is optimal on its own."""
        worst = self.payoff.max(axis=0)
        i = int(worst.argmin())
        if worst[i] <= 0.0:
            vertex = np.zeros(len(self.p))
            vertex[i] = 1.0
            self._keep(_Candidate(vertex, 0.0, True))

    def propose_polished(self, support: BoolArray) -> None:
        """Solve the equations of `support` and keep the point if it is the best so far."""
        self.propose(polish(self.payoff, self.p, np.flatnonzero(support)))

    def propose(self, p: FloatArray | None) -> None:
        """Keep the solution of some equations, if there is one, where it is the best so far."""
        if p is not None:
            self._keep(_Candidate(p, 2.0 * float(gains(self.payoff, p).max()), True))

    def _keep(self, candidate: _Candidate) -> None:
        # Below rounding level gaps mean nothing; there the exact zeros of a polished point decide.
        if candidate.gap <= max(self.best.gap, ROUNDING if candidate.polished else 0.0):
            self.best = candidate


def polish(payoff: FloatArray, p: FloatArray, support: IntArray) -> FloatArray | None:
    """Return the solution of A_SS x = 0, 1'x = 1 near p, completed by zeros, or None if it is not a policy.

    A_SS may have a kernel of several dimensions. The proximal point iteration (delta W - A_SS)(x_new - x) =
    A_SS x converges to a solution all the same, and contracts by delta / |smallest nonzero eigenvalue|; the
    weights W = 1/p^2 of the central path keep small entries positive.
    """
    if support.size == 0:
        return None
    x = p[support] / p[support].sum()
    sub = block(payoff, support, support)
    newton = NewtonSystem(sub, False)
    weights = np.minimum((x.mean() / x) ** 2, 1e6)
    if not newton.factorize(1e-9 * weights):
        return None
    theta = 0.0
    best, best_residual = x, np.inf
    for _ in range(6):
        residual = gains(sub, x) - theta
        size = float(np.abs(residual).max())
        if not size < 0.5 * best_residual:
            break
        best, best_residual = x, size
        dx, dtheta = newton.solve(residual)
        x = x + dx
        x /= x.sum()
        theta += dtheta
    return _as_policy(best, support, len(p))


def _as_policy(x: FloatArray, indices: IntArray, n: int) -> FloatArray | None:
    """Return x at `indices` of a policy over n, or None if an entry is negative by more than rounding."""
    if not x.min() >= -1e-13:
        return None
    p = np.zeros(n)
    p[indices] = np.maximum(x, 0.0)
    p /= p.sum()
    return p


def largest_payoff(payoff: FloatArray) -> float:
    """Return the largest entry, after refusing what is not a finite skew-symmetric matrix."""
    if payoff.ndim != 2 or payoff.shape[0] != payoff.shape[1] or payoff.shape[0] == 0:
        raise InputError(f"payoff must be a non-empty square matrix; its shape is {payoff.shape}")
    largest = float(payoff.max())
    # (A + A') x = 0 for every x if A is skew; one generic x shows any other matrix at the price of two
    # products. NaN and infinity fail the comparison.
    probe = np.cos(np.arange(1.0, len(payoff) + 1.0))
    with np.errstate(invalid="ignore"):
        defect = float(np.abs(payoff @ probe + probe @ payoff).max())
    if not (largest >= 0.0 and defect <= 1e-12 * len(payoff) * max(largest, np.finfo(float).tiny)):
        raise InputError("payoff must be finite and skew-symmetric (payoff = -payoff.T); for win rates P pass P - P.T")
    return largest
