"""Verdicts are right on runs whose answer is known, and nothing holds by luck."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref.methods._info import Bound, Contraction, Decay, Guarantee, Limit, LocalRate

START = [0.5, 0.3, 0.2]
COMAL = gp.zoo["comal"].game
RPS = gp.zoo["rock_paper_scissors"].game
EXTRAGRADIENT = gp.METHODS["extragradient"]


def always(rule: Any, facts: Any) -> None:
    return None


def run_of(game: Any = COMAL, method: Any = "extragradient", temperature: float = 0.1, **more: Any) -> gp.Solution:
    settings = {"max_steps": 150, "tol": 0.0, "record": gp.Record(per_decade=64), "jit": False, **more}
    if "reference" not in more and "start" not in more:
        settings["reference"] = START
    return gp.solve(game, method, temperature=temperature, **settings)


@pytest.fixture(scope="module")
def good() -> gp.Solution:
    return run_of()


def with_policies(solution: gp.Solution, log_last: np.ndarray, steps: np.ndarray | None = None) -> gp.Solution:
    """Return the solution as if these had been its iterates."""
    run = solution.run
    steps = run.steps[: len(log_last)] if steps is None else steps
    log_last = log_last - np.log(np.exp(log_last).sum(axis=1, keepdims=True))
    policies = np.exp(log_last)
    gaps = run.facts.gaps(log_last, run.facts.temperature)
    changed = dataclasses.replace(
        run, steps=steps, log_last=log_last, average=policies, gap_last=gaps, gap_average=gaps
    )
    return dataclasses.replace(solution, run=changed)


def at_rest(solution: gp.Solution) -> gp.Solution:
    return with_policies(solution, np.tile(solution.run.log_last[0], (len(solution.run.steps), 1)))


def falling(solution: gp.Solution, divergences: np.ndarray, steps: np.ndarray) -> gp.Solution:
    """Return a run whose divergences from the equilibrium are these, when small."""
    facts = solution.run.facts
    pi = np.exp(facts.log_equilibrium)
    tilt = np.array([1.0, -1.0, 0.3])
    size = np.sqrt(2.0 * divergences / (pi @ tilt**2 - (pi @ tilt) ** 2))
    return with_policies(solution, facts.log_equilibrium + size[:, None] * tilt, steps)


def bound(value: Any, quantity: Any = "gap", of: Any = "last", **more: Any) -> Bound:
    return Bound("a-bound", "...", "a test", of, always, quantity, lambda rule, facts, steps: value(steps), **more)


def contraction(factor: float, *, grows: bool = False) -> Contraction:
    return Contraction(
        "a-contraction", "...", "a test", "last", always, lambda rule, facts, t: t * np.log(factor), grows
    )


def local_rate(factor: float) -> LocalRate:
    return LocalRate("a-rate", "...", "a test", "last", always, lambda rule, facts: factor)


def limit(policy: Any) -> Limit:
    return Limit("a-limit", "...", "a test", "last", always, lambda rule, facts: np.log(policy))


def decay(power: float, quantity: Any = "kl", **more: Any) -> Decay:
    return Decay("a-decay", "...", "a test", "last", always, quantity, power, **more)


# -- what is asked


def test_all_theorems_of_a_method_are_judged(good: gp.Solution) -> None:
    report = gp.verify_rate(good)
    proved = [theorem.name for theorem in EXTRAGRADIENT.info.guarantees if theorem.proved]
    assert [part.name for part in report.parts] == proved
    assert report.verdict == "holds"
    assert report.guarantee is None and report.name == "extragradient"


def test_a_theorem_goes_by_its_name(good: gp.Solution) -> None:
    theorem = EXTRAGRADIENT.info.guarantees[0]
    assert gp.verify_rate(good, theorem.name).reason == gp.verify_rate(good, theorem).reason


@pytest.mark.parametrize(
    ("runs", "guarantee", "message"),
    [
        (lambda good: good, "no-such-theorem", "guarantee must be one of extragradient-contraction"),
        (lambda good: [], None, "runs must be a Solution"),
        (lambda good: 3, None, "runs must be a Solution"),
        (lambda good: [good, 3], None, "runs must be a Solution"),
        (lambda good: gp.solve(COMAL), None, "by simplex, which has no run of an update rule"),
        (
            lambda good: [good, run_of(method="multiplicative_weights", temperature=0.0, max_steps=5)],
            None,
            "runs must be by one method; got extragradient, multiplicative_weights",
        ),
    ],
    ids=["theorem", "empty", "a number", "not a solution", "exact", "two methods"],
)
def test_wrong_questions_are_refused(good: gp.Solution, runs: Any, guarantee: Any, message: str) -> None:
    with pytest.raises(gp.InputError, match=message):
        gp.verify_rate(runs(good), guarantee)


def test_runs_judged_together_must_be_of_one_problem(good: gp.Solution) -> None:
    with pytest.raises(gp.InputError, match="runs must be of one problem"):
        gp.verify_rate([good, run_of(RPS)], decay(-1.0))


def test_reports_are_plain_data_and_readable(good: gp.Solution) -> None:
    report = gp.verify_rate(good)
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain["verdict"] == "holds" and len(plain["parts"]) == len(report.parts)
    assert plain["parts"][0]["statement"] == EXTRAGRADIENT.info.guarantees[0].statement
    for part in report.parts:
        assert part.name in repr(report) and part.name in report._repr_html_()


# -- hypotheses first


def test_a_failing_hypothesis_is_the_reason() -> None:
    beyond = run_of(method=EXTRAGRADIENT(step_size=4.0))
    report = gp.verify_rate(beyond, "extragradient-contraction")
    assert report.verdict == "inconclusive"
    assert "step_size is 4; the theorem needs at most" in report.reason


def test_theorems_about_exact_payoffs_say_nothing_about_samples() -> None:
    noisy = run_of(oracle=gp.Sampled(opponents=5), rng=0)
    for claim in (contraction(0.5), bound(lambda t: 0.0 * t), local_rate(0.5), limit(START), decay(-1.0)):
        report = gp.verify_rate(noisy, claim)
        assert report.verdict == "inconclusive" and "sampled" in report.reason


def test_a_run_that_goes_on_is_judged_as_one_unless_its_settings_change(tmp_path: Any) -> None:
    first = run_of(max_steps=5)
    more = {"temperature": 0.1, "reference": START, "tol": 0.0, "max_steps": 40, "jit": False}
    whole = gp.solve(COMAL, "extragradient", start=first, **more)
    report = gp.verify_rate(whole, "extragradient-contraction")
    assert report.verdict == "holds" and report.curve.steps[0] == 0
    other = gp.solve(COMAL, EXTRAGRADIENT(step_size=0.5), start=first, **more)
    gp.save_run(other, tmp_path / "run.npz")
    again = gp.load_run(tmp_path / "run.npz", COMAL, temperature=0.1, reference=START)
    noisy = gp.solve(COMAL, "extragradient", start=first, oracle=gp.Sampled(), rng=0, **more)
    exact = gp.solve(COMAL, "extragradient", start=noisy, **more)
    for mixed in (other, again, exact):
        report = gp.verify_rate(mixed, "extragradient-contraction")
        assert report.verdict == "inconclusive" and "changed on the way" in report.reason


def test_no_unique_equilibrium_no_verdict() -> None:
    several = run_of(gp.zoo["weak_condorcet"].game, temperature=0.0)
    for claim in (contraction(0.5), local_rate(0.5), decay(-1.0), bound(lambda t: 0.0 * t, "kl")):
        report = gp.verify_rate(several, claim)
        assert report.verdict == "inconclusive" and "not unique" in report.reason


# -- bounds


def test_a_bound_is_checked_at_every_record_point(good: gp.Solution) -> None:
    gaps = dict(zip(good.run.steps.tolist(), good.run.gap_last.tolist(), strict=True))
    exact = np.vectorize(gaps.get, otypes=[float])
    assert gp.verify_rate(good, bound(lambda t: 1.0001 * exact(t))).verdict == "holds"
    for wrong in (0, 1, 7, 20):
        report = gp.verify_rate(good, bound(lambda t, wrong=wrong: np.where(t == wrong, 0.999, 1.0001) * exact(t)))
        assert report.verdict == "violated" and f"after step {wrong}," in report.reason
        assert_allclose(report.tightness, 1.0 / 0.999, rtol=1e-12)


@pytest.mark.parametrize("of", ["last", "average"])
@pytest.mark.parametrize("quantity", ["gap", "gap0", "kl"])
def test_quantities_are_those_of_the_policies(good: gp.Solution, quantity: str, of: str) -> None:
    report = gp.verify_rate(good, bound(lambda t: 1e9 / (t + 1.0), quantity, of))
    policy = good.run.average[9] if of == "average" else np.exp(good.run.log_last[9])
    pi = gp.solve(COMAL, temperature=0.1, reference=START).policy
    expected = {
        "gap": gp.duality_gap(COMAL, policy, temperature=0.1, reference=START),
        "gap0": gp.duality_gap(COMAL, policy),
        "kl": float(pi @ np.log(pi / policy)),
    }
    assert_allclose(report.curve.values[9], expected[quantity], rtol=1e-8)


def test_rounding_is_no_violation(good: gp.Solution) -> None:
    assert good.run.gap_last[-1] < 1e-25
    assert gp.verify_rate(good, bound(lambda t: 3.0 * 0.5**t)).verdict == "holds"


def test_a_bound_that_standing_still_would_meet_decides_nothing(good: gp.Solution) -> None:
    loose = bound(lambda t: 10.0 / (t + 1.0) ** 0.1)
    report = gp.verify_rate(good, loose)
    assert report.verdict == "inconclusive" and "standing still would meet it" in report.reason
    assert gp.verify_rate(good, bound(lambda t: np.full(len(t), np.inf))).verdict == "inconclusive"


def test_a_bound_that_forbids_to_rise_is_judged_when_the_policy_moves(good: gp.Solution) -> None:
    first = gp.verify_rate(good, bound(lambda t: 1e9 / (t + 1), "kl")).curve.values[0]
    never_rises = bound(lambda t: np.full(len(t), first), "kl")
    assert gp.verify_rate(good, never_rises).verdict == "holds"
    assert gp.verify_rate(at_rest(good), never_rises).verdict == "inconclusive"


def test_bounds_on_means_take_many_seeds() -> None:
    luck = {"oracle": gp.Sampled(opponents=20), "start": [0.01, 0.01, 0.98], "reference": START}
    runs = [run_of(rng=seed, max_steps=20, temperature=0.5, **luck) for seed in range(20)]
    mean = np.mean([run.run.gap_last for run in runs], axis=0)
    at = dict(zip(runs[0].run.steps.tolist(), mean.tolist(), strict=True))
    exact = np.vectorize(at.get, otypes=[float])
    fair = bound(lambda t: 1.001 * exact(t), sampled=True)
    assert gp.verify_rate(runs, fair).verdict == "holds"
    assert gp.verify_rate(runs, fair).n_runs == 20
    assert "fewer than 20" in gp.verify_rate(runs[:19], fair).reason
    assert gp.verify_rate(runs, bound(lambda t: 0.2 * exact(t), sampled=True)).verdict == "violated"
    close = gp.verify_rate(runs, bound(lambda t: 0.99 * exact(t) + 0.02 * exact(t) * (t == 0), sampled=True))
    assert close.verdict == "inconclusive" and "no more than luck explains" in close.reason


def test_a_bound_on_means_takes_one_run_where_payoffs_are_exact(good: gp.Solution) -> None:
    assert gp.verify_rate(good, bound(lambda t: 3.0 * 0.5**t, sampled=True)).verdict == "holds"
    assert gp.verify_rate(good, bound(lambda t: 0.01 * 0.1**t, sampled=True)).verdict == "violated"


# -- contractions


def test_the_observed_factor_is_the_edge_of_what_holds(good: gp.Solution) -> None:
    curve = gp.verify_rate(good, contraction(0.9)).curve
    above = curve.values > 1e-12
    log_kl, t = np.log(curve.values[above]), curve.steps[above]
    worst = float(np.exp((np.diff(log_kl) / np.diff(t)).max()))
    assert gp.verify_rate(good, contraction(worst * 1.000001)).verdict == "holds"
    report = gp.verify_rate(good, contraction(worst * 0.999))
    assert report.verdict == "violated"
    assert_allclose(report.tightness, 1.0 / 0.999, rtol=1e-6)
    assert_allclose(gp.verify_rate(good, contraction(0.9)).tightness, worst / 0.9, rtol=1e-6)


def test_a_single_rise_is_found(good: gp.Solution) -> None:
    steps = np.arange(40)
    divergences = 1e-4 * 0.5**steps
    assert gp.verify_rate(falling(good, divergences, steps), contraction(0.51)).verdict == "holds"
    divergences[17] *= 1.1
    report = gp.verify_rate(falling(good, divergences, steps), contraction(0.51))
    assert report.verdict == "violated" and "from step 16 to 17" in report.reason


def test_a_slow_drift_that_no_single_step_shows_is_found(good: gp.Solution) -> None:
    """Each step is allowed 1e-9 of slack; from the start the excess adds up."""
    steps = np.arange(0, 200_000, 50)
    slow = falling(good, 1e-4 * np.exp(-1e-5 * (1.0 - 1e-6) * steps), steps)
    assert gp.verify_rate(slow, contraction(np.exp(-1e-5))).verdict == "violated"


def test_growth_is_claimed_the_other_way_round(good: gp.Solution) -> None:
    steps = np.arange(60)
    growing = falling(good, 1e-9 * 1.1**steps, steps)
    assert gp.verify_rate(growing, contraction(1.0, grows=True)).verdict == "holds"
    assert gp.verify_rate(growing, contraction(1.2, grows=True)).verdict == "violated"
    assert gp.verify_rate(good, contraction(1.0, grows=True)).verdict == "violated"


def test_nothing_is_compared_below_the_cutoff(good: gp.Solution) -> None:
    steps = np.arange(30)
    stalls = falling(good, np.maximum(1e-4 * 0.1**steps, 3e-14), steps)
    assert gp.verify_rate(stalls, contraction(0.11)).verdict == "holds"


# -- local rates


@pytest.mark.parametrize("factor", [0.1, 0.6, 0.99])
def test_rates_agree_within_two_per_cent_of_the_logarithm(good: gp.Solution, factor: float) -> None:
    steps = np.unique(np.round(np.geomspace(1, np.log(1e-19) / np.log(factor), 200)).astype(int))
    run = falling(good, 1e-4 * factor**steps, steps)
    assert gp.verify_rate(run, local_rate(factor)).verdict == "holds"
    assert gp.verify_rate(run, local_rate(factor**1.015)).verdict == "holds"
    for wrong in (1.03, 0.97, 0.5, 2.0):
        assert gp.verify_rate(run, local_rate(factor**wrong)).verdict == "violated"


def test_a_rate_that_is_still_changing_decides_nothing(good: gp.Solution) -> None:
    steps = np.arange(60)
    changing = falling(good, 1e-4 * (0.5**steps + 1e-7 * 0.7**steps), steps)
    assert gp.verify_rate(changing, local_rate(0.7)).verdict == "inconclusive"


def test_faster_modes_are_told_from_a_wrong_rate() -> None:
    """In a game of five, a start without the slowest rotation decides nothing; a rate of no rotation is wrong."""
    game = gp.zoo["weighted_five_cycle"].game
    solution = run_of(game, reference=None)
    theorem = next(g for g in EXTRAGRADIENT.info.guarantees if g.name == "extragradient-local-rate")
    facts, rule = solution.run.facts, solution.run.rule
    factors = [theorem.factor(rule, facts.at_frequency(w)) for w in facts.frequencies]
    slow, fast = max(factors), min(factors)
    assert fast < 0.97 * slow
    steps = np.arange(40)

    def run(divergences: np.ndarray) -> gp.Solution:
        tilt = np.array([1.0, -1.0, 0.3, 0.2, 0.0])
        pi = np.exp(facts.log_equilibrium)
        size = np.sqrt(2.0 * divergences / (pi @ tilt**2 - (pi @ tilt) ** 2))
        return with_policies(solution, facts.log_equilibrium + size[:, None] * tilt, steps)

    assert gp.verify_rate(run(1e-4 * slow**steps), theorem).verdict == "holds"
    missing = gp.verify_rate(run(1e-4 * fast**steps), theorem)
    assert missing.verdict == "inconclusive" and "faster modes" in missing.reason
    assert gp.verify_rate(run(1e-4 * (0.5 * fast) ** steps), theorem).verdict == "violated"


def test_waves_do_not_hide_the_rate(good: gp.Solution) -> None:
    steps = np.arange(400)
    waving = falling(good, 1e-4 * 0.93**steps * (1.0 + 0.7 * np.cos(0.31 * steps)), steps)
    assert gp.verify_rate(waving, local_rate(0.93)).verdict == "holds"
    assert gp.verify_rate(waving, local_rate(0.93**1.05)).verdict == "violated"


def test_growth_near_the_equilibrium(good: gp.Solution) -> None:
    steps = np.arange(300)
    growing = falling(good, 1e-10 * 1.05**steps, steps)
    assert gp.verify_rate(growing, local_rate(1.05)).verdict == "holds"
    assert gp.verify_rate(growing, local_rate(0.95)).verdict == "violated"
    assert gp.verify_rate(growing, local_rate(1.06)).verdict == "violated"


def test_far_from_the_equilibrium_a_local_rate_says_nothing(good: gp.Solution) -> None:
    assert gp.verify_rate(at_rest(good), local_rate(0.5)).verdict == "inconclusive"
    assert gp.verify_rate(run_of(max_steps=6), local_rate(0.5)).verdict == "inconclusive"


def test_standing_still_near_the_equilibrium_is_no_rate(good: gp.Solution) -> None:
    steps = np.arange(30)
    resting = falling(good, np.full(30, 1e-8), steps)
    assert gp.verify_rate(resting, local_rate(0.5)).verdict == "violated"


def test_few_points_cannot_tell_a_wave_from_a_wrong_rate() -> None:
    # Two responses turn about nothing, but momentum overshoots: KL nearly vanishes twice on its way.
    short = run_of([[0.5, 0.7], [0.3, 0.5]], "accelerated", max_steps=40, reference=None, record=gp.Record())
    report = gp.verify_rate(short, "accelerated-local-rate")
    assert report.verdict == "inconclusive" and "record points cannot tell a wave from a wrong rate" in report.reason


# -- limits


@pytest.mark.parametrize("step_size", [1e-5, 1e-4, 1e-3])
def test_slow_is_not_wrong(step_size: float) -> None:
    rule = gp.METHODS["nash_md"](step_size=step_size)
    slow = run_of(method=rule, reference=None, start=START, max_steps=2000)
    report = gp.verify_rate(slow, "nash-md-constant-step-limit")
    assert report.verdict == "inconclusive" and report.reason.endswith("still falling, run longer")
    # Where it does not go it does not go slowly either.
    assert gp.verify_rate(slow, limit([0.7, 0.2, 0.1])).verdict == "violated"


def test_limits_are_told_apart(good: gp.Solution) -> None:
    pi = gp.solve(COMAL, temperature=0.1, reference=START).policy
    report = gp.verify_rate(good, limit(pi))
    assert report.verdict == "holds" and "the claimed limit is an equilibrium" in report.reason
    near = pi + np.array([1e-5, -1e-5, 0.0])
    report = gp.verify_rate(good, limit(near))
    assert report.verdict == "violated" and "the claimed limit is not the equilibrium, its gap is" in report.reason
    assert gp.verify_rate(good, limit(START)).verdict == "inconclusive"
    assert gp.verify_rate(run_of(max_steps=8), limit(pi)).verdict == "inconclusive"
    assert gp.verify_rate(at_rest(good), limit(pi)).verdict == "violated"


# -- decays


@pytest.mark.parametrize("power", [-0.5, -1.0, -4.0])
def test_powers_are_one_sided(good: gp.Solution, power: float) -> None:
    steps = np.unique(np.round(np.geomspace(1, 10_000, 120)).astype(int))
    run = falling(good, 1e-2 * 1.0 / (1.0 + steps) ** -power, steps)
    assert gp.verify_rate(run, decay(power)).verdict == "holds"
    assert gp.verify_rate(run, decay(0.5 * power)).verdict == "holds"
    slower = gp.verify_rate(run, decay(1.3 * power))
    assert slower.verdict == "violated"
    assert_allclose(slower.slope, power, rtol=0.02)
    assert slower.window == (int(steps[steps >= 333][0]), 10_000)


def test_a_decay_that_reaches_rounding_is_read_before(good: gp.Solution) -> None:
    assert gp.verify_rate(good, decay(-3.0)).verdict == "holds"
    steps = np.arange(1, 60)
    flat = falling(good, np.full(59, 1e-30), steps)
    assert gp.verify_rate(flat, decay(-3.0)).verdict == "inconclusive"
    assert gp.verify_rate(at_rest(good), decay(-3.0)).verdict == "violated"


def test_decays_of_noisy_runs_take_twenty_seeds(good: gp.Solution) -> None:
    steps = np.unique(np.round(np.geomspace(1, 1000, 60)).astype(int))
    rng = np.random.default_rng(0)
    noisy = run_of(oracle=gp.Sampled(opponents=1), rng=0, max_steps=5)

    def runs(power: float, count: int) -> list[gp.Solution]:
        luck = np.exp(0.5 * rng.standard_normal((count, len(steps))))
        return [falling(noisy, 1e-3 * steps**power * row, steps) for row in luck]

    claim = decay(-1.0, sampled=True)
    assert gp.verify_rate(runs(-1.0, 20), claim).verdict == "holds"
    assert gp.verify_rate(runs(-0.6, 20), claim).verdict == "violated"
    assert gp.verify_rate(runs(-1.0, 19), claim).verdict == "inconclusive"
    low, high = gp.verify_rate(runs(-1.0, 20), claim).slope_interval
    assert low < -1.0 < high


def test_the_ends_of_runs_of_several_lengths_make_a_curve(good: gp.Solution) -> None:
    ends = [100, 200, 400, 800, 1600]
    runs = [falling(good, np.array([1e-2, 1e-2 / end]), np.array([0, end])) for end in ends]
    report = gp.verify_rate(runs, decay(-1.0))
    assert report.verdict == "holds" and report.window == (100, 1600)
    assert_allclose(report.slope, -1.0, rtol=1e-3)
    assert gp.verify_rate(runs, decay(-1.5)).verdict == "violated"
    assert gp.verify_rate(runs[:3], decay(-1.0)).verdict == "inconclusive"


# -- several runs, and none


def test_one_violation_outweighs_the_rest(good: gp.Solution) -> None:
    bad = at_rest(good)
    report = gp.verify_rate([good, bad, good], contraction(0.9))
    assert report.verdict == "violated" and report.n_runs == 3
    assert [part.verdict for part in report.parts] == ["holds", "violated", "holds"]
    assert report.reason.endswith("(1 is violated, 2 hold)")


def test_runs_that_decide_nothing_do_not_stand_in_the_way(good: gp.Solution) -> None:
    report = gp.verify_rate([good, run_of(method=EXTRAGRADIENT(step_size=4.0))], "extragradient-contraction")
    assert report.verdict == "holds" and report.reason.endswith("(1 holds, 1 decides nothing)")


CLAIMS: list[Guarantee] = [
    contraction(0.9),
    bound(lambda t: 0.01 / (t + 1.0)),
    bound(lambda t: 0.01 / (t + 1.0), "kl"),
    bound(lambda t: 0.01 / (t + 1.0), "gap", "average"),
    limit(np.array([0.33728, 0.28336, 0.37936])),
    decay(-1.0),
    decay(-1.0, "gap"),
]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{type(claim).__name__}-{getattr(claim, 'quantity', '')}")
def test_doing_nothing_violates_every_kind_of_claim(good: gp.Solution, claim: Guarantee) -> None:
    assert gp.verify_rate(at_rest(good), claim).verdict == "violated"


def test_doing_nothing_meets_no_claim_of_not_rising(good: gp.Solution) -> None:
    for claim in (contraction(1.0), contraction(1.0, grows=True)):
        report = gp.verify_rate(at_rest(good), claim)
        assert report.verdict == "inconclusive" and "never moved" in report.reason


def test_a_run_that_starts_at_the_equilibrium_decides_nothing() -> None:
    """The uniform policy is where rock, paper, scissors ends."""
    resting = run_of(RPS, temperature=0.1, reference=None)
    for claim in (contraction(0.9), bound(lambda t: 1.0 / (t + 1.0)), local_rate(0.5), limit(np.full(3, 1 / 3))):
        assert gp.verify_rate(resting, claim).verdict == "inconclusive"


@pytest.mark.parametrize("name", [rule.info.name for rule in gp.METHODS.primary()])
def test_a_single_response_decides_nothing(name: str) -> None:
    rule = gp.METHODS[name]
    temperature = 0.0 if "minimax" in rule.info.solves else 0.1
    alone = run_of([[0.5]], name, temperature, reference=None, max_steps=10)
    assert gp.verify_rate(alone).verdict == "inconclusive"


def test_a_run_of_one_step_decides_nothing() -> None:
    short = run_of(max_steps=1)
    assert {part.verdict for part in gp.verify_rate(short).parts if part.name != "extragradient-gap"} == {
        "inconclusive"
    }


def test_iterates_that_stop_being_finite_violate_what_was_promised(good: gp.Solution) -> None:
    broken = dataclasses.replace(good, run=dataclasses.replace(good.run, status=gp.Status.NONFINITE))
    assert gp.verify_rate(broken, contraction(0.9)).verdict == "violated"


@pytest.mark.parametrize(
    "theorem",
    [g for g in EXTRAGRADIENT.info.guarantees if isinstance(g, Bound)],
    ids=lambda theorem: theorem.name,
)
def test_a_bound_a_fifth_below_what_happens_is_violated(good: gp.Solution, theorem: Bound) -> None:
    solution = run_of() if theorem.hypotheses(good.run.rule, good.run.facts) is None else None
    if solution is None:
        pytest.skip("the theorem is about other settings")
    honest = gp.verify_rate(solution, theorem)
    assert honest.verdict == "holds"
    shrunk = dataclasses.replace(
        theorem, bound=lambda rule, facts, t: 0.8 * honest.tightness * theorem.bound(rule, facts, t)
    )
    report = gp.verify_rate(solution, shrunk)
    assert report.verdict == "violated"
    assert report.tightness >= 1.25 * (1.0 - 1e-9)
