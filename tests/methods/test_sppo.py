from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.special import wrightomega

import gametheory_pref as gp
from gametheory_pref.methods.sppo import regress_on_simplex, wright_omega

from .worked import GAMES, UNEVEN, drawn, run, theorem

SPPO, WEIGHTS = gp.METHODS["sppo"], gp.METHODS["multiplicative_weights"]


def stepped(game, rule, start):
    return gp.solve(game, rule, start=start, tol=0.0, max_steps=1, jit=False).run.resume.state.x.prob


def total_variation(p, q):
    return 0.5 * np.abs(p - q).sum()


@pytest.mark.parametrize(("eta", "printed"), [(0.1, 1e-7), (1.0, 1.3e-4), (5.0, 1.6e-2), (20.0, 0.144)])
def test_worked_distances_from_multiplicative_weights(eta, printed):
    constant, exact = (stepped(GAMES["comal"], rule, UNEVEN) for rule in (SPPO(step_size=eta), WEIGHTS(step_size=eta)))
    assert_allclose(total_variation(constant, exact), printed, rtol=0.05 if eta > 0.1 else 0.2)


def test_the_distance_is_of_third_order():
    game, start = drawn(0, 4), [0.4, 0.3, 0.2, 0.1]
    distances = [
        total_variation(stepped(game, SPPO(step_size=eta), start), stepped(game, WEIGHTS(step_size=eta), start))
        for eta in (0.01, 0.02, 0.04, 0.08)
    ]
    assert_allclose(np.log2(np.divide(distances[1:], distances[:-1])), 3.0, atol=0.05)


def test_the_exact_normaliser_is_multiplicative_weights():
    one = run(drawn(1, 5), SPPO(exact_normalizer=True, step_size=0.7), 40)
    two = run(drawn(1, 5), WEIGHTS(step_size=0.7), 40)
    assert_allclose(one.log_last, two.log_last, atol=1e-12)


@pytest.mark.parametrize("eta", [0.5, 4.0])
def test_the_step_minimises_the_loss(eta):
    game, start = drawn(2, 4), np.array([0.4, 0.3, 0.2, 0.1])
    target = eta * game.payoff @ start

    def loss(logits):
        log = logits - logits.max()
        log = log - np.log(np.exp(log).sum())
        return start @ (log - np.log(start) - target) ** 2

    trained = minimize(loss, np.log(start), method="BFGS", options={"gtol": 1e-12}).x
    trained = np.exp(trained - trained.max())
    assert_allclose(stepped(game, SPPO(step_size=eta), start), trained / trained.sum(), atol=1e-6)


@given(st.integers(1, 8), st.integers(0, 10_000), st.floats(-6.0, 3.5))
def test_the_minimiser_is_on_the_simplex_and_stationary(n, seed, size):
    """x + nu exp(x) = target with nu = KL(old || new), at most eta^2 a^2 / 2."""
    rng = np.random.default_rng(seed)
    prob = rng.dirichlet(np.ones(n))
    target = 10.0**size * rng.uniform(-1.0, 1.0, n)
    centred = target - prob @ target
    x = target.copy()
    regress_on_simplex(x, prob, np.array([0, n]))
    scale = np.abs(centred).max()
    assert_allclose(prob @ np.exp(x), 1.0, atol=1e-9)
    nu = -prob @ x
    assert_allclose(x + nu * np.exp(x), centred, atol=1e-9 * (1.0 + scale))
    assert -1e-9 * (1.0 + scale) <= nu <= scale**2 / 2.0 + 1e-9


def test_the_step_size_of_the_released_program_is_no_trouble():
    """At 1000 a factor exp(eta payoff) would not fit into a float64."""
    found = run(drawn(3, 6), gp.PAPERS["sppo_program"].settings()["method"], 200)
    assert np.isfinite(found.log_last).all()
    assert_allclose(np.exp(found.log_last).sum(axis=1), 1.0)


def test_the_bound_on_the_average():
    bound = theorem(SPPO, "sppo-average")
    for rule in (SPPO(), SPPO(step_size="paper"), SPPO(step_size=0.1), SPPO(exact_normalizer=True, step_size=0.1)):
        found = run(drawn(4), rule, 2000)
        assert bound.hypotheses(found.rule, found.facts) is None
        allowed = bound.bound(found.rule, found.facts, found.steps)
        assert (found.gap_average <= allowed).all() and allowed[-1] < 0.5 * found.gap_average[0]


def test_wright_omega_is_scipys():
    y = np.concatenate([np.linspace(-60.0, 60.0, 241), [-700.0, 500.0, 1e4]])
    assert_allclose([wright_omega(float(value)) for value in y], wrightomega(y), rtol=2e-14)


def test_the_normaliser_is_a_yes_or_no():
    with pytest.raises(gp.InputError, match="exact_normalizer must be True or False; got 'exact'"):
        gp.solve(GAMES["comal"], SPPO(exact_normalizer="exact"))
