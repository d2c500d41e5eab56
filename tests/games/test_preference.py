"""Preference games from probabilities, margins and log-odds: what is accepted and what refused."""

from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from gametheory_pref.errors import GameTheoryPrefError, InputError
from gametheory_pref.games import PreferenceGame, from_margins, from_scores, preference_game
from gametheory_pref.games.votes import from_counts

TEA = [[0.5, 0.7], [0.3, 0.5]]


def skew(n, largest):
    """Return a strategy of exactly skew matrices with entries up to `largest`."""
    entries = arrays(np.float64, (n, n), elements=st.floats(-largest, largest))
    return entries.map(lambda m: np.triu(m, 1) - np.triu(m, 1).T)


@given(st.integers(1, 6).flatmap(lambda n: skew(n, 0.5)))
def test_a_game_is_complementary_and_its_payoff_exactly_skew(half_margins):
    game = preference_game(0.5 + half_margins)
    assert np.array_equal(game.payoff, -game.payoff.T)
    assert np.abs(game.payoff).max() <= 0.5
    assert game.preference.min() >= 0.0
    assert_allclose(game.preference + game.preference.T, 1.0, rtol=0, atol=2**-52)
    assert np.array_equal(np.diagonal(game.preference), np.full(game.n_responses, 0.5))
    assert_allclose(game.payoff, half_margins, rtol=0, atol=2**-53)


@given(st.integers(1, 6).flatmap(lambda n: skew(n, 1.0)))
def test_margins_are_twice_the_payoff(margins):
    game = from_margins(margins)
    assert np.array_equal(game.payoff, margins / 2)
    assert_allclose(game.preference, (1 + margins) / 2, rtol=0, atol=2**-53)


@given(st.integers(1, 6).flatmap(lambda n: skew(n, 800.0)))
def test_scores_are_log_odds(scores):
    game = from_scores(scores)
    with np.errstate(over="ignore"):
        assert_allclose(game.preference, 1 / (1 + np.exp(-scores)), rtol=0, atol=1e-15)
    assert np.array_equal(game.payoff, -game.payoff.T)


def test_small_log_odds_keep_their_digits():
    assert_allclose(from_scores([[0, 4e-13], [-4e-13, 0]]).payoff[0, 1], 1e-13, rtol=1e-12)


def test_scores_of_strengths_are_the_bradley_terry_model():
    strength = np.array([8.0, 4.0, 1.0])
    scores = np.log(strength)[:, None] - np.log(strength)[None, :]
    expected = strength[:, None] / (strength[:, None] + strength[None, :])
    assert_allclose(from_scores(scores).preference, expected, rtol=1e-15)


def test_rows_win_against_columns():
    game = preference_game(TEA, names=["tea", "coffee"])
    assert game.preference[game.index("tea"), game.index("coffee")] == 0.7
    assert_allclose(game.payoff, [[0, 0.2], [-0.2, 0]], rtol=1e-15)
    assert from_margins([[0, 0.4], [-0.4, 0]]).preference[0, 1] == 0.7
    assert from_scores([[0, 2], [-2, 0]]).preference[0, 1] > 0.5


def test_symmetrize_averages_both_orders():
    """A judge who prefers whatever is first wins P[i, j] too often in both orders."""
    first_wins = np.array([[0.7, 0.9], [0.6, 0.7]])
    game = preference_game(first_wins, symmetrize=True)
    assert_allclose(game.preference, [[0.5, 0.65], [0.35, 0.5]], rtol=1e-15)


def test_rounding_passes_and_more_does_not():
    third = 0.333333333
    game = preference_game([[0.5, third], [1 - third + 5e-10, 0.5]])
    assert_allclose(game.payoff[0, 1], third - 0.5 - 2.5e-10, rtol=0, atol=1e-16)
    with pytest.raises(InputError, match=r"not 1"):
        preference_game([[0.5, third], [1 - third + 2e-9, 0.5]])
    assert preference_game([[0.5, 1.0 + 1e-10], [-1e-10, 0.5]]).preference.tolist() == [
        [0.5, 1.0],
        [0.0, 0.5],
    ]
    assert preference_game([[0.5, 0.6], [0.5, 0.5]], atol=0.2).payoff[0, 1] == pytest.approx(0.05)


@pytest.mark.parametrize("label", ["tea", 7, np.str_("tea"), np.int64(7)])
def test_labels_become_plain_python_values(label):
    game = preference_game(TEA, names=[label, "coffee"])
    assert type(game.names[0]) in (str, int)
    assert game.names == (label, "coffee")
    assert game.index(label) == 0


def test_without_names_responses_are_called_by_position():
    game = preference_game(TEA)
    assert game.names == (0, 1)
    assert game.index(1) == 1
    assert preference_game(TEA, names=np.array(["tea", "coffee"])).names == ("tea", "coffee")


def test_representation():
    assert repr(preference_game(TEA)) == "PreferenceGame(2 responses)"
    assert preference_game(TEA).n_responses == 2
    assert preference_game(TEA).n_missing == 0
    assert preference_game(TEA).votes is None


def test_a_game_does_not_change():
    source = np.array(TEA)
    game = preference_game(source)
    source[0, 1] = 0.1
    assert game.preference[0, 1] == 0.7
    for array in (game.preference, game.payoff):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 1] = 0.1
    with pytest.raises(AttributeError):
        game.names = ("a", "b")
    margins = np.array([[0, 0.4], [-0.4, 0]])
    from_margins(margins)
    margins[0, 1] = 1.0  # the game did not freeze the caller's array
    assert isinstance(game, PreferenceGame)


def test_a_game_survives_pickling():
    game = preference_game(TEA, names=["tea", "coffee"])
    copy = pickle.loads(pickle.dumps(game))
    assert np.array_equal(copy.payoff, game.payoff)
    assert np.array_equal(copy.preference, game.preference)
    assert copy.names == game.names


@pytest.mark.parametrize("make", [lambda M: preference_game(M + 0.5), from_margins, from_scores])
def test_a_game_holds_one_table_until_the_other_is_asked_for(make):
    margins = np.triu(np.full((400, 400), 0.25), 1)
    margins -= margins.T
    tracemalloc.start()
    game = make(margins)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1.5 * margins.nbytes
    assert game.preference is game.preference
    assert not game.preference.flags.writeable
    assert "preference" not in game.__getstate__()


NOT_GAMES = [
    ([[0.5, 0.7], [0.4, 0.5]], r"^P\[0, 1\] \+ P\[1, 0\] = 1\.1, not 1\. If ties were left out,"),
    ([[0.5, 0.7], [0.4, 0.5]], "symmetrize=True; for win counts use from_counts$"),
    ([[0.4, 0.7], [0.3, 0.5]], r"^P\[0, 0\] = 0\.4; a response against itself wins with probability 1/2$"),
    ([[0, 60], [40, 0]], r"^P must hold probabilities; P\[0, 1\] is 60\. For win counts use from_counts"),
    ([[0.5, -0.2], [1.2, 0.5]], r"^P must hold probabilities; P\[0, 1\] is -0\.2"),
    ([[0.5, 0.7, 0.2], [0.3, 0.5, 0.1]], r"^P must be square, one row and one column per .* \(2, 3\)$"),
    ([0.5, 0.5], r"^P must have 2 axes; its shape is \(2,\)$"),
    (0.5, r"^P must have 2 axes; its shape is \(\)$"),
    (np.full((2, 2, 2), 0.5), r"^P must have 2 axes; its shape is \(2, 2, 2\)$"),
    (np.zeros((0, 0)), "^P is empty; a game needs at least one response$"),
    ([[0.5, 0.7], [0.3]], r"^P is ragged: row 0 has 2 entries and row 1 has 1; give every row the same"),
    ([[0.5, np.nan], [0.3, 0.5]], r"^P has a value that is not finite: entry \(0, 1\) is nan\. Fill in"),
    ([[0.5, None], [0.3, 0.5]], r"^P has a value that is not finite: entry \(0, 1\) is nan"),
    ([[0.5, 0.7j], [0.3, 0.5]], "^P has complex entries; payoffs and probabilities are real numbers$"),
    ([["0.5", "0.7"], ["0.3", "0.5"]], r"^P must hold numbers only; it holds text: '0\.5'$"),
    ([[0.5, object()], [0.3, 0.5]], "^P must hold numbers only: "),
    (np.ma.masked_array(TEA, mask=[[0, 1], [0, 0]]), "^P is a masked array with masked entries; fill in"),
]


@pytest.mark.parametrize(("matrix", "message"), NOT_GAMES)
def test_what_is_not_a_game_is_refused(matrix, message):
    with pytest.raises(InputError, match=message):
        preference_game(matrix)


def test_messages_use_the_names():
    with pytest.raises(InputError, match=r"^P\[tea, coffee\] \+ P\[coffee, tea\] = 1\.1, not 1"):
        preference_game([[0.5, 0.7], [0.4, 0.5]], names=["tea", "coffee"])
    with pytest.raises(InputError, match=r"^no response is called 'cocoa'; the names start with tea, c"):
        preference_game(TEA, names=["tea", "coffee"]).index("cocoa")


BAD_NAMES = [
    (["a"], "^names has 1 entries for 2 responses; give one name per response$"),
    (["a", "a"], "^names has 'a' twice; names must differ, so rename one of them$"),
    (["a", 1.5], r"^names must hold strings or whole numbers; got 1\.5$"),
    (["a", True], "^names must hold strings or whole numbers; got True$"),
    (["a", None], "^names must hold strings or whole numbers; got None$"),
    ("ab", "^names must be a sequence of 2 names; got 'ab'$"),
    (5, "^names must be a sequence of 2 names; got 5$"),
    ({"a"}, "^names must be a sequence of 2 names; got {'a'}$"),
]


@pytest.mark.parametrize(("names", "message"), BAD_NAMES)
@pytest.mark.parametrize("build", [preference_game, from_margins, from_scores])
def test_bad_names_are_refused(build, names, message):
    matrix = TEA if build is preference_game else [[0, 0.1], [-0.1, 0]]
    with pytest.raises(InputError, match=message):
        build(matrix, names=names)


@pytest.mark.parametrize("build", [preference_game, from_margins, from_scores])
@pytest.mark.parametrize("atol", [-1e-9, np.nan, np.inf, "tight", None])
def test_a_bad_tolerance_is_refused(build, atol):
    matrix = TEA if build is preference_game else [[0, 0.1], [-0.1, 0]]
    with pytest.raises(InputError, match=r"^atol must be a (finite )?number"):
        build(matrix, atol=atol)


@pytest.mark.parametrize(("build", "name"), [(from_margins, "M"), (from_scores, "S")])
def test_what_is_not_skew_is_refused(build, name):
    entries = rf"{name}\[a, b\] = 0\.4 and {name}\[b, a\] = -0\.3 do not cancel$"
    message = rf"^{name} must be skew-symmetric; {entries}"
    with pytest.raises(InputError, match=message):
        build([[0, 0.4], [-0.3, 0]], names=["a", "b"])
    with pytest.raises(InputError, match=rf"^{name}\b.*{name}\[0, 0\] = 0\.1"):
        build([[0.1, 0.4], [-0.4, 0]])
    with pytest.raises(InputError, match=rf"^{name} has a value that is not finite: entry \(0, 1\) is inf"):
        build([[0, np.inf], [-np.inf, 0]])


def test_margins_beyond_one_are_refused():
    message = r"^M must lie in \[-1, 1\]; M\[0, 1\] is 7\. Divide the margins by the number of comparisons"
    with pytest.raises(InputError, match=message):
        from_margins([[0, 7], [-7, 0]])
    assert from_margins([[0, 1 + 1e-10], [-1 - 1e-10, 0]]).payoff[0, 1] == 0.5


def test_an_input_error_is_a_value_error():
    with pytest.raises(ValueError, match="not 1"):
        preference_game([[0.5, 0.7], [0.4, 0.5]])
    assert issubclass(InputError, GameTheoryPrefError)
    error = pickle.loads(pickle.dumps(InputError("wrong", file="votes.csv", line=3)))
    assert str(error) == "votes.csv: line 3: wrong"


class Frame:
    """What a data frame shows of itself."""

    def __init__(self, values, index, columns):
        self.values, self.index, self.columns = np.array(values), index, columns

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


def test_labels_of_a_data_frame_become_names():
    frame = Frame([[0.5, 0.7], [0.3, 0.5]], ["tea", "coffee"], ["tea", "coffee"])
    assert preference_game(frame).names == ("tea", "coffee")
    assert preference_game(frame, names=["a", "b"]).names == ("a", "b")
    counts = Frame([[0, 7], [3, 0]], range(2), range(2))
    assert from_counts(counts).names == (0, 1)
    mixed = Frame([[0.5, 0.7], [0.3, 0.5]], ["tea", "coffee"], ["coffee", "tea"])
    with pytest.raises(InputError, match="the rows are labelled"):
        preference_game(mixed)
