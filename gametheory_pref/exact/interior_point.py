"""An interior-point method for symmetric zero-sum games that pays one factorisation a step, and few steps.

For a skew-symmetric payoff ``A`` (value 0) the linear programme of the row player is its own dual,

    minimise theta  subject to  s = theta 1 - A p >= 0,  1'p = 1,  p >= 0,

and p's = theta. Its central path is p_i s_i = mu for all i, with n mu = theta. The Newton matrix of the path
is ``diag(s/p) - A`` bordered by ones: one LU of order n per step, where a method for general programmes forms
and factorises normal equations.

Three facts end the iteration early. On the path every ratio p_i / s_i tends to 0 or to infinity, and for most
i long before the gap is small. Where it is large, i belongs to the support, s_i = 0, and i can be
*eliminated*: as the bordered matrix of the eliminated indices is skew, so is its Schur complement, and the
undecided indices form a smaller symmetric game, which the same method solves. And where the support is known,
p solves linear equations, so that the answer is exact to rounding.

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

_ROUNDING = 2e-14
"""Gap, as a share of the largest payoff, below which a polished point counts as exact."""

_SMALLEST_REDUCIBLE = 40
"""Below this order a step costs less than splitting the game."""


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
    path = _Path(payoff / largest)
    path.propose_vertex()
    status = _follow(path, tol / largest, max_steps, deadline, n // 3 if n >= _SMALLEST_REDUCIBLE else -1)
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
    largest = _largest_payoff(payoff)
    n = len(payoff)
    if largest == 0.0:
        return CentralPoint(np.full(n, 1.0 / n), np.full(n, n * mu), mu, 0)
    path = _Path(payoff / largest)
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
        raise InputError(
            "payoff must be finite and skew-symmetric (payoff = -payoff.T); for win rates P pass P - P.T"
        )
    return largest


def _follow(path: _Path, tol: float, max_steps: int, deadline: float | None, most_undecided: int) -> Status:
    """Follow the path until a candidate is exact, or `tol` is met and float64 offers no more.

    The game is reduced once no more than `most_undecided` indices are undecided.
    """
    while path.best.gap > _ROUNDING or not path.best.polished:
        out_of_time = deadline is not None and time.perf_counter() >= deadline
        if out_of_time or path.n_steps >= max_steps or not path.step(0.0):
            if path.best.gap <= tol:
                return Status.CONVERGED
            if out_of_time:
                return Status.TIME_LIMIT
            return Status.STEP_LIMIT if path.n_steps >= max_steps else Status.INACCURATE
        certainty = path.certainty()
        undecided = int(np.count_nonzero(np.abs(certainty) <= 2.0))
        if undecided <= most_undecided:
            most_undecided = undecided // 2
            path.propose_reduced(certainty, deadline)
        elif undecided <= len(path.p) // 10 or path.mu * len(path.p) < 1e-6:
            path.propose_polished(certainty > 0.0)
    return Status.EXACT


class _Path:
    """The iterate of one game whose largest payoff is 1, its Newton system, and the best candidate so far."""

    def __init__(self, payoff: FloatArray) -> None:
        n = len(payoff)
        self.payoff = payoff
        self.p = np.full(n, 1.0 / n)
        gains = payoff @ self.p
        # All products p_i s_i within a factor 3 below their mean; the mean is theta / n by skewness.
        self.theta = max(1.5 * float(gains.max()), 1e-3)
        self.s = self.theta - gains
        self.best = _Candidate(self.p, 2.0 * float(gains.max()), False)
        self.n_steps = 0
        self.n_factorizations = 0
        self._newton = _NewtonSystem(payoff)
        self._log_size = float(np.log(np.linalg.norm(payoff) / n))

    @property
    def mu(self) -> float:
        return float(self.p @ self.s) / len(self.p)

    def certainty(self) -> FloatArray:
        """Return log(p/s), centred: large in the support, very negative outside.

        The centre compares the typical p of the support, p'p, with the typical slack outside, (root mean
        square payoff) * |p|.
        """
        result: FloatArray = np.log(self.p / self.s) - 0.5 * np.log(float(self.p @ self.p)) + self._log_size
        return result

    def is_centred_at(self, target: float) -> bool:
        products = self.p * self.s
        return bool(products.max() <= 2.0 * target and products.min() >= 0.5 * target)

    def step(self, mu_floor: float) -> bool:
        """Take one step towards a mu of at least `mu_floor`; False if none is possible."""
        p, s, mu = self.p, self.s, self.mu
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            ratio = s / p
            if not self._newton.factorize(ratio):
                return False
            self.n_factorizations += 1
            dp, length = _direction(self._newton, p, s, ratio, mu, mu_floor)
            p = p + length * dp
            p /= p.sum()
            gains = self.payoff @ p
        # s and theta follow from p, so that rounding and inexact solves never leave the feasible set; only
        # the centrality suffers, and the next step repairs that.
        highest = float(gains.max())
        theta = self.theta + length * self._newton.dtheta
        s = theta - gains
        if not (np.isfinite(theta) and p.min() > 0.0 and s.min() > 0.0):
            return False
        self.p, self.s, self.theta = p, s, theta
        self.n_steps += 1
        self._keep(_Candidate(p, 2.0 * highest, False))
        return length > 1e-4

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

    def propose_reduced(self, certainty: FloatArray, deadline: float | None) -> None:
        """Solve the game of the undecided indices and keep the completed point if it is the best so far."""
        p = _solve_by_reduction(self.payoff, self.p, certainty, deadline)
        self._propose(p)
        if p is None or not self.best.gap <= _ROUNDING:
            self.propose_polished(certainty > 0.0 if p is None else p > 0.0)

    def _propose(self, p: FloatArray | None) -> None:
        if p is not None:
            self._keep(_Candidate(p, 2.0 * float((self.payoff @ p).max()), True))

    def _keep(self, candidate: _Candidate) -> None:
        # Below rounding level gaps mean nothing; there the exact zeros of a polished point decide.
        if candidate.gap <= max(self.best.gap, _ROUNDING if candidate.polished else 0.0):
            self.best = candidate


class _NewtonSystem:
    """``[diag(d) - A, 1; -1', 0]``, factorised in place."""

    def __init__(self, payoff: FloatArray) -> None:
        from scipy.linalg import lapack

        n = len(payoff)
        self._lapack = lapack
        # -A is A', whose columns are contiguous: the matrix LAPACK wants is a straight copy of memory.
        self._negated = payoff.T
        self._matrix = np.empty((n + 1, n + 1), order="F")
        self._right = np.zeros(n + 1)
        self.dtheta = 0.0

    def factorize(self, diagonal: FloatArray) -> bool:
        n = len(diagonal)
        matrix = self._matrix
        matrix[:n, :n] = self._negated
        np.fill_diagonal(matrix, diagonal)
        matrix[:n, n] = 1.0
        matrix[n, :n] = -1.0
        matrix[n, n] = 0.0
        self._factors, self._pivots, info = self._lapack.dgetrf(matrix, overwrite_a=1)
        return bool(info == 0)

    def solve(self, right: FloatArray) -> FloatArray:
        """Return dp with sum 0 (dtheta is kept in `dtheta`)."""
        n = len(right)
        self._right[:n] = right
        self._right[n] = 0.0
        solution, _ = self._lapack.dgetrs(self._factors, self._pivots, self._right)
        self.dtheta = float(solution[n])
        result: FloatArray = solution[:n]
        return result


def _direction(
    newton: _NewtonSystem, p: FloatArray, s: FloatArray, ratio: FloatArray, mu: float, mu_floor: float
) -> tuple[FloatArray, float]:
    """Return the corrected direction of p (dtheta is left in `newton`) and the length to go along it."""
    # With right-hand side c/p the step satisfies p ds + s dp = c, hence ds = c/p - (s/p) dp.
    dp = newton.solve(-s)
    ds = -s - ratio * dp
    length = _longest(p, s, dp, ds)
    predicted = float((p + length * dp) @ (s + length * ds)) / len(p)
    target = max(min(max((predicted / mu) ** 3, 1e-6), 0.8) * mu, mu_floor)
    complement = target - p * s - dp * ds
    right = complement / p
    dp = newton.solve(right)
    ds = right - ratio * dp
    length = _longest(p, s, dp, ds)
    for _ in range(2):
        kept = newton.dtheta
        right_new = right + _centrality(p, s, dp, ds, min(1.0, length + 0.3), target) / p
        dp_new = newton.solve(right_new)
        ds_new = right_new - ratio * dp_new
        length_new = _longest(p, s, dp_new, ds_new)
        if length_new < length + 0.015:
            newton.dtheta = kept
            break
        right, dp, ds, length = right_new, dp_new, ds_new, length_new
    return dp, 0.995 * length


def _centrality(
    p: FloatArray, s: FloatArray, dp: FloatArray, ds: FloatArray, length: float, target: float
) -> FloatArray:
    """Return what moves outlying products, one trial step ahead, back to within a factor 10 of the target."""
    products = (p + length * dp) * (s + length * ds)
    result: FloatArray = np.clip(products, 0.1 * target, 10.0 * target) - products
    np.maximum(result, -10.0 * target, out=result)
    return result


def _longest(p: FloatArray, s: FloatArray, dp: FloatArray, ds: FloatArray) -> float:
    """Return the longest step, at most 1, that keeps p and s nonnegative."""
    steepest = max(-float((dp / p).min()), -float((ds / s).min()))
    return 1.0 if steepest <= 1.0 else 1.0 / steepest


def _polish(payoff: FloatArray, p: FloatArray, support: IntArray) -> FloatArray | None:
    """Return the solution of A_SS x = 0, 1'x = 1 near p, completed by zeros, or None if it is not a policy.

    A_SS may have a kernel of several dimensions. The proximal point iteration (delta W - A_SS)(x_new - x) =
    A_SS x converges to a solution all the same, and contracts by delta / |smallest nonzero eigenvalue|; the
    weights W = 1/p^2 of the central path keep small entries positive.
    """
    if support.size == 0:
        return None
    x = p[support] / p[support].sum()
    sub = payoff[np.ix_(support, support)]
    newton = _NewtonSystem(sub)
    weights = np.minimum((x.mean() / x) ** 2, 1e6)
    if not newton.factorize(1e-9 * weights):
        return None
    theta = 0.0
    best, best_residual = x, np.inf
    for _ in range(6):
        residual = sub @ x - theta
        size = float(np.abs(residual).max())
        if not size < 0.5 * best_residual:
            break
        best, best_residual = x, size
        x = x + newton.solve(residual)
        theta += newton.dtheta
        x /= x.sum()
    return _as_policy(best, support, len(p))


def _as_policy(x: FloatArray, indices: IntArray, n: int) -> FloatArray | None:
    """Return x at `indices` of a policy over n, or None if an entry is negative by more than rounding."""
    if not x.min() >= -1e-13:
        return None
    p = np.zeros(n)
    p[indices] = np.maximum(x, 0.0)
    p /= p.sum()
    return p


def _solve_by_reduction(
    payoff: FloatArray, p: FloatArray, certainty: FloatArray, deadline: float | None
) -> FloatArray | None:
    """Solve the game of the undecided indices; widen them where the completed point breaks a decision."""
    undecided = np.abs(certainty) <= 2.0
    for _ in range(4):
        policy, broken = _complete_reduced(payoff, p, certainty, undecided, deadline)
        if policy is None or not broken.any():
            return policy
        undecided |= broken
        if np.count_nonzero(undecided) > len(p) // 2:
            return None
    return None


def _complete_reduced(
    payoff: FloatArray, p: FloatArray, certainty: FloatArray, undecided: BoolArray, deadline: float | None
) -> tuple[FloatArray | None, BoolArray]:
    """Return a policy with decided indices taken at their word, and the indices whose word was broken."""
    n = len(p)
    broken = np.zeros(n, dtype=bool)
    elimination = _eliminate(payoff, certainty, undecided)
    if elimination is None:
        return None, broken
    open_indices, p_open = elimination.open_indices, p[elimination.open_indices]
    scale = np.append(p_open, 1.0) if elimination.sure.size else p_open
    y = _solve_reduced(elimination.game, scale, deadline)
    if y is None:
        return None, broken
    if elimination.sure.size:
        if not y[-1] > 1e-12 * y.sum():
            return None, broken
        x_open = y[:-1] / y[-1]
        x_sure = (elimination.response @ x_open + elimination.offset)[:-1]
    else:
        x_open, x_sure = y, np.empty(0)
    x = np.zeros(n)
    x[open_indices] = x_open
    x[elimination.sure] = x_sure
    broken[elimination.sure] = x_sure < -1e-13
    decided_out = (x == 0.0) & ~broken
    np.maximum(x, 0.0, out=x)
    x /= x.sum()
    broken |= decided_out & (payoff @ x > 1e-12)
    broken[open_indices] = False
    return x, broken


def _solve_reduced(game: FloatArray, scale: FloatArray, deadline: float | None) -> FloatArray | None:
    """Return an optimal policy of a reduced game up to a factor, or None if it has no exact one.

    Scaling by the present iterate makes the uniform start of the small game a continuation of the large one.
    """
    scaled = np.where(np.abs(game) > 1e-12, game, 0.0) * np.outer(scale, scale)
    scaled = 0.5 * (scaled - scaled.T)
    largest = float(scaled.max())
    if largest == 0.0:
        return scale
    path = _Path(scaled / largest)
    status = _follow(path, 0.0, 40, deadline, -1)
    return scale * path.best.policy if status is Status.EXACT else None


class _Elimination(NamedTuple):
    """What is left of a game after the equations of the sure support are solved.

    (x_sure, theta) = response @ x_open + offset, and `game` is the symmetric game in (x_open, 1).
    """

    sure: IntArray
    open_indices: IntArray
    response: FloatArray
    offset: FloatArray
    game: FloatArray


def _eliminate(payoff: FloatArray, certainty: FloatArray, undecided: BoolArray) -> _Elimination | None:
    """Eliminate the sure support C (and theta) from the optimality conditions.

    With M = [-A_CC, 1; -1', 0] and F = [A_CU; 1'] the equations read M (x_C, theta) = F x_U - e. The slack of
    U is then K x_U + q with K = -A_UU + F' inv(M) F, skew because M is, and q = -F' inv(M) e: a self-dual
    problem, whose homogeneous form is a symmetric game.
    """
    from scipy.linalg import lapack

    sure = np.flatnonzero(~undecided & (certainty > 0.0))
    open_indices = np.flatnonzero(undecided)
    for _ in range(2):
        if sure.size % 2 == 0 and sure.size:
            # A skew matrix of odd order is singular, and M has order |C| + 1.
            weakest = sure[int(certainty[sure].argmin())]
            sure = sure[sure != weakest]
            open_indices = np.append(open_indices, weakest)
        if sure.size == 0:
            break
        k = sure.size
        matrix = np.empty((k + 1, k + 1), order="F")
        matrix[:k, :k] = -payoff[np.ix_(sure, sure)]
        matrix[:k, k] = 1.0
        matrix[k] = np.append(-np.ones(k), 0.0)
        factors, pivots, _ = lapack.dgetrf(matrix, overwrite_a=1)
        dependent = np.abs(factors.diagonal()) < 1e-9
        if not dependent.any():
            return _schur_complement(payoff, sure, open_indices, factors, pivots)
        # Independent columns of a skew matrix span a nonsingular principal submatrix; the others stay in the
        # game.
        if dependent[k] or 8 * np.count_nonzero(dependent) > k:
            return None
        open_indices = np.append(open_indices, sure[dependent[:k]])
        sure = sure[~dependent[:k]]
    if sure.size or open_indices.size == 0:
        return None
    return _Elimination(
        sure, open_indices, np.empty((0, 0)), np.empty(0), payoff[np.ix_(open_indices, open_indices)]
    )


def _schur_complement(
    payoff: FloatArray, sure: IntArray, open_indices: IntArray, factors: FloatArray, pivots: IntArray
) -> _Elimination:
    from scipy.linalg import lapack

    k, u = sure.size, open_indices.size
    border = np.ones((k + 1, u + 1), order="F")
    border[:k, :u] = payoff[np.ix_(sure, open_indices)]
    border[:k, u] = 0.0
    border[k, u] = -1.0
    solution, _ = lapack.dgetrs(factors, pivots, border)
    coupling = border[:, :u].T @ solution
    game = np.zeros((u + 1, u + 1))
    game[:u, :u] = payoff[np.ix_(open_indices, open_indices)] - coupling[:, :u]
    game[:u, u] = -coupling[:, u]
    game[u, :u] = coupling[:, u]
    return _Elimination(sure, open_indices, solution[:, :u], solution[:, u], game)
