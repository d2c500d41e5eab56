"""What is played: preference games, two-player games, games of several players."""

from __future__ import annotations

from typing import TypeAlias

from .matrix import MatrixGame, matrix_game
from .multiplayer import MultiplayerGame, multiplayer_game
from .operator import OperatorGame, finite_sum_game, from_embeddings, operator_game
from .preference import PreferenceGame, from_margins, from_scores, preference_game

Game: TypeAlias = PreferenceGame | MatrixGame | MultiplayerGame | OperatorGame


def is_symmetric(game: Game) -> bool:
    """Return whether one policy plays against itself."""
    return isinstance(game, PreferenceGame) or (isinstance(game, OperatorGame) and game.is_symmetric)


def in_win_probabilities(game: Game) -> bool:
    """Return whether payoffs are win probabilities less one half, as far as the game knows."""
    return isinstance(game, PreferenceGame) or (isinstance(game, OperatorGame) and game.in_win_probabilities)


__all__ = [
    "Game",
    "MatrixGame",
    "MultiplayerGame",
    "OperatorGame",
    "PreferenceGame",
    "finite_sum_game",
    "from_embeddings",
    "from_margins",
    "from_scores",
    "in_win_probabilities",
    "is_symmetric",
    "matrix_game",
    "multiplayer_game",
    "operator_game",
    "preference_game",
]
