"""Solutions of linear inclusions, the one closest to the start: what the constants of theorems are about."""

from __future__ import annotations

import numpy as np

from .._types import FloatArray, IntArray
from .operators import Linear
from .statement import Inclusion


def nearest_solution(inclusion: Inclusion) -> FloatArray | None:
    """Return the solution closest to the start, or None where it is not known how to find it.

    Without constraint that is a least-squares problem. On one simplex, or two, with a skew operator, the solutions
    are the policies that no reply exploits, ``max (-B z) <= v`` for each player, and the closest is a projection on
    that polytope.
    """
    operator = inclusion.operator
    if not isinstance(operator, Linear):
        return None
    if not inclusion.is_constrained:
        return operator.nearest_zero(inclusion.start)
    payoff = -operator.matrix
    if inclusion.blocks.size > 3 or operator.offset.any() or not np.array_equal(payoff, -payoff.T):
        return None
    values = _values(payoff, inclusion.blocks)
    return None if values is None else _nearest_equilibrium(inclusion.start, payoff, inclusion.blocks, values)


def _values(payoff: FloatArray, blocks: IntArray) -> FloatArray | None:
    """Return the value of the game to each response's player."""
    if blocks.size == 2:
        return np.zeros(len(payoff))
    from ..exact.simplex import solve_by_simplex

    rows = int(blocks[1])
    if payoff[:rows, :rows].any() or payoff[rows:, rows:].any():
        return None
    value = solve_by_simplex(np.ascontiguousarray(payoff[:rows, rows:])).value
    return np.repeat([value, -value], np.diff(blocks))


def _nearest_equilibrium(start: FloatArray, payoff: FloatArray, blocks: IntArray, values: FloatArray) -> FloatArray:
    """Return the closest point with ``z >= 0``, ``A z <= values`` and mass 1 on every block."""
    players = np.repeat(np.arange(blocks.size - 1), np.diff(blocks))
    masses = (players == np.arange(blocks.size - 1)[:, None]).astype(np.float64)
    rows = np.concatenate([np.eye(len(start)), -payoff, masses, -masses])
    floors = np.concatenate([np.zeros(len(start)), -values, np.ones(len(masses)), -np.ones(len(masses))])
    return start + shortest_step(rows, floors - rows @ start)


def shortest_step(rows: FloatArray, floors: FloatArray) -> FloatArray:
    """Return the shortest vector y with ``rows @ y >= floors``.

    A least-squares problem in multipliers of at least 0 (Lawson and Hanson 1974, least distance programming); the
    constraints that have one are then met as equations, which gives the digits that the multipliers do not.
    """
    from scipy.optimize import nnls

    stacked = np.vstack([rows.T, floors])
    target = np.zeros(len(stacked))
    target[-1] = 1.0
    multipliers, _ = nnls(stacked, target)
    residual = stacked @ multipliers - target
    step = -residual[:-1] / residual[-1]
    held = multipliers > 1e-12 * max(float(multipliers.max()), 1e-300)
    exact = np.linalg.lstsq(rows[held], floors[held], rcond=None)[0] if held.any() else np.zeros(len(step))
    return np.asarray(exact if (rows @ exact - floors).min() >= -1e-12 else step)
