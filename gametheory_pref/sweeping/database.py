"""Results of sweeps in an SQLite file: written by one process, safe against being killed, resumed by key.

The journal is SQLite's rollback journal, not a write-ahead log: a write-ahead log needs shared memory, which network
and parallel file systems do not give, and one writer that commits in batches gains nothing from it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import platform
import sqlite3
import time
import warnings
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import numpy as np

from .._types import FloatArray
from ..data.json_format import game_from_dict, game_to_dict
from ..errors import InputError
from ..methods import Rule
from ..problem import Policy, Problem
from ..rule_data import rule_from_dict
from ..verbs import Exact, Sampled
from .cells import Cell, CellOutcome, CellResult, NamedProblem
from .grid import Grid, Skipped
from .identity import policy_hash, policy_of

SCHEMA = "gtpref.sweep/1"

_TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE games (hash TEXT PRIMARY KEY, game TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE policies (hash TEXT PRIMARY KEY, policy BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE cells (
    key TEXT NOT NULL, method TEXT NOT NULL, game TEXT NOT NULL, temperature REAL NOT NULL, seed INTEGER NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (key, method, game)
);
CREATE TABLE skipped (
    method TEXT NOT NULL, game TEXT NOT NULL, temperature REAL NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (method, game, temperature, reason)
);
CREATE TABLE outcomes (
    key TEXT PRIMARY KEY, status TEXT NOT NULL, message TEXT NOT NULL, traceback TEXT NOT NULL, gap REAL,
    seconds REAL NOT NULL, finished TEXT NOT NULL, versions TEXT NOT NULL,
    policy BLOB, trajectory BLOB, iterates BLOB
);
"""
# Between two commits lie at most this many cells and seconds: what a power cut or kill -9 can cost.
_MOST_UNCOMMITTED = 200
_SECONDS_UNCOMMITTED = 0.5
_PATIENCE = 30.0


class Database:
    """The file of a sweep, open for one writer.

    Parameters
    ----------
    file : path
        Created when it is not there.

    Raises
    ------
    InputError
        The file is something else, or cannot be opened.
    """

    def __init__(self, file: str | os.PathLike[str]) -> None:
        self._file = os.fspath(file)
        self._versions = json.dumps(_versions())
        self._waiting: list[tuple[Any, ...]] = []
        self._committed = time.monotonic()
        with _said(self._file):
            self._connection = sqlite3.connect(self._file, timeout=_PATIENCE, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode=DELETE")
        with self._transaction():
            if not self._connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                for statement in _TABLES.split(";\n"):
                    if statement.strip():
                        self._connection.execute(statement)
                self._connection.execute("INSERT INTO about VALUES ('schema', ?)", (SCHEMA,))
        _check_schema(self._connection, self._file)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def plan(self, grid: Grid) -> None:
        """Write down what is to be run, so that the file can tell what is missing."""
        games, policies = {}, {}
        for cell in grid.cells:
            problem = cell.named.problem
            games[cell.named.game_hash] = problem.game
            policies[policy_hash(problem.reference)] = problem.reference
        known = {row[0] for row in self._connection.execute("SELECT hash FROM games")}
        with _said(self._file), self._transaction():
            self._connection.executemany(
                "INSERT OR IGNORE INTO games VALUES (?, ?)",
                ((name, json.dumps(game_to_dict(game))) for name, game in games.items() if name not in known),
            )
            self._connection.executemany(
                "INSERT OR IGNORE INTO policies VALUES (?, ?)",
                ((name, _bytes(_joined(policy))) for name, policy in policies.items() if policy is not None),
            )
            # Replaced rows move to the end: the latest meaning of a label is the one that counts.
            places = ", ".join("?" * 6)
            self._connection.executemany(f"INSERT OR REPLACE INTO cells VALUES ({places})", map(_row, grid.cells))
            self._connection.executemany("INSERT OR IGNORE INTO skipped VALUES (?, ?, ?, ?)", grid.skipped)

    def found(self, keys: Iterable[str]) -> dict[str, CellOutcome]:
        """Return the outcomes that the file already holds."""
        with _said(self._file):
            held = {key for (key,) in self._connection.execute("SELECT key FROM outcomes")}
            wanted = [(key,) for key in set(keys) & held]
            return dict(pair for key in wanted for pair in _outcomes(self._connection, "WHERE key = ?", key))

    def store(self, key: str, outcome: CellOutcome) -> None:
        """Keep an outcome; commits now and then, and at `flush`."""
        gap = None if outcome.trajectory is None else float(outcome.trajectory[-1, 3])
        self._waiting.append(
            (
                key,
                outcome.status,
                outcome.message,
                outcome.traceback,
                gap,
                outcome.seconds,
                datetime.now(UTC).isoformat(timespec="seconds"),
                self._versions,
                *(None if array is None else _bytes(array) for array in outcome[4:]),
            )
        )
        overdue = time.monotonic() - self._committed > _SECONDS_UNCOMMITTED
        if overdue or len(self._waiting) >= _MOST_UNCOMMITTED:
            self.flush()

    def flush(self) -> None:
        """Commit what was stored."""
        if self._waiting:
            with _said(self._file), self._transaction():
                marks = ", ".join("?" * len(self._waiting[0]))
                self._connection.executemany(f"INSERT OR REPLACE INTO outcomes VALUES ({marks})", self._waiting)
            self._waiting.clear()
        self._committed = time.monotonic()

    def close(self) -> None:
        """Commit and close."""
        try:
            self.flush()
        finally:
            self._connection.close()


def read_database(file: str | os.PathLike[str]) -> tuple[tuple[CellResult, ...], tuple[Skipped, ...], int]:
    """Return the results in a file, the combinations left out, and how many cells have not been run.

    Results of rules that are not in `METHODS` are left out with a warning: code that a file names is not imported.

    Raises
    ------
    InputError
        No such file, or another kind of file.
    """
    path = os.fspath(file)
    if not os.path.isfile(path):
        raise InputError("no such database; gtpref sweep and gp.compare(database=...) write one", file=path)
    with _said(path), contextlib.closing(sqlite3.connect(path, timeout=_PATIENCE)) as connection:
        _check_schema(connection, path)
        try:
            return _contents(connection, path)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"the database is damaged: {type(error).__name__}: {error}", file=path) from error


def _contents(connection: sqlite3.Connection, path: str) -> tuple[tuple[CellResult, ...], tuple[Skipped, ...], int]:
    outcomes = dict(_outcomes(connection))
    skipped = [Skipped(*row) for row in connection.execute("SELECT * FROM skipped ORDER BY rowid")]
    rows = connection.execute("SELECT key, method, game, definition FROM cells ORDER BY rowid").fetchall()
    planned = _labelled([(key, method, name, json.loads(text)) for key, method, name, text in rows])
    cells, finished, unknown, n_pending = _Cells(connection), [], set(), 0
    for key, method, name, plan in planned:
        rule = rule_from_dict(plan["rule"])
        if key not in outcomes:
            n_pending += 1
        elif rule is None:
            unknown.add(plan["rule"]["class"] or plan["rule"]["name"])
        else:
            finished.append(CellResult(cells.cell(method, rule, name, plan), outcomes[key]))
    if unknown:
        names = ", ".join(sorted(unknown))
        warnings.warn(
            f"{path}: the results of {names} are left out: no rule of gp.METHODS has that name and settings",
            stacklevel=4,
        )
    return tuple(finished), tuple(skipped), n_pending


_Planned = tuple[str, str, str, dict[str, Any]]
_SWEPT = ("max_steps", "tol", "starts", "oracle")


def _labelled(rows: list[_Planned]) -> list[_Planned]:
    """Return what was planned, the sweeps of different settings in one file told apart by the labels of methods.

    A file or label whose meaning changed between two sweeps stands for its latest meaning.
    """
    latest: dict[str, _Planned] = {}
    for row in rows:
        _, method, name, plan = row
        place = json.dumps([method, name, plan["temperature"], plan["seed"], *(plan[field] for field in _SWEPT)])
        latest[place] = row
    kept = list(latest.values())
    varied = [field for field in _SWEPT if len({json.dumps(plan[field]) for *_, plan in kept}) > 1]
    return [
        (key, ", ".join([method, *(_setting(field, plan[field]) for field in varied)]), name, plan)
        for key, method, name, plan in kept
    ]


def _setting(field: str, value: Any) -> str:
    if field != "oracle":
        return f"{field}={value}"
    return "exact" if value is None else f"{value[0]} opponents, {'labels' if value[1] else 'probabilities'}"


def stored_keys(file: str | os.PathLike[str]) -> set[str]:
    """Return the keys of the cells that a file holds the outcome of; none where there is no file."""
    path = os.fspath(file)
    if not os.path.exists(path):
        return set()
    with _said(path), contextlib.closing(sqlite3.connect(path, timeout=_PATIENCE)) as connection:
        _check_schema(connection, path)
        return {key for key, in connection.execute("SELECT key FROM outcomes")}


class _Cells:
    """Builds cells from their definitions; cells of one problem share it, and so its equilibrium."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._games = {
            name: game_from_dict(json.loads(text)) for name, text in connection.execute("SELECT * FROM games")
        }
        self._policies = {name: _array(blob) for name, blob in connection.execute("SELECT * FROM policies")}
        self._problems: dict[tuple[Any, ...], NamedProblem] = {}

    def cell(self, method: str, rule: Rule, name: str, definition: dict[str, Any]) -> Cell:
        oracle = Exact() if definition["oracle"] is None else Sampled(*definition["oracle"])
        return Cell(
            method=method,
            rule=rule,
            named=self._named(name, definition),
            seed=definition["seed"],
            starts=definition["starts"],
            max_steps=definition["max_steps"],
            tol=definition["tol"],
            oracle=oracle,
        )

    def _named(self, name: str, definition: dict[str, Any]) -> NamedProblem:
        what = (name, definition["game"], definition["temperature"], definition["reference"])
        if what not in self._problems:
            game = self._games[definition["game"]]
            anchor = definition["reference"]
            reference = None if anchor is None else policy_of(game, self._policies[anchor])
            self._problems[what] = NamedProblem(name, Problem(game, definition["temperature"], reference))
        return self._problems[what]


def _row(cell: Cell) -> tuple[Any, ...]:
    named = cell.named
    definition = json.dumps(cell.definition, sort_keys=True)
    return cell.key, cell.method, named.name, named.problem.temperature, cell.seed, definition


def _outcomes(
    connection: sqlite3.Connection, where: str = "", values: tuple[str, ...] = ()
) -> Iterator[tuple[str, CellOutcome]]:
    columns = "key, status, message, traceback, seconds, policy, trajectory, iterates"
    rows = connection.execute(f"SELECT {columns} FROM outcomes {where}", values)
    for key, *words, policy, trajectory, iterates in rows:
        arrays = [None if blob is None else _array(blob) for blob in (policy, trajectory, iterates)]
        yield key, CellOutcome(*words, *arrays)


def _check_schema(connection: sqlite3.Connection, file: str) -> None:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    row = connection.execute("SELECT value FROM about WHERE name = 'schema'").fetchone() if "about" in tables else None
    if row is None or row[0] != SCHEMA:
        stated = "some other database" if row is None else f"a database of schema {row[0]}"
        raise InputError(f"this is {stated}, not one of schema {SCHEMA}; name another file", file=file)


@contextlib.contextmanager
def _said(file: str) -> Iterator[None]:
    """Turn what SQLite says into a sentence with the file's name."""
    try:
        yield
    except sqlite3.Error as error:
        raise InputError(f"cannot be used as a database: {error}", file=file) from error


def _bytes(array: FloatArray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _array(blob: bytes) -> FloatArray:
    return np.asarray(np.load(io.BytesIO(blob), allow_pickle=False), dtype=np.float64)


def _joined(policy: Policy) -> FloatArray:
    return np.concatenate(policy) if isinstance(policy, tuple) else policy


def _versions() -> dict[str, str]:
    from .. import __version__

    libraries = {name: metadata.version(name) for name in ("numpy", "scipy", "numba", "joblib")}
    return {"gametheory_pref": __version__, "python": platform.python_version()} | libraries
