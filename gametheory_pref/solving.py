"""`solve`: one question in, one certified answer out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._check import non_negative, positive_whole, truth
from ._jit import interpreted
from ._types import RNGLike
from .errors import InputError, Interrupted, UnsupportedCombination
from .exact_methods import EXACT_NAMES, Answer, Limits, choose, replaced
from .games import Game, OperatorGame
from .gap import problem_gap, value
from .iterating import Run, run_rule
from .methods import as_rule, check_oracle, misfit
from .operators import PayoffOperator
from .operators.stored import is_same
from .problem import Policy, Problem, as_policy, as_problem
from .solution import EXACT_GAP, Solution
from .status import Status
from .tabular import tabular
from .trace import Record, Snapshot, Trace, check_hooks
from .verbs import Exact, Sampled


def solve(
    game: Game | ArrayLike,
    method: Any = "auto",
    *,
    temperature: float = 0.0,
    reference: Any = None,
    start: Any = None,
    tol: float = 1e-6,
    max_steps: int = 100_000,
    time_limit: float | None = None,
    record: Record = Record(),  # noqa: B008 - frozen
    callback: Callable[[Snapshot], Any] | None = None,
    rng: RNGLike = None,
    jit: bool = True,
    oracle: Exact | Sampled = Exact(),  # noqa: B008 - a constant
) -> Solution:
    r"""Return an equilibrium of the game with a certificate.

    Each player maximises its expected payoff minus ``temperature * KL(policy || reference)``. Special cases:

    - preference game, temperature 0: a Minimax Winner (von Neumann winner, maximal lottery). Where there are several,
      the one closest to `reference` in KL is returned: with the uniform reference the one of maximum entropy
      (in games of more than 1500 responses, or known by their products, one winner, unique or not);
    - preference game, temperature :math:`\beta > 0`: the unique KL-regularised equilibrium
      :math:`\pi \propto \mu \exp(A \pi / \beta)` with :math:`A = P - 1/2`;
    - zero-sum or constant-sum `MatrixGame`: maximin strategies of both players, or their regularised equilibrium.

    Parameters
    ----------
    game : game or array_like
        What is played; a square array is a matrix of win probabilities.
    method : str or rule
        "auto" takes exact mathematics and says in ``message`` what it chose; "simplex", "interior_point" and
        "active_set" (first-order steps and exact solutions in turn, for large games) return the winner that the
        method meets first, unique or not; "newton" is for positive temperatures. A name of
        `METHODS` runs that iterative method with its default settings. Settings belong to the method, not to `solve`:
        pass a rule that has them, such as ``gp.METHODS["omwu"](step_size=0.1)``, where ``help(gp.METHODS["omwu"])``
        tells which there are. (What papers call beta or tau is `temperature`, eta is ``step_size``.) At a temperature
        that the method is not for it runs all the same, and ``message`` says so.
    temperature : float
        KL weight, in units of the payoff (papers: beta or tau).
    reference : array_like, tuple or None
        Anchor policy, one array per player where players differ; uniform when left out. Responses to which it gives
        no mass get none at a positive temperature.
    start : array_like, tuple, Solution or None
        Where to start. At temperature 0 it takes the place of `reference` in the choice among several winners. A
        solution by the same rule of the same problem is gone on with, state and trace included; of any other only
        the policy counts, as of one from a database of sweeps, which has no state.
    tol : float
        Largest duality gap that counts as an answer.
    max_steps : int
        Limit on the steps of a method (on further steps, when going on from a solution); the simplex method, which is
        for small games, runs to its end.
    time_limit : float, optional
        Seconds after which the best point so far is returned, checked between the steps that `max_steps` counts.
    record : Record
        What the trace holds; an exact method records its end.
    callback : callable, optional
        Called with a `Snapshot` at every record point; raising ``StopIteration`` ends the run.
    rng : None, int or Generator
        Randomness of stochastic methods; the exact ones use none.
    jit : bool
        False runs kernels and update rules in the interpreter, for debugging.
    oracle : Exact or Sampled
        What update rules see: exact payoffs, or those of sampled opponents and labels. Exact methods use the game.

    Returns
    -------
    Solution
        Policy, gap recomputed from the game, status, and a certificate on demand.

    Raises
    ------
    InputError
        The game or an argument is not usable; the message names it.
    UnsupportedCombination
        The method cannot solve this kind of game; an exact method with sampled payoffs; or a rule that numba cannot
        compile.
    Interrupted
        Ctrl-C during an iterative method; a `KeyboardInterrupt` with the solution so far.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> P = [[0.5, 0.1, 0.8], [0.9, 0.5, 0.1], [0.2, 0.9, 0.5]]
    >>> gp.solve(P, temperature=0.0).policy.round(4)
    array([0.3636, 0.2727, 0.3636])
    >>> gp.solve(P, temperature=0.1).policy.round(4)
    array([0.3371, 0.2835, 0.3794])
    >>> solution = gp.solve(P, "extragradient", temperature=0.1, tol=1e-12)
    >>> solution.policy.round(4), solution.n_steps < 100
    (array([0.3371, 0.2835, 0.3794]), True)
    >>> gp.solve(P, gp.METHODS["omwu"](step_size=0.1), temperature=0.1, tol=1e-9).policy.round(4)
    array([0.3371, 0.2835, 0.3794])
    """
    began = time.perf_counter()
    problem = as_problem(game, temperature=temperature, reference=reference)
    limits = _limits(tol, max_steps, time_limit, began)
    check_hooks(rng, record, callback)
    oracle = checked_oracle(oracle)
    anchor = _start_policy(problem, start)
    asked, method = method, replaced(problem, method)
    with contextlib.nullcontext() if jit else _interpreted():
        if not (isinstance(method, str) and method in EXACT_NAMES):
            rule = as_rule(method, EXACT_NAMES)
            check_oracle(rule, oracle)
            resume = _run_to_resume(problem, rule, start)
            run = run_rule(
                problem,
                rule,
                start=None if resume is not None else anchor,
                limits=limits,
                record=record,
                callback=callback,
                rng=rng,
                oracle=oracle,
                resume=resume,
                interpreted=not jit,
            )
            return _with_reason(_finish_run(problem, run, limits, began, record), asked)
        if isinstance(oracle, Sampled):
            raise UnsupportedCombination(
                f"oracle has no effect on exact methods, and method is {method!r}; name an update rule, such as "
                "method='nash_md'"
            )
        limits = limits._replace(callback=callback, keeps_policies=record.points)
        answer = choose(problem, method)(problem, anchor, limits)
        return _with_reason(_finish(problem, answer, limits, began, record, callback), asked)


def _with_reason(solution: Solution, asked: Any) -> Solution:
    """Return the solution of a game without a table with what "auto" went by in its message."""
    game = solution.problem.game
    if asked != "auto" or not isinstance(game, OperatorGame):
        return solution
    size = " x ".join(f"{size:,}" for size in game.payoff.shape[: 1 if game.is_symmetric else 2])
    moved = game.payoff.cost.bytes / 1e6
    why = f"chosen for {size} responses without a table ({game.payoff.describe()}; a product moves {moved:.3g} MB)"
    return replace(solution, message=f"{why}: {solution.message}")


@contextlib.contextmanager
def _interpreted() -> Iterator[None]:
    """Run in the interpreter, as silent as compiled code: numbers that overflow end in `Status.NONFINITE`."""
    with interpreted(), np.errstate(all="ignore"):
        yield


def _run_to_resume(problem: Problem, rule: Any, start: Any) -> Run | None:
    """Return the run behind `start` if it is of this rule on this problem; otherwise its policy alone is used."""
    run = start.run if isinstance(start, Solution) else None
    # A run from a database of sweeps has no state, and one that stopped being finite none to go on with.
    if run is None or type(run.rule) is not type(rule) or run.resume.state is None or run.status is Status.NONFINITE:
        return None
    old, new = run.facts.problem, tabular(problem, None, Exact()).problem
    same = (
        old.temperature == new.temperature
        and _is_same_payoff(old.payoff, new.payoff)
        and (new.temperature == 0.0 or np.array_equal(old.reference.log, new.reference.log))
    )
    return run if same else None


def _is_same_payoff(one: Any, other: Any) -> bool:
    if isinstance(one, PayoffOperator) and isinstance(other, PayoffOperator):
        return is_same(one, other)
    return bool(np.array_equal(one, other))


def checked_oracle(oracle: Any) -> Exact | Sampled:
    """Return an oracle whose settings are numbers and truth values."""
    if isinstance(oracle, Exact):
        return oracle
    if isinstance(oracle, Sampled):
        return Sampled(
            positive_whole(oracle.opponents, name="oracle.opponents"), truth(oracle.labels, name="oracle.labels")
        )
    raise InputError(f"oracle must be gp.Exact() or gp.Sampled(opponents, labels); got {oracle!r}")


def _finish_run(problem: Problem, run: Run, limits: Limits, began: float, record: Record) -> Solution:
    """Measure the end of a run on the game itself and wrap it up."""
    seconds = time.perf_counter() - began
    solution = solution_of(problem, run, status=run.status, seconds=seconds, record=record)
    if run.status is Status.CONVERGED and solution.gap > limits.tol + 1e-12:
        # The run's own measure and the game's differ by more than rounding.
        return solution_of(problem, run, status=Status.INACCURATE, seconds=seconds, record=record)
    if run.status is Status.INTERRUPTED:
        raise Interrupted(solution)
    return solution


def solution_of(
    problem: Problem, run: Run, *, status: Status, seconds: float, record: Record = Record()  # noqa: B008 - frozen
) -> Solution:
    """Return the solution at the end of a run, its gap measured on the game itself."""
    policy, info = run.policy(), run.rule.info
    which = "the average of the policies played" if info.answer == "average" else "the last policy"
    done = f"{info.title}, {run.steps[-1]} steps; this is {which}"
    return Solution(
        problem=problem,
        policy=policy,
        value=value(problem, policy),
        gap=problem_gap(problem, policy),
        status=status,
        message="; ".join(part for part in (done, misfit(info, problem.temperature), status.message) if part),
        method=info.name,
        n_steps=int(run.steps[-1]),
        payoff_calls=int(run.payoff_calls[-1]),
        seconds=seconds,
        trace=_trace(run, record),
        run=run,
    )


def _trace(run: Run, record: Record) -> Trace:
    averaged = run.rule.info.answer == "average"
    return Trace(
        run.steps,
        run.payoff_calls,
        run.seconds,
        {
            "gap": run.gap_average if averaged else run.gap_last,
            "gap_last": run.gap_last,
            "gap_average": run.gap_average,
        },
        tuple(run.tabular.policy(prob) for prob in run.answers()) if record.points else (),
    )


def _limits(tol: float, max_steps: int, time_limit: float | None, began: float) -> Limits:
    deadline = None if time_limit is None else began + non_negative(time_limit, name="time_limit")
    return Limits(non_negative(tol, name="tol"), positive_whole(max_steps, name="max_steps"), deadline)


def _start_policy(problem: Problem, start: Any) -> Policy | None:
    if start is None:
        return None
    policy = start.policy if isinstance(start, Solution) else start
    return as_policy(problem.game, policy, name="start")


def _finish(
    problem: Problem,
    answer: Answer,
    limits: Limits,
    began: float,
    record: Record,
    callback: Callable[[Snapshot], Any] | None,
) -> Solution:
    """Measure the answer on the game itself and wrap it up."""
    gap = problem_gap(problem, answer.policy)
    status = answer.status
    if status in (Status.EXACT, Status.CONVERGED):
        status = (
            Status.EXACT if gap <= min(EXACT_GAP, limits.tol)
            else Status.CONVERGED if gap <= limits.tol
            else Status.INACCURATE
        )
    seconds = time.perf_counter() - began
    seen = answer.on_the_way
    if not seen:
        seen = (Snapshot(answer.n_steps, answer.payoff_calls, seconds, {"gap": gap}, answer.policy),)
        if callback is not None:
            try:
                callback(seen[0])
            except StopIteration:
                status = Status.STOPPED if not status.is_answer else status
    solution = Solution(
        problem=problem,
        policy=answer.policy,
        value=value(problem, answer.policy),
        gap=gap,
        status=status,
        message=f"{answer.detail}; {status.message}",
        method=answer.method,
        n_steps=answer.n_steps,
        payoff_calls=answer.payoff_calls,
        seconds=seconds,
        trace=Trace.of(list(seen), points=record.points),
        solution_sets=answer.sets,
    )
    if status is Status.INTERRUPTED:
        raise Interrupted(solution)
    return solution

