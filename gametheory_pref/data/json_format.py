"""JSON: this package's own form of a game, plain objects with a matrix, lists of judgements, JSON lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._check import as_float_array, choice
from .._check import labels as check_labels
from .._types import FloatArray, Labels
from ..errors import InputError
from ..games import (
    Game,
    MatrixGame,
    MultiplayerGame,
    OperatorGame,
    PreferenceGame,
    from_margins,
    matrix_game,
    multiplayer_game,
)
from ..games.comparisons import MAX_COUNT, Coded, Columns, Comparisons, Encoder
from ..games.votes import Votes, game_from_votes
from .logs import LogLayout, PairCounts, PairLayout, find_layout, game_from_log, one_hot_outcome
from .matrices import game_from_table, table_of
from .operator_format import operator_game_from_dict, operator_game_to_dict
from .options import Loaded, Options

SCHEMA = "gtpref.game/1"

MATRIX_KEYS = {
    "preference": "prob",
    "P": "prob",
    "wins": "counts",
    "counts": "counts",
    "margins": "margin",
    "scores": "scores",
    "points": "auto",
    "payoff": "auto",
    "matrix": "auto",
    "S": "auto",
    "M": "auto",
    "A": "auto",
}
"""Names under which a matrix is looked for, and what its entries then are."""

_NEEDED = (
    "comparisons need 'model_a', 'model_b', 'winner' (or item_a, item_b; left, right), counted pairs "
    "'item_a', "
    "'item_b', 'wins_a', 'wins_b'"
)


def game_to_dict(game: Game) -> dict[str, Any]:
    """Return the game as plain lists and strings; `game_from_dict` gives it back bit for bit.

    Of an `OperatorGame` whose payoff is no sparse matrix, table or embedding, or is a large one, it is a summary, from
    which no game can be made.

    Examples
    --------
    >>> from gametheory_pref.games import from_margins
    >>> saved = game_to_dict(from_margins([[0, 0.5], [-0.5, 0]], names=["a", "b"]))
    >>> saved["schema"], saved["type"], saved["names"], saved["margins"]
    ('gtpref.game/1', 'preference', ['a', 'b'], [[0.0, 0.5], [-0.5, 0.0]])
    """
    if isinstance(game, PreferenceGame):
        head = {"schema": SCHEMA, "type": "preference", "names": list(game.names)}
        if game.votes is not None:
            return head | {"votes": _votes_to_dict(game.votes)}
        # Twice the payoff is exact in binary, the win probability (payoff + 1/2) is not.
        return head | {"margins": (2.0 * game.payoff + 0.0).tolist()}
    if isinstance(game, MatrixGame):
        return {
            "schema": SCHEMA,
            "type": "matrix",
            "row_names": list(game.row_names),
            "column_names": list(game.column_names),
            "row_payoff": game.row_payoff.tolist(),
            "column_payoff": game.column_payoff.tolist(),
        }
    if isinstance(game, OperatorGame):
        return operator_game_to_dict(game, SCHEMA)
    return {
        "schema": SCHEMA,
        "type": "multiplayer",
        "names": [list(names) for names in game.names],
        "payoffs": game.payoffs.tolist(),
    }


def _votes_to_dict(votes: Votes) -> dict[str, Any]:
    result: dict[str, Any] = {"kind": votes.kind, "notes": list(votes.notes)}
    log = votes.comparisons
    if log is None:
        first = None if votes.first_wins is None else votes.first_wins.tolist()
        return result | {"wins": votes.wins.tolist(), "ties": votes.ties.tolist(), "first_wins": first}
    dropped = bool(votes.ties.sum() == 0 and (log.outcome == 0).any())
    result |= {"ties": "drop" if dropped else "half", "positioned": log.positioned}
    for name in ("left", "right", "outcome", "weight", "judge", "prompt"):
        column = getattr(log, name)
        result[name] = None if column is None else column.tolist()
    return result | {"judges": list(log.judges), "prompts": list(log.prompts)}


def game_from_dict(data: Mapping[str, Any]) -> Game:
    """Return the game that `game_to_dict` wrote.

    Raises
    ------
    InputError
        Another schema, a missing key, or entries that make no game.
    """
    if data.get("schema") != SCHEMA:
        raise InputError(f"schema is {data.get('schema')!r}; this version reads {SCHEMA!r}")
    kind = choice(data.get("type"), ("preference", "matrix", "multiplayer", "operator"), name="type")
    if kind == "operator":
        return operator_game_from_dict(data)
    if kind == "matrix":
        return matrix_game(
            _numbers(data, "row_payoff", 2),
            _numbers(data, "column_payoff", 2),
            row_names=_names(data, "row_names"),
            column_names=_names(data, "column_names"),
        )
    if kind == "multiplayer":
        names = _get(data, "names")
        if not isinstance(names, list) or not all(isinstance(one, list) for one in names):
            raise InputError("names must be a list of lists, one per player")
        return multiplayer_game(_numbers(data, "payoffs", len(names) + 1), names=names)
    names = _names(data, "names")
    if "votes" in data:
        votes = data["votes"]
        if not isinstance(votes, dict):
            raise InputError(f"votes must be an object; it is {type(votes).__name__}")
        return _game_from_votes_dict(votes, names)
    return from_margins(_numbers(data, "margins", 2), names=names)


def _get(data: Mapping[str, Any], key: str) -> Any:
    if key not in data:
        raise InputError(f"the key {key!r} is missing; keys found: {', '.join(map(str, list(data)[:12]))}")
    return data[key]


def _names(data: Mapping[str, Any], key: str) -> Labels:
    found = _get(data, key)
    if isinstance(found, np.ndarray):
        found = found.tolist()
    if not isinstance(found, list):
        raise InputError(f"{key} must be a list of names; it is {type(found).__name__}")
    return check_labels(found, len(found), name=key)


def _numbers(data: Mapping[str, Any], key: str, ndim: int) -> FloatArray:
    found = _get(data, key)
    try:
        return as_float_array(found, name=key, ndim=ndim)
    except (OverflowError, RecursionError) as error:
        raise InputError(f"{key} holds something that is not a number within float64: {error}") from None


def _game_from_votes_dict(data: Mapping[str, Any], names: Labels) -> PreferenceGame:
    n = len(names)
    kind = choice(data.get("kind", "rate"), ("rate", "margin"), name="votes.kind")
    notes = data.get("notes", [])
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise InputError("votes.notes must be a list of sentences")
    if "outcome" in data:
        ties = choice(data.get("ties", "half"), ("half", "drop"), name="votes.ties")
        log = _log_from_dict(data, names)
        votes = log.votes(kind=kind, ties=ties)  # type: ignore[arg-type]
        votes = Votes(votes.wins, votes.ties, votes.kind, votes.first_wins, log, tuple(notes))
        return game_from_votes(votes, names)
    tables = []
    for key in ("wins", "ties", "first_wins"):
        if data.get(key) is None and key != "wins":
            tables.append(None if key == "first_wins" else np.zeros((n, n)))
            continue
        table = _numbers(data, key, 2).copy()
        bad = (table < 0) | (table > MAX_COUNT)
        if table.shape != (n, n) or bad.any() or np.diagonal(table).any():
            raise InputError(
                f"votes.{key} must be {n} by {n} for {n} names, from 0 to 2**53 and 0 on the diagonal; its shape "
                f"is {table.shape}"
            )
        tables.append(table)
    wins, ties_table, first = tables
    assert wins is not None and ties_table is not None
    if not np.array_equal(ties_table, ties_table.T):
        raise InputError("votes.ties must be symmetric: a tie belongs to the pair")
    return game_from_votes(Votes(wins, ties_table, kind, first, None, tuple(notes)), names)  # type: ignore[arg-type]


def _log_from_dict(data: Mapping[str, Any], names: Labels) -> Comparisons:
    """Return the raw log, with every index checked."""
    judges, prompts = _listing(data, "judges"), _listing(data, "prompts")
    weight = _numbers(data, "weight", 1) if data.get("weight") is not None else None
    if weight is not None and ((weight < 0) | (weight > MAX_COUNT)).any():
        raise InputError("votes.weight must be from 0 to 2**53")
    log = Comparisons(
        names,
        _codes(data, "left", 0, len(names)),
        _codes(data, "right", 0, len(names)),
        _codes(data, "outcome", -1, 2).astype(np.int8),
        weight,
        _codes(data, "judge", 0, len(judges)) if data.get("judge") is not None else None,
        judges,
        _codes(data, "prompt", 0, len(prompts)) if data.get("prompt") is not None else None,
        prompts,
        positioned=data.get("positioned") is not False,
    )
    columns = (log.left, log.right, log.outcome, log.weight, log.judge, log.prompt)
    if len({column.size for column in columns if column is not None}) > 1:
        raise InputError("the columns of votes differ in length; give one entry per judgement")
    if (log.left == log.right).any():
        raise InputError("votes.left and votes.right name the same response; drop such judgements")
    return log


def _codes(data: Mapping[str, Any], key: str, low: int, high: int) -> NDArray[np.int32]:
    values = _numbers(data, key, 1)
    if ((values < low) | (values >= high) | (values != np.floor(values))).any():
        raise InputError(f"votes.{key} must hold whole numbers from {low} to {high - 1}")
    return values.astype(np.int32)


def _listing(data: Mapping[str, Any], key: str) -> Labels:
    found = data.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, (str, int)) for item in found):
        raise InputError(f"votes.{key} must be a list of names")
    return tuple(found)


def read_json(text: str, options: Options) -> Loaded:
    """Return the game of a JSON document."""
    return _game_from_json(parse_json(text, line=None), options)


def parse_json(text: str, *, line: int | None) -> Any:
    """Return the parsed document; NaN, infinities and repeated keys are refused."""
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"this is not JSON: {error.msg} at column {error.colno}",
            line=error.lineno if line is None else line,
        ) from None
    except RecursionError:
        raise InputError("the document is nested too deeply", line=line) from None
    except InputError as error:
        raise InputError(error.reason, line=line) from None
    except ValueError as error:
        raise InputError(f"this is not JSON that can be read: {error}", line=line) from None


def _refuse_constant(name: str) -> Any:
    raise InputError(f"{name} is not a number; fill in or drop what is missing")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise InputError(f"the key {twice!r} occurs twice in one object")
    return result


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)


def _game_from_json(data: Any, options: Options) -> Loaded:
    if isinstance(data, list) and data and all(isinstance(row, dict) for row in data):
        return _game_from_records(((None, row) for row in data), options, format="JSON")
    if isinstance(data, list):
        return game_from_table(_table(data, None, "the list"), options, format="JSON")
    if not isinstance(data, dict):
        raise InputError(f"a game needs an object or a list; this document is {json.dumps(data)[:40]}")
    if data.get("schema") is not None:
        if options.kind != "auto":
            raise InputError(f'kind="{options.kind}" does not fit a saved game, which says what it is; leave kind out')
        game = game_from_dict(data)
        return Loaded(
            game,
            f"JSON, {SCHEMA}",
            () if isinstance(game, (MatrixGame, MultiplayerGame)) or game.votes is None else game.votes.notes,
        )
    return game_from_mapping(data, options, format="JSON")


def _table(matrix: Any, names: Labels | None, what: str) -> Any:
    try:
        return table_of(matrix, names, what=what)
    except (OverflowError, TypeError, RecursionError) as error:
        raise InputError(f"{what} holds something that is not a number within float64: {error}") from None


def game_from_mapping(data: Mapping[str, Any], options: Options, *, format: str) -> Loaded:
    """Return the game of an object or archive: a matrix under a known name, perhaps names and ties."""
    keys = [key for key in MATRIX_KEYS if key in data]
    if not keys:
        columns = find_layout([str(key) for key in data]) if data else None
        if columns is not None and all(isinstance(value, (list, np.ndarray)) for value in data.values()):
            return _game_from_columns(data, options, format)
        raise InputError(
            f"there is no matrix under any of the names {', '.join(MATRIX_KEYS)}; "
            f"found: {', '.join(str(key) for key in data) or 'nothing'}"
        )
    if len(keys) > 1:
        raise InputError(
            f"there are several matrices, {' and '.join(keys)}; keep one, so that it is clear which is meant"
        )
    key = keys[0]
    names = _names(data, "names") if data.get("names") is not None else None
    table = _table(data[key], names, key)
    if data.get("ties") is not None:
        return _counts_with_ties(table, _table(data["ties"], names, "ties"), key, options, format)
    kind = MATRIX_KEYS[key] if options.kind == "auto" else options.kind
    if key == "points" and kind == "auto":
        raise InputError('the matrix is called "points": pass kind="points" to play M - M.T, the lead of the row')
    return game_from_table(table, options.with_kind(kind), format=format)


def _counts_with_ties(table: Any, ties: Any, key: str, options: Options, format: str) -> Loaded:
    from ..games.votes import from_counts

    if MATRIX_KEYS[key] != "counts":
        raise InputError(f"there are ties beside {key!r}; ties belong to win counts, under the name 'wins'")
    for counted in (table, ties):
        if counted.values.max() > MAX_COUNT:
            raise InputError("there are counts beyond 2**53, which float64 cannot add; check the numbers")
    dropped = options.vote_ties() == "drop" and bool(ties.values.any())
    notes = (f"{np.triu(ties.values, 1).sum():g} ties were left out",) if dropped else ()
    game = from_counts(  # type: ignore[call-overload]
        table.values,
        ties=None if dropped else ties.values,
        names=table.row_names,
        kind=options.vote_kind(),
        missing=options.missing,
    )
    return Loaded(game, f"{format}, matrix of win counts", notes)


def _game_from_columns(data: Mapping[str, Any], options: Options, format: str) -> Loaded:
    columns = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in data.items()}
    lengths = {key: len(column) for key, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"the columns differ in length: {', '.join(f'{k} {v}' for k, v in lengths.items())}")
    rows = zip(*columns.values(), strict=True)
    return _game_from_records(((None, dict(zip(columns, row, strict=True))) for row in rows), options, format=format)


def read_jsonl(text: str, options: Options) -> Loaded:
    """Return the game of JSON lines, one judgement or counted pair per line."""

    def records() -> Iterator[tuple[int, Any]]:
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield number, parse_json(line, line=number)

    return _game_from_records(records(), options, format="JSON lines")


def _game_from_records(records: Iterable[tuple[int | None, Any]], options: Options, *, format: str) -> Loaded:
    iterator = iter(records)
    first = next(iterator, None)
    if first is None:
        raise InputError("the file is empty; there is nothing to read")
    line, record = first
    if not isinstance(record, dict):
        raise InputError(f"each line must be an object; this one is {type(record).__name__}", line=line)
    header = list(record)
    layout = find_layout(header)
    everything = chain([first], iterator)
    if layout is None:
        raise InputError(f"the keys are {', '.join(map(repr, header[:12]))}; {_NEEDED}", line=line)
    if isinstance(layout, PairLayout):
        return _pairs(everything, header, layout, options, format)
    return _log(everything, header, layout, options, format)


def _field(record: Any, key: str, line: int | None) -> Any:
    if not isinstance(record, dict):
        raise InputError(f"each record must be an object; this one is {type(record).__name__}", line=line)
    if key not in record:
        raise InputError(f"the record has no {key!r}, which the first record has", line=line)
    return record[key]


def _number(value: Any, key: str, line: int | None) -> float:
    try:
        if not isinstance(value, (int, float)):
            raise TypeError
        number = float(value)
    except (TypeError, OverflowError):
        raise InputError(f"{key!r} must be a number; it is {str(value)[:40]!r}", line=line) from None
    if not np.isfinite(number):
        raise InputError(f"{key!r} is {number}; it must be finite", line=line)
    return number


def _pairs(
    records: Iterable[tuple[int | None, Any]],
    header: Sequence[str],
    layout: PairLayout,
    options: Options,
    format: str,
) -> Loaded:
    pairs = PairCounts()
    for line, record in records:
        names = [_field(record, header[k], line) for k in (layout.left, layout.right)]
        numbers = [
            _number(_field(record, header[k], line), header[k], line) if k >= 0 else 0.0
            for k in (layout.wins_left, layout.wins_right, layout.ties)
        ]
        try:
            pairs.add(str(names[0]), str(names[1]), *numbers)
        except InputError as error:
            raise InputError(error.reason, line=line) from None
    return pairs.game(options, format=f"{format}, counted pairs")


def _log(
    records: Iterable[tuple[int | None, Any]],
    header: Sequence[str],
    layout: LogLayout,
    options: Options,
    format: str,
) -> Loaded:
    at = {
        name: header[k]
        for name, k in (
            ("left", layout.left),
            ("right", layout.right),
            ("winner", layout.winner),
            ("judge", layout.judge),
            ("prompt", layout.prompt),
        )
        if k >= 0
    }
    encoders = {name: Encoder() for name in at}
    codes: dict[str, list[int]] = {name: [] for name in at}
    weights: list[float] = []
    flags: list[list[float]] = []
    lines: list[int | None] = []
    for line, record in records:
        lines.append(line)
        for name, key in at.items():
            value = _field(record, key, line)
            if isinstance(value, (list, dict)):
                raise InputError(f"{key!r} must be text or a whole number; it is {type(value).__name__}", line=line)
            codes[name].append(encoders[name][value])
        if layout.weight >= 0:
            key = header[layout.weight]
            weights.append(_number(_field(record, key, line), key, line))
        if layout.winner_columns:
            keys = [header[k] for k in layout.winner_columns]
            flags.append([_number(_field(record, key, line), key, line) for key in keys])

    def fail(row: int, reason: str) -> InputError:
        return InputError(reason if lines[row] is not None else f"record {row + 1}: {reason}", line=lines[row])

    coded = {name: Coded(np.array(codes[name], np.int32), tuple(encoders[name])) for name in at}
    if layout.winner_first:
        winner: Any = np.ones(len(lines), np.int8)
    else:
        winner = one_hot_outcome(np.array(flags), fail) if flags else coded["winner"]
    columns = Columns(
        coded["left"],
        coded["right"],
        winner,
        np.array(weights) if layout.weight >= 0 else None,
        coded.get("judge"),
        coded.get("prompt"),
        positioned=not layout.winner_first,
    )
    return game_from_log(columns, options, fail, format=f"{format}, battle log")
