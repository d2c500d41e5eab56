"""Preference games: symmetric, constant-sum, one matrix of win probabilities."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, overload

import numpy as np
from numpy.typing import ArrayLike

from .._check import as_float_array, frame_labels, input_rounding, labels, non_negative, square
from .._types import FloatArray, Label, Labels, LabelsLike
from ..errors import InputError

if TYPE_CHECKING:
    from .operator import OperatorGame
    from .votes import Votes


class SparseMatrix(Protocol):
    """What tells one of scipy's sparse matrices or arrays from a table."""

    @property
    def nnz(self) -> int:
        """Number of stored entries."""

    def tocsr(self) -> Any:
        """Return it by compressed rows."""


@dataclass(frozen=True, eq=False, repr=False)
class PreferenceGame:
    r"""Two players pick a response each; the preferred response wins.

    The game is symmetric and constant-sum: :math:`P_{ij} + P_{ji} = 1`. Its symmetric equilibria are the
    Minimax Winners (von Neumann winners, maximal lotteries). Build one with `preference_game`, `from_counts`,
    `from_comparisons`, `from_margins`, `from_scores` or `read`; these check their input, the class does not.

    Attributes
    ----------
    payoff : ndarray, shape (n, n)
        ``preference - 1/2``, exactly skew-symmetric in float64; read-only. Solvers play this matrix.
    names : tuple
        What the responses are called; positions 0, 1, ... when the user named none.
    votes : Votes or None
        The comparisons that the probabilities were estimated from.
    """

    payoff: FloatArray
    names: Labels
    votes: Votes | None = field(default=None)

    @cached_property
    def preference(self) -> FloatArray:
        """Probability that the row response beats the column response, shape (n, n); read-only, made on first use."""
        preference = self.payoff + 0.5
        preference.flags.writeable = False
        return preference

    @property
    def n_responses(self) -> int:
        """Number of responses."""
        return int(self.payoff.shape[0])

    @property
    def n_missing(self) -> int:
        """Number of pairs without a single comparison (0 when the game did not come from comparisons)."""
        return 0 if self.votes is None else self.votes.n_missing

    def index(self, name: Label) -> int:
        """Return the position of a response."""
        try:
            return self.names.index(name)
        except ValueError:
            known = ", ".join(str(label) for label in self.names[:8])
            raise InputError(f"no response is called {name!r}; the names start with {known}") from None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "preference"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # numpy does not pickle the flag that makes arrays read-only.
        self.__dict__.update(state)
        self.payoff.flags.writeable = False

    def __repr__(self) -> str:
        source = "" if self.votes is None else f", {self.votes.n_comparisons:g} comparisons"
        missing = f", {self.n_missing} pairs never compared" if self.n_missing else ""
        return f"PreferenceGame({self.n_responses} responses{source}{missing})"

    def _repr_html_(self) -> str:
        from ..html import game_table

        return game_table(self)


def _build(payoff: FloatArray, names: Labels, votes: Votes | None = None) -> PreferenceGame:
    """Return the game of an exactly skew `payoff` with entries in [-1/2, 1/2]."""
    payoff.flags.writeable = False
    return PreferenceGame(payoff, names, votes)


def _skew_part(matrix: FloatArray, divisor: float) -> FloatArray:
    """Return ``(matrix - matrix') / divisor`` in [-1/2, 1/2], exactly skew, in one table."""
    payoff = matrix - matrix.T
    payoff /= divisor
    return np.clip(payoff, -0.5, 0.5, out=payoff)


def preference_game(
    P: ArrayLike,
    *,
    names: LabelsLike = None,
    atol: float = 1e-9,
    symmetrize: bool = False,
) -> PreferenceGame:
    """Return the game of a matrix of win probabilities.

    Parameters
    ----------
    P : array_like, shape (n, n)
        Probability that the row response beats the column response; ``P + P.T == 1``, diagonal 1/2.
    names : sequence of str, optional
        What the responses are called; the labels of a data frame when left out.
    atol : float
        Largest ``|P + P.T - 1|`` that passes as rounding; at least the rounding of the type of `P`, which is
        2.4e-7 for float32. Within it the payoff is ``(P - P.T) / 2``.
    symmetrize : bool
        Replace ``P`` by ``(P + 1 - P.T) / 2`` first, for judges that favour a position.

    Raises
    ------
    InputError
        Not square, not finite, outside [0, 1], or ``P + P.T`` is not 1.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.preference_game([[0.5, 0.7], [0.3, 0.5]], names=["tea", "coffee"])
    >>> game
    PreferenceGame(2 responses)
    >>> gp.condorcet_winner(game)
    'tea'
    """
    matrix = square(as_float_array(P, name="P", ndim=2), name="P")
    names = labels(frame_labels(P, names), matrix.shape[0])
    atol = max(non_negative(atol, name="atol"), input_rounding(P))
    if matrix.min() < -atol or matrix.max() > 1.0 + atol:
        i, j = np.argwhere((matrix < -atol) | (matrix > 1.0 + atol))[0]
        raise InputError(
            f"P must hold probabilities; P[{names[i]}, {names[j]}] is {matrix[i, j]:.6g}. "
            "For win counts use from_counts, for margins from_margins, for log-odds from_scores"
        )
    if not symmetrize:
        _require_complementary(matrix, names, atol)
    return _build(_skew_part(matrix, 2.0), names)


def _require_complementary(matrix: FloatArray, names: Labels, atol: float) -> None:
    off = matrix + matrix.T
    off -= 1.0
    np.abs(off, out=off)
    if (off <= atol).all():
        return
    i, j = np.unravel_index(int(np.argmax(off)), off.shape)
    if i == j:
        raise InputError(
            f"P[{names[i]}, {names[i]}] = {matrix[i, i]:.6g}; "
            "a response against itself wins with probability 1/2"
        )
    total = float(matrix[i, j] + matrix[j, i])
    rounding = "For rounded numbers raise atol. " if off[i, j] < 1e-2 else ""
    raise InputError(
        f"P[{names[i]}, {names[j]}] + P[{names[j]}, {names[i]}] = {total:.12g}, not 1. {rounding}"
        "If ties were left out, count each as half a win; to average the two orders pass symmetrize=True; "
        "for win counts use from_counts"
    )


@overload
def from_margins(M: SparseMatrix, *, names: LabelsLike = None, atol: float = 1e-9) -> OperatorGame: ...


@overload
def from_margins(M: ArrayLike, *, names: LabelsLike = None, atol: float = 1e-9) -> PreferenceGame: ...


def from_margins(M: Any, *, names: LabelsLike = None, atol: float = 1e-9) -> PreferenceGame | OperatorGame:
    """Return the game of a skew-symmetric matrix of margins in [-1, 1], ``P = (1 + M) / 2``.

    Of a scipy sparse matrix it is an `OperatorGame` that stores no more than the entries of the matrix.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> gp.from_margins([[0, 0.4], [-0.4, 0]]).preference
    array([[0.5, 0.7],
           [0.3, 0.5]])
    """
    from .sparse_games import is_sparse, sparse_margins_game

    if is_sparse(M):
        return sparse_margins_game(M, names=names, atol=atol)
    matrix = square(as_float_array(M, name="M", ndim=2), name="M")
    names = labels(frame_labels(M, names), matrix.shape[0])
    atol = non_negative(atol, name="atol")
    _require_skew(matrix, names, "M", atol)
    if max(float(matrix.max()), -float(matrix.min())) > 1.0 + atol:
        i, j = np.unravel_index(int(np.argmax(np.abs(matrix))), matrix.shape)
        raise InputError(
            f"M must lie in [-1, 1]; M[{names[i]}, {names[j]}] is {matrix[i, j]:.6g}. "
            "Divide the margins by the number of comparisons, or by their largest absolute value"
        )
    return _build(_skew_part(matrix, 4.0), names)


def from_scores(S: ArrayLike, *, names: LabelsLike = None, atol: float = 1e-9) -> PreferenceGame:
    """Return the game of a skew-symmetric matrix of log-odds, ``P = 1 / (1 + exp(-S))``.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> gp.from_scores([[0.0, 2.0], [-2.0, 0.0]]).preference.round(4)
    array([[0.5   , 0.8808],
           [0.1192, 0.5   ]])
    """
    matrix = square(as_float_array(S, name="S", ndim=2), name="S")
    names = labels(frame_labels(S, names), matrix.shape[0])
    _require_skew(matrix, names, "S", non_negative(atol, name="atol"))
    # sigmoid(s) - 1/2 = tanh(s/2)/2 is odd in floating point too, so the payoff stays exactly skew.
    payoff = matrix - matrix.T
    payoff /= 4.0
    np.tanh(payoff, out=payoff)
    payoff /= 2.0
    return _build(payoff, names)


def _require_skew(matrix: FloatArray, names: Labels, name: str, atol: float) -> None:
    off = matrix + matrix.T
    np.abs(off, out=off)
    if (off <= atol).all():
        return
    i, j = np.unravel_index(int(np.argmax(off)), off.shape)
    raise InputError(
        f"{name} must be skew-symmetric; {name}[{names[i]}, {names[j]}] = {matrix[i, j]:.6g} and "
        f"{name}[{names[j]}, {names[i]}] = {matrix[j, i]:.6g} do not cancel"
    )
