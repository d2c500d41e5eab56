"""What is known about a game of the zoo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from .._types import FloatArray, Label, Labels
from .matrix import MatrixGame
from .preference import PreferenceGame
from .zoo_tables import ExactGame, ExactMatrix

ExactPolicy: TypeAlias = tuple[Fraction, ...]


@dataclass(frozen=True, eq=False, repr=False)
class ZooEntry:
    """A game and what is known about it.

    For a matrix game the answers come as pairs, first the row player's and then the column player's.

    Attributes
    ----------
    name, title : str
        The key in the zoo, and a phrase that says what the game is.
    source : str
        Where the game comes from and why the answer is right.
    note : str
        What the game is good for; may be empty.
    winner_exact : tuple of Fraction, pair of those, or None
        The winner: where there are several, the one of maximum entropy; None where that one is irrational.
    dimension : int or tuple of int
        Dimension of the set of all winners; 0 when there is one only.
    value : Fraction or None
        What the row player of a matrix game gets; None for preference games.
    """

    name: str
    title: str
    source: str
    note: str
    winner_exact: Any
    dimension: Any
    value: Fraction | None
    _build: Callable[[], ExactGame]
    _rounded: tuple[float, ...] | None
    _smith: Labels | None
    _schwartz: Labels | None

    @cached_property
    def _exact(self) -> ExactGame:
        return self._build()

    @property
    def game(self) -> PreferenceGame | MatrixGame:
        """The game, built on first use."""
        return self._exact.game

    @property
    def payoff_exact(self) -> ExactMatrix:
        """Payoff of the row in fractions, ``P - 1/2`` for a preference game; `game` is this in float64."""
        return self._exact.payoff

    @cached_property
    def winner(self) -> Any:
        """`winner_exact` in float64 (a pair of arrays for a matrix game), read-only."""
        if isinstance(self.game, MatrixGame):
            return tuple(_read_only(policy) for policy in self.winner_exact)
        return _read_only(self._rounded if self.winner_exact is None else self.winner_exact)

    @property
    def unique(self) -> bool:
        """Whether there is exactly one winner (one optimal policy of each player)."""
        return bool(np.all(np.asarray(self.dimension) == 0))

    @property
    def support_union(self) -> Any:
        """Labels of the responses that some winner plays: those that the winner of maximum entropy plays."""
        if isinstance(self.game, MatrixGame):
            return tuple(_played(self.winner[p], self.game.names[p]) for p in range(2))
        return _played(self.winner, self.game.names)

    @property
    def smith_set(self) -> Labels:
        """The smallest set whose members each beat everybody outside; empty for a matrix game."""
        if isinstance(self.game, MatrixGame):
            return ()
        return self.game.names if self._smith is None else self._smith

    @property
    def schwartz_set(self) -> Labels:
        """The union of the smallest sets that nobody outside beats; empty for a matrix game."""
        return self.smith_set if self._schwartz is None else self._schwartz

    @property
    def condorcet_winner(self) -> Label | None:
        """The response that beats all others, or None."""
        return self.smith_set[0] if len(self.smith_set) == 1 else None

    def __repr__(self) -> str:
        return f"ZooEntry({self.name!r}: {self.title})"


def _read_only(values: Any) -> FloatArray:
    array = np.array([float(value) for value in values])
    array.flags.writeable = False
    return array


def _played(policy: FloatArray, names: Labels) -> Labels:
    return tuple(names[i] for i in np.flatnonzero(policy))


def _policy(text: str) -> ExactPolicy:
    return tuple(Fraction(word) for word in text.split())


def preference_entry(
    name: str,
    title: str,
    build: Callable[[], ExactGame],
    winner: str | tuple[float, ...],
    *,
    source: str,
    note: str = "",
    dimension: int = 0,
    smith: Labels | None = None,
    schwartz: Labels | None = None,
) -> ZooEntry:
    """Return the entry of a preference game; `smith` defaults to everybody and `schwartz` to `smith`."""
    exact, rounded = (_policy(winner), None) if isinstance(winner, str) else (None, winner)
    return ZooEntry(name, title, source, note, exact, dimension, None, build, rounded, smith, schwartz)


def matrix_entry(
    name: str,
    title: str,
    build: Callable[[], ExactGame],
    row: str,
    column: str,
    value: str,
    *,
    source: str,
    note: str = "",
    dimension: tuple[int, int] = (0, 0),
) -> ZooEntry:
    """Return the entry of a zero-sum matrix game."""
    winner = (_policy(row), _policy(column))
    return ZooEntry(name, title, source, note, winner, dimension, Fraction(value), build, None, None, None)
