"""Games and answers as HTML: tables for notebooks, and a report in one file.

Tables carry their styles inline, because notebooks drop style sheets, and take the text colour from the page,
so that they read on light and on dark pages. Nothing is loaded from elsewhere.
"""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from ._types import BoolArray, FloatArray, IntArray, Label, Labels
from .certificate import Certificate
from .games import OperatorGame, PreferenceGame, is_symmetric
from .majority import has_majorities, majority_cycle, smith_indices
from .plot.bars import Block, hidden_sentence, policy_block
from .plot.style import BLUE, GREY, ORANGE, PALE, cell_colors, shorten
from .plot.words import (
    display_order,
    gap_text,
    kind,
    never_compared,
    players,
    show_probability,
    show_win,
    uniqueness_sentence,
    warning,
)
from .solution import Solution

_MOST_ROWS = 25
# A picture of more cells than this squared makes the page too heavy to mail.
_MOST_DRAWN = 200
_MOST_NAMES = 12
_LONGEST_NAME = 24
_STRIPES = f"repeating-linear-gradient(135deg, #fff 0 4px, {GREY} 4px 5px)"
_BOX = "2px solid currentColor"
_TABLE = "border-collapse: collapse; font-size: 0.9em; width: auto"
_PLAIN = "padding: 2px 6px; border: none; background: none"
_HEAD = f"{_PLAIN}; font-weight: normal"
_UPRIGHT = (
    "writing-mode: vertical-rl; text-orientation: sideways; transform: rotate(180deg); white-space: nowrap"
)


def game_table(game: PreferenceGame) -> str:
    """Return the win matrix as an HTML table, row against column.

    Rows go by Smith layers, then by mean win rate. The Smith set is boxed and marked with ●; a pair that was
    never compared is striped. Of more than 25 responses the first 25 are shown, and a sentence says so.
    """
    shown = display_order(game)[:_MOST_ROWS]
    smith_size = len(smith_indices(game))
    missing = never_compared(game)
    names = [_name(game.names[i], text) for i, text in zip(shown, _short_names(game, shown), strict=True)]
    rows = "".join(
        "<tr>"
        + _row_name(name, inside=place < smith_size)
        + _cells(game, shown, place, smith_size, missing)
        + "</tr>"
        for place, name in enumerate(names)
    )
    return (
        f'<div class="win-matrix" style="max-width: 100%; overflow-x: auto">{_head(game, smith_size)}'
        f'<table style="{_TABLE}"><thead>{_column_names(names)}</thead><tbody>{rows}</tbody></table></div>'
    )


def _head(game: PreferenceGame, size: int) -> str:
    n = game.n_responses
    box = "the Condorcet winner" if size == 1 else f"the Smith set ({size} of {n})"
    lines = [f"Probability that the row beats the column. Box and ●: {box}."]
    if n > _MOST_ROWS:
        lines.append(f"The first {_MOST_ROWS} of {n} responses, by Smith layers and mean win rate.")
    if game.votes is not None:
        lines.append(_counts(game))
    return f'<p style="margin: 0 0 0.5em">{escape(" ".join(lines))}</p>'


def _counts(game: PreferenceGame) -> str:
    votes = game.votes
    assert votes is not None
    parts = [f"{votes.n_comparisons:g} comparisons"]
    if votes.n_ties:
        parts.append(f"{votes.n_ties:g} ties")
    if game.n_missing:
        parts.append(f"{game.n_missing} pairs never compared (striped, played as ½)")
    return ", ".join(parts) + "."


def _short_names(game: PreferenceGame, shown: IntArray) -> list[str]:
    short = shorten(game.names, _LONGEST_NAME)
    return [short[i] for i in shown]


def _name(full: Label, short: str) -> str:
    """Return a name as HTML, with the full one for the pointer where it was cut."""
    if short == str(full):
        return escape(short)
    return f'<span title="{escape(str(full))}">{escape(short)}</span>'


def _column_names(names: list[str]) -> str:
    cells = "".join(
        f'<th scope="col" style="{_HEAD}; vertical-align: bottom; text-align: center">'
        f'<span style="display: inline-block; {_UPRIGHT}">{name}</span></th>'
        for name in names
    )
    return f'<tr><td style="border: none"></td>{cells}</tr>'


def _row_name(name: str, *, inside: bool) -> str:
    mark = "● " if inside else ""
    return f'<th scope="row" style="{_HEAD}; text-align: right; white-space: nowrap">{mark}{name}</th>'


def _cells(game: PreferenceGame, shown: IntArray, place: int, smith_size: int, missing: BoolArray) -> str:
    i = int(shown[place])
    return "".join(
        _cell(game, i, int(j), bool(missing[i, j]), _borders(place, column, min(smith_size, len(shown))))
        for column, j in enumerate(shown)
    )


def _borders(row: int, column: int, size: int) -> str:
    """Return the sides of the box around the first `size` rows and columns that pass along a cell."""
    if row >= size or column >= size:
        return "border: none"
    last = size - 1
    sides = {"top": row == 0, "bottom": row == last, "left": column == 0, "right": column == last}
    return "border: none" + "".join(f"; border-{side}: {_BOX}" for side, there in sides.items() if there)


def _cell(game: PreferenceGame, i: int, j: int, missing: bool, borders: str) -> str:
    base = f"padding: 2px 6px; text-align: center; min-width: 2.2em; {borders}"
    if i == j:
        return f'<td style="{base}; background: {PALE}"></td>'
    row, column = game.names[i], game.names[j]
    if missing:
        title = escape(f"{row} and {column} were never compared")
        return f'<td style="{base}; background: {_STRIPES}" title="{title}"></td>'
    p = float(game.preference[i, j])
    counted = "" if game.votes is None else f" ({game.votes.totals[i, j]:g} comparisons)"
    title = escape(f"{row} beats {column} with probability {p:.6g}{counted}")
    background, color = cell_colors(p)
    # The colour is the text's alone: the box takes the colour of the page's text.
    number = f'<span style="color: {color}">{escape(show_win(p))}</span>'
    return f'<td style="{base}; background: {background}" title="{title}">{number}</td>'


def operator_game_summary(game: OperatorGame) -> str:
    """Return what a game without a table is, as an HTML table of facts: there is no matrix to show."""
    players = f"{game.n_responses:,} responses" if game.is_symmetric else "{:,} x {:,}".format(*game.payoff.shape)
    cost = game.payoff.cost
    rows = [
        ("Players", players),
        ("Payoff", game.payoff.describe()),
        ("Held", f"{game.payoff.nbytes:,} bytes"),
        ("A product", f"{cost.bytes:.3g} bytes moved, {cost.flops:.3g} operations"),
    ]
    if game.votes is not None:
        rows.append(("Comparisons", f"{game.votes.n_comparisons:,.10g}, {game.votes.n_ties:,.10g} of them ties"))
        rows.append(("Never compared", f"{game.n_missing:,} of {game.votes.n_pairs:,} pairs, played as ½"))
    return _fact_table(rows)


def solution_table(solution: Solution) -> str:
    """Return the policy as bars and the certificate as a list, in HTML."""
    certificate = solution.certificate()
    parts = [f'<p style="margin: 0 0 0.5em"><strong>{escape(kind(solution))}</strong></p>']
    problem = warning(solution)
    if problem is not None:
        look = f"border-left: 4px solid {ORANGE}; padding-left: 8px"
        parts.append(f'<p style="{look}">⚠ {escape(problem)}.</p>')
    for title, names, policy in players(solution):
        parts.append(_bars(policy_block(title, names, policy[None, :])))
    parts.append(_facts(solution, certificate))
    return f'<div style="max-width: 100%; overflow-x: auto">{"".join(parts)}</div>'


def _bars(block: Block) -> str:
    largest = max(float(block.values.max()), 1e-300)
    rows = []
    for i, p in zip(block.shown, block.values[0], strict=True):
        width = 100.0 * float(p) / largest
        bar = f'<div style="width: {width:.2f}%; height: 0.9em; background: {BLUE}"></div>'
        rows.append(_bar_row(escape(str(block.names[i])), bar, show_probability(float(p))))
    if block.n_hidden:
        total = "" if hidden_sentence(block).endswith("with 0") else show_probability(float(block.hidden[0]))
        rows.append(_bar_row(f"<em>{escape(hidden_sentence(block))}</em>", "", total))
    heading = "" if not block.title else f'<caption style="text-align: left">{escape(block.title)}</caption>'
    return f'<table style="{_TABLE}; margin-bottom: 1em">{heading}<tbody>{"".join(rows)}</tbody></table>'


def _bar_row(name: str, bar: str, number: str) -> str:
    return (
        f'<tr><th scope="row" style="{_HEAD}; text-align: right">{name}</th>'
        f'<td style="{_PLAIN}; width: 12em; min-width: 6em">{bar}</td>'
        f'<td style="{_PLAIN}; text-align: left">{escape(number)}</td></tr>'
    )


def _facts(solution: Solution, certificate: Certificate) -> str:
    groups = [part(solution, certificate) for part in (_claims, _relations, _notes)]
    return _fact_table([row for rows in groups for row in rows])


def _fact_table(rows: list[tuple[str, str]]) -> str:
    plain = f"{_PLAIN}; text-align: left; vertical-align: top"
    cells = "".join(
        f'<tr><th scope="row" style="{plain}; font-weight: normal; opacity: 0.75">{escape(name)}</th>'
        f'<td style="{plain}">{escape(text)}</td></tr>'
        for name, text in rows
    )
    return f'<table style="{_TABLE}"><tbody>{cells}</tbody></table>'


def _claims(solution: Solution, certificate: Certificate) -> list[tuple[str, str]]:
    rows = [("Duality gap", gap_text(solution)), ("Best response", _best_responses(certificate))]
    if not is_symmetric(solution.problem.game):
        rows.append(("Value", f"{solution.value:.6g} to the first player"))
    rows.append(("Uniqueness", uniqueness_sentence(certificate)))
    if certificate.unique is False:
        rows.append(("Played by some answer", _per_player(solution, certificate.support_union)))
    if solution.problem.temperature > 0.0:
        anchor = "uniform" if solution.problem.reference is None else "given"
        heat = solution.problem.temperature
        rows.append(("Regularisation", f"temperature {heat:g}, {anchor} reference policy"))
    return rows


def _best_responses(certificate: Certificate) -> str:
    responses = _as_tuple(certificate.best_response)
    regrets = _as_tuple(certificate.regret)
    shown = [f"{name} gains {regret:.2g}" for name, regret in zip(responses, regrets, strict=True)]
    return "; ".join(shown)


def _per_player(solution: Solution, names: Any) -> str:
    if not isinstance(solution.policy, tuple):
        return name_list(names)
    titles = [title for title, _, _ in players(solution)]
    return "; ".join(f"{title}: {name_list(part)}" for title, part in zip(titles, names, strict=True))


def name_list(names: Labels) -> str:
    """Return names separated by commas, those after the twelfth counted.

    Examples
    --------
    >>> name_list(("tea", "coffee"))
    'tea, coffee'
    """
    text = ", ".join(str(name) for name in names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return text if more <= 0 else f"{text} and {more} more"


def _relations(solution: Solution, certificate: Certificate) -> list[tuple[str, str]]:
    game = solution.problem.game
    if not isinstance(game, (PreferenceGame, OperatorGame)) or not has_majorities(game):
        return []
    winner = certificate.condorcet_winner
    rows = [("Condorcet winner", "none" if winner is None else str(winner))]
    if winner is None:
        size = len(certificate.smith_set)
        rows.append(("Smith set", f"{name_list(certificate.smith_set)} ({size} of {game.n_responses})"))
        if isinstance(game, PreferenceGame):
            cycle = majority_cycle(game)
            rows.append(("Majority cycle", _cycle(cycle) if cycle else "none: only ties"))
    rows.append(("Outside the Smith set", f"probability {show_probability(certificate.mass_outside_smith)}"))
    return rows


def _cycle(cycle: Labels) -> str:
    return " beats ".join(str(name) for name in (*cycle, cycle[0]))


def _notes(solution: Solution, certificate: Certificate) -> list[tuple[str, str]]:
    rows = [("Note", note) for note in certificate.notes]
    game = solution.problem.game
    if isinstance(game, OperatorGame):
        rows.append(("Payoff", game.payoff.describe()))
    if isinstance(game, (PreferenceGame, OperatorGame)) and game.votes is not None:
        share = game.votes.first_share
        if share is not None:
            rows.append(("Position", f"the response shown first won {share:.1%} of the decided comparisons"))
        rows.extend(("Data", note) for note in game.votes.notes)
    rows.append(("Solved", f"{solution.message} ({solution.method}, {solution.seconds:.3g} s)"))
    return rows


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  background: Canvas; color: CanvasText; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.5rem; line-height: 1.2; }}
h2 {{ font-size: 1.1rem; margin-top: 2rem; }}
table, figure {{ overflow-wrap: normal; }}
figure {{ margin: 0; padding: 0.5rem; background: #fff; border-radius: 6px; overflow-x: auto; }}
figure svg {{ display: block; max-width: 100%; min-width: 30rem; height: auto; margin: 0 auto; }}
footer {{ margin-top: 2rem; font-size: 0.85rem; opacity: 0.75; }}
@page {{ margin: 15mm; }}
@media print {{
  :root {{ color-scheme: light; }}
  body {{ max-width: none; margin: 0; font-size: 11pt; }}
  figure svg {{ min-width: 0; }}
  .win-matrix {{ overflow: visible !important; font-size: 8pt; break-inside: avoid; }}
  .win-matrix td, .win-matrix th {{ padding: 1px 2px !important; min-width: 0 !important; }}
  * {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
  tr, figure {{ break-inside: avoid; }}
  h2 {{ break-after: avoid; }}
}}
</style>
</head>
<body>
<h1>{title}</h1>
{sections}
<footer>Written by gametheory_pref {version}. This file loads nothing from elsewhere.</footer>
</body>
</html>
"""


def report(solution: Solution) -> str:
    """Return a page about an answer in one file: policy, certificate, win matrix and majority graph.

    The page loads nothing from elsewhere, so it can be mailed, archived and printed. Games that are not
    preference games have the policy and the certificate only.
    """
    sections = [section("Answer", solution_table(solution))]
    game = solution.problem.game
    if isinstance(game, PreferenceGame):
        sections.extend(_game_sections(game, np.asarray(solution.policy)))
    return page(_title(solution), sections)


def _title(solution: Solution) -> str:
    counts = [len(names) for _, names, _ in players(solution)]
    if len(counts) == 1:
        return f"{kind(solution)} of {counts[0]} responses"
    return f"{kind(solution)} of {' x '.join(str(count) for count in counts)} actions"


def _game_sections(game: PreferenceGame, policy: FloatArray) -> list[str]:
    from .plot import win_matrix
    from .plot.graph import draw_graph
    from .plot.page import svg

    sections = [
        section("Who beats whom", figure(svg(draw_graph(game, None, played=policy), "graph"), "Majority graph")),
        section("Win matrix", game_table(game)),
    ]
    if _MOST_ROWS < game.n_responses <= _MOST_DRAWN:
        sections.append(section("All responses", figure(svg(win_matrix(game), "matrix"), "Win matrix")))
    return sections


def page(title: str, sections: list[str]) -> str:
    """Return a whole page in one file that loads nothing from elsewhere; the title is text, the sections HTML."""
    from . import __version__

    return _PAGE.format(title=escape(title), sections="\n".join(sections), version=__version__)


def section(title: str, content: str) -> str:
    """Return a part of a page under its heading; the title is text, the content HTML."""
    return f"<section>\n<h2>{escape(title)}</h2>\n{content}\n</section>"


def figure(picture: str, label: str) -> str:
    """Return an SVG picture with the words that stand for it."""
    return f'<figure role="img" aria-label="{escape(label)}">{picture}</figure>'
