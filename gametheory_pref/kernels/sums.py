"""Payoffs as sums over opponents: a few columns stand for all."""

from __future__ import annotations

from .._jit import jit
from .steps import add_scaled, draw


@jit(allocates=False)
def draw_subset(count, rng, out):
    """Write different whole numbers below `count`, every set of them equally likely (Floyd's algorithm)."""
    size = out.size
    for k in range(size):
        last = count - size + k
        chosen = min(int(rng.random() * (last + 1)), last)
        for j in range(k):
            if out[j] == chosen:
                chosen = last
                break
        out[k] = chosen


@jit(allocates=False)
def batch_difference(payoff, x, y, picked, out):
    """Write the mean over some columns of ``n (x - y)[j]`` times column j of a skew payoff."""
    scale = x.size / picked.size
    for i in range(out.size):
        out[i] = 0.0
    for k in range(picked.size):
        j = int(picked[k])
        # Columns are rows with the other sign, and rows lie together in memory.
        add_scaled(-scale * (x[j] - y[j]), payoff[j], out)


@jit(allocates=False)
def term_difference(payoff, x, y, weights, blocks, rng, out):
    """Write a sample of ``payoff @ (x - y)``: for each player a column, drawn by `weights`, divided by its weight."""
    for i in range(out.size):
        out[i] = 0.0
    for block in range(blocks.size - 1):
        j = blocks[block] + draw(weights[blocks[block] : blocks[block + 1]], rng.random())
        add_scaled((y[j] - x[j]) / weights[j], payoff[j], out)


@jit(allocates=False)
def moved_difference(payoff, x, y, blocks, rng, scratch, out):
    """Write a sample of ``payoff @ (x - y)``: for each player a column, drawn by ``|x - y|``."""
    for i in range(out.size):
        out[i] = 0.0
    for block in range(blocks.size - 1):
        first, last = blocks[block], blocks[block + 1]
        total = 0.0
        for j in range(first, last):
            total += abs(x[j] - y[j])
        luck = rng.random()
        if total > 0.0:
            for j in range(first, last):
                scratch[j] = abs(x[j] - y[j]) / total
            j = first + draw(scratch[first:last], luck)
            add_scaled(-total if x[j] > y[j] else total, payoff[j], out)
