"""Payoffs too large for a table: anything that multiplies a vector."""

from __future__ import annotations

from .base import Cost, PayoffOperator, Stacked
from .dense import Dense
from .low_rank import LowRank
from .sparse import Sparse

__all__ = ["Cost", "Dense", "LowRank", "PayoffOperator", "Sparse", "Stacked"]
