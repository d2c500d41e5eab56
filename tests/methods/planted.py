"""Methods that are wrong on purpose, each in one place, under the promises of the right one."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

import gametheory_pref as gp
from gametheory_pref.methods import MethodInfo, StepSize, method
from gametheory_pref.verbs import (
    Direction,
    Point,
    blend,
    combine,
    field,
    mirror,
    normalize,
    step_size_at,
)

EXTRAGRADIENT: MethodInfo = gp.METHODS["extragradient"].info
WEIGHTS: MethodInfo = gp.METHODS["multiplicative_weights"].info


class State(NamedTuple):
    x: Point
    t: int


def start(problem) -> State:
    return State(problem.start, 0)


@method(EXTRAGRADIENT)
class SignFlip(NamedTuple):
    """Steps towards what does worst."""

    step_size: StepSize = "largest"

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        half = mirror(problem, base, field(problem, state.x, rng), -eta)
        return State(mirror(problem, base, field(problem, half, rng), -eta), state.t + 1)


@method(EXTRAGRADIENT)
class ForgottenAnchor(NamedTuple):
    """Blends with itself where it should with the reference."""

    step_size: StepSize = "largest"

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        eta = step_size_at(self.step_size, state.t)
        half = mirror(problem, state.x, field(problem, state.x, rng), eta)
        return State(mirror(problem, state.x, field(problem, half, rng), eta), state.t + 1)


@method(EXTRAGRADIENT)
class AnchorOfTheHalfStepOnly(NamedTuple):
    """Looks ahead from the blend, then steps from the bare policy."""

    step_size: StepSize = "largest"

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        half = mirror(problem, base, field(problem, state.x, rng), eta)
        return State(mirror(problem, state.x, field(problem, half, rng), eta), state.t + 1)


@method(EXTRAGRADIENT)
class StalePayoff(NamedTuple):
    """Looks ahead, then steps by the payoff from before the look."""

    step_size: StepSize = "largest"

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        before = field(problem, state.x, rng)
        half = mirror(problem, base, before, eta)
        field(problem, half, rng)
        return State(mirror(problem, base, before, eta), state.t + 1)


@method(EXTRAGRADIENT)
class NoOp(NamedTuple):
    """Stays where it is, after asking as often as it says."""

    step_size: StepSize = "largest"

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        field(problem, state.x, rng)
        field(problem, state.x, rng)
        return State(state.x, state.t + 1)


@method(EXTRAGRADIENT)
class Uniform(NamedTuple):
    """Answers evenly whatever the game."""

    step_size: StepSize = "largest"

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        nothing = combine(problem, (field(problem, state.x, rng), field(problem, state.x, rng)), (0.0, 0.0))
        return State(mirror(problem, blend(problem, (state.x,), (0.0,)), nothing, 1.0), state.t + 1)


@method(EXTRAGRADIENT)
class ScheduleOffByOne(NamedTuple):
    """Takes the step size of the step after."""

    step_size: StepSize = "largest"

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        eta = step_size_at(self.step_size, state.t + 1)
        pull = eta * problem.temperature
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        half = mirror(problem, base, field(problem, state.x, rng), eta)
        return State(mirror(problem, base, field(problem, half, rng), eta), state.t + 1)


class Averaging(NamedTuple):
    x: Point
    weights: Point
    t: int


@method(replace(WEIGHTS, name="biased_average", answer="last"))
class BiasedAverage(NamedTuple):
    """Averages logarithms of the policies of multiplicative weights, not probabilities."""

    step_size: StepSize = "horizon"

    def init(self, problem):
        return Averaging(problem.start, problem.start, 0)

    def step(self, problem, state, rng):
        eta = step_size_at(self.step_size, state.t)
        new = mirror(problem, state.weights, field(problem, state.weights, rng), eta)
        share = 1.0 / (state.t + 2.0)
        return Averaging(normalize(problem, blend(problem, (state.x, new), (1.0 - share, share))), new, state.t + 1)


@method(replace(WEIGHTS, name="average_of_the_start"))
class AverageWithTheStart(NamedTuple):
    """Plays multiplicative weights mixed with the start, so that the average is biased towards it."""

    step_size: StepSize = "horizon"

    def init(self, problem):
        return Averaging(problem.start, problem.start, 0)

    def step(self, problem, state, rng):
        eta = step_size_at(self.step_size, state.t)
        new = mirror(problem, state.weights, field(problem, state.weights, rng), eta)
        return Averaging(
            normalize(problem, blend(problem, (new, problem.start), (0.5, 0.5))), new, state.t + 1
        )


@method(EXTRAGRADIENT)
class DoubleSteps(NamedTuple):
    """Takes two steps and counts one."""

    step_size: StepSize = "largest"

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        x = state.x
        for _ in range(2):
            base = blend(problem, (x, problem.reference), (1.0 - pull, pull))
            half = mirror(problem, base, field(problem, x, rng), eta)
            x = mirror(problem, base, field(problem, half, rng), eta)
        return State(x, state.t + 1)


@method(EXTRAGRADIENT)
class FirstResponseFavoured(NamedTuple):
    """Keeps a little more of whatever is listed first."""

    step_size: StepSize = "largest"

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        half = mirror(problem, base, field(problem, state.x, rng), eta)
        favour = Direction(np.eye(len(problem.payoff))[0])
        payoff = combine(problem, (field(problem, half, rng), favour), (1.0, 1e-3))
        return State(mirror(problem, base, payoff, eta), state.t + 1)


@method(EXTRAGRADIENT)
class Unnormalized(NamedTuple):
    """Loses a thousandth of the mass at every step."""

    step_size: StepSize = "largest"

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        new = SignFlip(self.step_size).step(problem, state, rng).x
        return State(Point(new.log - 1e-3, new.prob * np.exp(-1e-3)), state.t + 1)


@method(EXTRAGRADIENT)
class CountsRows(NamedTuple):
    """Is anchored at equal shares for all rows, whatever the reference."""

    step_size: StepSize = "largest"

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        eta = step_size_at(self.step_size, state.t)
        even = normalize(problem, blend(problem, (state.x,), (0.0,)))
        base = blend(problem, (state.x, even), (0.9, 0.1))
        half = mirror(problem, base, field(problem, state.x, rng), eta)
        return State(mirror(problem, base, field(problem, half, rng), eta), state.t + 1)


@method(EXTRAGRADIENT)
class SharesStepsAmongPlayers(NamedTuple):
    """Divides the step by the mass of all players' policies, which is 1 for a single one."""

    step_size: StepSize = "largest"

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        eta = step_size_at(self.step_size, state.t) / state.x.prob.sum()
        pull = eta * problem.temperature
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        half = mirror(problem, base, field(problem, state.x, rng), eta)
        return State(mirror(problem, base, field(problem, half, rng), eta), state.t + 1)


HIDDEN: list[int] = []


@method(EXTRAGRADIENT)
class HiddenState(NamedTuple):
    """Counts its steps where no state can see it."""

    step_size: StepSize = "largest"

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        HIDDEN.append(state.t)
        eta = step_size_at(self.step_size, state.t) / (1.0 + 1e-3 * len(HIDDEN))
        pull = eta * problem.temperature
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        half = mirror(problem, base, field(problem, state.x, rng), eta)
        return State(mirror(problem, base, field(problem, half, rng), eta), state.t + 1)


OWN = np.random.default_rng(0)


@method(EXTRAGRADIENT)
class OwnLuck(NamedTuple):
    """Draws from a generator of its own."""

    step_size: StepSize = "largest"

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        eta = step_size_at(self.step_size, state.t)
        return State(mirror(problem, state.x, field(problem, state.x, OWN), eta), state.t + 1)


@method(replace(EXTRAGRADIENT, converges=False))
class FalseModesty(NamedTuple):
    """Is right, and says that it need not converge."""

    step_size: StepSize = "largest"

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        half = mirror(problem, base, field(problem, state.x, rng), eta)
        return State(mirror(problem, base, field(problem, half, rng), eta), state.t + 1)


@method(replace(EXTRAGRADIENT, name="blown_up"))
class BlownUp(NamedTuple):
    """Is right for ten steps, then divides zero by zero."""

    def init(self, problem):
        return start(problem)

    def step(self, problem, state, rng):
        new = mirror(problem, state.x, field(problem, state.x, rng), 0.1)
        if state.t >= 10:
            new = mirror(problem, state.x, field(problem, state.x, rng), np.nan)
        return State(new, state.t + 1)


WRONG = {
    SignFlip: "the_answer_is_reached",
    ForgottenAnchor: "an_equilibrium_is_a_fixed_point",
    AnchorOfTheHalfStepOnly: "an_equilibrium_is_a_fixed_point",
    StalePayoff: "theorems_hold",
    NoOp: "the_answer_is_reached",
    Uniform: "the_answer_is_reached",
    ScheduleOffByOne: "step_sizes_are_read_on_time",
    BiasedAverage: "the_answer_is_reached",
    AverageWithTheStart: "the_answer_is_reached",
    DoubleSteps: "counts",
    FirstResponseFavoured: "names_do_not_matter",
    Unnormalized: "policies_are_policies",
    CountsRows: "twins_share",
    SharesStepsAmongPlayers: "two_players_play_as_one_against_itself",
    HiddenState: "going_on_is_one_long_run",
    OwnLuck: "the_same_luck_gives_the_same_run",
    FalseModesty: "the_answer_is_reached",
    BlownUp: "documentation",
}
"""Wrong method -> the check of the battery that is there for it; others may fail as well."""
