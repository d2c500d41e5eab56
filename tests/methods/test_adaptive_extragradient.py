"""Steps as long as the proof allows: the identity behind the test, the rate, the floor of the steps."""

from __future__ import annotations

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref.methods._info import extragradient_cap

from .stepping import divergences, guarantee, set_up, softmax_of_normals, states

Adaptive = gp.METHODS["adaptive_extragradient"]
COMAL = gp.zoo["comal"].game
START = [0.5, 0.3, 0.2]


def random_game(seed: int, n: int, size: float = 0.5) -> np.ndarray:
    upper = np.triu(np.random.default_rng(seed).uniform(-size, size, (n, n)), 1)
    return upper - upper.T


def kl(p: np.ndarray, q: np.ndarray) -> float:
    """Of policies given as logarithms."""
    return float(np.exp(p) @ (p - q))


def normalized(log: np.ndarray) -> np.ndarray:
    return log - np.log(np.exp(log).sum())


@pytest.mark.parametrize("seed", range(5))
def test_the_identity_that_the_test_rests_on(seed):
    """For any x, y: how much closer the step that plays against y comes to the equilibrium."""
    rng, n, eta, beta = np.random.default_rng(seed), 5, 1.7, 0.3
    payoff, mu = random_game(seed, n), normalized(rng.normal(size=n))
    x, y = normalized(rng.normal(size=n)), normalized(rng.normal(size=n))
    exact = np.log(gp.solve(payoff + 0.5, temperature=beta, reference=np.exp(mu), tol=1e-14).policy)
    kept = 1.0 - eta * beta
    new = normalized(kept * x + eta * beta * mu + eta * payoff @ np.exp(y))
    right = kept * kl(exact, x) + kl(y, new) - kept * kl(y, x) - eta * beta * kl(y, exact)
    np.testing.assert_allclose(kl(exact, new), right, atol=1e-12)


@pytest.mark.parametrize("temperature", [0.0, 0.05, 0.5])
@pytest.mark.parametrize("size", [1e-3, 0.5, 300.0])
def test_the_divergence_falls_by_the_factors_of_the_steps_accepted(temperature, size):
    """Whatever the size of the payoffs, which the rule is not told."""
    n = 5
    game = gp.matrix_game(random_game(1, n, size))
    reference = softmax_of_normals(n)
    rule, problem, facts = set_up(Adaptive(), game, temperature * size, reference=(reference, reference))
    found = states(rule, problem, 60)
    values = divergences(facts, found)
    clear = values > 1e-20
    logs = np.array([state.log_factor for state in found])
    assert (np.log(values[clear] / values[0]) <= logs[clear] + 1e-8).all()
    assert (np.diff(values[clear]) <= 0.0).all()
    steps = np.array([state.step_size for state in found[1:]])
    cap = extragradient_cap(facts.step_facts).scale
    assert steps.min() >= min(1.0 / (1.0 + temperature * size), 0.5 * cap) * (1.0 - 1e-12)
    promised = guarantee(rule, "adaptive-extragradient-contraction").log_factor(rule, facts, np.arange(61))
    assert (logs <= promised + 1e-9).all()
    if temperature == 0.5:
        assert values[-1] < 1e-10 * values[0]


def test_a_step_within_the_cap_passes_at_once():
    rule, problem, facts = set_up(Adaptive(growth=1.0), random_game(2, 6) + 0.5, 0.1)
    rule = rule._replace(step_size=extragradient_cap(facts.step_facts))
    found = states(rule, problem, 40)
    assert found[-1].calls == 2 * 40
    # The same steps as plain extragradient.
    plain, _, _ = set_up(gp.METHODS["extragradient"](), random_game(2, 6) + 0.5, 0.1)
    np.testing.assert_allclose(found[-1].x.log, states(plain, problem, 40)[-1].x.log, atol=1e-12)


def test_steps_outgrow_the_worst_case_near_an_equilibrium_of_many_responses():
    rule, problem, facts = set_up(Adaptive(), random_game(4, 20) + 0.5, 0.05, reference=softmax_of_normals(20))
    found = states(rule, problem, 80)
    steps = np.array([state.step_size for state in found[-40:]])
    assert np.median(steps) > 1.3 * extragradient_cap(facts.step_facts).scale


@pytest.mark.parametrize("name", ["all_ties", "clear_favourite", "star"])
def test_steps_stay_finite_where_all_pass(name):
    """At temperature 0 every step passes once nothing moves."""
    rule, problem, facts = set_up(Adaptive(), gp.zoo[name].game)
    found = states(rule, problem, 4500)
    assert found[-1].step_size < 1e9 and np.isfinite(found[-1].x.prob).all()
    assert facts.gaps(found[-1].x.log[None], 0.0)[0] < 1e-12


def test_calls_are_counted():
    """One product per step, one more per trial; the first step is halved until it passes."""
    rule, problem, _ = set_up(Adaptive(step_size=9.0, growth=1.0), COMAL, 0.1, start=START)
    first = states(rule, problem, 1)[-1]
    halvings = round(np.log2(9.0 / first.step_size))
    assert halvings >= 1 and first.calls == 2 + halvings


@pytest.mark.parametrize("setting", [{"shrink": 1.0}, {"growth": 0.9}, {"step_size": 20.0}])
def test_wrong_settings_are_refused(setting):
    with pytest.raises(gp.InputError, match=next(iter(setting))):
        set_up(Adaptive(**setting), COMAL, 0.1)
