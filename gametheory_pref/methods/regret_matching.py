"""Regret matching and regret matching+ against oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..verbs import (
    Direction,
    Generator,
    Mixture,
    TabularProblem,
    add_regrets,
    field,
    no_direction,
    positive,
    proportional,
)
from ._info import MINIMAX, Bound, MethodInfo, cold, exact_payoffs, first_reason, method

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts


def _bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        if facts.is_symmetric:
            return np.asarray(2.0 * facts.payoff_bound * np.sqrt(facts.n / steps))
        sizes = np.diff(facts.problem.blocks)
        return np.asarray(2.0 * facts.payoff_bound * np.sqrt(sizes).sum() / np.sqrt(steps))


class State(NamedTuple):
    """The current policy, the number of steps taken, and what every response would have earned more so far."""

    x: Mixture
    t: int
    regret: Direction


@method(
    MethodInfo(
        name="regret_matching",
        title="Regret matching",
        solves=MINIMAX,
        payoff_calls=1,
        answer="average",
        step_sizes={},
        cite=("hart2000simple", "tammelin2014solving"),
        trust="theory",
        tabular_only=True,
        projects=True,
        guarantees=(
            Bound(
                name="regret-matching-average",
                statement="gap(average) <= 2 a sqrt(n / T); 2 a (sqrt(n) + sqrt(m)) / sqrt(T) for two players",
                source="docs/theory.md, regret matching; Hart and Mas-Colell 2000, Tammelin 2014",
                of="average",
                hypotheses=lambda rule, facts: first_reason(cold(facts), exact_payoffs(facts)),
                quantity="gap",
                bound=_bound,
            ),
        ),
    )
)
class RegretMatching(NamedTuple):
    r"""Play every response in proportion to how much more it would have earned than what was played.

    .. math::
        R_{t+1} = R_t + A\pi_t - \langle \pi_t, A\pi_t \rangle, \qquad \pi_{t+1} \propto \max(R_{t+1}, 0)

    Regret matching+ forgets regrets below 0: :math:`Q_{t+1} = \max(Q_t + A\pi_t - \langle \pi_t, A\pi_t \rangle, 0)`,
    :math:`\pi_{t+1} \propto Q_{t+1}`. While no response has positive regret, the policy stays as it is. There is no
    step size. The answer is the average of :math:`\pi_0, \dots, \pi_{T-1}`; the last policy need not converge.

    Parameters
    ----------
    plus : bool
        True for regret matching+.

    Notes
    -----
    A policy in proportion to positive parts has responses without mass, and their logarithms are infinite; no other
    rule could start from it. So this rule is for tables only.

    References
    ----------
    hart2000simple, tammelin2014solving.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> rules = [gp.METHODS["regret_matching"](plus=plus) for plus in (False, True)]
    >>> [round(gp.solve(game, rule, tol=0.0, max_steps=1000, jit=False).gap, 5) for rule in rules]
    [0.01451, 0.01263]
    """

    plus: bool = False

    def init(self, problem: TabularProblem) -> State:
        """Start at the start, without regrets."""
        return State(x=Mixture(problem.start.prob), t=0, regret=no_direction(problem))

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        total = add_regrets(problem, state.regret, field(problem, state.x, rng), state.x)
        if self.plus:
            total = positive(problem, total)
        return State(x=proportional(problem, total, state.x), t=state.t + 1, regret=total)
