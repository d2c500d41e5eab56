"""What a cell is recognised by: hashes of games and policies."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._types import FloatArray
from ..errors import UnsupportedCombination
from ..games import Game, OperatorGame, PreferenceGame
from ..operators import Dense, Embeddings, LowRankSkew, PayoffOperator, Sparse
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
        return _stored(game.payoff)
    return (game.row_payoff, game.column_payoff) if hasattr(game, "row_payoff") else (game.payoffs,)


def _stored(payoff: PayoffOperator) -> tuple[NDArray[Any], ...]:
    """Return the numbers that a payoff is made of."""
    if isinstance(payoff, Dense):
        return (payoff.matrix,)
    if isinstance(payoff, Sparse):
        return (payoff.matrix.data, payoff.matrix.indices, payoff.matrix.indptr)
    if isinstance(payoff, (LowRankSkew, Embeddings)):
        return (payoff.vectors, payoff.skew)
    raise UnsupportedCombination(
        f"a game known by its products ({payoff.describe()}) cannot be recognised again, which saved runs and sweeps "
        "need; sparse games, tables and embeddings can"
    )


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
