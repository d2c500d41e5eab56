"""Games side by side: the primitives against NumPy, and every rule that can against the loop over single games."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gametheory_pref as gp
from gametheory_pref import _simd, iterating_batch, lanes
from gametheory_pref._jit import interpreted
from gametheory_pref._simd import LANES, aligned_zeros
from gametheory_pref.kernels import lane_steps
from gametheory_pref.methods import METHODS
from gametheory_pref.status import Status
from gametheory_pref.verbs import Schedule

SIDE_BY_SIDE = [rule.info.name for rule in METHODS.primary() if rule.info.side_by_side]
# Every kind of state and of verb; each rule is compiled twice here.
QUICK = {"extragradient", "multiplicative_weights", "mnpo"}
FIELDS = ("policy", "gap", "status", "n_steps")


def random_games(n_games, n, seed=0):
    upper = np.triu(np.random.default_rng(seed).uniform(-0.5, 0.5, (n_games, n, n)), 1)
    return 0.5 + upper - upper.swapaxes(1, 2)


def both_ways(monkeypatch, games, **settings):
    """Return what lanes give, and what the loop over single games gives."""
    asked = []
    with monkeypatch.context() as patch:
        patch.setattr(iterating_batch, "lane_kernel_of", lambda rule: asked.append(rule) or lanes.lane_kernel_of(rule))
        side_by_side = gp.solve_batch(games, **settings)
    assert asked
    with monkeypatch.context() as patch:
        patch.setattr(iterating_batch, "_LARGEST_IN_LANES", 0)
        patch.setattr(iterating_batch, "lane_kernel_of", None)
        return side_by_side, gp.solve_batch(games, **settings)


def assert_equal(one, other):
    """Compare up to the order of sums."""
    assert_array_equal(one.status, other.status)
    assert_array_equal(one.n_steps, other.n_steps)
    assert_allclose(one.policy, other.policy, rtol=1e-11, atol=1e-15)
    assert_allclose(one.gap, other.gap, rtol=1e-8, atol=1e-15)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in SIDE_BY_SIDE]
)
def test_a_rule_takes_the_steps_that_it_takes_alone(monkeypatch, name):
    """Eleven games, so that the second bundle is filled up; a temperature, a step size and an end for each."""
    rule = METHODS[name]
    warm = "regularized" in rule.info.solves
    games = random_games(11, 5, seed=3)
    games[4] = 0.5
    temperature = np.linspace(0.05, 0.3, 11) if warm else np.zeros(11)
    reference = np.random.default_rng(4).dirichlet(np.ones(5), 11)
    settings = {"method": name, "temperature": temperature, "reference": reference, "tol": 2e-2, "max_steps": 150}
    assert_equal(*both_ways(monkeypatch, games, **settings))
    assert_equal(*both_ways(monkeypatch, games, **settings | {"tol": 0.0, "max_steps": 40}))


def test_enough_rules_run_side_by_side():
    assert {"extragradient", "multiplicative_weights", "mnpo", "optimistic", "magnetic"} <= set(SIDE_BY_SIDE)
    assert not any(METHODS[name].info.payoff_calls is None for name in SIDE_BY_SIDE)


def test_one_bundle_holds_warm_and_cold_games_and_ends_when_the_last_one_ends(monkeypatch):
    games = random_games(10, 4, seed=5)
    temperature = np.array([0.0, 0.3] * 5)
    settings = {"method": "extragradient", "temperature": temperature, "tol": 1e-3, "max_steps": 300}
    batch, alone = both_ways(monkeypatch, games, **settings)
    assert_equal(batch, alone)
    assert len(set(batch.n_steps)) > 3


def test_step_sizes_that_shrink_and_averages(monkeypatch):
    rule = METHODS["multiplicative_weights"](step_size=Schedule(2.0, power=0.7))
    assert_equal(*both_ways(monkeypatch, random_games(9, 6, seed=6), method=rule, tol=0.02, max_steps=500))


def test_a_game_that_leaves_the_finite_numbers_ends_alone(monkeypatch):
    """Infinite steps: payoffs that are all 0 survive them at temperature 0 no better than others, so end before."""
    games = random_games(8, 3, seed=7)
    games[2] = 0.5
    rule = METHODS["multiplicative_weights"](step_size=Schedule(1e308, power=-1.0))
    settings = {"method": rule, "tol": 1e-9, "max_steps": 500, "reference": [0.5, 0.25, 0.25]}
    batch, alone = both_ways(monkeypatch, games, **settings)
    assert batch.status[2] == Status.CONVERGED
    assert (np.delete(batch.status, 2) == Status.NONFINITE).any()
    assert_equal(batch, alone)


def test_a_game_has_the_same_answer_in_any_company():
    """To the last bit: alone, among others, in another lane."""
    games = random_games(21, 6, seed=8)
    settings = {"method": "extragradient", "temperature": 0.1}
    whole = gp.solve_batch(games, **settings)
    for some in ([3], [20, 3, 7], np.arange(21)[::-1]):
        part = gp.solve_batch(games[some], **settings)
        for field in FIELDS:
            assert_array_equal(getattr(part, field), getattr(whole, field)[some])


def test_larger_games_run_one_by_one(monkeypatch):
    monkeypatch.setattr(iterating_batch, "lane_kernel_of", None)
    n = iterating_batch._LARGEST_IN_LANES + 1
    batch = gp.solve_batch(random_games(3, n), method="extragradient", temperature=0.3)
    assert batch.converged.all()


def test_rules_with_a_search_run_one_by_one(monkeypatch):
    monkeypatch.setattr(iterating_batch, "lane_kernel_of", None)
    batch = gp.solve_batch(random_games(9, 3), method="adaptive_extragradient", temperature=0.3)
    assert batch.converged.all()


# -- kernels


def rows(n, seed, scale=1.0):
    vector = aligned_zeros(n * LANES)
    vector[:] = scale * np.random.default_rng(seed).normal(size=vector.size)
    return vector


def columns(vector):
    return vector.reshape(-1, LANES)


@pytest.fixture(scope="module", autouse=True)
def _registered():
    lanes.lane_kernel_of(METHODS["extragradient"]())


@pytest.mark.parametrize("n", [1, 4, 7])
@pytest.mark.parametrize("interpret", [False, True])
def test_products_and_policies_against_numpy(n, interpret):
    payoff, base, move = rows(n * n, 0), rows(n, 1, 30.0), rows(n, 2)
    product, log, prob = aligned_zeros(3, n * LANES)
    step_size = 0.5

    def run():
        lane_steps.lanes_product(payoff, base, product)
        lane_steps.lanes_mirror(base, move, step_size, log, prob)

    if interpret:
        with interpreted():
            run()
    else:
        run()
    expected = np.einsum("ijk,jk->ik", payoff.reshape(n, n, LANES), columns(base))
    assert_allclose(columns(product), expected, rtol=1e-12, atol=1e-12)
    target = columns(base) + step_size * columns(move)
    expected = np.exp(target - target.max(axis=0))
    assert_allclose(columns(prob), expected / expected.sum(axis=0), rtol=1e-14)
    assert_allclose(np.exp(columns(log)), columns(prob), rtol=1e-13)


def test_a_product_may_be_interpreted_and_compiled_on_arrays_of_any_alignment():
    n = 3
    room = np.arange(1.0, n * n * LANES + 8)
    shifted, prob, out = room[1 : 1 + n * n * LANES], rows(n, 3), np.empty(n * LANES + 1)[1:]
    lane_steps.lanes_product(shifted, prob, out)
    assert_allclose(columns(out), np.einsum("ijk,jk->ik", shifted.reshape(n, n, LANES), columns(prob)), rtol=1e-12)


def test_exp_and_log_keep_what_is_not_finite():
    x = np.array([0.0, -1.0, -700.0, -720.0, -np.inf, np.nan, 700.0, 1e-300])
    with interpreted(), np.errstate(all="ignore"):
        assert_allclose(lane_steps.lanes_exp(x), np.where(x < -708.0, 0.0, np.exp(x)), rtol=1e-15)
        y = np.array([1.0, 0.5, 1e300, 1e-300, 0.0, np.nan, 3.0, 0.7071])
        assert_allclose(lane_steps.lanes_log(y), np.log(y), rtol=1e-15, atol=1e-16)


@pytest.mark.parametrize("temperature", [0.07, 3.0])
def test_gaps_against_numpy(temperature):
    n = 5
    payoff, log, prob = rows(n, 4), *aligned_zeros(2, n * LANES)
    lane_steps.lanes_normalize(rows(n, 5, 40.0), log, prob)
    anchor, scores, weights = aligned_zeros(3, n * LANES)
    heat = np.full(LANES, temperature)
    heat[3] = 0.0
    with interpreted(), np.errstate(divide="ignore"):
        warm = lane_steps.lanes_warm_gap(payoff, log, prob, anchor, heat, scores, weights)
        cold = lane_steps.lanes_cold_gap(payoff, prob)
    p, u = columns(prob), columns(payoff)
    assert_allclose(cold, 2.0 * (u.max(axis=0) - (p * u).sum(axis=0)), rtol=1e-12, atol=1e-15)
    free_energy = temperature * np.log(np.exp(u / temperature).sum(axis=0))
    expected = 2.0 * (free_energy - (p * u).sum(axis=0) + temperature * (p * columns(log)).sum(axis=0))
    expected[3] = 0.0
    assert_allclose(warm, expected, rtol=1e-11)


@pytest.mark.parametrize("shape", [(3,), (4, 24)])
def test_zeros_begin_with_a_line_of_the_cache(shape):
    zeros = aligned_zeros(*shape)
    assert zeros.shape == shape
    assert zeros.flags.c_contiguous
    assert zeros.ctypes.data % 64 == 0
    assert_array_equal(zeros, 0.0)


def test_the_factors_of_a_number():
    x = np.array([1.0, 0.3, 7e200, 5e-200, 1.4142, 0.7072, 2.0, 1024.0])
    k, m = _simd.exponent(x), _simd.mantissa(x)
    assert_allclose(np.ldexp(m, k.astype(int)), x, rtol=0)
    assert ((m >= np.sqrt(0.5)) & (m <= np.sqrt(2.0))).all()
    assert_array_equal(_simd.two_to_the(1.5 * 2.0**52 + np.arange(8.0)), 2.0 ** np.arange(8.0))
