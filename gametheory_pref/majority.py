"""Who beats whom: Condorcet winners, Smith and Schwartz sets, majority cycles."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._types import BoolArray, IntArray, Label, Labels
from .errors import MissingPairsWarning, UnsupportedCombination
from .games import Game, OperatorGame, PreferenceGame
from .operators import Sparse
from .problem import as_game

# A margin this small is rounding of a tie: win rates differ by at least one over the number of comparisons.
_TIE = 1e-12


def _preference_game(game: Game | ArrayLike) -> PreferenceGame:
    checked = as_game(game)
    if isinstance(checked, OperatorGame) and checked.is_symmetric:
        raise UnsupportedCombination(
            f"cycles are looked for in tables, and this game has none ({checked.payoff.describe()}); smith_set and "
            "schwartz_set take sparse games"
        )
    if not isinstance(checked, PreferenceGame):
        raise UnsupportedCombination(
            f"majorities are defined for preference games; this is a {type(checked).__name__}"
        )
    return checked


def has_majorities(game: Game) -> bool:
    """Return whether it is known who beats whom: of preference games, and of sparse ones, whose entries are stored."""
    sparse = isinstance(game, OperatorGame) and game.is_symmetric and isinstance(game.payoff, Sparse)
    return sparse or isinstance(game, PreferenceGame)


def _with_majorities(game: Game | ArrayLike) -> PreferenceGame | OperatorGame:
    checked = as_game(game)
    if isinstance(checked, PreferenceGame) or (isinstance(checked, OperatorGame) and has_majorities(checked)):
        return checked
    if isinstance(checked, OperatorGame) and checked.is_symmetric:
        raise UnsupportedCombination(
            f"majorities need the entries of the payoff, and this game is known by its products only "
            f"({checked.payoff.describe()}); sparse games and tables have them"
        )
    raise UnsupportedCombination(f"majorities are defined for preference games; this is a {type(checked).__name__}")


def _beats(game: PreferenceGame | OperatorGame) -> Any:
    """Return who beats whom strictly, as a table or a scipy sparse array of truth values."""
    if isinstance(game, PreferenceGame):
        return majority_relation(game)
    assert isinstance(game.payoff, Sparse)
    return game.payoff.matrix > _TIE


def _wins_and_losses(game: PreferenceGame | OperatorGame) -> tuple[IntArray, IntArray]:
    beats = _beats(game)
    if isinstance(game, PreferenceGame):
        return np.count_nonzero(beats, axis=1), np.count_nonzero(beats, axis=0)
    n = game.n_responses
    return np.diff(beats.indptr).astype(np.int64), np.bincount(beats.indices, minlength=n).astype(np.int64)


def majority_relation(game: PreferenceGame) -> BoolArray:
    """Return the strict majority relation, shape (n, n): whether the row response beats the column one."""
    return game.payoff > _TIE


def condorcet_winner(game: Game | ArrayLike, *, kind: str = "strong") -> Label | None:
    """Return the response that beats every other one, or None.

    Parameters
    ----------
    game : PreferenceGame, sparse OperatorGame or array_like
        The game; a square array is a matrix of win probabilities.
    kind : {"strong", "weak"}
        "strong": it wins every comparison. "weak": it loses none; the first such response is returned, and
        there can be several (`weak_condorcet_winners`).

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> gp.condorcet_winner(gp.from_counts([[0, 3, 2], [1, 0, 4], [1, 0, 0]], names=["a", "b", "c"]))
    'a'
    """
    game = _with_majorities(game)
    if kind == "weak":
        weak = weak_condorcet_winners(game)
        return weak[0] if weak else None
    if kind != "strong":
        from ._check import choice

        choice(kind, ("strong", "weak"), name="kind")
    wins, _ = _wins_and_losses(game)
    best = int(np.argmax(wins))
    return game.names[best] if wins[best] == game.n_responses - 1 else None


def weak_condorcet_winners(game: Game | ArrayLike) -> Labels:
    """Return the responses that lose to nobody (a strong Condorcet winner is then the only one)."""
    game = _with_majorities(game)
    _, losses = _wins_and_losses(game)
    return tuple(game.names[i] for i in np.flatnonzero(losses == 0))


def smith_set(game: Game | ArrayLike) -> Labels:
    """Return the smallest set whose members each beat everybody outside it.

    A pair without comparisons counts as a tie, and a tie keeps both in the set or both out; with many such
    pairs the set is large without saying anything about cycles, and a `MissingPairsWarning` tells so.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> gp.smith_set(gp.zoo["dominated_lizard"].game)
    ('rock', 'paper', 'scissors')
    """
    game = _with_majorities(game)
    members = smith_indices(game)
    _warn_if_missing(game, members, "Smith")
    return tuple(game.names[i] for i in members)


def smith_indices(game: PreferenceGame | OperatorGame) -> IntArray:
    """Return the positions of the Smith set, ascending; no warning."""
    if isinstance(game, OperatorGame):
        return _sparse_smith(game)
    beats = majority_relation(game)
    wins = np.count_nonzero(beats, axis=1)
    best = int(np.argmax(wins))
    if wins[best] == game.n_responses - 1:
        return np.array([best], dtype=np.int64)
    return _dominance_layers(beats)[0]


def _sparse_smith(game: OperatorGame) -> IntArray:
    """Return the Smith set as `_dominance_layers` finds it, by counting the wins across every prefix."""
    n = game.n_responses
    wins, losses = _wins_and_losses(game)
    order = np.argsort(losses - wins, kind="stable").astype(np.int64)
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    winners, losers = (place[side] for side in _beats(game).nonzero())
    # A win over somebody further down counts for the prefixes that hold the winner and not the loser.
    down = winners < losers
    change = np.bincount(winners[down] + 1, minlength=n + 1) - np.bincount(losers[down] + 1, minlength=n + 2)[: n + 1]
    size = np.arange(1, n + 1)
    across = np.cumsum(change)[1:]
    end = int(np.argmax(across == size * (n - size))) + 1
    return np.sort(order[:end])


def smith_layers(game: PreferenceGame) -> list[IntArray]:
    """Return the Smith set, the Smith set of the rest, and so on; positions, ascending in each layer."""
    return _dominance_layers(majority_relation(game))


def _dominance_layers(beats: BoolArray) -> list[IntArray]:
    """Split the responses so that everybody in a layer beats everybody in later ones, as finely as possible.

    Members of a set that beats all outsiders come first in the order of Copeland scores, so these sets are
    the prefixes of that order that win every comparison with the rest.
    """
    n = beats.shape[0]
    score = np.count_nonzero(beats, axis=1) - np.count_nonzero(beats, axis=0)
    order = np.argsort(-score, kind="stable").astype(np.int64)
    ordered = beats[np.ix_(order, order)]
    # Wins of the first k over the rest: row totals of the first k minus the wins inside the prefix.
    inside = np.cumsum(np.tril(ordered + ordered.T, -1).sum(axis=1))
    across = np.cumsum(ordered.sum(axis=1)) - inside
    size = np.arange(1, n + 1)
    ends = np.flatnonzero(across == size * (n - size)) + 1
    return [np.sort(layer) for layer in np.split(order, ends[:-1])]


def schwartz_set(game: Game | ArrayLike) -> Labels:
    """Return the union of the smallest sets that nobody outside beats.

    It lies inside the Smith set and differs from it only where there are ties.
    """
    game = _with_majorities(game)
    members = schwartz_indices(game)
    _warn_if_missing(game, members, "Schwartz")
    return tuple(game.names[i] for i in members)


def schwartz_indices(game: PreferenceGame | OperatorGame) -> IntArray:
    """Return the positions of the Schwartz set, ascending; no warning."""
    smith = smith_indices(game)
    if isinstance(game, OperatorGame):
        return smith[_undominated(_beats(game)[smith][:, smith])]
    reach = _reachability(majority_relation(game)[np.ix_(smith, smith)])
    # i belongs to a top component when whoever reaches i is reached back.
    top = ~(reach.T & ~reach).any(axis=1)
    return smith[top]


def _undominated(beats: Any) -> BoolArray:
    """Return which responses lie in components of the sparse majority graph that nobody outside beats."""
    from scipy.sparse.csgraph import connected_components

    count, component = connected_components(beats, directed=True, connection="strong")
    winners, losers = (component[side] for side in beats.nonzero())
    top = np.ones(count, dtype=bool)
    top[losers[winners != losers]] = False
    return np.asarray(top[component])


def _reachability(edges: BoolArray) -> BoolArray:
    """Return the transitive closure by repeated squaring."""
    reach = edges.copy()
    np.fill_diagonal(reach, True)
    while True:
        longer = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0
        if np.array_equal(longer, reach):
            return reach
        reach = longer


def majority_cycle(game: Game | ArrayLike) -> Labels:
    """Return a shortest cycle of strict majorities among the Smith set, or an empty tuple.

    Each member beats the next and the last beats the first.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> gp.majority_cycle(gp.zoo["rock_paper_scissors"].game)
    ('rock', 'scissors', 'paper')
    """
    game = _preference_game(game)
    smith = smith_indices(game)
    beats = majority_relation(game)[np.ix_(smith, smith)]
    best: list[int] = []
    for start in range(len(smith)):
        cycle = _shortest_cycle(beats, start)
        if cycle and (not best or len(cycle) < len(best)):
            best = cycle
        if len(best) == 3:
            break
    return tuple(game.names[smith[i]] for i in best)


def _shortest_cycle(beats: BoolArray, start: int) -> list[int]:
    """Return a shortest directed cycle through `start`, by breadth-first search."""
    parent = {start: -1}
    frontier = [start]
    while frontier:
        following = []
        for node in frontier:
            if beats[node, start]:
                path = [node]
                while parent[path[-1]] != -1:
                    path.append(parent[path[-1]])
                return path[::-1]
            for other in np.flatnonzero(beats[node]):
                if int(other) not in parent:
                    parent[int(other)] = node
                    following.append(int(other))
        frontier = following
    return []


def missing_pairs_note(game: PreferenceGame | OperatorGame, members: IntArray) -> str | None:
    """Return a sentence when pairs inside the set were never compared, else None."""
    if not game.n_missing or game.votes is None or len(members) < 2:
        return None
    pairs = len(members) * (len(members) - 1) // 2
    count = pairs - _compared_inside(game, members)
    if not count:
        return None
    return (
        f"{count} of the {pairs} pairs inside the set were never compared and count as ties; "
        "its size says more about missing data than about cycles"
    )


def _compared_inside(game: PreferenceGame | OperatorGame, members: IntArray) -> int:
    """Return how many pairs of members were compared."""
    if isinstance(game, PreferenceGame):
        assert game.votes is not None
        return int(np.count_nonzero(np.triu(game.votes.totals[np.ix_(members, members)], 1)))
    assert game.votes is not None
    inside = np.zeros(game.n_responses, dtype=bool)
    inside[members] = True
    return int(np.count_nonzero((game.votes.totals > 0) & inside[game.votes.low] & inside[game.votes.high]))


def _warn_if_missing(game: PreferenceGame | OperatorGame, members: IntArray, which: str) -> None:
    note = missing_pairs_note(game, members)
    if note is not None:
        warnings.warn(f"{which} set: {note}", MissingPairsWarning, stacklevel=3)
