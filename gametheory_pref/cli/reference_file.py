"""A reference policy from a file: CSV lines ``name,probability``, or JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np

from .._types import FloatArray
from ..data.source import decode, read_bytes
from ..errors import InputError
from ..games import OperatorGame, PreferenceGame


def read_reference(path: str, game: PreferenceGame | OperatorGame) -> FloatArray:
    """Return the policy of a file in the order of the game's responses.

    Raises
    ------
    InputError
        Not such a file, or the responses it names are not exactly those of the game.
    """
    raw = read_bytes(path)
    text = decode(raw, "utf-8")
    given = _from_json(text, path) if text.lstrip().startswith(("{", "[")) else _from_csv(text, path)
    if isinstance(given, list):
        return np.array(given, dtype=np.float64)
    known = {str(name): i for i, name in enumerate(game.names)}
    for name in given:
        if name not in known:
            raise InputError(
                f"{name!r} is no response of the game; name each response as the game does", file=path
            )
    for name in known:
        if name not in given:
            raise InputError(f"has no probability for {name!r}; give 0 to exclude a response", file=path)
    policy = np.zeros(len(known))
    for name, probability in given.items():
        policy[known[name]] = probability
    return policy


def _from_json(text: str, path: str) -> dict[str, float] | list[float]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"is not JSON: {error.msg}", file=path, line=error.lineno) from None
    if isinstance(data, list):
        return [_number(value, path, None) for value in data]
    return {str(name): _number(value, path, None) for name, value in data.items()}


def _from_csv(text: str, path: str) -> dict[str, float]:
    policy: dict[str, float] = {}
    rows = csv.reader(io.StringIO(text, newline=""))
    for row in rows:
        if not row or (rows.line_num == 1 and row[:2] == ["name", "probability"]):
            continue
        if len(row) < 2:
            raise InputError(
                f"{row[0]!r} has no probability; write name,probability", file=path, line=rows.line_num
            )
        if row[0] in policy:
            raise InputError(f"{row[0]!r} comes twice", file=path, line=rows.line_num)
        policy[row[0]] = _number(row[1], path, rows.line_num)
    return policy


def _number(value: Any, path: str, line: int | None) -> float:
    try:
        if isinstance(value, bool):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"{value!r} is not a probability", file=path, line=line) from None
