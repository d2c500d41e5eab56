"""Rational proofs for two-player zero-sum games, through the symmetric game with the same strategies.

For a game M with value v the skew matrix ``[[0, N], [-N', 0]]``, ``N = M - v``, has the pairs of optimal
strategies as its winners, with any split of the mass between the two; so a `Proof` for that game settles both
players at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from .._types import FloatArray
from ..errors import UnsupportedCombination
from .integer_kernel import Integers, kernel
from .rational import Proof, RationalPayoff, fraction_text, prove, read_fraction, read_fractions
from .solution_set import SolutionSet


@dataclass(frozen=True, repr=False)
class ZeroSumProof:
    """Exact value, optimal strategies of both players, and sizes of the sets of all optimal strategies.

    Attributes
    ----------
    n_rows : int
        Number of the row player's actions.
    value : Fraction
        Value of the game to the row player.
    pair : Proof
        Proof for the symmetric game of rows and columns together.
    """

    n_rows: int
    value: Fraction
    pair: Proof

    @property
    def row(self) -> tuple[Fraction, ...]:
        """The row player's strategy: it earns at least `value` against every column."""
        return _normalised(self.pair.policy[: self.n_rows])

    @property
    def column(self) -> tuple[Fraction, ...]:
        """The column player's strategy: no row earns more than `value` against it."""
        return _normalised(self.pair.policy[self.n_rows :])

    @property
    def support_union(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Rows, and columns, that some optimal strategy plays."""
        m, played = self.n_rows, self.pair.support_union
        return tuple(i for i in played if i < m), tuple(i - m for i in played if i >= m)

    @property
    def dimension(self) -> tuple[int, int]:
        """Dimensions of the two sets of optimal strategies.

        The equations of both players have the same rank, and the kernel of the pair is the sum of theirs.
        """
        rows, columns = (len(part) for part in self.support_union)
        rank = (rows + columns - (self.pair.dimension + 1)) // 2
        return rows - rank - 1, columns - rank - 1

    @property
    def unique(self) -> tuple[bool, bool]:
        """Whether the row player, and the column player, has only one optimal strategy."""
        row, column = self.dimension
        return row == 0, column == 0

    def verify(self, payoff: FloatArray) -> bool:
        """Recompute every claim from the payoff matrix in rational arithmetic."""
        rows, columns = self.support_union
        if payoff.shape[0] != self.n_rows or not rows or not columns:
            return False
        if not sum(self.pair.policy[: self.n_rows]) or not sum(self.pair.policy[self.n_rows :]):
            return False
        return self.pair.verify(_pair_game(*read_fractions(payoff), self.value))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; fractions as text."""
        return {"n_rows": self.n_rows, "value": fraction_text(self.value), "pair": self.pair.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ZeroSumProof:
        """Return the proof that `to_dict` wrote."""
        return cls(int(data["n_rows"]), read_fraction(data["value"]), Proof.from_dict(data["pair"]))

    def __repr__(self) -> str:
        row, column = (", ".join(map(str, part)) for part in (self.row, self.column))
        return f"ZeroSumProof(value {self.value}, row ({row}), column ({column}))"


def prove_zero_sum(
    payoff: FloatArray, row: FloatArray, column: FloatArray, found: tuple[SolutionSet, SolutionSet]
) -> ZeroSumProof:
    """Prove that the exact strategies next to `row` and `column` are optimal, and how many others there are.

    Parameters
    ----------
    payoff : ndarray, shape (m, n)
        Payoff to the row player, read as fractions with one denominator of at most 10 million, else as the
        shortest decimals of its float64.
    row, column : ndarray, shapes (m,) and (n,)
        Optimal strategies in float64.
    found : tuple of SolutionSet
        What float64 says about both players (`optimal_strategies`); nothing in it is trusted.

    Raises
    ------
    InputError
        The strategies are not optimal.
    UnsupportedCombination
        The numbers are too large for exact arithmetic, or float64 misjudged which actions can be played.

    Examples
    --------
    >>> from gametheory_pref.exact.solution_set import optimal_strategies
    >>> payoff = np.array([[3.0, -1.0], [-1.0, 1.0]])
    >>> row = column = np.array([1 / 3, 2 / 3])
    >>> proof = prove_zero_sum(payoff, row, column, optimal_strategies(payoff, 1 / 3, row, column))
    >>> proof
    ZeroSumProof(value 1/3, row (1/3, 2/3), column (1/3, 2/3))
    >>> proof.unique, proof.verify(payoff)
    ((True, True), True)
    """
    m = payoff.shape[0]
    numerators, denominator, reading = read_fractions(payoff)
    rows, columns = (part.support_union for part in found)
    value = _exact_value(numerators[np.ix_(rows, columns)], denominator)
    interior = np.concatenate([found[0].interior, found[1].interior]) / 2.0
    policy = np.concatenate([row, column]) / 2.0
    both = SolutionSet(False, None, np.concatenate([rows, m + columns]), interior, interior, "")
    return ZeroSumProof(m, value, prove(_pair_game(numerators, denominator, reading, value), policy, both))


def _exact_value(block: Integers, denominator: int) -> Fraction:
    """Return the value at which the rows of `block` can make all its columns equal."""
    m, n = block.shape
    solved = kernel(np.hstack([block.T, np.full((n, 1), -1, dtype=object)]))
    for chosen in range(solved.nullity):
        vector = solved.extend([Fraction(int(k == chosen)) for k in range(solved.nullity)])
        mass = sum(vector[:m])
        if mass:
            return vector[m] / (mass * denominator)
    raise UnsupportedCombination(
        "no exact strategy has the support that float64 proposes; the game is too close to another one for an "
        "exact certificate"
    )


def _pair_game(numerators: Integers, denominator: int, reading: str, value: Fraction) -> RationalPayoff:
    """Return ``[[0, N], [-N', 0]]`` for ``N = M - value``."""
    m, n = numerators.shape
    common = denominator * value.denominator
    excess = numerators * value.denominator - value.numerator * denominator
    block = np.zeros((m + n, m + n), dtype=object)
    block[:m, m:] = excess
    block[m:, :m] = -excess.T
    return RationalPayoff(block, (common,) * (m + n), reading)


def _normalised(weights: Sequence[Fraction]) -> tuple[Fraction, ...]:
    total = sum(weights)
    return tuple(weight / total for weight in weights)
