"""Euclidean projection on simplices, without sorting."""

from __future__ import annotations

import numpy as np

from .._jit import jit


@jit(reassociate=True, allocates=False)
def projected_step(base, direction, step_size, blocks, out):
    """Write the policy closest to ``base + step_size * direction``, player by player; no blocks, no constraint."""
    for i in range(out.size):
        out[i] = base[i] + step_size * direction[i]
    for block in range(blocks.size - 1):
        project_one(out[blocks[block] : blocks[block + 1]])


@jit(reassociate=True, allocates=False)
def projected_side(base, direction, step_size, blocks, side, out):
    """Write the policy of one of two players closest to the step, and 0 for the other; all where there are not two."""
    if blocks.size != 3:
        projected_step(base, direction, step_size, blocks, out)
        return
    for i in range(out.size):
        out[i] = 0.0
    part = slice(blocks[side], blocks[side + 1])
    own, start, gain = out[part], base[part], direction[part]
    for i in range(own.size):
        own[i] = start[i] + step_size * gain[i]
    project_one(own)


@jit(reassociate=True, allocates=False)
def project_one(vector):
    """Overwrite a vector by the closest point of the simplex; by NaN where it is not finite.

    The answer is ``max(vector - level, 0)`` with mass 1. That mass is convex and falls in the level, so that Newton's
    method from below rises to the root, and ends on it after finitely many steps because the mass is piecewise linear
    (Michelot 1986).
    """
    size = vector.size
    top, n_finite = -np.inf, 0
    for i in range(size):
        top = max(top, vector[i])
        n_finite += abs(vector[i]) < np.inf
    if n_finite < size:
        for i in range(size):
            vector[i] = np.nan
        return
    # What is below the top by 1 or more gets nothing. Differences from the top are exact where it matters, so that
    # vectors of any size are projected without a loss of digits, let alone of mass.
    total = 0.0
    for i in range(size):
        vector[i] = max(vector[i] - top, -1.0)
        total += vector[i]
    level, above = max((total - 1.0) / size, -1.0), -1
    while True:
        count, mass = 0, 0.0
        for i in range(size):
            excess = max(vector[i] - level, 0.0)
            mass += excess
            count += excess > 0.0
        # From below the level only rises; rounding alone would lower it, and could go on for ever.
        if count == above or mass <= 1.0:
            break
        above = count
        level += (mass - 1.0) / count
    for i in range(size):
        vector[i] = max(vector[i] - level, 0.0)
