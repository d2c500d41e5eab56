"""An inclusion as update rules see it: flat arrays, and minus the operator in the place of the payoff."""

from __future__ import annotations

import numpy as np

from .._types import FloatArray, IntArray
from ..verbs import Arena, Exact, Point, TabularProblem
from .statement import Inclusion


class NegatedOperator:
    """``-F`` in the place of a payoff matrix; rules ascend along it.

    Attributes
    ----------
    shape : tuple of int
        (d, d).
    n_terms : int
        Number of terms of the mean.
    mean_norm : float or None
        Lipschitz constant of the terms.
    calls : int
        Terms evaluated so far: `n_terms` for a whole product.
    """

    def __init__(self, inclusion: Inclusion) -> None:
        self.operator = inclusion.operator
        self.shape = (inclusion.dimension, inclusion.dimension)
        self.n_terms, self.mean_norm = inclusion.n_terms, inclusion.mean_lipschitz
        self.calls = 0

    def __matmul__(self, z: FloatArray) -> FloatArray:
        self.calls += self.n_terms
        return -self.operator(z)

    def terms_product(self, indices: IntArray, z: FloatArray) -> FloatArray:
        """Return the mean over these terms of ``-F_i(z)``; indices may repeat."""
        self.calls += len(indices)
        return -self.operator.mean_of_terms(indices, z)


def flat_problem(inclusion: Inclusion, payoff: NegatedOperator) -> TabularProblem:
    """Return the inclusion as a step sees it: at temperature 0, policies known by their probabilities only."""
    # No logarithms: rules in the Euclidean geometry never read them, and others do not run here.
    start = Point(np.full(inclusion.dimension, np.nan), inclusion.start)
    arena = Arena(np.zeros((0, inclusion.dimension)), np.zeros(2, dtype=np.int64))
    return TabularProblem(payoff, inclusion.blocks, start, start, 0.0, Exact(), arena)
