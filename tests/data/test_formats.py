"""Every format, on files small enough to work out by hand."""

from __future__ import annotations

import gzip
import io
import json
import pathlib
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gametheory_pref.data import Options, data_report, load, read, read_text
from gametheory_pref.errors import InputError
from gametheory_pref.games import MatrixGame, MultiplayerGame, PreferenceGame

RPS = [[0.5, 0.3, 0.9], [0.7, 0.5, 0.2], [0.1, 0.8, 0.5]]


def preference(text: str, **choices: Any) -> PreferenceGame:
    game = read(io.BytesIO(text.encode()), **choices)
    assert isinstance(game, PreferenceGame)
    return game


MATRICES = {
    "names": "x,rock,paper,scissors\nrock,0.5,0.3,0.9\npaper,0.7,0.5,0.2\nscissors,0.1,0.8,0.5\n",
    "blank corner": ",rock,paper,scissors\nrock,0.5,0.3,0.9\npaper,0.7,0.5,0.2\nscissors,0.1,0.8,0.5\n",
    "no corner": "rock,paper,scissors\nrock,0.5,0.3,0.9\npaper,0.7,0.5,0.2\nscissors,0.1,0.8,0.5\n",
    "columns only": "rock,paper,scissors\n0.5,0.3,0.9\n0.7,0.5,0.2\n0.1,0.8,0.5\n",
    "rows only": "rock,0.5,0.3,0.9\npaper,0.7,0.5,0.2\nscissors,0.1,0.8,0.5\n",
    "blank diagonal": ",rock,paper,scissors\nrock,,0.3,0.9\npaper,0.7,,0.2\nscissors,0.1,0.8,\n",
    "byte-order mark": "\ufeff,rock,paper,scissors\nrock,.5,.3,.9\npaper,.7,.5,.2\nscissors,.1,.8,.5\n",
    "semicolons": ";rock;paper;scissors\nrock;0.5;0.3;0.9\npaper;0.7;0.5;0.2\nscissors;0.1;0.8;0.5\n",
    "tabs": "\trock\tpaper\tscissors\nrock\t0.5\t0.3\t0.9\npaper\t0.7\t0.5\t0.2\nscissors\t0.1\t0.8\t0.5\n",
    "blanks": "rock paper scissors\nrock  0.5 0.3 0.9\npaper 0.7 0.5 0.2\nscissors 0.1 0.8 0.5",
    "carriage returns": "rock,paper,scissors\r\n.5,.3,.9\r\n.7,.5,.2\r\n.1,.8,.5\r\n",
    "blank lines": "\n,rock,paper,scissors\n\nrock,.5,.3,.9\npaper,.7,.5,.2\n\nscissors,.1,.8,.5\n\n",
    "quotes": ',"rock","paper","scissors"\n"rock",0.5,"0.3",0.9\n"paper",0.7,0.5,0.2\nscissors,0.1,0.8,0.5\n',
    "exponents": "rock paper scissors\n5e-1 3E-1 +.9\n0.7 .5 0.2\n1e-1 0.8 0.5",
}


@pytest.mark.parametrize("text", MATRICES.values(), ids=MATRICES.keys())
def test_layouts_of_a_matrix(text: str) -> None:
    game = preference(text)
    assert_allclose(game.preference, RPS, atol=1e-15)
    assert game.names == ("rock", "paper", "scissors")


def test_a_matrix_without_names() -> None:
    game = preference("0.5 0.7\n0.3 0.5")
    assert game.names == (0, 1)
    assert_allclose(game.preference, [[0.5, 0.7], [0.3, 0.5]])


def test_names_that_are_numbers() -> None:
    game = preference(",1,2\n1,0.5,0.7\n2,0.3,0.5\n")
    assert game.names == ("1", "2")
    assert_allclose(game.preference, [[0.5, 0.7], [0.3, 0.5]])


def test_names_with_commas_and_line_ends_inside_quotes() -> None:
    game = preference(',"a, b","c\nd"\n"a, b",0.5,0.7\n"c\nd",0.3,0.5\n')
    assert game.names == ("a, b", "c\nd")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_decides_the_encoding(encoding: str) -> None:
    game = read(io.BytesIO(",é,ü\né,0.5,0.7\nü,0.3,0.5\n".encode(encoding)))
    assert game.names == ("é", "ü")


def test_another_encoding_on_request() -> None:
    game = read(io.BytesIO(",é,ü\né,0.5,0.7\nü,0.3,0.5\n".encode("latin-1")), encoding="latin-1")
    assert game.names == ("é", "ü")


def test_kinds_of_a_matrix() -> None:
    counts = preference(",a,b\na,0,3\nb,1,0\n")
    assert_allclose(counts.preference[0, 1], 0.75)
    assert counts.votes is not None and counts.votes.n_comparisons == 4
    assert_allclose(preference(",a,b,c\na,0,3,4\nb,1,0,0\nc,4,0,0\n", kind="margin").payoff[0, 1], 2 / 16)
    assert_allclose(preference("0 0.4\n-0.4 0").preference[0, 1], 0.7)
    assert_allclose(preference("0 2\n-2 0", kind="scores").preference[0, 1], 1 / (1 + np.exp(-2)))


def test_large_margins_are_scaled_on_request_and_it_is_said() -> None:
    loaded = load(io.BytesIO(b"0 8 -2\n-8 0 4\n2 -4 0"), Options(kind="margin"))
    assert isinstance(loaded.game, PreferenceGame)
    assert_allclose(loaded.game.payoff, np.array([[0, 8, -2], [-8, 0, 4], [2, -4, 0]]) / 16)
    assert "divided by the largest, 8" in loaded.notes[0]


def test_points_play_the_lead_of_the_row() -> None:
    loaded = load(io.BytesIO(b"3 5\n0 1"), Options(kind="points"))
    assert isinstance(loaded.game, PreferenceGame)
    assert_allclose(loaded.game.preference, [[0.5, 1.0], [0.0, 0.5]])
    assert "M - M.T" in loaded.notes[0]


def test_payoffs_of_two_players() -> None:
    game = read(io.BytesIO(b"up,3,-1\ndown,-1,1\n"), kind="payoff")
    assert isinstance(game, MatrixGame)
    assert game.row_names == ("up", "down")
    assert_array_equal(game.row_payoff, [[3, -1], [-1, 1]])
    assert_array_equal(game.column_payoff, [[-3, 1], [1, -1]])


def test_scores_by_task_let_every_row_vote() -> None:
    game = preference("task,x,y,z\nt1,1,2,3\nt2,5,4,4\nt3,0,0,7\n", kind="scores-by-task")
    assert game.names == ("x", "y", "z")
    assert game.votes is not None
    assert_array_equal(game.votes.wins, [[0, 1, 1], [1, 0, 0], [2, 2, 0]])
    assert_array_equal(game.votes.ties, [[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    assert game.votes.first_wins is None
    assert game.votes.comparisons is not None and game.votes.comparisons.prompts == ("t1", "t2", "t3")


def test_win_rates_without_the_ties() -> None:
    text = ",a,b\na,,0.5\nb,0.3,\n"
    assert_allclose(preference(text, ties="half-missing").preference[0, 1], 0.6)
    assert_allclose(preference(text, ties="drop").preference[0, 1], 0.625)
    assert_allclose(preference(text, symmetrize=True).preference[0, 1], 0.6)


LOGS = {
    "arena": "model_a,model_b,winner\na,b,model_a\nb,a,model_a\na,b,tie\na,b,tie (bothbad)\nb,c,both_bad\n",
    "evalica": "left,right,winner\na,b,left\nb,a,left\na,b,tie\na,b,tie\nb,c,tie\n",
    "items": "item_a;item_b;winner\na;b;item_a\nb;a;item_a\na;b;tie\na;b;TIE\nb;c;Tie\n",
    "labels": "item_a\titem_b\twinner\na\tb\ta\nb\ta\tb\na\tb\ttie\na\tb\ttie\nb\tc\ttie\n",
    "more columns": 'id,model_a,text,model_b,winner\n1,a,"x, y\nz",b,model_a\n2,b,,a,model_a\n3,a,,b,tie\n'
    "4,a,,b,tie\n5,b,,c,tie\n",
    "one-hot": "model_a,model_b,winner_model_a,winner_model_b,winner_tie\na,b,1,0,0\nb,a,1,0,0\na,b,0,0,1\n"
    "a,b,0,0,1\nb,c,0,0,1\n",
    "JSON lines": '{"model_a": "a", "model_b": "b", "winner": "model_a"}\n'
    '{"model_a": "b", "model_b": "a", "winner": "model_a"}\n\n'
    '{"model_a": "a", "model_b": "b", "winner": "tie"}\n'
    '{"model_a": "a", "model_b": "b", "winner": "both_bad"}\n'
    '{"winner": "tie", "model_b": "c", "model_a": "b", "more": [1]}\n',
    "JSON list": json.dumps(
        [
            {"left": left, "right": right, "winner": winner}
            for left, right, winner in (
                ("a", "b", "left"),
                ("b", "a", "left"),
                ("a", "b", "tie"),
                ("a", "b", "tie"),
                ("b", "c", "tie"),
            )
        ]
    ),
    "JSON columns": json.dumps(
        {
            "model_a": ["a", "b", "a", "a", "b"],
            "model_b": ["b", "a", "b", "b", "c"],
            "winner": ["model_a", "model_a", "tie", "tie", "tie"],
        }
    ),
}


@pytest.mark.parametrize("text", LOGS.values(), ids=LOGS.keys())
def test_vocabularies_of_battle_logs(text: str) -> None:
    game = preference(text)
    assert game.names == ("a", "b", "c")
    assert game.votes is not None
    assert_array_equal(game.votes.wins, [[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    assert_array_equal(game.votes.ties, [[0, 2, 0], [2, 0, 1], [0, 1, 0]])
    assert game.votes.first_share == 1.0
    assert game.n_missing == 1


def test_extra_columns_of_a_log() -> None:
    text = "judge,prompt_id,model_a,model_b,winner,weight\nx,p,a,b,model_a,2\ny,p,a,b,model_b,0.5\n"
    game = preference(text)
    assert game.votes is not None and game.votes.comparisons is not None
    assert_allclose(game.preference[0, 1], 0.8)
    assert game.votes.comparisons.judges == ("x", "y")
    assert game.votes.comparisons.prompts == ("p",)
    alone = preference(text, judge="y")
    assert alone.preference[0, 1] == 0.0
    assert alone.votes is not None and "only the judgements of 'y' were used, 1 in number" in alone.votes.notes[0]


def test_winner_and_loser_say_nothing_about_position() -> None:
    game = preference("winner,loser\na,b\nb,a\na,b\n")
    assert_allclose(game.preference[0, 1], 2 / 3)
    assert game.votes is not None and game.votes.first_share is None


def test_rows_not_understood_can_be_left_out_and_are_counted() -> None:
    text = "model_a,model_b,winner\na,b,model_a\na,b,GPT!\na,a,tie\n"
    game = preference(text, skip_bad=True)
    assert game.votes is not None and game.votes.n_comparisons == 1
    assert game.votes.notes == ("2 of 3 rows were not understood and left out",)


@pytest.mark.parametrize(
    "text",
    [
        "item_a,item_b,wins_a,wins_b,ties\na,b,3,1,0\nc,a,0,0,2\nb,a,0,1,0\n",
        "model_b,wins_b,ties,wins_a,model_a\nb,1,0,3,a\na,0,2,0,c\na,1,0,0,b\n",
        '{"left": "a", "right": "b", "wins_left": 3, "wins_right": 1, "ties": 0}\n'
        '{"left": "c", "right": "a", "wins_left": 0, "wins_right": 0, "ties": 2}\n'
        '{"left": "b", "right": "a", "wins_left": 0, "wins_right": 1, "ties": 0}\n',
    ],
)
def test_counted_pairs(text: str) -> None:
    game = preference(text)
    order = [game.index(name) for name in "abc"]
    assert game.votes is not None
    assert_array_equal(game.votes.wins[np.ix_(order, order)], [[0, 4, 0], [1, 0, 0], [0, 0, 0]])
    assert_array_equal(game.votes.ties[np.ix_(order, order)], [[0, 0, 2], [0, 0, 0], [2, 0, 0]])
    assert game.votes.notes == ("rows that repeat a pair (1) were added to it",)


HEADER = "# TITLE: t\n# ALTERNATIVE NAME 1: A\n# ALTERNATIVE NAME 2: B\n# ALTERNATIVE NAME 3: C\n"


def test_ordinal_election() -> None:
    game = preference(HEADER + "2: 1,2,3\n1: {2,3},1\n")
    assert game.names == ("A", "B", "C")
    assert game.votes is not None
    assert_array_equal(game.votes.wins, [[0, 2, 2], [1, 0, 2], [1, 0, 0]])
    assert_array_equal(game.votes.ties, [[0, 0, 0], [0, 0, 1], [0, 1, 0]])


def test_unranked_alternatives_can_be_read_in_two_ways() -> None:
    text = HEADER + "4: 2\n1: 1,2\n"
    ignored, bottom = preference(text), preference(text, unranked="bottom")
    assert ignored.votes is not None and bottom.votes is not None
    assert_array_equal(ignored.votes.wins, [[0, 1, 0], [0, 0, 0], [0, 0, 0]])
    assert_array_equal(bottom.votes.wins, [[0, 1, 1], [4, 0, 5], [0, 0, 0]])
    assert_array_equal(bottom.votes.ties, [[0, 0, 4], [0, 0, 0], [4, 0, 0]])
    assert "5 of 5 voters left alternatives unranked" in ignored.votes.notes[0]


@pytest.mark.parametrize(("kind", "expected"), [("counts", 0.75), ("margin", 0.5 + 2 / (2 * 3))])
def test_weighted_pairs(kind: str, expected: float, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.pwg"
    path.write_text(HEADER + "3,1,2\n1,2,1\n3,3,1\n")
    game = read(path, kind=kind)
    assert isinstance(game, PreferenceGame)
    assert_allclose(game.preference[0, 1], expected)


PAYOFF_FORM = 'NFG 1 R "t" { "Ann" "Bob" } { 2 3 }\n\n1 -1 2 -2 3 -3 4 -4 5 -5 1/3 -1/3\n'
OUTCOME_FORM = """NFG 1 R "t" { "Ann" "Bob" }
{ { "u" "d" } { "l" "m" "r" } }
"comment with \\"quotes\\""
{ { "one" 1, -1 } { "" 2 -2 } { "" 3, -3 } { "" 4, -4 } { "" 5, -5 } { "" 1/3, -1/3 } }
1 2 3 4 5 6
"""


@pytest.mark.parametrize("text", [PAYOFF_FORM, OUTCOME_FORM], ids=["payoff", "outcome"])
def test_first_player_runs_fastest_in_a_gambit_game(text: str) -> None:
    game = read_text(text)
    assert isinstance(game, MatrixGame)
    assert_array_equal(game.row_payoff, [[1, 3, 5], [2, 4, 1 / 3]])
    assert_array_equal(game.column_payoff, -game.row_payoff)
    assert game.row_names == (("u", "d") if "u" in text.split("{ 2")[0] else ("1", "2"))


def test_an_antisymmetric_gambit_game_keeps_its_sign() -> None:
    game = read_text('NFG 1 R "rps" { "1" "2" } { 2 2 } 0 0 -1 1 1 -1 0 0')
    assert isinstance(game, MatrixGame)
    assert_array_equal(game.row_payoff, [[0, 1], [-1, 0]])


def test_outcome_zero_pays_nothing_and_three_players_are_a_tensor() -> None:
    game = read_text('NFG 1 D "" { "a" "b" "c" } { {"x" "y"} {"x"} {"x" "y"} } "" { { "" 1.5 2 3 } } 1 0 0 1')
    assert isinstance(game, MultiplayerGame)
    assert game.payoffs.shape == (3, 2, 1, 2)
    assert_array_equal(game.payoffs[0, :, 0, :], [[1.5, 0], [0, 1.5]])
    assert_array_equal(game.payoffs[2, :, 0, :], [[3, 0], [0, 3]])


def test_rationals_are_exact() -> None:
    from fractions import Fraction

    from gametheory_pref.data.gambit import parse_nfg

    form = parse_nfg('NFG 1 R "" { "a" "b" } { 2 1 } 1/3 0.1 -2.5e-3 7')
    assert form.payoffs[0].tolist() == [[Fraction(1, 3)], [Fraction(-1, 400)]]
    assert form.payoffs[1].tolist() == [[Fraction(1, 10)], [Fraction(7)]]


def test_strategies_of_one_name_are_numbered_and_it_is_said() -> None:
    loaded = load(io.BytesIO(b'NFG 1 R "" { "a" "b" } { {"x" "x"} {"y"} } 1 2 3 4'))
    assert loaded.game.names == (("x (1)", "x (2)"), ("y",))
    assert "'a'" in loaded.notes[0]


JSON = {
    "plain": {"names": ["a", "b"], "preference": [[0.5, 0.75], [0.25, 0.5]]},
    "counts": {"names": ["a", "b"], "wins": [[0, 2], [0, 0]], "ties": [[0, 2], [2, 0]]},
    "margins": {"names": ["a", "b"], "margins": [[0, 0.5], [-0.5, 0]]},
    "unnamed key": {"names": ["a", "b"], "M": [[0, 0.5], [-0.5, 0]]},
}


@pytest.mark.parametrize("data", JSON.values(), ids=JSON.keys())
def test_json_objects(data: dict[str, Any]) -> None:
    game = preference(json.dumps(data))
    assert game.names == ("a", "b")
    assert_allclose(game.preference, [[0.5, 0.75], [0.25, 0.5]])


@pytest.mark.parametrize("key", ["P", "preference"])
def test_arrays_by_name(key: str) -> None:
    stream = io.BytesIO()
    np.savez_compressed(stream, **{key: np.array([[0.5, 0.75], [0.25, 0.5]]), "names": np.array(["a", "b"])})
    stream.seek(0)
    game = read(stream)
    assert isinstance(game, PreferenceGame)
    assert game.names == ("a", "b")
    assert_allclose(game.preference, [[0.5, 0.75], [0.25, 0.5]])


def test_one_array_in_either_memory_order() -> None:
    for order in ("C", "F"):
        stream = io.BytesIO()
        np.save(stream, np.array([[0, 3], [1, 0]], order=order))  # type: ignore[call-overload]
        stream.seek(0)
        game = read(stream)
        assert isinstance(game, PreferenceGame)
        assert_allclose(game.preference[0, 1], 0.75)


@pytest.mark.parametrize("encoded", [False, True])
def test_parquet_log(tmp_path: pathlib.Path, encoded: bool) -> None:
    arrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    columns = {
        "model_a": ["a", "b", "a"],
        "model_b": ["b", "c", "b"],
        "winner": ["model_a", "tie", "model_b"],
    }
    table = arrow.table(
        {name: arrow.array(column).dictionary_encode() if encoded else column for name, column in columns.items()}
        | {"judge": ["x", None, "y"], "weight": [3, 1, 1], "text": [["not"], ["a"], ["label"]]}
    )
    pyarrow.parquet.write_table(table, tmp_path / "log.parquet")
    game = read(tmp_path / "log.parquet")
    assert isinstance(game, PreferenceGame) and game.votes is not None
    assert game.names == ("a", "b", "c")
    assert_allclose(game.preference[0, 1], 0.75)
    assert game.votes.comparisons is not None and game.votes.comparisons.judges == ("x", "", "y")
    pyarrow.parquet.write_table(
        arrow.table({"item_a": ["a"], "item_b": ["b"], "wins_a": [3], "wins_b": [1], "ties": [0]}),
        tmp_path / "pairs.parquet",
    )
    pairs = read(tmp_path / "pairs.parquet")
    assert isinstance(pairs, PreferenceGame)
    assert_allclose(pairs.preference[0, 1], 0.75)


@pytest.mark.parametrize(
    "text", [MATRICES["names"], LOGS["arena"], HEADER + "1: 1,2,3\n", PAYOFF_FORM, LOGS["JSON lines"]]
)
def test_gzip_and_unknown_names_change_nothing(text: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "data.unknown"
    path.write_bytes(gzip.compress(text.encode()))
    assert data_report(path).to_dict() == data_report(io.BytesIO(text.encode())).to_dict() | {"file": str(path)}


def test_text_streams_are_read_too() -> None:
    game = read(io.StringIO("0.5 0.7\n0.3 0.5"))
    assert isinstance(game, PreferenceGame)
    assert_allclose(game.preference[0, 1], 0.7)


def test_report_counts_aloud() -> None:
    text = "judge,model_a,model_b,winner\nx,a,b,model_a\ny,a,b,tie\ny,b,c,model_b\n"
    report = data_report(io.BytesIO(text.encode()))
    assert report.sentences == (
        "<stream>: CSV, battle log. A preference game of 3 responses.",
        "3 comparisons, 1 of them ties (half a win each); played as win rates.",
        "1 of 3 pairs were never compared.",
        "A compared pair has 1 to 2 comparisons.",
        "The log names 2 judges.",
        "The response shown first won 50.0 % of the decided comparisons.",
    )
    json.dumps(report.to_dict(), allow_nan=False)


def test_single_precision_arrays_pass_as_rounded(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "single.npy"
    np.save(path, np.array([[0.5, 1 / 3], [2 / 3, 0.5]], dtype=np.float32))
    game = read(path)
    np.testing.assert_allclose(game.preference, [[0.5, 1 / 3], [2 / 3, 0.5]], atol=1e-7)
    np.save(path, np.array([[0.5, 1 / 3], [0.666, 0.5]], dtype=np.float32))
    with pytest.raises(InputError, match="not 1"):
        read(path)


def test_a_blank_judge_is_nobody() -> None:
    game = read_text("model_a,model_b,winner,judge\na,b,model_a,x\na,b,model_b,\n", name="log.csv")
    report = data_report(game)
    assert report.n_judges == 1


def test_office_documents_and_percentages_are_named(tmp_path: pathlib.Path) -> None:
    import zipfile

    path = tmp_path / "table.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    with pytest.raises(InputError, match="export the table as CSV"):
        read(path)
    with pytest.raises(InputError, match=r"'70%' is a percentage; write the fraction"):
        read_text(",a,b\na,0.5,70%\nb,0.3,0.5\n", name="p.csv")
    with pytest.raises(InputError, match=r"= 1\.0000001, not 1"):
        read_text(",a,b\na,0.5,0.7000001\nb,0.3,0.5\n", name="p.csv")


def test_decimal_commas_between_semicolons() -> None:
    loaded = load(io.BytesIO(b";a;b\na;0,5;0,7\nb;0,3;0,5\n"), Options())
    assert isinstance(loaded.game, PreferenceGame)
    assert_allclose(loaded.game.preference, [[0.5, 0.7], [0.3, 0.5]])
    assert "decimal commas were read as decimal points" in loaded.notes
    for ambiguous in (";a;b\na;0;1,234\nb;2,500;0\n", ";a;b\na;0.5;0,7\nb;0,3;0.5\n"):
        with pytest.raises(InputError, match="decimal comma"):
            read_text(ambiguous, name="x.csv")


def test_the_report_counts_in_grammatical_sentences() -> None:
    even = data_report(read_text("item_a,item_b,wins_a,wins_b,ties\na,b,3,1,0\na,c,2,2,0\nb,c,4,0,0\n", name="p.csv"))
    assert "Each compared pair has 4 comparisons." in even.sentences
    uneven = data_report(read_text("item_a,item_b,wins_a,wins_b,ties\na,b,3,1,0\na,c,2,0,0\n", name="p.csv"))
    assert "A compared pair has 2 to 4 comparisons." in uneven.sentences
    one = data_report(read_text("model_a,model_b,winner,judge\na,b,model_a,x\n", name="log.csv"))
    assert "The log names 1 judge." in one.sentences
