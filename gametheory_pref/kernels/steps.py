"""The arithmetic of update rules on one flat vector over all players' responses.

`blocks` holds where each player's responses begin, and the length at the end: ``[0, n]`` for a symmetric game. Policies
are pairs of vectors, logarithms and probabilities, so that no step takes an exponential twice. Nothing here allocates.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .elementary import excess_series, exp_below


@jit(reassociate=True, allocates=False)
def payoff_product(payoff, prob, out):
    """Write ``payoff @ prob`` to `out`."""
    n = prob.size
    # Four rows at a time, so that an entry of `prob` is loaded once for four products.
    n_fours = n - n % 4
    for i in range(0, n_fours, 4):
        first, second, third, fourth = payoff[i], payoff[i + 1], payoff[i + 2], payoff[i + 3]
        a = b = c = d = 0.0
        for j in range(n):
            mass = prob[j]
            a += first[j] * mass
            b += second[j] * mass
            c += third[j] * mass
            d += fourth[j] * mass
        out[i], out[i + 1], out[i + 2], out[i + 3] = a, b, c, d
    for i in range(n_fours, n):
        row = payoff[i]
        a = 0.0
        for j in range(n):
            a += row[j] * prob[j]
        out[i] = a


@jit(reassociate=True, allocates=False)
def side_product(payoff, prob, blocks, side, out):
    """Write the payoffs of one of two players against the other's policy, and 0 for the other."""
    for i in range(out.size):
        out[i] = 0.0
    other = slice(blocks[1 - side], blocks[2 - side])
    masses = prob[other]
    begin, end = blocks[side], blocks[side + 1]
    n_fours = end - (end - begin) % 4
    for i in range(begin, n_fours, 4):
        first, second = payoff[i, other], payoff[i + 1, other]
        third, fourth = payoff[i + 2, other], payoff[i + 3, other]
        a = b = c = d = 0.0
        for j in range(masses.size):
            mass = masses[j]
            a += first[j] * mass
            b += second[j] * mass
            c += third[j] * mass
            d += fourth[j] * mass
        out[i], out[i + 1], out[i + 2], out[i + 3] = a, b, c, d
    for i in range(n_fours, end):
        row = payoff[i, other]
        a = 0.0
        for j in range(masses.size):
            a += row[j] * masses[j]
        out[i] = a


@jit(reassociate=True, allocates=False)
def triangle_product(payoff, prob, out):
    """Write ``payoff @ prob`` for a skew payoff, every entry above the diagonal used for its mirror image, too.

    So half of the matrix is read, which is what large games wait for.
    """
    n = prob.size
    for i in range(n):
        out[i] = 0.0
    n_fours = n - n % 4
    for i in range(0, n_fours, 4):
        for k in range(i, i + 4):
            for j in range(i, i + 4):
                out[k] += payoff[k, j] * prob[j]
        right = slice(i + 4, n)
        first, second = payoff[i, right], payoff[i + 1, right]
        third, fourth = payoff[i + 2, right], payoff[i + 3, right]
        masses, below = prob[right], out[right]
        w, x, y, z = prob[i], prob[i + 1], prob[i + 2], prob[i + 3]
        a = b = c = d = 0.0
        for j in range(masses.size):
            mass = masses[j]
            a += first[j] * mass
            b += second[j] * mass
            c += third[j] * mass
            d += fourth[j] * mass
            below[j] -= w * first[j] + x * second[j] + y * third[j] + z * fourth[j]
        out[i] += a
        out[i + 1] += b
        out[i + 2] += c
        out[i + 3] += d
    for i in range(n_fours, n):
        for j in range(n_fours, n):
            out[i] += payoff[i, j] * prob[j]


@jit(reassociate=True, allocates=False)
def mirror_step(base, direction, step_size, blocks, log, prob):
    """Write the policy proportional to ``exp(base + step_size * direction)``, player by player."""
    for i in range(log.size):
        log[i] = base[i] + step_size * direction[i]
    for block in range(blocks.size - 1):
        part = slice(blocks[block], blocks[block + 1])
        normalize_one(log[part], prob[part])


@jit(reassociate=True, allocates=False)
def normalize_log(base, blocks, log, prob):
    """Write the policy proportional to ``exp(base)``, player by player."""
    for i in range(log.size):
        log[i] = base[i]
    for block in range(blocks.size - 1):
        part = slice(blocks[block], blocks[block + 1])
        normalize_one(log[part], prob[part])


@jit(reassociate=True, allocates=False)
def normalize_one(log, prob):
    """Turn the unnormalised logarithms of one player into those of a policy, and write its probabilities."""
    # Players come as views that begin at 0: a loop from an unknown first index tests every index for being negative.
    top = -np.inf
    for i in range(log.size):
        if log[i] > top:
            top = log[i]
    mass = 0.0
    for i in range(log.size):
        log[i] -= top
        prob[i] = exp_below(log[i])
        mass += prob[i]
    shift = np.log(mass)
    scale = 1.0 / mass
    for i in range(log.size):
        log[i] -= shift
        prob[i] *= scale


@jit(reassociate=True, allocates=False)
def set_scaled(weight, vector, out):
    """Write ``weight * vector``; a weight of 0 gives 0 even where the vector is infinite."""
    if weight == 0.0:
        for i in range(out.size):
            out[i] = 0.0
    else:
        for i in range(out.size):
            out[i] = weight * vector[i]


@jit(reassociate=True, allocates=False)
def add_scaled(weight, vector, out):
    """Add ``weight * vector``; a weight of 0 adds nothing even where the vector is infinite."""
    if weight != 0.0:
        for i in range(out.size):
            out[i] += weight * vector[i]


@jit(allocates=False)
def draw(prob, uniform):
    """Return the response at which the cumulated probability passes `uniform`, never one without probability."""
    chosen = 0
    cumulated = 0.0
    for i in range(prob.size):
        if prob[i] > 0.0:
            chosen = i
            cumulated += prob[i]
            if uniform < cumulated:
                break
    return chosen


@jit(allocates=False)
def sampled_payoff(payoff, prob, opponents, labels, rng, out):
    """Write the mean payoff of every response against `opponents` drawn from `prob`.

    With `labels` the judge answers win or lose, a coin for each pair with the win probability ``1/2 + payoff``;
    without, it states the probability.
    """
    for i in range(out.size):
        out[i] = 0.0
    for _ in range(opponents):
        other = draw(prob, rng.random())
        for i in range(out.size):
            if labels:
                out[i] += 0.5 if rng.random() < 0.5 + payoff[i, other] else -0.5
            else:
                out[i] += payoff[i, other]
    for i in range(out.size):
        out[i] /= opponents


@jit(allocates=False)
def sampled_difference(payoff, prob_x, prob_y, opponents, labels, rng, out):
    """Write a sample of ``payoff @ prob_x - payoff @ prob_y``: both opponents and both labels from the same luck.

    The same uniform number draws both opponents, so that close policies mostly meet the same one and the difference
    is mostly 0: its variance goes to 0 with the distance of the policies.
    """
    for i in range(out.size):
        out[i] = 0.0
    for _ in range(opponents):
        luck = rng.random()
        one, other = draw(prob_x, luck), draw(prob_y, luck)
        for i in range(out.size):
            if labels:
                coin = rng.random() - 0.5
                if coin < payoff[i, one]:
                    out[i] += 1.0
                if coin < payoff[i, other]:
                    out[i] -= 1.0
            else:
                out[i] += payoff[i, one] - payoff[i, other]
    for i in range(out.size):
        out[i] /= opponents


@jit(reassociate=True, allocates=False)
def block_divergence(log_p, prob_p, log_q, prob_q):
    """Return ``KL(p || q)`` summed over players, from terms ``p (d + exp(-d) - 1)`` with ``d = log(p / q)``.

    They add up to the divergence, as both policies have mass 1, and none is negative, so that little is lost to
    cancellation; ``p exp(-d)`` is q, except close to 0 (see `excess_series`).
    """
    total = 0.0
    for i in range(log_p.size):
        difference = log_p[i] - log_q[i] if prob_p[i] > 0.0 else -1.0
        near = prob_p[i] * excess_series(difference)
        far = prob_p[i] * (difference - 1.0) + prob_q[i]
        total += near if abs(difference) < 0.3 else far
    return total


@jit(reassociate=True, allocates=False)
def gain_of_best(payoff, prob, blocks):
    """Return how much more than `prob` the best responses get, summed over players."""
    total = 0.0
    for block in range(blocks.size - 1):
        part = slice(blocks[block], blocks[block + 1])
        payoffs, masses = payoff[part], prob[part]
        top = -np.inf
        for i in range(masses.size):
            if payoffs[i] > top:
                top = payoffs[i]
        for i in range(masses.size):
            total += masses[i] * (top - payoffs[i])
    return total


@jit(reassociate=True, allocates=False)
def add_regrets(so_far, payoff, prob, blocks, out):
    """Write `so_far` plus every response's payoff less its player's expected payoff."""
    for block in range(blocks.size - 1):
        part = slice(blocks[block], blocks[block + 1])
        add_regrets_of_one(so_far[part], payoff[part], prob[part], out[part])


@jit(reassociate=True, allocates=False)
def add_regrets_of_one(so_far, payoff, prob, out):
    """Write `so_far` plus the payoff of every response of one player less the expected payoff."""
    mean = 0.0
    for i in range(out.size):
        mean += payoff[i] * prob[i]
    for i in range(out.size):
        out[i] = so_far[i] + (payoff[i] - mean)


@jit(reassociate=True, allocates=False)
def take_logarithms(prob, log):
    """Write the logarithms of probabilities, which may be 0."""
    for i in range(prob.size):
        log[i] = np.log(prob[i]) if prob[i] > 0.0 else -np.inf


@jit(reassociate=True, allocates=False)
def share_out(weight, otherwise, blocks, prob):
    """Write each player's policy proportional to the positive part of `weight`; `otherwise` where nothing is."""
    for block in range(blocks.size - 1):
        part = slice(blocks[block], blocks[block + 1])
        share_out_one(weight[part], otherwise[part], prob[part])


@jit(reassociate=True, allocates=False)
def share_out_one(weight, otherwise, prob):
    """Write the policy of one player proportional to the positive part of `weight`."""
    total = 0.0
    for i in range(prob.size):
        total += max(weight[i], 0.0)
    if total > 0.0:
        scale = 1.0 / total
        for i in range(prob.size):
            prob[i] = scale * max(weight[i], 0.0)
    else:
        for i in range(prob.size):
            prob[i] = otherwise[i]


@jit(reassociate=True, allocates=False)
def best_replies(payoff, blocks, out):
    """Write each player's best pure response; the first among several."""
    for block in range(blocks.size - 1):
        part = slice(blocks[block], blocks[block + 1])
        best_reply(payoff[part], out[part])


@jit(reassociate=True, allocates=False)
def best_reply(payoff, out):
    """Write the best pure response of one player."""
    best, top = 0, -np.inf
    for i in range(out.size):
        if payoff[i] > top:
            best, top = i, payoff[i]
    for i in range(out.size):
        out[i] = 0.0
    out[best] = 1.0
