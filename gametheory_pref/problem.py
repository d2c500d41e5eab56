"""The question put to a solver: a game, a temperature and a reference policy."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._check import distribution, non_negative
from ._types import FloatArray
from .errors import InputError
from .games import Game, MatrixGame, MultiplayerGame, OperatorGame, PreferenceGame, is_symmetric, preference_game

Policy = FloatArray | tuple[FloatArray, ...]

_COLDEST = 1e-200


@dataclass(frozen=True, eq=False)
class Problem:
    """A game with its KL regularisation; everything that defines the answer.

    Attributes
    ----------
    game : PreferenceGame, MatrixGame or MultiplayerGame
        What is played.
    temperature : float
        Weight of ``KL(policy || reference)`` in each player's payoff, in units of the payoff; 0 means none.
    reference : ndarray, tuple of ndarray, or None
        Anchor policy, one array per player for games that are not symmetric; None means uniform.
    """

    game: Game
    temperature: float = 0.0
    reference: Policy | None = None

    def log_reference(self) -> tuple[FloatArray, ...]:
        """Return the logarithm of the anchor, one array per player; -inf where it has no mass."""
        if self.reference is None:
            return tuple(np.full(k, -np.log(k)) for k in action_counts(self.game))
        anchors = self.reference if isinstance(self.reference, tuple) else (self.reference,)
        with np.errstate(divide="ignore"):
            return tuple(np.log(anchor) for anchor in anchors)


def as_game(game: Game | ArrayLike) -> Game:
    """Return a game as it is, and a square array as a matrix of win probabilities."""
    if isinstance(game, (PreferenceGame, MatrixGame, MultiplayerGame, OperatorGame)):
        return game
    if isinstance(game, (str, bytes, os.PathLike)):
        raise InputError(f"game is {game!r}, a text or path; read files with gp.read and look up named games in gp.zoo")
    if type(game).__name__ == "Inclusion":  # By name: inclusions is a layer above this one.
        raise InputError("game is an Inclusion; solve it with gp.solve_inclusion(inclusion, method)")
    if hasattr(game, "game"):
        raise InputError(f"game is a {type(game).__name__}; pass its .game")
    return preference_game(game)


def as_problem(
    game: Game | ArrayLike, *, temperature: float = 0.0, reference: Any = None
) -> Problem:
    """Return the checked problem.

    Raises
    ------
    InputError
        A negative temperature, a positive one below 1e-200, or a reference that is not a distribution over
        the responses.
    """
    checked = as_game(game)
    heat = checked_temperature(temperature)
    if reference is None or (isinstance(reference, str) and reference == "uniform"):
        return Problem(checked, heat, None)
    return Problem(checked, heat, as_policy(checked, reference, name="reference"))


def checked_temperature(value: Any) -> float:
    """Return a temperature by which payoffs can be divided, or 0."""
    heat = non_negative(value, name="temperature")
    if 0.0 < heat < _COLDEST:
        raise InputError(f"temperature is {heat:g}; payoffs divided by it overflow, so use 0 or at least {_COLDEST:g}")
    return heat


def as_policy(game: Game, policy: Any, *, name: str = "policy") -> Policy:
    """Return a checked policy of the game: one distribution, or a tuple of one per player."""
    counts = action_counts(game)
    if is_symmetric(game):
        return distribution(policy, counts[0], name=name)
    if not isinstance(policy, (tuple, list)) or len(policy) != len(counts):
        raise InputError(
            f"{name} must be a tuple of {len(counts)} distributions, one per player; got {policy!r}"
        )
    return tuple(distribution(policy[p], counts[p], name=f"{name}[{p}]") for p in range(len(counts)))


def action_counts(game: Game) -> tuple[int, ...]:
    """Return the number of actions of each player; a symmetric game counts as one player."""
    if isinstance(game, PreferenceGame):
        return (game.n_responses,)
    if isinstance(game, MatrixGame):
        return game.row_payoff.shape
    if isinstance(game, OperatorGame):
        return game.payoff.shape[:1] if game.is_symmetric else game.payoff.shape
    return game.payoffs.shape[1:]
