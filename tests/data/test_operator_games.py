"""Games without a table in files and reports."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

import gametheory_pref as gp
from gametheory_pref.data import data_report
from gametheory_pref.data.json_format import game_from_dict, game_to_dict

WINS = csr_array([[0, 3, 0], [1, 0, 2], [0, 5, 0]])
TALL = np.array([[1.0, 0.0, -0.3], [0.0, 2.0, 0.0]])
EMBEDDINGS = np.random.default_rng(0).standard_normal((4, 2))

GAMES = {
    "counts": gp.from_counts(WINS, ties=csr_array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]), names=["a", "b", "c"]),
    "margin": gp.from_counts(WINS, kind="margin"),
    "sparse": gp.operator_game(csr_array([[0, 0.1], [-0.1, 0]]), names=["x", "y"]),
    "two players": gp.operator_game(csr_array(TALL), column_names=["l", "m", "r"]),
    "linear": gp.from_embeddings(EMBEDDINGS),
    "logistic": gp.from_embeddings(EMBEDDINGS, link="logistic", names=list("abcd")),
    "dense": gp.operator_game(TALL),
}


def entries(game):
    return np.column_stack([game.payoff @ column for column in np.eye(game.payoff.shape[1])])


@pytest.mark.parametrize("kind", GAMES)
def test_what_is_written_is_read_back_bit_for_bit(kind, tmp_path):
    game = GAMES[kind]
    gp.write(game, tmp_path / "game.json")
    copy = gp.read(tmp_path / "game.json")
    assert isinstance(copy, gp.OperatorGame)
    assert_array_equal(entries(copy), entries(game))
    assert (copy.names, copy.is_symmetric, repr(copy)) == (game.names, game.is_symmetric, repr(game))
    if game.votes is not None:
        assert (copy.votes.kind, copy.votes.n_ties) == (game.votes.kind, game.votes.n_ties)


def test_what_cannot_be_written_is_summarised_and_says_so(tmp_path, monkeypatch):
    game = gp.operator_game(lambda v: np.roll(v, 1) - np.roll(v, -1), shape=3, bound=1.0)
    saved = json.loads(json.dumps(game_to_dict(game)))
    assert saved["shape"] == [3, 3] and saved["row_names"] is None
    assert saved["payoff"]["note"] == "the payoff is not written, because it is known by its products only"
    with pytest.raises(gp.InputError, match=r"^this only says what the game was \(products by .*\); the payoff is not"):
        game_from_dict(saved)
    with pytest.raises(gp.UnsupportedCombination, match="known by its products only; keep what it was made from"):
        gp.write(game, tmp_path / "game.json")
    monkeypatch.setattr("gametheory_pref.data.operator_format.MOST_NUMBERS", 4)
    for large in GAMES.values():
        assert game_to_dict(large)["payoff"]["note"] == "the payoff is not written, because it is large"


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_counted_pairs_go_to_tables_and_come_back(suffix, tmp_path):
    gp.write(GAMES["counts"], tmp_path / f"pairs{suffix}")
    copy = gp.read(tmp_path / f"pairs{suffix}", table="sparse")
    assert copy.names == ("a", "b", "c")
    assert_array_equal(entries(copy), entries(GAMES["counts"]))


def test_a_log_goes_to_a_table_and_comes_back(tmp_path):
    game = gp.from_comparisons(["a", "b", "c"], ["b", "c", "a"], ["left", "tie", "right"], table="sparse")
    gp.write(game, tmp_path / "log.csv", layout="log")
    gp.write(game, tmp_path / "log.jsonl")
    for name in ("log.csv", "log.jsonl"):
        assert_array_equal(entries(gp.read(tmp_path / name, table="sparse")), entries(game))


def test_tables_refuse_what_they_cannot_hold(tmp_path):
    for name, game in (("x.csv", GAMES["linear"]), ("x.npz", GAMES["counts"]), ("x.nfg", GAMES["two players"])):
        with pytest.raises(gp.UnsupportedCombination, match="a game known by its products has no table for"):
            gp.write(game, tmp_path / name)
    lonely = gp.from_counts(csr_array(([1], ([0], [2])), shape=(3, 3)), names=["a", "b", "c"])
    with pytest.raises(gp.UnsupportedCombination, match="^1 responses were never compared, 'b' first"):
        gp.write(lonely, tmp_path / "x.csv")


DAMAGED = [
    ("counts", {"low": [0]}, "^the columns of payoff differ in length"),
    ("counts", {"low": [1, 1], "high": [1, 2]}, "^payoff must list pairs in order"),
    ("counts", {"high": [1, 3]}, r"^payoff\.high must hold whole numbers from 0 to 2"),
    ("counts", {"ties": [-1.0, 0.0]}, "^payoff must list pairs in order"),
    ("counts", {"kind": "odds"}, r"^payoff\.kind must be one of rate, margin"),
    ("sparse", {"values": [0.1]}, "^the columns of payoff differ in length"),
    ("sparse", {"values": [0.1, 0.1]}, "^payoff must be skew-symmetric"),
    ("sparse", {"values": [0.1, None]}, r"^payoff\.values"),
    ("logistic", {"link": "probit"}, "^link must be one of linear, logistic"),
    ("dense", {"form": "odd"}, r"^payoff\.form must be one of"),
]


@pytest.mark.parametrize(("kind", "change", "message"), DAMAGED)
def test_damaged_files_are_refused(kind, change, message):
    data = game_to_dict(GAMES[kind])
    data["payoff"] |= change
    with pytest.raises(gp.InputError, match=message):
        game_from_dict(data)


def test_a_report_says_that_the_game_is_sparse():
    report = data_report(GAMES["counts"])
    assert report.sentences == (
        "A preference game of 3 responses, without a table: sparse, 4 entries.",
        "12 comparisons, 1 of them ties (half a win each); played as win rates.",
        "1 of 3 pairs were never compared.",
        "A compared pair has 5 to 7 comparisons.",
    )
    assert data_report(GAMES["two players"]).sentences == (
        "A zero-sum game of two players with 2 x 3 actions, without a table: sparse, 3 entries.",
    )
    assert json.loads(json.dumps(report.to_dict()))["payoff"] == "sparse, 4 entries"
