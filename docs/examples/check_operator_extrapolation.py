"""Operator extrapolation: its step by hand, and its theorem beyond the step that it allows."""

import numpy as np

import gametheory_pref as gp

GAME = gp.zoo["comal"].game
START = np.array([0.5, 0.3, 0.2])


def test_two_steps_by_hand():
    """Against the formula, written out."""
    eta, beta, A = 0.8, 0.25, GAME.payoff
    policies = [START]
    for change in (0.0, 1.0 - eta * beta):
        x, before = policies[-1], policies[-2] if len(policies) > 1 else policies[-1]
        weights = x ** (1.0 - eta * beta) * (1 / 3) ** (eta * beta) * np.exp(eta * A @ (x + change * (x - before)))
        policies.append(weights / weights.sum())
    rule = gp.METHODS["operator_extrapolation"](step_size=eta)
    for steps in (1, 2):
        found = gp.solve(GAME, rule, temperature=beta, start=START, tol=0, max_steps=steps, jit=False)
        np.testing.assert_allclose(found.policy, policies[steps], rtol=1e-13)


def test_no_extrapolation_is_left_at_full_pull():
    """With eta beta = 1 every step is the best reply to the last policy."""
    rule = gp.METHODS["operator_extrapolation"](step_size=2.0)
    found = gp.solve(GAME, rule, temperature=0.5, start=START, tol=0, max_steps=1, jit=False)
    reply = np.exp(GAME.payoff @ START / 0.5)
    np.testing.assert_allclose(found.policy, reply / reply.sum(), rtol=1e-13)


def test_its_theorems():
    """They hold, and say nothing about a step beyond their cap."""
    rule = gp.METHODS["operator_extrapolation"]
    keys = {"temperature": 0.1, "start": START, "tol": 0, "jit": False, "record": gp.Record(per_decade=64)}
    assert gp.verify_rate(gp.solve(GAME, rule(), max_steps=300, **keys)).verdict == "holds"
    far = gp.solve(GAME, rule(step_size=9.0), max_steps=300, **keys)
    report = gp.verify_rate(far, "operator-extrapolation-divergence")
    assert report.verdict == "inconclusive" and "step_size" in report.reason
