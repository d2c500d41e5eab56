"""Games of any number of players in normal form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._check import as_float_array, labels
from .._types import FloatArray, Labels, LabelsLike
from ..errors import InputError


@dataclass(frozen=True, eq=False, repr=False)
class MultiplayerGame:
    """A payoff tensor per player; build it with `multiplayer_game`.

    Attributes
    ----------
    payoffs : ndarray, shape (players, actions_1, ..., actions_players)
        ``payoffs[p, a_1, ..., a_n]`` is what player p gets; read-only.
    names : tuple of tuple
        Action names, one tuple per player.
    """

    payoffs: FloatArray
    names: tuple[Labels, ...]

    @property
    def n_players(self) -> int:
        """Number of players."""
        return int(self.payoffs.shape[0])

    def __repr__(self) -> str:
        return f"MultiplayerGame({' x '.join(str(k) for k in self.payoffs.shape[1:])})"


def multiplayer_game(payoffs: Any, *, names: Sequence[LabelsLike] | None = None) -> MultiplayerGame:
    """Return the normal-form game with ``payoffs[p, a_1, ..., a_n]`` to player p.

    Parameters
    ----------
    payoffs : array_like, shape (n, k_1, ..., k_n)
        One tensor per player, over everybody's actions.
    names : sequence of sequences of str, optional
        Action names, one sequence per player.

    Raises
    ------
    InputError
        The first axis does not match the number of action axes.
    """
    try:
        ndim = max(np.ndim(payoffs), 2)
    except ValueError:  # ragged, which `as_float_array` refuses in words
        ndim = 2
    tensor = as_float_array(payoffs, name="payoffs", ndim=ndim).copy()
    if tensor.shape[0] != tensor.ndim - 1 or tensor.size == 0:
        raise InputError(
            f"payoffs has shape {tensor.shape}: the first axis counts the players, so for {tensor.ndim - 1} "
            f"action axes it must be {tensor.ndim - 1}, and every player needs an action"
        )
    if names is not None and (isinstance(names, str) or not isinstance(names, Sequence)):
        raise InputError(f"names must be a sequence of one sequence per player; got {names!r}")
    if names is not None and len(names) != tensor.shape[0]:
        raise InputError(f"names has {len(names)} entries for {tensor.shape[0]} players")
    given: Sequence[LabelsLike] = [None] * tensor.shape[0] if names is None else names
    checked = tuple(
        labels(given[p], tensor.shape[p + 1], name=f"names[{p}]") for p in range(tensor.shape[0])
    )
    tensor.flags.writeable = False
    return MultiplayerGame(tensor, checked)
