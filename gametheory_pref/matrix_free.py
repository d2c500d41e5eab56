"""The loop between record points for payoffs known by their products: `fused` without a compiler.

The product is all the work there is, so the rule's own lines run in the interpreter, on vectors.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ._types import FloatArray
from .fused import Marks, Outcome, calls_of
from .verbs import Direction, Point, TabularProblem, divergence, mirror, verb


def advance(
    player: tuple[Any, Any, Any],
    problem: TabularProblem,
    rng: Any,
    total: FloatArray,
    marks: Marks,
    tol: float,
    averaged: bool,
) -> tuple[Outcome, Any]:
    """Run a rule from record point to record point; arguments and results as of the loops of `fused.kernel_of`."""
    rule, state, _ = player
    for mark, goal in enumerate(marks.step):
        while state.t < goal:
            total += state.x.prob
            state = rule.step(problem, state, rng)
        marks.calls[mark] = calls_of(state)
        finite = _write_mark(problem, state, total, marks, mark)
        if not finite or (marks.gap_average if averaged else marks.gap_last)[mark] <= tol:
            return Outcome(mark + 1, False, not finite, False), state
    return Outcome(marks.step.size, False, False, False), state


def _write_mark(problem: TabularProblem, state: Any, total: FloatArray, marks: Marks, mark: int) -> bool:
    last = in_both(problem, state.x.prob)
    average = in_both(problem, total / state.t) if state.t > 0 else last
    # Marks may hold one row of policies only: the last.
    row = min(mark, len(marks.log_last) - 1)
    marks.log_last[row], marks.average[row] = on_host(problem, last.log), on_host(problem, average.prob)
    marks.gap_last[mark], marks.gap_average[mark] = gap_of(problem, last), gap_of(problem, average)
    # One number leaves a device, not a vector.
    return math.isfinite(float(last.prob.sum()))


@verb
def at_home(problem: TabularProblem, state: Any) -> Any:
    """Return a state where the steps of the problem are taken: arrays, unless the payoff lives on a device."""
    return state


@verb
def on_host(problem: TabularProblem, state: Any) -> Any:
    """Return a state as arrays, wherever steps are taken."""
    return state


@verb
def entries_read(problem: TabularProblem) -> float:
    """Return how many entries in the memory of a processor take as long to read as a product takes."""
    entries: float = problem.payoff.cost.bytes / 8.0
    return entries


@verb
def in_both(problem: TabularProblem, prob: FloatArray) -> Point:
    """Return a policy in both coordinates."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return Point(np.log(prob), prob)


def gap_of(problem: TabularProblem, x: Point) -> float:
    """Return the duality gap of a policy: what best replies gain, summed over players, twice for a symmetric one."""
    payoff = problem.payoff @ x.prob
    if problem.temperature > 0.0:
        reply = mirror(problem, problem.reference, Direction(payoff), 1.0 / problem.temperature)
        gain = problem.temperature * divergence(problem, x, reply)
    else:
        gain = sum(
            float(payoff[first:last].max() - payoff[first:last] @ x.prob[first:last])
            for first, last in itertools.pairwise(problem.blocks)
        )
    return 2.0 * gain if problem.blocks.size == 2 else gain
