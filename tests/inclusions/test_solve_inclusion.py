"""What `solve_inclusion` promises whatever the method: counts, limits, records, interrupts, messages."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gametheory_pref as gp
from gametheory_pref.inclusions import example

METHODS = ("halpern", "anchored_extragradient", "extragradient", "forward_reflected")


class Counted:
    """A rotation that counts how often it is asked."""

    def __init__(self):
        self.asked = 0

    def __call__(self, z):
        self.asked += 1
        return np.array([z[1], -z[0]])


@pytest.mark.parametrize("method", METHODS)
def test_calls_are_counted_as_they_are_made(method):
    function = Counted()
    inclusion = gp.inclusion(function, start=[1.0, 0.0], lipschitz=1.0)
    solution = gp.solve_inclusion(inclusion, method, tol=1e-2, max_steps=2000)
    assert solution.operator_calls + solution.residual_calls == function.asked
    assert solution.residual_calls == len(solution.trace.step) + 1
    assert_array_equal(np.diff(solution.trace.payoff_calls) > 0, True)


def test_terms_count_one_by_one():
    terms = np.stack([np.array([[0.0, 1.0], [-1.0, 0.0]])] * 7)
    solution = gp.solve_inclusion(gp.inclusion(terms, start=[1.0, 0.0]), "extragradient", tol=0.0, max_steps=10)
    assert solution.operator_calls == 10 * 2 * 7


@pytest.mark.parametrize("method", METHODS)
def test_the_residual_is_recomputed_and_ends_the_run(method):
    inclusion = example("skew_10_0")
    solution = gp.solve_inclusion(inclusion, method, tol=0.05)
    assert solution.converged and solution.require() is solution and "at most the tolerance" in solution.message
    assert_allclose(solution.residual, np.linalg.norm(inclusion.operator.matrix @ solution.point), rtol=1e-14)
    assert solution.residual <= 0.05 < solution.trace.metrics["residual"][-2]
    short = gp.solve_inclusion(inclusion, method, tol=0.05, max_steps=3)
    assert short.status is gp.Status.STEP_LIMIT and short.n_steps == 3
    with pytest.raises(gp.NotConverged, match="the step limit came first"):
        short.require()


@pytest.mark.parametrize("method", METHODS)
def test_on_simplices_it_finds_the_equilibrium(method):
    game = gp.zoo["two_by_five"].game
    solution = gp.solve_inclusion(gp.inclusion(game), method, tol=3e-3, max_steps=20_000)
    assert solution.converged
    policies = np.split(solution.point, [2])
    for policy in policies:
        assert policy.min() >= 0.0
        assert_allclose(policy.sum(), 1.0, atol=1e-12)
    assert gp.duality_gap(game, tuple(policies)) <= 2.0 * solution.residual + 1e-12


def test_records_hold_points_when_asked():
    record = gp.Record(per_decade=4, points=True)
    solution = gp.solve_inclusion(example("rotation"), "halpern", tol=0.0, max_steps=100, record=record)
    assert len(solution.trace.policies) == len(solution.trace.step)
    assert_array_equal(solution.trace.policies[-1], solution.point)
    assert_array_equal(solution.trace.policies[0], [1.0, 0.0])


def test_a_callback_sees_and_stops_the_run():
    seen = []

    def look(snapshot):
        seen.append(snapshot.step)
        if snapshot.step >= 4:
            raise StopIteration

    solution = gp.solve_inclusion(example("rotation"), "halpern", tol=0.0, callback=look)
    assert solution.status is gp.Status.STOPPED and seen[-1] == solution.n_steps


def test_an_interrupt_leaves_what_was_reached():
    calls = Counted()

    def interrupted(z):
        if calls.asked == 60:
            calls.asked += 1
            raise KeyboardInterrupt
        return calls(z)

    inclusion = gp.inclusion(interrupted, start=[1.0, 0.0], lipschitz=1.0)
    with pytest.raises(gp.Interrupted) as caught:
        gp.solve_inclusion(inclusion, "extragradient", tol=0.0, max_steps=10_000)
    solution = caught.value.solution
    assert solution.status is gp.Status.INTERRUPTED and 0 < solution.n_steps < 60
    assert_allclose(solution.residual, np.linalg.norm(solution.point), rtol=1e-14)


def test_the_time_limit_ends_the_run():
    solution = gp.solve_inclusion(example("rotation"), "halpern", tol=0.0, time_limit=0.0)
    assert solution.status is gp.Status.TIME_LIMIT


def test_what_leaves_the_finite_numbers_says_so():
    away = gp.inclusion(lambda z: -(z**3), start=[10.0], lipschitz=1.0)
    solution = gp.solve_inclusion(away, "extragradient", tol=0.0, max_steps=1000)
    assert solution.status is gp.Status.NONFINITE and np.isfinite(solution.point).all()
    assert "smaller step_size" in solution.message


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"inclusion": np.eye(2)}, gp.InputError, "inclusion must be an Inclusion"),
        ({"method": "nash_md"}, gp.UnsupportedCombination, "nash_md does not solve inclusions; these do: .*halpern"),
        ({"method": "halpen"}, gp.InputError, "did you mean 'halpern'"),
        ({"method": gp.METHODS["extragradient"]()}, gp.UnsupportedCombination, "has the entropic geometry"),
        ({"tol": -1.0}, gp.InputError, "tol must be"),
        ({"max_steps": 0}, gp.InputError, "max_steps must be"),
        ({"record": 3}, gp.InputError, "record must be a Record"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(arguments, kind, message):
    settings = {"inclusion": example("rotation"), "method": "halpern", **arguments}
    with pytest.raises(kind, match=message):
        gp.solve_inclusion(**settings)


def test_theorems_about_policies_say_nothing_about_inclusions():
    solution = gp.solve_inclusion(example("rotation"), "extragradient", tol=0.0, max_steps=50)
    report = gp.verify_rate(solution, "extragradient-contraction")
    assert report.verdict == "inconclusive" and "the run was on an inclusion" in report.reason
    assert gp.verify_rate(solution).verdict == "holds"


def test_a_function_cannot_change_the_iterate():
    with pytest.raises(ValueError, match="read-only"):
        gp.solve_inclusion(gp.inclusion(lambda z: z.__imul__(2.0), start=[1.0, 1.0], lipschitz=2.0), "halpern")


def test_a_function_may_write_its_values_to_one_array():
    kept = np.empty(2)
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    settings = {"start": [1.0, 0.5], "lipschitz": 1.0}
    reused, fresh = (
        gp.solve_inclusion(gp.inclusion(function, **settings), "anchored_extragradient", max_steps=30)
        for function in (lambda z: np.matmul(turn, z, out=kept), lambda z: turn @ z)
    )
    assert_array_equal(reused.trace.metrics["residual"], fresh.trace.metrics["residual"])


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_residuals_neither_vanish_nor_overflow(scale):
    """The squares of such values are 0, or infinite."""
    one = gp.inclusion(lambda z: scale * np.array([z[1], -z[0]]), start=[1.0, 0.0], lipschitz=scale)
    solution = gp.solve_inclusion(one, "anchored_extragradient", tol=1e-3 * scale, max_steps=1)
    assert not solution.converged and solution.residual > 1e-3 * scale


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rng": "x"}, "rng must be a seed of at least 0 or a numpy Generator; got 'x'"),
        ({"rng": -1}, "rng must be a seed"),
        ({"callback": 3}, "callback must be a function of a Snapshot; got 3"),
        ({"record": gp.Record(per_decade=0)}, "record.per_decade must be"),
    ],
)
def test_hooks_that_are_none_are_refused_by_name(arguments, message):
    with pytest.raises(gp.InputError, match=message):
        gp.solve_inclusion(example("rotation"), "halpern", **arguments)


def test_solve_sends_inclusions_to_their_own_function():
    with pytest.raises(gp.InputError, match="gp.solve_inclusion"):
        gp.solve(gp.inclusion([[1.0]]))
