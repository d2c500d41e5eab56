"""COMAL: printed gaps, its inner loop cut short, and the bounds on what inner errors cost."""

from __future__ import annotations

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref.methods._refreshed import inner_error

from .stepping import divergences, guarantee, logs, set_up, softmax_of_normals, states

Comal, Magnetic = gp.METHODS["comal"], gp.METHODS["mpo"]
GAME = gp.zoo["comal"].game
ROCK = gp.zoo["rock_paper_scissors"].game
START = [0.5, 0.3, 0.2]


def random_game(seed: int, n: int) -> np.ndarray:
    upper = np.triu(np.random.default_rng(seed).uniform(-0.5, 0.5, (n, n)), 1)
    return 0.5 + upper - upper.T


def test_printed_gaps_with_mirror_descent_inside():
    """60 inner steps at tau = 0.1; the gaps after 60, 300, 600, 1500 and 3000 of them."""
    rule, problem, facts = set_up(Comal(inner_temperature=0.1, inner_steps=60), GAME, start=START)
    np.testing.assert_allclose(rule.step_size.scale, 0.588, atol=5e-4)
    found = states(rule, problem, 50)
    gaps = facts.gaps(logs(found), 0.0)[[1, 5, 10, 25]]
    np.testing.assert_allclose(gaps, [8.5e-2, 5.6e-3, 6.8e-5, 7.2e-10], rtol=0.01)
    assert facts.gaps(logs(found), 0.0)[50] < 2e-15
    assert found[-1].calls == 3000


def test_many_inner_steps_are_a_proximal_step():
    """Printed gaps 2.9e-5 and 2e-12 after 10 and 30 exact solves at tau = 0.1."""
    rule, problem, facts = set_up(
        Comal("extragradient", inner_temperature=0.1, inner_steps=150, lookahead=True), GAME, start=START
    )
    found = states(rule, problem, 30)
    np.testing.assert_allclose(facts.gaps(logs(found), 0.0)[[10, 30]], [2.9e-5, 2.1e-12], rtol=0.02)
    exact, _, _ = set_up(gp.METHODS["proximal_point"](step_size=10.0), GAME, start=START)
    np.testing.assert_allclose(logs(found)[:11], logs(states(exact, problem, 10)), atol=1e-11)
    assert (np.diff(divergences(facts, found)) <= 1e-20).all()


@pytest.mark.parametrize(("inner_steps", "converges"), [(10, True), (1, False)])
@pytest.mark.parametrize("game", [ROCK, GAME], ids=["rock", "comal"])
def test_one_inner_step_is_too_few(game, inner_steps, converges):
    """At tau = 0.5 with the largest inner step that is safe, ten converge and one spirals to the boundary."""
    rule, problem, facts = set_up(Comal(inner_temperature=0.5, inner_steps=inner_steps), game, start=START)
    values = divergences(facts, states(rule, problem, 300))
    assert values[-1] < 1e-8 * values[0] if converges else values[-1] > 10.0 * values[0]


def test_one_inner_step_is_multiplicative_weights():
    rule, problem, facts = set_up(Comal(step_size=0.5, inner_steps=1), GAME, start=START)
    plain, _, _ = set_up(gp.METHODS["multiplicative_weights"](step_size=0.5), GAME, start=START)
    found = states(rule, problem, 100)
    np.testing.assert_allclose(logs(found), logs(states(plain, problem, 100)), atol=1e-11)
    claim = guarantee(rule, "comal-single-inner-step")
    assert not claim.proved and claim.hypotheses(rule, facts) is None
    assert (np.diff(divergences(facts, found)) > 0.0).any()


@pytest.mark.parametrize("lookahead", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_bound_on_inner_errors(seed, lookahead):
    """The span of log x_k - log pi_tau along an inner loop."""
    n, tau, count = 6, 0.3, 40
    step = "extragradient" if lookahead else "mirror_descent"
    rule, problem, facts = set_up(
        Comal(step, inner_temperature=tau, inner_steps=1, lookahead=lookahead), random_game(seed, n),
        start=softmax_of_normals(n),
    )  # fmt: skip
    exact = facts.regularized_equilibrium(tau, problem.start.log)
    bound = inner_error(rule.step_size.scale, tau, facts.payoff_bound, count, lookahead)
    for k in range(1, count + 1):
        x = rule._replace(inner_steps=k).step(problem, rule.init(problem), None).x
        error = np.ptp(x.log - exact)
        assert error <= bound[k] + 1e-11
    assert bound[-1] < 0.2 * bound[0]


@pytest.mark.parametrize("lookahead", [False, True])
def test_the_bounds_on_divergences(lookahead):
    step = "extragradient" if lookahead else "mirror_descent"
    rule, problem, facts = set_up(
        Comal(step, inner_temperature=0.3, inner_steps=60, lookahead=lookahead), GAME, start=START
    )
    bound = guarantee(rule, "comal-divergence")
    assert bound.hypotheses(rule, facts) is None
    assert (divergences(facts, states(rule, problem, 20)) <= bound.bound(rule, facts, np.arange(21))).all()
    magnetic, _, facts = set_up(Magnetic(inner_temperature=0.3, refresh=60), GAME, start=START)
    bound = guarantee(magnetic, "magnetic-divergence")
    assert bound.hypotheses(magnetic, facts) is None
    assert (divergences(facts, states(magnetic, problem, 400)) <= bound.bound(magnetic, facts, np.arange(401))).all()
    # With a large number of inner steps the bound says that the divergence does not grow.
    late = rule._replace(inner_steps=5000)
    flat = guarantee(rule, "comal-divergence").bound(late, facts, np.arange(21))
    np.testing.assert_allclose(flat, flat[0], atol=1e-9)


@pytest.mark.parametrize(("rule", "name"), [
    (Comal(inner_steps=0), "inner_steps"), (Comal(inner_temperature=0.0), "inner_temperature"),
    (Comal(step_size=11.0, inner_temperature=0.1), "step_size"), (Magnetic(refresh=0), "refresh"),
    (Magnetic(inner_temperature=-1.0), "inner_temperature"),
])  # fmt: skip
def test_wrong_settings_are_refused(rule, name):
    with pytest.raises(gp.InputError, match=name):
        set_up(rule, GAME)
