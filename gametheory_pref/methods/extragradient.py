"""Extragradient preference optimisation, mirror prox, Nash mirror prox: one algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..verbs import Generator, Point, Schedule, TabularProblem, blend, field, mirror, step_size_at
from ._info import (
    BOTH,
    Bound,
    Contraction,
    LocalRate,
    MethodInfo,
    StepFacts,
    StepSize,
    anchored_log_factor,
    exact_payoffs,
    extragradient_cap,
    first_reason,
    method,
    warm,
    within,
)
from ._theory import constant_step, contraction_gap, isolated, one_policy, same_step, unique_equilibrium

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts


def nash_mp_step(facts: StepFacts) -> Schedule:
    r"""Return the step of Nash mirror prox, :math:`\eta = 1/(1/2+\beta)`: its proximal weight is 1/2."""
    return Schedule(1.0 / (0.5 + facts.temperature))


def _within_cap(rule: Any, facts: Facts) -> str | None:
    largest = float(extragradient_cap(facts.step_facts).scale)
    cap = within(rule.step_size, largest, "2 / (beta + sqrt(beta^2 + 4 a^2))")
    return first_reason(exact_payoffs(facts), cap, unique_equilibrium(facts))


def _gap_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(warm(facts), one_policy(facts), _within_cap(rule, facts))


def _nash_mp_hypotheses(rule: Any, facts: Facts) -> str | None:
    step = same_step(rule, float(nash_mp_step(facts.step_facts).scale), "1 / (1/2 + beta)")
    return first_reason(warm(facts), step, _within_cap(rule, facts))


def _nash_mp_log_factor(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    return np.asarray(-steps * np.log1p(2.0 * facts.temperature))


def _local_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(exact_payoffs(facts), constant_step(rule), isolated(facts))


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
        title="Extragradient (EGPO, Nash-MP)",
        solves=BOTH,
        payoff_calls=2,
        answer="last",
        step_sizes={"largest": extragradient_cap, "nash_mp": nash_mp_step},
        cite=("zhou2025extragradient", "tiapkin2025accelerating", "nemirovski2004prox", "korpelevich1976extragradient"),
        trust="paper numbers",
        side_by_side=True,
        aliases=("egpo", "mirror_prox", "nash_mp"),
        guarantees=(
            Contraction(
                name="extragradient-contraction",
                statement="KL(pi* || pi_{t+1}) <= (1 - eta beta) KL(pi* || pi_t)  if  lambda (lambda + beta) >= a^2",
                source="docs/theory.md, extragradient; the linear rate of Zhou et al. 2025 with constants",
                of="last",
                hypotheses=_within_cap,
                log_factor=anchored_log_factor,
            ),
            Contraction(
                name="nash-mirror-prox-rate",
                statement="KL(pi* || pi_{t+1}) <= KL(pi* || pi_t) / (1 + 2 beta)  if  eta = 1/(1/2 + beta), a <= 1/2",
                source="Tiapkin et al. 2025, rate (1 + 2 beta)^(-N/2) in N preference queries, two a step",
                of="last",
                hypotheses=_nash_mp_hypotheses,
                log_factor=_nash_mp_log_factor,
            ),
            Bound(
                name="extragradient-gap",
                statement="gap(pi_t) <= (2 beta + 2 a^2/beta) rho(B) (1 - eta beta)^t KL(pi* || pi_0)",
                source="docs/theory.md, from divergence to gap",
                of="last",
                hypotheses=_gap_hypotheses,
                quantity="gap",
                bound=contraction_gap,
            ),
            LocalRate(
                name="extragradient-local-rate",
                statement="KL falls by max_w |k + i eta w (k + i eta w)|^2 per step near pi*, k = 1 - eta beta",
                source="docs/theory.md, spectrum at the equilibrium",
                of="last",
                hypotheses=_local_hypotheses,
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
        :math:`\eta`; "largest" is the largest step with the linear rate, and ``1 / a`` at temperature 0, where the
        divergence from the equilibrium never rises; "nash_mp" is :math:`1/(1/2+\beta)`.

    Notes
    -----
    Symbols of the papers. EGPO: :math:`\beta` is the temperature and :math:`\eta` the step; a gradient step with
    learning rate :math:`\alpha` on the pairwise loss over n responses is :math:`\eta = 4\alpha/(\beta n)`. Nash-MP:
    the proximal weight :math:`\lambda` gives :math:`\eta = 1/(\lambda + \beta)`, and its rate is
    :math:`\lambda/(\lambda+\beta)` a step with two payoff products. What never rises is the divergence; the duality
    gap may rise on the way.

    References
    ----------
    zhou2025extragradient, tiapkin2025accelerating, nemirovski2004prox, korpelevich1976extragradient.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> solution = gp.solve(game, "extragradient", temperature=0.1, start=[0.5, 0.3, 0.2], tol=1e-12)
    >>> solution.policy.round(4), solution.n_steps < 100
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
        half = mirror(problem, base, field(problem, state.x, rng), eta)
        new = mirror(problem, base, field(problem, half, rng), eta)
        return State(x=new, t=state.t + 1)
