"""Extragradient preference optimisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..verbs import Generator, Point, TabularProblem, blend, field, mirror, step_size_at
from ._info import (
    BOTH,
    Contraction,
    LocalRate,
    MethodInfo,
    StepSize,
    anchored_log_factor,
    exact_payoffs,
    extragradient_cap,
    first_reason,
    method,
    warm,
    within,
)

if TYPE_CHECKING:
    from ..facts import Facts


def _within_cap(rule: Any, facts: Facts) -> str | None:
    largest = float(extragradient_cap(facts.step_facts).scale)
    return first_reason(within(rule.step_size, largest, "2 / (beta + sqrt(beta^2 + 4 a^2))"), exact_payoffs(facts))


def _local_factor(rule: Any, facts: Facts) -> float:
    eta = rule.step_size.scale
    k, w = 1.0 - eta * facts.temperature, facts.frequencies
    return float((np.abs(k + 1j * eta * w * (k + 1j * eta * w)) ** 2).max())


class State(NamedTuple):
    """The current policy and the number of steps taken."""

    x: Point
    t: int


@method(
    MethodInfo(
        name="extragradient",
        title="Extragradient (EGPO)",
        solves=BOTH,
        payoff_calls=2,
        answer="last",
        step_sizes={"largest": extragradient_cap},
        cite=("zhou2025extragradient", "korpelevich1976extragradient"),
        trust="paper numbers",
        aliases=("egpo",),
        guarantees=(
            Contraction(
                name="extragradient-contraction",
                statement="KL(pi* || pi_{t+1}) <= (1 - eta beta) KL(pi* || pi_t)  if  lambda (lambda + beta) >= a^2",
                source="docs/theory.md, extragradient; the linear rate of Zhou et al. 2025 with constants",
                of="last",
                hypotheses=_within_cap,
                log_factor=anchored_log_factor,
            ),
            LocalRate(
                name="extragradient-local-rate",
                statement="KL falls by max_w |k + i eta w (k + i eta w)|^2 per step near pi*, k = 1 - eta beta",
                source="docs/theory.md, spectrum at the equilibrium",
                of="last",
                hypotheses=lambda rule, facts: first_reason(warm(facts), exact_payoffs(facts)),
                factor=_local_factor,
            ),
        ),
    )
)
class Extragradient(NamedTuple):
    r"""Look ahead with the current payoff, then step from the same base with the payoff found there.

    .. math::
        b_t \propto \pi_t^{1-\eta\beta}\, \mu^{\eta\beta}, \qquad
        \pi_{t+1/2} \propto b_t \exp(\eta A \pi_t), \qquad
        \pi_{t+1} \propto b_t \exp(\eta A \pi_{t+1/2})

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`; "largest" is the largest step with the linear rate, and ``1 / a`` at temperature 0.
    """

    step_size: StepSize = "largest"

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        return State(x=problem.start, t=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        half = mirror(problem, base, field(problem, state.x, rng), eta)
        new = mirror(problem, base, field(problem, half, rng), eta)
        return State(x=new, t=state.t + 1)
