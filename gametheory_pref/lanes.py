"""Update rules on `LANES` small games side by side: the verbs once more, and the loop that runs a rule on many games.

One small game leaves a processor idle: its loops are shorter than a vector, and each step waits for the one before.
The same ``Rule.step`` is compiled here for a `LaneProblem`, whose arrays hold a row of lanes where a table holds a
number; what differs between games, the temperature and the step size and all that a rule computes from them, is such a
row, too (see `_simd`). States keep their types, arrays of ``n * LANES`` numbers, so that all that only copies
them is shared with `fused`. All lanes take the same steps; a game ends where it would have ended alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from . import compiled_verbs, fused, verbs
from ._jit import Kernel
from ._simd import LANES, aligned_zeros, any_lane, load, select, splat, store
from ._types import BoolArray, FloatArray, IntArray
from .compiled_verbs import fresh_point, fresh_row
from .kernels import lane_steps
from .verbs import Anchor, Arena, Exact, Point, TabularProblem


class LaneProblem(NamedTuple):
    """What a step may look at: as in `TabularProblem`, for one symmetric player and exact payoffs."""

    payoff: FloatArray
    reference: Point
    start: Point
    temperature: Any
    arena: Arena


class LaneScratch(NamedTuple):
    """Arrays for `LANES` games: what a `LaneProblem` is made of, and the last answers with their gaps."""

    payoff: FloatArray
    log_start: FloatArray
    start: FloatArray
    numbers: FloatArray
    total: FloatArray
    answer: FloatArray
    gap: FloatArray
    finite: FloatArray
    arena: Arena


class LaneAnswers(NamedTuple):
    """What the loop writes, one row per game: as `fused.BatchAnswers`, and whether the game has ended."""

    policy: FloatArray
    gap: FloatArray
    n_steps: IntArray
    finite: BoolArray
    ended: BoolArray


def new_scratch(n: int, rows: int) -> LaneScratch:
    """Return arrays for games of n responses, and scratch of a number of rows for the steps."""
    log_start, start, total, answer = aligned_zeros(4, n * LANES)
    numbers, gap, finite = aligned_zeros(3 * LANES), aligned_zeros(LANES), aligned_zeros(LANES)
    arena = Arena(aligned_zeros(rows, n * LANES), np.zeros(2, dtype=np.int64))
    return LaneScratch(aligned_zeros(n * n * LANES), log_start, start, numbers, total, answer, gap, finite, arena)


def new_states(rule: Any, n: int) -> tuple[Any, Any]:
    """Return room for the states of `LANES` games and their successors: those of one game that is so much larger."""
    width = LANES * n
    start = Point(np.zeros(width), np.zeros(width))
    arena = Arena(np.zeros((1, width)), np.zeros(2, dtype=np.int64))
    large = TabularProblem(np.zeros((width, 1)), np.array([0, width]), start, start, 0.0, Exact(), arena)
    state = rule.init(large)
    return _in_lines(state), _in_lines(state)


def _in_lines(state: Any) -> Any:
    """Return a copy of a state whose arrays begin with a line of the cache."""
    if isinstance(state, np.ndarray):
        return aligned_zeros(*state.shape)
    if isinstance(state, tuple):
        parts = [_in_lines(part) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return state


def lane_kernel_of(rule: Any) -> Kernel[..., Any]:
    """Return the compiled loop over many games, `LANES` at a time (see `_advance_lanes`)."""
    _register()
    return fused.kernel_of_loop(rule, _advance_lanes)


def _advance_lanes(player, scratch, games, order, points, budget, tol, averaged, out):
    """Run one rule on games of one size, each from its start until its gap is at most `tol`.

    Gaps are checked at `points`, the record points of a single run, so that a game stops after the same step as alone.
    The last bundle is filled up with its last game. Returns how many of the games in `order` are done when `budget`
    steps are taken, or when a step runs out of scratch.
    """
    rule, state, spare = player
    for first in range(0, order.size, LANES):
        if budget <= 0:
            return first
        fill(scratch, games, order, first)
        start = Point(scratch.log_start, scratch.start)
        problem = LaneProblem(scratch.payoff, start, start, load(scratch.numbers, 0), scratch.arena)
        own = fused.with_schedule(rule, load(scratch.numbers, 1), load(scratch.numbers, 2), games.power[order[first]])
        problem.arena.cursor[0] = 0
        state = overwrite_rows(fused.do_init(own, problem), state)
        for i in range(games.start.shape[1]):
            store(scratch.total, i, 0.0)
        running = min(LANES, order.size - first)
        for point in points:
            while state.t < point:
                problem.arena.cursor[0] = 0
                new = fused.do_step(own, problem, state, None)
                if averaged:
                    add_rows(state.x.prob, scratch.total)
                state, spare = overwrite_rows(new, spare), state
            if problem.arena.cursor[1] != 0:
                return first
            problem.arena.cursor[0] = 0
            answer = average_lanes(problem, state.x, scratch.total, state.t) if averaged else state.x
            check_lanes(problem, state.x, answer, scratch)
            running -= end_games(scratch, answer.prob, order, first, state.t, point == points[-1], tol, out)
            if running == 0:
                break
        budget -= LANES * state.t
    return order.size


def fill(scratch, games, order, first):
    """Copy the games of a bundle next to one another."""
    n = games.start.shape[1]
    for k in range(LANES):
        game = order[min(first + k, order.size - 1)]
        scratch.numbers[k] = games.temperature[game]
        scratch.numbers[LANES + k] = games.scale[game]
        scratch.numbers[2 * LANES + k] = games.offset[game]
        for i in range(n):
            scratch.log_start[i * LANES + k] = games.log_start[game, i]
            scratch.start[i * LANES + k] = games.start[game, i]
        for i in range(n):
            for j in range(n):
                scratch.payoff[(i * n + j) * LANES + k] = games.payoff[game, i, j]


def average_lanes(problem, x, total, t):
    """Return the average of the t policies whose sum is `total`; before the first step, the start."""
    average = fresh_point(problem.arena)
    share, rest = (1.0 / t, 0.0) if t > 0 else (0.0, 1.0)
    for i in range(total.size // LANES):
        prob = share * load(total, i) + rest * load(x.prob, i)
        store(average.prob, i, prob)
        store(average.log, i, lane_steps.lanes_log(prob))
    return average


def check_lanes(problem, x, answer, scratch):
    """Write the gaps of the answers, and 1 where the policy is finite."""
    payoff = fresh_row(problem.arena).value
    scores = fresh_point(problem.arena)
    lane_steps.lanes_product(problem.payoff, answer.prob, payoff)
    is_warm = problem.temperature > 0.0
    gap = splat(0.0)
    if any_lane(is_warm):
        gap = lane_steps.lanes_warm_gap(
            payoff, answer.log, answer.prob, problem.reference.log, problem.temperature, scores.log, scores.prob
        )
    if any_lane(problem.temperature == 0.0):
        gap = select(is_warm, gap, lane_steps.lanes_cold_gap(payoff, answer.prob))
    store(scratch.gap, 0, gap)
    finite = splat(1.0)
    for i in range(x.prob.size // LANES):
        # False for a NaN, too.
        finite = select(load(x.prob, i) <= 2.0, finite, 0.0)
    store(scratch.finite, 0, finite)


def end_games(scratch, prob, order, first, t, is_last, tol, out):
    """Write how the games of a bundle ended that end here, and return how many; remember all answers.

    A game that is not finite any more has the answer of the record point before.
    """
    ended = 0
    for k in range(min(LANES, order.size - first)):
        game = order[first + k]
        if out.ended[game]:
            continue
        finite, gap = scratch.finite[k] == 1.0, scratch.gap[k]
        out.finite[game] = finite
        if finite:
            out.n_steps[game] = t
            out.gap[game] = gap
        if not finite or gap <= tol or is_last:
            out.ended[game] = True
            ended += 1
            for i in range(out.policy.shape[1]):
                out.policy[game, i] = prob[i * LANES + k] if finite else scratch.answer[i * LANES + k]
    for i in range(prob.size // LANES):
        store(scratch.answer, i, load(prob, i))
    return ended


def add_rows(vector, total):
    """Add a vector to another."""
    for i in range(total.size // LANES):
        store(total, i, load(total, i) + load(vector, i))


def overwrite_rows(new: Any, old: Any) -> Any:
    """Copy a state as `fused.overwrite` does, by whole rows.

    A row that was stored in halves would have to reach the cache before it can be loaded in one piece.
    """
    return fused.overwrite(new, old)


# -- the verbs


def _field(problem, x, rng):
    out = fresh_row(problem.arena)
    lane_steps.lanes_product(problem.payoff, x.prob, out.value)
    return out


def _mirror(problem, base, direction, step_size):
    out = fresh_point(problem.arena)
    lane_steps.lanes_mirror(base.log, direction.value, splat(step_size), out.log, out.prob)
    return out


def _start(problem, geometry):
    return problem.start


def _normalize(problem, anchor):
    out = fresh_point(problem.arena)
    lane_steps.lanes_normalize(anchor.log, out.log, out.prob)
    return out


# Rules with a geometry play side by side in the entropic one only.
_LANE_VERBS: dict[Callable[..., Any], Callable[..., Any]] = {
    verbs.field: _field,
    verbs.mirror: _mirror,
    verbs.prox: _mirror,
    verbs.start_in: _start,
    verbs.normalize: _normalize,
}
_SUPPORT = (add_rows, fill, average_lanes, check_lanes, end_games)


@functools.cache
def _register() -> None:
    """Tell numba what the verbs mean for lanes; once, before the first rule is compiled for them."""
    from numba.core import types
    from numba.extending import overload

    from . import _simd_compiled  # noqa: F401  # what it says to numba is all

    for verb, implementation in (_LANE_VERBS | compiled_verbs.SHARED_VERBS).items():
        compiled_verbs.register_verb(verb, LaneProblem, compiled_verbs.always(implementation))
    compiled_verbs.register_verb(verbs.keep, LaneProblem, compiled_verbs.choose_keep)
    compiled_verbs.register_verb(verbs.mean, LaneProblem, functools.partial(_weighted_sum, "log", Anchor), inline=True)
    for function in _SUPPORT:
        compiled_verbs.register_part(function)
    for verb, (field, result) in compiled_verbs.WEIGHTED_SUMS.items():
        compiled_verbs.register_verb(verb, LaneProblem, functools.partial(_weighted_sum, field, result), inline=True)
    overload(overwrite_rows, jit_options=compiled_verbs.OPTIONS | {"forceinline": True}, strict=False)(
        lambda new, old: fused.copying(new, types, _by_row, load=load, store=store, LANES=LANES)
    )


def _by_row(path: str, ndim: int) -> list[str]:
    if ndim > 1:
        return fused.by_number(path, ndim)
    return [f"for i in range(new{path}.size // LANES):", f"    store(old{path}, i, load(new{path}, i))"]


def _weighted_sum(field: str, result: type, problem: Any, parts: Any, weights: Any) -> Callable[..., Any]:
    """Return the loop ``out = sum_k weights[k] * part_k`` for this number of parts, in one pass."""
    count = range(len(weights))
    # 0 * -inf would be NaN: a policy that is left out may have responses without mass.
    terms = " + ".join(f"select(w{k} != 0.0, w{k} * load(v{k}, i), 0.0)" for k in count)
    source = [
        "def weighted_sum(problem, parts, weights):",
        "    out = fresh_row(problem.arena).value",
        *(f"    v{k}, w{k} = parts[{k}].{field}, weights[{k}]" for k in count),
        "    for i in range(out.size // LANES):",
        f"        store(out, i, {terms})",
        "    return result(out)",
    ]
    names = {
        "fresh_row": fresh_row, "result": result, "select": select, "load": load,
        "store": store, "LANES": LANES,
    }  # fmt: skip
    return compiled_verbs.written("weighted_sum", source, names)
