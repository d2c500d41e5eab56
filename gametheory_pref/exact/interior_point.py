"""An interior-point method for symmetric zero-sum games that pays one factorisation a step, and few steps.

For a skew-symmetric payoff ``A`` (value 0) the linear programme of the row player is its own dual,

    minimise theta  subject to  s = theta 1 - A p >= 0,  1'p = 1,  p >= 0,

and p's = theta. Its central path is p_i s_i = mu for all i, with n mu = theta. The Newton matrix of the path
is ``diag(s/p) - A`` bordered by ones: one LU of order n per step, where a method for general programmes forms
and factorises normal equations.

Early steps are taken in single precision (central_path.py). Three facts end the iteration soon. On the path
every ratio p_i / s_i tends to 0 or to infinity, and for most i long before the gap is small. Where it is
large, i belongs to the support, s_i = 0, and i can be *eliminated*: as the bordered matrix of the eliminated
indices is skew, so is its Schur complement, and the undecided indices form a smaller symmetric game, which the
same method solves (reduction.py). And where the support is known, p solves linear equations, so that the
answer is exact to rounding.

References
----------
S. Mehrotra, "On the implementation of a primal-dual interior point method", SIAM J. Optim. 2, 1992.
J. Gondzio, "Multiple centrality corrections in a primal-dual method", Comput. Optim. Appl. 6, 1996.
A. J. Goldman, A. W. Tucker, "Theory of linear programming", 1956 (strict complementarity).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._types import FloatArray
from ..status import Status
from .central_path import CentralPath, largest_payoff
from .reduction import follow

_SMALLEST_SINGLE = 200
"""Below this order single precision saves nothing."""


class InteriorPoint(NamedTuple):
    """Answer of `interior_point`.

    Attributes
    ----------
    policy : ndarray of shape (n,)
        Best point found: nonnegative, sum 1.
    gap : float
        ``2 * max(payoff @ policy)``, computed from `policy`; at most 0 apart from rounding only at an
        optimum.
    status : Status
        EXACT (polished to rounding), CONVERGED (gap at most the tolerance), STEP_LIMIT, TIME_LIMIT or
        INACCURATE.
    central_policy, central_slack : ndarray of shape (n,)
        Last iterate on the central path; `central_point` gives one as deep as wanted.
    n_steps, n_factorizations : int
        Newton steps and factorisations of order n (smaller ones are not counted).
    polished : bool
        Whether `policy` solves the equations of its support rather than being an iterate.
    """

    policy: FloatArray
    gap: float
    status: Status
    central_policy: FloatArray
    central_slack: FloatArray
    n_steps: int
    n_factorizations: int
    polished: bool


class CentralPoint(NamedTuple):
    """A point near the central path: ``policy * slack`` is nearly constant.

    Attributes
    ----------
    policy, slack : ndarray of shape (n,)
        Positive; `slack` is theta - payoff @ policy for the smallest theta of the path.
    mu : float
        Mean of ``policy * slack``.
    n_steps : int
        Newton steps taken.
    """

    policy: FloatArray
    slack: FloatArray
    mu: float
    n_steps: int


def interior_point(
    payoff: FloatArray, *, tol: float = 1e-9, max_steps: int = 200, deadline: float | None = None
) -> InteriorPoint:
    """Return an optimal policy of a symmetric zero-sum game.

    Parameters
    ----------
    payoff : ndarray of shape (n, n)
        Payoff to the row player, exactly skew-symmetric (win probability less 1/2, say).
    tol : float
        Gap to reach at least. Nearly every game ends at rounding level, whatever `tol` is.
    max_steps : int
        Newton steps allowed.
    deadline : float, optional
        Moment of `time.perf_counter` after which no further step begins.

    Returns
    -------
    InteriorPoint

    Raises
    ------
    InputError
        If `payoff` is not a finite skew-symmetric matrix.

    Notes
    -----
    The factorisations use the threads that the environment gives BLAS. On cores that are busy with other work those
    threads wait for one another; with OPENBLAS_NUM_THREADS=1 the time is then many times shorter.

    Examples
    --------
    Rock-paper-scissors in which a win with rock counts twice:

    >>> payoff = np.array([[0.0, -1.0, 2.0], [1.0, 0.0, -1.0], [-2.0, 1.0, 0.0]])
    >>> answer = interior_point(payoff)
    >>> answer.policy
    array([0.25, 0.5 , 0.25])
    >>> answer.gap < 1e-15
    True
    """
    largest = largest_payoff(payoff)
    n = len(payoff)
    if largest == 0.0:
        uniform = np.full(n, 1.0 / n)
        return InteriorPoint(uniform, 0.0, Status.EXACT, uniform, np.zeros(n), 0, 0, True)
    path = CentralPath(np.divide(payoff, largest, order="C"), np.full(n, 1.0 / n), single=n >= _SMALLEST_SINGLE)
    path.propose_vertex()
    status = follow(path, tol / largest, max_steps, deadline, depth=0)
    best = path.best
    gap = 2.0 * float((payoff @ best.policy).max())
    return InteriorPoint(
        best.policy, gap, status, path.p, path.s * largest, path.n_steps, path.n_factorizations, best.polished
    )


def central_point(payoff: FloatArray, *, mu: float = 1e-12, max_steps: int = 200) -> CentralPoint:
    """Return the point of the central path with ``policy * slack`` near `mu` in every coordinate.

    For small `mu` the coordinates fall into two classes, policy >> slack and policy << slack. The first is
    the union of the supports of all optimal policies (Goldman and Tucker), however degenerate the game.

    Parameters
    ----------
    payoff : ndarray of shape (n, n)
        Payoff to the row player, exactly skew-symmetric.
    mu : float
        Target, in units of the payoff.
    max_steps : int
        Newton steps allowed.

    Returns
    -------
    CentralPoint

    Examples
    --------
    Two clones that beat a third response share the optimal set, so both are in the union of supports:

    >>> payoff = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [-1.0, -1.0, 0.0]])
    >>> point = central_point(payoff, mu=1e-12)
    >>> point.policy > point.slack
    array([ True,  True, False])
    """
    largest = largest_payoff(payoff)
    n = len(payoff)
    if largest == 0.0:
        return CentralPoint(np.full(n, 1.0 / n), np.full(n, n * mu), mu, 0)
    path = CentralPath(np.divide(payoff, largest, order="C"), np.full(n, 1.0 / n), single=False)
    target = mu / largest
    while path.n_steps < max_steps and not path.is_centred_at(target):
        if not path.step(target):
            break
    return CentralPoint(path.p, path.s * largest, path.mu * largest, path.n_steps)
