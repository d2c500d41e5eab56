"""Names for the arrays and protocols that cross module borders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

Label: TypeAlias = str | int
"""What a response is called: the name the user gave, else its position."""

Labels: TypeAlias = tuple[Label, ...]
LabelsLike: TypeAlias = Sequence[Label] | Sequence[str] | None
RNGLike: TypeAlias = np.random.Generator | np.random.BitGenerator | int | None
