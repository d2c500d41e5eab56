"""Variance-reduced Halpern: its schedule, its calls against n, its bounds, and where it must not be used."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref._jit import interpreted
from gametheory_pref.facts import Facts
from gametheory_pref.methods import settle
from gametheory_pref.methods.vr_halpern import expected_calls, refresh_at
from gametheory_pref.problem import as_problem
from gametheory_pref.tabular import tabular
from gametheory_pref.verification import Bench

from .finite_sums import OFF_CENTER, ROCK_PAPER_SCISSORS, half_rotations
from .stepping import guarantee, set_up

Halpern = gp.METHODS["vr_halpern"]


# -- one loop, for cocoercive terms


def test_the_schedule_and_its_expected_calls():
    assert [refresh_at(t, 16) for t in (0, 1, 2, 5, 6, 100)] == [1.0, 1.0, 4 / 6, 4 / 9, 4 / 9, 4 / 9]
    np.testing.assert_allclose(refresh_at(3, 10_000), 4 / 7)
    np.testing.assert_allclose(expected_calls(256, 500), 38233.7, atol=0.05)
    np.testing.assert_allclose(expected_calls(1024, 500), 89649.3, atol=0.05)


def single(inclusion: gp.Inclusion, step_size: float, **settings):
    return gp.solve_inclusion(inclusion, Halpern.single_loop(step_size), **{"rng": 0, **settings})


def test_calls_follow_the_schedule():
    inclusion = half_rotations(256)
    runs = [single(inclusion, 0.25, tol=0.0, max_steps=500, rng=seed) for seed in range(20)]
    calls = np.array([run.operator_calls for run in runs], dtype=float)
    assert [run.run.state.calls for run in runs] == calls.tolist()
    assert abs(calls.mean() - 38233.7) <= 4.0 * calls.std() / np.sqrt(20)


def test_one_loop_by_hand():
    inclusion = half_rotations(9)
    rule = Halpern.single_loop(0.5)
    solution = gp.solve_inclusion(inclusion, rule, tol=0.0, max_steps=40, rng=3)
    rng, u_0 = np.random.default_rng(3), inclusion.start
    u, before, g = u_0, u_0, np.zeros_like(u_0)
    terms = inclusion.operator.matrices
    for k in range(40):
        if rng.random() < refresh_at(k, 9):
            g = terms.mean(axis=0) @ u
        else:
            picked: list[int] = []
            for last in (6, 7, 8):
                j = int(rng.random() * (last + 1))
                picked.append(last if j in picked else j)
            g = g + terms[picked].mean(axis=0) @ (u - before)
        weight = 2.0 / (k + 4.0)
        u, before = weight * u_0 + (1.0 - weight) * u - 0.5 * g, u
    np.testing.assert_allclose(solution.point, u, atol=1e-12)


def test_the_bound_of_one_loop_holds_and_is_not_idle():
    inclusion = half_rotations(256)
    runs = [
        gp.solve_inclusion(inclusion, Halpern.single_loop(), tol=0.0, max_steps=400, rng=seed) for seed in range(20)
    ]
    report = gp.verify_rate(runs, "vr-halpern-single-loop")
    assert report.verdict == "holds" and report.n_runs == 20
    root = np.sqrt(np.mean([run.run.residual**2 for run in runs], axis=0))
    bound = guarantee(Halpern(), "vr-halpern-single-loop").bound(runs[0].run.rule, runs[0].run.facts, runs[0].run.steps)
    np.testing.assert_allclose(bound[0], 4.0 * runs[0].inclusion.distance)
    # The worst ratio is .43 on the instance that it was first measured on.
    assert 0.3 < (root / bound)[1:].max() < 0.5


def test_the_bound_of_one_loop_is_tried_by_verify():
    row = Bench(Halpern()).row(guarantee(Halpern(), "vr-halpern-single-loop"), "theorem")
    assert (row.verdict, row.n_judged, row.n_inconclusive) == ("holds", 2, 0)
    assert 0.3 < row.tightness < 0.5


def test_a_bound_on_a_mean_takes_many_seeds():
    one = gp.solve_inclusion(half_rotations(16), Halpern.single_loop(), tol=0.0, max_steps=200, rng=0)
    assert gp.verify_rate(one, "vr-halpern-single-loop").verdict == "inconclusive"


def calls_to_target(n_terms: int) -> tuple[float, float, float]:
    """Terms until |F| <= .002 D: whole products with eta = 1, and one loop with eta = 1/4 and 1."""
    inclusion = half_rotations(n_terms)
    limits = {"tol": 0.002 * inclusion.distance, "record": gp.Record(per_decade=400)}
    whole = gp.solve_inclusion(inclusion, gp.METHODS["halpern"].one_step(1.0), **limits)
    drawn = [single(inclusion, eta, **limits) for eta in (0.25, 1.0)]
    assert all(solution.converged for solution in (whole, *drawn))
    return (whole.n_steps * n_terms, *(solution.operator_calls for solution in drawn))


REFERENCE_CALLS = {
    16: (14_176, 41_069, 10_173),
    64: (56_960, 110_176, 27_232),
    256: (227_072, 269_301, 67_627),
    1024: (905_216, 609_088, 157_632),
    4096: (3_624_960, 1_307_008, 357_845),
}


def check_calls(sizes: list[int]) -> None:
    found = np.array([calls_to_target(n) for n in sizes], dtype=float)
    reference = np.array([REFERENCE_CALLS[n] for n in sizes], dtype=float)
    # The instance behind the reference is described, not given, and this one takes an eighth more steps. What is drawn
    # against what is not hardly depends on it.
    np.testing.assert_allclose(found[:, 1:] / found[:, :1], reference[:, 1:] / reference[:, :1], rtol=0.08)
    np.testing.assert_allclose(found[:, 0], reference[:, 0], rtol=0.15)
    slopes = [np.polyfit(np.log(sizes), np.log(column), 1)[0] for column in found.T]
    assert slopes[0] >= 0.95
    assert all(0.4 <= slope <= 0.7 for slope in slopes[1:])


def test_calls_against_the_number_of_terms():
    check_calls([16, 64, 256])


@pytest.mark.slow
def test_calls_grow_like_the_root_of_the_number_of_terms():
    sizes = [16, 64, 256, 1024, 4096]
    check_calls(sizes)
    calls = [calls_to_target(n)[1] for n in (64, 1024, 4096)]
    assert 0.4 <= np.log(calls[2] / calls[0]) / np.log(64) <= 0.65


def test_games_and_other_skew_operators_are_refused_with_the_measured_modulus():
    with pytest.raises(gp.UnsupportedCombination, match=r"modulus here is 0 .* two loops"):
        gp.solve(gp.zoo["comal"].game, Halpern.single_loop())
    skew = np.array([[[0.0, 1.0], [-1.0, 0.0]], [[0.0, 3.0], [-3.0, 0.0]]])
    with pytest.raises(gp.UnsupportedCombination, match="modulus here is 0"):
        gp.solve_inclusion(gp.inclusion(skew, start=[1.0, 0.0]), Halpern.single_loop(0.1))
    # With mu * z added it is cocoercive, by mu / (mu^2 + mean of squares).
    damped = gp.inclusion(skew + np.eye(2), start=[1.0, 0.0])
    np.testing.assert_allclose(damped.mean_cocoercivity, 1.0 / (1.0 + 5.0), rtol=1e-12)
    assert gp.solve_inclusion(damped, Halpern.single_loop(), tol=1e-3, rng=0).converged


def test_functions_are_measured_on_pairs_of_points():
    def rotation(z):
        return np.array([z[1], -z[0]])

    functions = [lambda z, c=c: c * np.tanh(z) for c in (0.5, 1.0, 1.5)]
    start = np.array([1.0, -2.0])
    with pytest.raises(gp.UnsupportedCombination, match="modulus here is 0"):
        gp.solve_inclusion(gp.inclusion([rotation, rotation], start=start), Halpern.single_loop(0.1))
    with pytest.raises(gp.InputError, match="pass mean_cocoercivity"):
        gp.solve_inclusion(gp.inclusion(functions, start=start), Halpern.single_loop())
    with pytest.warns(UserWarning, match="step_size is 5, and pairs of points"):
        gp.solve_inclusion(gp.inclusion(functions, start=start), Halpern.single_loop(5.0), max_steps=3, rng=0)
    # <F(u) - F(v), u - v> >= mean c / mean c^2 times the mean of squares, as tanh has slopes of at most 1.
    known = gp.inclusion(functions, start=start, mean_cocoercivity=6.0 / 7.0)
    assert gp.solve_inclusion(known, Halpern.single_loop(), tol=1e-2, rng=0).converged


def anchored(payoff, u: np.ndarray, eta: float, steps: int, blocks=()) -> list[float]:
    """Residuals ``|u - P(u + A u)|`` of the last steps of one loop with whole products, cocoercive or not."""
    u_0, found = u, []
    for k in range(steps):
        weight = 2.0 / (k + 4.0)
        u = projected(weight * u_0 + (1.0 - weight) * u + eta * (payoff @ u), blocks)
        if k >= steps - 300:
            found.append(float(np.linalg.norm(u - projected(u + payoff @ u, blocks))))
    return found


def projected(point: np.ndarray, blocks) -> np.ndarray:
    point = point.copy()
    for first, last in itertools.pairwise(blocks):
        part = np.sort(point[first:last])[::-1]
        levels = (np.cumsum(part) - 1.0) / np.arange(1, last - first + 1)
        point[first:last] = np.maximum(point[first:last] - levels[np.flatnonzero(part > levels)[-1]], 0.0)
    return point


def stacked(block: np.ndarray) -> np.ndarray:
    rows, columns = block.shape
    return np.block([[np.zeros((rows, rows)), block], [-block.T, np.zeros((columns, columns))]])


def test_without_cocoercivity_one_loop_diverges():
    rng = np.random.default_rng(0)
    upper = np.triu(rng.standard_normal((10, 10)), 1)
    payoff = upper - upper.T
    size = [anchored(payoff, np.ones(10), 0.25 / np.linalg.norm(payoff, 2), steps)[-1] for steps in (500, 5000)]
    assert size[0] > 1e3 and 1e40 < size[1] < 1e80


@pytest.mark.slow
@pytest.mark.parametrize("eta", [0.05, 0.25, 1.0 / math.sqrt(3.0)])
def test_without_cocoercivity_one_loop_stalls_on_simplices(eta):
    found = anchored(stacked(ROCK_PAPER_SCISSORS.row_payoff), np.concatenate(OFF_CENTER), eta, 20_000, (0, 3, 6))
    assert min(found) >= 0.7 and max(found) <= 1.4


@pytest.mark.slow
def test_without_cocoercivity_one_loop_stalls_on_drawn_games():
    upper = np.triu(np.random.default_rng(2).standard_normal((10, 10)), 1)
    payoff = upper - upper.T
    found = anchored(payoff, np.full(10, 0.1), 0.25 / np.linalg.norm(payoff, 2), 20_000, (0, 10))
    assert min(found) >= 0.1


# -- two loops


def exact_resolvent(payoff: np.ndarray, u: np.ndarray, eta: float, blocks) -> np.ndarray:
    v, step = u.copy(), 0.5 / (eta * np.linalg.norm(payoff, 2) + 1.0)
    for _ in range(500):
        half = projected(v - step * (v - u - eta * (payoff @ v)), blocks)
        v = projected(v - step * (half - u - eta * (payoff @ half)), blocks)
    return v


def worst_residual(rule, steps: int, seed: int) -> float:
    """The largest k |u_k - J u_k| / D on rock, paper, scissors."""
    problem = tabular(as_problem(ROCK_PAPER_SCISSORS), OFF_CENTER, gp.Exact()).problem
    rule = settle(rule, Facts(problem, steps).step_facts)
    state, rng, worst = rule.init(problem), np.random.default_rng(seed), 0.0
    distance = np.linalg.norm(problem.start.prob - 1.0 / 3.0)
    for k in range(1, steps + 1):
        with interpreted():
            state = rule.step(problem, state, rng)
        u = state.u.prob
        residual = np.linalg.norm(u - exact_resolvent(problem.payoff, u, rule.step_size.scale, problem.blocks))
        worst = max(worst, k * residual / distance)
    return worst


def test_two_loops_by_hand():
    """Inner steps on ``H(v) = v - u - eta A v``, with a column drawn at each and a snapshot that moves."""
    game, start = gp.zoo["comal"].game, np.array([0.5, 0.3, 0.2])
    rule, problem, _ = set_up(Halpern(inner_constant=2.0, early_stop=False), game, start=start)
    payoff, luck, same_luck = game.payoff, np.random.default_rng(4), np.random.default_rng(4)
    norm, p = np.linalg.norm(payoff), 1.0 / 3.0
    eta = math.sqrt(3.0) / norm
    np.testing.assert_allclose(rule.step_size.scale, eta, rtol=1e-12)
    reach = eta * norm
    gamma = rule.inner_step * math.sqrt(p * (1.0 - p)) / (reach + 1.0)
    weights = (payoff**2).sum(axis=0) / norm**2
    u, state, calls, corrections = start, rule.init(problem), 0, []
    for k in range(4):
        with interpreted():
            state = rule.step(problem, state, luck)
        v = w = before = u
        calls += 3
        for _ in range(math.ceil(2.0 * (3.0 + math.sqrt(3.0) * (reach + 1.0)) * math.log(1.252 * (k + 2)))):
            j = int(np.searchsorted(np.cumsum(weights), same_luck.random(), side="right"))
            sample = payoff[:, j] * (v - before)[j] / weights[j]
            corrections.append(np.abs(sample).max())
            pull = (w - u - eta * payoff @ w) + (v - before - eta * sample)
            v, before = projected((1.0 - p) * v + p * w - gamma * pull, (0, 3)), w
            calls += 2
            if same_luck.random() < p:
                w, calls = v, calls + 3
        u = start / (k + 2.0) + (k + 1.0) / (k + 2.0) * v
        np.testing.assert_allclose(state.x.prob, v, atol=1e-12)
        np.testing.assert_allclose(state.u.prob, u, atol=1e-12)
        assert state.calls == calls
    # What is drawn matters: it is far above the tolerance.
    assert max(corrections) > 1e-2


def test_residuals_of_the_resolvent():
    """With accurate inner loops it is k / (k + 1); 1 is too small a constant, 5 is as good as 42."""
    np.testing.assert_allclose(worst_residual(Halpern(inner_constant=5.0), 40, 0), 40 / 41, rtol=2e-3)
    np.testing.assert_allclose(worst_residual(Halpern(inner_constant=42.0), 40, 0), 40 / 41, rtol=2e-3)
    assert 1.0 < worst_residual(Halpern(inner_constant=1.0), 40, 0) < 2.0


@pytest.mark.slow
def test_residuals_of_the_resolvent_over_many_steps():
    for constant in (5.0, 42.0):
        np.testing.assert_allclose(worst_residual(Halpern(inner_constant=constant), 300, 1), 0.997, atol=1e-3)
    assert 1.0 < np.mean([worst_residual(Halpern(inner_constant=1.0), 100, seed) for seed in range(3)]) < 1.7


def test_stopping_early_saves_calls_and_costs_no_accuracy():
    runs = {
        early: gp.solve(
            gp.zoo["comal"].game, Halpern(inner_constant=42.0, early_stop=early), start=[0.5, 0.3, 0.2], tol=0.0,
            max_steps=100, rng=0,
        )
        for early in (True, False)
    }
    assert runs[True].payoff_calls < 0.3 * runs[False].payoff_calls
    np.testing.assert_allclose(runs[True].policy, runs[False].policy, atol=1e-4)


def floor_of(moves: bool, seed: int, constant: float = 1.0, steps: int = 300) -> tuple[float, float]:
    """Gaps of J u_k and u_k of two loops, drawn evenly; the snapshot moves, or is set back to the center."""
    payoff, blocks, draws = stacked(ROCK_PAPER_SCISSORS.row_payoff), (0, 3, 6), 3
    norm = np.linalg.norm(ROCK_PAPER_SCISSORS.row_payoff)
    eta, p, rng = math.sqrt(draws) / norm, 1.0 / draws, np.random.default_rng(seed)
    reach = eta * norm
    gamma = 0.99 * math.sqrt(p * (1.0 - p)) / (reach + 1.0)
    u_0 = np.concatenate(OFF_CENTER)
    u = u_0
    for k in range(steps):
        v = w = before = u
        at_w = payoff @ w
        for _ in range(math.ceil(constant * (draws + math.sqrt(draws) * (reach + 1.0)) * math.log(1.252 * (k + 2)))):
            columns = [rng.integers(3), 3 + rng.integers(3)]
            sample = payoff[:, columns] @ (3.0 * (v - before)[columns])
            pull = w - u - eta * (at_w + sample) + v - before
            v, before = projected((1.0 - p) * v + p * w - gamma * pull, blocks), w
            if rng.random() < p and moves:
                w, at_w = v, payoff @ v
        u = u_0 / (k + 2.0) + (k + 1.0) / (k + 2.0) * v
    gaps = [sum(float((payoff @ x)[part].max()) for part in (slice(0, 3), slice(3, 6))) for x in (v, u)]
    return gaps[0], gaps[1]


@pytest.mark.slow
def test_a_snapshot_that_does_not_move_leaves_inner_loops_inexact():
    moving, fixed = (np.mean([floor_of(moves, seed) for seed in range(4)], axis=0) for moves in (True, False))
    np.testing.assert_allclose(moving[0], 1.7e-3, rtol=0.05)
    np.testing.assert_allclose(fixed, [5.5e-3, 7e-3], rtol=0.15)
    # A longer inner loop does not help.
    np.testing.assert_allclose(floor_of(False, 0, constant=3.0)[1], 7e-3, rtol=0.15)


def test_the_rule_has_the_snapshot_that_moves():
    solution = gp.solve(
        ROCK_PAPER_SCISSORS, Halpern(inner_constant=1.0), start=OFF_CENTER, tol=0.0, max_steps=300, rng=0
    )
    assert solution.gap < 3e-3


@pytest.mark.slow
@pytest.mark.parametrize("game", ["comal", "dominated_lizard"])
def test_the_bound_of_two_loops(game):
    game = gp.zoo[game].game
    start = np.linspace(1.0, 2.0, game.n_responses)
    rule = Halpern(inner_constant=42.0, early_stop=False)
    runs = [
        gp.solve(game, rule, start=start / start.sum(), tol=0.0, max_steps=200, rng=seed) for seed in range(20)
    ]
    report = gp.verify_rate(runs, "vr-halpern-two-loops")
    assert report.verdict == "holds", report.reason
    assert gp.verify_rate(runs[:5], "vr-halpern-two-loops").verdict == "inconclusive"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Halpern(inner_step=1.0), "inner_step"),
        (Halpern(inner_constant=0.0), "inner_constant"),
        (Halpern(refresh=1.0), "refresh"),
        (Halpern(form=3), "form must be None"),
    ],
)
def test_settings_that_make_no_sense_are_refused(rule, message):
    with pytest.raises(gp.InputError, match=message):
        gp.solve(gp.zoo["comal"].game, rule)


@pytest.mark.parametrize("settings", [{"batch": 17}, {"batch": -1}, {"refresh": 2.0}])
def test_settings_of_one_loop_are_checked(settings):
    with pytest.raises(gp.InputError, match=next(iter(settings))):
        gp.solve_inclusion(half_rotations(16), Halpern.single_loop(**settings))
