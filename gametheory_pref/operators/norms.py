"""The 2-norm of a matrix known by its products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .._types import FloatArray

if TYPE_CHECKING:
    from .base import PayoffOperator

_SEED = 0
# A new direction shorter than this, relative to the longest, is rounding: all that the start can reach has been seen.
_ROUNDING = 1e-12
_FIRST_LOOK = 6


def length_of(vector: FloatArray) -> float:
    """Return the Euclidean norm, also of vectors whose squares are too large or too small for floating point."""
    largest = float(np.abs(vector).max())
    return largest * float(np.linalg.norm(vector / largest)) if 0.0 < largest < np.inf else largest


def largest_singular_value(operator: PayoffOperator, *, accuracy: float = 1e-5, max_products: int = 400) -> float:
    """Return the 2-norm by the Lanczos method from a fixed random start: a lower bound, up to rounding.

    The search ends when the residual of the singular triplet found is below ``sqrt(accuracy)`` of its value, whose
    relative error is of the order of the squared residual, and the value has stopped to grow. Three vectors are kept,
    and none is made orthogonal to older ones: that brings copies of values found before, never larger ones.

    Parameters
    ----------
    operator : PayoffOperator
        The matrix.
    accuracy : float
        The relative error to aim for.
    max_products : int
        When to give up; what was found by then is returned.
    """
    lengths: list[float] = []
    norm = 0.0
    look = _FIRST_LOOK
    for length in _lanczos_lengths(operator):
        lengths.append(length)
        if length <= _ROUNDING * max(lengths):
            return _top(lengths[:-1])[0]
        if len(lengths) < look:
            continue
        new, last = _top(lengths[:-1])
        settled = length * last <= np.sqrt(accuracy) * new and new - norm <= 0.1 * accuracy * new
        if settled or len(lengths) >= max_products:
            return new
        norm, look = new, max(look + 2, int(1.1 * look))
    return norm


def _lanczos_lengths(operator: PayoffOperator) -> Iterator[float]:
    """Yield the off-diagonal entries of the tridiagonal matrix, whose diagonal is zero, one for each product.

    For a skew matrix it is that of the matrix itself; for another that of the bidiagonalization, in which products
    with the matrix and with its transpose take turns.
    """
    vector = np.random.default_rng(_SEED).standard_normal(operator.shape[1])
    vector /= np.linalg.norm(vector)
    before, length = np.zeros(1), 0.0
    transposed = False
    while True:
        image = operator.transposed_product(vector) if transposed else operator.product(vector)
        image = image + length * before if operator.is_skew else image - length * before
        length = length_of(image)
        yield length
        before, vector = vector, image / length
        transposed = not (transposed or operator.is_skew)


def _top(lengths: list[float]) -> tuple[float, float]:
    """Return the largest eigenvalue of the tridiagonal matrix, and the last entry of its eigenvector."""
    if not lengths:
        return 0.0, 1.0
    values, vectors = np.linalg.eigh(np.diag(lengths, -1))
    return float(values[-1]), abs(float(vectors[-1, -1]))
