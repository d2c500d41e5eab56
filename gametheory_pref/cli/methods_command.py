"""``gtpref methods``: the update rules, and what is known about each."""

from __future__ import annotations

import inspect
from argparse import Namespace
from typing import Any

from ..methods import METHODS
from ..methods._info import MethodInfo
from ..methods._papers import PAPERS
from . import exit_codes
from .output import show, show_json
from .plain_math import plain_docstring
from .rule_arguments import plain_settings, rule_class
from .run_command import aligned
from .text import count, fields

SCHEMA = "gtpref.methods/1"
_SOLVES = {
    frozenset({"minimax"}): "temperature 0",
    frozenset({"regularized"}): "temperature > 0",
    frozenset({"minimax", "regularized"}): "any temperature",
}


def run(args: Namespace) -> int:
    """List every method, or say what is known about one."""
    classes = METHODS.primary() if args.name is None else [rule_class(args.name)]
    if args.json:
        show_json({"schema": SCHEMA, "methods": [_facts(cls) for cls in classes]})
    elif not args.quiet:
        show("\n".join(_table(classes) if args.name is None else _page(classes[0])))
    return exit_codes.DONE


def _facts(cls: Any) -> dict[str, Any]:
    info: MethodInfo = cls.info
    return {
        "method": info.name,
        "title": info.title,
        "aliases": list(info.aliases),
        "solves": sorted(info.solves),
        "answer": info.answer,
        "payoff_calls_per_step": info.payoff_calls,
        "converges": info.converges,
        "trust": info.trust,
        "step_sizes": list(info.step_sizes),
        "settings": plain_settings(cls()),
        "cite": list(info.cite),
        "papers": [
            {"name": paper.name, "title": paper.title, "symbols": [symbol._asdict() for symbol in paper.symbols]}
            for paper in PAPERS.values()
            if paper.method == info.name
        ],
        "description": inspect.cleandoc(cls.__doc__ or ""),
        "theorems": [
            {"name": g.name, "statement": g.statement, "source": g.source, "of": g.of, "proved": g.proved}
            for g in info.guarantees
        ],
    }


def _table(classes: list[Any]) -> list[str]:
    head = ("method", "aliases", "solves", "answer", "products a step", "theorems", "checked against")
    rows = [head]
    for cls in classes:
        info: MethodInfo = cls.info
        proved = sum(guarantee.proved for guarantee in info.guarantees)
        rows.append(
            (
                info.name,
                ", ".join(info.aliases),
                _SOLVES[info.solves],
                info.answer,
                "varies" if info.payoff_calls is None else str(info.payoff_calls),
                str(proved),
                info.trust,
            )
        )
    return aligned(rows, "lllllll")


def _cost(info: MethodInfo) -> str:
    return "varies" if info.payoff_calls is None else f"{count(info.payoff_calls, 'payoff product')} a step"


def _page(cls: Any) -> list[str]:
    info: MethodInfo = cls.info
    sizes = [f"{name}{' (default)' if i == 0 else ''}" for i, name in enumerate(info.step_sizes)]
    facts = [
        ("Solves", _SOLVES[info.solves] + ("" if info.converges else "; its answer need not converge")),
        ("Answer", "the average of the policies played" if info.answer == "average" else "the last policy"),
        ("Cost", _cost(info)),
        ("Step sizes", ", ".join(sizes) if sizes else "none"),
        ("Aliases", ", ".join(info.aliases) or "none"),
        ("Checked", f"against {info.trust}" if info.trust != "experimental" else "experimental"),
        ("Literature", ", ".join(info.cite)),
    ]
    described, _, _ = inspect.cleandoc(cls.__doc__ or "").partition("\nReferences\n----------")
    described, _, _ = described.partition("\nExamples\n--------")
    described = plain_docstring(described)
    lines = [f"{info.title}: {info.name}", "", *described.strip().splitlines(), "", *fields(facts)]
    papers = [paper for paper in PAPERS.values() if paper.method == info.name]
    if papers:
        lines += ["", "In the symbols of papers (eta is the step size, beta the temperature)"]
    for paper in papers:
        lines.append(f"  {paper.title} ({', '.join(paper.cite)})")
        lines += [f"    {symbol.paper}, {symbol.meaning}: {symbol.here}" for symbol in paper.symbols]
    if info.guarantees:
        lines += ["", f"Theorems (gtpref verify {info.name} tries them; symbols: docs/notation.md)"]
    for guarantee in info.guarantees:
        kind = "" if guarantee.proved else "  as printed; known to be wrong or too broad"
        lines += [f"  {guarantee.name}{kind}", f"    {guarantee.statement}", f"    {guarantee.source}"]
    return lines
