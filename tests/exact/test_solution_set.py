"""The set of winners against known answers, solved real games and exact enumeration of vertices."""

from __future__ import annotations

import csv
import itertools
import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gametheory_pref.exact.solution_set import optimal_strategies, solution_set


def skew(upper, n):
    """Return the skew matrix with the given entries above the diagonal, row by row."""
    matrix = np.zeros((n, n))
    matrix[np.triu_indices(n, 1)] = upper
    return matrix - matrix.T


ROCK_PAPER_SCISSORS = skew([-0.5, 0.5, -0.5], 3)
CLONED_SCISSORS = np.array([[0, -1, 1, 1], [1, 0, -1, -1], [-1, 1, 0, 0], [-1, 1, 0, 0]]) / 2


def test_rock_paper_scissors_has_one_winner():
    found = solution_set(ROCK_PAPER_SCISSORS, np.full(3, 1 / 3))
    assert found.unique is True
    assert found.dimension == 0
    assert_array_equal(found.support_union, [0, 1, 2])
    assert_allclose(found.max_entropy, np.full(3, 1 / 3), atol=1e-15)


def test_off_centre_cycle_is_solved_from_its_support_alone():
    found = solution_set(skew([0.4, -0.1, 0.2], 3), np.array([0.1, 0.1, 0.8]))
    assert_allclose(found.interior, [2 / 7, 1 / 7, 4 / 7], atol=1e-15)
    assert found.unique is True


def test_clones_share_their_probability():
    found = solution_set(CLONED_SCISSORS, np.array([1, 1, 1, 0]) / 3)
    assert found.unique is False
    assert found.dimension == 1
    assert_array_equal(found.support_union, [0, 1, 2, 3])
    assert_allclose(found.max_entropy, [1 / 3, 1 / 3, 1 / 6, 1 / 6], atol=1e-14)
    assert found.interior.min() > 0.05


def test_all_ties_leave_the_whole_simplex():
    found = solution_set(np.zeros((3, 3)), np.array([0.0, 1.0, 0.0]))
    assert (found.unique, found.dimension) == (False, 2)
    assert_allclose(found.max_entropy, np.full(3, 1 / 3), atol=1e-15)


def test_one_response_alone_is_the_winner():
    found = solution_set(np.zeros((1, 1)), np.ones(1))
    assert (found.unique, found.dimension) == (True, 0)


def test_condorcet_winner_is_unique():
    found = solution_set(skew([0.1, 0.3, -0.4], 3), np.array([1.0, 0.0, 0.0]))
    assert found.unique is True
    assert_array_equal(found.support_union, [0])


def test_two_tied_responses_that_beat_the_rest_mix_freely():
    found = solution_set(skew([0.0, 0.2, 0.1, 0.1, 0.3, 0.2], 4), np.array([1.0, 0.0, 0.0, 0.0]))
    assert (found.unique, found.dimension) == (False, 1)
    assert_array_equal(found.support_union, [0, 1])
    assert_allclose(found.max_entropy, [0.5, 0.5, 0, 0], atol=1e-15)


def test_weak_winner_shares_with_a_response_that_loses_to_another():
    # 0 beats 1 and ties with 2; 1 beats 2. Mixing e of 2 into 0 is safe while -0.2 (1 - e) + 0.3 e <= 0, or e
    # <= 0.4.
    found = solution_set(skew([0.2, 0.0, 0.3], 3), np.array([1.0, 0.0, 0.0]))
    assert (found.unique, found.dimension) == (False, 1)
    assert_array_equal(found.support_union, [0, 2])
    assert_allclose(found.max_entropy, [0.6, 0.0, 0.4], atol=1e-14)


def test_nearly_tied_entries_are_neither_called_unique_nor_not():
    # 0 beats 1 by less than the rounding of a win probability, and both beat 2.
    found = solution_set(skew([1e-17, 0.2, 0.2], 3), np.array([1.0, 0.0, 0.0]))
    assert found.unique is not True


def test_small_but_clear_margins_are_decided():
    found = solution_set(skew([1e-9, 0.2, 0.2], 3), np.array([1.0, 0.0, 0.0]))
    assert found.unique is True


def test_interior_point_is_strictly_complementary():
    payoff = skew([0.0, 0.2, 0.1, 0.1, 0.3, 0.2], 4)
    found = solution_set(payoff, np.array([0.0, 1.0, 0.0, 0.0]))
    advantage = payoff @ found.interior
    assert (found.interior[:2] > 0).all()
    assert (advantage[2:] < -0.01).all()
    assert_allclose(advantage[:2], 0, atol=1e-16)


def test_transposed_game_has_other_winners():
    payoff = skew([0.1, 0.3, -0.4], 3)
    assert_array_equal(solution_set(payoff.T, np.array([0.0, 0.0, 1.0])).support_union, [1])


def test_large_random_game_of_margins():
    rng = np.random.default_rng(5)
    payoff = skew(rng.uniform(-0.5, 0.5, 60 * 59 // 2), 60)
    # No hint: the support must come from the game, not from the policy.
    found = solution_set(payoff, np.full(60, 1 / 60))
    assert found.unique is True
    assert (payoff @ found.interior).max() < 1e-15
    assert found.support_union.size % 2 == 1


class TestRectangular:
    def test_matching_pennies(self):
        row, column = optimal_strategies(
            np.array([[1.0, -1.0], [-1.0, 1.0]]), 0.0, np.full(2, 0.5), np.full(2, 0.5)
        )
        for found in (row, column):
            assert found.unique is True
            assert_allclose(found.interior, [0.5, 0.5], atol=1e-15)

    def test_value_is_not_zero(self):
        # 3 -1 / -1 1: value 1/3, both play (1/3, 2/3).
        row, column = optimal_strategies(
            np.array([[3.0, -1.0], [-1.0, 1.0]]), 1 / 3, np.array([1, 2]) / 3, np.array([1, 2]) / 3
        )
        assert_allclose(row.interior, [1 / 3, 2 / 3], atol=1e-14)
        assert (row.unique, column.unique) == (True, True)

    def test_only_one_player_has_a_choice(self):
        payoff = np.array([[2.0, 2.0, 5.0], [1.0, 3.0, 5.0]])
        # Row 0 guarantees 2. Column: y0 + 3 y1 <= 2 means y0 >= 1/2 on the first two columns.
        row, column = optimal_strategies(payoff, 2.0, np.array([1.0, 0.0]), np.array([1.0, 0.0, 0.0]))
        assert (row.unique, row.support_union.tolist()) == (True, [0])
        assert (column.unique, column.dimension, column.support_union.tolist()) == (False, 1, [0, 1])
        assert_allclose(column.max_entropy, [0.5, 0.5, 0.0], atol=1e-12)

    def test_skew_game_agrees_with_the_symmetric_description(self):
        row, column = optimal_strategies(
            CLONED_SCISSORS, 0.0, np.array([1, 1, 1, 0]) / 3, np.array([1, 1, 0, 1]) / 3
        )
        for found in (row, column):
            assert found.dimension == 1
            assert_allclose(found.max_entropy, [1 / 3, 1 / 3, 1 / 6, 1 / 6], atol=1e-13)

    def test_roles_swapped(self):
        rng = np.random.default_rng(3)
        payoff = rng.integers(-2, 3, (4, 6)).astype(float)
        value = game_value(payoff)
        start = np.full(4, 0.25), np.full(6, 1 / 6)
        row, column = optimal_strategies(payoff, value, *start)
        other_row, other_column = optimal_strategies(-payoff.T, -value, *start[::-1])
        assert_allclose(row.max_entropy, other_column.max_entropy, atol=1e-10)
        assert_allclose(column.max_entropy, other_row.max_entropy, atol=1e-10)
        assert (row.max_entropy @ payoff).min() == pytest.approx(value, abs=1e-14)
        assert (payoff @ column.max_entropy).max() == pytest.approx(value, abs=1e-14)


def game_value(payoff):
    from scipy.optimize import linprog

    m, n = payoff.shape
    cost = np.r_[np.zeros(m), -1.0]
    return -linprog(
        cost,
        A_ub=np.c_[-payoff.T, np.ones(n)],
        b_ub=np.zeros(n),
        A_eq=[[1.0] * m + [0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * m + [(None, None)],
    ).fun


# Exact reference: every vertex of {p in simplex : A p <= 0} is the one solution of n of its constraints as
# equations.


def solve_exactly(rows, right):
    """Return the unique solution of a square rational system, or None."""
    n = len(rows)
    table = [[Fraction(value) for value in row] + [Fraction(b)] for row, b in zip(rows, right, strict=True)]
    for column in range(n):
        pivot = next((i for i in range(column, n) if table[i][column]), None)
        if pivot is None:
            return None
        table[column], table[pivot] = table[pivot], table[column]
        lead = table[column][column]
        table[column] = [value / lead for value in table[column]]
        for i in range(n):
            if i != column and table[i][column]:
                factor = table[i][column]
                table[i] = [a - factor * b for a, b in zip(table[i], table[column], strict=True)]
    return tuple(row[-1] for row in table)


def vertices(bounds):
    """Return the vertices of {p in simplex : bounds p <= 0}."""
    n = len(bounds[0])
    inequalities = [list(row) for row in bounds] + [[-(i == j) for j in range(n)] for i in range(n)]
    found = set()
    for active in itertools.combinations(inequalities, n - 1):
        point = solve_exactly([*active, [1] * n], [0] * (n - 1) + [1])
        if point and all(sum(a * p for a, p in zip(row, point, strict=True)) <= 0 for row in inequalities):
            found.add(point)
    return sorted(found)


def affine_dimension(points):
    base = np.array(points, dtype=float)
    return int(np.linalg.matrix_rank(base[1:] - base[0], tol=1e-9)) if len(points) > 1 else 0


def union(points):
    return [i for i in range(len(points[0])) if any(point[i] for point in points)]


@st.composite
def integer_games(draw):
    n = draw(st.integers(1, 5))
    size = draw(st.sampled_from([1, 3]))
    entries = draw(st.lists(st.integers(-size, size), min_size=n * (n - 1) // 2, max_size=n * (n - 1) // 2))
    return skew(entries, n).astype(int)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(integer_games())
def test_agrees_with_the_exact_vertices(game):
    winners = vertices(game.tolist())
    for start in (winners[0], winners[-1]):
        found = solution_set(game / 8, np.array(start, dtype=float))
        assert found.dimension == affine_dimension(winners)
        assert found.unique is (len(winners) == 1)
        assert_array_equal(found.support_union, union(winners))
        assert (game @ found.max_entropy).max() <= 1e-14
        assert entropy(found.max_entropy) >= entropy(np.mean(np.array(winners, dtype=float), axis=0)) - 1e-12


@st.composite
def rectangular_games(draw):
    m, n = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    entries = draw(st.lists(st.integers(-3, 3), min_size=m * n, max_size=m * n))
    return np.array(entries).reshape(m, n)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(rectangular_games())
def test_both_players_agree_with_the_exact_vertices(game):
    m, n = game.shape
    # Entries are small integers, so the value is a quotient of small determinants.
    value = Fraction(game_value(game.astype(float))).limit_denominator(10_000)
    excess = [[entry - value for entry in row] for row in game.tolist()]
    of_row = vertices([[-excess[i][j] for i in range(m)] for j in range(n)])
    of_column = vertices(excess)
    start = np.full(m, 1 / m), np.full(n, 1 / n)
    for found, points in zip(optimal_strategies(game, float(value), *start), (of_row, of_column), strict=True):
        assert found.dimension == affine_dimension(points)
        assert found.unique is (len(points) == 1)
        assert_array_equal(found.support_union, union(points))
        assert entropy(found.max_entropy) >= entropy(np.mean(np.array(points, dtype=float), axis=0)) - 1e-12


def entropy(policy):
    played = policy[policy > 0]
    return -float(played @ np.log(played))


# Solved real games with square payoff tables; elections and vote counts are checked where their readers are.


def table_payoff(folder, name):
    """Return the skew payoff of a square table (CSV or NPZ), scaled to [-1/2, 1/2], and the names."""
    if (folder / f"{name}.npz").exists():
        with np.load(folder / f"{name}.npz") as archive:
            names = [str(item) for item in archive["names"]]
            table = np.asarray(archive["S" if "S" in archive else "points"], dtype=float)
    else:
        rows = list(csv.reader((folder / f"{name}.csv").read_text(encoding="utf-8").splitlines()))
        names, table = rows[0][1:], np.array([row[1:] for row in rows[1:]], dtype=float)
    payoff = table - table.T
    return payoff / (2 * np.abs(payoff).max()), names


@pytest.mark.parametrize(
    "name",
    ["blotto_5_3", "blotto_10_3", "blotto_10_4", "blotto_10_5", "axelrod_ipd", "type_chart_18",
    "rrps_43bots"],
)
def test_solved_tables(shared_data, name):
    payoff, names = table_payoff(shared_data / "payoff", name)
    stated = json.loads((shared_data / "solutions.json").read_text(encoding="utf-8"))[name]["maximal_lottery"]
    found = solution_set(payoff, np.full(len(names), 1 / len(names)))
    assert found.unique == stated["unique"]
    assert found.dimension == stated["dimension_of_solution_set"]
    assert (payoff @ found.max_entropy).max() < 1e-15
    assert (payoff @ found.interior).max() < 1e-15
    if "support_union" in stated:
        assert {names[i] for i in found.support_union} == set(stated["support_union"])
    else:
        assert found.support_union.size == stated["support_union_size"]
    if stated["unique"]:
        assert_allclose(found.interior, [stated["p"].get(name, 0.0) for name in names], atol=1e-14)
