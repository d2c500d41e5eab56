"""Zero-sum games by pivoting: the first small ones of a process in the interpreter, all others compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._jit import InterpretedFirst
from .._types import FloatArray
from ..kernels.pivot import SOLVED, solve_game
from ..kernels.skew_pivot import LARGEST, solve_symmetric_game

# Far above the rounding errors of a table with entries of order 1.
_CLEARLY_POSITIVE = 1e-9

# A larger violation sends a symmetric game from principal pivots to the simplex method, which refines.
_GOOD_EXCESS = 1e-13


class Pivoting(NamedTuple):
    """A solved zero-sum game."""

    row: FloatArray
    """Optimal strategy of the row player, who maximises."""
    column: FloatArray
    """Optimal strategy of the column player."""
    value: float
    n_pivots: int
    is_optimal: bool
    """Whether the pivots ended at an optimal basis; False only if they ran out."""
    nondegenerate: bool
    """Whether all basic variables and reduced costs of the final basis are clearly positive.

    That proves both strategies unique (Mangasarian, 1979). False decides nothing.
    """


# Seconds that the interpreter takes for a game of size 1; it grows with the cube of the size.
_INTERPRETER_UNIT = 4e-7

_pivoting = InterpretedFirst(solve_game)
_principal_pivoting = InterpretedFirst(solve_symmetric_game)


def solve_by_simplex(payoff: FloatArray) -> Pivoting:
    """Solve a zero-sum game exactly.

    Parameters
    ----------
    payoff : ndarray, shape (m, n)
        Finite payoffs of the row player, who maximises.

    Examples
    --------
    >>> import numpy as np
    >>> solved = solve_by_simplex(np.array([[3.0, -1.0], [-1.0, 1.0]]))
    >>> solved.row.round(4), solved.column.round(4), round(solved.value, 4), solved.nondegenerate
    (array([0.3333, 0.6667]), array([0.3333, 0.6667]), 0.3333, True)
    """
    # A copy, because numba would compile anew for an array that is read-only or strided.
    payoff = np.array(payoff, order="C")
    row = np.empty(payoff.shape[0])
    column = np.empty(payoff.shape[1])
    with _pivoting.context(_INTERPRETER_UNIT * max(payoff.shape) ** 3):
        value, n_pivots, status, margin = solve_game(payoff, row, column)
    return Pivoting(row, column, float(value), n_pivots, status == SOLVED, bool(margin > _CLEARLY_POSITIVE))


def solve_symmetric(payoff: FloatArray) -> Pivoting:
    """Solve a symmetric zero-sum game exactly; both strategies are the same winner.

    Parameters
    ----------
    payoff : ndarray, shape (n, n)
        Finite and exactly skew-symmetric, as `PreferenceGame.payoff` is.

    Examples
    --------
    >>> import numpy as np
    >>> solved = solve_symmetric(np.array([[0, -0.4, 0.3], [0.4, 0, -0.4], [-0.3, 0.4, 0]]))
    >>> solved.row.round(4), solved.value, solved.nondegenerate
    (array([0.3636, 0.2727, 0.3636]), 0.0, True)
    """
    n = len(payoff)
    if n <= LARGEST:
        policy = np.empty(n)
        with _principal_pivoting.context(_INTERPRETER_UNIT * n**3):
            excess, n_pivots, margin = solve_symmetric_game(np.array(payoff, order="C"), policy)
        if excess <= _GOOD_EXCESS:
            return Pivoting(policy, policy, 0.0, n_pivots, True, bool(margin > _CLEARLY_POSITIVE))
    solved = solve_by_simplex(payoff)
    return solved._replace(column=solved.row, value=0.0)
