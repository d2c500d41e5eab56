"""A payoff matrix of which few entries are not zero: a graph of battles."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._types import FloatArray, IntArray
from .base import Cost, PayoffOperator


class Sparse(PayoffOperator):
    """A payoff matrix in compressed rows.

    Parameters
    ----------
    matrix : scipy sparse array, shape (rows, columns)
        float64, CSR, without duplicates.
    is_skew : bool
        Whether the matrix is skew, exactly; not checked here.
    """

    def __init__(self, matrix: Any, *, is_skew: bool) -> None:
        self.matrix = matrix
        self.shape = (int(matrix.shape[0]), int(matrix.shape[1]))
        self.is_skew = is_skew

    def product(self, vector: FloatArray) -> FloatArray:
        """Return ``A @ vector``."""
        return np.asarray(self.matrix @ vector)

    def transposed_product(self, vector: FloatArray) -> FloatArray:
        """Return ``A.T @ vector``."""
        return -self.product(vector) if self.is_skew else np.asarray(self.matrix.T @ vector)

    @property
    def cost(self) -> Cost:
        """What one product takes."""
        return Cost(float(self.nbytes), 2.0 * self.matrix.nnz)

    @property
    def nbytes(self) -> int:
        """Bytes of entries and positions."""
        return int(self.matrix.data.nbytes + self.matrix.indices.nbytes + self.matrix.indptr.nbytes)

    def largest(self) -> float:
        """Return the largest absolute value."""
        return float(np.abs(self.matrix.data).max(initial=0.0))

    def describe(self) -> str:
        """Return how many entries are stored."""
        return f"sparse, {self.matrix.nnz} entries"

    def block(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Return the submatrix."""
        return np.asarray(self.matrix[rows][:, columns].toarray())

    @property
    def block_is_cheap(self) -> bool:
        """True."""
        return True
