"""The files shown on the page about reading data are read as the page says."""

from __future__ import annotations

import io
import pathlib
import re

import pytest

from gametheory_pref.data import read

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "reading_data.md"
BLOCK = re.compile(r'```\w+ (\S+)(?: kind="([^"]+)")?\n(.*?)```\n\n> `([^`]+)`', re.DOTALL)
EXAMPLES = BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def test_there_are_examples_of_all_kinds() -> None:
    # Python is run as a doctest.
    files = re.findall(r"^```(?!python)\w", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(EXAMPLES) == len(files) == 8


@pytest.mark.parametrize(("name", "kind", "content", "shown"), EXAMPLES, ids=[example[0] for example in EXAMPLES])
def test_example(name: str, kind: str, content: str, shown: str) -> None:
    stream = io.BytesIO(content.encode())
    stream.name = name  # type: ignore[attr-defined]
    assert repr(read(stream, kind=kind or "auto")) == shown
