"""A payoff matrix in memory, or mapped from a file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from .._types import FloatArray, IntArray
from .base import Cost, PayoffOperator

# Bytes of a memory map that are converted at a time.
_PANEL_BYTES = 2**25
# Up to this many rows or columns the 2-norm is found exactly.
_SMALL = 200


class Dense(PayoffOperator):
    """A payoff matrix as an array; a memory map stays on the disk.

    Parameters
    ----------
    matrix : ndarray, shape (rows, columns)
        In any order of memory. An array in memory is held as float64 and contiguous: it is copied, once, if it is not
        so already. A `numpy.memmap` is read in panels of rows (of columns, in Fortran order), which are converted one
        at a time, so that float32 on the disk stays that small.
    is_skew : bool
        Whether the matrix is skew, exactly; not checked here.

    Examples
    --------
    >>> import numpy as np
    >>> from gametheory_pref.operators import Dense
    >>> game = Dense(np.array([[3.0, -1.0, 0.0], [0.0, 2.0, 1.0]]), is_skew=False)
    >>> game @ np.array([0.5, 0.25, 0.25])
    array([1.25, 0.75])
    >>> round(game.norm, 4), game.largest()
    (3.2713, 3.0)
    """

    def __init__(self, matrix: FloatArray, *, is_skew: bool) -> None:
        if not isinstance(matrix, np.memmap):
            matrix = np.asarray(matrix, dtype=np.float64)
            if not (matrix.flags.c_contiguous or matrix.flags.f_contiguous):
                matrix = np.ascontiguousarray(matrix)
        self.matrix = matrix
        self.shape = (int(matrix.shape[0]), int(matrix.shape[1]))
        self.is_skew = is_skew
        self._flipped = matrix.flags.f_contiguous and not matrix.flags.c_contiguous
        self._stored = matrix.T if self._flipped else matrix

    def product(self, vector: FloatArray) -> FloatArray:
        """Return ``A @ vector``."""
        return self._across(vector) if self._flipped else self._along(vector)

    def transposed_product(self, vector: FloatArray) -> FloatArray:
        """Return ``A.T @ vector``."""
        if self.is_skew:
            return -self.product(vector)
        return self._along(vector) if self._flipped else self._across(vector)

    def both_products(self, row: FloatArray, column: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return ``(A @ column, A.T @ row)``."""
        return self.product(column), self.transposed_product(row)

    def _along(self, vector: FloatArray) -> FloatArray:
        """Return the product with the rows of the array as it is stored."""
        out = np.empty(len(self._stored))
        for rows, panel in self._panels():
            out[rows] = panel @ vector
        return out

    def _across(self, vector: FloatArray) -> FloatArray:
        """Return the product with the columns of the array as it is stored."""
        out = np.zeros(self._stored.shape[1])
        for rows, panel in self._panels():
            out += vector[rows] @ panel
        return out

    def _panels(self) -> Iterator[tuple[slice, FloatArray]]:
        """Yield ranges of rows as stored, with what stands there in float64."""
        n_rows, n_columns = self._stored.shape
        height = max(1, _PANEL_BYTES // (8 * n_columns)) if isinstance(self.matrix, np.memmap) else n_rows
        for first in range(0, n_rows, height):
            rows = slice(first, min(first + height, n_rows))
            yield rows, np.ascontiguousarray(self._stored[rows], dtype=np.float64)

    @property
    def cost(self) -> Cost:
        """What one product takes."""
        return Cost(float(self.matrix.nbytes), 2.0 * self.matrix.size)

    @property
    def nbytes(self) -> int:
        """Bytes of the matrix, in memory or on the disk."""
        return int(self.matrix.nbytes)

    def largest(self) -> float:
        """Return the largest absolute value."""
        return max(float(max(panel.max(), -panel.min())) for _, panel in self._panels())

    @cached_property
    def norm(self) -> float:
        """The 2-norm: exact for small matrices, else from below up to a relative error of about 1e-3."""
        if min(self.shape) <= _SMALL and max(self.shape) <= 10 * _SMALL:
            return float(np.linalg.norm(np.asarray(self.matrix, dtype=np.float64), 2))
        return super().norm

    def describe(self) -> str:
        """Return "dense", and whether it stays on the disk."""
        return "dense, mapped from a file" if isinstance(self.matrix, np.memmap) else "dense"

    def block(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Return the submatrix."""
        return np.asarray(self.matrix[np.ix_(rows, columns)], dtype=np.float64)

    @property
    def block_is_cheap(self) -> bool:
        """True."""
        return True

    def terms_product(self, indices: IntArray, vector: FloatArray) -> FloatArray:
        """Return the mean of ``n A[:, j] vector[j]`` over some columns j, which may repeat."""
        if not self.is_skew:
            return super().terms_product(indices, vector)
        # The columns of a skew matrix are minus its rows, and those lie together.
        sign = 1.0 if self._flipped else -1.0
        rows = np.asarray(self._stored[indices], dtype=np.float64)
        return np.asarray(vector[indices] @ rows) * (sign * self.n_terms / len(indices))
