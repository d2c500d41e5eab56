"""Columns, bars and numbers."""

from __future__ import annotations

import pytest

from gametheory_pref.cli.text import (
    bar,
    count,
    escape_controls,
    fields,
    listing,
    pad,
    probability,
    seconds,
    width,
)


@pytest.mark.parametrize(
    ("text", "cells"),
    [("abc", 3), ("", 0), ("日本", 4), ("é", 1), ("é", 1), ("ａ", 2), ("👍", 2), ("x​y", 2), ("한글", 4)],
)
def test_width_counts_terminal_cells(text, cells):
    assert width(text) == cells
    assert width(pad(text, 10)) == 10


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, ""), (1.0, "████████"), (0.5, "████"), (1 / 64, "▏"), (7 / 64, "▉"), (9 / 64, "█▏"), (0.001, "")],
)
def test_bars_have_eighths_of_a_cell(share, expected):
    assert bar(share, 8, blocks=True) == expected


def test_ascii_bars_have_whole_cells():
    assert bar(0.5, 8, blocks=False) == "####"
    assert bar(1.0, 3, blocks=False) == "###"
    assert bar(0.0, 8, blocks=False) == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0"), (1.0, "1.0000"), (0.375, "0.3750"), (5e-5, "0.0001"), (4.9e-5, "5e-05"), (1e-300, "1e-300")],
)
def test_zero_and_nearly_zero_look_different(value, expected):
    assert probability(value) == expected


def test_counts_and_listings_read_as_english():
    assert count(0, "pair") == "0 pairs"
    assert count(1, "tie") == "1 tie"
    assert count(1234567, "vote") == "1,234,567 votes"
    assert listing("abc", 8) == "a, b, c"
    assert listing("abcdef", 3) == "a, b, c and 3 more"
    assert listing("abcd", 3) == "a, b, c, d", "one more name is shorter than saying so"
    assert listing("abcdef", None) == "a, b, c, d, e, f"
    assert fields([("A", "x"), ("Long", "y")]) == ["A     x", "Long  y"]
    assert seconds(1.5e-6) == "0.0015 ms"
    assert seconds(12.3) == "12 s"


def test_a_name_cannot_move_the_cursor():
    assert escape_controls("a\x1b[2Jb\r") == "a\\x1b[2Jb\\r"
    assert escape_controls("日本 é") == "日本 é"
