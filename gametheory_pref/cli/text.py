"""Columns, bars and numbers for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

BLOCKS = "▏▎▍▌▋▊▉█"


def escape_controls(text: str) -> str:
    """Return `text` with control characters shown as escapes: a name must not move the cursor."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def label(name: object) -> str:
    """Return what a response is called, on one line and without control characters."""
    return escape_controls(str(name))


def width(text: str) -> int:
    """Return the number of terminal cells: 2 for wide characters, 0 for combining marks."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def pad(text: str, cells: int) -> str:
    """Return `text` filled with spaces on the right to a width in cells."""
    return text + " " * (cells - width(text))


def bar(share: float, cells: int, *, blocks: bool) -> str:
    """Return a bar of `cells` cells times `share`: eighths of a cell with block characters, else ``#``.

    Examples
    --------
    >>> bar(0.5, 8, blocks=False)
    '####'
    """
    if not blocks:
        return "#" * round(share * cells)
    eighths = round(share * cells * 8)
    full, rest = divmod(eighths, 8)
    return BLOCKS[-1] * full + (BLOCKS[rest - 1] if rest else "")


def probability(value: float) -> str:
    """Return four decimals; a plain 0 for zero itself, and an exponent for what four decimals would hide.

    Examples
    --------
    >>> probability(0.375), probability(0.0), probability(3.2e-7)
    ('0.3750', '0', '3e-07')
    """
    if value == 0.0:
        return "0"
    return f"{value:.4f}" if value >= 5e-5 else f"{value:.0e}"


def count(number: float, noun: str, plural: str | None = None) -> str:
    """Return "1 tie", "28,680 ties"; weights may be fractional.

    Examples
    --------
    >>> count(1, "pair"), count(28680, "tie"), count(2.5, "vote")
    ('1 pair', '28,680 ties', '2.5 votes')
    """
    shown = f"{int(number):,}" if number == int(number) else f"{number:,.6g}"
    return f"{shown} {noun if number == 1 else plural or noun + 's'}"


def listing(items: Iterable[object], most: int | None) -> str:
    """Return the items as labels with commas; past `most` of them, how many more there are."""
    names = [label(item) for item in items]
    if most is None or len(names) <= most + 1:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def fields(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return lines "label   value" with the values aligned."""
    cells = max(width(label) for label, _ in pairs)
    return [f"{pad(label, cells)}  {value}" for label, value in pairs]


def seconds(duration: float) -> str:
    """Return a duration with the unit that suits it.

    Examples
    --------
    >>> seconds(0.00231), seconds(4.2)
    ('2.3 ms', '4.2 s')
    """
    return f"{duration * 1e3:.2g} ms" if duration < 0.0995 else f"{duration:.2g} s"
