"""The loop between record points for payoffs known by their products: `fused` without a compiler.

The product is all the work there is, so the rule's own lines run in the interpreter, on vectors.
"""

from __future__ import annotations

import itertools
import math
import time
from typing import Any

import numpy as np

from ._types import FloatArray, IntArray
from .fused import Marks, Outcome, calls_of
from .verbs import Direction, Point, TabularProblem, divergence, mirror, verb


def walk(
    rule: Any, problem: TabularProblem, state: Any, rng: Any, total: FloatArray, goal: int, until: float
) -> Any:
    """Return the state after steps up to number `goal`, or after the first one that ends later than `until`.

    `total` accumulates the policies played. No estimate says how long a product takes that is a user's own code, or
    runs on a cluster; so the clock is read after every step.
    """
    while state.t < goal:
        total += state.x.prob
        state = rule.step(problem, state, rng)
        if time.perf_counter() > until:
            break
    return state


def record(
    player: tuple[Any, Any, Any],
    problem: TabularProblem,
    rng: Any,
    total: FloatArray,
    marks: Marks,
    tol: float,
    averaged: bool,
) -> tuple[Outcome, Any]:
    """Write the record point where `walk` has arrived; arguments and results as of the loops of `fused.kernel_of`."""
    _, state, _ = player
    marks.calls[0] = calls_of(state)
    finite = _write_mark(problem, state, total, marks)
    return Outcome(1, False, not finite, False), state


def _write_mark(problem: TabularProblem, state: Any, total: FloatArray, marks: Marks) -> bool:
    last = in_both(problem, state.x.prob)
    average = in_both(problem, total / state.t) if state.t > 0 else last
    marks.log_last[0], marks.average[0] = on_host(problem, last.log), on_host(problem, average.prob)
    marks.gap_last[0], marks.gap_average[0] = gap_of(problem, last), gap_of(problem, average)
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
        return 2.0 * gain if problem.blocks.size == 2 else gain
    return gap_against(problem.blocks, x.prob, payoff)


def gap_against(blocks: IntArray, policy: FloatArray, payoff: FloatArray) -> float:
    """Return the duality gap at temperature 0 of a policy against which the responses get `payoff`."""
    gain = sum(
        float(payoff[first:last].max() - payoff[first:last] @ policy[first:last])
        for first, last in itertools.pairwise(blocks)
    )
    return 2.0 * gain if blocks.size == 2 else gain
