"""Both players of a zero-sum game as one."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from .._types import FloatArray, IntArray
from .base import Cost, PayoffOperator
from .finite_sum import FiniteSum


class Stacked(PayoffOperator):
    """The skew payoff over the responses of both players of a zero-sum game, ``[[0, A], [-A', 0]]``."""

    is_skew = True

    def __init__(self, payoff: PayoffOperator) -> None:
        self.payoff = payoff
        size = sum(payoff.shape)
        self.shape = (size, size)

    def product(self, vector: FloatArray) -> FloatArray:
        """Return ``(A @ column, -A.T @ row)`` for ``vector = (row, column)``."""
        rows = self.payoff.shape[0]
        up, down = self.payoff.both_products(vector[:rows], vector[rows:])
        return np.concatenate([up, -down])

    def side_product(self, vector: FloatArray, side: int) -> FloatArray:
        """Return the half of the product that one side gets (0 the row player), and 0 for the other."""
        rows, out = self.payoff.shape[0], np.zeros(len(vector))
        if side == 0:
            out[:rows] = self.payoff.product(vector[rows:])
        else:
            out[rows:] = -self.payoff.transposed_product(vector[:rows])
        return out

    def transposed_product(self, vector: FloatArray) -> FloatArray:
        """Return minus the product."""
        return -self.product(vector)

    @property
    def cost(self) -> Cost:
        """What one product takes: both of the payoff."""
        bytes_moved, flops = self.payoff.cost
        return Cost(2.0 * bytes_moved, 2.0 * flops)

    @property
    def nbytes(self) -> int:
        """Bytes that the payoff holds."""
        return self.payoff.nbytes

    def largest(self) -> float:
        """Return the bound of the payoff."""
        return self.payoff.largest()

    def describe(self) -> str:
        """Return the description of the payoff."""
        return self.payoff.describe()

    @cached_property
    def norm(self) -> float:
        """The 2-norm of the payoff."""
        return self.payoff.norm

    def block(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Return the submatrix, from two blocks of the payoff."""
        rows, columns, first = np.asarray(rows), np.asarray(columns), self.payoff.shape[0]
        up, left = np.flatnonzero(rows < first), np.flatnonzero(columns < first)
        down, right = np.flatnonzero(rows >= first), np.flatnonzero(columns >= first)
        block = np.zeros((len(rows), len(columns)))
        block[np.ix_(up, right)] = self.payoff.block(rows[up], columns[right] - first)
        block[np.ix_(down, left)] = -self.payoff.block(columns[left], rows[down] - first).T
        return block

    @property
    def block_is_cheap(self) -> bool:
        """Whether that of the payoff is."""
        return self.payoff.block_is_cheap

    @property
    def is_finite_sum(self) -> bool:
        """Whether the payoff is one."""
        return self.payoff.is_finite_sum

    @property
    def n_terms(self) -> int:
        """How many terms the payoff has if it is a finite sum; else one for each response of both players."""
        return self.payoff.n_terms if self.is_finite_sum else self.shape[1]

    @property
    def mean_norm(self) -> float:
        """That of the payoff, which must be a finite sum."""
        if not isinstance(self.payoff, FiniteSum):
            raise AttributeError("only the terms of a finite sum have constants")
        return self.payoff.mean_norm

    def terms_product(self, indices: IntArray, vector: FloatArray) -> FloatArray:
        """Return the mean of some terms' products: terms of the payoff, stacked, or columns of the stacked matrix."""
        rows = self.payoff.shape[0]
        if isinstance(self.payoff, FiniteSum):
            up, down = self.payoff.terms_both_products(indices, vector[:rows], vector[rows:])
            return np.concatenate([up, -down])
        indices = np.asarray(indices)
        masses, of_row = vector[indices], indices < rows
        up = self.payoff.columns_product(indices[~of_row] - rows, masses[~of_row])
        down = self.payoff.rows_product(indices[of_row], masses[of_row])
        return np.concatenate([up, -down]) * (self.n_terms / len(indices))
