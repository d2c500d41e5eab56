"""Nothing finished is lost, and nothing is run twice."""

from __future__ import annotations

import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import time
from typing import Any

import pytest
from numpy.testing import assert_array_equal

import gametheory_pref as gp
from gametheory_pref.sweeping import cells as cells_module
from gametheory_pref.sweeping import database as database_module
from gametheory_pref.sweeping.database import SCHEMA

METHODS = ["extragradient", "multiplicative_weights"]
ROOT = pathlib.Path(gp.__file__).parent.parent


@pytest.fixture
def file(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "runs.sqlite"


def sweep(file: pathlib.Path, **changes: Any) -> gp.Comparison:
    settings: dict[str, Any] = {
        "methods": METHODS, "temperatures": [0.0, 0.1], "seeds": range(3), "starts": "random", "max_steps": 20
    }
    return gp.compare("comal", database=file, **(settings | changes))


def count_runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with every cell that is really run."""
    real, runs = cells_module.solve, []

    def counted(*arguments: Any, **options: Any) -> Any:
        # Not the single step that only has a rule compiled.
        if options["max_steps"] > 1:
            runs.append(1)
        return real(*arguments, **options)

    monkeypatch.setattr(cells_module, "solve", counted)
    return runs


def assert_same(one: gp.Comparison, other: gp.Comparison) -> None:
    assert [cell.cell.key for cell in one.cells] == [cell.cell.key for cell in other.cells]
    for here, there in zip(one.cells, other.cells, strict=True):
        assert (here.method, here.game, here.temperature, here.seed) == (
            there.method, there.game, there.temperature, there.seed
        )
        assert here.outcome[:4] == there.outcome[:4]
        for mine, yours in zip(here.outcome[4:], there.outcome[4:], strict=True):
            assert_array_equal(mine, yours)


def test_a_second_run_runs_only_what_is_new(file: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = count_runs(monkeypatch)
    first = sweep(file)
    assert len(runs) == 9
    assert gp.Comparison.load(file).skipped == first.skipped != ()
    assert_same(sweep(file), first)
    assert len(runs) == 9
    assert len(sweep(file, seeds=range(5)).cells) == 15
    assert len(runs) == 15


def test_a_sweep_reads_only_the_results_that_it_asks_for(file: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep(file)
    real, read = database_module._array, []
    monkeypatch.setattr(database_module, "_array", lambda blob: read.append(1) or real(blob))
    few = sweep(file, methods=["extragradient"], temperatures=[0.1], seeds=[1])
    # Policy, trajectory and iterates of one cell out of nine.
    assert len(few.cells) == 1 and len(read) == 3


def test_the_file_tells_it_all(file: pathlib.Path) -> None:
    anchors = {"comal": [0.5, 0.3, 0.2]}
    noisy = gp.Sampled(opponents=3, labels=False)
    first = sweep(file, methods=["extragradient"], starts="reference", references=anchors, oracle=noisy)
    loaded = gp.Comparison.load(file)
    assert_same(loaded, first)
    assert loaded.n_pending == 0
    for here, there in zip(loaded.cells, first.cells, strict=True):
        assert_array_equal(here.cell.solve().policy, there.policy)


def test_two_player_games_and_votes_come_back(file: pathlib.Path) -> None:
    games = {
        "pennies": gp.matrix_game([[1.0, -1.0], [-1.0, 1.0]]),
        "votes": gp.from_counts([[0, 6, 3], [4, 0, 8], [7, 2, 0]], names=["a", "b", "c"]),
    }
    first = gp.compare(games, "extragradient", starts="random", max_steps=10, database=file)
    assert_same(gp.Comparison.load(file), first)
    solution = gp.Comparison.load(file).cells[0].solution()
    assert solution is not None and len(solution.policy) == 2


def test_a_cell_under_two_labels_is_run_once(file: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = count_runs(monkeypatch)
    rules = {"one": "extragradient", "other": gp.METHODS["extragradient"]()}
    comparison = gp.compare("comal", rules, max_steps=20, database=file)
    assert len(runs) == 1 and [cell.method for cell in comparison.cells] == ["one", "other"]
    assert [cell.method for cell in gp.Comparison.load(file).cells] == ["one", "other"]


def test_sweeps_of_other_settings_are_told_apart(file: pathlib.Path) -> None:
    sweep(file, seeds=[0], temperatures=[0.1])
    sweep(file, seeds=[0], temperatures=[0.1], max_steps=40)
    loaded = gp.Comparison.load(file)
    assert [cell.method for cell in loaded.cells] == ["extragradient, max_steps=20", "extragradient, max_steps=40"]
    assert [cell.cell.max_steps for cell in loaded.cells] == [20, 40]


def test_the_latest_meaning_of_a_label_counts(file: pathlib.Path) -> None:
    rule = gp.METHODS["extragradient"]
    for step in (0.5, 0.25, 0.5):
        gp.compare("comal", {"mine": rule(step_size=step)}, max_steps=10, database=file)
    (cell,) = gp.Comparison.load(file).cells
    assert cell.cell.rule.step_size.scale == 0.5


class Own(gp.METHODS["extragradient"]):  # type: ignore[misc]
    """A rule of somebody's own, which no name in `METHODS` stands for."""


def test_own_rules_are_resumed_but_never_imported(file: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = count_runs(monkeypatch)
    rules = {"own": Own(step_size=0.5), "theirs": gp.METHODS["extragradient"](step_size=0.5)}
    first = gp.compare("comal", rules, max_steps=10, database=file)
    assert len(runs) == 2
    assert_array_equal(first.cells[0].policy, first.cells[1].policy)
    assert_same(gp.compare("comal", rules, max_steps=10, database=file), first)
    assert len(runs) == 2
    with pytest.warns(UserWarning, match=r"the results of .*Own are left out"):
        (cell,) = gp.Comparison.load(file).cells
    assert cell.method == "theirs"


def test_failures_are_kept_and_run_again_on_demand(file: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(cells_module, "solve", lambda *_, **__: 1 / 0)
        assert len(sweep(file).failures) == 9
    loaded = gp.Comparison.load(file).failures
    assert len(loaded) == 9 and "ZeroDivisionError" in loaded[0].message and "1 / 0" in loaded[0].outcome.traceback
    assert len(sweep(file).failures) == 9
    assert sweep(file, retry_failed=True).failures == ()
    assert gp.Comparison.load(file).failures == ()


def test_ctrl_c_loses_nothing(file: pathlib.Path) -> None:
    def stop(progress: Any) -> None:
        if progress.done == 4:
            raise KeyboardInterrupt

    with pytest.raises(gp.Interrupted):
        sweep(file, progress=stop)
    loaded = gp.Comparison.load(file)
    assert len(loaded.cells) == 4 and loaded.n_pending == 5


def test_another_file_is_refused_and_left_alone(tmp_path: pathlib.Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("These are notes of an experiment, not a database of any kind at all." * 20)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE mine (x)")
    for path in (text, other):
        before = path.read_bytes()
        for use in (sweep, gp.Comparison.load):
            with pytest.raises(gp.InputError, match=path.name):
                use(path)
        assert path.read_bytes() == before


def test_a_database_of_another_schema_is_refused(file: pathlib.Path) -> None:
    sweep(file, seeds=[0])
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE about SET value = 'gtpref.sweep/0'")
    with pytest.raises(gp.InputError, match="schema gtpref.sweep/0"):
        sweep(file)


def test_missing_places_are_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(gp.InputError, match="absent"):
        sweep(tmp_path / "absent" / "runs.sqlite")
    with pytest.raises(gp.InputError, match=r"absent\.sqlite: no such database"):
        gp.Comparison.load(tmp_path / "absent.sqlite")


def test_a_damaged_database_is_refused_in_a_sentence(file: pathlib.Path) -> None:
    sweep(file, seeds=[0])
    for change in (
        "UPDATE outcomes SET trajectory = x'00'",
        "UPDATE cells SET definition = '{}'",
        "UPDATE games SET game = '{}'",
    ):
        copy = file.with_name("damaged.sqlite")
        copy.write_bytes(file.read_bytes())
        connection = sqlite3.connect(copy)
        connection.execute(change)
        connection.commit()
        connection.close()
        with pytest.raises(gp.InputError, match=r"damaged\.sqlite: the database is damaged"):
            gp.Comparison.load(copy)


def test_columns_for_sql(file: pathlib.Path) -> None:
    """What docs/sweeps.md promises to those who query the file."""
    comparison = sweep(file)
    with sqlite3.connect(file) as connection:
        rows = connection.execute(
            "SELECT method, temperature, seed, gap, status, versions FROM cells JOIN outcomes USING (key)"
        ).fetchall()
        assert connection.execute("SELECT value FROM about WHERE name = 'schema'").fetchone() == (SCHEMA,)
    found = {row[:3]: row[3] for row in rows}
    assert found == {(cell.method, cell.temperature, cell.seed): cell.gap for cell in comparison.cells}
    assert all('"numpy"' in row[5] for row in rows)


_CONFIG = """\
methods = ["extragradient", "multiplicative_weights"]
games = ["zoo:comal", "zoo:rock_paper_scissors"]
seeds = 20
starts = "random"
max_steps = 200_000
"""
_CELLS = 80


posix = pytest.mark.skipif(os.name != "posix", reason="the signals are those of POSIX")


def start_sweep(folder: pathlib.Path) -> subprocess.Popen[str]:
    """Start a sweep in a process of its own and return when some of its cells are on the disk."""
    (folder / "sweep.toml").write_text(_CONFIG)
    command = [sys.executable, "-m", "gametheory_pref", "sweep", str(folder / "sweep.toml"), "--db", str(folder / "db")]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job would hand down that Ctrl-C is to be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while process.poll() is None and stored(folder / "db") == 0:
        time.sleep(0.02)
    return process


def stored(file: pathlib.Path) -> int:
    if not file.exists():
        return 0
    connection = sqlite3.connect(file, timeout=10.0)
    try:
        return int(connection.execute("SELECT count(*) FROM outcomes").fetchone()[0])
    except sqlite3.OperationalError:  # The tables are not there yet.
        return 0
    finally:
        connection.close()


_STOPPING = """
import sys, time
import gametheory_pref as gp
from gametheory_pref.sweeping import database

database._SECONDS_UNCOMMITTED = 0.0
wait_at_five = lambda progress: time.sleep(600) if progress.done == 5 else None
gp.compare("comal", {methods}, temperatures=[0.0, 0.1], seeds=range(3), starts="random", max_steps=20,
           database=sys.argv[1], progress=wait_at_five)
"""


@posix
def test_after_kill_9_only_the_rest_is_run(file: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = _STOPPING.replace("{methods}", repr(METHODS))
    process = subprocess.Popen([sys.executable, "-c", program, str(file)], cwd=ROOT)
    while process.poll() is None and stored(file) < 4:
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    before = stored(file)
    assert before in (4, 5)
    runs = count_runs(monkeypatch)
    assert len(sweep(file).cells) == 9
    assert len(runs) == 9 - before
    assert stored(file) == 9


@posix
@pytest.mark.slow
def test_kill_9_while_running_costs_what_was_not_committed_and_no_more(tmp_path: pathlib.Path) -> None:
    process = start_sweep(tmp_path)
    process.kill()
    process.communicate()
    with sqlite3.connect(tmp_path / "db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        before = dict(connection.execute("SELECT key, finished || hex(trajectory) FROM outcomes"))
    assert 0 < len(before) < _CELLS, "the process ended before it could be killed"
    again = subprocess.run(process.args, cwd=ROOT, capture_output=True, text=True, check=True)
    with sqlite3.connect(tmp_path / "db") as connection:
        after = dict(connection.execute("SELECT key, finished || hex(trajectory) FROM outcomes"))
    assert len(after) == _CELLS, again.stderr
    # A trajectory holds the seconds of its steps, so a cell that ran again would differ.
    assert {key: after[key] for key in before} == before


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_sweep_in_order(tmp_path: pathlib.Path, name: str) -> None:
    process = start_sweep(tmp_path)
    process.send_signal(getattr(signal, name))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    saved = stored(tmp_path / "db")
    assert 0 < saved < _CELLS
    assert err.endswith(f"interrupted: {saved} of {_CELLS} cells saved; run the same command to continue\n")
    assert "Traceback" not in err


def test_a_run_is_the_same_after_a_restart(file: pathlib.Path) -> None:
    whole = sweep(file.with_name("whole.sqlite"))

    def stop(progress: Any) -> None:
        if progress.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(gp.Interrupted):
        sweep(file, progress=stop)
    resumed = sweep(file)
    for here, there in zip(resumed.cells, whole.cells, strict=True):
        assert here.cell.key == there.cell.key
        assert_array_equal(here.policy, there.policy)
        for name in ("step", "payoff_calls", "gap", "gap_last", "gap_average"):
            assert_array_equal(here.column(name), there.column(name))
