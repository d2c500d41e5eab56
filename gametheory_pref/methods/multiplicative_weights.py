"""Multiplicative weights against oneself: Hedge, self-play preference optimisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..verbs import Generator, Point, Schedule, TabularProblem, field, mirror, step_size_at
from ._info import (
    MINIMAX,
    Bound,
    Contraction,
    LocalRate,
    MethodInfo,
    StepFacts,
    StepSize,
    Trial,
    cold,
    exact_payoffs,
    first_reason,
    method,
    within,
)
from ._theory import constant_step, isolated, one_policy, same_step, start_divergence

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


def onpo_mirror_descent_step(facts: StepFacts) -> Schedule:
    r"""Return the step of ONPO's theorem on plain mirror descent, :math:`\sqrt{D/T}`."""
    return Schedule(np.sqrt(facts.spread / facts.horizon))


def condorcet_step(facts: StepFacts) -> Schedule:
    r"""Return :math:`\Delta/(1.8a^2)`, the fast step where a response beats all others by :math:`\Delta`."""
    return Schedule(facts.condorcet_margin / (1.8 * facts.payoff_bound**2))


def _average_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(cold(facts), exact_payoffs(facts), constant_step(rule))


def _average_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    eta, a = rule.step_size.scale, facts.payoff_bound
    with np.errstate(divide="ignore"):
        return np.asarray(2.0 * facts.spread / (eta * steps) + eta * a**2)


def _onpo_hypotheses(rule: Any, facts: Facts) -> str | None:
    step = same_step(rule, float(onpo_mirror_descent_step(facts.step_facts).scale), "sqrt(D / T)")
    return first_reason(cold(facts), exact_payoffs(facts), one_policy(facts), step)


def _onpo_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    at_end = 4.0 * np.sqrt(facts.spread / facts.horizon)
    return np.asarray(np.where(steps == facts.horizon, at_end, np.inf))


def _condorcet_hypotheses(rule: Any, facts: Facts) -> str | None:
    reason = first_reason(cold(facts), exact_payoffs(facts), one_policy(facts), constant_step(rule))
    if reason is not None:
        return reason
    if facts.condorcet_margin == 0.0:
        return "the game has no Condorcet winner"
    return within(rule.step_size, float(condorcet_step(facts.step_facts).scale), "Delta / (1.8 a^2)")


def _condorcet_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(4.0 * facts.spread / (rule.step_size.scale * steps))


def _spiral_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(cold(facts), exact_payoffs(facts), isolated(facts))


def _local_factor(rule: Any, facts: Facts) -> float:
    return float(1.0 + (rule.step_size.scale * facts.frequencies.max(initial=0.0)) ** 2)


def _local_hypotheses(rule: Any, facts: Facts) -> str | None:
    reason = first_reason(_spiral_hypotheses(rule, facts), constant_step(rule))
    if reason is not None:
        return reason
    with np.errstate(divide="ignore"):
        end = np.log(start_divergence(facts)) + facts.horizon * np.log(_local_factor(rule, facts))
    return None if end < np.log(0.01) else "the run does not stay near the equilibrium, where alone the rate holds"


@method(
    MethodInfo(
        name="multiplicative_weights",
        title="Multiplicative weights (SPO)",
        solves=MINIMAX,
        payoff_calls=1,
        answer="average",
        step_sizes={"horizon": horizon_step, "onpo": onpo_mirror_descent_step, "condorcet": condorcet_step},
        cite=("freund1999adaptive", "swamy2024minimaximalist", "rosset2024direct", "zhang2025onpo"),
        trust="theory",
        side_by_side=True,
        aliases=("spo", "hedge"),
        guarantees=(
            Bound(
                name="multiplicative-weights-average",
                statement="gap(average) <= 2 D / (eta T) + eta a^2",
                source="docs/theory.md, multiplicative weights; Freund and Schapire 1999",
                of="average",
                hypotheses=_average_hypotheses,
                quantity="gap",
                bound=_average_bound,
            ),
            Bound(
                name="onpo-theorem-1",
                statement="gap(average) <= 4 sqrt(D / T)  if  eta = sqrt(D / T)",
                source="Zhang et al. 2025 (ONPO), Theorem 1",
                of="average",
                hypotheses=_onpo_hypotheses,
                quantity="gap",
                bound=_onpo_bound,
                trials=(Trial("comal", 0.0, {"step_size": "onpo"}), Trial("random_10_0", 0.0, {"step_size": "onpo"})),
            ),
            Bound(
                name="multiplicative-weights-condorcet",
                statement="gap(average) <= 4 D / (eta T)  if a response beats every other by Delta >= 1.8 a^2 eta",
                source="docs/theory.md, multiplicative weights; a fast rate as in Swamy et al. 2024",
                of="average",
                hypotheses=_condorcet_hypotheses,
                quantity="gap",
                bound=_condorcet_bound,
                trials=(
                    Trial("star_8", 0.0, {"step_size": "condorcet"}),
                    Trial("clear_favourite", 0.0, {"step_size": "condorcet"}),
                    Trial("bradley_terry", 0.0, {"step_size": 0.1}),
                ),
            ),
            Contraction(
                name="multiplicative-weights-spiral",
                statement="KL(pi* || pi_t) never falls when the only equilibrium plays every response",
                source="docs/theory.md, multiplicative weights",
                of="last",
                hypotheses=_spiral_hypotheses,
                log_factor=lambda rule, facts, steps: np.zeros(len(steps)),
                grows=True,
            ),
            LocalRate(
                name="multiplicative-weights-local-rate",
                statement="KL grows by max_w 1 + (eta w)^2 per step near an equilibrium that plays every response",
                source="docs/theory.md, spectrum at the equilibrium",
                of="last",
                hypotheses=_local_hypotheses,
                factor=_local_factor,
                trials=(Trial("rock_paper_scissors", 0.0, {"step_size": 0.5}, None, [0.3334, 0.3333, 0.3333], 300),),
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
        :math:`\eta`; "horizon" is :math:`\sqrt{2D/T}/a`, which minimises the bound after ``max_steps`` steps; "onpo"
        is :math:`\sqrt{D/T}`; "condorcet" is :math:`\Delta/(1.8a^2)` where a response beats every other by
        :math:`\Delta` or more, and makes the gap of the average fall like 1/T.

    Notes
    -----
    Symbols of the papers. SPO: payoffs are :math:`2A`, so that its step is half of the one here. DNO: its
    :math:`\eta` is the inverse of the step. SPPO with the exact normaliser takes the same step.

    References
    ----------
    freund1999adaptive, swamy2024minimaximalist, rosset2024direct, zhang2025onpo.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> solution = gp.solve(game, "multiplicative_weights", start=[0.5, 0.3, 0.2], max_steps=10_000, tol=0.0)
    >>> f"{solution.gap:.4f} on average, {solution.run.gap_last[-1]:.4f} at the end"
    '0.0014 on average, 0.2963 at the end'
    """

    step_size: StepSize = "horizon"

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        return State(x=problem.start, t=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        eta = step_size_at(self.step_size, state.t)
        return State(x=mirror(problem, state.x, field(problem, state.x, rng), eta), t=state.t + 1)
