"""Monotone operators by what is known of them: a function, a matrix, or a finite sum of either."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .._types import FloatArray, IntArray
from ..errors import InputError


class Operator(ABC):
    """A map F from R^d to R^d, the mean of `n_terms` maps F_i.

    Attributes
    ----------
    dimension : int
        d.
    n_terms : int
        How many terms F is the mean of; 1 where it is no sum. An evaluation of F counts as that many.
    """

    dimension: int
    n_terms: int = 1

    @abstractmethod
    def __call__(self, z: FloatArray) -> FloatArray:
        """Return ``F(z)``."""

    @abstractmethod
    def mean_of_terms(self, indices: IntArray, z: FloatArray) -> FloatArray:
        """Return the mean of ``F_i(z)`` over the indices, which may repeat."""

    @property
    def lipschitz(self) -> float | None:
        """Lipschitz constant of F, L; None if it is not known."""
        return None

    @property
    def cocoercivity(self) -> float | None:
        """Largest c with ``<F(u) - F(v), u - v> >= c |F(u) - F(v)|^2``; 0 if there is none, None if not known."""
        return None

    @property
    def mean_lipschitz(self) -> float | None:
        """Smallest L with ``mean |F_i(u) - F_i(v)|^2 <= L^2 |u - v|^2``; None if it is not known."""
        return self.lipschitz if self.n_terms == 1 else None

    @property
    def mean_cocoercivity(self) -> float | None:
        """Largest c with ``<F(u) - F(v), u - v> >= c mean |F_i(u) - F_i(v)|^2``; 0 if there is none."""
        return self.cocoercivity if self.n_terms == 1 else None

    def nearest_zero(self, z: FloatArray) -> FloatArray | None:
        """Return the zero of F closest to z, where it is cheap to find; else None."""
        return None


class Function(Operator):
    """A map that is known by its values."""

    def __init__(self, function: Callable[[FloatArray], Any], dimension: int) -> None:
        self.function, self.dimension = function, dimension

    def __call__(self, z: FloatArray) -> FloatArray:  # noqa: D102
        return _checked_value(self.function, z, "the operator")

    def mean_of_terms(self, indices: IntArray, z: FloatArray) -> FloatArray:  # noqa: D102
        return self(z)


class SumOfFunctions(Operator):
    """The mean of several maps that are known by their values."""

    def __init__(self, functions: Sequence[Callable[[FloatArray], Any]], dimension: int) -> None:
        self.functions, self.dimension, self.n_terms = tuple(functions), dimension, len(functions)

    def __call__(self, z: FloatArray) -> FloatArray:  # noqa: D102
        return self.mean_of_terms(np.arange(self.n_terms), z)

    def mean_of_terms(self, indices: IntArray, z: FloatArray) -> FloatArray:  # noqa: D102
        total = np.zeros(self.dimension)
        for i in indices:
            total += _checked_value(self.functions[int(i)], z, f"term {int(i)}")
        return total / len(indices)


class Linear(Operator):
    """The map ``z -> B z + b``, its constants found from B."""

    def __init__(self, matrix: FloatArray, offset: FloatArray) -> None:
        self.matrix, self.offset, self.dimension = matrix, offset, len(offset)

    def __call__(self, z: FloatArray) -> FloatArray:  # noqa: D102
        return np.asarray(self.matrix @ z + self.offset)

    def mean_of_terms(self, indices: IntArray, z: FloatArray) -> FloatArray:  # noqa: D102
        return self(z)

    @cached_property
    def lipschitz(self) -> float:
        """Largest singular value of B."""
        return float(np.linalg.norm(self.matrix, 2))

    @cached_property
    def cocoercivity(self) -> float:
        """Modulus by `linear_cocoercivity`."""
        unit = _power_of_two(self.matrix)
        scaled = self.matrix / unit
        return linear_cocoercivity(scaled, scaled.T @ scaled) / unit

    def nearest_zero(self, z: FloatArray) -> FloatArray | None:  # noqa: D102
        value = self(z)
        nearest = z - np.linalg.lstsq(self.matrix, value, rcond=None)[0]
        solved = np.abs(self(nearest)).max() <= 1e-10 * (np.abs(self.offset).max() + np.abs(value).max())
        return np.asarray(nearest) if solved else None


class SumOfLinear(Linear):
    """The mean of the maps ``z -> B_i z + b_i``, arrays of shape (n, d, d) and (n, d)."""

    def __init__(self, matrices: FloatArray, offsets: FloatArray) -> None:
        super().__init__(matrices.mean(axis=0), offsets.mean(axis=0))
        self.matrices, self.offsets, self.n_terms = matrices, offsets, len(matrices)

    def mean_of_terms(self, indices: IntArray, z: FloatArray) -> FloatArray:  # noqa: D102
        return np.asarray(((self.matrices[indices] @ z) + self.offsets[indices]).mean(axis=0))

    @cached_property
    def _scaled_square(self) -> tuple[float, FloatArray]:
        """A unit u, and the mean of ``B_i' B_i / u^2``: squares of large entries are no floating-point numbers."""
        unit = _power_of_two(self.matrices)
        scaled = self.matrices / unit
        return unit, np.asarray(np.einsum("kij,kil->jl", scaled, scaled) / self.n_terms)

    @cached_property
    def mean_lipschitz(self) -> float:
        """Root of the largest eigenvalue of the mean of ``B_i' B_i``."""
        unit, square = self._scaled_square
        return unit * float(np.sqrt(max(np.linalg.eigvalsh(square)[-1], 0.0)))

    @cached_property
    def mean_cocoercivity(self) -> float:
        """Modulus by `linear_cocoercivity`, with the mean of ``B_i' B_i``."""
        unit, square = self._scaled_square
        return linear_cocoercivity(self.matrix / unit, square) / unit


def least_stretch(matrix: FloatArray, blocks: IntArray) -> float:
    r"""Return the smallest :math:`\langle Bz, z\rangle / \|z\|^2`, or 0 where it is negative by rounding alone.

    It is the smallest eigenvalue of :math:`(B + B^T)/2`, and B is monotone where it is not negative. Between the
    entries of `blocks` z adds up to 0, as differences of points on simplices do; ``array([0])`` is no constraint.

    Examples
    --------
    >>> import numpy as np
    >>> least_stretch(np.diag([2.0, -1.0]), np.array([0]))
    -1.0
    """
    unit = _power_of_two(matrix)
    symmetric = 0.5 * (matrix / unit + matrix.T / unit)
    for first, last in itertools.pairwise(blocks):
        symmetric[first:last] -= symmetric[first:last].mean(axis=0)
        symmetric[:, first:last] -= symmetric[:, first:last].mean(axis=1, keepdims=True)
    smallest = float(np.linalg.eigvalsh(symmetric)[0])
    return unit * smallest if smallest < -1e-12 * float(np.linalg.norm(matrix / unit)) else max(unit * smallest, 0.0)


def _power_of_two(values: FloatArray) -> float:
    """Return a power of two by which the largest of the values is a number from 1 to 2; 1 if all are 0."""
    largest = float(np.abs(values).max())
    return float(np.ldexp(1.0, int(np.frexp(largest)[1]) - 1)) if largest > 0.0 else 1.0


def linear_cocoercivity(matrix: FloatArray, square: FloatArray) -> float:
    r"""Return the largest c with :math:`\langle Bz, z\rangle \ge c\, z^T M z` for all z, M = `square`.

    With :math:`S = (B + B^T)/2` it is :math:`1/\lambda_{\max}(S^{-1/2} M S^{-1/2})` on the range of S, and 0 where M
    has a part outside of it, as for every skew part that stands alone, or where S is not positive semidefinite.
    Infinite for M = 0.

    Examples
    --------
    >>> import numpy as np
    >>> B = np.array([[2.0, 1.0], [-1.0, 2.0]])  # mu + K: the modulus is mu / (mu^2 + |K|^2)
    >>> round(linear_cocoercivity(B, B.T @ B), 12)
    0.4
    """
    size = float(np.abs(square).max())
    if size == 0.0:
        return np.inf
    values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
    norm = np.sqrt(size)
    if values[0] < -1e-12 * norm:
        return 0.0
    kept = values > 1e-12 * norm
    outside = vectors[:, ~kept]
    if outside.size and float(np.abs(outside.T @ square @ outside).max()) > 1e-12 * size:
        return 0.0
    scaled = vectors[:, kept] / np.sqrt(values[kept])
    return float(1.0 / np.linalg.eigvalsh(scaled.T @ square @ scaled)[-1])


def sampled_cocoercivity(operator: Operator, around: FloatArray, *, pairs: int = 32, terms: int = 32) -> float:
    r"""Return an upper bound on the c with ``<F(u) - F(v), u - v> >= c mean |F_i(u) - F_i(v)|^2`` for all u and v.

    It is the smallest ratio over random pairs of points, at distances from 0.01 to 10 from `around`; the mean is
    over at most so many terms. A ratio below rounding counts as 0: that pair shows that F is not cocoercive.
    """
    rng = np.random.default_rng(0)
    some = np.arange(operator.n_terms)
    smallest = np.inf
    for scale in np.geomspace(0.01, 10.0, pairs):
        u, v = around + scale * rng.standard_normal((2, around.size))
        change = operator(u) - operator(v)
        chosen = some if operator.n_terms <= terms else rng.choice(some, terms, replace=False)
        moves = [operator.mean_of_terms(one, u) - operator.mean_of_terms(one, v) for one in chosen[:, None]]
        square = float(np.mean([move @ move for move in moves]))
        product = float(change @ (u - v))
        if square > 0.0:
            noise = 1e-12 * float(np.linalg.norm(change) * np.linalg.norm(u - v))
            smallest = min(smallest, product / square if product > noise else 0.0)
    return smallest


def _checked_value(function: Callable[[FloatArray], Any], z: FloatArray, name: str) -> FloatArray:
    # The iterate itself, so a function that writes to its argument must fail; and a copy of the value, as the function
    # may write its next one to the same array.
    argument = z.view()
    argument.flags.writeable = False
    array = np.array(function(argument), dtype=np.float64)
    if array.shape != z.shape:
        raise InputError(f"{name} must return an array of shape {z.shape}, as its argument; got {array.shape}")
    return array
