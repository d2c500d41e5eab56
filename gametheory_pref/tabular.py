"""From a problem as users state it to the flat arrays that update rules work on, and back."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ._types import FloatArray, IntArray
from .errors import InputError, UnsupportedCombination
from .games import Game, MatrixGame, OperatorGame, PreferenceGame, is_symmetric
from .operators import PayoffOperator, Stacked
from .problem import Policy, Problem, action_counts
from .verbs import Arena, Exact, Point, Sampled, TabularProblem

# Rows of scratch that one step may use; a step that needs more gets more, at the price of doing it again.
_ARENA_ROWS = 48


class Tabular(NamedTuple):
    """A problem on flat arrays, and which of the game's responses they hold.

    Attributes
    ----------
    problem : TabularProblem
        What a step sees.
    kept : ndarray of int
        Positions, among the responses of all players one after the other, that the reference leaves in the game.
    counts : tuple of int
        Number of responses of each player in the game.
    """

    problem: TabularProblem
    kept: IntArray
    counts: tuple[int, ...]

    def policy(self, prob: FloatArray) -> Policy:
        """Return the policy of the game with these probabilities of the responses kept."""
        whole = np.zeros(sum(self.counts))
        whole[self.kept] = prob
        if len(self.counts) == 1:
            return whole
        return tuple(np.split(whole, np.cumsum(self.counts)[:-1]))


def tabular(
    problem: Problem, start: Policy | None, oracle: Exact | Sampled, *, anywhere: bool = False
) -> Tabular:
    """Return the problem on flat arrays that start at `start`, by default the reference.

    The start may leave out responses if the rule can start `anywhere`.

    Raises
    ------
    InputError
        The start gives no mass to a response: multiplicative steps would never give it any.
    UnsupportedCombination
        Update rules know no such game, or no such oracle for it.
    """
    payoff = _skew_payoff(problem.game)
    counts = action_counts(problem.game)
    if isinstance(oracle, Sampled) and not isinstance(problem.game, PreferenceGame):
        raise UnsupportedCombination("sampled opponents and labels are for preference games; leave oracle out")
    log_reference = np.concatenate(problem.log_reference())
    # A response without reference mass is out of the game at a positive temperature; at 0 the reference is only the
    # place where the rule starts.
    kept = np.flatnonzero(np.isfinite(log_reference)) if problem.temperature > 0.0 else np.arange(payoff.shape[0])
    log_start = log_reference if start is None else _log_start(problem, start)
    if not anywhere:
        _refuse_boundary(problem, log_start, kept, "reference" if start is None else "start")
    if len(kept) < payoff.shape[0]:
        if isinstance(payoff, PayoffOperator):
            raise UnsupportedCombination(
                "a reference without mass on some responses leaves them out, which a game known by its products "
                "cannot do; leave them out of the game"
            )
        payoff = np.ascontiguousarray(payoff[np.ix_(kept, kept)])
    first_of_player = np.cumsum((0, *counts))
    blocks = np.searchsorted(kept, first_of_player)
    reference = log_reference if problem.temperature > 0.0 else log_start
    return Tabular(
        TabularProblem(
            payoff,
            blocks,
            _point(reference[kept]),
            _point(log_start[kept]),
            float(problem.temperature),
            oracle,
            new_arena(len(kept), _ARENA_ROWS if isinstance(payoff, np.ndarray) else 0),
        ),
        kept,
        counts,
    )


def new_arena(n: int, rows: int) -> Arena:
    """Return scratch of a number of rows."""
    return Arena(np.zeros((rows, n)), np.zeros(2, dtype=np.int64))


def _point(log: FloatArray) -> Point:
    return Point(np.array(log), np.exp(log))


def _skew_payoff(game: Game) -> FloatArray | PayoffOperator:
    """Return the payoffs of all players' responses against all players' responses."""
    if isinstance(game, OperatorGame):
        return game.payoff if game.is_symmetric else Stacked(game.payoff)
    if isinstance(game, PreferenceGame):
        return np.array(game.payoff)
    if isinstance(game, MatrixGame) and game.constant_sum is not None:
        n, m = game.row_payoff.shape
        payoff = np.zeros((n + m, n + m))
        payoff[:n, n:] = game.row_payoff
        payoff[n:, :n] = -game.row_payoff.T
        return payoff
    raise UnsupportedCombination(
        "update rules play preference games and two-player games whose payoffs add up to a constant"
    )


def _log_start(problem: Problem, start: Policy) -> FloatArray:
    parts = start if isinstance(start, tuple) else (start,)
    with np.errstate(divide="ignore"):
        return np.log(np.concatenate(parts))


def _refuse_boundary(problem: Problem, log_start: FloatArray, kept: IntArray, name: str) -> None:
    empty = kept[~np.isfinite(log_start[kept])]
    if empty.size:
        names: Any = problem.game.names
        labels = names if is_symmetric(problem.game) else [label for part in names for label in part]
        raise InputError(
            f"{name} gives no mass to {labels[empty[0]]!r}, and multiplicative steps would never give it any; "
            f"mix in some, as in 0.99 * {name} + 0.01 / n"
        )
