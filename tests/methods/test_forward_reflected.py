from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref.methods._info import StepFacts

from .worked import GAMES, UNEVEN, curve, divergences, drawn, reference_of, run, theorem

FORWARD_REFLECTED = gp.METHODS["forward_reflected"]


def test_steps_by_hand():
    """The first step is one of mirror descent: there is nothing to reflect in yet."""
    game, beta, eta = drawn(8, 4), 0.3, 0.5
    reference = np.array([0.1, 0.2, 0.3, 0.4])
    before = policy = np.array([0.4, 0.3, 0.2, 0.1])
    by_hand = [policy]
    for _ in range(4):
        reflected = game.payoff @ (2.0 * policy - before)
        new = policy ** (1 - eta * beta) * reference ** (eta * beta) * np.exp(eta * reflected)
        before, policy = policy, new / new.sum()
        by_hand.append(policy)
    found = run(
        game,
        FORWARD_REFLECTED(step_size=eta),
        4,
        temperature=beta,
        reference=reference,
        start=by_hand[0],
        record=gp.Record(per_decade=100),
    )
    assert_allclose(np.exp(found.log_last), by_hand, rtol=1e-13)


@pytest.mark.parametrize(("game", "tail"), [("rock_paper_scissors", 0.699), ("comal", 0.755), ("random10", 0.809)])
def test_worked_tails(game, tail):
    found = curve(FORWARD_REFLECTED(step_size=1.0), GAMES[game], 0.1, reference_of(game))
    assert_allclose(found.tail, tail, rtol=0.005)
    predicted = theorem(FORWARD_REFLECTED, "forward-reflected-local-rate").factor(found.rule, found.facts)
    assert_allclose(found.tail, predicted, rtol=0.01)


@pytest.mark.parametrize("game", list(GAMES))
def test_a_step_of_3_halves_still_converges(game):
    found = run(GAMES[game], FORWARD_REFLECTED(step_size=1.5), 300, temperature=0.1, reference=reference_of(game))
    assert divergences(found)[-1] < 1e-20


@pytest.mark.parametrize("temperature", [0.0, 0.02, 0.1, 0.5])
def test_the_divergence_bound(temperature):
    bound = theorem(FORWARD_REFLECTED, "forward-reflected-divergence")
    found = run(GAMES["comal"], FORWARD_REFLECTED(), 400, temperature=temperature, reference=UNEVEN)
    assert bound.hypotheses(found.rule, found.facts) is None
    kl, allowed = divergences(found), bound.bound(found.rule, found.facts, found.steps)
    assert (kl <= allowed * (1.0 + 1e-9) + 1e-16).all()
    assert allowed[-1] < (1e-2 if temperature else 2.0) * kl[0] * (1.0 + 1e-9)


def test_the_average_at_temperature_0():
    bound = theorem(FORWARD_REFLECTED, "forward-reflected-average")
    found = run(drawn(1), FORWARD_REFLECTED(), 2000)
    assert bound.hypotheses(found.rule, found.facts) is None
    allowed = bound.bound(found.rule, found.facts, found.steps)
    assert (found.gap_average <= allowed).all() and allowed[-1] < 0.1 * found.gap_average[0]


def test_the_largest_step_is_where_its_inequality_is_tight():
    for a, beta in ((0.5, 0.0), (0.5, 0.1), (0.2, 3.0)):
        weight = 1.0 / FORWARD_REFLECTED.info.step_sizes["largest"](StepFacts(a, beta, 1.0, 10)).scale - beta
        assert_allclose(weight**2, a * weight + 2.0 * a * beta + 2.0 * a**2, rtol=1e-12)
