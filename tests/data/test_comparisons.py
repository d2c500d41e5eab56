"""Games from raw judgements."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gametheory_pref.errors import InputError
from gametheory_pref.games.comparisons import from_comparisons

LEFT = ["tea", "milk", "tea", "tea", "cola"]
RIGHT = ["milk", "tea", "milk", "cola", "tea"]


def test_counts_by_hand() -> None:
    game = from_comparisons(LEFT, RIGHT, ["left", "model_b", "tie", "item_a", "both_bad"])
    assert game.names == ("tea", "milk", "cola")
    assert game.votes is not None
    assert_array_equal(game.votes.wins, [[0, 2, 1], [0, 0, 0], [0, 0, 0]])
    assert_array_equal(game.votes.ties, [[0, 1, 1], [1, 0, 0], [1, 0, 0]])
    assert_array_equal(game.votes.first_wins, [[0, 1, 1], [0, 0, 0], [0, 0, 0]])
    assert game.votes.first_share == pytest.approx(2 / 3)
    assert_allclose(game.preference[0], [0.5, 2.5 / 3, 0.75])
    assert game.n_missing == 1


def test_ties_can_be_dropped_and_it_is_said() -> None:
    game = from_comparisons(LEFT, RIGHT, ["left", "right", "tie", "left", "tie"], ties="drop")
    assert game.votes is not None
    assert game.preference[0, 1] == 1.0
    assert game.votes.n_ties == 0
    assert game.votes.notes == ("2 ties were left out",)


def test_winner_may_be_the_label_of_the_response() -> None:
    by_word = from_comparisons(LEFT, RIGHT, ["left", "right", "tie", "right", "right"])
    by_label = from_comparisons(LEFT, RIGHT, ["tea", "tea", "tie", "cola", "tea"])
    assert_array_equal(by_word.preference, by_label.preference)


def test_whole_numbers_as_labels() -> None:
    game = from_comparisons(np.array([7, 3]), np.array([3, 5]), np.array([7, 5]))
    assert game.names == (7, 3, 5)
    assert game.votes is not None
    assert_array_equal(game.votes.wins, [[0, 1, 0], [0, 0, 0], [0, 1, 0]])


def test_margin_game_differs_from_rate_game() -> None:
    log: tuple[list[str], list[str], list[str]] = (["a", "a", "a", "b"], ["b", "b", "b", "c"], ["left"] * 4)
    assert_allclose(from_comparisons(*log, kind="rate").payoff[1, 2], 0.5)
    assert_allclose(from_comparisons(*log, kind="margin").payoff[1, 2], 0.5 / 3)


def test_names_fix_the_order_and_may_be_more() -> None:
    game = from_comparisons(LEFT, RIGHT, ["left"] * 5, names=["milk", "water", "cola", "tea"])
    assert game.names == ("milk", "water", "cola", "tea")
    assert game.votes is not None
    assert_array_equal(game.votes.wins.sum(axis=1), [1, 0, 1, 3])
    with pytest.raises(InputError, match="row 0: response 'tea' is not among the names given: milk, cola"):
        from_comparisons(LEFT, RIGHT, ["left"] * 5, names=["milk", "cola"])


def test_weights_judges_and_prompts_are_kept() -> None:
    game = from_comparisons(
        ["a", "a"], ["b", "b"], ["left", "right"], weight=[0.25, 0.75], judge=["x", "y"], prompt=[10, 11]
    )
    assert game.votes is not None
    log = game.votes.comparisons
    assert log is not None
    assert_allclose(game.preference[0, 1], 0.25)
    assert (log.judges, log.prompts) == (("x", "y"), (10, 11))
    assert_array_equal(log.judge, [0, 1])
    assert_array_equal(log.outcome, [1, -1])
    assert len(log) == 2


class Column:
    """A data-frame column in miniature: nothing but the array protocol."""

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self._values, dtype=object)


def test_anything_with_the_array_protocol_is_a_column() -> None:
    game = from_comparisons(Column(LEFT), Column(RIGHT), Column(["left"] * 5))
    assert_array_equal(game.preference, from_comparisons(LEFT, RIGHT, ["left"] * 5).preference)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (["a"], ["b"], ["GPT!"]),
            r"row 0: 1 row not understood; first: 'GPT!'. Known winners: model_a, model_b",
        ),
        ((["a", "a"], ["b", "b"], ["left", None]), "row 1: .*no winner is given"),
        (
            (["a", "b"], ["b", "c"], ["left", "a"]),
            "row 1: .*winner 'a' is neither of the two responses, 'b' and 'c'",
        ),
        ((["a"], ["a"], ["left"]), "row 0: .*'a' is compared with itself"),
        ((["left"], ["b"], ["left"]), "winner 'left' can be read in two ways"),
        (([None], ["b"], ["left"]), "row 0: None is not the name of a response"),
        ((["a", "  "], ["b", "b"], ["left", "left"]), "row 1: '  ' is not the name of a response"),
        (([0.5], [1.5], ["left"]), "left must hold labels, strings or whole numbers; it has type float64"),
        (([["a"]], [["b"]], ["left"]), r"left must be one column; its shape is \(1, 1\)"),
        ((["a"], ["b", "c"], ["left"]), "the columns differ in length .left 1, right 2, winner 1"),
        (([], [], []), "there are no comparisons"),
    ],
)
def test_bad_logs_are_refused_with_the_row(arguments: tuple[Any, Any, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_comparisons(*arguments)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_bad_weights_are_refused_with_the_row(weight: float) -> None:
    with pytest.raises(InputError, match=r"row 1: .*weight \S+ is not a finite number of at least 0"):
        from_comparisons(["a", "a"], ["b", "b"], ["left", "left"], weight=[1.0, weight])


def test_all_weights_zero_is_no_data() -> None:
    with pytest.raises(InputError, match="there are 0 comparisons"):
        from_comparisons(["a"], ["b"], ["left"], weight=[0.0])


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from(["left", "right", "tie"])).filter(
            lambda row: row[0] != row[1]
        ),
        min_size=1,
        max_size=60,
    )
)
def test_tables_equal_a_count_one_by_one(rows: list[tuple[int, int, str]]) -> None:
    names = list(range(5))
    game = from_comparisons(*zip(*rows, strict=True), names=names)
    wins, ties, first = np.zeros((5, 5)), np.zeros((5, 5)), np.zeros((5, 5))
    for i, j, winner in rows:
        if winner == "tie":
            ties[i, j] += 1
            ties[j, i] += 1
        elif winner == "left":
            wins[i, j] += 1
            first[i, j] += 1
        else:
            wins[j, i] += 1
    assert game.votes is not None
    assert_array_equal(game.votes.wins, wins)
    assert_array_equal(game.votes.ties, ties)
    assert_array_equal(game.votes.first_wins, first)


@given(st.permutations(range(8)))
def test_order_of_the_rows_does_not_change_the_votes(order: list[int]) -> None:
    left = np.array(["a", "b", "c", "a", "b", "c", "a", "a"])
    right = np.array(["b", "c", "a", "c", "a", "b", "b", "c"])
    winner = np.array(["left", "left", "left", "tie", "right", "tie", "right", "left"])
    game = from_comparisons(left[order], right[order], winner[order], names=["a", "b", "c"])
    expected = from_comparisons(left, right, winner, names=["a", "b", "c"])
    assert_array_equal(game.preference, expected.preference)
