"""Extragradient whose steps are as long as the proof of its rate allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..verbs import Generator, Point, Schedule, TabularProblem, divergence, field, step_size_at
from ._adaptive import ROUNDING, accepted_step
from ._info import (
    BOTH,
    Contraction,
    MethodInfo,
    StepFacts,
    StepSize,
    exact_payoffs,
    extragradient_cap,
    first_reason,
    method,
)
from ._theory import constant_step, unique_equilibrium

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts


def blind_step(facts: StepFacts) -> Schedule:
    r"""Return a first step that knows nothing of the payoffs, :math:`1 / (1 + \beta)`."""
    return Schedule(1.0 / (1.0 + facts.temperature))


def smallest_step(rule: Any, facts: Facts) -> float:
    """Return what no accepted step falls below: the first one tried, or `shrink` times the cap of extragradient."""
    cap = float(extragradient_cap(facts.step_facts).scale)
    return min(float(rule.step_size.scale), float(rule.shrink) * cap)


def _log_factor(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    return np.asarray(steps * np.log1p(-smallest_step(rule, facts) * facts.temperature))


def _constant(rule: Any, facts: Facts) -> str | None:
    return first_reason(constant_step(rule), exact_payoffs(facts), unique_equilibrium(facts))


def _check(rule: Any, facts: StepFacts) -> None:
    if not 0.0 < rule.shrink < 1.0:
        raise InputError(f"shrink must lie between 0 and 1; got {rule.shrink!r}")
    if not 1.0 <= rule.growth < float("inf"):
        raise InputError(f"growth must be a number of at least 1; got {rule.growth!r}")


class State(NamedTuple):
    """The current policy, the number of steps taken, and what the search for step sizes has found.

    Attributes
    ----------
    step_size : float
        The last step accepted; 0 before the first.
    moved : bool
        Whether it changed the policy by more than rounding does.
    log_factor : float
        Sum of ``log(1 - eta_t beta)`` over the steps accepted: the logarithm of a bound on how much
        ``KL(pi* || pi_t)`` has shrunk.
    calls : int
        Payoff products so far.
    """

    x: Point
    t: int
    step_size: float
    moved: bool
    log_factor: float
    calls: int


@method(
    MethodInfo(
        name="adaptive_extragradient",
        title="Adaptive extragradient",
        solves=BOTH,
        payoff_calls=None,
        answer="last",
        step_sizes={"blind": blind_step},
        cite=("khobotov1987modification", "zhou2025extragradient"),
        trust="theory",
        check=_check,
        guarantees=(
            Contraction(
                name="adaptive-extragradient-contraction",
                statement="KL(pi* || pi_t) <= prod_s (1 - eta_s beta) KL(pi* || pi_0), and eta_s >= min(eta_0, "
                "shrink * cap) with the cap 2 / (beta + sqrt(beta^2 + 4 a^2)), which the rule does not know",
                source="docs/theory.md, adaptive steps",
                of="last",
                hypotheses=_constant,
                log_factor=_log_factor,
            ),
        ),
    )
)
class AdaptiveExtragradient(NamedTuple):
    r"""Extragradient with the longest step whose progress can be checked, so that no bound on the payoffs is needed.

    .. math::
        b_t \propto \pi_t^{1-\eta_t\beta}\, \mu^{\eta_t\beta}, \qquad
        \pi_{t+1/2} \propto b_t \exp(\eta_t A \pi_t), \qquad
        \pi_{t+1} \propto b_t \exp(\eta_t A \pi_{t+1/2})

    where :math:`\eta_t` is the first of `growth` times the last step (if that moved), this times `shrink`, ... with

    .. math::
        KL(\pi_{t+1/2} \| \pi_{t+1}) \le (1-\eta_t\beta)\, KL(\pi_{t+1/2} \| \pi_t).

    That is what the proof of the rate of extragradient needs, no more: the divergence from every equilibrium then falls
    by the factor :math:`1-\eta_t\beta` or more. Near an equilibrium that mixes many responses the steps become longer
    than the worst case over all policies allows.

    Parameters
    ----------
    step_size : float or str
        The first step tried; "blind" is :math:`1/(1+\beta)`. All steps stay below :math:`1/\beta`.
    shrink : float
        Factor by which a step that fails the test is shortened.
    growth : float
        Factor by which the step grows after every success.

    Notes
    -----
    Every trial costs one payoff product, every step one more; ``State.calls`` counts them. With sampled payoffs the
    test compares noise with noise, and no theorem applies.

    References
    ----------
    khobotov1987modification, zhou2025extragradient.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> solution = gp.solve(gp.zoo["comal"].game, "adaptive_extragradient", temperature=0.1, tol=1e-12, jit=False)
    >>> solution.policy.round(4), solution.n_steps, solution.payoff_calls
    (array([0.3371, 0.2835, 0.3794]), 27, 59)
    """

    step_size: StepSize = "blind"
    shrink: float = 0.5
    growth: float = 1.2

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        return State(x=problem.start, t=0, step_size=0.0, moved=True, log_factor=0.0, calls=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        heat = problem.temperature
        # Where nothing moves every step passes, and without this they would grow beyond all numbers.
        growth = self.growth if state.moved else 1.0
        first = step_size_at(self.step_size, state.t) if state.t == 0 else growth * state.step_size
        if first * heat >= 1.0:
            # Beyond, the base would have a negative weight.
            first = first * self.shrink if state.t == 0 else state.step_size
        payoff = field(problem, state.x, rng)
        found = accepted_step(problem, state.x, payoff, problem.reference, heat, first, self.shrink, rng)
        return State(
            x=found.x,
            t=state.t + 1,
            step_size=found.step_size,
            moved=divergence(problem, found.x, state.x) > ROUNDING,
            log_factor=state.log_factor + np.log1p(-found.step_size * heat),
            calls=state.calls + 1 + found.calls,
        )
