"""Counted comparisons of many responses: one row for each pair that was compared, and no table of all pairs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._check import choice
from .._types import BoolArray, FloatArray, IntArray
from ..errors import InputError

if TYPE_CHECKING:
    from .comparisons import Comparisons
    from .votes import Kind

_LEFT_WON, _TIE, _RIGHT_WON = 1, 0, -1


@dataclass(frozen=True, eq=False)
class PairVotes:
    """What was counted, by pair; what `Votes` is for a table.

    Attributes
    ----------
    n_responses : int
        Number of responses.
    low, high : ndarray of int32, shape (pairs,)
        Positions of the responses of each pair that occurs, ``low < high``, in the order of a table's rows.
    wins_low, wins_high : ndarray, shape (pairs,)
        Times (or total weight) that the one beat the other.
    ties : ndarray, shape (pairs,)
        Ties of the pair.
    kind : {"rate", "margin"}
        How the payoff was made; see `Votes`.
    first_share : float or None
        Share of the decided comparisons won by the response shown first; None when unknown.
    comparisons : Comparisons or None
        The raw log, when there was one.
    notes : tuple of str
        Sentences on what the reader met and decided.
    """

    n_responses: int
    low: NDArray[np.int32]
    high: NDArray[np.int32]
    wins_low: FloatArray
    wins_high: FloatArray
    ties: FloatArray
    kind: Kind = "rate"
    first_share: float | None = None
    comparisons: Comparisons | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def totals(self) -> FloatArray:
        """Comparisons of each pair, shape (pairs,)."""
        totals = self.wins_low + self.wins_high
        totals += self.ties
        totals.flags.writeable = False
        return totals

    @property
    def n_comparisons(self) -> float:
        """Number (or total weight) of comparisons."""
        return float(self.totals.sum())

    @property
    def n_ties(self) -> float:
        """Number (or total weight) of ties."""
        return float(self.ties.sum())

    @property
    def n_pairs(self) -> int:
        """Number of pairs of responses, compared or not."""
        return self.n_responses * (self.n_responses - 1) // 2

    @property
    def n_missing(self) -> int:
        """Number of pairs without a comparison."""
        return self.n_pairs - int(np.count_nonzero(self.totals))

    def margins(self) -> FloatArray:
        """Return the payoff ``P - 1/2`` of the lower response of each pair, shape (pairs,)."""
        difference = self.wins_low - self.wins_high
        if self.kind == "margin":
            return difference / (2.0 * max(float(self.totals.max(initial=0.0)), 1e-300))
        return np.divide(difference, 2.0 * self.totals, out=np.zeros_like(difference), where=self.totals > 0)

    def payoff(self) -> Any:
        """Return the payoff as an exactly skew scipy CSR array; pairs never compared, and ties, are not stored."""
        from scipy.sparse import csr_array

        margins = self.margins()
        kept = np.flatnonzero(margins)
        starts = np.searchsorted(self.low[kept], np.arange(self.n_responses + 1))
        shape = (self.n_responses, self.n_responses)
        upper = csr_array((margins[kept], self.high[kept], starts), shape=shape)
        return upper - upper.T

    def first_missing(self) -> tuple[int, int]:
        """Return the first pair without a comparison, in the order of a table's rows."""
        compared = self.totals > 0
        rank = _rank(self.n_responses, self.low[compared].astype(np.int64), self.high[compared])
        wrong = np.flatnonzero(rank != np.arange(rank.size))
        missing = int(wrong[0]) if wrong.size else rank.size
        firsts = _rank(self.n_responses, np.arange(self.n_responses), np.arange(1, self.n_responses + 1))
        low = int(np.searchsorted(firsts, missing, side="right")) - 1
        return low, missing - int(firsts[low]) + low + 1


def _rank(n: int, low: IntArray, high: Any) -> IntArray:
    """Return the place of pairs when all pairs are listed row by row."""
    rank: IntArray = low * n - low * (low + 1) // 2 + high - low - 1
    return rank


def count_pairs(
    n_responses: int,
    left: NDArray[Any],
    right: NDArray[Any],
    outcome: NDArray[np.int8],
    weight: FloatArray | None,
    *,
    positioned: bool,
    **about: Any,
) -> PairVotes:
    """Return the votes of a log: sorted by pair, then added up, in memory and time that grow with the log.

    `outcome` is 1 where `left` won, 0 for a tie, -1 where `right` won.
    """
    swapped = left > right
    key = np.where(swapped, right, left).astype(np.int64)
    key *= n_responses
    key += np.where(swapped, left, right)
    # A stable sort adds the weights of a pair in the order of the log, as a table would.
    order = np.argsort(key, kind="stable")
    key = key[order]
    new = np.ones(key.size, bool)
    np.not_equal(key[1:], key[:-1], out=new[1:])
    pair = np.cumsum(new) - 1
    key = key[new]
    outcome, swapped = outcome[order], swapped[order]
    weight = None if weight is None else weight[order]

    def total(chosen: BoolArray) -> FloatArray:
        part = None if weight is None else weight[chosen]
        return np.bincount(pair[chosen], part, key.size).astype(np.float64)

    left_won, right_won, tied = (outcome == value for value in (_LEFT_WON, _RIGHT_WON, _TIE))
    first_low, first_high = total(left_won & ~swapped), total(left_won & swapped)
    won_first = float(first_low.sum() + first_high.sum())
    wins_low = first_low + total(right_won & swapped)
    wins_high = first_high + total(right_won & ~swapped)
    ties = total(tied & ~swapped) + total(tied & swapped)
    decided = float(wins_low.sum() + wins_high.sum())
    return PairVotes(
        n_responses,
        (key // n_responses).astype(np.int32),
        (key % n_responses).astype(np.int32),
        wins_low,
        wins_high,
        ties,
        first_share=won_first / decided if positioned and decided else None,
        **about,
    )


def check_pairs(votes: PairVotes, names: Any, *, missing: str) -> None:
    """Refuse votes without a comparison, and with ``missing="error"`` those without one for every pair."""
    choice(missing, ("half", "error"), name="missing")
    if votes.n_responses > 1 and votes.n_comparisons == 0:
        raise InputError("there are 0 comparisons, so nothing can be said about any pair; check the source")
    if missing == "error" and votes.n_missing:
        i, j = votes.first_missing()
        raise InputError(
            f"{votes.n_missing} pairs were never compared; first: {names[i]} and {names[j]}. "
            'Collect them, drop a response, or pass missing="half" to play them as 1/2'
        )
