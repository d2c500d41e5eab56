"""``gtpref data info | check | convert``."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.sparse import csr_array

import gametheory_pref as gp


def test_info_says_what_a_file_holds(run, four):
    result = run("data", "info", str(four))
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"{four}: CSV, ")
    assert "A preference game of 4 responses.\n" in result.out
    assert "Responses         rock, paper, scissors, lizard\n" in result.out
    assert "Smith set         rock, paper, scissors\n" in result.out
    payload = json.loads(run("data", "info", str(four), "--json").out)
    assert list(payload) == ["schema", "data", "majority"]
    assert payload["schema"] == "gtpref.data.info/1"
    assert payload["data"]["names"] == ["rock", "paper", "scissors", "lizard"]


def test_info_of_many_players(run, tmp_path):
    path = tmp_path / "game.nfg"
    path.write_text('NFG 1 R "3" { "A" "B" "C" } { 1 1 2 }\n1 2 3 4 5 6\n', encoding="utf-8")
    result = run("data", "info", str(path))
    assert "A game of 3 players with 1 x 1 x 2 actions.\n" in result.out
    assert "Player 3" in result.out
    payload = json.loads(run("data", "info", str(path), "--json").out)
    assert payload["data"]["shape"] == [1, 1, 2]
    assert payload["majority"] is None


def test_check_passes_a_game(run, four):
    result = run("data", "check", str(four))
    assert (result.code, result.out, result.err) == (0, "ok: 4 responses\n", "")
    payload = json.loads(run("data", "check", str(four), "--json").out)
    assert payload["schema"] == "gtpref.data.check/1"
    assert (payload["ok"], payload["reason"]) == (True, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0.5,0.6\n0.6,0.5\n", "--symmetrize"),
        ("0.5,nan\n0.5,0.5\n", "line 1"),
        ("0.5,0.5\n0.5\n", "line 2"),
        ("", "empty"),
        ("model_a,model_b,winner\nx,y,GPT!\n", "GPT!"),
    ],
)
def test_check_fails_with_the_sentence(run, tmp_path, text, says):
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    result = run("data", "check", str(path))
    assert result.code == 1
    assert result.out.startswith(f"not a game: {path}: ")
    assert says in result.out
    assert result.err == ""
    payload = json.loads(run("data", "check", str(path), "--json").out)
    assert payload["ok"] is False
    assert payload["file"] == str(path)
    assert says in payload["reason"] or says == f"line {payload['line']}"
    assert run("solve", str(path)).code == 2


def test_check_can_be_quiet(run, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("1,2\n", encoding="utf-8")
    assert run("data", "check", str(path), "--quiet") == (1, "", "")


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".json", ".npz"])
def test_convert_keeps_the_game(run, four, tmp_path, suffix):
    target = tmp_path / f"game{suffix}"
    result = run("data", "convert", str(four), str(target))
    assert (result.code, result.out, result.err) == (0, "", f"gtpref: wrote {target}\n")
    before, after = gp.read(four), gp.read(target)
    assert after.names == before.names
    # A table holds P, which is one rounding away from the payoff P - 1/2.
    np.testing.assert_allclose(after.payoff, before.payoff, rtol=0, atol=1e-16)


def test_convert_keeps_counts(run, tmp_path):
    target = tmp_path / "govan.json"
    payload = json.loads(run("data", "convert", "dataset:govan_2007", str(target), "--json").out)
    assert payload["schema"] == "gtpref.data.convert/1"
    assert payload["output"] == str(target)
    assert gp.read(target).votes.n_ties == 8941


def test_convert_refuses_an_unknown_format(run, four, tmp_path):
    result = run("data", "convert", str(four), str(tmp_path / "game.xyz"))
    assert result.code == 2
    assert ".xyz" in result.err
    assert not (tmp_path / "game.xyz").exists()


def test_info_says_that_a_game_is_sparse(run, tmp_path):
    path = tmp_path / "game.json"
    gp.write(gp.from_counts(csr_array([[0, 3, 0], [1, 0, 2], [0, 5, 0]]), names=["a", "b", "c"]), path)
    result = run("data", "info", str(path))
    assert result.code == 0
    assert "A preference game of 3 responses, without a table: sparse, 4 entries." in result.out
    assert "Responses         a, b, c" in result.out
    assert json.loads(run("data", "info", str(path), "--json").out)["majority"]["condorcet_winner"] is None
    ok = "ok: 3 responses, sparse, 4 entries, 11 comparisons (0 ties), 1 pair never compared\n"
    assert run("data", "check", str(path)).out == ok
    assert run("data", "convert", str(path), str(tmp_path / "pairs.csv")).code == 0
    assert gp.read(tmp_path / "pairs.csv").votes.n_comparisons == 11
