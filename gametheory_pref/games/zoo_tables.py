"""Exact data of the zoo: matrices of fractions, dice, counted votes, and the games made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np

from .._types import Labels
from .matrix import MatrixGame, matrix_game
from .preference import PreferenceGame, preference_game
from .votes import Kind, from_counts

ExactMatrix = tuple[tuple[Fraction, ...], ...]
Counts = Sequence[Sequence[int]]

_HALF = Fraction(1, 2)


@dataclass(frozen=True, eq=False)
class ExactGame:
    """A game with its payoff in fractions.

    Attributes
    ----------
    payoff : tuple of tuple of Fraction
        What the row gets: ``P - 1/2`` in a preference game.
    game : PreferenceGame or MatrixGame
        The same in float64.
    """

    payoff: ExactMatrix
    game: PreferenceGame | MatrixGame


def contests(names: str, win_rates: Mapping[str, str]) -> ExactGame:
    """Return a preference game from entries like ``"rock scissors": "0.6"``; pairs left out tie."""
    labels = tuple(names.split())
    payoff = [[Fraction(0)] * len(labels) for _ in labels]
    for pair, rate in win_rates.items():
        i, j = (labels.index(name) for name in pair.split())
        payoff[i][j] = Fraction(rate) - _HALF
        payoff[j][i] = -payoff[i][j]
    return _from_payoff(payoff, labels)


def _from_payoff(payoff: Sequence[Sequence[Fraction]], names: Labels | None) -> ExactGame:
    rates = [[float(value + _HALF) for value in row] for row in payoff]
    return ExactGame(tuple(tuple(row) for row in payoff), preference_game(rates, names=names))


def circulant(names: Labels, beaten: Sequence[int]) -> ExactGame:
    """Return the tournament in which i surely beats ``i + k`` modulo n for each k of `beaten`."""
    n = len(names)
    payoff = [
        [Fraction(((j - i) % n in beaten) - ((i - j) % n in beaten), 2) for j in range(n)] for i in range(n)
    ]
    return _from_payoff(payoff, names)


def star(n: int) -> ExactGame:
    """Return the game in which response 0 surely beats all others and these tie."""
    payoff = [[Fraction((i == 0) - (j == 0), 2) for j in range(n)] for i in range(n)]
    return _from_payoff(payoff, None)


def bradley_terry(strengths: Mapping[str, int]) -> ExactGame:
    """Return the game with ``P(i beats j) = s_i / (s_i + s_j)``."""
    values = tuple(strengths.values())
    payoff = [[Fraction(s, s + t) - _HALF for t in values] for s in values]
    return _from_payoff(payoff, tuple(strengths))


def blotto(soldiers: int, fields: int) -> ExactGame:
    """Return Colonel Blotto: whoever holds more fields wins, a field goes to the larger force."""
    plans = [plan for plan in product(range(soldiers + 1), repeat=fields) if sum(plan) == soldiers]
    payoff = [[Fraction(_sign(sum(map(_compare, own, other))), 2) for other in plans] for own in plans]
    return _from_payoff(payoff, tuple("-".join(map(str, plan)) for plan in plans))


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _compare(a: int, b: int) -> int:
    return _sign(a - b)


def penney(length: int) -> ExactGame:
    """Return Penney's game with both words chosen at once: the word that fair coin tosses show first wins."""
    words = ["".join(word) for word in product("HT", repeat=length)]
    payoff = [[_first(a, b) - _HALF if a != b else Fraction(0) for b in words] for a in words]
    return _from_payoff(payoff, tuple(words))


def _first(own: str, other: str) -> Fraction:
    """Return the chance that `own` appears before `other`, by Conway's leading numbers."""
    for_own = _leading(other, other) - _leading(other, own)
    for_other = _leading(own, own) - _leading(own, other)
    return Fraction(for_own, for_own + for_other)


def _leading(a: str, b: str) -> int:
    """Return Conway's leading number: bit k - 1 says whether `a` ends with the first k letters of `b`."""
    return sum(2 ** (k - 1) for k in range(1, len(a) + 1) if a[-k:] == b[:k])


def dice(*faces: tuple[int, ...]) -> ExactGame:
    """Return the game of dice: the higher roll wins, all pairs of faces being equally likely."""
    wins = [[sum(a > b for a in own for b in other) * (own is not other) for other in faces] for own in faces]
    names = tuple("-".join(map(str, die)) for die in faces)
    return electorate(names, wins, len(faces[0]) ** 2)


def electorate(names: Labels, wins: Counts, voters: int) -> ExactGame:
    """Return the game of an election in which every voter compares each pair, as a win, a loss or a tie."""
    n = len(wins)
    ties = [[voters - wins[i][j] - wins[j][i] if i != j else 0 for j in range(n)] for i in range(n)]
    return counted(names, wins, ties=ties)


def counted(names: Labels, wins: Counts, *, ties: Counts | None = None, kind: Kind = "rate") -> ExactGame:
    """Return the game of counted comparisons."""
    n = len(wins)
    drawn = [[0] * n for _ in range(n)] if ties is None else ties
    totals = [[wins[i][j] + wins[j][i] + drawn[i][j] for j in range(n)] for i in range(n)]
    largest = max(max(row) for row in totals)
    payoff = tuple(
        tuple(
            Fraction(wins[i][j] - wins[j][i], 2 * (largest if kind == "margin" else max(totals[i][j], 1)))
            for j in range(n)
        )
        for i in range(n)
    )
    return ExactGame(payoff, from_counts(np.array(wins), ties=np.array(drawn), names=names, kind=kind))


def zero_sum(rows: Sequence[Sequence[int]], row_names: str = "", column_names: str = "") -> ExactGame:
    """Return the zero-sum matrix game with these payoffs to the row player."""
    game = matrix_game(rows, row_names=row_names.split() or None, column_names=column_names.split() or None)
    return ExactGame(tuple(tuple(Fraction(value) for value in row) for row in rows), game)


GOVAN_NAMES = (
    "Shaukat Butt", "Michael Cobley", "Stephen Dornan", "John Flanagan", "Alan L Hughes", "Allison Hunter",
    "Will Jess", "Irene Lang", "Patricia Mcintyre", "George Douglas Mcnee", "Carolina Perez",
)  # fmt: skip

GOVAN_VOTERS = 9560

GOVAN_WINS = (
    (0, 3392, 2165, 2201, 3612, 3162, 3471, 3461, 3562, 3544, 3578),
    (1464, 0, 1458, 1482, 1856, 1214, 1555, 1706, 1751, 1816, 1845),
    (3089, 3905, 0, 2992, 4119, 3557, 3965, 3944, 4074, 4060, 4090),
    (3226, 3953, 2390, 0, 4198, 3654, 4029, 4023, 4145, 4133, 4155),
    (630, 610, 593, 586, 0, 560, 701, 730, 627, 689, 778),
    (3641, 3826, 3578, 3568, 4035, 0, 3866, 3843, 3986, 4015, 3999),
    (1635, 1521, 1630, 1608, 1886, 1118, 0, 1743, 1853, 1905, 1894),
    (1540, 1692, 1458, 1431, 1850, 1047, 1564, 0, 1880, 1877, 1800),
    (1086, 1002, 1046, 1041, 1136, 878, 1095, 1168, 0, 1164, 1276),
    (1000, 969, 966, 967, 1127, 808, 921, 996, 1067, 0, 1195),
    (762, 771, 743, 731, 919, 501, 665, 587, 922, 847, 0),
)

ERS_86_NAMES = ("Candidate 1", "Candidate 2", "Candidate 3", "Candidate 4")

ERS_86_WINS = (
    (0, 88, 73, 100),
    (80, 0, 86, 89),
    (79, 71, 0, 103),
    (57, 60, 55, 0),
)

TOUR_1921_NAMES = ("Heusghem", "Scieur", "Lucotti", "Mottiat", "Barthélémy")

TOUR_1921_WINS = (
    (0, 7, 6, 8, 7),
    (8, 0, 9, 7, 8),
    (9, 6, 0, 11, 9),
    (7, 8, 4, 0, 8),
    (8, 7, 6, 7, 0),
)

BURLINGTON_NAMES = ("Bob Kiss", "Andy Montroll", "James Simpson", "Dan Smith", "Kurt Wright", "Write-In")

BURLINGTON_VOTERS = 8980

BURLINGTON_WINS = (
    (0, 3477, 5517, 3946, 4314, 6149),
    (4067, 0, 6267, 4573, 4597, 6658),
    (845, 591, 0, 721, 1309, 3338),
    (3577, 2998, 5573, 0, 3793, 6057),
    (4064, 3668, 5274, 3975, 0, 6063),
    (116, 104, 165, 117, 163, 0),
)

TENNESSEE_NAMES = ("Memphis", "Nashville", "Chattanooga", "Knoxville")

TENNESSEE_WINS = (
    (0, 42, 42, 42),
    (58, 0, 68, 68),
    (58, 32, 0, 83),
    (58, 32, 17, 0),
)

PANDALM_NAMES = ("bloom-7b", "cerebras-gpt-6.7B", "llama-7b", "opt-7b", "pythia-6.9b")

PANDALM_WINS = (
    (0, 177, 84, 131, 139),
    (88, 0, 74, 93, 76),
    (214, 236, 0, 211, 171),
    (106, 151, 74, 0, 99),
    (146, 160, 85, 156, 0),
)

PANDALM_TIES = (
    (0, 35, 35, 30, 36),
    (35, 0, 20, 29, 37),
    (35, 20, 0, 33, 26),
    (30, 29, 33, 0, 45),
    (36, 37, 26, 45, 0),
)

ARENA_NAMES = (
    "claude-3-opus-20240229", "gpt-4-1106-preview", "gpt-4-0125-preview", "claude-3-sonnet-20240229",
    "gpt-4-0314", "gpt-4-0613", "mistral-large-2402",
)  # fmt: skip

ARENA_WINS = (
    (0, 808, 1699, 1979, 1093, 1162, 1579),
    (777, 0, 1097, 1218, 872, 2407, 864),
    (1520, 1075, 0, 1528, 267, 2462, 1371),
    (1170, 743, 1082, 0, 318, 1147, 1370),
    (659, 383, 122, 276, 0, 1874, 597),
    (525, 1055, 1003, 807, 1461, 0, 594),
    (713, 317, 564, 910, 488, 594, 0),
)
