"""Every line of code in docs/inclusions.md does what the page says."""

from __future__ import annotations

import doctest
import pathlib

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "inclusions.md"


def test_the_page_tells_what_happens():
    result = doctest.testfile(str(PAGE), module_relative=False)
    assert result.attempted > 15 and result.failed == 0
