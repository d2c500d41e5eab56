from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp

from .worked import GAMES, divergences, drawn, reference_of, run, theorem

NASH_MD = gp.METHODS["nash_md"]


def test_the_step_that_the_paper_works_out():
    dice = gp.zoo["dice_nash_md"].game
    assert_allclose(dice.preference[0, 1], 5.0 / 9.0)
    stepped = gp.solve(dice, NASH_MD(step_size=5.0), temperature=0.1, start=[0.6, 0.3, 0.1], tol=0.0, max_steps=1)
    assert_allclose(stepped.policy, [0.49092, 0.30882, 0.20026], atol=5e-6)


@pytest.mark.parametrize(
    ("game", "printed"), [("rock_paper_scissors", 5.8e-5), ("comal", 1.2e-4), ("random10", 5.1e-4)]
)
def test_a_constant_step_ends_beside_the_equilibrium(game, printed):
    found = run(GAMES[game], NASH_MD(step_size=0.5), 3000, temperature=0.1, reference=reference_of(game))
    assert_allclose(divergences(found)[-1], printed, rtol=0.04)
    beta, facts = 0.1, found.facts
    opponent = gp.solve(GAMES[game], temperature=beta / (1.0 - 0.5 * beta), reference=reference_of(game), tol=1e-13)
    reply = np.exp(facts.log_reply(opponent.policy, beta))
    assert_allclose(np.exp(found.log_last[-1]), reply, atol=3e-15)
    limit = theorem(NASH_MD, "nash-md-constant-step-limit").log_policy(found.rule, facts)
    assert_allclose(np.exp(limit), reply, atol=3e-15)
    assert found.gap_last[-1] > 1e-6


def test_a_full_pull_ends_at_the_reply_to_the_reference():
    found = run(GAMES["comal"], NASH_MD(step_size=10.0), 3, temperature=0.1, reference=reference_of("comal"))
    limit = theorem(NASH_MD, "nash-md-constant-step-limit")
    assert limit.hypotheses(found.rule, found.facts) is None
    assert_allclose(np.exp(found.log_last[-1]), np.exp(limit.log_policy(found.rule, found.facts)), atol=1e-15)


def test_a_small_temperature_makes_it_cycle():
    """k^2 (1 + eta^2 w^2) = 1.0005 > 1."""
    game, start = GAMES["rock_paper_scissors"], [0.4, 0.35, 0.25]
    found = run(game, NASH_MD(step_size=0.5), 20_000, temperature=0.02, start=start)
    factor = theorem(NASH_MD, "nash-md-local-rate").factor(found.rule, found.facts)
    assert_allclose(factor, 1.0005, atol=5e-5)
    assert found.gap_last[found.steps > 5000].min() > 0.02
    assert "exceeds its cap" in theorem(NASH_MD, "nash-md-constant-step-limit").hypotheses(found.rule, found.facts)


@pytest.mark.parametrize("temperature", [0.5, 0.1])
@pytest.mark.parametrize("game", list(GAMES))
def test_the_theorem_holds_with_room_and_the_divergence_falls_faster(game, temperature):
    found = run(GAMES[game], NASH_MD(), 20_000, temperature=temperature, reference=reference_of(game))
    kl, steps = divergences(found), found.steps
    assert (kl[1:] * temperature**2 * (steps[1:] + 1.0) / 8.0).max() <= 0.0045
    tight = theorem(NASH_MD, "nash-md-schedule")
    assert tight.hypotheses(found.rule, found.facts) is None
    assert (kl <= tight.bound(found.rule, found.facts, steps)).all()
    late = steps > 2000
    slope = np.polyfit(np.log(steps[late]), np.log(kl[late]), 1)[0]
    assert_allclose(slope, -2.0, atol=0.05)


def test_one_step_of_the_recursion_behind_the_tight_bound():
    """KL' <= (1 - eta beta) KL + eta^2 a^2 / 2, from anywhere, for any step."""
    rng = np.random.default_rng(0)
    worst = 0.0
    for _ in range(300):
        n = int(rng.integers(2, 6))
        game = drawn(int(rng.integers(1000)), n)
        beta, share = 10.0 ** rng.uniform(-1.5, 0.5), rng.uniform(0.05, 1.0)
        reference, policy = rng.dirichlet(np.ones(n)) + 1e-3, rng.dirichlet(np.ones(n)) + 1e-3
        reference, policy = reference / reference.sum(), policy / policy.sum()
        eta, a = share / beta, np.abs(game.payoff).max()
        star = gp.solve(game, temperature=beta, reference=reference, tol=1e-12).policy
        mixed = policy ** (1.0 - share) * reference**share
        mixed /= mixed.sum()
        new = mixed * np.exp(eta * game.payoff @ mixed)
        new /= new.sum()
        before, after = star @ np.log(star / policy), star @ np.log(star / new)
        worst = max(worst, after / ((1.0 - share) * before + eta**2 * a**2 / 2.0))
    assert 0.3 < worst <= 1.0
