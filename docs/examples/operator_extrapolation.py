"""Operator extrapolation: the payoff, plus the share of its last change that the anchor keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gametheory_pref.methods import (
    BOTH,
    Bound,
    LocalRate,
    MethodInfo,
    StepFacts,
    StepSize,
    constant_step,
    exact_payoffs,
    first_reason,
    isolated,
    method,
    spectral_radius,
    start_divergence,
    unique_equilibrium,
    within,
)
from gametheory_pref.verbs import (
    Direction,
    Generator,
    Point,
    Schedule,
    TabularProblem,
    blend,
    combine,
    field,
    mirror,
    no_direction,
    step_size_at,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gametheory_pref.facts import Facts


def largest_step(facts: StepFacts) -> Schedule:
    r"""Return the largest step with :math:`\lambda(\lambda+\beta) \ge a(2\lambda+\beta)`."""
    a, beta = facts.payoff_bound, facts.temperature
    return Schedule(2.0 / (2.0 * a + beta + np.sqrt(4.0 * a**2 + beta**2)))


def _bound_applies(rule: Any, facts: Facts) -> str | None:
    cap = within(rule.step_size, float(largest_step(facts.step_facts).scale), "2 / (2 a + beta + sqrt(4 a^2 + beta^2))")
    return first_reason(exact_payoffs(facts), constant_step(rule), cap, unique_equilibrium(facts))


def _bound(rule: Any, facts: Facts, steps: NDArray[np.int64]) -> NDArray[np.float64]:
    eta = rule.step_size.scale
    shrunk = np.exp(steps * np.log1p(-eta * facts.temperature))
    return np.asarray(shrunk * start_divergence(facts) / (1.0 - eta * facts.payoff_bound))


def _local_rate_applies(rule: Any, facts: Facts) -> str | None:
    return first_reason(exact_payoffs(facts), constant_step(rule), isolated(facts))


def _local_factor(rule: Any, facts: Facts) -> float:
    eta = rule.step_size.scale
    k, turn = 1.0 - eta * facts.temperature, 1j * eta * facts.frequencies
    return spectral_radius(k + (1.0 + k) * turn, k * turn) ** 2


class State(NamedTuple):
    """The current policy, the payoff met before it, and the number of steps taken."""

    x: Point
    payoff: Direction
    t: int


@method(
    MethodInfo(
        name="operator_extrapolation",
        title="Operator extrapolation",
        solves=BOTH,
        payoff_calls=1,
        answer="last",
        step_sizes={"largest": largest_step},
        cite=("kotsalis2022simple",),
        trust="theory",
        guarantees=(
            Bound(
                name="operator-extrapolation-divergence",
                statement="KL(pi* || pi_t) <= (1 - eta beta)^t KL(pi* || pi_0) / (1 - eta a)  "
                "if  lambda (lambda + beta) >= a (2 lambda + beta)",
                source="docs/theory.md, operator extrapolation; Kotsalis, Lan and Li 2022 in Euclidean distance",
                of="last",
                hypotheses=_bound_applies,
                quantity="kl",
                bound=_bound,
            ),
            LocalRate(
                name="operator-extrapolation-local-rate",
                statement="KL falls by max_w max|z|^2 per step near pi*, z^2 - (k + (1 + k) i eta w) z + k i eta w = 0",
                source="docs/theory.md, spectrum at the equilibrium",
                of="last",
                hypotheses=_local_rate_applies,
                factor=_local_factor,
            ),
        ),
    )
)
class OperatorExtrapolation(NamedTuple):
    r"""Anchored step with the payoff extrapolated by the factor that the anchor leaves of the old policy.

    .. math::
        \pi_{t+1} \propto \pi_t^{k}\, \mu^{1-k} \exp\bigl(\eta A (\pi_t + k(\pi_t - \pi_{t-1}))\bigr), \qquad
        k = 1-\eta\beta, \quad \pi_{-1} = \pi_0

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`; "largest" is the largest step with the rate below, :math:`1/(2a)` at temperature 0.

    Notes
    -----
    Between mirror descent (no extrapolation) and the forward-reflected step (all of it): with just k, a potential like
    that of the latter falls by the full factor :math:`1-\eta\beta` a step; :math:`\lambda=1/\eta-\beta`.

    References
    ----------
    kotsalis2022simple.
    """

    step_size: StepSize = "largest"

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        return State(x=problem.start, payoff=no_direction(problem), t=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        payoff = field(problem, state.x, rng)
        # Before the first step nothing has changed.
        more = 1.0 - pull if state.t > 0 else 0.0
        extrapolated = combine(problem, (payoff, state.payoff), (1.0 + more, -more))
        new = mirror(problem, blend(problem, (state.x, problem.reference), (1.0 - pull, pull)), extrapolated, eta)
        return State(x=new, payoff=payoff, t=state.t + 1)
