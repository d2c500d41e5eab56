"""The central path of a low-rank zero-sum game: the iterate, a step along the path, and the best policy so far.

The slacks are computed anew from the policy after each step, so that rounding never leaves the feasible set: it costs
centrality only, and the next step repairs that. Where the small equations lose too many digits, as large and small p/s
meet in H, their residual is solved for as well; where that does not help, H is made in a better basis
(low_rank_equations.py).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._types import BoolArray, FloatArray
from .low_rank_equations import Direction, SmallEquations, TurnedEquations, corrected_direction
from .low_rank_factors import Factors

_SHORTEST = 1e-4
"""Length of a step, as a share of the whole, below which the method has come to its end."""

_REFINEMENTS = 3
"""How often the residual of the small equations is solved for at most."""

_FEW, _SHARE = 200, 100
"""How many of a player's responses join the game of few at a time: 200, or one in a hundred if that is more."""

_OUTSIDE = 0.1
"""What p/s, over what is typical, is at most for a response that is not played."""


class _Iterate(NamedTuple):
    p: FloatArray
    s: FloatArray
    theta: FloatArray
    gap: float


class LowRankPath:
    """The iterate, and the best policy so far; its gap is in units of the largest payoff."""

    def __init__(self, factors: Factors) -> None:
        self.factors = factors
        self.p = np.concatenate([np.full(len(part), 1.0 / len(part)) for part in factors.parts])
        payoffs = self._payoffs(self.p)
        self.best, self.gap, self.n_steps = self.p, self._gap(payoffs), 0
        self._system: type[SmallEquations] = SmallEquations
        # The smallest theta for which all products p_i s_i have one mean for both players and are at least 0.3 of it.
        means = np.array([float(payoffs[rows].mean()) for rows in factors.rows])
        spreads = np.array([float(payoffs[rows].max()) for rows in factors.rows]) - means
        sizes = np.array([len(part) for part in factors.parts])
        mu = max(float((spreads / sizes).max()) / 0.7, 1e-6 / factors.n)
        self.theta = means + sizes * mu
        self.s = self._of_players(self.theta) - payoffs

    @property
    def n_products(self) -> int:
        """Passes over the factors, two of which cost as much as a product with the payoff."""
        return round(self.factors.n_passes / 2.0)

    def _payoffs(self, p: FloatArray) -> FloatArray:
        small = self.factors.gather(p)
        small[self.factors.rank :] = 0.0
        return self.factors.spread(self.factors.payoffs_to(small))

    def _of_players(self, values: FloatArray) -> FloatArray:
        return np.repeat(values, [len(part) for part in self.factors.parts])

    def _gap(self, payoffs: FloatArray) -> float:
        # A policy earns nothing against itself, so its regret is what the best reply earns.
        total = sum(float(payoffs[rows].max()) for rows in self.factors.rows)
        return 2.0 * total if self.factors.n_players == 1 else total

    def step(self) -> bool:
        """Take one step; False if none is possible."""
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            taken = self._tried()
            if taken is None and self._system is SmallEquations:
                self._system = TurnedEquations
                taken = self._tried()
        if taken is None:
            return False
        self.p, self.s, self.theta = taken.p, taken.s, taken.theta
        self.n_steps += 1
        if taken.gap < self.gap:
            self.best, self.gap = taken.p, taken.gap
        return True

    def _tried(self) -> _Iterate | None:
        """Return the next point; None if it is not inside, or if the equations lost too many digits."""
        system = self._system(self.factors, self.p, self.s)
        direction = corrected_direction(system)
        taken = self._at(direction)
        for _ in range(_REFINEMENTS):
            if taken is not None and _is_consistent(self.s, taken.s, direction):
                return taken
            direction = system.refined(direction)
            taken = self._at(direction)
        # The better equations are the last resort: a point inside will do, as the next step makes up for it.
        return taken if self._system is TurnedEquations else None

    def possible(self) -> BoolArray:
        """Return who may be played: not those whose p is small beside what is typical, and s large."""
        result = np.empty(self.factors.n, dtype=bool)
        for rows in self.factors.rows:
            p, s = self.p[rows], self.s[rows]
            share = float(s @ s) / (float(s.sum()) * float(p @ p))
            result[rows] = p * share > _OUTSIDE * s
        return result

    def likeliest(self) -> BoolArray:
        """Return some of each player's responses, those of the largest p/s."""
        ratio = self.p / self.s
        return self._largest(ratio, np.full(self.factors.n, True))

    def _largest(self, values: FloatArray, among: BoolArray) -> BoolArray:
        result = np.zeros(self.factors.n, dtype=bool)
        for rows in self.factors.rows:
            where = rows.start + np.flatnonzero(among[rows])
            count = max(_FEW, (rows.stop - rows.start) // _SHARE)
            if len(where) > count:
                where = where[np.argpartition(values[where], -count)[-count:]]
            result[where] = True
        return result

    def learn(self, kept: BoolArray, smaller: LowRankPath) -> tuple[float, BoolArray]:
        """Take over the answer to the game of some responses if it is the best policy so far.

        Returns its gap on this game, and some of those that beat it, the best.
        """
        policy = np.zeros(self.factors.n)
        found = smaller.without_traces()
        polished = smaller.polished(found)
        policy[kept] = found if polished is None else polished
        self.n_steps += smaller.n_steps
        self.factors.n_passes += smaller.factors.n_passes * smaller.factors.n / self.factors.n
        payoffs = self._payoffs(policy)
        gap = self._gap(payoffs)
        if gap < self.gap:
            self.best, self.gap = policy, gap
        earned = self._of_players(np.array([float(payoffs[rows] @ policy[rows]) for rows in self.factors.rows]))
        return gap, self._largest(payoffs, payoffs > earned)

    def without_traces(self) -> FloatArray:
        """Return the best policy without what is not played: a trace of p beside a large s."""
        if self.p is not self.best:
            return self.best
        p = self.p.copy()
        for rows in self.factors.rows:
            mine = p[rows]
            typical = float(mine @ mine)
            mine[mine < typical * self.s[rows]] = 0.0
            mine /= mine.sum()
        return p

    def polished(self, policy: FloatArray) -> FloatArray | None:
        """Return what solves the equations of those played, which are few; None where that is no policy.

        They all get the same, and their shares add up to 1. Of many solutions it is the one with the least relative
        change, which keeps small shares positive.
        """
        factors, played = self.factors, np.flatnonzero(policy)
        if len(played) > 2 * (factors.rank + factors.n_players):
            return None
        tall = np.zeros((len(played), factors.rank))
        owner = np.zeros((len(played), factors.n_players))
        for player, (part, rows, columns) in enumerate(zip(factors.parts, factors.rows, factors.columns, strict=True)):
            mine = (played >= rows.start) & (played < rows.stop)
            tall[mine, columns] = part[played[mine] - rows.start]
            owner[mine, player] = 1.0
        payoff, shares = tall @ factors.core @ tall.T, policy[played]
        corner = np.zeros((factors.n_players,) * 2)
        for _ in range(2):
            matrix = np.block([[payoff * shares, -owner], [owner.T * shares, corner]])
            right = np.concatenate([-payoff @ shares, 1.0 - owner.T @ shares])
            shares = shares * (1.0 + np.linalg.lstsq(matrix, right, rcond=None)[0][: len(played)])
        if not shares.min() >= 0.0:
            return None
        found = np.zeros(factors.n)
        found[played] = shares / (owner @ (owner.T @ shares))
        return found

    def _at(self, direction: Direction) -> _Iterate | None:
        """Return the point along the direction, the slacks from the policy; None if it is not inside."""
        length = 0.995 * direction.longest
        p = 1.0 + length * direction.dp
        p *= self.p
        for rows in self.factors.rows:
            p[rows] /= p[rows].sum()
        payoffs = self._payoffs(p)
        theta = self.theta - length * direction.small[self.factors.rank :]
        s = self._of_players(theta) - payoffs
        if not (length > _SHORTEST and p.min() > 0.0 and s.min() > 0.0):
            return None
        return _Iterate(p, s, theta, self._gap(payoffs))


def _is_consistent(before: FloatArray, after: FloatArray, direction: Direction) -> bool:
    """Return whether the slacks are about what the direction foretold."""
    foretold = 1.0 + 0.995 * direction.longest * direction.ds
    return bool(np.all(np.abs(after - before * foretold) <= 0.5 * after))
