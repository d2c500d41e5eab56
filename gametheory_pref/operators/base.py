"""A payoff matrix known by its products, which is all that update rules ask of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .._types import FloatArray, IntArray


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

    @cached_property
    def norm(self) -> float:
        """The 2-norm, as far as power iteration finds it: up to a relative error of about 1e-3, from below.

        Methods that need an upper bound guard themselves against the rest.
        """
        return power_norm(self)

    def __matmul__(self, vector: FloatArray) -> FloatArray:
        return self.product(vector)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shape[0]} x {self.shape[1]}; {self.describe()})"


def power_norm(operator: PayoffOperator, *, accuracy: float = 1e-4, max_steps: int = 200) -> float:
    """Return the 2-norm by power iteration on ``A' A`` from a fixed random start; a lower bound."""
    vector = np.random.default_rng(0).standard_normal(operator.shape[1])
    vector /= np.linalg.norm(vector)
    norm = 0.0
    for _ in range(max_steps):
        image = operator.product(vector)
        new = float(np.linalg.norm(image))
        if new == 0.0:
            return norm
        vector = -operator.product(image) if operator.is_skew else operator.transposed_product(image)
        vector /= np.linalg.norm(vector)
        if new <= norm * (1.0 + accuracy):
            return new
        norm = new
    return norm


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

    def transposed_product(self, vector: FloatArray) -> FloatArray:
        """Return minus the product."""
        return -self.product(vector)

    @property
    def cost(self) -> Cost:
        """What one product takes: two of the payoff."""
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
