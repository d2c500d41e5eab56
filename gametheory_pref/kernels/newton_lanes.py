"""The KL-regularised equilibria of many small games at once: one game per SIMD lane.

The arithmetic is that of `newton`, with the games of a bundle as the fastest axis, so that the compiler turns
every loop over lanes into vector instructions. Four things differ:

* Elimination does not exchange rows. ``I - A diag(p) / b`` is, up to a scaling of its columns, ``diag(1/p)
  - A/b``, whose symmetric part is positive definite; for such matrices elimination without pivoting exists,
  and its growth is bounded by the ratio of the skew to the symmetric part, here about ``max|A| / b`` (Golub
  and Van Loan, "Matrix Computations", section 4.3.2). At b = 1/100 that costs two digits of a Newton
  direction, not of the answer.
* ``log1p(step)`` is replaced by its first Pade approximant ``step / (1 + step/2)``: as safe, and without a
  call.
* The factors are in single precision, which doubles the lanes of a vector. Each step still removes all but a
  small share of the error, and the error itself is evaluated in double precision.
* exp and log are written out, because calls to the mathematical library do not vectorise; and divisions are
  `np.divide`, because the compiled ``/`` checks for zero, which is a branch.

An answer is taken from its lane in the step at which that lane converges, so it does not depend on the
neighbours. A game whose lane does not converge (low temperatures) is solved again by `newton_path`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._jit import jit
from .elementary import exp_below, lane_log
from .logspace import log_normalize
from .newton import certify, newton_path, whole

LANES = 64
"""Games in a bundle: a few vectors, so that the cost of entering a loop over lanes is shared."""

LARGEST = 64
"""Responses up to which lanes are used; beyond, the matrices of a bundle leave the cache."""

LOWEST_TEMPERATURE = 1e-3
"""Below, lanes mostly fail and the scalar path is taken at once."""

STEPS_PER_FACTORIZATION = 3

LANE_STEPS = 45
"""Newton steps of a bundle before the games left over are solved one by one."""

PATH_STEPS = 2000
"""Factorisations that one game may take on its own."""

START_TEMPERATURE = 0.2
"""Added to the temperature of the best reply that starts the lanes; two fifths of the largest payoff."""

_NO_MASS = -1e30  # the logarithm of zero that survives arithmetic; exp of it is exactly 0

_CONVERGED = 1
_STEP_LIMIT = 2
_NONFINITE = 5
_INACCURATE = 6


@jit
def lane_exp(x):
    """Return exp(x) without branches; 0 below -708, the exponential of 709 above 709."""
    return exp_below(min(x, 709.0))


class Bundle(NamedTuple):
    """Arrays of one bundle, the lane last: matrices (n, n, LANES), vectors (n, LANES), numbers (LANES,)."""

    payoff: Any
    matrix: Any
    log_reference: Any
    log_policy: Any
    policy: Any
    weights: Any
    error: Any
    ones: Any
    solution: Any
    per_temperature: Any
    total: Any
    single: Any
    scratch: Any
    square: Any
    largest: Any


@jit
def _new_bundle(n):
    return Bundle(
        payoff=np.empty((n, n, LANES)),
        matrix=np.empty((n, n, LANES), np.float32),
        log_reference=np.empty((n, LANES)),
        log_policy=np.empty((n, LANES)),
        policy=np.empty((n, LANES)),
        weights=np.empty((n, LANES)),
        error=np.empty((n, LANES)),
        ones=np.empty((n, LANES), np.float32),
        solution=np.empty((n, LANES), np.float32),
        per_temperature=np.empty(LANES),
        total=np.empty(LANES),
        single=np.empty(LANES, np.float32),
        scratch=np.empty(LANES),
        square=np.empty(LANES),
        largest=np.empty(LANES),
    )


@jit
def _load(preference, active, log_reference, temperature, first, bundle):
    """Fill the bundle with the games from `first` on; lanes beyond the last game repeat it.

    A response outside the game keeps a row and a column of zeros and no mass, which decouples it.
    """
    n_games, n = log_reference.shape
    # Eight games at a time: more would compete for the same cache lines when n * n is a power of two.
    for block in range(0, LANES, 8):
        for i in range(n):
            for j in range(n):
                for k in range(block, block + 8):
                    bundle.payoff[i, j, k] = preference[min(first + k, n_games - 1), i, j] - 0.5
    for k in range(LANES):
        game = min(first + k, n_games - 1)
        bundle.per_temperature[k] = 1.0 / temperature[game]
        for i in range(n):
            bundle.log_reference[i, k] = log_reference[game, i]
            if not (active[game, i] and log_reference[game, i] > _NO_MASS):
                bundle.log_reference[i, k] = _NO_MASS
                for j in range(n):
                    bundle.payoff[i, j, k] = 0.0
                    bundle.payoff[j, i, k] = 0.0


@jit(reassociate=True)
def _normalize(bundle):
    """Set ``policy = exp(log_policy)`` and scale both to a mass of one."""
    n, lanes = bundle.policy.shape
    mass = bundle.total
    shift = bundle.scratch
    for k in range(lanes):
        mass[k] = 0.0
    for i in range(n):
        for k in range(lanes):
            bundle.policy[i, k] = lane_exp(bundle.log_policy[i, k])
        for k in range(lanes):
            mass[k] += bundle.policy[i, k]
    for k in range(lanes):
        shift[k] = lane_log(mass[k])
    for k in range(lanes):
        mass[k] = np.divide(1.0, mass[k])
    for i in range(n):
        for k in range(lanes):
            bundle.log_policy[i, k] -= shift[k]
        for k in range(lanes):
            bundle.policy[i, k] *= mass[k]


@jit(reassociate=True)
def _equation_error(bundle):
    """Set `error` to the centred ``l - log mu - A p / b``; `square` and `largest` are its sizes."""
    n, lanes = bundle.policy.shape
    error = bundle.error
    mean = bundle.total
    product = bundle.scratch
    for k in range(lanes):
        mean[k] = 0.0
        bundle.square[k] = 0.0
        bundle.largest[k] = 0.0
    for i in range(n):
        for k in range(lanes):
            product[k] = 0.0
        for j in range(n):
            for k in range(lanes):
                product[k] += bundle.payoff[i, j, k] * bundle.policy[j, k]
        for k in range(lanes):
            error[i, k] = bundle.log_policy[i, k] - bundle.log_reference[i, k] - product[k] * bundle.per_temperature[k]
        for k in range(lanes):
            mean[k] += bundle.policy[i, k] * error[i, k]
    for i in range(n):
        for k in range(lanes):
            error[i, k] = error[i, k] - mean[k] if bundle.log_reference[i, k] > _NO_MASS else 0.0
        for k in range(lanes):
            bundle.square[k] += bundle.policy[i, k] * error[i, k] * error[i, k]
        for k in range(lanes):
            bundle.largest[k] = max(bundle.largest[k], abs(error[i, k]))
        for k in range(lanes):
            bundle.solution[i, k] = error[i, k]


@jit(reassociate=True)
def _factor(bundle):
    """Set `matrix` to the LU factors of ``I - A diag(p) / b``, `weights` to p and `ones` to 1.

    The diagonal holds the reciprocal pivots. Columns of next to no mass are taken as those of the identity.
    """
    n, lanes = bundle.policy.shape
    matrix = bundle.matrix
    column = bundle.scratch
    factor = bundle.single
    for j in range(n):
        for k in range(lanes):
            bundle.weights[j, k] = bundle.policy[j, k]
        for k in range(lanes):
            bundle.ones[j, k] = 1.0
        for k in range(lanes):
            column[k] = bundle.policy[j, k] * bundle.per_temperature[k] if bundle.policy[j, k] > 1e-25 else 0.0
        for i in range(n):
            for k in range(lanes):
                matrix[i, j, k] = -bundle.payoff[i, j, k] * column[k]
        for k in range(lanes):
            matrix[j, j, k] += np.float32(1.0)
    for p in range(n):
        for k in range(lanes):
            matrix[p, p, k] = np.divide(np.float32(1.0), matrix[p, p, k])
        for i in range(p + 1, n):
            for k in range(lanes):
                factor[k] = matrix[i, p, k] * matrix[p, p, k]
            for k in range(lanes):
                matrix[i, p, k] = factor[k]
            for j in range(p + 1, n):
                for k in range(lanes):
                    matrix[i, j, k] -= factor[k] * matrix[p, j, k]


@jit(reassociate=True)
def _solve(matrix, rhs, total):
    """Overwrite `rhs` by the solution of the factored system."""
    n, lanes = rhs.shape
    for i in range(1, n):
        for k in range(lanes):
            total[k] = rhs[i, k]
        for j in range(i):
            for k in range(lanes):
                total[k] -= matrix[i, j, k] * rhs[j, k]
        for k in range(lanes):
            rhs[i, k] = total[k]
    for i in range(n - 1, -1, -1):
        for k in range(lanes):
            total[k] = rhs[i, k]
        for j in range(i + 1, n):
            for k in range(lanes):
                total[k] -= matrix[i, j, k] * rhs[j, k]
        for k in range(lanes):
            rhs[i, k] = total[k] * matrix[i, i, k]


@jit(reassociate=True)
def _move(bundle):
    """Add the Newton step to `log_policy`: minus `solution`, and what of `ones` keeps the mass."""
    n, lanes = bundle.policy.shape
    constant = bundle.total
    mass = bundle.scratch
    for k in range(lanes):
        constant[k] = 0.0
        mass[k] = 0.0
    for i in range(n):
        for k in range(lanes):
            constant[k] += bundle.weights[i, k] * bundle.solution[i, k]
        for k in range(lanes):
            mass[k] += bundle.weights[i, k] * bundle.ones[i, k]
    for k in range(lanes):
        constant[k] = np.divide(constant[k], mass[k])
    for i in range(n):
        for k in range(lanes):
            step = constant[k] * bundle.ones[i, k] - bundle.solution[i, k]
            bundle.log_policy[i, k] += np.divide(step, 1.0 + 0.5 * max(step, 0.0))


@jit(reassociate=True)
def _start(bundle):
    """Begin at the best reply to the reference at a temperature raised by `START_TEMPERATURE`."""
    n, lanes = bundle.policy.shape
    for i in range(n):
        for k in range(lanes):
            bundle.log_policy[i, k] = bundle.log_reference[i, k]
    _normalize(bundle)
    _equation_error(bundle)
    for i in range(n):
        for k in range(lanes):
            bundle.log_policy[i, k] -= bundle.error[i, k] / (1.0 + START_TEMPERATURE * bundle.per_temperature[k])


@jit
def _status(gap, tol):
    if gap <= tol:
        return _CONVERGED
    return _INACCURATE if np.isfinite(gap) else _NONFINITE


@jit
def _take_answers(bundle, tol, first, policy_out, gap_out, status_out):
    """Write the games whose lanes have just converged; return how many.

    A lane has converged at the rounding error of its equation; entries of little mass are held to 1e-6, so
    that two terms of the series of ``e + expm1(-e)`` give the gap ``2 b KL(pi || BR_b(pi))``.
    """
    n_found = 0
    for k in range(min(LANES, status_out.size - first)):
        game = first + k
        per_temperature = bundle.per_temperature[k]
        floor = 7e-15 * (1.0 + 0.5 * per_temperature)
        if (
            status_out[game] == _STEP_LIMIT
            and per_temperature * LOWEST_TEMPERATURE <= 1.0
            and bundle.square[k] <= floor * floor
            and bundle.largest[k] <= 1e-6
        ):
            total = 0.0
            for i in range(policy_out.shape[1]):
                mass = bundle.policy[i, k]
                e = bundle.error[i, k]
                policy_out[game, i] = mass
                total += mass * e * e * (0.5 - e / 6.0)
            gap_out[game] = 2.0 * total / per_temperature
            status_out[game] = _status(gap_out[game], tol)
            n_found += 1
    return n_found


@jit
def _solve_alone(preference, active, log_reference, temperature, tol, policy_out):
    """Solve one game by `newton_path` on the responses that may have mass; return its gap and status."""
    n = active.size
    members = np.empty(n, np.int64)
    count = 0
    for i in range(n):
        policy_out[i] = 0.0
        if active[i] and log_reference[i] > _NO_MASS:
            members[count] = i
            count += 1
    if count == 0:
        return np.nan, _NONFINITE
    payoff = np.empty((count, count))
    reference = np.empty(count)
    log_policy = np.empty(count)
    for i in range(count):
        reference[i] = log_reference[members[i]]
        for j in range(count):
            payoff[i, j] = preference[members[i], members[j]] - 0.5
    log_normalize(reference, reference)
    newton_path(payoff, temperature, reference, log_policy, np.inf, PATH_STEPS)
    policy = np.empty(count)
    error = np.empty(count)
    gap = certify(payoff, temperature, reference, whole(count), log_policy, policy, error).gap
    for i in range(count):
        policy_out[members[i]] = policy[i]
    return gap, _status(gap, tol)


@jit
def regularized_lanes(preference, active, log_reference, temperature, tol, policy_out, gap_out, status_out):
    """Run Newton on bundles of games; return how many games keep the status `_STEP_LIMIT`.

    The loop stands here rather than in a function of its own because every level of calls is optimised anew, which
    costs seconds of compilation.
    """
    n_games, n = log_reference.shape
    for game in range(n_games):
        status_out[game] = _STEP_LIMIT
    if n > LARGEST:
        return n_games
    n_left = n_games
    bundle = _new_bundle(n)
    for first in range(0, n_games, LANES):
        _load(preference, active, log_reference, temperature, first, bundle)
        n_running = 0
        for k in range(min(LANES, n_games - first)):
            if bundle.per_temperature[k] * LOWEST_TEMPERATURE <= 1.0:
                n_running += 1
        if n_running == 0:
            continue
        _start(bundle)
        for n_steps in range(LANE_STEPS):
            _normalize(bundle)
            _equation_error(bundle)
            n_found = _take_answers(bundle, tol, first, policy_out, gap_out, status_out)
            n_running -= n_found
            n_left -= n_found
            if n_running == 0:
                break
            if n_steps % STEPS_PER_FACTORIZATION == 0:
                _factor(bundle)
                _solve(bundle.matrix, bundle.ones, bundle.single)
            _solve(bundle.matrix, bundle.solution, bundle.single)
            _move(bundle)
    return n_left


@jit
def finish_alone(preference, active, log_reference, temperature, tol, policy_out, gap_out, status_out):
    """Solve by `newton_path` the games that still have the status `_STEP_LIMIT`."""
    for game in range(status_out.size):
        if status_out[game] == _STEP_LIMIT:
            gap_out[game], status_out[game] = _solve_alone(
                preference[game], active[game], log_reference[game], temperature[game], tol, policy_out[game]
            )


def regularized_batch(
    preference: Any,
    active: Any,
    log_reference: Any,
    temperature: Any,
    tol: float,
    policy_out: Any,
    gap_out: Any,
    status_out: Any,
) -> None:
    """Solve many games at their temperatures from their references.

    Parameters
    ----------
    preference : (B, n, n) array
        Win probabilities, ``P + P.T == 1``.
    active : (B, n) bool array
        Which responses belong to the game; the others get probability exactly 0.
    log_reference : (B, n) array
        Reference of every game, up to a constant; ``-inf`` for no mass.
    temperature : (B,) array
        Positive.
    tol : float
        Largest gap of an answer; the accuracy is that of float64 whatever it is.
    policy_out, gap_out, status_out : (B, n), (B,), (B,) int64 arrays
        Equilibrium, two-sided gap in win probability, and `Status` (1 converged, 5 not finite, 6 inaccurate).
    """
    games = preference, active, log_reference, temperature, tol, policy_out, gap_out, status_out
    if regularized_lanes(*games) > 0:
        finish_alone(*games)
