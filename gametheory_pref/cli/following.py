"""Run an update rule from the command line: Ctrl-C keeps what was reached, and the state goes to a file on the way."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from ..errors import InputError, UnsupportedCombination
from ..fused import kernel_of
from ..games import Game
from ..iterating import seconds_of_step
from ..methods import Rule, misfit, settle
from ..problem import Policy, action_counts
from ..run_state import load_run, save_run
from ..solution import Solution
from ..solving import solution_of, solve
from ..status import Status
from ..trace import Record, Snapshot
from ..verbs import Exact, Sampled
from .progress import Progress, duration

SAVE_SECONDS = 10.0
# Shorter runs end in the interpreter before the compiler would be there.
_INTERPRETED_SECONDS = 0.5
# Rough seconds of one answer of a judge in the interpreter.
_SAMPLE_SECONDS = 1e-6


class Plan(NamedTuple):
    """What to run, and until when.

    Attributes
    ----------
    steps : int
        Limit on all steps, those before the start of this process included.
    seed : int or None
        Seed of the samples.
    record : Record
        How densely to record, and so to look whether the tolerance is reached.
    products : int or None
        Limit on the payoff products, seen at record points; None for none.
    """

    game: Game
    rule: Rule
    temperature: float = 0.0
    reference: Any = None
    start: Policy | None = None
    oracle: Exact | Sampled = Exact()
    seed: int | None = None
    tol: float = 1e-6
    steps: int = 100_000
    time_limit: float | None = None
    record: Record = Record()
    products: int | None = None

    @property
    def is_short(self) -> bool:
        """Whether the interpreter is done before the compiler would be."""
        size = sum(action_counts(self.game))
        step = seconds_of_step(size, interpreted=True)
        if isinstance(self.oracle, Sampled):
            step += self.oracle.opponents * size * _SAMPLE_SECONDS
        return self.steps * step < _INTERPRETED_SECONDS


def follow(plan: Plan, line: Progress, *, earlier: Solution | None = None, state_file: str | None = None) -> Solution:
    """Return where the run ends, or where Ctrl-C ended it: then its status is `Status.INTERRUPTED`.

    Parameters
    ----------
    plan : Plan
        What to run.
    line : Progress
        Where to show how far it is.
    earlier : Solution, optional
        What to go on from.
    state_file : str, optional
        Where the state goes every ten seconds, and at the end.

    Raises
    ------
    UnsupportedCombination
        A rule whose own choice of the step size makes no sense at this temperature.
    """
    if earlier is not None and _is_done(earlier, plan):
        return _as_ended(earlier, plan)
    deadline = None if plan.time_limit is None else time.monotonic() + plan.time_limit
    watch = _watcher(plan, line, earlier)
    _announce(plan, line)
    reached = earlier
    try:
        while True:
            reached = _some_seconds(plan, reached, deadline, watch, save=state_file is not None)
            _keep(reached, state_file)
            if reached.status is not Status.TIME_LIMIT or (deadline is not None and time.monotonic() >= deadline):
                break
            if _is_done(reached, plan):
                reached = _as_ended(reached, plan)
                break
    except KeyboardInterrupt as stop:
        reached = getattr(stop, "solution", None) or reached
        if reached is None or reached.run is None:
            raise
        reached = solution_of(reached.problem, reached.run, status=Status.INTERRUPTED, seconds=0.0, record=plan.record)
        _keep(reached, state_file)
    except InputError as error:
        if not _needs_another_temperature(plan):
            raise
        info = plan.rule.info
        fits = "positive temperatures; give --temperature, e.g. 0.1"
        if "regularized" not in info.solves:
            fits = "temperature 0; leave --temperature out"
        raise UnsupportedCombination(f"{info.name} is for {fits}") from error
    return replace(reached, seconds=float(reached.trace.seconds[-1]))


def _needs_another_temperature(plan: Plan) -> bool:
    """Return whether the rule chooses its step size for temperatures other than this one."""
    named = getattr(plan.rule, "step_size", None) in plan.rule.info.step_sizes
    return named and misfit(plan.rule.info, plan.temperature) is not None


def _announce(plan: Plan, line: Progress) -> None:
    """Say what comes first: a rule that the cache does not hold is compiled, which takes some seconds."""
    if not line.live:
        return
    line.clear()
    line.show("starting")
    if plan.is_short:
        return
    kernel = kernel_of(plan.rule)
    if not (kernel.is_loaded or kernel.is_cached):
        line.clear()
        line.show(f"compiling {plan.rule.info.name}, once")


def _some_seconds(
    plan: Plan,
    earlier: Solution | None,
    deadline: float | None,
    watch: Callable[[Snapshot], None] | None,
    *,
    save: bool,
) -> Solution:
    """Go on until the state should be saved, a limit comes or the run ends."""
    limits = [SAVE_SECONDS] if save else []
    if deadline is not None:
        limits.append(max(0.0, deadline - time.monotonic()))
    return solve(
        plan.game,
        plan.rule if earlier is None or earlier.run is None else earlier.run.rule,
        temperature=plan.temperature,
        reference=plan.reference,
        start=plan.start if earlier is None else earlier,
        oracle=plan.oracle,
        rng=plan.seed if earlier is None else None,
        tol=plan.tol,
        max_steps=plan.steps if earlier is None else plan.steps - earlier.n_steps,
        time_limit=min(limits) if limits else None,
        record=plan.record,
        callback=watch,
        jit=not plan.is_short,
    )


def _keep(solution: Solution, state_file: str | None) -> None:
    if state_file is not None:
        save_run(solution, state_file)


def _watcher(plan: Plan, line: Progress, earlier: Solution | None) -> Callable[[Snapshot], None] | None:
    """Return a callback that draws the line and stops at the limit on payoff products; None where neither is needed."""
    show = _shower(plan, line, earlier) if line.live else None
    # Where all steps cost the same, the limit on the steps says it all.
    if plan.products is None or plan.rule.info.payoff_calls is not None:
        return show
    most = plan.products

    def watch(snapshot: Snapshot) -> None:
        if show is not None:
            show(snapshot)
        if snapshot.payoff_calls >= most:
            raise StopIteration

    return watch


def _shower(plan: Plan, line: Progress, earlier: Solution | None) -> Callable[[Snapshot], None]:
    """Return a callback that draws the line."""
    first, began = 0 if earlier is None else earlier.n_steps, time.monotonic()

    def show(snapshot: Snapshot) -> None:
        elapsed = time.monotonic() - began
        done = snapshot.step - first
        limits = [elapsed * (plan.steps - snapshot.step) / done] if done else []
        if plan.time_limit is not None:
            limits.append(max(0.0, plan.time_limit - elapsed))
        left = f", at most {duration(min(limits))} left" if limits else ""
        line.show(f"step {snapshot.step:,} of {plan.steps:,}, gap {snapshot.metrics['gap']:.2g}{left}")

    return show


def _is_done(solution: Solution, plan: Plan) -> bool:
    return solution.n_steps >= plan.steps or solution.gap <= plan.tol


def _as_ended(solution: Solution, plan: Plan) -> Solution:
    assert solution.run is not None
    status = Status.CONVERGED if solution.gap <= plan.tol else Status.STEP_LIMIT
    return solution_of(
        solution.problem, solution.run, status=status, seconds=solution.seconds, record=plan.record
    )


def saved_run(path: str, plan: Plan, *, given: set[str]) -> Solution | None:
    """Return the run in a state file to go on from; None when there is no such file yet.

    Parameters
    ----------
    path : str
        The state file.
    plan : Plan
        What the command line asks for.
    given : set of str
        Settings of the rule that it names; the others are those of the saved run.

    Raises
    ------
    InputError
        The file holds a run of something else.
    """
    if not os.path.exists(path):
        return None
    found = load_run(path, plan.game, temperature=plan.temperature, reference=plan.reference)
    assert found.run is not None
    rule, oracle = found.run.rule, found.run.facts.problem.oracle
    advice = "go on with the settings of that run, or name another file"
    if type(rule) is not type(plan.rule):
        raise InputError(f"holds a run of {rule.info.name}, not of {plan.rule.info.name}; {advice}", file=path)
    asked = settle(plan.rule, found.run.facts.step_facts)
    for name in sorted(given):
        if getattr(asked, name) != getattr(rule, name):
            raise InputError(
                f"holds a run with {name} {getattr(rule, name)}, not {getattr(asked, name)}; {advice}", file=path
            )
    if type(oracle) is not type(plan.oracle) or (isinstance(oracle, Sampled) and oracle != plan.oracle):
        raise InputError(f"holds a run that saw {oracle_in_words(oracle)}; {advice}", file=path)
    return found


def oracle_in_words(oracle: Exact | Sampled) -> str:
    """Return what the rule sees of the payoffs.

    Examples
    --------
    >>> oracle_in_words(Exact()), oracle_in_words(Sampled(opponents=8))
    ('exact payoffs', '8 sampled opponents, win or lose')
    """
    if isinstance(oracle, Exact):
        return "exact payoffs"
    told = "win or lose" if oracle.labels else "win probabilities"
    return f"{oracle.opponents} sampled opponent{'s' if oracle.opponents != 1 else ''}, {told}"
