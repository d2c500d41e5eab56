"""The sentences and the order of rows that pictures and tables share."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._types import BoolArray, FloatArray, IntArray, Labels
from ..certificate import Certificate
from ..errors import UnsupportedCombination
from ..games import MatrixGame, OperatorGame, PreferenceGame, in_win_probabilities, is_symmetric
from ..majority import smith_indices, smith_layers
from ..problem import as_game
from ..solution import Solution
from .style import one_line

# Probabilities up to this size are rounding of zero, as in `Solution.support`.
NEGLIGIBLE = 1e-9
_TIE = 1e-12


def only_preference_game(game: Any, what: str) -> PreferenceGame:
    """Return the game, or raise `UnsupportedCombination`."""
    checked = as_game(game)
    if not isinstance(checked, PreferenceGame):
        raise UnsupportedCombination(f"{what} draws preference games; this is a {type(checked).__name__}")
    return checked


def display_order(game: PreferenceGame) -> IntArray:
    """Return the rows from top to bottom: Smith layers, and inside a layer by mean win rate."""
    mean = game.payoff.mean(axis=1)
    return np.concatenate([layer[np.argsort(-mean[layer], kind="stable")] for layer in smith_layers(game)])


def never_compared(game: PreferenceGame) -> BoolArray:
    """Return which pairs have no comparison, shape (n, n); the diagonal is False."""
    n = game.n_responses
    missing: BoolArray = np.zeros((n, n), dtype=bool) if game.votes is None else game.votes.totals == 0
    return missing & ~np.eye(n, dtype=bool)


def tied(game: PreferenceGame) -> BoolArray:
    """Return which pairs were compared and tie, up to rounding, shape (n, n); the diagonal is False."""
    tie: BoolArray = np.abs(game.payoff) <= _TIE
    return tie & ~never_compared(game) & ~np.eye(game.n_responses, dtype=bool)


def show_win(p: float) -> str:
    """Return a win probability in two digits that never round onto 0, 1/2 or 1.

    Examples
    --------
    >>> [show_win(p) for p in (0.7, 0.5, 0.501, 0.999, 1.0, 0.0)]
    ['.70', '½', '>.50', '>.99', '1', '0']
    """
    if abs(p - 0.5) <= _TIE:
        return "½"
    if p in (0.0, 1.0):
        return f"{p:.0f}"
    text = f"{p:.2f}"
    if text == "0.50":
        return ">.50" if p > 0.5 else "<.50"
    if text in ("0.00", "1.00"):
        return "<.01" if p < 0.5 else ">.99"
    return text[1:]


def show_probability(p: float) -> str:
    """Return a probability of a policy in three digits; 0 only when it is nothing.

    Examples
    --------
    >>> [show_probability(p) for p in (0.375, 0.0, 1.0, 0.0002)]
    ['0.375', '0', '1', '<0.001']
    """
    if p <= NEGLIGIBLE:
        return "0"
    if p < 0.0005:
        return "<0.001"
    if p >= 1.0 - NEGLIGIBLE:
        return "1"
    return f"{p:.3f}" if p < 0.9995 else ">0.999"


def players(solution: Solution) -> list[tuple[str, Labels, FloatArray]]:
    """Return heading, names and policy of each player; the heading is empty for a symmetric game."""
    if not isinstance(solution.policy, tuple):
        return [("", solution.names, solution.policy)]
    if isinstance(solution.problem.game, (MatrixGame, OperatorGame)):
        titles = ["Row player", "Column player"]
    else:
        titles = [f"Player {p + 1}" for p in range(len(solution.policy))]
    return list(zip(titles, solution.names, solution.policy, strict=True))


def kind(solution: Solution) -> str:
    """Return what the policy is called."""
    problem = solution.problem
    if problem.temperature > 0.0:
        return f"KL-regularised equilibrium at temperature {problem.temperature:g}"
    return "Minimax Winner" if is_symmetric(problem.game) else "Nash equilibrium"


def gap_text(solution: Solution) -> str:
    """Return the gap with its unit."""
    unit = "win probability" if in_win_probabilities(solution.problem.game) else "the payoff"
    return f"{solution.gap:.2g} in units of {unit}"


def warning(solution: Solution) -> str | None:
    """Return what is wrong when the policy is not an answer to the tolerance, else None."""
    if solution.converged:
        return None
    return f"Not an answer to the tolerance: {solution.status.message}"


def uniqueness_sentence(certificate: Certificate) -> str:
    """Return whether there are other answers, and how large their set is."""
    if certificate.unique is None:
        return "uniqueness not decided"
    if certificate.unique:
        return "unique"
    dimension = certificate.dimension
    shown = " and ".join(str(d) for d in dimension) if isinstance(dimension, tuple) else str(dimension)
    return f"not unique: the answers form a set of dimension {shown}"


def smith_sentence(game: PreferenceGame) -> str:
    """Return who the Condorcet winner is, else how large the Smith set is."""
    smith = smith_indices(game)
    if len(smith) == 1:
        return f"{one_line(game.names[smith[0]])} is the Condorcet winner"
    if len(smith) == game.n_responses:
        return f"the Smith set is all {len(smith)} responses"
    return f"the Smith set has {len(smith)} of {game.n_responses} responses"
