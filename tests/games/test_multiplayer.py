"""Games of several players in normal form."""

from __future__ import annotations

import numpy as np
import pytest

from gametheory_pref.errors import InputError
from gametheory_pref.games import multiplayer_game


def test_the_first_axis_counts_the_players():
    payoffs = np.arange(3 * 2 * 3 * 4).reshape(3, 2, 3, 4)
    game = multiplayer_game(payoffs)
    assert game.n_players == 3
    assert game.names == ((0, 1), (0, 1, 2), (0, 1, 2, 3))
    assert np.array_equal(game.payoffs, payoffs)
    assert repr(game) == "MultiplayerGame(2 x 3 x 4)"


def test_one_and_two_players_are_fine():
    assert multiplayer_game([[1, 2, 3]]).n_players == 1
    assert repr(multiplayer_game(np.zeros((2, 3, 2)))) == "MultiplayerGame(3 x 2)"


def test_every_player_has_names():
    game = multiplayer_game(np.zeros((2, 2, 1)), names=[["up", "down"], None])
    assert game.names == (("up", "down"), (0,))


def test_a_multiplayer_game_does_not_change():
    payoffs = np.zeros((2, 2, 2))
    game = multiplayer_game(payoffs)
    payoffs[0, 0, 0] = 1
    assert game.payoffs[0, 0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        game.payoffs[0, 0, 0] = 1
    with pytest.raises(AttributeError):
        game.names = ()


@pytest.mark.parametrize(
    ("payoffs", "message"),
    [
        (np.zeros((3, 2, 2)), r"^payoffs has shape \(3, 2, 2\): the first axis counts the players, so for 2"),
        (np.zeros((2, 2, 0)), "every player needs an action$"),
        ([1.0, 2.0], r"^payoffs must have 2 axes; its shape is \(2,\)$"),
        (3.0, r"^payoffs must have 2 axes; its shape is \(\)$"),
        ([[1, 2], [3]], "^payoffs is ragged: row 0 has 2 entries and row 1 has 1"),
        ([[[1, 2], [3]], [[1, 2], [3, 4]]], "^payoffs must hold numbers only"),
        ([[np.nan, 1.0]], r"^payoffs has a value that is not finite: entry \(0, 0\) is nan"),
    ],
)
def test_bad_tensors_are_refused(payoffs, message):
    with pytest.raises(InputError, match=message):
        multiplayer_game(payoffs)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([["a", "b"]], "^names has 1 entries for 2 players$"),
        ([["a", "b"], ["c"]], r"^names\[1\] has 1 entries for 2 responses"),
        ("ab", "^names must be a sequence of one sequence per player; got 'ab'$"),
        (3, "^names must be a sequence of one sequence per player; got 3$"),
        ([["a", "b"], "cd"], r"^names\[1\] must be a sequence of 2 names; got 'cd'$"),
    ],
)
def test_bad_names_are_refused(names, message):
    with pytest.raises(InputError, match=message):
        multiplayer_game(np.zeros((2, 2, 2)), names=names)
