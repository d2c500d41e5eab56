"""The page that ``gtpref run -o FILE.html`` writes."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ..games import PreferenceGame
from ..html import figure, page, section, solution_table
from ..plot import convergence, simplex_trajectory
from ..plot.page import svg

if TYPE_CHECKING:
    from .run_command import RunReport


def run_page(report: RunReport, settings: str, closing: list[tuple[str, str]]) -> str:
    """Return a page about a run that loads nothing from elsewhere.

    Parameters
    ----------
    report : RunReport
        The run.
    settings : str
        What ran, with its settings.
    closing : list of (str, str)
        The facts that the command prints last.
    """
    solution = report.solution
    way = [figure(svg(convergence(solution), "convergence"), "Convergence of the run")]
    game = report.loaded.game
    if isinstance(game, PreferenceGame) and game.n_responses == 3:
        way.append(figure(svg(simplex_trajectory(solution), "simplex"), "Trajectory in the simplex"))
    sections = [
        section("Run", f"<p>{escape(settings)}</p>{_facts(closing)}"),
        section("Convergence", "\n".join(way)),
        section("Where it ended", solution_table(solution)),
        section("The same again", same_again(report.command, report.python)),
    ]
    return page(f"{report.run.rule.info.title} on {report.loaded.file}", sections)


def same_again(command: str, python: list[str]) -> str:
    """Return the command line, and the Python, that do the same."""
    return f"<p>On the command line:</p>{_code([command])}<p>In Python:</p>{_code(python)}"


def _code(lines: list[str]) -> str:
    look = "white-space: pre-wrap; overflow-wrap: anywhere"
    return f'<pre style="{look}"><code>{escape(chr(10).join(lines))}</code></pre>'


def _facts(pairs: list[tuple[str, str]]) -> str:
    rows = "".join(
        f'<tr><th scope="row" style="text-align: left; font-weight: normal; opacity: 0.75; padding-right: 1em; '
        f'vertical-align: top">{escape(name)}</th><td>{escape(text)}</td></tr>'
        for name, text in pairs
    )
    return f"<table>{rows}</table>"
