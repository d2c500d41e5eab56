"""The active-set method: its answers are equilibria, at little work, on every kind of zero-sum game."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref.games import OperatorGame
from gametheory_pref.operators import Dense, LowRank, PayoffOperator, Sparse


def skew(seed: int, n: int) -> np.ndarray:
    upper = np.triu(np.random.default_rng(seed).uniform(-0.5, 0.5, (n, n)), 1)
    return upper - upper.T


@pytest.mark.parametrize("n", [1, 2, 3, 10, 40, 150])
def test_preference_games(n: int) -> None:
    game = gp.preference_game(skew(n, n) + 0.5)
    solution = gp.solve(game, "active_set", tol=1e-9).require()
    assert solution.method == "active_set"
    assert_allclose(solution.policy, gp.solve(game).policy, atol=1e-7)
    assert_allclose(gp.duality_gap(game, solution.policy), solution.gap, atol=1e-15)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (5, 1), (7, 4), (30, 90), (120, 130)])
def test_two_players(shape: tuple[int, int]) -> None:
    game = gp.matrix_game(np.random.default_rng(sum(shape)).normal(size=shape))
    solution = gp.solve(game, "active_set", tol=1e-9).require()
    exact = gp.solve(game)
    assert_allclose(solution.value, exact.value, atol=1e-9)
    for found, expected in zip(solution.policy, exact.policy, strict=True):
        assert_allclose(found, expected, atol=1e-7)


def by_products(payoff: PayoffOperator) -> OperatorGame:
    rows, columns = payoff.shape
    return OperatorGame(payoff, range(rows), range(columns))


def operators() -> dict[str, PayoffOperator]:
    from scipy import sparse

    rng = np.random.default_rng(0)
    few = sparse.random(200, 200, density=0.05, random_state=0)
    vectors, turn = rng.normal(size=(200, 4)), np.kron(np.eye(2), [[0.0, -1.0], [1.0, 0.0]])
    return {
        "dense": Dense(skew(1, 200), is_skew=True),
        "sparse": Sparse(sparse.csr_array(few - few.T), is_skew=True),
        "low rank": LowRank(vectors @ turn, vectors, is_skew=True),
        "two players": Dense(rng.normal(size=(60, 200)), is_skew=False),
        "two players, low rank": LowRank(rng.normal(size=(60, 3)), rng.normal(size=(200, 3)), is_skew=False),
    }


@pytest.mark.parametrize("name", list(operators()))
@pytest.mark.parametrize("tol", [1e-4, 1e-9])
def test_games_known_by_their_products(name: str, tol: float) -> None:
    payoff = operators()[name]
    solution = gp.solve(by_products(payoff), tol=tol).require()
    assert solution.method == "active_set" and solution.gap <= tol
    table = payoff.block(np.arange(payoff.shape[0]), np.arange(payoff.shape[1]))
    assert_allclose(solution.value, gp.solve(gp.matrix_game(table)).value, atol=tol)
    assert_allclose(gp.duality_gap(gp.matrix_game(table), pair(solution.policy)), solution.gap, atol=1e-14)


def pair(policy: np.ndarray | tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    return policy if isinstance(policy, tuple) else (policy, policy)
