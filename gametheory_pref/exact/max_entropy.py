"""The winner of maximal entropy, or nearest in KL divergence to a reference, when a game has many.

Optimal strategies form a polytope ``{x in simplex : G x <= 0}``. Some rows of ``G`` are zero at every optimal
strategy (equations), the others only bound it and may or may not touch the point sought. The KL-regularised
equilibria of the game converge, as the temperature goes to 0, to the optimal strategy that minimises ``KL(x
|| reference)``; with a uniform reference that is the one of maximal entropy.
"""

from __future__ import annotations

import numpy as np

from .._types import FloatArray, IntArray
from ..errors import InputError, NotConverged
from .complementary import EPS, WIN_PROBABILITY_ERROR, longest_step, null_space, strictly_complementary

_MAX_STEPS = 200
_LAST_BARRIER = 1e-12
# Bounds have rows of largest entry 1.
_TOUCHING = 1e-13
_ACCURACY = 1e-10


def max_entropy(
    payoff: FloatArray, support_union: IntArray, *, reference: FloatArray | None = None
) -> FloatArray:
    """Return the winner nearest in KL divergence to `reference` (uniform: the winner of maximal entropy).

    Parameters
    ----------
    payoff : ndarray, shape (n, n)
        Skew-symmetric, ``P - 1/2``; the row maximises.
    support_union : ndarray of int
        Responses that some winner plays (`solution_set` finds them).
    reference : ndarray, shape (n,), optional
        Non-negative; uniform when left out. A response without mass in the reference is not played.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    InputError
        Every winner plays some response without mass in `reference`, so all are infinitely far from it.
    NotConverged
        The optimality conditions do not hold to 1e-10 at the end.

    Examples
    --------
    Rock, paper and two copies of scissors: the copies share what scissors had.

    >>> import numpy as np
    >>> A = np.array([[0, -1, 1, 1], [1, 0, -1, -1], [-1, 1, 0, 0], [-1, 1, 0, 0]]) / 2
    >>> max_entropy(A, np.arange(4)).round(4).tolist()
    [0.3333, 0.3333, 0.1667, 0.1667]
    >>> max_entropy(A, np.arange(4), reference=np.array([0.4, 0.4, 0.2, 0.0])).round(4).tolist()
    [0.3333, 0.3333, 0.3333, 0.0]
    """
    played, tight = support_union, support_union
    if reference is not None and (reference[support_union] <= 0).any():
        played, tight = _face(payoff, support_union[reference[support_union] > 0])
    loose = np.ones(payoff.shape[0], dtype=bool)
    loose[tight] = False
    columns = payoff[:, played]
    result = np.zeros(payoff.shape[0])
    result[played] = kl_projection(
        columns[tight],
        columns[loose],
        None if reference is None else reference[played],
        entry_error=WIN_PROBABILITY_ERROR,
    )
    return result


def _face(payoff: FloatArray, allowed: IntArray) -> tuple[IntArray, IntArray]:
    """Return the responses and the tight rows of the winners that play only `allowed` responses.

    They are the column player's optimal strategies in the game of all rows against the allowed columns, as
    long as its value is 0 too.
    """
    n = payoff.shape[0]
    block = np.zeros((n + allowed.size, n + allowed.size))
    block[:n, n:] = payoff[:, allowed]
    block[n:, :n] = -payoff[:, allowed].T
    pair = strictly_complementary(block, WIN_PROBABILITY_ERROR)
    if pair is None:
        raise NotConverged("float64 cannot tell which winners stay inside the support of the reference")
    played = allowed[pair.support[pair.support >= n] - n]
    if played.size == 0:
        raise InputError(
            "reference gives no mass to a response that every winner plays, so no winner is near it; "
            "give every response some mass, or drop from the game those that must not be played"
        )
    return played, pair.support[pair.support < n]


def kl_projection(
    tight: FloatArray, loose: FloatArray, reference: FloatArray | None = None, *, entry_error: float
) -> FloatArray:
    """Minimise ``KL(x || reference)`` over ``{x in simplex : tight x = 0, loose x <= 0}``.

    Parameters
    ----------
    tight : ndarray, shape (e, k)
    loose : ndarray, shape (c, k)
        Some point of the set has ``x > 0`` and ``loose x < 0``.
    reference : ndarray, shape (k,), optional
        Positive; need not sum to 1. Uniform when left out.
    entry_error : float
        Absolute error of the entries of `tight`, for its rank.

    Returns
    -------
    ndarray, shape (k,)

    Notes
    -----
    The dual problem has one free multiplier per independent equation and one non-negative one per bound; it
    is smooth and convex, and its point ``x = reference exp(-multipliers' rows) / sum`` stays positive however
    small its entries. Bounds are added only when violated: most never matter.
    """
    log_base = np.zeros(tight.shape[1]) if reference is None else np.log(reference)
    equations = _independent_rows(tight, entry_error)
    # On the equations only the part of a bound across them counts; bounds that differ along them alone become equal.
    bounds = _unit_rows(loose)
    bounds = _unit_rows(bounds - (bounds @ equations.T) @ equations)
    x = _solve(equations, bounds[:0], log_base)[0]
    working = np.zeros(bounds.shape[0], dtype=bool)
    while True:
        violated = (bounds @ x > _TOUCHING) & ~working
        if not violated.any():
            break
        working |= violated
        x = _solve_with_bounds(equations, bounds[working], log_base)
    touched = working & (bounds @ x > -_TOUCHING)
    return _onto_equations(np.vstack([equations, bounds[touched]]), x, entry_error)


def _independent_rows(matrix: FloatArray, entry_error: float) -> FloatArray:
    """Return an orthonormal basis of the row space: the equations, each once."""
    kernel = null_space(matrix, entry_error).basis
    return null_space(kernel.T, EPS).basis.T


def _unit_rows(matrix: FloatArray) -> FloatArray:
    """Scale each row to a largest entry of 1; rows of zeros bound nothing and go."""
    size = np.abs(matrix).max(axis=1, initial=0.0)
    scaled: FloatArray = matrix[size > 0] / size[size > 0, None]
    return scaled


def _point(log_base: FloatArray, rows: FloatArray, multipliers: FloatArray) -> tuple[FloatArray, float]:
    """Return the point of the dual multipliers and the logarithm of its normaliser."""
    exponent = log_base - multipliers @ rows
    top = float(exponent.max())
    weights = np.exp(exponent - top)
    total = float(weights.sum())
    return weights / total, top + float(np.log(total))


def _solve(
    equations: FloatArray,
    bounds: FloatArray,
    log_base: FloatArray,
    barrier: float = 0.0,
    start: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Minimise the dual by damped Newton, with a logarithmic barrier on the multipliers of `bounds`.

    Returns the point and the multipliers.
    """
    rows = np.vstack([equations, bounds])
    free = equations.shape[0]
    bounded = np.arange(free, rows.shape[0])
    multipliers = np.zeros(rows.shape[0]) if start is None else start

    def evaluate(multipliers: FloatArray) -> tuple[FloatArray, float]:
        x, height = _point(log_base, rows, multipliers)
        return x, height - barrier * float(np.log(multipliers[free:]).sum())

    x, height = evaluate(multipliers)
    for _ in range(_MAX_STEPS if rows.shape[0] else 0):
        mean = rows @ x
        gradient = -mean
        curvature = (rows * x) @ rows.T - np.outer(mean, mean)
        gradient[free:] -= barrier / multipliers[free:]
        curvature[bounded, bounded] += barrier / multipliers[free:] ** 2
        move = -_solve_positive(curvature, gradient)
        promise = -float(gradient @ move)
        if promise < 1e-28:
            break
        step = min(1.0, 0.95 * longest_step(multipliers[free:], move[free:]))
        trial = evaluate(multipliers + step * move)
        # What rounding hides in the objective needs no damping: Newton is in its quadratic phase.
        while trial[1] > height - 1e-4 * step * promise and step * promise > 1e-11 * (1.0 + abs(height)):
            step *= 0.5
            trial = evaluate(multipliers + step * move)
        multipliers = multipliers + step * move
        x, height = trial
        if promise < 1e-11 and step * float(np.abs(move).max()) < 1e-14:
            break
    return x, multipliers


def _solve_positive(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solve a symmetric positive definite system that rounding may have made singular."""
    try:
        return np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(matrix, right, rcond=EPS)[0], dtype=np.float64)


def _solve_with_bounds(equations: FloatArray, bounds: FloatArray, log_base: FloatArray) -> FloatArray:
    """Follow the barrier to learn which bounds are touched, then solve with those as equations.

    The bounds hold, and the clipped multipliers are dual feasible, so ``KL(x || dual point)`` is the duality
    gap, and by Pinsker's inequality x is within ``sqrt(2 gap)`` of the solution.
    """
    free = equations.shape[0]
    multipliers = np.concatenate([np.zeros(free), np.ones(bounds.shape[0])])
    barrier = 0.1
    while barrier > _LAST_BARRIER:
        x, multipliers = _solve(equations, bounds, log_base, barrier, multipliers)
        barrier *= 0.1
    touched = multipliers[free:] > -(bounds @ x)
    rows = np.vstack([equations, bounds[touched]])
    independent = _independent_rows(rows, EPS)
    x = _solve(independent, bounds[:0], log_base)[0]
    near = np.concatenate([multipliers[:free], multipliers[free:][touched]])
    defect = log_base - near @ rows - np.log(np.maximum(x, 1e-300))
    # The last unknown is the normaliser of x.
    near += np.linalg.lstsq(np.vstack([rows, np.ones(x.size)]).T, defect, rcond=None)[0][:-1]
    near[free:] = np.maximum(near[free:], 0.0)
    distance = float(np.abs(_point(log_base, rows, near)[0] - x).max())
    if distance > _ACCURACY or float((bounds @ x).max()) > _ACCURACY:
        raise NotConverged(f"the winner of maximal entropy is known only to {distance:.1e}")
    return x


def _onto_equations(rows: FloatArray, x: FloatArray, entry_error: float) -> FloatArray:
    """Take the last rounding errors out of ``rows x = 0``, moving each entry in proportion to itself."""
    rows = _independent_rows(rows, max(entry_error, EPS))
    for _ in range(2 if rows.shape[0] else 0):
        x = x - x * (rows.T @ _solve_positive((rows * x) @ rows.T, rows @ x))
    x = np.maximum(x, 0.0)
    x /= x.sum()
    return x
