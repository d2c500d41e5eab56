"""``gtpref verify``: every theorem put to the test, with a report."""

from __future__ import annotations

import difflib
import pathlib
import time
from argparse import Namespace
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..methods import METHODS
from ..negative_controls import controls
from ..verification import Verification, VerificationRow, verify
from . import exit_codes
from .output import json_text, note, show, show_json
from .parser import UsageError
from .progress import Progress, time_left
from .rule_arguments import CLOSE
from .saving import require_folder
from .text import count, seconds

_DETAILED = 12


class Agenda(NamedTuple):
    """What to verify.

    Attributes
    ----------
    methods : list of str, or None
        Methods whose theorems are tried; None for all.
    controls : bool
        Whether the negative controls are run.
    names : set of str, or None
        Theorems and controls to show; None for all that are tried.
    n_rows : int
        How many theorems will be tried.
    """

    methods: list[str] | None
    controls: bool
    names: set[str] | None
    n_rows: int

    @property
    def n_shown(self) -> int:
        """How many of them will be shown."""
        return self.n_rows if self.names is None else len(self.names)

    def shows(self, row: VerificationRow) -> bool:
        """Return whether a row was asked for."""
        return self.names is None or row.guarantee.name in self.names


def run(args: Namespace) -> int:
    """Verify, print, and write the report asked for."""
    require_folder(args.output)
    agenda = agenda_of(args.names)
    began = time.monotonic()
    rows: list[VerificationRow] = []
    interrupted = False
    with Progress(args) as line:

        def watch(row: VerificationRow) -> None:
            rows.append(row)
            left = time_left(time.monotonic() - began, len(rows) / agenda.n_rows)
            line.show(f"{len(rows)} of {agenda.n_rows} theorems, about {left} left; {row.method}: {row.verdict}")

        line.show(f"0 of {agenda.n_rows} theorems")
        try:
            verify(agenda.methods, controls=agenda.controls, callback=watch)
        except KeyboardInterrupt:
            interrupted = True
    shown = tuple(row for row in rows if agenda.shows(row))
    found = Verification(shown, time.monotonic() - began, agenda.n_shown if interrupted else None)
    if args.json:
        show_json(found.to_dict())
    elif not args.quiet:
        show("\n".join(lines(found)))
    if args.output:
        _save(found, args.output)
        note(args, f"wrote {args.output}")
    if interrupted:
        note(args, f"interrupted after {len(rows)} of {agenda.n_rows} theorems")
        return exit_codes.INTERRUPTED
    return exit_code(found)


def agenda_of(names: Sequence[str]) -> Agenda:
    """Return what the arguments ask for: methods by any of their names, theorems, and negative controls.

    Raises
    ------
    UsageError
        A name that is none of them.
    """
    owners = {g.name: cls.info.name for cls in METHODS.primary() for g in cls.info.guarantees}
    claims = {control.claim.name for control in controls()}
    if not names:
        return Agenda(None, True, None, len(owners) + len(claims))
    methods: dict[str, None] = {}
    wanted: set[str] = set()
    for name in names:
        if name in METHODS:
            info = METHODS[name].info
            methods[info.name] = None
            wanted |= {guarantee.name for guarantee in info.guarantees}
        elif name in owners:
            methods[owners[name]] = None
            wanted.add(name)
        elif name in claims:
            wanted.add(name)
        else:
            raise UsageError(_unknown(name, [*METHODS, *owners, *claims]))
    tried = sum(len(METHODS[name].info.guarantees) for name in methods)
    controlled = bool(wanted & claims)
    return Agenda(list(methods), controlled, wanted, tried + controlled * len(claims))


def _unknown(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=CLOSE)
    hint = f"did you mean {' or '.join(close)}?" if close else "gtpref methods NAME lists the theorems of a method"
    return f"no method, theorem or negative control is called {name!r}; {hint}"


def exit_code(found: Verification) -> int:
    """Return 0 if all is as expected, 3 if the only trouble is that something could not be judged, else 1."""
    if found.ok:
        return exit_codes.DONE
    undecided = all(row.verdict == "inconclusive" for row in found.failures)
    return exit_codes.INCONCLUSIVE if undecided else exit_codes.FALSE


def lines(found: Verification) -> list[str]:
    """Return the table, and each theorem in full where they are few."""
    result = found.to_text().splitlines()
    if len(found.rows) <= _DETAILED:
        for row in found.rows:
            result += ["", *_details(row)]
    return [*result, "", f"Tried {count(len(found.rows), 'claim')} in {seconds(found.seconds)}"]


def _details(row: VerificationRow) -> list[str]:
    return [
        f"{row.guarantee.name} ({row.kind}, {row.method}): {judgement(row)}",
        f"  claim   {row.guarantee.statement}",
        f"  source  {row.guarantee.source}",
        f"  found   {row.reason}",
    ]


def judgement(row: VerificationRow) -> str:
    """Return the verdict, and whether it is what it should be.

    A verdict of violated is right for a claim that is known to be wrong.
    """
    judged = f"{row.verdict}, {row.n_judged} of {row.n_judged + row.n_inconclusive} trials decide"
    return judged if row.ok else f"{judged}; {row.expected} EXPECTED"


def _save(found: Verification, path: str) -> None:
    target = pathlib.Path(path)
    if target.suffix.lower() == ".json":
        target.write_text(json_text(found.to_dict(), ascii_only=False) + "\n", encoding="utf-8")
    else:
        from .verify_page import verify_page

        target.write_text(verify_page(found), encoding="utf-8")


def table_rows(found: Verification) -> list[tuple[str, ...]]:
    """Return the table as text, its head first."""
    rows: list[tuple[Any, ...]] = [("method", "claim", "verdict", "tightness", "trials that decide", "reason")]
    for row in found.rows:
        tightness = "" if row.tightness is None else f"{row.tightness:.4g}"
        trials = f"{row.n_judged} of {row.n_judged + row.n_inconclusive}"
        rows.append((row.method, row.guarantee.name, row.verdict, tightness, trials, row.reason))
    return rows
