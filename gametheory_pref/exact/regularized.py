"""KL-regularised equilibria of zero-sum games: one policy against itself, or two players.

The equilibrium at a temperature b > 0 with reference mu solves ``log pi = log mu + A pi / b + const`` for a
skew-symmetric payoff A. Two players with payoff M to the row are the same equation for the joint point on
two simplices, with ``A = [[0, M], [-M', 0]]`` and one constant per player; `offsets` says where the blocks
begin.

Three routes lead to the same point, each taken where it is fastest:

* up to `COMPILED_LIMIT` responses Newton's method in compiled loops (`kernels.newton`);
* for more, the fixed point ``pi -> BR_b(pi)`` accelerated by Anderson's method. It costs one product with
  the payoff a step, but its rate depends on the game and the temperature, so that it is watched and
  abandoned when Newton's method is forecast to be cheaper;
* Newton's method with LAPACK, through falling temperatures where needed.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .._jit import InterpretedFirst
from .._types import FloatArray, IntArray
from ..errors import InputError
from ..kernels.logspace import log_normalize
from ..kernels.newton import (
    HARMLESS,
    STAGE_TOL,
    Outcome,
    Schedule,
    certify,
    equation_error,
    first_stage,
    newton_path,
    next_stage,
    reply_to_reference,
)
from ..status import Status

COMPILED_LIMIT = 100
"""Responses up to which the compiled Newton method beats LAPACK and Anderson's method."""

_HISTORY = 10
"""Differences that Anderson's method combines."""

_RATE_STEPS = 4
"""Last steps from which the rate of Anderson's method is taken."""

_TRIAL_PER_RESPONSE = 0.3
"""Steps of Anderson's method, per response, that cost as much as Newton's method."""

_SHORTEST_TRIAL, _LONGEST_TRIAL = 30, 250

_NEAR = 0.1
"""Error of the equation from which Newton's method succeeds at once."""

_NEGLIGIBLE_COLUMN = 1e-13
"""Entries of the Jacobian, relative to one, that Newton's direction may leave out."""


# Seconds that Newton's method takes in the interpreter: a constant, and a share that grows with the cube of the size.
_INTERPRETER_START = 1e-3
_INTERPRETER_UNIT = 1e-6

_small_game = InterpretedFirst(newton_path)


class Regularized(NamedTuple):
    """A KL-regularised equilibrium and how it was found.

    Attributes ---------- policy : ndarray of shape (n,) Probabilities; exactly 0 where the reference is.
    Those below 1e-308 underflow, `log_policy` has them. log_policy : ndarray of shape (n,) Their
    logarithms. gap : float Two-sided duality gap in units of the payoff, computed from `log_policy`: ``2 b
    KL(pi || BR_b(pi))``, or the sum of ``b KL`` over the players when there are several blocks. n_steps :
    int Factorisations, or steps of Anderson's method, in all. payoff_calls : int Products with the payoff.
    residual : float Largest ``|log pi - log BR_b(pi)|``; rounding limits it to about ``1e-16 max|A| / b``.
    route : str "newton" or "anderson". status : Status CONVERGED when the gap is at most the tolerance.
    """

    policy: FloatArray
    log_policy: FloatArray
    gap: float
    n_steps: int
    payoff_calls: int
    residual: float
    route: str
    status: Status


class _Equation(NamedTuple):
    """The responses that may have mass, and the equation they satisfy."""

    payoff: FloatArray
    log_reference: FloatArray
    offsets: IntArray
    scale: float  # largest payoff; only the routes for large games use it


class _Limits(NamedTuple):
    max_steps: int
    deadline: float | None

    def stop(self, n_steps: int) -> bool:
        return n_steps >= self.max_steps or (self.deadline is not None and time.perf_counter() > self.deadline)


def regularized(
    payoff: FloatArray,
    temperature: float,
    log_reference: FloatArray,
    *,
    offsets: Sequence[int] | None = None,
    start: FloatArray | None = None,
    start_temperature: float | None = None,
    tol: float = 1e-12,
    max_steps: int = 10_000,
    deadline: float | None = None,
) -> Regularized:
    r"""Return the KL-regularised equilibrium :math:`\pi \propto \mu \exp(A \pi / \beta)`.

    The answer is iterated to the rounding error of the equation whatever `tol` is.

    Parameters ---------- payoff : ndarray of shape (n, n) Skew-symmetric payoff A to the row; for a
    preference game ``P - 1/2``. temperature : float The KL weight, positive. log_reference : ndarray of
    shape (n,) Logarithm of the reference, normalised in every block; ``-inf`` for no mass. offsets :
    sequence of int, optional Where the blocks of responses begin, and n; one block when left out. start :
    ndarray of shape (n,), optional A policy near the answer. A misleading one costs a few steps.
    start_temperature : float, optional Temperature at which `start` is the equilibrium, if it is a higher
    one. tol : float Largest gap with status CONVERGED. max_steps : int Most factorisations and Anderson
    steps. deadline : float, optional Moment of `time.perf_counter` at which to stop; compiled games of up
    to 100 responses, milliseconds at most, do not look at it.

    Raises
    ------
    InputError
        The temperature is not positive and finite.

    Examples
    --------
    >>> import numpy as np
    >>> payoff = np.array([[0.0, -0.4, 0.3], [0.4, 0.0, -0.4], [-0.3, 0.4, 0.0]])
    >>> found = regularized(payoff, 0.1, np.log([1 / 3, 1 / 3, 1 / 3]))
    >>> found.policy.round(6).tolist()
    [0.337136, 0.283464, 0.3794]
    >>> found.gap < 1e-20
    True
    """
    if not 0.0 < temperature < np.inf:
        raise InputError(f"temperature must be positive and finite; got {temperature!r}")
    members = np.flatnonzero(log_reference > -np.inf)
    if members.size < log_reference.size:
        blocks = np.asarray([0, log_reference.size] if offsets is None else offsets)
        inner = regularized(
            payoff[np.ix_(members, members)],
            temperature,
            log_reference[members],
            offsets=None if offsets is None else np.searchsorted(members, blocks).tolist(),
            start=None if start is None else start[members],
            start_temperature=start_temperature,
            tol=tol,
            max_steps=max_steps,
            deadline=deadline,
        )
        return _expand(inner, members, log_reference.size)
    compiled = members.size <= COMPILED_LIMIT and offsets is None
    equation = _Equation(
        _owned(payoff) if compiled else _read_only(payoff),
        _owned(log_reference),
        np.array([0, log_reference.size] if offsets is None else offsets, dtype=np.int64),
        0.0 if compiled else float(payoff.max()),
    )
    hotter = temperature if start_temperature is None else start_temperature
    limits = _Limits(max_steps, deadline)
    if not compiled:
        return _large(equation, temperature, *_begin(equation, start, hotter), tol, limits)
    with _small_game.context(_INTERPRETER_START + _INTERPRETER_UNIT * members.size**3):
        log_policy, origin = _begin(equation, start, hotter)
        run = newton_path(equation.payoff, temperature, equation.log_reference, log_policy, origin, max_steps)
        return _measure(equation, temperature, log_policy, run, "newton", tol, limits)


def regularized_zero_sum(
    row_payoff: FloatArray,
    temperature: float,
    log_row_reference: FloatArray,
    log_column_reference: FloatArray,
    *,
    start: tuple[FloatArray, FloatArray] | None = None,
    tol: float = 1e-12,
    max_steps: int = 10_000,
    deadline: float | None = None,
) -> Regularized:
    """Return the equilibrium of a two-player zero-sum game as one vector, the row player first.

    Parameters
    ----------
    row_payoff : ndarray of shape (m, n)
        Payoff to the row player.
    temperature, tol, max_steps, deadline
        As for `regularized`.
    log_row_reference, log_column_reference : ndarray of shape (m,) and (n,)
        The players' references.
    start : pair of ndarray, optional
        Policies near the answer.

    Examples
    --------
    >>> import numpy as np
    >>> half = np.log([0.5, 0.5])
    >>> found = regularized_zero_sum(np.array([[2.0, -1.0], [-1.0, 1.0]]), 0.5, half, half)
    >>> found.policy.round(6).tolist()
    [0.449132, 0.550868, 0.379582, 0.620418]
    """
    m, n = row_payoff.shape
    skew = np.zeros((m + n, m + n))
    skew[:m, m:] = row_payoff
    skew[m:, :m] = -row_payoff.T
    return regularized(
        skew,
        temperature,
        np.concatenate([log_row_reference, log_column_reference]),
        offsets=(0, m, m + n),
        start=None if start is None else np.concatenate(start),
        tol=tol,
        max_steps=max_steps,
        deadline=deadline,
    )


def path(
    payoff: FloatArray,
    temperatures: Sequence[float],
    log_reference: FloatArray,
    *,
    offsets: Sequence[int] | None = None,
    tol: float = 1e-12,
    max_steps: int = 10_000,
    deadline: float | None = None,
) -> list[Regularized]:
    """Return the equilibrium at every temperature, in the order given, each solved from a hotter one.

    Parameters
    ----------
    payoff, log_reference, offsets, tol, max_steps, deadline
        As for `regularized`; the limits hold for each temperature and for all, respectively.
    temperatures : sequence of float
        Positive, in any order.

    Examples
    --------
    >>> import numpy as np
    >>> payoff = np.array([[0.0, -0.4, 0.3], [0.4, 0.0, -0.4], [-0.3, 0.4, 0.0]])
    >>> [point.policy.round(4).tolist() for point in path(payoff, [0.01, 1.0], np.log([1 / 3, 1 / 3, 1 / 3]))]
    [[0.361, 0.2729, 0.3662], [0.324, 0.3306, 0.3453]]
    """
    found: dict[float, Regularized] = {}
    previous: Regularized | None = None
    origin = np.inf
    for temperature in sorted({float(value) for value in temperatures}, reverse=True):
        previous = found[temperature] = regularized(
            payoff,
            temperature,
            log_reference,
            offsets=offsets,
            start=None if previous is None else previous.policy,
            start_temperature=origin,
            tol=tol,
            max_steps=max_steps,
            deadline=deadline,
        )
        origin = temperature if previous.status is Status.CONVERGED else np.inf
    return [found[float(value)] for value in temperatures]


def _owned(array: FloatArray) -> FloatArray:
    """Return a copy: kernels compile once for each kind of array, and games hold theirs read-only."""
    return np.array(array, dtype=np.float64, order="C")


def _read_only(array: FloatArray) -> FloatArray:
    """Return a read-only view, where a copy would cost as much as a product with the payoff."""
    view = np.ascontiguousarray(array, dtype=np.float64).view()
    view.flags.writeable = False
    return view


def _expand(inner: Regularized, members: IntArray, n: int) -> Regularized:
    """Put back the responses without reference mass."""
    policy, log_policy = np.zeros(n), np.full(n, -np.inf)
    policy[members], log_policy[members] = inner.policy, inner.log_policy
    return inner._replace(policy=policy, log_policy=log_policy)


def _begin(equation: _Equation, start: FloatArray | None, origin: float) -> tuple[FloatArray, float]:
    """Return the log-policy to start from and the temperature that it belongs to."""
    if start is None:
        return equation.log_reference.copy(), np.inf
    log_policy = np.log(np.maximum(start, np.finfo(np.float64).tiny))
    _normalize(log_policy, equation.offsets)
    return log_policy, origin


def _normalize(log_policy: FloatArray, offsets: IntArray) -> None:
    for first, last in itertools.pairwise(offsets):
        log_normalize(log_policy[first:last], log_policy[first:last])


def _measure(
    equation: _Equation,
    temperature: float,
    log_policy: FloatArray,
    run: Outcome,
    route: str,
    tol: float,
    limits: _Limits,
) -> Regularized:
    policy, error = np.empty_like(log_policy), np.empty_like(log_policy)
    gap, residual = certify(
        equation.payoff, temperature, equation.log_reference, equation.offsets, log_policy, policy, error
    )
    if gap <= tol:
        status = Status.CONVERGED
    elif not np.isfinite(gap):
        status = Status.NONFINITE
    elif run.n_steps >= limits.max_steps:
        status = Status.STEP_LIMIT
    elif limits.stop(run.n_steps):
        status = Status.TIME_LIMIT
    else:
        status = Status.INACCURATE
    return Regularized(policy, log_policy, gap, run.n_steps, run.payoff_calls + 1, residual, route, status)


def _large(
    equation: _Equation,
    temperature: float,
    log_policy: FloatArray,
    origin: float,
    tol: float,
    limits: _Limits,
) -> Regularized:
    """Try Anderson's method, then Newton's from where it came to."""
    tried, first = _anderson(equation, temperature, log_policy.copy(), limits)
    if first.converged:
        return _measure(equation, temperature, tried, first, "anderson", tol, limits)
    if first.error < _NEAR:
        log_policy, origin = tried, temperature
    second = _newton_path(equation, temperature, log_policy, origin, first.n_steps, limits)
    run = second._replace(payoff_calls=first.payoff_calls + second.payoff_calls)
    return _measure(equation, temperature, log_policy, run, "newton", tol, limits)


def _rounding(equation: _Equation, temperature: float) -> float:
    """Return the error of the equation that float64 allows."""
    return 2e-15 * (1.0 + equation.scale / temperature)


def _anderson(
    equation: _Equation, temperature: float, log_policy: FloatArray, limits: _Limits
) -> tuple[FloatArray, Outcome]:
    """Accelerate the fixed point until it is solved, or until Newton's method is forecast to be cheaper.

    The combination of past differences minimises the error weighted by the policy: in that inner product
    the fixed point is linearly a skew operator, whose rate is known, and responses without mass have no
    say. On failure returns the best point seen.
    """
    floor = _rounding(equation, temperature)
    budget = min(max(_SHORTEST_TRIAL, int(_TRIAL_PER_RESPONSE * log_policy.size)), _LONGEST_TRIAL)
    policy, error = np.empty_like(log_policy), np.empty_like(log_policy)
    history = _History(log_policy.size)
    norms: list[float] = []
    best, smallest = log_policy, np.inf
    while True:
        norm = equation_error(
            equation.payoff, temperature, equation.log_reference, equation.offsets, log_policy, policy, error
        )
        norms.append(norm)
        steps = len(norms) - 1
        stalled = norm > 0.5 * smallest and smallest <= 5.0 * floor
        if norm < smallest:
            best, smallest = log_policy, norm
        if norm <= floor or stalled:
            return best, Outcome(steps, steps + 1, smallest, True)
        if not _is_promising(norms, floor, budget) or limits.stop(steps):
            return best, Outcome(steps, steps + 1, smallest, False)
        log_policy = history.extrapolate(log_policy, error, policy)
        _normalize(log_policy, equation.offsets)


class _History:
    """Last differences of the iterates and their errors, as a ring."""

    def __init__(self, n: int) -> None:
        self._points = np.empty((_HISTORY, n))
        self._errors = np.empty((_HISTORY, n))
        self._last: tuple[FloatArray, FloatArray] | None = None
        self._count = 0

    def extrapolate(self, point: FloatArray, error: FloatArray, weights: FloatArray) -> FloatArray:
        """Return the point of least linearly predicted error, moved on by that error."""
        if self._last is not None:
            row = self._count % _HISTORY
            self._points[row] = point - self._last[0]
            self._errors[row] = error - self._last[1]
            self._count += 1
        self._last = point, error.copy()
        kept = min(self._count, _HISTORY)
        if kept == 0:
            return point - error
        points, errors = self._points[:kept], self._errors[:kept]
        weighted = errors * weights
        combination = np.linalg.lstsq(weighted @ errors.T, weighted @ error, rcond=1e-14)[0]
        return point - error - combination @ (points - errors)


def _is_promising(norms: list[float], floor: float, budget: int) -> bool:
    """Forecast from the rate of the last steps whether `floor` will be reached within `budget` steps."""
    norm = norms[-1]
    if not norm < 1e3 * norms[0]:
        return False
    if len(norms) <= _RATE_STEPS:
        return True
    rate = (norm / norms[-1 - _RATE_STEPS]) ** (1.0 / _RATE_STEPS)
    return bool(rate < 1.0 and len(norms) + np.log(floor / norm) / np.log(rate) <= budget)


def _newton_path(
    equation: _Equation,
    temperature: float,
    log_policy: FloatArray,
    origin: float,
    n_steps: int,
    limits: _Limits,
) -> Outcome:
    """Do what `kernels.newton.newton_path` does, with LAPACK and for any number of blocks."""
    schedule: Schedule = first_stage.function(temperature, origin, equation.scale)
    best = log_policy.copy() if schedule.solved < np.inf else equation.log_reference
    scratch = np.empty((2, best.size))
    calls = 0
    error = np.inf
    while schedule.stage < np.inf and not limits.stop(n_steps):
        if schedule.solved < np.inf:
            log_policy[:] = best
        else:
            reply_to_reference(equation.payoff, schedule.stage, *equation[1:], log_policy, scratch[0], scratch[1])
            calls += 1
        last = schedule.stage == temperature
        attempt = limits._replace(max_steps=min(12 if schedule.solved < np.inf else 20, limits.max_steps - n_steps))
        run = _newton(equation, schedule.stage, log_policy, 0.0 if last else STAGE_TOL, attempt)
        n_steps += run.n_steps
        calls += run.payoff_calls
        error = run.error if last else np.inf
        if run.converged and last:
            return Outcome(n_steps, calls, error, True)
        schedule = next_stage.function(schedule, run.converged, run.n_steps)
        if run.converged:
            best = log_policy.copy()
        elif schedule.solved == np.inf:
            best = equation.log_reference
    best_error = equation_error(
        equation.payoff, temperature, equation.log_reference, equation.offsets, best, scratch[0], scratch[1]
    )
    if not error < best_error:
        log_policy[:] = best
        error = best_error
    return Outcome(n_steps, calls + 1, error, False)


def _newton(equation: _Equation, temperature: float, log_policy: FloatArray, tol: float, limits: _Limits) -> Outcome:
    """Solve at one temperature; see `kernels.newton.newton`."""
    payoff, log_reference, offsets, scale = equation
    share = temperature / (temperature + scale)
    floor = _rounding(equation, temperature)
    harmless = float(np.log(HARMLESS * share / log_policy.size))
    policy, error = np.empty_like(log_policy), np.empty_like(log_policy)
    smallest = np.inf
    n_steps = 0
    while True:
        norm = equation_error(payoff, temperature, log_reference, offsets, log_policy, policy, error)
        negligible = policy <= 1e-18 * share
        if tol == 0.0:
            norm = max(norm, float(np.abs(error[~negligible]).max()))
        stalled = norm > 0.5 * smallest and smallest <= 100.0 * floor
        if norm <= max(tol, floor) or stalled:
            log_policy[negligible] -= error[negligible]
            return Outcome(n_steps, 2 * n_steps + 1, norm, True)
        if limits.stop(n_steps) or not np.isfinite(norm):
            return Outcome(n_steps, 2 * n_steps + 1, norm, False)
        smallest = min(smallest, norm)
        direction = _Direction(equation, temperature, policy)
        direction.step(log_policy, error, harmless)
        equation_error(payoff, temperature, log_reference, offsets, log_policy, policy, error)
        direction.step(log_policy, error, harmless)
        n_steps += 1


class _Direction:
    """The factored Jacobian ``I - A diag(p) / b`` at one policy.

    Columns with next to no probability are left out of the factorisation: at low temperatures most are.
    """

    def __init__(self, equation: _Equation, temperature: float, policy: FloatArray) -> None:
        from scipy.linalg import lu_factor

        self._equation = equation
        self._per_policy = policy / temperature
        self._policy = policy.copy()
        self._columns = np.flatnonzero(self._per_policy * equation.scale > _NEGLIGIBLE_COLUMN)
        jacobian = equation.payoff[np.ix_(self._columns, self._columns)] * -self._per_policy[self._columns]
        jacobian.flat[:: self._columns.size + 1] += 1.0
        # LAPACK wants columns first, which the transpose of this array is: no copy is made.
        self._factors = lu_factor(jacobian.T, overwrite_a=True, check_finite=False)
        blocks = np.repeat(np.arange(equation.offsets.size - 1), np.diff(equation.offsets))
        self._indicator = (blocks[:, None] == np.arange(equation.offsets.size - 1)).astype(np.float64)
        self._constants = self._solve(self._indicator)

    def _solve(self, rhs: FloatArray) -> FloatArray:
        from scipy.linalg import lu_solve

        inside = lu_solve(self._factors, rhs[self._columns], trans=1, check_finite=False)
        weighted = np.zeros_like(rhs)
        weighted[self._columns] = (self._per_policy[self._columns] * inside.T).T
        solution = rhs + self._equation.payoff @ weighted
        solution[self._columns] = inside
        return solution

    def step(self, log_policy: FloatArray, error: FloatArray, harmless: float) -> None:
        """Move `log_policy` along the direction that removes `error` and keeps the mass of every block."""
        solved = self._solve(error)
        masses = self._indicator.T * self._policy
        constant = np.linalg.solve(masses @ self._constants, masses @ solved)
        step = self._constants @ constant - solved
        with np.errstate(invalid="ignore"):
            damped = np.maximum(np.log1p(np.maximum(step, 0.0)), np.minimum(step, harmless - log_policy))
        log_policy += np.where(step > 0.0, damped, step)
        _normalize(log_policy, self._equation.offsets)
