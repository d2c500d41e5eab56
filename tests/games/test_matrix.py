"""Two-player games in matrix form."""

from __future__ import annotations

import numpy as np
import pytest

from gametheory_pref.errors import InputError
from gametheory_pref.games import matrix_game
from gametheory_pref.gap import payoff_vectors, problem_gap
from gametheory_pref.problem import Problem

A = [[3, -1, 0], [-1, 1, 2]]


def test_a_single_matrix_is_a_zero_sum_game():
    game = matrix_game(A)
    assert game.row_payoff.tolist() == A
    assert np.array_equal(game.column_payoff, -np.array(A))
    assert game.constant_sum == 0.0
    assert repr(game) == "MatrixGame(2 x 3, zero-sum)"
    assert game.names == ((0, 1), (0, 1, 2))


@pytest.mark.parametrize(
    ("other", "total", "shown"),
    [
        ([[-2, 2, 1], [2, 0, -1]], 1.0, "constant-sum"),
        ([[-2, 2, 1], [2, 0, -2]], None, "general-sum"),
        ([[-3, 1, 1e-9], [1, -1, -2]], None, "general-sum"),
    ],
)
def test_the_sum_of_the_payoffs(other, total, shown):
    game = matrix_game(A, other)
    assert game.constant_sum == total
    assert repr(game) == f"MatrixGame(2 x 3, {shown})"


def test_rounding_of_a_constant_sum_passes():
    row = np.array([[0.1, 0.2], [0.3, 0.7]])
    assert matrix_game(row, 1.1 - row).constant_sum == pytest.approx(1.1)
    assert matrix_game(1e6 * row, 1e6 * (1.1 - row)).constant_sum == pytest.approx(1.1e6)


def test_names_go_to_rows_and_columns():
    game = matrix_game(A, row_names=["up", "down"], column_names=["left", "middle", "right"])
    assert game.row_names == ("up", "down")
    assert game.names == (("up", "down"), ("left", "middle", "right"))


def test_a_zero_sum_game_holds_one_table_and_says_what_the_column_player_gets():
    game = matrix_game(A)
    problem = Problem(game)
    policy = (np.array([0.25, 0.75]), np.array([0.5, 0.25, 0.25]))
    assert payoff_vectors(game, policy)[1] == pytest.approx(policy[0] @ -np.array(A))
    assert problem_gap(problem, policy) == problem_gap(Problem(matrix_game(A, -np.array(A))), policy)
    assert game.constant_sum == 0.0 and game.is_zero_sum
    assert "column_payoff" not in game.__dict__
    assert game.column_payoff is game.column_payoff


def test_a_matrix_game_does_not_change():
    row, column = np.array(A, dtype=float), -np.array(A, dtype=float)
    game = matrix_game(row, column)
    row[0, 0] = column[0, 0] = 100
    assert game.row_payoff[0, 0] == 3
    assert game.column_payoff[0, 0] == -3
    for array in (game.row_payoff, game.column_payoff):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 0
    with pytest.raises(AttributeError):
        game.row_names = ("a", "b")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"A": [1, 2]}, r"^A must have 2 axes; its shape is \(2,\)$"),
        ({"A": [[]]}, r"^A is empty \(shape \(1, 0\)\); each player needs at least one action$"),
        ({"A": [[1, 2], [3]]}, "^A is ragged: row 0 has 2 entries and row 1 has 1"),
        ({"A": [[1, np.inf]]}, r"^A has a value that is not finite: entry \(0, 1\) is inf"),
        ({"A": [["x"]]}, "^A must hold numbers only"),
        ({"A": [[1, 2]], "B": [[1], [2]]}, r"^A has shape \(1, 2\) and B \(2, 1\); both list rows"),
        ({"A": [[1, 2]], "B": [1, 2]}, r"^B must have 2 axes; its shape is \(2,\)$"),
        ({"A": [[1, 2]], "row_names": ["a", "b"]}, "^row_names has 2 entries for 1 responses"),
        ({"A": [[1, 2]], "column_names": ["a", "a"]}, "^column_names has 'a' twice"),
        ({"A": [[1, 2]], "column_names": "ab"}, "^column_names must be a sequence of 2 names; got 'ab'$"),
    ],
)
def test_bad_matrices_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        matrix_game(**arguments)
