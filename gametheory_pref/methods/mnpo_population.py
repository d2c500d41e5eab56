"""Multiplayer Nash preference optimisation as derived: a population in which everybody answers everybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..verbs import (
    Anchor,
    Bank,
    Generator,
    Mixture,
    Point,
    TabularProblem,
    bank_of,
    blend,
    field,
    mirror,
    mixture,
    normalize,
    part,
    recall,
    remember,
    step_size_at,
)
from ._info import MINIMAX, Bound, MethodInfo, StepFacts, StepSize, cold, exact_payoffs, first_reason, method
from ._theory import constant_step, one_policy
from .multiplicative_weights import horizon_step

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts


def consensus_rate(rule: Any, facts: Facts) -> float:
    r"""Return the factor :math:`(1 + \eta a)/(n - 1)` by which differences of the players' logarithms shrink."""
    return float((1.0 + rule.step_size.scale * facts.payoff_bound) / (rule.players - 1))


def _consensus(rule: Any, facts: Facts) -> str | None:
    rate = consensus_rate(rule, facts)
    apart = None if rate < 1.0 else f"(1 + eta a)/(n - 1) is {rate:.4g}; the theorem needs less than 1"
    return first_reason(cold(facts), exact_payoffs(facts), one_policy(facts), constant_step(rule), apart)


def _average_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    eta, a, late = rule.step_size.scale, facts.payoff_bound, rule.players - 1
    # Players who begin one step apart differ by no more than this, and their mean from the start by half of it.
    apart = 2.0 * eta * a * late
    settling = 2.0 * a * (late + apart / (1.0 - consensus_rate(rule, facts)))
    with np.errstate(divide="ignore"):
        return np.asarray((2.0 * (facts.spread + apart / 2.0) / eta + settling) / steps + eta * a**2)


def _check(rule: Any, facts: StepFacts) -> None:
    if not (isinstance(rule.players, int) and rule.players >= 2):
        raise InputError(f"players must be a whole number of at least 2; got {rule.players!r}")


class State(NamedTuple):
    """The policy played, those of all players, the number of steps taken, and payoff products so far.

    Attributes
    ----------
    x : Point
        The geometric mean of the players; while they are joining, the newest.
    """

    x: Point
    players: Bank
    t: int
    calls: int


@part
def product_of(problem: TabularProblem, players: Bank, count: int) -> Anchor:
    """Return the product of the policies of all players."""
    product = blend(problem, (recall(problem, players, 0),), (1.0,))
    for player in range(1, count):
        product = blend(problem, (product, recall(problem, players, player)), (1.0, 1.0))
    return product


@part
def sum_of(problem: TabularProblem, players: Bank, count: int) -> Mixture:
    """Return the sum of the policies of all players, as a mixture that is not normalized."""
    total = mixture(problem, (recall(problem, players, 0),), (1.0,))
    for player in range(1, count):
        total = mixture(problem, (total, recall(problem, players, player)), (1.0, 1.0))
    return total


@part
def geometric_mean(problem: TabularProblem, players: Bank, count: int) -> Point:
    """Return the geometric mean of the policies of all players."""
    return normalize(problem, blend(problem, (product_of(problem, players, count),), (1.0 / count,)))


@part
def answers(problem: TabularProblem, players: Bank, count: int, step_size: float, rng: Generator) -> Bank:
    """Return every player's answer to all the others."""
    product, total = product_of(problem, players, count), sum_of(problem, players, count)
    share = 1.0 / (count - 1)
    new = players
    for back in range(count):
        # What is remembered last comes first.
        own = recall(problem, players, count - 1 - back)
        others = field(problem, mixture(problem, (total, own), (share, -share)), rng)
        base = blend(problem, (product, own), (share, -share))
        new = remember(problem, new, mirror(problem, base, others, step_size))
    return new


@method(
    MethodInfo(
        name="mnpo_population",
        title="Multiplayer Nash, a population (MNPO)",
        solves=MINIMAX,
        payoff_calls=None,
        answer="average",
        step_sizes={"horizon": horizon_step},
        cite=("wu2025multiplayer",),
        trust="theory",
        check=_check,
        guarantees=(
            Bound(
                name="mnpo-population-average",
                statement="gap(average) <= (2 D / eta + a (n - 1) (4 + 4 eta a / (1 - r))) / T + eta a^2  if "
                "r = (1 + eta a) / (n - 1) < 1",
                source="docs/theory.md, populations; the rate of Wu et al. 2025 with constants",
                of="average",
                hypotheses=_consensus,
                quantity="gap",
                bound=_average_bound,
            ),
        ),
    )
)
class MnpoPopulation(NamedTuple):
    r"""Every player of a population answers the others: their average payoff, from their geometric mean.

    .. math::
        \pi_i^{t+1} \propto \Big( \prod_{j \ne i} \pi_j^t \Big)^{1/(n-1)}
        \exp\Big( \frac{\eta}{n-1} \sum_{j \ne i} A \pi_j^t \Big)

    Three or more players soon agree: differences of their logarithms shrink by the factor
    :math:`(1+\eta a)/(n-1)` a step or faster. From then on this is multiplicative weights, and as there only averages
    converge. Two players swap two runs of multiplicative weights for ever.

    Players join one step apart, so that they differ: the first takes n - 1 steps of multiplicative weights, and then
    it and its past selves are the population. What is played is the geometric mean of the players.

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`; "horizon" is that of multiplicative weights after ``max_steps`` steps.
    players : int
        n, the number of players.

    Notes
    -----
    The symbols are the paper's; its temperature does not occur in its update. The paper's loss has another minimiser
    as soon as the players differ: it is the rule `Mnpo`. A step takes n payoff products, counted in ``State.calls``.

    References
    ----------
    wu2025multiplayer.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> rule = gp.METHODS["mnpo_population"](players=3)
    >>> solution = gp.solve(game, rule, start=[0.5, 0.3, 0.2], tol=0.0, max_steps=500, jit=False)
    >>> solution.payoff_calls, bool(solution.gap < 0.05)
    (1496, True)
    """

    step_size: StepSize = "horizon"
    players: int = 3

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        return State(x=problem.start, players=bank_of(problem, problem.start, self.players), t=0, calls=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Let everybody answer, or one more player join."""
        eta = step_size_at(self.step_size, state.t)
        if state.t < self.players - 1:
            x = mirror(problem, state.x, field(problem, state.x, rng), eta)
            players, calls = remember(problem, state.players, x), 1
        else:
            players, calls = answers(problem, state.players, self.players, eta, rng), self.players
        if state.t >= self.players - 2:
            x = geometric_mean(problem, players, self.players)
        return State(x=x, players=players, t=state.t + 1, calls=state.calls + calls)
