from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref.methods._info import StepFacts

from .worked import GAMES, UNEVEN, curve, divergences, drawn, minimiser_of_pairwise_loss, reference_of, run, theorem

OPTIMISTIC = gp.METHODS["optimistic"]


def star(n):
    wins = np.full((n, n), 0.5)
    wins[0, 1:], wins[1:, 0] = 1.0, 0.0
    return gp.preference_game(wins)


def test_onpo_and_omwu_are_this_rule():
    assert gp.METHODS["onpo"] is gp.METHODS["omwu"] is OPTIMISTIC


def test_the_two_steps_of_onpo():
    """pi_t = argmax <pi, m_t> - KL(pi || pi'_t) / eta, then pi'_{t+1} with r_t, where m_1 = 0 and m_t = r_{t-1}."""
    game, eta = drawn(3, 5), 0.4
    base, forecast, played = np.full(5, 0.2), np.zeros(5), []
    for _ in range(6):
        policy = base * np.exp(eta * forecast)
        played.append(policy / policy.sum())
        payoff = game.preference @ played[-1]
        base = base * np.exp(eta * payoff)
        base, forecast = base / base.sum(), payoff
    found = run(game, OPTIMISTIC(step_size=eta), 5, record=gp.Record(per_decade=100))
    assert_allclose(np.exp(found.log_last), played, atol=1e-14)


@pytest.mark.parametrize(("game", "tail"), [("rock_paper_scissors", 0.718), ("comal", 0.765), ("random10", 0.808)])
def test_worked_tails_of_the_regularised_form(game, tail):
    found = curve(OPTIMISTIC(step_size=1.0), GAMES[game], 0.1, reference_of(game))
    assert_allclose(found.tail, tail, rtol=0.005)
    predicted = theorem(OPTIMISTIC, "optimistic-local-rate").factor(found.rule, found.facts)
    assert_allclose(found.tail, predicted, rtol=0.01)


@pytest.mark.parametrize("game", list(GAMES))
def test_a_step_of_3_halves_still_converges(game):
    found = run(GAMES[game], OPTIMISTIC(step_size=1.5), 300, temperature=0.1, reference=reference_of(game))
    assert divergences(found)[-1] < 1e-20


@pytest.mark.parametrize(
    ("game", "start", "average", "bound"),
    [
        ("rock_paper_scissors", UNEVEN, 1.8e-4, 6.7e-4),
        ("comal", None, 3.1e-5, 4.6e-4),
        ("random10", None, 4.5e-4, 9.5e-4),
    ],
)
def test_worked_averages(game, start, average, bound):
    found = run(GAMES[game], OPTIMISTIC(step_size=0.5), 10_000, start=start)
    assert_allclose(found.gap_average[-1], average, rtol=0.03)
    # The worked bound takes a = 1/2 for every game; the theorem knows a.
    assert_allclose(2.0 * (found.facts.spread / 0.5 + 0.5 / 4.0) / 10_000, bound, rtol=0.01)
    theorem_bound = theorem(OPTIMISTIC, "optimistic-average")
    assert theorem_bound.hypotheses(found.rule, found.facts) is None
    assert (found.gap_average <= theorem_bound.bound(found.rule, found.facts, found.steps)).all()
    if game == "random10":
        assert_allclose(found.gap_last[-1], 2.5e-3, rtol=0.03)
    else:
        assert found.gap_last[-1] < 2e-15


@pytest.mark.parametrize(("n", "largest", "printed_constant"), [(4, 5.22, 4.71), (100, 17.9, 8.6)])
def test_the_printed_constant_of_onpo_fails_on_stars(n, largest, printed_constant):
    found = run(star(n), OPTIMISTIC(step_size="onpo"), 1000, record=gp.Record(per_decade=400))
    assert found.rule.step_size.scale == 0.5
    assert_allclose((found.steps * found.gap_average).max(), largest, atol=0.05)
    claim, proved = theorem(OPTIMISTIC, "onpo-theorem-2"), theorem(OPTIMISTIC, "optimistic-average")
    assert not claim.proved and claim.hypotheses(found.rule, found.facts) is None
    assert_allclose(claim.bound(found.rule, found.facts, found.steps)[-1] * 1000.0, printed_constant, atol=0.02)
    assert (found.gap_average > claim.bound(found.rule, found.facts, found.steps)).any()
    assert (found.gap_average <= proved.bound(found.rule, found.facts, found.steps)).all()


def test_the_star_of_100_at_40_and_1000_steps():
    found = run(star(100), OPTIMISTIC(step_size=0.5), 1000, record=gp.Record(per_decade=2000))
    for steps, gap, printed, corrected in ((40, 0.4478, 0.2146, 0.4668), (1000, 0.01793, 0.00858, 0.01867)):
        at = int(np.flatnonzero(found.steps == steps)[0])
        assert_allclose(found.gap_average[at], gap, rtol=5e-4)
        for name, value in (("onpo-theorem-2", printed), ("optimistic-average", corrected)):
            bound = theorem(OPTIMISTIC, name).bound(found.rule, found.facts, found.steps)
            assert_allclose(bound[at], value, rtol=6e-4)


def test_the_divergence_bound_bites():
    game, bound = GAMES["random10"], theorem(OPTIMISTIC, "optimistic-divergence")
    found = run(game, OPTIMISTIC(), 200, temperature=0.1, reference=reference_of("random10"))
    assert bound.hypotheses(found.rule, found.facts) is None
    allowed, kl = bound.bound(found.rule, found.facts, found.steps), divergences(found)
    assert (kl <= allowed).all() and allowed[-1] < 1e-3 * kl[0]


def test_the_largest_step_is_where_its_inequality_is_tight():
    for a, beta in ((0.5, 0.0), (0.5, 0.1), (0.2, 3.0)):
        facts = StepFacts(a, beta, 1.0, 10)
        weight = 1.0 / OPTIMISTIC.info.step_sizes["largest"](facts).scale - beta
        assert_allclose(weight * (weight + beta), a * (2.0 * weight + beta + a), rtol=1e-12)
        # The step of Cen, Wei and Chi is within it.
        assert OPTIMISTIC.info.step_sizes["omwu"](facts).scale < 1.0 / (weight + beta)


def test_the_minimisers_of_the_onpo_losses_are_its_two_policies():
    """Pairs from the policy played, labels by the judge, target eta/2, trained twice on the same pairs."""
    game, eta, start = drawn(2, 5), 0.5, [0.3, 0.25, 0.2, 0.15, 0.1]
    before, after = (
        run(game, OPTIMISTIC(step_size=eta), steps, start=start, jit=False).resume.state for steps in (2, 3)
    )
    played, base = before.x.prob, before.base.prob
    # The label is +1 or -1 with mean 2 A, and the loss asks for eta/2 times the label.
    target = 2.0 * game.payoff * eta / 2.0
    first = minimiser_of_pairwise_loss(np.log(base), played, target)
    second = minimiser_of_pairwise_loss(np.log(first), played, target)
    assert_allclose(after.base.prob, first, atol=1e-12)
    assert_allclose(after.x.prob, second, atol=1e-12)
