"""Preference games from counted comparisons, with what was counted kept beside the estimate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from .._check import as_float_array, choice, frame_labels, labels, square
from .._types import FloatArray, Labels, LabelsLike
from ..errors import InputError
from .operator import OperatorGame
from .preference import PreferenceGame, SparseMatrix, _build
from .sparse_games import is_sparse, sparse_counts_game

if TYPE_CHECKING:
    from .comparisons import Comparisons

Kind = Literal["rate", "margin"]

MAX_COUNT = 2.0**53
"""Largest count or weight; beyond it float64 no longer tells n from n + 1."""


@dataclass(frozen=True, eq=False)
class Votes:
    """What was counted.

    Attributes
    ----------
    wins : ndarray, shape (n, n)
        Times (or total weight) that the row response beat the column response.
    ties : ndarray, shape (n, n)
        Symmetric; each tie of a pair appears in both entries.
    kind : {"rate", "margin"}
        How the payoff was made: win rate minus one half, or wins minus losses over the largest number of
        comparisons of any pair. They are the same game when every pair was compared equally often.
    first_wins : ndarray, shape (n, n), or None
        Part of `wins` where the winner was shown first; None when the source does not say.
    comparisons : Comparisons or None
        The raw log, one entry per judgement, when there was one.
    notes : tuple of str
        Sentences on what the reader met and decided.
    """

    wins: FloatArray
    ties: FloatArray
    kind: Kind = "rate"
    first_wins: FloatArray | None = None
    comparisons: Comparisons | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def totals(self) -> FloatArray:
        """Comparisons of each pair, shape (n, n), symmetric, diagonal 0."""
        totals = self.wins + self.wins.T + self.ties
        totals.flags.writeable = False
        return totals

    @property
    def n_comparisons(self) -> float:
        """Number (or total weight) of comparisons."""
        return float(np.triu(self.totals, 1).sum())

    @property
    def n_ties(self) -> float:
        """Number (or total weight) of ties."""
        return float(np.triu(self.ties, 1).sum())

    @property
    def n_missing(self) -> int:
        """Number of pairs without a comparison."""
        n = self.wins.shape[0]
        return int(n * (n - 1) // 2 - np.count_nonzero(np.triu(self.totals, 1)))

    @property
    def first_share(self) -> float | None:
        """Share of the decided comparisons won by the response shown first; None when unknown."""
        decided = float(self.wins.sum())
        if self.first_wins is None or decided == 0.0:
            return None
        return float(self.first_wins.sum()) / decided

    def margins(self) -> FloatArray:
        """Return the payoff ``P - 1/2``, exactly skew; a pair without comparisons is 0."""
        difference = self.wins - self.wins.T
        if self.kind == "margin":
            return difference / (2.0 * max(float(self.totals.max()), 1e-300))
        totals = self.totals
        return np.divide(difference, 2.0 * totals, out=np.zeros_like(difference), where=totals > 0)


@overload
def from_counts(
    wins: SparseMatrix,
    *,
    ties: SparseMatrix | None = None,
    names: LabelsLike = None,
    kind: Kind = "rate",
    missing: Literal["half", "error"] = "half",
) -> OperatorGame: ...


@overload
def from_counts(
    wins: ArrayLike,
    *,
    ties: ArrayLike | None = None,
    names: LabelsLike = None,
    kind: Kind = "rate",
    missing: Literal["half", "error"] = "half",
) -> PreferenceGame: ...


def from_counts(
    wins: Any,
    *,
    ties: Any = None,
    names: LabelsLike = None,
    kind: Kind = "rate",
    missing: Literal["half", "error"] = "half",
) -> PreferenceGame | OperatorGame:
    """Return the game of a table of win counts.

    Parameters
    ----------
    wins : array_like or scipy sparse matrix of whole numbers, shape (n, n)
        ``wins[i, j]`` times i beat j; diagonal 0.
    ties : array_like or scipy sparse matrix of whole numbers, shape (n, n), optional
        Symmetric; ``ties[i, j] == ties[j, i]`` ties of the pair. Sparse if `wins` is.
    names : sequence of str, optional
        What the responses are called.
    kind : {"rate", "margin"}
        "rate" plays the win rate (a tie is half a win); "margin" plays wins minus losses, divided by the
        largest number of comparisons of any pair. They can have different winners when pairs were compared
        unequally often.
    missing : {"half", "error"}
        What to do with a pair that was never compared: play it as 1/2 and count it in ``.n_missing``, or
        refuse.

    Returns
    -------
    PreferenceGame or OperatorGame
        Of a sparse matrix the game that stores no more than the pairs that were compared; its ``votes`` are
        `PairVotes`.

    Raises
    ------
    InputError
        Negative or fractional counts, counts beyond 2**53, ties that are not symmetric, wins against itself, no
        comparison at all.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> gp.from_counts([[0, 3], [1, 0]]).preference
    array([[0.5 , 0.75],
           [0.25, 0.5 ]])

    A million responses of which two were compared:

    >>> from scipy.sparse import coo_array
    >>> gp.from_counts(coo_array(([3, 1], ([0, 999_999], [999_999, 0])), shape=(1_000_000, 1_000_000)))
    OperatorGame(1000000 responses, 4 comparisons, 499999499999 pairs never compared; sparse, 2 entries)
    """
    if is_sparse(wins):
        return sparse_counts_game(wins, ties=ties, names=names, kind=kind, missing=missing)
    if is_sparse(ties):
        raise InputError("ties is sparse and wins is not; give both in one form")
    table = square(as_float_array(wins, name="wins", ndim=2), name="wins")
    names = labels(frame_labels(wins, names), table.shape[0])
    _require_counts(table, names, "wins")
    draws = np.zeros_like(table)
    if ties is not None:
        draws = as_float_array(ties, name="ties", ndim=2)
        if draws.shape != table.shape:
            raise InputError(f"ties has shape {draws.shape} and wins {table.shape}; they must agree")
        _require_counts(draws, names, "ties")
        if not np.array_equal(draws, draws.T):
            i, j = np.argwhere(draws != draws.T)[0]
            raise InputError(
                f"ties[{names[i]}, {names[j]}] = {draws[i, j]:g} "
                f"but ties[{names[j]}, {names[i]}] = {draws[j, i]:g}; "
                "a tie belongs to the pair, so give the same count in both entries"
            )
    choice(kind, ("rate", "margin"), name="kind")
    return game_from_votes(Votes(table.copy(), draws.copy(), kind), names, missing=missing)


def game_from_votes(votes: Votes, names: Labels, *, missing: str = "half") -> PreferenceGame:
    """Return the game of checked votes (weights may be fractional here)."""
    choice(missing, ("half", "error"), name="missing")
    if len(names) > 1 and votes.n_comparisons == 0:
        raise InputError("there are 0 comparisons, so nothing can be said about any pair; check the source")
    if missing == "error" and votes.n_missing:
        i, j = np.argwhere(np.triu(votes.totals == 0, 1))[0]
        raise InputError(
            f'{votes.n_missing} pairs were never compared; first: {names[i]} and {names[j]}. '
            'Collect them, drop a response, or pass missing="half" to play them as 1/2'
        )
    for table in (votes.wins, votes.ties):
        table.flags.writeable = False
    return _build(votes.margins(), names, votes)


def _require_counts(table: FloatArray, names: Labels, name: str) -> None:
    bad = (table < 0) | (table != np.floor(table)) | (table > MAX_COUNT)
    if bad.any():
        i, j = np.argwhere(bad)[0]
        if table[i, j] > MAX_COUNT:
            raise InputError(
                f"{name}[{names[i]}, {names[j]}] = {table[i, j]:g} is beyond 2**53, up to which float64 counts; "
                "check the numbers"
            )
        what = "negative" if table[i, j] < 0 else "fractional"
        raise InputError(
            f"{name}[{names[i]}, {names[j]}] = {table[i, j]:g} is {what}; counts are whole numbers. "
            "For win rates use preference_game, for weighted votes from_comparisons"
        )
    if np.diagonal(table).any():
        i = int(np.flatnonzero(np.diagonal(table))[0])
        raise InputError(
            f"{name}[{names[i]}, {names[i]}] = {table[i, i]:g}; a response is not compared with itself, "
            "so it must be 0"
        )
