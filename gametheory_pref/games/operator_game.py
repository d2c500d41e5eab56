"""Zero-sum games whose payoff is known by its products only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._types import Label
from ..operators import PayoffOperator


@dataclass(frozen=True, eq=False, repr=False)
class OperatorGame:
    """A zero-sum game whose payoff is a `PayoffOperator`; build it with `operator_game`, `from_embeddings`, ...

    With a skew operator it is symmetric, a preference game whose payoff is the win probability less 1/2 (or whatever
    unit the operator has); otherwise the row player gets the payoff and the column player its negative.

    Attributes
    ----------
    payoff : PayoffOperator
        Payoff to the row player.
    row_names, column_names : sequence
        What the responses are called; ``range(n)`` when the user named none. The same for both in a symmetric game.
    """

    payoff: PayoffOperator
    row_names: Sequence[Label]
    column_names: Sequence[Label]

    @property
    def is_symmetric(self) -> bool:
        """Whether one policy plays against itself."""
        return self.payoff.is_skew

    @property
    def names(self) -> Any:
        """Names of the responses; a pair where the players differ."""
        return self.row_names if self.is_symmetric else (self.row_names, self.column_names)

    def __repr__(self) -> str:
        rows, columns = self.payoff.shape
        size = f"{rows} responses" if self.is_symmetric else f"{rows} x {columns}, zero-sum"
        return f"OperatorGame({size}; {self.payoff.describe()})"
