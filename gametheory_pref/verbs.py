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
import functools
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

from ._jit import interpreted
from ._types import FloatArray, IntArray
from .errors import InputError, UnsupportedCombination


class Point(NamedTuple):
    """A policy, one block of responses per player, in both coordinates; no step computes an exponential twice."""

    log: FloatArray
    prob: FloatArray


class Anchor(NamedTuple):
    """A policy up to a constant factor, which is all that a mirror step needs of its base."""

    log: FloatArray


class Mixture(NamedTuple):
    """A policy known by its probabilities only: an average, or a pure response."""

    prob: FloatArray


class Direction(NamedTuple):
    """One number per response; what payoffs are measured in."""

    value: FloatArray


class Bank(NamedTuple):
    """Several policies, the latest first: arrays of shape (size, n)."""

    log: FloatArray
    prob: FloatArray


class Exact(NamedTuple):
    """An oracle that tells the exact payoff of every response against a policy."""


class Sampled(NamedTuple):
    """An oracle of samples: opponents drawn from the policy, and a judge asked about every response against each.

    Attributes
    ----------
    opponents : int
        How many opponents are drawn for one `field`.
    labels : bool
        Whether the judge answers win or lose (a coin with the win probability); otherwise it states the probability.
    """

    opponents: int = 1
    labels: bool = True


class Euclidean(NamedTuple):
    """The geometry in which steps are projected and means arithmetic; policies are `Mixture`.

    Attributes
    ----------
    norm : float
        p of the norm in which distances are measured.
    """

    norm: float = 2.0


class Entropic(NamedTuple):
    """The geometry in which steps multiply and means are geometric; policies are `Point`.

    Attributes
    ----------
    norm : float
        p of the norm in which distances are measured.
    """

    norm: float = 1.0


class Arena(NamedTuple):
    """Scratch rows that compiled verbs write to; the cursor says which are taken, and whether a step ran out."""

    rows: FloatArray
    cursor: IntArray


class TabularProblem(NamedTuple):
    """Everything that a step may look at.

    Attributes
    ----------
    payoff : ndarray, shape (n, n), or PayoffOperator
        Skew payoff over the responses of all players (zero within a player's own block when there are several), or
        what multiplies as it does.
    blocks : ndarray of int
        Where each player's responses begin, and n.
    reference, start : Point
        Anchor of the regularisation, and first policy.
    temperature : float
        Weight of ``KL(policy || reference)``.
    oracle : Exact or Sampled
        What `field` returns.
    """

    payoff: Any
    blocks: IntArray
    reference: Point
    start: Point
    temperature: float
    oracle: Exact | Sampled
    arena: Arena


class Schedule(NamedTuple):
    """Step sizes ``scale / (t + offset) ** power`` after t steps; power 0 is a constant step."""

    scale: float
    offset: float = 1.0
    power: float = 0.0


Generator: TypeAlias = np.random.Generator | None

_Function = TypeVar("_Function", bound=Callable[..., Any])

PARTS: list[Callable[..., Any]] = []

# Vectors up to this length are walked in the interpreter by the bodies below, longer ones by compiled kernels.
_SHORT = 2000
# Up to this length a loop of the interpreter is faster than NumPy.
_TINY = 50


def verb(function: _Function) -> _Function:
    """Make a function of tables a verb: a problem of another class answers by its own method of the same name."""

    @functools.wraps(function)
    def spoken(problem: Any, *arguments: Any) -> Any:
        if type(problem) is TabularProblem:
            return function(problem, *arguments)
        return getattr(problem, function.__name__)(*arguments)

    return spoken  # type: ignore[return-value]


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


# -- payoffs as a mean of terms: an operator's own (`n_terms`, `terms_product`), else the columns of the matrix, where
# -- column j times ``n x[j]`` is the term of opponent j


def _has_terms(payoff: Any) -> bool:
    return bool(getattr(payoff, "is_finite_sum", hasattr(payoff, "terms_product")))


def players_in(blocks: IntArray) -> int:
    """Return the number of players; 1 where there is no constraint."""
    return max(int(blocks.size) - 1, 1)


@verb
def term_count(problem: TabularProblem) -> int:
    """Return how many terms the payoff is the mean of; so many calls is what a whole product costs."""
    return int(problem.payoff.n_terms) if _has_terms(problem.payoff) else int(problem.start.prob.size)


@verb
def terms_drawn(problem: TabularProblem) -> int:
    """Return how many terms `term_difference` and `moved_difference` draw: a column for each player, or one term."""
    return 1 if _has_terms(problem.payoff) else players_in(problem.blocks)


@verb
def term_weights(problem: TabularProblem) -> Direction:
    """Return the probabilities by which `term_difference` draws.

    Columns are drawn in proportion to their squared norms, player by player, which makes the mean square of the sample
    as small as it can be. An operator's own terms are drawn evenly, and so are columns that take too long to read.
    """
    if _has_terms(problem.payoff):
        count = int(problem.payoff.n_terms)
        return Direction(np.full(count, 1.0 / count))
    squares = squared_columns(problem.payoff)
    for first, last in zip(problem.blocks[:-1], problem.blocks[1:], strict=True):
        total = squares[first:last].sum()
        squares[first:last] = squares[first:last] / total if total > 0.0 else 1.0 / (last - first)
    return Direction(squares)


@verb
def mean_norm(problem: TabularProblem) -> float:
    """Return L with ``mean |A_j (x - y)|^2 <= L^2 |x - y|^2`` for terms drawn as `term_weights` says.

    For columns of a table it is the Frobenius norm, of one player's columns where there are two.

    Raises
    ------
    InputError
        The payoff is a mean of terms whose constants are not known.
    """
    if _has_terms(problem.payoff):
        if problem.payoff.mean_norm is None:
            raise InputError(
                "the Lipschitz constant of the terms is not known, and steps are found from it; pass mean_lipschitz to "
                "gp.inclusion"
            )
        return max(float(problem.payoff.mean_norm), 1e-12)
    squares = squared_columns(problem.payoff)
    of_players = [float(squares[a:b].sum()) for a, b in zip(problem.blocks[:-1], problem.blocks[1:], strict=True)]
    return max(float(np.sqrt(max(of_players))), 1e-12)


_MOST_COLUMNS = 5000


def squared_columns(payoff: Any) -> FloatArray:
    """Return the squared norm of every column; for large payoffs known by their products an upper bound on all."""
    n = payoff.shape[1]
    if not hasattr(payoff, "block"):
        return np.asarray(np.einsum("ij,ij->j", payoff, payoff))
    if n > _MOST_COLUMNS:
        return np.full(n, n * payoff.largest() ** 2)
    rows, squares = np.arange(payoff.shape[0]), np.empty(n)
    for first in range(0, n, 256):
        block = payoff.block(rows, np.arange(first, min(first + 256, n)))
        squares[first : first + 256] = np.einsum("ij,ij->j", block, block)
    return squares


def _columns(payoff: Any, indices: IntArray) -> Any:
    """Return some columns of a payoff."""
    return payoff.block(np.arange(payoff.shape[0]), indices) if hasattr(payoff, "block") else payoff[:, indices]


@verb
def batch_difference(
    problem: TabularProblem, x: Point | Mixture, y: Point | Mixture, size: int, rng: Generator
) -> Direction:
    """Return the mean over `size` terms of their ``field(x) - field(y)``, drawn evenly and without replacement.

    This takes ``2 * size`` calls.
    """
    from .kernels.sums import draw_subset

    count, picked = term_count(problem), np.empty(size)
    # Drawing takes size ** 2 comparisons.
    with interpreted() if size <= 64 else contextlib.nullcontext():
        draw_subset(count, rng, picked)
    indices = picked.astype(np.int64)
    if _has_terms(problem.payoff):
        return Direction(problem.payoff.terms_product(indices, x.prob) - problem.payoff.terms_product(indices, y.prob))
    # The difference first: two products that nearly agree would leave rounding, which adds up over steps.
    moves = (x.prob - y.prob)[indices] * (count / size)
    return Direction(np.asarray(_columns(problem.payoff, indices) @ moves))


@verb
def term_difference(
    problem: TabularProblem, x: Point | Mixture, y: Point | Mixture, weights: Direction, rng: Generator
) -> Direction:
    """Return a sample of ``field(x) - field(y)`` from terms drawn by `weights` (see `term_weights`), without bias.

    This takes ``2 * terms_drawn(problem)`` calls.
    """
    assert rng is not None
    if _has_terms(problem.payoff):
        term = np.array([_drawn(weights.value, rng.random())])
        return Direction(problem.payoff.terms_product(term, x.prob) - problem.payoff.terms_product(term, y.prob))
    indices, scales = [], []
    for first, last in zip(problem.blocks[:-1], problem.blocks[1:], strict=True):
        column = int(first) + _drawn(weights.value[first:last], rng.random())
        indices.append(column)
        scales.append((x.prob[column] - y.prob[column]) / weights.value[column])
    return Direction(np.asarray(_columns(problem.payoff, np.array(indices)) @ np.array(scales)))


@verb
def moved_difference(
    problem: TabularProblem, x: Point | Mixture, y: Point | Mixture, rng: Generator
) -> Direction:
    """Return a sample of ``field(x) - field(y)`` from the columns in which the two differ, by how much they differ.

    Every player draws a column j with probability ``|x[j] - y[j]| / |x - y|_1``, and the sample has no entry above
    ``max |A| |x - y|_1``. This takes ``2 * terms_drawn(problem)`` calls.
    """
    assert rng is not None
    if _has_terms(problem.payoff):
        raise UnsupportedCombination(
            "this rule draws opponents, the columns of a payoff matrix; this payoff is a mean of terms of its own. "
            "Use vr_extragradient, or gp.preference_game of the whole matrix"
        )
    indices, scales = [], []
    for first, last in zip(problem.blocks[:-1], problem.blocks[1:], strict=True):
        moved = x.prob[first:last] - y.prob[first:last]
        total = float(np.cumsum(np.abs(moved))[-1])
        luck = rng.random()
        column = _drawn(np.abs(moved) / total, luck) if total > 0.0 else 0
        indices.append(int(first) + column)
        scales.append(total * float(np.sign(moved[column])))
    return Direction(np.asarray(_columns(problem.payoff, np.array(indices)) @ np.array(scales)))


def _drawn(weights: FloatArray, uniform: float) -> int:
    """Return what `kernels.steps.draw` returns."""
    found = int(np.searchsorted(np.cumsum(weights), uniform, side="right"))
    return min(found, int(np.flatnonzero(weights)[-1]))


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
