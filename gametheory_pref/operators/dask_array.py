"""Payoffs as dask arrays: products where the chunks are, in threads, in processes or on a cluster."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .._optional import require
from .._types import FloatArray, IntArray
from ..errors import InputError
from .base import Cost, PayoffOperator
from .examined import examined_skewness


class DaskArray(PayoffOperator):
    """A payoff matrix as a dask array, of which every chunk is multiplied where it lies.

    Products run on the scheduler in force: threads, processes, or the cluster of a ``distributed.Client``. To a cluster
    the vector is sent once for all workers, each multiplies the chunks that it holds, and only vectors come back. What
    a chunk is made from runs anew for every product unless the array is kept in memory: ``array.persist()`` first.

    Parameters
    ----------
    array : dask.array.Array, shape (rows, columns)
        float64, chunks of known sizes in one or both axes; chunks may be NumPy arrays or SciPy sparse arrays.
    is_skew : bool
        Whether the matrix is skew; not checked here.
    """

    def __init__(self, array: Any, *, is_skew: bool) -> None:
        self.array = array
        self.shape = (int(array.shape[0]), int(array.shape[1]))
        self.is_skew = is_skew
        self._first_row, self._first_column = (np.cumsum([0, *sizes]) for sizes in array.chunks)
        self._chunks = array.to_delayed()

    def product(self, vector: FloatArray) -> FloatArray:
        """Return ``A @ vector``."""
        times = _delayed(_times)
        pieces = _at_hand(np.split(vector, self._first_column[1:-1]))
        return _concatenated([
            _added([times(chunk, piece) for chunk, piece in zip(row, pieces, strict=True)]) for row in self._chunks
        ])  # fmt: skip

    def transposed_product(self, vector: FloatArray) -> FloatArray:
        """Return ``A.T @ vector``."""
        if self.is_skew:
            return -self.product(vector)
        times = _delayed(_transposed_times)
        pieces = _at_hand(np.split(vector, self._first_row[1:-1]))
        return _concatenated([
            _added([times(chunk, piece) for chunk, piece in zip(column, pieces, strict=True)])
            for column in self._chunks.T
        ])  # fmt: skip

    def both_products(self, row: FloatArray, column: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return ``(A @ column, A.T @ row)``; every chunk is visited once, in one graph."""
        both = _delayed(_times_both, nout=2)
        masses = _at_hand([*np.split(row, self._first_row[1:-1]), *np.split(column, self._first_column[1:-1])])
        rows, columns = masses[: len(self._chunks)], masses[len(self._chunks) :]
        pairs = [
            [both(self._chunks[i, j], mass, other) for j, mass in enumerate(columns)] for i, other in enumerate(rows)
        ]
        up = [_added([pair[0] for pair in row_of_pairs]) for row_of_pairs in pairs]
        down = [_added([pair[1] for pair in column_of_pairs]) for column_of_pairs in zip(*pairs, strict=True)]
        computed = _computed([*up, *down])
        return np.concatenate(computed[: len(up)]), np.concatenate(computed[len(up) :])

    @cached_property
    def _contents(self) -> _Contents:
        """What all chunks hold, found in one pass."""
        look = _delayed(_contents_of)
        found = _computed([look(chunk) for chunk in self._chunks.ravel()])
        return _Contents(sum(c.bytes for c in found), sum(c.entries for c in found), max(c.largest for c in found))

    @property
    def _is_dense(self) -> bool:
        return isinstance(self.array._meta, np.ndarray)

    @property
    def cost(self) -> Cost:
        """What one product takes, all workers together; chunks that are not NumPy arrays are looked at once."""
        if self._is_dense:
            return Cost(8.0 * self.array.size, 2.0 * self.array.size)
        return Cost(float(self._contents.bytes), 2.0 * self._contents.entries)

    @property
    def nbytes(self) -> int:
        """Bytes of all chunks."""
        return int(self.cost.bytes)

    def largest(self) -> float:
        """Return the largest absolute value."""
        return self._contents.largest

    def describe(self) -> str:
        """Return how many chunks there are."""
        down, across = self._chunks.shape
        return f"dask, {down} x {across} chunks"

    def block(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Return the submatrix; chunks without any of it are left alone."""
        part = _delayed(_part)
        owners = [
            [(number, np.flatnonzero(owner == number)) for number in np.unique(owner)]
            for owner in (
                np.searchsorted(first, wanted, side="right") - 1
                for first, wanted in ((self._first_row, rows), (self._first_column, columns))
            )
        ]
        places, tasks = [], []
        for i, own_rows in owners[0]:
            for j, own_columns in owners[1]:
                local = rows[own_rows] - self._first_row[i], columns[own_columns] - self._first_column[j]
                tasks.append(part(self._chunks[i, j], *local))
                places.append(np.ix_(own_rows, own_columns))
        block = np.zeros((len(rows), len(columns)))
        for place, found in zip(places, _computed(tasks), strict=True):
            block[place] = found
        return block

    @property
    def block_is_cheap(self) -> bool:
        """True."""
        return True


class _Contents(NamedTuple):
    """What a chunk holds."""

    bytes: int
    entries: int
    largest: float


# What runs on workers. Chunks multiply vectors with ``@`` whether they are NumPy arrays or SciPy sparse ones.


def _times(chunk: Any, vector: FloatArray) -> FloatArray:
    return np.asarray(chunk @ vector)


def _transposed_times(chunk: Any, vector: FloatArray) -> FloatArray:
    return np.asarray(chunk.T @ vector)


def _times_both(chunk: Any, column: FloatArray, row: FloatArray) -> tuple[FloatArray, FloatArray]:
    return _times(chunk, column), _transposed_times(chunk, row)


def _sum(pieces: Sequence[FloatArray]) -> FloatArray:
    return functools.reduce(np.add, pieces)


def _contents_of(chunk: Any) -> _Contents:
    entries = chunk if isinstance(chunk, np.ndarray) else chunk.data
    positions = 0 if isinstance(chunk, np.ndarray) else chunk.indices.nbytes + chunk.indptr.nbytes
    largest = float(max(entries.max(), -entries.min())) if entries.size else 0.0
    return _Contents(entries.nbytes + positions, entries.size, largest)


def _part(chunk: Any, rows: IntArray, columns: IntArray) -> FloatArray:
    part = chunk[rows][:, columns]
    return np.asarray(part if isinstance(part, np.ndarray) else part.toarray())


# What runs here.


def _dask() -> Any:
    require("dask.array", extra="cluster", purpose="payoffs as dask arrays")
    return require("dask", extra="cluster", purpose="payoffs as dask arrays")


def _delayed(function: Any, nout: int | None = None) -> Any:
    # Not pure: names of tasks are drawn, not hashed from vectors.
    return _dask().delayed(function, pure=False, nout=nout, traverse=False)


def _computed(tasks: list[Any]) -> list[Any]:
    return list(_dask().compute(*tasks, traverse=False))


def _concatenated(pieces: list[Any]) -> FloatArray:
    return np.concatenate(_computed(pieces))


def _added(pieces: list[Any]) -> Any:
    return pieces[0] if len(pieces) == 1 else _dask().delayed(_sum, pure=False)(pieces)


def _at_hand(vectors: list[FloatArray]) -> list[Any]:
    """Return vectors as tasks take them: on a cluster as futures, sent once for all workers."""
    scheduler = _dask().base.get_scheduler()
    client = getattr(scheduler, "__self__", None)
    if not hasattr(client, "scatter"):
        return vectors
    return list(client.scatter(vectors, broadcast=True, hash=False))  # type: ignore[union-attr]


def dask_payoff(array: Any, *, two_player: bool = False) -> DaskArray:
    """Return a payoff in a dask array as an operator.

    Parameters
    ----------
    array : dask.array.Array
        float64, with chunks of known sizes. Products run wherever its chunks can be computed; ``array.persist()``
        keeps them in the memory of this process or of the workers, which a run of hundreds of products wants.
    two_player : bool
        Whether a square payoff is that of two different players; otherwise it must be skew, the payoff of a symmetric
        game. Two products with random vectors tell.

    Raises
    ------
    InputError
        Not float64; not a matrix; chunks of unknown size; not finite; or square, not skew, and not `two_player`.
    MissingDependency
        dask is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> da = __import__("pytest").importorskip("dask.array")
    >>> win = np.array([[0.5, 0.75, 0.2], [0.25, 0.5, 1.0], [0.8, 0.0, 0.5]])
    >>> payoff = dask_payoff(da.from_array(win - 0.5, chunks=(2, 3)))
    >>> payoff
    DaskArray(3 x 3; dask, 2 x 1 chunks)
    >>> payoff.is_skew, payoff @ np.array([0.5, 0.5, 0.0])
    (True, array([ 0.125, -0.125, -0.1  ]))
    """
    _dask()
    if not hasattr(array, "to_delayed") or not hasattr(array, "chunks"):
        raise InputError(f"payoff must be a dask array; got {type(array).__name__}")
    if array.dtype != np.float64:
        raise InputError(f"payoff is a dask array of {array.dtype}; pass payoff.astype(float)")
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"payoff must be a matrix with entries; got shape {array.shape}")
    if any(math.isnan(size) for sizes in array.chunks for size in sizes):
        raise InputError("payoff has chunks of unknown size; call payoff.compute_chunk_sizes() first")
    payoff = DaskArray(array, is_skew=False)
    payoff.is_skew = examined_skewness(payoff, two_player=two_player)
    return payoff
