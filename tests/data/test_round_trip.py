"""What is written and read again is the same game."""

from __future__ import annotations

import io
import json
import pathlib
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from gametheory_pref.data import load, read, write
from gametheory_pref.data.json_format import game_from_dict, game_to_dict
from gametheory_pref.data.preflib import Ballots, parse_ballots
from gametheory_pref.errors import InputError, UnsupportedCombination
from gametheory_pref.games import (
    Game,
    MatrixGame,
    PreferenceGame,
    from_margins,
    matrix_game,
    multiplayer_game,
)
from gametheory_pref.games.comparisons import WINNER_WORDS, from_comparisons
from gametheory_pref.games.votes import from_counts

PAYOFFS = st.floats(-1e6, 1e6, allow_subnormal=False)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
AWKWARD = st.sampled_from(
    ["a,b", 'say "x"', "x;y", "x\ty", "new\nline", "a\r\nb", "1", "-0.5", "nan", "model_a", "é", "#"]
)
NAMES = (TEXT | AWKWARD).filter(lambda name: bool(name.strip()) and name == name.strip())


def names(count: int) -> st.SearchStrategy[list[str]]:
    return st.lists(NAMES, min_size=count, max_size=count, unique=True)


@st.composite
def margin_games(draw: st.DrawFn) -> PreferenceGame:
    n = draw(st.integers(2, 5))
    upper = np.triu(draw(arrays(np.float64, (n, n), elements=st.floats(-1, 1))), 1)
    return from_margins(upper - upper.T, names=draw(names(n)))


@st.composite
def count_games(draw: st.DrawFn) -> PreferenceGame:
    n = draw(st.integers(2, 5))
    wins = draw(arrays(np.int64, (n, n), elements=st.integers(0, 9)))
    ties = np.triu(draw(arrays(np.int64, (n, n), elements=st.integers(0, 3))), 1)
    np.fill_diagonal(wins, 0)
    wins[0, 1] += 1
    return from_counts(wins, ties=ties + ties.T, names=draw(names(n)), kind=draw(st.sampled_from(["rate", "margin"])))


@st.composite
def log_games(draw: st.DrawFn) -> PreferenceGame:
    responses = [name for name in draw(names(3)) if name.lower() not in WINNER_WORDS]
    if len(responses) < 2:
        responses = ["a", "b"]
    pair = st.permutations(responses).map(lambda order: tuple(order[:2]))
    rows = draw(st.lists(st.tuples(pair, st.sampled_from(["left", "right", "tie"])), min_size=1, max_size=9))
    m = len(rows)
    return from_comparisons(
        [row[0][0] for row in rows],
        [row[0][1] for row in rows],
        [row[1] for row in rows],
        weight=draw(st.none() | st.lists(st.floats(0.5, 9), min_size=m, max_size=m)),
        judge=draw(st.none() | st.lists(st.sampled_from(["x", "y"]), min_size=m, max_size=m)),
        prompt=draw(st.none() | st.lists(st.sampled_from(["p", "q, r"]), min_size=m, max_size=m)),
        ties=draw(st.sampled_from(["half", "drop"])) if any(row[1] != "tie" for row in rows) else "half",
    )


@st.composite
def two_player_games(draw: st.DrawFn) -> MatrixGame:
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    payoffs = [draw(arrays(np.float64, shape, elements=PAYOFFS)) for _ in range(2)]
    return matrix_game(*payoffs, row_names=draw(names(shape[0])), column_names=draw(names(shape[1])))


@st.composite
def many_player_games(draw: st.DrawFn) -> Game:
    shape = draw(st.lists(st.integers(1, 3), min_size=3, max_size=4))
    payoffs = draw(arrays(np.float64, (len(shape), *shape), elements=PAYOFFS))
    return multiplayer_game(payoffs, names=[draw(names(count)) for count in shape])


ANY_GAME = margin_games() | count_games() | log_games() | two_player_games() | many_player_games()


def through(game: Game, name: str, **choices: Any) -> Game:
    """Write `game` under `name` and read it again."""
    layout = choices.pop("layout", "auto")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / name
        write(game, path, layout=layout)
        return read(path, **choices)


def tensors(game: Game) -> list[Any]:
    if isinstance(game, PreferenceGame):
        return [game.payoff, -game.payoff]
    if isinstance(game, MatrixGame):
        return [game.row_payoff, game.column_payoff]
    return list(game.payoffs)


def assert_same(game: Game, again: Game) -> None:
    assert type(again) is type(game)
    assert again.names == game.names
    assert_array_equal(tensors(again), tensors(game))


@settings(max_examples=40, deadline=None)
@given(ANY_GAME)
def test_json_keeps_everything_bit_for_bit(game: Game) -> None:
    again = through(game, "game.json")
    assert_same(game, again)
    assert game_to_dict(again) == game_to_dict(game)
    if isinstance(game, PreferenceGame) and game.votes is not None:
        assert isinstance(again, PreferenceGame) and again.votes is not None
        assert again.votes.kind == game.votes.kind
        assert_array_equal(again.votes.wins, game.votes.wins)
        assert_array_equal(again.votes.ties, game.votes.ties)
        assert again.votes.first_share == game.votes.first_share


@settings(max_examples=40, deadline=None)
@given(ANY_GAME)
def test_gambit_keeps_the_payoffs_bit_for_bit(game: Game) -> None:
    again = through(game, "game.nfg")
    assert_array_equal(tensors(again), tensors(game))
    expected = (game.names, game.names) if isinstance(game, PreferenceGame) else game.names
    assert again.names == expected


@settings(max_examples=40, deadline=None)
@given(margin_games() | count_games() | log_games())
def test_arrays_keep_the_game_bit_for_bit(game: PreferenceGame) -> None:
    assert_same(game, through(game, "game.npz"))


@settings(max_examples=40, deadline=None)
@given(margin_games() | count_games(), st.sampled_from(["game.csv", "game.tsv"]))
def test_matrix_table_keeps_the_probabilities(game: PreferenceGame, name: str) -> None:
    again = through(game, name, layout="matrix", kind="prob")
    assert isinstance(again, PreferenceGame)
    assert again.names == game.names
    assert_allclose(again.preference, game.preference, rtol=0, atol=2.3e-16)


@settings(max_examples=40, deadline=None)
@given(count_games(), st.sampled_from(["game.csv", "game.tsv"]))
def test_pairs_keep_the_counts(game: PreferenceGame, name: str) -> None:
    assert game.votes is not None
    again = through(game, name, layout="pairs", kind=game.votes.kind)
    assert isinstance(again, PreferenceGame) and again.votes is not None
    order = [again.names.index(label) for label in game.names]
    assert_array_equal(again.votes.wins[np.ix_(order, order)], game.votes.wins)
    assert_array_equal(again.votes.ties[np.ix_(order, order)], game.votes.ties)
    assert_array_equal(again.payoff[np.ix_(order, order)], game.payoff)


@settings(max_examples=40, deadline=None)
@given(log_games(), st.sampled_from(["game.csv", "game.tsv", "game.jsonl"]))
def test_log_keeps_every_judgement(game: PreferenceGame, name: str) -> None:
    again = through(game, name, layout="log")
    assert isinstance(again, PreferenceGame)
    assert game.votes is not None and again.votes is not None
    log, new = game.votes.comparisons, again.votes.comparisons
    assert log is not None and new is not None
    assert new.names == log.names
    for field in ("left", "right", "outcome", "weight", "judge", "prompt"):
        assert_array_equal(getattr(new, field), getattr(log, field))
    assert (new.judges, new.prompts) == (log.judges, log.prompts)


@st.composite
def ballots(draw: st.DrawFn) -> Ballots:
    n = draw(st.integers(2, 5))
    m = draw(st.integers(1, 5))
    ranks = np.full((m, n), np.nan)
    for row in ranks:
        ranked = draw(st.lists(st.integers(0, n - 1), min_size=1, unique=True))
        places = draw(st.lists(st.integers(1, n), min_size=len(ranked), max_size=len(ranked)))
        row[ranked] = np.unique(places, return_inverse=True)[1] + 1
    counts = draw(arrays(np.float64, m, elements=st.integers(1, 20)))
    labels = draw(st.lists(NAMES.filter(lambda s: s.isprintable()), min_size=n, max_size=n, unique=True))
    return Ballots(tuple(labels), ranks, counts, "title")


@settings(max_examples=40, deadline=None)
@given(ballots())
def test_ballots(election: Ballots) -> None:
    again = parse_ballots(election.to_text())
    assert again.names == election.names
    assert_array_equal(again.ranks, election.ranks)
    assert_array_equal(again.counts, election.counts)


@settings(max_examples=40, deadline=None)
@given(ballots())
def test_votes_of_ballots_equal_a_count_one_by_one(election: Ballots) -> None:
    n = len(election.names)
    wins, ties = np.zeros((n, n)), np.zeros((n, n))
    for count, ranks in zip(election.counts, election.ranks, strict=True):
        for i in range(n):
            for j in range(n):
                wins[i, j] += count * (ranks[i] < ranks[j])
                ties[i, j] += count * (i != j and ranks[i] == ranks[j])
    votes = election.votes()
    assert_array_equal(votes.wins, wins)
    assert_array_equal(votes.ties, ties)


def test_the_same_game_gives_the_same_bytes(tmp_path: pathlib.Path) -> None:
    game = from_counts([[0, 3], [1, 0]], names=["a", "b"])
    for suffix in (".csv", ".tsv", ".json", ".npz", ".nfg"):
        write(game, tmp_path / f"1{suffix}")
        write(game, tmp_path / f"2{suffix}")
        assert (tmp_path / f"1{suffix}").read_bytes() == (tmp_path / f"2{suffix}").read_bytes()


def test_counts_go_out_as_pairs_and_the_rest_as_a_matrix(tmp_path: pathlib.Path) -> None:
    write(from_counts([[0, 3], [1, 0]], names=["a", "b"]), tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == "item_a,item_b,wins_a,wins_b,ties\na,b,3,1,0\n"
    write(from_margins([[0, 0.5], [-0.5, 0]], names=["a", "b"]), tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text() == ",a,b\na,0.5,0.75\nb,0.25,0.5\n"


def test_a_response_never_compared_stays_in_the_table_of_pairs(tmp_path: pathlib.Path) -> None:
    write(from_counts([[0, 3, 0], [1, 0, 0], [0, 0, 0]], names=["a", "b", "c"]), tmp_path / "x.csv")
    again = load(tmp_path / "x.csv").game
    assert again.names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("suffix", "layout", "message"),
    [
        (".csv", "log", "not made from a log of judgements"),
        (".csv", "pairs", "no whole counts"),
        (".jsonl", "auto", "not made from a log of judgements"),
        (".toc", "auto", "holds ballots"),
    ],
)
def test_what_a_game_has_not_cannot_be_written(suffix: str, layout: Any, message: str, tmp_path: pathlib.Path) -> None:
    game = from_margins([[0, 0.5], [-0.5, 0]])
    with pytest.raises(UnsupportedCombination, match=message):
        write(game, tmp_path / f"x{suffix}", layout=layout)


def test_names_that_a_table_would_change_are_refused(tmp_path: pathlib.Path) -> None:
    for name in ("", " a", "a\n"):
        with pytest.raises(InputError, match="empty or has blanks around it"):
            write(from_margins([[0, 0.5], [-0.5, 0]], names=[name, "b"]), tmp_path / "x.csv")


def test_a_folder_that_is_not_there(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write(from_margins([[0, 0.5], [-0.5, 0]]), tmp_path / "nowhere" / "x.json")


def _edited(data: dict[str, Any], path: Sequence[Any], value: Any) -> dict[str, Any]:
    data = json.loads(json.dumps(data))
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["schema"], "gtpref.game/2", "this version reads"),
        (["type"], "auction", "type must be one of"),
        (["names"], ["a", "a"], "names has 'a' twice"),
        (["names"], "ab", "must be a list of names"),
        (["votes", "left"], [0, 5], "votes.left must hold whole numbers from 0 to 1"),
        (["votes", "left"], [1, 1], "name the same response"),
        (["votes", "outcome"], [0.5, 1], "votes.outcome must hold whole numbers from -1 to 1"),
        (["votes", "weight"], [1, -1], r"votes.weight must be from 0 to 2\*\*53"),
        (["votes", "judge"], [0], "judge must hold whole numbers|differ in length"),
        (["votes", "kind"], "mean", "votes.kind must be one of"),
        (["votes"], 7, "votes must be an object"),
        (["votes", "notes"], [1], "votes.notes must be a list of sentences"),
    ],
)
def test_edited_json_is_checked(path: list[Any], value: Any, message: str) -> None:
    data = game_to_dict(from_comparisons(["a", "a"], ["b", "b"], ["left", "tie"], judge=["x", "y"]))
    assert isinstance(game_from_dict(data), PreferenceGame)
    with pytest.raises(InputError, match=message):
        read(io.StringIO(json.dumps(_edited(data, path, value))))


def test_ballots_go_to_a_file_and_back(tmp_path: pathlib.Path) -> None:
    from gametheory_pref.data import read_ballots

    election = Ballots(("A", "B", "C"), np.array([[1, 2, 2], [np.nan, 1, np.nan]]), np.array([3.0, 2.0]), "t")
    assert election.data_type() == "toi"
    path = tmp_path / "x.toi"
    path.write_text(election.to_text())
    assert path.read_text().endswith("3: 1,{2,3}\n2: 2\n")
    again = read_ballots(path)
    assert (again.names, again.title, again.n_voters) == (("A", "B", "C"), "t", 5)
    path.write_text("# ALTERNATIVE NAME 1: A\n# ALTERNATIVE NAME 2: B\n1: 3\n")
    with pytest.raises(InputError, match="x.toi: line 3: alternative 3 is not among the 2"):
        read_ballots(path)
    with pytest.raises(InputError, match="PrefLib cannot hold the name"):
        Ballots(("A\nB", "C"), np.array([[1.0, 2.0]]), np.array([1.0])).to_text()


def test_dropped_ties_of_an_election_are_said() -> None:
    from gametheory_pref.data import Options

    votes = Ballots(("A", "B"), np.array([[1.0, 1.0], [1.0, 2.0]]), np.array([3.0, 2.0])).votes(Options(ties="drop"))
    assert votes.n_comparisons == 2
    assert votes.notes == ("3 ties were left out",)
