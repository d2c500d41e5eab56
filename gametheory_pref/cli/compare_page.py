"""The page that ``gtpref compare -o FILE.html`` writes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from ..html import figure, page, section
from ..plot import gap_curves
from ..plot.page import svg
from .game_summary import heading, remarks
from .run_page import same_again

if TYPE_CHECKING:
    from .compare_command import CompareReport


def compare_page(
    report: CompareReport,
    question: str,
    caption: Sequence[str],
    rows: Sequence[tuple[str, ...]],
    claims: Sequence[tuple[str, str]],
) -> str:
    """Return a page about a comparison that loads nothing from elsewhere.

    Parameters
    ----------
    report : CompareReport
        The comparison.
    question : str
        What all methods were asked for.
    caption : sequence of str
        What the table shows.
    rows : sequence of tuple of str
        The table, its head first.
    claims : sequence of (str, str)
        What is known about each method here.
    """
    asked = [heading(report.loaded), *remarks(report.loaded), question]
    picture = figure(svg(gap_curves(report.solutions), "gaps"), "Gap of each method's answer")
    sections = [
        section("Question", "".join(f"<p>{escape(line)}</p>" for line in asked)),
        section("Gap against payoff products", picture),
        section("Table", f"<p>{'; '.join(caption).capitalize()}.</p>{_table(rows)}"),
        section("Settings and theorems", _table([("method", "settings, and what is proved here"), *claims])),
        section("The same again", same_again(report.command, report.python)),
    ]
    return page(f"{len(report.ran)} methods on {report.loaded.file}", sections)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows of text as an HTML table, the first row its head."""
    look = "padding: 2px 10px 2px 0; text-align: left; vertical-align: top"
    head = "".join(f'<th scope="col" style="{look}">{escape(cell)}</th>' for cell in rows[0])
    body = "".join(
        "<tr>" + "".join(f'<td style="{look}">{escape(cell)}</td>' for cell in row) + "</tr>" for row in rows[1:]
    )
    return (
        '<div style="max-width: 100%; overflow-x: auto"><table style="border-collapse: collapse; font-size: 0.9em">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
