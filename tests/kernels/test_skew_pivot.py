"""Principal pivots on symmetric games: known winners, the excess, uniqueness, and the interpreter's bits."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gametheory_pref._jit import interpreted
from gametheory_pref.kernels.pivot import solve_game
from gametheory_pref.kernels.skew_pivot import LARGEST, solve_symmetric_game


def solve(payoff):
    payoff = np.array(payoff, dtype=np.float64, order="C")
    policy = np.full(len(payoff), np.nan)
    excess, n_pivots, margin = solve_symmetric_game(payoff, policy)
    return policy, excess, n_pivots, margin


def skew(upper):
    upper = np.triu(upper, 1)
    return upper - upper.T


# payoff -> unique winner. Liu et al. 2024 (arXiv 2410.23223) for the first; the others by hand.
KNOWN = {
    "comal": ([[0, -0.4, 0.3], [0.4, 0, -0.4], [-0.3, 0.4, 0]], [4 / 11, 3 / 11, 4 / 11]),
    "boundary support": (
        [[0, 0.2, -0.3, 0.1], [-0.2, 0, 0.3, 0.15], [0.3, -0.3, 0, 0.2], [-0.1, -0.15, -0.2, 0]],
        [3 / 8, 3 / 8, 2 / 8, 0],
    ),
    "condorcet": ([[0, -0.1, -0.2], [0.1, 0, 0.01], [0.2, -0.01, 0]], [0, 1, 0]),
    "one response": ([[0]], [1]),
}


@pytest.mark.parametrize("scale", [1.0, 1e-7, 1e6])
@pytest.mark.parametrize("name", KNOWN)
def test_known_winners(name, scale):
    payoff, winner = KNOWN[name]
    policy, excess, _, margin = solve(scale * np.array(payoff))
    assert_allclose(policy, winner, atol=1e-15)
    assert excess <= 1e-15 * scale
    assert margin > 1e-3


@pytest.mark.parametrize("n", [2, 3, 4, 5, 7, 8, 9, 12, 16, 25, LARGEST])
def test_random_games_agree_with_the_simplex_method(n):
    rng = np.random.default_rng(n)
    for _ in range(max(5, 300 // n)):
        payoff = skew(rng.uniform(-0.5, 0.5, (n, n)))
        policy, excess, _, margin = solve(payoff)
        assert_allclose(policy.sum(), 1.0, rtol=1e-14)
        assert (policy >= 0).all()
        assert_allclose(excess, max(0.0, (payoff @ policy).max()), atol=1e-16)
        assert excess <= 1e-13
        row, column = np.empty(n), np.empty(n)
        solve_game(payoff, row, column)
        if margin > 1e-6:
            assert_allclose(policy, row, atol=1e-9)


def test_a_flipped_game_has_another_winner():
    payoff = np.array(KNOWN["boundary support"][0])
    assert (payoff @ solve(payoff.T)[0]).max() > 0.05


@pytest.mark.parametrize("n", [2, 3, 6, 11])
def test_tied_votes_have_a_winner_without_proof_of_uniqueness_where_there_are_more(n):
    rng = np.random.default_rng(n)
    for _ in range(200):
        payoff = skew(rng.integers(-1, 2, (n, n)) / 2)
        assert solve(payoff)[1] <= 1e-14
        # The last response twice.
        twin = np.block([[payoff, payoff[:, -1:]], [payoff[-1:], np.zeros((1, 1))]])
        doubled, twin_excess, _, margin = solve(twin)
        assert twin_excess <= 1e-14
        if doubled[-1] + doubled[-2] > 0:
            assert margin <= 1e-12


def test_all_ties_end_at_once():
    policy, excess, n_pivots, margin = solve(np.zeros((4, 4)))
    assert_array_equal(policy, [1, 0, 0, 0])
    assert (excess, n_pivots) == (0.0, 0)
    assert margin <= 0.0


def test_the_interpreter_gives_the_same_bits():
    rng = np.random.default_rng(8)
    games = [skew(rng.uniform(-0.5, 0.5, (n, n))) for n in (1, 2, 5, 9, 14)]
    games += [skew(rng.integers(-2, 3, (n, n)) / 4) for n in (3, 6, 10)]
    for payoff in games:
        compiled = solve(payoff)
        with interpreted():
            plain = solve(payoff)
        for one, other in zip(compiled, plain, strict=True):
            assert_array_equal(one, other)
