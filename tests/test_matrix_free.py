"""Every update rule plays games known by their products, and takes the steps that it takes on a table."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref import iterating, matrix_free, solving
from gametheory_pref.games import OperatorGame
from gametheory_pref.operators import Dense

STEPS = 60


def table() -> gp.PreferenceGame:
    """Seven responses, each beating the next three, by margins that differ: no gap comes to 0 exactly."""
    margins = np.zeros((7, 7))
    for i in range(7):
        for ahead in (1, 2, 3):
            margins[i, (i + ahead) % 7] += 0.3 + 0.07 * i
    return gp.from_margins(margins - margins.T)


def by_products(game: gp.PreferenceGame | gp.MatrixGame) -> OperatorGame:
    if isinstance(game, gp.MatrixGame):
        return OperatorGame(Dense(game.row_payoff, is_skew=False), game.row_names, game.column_names)
    return OperatorGame(Dense(game.payoff, is_skew=True), game.names, game.names)


@pytest.mark.parametrize("rule", gp.METHODS.primary(), ids=lambda rule: rule.info.name)
def test_a_rule_takes_the_same_steps_by_products(rule: type) -> None:
    game = table()
    temperature = 0.0 if "minimax" in rule.info.solves else 0.1
    settings = {"temperature": temperature, "tol": 0.0, "max_steps": STEPS, "rng": 0}
    expected = gp.solve(game, rule, jit=False, **settings)
    found = gp.solve(by_products(game), rule, **settings)
    assert found.n_steps == STEPS
    assert np.abs(expected.policy - 1 / 7).max() > 1e-3
    assert_allclose(found.policy, expected.policy, atol=1e-11)
    assert_allclose(found.gap, expected.gap, atol=1e-11)
    assert_allclose(found.trace.metrics["gap_average"], expected.trace.metrics["gap_average"], atol=1e-11)
    assert found.payoff_calls == expected.payoff_calls


@pytest.mark.parametrize("temperature", [0.0, 0.2])
def test_two_players(temperature: float) -> None:
    game = gp.matrix_game(np.random.default_rng(3).normal(size=(4, 6)))
    settings = {"temperature": temperature, "tol": 1e-7, "max_steps": 200_000}
    expected = gp.solve(game, temperature=temperature)
    found = gp.solve(by_products(game), "extragradient", **settings).require()
    assert_allclose(found.value, expected.value, atol=1e-4)
    assert [part.shape for part in found.policy] == [(4,), (6,)]
    assert_allclose(found.gap, gp.duality_gap(game, found.policy, temperature=temperature), atol=1e-15)


def test_the_row_player_is_the_one_who_is_paid() -> None:
    solution = gp.solve(by_products(gp.matrix_game([[1.0, 2.0], [3.0, 4.0]])), "extragradient", max_steps=2000)
    assert_allclose(solution.value, 3.0, atol=1e-5)


def test_a_run_goes_on_where_it_stopped() -> None:
    game = by_products(table())
    first = gp.solve(game, "restarted_halpern", tol=0.0, max_steps=25)
    whole = gp.solve(game, "restarted_halpern", tol=0.0, max_steps=60)
    rest = gp.solve(game, "restarted_halpern", tol=0.0, max_steps=35, start=first)
    assert rest.trace.step[-1] == 60
    assert_allclose(rest.policy, whole.policy, atol=0.0)


def test_policies_of_large_games_are_kept_on_demand_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iterating, "_MANY", 5)
    game = by_products(table())
    run = gp.solve(game, "extragradient", tol=0.0, max_steps=STEPS, callback=lambda snapshot: None).run
    assert run.log_last.shape == (1, 7) and len(run.steps) > 10
    kept = gp.solve(game, "extragradient", tol=0.0, max_steps=STEPS, record=gp.Record(points=True))
    assert kept.run.log_last.shape == (len(kept.run.steps), 7)
    assert_allclose(run.policy(), kept.policy, atol=0.0)
    assert len(kept.trace.policies) == len(kept.run.steps)


def test_theorems_are_judged_on_tables() -> None:
    solution = gp.solve(by_products(table()), "mirror_descent", temperature=0.2, tol=0.0, max_steps=STEPS)
    report = gp.verify_rate(solution)
    assert report.verdict == "inconclusive"
    assert "known by its products" in report.reason


def test_a_product_that_is_not_finite_ends_the_run() -> None:
    class Broken(Dense):
        def product(self, vector: np.ndarray) -> np.ndarray:
            return np.full_like(vector, np.nan)

    game = OperatorGame(Broken(table().payoff, is_skew=True), range(7), range(7))
    solution = gp.solve(game, gp.METHODS["extragradient"](step_size=0.1), max_steps=50)
    assert solution.status is gp.Status.NONFINITE
    assert not solution.converged


@pytest.mark.parametrize("method", ["anchored_extragradient", "restarted_halpern"])
def test_steps_that_are_far_too_long_do_not_pass_for_an_answer(method: str) -> None:
    """A policy without mass gets nothing, and neither does any reply to it: its gap would be 0."""
    payoff = np.array([[0.0, -0.4, 0.3], [0.4, 0.0, -0.4], [-0.3, 0.4, 0.0]])
    rule = gp.METHODS[method](step_size=1e20)
    solution = gp.solve(gp.operator_game(payoff), rule, max_steps=50)
    assert_allclose(solution.policy.sum(), 1.0, rtol=1e-12)
    assert solution.status.is_answer == (solution.gap <= 1e-6)


class _Clock:
    """Time that passes in products only, a second for each."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def cycle(self, vector: np.ndarray) -> np.ndarray:
        self.now += 1.0
        return np.roll(vector, 1) - np.roll(vector, -1)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> tuple[_Clock, OperatorGame]:
    clock = _Clock()
    game = gp.operator_game(clock.cycle, shape=3, bound=1.0)
    for module in (iterating, matrix_free, solving):
        monkeypatch.setattr(module, "time", clock)
    return clock, game


def test_a_time_limit_holds_for_products_that_take_long(slow: tuple[_Clock, OperatorGame]) -> None:
    """A vector of three entries says nothing about how long the user's own code takes."""
    clock, game = slow
    began = clock.now
    solution = gp.solve(game, "extragradient", start=[0.5, 0.3, 0.2], tol=0.0, time_limit=100.0, max_steps=10_000)
    assert solution.status is gp.Status.TIME_LIMIT
    assert clock.now - began < 120.0
    # Two products a step, and one or two to measure the gap at a record point.
    assert 20 <= solution.n_steps <= 50


def test_nothing_depends_on_the_clock_but_the_time_limit(slow: tuple[_Clock, OperatorGame]) -> None:
    _, game = slow
    settings = {"start": [0.5, 0.3, 0.2], "tol": 1e-3, "max_steps": 1000}
    quick = gp.operator_game(lambda v: np.roll(v, 1) - np.roll(v, -1), shape=3, bound=1.0)
    one, other = (gp.solve(who, "extragradient", **settings) for who in (game, quick))
    assert one.n_steps == other.n_steps and one.status is other.status is gp.Status.CONVERGED
    assert_allclose(one.policy, other.policy, rtol=1e-15)


def test_a_callback_sees_every_record_point_once(slow: tuple[_Clock, OperatorGame]) -> None:
    _, game = slow
    seen: list[int] = []
    solution = gp.solve(
        game, "extragradient", start=[0.5, 0.3, 0.2], tol=0.0, max_steps=60,
        callback=lambda snapshot: seen.append(snapshot.step),
    )  # fmt: skip
    assert seen == solution.trace.step.tolist()


def test_the_gap_that_a_run_claims_is_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix_free, "gap_of", lambda problem, x: 0.0)
    game = gp.operator_game(np.array([[0.0, 0.4], [-0.4, 0.0]]))
    solution = gp.solve(game, "extragradient", tol=1e-6)
    assert solution.status is gp.Status.INACCURATE and not solution.converged
    assert_allclose(solution.gap, 0.4, rtol=1e-12)
