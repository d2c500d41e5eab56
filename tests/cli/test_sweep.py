"""``gtpref sweep`` and ``gtpref report``."""

from __future__ import annotations

import html.parser
import json
import os
import pathlib
import re
import subprocess
import sys
from typing import Any

import pytest

import gametheory_pref as gp
from gametheory_pref.sweeping import cells as cells_module

CONFIG = """\
methods = ["extragradient", { name = "multiplicative_weights", step_size = 0.1, label = "slow" }]
games = ["zoo:comal", "four.csv"]
temperatures = [0.0, 0.1]
seeds = 2
starts = "random"
max_steps = 50
"""


@pytest.fixture
def config(tmp_path: pathlib.Path, four: pathlib.Path) -> pathlib.Path:
    """A configuration beside a game file that it names."""
    path = tmp_path / "sweep.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture
def db(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "runs.sqlite"


def test_a_sweep_fills_the_database_and_prints_a_table(run: Any, config: pathlib.Path, db: pathlib.Path) -> None:
    result = run("sweep", str(config), "--db", str(db))
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0].split() == ["game", "temperature", "method", "median", "gap", "payoff", "calls", "time", "runs"]
    assert "skipped 2 combinations: multiplicative_weights is for temperature 0 only" in result.err
    comparison = gp.Comparison.load(db)
    assert len(comparison.cells) == 12
    best_first = [[row.game, f"{row.temperature:g}", row.method] for row in comparison.summary()]
    assert [line.split()[:3] for line in lines[1:]] == best_first and len(best_first) == 6
    alone = gp.solve(
        gp.zoo["comal"].game, gp.METHODS["multiplicative_weights"](step_size=0.1),
        start=cells_module.random_start(gp.zoo["comal"].game, 0), tol=0.0, max_steps=50,
    )
    found = {(cell.method, cell.game, cell.temperature, cell.seed): cell for cell in comparison.cells}
    assert found["slow", "zoo:comal", 0.0, 0].gap == pytest.approx(alone.gap, abs=1e-15)


def test_json_and_dry_run(run: Any, config: pathlib.Path, db: pathlib.Path) -> None:
    plan = json.loads(run("sweep", str(config), "--db", str(db), "--dry-run", "--json").out)
    assert (plan["schema"], plan["cells"], plan["found"], plan["to_run"]) == ("gtpref.sweep_plan/1", 12, 0, 12)
    assert not db.exists()
    found = json.loads(run("sweep", str(config), "--db", str(db), "--json", "--jobs", "1").out)
    assert (found["schema"], found["cells"], found["failed"]) == ("gtpref.sweep_summary/1", 12, 0)
    assert {row["method"] for row in found["summary"]} == {"extragradient", "slow"}
    assert found["skipped"][0]["reason"] == "multiplicative_weights is for temperature 0 only"
    words = run("sweep", str(config), "--db", str(db), "--dry-run").out
    assert words.splitlines()[0] == f"12 cells: 12 in {db}, 0 to run"


def test_failures_are_told_and_end_with_3(
    run: Any, config: pathlib.Path, db: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(cells_module, "solve", lambda *_, **__: 1 / 0)
        result = run("sweep", str(config), "--db", str(db))
    assert result.code == 3
    assert "failed: extragradient on zoo:comal, seed 0: ZeroDivisionError: division by zero" in result.err
    assert "9 more failures" in result.err
    assert "2, 2 failed" in result.out
    json.loads(run("sweep", str(config), "--db", str(db), "--json").out)
    assert run("sweep", str(config), "--db", str(db), "--retry-failed").code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("methods = [", "not TOML"),
        ("games = ['zoo:comal']", "methods is missing"),
        ("methods = ['extragradient']", "games is missing"),
        ("steps = 3", "unknown key 'steps'"),
        ("methods = ['extragradientt']\ngames = ['zoo:comal']", "methods: .*'extragradientt'"),
        ("methods = 'extragradient'\ngames = ['zoo:comal']", "methods: it must be a list"),
        ("methods = [{ step_size = 1 }]\ngames = ['zoo:comal']", "methods: .*key name"),
        (
            "methods = [{ name = 'extragradient', eta = 1 }]\ngames = ['zoo:comal']",
            "methods: extragradient has no setting 'eta'; it has step_size",
        ),
        ("methods = ['extragradient']\ngames = ['zoo:comall']", "games: .*'comall'"),
        ("methods = ['extragradient']\ngames = ['absent.csv']", "games: .*absent.csv"),
        ("methods = ['extragradient']\ngames = [3]", "games: an entry must be a file.*key file; got 3"),
        (
            "methods = ['extragradient']\ngames = [{ file = 'a.csv', knd = 'prob' }]",
            "games: a.csv: unknown key 'knd'; there are label, kind, ties",
        ),
        (
            "methods = ['extragradient']\ngames = [{ file = 'zoo:comal', kind = 'prob' }]",
            "games: zoo:comal is read from no file; leave out kind",
        ),
        (
            "methods = ['extragradient']\ngames = [{ file = 'dataset:govan_2007', ties = 'win' }]",
            "games: ties must be one of half, drop, half-missing; got 'win'",
        ),
        ("methods = ['extragradient']\ngames = ['zoo:comal', 'zoo:comal']", "games: 'zoo:comal' is there twice"),
        ("methods = ['extragradient']\ngames = ['zoo:comal']\nseeds = 0", "seeds: .*at least 1"),
        ("methods = ['extragradient']\ngames = ['zoo:comal']\nmax_steps = 0", "max_steps must be"),
        ("methods = ['extragradient']\ngames = ['zoo:comal']\ntemperatures = 0.1", "temperatures must be"),
        ("methods = ['extragradient']\ngames = ['zoo:comal']\noracle = 'noisy'", "oracle: .*'noisy'"),
        ("methods = ['extragradient']\ngames = ['zoo:comal']\noracle = { opponent = 3 }", "oracle: "),
        ("methods = ['extragradient']\ngames = ['zoo:comal']\nstarts = 'there'", "starts must be one of"),
    ],
)
def test_a_wrong_configuration_is_named_by_file_and_key(
    run: Any, tmp_path: pathlib.Path, db: pathlib.Path, text: str, words: str
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text, encoding="utf-8")
    result = run("sweep", str(path), "--db", str(db))
    assert result.code == 2
    assert re.search(f"wrong\\.toml: {words}", result.err), result.err
    assert not db.exists()


def test_a_game_says_how_its_file_is_read_and_what_was_decided_is_told(
    run: Any, tmp_path: pathlib.Path, db: pathlib.Path
) -> None:
    election = tmp_path / "votes.soi"
    election.write_text(
        "# NUMBER ALTERNATIVES: 3\n# ALTERNATIVE NAME 1: a\n# ALTERNATIVE NAME 2: b\n# ALTERNATIVE NAME 3: c\n"
        "6: 1\n5: 2,3,1\n4: 3,1,2\n",
        encoding="utf-8",
    )
    path = tmp_path / "sweep.toml"
    path.write_text(
        "methods = ['extragradient']\nmax_steps = 5\n"
        "games = ['votes.soi', { file = 'votes.soi', unranked = 'bottom', label = 'bottom' }]\n",
        encoding="utf-8",
    )
    result = run("sweep", str(path), "--db", str(db))
    assert result.code == 0, result.err
    games = {cell.game: cell.cell.named.problem.game for cell in gp.Comparison.load(db).cells}
    for label, unranked in (("votes.soi", "ignore"), ("bottom", "bottom")):
        assert (games[label].preference == gp.read(election, unranked=unranked).preference).all()
    assert (games["bottom"].preference != games["votes.soi"].preference).any()
    told = [line for line in result.err.splitlines() if line.startswith(("gtpref: bottom: ", "gtpref: votes.soi: "))]
    assert len(told) >= 2 and len(told) == len(set(told))
    assert not any("note:" in line for line in told)
    assert run("sweep", str(path), "--db", str(db), "--dry-run").err.count("gtpref: bottom: ") >= 1


def test_references_are_by_game(run: Any, config: pathlib.Path, db: pathlib.Path) -> None:
    text = CONFIG.replace("temperatures", 'references = { "zoo:comal" = [0.5, 0.3, 0.2] }\ntemperatures')
    config.write_text(text, encoding="utf-8")
    assert run("sweep", str(config), "--db", str(db), "--quiet").code == 0
    anchors = {cell.game: cell.cell.named.problem.reference for cell in gp.Comparison.load(db).cells}
    assert anchors["four.csv"] is None and list(anchors["zoo:comal"]) == [0.5, 0.3, 0.2]


def test_matrix_products_inside_cells_get_one_thread(config: pathlib.Path, db: pathlib.Path) -> None:
    program = (
        "import os, sys\n"
        "from gametheory_pref.cli import main\n"
        "assert 'numpy' not in sys.modules\n"
        "main(sys.argv[1:])\n"
        "print(os.environ['OMP_NUM_THREADS'], os.environ['OPENBLAS_NUM_THREADS'])\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.endswith("NUM_THREADS")}
    environment["OMP_NUM_THREADS"] = "3"
    command = [sys.executable, "-c", program, "sweep", str(config), "--db", str(db), "--dry-run", "--quiet"]
    root = pathlib.Path(gp.__file__).parent.parent
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.split() == ["3", "1"]


def test_usage(run: Any, config: pathlib.Path, db: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert run("sweep", str(config)).code == 2
    assert "--jobs" in run("sweep", str(config), "--db", str(db), "--jobs", "0").err
    assert run("sweep", str(tmp_path / "absent.toml"), "--db", str(db)).code == 2
    assert run("report", str(tmp_path / "absent.sqlite"), "-o", str(tmp_path / "r.html")).code == 2
    assert run("report", str(db), "-o", str(tmp_path / "absent" / "r.html")).code == 2
    assert "must end in .html" in run("report", str(db), "-o", str(tmp_path / "r.pdf")).err


class _Links(html.parser.HTMLParser):
    """Collects what a page would fetch, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "data", "action") and not (value or "").startswith("#"):
                self.fetched.append(f"{tag} {name}={value}")
            if name == "style" and "url(" in (value or "").replace("url(#", ""):
                self.fetched.append(f"{tag} {value}")


def test_the_report_is_one_file(run: Any, config: pathlib.Path, db: pathlib.Path, tmp_path: pathlib.Path) -> None:
    run("sweep", str(config), "--db", str(db), "--quiet")
    target = tmp_path / "report.html"
    result = run("report", str(db), "-o", str(target), "--json")
    assert result.code == 0 and "no external files" in result.err
    facts = json.loads(result.out)
    assert (facts["schema"], facts["cells"], facts["failed"], facts["pending"]) == ("gtpref.report/1", 12, 0, 0)
    held = {(row["method"], row["theorem"]): row["holds"] for row in facts["theorems"]}
    # At both temperatures of both games.
    assert held["extragradient", "extragradient-contraction"] == 4
    text = target.read_text(encoding="utf-8")
    page = _Links()
    page.feed(text)
    assert page.fetched == [] and "script" not in page.tags
    assert "@import" not in text and "url(http" not in text
    assert page.tags.count("svg") == 4
    assert "extragradient-contraction" in text and "multiplicative_weights is for temperature 0 only" in text
    assert "four.csv, temperature 0.1" in text


def test_the_report_escapes_and_counts_what_is_missing(
    run: Any, db: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(progress: Any) -> None:
        if progress.done == 1:
            raise KeyboardInterrupt

    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError("<script>alert(1)</script>")

    monkeypatch.setattr(cells_module, "solve", broken)
    games = {"<b>comal</b>": "comal"}
    with pytest.raises(gp.Interrupted):
        gp.compare(
            games, "extragradient", temperatures=[0.1], seeds=range(3), max_steps=5,
            database=db, progress=stop, n_jobs=1,
        )
    assert run("report", str(db), "-o", str(tmp_path / "r.html")).code == 0
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script" not in text and "<b>" not in text
    assert "&lt;script&gt;alert(1)" in text and "Traceback" in text
    assert "Not run yet: 2 cells" in text


PAGE = pathlib.Path(__file__).parents[2] / "docs" / "sweeps.md"


def _comparable(text: str) -> str:
    """Return a transcript without times, and without gaps that are rounding."""
    text = re.sub(r"\d\S* m?s +", "TIME ", text).replace("time   ", "time ")
    return re.sub(r"\b(0\.00e\+00|\S+e-(1[3-9]|[23]\d)) +[\d,]+ +", "ROUNDING ", re.sub(r" +", " ", text))


def test_the_documented_sweep_is_what_is_printed(
    run: Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    (config,) = re.findall(r"^```toml sweep.toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    (transcript,) = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    pathlib.Path("sweep.toml").write_text(config, encoding="utf-8")
    parts = re.split(r"^\$ gtpref (.*)\n", transcript, flags=re.MULTILINE)
    assert len(parts) == 7
    for command, shown in zip(parts[1::2], parts[2::2], strict=True):
        result = run(*command.split())
        assert result.code == 0
        assert _comparable(result.out + result.err) == _comparable(shown)
    assert pathlib.Path("report.html").stat().st_size > 10_000
