"""The distance of 0 from F(z) + N_C(z), against a quadratic programme solved by brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gametheory_pref.inclusions import tangent_residual


def least_distance(value, z):
    """Normal vectors are constant on the support and no larger outside: try every set of outside entries at the top."""
    inside = np.flatnonzero(z > 0)
    outside = np.flatnonzero(z == 0)
    best = np.inf
    for size in range(len(outside) + 1):
        for held in itertools.combinations(outside, size):
            free = [*inside, *held]
            level = -value[free].mean()
            normal = np.where(np.isin(np.arange(len(z)), free), level, -value)
            if (normal[outside] <= level + 1e-12).all():
                best = min(best, float(np.linalg.norm(value + normal)))
    return best


@pytest.mark.parametrize("seed", range(60))
def test_it_is_the_least_distance(seed):
    rng = np.random.default_rng(seed)
    z = rng.dirichlet(np.ones(6))
    z[rng.random(6) < 0.5] = 0.0
    z[0] += 1.0 - z.sum()
    value = rng.normal(size=6)
    assert_allclose(tangent_residual(value, z, np.array([0, 6])), least_distance(value, z), rtol=1e-12)


def test_without_constraint_it_is_the_norm():
    assert tangent_residual(np.array([3.0, 4.0]), np.zeros(2), np.array([0])) == 5.0


def test_players_add_up():
    value, z = np.array([1.0, -1.0, 2.0, 0.0]), np.full(4, 0.5)
    both = tangent_residual(value, z, np.array([0, 2, 4]))
    each = [tangent_residual(value[part], z[part], np.array([0, 2])) for part in (slice(0, 2), slice(2, 4))]
    assert_allclose(both**2, sum(one**2 for one in each), rtol=1e-14)


def test_it_bounds_the_gap_and_vanishes_at_equilibria():
    rng = np.random.default_rng(3)
    upper = np.triu(rng.normal(size=(5, 5)), 1)
    payoff = upper - upper.T
    for _ in range(20):
        z = rng.dirichlet(np.ones(5))
        gap = float((payoff @ z).max())
        assert gap <= tangent_residual(-payoff @ z, z, np.array([0, 5])) * np.sqrt(2.0) + 1e-12
