"""Majority sets against their definitions, on every small tournament with ties and on random larger ones."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import gametheory_pref as gp
from gametheory_pref.games import PreferenceGame
from gametheory_pref.majority import majority_relation, smith_indices, smith_layers

LETTERS = "abcdef"


def game_of(signs: tuple[int, ...]) -> PreferenceGame:
    """Return the game whose pairs, in order, are won (1), tied (0) or lost (-1) by the first of the two."""
    n = int((1 + np.sqrt(1 + 8 * len(signs))) / 2)
    margins = np.zeros((n, n))
    margins[np.triu_indices(n, 1)] = np.array(signs) / 4
    return gp.from_margins(margins - margins.T, names=list(LETTERS[:n]))


ALL_SMALL = [signs for n in (1, 2, 3, 4) for signs in itertools.product((-1, 0, 1), repeat=n * (n - 1) // 2)]
LARGER = st.integers(5, 6).flatmap(lambda n: st.tuples(*[st.sampled_from((-1, 0, 1))] * (n * (n - 1) // 2)))


def subsets(n: int) -> list[frozenset[int]]:
    return [frozenset(s) for k in range(1, n + 1) for s in itertools.combinations(range(n), k)]


def check_against_definitions(game: PreferenceGame) -> None:
    n, names = game.n_responses, game.names
    beats = game.payoff > 0
    everybody = frozenset(range(n))
    dominant = [s for s in subsets(n) if all(beats[i, j] for i in s for j in everybody - s)]
    undominated = [s for s in subsets(n) if not any(beats[j, i] for i in s for j in everybody - s)]
    smith = min(dominant, key=len)
    schwartz = frozenset().union(*(s for s in undominated if not any(t < s for t in undominated)))
    assert gp.smith_set(game) == tuple(names[i] for i in sorted(smith))
    assert gp.schwartz_set(game) == tuple(names[i] for i in sorted(schwartz))
    assert schwartz <= smith
    winners = [names[i] for i in range(n) if all(beats[i, j] for j in everybody - {i})]
    unbeaten = [names[i] for i in range(n) if not any(beats[j, i] for j in everybody)]
    assert gp.condorcet_winner(game) == (winners[0] if winners else None)
    assert gp.condorcet_winner(game, kind="weak") == (unbeaten[0] if unbeaten else None)
    assert gp.weak_condorcet_winners(game) == tuple(unbeaten)
    check_layers(game, dominant)
    check_cycle(game, [i for i in range(n) if i in smith])


def check_layers(game: PreferenceGame, dominant: list[frozenset[int]]) -> None:
    """Unions of the first layers are exactly the sets whose members beat everybody outside."""
    layers = smith_layers(game)
    assert sorted(int(i) for layer in layers for i in layer) == list(range(game.n_responses))
    unions = [frozenset(int(i) for layer in layers[:k] for i in layer) for k in range(1, len(layers) + 1)]
    assert unions == sorted(dominant, key=len)
    assert np.array_equal(layers[0], smith_indices(game))


def check_cycle(game: PreferenceGame, smith: list[int]) -> None:
    beats = game.payoff > 0
    lengths = [
        k
        for k in range(3, len(smith) + 1)
        for order in itertools.permutations(smith, k)
        if all(beats[a, b] for a, b in zip(order, order[1:] + order[:1], strict=True))
    ]
    found = [game.index(name) for name in gp.majority_cycle(game)]
    assert len(found) == (min(lengths) if lengths else 0)
    assert len(set(found)) == len(found)
    assert set(found) <= set(smith)
    assert all(beats[a, b] for a, b in zip(found, found[1:] + found[:1], strict=True))


def test_every_tournament_with_ties_of_up_to_four() -> None:
    assert len(ALL_SMALL) == 1 + 3 + 27 + 729
    for signs in ALL_SMALL:
        check_against_definitions(game_of(signs))


@given(LARGER)
@settings(max_examples=250)
def test_random_tournaments_with_ties_of_five_and_six(signs: tuple[int, ...]) -> None:
    check_against_definitions(game_of(signs))


@pytest.mark.slow
@given(LARGER)
@settings(max_examples=5000)
def test_many_tournaments_with_ties(signs: tuple[int, ...]) -> None:
    check_against_definitions(game_of(signs))


@given(st.data())
def test_names_follow_a_permutation(data: st.DataObject) -> None:
    game = game_of(data.draw(LARGER))
    order = data.draw(st.permutations(range(game.n_responses)))
    permuted = gp.from_margins(2 * game.payoff[np.ix_(order, order)], names=[game.names[i] for i in order])
    assert set(gp.smith_set(permuted)) == set(gp.smith_set(game))
    assert set(gp.schwartz_set(permuted)) == set(gp.schwartz_set(game))
    assert gp.condorcet_winner(permuted) == gp.condorcet_winner(game)
    assert len(gp.majority_cycle(permuted)) == len(gp.majority_cycle(game))


def test_a_transposed_game_has_another_winner() -> None:
    game = gp.zoo["clear_favourite"].game
    assert gp.condorcet_winner(game) == "a"
    assert gp.condorcet_winner(gp.preference_game(game.preference.T, names=list(game.names))) is None


def test_a_long_shortest_cycle() -> None:
    """Only neighbours in a ring of six beat one another, so there is no shorter cycle than the ring."""
    margins = 0.2 * (np.eye(6, k=1) + np.eye(6, k=-5))
    game = gp.from_margins(margins - margins.T, names=list(LETTERS))
    assert gp.majority_cycle(game) == tuple(LETTERS)
    assert gp.majority_cycle(gp.preference_game(game.preference.T, names=list(LETTERS))) == tuple("afedcb")


def test_large_games_are_split_at_the_right_places() -> None:
    """Layers of 1, 3, 5, ... cyclic responses, shuffled: each layer surely beats the later ones."""
    rng = np.random.default_rng(3)
    sizes = [1, 3, 5, 7, 9, 3, 1]
    layer = np.repeat(np.arange(len(sizes)), sizes)
    place = np.concatenate([np.arange(k) for k in sizes])
    size = np.repeat(sizes, sizes)
    ahead = (place[None, :] - place[:, None]) % size[:, None]
    same = layer[:, None] == layer[None, :]
    beats = np.where(same, (ahead > 0) & (ahead <= size[:, None] // 2), layer[:, None] < layer[None, :])
    order = rng.permutation(len(layer))
    margins = (beats.astype(float) - beats.T)[np.ix_(order, order)] / 3
    found = smith_layers(gp.from_margins(margins))
    assert [sorted(order[i] for i in members) for members in found] == [
        np.flatnonzero(layer == k).tolist() for k in range(len(sizes))
    ]


def test_rounding_is_a_tie_and_one_vote_is_not() -> None:
    assert gp.smith_set(gp.from_margins([[0, 1e-13], [-1e-13, 0]])) == (0, 1)
    assert gp.smith_set(gp.from_margins([[0, 1e-11], [-1e-11, 0]])) == (0,)
    billion = 10**9
    assert gp.condorcet_winner(gp.from_counts([[0, billion + 1], [billion, 0]])) == 0
    assert not majority_relation(gp.zoo["all_ties"].game).any()


def test_matrices_are_read_as_win_probabilities() -> None:
    matrix = [[0.5, 0.7], [0.3, 0.5]]
    assert gp.condorcet_winner(matrix) == 0
    assert gp.smith_set(matrix) == gp.schwartz_set(matrix) == gp.weak_condorcet_winners(matrix) == (0,)
    assert gp.majority_cycle(matrix) == ()


FUNCTIONS = [
    gp.condorcet_winner,
    gp.weak_condorcet_winners,
    gp.smith_set,
    gp.schwartz_set,
    gp.majority_cycle,
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_other_games_have_no_majorities(function) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(gp.UnsupportedCombination, match=r"for preference games; this is a MatrixGame$"):
        function(gp.matrix_game([[1, 2], [3, 4]]))
    with pytest.raises(gp.InputError, match="not 1"):
        function([[0.5, 0.7], [0.7, 0.5]])


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(gp.InputError, match=r"^kind must be one of strong, weak; got 'weakly'$"):
        gp.condorcet_winner([[0.5, 0.7], [0.3, 0.5]], kind="weakly")


# a beats b, b beats c, a and c were never compared, everybody beats d.
SPARSE = [[0, 3, 0, 5], [1, 0, 4, 5], [0, 2, 0, 5], [0, 0, 0, 0]]


def test_missing_pairs_inside_the_set_are_told() -> None:
    game = gp.from_counts(SPARSE, names=list("abcd"))
    words = "^Smith set: 1 of the 3 pairs inside the set were never compared and count as ties; its size"
    with pytest.warns(gp.MissingPairsWarning, match=words) as caught:
        assert gp.smith_set(game) == ("a", "b", "c")
    assert caught[0].filename == __file__
    single = gp.from_counts([[0, 0, 2], [0, 0, 2], [0, 0, 0]], names=list("abc"))
    with pytest.warns(gp.MissingPairsWarning, match="^Schwartz set: 1 of the 1 pairs") as caught:
        assert gp.schwartz_set(single) == ("a", "b")
    assert caught[0].filename == __file__


def test_missing_pairs_elsewhere_are_not() -> None:
    """The Condorcet winner was compared with everybody; who is best of the others does not matter."""
    game = gp.from_counts([[0, 3, 3], [1, 0, 0], [1, 0, 0]], names=list("abc"))
    assert game.n_missing == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gp.smith_set(game) == gp.schwartz_set(game) == ("a",)
        assert gp.schwartz_set(gp.from_counts(SPARSE, names=list("abcd"))) == ("a",)
        wins = np.zeros((6, 6))
        wins[:3, :3] = [[0, 2, 1], [1, 0, 2], [2, 1, 0]]
        wins[:3, 3:] = 3  # and the three losers were never compared with one another
        game = gp.from_counts(wins)
        assert gp.smith_set(game) == gp.schwartz_set(game) == (0, 1, 2)
        ties = gp.from_counts(np.zeros((2, 2)), ties=[[0, 2], [2, 0]])
        assert gp.smith_set(ties) == (0, 1)


@pytest.mark.parametrize("name", [name for name, entry in gp.zoo.items() if entry.value is None])
def test_the_zoo(name: str) -> None:
    entry = gp.zoo[name]
    assert gp.smith_set(entry.game) == entry.smith_set
    assert gp.schwartz_set(entry.game) == entry.schwartz_set
    assert gp.condorcet_winner(entry.game) == entry.condorcet_winner


def test_real_elections(shared_data) -> None:  # type: ignore[no-untyped-def]
    import json

    solved = json.loads((shared_data / "solutions.json").read_text(encoding="utf-8"))
    checked = 0
    for key in ("00008-00000009.toc", "00043-00000107.soc", "00043-00000076.soc", "00049-00000560.soc"):
        game = gp.read(shared_data / "elections" / key)
        record = solved[key]
        smith = [record["items"].index(name) for name in record["smith_set"]]
        schwartz = [record["items"].index(name) for name in record["schwartz_set"]]
        assert [game.index(name) for name in gp.smith_set(game)] == smith
        assert [game.index(name) for name in gp.schwartz_set(game)] == schwartz
        assert gp.condorcet_winner(game) is None
        assert len(gp.majority_cycle(game)) == 3
        checked += 1
    assert checked == 4


@pytest.mark.parametrize("n", [2, 3, 5, 8, 13])
def test_sparse_games_have_the_majorities_of_the_table(n):
    rng = np.random.default_rng(n)
    for share in (0.1, 0.3, 0.6, 0.9, 1.0):
        for _ in range(12):
            # A ladder below which some stages of cycles and ties lie.
            stage = np.sort(rng.integers(0, 4, n))
            margins = np.where(rng.random((n, n)) < share, rng.choice([-1.0, 1.0], (n, n)), 0.0)
            margins = np.triu(np.where(stage[:, None] < stage, 1.0, margins), 1)
            mixed = rng.permutation(n)
            margins = (margins - margins.T)[np.ix_(mixed, mixed)]
            table, sparse = gp.from_margins(margins), gp.from_margins(csr_array(margins))
            assert gp.condorcet_winner(sparse) == gp.condorcet_winner(table)
            assert gp.weak_condorcet_winners(sparse) == gp.weak_condorcet_winners(table)
            assert gp.smith_set(sparse) == gp.smith_set(table)
            assert gp.schwartz_set(sparse) == gp.schwartz_set(table)


def test_sparse_games_warn_of_missing_pairs_like_tables():
    wins = np.array([[0, 1, 0, 2], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]])
    for game in (gp.from_counts(wins), gp.from_counts(csr_array(wins))):
        with pytest.warns(gp.MissingPairsWarning, match="^Smith set: 1 of the 3 pairs inside"):
            assert gp.smith_set(game) == (0, 1, 2)


def test_majorities_need_entries():
    game = gp.from_embeddings(np.eye(4))
    for function in (gp.condorcet_winner, gp.weak_condorcet_winners, gp.smith_set, gp.schwartz_set):
        with pytest.raises(gp.UnsupportedCombination, match="majorities need the entries of the payoff"):
            function(game)
    with pytest.raises(gp.UnsupportedCombination, match="cycles are looked for in tables, and this game has none"):
        gp.majority_cycle(gp.from_margins(csr_array((3, 3))))
