from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp

from .worked import GAMES, UNEVEN, divergences, drawn, run, theorem

WEIGHTS = gp.METHODS["multiplicative_weights"]


@pytest.mark.parametrize(
    ("game", "average", "bound", "last"), [("comal", 1.1e-4, 4.7e-3, 0.064), ("random10", 3.0e-3, 6.8e-3, 0.44)]
)
def test_worked_averages(game, average, bound, last):
    """From the uniform policy, with the best step for payoffs up to 1/2."""
    spread, steps = np.log(GAMES[game].n_responses), 100_000
    eta = np.sqrt(8.0 * spread / steps)
    found = run(GAMES[game], WEIGHTS(step_size=eta), steps)
    assert_allclose(found.gap_average[-1], average, rtol=0.03)
    assert_allclose(found.gap_last[-1], last, rtol=0.02)
    assert_allclose(2.0 * spread / (eta * steps) + eta / 4.0, bound, rtol=5e-3)
    proved = theorem(WEIGHTS, "multiplicative-weights-average")
    assert (found.gap_average <= proved.bound(found.rule, found.facts, found.steps)).all()


@pytest.mark.parametrize(("game", "printed"), [("comal", 4.3), ("random10", 6.9)])
def test_the_last_policy_moves_away(game, printed):
    found = run(GAMES[game], WEIGHTS(step_size=0.5), 3000)
    assert_allclose(divergences(found)[-1], printed, atol=0.05)


def test_the_last_policy_spirals_outwards_at_the_predicted_rate():
    """1 + (eta w)^2 = 1 + (sqrt(3) / 12)^2 = 1.020833 for rock, paper, scissors at 0.5."""
    near = [1.0 / 3.0 + 1e-4, 1.0 / 3.0, 1.0 / 3.0 - 1e-4]
    found = run(GAMES["rock_paper_scissors"], WEIGHTS(step_size=0.5), 100, start=near, record=gp.Record(per_decade=200))
    kl = divergences(found)
    assert (np.diff(kl) > 0.0).all()
    assert_allclose(kl[1:] / kl[:-1], 1.020833 ** np.diff(found.steps), rtol=3e-4)
    rate = theorem(WEIGHTS, "multiplicative-weights-local-rate")
    assert rate.hypotheses(found.rule, found.facts) is None
    assert_allclose(rate.factor(found.rule, found.facts), 1.020833, atol=1e-6)


def test_the_cycle_of_the_comal_game():
    found = run(GAMES["comal"], WEIGHTS(step_size=0.5), 3000, start=UNEVEN, record=gp.Record(per_decade=4000))
    late = found.gap_last[found.steps >= 1000]
    assert_allclose([late.min(), late.max()], [0.22, 0.80], atol=5e-3)
    assert_allclose(found.gap_average[-1], 6.9e-3, rtol=0.01)


@pytest.mark.parametrize(
    ("n", "margin", "largest", "bound"),
    [(5, 0.1, 14.6, 29.0), (20, 0.2, 13.7, 27.0), (50, 0.05, 70.5, 140.8), (50, 0.4, 9.2, 17.6)],
)
def test_a_condorcet_winner_makes_the_average_fast(n, margin, largest, bound):
    """The others play any game among themselves: T times the gap of the average stays below 7.2 a^2 D / margin."""
    payoff = drawn(n, n).payoff.copy()
    payoff[0, 1:], payoff[1:, 0] = margin, -margin
    payoff[1, 2], payoff[2, 1] = 0.5, -0.5
    found = run(
        gp.preference_game(0.5 + payoff),
        WEIGHTS(step_size="condorcet"),
        20_000,
        record=gp.Record(per_decade=100),
    )
    theorem_bound = theorem(WEIGHTS, "multiplicative-weights-condorcet")
    assert theorem_bound.hypotheses(found.rule, found.facts) is None
    scaled = found.steps[1:] * found.gap_average[1:]
    assert_allclose(scaled.max(), largest, rtol=5e-3)
    allowed = theorem_bound.bound(found.rule, found.facts, found.steps)[1:] * found.steps[1:]
    assert_allclose(allowed, bound, rtol=3e-3)
    # The winner takes over geometrically.
    assert found.log_last[-1, 0] > -1e-12


def test_the_fast_rate_asks_for_a_condorcet_winner_and_a_small_step():
    fast = theorem(WEIGHTS, "multiplicative-weights-condorcet")
    cycle = run(GAMES["rock_paper_scissors"], WEIGHTS(step_size=0.1), 10, start=UNEVEN)
    assert fast.hypotheses(cycle.rule, cycle.facts) == "the game has no Condorcet winner"
    hasty = run(gp.zoo["bradley_terry"].game, WEIGHTS(step_size=5.0), 10)
    assert "Delta / (1.8 a^2)" in fast.hypotheses(hasty.rule, hasty.facts)


def test_the_fast_step_is_refused_where_nobody_beats_all():
    with pytest.raises(gp.InputError, match="step_size 'condorcet' of multiplicative_weights comes to 0 for this game"):
        gp.solve(GAMES["rock_paper_scissors"], WEIGHTS(step_size="condorcet"))
    games = np.stack([GAMES["comal"].preference, gp.zoo["bradley_terry"].game.preference[:3, :3]])
    batch = gp.solve_batch(games, method=WEIGHTS(step_size="condorcet"), max_steps=200, tol=0.1)
    assert batch.status.tolist() == [gp.Status.INVALID, gp.Status.CONVERGED]


def test_the_fast_step_in_a_batch_is_that_of_each_game():
    games = np.array([gp.zoo["bradley_terry"].game.preference, 0.1 + 0.8 * gp.zoo["bradley_terry"].game.preference])
    batch = gp.solve_batch(games, method=WEIGHTS(step_size="condorcet"), max_steps=200, tol=0.0)
    alone = [gp.solve(one, WEIGHTS(step_size="condorcet"), max_steps=200, tol=0.0).policy for one in games]
    assert_allclose(batch.policy, alone, atol=1e-12)


def test_onpos_first_theorem_is_about_the_horizon_only():
    claim = theorem(WEIGHTS, "onpo-theorem-1")
    found = run(GAMES["random10"], WEIGHTS(step_size="onpo"), 2000)
    assert claim.hypotheses(found.rule, found.facts) is None
    bound = claim.bound(found.rule, found.facts, found.steps)
    assert np.isinf(bound[:-1]).all()
    assert_allclose(bound[-1], 4.0 * np.sqrt(np.log(10.0) / 2000.0))
    assert found.gap_average[-1] < bound[-1]


def test_noisy_labels_only_shrink_the_payoffs():
    """P' = (1 - 2 e) P + e scales the payoffs by 1 - 2 e: the same winner, the same policies with a longer step."""
    game, flip = drawn(9, 5), 0.2
    noisy = gp.preference_game((1.0 - 2.0 * flip) * game.preference + flip)
    one = run(game, WEIGHTS(step_size=0.3), 50)
    two = run(noisy, WEIGHTS(step_size=0.3 / (1.0 - 2.0 * flip)), 50)
    assert_allclose(one.log_last, two.log_last, atol=1e-12)


def test_every_step_beats_the_policy_before():
    """DNO: the new policy wins against the old one by at least their divergence, in units of the step."""
    eta, found = 0.7, run(drawn(5, 6), WEIGHTS(step_size=0.7), 30, record=gp.Record(per_decade=100))
    policies = np.exp(found.log_last)
    for old, new in itertools.pairwise(policies):
        assert new @ found.facts.payoff @ old >= new @ np.log(new / old) / eta - 1e-14


def test_a_method_for_other_temperatures_says_so() -> None:
    solution = gp.solve(GAMES["comal"], WEIGHTS(), temperature=0.1, max_steps=10)
    assert "multiplicative_weights is for temperature 0; here its answer need not approach" in solution.message
    assert "need not approach" not in gp.solve(GAMES["comal"], WEIGHTS(), max_steps=10).message
