"""Proofs in rational arithmetic: a Minimax Winner, the size of the set of winners, checked without rounding.

Win counts are rational, so are the equations of a winner, and so is the answer. A `Proof` holds an exact
winner and an exact strictly complementary winner; by Goldman and Tucker's theorem these settle who can be
played at all and, through the exact rank of one matrix, whether the winner is unique.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from .._types import FloatArray
from ..errors import InputError, UnsupportedCombination
from .integer_kernel import Integers, Kernel, kernel, rank_at_least
from .solution_set import SolutionSet

if TYPE_CHECKING:
    from ..games import PreferenceGame

_LARGEST_DENOMINATOR = 10**7
_DECIMALS = 14
# A win probability is rounded once when read and once more when 1/2 is taken off. Margins may have been
# divided by the largest, which magnifies the rounding; sharing one denominator makes up for the wider net.
_DECIMAL_ERROR = 2.0**-52
_FRACTION_ERROR = 2.0**-50
_WINNER_GAP = 1e-9
_NEAR = 1e-12
# Python converts no integer of more than 4300 digits to or from text at once.
_DIGITS = 4000


@dataclass(frozen=True, eq=False, repr=False)
class RationalPayoff:
    """A skew-symmetric payoff with exact entries ``numerators[i, j] / denominators[i]``.

    Attributes
    ----------
    numerators : ndarray of int, shape (n, n)
        Python integers.
    denominators : tuple of int
        One per row, positive.
    reading : str
        How the data were read, in a few words.
    """

    numerators: Integers
    denominators: tuple[int, ...]
    reading: str

    @property
    def n_responses(self) -> int:
        """Number of responses."""
        return len(self.denominators)

    def entry(self, i: int, j: int) -> Fraction:
        """Return one payoff."""
        return Fraction(self.numerators[i, j], self.denominators[i])

    @classmethod
    def from_counts(
        cls, wins: FloatArray, ties: FloatArray | None = None, *, kind: str = "rate"
    ) -> RationalPayoff:
        """Return the payoff of a table of win counts.

        Parameters
        ----------
        wins : ndarray, shape (n, n)
            Times, or total weight, that the row beat the column. Weights are read as their shortest decimals.
        ties : ndarray, shape (n, n), optional
            Symmetric.
        kind : {"rate", "margin"}
            ``(w_ij - w_ji) / (2 n_ij)`` with the comparisons ``n_ij`` of the pair (0 if there are none), or
            ``(w_ij - w_ji) / (2 N)`` with the largest ``n_ij`` for all.

        Examples
        --------
        >>> RationalPayoff.from_counts(np.array([[0, 3], [1, 0]])).entry(0, 1)
        Fraction(1, 4)
        """
        counts = _integers(wins if ties is None else np.stack([wins, ties]))
        won, tied = (counts, 0 * counts) if ties is None else (counts[0], counts[1])
        lead = won - won.T
        total = won + won.T + tied
        if kind == "margin":
            return _over_common(lead, 2 * max(int(total.max()), 1), "margins of win counts")
        return _by_row(lead, 2 * total, "rates of win counts")

    @classmethod
    def from_points(cls, points: FloatArray) -> RationalPayoff:
        """Return the payoff ``M - M.T`` of a table of points, each read as its shortest decimal.

        Examples
        --------
        >>> RationalPayoff.from_points(np.array([[0.0, 0.3], [0.1, 0.0]])).entry(0, 1)
        Fraction(1, 5)
        """
        whole, scale = _scaled_integers(points)
        return _over_common(whole - whole.T, scale, "differences of points, as decimals")

    @classmethod
    def from_payoff(cls, payoff: FloatArray) -> RationalPayoff:
        """Return the fractions that a skew float64 payoff stands for.

        They are read as fractions with one denominator of at most 10 million, or else as decimals of at most
        14 places; either way each must agree with its float64 to the rounding of a win probability.

        Raises
        ------
        UnsupportedCombination
            The numbers are neither.

        Examples
        --------
        >>> RationalPayoff.from_payoff(np.array([[0.0, 2 / 3 - 0.5], [0.5 - 2 / 3, 0.0]])).entry(0, 1)
        Fraction(1, 6)
        """
        denominator = _common_denominator(payoff, _FRACTION_ERROR, 0.0)
        if denominator is not None:
            return _over_common(_rounded(payoff, denominator), denominator, f"fractions over {denominator}")
        denominator = 10**_DECIMALS
        whole = _rounded(payoff, denominator)
        off = np.abs(payoff - whole.astype(np.float64) / denominator)
        if (off > _DECIMAL_ERROR).any():
            i, j = np.unravel_index(int(np.argmax(off)), off.shape)
            raise UnsupportedCombination(
                f"an exact certificate needs rational data; the probability {float(payoff[i, j]) + 0.5!r} in "
                f"row {i}, column {j} is no decimal of at most {_DECIMALS} places, and the table has no "
                f"common denominator up to {_LARGEST_DENOMINATOR:,}. Give win counts, or round the numbers"
            )
        return _over_common(whole, denominator, f"decimals of at most {_DECIMALS} places")

    def times(self, policy: Sequence[Fraction]) -> list[Fraction]:
        """Return the exact payoff of every response against `policy`."""
        played = [j for j, p in enumerate(policy) if p]
        common = math.lcm(*(policy[j].denominator for j in played))
        weights = np.array([int(policy[j] * common) for j in played], dtype=object)
        sums = self.numerators[:, played] @ weights
        return [Fraction(int(s), d * common) for s, d in zip(sums, self.denominators, strict=True)]

    def __repr__(self) -> str:
        return f"RationalPayoff({self.n_responses} responses, {self.reading})"


def rational_payoff(game: PreferenceGame) -> RationalPayoff:
    """Return the exact payoff of a preference game, from its votes if it has them, else its probabilities."""
    if game.votes is not None:
        return RationalPayoff.from_counts(game.votes.wins, game.votes.ties, kind=game.votes.kind)
    return RationalPayoff.from_payoff(game.payoff)


def read_fractions(values: FloatArray) -> tuple[Integers, int, str]:
    """Return numerators, one denominator and how they were read: short fractions, else shortest decimals."""
    denominator = _common_denominator(values, 0.0, 2.0**-52)
    if denominator is not None:
        return _rounded(values, denominator), denominator, f"fractions over {denominator}"
    return *_scaled_integers(values), "shortest decimals"


def _integers(values: FloatArray) -> Integers:
    return _scaled_integers(values)[0]


def _scaled_integers(values: FloatArray) -> tuple[Integers, int]:
    """Return whole numbers and the scale by which they exceed `values`, read as shortest decimals."""
    values = np.asarray(values, dtype=np.float64)
    if (values == np.floor(values)).all() and float(np.abs(values).max(initial=0.0)) < 2.0**53:
        return values.astype(np.int64).astype(object), 1
    exact = [Fraction(repr(float(value))) for value in values.flat]
    scale = math.lcm(*{value.denominator for value in exact})
    whole = np.array([int(value * scale) for value in exact], dtype=object)
    return whole.reshape(values.shape), scale


def _over_common(numerators: Integers, denominator: int, reading: str) -> RationalPayoff:
    shared = math.gcd(denominator, *(int(value) for value in np.unique(numerators)))
    return RationalPayoff(numerators // shared, (denominator // shared,) * len(numerators), reading)


def _by_row(numerators: Integers, denominators: Integers, reading: str) -> RationalPayoff:
    """Bring each row to its least common denominator; a denominator of 0 (no data) means a payoff of 0."""
    result = np.zeros_like(numerators)
    rows = []
    for i, (tops, bottoms) in enumerate(zip(numerators, denominators, strict=True)):
        pairs = zip(tops, bottoms, strict=True)
        reduced = [Fraction(top, bottom) if bottom else Fraction(0) for top, bottom in pairs]
        common = math.lcm(*(value.denominator for value in reduced))
        result[i] = [value.numerator * (common // value.denominator) for value in reduced]
        rows.append(common)
    return RationalPayoff(result, tuple(rows), reading)


def _rounded(payoff: FloatArray, denominator: int) -> Integers:
    return np.rint(payoff * denominator).astype(np.int64).astype(object)


def _common_denominator(values: FloatArray, absolute: float, relative: float) -> int | None:
    """Return the least denominator up to ten million over which all values are fractions, to the given errors."""
    sizes = np.unique(np.abs(values))
    allowed = absolute + relative * sizes
    common = 1
    while float(sizes[-1]) * common < 2.0**53:
        off = np.abs(sizes - np.rint(sizes * common) / common) > allowed
        if not off.any():
            return common
        first = int(np.argmax(off))
        wider = math.lcm(common, _short_fraction(float(sizes[first]), float(allowed[first])).denominator)
        if wider == common or wider > _LARGEST_DENOMINATOR:
            return None
        common = wider
    return None


def _short_fraction(value: float, error: float) -> Fraction:
    """Return a fraction of few digits within `error` of `value`, else the closest of at most 7 digits."""
    exact, size = Fraction(value), 10
    while size < _LARGEST_DENOMINATOR and abs(exact.limit_denominator(size) - exact) > error:
        size *= 10
    return exact.limit_denominator(size)


@dataclass(frozen=True, repr=False)
class Proof:
    """An exact Minimax Winner and the exact size of the set of winners.

    Attributes
    ----------
    policy : tuple of Fraction
        A winner: non-negative, sum 1, and no response has a positive payoff against it. Where winners are
        many, the one within rounding of the float64 policy.
    interior : tuple of Fraction
        A strictly complementary winner: positive on exactly `support_union`, strictly better than all other
        responses.
    unique : bool
        Whether `policy` is the only winner.
    dimension : int
        Dimension of the set of winners.
    support_union : tuple of int
        Positions that some winner plays.
    reading : str
        How the data were read.
    """

    policy: tuple[Fraction, ...]
    interior: tuple[Fraction, ...]
    unique: bool
    dimension: int
    support_union: tuple[int, ...]
    reading: str

    @property
    def value(self) -> Fraction:
        """Value of the game in units of the payoff ``P - 1/2``: zero, by symmetry."""
        return Fraction(0)

    def verify(self, payoff: RationalPayoff) -> bool:
        """Recompute every claim in rational arithmetic."""
        support = set(self.support_union)
        if not (_is_winner(payoff, self.policy) and _is_winner(payoff, self.interior)):
            return False
        if not _is_strict(payoff, self.interior, support):
            return False
        if self.unique != (self.dimension == 0) or (self.unique and self.policy != self.interior):
            return False
        # The interior point is in the kernel; so for a unique winner a lower bound of the rank is enough.
        block = _block(payoff, sorted(support))
        if self.unique:
            return rank_at_least(block, len(support) - 1)
        return kernel(block).nullity == self.dimension + 1

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; fractions as text such as ``"86/709"``."""
        return {
            "policy": [fraction_text(p) for p in self.policy],
            "value": "0",
            "unique": self.unique,
            "dimension": self.dimension,
            "support_union": list(self.support_union),
            "interior": [fraction_text(p) for p in self.interior],
            "reading": self.reading,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Proof:
        """Return the proof that `to_dict` wrote."""
        return cls(
            policy=tuple(read_fraction(text) for text in data["policy"]),
            interior=tuple(read_fraction(text) for text in data["interior"]),
            unique=bool(data["unique"]),
            dimension=int(data["dimension"]),
            support_union=tuple(int(i) for i in data["support_union"]),
            reading=str(data["reading"]),
        )

    def __repr__(self) -> str:
        size = "unique" if self.unique else f"one of a set of dimension {self.dimension}"
        played = ", ".join(f"{i}: {fraction_text(p)}" for i, p in enumerate(self.policy) if p)
        return f"Proof({{{played}}}, {size})"


def prove(payoff: RationalPayoff, policy: FloatArray, found: SolutionSet) -> Proof:
    """Prove that the exact policy next to `policy` is a Minimax Winner, and how large the set of winners is.

    Parameters
    ----------
    payoff : RationalPayoff
        The game.
    policy : ndarray, shape (n,)
        A winner in float64.
    found : SolutionSet
        What float64 says about the set of winners; nothing in it is trusted.

    Raises
    ------
    InputError
        `policy` is not a winner of this game.
    UnsupportedCombination
        The numbers are too large for exact arithmetic, or float64 misjudged which responses can be played.

    Examples
    --------
    >>> from gametheory_pref.exact.solution_set import solution_set
    >>> wins = np.array([[0, 6, 2], [4, 0, 7], [8, 3, 0]])
    >>> payoff = RationalPayoff.from_counts(wins)
    >>> policy = np.array([1 / 3, 1 / 2, 1 / 6])
    >>> proof = prove(payoff, policy, solution_set((wins - wins.T) / 20, policy))
    >>> proof, proof.verify(payoff)
    (Proof({0: 1/3, 1: 1/2, 2: 1/6}, unique), True)
    >>> prove(payoff, np.array([0.5, 0.5, 0.0]), solution_set((wins - wins.T) / 20, policy))
    Traceback (most recent call last):
    gametheory_pref.errors.InputError: policy is not a winner: response 0 beats it by 0.05
    """
    _require_winner(payoff, policy)
    support = [int(i) for i in found.support_union]
    solved = kernel(_block(payoff, support))
    interior = _exact_interior(payoff, found.interior, support, solved)
    unique = solved.nullity == 1
    exact = interior if unique else _exact_policy(payoff, policy, support, solved, interior)
    return Proof(exact, interior, unique, solved.nullity - 1, tuple(support), payoff.reading)


def _require_winner(payoff: RationalPayoff, policy: FloatArray) -> None:
    if policy.shape != (payoff.n_responses,):
        raise InputError(f"policy has shape {policy.shape} for {payoff.n_responses} responses")
    rows = payoff.numerators / np.array(payoff.denominators, dtype=object)[:, None]
    advantage = rows.astype(np.float64) @ policy
    best = int(np.argmax(advantage))
    if advantage[best] > _WINNER_GAP:
        raise InputError(f"policy is not a winner: response {best} beats it by {advantage[best]:.6g}")


def _block(payoff: RationalPayoff, support: Sequence[int]) -> Integers:
    """Return the integer matrix of the equations of `support`; scaling a row leaves the kernel as it is."""
    block = payoff.numerators[np.ix_(support, support)]
    shared = [math.gcd(*(int(value) for value in row)) or 1 for row in block]
    reduced: Integers = block // np.array(shared, dtype=object)[:, None]
    return reduced


def _is_winner(payoff: RationalPayoff, policy: Sequence[Fraction]) -> bool:
    if len(policy) != payoff.n_responses or any(p < 0 for p in policy) or sum(policy) != 1:
        return False
    return all(advantage <= 0 for advantage in payoff.times(policy))


def _is_strict(payoff: RationalPayoff, policy: Sequence[Fraction], support: set[int]) -> bool:
    return all(
        (p > 0 and advantage == 0) if i in support else (p == 0 and advantage < 0)
        for i, (p, advantage) in enumerate(zip(policy, payoff.times(policy), strict=True))
    )


def _exact_interior(
    payoff: RationalPayoff, interior: FloatArray, support: Sequence[int], solved: Kernel
) -> tuple[Fraction, ...]:
    """Return an exact strictly complementary winner with the given support."""
    if solved.nullity == 0:
        raise UnsupportedCombination(
            f"no exact winner has the support of {len(support)} responses that float64 proposes; the game is "
            "too close to another one for an exact certificate"
        )
    for weights in _near(interior[support][solved.free]):
        exact = _spread(solved.extend(weights), support, payoff.n_responses)
        if exact and _is_winner(payoff, exact) and _is_strict(payoff, exact, set(support)):
            return exact
    raise UnsupportedCombination(
        "no exact strictly complementary winner was found near the one in float64; the game is too close to "
        "another one for an exact certificate"
    )


def _exact_policy(
    payoff: RationalPayoff,
    policy: FloatArray,
    support: Sequence[int],
    solved: Kernel,
    interior: tuple[Fraction, ...],
) -> tuple[Fraction, ...]:
    """Return an exact winner next to `policy`, from a set of many.

    A vertex is the only winner on its support. Any other point is approximated by fractions and, where that
    steps over a bound it touches, moved towards the interior by as little as a power of 2 allows.
    """
    n = payoff.n_responses
    played = [int(i) for i in np.flatnonzero(policy > 0)]
    alone = kernel(_block(payoff, played))
    if alone.nullity == 1:
        exact = _spread(alone.extend([Fraction(1)]), played, n)
        if exact and _is_winner(payoff, exact):
            return exact
    for weights in _near(policy[support][solved.free]):
        exact = _spread(solved.extend(weights), support, n)
        if exact and np.abs(_as_floats(exact) - policy).max() < _NEAR and _is_winner(payoff, exact):
            return exact
    for bits in range(48, 0, -8):
        share = Fraction(1, 2**bits)
        if exact:
            mixed = tuple((1 - share) * p + share * q for p, q in zip(exact, interior, strict=True))
            if _is_winner(payoff, mixed):
                return mixed
    return interior


def _as_floats(policy: Sequence[Fraction]) -> FloatArray:
    return np.array([float(p) for p in policy])


def _near(weights: FloatArray) -> Iterator[list[Fraction]]:
    """Yield rational approximations of `weights`, from short fractions to all digits."""
    if weights.size == 1:
        yield [Fraction(1)]
        return
    simple = [Fraction(float(w)).limit_denominator(1000) for w in weights]
    if all(abs(float(s) - w) < 1e-12 for s, w in zip(simple, weights, strict=True)):
        yield simple
    for bits in (10, 20, 30, 40, 52):
        yield [Fraction(round(float(w) * 2**bits), 2**bits) for w in weights]


def _spread(weights: Iterable[Fraction], support: Sequence[int], n: int) -> tuple[Fraction, ...] | None:
    """Return the policy proportional to `weights` on `support`; None when they have no sum to divide by."""
    weights = list(weights)
    total = sum(weights)
    if total == 0:
        return None
    policy = [Fraction(0)] * n
    for i, weight in zip(support, weights, strict=True):
        policy[i] = weight / total
    return tuple(policy)


def fraction_text(value: Fraction) -> str:
    """Return text such as "86/709", however long."""
    top = _integer_text(value.numerator)
    return top if value.denominator == 1 else f"{top}/{_integer_text(value.denominator)}"


def _integer_text(value: int) -> str:
    parts: list[str] = []
    rest = abs(value)
    while rest >= 10**_DIGITS:
        rest, low = divmod(rest, 10**_DIGITS)
        parts.append(f"{low:0{_DIGITS}d}")
    return ("-" if value < 0 else "") + "".join([str(rest), *reversed(parts)])


def read_fraction(text: str) -> Fraction:
    """Return the fraction that `fraction_text` wrote."""
    top, _, bottom = text.partition("/")
    return Fraction(_read_integer(top), _read_integer(bottom or "1"))


def _read_integer(text: str) -> int:
    digits = text.removeprefix("-")
    value = 0
    for start in range(0, len(digits), _DIGITS):
        part = digits[start : start + _DIGITS]
        value = value * 10 ** len(part) + int(part)
    return -value if text.startswith("-") else value
