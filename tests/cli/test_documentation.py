"""The transcripts of docs/command_line.md are what the commands print."""

from __future__ import annotations

import pathlib
import re
import shlex

import pytest

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "command_line.md"


def _transcripts() -> list[str]:
    return re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def _commands(transcript: str) -> list[tuple[str, str]]:
    """Return pairs of a command line and the text below it."""
    parts = re.split(r"^\$ (.*)\n", transcript, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def _comparable(text: str) -> str:
    """Return the text without times, counts of trials, and gaps of the size of rounding."""
    text = re.sub(r"\bin \S+ m?s\b", "in TIME", text)
    # A new step-size rule of a method brings new trials of its theorems.
    text = re.sub(r"\d+/\d+$|\d+ of \d+ trials", "TRIALS", text, flags=re.MULTILINE)
    return re.sub(r"duality gap (0|\d(\.\d)?e-1[0-9]|\d(\.\d)?e-[23]\d) ", "duality gap ROUNDING ", text)


def _piped(line: str) -> tuple[bytes, list[str]]:
    """Return standard input and arguments of ``gtpref ...`` or ``printf '...' | gtpref ...``."""
    left, bar, right = line.rpartition("| ")
    argv = shlex.split(right)
    assert argv[0] == "gtpref"
    if not bar:
        return b"", argv[1:]
    word, text = shlex.split(left)
    assert word == "printf"
    return text.replace("\\n", "\n").encode(), argv[1:]


@pytest.mark.parametrize("transcript", _transcripts())
def test_the_transcript_is_what_is_printed(run, tmp_path, monkeypatch, transcript):
    monkeypatch.chdir(tmp_path)
    code = None
    for line, shown in _commands(transcript):
        if line == "echo $?":
            assert shown.strip() == str(code)
            continue
        stdin, argv = _piped(line)
        result = run(*argv, stdin=stdin)
        code = result.code
        assert _comparable(result.out + result.err) == _comparable(shown), line


def test_the_page_shows_every_command():
    text = PAGE.read_text(encoding="utf-8")
    assert len(_transcripts()) >= 6
    commands = "solve, run, compare, methods, verify, data info, data check, data convert, demo, info"
    for command in commands.split(", "):
        assert f"gtpref {command}" in text
