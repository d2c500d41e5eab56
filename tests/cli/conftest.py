"""Run the command line in this process, with streams of a chosen encoding."""

from __future__ import annotations

import io
import pathlib
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from gametheory_pref.cli import main

FOUR = """\
,rock,paper,scissors,lizard
rock,0.5,0.7,0.2,0.6
paper,0.3,0.5,0.8,0.65
scissors,0.8,0.2,0.5,0.7
lizard,0.4,0.35,0.3,0.5
"""


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


class StandardInput(io.BytesIO):
    """What a process finds as ``sys.stdin.buffer``."""

    name = "<stdin>"


Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs `gtpref` with the given arguments."""

    def run_once(*argv: str, stdin: bytes = b"", encoding: str = "utf-8") -> Result:
        out, err = io.BytesIO(), io.BytesIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(StandardInput(stdin), encoding="utf-8"))
            patch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding=encoding, write_through=True))
            patch.setattr(sys, "stderr", io.TextIOWrapper(err, encoding=encoding, write_through=True))
            code = main(argv)
            # Read before the wrappers are collected and close their buffers.
            return Result(code, out.getvalue().decode(encoding), err.getvalue().decode(encoding))

    return run_once


@pytest.fixture
def four(tmp_path: pathlib.Path) -> pathlib.Path:
    """A matrix of four responses: a cycle of three (winner 3/8, 3/8, 1/4) that beats the fourth."""
    path = tmp_path / "four.csv"
    path.write_text(FOUR, encoding="utf-8")
    return path
