"""What is played: preference games, two-player games, games of several players."""

from __future__ import annotations

from typing import TypeAlias

from .matrix import MatrixGame, matrix_game
from .multiplayer import MultiplayerGame, multiplayer_game
from .preference import PreferenceGame, from_margins, from_scores, preference_game

Game: TypeAlias = PreferenceGame | MatrixGame | MultiplayerGame

__all__ = [
    "Game",
    "MatrixGame",
    "MultiplayerGame",
    "PreferenceGame",
    "from_margins",
    "from_scores",
    "matrix_game",
    "multiplayer_game",
    "preference_game",
]
