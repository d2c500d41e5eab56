"""`solve_batch`: thousands of small preference games on all cores, each with its own gap and status."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._check import as_float_array, distribution, input_rounding, non_negative, positive_whole
from ._threads import in_threads
from ._types import BoolArray, FloatArray, IntArray
from .errors import InputError, NotConverged, UnsupportedCombination
from .exact.simplex import solve_by_simplex
from .iterating_batch import Answers, Question, read_only, run_rule_batch
from .kernels.newton_lanes import regularized_batch
from .kernels.pivot_batch import find_games, minimax_batch, read_payoff
from .methods import as_rule
from .problem import checked_temperature
from .status import Status

_EXACT_NAMES = ("auto", "simplex", "newton")
# A larger gap sends a game from principal pivots to the simplex method, whose answers are refined.
_GOOD_GAP = 1e-13


@dataclass(frozen=True, eq=False, repr=False)
class BatchSolution:
    """What `solve_batch` returns: arrays with one entry per game.

    Attributes
    ----------
    policy : ndarray, shape (B, n)
        Probabilities; zero outside the mask, and all zero for an input that is not a game.
    gap : ndarray, shape (B,)
        Two-sided duality gap in units of win probability; infinite for an input that is not a game.
    status : ndarray of int, shape (B,)
        `Status` of every game.
    n_steps : ndarray of int, shape (B,)
        Steps that an update rule took; 0 for the exact methods.
    temperature : ndarray, shape (B,)
        KL weight of every game.
    method : str
        "simplex", "newton", "simplex and newton", or the name of an update rule.
    seconds : float
        Wall time of the whole batch.
    """

    policy: FloatArray
    gap: FloatArray
    status: IntArray
    n_steps: IntArray
    temperature: FloatArray
    method: str
    seconds: float

    @property
    def converged(self) -> BoolArray:
        """Which policies are answers to the stated tolerance."""
        return np.isin(self.status, (Status.EXACT, Status.CONVERGED))

    def require(self) -> BatchSolution:
        """Return the batch if every game has an answer.

        Raises
        ------
        NotConverged
            With the number of games without one, and the first of them.
        """
        bad = np.flatnonzero(~self.converged)
        if bad.size == 0:
            return self
        first = int(bad[0])
        raise NotConverged(
            f"{bad.size} of {len(self)} games have no answer; the first is game {first} "
            f"(gap {self.gap[first]:.3g}): {Status(int(self.status[first])).message}"
        )

    def summary(self) -> str:
        """Return one line: how many games ended how, and the largest gap of those that are games."""
        codes, counts = np.unique(self.status, return_counts=True)
        ends = ", ".join(
            f"{count} {Status(int(code)).name.lower().replace('_', ' ')}"
            for code, count in zip(codes, counts, strict=True)
        )
        is_game = self.status != Status.INVALID
        largest = f"; largest gap {self.gap[is_game].max():.2g}" if is_game.any() else ""
        return f"{len(self)} games by {self.method}: {ends or 'none'}{largest}; {self.seconds:.3g} s"

    def __len__(self) -> int:
        return len(self.status)

    def __repr__(self) -> str:
        return f"BatchSolution({self.summary()})"


def solve_batch(
    P: ArrayLike,
    *,
    temperature: ArrayLike = 0.0,
    reference: ArrayLike | None = None,
    method: Any = "auto",
    tol: float = 1e-9,
    mask: ArrayLike | None = None,
    max_steps: int = 100_000,
) -> BatchSolution:
    r"""Solve many preference games.

    At temperature 0 every policy is a Minimax Winner by pivoting. Where there are several winners it is the
    vertex of their set that the method meets; `solve` finds the one of maximum entropy. At a positive
    temperature it is the KL-regularised equilibrium :math:`\pi \propto \mu \exp(A \pi / \beta)` by Newton's
    method. An update rule runs on every game as `solve` runs it, until the gap of that game is at most `tol`.

    A game that is not one (a value that is not finite, ``P + P.T != 1``, an empty row of `mask`, a reference
    without mass) gets the status ``INVALID``, a zero policy and an infinite gap, and so does a game that the
    settings of the update rule do not suit (a step size too large for its temperature); the others are solved
    all the same. Results do not depend on the number of threads, nor on which games share the batch.

    Parameters
    ----------
    P : array_like, shape (B, n, n)
        Win probabilities of every game: the row response beats the column response.
    temperature : float or array_like, shape (B,)
        KL weight.
    reference : array_like, shape (n,) or (B, n), optional
        Anchor policy at positive temperatures, uniform when left out; scaled to a sum of one over the
        responses of each game. Update rules start there; at temperature 0 that takes mass on every response.
    method : str or rule
        "auto", "simplex" (temperature 0), "newton" (positive temperatures), or an update rule: a name of `METHODS`,
        or a rule with settings. Step sizes that depend on the game are found for each. At a temperature that the rule
        is not for (its ``info.solves``) it runs all the same, as in `solve`, and may never reach `tol`.
    tol : float
        Largest gap of an answer.
    mask : array_like of bool, shape (B, n), optional
        Which responses belong to each game, for games of different sizes; what `P` holds elsewhere is not
        read.
    max_steps : int
        Most steps of an update rule on one game.

    Returns
    -------
    BatchSolution
        `policy` (B, n), `gap` (B,) and `status` (B,).

    Raises
    ------
    InputError
        A shape or a type is wrong, so that there is no telling the games apart; no method has that name; or the
        settings of the update rule suit none of the games (the message is about the first).
    UnsupportedCombination
        The method does not serve the temperature, or draws opponents; or a reference was given for temperature 0.

    Examples
    --------
    >>> import numpy as np
    >>> import gametheory_pref as gp
    >>> P = np.array([[[0.5, 0.1, 0.8], [0.9, 0.5, 0.1], [0.2, 0.9, 0.5]], np.eye(3)])
    >>> batch = gp.solve_batch(P)
    >>> batch.policy.round(4)
    array([[0.3636, 0.2727, 0.3636],
           [0.    , 0.    , 0.    ]])
    >>> batch.converged
    array([ True, False])
    >>> gp.solve_batch(P[:1], method="extragradient", temperature=0.1).policy.round(4)
    array([[0.3371, 0.2835, 0.3794]])
    """
    began = time.perf_counter()
    preference = _stack(P)
    n_games, n = preference.shape[:2]
    active = _mask(mask, n_games, n)
    kl_weight = _temperatures(temperature, n_games)
    rule = None if isinstance(method, str) and method in _EXACT_NAMES else as_rule(method, _EXACT_NAMES)
    if rule is not None and rule.info.samples_terms:
        raise UnsupportedCombination(
            f"{rule.info.name} draws opponents, and batches draw nothing; solve the games one by one with gp.solve"
        )
    name = _exact_name(method, kl_weight > 0.0, reference is not None) if rule is None else rule.info.name
    question = Question(
        preference=preference,
        active=active,
        log_reference=_log_reference(reference, active),
        temperature=kl_weight,
        tol=non_negative(tol, name="tol"),
    )
    steps = positive_whole(max_steps, name="max_steps")
    out = Answers(
        policy=np.zeros((n_games, n)),
        gap=np.full(n_games, np.inf),
        status=np.full(n_games, Status.INVALID, dtype=np.int64),
        n_steps=np.zeros(n_games, dtype=np.int64),
    )
    if rule is None:
        in_threads(lambda games: _solve_games(question, out, games), n_games, entries=n_games * n * n)
    else:
        run_rule_batch(rule, question, steps, out)
    return BatchSolution(*out, temperature=kl_weight, method=name, seconds=time.perf_counter() - began)


_Solver: TypeAlias = Callable[[Question, Answers], None]


def _solve_games(question: Question, out: Answers, games: slice) -> None:
    """Solve a contiguous run of games."""
    part, answers = question.of(games), out.of(games)
    warm = part.temperature > 0.0
    _on_chosen(~warm, _minimax, part, answers)
    _on_chosen(warm, _regularized, part, answers)


def _on_chosen(chosen: BoolArray, solver: _Solver, question: Question, out: Answers) -> None:
    """Run a solver on some of the games; arrays are copied only if it is not all of them."""
    if not chosen.any():
        return
    if chosen.all():
        solver(question, out)
    else:
        part = out.of(chosen)
        solver(question.of(chosen), part)
        for whole, some in zip(out, part, strict=True):
            whole[chosen] = some


def _minimax(question: Question, out: Answers) -> None:
    """Solve by principal pivots what they suit, and the rest one by one by the simplex method."""
    valid = np.empty(len(out.gap), dtype=np.bool_)
    minimax_batch(question.preference, question.active, out.policy, out.gap, valid)
    for game in np.flatnonzero(valid & ~(out.gap <= _GOOD_GAP)):
        members = np.flatnonzero(question.active[game])
        payoff = np.empty((len(members), len(members)))
        read_payoff(question.preference[game], members, payoff)
        policy = solve_by_simplex(payoff).row
        out.policy[game, members] = policy
        out.gap[game] = 2.0 * max(0.0, float((payoff @ policy).max()))
    reached = np.where(out.gap <= question.tol, Status.EXACT, Status.INACCURATE)
    out.status[valid] = reached[valid]


def _regularized(question: Question, out: Answers) -> None:
    """Solve by Newton's method."""
    valid = np.empty(len(out.gap), dtype=np.bool_)
    find_games(question.preference, question.active, question.log_reference, valid)
    _on_chosen(valid, lambda games, answers: regularized_batch(*games, *answers[:3]), question, out)


def _stack(P: ArrayLike) -> FloatArray:
    array = _numbers(P, "P", "of shape (B, n, n); games of different sizes share one array with the help of mask")
    if array.ndim != 3 or array.shape[1] != array.shape[2] or array.shape[1] == 0:
        raise InputError(f"P must have shape (B, n, n), one square per game; its shape is {array.shape}")
    stack = np.ascontiguousarray(array, dtype=np.float64)
    rounding = input_rounding(array)
    return read_only(_without_rounding(stack, rounding) if rounding else stack)


def _numbers(value: ArrayLike, name: str, form: str) -> NDArray[Any]:
    """Return an array of real numbers in the type they come in; what is not finite makes one game invalid."""
    try:
        array = np.asarray(value)
        if np.iscomplexobj(array):
            raise InputError(f"{name} has complex entries; win probabilities are real numbers")
        return array if array.dtype in (np.float16, np.float32) else array.astype(np.float64, copy=False)
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be one array of numbers {form}: {error}") from error


def _without_rounding(stack: FloatArray, rounding: float) -> FloatArray:
    """Let pairs that add up to 1 in a shorter type than float64 do so in float64."""
    with np.errstate(invalid="ignore"):
        excess = stack + stack.swapaxes(1, 2) - 1.0
        return np.where(np.abs(excess) <= rounding, stack - excess / 2.0, stack)


def _mask(mask: ArrayLike | None, n_games: int, n: int) -> BoolArray:
    if mask is None:
        return read_only(np.ones((n_games, n), dtype=np.bool_))
    array = np.asarray(mask)
    if array.dtype != np.bool_ or array.shape != (n_games, n):
        raise InputError(
            f"mask must be boolean of shape {(n_games, n)}, one row per game; "
            f"it is {array.dtype} of shape {array.shape}"
        )
    return read_only(np.ascontiguousarray(array))


def _temperatures(temperature: ArrayLike, n_games: int) -> FloatArray:
    if np.ndim(temperature) == 0:
        array = np.full(n_games, non_negative(temperature, name="temperature"))
    else:
        array = as_float_array(temperature, name="temperature", ndim=1)
    if array.shape != (n_games,):
        raise InputError(f"temperature has {array.size} entries for {n_games} games; one, or one each")
    if (array < 0.0).any():
        i = int(np.argmin(array))
        raise InputError(f"temperature must be at least 0; entry {i} is {array[i]}")
    if (array > 0.0).any():
        checked_temperature(array[array > 0.0].min())
    return read_only(array)


def _log_reference(reference: ArrayLike | None, active: BoolArray) -> FloatArray:
    """Return log reference per game up to a constant: NaN where it is invalid, -inf where it has no mass."""
    if reference is None:
        return read_only(np.zeros(active.shape))
    n = active.shape[1]
    if np.ndim(reference) == 1:
        weights = np.broadcast_to(distribution(reference, n, name="reference"), active.shape)
    else:
        weights = _numbers(reference, "reference", "with one row per game").astype(np.float64, copy=False)
        if weights.shape != active.shape:
            raise InputError(
                f"reference must have shape {(n,)} or {active.shape}, one row per game; "
                f"its shape is {weights.shape}"
            )
    with np.errstate(divide="ignore", invalid="ignore"):
        return read_only(np.ascontiguousarray(np.log(weights)))


def _exact_name(method: str, warm: BoolArray, has_reference: bool) -> str:
    """Return the name of what will run."""
    if method == "simplex" and warm.any():
        raise UnsupportedCombination("method 'simplex' is for temperature 0; use 'newton', or 'auto'")
    if method == "newton" and not warm.all():
        raise UnsupportedCombination("method 'newton' is for positive temperatures; use 'simplex', or 'auto'")
    if has_reference and not warm.all():
        raise UnsupportedCombination(
            "reference has no effect at temperature 0 in a batch; leave it out, or use solve, "
            "which returns the winner closest to the reference"
        )
    if warm.any():
        return "newton" if warm.all() else "simplex and newton"
    return "newton" if method == "newton" else "simplex"
