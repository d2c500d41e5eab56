"""Monotone inclusions ``0 in F(z) + N_C(z)``, on R^d or on simplices, for the update rules that games are solved by."""

from __future__ import annotations

from .examples import example
from .residual import tangent_residual
from .running import InclusionRun
from .solution import InclusionSolution, solve_inclusion
from .statement import Inclusion, inclusion

__all__ = [
    "Inclusion",
    "InclusionRun",
    "InclusionSolution",
    "example",
    "inclusion",
    "solve_inclusion",
    "tangent_residual",
]
