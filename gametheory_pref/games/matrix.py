"""Two-player games in matrix form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from .._check import as_float_array, labels
from .._types import FloatArray, Labels, LabelsLike
from ..errors import InputError


@dataclass(frozen=True, eq=False, repr=False)
class MatrixGame:
    """A row player and a column player with a payoff matrix each; build it with `matrix_game`.

    Attributes
    ----------
    row_payoff : ndarray, shape (m, n)
        What the row player gets; read-only.
    row_names, column_names : tuple
        What the actions are called.
    """

    row_payoff: FloatArray
    row_names: Labels
    column_names: Labels
    _other_payoff: FloatArray | None = None

    @cached_property
    def column_payoff(self) -> FloatArray:
        """What the column player gets, shape (m, n); read-only, made on first use where it is ``-row_payoff``."""
        if self._other_payoff is not None:
            return self._other_payoff
        payoff = -self.row_payoff
        payoff.flags.writeable = False
        return payoff

    @property
    def is_zero_sum(self) -> bool:
        """Whether the column player was said to get minus what the row player gets."""
        return self._other_payoff is None

    @property
    def names(self) -> tuple[Labels, Labels]:
        """Action names, one tuple per player."""
        return (self.row_names, self.column_names)

    @cached_property
    def constant_sum(self) -> float | None:
        """What the two payoffs add up to in every cell, or None when that differs between cells."""
        if self.is_zero_sum:
            return 0.0
        total = self.row_payoff + self.column_payoff
        spread = float(total.max() - total.min())
        scale = max(float(np.abs(self.row_payoff).max()), float(np.abs(self.column_payoff).max()), 1.0)
        return float(total.flat[0]) if spread <= 1e-12 * scale else None

    def __repr__(self) -> str:
        m, n = self.row_payoff.shape
        kind = {None: "general-sum", 0.0: "zero-sum"}.get(self.constant_sum, "constant-sum")
        return f"MatrixGame({m} x {n}, {kind})"


def matrix_game(
    A: ArrayLike,
    B: ArrayLike | None = None,
    *,
    row_names: LabelsLike = None,
    column_names: LabelsLike = None,
) -> MatrixGame:
    """Return the two-player game with payoff `A` to the row player and `B` to the column player.

    Parameters
    ----------
    A : array_like, shape (m, n)
        Payoff to the row player.
    B : array_like, shape (m, n), optional
        Payoff to the column player; ``-A`` (zero-sum) when left out.
    row_names, column_names : sequence of str, optional
        What the actions are called.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> solution = gp.solve(gp.matrix_game([[3, -1], [-1, 1]]))
    >>> [policy.round(4) for policy in solution.policy], round(solution.value, 4)
    ([array([0.3333, 0.6667]), array([0.3333, 0.6667])], 0.3333)
    """
    row = as_float_array(A, name="A", ndim=2)
    if row.size == 0:
        raise InputError(f"A is empty (shape {row.shape}); each player needs at least one action")
    column = None if B is None else as_float_array(B, name="B", ndim=2)
    if column is not None and column.shape != row.shape:
        raise InputError(
            f"A has shape {row.shape} and B {column.shape}; both list rows by the row player's actions"
        )
    return MatrixGame(
        _kept(row),
        labels(row_names, row.shape[0], name="row_names"),
        labels(column_names, row.shape[1], name="column_names"),
        None if column is None else _kept(column),
    )


def _kept(payoff: FloatArray) -> FloatArray:
    payoff = payoff.copy()
    payoff.flags.writeable = False
    return payoff
