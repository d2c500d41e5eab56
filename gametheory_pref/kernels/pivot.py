"""Exact solution of a matrix game by the simplex method on a condensed tableau.

Scale the payoff to ``M`` with entries in [1/2, 3/2]. Then ``max 1'y`` subject to ``M y <= 1, y >= 0`` has the
feasible start ``y = 0`` and a bounded optimum ``y*``; with its dual ``x*`` the optimal strategies are
``x* / 1'x*`` and ``y* / 1'y*``, and the value of ``M`` is ``1 / 1'y*`` (Gale, Kuhn and Tucker, 1951).

Variables 0 .. n - 1 are ``y``, variable n + i is the slack of row i. The tableau keeps one column per
nonbasic variable, so that a pivot rewrites one block in place instead of a tableau of twice that size::

    variable basis[i]  =  table[i, n] - sum_j table[i, j] * (variable basis[m + j])          for i < m
    objective          =  table[m, n] - sum_j table[m, j] * (variable basis[m + j])

Row m + 1 is scratch, and columns beyond n are zeros that fill vector registers.

The entering column is the one with the best gain per unit length of its edge, and the lengths are estimated
from every fourth row: at n = 100 that takes half the pivots of Dantzig's rule, as the full lengths do. Ties
in the ratio test go to the largest pivot element. A long run of degenerate pivots switches to Bland's rule,
which cannot cycle.

Only ``+ - * /`` and comparisons are used, so the interpreter gives the same bits.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit

SOLVED = 0
OUT_OF_PIVOTS = 1

_EDGE_STRIDE = 4  # edge lengths come from every fourth row
_EDGE_FLOOR = 0.05  # keeps the estimate of an edge that misses the sampled rows away from zero
_COST_TOLERANCE = 1e-11  # reduced costs above minus this are optimal; entries of M are of order 1
_PIVOT_TOLERANCE = 1e-9  # smaller elements are never pivots
_TIE_TOLERANCE = 1e-13  # ratios closer than this tie, and steps shorter than this are degenerate
_PATIENCE = 20  # degenerate pivots in a row before Bland's rule takes over
_DUST = 1e-15  # probabilities below are rounding errors of zero
_SMALLEST_SPAN = 1e-290  # payoffs that differ by less are equal: the reciprocal must stay finite


@jit
def entering_column(bland, table, basis):
    """Return the column to enter the basis, or -1 at an optimum."""
    m, n = table.shape[0] - 2, basis.size - table.shape[0] + 2
    edge = table[m + 1]
    for j in range(n):
        edge[j] = _EDGE_FLOOR
    for i in range(0, m, _EDGE_STRIDE):
        for j in range(n):
            edge[j] += table[i, j] * table[i, j]
    if bland:
        for j in range(n):
            # Makes the gain 1 / (1 + variable), and no division 0 / 0.
            edge[j] = table[m, j] * table[m, j] * (1 + basis[m + j]) + _SMALLEST_SPAN
    best = -1
    best_gain = 0.0
    for j in range(n):
        cost = table[m, j]
        # Selections, not branches, which random costs would mispredict.
        gain = np.divide(cost * cost if cost < -_COST_TOLERANCE else 0.0, edge[j])
        best = j if gain > best_gain else best
        best_gain = gain if gain > best_gain else best_gain
    return best


@jit
def leaving_row(column, bland, table, basis):
    """Return the row that first stops an increase of `column`, or -1 if none does."""
    m, n = table.shape[0] - 2, basis.size - table.shape[0] + 2
    shortest = np.inf
    for i in range(m):
        element = table[i, column]
        stops = element > _PIVOT_TOLERANCE
        ratio = np.divide(table[i, n] if stops else np.inf, element if stops else 1.0)
        shortest = ratio if ratio < shortest else shortest
    best = -1
    for i in range(m):
        element = table[i, column]
        ties = (element > _PIVOT_TOLERANCE) & (table[i, n] <= (shortest + _TIE_TOLERANCE) * element)
        if ties and (best < 0 or (basis[i] < basis[best] if bland else element > table[best, column])):
            best = i
    return best


@jit
def exchange(row, column, table, basis):
    """Swap the basic variable of `row` with the nonbasic one of `column`; return the length of the step."""
    m, n = table.shape[0] - 2, basis.size - table.shape[0] + 2
    inverse = 1.0 / table[row, column]
    pivot_row = table[m + 1]
    for j in range(table.shape[1]):
        pivot_row[j] = table[row, j] * inverse
    for i in range(m + 1):
        factor = table[i, column]
        for j in range(table.shape[1]):
            table[i, j] -= factor * pivot_row[j]
        table[i, column] = -factor * inverse
        if i < m and table[i, n] < 0.0:
            table[i, n] = 0.0
    for j in range(table.shape[1]):
        table[row, j] = pivot_row[j]
    table[row, column] = inverse
    basis[row], basis[m + column] = basis[m + column], basis[row]
    return pivot_row[n]


@jit
def solve_game(payoff, row, column):
    """Write optimal strategies of both players of a zero-sum game; the row player maximises.

    Parameters
    ----------
    payoff : array, shape (m, n)
        Finite payoffs of the row player.
    row : array, shape (m,)
        Receives the strategy of the row player.
    column : array, shape (n,)
        Receives the strategy of the column player.

    Returns
    -------
    value : float
        Value of the game to the row player.
    n_pivots : int
    status : int
        SOLVED or OUT_OF_PIVOTS.
    margin : float
        Least basic variable or reduced cost; clearly positive means that both optimal strategies are unique.
    """
    m, n = payoff.shape
    table = np.empty((m + 2, n // 4 * 4 + 4))
    basis = np.empty(m + n, np.int64)
    low, high = table[m], table[m + 1]
    for j in range(n):
        low[j] = payoff[0, j]
        high[j] = payoff[0, j]
    for i in range(1, m):
        for j in range(n):
            entry = payoff[i, j]
            low[j] = entry if entry < low[j] else low[j]
            high[j] = entry if entry > high[j] else high[j]
    lowest = low[0]
    highest = high[0]
    entering = 0
    for j in range(1, n):
        lowest = low[j] if low[j] < lowest else lowest
        highest = high[j] if high[j] > highest else highest
        entering = j if high[j] < high[entering] else entering
    span = highest - lowest
    scale = 1.0 / span if span > _SMALLEST_SPAN else 0.0

    for i in range(m):
        basis[i] = n + i
        for j in range(n):
            table[i, j] = 0.5 + (payoff[i, j] - lowest) * scale
        for j in range(n, table.shape[1]):
            table[i, j] = 1.0 if j == n else 0.0
    for j in range(table.shape[1]):
        table[m, j] = -1.0 if j < n else 0.0
    for j in range(n):
        basis[m + j] = j

    status = OUT_OF_PIVOTS
    n_pivots = 0
    stalled = 0
    while n_pivots < 1000 + 100 * (m + n):
        bland = stalled > _PATIENCE
        if n_pivots > 0:
            entering = entering_column(bland, table, basis)
        if entering < 0:
            status = SOLVED
            break
        leaving = leaving_row(entering, bland, table, basis)
        if leaving < 0:
            break
        step = exchange(leaving, entering, table, basis)
        stalled = 0 if step > _TIE_TOLERANCE else stalled + 1
        n_pivots += 1

    margin = np.inf
    for j in range(n):
        column[j] = 0.0
    for i in range(m):
        row[i] = 0.0
        limit = table[i, n]
        margin = limit if limit < margin else margin
        if basis[i] < n:
            column[basis[i]] = limit
    for j in range(n):
        cost = table[m, j]
        margin = cost if cost < margin else margin
        if basis[m + j] >= n:
            row[basis[m + j] - n] = cost
    # The block of the tableau with y basic and slacks nonbasic is the inverse of that part of M: one step
    # of iterative refinement of M y = 1 and x M = 1. The residuals go where the limits and the costs were.
    for c in range(m):
        table[c, n] = 1.0
    for j in range(n):
        table[m, j] = 1.0
    for c in range(m):
        k = basis[c]
        if k < n:
            for j in range(n):
                i = basis[m + j] - n
                if i >= 0:
                    entry = 0.5 + (payoff[i, k] - lowest) * scale
                    table[c, n] -= entry * row[i]
                    table[m, j] -= entry * column[k]
    for c in range(m):
        k = basis[c]
        if k < n:
            for j in range(n):
                i = basis[m + j] - n
                if i >= 0:
                    column[k] += table[c, j] * table[m, j]
                    row[i] += table[c, j] * table[c, n]
    total = 0.0
    for i in range(m):
        row[i] = row[i] if row[i] > _DUST else 0.0
        total += row[i]
    for i in range(m):
        row[i] /= total
    total = 0.0
    for j in range(n):
        column[j] = column[j] if column[j] > _DUST else 0.0
        total += column[j]
    for j in range(n):
        column[j] /= total
    return lowest + (1.0 / total - 0.5) * span, n_pivots, status, margin
