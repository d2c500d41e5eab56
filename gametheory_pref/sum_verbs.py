"""The verbs of payoffs that are a mean of terms, of which rules with variance reduction draw a few.

The terms are an operator's own (`n_terms`, `terms_product`), else the columns of the matrix, where column j times
``n x[j]`` is the term of opponent j. Rules find these words in `verbs`, among the others.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from ._jit import interpreted
from ._types import FloatArray, IntArray
from .errors import InputError, UnsupportedCombination
from .values import Direction, Generator, Mixture, Point, TabularProblem, verb

# More columns of a payoff known by its products are not read for their norms.
_MOST_COLUMNS = 5000


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
