"""Preference games from raw judgements: who was shown, who won, who judged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .._check import choice
from .._check import labels as check_labels
from .._types import BoolArray, FloatArray, Label, Labels, LabelsLike
from ..errors import InputError
from .coded import CodeArray, encode
from .coded import Coded as Coded
from .coded import Encoder as Encoder
from .operator import OperatorGame
from .pair_votes import PairVotes, count_pairs
from .preference import PreferenceGame
from .sparse_games import DENSE_LIMIT, game_from_pairs
from .votes import MAX_COUNT as MAX_COUNT
from .votes import Kind, Votes, game_from_votes

Ties = Literal["half", "drop"]

LEFT_WON, TIE, RIGHT_WON = 1, 0, -1
WINNER_WORDS: dict[str, int] = {
    "model_a": LEFT_WON,
    "model_b": RIGHT_WON,
    "item_a": LEFT_WON,
    "item_b": RIGHT_WON,
    "left": LEFT_WON,
    "right": RIGHT_WON,
    "tie": TIE,
    "tie (bothbad)": TIE,
    "both_bad": TIE,
}
"""Words for the outcome of a comparison, in lower case; the label of a response is understood too."""

TABLES = ("auto", "dense", "sparse")


@dataclass(frozen=True, eq=False)
class Comparisons:
    """A log of pairwise judgements, one entry per judgement, labels stored once.

    Attributes
    ----------
    names : tuple
        What the responses are called; `left` and `right` index it.
    left, right : ndarray of int32, shape (m,)
        The two responses compared.
    outcome : ndarray of int8, shape (m,)
        1 when `left` won, -1 when `right` won, 0 for a tie.
    weight : ndarray of float64, shape (m,), or None
        Weight of each judgement; None means 1 each.
    judge : ndarray of int32, shape (m,), or None
        Index into `judges`.
    judges : tuple
        What the judges are called.
    prompt : ndarray of int32, shape (m,), or None
        Index into `prompts`.
    prompts : tuple
        What the prompts are called.
    positioned : bool
        Whether `left` is the response that was shown first.
    """

    names: Labels
    left: CodeArray
    right: CodeArray
    outcome: NDArray[np.int8]
    weight: FloatArray | None = None
    judge: CodeArray | None = None
    judges: Labels = ()
    prompt: CodeArray | None = None
    prompts: Labels = ()
    positioned: bool = True

    def __len__(self) -> int:
        return self.left.size

    def table(self, outcome: int) -> FloatArray:
        """Return the weight of the judgements with `outcome` in each (left, right) cell, shape (n, n)."""
        n = len(self.names)
        chosen = self.outcome == outcome
        cell = self.left[chosen].astype(np.int64) * n + self.right[chosen]
        weight = None if self.weight is None else self.weight[chosen]
        return np.bincount(cell, weight, n * n).astype(np.float64).reshape(n, n)

    def votes(self, *, kind: Kind = "rate", ties: Ties = "half", notes: tuple[str, ...] = ()) -> Votes:
        """Return the tables of wins and ties; with ``ties="drop"`` tied judgements do not count at all."""
        first = self.table(LEFT_WON)
        drawn = self.table(TIE)
        drawn = drawn + drawn.T
        if ties == "drop" and drawn.any():
            notes = (*notes, f"{np.triu(drawn).sum():g} ties were left out")
            drawn = np.zeros_like(drawn)
        return Votes(
            first + self.table(RIGHT_WON).T,
            drawn,
            kind,
            first_wins=first if self.positioned else None,
            comparisons=self,
            notes=notes,
        )

    def pair_votes(self, *, kind: Kind = "rate", ties: Ties = "half", notes: tuple[str, ...] = ()) -> PairVotes:
        """Return the same counts as `votes` by pair, without a table."""
        about: dict[str, Any] = {"kind": kind, "comparisons": self}
        columns = self.left, self.right, self.outcome, self.weight
        if ties == "drop":
            decided = self.outcome != TIE
            tied = float(np.count_nonzero(~decided) if self.weight is None else self.weight[~decided].sum())
            if tied:
                notes = (*notes, f"{tied:g} ties were left out")
                columns = (
                    self.left[decided],
                    self.right[decided],
                    self.outcome[decided],
                    None if self.weight is None else self.weight[decided],
                )
        return count_pairs(len(self.names), *columns, positioned=self.positioned, notes=notes, **about)


def is_dense(table: str, n_responses: int) -> bool:
    """Return whether comparisons of so many responses become a table."""
    choice(table, TABLES, name="table")
    return table == "dense" or (table == "auto" and n_responses <= DENSE_LIMIT)


def game_of_log(
    log: Comparisons, *, kind: Kind, ties: Ties, missing: str, table: str, notes: tuple[str, ...]
) -> PreferenceGame | OperatorGame:
    """Return the game of a checked log, as a table or sparse."""
    if is_dense(table, len(log.names)):
        return game_from_votes(log.votes(kind=kind, ties=ties, notes=notes), log.names, missing=missing)
    return game_from_pairs(log.pair_votes(kind=kind, ties=ties, notes=notes), log.names, missing=missing)


def from_comparisons(
    left: Any,
    right: Any,
    winner: Any,
    *,
    weight: Any = None,
    judge: Any = None,
    prompt: Any = None,
    names: LabelsLike = None,
    kind: Kind = "rate",
    missing: Literal["half", "error"] = "half",
    ties: Ties = "half",
    table: Literal["auto", "dense", "sparse"] = "auto",
) -> PreferenceGame | OperatorGame:
    """Return the game of a log of pairwise judgements.

    Parameters
    ----------
    left, right : array_like of str or int, shape (m,)
        The two responses of each judgement, `left` being the one shown first. Arrays, lists or data-frame
        columns.
    winner : array_like of str or int, shape (m,)
        ``model_a``, ``item_a`` or ``left`` when `left` won; ``model_b``, ``item_b`` or ``right`` when `right`
        won; ``tie``, ``tie (bothbad)`` or ``both_bad``; or the label of the response that won. Case of these
        words does not matter.
    weight : array_like of float, shape (m,), optional
        Weight of each judgement, at least 0; 1 each when left out.
    judge, prompt : array_like of str or int, shape (m,), optional
        Who judged and on which prompt; kept for resampling and reports.
    names : sequence of str or int, optional
        The responses in the order wanted; may name some that never occur. Default: order of first appearance.
    kind : {"rate", "margin"}
        See `from_counts`.
    missing : {"half", "error"}
        See `from_counts`.
    ties : {"half", "drop"}
        A tie is half a win for both, or does not count as a comparison.
    table : {"auto", "dense", "sparse"}
        "auto" makes tables up to 10,000 responses, and above a sparse game that stores no more than the pairs
        that were compared.

    Returns
    -------
    PreferenceGame or OperatorGame
        A table, or a sparse game, with ``votes.comparisons`` holding the log. The ``votes`` are `Votes`, whose
        ``first_wins`` are the wins of responses shown first, or `PairVotes`.

    Raises
    ------
    InputError
        Columns of different lengths, an unknown winner, a response against itself, a negative weight; the
        message names the row, counted from 0.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.from_comparisons(["tea", "milk", "tea"], ["milk", "tea", "milk"], ["left", "tie", "left"])
    >>> game.names, game.votes.wins.tolist(), game.votes.ties.tolist()
    (('tea', 'milk'), [[0.0, 2.0], [0.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]])
    >>> float(game.preference[0, 1].round(4)), game.votes.first_share
    (0.8333, 1.0)
    """
    choice(kind, ("rate", "margin"), name="kind")
    choice(ties, ("half", "drop"), name="ties")
    choice(table, TABLES, name="table")
    columns = Columns(
        left=encode(left, name="left"),
        right=encode(right, name="right"),
        winner=encode(winner, name="winner"),
        weight=None if weight is None else _weight_column(weight),
        judge=None if judge is None else encode(judge, name="judge"),
        prompt=None if prompt is None else encode(prompt, name="prompt"),
    )
    log, notes = comparisons_from_columns(columns, names=names, skip_bad=False, fail=_fail_at_row)
    return game_of_log(log, kind=kind, ties=ties, missing=missing, table=table, notes=notes)


class Columns(NamedTuple):
    """The columns of a log before they are checked."""

    left: Coded
    right: Coded
    winner: Coded | NDArray[np.int8]
    weight: FloatArray | None = None
    judge: Coded | None = None
    prompt: Coded | None = None
    positioned: bool = True

    def select(self, rows: NDArray[np.intp]) -> Columns:
        """Return the same columns with only some rows."""
        return Columns(
            self.left.select(rows),
            self.right.select(rows),
            self.winner.select(rows) if isinstance(self.winner, Coded) else self.winner[rows],
            None if self.weight is None else self.weight[rows],
            None if self.judge is None else self.judge.select(rows),
            None if self.prompt is None else self.prompt.select(rows),
            self.positioned,
        )


class Fail(Protocol):
    """Make the error that says what is wrong with one row of a log."""

    def __call__(self, row: int, reason: str) -> InputError:
        """Return the error for `row`, counted from 0."""


def _weight_column(values: Any) -> FloatArray:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"weight must hold numbers: {error}") from error
    if array.ndim != 1:
        raise InputError(f"weight must be one column; its shape is {array.shape}")
    return array


def _fail_at_row(row: int, reason: str) -> InputError:
    return InputError(f"row {row}: {reason}")


def comparisons_from_columns(
    columns: Columns, *, names: LabelsLike, skip_bad: bool, fail: Fail
) -> tuple[Comparisons, tuple[str, ...]]:
    """Check the columns of a log; return it with sentences on what was dropped.

    Rows that cannot be understood (unknown winner, a response against itself, a bad weight, a missing label)
    are refused with the first of them named by `fail`, or dropped and counted with `skip_bad`.
    """
    _require_same_length(columns)
    if columns.left.codes.size == 0:
        raise InputError("there are no comparisons, only column names or nothing at all; check the source")
    labels, left, right = _common_labels(columns.left, columns.right, fail)
    if names is not None:
        labels, left, right = _reorder(labels, left, right, names, fail)
    outcome = _outcomes(columns.winner, labels, left, right)
    bad = _bad_rows(outcome, left, right, columns.weight)
    notes: tuple[str, ...] = ()
    if bad.any():
        if not skip_bad:
            raise _explain_bad_row(columns, labels, left, right, outcome, bad, fail)
        notes = (f"{np.count_nonzero(bad)} of {bad.size} rows were not understood and left out",)
    if len(labels) < 2:
        raise InputError(f"there is only one response, {labels[0]!r}; a game needs at least two")
    keep = ~bad if bad.any() else slice(None)

    def kept(column: Coded | None) -> CodeArray | None:
        return None if column is None else column.codes[keep]

    log = Comparisons(
        labels,
        left[keep],
        right[keep],
        outcome[keep],
        None if columns.weight is None else columns.weight[keep],
        kept(columns.judge),
        () if columns.judge is None else columns.judge.labels(),
        kept(columns.prompt),
        () if columns.prompt is None else columns.prompt.labels(),
        columns.positioned,
    )
    return log, notes


def _require_same_length(columns: Columns) -> None:
    lengths: dict[str, int] = {}
    for name, column in zip(Columns._fields[:-1], columns[:-1], strict=True):
        if column is not None:
            lengths[name] = column.codes.size if isinstance(column, Coded) else column.size
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InputError(f"the columns differ in length ({said}); give one entry per comparison")


def _clean_label(value: Any) -> Label | None:
    """Return `value` as a label, or None when it is not one."""
    if isinstance(value, str):
        return value.strip() or None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _common_labels(left: Coded, right: Coded, fail: Fail) -> tuple[Labels, CodeArray, CodeArray]:
    """Return the responses in order of first appearance, and both columns as indices into them."""
    encoder = Encoder()
    recoded: list[CodeArray] = []
    for column in (left, right):
        translation = np.empty(len(column.values), np.int32)
        for code, value in enumerate(column.values):
            label = _clean_label(value)
            if label is None:
                row = int(np.argmax(column.codes == code))
                raise fail(row, f"{value!r} is not the name of a response; names are text or whole numbers")
            translation[code] = encoder[label]
        recoded.append(translation[column.codes])
    refuse_texts(recoded[0], recoded[1], len(encoder))
    first = _first_appearance(recoded[0], recoded[1], len(encoder))
    order = np.argsort(first)
    rank = np.empty_like(order, dtype=np.int32)
    rank[order] = np.arange(order.size)
    found = list(encoder)
    return tuple(found[k] for k in order), rank[recoded[0]], rank[recoded[1]]


def _first_appearance(left: CodeArray, right: CodeArray, n_responses: int) -> NDArray[np.int64]:
    """Return where each response occurs first, counting left before right in every row; every one occurs."""
    rows = 8 * n_responses
    while True:
        first = np.full(n_responses, -1, np.int64)
        both = np.stack([left[:rows], right[:rows]], axis=1).ravel()
        # Assignment from the last row to the first leaves the first appearance.
        first[both[::-1]] = np.arange(both.size - 1, -1, -1)
        if rows >= left.size or first.min() >= 0:
            return first
        rows *= 4


def refuse_texts(left: NDArray[Any], right: NDArray[Any], n_responses: int) -> None:
    """Refuse columns of very many values of which most occur once: then texts stand where names should."""
    if n_responses <= DENSE_LIMIT:
        return
    times = np.bincount(left, minlength=n_responses) + np.bincount(right, minlength=n_responses)
    once = int(np.count_nonzero(times == 1))
    if 2 * once > n_responses:
        raise InputError(
            f"{once} of the {n_responses} different responses occur in a single comparison; "
            "the columns may be the wrong ones (texts instead of names?)"
        )


def _reorder(
    labels: Labels, left: CodeArray, right: CodeArray, names: LabelsLike, fail: Fail
) -> tuple[Labels, CodeArray, CodeArray]:
    """Return `names` as the responses, and both columns as indices into them."""
    wanted = check_labels(names, 0 if names is None else len(names))
    index = {label: k for k, label in enumerate(wanted)}
    for code, label in enumerate(labels):
        if label not in index:
            row = int(np.argmax((left == code) | (right == code)))
            raise fail(row, f"response {label!r} is not among the names given: {_listing(wanted)}")
    translation = np.array([index[label] for label in labels], np.int32)
    return wanted, translation[left], translation[right]


_UNKNOWN, _OTHER, _BY_LABEL = 9, 8, 7


def _outcomes(winner: Coded | NDArray[np.int8], labels: Labels, left: CodeArray, right: CodeArray) -> NDArray[np.int8]:
    """Return the outcome of each row: 1, 0, -1, or a mark for a row that is not understood."""
    if not isinstance(winner, Coded):
        return winner
    index = {label: k for k, label in enumerate(labels)}
    meaning = np.full(len(winner.values), _UNKNOWN, np.int8)
    response = np.full(len(winner.values), -1, np.int32)
    for code, value in enumerate(winner.values):
        label = _clean_label(value)
        word = WINNER_WORDS.get(label.lower()) if isinstance(label, str) else None
        if word is not None and label in index:
            raise InputError(
                f"winner {label!r} can be read in two ways: it is the name of a response and also a word "
                f"for an "
                "outcome; rename the response"
            )
        if word is not None:
            meaning[code] = word
        elif label in index:
            meaning[code], response[code] = _BY_LABEL, index[label]
    outcome = meaning[winner.codes]
    if (meaning == _BY_LABEL).any():
        won = response[winner.codes]
        by_label = outcome == _BY_LABEL
        outcome[by_label] = _OTHER
        outcome[by_label & (won == left)] = LEFT_WON
        outcome[by_label & (won == right)] = RIGHT_WON
    return outcome


def _bad_rows(outcome: NDArray[np.int8], left: CodeArray, right: CodeArray, weight: FloatArray | None) -> BoolArray:
    bad: BoolArray = (np.abs(outcome) > 1) | (left == right)
    if weight is not None:
        bad |= ~_are_weights(weight)
    return bad


def _are_weights(weight: FloatArray) -> BoolArray:
    result: BoolArray = np.isfinite(weight) & (weight >= 0) & (weight <= MAX_COUNT)
    return result


def _explain_bad_row(
    columns: Columns,
    labels: Labels,
    left: CodeArray,
    right: CodeArray,
    outcome: NDArray[np.int8],
    bad: BoolArray,
    fail: Fail,
) -> InputError:
    row = int(np.argmax(bad))
    pair = f"{labels[left[row]]!r} and {labels[right[row]]!r}"
    if left[row] == right[row]:
        what = f"{labels[left[row]]!r} is compared with itself"
    elif columns.weight is not None and not _are_weights(columns.weight[row]):
        what = f"weight {columns.weight[row]:g} is not a finite number of at least 0 (and at most 2**53)"
    else:
        said = columns.winner.values[columns.winner.codes[row]] if isinstance(columns.winner, Coded) else None
        if said is None or said == "":
            what = "no winner is given"
        elif outcome[row] == _OTHER:
            what = f"winner {said!r} is neither of the two responses, {pair}"
        else:
            known = dict.fromkeys([*WINNER_WORDS, *(str(label) for label in labels)])
            what = f"{said!r}. Known winners: {_listing(tuple(known))}"
    count = np.count_nonzero(bad)
    return fail(
        row,
        f"{count} {'row' if count == 1 else 'rows'} not understood; first: {what}. "
        "Mend such rows; when a file is read, skip_bad=True leaves them out",
    )


def _listing(labels: Iterable[Label], limit: int = 16) -> str:
    shown = [str(label) if str(label).isprintable() else repr(label) for label in labels]
    return ", ".join(shown[:limit]) + (f" and {len(shown) - limit} more" if len(shown) > limit else "")
