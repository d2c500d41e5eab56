"""Thousands of games at once: each as if alone, whatever its neighbours, threads and memory layout."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gametheory_pref as gp
from gametheory_pref import _threads as threads_module
from gametheory_pref.errors import InputError, NotConverged, UnsupportedCombination
from gametheory_pref.status import Status

COMAL = np.array([[0.5, 0.1, 0.8], [0.9, 0.5, 0.1], [0.2, 0.9, 0.5]])


def random_games(n_games, n, seed=0):
    upper = np.triu(np.random.default_rng(seed).uniform(-0.5, 0.5, (n_games, n, n)), 1)
    return 0.5 + upper - upper.swapaxes(1, 2)


def tie_heavy_votes(rng, n_games, n):
    """Win rates of pairs with up to three votes; pairs without any are ties."""
    wins = np.tril(rng.integers(0, 4, (n_games, n, n)), -1)
    losses = np.tril(rng.integers(0, 4, (n_games, n, n)), -1)
    with np.errstate(invalid="ignore"):
        rate = np.where(wins + losses > 0, wins / (wins + losses), 0.5)
    lower = np.tril(rate - 0.5, -1)
    return 0.5 + lower - lower.swapaxes(1, 2)


def test_known_answers():
    tied = np.full((3, 3), 0.5)
    condorcet = np.array([[0.5, 0.4, 0.3], [0.6, 0.5, 0.51], [0.7, 0.49, 0.5]])
    batch = gp.solve_batch([COMAL, condorcet, tied])
    assert_allclose(batch.policy[0], [4 / 11, 3 / 11, 4 / 11], atol=1e-15)
    assert_array_equal(batch.policy[1], [0, 1, 0])
    assert sorted(batch.policy[2]) == [0, 0, 1]  # a vertex of the set of winners
    assert_array_equal(batch.status, [Status.EXACT] * 3)
    assert batch.method == "simplex"
    assert len(batch.require()) == 3


@pytest.mark.parametrize("flip", [lambda P: P.swapaxes(1, 2), lambda P: 1 - P])
def test_a_flipped_batch_is_another_question(flip):
    games = random_games(20, 7)
    policy = gp.solve_batch(flip(games)).policy
    loss = np.einsum("bij,bj->bi", games - 0.5, policy).max(axis=1)
    # A winner that plays everything lies in the kernel of the payoff, which a flip does not move.
    everything = (policy > 0).all(axis=1)
    assert (loss[~everything] > 1e-3).all()
    assert everything.sum() <= 2


@pytest.mark.parametrize("n", [1, 2, 5, 16, 70])
def test_gaps_are_those_of_the_returned_policies(n):
    games = random_games(8, n)
    batch = gp.solve_batch(games)
    for game, policy, gap in zip(games, batch.policy, batch.gap, strict=True):
        assert_allclose(policy.sum(), 1.0, rtol=1e-14)
        assert_allclose(gap, gp.duality_gap(game, policy), atol=1e-16)
        assert gap <= 1e-14


def test_bad_games_do_not_touch_the_others():
    games = random_games(9, 4)
    alone = gp.solve_batch(games)
    spoilt = games.copy()
    spoilt[1, 0, 2] = np.nan
    spoilt[3, 1, 0] += 1e-6
    spoilt[4, 2, 2] = 0.6
    spoilt[5, 0, 1] += 1.0  # still P + P.T == 1, but outside [0, 1]
    spoilt[5, 1, 0] -= 1.0
    spoilt[6, 0, 1] = np.inf
    mask = np.ones((9, 4), dtype=bool)
    mask[7] = False
    batch = gp.solve_batch(spoilt, mask=mask)
    bad = [1, 3, 4, 5, 6, 7]
    good = [0, 2, 8]
    assert_array_equal(batch.status[bad], Status.INVALID)
    assert_array_equal(batch.policy[bad], 0.0)
    assert np.isposinf(batch.gap[bad]).all()
    assert_array_equal(batch.policy[good], alone.policy[good])
    assert_array_equal(batch.gap[good], alone.gap[good])
    assert_array_equal(batch.converged, ~np.isin(np.arange(9), bad))
    with pytest.raises(NotConverged, match="6 of 9 games have no answer; the first is game 1"):
        batch.require()
    assert "3 exact, 6 invalid" in repr(batch)


def test_a_mask_solves_the_game_of_its_responses():
    games = random_games(40, 6)
    rng = np.random.default_rng(1)
    mask = rng.random((40, 6)) < 0.6
    mask[:, 2] |= ~mask.any(axis=1)
    dirty = np.where(mask[:, :, None] & mask[:, None, :], games, np.nan)
    batch = gp.solve_batch(dirty, mask=mask)
    for game, chosen, policy in zip(games, mask, batch.policy, strict=True):
        part = gp.solve_batch(game[np.ix_(chosen, chosen)][None])
        assert_array_equal(policy[chosen], part.policy[0])
        assert_array_equal(policy[~chosen], 0.0)


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_results_do_not_depend_on_the_threads(monkeypatch, threads):
    games = random_games(500, 9)
    games[17, 0, 0] = np.nan
    monkeypatch.setattr(threads_module, "available_threads", lambda: 1)
    one = gp.solve_batch(games)
    monkeypatch.setattr(threads_module, "available_threads", lambda: threads)
    many = gp.solve_batch(games)
    for name in ("policy", "gap", "status"):
        assert_array_equal(getattr(one, name), getattr(many, name))


def test_layout_and_precision_of_the_input_do_not_matter():
    votes = tie_heavy_votes(np.random.default_rng(2), 30, 6)
    halves = np.round(votes * 4) / 4  # exact in float32
    expected = gp.solve_batch(halves).policy
    wide = np.zeros((30, 12, 12))
    wide[:, ::2, ::2] = halves
    read_only = halves.copy()
    read_only.flags.writeable = False
    single = halves.astype(np.float32)
    for same in (wide[:, ::2, ::2], np.asfortranarray(halves), single, read_only, halves.tolist()):
        assert_array_equal(gp.solve_batch(same).policy, expected)


@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_single_precision_counts_as_rounded(temperature):
    games = random_games(30, 5)
    exact = gp.solve_batch(games, temperature=temperature)
    single = games.astype(np.float32)
    single[3, 0, 1] += 1e-5  # no rounding
    single[4, 2, 3] = np.nan
    rounded = gp.solve_batch(single, temperature=temperature)
    assert_array_equal(np.flatnonzero(~rounded.converged), [3, 4])
    assert_allclose(rounded.policy[5:], exact.policy[5:], atol=1e-4)
    assert rounded.gap[5:].max() <= 1e-12


def test_permuted_games_have_permuted_winners():
    games = random_games(30, 7)
    order = np.random.default_rng(3).permutation(7)
    batch = gp.solve_batch(games[:, order][:, :, order])
    assert_allclose(batch.policy, gp.solve_batch(games).policy[:, order], atol=1e-12)


def test_an_empty_batch_is_a_batch():
    batch = gp.solve_batch(np.empty((0, 3, 3)))
    assert len(batch) == 0
    assert batch.policy.shape == (0, 3)
    assert batch.require() is batch
    assert "0 games" in repr(batch)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"P": COMAL}, r"shape \(B, n, n\).*\(3, 3\)"),
        ({"P": np.full((2, 3, 4), 0.5)}, r"\(2, 3, 4\)"),
        ({"P": np.empty((2, 0, 0))}, r"\(2, 0, 0\)"),
        ({"P": [COMAL, COMAL[:2, :2]]}, "share one array with the help of mask"),
        ({"P": COMAL[None] * 1j}, "complex"),
        ({"P": [[["a"]]]}, "numbers"),
        ({"P": COMAL[None], "mask": [[1, 1, 0]]}, "mask must be boolean"),
        ({"P": COMAL[None], "mask": [True, True, True]}, r"mask must be boolean of shape \(1, 3\)"),
        ({"P": COMAL[None], "temperature": [0.1, 0.2]}, "2 entries for 1 games"),
        ({"P": COMAL[None], "temperature": -1}, "temperature"),
        ({"P": COMAL[None], "temperature": [-1.0]}, "entry 0 is -1.0"),
        ({"P": COMAL[None], "method": "magic"}, "method must be one of auto, simplex, newton, or an update rule"),
        ({"P": COMAL[None], "tol": -1}, "tol"),
        ({"P": COMAL[None], "temperature": 1.0, "reference": [0.5, 0.5]}, "2 entries for 3 responses"),
        ({"P": COMAL[None], "temperature": 1.0, "reference": [[0.5, 0.5]]}, r"\(1, 2\)"),
        ({"P": COMAL[None], "temperature": 1.0, "reference": "uniform"}, "reference must be one array of numbers"),
        ({"P": COMAL[None], "temperature": 1.0, "reference": [["a", "b", "c"]]}, "reference must be one array"),
        ({"P": COMAL[None], "temperature": 1e-300}, "temperature is 1e-300; payoffs divided by it overflow"),
        ({"P": COMAL[None], "temperature": [1e-300]}, "temperature is 1e-300; payoffs divided by it overflow"),
    ],
)
def test_unusable_arguments_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        gp.solve_batch(**arguments)


def test_a_method_that_does_not_serve_the_temperature_is_refused():
    with pytest.raises(UnsupportedCombination, match="'simplex' is for temperature 0"):
        gp.solve_batch(COMAL[None], temperature=0.1, method="simplex")
    with pytest.raises(UnsupportedCombination, match="'newton' is for positive"):
        gp.solve_batch(COMAL[None], method="newton")
    with pytest.raises(UnsupportedCombination, match="reference has no effect"):
        gp.solve_batch(COMAL[None], reference=np.full(3, 1 / 3))


def test_an_inaccurate_answer_says_so():
    batch = gp.solve_batch(random_games(50, 12), tol=0.0)
    assert set(batch.status) <= {Status.EXACT, Status.INACCURATE}
    assert_array_equal(batch.converged, batch.gap == 0.0)


@pytest.mark.parametrize("temperature", [0.5, 0.05])
def test_regularised_games_are_those_of_solve(temperature):
    games = random_games(12, 5)
    batch = gp.solve_batch(games, temperature=temperature)
    assert batch.method == "newton"
    assert_array_equal(batch.status, Status.CONVERGED)
    for game, policy, gap in zip(games, batch.policy, batch.gap, strict=True):
        assert_allclose(policy, gp.solve(game, temperature=temperature).policy, atol=1e-9)
        assert gp.duality_gap(game, policy, temperature=temperature) <= 1e-12
        assert gap <= 1e-12


def test_every_regularised_game_may_have_its_own_temperature_and_reference():
    games = random_games(4, 3)
    temperature = np.array([0.05, 0.1, 0.3, 2.0])
    reference = np.random.default_rng(4).dirichlet(np.ones(3), size=4)
    batch = gp.solve_batch(games, temperature=temperature, reference=reference)
    assert_array_equal(batch.temperature, temperature)
    for game, heat, anchor, policy in zip(games, temperature, reference, batch.policy, strict=True):
        assert_allclose(policy, gp.solve(game, temperature=heat, reference=anchor).policy, atol=1e-9)
    shared = gp.solve_batch(games, temperature=0.1, reference=reference[0])
    repeated = gp.solve_batch(games, temperature=0.1, reference=np.tile(reference[0], (4, 1)))
    assert_array_equal(shared.policy, repeated.policy)


def test_the_reference_counts_on_the_responses_of_the_game():
    games = random_games(1, 4)
    mask = np.array([[True, False, True, True]])
    batch = gp.solve_batch(games, temperature=0.2, reference=[0.1, 0.6, 0.3, 0.0], mask=mask)
    part = gp.solve_batch(games[:, ::2, ::2], temperature=0.2, reference=[0.25, 0.75])
    assert_allclose(batch.policy[0, [0, 2]], part.policy[0], atol=1e-12)
    assert_array_equal(batch.policy[0, [1, 3]], 0.0)


def test_bad_references_and_games_spoil_only_their_own_game():
    games = random_games(5, 3)
    reference = np.full((5, 3), 1 / 3)
    reference[1] = [np.nan, 0.5, 0.5]
    reference[2] = 0.0
    reference[3] = [-0.5, 1.0, 0.5]
    games[4, 0, 1] = np.nan
    batch = gp.solve_batch(games, temperature=0.1, reference=reference)
    assert_array_equal(batch.status, [Status.CONVERGED] + 4 * [Status.INVALID])
    assert_array_equal(batch.policy[0], gp.solve_batch(games[:1], temperature=0.1).policy[0])


def test_a_batch_may_mix_temperature_zero_with_others():
    games = random_games(6, 4)
    temperature = np.array([0.0, 0.1, 0.0, 0.2, 0.1, 0.0])
    batch = gp.solve_batch(games, temperature=temperature)
    assert batch.method == "simplex and newton"
    for game, heat, policy in zip(games, temperature, batch.policy, strict=True):
        assert_array_equal(policy, gp.solve_batch(game[None], temperature=heat).policy[0])


@pytest.mark.slow
def test_a_million_tie_heavy_vote_games():
    rng = np.random.default_rng(20261125)
    for n in range(2, 13):
        batch = gp.solve_batch(tie_heavy_votes(rng, 91_000, n))
        assert batch.converged.all(), n
        assert batch.gap.max() <= 1e-9
        assert_allclose(batch.policy.sum(axis=1), 1.0, rtol=1e-13)
