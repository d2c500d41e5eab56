"""Batches of games across SIMD lanes: against the single solver, and independent of how the batch is cut."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gametheory_pref.kernels.newton import newton_path
from gametheory_pref.kernels.newton_lanes import LANES, LARGEST, lane_exp, lane_log, regularized_batch
from gametheory_pref.status import Status


def random_games(count, n, seed=0):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.uniform(-0.5, 0.5, (count, n, n)), 1)
    return 0.5 + upper - np.swapaxes(upper, 1, 2)


def batch(preference, temperature, reference=None, active=None, tol=1e-10):
    count, n, _ = preference.shape
    active = np.ones((count, n), bool) if active is None else active
    with np.errstate(divide="ignore"):
        log_reference = np.log(np.full((count, n), 1.0 / n) if reference is None else reference)
    temperature = np.full(count, temperature) if np.ndim(temperature) == 0 else temperature
    policy, gap, status = np.full((count, n), np.nan), np.full(count, np.nan), np.full(count, -1, np.int64)
    regularized_batch(preference, active, log_reference, temperature, tol, policy, gap, status)
    return policy, gap, status


def single(preference, temperature, reference):
    log_policy = np.log(reference)
    newton_path(preference - 0.5, temperature, np.log(reference), log_policy, np.inf, 2000)
    return np.exp(log_policy)


def test_exp_and_log_are_right_to_two_units_in_the_last_place():
    rng = np.random.default_rng(0)
    for x in np.concatenate([rng.uniform(-700, 700, 300), rng.normal(size=300), [0.0, -0.0, 1e-320]]):
        assert abs(lane_exp(x) - np.exp(x)) <= 2.0 * np.spacing(np.exp(x))
    for x in np.exp(np.concatenate([rng.uniform(-700, 700, 300), rng.normal(size=300)])):
        assert abs(lane_log(x) - np.log(x)) <= 2.0 * np.spacing(abs(np.log(x)))
    assert lane_exp(-1e30) == 0.0
    assert lane_log(1.0) == 0.0


@pytest.mark.parametrize("n", [1, 2, 3, 8, 13])
@pytest.mark.parametrize("temperature", [2.0, 0.1, 0.02, 2e-3, 1e-5])
def test_a_batch_is_its_games(n, temperature):
    preference = random_games(LANES + 5, n, seed=n)
    reference = np.random.default_rng(n).dirichlet(np.ones(n), LANES + 5)
    policy, gap, status = batch(preference, temperature, reference)
    assert (status == Status.CONVERGED).all()
    assert gap.max() <= 1e-20
    assert gap.min() >= 0.0
    for i in range(len(preference)):
        assert_allclose(policy[i], single(preference[i], temperature, reference[i]), rtol=0, atol=1e-12)


def test_the_equilibrium_is_a_fixed_point_and_the_transposed_game_has_another():
    preference = random_games(3, 5)
    policy, _, _ = batch(preference, 0.1)
    for p, matrix in zip(policy, preference, strict=True):
        logits = matrix @ p / 0.1
        assert_allclose(p, np.exp(logits) / np.exp(logits).sum(), atol=1e-14)
    other, _, _ = batch(np.swapaxes(preference, 1, 2).copy(), 0.1)
    assert np.abs(other - policy).max() > 0.1


@pytest.mark.parametrize("temperature", [0.1, 0.005])
def test_no_answer_depends_on_its_place_or_its_neighbours(temperature):
    """Bit for bit: however the batch is cut into chunks, and whatever the neighbours' temperatures are."""
    preference = random_games(3 * LANES + 7, 6, seed=4)
    policy, gap, _ = batch(preference, temperature)
    for first, last in [(0, 1), (5, 6), (LANES - 1, LANES + 2), (17, 3 * LANES + 7)]:
        part, part_gap, _ = batch(preference[first:last], temperature)
        assert np.array_equal(part, policy[first:last])
        assert np.array_equal(part_gap, gap[first:last])
    mixed = np.full(len(preference), 1e-4)
    mixed[::3] = temperature
    among, _, _ = batch(preference, mixed)
    assert np.array_equal(among[::3], policy[::3])


def test_a_ragged_batch_solves_the_games_that_are_active():
    count, n = LANES + 3, 9
    rng = np.random.default_rng(3)
    preference = random_games(count, n, seed=8)
    active = rng.random((count, n)) < 0.6
    active[:, 0] = True
    reference = rng.dirichlet(np.ones(n), count)
    for temperature in (0.1, 1e-3):
        policy, _, status = batch(preference, temperature, reference, active)
        assert (policy[~active] == 0.0).all()
        assert (status == Status.CONVERGED).all()
        for i in range(count):
            members = np.flatnonzero(active[i])
            share = reference[i, members] / reference[i, members].sum()
            expected = single(preference[i][np.ix_(members, members)].copy(), temperature, share)
            assert_allclose(policy[i, members], expected, rtol=0, atol=1e-12)


def test_what_the_inactive_entries_hold_does_not_matter():
    preference = random_games(4, 5)
    active = np.ones((4, 5), bool)
    active[:, 3] = False
    expected, _, _ = batch(preference, 0.1, active=active)
    preference[:, 3, :] = np.nan
    preference[:, :, 3] = np.nan
    policy, _, status = batch(preference, 0.1, active=active)
    assert np.array_equal(policy, expected)
    assert (status == Status.CONVERGED).all()


def test_a_response_without_reference_mass_is_not_in_the_game():
    preference = random_games(2, 6, seed=1)
    reference = np.tile([0.3, 0.0, 0.3, 0.2, 0.2, 0.0], (2, 1))
    policy, _, _ = batch(preference, 0.1, reference)
    keep = np.array([0, 2, 3, 4])
    assert (policy[:, [1, 5]] == 0.0).all()
    expected = single(preference[0][np.ix_(keep, keep)].copy(), 0.1, reference[0, keep])
    assert_allclose(policy[0, keep], expected, atol=1e-12)


def test_one_bad_game_does_not_spoil_the_others():
    preference = random_games(5, 4)
    expected, _, _ = batch(preference, 0.1)
    preference[2, 1, 3] = np.nan
    active = np.ones((5, 4), bool)
    active[4] = False
    policy, _, status = batch(preference, 0.1, active=active)
    assert np.array_equal(status, [1, 1, Status.NONFINITE, 1, Status.NONFINITE])
    assert np.array_equal(policy[[0, 1, 3]], expected[[0, 1, 3]])


def test_empty_batches_and_games_beyond_the_lanes():
    policy, gap, status = batch(np.empty((0, 4, 4)), 0.1)
    assert policy.shape == (0, 4) and gap.shape == (0,) and status.shape == (0,)
    n = LARGEST + 6
    preference = random_games(2, n)
    policy, gap, status = batch(preference, 0.1)
    assert (status == Status.CONVERGED).all()
    assert_allclose(policy[1], single(preference[1], 0.1, np.full(n, 1.0 / n)), atol=1e-12)


def test_a_tolerance_that_float64_cannot_meet_is_reported():
    preference = random_games(3, 6)
    _, gap, status = batch(preference, 1e-6, tol=0.0)
    assert (gap > 0.0).all()
    assert (status == Status.INACCURATE).all()
