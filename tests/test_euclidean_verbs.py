"""The verbs of projected steps, of geometries and of sides, as NumPy and as compiled loops."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gametheory_pref import Entropic, Euclidean, verbs
from gametheory_pref._jit import interpreted
from gametheory_pref.methods._info import method
from gametheory_pref.verbs import Anchor, Direction, Mixture, Point

from .test_verbs import BLOCKS, check_equal, drawn_problem, flat, info, stepped

STEP = 0.4


class Said(NamedTuple):
    """What the verbs returned, and what they were given."""

    x: Point
    t: int
    y: Point
    direction: Direction
    project: Mixture
    prox_of_mixture: Mixture
    prox_of_point: Point
    mean_of_mixtures: Mixture
    mean_of_points: Anchor
    start: Mixture
    start_as_point: Point
    square_distance: float
    share: float
    row: Mixture
    column: Mixture
    row_payoff: Direction
    column_payoff: Direction
    row_step: Mixture
    column_step: Mixture


@method(info("every_euclidean_verb"))
class EveryVerb(NamedTuple):
    euclidean: Euclidean = Euclidean()
    entropic: Entropic = Entropic()

    def init(self, problem):
        x, direction = problem.start, verbs.no_direction(problem)
        m = Mixture(x.prob)
        return Said(
            x, 0, x, direction, m, m, x, m, Anchor(x.log), m, x, 0.0, 0.0, m, m, direction, direction, m, m
        )  # fmt: skip

    def step(self, problem, state, rng):
        x, y, d = state.x, state.y, state.direction
        m, other = Mixture(x.prob), Mixture(y.prob)
        row, column = verbs.start_of_side(problem, 0), verbs.start_of_side(problem, 1)
        return Said(
            x, state.t + 1, y, d,
            verbs.project(problem, x, d, 0.4),
            verbs.prox(problem, m, d, 0.4),
            verbs.prox(problem, x, d, 0.4),
            verbs.mean(problem, (m, other), (1.5, -0.5)),
            verbs.mean(problem, (x, y), (1.5, -0.5)),
            verbs.start_in(problem, self.euclidean),
            verbs.start_in(problem, self.entropic),
            verbs.square_distance(problem, x, other),
            verbs.share_of_side(problem),
            row, column,
            verbs.field_of_side(problem, column, 0, rng),
            verbs.field_of_side(problem, row, 1, rng),
            verbs.project_side(problem, row, d, 0.4, 0),
            verbs.project_side(problem, column, d, 0.4, 1),
        )  # fmt: skip


def said(problem, x, y, seed, *, compiled):
    direction = Direction(np.random.default_rng(seed).normal(size=x.prob.size))
    state = EveryVerb().init(problem)._replace(x=x, y=y, direction=direction)
    if compiled:
        return stepped(EveryVerb(), problem, state, None)
    with interpreted():
        return stepped(EveryVerb(), problem, state, None)


@pytest.mark.parametrize("blocks", BLOCKS, ids=str)
def test_compiled_verbs_say_what_the_plain_ones_say(blocks):
    for seed in range(5):
        problem, x, y = drawn_problem(seed, blocks)
        compiled, plain = (said(problem, x, y, seed, compiled=how) for how in (True, False))
        check_equal(compiled, plain, rtol=1e-12)
        assert not any(np.isnan(values).any() for _, values in flat(compiled))


def by_sorting(vector):
    falling = np.sort(vector)[::-1]
    levels = (np.cumsum(falling) - 1.0) / np.arange(1, vector.size + 1)
    return np.maximum(vector - levels[np.flatnonzero(falling > levels)[-1]], 0.0)


@pytest.mark.parametrize("blocks", BLOCKS, ids=str)
def test_plain_verbs_against_their_formulas(blocks):
    problem, x, y = drawn_problem(3, blocks)
    new = said(problem, x, y, 3, compiled=False)
    stepped_x = x.prob + STEP * new.direction.value
    projected = np.concatenate([by_sorting(part) for part in np.split(stepped_x, blocks[1:-1])])
    assert_allclose(new.project.prob, projected, atol=1e-14)
    assert_allclose(new.prox_of_mixture.prob, projected, atol=1e-14)
    multiplied = x.prob * np.exp(STEP * new.direction.value)
    parts = np.split(multiplied, blocks[1:-1])
    assert_allclose(new.prox_of_point.prob, np.concatenate([part / part.sum() for part in parts]), atol=1e-14)
    assert_allclose(new.mean_of_mixtures.prob, 1.5 * x.prob - 0.5 * y.prob, atol=1e-14)
    assert_allclose(new.mean_of_points.log, 1.5 * x.log - 0.5 * y.log, atol=1e-13)
    assert_allclose(new.start.prob, problem.start.prob, atol=0.0)
    assert_allclose(new.square_distance, ((x.prob - y.prob) ** 2).sum(), atol=1e-15)


@pytest.mark.parametrize("blocks", [(0, 3, 7), (0, 1, 2), (0, 4, 5)], ids=str)
def test_two_players_have_a_side_each(blocks):
    problem, x, y = drawn_problem(3, blocks)
    middle = blocks[1]
    # Nobody plays against oneself.
    problem.payoff[:middle, :middle] = 0.0
    problem.payoff[middle:, middle:] = 0.0
    new = said(problem, x, y, 3, compiled=False)
    start = problem.start.prob
    assert new.share == 1.0
    assert_allclose(new.row.prob + new.column.prob, start, atol=0.0)
    assert not new.row.prob[middle:].any() and not new.column.prob[:middle].any()
    assert_allclose(new.row_payoff.value + new.column_payoff.value, problem.payoff @ start, atol=1e-15)
    assert not new.row_payoff.value[middle:].any() and not new.column_payoff.value[:middle].any()
    moved = np.split(start + STEP * new.direction.value, [middle])
    assert_allclose(new.row_step.prob[:middle], by_sorting(moved[0]), atol=1e-14)
    assert_allclose(new.column_step.prob[middle:], by_sorting(moved[1]), atol=1e-14)
    assert not new.row_step.prob[middle:].any() and not new.column_step.prob[:middle].any()


def test_either_side_of_a_symmetric_game_is_the_whole():
    problem, x, y = drawn_problem(3, (0, 7))
    new = said(problem, x, y, 3, compiled=False)
    assert new.share == 0.5
    for part in (new.row, new.column):
        assert_allclose(part.prob, problem.start.prob, atol=0.0)
    for payoff in (new.row_payoff, new.column_payoff):
        assert_allclose(payoff.value, problem.payoff @ problem.start.prob, atol=1e-15)
