"""Where policies go while a method runs: on a triangle, or projected to a polygon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._types import FloatArray, IntArray, Label
from ..errors import InputError
from ..games import PreferenceGame
from ..iterating import Run
from ..solution import Solution
from ..solving import solve
from .runs import LEGEND_SIZE, Group, Runs, groups_of, legend_below, legend_names, legend_rows, line_look
from .style import GREY, INK, LONGEST_LABEL, WHITE, axes_size, label_inches, set_title, shorten, style, wrap_title
from .words import only_preference_game

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CORNERS = 12
_FIELD_ROWS = 13
_POLYGON_INCHES = 4.0
_MARGIN = 0.15
_TITLE_SHARE = 1.1
# Characters of " (#11)", which tells apart two names that were cut to the same.
_NUMBER = 6
# Degrees between neighbouring segments above which a curve is no longer seen as one.
_COARSE = 25.0


class _View(NamedTuple):
    """Which responses are corners, where the corners lie, and whether the picture is all of the policy."""

    corners: IntArray
    places: FloatArray
    faithful: bool

    def points(self, probabilities: FloatArray) -> FloatArray:
        """Return the points, shape (k, 2), of policies, shape (k, n); on a face, of the shares within it.

        A policy that plays none of the corners is nowhere (NaN).
        """
        part = probabilities[:, self.corners]
        with np.errstate(invalid="ignore"):
            return np.asarray((part / part.sum(axis=1, keepdims=True)) @ self.places)


class _Equilibria(NamedTuple):
    """Where the equilibria of the problems lie, one point if all are the same, and what the legend calls them."""

    points: FloatArray
    name: str


def simplex_trajectory(
    solutions: Runs,
    *,
    responses: Sequence[Label] | None = None,
    vector_field: bool = False,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw the path of the iterates of one or more runs, from a hollow start to a filled end.

    Three responses are the corners of a triangle, in which every policy has one point. Of more, either three are
    chosen, and the picture shows the policy's shares among these; or all (up to 12) are the corners of a regular
    polygon and a policy is drawn at the mean of the corners: a projection that draws different policies at one point.
    Methods that answer with the average of the policies played have that average dashed, with a square at its end.
    The cross is the equilibrium.

    The path joins the record points; ``record=gp.Record(per_decade=1000)`` makes it smooth.

    Parameters
    ----------
    solutions : Solution, list of Solution, or mapping of str to either
        Runs of update rules on games with the same responses; of several seeds the first one is drawn.
    responses : sequence of three labels, optional
        The corners of the triangle.
    vector_field : bool
        Also draw where small steps of mirror ascent lead, the arrows longer where that is faster; for three responses.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    InputError
        A solution without a run, different responses, or responses that are not three of the game's.
    UnsupportedCombination
        Not a preference game.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> run = gp.solve(game, "extragradient", temperature=0.1, start=[0.8, 0.1, 0.1], jit=False)
    >>> ax = gp.plot.simplex_trajectory(run)
    >>> path = ax.get_lines()[0]
    >>> bool(path.get_xydata()[0] @ [0, 1] > 0.5), len(path.get_xydata()) == len(run.trace.step)
    (True, True)
    """
    groups = groups_of(solutions, name="solutions")
    game = _one_game(groups)
    view = _view(game, responses)
    if vector_field and game.n_responses != 3:
        raise InputError(f"vector_field is for games of three responses; this one has {game.n_responses}")
    titles, equilibria = _titles(groups, game, view), _equilibria(view, groups)
    with style():
        own = ax is None
        if ax is None:
            entries = [text for group in groups for text in _entries(group.runs[0], group.label)]
            ax = _own_axes(view, game, titles, [*entries, equilibria.name])
        names = _names(game, view, _longest(axes_size(ax)[0], view, own=own))
        labels = legend_names([group.label for group in groups], axes_size(ax)[0])
        _draw_frame(ax, view)
        if vector_field:
            _draw_field(ax, view, groups[0].runs[0])
        for place, (group, label) in enumerate(zip(groups, labels, strict=True)):
            _draw_path(ax, view, group.runs[0], label, place)
        _mark_equilibria(ax, equilibria)
        _name_corners(ax, view, names)
        _set_limits(ax, view, 0.0 if own else _beside(view, names))
        above, below = _heights(view)
        legend_below(ax, padding=below / LEGEND_SIZE)
        set_title(ax, *titles, inches=_TITLE_SHARE * axes_size(ax)[0], pad=above, loc="center")
    return ax


def _one_game(groups: list[Group]) -> PreferenceGame:
    games = [only_preference_game(group.solutions[0].problem.game, "simplex_trajectory") for group in groups]
    for group, game in zip(groups, games, strict=True):
        if game.names != games[0].names:
            raise InputError(
                f"the responses of {group.label!r} are not those of {groups[0].label!r}; draw runs on one game"
            )
    return games[0]


def _view(game: PreferenceGame, responses: Sequence[Label] | None) -> _View:
    n = game.n_responses
    if responses is not None:
        chosen = list(responses)
        if len(chosen) != 3 or len(set(chosen)) != 3:
            raise InputError(f"responses must be three different labels of the game; got {responses!r}")
        return _View(np.array([game.index(label) for label in chosen]), _corners(3), n == 3)
    if not 3 <= n <= MOST_CORNERS:
        raise InputError(
            f"a game of {n} responses has no triangle or polygon to draw (3 to {MOST_CORNERS}); "
            f"{'choose three of them, as in responses=' + repr(game.names[:3]) if n > 3 else 'draw gap_curves'}"
        )
    return _View(np.arange(n), _corners(n), n == 3)


def _corners(n: int) -> FloatArray:
    """Return the corners of a regular polygon, clockwise from the top."""
    angle = np.pi / 2.0 - 2.0 * np.pi * np.arange(n) / n
    return np.column_stack([np.cos(angle), np.sin(angle)])


def _draw_frame(ax: Axes, view: _View) -> None:
    from matplotlib.patches import Polygon

    ax.set_aspect("equal")
    ax.set_axis_off()
    look: dict[str, Any] = {"fill": False, "edgecolor": GREY, "linewidth": 0.9, "clip_on": False, "in_layout": False}
    ax.add_patch(Polygon(view.places, closed=True, gid="frame", **look))


def _draw_path(ax: Axes, view: _View, run: Run, label: str, place: int) -> None:
    look = line_look(place)
    path = view.points(_of_game(run, np.exp(run.log_last)))
    name, *averaged = _entries(run, label)
    ax.plot(*path.T, gid=f"last-{place}", label=name, clip_on=False, in_layout=False, **{**look, "linewidth": 1.1})
    color = look["color"]
    ends: dict[str, Any] = {
        "linestyle": "none", "markeredgecolor": color, "zorder": 4, "clip_on": False, "in_layout": False,
    }
    if averaged:
        mean = view.points(_of_game(run, run.average))
        ax.plot(
            *mean.T, gid=f"average-{place}", label=averaged[0], **{**look, "linestyle": "--", "linewidth": 1.4}
        )
        ax.plot(*mean[-1], marker="s", markersize=6.0, markerfacecolor=color, gid=f"average-end-{place}", **ends)
    ax.plot(*path[0], marker="o", markersize=6.5, markerfacecolor=WHITE, gid=f"start-{place}", **ends)
    ax.plot(*path[-1], marker="o", markersize=6.5, markerfacecolor=color, gid=f"end-{place}", **ends)


def _entries(run: Run, label: str) -> list[str]:
    """Return what the legend says about a run: one path, or that of the last iterate and that of the average."""
    averaged = run.rule.info.answer == "average"
    return [f"{label}, last iterate", f"{label}, average"] if averaged else [label]


def _of_game(run: Run, probabilities: FloatArray) -> FloatArray:
    """Return policies over all responses of the game, those that the reference rules out included."""
    whole = np.zeros((len(probabilities), sum(run.tabular.counts)))
    whole[:, run.tabular.kept] = probabilities
    return whole


def _equilibria(view: _View, groups: list[Group]) -> _Equilibria:
    answers = [_exact(group.solutions[0]) for group in groups]
    points = np.array([view.points(np.asarray(answer.policy)[None, :])[0] for answer in answers])
    name = "equilibrium"
    if np.isnan(points).any():
        name = "equilibrium (where it plays one of the three)"
    elif any(answer.certificate().unique is False for answer in answers):
        name = "equilibrium, one of several"
    if np.allclose(points, points[0], atol=1e-9, equal_nan=True):
        return _Equilibria(points[:1], name)
    return _Equilibria(points, f"{name}, each in its colour")


def _mark_equilibria(ax: Axes, found: _Equilibria) -> None:
    """Mark the equilibrium of each problem; in the colour of its run where the runs have different ones."""
    look: dict[str, Any] = {
        "linestyle": "none", "marker": "P", "markersize": 9.0, "markeredgecolor": WHITE, "zorder": 5,
        "clip_on": False, "in_layout": False,
    }
    for place, point in enumerate(found.points):
        color = INK if len(found.points) == 1 else line_look(place)["color"]
        ax.plot(*point, markerfacecolor=color, label=f"_{place}", gid=f"equilibrium-{place}", **look)
    ax.plot([], [], markerfacecolor=INK, label=found.name, **look)


def _exact(solution: Solution) -> Solution:
    problem = solution.problem
    return solve(problem.game, temperature=problem.temperature, reference=problem.reference)


def _draw_field(ax: Axes, view: _View, run: Run) -> None:
    """Draw the velocity of the policy under infinitesimal steps of mirror ascent on the regularised payoff."""
    facts = run.facts
    grid = _inner_grid(_FIELD_ROWS)
    ascent = grid @ facts.payoff.T
    if facts.temperature > 0.0:
        ascent = ascent - facts.temperature * (np.log(grid) - facts.log_reference)
    velocity = (grid * (ascent - (grid * ascent).sum(axis=1, keepdims=True))) @ view.places
    speed = np.hypot(*velocity.T)
    # The root keeps slow arrows visible; the longest fill the space between two.
    arrow = velocity * (1.6 / _FIELD_ROWS / np.sqrt(np.maximum(speed * speed.max(), 1e-300)))[:, None]
    ax.quiver(
        *view.points(grid).T, *arrow.T, color=GREY, alpha=0.7, width=0.004, headwidth=4.0, pivot="mid", zorder=1,
        angles="xy", scale_units="xy", scale=1.0, gid="field",
    )


def _inner_grid(rows: int) -> FloatArray:
    """Return evenly spaced policies over three responses, none on the edge."""
    counts = [(i, j, rows - i - j) for i in range(1, rows) for j in range(1, rows - i)]
    return np.array(counts, dtype=float) / rows


def _names(game: PreferenceGame, view: _View, limit: int) -> list[str]:
    """Return names of at most `limit` characters, even where numbers had to tell cut names apart."""
    full = [game.names[i] for i in view.corners]
    names = shorten(full, limit)
    return names if max(map(len, names)) <= limit else shorten(full, max(limit - _NUMBER, 4))


def _own_axes(view: _View, game: PreferenceGame, titles: list[str], entries: list[str]) -> Axes:
    """Return new axes that the polygon fills, on a page with room for names, title and legend.

    The places are set by hand: layout engines do not foresee how equal units shrink a box.
    """
    span = np.ptp(view.places, axis=0)
    width, height = _POLYGON_INCHES, _POLYGON_INCHES * float(span[1] / span[0])
    side = _beside(view, _names(game, view, LONGEST_LABEL)) + _MARGIN
    above, below = (part / 72.0 for part in _heights(view))
    top = above + 0.16 * _count_lines(titles, _TITLE_SHARE * width) + _MARGIN
    bottom = below + 0.17 * legend_rows(entries, width)[1] + 0.1 + _MARGIN
    from matplotlib.figure import Figure

    page = Figure(figsize=(width + 2.0 * side, height + top + bottom))
    return page.add_axes((
        side / page.get_figwidth(),
        bottom / page.get_figheight(),
        width / page.get_figwidth(),
        height / page.get_figheight(),
    ))


def _count_lines(titles: list[str], inches: float) -> int:
    return sum(len(wrap_title(line, inches)) for line in titles)


def _longest(inches: float, view: _View, *, own: bool) -> int:
    """Return how many characters a name may have: two names share the width below, or a half of it beside."""
    if own and len(view.corners) > 3:
        return LONGEST_LABEL
    share = 0.38 if len(view.corners) == 3 else 0.25
    return min(max(int(share * inches / label_inches(["m"])), 4), LONGEST_LABEL)


def _beside(view: _View, names: list[str]) -> float:
    """Return the width in inches that names take on either side."""
    return 0.0 if len(view.corners) == 3 else label_inches(names) + 0.12


def _lift(view: _View) -> float:
    """Return by how many points the names on top and at the bottom clear their neighbours on a narrow polygon."""
    return 0.0 if len(view.corners) < 8 else 12.0


def _heights(view: _View) -> tuple[float, float]:
    """Return the height in points that names take above and below."""
    lift = _lift(view)
    return 20.0 + lift, 20.0 + (lift if len(view.corners) % 2 == 0 else 0.0)


def _name_corners(ax: Axes, view: _View, names: list[str]) -> None:
    triangle, lift = len(names) == 3, _lift(view)
    for name, (x, y) in zip(names, view.places, strict=True):
        # Below the side of a triangle there is room for two names only if they start at its ends.
        outward, middle = x < 0 if triangle else x > 0, abs(x) < 0.01
        ax.annotate(
            name,
            (x, y),
            xytext=(0.0 if triangle else 6.0 * x, 6.0 * y + (lift * y if middle else 0.0)),
            textcoords="offset points",
            ha="center" if middle else "left" if outward else "right",
            va="center" if abs(y) < 0.35 else "bottom" if y > 0 else "top",
            color=INK,
            parse_math=False,
            gid="corner",
        )


def _set_limits(ax: Axes, view: _View, beside: float) -> None:
    """Let the polygon fill the axes, less `beside` inches on either side for names: neighbours stay clear of them."""
    low, high = view.places.min(axis=0), view.places.max(axis=0)
    width = axes_size(ax)[0]
    # Long names leave a third of the axes to the polygon.
    unit = (high[0] - low[0]) / max(width - 2.0 * beside, width / 3.0)
    ax.set_xlim(low[0] - beside * unit, high[0] + beside * unit)
    ax.set_ylim(low[1], high[1])


def _titles(groups: list[Group], game: PreferenceGame, view: _View) -> list[str]:
    heats = {group.runs[0].facts.temperature for group in groups}
    heat = f" at temperature {heats.pop():g}" if len(heats) == 1 else ""
    lines = [f"Path of the policy{heat}"]
    n, corners = game.n_responses, len(view.corners)
    if corners < n:
        outside = max(1.0 - float(_of_game(g.runs[0], g.runs[0].answers()[-1:])[0, view.corners].sum()) for g in groups)
        lines.append(f"3 of {n} responses; up to {outside:.2g} lies elsewhere at the end")
    elif not view.faithful:
        lines.append("projection, not faithful; see responses=[...]")
    coarse = [g.label for g in groups if _is_coarse(view.points(_of_game(g.runs[0], np.exp(g.runs[0].log_last))))]
    if coarse:
        lines.append(f"record points of {coarse[0]} lie far apart; solve with record=gp.Record(per_decade=1000)")
    return lines


def _is_coarse(path: FloatArray) -> bool:
    """Return whether a quarter of the visible turns of a polyline is sharp."""
    move = np.diff(path, axis=0)
    length = np.hypot(*move.T)
    move, length = move[length > 1e-2], length[length > 1e-2]
    if len(move) < 8:
        return False
    cosine = (move[1:] * move[:-1]).sum(axis=1) / (length[1:] * length[:-1])
    return bool(np.quantile(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))), 0.75) > _COARSE)
