"""What somebody reads whose update rule numba cannot compile."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref._uncompilable import uncompilable
from gametheory_pref.errors import UnsupportedCombination
from gametheory_pref.methods._info import BOTH, MethodInfo, method
from gametheory_pref.verbs import Direction, Point, field, mirror

GAME = gp.zoo["comal"].game


class State(NamedTuple):
    x: Point
    t: int


def own_rule(step):
    """Return a class of rules with this step."""

    class Own(NamedTuple):
        step_size: float = 0.5

        def init(self, problem):
            return State(problem.start, 0)

    Own.step = step
    info = MethodInfo(
        name="own", title="Own", solves=BOTH, payoff_calls=1, answer="last", step_sizes={}, cite=(), trust="theory"
    )
    return method(info)(Own)


def unmarked_helper(x):
    return 0.1


def calls_a_helper(self, problem, state, rng):
    return State(mirror(problem, state.x, field(problem, state.x, rng), unmarked_helper(state.x)), state.t + 1)


def makes_an_array(self, problem, state, rng):
    return State(mirror(problem, state.x, Direction(field(problem, state.x, rng).value * 2.0), 0.1), state.t + 1)


def gives_a_verb_the_wrong_thing(self, problem, state, rng):
    return State(mirror(problem, state.x, field(problem, state.x, rng).value, 0.1), state.t + 1)


def changes_its_state(self, problem, state, rng):
    return State(mirror(problem, state.x, field(problem, state.x, rng), 0.1), state.t + 0.5)


def raises(self, problem, state, rng):
    if state.t == 3:
        raise ValueError("three is enough")
    return State(mirror(problem, state.x, field(problem, state.x, rng), 0.1), state.t + 1)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (calls_a_helper, r"test_uncompilable.py, line \d+.*'unmarked_helper'.*@verbs.part"),
        (makes_an_array, r"test_uncompilable.py, line \d+.*it makes an array"),
        (gives_a_verb_the_wrong_thing, r"test_uncompilable.py, line \d+.*Unknown attribute 'value'"),
        (changes_its_state, "Cannot unify.*int64.*float64.*the type of init"),
    ],
)
def test_a_sentence_in_place_of_numbas_pages(step, message):
    rule = own_rule(step)()
    with pytest.raises(UnsupportedCombination, match=f"^Own cannot be compiled.*{message}.*jit=False") as caught:
        gp.solve(GAME, rule, temperature=0.1, max_steps=20)
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_rule_runs_in_the_interpreter():
    solution = gp.solve(GAME, own_rule(calls_a_helper)(), temperature=0.0, max_steps=20, tol=0.0, jit=False)
    assert solution.n_steps == 20


def test_batches_say_so_too():
    with pytest.raises(UnsupportedCombination, match="^Own cannot be compiled"):
        gp.solve_batch(np.array([GAME.preference]), method=own_rule(calls_a_helper)())


@pytest.mark.parametrize("jit", [True, False])
def test_what_a_rule_raises_by_itself_stays(jit):
    with pytest.raises(ValueError, match="three is enough"):
        gp.solve(GAME, own_rule(raises)(), max_steps=20, tol=0.0, jit=jit)


def test_an_error_that_says_little_is_quoted():
    assert "cannot be compiled: no idea; mend" in str(uncompilable("Own", RuntimeError("no idea")))
