"""Pictures of runs: the lines are the recorded columns, the bounds are the theorems', and no text covers another."""

from __future__ import annotations

import importlib.util
import itertools
import pathlib
import re
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref import plot
from gametheory_pref.errors import InputError, UnsupportedCombination
from gametheory_pref.plot.runs import DIVERGENCE_FLOOR, MOST_LINES, PAYOFF_FLOOR, formula_lines
from gametheory_pref.plot.style import LAST_RESORT, font_family
from gametheory_pref.rate_report import RateReport

from .drawn_games import random_game

WEIGHTS, EXTRAGRADIENT = gp.METHODS["multiplicative_weights"], gp.METHODS["extragradient"]
CYCLE = gp.preference_game(
    [[0.5, 0.9, 0.3], [0.1, 0.5, 0.95], [0.7, 0.05, 0.5]], names=["rock", "scissors", "paper"]
)
OTHER = gp.preference_game([[0.5, 0.6, 0.3], [0.4, 0.5, 0.95], [0.7, 0.05, 0.5]], names=CYCLE.names)
START = [0.7, 0.2, 0.1]
LONG = [f"an-enormously-long-model-name-{k}-2024-04-09" for k in range(12)]


def solve(method, *, steps: int = 60, game=CYCLE, **options) -> gp.Solution:
    """Run a rule in the interpreter: what is drawn does not depend on how it was computed."""
    return gp.solve(game, method, tol=0.0, max_steps=steps, jit=False, **options)


@pytest.fixture(scope="module")
def weights() -> gp.Solution:
    return solve(WEIGHTS(step_size=0.3), start=START, steps=400)


@pytest.fixture(scope="module")
def warm() -> gp.Solution:
    return solve("extragradient", temperature=0.1, start=START)


@pytest.fixture(scope="module")
def seeds() -> list[gp.Solution]:
    oracle = gp.Sampled(opponents=5)
    return [solve(EXTRAGRADIENT(step_size=0.2), temperature=0.1, oracle=oracle, rng=seed) for seed in range(9)]


def by_gid(ax, gid: str):
    (found,) = [artist for artist in ax.get_children() if artist.get_gid() == gid]
    return found


def gids(ax) -> set[str]:
    return {str(artist.get_gid()) for artist in ax.get_children() if artist.get_gid()}


def legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def title(ax) -> str:
    return (ax.get_title(loc="left") or ax.get_title()).replace("\n", " ")


# --- gap against cost -------------------------------------------------------------------------------------


@pytest.mark.parametrize("against", ["payoff_calls", "steps", "seconds"])
def test_gap_curves_are_the_columns_of_the_trace(weights, warm, against):
    ax = plot.gap_curves({"cold": weights, "warm": warm}, against=against)
    column = {"steps": "step"}.get(against, against)
    for place, solution in enumerate((weights, warm)):
        line = by_gid(ax, f"line-{place}")
        assert solution.trace.step[0] == 0
        assert_allclose(line.get_xdata(), getattr(solution.trace, column)[1:], rtol=0)
        assert_allclose(line.get_ydata(), solution.trace.metrics["gap"][1:], rtol=0)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert legend(ax) == ["cold", "warm"]
    words = {"payoff_calls": "payoff products", "steps": "steps", "seconds": "seconds"}
    assert ax.get_xlabel().startswith(words[against])
    assert "win probability" in ax.get_ylabel()


def test_a_method_that_answers_with_its_average_is_drawn_with_its_average(weights):
    ax = plot.gap_curves(weights)
    assert_allclose(by_gid(ax, "line-0").get_ydata(), weights.run.gap_average[1:], rtol=0)
    assert legend(ax) == ["Multiplicative weights (SPO), average"]
    assert title(ax) == "Multiplicative weights (SPO): gap of the average at temperature 0"


def test_a_list_is_parted_by_method(weights, warm):
    ax = plot.gap_curves([weights, warm])
    assert legend(ax) == ["Multiplicative weights (SPO), average", EXTRAGRADIENT.info.title]
    other = solve(WEIGHTS(step_size=0.1))
    with pytest.raises(InputError, match=r"two lines called 'Multiplicative weights \(SPO\)'; pass a mapping"):
        plot.gap_curves([weights, other])


def test_seeds_become_a_median_and_a_band(seeds):
    gaps = np.array([solution.run.gap_last[1:] for solution in seeds])
    assert gaps.std(axis=0).min() > 0
    for ax in (plot.gap_curves(seeds), plot.gap_curves({"noisy": seeds})):
        assert_allclose(by_gid(ax, "line-0").get_ydata(), np.median(gaps, axis=0), rtol=1e-15)
        corners = by_gid(ax, "band-0").get_paths()[0].vertices
        for step, column in zip(seeds[0].run.payoff_calls[1:], gaps.T, strict=True):
            heights = corners[corners[:, 0] == step, 1]
            assert_allclose([heights.min(), heights.max()], np.quantile(column, [0.1, 0.9]), rtol=1e-12)
        assert "median of 9 runs" in title(ax)


def test_seeds_that_ended_early_are_drawn_to_where_all_ran(seeds):
    short = solve(EXTRAGRADIENT(step_size=0.2), temperature=0.1, oracle=gp.Sampled(opponents=5), rng=99, steps=20)
    ax = plot.gap_curves({"noisy": [*seeds, short]})
    steps = np.intersect1d(seeds[0].run.steps, short.run.steps)
    assert 15 < steps[-1] <= 20
    assert_allclose(by_gid(ax, "line-0").get_xdata(), 2 * steps[1:])


def test_rounding_is_drawn_at_a_dotted_line(warm, weights):
    done = solve("extragradient", temperature=0.5, start=START, steps=200)
    gaps = done.trace.metrics["gap"][1:]
    assert gaps[0] > 1e-3
    assert gaps[-1] < DIVERGENCE_FLOOR
    ax = plot.gap_curves({"done": done, "under way": warm})
    drawn = by_gid(ax, "line-0").get_ydata()
    assert_allclose(drawn, np.where(gaps > DIVERGENCE_FLOOR, gaps, DIVERGENCE_FLOOR), rtol=0)
    assert_allclose(by_gid(ax, "floor").get_ydata(), DIVERGENCE_FLOOR)
    assert legend(ax) == ["done", "under way", "rounding (below 1e-30)"]
    assert ax.get_ylim()[0] < DIVERGENCE_FLOOR
    assert "floor" not in gids(plot.gap_curves(weights))


def test_a_gap_of_zero_has_a_place_on_the_axis():
    fast = solve(EXTRAGRADIENT(step_size=2000.0), game=gp.zoo["star"].game, steps=20)
    assert fast.trace.metrics["gap"][1] == 0.0
    ax = plot.gap_curves(fast)
    assert by_gid(ax, "line-0").get_ydata()[-1] == PAYOFF_FLOOR
    low, high = ax.get_ylim()
    assert 0 < low < PAYOFF_FLOOR < high


def test_a_gap_that_never_changes_is_a_flat_line():
    still = solve(WEIGHTS(step_size=1e-300), game=gp.preference_game([[0.5, 0.6], [0.4, 0.5]]), steps=20)
    ax = plot.gap_curves(still)
    assert_allclose(by_gid(ax, "line-0").get_ydata(), 0.1)
    low, high = ax.get_ylim()
    assert 0.01 < low < 0.1 < high < 1


def test_a_rate_near_a_pure_equilibrium_has_nothing_to_predict():
    run = solve(WEIGHTS(step_size=0.3), game=gp.zoo["star"].game, steps=20)
    ax = plot.convergence(run, guarantee="multiplicative-weights-local-rate")
    assert "does not apply: the equilibrium plays one response only" in title(ax)


@pytest.mark.parametrize("draw", [plot.gap_curves, plot.convergence])
def test_a_run_that_ended_at_its_start_is_named(draw, weights):
    done = solve(WEIGHTS(step_size=0.1), game=gp.zoo["rock_paper_scissors"].game, steps=20)
    assert done.trace.step.tolist() == [0]
    ax = draw({"done": done, "other": weights})
    assert legend(ax)[0] == "done (ended at its start)"
    assert_allclose(by_gid(ax, "line-1").get_ydata(), weights.trace.metrics["gap"][1:], rtol=0)
    alone = draw(done)
    assert 0 < alone.get_ylim()[0] < alone.get_ylim()[1]
    alone.figure.draw_without_rendering()


def test_lines_of_many_methods_can_be_told_apart():
    some = [solve(WEIGHTS(step_size=0.1 * (k + 1)), steps=20) for k in range(10)]
    ax = plot.gap_curves(dict(zip(LONG[:10], some, strict=True)))
    looks = [(by_gid(ax, f"line-{k}").get_color(), by_gid(ax, f"line-{k}").get_linestyle()) for k in range(10)]
    assert len(set(looks)) == 10
    for k, solution in enumerate(some):
        assert_allclose(by_gid(ax, f"line-{k}").get_ydata(), solution.trace.metrics["gap"][1:], rtol=0)
    assert len(set(legend(ax))) == 10
    with pytest.raises(InputError, match=f"1 to {MOST_LINES} lines; got {MOST_LINES + 1}"):
        plot.gap_curves({str(k): some[0] for k in range(MOST_LINES + 1)})


# --- convergence ------------------------------------------------------------------------------------------


def divergence(target, policy) -> float:
    return float((target * np.log(target / policy)).sum())


def test_the_bound_on_the_average_is_the_formula_and_lies_above_the_curve(weights):
    ax = plot.convergence(weights)
    steps = weights.trace.step[1:]
    measured, bound = by_gid(ax, "line-0"), by_gid(ax, "bound-0")
    assert_allclose(measured.get_xdata(), steps)
    assert_allclose(measured.get_ydata(), weights.run.gap_average[1:], rtol=0)
    assert_allclose(bound.get_ydata(), 2 * np.log(1 / 0.1) / (0.3 * steps) + 0.3 * 0.45**2, rtol=1e-12)
    assert (bound.get_ydata() >= measured.get_ydata()).all()
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert legend(ax) == ["duality gap", "bound of the theorem"]
    assert title(ax).endswith("multiplicative-weights-average")
    assert ax.get_legend().get_title().get_text() == "gap(average) <= 2 D / (eta T) + eta a^2"


def test_a_linear_rate_is_a_straight_line_from_the_start(warm):
    ax = plot.convergence(warm)
    run = warm.run
    exact = gp.solve(CYCLE, temperature=0.1).policy
    measured, bound = by_gid(ax, "line-0"), by_gid(ax, "bound-0")
    assert_allclose(measured.get_xdata(), run.steps)
    assert ax.get_xscale() == "linear"
    for row in (0, 1, 5):
        assert_allclose(measured.get_ydata()[row], divergence(exact, np.exp(run.log_last[row])), rtol=1e-8)
    eta = run.rule.step_size.scale
    assert_allclose(bound.get_ydata(), divergence(exact, np.array(START)) * (1 - 0.1 * eta) ** run.steps, rtol=1e-8)
    assert (bound.get_ydata() >= measured.get_ydata() * (1 - 1e-12)).all()
    assert ax.get_ylabel() == "KL(equilibrium || policy)"


def test_what_a_theorem_says_is_broken_between_its_parts():
    for rule in gp.METHODS.primary():
        for guarantee in rule.info.guarantees:
            lines = formula_lines(guarantee.statement, 5.4)
            assert " ".join(lines) == " ".join(guarantee.statement.split())
            assert len(lines) <= 4 and all(len(line) <= 81 for line in lines)
            for end in (line[-1] for line in lines[:-1]):
                assert end not in "(+-*/=<|", (guarantee.name, lines)


def test_titles_of_methods_are_not_cut_in_a_legend():
    some = dict.fromkeys((rule.info.title for rule in gp.METHODS.primary()[:2]), solve(WEIGHTS(step_size=0.1), steps=5))
    assert legend(plot.gap_curves(some)) == list(some)


def test_growth_is_bounded_from_below(weights):
    ax = plot.convergence(weights, guarantee="multiplicative-weights-spiral")
    measured, bound = by_gid(ax, "line-0").get_ydata(), by_gid(ax, "bound-0").get_ydata()
    assert (measured >= bound * (1 - 1e-12)).all()
    assert measured[-1] > 1.5 * measured[0]
    assert legend(ax)[1] == "bound of the theorem, from below"


def test_the_local_rate_is_drawn_through_the_last_point_above_rounding(warm):
    ax = plot.convergence(warm, guarantee="extragradient-local-rate")
    measured, slope = by_gid(ax, "line-0").get_ydata(), by_gid(ax, "bound-0").get_ydata()
    theorem = next(g for g in warm.run.rule.info.guarantees if g.name == "extragradient-local-rate")
    steps = warm.run.steps
    assert_allclose(
        np.diff(np.log(slope)) / np.diff(steps), np.log(theorem.factor(warm.run.rule, warm.run.facts)), rtol=1e-9
    )
    anchor = np.flatnonzero(measured > 10 * warm.run.facts.equilibrium_error**2)[-1]
    assert_allclose(slope[anchor], measured[anchor])


def test_the_gap_without_regularisation_is_that_of_the_game(warm):
    ax = plot.convergence(warm, quantity="gap0")
    drawn = by_gid(ax, "line-0").get_ydata()
    for row in (1, 7, -1):
        policy = np.exp(warm.run.log_last[row])
        assert_allclose(drawn[row - 1 if row > 0 else row], gp.duality_gap(CYCLE, policy), rtol=1e-12)
    assert "no theorem" in title(ax)
    assert legend(ax) == ["duality gap"]


def test_a_theorem_that_does_not_apply_is_not_drawn_and_the_title_says_why():
    fast = solve(EXTRAGRADIENT(step_size=5.0), temperature=0.1, start=START)
    ax = plot.convergence(fast, guarantee="extragradient-contraction")
    assert legend(ax) == ["KL(equilibrium || policy)"]
    assert "bound-0" not in gids(ax)
    assert "does not apply: step_size is 5; the theorem needs at most" in title(ax)
    # Left to itself the picture takes a theorem that applies.
    assert "extragradient-local-rate" in title(plot.convergence(fast))


def test_sampled_payoffs_have_no_theorem_about_exact_ones(seeds):
    ax = plot.convergence(seeds)
    assert "no theorem" in title(ax)
    assert gids(ax) >= {"line-0", "band-0"}
    assert "bound-0" not in gids(ax)
    assert legend(ax) == ["duality gap, median and 10 to 90 % of 9 runs"]


def test_several_lines_have_a_bound_each():
    heats = (0.1, 0.5)
    runs = {f"beta {beta}": solve("extragradient", temperature=beta, start=START, steps=20) for beta in heats}
    ax = plot.convergence(runs)
    for place, solution in enumerate(runs.values()):
        line, bound = by_gid(ax, f"line-{place}"), by_gid(ax, f"bound-{place}")
        assert line.get_color() == bound.get_color()
        shrink = 1 - heats[place] * solution.run.rule.step_size.scale
        assert_allclose(bound.get_ydata()[1:] / bound.get_ydata()[0], shrink ** solution.run.steps[1:], rtol=1e-9)
    assert legend(ax) == ["beta 0.1", "beta 0.5", "bound or slope of its theorem"]


def test_a_report_shades_its_window_and_gives_its_slope(weights):
    theorem, spiral = (
        next(one for one in weights.run.rule.info.guarantees if one.name == f"multiplicative-weights-{name}")
        for name in ("average", "spiral")
    )
    report = RateReport(
        "multiplicative_weights", theorem, "holds", "at most 41 % of the bound is used", slope=-0.94,
        slope_interval=(-0.99, -0.89), window=(40, 400), tightness=0.41,
    )
    ax = plot.convergence(weights, report=report)
    window = by_gid(ax, "window")
    assert (window.get_x(), window.get_width()) == (40, 360)
    assert legend(ax)[-1] == "slope -0.94 [-0.99, -0.89] on steps 40 to 400"
    assert title(ax).endswith("multiplicative-weights-average: holds, tightness 0.41")
    broken = plot.convergence(weights, report=replace(report, verdict="violated", reason="above it at step 7"))
    assert title(broken).endswith("multiplicative-weights-average: violated above it at step 7")
    with pytest.raises(InputError, match="report is about multiplicative-weights-average; got"):
        plot.convergence(weights, report=report, guarantee="multiplicative-weights-spiral")
    with pytest.raises(InputError, match="report belongs to the runs of one method"):
        plot.convergence({"a": weights, "b": weights}, report=report)
    other = RateReport("multiplicative_weights", spiral, "inconclusive", "too short")
    both = RateReport("multiplicative_weights", None, "holds", "one of two", parts=(other, report))
    assert legend(plot.convergence(weights, report=both))[-1].startswith("slope -0.94 [")
    named = plot.convergence(weights, report=both, guarantee="multiplicative-weights-spiral")
    assert title(named).endswith("inconclusive too short")


def test_questions_without_an_answer_are_refused(weights, warm):
    with pytest.raises(InputError, match="quantity must be one of 'gap', 'gap0', 'kl'; got 'speed'"):
        plot.convergence(weights, quantity="speed")
    with pytest.raises(InputError, match="must be one of multiplicative-weights-average.*got 'nonsense'"):
        plot.convergence(weights, guarantee="nonsense")
    with pytest.raises(InputError, match="guarantee must be a Guarantee of the method or its name; got 3"):
        plot.convergence(weights, guarantee=3)
    with pytest.raises(InputError, match="is about 'gap', not about quantity='kl'"):
        plot.convergence(weights, quantity="kl", guarantee="multiplicative-weights-average")
    with pytest.raises(InputError, match="about different quantities; pass quantity"):
        plot.convergence({"cold": weights, "warm": warm})
    with pytest.raises(InputError, match="against must be one of .*got 'dollars'"):
        plot.gap_curves(weights, against="dollars")
    ties = solve(WEIGHTS(step_size=0.1), game=gp.zoo["all_ties"].game, steps=5)
    with pytest.raises(InputError, match="needs a unique equilibrium"):
        plot.convergence(ties, quantity="kl")


def test_games_of_two_players_have_a_gap_and_a_divergence():
    game = gp.matrix_game([[3.0, -1.0], [-1.0, 1.0]])
    run = solve(WEIGHTS(step_size=0.1), game=game, steps=30)
    ax = plot.gap_curves(run)
    assert_allclose(by_gid(ax, "line-0").get_ydata(), run.trace.metrics["gap"][1:], rtol=0)
    assert ax.get_ylabel() == "duality gap (payoff)"
    row, column = gp.solve(game).policy
    ax = plot.convergence(run, quantity="kl", guarantee=None)
    played = np.exp(run.run.log_last[-1])
    total = divergence(row, played[:2]) + divergence(column, played[2:])
    assert_allclose(by_gid(ax, "line-0").get_ydata()[-1], total, rtol=1e-9)
    with pytest.raises(UnsupportedCombination, match="draws preference games"):
        plot.simplex_trajectory(run)


# --- trajectories -----------------------------------------------------------------------------------------


def corner_places(ax) -> dict[str, np.ndarray]:
    return {text.get_text(): np.array(text.xy) for text in ax.texts if text.get_gid() == "corner"}


def test_paths_are_the_policies_in_barycentric_coordinates(weights):
    ax = plot.simplex_trajectory(weights)
    places = corner_places(ax)
    assert list(places) == list(CYCLE.names)
    corners = np.array(list(places.values()))
    assert_allclose(np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1), np.sqrt(3.0))
    assert_allclose(by_gid(ax, "last-0").get_xydata(), np.exp(weights.run.log_last) @ corners, atol=1e-12)
    assert_allclose(by_gid(ax, "average-0").get_xydata(), weights.run.average @ corners, atol=1e-12)
    assert_allclose(by_gid(ax, "start-0").get_xydata()[0], START @ corners, atol=1e-12)
    assert_allclose(by_gid(ax, "end-0").get_xydata()[0], np.exp(weights.run.log_last[-1]) @ corners, atol=1e-12)
    assert_allclose(by_gid(ax, "average-end-0").get_xydata()[0], weights.policy @ corners, atol=1e-12)
    exact = gp.solve(CYCLE).policy @ corners
    assert_allclose(by_gid(ax, "equilibrium-0").get_xydata()[0], exact, atol=1e-12)
    assert by_gid(ax, "start-0").get_markerfacecolor() == "#ffffff" != by_gid(ax, "end-0").get_markerfacecolor()
    name = "Multiplicative weights (SPO)"
    assert legend(ax) == [f"{name}, last iterate", f"{name}, average", "equilibrium"]


def test_multiplicative_weights_leave_and_extragradient_approaches(weights):
    inward = solve(EXTRAGRADIENT(step_size=0.3), start=START, steps=400)
    ax = plot.simplex_trajectory({"out": weights, "in": inward})
    center = by_gid(ax, "equilibrium-0").get_xydata()[0]

    def distances(place: int) -> np.ndarray:
        return np.linalg.norm(by_gid(ax, f"last-{place}").get_xydata() - center, axis=1)

    assert distances(0).max() > 1.2 * distances(0)[0]
    assert distances(1)[-1] < 0.8 * distances(1)[0]
    assert "average-1" not in gids(ax)


def test_runs_on_different_problems_have_an_equilibrium_each(weights, warm):
    ax = plot.simplex_trajectory({"cold": weights, "warm": warm})
    corners = np.array(list(corner_places(ax).values()))
    for place, heat in enumerate((0.0, 0.1)):
        exact = gp.solve(CYCLE, temperature=heat).policy
        marker = by_gid(ax, f"equilibrium-{place}")
        assert_allclose(marker.get_xydata()[0], exact @ corners, atol=1e-9)
        assert marker.get_markerfacecolor() == by_gid(ax, f"last-{place}").get_color()
    assert legend(ax)[-1] == "equilibrium, each in its colour"


def test_one_of_several_equilibria_is_called_so():
    run = solve(WEIGHTS(step_size=0.1), game=gp.zoo["all_ties"].game, steps=5)
    assert legend(plot.simplex_trajectory(run))[-1] == "equilibrium, one of several"


def test_a_face_shows_shares_and_says_what_lies_elsewhere():
    game = random_game(7, names=list("abcdefg"))
    run = solve("extragradient", game=game, temperature=0.2)
    ax = plot.simplex_trajectory(run, responses=["f", "b", "c"])
    corners = np.array([corner_places(ax)[name] for name in "fbc"])
    part = np.exp(run.run.log_last)[:, [5, 1, 2]]
    assert_allclose(by_gid(ax, "last-0").get_xydata(), part / part.sum(axis=1)[:, None] @ corners, atol=1e-12)
    assert f"3 of 7 responses; up to {1 - part[-1].sum():.2g} lies elsewhere" in title(ax)
    assert "projection" not in title(ax)


def test_more_than_three_are_projected_to_a_polygon_and_called_unfaithful():
    run = solve("extragradient", game=random_game(6), temperature=0.2)
    ax = plot.simplex_trajectory(run)
    corners = np.array([corner_places(ax)[str(i)] for i in range(6)])
    assert_allclose(np.linalg.norm(corners, axis=1), 1.0)
    assert_allclose(by_gid(ax, "last-0").get_xydata(), np.exp(run.run.log_last) @ corners, atol=1e-12)
    assert "projection, not faithful; see responses=[...]" in title(ax)
    triangle = plot.simplex_trajectory(solve("extragradient", temperature=0.2, steps=5))
    assert "projection" not in title(triangle)


def test_an_equilibrium_off_the_face_has_no_place_on_it():
    game = gp.zoo["clear_favourite"].game
    run = solve(WEIGHTS(step_size=0.1), game=game, steps=10)
    winner = int(np.argmax(gp.solve(game).policy))
    others = [name for i, name in enumerate(game.names) if i != winner][:3]
    ax = plot.simplex_trajectory(run, responses=others)
    assert np.isnan(by_gid(ax, "equilibrium-0").get_xydata()).all()
    assert legend(ax)[-1] == "equilibrium (where it plays one of the three)"


def test_responses_ruled_out_by_the_reference_stay_at_zero():
    run = solve("extragradient", temperature=0.2, reference=[0.5, 0.5, 0.0], steps=10)
    ax = plot.simplex_trajectory(run)
    corners = np.array(list(corner_places(ax).values()))
    policies = np.column_stack([np.exp(run.run.log_last), np.zeros(len(run.run.steps))])
    assert_allclose(by_gid(ax, "last-0").get_xydata(), policies @ corners, atol=1e-12)


def test_the_vector_field_points_where_a_small_step_leads():
    game, reference = CYCLE, [0.2, 0.3, 0.5]
    run = solve("extragradient", temperature=0.1, reference=reference, steps=5)
    ax = plot.simplex_trajectory(run, vector_field=True)
    field = by_gid(ax, "field")
    corners = np.array(list(corner_places(ax).values()))
    to_policy = np.linalg.inv(np.vstack([corners.T, np.ones(3)]))
    at = np.column_stack([field.X, field.Y])
    arrows = np.column_stack([field.U, field.V])
    assert len(at) > 50
    for point, arrow in zip(at, arrows, strict=True):
        policy = to_policy @ [*point, 1.0]
        step = solve(EXTRAGRADIENT(step_size=1e-5), temperature=0.1, reference=reference, start=policy, steps=1)
        move = (np.exp(step.run.log_last[-1]) - policy) @ corners
        assert_allclose(arrow / np.linalg.norm(arrow), move / np.linalg.norm(move), atol=1e-3)
    assert game.n_responses == 3


def test_a_path_of_too_few_points_says_how_to_get_more():
    rough = solve(WEIGHTS(step_size=0.5), start=START, steps=1500)
    fine = solve(WEIGHTS(step_size=0.5), start=START, steps=1500, record=gp.Record(per_decade=1000))
    assert "solve with record=gp.Record(per_decade=1000)" in title(plot.simplex_trajectory(rough))
    assert "far apart" not in title(plot.simplex_trajectory(fine))


def test_pictures_that_cannot_be_drawn_say_what_to_do_instead(weights):
    large = solve("extragradient", game=random_game(13), temperature=0.2, steps=3)
    with pytest.raises(InputError, match=r"13 responses .*choose three of them, as in responses=\(0, 1, 2\)"):
        plot.simplex_trajectory(large)
    with pytest.raises(InputError, match="vector_field is for games of three responses; this one has 13"):
        plot.simplex_trajectory(large, responses=[0, 1, 2], vector_field=True)
    pair = solve(WEIGHTS(step_size=0.1), game=gp.preference_game([[0.5, 0.6], [0.4, 0.5]]), steps=3)
    with pytest.raises(InputError, match="2 responses has no triangle"):
        plot.simplex_trajectory(pair)
    for wrong in (["rock", "paper"], ["rock", "rock", "paper"]):
        with pytest.raises(InputError, match="three different labels"):
            plot.simplex_trajectory(weights, responses=wrong)
    with pytest.raises(InputError, match="well"):
        plot.simplex_trajectory(weights, responses=["rock", "paper", "well"])
    other = solve(WEIGHTS(step_size=0.1), game=gp.zoo["comal"].game, steps=3)
    with pytest.raises(InputError, match="the responses of 'b' are not those of 'a'"):
        plot.simplex_trajectory({"a": weights, "b": other})


# --- all of them ------------------------------------------------------------------------------------------

PICTURES = [plot.gap_curves, plot.convergence, plot.simplex_trajectory]


@pytest.mark.parametrize("draw", PICTURES)
def test_solutions_without_a_run_are_refused(draw, weights):
    with pytest.raises(InputError, match=r"the solution 'exact' \(by .*\) has no run to draw: exact methods have none"):
        draw({"exact": gp.solve(CYCLE)})
    with pytest.raises(InputError, match="JSON does not keep it"):
        draw(gp.Solution.from_json(weights.to_json()))
    with pytest.raises(InputError, match="must be a Solution, a list of them, or a mapping"):
        draw("extragradient")
    with pytest.raises(InputError, match=r"\['a'\] is empty"):
        draw({"a": []})
    with pytest.raises(InputError, match="is empty"):
        draw([])


@pytest.mark.parametrize("draw", PICTURES)
def test_given_axes_are_drawn_on_and_nothing_else_changes(draw, weights):
    before = dict(matplotlib.rcParams)
    ax = Figure().add_subplot()
    assert draw(weights, ax=ax) is ax
    assert title(ax)
    assert dict(matplotlib.rcParams) == before


@pytest.mark.skipif(LAST_RESORT not in font_family(), reason="matplotlib before 3.11 warns of missing glyphs")
@pytest.mark.parametrize("draw", PICTURES)
def test_names_are_written_as_they_are(draw, weights, tmp_path):
    game = gp.preference_game(CYCLE.preference, names=["$a$_{", "日本語の応答", "two\nlines"])
    run = solve(WEIGHTS(step_size=0.1), game=game, steps=20)
    plot.save(draw({"$run$_{ <b>": run}), tmp_path / "x.svg")
    text = (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert "$run$_{" in text or "$" not in title(draw({"$run$": run}))
    if draw is plot.simplex_trajectory:
        assert ">$a$_{<" in text


def text_boxes(figure: Figure, ax) -> dict[str, list]:
    """Return the boxes in pixels of what must not overlap."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    corners = [text.get_window_extent(renderer) for text in ax.texts if text.get_gid() == "corner"]
    heads = [
        text.get_window_extent(renderer) for text in (ax.title, ax._left_title) if text.get_text()
    ]
    return {"corner": corners, "title": heads, "legend": [ax.get_legend().get_window_extent(renderer)]}


@pytest.mark.parametrize("size", [(3.2, 3.6), (6.0, 4.5), (12.0, 6.0), None])
@pytest.mark.parametrize("n", [3, 4, 5, 10, 12])
def test_no_name_covers_another_or_the_title(n, size):
    run = solve("extragradient", game=random_game(n, names=LONG[:n]), temperature=0.2, steps=4)
    ax = None if size is None else Figure(figsize=size, layout="constrained").add_subplot()
    ax = plot.simplex_trajectory(run, ax=ax)
    boxes = list(itertools.chain(*text_boxes(ax.figure, ax).values()))
    assert len(boxes) == n + 2
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    page = ax.figure.bbox
    for box in boxes[:n]:
        assert page.x0 - 1 <= box.x0 and box.x1 <= page.x1 + 1 and page.y0 <= box.y0 and box.y1 <= page.y1


def test_names_of_neighbouring_panels_do_not_meet():
    run = solve("extragradient", game=random_game(3, names=LONG[:3]), temperature=0.2, steps=4)
    page = Figure(figsize=(9.0, 3.5), layout="constrained")
    panels = page.subplots(1, 3)
    for ax in panels:
        plot.simplex_trajectory(run, ax=ax)
    boxes = [list(itertools.chain(*text_boxes(page, ax).values())) for ax in panels]
    for left, right in itertools.combinations(boxes, 2):
        assert not any(a.overlaps(b) for a in left for b in right)


@pytest.mark.parametrize(("count", "size"), [(1, (3.2, 3.0)), (1, None), (10, (8.0, 6.0)), (10, None)])
def test_the_legend_covers_no_data(count, size, weights):
    runs = dict.fromkeys(LONG[:count], weights)
    if count > 1:
        # With an equilibrium of its own.
        runs[LONG[0]] = solve(WEIGHTS(step_size=0.1), game=OTHER, steps=5)
    for draw in PICTURES:
        ax = None if size is None else Figure(figsize=size, layout="constrained").add_subplot()
        ax = draw(runs, ax=ax)
        boxes = text_boxes(ax.figure, ax)
        assert boxes["legend"][0].y1 <= ax.get_window_extent().y0 + 1
        assert not boxes["legend"][0].overlaps(boxes["title"][0])
        if size is None:
            assert boxes["legend"][0].y0 >= 0 and boxes["legend"][0].x0 >= 0
            assert boxes["legend"][0].x1 <= ax.figure.bbox.x1


# --- the page that shows them -----------------------------------------------------------------------------

DOCS = pathlib.Path(__file__).parents[1] / "docs"


def test_every_picture_of_the_page_is_there():
    text = (DOCS / "running_methods.md").read_text(encoding="utf-8")
    shown = re.findall(r"\]\((images/[^)]+)\)", text)
    assert len(shown) == 5
    for name in shown:
        assert (DOCS / name).read_bytes().startswith(b"\x89PNG")
    assert sorted(f"images/{file.name}" for file in (DOCS / "images").glob("run_*.png")) == sorted(shown)


@pytest.mark.slow
def test_the_page_draws_the_pictures_that_it_shows(tmp_path):
    spec = importlib.util.spec_from_file_location("draw_running_methods", DOCS / "draw_running_methods.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    drawn = dict(script.pictures(script.PAGE))
    assert [file.name for file in drawn] == [
        "run_paths.png", "run_bound.png", "run_gaps.png", "run_rate.png", "run_noise.png"
    ]
    assert len({id(axes) for axes in drawn.values()}) == 5
    for file, axes in drawn.items():
        plot.save(axes, tmp_path / file.name)
        assert (tmp_path / file.name).stat().st_size > 10_000
