"""What ``gtpref solve`` asks and finds out, before anything is printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from ..certificate import Certificate
from ..data import Loaded
from ..errors import Interrupted, UnsupportedCombination
from ..games import Game, MatrixGame, MultiplayerGame, OperatorGame, PreferenceGame, is_symmetric
from ..majority import has_majorities
from ..problem import action_counts
from ..solution import Solution
from ..solving import solve
from ..trace import Snapshot
from .game_summary import describe, majority_of
from .reference_file import read_reference

SCHEMA = "gtpref.solve/1"
# A game of this size takes a third of a second in the interpreter; numba takes longer to import.
_INTERPRETED_SIZE = 60


class Question(NamedTuple):
    """What to solve for; the defaults are those of the command line."""

    temperature: float = 0.0
    reference: str = "uniform"
    method: str = "auto"
    tol: float | None = None
    exact: bool = False
    time_limit: float | None = None


class Report(NamedTuple):
    """Everything that one ``gtpref solve`` found out.

    Attributes
    ----------
    loaded : Loaded
        What was read.
    question : Question
        What was asked.
    solution : Solution
        The answer to the question asked.
    certificate : Certificate
        Its certificate, with a rational proof where one was asked for.
    verified : bool
        Whether the certificate, checked again from the data alone, holds.
    minimax : Solution or None
        The winner without regularisation, beside a regularised answer.
    """

    loaded: Loaded
    question: Question
    solution: Solution
    certificate: Certificate
    verified: bool
    minimax: Solution | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data under the schema of the command."""
        game = self.loaded.game
        return {
            "schema": SCHEMA,
            "data": describe(self.loaded),
            "majority": majority_of(game).to_dict() if has_majorities(game) else None,
            "solution": {**solution_to_dict(self.solution), "certificate": self.certificate.to_dict()},
            "minimax": None if self.minimax is None else solution_to_dict(self.minimax),
        }


def solution_to_dict(solution: Solution) -> dict[str, Any]:
    """Return the solution as plain data, with the votes but not the single judgements."""
    return _without_log(solution).to_dict()


def _without_log(solution: Solution) -> Solution:
    """Return the solution with the votes but not the single judgements, of which there may be millions."""
    game: Any = solution.problem.game
    if not isinstance(game, (PreferenceGame, OperatorGame)) or game.votes is None:
        return solution
    votes: Any = replace(game.votes, comparisons=None)
    counted = replace(game, votes=votes)
    return replace(solution, problem=replace(solution.problem, game=counted))


def is_small(game: Game) -> bool:
    """Return whether one solve in the interpreter ends before the compiler would be there."""
    return max(action_counts(game)) <= _INTERPRETED_SIZE


def answer(
    loaded: Loaded, question: Question, watch: Callable[[Snapshot], None] | None = None
) -> Report:
    """Return the answer to a question about a game; `watch` sees how far methods for large games are.

    Raises
    ------
    UnsupportedCombination
        A game that the command does not solve, or a question that it does not answer for this game.
    """
    game = loaded.game
    require_solvable(game, loaded.file, "solve")
    settings: dict[str, Any] = {}
    if question.tol is not None:
        settings["tol"] = question.tol
    if question.reference != "uniform":
        settings["reference"] = read_policy("--reference", question.reference, game)
    if question.time_limit is not None:
        settings["time_limit"] = question.time_limit
    if watch is not None:
        settings["callback"] = watch
    try:
        solution = solve(game, question.method, temperature=question.temperature, **settings)
    except Interrupted as stop:
        # What a large game had come to is worth showing.
        assert isinstance(stop.solution, Solution)
        solution = stop.solution
    regularized = question.temperature > 0.0 and isinstance(game, PreferenceGame)
    minimax = solve(game) if regularized else None
    certificate = solution.certificate(exact=question.exact)
    return Report(loaded, question, solution, certificate, certificate.verify(), minimax)


def require_solvable(game: Game, file: str, command: str) -> None:
    """Refuse the games that nothing here solves; `command` is what was asked for."""
    if isinstance(game, MultiplayerGame):
        raise UnsupportedCombination(
            f"{file}: a game of {game.n_players} players; {command} takes preference games and two-player games "
            "whose payoffs add up to a constant (gtpref data info shows what the file holds)"
        )
    if isinstance(game, MatrixGame) and game.constant_sum is None:
        raise UnsupportedCombination(
            f"{file}: the two players' payoffs do not add up to a constant; {command} takes preference games and "
            "two-player games where they do (gtpref data info shows what the file holds)"
        )


def read_policy(option: str, path: str, game: Game) -> Any:
    """Return the policy in the file that an option names."""
    if not isinstance(game, (PreferenceGame, OperatorGame)) or not is_symmetric(game):
        raise UnsupportedCombination(f"{option} is for preference games; leave it out for a game of two players")
    return read_reference(path, game)
