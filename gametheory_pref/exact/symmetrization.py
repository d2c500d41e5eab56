"""Turn a rectangular zero-sum game into a symmetric one, and its answer back (Gale, Kuhn & Tucker, 1950).

Each player of the symmetric game may take the side of the row player, the side of the column player, or a
third response that punishes an opponent who prefers the other side.
"""

from __future__ import annotations

import numpy as np

from .._types import FloatArray
from ..errors import InputError


def symmetrize_game(payoff: FloatArray) -> FloatArray:
    """Return the skew-symmetric game of order m + n + 1 whose optimal policies hold those of an m-by-n game.

    Parameters
    ----------
    payoff : ndarray of shape (m, n)
        Payoff to the row player, who maximises.

    Returns
    -------
    ndarray of shape (m + n + 1, m + n + 1)
        ``[[0, M, -1], [-M', 0, 1], [1', -1', 0]]``, where ``M`` is `payoff` shifted so that every entry, and
        hence the value, is positive, and scaled to entries in [1, 2] (neither changes an optimal profile).

    References
    ----------
    D. Gale, H. W. Kuhn, A. W. Tucker, "On symmetric games", Contributions to the Theory of Games I, 1950.

    Examples
    --------
    >>> symmetrize_game(np.array([[0.0, 1.0]]))
    array([[ 0.,  1.,  2., -1.],
           [-1.,  0.,  0.,  1.],
           [-2.,  0.,  0.,  1.],
           [ 1., -1., -1.,  0.]])
    """
    if payoff.ndim != 2 or payoff.size == 0:
        raise InputError(f"payoff must be a non-empty m-by-n matrix; its shape is {payoff.shape}")
    lowest = float(payoff.min())
    spread = float(payoff.max()) - lowest
    if not np.isfinite(spread):
        raise InputError("payoff has a value that is not finite, or a range above the largest float64")
    positive = 1.0 + (payoff - lowest) / spread if spread > 0 else np.ones_like(payoff)
    m, n = payoff.shape
    skew = np.zeros((m + n + 1, m + n + 1))
    skew[:m, m:-1] = positive
    skew[m:-1, :m] = -positive.T
    skew[:m, -1] = -1.0
    skew[m:-1, -1] = 1.0
    skew[-1, :m] = 1.0
    skew[-1, m:-1] = -1.0
    return skew


def recover_profile(policy: FloatArray, m: int, n: int) -> tuple[FloatArray, FloatArray]:
    """Return the strategies of both players from an optimal policy of the symmetrized game.

    An optimal policy gives the two sides equal mass, and positive mass; each side, divided by its mass, is
    optimal for its player.

    Parameters
    ----------
    policy : ndarray of shape (m + n + 1,)
        Optimal policy of `symmetrize_game`'s result.
    m, n : int
        Numbers of rows and columns of the rectangular game.

    Returns
    -------
    row, column : ndarray of shape (m,), ndarray of shape (n,)

    Examples
    --------
    Matching pennies against a column player who has one winning column too many:

    >>> row, column = recover_profile(np.array([0.2, 0.2, 0.3, 0.1, 0.0, 0.2]), 2, 3)
    >>> row, column
    (array([0.5, 0.5]), array([0.75, 0.25, 0.  ]))
    """
    if policy.shape != (m + n + 1,):
        raise InputError(f"policy must have m + n + 1 = {m + n + 1} entries; its shape is {policy.shape}")
    row, column = policy[:m], policy[m:-1]
    row_mass, column_mass = float(row.sum()), float(column.sum())
    if not (row_mass > 0 and column_mass > 0):
        raise InputError(
            f"policy gives the rows mass {row_mass} and the columns {column_mass}; both are positive in an "
            "optimal policy of a symmetrized game"
        )
    return row / row_mass, column / column_mass
