"""Payoffs as means of terms: draws without bias, plain and compiled alike, and what they cost."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import NamedTuple

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref import verbs
from gametheory_pref._jit import interpreted
from gametheory_pref.fused import copied, kernel_of, new_marks
from gametheory_pref.kernels.sums import draw_subset
from gametheory_pref.methods._info import BOTH, MethodInfo, method
from gametheory_pref.operators import Dense, FiniteSum
from gametheory_pref.tabular import new_arena
from gametheory_pref.verbs import Direction, Mixture, Point, TabularProblem


def problem_of(payoff, blocks):
    n = blocks[-1]
    start = Point(np.full(n, np.nan), np.full(n, 1.0 / n))
    return TabularProblem(payoff, np.array(blocks), start, start, 0.0, gp.Exact(), new_arena(n, 64))


def skew(seed: int, n: int) -> np.ndarray:
    upper = np.triu(np.random.default_rng(seed).normal(size=(n, n)), 1)
    return upper - upper.T


def two_players(seed: int, rows: int, columns: int) -> np.ndarray:
    block = np.random.default_rng(seed).normal(size=(rows, columns))
    return np.block([[np.zeros((rows, rows)), block], [-block.T, np.zeros((columns, columns))]])


def policies(seed: int, blocks) -> tuple[Mixture, Mixture]:
    rng = np.random.default_rng(seed)
    return tuple(
        Mixture(np.concatenate([rng.dirichlet(np.ones(b - a)) for a, b in itertools.pairwise(blocks)]))
        for _ in range(2)
    )


GAMES = [(skew(0, 7), (0, 7)), (two_players(1, 3, 5), (0, 3, 8))]
SAMPLES = {
    "batch": lambda problem, x, y, weights, rng: verbs.batch_difference(problem, x, y, 2, rng),
    "term": verbs.term_difference,
    "moved": lambda problem, x, y, weights, rng: verbs.moved_difference(problem, x, y, rng),
}


@pytest.mark.parametrize(("payoff", "blocks"), GAMES, ids=["symmetric", "two players"])
@pytest.mark.parametrize("name", SAMPLES)
def test_samples_of_differences_are_unbiased(payoff, blocks, name):
    problem, (x, y), rng = problem_of(payoff, blocks), policies(3, blocks), np.random.default_rng(0)
    weights = verbs.term_weights(problem)
    drawn = np.array([SAMPLES[name](problem, x, y, weights, rng).value for _ in range(20_000)])
    exact = payoff @ (x.prob - y.prob)
    error = drawn.std(axis=0) / np.sqrt(len(drawn))
    assert (np.abs(drawn.mean(axis=0) - exact) <= 4.5 * error + 1e-12).all()
    assert error.max() > 1e-4


@pytest.mark.parametrize(("payoff", "blocks"), GAMES, ids=["symmetric", "two players"])
def test_the_mean_square_of_a_term_is_at_most_that_of_the_frobenius_norm(payoff, blocks):
    """Equal to it in sum: every draw counts its squared norm over its probability."""
    problem, (x, y) = problem_of(payoff, blocks), policies(3, blocks)
    weights, z = verbs.term_weights(problem).value, x.prob - y.prob
    squares = (payoff**2).sum(axis=0) * z**2 / weights
    norm = verbs.mean_norm(problem)
    np.testing.assert_allclose(norm, np.linalg.norm(payoff) / np.sqrt(len(blocks) - 1), rtol=1e-12)
    np.testing.assert_allclose(squares.sum(), norm**2 * (z @ z), rtol=1e-12)
    for first, last in itertools.pairwise(blocks):
        np.testing.assert_allclose(weights[first:last].sum(), 1.0, rtol=1e-12)


def test_a_moved_sample_is_no_larger_than_the_move():
    payoff, blocks = GAMES[0]
    problem, (x, y), rng = problem_of(payoff, blocks), policies(4, blocks), np.random.default_rng(0)
    largest = max(np.abs(verbs.moved_difference(problem, x, y, rng).value).max() for _ in range(500))
    assert largest <= np.abs(payoff).max() * np.abs(x.prob - y.prob).sum() * (1.0 + 1e-12)
    np.testing.assert_array_equal(verbs.moved_difference(problem, x, x, rng).value, np.zeros(7))


def test_a_batch_of_all_terms_is_the_difference():
    for payoff, blocks in GAMES:
        problem, (x, y) = problem_of(payoff, blocks), policies(5, blocks)
        found = verbs.batch_difference(problem, x, y, blocks[-1], np.random.default_rng(0))
        np.testing.assert_allclose(found.value, payoff @ (x.prob - y.prob), atol=1e-13)


def test_subsets_are_equally_likely_and_have_no_repeats():
    rng, out, seen = np.random.default_rng(0), np.empty(2), Counter()
    with interpreted():
        for _ in range(6000):
            draw_subset(4, rng, out)
            seen[frozenset(out)] += 1
    assert len(seen) == 6 and all(len(subset) == 2 for subset in seen)
    # Five standard deviations of a binomial count.
    assert all(abs(count - 1000) < 5 * np.sqrt(6000 * 5 / 36) for count in seen.values())


def test_terms_of_an_operator_are_its_own():
    terms = [Dense(skew(seed, 4), is_skew=True) for seed in range(5)]
    payoff = FiniteSum(terms)
    problem, (x, y) = problem_of(payoff, (0, 4)), policies(6, (0, 4))
    assert (verbs.term_count(problem), verbs.terms_drawn(problem)) == (5, 1)
    np.testing.assert_array_equal(verbs.term_weights(problem).value, np.full(5, 0.2))
    spectral = [np.linalg.norm(skew(seed, 4), 2) for seed in range(5)]
    np.testing.assert_allclose(verbs.mean_norm(problem), np.sqrt(np.mean(np.square(spectral))), rtol=1e-3)
    exact = np.mean([skew(seed, 4) for seed in range(5)], axis=0) @ (x.prob - y.prob)
    whole = verbs.batch_difference(problem, x, y, 5, np.random.default_rng(0)).value
    np.testing.assert_allclose(whole, exact, atol=1e-14)
    rng, weights = np.random.default_rng(0), verbs.term_weights(problem)
    drawn = np.array([verbs.term_difference(problem, x, y, weights, rng).value for _ in range(4000)])
    assert (np.abs(drawn.mean(axis=0) - exact) <= 4.5 * drawn.std(axis=0) / np.sqrt(4000)).all()
    with pytest.raises(gp.UnsupportedCombination, match="mean of terms of its own"):
        verbs.moved_difference(problem, x, y, rng)


class Drawn(NamedTuple):
    x: Mixture
    t: int
    y: Mixture
    weights: Direction
    batch: Direction
    term: Direction
    moved: Direction
    head: bool
    kept: Mixture
    count: int
    drawn: int


@method(MethodInfo(name="draws", title="draws", solves=BOTH, payoff_calls=1, answer="last", step_sizes={}, cite=()))
class Draws(NamedTuple):
    def init(self, problem):
        x, nothing = Mixture(problem.start.prob), verbs.no_direction(problem)
        weights = verbs.term_weights(problem)
        return Drawn(x, 0, x, weights, nothing, nothing, nothing, False, x, 0, 0)

    def step(self, problem, state, rng):
        copy = verbs.mixture(problem, (state.x,), (1.0,))
        since = verbs.bookmark(problem)
        for _ in range(100):
            # Were scratch not let go, a hundred rows would not fit.
            copy = verbs.rewrite(problem, copy, verbs.mixture(problem, (copy, state.y), (0.5, 0.5)))
            verbs.rewind(problem, since)
        batch = verbs.batch_difference(problem, state.x, state.y, 3, rng)
        term = verbs.term_difference(problem, state.x, state.y, state.weights, rng)
        moved = verbs.moved_difference(problem, state.x, state.y, rng)
        head = verbs.chance(problem, 0.5, rng)
        count, drawn = verbs.term_count(problem), verbs.terms_drawn(problem)
        return Drawn(state.x, state.t + 1, state.y, state.weights, batch, term, moved, head, copy, count, drawn)


def test_plain_and_compiled_code_draw_the_same():
    for payoff, blocks in GAMES:
        problem, (x, y) = problem_of(payoff, blocks), policies(7, blocks)
        state = Draws().init(problem)._replace(x=x, y=y)
        heads = set()
        for seed in range(8):
            results = []
            for plain in (True, False):
                rng = np.random.default_rng(seed)
                if plain:
                    with interpreted():
                        results.append(Draws().step(problem, state, rng))
                else:
                    player = Draws(), copied(state), copied(state)
                    marks = new_marks(np.array([1]), blocks[-1])
                    outcome, new = kernel_of(Draws())(player, problem, rng, np.zeros(blocks[-1]), marks, 0.0, False)
                    assert not outcome.arena_full
                    results.append(new)
            one, other = results
            for name in ("batch", "term", "moved"):
                np.testing.assert_allclose(getattr(one, name).value, getattr(other, name).value, atol=1e-13)
            np.testing.assert_allclose(one.kept.prob, other.kept.prob, atol=1e-15)
            np.testing.assert_allclose(one.kept.prob, y.prob, atol=1e-15)
            assert (one.head, one.count, one.drawn) == (other.head, other.count, other.drawn)
            assert (one.count, one.drawn) == (blocks[-1], len(blocks) - 1)
            heads.add(one.head)
        assert heads == {True, False}
