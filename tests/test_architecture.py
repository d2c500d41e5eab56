"""Imports run one way, heavy libraries stay out of ``import gametheory_pref``, and tests do not throw answers away."""

from __future__ import annotations

import ast
import pathlib
import subprocess
import sys

import pytest

import gametheory_pref
from gametheory_pref._jit import COMPILED_SOURCES

PACKAGE = pathlib.Path(gametheory_pref.__file__).parent
TESTS = pathlib.Path(__file__).parent

# A module may import only from layers above its own; within a layer, imports must not form a cycle.
LAYERS = [
    {"errors", "_types", "status"},
    {"_check", "_optional", "_uncompilable", "_jit", "_simd", "_simd_compiled", "_threads"},
    {"kernels"},
    {"values"},
    {"sum_verbs"},
    {"verbs"},
    {"methods"},
    {"compiled_verbs", "fused", "lanes", "matrix_free", "rule_data"},
    {"operators"},
    {"tensor_verbs"},
    {"games"},
    {"exact"},
    {"majority", "problem", "trace", "facts"},
    {"data", "tabular"},
    {"gap", "active_set"},
    {"certificate", "exact_methods"},
    {"iterating"},
    {"iterating_batch", "inclusions"},
    {"solution"},
    {"rate_report", "slopes", "measuring", "judging", "rates"},
    {"solving", "temperature_path", "batch", "run_state"},
    {"negative_controls", "verification"},
    {"sweeping"},
    {"datasets"},
    {"plot", "html"},
    {"sweep_report"},
    {"cli"},
]
# Methods that render an object may reach down to the leaf that draws it, inside the function only.
RENDERING = {
    ("games", "html"), ("solution", "html"), ("solution", "plot"), ("temperature_path", "plot"),
    ("sweeping", "plot"), ("sweeping", "sweep_report"),
}
FORBIDDEN_AT_IMPORT = ["torch", "cvxpy", "matplotlib", "pandas", "pyarrow", "numba", "scipy", "joblib", "dask"]
ROOMS_OF_HEAVY_LIBRARIES = {
    "numba": {"_jit", "_simd_compiled", "compiled_verbs", "fused", "lanes"},
    "matplotlib": {"plot", "html"},
    "cvxpy": set(),
    "torch": {"operators", "tensor_verbs"},
    "dask": {"operators"},
    "distributed": {"operators"},
    "pandas": set(),
}
# Modules that others import inside functions only.
LOADED_LATE = {"_simd_compiled"}


def module_names() -> list[pathlib.Path]:
    return sorted(path for path in PACKAGE.rglob("*.py"))


def room(path: pathlib.Path) -> str:
    """Return the first-level module or package that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: pathlib.Path) -> list[tuple[str, int, bool]]:
    """Return (absolute module, line, inside a function) for each import outside TYPE_CHECKING blocks."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = ["gametheory_pref", *path.relative_to(PACKAGE).parts[:-1]]
    found = []

    def visit(node: ast.AST, inside: bool) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.Import):
            found.extend((alias.name, node.lineno, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = [*base, *(node.module.split(".") if node.module else [])]
            if node.level and node.module is None:
                found.extend((".".join([*stem, alias.name]), node.lineno, inside) for alias in node.names)
            else:
                found.append((".".join(stem), node.lineno, inside))
        for child in ast.iter_child_nodes(node):
            visit(child, inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))

    visit(tree, False)
    return found


def layer_of(name: str) -> int:
    for depth, members in enumerate(LAYERS):
        if name in members:
            return depth
    raise AssertionError(f"{name} has no layer; give it one in tests/test_architecture.py and docs/architecture.md")


@pytest.mark.parametrize("path", module_names(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: pathlib.Path) -> None:
    own = room(path)
    if own in {"__init__", "__main__"}:
        return
    for module, line, inside in imports(path):
        parts = module.split(".")
        if parts[0] != "gametheory_pref" or len(parts) == 1 or parts[1] in {own, "__version__"}:
            continue
        if inside and (own, parts[1]) in RENDERING:
            continue
        assert layer_of(parts[1]) <= layer_of(own), (
            f"{path.relative_to(PACKAGE)}:{line} imports {module}: {own} lies in a layer above it"
        )


def test_compiled_code_comes_from_hashed_sources_only() -> None:
    """The cache folder is named after these files; a kernel that used another one could run stale code."""
    for path in (PACKAGE / "kernels").rglob("*.py"):
        for module, line, _ in imports(path):
            parts = module.split(".")
            if parts[0] == "gametheory_pref" and len(parts) > 1:
                assert {parts[1], f"{parts[1]}.py"} & set(COMPILED_SOURCES), f"{path.name}:{line} imports {module}"


def test_update_rules_use_the_verbs_only() -> None:
    """A rule in other words would run neither compiled nor on other policies than tables."""
    allowed = {"verbs", "values", "errors", "methods", "_types", "_check"}
    for path in (PACKAGE / "methods").rglob("*.py"):
        for module, line, _ in imports(path):
            parts = module.split(".")
            if parts[0] == "gametheory_pref" and len(parts) > 1:
                assert parts[1] in allowed, f"{path.name}:{line} imports {module}: a method may use only the verbs"


@pytest.mark.parametrize("path", module_names(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_stay_in_their_rooms(path: pathlib.Path) -> None:
    for module, line, inside in imports(path):
        library = module.split(".")[0]
        if library in ROOMS_OF_HEAVY_LIBRARIES:
            assert room(path) in ROOMS_OF_HEAVY_LIBRARIES[library], f"{path.name}:{line} imports {library}"
        if library in FORBIDDEN_AT_IMPORT and room(path) not in LOADED_LATE:
            assert inside, f"{path.name}:{line} imports {library} when the module loads; do it inside the function"


def test_modules_with_heavy_imports_are_loaded_late() -> None:
    for path in module_names():
        for module, line, inside in imports(path):
            if LOADED_LATE & set(module.split(".")):
                assert inside, f"{path.name}:{line} imports {module} when the module loads"


def test_one_layer_has_no_cycle() -> None:
    edges: dict[str, set[str]] = {}
    for path in module_names():
        own = room(path)
        for module, _, inside in imports(path):
            parts = module.split(".")
            within = parts[0] == "gametheory_pref" and len(parts) > 1 and parts[1] not in {own, "__version__"}
            rendering = inside and (own, parts[1]) in RENDERING if within else False
            if within and not rendering and own not in {"__init__", "__main__"}:
                edges.setdefault(own, set()).add(parts[1])

    def reaches(start: str, goal: str, seen: set[str]) -> bool:
        return any(
            after == goal or (after not in seen and reaches(after, goal, seen | {after}))
            for after in edges.get(start, ())
        )

    for name in edges:
        assert not reaches(name, name, {name}), f"{name} imports itself through others"


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=PACKAGE.parent
    ).stdout.strip()


def test_import_loads_nothing_heavy() -> None:
    loaded = run_python(
        "import sys, gametheory_pref\n"
        f"print([name for name in {FORBIDDEN_AT_IMPORT!r} if name in sys.modules])"
    )
    assert loaded == "[]"


def test_every_public_name_resolves_and_stays_light() -> None:
    loaded = run_python(
        "import sys, gametheory_pref as gp\n"
        "for name in gp.__all__: getattr(gp, name)\n"
        f"print([name for name in {FORBIDDEN_AT_IMPORT!r} if name in sys.modules])"
    )
    assert loaded == "[]"


def test_the_package_lists_its_public_names_only() -> None:
    import gametheory_pref as gp

    assert dir(gp) == sorted([*gp.__all__, "__version__"])


def test_public_names_are_not_shadowed_by_modules() -> None:
    out = run_python(
        "import types, gametheory_pref as gp, pkgutil, importlib\n"
        "for info in pkgutil.walk_packages(gp.__path__, 'gametheory_pref.'):\n"
        "    if not info.name.endswith('__main__'): importlib.import_module(info.name)\n"
        "print([n for n in gp.__all__ if isinstance(getattr(gp, n), types.ModuleType) and n not in gp.PUBLIC_MODULES])"
    )
    assert out == "[]"


COMPARISONS = {"allclose", "isclose", "array_equal", "array_equiv"}


@pytest.mark.parametrize("path", sorted(TESTS.rglob("test_*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_no_comparison_is_thrown_away(path: pathlib.Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            assert name not in COMPARISONS, f"{path.name}:{node.lineno}: the answer of {name} is not used"


def test_the_library_does_not_print() -> None:
    for path in module_names():
        if room(path) == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_print = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            assert not is_print, f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)} prints"
