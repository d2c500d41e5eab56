"""Play against a fixed mixture of oneself and the reference: Nash-MD-PG, IPO-MD."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._check import non_negative
from ..errors import InputError
from ..verbs import Generator, Point, TabularProblem, blend, field, mirror, normalize, step_size_at
from ._info import (
    REGULARIZED,
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
    within,
)
from ._theory import constant_step

if TYPE_CHECKING:
    from .._types import FloatArray
    from ..facts import Facts


def _check(rule: Any, facts: StepFacts) -> None:
    if non_negative(rule.mixture, name="mixture") > 1.0:
        raise InputError(f"mixture must be a weight from 0 (the policy) to 1 (the reference); got {rule.mixture!r}")


def _limit(rule: Any, facts: Facts) -> FloatArray:
    """Return the reply to the mixture, which is an equilibrium at a higher temperature."""
    beta, own = facts.temperature, 1.0 - rule.mixture
    opponent = facts.regularized_equilibrium(beta / own) if own > 0.0 else facts.log_reference
    return facts.log_reply(np.exp(opponent), beta)


def _limit_hypotheses(rule: Any, facts: Facts) -> str | None:
    # The mixtures follow mirror descent at temperature beta / (1 - m) with step (1 - m) eta.
    beta, own = facts.temperature, (1.0 - rule.mixture) * facts.payoff_bound
    reason = first_reason(warm(facts), exact_payoffs(facts), constant_step(rule))
    return reason or within(rule.step_size, beta / (beta**2 + own**2), "beta / (beta^2 + (1 - m)^2 a^2)")


def _equilibrium(rule: Any, facts: Facts) -> FloatArray:
    assert facts.log_equilibrium is not None
    return facts.log_equilibrium


def _mixing(rule: Any, facts: Facts) -> str | None:
    mixing = None if rule.mixture > 0.0 else "mixture is 0, which is mirror descent"
    return first_reason(mixing, _limit_hypotheses(rule, facts))


def _local_hypotheses(rule: Any, facts: Facts) -> str | None:
    reason = first_reason(warm(facts), exact_payoffs(facts), constant_step(rule))
    if reason is not None:
        return reason
    biased = np.abs(_limit(rule, facts) - _equilibrium(rule, facts)).max() > 1e-9
    return "with this mixture the limit is not the equilibrium" if biased else None


def _local_factor(rule: Any, facts: Facts) -> float:
    eta = rule.step_size.scale
    k, w = 1.0 - eta * facts.temperature, facts.frequencies
    return float((k**2 + ((1.0 - rule.mixture) * eta * w) ** 2).max())


class State(NamedTuple):
    """The current policy and the number of steps taken."""

    x: Point
    t: int


@method(
    MethodInfo(
        name="nash_md_pg",
        title="Nash-MD-PG (IPO-MD)",
        solves=REGULARIZED,
        payoff_calls=1,
        answer="last",
        step_sizes={"largest": mirror_descent_cap},
        cite=("munos2024nash", "calandriello2024human"),
        trust="theory",
        side_by_side=True,
        aliases=("ipo_md",),
        check=_check,
        converges=False,
        guarantees=(
            Limit(
                name="nash-md-pg-limit",
                statement="pi_t -> reply at beta to the equilibrium at beta / (1 - m)",
                source="docs/theory.md, opponents mixed with the reference",
                of="last",
                hypotheses=_limit_hypotheses,
                log_policy=_limit,
                trials=tuple(Trial("comal", 0.1, {"mixture": m}, [0.5, 0.3, 0.2]) for m in (0.125, 0.25, 0.5, 1.0)),
            ),
            Limit(
                name="nash-md-pg-equilibrium",
                statement="pi_t -> pi*, for a constant mixture m > 0",
                source="how Nash-MD-PG and IPO-MD are run in practice; docs/theory.md has the limit",
                of="last",
                hypotheses=_mixing,
                log_policy=_equilibrium,
                proved=False,
                trials=(Trial("comal", 0.1, {"mixture": 0.125}, [0.5, 0.3, 0.2]),),
            ),
            LocalRate(
                name="nash-md-pg-local-rate",
                statement="if the limit is pi*: KL falls by max_w |k + i (1 - m) eta w|^2 per step, k = 1 - eta beta",
                source="docs/theory.md, spectrum at the equilibrium",
                of="last",
                hypotheses=_local_hypotheses,
                factor=_local_factor,
                trials=(Trial("rock_paper_scissors", 0.1, {"mixture": 0.25}, None, [0.5, 0.3, 0.2]),),
            ),
        ),
    )
)
class NashMDPG(NamedTuple):
    r"""Anchored step with the payoff against a log-linear mixture of the policy and the reference.

    .. math::
        q_t \propto \pi_t^{1-m}\, \mu^{m}, \qquad
        \pi_{t+1} \propto \pi_t^{1-\eta\beta}\, \mu^{\eta\beta} \exp(\eta A q_t)

    Parameters
    ----------
    mixture : float
        m, weight of the reference in the opponent: 0 is `MirrorDescent`; :math:`m = \eta\beta` is `NashMD`; 1 is the
        plain regularised reply to the reference.
    step_size : float, str or Schedule
        :math:`\eta`; "largest" is :math:`\beta/(\beta^2+a^2)`, which is safe for every mixture.

    Notes
    -----
    The mixture does not fade, so the limit is not the equilibrium: the opponents converge to the one at temperature
    :math:`\beta/(1-m)`, and the policy to the reply to it. Symbols of the papers: m is ``beta_mix`` (Nash-MD-PG) or
    :math:`\beta` (IPO-MD), their :math:`\tau` is the temperature. This is the exact natural-gradient step of either;
    both papers take sampled gradient steps on the parameters of a language model.

    References
    ----------
    munos2024nash, calandriello2024human.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> rule = gp.METHODS["nash_md_pg"](mixture=0.5)
    >>> reference = [0.5, 0.3, 0.2]
    >>> gp.solve(game, rule, temperature=0.1, reference=reference, tol=0.0, max_steps=1000).policy.round(4)
    array([0.239 , 0.4475, 0.3135])
    >>> gp.solve(game, temperature=0.1, reference=reference).policy.round(4)
    array([0.3366, 0.3496, 0.3138])
    """

    mixture: float = 0.125
    step_size: StepSize = "largest"

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        return State(x=problem.start, t=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        opponent = normalize(problem, blend(problem, (state.x, problem.reference), (1.0 - self.mixture, self.mixture)))
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        new = mirror(problem, base, field(problem, opponent, rng), eta)
        return State(x=new, t=state.t + 1)
