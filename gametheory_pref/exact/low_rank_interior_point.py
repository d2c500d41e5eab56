"""An interior-point method for zero-sum games of low rank: a step takes a few products with the factors.

The game is skew, ``A = V C V'`` with n responses, a tall V of r columns and a small skew C; a game ``L R'`` of two
players is one, too, with ``V = diag(L, R)`` and ``C = [[0, I], [-I, 0]]`` (low_rank_factors.py). Its linear programme
is its own dual,

    minimise the sum of theta  subject to  s = E theta - A p >= 0,  E'p = 1,  p >= 0,

where E says which response is whose. The central path is p_i s_i = mu. A step along it solves r + 1 equations (r + 2
for two players), made in n r^2 operations (low_rank_equations.py, low_rank_path.py); nothing of order n x n is ever
made.

Of many responses most are soon known not to be played, if the answer plays few. Then the game of the others is solved,
which is cheap, and one product with all shows whether responses beat the answer; those join. Where the optimal policies
play most of the responses, as among vectors all around zero, the path itself ends after very few steps.

References
----------
S. Mehrotra, "On the implementation of a primal-dual interior point method", SIAM J. Optim. 2, 1992.
J. Gondzio, "Multiple centrality corrections in a primal-dual method", Comput. Optim. Appl. 6, 1996.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._types import BoolArray, FloatArray
from ..errors import InputError
from ..operators import LowRank, LowRankSkew, PayoffOperator
from ..status import Status
from .low_rank_factors import factors_of
from .low_rank_path import LowRankPath

_ROUNDING = 2e-15
"""Gap, as a share of the largest payoff, below which float64 has no more to say."""

_SMALLEST_REDUCIBLE = 2000
"""Below this number of responses a step costs less than making the game of those that may be played."""

_REDUCTION = 10
"""That game is solved once they are fewer than one in so many."""

_PATIENCE = 3
"""Games without a gap half as large after which steps on all responses go on."""


class PathProgress(NamedTuple):
    """Where the method stands: steps, passes over the factors in payoff products, the best policy and its gap."""

    n_steps: int
    n_products: int
    policy: FloatArray
    gap: float


class LowRankInteriorPoint(NamedTuple):
    """Answer of `low_rank_interior_point`.

    Attributes
    ----------
    policy : ndarray
        Best point found; the policies of both players one after the other where the payoff is not skew.
    gap : float
        Its duality gap, summed over players, twice for a symmetric game; from one product with the payoff.
    status : Status
        CONVERGED, STEP_LIMIT, TIME_LIMIT, STOPPED, INTERRUPTED or INACCURATE.
    n_steps, n_products : int
        Newton steps, those on games of some of the responses included, and passes over the factors that cost as much
        as a product with the payoff.
    """

    policy: FloatArray
    gap: float
    status: Status
    n_steps: int
    n_products: int


def low_rank_interior_point(
    payoff: PayoffOperator,
    *,
    tol: float = 1e-9,
    max_steps: int = 200,
    deadline: float | None = None,
    watch: Callable[[PathProgress], object] | None = None,
) -> LowRankInteriorPoint:
    """Return an equilibrium of a zero-sum game whose payoff has low rank.

    Parameters
    ----------
    payoff : LowRank or LowRankSkew
        A skew one for a symmetric game; otherwise the row player's payoff.
    tol : float
        Duality gap at which to stop; 0 goes as far as float64 does.
    max_steps : int
        Newton steps allowed.
    deadline : float, optional
        Moment of `time.perf_counter` after which no further step begins.
    watch : callable, optional
        Called with a `PathProgress` after every step; raising ``StopIteration`` ends the search.

    Returns
    -------
    LowRankInteriorPoint
        Policies of many optimal ones are near the central one, which plays all that any optimal policy plays.

    Raises
    ------
    InputError
        The payoff is of another kind, or its factors are not finite.

    Examples
    --------
    A hundred thousand embeddings on a circle, of which each beats those a quarter turn on:

    >>> from gametheory_pref.operators import LowRankSkew
    >>> angles = np.random.default_rng(0).uniform(0.0, 2.0 * np.pi, 100_000)
    >>> circle = np.column_stack([np.cos(angles), np.sin(angles)])
    >>> answer = low_rank_interior_point(LowRankSkew(circle, np.array([[0.0, 1.0], [-1.0, 0.0]])))
    >>> answer.gap < 1e-9, answer.n_steps < 10
    (True, True)
    """
    if not isinstance(payoff, (LowRank, LowRankSkew)):
        raise InputError(f"payoff must be a LowRank or LowRankSkew operator; got a {type(payoff).__name__}")
    if not np.isfinite(payoff.largest()):
        raise InputError("payoff has factors that are not finite, or so large that their products are not")
    factors = factors_of(payoff)
    path = LowRankPath(factors)
    try:
        status = _follow(path, tol, max_steps, deadline, watch)
    except StopIteration:
        status = Status.STOPPED
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    policy, gap = _best_of(payoff, path, tol)
    if gap <= tol:
        status = Status.CONVERGED
    elif status is Status.CONVERGED:
        status = Status.INACCURATE
    return LowRankInteriorPoint(policy, gap, status, path.n_steps, path.n_products + 1)


def _best_of(payoff: PayoffOperator, path: LowRankPath, tol: float) -> tuple[FloatArray, float]:
    """Return the end of the path, if possible without traces of what is not played, and its gap on the game itself."""
    policy = path.without_traces()
    gap = _certified_gap(payoff, policy)
    polished = path.polished(policy) if gap > _ROUNDING * path.factors.scale else None
    if polished is not None and (other := _certified_gap(payoff, polished)) < gap:
        policy, gap = polished, other
    if gap > tol and policy is not path.best and (other := _certified_gap(payoff, path.best)) < gap:
        policy, gap = path.best, other
    return policy, gap


def _follow(
    path: LowRankPath,
    tol: float,
    max_steps: int,
    deadline: float | None,
    watch: Callable[[PathProgress], object] | None,
) -> Status:
    """Take steps until the gap is small enough, or a limit comes."""
    scale, n = path.factors.scale, path.factors.n
    next_try = 1 if n >= _SMALLEST_REDUCIBLE else max_steps + 1
    while path.gap * scale > tol:
        if deadline is not None and time.perf_counter() >= deadline:
            return Status.TIME_LIMIT
        if path.n_steps >= max_steps:
            return Status.STEP_LIMIT
        if path.gap <= _ROUNDING or not path.step():
            return Status.INACCURATE
        if path.n_steps >= next_try and path.gap * scale > tol:
            possible = path.possible()
            if np.count_nonzero(possible) <= n // _REDUCTION:
                _follow_few(path, possible, tol, max_steps, deadline)
                next_try = 2 * path.n_steps
        if watch is not None:
            watch(PathProgress(path.n_steps, path.n_products, path.best, path.gap * scale))
    return Status.CONVERGED


def _follow_few(path: LowRankPath, possible: BoolArray, tol: float, max_steps: int, deadline: float | None) -> None:
    """Solve the game of those that may be played; those that beat the answer join, while that helps."""
    kept, goal, patience = possible | path.likeliest(), np.inf, _PATIENCE
    while patience and path.n_steps < max_steps and path.gap * path.factors.scale > tol:
        smaller = LowRankPath(path.factors.of(kept))
        status = _follow(smaller, 0.5 * tol, max_steps - path.n_steps, deadline, None)
        gap, better = path.learn(kept, smaller)
        patience, goal = (_PATIENCE, 0.5 * gap) if gap <= goal else (patience - 1, goal)
        if status is Status.TIME_LIMIT or not np.any(better & ~kept):
            return
        kept |= better


def _certified_gap(payoff: PayoffOperator, policy: FloatArray) -> float:
    if payoff.is_skew:
        payoffs = payoff.product(policy)
        return 2.0 * float(payoffs.max() - payoffs @ policy)
    row, column = np.split(policy, [payoff.shape[0]])
    to_row, to_column = payoff.both_products(row, column)
    return float(to_row.max() - to_column.min())
