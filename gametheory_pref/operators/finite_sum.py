"""The mean of payoffs, one for each judge, prompt or batch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from .._check import as_float_array
from .._types import FloatArray, IntArray
from ..errors import InputError
from .base import Cost, PayoffOperator
from .dense import Dense
from .sparse import Sparse


class FiniteSum(PayoffOperator):
    """The weighted mean of payoffs of one shape: ``sum of weights[i] * terms[i]``, weights divided by their sum.

    For products with all terms, matrices in memory are added up once, dense ones and sparse ones: such a product costs
    as much as one with a single term, whatever their number, and takes a matrix of memory. Skew terms add up to a
    skew matrix, to the last bit.

    Variance-reduced methods look at a few terms a step: term i of n counts as ``n * weights[i] * terms[i]``, so that
    the payoff is the plain mean of its terms.

    Parameters
    ----------
    terms : sequence of PayoffOperator
        Payoffs, all of the same shape.
    weights : array_like, shape (n_terms,), optional
        At least 0, not all 0; equal ones by default.

    Raises
    ------
    InputError
        There is no term, the shapes differ, or the weights do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from gametheory_pref.operators import Dense, FiniteSum
    >>> judges = [Dense(np.array([[0.0, m], [-m, 0.0]]), is_skew=True) for m in (0.4, 0.1, -0.2)]
    >>> panel = FiniteSum(judges)
    >>> panel.product(np.array([0.0, 1.0])).round(3)
    array([0.1, 0. ])
    >>> panel.terms_product(np.array([0, 2]), np.array([0.0, 1.0])).round(3)
    array([0.1, 0. ])
    """

    def __init__(self, terms: Sequence[PayoffOperator], weights: FloatArray | Sequence[float] | None = None) -> None:
        self.terms = tuple(terms)
        if not self.terms:
            raise InputError("terms is empty; a mean needs at least one payoff")
        self.shape = self.terms[0].shape
        for i, term in enumerate(self.terms):
            if term.shape != self.shape:
                raise InputError(
                    f"terms[{i}] has shape {term.shape} and terms[0] {self.shape}; all terms must be about the same "
                    "responses"
                )
        self.weights = _shares(weights, len(self.terms))
        self.is_skew = all(term.is_skew for term in self.terms)

    def product(self, vector: FloatArray) -> FloatArray:
        """Return ``A @ vector``."""
        out = np.zeros(self.shape[0])
        for weight, term in self._merged:
            out += weight * term.product(vector)
        return out

    def transposed_product(self, vector: FloatArray) -> FloatArray:
        """Return ``A.T @ vector``."""
        out = np.zeros(self.shape[1])
        for weight, term in self._merged:
            out += weight * term.transposed_product(vector)
        return out

    def both_products(self, row: FloatArray, column: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return ``(A @ column, A.T @ row)``."""
        up, down = np.zeros(self.shape[0]), np.zeros(self.shape[1])
        for weight, term in self._merged:
            part, transposed_part = term.both_products(row, column)
            up += weight * part
            down += weight * transposed_part
        return up, down

    def _weighted(self) -> list[tuple[float, PayoffOperator]]:
        return [(weight, term) for weight, term in zip(self.weights.tolist(), self.terms, strict=True) if weight > 0.0]

    @cached_property
    def _merged(self) -> list[tuple[float, PayoffOperator]]:
        """The terms with their weights, those that can be added up as one."""
        weighted = self._weighted()
        dense = [(weight, term) for weight, term in weighted if isinstance(term, Dense) and not term.is_mapped]
        sparse = [(weight, term) for weight, term in weighted if isinstance(term, Sparse)]
        taken = {id(term) for group in (dense, sparse) if len(group) > 1 for _, term in group}
        merged = [(weight, term) for weight, term in weighted if id(term) not in taken]
        if len(dense) > 1:
            total = np.zeros(self.shape)
            for weight, one in dense:
                total += weight * one.matrix
            merged.append((1.0, Dense(total, is_skew=all(one.is_skew for _, one in dense))))
        if len(sparse) > 1:
            entries = sum(weight * other.matrix for weight, other in sparse)
            merged.append((1.0, Sparse(entries, is_skew=all(other.is_skew for _, other in sparse))))
        return merged

    @property
    def is_finite_sum(self) -> bool:
        """True."""
        return True

    @property
    def n_terms(self) -> int:
        """How many terms there are."""
        return len(self.terms)

    def terms_product(self, indices: IntArray, vector: FloatArray) -> FloatArray:
        """Return the mean of ``n weights[i] terms[i] @ vector`` over some of the n terms, which may repeat."""
        out = np.zeros(self.shape[0])
        for i in np.asarray(indices).tolist():
            out += self.weights[i] * self.terms[i].product(vector)
        return out * (self.n_terms / len(indices))

    def terms_both_products(
        self, indices: IntArray, row: FloatArray, column: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the means of some terms' products with `column`, and of their transposes' with `row`."""
        up, down = np.zeros(self.shape[0]), np.zeros(self.shape[1])
        for i in np.asarray(indices).tolist():
            part, transposed_part = self.terms[i].both_products(row, column)
            up += self.weights[i] * part
            down += self.weights[i] * transposed_part
        scale = self.n_terms / len(indices)
        return up * scale, down * scale

    @cached_property
    def mean_norm(self) -> float:
        """Root of the mean of the squared 2-norms of the terms, each found as `norm` is: L of variance reduction."""
        norms = [self.n_terms * weight * term.norm for weight, term in self._weighted()]
        return float(np.linalg.norm(norms) / np.sqrt(self.n_terms))

    @property
    def cost(self) -> Cost:
        """What one product with all terms takes."""
        costs = [term.cost for _, term in self._merged]
        return Cost(sum(cost.bytes for cost in costs), sum(cost.flops for cost in costs))

    @property
    def nbytes(self) -> int:
        """Bytes that the terms hold."""
        return sum(term.nbytes for term in self.terms)

    def largest(self) -> float:
        """Return the weighted mean of the terms' bounds."""
        return float(sum(weight * term.largest() for weight, term in self._merged))

    def describe(self) -> str:
        """Return how many terms there are, and what the first is."""
        return f"mean of {self.n_terms}, {self.terms[0].describe()}"

    def block(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Return the submatrix."""
        block = np.zeros((len(rows), len(columns)))
        for weight, term in self._merged:
            block += weight * term.block(rows, columns)
        return block

    @property
    def block_is_cheap(self) -> bool:
        """Whether that of every term is."""
        return all(term.block_is_cheap for term in self.terms)


def _shares(weights: FloatArray | Sequence[float] | None, count: int) -> FloatArray:
    """Return the weights divided by their sum."""
    if weights is None:
        return np.full(count, 1.0 / count)
    given = as_float_array(weights, name="weights", ndim=1)
    if given.size != count:
        raise InputError(f"weights has {given.size} entries for {count} terms; give one weight per term")
    if given.min() < 0.0 or given.max() == 0.0:
        raise InputError(f"weights must be at least 0 and not all 0; got {given.tolist()}")
    given = given / given.max()  # the sum of large weights is no floating-point number
    return np.asarray(given / given.sum())
