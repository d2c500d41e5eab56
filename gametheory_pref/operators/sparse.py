"""A payoff matrix of which few entries are not zero: a graph of battles."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from .._types import FloatArray, IntArray
from .base import Cost, PayoffOperator
from .panels import as_vector, each_panel, panels, summed_panels

# From this many entries on threads share the rows.
_LARGE = 500_000


class Sparse(PayoffOperator):
    """A payoff matrix in compressed rows.

    Products are SciPy's, panel by panel in threads. A one-pass product with the entries above the diagonal only, for
    skew matrices, was measured to take as long: what counts is where the columns lie, not the bytes of the entries.

    Parameters
    ----------
    matrix : scipy sparse array, shape (rows, columns)
        float64, CSR, without duplicates.
    is_skew : bool
        Whether the matrix is skew, exactly; not checked here.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> from gametheory_pref.operators import Sparse
    >>> margins = csr_array(([0.5, -0.5, 0.25, -0.25], ([0, 1, 1, 2], [1, 0, 2, 1])), shape=(3, 3))
    >>> battles = Sparse(margins, is_skew=True)
    >>> battles.product(np.array([0.0, 1.0, 0.0]))
    array([ 0.5 ,  0.  , -0.25])
    >>> battles
    Sparse(3 x 3; sparse, 4 entries)
    """

    def __init__(self, matrix: Any, *, is_skew: bool) -> None:
        self.matrix = matrix
        self.shape = (int(matrix.shape[0]), int(matrix.shape[1]))
        self.is_skew = is_skew

    def product(self, vector: FloatArray) -> FloatArray:
        """Return ``A @ vector``."""
        if self.matrix.nnz < _LARGE:
            return np.asarray(self.matrix @ vector)
        out = np.empty(self.shape[0])

        def work(rows: slice) -> None:
            out[rows] = self._panels[rows.start] @ vector

        each_panel(work, self._ranges)
        return out

    def transposed_product(self, vector: FloatArray) -> FloatArray:
        """Return ``A.T @ vector``."""
        if self.is_skew:
            return -self.product(vector)
        if self.matrix.nnz < _LARGE:
            return np.asarray(self.matrix.T @ vector)
        vector = as_vector(vector, self.shape[0])

        def work(rows: slice, sums: FloatArray) -> None:
            sums += self._panels[rows.start].T @ vector[rows]

        return summed_panels(work, self._ranges, self.shape[1])

    @cached_property
    def _ranges(self) -> list[slice]:
        """Ranges of rows; no more than keep the vectors that they add to small beside the entries."""
        return panels(self.shape[0], at_most=self.matrix.nnz // (8 * max(self.shape)))

    @cached_property
    def _panels(self) -> dict[int, Any]:
        """The rows of each range, by the first of them: views, not copies."""
        starts, columns, entries = self.matrix.indptr, self.matrix.indices, self.matrix.data
        found = {}
        for rows in self._ranges:
            part = slice(starts[rows.start], starts[rows.stop])
            compressed = (entries[part], columns[part], starts[rows.start : rows.stop + 1] - starts[rows.start])
            found[rows.start] = type(self.matrix)(compressed, shape=(rows.stop - rows.start, self.shape[1]))
        return found

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
        return float(max(self.matrix.data.max(initial=0.0), -self.matrix.data.min(initial=0.0)))

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

    def columns_product(self, columns: IntArray, masses: FloatArray) -> FloatArray:
        """Return ``A[:, columns] @ masses``; a matrix that is not skew is compressed by columns, too, for the first."""
        if self.is_skew:
            return -self.rows_product(columns, masses)
        return np.asarray(self._by_columns[:, columns] @ masses)

    def rows_product(self, rows: IntArray, masses: FloatArray) -> FloatArray:
        """Return ``masses @ A[rows]``."""
        return np.asarray(masses @ self.matrix[rows])

    @cached_property
    def _by_columns(self) -> Any:
        return self.matrix.tocsc()
