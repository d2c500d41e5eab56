"""Nash mirror descent: step from the mixture with the reference, against that mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..verbs import Generator, Point, Schedule, TabularProblem, blend, field, mirror, normalize, step_size_at
from ._info import (
    REGULARIZED,
    Bound,
    Limit,
    LocalRate,
    MethodInfo,
    StepFacts,
    StepSize,
    Trial,
    exact_payoffs,
    first_reason,
    method,
    mirror_descent_cap,
    warm,
)
from ._theory import constant_step, one_policy, same_step

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts


def nash_md_step(facts: StepFacts) -> Schedule:
    r"""Return the steps of the theorem, :math:`\eta_t = 2/(\beta(t+2))`."""
    return Schedule(2.0 / facts.temperature, 2.0, 1.0)


def _mixture_temperature(rule: Any, facts: Facts) -> float:
    """Return the temperature at which the mixture with the reference is an equilibrium, infinite at full pull."""
    kept = 1.0 - rule.step_size.scale * facts.temperature
    return facts.temperature / kept if kept > 0.0 else np.inf


def _limit(rule: Any, facts: Facts) -> FloatArray:
    beta, hot = facts.temperature, _mixture_temperature(rule, facts)
    opponent = facts.log_reference if np.isinf(hot) else facts.regularized_equilibrium(hot)
    return facts.log_reply(np.exp(opponent), beta)


def _limit_hypotheses(rule: Any, facts: Facts) -> str | None:
    reason = first_reason(warm(facts), exact_payoffs(facts), constant_step(rule))
    if reason is not None:
        return reason
    # The mixtures follow mirror descent at the temperature of the mixture with step eta (1 - eta beta).
    eta, beta, a = rule.step_size.scale, facts.temperature, facts.payoff_bound
    step, hot = eta * (1.0 - eta * beta), _mixture_temperature(rule, facts)
    if np.isinf(hot) or step <= hot / (hot**2 + a**2) * (1.0 + 1e-12):
        return None
    return f"step_size is {eta:.4g}; the mixture's own step {step:.4g} exceeds its cap {hot / (hot**2 + a**2):.4g}"


def _is_biased(rule: Any, facts: Facts) -> bool:
    assert facts.log_equilibrium is not None
    return bool(np.abs(_limit(rule, facts) - facts.log_equilibrium).max() > 1e-9)


def _equilibrium(rule: Any, facts: Facts) -> FloatArray:
    assert facts.log_equilibrium is not None
    return facts.log_equilibrium


def _local_hypotheses(rule: Any, facts: Facts) -> str | None:
    reason = first_reason(warm(facts), exact_payoffs(facts), constant_step(rule))
    if reason is not None:
        return reason
    return "with this step the limit is not the equilibrium" if _is_biased(rule, facts) else None


def _local_factor(rule: Any, facts: Facts) -> float:
    eta = rule.step_size.scale
    k, w = 1.0 - eta * facts.temperature, facts.frequencies
    return float((k**2 * (1.0 + (eta * w) ** 2)).max())


def _on_schedule(rule: Any, facts: Facts) -> str | None:
    reason = first_reason(warm(facts), one_policy(facts))
    if reason is not None:
        return reason
    return same_step(rule, 2.0 / facts.temperature, "2 / (beta (t + 2))", offset=2.0, power=1.0)


def _schedule_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(exact_payoffs(facts), _on_schedule(rule, facts))


def _sampled_hypotheses(rule: Any, facts: Facts) -> str | None:
    small = None if facts.payoff_bound <= 0.5 else "payoffs exceed 1/2; the theorem is about win probabilities"
    return first_reason(small, _on_schedule(rule, facts))


def _paper_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(exact_payoffs(facts), _sampled_hypotheses(rule, facts))


def _schedule_bound(constant: float, facts: Facts, steps: IntArray) -> FloatArray:
    r"""Return what :math:`u_{t+1} \le (1-\eta_t\beta) u_t + c\,\eta_t^2` gives with these steps."""
    bound = 4.0 * constant / (facts.temperature**2 * (steps + 1.0))
    return np.asarray(np.where(steps > 0, bound, np.inf))


class State(NamedTuple):
    """The current policy and the number of steps taken."""

    x: Point
    t: int


@method(
    MethodInfo(
        name="nash_md",
        title="Nash-MD",
        solves=REGULARIZED,
        payoff_calls=1,
        answer="last",
        step_sizes={"theorem": nash_md_step, "largest": mirror_descent_cap},
        cite=("munos2024nash",),
        trust="paper numbers",
        side_by_side=True,
        guarantees=(
            Bound(
                name="nash-md-theorem",
                statement="KL(pi* || pi_T) <= 8 / (beta^2 (T + 1))  if  eta_t = 2 / (beta (t + 2))",
                source="Munos et al. 2024, the theorem on the last iterate",
                of="last",
                hypotheses=_paper_hypotheses,
                quantity="kl",
                bound=lambda rule, facts, steps: _schedule_bound(2.0, facts, steps),
            ),
            Bound(
                name="nash-md-schedule",
                statement="KL(pi* || pi_T) <= 2 a^2 / (beta^2 (T + 1))  if  eta_t = 2 / (beta (t + 2))",
                source="docs/theory.md, Nash mirror descent",
                of="last",
                hypotheses=_schedule_hypotheses,
                quantity="kl",
                bound=lambda rule, facts, steps: _schedule_bound(0.5 * facts.payoff_bound**2, facts, steps),
            ),
            Bound(
                name="nash-md-sampled-schedule",
                statement="E KL(pi* || pi_T) <= 1 / (2 beta^2 (T + 1))  if  eta_t = 2 / (beta (t + 2)), with unbiased "
                "samples of win probabilities, labels included",
                source="docs/theory.md, Nash mirror descent",
                of="last",
                hypotheses=_sampled_hypotheses,
                quantity="kl",
                bound=lambda rule, facts, steps: _schedule_bound(0.125, facts, steps),
                trials=tuple(
                    Trial(game, beta, {"step_size": "theorem"}, opponents=1, seeds=24)
                    for game in ("comal", "random_10_0")
                    for beta in (0.1, 0.5)
                ),
                sampled=True,
            ),
            Limit(
                name="nash-md-constant-step-limit",
                statement="pi_t -> reply at beta to the equilibrium at beta / (1 - eta beta), for a constant step",
                source="docs/theory.md, Nash mirror descent",
                of="last",
                hypotheses=_limit_hypotheses,
                log_policy=_limit,
                trials=tuple(
                    Trial(game, beta, {"step_size": eta})
                    for game, beta, eta in (
                        ("comal", 0.1, 0.5), ("rock_paper_scissors", 0.1, 0.3), ("random_10_0", 0.5, 1.0)
                    )
                ),
            ),
            Limit(
                name="nash-md-constant-step-equilibrium",
                statement="pi_t -> pi*, for a constant step",
                source="how Nash-MD is run in practice; docs/theory.md, Nash mirror descent, has the limit",
                of="last",
                hypotheses=_limit_hypotheses,
                log_policy=_equilibrium,
                proved=False,
                trials=(Trial("comal", 0.1, {"step_size": 0.5}),),
            ),
            LocalRate(
                name="nash-md-local-rate",
                statement="if the limit is pi*: KL falls by max_w k^2 (1 + (eta w)^2) per step, k = 1 - eta beta",
                source="docs/theory.md, spectrum at the equilibrium",
                of="last",
                hypotheses=_local_hypotheses,
                factor=_local_factor,
                trials=(
                    Trial("rock_paper_scissors", 0.1, {"step_size": 0.3}, None, [0.5, 0.3, 0.2]),
                    Trial("rock_paper_scissors", 0.5, {"step_size": 0.5}, None, [0.5, 0.3, 0.2]),
                ),
            ),
        ),
    )
)
class NashMD(NamedTuple):
    r"""Mix the policy with the reference, then step from that mixture with the payoff against it.

    .. math::
        m_t \propto \pi_t^{1-\eta_t\beta}\, \mu^{\eta_t\beta}, \qquad \pi_{t+1} \propto m_t \exp(\eta_t A m_t)

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`; "theorem" is :math:`2/(\beta(t+2))`; "largest" is :math:`\beta/(\beta^2+a^2)`, a constant with
        which the iterates converge fast, but not quite to the equilibrium.

    Notes
    -----
    Symbols of the paper: :math:`\tau` is the temperature, :math:`\eta` the step, :math:`\pi_t^\mu` the mixture.

    With a constant step the mixtures follow mirror descent at the temperature :math:`\beta' = \beta/(1-\eta\beta)` with
    step :math:`\eta(1-\eta\beta)`; so the limit is the reply, at :math:`\beta`, to the equilibrium at :math:`\beta'`.

    References
    ----------
    munos2024nash.

    Examples
    --------
    The step that the paper works out, on three dice:

    >>> import gametheory_pref as gp
    >>> dice = gp.zoo["dice_nash_md"].game
    >>> nash_md = gp.METHODS["nash_md"](step_size=5.0)
    >>> gp.solve(dice, nash_md, temperature=0.1, start=[0.6, 0.3, 0.1], tol=0.0, max_steps=1).policy.round(5)
    array([0.49092, 0.30882, 0.20026])
    """

    step_size: StepSize = "theorem"

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        return State(x=problem.start, t=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        base = normalize(problem, blend(problem, (state.x, problem.reference), (1.0 - pull, pull)))
        new = mirror(problem, base, field(problem, base, rng), eta)
        return State(x=new, t=state.t + 1)
