"""Convergent meta alignment: regularised games solved one after the other, each anchored at the last answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..verbs import Generator, Point, TabularProblem, blend, bookmark, field, keep, mirror, step_size_at
from ._info import (
    MINIMAX,
    Bound,
    Contraction,
    MethodInfo,
    StepFacts,
    StepSize,
    Trial,
    cold,
    exact_payoffs,
    extragradient_cap,
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
    return within_inner_cap(rule, facts, rule.lookahead)


def _bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    tau, count = rule.inner_temperature, rule.inner_steps
    error = inner_error(rule.step_size.scale, tau, facts.payoff_bound, count, rule.lookahead)
    return np.asarray(first_divergence(facts) + steps * error[-1])


def _short_inner_loop(rule: Any, facts: Facts) -> str | None:
    long = None if rule.inner_steps == 1 else "the inner loop takes several steps; this is about a single one"
    return first_reason(cold(facts), exact_payoffs(facts), long, unique_equilibrium(facts))


def _check(rule: Any, facts: StepFacts) -> None:
    if not (isinstance(rule.inner_steps, int) and rule.inner_steps >= 1):
        raise InputError(f"inner_steps must be a whole number of at least 1; got {rule.inner_steps!r}")


class State(NamedTuple):
    """The current policy, which is the next reference, the number of outer steps taken, and payoff products so far."""

    x: Point
    t: int
    calls: int


@method(
    MethodInfo(
        name="comal",
        title="Convergent meta alignment (COMAL)",
        solves=MINIMAX,
        payoff_calls=None,
        answer="last",
        step_sizes={"mirror_descent": mirror_descent_cap, "extragradient": extragradient_cap},
        cite=("liu2024comal",),
        trust="paper numbers",
        check=_check,
        guarantees=(
            Bound(
                name="comal-divergence",
                statement="KL(pi* || pi_{t+1}) <= KL(pi* || pi_t) + s_K  for every equilibrium pi*, where the error "
                "s_K of K inner steps falls geometrically with K; with exact inner solves KL never grows",
                source="docs/theory.md, moving references; Liu et al. 2024 for exact inner solves",
                of="last",
                hypotheses=_within_cap,
                quantity="kl",
                bound=_bound,
                # With few inner steps the bound is far above what happens; with these it says that KL does not rise.
                trials=tuple(
                    Trial(game, settings={"inner_steps": 400, "inner_temperature": tau}, max_steps=50)
                    for game in ("rock_paper_scissors", "comal", "weighted_five_cycle", "bradley_terry", "random_10_0")
                    for tau in (0.2, 0.5)
                ),
            ),
            Contraction(
                name="comal-single-inner-step",
                statement="KL(pi* || pi_t) never grows, however few the inner steps",
                source="COMAL with the inner loop cut to one step, which is multiplicative weights",
                of="last",
                hypotheses=_short_inner_loop,
                log_factor=lambda rule, facts, steps: np.zeros(len(steps)),
                proved=False,
                trials=(
                    Trial("comal", settings={"inner_steps": 1}, max_steps=2000),
                    Trial("rock_paper_scissors", settings={"inner_steps": 1}, max_steps=2000),
                ),
            ),
        ),
    )
)
class Comal(NamedTuple):
    r"""Solve the game regularised towards the current policy, make the answer the reference, repeat.

    .. math::
        \pi_{t+1} \approx \arg\max_\pi \min_{\pi'}\ \pi^T A \pi' - \tau KL(\pi \| \pi_t) + \tau KL(\pi' \| \pi_t)

    by `inner_steps` steps of mirror descent (INPO), or of extragradient, from :math:`\pi_t`. One step of the rule is
    one such inner loop. With an exact inner solve this is the proximal point method with :math:`\eta = 1/\tau`, so the
    divergence from every equilibrium of the game falls for any :math:`\tau`, and the limit is an equilibrium of the
    game itself. With one inner step it is multiplicative weights, and spirals outwards in a cycle.

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta` of the inner steps; "mirror_descent" and "extragradient" are the largest with a linear rate for the
        two kinds of inner steps.
    inner_temperature : float
        :math:`\tau`, how strongly the inner games are regularised (the temperature of the problem itself must be 0).
    inner_steps : int
        K, the number of inner steps.
    lookahead : bool
        True for extragradient inside (two payoff products an inner step), False for mirror descent (one).

    Notes
    -----
    Symbols of the paper: :math:`\tau` and :math:`\eta` are those here. Symbols of its program: ``ETA`` is
    :math:`1/\eta`, ``RATIO`` is :math:`\eta\tau` (``gp.PAPERS["comal_program"]`` converts).

    References
    ----------
    liu2024comal.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> solution = gp.solve(gp.zoo["comal"].game, "comal", start=[0.5, 0.3, 0.2], tol=1e-9, jit=False)
    >>> solution.policy.round(4), solution.payoff_calls // solution.n_steps
    (array([0.3636, 0.2727, 0.3636]), 50)
    """

    step_size: StepSize = "mirror_descent"
    inner_temperature: float = 0.2
    inner_steps: int = 50
    lookahead: bool = False

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        return State(x=problem.start, t=0, calls=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take the inner steps."""
        eta = step_size_at(self.step_size, state.t)
        pull = eta * self.inner_temperature
        x, since = state.x, bookmark(problem)
        for _ in range(self.inner_steps):
            base = blend(problem, (x, state.x), (1.0 - pull, pull))
            new = mirror(problem, base, field(problem, x, rng), eta)
            if self.lookahead:
                new = mirror(problem, base, field(problem, new, rng), eta)
            x = keep(problem, new, since)
        each = 2 if self.lookahead else 1
        return State(x=x, t=state.t + 1, calls=state.calls + each * self.inner_steps)
