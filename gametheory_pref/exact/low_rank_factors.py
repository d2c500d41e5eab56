"""The factors of a zero-sum game of low rank, and the products with them that an interior-point step takes."""

from __future__ import annotations

import itertools

import numpy as np

from .._types import BoolArray, FloatArray
from ..operators import LowRank, LowRankSkew

_ROWS = 4096
"""Rows of V that are weighted at a time, so that they stay in the cache and no second V is made."""


class Factors:
    """``F = [V, E]`` of a game ``V C V'`` whose payoffs are scaled to be at most 1, and the products with it.

    V has a part for each player. Vectors of the small order hold r numbers for the columns of V, then one for each
    player.
    """

    def __init__(self, parts: list[FloatArray], core: FloatArray, scale: float) -> None:
        self.parts, self.scale = parts, scale
        self.core = core / scale if scale > 0.0 else core
        self.n_players = len(parts)
        self.rows = _ranges([part.shape[0] for part in parts])
        self.columns = _ranges([part.shape[1] for part in parts])
        self.rank, self.n = self.columns[-1].stop, self.rows[-1].stop
        self.n_passes = 0.0

    def of(self, kept: BoolArray) -> Factors:
        """Return the factors of the game of some responses, with those of both players among them."""
        parts = [part[kept[rows]] for part, rows in zip(self.parts, self.rows, strict=True)]
        return Factors(parts, self.core * self.scale, self.scale)

    def gather(self, vector: FloatArray) -> FloatArray:
        """Return ``F' vector``."""
        self.n_passes += 1
        small = np.empty(self.rank + self.n_players)
        for player, (part, rows, columns) in enumerate(zip(self.parts, self.rows, self.columns, strict=True)):
            small[columns] = vector[rows] @ part
            small[self.rank + player] = vector[rows].sum()
        return small

    def spread(self, small: FloatArray) -> FloatArray:
        """Return ``F small``."""
        self.n_passes += 1
        vector = np.empty(self.n)
        for player, (part, rows, columns) in enumerate(zip(self.parts, self.rows, self.columns, strict=True)):
            np.matmul(part, small[columns], out=vector[rows])
            vector[rows] += small[self.rank + player]
        return vector

    def weighted(self, weights: FloatArray) -> FloatArray:
        """Return ``F' diag(weights) F``, from some rows at a time."""
        roots = np.sqrt(weights)
        small = np.zeros((self.rank + self.n_players,) * 2)
        for player, (part, rows, columns) in enumerate(zip(self.parts, self.rows, self.columns, strict=True)):
            self.n_passes += 1
            own, last = roots[rows], self.rank + player
            square, border = small[columns, columns], small[columns, last]
            buffer = np.empty((min(_ROWS, len(part)), part.shape[1]))
            for first in range(0, len(part), _ROWS):
                some = own[first : first + _ROWS]
                scaled = np.multiply(part[first : first + _ROWS], some[:, None], out=buffer[: len(some)])
                square += scaled.T @ scaled
                border += some @ scaled
            small[last, columns] = border
            small[last, last] = own @ own
        return small

    def weighted_in(self, basis: FloatArray, weights: FloatArray) -> FloatArray:
        """Return ``B' F' diag(weights) F B`` by the columns of ``F B``, whose products lose nothing to large ones."""
        roots = np.sqrt(weights)
        small = np.zeros_like(basis)
        for player, (part, rows, columns) in enumerate(zip(self.parts, self.rows, self.columns, strict=True)):
            self.n_passes += 2
            turn, last = basis[columns], basis[self.rank + player]
            for first in range(0, len(part), _ROWS):
                some = roots[rows][first : first + _ROWS, None]
                scaled = (part[first : first + _ROWS] @ turn + last) * some
                small += scaled.T @ scaled
        return small

    def payoffs_to(self, small: FloatArray) -> FloatArray:
        """Return ``(C q, tau)`` for ``small = (q, tau)``."""
        return np.concatenate([self.core @ small[: self.rank], small[self.rank :]])

    def payoffs_of(self, matrix: FloatArray) -> FloatArray:
        """Return ``matrix @ diag(C, I)``."""
        return np.hstack([matrix[:, : self.rank] @ self.core, matrix[:, self.rank :]])


def factors_of(payoff: LowRank | LowRankSkew) -> Factors:
    """Return the factors of the skew game: of the payoff itself, or with a part for each of two players."""
    scale = payoff.largest()
    if isinstance(payoff, LowRankSkew):
        return Factors([payoff.vectors], payoff.skew, scale)
    one, two = payoff.left.shape[1], payoff.right.shape[1]
    half = np.eye(one, two)
    core = np.block([[np.zeros((one, one)), half], [-half.T, np.zeros((two, two))]])
    if payoff.is_skew:
        # L R' = (L R' - R L') / 2, which is skew in floating point, too.
        return Factors([np.hstack([payoff.left, payoff.right])], 0.5 * core, scale)
    return Factors([payoff.left, payoff.right], core, scale)


def _ranges(sizes: list[int]) -> list[slice]:
    edges = np.cumsum([0, *sizes]).tolist()
    return [slice(first, last) for first, last in itertools.pairwise(edges)]
