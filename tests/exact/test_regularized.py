"""KL-regularised equilibria: closed forms, identities, limits, all routes, two players, paths, real data."""

from __future__ import annotations

import csv
import json
import time

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gametheory_pref.errors import InputError
from gametheory_pref.exact import regularized as module
from gametheory_pref.exact import regularized_large as large
from gametheory_pref.exact.regularized import path, regularized, regularized_zero_sum
from gametheory_pref.status import Status

ROCK_PAPER_SCISSORS = np.array([[0.0, -0.5, 0.5], [0.5, 0.0, -0.5], [-0.5, 0.5, 0.0]])
COMAL = np.array([[0.0, -0.4, 0.3], [0.4, 0.0, -0.4], [-0.3, 0.4, 0.0]])
ROUTES = ["compiled", "anderson", "lapack"]


def skew(n, seed, kind="uniform"):
    rng = np.random.default_rng(seed)
    draw = rng.uniform(-0.5, 0.5, (n, n)) if kind == "uniform" else rng.integers(-2, 3, (n, n)) / 4.0
    upper = np.triu(draw, 1)
    return upper - upper.T


def log_uniform(n):
    return np.full(n, -np.log(n))


def best_reply(payoff, temperature, log_reference, policy):
    logits = log_reference + payoff @ policy / temperature
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def kl(p, q):
    mass = p > 0
    return float(np.sum(p[mass] * np.log(p[mass] / q[mass])))


@pytest.fixture(params=ROUTES)
def route(request, monkeypatch):
    """Send every game, whatever its size, down one route."""
    if request.param != "compiled":
        monkeypatch.setattr(module, "COMPILED_LIMIT", 0)
    if request.param == "lapack":
        monkeypatch.setattr(large, "_is_promising", lambda *_: False)
    return request.param


@pytest.mark.parametrize("temperature", [3.0, 0.3, 0.03])
def test_two_responses_solve_the_sigmoid_equation(route, temperature):
    reference = np.array([0.3, 0.7])
    found = regularized(np.array([[0.0, 0.2], [-0.2, 0.0]]), temperature, np.log(reference))
    odds = 3.0 / 7.0 * np.exp(0.2 / temperature)
    assert_allclose(found.policy, [odds / (1.0 + odds), 1.0 / (1.0 + odds)], rtol=1e-13)


@pytest.mark.parametrize("temperature", [10.0, 0.1, 1e-3, 1e-6])
def test_rock_paper_scissors_stays_uniform(route, temperature):
    found = regularized(ROCK_PAPER_SCISSORS, temperature, log_uniform(3))
    assert_allclose(found.policy, np.full(3, 1.0 / 3.0), atol=1e-15)
    assert found.status is Status.CONVERGED


def test_the_limits_of_the_temperature(route):
    reference = np.random.default_rng(0).dirichlet(np.ones(3))
    hot = regularized(COMAL, 1e9, np.log(reference))
    assert_allclose(hot.policy, reference, rtol=1e-8)
    # The winner is 4/11, 3/11, 4/11; the distance is of order b.
    cold = regularized(COMAL, 1e-6, np.log(reference))
    assert_allclose(cold.policy, np.array([4.0, 3.0, 4.0]) / 11.0, atol=1e-5)
    assert np.abs(cold.policy - np.array([4.0, 3.0, 4.0]) / 11.0).max() > 1e-8


def test_the_cold_limit_is_the_winner_of_maximum_entropy(route):
    """Rock-paper-scissors with a twin of scissors: any split of a third wins, the even one is the limit."""
    payoff = np.array([[0, -1, 1, 1], [1, 0, -1, -1], [-1, 1, 0, 0], [-1, 1, 0, 0]]) / 2.0
    found = regularized(payoff, 1e-5, log_uniform(4))
    assert_allclose(found.policy, [1 / 3, 1 / 3, 1 / 6, 1 / 6], atol=1e-4)
    found = regularized(payoff, 1e-5, np.log([0.25, 0.25, 0.4, 0.1]))
    assert_allclose(found.policy[2] / found.policy[3], 4.0, rtol=1e-9)


@pytest.mark.parametrize("temperature", [10.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
@pytest.mark.parametrize("kind", ["uniform", "votes"])
def test_fixed_point_at_every_temperature(route, temperature, kind):
    n = 25
    payoff = skew(n, 11, kind)
    log_reference = np.log(np.random.default_rng(5).dirichlet(np.ones(n)))
    found = regularized(payoff, temperature, log_reference)
    assert found.status is Status.CONVERGED
    assert 0.0 <= found.gap < 1e-20
    assert found.residual < 1e-13 + 1e-15 / temperature  # rounding of A p / b
    assert_allclose(found.policy.sum(), 1.0, rtol=1e-14)
    logits = log_reference + payoff @ found.policy / temperature
    log_reply = logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())
    assert np.abs(found.log_policy - log_reply).max() < 1e-13 + 2e-15 / temperature


def test_the_three_routes_agree_and_say_which_they_are(monkeypatch):
    payoff = skew(40, 3)
    compiled = regularized(payoff, 0.3, log_uniform(40))
    monkeypatch.setattr(module, "COMPILED_LIMIT", 0)
    accelerated = regularized(payoff, 0.3, log_uniform(40))
    monkeypatch.setattr(large, "_is_promising", lambda *_: False)
    dense = regularized(payoff, 0.3, log_uniform(40))
    assert [found.route for found in (compiled, accelerated, dense)] == ["newton", "anderson", "newton"]
    assert_allclose(accelerated.policy, compiled.policy, atol=1e-13)
    assert_allclose(dense.policy, compiled.policy, atol=1e-13)


def test_the_acceleration_is_abandoned_where_it_fails(monkeypatch):
    """At a low temperature Anderson's method diverges; the answer must come from Newton's."""
    monkeypatch.setattr(module, "COMPILED_LIMIT", 0)
    payoff = skew(64, 0)
    found = regularized(payoff, 0.005, log_uniform(64))
    assert found.route == "newton"
    assert found.gap < 1e-20
    assert found.payoff_calls < 200


def test_the_gap_is_sandwiched_by_the_divergence():
    """2 b KL(pi||pi*) <= Gap_b(pi) <= (2 b + 2 a^2/b) KL(pi||pi*), for any pi."""
    rng = np.random.default_rng(8)
    for temperature in (0.02, 0.1, 0.5, 2.0):
        payoff = skew(6, int(1000 * temperature))
        a = np.abs(payoff).max()
        star = regularized(payoff, temperature, log_uniform(6)).policy
        for pi in rng.dirichlet(np.ones(6), 20):
            gap = 2.0 * temperature * kl(pi, best_reply(payoff, temperature, log_uniform(6), pi))
            distance = kl(pi, star)
            assert 2.0 * temperature * distance <= gap * (1.0 + 1e-9)
            assert gap <= (2.0 * temperature + 2.0 * a * a / temperature) * distance * (1.0 + 1e-9)


def test_the_gap_is_of_the_returned_point():
    payoff = skew(12, 2)
    found = regularized(payoff, 1e-3, log_uniform(12), max_steps=2)
    assert found.status is Status.STEP_LIMIT
    reply = best_reply(payoff, 1e-3, log_uniform(12), found.policy)
    assert found.gap > 1e-6
    assert_allclose(found.gap, 2e-3 * kl(found.policy, reply), rtol=1e-9)


@pytest.mark.parametrize("temperature", [0.1, 1e-4])
def test_a_response_without_reference_mass_leaves_the_game(route, temperature):
    payoff = skew(7, 4)
    reference = np.array([0.2, 0.0, 0.3, 0.1, 0.0, 0.15, 0.25])
    members = np.flatnonzero(reference)
    with np.errstate(divide="ignore"):
        log_reference = np.log(reference)
    found = regularized(payoff, temperature, log_reference)
    inner = regularized(payoff[np.ix_(members, members)], temperature, log_reference[members])
    assert (found.policy[[1, 4]] == 0.0).all()
    assert (found.log_policy[[1, 4]] == -np.inf).all()
    assert_allclose(found.policy[members], inner.policy, rtol=1e-14)


def test_one_response(route):
    found = regularized(np.zeros((1, 1)), 0.1, np.zeros(1))
    assert found.policy.tolist() == [1.0]
    assert found.gap == 0.0


@pytest.mark.parametrize("temperature", [0.1, 1e-3])
def test_permuting_the_responses_permutes_the_answer(route, temperature):
    payoff = skew(15, 6)
    log_reference = np.log(np.random.default_rng(1).dirichlet(np.ones(15)))
    order = np.random.default_rng(2).permutation(15)
    found = regularized(payoff, temperature, log_reference)
    permuted = regularized(payoff[np.ix_(order, order)], temperature, log_reference[order])
    assert_allclose(permuted.policy, found.policy[order], atol=1e-12)


def test_the_game_with_the_opposite_sign_has_another_answer(route):
    found = regularized(COMAL, 0.1, log_uniform(3))
    opposite = regularized(-COMAL, 0.1, np.log([0.5, 0.3, 0.2]))
    assert np.abs(opposite.policy - regularized(COMAL, 0.1, np.log([0.5, 0.3, 0.2])).policy).max() > 0.02
    assert_allclose(found.policy, best_reply(COMAL, 0.1, log_uniform(3), found.policy), atol=1e-15)
    assert np.abs(found.policy - best_reply(-COMAL, 0.1, log_uniform(3), found.policy)).max() > 1e-2


def test_payoff_and_temperature_scale_together(route):
    payoff = skew(9, 7)
    found = regularized(payoff, 0.02, log_uniform(9))
    scaled = regularized(1e3 * payoff, 20.0, log_uniform(9))
    assert_allclose(scaled.policy, found.policy, atol=1e-13)


@pytest.mark.parametrize("temperature", [1.0, 0.1, 1e-2, 1e-4])
@pytest.mark.parametrize("shape", [(1, 3), (2, 2), (5, 9), (12, 4)])
def test_two_players(temperature, shape):
    rng = np.random.default_rng(shape)
    m, n = shape
    payoff = rng.normal(size=shape)
    row_reference, column_reference = rng.dirichlet(np.ones(m)), rng.dirichlet(np.ones(n))
    found = regularized_zero_sum(payoff, temperature, np.log(row_reference), np.log(column_reference))
    x, y = found.policy[:m], found.policy[m:]
    assert found.status is Status.CONVERGED
    assert found.gap < 1e-20
    assert_allclose([x.sum(), y.sum()], 1.0, rtol=1e-14)
    row_reply = best_reply(payoff, temperature, np.log(row_reference), y)
    column_reply = best_reply(-payoff.T, temperature, np.log(column_reference), x)
    assert_allclose(x, row_reply, atol=1e-14 + 2e-15 / temperature)
    assert_allclose(y, column_reply, atol=1e-14 + 2e-15 / temperature)


def test_the_gap_of_two_players_is_what_both_can_gain():
    payoff = np.random.default_rng(1).normal(size=(3, 4))
    found = regularized_zero_sum(payoff, 1e-3, log_uniform(3), log_uniform(4), max_steps=1)
    x, y = found.policy[:3], found.policy[3:]
    gains = kl(x, best_reply(payoff, 1e-3, log_uniform(3), y)) + kl(
        y, best_reply(-payoff.T, 1e-3, log_uniform(4), x)
    )
    assert found.status is Status.STEP_LIMIT
    assert_allclose(found.gap, 1e-3 * gains, rtol=1e-9)


def test_a_skew_game_of_two_players_is_the_symmetric_one(route):
    payoff = skew(10, 9)
    alone = regularized(payoff, 0.05, log_uniform(10))
    both = regularized_zero_sum(payoff, 0.05, log_uniform(10), log_uniform(10))
    assert_allclose(both.policy[:10], alone.policy, atol=1e-13)
    assert_allclose(both.policy[10:], alone.policy, atol=1e-13)


def test_two_players_with_responses_without_mass():
    payoff = np.random.default_rng(3).normal(size=(4, 3))
    with np.errstate(divide="ignore"):
        row, column = np.log([0.5, 0.0, 0.25, 0.25]), np.log([0.0, 0.5, 0.5])
    found = regularized_zero_sum(payoff, 0.2, row, column)
    inner = regularized_zero_sum(payoff[np.ix_([0, 2, 3], [1, 2])], 0.2, row[[0, 2, 3]], column[1:])
    assert found.policy[1] == 0.0 and found.policy[4] == 0.0
    assert_allclose(found.policy[[0, 2, 3, 5, 6]], inner.policy, atol=1e-14)


def test_a_start_saves_steps_and_a_misleading_one_does_no_harm(route):
    payoff = skew(30, 5)
    cold = regularized(payoff, 1e-3, log_uniform(30))
    near = regularized(payoff, 1.1e-3, log_uniform(30))
    warm = regularized(payoff, 1e-3, log_uniform(30), start=near.policy)
    assert_allclose(warm.policy, cold.policy, atol=1e-12)
    assert warm.payoff_calls < cold.payoff_calls
    pure = np.zeros(30)
    pure[4] = 1.0
    misled = regularized(payoff, 1e-3, log_uniform(30), start=pure)
    assert_allclose(misled.policy, cold.policy, atol=1e-12)
    lied_to = regularized(payoff, 1e-3, log_uniform(30), start=pure, start_temperature=1.0)
    assert_allclose(lied_to.policy, cold.policy, atol=1e-12)


def test_a_path_is_its_points_in_the_order_given(route):
    payoff = skew(20, 12)
    temperatures = [1e-2, 3.0, 1e-5, 0.2, 1e-3, 0.2]
    points = path(payoff, temperatures, log_uniform(20))
    for point, temperature in zip(points, temperatures, strict=True):
        alone = regularized(payoff, temperature, log_uniform(20))
        assert point.status is Status.CONVERGED
        assert point.residual < 1e-13 + 1e-15 / temperature
        assert_allclose(point.policy, alone.policy, atol=1e-12 + 1e-15 / temperature)


def test_the_limits_are_kept(route):
    payoff = skew(40, 1)
    few = regularized(payoff, 1e-5, log_uniform(40), max_steps=4)
    assert few.n_steps <= 4
    assert few.status is Status.STEP_LIMIT
    assert 1e-6 < few.gap < 1.0


def test_an_interrupted_run_returns_the_best_point_it_has(route):
    payoff = skew(40, 1)
    start = regularized(payoff, 0.5, log_uniform(40), max_steps=1)
    later = regularized(payoff, 0.5, log_uniform(40), max_steps=2)
    begin = 2.0 * 0.5 * kl(np.full(40, 0.025), best_reply(payoff, 0.5, log_uniform(40), np.full(40, 0.025)))
    assert later.gap < start.gap < begin / 10.0


def test_the_deadline_is_kept(monkeypatch):
    monkeypatch.setattr(module, "COMPILED_LIMIT", 0)
    late = regularized(skew(40, 1), 1e-5, log_uniform(40), deadline=time.perf_counter() - 1.0)
    assert late.status is Status.TIME_LIMIT
    assert late.n_steps <= 1
    assert np.isfinite(late.gap)


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf])
def test_a_temperature_that_is_none_is_refused(temperature):
    with pytest.raises(InputError, match="temperature must be positive"):
        regularized(COMAL, temperature, log_uniform(3))


def test_a_payoff_that_is_not_finite_is_a_status(route):
    payoff = skew(5, 0)
    payoff[0, 3] = np.nan
    assert regularized(payoff, 0.1, log_uniform(5)).status is Status.NONFINITE


@pytest.mark.parametrize("temperature", [0.1, 0.01, 1e-3])
def test_a_large_game(temperature):
    found = regularized(skew(300, 2), temperature, log_uniform(300))
    assert found.status is Status.CONVERGED
    assert found.gap < 1e-20
    assert found.residual < 1e-13 + 1e-14 / temperature


def read_matrix(file):
    with open(file, newline="", encoding="utf-8") as text:
        rows = list(csv.reader(text))
    return rows[0][1:], np.array([[float(cell) for cell in row[1:]] for row in rows[1:]])


def read_pairs(file):
    """Win rates, ties half a win, 1/2 for a pair without data."""
    with open(file, newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    names = list(dict.fromkeys(name for row in rows for name in (row["item_a"], row["item_b"])))
    points = np.zeros((len(names), len(names)))
    for row in rows:
        i, j = names.index(row["item_a"]), names.index(row["item_b"])
        points[i, j] += float(row["wins_a"]) + float(row["ties"]) / 2.0
        points[j, i] += float(row["wins_b"]) + float(row["ties"]) / 2.0
    played = points + points.T
    return names, np.where(played > 0.0, points / np.where(played > 0.0, played, 1.0), 0.5)


@pytest.mark.parametrize("solver", ["alone", "path"])
def test_published_equilibria_of_real_games(shared_data, solver):
    """Independent answers by another Newton iteration and by an extragradient method."""
    solutions = json.loads((shared_data / "solutions.json").read_text(encoding="utf-8"))
    checked = 0
    for file in sorted((shared_data / "pairwise").glob("*.csv")):
        published = solutions.get(file.stem, {}).get("kl_regularised_uniform_ref")
        if published is None:
            continue
        with open(file, encoding="utf-8") as text:
            names, matrix = (read_pairs if text.readline().startswith("item_a") else read_matrix)(file)
        payoff = (matrix - matrix.T) / 2.0
        temperatures = [float(key) for key in published]
        if solver == "path":
            found = path(payoff, temperatures, log_uniform(len(names)))
        else:
            found = [
                regularized(payoff, temperature, log_uniform(len(names))) for temperature in temperatures
            ]
        for point, answer in zip(found, published.values(), strict=True):
            assert_allclose(
                point.policy, [answer["p"][name] for name in names], rtol=0, atol=1e-12, err_msg=file.stem
            )
            checked += 1
    assert checked >= 20
