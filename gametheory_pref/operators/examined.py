"""What products tell of a payoff whose entries are too many, or too far away, to look at."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from .base import PayoffOperator
from .norms import length_of

_ROUNDING = 1e-11
_SEED = 0


def examined_skewness(payoff: PayoffOperator, *, two_player: bool, rounding: float = _ROUNDING) -> bool:
    """Return whether a payoff is that of a symmetric game, having looked at its products with random vectors.

    For Gaussian x and y the sum ``x' A y + y' A x`` is zero with probability 0 unless ``A' = -A``; and every entry that
    is not finite shows in a product.

    Parameters
    ----------
    payoff : PayoffOperator
        What to multiply by; what it says of itself is not used.
    two_player : bool
        Whether a square payoff is that of two different players.
    rounding : float
        How far the sum may be from zero, in units of what its parts could be.

    Raises
    ------
    InputError
        An entry is NaN or infinite; or the payoff is square, not skew, and not said to be `two_player`.
    """
    rows, columns = payoff.shape
    x, y = np.random.default_rng(_SEED).standard_normal((2, columns))
    with np.errstate(invalid="ignore", over="ignore"):
        of_x, of_y = payoff.product(x), payoff.product(y)
    if not (np.isfinite(of_x).all() and np.isfinite(of_y).all()):
        raise InputError("payoff has entries that are not finite. Fill in or drop what is missing; 0 is a tie")
    if rows != columns or two_player:
        return False
    forth, back = float(x @ of_y), float(y @ of_x)
    size = length_of(x) * length_of(of_y) + length_of(y) * length_of(of_x)
    if abs(forth + back) > rounding * size:
        raise InputError(
            f"payoff must be skew-symmetric; for random x and y, x' A y = {forth:.6g} and y' A x = {back:.6g} do not "
            "cancel. Pass P - 1/2 for win probabilities P, (A - A.T) / 2 where only rounding differs, or "
            "two_player=True if it is the payoff of two different players"
        )
    return True
