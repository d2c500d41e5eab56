"""``gtpref data``: what a file holds, whether it is a game, and the same game in another format."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import Any

from ..data import Loaded, data_report, write
from ..errors import InputError, MissingDependency
from ..games import is_symmetric
from ..majority import has_majorities
from . import exit_codes
from .game_summary import describe, heading, majority_fields, majority_of
from .output import as_typed, note, show, show_json
from .reading import load
from .text import fields, listing


def run(args: Namespace) -> int:
    """Run one of the three actions."""
    return {"info": _info, "check": _check, "convert": _convert}[args.action](args)


def _info(args: Namespace) -> int:
    loaded = load(args)
    if args.json:
        show_json({"schema": "gtpref.data.info/1", **_facts(loaded)})
    elif not args.quiet:
        show("\n".join(_lines(loaded)))
    return exit_codes.DONE


def _facts(loaded: Loaded) -> dict[str, Any]:
    game = loaded.game
    found = majority_of(game).to_dict() if has_majorities(game) else None
    return {"data": describe(loaded), "majority": found}


def _lines(loaded: Loaded) -> list[str]:
    game = loaded.game
    names: Any = [game.names] if is_symmetric(game) else game.names
    titles = ["Responses"] if len(names) == 1 else [f"Player {i + 1}" for i in range(len(names))]
    pairs = [(title, listing(labels, 12)) for title, labels in zip(titles, names, strict=True)]
    if has_majorities(game):
        pairs += majority_fields(game, every=False)
    return [*data_report(loaded).sentences, *fields(pairs)]


def _check(args: Namespace) -> int:
    """Say whether the file keeps the rules; a file that cannot be opened has not been checked."""
    _require_file(args.file)
    try:
        loaded = load(args)
    except MissingDependency:
        raise
    except InputError as error:
        if args.json:
            show_json(_verdict(file=error.file, reason=as_typed(error.reason), line=error.line))
        elif not args.quiet:
            show(f"not a game: {as_typed(str(error))}")
        return exit_codes.FALSE
    if args.json:
        show_json(_verdict(file=loaded.file, data=describe(loaded)))
    elif not args.quiet:
        show(f"ok: {heading(loaded)}")
    return exit_codes.DONE


def _verdict(
    *, file: str | None, reason: str | None = None, line: int | None = None, data: Any = None
) -> dict[str, Any]:
    facts = {"ok": reason is None, "file": file, "line": line, "reason": reason, "data": data}
    return {"schema": "gtpref.data.check/1", **facts}


def _require_file(name: str) -> None:
    if name == "-" or name.startswith(("zoo:", "dataset:")):
        return
    with open(name, "rb"):
        os.stat(name)


def _convert(args: Namespace) -> int:
    loaded = load(args)
    write(loaded.game, args.output)
    if args.json:
        show_json({"schema": "gtpref.data.convert/1", "output": args.output, "data": describe(loaded)})
    note(args, f"wrote {args.output}")
    return exit_codes.DONE
