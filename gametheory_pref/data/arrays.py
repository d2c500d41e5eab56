"""NumPy's .npz and .npy files, never unpickled."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .json_format import game_from_mapping
from .matrices import game_from_table, table_of
from .options import Loaded, Options
from .source import MAX_BYTES

_MAX_HEADER = 10_000


def read_npy(data: bytes, options: Options) -> Loaded:
    """Return the game of one matrix without names."""
    return game_from_table(table_of(parse_npy(data, "the array"), None), options, format="NPY")


def read_npz(data: bytes, options: Options) -> Loaded:
    """Return the game of an archive with a matrix and, under ``names``, what its responses are called."""
    return game_from_mapping(load_archive(data), options, format="NPZ")


def load_archive(data: bytes) -> dict[str, Any]:
    """Return the arrays of an .npz archive by name."""
    arrays: dict[str, Any] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if "[Content_Types].xml" in archive.namelist():
                raise InputError("this is an office document (a workbook, say); export the table as CSV")
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise InputError(f"the archive unpacks to more than {MAX_BYTES >> 30} GiB")
            for member in archive.infolist():
                with archive.open(member) as stream:
                    # The declared size is not proof: read one byte more than allowed and stop there.
                    content = stream.read(MAX_BYTES + 1)
                if len(content) > MAX_BYTES:
                    raise InputError(f"the archive unpacks to more than {MAX_BYTES >> 30} GiB")
                arrays[member.filename.removesuffix(".npy")] = parse_npy(content, member.filename)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        OSError,
    ) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the archive is damaged or not one of NumPy's ({_one_line(error)}); save it again") from error
    return arrays


def parse_npy(data: bytes, what: str) -> NDArray[Any]:
    """Return the array in .npy bytes, sizes checked first; object arrays, which are pickles, are refused."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            header = np.lib.format.read_array_header_1_0(stream, max_header_size=_MAX_HEADER)
        elif version == (2, 0):
            header = np.lib.format.read_array_header_2_0(stream, max_header_size=_MAX_HEADER)
        else:
            raise InputError(f"{what} has .npy version {version}; save it with numpy.save")
    except InputError:
        raise
    except Exception as error:
        # The header is Python source read by numpy; damaged ones fail in many ways (SyntaxError, TokenError
        # ...).
        raise InputError(
            f"{what} is damaged or not one of NumPy's arrays ({_one_line(error)}); save it again"
        ) from error
    shape, fortran, dtype = header
    if dtype.hasobject:
        raise InputError(
            f"{what} holds pickled Python objects, which may run code when opened and are never loaded; "
            "save numbers as a float array and names as a string array"
        )
    count = 1
    for size in shape:
        count *= int(size)
    body = data[stream.tell() :]
    if min(shape, default=1) < 0 or count * dtype.itemsize != len(body):
        raise InputError(f"{what} has shape {shape} of {dtype}, but {len(body)} bytes follow; it may be cut short")
    if dtype.itemsize == 0 or count == 0:
        raise InputError(f"{what} is empty")
    return np.frombuffer(body, dtype).reshape(shape, order="F" if fortran else "C")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
