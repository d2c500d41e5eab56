from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp

from .worked import (
    GAMES,
    UNEVEN,
    curve,
    divergences,
    drawn,
    minimiser_of_pairwise_loss,
    reference_of,
    run,
    theorem,
)

MIRROR_DESCENT = gp.METHODS["mirror_descent"]

# Game, temperature; largest step, contraction, observed tail.
PRINTED = [
    ("rock_paper_scissors", 0.5, 1.000, 0.5000, 0.3283),
    ("rock_paper_scissors", 0.1, 0.3846, 0.9615, 0.9368),
    ("rock_paper_scissors", 0.02, 0.0799, 0.99840, 0.99734),
    ("comal", 0.1, 0.5882, 0.9412, 0.9008),
    ("comal", 0.02, 0.1247, 0.99751, 0.99570),
    ("random10", 0.5, 1.030, 0.4851, 0.2565),
    ("random10", 0.1, 0.4073, 0.9593, 0.9283),
    ("random10", 0.02, 0.0848, 0.99830, 0.99706),
]


@pytest.mark.parametrize(("game", "temperature", "step", "bound", "tail"), PRINTED)
def test_worked_rates(game, temperature, step, bound, tail):
    found = curve(MIRROR_DESCENT(), GAMES[game], temperature, reference_of(game))
    assert_allclose(found.rule.step_size.scale, step, rtol=1e-3)
    assert_allclose(1.0 - found.rule.step_size.scale * temperature, bound, atol=6e-5)
    assert found.largest_factor <= bound + 6e-5
    assert_allclose(np.log(found.tail), np.log(tail), rtol=0.01)
    predicted = theorem(MIRROR_DESCENT, "mirror-descent-local-rate").factor(found.rule, found.facts)
    assert_allclose(found.tail, predicted, rtol=1e-3 if game != "random10" else 0.015)


def test_the_step_by_hand():
    beta, eta, game = 0.2, 0.7, drawn(1, 4)
    policy, reference = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.1, 0.2, 0.3, 0.4])
    by_hand = policy ** (1 - eta * beta) * reference ** (eta * beta) * np.exp(eta * game.payoff @ policy)
    stepped = gp.solve(
        game,
        MIRROR_DESCENT(step_size=eta),
        temperature=beta,
        reference=reference,
        start=policy,
        tol=0.0,
        max_steps=1,
    )
    assert_allclose(stepped.policy, by_hand / by_hand.sum(), rtol=1e-14)


def test_inpo_online_ipo_and_mmd_are_this_rule():
    assert gp.METHODS["inpo"] is gp.METHODS["mmd"] is gp.METHODS["online_ipo"] is MIRROR_DESCENT


def test_the_minimiser_of_the_inpo_loss_is_a_step():
    """Pairs drawn from the current policy, labels by the judge, target 1/(2 eta): the mean target is A / eta."""
    inverse, tau, game = 4.0, 0.6, drawn(2, 5)
    policy, reference = np.array([0.3, 0.25, 0.2, 0.15, 0.1]), np.array([0.1, 0.3, 0.2, 0.2, 0.2])
    anchor = tau / inverse * np.log(reference) + (1.0 - tau / inverse) * np.log(policy)
    # The label is +1 or -1 with mean 2 A, and the loss asks for 1/(2 eta) times the label.
    trained = minimiser_of_pairwise_loss(anchor, policy, 2.0 * game.payoff / (2.0 * inverse))
    asked = gp.PAPERS["inpo"].settings(eta=inverse, tau=tau)
    stepped = gp.solve(game, **asked, reference=reference, start=policy, tol=0.0, max_steps=1)
    assert_allclose(stepped.policy, trained, atol=1e-12)


def test_mmd_contracts_by_its_own_rate():
    """(1 + eta_M alpha)^-t for eta_M <= alpha / a^2."""
    alpha, game = 0.1, GAMES["comal"]
    step = alpha / 0.4**2
    asked = gp.PAPERS["mmd"].settings(eta=step, alpha=alpha)
    found = run(game, asked["method"], 150, temperature=asked["temperature"], reference=UNEVEN)
    kl = divergences(found)
    assert (kl <= kl[0] * (1.0 + step * alpha) ** -found.steps.astype(float) * (1.0 + 1e-9) + 1e-16).all()
    assert kl[-1] < 1e-4 * kl[0]


def test_beyond_the_stability_limit_it_cycles():
    """Rock, paper, scissors at 0.02: the limit of the local theory is 2 beta / (beta^2 + w^2) = 0.4777."""
    game, start = GAMES["rock_paper_scissors"], [0.4, 0.35, 0.25]
    w = np.sqrt(3.0) / 6.0
    assert_allclose(2.0 * 0.02 / (0.02**2 + w**2), 0.4777, atol=5e-5)
    below = run(game, MIRROR_DESCENT(step_size=0.45), 40_000, temperature=0.02, start=start)
    beyond = run(game, MIRROR_DESCENT(step_size=0.5), 40_000, temperature=0.02, start=start)
    assert below.gap_last[-1] < 1e-12
    assert beyond.gap_last[beyond.steps > 1000].min() > 0.05
    rate = theorem(MIRROR_DESCENT, "mirror-descent-local-rate")
    assert rate.factor(below.rule, below.facts) < 1.0 < rate.factor(beyond.rule, beyond.facts)
    cap = theorem(MIRROR_DESCENT, "mirror-descent-contraction")
    assert "step_size is 0.5" in cap.hypotheses(beyond.rule, beyond.facts)


@pytest.mark.parametrize(("tau", "gap"), [(0.1, 0.0777), (0.02, 0.0203)])
def test_inpo_stops_short_of_the_unregularised_winner(tau, gap):
    found = gp.solve(GAMES["comal"], "inpo", temperature=tau, reference=UNEVEN, tol=1e-12)
    assert_allclose(gp.duality_gap(GAMES["comal"], found.policy), gap, atol=6e-5)


def test_the_steps_of_inpos_theorem_do_better_than_it_promises():
    """The divergence falls like t^-4; the theorem says t^-1."""
    found = run(GAMES["random10"], MIRROR_DESCENT(step_size="inpo_last"), 20_000, temperature=0.1)
    late = found.steps > 2000
    slope = np.polyfit(np.log(found.steps[late]), np.log(divergences(found)[late]), 1)[0]
    assert_allclose(slope, -4.0, atol=0.05)
    bound = theorem(MIRROR_DESCENT, "inpo-theorem-4")
    assert bound.hypotheses(found.rule, found.facts) is None
    assert (divergences(found) <= bound.bound(found.rule, found.facts, found.steps)).all()


def test_the_average_of_inpos_theorem():
    found = run(drawn(4), MIRROR_DESCENT(step_size="inpo_average"), 100_000, temperature=0.05)
    bound = theorem(MIRROR_DESCENT, "inpo-theorem-3")
    assert bound.hypotheses(found.rule, found.facts) is None
    allowed = bound.bound(found.rule, found.facts, found.steps)
    assert (found.gap_average <= allowed).all() and allowed[-1] < found.gap_average[0]


def test_at_temperature_0_its_steps_are_those_of_multiplicative_weights():
    game, policies = drawn(5, 6), []
    for rule in (MIRROR_DESCENT(step_size=0.3), gp.METHODS["multiplicative_weights"](step_size=0.3)):
        found = run(game, rule, 20)
        policies.append(found.log_last)
    assert_allclose(policies[0], policies[1], atol=1e-13)


@pytest.mark.parametrize("name", ["mirror_descent", "nash_md_pg", "nash_ema"])
def test_a_step_of_nothing_is_refused(name):
    """The named steps are proportional to the temperature."""
    with pytest.raises(gp.InputError, match="comes to 0 for this game at temperature 0"):
        gp.solve(GAMES["comal"], name)


def test_the_gradient_of_online_ipo_is_that_of_the_regularised_win_rate():
    """Pairs from the frozen policy: -(4 / tau) times the gradient of P(pi > frozen) - tau KL(pi || reference)."""
    tau, game = 0.3, drawn(7, 4)
    theta, reference = np.array([0.3, -0.2, 0.1, 0.5]), np.array([0.4, 0.3, 0.2, 0.1])

    def softmax(x):
        return np.exp(x) / np.exp(x).sum()

    frozen = softmax(theta)

    def loss(x):
        """The mean of (h - label / (2 tau))^2, h the difference of log-ratios, the label +1 or -1."""
        h = np.subtract.outer(np.log(softmax(x) / reference), np.log(softmax(x) / reference))
        wins = game.preference * (h - 0.5 / tau) ** 2 + game.preference.T * (h + 0.5 / tau) ** 2
        return frozen @ wins @ frozen

    def objective(x):
        return softmax(x) @ game.preference @ frozen - tau * softmax(x) @ np.log(softmax(x) / reference)

    def gradient(function):
        h = 1e-5
        return np.array([(function(theta + h * e) - function(theta - h * e)) / (2.0 * h) for e in np.eye(4)])

    assert_allclose(gradient(loss), -(4.0 / tau) * gradient(objective), atol=1e-8)
    # The natural gradient of the objective is the change of logits that a step makes, to first order.
    fisher = np.diag(frozen) - np.outer(frozen, frozen)
    natural = np.linalg.pinv(fisher) @ gradient(objective)
    small = gp.solve(
        game, MIRROR_DESCENT(step_size=1e-6), temperature=tau, reference=reference, start=frozen, tol=0.0, max_steps=1
    )
    moved = (np.log(small.policy) - np.log(frozen)) / 1e-6
    assert_allclose(moved - moved.mean(), natural - natural.mean(), atol=1e-6)


def test_steps_that_grow_leave_the_theorem_and_are_refused_beyond_full_pull():
    growing = MIRROR_DESCENT(step_size=gp.Schedule(0.01, power=-1.0))
    settings = {"temperature": 0.1, "start": [0.5, 0.3, 0.2], "tol": 0.0, "jit": False}
    report = gp.verify_rate(gp.solve(GAMES["comal"], growing, max_steps=100, **settings), "mirror-descent-contraction")
    assert report.verdict == "inconclusive" and "the steps grow" in report.reason
    with pytest.raises(gp.InputError, match="step_size times temperature is 2; mirror_descent needs at most 1"):
        gp.solve(GAMES["comal"], growing, max_steps=2000, **settings)
