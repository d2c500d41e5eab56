"""The arithmetic of `steps`, lane by lane, on `LANES` games of one size side by side (see `_simd`).

Row i of a flat vector holds the i-th response of every game, row ``i * n + j`` of the payoffs entry (i, j) of each.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .._simd import LANES, any_lane, exponent, load, mantissa, select, splat, store, two_to_the
from .elementary import LN2_HIGH, LN2_LOW, LOG2_E, ROUND, excess_series, exp_series, log_series


@jit(allocates=False)
def lanes_exp(x):
    """Return exp(x) for ``x <= 709``: exactly 0 below -708, and NaN for NaN (`exp_below`)."""
    shifted = x * LOG2_E + ROUND
    whole = shifted - ROUND
    r = (x - whole * LN2_HIGH) - whole * LN2_LOW
    return select(x < -708.0, 0.0, exp_series(r) * two_to_the(shifted))


@jit(allocates=False)
def lanes_log(x):
    """Return log(x): -inf for 0, NaN for NaN (`lane_log`)."""
    f = mantissa(x) - 1.0
    s = f / (2.0 + f)
    z = s * s
    whole = exponent(x)
    value = whole * LN2_HIGH + (2.0 * s + (2.0 * s * z * log_series(z) + whole * LN2_LOW))
    return select(x > 0.0, value, select(x == 0.0, -np.inf, np.nan))


@jit(reassociate=True, allocates=False)
def lanes_product(payoff, prob, out):
    """Write ``payoff @ prob``."""
    n = prob.size // LANES
    # Four rows at a time, so that a probability is loaded once for four products that do not wait for one another.
    n_fours = n - n % 4
    for i in range(0, n_fours, 4):
        a, b, c, d = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
        for j in range(n):
            mass = load(prob, j)
            at = i * n + j
            a += load(payoff, at) * mass
            b += load(payoff, at + n) * mass
            c += load(payoff, at + 2 * n) * mass
            d += load(payoff, at + 3 * n) * mass
        store(out, i, a)
        store(out, i + 1, b)
        store(out, i + 2, c)
        store(out, i + 3, d)
    for i in range(n_fours, n):
        a = splat(0.0)
        for j in range(n):
            a += load(payoff, i * n + j) * load(prob, j)
        store(out, i, a)


@jit(reassociate=True, allocates=False)
def lanes_mirror(base, direction, step_size, log, prob):
    """Write the policy proportional to ``exp(base + step_size * direction)``."""
    top = splat(-np.inf)
    for i in range(log.size // LANES):
        value = load(base, i) + step_size * load(direction, i)
        top = select(value > top, value, top)
        store(log, i, value)
    lanes_normalize_below(top, log, prob)


@jit(reassociate=True, allocates=False)
def lanes_normalize(base, log, prob):
    """Write the policy proportional to ``exp(base)``."""
    top = splat(-np.inf)
    for i in range(log.size // LANES):
        value = load(base, i)
        top = select(value > top, value, top)
        store(log, i, value)
    lanes_normalize_below(top, log, prob)


@jit(reassociate=True, allocates=False)
def lanes_normalize_below(top, log, prob):
    """Turn logarithms with this maximum into those of a policy, and write its probabilities."""
    n = log.size // LANES
    mass = splat(0.0)
    for i in range(n):
        weight = lanes_exp(load(log, i) - top)
        store(prob, i, weight)
        mass += weight
    shift = top + lanes_log(mass)
    scale = 1.0 / mass
    for i in range(n):
        store(log, i, load(log, i) - shift)
        store(prob, i, load(prob, i) * scale)


@jit(reassociate=True, allocates=False)
def lanes_cold_gap(payoffs, prob):
    """Return twice what a best reply gains."""
    n = prob.size // LANES
    top = splat(-np.inf)
    for i in range(n):
        value = load(payoffs, i)
        top = select(value > top, value, top)
    total = splat(0.0)
    for i in range(n):
        total += load(prob, i) * (top - load(payoffs, i))
    return 2.0 * total


@jit(reassociate=True, allocates=False)
def lanes_warm_gap(payoffs, log, prob, log_reference, temperature, scores, weights):
    """Return twice ``temperature * KL(policy || reply)`` as `steps.gap_at` does; 0 at temperature 0."""
    n = prob.size // LANES
    sharpness = select(temperature > 0.0, 1.0 / temperature, 0.0)
    top = splat(-np.inf)
    for i in range(n):
        score = load(log_reference, i) + sharpness * load(payoffs, i)
        top = select(score > top, score, top)
        store(scores, i, score)
    mass = splat(0.0)
    for i in range(n):
        weight = lanes_exp(load(scores, i) - top)
        store(weights, i, weight)
        mass += weight
    shift = top + lanes_log(mass)
    scale = 1.0 / mass
    total = splat(0.0)
    for i in range(n):
        share = load(prob, i)
        difference = select(share > 0.0, load(log, i) - (load(scores, i) - shift), -1.0)
        is_far = abs(difference) >= 0.3
        excess = share * excess_series(difference)
        if any_lane(is_far):
            excess = select(is_far, share * (difference - 1.0) + load(weights, i) * scale, excess)
        total += excess
    return 2.0 * temperature * total
