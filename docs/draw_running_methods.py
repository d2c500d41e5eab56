"""Draw the pictures of ``docs/running_methods.md``: ``python docs/draw_running_methods.py``.

The code on the page is run from top to bottom; where a picture is shown, it is the axes that `ax` holds at that place.
"""

from __future__ import annotations

import doctest
import pathlib
import re
from collections.abc import Iterator
from typing import Any

from gametheory_pref import plot

PAGE = pathlib.Path(__file__).with_name("running_methods.md")
_PICTURE = re.compile(r"^!\[[^\]]*\]\((?P<file>[^)]+)\)$", re.MULTILINE)


def pictures(page: pathlib.Path) -> Iterator[tuple[pathlib.Path, Any]]:
    """Yield file and axes of every picture on a page."""
    text = page.read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    begin = 0
    for shown in _PICTURE.finditer(text):
        for example in doctest.DocTestParser().get_examples(text[begin : shown.start()]):
            exec(compile(example.source, str(page), "exec"), names)
        begin = shown.end()
        yield page.parent / shown["file"], names["ax"]


if __name__ == "__main__":
    for file, axes in pictures(PAGE):
        plot.save(axes, file)
        print(file.name)  # noqa: T201
