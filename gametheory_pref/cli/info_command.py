"""``gtpref info``: what a bug report should hold."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from argparse import Namespace
from typing import Any

from .. import __version__
from .._jit import cache_folder
from . import exit_codes
from .output import show, show_json
from .text import fields

_CORE = ("numpy", "scipy", "numba", "cvxpy", "joblib", "matplotlib")
_OPTIONAL = ("dask", "pandas", "pyarrow")
_SETTINGS = ("GAMETHEORY_PREF_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_DISABLE_JIT", "OMP_NUM_THREADS")


def run(args: Namespace) -> int:
    """Print versions, threads, folders and optional libraries; nothing is imported to find them out."""
    facts = _facts()
    if args.json:
        show_json(facts)
    elif not args.quiet:
        show("\n".join(_lines(facts)))
    return exit_codes.DONE


def _facts() -> dict[str, Any]:
    folder = cache_folder()
    return {
        "schema": "gtpref.info/1",
        "version": __version__,
        "package_folder": os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "threads": _threads(),
        "cache_folder": str(folder),
        "cache_folder_exists": folder.is_dir(),
        "libraries": {name: _version(name) for name in _CORE},
        "optional_libraries": {name: _version(name) for name in _OPTIONAL},
        "environment": {name: os.environ[name] for name in _SETTINGS if name in os.environ},
        "stdout_encoding": sys.stdout.encoding,
    }


def _threads() -> int:
    """Return the number of threads this process may run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _lines(facts: dict[str, Any]) -> list[str]:
    def versions(found: dict[str, str | None]) -> str:
        return ", ".join(f"{name} {version or 'not installed'}" for name, version in found.items())

    state = "" if facts["cache_folder_exists"] else " (empty: the first compiled solve fills it)"
    pairs = [
        ("gtpref", f"{facts['version']} in {facts['package_folder']}"),
        ("Python", f"{facts['python']} ({facts['implementation']}) on {facts['platform']}"),
        ("Threads", str(facts["threads"])),
        ("Libraries", versions(facts["libraries"])),
        ("Optional", versions(facts["optional_libraries"])),
        ("Compiled code", f"{facts['cache_folder']}{state}"),
    ]
    if facts["environment"]:
        pairs.append(
            ("Environment", ", ".join(f"{name}={value}" for name, value in facts["environment"].items()))
        )
    return fields(pairs)
