"""Newton's method for one game: closed forms, the error bound, low temperatures, warm starts, limits."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gametheory_pref.kernels.newton import certify, lu_factor, lu_solve, newton_path, whole


def skew(n, seed, kind="uniform"):
    rng = np.random.default_rng(seed)
    draw = rng.uniform(-0.5, 0.5, (n, n)) if kind == "uniform" else rng.integers(-2, 3, (n, n)) / 4.0
    upper = np.triu(draw, 1)
    return upper - upper.T


def solve(payoff, temperature, reference=None, start=None, max_steps=1000):
    n = len(payoff)
    reference = np.full(n, 1.0 / n) if reference is None else reference
    log_policy = np.log(reference if start is None else start)
    run = newton_path(
        payoff,
        temperature,
        np.log(reference),
        log_policy,
        np.inf if start is None else temperature,
        max_steps,
    )
    return log_policy, run


def regularized_gap(payoff, temperature, log_reference, log_policy):
    n = len(log_policy)
    return certify(payoff, temperature, log_reference, whole(n), log_policy, np.empty(n), np.empty(n)).gap


def equation_residual(payoff, temperature, reference, log_policy):
    """Largest entry of log pi - log BR, in plain NumPy."""
    logits = np.log(reference) + payoff @ np.exp(log_policy) / temperature
    top = logits.max()
    return np.abs(log_policy - (logits - top - np.log(np.exp(logits - top).sum()))).max()


def test_lu_solves_a_system_that_needs_row_exchanges():
    matrix = np.array([[0.0, 2.0, 1.0], [1.0, 0.0, 3.0], [4.0, 1.0, 0.0]])
    rhs = np.array([1.0, -2.0, 0.5])
    factors, pivots, x = matrix.copy(), np.empty(3, np.int64), rhs.copy()
    lu_factor(factors, pivots)
    lu_solve(factors, pivots, x)
    assert_allclose(matrix @ x, rhs, atol=1e-15)


@pytest.mark.parametrize("temperature", [5.0, 0.5, 0.05])
def test_two_responses_solve_the_sigmoid_equation(temperature):
    margin = 0.3
    log_policy, run = solve(np.array([[0.0, margin], [-margin, 0.0]]), temperature)
    p = np.exp(log_policy)
    # log(p0/p1) = (margin p1 + margin p0) / b = margin / b
    assert_allclose(p[0], 1.0 / (1.0 + np.exp(-margin / temperature)), rtol=1e-14)
    assert run.converged


@pytest.mark.parametrize("n", [3, 8, 20])
@pytest.mark.parametrize("kind", ["uniform", "votes"])
@pytest.mark.parametrize("temperature", [10.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
def test_every_temperature_is_solved_to_the_rounding_of_the_equation(n, kind, temperature):
    payoff = skew(n, seed=n, kind=kind)
    reference = np.random.default_rng(n).dirichlet(np.ones(n))
    log_policy, run = solve(payoff, temperature, reference)
    assert run.converged
    assert abs(np.exp(log_policy).sum() - 1.0) < 1e-14
    assert (
        equation_residual(payoff, temperature, reference, log_policy) < 1e-14 + 1e-15 / temperature
    )  # eps max|A| / b
    gap = regularized_gap(payoff, temperature, np.log(reference), log_policy)
    assert 0.0 <= gap < 1e-22


def test_the_gap_is_the_divergence_to_the_best_reply_and_not_that_of_the_transposed_game():
    payoff, temperature = skew(5, 3), 0.2
    reference = np.full(5, 0.2)
    p = np.random.default_rng(1).dirichlet(np.ones(5))
    logits = np.log(reference) + payoff @ p / temperature
    best_reply = np.exp(logits) / np.exp(logits).sum()
    expected = 2.0 * temperature * np.sum(p * np.log(p / best_reply))
    gap = regularized_gap(payoff, temperature, np.log(reference), np.log(p))
    assert_allclose(gap, expected, rtol=1e-13)
    other = regularized_gap(-payoff, temperature, np.log(reference), np.log(p))
    assert abs(other - expected) > 1e-3


def test_the_gap_counts_replies_whose_probability_underflows():
    payoff = np.array([[0.0, 0.5], [-0.5, 0.0]])
    log_policy = np.array([-800.0, 0.0])
    gap = regularized_gap(payoff, 0.1, np.log([0.5, 0.5]), log_policy)
    # BR = sigmoid(5) on the first response; KL((0, 1) || BR) = -log BR_1.
    assert_allclose(gap, 0.2 * np.log1p(np.exp(5.0)), rtol=1e-14)


def test_the_error_of_the_equation_bounds_the_error_of_the_policy():
    """<p - p*, e> = KL(p||p*) + KL(p*||p), the identity that the stopping rule rests on."""
    payoff, temperature = skew(6, 9), 0.05
    reference = np.full(6, 1.0 / 6.0)
    log_star, _ = solve(payoff, temperature)
    star = np.exp(log_star)
    p = np.random.default_rng(2).dirichlet(np.ones(6))
    error = np.log(p) - np.log(reference) - payoff @ p / temperature
    assert_allclose((p - star) @ error, np.sum((p - star) * np.log(p / star)), rtol=1e-10)


def test_a_warm_start_is_cheaper_and_gives_the_same_answer():
    payoff = skew(12, 5)
    cold, cold_run = solve(payoff, 1e-3)
    near, _ = solve(payoff, 1.2e-3)
    warm, warm_run = solve(payoff, 1e-3, start=np.exp(near))
    assert_allclose(np.exp(warm), np.exp(cold), atol=1e-13)
    assert warm_run.n_steps < cold_run.n_steps
    _, run = solve(payoff, 1e-3, start=np.exp(cold))
    assert run.n_steps <= 1


def test_a_misleading_start_does_no_harm():
    payoff = skew(12, 5)
    start = np.full(12, 1e-250)
    start[3] = 1.0
    cold, _ = solve(payoff, 1e-3)
    warm, run = solve(payoff, 1e-3, start=start)
    assert run.converged
    assert_allclose(np.exp(warm), np.exp(cold), atol=1e-13)


def test_the_step_limit_is_kept_and_reported():
    payoff = skew(20, 1)
    _, run = solve(payoff, 1e-4, max_steps=3)
    assert not run.converged
    assert run.n_steps == 3


def test_a_payoff_that_is_not_finite_ends_in_failure_not_in_a_loop():
    payoff = skew(4, 0)
    payoff[1, 2] = np.nan
    _, run = solve(payoff, 0.1)
    assert not run.converged


def test_a_single_response_and_a_game_without_payoffs():
    log_policy, run = solve(np.zeros((1, 1)), 0.1)
    assert run.converged and log_policy[0] == 0.0
    reference = np.array([0.2, 0.5, 0.3])
    log_policy, run = solve(np.zeros((3, 3)), 1e-6, reference)
    assert_allclose(np.exp(log_policy), reference, rtol=1e-15)


def test_the_gap_of_a_point_far_away_is_finite():
    payoff, temperature = skew(4, 2), 1e-6
    policy = np.array([0.4, 0.3, 0.2, 0.1])
    gains = payoff @ policy
    gap = regularized_gap(payoff, temperature, np.log(np.full(4, 0.25)), np.log(policy))
    # At this temperature the gap is that of the game without regularisation, up to 2 b log 4.
    assert_allclose(gap, 2.0 * (gains.max() - policy @ gains), atol=2e-6 * np.log(4.0))
