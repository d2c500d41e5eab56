"""The two streams: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import re
import sys
from argparse import Namespace
from collections.abc import Mapping
from typing import Any, TextIO

from .text import escape_controls

# How an option of the library is typed here, for sentences that advise one.
_WORD_OPTION = re.compile(r"\b(kind|ties|unranked|missing|judge|format|encoding|method)=([\"'])(.*?)\2")
_FLAG = re.compile(r"\b(symmetrize|skip_bad)=True")


def show(text: str) -> None:
    """Write a result."""
    print(printable(text, sys.stdout))


def show_json(payload: Mapping[str, Any]) -> None:
    """Write a result as JSON."""
    # Plain ASCII when the stream cannot hold the names: JSON escapes lose nothing.
    print(json_text(payload, ascii_only=not can_encode(sys.stdout, "█é名")))


def json_text(payload: Mapping[str, Any], *, ascii_only: bool) -> str:
    """Return an object as JSON, one line for each of its members; numbers in full precision, never NaN.

    Examples
    --------
    >>> print(json_text({"schema": "x/1", "policy": [0.5, 0.5]}, ascii_only=True))
    {
    "schema": "x/1",
    "policy": [0.5, 0.5]
    }
    """
    # Indenting throughout would spread a matrix over a line per entry, and leave the fast encoder unused.
    encode = json.JSONEncoder(allow_nan=False, ensure_ascii=ascii_only).encode
    return "{\n" + ",\n".join(f"{encode(key)}: {encode(value)}" for key, value in payload.items()) + "\n}"


def note(args: Namespace, text: str) -> None:
    """Write a remark on standard error, unless ``--quiet``."""
    if not args.quiet:
        print(printable(f"gtpref: {text}", sys.stderr), file=sys.stderr)


def can_encode(stream: TextIO, text: str) -> bool:
    """Return whether the stream's encoding holds all of `text`."""
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def printable(text: str, stream: TextIO) -> str:
    """Return `text` without control characters, and with escapes for what the stream cannot encode."""
    clean = "\n".join(escape_controls(line) for line in text.split("\n"))
    if can_encode(stream, clean):
        return clean
    return clean.encode("ascii", "backslashreplace").decode("ascii")


def as_typed(sentence: str) -> str:
    """Return the sentence with options as one types them.

    Examples
    --------
    >>> as_typed('pass kind="counts" or symmetrize=True')
    'pass --kind counts or --symmetrize'
    """
    sentence = _WORD_OPTION.sub(r"--\1 \3", sentence)
    return _FLAG.sub(lambda found: f"--{found[1].replace('_', '-')}", sentence)
