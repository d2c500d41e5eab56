"""KL-regularised equilibria along the temperature, from the reference policy down to the Minimax Winner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ._check import as_float_array, non_negative
from ._types import FloatArray, Labels
from .errors import InputError, UnsupportedCombination
from .games import Game, PreferenceGame
from .gap import problem_gap
from .problem import Problem, as_problem, checked_temperature
from .solving import solve
from .status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCHEMA = "gtpref.path/1"


@dataclass(frozen=True, eq=False, repr=False)
class TemperaturePath:
    """Equilibria of one game at several temperatures, in the order asked for.

    Attributes
    ----------
    game : PreferenceGame
        The game.
    temperatures : ndarray, shape (k,)
        KL weights; 0 stands for the Minimax Winner.
    policies : ndarray, shape (k, n)
        One equilibrium per temperature.
    gaps : ndarray, shape (k,)
        Duality gap of each at its own temperature, in units of win probability.
    costs : ndarray, shape (k,)
        Duality gap of each without regularisation: what the temperature costs against the best response.
    tol : float
        Largest gap that counts as an answer.
    status : tuple of Status
        How each solve ended.
    reference : ndarray or None
        Anchor policy; None means uniform.
    """

    game: PreferenceGame
    temperatures: FloatArray
    policies: FloatArray
    gaps: FloatArray
    costs: FloatArray
    tol: float
    status: tuple[Status, ...]
    reference: FloatArray | None = None

    @property
    def names(self) -> Labels:
        """What the responses are called."""
        return self.game.names

    @property
    def converged(self) -> bool:
        """Whether every point is an answer."""
        return all(status.is_answer for status in self.status)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw one line per response over the temperature (needs matplotlib) and return the axes."""
        from .plot import temperature_path

        return temperature_path(self, ax=ax)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data under a `schema`."""
        return {
            "schema": SCHEMA,
            "names": list(self.names),
            "reference": None if self.reference is None else self.reference.tolist(),
            "temperatures": self.temperatures.tolist(),
            "policies": self.policies.tolist(),
            "gaps": self.gaps.tolist(),
            "costs": self.costs.tolist(),
            "status": [status.name.lower() for status in self.status],
        }

    def __repr__(self) -> str:
        low, high = self.temperatures.min(), self.temperatures.max()
        return (
            f"TemperaturePath({self.temperatures.size} temperatures from {low:g} to {high:g}, "
            f"largest gap {self.gaps.max():.2g})"
        )


def path(
    game: Game | ArrayLike, temperatures: ArrayLike, *, reference: Any = None, tol: float = 1e-9
) -> TemperaturePath:
    """Return the KL-regularised equilibrium at each temperature.

    The solves run from hot to cold, each starting from the one before. As the temperature falls to 0 the equilibria
    converge to the winner closest to the reference in KL.

    Parameters
    ----------
    game : PreferenceGame or array_like
        The game.
    temperatures : array_like, shape (k,)
        KL weights of at least 0, in any order.
    reference : array_like, optional
        Anchor policy; uniform when left out.
    tol : float
        Largest duality gap that counts as an answer.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> P = [[0.5, 0.1, 0.8], [0.9, 0.5, 0.1], [0.2, 0.9, 0.5]]
    >>> gp.path(P, [1.0, 0.1, 0.01]).policies.round(3)
    array([[0.324, 0.331, 0.345],
           [0.337, 0.283, 0.379],
           [0.361, 0.273, 0.366]])
    """
    problem = as_problem(game, reference=reference)
    if not isinstance(problem.game, PreferenceGame):
        raise UnsupportedCombination(
            f"path is for preference games; this is a {type(problem.game).__name__}. Call solve at each temperature"
        )
    heats = as_float_array(temperatures, name="temperatures", ndim=1)
    if heats.size == 0 or (heats < 0).any():
        raise InputError(f"temperatures must hold at least one number, none below 0; got {heats.tolist()}")
    for heat in heats:
        checked_temperature(heat)
    tol = non_negative(tol, name="tol")
    policies, status = _equilibria(problem, heats, tol)
    gaps = np.array([
        problem_gap(Problem(problem.game, float(heat), problem.reference), policy)
        for heat, policy in zip(heats, policies, strict=True)
    ])
    plain = Problem(problem.game)
    costs = np.array([problem_gap(plain, policy) for policy in policies])
    anchor = problem.reference if isinstance(problem.reference, np.ndarray) else None
    return TemperaturePath(problem.game, heats, policies, gaps, costs, tol, status, anchor)


def _equilibria(problem: Problem, heats: FloatArray, tol: float) -> tuple[FloatArray, tuple[Status, ...]]:
    """Return policies and outcomes in the order of `heats`; temperature 0 is chosen by the reference alone."""
    from .exact.regularized import path as regularized_path

    game = problem.game
    assert isinstance(game, PreferenceGame)
    policies = np.empty((heats.size, game.n_responses))
    status = np.full(heats.size, Status.EXACT)
    warm = np.flatnonzero(heats > 0.0)
    points = regularized_path(game.payoff, heats[warm].tolist(), problem.log_reference()[0], tol=tol)
    for k, point in zip(warm, points, strict=True):
        policies[k], status[k] = point.policy, point.status
    if warm.size < heats.size:
        winner = solve(game, reference=problem.reference, tol=tol)
        policies[heats == 0.0] = winner.policy
        status[heats == 0.0] = winner.status
    return policies, tuple(Status(code) for code in status)
