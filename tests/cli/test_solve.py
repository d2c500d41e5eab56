"""``gtpref solve``: what is printed, what is written, and that it is the right answer."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref.certificate import Certificate
from gametheory_pref.cli import answering

GOLDEN = """\
4 responses
Condorcet winner  none: cycle rock > paper > scissors > rock
Smith set         rock, paper, scissors

          Minimax Winner
rock      0.3750 █████████
paper     0.3750 █████████
scissors  0.2500 ██████
lizard    0

Answer       unique
Win rate     at least 0.5000 against every response
Certificate  duality gap GAP in win probability, recomputed from the game
Solved       in TIME by simplex
"""


def without_measurements(text: str) -> str:
    """Return the transcript with the numbers that differ between machines replaced."""
    text = re.sub(r"duality gap \S+", "duality gap GAP", text)
    return re.sub(r"in \S+ m?s by", "in TIME by", text)


def first_row(text: str) -> str:
    """Return the name at the top of the printed table."""
    lines = text.splitlines()
    title = next(i for i, line in enumerate(lines) if line.strip().startswith("Minimax Winner"))
    return lines[title + 1].split()[0]


def test_the_whole_text_of_a_small_game(run, four):
    result = run("solve", str(four))
    assert (result.code, result.err) == (0, "")
    assert without_measurements(result.out) == GOLDEN


def test_the_winner_changes_when_the_matrix_is_transposed(run, four):
    rows = [line.split(",") for line in four.read_text(encoding="utf-8").split()]
    turned = "\n".join(",".join(column) for column in zip(*rows, strict=True))
    assert first_row(run("solve", str(four)).out) == "rock"
    result = run("solve", "-", stdin=turned.encode())
    assert first_row(result.out) == "lizard"
    assert "Condorcet winner  lizard" in result.out


def test_standard_input_gives_the_same_text(run, four):
    from_file = run("solve", str(four))
    piped = run("solve", "-", stdin=four.read_bytes())
    assert without_measurements(piped.out) == without_measurements(from_file.out)


def test_counts_say_what_was_counted(run):
    result = run("solve", "dataset:pandalm_human")
    assert result.out.startswith("5 responses, 2,997 comparisons (326 ties), 0 pairs never compared\n")
    assert "Condorcet winner  llama-7b\n" in result.out


def test_a_battle_log_reports_judges_position_and_missing_pairs(run, tmp_path):
    log = tmp_path / "log.csv"
    rows = ["model_a,model_b,winner,judge"]
    rows += ["x,y,model_a,ann"] * 9 + ["y,z,model_a,bob"] * 3 + ["z,w,tie,bob"]
    log.write_text("\n".join(rows), encoding="utf-8")
    result = run("solve", str(log))
    assert result.out.startswith("4 responses, 13 comparisons (1 tie), 3 pairs never compared, 2 judges\n")
    assert "note: the response shown first won 100.0% of the decided comparisons" in result.out
    assert "never compared and count as ties" in result.out
    only = run("solve", str(log), "--judge", "bob")
    assert "4 comparisons" in only.out
    refused = run("solve", str(log), "--missing", "error")
    assert refused.code == 2
    assert "never compared" in refused.err


def test_temperature_shows_both_policies(run, four):
    result = run("solve", str(four), "--temperature", "0.5")
    game = gp.read(four)
    regularized = gp.solve(game, temperature=0.5)
    assert "KL-regularised, temperature 0.5" in result.out
    for name, p in zip(game.names, regularized.policy, strict=True):
        row = next(line for line in result.out.splitlines() if line.startswith(f"{name} "))
        assert f"{p:.4f}" in row
    worst = float((0.5 - game.payoff @ regularized.policy).min())
    assert f"at least {worst:.4f}, against" in result.out


def test_json_is_stable_and_complete(run, four):
    result = run("solve", str(four), "--json", "--temperature", "0.25")
    payload = json.loads(result.out)
    assert list(payload) == ["schema", "data", "majority", "solution", "minimax"]
    assert payload["schema"] == "gtpref.solve/1"
    data = payload["data"]
    assert set(data) >= {"schema", "file", "format", "game", "shape", "names", "n_comparisons", "notes"}
    assert (data["game"], data["shape"], data["n_comparisons"]) == ("preference", [4], None)
    assert data["names"] == ["rock", "paper", "scissors", "lizard"]
    assert payload["majority"] == {
        "condorcet_winner": None,
        "weak_condorcet_winners": [],
        "cycle": ["rock", "paper", "scissors"],
        "smith_set": ["rock", "paper", "scissors"],
        "schwartz_set": ["rock", "paper", "scissors"],
        "note": None,
    }
    back = gp.Solution.from_dict(payload["solution"])
    expected = gp.solve(gp.read(four), temperature=0.25)
    assert_allclose(back.policy, expected.policy, rtol=0, atol=1e-14)
    assert back.gap == payload["solution"]["gap"]
    assert_allclose(payload["minimax"]["policy"], [0.375, 0.375, 0.25, 0], atol=1e-12)


def test_json_of_votes(run):
    payload = json.loads(run("solve", "dataset:govan_2007", "--json", "--exact").out)
    data = payload["data"]
    assert (data["kind"], data["n_comparisons"], data["n_ties"]) == ("rate", 28680.0, 8941.0)
    assert data["n_missing"] == 0
    assert (data["first_share"], data["n_judges"]) == (None, None)
    assert payload["solution"]["certificate"]["unique"] is True
    assert payload["solution"]["certificate"]["proof"] is not None


def test_json_leaves_out_single_judgements(run, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("model_a,model_b,winner,judge\n" + "x,y,model_a,ann\n" * 500, encoding="utf-8")
    payload = json.loads(run("solve", str(log), "--json").out)
    assert payload["data"]["n_judges"] == 1
    assert payload["solution"]["game"]["votes"]["wins"] == [[0.0, 500.0], [0.0, 0.0]]
    assert "outcome" not in payload["solution"]["game"]["votes"]
    assert gp.Solution.from_dict(payload["solution"]).policy.tolist() == [1.0, 0.0]


def test_exact_prints_fractions(run):
    result = run("solve", "dataset:govan_2007", "--exact")
    assert result.code == 0
    assert "Exact        Allison Hunter 602/709, Stephen Dornan 86/709, John Flanagan 21/709\n" in result.out
    assert "Proof        verified in rational arithmetic, from rates of win counts\n" in result.out


def test_a_proof_that_does_not_verify_is_code_1(run, monkeypatch):
    monkeypatch.setattr(Certificate, "verify", lambda self: False)
    result = run("solve", "dataset:govan_2007", "--exact")
    assert result.code == 1
    assert "NOT verify" in result.out


def test_exact_refuses_what_it_cannot_prove(run, four):
    result = run("solve", str(four), "--exact", "--temperature", "0.1")
    assert result.code == 2
    assert "temperature 0" in result.err


def test_a_winner_that_is_not_unique_says_so(run):
    # Two identical halves of rock-paper-scissors: the clones share the mass in any proportion.
    table = [[0, 1, -1, 0], [-1, 0, 1, -1], [1, -1, 0, 1], [0, 1, -1, 0]]
    text = "\n".join(",".join(str(0.5 + value / 2) for value in row) for row in table)
    result = run("solve", "-", stdin=text.encode())
    assert "Answer       not unique: the winners form a set of dimension 1 on 4 responses\n" in result.out
    assert "shown is the one of maximum entropy\n" in result.out
    assert result.out.count("0.1667") == 2
    simplex = run("solve", "-", "--method", "simplex", stdin=text.encode())
    assert "shown is the one that simplex met first\n" in simplex.out


def test_ties_without_a_cycle_are_called_ties(run):
    result = run("solve", "-", stdin=b"0.5,0.5,0.7\n0.5,0.5,0.7\n0.3,0.3,0.5\n")
    assert "Condorcet winner  none: 0, 1 lost to nobody, but tied\n" in result.out


def test_a_method_or_tolerance_that_misses_is_code_3(run, four, monkeypatch):
    solve = gp.solve

    def short_of_the_tolerance(*args, **kwargs):
        from dataclasses import replace

        return replace(
            solve(*args, **kwargs), status=gp.Status.STEP_LIMIT, message="the step limit came first"
        )

    monkeypatch.setattr(answering, "solve", short_of_the_tolerance)
    result = run("solve", str(four))
    assert result.code == 3
    assert "NOT CONVERGED: the step limit came first" in result.out
    assert json.loads(run("solve", str(four), "--json").out)["solution"]["converged"] is False


def test_tolerance_and_method_reach_the_solver(run, four, monkeypatch):
    seen = []
    solve = gp.solve

    def spy(game, method="auto", **kwargs):
        seen.append((method, kwargs))
        return solve(game, method, **kwargs)

    monkeypatch.setattr(answering, "solve", spy)
    assert run("solve", str(four), "--method", "simplex", "--tol", "1e-8").code == 0
    assert seen == [("simplex", {"temperature": 0.0, "tol": 1e-8})]
    unknown = run("solve", str(four), "--method", "magic")
    assert unknown.code == 2
    assert "magic" in unknown.err


def test_two_player_zero_sum_games(run, tmp_path):
    path = tmp_path / "game.nfg"
    path.write_text('NFG 1 R "2 x 2" { "Row" "Column" } { 2 2 }\n3 -3 -1 1 -1 1 1 -1\n', encoding="utf-8")
    result = run("solve", str(path))
    assert result.code == 0
    assert result.out.startswith("two-player zero-sum game, 2 x 2\n")
    assert "Value        0.3333333333 to the row player\n" in result.out
    assert result.out.count("0.6667") == 2
    payload = json.loads(run("solve", str(path), "--json").out)
    assert payload["majority"] is None
    assert payload["minimax"] is None
    assert_allclose(payload["solution"]["policy"], [[1 / 3, 2 / 3], [1 / 3, 2 / 3]], atol=1e-12)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('NFG 1 R "pd" { "A" "B" } { 2 2 }\n2 2 3 0 0 3 1 1\n', "do not add up to a constant"),
        ('NFG 1 R "3" { "A" "B" "C" } { 1 1 2 }\n1 2 3 4 5 6\n', "3 players"),
    ],
)
def test_other_games_are_refused_with_a_sentence(run, tmp_path, text, says):
    path = tmp_path / "game.nfg"
    path.write_text(text, encoding="utf-8")
    result = run("solve", str(path))
    assert result.code == 2
    assert says in result.err
    assert "gtpref data info" in result.err
    assert run("data", "info", str(path)).code == 0


def test_a_zoo_game_by_name(run):
    result = run("solve", "zoo:rock_paper_scissors")
    assert result.code == 0
    assert result.out.count("0.3333") == 3


def test_large_games_show_the_played_and_a_few_more(run, tmp_path):
    n = 60
    margin = np.sign(np.arange(n)[None, :] - np.arange(n)[:, None]) * 0.4
    path = tmp_path / "ladder.csv"
    np.savetxt(path, 0.5 + margin, delimiter=",", fmt="%.1f")
    short = run("solve", str(path))
    assert "and 54 more responses, not played (--all shows them)" in short.out
    full = run("solve", str(path), "--all")
    assert "more responses" not in full.out
    assert len(full.out.splitlines()) == len(short.out.splitlines()) + 53


def test_wide_names_keep_the_columns_aligned(run):
    rows = ",猫,dog\n猫,0.5,0.5\ndog,0.5,0.5\n"
    lines = run("solve", "-", stdin=rows.encode()).out.splitlines()
    assert "猫   0.5000 ████████████" in lines
    assert "dog  0.5000 ████████████" in lines


def test_quiet_prints_nothing_but_still_writes(run, four, tmp_path):
    target = tmp_path / "answer.json"
    result = run("solve", str(four), "--quiet", "-o", str(target))
    assert (result.code, result.out, result.err) == (0, "", "")
    assert json.loads(target.read_text(encoding="utf-8"))["schema"] == "gtpref.solve/1"


def test_csv_output_holds_full_precision_and_is_a_reference(run, four, tmp_path):
    target = tmp_path / "answer.csv"
    result = run("solve", str(four), "--temperature", "0.3", "-o", str(target))
    assert result.err == f"gtpref: wrote {target}\n"
    rows = list(csv.reader(io.StringIO(target.read_text(encoding="utf-8"))))
    assert rows[0] == ["name", "probability", "win_rate_against_policy", "minimax_probability"]
    game = gp.read(four)
    expected = gp.solve(game, temperature=0.3).policy
    written = [float(row[1]) for row in rows[1:]]
    assert_allclose(written, expected, rtol=0, atol=1e-14)
    assert_allclose([float(row[2]) for row in rows[1:]], game.preference @ written, rtol=1e-15)
    anchored = json.loads(
        run("solve", str(four), "--json", "--temperature", "0.3", "--reference", str(target)).out
    )
    assert_allclose(anchored["solution"]["reference"], written, rtol=1e-15)


def test_csv_of_a_two_player_game(run, tmp_path):
    target = tmp_path / "answer.csv"
    assert run("solve", "-", "--kind", "payoff", "-o", str(target), stdin=b"3,-1\n-1,1\n").code == 0
    rows = list(csv.reader(io.StringIO(target.read_text(encoding="utf-8"))))
    assert rows[0] == ["name", "probability", "payoff", "player"]
    assert [row[3] for row in rows[1:]] == ["row", "row", "column", "column"]


@pytest.mark.parametrize(
    ("suffix", "start"),
    [
        (".png", b"\x89PNG"),
        (".svg", b"<?xml"),
        (".pdf", b"%PDF"),
        (".html", b"<!doctype html"),
        (".PNG", b"\x89PNG"),
    ],
)
def test_pictures_and_reports_by_suffix(run, four, tmp_path, suffix, start):
    target = tmp_path / f"answer{suffix}"
    result = run("solve", str(four), "-o", str(target))
    assert result.code == 0
    assert target.read_bytes()[: len(start)].lower() == start.lower()


@pytest.mark.parametrize(
    ("flags", "table", "winner"),
    [
        (["--kind", "counts"], "0,3\n1,0\n", "0"),
        (["--kind", "margin"], "0,-0.5\n0.5,0\n", "1"),
        (["--kind", "scores"], "0,2\n-2,0\n", "0"),
        (["--kind", "points"], "0,1\n5,0\n", "1"),
        (["--kind", "prob", "--symmetrize"], "0.5,0.7\n0.5,0.5\n", "0"),
        (["--kind", "prob", "--ties", "half-missing"], "0.5,0.2\n0.5,0.5\n", "1"),
        (
            ["--kind", "prob", "--format", "table", "--encoding", "latin-1"],
            ",é,b\né,0.5,0.9\nb,0.1,0.5\n",
            "é",
        ),
    ],
)
def test_reading_options_reach_the_reader(run, flags, table, winner):
    encoding = "latin-1" if "latin-1" in flags else "utf-8"
    result = run("solve", "-", *flags, stdin=table.encode(encoding))
    assert result.code == 0, result.err
    assert f"Condorcet winner  {winner}\n" in result.out


def test_unranked_and_ties_change_the_count(run, tmp_path):
    ballots = tmp_path / "ballots.soi"
    ballots.write_text("# ALTERNATIVE NAME 1: a\n# ALTERNATIVE NAME 2: b\n2: 1\n1: 2,1\n", encoding="utf-8")
    assert "Condorcet winner  b\n" in run("solve", str(ballots)).out
    assert "Condorcet winner  a\n" in run("solve", str(ballots), "--unranked", "bottom").out
    pairs = b"item_a,item_b,wins_a,wins_b,ties\nx,y,3,1,6\n"
    assert "10 comparisons (6 ties)" in run("solve", "-", stdin=pairs).out
    assert "4 comparisons (0 ties)" in run("solve", "-", "--ties", "drop", stdin=pairs).out


def test_bad_rows_can_be_skipped(run):
    log = b"model_a,model_b,winner\nx,y,model_a\nx,y,GPT!\n"
    refused = run("solve", "-", stdin=log)
    assert refused.code == 2
    assert "line 3" in refused.err
    assert "GPT!" in refused.err
    assert "1 comparison " in run("solve", "-", "--skip-bad", stdin=log).out


def test_advice_is_given_as_one_types_it(run):
    result = run("solve", "-", stdin=b"0.5,0.6\n0.6,0.5\n")
    assert result.code == 2
    assert "--symmetrize" in result.err
    assert "symmetrize=True" not in result.err


def test_a_name_with_a_line_break_stays_on_its_line(run):
    result = run("solve", "-", stdin=b'model_a,model_b,winner\n"a\nb",c,model_a\n')
    assert result.code == 0
    assert "Condorcet winner  a\\nb\n" in result.out
    assert "a\\nb  1.0000 ████████████████████████\n" in result.out
    assert "shown first" not in result.out, "one comparison says nothing about positions"


def test_two_player_games_with_many_answers_say_whose(run):
    result = run("solve", "-", "--kind", "payoff", stdin=b"1,1\n0,0\n")
    assert "not unique: row player unique; column player a set of dimension 1 on 2 responses\n" in result.out


def test_a_smith_set_of_everybody_is_not_spelt_out(run, tmp_path):
    path = tmp_path / "ring.csv"
    margin = np.zeros((11, 11))
    for i in range(11):
        margin[i, (i + 1) % 11], margin[(i + 1) % 11, i] = 0.25, -0.25
    np.savetxt(path, 0.5 + margin, delimiter=",", fmt="%.2f")
    assert "Smith set         all 11 responses\n" in run("solve", str(path)).out
    assert "Smith set         11 responses: 0, 1, 2" not in run("solve", str(path)).out


def test_zero_sum_transposed_changes_sides(run):
    straight = run("solve", "-", "--kind", "payoff", stdin=b"2,4\n1,3\n").out
    turned = run("solve", "-", "--kind", "payoff", stdin=b"2,1\n4,3\n").out
    assert "Value        2 to the row player\n" in straight
    assert "Value        3 to the row player\n" in turned


def drawn_log(n, rows):
    """Return a log of responses of known strengths, each compared with the others at random."""
    rng = np.random.default_rng(2)
    left = rng.integers(0, n, rows)
    right = (left + rng.integers(1, n, rows)) % n
    won = rng.random(rows) < 1.0 / (1.0 + np.exp((left - right) / n))
    lines = [f"item{i},item{j},{'left' if w else 'right'}" for i, j, w in zip(left, right, won, strict=True)]
    return "left,right,winner\n" + "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def large_log(tmp_path_factory):
    """Write a log of more responses than a table is made for."""
    path = tmp_path_factory.mktemp("large") / "log.csv"
    path.write_text(drawn_log(10_100, 60_000))
    return path


def test_a_large_log_is_solved_without_a_table(run, large_log):
    result = run("solve", str(large_log), "--tol", "1e-2")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0].startswith("10,100 responses, sparse, ")
    assert "60,000 comparisons (0 ties)" in lines[0] and "pairs never compared" in lines[0]
    assert lines[1].startswith("Condorcet winner  none: item")
    assert any(line.startswith("and 10,0") and "--all shows them" in line for line in lines)
    assert re.search(r"duality gap \S+ in win probability, recomputed from the game", result.out)
    top = next(line for line in lines[5:] if line.startswith("item")).split()[0]
    # The strengths fall with the position.
    assert int(top.removeprefix("item")) < 5000


def test_the_exit_codes_of_a_large_log_are_those_of_a_small_one(run, large_log):
    result = run("solve", str(large_log), "--tol", "1e-12", "--time-limit", "0.2")
    assert result.code == 3 and "NOT CONVERGED" in result.out and "raise time_limit" in result.out
    assert run("solve", str(large_log), "--exact", "--tol", "0.5").code == 2


def test_json_and_files_of_a_large_log(run, large_log, tmp_path):
    result = run("solve", str(large_log), "--tol", "0.1", "--json", "-o", str(tmp_path / "policy.csv"))
    data = json.loads(result.out)
    assert data["data"]["payoff"].startswith("sparse, ") and len(data["data"]["names"]) == 10_100
    assert data["solution"]["game"]["payoff"]["form"] == "pairs"
    assert gp.Solution.from_dict({**data["solution"]}).gap == data["solution"]["gap"] <= 0.1
    rows = list(csv.reader(io.StringIO((tmp_path / "policy.csv").read_text())))
    assert rows[0] == ["name", "probability", "win_rate_against_policy"] and len(rows) == 10_101
    assert run("solve", str(large_log), "--tol", "0.1", "--quiet", "-o", str(tmp_path / "page.html")).code == 0
    assert "sparse, " in (tmp_path / "page.html").read_text()


def test_two_players_without_a_table(run, tmp_path):
    from scipy.sparse import csr_array

    game = gp.operator_game(csr_array([[3.0, -1.0, 0.0], [-1.0, 1.0, 2.0]]), row_names=["up", "down"])
    gp.write(game, tmp_path / "game.json")
    result = run("solve", str(tmp_path / "game.json"))
    assert result.code == 0 and result.out.startswith("two-player game, 2 x 3")
    assert "Row player" in result.out and "0.3333333333 to the row player" in result.out


def test_ctrl_c_shows_what_a_game_had_come_to(run, four, monkeypatch):
    def interrupted_solve(game, method, **settings):
        reached = gp.solve(game, "optimistic", temperature=settings["temperature"], max_steps=3, jit=False)
        message = "stopped; the run was interrupted"
        raise gp.Interrupted(replace(reached, status=gp.Status.INTERRUPTED, message=message))

    monkeypatch.setattr(answering, "solve", interrupted_solve)
    result = run("solve", str(four))
    assert result.code == 130
    assert "Minimax Winner" in result.out and "recomputed from the game" in result.out
    assert "NOT CONVERGED: stopped; the run was interrupted" in result.out
