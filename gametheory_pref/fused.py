"""Update rules as machine code: the loop that runs a rule between record points, and what it does with states.

numba compiles ``Rule.step`` as it stands; each verb in it becomes the loop of `compiled_verbs` that does the same.
Scratch comes from the problem's arena, which is free again after every step, and what a state keeps is copied to one of
two buffers; so nothing is allocated and nothing reference-counted, which at ten responses would cost more than the
arithmetic.
"""

from __future__ import annotations

import functools
import types as python_types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from . import verbs
from ._jit import RULE_SOURCES, Kernel
from ._types import BoolArray, FloatArray, IntArray
from .compiled_verbs import OPTIONS, fresh_point, fresh_row, register_part, register_verbs, write_product, written
from .kernels import steps
from .verbs import Exact, Point, Schedule, TabularProblem

_PACKAGE = __name__.partition(".")[0]


class Marks(NamedTuple):
    """Record points, rising step counts, and what is written at them: one row each."""

    step: IntArray
    calls: IntArray
    log_last: FloatArray
    average: FloatArray
    gap_last: FloatArray
    gap_average: FloatArray


def new_marks(steps: IntArray, n: int, *, policies: int | None = None) -> Marks:
    """Return empty rows for record points; of policies, only as many rows as stated."""
    count = len(steps)
    kept = count if policies is None else min(policies, count)
    return Marks(
        np.array(steps, dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.zeros((kept, n)),
        np.zeros((kept, n)),
        np.zeros(count),
        np.zeros(count),
    )


class Triangle(NamedTuple):
    """The payoff of a large game, of which compiled products read only the part above the diagonal.

    A type of its own, so that loops for small games are not compiled with a second kind of product.
    """

    matrix: FloatArray

    def __matmul__(self, prob: FloatArray) -> FloatArray:
        product: FloatArray = self.matrix @ prob
        return product


# From here on the matrix does not stay in the fast part of the cache, and half of it is read in less time.
_LARGE = 200


def for_kernel(problem: TabularProblem) -> Any:
    """Return the problem as `kernel_of` takes it."""
    if problem.payoff.shape[0] < _LARGE or not isinstance(problem.oracle, Exact):
        return problem
    return problem._replace(payoff=Triangle(problem.payoff))


class Outcome(NamedTuple):
    """How far `advance` came: record points written, and why it returned before the last of them."""

    written: int
    arena_full: bool
    nonfinite: bool
    swapped: bool


def kernel_of(rule: Any) -> Kernel[..., Any]:
    """Return the compiled loop of a rule: ``((rule, state, spare), problem, rng, total, marks, tol, averaged)``.

    It runs from record point to record point until the gap of the last policy (of the average, with `averaged`) is at
    most `tol`; `total` accumulates the policies played. It returns ``(Outcome, state)``, whose arrays
    are those of `state`, or of `spare` when swapped.

    Rule and states come as one tuple: numba remembers types by the names of classes, all methods call theirs `State`,
    and two that look alike would send every call through its slow search for types (a quarter of a millisecond).
    """
    return kernel_of_loop(rule, _advance)


def batch_kernel_of(rule: Any) -> Kernel[..., Any]:
    """Return the compiled loop over many games of one size (see `_advance_batch`)."""
    return kernel_of_loop(rule, _advance_batch)


def kernel_of_loop(rule: Any, loop: Callable[..., Any]) -> Kernel[..., Any]:
    """Return a loop, compiled for the class of a rule."""
    return _kernel_of_class(type(rule), loop)  # type: ignore[arg-type]


@functools.cache
def _kernel_of_class(rule_class: Any, loop: Callable[..., Any]) -> Kernel[..., Any]:
    """Return a copy of a loop for one class of rules, so that each has its own file in the cache.

    numba cannot tell when a file outside the package changes, so rules from elsewhere are compiled anew.
    """
    _register()
    # A part may come with a file of rules that was imported after the first rule was compiled.
    for function in verbs.PARTS:
        register_part(function)
    function = _renamed(loop, f"{loop.__name__.lstrip('_')}_{rule_class.__name__}")
    inside = rule_class.__module__.partition(".")[0] == _PACKAGE
    if inside:
        return Kernel(function, allocates=False, sources=RULE_SOURCES)
    return Kernel(function, allocates=False, sources=None, rule=rule_class.__name__)


def _renamed(function: Any, name: str) -> Callable[..., Any]:
    copy = python_types.FunctionType(function.__code__, function.__globals__, name)
    copy.__qualname__, copy.__module__ = name, function.__module__
    return copy


def _advance(player, problem, rng, total, marks, tol, averaged):
    rule, state, spare = player
    swapped = False
    for mark in range(marks.step.size):
        while state.t < marks.step[mark]:
            problem.arena.cursor[0] = 0
            new = do_step(rule, problem, state, rng)
            if problem.arena.cursor[1] != 0:
                return Outcome(mark, True, False, swapped), state
            for i in range(total.size):
                total[i] += state.x.prob[i]
            state, spare = overwrite(new, spare), state
            swapped = not swapped
        marks.calls[mark] = calls_of(state)
        problem.arena.cursor[0] = 0
        if not write_mark(problem, in_both(problem, state.x), total, state.t, marks, mark):
            return Outcome(mark + 1, False, True, swapped), state
        if (marks.gap_average[mark] if averaged else marks.gap_last[mark]) <= tol:
            return Outcome(mark + 1, False, False, swapped), state
    return Outcome(marks.step.size, False, False, swapped), state


def _advance_batch(player, template, games, total, points, budget, tol, averaged, out):
    """Run one rule on many games of one size, each from its start until its gap is at most `tol`.

    Gaps are checked at `points`, the record points of a single run, so that both stop after the same step. Returns how
    many games are done when `budget` steps are taken, or when a step runs out of scratch.
    """
    rule, state, spare = player
    for game in range(games.payoff.shape[0]):
        if budget <= 0:
            return game
        start = Point(games.log_start[game], games.start[game])
        one = TabularProblem(
            games.payoff[game], template.blocks, start, start, games.temperature[game], template.oracle, template.arena
        )
        own = with_schedule(rule, games.scale[game], games.offset[game], games.power[game])
        one.arena.cursor[0] = 0
        state = overwrite(do_init(own, one), state)
        steps.set_scaled(0.0, total, total)
        for point in points:
            while state.t < point:
                one.arena.cursor[0] = 0
                new = do_step(own, one, state, None)
                for i in range(total.size):
                    total[i] += state.x.prob[i]
                state, spare = overwrite(new, spare), state
            if one.arena.cursor[1] != 0:
                return game
            out.finite[game] = is_finite(state.x)
            if not out.finite[game]:
                break
            one.arena.cursor[0] = 0
            last = in_both(one, state.x)
            answer = average_of(one, last, total, state.t) if averaged else last
            steps.set_scaled(1.0, answer.prob, out.policy[game])
            out.n_steps[game] = state.t
            out.gap[game] = gap_of(one, answer)
            if out.gap[game] <= tol:
                break
        budget -= state.t
    return games.payoff.shape[0]


class BatchGames(NamedTuple):
    """Games of one size, each with its start, which is its reference, too: arrays whose first axis is the game."""

    payoff: FloatArray
    log_start: FloatArray
    start: FloatArray
    temperature: FloatArray
    scale: FloatArray
    offset: FloatArray
    power: FloatArray


class BatchAnswers(NamedTuple):
    """What the loop over games writes: the last answers that were finite, and whether the loop ended on one."""

    policy: FloatArray
    gap: FloatArray
    n_steps: IntArray
    finite: BoolArray


# -- names that compiled code calls; `_register` gives them their compiled meaning


def do_step(rule: Any, problem: Any, state: Any, rng: Any) -> Any:
    """Return the state after one step of the rule."""
    return rule.step(problem, state, rng)


def do_init(rule: Any, problem: Any) -> Any:
    """Return the state before the first step."""
    return rule.init(problem)


def overwrite(new: Any, old: Any) -> Any:
    """Copy the arrays of one state into those of another, and return it with the numbers of the first."""
    if isinstance(new, np.ndarray):
        old[...] = new
        return old
    if isinstance(new, tuple):
        parts = [overwrite(a, b) for a, b in zip(new, old, strict=True)]
        return type(new)(*parts) if hasattr(new, "_fields") else tuple(parts)
    return new


def copied(state: Any) -> Any:
    """Return a copy of a state, an array of its own in every field.

    A rule may start with one policy in two fields; a copy that shared the array, as ``copy.deepcopy`` makes them, would
    hold the later field in both after `overwrite`.
    """
    if isinstance(state, np.ndarray):
        return state.copy()
    if isinstance(state, tuple):
        parts = [copied(part) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return state


def calls_of(state: Any) -> int:
    """Return the payoff products that a state has counted; 0 for states of rules that take a fixed number a step."""
    return int(getattr(state, "calls", 0))


def with_schedule(rule: Any, scale: float, offset: float, power: float) -> Any:
    """Return the rule with other step sizes; a rule without step sizes as it is."""
    return rule._replace(step_size=Schedule(scale, offset, power)) if hasattr(rule, "step_size") else rule


def in_both(problem: Any, x: Any) -> Any:
    """Return a policy in both coordinates; of one that a rule knows by its probabilities, logarithms are taken here."""
    return x if isinstance(x, Point) else _logarithms_taken(problem, x)


def _logarithms_taken(problem, x):
    out = fresh_point(problem.arena)
    for i in range(x.prob.size):
        out.prob[i] = x.prob[i]
    steps.take_logarithms(x.prob, out.log)
    return out


# What all rules share is on the disk by itself, so that the next rule finds it compiled.
_shared = functools.partial(Kernel, allocates=False, sources=RULE_SOURCES, internal=True)


@_shared
def write_mark(problem, x, total, t, marks, mark):
    """Write the last policy and the average of those played, with their gaps; return whether all is finite."""
    average = average_of(problem, x, total, t)
    for i in range(total.size):
        marks.log_last[mark, i] = x.log[i]
        marks.average[mark, i] = average.prob[i]
    # A loop, because two calls would be compiled into the code twice.
    for policy, gaps in ((x, marks.gap_last), (average, marks.gap_average)):
        gaps[mark] = gap_of(problem, policy)
    return is_finite(x)


@_shared
def average_of(problem, x, total, t):
    """Return the average of the t policies whose sum is `total`; before the first step, the start."""
    average = fresh_point(problem.arena)
    share, rest = (1.0 / t, 0.0) if t > 0 else (0.0, 1.0)
    for i in range(total.size):
        average.prob[i] = share * total[i] + rest * x.prob[i]
    steps.take_logarithms(average.prob, average.log)
    return average


@_shared
def gap_of(problem, x):
    """Return the duality gap of a policy: what best replies gain, summed over players, twice for a symmetric one.

    With a temperature the gain is ``temperature * KL(policy || reply)`` for the reply proportional to
    ``reference * exp(payoff / temperature)``.
    """
    payoff, reply = fresh_row(problem.arena).value, fresh_point(problem.arena)
    write_product(problem, x.prob, payoff)
    if problem.temperature > 0.0:
        sharpness = 1.0 / problem.temperature
        steps.mirror_step(problem.reference.log, payoff, sharpness, problem.blocks, reply.log, reply.prob)
        gain = problem.temperature * steps.block_divergence(x.log, x.prob, reply.log, reply.prob)
    else:
        gain = steps.gain_of_best(payoff, x.prob, problem.blocks)
    return 2.0 * gain if problem.blocks.size == 2 else gain


def is_finite(x):
    """Return whether no probability is infinite or NaN."""
    finite = True
    for i in range(x.prob.size):
        # False for a NaN, too.
        finite = finite and x.prob[i] <= 2.0
    return finite


@functools.cache
def _register() -> None:
    """Tell numba what the names above and the verbs mean; once, before the first rule is compiled."""
    from numba.core import types
    from numba.extending import overload

    def by(function: Callable[..., Any], choose: Callable[..., Any], *, inline: bool = False) -> None:
        overload(function, jit_options=OPTIONS | {"forceinline": inline}, strict=False)(choose)

    register_verbs()
    register_part(is_finite)
    by(in_both, lambda problem, x: _as_it_is if x.instance_class is Point else _logarithms_taken)
    by(do_step, lambda rule, problem, state, rng: rule.instance_class.step, inline=True)
    by(do_init, lambda rule, problem: rule.instance_class.init)
    by(calls_of, lambda state: (lambda state: state.calls) if "calls" in state.fields else (lambda state: 0))
    by(with_schedule, lambda rule, scale, offset, power: _replacing(rule))
    by(overwrite, lambda new, old: copying(new, types, by_number), inline=True)


def _as_it_is(problem: Any, x: Any) -> Any:
    return x


def by_number(path: str, ndim: int) -> list[str]:
    """Return the loop that copies an array number by number."""
    lines = [f"{'    ' * depth}for {'ijk'[depth]} in range(new{path}.shape[{depth}]):" for depth in range(ndim)]
    index = ", ".join("ijk"[:ndim])
    return [*lines, f"{'    ' * ndim}old{path}[{index}] = new{path}[{index}]"]


def copying(state: Any, types: Any, copy: Callable[[str, int], list[str]], **helpers: Any) -> Callable[..., Any]:
    """Return `overwrite` for states of one type, written out field by field."""
    lines: list[str] = []
    names: dict[str, Any] = dict(helpers)

    def visit(kind: Any, path: str) -> str:
        if isinstance(kind, types.Array):
            lines.extend(f"    {line}" for line in copy(path, kind.ndim))
            return f"old{path}"
        if isinstance(kind, types.BaseNamedTuple):
            name = f"{kind.instance_class.__name__}_{len(names)}"
            names[name] = kind.instance_class
            return f"{name}({', '.join(visit(t, f'{path}.{f}') for f, t in zip(kind.fields, kind.types, strict=True))})"
        if isinstance(kind, types.BaseTuple):
            return f"({''.join(visit(t, f'{path}[{k}]') + ', ' for k, t in enumerate(kind.types))})"
        return f"new{path}"

    returned = visit(state, "")
    return written("overwrite", ["def overwrite(new, old):", *lines, f"    return {returned}"], names)


def _replacing(rule: Any) -> Callable[..., Any]:
    """Return `with_schedule` for one class of rules."""
    fields = [f"rule.{name}" if name != "step_size" else "Schedule(scale, offset, power)" for name in rule.fields]
    source = ["def with_schedule(rule, scale, offset, power):", f"    return Rule({', '.join(fields)})"]
    return written("with_schedule", source, {"Rule": rule.instance_class, "Schedule": Schedule})
