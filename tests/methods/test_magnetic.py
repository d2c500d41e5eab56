"""The magnet: it follows as the reference of COMAL does, or stays, or follows at once and has no effect."""

from __future__ import annotations

import numpy as np

import gametheory_pref as gp

from .stepping import divergences, guarantee, logs, set_up, states

Comal, Magnetic = gp.METHODS["comal"], gp.METHODS["mpo"]
GAME = gp.zoo["comal"].game
ROCK = gp.zoo["rock_paper_scissors"].game
START = [0.5, 0.3, 0.2]


def test_the_magnet_takes_the_inner_steps_of_comal():
    comal, problem, _ = set_up(Comal(inner_temperature=0.2, inner_steps=7), ROCK, start=START)
    magnetic, _, _ = set_up(Magnetic(inner_temperature=0.2, refresh=7), ROCK, start=START)
    np.testing.assert_allclose(
        logs(states(magnetic, problem, 42))[::7], logs(states(comal, problem, 6)), atol=1e-13
    )


def test_a_magnet_that_stays_leads_to_the_regularised_equilibrium():
    """Printed: the gap of the game itself stays at 0.0777 for tau = 0.1, at 0.0203 for tau = 0.02."""
    for tau, printed, steps in ((0.1, 0.0777, 600), (0.02, 0.0203, 9000)):
        rule, problem, facts = set_up(Magnetic(inner_temperature=tau, refresh=10**6), GAME, start=START)
        last = states(rule, problem, steps)[-1].x
        limit = guarantee(rule, "magnetic-fixed-magnet")
        assert limit.hypotheses(rule, facts) is None
        np.testing.assert_allclose(last.log, limit.log_policy(rule, facts), atol=1e-7)
        np.testing.assert_allclose(facts.gaps(last.log[None], 0.0), printed, atol=6e-5)


def test_a_magnet_that_follows_at_once_is_no_magnet():
    rule, problem, facts = set_up(Magnetic(step_size=0.5, refresh=1), ROCK, start=START)
    claim = guarantee(rule, "magnetic-refreshed-every-step")
    assert not claim.proved and claim.hypotheses(rule, facts) is None
    assert (np.diff(divergences(facts, states(rule, problem, 100))) > 0.0).any()


def test_symbols_of_mpo():
    """It maximises eta <., A pi> - eta alpha KL(. || magnet) - KL(. || pi)."""
    eta, alpha = 0.7, 0.4
    rule, problem, _ = set_up(gp.PAPERS["mpo"].settings(eta=eta, alpha=alpha, refresh=5)["method"], GAME, start=START)
    state = rule.init(problem)._replace(magnet=problem.reference._replace(log=np.log([0.2, 0.2, 0.6])))
    direct = problem.start.log + eta * alpha * state.magnet.log + eta * problem.payoff @ problem.start.prob
    direct /= 1.0 + eta * alpha
    np.testing.assert_allclose(
        rule.step(problem, state, None).x.log, direct - np.log(np.exp(direct).sum()), atol=1e-14
    )
