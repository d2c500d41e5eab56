"""Theorems and their known limits, on runs: what holds, how tightly, and what does not."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref.methods._info import Bound, Contraction, Decay, LocalRate, Trial
from gametheory_pref.rate_report import RateReport
from gametheory_pref.verification import game_by_name

ASYMMETRIC = gp.from_margins([[0.0, 0.4, -0.45], [-0.4, 0.0, 0.2], [0.45, -0.2, 0.0]])


def reference(n: int) -> np.ndarray:
    weight = np.exp(np.random.default_rng(1).standard_normal(n))
    return weight / weight.sum()


def run(game: Any, method: str, temperature: float = 0.0, *, steps: int = 20_000, **settings: Any) -> gp.Solution:
    game = game_by_name(game) if isinstance(game, str) else game
    where = settings.pop("start", None)
    return gp.solve(
        game,
        gp.METHODS[method](**settings),
        temperature=temperature,
        reference=reference(game.n_responses),
        start=where,
        tol=1e-24,
        max_steps=steps,
        record=gp.Record(per_decade=64),
    )


def part(solution: gp.Solution, kind: str) -> RateReport:
    """Return the report on the theorem of a method whose name ends so."""
    report = gp.verify_rate(solution)
    return next(found for found in report.parts if found.name.endswith(kind))


# Step size at the cap, its contraction, and the factor of the tail, for the caps of mirror descent and extragradient,
# and for the step 1 / (1/2 + beta) of Nash-Mirror-Prox and of the proximal point.
ANCHORED = [
    ("rock_paper_scissors", 0.5, (1.000, 0.5000, 0.3283), (1.236, 0.3820, 0.0867), 0.1979, 0.2322),
    ("rock_paper_scissors", 0.1, (0.3846, 0.9615, 0.9368), (1.810, 0.8190, 0.4822), 0.5240, 0.5648),
    ("rock_paper_scissors", 0.02, (0.0799, 0.99840, 0.99734), (1.960, 0.9608, 0.7060), 0.7119, 0.7068),
    ("comal", 0.1, (0.5882, 0.9412, 0.9008), (2.207, 0.7793, 0.4509), 0.5917, 0.6197),
    ("comal", 0.02, (0.1247, 0.99751, 0.99570), (2.438, 0.9512, 0.7133), 0.7894, 0.7961),
    ("random_10_0", 0.5, (1.030, 0.4851, 0.2565), (1.256, 0.3718, 0.1271), 0.2406, 0.2474),
    ("random_10_0", 0.1, (0.4073, 0.9593, 0.9283), (1.859, 0.8141, 0.6608), 0.6928, 0.6930),
    ("random_10_0", 0.02, (0.0848, 0.99830, 0.99706), (2.019, 0.9596, 0.9182), 0.9221, 0.9223),
]


@pytest.mark.parametrize(
    ("game", "beta", "descent", "extra", "mirror_prox", "proximal"), ANCHORED, ids=[f"{r[0]}-{r[1]}" for r in ANCHORED]
)
def test_anchored_methods_contract_and_their_tails_are_predicted(
    game: str, beta: float, descent: Any, extra: Any, mirror_prox: float, proximal: float
) -> None:
    step = 1.0 / (0.5 + beta)
    rows = [
        ("mirror_descent", {}, *descent),
        ("extragradient", {}, *extra),
        ("extragradient", {"step_size": step}, step, 0.5 / (0.5 + beta), mirror_prox),
        ("proximal_point", {"step_size": step}, step, 0.5 / (0.5 + beta), proximal),
    ]
    for method, settings, eta, factor, tail in rows:
        solution = run(game, method, beta, **settings)
        contraction, local = part(solution, "-contraction"), part(solution, "-local-rate")
        assert contraction.verdict == "holds", contraction.reason
        assert local.verdict in {"holds", "inconclusive"}, local.reason
        assert_allclose(solution.run.rule.step_size.scale, eta, rtol=5e-3)
        assert_allclose(contraction.curve.bounds[1] / contraction.curve.values[0], factor, rtol=1e-4)
        # The fastest tails were read off fewer digits.
        assert_allclose(np.log(local.observed_factor), np.log(tail), rtol=0.03)
        assert contraction.tightness < 1.0


@pytest.mark.parametrize("game", ["rock_paper_scissors", "comal"])
def test_single_call_methods_fall_at_the_rates_seen_before(game: str) -> None:
    tails = {"rock_paper_scissors": (0.718, 0.699), "comal": (0.765, 0.755)}[game]
    for method, tail in zip(("optimistic", "forward_reflected"), tails, strict=True):
        local = part(run(game, method, 0.1, step_size=1.0), "-local-rate")
        assert local.verdict == "holds", local.reason
        assert_allclose(local.observed_factor, tail, rtol=0.01)


def test_theorems_hold_between_two_players() -> None:
    game = gp.zoo["oneill"].game
    apart = ([0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4])
    where: list[dict[str, Any]] = [{"temperature": 0.1, "reference": apart}, {"start": apart}]
    for place in where:
        solution = gp.solve(game, "extragradient", tol=1e-24, max_steps=2000, record=gp.Record(per_decade=64), **place)
        for kind in ("-contraction", "-local-rate"):
            assert part(solution, kind).verdict == "holds", part(solution, kind).reason


def test_responses_that_the_reference_rules_out_do_not_matter() -> None:
    solution = gp.solve(
        gp.zoo["dominated_lizard"].game,
        "extragradient",
        temperature=0.1,
        reference=[0.5, 0.3, 0.0, 0.2],
        tol=0,
        max_steps=300,
        record=gp.Record(per_decade=64),
    )
    for kind in ("-contraction", "-local-rate", "-gap"):
        assert part(solution, kind).verdict == "holds", part(solution, kind).reason


# -- Nash-MD: its schedule is loose, and a constant step is biased


def test_the_nash_md_schedule_is_loose_by_a_factor_of_two_hundred() -> None:
    worst = 0.0
    for game in ("rock_paper_scissors", ASYMMETRIC, "comal"):
        solution = run(game, "nash_md", 0.02, steps=1_000_000)
        report = gp.verify_rate(solution, "nash-md-theorem")
        assert report.verdict == "holds", report.reason
        worst = max(worst, report.tightness)
    assert 0.003 < worst <= 0.0045


def test_on_the_schedule_nash_md_falls_like_the_square_and_mirror_descent_like_the_fourth_power() -> None:
    def falls(power: float) -> Decay:
        return Decay("falls", "...", "a test", "last", lambda rule, facts: None, "kl", power)

    on_schedule = gp.Schedule(20.0, 2.0, 1.0)
    nash = run("comal", "nash_md", 0.1, steps=50_000)
    descent = run("comal", "mirror_descent", 0.1, steps=50_000, step_size=on_schedule)
    assert nash.run.rule.step_size == on_schedule
    assert gp.verify_rate(nash, falls(-2.0)).verdict == "holds"
    assert gp.verify_rate(nash, falls(-3.0)).verdict == "violated"
    assert gp.verify_rate(descent, falls(-4.0)).verdict == "holds"
    assert_allclose(gp.verify_rate(descent, falls(-4.0)).slope, -4.0, atol=0.1)


@pytest.mark.parametrize(
    ("game", "bias"), [("rock_paper_scissors", 5.8e-5), ("comal", 1.2e-4), ("random_10_0", 5.1e-4)]
)
def test_nash_md_with_a_constant_step_misses_the_equilibrium(game: str, bias: float) -> None:
    solution = run(game, "nash_md", 0.1, step_size=0.5)
    limit = next(g for g in gp.METHODS["nash_md"].info.guarantees if g.name == "nash-md-constant-step-limit")
    # The theorem asks for a smaller step; the limit is the same where the iterates converge.
    report = gp.verify_rate(solution, dataclasses.replace(limit, hypotheses=lambda rule, facts: None))
    assert report.verdict == "holds" and "the claimed limit is not the equilibrium" in report.reason
    assert_allclose(np.exp(limit.log_policy(solution.run.rule, solution.run.facts)), solution.policy, atol=1e-12)
    facts = solution.run.facts
    assert_allclose(facts.divergence_from(facts.log_equilibrium, solution.run.log_last[-1:])[0], bias, rtol=0.05)
    assert gp.verify_rate(solution, "nash-md-constant-step-equilibrium").verdict in {"violated", "inconclusive"}


def test_nash_md_keeps_its_rate_under_sampled_labels() -> None:
    """Two hundred seeds: the mean stays below the theorem and falls like 1 / t, not faster."""
    rng = np.random.SeedSequence(3)
    runs = [
        gp.solve(
            gp.zoo["comal"].game,
            "nash_md",
            temperature=0.5,
            reference=reference(3),
            tol=0,
            max_steps=5000,
            oracle=gp.Sampled(opponents=1),
            rng=np.random.default_rng(seed),
        )
        for seed in rng.spawn(200)
    ]
    assert gp.verify_rate(runs, "nash-md-sampled-schedule").verdict == "holds"
    assert gp.verify_rate(runs[:5], "nash-md-sampled-schedule").verdict == "inconclusive"
    assert gp.verify_rate(runs, "nash-md-schedule").verdict == "inconclusive"

    def falls(power: float) -> Decay:
        return Decay("falls", "...", "a test", "last", lambda rule, facts: None, "kl", power, sampled=True)

    linear = gp.verify_rate(runs, falls(-1.0))
    assert linear.verdict == "holds" and linear.n_runs == 200, linear.reason
    assert linear.slope_interval[0] < -1.0 < linear.slope_interval[1]
    assert gp.verify_rate(runs, falls(-1.3)).verdict == "violated"
    # Twenty seeds leave too wide an interval for a verdict on 1 / t.
    assert gp.verify_rate(runs[:20], falls(-1.0)).verdict == "inconclusive"


# -- step caps


def test_mirror_descent_turns_stable_where_the_spectrum_says() -> None:
    """Rock, paper, scissors at 0.02: stable below 2 beta / (beta^2 + 1/12) = 0.4777."""
    stable = part(run("rock_paper_scissors", "mirror_descent", 0.02, step_size=0.45), "-local-rate")
    assert stable.verdict == "holds" and stable.observed_factor < 1.0
    cycling = run("rock_paper_scissors", "mirror_descent", 0.02, step_size=0.5)
    kl = cycling.run.facts.divergence_from(cycling.run.facts.log_equilibrium, cycling.run.log_last)
    assert kl[-20:].min() > 0.01
    assert part(cycling, "-local-rate").verdict == "inconclusive"
    assert part(cycling, "-contraction").verdict == "inconclusive"
    claimed = dataclasses.replace(
        gp.METHODS["mirror_descent"].info.guarantees[0], hypotheses=lambda rule, facts: None
    )
    assert gp.verify_rate(cycling, claimed).verdict == "violated"


@pytest.mark.parametrize("game", ["rock_paper_scissors", "comal", "random_10_0", "random_10_5"])
def test_without_temperature_extragradient_and_proximal_point_never_move_away(game: str) -> None:
    for method, settings in (("extragradient", {}), ("proximal_point", {"step_size": 5.0})):
        report = part(run(game, method, steps=3000, **settings), "-contraction")
        assert report.verdict == "holds", report.reason
        assert report.tightness <= 1.0 + 1e-9


# -- without temperature


def test_multiplicative_weights_spiral_out_at_the_predicted_rate() -> None:
    start = np.array([0.3334, 0.3333, 0.3333])
    solution = run("rock_paper_scissors", "multiplicative_weights", steps=400, step_size=0.5, start=start)
    report = part(solution, "-local-rate")
    assert report.verdict == "holds"
    assert_allclose((report.predicted_factor, report.observed_factor), 1.020833, atol=2e-6)
    assert part(solution, "-spiral").verdict == "holds"


@pytest.mark.parametrize(
    ("game", "gap", "bound", "last"), [("comal", 1.1e-4, 4.7e-3, 0.064), ("random_10_0", 3.0e-3, 6.8e-3, 0.44)]
)
def test_the_average_of_multiplicative_weights(game: str, gap: float, bound: float, last: float) -> None:
    steps, played = 100_000, game_by_name(game)
    eta = float(np.sqrt(8.0 * np.log(played.n_responses) / steps))
    rule = gp.METHODS["multiplicative_weights"](step_size=eta)
    solution = gp.solve(played, rule, tol=0, max_steps=steps, record=gp.Record(per_decade=64))
    report = part(solution, "weights-average")
    assert report.verdict == "holds"
    # The constants of the bound use a = 1/2, the largest that win probabilities allow.
    printed = 2.0 * np.log(played.n_responses) / (eta * steps) + eta / 4.0
    assert_allclose(printed, bound, rtol=0.01)
    assert report.curve.bounds[-1] <= printed
    assert_allclose(report.curve.values[-1], gap, rtol=0.03)
    assert_allclose(solution.run.gap_last[-1], last, rtol=0.02)


def test_the_printed_onpo_constant_fails_on_the_star() -> None:
    """4 sqrt(D) / T, printed, against 2 (D / eta + eta a^2) / T, proved; 100 responses, eta = 1/2."""
    game, half = game_by_name("star_100"), 0.5
    solution = gp.solve(
        game, gp.METHODS["optimistic"](step_size=half), tol=0, max_steps=1000, record=gp.Record(per_decade=64)
    )
    at = dict(zip(solution.run.steps.tolist(), solution.run.gap_average.tolist(), strict=True))
    assert_allclose(at[1000], 0.01793, rtol=1e-3)
    assert gp.verify_rate(solution, "optimistic-average").verdict == "holds"
    printed = gp.verify_rate(solution, "onpo-theorem-2")
    assert printed.verdict == "violated"
    assert_allclose(printed.tightness, 17.9 / 8.6, rtol=0.01)


# -- mutations: every bound and contraction of the library, a fifth below what happens


MUTATED = ("extragradient", "mirror_descent", "multiplicative_weights", "optimistic", "nash_md", "proximal_point")


@pytest.mark.parametrize("method", MUTATED)
def test_theorems_a_fifth_too_good_are_violated(method: str) -> None:
    rule = gp.METHODS[method]
    warm = [0.1] * ("regularized" in rule.info.solves)
    cold = [0.0] * ("minimax" in rule.info.solves)
    tried = 0
    for beta in (*warm, *cold):
        solution = run("comal", method, beta, steps=5000)
        for theorem in rule.info.guarantees:
            if not theorem.proved or gp.verify_rate(solution, theorem).verdict != "holds":
                continue
            worse = too_good(theorem, gp.verify_rate(solution, theorem).tightness)
            if worse is not None:
                tried += 1
                assert gp.verify_rate(solution, worse).verdict == "violated", theorem.name
    assert tried


def too_good(theorem: Any, tightness: float) -> Any:
    """Return the theorem with a bound a fifth below what was observed; None for kinds without a bound."""
    if isinstance(theorem, Bound):
        return dataclasses.replace(
            theorem, bound=lambda rule, facts, t: 0.8 * tightness * theorem.bound(rule, facts, t)
        )
    if isinstance(theorem, LocalRate):
        # A factor whose logarithm is a fifth larger.
        return dataclasses.replace(theorem, factor=lambda rule, facts: theorem.factor(rule, facts) ** 1.2)
    if isinstance(theorem, Contraction):
        sign = -1.0 if theorem.grows else 1.0
        shift = sign * np.log(tightness) + np.log(0.8 if not theorem.grows else 1.25)
        return dataclasses.replace(
            theorem, log_factor=lambda rule, facts, t: theorem.log_factor(rule, facts, t) + shift * t
        )
    return None


# -- Smith sets and Condorcet winners


def test_temperature_lets_mass_out_of_the_smith_set_gradually() -> None:
    """A cycle of three that beats two others narrowly, of which one beats the other surely."""
    wins = np.full((5, 5), 0.5)
    for i, j, p in ((0, 1, 0.6), (1, 2, 0.55), (2, 0, 0.7), (3, 4, 1.0)):
        wins[i, j], wins[j, i] = p, 1.0 - p
    wins[:3, 3:], wins[3:, :3] = 0.52, 0.48
    game = gp.preference_game(wins)
    assert gp.smith_set(game) == (0, 1, 2)
    assert_allclose(gp.solve(game).policy, [1 / 7, 4 / 7, 2 / 7, 0, 0], atol=1e-12)
    for beta, mass in ((0.5, 0.386), (0.1, 0.309), (0.02, 0.138), (0.005, 0.012)):
        assert_allclose(gp.solve(game, temperature=beta).policy[3:].sum(), mass, atol=5e-4)


def test_trials_describe_themselves() -> None:
    from gametheory_pref.verification import Case

    case = Case(Trial("comal", 0.1, {"step_size": 0.5}), gp.RateReport("m", None, "holds", "because"))
    assert str(case) == "comal, temperature 0.1, step_size 0.5"
