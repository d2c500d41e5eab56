"""What theorems speak about: constants of a problem and its exact equilibrium, found when first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ._types import FloatArray
from .methods._info import StepFacts
from .verbs import TabularProblem


@dataclass(frozen=True, eq=False)
class Facts:
    """A problem as a step sees it, with the constants of its theorems.

    Attributes
    ----------
    problem : TabularProblem
        The problem, without responses that the reference rules out.
    horizon : int
        Number of steps of the run.
    """

    problem: TabularProblem
    horizon: int

    @property
    def temperature(self) -> float:
        """KL weight, beta."""
        return float(self.problem.temperature)

    @property
    def payoff(self) -> FloatArray:
        """Skew payoff matrix A."""
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
        return float(np.abs(self.payoff).max())

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
        return StepFacts(self.payoff_bound, self.temperature, self.spread, self.horizon)

    @cached_property
    def log_equilibrium(self) -> FloatArray | None:
        """Logarithm of the equilibrium; -inf where it plays nothing; None when it is not unique."""
        if self.temperature > 0.0:
            return self.regularized_equilibrium(self.temperature)
        from .exact.simplex import solve_symmetric
        from .exact.solution_set import solution_set

        solved = solve_symmetric(self.payoff)
        if solution_set(self.payoff, solved.row).unique is not True:
            return None
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(np.where(solved.row > 1e-12, solved.row, 0.0)))

    def regularized_equilibrium(self, temperature: float, log_reference: FloatArray | None = None) -> FloatArray:
        """Return the logarithm of the KL-regularised equilibrium at another temperature or anchor."""
        from .exact.regularized import regularized

        anchor = self.log_reference if log_reference is None else log_reference
        solved = regularized(self.payoff, temperature, anchor, tol=1e-12)
        return self.log_reply(solved.policy, temperature, anchor)

    def log_reply(self, policy: FloatArray, temperature: float, log_reference: FloatArray | None = None) -> FloatArray:
        """Return the logarithm of the regularised best reply to a policy."""
        anchor = self.log_reference if log_reference is None else log_reference
        logits = anchor + self.payoff @ policy / temperature
        shifted = logits - logits.max()
        return np.asarray(shifted - np.log(np.exp(shifted).sum()))

    @cached_property
    def is_interior(self) -> bool:
        """Whether the equilibrium is unique and plays every response."""
        return self.log_equilibrium is not None and bool(np.isfinite(self.log_equilibrium).all())

    @cached_property
    def frequencies(self) -> FloatArray:
        """Imaginary parts ``w >= 0`` of the spectrum of ``A (diag pi - pi pi')`` at the equilibrium."""
        assert self.log_equilibrium is not None
        policy = np.exp(self.log_equilibrium)
        spectrum = np.linalg.eigvals(self.payoff @ (np.diag(policy) - np.outer(policy, policy)))
        return np.unique(np.abs(spectrum.imag).round(14))

    @cached_property
    def condorcet_margin(self) -> float:
        """Smallest payoff of the Condorcet winner against another response; 0 when there is none."""
        others = self.payoff + np.diag(np.full(self.n, np.inf))
        return max(0.0, float(others.min(axis=1).max())) if self.n > 1 else 0.0
