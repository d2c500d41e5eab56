"""Gaps against their definitions, known values, and policies that are no equilibria."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref.gap import deviations, divergence
from gametheory_pref.problem import as_policy, as_problem

COMAL = np.array([[0.5, 0.1, 0.8], [0.9, 0.5, 0.1], [0.2, 0.9, 0.5]])
PREFERENCE = [name for name, entry in gp.zoo.items() if entry.value is None]
MATRIX = [name for name, entry in gp.zoo.items() if entry.value is not None]


def random_policy(rng: np.random.Generator, n: int) -> np.ndarray:
    policy = rng.dirichlet(np.full(n, 0.5))
    return policy / policy.sum()


def random_game(rng: np.random.Generator, n: int) -> np.ndarray:
    upper = np.triu(rng.uniform(-0.5, 0.5, (n, n)), 1)
    return 0.5 + upper - upper.T


seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)


# Without regularisation.


@given(seeds, st.integers(1, 8))
def test_the_gap_is_the_best_attack_on_both_sides(rng, n):
    """By definition: what the best row wins against the policy, minus what the policy saves from a column."""
    preference, policy = random_game(rng, n), random_policy(rng, n)
    row = max(preference[i] @ policy for i in range(n))
    column = min(policy @ preference[:, j] for j in range(n))
    assert_allclose(gp.duality_gap(preference, policy), row - column, rtol=0, atol=1e-14)
    assert_allclose(gp.exploitability(preference, policy), row - 0.5, rtol=0, atol=1e-14)


def test_known_gaps():
    uniform, first = np.full(3, 1 / 3), [1, 0, 0]
    rock_paper_scissors = gp.zoo["rock_paper_scissors"].game
    assert_allclose(gp.duality_gap(rock_paper_scissors, uniform), 0.0, atol=1e-16)
    assert gp.duality_gap(rock_paper_scissors, first) == 1.0
    assert_allclose(gp.duality_gap(COMAL, uniform), float(Fraction(1, 15)), rtol=1e-14)
    assert_allclose(gp.duality_gap([[0.5, 0.7], [0.3, 0.5]], [0.25, 0.75]), 0.3, rtol=1e-15)
    assert_allclose(gp.duality_gap(gp.zoo["star"].game, np.full(100, 0.01)), 0.99, rtol=1e-14)


@pytest.mark.parametrize("name", PREFERENCE)
def test_winners_of_the_zoo_have_no_gap_and_others_have(name):
    entry = gp.zoo[name]
    assert 0.0 <= gp.duality_gap(entry.game, entry.winner) <= 4e-16
    n = entry.game.n_responses
    gaps = [gp.duality_gap(entry.game, np.eye(n)[i]) for i in range(n)]
    exact = [2 * max(column) for column in zip(*entry.payoff_exact, strict=True)]
    assert_allclose(gaps, [float(gap) for gap in exact], rtol=0, atol=2**-52)


def test_the_winner_of_a_transposed_game_has_a_gap():
    flipped = [gp.zoo[name].game.preference.T for name in PREFERENCE]
    gaps = [gp.duality_gap(P, gp.zoo[name].winner) for P, name in zip(flipped, PREFERENCE, strict=True)]
    assert sum(gap > 1e-3 for gap in gaps) >= 12
    assert gaps[PREFERENCE.index("bradley_terry")] == pytest.approx(2 * (8 / 9 - 1 / 2))


def test_the_gap_of_a_tiny_error_is_resolved():
    """No cancellation against the payoff of the policy itself: a shift of 1e-13 shows with three digits."""
    shift = 1e-13
    policy = np.array([4 / 11 + shift, 3 / 11 - shift, 4 / 11])
    expected = 2 * max((COMAL - 0.5) @ np.array([shift, -shift, 0.0]))
    assert_allclose(gp.duality_gap(COMAL, policy), expected, rtol=1e-3)


# With regularisation.


def regularised_gap(preference, policy, reference, temperature):
    """Return the gap by its closed form, ``2 b [log sum mu exp(A pi / b) + KL(pi || mu)]``."""
    gain = (preference - 0.5) @ policy / temperature
    with np.errstate(divide="ignore"):
        logs = np.log(reference) + gain
        top = logs.max()
        value = top + np.log(np.exp(logs - top).sum())
    played = policy > 0
    divergence_from_reference = policy[played] @ np.log(policy[played] / reference[played])
    return 2 * temperature * (value + divergence_from_reference)


@given(seeds, st.integers(1, 7), st.sampled_from([0.02, 0.1, 1.0, 10.0]))
def test_the_regularised_gap_is_its_closed_form(rng, n, temperature):
    preference, policy, reference = random_game(rng, n), random_policy(rng, n), rng.dirichlet(np.ones(n))
    reference /= reference.sum()
    gap = gp.duality_gap(preference, policy, temperature=temperature, reference=reference)
    expected = regularised_gap(preference, policy, reference, temperature)
    assert_allclose(gap, expected, rtol=1e-9, atol=1e-13)
    assert gap >= 0.0


@given(seeds, st.integers(2, 5))
def test_no_reply_gains_more_than_the_regularised_gap_says(rng, n):
    """The definition, attacked: payoff minus penalty of a reply, against what the policy gets itself."""
    temperature = 0.1
    preference, policy = random_game(rng, n), random_policy(rng, n)
    reference = np.full(n, 1 / n)
    payoff = (preference - 0.5) @ policy

    def worth(reply):
        played = reply > 0
        return reply @ payoff - temperature * reply[played] @ np.log(reply[played] / reference[played])

    softmax = np.exp((payoff - payoff.max()) / temperature)
    softmax /= softmax.sum()
    best = worth(softmax)
    assert all(worth(random_policy(rng, n)) <= best + 1e-12 for _ in range(20))
    gap = gp.duality_gap(preference, policy, temperature=temperature)
    assert_allclose(gap, 2 * (best - worth(policy)), rtol=1e-9, atol=1e-13)


def test_uniform_is_the_default_reference():
    policy = [0.2, 0.3, 0.5]
    gap = gp.duality_gap(COMAL, policy, temperature=0.2)
    named, listed, other = (
        gp.duality_gap(COMAL, policy, temperature=0.2, reference=reference)
        for reference in ("uniform", np.full(3, 1 / 3), [0.6, 0.2, 0.2])
    )
    assert named == gap
    assert_allclose(listed, gap, rtol=1e-14)
    assert other != pytest.approx(gap, rel=0.1)


def test_the_equilibrium_of_two_responses_has_no_gap():
    """A game of two: pi_1 / pi_2 = exp(a / beta), since both payoffs differ by a whatever the policy."""
    payoff, temperature = 0.2, 0.5
    odds = np.exp(payoff / temperature)
    policy = np.array([odds, 1.0]) / (1.0 + odds)
    preference = [[0.5, 0.5 + payoff], [0.5 - payoff, 0.5]]
    gap = gp.duality_gap(preference, policy, temperature=temperature)
    assert 0.0 <= gap < 1e-30
    assert gp.duality_gap(preference, policy[::-1], temperature=temperature) > 0.05
    assert gp.duality_gap(np.transpose(preference), policy, temperature=temperature) > 0.05


def test_a_tiny_regularised_gap_keeps_its_digits():
    """Second order in the error: about beta sum e_i^2 / pi_i, here 1e-20, below the rounding of its terms."""
    payoff, temperature, shift = 0.2, 0.5, 1e-10
    odds = np.exp(payoff / temperature)
    policy = np.array([odds, 1.0]) / (1.0 + odds)
    moved = policy + np.array([shift, -shift])
    preference = [[0.5, 0.5 + payoff], [0.5 - payoff, 0.5]]
    # The reply does not move: both payoffs change by the same amount, -0.2 * shift.
    expected = temperature * (shift**2 / policy).sum()
    assert_allclose(gp.duality_gap(preference, moved, temperature=temperature), expected, rtol=1e-4)


def test_responses_that_the_reference_forbids():
    reference = [0.5, 0.5, 0.0]
    assert gp.duality_gap(COMAL, [0.4, 0.4, 0.2], temperature=0.1, reference=reference) == np.inf
    gap = gp.duality_gap(COMAL, [0.4, 0.6, 0.0], temperature=0.1, reference=reference)
    assert_allclose(gap, gp.duality_gap([[0.5, 0.1], [0.9, 0.5]], [0.4, 0.6], temperature=0.1), rtol=1e-13)


@pytest.mark.parametrize("temperature", [1e-200, 1e-100, 1e-9, 1e100, 1e200])
def test_extreme_temperatures_give_numbers(temperature):
    policy = np.array([0.5, 0.25, 0.25])
    gap = gp.duality_gap(COMAL, policy, temperature=temperature)
    assert np.isfinite(gap)
    if temperature < 1e-6:
        assert_allclose(gap, gp.duality_gap(COMAL, policy), rtol=1e-6)


@given(seeds, st.integers(1, 6))
def test_divergence_is_kullback_and_leibler(rng, n):
    p, q = random_policy(rng, n), rng.dirichlet(np.ones(n))
    q /= q.sum()
    played = p > 0
    assert_allclose(
        divergence(p, np.log(q)), p[played] @ np.log(p[played] / q[played]), rtol=1e-9, atol=1e-15
    )


def test_divergence_at_the_edges():
    log_half = np.log([0.5, 0.5])
    assert_allclose(divergence(np.array([1.0, 0.0]), log_half), np.log(2), rtol=1e-15)
    assert divergence(np.array([0.5, 0.5]), log_half) == 0.0
    assert divergence(np.array([0.5, 0.5]), np.array([0.0, -np.inf])) == np.inf
    shift = 1e-12
    close = divergence(np.array([0.5 + shift, 0.5 - shift]), log_half)
    assert_allclose(close, 2 * shift**2, rtol=1e-3)


# Other games.


def brute_force_nash_conv(payoffs, policies):
    """Return the sum over players of the best pure deviation's gain, every profile visited."""
    total = 0.0
    for player in range(payoffs.shape[0]):

        def expected(own, player=player):
            value = 0.0
            for profile in itertools.product(*(range(k) for k in payoffs.shape[1:])):
                chance = np.prod([(own if p == player else policies[p])[a] for p, a in enumerate(profile)])
                value += chance * payoffs[(player, *profile)]
            return value

        actions = payoffs.shape[player + 1]
        total += max(expected(np.eye(actions)[a]) for a in range(actions)) - expected(policies[player])
    return total


@pytest.mark.parametrize("shape", [(2,), (3, 2), (2, 3, 4), (2, 2, 3, 2)])
def test_nash_conv_by_brute_force(shape):
    rng = np.random.default_rng(11)
    for _ in range(5):
        payoffs = rng.normal(size=(len(shape), *shape))
        policies = tuple(random_policy(rng, k) for k in shape)
        game = gp.multiplayer_game(payoffs)
        expected = brute_force_nash_conv(payoffs, policies)
        assert_allclose(gp.duality_gap(game, policies), expected, rtol=1e-12, atol=1e-14)
        assert_allclose(gp.exploitability(game, policies), expected / len(shape), rtol=1e-12, atol=1e-14)
        best = deviations(as_problem(game), as_policy(game, policies))
        assert len(best) == len(shape)
        assert_allclose(sum(deviation.regret for deviation in best), expected, rtol=1e-12, atol=1e-14)


def test_two_players_are_the_same_game_in_both_forms():
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, 3, 4))
    policies = (random_policy(rng, 3), random_policy(rng, 4))
    expected = (a @ policies[1]).max() - policies[0] @ a @ policies[1]
    expected += (policies[0] @ b).max() - policies[0] @ b @ policies[1]
    assert_allclose(gp.duality_gap(gp.matrix_game(a, b), policies), expected, rtol=1e-13)
    assert_allclose(gp.duality_gap(gp.multiplayer_game([a, b]), policies), expected, rtol=1e-13)
    for temperature in (0.1, 2.0):
        both = [
            gp.duality_gap(game, policies, temperature=temperature)
            for game in (gp.matrix_game(a, b), gp.multiplayer_game([a, b]))
        ]
        assert_allclose(both[0], both[1], rtol=1e-12)


def test_a_preference_game_as_a_matrix_game_has_the_same_gap():
    """The preference game counts both sides of one policy; the matrix game is given the policy twice."""
    policy = np.array([0.2, 0.5, 0.3])
    as_matrix = gp.matrix_game(COMAL, COMAL.T)
    assert_allclose(gp.duality_gap(as_matrix, (policy, policy)), gp.duality_gap(COMAL, policy), rtol=1e-14)
    for reference in ([1 / 3, 1 / 3, 1 / 3], [0.7, 0.2, 0.1]):
        assert_allclose(
            gp.duality_gap(as_matrix, (policy, policy), temperature=0.3, reference=(reference, reference)),
            gp.duality_gap(COMAL, policy, temperature=0.3, reference=reference),
            rtol=1e-13,
        )


@pytest.mark.parametrize("name", MATRIX)
def test_matrix_games_of_the_zoo(name):
    entry = gp.zoo[name]
    assert 0.0 <= gp.duality_gap(entry.game, entry.winner) <= 4e-15
    row, column = entry.game.row_payoff.shape
    wrong = (np.eye(row)[0], np.eye(column)[0])
    payoff = entry.game.row_payoff
    assert gp.duality_gap(entry.game, wrong) == payoff[:, 0].max() - payoff[0].min() > 0.5


def test_a_pure_equilibrium_of_three_players_has_no_gap():
    """Whoever plays 1 alone pays one; the others do not matter. All at 0 is the only equilibrium."""
    cost = -np.indices((2, 2, 2)).astype(float)
    game = gp.multiplayer_game(cost)
    stay, move = [1.0, 0.0], [0.0, 1.0]
    assert gp.duality_gap(game, (stay, stay, stay)) == 0.0
    assert gp.duality_gap(game, (stay, move, stay)) == 1.0
    assert gp.duality_gap(game, (move, move, move)) == 3.0


def test_best_responses_are_named_by_position():
    game = gp.preference_game(COMAL)
    problem = as_problem(game)
    (deviation,) = deviations(problem, as_policy(game, [1.0, 0.0, 0.0]))
    assert deviation.best_response == 1
    assert deviation.regret == pytest.approx(0.4)


BAD = [
    ({"policy": [0.5, 0.5]}, "^policy has 2 entries for 3 responses; give one probability per response$"),
    ({"policy": [0.5, 0.6, -0.1]}, r"^policy has a negative probability: entry 2 is -0\.1$"),
    ({"policy": [0.5, 0.4, 0.2]}, r"^policy sums to 1\.1, not 1; divide it by its sum$"),
    ({"policy": [0.5, 0.5, 1e-8]}, r"^policy sums to 1\.00000001, not 1; divide it by its sum$"),
    ({"policy": [0.5, 0.5, np.nan]}, r"^policy has a value that is not finite: entry \(2\) is nan"),
    ({"policy": [[0.5, 0.5, 0.0]]}, r"^policy must have 1 axis; its shape is \(1, 3\)$"),
    ({"policy": "abc"}, "^policy must hold numbers only; it holds text: 'abc'$"),
    ({"temperature": -0.1}, r"^temperature must be a finite number of at least 0; got -0\.1$"),
    ({"temperature": np.nan}, "^temperature must be a finite number of at least 0; got nan$"),
    ({"temperature": "hot"}, "^temperature must be a number; got 'hot'$"),
    ({"temperature": 1e-300}, "^temperature is 1e-300; payoffs divided by it overflow, so use 0"),
    ({"temperature": 0.1, "reference": [0.5, 0.5]}, "^reference has 2 entries for 3 responses"),
    ({"temperature": 0.1, "reference": [0.5, 0.6, 0.0]}, r"^reference sums to 1\.1, not 1"),
    ({"game": [[0.5, 0.7], [0.7, 0.5]]}, r"^P\[0, 1\] \+ P\[1, 0\] = 1\.4, not 1"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(gp.InputError, match=message):
        gp.duality_gap(**{"game": COMAL, "policy": [0.5, 0.25, 0.25], **arguments})


@pytest.mark.parametrize("policy", [[0.5, 0.5], ([0.5, 0.5],), np.full((2, 2), 0.5), 0.5])
def test_games_of_two_players_need_two_policies(policy):
    with pytest.raises(gp.InputError, match=r"^policy(\[0\])? must (be a tuple of 2 dist|have 1 axis)"):
        gp.duality_gap(gp.matrix_game([[1, 2], [3, 4]]), policy)


def test_a_sum_off_by_rounding_passes():
    policy = np.array([0.7, 0.2, 0.1])
    assert policy.sum() != 1.0
    assert_allclose(gp.duality_gap(COMAL, policy), 2 * ((COMAL - 0.5) @ policy).max(), rtol=1e-14)
    assert gp.duality_gap(np.full((3, 3), 0.5), [1 / 3, 1 / 3, 1 / 3 - 5e-10]) == 0.0
