"""An interior-point method for symmetric zero-sum games that pays one factorisation a step, and few steps.

For a skew-symmetric payoff ``A`` (value 0) the linear programme of the row player is its own dual,

    minimise theta  subject to  s = theta 1 - A p >= 0,  1'p = 1,  p >= 0,

and p's = theta. Its central path is p_i s_i = mu for all i, with n mu = theta. The Newton matrix of the path
is ``diag(s/p) - A`` bordered by ones: one LU of order n per step, where a method for general programmes forms
and factorises normal equations.

Early steps need few digits: they factorise in single precision, and the new slacks, computed from the new p
in double, show whether that was enough. Three facts end the iteration soon. On the path every ratio p_i / s_i
tends to 0 or to infinity, and for most i long before the gap is small. Where it is large, i belongs to the
support, s_i = 0, and i can be *eliminated*: as the bordered matrix of the eliminated indices is skew, so is
its Schur complement, and the undecided indices form a smaller symmetric game, which the same method solves.
And where the support is known, p solves linear equations, so that the answer is exact to rounding.

References
----------
S. Mehrotra, "On the implementation of a primal-dual interior point method", SIAM J. Optim. 2, 1992.
J. Gondzio, "Multiple centrality corrections in a primal-dual method", Comput. Optim. Appl. 6, 1996.
A. J. Goldman, A. W. Tucker, "Theory of linear programming", 1956 (strict complementarity).
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from .._types import BoolArray, FloatArray, IntArray
from ..errors import InputError
from ..status import Status
from .elimination import Elimination, block, eliminate, gains
from .newton_direction import NewtonSystem, direction

_ROUNDING = 2e-14
"""Gap, as a share of the largest payoff, below which a polished point counts as exact."""

_SMALLEST_REDUCIBLE = 40
"""Below this order a step costs less than splitting the game."""

_SMALLEST_SINGLE = 200
"""Below this order single precision saves nothing."""

_CERTAIN = 1e3
"""Offset of the homogenising index of a reduced game, which every solution must use."""

_UNDECIDED = 3.0
"""A response whose centred log(p/s) is at most this in size is undecided."""

_OUTSIDE = -2.0
"""The same for being surely outside, when few responses are not; a mistake is then cheap to mend."""

_DOUBTFUL = 1.0
"""The same for a second look, when an optimum under the first decisions is known."""

_UNSETTLED = 2.0
"""The same where a nearly optimal policy is known, which decides more."""

_SHARP = 1e-12
"""What a best reply may gain on a policy found by elimination, before its equations are solved once more."""

_TOO_FAR = 0.3
"""Error of a policy, relative to its typical entries, above which it decides nothing."""


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


class _Candidate(NamedTuple):
    """A policy with its gap relative to the largest payoff."""

    policy: FloatArray
    gap: float
    polished: bool


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
    largest = _largest_payoff(payoff)
    n = len(payoff)
    if largest == 0.0:
        uniform = np.full(n, 1.0 / n)
        return InteriorPoint(uniform, 0.0, Status.EXACT, uniform, np.zeros(n), 0, 0, True)
    path = _Path(np.divide(payoff, largest, order="C"), np.full(n, 1.0 / n), single=n >= _SMALLEST_SINGLE)
    path.propose_vertex()
    status = _follow(path, tol / largest, max_steps, deadline, depth=0)
    best = path.best
    gap = 2.0 * float((payoff @ best.policy).max())
    return InteriorPoint(
        best.policy, gap, status, path.p, path.s * largest, path.n_steps, path.n_factorizations, best.polished
    )


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
    largest = _largest_payoff(payoff)
    n = len(payoff)
    if largest == 0.0:
        return policy
    path = _Path(np.divide(payoff, largest, order="C"), np.full(n, 1.0 / n), single=False)
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
    found = _solve_by_reduction(path, undecided, deadline, 0)
    if found is not None and float(gains(path.payoff, found).max()) > _SHARP:
        polished = _polish(path.payoff, found, np.flatnonzero(found))
        if polished is not None and gains(path.payoff, polished).max() < gains(path.payoff, found).max():
            return polished
    return found


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
    largest = _largest_payoff(payoff)
    n = len(payoff)
    if largest == 0.0:
        return CentralPoint(np.full(n, 1.0 / n), np.full(n, n * mu), mu, 0)
    path = _Path(np.divide(payoff, largest, order="C"), np.full(n, 1.0 / n), single=False)
    target = mu / largest
    while path.n_steps < max_steps and not path.is_centred_at(target):
        if not path.step(target):
            break
    return CentralPoint(path.p, path.s * largest, path.mu * largest, path.n_steps)


def _largest_payoff(payoff: FloatArray) -> float:
    """Return the largest entry, after refusing what is not a finite skew-symmetric matrix."""
    if payoff.ndim != 2 or payoff.shape[0] != payoff.shape[1] or payoff.shape[0] == 0:
        raise InputError(f"payoff must be a non-empty square matrix; its shape is {payoff.shape}")
    largest = float(payoff.max())
    # (A + A') x = 0 for every x if A is skew; one generic x shows any other matrix at the price of two
    # products. NaN and infinity fail the comparison.
    probe = np.cos(np.arange(1.0, len(payoff) + 1.0))
    with np.errstate(invalid="ignore"):
        defect = float(np.abs(payoff @ probe + probe @ payoff).max())
    if not (largest >= 0.0 and defect <= 1e-12 * len(payoff) * max(largest, np.finfo(float).tiny)):
        raise InputError("payoff must be finite and skew-symmetric (payoff = -payoff.T); for win rates P pass P - P.T")
    return largest


def _follow(path: _Path, tol: float, max_steps: int, deadline: float | None, depth: int) -> Status:
    """Follow the path until a candidate is exact, or `tol` is met and float64 offers no more.

    The game is reduced once few enough of its indices are undecided; `depth` counts the reductions behind it.
    """
    n = len(path.p)
    reducible = n >= _SMALLEST_REDUCIBLE and depth < 2
    most_undecided, most_possible = (2 * n // 5, n // 5) if reducible else (-1, -1)
    while path.best.gap > _ROUNDING or not path.best.polished:
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
            path.propose_reduced(possible, deadline, depth)
        elif n_undecided <= most_undecided:
            most_undecided = n_undecided // 2
            path.propose_reduced(undecided, deadline, depth)
        elif n_undecided <= n // 50 or path.mu * n < 1e-6:
            path.propose_polished(certainty > 0.0)
    return Status.EXACT


class _Path:
    """The iterate of one game whose largest payoff is 1, its Newton system, and the best candidate so far."""

    def __init__(
        self, payoff: FloatArray, start: FloatArray, *, single: bool, offset: FloatArray | None = None
    ) -> None:
        n = len(payoff)
        self.payoff = payoff
        self.p = start
        payoffs = gains(payoff, start)
        # The smallest theta for which every product p_i s_i is at least 0.3 of their mean, theta / n.
        self.theta = max(float((start * payoffs / (start - 0.3 / n)).max()), 1e-6)
        self.s = self.theta - payoffs
        self.best = _Candidate(start, 2.0 * float(payoffs.max()), False)
        self.n_steps = 0
        self.n_factorizations = 0
        self._newton = NewtonSystem(payoff, single)
        self._size = float(np.linalg.norm(payoff) / n)
        self._offset = offset

    @property
    def mu(self) -> float:
        return float(self.p @ self.s) / len(self.p)

    def offset(self) -> FloatArray:
        """Return what centres log(p/s): given, or the typical slack outside against the typical p inside.

        Typical is the mean weighted by itself, for the slack at most (root mean square payoff) * |p|, that of
        a random response. Where no slack stays large, all of the game is support.
        """
        if self._offset is not None:
            return self._offset
        size_p = float(self.p @ self.p)
        random_s = self._size * size_p**0.5
        size_s = float(self.s @ self.s) / float(self.s.sum())
        return np.full(len(self.p), np.log(min(max(size_s, 1e-3 * random_s), random_s) / size_p))

    def centre(self, offset: FloatArray) -> None:
        """Let this centre log(p/s) from now on."""
        self._offset = offset

    def certainty(self) -> FloatArray:
        """Return log(p/s), centred: large in the support, very negative outside."""
        result: FloatArray = np.log(self.p / self.s) + self.offset()
        return result

    def is_centred_at(self, target: float) -> bool:
        products = self.p * self.s
        return bool(products.max() <= 2.0 * target and products.min() >= 0.5 * target)

    def step(self, mu_floor: float) -> bool:
        """Take one step towards a mu of at least `mu_floor`; False if none is possible."""
        if self._newton.single:
            if self.mu * len(self.p) > 1e-6 and self._try_step(mu_floor):
                return True
            self._newton = NewtonSystem(self.payoff, False)
        return self._try_step(mu_floor)

    def _try_step(self, mu_floor: float) -> bool:
        p, s = self.p, self.s
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            self.n_factorizations += 1
            if not self._newton.factorize(s / p):
                return False
            dp, ds, dtheta, length = direction(self._newton, p, s, self.mu, mu_floor)
            p = p + length * dp
            p /= p.sum()
            # s and theta follow from p, so that rounding and inexact solves never leave the feasible set;
            # only the centrality suffers, and the next step repairs that.
            payoffs = gains(self.payoff, p)
            theta = self.theta + length * dtheta
            s = theta - payoffs
        if not (length > 1e-4 and np.minimum.reduce(p) > 0.0 and np.minimum.reduce(s) > 0.0):
            return False
        if self._newton.single and not np.all(np.abs(s - self.s - length * ds) <= 0.5 * s):
            return False
        self.p, self.s, self.theta = p, s, theta
        self.n_steps += 1
        self._keep(_Candidate(p, 2.0 * float(payoffs.max()), False))
        return True

    def propose_vertex(self) -> None:
        """Propose a response that no other beats: it is optimal on its own."""
        worst = self.payoff.max(axis=0)
        i = int(worst.argmin())
        if worst[i] <= 0.0:
            vertex = np.zeros(len(self.p))
            vertex[i] = 1.0
            self._keep(_Candidate(vertex, 0.0, True))

    def propose_polished(self, support: BoolArray) -> None:
        """Solve the equations of `support` and keep the point if it is the best so far."""
        self._propose(_polish(self.payoff, self.p, np.flatnonzero(support)))

    def propose_reduced(self, undecided: BoolArray, deadline: float | None, depth: int) -> None:
        """Solve the game of the undecided indices and keep the completed point if it is the best so far."""
        p = _solve_by_reduction(self, undecided, deadline, depth)
        self._propose(p)
        if p is None or not self.best.gap <= _ROUNDING:
            self.propose_polished(self.certainty() > 0.0 if p is None else p > 0.0)

    def _propose(self, p: FloatArray | None) -> None:
        if p is not None:
            self._keep(_Candidate(p, 2.0 * float(gains(self.payoff, p).max()), True))

    def _keep(self, candidate: _Candidate) -> None:
        # Below rounding level gaps mean nothing; there the exact zeros of a polished point decide.
        if candidate.gap <= max(self.best.gap, _ROUNDING if candidate.polished else 0.0):
            self.best = candidate


def _polish(payoff: FloatArray, p: FloatArray, support: IntArray) -> FloatArray | None:
    """Return the solution of A_SS x = 0, 1'x = 1 near p, completed by zeros, or None if it is not a policy.

    A_SS may have a kernel of several dimensions. The proximal point iteration (delta W - A_SS)(x_new - x) =
    A_SS x converges to a solution all the same, and contracts by delta / |smallest nonzero eigenvalue|; the
    weights W = 1/p^2 of the central path keep small entries positive.
    """
    if support.size == 0:
        return None
    x = p[support] / p[support].sum()
    sub = block(payoff, support, support)
    newton = NewtonSystem(sub, False)
    weights = np.minimum((x.mean() / x) ** 2, 1e6)
    if not newton.factorize(1e-9 * weights):
        return None
    theta = 0.0
    best, best_residual = x, np.inf
    for _ in range(6):
        residual = gains(sub, x) - theta
        size = float(np.abs(residual).max())
        if not size < 0.5 * best_residual:
            break
        best, best_residual = x, size
        dx, dtheta = newton.solve(residual)
        x = x + dx
        x /= x.sum()
        theta += dtheta
    return _as_policy(best, support, len(p))


def _as_policy(x: FloatArray, indices: IntArray, n: int) -> FloatArray | None:
    """Return x at `indices` of a policy over n, or None if an entry is negative by more than rounding."""
    if not x.min() >= -1e-13:
        return None
    p = np.zeros(n)
    p[indices] = np.maximum(x, 0.0)
    p /= p.sum()
    return p


def _solve_by_reduction(path: _Path, undecided: BoolArray, deadline: float | None, depth: int) -> FloatArray | None:
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


def _complete(elimination: Elimination, path: _Path, deadline: float | None, depth: int) -> FloatArray | None:
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
    path = _Path(scaled / largest, start, single=False, offset=offset)
    status = _follow(path, 0.0, 40, deadline, depth + 1)
    return scale * path.best.policy if status is Status.EXACT else None
