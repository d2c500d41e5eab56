"""The winner nearest to a reference: by hand, by a conic solver, as a limit of regularised equilibria."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gametheory_pref.errors import InputError
from gametheory_pref.exact.max_entropy import kl_projection, max_entropy
from gametheory_pref.exact.solution_set import solution_set

from .test_solution_set import CLONED_SCISSORS, entropy, skew

# 0 and 1 tie; 2 loses to 0 by 1/8 and beats 1 by 1/4: at most a third of the mass may lie on 1.
BOUNDED = skew([0.0, 0.125, -0.25], 3)


def test_bound_that_stops_the_uniform_mixture():
    assert_allclose(max_entropy(BOUNDED, np.array([0, 1])), [2 / 3, 1 / 3, 0], atol=1e-15)


def test_bound_that_just_touches_the_unbounded_optimum():
    # 2 beats 1 by as much as it loses to 0: the even mixture meets the bound with multiplier zero.
    touching = skew([0.0, 0.25, -0.25], 3)
    assert_allclose(max_entropy(touching, np.array([0, 1])), [0.5, 0.5, 0], atol=1e-14)


def test_reference_decides_between_clones():
    reference = np.array([0.2, 0.2, 0.15, 0.45])
    found = max_entropy(CLONED_SCISSORS, np.arange(4), reference=reference)
    assert_allclose(found, [1 / 3, 1 / 3, 1 / 12, 1 / 4], atol=1e-14)


def test_reference_that_is_a_winner_is_its_own_projection():
    winner = np.array([0.8, 0.2, 0.0])
    assert_allclose(max_entropy(BOUNDED, np.array([0, 1]), reference=winner), winner, atol=1e-15)


def test_reference_without_mass_on_a_clone():
    found = max_entropy(CLONED_SCISSORS, np.arange(4), reference=np.array([0.1, 0.4, 0.0, 0.5]))
    assert_allclose(found, [1 / 3, 1 / 3, 0, 1 / 3], atol=1e-14)


def test_reference_that_no_winner_respects():
    with pytest.raises(InputError, match="reference gives no mass"):
        max_entropy(CLONED_SCISSORS, np.arange(4), reference=np.array([0.0, 0.5, 0.5, 0.0]))


def test_extreme_reference_keeps_tiny_probabilities():
    reference = np.array([1e-60, 1.0])
    found = kl_projection(np.zeros((1, 2)), np.zeros((0, 2)), reference, entry_error=1e-16)
    assert_allclose(found, [1e-60, 1.0], rtol=1e-12)


def tie_heavy_game(seed, n=9):
    """A game with many winners: four responses tie with one another and mostly beat the others."""
    rng = np.random.default_rng(seed)
    payoff = skew(rng.integers(-3, 4, n * (n - 1) // 2) / 8.0, n)
    payoff[:4, :4] = 0.0
    payoff[:4, 4:] = np.abs(payoff[:4, 4:])
    payoff[0, 4] = payoff[1, 5] = payoff[2, 4] = -0.25
    payoff[1, 4] = payoff[3, 4] = payoff[0, 5] = payoff[3, 5] = 0.125
    payoff[4:, :4] = -payoff[:4, 4:].T
    return payoff


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_a_conic_solver(seed):
    cvxpy = pytest.importorskip("cvxpy")
    payoff = tie_heavy_game(seed)
    found = solution_set(payoff, np.full(9, 1 / 9))
    assert found.unique is False
    # Only what can be played, and each equation once: a conic solver needs a set with an interior.
    union = found.support_union
    outside = np.setdiff1d(np.arange(9), union)
    reference = np.random.default_rng(seed).dirichlet(np.ones(9))
    policy = cvxpy.Variable(union.size)
    constraints = [cvxpy.sum(policy) == 1, 8 * payoff[np.ix_(outside, union)] @ policy <= 0]
    assert not payoff[np.ix_(union, union)].any()
    cvxpy.Problem(cvxpy.Minimize(cvxpy.sum(cvxpy.kl_div(policy, reference[union]))), constraints).solve(
        solver="CLARABEL", tol_gap_abs=1e-9, tol_gap_rel=1e-9
    )
    nearest = max_entropy(payoff, union, reference=reference)
    assert_allclose(nearest[union], policy.value, atol=1e-5)
    assert (payoff @ nearest).max() <= 1e-15


def test_some_bound_is_touched_in_the_conic_comparison():
    touched = 0
    for seed in range(6):
        payoff = tie_heavy_game(seed)
        found = solution_set(payoff, np.full(9, 1 / 9))
        outside = np.setdiff1d(np.arange(9), found.support_union)
        touched += int((np.abs(payoff[outside] @ found.max_entropy) < 1e-14).any())
        assert entropy(found.max_entropy) > entropy(found.interior)
    assert touched >= 3


def test_limit_of_regularised_equilibria():
    # p = softmax(A p / temperature), solved by Newton from the claimed limit.
    payoff, temperature = BOUNDED, 1e-3
    policy = np.array([0.66, 0.33, 0.01])
    for _ in range(400):
        score = np.exp((payoff @ policy - (payoff @ policy).max()) / temperature)
        target = score / score.sum()
        curvature = np.diag(target) - np.outer(target, target)
        move = np.linalg.solve(np.eye(3) - curvature @ payoff / temperature, target - policy)
        policy = np.maximum(policy + 0.5 * move, 1e-12)
        policy /= policy.sum()
    assert np.abs(target - policy).max() < 1e-12
    # Where a bound is touched the limit is approached in proportion to the temperature.
    assert_allclose(policy, max_entropy(payoff, np.array([0, 1])), atol=20 * temperature)


@pytest.mark.parametrize("record", ["arena_top25_20240329", "llmfao_crowd"])
def test_missing_comparisons_leave_the_winner_bounded_by_outsiders(shared_data, record):
    text = (shared_data / "pairwise" / f"{record}.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    names = sorted({row[key] for row in rows for key in ("item_a", "item_b")})
    margin = np.zeros((len(names), len(names)))
    for row in rows:
        i, j = names.index(row["item_a"]), names.index(row["item_b"])
        margin[i, j] += float(row["wins_a"]) - float(row["wins_b"])
    margin -= margin.T
    payoff = margin / (2 * np.abs(margin).max())
    found = solution_set(payoff, np.full(len(names), 1 / len(names)))
    outside = np.setdiff1d(np.arange(len(names)), found.support_union)
    # The even mixture of all that can be played is beaten by somebody outside, so a bound must be touched.
    assert (payoff[:, found.support_union].mean(axis=1)).max() > 1e-3
    assert np.abs(payoff[outside] @ found.max_entropy).min() < 1e-15
    assert (payoff @ found.max_entropy).max() < 1e-15
