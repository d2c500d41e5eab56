"""A battery that any solver of Minimax Winners must pass, and every broken one must fail."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Solver = Callable[[np.ndarray], np.ndarray]

# name -> (win probabilities, unique winner). Sources: biased rock-paper-scissors by hand; "comal" from
# Liu et al. 2024 (arXiv 2410.23223), Nash equilibrium (4/11, 3/11, 4/11); "weighted 5-cycle" by hand: with odd cyclic
# margins m_i on i -> i+1 and ties elsewhere the kernel is proportional to products of alternate margins.
UNIQUE = {
    "comal": ([[0.5, 0.1, 0.8], [0.9, 0.5, 0.1], [0.2, 0.9, 0.5]], [4 / 11, 3 / 11, 4 / 11]),
    "biased": ([[0.5, 0.7, 0.2], [0.3, 0.5, 0.8], [0.8, 0.2, 0.5]], [3 / 8, 3 / 8, 2 / 8]),
    "dominated lizard": (
        [[0.5, 0.7, 0.2, 0.6], [0.3, 0.5, 0.8, 0.65], [0.8, 0.2, 0.5, 0.7], [0.4, 0.35, 0.3, 0.5]],
        [3 / 8, 3 / 8, 2 / 8, 0.0],
    ),
    "condorcet": ([[0.5, 0.4, 0.3], [0.6, 0.5, 0.51], [0.7, 0.49, 0.5]], [0.0, 1.0, 0.0]),
}


def clones() -> tuple[np.ndarray, np.ndarray]:
    """Rock-paper-scissors in which scissors has a twin: the maximum-entropy winner splits its third evenly."""
    payoff = np.array([[0, -1, 1, 1], [1, 0, -1, -1], [-1, 1, 0, 0], [-1, 1, 0, 0]]) / 2
    return payoff + 0.5, np.array([1 / 3, 1 / 3, 1 / 6, 1 / 6])


def check_unique_winners(solver: Solver) -> None:
    for name, (preference, winner) in UNIQUE.items():
        matrix = np.array(preference)
        np.testing.assert_allclose(solver(matrix), winner, atol=1e-12, err_msg=name)


def check_random_games(solver: Solver, seed: int = 20260101) -> None:
    """No response may beat the answer: that is the definition, checked without a reference solver."""
    rng = np.random.default_rng(seed)
    for n in (2, 3, 5, 9, 20):
        upper = np.triu(rng.uniform(-0.5, 0.5, (n, n)), 1)
        payoff = upper - upper.T
        policy = solver(payoff + 0.5)
        assert policy.shape == (n,)
        assert (policy >= 0).all()
        np.testing.assert_allclose(policy.sum(), 1.0, atol=1e-12)
        assert (payoff @ policy).max() <= 1e-12


def check_tied_votes(solver: Solver, seed: int = 7) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(50):
        n = int(rng.integers(2, 8))
        wins = rng.integers(0, 3, (n, n))
        payoff = (wins - wins.T) / 8
        assert (payoff @ solver(payoff + 0.5)).max() <= 1e-12


BATTERY = (check_unique_winners, check_random_games, check_tied_votes)
