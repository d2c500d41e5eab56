"""Fictitious play against oneself."""

from __future__ import annotations

from typing import NamedTuple

from ..verbs import Direction, Generator, Mixture, TabularProblem, combine, field, no_direction, reply
from ._info import MINIMAX, MethodInfo, method


class State(NamedTuple):
    """What is played, the number of steps taken, and the payoffs against all that was played before."""

    x: Mixture
    t: int
    payoff: Direction


@method(
    MethodInfo(
        name="fictitious_play",
        title="Fictitious play",
        solves=MINIMAX,
        payoff_calls=1,
        answer="average",
        step_sizes={},
        cite=("brown1951iterative", "robinson1951iterative", "daskalakis2014counterexample"),
        trust="theory",
        tabular_only=True,
        projects=True,
    )
)
class FictitiousPlay(NamedTuple):
    r"""Play the best response to the average of everything played so far.

    .. math::
        \pi_{t+1} = \text{the first best response to}\ \frac{1}{t+1} \sum_{s \le t} \pi_s

    The answer is the average. Robinson proved that its gap goes to 0; the rate that follows from the proof,
    :math:`T^{-1/(2n-2)}`, is hardly one, and has no usable constant, so that there is no guarantee to verify. Karlin
    conjectured :math:`T^{-1/2}`; with ties broken against it, fictitious play needs exponentially long (Daskalakis and
    Pan). Ties are broken here by the order of the responses.

    Notes
    -----
    What is played are pure responses, whose other logarithms are infinite, so this rule is for tables only.

    References
    ----------
    brown1951iterative, robinson1951iterative, daskalakis2014counterexample.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> solution = gp.solve(game, "fictitious_play", tol=0.0, max_steps=2000, jit=False)
    >>> solution.policy.round(2), round(solution.gap, 3)
    (array([0.36, 0.28, 0.36]), 0.009)
    """

    def init(self, problem: TabularProblem) -> State:
        """Start at the start, which counts as the first play."""
        return State(x=Mixture(problem.start.prob), t=0, payoff=no_direction(problem))

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        total = combine(problem, (state.payoff, field(problem, state.x, rng)), (1.0, 1.0))
        return State(x=reply(problem, total), t=state.t + 1, payoff=total)
