"""Turn user input into checked float64 arrays; every message about an argument is written here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ._types import FloatArray, Label, Labels
from .errors import InputError


def as_float_array(value: Any, *, name: str, ndim: int) -> FloatArray:
    """Return `value` as a finite C-contiguous float64 array with `ndim` axes."""
    if np.ma.is_masked(value):
        raise InputError(f"{name} is a masked array with masked entries; fill in or drop what is missing")
    try:
        array = np.asarray(value)
        if array.dtype == object or array.dtype.kind in "SU":
            _refuse_ragged(value, name)
        if array.dtype.kind in "SU":
            raise InputError(f"{name} must hold numbers only; it holds text: {str(array.flat[0])!r}")
        if np.iscomplexobj(array):
            raise InputError(f"{name} has complex entries; payoffs and probabilities are real numbers")
        result = np.ascontiguousarray(array, dtype=np.float64)
    except InputError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        _refuse_ragged(value, name)
        raise InputError(f"{name} must hold numbers only: {error}") from error
    if np.ndim(value) == 0 or result.ndim != ndim:
        axes = "1 axis" if ndim == 1 else f"{ndim} axes"
        raise InputError(f"{name} must have {axes}; its shape is {np.shape(array)}")
    if not np.isfinite(result).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(result))[0])
        raise InputError(
            f"{name} has a value that is not finite: entry {_show(where)} is {result[where]}. "
            "Fill in or drop what is missing before solving"
        )
    return result


def input_rounding(value: Any) -> float:
    """Return how far complementary float32 or float16 numbers miss their sum of 1; 0 for all other input."""
    dtype = np.asarray(value).dtype
    return 2.0 * float(np.finfo(dtype).eps) if dtype in (np.float16, np.float32) else 0.0


def _refuse_ragged(value: Any, name: str) -> None:
    """Raise with the first row whose length differs, if that is what is wrong."""
    try:
        lengths = [len(row) for row in value if not isinstance(row, str)]
    except TypeError:
        return
    for i, length in enumerate(lengths):
        if length != lengths[0]:
            raise InputError(
                f"{name} is ragged: row 0 has {lengths[0]} entries and row {i} has {length}; "
                "give every row the same length"
            )


def _show(index: tuple[int, ...]) -> str:
    return f"({', '.join(str(i) for i in index)})"


def square(array: FloatArray, *, name: str) -> FloatArray:
    """Return `array`, refused unless it is a non-empty square matrix."""
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise InputError(
            f"{name} must be square, one row and one column per response; its shape is {array.shape}"
        )
    if array.shape[0] == 0:
        raise InputError(f"{name} is empty; a game needs at least one response")
    return array


def labels(names: Any, count: int, *, name: str = "names") -> Labels:
    """Return one label per response: the given names, else the positions 0, 1, ..."""
    if names is None:
        return tuple(range(count))
    if isinstance(names, (str, bytes, set, frozenset)) or not isinstance(names, Iterable):
        raise InputError(f"{name} must be a sequence of {count} names; got {names!r}")
    result: list[Label] = []
    for item in names:
        if isinstance(item, (bool, np.bool_)) or not isinstance(item, (str, int, np.integer)):
            raise InputError(f"{name} must hold strings or whole numbers; got {item!r}")
        result.append(str(item) if isinstance(item, str) else int(item))
    if len(result) != count:
        raise InputError(
            f"{name} has {len(result)} entries for {count} responses; give one name per response"
        )
    seen: set[Label] = set()
    for label in result:
        if label in seen:
            raise InputError(f"{name} has {label!r} twice; names must differ, so rename one of them")
        seen.add(label)
    return tuple(result)


def labels_or_range(names: Any, count: int, *, name: str = "names") -> Sequence[Label]:
    """Return `labels`, but positions as a range, which costs nothing however many there are."""
    return range(count) if names is None else labels(names, count, name=name)


def frame_labels(matrix: Any, names: Any) -> Any:
    """Return `names`, or else the row labels of a data frame whose columns carry the same labels.

    Raises
    ------
    InputError
        No names are given and the labels of rows and columns differ, so that it is open who plays whom.
    """
    index, columns = getattr(matrix, "index", None), getattr(matrix, "columns", None)
    if names is not None or index is None or columns is None or callable(index):
        return names
    rows, tops = list(index), list(columns)
    if rows != tops:
        raise InputError(
            f"the rows are labelled {rows[:4]} and the columns {tops[:4]}; give both the same labels in the same "
            "order, or pass names"
        )
    return rows


def distribution(value: Any, count: int, *, name: str) -> FloatArray:
    """Return `value` as a probability vector over `count` responses.

    Its sum may miss 1 by 1e-9, or by the rounding of `count` numbers in float32 or float16.
    """
    array = as_float_array(value, name=name, ndim=1)
    if array.size != count:
        raise InputError(
            f"{name} has {array.size} entries for {count} responses; give one probability per response"
        )
    if (array < 0).any():
        i = int(np.argmin(array))
        raise InputError(f"{name} has a negative probability: entry {i} is {array[i]}")
    total = float(array.sum())
    if abs(total - 1.0) > max(1e-9, count * input_rounding(value)):
        raise InputError(f"{name} sums to {total:.12g}, not 1; divide it by its sum")
    # A sum within a few ulp of 1 is as good as float64 gets: dividing would only change the user's bits.
    return array if abs(total - 1.0) <= 1e-13 else array / total


def non_negative(value: Any, *, name: str) -> float:
    """Return `value` as a finite float of at least 0; text and truth values are no numbers."""
    if isinstance(value, (str, bytes, bool, np.bool_)):
        raise InputError(f"{name} must be a number; got {value!r}")
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be a number; got {value!r}") from error
    if not np.isfinite(number) or number < 0:
        raise InputError(f"{name} must be a finite number of at least 0; got {value!r}")
    return number


def positive_whole(value: Any, *, name: str) -> int:
    """Return `value` as an int of at least 1; 3.0 is whole."""
    number = non_negative(value, name=name)
    if not number.is_integer() or number < 1:
        raise InputError(f"{name} must be a whole number of at least 1; got {value!r}")
    return int(value)


def truth(value: Any, *, name: str) -> bool:
    """Return `value` if it is a truth value; no word is one."""
    if not isinstance(value, (bool, np.bool_)):
        raise InputError(f"{name} must be True or False; got {value!r}")
    return bool(value)


def choice(value: Any, allowed: tuple[str, ...], *, name: str) -> str:
    """Return `value` if it is one of the `allowed` words."""
    if value not in allowed:
        raise InputError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
    return str(value)
