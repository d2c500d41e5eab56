"""Columns of labels as whole numbers: every distinct value is looked up once, and compared as a number after that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._types import Labels
from ..errors import InputError

CodeArray = NDArray[np.int32]


class Coded(NamedTuple):
    """A column as integer codes into its distinct values."""

    codes: CodeArray
    values: tuple[Any, ...]

    def select(self, rows: NDArray[np.intp]) -> Coded:
        """Return the same column with only some rows, and only the values that occur in them."""
        used, codes = np.unique(self.codes[rows], return_inverse=True)
        return Coded(codes.astype(np.int32), tuple(self.values[code] for code in used.tolist()))

    def labels(self) -> Labels:
        """Return the values as labels; what is missing becomes the empty string."""
        return tuple(
            value if isinstance(value, str) or type(value) is int else "" if value is None else str(value)
            for value in self.values
        )


_ENCODED_AT_ONCE = 100_000
"""Labels that are Python objects at a time."""


class Encoder(dict[Any, int]):
    """Number distinct values 0, 1, ... in the order in which they are looked up."""

    def __missing__(self, value: Any) -> int:
        self[value] = code = len(self)
        return code

    def encode(self, values: Iterable[Any], count: int) -> CodeArray:
        """Return the code of each of `count` values."""
        return np.fromiter(map(self.__getitem__, values), np.int32, count)


def encode(values: Any, *, name: str) -> Coded:
    """Return a column of labels as codes; anything that `numpy.asarray` takes, one axis."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise InputError(f"{name} must be one column; its shape is {array.shape}")
    if array.dtype.kind in "iu":
        return _encode_whole(array)
    if array.dtype.kind not in "OUT":
        if array.size == 0:
            return Coded(np.empty(0, np.int32), ())
        raise InputError(
            f"{name} must hold labels, strings or whole numbers; it has type {array.dtype}, first {array[0]!r}"
        )
    encoder = Encoder()
    codes = np.empty(array.size, np.int32)
    try:
        for start in range(0, array.size, _ENCODED_AT_ONCE):
            part = array[start : start + _ENCODED_AT_ONCE]
            codes[start : start + part.size] = encoder.encode(part.tolist(), part.size)
    except TypeError as error:
        raise InputError(f"{name} must hold labels, strings or whole numbers: {error}") from error
    return Coded(codes, tuple(encoder))


def _encode_whole(array: NDArray[Any]) -> Coded:
    """Code whole numbers in ascending order, without sorting them where they lie close together."""
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    if high - low > 4 * array.size:
        distinct, inverse = np.unique(array, return_inverse=True)
        return Coded(inverse.astype(np.int32), tuple(distinct.tolist()))
    occurs = np.zeros(high - low + 1, bool)
    occurs[array - low] = array.size > 0
    code = (np.cumsum(occurs) - 1).astype(np.int32)
    return Coded(code[array - low], tuple((np.flatnonzero(occurs) + low).tolist()))
