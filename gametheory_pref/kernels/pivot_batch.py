"""Many preference games in one call: which inputs are games, and their Minimax Winners."""

from __future__ import annotations

import numpy as np

from .._jit import jit
from .skew_pivot import LARGEST, solve_symmetric_game

_ATOL = 1e-9  # how far win probabilities may be from complementary and from [0, 1]: that of `preference_game`


@jit
def read_payoff(preference, members, payoff_out):
    """Write the exactly skew payoff of the responses `members`; return whether these are win probabilities."""
    valid = True
    for a in range(payoff_out.shape[0]):
        i = members[a]
        payoff_out[a, a] = 0.0
        # Comparisons are written so that a NaN fails, and joined without branches.
        valid &= 2.0 * abs(preference[i, i] - 0.5) <= _ATOL
        for b in range(a):
            j = members[b]
            win, loss = preference[i, j], preference[j, i]
            valid &= (abs(win + loss - 1.0) <= _ATOL) & (abs(win - 0.5) <= 0.5 + _ATOL)
            margin = min(max((win - loss) / 2.0, -0.5), 0.5)
            payoff_out[a, b] = margin
            payoff_out[b, a] = -margin
    return valid


@jit
def find_members(active, members_out):
    """Write the positions of the responses of a game; return how many there are."""
    count = 0
    for i in range(active.size):
        if active[i]:
            members_out[count] = i
            count += 1
    return count


@jit
def find_games(preference, active, log_reference, valid_out):
    """Set for each game of a batch whether it has probabilities with ``P + P.T == 1`` and a reference with mass."""
    n_games, n = active.shape
    members = np.empty(n, np.int64)
    for game in range(n_games):
        count = find_members(active[game], members)
        valid = read_payoff(preference[game], members, np.empty((count, count)))
        has_mass = False
        for a in range(count):
            valid &= log_reference[game, members[a]] < np.inf
            has_mass |= log_reference[game, members[a]] > -np.inf
        valid_out[game] = valid & has_mass


@jit
def read_games(preference, place, members, payoff_out, bound_out, margin_out):
    """Write the payoffs of the games at `place`, among the responses `members`, and what step sizes depend on.

    Parameters
    ----------
    preference : array, shape (B, n, n)
        Win probabilities.
    place, members : int arrays, shapes (b,) and (b, m)
        Games, and as many responses of each.
    payoff_out : array, shape (b, m, m)
        Receives skew payoffs.
    bound_out, margin_out : arrays, shape (b,)
        Receive the largest payoff, and the smallest of a response that beats every other; 0 where there is none.
    """
    for k in range(place.size):
        payoff = payoff_out[k]
        read_payoff(preference[place[k]], members[k], payoff)
        bound = margin = 0.0
        for i in range(payoff.shape[0]):
            least, most = np.inf, 0.0
            for j in range(payoff.shape[0]):
                value = payoff[i, j]
                most = max(most, value)
                least = min(least, value if j != i else np.inf)
            bound = max(bound, most)
            if least > margin and least < np.inf:
                margin = least
        bound_out[k], margin_out[k] = bound, margin


@jit
def minimax_batch(preference, active, policy_out, gap_out, valid_out):
    """Write a winner of every game, and its gap ``2 max_i (A pi)_i``.

    Parameters
    ----------
    preference : array, shape (B, n, n)
        Win probabilities.
    active : bool array, shape (B, n)
        Which responses belong to the game; nothing is written for the others.
    policy_out, gap_out : arrays, shapes (B, n) and (B,)
        Receive the results. The gap is infinite for a game that was not solved: no game, larger than
        `skew_pivot.LARGEST`, or lost by principal pivots.
    valid_out : bool array, shape (B,)
        Receives whether there is at least one response and all are probabilities with ``P + P.T == 1``.
    """
    n_games, n = active.shape
    members = np.empty(n, np.int64)
    payoff = np.empty((n, n))
    policy = np.empty(n)
    for game in range(n_games):
        gap_out[game] = np.inf
        count = find_members(active[game], members)
        if count != policy.size:
            payoff = np.empty((count, count))
            policy = np.empty(count)
        valid_out[game] = read_payoff(preference[game], members, payoff) & (count > 0)
        if valid_out[game] and count <= LARGEST:
            gap_out[game] = 2.0 * solve_symmetric_game(payoff, policy)[0]
            for a in range(count):
                policy_out[game, members[a]] = policy[a]
