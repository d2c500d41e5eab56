"""The method that docs/add_a_method.md adds: found without an edit elsewhere, and held to the battery."""

from __future__ import annotations

import importlib.util
import pathlib
import re
import runpy
import shutil
import sys

import pytest

import gametheory_pref as gp
from gametheory_pref import methods

from .battery import BATTERY, check_the_same_luck_gives_the_same_run

DOCS = pathlib.Path(__file__).parents[2] / "docs"
RULE, TEST, SCRIPT = (
    DOCS / "examples" / name
    for name in ("operator_extrapolation.py", "check_operator_extrapolation.py", "my_rule.py")
)

FACTS = methods.StepFacts(payoff_bound=0.4, temperature=0.1, spread=1.0, horizon=100)


def load(path: pathlib.Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rule_class():
    yield load(RULE).OperatorExtrapolation
    del sys.modules[RULE.stem]


@pytest.mark.parametrize("check", BATTERY, ids=lambda check: check.__name__.removeprefix("check_"))
def test_it_passes_the_battery(rule_class, check):
    check(rule_class, jit=True)


def test_its_samples(rule_class):
    check_the_same_luck_gives_the_same_run(rule_class, jit=False)


def test_the_rule_in_a_script_runs_everywhere(capsys):
    """Without a place in the package, and with the output that the page shows."""
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert f"```text\n{capsys.readouterr().out}```" in (DOCS / "add_a_method.md").read_text(encoding="utf-8")


def test_a_settled_rule_with_a_number_for_a_default_is_settled_again():
    rule = load(SCRIPT).Mine()
    settled = methods.settle(rule, FACTS)
    assert methods.settle(settled, FACTS) == settled != rule
    with pytest.raises(gp.InputError, match="step_size"):
        methods.settle(rule._replace(step_size=object()), FACTS)


@pytest.fixture
def added(monkeypatch, tmp_path):
    """The registry, after one file was put into the folder of methods."""
    # The registry of this process is filled before the folder grows.
    assert list(gp.METHODS)
    shutil.copy(RULE, tmp_path)
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])
    yield methods.Methods()
    sys.modules.pop(f"{methods.__name__}.{RULE.stem}", None)


def test_one_file_is_all_that_it_takes(added, monkeypatch):
    assert set(added) - set(gp.METHODS) == {"operator_extrapolation"}
    monkeypatch.setattr(gp, "METHODS", added)
    page = load(TEST)
    tests = [value for name, value in vars(page).items() if name.startswith("test_")]
    assert len(tests) >= 3
    for test in tests:
        test()
    del sys.modules[TEST.stem]


def test_the_page_shows_the_files_that_are_tested():
    page = (DOCS / "add_a_method.md").read_text(encoding="utf-8")
    for path in (RULE, TEST, SCRIPT):
        code = path.read_text(encoding="utf-8")
        assert f"```python\n{code}```" in page, f"docs/add_a_method.md differs from {path.name}"
    for path in (RULE, TEST):
        code = path.read_text(encoding="utf-8")
        shown = rf"{path.name.replace('check_', 'test_')} +\| +(\d+) \+"
        assert int(re.search(shown, page)[1]) == len(code.splitlines())
