"""Payoff products: half of a skew matrix says as much as all of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref._jit import interpreted
from gametheory_pref.fused import Triangle, for_kernel
from gametheory_pref.kernels.steps import payoff_product, triangle_product
from gametheory_pref.problem import as_problem
from gametheory_pref.tabular import tabular


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.uniform(-0.5, 0.5, (n, n)), 1)
    return upper - upper.T, rng.dirichlet(np.full(n, 0.3))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 9, 13, 200, 201, 203, 510])
def test_products_are_exact_to_rounding(n):
    payoff, prob = drawn(n)
    exact = np.array([math.fsum(row * prob) for row in payoff])
    # Rounding of a sum in any order, with terms whose sizes add up to at most 1/2.
    bound = 0.5 * n * np.finfo(float).eps
    for product in (payoff_product, triangle_product):
        out = np.full(n, np.nan)
        product(payoff, prob, out)
        np.testing.assert_allclose(out, exact, rtol=0.0, atol=bound)


def test_only_the_part_above_the_diagonal_and_four_by_four_blocks_are_read():
    payoff, prob = drawn(41)
    expected, out = payoff @ prob, np.empty(41)
    rows, columns = np.indices(payoff.shape)
    payoff[rows // 4 > columns // 4] = np.nan
    triangle_product(payoff, prob, out)
    np.testing.assert_allclose(out, expected, atol=1e-14)


@pytest.mark.parametrize(("n", "temperature"), [(199, 0.1), (203, 0.1), (203, 0.0)])
def test_large_games_run_alike_in_the_interpreter(n, temperature):
    payoff, _ = drawn(n)
    settings = {"temperature": temperature, "tol": 0.0, "max_steps": 20}
    compiled = gp.solve(payoff + 0.5, "extragradient", **settings)
    plain = gp.solve(payoff + 0.5, "extragradient", jit=False, **settings)
    with interpreted():
        also_plain = gp.solve(payoff + 0.5, "extragradient", **settings)
    for other in (plain, also_plain):
        np.testing.assert_allclose(other.run.log_last, compiled.run.log_last, atol=1e-11)
        np.testing.assert_allclose(other.run.gap_last, compiled.run.gap_last, atol=1e-12)
    on = gp.solve(payoff + 0.5, compiled.run.rule, start=compiled, **settings)
    assert on.n_steps == 40 and isinstance(on.run.facts.problem.payoff, np.ndarray)


def test_two_players_with_many_responses_between_them():
    payoff = np.random.default_rng(1).uniform(-1.0, 1.0, (120, 90))
    game = gp.matrix_game(payoff)
    compiled, plain = (
        gp.solve(game, "extragradient", temperature=0.3, tol=0.0, max_steps=20, jit=jit) for jit in (True, False)
    )
    np.testing.assert_allclose(compiled.run.log_last, plain.run.log_last, atol=1e-11)


def test_samples_need_the_whole_matrix():
    payoff, _ = drawn(230)
    for oracle, kind in ((gp.Exact(), Triangle), (gp.Sampled(), np.ndarray)):
        problem = tabular(as_problem(payoff + 0.5, temperature=0.0, reference=None), None, oracle).problem
        assert isinstance(for_kernel(problem).payoff, kind)
