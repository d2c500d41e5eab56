"""Newton's method for the KL-regularised equilibrium of one skew-symmetric game, in the log-policy.

The equilibrium at temperature b with reference mu is the only solution of ``l = log mu + A exp(l) / b +
const`` with ``exp(l)`` summing to one. Three facts make the method safe:

* With ``e = l - log mu - A exp(l) / b``, skewness gives ``<p - p*, e> = KL(p||p*) + KL(p*||p)`` exactly:
  the payoff term ``(p - p*)' A (p - p*)`` vanishes. The error e of the equation, centred under p, therefore
  bounds the error of the policy, at every temperature; ``sqrt(sum p e^2)`` is the stopping rule.
* The Jacobian ``I - A diag(p) / b`` is the identity plus an operator that is skew in the inner product
  weighted by p. It is never singular, and its inverse has norm at most one there.
* Where a probability grows, the linear model is exponentially optimistic in l, but sound in p; where it
  shrinks, the other way round. Moving l by ``log1p(step)`` in the first case (a Newton step in p) and by
  ``step`` in the second makes the full step usable far from the solution.

The temperature is lowered in stages whose ratio grows and shrinks with Newton's success, so that 1e-6 costs
a few dozen factorisations.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._jit import jit
from .logspace import log_normalize

DIRECT_RATIO = 0.02
"""Temperature, relative to the largest payoff, down to which Newton is tried from the reference at once."""

STAGE_TOL = 1e-3
"""Error of the equation at which an intermediate temperature counts as solved."""

HARMLESS = 1e-2
"""Change of a best-reply logit, in all, that entries may cause when they take the full step upwards."""

QUICK = 6
"""Factorisations up to which the next stage may be larger."""

_LARGEST_EXPONENT = 700.0


class Workspace(NamedTuple):
    """Scratch arrays of one solve with n responses."""

    jacobian: Any
    pivots: Any
    policy: Any
    weights: Any
    error: Any
    ones: Any
    best: Any


class Outcome(NamedTuple):
    """What a Newton run did: factorisations, products with the payoff, last error norm, and success."""

    n_steps: int
    payoff_calls: int
    error: float
    converged: bool


class Schedule(NamedTuple):
    """Which temperature to try next.

    The log-policy at hand solves the game at `solved`; the reference does at infinite temperature.
    """

    target: float
    hottest: float
    stage: float
    solved: float
    ratio: float


class Certificate(NamedTuple):
    """Duality gap, and largest ``|log pi - log BR_b(pi)|``."""

    gap: float
    residual: float


@jit
def lu_factor(matrix, pivots):
    """Overwrite `matrix` by its LU factors with partial pivoting; row k was exchanged with ``pivots[k]``."""
    n = matrix.shape[0]
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(matrix[i, k]) > abs(matrix[pivot, k]):
                pivot = i
        pivots[k] = pivot
        if pivot != k:
            for j in range(n):
                matrix[k, j], matrix[pivot, j] = matrix[pivot, j], matrix[k, j]
        inverse = 1.0 / matrix[k, k] if matrix[k, k] != 0.0 else np.inf
        for i in range(k + 1, n):
            factor = matrix[i, k] * inverse
            matrix[i, k] = factor
            if factor != 0.0:
                for j in range(k + 1, n):
                    matrix[i, j] -= factor * matrix[k, j]


@jit(reassociate=True)
def lu_solve(matrix, pivots, rhs):
    """Overwrite `rhs` by the solution of the system that `lu_factor` factored."""
    n = matrix.shape[0]
    for k in range(n):
        pivot = pivots[k]
        rhs[k], rhs[pivot] = rhs[pivot], rhs[k]
    for i in range(n):
        total = 0.0
        for j in range(i):
            total += matrix[i, j] * rhs[j]
        rhs[i] -= total
    for i in range(n - 1, -1, -1):
        total = 0.0
        for j in range(i + 1, n):
            total += matrix[i, j] * rhs[j]
        rhs[i] = (rhs[i] - total) / matrix[i, i]


@jit(reassociate=True)
def equation_error(payoff, temperature, log_reference, offsets, log_policy, policy, out):
    """Write ``exp(l)`` to `policy`, the centred ``l - log mu - A exp(l) / b`` to `out`; return its norm.

    Every block of responses, from ``offsets[k]`` to ``offsets[k + 1]``, is one player's distribution and is
    centred for itself. The weights of the norm are the policy, but for responses far below their best reply,
    which count by the mass of that reply: a response that is wrongly absent must not pass as solved.
    """
    for i in range(log_policy.size):
        policy[i] = np.exp(log_policy[i])
    square = 0.0
    for block in range(offsets.size - 1):
        mean = 0.0
        for i in range(offsets[block], offsets[block + 1]):
            total = 0.0
            for j in range(policy.size):
                total += payoff[i, j] * policy[j]
            out[i] = log_policy[i] - log_reference[i] - total / temperature
            mean += policy[i] * out[i]
        for i in range(offsets[block], offsets[block + 1]):
            out[i] -= mean
            weight = policy[i] if out[i] > -1.0 else np.exp(min(log_policy[i] - out[i], 0.0))
            square += weight * out[i] * out[i]
    return np.sqrt(square)


@jit
def _log_mass_of_reply(log_policy, error, offsets, block):
    """Return ``log(sum exp(l - e))`` of one block, for errors whose exponential overflows."""
    top = -np.inf
    for i in range(offsets[block], offsets[block + 1]):
        top = max(top, log_policy[i] - error[i])
    mass = 0.0
    for i in range(offsets[block], offsets[block + 1]):
        mass += np.exp(log_policy[i] - error[i] - top)
    return top + np.log(mass)


@jit
def certify(payoff, temperature, log_reference, offsets, log_policy, policy, error):
    """Measure a normalised log-policy; fills `policy` and `error` on the way.

    One block is a symmetric game, whose gap is ``2 b KL(pi || BR_b(pi))``; several are one player each, and
    the gap is the sum of ``b KL``. With e centred, ``KL = log(1 + sum p (e + expm1(-e)))``, whose terms are
    non-negative and of second order. A response whose probability underflows contributes the mass
    ``exp(l - e)`` of its best reply.
    """
    equation_error(payoff, temperature, log_reference, offsets, log_policy, policy, error)
    divergence = 0.0
    residual = 0.0
    for block in range(offsets.size - 1):
        excess = 0.0
        for i in range(offsets[block], offsets[block + 1]):
            log_reply = log_policy[i] - error[i]
            if policy[i] > 0.0 and error[i] > -_LARGEST_EXPONENT:
                excess += policy[i] * (error[i] + np.expm1(-error[i]))
            else:
                excess += np.exp(log_reply) if log_reply < _LARGEST_EXPONENT else np.inf
        shift = np.log1p(excess) if excess < np.inf else _log_mass_of_reply(log_policy, error, offsets, block)
        divergence += shift
        for i in range(offsets[block], offsets[block + 1]):
            residual = max(residual, abs(error[i] + shift))
    sides = 2.0 if offsets.size == 2 else 1.0
    return Certificate(sides * temperature * divergence, residual)


@jit
def _fill_jacobian(payoff, temperature, policy, jacobian):
    n = policy.size
    for i in range(n):
        for j in range(n):
            jacobian[i, j] = -payoff[i, j] * policy[j] / temperature
        jacobian[i, i] += 1.0


@jit
def _take_step(log_policy, harmless, work):
    """Move along the Newton direction for ``work.error`` with the factored Jacobian; the mass stays one.

    Up to log-probability `harmless` an entry is too small to matter in the payoff and takes the full step.
    """
    lu_solve(work.jacobian, work.pivots, work.error)
    numerator = 0.0
    denominator = 0.0
    for i in range(log_policy.size):
        numerator += work.weights[i] * work.error[i]
        denominator += work.weights[i] * work.ones[i]
    constant = numerator / denominator
    for i in range(log_policy.size):
        step = constant * work.ones[i] - work.error[i]
        if step > 0.0:
            step = max(np.log1p(step), min(step, harmless - log_policy[i]))
        log_policy[i] += step
    log_normalize(log_policy, log_policy)


@jit
def _largest_error(policy, error, cutoff):
    """Return the largest absolute error among the entries with probability above `cutoff`."""
    largest = 0.0
    for i in range(policy.size):
        if policy[i] > cutoff:
            largest = max(largest, abs(error[i]))
    return largest


@jit
def newton(payoff, temperature, log_reference, offsets, log_policy, scale, tol, max_steps, work):
    """Solve a game of one block at one temperature from `log_policy`, which is overwritten.

    Each factorisation serves two steps.
    `scale` is the largest absolute payoff. The run succeeds when the error norm is at most `tol`; with
    ``tol = 0`` it ends at the rounding error of the equation, about ``eps * scale / b``, in every entry. It
    fails after `max_steps` factorisations.
    """
    floor = 2e-15 * (1.0 + scale / temperature)
    negligible = 1e-18 * temperature / (temperature + scale)
    harmless = np.log(HARMLESS * temperature / (temperature + scale) / log_policy.size)
    smallest = np.inf
    for n_steps in range(max_steps + 1):
        norm = equation_error(payoff, temperature, log_reference, offsets, log_policy, work.policy, work.error)
        if tol == 0.0:
            norm = max(norm, _largest_error(work.policy, work.error, negligible))
        stalled = norm > 0.5 * smallest and smallest <= 100.0 * floor
        if norm <= max(tol, floor) or stalled:
            for i in range(log_policy.size):
                if work.policy[i] <= negligible:
                    log_policy[i] -= work.error[i]
            return Outcome(n_steps, 2 * n_steps + 1, norm, True)
        if n_steps == max_steps or not np.isfinite(norm):
            return Outcome(n_steps, 2 * n_steps + 1, norm, False)
        smallest = min(smallest, norm)
        _fill_jacobian(payoff, temperature, work.policy, work.jacobian)
        lu_factor(work.jacobian, work.pivots)
        for i in range(log_policy.size):
            work.weights[i] = work.policy[i]
            work.ones[i] = 1.0
        lu_solve(work.jacobian, work.pivots, work.ones)
        _take_step(log_policy, harmless, work)
        equation_error(payoff, temperature, log_reference, offsets, log_policy, work.policy, work.error)
        _take_step(log_policy, harmless, work)
    return Outcome(max_steps, 2 * max_steps + 1, np.inf, False)


@jit
def first_stage(temperature, start_temperature, scale):
    """Begin from a log-policy that solves the game at `start_temperature` (infinite: the reference)."""
    hottest = max(temperature, DIRECT_RATIO * scale)
    if start_temperature == np.inf:
        return Schedule(temperature, hottest, hottest, np.inf, 10.0)
    return Schedule(temperature, hottest, max(temperature, start_temperature / 10.0), start_temperature, 10.0)


@jit
def next_stage(schedule, converged, n_steps):
    """Go on after a Newton run at ``schedule.stage``; a stage of infinity gives up.

    After a success the log-policy becomes the one that solves at `solved`; after a failure, go back to it,
    or to the reference when `solved` is infinite.
    """
    target, hottest, stage, solved, ratio = schedule
    if converged:
        if solved < np.inf and n_steps <= QUICK:
            ratio = min(ratio * ratio, 1e3)
        return Schedule(target, hottest, max(target, stage / ratio), stage, ratio)
    if solved < np.inf:
        ratio = ratio ** (1.0 / 3.0)
        if stage < solved and ratio > 1.0001:
            return Schedule(target, hottest, max(target, solved / ratio), solved, ratio)
        return Schedule(target, hottest, hottest, np.inf, 10.0)
    # Far above the payoffs the plain fixed point is a contraction: a hotter start ends in success.
    stage = 4.0 * stage if stage < 1e4 * hottest else np.inf
    return Schedule(target, hottest, stage, np.inf, 10.0)


@jit
def newton_path(payoff, temperature, log_reference, log_policy, start_temperature, max_steps):
    """Solve at `temperature`, by stages of falling temperature where needed, and overwrite `log_policy`.

    Parameters
    ----------
    payoff : (n, n) array
        Skew-symmetric, finite.
    log_reference : (n,) array
        Finite and normalised: leave responses without reference mass out of the game.
    log_policy : (n,) array
        A finite normalised log-policy that solves the game at `start_temperature`, or nearly. What it holds
        does not matter when that is infinite.
    start_temperature : float
        At least `temperature`; infinite to start from the reference.
    max_steps : int
        Most factorisations.
    """
    n = log_policy.size
    work = Workspace(
        jacobian=np.empty((n, n)),
        pivots=np.empty(n, np.int64),
        policy=np.empty(n),
        weights=np.empty(n),
        error=np.empty(n),
        ones=np.empty(n),
        best=np.empty(n),
    )
    offsets = whole(n)
    scale = _largest_payoff(payoff)
    schedule = first_stage(temperature, start_temperature, scale)
    n_steps = 0
    calls = 0
    error = np.inf
    _copy(log_policy if schedule.solved < np.inf else log_reference, work.best)
    while n_steps < max_steps and schedule.stage < np.inf:
        if schedule.solved < np.inf:
            _copy(work.best, log_policy)
        else:
            reply_to_reference(
                payoff, schedule.stage, log_reference, offsets, scale, log_policy, work.policy, work.error
            )
            calls += 1
        last = schedule.stage == temperature
        limit = min(12 if schedule.solved < np.inf else 20, max_steps - n_steps)
        tol = 0.0 if last else STAGE_TOL
        run = newton(payoff, schedule.stage, log_reference, offsets, log_policy, scale, tol, limit, work)
        n_steps += run.n_steps
        calls += run.payoff_calls
        error = run.error if last else np.inf
        if run.converged and last:
            return Outcome(n_steps, calls, error, True)
        schedule = next_stage(schedule, run.converged, run.n_steps)
        if run.converged:
            _copy(log_policy, work.best)
        elif schedule.solved == np.inf:
            _copy(log_reference, work.best)
    best_error = equation_error(payoff, temperature, log_reference, offsets, work.best, work.policy, work.error)
    if not error < best_error:
        _copy(work.best, log_policy)
        error = best_error
    return Outcome(n_steps, calls + 1, error, False)


@jit
def reply_to_reference(payoff, temperature, log_reference, offsets, scale, log_policy, policy, error):
    """Write the best reply to the reference, at a temperature raised by 0.4 of the largest payoff.

    It saves a factorisation; the unraised reply would overshoot at low temperatures.
    """
    equation_error(payoff, temperature, log_reference, offsets, log_reference, policy, error)
    share = temperature / (temperature + 0.4 * scale)
    for i in range(log_policy.size):
        log_policy[i] = log_reference[i] - share * error[i]
    for block in range(offsets.size - 1):
        part = log_policy[offsets[block] : offsets[block + 1]]
        log_normalize(part, part)


@jit
def whole(n):
    """Return the offsets of a game with one block."""
    offsets = np.empty(2, np.int64)
    offsets[0] = 0
    offsets[1] = n
    return offsets


@jit
def _copy(source, target):
    for i in range(source.size):
        target[i] = source[i]


@jit
def _largest_payoff(payoff):
    largest = 0.0
    for i in range(payoff.shape[0]):
        for j in range(payoff.shape[1]):
            largest = max(largest, abs(payoff[i, j]))
    return largest
