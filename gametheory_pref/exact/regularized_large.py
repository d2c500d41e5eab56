"""KL-regularised equilibria of many responses, or of two players: Anderson's fixed point and Newton with LAPACK."""

from __future__ import annotations

import itertools
import time
from typing import NamedTuple

import numpy as np

from .._types import FloatArray, IntArray
from ..kernels.logspace import log_normalize
from ..kernels.newton import (
    HARMLESS,
    STAGE_TOL,
    Outcome,
    Schedule,
    equation_error,
    first_stage,
    next_stage,
    reply_to_reference,
)

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

class Equation(NamedTuple):
    """The responses that may have mass, and the equation they satisfy."""

    payoff: FloatArray
    log_reference: FloatArray
    offsets: IntArray
    scale: float  # largest payoff; only the routes for large games use it


class Limits(NamedTuple):
    """When to stop short of the answer."""

    max_steps: int
    deadline: float | None

    def stop(self, n_steps: int) -> bool:
        """Whether no further step may begin."""
        return n_steps >= self.max_steps or (self.deadline is not None and time.perf_counter() > self.deadline)


def normalize_blocks(log_policy: FloatArray, offsets: IntArray) -> None:
    """Make every block of probabilities sum to one, in place."""
    for first, last in itertools.pairwise(offsets):
        log_normalize(log_policy[first:last], log_policy[first:last])


def solve_large(
    equation: Equation, temperature: float, log_policy: FloatArray, origin: float, limits: Limits
) -> tuple[FloatArray, Outcome, str]:
    """Try Anderson's method, then Newton's from where it came to; return log-policy, what was done, and by which."""
    tried, first = _anderson(equation, temperature, log_policy.copy(), limits)
    if first.converged:
        return tried, first, "anderson"
    if first.error < _NEAR:
        log_policy, origin = tried, temperature
    second = _newton_path(equation, temperature, log_policy, origin, first.n_steps, limits)
    return log_policy, second._replace(payoff_calls=first.payoff_calls + second.payoff_calls), "newton"


def _rounding(equation: Equation, temperature: float) -> float:
    """Return the error of the equation that float64 allows."""
    return 2e-15 * (1.0 + equation.scale / temperature)


def _anderson(
    equation: Equation, temperature: float, log_policy: FloatArray, limits: Limits
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
        normalize_blocks(log_policy, equation.offsets)


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
    equation: Equation,
    temperature: float,
    log_policy: FloatArray,
    origin: float,
    n_steps: int,
    limits: Limits,
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


def _newton(equation: Equation, temperature: float, log_policy: FloatArray, tol: float, limits: Limits) -> Outcome:
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

    def __init__(self, equation: Equation, temperature: float, policy: FloatArray) -> None:
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
        normalize_blocks(log_policy, self._equation.offsets)
