"""Restarted Halpern: reference numbers, the bound on the residual, restarts, and steps that are too long."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref.facts import Facts
from gametheory_pref.games import OperatorGame
from gametheory_pref.methods import settle
from gametheory_pref.operators import Dense
from gametheory_pref.problem import as_problem
from gametheory_pref.tabular import tabular

from .battery import skew

RestartedHalpern = gp.METHODS["restarted_halpern"]


def plain(**settings: Any) -> Any:
    """The rule as the theorem has it: one epoch, one step size."""
    return RestartedHalpern(check_every=0, growth=1.0, **settings)


class Walk:
    """A settled rule on a game, stepped one by one."""

    def __init__(self, game: Any, rule: Any) -> None:
        problem = tabular(as_problem(game), None, gp.Exact()).problem
        self.rule, self.problem = settle(rule, Facts(problem, 10_000).step_facts), problem
        self.state = self.rule.init(problem)
        self.eta = self.rule.step_size.scale

    def upto(self, steps: int) -> Walk:
        while self.state.t < steps:
            self.state = self.rule.step(self.problem, self.state, None)
        return self

    def copies(self) -> tuple[np.ndarray, np.ndarray]:
        return self.state.z.prob, self.state.w.prob


def projected(vector: np.ndarray) -> np.ndarray:
    """Closest point of the simplex, by sorting."""
    falling = np.sort(vector)[::-1]
    levels = (np.cumsum(falling) - 1.0) / np.arange(1, vector.size + 1)
    return np.maximum(vector - levels[np.flatnonzero(falling > levels)[-1]], 0.0)


def of_side(vector: np.ndarray, blocks: np.ndarray, side: int) -> np.ndarray:
    """The part of one of two players, 0 elsewhere; all of it in a symmetric game."""
    if len(blocks) == 2:
        return vector
    positions = np.arange(vector.size)
    return np.where((positions >= blocks[side]) & (positions < blocks[side + 1]), vector, 0.0)


def policy_of_side(vector: np.ndarray, blocks: np.ndarray, side: int) -> np.ndarray:
    parts = [projected(part) for part in np.split(vector, blocks[1:-1])]
    return of_side(np.concatenate(parts), blocks, side)


def image(payoff: np.ndarray, blocks: np.ndarray, eta: float, z: np.ndarray, w: np.ndarray) -> tuple[Any, Any]:
    """The map T of both sides, written again: the column player, or the first copy, steps first."""
    new_z = policy_of_side(z + eta * payoff @ w, blocks, 1)
    return new_z, policy_of_side(w + eta * payoff @ (2.0 * new_z - z), blocks, 0)


def square_norm(payoff: np.ndarray, eta: float, dz: np.ndarray, dw: np.ndarray) -> float:
    return float((dz @ dz + dw @ dw) / eta - 2.0 * dw @ payoff @ dz)


def residual(walk: Walk) -> float:
    (z, w), payoff = walk.copies(), walk.problem.payoff
    new_z, new_w = image(payoff, walk.problem.blocks, walk.eta, z, w)
    return float(np.sqrt(square_norm(payoff, walk.eta, z - new_z, w - new_w)))


# -- numbers

REFERENCE = np.array([[1.0, -2.0, 0.0], [0.0, 1.0, -1.0], [-1.0, 0.0, 2.0]])


@pytest.mark.parametrize(
    ("steps", "distance", "gap"),
    [
        (0, 0.3333333333, 0.3333333333),
        (10, 0.02456665420, 0.02436445951),
        (100, 0.003542604314, 0.003802663734),
        (1000, 0.0001939922741, 0.0001868366997),
    ],
)
def test_the_reference_run_to_all_digits(steps: int, distance: float, gap: float) -> None:
    """Primal-dual steps on min over x, max over y of ``y' A x``, x first."""
    walk = Walk(gp.matrix_game(REFERENCE), plain(step_size=0.25)).upto(steps)
    z, w = walk.copies()
    new_z, new_w = image(walk.problem.payoff, walk.problem.blocks, 0.25, z, w)
    dx, dy = (z - new_z)[3:], (w - new_w)[:3]
    found = np.sqrt((dx @ dx + dy @ dy) / 0.25 - 2.0 * dy @ REFERENCE @ dx)
    x, y = new_z[3:], new_w[:3]
    assert_allclose(found, distance, rtol=1e-9)
    assert_allclose((REFERENCE @ x).max() - (y @ REFERENCE).min(), gap, rtol=1e-9)


def test_the_reference_solution() -> None:
    solution = gp.solve(gp.matrix_game(REFERENCE), RestartedHalpern(), tol=1e-12, jit=False).require()
    y, x = solution.policy
    assert_allclose(x, [0.5, 0.25, 0.25], atol=1e-9)
    assert_allclose(y, [0.25, 0.5, 0.25], atol=1e-9)
    dx, dy = 1 / 3 - x, 1 / 3 - y
    assert_allclose(np.sqrt((dx @ dx + dy @ dy) / 0.25 - 2.0 * dy @ REFERENCE @ dx), 0.5773502692, rtol=1e-8)


@pytest.mark.parametrize(("reflection", "factor", "tightest"), [(1.0, 1.0, 0.9), (0.0, 2.0, 0.7)])
def test_the_residual_stays_below_its_bound(reflection: float, factor: float, tightest: float) -> None:
    """And comes close to it."""
    worst = 0.0
    for seed in range(20):
        payoff = np.random.default_rng(seed).normal(size=(3, 3))
        walk = Walk(gp.matrix_game(payoff), plain(reflection=reflection))
        away = walk.problem.start.prob - np.concatenate(gp.solve(gp.matrix_game(payoff)).policy)
        of_z, of_w = (of_side(away, walk.problem.blocks, side) for side in (1, 0))
        distance = np.sqrt(square_norm(walk.problem.payoff, walk.eta, of_z, of_w))
        for steps in range(60):
            worst = max(worst, residual(walk.upto(steps)) * (steps + 1) / (factor * distance))
    assert tightest < worst <= 1.0 + 1e-9


def gaussian(n: int, seed: int = 0) -> np.ndarray:
    upper = np.triu(np.random.default_rng(seed).normal(size=(n, n)), 1)
    return upper - upper.T


def primal_dual_gaps(payoff: np.ndarray, steps: int) -> tuple[float, float]:
    """Gaps of the last iterate and of the average of the map without anchor."""
    n, eta = len(payoff), 0.998 / np.linalg.norm(payoff, 2)
    z = w = np.full(n, 1.0 / n)
    total = np.zeros(n)
    for _ in range(steps):
        z, w = image(payoff, np.array([0, n]), eta, z, w)
        total += (z + w) / 2.0
    return 2.0 * (payoff @ (z + w) / 2.0).max(), 2.0 * (payoff @ total / steps).max()


def test_what_the_anchor_and_the_restarts_bring() -> None:
    """Orders of size on a Gaussian game: last of the map 1e-4, average 1e-3, anchored 1e-3, restarted 1e-13."""
    payoff, steps = gaussian(50), 2000
    game = gp.matrix_game(payoff)
    last, average = primal_dual_gaps(payoff, steps)
    settings: dict[str, Any] = {"tol": 0.0, "max_steps": steps, "jit": False}
    anchored = gp.solve(game, plain(), **settings).gap
    restarted = gp.solve(game, RestartedHalpern(growth=1.0), **settings).gap
    assert 1e-6 < last < average < 1e-2
    assert 1e-4 < anchored < 1e-2
    assert restarted < 1e-10


@pytest.mark.slow
def test_what_restarts_bring_in_a_larger_game() -> None:
    """How far they get in 4000 steps depends on the game; growing steps get farther in the worst of four."""
    settings: dict[str, Any] = {"tol": 0.0, "max_steps": 4000}
    rules = {"plain": plain(), "restarted": RestartedHalpern(growth=1.0), "growing": RestartedHalpern()}
    games = [gp.matrix_game(gaussian(200, seed)) for seed in range(4)]
    gaps = {name: np.array([gp.solve(game, rule, **settings).gap for game in games]) for name, rule in rules.items()}
    assert ((gaps["plain"] > 1e-5) & (gaps["plain"] < 1e-2)).all()
    assert (gaps["restarted"] < 0.05 * gaps["plain"]).all()
    assert np.median(gaps["restarted"]) < 1e-6 and gaps["restarted"].min() < 1e-12
    assert gaps["growing"].max() < 1e-8


def policeman_and_burglar(n: int) -> np.ndarray:
    """One minus a power of the distance of two houses, times the wealth of the column player's house."""
    wealth = np.abs(np.random.RandomState(1).normal(size=n))
    distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    return wealth * (1.0 - np.exp(-0.8 * distance))


def test_the_policeman_and_the_burglar() -> None:
    """Who plays must be found before restarts help; growing steps find it sooner, and exact solutions at once."""
    payoff = policeman_and_burglar(100)
    assert_allclose([np.linalg.norm(payoff, 2), np.linalg.norm(payoff)], [86.44, 87.07], atol=0.005)
    game = gp.matrix_game(payoff)
    settings: dict[str, Any] = {"tol": 0.0, "max_steps": 4000, "jit": False}
    assert_allclose(gp.solve(game, plain(), **settings).gap, 4.9e-6, rtol=0.02)
    assert_allclose(gp.solve(game, RestartedHalpern(growth=1.0), **settings).gap, 6.1e-6, rtol=0.03)
    assert gp.solve(game, RestartedHalpern(), **settings).gap < 1e-7
    solution = gp.solve(game, "active_set", tol=1e-12).require()
    assert solution.n_steps < 100
    assert_allclose(solution.value, 0.012664599, rtol=1e-7)


# -- the rule against itself written again, and against mistakes


def test_without_growth_it_is_the_plain_method() -> None:
    """A hundred and fifty steps with restarts, written again in a few lines."""
    payoff = skew(3, 12)
    walk = Walk(payoff + 0.5, RestartedHalpern(growth=1.0))
    eta, blocks = walk.eta, walk.problem.blocks
    z = w = z_0 = w_0 = np.full(12, 1.0 / 12)
    length, first, last, restarts = 0, 0.0, np.inf, 0
    for t in range(1, 151):
        new_z, new_w = image(payoff, blocks, eta, z, w)
        length += 1
        now = np.sqrt(square_norm(payoff, eta, z - new_z, w - new_w))
        first = now if length == 1 else first
        done = length % 40 == 0 and (
            now <= 0.2 * first or (now <= 0.8 * first and now > last) or length >= 0.36 * t
        )
        last = now if length % 40 == 0 else last
        if done:
            z, w, z_0, w_0, length, last = new_z, new_w, new_z, new_w, 0, np.inf
            restarts += 1
        else:
            a = length / (length + 1)
            z, w = a * (2 * new_z - z) + (1 - a) * z_0, a * (2 * new_w - w) + (1 - a) * w_0
        assert_allclose(walk.upto(t).state.x.prob, (new_z + new_w) / 2, atol=1e-13)
        assert_allclose(walk.state.residual, now, atol=1e-12)
        assert_allclose(walk.state.payoff.value, payoff @ walk.state.x.prob, atol=1e-13)
    assert restarts >= 2


@pytest.mark.parametrize("times", [1.5, 4.0, 100.0])
def test_a_step_that_is_too_long_is_cut(times: float) -> None:
    """The norm was underestimated so many times: the form that should be a norm comes out negative, and is mended."""
    payoff = skew(4, 20)
    length = 0.998 * times / np.linalg.norm(payoff, 2)
    solution = gp.solve(payoff + 0.5, RestartedHalpern(step_size=length), tol=1e-10, max_steps=20_000, jit=False)
    assert solution.require().gap <= 1e-10
    walk = Walk(payoff + 0.5, RestartedHalpern(step_size=length))
    assert walk.upto(200).state.stretch < 1.0 and walk.state.growth < 2.0
    assert Walk(payoff + 0.5, plain(step_size=length)).upto(200).state.stretch == 1.0


def test_steps_grow_where_they_may() -> None:
    """Two good responses and ten dominated ones with large payoffs: who matters allows steps many times as long."""
    payoff = np.zeros((13, 13))
    payoff[:3, :3] = 0.01 * np.array([[0.0, -1.0, 2.0], [1.0, 0.0, -1.0], [-2.0, 1.0, 0.0]])
    payoff[:3, 3:], payoff[3:, :3] = 0.5, -0.5
    grown, fixed = (
        gp.solve(payoff + 0.5, RestartedHalpern(growth=growth), tol=1e-9, jit=False).require() for growth in (2.0, 1.0)
    )
    assert_allclose(grown.policy[:3], [0.25, 0.5, 0.25], atol=1e-5)
    assert grown.n_steps < fixed.n_steps / 2


def test_what_does_nothing_or_plays_for_the_other_side_is_no_answer() -> None:
    payoff = skew(5, 9)
    game, other = gp.preference_game(payoff + 0.5), gp.preference_game(0.5 - payoff)
    assert gp.solve(game, RestartedHalpern(), tol=1e-10, jit=False).require().gap <= 1e-10
    wrong = gp.solve(other, RestartedHalpern(), tol=1e-10, jit=False).policy
    for policy in (wrong, np.full(9, 1 / 9)):
        assert gp.duality_gap(game, policy) > 0.05


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"reflection": 1.5}, "reflection"),
        ({"growth": 0.5}, "growth"),
        ({"check_every": -1}, "check_every"),
        ({"step_size": -1.0}, "step_size"),
        *(({name: bad}, name) for name in ("sufficient", "necessary", "share") for bad in (float("nan"), -0.1, 1.5)),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], word: str) -> None:
    with pytest.raises(gp.InputError, match=word):
        gp.solve(gp.zoo["comal"].game, RestartedHalpern(**settings))


class Counting(Dense):
    """A payoff that counts its products, from either side."""

    products = 0

    def product(self, vector: np.ndarray) -> np.ndarray:
        self.products += 1
        return super().product(vector)

    def transposed_product(self, vector: np.ndarray) -> np.ndarray:
        self.products += 1
        return super().transposed_product(vector)


@pytest.mark.parametrize("steps", [1, 5])
def test_payoff_calls_are_the_products_of_the_rule(steps: int) -> None:
    payoff = Counting(skew(0, 10), is_skew=True)
    walk = Walk(OperatorGame(payoff, range(10), range(10)), RestartedHalpern(step_size=0.1))
    payoff.products = 0
    assert walk.upto(steps).state.calls == payoff.products == 2 * (steps + 1)


@pytest.mark.parametrize("steps", [1, 5])
def test_a_product_of_both_sides_of_two_players_is_one_call(steps: int) -> None:
    payoff = Counting(np.random.default_rng(0).normal(size=(4, 6)), is_skew=False)
    walk = Walk(OperatorGame(payoff, range(4), range(6)), RestartedHalpern(step_size=0.1))
    payoff.products = 0
    assert walk.upto(steps).state.calls == steps + 1
    assert payoff.products == 2 * (steps + 1)


# -- the theorem as data


def test_the_guarantee_holds_and_is_about_one_epoch() -> None:
    game = gp.zoo["comal"].game
    run = gp.solve(game, plain(), tol=0.0, max_steps=500, jit=False)
    report = gp.verify_rate(run, "halpern-pdhg-gap")
    assert report.verdict == "holds", report.reason
    longer = gp.solve(game, plain(step_size=3.0 / np.linalg.norm(game.payoff, 2)), tol=0.0, max_steps=100, jit=False)
    restarted = gp.solve(game, RestartedHalpern(), tol=0.0, max_steps=100, jit=False)
    for other in (longer, restarted):
        assert gp.verify_rate(other, "halpern-pdhg-gap").verdict == "inconclusive"


def test_the_guarantee_holds_for_two_players() -> None:
    run = gp.solve(gp.matrix_game(REFERENCE), plain(), tol=0.0, max_steps=500, jit=False)
    assert gp.verify_rate(run, "halpern-pdhg-gap").verdict == "holds"
