"""The numbers that a payoff is made of, by which it is recognised again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UnsupportedCombination
from .base import PayoffOperator
from .dense import Dense
from .embeddings import Embeddings
from .finite_sum import FiniteSum
from .low_rank import LowRank, LowRankSkew
from .sparse import Sparse
from .stacked import Stacked


def stored_numbers(payoff: PayoffOperator) -> tuple[NDArray[Any], ...]:
    """Return the arrays that a payoff is made of.

    Raises
    ------
    UnsupportedCombination
        It is known by its products only, or lies elsewhere.
    """
    if isinstance(payoff, Stacked):
        return stored_numbers(payoff.payoff)
    if isinstance(payoff, Dense):
        return (payoff.matrix,)
    if isinstance(payoff, Sparse):
        return (payoff.matrix.data, payoff.matrix.indices, payoff.matrix.indptr)
    if isinstance(payoff, (LowRankSkew, Embeddings)):
        return (payoff.vectors, payoff.skew)
    if isinstance(payoff, LowRank):
        return (payoff.left, payoff.right)
    if isinstance(payoff, FiniteSum):
        return (np.asarray(payoff.weights), *(array for term in payoff.terms for array in stored_numbers(term)))
    raise UnsupportedCombination(
        f"a game known by its products ({payoff.describe()}) cannot be recognised again, which saved runs and sweeps "
        "need; sparse games, tables and embeddings can"
    )


def is_same(one: PayoffOperator, other: PayoffOperator) -> bool:
    """Return whether two payoffs are one object, or made of the same numbers in the same way."""
    if one is other:
        return True
    if type(one) is not type(other) or one.shape != other.shape:
        return False
    if isinstance(one, Stacked) and isinstance(other, Stacked):
        return is_same(one.payoff, other.payoff)
    try:
        pairs = zip(stored_numbers(one), stored_numbers(other), strict=True)
        return all(np.array_equal(mine, theirs) for mine, theirs in pairs)
    except (UnsupportedCombination, ValueError):
        return False
