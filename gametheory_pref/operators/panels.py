"""Large products by panels of rows, which threads share.

The panels depend on the shape alone, and their sums are added up in one order, so that a product has the same bits
whatever the number of threads.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from .._jit import delayed_interrupt
from .._threads import share
from .._types import FloatArray
from ..errors import InputError

_MOST_PANELS = 16
# Sums over rows take a vector for each panel: at most this fraction of what the panel itself has.
_ROWS_OF_PANEL = 32


def panels(n_rows: int, *, at_most: int = _MOST_PANELS) -> list[slice]:
    """Return ranges of rows of about the same size."""
    count = max(1, min(at_most, _MOST_PANELS, n_rows // _ROWS_OF_PANEL))
    edges = np.linspace(0, n_rows, count + 1).astype(int).tolist()
    return [slice(first, last) for first, last in itertools.pairwise(edges)]


def triangle_panels(n: int) -> list[slice]:
    """Return ranges of rows that have about the same number of entries above the diagonal."""
    count = max(1, min(_MOST_PANELS, n // _ROWS_OF_PANEL))
    # Whole groups of the eight rows that kernels take at a time, whose entries then begin alike in memory.
    edges = (n * (1.0 - np.sqrt(1.0 - np.arange(count) / count))).astype(int) // 8 * 8
    return [slice(first, last) for first, last in itertools.pairwise([*edges.tolist(), n])]


def as_vector(vector: FloatArray, size: int) -> FloatArray:
    """Return a copy of a vector for compiled code, which would read on past the end of a shorter one.

    Raises
    ------
    InputError
        It has another size.
    """
    if np.shape(vector) != (size,):
        raise InputError(f"vector must have shape ({size},), one entry per response; its shape is {np.shape(vector)}")
    return np.array(vector, dtype=np.float64)


def each_panel(work: Callable[[slice], object], ranges: list[slice]) -> None:
    """Call `work` on every range of rows."""
    with delayed_interrupt():
        share(lambda k: work(ranges[k]), len(ranges))


def summed_panels(work: Callable[[slice, FloatArray], object], ranges: list[slice], size: int) -> FloatArray:
    """Return the sum of what `work` adds to a vector of zeros of its own for every range of rows."""
    sums = np.zeros((len(ranges), size))
    with delayed_interrupt():
        share(lambda k: work(ranges[k], sums[k]), len(ranges))
    return np.asarray(sums.sum(axis=0))
