"""What theorems of several rules share: hypotheses, spectra of two-term recursions, and gaps from divergences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._info import Trial, anchored_log_factor

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts


# Operators on which theorems about monotone ones are tried, and those about cocoercive ones.
MONOTONE = ("rotation", "hard_20", "skew_10_0", "skew_10_1", "cocoercive_10_0")
COCOERCIVE = ("cocoercive_10_0", "cocoercive_10_1", "cocoercive_3_2")


def one_policy(facts: Facts) -> str | None:
    """Return None for a preference game, where one policy plays against itself."""
    return None if facts.is_symmetric else "two players; the theorem is about one policy that plays against itself"


def constant_step(rule: Any) -> str | None:
    """Return None if the step size never changes."""
    return None if rule.step_size.power == 0.0 else "the step size changes; the theorem is about a constant one"


def same_step(rule: Any, scale: float, formula: str, *, offset: float = 1.0, power: float = 0.0) -> str | None:
    """Return None if the step sizes are ``scale / (t + offset) ** power``."""
    mine = rule.step_size
    shape = mine.power == power and (power == 0.0 or mine.offset == offset)
    if shape and abs(mine.scale - scale) <= 1e-12 * scale:
        return None
    return f"step_size is not the theorem's, {formula}"


def unique_equilibrium(facts: Facts) -> str | None:
    """Return None if there is one equilibrium, from which a divergence can be measured."""
    return None if facts.log_equilibrium is not None else "the game has several equilibria; divergences need one"


def isolated(facts: Facts) -> str | None:
    """Return None if the equilibrium is unique and plays every response, as it does at a positive temperature."""
    return None if facts.is_interior else "the equilibrium is not unique, or does not play every response"


def starts_at_reference(facts: Facts) -> str | None:
    """Return None if the first policy is the anchor."""
    same = np.allclose(facts.problem.start.log, facts.log_reference, rtol=0.0, atol=1e-12)
    return None if same else "the start is not the reference; the theorem begins there"


def inclusion_trials(*names: str, max_steps: int = 2000, **settings: Any) -> tuple[Trial, ...]:
    """Return trials on operators that `inclusions.examples` names, with settings of the rule."""
    return tuple(Trial(f"inclusion {name}", settings=settings, max_steps=max_steps, per_decade=32) for name in names)


def without_constraint(facts: Any) -> str | None:
    """Return None for the operator of an inclusion on all of R^d."""
    free = facts.problem.blocks.size == 1
    return None if free else "the problem lives on simplices; the theorem is about operators on R^d"


def start_distance(facts: Any) -> float:
    """Return the Euclidean distance from the start to the closest solution."""
    if hasattr(facts, "inclusion"):
        return float(facts.distance)
    return float(np.linalg.norm(facts.problem.start.prob - np.exp(facts.log_equilibrium)))


def known_distance(facts: Any) -> str | None:
    """Return None if the closest solution is known, from which distances are measured."""
    found = facts.distance if hasattr(facts, "inclusion") else facts.log_equilibrium
    return None if found is not None else "the closest solution is not known, and the bound needs the distance to it"


def start_divergence(facts: Facts) -> float:
    """Return ``KL(pi* || pi_0)``."""
    assert facts.log_equilibrium is not None
    return float(facts.divergence_from(facts.log_equilibrium, facts.problem.start.log[None, :])[0])


def spectral_radius(trace: Any, determinant: Any) -> float:
    r"""Return the largest modulus among the roots of :math:`z^2 - \mathrm{trace}\, z + \mathrm{determinant}`."""
    root = np.sqrt(trace**2 - 4.0 * determinant + 0j)
    return float(max(np.abs(trace + root).max(), np.abs(trace - root).max()) / 2.0)


def contraction_gap(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    r"""Return the bound on the gap that follows from ``KL(pi* || pi_{t+1}) <= (1 - eta beta) KL(pi* || pi_t)``.

    The gap is at most :math:`(2\beta + 2a^2/\beta)\,\mathrm{KL}(\pi_t \| \pi^*)`. Log-ratios to the reference are
    averages of :math:`A q / \beta`, whose entries differ by at most :math:`2a/\beta`, and of those of the start, so
    that :math:`\log(\pi_t / \pi^*)` is at most a number B, and the divergence is at most
    :math:`\rho(B) = (B e^B - e^B + 1) / (e^B - 1 - B)` times the one with its arguments exchanged.
    """
    a, beta = facts.payoff_bound, facts.temperature
    width = 2.0 * a / beta
    first = facts.problem.start.log - facts.log_reference
    b = width + max(width, float(first.max() - first.min()))
    exchange = (b - 1.0 + np.exp(-b)) / (1.0 - (1.0 + b) * np.exp(-b)) if b > 1e-3 else 1.0 + b
    scale = (2.0 * beta + 2.0 * a**2 / beta) * exchange * start_divergence(facts)
    return np.asarray(scale * np.exp(anchored_log_factor(rule, facts, steps)))
