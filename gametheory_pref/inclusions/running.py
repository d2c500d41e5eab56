"""Run an update rule on an inclusion: the loop between record points, and what it leaves behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._types import FloatArray, IntArray
from ..exact_methods import Limits
from ..iterating import record_points
from ..methods import Rule, settle
from ..status import Status
from ..trace import Record, Snapshot
from .facts import InclusionFacts
from .oracle import NegatedOperator, flat_problem
from .residual import tangent_residual
from .statement import Inclusion


@dataclass(frozen=True, eq=False)
class InclusionRun:
    """What a run on an inclusion left behind: one row per record point, and its last state.

    Attributes
    ----------
    rule : NamedTuple
        The rule with its settled step sizes.
    facts : InclusionFacts
    status : Status
    steps, operator_calls : ndarray of int
        Steps, and terms of the operator that they evaluated.
    seconds, residual : ndarray
    point : ndarray, shape (d,)
        The last answer.
    points : tuple of ndarray
        All of them, if they were asked for.
    state : NamedTuple
        The rule's own state.
    moved : bool
        Whether the answer ever left the start.
    changed : bool
        Always False: such a run is in one piece.
    """

    rule: Rule
    facts: InclusionFacts
    status: Status
    steps: IntArray
    operator_calls: IntArray
    seconds: FloatArray
    residual: FloatArray
    point: FloatArray
    points: tuple[FloatArray, ...]
    state: Any
    moved: bool
    changed: bool = False


def run_on_inclusion(
    inclusion: Inclusion,
    rule: Rule,
    limits: Limits,
    record: Record,
    callback: Callable[[Snapshot], Any] | None,
    rng: np.random.Generator,
) -> InclusionRun:
    """Run a rule until the residual of its answer is small enough or a limit comes first.

    On ``KeyboardInterrupt`` the run so far is returned with the status `Status.INTERRUPTED`.
    """
    payoff = NegatedOperator(inclusion)
    facts = InclusionFacts(inclusion, flat_problem(inclusion, payoff), limits.max_steps)
    runner = _Runner(settle(rule, facts.step_facts), facts, payoff, limits, record)
    with np.errstate(all="ignore"):
        runner.go(record_points(0, limits.max_steps, record.per_decade), callback, rng)
        return runner.result()


class _Runner:
    """The mutable side of a run."""

    def __init__(
        self, rule: Rule, facts: InclusionFacts, payoff: NegatedOperator, limits: Limits, record: Record
    ) -> None:
        self.began = time.perf_counter()
        self.rule, self.facts, self.payoff, self.limits, self.record = rule, facts, payoff, limits, record
        self.state = rule.init(facts.problem)
        self.total = np.zeros(facts.inclusion.dimension)
        self.status = Status.STEP_LIMIT
        self.rows: list[tuple[int, int, float, float]] = []
        self.points: list[FloatArray] = []
        self.point = facts.inclusion.start
        self.moved = False

    def go(self, marks: IntArray, callback: Callable[[Snapshot], Any] | None, rng: np.random.Generator) -> None:
        """Run through the record points."""
        try:
            for mark in marks:
                while self.state.t < mark and not self._out_of_time():
                    new = self.rule.step(self.facts.problem, self.state, rng)
                    self.total += self.state.x.prob
                    self.state = new
                self._write(callback)
                if self.status is not Status.STEP_LIMIT:
                    return
        except KeyboardInterrupt:
            self.status = Status.INTERRUPTED
            if not self.rows or self.rows[-1][0] != self.state.t:
                self._write(None)

    def _out_of_time(self) -> bool:
        deadline = self.limits.deadline
        if deadline is not None and time.perf_counter() > deadline:
            self.status = Status.TIME_LIMIT
        return self.status is not Status.STEP_LIMIT

    def _write(self, callback: Callable[[Snapshot], Any] | None) -> None:
        """Write a row, and end the run where its answer is good enough, or no number."""
        averaged = self.rule.info.answer == "average" and self.state.t > 0
        point = np.array(self.total / self.state.t if averaged else self.state.x.prob)
        # Not through the payoff: what the residual costs is counted apart.
        value = self.facts.inclusion.operator(point)
        residual = tangent_residual(value, point, self.facts.inclusion.blocks)
        if not np.isfinite(residual) and self.rows:
            self.status = Status.NONFINITE
            return
        seconds = time.perf_counter() - self.began
        self.rows.append((int(self.state.t), self.payoff.calls, seconds, residual))
        self.moved = self.moved or not np.array_equal(point, self.facts.inclusion.start)
        self.point = point
        if self.record.points:
            self.points.append(point)
        if residual <= self.limits.tol and self.status is not Status.INTERRUPTED:
            self.status = Status.CONVERGED
        if callback is not None:
            self._tell(callback)

    def _tell(self, callback: Callable[[Snapshot], Any]) -> None:
        step, calls, seconds, residual = self.rows[-1]
        try:
            callback(Snapshot(step, calls, seconds, {"residual": residual}, self.point))
        except StopIteration:
            if not self.status.is_answer:
                self.status = Status.STOPPED

    def result(self) -> InclusionRun:
        """Return what is left behind."""
        steps, calls, seconds, residual = zip(*self.rows, strict=True)
        return InclusionRun(
            rule=self.rule,
            facts=self.facts,
            status=self.status,
            steps=np.array(steps, dtype=np.int64),
            operator_calls=np.array(calls, dtype=np.int64),
            seconds=np.array(seconds),
            residual=np.array(residual),
            point=self.point,
            points=tuple(self.points),
            state=self.state,
            moved=self.moved,
        )
