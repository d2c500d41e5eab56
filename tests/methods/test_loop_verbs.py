"""The words for loops within a step and for regret matching: written twice, and here the two meet."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gametheory_pref import Exact, compiled_verbs, fused, verbs
from gametheory_pref._jit import interpreted
from gametheory_pref.tabular import new_arena
from gametheory_pref.verbs import Direction, Mixture, Point, TabularProblem


def point(prob) -> Point:
    with np.errstate(divide="ignore"):
        return Point(np.log(np.asarray(prob)), np.asarray(prob))


def problem_of(blocks, rows: int = 12) -> TabularProblem:
    n = blocks[-1]
    even = point(np.concatenate([np.full(size, 1.0 / size) for size in np.diff(blocks)]))
    return TabularProblem(np.zeros((n, n)), np.array(blocks), even, even, 0.0, Exact(), new_arena(n, rows))


BLOCKS = [(0, 1), (0, 5), (0, 2, 5)]


@pytest.mark.parametrize("blocks", BLOCKS, ids=str)
def test_words_of_regret_matching(blocks):
    rng = np.random.default_rng(0)
    problem = problem_of(blocks)
    direction = Direction(rng.normal(size=blocks[-1]))
    x = point(np.concatenate([rng.dirichlet(np.ones(size)) for size in np.diff(blocks)]))
    with interpreted():
        before = Direction(rng.normal(size=blocks[-1]))
        plain = verbs.add_regrets(problem, before, direction, x)
        compiled = compiled_verbs._add_regrets(problem, before, direction, x)
        np.testing.assert_allclose(compiled.value, plain.value, atol=1e-15)
        new = plain.value - before.value
        for first, last in itertools.pairwise(blocks):
            np.testing.assert_allclose(new[first:last] @ x.prob[first:last], 0.0, atol=1e-15)
            np.testing.assert_allclose(np.ptp(new[first:last] - direction.value[first:last]), 0.0, atol=1e-15)
        gains = verbs.positive(problem, direction)
        np.testing.assert_array_equal(gains.value, np.maximum(direction.value, 0.0))
        np.testing.assert_array_equal(compiled_verbs._positive(problem, direction).value, gains.value)
        for weight in (gains, direction):
            shares, fast = verbs.proportional(problem, weight, x), compiled_verbs._proportional(problem, weight, x)
            np.testing.assert_allclose(fast.prob, shares.prob, atol=1e-16)


def test_shares_of_nothing_are_those_from_before():
    """Player by player: the first has no gains, the second has."""
    problem, x = problem_of((0, 2, 5)), point([0.3, 0.7, 0.2, 0.3, 0.5])
    gains = Direction(np.array([0.0, -2.0, 0.0, 3.0, 1.0]))
    with interpreted():
        for found in (verbs.proportional(problem, gains, x), compiled_verbs._proportional(problem, gains, x)):
            np.testing.assert_allclose(found.prob, [0.3, 0.7, 0.0, 0.75, 0.25], rtol=1e-15)


def test_records_hold_the_logarithms_of_policies_known_by_their_probabilities():
    problem, x = problem_of((0, 5)), Mixture(np.array([0.5, 0.0, 0.2, 1e-300, 0.3]))
    with interpreted():
        found = fused.in_both(problem, x)
        assert fused.in_both(problem, problem.start) is problem.start
    np.testing.assert_array_equal(found.prob, x.prob)
    logs = [np.log(0.5), -np.inf, np.log(0.2), -300.0 * np.log(10.0), np.log(0.3)]
    np.testing.assert_allclose(found.log, logs, rtol=1e-14)


def test_kept_policies_give_scratch_back():
    """A loop that keeps one policy a round ends with the rows it began with, and the policy as it was."""
    problem = problem_of((0, 5))
    rng = np.random.default_rng(1)
    first = compiled_verbs.fresh_row(problem.arena)
    first.value[:] = 7.0
    x, expected = problem.start, problem.start.prob
    with interpreted():
        since = compiled_verbs._bookmark(problem)
        for _ in range(20):
            step = Direction(rng.normal(size=5))
            expected = expected * np.exp(step.value)
            expected = expected / expected.sum()
            compiled_verbs.fresh_row(problem.arena).value[:] = np.nan
            x = compiled_verbs._keep(problem, compiled_verbs._mirror(problem, x, step, 1.0), since)
            np.testing.assert_allclose(x.prob, expected, rtol=1e-12)
            np.testing.assert_allclose(np.exp(x.log), expected, rtol=1e-12)
    assert problem.arena.cursor.tolist() == [since + 2, 0]
    np.testing.assert_array_equal(first.value, 7.0)


def test_keeping_beyond_the_scratch_is_noticed():
    problem = problem_of((0, 3), rows=3)
    with interpreted():
        compiled_verbs.fresh_point(problem.arena)
        since = compiled_verbs._bookmark(problem)
        compiled_verbs._keep(problem, problem.start, since)
    assert problem.arena.cursor[1] != 0


def test_in_the_interpreter_keeping_is_nothing():
    problem = problem_of((0, 3))
    assert verbs.keep(problem, problem.start, verbs.bookmark(problem)) is problem.start
