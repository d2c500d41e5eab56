"""The exact kernel of an integer matrix by p-adic lifting (Dixon 1982), verified in integers.

Elimination modulo a prime finds which rows and columns are independent; the solutions are lifted digit by
digit in base p, turned into fractions, and checked against every row. A rank modulo a prime never exceeds the
true one, and verified kernel vectors bound it from above, so the result is exact whatever the prime.

References
----------
J. D. Dixon, "Exact solution of linear equations using p-adic expansions", Numer. Math. 40, 1982.
P. Wang, "A p-adic algorithm for univariate partial fractions", SYMSAC 1981 (rational reconstruction).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..errors import UnsupportedCombination

Integers = NDArray[np.object_]
Residues = NDArray[np.int64]

# Just below 2^28, so that 100 products of residues add up within int64.
_PRIMES = (268435399, 268435367, 268435361)
_CHUNK = 100
# Products of 30-bit integers; some twenty seconds.
_MOST_WORK = 2_000_000_000


@dataclass(frozen=True, eq=False)
class Kernel:
    """All solutions x of ``A x = 0``: the free entries are arbitrary, the others follow from them.

    Attributes
    ----------
    bound, free : list of int
        Columns whose entries follow, and columns whose entries are free.
    numerators : ndarray of int, shape (len(bound), len(free))
        Over `denominator`: entries of `bound` for a unit vector of `free`.
    denominator : int
    """

    bound: list[int]
    free: list[int]
    numerators: Integers
    denominator: int

    @property
    def nullity(self) -> int:
        """Dimension of the kernel."""
        return len(self.free)

    def extend(self, weights: Sequence[Fraction]) -> list[Fraction]:
        """Return the kernel vector with the given free entries."""
        common = math.lcm(*(weight.denominator for weight in weights))
        whole = np.array([int(weight * common) for weight in weights], dtype=object)
        result = [Fraction(0)] * (len(self.bound) + len(self.free))
        for column, weight in zip(self.free, weights, strict=True):
            result[column] = weight
        for column, value in zip(self.bound, self.numerators @ whole, strict=True):
            result[column] = Fraction(int(value), self.denominator * common)
        return result


def rank_at_least(matrix: Integers, rank: int) -> bool:
    """Prove a lower bound of the rank; False when no prime at hand does."""
    return any(len(_independent(_residues(matrix, prime), prime)[0]) >= rank for prime in _PRIMES)


def kernel(matrix: Integers) -> Kernel:
    """Return the exact kernel.

    Raises
    ------
    UnsupportedCombination
        The solution has too many digits for this machine's patience, or no prime at hand keeps the rank.

    Examples
    --------
    >>> solved = kernel(np.array([[0, 1, -2], [-1, 0, 3], [2, -3, 0]], dtype=object))
    >>> solved.nullity, [str(x) for x in solved.extend([Fraction(1)])]
    (1, ['3', '2', '1'])
    """
    columns = matrix.shape[1]
    for prime in _PRIMES:
        rows, bound = _independent(_residues(matrix, prime), prime)
        free = [j for j in range(columns) if j not in set(bound)]
        if not bound or not free:
            return Kernel(bound, free, np.zeros((len(bound), len(free)), dtype=object), 1)
        solution = _lift(matrix, rows, bound, free, prime)
        if solution is not None:
            return Kernel(bound, free, *solution)
    raise UnsupportedCombination("every prime at hand divides a determinant of this game; scale the counts")


def _residues(matrix: Integers, prime: int) -> Residues:
    return np.asarray(matrix % prime, dtype=np.int64)


def _independent(matrix: Residues, prime: int) -> tuple[list[int], list[int]]:
    """Return rows and columns of a largest invertible submatrix modulo `prime`, by Gaussian elimination."""
    work = matrix.copy()
    order = np.arange(work.shape[0])
    columns: list[int] = []
    for j in range(work.shape[1]):
        top = len(columns)
        candidates = np.flatnonzero(work[top:, j])
        if candidates.size == 0:
            continue
        pivot = top + int(candidates[0])
        work[[top, pivot]], order[[top, pivot]] = work[[pivot, top]], order[[pivot, top]]
        columns.append(j)
        if len(columns) == work.shape[0]:
            break
        factors = work[top + 1 :, j] * pow(int(work[top, j]), -1, prime) % prime
        active = np.flatnonzero(factors)
        below = top + 1 + active
        work[below, j:] = (work[below, j:] - factors[active, None] * work[top, j:]) % prime
    return [int(i) for i in order[: len(columns)]], columns


def _inverse(matrix: Residues, prime: int) -> Residues:
    """Invert modulo `prime` by Gauss and Jordan."""
    n = matrix.shape[0]
    work = np.hstack([matrix, np.eye(n, dtype=np.int64)])
    for j in range(n):
        pivot = j + int(np.flatnonzero(work[j:, j])[0])
        work[[j, pivot]] = work[[pivot, j]]
        work[j] = work[j] * pow(int(work[j, j]), -1, prime) % prime
        factors = work[:, j].copy()
        factors[j] = 0
        work = (work - factors[:, None] * work[j]) % prime
    return np.ascontiguousarray(work[:, n:])


def _times(left: Residues, right: Residues, prime: int) -> Residues:
    """Multiply modulo `prime` without overflow."""
    total = np.zeros((left.shape[0], right.shape[1]), dtype=np.int64)
    for start in range(0, left.shape[1], _CHUNK):
        total = (total + left[:, start : start + _CHUNK] @ right[start : start + _CHUNK]) % prime
    return total


def _lift(
    matrix: Integers, rows: list[int], bound: list[int], free: list[int], prime: int
) -> tuple[Integers, int] | None:
    """Solve ``matrix[:, bound] X + d matrix[:, free] = 0`` in integers X and d; None if `prime` lost rank."""
    square, right = matrix[np.ix_(rows, bound)], -matrix[np.ix_(rows, free)]
    most = _most_steps(square, right, prime)
    inverse = _inverse(_residues(square, prime), prime)
    small = square.shape[0] * int(max(np.abs(square).max(), np.abs(right).max())) * prime < 2**62
    factor = square.astype(np.int64) if small else square
    residual = right.astype(np.int64) if small else right.copy()
    total = np.zeros(right.shape, dtype=object)
    power, steps, attempt = 1, 0, 6
    while steps < most:
        digit = _times(inverse, np.asarray(residual % prime, dtype=np.int64), prime)
        total = total + digit.astype(object) * power
        residual = (residual - factor @ (digit if small else digit.astype(object))) // prime
        power *= prime
        steps += 1
        if steps in (attempt, most):
            attempt *= 2
            candidate = _reconstruct(total, power)
            if candidate is not None and _solves(matrix[:, bound], matrix[:, free], *candidate):
                return candidate
    return None


def _most_steps(square: Integers, right: Integers, prime: int) -> int:
    """Return how many digits determine the solution, by Hadamard's bound; refuse what would take too long."""
    wide = np.hstack([square, right])
    bits = sum(math.log2(math.isqrt(int(row @ row)) + 1) for row in wide)
    steps = int(2.0 * bits / math.log2(prime)) + 3
    limbs = 1 + int(np.abs(square).max()).bit_length() // 30
    work = steps * square.shape[0] * square.shape[1] * right.shape[1] * limbs
    if work > _MOST_WORK:
        raise UnsupportedCombination(
            f"an exact certificate for {square.shape[0]} equations with payoffs of "
            f"{int(np.abs(square).max()).bit_length()} bits would take too long; the certificate in "
            "float64 stands"
        )
    return steps


def _solves(bound: Integers, free: Integers, solution: Integers, denominator: int) -> bool:
    weighed = np.full(free.shape, -denominator, dtype=object) * free
    return np.array_equal(bound @ solution, weighed)


def _reconstruct(values: Integers, modulus: int) -> tuple[Integers, int] | None:
    """Return numerators over one denominator that are `values` modulo `modulus`, all below its root."""
    limit = math.isqrt(modulus // 2)
    denominator = 1
    flat: list[int] = values.ravel().tolist()
    for value in flat:
        scaled = value * denominator % modulus
        if min(scaled, modulus - scaled) > limit:
            factor = _denominator(scaled, modulus, limit)
            if factor is None or denominator * factor > limit:
                return None
            denominator *= factor
    half = modulus // 2
    signed = [(value * denominator + half) % modulus - half for value in flat]
    return np.array(signed, dtype=object).reshape(values.shape), denominator


def _denominator(value: int, modulus: int, limit: int) -> int | None:
    """Return the least d with ``|value d mod modulus| <= limit``, by the extended Euclidean algorithm."""
    older, newer = modulus, value
    before, after = 0, 1
    while newer > limit:
        quotient = older // newer
        older, newer = newer, older - quotient * newer
        before, after = after, before - quotient * after
    return abs(after) if 0 < abs(after) <= limit else None
