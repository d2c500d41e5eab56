"""Magnetic preference optimisation: mirror descent towards a magnet that follows now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..verbs import Generator, Point, TabularProblem, blend, field, mirror, step_size_at
from ._info import (
    MINIMAX,
    Bound,
    Contraction,
    Limit,
    MethodInfo,
    StepFacts,
    StepSize,
    Trial,
    cold,
    exact_payoffs,
    first_reason,
    method,
    mirror_descent_cap,
)
from ._refreshed import first_divergence, inner_error, within_inner_cap
from ._theory import unique_equilibrium

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts


def _within_cap(rule: Any, facts: Facts) -> str | None:
    return within_inner_cap(rule, facts, lookahead=False)


def _bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    error = inner_error(rule.step_size.scale, rule.inner_temperature, facts.payoff_bound, rule.refresh, False)
    refreshed, since = np.divmod(steps, rule.refresh)
    return np.asarray(first_divergence(facts) + refreshed * error[-1] + np.where(since > 0, error[since], 0.0))


def _never_refreshed(rule: Any, facts: Facts) -> str | None:
    moves = None if rule.refresh > facts.horizon else "the magnet moves; this theorem is about one that stays"
    return first_reason(_within_cap(rule, facts), moves)


def _one_step_each(rule: Any, facts: Facts) -> str | None:
    several = None if rule.refresh == 1 else "the magnet is kept for several steps; this is about refreshing every step"
    return first_reason(cold(facts), exact_payoffs(facts), several, unique_equilibrium(facts))


def _check(rule: Any, facts: StepFacts) -> None:
    if not (isinstance(rule.refresh, int) and rule.refresh >= 1):
        raise InputError(f"refresh must be a whole number of at least 1; got {rule.refresh!r}")


class State(NamedTuple):
    """The current policy, the magnet, and the number of steps taken."""

    x: Point
    magnet: Point
    t: int


@method(
    MethodInfo(
        name="magnetic",
        title="Magnetic preference optimisation (MPO)",
        solves=MINIMAX,
        payoff_calls=1,
        answer="last",
        step_sizes={"largest": mirror_descent_cap},
        cite=("wang2025magnetic", "sokota2023unified"),
        trust="theory",
        side_by_side=True,
        aliases=("mpo",),
        check=_check,
        guarantees=(
            Bound(
                name="magnetic-divergence",
                statement="KL(pi* || pi_t) <= KL(pi* || pi_0) + m s_K + s_k  for t = m K + k and every equilibrium "
                "pi*, where the error s_k of k inner steps falls geometrically with k",
                source="docs/theory.md, moving references",
                of="last",
                hypotheses=_within_cap,
                quantity="kl",
                bound=_bound,
                # With few steps on one magnet the bound is far above what happens.
                trials=tuple(
                    Trial(game, settings={"refresh": 400, "inner_temperature": tau})
                    for game in ("rock_paper_scissors", "comal", "weighted_five_cycle", "bradley_terry", "random_10_0")
                    for tau in (0.2, 0.5)
                ),
            ),
            Limit(
                name="magnetic-fixed-magnet",
                statement="with a magnet that stays the limit is the equilibrium regularised towards it at the "
                "temperature tau",
                source="Sokota et al. 2023, Theorem 3.4; docs/theory.md, mirror descent",
                of="last",
                hypotheses=_never_refreshed,
                log_policy=lambda rule, facts: facts.regularized_equilibrium(rule.inner_temperature),
                trials=(
                    Trial("comal", settings={"refresh": 10**9}, max_steps=2000),
                    Trial("rock_paper_scissors", settings={"refresh": 10**9}, max_steps=2000),
                ),
            ),
            Contraction(
                name="magnetic-refreshed-every-step",
                statement="KL(pi* || pi_t) does not grow however often the magnet moves",
                source="moving the magnet as it is described for language models, with no count of steps between moves",
                of="last",
                hypotheses=_one_step_each,
                log_factor=lambda rule, facts, steps: np.zeros(len(steps)),
                proved=False,
                trials=(
                    Trial("comal", settings={"refresh": 1}, max_steps=2000),
                    Trial("rock_paper_scissors", settings={"refresh": 1}, max_steps=2000),
                ),
            ),
        ),
    )
)
class Magnetic(NamedTuple):
    r"""Step towards the payoff and towards a magnet; after every `refresh` steps put the magnet where the policy is.

    .. math::
        \pi_{t+1} \propto \pi_t^{1-\eta\tau}\, \rho_t^{\eta\tau} \exp(\eta A \pi_t), \qquad
        \rho_{t+1} = \begin{cases} \pi_{t+1} & \text{if } K \text{ divides } t+1, \\ \rho_t & \text{else.} \end{cases}

    A magnet :math:`\rho` that stays makes this mirror descent on the game regularised towards it, which converges, but
    to the wrong policy. A magnet that follows leads to an equilibrium of the game itself. One that follows at once
    (K = 1) does nothing: the method is then multiplicative weights, and spirals outwards in a cycle.

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`; "largest" is the largest step with a linear rate between two moves of the magnet,
        :math:`\tau/(\tau^2+a^2)`.
    inner_temperature : float
        :math:`\tau`, the strength of the magnet (the temperature of the problem itself must be 0).
    refresh : int
        K, the number of steps between two moves of the magnet.

    Notes
    -----
    Symbols of the paper: magnet strength :math:`\alpha = \tau`; its step :math:`\eta_M` weighs the new iterate against
    the old one without the magnet, so that :math:`\eta = \eta_M / (1 + \eta_M \alpha)` (``gp.PAPERS["mpo"]`` converts).
    With mirror descent inside, COMAL takes the same steps; one of its steps is K of these.

    References
    ----------
    wang2025magnetic, sokota2023unified.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> solution = gp.solve(gp.zoo["comal"].game, "magnetic", start=[0.5, 0.3, 0.2], tol=1e-9, jit=False)
    >>> solution.policy.round(4)
    array([0.3636, 0.2727, 0.3636])
    """

    step_size: StepSize = "largest"
    inner_temperature: float = 0.2
    refresh: int = 50

    def init(self, problem: TabularProblem) -> State:
        """Start at the start, with the magnet there."""
        return State(x=problem.start, magnet=problem.start, t=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        eta = step_size_at(self.step_size, state.t)
        pull = eta * self.inner_temperature
        base = blend(problem, (state.x, state.magnet), (1.0 - pull, pull))
        new = mirror(problem, base, field(problem, state.x, rng), eta)
        moves = (state.t + 1) % self.refresh == 0
        return State(x=new, magnet=new if moves else state.magnet, t=state.t + 1)
