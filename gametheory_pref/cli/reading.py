"""From the FILE argument and the reading options to a game."""

from __future__ import annotations

import difflib
import pathlib
import sys
from argparse import Namespace
from collections.abc import Iterable
from dataclasses import replace

from ..data import Loaded, Options
from ..data import load as load_source
from ..datasets import dataset_names, dataset_path
from .parser import UsageError


def load(args: Namespace) -> Loaded:
    """Return the game that ``args.file`` names.

    Raises
    ------
    InputError
        No such file, or it breaks a rule of its format.
    UsageError
        A name after ``zoo:`` or ``dataset:`` that is not there.
    """
    name: str = args.file
    if name.startswith("zoo:"):
        return _load_zoo(name.removeprefix("zoo:"))
    options = Options(
        kind=args.kind,
        ties=args.ties,
        unranked=args.unranked,
        missing=args.missing,
        judge=args.judge,
        symmetrize=args.symmetrize,
        skip_bad=args.skip_bad,
    )
    if not name.startswith("dataset:"):
        source = sys.stdin.buffer if name == "-" else name
        return load_source(source, options, format=args.format, encoding=args.encoding)
    bundled = _bundled(name.removeprefix("dataset:"))
    return replace(load_source(bundled, options, format=args.format, encoding=args.encoding), file=name)


def named_source(name: str) -> Loaded | pathlib.Path:
    """Return the game called ``zoo:NAME``, or where the file of a name or of ``dataset:NAME`` lies."""
    if name.startswith("zoo:"):
        return _load_zoo(name.removeprefix("zoo:"))
    return _bundled(name.removeprefix("dataset:")) if name.startswith("dataset:") else pathlib.Path(name)


def _bundled(name: str) -> pathlib.Path:
    if name not in dataset_names():
        raise UsageError(f"no bundled data set is called {name!r}; {_nearest(name, dataset_names())}")
    return dataset_path(name)


def _load_zoo(name: str) -> Loaded:
    from ..games.zoo import ZOO

    if name not in ZOO:
        raise UsageError(f"the zoo has no game {name!r}; {_nearest(name, ZOO)}")
    entry = ZOO[name]
    return Loaded(entry.game, "named game", file=f"zoo:{name}")


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    return f"did you mean {' or '.join(close)}?" if close else f"it holds {', '.join(names)}"
