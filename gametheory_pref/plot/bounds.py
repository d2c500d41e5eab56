"""A measured curve beside what a theorem says about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._types import FloatArray
from ..errors import InputError
from ..iterating import Run
from ..methods._info import Bound, Contraction, Decay, Guarantee, LocalRate
from ..rate_report import RateReport
from .runs import (
    QUANTITIES,
    Group,
    Iterate,
    Line,
    Quantity,
    Runs,
    answer_of,
    draw_line,
    floor_of,
    formula_lines,
    groups_of,
    iterate_words,
    legend_below,
    legend_names,
    legend_rows,
    line_look,
    line_of,
    log_limits,
    mark_floor,
    quantity_words,
)
from .style import GREY, INK, axes_size, hide_frame, new_axes, set_title, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INCHES = (6.4, 4.4)
# What a theorem draws: a limit on the curve, or only its slope.
_LABELS: dict[type[Guarantee], str] = {
    Bound: "bound of the theorem",
    Contraction: "bound of the theorem",
    LocalRate: "predicted rate near the equilibrium",
    Decay: "slope of the theorem",
}


class Theorem(NamedTuple):
    """A guarantee, which quantity it speaks of, and why it says nothing about the runs (None if it does)."""

    guarantee: Guarantee
    quantity: Quantity
    excuse: str | None


def convergence(
    runs: Runs,
    *,
    quantity: Quantity | None = None,
    guarantee: Guarantee | str | None = None,
    report: RateReport | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw how a quantity falls along a run, with the bound of a theorem drawn in.

    Bounds with explicit constants are drawn as they are, and the curve has to stay below them (above, for a theorem
    about growth). Theorems that leave a constant open, and predictions for the neighbourhood of the equilibrium, are
    drawn as a slope through the last recorded point above rounding. The steps are on a logarithmic axis, except for
    linear rates, which are straight lines over the steps themselves. A theorem that says nothing about the run, because
    a hypothesis fails, is not drawn, and the title says why.

    Several runs of one rule (seeds) become their median with a band from the 10 to the 90 % point.

    Parameters
    ----------
    runs : Solution, list of Solution, or mapping of str to either
        Runs of one method; a mapping draws several lines, each with its own bound, dashed in its colour.
    quantity : {"gap", "gap0", "kl"}, optional
        The duality gap of the problem, the gap without regularisation, or the divergence KL(equilibrium || policy).
        When left out, what the theorem is about.
    guarantee : Guarantee or str, optional
        The theorem, or its name in the method's ``info.guarantees``. When left out, the first of these that is about
        `quantity` and applies to the run; a method without one has its curve alone.
    report : RateReport, optional
        What `verify_rate` returned: gives the theorem, the verdict, the window of the fit and its slope. Of a report on
        several theorems the first one that was decided is taken, or the one called `guarantee`.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    InputError
        A solution without a run, an unknown theorem or quantity, a theorem about another quantity, or a divergence from
        an equilibrium that is not unique.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> run = gp.solve(game, "extragradient", temperature=0.1, tol=1e-12, start=[0.2, 0.4, 0.4], jit=False)
    >>> ax = gp.plot.convergence(run)
    >>> measured, bound = ax.get_lines()
    >>> measured.get_label(), bound.get_label(), bool((measured.get_ydata() <= bound.get_ydata()).all())
    ('KL(equilibrium || policy)', 'bound of the theorem', True)
    """
    if quantity is not None and quantity not in QUANTITIES:
        raise InputError(f"quantity must be one of {', '.join(map(repr, QUANTITIES))}; got {quantity!r}")
    groups = groups_of(runs, name="runs")
    if report is not None:
        report = _one_theorem(report, quantity, guarantee, groups)
        guarantee = report.guarantee
    theorems = [_theorem(group, quantity, guarantee) for group in groups]
    chosen = _one_quantity(groups, theorems, quantity)
    whose: list[Iterate] = [
        answer_of(group.runs[0]) if theorem is None else theorem.guarantee.of
        for group, theorem in zip(groups, theorems, strict=True)
    ]
    lines = [
        line_of(group, chosen, of, mean=_is_about_the_mean(theorem))
        for group, of, theorem in zip(groups, whose, theorems, strict=True)
    ]
    linear = all(theorem is not None and _is_linear(theorem, g) for theorem, g in zip(theorems, groups, strict=True))
    if not linear:
        lines = [line.after_start() for line in lines]
    with style():
        if ax is None:
            rows = legend_rows([group.label for group in groups] + list(_LABELS.values())[1:], _INCHES[0] - 1.0)[1]
            heading = _heading(theorems, _INCHES[0] - 1.0)
            ax = new_axes(_INCHES[0], _INCHES[1] + 0.17 * (rows + len(heading)))
        _draw_all(ax, groups, lines, theorems, chosen)
        if report is not None:
            _draw_window(ax, report, linear=linear)
        _frame(ax, quantity_words(groups[0], chosen), _heading(theorems, axes_size(ax)[0]), linear=linear)
        set_title(ax, *_titles(groups, theorems, whose, report), inches=axes_size(ax)[0])
    return ax


# -- which theorem


def _theorem(group: Group, quantity: Quantity | None, wanted: Guarantee | str | None) -> Theorem | None:
    """Return the theorem to draw beside the runs of a group."""
    run = group.runs[0]
    if wanted is not None:
        found: Any = _named(run, wanted) if isinstance(wanted, str) else wanted
        if not isinstance(found, Guarantee):
            raise InputError(f"guarantee must be a Guarantee of the method or its name; got {found!r}")
        about = _about(found)
        if about is None:
            raise InputError(f"{found.name!r} says where the iterates go, not how fast; draw simplex_trajectory")
        if quantity not in (None, about):
            raise InputError(f"{found.name!r} is about {about!r}, not about quantity={quantity!r}")
        return Theorem(found, about, _excuse(found, run))
    for found in run.rule.info.guarantees:
        about = _about(found)
        applies = found.proved and quantity in (None, about) and _excuse(found, run) is None
        if about is not None and applies and _measurable(run, about):
            return Theorem(found, about, None)
    return None


def _named(run: Run, name: str) -> Guarantee:
    known: dict[str, Guarantee] = {one.name: one for one in run.rule.info.guarantees}
    if name not in known:
        raise InputError(f"guarantee of {run.rule.info.name} must be one of {', '.join(known) or 'none'}; got {name!r}")
    return known[name]


def _about(guarantee: Guarantee) -> Quantity | None:
    if isinstance(guarantee, (Bound, Decay)):
        return None if guarantee.quantity == "residual" else guarantee.quantity
    return "kl" if isinstance(guarantee, (Contraction, LocalRate)) else None


def _measurable(run: Run, quantity: Quantity) -> bool:
    return quantity != "kl" or run.facts.log_equilibrium is not None


def _excuse(guarantee: Guarantee, run: Run) -> str | None:
    """Return why a theorem says nothing about a run."""
    if not (run.facts.is_exact or guarantee.sampled):
        return "the payoffs were sampled; the theorem is about exact ones"
    if isinstance(guarantee, LocalRate) and _measurable(run, "kl") and not run.facts.frequencies.size:
        return "the equilibrium plays one response only"
    return guarantee.hypotheses(run.rule, run.facts)


def _one_theorem(
    report: RateReport, quantity: Quantity | None, wanted: Guarantee | str | None, groups: list[Group]
) -> RateReport:
    """Return the report, or the part of it, on the theorem to draw."""
    if len(groups) != 1:
        raise InputError("report belongs to the runs of one method; pass these alone")
    reports = [report] if report.guarantee is not None else list(report.parts)
    found = [one for one in reports if wanted is None or wanted in (one.guarantee, one.name)]
    if not found:
        raise InputError(f"report is about {', '.join(one.name for one in reports) or 'no theorem'}; got {wanted!r}")
    drawn = [one for one in found if one.guarantee is not None and _about(one.guarantee) in _quantities(quantity)]
    if not drawn:
        raise InputError("report is about no theorem that is a curve; draw rate_curve(report)")
    return next((one for one in drawn if one.verdict != "inconclusive"), drawn[0])


def _quantities(wanted: Quantity | None) -> tuple[Quantity, ...]:
    return ("gap", "gap0", "kl") if wanted is None else (wanted,)


def _one_quantity(groups: list[Group], theorems: list[Theorem | None], wanted: Quantity | None) -> Quantity:
    found = {theorem.quantity for theorem in theorems if theorem is not None}
    if wanted is None and len(found) > 1:
        raise InputError(f"the theorems of {', '.join(g.label for g in groups)} are about different quantities; "
                         f"pass quantity, one of {', '.join(map(repr, QUANTITIES))}")
    return wanted or (found.pop() if found else "gap")


def _is_about_the_mean(theorem: Theorem | None) -> bool:
    """Return whether the theorem bounds an expectation over samples, so that the mean is to be compared with it."""
    return theorem is not None and theorem.guarantee.sampled


def _is_linear(theorem: Theorem, group: Group) -> bool:
    """Return whether the theorem is a straight line over the steps, on a logarithmic axis of the quantity."""
    schedule = getattr(group.runs[0].rule, "step_size", None)
    constant = schedule is None or schedule.power == 0.0
    return isinstance(theorem.guarantee, (Contraction, LocalRate)) and constant


# -- drawing


def _draw_all(
    ax: Axes, groups: list[Group], lines: list[Line], theorems: list[Theorem | None], quantity: Quantity
) -> None:
    names = legend_names([group.label for group in groups], axes_size(ax)[0])
    one = len(groups) == 1
    seen: list[FloatArray] = []
    floors = set()
    for place, (group, line, theorem) in enumerate(zip(groups, lines, theorems, strict=True)):
        floor = floor_of(group.runs[0], quantity)
        label = _measured_label(group, quantity, _is_about_the_mean(theorem)) if one else names[place]
        draw_line(ax, line.steps, line, floor, label, place)
        seen += [np.maximum(line.low, floor), np.maximum(line.high, floor)]
        if (line.low <= floor).any():
            floors.add(floor)
        if theorem is not None and theorem.excuse is None and len(line.steps):
            level = _level(theorem.guarantee, group.runs[0], line, floor)
            color = INK if one else line_look(place)["color"]
            text = _LABELS[type(theorem.guarantee)]
            if getattr(theorem.guarantee, "grows", False):
                text += ", from below"
            ax.plot(
                line.steps, level, color=color, linestyle="--" if one else (0, (5, 3)), linewidth=1.2,
                label=text if one else f"_bound-{place}", gid=f"bound-{place}",
            )
            seen.append(np.maximum(level, floor))
    if not one and any(theorem is not None for theorem in theorems):
        ax.plot([], [], color=INK, linestyle="--", linewidth=1.2, label="bound or slope of its theorem")
    ax.set_yscale("log")
    log_limits(ax, seen)
    for floor in floors:
        mark_floor(ax, floor)


def _measured_label(group: Group, quantity: Quantity, mean: bool) -> str:
    what = "KL(equilibrium || policy)" if quantity == "kl" else "duality gap"
    middle = "mean" if mean else "median"
    return what if len(group.runs) == 1 else f"{what}, {middle} and 10 to 90 % of {len(group.runs)} runs"


def _level(guarantee: Guarantee, run: Run, line: Line, floor: float) -> FloatArray:
    """Return what the theorem says at each of the record points."""
    rule, facts, steps = run.rule, run.facts, line.steps
    if isinstance(guarantee, Bound):
        return np.asarray(guarantee.bound(rule, facts, steps))
    if isinstance(guarantee, Contraction):
        logs = guarantee.log_factor(rule, facts, steps)
        with np.errstate(divide="ignore", under="ignore"):
            return np.asarray(np.exp(np.log(line.middle[0]) + logs - logs[0]))
    above = np.flatnonzero(line.middle > 10.0 * floor)
    anchor = int(above[-1]) if above.size else len(steps) - 1
    with np.errstate(all="ignore"):
        if isinstance(guarantee, LocalRate):
            logs = (steps - steps[anchor]) * np.log(guarantee.factor(rule, facts))
        else:
            assert isinstance(guarantee, Decay)
            logs = guarantee.power * np.log(steps / steps[anchor])
        return np.asarray(line.middle[anchor] * np.exp(logs))


def _draw_window(ax: Axes, report: RateReport, *, linear: bool) -> None:
    """Shade the steps that the slope was fitted on, and give the slope with its interval in the legend."""
    if report.slope is None or report.slope_interval is None or report.window is None:
        return
    (first, last), (low, high) = report.window, report.slope_interval
    unit = " per step" if linear else ""
    label = f"slope {report.slope:.4g}{unit} [{low:.4g}, {high:.4g}] on steps {first} to {last}"
    ax.axvspan(first, last, color=GREY, alpha=0.15, linewidth=0.0, label=label, gid="window", zorder=0)


def _heading(theorems: list[Theorem | None], inches: float) -> list[str]:
    """Return what the theorem says, for the top of the legend; nothing where several lines have one each."""
    theorem = theorems[0]
    return [] if theorem is None or len(theorems) > 1 else formula_lines(theorem.guarantee.statement, inches)


def _frame(ax: Axes, words: str, heading: list[str], *, linear: bool) -> None:
    if not linear:
        ax.set_xscale("log")
    ax.set_xlabel("steps")
    ax.set_ylabel(words)
    hide_frame(ax)
    legend_below(ax, heading=heading)


def _titles(
    groups: list[Group], theorems: list[Theorem | None], whose: list[Iterate], report: RateReport | None
) -> list[str]:
    if len(groups) > 1:
        return ["Convergence, with each method's theorem" if any(theorems) else "Convergence"]
    run, theorem = groups[0].runs[0], theorems[0]
    heat = f" at temperature {run.facts.temperature:g}" if run.facts.temperature > 0.0 else ""
    lines = [f"{groups[0].label}, {iterate_words(whose[0])}{heat}"]
    if theorem is None:
        return [*lines, "no theorem of this method is about this quantity and this run"]
    name = theorem.guarantee.name
    if report is not None and report.verdict == "holds":
        # Why it holds is the picture.
        used = "" if report.tightness is None else f", tightness {report.tightness:.2f}"
        return [*lines, f"{name}: holds{used}"]
    if report is not None:
        return [*lines, f"{name}: {report.verdict}", report.reason]
    return [*lines, name if theorem.excuse is None else f"{name} does not apply: {theorem.excuse}"]
