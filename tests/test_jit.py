"""Kernels: lazy, cached where stale code cannot survive, and the same in the interpreter."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gametheory_pref import _jit
from gametheory_pref._jit import Kernel, cache_folder, interpreted, jit
from gametheory_pref.fused import kernel_of
from gametheory_pref.methods import METHODS


@jit
def _double(values, out):
    for i in range(values.size):
        out[i] = 2.0 * values[i]
    return out


@jit
def _quadruple(values, out):
    return _double(_double(values, out), out)


def test_a_kernel_calls_another_and_matches_the_interpreter() -> None:
    values = np.array([1.0, np.nan, np.inf, -0.0])
    compiled = _quadruple(values, np.empty(4))
    with interpreted():
        plain = _quadruple(values, np.empty(4))
    np.testing.assert_array_equal(compiled, plain)
    np.testing.assert_array_equal(compiled, 4.0 * values)


def test_interpreted_runs_no_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("compiled")

    monkeypatch.setattr(_jit, "_compile", refuse)
    fresh: Kernel = jit(lambda x: x + 1)
    with interpreted():
        assert fresh(1) == 2
    with pytest.raises(AssertionError, match="compiled"):
        fresh(1)


def test_reordering_keeps_nan_and_infinity() -> None:
    @jit(reassociate=True)
    def total(values):
        result = 0.0
        for i in range(values.size):
            result += values[i]
        return np.isnan(result), np.isinf(result)

    assert total(np.array([1.0, np.nan])) == (True, False)
    assert total(np.array([1.0, np.inf])) == (False, True)


_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from copy_of_package._jit import cache_folder
from copy_of_package.kernels.outer import outer
print(outer(1.0), cache_folder().name)
"""


def test_an_edit_of_a_called_kernel_is_noticed(tmp_path: pathlib.Path) -> None:
    """numba's own cache would return the old number here."""
    package = tmp_path / "copy_of_package"
    (package / "kernels").mkdir(parents=True)
    for name in ("__init__.py", "kernels/__init__.py", "status.py", "_simd.py", "_simd_compiled.py"):
        (package / name).write_text("")
    (package / "_jit.py").write_text(pathlib.Path(_jit.__file__).read_text())
    inner = package / "kernels" / "inner.py"
    (package / "kernels" / "outer.py").write_text(
        "from .._jit import jit\nfrom .inner import inner\n@jit\ndef outer(x):\n    return inner(x)\n"
    )
    seen = []
    for factor in ("10.0", "10.0", "60.0"):
        inner.write_text(f"from .._jit import jit\n@jit\ndef inner(x):\n    return {factor} * x\n")
        result = subprocess.run(
            [sys.executable, "-c", _PROGRAM, str(tmp_path)],
            env={"PATH": "", "GAMETHEORY_PREF_CACHE_DIR": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, check=True,
        )
        seen.append(result.stdout.split())
    assert [value for value, _ in seen] == ["10.0", "10.0", "60.0"]
    assert seen[0][1] == seen[1][1] != seen[2][1]


def test_the_cache_is_used_by_a_second_process(tmp_path: pathlib.Path) -> None:
    code = (
        "import numpy as np\nfrom gametheory_pref.kernels.logspace import logsumexp\n"
        "logsumexp(np.zeros(3)); print(sum(logsumexp.compiled.stats.cache_hits.values()))"
    )
    hits = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PATH": "", "GAMETHEORY_PREF_CACHE_DIR": str(tmp_path)},
            capture_output=True, text=True, check=True, cwd=pathlib.Path(_jit.__file__).parents[1],
        ).stdout.strip()
        for _ in range(2)
    ]
    assert hits == ["0", "1"]


def test_threads_that_compile_at_once_share_the_cache_folder_and_the_compiled_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import numba

    used = []

    def slow_njit(**_: object) -> Callable[..., object]:
        time.sleep(0.01)
        used.append(numba.config.CACHE_DIR)
        return lambda function: object()

    monkeypatch.setattr(numba, "njit", slow_njit)
    before = numba.config.CACHE_DIR
    kernels: list[Kernel] = [jit(lambda x: x) for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        compiled = list(pool.map(lambda kernel: kernel.compiled, kernels * 4))
    assert set(used) == {str(cache_folder())}
    assert len(used) == len(set(compiled)) == len(kernels)
    assert before == numba.config.CACHE_DIR


class FakeKernel:
    def __init__(self, *, is_loaded: bool = False, is_cached: bool = False) -> None:
        self.is_loaded = is_loaded
        self.is_cached = is_cached


def covered(kernel: FakeKernel, costs: list[float]) -> list[bool]:
    chooser = _jit.InterpretedFirst(kernel)  # type: ignore[arg-type]
    seen = []
    for seconds in costs:
        with chooser.context(seconds):
            seen.append(_jit._interpreting.get())
    return seen


def test_the_interpreter_comes_first_within_a_budget() -> None:
    assert covered(FakeKernel(is_loaded=True), [0.0]) == [False]
    assert covered(FakeKernel(), [0.41]) == [False]
    assert covered(FakeKernel(), [0.39, 0.02]) == [True, False]
    assert covered(FakeKernel(), [1e-5] * 102) == [True] * 100 + [False] * 2
    assert covered(FakeKernel(is_cached=True), [1e-5] * 5) == [True] * 3 + [False] * 2


def test_a_compiled_kernel_is_found_on_the_disk(tmp_path: pathlib.Path) -> None:
    code = (
        "import numpy as np\n"
        "from gametheory_pref.kernels.skew_pivot import solve_symmetric_game as kernel\n"
        "before = kernel.is_cached\n"
        "kernel(np.zeros((2, 2)), np.empty(2))\n"
        "print(before, kernel.is_cached)"
    )
    seen = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True, text=True, check=True, env={**os.environ, "GAMETHEORY_PREF_CACHE_DIR": str(tmp_path)},
        ).stdout.split()
        for _ in range(2)
    ]
    assert seen == [["False", "True"], ["True", "True"]]


_RULE_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import gametheory_pref as gp
from gametheory_pref.fused import kernel_of
{setup}
solution = gp.solve([[0.5, 0.9], [0.1, 0.5]], {method}, max_steps=1, tol=0.0)
kernel = kernel_of(solution.run.rule).compiled
print(solution.run.log_last[-1, 0], sum(kernel.stats.cache_hits.values()))
"""


def first_answer(folder: pathlib.Path, setup: str, method: str) -> tuple[float, bool]:
    """Take one step in a process of its own; return a number of the answer, and whether compiled code was on the disk.

    The package and further modules are imported from `folder`.
    """
    result = subprocess.run(
        [sys.executable, "-c", _RULE_PROGRAM.format(setup=setup, method=method), str(folder)],
        capture_output=True, text=True, check=True, cwd=folder,
        env={"PATH": "", "GAMETHEORY_PREF_CACHE_DIR": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    number, hits = result.stdout.split()
    return float(number), hits != "0"


@pytest.mark.slow
def test_an_edit_of_anything_that_a_rule_is_compiled_from_gives_new_numbers(tmp_path: pathlib.Path) -> None:
    """The rule itself, a verb's plain part, the run loop, a kernel, and what a kernel calls."""
    package = tmp_path / "gametheory_pref"
    shutil.copytree(pathlib.Path(_jit.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    method = "gp.METHODS['multiplicative_weights'](step_size=1.0)"
    before, cached = first_answer(tmp_path, "rule = None", method)
    assert not cached
    assert first_answer(tmp_path, "rule = None", method) == (before, True)
    for name, old, new in (
        ("methods/multiplicative_weights.py", "state.x, rng), eta)", "state.x, rng), 2.0 * eta)"),
        ("verbs.py", "        return schedule.scale\n", "        return 3.0 * schedule.scale\n"),
        ("compiled_verbs.py", "(base.log, direction.value, step_size", "(base.log, direction.value, 0.5 * step_size"),
        ("kernels/steps.py", "base[i] + step_size * direction[i]", "base[i] + 5.0 * step_size * direction[i]"),
        ("kernels/elementary.py", "return 1.0 + (r + r2", "return 1.5 + (r + r2"),
    ):  # fmt: skip
        source = package / name
        text = source.read_text(encoding="utf-8")
        assert text.count(old) == 1, name
        source.write_text(text.replace(old, new), encoding="utf-8")
        after, cached = first_answer(tmp_path, "rule = None", method)
        assert not cached, name
        assert abs(after - before) > 1e-3, name
        source.write_text(text, encoding="utf-8")
    assert first_answer(tmp_path, "rule = None", method) == (before, True)


_OWN_RULE = """
from typing import NamedTuple
from gametheory_pref import METHODS
from gametheory_pref.verbs import Point, field, mirror

class State(NamedTuple):
    x: Point
    t: int

class Own(NamedTuple):
    def init(self, problem):
        return State(x=problem.start, t=0)

    def step(self, problem, state, rng):
        return State(x=mirror(problem, state.x, field(problem, state.x, rng), {step}), t=state.t + 1)

Own.info = METHODS["regret_matching"].info
"""


def test_only_rules_of_the_package_go_to_the_disk() -> None:
    namespace: dict[str, Any] = {"__name__": "own_rule"}
    exec(_OWN_RULE.format(step="1.0"), namespace)
    kernel = kernel_of(namespace["Own"]())
    assert kernel.sources is None
    assert not kernel.is_cached
    assert kernel_of(METHODS["extragradient"]()).sources == _jit.RULE_SOURCES


@pytest.mark.slow
def test_a_rule_from_elsewhere_is_never_read_from_the_disk(tmp_path: pathlib.Path) -> None:
    """Its file may change without our noticing."""
    (tmp_path / "gametheory_pref").symlink_to(pathlib.Path(_jit.__file__).parent)
    seen = []
    for step in ("1.0", "3.0"):
        (tmp_path / "own_rule.py").write_text(_OWN_RULE.format(step=step), encoding="utf-8")
        seen.append(first_answer(tmp_path, "import own_rule", "own_rule.Own()"))
    assert [cached for _, cached in seen] == [False, False]
    assert abs(seen[0][0] - seen[1][0]) > 1e-3
