"""Minimax Winners of many preference games, one after the other, without the interpreter in between."""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .skew_pivot import solve_symmetric_game

_ATOL = 1e-9  # how far win probabilities may be from complementary and from [0, 1]: that of `preference_game`


@jit
def find_games(preference, active, log_reference, valid_out):
    """Set, for each game of a batch, whether it is one.

    It has at least one response, probabilities with ``P + P.T == 1`` within 1e-9, and a reference with mass.
    """
    n_games, n = active.shape
    for game in range(n_games):
        has_mass = False
        valid = True
        for i in range(n):
            if active[game, i]:
                # Comparisons are written so that a NaN fails.
                valid = valid and log_reference[game, i] < np.inf
                has_mass = has_mass or log_reference[game, i] > -np.inf
                for j in range(i, n):
                    if active[game, j]:
                        win = preference[game, i, j]
                        total = win + preference[game, j, i]
                        if not (abs(total - 1.0) <= _ATOL and abs(win - 0.5) <= 0.5 + _ATOL):
                            valid = False
        valid_out[game] = valid and has_mass


@jit
def minimax_batch(preference, active, policy_out, gap_out):
    """Write a winner of every game and its gap ``2 max_i (A pi)_i``, infinite if principal pivots failed.

    Parameters
    ----------
    preference : array, shape (B, n, n)
        Win probabilities that `find_games` accepts.
    active : bool array, shape (B, n)
        Which responses belong to the game; the others are left as they are, and so is a game without any.
    policy_out, gap_out : arrays, shapes (B, n) and (B,)
        Receive the results.
    """
    n_games, n = active.shape
    members = np.empty(n, np.int64)
    payoff = np.empty((n, n))
    policy = np.empty(n)
    for game in range(n_games):
        count = 0
        for i in range(n):
            if active[game, i]:
                members[count] = i
                count += 1
        if count == 0:
            continue
        if count != policy.size:
            payoff = np.empty((count, count))
            policy = np.empty(count)
        win = preference[game]
        for a in range(count):
            payoff[a, a] = 0.0
            for b in range(a):
                # Exactly skew, as in `preference_game`.
                margin = (win[members[a], members[b]] - win[members[b], members[a]]) / 2.0
                margin = min(max(margin, -0.5), 0.5)
                payoff[a, b] = margin
                payoff[b, a] = -margin
        gap_out[game] = 2.0 * solve_symmetric_game(payoff, policy)[0]
        for a in range(count):
            policy_out[game, members[a]] = policy[a]
