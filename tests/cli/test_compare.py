"""``gtpref compare`` and ``gtpref methods``."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex

import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gametheory_pref as gp
from gametheory_pref._jit import interpreted
from gametheory_pref.cli import following

# Few enough steps for the interpreter.
TWO = ("--methods", "spo,egpo", "--steps", "150")


def found(result):
    assert result.err == ""
    return json.loads(result.out, parse_constant=pytest.fail)


def solved(path, method, **settings):
    return gp.solve(gp.read(path), method, **{"max_steps": 150, "jit": False, **settings})


def test_the_table_has_the_gaps_of_the_library_and_the_cheapest_first(run, four):
    result = run("compare", str(four), *TWO, "--tol", "1e-3")
    assert (result.code, result.err) == (0, "")
    text = result.out.splitlines()
    titles = {method: gp.METHODS[method].info.title for method in ("spo", "egpo")}
    cells = max(map(len, titles.values()))
    table = {line[:cells].strip(): line[cells:].split() for line in text[5:8]}
    assert list(table) == ["method", titles["egpo"], titles["spo"]]
    assert table["method"] == ["answer", "10", "100", "at", "the", "end", "to", "0.001"]
    for method, title in titles.items():
        trace = solved(four, method, tol=1e-3).trace
        gaps = dict(zip(trace.payoff_calls.tolist(), trace.metrics["gap"], strict=True))
        reached = [calls for calls, gap in gaps.items() if gap <= 1e-3]
        shown = [max(calls for calls in gaps if calls <= budget) for budget in (10, 100)]
        expected = [f"{gaps[calls]:.1e}" for calls in [*shown, trace.payoff_calls[-1]]]
        assert table[title][1:] == [*expected, str(reached[0]) if reached else "-"]
    assert table[titles["egpo"]][-1] != "-"
    assert table[titles["spo"]][-1] == "-"


def test_every_method_says_what_is_proved(run, four):
    text = run("compare", str(four), *TWO).out
    spo = r"^Multiplicative weights \(SPO\) +step size \S+ \(horizon, for 150 steps\); gap at most"
    assert re.search(spo, text, re.MULTILINE)
    assert re.search(r"^Extragradient .* KL from the equilibrium never rises$", text, re.MULTILINE)
    warm = run("compare", str(four), *TWO, "--temperature", "0.1").out
    assert "none applies: the temperature is positive; the theorem is about temperature 0" in warm
    assert "multiplicative_weights is for temperature 0; here its answer need not approach" in warm


def test_all_get_the_same_number_of_payoff_products(run, four):
    argv = ("compare", str(four), "--methods", "spo,egpo,comal,proximal_point", "--tol", "0", "--products", "220")
    payload = found(run(*argv, "--json"))
    entries = {entry["method"]: entry for entry in payload["methods"]}
    assert (entries["multiplicative_weights"]["n_steps"], entries["extragradient"]["n_steps"]) == (220, 110)
    for entry in entries.values():
        calls, gaps = entry["trace"]["payoff_calls"], entry["trace"]["metrics"]["gap"]
        # A method with steps of several costs stops at the first record point past the limit, which does not count.
        assert calls[-1] >= 220 and calls[-2] < 220
        assert entry["gap_at_end"] == [gap for call, gap in zip(calls, gaps, strict=True) if call <= 220][-1]
    assert entries["comal"]["payoff_calls"] == 250
    ends = [entry["gap_at_end"] for entry in payload["methods"]]
    assert ends == sorted(ends)
    text = run(*argv).out
    assert "temperature 0, exact payoffs, at most 220 payoff products each\n" in text
    assert "(horizon, for 220 steps); gap at most" in text


def test_what_costs_more_than_the_limit_did_not_reach_the_tolerance(run, four):
    argv = ("compare", str(four), "--methods", "comal", "--temperature", "0", "--json")
    entry = found(run(*argv, "--tol", "0", "--products", "220"))["methods"][0]
    last = entry["trace"]["metrics"]["gap"][-1]
    again = found(run(*argv, "--tol", str(1.01 * last), "--products", "220"))["methods"][0]
    assert last < entry["gap_at_end"]
    assert again["status"] == "converged" and again["payoff_calls_to_tol"] is None


def test_a_method_for_positive_temperatures_is_told_what_to_give(run, four):
    sentence = "mirror_descent is for positive temperatures; give --temperature, e.g. 0.1"
    result = run("compare", str(four), "--methods", "inpo,spo", "--steps", "5")
    assert re.search(rf"^Mirror descent .* NOT RUN: {sentence}$", result.out, re.MULTILINE)
    result = run("run", str(four), "--method", "inpo")
    assert (result.code, result.err) == (2, f"gtpref: error: {sentence}\n")
    assert run("run", str(four), "--method", "inpo", "--step-size", "0.1", "--steps", "5").code == 3
    assert "must be a positive number" in run("run", str(four), "--method", "inpo", "--step-size", "best").err

def test_json_holds_curves_and_settings(run, four):
    payload = found(run("compare", str(four), *TWO, "--tol", "0", "--json"))
    assert payload["schema"] == "gtpref.compare/1"
    assert payload["budgets"] == [10, 100]
    by_name = {entry["method"]: entry for entry in payload["methods"]}
    assert set(by_name) == {"multiplicative_weights", "extragradient"}
    for name, entry in by_name.items():
        solution = solved(four, name, tol=0.0)
        assert entry["policy"] == solution.policy.tolist()
        assert entry["gap"] == solution.gap
        assert_array_equal(entry["trace"]["metrics"]["gap"], solution.trace.metrics["gap"])
        assert entry["payoff_calls_to_tol"] is None


def test_samples_are_those_of_the_seed(run, four):
    argv = ("compare", str(four), "--methods", "egpo", "--sampled", "2", "--steps", "20", "--tol", "0")
    payload = found(run(*argv, "--rng", "3", "--json"))
    expected = solved(four, "egpo", tol=0.0, max_steps=20, oracle=gp.Sampled(opponents=2), rng=3)
    assert payload["methods"][0]["policy"] == expected.policy.tolist()
    assert "2 sampled opponents, win or lose, rng 3" in run(*argv, "--rng", "3").out


def test_without_names_all_suitable_methods_are_compared(run, four):
    payload = found(run("compare", str(four), "--temperature", "0.1", "--steps", "3", "--json"))
    named = {entry["method"] for entry in payload["methods"] + payload["refused"]}
    assert named == {cls.info.name for cls in gp.METHODS.primary() if "regularized" in cls.info.solves}
    assert payload["refused"] == []


def test_a_method_that_refuses_does_not_stop_the_others(run, four, monkeypatch):
    real = following.solve

    def solve(game, rule, **settings):
        if rule.info.name == "multiplicative_weights":
            raise gp.UnsupportedCombination("not today")
        return real(game, rule, **settings)

    monkeypatch.setattr(following, "solve", solve)
    result = run("compare", str(four), *TWO)
    assert result.code == 0
    assert re.search(r"^Multiplicative weights \(SPO\) +NOT RUN: not today$", result.out, re.MULTILINE)
    alone = run("compare", str(four), "--methods", "spo")
    assert (alone.code, alone.out) == (2, "")
    assert alone.err == "gtpref: error: no method could be run; multiplicative_weights: not today\n"


def test_an_interrupt_shows_what_was_run(run, four, monkeypatch):
    real = following.solve

    def solve(game, rule, **settings):
        def callback(snapshot):
            if rule.info.name == "extragradient" and snapshot.step >= 10:
                raise KeyboardInterrupt

        return real(game, rule, **{**settings, "callback": callback})

    monkeypatch.setattr(following, "solve", solve)
    result = run("compare", str(four), "--methods", "spo,egpo,optimistic", "--steps", "150")
    assert result.code == 130
    assert "Multiplicative weights" in result.out
    assert "Optimistic" not in result.out
    assert result.err == "gtpref: interrupted: 2 of 3 methods were run, the last of them in part\n"


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("--methods", "egpo,zzz"), "no update rule is called 'zzz'"),
        (("--methods", ","), "--methods names none"),
        (("--steps", "0"), "--steps: must be at least 1"),
    ],
)
def test_mistakes_get_a_sentence(run, four, argv, sentence):
    result = run("compare", str(four), *argv)
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err


@pytest.mark.parametrize("suffix", ["json", "csv", "svg", "html"])
def test_files(run, four, tmp_path, suffix):
    file = tmp_path / f"compare.{suffix}"
    assert run("compare", str(four), *TWO, "--quiet", "-o", str(file)) == (0, "", "")
    text = file.read_text(encoding="utf-8")
    if suffix == "json":
        assert json.loads(text)["schema"] == "gtpref.compare/1"
    elif suffix == "csv":
        rows = [row for row in csv.DictReader(io.StringIO(text)) if row["method"] == "extragradient"]
        trace = solved(four, "egpo").trace
        assert [int(row["payoff_calls"]) for row in rows] == trace.payoff_calls.tolist()
        assert [float(row["gap"]) for row in rows] == trace.metrics["gap"].tolist()
    else:
        assert "<svg" in text and "Extragradient" in text
        if suffix == "html":
            assert "at the end" in text and "The same again" in text and "gtpref compare" in text
        assert not re.search(r"(src|href)=\"(?!#)(?!http://www.w3.org)", text)


def test_the_page_tells_what_was_made_of_the_file(run, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("model_a,model_b,winner\ntea,milk,model_a\ntea,milk,model_b\ntea,milk,coffee\n")
    page = tmp_path / "compare.html"
    text = run("compare", str(log), "--skip-bad", *TWO, "-o", str(page)).out
    remark = "note: 1 of 3 rows were not understood and left out"
    assert remark in text.splitlines()
    assert remark in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "argv",
    [
        ("--methods", "spo,adaptive_extragradient", "--products", "90"),
        ("--methods", "egpo,nash_md", "--temperature", "0.2", "--sampled", "2", "--rng", "3", "--steps", "20"),
    ],
)
def test_the_python_it_shows_gives_the_same(run, four, argv):
    payload = found(run("compare", str(four), *argv, "--tol", "0", "--json"))
    names = {}
    with interpreted():
        exec(payload["python"], names)
    assert len(names["solutions"]) == 2
    for entry in payload["methods"]:
        solution = names["solutions"][entry["method"]]
        assert solution.payoff_calls == entry["payoff_calls"]
        assert_allclose(solution.policy, entry["policy"], rtol=1e-12)
    assert payload["command"] == shlex.join(["gtpref", "compare", str(four), *argv, "--tol", "0", "--json"])


# -- gtpref methods


def test_methods_lists_every_rule_once(run):
    result = run("methods")
    assert (result.code, result.err) == (0, "")
    names = [line.split()[0] for line in result.out.splitlines()[1:]]
    assert names == [cls.info.name for cls in gp.METHODS.primary()]


def test_one_method_is_described_by_any_of_its_names(run):
    text = run("methods", "egpo").out
    assert text == run("methods", "extragradient").out
    for part in ("Extragradient", "2 payoff products a step", "largest (default)", "extragradient-contraction"):
        assert part in text
    symbol = next(paper for paper in gp.PAPERS.values() if paper.method == "extragradient").symbols[0]
    assert f"    {symbol.paper}, {symbol.meaning}: {symbol.here}\n" in text
    assert ">>>" not in text
    assert "    pi_{t+1/2} ∝ b_t exp(eta A pi_t),\n" in text


def test_no_page_of_a_method_shows_markup(run):
    for cls in gp.METHODS.primary():
        text = run("methods", cls.info.name).out
        assert "\\" not in text and ":math:" not in text and ".. math::" not in text


def test_methods_as_json(run):
    payload = found(run("methods", "--json"))
    assert payload["schema"] == "gtpref.methods/1"
    facts = {entry["method"]: entry for entry in payload["methods"]}
    assert facts["multiplicative_weights"]["answer"] == "average"
    assert set(facts["multiplicative_weights"]["aliases"]) == {"spo", "hedge"}
    assert {theorem["proved"] for entry in facts.values() for theorem in entry["theorems"]} == {True, False}


def test_an_unknown_method_has_neighbours(run):
    result = run("methods", "optimist")
    assert (result.code, result.out) == (2, "")
    assert "did you mean optimistic" in result.err
