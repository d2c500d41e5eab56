"""An interior-point method for zero-sum games of low rank: a step takes a few products with the factors.

The game is skew, ``A = V C V'`` with n responses, a tall V of r columns and a small skew C; a game ``L R'`` of two
players is one, too, with ``V = diag(L, R)`` and ``C = [[0, I], [-I, 0]]``. Its linear programme is its own dual,

    minimise the sum of theta  subject to  s = E theta - A p >= 0,  E'p = 1,  p >= 0,

where E says which response is whose. The central path is p_i s_i = mu, and a step (dp, ds, dtheta) towards products
``p s + c`` satisfies ``p ds + s dp = c``, ``ds = E dtheta - A dp``, ``E'dp = 0``. Of dp the payoff sees the r numbers
``q = V'dp`` alone. With ``F = [V, E]`` and ``H = F' diag(p/s) F``, dividing by s and multiplying by F' leaves

    (q, 0) = F'(c/s) + H (C q, -dtheta),

r + 1 equations (r + 2 for two players), whose matrix is found in n r^2 operations. They have one solution, however
degenerate V is, because ``diag(s/p) - A`` is definite: see docs/theory.md. The vectors of order n follow,
``ds = -F (C q, -dtheta)`` and ``dp = (c - p ds) / s``. Nothing of order n x n is ever made.

The slacks are computed anew from the policy after each step, so that rounding never leaves the feasible set: it costs
centrality only, and the next step repairs that. Where the small equations lose too many digits, as large and small p/s
meet in H, their residual is solved for as well; where that does not help, H is made in a better basis.

Of many responses most are soon known not to be played, if the answer plays few. Then the game of the others is solved,
which is cheap, and one product with all shows whether responses beat the answer; those join. Where the optimal policies
play most of the responses, as among vectors all around zero, the path itself ends after very few steps.

References
----------
S. Mehrotra, "On the implementation of a primal-dual interior point method", SIAM J. Optim. 2, 1992.
J. Gondzio, "Multiple centrality corrections in a primal-dual method", Comput. Optim. Appl. 6, 1996.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .._types import BoolArray, FloatArray
from ..errors import InputError
from ..operators import LowRank, LowRankSkew, PayoffOperator
from ..status import Status

_ROUNDING = 2e-15
"""Gap, as a share of the largest payoff, below which float64 has no more to say."""

_ROWS = 4096
"""Rows of V that are weighted at a time, so that they stay in the cache and no second V is made."""

_SHORTEST = 1e-4
"""Length of a step, as a share of the whole, below which the method has come to its end."""


_CORRECTIONS = 1
"""Corrections of centrality; each costs nearly as much as a new matrix."""

_REFINEMENTS = 3
"""How often the residual of the small equations is solved for at most."""

_SHIFT = 1e-13
"""Added to the diagonal of a matrix of order r + 2 and unit diagonal, so that it has a Cholesky factor."""

_SMALLEST_REDUCIBLE = 2000
"""Below this number of responses a step costs less than making the game of those that may be played."""

_REDUCTION = 10
"""That game is solved once they are fewer than one in so many."""

_FEW, _SHARE = 200, 100
"""How many of a player's responses are in that game at least, and that many more at a time: one in a hundred."""

_PATIENCE = 3
"""Games without a gap half as large after which steps on all responses go on."""

_OUTSIDE = 0.1
"""What p/s, over what is typical, is at most for a response that is not played."""


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
    factors = _factors_of(payoff)
    path = _Path(factors)
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


def _best_of(payoff: PayoffOperator, path: _Path, tol: float) -> tuple[FloatArray, float]:
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
    path: _Path,
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


def _follow_few(path: _Path, possible: BoolArray, tol: float, max_steps: int, deadline: float | None) -> None:
    """Solve the game of those that may be played; those that beat the answer join, while that helps."""
    kept, goal, patience = possible | path.likeliest(), np.inf, _PATIENCE
    while patience and path.n_steps < max_steps and path.gap * path.factors.scale > tol:
        smaller = _Path(path.factors.of(kept))
        status = _follow(smaller, 0.5 * tol, max_steps - path.n_steps, deadline, None)
        gap, better = path.learn(kept, smaller)
        patience, goal = (_PATIENCE, 0.5 * gap) if gap <= goal else (patience - 1, goal)
        if status is Status.TIME_LIMIT or not np.any(better & ~kept):
            return
        kept |= better


class _Factors:
    """``F = [V, E]`` of a game ``V C V'`` whose payoffs are scaled to be at most 1, and the products with it.

    V has a part for each player. Vectors of the small order hold r numbers for the columns of V, then one for each
    player.
    """

    def __init__(self, parts: list[FloatArray], core: FloatArray, scale: float) -> None:
        self.parts, self.scale = parts, scale
        self.core = core / scale if scale > 0.0 else core
        self.n_players = len(parts)
        self.rows = _ranges([part.shape[0] for part in parts])
        self.columns = _ranges([part.shape[1] for part in parts])
        self.rank, self.n = self.columns[-1].stop, self.rows[-1].stop
        self.n_passes = 0.0

    def of(self, kept: BoolArray) -> _Factors:
        """Return the factors of the game of some responses, with those of both players among them."""
        parts = [part[kept[rows]] for part, rows in zip(self.parts, self.rows, strict=True)]
        return _Factors(parts, self.core * self.scale, self.scale)

    def gather(self, vector: FloatArray) -> FloatArray:
        """Return ``F' vector``."""
        self.n_passes += 1
        small = np.empty(self.rank + self.n_players)
        for player, (part, rows, columns) in enumerate(zip(self.parts, self.rows, self.columns, strict=True)):
            small[columns] = vector[rows] @ part
            small[self.rank + player] = vector[rows].sum()
        return small

    def spread(self, small: FloatArray) -> FloatArray:
        """Return ``F small``."""
        self.n_passes += 1
        vector = np.empty(self.n)
        for player, (part, rows, columns) in enumerate(zip(self.parts, self.rows, self.columns, strict=True)):
            np.matmul(part, small[columns], out=vector[rows])
            vector[rows] += small[self.rank + player]
        return vector

    def weighted(self, weights: FloatArray) -> FloatArray:
        """Return ``F' diag(weights) F``, from some rows at a time."""
        roots = np.sqrt(weights)
        small = np.zeros((self.rank + self.n_players,) * 2)
        for player, (part, rows, columns) in enumerate(zip(self.parts, self.rows, self.columns, strict=True)):
            self.n_passes += 1
            own, last = roots[rows], self.rank + player
            square, border = small[columns, columns], small[columns, last]
            buffer = np.empty((min(_ROWS, len(part)), part.shape[1]))
            for first in range(0, len(part), _ROWS):
                some = own[first : first + _ROWS]
                scaled = np.multiply(part[first : first + _ROWS], some[:, None], out=buffer[: len(some)])
                square += scaled.T @ scaled
                border += some @ scaled
            small[last, columns] = border
            small[last, last] = own @ own
        return small

    def weighted_in(self, basis: FloatArray, weights: FloatArray) -> FloatArray:
        """Return ``B' F' diag(weights) F B`` by the columns of ``F B``, whose products lose nothing to large ones."""
        roots = np.sqrt(weights)
        small = np.zeros_like(basis)
        for player, (part, rows, columns) in enumerate(zip(self.parts, self.rows, self.columns, strict=True)):
            self.n_passes += 2
            turn, last = basis[columns], basis[self.rank + player]
            for first in range(0, len(part), _ROWS):
                some = roots[rows][first : first + _ROWS, None]
                scaled = (part[first : first + _ROWS] @ turn + last) * some
                small += scaled.T @ scaled
        return small

    def payoffs_to(self, small: FloatArray) -> FloatArray:
        """Return ``(C q, tau)`` for ``small = (q, tau)``."""
        return np.concatenate([self.core @ small[: self.rank], small[self.rank :]])

    def payoffs_of(self, matrix: FloatArray) -> FloatArray:
        """Return ``matrix @ diag(C, I)``."""
        return np.hstack([matrix[:, : self.rank] @ self.core, matrix[:, self.rank :]])


class _Path:
    """The iterate, and the best policy so far; its gap is in units of the largest payoff."""

    def __init__(self, factors: _Factors) -> None:
        self.factors = factors
        self.p = np.concatenate([np.full(len(part), 1.0 / len(part)) for part in factors.parts])
        payoffs = self._payoffs(self.p)
        self.best, self.gap, self.n_steps = self.p, self._gap(payoffs), 0
        self._system: type[_System] = _System
        # The smallest theta for which all products p_i s_i have one mean for both players and are at least 0.3 of it.
        means = np.array([float(payoffs[rows].mean()) for rows in factors.rows])
        spreads = np.array([float(payoffs[rows].max()) for rows in factors.rows]) - means
        sizes = np.array([len(part) for part in factors.parts])
        mu = max(float((spreads / sizes).max()) / 0.7, 1e-6 / factors.n)
        self.theta = means + sizes * mu
        self.s = self._of_players(self.theta) - payoffs

    @property
    def n_products(self) -> int:
        return round(self.factors.n_passes / 2.0)

    def _payoffs(self, p: FloatArray) -> FloatArray:
        small = self.factors.gather(p)
        small[self.factors.rank :] = 0.0
        return self.factors.spread(self.factors.payoffs_to(small))

    def _of_players(self, values: FloatArray) -> FloatArray:
        return np.repeat(values, [len(part) for part in self.factors.parts])

    def _gap(self, payoffs: FloatArray) -> float:
        # A policy earns nothing against itself, so its regret is what the best reply earns.
        total = sum(float(payoffs[rows].max()) for rows in self.factors.rows)
        return 2.0 * total if self.factors.n_players == 1 else total

    def step(self) -> bool:
        """Take one step; False if none is possible."""
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            taken = self._tried()
            if taken is None and self._system is _System:
                self._system = _TurnedSystem
                taken = self._tried()
        if taken is None:
            return False
        self.p, self.s, self.theta = taken.p, taken.s, taken.theta
        self.n_steps += 1
        if taken.gap < self.gap:
            self.best, self.gap = taken.p, taken.gap
        return True

    def _tried(self) -> _Iterate | None:
        """Return the next point; None if it is not inside, or if the equations lost too many digits."""
        system = self._system(self.factors, self.p, self.s)
        direction = _direction(system)
        taken = self._at(direction)
        for _ in range(_REFINEMENTS):
            if taken is not None and _is_consistent(self.s, taken.s, direction):
                return taken
            direction = system.refined(direction)
            taken = self._at(direction)
        # The better equations are the last resort: a point inside will do, as the next step makes up for it.
        return taken if self._system is _TurnedSystem else None

    def possible(self) -> BoolArray:
        """Return who may be played: not those whose p is small beside what is typical, and s large."""
        result = np.empty(self.factors.n, dtype=bool)
        for rows in self.factors.rows:
            p, s = self.p[rows], self.s[rows]
            share = float(s @ s) / (float(s.sum()) * float(p @ p))
            result[rows] = p * share > _OUTSIDE * s
        return result

    def likeliest(self) -> BoolArray:
        """Return some of each player's responses, those of the largest p/s."""
        ratio = self.p / self.s
        return self._largest(ratio, np.full(self.factors.n, True))

    def _largest(self, values: FloatArray, among: BoolArray) -> BoolArray:
        result = np.zeros(self.factors.n, dtype=bool)
        for rows in self.factors.rows:
            where = rows.start + np.flatnonzero(among[rows])
            count = max(_FEW, (rows.stop - rows.start) // _SHARE)
            if len(where) > count:
                where = where[np.argpartition(values[where], -count)[-count:]]
            result[where] = True
        return result

    def learn(self, kept: BoolArray, smaller: _Path) -> tuple[float, BoolArray]:
        """Take over the answer to the game of some responses if it is the best policy so far.

        Returns its gap on this game, and some of those that beat it, the best.
        """
        policy = np.zeros(self.factors.n)
        found = smaller.without_traces()
        polished = smaller.polished(found)
        policy[kept] = found if polished is None else polished
        self.n_steps += smaller.n_steps
        self.factors.n_passes += smaller.factors.n_passes * smaller.factors.n / self.factors.n
        payoffs = self._payoffs(policy)
        gap = self._gap(payoffs)
        if gap < self.gap:
            self.best, self.gap = policy, gap
        earned = self._of_players(np.array([float(payoffs[rows] @ policy[rows]) for rows in self.factors.rows]))
        return gap, self._largest(payoffs, payoffs > earned)

    def without_traces(self) -> FloatArray:
        """Return the best policy without what is not played: a trace of p beside a large s."""
        if self.p is not self.best:
            return self.best
        p = self.p.copy()
        for rows in self.factors.rows:
            mine = p[rows]
            typical = float(mine @ mine)
            mine[mine < typical * self.s[rows]] = 0.0
            mine /= mine.sum()
        return p

    def polished(self, policy: FloatArray) -> FloatArray | None:
        """Return what solves the equations of those played, which are few; None where that is no policy.

        They all get the same, and their shares add up to 1. Of many solutions it is the one with the least relative
        change, which keeps small shares positive.
        """
        factors, played = self.factors, np.flatnonzero(policy)
        if len(played) > 2 * (factors.rank + factors.n_players):
            return None
        tall = np.zeros((len(played), factors.rank))
        owner = np.zeros((len(played), factors.n_players))
        for player, (part, rows, columns) in enumerate(zip(factors.parts, factors.rows, factors.columns, strict=True)):
            mine = (played >= rows.start) & (played < rows.stop)
            tall[mine, columns] = part[played[mine] - rows.start]
            owner[mine, player] = 1.0
        payoff, shares = tall @ factors.core @ tall.T, policy[played]
        corner = np.zeros((factors.n_players,) * 2)
        for _ in range(2):
            matrix = np.block([[payoff * shares, -owner], [owner.T * shares, corner]])
            right = np.concatenate([-payoff @ shares, 1.0 - owner.T @ shares])
            shares = shares * (1.0 + np.linalg.lstsq(matrix, right, rcond=None)[0][: len(played)])
        if not shares.min() >= 0.0:
            return None
        found = np.zeros(factors.n)
        found[played] = shares / (owner @ (owner.T @ shares))
        return found

    def _at(self, direction: _Direction) -> _Iterate | None:
        """Return the point along the direction, the slacks from the policy; None if it is not inside."""
        length = 0.995 * direction.longest
        p = 1.0 + length * direction.dp
        p *= self.p
        for rows in self.factors.rows:
            p[rows] /= p[rows].sum()
        payoffs = self._payoffs(p)
        theta = self.theta - length * direction.small[self.factors.rank :]
        s = self._of_players(theta) - payoffs
        if not (length > _SHORTEST and p.min() > 0.0 and s.min() > 0.0):
            return None
        return _Iterate(p, s, theta, self._gap(payoffs))


class _Iterate(NamedTuple):
    p: FloatArray
    s: FloatArray
    theta: FloatArray
    gap: float


class _Direction(NamedTuple):
    """``dp / p`` and ``ds / s``, the small solution ``(q, -dtheta)``, and the longest step of at most 1 inside."""

    dp: FloatArray
    ds: FloatArray
    small: FloatArray
    longest: float


def _is_consistent(before: FloatArray, after: FloatArray, direction: _Direction) -> bool:
    """Return whether the slacks are about what the direction foretold."""
    foretold = 1.0 + 0.995 * direction.longest * direction.ds
    return bool(np.all(np.abs(after - before * foretold) <= 0.5 * after))


class _System:
    """The Newton equations at one iterate, in relative terms: ``dp/p + ds/s = c/(p s)``."""

    def __init__(self, factors: _Factors, p: FloatArray, s: FloatArray) -> None:
        from scipy.linalg import lapack

        self.factors, self.p, self.s = factors, p, s
        self.products = p * s
        matrix = self._matrix(p / s)
        # Rows differ by the sizes of the columns of V, which pivoting must not mistake for meaning.
        self._row_scale = 1.0 / np.abs(matrix).max(axis=1)
        self._lu, self._pivots, _ = lapack.dgetrf(matrix * self._row_scale[:, None])
        self._getrs = lapack.dgetrs

    def _matrix(self, weights: FloatArray) -> FloatArray:
        """Return the matrix of the small equations in (q, -dtheta)."""
        return self._left_side() - self.factors.payoffs_of(self.factors.weighted(weights))

    def _left_side(self) -> FloatArray:
        ones = np.zeros(self.factors.rank + self.factors.n_players)
        ones[: self.factors.rank] = 1.0
        return np.diag(ones)

    def _solve_small(self, right: FloatArray) -> FloatArray:
        solution: FloatArray = self._getrs(self._lu, self._pivots, self._row_scale * right)[0]
        return solution

    def solve(self, change: FloatArray | None) -> _Direction:
        """Return the direction for the relative change ``c/(p s)`` of the products; for -1 everywhere if it is None."""
        relative = -self.p if change is None else change * self.p
        small = self._solve_small(self.factors.gather(relative))
        ds = self.factors.spread(self.factors.payoffs_to(small))
        np.divide(ds, -self.s, out=ds)
        dp = np.subtract(-1.0 if change is None else change, ds)
        return _Direction(dp, ds, small, _longest(dp, ds))

    def refined(self, direction: _Direction) -> _Direction:
        """Return the direction, corrected for what its dp leaves of the small equations."""
        residual = self.factors.gather(direction.dp * self.p)
        residual[: self.factors.rank] -= direction.small[: self.factors.rank]
        small = self._solve_small(residual)
        change = self.factors.spread(self.factors.payoffs_to(small))
        change /= self.s
        dp, ds = direction.dp + change, direction.ds - change
        return _Direction(dp, ds, direction.small + small, _longest(dp, ds))


class _TurnedSystem(_System):
    """The same equations in a basis in which H is nearly the identity, for where it has large and small directions.

    What is small beside the large is lost when H is added up. Its Cholesky factor ``H = R'R`` tells the directions
    apart all the same; in the basis ``B = inv(R)`` they have one size, and H is added up once more (Cholesky QR).
    """

    def _matrix(self, weights: FloatArray) -> FloatArray:
        from scipy.linalg import lapack

        matrix = self.factors.weighted(weights)
        size = np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))
        matrix /= np.outer(size, size)
        matrix.flat[:: len(matrix) + 1] += _SHIFT
        factor = lapack.dpotrf(matrix)[0] * size
        self._basis: FloatArray = lapack.dtrtri(factor)[0]
        turned = self.factors.weighted_in(self._basis, weights) @ self.factors.payoffs_of(factor)
        result: FloatArray = self._basis.T @ self._left_side() - turned
        return result

    def _solve_small(self, right: FloatArray) -> FloatArray:
        return super()._solve_small(right @ self._basis)


def _direction(system: _System) -> _Direction:
    """Return Mehrotra's corrected direction, with Gondzio's corrections while they make it longer."""
    products = system.products
    mu = float(products.mean())
    predictor = system.solve(None)
    length = predictor.longest
    second_order = predictor.dp * predictor.ds
    predicted = (1.0 - length) * mu + length * length * float(second_order @ products) / len(products)
    target = min(max((predicted / mu) ** 3, 1e-6), 0.8) * mu
    change = target / products
    change -= 1.0
    change -= second_order
    direction = system.solve(change)
    for _ in range(_CORRECTIONS):
        if direction.longest > 0.9:
            break
        corrected = change + _centrality(products, direction, target)
        longer = system.solve(corrected)
        if longer.longest < direction.longest + 0.015:
            break
        change, direction = corrected, longer
    return direction


def _centrality(products: FloatArray, direction: _Direction, target: float) -> FloatArray:
    """Return, relative to the products, what moves outliers of a longer step to within a factor 10 of the target."""
    length = min(1.0, direction.longest + 0.3)
    trial = products * (1.0 + length * direction.dp) * (1.0 + length * direction.ds)
    change = np.clip(trial, 0.1 * target, 10.0 * target) - trial
    np.maximum(change, -10.0 * target, out=change)
    change /= products
    return change


def _longest(dp: FloatArray, ds: FloatArray) -> float:
    steepest = min(float(dp.min()), float(ds.min()))
    return 1.0 if steepest >= -1.0 else -1.0 / steepest


def _ranges(sizes: list[int]) -> list[slice]:
    edges = np.cumsum([0, *sizes]).tolist()
    return [slice(first, last) for first, last in itertools.pairwise(edges)]


def _factors_of(payoff: LowRank | LowRankSkew) -> _Factors:
    scale = payoff.largest()
    if isinstance(payoff, LowRankSkew):
        return _Factors([payoff.vectors], payoff.skew, scale)
    one, two = payoff.left.shape[1], payoff.right.shape[1]
    half = np.eye(one, two)
    core = np.block([[np.zeros((one, one)), half], [-half.T, np.zeros((two, two))]])
    if payoff.is_skew:
        # L R' = (L R' - R L') / 2, which is skew in floating point, too.
        return _Factors([np.hstack([payoff.left, payoff.right])], 0.5 * core, scale)
    return _Factors([payoff.left, payoff.right], core, scale)


def _certified_gap(payoff: PayoffOperator, policy: FloatArray) -> float:
    if payoff.is_skew:
        payoffs = payoff.product(policy)
        return 2.0 * float(payoffs.max() - payoffs @ policy)
    row, column = np.split(policy, [payoff.shape[0]])
    to_row, to_column = payoff.both_products(row, column)
    return float(to_row.max() - to_column.min())
