"""Pages that are generated are up to date, and every reference that anybody cites is known and used."""

from __future__ import annotations

import importlib.util
import pathlib
import re

import pytest

import gametheory_pref as gp

DOCS = pathlib.Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("generate_methods", DOCS / "generate_methods.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date(generator):
    stale = [
        path.name
        for path, text in generator.files().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    assert not stale, "run python docs/generate_methods.py"


def test_every_method_has_a_page_and_every_page_a_method():
    assert {path.stem for path in (DOCS / "methods").glob("*.md")} == {rule.info.name for rule in gp.METHODS.primary()}


def test_every_section_of_a_docstring_reaches_the_page(generator):
    for rule in gp.METHODS.primary():
        page = generator.page(rule)
        assert "$$" in page and ":math:" not in page and ".. math" not in page, rule.info.name
        assert set(generator.sections(rule)) <= {"", "Parameters", "Notes", "References", "Examples"}, rule.info.name
        for name in rule._fields:
            assert f"- `{name}` (" in page, f"{rule.info.name} does not list {name}"
        for guarantee in rule.info.guarantees:
            assert f"`{guarantee.statement}`" in page


def test_links_into_the_theory_page_lead_somewhere(generator):
    text = (DOCS / "theory.md").read_text(encoding="utf-8")
    anchors = {line.removeprefix("## ").lower().replace(" ", "-") for line in text.splitlines() if line[:3] == "## "}
    for rule in gp.METHODS.primary():
        linked = set(re.findall(r"theory\.md#([\w-]+)", generator.page(rule)))
        assert linked <= anchors, (rule.info.name, linked - anchors)


def test_references_are_known_and_used(generator):
    known = generator.references()
    cited = {key for rule in gp.METHODS.primary() for key in rule.info.cite}
    cited |= {key for paper in gp.PAPERS.values() for key in paper.cite}
    # And the one that docs/add_a_method.md adds.
    assert cited | {"kotsalis2022simple"} == set(known)
    for key, entry in known.items():
        assert {"author", "title", "year"} <= set(entry), key
        assert key.startswith(entry["author"].partition(",")[0].lower() + entry["year"]), key
        assert "eprint" not in entry or re.fullmatch(r"\d{4}\.\d{4,5}", entry["eprint"]), key


def test_rows_of_tables_have_all_their_cells_and_no_bars_in_formulas():
    r"""A bar ends a cell even in code and formulas; of ``\|`` in a formula only the bar would be left."""
    rows = [
        (path.name, number, line)
        for path in sorted(DOCS.rglob("*.md"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if line.startswith("|")
    ]
    assert len(rows) > 100
    bars = {(name, number): len(re.findall(r"(?<!\\)\|", line)) for name, number, line in rows}
    for name, number, line in rows:
        assert bars.get((name, number - 1), bars[name, number]) == bars[name, number], (name, number)
        assert not any("|" in formula for formula in re.findall(r"\$[^$]+\$", line)), (name, number)
