"""Optimistic mirror descent: the payoff met last is the forecast of the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..verbs import Generator, Point, Schedule, TabularProblem, blend, field, mirror, step_size_at
from ._info import (
    BOTH,
    Bound,
    Limit,
    LocalRate,
    MethodInfo,
    StepFacts,
    StepSize,
    Trial,
    cold,
    exact_payoffs,
    first_reason,
    method,
    warm,
    within,
)
from ._theory import (
    constant_step,
    isolated,
    one_policy,
    same_step,
    spectral_radius,
    start_divergence,
    starts_at_reference,
    unique_equilibrium,
)

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts


def optimistic_cap(facts: StepFacts) -> Schedule:
    r"""Return the largest step with the rate: :math:`\lambda(\lambda+\beta) \ge a(2\lambda+\beta+a)`."""
    a, beta = facts.payoff_bound, facts.temperature
    return Schedule(2.0 / (2.0 * a + beta + np.sqrt(8.0 * a**2 + beta**2)))


def onpo_step(facts: StepFacts) -> Schedule:
    r"""Return the step of ONPO's theorem on the average, :math:`\min(1/2, \sqrt D)`."""
    return Schedule(np.minimum(0.5, np.sqrt(facts.spread)))


def omwu_step(facts: StepFacts) -> Schedule:
    r"""Return the step of Cen, Wei and Chi, :math:`\min(1/(2\beta+2a), 1/(4a))`."""
    a, beta = facts.payoff_bound, facts.temperature
    return Schedule(np.minimum(1.0 / (2.0 * beta + 2.0 * a), 0.25 / a))


def _within_cap(rule: Any, facts: Facts) -> str | None:
    largest = float(optimistic_cap(facts.step_facts).scale)
    cap = within(rule.step_size, largest, "2 / (2 a + beta + sqrt(8 a^2 + beta^2))")
    return first_reason(exact_payoffs(facts), one_policy(facts), constant_step(rule), cap)


def _kl_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(warm(facts), starts_at_reference(facts), _within_cap(rule, facts))


def _kl_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    eta, beta, a = rule.step_size.scale, facts.temperature, facts.payoff_bound
    weight = 1.0 / eta - beta
    first = weight * start_divergence(facts) + 0.5 * a * weight / (weight + a)
    bound = first / (beta + weight - a**2 / weight - a) * np.exp(steps * np.log1p(-eta * beta))
    return np.asarray(np.where(steps > 0, bound, np.inf))


def _average_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(cold(facts), _within_cap(rule, facts))


def _average_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    eta = rule.step_size.scale
    with np.errstate(divide="ignore"):
        return np.asarray(2.0 * (facts.spread / eta + eta * facts.payoff_bound**2) / steps)


def _printed_hypotheses(rule: Any, facts: Facts) -> str | None:
    step = same_step(rule, float(onpo_step(facts.step_facts).scale), "min(1/2, sqrt(D))")
    return first_reason(cold(facts), exact_payoffs(facts), one_policy(facts), step)


def _printed_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(4.0 * np.sqrt(facts.spread) / steps)


def _last_hypotheses(rule: Any, facts: Facts) -> str | None:
    reason = first_reason(cold(facts), exact_payoffs(facts), one_policy(facts), constant_step(rule))
    reason = reason or unique_equilibrium(facts)
    return reason or within(rule.step_size, 0.0625 / facts.step_facts.payoff_bound, "1/(16 a)")


def _equilibrium(rule: Any, facts: Facts) -> FloatArray:
    assert facts.log_equilibrium is not None
    return facts.log_equilibrium


def _local_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(exact_payoffs(facts), constant_step(rule), isolated(facts))


def _local_factor(rule: Any, facts: Facts) -> float:
    eta = rule.step_size.scale
    k, turn = 1.0 - eta * facts.temperature, 1j * eta * facts.frequencies
    return spectral_radius(k + (1.0 + k) * turn, k * turn) ** 2


class State(NamedTuple):
    """The current policy, the base that it was stepped from, and the number of steps taken."""

    x: Point
    base: Point
    t: int


@method(
    MethodInfo(
        name="optimistic",
        title="Optimistic mirror descent (ONPO, OMWU)",
        solves=BOTH,
        payoff_calls=1,
        answer="last",
        step_sizes={"largest": optimistic_cap, "onpo": onpo_step, "omwu": omwu_step},
        cite=("zhang2025onpo", "rakhlin2013optimization", "cen2021fast", "wei2021linear"),
        trust="theory",
        side_by_side=True,
        aliases=("onpo", "omwu"),
        guarantees=(
            Bound(
                name="optimistic-divergence",
                statement="KL(pi* || pi_t) <= C (1 - eta beta)^t  if  lambda (lambda+beta) >= a (2 lambda+beta+a)",
                source="docs/theory.md, optimistic mirror descent",
                of="last",
                hypotheses=_kl_hypotheses,
                quantity="kl",
                bound=_kl_bound,
            ),
            Bound(
                name="optimistic-average",
                statement="gap(average) <= 2 (D / eta + eta a^2) / T  if  eta <= (sqrt(2) - 1) / a",
                source="docs/theory.md, optimistic mirror descent; Rakhlin and Sridharan 2013",
                of="average",
                hypotheses=_average_hypotheses,
                quantity="gap",
                bound=_average_bound,
            ),
            Bound(
                name="onpo-theorem-2",
                statement="gap(average) <= 4 sqrt(D) / T  if  eta = min(1/2, sqrt(D))",
                source="Zhang et al. 2025 (ONPO), Theorem 2 as printed; the constant is too small from n = 4 on",
                of="average",
                hypotheses=_printed_hypotheses,
                quantity="gap",
                bound=_printed_bound,
                proved=False,
                trials=(Trial("star_100", 0.0, {"step_size": "onpo"}, None, max_steps=1000),),
            ),
            Limit(
                name="onpo-theorem-3",
                statement="pi_t -> pi*, linearly, if the equilibrium is unique and eta <= 1/(16 a)",
                source="Zhang et al. 2025 (ONPO), Theorem 3; Wei et al. 2021",
                of="last",
                hypotheses=_last_hypotheses,
                log_policy=_equilibrium,
                trials=(
                    Trial("comal", 0.0, {"step_size": 0.125}, max_steps=100_000),
                    Trial("rock_paper_scissors", 0.0, {"step_size": 0.125}, max_steps=100_000),
                ),
            ),
            LocalRate(
                name="optimistic-local-rate",
                statement="KL falls by max_w max|z|^2 per step near pi*, "
                "z^2 - (k + (1 + k) i eta w) z + k i eta w = 0, k = 1 - eta beta",
                source="docs/theory.md, spectrum at the equilibrium",
                of="last",
                hypotheses=_local_hypotheses,
                factor=_local_factor,
            ),
        ),
    )
)
class Optimistic(NamedTuple):
    r"""Correct the base with the payoff just met, then step from it again as if that payoff came once more.

    .. math::
        b_{t+1} \propto b_t^{1-\eta\beta}\, \mu^{\eta\beta} \exp(\eta A \pi_t), \qquad
        \pi_{t+1} \propto b_{t+1}^{1-\eta\beta}\, \mu^{\eta\beta} \exp(\eta A \pi_t)

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`; "largest" is the largest step with the rates below, :math:`(\sqrt2-1)/a` at temperature 0;
        "onpo" is :math:`\min(1/2,\sqrt D)`; "omwu" is :math:`\min(1/(2\beta+2a), 1/(4a))`.

    Notes
    -----
    One payoff product a step, against two of `Extragradient`. Symbols of the papers. ONPO (temperature 0):
    :math:`\pi'_t` is the base, :math:`m_t = r_{t-1}` the forecast, :math:`\eta` the step. OMWU: :math:`\tau` is the
    temperature, and the policy played is the extrapolated one, :math:`\bar\pi_t`.

    The divergence bound: :math:`\Phi_t = (\lambda+\beta)\,\mathrm{KL}(\pi^*\|b_t) +
    \gamma\,\mathrm{KL}(b_t\|\pi_{t-1})`, with :math:`\lambda = 1/\eta - \beta` and
    :math:`\gamma = \lambda + \beta - a^2/\lambda - a`, falls by :math:`1-\eta\beta` a step, and
    :math:`\gamma\,\mathrm{KL}(\pi^*\|\pi_t) \le (1-\eta\beta)\Phi_t`; the first step, which has no forecast, makes it
    :math:`C = (\lambda\,\mathrm{KL}(\pi^*\|\pi_0) + a\lambda/(2(\lambda+a)))/\gamma`.

    At temperature 0 the last policy converges when the equilibrium is unique, but a response that is nearly in its
    support can take very long to find its place.

    References
    ----------
    zhang2025onpo, rakhlin2013optimization, cen2021fast, wei2021linear.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> solution = gp.solve(game, "optimistic", start=[0.5, 0.3, 0.2], tol=1e-9)
    >>> solution.policy.round(4), solution.n_steps < 1000
    (array([0.3636, 0.2727, 0.3636]), True)
    """

    step_size: StepSize = "largest"

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        return State(x=problem.start, base=problem.start, t=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        payoff = field(problem, state.x, rng)
        base = mirror(problem, blend(problem, (state.base, problem.reference), (1.0 - pull, pull)), payoff, eta)
        new = mirror(problem, blend(problem, (base, problem.reference), (1.0 - pull, pull)), payoff, eta)
        return State(x=new, base=base, t=state.t + 1)
