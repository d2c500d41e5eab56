"""``gtpref report``: a database of sweeps as one page that loads nothing from elsewhere."""

from __future__ import annotations

import pathlib
from argparse import Namespace
from typing import Any

from ..errors import InputError
from ..sweep_report import TheoremRow, report, theorem_rows
from ..sweeping import Comparison
from . import exit_codes
from .output import note, show_json
from .progress import Progress
from .saving import require_folder
from .text import count

SCHEMA = "gtpref.report/1"


def run(args: Namespace) -> int:
    """Read the database, judge what theorems it can, write the page."""
    if not args.output.lower().endswith(".html"):
        raise InputError(f"the report is a page; -o must end in .html; got {args.output}")
    require_folder(args.output)
    comparison = Comparison.load(args.database)
    with Progress(args) as line:
        line.show(f"judging and drawing {count(len(comparison.cells), 'cell')}")
        theorems = theorem_rows(comparison)
        page = report(comparison, theorems)
    pathlib.Path(args.output).write_text(page, encoding="utf-8")
    if args.json:
        show_json(_facts(args, comparison, theorems))
    size = len(page.encode()) / 1000.0
    note(args, f"wrote {args.output} ({size:,.0f} KB, no external files)")
    return exit_codes.DONE


def _facts(args: Namespace, comparison: Comparison, theorems: list[TheoremRow]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "database": args.database,
        "output": args.output,
        "cells": len(comparison.cells),
        "failed": len(comparison.failures),
        "pending": comparison.n_pending,
        "theorems": [row._asdict() for row in theorems],
    }
