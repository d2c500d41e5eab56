"""What theorems may ask about an inclusion that a method ran on; the counterpart of `gametheory_pref.facts`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..methods._info import StepFacts, step_facts
from ..verbs import TabularProblem
from .operators import sampled_cocoercivity
from .statement import Inclusion


@dataclass(frozen=True, eq=False)
class InclusionFacts:
    """An inclusion as a step sees it, with the constants of its theorems.

    Attributes
    ----------
    inclusion : Inclusion
    problem : TabularProblem
        The same on flat arrays.
    horizon : int
        Number of steps planned.
    """

    inclusion: Inclusion
    problem: TabularProblem
    horizon: int
    temperature: float = 0.0
    is_exact: bool = True
    log_equilibrium: None = None

    @property
    def norm(self) -> float:
        """Lipschitz constant L: known, or the one that follows from cocoercivity; NaN where neither is known."""
        if self.inclusion.lipschitz is not None:
            return self.inclusion.lipschitz
        return 1.0 / self.inclusion.cocoercivity if self.inclusion.cocoercivity else np.nan

    @property
    def payoff_bound(self) -> float:
        """Scale of values of the operator, for rounding: L times the largest entry met at the start, or 1."""
        scale = self.inclusion.lipschitz if self.inclusion.lipschitz is not None else 1.0
        return scale * max(1.0, float(abs(self.inclusion.start).max()))

    @property
    def is_constrained(self) -> bool:
        """Whether z is confined to simplices."""
        return self.inclusion.is_constrained

    @property
    def distance(self) -> float | None:
        """Distance from the start to the closest solution, D; None if it is not known."""
        return self.inclusion.distance

    @property
    def step_facts(self) -> StepFacts:
        """What step-size rules may use."""
        facts = step_facts(self.payoff_bound, 0.0, 1.0, self.horizon, 0.0, lambda: self.norm)
        return facts._replace(
            cocoercivity=self.inclusion.cocoercivity,
            is_constrained=self.inclusion.is_constrained,
            n_terms=self.inclusion.n_terms,
            mean_norm=self.inclusion.mean_lipschitz,
            mean_cocoercivity=self.inclusion.mean_cocoercivity,
            sampled_cocoercivity=lambda: sampled_cocoercivity(self.inclusion.operator, self.inclusion.start),
        )
