"""The Schur complement of a sure support, against the equations it stands for."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gametheory_pref.exact.elimination import block, eliminate, gains


def random_game(rng: np.random.Generator, n: int) -> np.ndarray:
    upper = np.triu(rng.uniform(-1.0, 1.0, (n, n)), 1)
    return upper - upper.T


def run(payoff: np.ndarray, sure: list[int], undecided: list[int]):
    n = len(payoff)
    inside, open_mask = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    inside[sure] = True
    open_mask[undecided] = True
    return eliminate(payoff, np.arange(n, 0.0, -1.0), inside, open_mask)


def test_products_and_blocks_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    payoff, p = random_game(rng, 30), rng.random(30)
    assert_allclose(gains(payoff, p), payoff @ p, rtol=0, atol=1e-13)
    rows, columns = np.array([3, 1, 7]), np.array([0, 29])
    assert_array_equal(block(payoff, rows, columns), payoff[np.ix_(rows, columns)])


@pytest.mark.parametrize("n_sure", [1, 2, 3, 6, 7])
def test_completed_point_solves_the_equations_of_the_sure(n_sure: int) -> None:
    rng = np.random.default_rng(n_sure)
    payoff = random_game(rng, 14)
    left = run(payoff, list(range(n_sure)), [8, 10, 11])
    assert left is not None
    # An even number of sure indices has a singular system; the last one then stays open.
    assert left.sure.tolist() == list(range(n_sure - (n_sure % 2 == 0)))
    x = np.zeros(14)
    x[left.open_indices] = rng.random(left.open_indices.size)
    solution = left.response @ x[left.open_indices] + left.offset
    theta, x[left.sure] = solution[0], solution[1:]
    assert_allclose(x.sum(), 1.0, rtol=0, atol=1e-12)
    assert_allclose((payoff @ x)[left.sure], theta, rtol=0, atol=1e-12)
    slack = theta - payoff @ x
    assert_allclose(-left.game[:-1] @ np.append(x[left.open_indices], 1.0), slack[left.open_indices], atol=1e-11)
    assert_allclose(left.game, -left.game.T, rtol=0, atol=1e-12)


def test_nothing_sure_leaves_the_restricted_game() -> None:
    payoff = random_game(np.random.default_rng(1), 9)
    left = run(payoff, [], [2, 5, 6])
    assert left is not None
    assert left.sure.size == 0
    assert_array_equal(left.game, payoff[np.ix_([2, 5, 6], [2, 5, 6])])


def test_clone_of_a_sure_response_stays_open() -> None:
    rng = np.random.default_rng(2)
    who = np.array([*range(20), 3, 7])
    payoff = random_game(rng, 20)[np.ix_(who, who)]
    left = run(payoff, [*range(17), 20, 21], [18, 19])
    assert left is not None
    # Of each pair of clones one is eliminated and one stays.
    for pair in ({3, 20}, {7, 21}):
        assert len(pair & set(left.sure.tolist())) == 1
        assert len(pair & set(left.open_indices.tolist())) == 1
    assert_allclose(left.game, -left.game.T, rtol=0, atol=1e-10)


def test_all_ties_are_too_degenerate() -> None:
    assert run(np.zeros((12, 12)), list(range(7)), [8, 9]) is None


def test_nothing_left_is_nothing() -> None:
    assert run(random_game(np.random.default_rng(3), 5), [], []) is None
