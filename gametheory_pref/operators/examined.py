"""What products tell of a payoff whose entries are too many, or too far away, to look at."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from .base import PayoffOperator

_ROUNDING = 1e-11
_SEED = 0


def examined_skewness(payoff: PayoffOperator, is_skew: bool | None) -> bool:
    """Return whether a payoff is skew up to rounding, from its products with random vectors.

    For Gaussian x and y the sum ``x' A y + y' A x`` is zero with probability 0 unless ``A' = -A``; and every entry that
    is not finite shows in a product.

    Parameters
    ----------
    payoff : PayoffOperator
        What to multiply by; what it says of itself is not used.
    is_skew : bool or None
        What the caller says; None to be told.

    Raises
    ------
    InputError
        An entry is NaN or infinite; or the payoff is said to be skew and is not.
    """
    rows, columns = payoff.shape
    x, y = np.random.default_rng(_SEED).standard_normal((2, columns))
    of_x, of_y = payoff.product(x), payoff.product(y)
    if not (np.isfinite(of_x).all() and np.isfinite(of_y).all()):
        raise InputError("payoff has entries that are NaN or infinite; put 0, a tie, for what is not known")
    if rows != columns:
        if is_skew:
            raise InputError(f"payoff is said to be skew, but has the shape {payoff.shape}; leave is_skew out")
        return False
    forth, back = float(x @ of_y), float(y @ of_x)
    size = float(np.linalg.norm(x) * np.linalg.norm(of_y) + np.linalg.norm(y) * np.linalg.norm(of_x))
    found = abs(forth + back) <= _ROUNDING * size
    if is_skew and not found:
        raise InputError(
            f"payoff is said to be skew, but x' A y is {forth:.6g} and y' A x is {back:.6g} for random x and y; "
            "pass (A - A.T) / 2, or leave is_skew out for a two-player game"
        )
    return found if is_skew is None else bool(is_skew)
