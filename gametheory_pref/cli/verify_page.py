"""The page that ``gtpref verify -o FILE.html`` writes: the table, and a picture for every claim."""

from __future__ import annotations

from collections import Counter
from html import escape

from ..html import figure, page, section
from ..plot.curves import rate_curve
from ..plot.page import svg
from ..plot.style import BLUE, GREY, ORANGE
from ..verification import Verification, VerificationRow
from .text import count

_LOOK = "padding: 3px 10px 3px 0; text-align: left; vertical-align: top; border-top: 1px solid rgba(128,128,128,0.35)"
_HEADINGS = {
    "theorem": ("Theorems", "What is proved; each should hold."),
    "printed claim": ("Printed claims known to be wrong or too broad", "Each should come out violated."),
    "negative control": (
        "Negative controls",
        "Rules that are wrong on purpose, and claims that nobody makes. Each should come out violated.",
    ),
}
_METHOD = """\
Each claim is tried on many runs. It is violated if any run breaks it, and holds if none does and some could have; a run
on which a hypothesis fails, or which could not have shown a violation, decides nothing. Tightness is the largest ratio
of what was measured to what is claimed: at most 1 where the claim holds, and far below 1 where it is loose."""
_COLORS = {"holds": BLUE, "violated": ORANGE, "inconclusive": GREY}


def verify_page(found: Verification) -> str:
    """Return a page about a verification that loads nothing from elsewhere."""
    sections = [section("Result", _summary(found))]
    for kind, (title, sentence) in _HEADINGS.items():
        rows = [row for row in found.rows if row.kind == kind]
        if rows:
            sections.append(section(title, f"<p>{escape(sentence)}</p>{_table(rows)}"))
    sections += [section(f"{row.method}: {row.guarantee.name}", _details(row)) for row in found.rows]
    return page("Theorems put to the test", sections)


def _summary(found: Verification) -> str:
    counts: Counter[str] = Counter(row.verdict for row in found.rows)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _COLORS if counts[verdict])
    wrong = len(found.failures)
    ending = "All came out as they should." if not wrong else f"{wrong} did not come out as they should."
    claims = count(len(found.rows), "claim")
    if found.n_planned is not None:
        claims = f"Interrupted after {len(found.rows)} of {count(found.n_planned, 'claim')}"
    return f"<p><strong>{claims}: {escape(told)}. {escape(ending)}</strong></p><p>{escape(_METHOD)}</p>"


def _table(rows: list[VerificationRow]) -> str:
    head = "".join(
        f'<th scope="col" style="{_LOOK}">{title}</th>'
        for title in ("Method", "Claim", "Verdict", "Tightness", "Trials that decide")
    )
    body = "".join(_table_row(row) for row in rows)
    return (
        '<div style="max-width: 100%; overflow-x: auto"><table style="border-collapse: collapse; font-size: 0.9em">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _table_row(row: VerificationRow) -> str:
    tightness = "" if row.tightness is None else f"{row.tightness:.4g}"
    claim = (
        f'<a href="#{escape(_anchor(row))}">{escape(row.guarantee.name)}</a><br>'
        f'<span style="opacity: 0.75">{escape(row.guarantee.statement)}</span>'
    )
    trials = f"{row.n_judged} of {row.n_judged + row.n_inconclusive}"
    cells = (escape(row.method), claim, _verdict(row), tightness, trials)
    return "<tr>" + "".join(f'<td style="{_LOOK}">{cell}</td>' for cell in cells) + "</tr>"


def _verdict(row: VerificationRow) -> str:
    box = f"border-left: 4px solid {_COLORS[row.verdict]}; padding-left: 6px; white-space: nowrap"
    unexpected = "" if row.ok else f"<br><strong>⚠ {escape(row.expected)} expected</strong>"
    return f'<span style="display: inline-block; {box}">{escape(row.verdict)}{unexpected}</span>'


def _anchor(row: VerificationRow) -> str:
    return f"{row.kind.replace(' ', '-')}-{row.method}-{row.guarantee.name}"


def _details(row: VerificationRow) -> str:
    facts = [
        ("Claim", escape(row.guarantee.statement)),
        ("About", "the average of the policies played" if row.guarantee.of == "average" else "the last policy"),
        ("Source", escape(row.guarantee.source)),
        ("Verdict", _verdict(row)),
        ("Found", escape(row.reason)),
    ]
    cells = "".join(
        f'<tr><th scope="row" style="{_LOOK}; font-weight: normal; opacity: 0.75">{name}</th>'
        f'<td style="{_LOOK}">{text}</td></tr>'
        for name, text in facts
    )
    table = f'<table id="{escape(_anchor(row))}" style="border-collapse: collapse; font-size: 0.9em">{cells}</table>'
    return table + _picture(row)


def _picture(row: VerificationRow) -> str:
    """Return the curve of the trial that decided; nothing where none was measured."""
    report = row.cases[0].report
    if report.curve is None:
        return ""
    label = f"{report.curve.quantity} over the steps, on {row.cases[0]}"
    return figure(svg(rate_curve(report), _anchor(row)), label)
