r"""The verbs: the whole language in which update rules are written.

A rule is a ``NamedTuple`` of settings with two methods, ``init(problem)`` and ``step(problem, state, rng)``, that say
what they do in these words only. So the same method runs in plain Python (the functions below, a line of NumPy each,
breakpoints and all), fused to machine code (`fused` gives every verb a kernel), and on anything else that has policies.

==============  ===============================================================================================
`field`         payoff of every response against a policy, as the rule gets to see it: exact, or sampled
`mirror`        the policy proportional to ``base * exp(step_size * direction)``: one step of mirror ascent
`project`       the policy closest to ``base + step_size * direction``: one step of projected ascent
`field_of_side`, `project_side`, `start_of_side`, `share_of_side`   for rules that keep a policy for each side: of
                the row and of the column player, or two copies of the policy of a symmetric game
`prox`, `mean`, `start_in`   a step, a weighted mean and the start in the geometry of a rule: Euclidean, or entropic
`blend`         ``prod_k policy_k ** weight_k``, weights of any sign, as an unnormalised `Anchor`
`normalize`     the policy proportional to an anchor
`mixture`       arithmetic mixture of policies
`combine`       linear combination of directions
`estimate`      a sample of the payoffs, without bias
`difference`    a sample of ``field(x) - field(y)`` by the same luck
`divergence`    ``KL(x || y)``
`inner`         expected payoff of one policy less that of another
`square_distance`   ``|x - y|^2`` of probabilities
`reply`         the best response to a direction
`anchors_of`    the start of a history, one anchor for every weight with which `blend` will take it
`bank_of`, `recall`, `remember`   several policies in one, when their number is no part of the type of a rule
`bookmark`, `keep`   let a loop within a step go on with one policy and drop the others
`add_regrets`, `positive`, `proportional`   for tables only: regret matching
`term_count`, `terms_drawn`, `term_weights`, `mean_norm`   payoffs as a mean of terms, and how one is drawn
`batch_difference`, `term_difference`, `moved_difference`   samples of ``field(x) - field(y)`` from few terms
`chance`        a coin
`rewrite`, `rewind`   let a loop within a step go on with new values in the place of old ones
==============  ===============================================================================================
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ._jit import interpreted
from ._types import FloatArray, IntArray
from .errors import UnsupportedCombination
from .sum_verbs import batch_difference as batch_difference
from .sum_verbs import mean_norm as mean_norm
from .sum_verbs import moved_difference as moved_difference
from .sum_verbs import players_in as players_in
from .sum_verbs import term_count as term_count
from .sum_verbs import term_difference as term_difference
from .sum_verbs import term_weights as term_weights
from .sum_verbs import terms_drawn as terms_drawn
from .values import Anchor as Anchor
from .values import Arena as Arena
from .values import Bank as Bank
from .values import Direction as Direction
from .values import Entropic as Entropic
from .values import Euclidean as Euclidean
from .values import Exact as Exact
from .values import Generator as Generator
from .values import Mixture as Mixture
from .values import Point as Point
from .values import Sampled as Sampled
from .values import Schedule as Schedule
from .values import TabularProblem as TabularProblem
from .values import verb as verb

_Function = TypeVar("_Function", bound=Callable[..., Any])

PARTS: list[Callable[..., Any]] = []

# Vectors up to this length are walked in the interpreter by the bodies below, longer ones by compiled kernels.
_SHORT = 2000
# Up to this length a loop of the interpreter is faster than NumPy.
_TINY = 50


def _walked(vector: FloatArray) -> contextlib.AbstractContextManager[None]:
    """Return the context in which kernels run on a vector: the interpreter if it is short."""
    return interpreted() if vector.size <= _SHORT else contextlib.nullcontext()


def part(function: _Function) -> _Function:
    """Mark a plain function of numbers, points and verbs that steps call, so that it is compiled along with them."""
    PARTS.append(function)
    return function


@part
def step_size_at(schedule: Schedule, t: int) -> float:
    """Return the step size for the step that follows t steps."""
    if schedule.power == 0.0:
        return schedule.scale
    if schedule.power == 1.0:
        return schedule.scale / (t + schedule.offset)
    step_size: float = schedule.scale / (t + schedule.offset) ** schedule.power
    return step_size


@verb
def field(problem: TabularProblem, x: Point | Mixture, rng: Generator) -> Direction:
    """Return the payoff of every response against `x`: exact, or sampled where the oracle samples."""
    if isinstance(problem.oracle, Exact):
        return Direction(problem.payoff @ x.prob)
    return estimate(problem, x, rng)


@verb
def estimate(problem: TabularProblem, x: Point | Mixture, rng: Generator) -> Direction:
    """Return an unbiased sample of the payoff of every response against `x`."""
    from .kernels.steps import sampled_payoff

    oracle, out = _sampling(problem), np.empty_like(x.prob)
    with interpreted():
        sampled_payoff(problem.payoff, x.prob, oracle.opponents, oracle.labels, rng, out)
    return Direction(out)


@verb
def difference(
    problem: TabularProblem, x: Point | Mixture, y: Point | Mixture, rng: Generator
) -> Direction:
    """Return a sample of ``field(x) - field(y)`` whose variance goes to 0 with the distance of the two policies."""
    from .kernels.steps import sampled_difference

    oracle, out = _sampling(problem), np.empty_like(x.prob)
    with interpreted():
        sampled_difference(problem.payoff, x.prob, y.prob, oracle.opponents, oracle.labels, rng, out)
    return Direction(out)


def _sampling(problem: TabularProblem) -> Sampled:
    if isinstance(problem.oracle, Sampled):
        return problem.oracle
    raise UnsupportedCombination("this rule samples payoffs; pass oracle=Sampled(...) and rng to solve")


@verb
def mirror(problem: TabularProblem, base: Point | Anchor, direction: Direction, step_size: float) -> Point:
    """Return the policy proportional to ``base * exp(step_size * direction)``."""
    return normalize(problem, Anchor(base.log + step_size * direction.value))


@verb
def project(problem: TabularProblem, base: Point | Mixture, direction: Direction, step_size: float) -> Mixture:
    """Return the policy closest to ``base + step_size * direction`` in the Euclidean norm, player by player.

    A problem without players (no blocks) has no constraint, and the step is taken as it is.
    """
    from .kernels.projection import projected_step

    if _TINY < base.prob.size <= _SHORT:
        return Mixture(_projected(base.prob + step_size * direction.value, problem.blocks))
    out = np.empty_like(base.prob)
    with _walked(out):
        projected_step(base.prob, direction.value, step_size, problem.blocks, out)
    return Mixture(out)


def _projected(vector: FloatArray, blocks: IntArray) -> FloatArray:
    """Return the closest point of the simplices, as `kernels.projection` does, a pass over the vector at a time."""
    for first, last in itertools.pairwise(blocks):
        part = vector[first:last]
        if not np.isfinite(part).all():
            part[:] = np.nan
            continue
        np.maximum(part - part.max(), -1.0, out=part)
        level, above = max((part.sum() - 1.0) / part.size, -1.0), -1
        left = part
        while True:
            # Responses below the level stay there, as the level rises.
            left = left[left > level]
            if left.size in (above, 0):
                break
            above = left.size
            level += ((left - level).sum() - 1.0) / above
        np.maximum(part - level, 0.0, out=part)
    return vector


@verb
def start_of_side(problem: TabularProblem, side: int) -> Mixture:
    """Return the start as one side knows it: 0 the row player's, 1 the column player's, without mass elsewhere.

    In a symmetric game either side is the whole policy. A policy of both sides is their sum, weighted by
    `share_of_side`.
    """
    prob, (own, _) = np.zeros_like(problem.start.prob), _sides(problem, side)
    prob[own] = problem.start.prob[own]
    return Mixture(prob)


@verb
def share_of_side(problem: TabularProblem) -> float:
    """Return the weight of either side in a policy of both: 1 for two players, 1/2 for a symmetric game."""
    return 1.0 if problem.blocks.size == 3 else 0.5


@verb
def field_of_side(problem: TabularProblem, x: Mixture, side: int, rng: Generator) -> Direction:
    """Return the payoff of every response of one side against the other side's `x`, 0 elsewhere: half a product."""
    if problem.blocks.size != 3:
        return field(problem, x, rng)
    if hasattr(problem.payoff, "side_product"):
        return Direction(problem.payoff.side_product(x.prob, side))
    value, (own, other) = np.zeros_like(x.prob), _sides(problem, side)
    if isinstance(problem.payoff, np.ndarray):
        value[own] = problem.payoff[own, other] @ x.prob[other]
    else:
        value[own] = (problem.payoff @ x.prob)[own]
    return Direction(value)


@verb
def project_side(
    problem: TabularProblem, base: Mixture, direction: Direction, step_size: float, side: int
) -> Mixture:
    """Return `project` of one side, without mass elsewhere."""
    if problem.blocks.size != 3:
        return project(problem, base, direction, step_size)
    prob, (own, _) = np.zeros_like(base.prob), _sides(problem, side)
    alone = problem._replace(blocks=np.array([0, own.stop - own.start]))
    prob[own] = project(alone, Mixture(base.prob[own]), Direction(direction.value[own]), step_size).prob
    return Mixture(prob)


def _sides(problem: TabularProblem, side: int) -> tuple[slice, slice]:
    """Return where the responses of a side and of the other lie; everywhere unless there are two players."""
    if problem.blocks.size != 3:
        return slice(None), slice(None)
    middle, end = int(problem.blocks[1]), int(problem.blocks[2])
    parts = slice(0, middle), slice(middle, end)
    return parts[side], parts[1 - side]


@verb
def prox(problem: TabularProblem, base: Point | Anchor | Mixture, direction: Direction, step_size: float) -> Any:
    """Return one step from `base` in its own geometry: `project` from a mixture, `mirror` from a point or an anchor."""
    if isinstance(base, Mixture):
        return project(problem, base, direction, step_size)
    return mirror(problem, base, direction, step_size)


@verb
def mean(problem: TabularProblem, points: tuple[Any, ...], weights: tuple[float, ...]) -> Any:
    """Return the weighted mean in the geometry of the first point: `mixture` of mixtures, `blend` of points."""
    return (mixture if isinstance(points[0], Mixture) else blend)(problem, points, weights)


@verb
def start_in(problem: TabularProblem, geometry: Euclidean | Entropic) -> Any:
    """Return the first policy as the geometry knows it."""
    return Mixture(problem.start.prob) if isinstance(geometry, Euclidean) else problem.start


@verb
def normalize(problem: TabularProblem, anchor: Point | Anchor) -> Point:
    """Return the policy proportional to `anchor`, player by player."""
    log = anchor.log.copy()
    prob = np.empty_like(log)
    for first, last in zip(problem.blocks[:-1], problem.blocks[1:], strict=True):
        part = slice(int(first), int(last))
        log[part] -= log[part].max()
        weight = np.exp(log[part])
        log[part] -= np.log(weight.sum())
        prob[part] = weight / weight.sum()
    return Point(log, prob)


@verb
def blend(
    problem: TabularProblem, points: tuple[Point | Anchor, ...], weights: tuple[float, ...]
) -> Anchor:
    """Return ``prod_k point_k ** weight_k``, unnormalised; a weight of 0 leaves its point out."""
    return Anchor(_combined(tuple(point.log for point in points), weights))


@verb
def mixture(
    problem: TabularProblem, points: tuple[Point | Mixture, ...], weights: tuple[float, ...]
) -> Mixture:
    """Return the arithmetic mixture ``sum_k weight_k point_k``."""
    return Mixture(_combined(tuple(point.prob for point in points), weights))


@verb
def combine(
    problem: TabularProblem, directions: tuple[Direction, ...], weights: tuple[float, ...]
) -> Direction:
    """Return ``sum_k weight_k direction_k``."""
    return Direction(_combined(tuple(direction.value for direction in directions), weights))


def _combined(vectors: tuple[FloatArray, ...], weights: tuple[float, ...]) -> FloatArray:
    from .kernels.steps import add_scaled

    total = None
    for vector, weight in zip(vectors, weights, strict=True):
        # 0 * -inf would be NaN: a policy that is left out may have responses without mass.
        if weight == 0.0:
            continue
        if total is None:
            total = weight * vector
        elif vector.size <= _SHORT:
            total += weight * vector
        else:
            add_scaled(weight, vector, total)
    return np.zeros_like(vectors[0]) if total is None else total


@verb
def no_direction(problem: TabularProblem) -> Direction:
    """Return the direction that is zero everywhere."""
    return Direction(np.zeros_like(problem.start.prob))


@verb
def divergence(problem: TabularProblem, x: Point, y: Point) -> float:
    """Return ``KL(x || y)``, summed over players."""
    from .kernels.steps import block_divergence

    with _walked(x.prob):
        return float(block_divergence(x.log, x.prob, y.log, y.prob))


@verb
def inner(problem: TabularProblem, direction: Direction, x: Point | Mixture, y: Point | Mixture) -> float:
    """Return ``<direction, x - y>``: the difference of the two policies' expected payoffs."""
    return float(direction.value @ (x.prob - y.prob))


@verb
def square_distance(problem: TabularProblem, x: Point | Mixture, y: Point | Mixture) -> float:
    """Return the squared Euclidean distance of two policies."""
    difference = x.prob - y.prob
    return float(difference @ difference)


@verb
def reply(problem: TabularProblem, direction: Direction) -> Mixture:
    """Return each player's best pure response to `direction`; the first among several."""
    prob = np.zeros_like(direction.value)
    for first, last in zip(problem.blocks[:-1], problem.blocks[1:], strict=True):
        prob[first + int(direction.value[first:last].argmax())] = 1.0
    return Mixture(prob)


@verb
def bank_of(problem: TabularProblem, x: Point, size: int) -> Bank:
    """Return a bank of `size` copies of a policy."""
    return Bank(np.tile(x.log, (size, 1)), np.tile(x.prob, (size, 1)))


@verb
def recall(problem: TabularProblem, bank: Bank, age: int) -> Point:
    """Return the policy that was remembered `age` calls before the latest one."""
    return Point(bank.log[age], bank.prob[age])


@verb
def remember(problem: TabularProblem, bank: Bank, x: Point) -> Bank:
    """Return the bank with `x` in front and its oldest policy dropped."""
    return Bank(
        np.concatenate([x.log[None, :], bank.log[:-1]]), np.concatenate([x.prob[None, :], bank.prob[:-1]])
    )


@verb
def anchors_of(problem: TabularProblem, x: Point, weights: tuple[float, ...]) -> tuple[Anchor, ...]:
    """Return a policy as an anchor, once for every weight: a history in which it has always been there."""
    return (Anchor(x.log),) * len(weights)


@verb
def bookmark(problem: TabularProblem) -> int:
    """Return where scratch stands, for `keep`."""
    return 0


@verb
def keep(problem: TabularProblem, x: Any, since: int) -> Any:
    """Return `x`, the only thing made since the bookmark `since` that is used from now on."""
    return x


@verb
def add_regrets(
    problem: TabularProblem, so_far: Direction, direction: Direction, x: Point | Mixture
) -> Direction:
    """Return `so_far` plus how much more every response gets than its player's policy in `x`."""
    value = direction.value.copy()
    for first, last in zip(problem.blocks[:-1], problem.blocks[1:], strict=True):
        value[first:last] -= value[first:last] @ x.prob[first:last]
    return Direction(so_far.value + value)


@verb
def positive(problem: TabularProblem, direction: Direction) -> Direction:
    """Return the positive part of a direction."""
    return Direction(np.maximum(direction.value, 0.0))


@verb
def proportional(problem: TabularProblem, direction: Direction, otherwise: Point | Mixture) -> Mixture:
    """Return each player's policy proportional to the positive part; that of `otherwise` where nothing is positive.

    Responses may be left without mass, where logarithms are infinite: no base for a mirror step.
    """
    weight, prob = np.maximum(direction.value, 0.0), otherwise.prob.copy()
    for first, last in zip(problem.blocks[:-1], problem.blocks[1:], strict=True):
        total = weight[first:last].sum()
        if total > 0.0:
            prob[first:last] = weight[first:last] / total
    return Mixture(prob)


@verb
def chance(problem: TabularProblem, probability: float, rng: Generator) -> bool:
    """Return True with this probability."""
    assert rng is not None
    return bool(rng.random() < probability)


@verb
def rewrite(problem: TabularProblem, old: Any, new: Any) -> Any:
    """Return `new`, a mixture or a direction, in the place of `old`, which must have been made in this step."""
    return new


@verb
def rewind(problem: TabularProblem, since: int) -> None:
    """Let go of all that was made since the bookmark `since`."""
