"""The picture of a whole answer on one page, and writing pictures to files."""

from __future__ import annotations

import io
import os
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..games import PreferenceGame
from ..solution import Solution
from .bars import BAR_INCHES, draw_policy, policy_bars, policy_rows
from .graph import draw_graph
from .heat_map import draw_matrix
from .style import style
from .words import display_order, gap_text, kind, smith_sentence, uniqueness_sentence, warning

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Larger games show their top rows: a page has no room for more names.
MOST_ROWS = 25
# Without these the same picture gives the same file.
_DATES = {".png": {}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}


def figure(solution: Solution) -> Figure:
    """Return one page with the win matrix, the majority graph and the policy.

    Games that are not preference games have bars only.

    Parameters
    ----------
    solution : Solution
        The answer.
    """
    from matplotlib.figure import Figure

    game = solution.problem.game
    if not isinstance(game, PreferenceGame):
        return _root(policy_bars(solution))
    with style():
        bars = 1.1 + BAR_INCHES * policy_rows(solution)
        panels = min(3.0 + 0.4 * game.n_responses, 6.2)
        page = Figure(figsize=(12.0, 0.7 + panels + bars), layout="constrained")
        # Subfigures keep the long names of one panel from pushing another.
        grid = page.add_gridspec(2, 2, height_ratios=[panels, bars], width_ratios=[1.1, 1.0])
        draw_matrix(game, display_order(game)[:MOST_ROWS], page.add_subfigure(grid[0, 0]).add_subplot())
        draw_graph(game, page.add_subfigure(grid[0, 1]).add_subplot(), played=np.asarray(solution.policy))
        draw_policy(solution, ["Policy"], page.add_subfigure(grid[1, :]).add_subplot())
        headline = "\n".join(textwrap.fill(line, 130) for line in _headlines(solution, game))
        page.suptitle(headline, x=0.01, ha="left", fontsize=12.0, parse_math=False)
    return page


def _headlines(solution: Solution, game: PreferenceGame) -> list[str]:
    answer = f"{kind(solution)} ({uniqueness_sentence(solution.certificate())})"
    line = f"{answer}; duality gap {gap_text(solution)}; {smith_sentence(game)}"
    problem = warning(solution)
    return [line] if problem is None else [line, problem]


def save(picture: Figure | Axes, file: str | os.PathLike[str]) -> None:
    """Write a picture to a file; the same picture gives the same bytes.

    Parameters
    ----------
    picture : Figure or Axes
        What to write; axes stand for their whole figure.
    file : path
        Its suffix chooses the format: .png, .pdf or .svg.

    Raises
    ------
    InputError
        Another suffix.
    """
    path = Path(file)
    suffix = path.suffix.lower()
    if suffix not in _DATES:
        raise InputError(f"file must end in .png, .pdf or .svg; got {path.name!r}")
    with style():
        _root(picture).savefig(path, format=suffix[1:], metadata=_DATES[suffix])


def svg(picture: Figure | Axes, prefix: str) -> str:
    """Return a picture as an SVG element of a page; `prefix` keeps its ids apart from other pictures' ids."""
    buffer = io.StringIO()
    no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with style():
        _root(picture).savefig(buffer, format="svg", metadata=no_metadata)
    element = buffer.getvalue()
    element = element[element.index("<svg") :].rstrip()
    return re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{prefix}-", element)


def _root(picture: Any) -> Figure:
    """Return the whole figure: axes can lie on a subfigure, whose figure is the whole."""
    found: Figure = picture.figure.figure
    return found
