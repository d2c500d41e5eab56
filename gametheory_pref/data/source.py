"""Bring a file or stream into memory, within bounds, as bytes and as text."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias

from ..errors import InputError

Source: TypeAlias = str | os.PathLike[str] | IO[bytes] | IO[str]

MAX_BYTES = 1 << 31
"""Most bytes that are read into memory, after decompression."""
MAX_LINE = 1 << 26
"""Most bytes of one line of a text table; a longer line means another kind of file."""
_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"


class Raw(NamedTuple):
    """The bytes of a source and what it is called."""

    data: bytes
    file: str

    @property
    def suffix(self) -> str:
        """File suffix in lower case, without the ``.gz`` of a compressed file."""
        path = Path(self.file)
        return (Path(path.stem) if path.suffix.lower() == ".gz" else path).suffix.lower()


def read_bytes(source: Source) -> Raw:
    """Return the content of a path or open file, decompressed if it is gzipped.

    Raises
    ------
    InputError
        No such file, a directory, a damaged or cut gzip stream, a line over `MAX_LINE`, more than
        `MAX_BYTES`.
    """
    if isinstance(source, (str, os.PathLike)):
        return _read_path(Path(source))
    if not hasattr(source, "read"):
        raise InputError(f"source must be a path or an open file; got {type(source).__name__}")
    file = getattr(source, "name", None)
    return _read_stream(source, file if isinstance(file, str) else "<stream>")


def _read_path(path: Path) -> Raw:
    file = str(path)
    if "\n" in file:
        raise InputError("source holds several lines; to read text rather than a file use read_text")
    try:
        with path.open("rb") as stream:
            return _read_stream(stream, file)
    except FileNotFoundError:
        raise InputError("no such file", file=file) from None
    except IsADirectoryError:
        raise InputError("is a directory; name one file in it", file=file) from None
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot be read: {error}", file=file) from error


def _read_stream(stream: Any, file: str) -> Raw:
    start = stream.read(2)
    if isinstance(start, str):
        return Raw(_collect(_Encoded(stream), start.encode(), file), file)
    if start != _GZIP:
        return Raw(_collect(stream, start, file), file)
    joined = io.BufferedReader(_Rejoined(start, stream))
    try:
        with gzip.GzipFile(fileobj=joined) as unpacked:
            return Raw(_collect(unpacked, b"", file), file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"the gzip stream is cut short or damaged ({error}); fetch the file again", file=file
        ) from error


class _Encoded:
    """A text stream seen as UTF-8 bytes."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        return self._stream.read(size).encode("utf-8", "surrogatepass")


class _Rejoined(io.RawIOBase):
    """A stream with the bytes already taken from it put back in front."""

    def __init__(self, start: bytes, stream: IO[bytes]) -> None:
        self._start = start
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._start[: len(buffer)] if self._start else self._stream.read(len(buffer))
        self._start = self._start[len(piece) :] if self._start else b""
        buffer[: len(piece)] = piece
        return len(piece)


def _collect(stream: Any, start: bytes, file: str) -> bytes:
    """Read to the end in pieces, so that an endless line or stream is refused before it fills the memory."""
    collected = bytearray(start)
    line_start = 0
    while piece := stream.read(_CHUNK):
        newline = piece.rfind(b"\n")
        if newline >= 0:
            line_start = len(collected) + newline + 1
        collected += piece
        if len(collected) - line_start > MAX_LINE and not _may_have_long_lines(collected, file):
            line = collected.count(b"\n") + 1
            raise InputError(
                f"the line is longer than {MAX_LINE >> 20} MiB; this is not a table of text. "
                "Large matrices belong in NPZ",
                file=file,
                line=line,
            )
        if len(collected) > MAX_BYTES:
            raise InputError(f"holds more than {MAX_BYTES >> 30} GiB; split it, or count the votes first", file=file)
    return bytes(collected)


def _may_have_long_lines(data: bytearray, file: str) -> bool:
    """Whether long lines are in order: in JSON and binary formats, not in tables and JSON lines."""
    start = bytes(data[:64]).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"PK\x03\x04", b"\x93NUMPY", b"PAR1")):
        return True
    return start.startswith((b"{", b"[")) and Raw(b"", file).suffix != ".jsonl"


def decode(raw: Raw, encoding: str) -> str:
    """Return the text of `raw`; a byte-order mark decides the encoding before `encoding` does."""
    data, file = raw
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif data.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8-sig"
    try:
        text = data.decode(encoding)
    except LookupError:
        raise InputError(f"encoding {encoding!r} is not known to Python") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"byte 0x{data[error.start]:02x} is not {encoding.upper()}; save the file as UTF-8, "
            'or pass the encoding it has (encoding="latin-1" or "cp1252", say)',
            file=file,
            line=line,
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError("there is a NUL character; this is not a text file", file=file, line=line)
    return text
