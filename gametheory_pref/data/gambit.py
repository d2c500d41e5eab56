"""Normal-form games in Gambit's .nfg text, both forms, read in exact rational arithmetic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, UnsupportedCombination
from ..games import Game, MatrixGame, OperatorGame, PreferenceGame, matrix_game, multiplayer_game
from .matrices import LARGEST
from .options import Loaded, Options

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([{}])|([^\s{}",]+)|,', re.DOTALL)
_NUMBER = re.compile(r"([+-]?)(?:(\d+)/(\d+)|(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?)\Z", re.ASCII)
_MAX_DIGITS = 400
"""Longest numeral and largest exponent; beyond it a number is outside float64 and may be an attack."""


@dataclass(frozen=True, eq=False)
class NormalForm:
    """A game of n players in normal form with exact payoffs.

    Attributes
    ----------
    title : str
        Title.
    players : tuple of str
        Player names.
    strategies : tuple of tuple of str
        Strategy names of each player.
    payoffs : ndarray of Fraction, shape (n, k_1, ..., k_n)
        ``payoffs[p, a_1, ..., a_n]`` to player p.
    """

    title: str
    players: tuple[str, ...]
    strategies: tuple[tuple[str, ...], ...]
    payoffs: NDArray[np.object_]

    def game(self) -> Game:
        """Return the game in float64, each payoff rounded once."""
        try:
            payoffs = self.payoffs.astype(np.float64)
            moderate = float(np.abs(payoffs).max()) <= LARGEST
        except OverflowError:
            moderate = False
        if not moderate:
            raise InputError(f"a payoff exceeds {LARGEST:g}; divide all payoffs by a constant")
        if len(self.players) == 2:
            rows, columns = self.strategies
            return matrix_game(payoffs[0], payoffs[1], row_names=rows, column_names=columns)
        return multiplayer_game(payoffs, names=self.strategies)


def read_nfg(text: str, options: Options) -> Loaded:
    """Return the game of an .nfg file."""
    if options.kind not in ("auto", "payoff"):
        raise InputError(f'kind="{options.kind}" does not fit a Gambit game, which holds payoffs; leave kind out')
    options.require_comparisons("a Gambit game")
    options.require_no_choice_for_probabilities("a Gambit game")
    form = parse_nfg(text)
    strategies, notes = [], []
    for player, names in zip(form.players, form.strategies, strict=True):
        unique = _distinct(names)
        if unique != names:
            notes.append(f"player {player!r} has unnamed strategies or two of one name; they were numbered")
        strategies.append(unique)
    game = NormalForm(form.title, form.players, tuple(strategies), form.payoffs).game()
    return Loaded(game, "Gambit .nfg", tuple(notes))


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) == len(names) and all(names):
        return names
    return tuple(f"{name} ({k})" if name else str(k) for k, name in enumerate(names, start=1))


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def _tokens(text: str) -> Iterator[_Token]:
    position, line = 0, 1
    length = len(text)
    while position < length:
        if text[position].isspace():
            line += text[position] == "\n"
            position += 1
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            raise InputError(f"{text[position : position + 20]!r} cannot be read; a quote may not be closed", line=line)
        if match[1] is not None:
            yield _Token("text", re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL), line)
        elif match[2] is not None:
            yield _Token(match[2], match[2], line)
        elif match[3] is not None:
            yield _Token("word", match[3], line)
        line += match[0].count("\n")
        position = match.end()


class _Parser:
    """Recursive descent over the tokens of an .nfg file."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._position = 0
        self._last_line = text.count("\n") + 1

    @property
    def n_tokens(self) -> int:
        """Number of tokens in the file; no player can have more strategies."""
        return len(self._tokens)

    def peek(self) -> str:
        """Return the kind of the next token, "end" after the last."""
        return self._tokens[self._position].kind if self._position < len(self._tokens) else "end"

    def take(self, kind: str, what: str) -> _Token:
        """Return the next token, which must be of `kind`."""
        if self.peek() == "end":
            raise InputError(f"the file ends where {what} should be; it may be cut short", line=self._last_line)
        token = self._tokens[self._position]
        if token.kind != kind:
            raise InputError(f"{token.text[:40]!r} stands where {what} should be", line=token.line)
        self._position += 1
        return token

    def whole(self, what: str) -> int:
        """Return the next token as a whole number."""
        token = self.take("word", what)
        if not (token.text.isdecimal() and token.text.isascii() and len(token.text) < 10):
            raise InputError(f"{token.text[:40]!r} stands where {what} should be", line=token.line)
        return int(token.text)

    def number(self, what: str) -> Fraction:
        """Return the next token as an exact number."""
        token = self.take("word", what)
        return _exact(token.text, token.line)

    def texts(self, what: str) -> tuple[str, ...]:
        """Return a braced list of quoted strings."""
        self.take("{", f"the list of {what}")
        found = []
        while self.peek() == "text":
            found.append(self.take("text", what).text)
        self.take("}", f"the end of the list of {what}")
        return tuple(found)

    def finish(self) -> None:
        """Refuse anything after the end of the game."""
        if self.peek() != "end":
            token = self._tokens[self._position]
            raise InputError(f"{token.text[:40]!r} stands after the end of the game", line=token.line)


def _exact(text: str, line: int) -> Fraction:
    match = _NUMBER.match(text)
    if match is None or len(text) > _MAX_DIGITS:
        raise InputError(f"{text[:40]!r} is not a number (write 2, -0.5, 1e-3 or 1/3)", line=line)
    sign, numerator, denominator, whole, decimals, exponent = match.groups()
    if numerator is not None:
        if not int(denominator):
            raise InputError(f"{text!r} divides by zero", line=line)
        return Fraction(int(sign + numerator), int(denominator))
    digits = (whole or "") + (decimals or "")
    power = int(exponent or 0) - len(decimals or "")
    if not digits or abs(power) > _MAX_DIGITS:
        raise InputError(f"{text[:40]!r} is not a number within float64 (write 2, -0.5, 1e-3 or 1/3)", line=line)
    number = int(sign + digits)
    return Fraction(number * 10**power) if power >= 0 else Fraction(number, 10**-power)


def parse_nfg(text: str) -> NormalForm:
    """Return the normal form of an .nfg file, outcome or payoff version.

    In both versions the strategy of player 1 runs fastest. Read row by row, an antisymmetric game would come
    out with its sign flipped and the worst response would be the winner.

    Raises
    ------
    InputError
        With the line: what stands where something else should be, or a wrong number of payoffs.
    """
    parser = _Parser(text)
    magic = [parser.take("word", "'NFG 1 R' or 'NFG 1 D'").text for _ in range(3)]
    if magic[0] != "NFG" or magic[1] != "1" or magic[2] not in ("R", "D"):
        raise InputError(
            f"the file must start with 'NFG 1 R' or 'NFG 1 D'; it starts with {' '.join(magic)[:40]!r}",
            line=1,
        )
    title = parser.take("text", "the title").text
    players = parser.texts("players")
    if not players:
        raise InputError("the game has no players", line=1)
    strategies = _strategies(parser, len(players))
    if parser.peek() == "text":
        parser.take("text", "the comment")
    shape = tuple(len(names) for names in strategies)
    cells = 1
    for size in shape:
        cells *= size
    flat = _outcomes(parser, len(players), cells) if parser.peek() == "{" else _payoffs(parser, len(players), cells)
    parser.finish()
    payoffs: NDArray[np.object_] = np.empty((len(players), *shape), dtype=object)
    for p in range(len(players)):
        column: NDArray[np.object_] = np.empty(cells, dtype=object)
        column[:] = [row[p] for row in flat]
        payoffs[p] = column.reshape(shape, order="F")
    return NormalForm(title, players, strategies, payoffs)


def _strategies(parser: _Parser, n_players: int) -> tuple[tuple[str, ...], ...]:
    parser.take("{", "the strategies")
    found: list[tuple[str, ...]] = []
    while parser.peek() in ("{", "word"):
        if parser.peek() == "{":
            found.append(parser.texts("strategies"))
        else:
            count = parser.whole("a number of strategies")
            if count > parser.n_tokens:
                raise InputError(
                    f"a player has {count} strategies, more than there are numbers; the file may be cut short"
                )
            found.append(tuple(str(k) for k in range(1, count + 1)))
    line = parser.take("}", "the end of the strategies").line
    if len(found) != n_players:
        raise InputError(f"there are {n_players} players and strategies for {len(found)}", line=line)
    if any(not names for names in found):
        raise InputError("a player has no strategies", line=line)
    return tuple(found)


def _payoffs(parser: _Parser, n_players: int, cells: int) -> list[tuple[Fraction, ...]]:
    rows = []
    for cell in range(cells):
        what = f"payoff {cell * n_players + 1} of {cells * n_players}"
        rows.append(tuple(parser.number(what) for _ in range(n_players)))
    return rows


def _outcomes(parser: _Parser, n_players: int, cells: int) -> list[tuple[Fraction, ...]]:
    """Read the list of outcomes, then the outcome of every cell; outcome 0 pays nothing."""
    parser.take("{", "the outcomes")
    outcomes = [(Fraction(0),) * n_players]
    while parser.peek() == "{":
        parser.take("{", "an outcome")
        parser.take("text", "the name of an outcome")
        outcomes.append(tuple(parser.number("a payoff") for _ in range(n_players)))
        parser.take("}", "the end of an outcome")
    parser.take("}", "the end of the outcomes")
    rows = []
    for cell in range(cells):
        what = f"the outcome of cell {cell + 1} of {cells}"
        index = parser.whole(what)
        if index >= len(outcomes):
            raise InputError(f"cell {cell + 1} has outcome {index}, but there are {len(outcomes) - 1}")
        rows.append(outcomes[index])
    return rows


def format_nfg(game: Game, title: str = "") -> str:
    """Return the game as .nfg text in payoff form, player 1 fastest; numbers round-trip exactly."""
    payoffs, names = _payoff_tensors(game)
    n_players = payoffs.shape[0]
    players = " ".join(_quote(f"Player {p + 1}") for p in range(n_players))
    strategies = "\n".join("{ " + " ".join(_quote(str(name)) for name in one) + " }" for one in names)
    columns = [payoffs[p].ravel(order="F") for p in range(n_players)]
    cells = np.stack(columns, axis=1)
    body = "\n".join(" ".join(repr(float(x)) for x in cell) for cell in cells)
    return f"NFG 1 R {_quote(title)} {{ {players} }}\n\n{{ {strategies} }}\n\n{body}\n"


def _payoff_tensors(game: Game) -> tuple[NDArray[np.float64], tuple[tuple[Any, ...], ...]]:
    if isinstance(game, PreferenceGame):
        return np.stack([game.payoff, -game.payoff]), (game.names, game.names)
    if isinstance(game, MatrixGame):
        return np.stack([game.row_payoff, game.column_payoff]), game.names
    if isinstance(game, OperatorGame):
        raise UnsupportedCombination("a game known by its products has no table to write; keep what it was made from")
    return game.payoffs, game.names


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
