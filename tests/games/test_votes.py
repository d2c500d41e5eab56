"""Games from counts: ties, missing pairs, two kinds of payoff."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from gametheory_pref.errors import InputError
from gametheory_pref.games import preference_game
from gametheory_pref.games.votes import Votes, from_counts

# Three pairs compared 10, 100 and 1000 times; 0 beats 1, 1 beats 2, 2 beats 0.
UNEVEN = [[0, 8, 450], [2, 0, 60], [550, 40, 0]]


def counts(n):
    off_diagonal = 1 - np.eye(n, dtype=np.int64)
    return arrays(np.int64, (n, n), elements=st.integers(0, 30)).map(lambda table: table * off_diagonal)


@given(st.integers(2, 6).flatmap(lambda n: st.tuples(counts(n), counts(n))))
def test_win_rates_count_a_tie_as_half_a_win(tables):
    wins, raw = tables
    ties = raw + raw.T
    assume(wins.any() or ties.any())
    game = from_counts(wins, ties=ties)
    n = len(wins)
    for i in range(n):
        for j in range(n):
            total = int(wins[i, j] + wins[j, i] + ties[i, j])
            rate = Fraction(int(2 * wins[i, j] + ties[i, j]), 2 * total) if total else Fraction(1, 2)
            assert_allclose(game.preference[i, j], float(rate), rtol=0, atol=2**-52)
    assert np.array_equal(game.payoff, -game.payoff.T)
    pairs = np.triu(wins + wins.T + ties, 1)
    assert game.votes.n_comparisons == pairs.sum()
    assert game.votes.n_ties == np.triu(ties, 1).sum()
    assert game.n_missing == n * (n - 1) // 2 - np.count_nonzero(pairs)


@given(st.integers(2, 6).flatmap(counts))
def test_margins_are_wins_minus_losses_over_the_largest_total(wins):
    assume(wins.any())
    game = from_counts(wins, kind="margin")
    expected = (wins - wins.T) / (2 * (wins + wins.T).max())
    assert_allclose(game.payoff, expected, rtol=1e-15, atol=0)
    assert np.array_equal(game.payoff, -game.payoff.T)


@given(st.integers(2, 6).flatmap(counts), st.integers(1, 30))
def test_both_kinds_agree_when_every_pair_was_compared_equally_often(raw, extra):
    half = np.triu(raw, 1)
    total = int(half.max()) + extra
    wins = half + np.tril(total - half.T, -1)
    rate, margin = from_counts(wins), from_counts(wins, kind="margin")
    assert np.array_equal(rate.payoff, margin.payoff)


def test_the_kinds_are_different_games_when_pairs_were_not():
    """A cycle of three is won in proportion to the margins of the opposite pairs: known for both kinds."""
    rate, margin = from_counts(UNEVEN), from_counts(UNEVEN, kind="margin")
    rate_margins = np.array([20 / 100, 100 / 1000, 6 / 10])  # 1 over 2, 2 over 0, 0 over 1
    margin_margins = np.array([20, 100, 6])
    for game, opposite in [(rate, rate_margins), (margin, margin_margins)]:
        winner = opposite / opposite.sum()
        assert_allclose(game.payoff @ winner, 0.0, atol=1e-16)
    assert max(margin.payoff @ (rate_margins / rate_margins.sum())) > 0.01
    assert rate.votes.kind == "rate"
    assert margin.votes.kind == "margin"


def test_ties_pull_rates_to_one_half_and_do_not_change_margins_of_equal_totals():
    game = from_counts([[0, 3], [1, 0]], ties=[[0, 4], [4, 0]])
    assert game.preference.tolist() == [[0.5, 0.625], [0.375, 0.5]]
    assert repr(game) == "PreferenceGame(2 responses, 8 comparisons)"


def test_missing_pairs_are_played_as_one_half_and_counted():
    wins = [[0, 3, 0], [1, 0, 5], [0, 0, 0]]
    game = from_counts(wins, names=["a", "b", "c"])
    assert game.preference[0, 2] == 0.5
    assert game.n_missing == 1
    assert repr(game) == "PreferenceGame(3 responses, 9 comparisons, 1 pairs never compared)"
    with pytest.raises(InputError, match=r'^1 pairs were never compared; first: a and c\. .*missing="half"'):
        from_counts(wins, names=["a", "b", "c"], missing="error")
    assert from_counts([[0, 3], [1, 0]], missing="error").n_missing == 0


def test_a_pair_with_ties_only_is_not_missing():
    game = from_counts([[0, 0], [0, 0]], ties=[[0, 2], [2, 0]], missing="error")
    assert game.preference[0, 1] == 0.5
    assert game.n_missing == 0


def test_the_winner_is_the_row():
    assert from_counts([[0, 3], [1, 0]]).preference[0, 1] == 0.75
    assert from_counts([[0, 3], [1, 0]], kind="margin").payoff[0, 1] == 0.25


BAD = [
    ({"wins": [[0, -1], [2, 0]]}, r"^wins\[0, 1\] = -1 is negative; counts are whole"),
    ({"wins": [[0, 0.7], [0.3, 0]]}, r"^wins\[0, 1\] = 0\.7 is fractional; .* use preference_game"),
    ({"wins": [[0, 1e306], [1, 0]]}, r"^wins\[0, 1\] = 1e\+306 is beyond 2\*\*53"),
    ({"ties": [[0, 1e16], [1e16, 0]]}, r"^ties\[0, 1\] = 1e\+16 is beyond 2\*\*53"),
    ({"wins": [[1, 2], [3, 0]]}, r"^wins\[0, 0\] = 1; a response is not compared with itself, so it must be"),
    ({"wins": [[0, 2, 1], [3, 0, 1]]}, r"^wins must be square"),
    ({"wins": [[0, np.nan], [3, 0]]}, r"^wins has a value that is not finite: entry \(0, 1\) is nan"),
    ({"wins": [[0, 0], [0, 0]]}, "^there are 0 comparisons, so nothing can be said about any pair; check"),
    ({"ties": [[0, 2], [1, 0]]}, r"^ties\[0, 1\] = 2 but ties\[1, 0\] = 1; a tie belongs to the pair"),
    ({"ties": [[0, 2]]}, r"^ties has shape \(1, 2\) and wins \(2, 2\); they must agree$"),
    ({"ties": [[0, 0.5], [0.5, 0]]}, r"^ties\[0, 1\] = 0\.5 is fractional"),
    ({"ties": [[2, 0], [0, 0]]}, r"^ties\[0, 0\] = 2; a response is not compared with itself"),
    ({"kind": "margins"}, "^kind must be one of rate, margin; got 'margins'$"),
    ({"missing": "drop"}, "^missing must be one of half, error; got 'drop'$"),
    ({"names": ["a"]}, "^names has 1 entries for 2 responses"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_counts_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        from_counts(**{"wins": [[0, 3], [1, 0]], **arguments})


def test_one_response_needs_no_comparison():
    game = from_counts([[0]], names=["only"])
    assert game.preference.tolist() == [[0.5]]
    assert game.n_missing == 0


def test_counts_do_not_change():
    wins, ties = np.array([[0.0, 3.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    game = from_counts(wins, ties=ties)
    wins[0, 1] = ties[0, 1] = 100
    assert game.votes.wins[0, 1] == 3
    assert game.votes.totals.tolist() == [[0, 5], [5, 0]]
    for array in (game.votes.wins, game.votes.ties, game.votes.totals, game.payoff):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 1] = 7
    with pytest.raises(AttributeError):
        game.votes.kind = "margin"


def test_the_share_of_wins_in_the_first_position():
    wins, first = np.array([[0.0, 6.0], [2.0, 0.0]]), np.array([[0.0, 5.0], [1.0, 0.0]])
    none = np.zeros((2, 2))
    assert Votes(wins, none, first_wins=first).first_share == 0.75
    assert Votes(wins, none).first_share is None
    assert Votes(none, np.array([[0.0, 3.0], [3.0, 0.0]]), first_wins=none).first_share is None


def test_a_plain_matrix_game_has_no_votes():
    assert preference_game([[0.5, 0.75], [0.25, 0.5]]).votes is None
