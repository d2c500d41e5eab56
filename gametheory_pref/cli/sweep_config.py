"""The TOML file of a sweep; every complaint names the file and the key."""

from __future__ import annotations

import pathlib
import tomllib
from collections.abc import Callable
from dataclasses import fields
from typing import Any, NamedTuple

from ..data import Loaded, Options
from ..data import load as load_source
from ..errors import GameTheoryPrefError, InputError
from ..methods import as_rule
from ..sweeping.grid import Grid, build_grid, label_of
from ..verbs import Exact, Sampled, Schedule
from .game_summary import remarks
from .parser import UsageError
from .reading import named_source

_READING = (*(choice.name for choice in fields(Options)), "format", "encoding")
_KEYS = ("methods", "games", "temperatures", "seeds", "references", "starts", "max_steps", "tol", "oracle")


class Plan(NamedTuple):
    """The grid that a TOML file describes, and what the readers of its games decided: a sentence each."""

    grid: Grid
    remarks: tuple[str, ...]


def read_plan(file: str) -> Plan:
    """Return what a TOML file describes.

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
    sources: dict[str, Loaded] = settings.pop("games")
    games = {name: source.game for name, source in sources.items()}
    try:
        grid = build_grid(games, settings.pop("methods"), **settings)
    except GameTheoryPrefError as error:
        raise InputError(str(error), file=file) from error
    said = [f"{name}: {remark}" for name, source in sources.items() for remark in remarks(source)]
    return Plan(grid, tuple(text.replace(": note: ", ": ", 1) for text in said))


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


def _games(entries: Any, folder: pathlib.Path) -> dict[str, Loaded]:
    games: dict[str, Loaded] = {}
    for entry in _list(entries):
        file, label, reading = _game(entry)
        if label in games:
            raise InputError(f"{label!r} is there twice; give one of them another label")
        try:
            games[label] = _load(file, reading, folder)
        except TypeError as error:
            raise InputError(f"{label}: {error}") from error
    return games


def _game(entry: Any) -> tuple[str, str, dict[str, Any]]:
    """Return the file, the label, and how to read the file."""
    if isinstance(entry, str):
        return entry, entry, {}
    if not isinstance(entry, dict) or not isinstance(entry.get("file"), str):
        raise InputError(
            f"an entry must be a file, zoo:NAME, dataset:NAME, or a table with the key file; got {entry!r}"
        )
    reading = {key: value for key, value in entry.items() if key not in ("file", "label")}
    unknown = [key for key in reading if key not in _READING]
    if unknown:
        raise InputError(f"{entry['file']}: unknown key {unknown[0]!r}; there are label, {', '.join(_READING)}")
    label = entry.get("label", entry["file"])
    if not isinstance(label, str):
        raise InputError(f"label must be text; got {label!r}")
    return entry["file"], label, reading


def _load(file: str, reading: dict[str, Any], folder: pathlib.Path) -> Loaded:
    source = named_source(file)
    if isinstance(source, Loaded):
        if reading:
            raise InputError(f"{file} is read from no file; leave out {', '.join(reading)}")
        return source
    how = {key: value for key, value in reading.items() if key in ("format", "encoding")}
    options = Options(**{key: value for key, value in reading.items() if key not in how})
    # Files lie relative to the configuration, wherever the command is run.
    return load_source(folder / source, options, **how)


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
