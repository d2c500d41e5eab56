"""The set of all optimal strategies: is the winner unique, who can be played, how large is the set.

For a symmetric game with skew payoff ``A`` the winners are ``X = {p in simplex : A p <= 0}``. By Goldman and
Tucker (1956) some winner is strictly complementary: ``p_i > 0`` for exactly the responses T with ``(A p)_i =
0``, and ``(A p)_i < 0`` for all others. T is then the union of the supports of all winners, and X is the part
of the kernel of ``A_TT`` that lies in the simplex and respects the rows outside T. The kernel contains p
itself, whose entries sum to 1, so ``dim X = dim ker A_TT - 1``.

A two-player zero-sum game ``M`` with value ``v`` is the skew game of the block matrix ``[[0, N], [-N', 0]]``
with ``N = M - v`` (its winners are the pairs of optimal strategies with any split of the mass), so one
mechanism serves both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._types import FloatArray, IntArray
from ..errors import NotConverged
from .complementary import EPS, WIN_PROBABILITY_ERROR, null_space, strictly_complementary
from .max_entropy import kl_projection

_UNIQUE = "strictly complementary, and nothing else solves the equations of its support"


@dataclass(frozen=True, eq=False)
class SolutionSet:
    """All optimal strategies of one player.

    Attributes
    ----------
    unique : bool or None
        Whether there is only one; None when float64 cannot decide.
    dimension : int or None
        Dimension of the set, 0 when unique.
    support_union : ndarray of int
        Positions that some optimal strategy plays, ascending. Undecided: those of the strategy given.
    max_entropy : ndarray
        The optimal strategy of maximal entropy. Undecided: the strategy given.
    interior : ndarray
        An optimal strategy that plays all of `support_union` and makes every other bound strict.
    reason : str
        One sentence: why unique, why not, or what stands in the way of a decision.
    """

    unique: bool | None
    dimension: int | None
    support_union: IntArray
    max_entropy: FloatArray
    interior: FloatArray
    reason: str


def solution_set(payoff: FloatArray, policy: FloatArray) -> SolutionSet:
    """Describe the set of all Minimax Winners of a preference game.

    Parameters
    ----------
    payoff : ndarray, shape (n, n)
        ``P - 1/2``, exactly skew-symmetric; the row maximises.
    policy : ndarray, shape (n,)
        One winner.

    Returns
    -------
    SolutionSet

    Examples
    --------
    >>> import numpy as np
    >>> rock_paper_scissors = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / 2
    >>> solution_set(rock_paper_scissors, np.full(3, 1 / 3)).unique
    True
    >>> all_tied = solution_set(np.zeros((3, 3)), np.array([1.0, 0.0, 0.0]))
    >>> all_tied.dimension, all_tied.max_entropy.round(4).tolist()
    (2, [0.3333, 0.3333, 0.3333])
    """
    found = _unique_by_support(payoff, policy)
    if found is not None:
        return found
    pair = strictly_complementary(payoff, WIN_PROBABILITY_ERROR)
    if pair is None:
        return _undecided(policy)
    return _describe(payoff, pair.support, pair.policy, policy, WIN_PROBABILITY_ERROR)


def optimal_strategies(
    payoff: FloatArray, value: float, row: FloatArray, column: FloatArray
) -> tuple[SolutionSet, SolutionSet]:
    """Describe the sets of optimal strategies of both players of a zero-sum game.

    Parameters
    ----------
    payoff : ndarray, shape (m, n)
        Payoff to the row player, who maximises.
    value : float
        Value of the game.
    row, column : ndarray, shapes (m,) and (n,)
        One optimal strategy of each.

    Returns
    -------
    tuple of SolutionSet
        Row player's, column player's.

    Examples
    --------
    The column player may mix the two columns at will; the row player has one good row.

    >>> import numpy as np
    >>> row, column = optimal_strategies(
    ...     np.array([[1.0, 1.0], [0.0, 0.5]]), 1.0, np.array([1.0, 0.0]), np.array([1.0, 0.0])
    ... )
    >>> row.unique, column.dimension
    (True, 1)
    """
    m, n = payoff.shape
    excess = payoff - value
    error = EPS * max(float(np.abs(payoff).max()), abs(value))
    block = np.zeros((m + n, m + n))
    block[:m, m:] = excess
    block[m:, :m] = -excess.T
    pair = strictly_complementary(block, error)
    if pair is None:
        return _undecided(row), _undecided(column)
    rows = pair.support[pair.support < m]
    columns = pair.support[pair.support >= m] - m
    x, y = pair.policy[:m], pair.policy[m:]
    if rows.size == 0 or columns.size == 0:
        return _undecided(row), _undecided(column)
    return (
        _describe(-excess.T, rows, x / x.sum(), row, error, tight=columns),
        _describe(excess, columns, y / y.sum(), column, error, tight=rows),
    )


def _undecided(policy: FloatArray) -> SolutionSet:
    reason = "float64 cannot decide: some probability, margin or singular value is too close to zero"
    return SolutionSet(None, None, np.flatnonzero(policy > 0), policy, policy, reason)


def _unique_by_support(payoff: FloatArray, policy: FloatArray) -> SolutionSet | None:
    """Prove uniqueness from the support of `policy`, if it is strictly complementary; None otherwise.

    The matrix ``[[A_SS, a], [-a', 0]]`` (a constant) is non-singular exactly if the kernel of ``A_SS`` is
    spanned by one vector with non-zero sum. The norm of the inverse bounds how far the exact solution is from
    the computed one.
    """
    support = np.flatnonzero(policy > 0.0)
    k = support.size
    columns = payoff[:, support]
    scale = float(np.abs(payoff).max()) or 1.0
    bordered = np.zeros((k + 1, k + 1))
    bordered[:k, :k] = columns[support]
    bordered[:k, k] = scale
    bordered[k, :k] = -scale
    try:
        inverse = np.linalg.inv(bordered)
    except np.linalg.LinAlgError:
        return None
    # ||inverse||_F >= 1 / smallest singular value; entries carry the rounding of win probabilities.
    noise = 4.0 * (WIN_PROBABILITY_ERROR + EPS * scale) * (k + 1)
    error = noise * float(np.sqrt(np.vdot(inverse, inverse)))
    if not error < 0.01:
        return None
    weights = -scale * inverse[:k, k]
    advantage = columns @ weights
    advantage[support] = -np.inf
    if float(weights.min()) <= 10.0 * error or float(advantage.max()) >= -10.0 * scale * error - noise:
        return None
    exact = np.zeros(policy.size)
    exact[support] = weights
    return SolutionSet(True, 0, support, exact, exact, _UNIQUE)


def _describe(
    bounds: FloatArray,
    support: IntArray,
    interior: FloatArray,
    policy: FloatArray,
    error: float,
    tight: IntArray | None = None,
) -> SolutionSet:
    """Describe ``{x in simplex : bounds x <= 0}`` by its support union, tight rows and an interior point."""
    tight = support if tight is None else tight
    loose = np.ones(bounds.shape[0], dtype=bool)
    loose[tight] = False
    columns = bounds[:, support]
    kernel = null_space(columns[tight], error)
    if not kernel.decided or kernel.basis.shape[1] == 0:
        return _undecided(policy)
    dimension = kernel.basis.shape[1] - 1
    if dimension == 0:
        return SolutionSet(True, 0, support, interior, interior, _UNIQUE)
    reason = f"the optimal strategies form a polytope of dimension {dimension} on {support.size} responses"
    widest = interior.copy()
    try:
        widest[support] = kl_projection(columns[tight], columns[loose], entry_error=error)
    except NotConverged as problem:
        reason += f"; {problem}, so an interior point stands in its place"
    return SolutionSet(False, dimension, support, widest, interior, reason)
