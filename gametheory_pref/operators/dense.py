"""A payoff matrix in memory, or mapped from a file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from .._types import FloatArray, IntArray
from ..kernels.products import add_rows, add_triangle, dots, dots_and_rows
from .base import Cost, PayoffOperator
from .panels import as_vector, each_panel, panels, summed_panels, triangle_panels

# Bytes of a memory map that are converted at a time.
_PANEL_BYTES = 2**25
# From this many entries on compiled kernels and threads read the matrix: it is too large for most caches, and half of
# it is enough where it is skew. Below, the library behind NumPy is as fast, and there is nothing to load.
_LARGE = 4_000_000
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
        # Compiled code is made anew for arrays that may be written to, so all of them may not.
        self._stored = (matrix.T if self._flipped else matrix).view()
        self._stored.flags.writeable = False

    @property
    def is_mapped(self) -> bool:
        """Whether the matrix stays on the disk."""
        return isinstance(self.matrix, np.memmap)

    @property
    def _by_kernels(self) -> bool:
        return self.matrix.size >= _LARGE and not self.is_mapped

    def product(self, vector: FloatArray) -> FloatArray:
        """Return ``A @ vector``."""
        if self.is_skew and (self._by_kernels or self.is_mapped):
            product = self._triangle_product(vector)
            return -product if self._flipped else product
        return self._across(vector) if self._flipped else self._along(vector)

    def transposed_product(self, vector: FloatArray) -> FloatArray:
        """Return ``A.T @ vector``."""
        if self.is_skew:
            return -self.product(vector)
        return self._along(vector) if self._flipped else self._across(vector)

    def both_products(self, row: FloatArray, column: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return ``(A @ column, A.T @ row)``, in one pass over a large matrix."""
        if self.is_skew:
            return self.product(column), -self.product(row)
        if self._flipped:
            down, up = self._along_and_across(row, column)
        else:
            up, down = self._along_and_across(column, row)
        return up, down

    def _along(self, vector: FloatArray) -> FloatArray:
        """Return the product with the rows of the array as it is stored."""
        out = np.empty(len(self._stored))
        if self._by_kernels:
            vector = as_vector(vector, self._stored.shape[1])
            each_panel(lambda rows: dots(self._stored[rows], vector, out[rows]), panels(len(out)))
            return out
        for rows, panel in self._panels():
            out[rows] = panel @ vector
        return out

    def _across(self, vector: FloatArray) -> FloatArray:
        """Return the product with the columns of the array as it is stored."""
        n_rows, n_columns = self._stored.shape
        if self._by_kernels:
            vector = as_vector(vector, n_rows)
            return summed_panels(
                lambda rows, sums: add_rows(self._stored[rows], vector[rows], sums), panels(n_rows), n_columns
            )
        out = np.zeros(n_columns)
        for rows, panel in self._panels():
            out += vector[rows] @ panel
        return out

    def _along_and_across(self, along: FloatArray, across: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the products of `along` with the rows, and of `across` with the columns, as stored."""
        n_rows, n_columns = self._stored.shape
        out = np.empty(n_rows)
        if self._by_kernels:
            along, across = as_vector(along, n_columns), as_vector(across, n_rows)
            sums = summed_panels(
                lambda rows, part: dots_and_rows(self._stored[rows], along, across[rows], out[rows], part),
                panels(n_rows), n_columns,
            )
            return out, sums
        sums = np.zeros(n_columns)
        for rows, panel in self._panels():
            out[rows] = panel @ along
            sums += across[rows] @ panel
        return out, sums

    def _triangle_product(self, vector: FloatArray) -> FloatArray:
        """Return the product with a skew array as stored, from the entries above the diagonal."""
        n = len(self._stored)
        if self._by_kernels:
            vector = as_vector(vector, n)
            negative = -vector

            def work(rows: slice, sums: FloatArray) -> None:
                add_triangle(self._stored, rows.start, rows.stop, vector, negative, np.empty(8), sums)

            return summed_panels(work, triangle_panels(n), n)
        out = np.zeros(n)
        for rows in self._ranges():
            panel = np.ascontiguousarray(self._stored[rows, rows.start:], dtype=np.float64)
            out[rows] += panel @ vector[rows.start:]
            out[rows.stop:] -= vector[rows] @ panel[:, rows.stop - rows.start:]
        return out

    def _ranges(self) -> Iterator[slice]:
        """Yield ranges of rows as stored: all of them, or as many as one reads of a memory map at a time."""
        n_rows, n_columns = self._stored.shape
        height = max(1, _PANEL_BYTES // (8 * n_columns)) if self.is_mapped else n_rows
        for first in range(0, n_rows, height):
            yield slice(first, min(first + height, n_rows))

    def _panels(self) -> Iterator[tuple[slice, FloatArray]]:
        """Yield ranges of rows as stored, with what stands there in float64."""
        for rows in self._ranges():
            yield rows, np.ascontiguousarray(self._stored[rows], dtype=np.float64)

    @property
    def cost(self) -> Cost:
        """What one product takes; half of the bytes where only the entries above the diagonal are read."""
        half = self.is_skew and (self._by_kernels or self.is_mapped)
        return Cost(self.matrix.nbytes * (0.5 if half else 1.0), 2.0 * self.matrix.size)

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
        return "dense, mapped from a file" if self.is_mapped else "dense"

    def block(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Return the submatrix."""
        return np.asarray(self.matrix[np.ix_(rows, columns)], dtype=np.float64)

    @property
    def block_is_cheap(self) -> bool:
        """True."""
        return True

    def columns_product(self, columns: IntArray, masses: FloatArray) -> FloatArray:
        """Return ``A[:, columns] @ masses``."""
        if self.is_skew and not self._flipped:
            # The columns of a skew matrix are minus its rows, and those lie together.
            return -self._stored_rows_product(columns, masses)
        if self._flipped:
            return self._stored_rows_product(columns, masses)
        return np.asarray(self.matrix[:, columns], dtype=np.float64) @ masses

    def rows_product(self, rows: IntArray, masses: FloatArray) -> FloatArray:
        """Return ``masses @ A[rows]``."""
        if not self._flipped:
            return self._stored_rows_product(rows, masses)
        if self.is_skew:
            return -self._stored_rows_product(rows, masses)
        return masses @ np.asarray(self.matrix[rows], dtype=np.float64)

    def _stored_rows_product(self, rows: IntArray, masses: FloatArray) -> FloatArray:
        return masses @ np.asarray(self._stored[rows], dtype=np.float64)
