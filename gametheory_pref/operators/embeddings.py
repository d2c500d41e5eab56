"""Win probabilities of scores between embeddings, found block by block."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from .._types import FloatArray, IntArray
from ..kernels.products import add_win_margins
from .base import Cost, PayoffOperator
from .panels import as_vector, summed_panels, triangle_panels

# Rows and columns of a block: some megabytes of scores at a time, whatever the number of responses.
_TILE = 512
# From this many responses on compiled code finds the entries, in threads; a product takes NumPy tens of milliseconds.
_LARGE = 1000
# Arithmetic of an entry besides the score: a hyperbolic tangent, and two products.
_FLOPS_OF_ENTRY = 30.0


class Embeddings(PayoffOperator):
    """The payoff ``sigmoid(s) - 1/2`` of the scores ``s = V R V'``: general preference embeddings as win probabilities.

    The matrix is never held: a product finds the scores above the diagonal block by block and uses each entry for its
    mirror image as well, so that the payoff is skew in floating point, too. Bradley-Terry strengths ``r`` are
    the vectors ``(r_i, 1)`` with ``R = [[0, 1], [-1, 0]]``: scores ``r_i - r_j``.

    Parameters
    ----------
    vectors : ndarray, shape (n, rank)
        V, float64: one embedding per response.
    skew : ndarray, shape (rank, rank)
        R, with ``R' = -R``; not checked here.

    Examples
    --------
    >>> import numpy as np
    >>> from gametheory_pref.operators import Embeddings
    >>> strengths = np.array([2.0, 1.0, 0.0])
    >>> game = Embeddings(np.column_stack([strengths, np.ones(3)]), np.array([[0.0, 1.0], [-1.0, 0.0]]))
    >>> game.product(np.array([0.0, 0.0, 1.0])).round(4)
    array([0.3808, 0.2311, 0.    ])
    """

    is_skew = True

    def __init__(self, vectors: FloatArray, skew: FloatArray) -> None:
        self.vectors, self.skew = vectors, skew
        self.turned = np.ascontiguousarray(vectors @ skew)
        self.shape = (len(vectors), len(vectors))

    def product(self, vector: FloatArray) -> FloatArray:
        """Return ``A @ vector``."""
        if self.shape[0] >= _LARGE:
            return self._compiled_product(as_vector(vector, self.shape[0]))
        out = np.zeros(self.shape[0])
        for rows, columns in self._tiles():
            block = _win_margins(self.turned[rows], self.vectors[columns])
            if rows == columns:
                block = np.triu(block, 1)
            out[rows] += block @ vector[columns]
            out[columns] -= vector[rows] @ block
        return out

    def _compiled_product(self, vector: FloatArray) -> FloatArray:
        n = self.shape[0]
        columns = self._columns

        def work(rows: slice, sums: FloatArray) -> None:
            add_win_margins(self.turned, columns, rows.start, rows.stop, vector, np.empty(_TILE), sums)

        return summed_panels(work, triangle_panels(n), n)

    @cached_property
    def _columns(self) -> FloatArray:
        """V transposed, for compiled code."""
        return np.array(self.vectors.T, order="C")

    def _tiles(self) -> Iterator[tuple[slice, slice]]:
        """Yield the blocks on and above the diagonal."""
        edges = range(0, self.shape[0], _TILE)
        for i in edges:
            for j in range(i, self.shape[0], _TILE):
                yield slice(i, i + _TILE), slice(j, j + _TILE)

    def transposed_product(self, vector: FloatArray) -> FloatArray:
        """Return minus the product."""
        return -self.product(vector)

    @property
    def cost(self) -> Cost:
        """What one product takes: half of the entries, each from a score."""
        n, rank = self.vectors.shape
        tiles = max(1.0, n / _TILE)
        return Cost(8.0 * n * rank * tiles, 0.5 * n * n * (2.0 * rank + _FLOPS_OF_ENTRY))

    @property
    def nbytes(self) -> int:
        """Bytes of the embeddings, as they are, turned and, for compiled code, transposed."""
        copies = 2 if self.shape[0] >= _LARGE else 1
        return int(copies * self.vectors.nbytes + self.turned.nbytes)

    def largest(self) -> float:
        """Return the bound that the lengths of the embeddings give, below 1/2."""
        lengths = [float(np.sqrt(np.einsum("ij,ij->i", part, part).max())) for part in (self.turned, self.vectors)]
        return float(0.5 * np.tanh(0.5 * lengths[0] * lengths[1]))

    def describe(self) -> str:
        """Return the rank of the scores."""
        return f"win probabilities of scores of rank {self.vectors.shape[1]}"

    def block(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Return the submatrix; what is below the diagonal is the mirror image of what is above."""
        above = _win_margins(self.turned[rows], self.vectors[columns])
        below = -_win_margins(self.turned[columns], self.vectors[rows]).T
        order = np.subtract.outer(np.asarray(rows), np.asarray(columns))
        return np.where(order < 0, above, np.where(order > 0, below, 0.0))

    @property
    def block_is_cheap(self) -> bool:
        """True."""
        return True

    def columns_product(self, columns: IntArray, masses: FloatArray) -> FloatArray:
        """Return ``A[:, columns] @ masses``, from blocks of some rows at a time."""
        out = np.empty(self.shape[0])
        for first in range(0, self.shape[0], _TILE):
            rows = np.arange(first, min(first + _TILE, self.shape[0]))
            out[rows] = self.block(rows, columns) @ masses
        return out

    def rows_product(self, rows: IntArray, masses: FloatArray) -> FloatArray:
        """Return ``masses @ A[rows]``."""
        return -self.columns_product(rows, masses)


def _win_margins(turned: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return ``sigmoid(s) - 1/2 = tanh(s / 2) / 2`` of the scores of all pairs.

    The sum over the rank runs in one order for every shape of the block, so that an entry has one value.
    """
    scores = np.zeros((len(turned), len(vectors)))
    for one, other in zip(turned.T, vectors.T, strict=True):
        scores += np.multiply.outer(one, other)
    return np.asarray(0.5 * np.tanh(0.5 * scores))
