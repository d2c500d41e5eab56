"""A payoff matrix known by its products, which is all that update rules ask of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .._types import FloatArray, IntArray
from .norms import largest_singular_value


class Cost(NamedTuple):
    """What one product takes: bytes moved from memory, and floating-point operations."""

    bytes: float
    flops: float


class PayoffOperator(ABC):
    """A payoff matrix ``A`` of shape (rows, columns), or what takes its place: the products with it.

    A skew operator is the payoff of a symmetric game, another that of the row player in a zero-sum game.

    Attributes
    ----------
    shape : tuple of int
        Number of responses of the row and of the column player.
    is_skew : bool
        Whether ``A' = -A``.
    """

    shape: tuple[int, int]
    is_skew: bool

    @abstractmethod
    def product(self, vector: FloatArray) -> FloatArray:
        """Return ``A @ vector``."""

    @abstractmethod
    def transposed_product(self, vector: FloatArray) -> FloatArray:
        """Return ``A.T @ vector``."""

    def both_products(self, row: FloatArray, column: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return ``(A @ column, A.T @ row)``; in one pass over the data where the operator can."""
        return self.product(column), self.transposed_product(row)

    @property
    @abstractmethod
    def cost(self) -> Cost:
        """What one product takes."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes that the operator holds."""

    @abstractmethod
    def largest(self) -> float:
        """Return an upper bound on the absolute value of an entry, the largest one where it is cheap to find."""

    @abstractmethod
    def describe(self) -> str:
        """Return what it is in a few words, such as ``sparse, 20000000 entries``."""

    def block(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Return the dense submatrix of some rows and columns.

        This takes one product for each column; operators that know their entries do it faster.
        """
        block = np.empty((len(rows), len(columns)))
        for k, column in enumerate(columns):
            pure = np.zeros(self.shape[1])
            pure[column] = 1.0
            block[:, k] = self.product(pure)[rows]
        return block

    @property
    def block_is_cheap(self) -> bool:
        """Whether `block` costs about its own size, not products with the whole operator."""
        return False

    @property
    def is_finite_sum(self) -> bool:
        """Whether it is the mean of terms of its own (`FiniteSum`), not only a sum over its columns."""
        return False

    @property
    def n_terms(self) -> int:
        """How many terms it is the mean of: ``A = mean of A_i``. A plain matrix has one for each column."""
        return self.shape[1]

    def terms_product(self, indices: IntArray, vector: FloatArray) -> FloatArray:
        """Return the mean of ``A_i @ vector`` over some terms, which may repeat: an estimate of the product.

        Term i of a plain matrix with n columns is ``n A[:, i]`` in column i and zero elsewhere: see `columns_product`.
        """
        return self.columns_product(indices, vector[indices]) * (self.n_terms / len(indices))

    def columns_product(self, columns: IntArray, masses: FloatArray) -> FloatArray:
        """Return ``A[:, columns] @ masses``; columns may repeat.

        Operators that know their entries read those columns only; for others it is a product with the whole.
        """
        return self.product(np.bincount(columns, masses, minlength=self.shape[1]).astype(np.float64))

    def rows_product(self, rows: IntArray, masses: FloatArray) -> FloatArray:
        """Return ``masses @ A[rows]``, as `columns_product` does for columns."""
        return self.transposed_product(np.bincount(rows, masses, minlength=self.shape[0]).astype(np.float64))

    @cached_property
    def norm(self) -> float:
        """The 2-norm, as far as products tell: from below, up to a relative error of about 1e-3.

        Methods that need an upper bound guard themselves against the rest.
        """
        return largest_singular_value(self)

    def __matmul__(self, vector: FloatArray) -> FloatArray:
        return self.product(vector)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shape[0]} x {self.shape[1]}; {self.describe()})"
