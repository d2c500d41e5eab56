"""Momentum: exact for payoffs that never change, harmful where they rotate."""

from __future__ import annotations

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref.methods.accelerated import total_step
from gametheory_pref.verbs import Schedule

from .stepping import divergences, guarantee, set_up, softmax_of_normals, states, tail

Accelerated = gp.METHODS["apo"]
SCORE = np.array([0.0, 0.3, 0.7, 1.0, -0.4])
# A quarter of the scores, so that probabilities fit into 0 to 1; the step is four times the printed 0.2.
TRANSITIVE = 0.5 + 0.25 * (SCORE[:, None] - SCORE)
ROCK = gp.zoo["rock_paper_scissors"].game


@pytest.mark.parametrize(("alpha", "printed"), [(0.0, 0.02755), (0.3, 0.00977), (0.6, 0.000850)])
def test_printed_suboptimality_of_constant_payoffs(alpha, printed):
    rule, problem, facts = set_up(Accelerated(step_size=0.8, alpha=alpha), TRANSITIVE)
    found = states(rule, problem, 40)
    np.testing.assert_allclose(1.0 - SCORE @ found[-1].x.prob, printed, rtol=1e-3)
    # The logarithms moved by W_T along the payoff, where V_T is what the steps without momentum add up to.
    plain = [0.0, *(0.8 * np.cumsum([(1.0 - alpha ** (s + 1)) / (1.0 - alpha) for s in range(40)]))]
    moved = plain[-1] + alpha * (plain[-1] - plain[-2])
    np.testing.assert_allclose(total_step(rule, np.array([40])), [moved], rtol=1e-12)
    log = problem.start.log + moved * 0.25 * SCORE
    np.testing.assert_allclose(found[-1].x.log, log - np.log(np.exp(log).sum()), atol=1e-12)
    bound = guarantee(rule, "accelerated-transitive")
    assert bound.hypotheses(rule, facts) is None
    gaps = facts.gaps(np.array([state.x.log for state in found]), 0.0)
    assert (gaps <= bound.bound(rule, facts, np.arange(41))).all()


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.9])
def test_momentum_makes_steps_worth_more(alpha):
    rule = Accelerated(step_size=Schedule(0.5), alpha=alpha)
    np.testing.assert_allclose(total_step(rule, np.array([10_000])) / 10_000, 0.5 / (1.0 - alpha), rtol=3e-3)


@pytest.mark.parametrize(("alpha", "printed"), [(0.0, 2.8e-3), (0.3, 0.27), (0.6, 5.9)])
def test_printed_spirals_of_a_cycle(alpha, printed):
    """After 1000 steps of 0.2 the divergence has grown from 5e-5, the more the more momentum."""
    rule, problem, facts = set_up(Accelerated(step_size=0.2, alpha=alpha), ROCK, start=[0.34, 0.33, 0.33])
    found = states(rule, problem, 1000)
    np.testing.assert_allclose(divergences(facts, found)[-1], printed, rtol=0.02)
    assert "differences of scores" in guarantee(rule, "accelerated-transitive").hypotheses(rule, facts)


def test_the_speed_up_is_no_theorem_about_every_preference():
    rule, problem, facts = set_up(Accelerated(), ROCK, reference=softmax_of_normals(3))
    claim = guarantee(rule, "accelerated-any-preference")
    assert not claim.proved and claim.hypotheses(rule, facts) is None
    gaps = facts.gaps(np.array([state.x.log for state in states(rule, problem, 60)]), 0.0)
    assert (gaps > claim.bound(rule, facts, np.arange(61))).any()


def test_without_momentum_this_is_mirror_descent():
    rule, problem, _ = set_up(Accelerated(step_size=0.5, alpha=0.0), ROCK, 0.1, start=[0.5, 0.3, 0.2])
    plain, _, _ = set_up(gp.METHODS["mirror_descent"](step_size=0.5), ROCK, 0.1, start=[0.5, 0.3, 0.2])
    np.testing.assert_allclose(states(rule, problem, 20)[-1].x.log, states(plain, problem, 20)[-1].x.log, atol=1e-13)


@pytest.mark.parametrize("alpha", [0.1, 0.3, 0.6])
def test_the_spectrum_forecasts_regularised_runs(alpha):
    rule, problem, facts = set_up(
        Accelerated(step_size=0.3, alpha=alpha), gp.zoo["comal"].game, 0.3, reference=softmax_of_normals(3)
    )
    values = divergences(facts, states(rule, problem, 300))
    forecast = guarantee(rule, "accelerated-local-rate").factor(rule, facts)
    np.testing.assert_allclose(tail(values, 40), forecast, rtol=0.01)


@pytest.mark.parametrize("alpha", [-0.1, 1.0])
def test_wrong_momentum_is_refused(alpha):
    with pytest.raises(gp.InputError, match="alpha must be"):
        set_up(Accelerated(alpha=alpha), ROCK)
