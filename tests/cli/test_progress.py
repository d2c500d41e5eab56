"""The line of progress: on terminals only, throttled, and gone at the end."""

from __future__ import annotations

import io
from argparse import Namespace
from types import SimpleNamespace

import pytest

import gametheory_pref as gp
from gametheory_pref.cli import following
from gametheory_pref.cli import progress as module
from gametheory_pref.cli.progress import Progress


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def new_terminal(monkeypatch) -> Terminal:
    # In the test itself: between a fixture and its test, pytest puts its own stream in this place.
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("COLUMNS", "40")
    return stream


def test_the_line_is_drawn_over_and_erased(monkeypatch):
    terminal = new_terminal(monkeypatch)
    clock = iter([0.0, 0.05, 0.2])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    with Progress(Namespace(quiet=False)) as line:
        line.show("step 1")
        line.show("too soon")
        line.show("step 3")
    assert terminal.getvalue() == "\r\x1b[Kstep 1\r\x1b[Kstep 3\r\x1b[K"


def test_a_line_never_wraps(monkeypatch):
    terminal = new_terminal(monkeypatch)
    with Progress(Namespace(quiet=False)) as line:
        line.show("x" * 100)
    assert terminal.getvalue() == "\r\x1b[K" + "x" * 39 + "\r\x1b[K"


def test_nothing_is_drawn_when_nobody_looks(monkeypatch):
    terminal = new_terminal(monkeypatch)
    with Progress(Namespace(quiet=True)) as line:
        line.show("step 1")
    assert terminal.getvalue() == ""
    file = io.StringIO()
    monkeypatch.setattr("sys.stderr", file)
    with Progress(Namespace(quiet=False)) as line:
        line.show("step 1")
    assert file.getvalue() == ""


@pytest.mark.parametrize(("steps", "cached", "says"), [(10**6, False, True), (10**6, True, False), (10, False, False)])
def test_a_compilation_is_announced_once(monkeypatch, steps, cached, says):
    terminal = new_terminal(monkeypatch)
    kernel = SimpleNamespace(is_loaded=False, is_cached=cached)
    monkeypatch.setattr(following, "kernel_of", lambda rule: kernel)
    plan = following.Plan(gp.zoo["rock_paper_scissors"].game, gp.METHODS["extragradient"](step_size=0.1), steps=steps)
    with Progress(Namespace(quiet=False)) as line:
        # Already converged at the start, after the announcement.
        following.follow(plan, line)
    assert ("compiling extragradient, once" in terminal.getvalue()) == says
    quiet = new_terminal(monkeypatch)
    with Progress(Namespace(quiet=True)) as line:
        following.follow(plan._replace(steps=10), line)
    assert quiet.getvalue() == ""
