"""Verdicts on a page are those of `verify_rate`, recomputed from what was recorded."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref.sweep_report import summary_table, theorem_rows
from gametheory_pref.sweeping.cells import CellResult


@pytest.fixture(scope="module")
def comparison() -> gp.Comparison:
    """One method on two problems, two random starts each."""
    return gp.compare(
        "comal", "extragradient", temperatures=[0.1, 0.2], seeds=range(2), starts="random", max_steps=100
    )


def frozen(cell: CellResult) -> CellResult:
    """Return what a method that never moves would have left behind."""
    iterates = np.repeat(cell.outcome.iterates[:1], len(cell.outcome.iterates), axis=0)
    return replace(cell, outcome=cell.outcome._replace(iterates=iterates))


def test_problems_are_counted_by_verdict(comparison: gp.Comparison) -> None:
    rows = {row.theorem: row for row in theorem_rows(comparison)}
    assert set(rows) == {part.name for part in gp.METHODS["extragradient"].info.guarantees if part.proved}
    row = rows["extragradient-contraction"]
    assert (row.method, row.holds, row.violated, row.inconclusive) == ("extragradient", 2, 0, 0)
    assert row.tightness is not None and 0.0 < row.tightness <= 1.0 + 1e-9
    judged = [gp.verify_rate(runs["extragradient"]) for runs in map(comparison.solutions, ["comal"] * 2, [0.1, 0.2])]
    for name, row in rows.items():
        verdicts = [part.verdict for report in judged for part in report.parts if part.name == name]
        counts = [verdicts.count(verdict) for verdict in ("holds", "violated", "inconclusive")]
        assert [row.holds, row.violated, row.inconclusive] == counts


def test_a_method_that_never_moves_is_found_out(comparison: gp.Comparison) -> None:
    tampered = replace(comparison, cells=(frozen(comparison.cells[0]), *comparison.cells[1:]))
    row = {row.theorem: row for row in theorem_rows(tampered)}["extragradient-contraction"]
    assert (row.holds, row.violated) == (1, 1)
    assert row.tightness is not None and row.tightness > 1.0
    assert "<strong>1</strong>" in tampered.to_html()


def test_the_table_marks_the_best_and_escapes_names() -> None:
    rules = {"<fast>": gp.METHODS["extragradient"](), "slow": gp.METHODS["extragradient"](step_size=1e-3)}
    comparison = gp.compare({"<g>": gp.zoo["comal"].game}, rules, temperatures=[0.1], starts="random", max_steps=200)
    table = summary_table(comparison)
    assert table.count("<strong>") == 1
    assert "&lt;fast&gt;" in table and "<fast>" not in table and "&lt;g&gt;" in table
    assert comparison._repr_html_() == table


def test_a_picture_shows_the_best_methods_and_counts_the_rest() -> None:
    rules = {f"step {k}": gp.METHODS["extragradient"](step_size=1.0 / 2**k) for k in range(14)}
    page = gp.compare("comal", rules, temperatures=[0.1], starts="random", max_steps=50).to_html()
    assert page.count("<svg") == 1 and "The 12 best methods; 2 more are in the table above." in page
    assert ">step 11</text>" in page and ">step 12</text>" not in page


def test_a_method_has_one_color_on_the_page() -> None:
    """The second method is alone on the first problem, and has another before it on the second."""
    rules = ["multiplicative_weights", "extragradient", "magnetic"]
    page = gp.compare("comal", rules, temperatures=[0.1, 0.0], starts="random", max_steps=50).to_html()
    looks = re.findall(r'<g id="(gap\d+-)?line-(\d+)">.*?stroke: (#[0-9a-f]+)', page, flags=re.S)
    colors: dict[str, set[str]] = {}
    for _, place, color in looks:
        colors.setdefault(place, set()).add(color)
    assert [place for _, place, _ in looks] == ["0", "1", "0", "2"]
    assert all(len(found) == 1 for found in colors.values()) and len(set.union(*colors.values())) == 3


def test_lines_of_several_pictures_are_all_named(comparison: gp.Comparison) -> None:
    with pytest.raises(gp.InputError, match="among must name every line; 'extragradient' is missing"):
        gp.plot.gap_curves(comparison.solutions(), among=["nash_md"])


def test_files_go_by_their_names_where_these_differ() -> None:
    game = gp.zoo["comal"].game
    games = {"/data/a/x.csv": game, "/data/b/x.csv": game, "/data/a/y.csv": game, "zoo:comal": game}
    table = summary_table(gp.compare(games, "extragradient", max_steps=5))
    shown = re.findall(r"<tr><td[^>]*>([^<]*)</td>", table)
    assert shown == ["/data/a/x.csv", "/data/b/x.csv", "y.csv", "zoo:comal"]


def test_gaps_of_rounding_are_told_as_such() -> None:
    comparison = gp.compare("comal", "extragradient", temperatures=[0.1], starts="random", max_steps=500)
    assert 0.0 <= comparison.cells[0].gap < 1e-16
    assert "<strong>&lt; 1e-16</strong>" in summary_table(comparison)


def test_every_reason_for_no_verdict_is_counted() -> None:
    rules = {"short": gp.METHODS["extragradient"](step_size=5.0)}
    games = {name: gp.zoo[name].game for name in ("comal", "rock_paper_scissors")}
    comparison = gp.compare(games, rules, temperatures=[0.0, 0.1], starts="random", max_steps=30)
    for row in theorem_rows(comparison):
        assert sum(number for _, number in row.undecided) == row.inconclusive
        assert bool(row.reason) == (row.holds + row.violated > 0)
    undecided = {row.theorem: dict(row.undecided) for row in theorem_rows(comparison)}
    reasons = undecided["extragradient-contraction"]
    assert len(reasons) >= 2 and sum(reasons.values()) == 4
    page = comparison.to_html()
    for reason, number in reasons.items():
        assert f"undecided {number}: {html.escape(reason)}" in page
