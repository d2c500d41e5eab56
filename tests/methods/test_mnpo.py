"""MNPO as released: a fixed point for any weights, printed tails, and which histories damp rotation."""

from __future__ import annotations

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref.methods.mnpo import second_moment
from gametheory_pref.verbs import Anchor

from .stepping import divergences, guarantee, set_up, softmax_of_normals, states, tail

Mnpo = gp.METHODS["mnpo"]
COMAL = gp.zoo["comal"].game
ROCK = gp.zoo["rock_paper_scissors"].game
START = [0.5, 0.3, 0.2]

EQUAL = {lags: (1.0 / lags,) * lags for lags in (1, 2, 3, 4)}


def test_one_policy_in_the_history_is_mirror_descent():
    rule, problem, _ = set_up(Mnpo(step_size=0.5, weights=(1.0,)), COMAL, 0.1, start=START)
    x = problem.start.log
    for state in states(rule, problem, 5)[1:]:
        x = 0.95 * x + 0.05 * problem.reference.log + 0.5 * problem.payoff @ np.exp(x)
        x -= np.log(np.exp(x).sum())
        np.testing.assert_allclose(state.x.log, x, atol=1e-13)


def test_a_step_is_the_minimiser_of_the_released_loss():
    """Squared loss over pairs of the current policy: history as anchors, payoff against the current policy alone."""
    eta, temperature, weights = 0.8, 0.25, (0.5, 0.2, 0.3)
    rule, problem, _ = set_up(Mnpo(step_size=eta, weights=weights), COMAL, temperature, reference=softmax_of_normals(3))
    drawn = np.random.default_rng(0).normal(size=(3, 3))
    log = drawn - np.log(np.exp(drawn).sum(axis=1, keepdims=True))
    state = rule.init(problem)._replace(x=type(problem.start)(log[0], np.exp(log[0])), past=tuple(map(Anchor, log[1:])))
    new = rule.step(problem, state, None).x

    # Pairs (i, j) from the sampler with Bernoulli labels: the squared loss is a weighted least squares in theta.
    win, sampler, ratio, n = COMAL.preference, np.exp(log[0]), eta * temperature, 3
    anchor = ratio * problem.reference.log + (1.0 - ratio) * np.array(weights) @ log
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    rows = np.array([np.eye(n)[i] - np.eye(n)[j] for i, j in pairs])
    mass = np.array([sampler[i] * sampler[j] for i, j in pairs])
    target = rows @ anchor + np.array([eta / 2.0 * (2.0 * win[i, j] - 1.0) for i, j in pairs])
    root = np.sqrt(mass)
    theta = np.linalg.lstsq(root[:, None] * rows, root * target, rcond=None)[0]
    difference = new.log - theta
    np.testing.assert_allclose(difference, difference.mean(), atol=1e-12)


@pytest.mark.parametrize(("lags", "printed"), [(1, 0.941), (2, 0.666), (3, 0.619)])
def test_printed_tails_of_the_released_program(lags, printed):
    """Its eta 0.3 is the inverse step, its ratio 1/3; the fixed point is the equilibrium at temperature 0.1."""
    rule, problem, facts = set_up(Mnpo(step_size=1.0 / 0.3, weights=EQUAL[lags]), COMAL, 0.1, reference=START)
    found = states(rule, problem, 400 if lags == 1 else 90)
    values = divergences(facts, found)
    np.testing.assert_allclose(guarantee(rule, "mnpo-local-rate").factor(rule, facts), printed, atol=1e-3)
    np.testing.assert_allclose(tail(values, 24), printed, atol=1e-3)
    exact = gp.solve(COMAL, temperature=0.1, reference=START).policy
    np.testing.assert_allclose(found[-1].x.prob, exact, atol=1e-4 if lags == 1 else 1e-7)


@pytest.mark.parametrize("weights", [(1.0,), (0.3, 0.7), (0.2, 0.3, 0.5), (0.7, 0.0, 0.0, 0.3)])
def test_the_fixed_point_is_the_regularised_equilibrium(weights):
    reference = softmax_of_normals(3)
    exact = gp.solve(COMAL, temperature=0.2, reference=reference, tol=1e-14).policy
    rule, problem, _ = set_up(Mnpo(step_size=0.7, weights=weights), COMAL, 0.2, reference=reference, start=exact)
    np.testing.assert_allclose(states(rule, problem, 6)[-1].x.prob, exact, atol=1e-12)


HISTORIES = [*EQUAL.values(), (0.7, 0.0, 0.3), (0.8, 0.0, 0.2), (0.9, 0.0, 0.0, 0.1), (0.88, 0.0, 0.0, 0.12),
             (0.5, 0.3, 0.2), (0.0, 0.6, 0.4), (0.0, 0.5, 0.0, 0.5)]  # fmt: skip


@pytest.mark.parametrize("weights", HISTORIES, ids=str)
def test_small_steps_damp_rotation_if_the_second_moment_exceeds_one(weights):
    """Growth of the distance by ``(1 - m2) (eta w)^2 / (2 (1 + m1)^3)`` a step, to leading order."""
    rule, _, facts = set_up(Mnpo(step_size=0.01, weights=weights), ROCK)
    first, second = sum(weight * lag for lag, weight in enumerate(weights)), second_moment(weights)
    turned = (0.01 * facts.frequencies.max()) ** 2
    growth = guarantee(rule, "mnpo-local-rate").factor(rule, facts) - 1.0
    assert (growth < 0.0) == (second > 1.0)
    np.testing.assert_allclose(growth, (1.0 - second) * turned / (1.0 + first) ** 3, rtol=1e-2)


@pytest.mark.parametrize("weights", [(0.0, 0.0, 1.0), (0.0, 0.0, 0.4, 0.0, 0.0, 0.6)], ids=str)
def test_a_history_in_turns_grows_whatever_its_second_moment(weights):
    """Only every third policy counts: three interleaved runs, of which some combination grows, to first order."""
    rule, _, facts = set_up(Mnpo(step_size=0.01, weights=weights), ROCK)
    assert second_moment(weights) >= 4.0
    factor = guarantee(rule, "mnpo-local-rate").factor(rule, facts)
    first = sum(weight * lag for lag, weight in enumerate(weights))
    moved = 0.01 * facts.frequencies.max() * np.sqrt(0.75) / (1.0 + first)
    np.testing.assert_allclose(factor, 1.0 + 2.0 * moved, atol=0.05 * moved)


# Divergence after 20,000 steps on rock, paper, scissors.
PRINTED = {EQUAL[1]: 19.0, EQUAL[2]: 6.7, EQUAL[3]: 0.0, (0.7, 0.0, 0.3): 1e-10, (0.8, 0.0, 0.2): 4.3}


def padded(weights: tuple[float, ...]) -> tuple[float, ...]:
    """The same history with three weights, as by default, so that one compiled rule serves all."""
    return weights + (0.0,) * (3 - len(weights))


@pytest.mark.parametrize("game", [ROCK, COMAL], ids=["rock", "comal"])
@pytest.mark.parametrize("weights", [*PRINTED, (0.7, 0.2, 0.1), (0.4, 0.3, 0.3), (0.2, 0.2, 0.6)], ids=str)
def test_sixteen_runs_end_as_the_second_moment_says(weights, game):
    rule = Mnpo(step_size=0.5, weights=padded(weights))
    solution = gp.solve(game, rule, start=START, tol=0.0, max_steps=20_000)
    facts = solution.run.facts
    first, last = facts.divergence_from(facts.log_equilibrium, solution.run.log_last[[0, -1]])
    assert last < 1e-3 * first if second_moment(weights) > 1.0 else last > 10.0 * first
    if game is ROCK and weights in PRINTED:
        # Printed to one or two digits.
        np.testing.assert_allclose(last, PRINTED[weights], rtol=0.2, atol=1e-15)


@pytest.mark.parametrize("weights", [(1, 0, 0), (0.5, 0.4), (-0.5, 1.5), (), [0.5, 0.5]])
def test_wrong_weights_are_refused(weights):
    with pytest.raises(gp.InputError, match="weights must be a tuple of floats"):
        set_up(Mnpo(weights=weights), COMAL)
