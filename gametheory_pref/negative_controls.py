"""Rules that are wrong on purpose, and claims that nobody makes: if one of them passes, the verifier is at fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .methods._info import (
    REGULARIZED,
    Contraction,
    Guarantee,
    Limit,
    MethodInfo,
    Trial,
    anchored_log_factor,
    method,
    mirror_descent_cap,
)
from .verbs import Generator, Point, TabularProblem, blend, field, mirror, step_size_at

if TYPE_CHECKING:
    from ._types import FloatArray, IntArray
    from .facts import Facts

RPS = "rock_paper_scissors"


class Control(NamedTuple):
    """A rule and a false claim about it; its runs are short enough for the interpreter."""

    rule: Any
    claim: Guarantee


def _no_hypotheses(rule: Any, facts: Facts) -> str | None:
    return None


def _never_rises(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    return np.zeros(len(steps))


def _equilibrium(rule: Any, facts: Facts) -> FloatArray:
    assert facts.log_equilibrium is not None
    return facts.log_equilibrium


def _contracts(name: str, statement: str, *trials: Trial) -> Contraction:
    """Return the rate of anchored methods, claimed without its hypotheses."""
    return Contraction(
        name=name,
        statement=statement,
        source="nobody; a negative control",
        of="last",
        hypotheses=_no_hypotheses,
        log_factor=anchored_log_factor,
        proved=False,
        trials=trials,
    )


def _arrives(name: str, condition: str, *trials: Trial) -> Limit:
    """Return the claim that the last iterate finds the equilibrium under a condition."""
    return Limit(
        name=name,
        statement=f"pi_t -> pi* {condition}",
        source="nobody; a negative control",
        of="last",
        hypotheses=_no_hypotheses,
        log_policy=_equilibrium,
        proved=False,
        trials=trials,
    )


class _State(NamedTuple):
    x: Point
    t: int


def _info(name: str, title: str) -> MethodInfo:
    return MethodInfo(
        name=name,
        title=title,
        solves=REGULARIZED,
        payoff_calls=1,
        answer="last",
        step_sizes={"largest": mirror_descent_cap},
        cite=(),
        converges=False,
    )


@method(_info("stand_still", "Doing nothing"))
class StandStill(NamedTuple):
    """Return the start."""

    step_size: Any = "largest"

    def init(self, problem: TabularProblem) -> _State:
        """Start at the start."""
        return _State(problem.start, 0)

    def step(self, problem: TabularProblem, state: _State, rng: Generator) -> _State:
        """Do nothing."""
        return _State(state.x, state.t + 1)


@method(_info("wrong_sign", "Mirror descent with the wrong sign"))
class WrongSign(NamedTuple):
    """Mirror descent that prefers what loses."""

    step_size: Any = "largest"

    def init(self, problem: TabularProblem) -> _State:
        """Start at the start."""
        return _State(problem.start, 0)

    def step(self, problem: TabularProblem, state: _State, rng: Generator) -> _State:
        """Take one step away from what wins."""
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        return _State(mirror(problem, base, field(problem, state.x, rng), -eta), state.t + 1)


@method(_info("forgotten_anchor", "Mirror descent without its anchor"))
class ForgottenAnchor(NamedTuple):
    """Mirror descent that forgets the reference."""

    step_size: Any = "largest"

    def init(self, problem: TabularProblem) -> _State:
        """Start at the start."""
        return _State(problem.start, 0)

    def step(self, problem: TabularProblem, state: _State, rng: Generator) -> _State:
        """Take one step from where it is."""
        eta = step_size_at(self.step_size, state.t)
        return _State(mirror(problem, state.x, field(problem, state.x, rng), eta), state.t + 1)


class _Stale(NamedTuple):
    x: Point
    before: Point
    t: int


@method(_info("stale_payoff", "Mirror descent on the payoff of the step before"))
class StalePayoff(NamedTuple):
    """Mirror descent on payoffs that are one step old."""

    step_size: Any = "largest"

    def init(self, problem: TabularProblem) -> _Stale:
        """Start at the start."""
        return _Stale(problem.start, problem.start, 0)

    def step(self, problem: TabularProblem, state: _Stale, rng: Generator) -> _Stale:
        """Take one step with the payoff against the policy before."""
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        return _Stale(mirror(problem, base, field(problem, state.before, rng), eta), state.x, state.t + 1)


def _short(game: str, temperature: float) -> Trial:
    return Trial(game, temperature, reference=[0.5, 0.3, 0.2], max_steps=300)


def controls() -> tuple[Control, ...]:
    """Return every control."""
    from .methods import METHODS

    cap = "KL(pi* || pi_{t+1}) <= (1 - eta beta) KL(pi* || pi_t)"
    planted: list[tuple[Any, list[Trial]]] = [
        (StandStill, [_short(RPS, 0.1), _short("comal", 0.5)]),
        (WrongSign, [_short("comal", 0.1), Trial("bradley_terry", 0.1, max_steps=300)]),
        (ForgottenAnchor, [_short("comal", 0.1), _short(RPS, 0.5)]),
        (StalePayoff, [_short("comal", 0.1), _short(RPS, 0.1)]),
    ]
    wrong = [
        Control(rule, _contracts(f"{rule.info.name.replace('_', '-')}-contracts", cap, *trials))
        for rule, trials in planted
    ]
    beyond = _contracts(
        "mirror-descent-any-step",
        f"{cap}  for every step",
        Trial(RPS, 0.02, {"step_size": 1.0}, [0.5, 0.3, 0.2], max_steps=2000),
    )
    start = [0.5, 0.3, 0.2]
    spiral = _arrives(
        "multiplicative-weights-last-iterate",
        "at temperature 0",
        Trial(RPS, 0.0, {"step_size": 0.5}, start=start, max_steps=3000),
    )
    # Equal weights have m_2 = 1/2. The other has m_2 = 4, but three runs interleaved, of which one grows.
    anchors = _arrives(
        "two-equal-anchors",
        "at temperature 0, with equal weights on the last two policies",
        Trial(RPS, 0.0, {"step_size": 0.5, "weights": (0.5, 0.5)}, start=start, max_steps=1500),
    )
    interleaved = _arrives(
        "anchor-on-every-third",
        "at temperature 0, for any weights with sum_j weight_j j^2 > 1",
        Trial(RPS, 0.0, {"step_size": 0.2, "weights": (0.0, 0.0, 1.0)}, start=start, max_steps=1500),
    )
    momentum = Contraction(
        name="momentum-on-a-cycle",
        statement="KL(pi* || pi_t) never rises",
        source="nobody; a negative control",
        of="last",
        hypotheses=_no_hypotheses,
        log_factor=_never_rises,
        proved=False,
        trials=(Trial(RPS, 0.0, {"step_size": 0.2}, start=[0.34, 0.33, 0.33], max_steps=1000),),
    )
    on_methods = [
        ("mirror_descent", beyond),
        ("multiplicative_weights", spiral),
        ("accelerated", momentum),
        ("mnpo", anchors),
        ("mnpo", interleaved),
    ]
    return (*wrong, *(Control(METHODS[name], claim) for name, claim in on_methods))
