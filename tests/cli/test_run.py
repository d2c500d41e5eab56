"""``gtpref run``: the numbers of the library, a state that survives Ctrl-C and kill, sentences for what is wrong."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import signal
import subprocess
import sys
import time
from argparse import Namespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gametheory_pref as gp
from gametheory_pref._jit import interpreted
from gametheory_pref.cli import following
from gametheory_pref.cli.progress import Progress

# Few enough steps for the interpreter: no test here waits for the compiler.
WARM = ("--method", "extragradient", "--temperature", "0.1", "--step-size", "0.5", "--tol", "0")


def solved(path, **settings):
    options = {"temperature": 0.1, "tol": 0.0, "jit": False, **settings}
    return gp.solve(gp.read(path), gp.METHODS["extragradient"](step_size=0.5), **options)


def found(result):
    assert result.err == ""
    return json.loads(result.out, parse_constant=pytest.fail)


def test_the_text_says_what_ran_how_it_went_and_where_it_ended(run, four):
    result = run("run", str(four), *WARM, "--steps", "20")
    assert (result.code, result.err) == (3, "")
    solution = solved(four, max_steps=20)
    text = result.out.splitlines()
    assert text[0] == "4 responses"
    assert re.fullmatch(r"Extragradient \(.*\), temperature 0\.1, step size 0\.5, exact payoffs", text[1])
    assert text[3] == "step  payoff products  duality gap"
    rows = [line.split() for line in text[4:9]]
    assert [row[:2] for row in rows] == [["0", "0"], ["1", "2"], ["3", "6"], ["10", "20"], ["20", "40"]]
    gaps = dict(zip(solution.trace.step.tolist(), solution.trace.metrics["gap"], strict=True))
    assert [row[2] for row in rows] == [f"{gaps[int(row[0])]:.3g}" for row in rows]
    shares = {line.split()[0]: float(line.split()[1]) for line in text[11:15]}
    assert_allclose([shares[name] for name in solution.names], solution.policy, atol=5e-5)
    closing = dict(line.split(maxsplit=1) for line in text[16:])
    assert closing["Answer"] == "NOT CONVERGED: the step limit came first (--steps)"
    assert closing["Theorem"] == "KL from the equilibrium falls at least by the factor 0.95 a step"
    assert closing["Certificate"] == f"duality gap {solution.gap:.2g} in win probability, recomputed from the game"
    assert re.fullmatch(r"20 steps, 40 payoff products in \S+ m?s by extragradient", closing["Ran"])


def test_theorems_about_residuals_and_geometries_are_told(run, four):
    result = run("run", str(four), "--method", "halpern", "--steps", "50")
    assert re.search(r"^Theorem +residual at most \S+ after 50 steps$", result.out, re.MULTILINE)
    euclidean = "--method", "egpo", "--step-size", "euclidean", "--set", "geometry=euclidean"
    assert "(euclidean), geometry euclidean, exact payoffs" in run("run", str(four), *euclidean, "--steps", "50").out


def test_json_holds_what_the_library_returns(run, four):
    result = run("run", str(four), *WARM, "--steps", "20", "--json")
    assert result.code == 3
    payload = found(result)
    solution = solved(four, max_steps=20)
    assert payload["schema"] == "gtpref.run/1"
    step_size = {"scale": 0.5, "offset": 1.0, "power": 0.0}
    assert payload["settings"] == {"step_size": step_size, "geometry": "entropic"}
    assert payload["solution"]["policy"] == solution.policy.tolist()
    assert payload["solution"]["trace"]["metrics"]["gap"] == solution.trace.metrics["gap"].tolist()
    assert gp.Solution.from_dict(payload["solution"]).gap == solution.gap
    theorem = next(entry for entry in payload["theorems"] if entry["name"] == "extragradient-contraction")
    assert theorem["says"] and theorem["silent_because"] is None


def test_the_tolerance_decides_the_exit_code(run, four):
    argv = ("run", str(four), *WARM[:-2], "--steps", "40")
    assert run(*argv, "--tol", "1e-3", "--quiet") == (0, "", "")
    assert run(*argv, "--tol", "1e-13", "--quiet") == (3, "", "")


def test_settings_reach_the_rule(run, four):
    payload = found(run("run", str(four), "--method", "egpo", "--step-size", "0.4/(t+2)^0.5", "--steps", "9", "--json"))
    assert payload["settings"]["step_size"] == {"scale": 0.4, "offset": 2.0, "power": 0.5}
    assert payload["method"] == "extragradient"
    text = run("run", str(four), "--method", "egpo", "--step-size", "0.4/(t+2)^0.5", "--steps", "9").out
    assert "step size 0.4/(t+2)^0.5," in text
    assert ", step size 3.33333 (largest)," in run("run", str(four), "--method", "egpo", "--steps", "9").out


def test_reference_and_start_come_from_files(run, four, tmp_path):
    policy = {"rock": 0.4, "paper": 0.3, "scissors": 0.2, "lizard": 0.1}
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(policy))
    for option in ("reference", "start"):
        payload = found(run("run", str(four), *WARM, "--steps", "7", f"--{option}", str(file), "--json"))
        expected = solved(four, max_steps=7, **{option: list(policy.values())})
        assert payload["solution"]["policy"] == expected.policy.tolist()
    assert solved(four, max_steps=7).policy.tolist() != payload["solution"]["policy"]


def test_a_two_player_game_shows_both_players(run):
    argv = ("--kind", "payoff", "--method", "egpo", "--steps", "300", "--tol", "1e-3")
    result = run("run", "-", *argv, stdin=b"3,-1\n-1,2\n")
    assert result.code == 0
    assert "Last policy, row player" in result.out
    assert "Last policy, column player" in result.out
    assert re.search(r"^0  0\.42", result.out, re.MULTILINE)


def test_a_method_for_other_temperatures_is_remarked_on(run, four):
    result = run("run", str(four), "--method", "spo", "--temperature", "0.1", "--steps", "9")
    assert "note: multiplicative_weights is for temperature 0; here its answer need not approach" in result.out
    assert "Average of the policies played" in result.out
    assert "Theorem      none applies: the temperature is positive" in result.out


SAMPLED = ("--method", "egpo", "--temperature", "0.1", "--sampled", "3", "--steps", "30", "--tol", "0")


def test_samples_are_those_of_the_seed(run, four):
    def policy(*argv):
        return found(run("run", str(four), *SAMPLED, *argv, "--json"))["solution"]["policy"]

    oracle = gp.Sampled(opponents=3)
    expected = gp.solve(
        gp.read(four), "egpo", temperature=0.1, oracle=oracle, rng=4, max_steps=30, tol=0.0, jit=False
    )
    assert policy("--rng", "4") == expected.policy.tolist()
    assert policy("--rng", "5") != expected.policy.tolist()
    assert policy("--rng", "4", "--probabilities") != expected.policy.tolist()


def test_a_drawn_seed_is_printed_and_gives_the_run_again(run, four):
    first = run("run", str(four), *SAMPLED).out
    seed = re.search(r"3 sampled opponents, win or lose, rng (\d+)$", first, re.MULTILINE)[1]
    again = run("run", str(four), *SAMPLED, "--rng", seed).out
    assert [line for line in again.splitlines() if not line.startswith("Ran")] == [
        line for line in first.splitlines() if not line.startswith("Ran")
    ]


# -- the state


def test_a_state_file_is_gone_on_from(run, four, tmp_path):
    state = str(tmp_path / "run.npz")
    first = run("run", str(four), *WARM, "--steps", "20", "--state", state, "--quiet")
    assert first.code == 3
    more = run("run", str(four), *WARM, "--steps", "50", "--state", state, "--json")
    assert more.err == f"gtpref: going on from step 20 in {state}\n"
    whole = solved(four, max_steps=50)
    payload = json.loads(more.out)
    assert payload["solution"]["policy"] == whole.policy.tolist()
    assert payload["solution"]["n_steps"] == 50
    # Nothing is left to do, and nothing is done.
    again = run("run", str(four), *WARM, "--steps", "50", "--state", state, "--json")
    assert json.loads(again.out)["solution"]["policy"] == whole.policy.tolist()
    assert again.code == 3
    assert again.err == f"gtpref: already at step 50 in {state}, and --steps 50 counts these; nothing is run\n"
    loose = run("run", str(four), *WARM[:-2], "--tol", "1", "--state", state)
    assert loose.err == f"gtpref: already at step 50 in {state}, and within the tolerance; nothing is run\n"


def test_no_seed_is_made_up_for_samples_that_go_on(run, four, tmp_path):
    state = str(tmp_path / "run.npz")
    run("run", str(four), *SAMPLED, "--state", state, "--quiet")
    text = run("run", str(four), *SAMPLED[:-4], "--steps", "60", "--tol", "0", "--state", state).out
    assert "3 sampled opponents, win or lose, samples gone on with\n" in text


def interrupted_after(steps, monkeypatch):
    """Make the first solve end as if somebody had pressed Ctrl-C."""
    real = following.solve

    def solve_and_interrupt(*args, **kwargs):
        monkeypatch.setattr(following, "solve", real)

        def callback(snapshot):
            if snapshot.step >= steps:
                raise KeyboardInterrupt

        return real(*args, **{**kwargs, "callback": callback})

    monkeypatch.setattr(following, "solve", solve_and_interrupt)


@pytest.mark.parametrize("settings", [WARM, (*SAMPLED[:-4], "--tol", "0", "--rng", "8")])
def test_an_interrupt_saves_the_state_and_says_how_to_go_on(run, four, tmp_path, monkeypatch, settings):
    state = str(tmp_path / "a run.npz")
    argv = ("run", str(four), *settings, "--steps", "60", "--json")
    whole = found(run(*argv))
    interrupted_after(20, monkeypatch)
    stopped = run(*argv, "--state", state)
    assert stopped.code == 130
    told = re.fullmatch(r"gtpref: interrupted at step (\d+); state saved; to go on: gtpref (.*)\n", stopped.err)
    assert 20 <= int(told[1]) < 60
    assert json.loads(stopped.out)["solution"]["status"] == "interrupted"
    rest = run(*shlex.split(told[2]))
    assert json.loads(rest.out)["solution"]["policy"] == whole["solution"]["policy"]
    assert json.loads(rest.out)["solution"]["n_steps"] == 60


def test_an_interrupt_without_a_state_file_shows_what_was_reached(run, four, monkeypatch):
    interrupted_after(20, monkeypatch)
    result = run("run", str(four), *WARM, "--steps", "60")
    assert result.code == 130
    assert "NOT CONVERGED: interrupted" in result.out
    assert result.err.endswith("with --state FILE it could go on from there\n")


def test_slices_between_saves_do_not_change_the_run(run, four, tmp_path, monkeypatch):
    monkeypatch.setattr(following, "SAVE_SECONDS", 0.0)
    saves = []
    real = following.save_run
    monkeypatch.setattr(following, "save_run", lambda *what: saves.append(what[0].n_steps) or real(*what))
    state = str(tmp_path / "run.npz")
    sliced = found(run("run", str(four), *WARM, "--steps", "5000", "--state", state, "--json"))
    assert len(saves) >= 2 and saves == sorted(saves)
    assert sliced["solution"]["policy"] == solved(four, max_steps=5000).policy.tolist()
    assert sliced["solution"]["status"] == "step_limit"


KILLED = """
import sys
from gametheory_pref.cli import following, main
following.SAVE_SECONDS = 0.05
main(sys.argv[1:])
"""


def test_a_killed_run_leaves_a_sound_state(four, tmp_path):
    state = tmp_path / "run.npz"
    argv = [sys.executable, "-c", KILLED, "run", str(four), "--method", "spo", "--step-size", "0.1", "--tol", "0"]
    process = subprocess.Popen([*argv, "--steps", "1_000_000_000", "--state", str(state), "--quiet"])
    try:
        while not state.exists():
            assert process.poll() is None
            time.sleep(0.02)
        before = state.stat().st_mtime_ns
        while state.stat().st_mtime_ns == before:
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    game = gp.read(four)
    saved = gp.load_run(state, game)
    again = gp.solve(game, saved.run.rule, tol=0.0, max_steps=saved.n_steps)
    assert saved.n_steps > 0
    assert_array_equal(saved.run.resume.total, again.run.resume.total)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("--method", "spo", "--temperature", "0.1"), "holds a run of extragradient, not of multiplicative_weights"),
        ((*WARM[:4], "--step-size", "0.25"), "holds a run with step_size Schedule(scale=0.5"),
        ((*WARM[:2], "--temperature", "0.2"), "holds a run of another problem: its temperature is 0.1, not 0.2; give"),
        ((*WARM, "--reference", "other.csv"), "holds a run of another problem: its reference is another; give"),
        ((*WARM, "--sampled", "2"), "holds a run that saw exact payoffs"),
    ],
)
def test_a_state_of_something_else_is_refused(run, four, tmp_path, monkeypatch, change, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.csv").write_text("rock,0.4\npaper,0.3\nscissors,0.2\nlizard,0.1\n")
    state = str(tmp_path / "run.npz")
    run("run", str(four), *WARM, "--steps", "5", "--state", state, "--quiet")
    result = run("run", str(four), *change, "--steps", "9", "--state", state)
    assert (result.code, result.out) == (2, "")
    assert f"gtpref: error: {state}: {sentence}" in result.err


@pytest.mark.parametrize(
    "argv",
    [
        WARM,
        SAMPLED,
        ("--method", "spo"),
        ("--method", "egpo", "--step-size", "0.4/(t+2)^0.5", "--tol", "1e-3"),
        ("--method", "egpo", "--start", "POLICY", "--reference", "POLICY", "--temperature", "0.2", "--kind", "prob"),
    ],
)
def test_the_python_it_shows_gives_the_same(run, four, tmp_path, argv):
    policy = tmp_path / "policy.csv"
    policy.write_text("rock,0.4\npaper,0.3\nscissors,0.2\nlizard,0.1\n")
    argv = [str(policy) if word == "POLICY" else word for word in argv]
    payload = found(run("run", str(four), *argv, "--steps", "40", "--json"))
    names = {}
    # In the interpreter, as the command runs a run this short.
    with interpreted():
        exec(payload["python"], names)
    assert names["solution"].n_steps == payload["solution"]["n_steps"]
    assert_allclose(names["solution"].policy, payload["solution"]["policy"], rtol=1e-12)
    assert payload["command"] == shlex.join(["gtpref", "run", str(four), *argv, "--steps", "40", "--json"])


@pytest.mark.parametrize("name", ["zoo:biased_rock_paper_scissors", "dataset:govan_2007"])
def test_the_python_finds_named_games(run, name):
    payload = found(run("run", name, "--method", "egpo", "--temperature", "0.1", "--steps", "200", "--json"))
    names = {}
    with interpreted():
        exec(payload["python"], names)
    assert names["solution"].n_steps == payload["solution"]["n_steps"]
    assert_allclose(names["solution"].policy, payload["solution"]["policy"], rtol=1e-12)


# -- what is wrong


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("--method", "newton"), "newton is no update rule but exact mathematics: gtpref solve runs it"),
        (("--method", "extragadient"), "no update rule is called 'extragadient'; did you mean extragradient"),
        (("--method", "dpo"), "no update rule is called 'dpo'; gtpref methods lists them\n"),
        (("--method", "egpo", "--step-size", "0.5/sqrt(t+1)"), "a number, a schedule such as 0.5/(t+1)^0.5, or"),
        (("--method", "zzz"), "no update rule is called 'zzz'; gtpref methods lists them"),
        (("--method", "egpo", "--set", "size"), "--set size: write --set name=value"),
        (("--method", "nash_md", "--set", "size=3"), "nash_md has no such setting; it has none but the step size"),
        (("--method", "egpo", "--set", "size=3"), "extragradient has no such setting; its settings are geometry"),
        (("--method", "egpo", "--set", "geometry=flat"), "geometry: must be entropic or euclidean; got 'flat'"),
        (("--method", "egpo", "--set", "step_size=3"), "the step size has an option of its own, --step-size"),
        (("--method", "egpo", "--step-size", "best"), "or one of 'largest'"),
        (("--method", "egpo", "--step-size", "-1"), "step_size must be positive and finite"),
        (("--method", "egpo", "--step-size", "20", "--temperature", "1"), "needs at most 1"),
        (("--method", "egpo", "--steps", "0"), "--steps: must be at least 1; got 0"),
        (("--method", "egpo", "--steps", "ten"), "--steps: must be a whole number; got 'ten'"),
        (("--method", "egpo", "--rng", "-1"), "--rng: must be at least 0; got -1"),
        (("--method", "egpo", "--tol", "nan"), "--tol: must be finite"),
        (("--method", "egpo", "--probabilities"), "add --sampled M"),
        (("--method", "egpo", "--state", "nowhere/run.npz"), "there is no folder nowhere; make it first"),
        (("--method", "egpo", "--start", "none.csv"), "none.csv"),
        ((), "the following arguments are required: --method"),
    ],
)
def test_mistakes_get_a_sentence(run, four, tmp_path, monkeypatch, argv, sentence):
    monkeypatch.chdir(tmp_path)
    result = run("run", str(four), *argv)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("gtpref: error: ")
    assert sentence in result.err
    assert len(result.err.splitlines()) == 1


def test_samples_are_for_preference_games(run):
    result = run("run", "zoo:matching_pennies", "--method", "egpo", "--sampled", "3")
    assert (result.code, result.out) == (2, "")
    assert "--sampled is for preference games; leave it out" in result.err


def test_a_game_that_no_rule_plays_is_refused(run):
    result = run("run", "-", "--method", "egpo", "--format", "json", stdin=b'{"row": [[1, 2]], "column": [[3, 3]]}')
    assert result.code == 2
    assert result.err.startswith("gtpref: error: <stdin>: ")


# -- files


def test_the_trajectory_as_csv(run, four, tmp_path):
    file = tmp_path / "way.csv"
    result = run("run", str(four), *WARM, "--steps", "20", "-o", str(file))
    assert result.err == f"gtpref: wrote {file}\n"
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    solution = solved(four, max_steps=20)
    assert [int(row["step"]) for row in rows] == solution.trace.step.tolist()
    assert_array_equal([float(row["gap_last"]) for row in rows], solution.run.gap_last)
    assert_array_equal([float(rows[-1][name]) for name in solution.names], solution.policy)


@pytest.mark.parametrize("suffix", ["json", "png", "html"])
def test_other_files(run, four, tmp_path, suffix):
    file = tmp_path / f"run.{suffix}"
    result = run("run", str(four), *WARM, "--steps", "20", "--quiet", "-o", str(file))
    assert result == (3, "", "")
    data = file.read_bytes()
    if suffix == "json":
        assert json.loads(data)["schema"] == "gtpref.run/1"
    elif suffix == "png":
        assert data.startswith(b"\x89PNG")
    else:
        page = data.decode()
        assert "<svg" in page and "NOT CONVERGED" in page
        assert not re.search(r"(src|href)=\"(?!#)", page)


def test_the_line_of_progress_names_step_gap_and_time(monkeypatch):
    shown = []
    line = Progress(Namespace(quiet=True))
    line.live = True
    monkeypatch.setattr(line, "show", shown.append)
    game = gp.zoo["rock_paper_scissors"].game
    rule = gp.METHODS["extragradient"](step_size=0.1)
    start = np.array([0.6, 0.3, 0.1])
    plan = following.Plan(game, rule, temperature=0.1, start=start, tol=0.0, steps=2_000, time_limit=3600.0)
    following.follow(plan, line)
    gap = gp.duality_gap(game, start, temperature=0.1)
    assert shown[:2] == ["starting", f"step 0 of 2,000, gap {gap:.2g}, at most 1 h 0 min left"]
    assert re.fullmatch(r"step 2,000 of 2,000, gap \S+, at most 1 s left", shown[-1])
