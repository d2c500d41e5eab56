"""Elections in PrefLib's text formats: orders (.soc .soi .toc .toi) and weighted pairs (.pwg .wmd)."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from .._types import FloatArray
from ..errors import InputError
from ..games.comparisons import MAX_COUNT
from ..games.votes import Votes, game_from_votes
from .delimited import parse_number
from .options import Loaded, Options
from .source import Source, decode, read_bytes

ORDERS = (".soc", ".soi", ".toc", ".toi")
PAIRS = (".pwg", ".wmd")
_VOTES_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Ballots:
    """Weak orders with the number of voters who cast each.

    Attributes
    ----------
    names : tuple of str
        Alternatives.
    ranks : ndarray of float64, shape (m, n)
        ``ranks[v, i]`` is the place of alternative i in order v, 1 for the best, equal for ties, NaN if not
        ranked.
    counts : ndarray of float64, shape (m,)
        Voters with each order.
    title : str
        Title of the election.
    """

    names: tuple[str, ...]
    ranks: FloatArray
    counts: FloatArray
    title: str = ""

    @property
    def n_voters(self) -> int:
        """Number of voters."""
        return int(self.counts.sum())

    def votes(self, options: Options | None = None) -> Votes:
        """Return the wins and ties of every pair of alternatives."""
        options = options or Options()
        ranks, notes = self.ranks, []
        unranked = np.isnan(ranks)
        if unranked.any():
            partial = self.counts[unranked.any(axis=1)].sum()
            how = {
                "ignore": "a pair counts only for voters who ranked both",
                "bottom": "what a voter left out ties below everything ranked",
            }[options.unranked]
            notes.append(f"{partial:g} of {self.n_voters} voters left alternatives unranked: {how}")
        if options.unranked == "bottom":
            ranks = np.where(unranked, np.inf, ranks)
        wins, ties = _tally(ranks, self.counts)
        if options.vote_ties() == "drop" and ties.any():
            notes.append(f"{np.triu(ties).sum():g} ties were left out")
            ties = np.zeros_like(ties)
        return Votes(wins, ties, options.vote_kind(), notes=tuple(notes))

    def data_type(self) -> str:
        """Return "soc", "soi", "toc" or "toi": strict or with ties, complete or incomplete."""
        complete = not np.isnan(self.ranks).any()
        ordered = np.sort(self.ranks, axis=1)
        tied = bool((ordered[:, 1:] == ordered[:, :-1]).any())
        return ("t" if tied else "s") + "o" + ("c" if complete else "i")

    def to_text(self) -> str:
        """Return the ballots as a PrefLib file.

        Raises
        ------
        InputError
            A name that the format cannot hold: empty, with blanks around it, or of several lines.
        """
        for name in self.names:
            if not name or name != name.strip() or "\n" in name:
                raise InputError(f"PrefLib cannot hold the name {name!r}; rename the alternative")
        head = {
            "TITLE": " ".join(self.title.split()),
            "DATA TYPE": self.data_type(),
            "NUMBER ALTERNATIVES": len(self.names),
            "NUMBER VOTERS": self.n_voters,
            "NUMBER UNIQUE ORDERS": self.counts.size,
        }
        lines = [f"# {key}: {value}" for key, value in head.items()]
        lines += [f"# ALTERNATIVE NAME {k}: {name}" for k, name in enumerate(self.names, start=1)]
        lines += [f"{int(count)}: {_order(row)}" for count, row in zip(self.counts, self.ranks, strict=True)]
        return "\n".join(lines) + "\n"


def read_ballots(source: Source, *, encoding: str = "utf-8") -> Ballots:
    """Return the ballots of a PrefLib ordinal file (``.soc .soi .toc .toi``), which a game only counts.

    Raises
    ------
    InputError
        With file and line; see `parse_ballots`.
    """
    raw = read_bytes(source)
    try:
        return parse_ballots(decode(raw, encoding), data_type=raw.suffix.lstrip("."))
    except InputError as error:
        raise InputError(error.reason, file=raw.file, line=error.line) from None


def _order(ranks: FloatArray) -> str:
    """Return one ballot as ``best,{tied,tied},next``."""
    groups = []
    for place in np.unique(ranks[~np.isnan(ranks)]):
        group = ",".join(str(k + 1) for k in np.flatnonzero(ranks == place))
        groups.append(f"{{{group}}}" if "," in group else group)
    return ",".join(groups)


def _tally(ranks: FloatArray, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Count who beats whom; a comparison with NaN is false, so unranked pairs drop out by themselves."""
    n = ranks.shape[1]
    wins, ties = np.zeros((n, n)), np.zeros((n, n))
    for start in range(0, ranks.shape[0], _VOTES_AT_ONCE):
        block = ranks[start : start + _VOTES_AT_ONCE]
        weight = counts[start : start + _VOTES_AT_ONCE]
        for i in range(n):
            mine = block[:, i : i + 1]
            wins[i] += weight @ (mine < block)
            ties[i] += weight @ (mine == block)
    np.fill_diagonal(ties, 0.0)
    return wins, ties


def read_preflib(text: str, options: Options, *, suffix: str) -> Loaded:
    """Return the game of a PrefLib file."""
    options.require_comparisons("an election")
    if suffix in PAIRS:
        return _read_weighted_pairs(text, options, suffix)
    ballots = parse_ballots(text, data_type=suffix.lstrip("."))
    votes = ballots.votes(options)
    game = game_from_votes(votes, ballots.names, missing=options.missing)
    return Loaded(game, f"PrefLib {suffix}" if suffix in ORDERS else "PrefLib", votes.notes)


def parse_ballots(text: str, *, data_type: str = "") -> Ballots:
    """Return the ballots of a PrefLib ordinal file.

    Raises
    ------
    InputError
        With the line: an order that does not fit the header or `data_type`, unknown alternatives, no voters.
    """
    header, lines = _split_header(text)
    names = header.names()
    declared = header.fields.get("DATA TYPE", (0, data_type))[1].strip().lower()
    strict_type = declared if declared in ("soc", "soi", "toc", "toi") else ""
    ranks = np.full((len(lines), len(names)), np.nan)
    counts = np.empty(len(lines))
    for row, (line, content) in enumerate(lines):
        try:
            counts[row] = _parse_order(content, ranks[row], strict_type)
        except InputError as error:
            raise InputError(error.reason, line=line) from None
    if not lines or not counts.sum():
        raise InputError("there are no votes below the header; the file may be cut short")
    header.require("NUMBER VOTERS", int(counts.sum()), "voters")
    header.require("NUMBER UNIQUE ORDERS", len(lines), "orders")
    return Ballots(names, ranks, counts, header.fields.get("TITLE", (0, ""))[1])


@dataclass(frozen=True)
class _Header:
    """Fields of the commented header, with their lines, and the names of the alternatives."""

    fields: dict[str, tuple[int, str]]
    alternatives: dict[int, tuple[int, str]]

    def names(self) -> tuple[str, ...]:
        count = len(self.alternatives)
        if not count:
            raise InputError("the header names no alternatives (lines '# ALTERNATIVE NAME 1: ...')", line=1)
        missing = next((k for k in range(1, count + 1) if k not in self.alternatives), None)
        if missing is not None:
            raise InputError(
                f"the header names {count} alternatives but not number {missing}; number them 1 to {count}"
            )
        self.require("NUMBER ALTERNATIVES", count, "alternatives")
        if count < 2:
            raise InputError(f"there is only one alternative, {self.alternatives[1][1]!r}; a game needs at least two")
        names = tuple(self.alternatives[k][1] for k in range(1, count + 1))
        seen: dict[str, int] = {}
        for k, name in enumerate(names, start=1):
            line = self.alternatives[k][0]
            if not name:
                raise InputError(f"alternative {k} has no name", line=line)
            if name in seen:
                raise InputError(f"alternatives {seen[name]} and {k} are both called {name!r}; rename one", line=line)
            seen[name] = k
        return names

    def require(self, field: str, found: int, what: str) -> None:
        """Refuse a file whose content does not add up to what the header promises."""
        if field not in self.fields:
            return
        line, value = self.fields[field]
        if not (value.strip().isdecimal() and value.strip().isascii() and len(value) < 20):
            raise InputError(f"{field} must be a whole number; it is {value!r}", line=line)
        if int(value) != found:
            raise InputError(
                f"the header promises {int(value)} {what} and the file has {found}; it may be cut short or edited",
                line=line,
            )


def _split_header(text: str) -> tuple[_Header, list[tuple[int, str]]]:
    header = _Header({}, {})
    content: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip()
        if not line:
            continue
        if not line.startswith("#"):
            content.append((number, line))
            continue
        key, colon, value = line[1:].partition(":")
        words = key.split()
        if not colon or not words:
            continue
        index = words.pop() if words[-1].isdecimal() and words[-1].isascii() else ""
        if words == ["ALTERNATIVE", "NAME"] and 0 < len(index) < 10:
            if int(index) in header.alternatives:
                raise InputError(f"alternative {int(index)} is named twice", line=number)
            header.alternatives[int(index)] = (number, value.strip())
        else:
            header.fields.setdefault(" ".join(words), (number, value.strip()))
    if not header.alternatives and content and re.fullmatch(r"\d+", content[0][1]):
        raise InputError(
            "this is PrefLib's format from before 2022; fetch the file again from preflib.org",
            line=content[0][0],
        )
    return header, content


def _parse_order(content: str, ranks: FloatArray, data_type: str) -> float:
    """Fill in the ranks of one ``count: a,{b,c},d`` line and return the count."""
    count, colon, order = content.partition(":")
    count = count.strip()
    if not colon or not (count.isdecimal() and count.isascii() and len(count) < 16):
        raise InputError(f"{content[:60]!r} is not of the form 'count: best,next,{{tied,tied}},...'")
    groups = _groups(order)
    found = [alternative for group in groups for alternative in group]
    if min(found) < 1 or max(found) > ranks.size:
        wrong = next(k for k in found if not 1 <= k <= ranks.size)
        raise InputError(f"alternative {wrong} is not among the {ranks.size} of the header")
    if len(set(found)) < len(found):
        twice = next(k for place, k in enumerate(found) if k in found[:place])
        raise InputError(f"alternative {twice} is ranked twice in one order")
    places = np.repeat(np.arange(1, len(groups) + 1), [len(group) for group in groups])
    ranks[np.array(found) - 1] = places
    if data_type.startswith("s") and len(groups) < len(found):
        raise InputError(f"the file says {data_type}, orders without ties, but this order has a tie")
    if data_type.endswith("c") and len(found) < ranks.size:
        left_out = int(np.isnan(ranks).argmax()) + 1
        raise InputError(
            f"the file says {data_type}, complete orders, but this order leaves out alternative {left_out}"
        )
    return float(count)


def _groups(order: str) -> list[list[int]]:
    """Return the groups of tied alternatives, best first."""
    if "{" not in order and "}" not in order:
        return [[alternative] for alternative in _alternatives(order)]
    order = "".join(order.split())
    groups: list[list[int]] = []
    position = 0
    while True:
        match = _GROUP.match(order, position)
        if match is None:
            raise InputError(f"{order[position : position + 40]!r} has a brace without its partner")
        groups.append([_alternative(match[2])] if match[1] is None else _alternatives(match[1]))
        if not match[3]:
            return groups
        position = match.end()


_GROUP = re.compile(r"(?:\{([^{}]*)\}|([^,{}]*))(,|\Z)")
_PLAIN = re.compile(r"[\d\s,]+", re.ASCII)


def _alternatives(text: str) -> list[int]:
    """Return the numbers in a list with commas."""
    parts = text.split(",")
    if _PLAIN.fullmatch(text):
        try:
            return list(map(int, parts))
        except ValueError:
            pass  # A number is missing or enormous; say which.
    return [_alternative(part) for part in parts]


def _alternative(text: str) -> int:
    text = text.strip()
    if not (text.isdecimal() and text.isascii() and len(text) < 10):
        raise InputError(
            f"{text[:40]!r} is not the number of an alternative; write 'count: best,next,{{tied,tied}},...'"
        )
    return int(text)


def _read_weighted_pairs(text: str, options: Options, suffix: str) -> Loaded:
    """Return the game of a weighted digraph ``weight,i,j``, whose weights the user must name."""
    if options.kind not in ("counts", "rate", "margin"):
        raise InputError(
            f'a {suffix} file holds one weight per pair and does not say what it is: pass kind="counts" '
            f"(voters who "
            'prefer the first) or kind="margin" (by how much the first wins)'
        )
    header, lines = _split_header(text)
    names = header.names()
    weights = np.zeros((len(names), len(names)))
    for line, content in lines:
        try:
            parts = content.split(",")
            if len(parts) != 3:
                raise InputError(f"{content[:60]!r} is not of the form 'weight,first,second'")
            i, j = (_alternative(part) - 1 for part in parts[1:])
            if not (0 <= i < len(names) and 0 <= j < len(names)) or i == j:
                raise InputError(f"{content[:60]!r} must name two different alternatives of 1 to {len(names)}")
            weights[i, j] += _whole(parts[0])
        except InputError as error:
            raise InputError(error.reason, line=line) from None
    notes: tuple[str, ...] = ()
    if options.kind == "margin":
        # A margin of w is w wins and no losses: what both sides also won cancels.
        weights = np.maximum(weights - weights.T, 0.0)
        notes = ("weights were taken as margins, so the number of comparisons is that of the surplus wins only",)
    votes = Votes(weights, np.zeros_like(weights), options.vote_kind(), notes=notes)
    return Loaded(game_from_votes(votes, names, missing=options.missing), f"PrefLib {suffix}", notes)


def _whole(text: str) -> float:
    number = parse_number(text)
    if not 0 <= number <= MAX_COUNT or number != np.floor(number):
        raise InputError(f"weight {text.strip()!r} is not a whole number from 0 to 2**53")
    return number
