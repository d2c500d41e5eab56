"""Payoffs of low rank: products of thin factors, and scores between embeddings."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from .._types import FloatArray, IntArray
from .base import Cost, PayoffOperator

# Rows of a factor that are made triangular at a time.
_ROWS_AT_ONCE = 2**16


class LowRank(PayoffOperator):
    """The payoff ``left @ right.T``; for scores ``V R V'`` of one set of vectors see `LowRankSkew`.

    Parameters
    ----------
    left, right : ndarray, shape (rows, rank) and (columns, rank)
        float64.
    is_skew : bool
        Whether the product is skew; not checked here.
    """

    def __init__(self, left: FloatArray, right: FloatArray, *, is_skew: bool) -> None:
        self.left, self.right = left, right
        self.shape = (int(left.shape[0]), int(right.shape[0]))
        self.is_skew = is_skew

    def product(self, vector: FloatArray) -> FloatArray:
        """Return ``A @ vector``."""
        return np.asarray(self.left @ (vector @ self.right))

    def transposed_product(self, vector: FloatArray) -> FloatArray:
        """Return ``A.T @ vector``."""
        return -self.product(vector) if self.is_skew else np.asarray(self.right @ (vector @ self.left))

    @property
    def cost(self) -> Cost:
        """What one product takes."""
        return Cost(float(self.left.nbytes + self.right.nbytes), 2.0 * (self.left.size + self.right.size))

    @property
    def nbytes(self) -> int:
        """Bytes of the factors."""
        return int(self.left.nbytes + self.right.nbytes)

    def largest(self) -> float:
        """Return the bound that the lengths of the factors' rows give."""
        lengths = [float(np.sqrt(np.einsum("ij,ij->i", part, part).max())) for part in (self.left, self.right)]
        return lengths[0] * lengths[1]

    @cached_property
    def norm(self) -> float:
        """The 2-norm, exact up to rounding: that of the product of the factors' triangular parts."""
        return float(np.linalg.norm(_triangular(self.left) @ _triangular(self.right).T, 2))

    def describe(self) -> str:
        """Return the rank."""
        return f"rank {self.left.shape[1]}"

    def block(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Return the submatrix."""
        return np.asarray(self.left[rows] @ self.right[columns].T)

    @property
    def block_is_cheap(self) -> bool:
        """True."""
        return True

    def columns_product(self, columns: IntArray, masses: FloatArray) -> FloatArray:
        """Return ``A[:, columns] @ masses``."""
        return np.asarray(self.left @ (masses @ self.right[columns]))

    def rows_product(self, rows: IntArray, masses: FloatArray) -> FloatArray:
        """Return ``masses @ A[rows]``."""
        return np.asarray(self.right @ (masses @ self.left[rows]))


class LowRankSkew(PayoffOperator):
    """The payoff ``V R V'`` with a small skew R: scores of general preference embeddings, taken as they are.

    Only V is held, and R is applied to a vector of its rank; `Embeddings` has the win probabilities of such scores.

    Parameters
    ----------
    vectors : ndarray, shape (n, rank)
        V, float64.
    skew : ndarray, shape (rank, rank)
        R, with ``R' = -R``; not checked here.

    Examples
    --------
    >>> import numpy as np
    >>> from gametheory_pref.operators import LowRankSkew
    >>> angles = 2.0 * np.pi * np.arange(3) / 3.0
    >>> turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    >>> cycle = LowRankSkew(np.column_stack([np.cos(angles), np.sin(angles)]), turn)
    >>> cycle.product(np.array([1.0, 0.0, 0.0])).round(4)
    array([ 0.   ,  0.866, -0.866])
    """

    is_skew = True

    def __init__(self, vectors: FloatArray, skew: FloatArray) -> None:
        self.vectors, self.skew = vectors, skew
        self.shape = (len(vectors), len(vectors))

    def product(self, vector: FloatArray) -> FloatArray:
        """Return ``A @ vector``."""
        return np.asarray(self.vectors @ (self.skew @ (vector @ self.vectors)))

    def transposed_product(self, vector: FloatArray) -> FloatArray:
        """Return minus the product."""
        return -self.product(vector)

    @property
    def cost(self) -> Cost:
        """What one product takes: the vectors are read twice."""
        return Cost(2.0 * self.vectors.nbytes, 4.0 * self.vectors.size)

    @property
    def nbytes(self) -> int:
        """Bytes of the vectors."""
        return int(self.vectors.nbytes)

    def largest(self) -> float:
        """Return the bound that the lengths of the vectors and the norm of R give."""
        return float(np.linalg.norm(self.skew, 2) * np.einsum("ij,ij->i", self.vectors, self.vectors).max())

    @cached_property
    def norm(self) -> float:
        """The 2-norm, exact up to rounding: that of R between the triangular parts of V."""
        triangular = _triangular(self.vectors)
        return float(np.linalg.norm(triangular @ self.skew @ triangular.T, 2))

    def describe(self) -> str:
        """Return the rank."""
        return f"skew of rank {self.vectors.shape[1]}"

    def block(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Return the submatrix, exactly skew for the same rows and columns."""
        forth = self.vectors[rows] @ self.skew @ self.vectors[columns].T
        back = self.vectors[columns] @ self.skew @ self.vectors[rows].T
        return np.asarray(0.5 * (forth - back.T))

    @property
    def block_is_cheap(self) -> bool:
        """True."""
        return True

    def columns_product(self, columns: IntArray, masses: FloatArray) -> FloatArray:
        """Return ``A[:, columns] @ masses``."""
        return np.asarray(self.vectors @ (self.skew @ (masses @ self.vectors[columns])))

    def rows_product(self, rows: IntArray, masses: FloatArray) -> FloatArray:
        """Return ``masses @ A[rows]``."""
        return -self.columns_product(rows, masses)


def _triangular(factor: FloatArray) -> FloatArray:
    """Return the triangular part of the QR decomposition of a thin matrix, some rows after the others."""
    part = np.zeros((0, factor.shape[1]))
    for first in range(0, len(factor), _ROWS_AT_ONCE):
        part = np.asarray(np.linalg.qr(np.concatenate([part, factor[first : first + _ROWS_AT_ONCE]]), mode="r"))
    return part
