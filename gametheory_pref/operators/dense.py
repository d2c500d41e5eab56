"""A payoff matrix in memory, or mapped from a file."""

from __future__ import annotations

import numpy as np

from .._types import FloatArray, IntArray
from .base import Cost, PayoffOperator


class Dense(PayoffOperator):
    """A payoff matrix as an array; a memory map stays on the disk.

    Parameters
    ----------
    matrix : ndarray, shape (rows, columns)
        float64.
    is_skew : bool
        Whether the matrix is skew, exactly; not checked here.
    """

    def __init__(self, matrix: FloatArray, *, is_skew: bool) -> None:
        self.matrix = matrix
        self.shape = (int(matrix.shape[0]), int(matrix.shape[1]))
        self.is_skew = is_skew

    def product(self, vector: FloatArray) -> FloatArray:
        """Return ``A @ vector``."""
        return np.asarray(self.matrix @ vector)

    def transposed_product(self, vector: FloatArray) -> FloatArray:
        """Return ``A.T @ vector``."""
        return -self.product(vector) if self.is_skew else np.asarray(vector @ self.matrix)

    @property
    def cost(self) -> Cost:
        """What one product takes."""
        return Cost(8.0 * self.matrix.size, 2.0 * self.matrix.size)

    @property
    def nbytes(self) -> int:
        """Bytes of the matrix."""
        return int(self.matrix.nbytes)

    def largest(self) -> float:
        """Return the largest absolute value."""
        return float(max(self.matrix.max(), -self.matrix.min()))

    def describe(self) -> str:
        """Return "dense"."""
        return "dense"

    def block(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Return the submatrix."""
        return np.asarray(self.matrix[np.ix_(rows, columns)])

    @property
    def block_is_cheap(self) -> bool:
        """True."""
        return True
