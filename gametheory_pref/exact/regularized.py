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

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .._jit import InterpretedFirst
from .._types import FloatArray, IntArray
from ..errors import InputError
from ..kernels.newton import Outcome, certify, newton_path
from ..status import Status
from .regularized_large import Equation, Limits, normalize_blocks, solve_large

COMPILED_LIMIT = 100
"""Responses up to which the compiled Newton method beats LAPACK and Anderson's method."""

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
    equation = Equation(
        _owned(payoff) if compiled else _read_only(payoff),
        _owned(log_reference),
        np.array([0, log_reference.size] if offsets is None else offsets, dtype=np.int64),
        0.0 if compiled else float(payoff.max()),
    )
    hotter = temperature if start_temperature is None else start_temperature
    limits = Limits(max_steps, deadline)
    if not compiled:
        log_policy, run, route = solve_large(equation, temperature, *_begin(equation, start, hotter), limits)
        return _measure(equation, temperature, log_policy, run, route, tol, limits)
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


def _begin(equation: Equation, start: FloatArray | None, origin: float) -> tuple[FloatArray, float]:
    """Return the log-policy to start from and the temperature that it belongs to."""
    if start is None:
        return equation.log_reference.copy(), np.inf
    log_policy = np.log(np.maximum(start, np.finfo(np.float64).tiny))
    normalize_blocks(log_policy, equation.offsets)
    return log_policy, origin


def _measure(
    equation: Equation,
    temperature: float,
    log_policy: FloatArray,
    run: Outcome,
    route: str,
    tol: float,
    limits: Limits,
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
    # The interpreter hands back numpy scalars where compiled code gives floats.
    return Regularized(
        policy, log_policy, float(gap), int(run.n_steps), int(run.payoff_calls) + 1, float(residual), route, status
    )
