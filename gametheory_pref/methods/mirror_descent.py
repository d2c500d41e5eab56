"""Mirror descent with an anchor: INPO, online IPO, magnetic mirror descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..verbs import Generator, Point, Schedule, TabularProblem, blend, field, mirror, step_size_at
from ._info import (
    REGULARIZED,
    Bound,
    Contraction,
    LocalRate,
    MethodInfo,
    StepFacts,
    StepSize,
    anchored_log_factor,
    exact_payoffs,
    first_reason,
    method,
    mirror_descent_cap,
    warm,
    within,
)
from ._theory import constant_step, contraction_gap, one_policy, same_step, starts_at_reference

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts


def inpo_last_step(facts: StepFacts) -> Schedule:
    r"""Return the steps of INPO's theorem on the last iterate, :math:`\eta_t = 2/(\beta(t+2))`."""
    return Schedule(2.0 / facts.temperature, 2.0, 1.0)


def inpo_average_step(facts: StepFacts) -> Schedule:
    r"""Return the step of INPO's theorem on the average, :math:`\sqrt{D/T}/\max(2a, 1)`, at most :math:`1/\beta`."""
    step = np.sqrt(facts.spread / facts.horizon) / np.maximum(2.0 * facts.payoff_bound, 1.0)
    return Schedule(np.minimum(step, 1.0 / facts.temperature))


def _within_cap(rule: Any, facts: Facts) -> str | None:
    largest = float(mirror_descent_cap(facts.step_facts).scale)
    cap = within(rule.step_size, largest, "beta / (beta^2 + a^2)")
    return first_reason(warm(facts), exact_payoffs(facts), cap)


def _gap_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(one_policy(facts), _within_cap(rule, facts))


def _local_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(warm(facts), exact_payoffs(facts), constant_step(rule))


def _local_factor(rule: Any, facts: Facts) -> float:
    eta = rule.step_size.scale
    k, w = 1.0 - eta * facts.temperature, facts.frequencies
    return float((k**2 + (eta * w) ** 2).max())


def _log_ratio_constant(facts: Facts) -> float:
    r"""Return INPO's :math:`\max(B\beta, 1)`: log-ratios to the reference stay within :math:`B = 2a/\beta`."""
    return max(2.0 * facts.payoff_bound, 1.0)


def _last_hypotheses(rule: Any, facts: Facts) -> str | None:
    reason = first_reason(warm(facts), exact_payoffs(facts), one_policy(facts), starts_at_reference(facts))
    if reason is not None:
        return reason
    return same_step(rule, 2.0 / facts.temperature, "2 / (beta (t + 2))", offset=2.0, power=1.0)


def _last_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    bound = 32.0 * _log_ratio_constant(facts) ** 2 / (facts.temperature**2 * (steps + 1.0))
    return np.asarray(np.where(steps > 0, bound, np.inf))


def _average_hypotheses(rule: Any, facts: Facts) -> str | None:
    reason = first_reason(warm(facts), exact_payoffs(facts), one_policy(facts), starts_at_reference(facts))
    return reason or constant_step(rule)


def _average_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    eta, width = rule.step_size.scale, 2.0 * facts.payoff_bound
    with np.errstate(divide="ignore"):
        return np.asarray(2.0 * (facts.spread / (eta * steps) + eta * (4.0 * width**2 + 1.0)))


class State(NamedTuple):
    """The current policy and the number of steps taken."""

    x: Point
    t: int


@method(
    MethodInfo(
        name="mirror_descent",
        title="Mirror descent (INPO, MMD)",
        solves=REGULARIZED,
        payoff_calls=1,
        answer="last",
        step_sizes={"largest": mirror_descent_cap, "inpo_last": inpo_last_step, "inpo_average": inpo_average_step},
        cite=("zhang2025inpo", "sokota2023unified", "calandriello2024human", "shani2024multiturn"),
        trust="theory",
        side_by_side=True,
        aliases=("inpo", "mmd", "online_ipo"),
        guarantees=(
            Contraction(
                name="mirror-descent-contraction",
                statement="KL(pi* || pi_{t+1}) <= (1 - eta beta) KL(pi* || pi_t)  if  eta <= beta / (beta^2 + a^2)",
                source="docs/theory.md, mirror descent",
                of="last",
                hypotheses=_within_cap,
                log_factor=anchored_log_factor,
            ),
            Bound(
                name="mirror-descent-gap",
                statement="gap(pi_t) <= (2 beta + 2 a^2/beta) rho(B) (1 - eta beta)^t KL(pi* || pi_0)",
                source="docs/theory.md, from divergence to gap",
                of="last",
                hypotheses=_gap_hypotheses,
                quantity="gap",
                bound=contraction_gap,
            ),
            LocalRate(
                name="mirror-descent-local-rate",
                statement="KL falls by max_w |k + i eta w|^2 per step near pi*, k = 1 - eta beta",
                source="docs/theory.md, spectrum at the equilibrium",
                of="last",
                hypotheses=_local_hypotheses,
                factor=_local_factor,
            ),
            Bound(
                name="inpo-theorem-4",
                statement="KL(pi* || pi_T) <= 32 max(B beta, 1)^2 / (beta^2 (T + 1))  if  eta_t = 2 / (beta (t + 2))",
                source="Zhang et al. 2025 (INPO), Theorem 4, with B = 2 a / beta from docs/theory.md",
                of="last",
                hypotheses=_last_hypotheses,
                quantity="kl",
                bound=_last_bound,
            ),
            Bound(
                name="inpo-theorem-3",
                statement="gap(average) <= 2 (D / (eta T) + eta (4 beta^2 B^2 + 1))",
                source="Zhang et al. 2025 (INPO), Theorem 3 and its proof, with B = 2 a / beta from docs/theory.md",
                of="average",
                hypotheses=_average_hypotheses,
                quantity="gap",
                bound=_average_bound,
            ),
        ),
    )
)
class MirrorDescent(NamedTuple):
    r"""Step with the payoff against the current policy, from a base that leans towards the reference.

    .. math::
        \pi_{t+1} \propto \pi_t^{1-\eta\beta}\, \mu^{\eta\beta} \exp(\eta A \pi_t)

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`; "largest" is the largest step with the linear rate, :math:`\beta/(\beta^2+a^2)`; "inpo_last" and
        "inpo_average" are those of INPO's two theorems.

    Notes
    -----
    Symbols of the papers. INPO and COMAL: :math:`\eta` is the inverse of the step here, :math:`\tau` the temperature.
    MMD: with magnet weight :math:`\alpha` and step :math:`\eta_M` its implicit step is
    :math:`\eta = \eta_M/(1+\eta_M\alpha)`, :math:`\beta = \alpha`. Online IPO: :math:`\tau` is the temperature, and
    the exact gradient on logits with learning rate :math:`\alpha` over n responses is :math:`\eta = 4\alpha/(\tau n)`.
    MTPO: the same step and temperature. At temperature 0 the update is `MultiplicativeWeights`.

    Beyond :math:`\eta = 2\beta/(\beta^2+w^2)`, w the largest rate of rotation at the equilibrium, the iterates settle
    on a cycle around it.

    References
    ----------
    zhang2025inpo, sokota2023unified, calandriello2024human, shani2024multiturn.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> solution = gp.solve(game, "mirror_descent", temperature=0.1, start=[0.5, 0.3, 0.2], tol=1e-12)
    >>> solution.policy.round(4), solution.n_steps > 100
    (array([0.3371, 0.2835, 0.3794]), True)
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
        new = mirror(problem, base, field(problem, state.x, rng), eta)
        return State(x=new, t=state.t + 1)
