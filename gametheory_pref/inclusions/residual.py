"""How far a point is from solving an inclusion: the distance of 0 from ``F(z) + N_C(z)``."""

from __future__ import annotations

import itertools

import numpy as np

from .._types import BoolArray, FloatArray, IntArray
from ..operators.norms import length_of

# Entries up to this are 0 but for the rounding of projections.
_ZERO = 1e-15


def tangent_residual(value: FloatArray, z: FloatArray, blocks: IntArray) -> float:
    r"""Return the distance of 0 from ``value + N_C(z)``, where `value` is F(z).

    By Moreau's decomposition it is the norm of the projection of ``-value`` on the tangent cone of C at z: directions
    that keep the mass of each simplex and do not fall where z is 0. Without constraint it is ``|F(z)|``.

    Parameters
    ----------
    value, z : ndarray, shape (d,)
    blocks : ndarray of int
        Where each simplex begins, and d; ``array([0])`` without constraint.

    Examples
    --------
    >>> import numpy as np
    >>> corner = np.array([1.0, 0.0, 0.0])
    >>> tangent_residual(np.array([0.0, 1.0, 1.0]), corner, np.array([0, 3]))  # both ways out cost
    0.0
    >>> tangent_residual(np.array([0.0, -1.0, 1.0]), corner, np.array([0, 3])) == 0.5**0.5
    True
    """
    if blocks.size == 1:
        return length_of(value)
    parts = [
        _tangent_step(-value[first:last], z[first:last] > _ZERO) for first, last in itertools.pairwise(blocks)
    ]
    return length_of(np.concatenate(parts))


def _tangent_step(direction: FloatArray, inside: BoolArray) -> FloatArray:
    """Return the closest direction that adds up to 0 and does not fall outside of the support."""
    size = np.count_nonzero(inside)
    if size == 0:
        return np.full(len(direction), np.nan)
    # Outside of the support a response joins once it is above the mean of those that are in.
    outside = np.sort(direction[~inside])[::-1]
    sums = direction[inside].sum() + np.concatenate([[0.0], np.cumsum(outside)])
    levels = sums / (size + np.arange(len(sums)))
    joined = int(np.argmax(np.append(outside <= levels[:-1], True)))
    step = direction - levels[joined]
    return np.asarray(np.where(inside, step, np.maximum(step, 0.0)))
