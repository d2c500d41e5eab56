"""The simplex method for zero-sum games: small ones before numba is there, all others compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._jit import interpreted
from .._types import FloatArray
from ..kernels.pivot import SOLVED, solve_game

# Interpreting costs about this many seconds a game of the size limit; importing and compiling costs 10 to 100 times more.
_INTERPRETED_SIZE = 12
_INTERPRETED_GAMES = 20

# Far above the rounding errors of a tableau with entries of order 1.
_CLEARLY_POSITIVE = 1e-9


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
    """Whether the final basis has all basic variables and all reduced costs clearly positive.

    That proves both strategies unique (Mangasarian, 1979). False decides nothing.
    """


class _Warmup:
    """How many games may still be interpreted in this process; results do not depend on it."""

    def __init__(self) -> None:
        self.left = _INTERPRETED_GAMES

    def interpret(self, size: int) -> bool:
        if solve_game.is_loaded or size > _INTERPRETED_SIZE or self.left <= 0:
            return False
        self.left -= 1
        return True


_warmup = _Warmup()


def solve_by_simplex(payoff: FloatArray) -> Pivoting:
    """Solve a zero-sum game exactly.

    The first few small games of a process run in the interpreter, where the same source gives the same bits, so that
    solving one game does not cost the import of a compiler.

    Parameters
    ----------
    payoff : ndarray, shape (m, n)
        Finite, C-contiguous; payoff of the row player, who maximises.

    Examples
    --------
    >>> import numpy as np
    >>> solved = solve_by_simplex(np.array([[3.0, -1.0], [-1.0, 1.0]]))
    >>> solved.row.round(4), solved.column.round(4), round(solved.value, 4), solved.nondegenerate
    (array([0.3333, 0.6667]), array([0.3333, 0.6667]), 0.3333, True)
    """
    m, n = payoff.shape
    row = np.empty(m)
    column = np.empty(n)
    # A copy, because numba compiles anew for an array that is read-only or strided.
    payoff = np.array(payoff)
    if _warmup.interpret(max(m, n)):
        with interpreted():
            value, n_pivots, status, margin = solve_game(payoff, row, column)
    else:
        value, n_pivots, status, margin = solve_game(payoff, row, column)
    return Pivoting(row, column, float(value), n_pivots, status == SOLVED, bool(margin > _CLEARLY_POSITIVE))
