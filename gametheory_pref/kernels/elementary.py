"""exp and log written out: calls to the mathematical library do not vectorise."""

from __future__ import annotations

import numpy as np

from .._jit import jit

LOG2_E = 1.4426950408889634
LN2_HIGH = 0.6931471803691238  # trailing zeros: exact products with small whole numbers
LN2_LOW = 1.9082149292705877e-10
ROUND = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to a whole number, left in the low bits
ROUND_BITS = 0x4338000000000000
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD


@jit(reassociate=True, allocates=False)
def exp_series(r):
    """Return exp(r) for ``|r| <= log(2)/2``: the Taylor series, whose remainder is below 4e-18.

    Summed in pairs (Estrin), because a chain of fourteen dependent operations is what a short vector waits for.
    """
    r2 = r * r
    r4 = r2 * r2
    low = (0.5 + r * (1.0 / 6.0)) + (1.0 / 24.0 + r * (1.0 / 120.0)) * r2
    middle = (1.0 / 720.0 + r * (1.0 / 5040.0)) + (1.0 / 40320.0 + r * (1.0 / 362880.0)) * r2
    high = (1.0 / 3628800.0 + r * (1.0 / 39916800.0)) + (1.0 / 479001600.0 + r * (1.0 / 6227020800.0)) * r2
    return 1.0 + (r + r2 * (low + (middle + high * r4) * r4))


@jit(allocates=False)
def exp_below(x):
    """Return exp(x) for ``x <= 709`` without branches: exactly 0 below -708, and NaN for NaN."""
    # Strict order here: taken as ordinary sums, adding and subtracting ROUND would cancel.
    shifted = x * LOG2_E + ROUND
    whole = shifted - ROUND
    r = (x - whole * LN2_HIGH) - whole * LN2_LOW
    bits = (np.float64(shifted).view(np.int64) - np.int64(ROUND_BITS) + np.int64(1023)) << np.int64(52)
    value = exp_series(r) * np.int64(bits).view(np.float64)
    return 0.0 if x < -708.0 else value


@jit(reassociate=True, allocates=False)
def excess_series(d):
    """Return ``d + expm1(-d)`` for ``|d| <= 0.3``, where the sum itself would lose its digits to cancellation."""
    d2 = d * d
    d4 = d2 * d2
    low = (1.0 / 2.0 - d * (1.0 / 6.0)) + (1.0 / 24.0 - d * (1.0 / 120.0)) * d2
    middle = (1.0 / 720.0 - d * (1.0 / 5040.0)) + (1.0 / 40320.0 - d * (1.0 / 362880.0)) * d2
    high = (1.0 / 3628800.0 - d * (1.0 / 39916800.0)) + d2 * (1.0 / 479001600.0)
    return d2 * (low + (middle + high * d4) * d4)


@jit(reassociate=True, allocates=False)
def log_series(z):
    """Return ``(atanh(s)/s - 1) / z`` for ``z = s**2 <= 0.03``, summed in pairs as in `exp_series`."""
    z2 = z * z
    z4 = z2 * z2
    low = (1.0 / 3.0 + z * (1.0 / 5.0)) + (1.0 / 7.0 + z * (1.0 / 9.0)) * z2
    middle = (1.0 / 11.0 + z * (1.0 / 13.0)) + (1.0 / 15.0 + z * (1.0 / 17.0)) * z2
    high = (1.0 / 19.0 + z * (1.0 / 21.0)) + (1.0 / 23.0) * z2
    return low + (middle + high * z4) * z4


@jit(allocates=False)
def lane_log(x):
    """Return log(x) of a positive normal number without branches."""
    bits = np.float64(x).view(np.int64)
    exponent = (bits - np.int64(SQRT_HALF_BITS)) >> np.int64(52)
    f = np.int64(bits - (exponent << np.int64(52))).view(np.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    whole = np.float64(exponent)
    return whole * LN2_HIGH + (2.0 * s + (2.0 * s * z * log_series(z) + whole * LN2_LOW))
