"""``gtpref demo`` and ``gtpref info``."""

from __future__ import annotations

import json
import os

import pytest

import gametheory_pref as gp


def test_the_demo_tells_its_story(run):
    result = run("demo")
    assert (result.code, result.err) == (0, "")
    assert len(result.out.splitlines()) < 25
    assert max(len(line) for line in result.out.splitlines()) <= 100
    assert "llama-7b beats every other model" in result.out
    assert "Stephen Dornan > John Flanagan > Allison Hunter > Stephen Dornan" in result.out
    assert "602/709, 86/709, 21/709" in result.out
    assert "claude-3-opus beats every other model" in result.out


def test_the_python_of_the_demo_gives_the_same(run):
    payload = json.loads(run("demo", "--json").out)
    assert payload["schema"] == "gtpref.demo/1"
    assert list(payload["datasets"]) == ["pandalm_human", "govan_2007", "arena_top8"]
    shown = [line.strip() for line in run("demo").out.splitlines()]
    assert all(line in shown for line in payload["python"].splitlines())
    scope: dict = {}
    exec(payload["python"], scope)
    solution = payload["datasets"]["govan_2007"]["solution"]
    assert scope["solution"].policy.tolist() == solution["policy"]
    assert sorted(str(fraction) for fraction in scope["fractions"]) == ["21/709", "602/709", "86/709"]


def test_the_demo_is_right_about_the_models(run):
    payload = json.loads(run("demo", "--json").out)["datasets"]
    for name in ("pandalm_human", "arena_top8"):
        solution = gp.Solution.from_dict(payload[name]["solution"])
        winner = payload[name]["majority"]["condorcet_winner"]
        others = [other for other in solution.names if other != winner]
        row = solution.problem.game.preference[solution.names.index(winner)]
        assert all(row[solution.names.index(other)] > 0.5 for other in others)
        assert payload[name]["minimax"]["policy"][solution.names.index(winner)] == 1.0
        assert solution.certificate().verify()


@pytest.mark.parametrize("suffix", [".png", ".json"])
def test_the_demo_writes_a_picture(run, tmp_path, suffix):
    target = tmp_path / f"govan{suffix}"
    result = run("demo", "--quiet", "-o", str(target))
    assert (result.code, result.out, result.err) == (0, "", "")
    assert target.stat().st_size > 500


def test_info_is_for_bug_reports(run):
    payload = json.loads(run("info", "--json").out)
    assert payload["schema"] == "gtpref.info/1"
    assert payload["version"] == gp.__version__
    assert set(payload["libraries"]) == {"numpy", "scipy", "numba", "cvxpy", "joblib", "matplotlib"}
    assert payload["libraries"]["numpy"] is not None
    assert 1 <= payload["threads"] <= (os.cpu_count() or 1)
    text = run("info").out
    assert payload["cache_folder"] in text
    assert f"numpy {payload['libraries']['numpy']}" in text
    assert run("info", "--quiet").out == ""


def test_info_shows_the_settings_that_matter(run, monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    assert json.loads(run("info", "--json").out)["environment"]["NUMBA_NUM_THREADS"] == "1"
    assert "NUMBA_NUM_THREADS=1" in run("info").out
