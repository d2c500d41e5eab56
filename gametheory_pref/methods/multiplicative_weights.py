"""Multiplicative weights against oneself: Hedge, self-play preference optimisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..verbs import Generator, Point, Schedule, TabularProblem, field, mirror, step_size_at
from ._info import (
    MINIMAX,
    Bound,
    Contraction,
    MethodInfo,
    StepFacts,
    StepSize,
    cold,
    exact_payoffs,
    first_reason,
    method,
)

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts


class State(NamedTuple):
    """The current policy and the number of steps taken."""

    x: Point
    t: int


def horizon_step(facts: StepFacts) -> Schedule:
    r"""Return the step that minimises the bound at the horizon, :math:`\sqrt{2 D / T} / a`."""
    return Schedule(np.sqrt(2.0 * facts.spread / facts.horizon) / facts.payoff_bound)


def _average_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    eta, a = rule.step_size.scale, facts.payoff_bound
    with np.errstate(divide="ignore"):
        return np.asarray(2.0 * facts.spread / (eta * steps) + eta * a**2)


def _constant_step(rule: Any, facts: Facts) -> str | None:
    schedule = "the step size changes; the theorem is about a constant one" if rule.step_size.power != 0.0 else None
    return first_reason(cold(facts), exact_payoffs(facts), schedule)


def _interior(rule: Any, facts: Facts) -> str | None:
    inside = None if facts.is_interior else "the equilibrium is not unique, or does not play every response"
    return first_reason(cold(facts), exact_payoffs(facts), inside)


@method(
    MethodInfo(
        name="multiplicative_weights",
        title="Multiplicative weights (SPO)",
        solves=MINIMAX,
        payoff_calls=1,
        answer="average",
        step_sizes={"horizon": horizon_step},
        cite=("freund1999adaptive", "swamy2024minimaximalist"),
        trust="theory",
        aliases=("spo", "hedge"),
        guarantees=(
            Bound(
                name="multiplicative-weights-average",
                statement="gap(average) <= 2 D / (eta T) + eta a^2",
                source="docs/theory.md, multiplicative weights; Freund and Schapire 1999",
                of="average",
                hypotheses=_constant_step,
                quantity="gap",
                bound=_average_bound,
            ),
            Contraction(
                name="multiplicative-weights-spiral",
                statement="KL(pi* || pi_t) never falls when the only equilibrium plays every response",
                source="docs/theory.md, multiplicative weights",
                of="last",
                hypotheses=_interior,
                log_factor=lambda rule, facts, steps: np.zeros(len(steps)),
                grows=True,
            ),
        ),
    )
)
class MultiplicativeWeights(NamedTuple):
    r"""Multiply every probability by the exponential of how well the response does against the current policy.

    .. math::
        \pi_{t+1} \propto \pi_t \exp(\eta A \pi_t)

    The answer is the average of :math:`\pi_0, \dots, \pi_{T-1}`; in a cyclic game the last iterate spirals outwards.

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`; "horizon" minimises the bound after ``max_steps`` steps.
    """

    step_size: StepSize = "horizon"

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        return State(x=problem.start, t=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        eta = step_size_at(self.step_size, state.t)
        return State(x=mirror(problem, state.x, field(problem, state.x, rng), eta), t=state.t + 1)
