"""Games and answers that the tests of pictures and pages draw."""

from __future__ import annotations

import numpy as np

from gametheory_pref.games import PreferenceGame
from gametheory_pref.games.votes import from_counts
from gametheory_pref.gap import problem_gap
from gametheory_pref.problem import Policy, Problem
from gametheory_pref.solution import Solution
from gametheory_pref.status import Status
from gametheory_pref.trace import Trace


def solution_of(
    game, policy: Policy, temperature: float = 0.0, status: Status = Status.EXACT
) -> Solution:
    problem = Problem(game, temperature)
    gap = problem_gap(problem, policy)
    return Solution(problem, policy, 0.5, gap, status, "found by hand", "hand", 1, 1, 0.0, Trace.of([]))


def random_game(n: int, seed: int = 0, names=None) -> PreferenceGame:
    """Return a game with wins, ties and pairs that were never compared."""
    rng = np.random.default_rng(seed)
    totals = np.triu(rng.choice([0, 2, 5, 9], size=(n, n), p=[0.15, 0.15, 0.3, 0.4]), 1)
    totals[0, 1] = 4
    wins = rng.binomial(totals, 0.6)
    return from_counts(wins + (totals - wins).T, names=names)
