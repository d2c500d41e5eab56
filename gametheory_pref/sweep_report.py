"""A sweep as HTML: a table for notebooks, and a report in one file with pictures and the verdicts of theorems."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from .errors import InputError
from .html import figure, page, section
from .rate_report import RateReport
from .rates import verify_rate
from .solution import Solution
from .sweeping import Comparison
from .sweeping.comparison import Summary

# Each picture weighs some tens of kilobytes; a page that is to be mailed stays below a few megabytes.
_MOST_PICTURES = 30
# A picture with more lines than this cannot be read.
_MOST_LINES = 12
_MOST_FAILURES = 200
_MOST_REASONS = 6
# What double precision leaves of the gap of an equilibrium says nothing about a method.
_SMALLEST_SHOWN = 1e-16
# Gaps below it are as good as 0 for telling methods apart.
_ROUNDING = 1e-12
_CELL = "padding: 2px 8px; text-align: left; vertical-align: top"
_NUMBER = "padding: 2px 8px; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums"
_TABLE = 'style="border-collapse: collapse; font-size: 0.9em"'
# Long labels of methods break; numbers do not.
_HEAD = "padding: 2px 8px; text-align: right; vertical-align: bottom; overflow-wrap: normal"
_WIDE = 'style="max-width: 100%; overflow-x: auto"'


class TheoremRow(NamedTuple):
    """A theorem about a method on all problems of a sweep.

    Attributes
    ----------
    method : str
        Label of the method.
    theorem, statement : str
    holds, violated, inconclusive : int
        On how many problems.
    tightness : float or None
        Largest ratio of what was measured to what the theorem allows.
    reason : str
        Of the problem that decided: a violation, else the tightest; empty where nothing was decided.
    undecided : tuple of (str, int)
        Why nothing was decided, and on how many problems for that reason, the most frequent first.
    """

    method: str
    theorem: str
    statement: str
    holds: int
    violated: int
    inconclusive: int
    tightness: float | None
    reason: str
    undecided: tuple[tuple[str, int], ...]


def report(comparison: Comparison, theorems: list[TheoremRow]) -> str:
    """Return a page about a sweep, with these verdicts, in one file that loads nothing from elsewhere."""
    methods = len({cell.method for cell in comparison.cells})
    problems = len({(cell.game, cell.temperature) for cell in comparison.cells})
    sections = [
        section("Overview", _overview(comparison)),
        section("Final duality gap", summary_table(comparison)),
        section("Theorems", _theorems(theorems)),
        *_pictures(comparison),
    ]
    if comparison.failures:
        sections.append(section("Failures", _failures(comparison)))
    if comparison.skipped:
        sections.append(section("Combinations left out", _skipped(comparison)))
    return page(f"{_count(methods, 'method')} on {_count(problems, 'problem')}", sections)


def _overview(comparison: Comparison) -> str:
    cells = comparison.cells
    games = _count(len({cell.game for cell in cells}), "game")
    heats = ", ".join(f"{heat:g}" for heat in sorted({cell.temperature for cell in cells}))
    seeds = _count(len({cell.seed for cell in cells}), "seed")
    steps = ", ".join(f"{steps:,}" for steps in sorted({cell.cell.max_steps for cell in cells}))
    facts = [
        f"{_count(len(cells), 'run')}: {games}, temperatures {heats}, {seeds}, up to {steps} steps.",
        f"{_count(len(comparison.failures), 'failure')}; {_count(len(comparison.skipped), 'combination')} left out.",
    ]
    if comparison.n_pending:
        facts.append(f"Not run yet: {_count(comparison.n_pending, 'cell')}.")
    return f"<p>{escape(' '.join(facts))}</p>"


def summary_table(comparison: Comparison) -> str:
    """Return the median final gap over seeds, a row per problem and a column per method, the best in bold."""
    rows = comparison.summary()
    methods = list(dict.fromkeys(cell.method for cell in comparison.cells))
    best = comparison.best()
    by_place = {(row.game, row.temperature, row.method): row for row in rows}
    shown = _short_names(comparison)
    head = _row(["game"], ["temperature", *map(_breakable, methods)], tag="th")
    body = "".join(
        _row(
            [escape(shown[game])],
            [f"{heat:g}", *(_gap_cell(by_place.get((game, heat, method)), best[game, heat]) for method in methods)],
        )
        for game, heat in best
    )
    words = (
        "Median over seeds of the duality gap at the end, in units of the payoff. "
        f"In bold: the smallest, and whatever is below {_ROUNDING:g}."
    )
    return f"<p>{words}</p><div {_WIDE}><table {_TABLE}>{head}{body}</table></div>"


def _short_names(comparison: Comparison) -> dict[str, str]:
    """Return what games are called on the page: files without their folders, where that tells them apart."""
    names = list(dict.fromkeys([cell.game for cell in comparison.cells] + [one.game for one in comparison.skipped]))
    short = {name: re.split(r"[/\\]", name)[-1] or name for name in names}
    times = Counter(short.values())
    return {name: short[name] if times[short[name]] == 1 else name for name in names}


def _row(words: Iterable[str], numbers: Iterable[str], *, tag: str = "td") -> str:
    """Return a table row of cells with HTML in them."""
    look = _HEAD if tag == "th" else _NUMBER
    cells = [f'<{tag} style="{_CELL}">{word}</{tag}>' for word in words]
    cells += [f'<{tag} style="{look}">{number}</{tag}>' for number in numbers]
    return f"<tr>{''.join(cells)}</tr>"


def _breakable(label: str) -> str:
    """Return a label as HTML that may break after its underscores, brackets and commas."""
    return re.sub(r"([_(,=])", r"\1<wbr>", escape(label))


def _gap_cell(row: Summary | None, best: Summary) -> str:
    if row is None:
        return "–"
    text = f"{row.gap:.2g}" if math.isfinite(row.gap) else "failed"
    if row.gap < _SMALLEST_SHOWN:
        text = f"&lt; {_SMALLEST_SHOWN:g}"
    if row.n_failed and math.isfinite(row.gap):
        text += f" ({row.n_failed} of {row.n_runs} failed)"
    wins = math.isfinite(row.gap) and row.gap <= max(best.gap, _ROUNDING)
    return f"<strong>{text}</strong>" if wins else text


def theorem_rows(comparison: Comparison) -> list[TheoremRow]:
    """Return the verdicts on every theorem of every method, recomputed from what was recorded."""
    found: dict[tuple[str, str], list[RateReport]] = {}
    for game, heat in dict.fromkeys((cell.game, cell.temperature) for cell in comparison.cells):
        for method, solutions in comparison.solutions(game, heat).items():
            judged = [solution for solution in solutions if solution.run is not None]
            if judged:
                whole = verify_rate(judged)
                for part in whole.parts or (whole,):
                    found.setdefault((method, part.name), []).append(part)
    return [_theorem_row(method, reports) for (method, _), reports in found.items()]


def _theorem_row(method: str, reports: Sequence[RateReport]) -> TheoremRow:
    counts = {verdict: sum(one.verdict == verdict for one in reports) for verdict in _VERDICTS}
    ranked = sorted(reports, key=lambda one: (_VERDICTS.index(one.verdict), -(one.tightness or 0.0)))
    guarantee = ranked[0].guarantee
    undecided = Counter(one.reason for one in reports if one.verdict == "inconclusive")
    tightness = [one.tightness for one in reports if one.tightness is not None]
    return TheoremRow(
        method,
        ranked[0].name,
        "" if guarantee is None else guarantee.statement,
        counts["holds"],
        counts["violated"],
        counts["inconclusive"],
        max(tightness, default=None),
        "" if ranked[0].verdict == "inconclusive" else ranked[0].reason,
        tuple(undecided.most_common()),
    )


_VERDICTS = ("violated", "holds", "inconclusive")


def _theorems(rows: list[TheoremRow]) -> str:
    if not rows:
        return "<p>No run of this sweep can be judged: iterates are kept for games of up to 512 responses.</p>"
    words = (
        "On how many problems a theorem's inequality was seen to hold at every record point, to be violated, or could "
        "not be judged (a hypothesis fails, or the run could not have shown a violation). Tightness is the largest "
        "ratio of what was measured to what the theorem allows."
    )
    head = _row(["theorem"], ("holds", "violated", "undecided", "tightness"), tag="th")
    body = ""
    for method in dict.fromkeys(row.method for row in rows):
        body += f'<tr><th colspan="5" scope="rowgroup" style="{_CELL}; padding-top: 1em">{escape(method)}</th></tr>'
        body += "".join(_theorem_cells(row) for row in rows if row.method == method)
    return f"<p>{words}</p><div {_WIDE}><table {_TABLE}>{head}{body}</table></div>"


def _theorem_cells(row: TheoremRow) -> str:
    tightness = "" if row.tightness is None else f"{row.tightness:.3g}"
    counts = [str(number) if number else "–" for number in (row.holds, row.violated, row.inconclusive)]
    if row.violated:
        counts[1] = f"<strong>{row.violated}</strong>"
    claim = f"<br><code>{escape(row.statement)}</code>" if row.statement else ""
    why = [row.reason] if row.reason else []
    why += [f"undecided {number}: {reason}" for reason, number in row.undecided[:_MOST_REASONS]]
    if rest := sum(number for _, number in row.undecided[_MOST_REASONS:]):
        why.append(f"undecided {rest}: for other reasons")
    small = f'<div style="font-size: 0.85em">{"<br>".join(map(escape, why))}</div>'
    return _row([f"{escape(row.theorem)}{claim}{small}"], [*counts, tightness])


def _pictures(comparison: Comparison) -> list[str]:
    problems = list(dict.fromkeys((cell.game, cell.temperature) for cell in comparison.cells))
    parts = [_picture(comparison, *problem, place) for place, problem in enumerate(problems[:_MOST_PICTURES])]
    if len(problems) > _MOST_PICTURES:
        rest = _count(len(problems) - _MOST_PICTURES, "more problem")
        parts.append(f"<p>{rest}: in the table above; <code>Comparison.plot</code> draws them.</p>")
    return [section("Gap against payoff products", "\n".join(parts))] if parts else []


def _picture(comparison: Comparison, game: str, temperature: float, place: int) -> str:
    from .plot import gap_curves
    from .plot.page import svg

    drawn, more = _drawable(comparison, game, temperature)
    title = f"{_short_names(comparison)[game]}, temperature {temperature:g}"
    heading = f"<h3>{escape(title)}</h3>"
    if not drawn:
        return f"{heading}<p>Nothing to draw: no run finished, or the game is too large to keep its iterates.</p>"
    try:
        methods = list(dict.fromkeys(cell.method for cell in comparison.cells))
        picture = svg(gap_curves(drawn, among=methods), f"gap{place}")
    except InputError as error:
        return f"{heading}<p>Not drawn: {escape(str(error))}.</p>"
    rest = f"<p>The {len(drawn)} best methods; {more} more are in the table above.</p>" if more else ""
    return heading + figure(picture, f"Duality gap against payoff products, {title}") + rest


def _drawable(comparison: Comparison, game: str, temperature: float) -> tuple[dict[str, list[Solution]], int]:
    """Return the runs of the best methods, and how many methods were left out."""
    solutions = comparison.solutions(game, temperature)
    kept = {label: [one for one in runs if one.run is not None] for label, runs in solutions.items()}
    there = [row.method for row in comparison.summary() if (row.game, row.temperature) == (game, temperature)]
    best = [method for method in there if kept.get(method)][:_MOST_LINES]
    # In the order of the grid.
    return {label: runs for label, runs in kept.items() if label in best}, len([m for m in there if m not in best])


def _failures(comparison: Comparison) -> str:
    items, shown = [], _short_names(comparison)
    for cell in comparison.failures[:_MOST_FAILURES]:
        where = f"{cell.method} on {shown[cell.game]}, temperature {cell.temperature:g}, seed {cell.seed}"
        trace = cell.outcome.traceback
        more = f"<pre style=\"overflow-x: auto\">{escape(trace)}</pre>" if trace else ""
        items.append(f"<details><summary>{escape(where)}: {escape(cell.message)}</summary>{more}</details>")
    rest = len(comparison.failures) - _MOST_FAILURES
    if rest > 0:
        items.append(f"<p>and {_count(rest, 'more failure')}.</p>")
    return "\n".join(items)


def _skipped(comparison: Comparison) -> str:
    by_reason: dict[str, list[str]] = {}
    shown = _short_names(comparison)
    for one in comparison.skipped:
        by_reason.setdefault(one.reason, []).append(f"{one.method} on {shown[one.game]} at {one.temperature:g}")
    rows = "".join(
        f'<tr><td style="{_CELL}">{escape(reason)}</td><td style="{_NUMBER}">{len(places)}</td>'
        f'<td style="{_CELL}">{escape(places[0])}{", ..." if len(places) > 1 else ""}</td></tr>'
        for reason, places in by_reason.items()
    )
    head = "".join(f'<th style="{_CELL}">{title}</th>' for title in ("reason", "combinations", "such as"))
    return f"<div {_WIDE}><table {_TABLE}><tr>{head}</tr>{rows}</table></div>"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
