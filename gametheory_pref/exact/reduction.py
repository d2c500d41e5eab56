"""Follow the central path of a symmetric zero-sum game until few indices are undecided, and solve their game.

On the path every ratio p_i / s_i tends to 0 or to infinity, and for most i long before the gap is small. Where it is
large, i belongs to the support, s_i = 0, and i can be *eliminated*: the undecided indices form a smaller symmetric
game (elimination.py), whose central path is followed in the same way. Decisions that the completed policy breaks are
opened again.

References
----------
A. J. Goldman, A. W. Tucker, "Theory of linear programming", 1956 (strict complementarity).
"""

from __future__ import annotations

import time

import numpy as np

from .._types import BoolArray, FloatArray
from ..status import Status
from .central_path import ROUNDING, CentralPath
from .elimination import Elimination, eliminate, gains

_SMALLEST_REDUCIBLE = 40
"""Below this order a step costs less than splitting the game."""

_CERTAIN = 1e3
"""Offset of the homogenising index of a reduced game, which every solution must use."""

_UNDECIDED = 3.0
"""A response whose centred log(p/s) is at most this in size is undecided."""

_OUTSIDE = -2.0
"""The same for being surely outside, when few responses are not; a mistake is then cheap to mend."""

_DOUBTFUL = 1.0
"""The same for a second look, when an optimum under the first decisions is known."""


def follow(path: CentralPath, tol: float, max_steps: int, deadline: float | None, depth: int) -> Status:
    """Follow the path until a candidate is exact, or `tol` is met and float64 offers no more.

    The game is reduced once few enough of its indices are undecided; `depth` counts the reductions behind it.
    """
    n = len(path.p)
    reducible = n >= _SMALLEST_REDUCIBLE and depth < 2
    most_undecided, most_possible = (2 * n // 5, n // 5) if reducible else (-1, -1)
    while path.best.gap > ROUNDING or not path.best.polished:
        out_of_time = deadline is not None and time.perf_counter() >= deadline
        if out_of_time or path.n_steps >= max_steps or not path.step(0.0):
            if path.best.gap <= tol:
                return Status.CONVERGED
            if out_of_time:
                return Status.TIME_LIMIT
            return Status.STEP_LIMIT if path.n_steps >= max_steps else Status.INACCURATE
        certainty = path.certainty()
        undecided, possible = np.abs(certainty) <= _UNDECIDED, certainty > _OUTSIDE
        n_undecided, n_possible = int(undecided.sum()), int(possible.sum())
        if n_possible <= most_possible:
            most_possible = n_possible // 2
            _propose_reduced(path, possible, deadline, depth)
        elif n_undecided <= most_undecided:
            most_undecided = n_undecided // 2
            _propose_reduced(path, undecided, deadline, depth)
        elif n_undecided <= n // 50 or path.mu * n < 1e-6:
            path.propose_polished(certainty > 0.0)
    return Status.EXACT


def _propose_reduced(path: CentralPath, undecided: BoolArray, deadline: float | None, depth: int) -> None:
    """Solve the game of the undecided indices and keep the completed point if it is the best so far."""
    p = solve_by_reduction(path, undecided, deadline, depth)
    path.propose(p)
    if p is None or not path.best.gap <= ROUNDING:
        path.propose_polished(path.certainty() > 0.0 if p is None else p > 0.0)


def solve_by_reduction(
    path: CentralPath, undecided: BoolArray, deadline: float | None, depth: int
) -> FloatArray | None:
    """Return an optimal policy by solving the game of the undecided indices, or None.

    A decision that the completed point breaks is opened again, along with the more doubtful of the undecided
    ones; the other undecided ones have by then been decided by the solution.
    """
    payoff, certainty = path.payoff, path.certainty()
    inside = certainty > 0.0
    doubtful = np.abs(certainty) <= _DOUBTFUL
    for _ in range(10):
        elimination = eliminate(payoff, certainty, inside, undecided)
        x = None if elimination is None else _complete(elimination, path, deadline, depth)
        if x is None:
            return None
        policy = np.maximum(x, 0.0)
        policy /= policy.sum()
        broken = ~undecided & _broken(x, gains(payoff, policy), inside)
        if not broken.any():
            return policy
        if np.count_nonzero(undecided) > _SMALLEST_REDUCIBLE:
            inside[undecided] = x[undecided] > 0.0
            undecided = doubtful
        undecided = doubtful = undecided | broken
        if 2 * np.count_nonzero(undecided) > len(payoff):
            break
    return None


def _broken(x: FloatArray, payoffs: FloatArray, inside: BoolArray) -> BoolArray:
    """Return where decisions were wrong: probabilities below 0, and responses outside that would win.

    One response that is missing lets many win, so only those that win most count.
    """
    winning = np.where(inside, 0.0, payoffs)
    most = min(max(20, int(np.count_nonzero(x)) // 8), winning.size)
    threshold = max(float(np.partition(winning, -most)[-most]), 1e-12)
    result: BoolArray = (inside & (x < -1e-13)) | (winning >= threshold)
    return result


def _complete(elimination: Elimination, path: CentralPath, deadline: float | None, depth: int) -> FloatArray | None:
    """Solve what is left and return the whole solution, of sum 1 but perhaps negative where it was sure."""
    sure, open_indices = elimination.sure, elimination.open_indices
    u = open_indices.size
    present, offset = path.p[open_indices], path.offset()[open_indices]
    x = np.zeros(len(path.p))
    if sure.size == 0:
        y = _solve_reduced(elimination.game, present, np.full(u, 1.0 / u), offset, deadline, depth)
        if y is None:
            return None
        x[open_indices] = y / y.sum()
        return x
    if u == 0:
        x[sure] = elimination.offset[1:]
        return x
    # Half of the mass on the homogenising index makes all products p_i s_i those of the large game again.
    start = np.append(np.full(u, 0.5 / u), 0.5)
    present, offset = np.append(present, 1.0), np.append(offset, _CERTAIN)
    y = _solve_reduced(elimination.game, present, start, offset, deadline, depth)
    if y is None or not y[-1] > 1e-12 * y.sum():
        return None
    x_open = y[:-1] / y[-1]
    x[open_indices] = x_open
    x[sure] = (elimination.response @ x_open + elimination.offset)[1:]
    return x


def _solve_reduced(
    game: FloatArray,
    present: FloatArray,
    start: FloatArray,
    offset: FloatArray,
    deadline: float | None,
    depth: int,
) -> FloatArray | None:
    """Return an optimal policy of a reduced game up to a factor, or None if it has no exact one.

    The game is scaled so that the policy `start` of the small game is the iterate `present` of the large one.
    """
    scale = present / start
    scaled = np.where(np.abs(game) > 1e-12, game, 0.0) * np.outer(scale, scale)
    scaled = 0.5 * (scaled - scaled.T)
    largest = float(scaled.max())
    if largest == 0.0:
        return present
    # Policies of the small game are x / scale and slacks scale * s / largest: the same log(p/s), hence
    # certainty.
    offset = offset + 2.0 * np.log(scale) - np.log(largest)
    path = CentralPath(scaled / largest, start, single=False, offset=offset)
    status = follow(path, 0.0, 40, deadline, depth + 1)
    return scale * path.best.policy if status is Status.EXACT else None
