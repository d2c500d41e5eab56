"""Rectangular zero-sum games through their symmetric equivalent."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gametheory_pref.errors import InputError
from gametheory_pref.exact.interior_point import interior_point
from gametheory_pref.exact.symmetrization import recover_profile, symmetrize_game


def solve(payoff: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return recover_profile(interior_point(symmetrize_game(payoff)).policy, *payoff.shape)


def lp_value(payoff: np.ndarray) -> float:
    from scipy.optimize import linprog

    m, n = payoff.shape
    result = linprog(
        np.append(np.zeros(m), -1.0),
        A_ub=np.column_stack([-payoff.T, np.ones(n)]),
        b_ub=np.zeros(n),
        A_eq=np.append(np.ones(m), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, None)] * m + [(None, None)],
    )
    return -result.fun


@pytest.mark.parametrize(
    ("payoff", "row", "column", "value"),
    [
        ([[1.0, -1], [-1, 1]], [0.5, 0.5], [0.5, 0.5], 0.0),
        # Value 1/5: the row player mixes 2:3, the column player 2:3, in neither case the centre.
        ([[2.0, -1], [-1, 1]], [0.4, 0.6], [0.4, 0.6], 0.2),
        ([[3.0, 0, 1], [0, 2, 4]], [0.4, 0.6], [0.4, 0.6, 0], 1.2),
        ([[-7.0]], [1], [1], -7.0),
        ([[1.0, 5, 9]], [1], [1, 0, 0], 1.0),
        ([[1.0], [5], [9]], [0, 0, 1], [1], 9.0),
    ],
)
def test_known_answers(payoff, row, column, value) -> None:
    matrix = np.array(payoff)
    x, y = solve(matrix)
    assert_allclose(x, row, rtol=0, atol=1e-14)
    assert_allclose(y, column, rtol=0, atol=1e-14)
    assert_allclose(x @ matrix @ y, value, rtol=0, atol=1e-13)


@pytest.mark.parametrize("integers", [False, True])
def test_profile_and_value_against_an_independent_solver(integers: bool) -> None:
    rng = np.random.default_rng(9)
    for m, n in ((1, 4), (6, 1), (2, 5), (7, 4), (12, 12), (20, 45), (60, 15)):
        payoff = rng.integers(-3, 4, (m, n)).astype(float) if integers else rng.normal(size=(m, n)) + 100.0
        x, y = solve(payoff)
        value = lp_value(payoff)
        assert_allclose((x @ payoff).min(), value, rtol=0, atol=1e-9)
        assert_allclose((payoff @ y).max(), value, rtol=0, atol=1e-9)


def test_symmetrized_game_is_skew() -> None:
    game = symmetrize_game(np.random.default_rng(0).normal(size=(3, 5)))
    assert_array_equal(game, -game.T)


def test_transposed_and_negated_games_differ() -> None:
    payoff = np.array([[3.0, 0], [1, 2]])
    x, y = solve(payoff)
    assert_allclose((x, y), ([0.25, 0.75], [0.5, 0.5]), rtol=0, atol=1e-14)
    x, y = solve(-payoff.T)
    assert_allclose((x, y), ([0.5, 0.5], [0.25, 0.75]), rtol=0, atol=1e-14)


def test_what_is_no_optimal_policy_is_refused() -> None:
    with pytest.raises(InputError, match="m \\+ n \\+ 1 = 4"):
        recover_profile(np.full(3, 1 / 3), 1, 2)
    with pytest.raises(InputError, match="columns 0"):
        recover_profile(np.array([0.5, 0.0, 0.0, 0.5]), 1, 2)


@pytest.mark.parametrize(
    "payoff", [np.zeros((0, 2)), np.zeros(3), np.array([[0.0, np.inf]]), np.array([[np.nan]])]
)
def test_what_is_no_game_is_refused(payoff: np.ndarray) -> None:
    with pytest.raises(InputError, match="payoff"):
        symmetrize_game(payoff)
