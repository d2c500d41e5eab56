"""The win matrix as a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .._types import BoolArray, IntArray
from ..games import PreferenceGame
from ..majority import smith_indices
from .style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    WHITE,
    axes_size,
    cell_colors,
    label_inches,
    label_limit,
    name_look,
    new_axes,
    set_title,
    shorten,
    style,
)
from .words import display_order, never_compared, only_preference_game, show_win, tied

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A number needs room for four characters; smaller type than this cannot be read.
_SMALLEST_TYPE = 5.0
_MOST_NUMBERS = 25


def win_matrix(game: PreferenceGame | ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw the win probabilities as a heat map, row against column.

    Rows go by Smith layers, then by mean win rate. The Smith set is boxed, ties show as ½ (a dot where
    numbers do not fit), and pairs that were never compared are hatched.

    Parameters
    ----------
    game : PreferenceGame or array_like, shape (n, n)
        The game.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    UnsupportedCombination
        The game is not a preference game.
    """
    checked = only_preference_game(game, "win_matrix")
    return draw_matrix(checked, display_order(checked), ax)


def draw_matrix(game: PreferenceGame, shown: IntArray, ax: Axes | None) -> Axes:
    """Draw the rows and columns `shown`, a prefix of the display order."""
    names = [game.names[i] for i in shown]
    with style():
        if ax is None:
            texts = shorten(names)
            cell, width, height = _figure_size(texts)
            ax = new_axes(width, height)
            ax.set_anchor("W")
            room = width - 0.3
        else:
            texts = shorten(names, label_limit(ax))
            cell = _cell_points(ax, texts)
            room = 1.2 * axes_size(ax)[0]
        _draw_cells(ax, game, shown)
        step = _label_axes(ax, texts, cell)
        # Four characters at 0.6 em each, with a little air.
        size = min(cell / 2.7, 9.0)
        numbers = len(shown) <= _MOST_NUMBERS and size >= _SMALLEST_TYPE
        if numbers:
            _write_numbers(ax, game, shown, size)
        else:
            _mark_ties(ax, game, shown, min(0.3 * cell, 3.0))
            _add_color_bar(ax)
        _box_smith_set(ax, game, shown)
        titles = _titles(game, shown, numbers=numbers)
        if step > 1:
            titles.append(f"one row in {step} is named")
        set_title(ax, *titles, inches=room - label_inches(texts))
    return ax


def _figure_size(texts: list[str]) -> tuple[float, float, float]:
    """Return the size of a cell in points, and the width and height of the figure in inches."""
    n = len(texts)
    side = 0.62 if n <= 8 else 0.42 if n <= _MOST_NUMBERS else min(max(10.0 / n, 0.1), 16.0 / n)
    cell = 72.0 * side
    labels = label_inches(texts, _label_points(cell))
    slanted = 0.75 * labels
    above, beside = {0: (0.2, 0.0), 45: (slanted, slanted), 90: (labels, 0.0)}[_turn(texts, cell)]
    bar = 0.0 if n <= _MOST_NUMBERS else 1.2
    return cell, max(n * side + labels + beside + bar + 0.3, 4.4), n * side + above + 0.8


def _draw_cells(ax: Axes, game: PreferenceGame, shown: IntArray) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    colors = LinearSegmentedColormap.from_list("wins", [ORANGE, WHITE, BLUE])
    matrix = game.preference[np.ix_(shown, shown)]
    ax.imshow(matrix, cmap=colors, vmin=0.0, vmax=1.0, interpolation="nearest", aspect="equal")
    _fill(ax, np.eye(len(shown), dtype=bool), facecolor=PALE, linewidth=0, gid="diagonal")
    missing = never_compared(game)[np.ix_(shown, shown)]
    _fill(ax, missing, facecolor=WHITE, edgecolor=GREY, hatch="////", linewidth=0, gid="missing")
    if len(shown) <= _MOST_NUMBERS:
        _draw_grid(ax, len(shown))
    for spine in ax.spines.values():
        spine.set_visible(False)


def _fill(ax: Axes, where: BoolArray, **look: Any) -> None:
    """Fill cells in one patch, however many there are."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    cells = np.argwhere(where)
    if not len(cells):
        return
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5]])
    vertices = (cells[:, None, ::-1] + corners).reshape(-1, 2)
    codes = np.tile([Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY], len(cells))
    ax.add_patch(PathPatch(Path(vertices, codes), **look))


def _draw_grid(ax: Axes, n: int) -> None:
    edges = np.arange(n + 1) - 0.5
    ax.hlines(edges, -0.5, n - 0.5, color=GREY, linewidth=0.4)
    ax.vlines(edges, -0.5, n - 0.5, color=GREY, linewidth=0.4)


def _label_axes(ax: Axes, texts: list[str], cell: float) -> int:
    """Name the rows and columns; return 1 when all are named, 2 when every second one is, and so on."""
    size = _label_points(cell)
    step = max(int(np.ceil(size / cell)), 1)
    ticks = np.arange(0, len(texts), step)
    chosen = texts[::step]
    turn = _turn(texts, cell)
    slanted: dict[str, Any] = {"ha": "left", "rotation_mode": "anchor"} if turn == 45 else {}
    ax.set_yticks(ticks, chosen, fontsize=size, **name_look())
    ax.set_xticks(ticks, chosen, fontsize=size, rotation=turn, **name_look(), **slanted)
    ax.tick_params(length=0, top=False, bottom=False, labeltop=True, labelbottom=False)
    return step


def _label_points(cell: float) -> float:
    """Return the type size of names beside cells of `cell` points."""
    return float(np.clip(0.8 * cell, _SMALLEST_TYPE, 9.0))


def _turn(texts: list[str], cell: float) -> int:
    """Return by how many degrees the names above the columns are turned."""
    if 72.0 * label_inches(texts, _label_points(cell)) <= 0.95 * cell:
        return 0
    return 45 if cell > 20.0 else 90


def _cell_points(ax: Axes, texts: list[str]) -> float:
    """Return about how large a cell of given axes will be, in points, beside the names and the title."""
    width, height = axes_size(ax)
    labels = label_inches(texts)
    side = min(1.2 * width - labels, 1.2 * height - labels - 0.4, width, height)
    return 72.0 * max(side, 0.3) / len(texts)


def _write_numbers(ax: Axes, game: PreferenceGame, shown: IntArray, size: float) -> None:
    missing = never_compared(game)
    for row, i in enumerate(shown):
        for column, j in enumerate(shown):
            if i == j or missing[i, j]:
                continue
            p = float(game.preference[i, j])
            color = cell_colors(p)[1]
            ax.text(column, row, show_win(p), ha="center", va="center", color=color, fontsize=size)


def _mark_ties(ax: Axes, game: PreferenceGame, shown: IntArray, size: float) -> None:
    rows, columns = np.nonzero(tied(game)[np.ix_(shown, shown)])
    if len(rows):
        ax.plot(columns, rows, linestyle="none", marker="o", markersize=size, color=GREY, gid="ties")


def _add_color_bar(ax: Axes) -> None:
    bar = ax.figure.colorbar(ax.images[0], ax=ax, shrink=0.5, ticks=[0.0, 0.25, 0.5, 0.75, 1.0])
    bar.set_label("row beats column")
    bar.outline.set_visible(False)


def _box_smith_set(ax: Axes, game: PreferenceGame, shown: IntArray) -> None:
    from matplotlib.patches import Rectangle

    k = min(len(smith_indices(game)), len(shown))
    look: dict[str, Any] = {"fill": False, "edgecolor": INK, "linewidth": 2.0, "clip_on": False, "zorder": 4}
    ax.add_patch(Rectangle((-0.5, -0.5), k, k, gid="smith", **look))


def _titles(game: PreferenceGame, shown: IntArray, *, numbers: bool) -> list[str]:
    n = game.n_responses
    size = len(smith_indices(game))
    what = "Win rate, row against column"
    if len(shown) < n:
        what += f": the top {len(shown)} of {n} responses"
    box = "Condorcet winner" if size == 1 else f"Smith set ({size} of {n})"
    notes = [f"box: {box}"]
    if tied(game)[np.ix_(shown, shown)].any():
        notes.append("½: tie" if numbers else "dot: tie")
    if never_compared(game)[np.ix_(shown, shown)].any():
        notes.append("hatched: never compared")
    return [what, "; ".join(notes)]
