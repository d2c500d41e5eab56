from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp

from .worked import GAMES, UNEVEN, divergences, drawn, run, theorem

NASH_EMA = gp.METHODS["nash_ema"]


def test_no_decay_is_mirror_descent():
    game = drawn(6, 5)
    one, two = (
        run(game, rule, 40, temperature=0.2, reference=[0.1, 0.2, 0.3, 0.2, 0.2])
        for rule in (NASH_EMA(decay=0.0, step_size=0.3), gp.METHODS["mirror_descent"](step_size=0.3))
    )
    assert_allclose(one.log_last, two.log_last, atol=1e-13)


def test_two_steps_by_hand():
    game, beta, eta, decay = drawn(8, 3), 0.3, 0.5, 0.7
    reference = np.array([0.2, 0.3, 0.5])
    policy = average = np.array([0.5, 0.25, 0.25])
    for _ in range(2):
        policy = policy ** (1 - eta * beta) * reference ** (eta * beta) * np.exp(eta * game.payoff @ average)
        policy = policy / policy.sum()
        average = average**decay * policy ** (1 - decay)
        average = average / average.sum()
    found = gp.solve(
        game,
        NASH_EMA(decay=decay, step_size=eta),
        temperature=beta,
        reference=reference,
        start=[0.5, 0.25, 0.25],
        tol=0.0,
        max_steps=2,
    )
    assert_allclose(found.policy, policy, rtol=1e-13)


def test_it_finds_the_equilibrium():
    for seed in range(3):
        exact = gp.solve(drawn(seed, 6), temperature=0.1)
        found = gp.solve(drawn(seed, 6), "nash_ema", temperature=0.1, tol=1e-12)
        assert found.converged
        assert_allclose(found.policy, exact.policy, atol=1e-5)


def test_a_lagging_opponent_undoes_a_step_that_mirror_descent_takes_well():
    """The linear theory says so, and so it comes."""
    game, beta, eta = GAMES["rock_paper_scissors"], 0.1, 0.3846
    fast = run(game, NASH_EMA(decay=0.0, step_size=eta), 3000, temperature=beta, start=UNEVEN)
    slow = run(game, NASH_EMA(decay=0.95, step_size=eta), 3000, temperature=beta, start=UNEVEN)
    rate = theorem(NASH_EMA, "nash-ema-local-rate")
    assert rate.factor(fast.rule, fast.facts) < 1.0 < rate.factor(slow.rule, slow.facts)
    assert divergences(fast)[-1] < 1e-20
    assert divergences(slow)[slow.steps > 1000].min() > 1e-2


def test_a_decay_of_1_never_learns():
    with pytest.raises(gp.InputError, match="decay must be"):
        gp.solve(GAMES["comal"], NASH_EMA(decay=1.0), temperature=0.1)
