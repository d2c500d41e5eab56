"""Preference games of many responses, of whose pairs few were compared: the payoff is sparse, and no table is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._check import choice, labels_or_range, non_negative
from .._types import Label, LabelsLike
from ..errors import InputError
from ..operators import Sparse
from .operator import OperatorGame
from .pair_votes import PairVotes, check_pairs, count_pairs

DENSE_LIMIT = 10_000
"""Responses up to which comparisons become a table; at that size one table takes 800 MB."""


def is_sparse(matrix: Any) -> bool:
    """Return whether `matrix` is one of scipy's sparse matrices or arrays; scipy is not imported."""
    return hasattr(matrix, "tocsr") and hasattr(matrix, "nnz")


def as_csr(matrix: Any, *, name: str) -> Any:
    """Return a float64 CSR array with finite, sorted entries, none twice and none 0; a copy where that takes one.

    Raises
    ------
    InputError
        An entry is complex, NaN or infinite, or the matrix has no rows or columns.
    """
    from scipy.sparse import csr_array

    if len(matrix.shape) != 2 or min(matrix.shape) == 0:
        raise InputError(f"{name} must be a matrix with rows and columns; its shape is {matrix.shape}")
    if matrix.dtype.kind not in "biuf":
        raise InputError(f"{name} must hold real numbers; its type is {matrix.dtype}")
    # Before entries that occur twice are added up: small integers would overflow, and truth values stay at 1.
    found = csr_array(matrix.astype(np.float64, copy=False))
    clean = found.has_canonical_format and bool(found.data.all())
    found = csr_array(found, copy=not clean)
    if not clean:
        found.sum_duplicates()
        found.eliminate_zeros()
    if not np.isfinite(found.data).all():
        at = int(np.argmin(np.isfinite(found.data)))
        i, j = position(found, at)
        raise InputError(f"{name} has a value that is not finite: entry ({i}, {j}) is {found.data[at]}")
    return found


def position(matrix: Any, at: int) -> tuple[int, int]:
    """Return row and column of a stored entry of a CSR array."""
    return int(np.searchsorted(matrix.indptr, at, side="right")) - 1, int(matrix.indices[at])


def square_csr(matrix: Any, *, name: str) -> Any:
    """Return `as_csr` of a square matrix."""
    if len(matrix.shape) == 2 and matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"{name} must be square, one row and one column per response; its shape is {matrix.shape}")
    return as_csr(matrix, name=name)


def skew_csr(matrix: Any, names: Sequence[Label], *, name: str, atol: float) -> Any:
    """Return ``(M - M') / 2`` of a sparse matrix that is skew up to `atol`."""
    off = (matrix + matrix.T).tocsr()
    worst = int(np.argmax(np.abs(off.data))) if off.nnz else -1
    if worst >= 0 and abs(off.data[worst]) > atol:
        i, j = position(off, worst)
        raise InputError(
            f"{name} must be skew-symmetric; {name}[{names[i]}, {names[j]}] = {matrix[i, j]:.6g} and "
            f"{name}[{names[j]}, {names[i]}] = {matrix[j, i]:.6g} do not cancel"
        )
    if not off.nnz:
        return matrix
    skew = (matrix - matrix.T).tocsr()
    skew.data /= 2.0
    skew.eliminate_zeros()
    return skew


def game_from_pairs(votes: PairVotes, names: Sequence[Label], *, missing: str) -> OperatorGame:
    """Return the sparse game of checked votes."""
    check_pairs(votes, names, missing=missing)
    return OperatorGame(Sparse(votes.payoff(), is_skew=True), names, names, votes)


def sparse_margins_game(matrix: Any, *, names: LabelsLike, atol: float) -> OperatorGame:
    """Return the game of a sparse skew matrix of margins in [-1, 1]; see `from_margins`."""
    margins = square_csr(matrix, name="M")
    called = labels_or_range(names, margins.shape[0])
    atol = non_negative(atol, name="atol")
    payoff = skew_csr(margins, called, name="M", atol=atol).copy()
    large = np.abs(payoff.data) > 1.0 + atol
    if large.any():
        at = int(np.argmax(large))
        i, j = position(payoff, at)
        raise InputError(
            f"M must lie in [-1, 1]; M[{called[i]}, {called[j]}] is {payoff.data[at]:.6g}. "
            "Divide the margins by the number of comparisons, or by their largest absolute value"
        )
    payoff.data /= 2.0
    np.clip(payoff.data, -0.5, 0.5, out=payoff.data)
    return OperatorGame(Sparse(payoff, is_skew=True), called, called)


def sparse_counts_game(wins: Any, *, ties: Any, names: LabelsLike, kind: Any, missing: str) -> OperatorGame:
    """Return the game of sparse win counts; see `from_counts`."""
    won = square_csr(wins, name="wins")
    called = labels_or_range(names, won.shape[0])
    _require_counts(won, called, "wins")
    choice(kind, ("rate", "margin"), name="kind")
    rows, columns = won.nonzero()
    counts, outcome = won.data, np.ones(won.nnz, np.int8)
    if ties is not None:
        drawn = _ties(ties, called, won.shape)
        tied_rows, tied_columns = drawn.nonzero()
        upper = tied_rows < tied_columns
        rows = np.concatenate([rows, tied_rows[upper]])
        columns = np.concatenate([columns, tied_columns[upper]])
        counts = np.concatenate([counts, drawn.data[upper]])
        outcome = np.concatenate([outcome, np.zeros(int(upper.sum()), np.int8)])
    votes = count_pairs(won.shape[0], rows, columns, outcome, counts, positioned=False, kind=kind)
    return game_from_pairs(votes, called, missing=missing)


def _ties(ties: Any, names: Sequence[Label], shape: tuple[int, int]) -> Any:
    if not is_sparse(ties):
        raise InputError(f"ties must be sparse where wins is; got {type(ties).__name__}")
    if ties.shape != shape:
        raise InputError(f"ties has shape {ties.shape} and wins {shape}; they must agree")
    drawn = as_csr(ties, name="ties")
    _require_counts(drawn, names, "ties")
    off = (drawn - drawn.T).tocsr()
    off.eliminate_zeros()
    if off.nnz:
        i, j = position(off, 0)
        raise InputError(
            f"ties[{names[i]}, {names[j]}] = {drawn[i, j]:g} but ties[{names[j]}, {names[i]}] = {drawn[j, i]:g}; "
            "a tie belongs to the pair, so give the same count in both entries"
        )
    return drawn


def _require_counts(counts: Any, names: Sequence[Label], name: str) -> None:
    from .votes import MAX_COUNT

    data = counts.data
    bad = (data < 0) | (data != np.floor(data)) | (data > MAX_COUNT)
    if bad.any():
        at = int(np.argmax(bad))
        i, j = position(counts, at)
        what = "negative" if data[at] < 0 else "beyond 2**53" if data[at] > MAX_COUNT else "fractional"
        raise InputError(
            f"{name}[{names[i]}, {names[j]}] = {data[at]:g} is {what}; counts are whole numbers. "
            "For win rates less one half use operator_game, for weighted votes from_comparisons"
        )
    diagonal = counts.diagonal()
    if diagonal.any():
        i = int(np.argmax(diagonal != 0))
        raise InputError(
            f"{name}[{names[i]}, {names[i]}] = {diagonal[i]:g}; a response is not compared with itself, "
            "so it must be 0"
        )
