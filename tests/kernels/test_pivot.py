"""The compiled simplex method against known answers, HiGHS, and its own source in the interpreter."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gametheory_pref._jit import interpreted
from gametheory_pref.kernels.pivot import SOLVED, solve_game


def solve(payoff):
    payoff = np.array(payoff, dtype=np.float64, order="C")
    row = np.full(payoff.shape[0], np.nan)
    column = np.full(payoff.shape[1], np.nan)
    value, n_pivots, status, margin = solve_game(payoff, row, column)
    return value, row, column, n_pivots, status, margin


def regret(payoff, row, column):
    """The duality gap of a pair of strategies: 0 only at a solution."""
    for strategy in (row, column):
        assert (strategy >= 0).all()
        assert_allclose(strategy.sum(), 1.0, rtol=1e-14)
    return (payoff @ column).max() - (row @ payoff).min()


def skew(rng, n, kind):
    if kind == "uniform":
        upper = rng.uniform(-0.5, 0.5, (n, n))
    elif kind == "votes":
        wins = rng.integers(0, 12, (n, n))
        upper = (wins - wins.T) / np.maximum(wins + wins.T, 1) / 2
    else:
        strength, angle = rng.normal(size=n), rng.uniform(0, 2 * np.pi, n)
        odds = np.subtract.outer(strength, strength) / 2 + 2 * np.sin(np.subtract.outer(angle, angle))
        upper = 1 / (1 + np.exp(-odds)) - 0.5
    upper = np.triu(upper, 1)
    return upper - upper.T


# payoff to the row player, value, row strategy, column strategy; all unique.
KNOWN = {
    "matching pennies with stakes": ([[3, -1], [-1, 1]], 1 / 3, [1 / 3, 2 / 3], [1 / 3, 2 / 3]),
    # Von Neumann's formula for 2 x 2: rows (4 - 1)/(...), columns differ from rows.
    "asymmetric": ([[1, 4], [3, 2]], 2.5, [0.25, 0.75], [0.5, 0.5]),
    "saddle point": ([[2, 3, 4], [1, 5, 0]], 2.0, [1, 0], [1, 0, 0]),
    # Liu et al. 2024 (arXiv 2410.23223): P(b>a) = P(c>b) = .9, P(a>c) = .8.
    "comal": (
        [[0, -0.4, 0.3], [0.4, 0, -0.4], [-0.3, 0.4, 0]], 0.0,
        [4 / 11, 3 / 11, 4 / 11], [4 / 11, 3 / 11, 4 / 11],
    ),
    "boundary support": (
        [[0, 0.2, -0.3, 0.1], [-0.2, 0, 0.3, 0.15], [0.3, -0.3, 0, 0.2], [-0.1, -0.15, -0.2, 0]], 0.0,
        [3 / 8, 3 / 8, 2 / 8, 0], [3 / 8, 3 / 8, 2 / 8, 0],
    ),
    "condorcet": ([[0, -0.1, -0.2], [0.1, 0, 0.01], [0.2, -0.01, 0]], 0.0, [0, 1, 0], [0, 1, 0]),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_known_answers(name):
    payoff, value, row, column = KNOWN[name]
    found = solve(payoff)
    assert found[4] == SOLVED
    assert_allclose(found[0], value, atol=1e-14)
    assert_allclose(found[1], row, atol=1e-14)
    assert_allclose(found[2], column, atol=1e-14)
    assert found[5] > 1e-3  # the margin proves uniqueness


@pytest.mark.parametrize("payoff", [np.zeros((5, 5)), np.full((2, 3), 7.25), np.zeros((1, 1)), [[3.0, -2.0]]])
def test_ties_end_at_a_vertex_and_prove_nothing(payoff):
    value, row, column, _, status, margin = solve(payoff)
    assert status == SOLVED
    assert regret(np.asarray(payoff), row, column) == 0.0
    assert value == np.max(np.min(payoff, axis=1))
    assert np.size(payoff) <= 2 or margin <= 0.0


@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (2, 7), (7, 2), (5, 5), (12, 9), (20, 33)])
def test_rectangular_games_agree_with_highs(shape):
    from scipy.optimize import linprog

    rng = np.random.default_rng(sum(shape))
    for scale in (1e-6, 1.0, 1e9):
        payoff = scale * rng.normal(size=shape)
        value, row, column, _, status, _ = solve(payoff)
        m, n = shape
        highs = linprog(
            np.append(np.zeros(m), -1.0),
            A_ub=np.column_stack([-payoff.T / scale, np.ones(n)]), b_ub=np.zeros(n),
            A_eq=np.append(np.ones(m), 0.0)[None], b_eq=[1.0],
            bounds=[(0, None)] * m + [(None, None)],
        )  # fmt: skip
        assert status == SOLVED
        assert_allclose(value, -highs.fun * scale, atol=1e-7 * scale)
        assert regret(payoff, row, column) <= 1e-13 * scale


@pytest.mark.parametrize("kind", ["uniform", "votes", "cyclic"])
@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 9, 16, 31, 100])
def test_random_preference_games(kind, n):
    rng = np.random.default_rng(n)
    for _ in range(max(3, 200 // n)):
        payoff = skew(rng, n, kind)
        value, row, column, _, status, _ = solve(payoff)
        assert status == SOLVED
        assert abs(value) <= 1e-14
        assert regret(payoff, row, column) <= 1e-14


def test_a_flipped_game_has_another_answer():
    payoff = np.array(KNOWN["boundary support"][0])
    _, row, column, *_ = solve(-payoff)
    assert regret(payoff, row, column) > 0.1


def test_the_value_does_not_depend_on_the_order_of_moves():
    rng = np.random.default_rng(5)
    payoff = rng.normal(size=(9, 7))
    rows, columns = rng.permutation(9), rng.permutation(7)
    value, row, column, *_ = solve(payoff)
    again, permuted_row, permuted_column, *_ = solve(payoff[rows][:, columns])
    assert_allclose(again, value, rtol=1e-13)
    assert_allclose(permuted_row, row[rows], atol=1e-13)
    assert_allclose(permuted_column, column[columns], atol=1e-13)


def test_swapping_the_players_negates_the_value():
    payoff = np.random.default_rng(6).normal(size=(6, 8))
    value, row, column, *_ = solve(payoff)
    swapped, other_row, other_column, *_ = solve(-payoff.T)
    assert_allclose(swapped, -value, rtol=1e-13)
    assert_allclose(other_row, column, atol=1e-13)
    assert_allclose(other_column, row, atol=1e-13)


def test_the_interpreter_gives_the_same_bits():
    rng = np.random.default_rng(8)
    games = [skew(rng, n, kind) for n in (2, 5, 9) for kind in ("uniform", "votes")]
    for payoff in [*games, rng.normal(size=(3, 6)), np.zeros((4, 4))]:
        compiled = solve(payoff)
        with interpreted():
            plain = solve(payoff)
        for one, other in zip(compiled, plain, strict=True):
            assert_array_equal(one, other)


def test_cycling_examples_end():
    """Beale's cycling programme as a game: degenerate, and badly scaled."""
    beale = np.array([[0.25, -60.0, -0.04, 9.0], [0.5, -90.0, -0.02, 3.0], [0.0, 0.0, 1.0, 0.0]])
    cost = np.array([[-0.75, 150.0, -0.02, 6.0]])
    for payoff in (beale, np.vstack([beale, cost]), np.vstack([beale, beale, -beale])):
        _, row, column, _, status, _ = solve(payoff)
        assert status == SOLVED
        assert regret(payoff, row, column) <= 1e-12


def test_blands_rule_alone_finds_the_value(monkeypatch):
    from gametheory_pref.kernels import pivot

    monkeypatch.setattr(pivot, "_PATIENCE", -1)
    rng = np.random.default_rng(9)
    for payoff in (skew(rng, 7, "votes"), rng.normal(size=(5, 6)), rng.integers(-1, 2, (6, 6)) / 2):
        value = solve(payoff)[0]
        with interpreted():
            bland, row, column, _, status, _ = solve(payoff)
        assert status == SOLVED
        assert_allclose(bland, value, atol=1e-14)
        assert regret(payoff, row, column) <= 1e-14


def test_margin_is_small_when_another_strategy_is_optimal():
    twins = np.array([[0, -1, 1, 1], [1, 0, -1, -1], [-1, 1, 0, 0], [-1, 1, 0, 0]]) / 2
    assert solve(twins)[5] <= 1e-12
