"""Payoffs from embeddings: scores ``V R V'``, and win probabilities of such scores."""

from __future__ import annotations

import numpy as np

from .._types import FloatArray, IntArray
from .base import Cost, PayoffOperator


class LowRank(PayoffOperator):
    """The payoff ``left @ right.T``: general preference embeddings ``V R V'`` with ``left = V R``, ``right = V``.

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
