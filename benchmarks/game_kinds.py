"""The kinds of random games that the benchmarks play: skew payoffs ``P - 1/2``."""

from __future__ import annotations

import numpy as np


def skew(square: np.ndarray) -> np.ndarray:
    """Return the skew matrix with the upper triangle of `square`."""
    upper = np.triu(square, 1)
    return upper - upper.T


def uniform(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return independent uniform win margins."""
    return skew(rng.uniform(-0.5, 0.5, (n, n)))


def votes(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return margins of 15 voters who toss coins: many equal entries."""
    return skew(2.0 * rng.binomial(15, 0.5, (n, n)) - 15.0) / 30.0


def bt_cyclic(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return a Bradley-Terry game with a rock-paper-scissors part; its optimum mixes few responses."""
    strength, plane = 0.5 * rng.normal(size=n), rng.normal(size=(n, 2))
    turn = np.outer(plane[:, 0], plane[:, 1])
    return skew(1.0 / (1.0 + np.exp(-(strength[:, None] - strength + 1.5 * (turn - turn.T)))) - 0.5)


KINDS = {"uniform": uniform, "votes": votes, "bt_cyclic": bt_cyclic}
