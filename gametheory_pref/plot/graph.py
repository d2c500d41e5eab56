"""The majority graph: who beats whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .._types import FloatArray, IntArray
from ..games import PreferenceGame
from ..majority import majority_relation, smith_indices, smith_layers
from .style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    WHITE,
    axes_size,
    label_inches,
    label_limit,
    new_axes,
    set_title,
    shorten,
    style,
)
from .words import NEGLIGIBLE, display_order, never_compared, only_preference_game, show_win

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_NODES = 12
_MOST_EDGE_LABELS = 6
_NODE_POINTS = 7.0
# Share of the way from winner to loser at which P is written: away from where the diagonals cross.
_LABEL_AT = 0.28


class _Edge(NamedTuple):
    kind: str
    start: int
    end: int


# Drawn in this order, so that cycles lie on top.
_LOOKS: dict[str, dict[str, Any]] = {
    "missing": {"color": GREY, "linestyle": ":", "linewidth": 0.8, "label": "never compared"},
    "tie": {"color": GREY, "linestyle": "--", "linewidth": 1.0, "label": "tie"},
    "win": {"color": GREY, "linestyle": "-", "linewidth": 1.0, "label": "winner to loser"},
    "cycle": {"color": ORANGE, "linestyle": "-", "linewidth": 1.8, "label": "winner to loser, in a cycle"},
}


def majority_graph(game: PreferenceGame | ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw who beats whom: an arrow from the winner to the loser of each pair.

    Arrows in a cycle (inside a strongly connected component of the strict majority relation) are highlighted,
    ties are dashed, the Smith set is filled. Of more than 12 responses the top Smith layers are shown, and
    the title says so.

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
    return draw_graph(only_preference_game(game, "majority_graph"), ax, played=None)


def draw_graph(checked: PreferenceGame, ax: Axes | None, *, played: FloatArray | None) -> Axes:
    """Draw the majority graph of a checked game; of many responses show first those that `played` gives most mass."""
    shown = _shown(checked, played)
    names = [checked.names[i] for i in shown]
    with style():
        if ax is None:
            texts = shorten(names)
            ax = new_axes(max(3.4 + 2.0 * label_inches(texts), 4.4), 2.2 if len(texts) <= 2 else 4.8)
        else:
            texts = shorten(names, label_limit(ax))
        places = _circle(len(shown))
        edges = _edges(checked, shown)
        for edge in edges:
            _draw_edge(ax, edge, places, weight=1.0 if len(shown) <= 8 else 0.6)
        if len(shown) <= _MOST_EDGE_LABELS:
            _write_wins(ax, checked, shown, edges, places)
        _draw_nodes(ax, checked, shown, places)
        _name_nodes(ax, texts, places)
        _frame(ax, edges, places)
        # The name of the top node stands between the graph and the title.
        lines = _titles(checked, shown, of_policy=_chooses(played))
        set_title(ax, *lines, inches=1.2 * axes_size(ax)[0], pad=22.0, loc="center")
    return ax


def _shown(game: PreferenceGame, played: FloatArray | None) -> IntArray:
    """Return all of a small game; else the responses played most, then top layers, then the best of the Smith set."""
    order = display_order(game)
    if len(order) <= _MOST_NODES:
        return order
    if _chooses(played):
        assert played is not None
        rank = np.argsort(np.argsort(-played[order], kind="stable"), kind="stable")
        return order[(rank < _MOST_NODES) & (played[order] > NEGLIGIBLE)]
    ends = np.cumsum([len(layer) for layer in smith_layers(game)])
    fitting = ends[ends <= _MOST_NODES]
    return order[: int(fitting[-1]) if len(fitting) else _MOST_NODES]


def _chooses(played: FloatArray | None) -> bool:
    """Whether a policy plays enough responses to make a graph of them."""
    return played is not None and int(np.count_nonzero(played > NEGLIGIBLE)) > 2


def _circle(n: int) -> FloatArray:
    """Return positions on the unit circle, clockwise from the top (from the left for a pair)."""
    if n == 1:
        return np.zeros((1, 2))
    first = np.pi if n == 2 else np.pi / 2.0
    angle = first - 2.0 * np.pi * np.arange(n) / n
    return np.column_stack([np.cos(angle), np.sin(angle)])


def _edges(game: PreferenceGame, shown: IntArray) -> list[_Edge]:
    from scipy.sparse.csgraph import connected_components

    everybody = majority_relation(game)
    component = connected_components(everybody, directed=True, connection="strong")[1][shown]
    beats = everybody[np.ix_(shown, shown)]
    missing = never_compared(game)[np.ix_(shown, shown)]
    found = []
    for i in range(len(shown)):
        for j in range(i + 1, len(shown)):
            if missing[i, j]:
                found.append(_Edge("missing", i, j))
            elif not beats[i, j] and not beats[j, i]:
                found.append(_Edge("tie", i, j))
            else:
                kind = "cycle" if component[i] == component[j] else "win"
                found.append(_Edge(kind, i, j) if beats[i, j] else _Edge(kind, j, i))
    return sorted(found, key=lambda edge: list(_LOOKS).index(edge.kind))


def _draw_edge(ax: Axes, edge: _Edge, places: FloatArray, *, weight: float) -> None:
    from matplotlib.patches import FancyArrowPatch

    look = _LOOKS[edge.kind]
    directed = edge.kind in ("win", "cycle")
    ax.add_patch(
        FancyArrowPatch(
            tuple(places[edge.start]),
            tuple(places[edge.end]),
            arrowstyle="-|>" if directed else "-",
            mutation_scale=4.0 + 7.0 * weight,
            shrinkA=_NODE_POINTS,
            shrinkB=_NODE_POINTS,
            color=look["color"],
            linestyle=look["linestyle"],
            linewidth=weight * look["linewidth"],
            gid=f"{edge.kind}-{edge.start}-{edge.end}",
        )
    )


def _write_wins(
    ax: Axes, game: PreferenceGame, shown: IntArray, edges: list[_Edge], places: FloatArray
) -> None:
    for kind, start, end in edges:
        if kind in ("win", "cycle"):
            x, y = places[start] + _LABEL_AT * (places[end] - places[start])
            text = show_win(float(game.preference[shown[start], shown[end]]))
            backing = {"boxstyle": "round,pad=0.12", "facecolor": WHITE, "edgecolor": "none"}
            ax.text(x, y, text, ha="center", va="center", fontsize=8.0, bbox=backing)


def _draw_nodes(ax: Axes, game: PreferenceGame, shown: IntArray, places: FloatArray) -> None:
    smith = np.isin(shown, smith_indices(game))
    colors = [BLUE if member else WHITE for member in smith]
    edges = [BLUE if member else GREY for member in smith]
    size = (2.0 * _NODE_POINTS - 3.0) ** 2
    ax.scatter(places[:, 0], places[:, 1], s=size, c=colors, edgecolors=edges, linewidths=1.2, zorder=3)


def _name_nodes(ax: Axes, names: list[str], places: FloatArray) -> None:
    for name, (x, y) in zip(names, places, strict=True):
        across, up = (0.0, 1.0) if len(places) == 1 else (x, y)
        ax.annotate(
            name,
            (x, y),
            xytext=(11.0 * across, 11.0 * up),
            textcoords="offset points",
            ha="center" if abs(across) < 0.2 else "left" if across > 0 else "right",
            va="center" if abs(up) < 0.5 else "bottom" if up > 0 else "top",
            color=INK,
            parse_math=False,
        )


def _frame(ax: Axes, edges: list[_Edge], places: FloatArray) -> None:
    from matplotlib.lines import Line2D

    ax.set_aspect("equal")
    ax.set_xlim(-1.1, 1.1)
    ax.set_ylim(float(places[:, 1].min()) - 0.12, float(places[:, 1].max()) + 0.12)
    ax.set_axis_off()
    present = {edge.kind for edge in edges}
    lines = [Line2D([], [], **look) for kind, look in _LOOKS.items() if kind in present]
    if lines:
        ax.legend(handles=lines, loc="upper center", bbox_to_anchor=(0.5, 0.0), borderaxespad=2.4, ncols=2)


def _titles(game: PreferenceGame, shown: IntArray, *, of_policy: bool) -> list[str]:
    n = game.n_responses
    size = len(smith_indices(game))
    filled = "the Condorcet winner" if size == 1 else f"the Smith set ({size} of {n})"
    what = "Who beats whom"
    if of_policy and n > _MOST_NODES:
        what += f": the {len(shown)} of {n} responses that are played most"
    elif len(shown) == size < n:
        what += f": the Smith set only, {size} of {n} responses"
    elif len(shown) < size:
        what += f": the {len(shown)} with the highest mean win rate of {size} in the Smith set"
    elif len(shown) < n:
        what += f": the top {len(shown)} of {n} responses"
    return [what, f"filled: {filled}"]
