"""A payoff that the user's own code multiplies by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._check import non_negative
from .._types import FloatArray
from ..errors import InputError
from .base import Cost, PayoffOperator
from .norms import length_of

# How far products may disagree on identities: rounding of long sums, in whatever precision the callable works.
_TOLERANCE = 1e-6
_SEED = 0


class FromFunction(PayoffOperator):
    """A payoff known by functions that multiply by it.

    The functions must be linear and always answer alike. What they return for random vectors is checked when the
    operator is made, and its shape and finiteness at every product.

    Parameters
    ----------
    shape : tuple of int
        Number of responses of the row and of the column player.
    product : callable
        ``product(v) = A @ v``, from shape (columns,) to (rows,).
    transposed : callable, optional
        ``transposed(v) = A.T @ v``; not needed for a skew payoff.
    is_skew : bool
        Whether ``A' = -A``: a symmetric game.
    bound : float, optional
        Upper bound on the absolute values of the entries, such as 0.5 for win probabilities less 1/2. By default the
        2-norm is found by some products and serves as the bound, rounded up by a hundredth.

    Raises
    ------
    InputError
        The functions return what cannot be the products of one matrix (of one skew matrix).

    Examples
    --------
    >>> import numpy as np
    >>> from gametheory_pref.operators import FromFunction
    >>> rock_paper_scissors = FromFunction((3, 3), lambda v: np.roll(v, 1) - np.roll(v, -1), is_skew=True, bound=1.0)
    >>> rock_paper_scissors @ np.array([1.0, 0.0, 0.0])
    array([ 0.,  1., -1.])
    >>> FromFunction((3, 3), lambda v: np.roll(v, 1), is_skew=True)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    gametheory_pref.errors.InputError: product is not that of a skew matrix: ...
    """

    def __init__(
        self,
        shape: tuple[int, int],
        product: Callable[[FloatArray], FloatArray],
        *,
        transposed: Callable[[FloatArray], FloatArray] | None = None,
        is_skew: bool = False,
        bound: float | None = None,
    ) -> None:
        self.shape = (int(shape[0]), int(shape[1]))
        if min(self.shape) < 1:
            raise InputError(f"shape must have at least one row and one column; got {shape}")
        if is_skew and self.shape[0] != self.shape[1]:
            raise InputError(f"shape must be square with is_skew=True; got {shape}")
        if is_skew and transposed is not None:
            raise InputError("transposed is given for a skew payoff, whose transpose is its negative; leave it out")
        if not is_skew and transposed is None:
            raise InputError("transposed is missing: give a function that multiplies by A.T, or is_skew=True")
        self.function, self.transposed, self.is_skew = product, transposed, is_skew
        self.bound = None if bound is None else non_negative(bound, name="bound")
        self._check_linear()
        self._check_transpose()

    def product(self, vector: FloatArray) -> FloatArray:
        """Return ``A @ vector``."""
        return self._call(self.function, vector, "product", self.shape[0])

    def transposed_product(self, vector: FloatArray) -> FloatArray:
        """Return ``A.T @ vector``."""
        if self.transposed is None:
            return -self.product(vector)
        return self._call(self.transposed, vector, "transposed", self.shape[1])

    def _call(
        self, function: Callable[[FloatArray], FloatArray], vector: FloatArray, name: str, size: int
    ) -> FloatArray:
        argument = np.array(vector)
        argument.flags.writeable = False
        # A copy, as the function may write its next answer to the same array.
        result = np.array(function(argument))
        if result.shape != (size,):
            raise InputError(
                f"{name} returned an array of shape {result.shape} for a vector of {len(vector)} entries; "
                f"shape says {self.shape}, so ({size},) is due"
            )
        if result.dtype.kind not in "fiu":
            raise InputError(f"{name} must return real numbers; it returned an array of {result.dtype}")
        if not np.isfinite(result).all():
            first = int(np.argmin(np.isfinite(result)))
            raise InputError(f"{name} returned a value that is not finite: entry {first} is {result[first]}")
        return result.astype(np.float64, copy=False)

    def _check_linear(self) -> None:
        rng = np.random.default_rng(_SEED)
        u, v = rng.standard_normal((2, self.shape[1]))
        parts = self.product(u), -2.0 * self.product(v)
        error = np.abs(self.product(u - 2.0 * v) - (parts[0] + parts[1])).max()
        if error > _TOLERANCE * max(np.abs(part).max() for part in parts):
            raise InputError(
                f"product is not linear: for random vectors product(u - 2 v) misses product(u) - 2 product(v) by "
                f"{error:.3g}; it must multiply by one matrix, the same at every call"
            )

    def _check_transpose(self) -> None:
        rng = np.random.default_rng(_SEED + 1)
        row, column = rng.standard_normal(self.shape[0]), rng.standard_normal(self.shape[1])
        image, back = self.product(column), self.transposed_product(row)
        scale = length_of(row) * length_of(image) + length_of(column) * length_of(back)
        forth, and_back = float(row @ image), float(column @ back)
        if self.is_skew and abs(forth - and_back) > _TOLERANCE * scale:
            raise InputError(
                f"product is not that of a skew matrix: for random vectors <x, product(y)> is {forth:.6g} and "
                f"-<y, product(x)> is {and_back:.6g}; leave is_skew out and pass transposed, or mend product"
            )
        if abs(forth - and_back) > _TOLERANCE * scale:
            raise InputError(
                f"transposed is not the transpose of product: for random vectors <x, product(y)> is {forth:.6g} and "
                f"<y, transposed(x)> is {and_back:.6g}"
            )

    @property
    def cost(self) -> Cost:
        """What the vectors take; what the function does is not known."""
        return Cost(8.0 * sum(self.shape), 0.0)

    @property
    def nbytes(self) -> int:
        """0: what the function holds is not known."""
        return 0

    def largest(self) -> float:
        """Return `bound`, or the 2-norm rounded up by a hundredth, which no entry exceeds."""
        return 1.01 * self.norm if self.bound is None else self.bound

    def describe(self) -> str:
        """Return the name of the function."""
        return f"products by {getattr(self.function, '__qualname__', type(self.function).__name__)}"
