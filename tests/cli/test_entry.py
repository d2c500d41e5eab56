"""Exit codes, error sentences and streams, whatever the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from gametheory_pref import InputError, __version__
from gametheory_pref.cli import answering


def _python(*argv: str, **kwargs):
    return subprocess.run([sys.executable, *argv], capture_output=True, text=True, check=False, **kwargs)


def _loaded_by(*commands: list[str]) -> set[str]:
    """Return the heavy libraries that a fresh process has loaded after running the commands."""
    code = (
        "import json, sys\n"
        "from gametheory_pref.cli import main\n"
        f"codes = [main(argv) for argv in {[*commands]!r}]\n"
        "print(json.dumps([codes, sorted(sys.modules)]), file=sys.stderr)\n"
    )
    result = _python("-c", code)
    codes, modules = json.loads(result.stderr.splitlines()[-1])
    assert set(codes) == {0}
    return {"numpy", "scipy.optimize", "numba", "cvxpy", "matplotlib", "torch", "pandas", "pyarrow"} & {
        *modules
    }


def test_help_and_info_load_nothing_heavy():
    assert (
        _loaded_by(["--help"], ["solve", "--help"], ["data", "check", "--help"], ["--version"], ["info"])
        == set()
    )


def test_module_and_help_answer(run):
    module = _python("-m", "gametheory_pref", "--version")
    assert (module.returncode, module.stdout) == (0, f"gtpref {__version__}\n")
    for argv in (
        ["--help"],
        ["solve", "--help"],
        ["data", "--help"],
        ["data", "convert", "--help"],
        ["demo", "-h"],
    ):
        result = run(*argv)
        assert result.code == 0
        assert result.out.startswith("usage: gtpref")
        assert result.err == ""


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "COMMAND"),
        (["sole", "x.csv"], "'sole'"),
        (["solve"], "FILE"),
        (["data"], "ACTION"),
        (["data", "check"], "FILE"),
        (["data", "convert", "x.csv"], "OUT"),
        (["solve", "x.csv", "--kind", "votes"], "'votes'"),
        (["solve", "x.csv", "--temperature", "-1"], "at least 0"),
        (["solve", "x.csv", "--temperature", "warm"], "'warm'"),
        (["solve", "x.csv", "--temperature", "nan"], "finite"),
        (["solve", "x.csv", "--tol", "0"], "above 0"),
        (["solve", "x.csv", "-o", "x.bmp"], ".png, .svg, .pdf, .html, .json, .csv"),
        (["solve", "x.csv", "--temp", "1"], "--temp 1 (see gtpref solve --help)"),
        (["run", "zoo:comal", "--method", "egpo", "--stepsize", "1"], "--stepsize 1 (see gtpref run --help)"),
        (["data", "info", "x.csv", "--all"], "--all (see gtpref data info --help)"),
        (["--quiet", "demo"], "--quiet (see gtpref --help)"),
        (["compare", "zoo:comal", "--methods", "omwu", "inpo"], "inpo; separate the names after --methods by commas"),
        (["compare", "zoo:comal", "inpo"], "inpo (see gtpref compare --help)"),
        (["solve", "no/such/file.csv"], "no/such/file.csv"),
        (["data", "check", "no/such/file.csv"], "no/such/file.csv"),
        (["data", "info", "no/such/file.csv"], "no/such/file.csv"),
        (["solve", "zoo:rock_paper_scisors"], "rock_paper_scissors"),
        (["solve", "dataset:govan"], "govan_2007"),
        (["data", "check", "zoo:nothing_like_this_one"], "nothing_like_this_one"),
    ],
)
def test_wrong_usage_is_one_sentence_and_code_2(run, argv, says):
    result = run(*argv)
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith("gtpref: error: ")
    assert result.err.count("\n") == 1
    assert says in result.err


def test_debug_shows_the_traceback(run, tmp_path, monkeypatch):
    missing = str(tmp_path / "missing.csv")
    with pytest.raises(InputError, match=r"missing\.csv"):
        run("solve", missing, "--debug")
    monkeypatch.setenv("GTPREF_DEBUG", "1")
    with pytest.raises(InputError, match=r"missing\.csv"):
        run("solve", missing)


def test_an_interrupt_is_code_130(run, four, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(answering, "solve", interrupted)
    result = run("solve", str(four))
    assert (result.code, result.out, result.err) == (130, "", "gtpref: interrupted\n")


def test_a_fault_of_ours_is_not_blamed_on_the_input(run, four, monkeypatch):
    def faulty(*args, **kwargs):
        raise ZeroDivisionError("no good")

    monkeypatch.setattr(answering, "solve", faulty)
    result = run("solve", str(four))
    assert result.code == 3
    assert result.err.startswith("gtpref: error: ZeroDivisionError: no good; this is a fault of gtpref")
    with pytest.raises(ZeroDivisionError):
        run("solve", str(four), "--debug")


def test_a_closed_pipe_is_quiet(four):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        result = subprocess.run(
            [sys.executable, "-m", "gametheory_pref", "solve", str(four)],
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (result.returncode, result.stderr) == (0, b"")


def test_an_unwritable_output_is_a_sentence(run, four, tmp_path):
    result = run("solve", str(four), "-o", str(tmp_path / "no" / "folder" / "x.json"))
    assert result.code == 2
    assert "x.json cannot be written: there is no folder" in result.err


def test_names_that_the_stream_cannot_hold_are_escaped(run, tmp_path):
    path = tmp_path / "tea.csv"
    path.write_text(",茶,café\n茶,0.5,0.7\ncafé,0.3,0.5\n", encoding="utf-8")
    plain = run("solve", str(path), encoding="ascii")
    assert plain.code == 0
    assert "\\u8336" in plain.out
    assert "caf\\xe9" in plain.out
    assert "####" in plain.out
    latin = run("solve", str(path), "--json", encoding="latin-1")
    assert json.loads(latin.out)["data"]["names"] == ["茶", "café"]


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are a Unix thing")
def test_a_terminal_gets_no_escape_sequences(four):
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    process = subprocess.run(
        [sys.executable, "-m", "gametheory_pref", "solve", str(four)],
        stdout=slave,
        stderr=slave,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "60"},
        check=False,
    )
    os.close(slave)
    shown = os.read(master, 65536).decode()
    os.close(master)
    assert process.returncode == 0
    assert "rock" in shown
    assert "█" in shown
    assert "\x1b" not in shown


def test_a_small_exact_game_loads_no_compiler_and_no_plotting(four):
    assert _loaded_by(["solve", str(four)]) == {"numpy"}


def test_bundled_counts_load_no_compiler_and_no_plotting():
    commands = (
        ["demo"],
        ["solve", "dataset:govan_2007", "--exact"],
        ["solve", "dataset:arena_top8", "--temperature", "0.05", "--json"],
        ["data", "info", "dataset:arena_top8"],
    )
    assert _loaded_by(*commands) == {"numpy"}
