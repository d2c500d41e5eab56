"""Battle logs in Parquet, through pyarrow (extra ``parquet``), imported only when such a file is read."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._optional import require
from ..errors import InputError
from ..games.comparisons import Coded, Columns
from .logs import LogLayout, PairCounts, PairLayout, find_layout, game_from_log, one_hot_outcome
from .options import Loaded, Options
from .source import MAX_BYTES


def read_parquet(data: bytes, options: Options) -> Loaded:
    """Return the game of a Parquet file with the columns of a battle log or of counted pairs."""
    arrow = require("pyarrow", extra="parquet", purpose="reading Parquet files")
    parquet = require("pyarrow.parquet", extra="parquet", purpose="reading Parquet files")
    try:
        file = parquet.ParquetFile(arrow.BufferReader(data))
        groups = (file.metadata.row_group(k) for k in range(file.metadata.num_row_groups))
        if sum(group.total_byte_size for group in groups) > MAX_BYTES:
            raise InputError(f"the file unpacks to more than {MAX_BYTES >> 30} GiB")
        header = file.schema_arrow.names
        layout = find_layout(header)
        if layout is None:
            raise InputError(
                f"the columns are {', '.join(map(repr, header[:12]))}; comparisons need 'model_a', "
                f"'model_b', 'winner', "
                "counted pairs 'item_a', 'item_b', 'wins_a', 'wins_b'"
            )
        table = file.read(columns=_needed(header, layout))
        # Without this, damaged text surfaces later, when it is turned into Python strings.
        table.validate(full=True)
    except (arrow.ArrowException, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"the Parquet file is damaged ({' '.join(str(error).split())[:200]}); write it again"
        ) from error
    if isinstance(layout, PairLayout):
        return _read_pairs(table, header, layout, options)
    return _read_log(arrow, table, header, layout, options)


def _needed(header: list[str], layout: LogLayout | PairLayout) -> list[str]:
    positions: set[int] = set()
    for field in layout:
        if isinstance(field, tuple):
            positions.update(field)
        elif not isinstance(field, bool) and field >= 0:
            positions.add(field)
    return [header[k] for k in sorted(positions)]


def _fail(row: int, reason: str) -> InputError:
    return InputError(f"row {row}: {reason}")


def _coded(arrow: Any, table: Any, name: str) -> Coded:
    column = table.column(name)
    if arrow.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (
        arrow.types.is_string(column.type)
        or arrow.types.is_large_string(column.type)
        or arrow.types.is_integer(column.type)
        or arrow.types.is_null(column.type)
    ):
        raise InputError(f"column {name!r} has type {column.type}; labels are strings or whole numbers")
    encoded = column.combine_chunks().dictionary_encode("encode")
    if isinstance(encoded, arrow.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int32)
    return Coded(codes, tuple(encoded.dictionary.to_pylist()))


def _numbers(table: Any, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    column = table.column(name)
    try:
        values = np.asarray(column.to_numpy(), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"column {name!r} must hold numbers: {error}") from error
    if not np.isfinite(values).all():
        raise _fail(int(np.argmin(np.isfinite(values))), f"column {name!r} has no finite number")
    return values


def _read_log(arrow: Any, table: Any, header: list[str], layout: LogLayout, options: Options) -> Loaded:
    if layout.winner_first:
        winner: Any = np.ones(table.num_rows, np.int8)
    elif layout.winner_columns:
        flags = np.stack([_numbers(table, header[k]) for k in layout.winner_columns], axis=1)
        winner = one_hot_outcome(flags, _fail)
    else:
        winner = _coded(arrow, table, header[layout.winner])
    columns = Columns(
        _coded(arrow, table, header[layout.left]),
        _coded(arrow, table, header[layout.right]),
        winner,
        _numbers(table, header[layout.weight]) if layout.weight >= 0 else None,
        _coded(arrow, table, header[layout.judge]) if layout.judge >= 0 else None,
        _coded(arrow, table, header[layout.prompt]) if layout.prompt >= 0 else None,
        positioned=not layout.winner_first,
    )
    return game_from_log(columns, options, _fail, format="Parquet, battle log")


def _read_pairs(table: Any, header: list[str], layout: PairLayout, options: Options) -> Loaded:
    pairs = PairCounts()
    sides = [table.column(header[k]).to_pylist() for k in (layout.left, layout.right)]
    counts = [
        _numbers(table, header[k]) if k >= 0 else np.zeros(table.num_rows)
        for k in (layout.wins_left, layout.wins_right, layout.ties)
    ]
    for row in range(table.num_rows):
        left, right = (str(side[row]) if side[row] is not None else "" for side in sides)
        try:
            pairs.add(left, right, *(float(column[row]) for column in counts))
        except InputError as error:
            raise _fail(row, error.reason) from None
    return pairs.game(options, format="Parquet, counted pairs")
