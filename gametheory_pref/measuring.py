"""What a run recorded, as the numbers that theorems are about, and how far rounding may have them off."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from ._types import FloatArray
from .inclusions import InclusionRun, tangent_residual
from .iterating import Run

ROUNDING_UNITS = 64.0 * np.finfo(np.float64).eps

Quantity: TypeAlias = Literal["kl", "gap", "gap0", "residual"]
AnyRun: TypeAlias = Any
"""A `Run` on a game, or an `InclusionRun`, of which only residuals are known."""


def log_policies(run: Run, of: Literal["last", "average"]) -> FloatArray:
    """Return the logarithms of the iterates, or of the averages, one row per record point."""
    if of == "last":
        return run.log_last
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(run.average))


def measured(run: AnyRun, of: Literal["last", "average"], quantity: Quantity) -> FloatArray:
    """Return a quantity of the iterates, or of the averages, at every record point."""
    if quantity == "residual":
        return np.asarray(run.residual) if isinstance(run, InclusionRun) else _residuals(run, of)
    if quantity == "gap" or (quantity == "gap0" and run.facts.temperature == 0.0):
        return np.asarray(run.gap_last if of == "last" else run.gap_average)
    if quantity == "gap0":
        return np.asarray(run.facts.gaps(log_policies(run, of), 0.0))
    assert run.facts.log_equilibrium is not None
    return np.asarray(run.facts.divergence_from(run.facts.log_equilibrium, log_policies(run, of)))


def _residuals(run: Run, of: Literal["last", "average"]) -> FloatArray:
    """Return how far policies of a game are from solving its variational inequality."""
    problem = run.facts.problem
    return np.array(
        [tangent_residual(-(problem.payoff @ row), row, problem.blocks) for row in np.exp(log_policies(run, of))]
    )


def rounding(run: AnyRun, quantity: str, values: FloatArray) -> FloatArray:
    """Return how far measured values may be off."""
    if quantity == "kl":
        error = run.facts.equilibrium_error
        return np.asarray(error * np.sqrt(2.0 * np.abs(values)) + error**2)
    return np.full(len(values), ROUNDING_UNITS * max(run.facts.payoff_bound, run.facts.temperature))
