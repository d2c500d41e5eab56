"""Large zero-sum games: find by first-order steps who is played, solve the game of these exactly, certify it on all.

The steps are those of restarted Halpern. They tell early which responses an equilibrium plays, long before they tell
how often. So after a few steps the game restricted to the responses that are played, or nearly worth it, is solved by
an exact method. A product with the whole payoff certifies the answer, or shows which responses beat it; those join,
and the larger game is solved. Where that would take too long, the steps go on from the best point so far, for twice as
many.

All decisions are by counted work, none by clocks, so that the answer is reproducible: an exact solution is tried only
if it takes no more than all that was done before. Then the whole takes at most a small multiple of what the steps
alone would have, or of what one exact solution takes, if that settles it.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ._types import FloatArray, IntArray
from .exact.interior_point import interior_point
from .exact.near_solution import solve_near
from .exact.simplex import solve_by_simplex, solve_symmetric
from .exact.symmetrization import recover_profile, symmetrize_game
from .matrix_free import gap_against
from .methods import settle
from .methods._info import step_facts
from .methods.restarted_halpern import RestartedHalpern
from .operators import Cost, PayoffOperator, Stacked
from .operators.norms import largest_singular_value
from .status import Status
from .verbs import Arena, Direction, Exact, Point, TabularProblem

# Steps before the first exact solution; if it does not settle the game, as many again before the next.
_FIRST_STEPS = 10
# Steps from one look at who is played to the next.
_LOOK = 10
# Order up to which a restricted game goes to the simplex method.
_SIMPLEX_LIMIT = 100
# Passes over all responses that a step takes besides its payoff products.
_PASSES = 40
# Bytes that are read from memory in the time that an exact solution of order k takes, divided by k^3: by way of a
# policy that is nearly optimal, and from nothing.
_BYTES_OF_NEAR, _BYTES_OF_EXACT = 0.4, 1.5
# Work on exact solutions, as a share of that on steps, up to which they are begun, and gone on with.
_BEGIN, _GO_ON = 1.0, 4.0
# Rounds without a gap half as large after which the steps go on.
_PATIENCE = 3
# A response that is not played may be in an equilibrium if at most so many gaps make it a best reply.
_NEAR = 8.0
# A response in the restricted game leaves it if more gaps than that make it a best reply.
_FAR = 10.0
# How well the norm is known before the first step, which grows and shrinks as it has to.
_ROUGH, _FEW_PRODUCTS = 0.05, 16
# If at most this share of those played, a policy says well enough who plays.
_FEW_DOUBTS = 0.5
# Responses that may always join, however few are played.
_FEW = 20
# Advantage, as a share of the largest payoff, that is rounding.
_ROUNDING = 1e-15


class Candidate(NamedTuple):
    """A policy (of both players, one after the other), the payoff of every response against it, and its gap."""

    policy: FloatArray
    payoff: FloatArray
    gap: float


class Progress(NamedTuple):
    """Where the search stands: steps, payoff products, the best point."""

    n_steps: int
    n_products: int
    best: Candidate


class ActiveSet(NamedTuple):
    """Answer of `active_set`.

    Attributes
    ----------
    policy : ndarray
        Best point found; the policies of both players one after the other where the payoff is not skew.
    gap : float
        Its duality gap on the whole game, summed over players, twice for a symmetric game.
    status : Status
        CONVERGED, STEP_LIMIT, TIME_LIMIT, STOPPED or INTERRUPTED.
    n_steps, n_products : int
        First-order steps, and products with the payoff.
    n_exact, largest : int
        Restricted games solved, and the number of responses in the largest.
    """

    policy: FloatArray
    gap: float
    status: Status
    n_steps: int
    n_products: int
    n_exact: int
    largest: int


def active_set(
    payoff: PayoffOperator,
    *,
    start: FloatArray | None = None,
    tol: float = 1e-9,
    max_steps: int = 100_000,
    deadline: float | None = None,
    watch: Callable[[Progress], object] | None = None,
) -> ActiveSet:
    """Return an equilibrium of a zero-sum game known by its products.

    Parameters
    ----------
    payoff : PayoffOperator
        A skew one for a symmetric game; otherwise the row player's payoff.
    start : ndarray, optional
        Where to start, both players one after the other; uniform when left out.
    tol : float
        Duality gap that is small enough.
    max_steps : int
        First-order steps allowed.
    deadline : float, optional
        Moment of `time.perf_counter` after which no further step begins.
    watch : callable, optional
        Called with a `Progress` after every stretch of steps and every exact solution; raising ``StopIteration`` ends
        the search.

    Examples
    --------
    Rock-paper-scissors in which a win with rock counts twice, beside 97 responses that lose to all three:

    >>> from gametheory_pref.operators import Dense
    >>> payoff = np.zeros((100, 100))
    >>> payoff[:3, :3] = [[0.0, -1.0, 2.0], [1.0, 0.0, -1.0], [-2.0, 1.0, 0.0]]
    >>> payoff[:3, 3:], payoff[3:, :3] = 1.0, -1.0
    >>> answer = active_set(Dense(payoff, is_skew=True))
    >>> answer.policy[:4].round(4), answer.n_steps, answer.n_exact
    (array([0.25, 0.5 , 0.25, 0.  ]), 10, 1)
    """
    search = _Search(payoff, start, tol, max_steps, deadline, watch)
    try:
        search.run()
    except StopIteration:
        search.status = Status.STOPPED if search.status is None else search.status
    except KeyboardInterrupt:
        search.status = Status.INTERRUPTED
    assert search.status is not None
    return ActiveSet(
        search.best.policy, search.best.gap, search.status, search.state.t, search.whole.n_products, search.n_exact,
        search.largest,
    )  # fmt: skip


class _Counted(PayoffOperator):
    """A skew payoff that counts its products."""

    is_skew = True

    def __init__(self, payoff: PayoffOperator) -> None:
        self.payoff, self.shape, self.n_halves = payoff, payoff.shape, 0

    @property
    def n_products(self) -> int:
        """How many products there were; half a one for each side of a two-player game."""
        return (self.n_halves + 1) // 2

    def product(self, vector: FloatArray) -> FloatArray:
        self.n_halves += 2
        return self.payoff.product(vector)

    def side_product(self, vector: FloatArray, side: int) -> FloatArray:
        self.n_halves += 1
        assert isinstance(self.payoff, Stacked)
        return self.payoff.side_product(vector, side)

    def transposed_product(self, vector: FloatArray) -> FloatArray:
        return -self.product(vector)

    def block(self, rows: IntArray, columns: IntArray) -> FloatArray:
        return self.payoff.block(rows, columns) if self.payoff.block_is_cheap else super().block(rows, columns)

    @property
    def cost(self) -> Cost:
        return self.payoff.cost

    @property
    def nbytes(self) -> int:
        return self.payoff.nbytes

    def largest(self) -> float:
        return self.payoff.largest()

    def describe(self) -> str:
        return self.payoff.describe()


class _Search:
    """The state of the search: the best point, the run of steps, the work done so far."""

    def __init__(
        self,
        payoff: PayoffOperator,
        start: FloatArray | None,
        tol: float,
        max_steps: int,
        deadline: float | None,
        watch: Callable[[Progress], object] | None,
    ) -> None:
        self.payoff = payoff
        self.whole = _Counted(payoff if payoff.is_skew else Stacked(payoff))
        self.blocks = np.cumsum([0, *(payoff.shape[:1] if payoff.is_skew else payoff.shape)])
        self.tol, self.max_steps, self.deadline, self.watch = tol, max_steps, deadline, watch
        self.status: Status | None = None
        self.n_exact = self.largest = 0
        self.step_work = self.exact_work = 0.0
        passes = 8.0 * _PASSES * self.whole.shape[0]
        self.work_of_product = self.whole.cost.bytes + 0.5 * passes
        self.work_of_step = (2.0 if payoff.is_skew else 1.0) * self.whole.cost.bytes + passes
        # Nothing is known of the start before the first product, which may be interrupted.
        self.best = Candidate(self._uniform() if start is None else start, np.empty(0), np.inf)
        self.problem = self._problem(self.best.policy)
        self.state = RestartedHalpern().init(self.problem)

    def _measure(self) -> None:
        """Take the products that the first step needs: the gap of the start, the payoff's norm."""
        largest = self.payoff.largest()
        self.threshold = max(0.25 * self.tol, _ROUNDING * largest)
        self.best = self._measured(self.best.policy)
        norm = largest_singular_value(self.whole, accuracy=_ROUGH, max_products=_FEW_PRODUCTS)
        self.rule = settle(RestartedHalpern(), step_facts(largest, 0.0, 1.0, self.max_steps, norm=lambda: norm))

    def _uniform(self) -> FloatArray:
        return np.repeat(1.0 / np.diff(self.blocks), np.diff(self.blocks))

    def _problem(self, start: FloatArray) -> TabularProblem:
        # The rule plays mixtures and never asks for a logarithm.
        point = Point(np.empty(0), start)
        arena = Arena(np.zeros((0, 0)), np.zeros(2, dtype=np.int64))
        return TabularProblem(self.whole, self.blocks, point, point, 0.0, Exact(), arena)

    def run(self) -> None:
        """Take steps and solve restricted games in turn, until the gap is small enough or a limit comes."""
        self._measure()
        self._check()
        patient_until = _FIRST_STEPS
        while self.status is None:
            self._steps(_LOOK)
            self._tell()
            if self.status is None and self.state.t >= patient_until:
                chosen, clear = self._worth_playing(self.best)
                if self._affordable(chosen, _BEGIN, clear=clear):
                    self._exact_rounds(chosen)
                    patient_until = 2 * self.state.t

    def _check(self) -> None:
        """Set the status if the search is over."""
        if self.best.gap <= self.tol:
            self.status = Status.CONVERGED
        elif self.deadline is not None and time.perf_counter() > self.deadline:
            self.status = Status.TIME_LIMIT
        elif self.state.t >= self.max_steps:
            self.status = Status.STEP_LIMIT

    def _tell(self) -> None:
        if self.watch is not None:
            self.watch(Progress(self.state.t, self.whole.n_products, self.best))

    # -- points

    def _players(self, vector: FloatArray) -> list[FloatArray]:
        return [vector[first:last] for first, last in itertools.pairwise(self.blocks)]

    def _advantage(self, policy: FloatArray, payoff: FloatArray) -> FloatArray:
        """Return how much more every response gets than its player's policy."""
        players = zip(self._players(payoff), self._players(policy), strict=True)
        return np.concatenate([gains - gains @ played for gains, played in players])

    def _gap(self, policy: FloatArray, payoff: FloatArray) -> float:
        return gap_against(self.blocks, policy, payoff)

    def _measured(self, policy: FloatArray) -> Candidate:
        self.step_work += self.work_of_product
        payoff = self.whole.product(policy)
        return Candidate(policy, payoff, self._gap(policy, payoff))

    # -- first-order steps

    def _steps(self, count: int) -> None:
        """Take steps; start them from the best point if exact solutions found a better one."""
        last = min(self.state.t + count, self.max_steps)
        while self.status is None and self.state.t < last:
            self.state = self.rule.step(self.problem, self.state, None)
            self.step_work += self.work_of_step
            policy, payoff = self.state.x.prob, self.state.payoff.value
            gap = self._gap(policy, payoff)
            if gap < self.best.gap:
                self.best = Candidate(policy, payoff, gap)
            self._check()

    def _start_again(self) -> None:
        """Let the steps go on from the best point."""
        fresh = self.rule.init(self._problem(self.best.policy))
        payoff = Direction(self.best.payoff)
        self.state = fresh._replace(
            t=self.state.t, stretch=self.state.stretch, growth=self.state.growth,
            payoff_z=payoff, payoff_w=payoff, payoff_z_0=payoff, payoff_w_0=payoff,
        )  # fmt: skip

    # -- exact solutions of restricted games

    def _exact_rounds(self, chosen: IntArray) -> None:
        """Solve restricted games, each larger by responses that beat the last answer, while that helps."""
        before, goal, patience = self.best, np.inf, _PATIENCE
        found = self.best
        while self.status is None and patience and chosen.size and self._affordable(chosen, _GO_ON, clear=True):
            policy = self._solved(chosen, found.policy)
            if policy is None:
                break
            found = self._measured(policy)
            if found.gap < goal:
                goal, patience = 0.5 * found.gap, _PATIENCE
            else:
                patience -= 1
            if found.gap < self.best.gap:
                self.best = found
            self._check()
            self._tell()
            chosen = self._joined(chosen, found)
        if self.status is None and self.best is not before:
            self._start_again()

    def _affordable(self, chosen: IntArray, share: float, *, clear: bool) -> bool:
        """Return whether the game of the chosen may be solved; `clear` tells whether it is nearly so."""
        work = (_BYTES_OF_NEAR if clear else _BYTES_OF_EXACT) * float(len(chosen)) ** 3
        return self.exact_work + work + self._work_of_block(chosen) <= share * self.step_work

    def _work_of_block(self, chosen: IntArray) -> float:
        return 0.0 if self.payoff.block_is_cheap else len(chosen) * self.work_of_product

    def _worth_playing(self, point: Candidate) -> tuple[IntArray, bool]:
        """Return the responses that are played, and the best of those that would be at a slightly better point.

        The second value tells whether the latter are few.
        """
        advantage = self._advantage(point.policy, point.payoff)
        chosen, n_played, n_close = [], 0, 0
        for first, last in itertools.pairwise(self.blocks):
            mine, plays = advantage[first:last], point.policy[first:last] > 0.0
            close = first + np.flatnonzero((mine > mine.max() - _NEAR * point.gap) & ~plays)
            played = first + np.flatnonzero(plays)
            chosen += [played, _best(close, advantage, max(len(played), _FEW))]
            n_played, n_close = n_played + len(played), n_close + len(close)
        return np.sort(np.concatenate(chosen)), n_close <= _FEW_DOUBTS * n_played

    def _joined(self, chosen: IntArray, found: Candidate) -> IntArray:
        """Return who is to play next: those that beat the answer join; nobody if there are no new ones.

        Of the chosen those leave that are not played and far from it.
        """
        advantage = self._advantage(found.policy, found.payoff)
        better = np.setdiff1d(np.flatnonzero(advantage > self.threshold), chosen)
        if not better.size:
            return better
        stays = (found.policy[chosen] > 0.0) | (advantage[chosen] > -_FAR * found.gap)
        return np.union1d(chosen[stays], _best(better, advantage, max(len(chosen), _FEW)))

    def _solved(self, chosen: IntArray, guess: FloatArray) -> FloatArray | None:
        """Return an equilibrium of the game of the chosen responses, as a policy of the whole game.

        None if `guess` is not near enough to one to find it cheaply.
        """
        self.exact_work += self._work_of_block(chosen)
        if self.payoff.is_skew:
            found = self._solved_symmetric(chosen, guess)
        else:
            rows, columns = np.split(chosen, [np.searchsorted(chosen, self.blocks[1])])
            found = self._solved_rectangular(rows, columns, guess)
        if found is None:
            return None
        self.n_exact += 1
        self.largest = max(self.largest, len(chosen))
        policy = np.zeros(self.whole.shape[0])
        policy[chosen] = found
        return policy

    def _solved_symmetric(self, chosen: IntArray, guess: FloatArray) -> FloatArray | None:
        block = self.whole.block(chosen, chosen)
        # What is computed from factors is skew up to rounding only.
        block = 0.5 * (block - block.T)
        if len(block) <= _SIMPLEX_LIMIT:
            return solve_symmetric(block).row
        return self._solved_skew(block, guess[chosen])

    def _solved_rectangular(self, rows: IntArray, columns: IntArray, guess: FloatArray) -> FloatArray | None:
        block = self.whole.block(rows, columns)
        if max(block.shape) <= _SIMPLEX_LIMIT:
            solved = solve_by_simplex(block)
            return np.concatenate([solved.row, solved.column])
        skew, row, column = symmetrize_game(block), guess[rows], guess[columns]
        # A policy of the symmetrized game plays both sides alike, and its last response as often as they win.
        value = row @ skew[: len(rows), len(rows) : -1] @ column / (row.sum() * column.sum())
        policy = self._solved_skew(skew, np.concatenate([row / row.sum(), column / column.sum(), [value]]))
        return None if policy is None else np.concatenate(recover_profile(policy, *block.shape))

    def _solved_skew(self, payoff: FloatArray, guess: FloatArray) -> FloatArray | None:
        cube = float(len(payoff)) ** 3
        self.exact_work += _BYTES_OF_NEAR * cube
        policy = solve_near(payoff, guess / guess.sum(), deadline=self.deadline)
        if policy is None and self.exact_work + _BYTES_OF_EXACT * cube <= _GO_ON * self.step_work:
            self.exact_work += _BYTES_OF_EXACT * cube
            policy = interior_point(payoff, tol=self.tol, deadline=self.deadline).policy
        return policy


def _best(positions: IntArray, advantage: FloatArray, count: int) -> IntArray:
    """Return the `count` positions of the largest advantage."""
    if len(positions) <= count:
        return positions
    return positions[np.argpartition(advantage[positions], -count)[-count:]]
