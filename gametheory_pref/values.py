"""What update rules speak of: policies, directions, oracles, geometries, schedules, and the problem in flat arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

from ._types import FloatArray, IntArray


class Point(NamedTuple):
    """A policy, one block of responses per player, in both coordinates; no step computes an exponential twice."""

    log: FloatArray
    prob: FloatArray


class Anchor(NamedTuple):
    """A policy up to a constant factor, which is all that a mirror step needs of its base."""

    log: FloatArray


class Mixture(NamedTuple):
    """A policy known by its probabilities only: an average, or a pure response."""

    prob: FloatArray


class Direction(NamedTuple):
    """One number per response; what payoffs are measured in."""

    value: FloatArray


class Bank(NamedTuple):
    """Several policies, the latest first: arrays of shape (size, n)."""

    log: FloatArray
    prob: FloatArray


class Exact(NamedTuple):
    """An oracle that tells the exact payoff of every response against a policy."""


class Sampled(NamedTuple):
    """An oracle of samples: opponents drawn from the policy, and a judge asked about every response against each.

    Attributes
    ----------
    opponents : int
        How many opponents are drawn for one `field`.
    labels : bool
        Whether the judge answers win or lose (a coin with the win probability); otherwise it states the probability.
    """

    opponents: int = 1
    labels: bool = True


class Euclidean(NamedTuple):
    """The geometry in which steps are projected and means arithmetic; policies are `Mixture`.

    Attributes
    ----------
    norm : float
        p of the norm in which distances are measured.
    """

    norm: float = 2.0


class Entropic(NamedTuple):
    """The geometry in which steps multiply and means are geometric; policies are `Point`.

    Attributes
    ----------
    norm : float
        p of the norm in which distances are measured.
    """

    norm: float = 1.0


class Arena(NamedTuple):
    """Scratch rows that compiled verbs write to; the cursor says which are taken, and whether a step ran out."""

    rows: FloatArray
    cursor: IntArray


class TabularProblem(NamedTuple):
    """Everything that a step may look at.

    Attributes
    ----------
    payoff : ndarray, shape (n, n), or PayoffOperator
        Skew payoff over the responses of all players (zero within a player's own block when there are several), or
        what multiplies as it does.
    blocks : ndarray of int
        Where each player's responses begin, and n.
    reference, start : Point
        Anchor of the regularisation, and first policy.
    temperature : float
        Weight of ``KL(policy || reference)``.
    oracle : Exact or Sampled
        What `field` returns.
    """

    payoff: Any
    blocks: IntArray
    reference: Point
    start: Point
    temperature: float
    oracle: Exact | Sampled
    arena: Arena


class Schedule(NamedTuple):
    """Step sizes ``scale / (t + offset) ** power`` after t steps; power 0 is a constant step."""

    scale: float
    offset: float = 1.0
    power: float = 0.0


Generator: TypeAlias = np.random.Generator | None

_Function = TypeVar("_Function", bound=Callable[..., Any])


def verb(function: _Function) -> _Function:
    """Make a function of tables a verb: a problem of another class answers by its own method of the same name."""

    @functools.wraps(function)
    def spoken(problem: Any, *arguments: Any) -> Any:
        if type(problem) is TabularProblem:
            return function(problem, *arguments)
        return getattr(problem, function.__name__)(*arguments)

    return spoken  # type: ignore[return-value]
