"""Tables in text: comma, semicolon, tab or blanks between cells."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import numpy as np

from .._types import FloatArray, Labels
from ..errors import InputError
from ..games.comparisons import Coded, Columns, Encoder
from .logs import LogLayout, PairCounts, PairLayout, find_layout, game_from_log, one_hot_outcome
from .matrices import Table, game_from_table
from .options import Loaded, Options

_ROWS_AT_ONCE = 512
"""Rows held as text at a time: fewer than the 700 new objects that set off Python's garbage collector."""
_SAMPLE = 1 << 20
"""Characters looked at to find the separator."""
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\Z", re.ASCII)


# A whole cell between semicolons or tabs; where the comma separates cells it cannot be a decimal comma.
_DECIMAL_COMMA = re.compile(r"(?:(?<=[;\t\n])|^)([ \t]*[+-]?\d*),(\d+)(?=[ ]*(?:[;\t\r\n]|$))", re.MULTILINE)
_DECIMAL_POINT = re.compile(r"(?:(?<=[;\t\n])|^)[ \t]*[+-]?\d*\.\d+(?=[ ]*(?:[;\t\r\n]|$))", re.MULTILINE)


class Records:
    """The rows of a text table; blank lines are passed over, and any row can be traced to its line."""

    def __init__(self, text: str, delimiter: str | None) -> None:
        self._text = text
        self._delimiter = delimiter

    def __iter__(self) -> Iterator[list[str]]:
        return (row for _, row in self.numbered())

    def numbered(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line on which each row starts, and its cells."""
        if self._delimiter is None:
            for number, line in enumerate(self._text.splitlines(), start=1):
                if line.strip():
                    yield number, line.split()
            return
        reader = self._reader()
        start = 1
        try:
            for row in reader:
                if row:
                    yield start, row
                start = reader.line_num + 1
        except csv.Error as error:
            raise _csv_error(error, start) from error

    def chunks(self) -> Iterator[list[list[str]]]:
        """Yield the rows after the header, many at a time."""
        rows = iter(self) if self._delimiter is None else filter(None, self._reader())
        try:
            next(rows, None)
            while chunk := list(islice(rows, _ROWS_AT_ONCE)):
                yield chunk
        except csv.Error as error:
            # Read again row by row, which knows the line.
            for _ in self.numbered():
                pass
            raise InputError(f"the table cannot be read: {error}") from error

    def line_of(self, row: int) -> int:
        """Return the line on which a row starts; row 0 is the first after the header."""
        return next(islice(self.numbered(), row + 1, None))[0]

    def _reader(self) -> csv._reader:  # type: ignore[name-defined]
        return csv.reader(io.StringIO(self._text, newline=""), delimiter=self._delimiter or ",", strict=True)


def _csv_error(error: csv.Error, line: int) -> InputError:
    if "field larger" in str(error):
        return InputError(
            f"a cell is longer than {csv.field_size_limit()} characters: a quote may be missing; "
            "if it is real, raise the limit with csv.field_size_limit(n)",
            line=line,
        )
    if "end of data" in str(error):
        return InputError("a quoted cell opens here and is never closed; add the missing quote", line=line)
    return InputError(f"the row cannot be split into cells ({error}); check its quotes", line=line)


def find_delimiter(text: str) -> str | None:
    """Return the separator of a text table, None for blanks.

    The first of comma, tab and semicolon that splits the first rows into equally many cells; else the one
    that splits them into most, so that a ragged table is reported as such.
    """
    fallback: tuple[int, str | None] = (1, None)
    for delimiter in (",", "\t", ";"):
        rows = csv.reader(io.StringIO(text[:_SAMPLE], newline=""), delimiter=delimiter)
        widths: list[int] = []
        # A row that cannot be split is reported later, with its line.
        with suppress(csv.Error):
            widths.extend(len(row) for row in islice(filter(None, rows), 6))
        # The header may lack the corner above the row names.
        if widths and 1 < widths[0] <= widths[-1] <= widths[0] + 1 and len(set(widths[1:])) <= 1:
            return delimiter
        if widths and max(widths) > fallback[0]:
            fallback = (max(widths), delimiter)
    return fallback[1]


def read_delimited(text: str, options: Options, *, suffix: str) -> Loaded:
    """Return the game of a text table: a battle log, counted pairs, or a matrix."""
    if not text.strip():
        raise InputError("the file is empty; there is nothing to read")
    delimiter = "\t" if suffix in (".tsv", ".tab") else find_delimiter(text)
    records = Records(text, delimiter)
    header = next(iter(records), None)
    if header is None:
        raise InputError("the file is empty; there is nothing to read")
    format = {",": "CSV", ";": "CSV", "\t": "TSV", None: "text"}[delimiter]
    layout = find_layout(header)
    if isinstance(layout, LogLayout):
        columns = _read_log(records, header, layout)
        return game_from_log(columns, options, _FailAtLine(records), format=f"{format}, battle log")
    if delimiter in (";", "\t") and _has_decimal_commas(text):
        loaded = read_delimited(_DECIMAL_COMMA.sub(r"\1.\2", text), options, suffix=suffix)
        return replace(loaded, notes=(*loaded.notes, "decimal commas were read as decimal points"))
    if isinstance(layout, PairLayout):
        return _read_pairs(records, header, layout, options, f"{format}, counted pairs")
    return game_from_table(_read_table(records), options, format=format)


def _has_decimal_commas(text: str) -> bool:
    """Whether commas inside cells can only be decimal: not all like 1,234, which may be a thousand, and no points."""
    found = [whole.strip() + "," + part for whole, part in _DECIMAL_COMMA.findall(text)]
    thousands = all(re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", cell) for cell in found)
    return bool(found) and not thousands and not _DECIMAL_POINT.search(text)


class _FailAtLine:
    """Make errors that name the line of a row."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def __call__(self, row: int, reason: str) -> InputError:
        return InputError(reason, line=self._records.line_of(row))


def _read_log(records: Records, header: Sequence[str], layout: LogLayout) -> Columns:
    """Code the columns of a battle log chunk by chunk, so that a row of text never outlives its chunk."""
    fail = _FailAtLine(records)
    at = {
        name: position
        for name, position in (
            ("left", layout.left),
            ("right", layout.right),
            ("winner", layout.winner),
            ("judge", layout.judge),
            ("prompt", layout.prompt),
        )
        if position >= 0
    }
    encoders = {name: Encoder() for name in at}
    codes: dict[str, list[np.ndarray[tuple[int], np.dtype[np.int32]]]] = {name: [] for name in at}
    numbers: list[FloatArray] = []
    numeric = (*layout.winner_columns, *((layout.weight,) if layout.weight >= 0 else ()))
    count = 0
    for rows in records.chunks():
        _require_width(rows, len(header), count, fail)
        for name, position in at.items():
            codes[name].append(encoders[name].encode([row[position] for row in rows], len(rows)))
        if numeric:
            numbers.append(_numeric_columns(rows, numeric, header, count, fail))
        count += len(rows)
    coded = {
        name: Coded(np.concatenate(parts) if parts else np.empty(0, np.int32), tuple(encoders[name]))
        for name, parts in codes.items()
    }
    table = np.concatenate(numbers) if numbers else np.empty((0, len(numeric)))
    flags = table[:, : len(layout.winner_columns)]
    if layout.winner_first:
        winner: Coded | np.ndarray[tuple[int], np.dtype[np.int8]] = np.ones(count, np.int8)
    else:
        winner = one_hot_outcome(flags, fail) if layout.winner_columns else coded["winner"]
    return Columns(
        coded["left"],
        coded["right"],
        winner,
        table[:, -1] if layout.weight >= 0 else None,
        coded.get("judge"),
        coded.get("prompt"),
        positioned=not layout.winner_first,
    )


def _require_width(rows: Sequence[Sequence[str]], width: int, before: int, fail: _FailAtLine) -> None:
    if set(map(len, rows)) - {width}:
        k = next(k for k, row in enumerate(rows) if len(row) != width)
        raise fail(
            before + k,
            f"the row has {len(rows[k])} cells and the header {width}; a quote or separator is amiss",
        )


def _numeric_columns(
    rows: Sequence[Sequence[str]],
    positions: Sequence[int],
    header: Sequence[str],
    before: int,
    fail: _FailAtLine,
) -> FloatArray:
    table = np.empty((len(rows), len(positions)))
    for i, row in enumerate(rows):
        for k, position in enumerate(positions):
            try:
                table[i, k] = parse_number(row[position])
            except InputError as error:
                raise fail(before + i, f"column {header[position].strip()!r}: {error.reason}") from None
    return table


def parse_number(cell: str) -> float:
    """Return a finite number written with digits, sign, decimal point and exponent only."""
    try:
        number = float(cell)
    except ValueError:
        raise InputError(_why_not_number(cell)) from None
    # float() also takes nan, inf, 1_000 and digits of other scripts.
    if not math.isfinite(number) or "_" in cell or not cell.isascii():
        raise InputError(_why_not_number(cell))
    return number


def _why_not_number(cell: str) -> str:
    text = cell.strip()
    if not text:
        return "there is no number"
    if text.lower().lstrip("+-") in ("nan", "na", "n/a", "none", "null"):
        return f"{text!r} is not a number; fill in or drop what is missing"
    if text.lower().lstrip("+-") in ("inf", "infinity") or _NUMBER.match(text):
        return f"{text!r} is not finite"
    if re.fullmatch(r"[+-]?\d*,\d+", text):
        return f"{text!r} has a decimal comma; write a decimal point"
    if re.fullmatch(r"[+-]?[\d.]+\s*%", text):
        return f"{text!r} is a percentage; write the fraction, 0.5 for 50%"
    return f"{text[:40]!r} is not a number"


def _read_pairs(records: Records, header: Sequence[str], layout: PairLayout, options: Options, format: str) -> Loaded:
    pairs = PairCounts()
    rows = records.numbered()
    next(rows)
    for line, row in rows:
        try:
            if len(row) != len(header):
                raise InputError(
                    f"the row has {len(row)} cells and the header {len(header)}; a quote or separator is amiss"
                )
            pairs.add(
                row[layout.left],
                row[layout.right],
                parse_number(row[layout.wins_left]),
                parse_number(row[layout.wins_right]),
                parse_number(row[layout.ties]) if layout.ties >= 0 else 0.0,
            )
        except InputError as error:
            raise InputError(error.reason, line=line) from None
    return pairs.game(options, format=format)


class _Frame(NamedTuple):
    """Where the numbers of a matrix start and what its columns are called."""

    names: list[str] | None
    first_row: int
    first_column: int


def _read_table(records: Records) -> Table:
    numbered = [(line, [cell.strip() for cell in row]) for line, row in records.numbered()]
    frame = _find_frame(numbered)
    body = numbered[frame.first_row :]
    if not body:
        raise InputError("there are column names but no rows", line=numbered[0][0])
    width = len(body[0][1])
    if width == frame.first_column:
        raise InputError(
            "there are names but no numbers; a table has cells between commas, semicolons, tabs or blanks",
            line=body[0][0],
        )
    values = np.zeros((len(body), width - frame.first_column))
    blank = np.zeros(values.shape, bool)
    for k, (line, row) in enumerate(body):
        if len(row) != width:
            raise InputError(
                f"the row has {len(row)} cells and the first row of numbers {width}; the matrix is ragged",
                line=line,
            )
        for j, cell in enumerate(row[frame.first_column :]):
            if not cell:
                blank[k, j] = True
                continue
            try:
                values[k, j] = parse_number(cell)
            except InputError as error:
                raise InputError(error.reason + _hint(frame, j, len(body)), line=line) from None
    column_names = _names(frame.names, values.shape[1], numbered[0][0], "column")
    row_names: Labels
    if frame.first_column:
        row_names = _row_names([(line, row[0]) for line, row in body])
    else:
        row_names = column_names if values.shape[0] == values.shape[1] else tuple(range(values.shape[0]))
    if frame.names is None and frame.first_column and values.shape[0] == values.shape[1]:
        column_names = row_names
    return Table(values, blank, row_names, column_names, tuple(line for line, _ in body))


def _hint(frame: _Frame, j: int, n_rows: int) -> str:
    """Say in which column a bad number stands and, if this is no square matrix, what else was looked for."""
    if not frame.names or j >= len(frame.names):
        return ""
    where = f" (column {frame.names[j]!r})"
    if n_rows == len(frame.names):
        return where
    return (
        f"{where}. The table is neither comparisons (columns model_a, model_b, winner), nor counted pairs "
        "(item_a, item_b, wins_a, wins_b), nor a square matrix of numbers; rename the columns"
    )


def _find_frame(numbered: Sequence[tuple[int, Sequence[str]]]) -> _Frame:
    """Find the header and the column of row names by what is not a number."""
    first = numbered[0][1]
    below = [row for _, row in numbered[1:]]
    numeric = [_looks_numeric(cell) for cell in first if cell]
    # Numbers from the first cell on, in a square: a row of numbers, and what is none is a mistake in it.
    is_data = bool(numeric) and numeric[0] and any(numeric[1:]) and len(below) == len(first) - 1 and bool(first[0])
    has_header = not is_data and (
        any(cell and not _looks_numeric(cell) for cell in first[1:])
        or bool(below and first and not first[0] and len(first) > 1 and all(first[1:]))
    )
    if not has_header and first and first[0] and not _looks_numeric(first[0]):
        # A word in the corner alone: a header if the rows below start with a word or the row is all the
        # header.
        has_header = len(first) > 1 and bool(below) and _numeric_names(first, below)
    has_names = _has_row_names(first, below, has_header)
    if not has_header:
        return _Frame(None, 0, int(has_names))
    width = len(below[0]) if below else len(first)
    names = list(first[1:]) if has_names and len(first) == width else list(first)
    return _Frame(names, 1, int(has_names))


def _numeric_names(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether a first row like ``name,1,2,3`` is a header: then there is one row per column name."""
    return len(below) == len(first) - 1 and [row[0] for row in below if row] == list(first[1:])


def _has_row_names(first: Sequence[str], below: Sequence[Sequence[str]], has_header: bool) -> bool:
    rows = below if has_header else [first, *below]
    if not rows:
        return False
    if any(row and row[0] and not _looks_numeric(row[0]) for row in rows):
        return True
    # Row names that are numbers: the corner is blank, or there is a cell more than the header has.
    return has_header and (not first[0] or len(rows[0]) == len(first) + 1)


def _looks_numeric(cell: str) -> bool:
    """Whether a cell is a number or was meant as one, so that it is no name."""
    return bool(_NUMBER.match(cell)) or cell.lower().lstrip("+-") in ("nan", "inf", "infinity")


def _names(found: list[str] | None, count: int, line: int, what: str) -> Labels:
    if found is None:
        return tuple(range(count))
    if len(found) != count:
        raise InputError(
            f"there are {len(found)} column names and {count} numbers in the first row; name every column",
            line=line,
        )
    return _checked([(line, name) for name in found], what)


def _row_names(found: Sequence[tuple[int, str]]) -> Labels:
    return _checked(found, "row")


def _checked(found: Sequence[tuple[int, str]], what: str) -> Labels:
    seen: set[str] = set()
    for k, (line, name) in enumerate(found):
        if not name:
            raise InputError(f"{what} {k + 1} has no name", line=line)
        if name in seen:
            raise InputError(f"two {what}s are called {name!r}; rename one of them", line=line)
        seen.add(name)
    return tuple(name for _, name in found)
