"""What theorems speak about: constants of a problem and its exact equilibrium, found when first asked for."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ._types import FloatArray
from .methods._info import StepFacts, step_facts
from .operators import Dense, PayoffOperator
from .verbs import TabularProblem, mean_norm, term_count, terms_drawn

# Responses above which the interior point is faster than pivoting.
_SIMPLEX_LIMIT = 100
# Responses above which a few products tell the norm well enough, where all singular values would take far longer.
_SMALL_NORM = 300


@dataclass(frozen=True, eq=False)
class Facts:
    """A problem as a step sees it, with the constants of its theorems.

    Attributes
    ----------
    problem : TabularProblem
        The problem, without responses that the reference rules out.
    horizon : int
        Number of steps of the run.
    only_frequency : float or None
        What `frequencies` holds, in place of all.
    """

    problem: TabularProblem
    horizon: int
    only_frequency: float | None = None

    @property
    def temperature(self) -> float:
        """KL weight, beta."""
        return float(self.problem.temperature)

    @property
    def payoff(self) -> Any:
        """Skew payoff matrix A, or what multiplies like it."""
        return self.problem.payoff

    @property
    def n(self) -> int:
        """Number of responses."""
        return int(self.payoff.shape[0])

    @property
    def is_symmetric(self) -> bool:
        """Whether one policy plays against itself (a preference game)."""
        return self.problem.blocks.size == 2

    @property
    def is_exact(self) -> bool:
        """Whether the rule sees exact payoffs."""
        return not hasattr(self.problem.oracle, "opponents")

    @cached_property
    def payoff_bound(self) -> float:
        """``a = max |A|``."""
        if isinstance(self.payoff, PayoffOperator):
            return self.payoff.largest()
        return float(np.abs(self.payoff).max())

    @cached_property
    def norm(self) -> float:
        """``L = |A|_2``, the largest singular value."""
        if isinstance(self.payoff, PayoffOperator):
            return self.payoff.norm
        if self.n > _SMALL_NORM:
            return Dense(self.payoff, is_skew=True).norm
        return float(np.linalg.norm(self.payoff, 2))

    @cached_property
    def mean_norm(self) -> float:
        """Lipschitz constant of the payoff as a mean of terms: the Frobenius norm for columns of a table."""
        return mean_norm(self.problem)

    @property
    def n_terms(self) -> int:
        """How many terms a payoff product has."""
        return int(term_count(self.problem))

    @property
    def draws(self) -> float:
        """How many draws of terms make up a payoff product, N: one takes a column for each player, or one term."""
        return self.n_terms / terms_drawn(self.problem)

    @property
    def variance_reduction(self) -> float:
        r"""By how much fewer products variance-reduced methods take, about :math:`\|A\|_2 \sqrt{N/2} / \|A\|_F`.

        Up to ``sqrt(N / 2)`` for payoffs of rank 1, whose columns tell the same. For noise it is about 1.4, and
        extragradient is better.
        """
        return self.norm * float(np.sqrt(self.draws / 2.0)) / self.mean_norm

    @cached_property
    def spread(self) -> float:
        """``D = max_i log(1 / start_i)``."""
        return float(-self.problem.start.log.min())

    @property
    def log_reference(self) -> FloatArray:
        """Logarithm of the anchor."""
        return self.problem.reference.log

    @property
    def step_facts(self) -> StepFacts:
        """What step-size rules may use."""
        return step_facts(
            self.payoff_bound, self.temperature, self.spread, self.horizon, self.condorcet_margin, lambda: self.norm
        )._replace(mean_norm=lambda: self.mean_norm, n_terms=self.draws)

    @cached_property
    def log_equilibrium(self) -> FloatArray | None:
        """Logarithm of the equilibrium; -inf where it plays nothing; None when it is not unique."""
        if isinstance(self.payoff, PayoffOperator):
            return None
        if self.temperature > 0.0:
            return self.regularized_equilibrium(self.temperature)
        policy = self._minimax_winner() if self.is_symmetric else self._maximin_pair()
        if policy is None:
            return None
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(np.where(policy > 1e-12, policy, 0.0)))

    def _minimax_winner(self) -> FloatArray | None:
        from .exact.interior_point import interior_point
        from .exact.simplex import solve_symmetric
        from .exact.solution_set import solution_set

        if self.n <= _SIMPLEX_LIMIT:
            policy = solve_symmetric(self.payoff).row
        else:
            policy = interior_point(self.payoff, tol=1e-12).policy
        return policy if solution_set(self.payoff, policy).unique is True else None

    def _maximin_pair(self) -> FloatArray | None:
        from .exact.simplex import solve_by_simplex
        from .exact.solution_set import optimal_strategies

        rows = int(self.problem.blocks[1])
        payoff = np.ascontiguousarray(self.payoff[:rows, rows:])
        solved = solve_by_simplex(payoff)
        sets = optimal_strategies(payoff, solved.value, solved.row, solved.column)
        return np.concatenate([solved.row, solved.column]) if all(found.unique is True for found in sets) else None

    @cached_property
    def equilibrium_error(self) -> float:
        r"""Bound on how far :math:`\log\pi^*` is off, in the norm of :math:`\mathrm{diag}(\pi^*)-\pi^*\pi^{*T}`.

        The derivative of the equation of a regularised equilibrium is the identity less a map that is skew in that
        norm, so that the error is at most the residual.
        """
        rounding = 64.0 * np.finfo(np.float64).eps
        if self.temperature == 0.0 or self.log_equilibrium is None:
            return float(rounding)
        residual = self.log_equilibrium - self.log_reply(np.exp(self.log_equilibrium), self.temperature)
        return float(rounding + np.abs(residual).max())

    def regularized_equilibrium(self, temperature: float, log_reference: FloatArray | None = None) -> FloatArray:
        """Return the logarithm of the KL-regularised equilibrium at another temperature or anchor."""
        from .exact.regularized import regularized

        anchor = self.log_reference if log_reference is None else log_reference
        blocks = None if self.is_symmetric else self.problem.blocks.tolist()
        return regularized(self.payoff, temperature, anchor, offsets=blocks, tol=1e-12).log_policy

    def log_reply(self, policy: FloatArray, temperature: float, log_reference: FloatArray | None = None) -> FloatArray:
        """Return the logarithm of the regularised best reply to a policy."""
        logits = (self.log_reference if log_reference is None else log_reference) + self.payoff @ policy / temperature
        for first, last in itertools.pairwise(self.problem.blocks):
            part = logits[first:last]
            part -= part.max()
            part -= np.log(np.exp(part).sum())
        return np.asarray(logits)

    def divergence_from(self, log_center: FloatArray, log_policies: FloatArray) -> FloatArray:
        """Return ``KL(center || policy)`` for every row of `log_policies`, summed over players.

        A sum of non-negative terms, so that small values keep their digits; where the center plays nothing a policy
        counts with its mass, which is what the missing mass on the others costs it.
        """
        played = np.isfinite(log_center)
        difference = log_center[played] - log_policies[:, played]
        inside = (difference + np.expm1(-difference)) @ np.exp(log_center[played])
        return np.asarray(inside + np.exp(log_policies[:, ~played]).sum(axis=1))

    def gaps(self, log_policies: FloatArray, temperature: float) -> FloatArray:
        """Return the duality gap of every row of `log_policies` at a temperature (0: of the game alone)."""
        if temperature > 0.0:
            regrets = np.array([self._regularized_regret(row, temperature) for row in log_policies])
        else:
            policies = np.exp(log_policies)
            payoffs = policies @ self.payoff.T
            best = np.maximum.reduceat(payoffs, self.problem.blocks[:-1], axis=1).sum(axis=1)
            # A policy's payoff against itself is 0 by skewness, and so is the sum over two players.
            regrets = np.maximum(best, 0.0)
        return 2.0 * regrets if self.is_symmetric else regrets

    def _regularized_regret(self, log_policy: FloatArray, temperature: float) -> float:
        policy = np.exp(log_policy)
        log_reply = self.log_reply(policy, temperature)
        played = policy > 0.0
        difference = log_policy[played] - log_reply[played]
        divergence = policy[played] @ (difference + np.expm1(-difference)) + np.exp(log_reply[~played]).sum()
        return temperature * float(divergence)

    @cached_property
    def is_interior(self) -> bool:
        """Whether the equilibrium is unique and plays every response."""
        return self.log_equilibrium is not None and bool(np.isfinite(self.log_equilibrium).all())

    @cached_property
    def frequencies(self) -> FloatArray:
        r"""Rates of rotation ``w >= 0`` about the equilibrium, rising.

        The spectrum of :math:`A (\mathrm{diag}(\pi^*) - \pi^* \pi^{*T})` on logits up to a constant per player is
        :math:`\pm i w`, because the map is similar to the skew one of which the eigenvalues are taken here.
        """
        if self.only_frequency is not None:
            return np.array([self.only_frequency])
        assert self.log_equilibrium is not None
        played = np.isfinite(self.log_equilibrium)
        root = np.exp(0.5 * self.log_equilibrium[played])
        players = np.repeat(np.arange(self.problem.blocks.size - 1), np.diff(self.problem.blocks))[played]
        means = np.where(players[:, None] == np.arange(players[-1] + 1), root[:, None], 0.0)
        # The columns after the first few of the full QR basis span what is orthogonal to the means.
        basis = np.linalg.qr(means, mode="complete")[0][:, means.shape[1]:]
        skew = basis.T @ (root[:, None] * self.payoff[np.ix_(played, played)] * root) @ basis
        if skew.size == 0:
            return np.zeros(0)
        return np.unique(np.abs(np.linalg.eigvalsh(1j * skew)).round(14))

    def at_frequency(self, frequency: float) -> Facts:
        """Return the facts of the same problem as if it rotated about its equilibrium at this rate only."""
        return replace(self, only_frequency=frequency)

    @cached_property
    def condorcet_margin(self) -> float:
        """Smallest payoff of the Condorcet winner against another response; 0 when there is none, or not known."""
        if isinstance(self.payoff, PayoffOperator):
            return 0.0
        return float(condorcet_margins(self.payoff[None])[0])


def condorcet_margins(payoff: FloatArray) -> FloatArray:
    """Return the margin of the Condorcet winner in each of many games, shape (games, n, n); 0 where there is none."""
    if payoff.shape[1] == 1:
        return np.zeros(len(payoff))
    # A response ties with itself, so one that beats all others has a lowest payoff of 0, and this one next to it.
    return np.asarray(np.maximum(np.partition(payoff, 1, axis=2)[:, :, 1].max(axis=1), 0.0))
