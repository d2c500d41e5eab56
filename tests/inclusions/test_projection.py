"""The closest point of a simplex: what a projection must do, and inputs that break careless ones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gametheory_pref._jit import interpreted
from gametheory_pref.kernels.projection import project_one
from gametheory_pref.verbs import _projected

RNG = np.random.default_rng(0)


def project(vector):
    out = np.array(vector, dtype=np.float64)
    with interpreted():
        project_one(out)
    return out


def closest_by_supports(vector):
    """Brute force: on every support the closest point keeps differences; the nearest that is a policy wins."""
    best, distance = None, np.inf
    for size in range(1, len(vector) + 1):
        for support in itertools.combinations(range(len(vector)), size):
            chosen = list(support)
            point = np.zeros(len(vector))
            point[chosen] = vector[chosen] - (vector[chosen].sum() - 1.0) / size
            away = float(np.linalg.norm(point - vector))
            if point.min() >= 0.0 and away < distance:
                best, distance = point, away
    return best


@pytest.mark.parametrize("seed", range(40))
def test_it_is_the_nearest_policy(seed):
    rng = np.random.default_rng(seed)
    vector = rng.normal(size=rng.integers(1, 7)) * 10.0 ** rng.integers(-2, 3)
    assert_allclose(project(vector), closest_by_supports(vector), atol=1e-13)


@pytest.mark.parametrize("seed", range(200))
def test_policies_stay_where_they_are(seed):
    rng = np.random.default_rng(seed)
    policy = rng.dirichlet(np.full(10, 0.3))
    policy[rng.random(10) < 0.4] = 0.0
    policy = policy / policy.sum() if policy.any() else np.eye(10)[0]
    assert_allclose(project(policy), policy, atol=1e-15)


@pytest.mark.parametrize("seed", range(200))
def test_projecting_twice_is_projecting_once(seed):
    once = project(np.random.default_rng(seed).normal(size=30))
    assert_allclose(project(once), once, atol=1e-15)


@pytest.mark.parametrize(
    "policy",
    [
        [0.098, 0.0, 0.148, 0.0, 0.039, 0.0, 0.452, 0.189, 0.074, 0.0],
        [0.019, 0.487, 0.0, 0.0, 0.08, 0.0, 0.318, 0.0, 0.0, 0.096],
        [0.0, 0.0, 0.071, 0.653, 0.196, 0.0, 0.0, 0.08],
    ],
)
def test_zeros_and_a_sum_off_by_one_rounding_do_not_loop_for_ever(policy):
    """Whether the zeros count changes with the sign of a level that is all rounding."""
    assert_allclose(project(policy), policy, atol=1e-15)


@pytest.mark.parametrize("offset", [1e3, -1e3, 1e8, -1e8])
def test_a_common_offset_changes_nothing(offset):
    vector = np.round(RNG.normal(size=8), 3)
    # What the offset leaves of the digits of the vector is all that there is to project.
    moved = vector + offset
    assert_allclose(project(moved), project(moved - offset), atol=4 * np.spacing(abs(offset)))


def test_ties_share():
    assert_array_equal(project([3.0, 3.0, 1.0]), [0.5, 0.5, 0.0])
    assert_allclose(project([0.0, 0.0, 0.0]), np.full(3, 1.0 / 3.0), rtol=1e-15)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_comes_back_as_nan(bad):
    assert np.isnan(project([0.2, bad, 0.3])).all()


@pytest.mark.parametrize("seed", range(20))
def test_it_is_nonexpansive(seed):
    x, y = np.random.default_rng(seed).normal(size=(2, 12)) * 2.0
    assert np.linalg.norm(project(x) - project(y)) <= np.linalg.norm(x - y) * (1.0 + 1e-14)


@pytest.mark.parametrize("scale", [1e3, 1e10, 1e16, 1e17, 1e300])
def test_far_away_vectors_keep_their_mass(scale):
    """Steps that are far too long end on a pure policy, not on none."""
    assert_array_equal(project([scale, 0.0, -scale]), [1.0, 0.0, 0.0])
    assert_array_equal(project([scale, scale, 0.0]), [0.5, 0.5, 0.0])
    assert_array_equal(project([-scale, -scale]), [0.5, 0.5])


@pytest.mark.parametrize("offset", [1e3, 1e7, 1e10])
def test_a_large_offset_of_many_entries_costs_no_mass(offset):
    vector = offset + np.random.default_rng(1).random(1000) * 1e-3
    assert_allclose(project(vector).sum(), 1.0, rtol=1e-13)
    assert_allclose(project(vector), project(vector - offset), atol=1e-15)


@pytest.mark.parametrize("vector", [[1e17, 0.0, -1e17], [1e10 + 0.25, 1e10, 1e10 - 2.0], [8e307, 8e307, -8e307]])
def test_whole_arrays_are_projected_as_one_by_one(vector):
    whole = _projected(np.array(vector), np.array([0, 3]))
    assert_array_equal(whole, project(vector))
