"""``gtpref verify``: what is tried, what the exit code says, and the report."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

import gametheory_pref as gp
from gametheory_pref.cli import verify_command
from gametheory_pref.negative_controls import controls


@pytest.fixture(scope="module")
def rows():
    """Real rows, of rules that run in the interpreter."""
    return gp.verify([], controls=True).rows


@pytest.fixture
def tried(monkeypatch, rows):
    """Let `verify` find what a test puts in this list, and note what it was asked for."""
    found = list(rows)
    asked = []

    def verify(methods, *, controls, callback):
        asked.append((methods, controls))
        for row in found:
            callback(row)

    monkeypatch.setattr(verify_command, "verify", verify)
    return {"rows": found, "asked": asked}


def test_controls_are_violated_and_that_is_as_it_should_be(run, rows):
    name = rows[0].guarantee.name
    result = run("verify", name)
    assert (result.code, result.err) == (0, "")
    assert re.search(rf"^ok +{rows[0].method} +{name} +violated", result.out, re.MULTILINE)
    assert f"{name} (negative control, {rows[0].method}): violated" in result.out
    assert rows[0].guarantee.statement in result.out
    assert rows[1].guarantee.name not in result.out
    assert re.search(r"^Tried 1 claim in ", result.out, re.MULTILINE)


def test_json_is_what_the_library_says(run, rows):
    result = run("verify", rows[0].guarantee.name, "--json")
    payload = json.loads(result.out, parse_constant=pytest.fail)
    assert payload["schema"] == "gtpref.verification/1"
    assert payload["rows"] == [rows[0].to_dict()]


@pytest.mark.parametrize(
    ("names", "methods", "with_controls"),
    [
        ((), None, True),
        (("spo",), ["multiplicative_weights"], False),
        (("extragradient", "egpo"), ["extragradient"], False),
        (("extragradient-contraction",), ["extragradient"], False),
        (("egpo", "wrong-sign-contracts"), ["extragradient"], True),
    ],
)
def test_names_choose_what_is_tried(run, tried, names, methods, with_controls):
    run("verify", *names, "--quiet")
    assert tried["asked"] == [(methods, with_controls)]


def test_only_what_was_asked_for_is_shown(run, tried, rows):
    shown = [control.claim.name for control in controls()][:2]
    payload = json.loads(run("verify", *shown, "--json").out)
    assert [row["theorem"] for row in payload["rows"]] == shown


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (["violated", "violated"], 0),
        (["violated", "inconclusive"], 3),
        (["inconclusive", "inconclusive"], 3),
        (["holds", "violated"], 1),
        (["holds", "inconclusive"], 1),
    ],
)
def test_the_exit_code_says_whether_all_is_as_expected(run, tried, rows, verdicts, code):
    tried["rows"][:] = [replace(row, verdict=verdict) for row, verdict in zip(rows[:2], verdicts, strict=True)]
    result = run("verify")
    assert result.code == code
    assert result.out.count("violated EXPECTED") == sum(verdict != "violated" for verdict in verdicts)


def test_a_theorem_that_is_violated_is_a_failure(run, tried, rows):
    tried["rows"][:] = [replace(rows[0], kind="theorem", expected="holds")]
    result = run("verify")
    assert result.code == 1
    assert "holds EXPECTED" in result.out
    assert re.search(r"^!! ", result.out, re.MULTILINE)


def test_an_interrupt_shows_what_was_tried(run, monkeypatch, rows, tmp_path):
    def verify(methods, *, controls, callback):
        callback(rows[0])
        raise KeyboardInterrupt

    monkeypatch.setattr(verify_command, "verify", verify)
    result = run("verify")
    assert result.code == 130
    assert rows[0].guarantee.name in result.out
    assert re.fullmatch(r"gtpref: interrupted after 1 of \d+ theorems\n", result.err)
    assert re.search(r"^1 of \d\d+ rows tried, as it should be\.$", result.out, re.MULTILINE)
    named = run("verify", *(control.claim.name for control in controls()[:2]), "-o", str(tmp_path / "report.html"))
    assert "\n1 of 2 rows tried, as it should be.\n" in named.out
    assert "Interrupted after 1 of 2 claims: 1 violated." in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("extragradient-contration",), "is called 'extragradient-contration'; did you mean extragradient-contraction"),
        (("zzz",), "is called 'zzz'; gtpref methods NAME lists the theorems of a method"),
        (("egpo", "-o", "report.png"), "'report.png' must end in .html or .json"),
        (("egpo", "-o", "nowhere/report.html"), "there is no folder nowhere; make it first"),
    ],
)
def test_mistakes_get_a_sentence(run, tmp_path, monkeypatch, argv, sentence):
    monkeypatch.chdir(tmp_path)
    result = run("verify", *argv)
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err


def test_the_page_has_a_row_and_a_picture_for_every_claim_and_needs_nothing_else(run, tried, rows, tmp_path):
    tried["rows"][0] = replace(rows[0], verdict="holds")
    file = tmp_path / "report.html"
    assert run("verify", "--quiet", "-o", str(file)) == (1, "", "")
    page = file.read_text(encoding="utf-8")
    assert page.count("<svg") == sum(row.cases[0].report.curve is not None for row in rows) > 3
    for row in rows:
        anchor = f"negative-control-{row.method}-{row.guarantee.name}"
        assert page.count(f'href="#{anchor}"') == page.count(f'id="{anchor}"') == 1
    assert page.count("⚠") == 2
    assert "1 did not come out as they should" in page
    assert not re.search(r"(src|href)=\"(?!#)", page)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_json_goes_to_a_file_too(run, tried, tmp_path):
    file = tmp_path / "report.json"
    result = run("verify", "-o", str(file), "--quiet")
    assert result == (0, "", "")
    assert json.loads(file.read_text())["ok"] is True
