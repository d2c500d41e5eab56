"""What a cell is recognised by: hashes of games and policies."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._types import FloatArray
from ..games import Game, OperatorGame, PreferenceGame
from ..operators.stored import stored_numbers
from ..problem import Policy, action_counts


def game_hash(game: Game) -> str:
    """Return a hash of the payoffs and names of a game."""
    digest = hashlib.sha256(type(game).__name__.encode())
    # A range of positions is written as it is: there may be a million of them.
    digest.update(json.dumps(game.names, default=repr).encode())
    for array in _payoffs(game):
        digest.update(repr(array.shape).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]


def _payoffs(game: Any) -> tuple[NDArray[Any], ...]:
    if isinstance(game, PreferenceGame):
        return (game.payoff,)
    if isinstance(game, OperatorGame):
        return stored_numbers(game.payoff)
    return (game.row_payoff, game.column_payoff) if hasattr(game, "row_payoff") else (game.payoffs,)


def policy_of(game: Game, flat: FloatArray) -> Policy:
    """Return the policy whose players' probabilities are `flat`, one after the other."""
    counts = action_counts(game)
    return flat if len(counts) == 1 else tuple(np.split(flat, np.cumsum(counts)[:-1]))


def policy_hash(policy: Policy | None) -> str | None:
    """Return a hash of a policy; None for the uniform one that None stands for."""
    if policy is None:
        return None
    parts = policy if isinstance(policy, tuple) else (policy,)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:32]
