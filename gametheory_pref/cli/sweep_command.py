"""``gtpref sweep``: a grid of runs from a TOML file into a database, resumable at any time."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from . import exit_codes
from .output import note, show, show_json
from .progress import Progress, duration
from .text import count, pad, seconds, width

if TYPE_CHECKING:
    from ..sweeping import Comparison
    from ..sweeping.comparison import Summary
    from ..sweeping.engine import Progress as Count
    from ..sweeping.grid import Grid

SCHEMA = "gtpref.sweep_summary/1"
_MOST_ROWS = 40
# Threads run the cells; matrix products inside them must not start threads of their own.
_INNER_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def run(args: Namespace) -> int:
    """Read the configuration, run what the database does not hold, print the table."""
    if "numpy" not in sys.modules:
        # numpy reads these when it loads.
        for name in _INNER_THREADS:
            os.environ.setdefault(name, "1")
    from .sweep_config import read_plan

    grid, remarks = read_plan(args.config)
    for remark in remarks:
        note(args, remark)
    if args.dry_run:
        return _plan(args, grid)
    try:
        with _terminated_like_interrupted():
            comparison = _run(args, grid)
    except KeyboardInterrupt as stop:
        reached = getattr(stop, "solution", None)
        if reached is None:
            raise
        total = len(reached.cells) + reached.n_pending
        again = "run the same command to continue"
        note(args, f"interrupted: {len(reached.cells)} of {count(total, 'cell')} saved; {again}")
        return exit_codes.INTERRUPTED
    _print(args, comparison)
    return exit_codes.INCONCLUSIVE if comparison.failures else exit_codes.DONE


def _run(args: Namespace, grid: Grid) -> Comparison:
    from ..sweeping.engine import run_grid

    for reason in _skipped_lines(grid):
        note(args, reason)
    with Progress(args) as line:
        return run_grid(
            grid,
            n_jobs=args.jobs,
            database=args.db,
            retry_failed=args.retry_failed,
            progress=lambda done: line.show(progress_text(done)),
        )


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM, which batch systems and `kill` send, end the block as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def progress_text(done: Count) -> str:
    """Return the line of progress.

    Examples
    --------
    >>> from gametheory_pref.sweeping.engine import Progress
    >>> progress_text(Progress(total=720, found=0, done=340, failed=2, seconds=12.0))
    '340/720 cells  47 %  28 cells/s  13 s left  2 failed'
    """
    share = 100 * done.done // max(done.total, 1)
    parts = [f"{done.done}/{done.total} cells", f"{share} %"]
    if done.done > done.found:
        parts += [f"{done.rate:.2g} cells/s", f"{duration(done.seconds_left)} left"]
    if done.failed:
        parts.append(f"{done.failed} failed")
    return "  ".join(parts)


def _plan(args: Namespace, grid: Grid) -> int:
    """Say what would be run."""
    from ..sweeping.database import stored_keys

    total = len({cell.key for cell in grid.cells})
    found = len(stored_keys(args.db) & {cell.key for cell in grid.cells})
    if args.json:
        plan = {"cells": total, "found": found, "to_run": total - found, "skipped": _skipped(grid)}
        show_json({"schema": "gtpref.sweep_plan/1", "database": args.db, **plan})
    elif not args.quiet:
        lines = [f"{count(total, 'cell')}: {found:,} in {args.db}, {total - found:,} to run"]
        show("\n".join([*lines, *_skipped_lines(grid)]))
    return exit_codes.DONE


def _skipped(grid: Any) -> list[dict[str, Any]]:
    return [skipped._asdict() for skipped in grid.skipped]


def _skipped_lines(grid: Any) -> list[str]:
    """Return one line per reason, not per combination."""
    by_reason: dict[str, int] = {}
    for skipped in grid.skipped:
        by_reason[skipped.reason] = by_reason.get(skipped.reason, 0) + 1
    return [f"skipped {count(number, 'combination')}: {reason}" for reason, number in by_reason.items()]


def _print(args: Namespace, comparison: Comparison) -> None:
    if args.json:
        rows = [_finite(row._asdict()) for row in comparison.summary()]
        totals = {"cells": len(comparison.cells), "failed": len(comparison.failures)}
        show_json(
            {"schema": SCHEMA, "database": args.db, **totals, "skipped": _skipped(comparison), "summary": rows}
        )
    elif not args.quiet:
        show("\n".join(_lines(comparison)))
    for cell in comparison.failures[:3]:
        note(args, f"failed: {cell.method} on {cell.game}, seed {cell.seed}: {cell.message}")
    if len(comparison.failures) > 3:
        note(args, f"{len(comparison.failures) - 3} more failures; gtpref report lists them all")
    cells = count(len(comparison.cells), "cell")
    note(args, f"{cells} in {args.db}; for pictures: gtpref report {args.db} -o report.html")


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in row.items()
    }


def _lines(comparison: Comparison) -> list[str]:
    summary = comparison.summary()
    head = ("game", "temperature", "method", "median gap", "payoff calls", "time", "runs")
    rows = [head, *(_row(row) for row in summary[:_MOST_ROWS])]
    widths = [max(width(row[place]) for row in rows) for place in range(len(head))]
    lines = ["  ".join(pad(cell, size) for cell, size in zip(row, widths, strict=True)).rstrip() for row in rows]
    hidden = len(summary) - _MOST_ROWS
    return lines if hidden <= 0 else [*lines, f"and {count(hidden, 'more row')}"]


def _row(row: Summary) -> tuple[str, ...]:
    runs = str(row.n_runs) + (f", {row.n_failed} failed" if row.n_failed else "")
    done = row.n_failed < row.n_runs
    return (
        row.game,
        f"{row.temperature:g}",
        row.method,
        f"{row.gap:.2e}" if math.isfinite(row.gap) else "failed",
        f"{row.payoff_calls:,.0f}" if done else "",
        seconds(row.seconds) if done else "",
        runs,
    )
