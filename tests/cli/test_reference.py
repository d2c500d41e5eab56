"""``--reference FILE``: a policy by name, checked against the game."""

from __future__ import annotations

import json

import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp

POLICY = {"rock": 0.1, "paper": 0.2, "scissors": 0.3, "lizard": 0.4}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("r.csv", "name,probability\n" + "".join(f"{k},{v}\n" for k, v in reversed(POLICY.items()))),
        ("r.csv", "\n".join(f"{k},{v},extra" for k, v in POLICY.items())),
        ("r.json", json.dumps(POLICY)),
        ("r.json", "[0.1, 0.2, 0.3, 0.4]"),
    ],
)
def test_a_reference_is_matched_by_name(run, four, tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    payload = json.loads(
        run("solve", str(four), "--json", "--temperature", "0.2", "--reference", str(path)).out
    )
    assert_allclose(payload["solution"]["reference"], list(POLICY.values()), rtol=1e-15)
    expected = gp.solve(gp.read(four), temperature=0.2, reference=list(POLICY.values()))
    assert_allclose(payload["solution"]["policy"], expected.policy, rtol=0, atol=1e-12)


def test_uniform_is_the_default(run, four):
    argv = ["solve", str(four), "--json", "--temperature", "0.2"]
    named, default = (json.loads(run(*argv, *more).out) for more in (["--reference", "uniform"], []))
    assert named["solution"]["policy"] == default["solution"]["policy"]
    assert default["solution"]["reference"] is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rock,1\n", "no probability for 'paper'"),
        ("rock,1\nspock,0\n", "'spock'"),
        ("rock,0.5\nrock,0.5\n", "line 2: 'rock' comes twice"),
        ("rock\n", "line 1: 'rock' has no probability"),
        ("rock,much\n", "'much' is not a probability"),
        ("rock,0.5\npaper,0.5\nscissors,0.5\nlizard,0.5\n", "sums to 2"),
        ("rock,-1\npaper,1\nscissors,1\nlizard,0\n", "negative"),
        ("rock,nan\npaper,1\nscissors,0\nlizard,0\n", "not finite"),
        ("[0.5, 0.5]", "2 entries for 4 responses"),
        ("[true]", "True is not a probability"),
        ("{", "not JSON"),
        ("", "no probability for 'rock'"),
    ],
)
def test_a_wrong_reference_is_a_sentence(run, four, tmp_path, text, says):
    path = tmp_path / "reference"
    path.write_text(text, encoding="utf-8")
    result = run("solve", str(four), "--temperature", "0.2", "--reference", str(path))
    assert result.code == 2
    assert result.out == ""
    assert says in result.err


def test_a_reference_needs_a_preference_game(run, tmp_path):
    result = run("solve", "-", "--kind", "payoff", "--reference", "x.csv", stdin=b"3,-1\n-1,1\n")
    assert result.code == 2
    assert "--reference" in result.err
