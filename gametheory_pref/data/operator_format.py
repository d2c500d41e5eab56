"""JSON of games known by their products: what a sparse payoff or embeddings hold, if it is moderate; else a summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._check import as_float_array, choice
from .._types import Label
from ..errors import InputError
from ..games import OperatorGame, from_embeddings, operator_game
from ..games.pair_votes import PairVotes
from ..games.sparse_games import game_from_pairs
from ..operators import Dense, Embeddings, LowRankSkew, PayoffOperator, Sparse

MOST_NUMBERS = 2_000_000
"""Numbers of a payoff that are written; more are summarised."""

_PAIR_COLUMNS = ("low", "high", "wins_low", "wins_high", "ties")


def operator_game_to_dict(game: OperatorGame, schema: str) -> dict[str, Any]:
    """Return the game as plain data; where the payoff cannot be written, ``payoff`` says what it is and why not."""
    written = _votes_to_dict(game.votes) if game.votes is not None else _payoff_to_dict(game.payoff)
    return {
        "schema": schema,
        "type": "operator",
        "shape": list(game.payoff.shape),
        "symmetric": game.is_symmetric,
        "row_names": _names_to_list(game.row_names),
        "column_names": None if game.is_symmetric else _names_to_list(game.column_names),
        "payoff": written,
    }


def is_summary(data: Mapping[str, Any]) -> bool:
    """Return whether the payoff itself was left out."""
    return bool(data["payoff"]["form"] == "summary")


def _names_to_list(names: Sequence[Label]) -> list[Label] | None:
    return None if isinstance(names, range) else list(names)


def _votes_to_dict(votes: PairVotes) -> dict[str, Any]:
    if 5 * votes.low.size > MOST_NUMBERS:
        return _summary(f"{votes.n_comparisons:.10g} comparisons of {votes.low.size} pairs", "it is large")
    columns = {name: getattr(votes, name).tolist() for name in _PAIR_COLUMNS}
    about = {"kind": votes.kind, "first_share": votes.first_share, "notes": list(votes.notes)}
    return {"form": "pairs", **about, **columns}


def _payoff_to_dict(payoff: PayoffOperator) -> dict[str, Any]:
    if isinstance(payoff, Sparse) and 3 * payoff.matrix.nnz <= MOST_NUMBERS:
        rows, columns = payoff.matrix.nonzero()
        values = payoff.matrix.data.tolist()
        return {"form": "sparse", "rows": rows.tolist(), "columns": columns.tolist(), "values": values}
    if isinstance(payoff, (LowRankSkew, Embeddings)) and payoff.vectors.size <= MOST_NUMBERS:
        link = "logistic" if isinstance(payoff, Embeddings) else "linear"
        vectors, skew = payoff.vectors.tolist(), payoff.skew.tolist()
        return {"form": "embeddings", "link": link, "vectors": vectors, "skew": skew}
    if isinstance(payoff, Dense) and payoff.matrix.size <= MOST_NUMBERS:
        return {"form": "dense", "matrix": payoff.matrix.tolist()}
    writable = isinstance(payoff, (Sparse, LowRankSkew, Embeddings, Dense))
    return _summary(payoff.describe(), "it is large" if writable else "it is known by its products only")


def _summary(what: str, reason: str) -> dict[str, Any]:
    return {"form": "summary", "what": what, "note": f"the payoff is not written, because {reason}"}


def operator_game_from_dict(data: Mapping[str, Any]) -> OperatorGame:
    """Return the game that `operator_game_to_dict` wrote.

    Raises
    ------
    InputError
        A summary, or entries that make no such game.
    """
    written = data.get("payoff")
    if not isinstance(written, Mapping):
        raise InputError(f"payoff must be an object; it is {type(written).__name__}")
    form = choice(written.get("form"), ("pairs", "sparse", "embeddings", "dense", "summary"), name="payoff.form")
    if form == "summary":
        raise InputError(
            f"this only says what the game was ({written.get('what')}); {written.get('note')}. Make the game again "
            "from what it was made of"
        )
    names = data.get("row_names")
    if form == "pairs":
        return _game_of_pairs(written, names, _size(data))
    if form == "embeddings":
        link: Any = written.get("link")
        return from_embeddings(_column(written, "vectors", 2), _column(written, "skew", 2), link=link, names=names)
    payoff = _column(written, "matrix", 2) if form == "dense" else _sparse(written, _shape(data))
    if data.get("symmetric") is True:
        return operator_game(payoff, names=names)
    return operator_game(payoff, two_player=True, row_names=names, column_names=data.get("column_names"))


def _shape(data: Mapping[str, Any]) -> tuple[int, int]:
    shape = data.get("shape")
    if not isinstance(shape, list) or len(shape) != 2 or not all(type(size) is int and size > 0 for size in shape):
        raise InputError(f"shape must be two whole numbers of at least 1; got {shape!r}")
    return shape[0], shape[1]


def _size(data: Mapping[str, Any]) -> int:
    rows, columns = _shape(data)
    if rows != columns:
        raise InputError(f"shape must be square for counted pairs; got {[rows, columns]}")
    return rows


def _column(data: Mapping[str, Any], key: str, ndim: int = 1) -> Any:
    return as_float_array(data.get(key), name=f"payoff.{key}", ndim=ndim)


def _positions(data: Mapping[str, Any], key: str, count: int) -> Any:
    values = _column(data, key)
    if ((values < 0) | (values >= count) | (values != np.floor(values))).any():
        raise InputError(f"payoff.{key} must hold whole numbers from 0 to {count - 1}")
    return values.astype(np.int32)


def _require_one_length(columns: Sequence[Any]) -> None:
    if len({column.size for column in columns}) > 1:
        raise InputError("the columns of payoff differ in length; give one entry per pair")


def _sparse(data: Mapping[str, Any], shape: tuple[int, int]) -> Any:
    from scipy.sparse import coo_array

    places = _positions(data, "rows", shape[0]), _positions(data, "columns", shape[1])
    values = _column(data, "values")
    _require_one_length((*places, values))
    return coo_array((values, places), shape=shape)


def _game_of_pairs(data: Mapping[str, Any], names: Any, n: int) -> OperatorGame:
    from .._check import labels_or_range

    low, high = _positions(data, "low", n), _positions(data, "high", n)
    counts = [_column(data, name) for name in _PAIR_COLUMNS[2:]]
    _require_one_length((low, high, *counts))
    key = low.astype(np.int64) * n + high
    if (low >= high).any() or (np.diff(key) <= 0).any() or any((column < 0).any() for column in counts):
        raise InputError("payoff must list pairs in order, low before high, each once, with counts of at least 0")
    kind: Any = choice(data.get("kind"), ("rate", "margin"), name="payoff.kind")
    share, notes = data.get("first_share"), data.get("notes", [])
    if not isinstance(notes, list) or not (share is None or isinstance(share, float)):
        raise InputError("payoff.notes must be a list, and payoff.first_share a number or null")
    votes = PairVotes(n, low, high, counts[0], counts[1], counts[2], kind, share, None, tuple(map(str, notes)))
    return game_from_pairs(votes, labels_or_range(names, n), missing="half")
