"""``gtpref report``: a database of sweeps as one page that loads nothing from elsewhere."""

from __future__ import annotations

import pathlib
from argparse import Namespace

from ..sweeping import Comparison
from . import exit_codes
from .output import note
from .progress import Progress
from .saving import require_folder
from .text import count


def run(args: Namespace) -> int:
    """Read the database, judge what theorems it can, write the page."""
    require_folder(args.output)
    comparison = Comparison.load(args.database)
    with Progress(args) as line:
        line.show(f"drawing {count(len(comparison.cells), 'cell')}")
        page = comparison.to_html()
    pathlib.Path(args.output).write_text(page, encoding="utf-8")
    size = len(page.encode()) / 1000.0
    note(args, f"wrote {args.output} ({size:,.0f} KB, no external files)")
    return exit_codes.DONE
