"""The TOML file of a sweep; every complaint names the file and the key."""

from __future__ import annotations

import pathlib
import tomllib
from collections.abc import Callable
from typing import Any

from ..data import load as load_source
from ..errors import GameTheoryPrefError, InputError
from ..games import Game
from ..methods import as_rule
from ..sweeping.grid import Grid, build_grid, label_of
from ..verbs import Exact, Sampled, Schedule
from .parser import UsageError
from .reading import named_game

_KEYS = ("methods", "games", "temperatures", "seeds", "references", "starts", "max_steps", "tol", "oracle")


def read_grid(file: str) -> Grid:
    """Return the grid that a TOML file describes.

    Raises
    ------
    InputError
        No such file, no TOML, or a key that cannot be used.
    """
    config = _parse(file)
    unknown = [key for key in config if key not in _KEYS]
    if unknown:
        raise InputError(f"unknown key {unknown[0]!r}; there are {', '.join(_KEYS)}", file=file)
    for key in ("methods", "games"):
        if key not in config:
            raise InputError(f"{key} is missing; give a list of {key}", file=file)
    readers: dict[str, Callable[[Any], Any]] = {
        "methods": _methods,
        "games": lambda entries: _games(entries, pathlib.Path(file).parent),
        "seeds": _seeds,
        "oracle": _oracle,
    }
    settings = {key: _read(file, key, readers.get(key, _same), value) for key, value in config.items()}
    try:
        return build_grid(settings.pop("games"), settings.pop("methods"), **settings)
    except GameTheoryPrefError as error:
        raise InputError(str(error), file=file) from error


def _parse(file: str) -> dict[str, Any]:
    try:
        with open(file, "rb") as source:
            return tomllib.load(source)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not TOML: {error}", file=file) from error


def _read(file: str, key: str, reader: Callable[[Any], Any], value: Any) -> Any:
    try:
        return reader(value)
    except (GameTheoryPrefError, UsageError, OSError) as error:
        raise InputError(f"{key}: {error}", file=file) from error


def _same(value: Any) -> Any:
    return value


def _methods(entries: Any) -> dict[str, Any]:
    rules: dict[str, Any] = {}
    for entry in _list(entries):
        label, rule = _method(entry)
        if label in rules:
            raise InputError(f"{label!r} is there twice; give one of them another label")
        rules[label] = rule
    return rules


def _method(entry: Any) -> tuple[str, Any]:
    if isinstance(entry, str):
        return entry, as_rule(entry)
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise InputError(f"an entry must be a name, or a table with the key name; got {entry!r}")
    settings = {key: value for key, value in entry.items() if key not in ("name", "label")}
    default = as_rule(entry["name"])
    unknown = [key for key in settings if key not in default._fields]
    if unknown:
        raise InputError(
            f"{entry['name']} has no setting {unknown[0]!r}; it has {', '.join(default._fields) or 'none'}"
        )
    rule = default._replace(**{key: _setting(key, value) for key, value in settings.items()})
    label = entry.get("label", label_of(rule) if settings else entry["name"])
    if not isinstance(label, str):
        raise InputError(f"label must be text; got {label!r}")
    return label, rule


def _setting(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        try:
            return Schedule(**value)
        except TypeError:
            raise InputError(f"{key} must be a number, a name or scale, offset and power; got {value!r}") from None
    return tuple(value) if isinstance(value, list) else value


def _games(entries: Any, folder: pathlib.Path) -> dict[str, Game]:
    games: dict[str, Game] = {}
    for entry in _list(entries):
        if not isinstance(entry, str):
            raise InputError(f"an entry must be a file, zoo:NAME or dataset:NAME; got {entry!r}")
        if entry in games:
            raise InputError(f"{entry!r} is there twice")
        # Files lie relative to the configuration, wherever the command is run.
        games[entry] = named_game(entry) if entry.startswith(("zoo:", "dataset:")) else load_source(folder / entry).game
    return games


def _list(entries: Any) -> list[Any]:
    if not isinstance(entries, list) or not entries:
        raise InputError(f"it must be a list with at least one entry; got {entries!r}")
    return entries


def _seeds(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 1:
            raise InputError(f"the number of seeds must be at least 1; got {value}")
        return range(value)
    return value


def _oracle(value: Any) -> Exact | Sampled:
    if value == "exact":
        return Exact()
    try:
        return Sampled(**value)
    except TypeError:
        raise InputError(f"it must be \"exact\", or a table with opponents and labels; got {value!r}") from None
