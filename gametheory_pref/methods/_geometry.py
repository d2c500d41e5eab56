"""What rules with a geometry share: their check, and hypotheses of theorems that are about one of the two."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InputError, UnsupportedCombination
from ..verbs import Entropic, Euclidean
from ._info import StepFacts


def geometry_of(rule: Any) -> Any:
    """Return the geometry of a rule; rules without a choice take mirror steps."""
    return getattr(rule, "geometry", Entropic())


def entropic(rule: Any) -> str | None:
    """Return None if steps are mirror steps."""
    return None if isinstance(geometry_of(rule), Entropic) else "the geometry is Euclidean; the theorem is entropic"


def euclidean(rule: Any) -> str | None:
    """Return None if steps are projected."""
    return None if isinstance(geometry_of(rule), Euclidean) else "the geometry is entropic; the theorem is Euclidean"


def check_geometry(rule: Any, facts: StepFacts, largest: float = np.inf) -> None:
    """Refuse what is no geometry, and in the Euclidean one regularisation by KL and steps above ``largest / |A|_2``.

    Raises
    ------
    InputError, UnsupportedCombination
    """
    geometry = geometry_of(rule)
    if not isinstance(geometry, (Euclidean, Entropic)):
        raise InputError(f"geometry must be gp.Euclidean() or gp.Entropic(); got {geometry!r}")
    if isinstance(geometry, Entropic):
        return
    if np.any(np.asarray(facts.temperature) > 0.0):
        raise UnsupportedCombination(
            f"{rule.info.name} in the Euclidean geometry is for temperature 0, where there is no KL to regularise by; "
            "pass geometry=gp.Entropic()"
        )
    step = rule.step_size
    first = step.scale / step.offset**step.power
    if first * facts.norm > largest * (1.0 + 1e-12):
        raise InputError(
            f"step_size of {rule.info.name} is {first:.4g}; in the Euclidean geometry at most {largest:g} / |A|_2 = "
            f"{largest / facts.norm:.4g} can converge, and step_size='euclidean' does"
        )
