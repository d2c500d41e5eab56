r"""One judge per kind of theorem: compare what a run recorded with what is claimed.

Rounding. A claim about gaps is given the relative slack 1e-9 and, absolutely, 64 units of rounding of the payoffs. The
divergence from the equilibrium is known up to :math:`\delta\sqrt{2\,\mathrm{KL}} + \delta^2`, where :math:`\delta` is
`Facts.equilibrium_error`, by the Cauchy-Schwarz inequality; contractions are tested only above 1e-12.

A judge says "holds" only if it could have said "violated": a bound that stays above the value at the start would be
met by a policy that never moves, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ._types import BoolArray, FloatArray, IntArray
from .inclusions import InclusionRun
from .iterating import Run
from .measuring import AnyRun, log_policies, measured, rounding
from .methods._info import Bound, Contraction, Decay, Guarantee, Limit, LocalRate
from .operators import PayoffOperator
from .rate_report import Curve, RateReport, Verdict
from .slopes import mean_line, oscillating_line
from .status import Status

RELATIVE_SLACK = 1e-9
SMALLEST_DIVERGENCE = 1e-12
FEWEST_SEEDS = 20

# Local rates: relative tolerance on the logarithm of the factor; the divergence that counts as near the equilibrium,
# and the relative accuracy of divergences that counts as clear of rounding.
RATE_TOLERANCE = 0.02
NEAR = 1e-3
_ACCURACY = 1e-3
_SHORTEST_FALL = 2.0

# Decays: relative tolerance on the power, the part of the run that is fitted, and the fewest points of a fit.
POWER_TOLERANCE = 0.1
_WINDOW = 30.0
_FEWEST_POINTS = 8

# With fewer record points no wave is taken out, so that the interval of the slope must exclude the rate, too.
_FEWEST_FOR_A_WAVE = 16

# Limits: divergence from the limit that counts as having arrived, and the relative change that counts as none.
ARRIVED = 1e-12
_AT_REST = 1e-9

_LABELS = {
    "gap": "the duality gap",
    "gap0": "the gap of the game without temperature",
    "kl": "KL(pi* || pi)",
    "residual": "the residual",
}

def judge(guarantee: Guarantee, runs: Sequence[AnyRun]) -> RateReport:
    """Return the verdict on a theorem by one run, or by several that differ in their luck or length only."""
    for run in runs:
        reason = _not_applicable(guarantee, run)
        if reason is not None:
            return _report(guarantee, runs, "inconclusive", reason)
    for run in runs:
        if run.status is Status.NONFINITE:
            reason = f"the iterates stopped being finite after step {run.steps[-1]}"
            return _report(guarantee, runs, "violated", reason)
    if isinstance(guarantee, Decay):
        return _judge_decay(guarantee, runs)
    if isinstance(guarantee, Bound) and guarantee.sampled and _depends_on_luck(runs[0]):
        return _judge_mean(guarantee, runs)
    run = runs[0]
    if isinstance(guarantee, Bound):
        return _judge_bound(guarantee, run)
    if isinstance(guarantee, Contraction):
        return _judge_contraction(guarantee, run)
    if isinstance(guarantee, LocalRate):
        return _judge_local_rate(guarantee, run)
    assert isinstance(guarantee, Limit)
    return _judge_limit(guarantee, run)


def _depends_on_luck(run: AnyRun) -> bool:
    return not run.facts.is_exact or run.rule.info.samples_terms


def judged_together(guarantee: Guarantee) -> bool:
    """Return whether all runs make one verdict: a mean or a slope over runs."""
    return isinstance(guarantee, Decay) or guarantee.sampled


def _not_applicable(guarantee: Guarantee, run: AnyRun) -> str | None:
    if isinstance(run, InclusionRun) and getattr(guarantee, "quantity", "") != "residual":
        return "the theorem is about policies in a game; the run was on an inclusion"
    if isinstance(run, Run) and isinstance(run.facts.payoff, PayoffOperator):
        return "the game is known by its products; theorems are put to the test on tables (gp.preference_game)"
    about_samples = guarantee.sampled and isinstance(guarantee, Bound | Decay)
    if not (run.facts.is_exact or about_samples):
        return "the payoffs were sampled; the theorem is about exact ones"
    reason = guarantee.hypotheses(run.rule, run.facts)
    if reason is not None:
        return reason
    about_equilibrium = isinstance(guarantee, Contraction | LocalRate) or getattr(guarantee, "quantity", "") == "kl"
    if about_equilibrium and run.facts.log_equilibrium is None:
        return "the equilibrium is not unique, or float64 cannot tell"
    if run.changed:
        return "the settings or the oracle changed on the way, when the run was gone on with"
    if run.steps[-1] == run.steps[0]:
        return "the run took no step"
    return None


def _report(guarantee: Guarantee, runs: Sequence[AnyRun], verdict: Verdict, reason: str, **numbers: Any) -> RateReport:
    return RateReport(runs[0].rule.info.name, guarantee, verdict, reason, n_runs=len(runs), **numbers)


# -- bounds


def _judge_bound(guarantee: Bound, run: AnyRun) -> RateReport:
    values = measured(run, guarantee.of, guarantee.quantity)
    error = rounding(run, guarantee.quantity, values)
    return _against_bound(guarantee, [run], values, _bounds(guarantee, run), error)


def _judge_mean(guarantee: Bound, runs: Sequence[AnyRun]) -> RateReport:
    """Judge a bound on an expectation by the mean over runs; three standard errors count as luck."""
    if len(runs) < FEWEST_SEEDS:
        reason = f"the theorem is about the mean over luck; {len(runs)} runs are fewer than {FEWEST_SEEDS}"
        return _report(guarantee, runs, "inconclusive", reason)
    if any(not np.array_equal(run.steps, runs[0].steps) for run in runs):
        return _report(guarantee, runs, "inconclusive", "the runs were recorded at different steps")
    values = np.stack([measured(run, guarantee.of, guarantee.quantity) for run in runs])
    mean, bounds = values.mean(axis=0), _bounds(guarantee, runs[0])
    luck = 3.0 * values.std(axis=0, ddof=1) / np.sqrt(len(runs))
    report = _against_bound(guarantee, runs, mean, bounds, luck)
    above = np.flatnonzero(np.isfinite(bounds) & (mean > bounds))
    if report.verdict == "holds" and above.size:
        at = above[0]
        reason = (
            f"the mean of {_of(guarantee, _LABELS[guarantee.quantity])} is {mean[at]:.4g} after step "
            f"{runs[0].steps[at]}, above the bound {bounds[at]:.4g}, but by no more than luck explains; add runs"
        )
        return replace(report, verdict="inconclusive", reason=reason)
    return report


def _bounds(guarantee: Bound, run: AnyRun) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(guarantee.bound(run.rule, run.facts, run.steps), dtype=np.float64)


def _against_bound(
    guarantee: Bound, runs: Sequence[AnyRun], values: FloatArray, bounds: FloatArray, error: FloatArray
) -> RateReport:
    steps, label = runs[0].steps, _of(guarantee, _LABELS[guarantee.quantity])
    curve = Curve(label, steps, values, bounds)
    says = np.isfinite(bounds)
    if not says.any():
        return _report(guarantee, runs, "inconclusive", "the bound is finite at no record point", curve=curve)
    ratio = np.full(len(values), -np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Rounding has no ratio worth telling.
        np.divide(values, bounds, out=ratio, where=says & (values > error))
    over = says & ~(values <= bounds * (1.0 + RELATIVE_SLACK) + error)
    if len(ratio) > 1 and steps[0] == 0 and not over.any():
        # Before the first step a bound may be equal to what it bounds.
        ratio[0] = -np.inf
    worst = int(np.where(over, ratio, -np.inf).argmax() if over.any() else ratio.argmax())
    numbers = f"{label} is {values[worst]:.4g} after step {steps[worst]}"
    tightness = float(ratio.max()) if np.isfinite(ratio.max()) else None
    if over.any():
        reason = f"{numbers}, above the bound {bounds[worst]:.4g}"
        return _report(guarantee, runs, "violated", reason, tightness=tightness, curve=curve)
    if not _could_fail(runs, values, bounds):
        reason = (
            f"the bound never falls below {values[0]:.4g}, where the run began, so that standing still would meet it; "
            f"it is {bounds[says][-1]:.4g} after step {steps[says][-1]}"
        )
        return _report(guarantee, runs, "inconclusive", reason, curve=curve)
    reason = f"{numbers}, at most the bound {bounds[worst]:.4g}, and closest to it there"
    return _report(guarantee, runs, "holds", reason, tightness=tightness, curve=curve)


def _could_fail(runs: Sequence[AnyRun], values: FloatArray, bounds: FloatArray) -> bool:
    """Return whether a policy that never moves would break the bound, or one that moved could have by rising."""
    lowest = float(np.min(bounds[1:], where=np.isfinite(bounds[1:]), initial=np.inf))
    moved = any(run.moved if isinstance(run, InclusionRun) else _moved(run) for run in runs)
    return lowest < values[0] or (moved and lowest <= 1.01 * values[0])


def _moved(run: Run) -> bool:
    return bool((run.log_last != run.log_last[0]).any())


def _of(guarantee: Guarantee, label: str) -> str:
    return f"{label} of the average" if guarantee.of == "average" else label


# -- contractions


class _Pairs(NamedTuple):
    """Record points to compare: divergences before and after, and the logarithm of the factor claimed."""

    first: IntArray
    second: IntArray
    before: FloatArray
    after: FloatArray
    gain: FloatArray


def _judge_contraction(guarantee: Contraction, run: Run) -> RateReport:
    """Compare every record point with the one before it and with the first."""
    kl = measured(run, guarantee.of, "kl")
    with np.errstate(divide="ignore", over="ignore"):
        log_factor = np.asarray(guarantee.log_factor(run.rule, run.facts, run.steps), dtype=np.float64)
        claimed = kl[0] * np.exp(log_factor - log_factor[0])
    curve = Curve(_of(guarantee, _LABELS["kl"]), run.steps, kl, claimed)
    if np.count_nonzero(kl[:-1] > SMALLEST_DIVERGENCE) < 3:
        reason = f"{curve.quantity} exceeds {SMALLEST_DIVERGENCE:g} at fewer than three record points"
        return _report(guarantee, [run], "inconclusive", reason, curve=curve)
    pairs = _pairs(run.steps, kl, log_factor)
    wrong = _not_allowed(guarantee, run, pairs)
    met_by_standing = (pairs.gain <= 0.0).all() if guarantee.grows else (pairs.gain >= 0.0).all()
    if met_by_standing and not wrong.any() and bool((run.log_last == run.log_last[0]).all()):
        return _report(guarantee, [run], "inconclusive", "the policy never moved", curve=curve)
    # What lies below the cutoff has no digits left to compare.
    counted = wrong | (pairs.after > SMALLEST_DIVERGENCE)
    with np.errstate(divide="ignore"):
        excess = (np.log(pairs.after / pairs.before) - pairs.gain) / (pairs.second - pairs.first)
    excess = np.where(counted, -excess if guarantee.grows else excess, -np.inf)
    worst = int(np.where(wrong, excess, -np.inf).argmax() if wrong.any() else excess.argmax())
    verdict: Verdict = "violated" if wrong.any() else "holds"
    tightness = float(np.exp(excess.max())) if counted.any() else None
    reason = _change(guarantee, curve, pairs, worst)
    return _report(guarantee, [run], verdict, reason, tightness=tightness, curve=curve)


def _pairs(steps: IntArray, kl: FloatArray, log_factor: FloatArray) -> _Pairs:
    later = np.arange(1, len(kl))
    first, second = np.concatenate([later - 1, np.zeros_like(later)]), np.concatenate([later, later])
    tested = kl[first] > SMALLEST_DIVERGENCE
    first, second = first[tested], second[tested]
    with np.errstate(invalid="ignore"):
        # A factor of 0 from the start to both is no statement about the second from the first but that it is 0.
        gain = np.nan_to_num(log_factor[second] - log_factor[first], nan=-np.inf, neginf=-np.inf)
    return _Pairs(steps[first], steps[second], kl[first], kl[second], gain)


def _change(guarantee: Contraction, curve: Curve, pairs: _Pairs, at: int) -> str:
    length = pairs.second[at] - pairs.first[at]
    observed = (pairs.after[at] / pairs.before[at]) ** (1.0 / length)
    which = "at least" if guarantee.grows else "at most"
    return (
        f"from step {pairs.first[at]} to {pairs.second[at]} {curve.quantity} goes from {pairs.before[at]:.4g} to "
        f"{pairs.after[at]:.4g}, by {observed:.6g} per step; {which} {np.exp(pairs.gain[at] / length):.6g} is claimed"
    )


def _not_allowed(guarantee: Contraction, run: Run, pairs: _Pairs) -> BoolArray:
    # The cap keeps infinity out of differences.
    factor = np.exp(np.minimum(pairs.gain, 500.0))
    allowed = pairs.before * factor
    error = rounding(run, "kl", pairs.after) + factor * rounding(run, "kl", pairs.before)
    if guarantee.grows:
        return np.asarray(pairs.after < allowed * (1.0 - RELATIVE_SLACK) - error)
    return np.asarray(pairs.after > np.maximum(allowed, SMALLEST_DIVERGENCE) * (1.0 + RELATIVE_SLACK) + error)


# -- local rates


def _judge_local_rate(guarantee: LocalRate, run: Run) -> RateReport:
    if not run.facts.frequencies.size:
        return _report(guarantee, [run], "inconclusive", "the equilibrium plays one response only")
    predicted = float(guarantee.factor(run.rule, run.facts))
    kl = measured(run, guarantee.of, "kl")
    with np.errstate(divide="ignore"):
        goal = float(np.log(predicted))
    curve = Curve(_of(guarantee, _LABELS["kl"]), run.steps, kl, np.full(len(kl), np.nan))
    if not np.isfinite(goal) or abs(goal) < 1e-12:
        reason = f"a factor of {predicted:.6g} per step cannot be read off a curve"
        return _report(guarantee, [run], "inconclusive", reason, predicted_factor=predicted, curve=curve)
    lowest = 2.0 * (run.facts.equilibrium_error / _ACCURACY) ** 2
    window = _tail(kl, lowest, grows=goal > 0.0)
    fall = 0.0 if window.size < 4 else max(
        float(np.ptp(np.log(kl[window]))), abs(goal) * float(np.ptp(run.steps[window]))
    )
    if fall < _SHORTEST_FALL:
        reason = (
            f"too short a stretch near the equilibrium: KL(pi* || pi) goes from {kl[0]:.3g} to {kl[-1]:.3g}, and the "
            f"fit needs a change by exp({_SHORTEST_FALL:g}) between {lowest:.2g} and {NEAR:g}"
        )
        return _report(guarantee, [run], "inconclusive", reason, predicted_factor=predicted, curve=curve)
    return _compare_rates(guarantee, run, curve, window, predicted)


def _compare_rates(
    guarantee: LocalRate, run: Run, curve: Curve, window: IntArray, predicted: float
) -> RateReport:
    goal = float(np.log(predicted))
    steps, logs = run.steps[window].astype(np.float64), np.log(curve.values[window])
    half = max(len(window) // 2 - 1, 0)
    whole, rest = oscillating_line(steps, logs), oscillating_line(steps[half:], logs[half:])
    misses = [abs(fit.slope - goal) / abs(goal) for fit in (whole, rest)]
    curve.bounds[window] = np.exp(whole.intercept + whole.slope * steps)
    observed = float(np.exp(whole.slope))
    numbers: dict[str, Any] = {
        "slope": whole.slope,
        "slope_interval": whole.interval,
        "window": (int(steps[0]), int(steps[-1])),
        "predicted_factor": predicted,
        "observed_factor": observed,
        "tightness": observed / predicted,
        "curve": curve,
    }
    reason = (
        f"from step {steps[0]:.0f} to {steps[-1]:.0f} KL(pi* || pi) changes by {observed:.6g} per step, "
        f"{predicted:.6g} is predicted"
    )
    verdict: Verdict = "violated"
    if max(misses) <= RATE_TOLERANCE:
        verdict = "holds"
    elif misses[1] < 0.9 * misses[0]:
        verdict, reason = "inconclusive", f"{reason}; the rate has not settled ({np.exp(rest.slope):.6g} at the end)"
    elif rest.slope < goal and _is_mixture(guarantee, run, steps, logs):
        verdict, reason = "inconclusive", f"{reason}; faster modes, at the rates predicted for them, still outweigh it"
    elif len(window) < _FEWEST_FOR_A_WAVE and whole.interval[0] <= goal <= whole.interval[1]:
        verdict = "inconclusive"
        reason = f"{reason}; {len(window)} record points cannot tell a wave from a wrong rate, record more"
    return _report(guarantee, [run], verdict, reason, **numbers)


def _tail(kl: FloatArray, lowest: float, *, grows: bool) -> IntArray:
    """Return the record points near the equilibrium, clear of rounding; of these the later half, in log KL."""
    near = np.flatnonzero((kl > lowest) & (kl < NEAR))
    if not near.size:
        return near
    middle = 0.5 * (np.log(kl[near].min()) + np.log(kl[near].max()))
    late = np.log(kl[near]) >= middle if grows else np.log(kl[near]) <= middle
    first = near[late][0] if late.any() else near[0]
    return np.asarray(near[near >= first])


def _is_mixture(guarantee: LocalRate, run: Run, steps: FloatArray, logs: FloatArray) -> bool:
    """Return whether the divergence is a sum of modes at the predicted rates, the faster ones still in it.

    For rules without memory the map is normal in the norm of the divergence, so that modes add up without waves.
    """
    from scipy.optimize import nnls

    with np.errstate(divide="ignore"):
        slopes = [
            float(np.log(guarantee.factor(run.rule, run.facts.at_frequency(float(frequency)))))
            for frequency in run.facts.frequencies
        ]
    modes = np.stack([np.exp(slope * (steps - steps[0]) - (logs - logs[0])) for slope in slopes], axis=1)
    if not np.isfinite(modes).all():
        return False
    weights, _ = nnls(modes, np.ones(len(steps)))
    return bool(np.abs(modes @ weights - 1.0).max() <= RATE_TOLERANCE)


# -- limits


def _judge_limit(guarantee: Limit, run: Run) -> RateReport:
    log_limit = np.asarray(guarantee.log_policy(run.rule, run.facts), dtype=np.float64)
    distance = run.facts.divergence_from(log_limit, log_policies(run, guarantee.of))
    curve = Curve(_of(guarantee, "KL(limit || pi)"), run.steps, distance, np.full(len(distance), np.nan))
    reason = f"KL(limit || pi) is {distance[-1]:.3g} after step {run.steps[-1]}; {_bias(run, log_limit)}"
    verdict: Verdict
    if distance[0] <= 1e6 * ARRIVED:
        verdict, reason = "inconclusive", f"the run starts at the limit, KL(limit || start) = {distance[0]:.3g}"
    elif distance[-1] <= ARRIVED:
        verdict = "holds"
    elif _still_falls(run.steps, distance):
        verdict, reason = "inconclusive", f"{reason}; still falling, run longer"
    else:
        verdict = "violated"
    return _report(guarantee, [run], verdict, reason, curve=curve)


def _still_falls(steps: IntArray, distance: FloatArray) -> bool:
    """Return whether a distance fell in the second half of a run, and hardly less than in the quarter before.

    One that settles above 0 falls less and less; one that goes to 0 slowly falls about twice as much in the half.
    """
    quarter, half, end = (distance[np.searchsorted(steps, steps[-1] // part)] for part in (4, 2, 1))
    if end < 0.9 * half:
        return True
    return bool(half - end > max(0.5 * (quarter - half), _AT_REST * end))


def _bias(run: Run, log_limit: FloatArray) -> str:
    gap = float(run.facts.gaps(log_limit[None], run.facts.temperature)[0])
    if gap <= 1e-12:
        return f"the claimed limit is an equilibrium, its gap is {gap:.2g}"
    equilibrium = run.facts.log_equilibrium
    away = "" if equilibrium is None else (
        f" and KL(pi* || limit) = {run.facts.divergence_from(equilibrium, log_limit[None])[0]:.3g}"
    )
    return f"the claimed limit is not the equilibrium, its gap is {gap:.3g}{away}"


# -- decays


def _judge_decay(guarantee: Decay, runs: Sequence[AnyRun]) -> RateReport:
    """Fit a power law to the last part of the mean curve, or to the ends of runs of several lengths."""
    sampled = _depends_on_luck(runs[0])
    ends = np.array([run.steps[-1] for run in runs])
    horizons = len(np.unique(ends)) > 1
    if sampled and not horizons and len(runs) < FEWEST_SEEDS:
        reason = f"the payoffs were sampled; {len(runs)} runs are fewer than the {FEWEST_SEEDS} that a mean needs"
        return _report(guarantee, runs, "inconclusive", reason)
    curves = [measured(run, guarantee.of, guarantee.quantity) for run in runs]
    if horizons:
        order = np.argsort(ends, kind="stable")
        steps, values = ends[order], np.array([curve[-1] for curve in curves])[order][None]
    else:
        steps, values = runs[0].steps, np.stack(curves)
    floor = float(max(rounding(run, guarantee.quantity, np.array([SMALLEST_DIVERGENCE]))[0] for run in runs))
    mean = values.mean(axis=0)
    begins = 1 if horizons else max(int(steps[-1] / _WINDOW), 1)
    kept = np.flatnonzero((steps >= begins) & (mean > 10.0 * floor))
    if not horizons and kept.size < _FEWEST_POINTS and mean[-1] <= 10.0 * floor:
        # It came down to rounding early: look at the way there.
        kept = np.flatnonzero((steps >= 1) & (mean > 10.0 * floor))
    curve = Curve(_of(guarantee, _LABELS[guarantee.quantity]), steps, mean, np.full(len(mean), np.nan))
    fewest = 4 if horizons else _FEWEST_POINTS
    if kept.size < fewest:
        reason = f"{kept.size} record points above rounding are too few for a slope"
        return _report(guarantee, runs, "inconclusive", reason, curve=curve)
    return _compare_powers(guarantee, runs, curve, kept, values)


def _compare_powers(
    guarantee: Decay, runs: Sequence[AnyRun], curve: Curve, kept: IntArray, values: FloatArray
) -> RateReport:
    steps = curve.steps[kept].astype(np.float64)
    fit = mean_line(steps, values[:, kept])
    curve.bounds[kept] = np.exp(fit.intercept) * steps**fit.slope
    margin = POWER_TOLERANCE * abs(guarantee.power)
    low, high = fit.interval
    reason = (
        f"{curve.quantity} falls like t^{fit.slope:.3f} (95 % interval {low:.3f} to {high:.3f}) from step "
        f"{steps[0]:.0f} to {steps[-1]:.0f}; at least t^{guarantee.power:g} is claimed"
    )
    verdict: Verdict = "inconclusive"
    if high <= guarantee.power + margin:
        verdict = "holds"
    elif low > guarantee.power + margin:
        verdict = "violated"
    return _report(
        guarantee,
        runs,
        verdict,
        reason,
        slope=fit.slope,
        slope_interval=fit.interval,
        window=(int(steps[0]), int(steps[-1])),
        tightness=None if fit.slope >= 0.0 else float(guarantee.power / fit.slope),
        curve=curve,
    )
