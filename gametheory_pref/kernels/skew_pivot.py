"""Exact solution of a small symmetric game by principal pivots, which keep the table skew.

A winner of the skew payoff A solves the complementarity problem ``w = -A p - v >= 0``, ``p >= 0``,
``p'w = 0``, ``sum p = 1``, where v is then 0 by itself. Eliminating v and one probability, that of the best
pure response f, leaves::

    z = q + K u,    z >= 0, u >= 0, z'u = 0    with K skew,

in which u and z hold, for every response, its p and its w in either order. Exchanging both variables of two
responses at once (a principal pivot) gives a system of the same form, so one table serves both players and
two exchanges cost one pass. The path follows the solutions for ``q + s d``, ``d > 0``, from a large s down to
0 (the self-dual parametric method; Dantzig, "Linear Programming and Extensions", 1963). A generic d breaks the
ties of tied games.

Against the simplex method of `pivot` this takes half the pivots at n = 8, as many at n = 30, and more beyond,
where rounding errors grow too. The caller checks the answer, and has `pivot` to fall back on.

Only ``+ - * /`` and comparisons are used, so the interpreter gives the same bits.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit

LARGEST = 32
"""Responses up to which this method is the better one."""

_TOLERANCE = 1e-11  # smaller elements are never pivots; those of the first table are of order 1
_PATH_END = 1e-13  # parameters below are rounding errors of 0
_DUST = 1e-15  # probabilities below are rounding errors of 0
_SMALLEST_LOSS = 1e-290  # payoffs below are ties: the reciprocal must stay finite
_DRIFT_SLOPE = 0.03  # makes the entries of d differ


@jit
def principal_pivot(i, j, n, work):
    """Exchange both variables of responses i and j; see `solve_symmetric_game` for the layout of `work`."""
    width = work.shape[1]
    row_i, row_j = work[n + 1], work[n + 2]
    pivot = work[i, j]
    inverse = 1.0 / pivot
    for m in range(width):
        row_i[m] = work[i, m] * inverse
        row_j[m] = work[j, m] * inverse
    for k in range(n):
        factor_i, factor_j = row_i[k] * pivot, row_j[k] * pivot
        for m in range(width):
            work[k, m] += factor_j * row_i[m] - factor_i * row_j[m]
        work[k, i] = -row_j[k]
        work[k, j] = row_i[k]
    for m in range(width):
        work[i, m] = row_j[m]
        work[j, m] = -row_i[m]
    work[i, i] = 0.0
    work[i, j] = -inverse
    work[j, i] = inverse
    work[j, j] = 0.0
    work[n, i] = 1.0 - work[n, i]
    work[n, j] = 1.0 - work[n, j]


@jit
def next_exchange(n, work):
    """Return the pair to exchange next: (-1, -1) at the end of the path, (i, -1) if it is lost."""
    # The largest parameter at which a variable reaches 0, then the first partner that its growth pushes to 0.
    parameter = _PATH_END
    i = -1
    for k in range(n):
        drift = work[k, n + 1]
        falls = drift > _TOLERANCE
        end = np.divide(-work[k, n] if falls else 0.0, drift if falls else 1.0)
        i = k if end > parameter else i
        parameter = end if end > parameter else parameter
    j = -1
    if i >= 0:
        shortest = np.inf
        for k in range(n):
            falls = work[i, k] > _TOLERANCE
            level = work[k, n] + parameter * work[k, n + 1]
            level = level if level > 0.0 else 0.0
            step = np.divide(level if falls else np.inf, work[i, k] if falls else 1.0)
            j = k if step < shortest else j
            shortest = step if step < shortest else shortest
    return i, j


@jit
def solve_symmetric_game(payoff, policy):
    """Write a winner of a symmetric zero-sum game.

    Parameters
    ----------
    payoff : array, shape (n, n)
        Finite, exactly skew-symmetric.
    policy : array, shape (n,)
        Receives the winner.

    Returns
    -------
    excess : float
        ``max_i (payoff @ policy)_i``, which is 0 at a winner; infinite if the path was lost.
    n_pivots : int
        Principal pivots.
    margin : float
        Least basic variable, of a payoff scaled to 1; clearly positive means that the winner is unique.
    """
    n = payoff.shape[0]
    first = 0
    least_loss = np.inf
    largest_loss = 0.0
    for i in range(n):
        loss = 0.0
        for j in range(n):
            loss = payoff[j, i] if payoff[j, i] > loss else loss
        first = i if loss < least_loss else first
        least_loss = loss if loss < least_loss else least_loss
        largest_loss = loss if loss > largest_loss else largest_loss
    scale = 1.0 / largest_loss if largest_loss > _SMALLEST_LOSS else 0.0

    # Rows 0 .. n - 1: K, then q, d, and zeros to fill whole vectors. Row n: 1 where z holds p. Scratch.
    work = np.empty((n + 3, (n + 5) // 4 * 4))
    for i in range(n):
        for j in range(n):
            work[i, j] = (payoff[first, j] - payoff[i, j] - payoff[first, i]) * scale
        for j in range(n, work.shape[1]):
            work[i, j] = 0.0
        work[i, first] = 1.0
        work[i, n] = payoff[first, i] * scale
        work[i, n + 1] = 1.0 + _DRIFT_SLOPE * i
        work[n, i] = 0.0
    for j in range(n):
        work[first, j] = -1.0
    work[first, first] = 0.0
    work[first, n] = 1.0
    work[first, n + 1] = 0.0
    work[n, first] = 1.0

    n_pivots = 0
    while True:
        i, j = next_exchange(n, work)
        if i < 0:
            break
        if j < 0 or n_pivots > 4 * n + 20:
            return np.inf, n_pivots, 0.0
        principal_pivot(i, j, n, work)
        n_pivots += 1

    margin = np.inf
    total = 0.0
    for k in range(n):
        level = work[k, n]
        margin = level if level < margin else margin
        policy[k] = level if work[n, k] > 0.0 and level > _DUST else 0.0
        total += policy[k]
    for k in range(n):
        policy[k] /= total
    excess = 0.0
    for i in range(n):
        gain = 0.0
        for j in range(n):
            gain += payoff[i, j] * policy[j]
        excess = gain if gain > excess else excess
    return excess, n_pivots, margin
