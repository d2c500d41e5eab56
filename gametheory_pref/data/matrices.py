"""A numeric matrix with names becomes a game, once it is clear what its entries are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._check import input_rounding
from .._types import BoolArray, FloatArray, Labels
from ..errors import InputError
from ..games import PreferenceGame, from_margins, from_scores, matrix_game, preference_game
from ..games.comparisons import MAX_COUNT, Comparisons
from ..games.votes import Kind, Votes, game_from_votes
from .options import Loaded, Options

LARGEST = 1e150
"""Largest entry that is read; its square is still a number."""


class Table(NamedTuple):
    """A numeric matrix as found, before it is clear what it means."""

    values: FloatArray
    """Shape (m, n); 0 where blank."""
    blank: BoolArray
    """Cells that were empty."""
    row_names: Labels
    column_names: Labels
    lines: tuple[int, ...] = ()
    """Line of each row in the file, when it has lines."""
    rounding: float = 0.0
    """By how much complementary entries miss their sum of 1 when they were stored in single precision."""

    def name(self, i: int, j: int) -> str:
        """Return the cell as a user would point at it."""
        return f"[{self.row_names[i]}, {self.column_names[j]}]"

    def line(self, i: int) -> int | None:
        """Return the line of row `i`."""
        return self.lines[i] if self.lines else None


def table_of(matrix: Any, names: Labels | None = None, *, what: str = "the matrix") -> Table:
    """Return a two-dimensional array or nested list as a table with names."""
    try:
        array = np.asarray(matrix)
    except ValueError:
        raise InputError(f"{what} is ragged; give every row the same length") from None
    if array.size == 0:
        raise InputError(f"{what} is empty")
    if array.dtype == object and array.ndim == 2:
        array = _as_numbers(array, what)
    if array.ndim != 2 or array.dtype.kind not in "iuf":
        raise InputError(
            f"{what} must be rows of numbers, all of one length; as found it has shape {array.shape} and "
            f"type {array.dtype}"
        )
    values: FloatArray = array.astype(np.float64)
    if not np.isfinite(values).all():
        i, j = np.argwhere(~np.isfinite(values))[0]
        raise InputError(f"{what} has entry ({i}, {j}) = {values[i, j]}; fill in or drop what is missing")
    m, n = values.shape
    if names is not None and len(names) not in (m, n):
        raise InputError(f"there are {len(names)} names for {what} of shape {(m, n)}; give one name per response")
    rows = tuple(range(m)) if names is None or len(names) != m else names
    columns = tuple(range(n)) if names is None or len(names) != n else names
    return Table(values, np.zeros(values.shape, bool), rows, columns, rounding=input_rounding(array))


def _as_numbers(array: NDArray[np.object_], what: str) -> FloatArray:
    """Return nested lists that numpy could not type: null, text among numbers, or huge whole numbers."""
    values = np.empty(array.shape)
    for (i, j), value in np.ndenumerate(array):
        try:
            if isinstance(value, (bool, str)):
                raise TypeError
            values[i, j] = float(value)
        except (TypeError, ValueError, OverflowError):
            raise InputError(f"{what} has entry ({i}, {j}) = {str(value)[:40]}, not a number within float64") from None
    return values


def game_from_table(table: Table, options: Options, *, format: str) -> Loaded:
    """Return the game of a matrix: what ``options.kind`` says, or the only thing that its entries can be."""
    options.require_comparisons("a matrix")
    _require_moderate(table)
    if options.kind == "scores-by-task":
        return _by_task(table, options, format)
    if options.kind in ("payoff", "scores", "points"):
        options.require_no_choice_for_probabilities(f"a matrix of {options.kind}")
    if options.kind == "payoff":
        _require_filled(table, diagonal=True)
        game = matrix_game(table.values, row_names=table.row_names, column_names=table.column_names)
        return Loaded(game, f"{format}, payoff matrix of a zero-sum game")
    _require_square(table)
    kind = _guess(table) if options.kind == "auto" else options.kind
    if kind == "margin":
        options.require_no_choice_for_probabilities("a matrix of margins")
    if kind == "prob":
        return _probabilities(table, options, format)
    if kind in ("counts", "rate"):
        return _counts(table, options, "rate", format)
    if kind == "margin":
        if _are_counts(table) and not _is_skew(table):
            return _counts(table, options, "margin", format)
        return _margins(table, format)
    if kind == "scores":
        _require_filled(table, diagonal=False)
        return Loaded(from_scores(table.values, names=table.row_names), f"{format}, matrix of log-odds")
    return _points(table, format)


def _require_moderate(table: Table) -> None:
    """Refuse entries whose sums and products would leave float64."""
    if float(np.abs(table.values).max()) > LARGEST:
        i, j = np.argwhere(np.abs(table.values) > LARGEST)[0]
        raise InputError(
            f"entry {table.name(i, j)} is {table.values[i, j]:g}; divide all entries by a constant, so that none "
            f"exceeds {LARGEST:g}",
            line=table.line(i),
        )


def _require_square(table: Table) -> None:
    m, n = table.values.shape
    if m != n:
        raise InputError(
            f"the matrix has {m} rows and {n} columns, so it is not a table of responses against each other. "
            'kind="scores-by-task" reads rows as tasks and columns as responses (higher scores win); '
            'kind="payoff" reads a zero-sum game, payoff to the row'
        )
    if n < 2:
        raise InputError(f"there is only one response, {table.row_names[0]!r}; a game needs at least two")
    if table.row_names != table.column_names:
        k = next(k for k in range(n) if table.row_names[k] != table.column_names[k])
        raise InputError(
            f"row {k + 1} is called {table.row_names[k]!r} and column {k + 1} {table.column_names[k]!r}; "
            'name rows and columns alike, or use kind="payoff" for a game of two different players',
            line=table.line(k),
        )


def _require_filled(table: Table, *, diagonal: bool) -> None:
    """Refuse blank cells; those of the diagonal only if `diagonal`."""
    blank = table.blank.copy()
    if not diagonal:
        np.fill_diagonal(blank, False)
    if blank.any():
        i, j = np.argwhere(blank)[0]
        raise InputError(
            f"cell {table.name(i, j)} is blank; fill it in (0 for counts never made, 0.5 for an even chance)",
            line=table.line(i),
        )


def _is_whole(values: FloatArray) -> bool:
    return bool((values == np.floor(values)).all())


def _are_counts(table: Table) -> bool:
    values = table.values
    return bool((values >= 0).all()) and _is_whole(values) and not np.diagonal(values).any()


def _is_skew(table: Table) -> bool:
    scale = max(1.0, float(np.abs(table.values).max()))
    return bool((np.abs(table.values + table.values.T) <= 1e-9 * scale).all())


_MEANINGS = (
    'Say what the entries are: kind="margin" (skew, divided by the largest entry), kind="scores" (skew '
    "log-odds), "
    'kind="points" (points to the row; the game is M - M.T), kind="payoff" (a zero-sum game of two players)'
)


def _guess(table: Table) -> str:
    """Return the only kind the entries can be, or refuse with the choices."""
    values = table.values
    if (values < 0).any():
        if not _is_skew(table):
            i, j = np.unravel_index(int(np.argmax(np.abs(values + values.T))), values.shape)
            raise InputError(
                f"there are negative entries, but the matrix is not skew: M{table.name(int(i), int(j))} = "
                f"{values[i, j]:g} and M{table.name(int(j), int(i))} = {values[j, i]:g}. {_MEANINGS}"
            )
        if float(np.abs(values).max()) > 1.0:
            raise InputError(
                f"the matrix is skew with entries up to {float(np.abs(values).max()):g}, which may be "
                f"margins, "
                f"payoffs or log-odds. {_MEANINGS}"
            )
        return "margin"
    if _are_counts(table):
        return "counts"
    if (values <= 1.0).all():
        return "prob"
    odd = (values > 1.0) | (values != np.floor(values))
    if _is_whole(values):
        odd = np.diag(np.diagonal(values) != 0)
    i, j = np.argwhere(odd)[0]
    raise InputError(
        f"the matrix is neither win rates in [0, 1], nor whole win counts with an empty diagonal, nor skew "
        f"margins: "
        f"entry {table.name(int(i), int(j))} is {values[i, j]:g}. {_MEANINGS}"
    )


def _probabilities(table: Table, options: Options, format: str) -> Loaded:
    _require_filled(table, diagonal=False)
    values = table.values.copy()
    diagonal = np.diag_indices_from(values)
    values[diagonal] = np.where(table.blank[diagonal], 0.5, values[diagonal])
    notes: tuple[str, ...] = ()
    outside = (values < 0) | (values > 1)
    if outside.any():
        i, j = np.argwhere(outside)[0]
        raise InputError(f"P{table.name(i, j)} = {values[i, j]:g} is not a probability", line=table.line(i))
    total = values + values.T
    atol = max(options.atol, table.rounding)
    if options.ties == "half-missing":
        values, note = _add_missing_ties(table, values, total, atol)
        notes = (note,)
    elif options.ties == "drop":
        values, note = _renormalise(table, values, total)
        notes = (note,)
    elif not options.symmetrize:
        _require_complementary(table, values, total, atol)
    game = preference_game(values, names=table.row_names, atol=atol, symmetrize=options.symmetrize)
    return Loaded(game, f"{format}, matrix of win probabilities", notes)


def _near_one(total: float) -> str:
    """Show a sum with three decimals, or with as many as tell it from 1."""
    return f"{total:.3f}" if abs(total - 1.0) >= 5e-4 else f"{total:.12g}"


def _require_complementary(table: Table, values: FloatArray, total: FloatArray, atol: float) -> None:
    off = np.abs(total - 1.0)
    if (off <= atol).all():
        return
    i, j = (int(k) for k in np.unravel_index(int(np.argmax(off)), off.shape))
    if i == j:
        raise InputError(
            f"P{table.name(i, i)} = {values[i, i]:g}; against itself a response wins with probability 0.5, "
            "so write 0.5 or leave the diagonal blank",
            line=table.line(i),
        )
    a, b = table.row_names[i], table.row_names[j]
    raise InputError(
        f"P[{a},{b}] + P[{b},{a}] = {_near_one(total[i, j])}, not 1. If ties were left out of the win counts, pass "
        'ties="half-missing" to share them or ties="drop" to ignore them; to average the two (numbers that were '
        "rounded, judges that favour a position), pass symmetrize=True",
        line=table.line(i),
    )


def _add_missing_ties(table: Table, values: FloatArray, total: FloatArray, atol: float) -> tuple[FloatArray, str]:
    missing = 1.0 - total
    np.fill_diagonal(missing, 0.0)
    if (missing < -atol).any():
        i, j = np.argwhere(missing < -atol)[0]
        raise InputError(
            f"P{table.name(i, j)} + P{table.name(j, i)} = {total[i, j]:.3f} is more than 1, so no ties are "
            f"missing; "
            "pass symmetrize=True to average the two",
            line=table.line(i),
        )
    largest = float(missing.max())
    return values + missing / 2.0, f"what P + P.T lacked to 1 (up to {largest:.3f}) was shared as ties"


def _renormalise(table: Table, values: FloatArray, total: FloatArray) -> tuple[FloatArray, str]:
    if (total == 0).any():
        i, j = np.argwhere(total == 0)[0]
        raise InputError(
            f"P{table.name(i, j)} and P{table.name(j, i)} are both 0, so without ties nothing is left of "
            f"the pair; "
            'pass ties="half-missing"',
            line=table.line(i),
        )
    return values / total, "each pair was divided by P + P.T, which leaves ties out"


def _counts(table: Table, options: Options, kind: Kind, format: str) -> Loaded:
    _require_filled(table, diagonal=False)
    bad = (table.values < 0) | (table.values != np.floor(table.values)) | (table.values > MAX_COUNT)
    if bad.any():
        i, j = np.argwhere(bad)[0]
        count = table.values[i, j]
        what = "negative" if count < 0 else "fractional" if count <= MAX_COUNT else "beyond 2**53"
        raise InputError(
            f"wins{table.name(i, j)} = {table.values[i, j]:g} is {what}; counts are whole numbers of at "
            f"least 0. "
            "Put ties into a table of pairs (item_a, item_b, wins_a, wins_b, ties)",
            line=table.line(i),
        )
    itself = np.flatnonzero(np.diagonal(table.values))
    if itself.size:
        i = int(itself[0])
        raise InputError(
            f"wins{table.name(i, i)} = {table.values[i, i]:g}; a response is not compared with itself, "
            'so leave the diagonal blank or 0 (points over self-play: kind="points")',
            line=table.line(i),
        )
    options.vote_ties()
    if options.symmetrize:
        options.require_no_choice_for_probabilities("a matrix of win counts")
    votes = Votes(table.values.copy(), np.zeros_like(table.values), kind)
    game = game_from_votes(votes, table.row_names, missing=options.missing)
    return Loaded(game, f"{format}, matrix of win counts")


def _margins(table: Table, format: str) -> Loaded:
    _require_filled(table, diagonal=False)
    values = table.values
    if not _is_skew(table):
        i, j = (int(k) for k in np.unravel_index(int(np.argmax(np.abs(values + values.T))), values.shape))
        raise InputError(
            f"margins must be skew: M{table.name(i, j)} = {values[i, j]:g} and M{table.name(j, i)} = "
            f"{values[j, i]:g} "
            'do not cancel. For points to the row, whose game is M - M.T, pass kind="points"',
            line=table.line(i),
        )
    largest = float(np.abs(values).max())
    if largest <= 1.0:
        return Loaded(from_margins(values, names=table.row_names), f"{format}, matrix of margins")
    return Loaded(_scaled(values, table), f"{format}, matrix of margins", (_scale_note(largest),))


def _points(table: Table, format: str) -> Loaded:
    _require_filled(table, diagonal=False)
    difference = table.values - table.values.T
    game = _scaled(difference, table)
    note = f"the game is M - M.T; {_scale_note(float(np.abs(difference).max()))}"
    return Loaded(game, f"{format}, matrix of points to the row", (note,))


def _scaled(difference: FloatArray, table: Table) -> PreferenceGame:
    largest = float(np.abs(difference).max())
    return from_margins(difference / largest if largest > 0 else difference, names=table.row_names)


def _scale_note(largest: float) -> str:
    return (
        f"margins were divided by the largest, {largest:g}; this sets the unit of gaps and temperatures and "
        "leaves the winner as it is"
    )


def _by_task(table: Table, options: Options, format: str) -> Loaded:
    """Let every row vote: a response beats another on a task when its score is higher."""
    tasks, n = table.values.shape
    if n < 2:
        raise InputError(f"there is only one response, {table.column_names[0]!r}; a game needs at least two")
    _require_filled(table, diagonal=True)
    left, right = np.triu_indices(n, 1)
    outcome = np.sign(table.values[:, left] - table.values[:, right]).astype(np.int8).ravel()
    log = Comparisons(
        table.column_names,
        np.tile(left.astype(np.int32), tasks),
        np.tile(right.astype(np.int32), tasks),
        outcome,
        prompt=np.repeat(np.arange(tasks, dtype=np.int32), left.size),
        prompts=table.row_names,
        positioned=False,
    )
    note = f"each of {tasks} rows is one vote on every pair, for the higher score"
    votes = log.votes(kind="rate", ties=options.vote_ties(), notes=(note,))
    game = game_from_votes(votes, log.names, missing=options.missing)
    return Loaded(game, f"{format}, scores by task", (note,))
