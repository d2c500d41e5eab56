"""A vector of `LANES` numbers as a value in compiled code: arithmetic on it is one instruction of the processor.

An update rule is a chain of loops, and on one small game these are too short for vectors; so `LANES` games run side by
side, a game per lane. Arrays hold the lanes of a row next to one another. The functions below say in NumPy what the
primitives mean, and run in the interpreter. In compiled code they
work on a vector type of LLVM, which becomes registers of whatever length the machine has (`_simd_compiled`): nothing is
left for the compiler to discover, and all lanes are treated alike, so that none depends on what the others hold.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._types import FloatArray

LANES = 8
"""One register of 512 bits, or two of 256."""

MANTISSA_BITS = 52
ONE_EXPONENT = 1023
ROUND_BITS = 0x4338000000000000  # of 1.5 * 2**52
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD


def aligned_zeros(*shape: int) -> FloatArray:
    """Return zeros that begin with a line of the cache, so that no vector lies across two."""
    count = math.prod(shape)
    room = np.zeros(count + LANES)
    first = -(room.ctypes.data // room.itemsize) % LANES
    return room[first : first + count].reshape(shape)


def splat(number: Any) -> Any:
    """Return the number in every lane."""
    return np.full(LANES, number, dtype=np.float64)


def load(array: Any, row: int) -> Any:
    """Return a row of a flat array."""
    return array[LANES * row : LANES * row + LANES].copy()


def store(array: Any, row: int, lanes: Any) -> None:
    """Write a row of a flat array."""
    array[LANES * row : LANES * row + LANES] = lanes


def select(condition: Any, one: Any, other: Any) -> Any:
    """Return `one` in the lanes where the condition holds, or everywhere, and `other` elsewhere."""
    return np.where(condition, one, splat(other))


def any_lane(condition: Any) -> bool:
    """Return whether a condition holds in some lane."""
    return bool(np.any(condition))


def two_to_the(rounded: Any) -> Any:
    """Return ``2**k`` for the number ``1.5 * 2**52 + k``, k a whole number from -1022 to 1023."""
    return ((rounded.view(np.int64) - ROUND_BITS + ONE_EXPONENT) << MANTISSA_BITS).view(np.float64)


def exponent(lanes: Any) -> Any:
    """Return the whole number k for which a positive number is ``2**k`` times one from ``sqrt(1/2)`` to ``sqrt(2)``."""
    return ((lanes.view(np.int64) - SQRT_HALF_BITS) >> MANTISSA_BITS).astype(np.float64)


def mantissa(lanes: Any) -> Any:
    """Return the other factor: from ``sqrt(1/2)`` to ``sqrt(2)``."""
    bits = lanes.view(np.int64)
    return (bits - (((bits - SQRT_HALF_BITS) >> MANTISSA_BITS) << MANTISSA_BITS)).view(np.float64)
