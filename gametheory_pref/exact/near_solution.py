"""Turn a nearly optimal policy of a symmetric zero-sum game into an optimal one, in the time of one factorisation."""

from __future__ import annotations

import numpy as np

from .._types import FloatArray
from .central_path import CentralPath, largest_payoff, polish
from .elimination import gains
from .reduction import solve_by_reduction

_UNSETTLED = 2.0
"""A response whose centred log(p/s) is at most this in size is undecided."""

_SHARP = 1e-12
"""What a best reply may gain on a policy found by elimination, before its equations are solved once more."""

_TOO_FAR = 0.3
"""Error of a policy, relative to its typical entries, above which it decides nothing."""


def solve_near(payoff: FloatArray, policy: FloatArray, *, deadline: float | None = None) -> FloatArray | None:
    """Return an optimal policy of a symmetric zero-sum game by way of one that is nearly optimal, or None.

    Most responses are decided by the given policy: those clearly played, and those clearly worse than best replies.
    The game of the others is left when the equations of the former are eliminated; wrong decisions show, and are
    opened again. So this takes about as long as one factorisation, where `interior_point` takes several.

    Parameters
    ----------
    payoff : ndarray of shape (n, n)
        Payoff to the row player, exactly skew-symmetric.
    policy : ndarray of shape (n,)
        Nonnegative, sum 1.
    deadline : float, optional
        Moment of `time.perf_counter` after which it gives up.

    Returns
    -------
    ndarray of shape (n,) or None
        None where too much is open, or decisions do not settle; then the game is for `interior_point`.

    Examples
    --------
    >>> payoff = np.array([[0.0, -1.0, 2.0], [1.0, 0.0, -1.0], [-2.0, 1.0, 0.0]])
    >>> solve_near(payoff, np.array([0.26, 0.49, 0.25]))
    array([0.25, 0.5 , 0.25])
    """
    largest = largest_payoff(payoff)
    n = len(payoff)
    if largest == 0.0:
        return policy
    path = CentralPath(np.divide(payoff, largest, order="C"), np.full(n, 1.0 / n), single=False)
    payoffs = gains(path.payoff, policy)
    slack = payoffs.max() - payoffs
    size_p = float(policy @ policy)
    size_s = float(np.linalg.norm(path.payoff) / n) * size_p**0.5
    # What the best reply gains, over what a random one loses, is by how much both vectors may be off.
    error = max(float(payoffs.max()) / size_s, 1e-9)
    if not error < _TOO_FAR:
        return None
    path.p, path.s = policy + error * size_p, slack + error * size_s
    path.centre(np.full(n, np.log(size_s / size_p)))
    undecided = np.abs(path.certainty()) <= _UNSETTLED
    if 4 * np.count_nonzero(undecided) > 3 * n:
        return None
    found = solve_by_reduction(path, undecided, deadline, 0)
    if found is not None and float(gains(path.payoff, found).max()) > _SHARP:
        polished = polish(path.payoff, found, np.flatnonzero(found))
        if polished is not None and gains(path.payoff, polished).max() < gains(path.payoff, found).max():
            return polished
    return found
