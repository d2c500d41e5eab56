"""Payoffs too large for a table: anything that multiplies a vector."""

from __future__ import annotations

from .base import Cost, PayoffOperator
from .dense import Dense
from .embeddings import Embeddings
from .finite_sum import FiniteSum
from .from_function import FromFunction
from .low_rank import LowRank, LowRankSkew
from .sparse import Sparse
from .stacked import Stacked

__all__ = [
    "Cost", "Dense", "Embeddings", "FiniteSum", "FromFunction", "LowRank", "LowRankSkew", "PayoffOperator", "Sparse",
    "Stacked",
]
