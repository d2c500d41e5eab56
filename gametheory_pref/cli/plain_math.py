"""Formulas of docstrings as text for a terminal."""

from __future__ import annotations

import re

_DISPLAYED = re.compile(r"\.\. math::\n((?: {4}.*\n?)+)")
_INLINE = re.compile(r":math:`([^`]*)`")
_SIGNS = {
    "propto": "∝",
    "approx": "≈",
    "le": "<=",
    "ge": ">=",
    "ne": "!=",
    "sim": "~",
    "cdot": "*",
    "dots": "...",
    "langle": "<",
    "rangle": ">",
    "varepsilon": "epsilon",
}


def plain_docstring(text: str) -> str:
    """Return a docstring with every formula in plain text, displayed ones on lines of their own."""
    displayed = _DISPLAYED.sub(lambda found: _lines(found[1]), text)
    return _INLINE.sub(lambda found: plain(found[1]), displayed)


def _lines(formulas: str) -> str:
    parts = re.split(r"\\qquad", " ".join(formulas.split()))
    return "".join(f"    {plain(part)}\n" for part in parts)


def plain(formula: str) -> str:
    r"""Return a TeX formula in plain text, Greek letters by their names.

    Examples
    --------
    >>> plain(r"\pi_{t+1} \propto \pi_t^{1-\eta\beta}\, \mu^{\eta\beta} \exp(\eta A\pi_t)")
    'pi_{t+1} ∝ pi_t^{1-eta beta} mu^{eta beta} exp(eta A pi_t)'
    >>> plain(r"\frac{1}{t+1} \sum_{s \le t} \hat\pi_s, \quad KL(x \| y)")
    '1/(t+1) sum_{s <= t} pi_hat_s, KL(x || y)'
    """
    text = re.sub(r"\\(?:left|right|Bigl|Bigr|Big|qquad|quad)(?![A-Za-z])|\\(?:begin|end)\{cases\}", " ", formula)
    text = text.replace(r"\\", " ").replace("&", " ").replace(r"\|", " || ").replace(r"\,", " ").replace(r"\ ", " ")
    text = re.sub(r"\\(?:text|mathrm)\s*\{([^{}]*)\}", r"\1", text)
    text = re.sub(r"\\(hat|bar)\s*\\([A-Za-z]+)", r"\\\2_\1", text)
    text = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", lambda found: f" {_factor(found[1])}/{_factor(found[2])} ", text)
    text = re.sub(r"\\sqrt\{([^{}]*)\}", r"\\sqrt(\1)", text)
    text = re.sub(r"\\([A-Za-z]+)", _word, text)
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"(?<=[({]) | (?=[)},.])", "", text)


def _factor(part: str) -> str:
    """Return part of a fraction, in parentheses where the line would be read otherwise."""
    return f"({part})" if re.search(r"[-+ ]", part) else part


def _word(found: re.Match[str]) -> str:
    """Return the word or sign of a TeX command, apart from letters beside it."""
    word, text = _SIGNS.get(found[1], found[1]), found.string
    before, after = text[: found.start()][-1:], text[found.end() :][:1]
    left = " " if before.isalnum() and word.isalnum() else ""
    right = " " if after.isalnum() or (after == "\\" and word.isalnum()) else ""
    return f"{left}{word}{right}"
