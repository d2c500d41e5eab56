"""The bundled data: readable, attributed, and equal to their sources where those are at hand."""

from __future__ import annotations

import pytest
from numpy.testing import assert_array_equal

import gametheory_pref as gp
from gametheory_pref.datasets import dataset_names, dataset_path


def test_every_data_set_is_a_game_and_attributed():
    readme = dataset_path("govan_2007").with_name("README.md").read_text(encoding="utf-8")
    assert dataset_names() == ("arena_top8", "govan_2007", "pandalm_human")
    for name in dataset_names():
        game = gp.read(dataset_path(name))
        assert game.n_missing == 0
        assert f"`{name}.csv`" in readme


def test_unknown_names_are_refused():
    with pytest.raises(gp.InputError, match="govan_2007"):
        dataset_path("govan")


@pytest.mark.parametrize("name", dataset_names())
def test_the_numbers_are_those_of_the_source(shared_data, name):
    mine = gp.read(dataset_path(name))
    source = {
        "pandalm_human": "pairwise/pandalm_human.csv",
        "govan_2007": "elections/00008-00000009.toc",
        "arena_top8": "pairwise/arena_complete_20240329.csv",
    }[name]
    theirs = gp.read(shared_data / source)
    dropped = ("-20240229", "-2402")
    known = [next((s for s in (str(x).removesuffix(d) for d in dropped) if s != x), x) for x in theirs.names]
    position = [known.index(label) for label in mine.names]
    assert_array_equal(mine.votes.wins, theirs.votes.wins[position][:, position])
    assert_array_equal(mine.votes.ties, theirs.votes.ties[position][:, position])


def test_govan_is_a_cycle_in_which_nobody_wins():
    game = gp.read(dataset_path("govan_2007"))
    assert gp.condorcet_winner(game) is None
    assert len(gp.majority_cycle(game)) == 3
    assert game.votes.totals[0, 1] == 9560
