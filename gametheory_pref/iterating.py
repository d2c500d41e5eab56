"""Run an update rule: from record point to record point, in stretches short enough for Ctrl-C, limits and callbacks."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import matrix_free
from ._jit import delayed_interrupt
from ._types import FloatArray, IntArray, RNGLike
from .exact_methods import Limits
from .facts import Facts
from .fused import Marks, copied, for_kernel, kernel_of, new_marks
from .methods import Rule, settle, starts_anywhere
from .operators import PayoffOperator
from .problem import Policy, Problem
from .status import Status
from .tabular import Tabular, new_arena, tabular
from .tensor_verbs import resident
from .trace import Record, Snapshot
from .verbs import Exact, Sampled

# A stretch of compiled steps ends after about this long, so that an interrupt or a time limit is seen.
_STRETCH_SECONDS = 0.2
# Rough seconds per step: a fixed part, one per response, one per entry of the payoff matrix.
_STEP_COST = (2e-7, 1e-8, 3e-10)
_STEP_COST_INTERPRETED = (6e-5, 1e-7, 1e-9)
# Responses above which the policies at record points are not kept.
_MANY = 10_000


@dataclass(frozen=True, eq=False)
class RunState:
    """Where a run stands, for `solve(start=solution)` to go on from.

    Attributes
    ----------
    state : NamedTuple
        The rule's own state.
    total : ndarray
        Sum of the policies played so far; the average is ``total / state.t``.
    luck : dict or None
        State of the random generator (``bit_generator.state``); None where nothing was drawn.
    """

    state: Any
    total: FloatArray
    luck: Any = None


@dataclass(frozen=True, eq=False)
class Run:
    """What a run of a rule left behind: its end, and one row per record point.

    Attributes
    ----------
    rule : NamedTuple
        The rule with its settled step sizes.
    facts : Facts
        The problem that it played.
    steps, payoff_calls : ndarray of int
    seconds, gap_last, gap_average : ndarray
    log_last : ndarray, shape (records, n)
        Logarithms of the iterates; in games of more than 10,000 responses only of the last, unless the record asks
        for points.
    average : ndarray, shape (records, n)
        Averages of the policies played; likewise.
    changed : bool
        Whether it went on from a run with other settings or another oracle, so that `rule` is not that of all steps.
    """

    rule: Rule
    facts: Facts
    tabular: Tabular
    status: Status
    resume: RunState
    steps: IntArray
    payoff_calls: IntArray
    seconds: FloatArray
    gap_last: FloatArray
    gap_average: FloatArray
    log_last: FloatArray
    average: FloatArray
    changed: bool = False

    def answers(self) -> FloatArray:
        """Return the policies that the rule's theorem is about, one row per record point."""
        return self.average if self.rule.info.answer == "average" else np.exp(self.log_last)

    def policy(self) -> Policy:
        """Return the last of the answers as a policy of the game."""
        return self.tabular.policy(self.answers()[-1])


def run_rule(
    problem: Problem,
    rule: Rule,
    *,
    start: Policy | None,
    limits: Limits,
    record: Record,
    callback: Callable[[Snapshot], Any] | None,
    rng: RNGLike,
    oracle: Exact | Sampled,
    resume: Run | None,
    interpreted: bool,
) -> Run:
    """Run a rule until its answer is good enough or a limit comes first.

    On ``KeyboardInterrupt`` the run so far is returned with the status `Status.INTERRUPTED`. A run that goes on from
    another one keeps its start, and without `rng` its random generator.
    """
    table = tabular(problem, start, oracle, anywhere=starts_anywhere(rule))
    if resume is not None:
        kept = resume.facts.problem
        table = table._replace(problem=table.problem._replace(start=kept.start, reference=kept.reference))
    first_step = 0 if resume is None else int(resume.resume.state.t)
    facts = Facts(table.problem, first_step + limits.max_steps)
    settled = settle(rule, facts.step_facts)
    draws = isinstance(oracle, Sampled) or rule.info.samples_terms
    generator = _generator(rng, resume) if draws else None
    # One policy of a very large game takes as much memory as its payoff.
    keeps_policies = record.points or facts.n <= _MANY
    runner = _Runner(settled, facts, table, limits, generator, resume, interpreted, keeps_policies)
    points = record_points(first_step, facts.horizon, record.per_decade)
    runner.go(points, callback)
    return runner.result(resume)


def _generator(rng: RNGLike, resume: Run | None) -> np.random.Generator:
    luck = None if rng is not None or resume is None else resume.resume.luck
    if luck is None:
        return np.random.default_rng(rng)
    source = getattr(np.random, luck["bit_generator"])()
    source.state = luck
    return np.random.Generator(source)


@functools.lru_cache(maxsize=64)
def record_points(first: int, last: int, per_decade: int) -> IntArray:
    """Return step counts from `first` to `last`: ``10 ** (k / per_decade)``, rounded, for whole k, and both ends.

    The grid does not depend on the ends, so that where a run is good enough, it ends at the same step whatever its
    limit.
    """
    exponents = np.arange(np.ceil(np.log10(max(last, 1)) * per_decade))
    grid = np.round(10.0 ** (exponents / per_decade)).astype(np.int64)
    points = np.unique(np.concatenate([[first], grid[(grid > first) & (grid < last)], [last]]))
    points.flags.writeable = False
    return points


def seconds_of_step(n: int, *, interpreted: bool = False) -> float:
    """Return about how long a step on a table of n responses takes."""
    fixed, each, entry = _STEP_COST_INTERPRETED if interpreted else _STEP_COST
    return fixed + n * each + n * n * entry


class _Runner:
    """The mutable side of a run."""

    def __init__(
        self,
        rule: Rule,
        facts: Facts,
        table: Tabular,
        limits: Limits,
        rng: np.random.Generator | None,
        resume: Run | None,
        interpreted: bool,
        keeps_policies: bool,
    ) -> None:
        self.began = time.perf_counter()
        self.rule, self.facts, self.table, self.limits = rule, facts, table, limits
        self.problem = table.problem if rule.info.indexes_arrays else resident(table.problem)
        self.rng = rng
        n = len(table.problem.start.prob)
        if resume is None:
            self.state, self.total = copied(rule.init(self.problem)), np.zeros(n)
        else:
            self.state, self.total = copied((resume.resume.state, resume.resume.total))
        self.state, self.total = matrix_free.at_home(self.problem, (self.state, self.total))
        self.spare = copied(self.state)
        self.matrix_free = isinstance(table.problem.payoff, PayoffOperator)
        self.kernel: Callable[..., Any] = matrix_free.record if self.matrix_free else kernel_of(rule)
        if not (interpreted or self.matrix_free):
            self.problem = for_kernel(self.problem)
        self.policies = None if keeps_policies else 1
        self.status = Status.STEP_LIMIT
        self.rows: list[tuple[Marks, FloatArray]] = []
        self.stretch = max(1, int(_STRETCH_SECONDS / seconds_of_step(n, interpreted=interpreted)))

    def go(self, points: IntArray, callback: Callable[[Snapshot], Any] | None) -> None:
        """Run through the record points."""
        position = 0
        try:
            while position < len(points) and self.status is Status.STEP_LIMIT:
                left = points[position:] if callback is None else points[position : position + 1]
                n_rows = len(self.rows)
                with delayed_interrupt():
                    position += self._walk(left) if self.matrix_free else self._run(left)
                if len(self.rows) > n_rows:
                    self._after(callback)
        except KeyboardInterrupt:
            self.status = Status.INTERRUPTED

    def _run(self, points: IntArray) -> int:
        """Run for about `_STRETCH_SECONDS`; return how many record points were passed."""
        passed = int(np.searchsorted(points, self.state.t + self.stretch, side="right"))
        steps = points[:passed] if passed else np.array([self.state.t + self.stretch])
        self._stretch(steps, keep=bool(passed))
        return passed

    def _walk(self, points: IntArray) -> int:
        """Do the same for a payoff known by its products, of which nobody can say how long one takes."""
        until = time.perf_counter() + _STRETCH_SECONDS
        if self.limits.deadline is not None:
            until = min(until, self.limits.deadline)
        self.state = matrix_free.walk(self.rule, self.problem, self.state, self.rng, self.total, points[0], until)
        arrived = bool(self.state.t >= points[0])
        if arrived or self._is_late():
            self._stretch(np.array([self.state.t]), keep=True)
        return int(arrived)

    def _is_late(self) -> bool:
        return self.limits.deadline is not None and time.perf_counter() > self.limits.deadline

    def _stretch(self, steps: IntArray, *, keep: bool) -> None:
        """Run to each of `steps` in turn; keep their rows, and the last one in any case if the run ends."""
        marks = new_marks(steps, len(self.total), policies=self.policies)
        began = time.perf_counter()
        tol, averaged = self.limits.tol, self.rule.info.answer == "average"
        before = self._standing()
        while True:
            player = self.rule, self.state, self.spare
            outcome, state = self.kernel(player, self.problem, self.rng, self.total, marks, tol, averaged)
            self.state, self.spare = state, self.state if outcome.swapped else self.spare
            if not outcome.arena_full:
                break
            self._go_back(before)
            before = self._standing()
        written = outcome.written
        gaps = marks.gap_average if averaged else marks.gap_last
        if outcome.nonfinite:
            self.status, written = Status.NONFINITE, written - 1
        elif gaps[written - 1] <= tol:
            self.status = Status.CONVERGED
        elif self._is_late():
            self.status = Status.TIME_LIMIT
        if written and (keep or self.status is not Status.STEP_LIMIT):
            rows = _rows(marks, written)
            if self.policies is not None and self.rows:
                self.rows[-1] = _without_policies(*self.rows[-1])
            self.rows.append((rows, self._seconds(rows.step, began)))

    def _seconds(self, steps: IntArray, began: float) -> FloatArray:
        """Return when each step count was reached, the time of a stretch spread evenly over its steps."""
        before = self.rows[-1][0].step[-1] if self.rows else 0
        now = time.perf_counter()
        share = (steps - before) / max(int(steps[-1] - before), 1)
        return np.asarray(began - self.began + share * (now - began))

    def _standing(self) -> tuple[Any, FloatArray, Any]:
        """Return a copy of everything that a stretch changes; nothing where no stretch is done again."""
        if self.matrix_free:
            return None, self.total, None
        return copied(self.state), self.total.copy(), self._luck()

    def _luck(self) -> Any:
        return None if self.rng is None else self.rng.bit_generator.state

    def _go_back(self, standing: tuple[Any, FloatArray, Any]) -> None:
        """Return to where a stretch began, with four times the scratch for the step that ran out of it."""
        self.state, self.total, luck = standing
        if self.rng is not None:
            self.rng.bit_generator.state = luck
        rows = 4 * max(self.problem.arena.rows.shape[0], int(self.problem.arena.cursor[1]))
        self.problem = self.problem._replace(arena=new_arena(len(self.total), rows))

    def _after(self, callback: Callable[[Snapshot], Any] | None) -> None:
        if callback is None:
            return
        rows, seconds = self.rows[-1]
        averaged = self.rule.info.answer == "average"
        answer = rows.average[-1] if averaged else np.exp(rows.log_last[-1])
        metrics = {
            "gap": float((rows.gap_average if averaged else rows.gap_last)[-1]),
            "gap_last": float(rows.gap_last[-1]),
            "gap_average": float(rows.gap_average[-1]),
        }
        calls = int(self._calls(rows)[-1])
        snapshot = Snapshot(int(rows.step[-1]), calls, float(seconds[-1]), metrics, self.table.policy(answer))
        try:
            callback(snapshot)
        except StopIteration:
            if not self.status.is_answer:
                self.status = Status.STOPPED

    def _calls(self, rows: Marks) -> IntArray:
        """Return the payoff products so far; terms that a rule drew are counted as the products that they make up."""
        each = self.rule.info.payoff_calls
        if each is not None:
            return np.asarray(rows.step * each)
        terms = self.facts.n_terms if self.rule.info.samples_terms else 1
        return np.asarray(-(-rows.calls // terms))

    def result(self, earlier: Run | None) -> Run:
        """Return the run; one that went on from an earlier run begins with that run's rows."""
        if self.status is Status.INTERRUPTED and not (self.rows and self.rows[-1][0].step[-1] == self.state.t):
            with delayed_interrupt():
                self._stretch(np.array([self.state.t]), keep=True)
        rows, seconds = self.rows[0] if len(self.rows) == 1 else _stacked(self.rows)
        state, total = matrix_free.on_host(self.problem, (self.state, self.total))
        run = Run(
            rule=self.rule,
            facts=self.facts,
            tabular=self.table,
            status=self.status,
            resume=RunState(state, total, self._luck()),
            steps=rows.step,
            payoff_calls=self._calls(rows),
            seconds=seconds,
            gap_last=rows.gap_last,
            gap_average=rows.gap_average,
            log_last=rows.log_last,
            average=rows.average,
        )
        return run if earlier is None else _joined(earlier, run)


def _rows(marks: Marks, count: int) -> Marks:
    columns: list[Any] = [column[:count] for column in marks]
    return Marks(*columns)


def _without_policies(marks: Marks, seconds: FloatArray) -> tuple[Marks, FloatArray]:
    return marks._replace(log_last=marks.log_last[:0], average=marks.average[:0]), seconds


def _stacked(parts: list[tuple[Marks, FloatArray]]) -> tuple[Marks, FloatArray]:
    columns = [np.concatenate(column) for column in zip(*(rows for rows, _ in parts), strict=True)]
    return Marks(*columns), np.concatenate([seconds for _, seconds in parts])


def _joined(earlier: Run, later: Run) -> Run:
    """Return one run made of two, the record point where they meet once."""
    names = ("steps", "payoff_calls", "seconds", "gap_last", "gap_average", "log_last", "average")
    first = later.seconds + earlier.seconds[-1]
    columns: dict[str, Any] = {}
    before = earlier.steps < later.steps[0]
    for name in names:
        new = first if name == "seconds" else getattr(later, name)
        columns[name] = np.concatenate([getattr(earlier, name)[before], new])
    oracles = earlier.facts.problem.oracle, later.facts.problem.oracle
    changed = earlier.changed or earlier.rule != later.rule or oracles[0] != oracles[1]
    return replace(later, changed=changed, **columns)
