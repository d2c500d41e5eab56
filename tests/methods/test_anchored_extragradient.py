"""FEG and EAG against reference numbers and their bounds; Euclidean extragradient and optimistic steps beside them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref.inclusions import example
from gametheory_pref.methods import Bound

FEG = gp.METHODS["anchored_extragradient"]
EXTRAGRADIENT = gp.METHODS["extragradient"](step_size="euclidean", geometry=gp.Euclidean())
OPTIMISTIC = gp.METHODS["forward_reflected"](step_size="euclidean", geometry=gp.Euclidean())
SADDLE = gp.inclusion(gp.matrix_game([[1.0, 0.0], [0.0, 0.1]]), start=[1.0, 1.0, 0.0, 0.0], simplices=())
EVERY_STEP = gp.Record(per_decade=10_000)

# Residuals |F(z_k)| after 10, 100 and 1000 steps on the saddle x' diag(1, 0.1) y from (1, 1, 0, 0).
REFERENCE = {
    "EAG-C": (FEG.eag_c(), (0.892407647778, 0.103519303010, 0.008022611257)),
    "EAG-V": (FEG.eag_v(), (0.204892441258, 0.040991535590, 0.002709785654)),
    "FEG": (FEG(), (0.221085107701, 0.015309113761, 0.000993155026)),
    "EG": (EXTRAGRADIENT, (0.256567741558, 0.077929093883, 0.008260308458)),
}


def run(rule, inclusion, steps, record=EVERY_STEP):
    return gp.solve_inclusion(inclusion, rule, tol=0.0, max_steps=steps, record=record)


@pytest.mark.parametrize("name", REFERENCE)
def test_reference_residuals(name):
    rule, expected = REFERENCE[name]
    solution = run(rule, SADDLE, 1000, gp.Record())
    residuals = dict(zip(solution.trace.step.tolist(), solution.trace.metrics["residual"], strict=True))
    assert_allclose([residuals[k] for k in (10, 100, 1000)], expected, atol=5e-13, rtol=0.0)


def test_optimistic_steps_are_those_of_the_formula():
    skew, start = example("skew_10_0").operator.matrix, example("skew_10_0").start
    z, before = start.copy(), start.copy()
    for k in range(50):
        z, before = z - (2.0 * skew @ z - (skew @ before if k else skew @ z)) / 3.0, z
    assert_allclose(run(OPTIMISTIC, example("skew_10_0"), 50).point, z, atol=1e-13)


INSTANCES = ["rotation", "hard_20", "skew_2_0", "skew_5_0", "skew_5_2", "skew_20_0", "skew_20_1", "cocoercive_10_0"]
# Rule, its theorem, and the worst ratio to the bound on these operators.
WORST = {
    "FEG": (FEG(), "feg-residual", 1.0),
    "EAG-C": (FEG.eag_c(), "eag-c-residual", 0.937),
    "EAG-V": (FEG.eag_v(), "eag-v-residual", 0.781),
    "EG": (EXTRAGRADIENT, "extragradient-residual", 0.650),
}


@pytest.mark.parametrize("name", WORST)
def test_bounds_hold_at_every_step_and_are_as_tight_as_known(name):
    rule, theorem, known = WORST[name]
    reports = [gp.verify_rate(run(rule, example(instance), 150), theorem) for instance in INSTANCES]
    assert {report.verdict for report in reports} == {"holds"}
    worst = max(report.tightness for report in reports)
    assert worst <= 1.0 + 1e-9
    assert_allclose(worst, known, atol=0.001)


def test_optimistic_residuals_fall_like_the_root():
    """No constant is proved here; |F|^2 eta^2 (k+1) / D^2 is largest on a rotation.

    Below 0.36 at the whole steps of Popov's method, and below 0.48 at its half-steps, which these iterates are.
    """
    whole, half = [], []
    for instance in INSTANCES:
        inclusion = example(instance)
        solution = run(OPTIMISTIC, inclusion, 150, gp.Record(per_decade=10_000, points=True))
        ahead, matrix = np.array(solution.trace.policies), inclusion.operator.matrix
        # The whole step z_k lies between the half-steps k and k + 1.
        steps = solution.trace.step[1:]
        points = ahead[1:] + ahead[:-1] @ matrix.T / 3.0
        for found, ratios, late in ((points, whole, 0.0), (ahead[1:], half, 1.0)):
            squares = ((found @ matrix.T) ** 2).sum(axis=1)
            ratios.append(float((squares * (steps + late)).max()) / 9.0 / inclusion.distance**2)
    assert_allclose([max(whole), max(half)], [0.3586, 0.4708], atol=1e-4)


def tightened(theorem, factor):
    found = next(one for one in FEG.info.guarantees if one.name == theorem)
    return Bound(
        f"{theorem}-tighter", found.statement, "made up", found.of, found.hypotheses, quantity="residual",
        bound=lambda rule, facts, steps: factor * found.bound(rule, facts, steps),
    )  # fmt: skip


@pytest.mark.parametrize(("rule", "theorem"), [(FEG(), "feg-residual"), (FEG.eag_c(), "eag-c-residual")])
def test_a_bound_a_fifth_tighter_is_violated(rule, theorem):
    solution = run(rule, example("rotation"), 300)
    assert gp.verify_rate(solution, theorem).verdict == "holds"
    assert gp.verify_rate(solution, tightened(theorem, 0.8)).verdict == "violated"


class Flipped(FEG):
    """Walks the other way."""

    def step(self, problem, state, rng):
        backwards = self.step_size._replace(scale=-self.step_size.scale)
        return FEG.step(self._replace(step_size=backwards), problem, state, rng)


class Idle(FEG):
    """Does not move."""

    def step(self, problem, state, rng):
        return state._replace(t=state.t + 1)


@pytest.mark.parametrize("wrong", [Flipped(), Idle()])
def test_wrong_methods_violate_the_bound(wrong):
    # Not on a skew operator: minus one of those is another, and just as monotone.
    assert gp.verify_rate(run(wrong, example("cocoercive_10_0"), 300), "feg-residual").verdict == "violated"


@pytest.mark.parametrize("rule", [FEG(), FEG.eag_c(), FEG.eag_v()])
def test_the_rate_on_a_hard_operator_is_one_over_k(rule):
    solution = run(rule, example("hard_40"), 3000, gp.Record())
    late = solution.trace.step >= 300
    slope = np.polyfit(np.log(solution.trace.step[late]), np.log(solution.trace.metrics["residual"][late]), 1)[0]
    assert slope <= -0.9


def test_extragradient_is_slower_there():
    anchored, plain = (run(rule, example("hard_40"), 3000, gp.Record()).residual for rule in (FEG(), EXTRAGRADIENT))
    assert anchored < 0.5 * plain


def test_on_simplices_both_lines_are_projected():
    game = gp.zoo["comal"].game
    payoff, start = game.payoff, np.array([0.7, 0.2, 0.1])
    inclusion = gp.inclusion(game, start=start)

    def closest(v):
        levels = (np.cumsum(np.sort(v)[::-1]) - 1.0) / np.arange(1, 4)
        return np.maximum(v - levels[np.flatnonzero(np.sort(v)[::-1] > levels)[-1]], 0.0)

    z, eta = start, 1.0 / np.linalg.norm(payoff, 2)
    for k in range(20):
        beta = 1.0 / (k + 1.0)
        base = z + beta * (start - z)
        half = closest(base + (1.0 - beta) * eta * payoff @ z)
        z = closest(base + eta * payoff @ half)
    assert_allclose(run(FEG(), inclusion, 20).point, z, atol=1e-12)
    compiled = gp.solve(game, "anchored_extragradient", start=start, tol=0.0, max_steps=20)
    assert_allclose(compiled.policy, z, atol=1e-12)


def test_entropic_steps_solve_games():
    rule = FEG(step_size=0.5, geometry=gp.Entropic())
    solution = gp.solve(gp.zoo["comal"].game, rule, start=[0.5, 0.3, 0.2], tol=1e-3, max_steps=5000, jit=False)
    assert solution.converged
    with pytest.raises(gp.UnsupportedCombination, match="entropic geometry"):
        gp.solve_inclusion(SADDLE, rule)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: run(FEG(anchor_offset=0.5), SADDLE, 3), gp.InputError, "anchor_offset must be"),
        (lambda: run(FEG(geometry="flat"), SADDLE, 3), gp.InputError, "geometry must be"),
        (lambda: run(EXTRAGRADIENT._replace(step_size=1.5), SADDLE, 3), gp.InputError, "step_size='euclidean' does"),
        (
            lambda: gp.solve(gp.zoo["comal"].game, EXTRAGRADIENT, temperature=0.1),
            gp.UnsupportedCombination,
            "in the Euclidean geometry is for temperature 0",
        ),
    ],
)
def test_settings_without_a_meaning_are_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.parametrize("rule", [EXTRAGRADIENT, pytest.param(OPTIMISTIC, marks=pytest.mark.slow)])
def test_euclidean_baselines_solve_games_alone_and_in_batches(rule):
    games = [gp.zoo["comal"].game, gp.zoo["biased_rock_paper_scissors"].game]
    batch = gp.solve_batch([game.preference for game in games], method=rule, tol=1e-3, max_steps=5000)
    for row, game in enumerate(games):
        alone = gp.solve(game, rule, tol=1e-3, max_steps=5000, jit=False)
        assert alone.converged
        assert_allclose(batch.policy[row], alone.policy, atol=1e-12)


def test_the_geometry_survives_being_written_down(tmp_path):
    for rule in (EXTRAGRADIENT, gp.METHODS["extragradient"](), FEG(geometry=gp.Entropic())):
        solution = gp.solve(gp.zoo["comal"].game, rule, tol=0.0, max_steps=5, start=[0.5, 0.3, 0.2], jit=False)
        gp.save_run(solution, tmp_path / "run.npz")
        kept = gp.load_run(tmp_path / "run.npz", gp.zoo["comal"].game).run.rule
        assert type(kept.geometry) is type(rule.geometry)
        assert kept == solution.run.rule
