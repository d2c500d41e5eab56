"""What the pictures of runs share: which runs belong together, what is measured, and how lines look."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from .._types import FloatArray, IntArray
from ..errors import InputError
from ..games import in_win_probabilities
from ..iterating import Run
from ..solution import Solution
from .style import GREY, INK, SERIES, axes_size, label_inches, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Runs: TypeAlias = Solution | Sequence[Solution] | Mapping[str, Solution | Sequence[Solution]]
"""One solution; several; or a name for each solution or each list of repetitions (seeds)."""

Quantity: TypeAlias = Literal["gap", "gap0", "kl"]
QUANTITIES = ("gap", "gap0", "kl")
Iterate: TypeAlias = Literal["last", "average"]

# Below these a number is rounding: payoffs are differences of numbers near 1; a divergence is the square of an error.
PAYOFF_FLOOR = 1e-16
DIVERGENCE_FLOOR = 1e-30

DASHES = ("-", "--", ":")
MOST_LINES = len(SERIES) * len(DASHES)
LONGEST_NAME = 60
LEGEND_SIZE = 8.0


class Group(NamedTuple):
    """Runs that make one line: one run, or the same rule on the same problem by several seeds."""

    label: str
    solutions: list[Solution]
    runs: list[Run]


class Line(NamedTuple):
    """One curve over the record points that all runs of a group have; low and high are the 10 and 90 % points."""

    steps: IntArray
    middle: FloatArray
    low: FloatArray
    high: FloatArray

    def after_start(self) -> Line:
        """Return the line without the start: a logarithmic axis has no place for step 0."""
        after = self.steps > 0
        return Line(self.steps[after], self.middle[after], self.low[after], self.high[after])


def groups_of(solutions: Runs, *, name: str) -> list[Group]:
    """Return the runs line by line.

    Raises
    ------
    InputError
        Nothing to draw, too many lines to tell apart, something that is not a solution, or one without a run.
    """
    if isinstance(solutions, Mapping):
        parts = {str(label): _as_list(value, f"{name}[{label!r}]") for label, value in solutions.items()}
    else:
        parts = _by_rule(_as_list(solutions, name), name)
    if not 1 <= len(parts) <= MOST_LINES:
        raise InputError(f"{name} must hold 1 to {MOST_LINES} lines; got {len(parts)}")
    return [Group(label, part, [run_of(solution, label) for solution in part]) for label, part in parts.items()]


def run_of(solution: Solution, label: str) -> Run:
    """Return the run behind a solution, or raise `InputError`."""
    if solution.run is None:
        raise InputError(
            f"the solution {label!r} (by {solution.method}) has no run to draw: exact methods have none, and JSON "
            f'does not keep it; solve with an update rule, such as gp.solve(game, "extragradient")'
        )
    return solution.run


def _as_list(value: Any, name: str) -> list[Solution]:
    found = [value] if isinstance(value, Solution) else list(value) if isinstance(value, (list, tuple)) else [value]
    for one in found:
        if not isinstance(one, Solution):
            raise InputError(f"{name} must be a Solution, a list of them, or a mapping of names to those; got {one!r}")
    if not found:
        raise InputError(f"{name} is empty; pass at least one solution")
    return found


def _by_rule(solutions: list[Solution], name: str) -> dict[str, list[Solution]]:
    """Part a list into repetitions of the same rule on the same problem, called by the titles of the methods."""
    parts: dict[str, list[Solution]] = {}
    for solution in solutions:
        run = run_of(solution, solution.method)
        title = run.rule.info.title
        first = parts.setdefault(title, [])
        if first and not _same_line(run, run_of(first[0], title)):
            raise InputError(
                f"{name} holds two lines called {title!r}; pass a mapping that names them, "
                f"such as {{'small step': first, 'large step': second}}"
            )
        first.append(solution)
    return parts


def _same_line(one: Run, other: Run) -> bool:
    a, b = one.facts.problem, other.facts.problem
    return bool(one.rule == other.rule and a.temperature == b.temperature and np.array_equal(a.payoff, b.payoff))


def answer_of(run: Run) -> Iterate:
    """Return which policy the rule answers with."""
    found: Iterate = run.rule.info.answer
    return found


def measure(run: Run, quantity: Quantity, of: Iterate) -> FloatArray:
    """Return a quantity at every record point.

    Raises
    ------
    InputError
        The divergence from an equilibrium that is not unique.
    """
    if quantity == "gap":
        return run.gap_last if of == "last" else run.gap_average
    with np.errstate(divide="ignore"):
        logs = run.log_last if of == "last" else np.log(run.average)
    if quantity == "gap0":
        return run.facts.gaps(logs, 0.0)
    target = run.facts.log_equilibrium
    if target is None:
        raise InputError('quantity "kl" needs a unique equilibrium and this game has several; draw "gap"')
    return run.facts.divergence_from(target, logs)


def floor_of(run: Run, quantity: Quantity) -> float:
    """Return where a quantity is rounding."""
    if quantity == "kl":
        return float(run.facts.equilibrium_error) ** 2
    payoffs = quantity == "gap0" or (quantity == "gap" and run.facts.temperature == 0.0)
    return PAYOFF_FLOOR if payoffs else DIVERGENCE_FLOOR


def common_steps(runs: Sequence[Run]) -> IntArray:
    """Return the step counts that every run recorded."""
    steps = runs[0].steps
    for run in runs[1:]:
        steps = np.intersect1d(steps, run.steps, assume_unique=True)
    return steps


def at_steps(run: Run, column: FloatArray, steps: IntArray) -> FloatArray:
    """Return the entries of a column at some of the record points."""
    return np.asarray(column[np.searchsorted(run.steps, steps)])


def line_of(group: Group, quantity: Quantity, of: Iterate, *, mean: bool = False) -> Line:
    """Return median (or mean) and band of a quantity over the runs of a group."""
    steps = common_steps(group.runs)
    rows = np.array([at_steps(run, measure(run, quantity, of), steps) for run in group.runs])
    low, middle, high = np.quantile(rows, (0.1, 0.5, 0.9), axis=0)
    return Line(steps, rows.mean(axis=0) if mean else middle, low, high)


def quantity_words(group: Group, quantity: Quantity) -> str:
    """Return what a quantity is called on an axis, with its unit."""
    game = group.solutions[0].problem.game
    unit = "win probability" if in_win_probabilities(game) else "payoff"
    if quantity == "kl":
        return "KL(equilibrium || policy)"
    return f"duality gap{' without regularisation' if quantity == 'gap0' else ''} ({unit})"


def iterate_words(of: Iterate) -> str:
    """Return how a policy is called in a legend or title."""
    return "last iterate" if of == "last" else "average"


def line_look(place: int) -> dict[str, Any]:
    """Return colour and dash of the line at a place; the dash changes when the colours are used up."""
    return {"color": SERIES[place % len(SERIES)], "linestyle": DASHES[place // len(SERIES)], "linewidth": 1.6}


def draw_line(ax: Axes, x: FloatArray | IntArray, line: Line, floor: float, label: str, place: int) -> None:
    """Draw a median with its band; what lies below the floor is drawn on it. `log_limits` sets the range."""
    # A range chosen by matplotlib would be empty for a curve that is flat.
    ax.set_autoscaley_on(False)
    look = line_look(place)
    if (line.high > line.low).any():
        low, high = np.maximum(line.low, floor), np.maximum(line.high, floor)
        ax.fill_between(x, low, high, color=look["color"], alpha=0.2, linewidth=0.0, gid=f"band-{place}")
    if not len(x):
        label += " (ended at its start)"
    lone: dict[str, Any] = {"marker": "o", "markersize": 4.0} if len(x) == 1 else {}
    ax.plot(x, np.maximum(line.middle, floor), label=label, gid=f"line-{place}", **look, **lone)


def mark_floor(ax: Axes, floor: float) -> None:
    """Draw the level below which numbers are rounding, and end the axis there."""
    ax.axhline(floor, color=GREY, linestyle=":", linewidth=1.0, gid="floor", label=f"rounding (below {floor:.0e})")
    ax.set_ylim(bottom=floor / 3.0)


def log_limits(ax: Axes, values: Sequence[FloatArray]) -> None:
    """Set the range of a logarithmic axis to the values, at least a decade, with room at both ends."""
    every = np.concatenate([np.ravel(part) for part in values])
    # An axis that ends near the largest float cannot be drawn.
    every = every[(every > 0.0) & (every < 1e300)]
    if not every.size:
        # Every run ended at its start: there is a picture, of nothing.
        ax.set_xlim(1.0, 10.0)
        every = np.ones(1)
    low, high = float(every.min()), float(every.max())
    margin = max((high / low) ** 0.04, 1.2)
    if high < 10.0 * low:
        low, high = low / 2.0, high * 2.0
    ax.set_ylim(low / margin, high * margin)


def legend_rows(labels: Sequence[str], inches: float) -> tuple[int, int]:
    """Return the number of columns and rows of a legend of that width."""
    columns = max(1, min(len(labels), int(inches / (label_inches(labels, LEGEND_SIZE) + 0.45))))
    return columns, -(-len(labels) // columns)


def legend_below(ax: Axes, *, padding: float = 4.6, heading: Sequence[str] = ()) -> None:
    """Put the legend under the axes, where it covers no data, under a heading of several lines.

    The padding is in units of the type size, so that it clears the axis label whatever the size of the axes.
    """
    handles, labels = ax.get_legend_handles_labels()
    columns, _ = legend_rows(labels, axes_size(ax)[0])
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "borderaxespad": padding}
    words: dict[str, Any] = {"title": "\n".join(heading), "title_fontsize": LEGEND_SIZE} if heading else {}
    legend = ax.legend(handles, labels, ncols=columns, **place, **words)
    for text in (*legend.get_texts(), legend.get_title()):
        text.set_parse_math(False)
        text.set_color(INK)


def formula_lines(formula: str, inches: float) -> list[str]:
    """Return the lines of a formula in the type of legends, broken between its parts rather than within them.

    Examples
    --------
    >>> formula_lines("gap(pi_T) <= 2 D / W_T, with W_T ~ eta T / (1 - alpha), if A_ij = r_i - r_j", 3.0)
    ['gap(pi_T) <= 2 D / W_T,', 'with W_T ~ eta T / (1 - alpha),', 'if A_ij = r_i - r_j']
    """
    fitting = max(int(inches / label_inches(["m"], LEGEND_SIZE)), 24)
    lines: list[str] = []
    for part in re.split(r"(?<=[,;]) |\s+(?=if |with |where |for )", " ".join(formula.split())):
        if lines and len(lines[-1]) + 1 + len(part) <= fitting:
            lines[-1] += f" {part}"
        else:
            lines += textwrap.wrap(part, fitting)
    return lines


def legend_names(labels: Sequence[str], inches: float) -> list[str]:
    """Return labels that fit in a legend of that width and still differ."""
    fitting = int((inches - 0.45) / label_inches(["m"], LEGEND_SIZE))
    return shorten(labels, min(max(fitting, 10), LONGEST_NAME))
