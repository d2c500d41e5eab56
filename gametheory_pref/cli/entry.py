"""From the arguments to an exit code; nothing heavy is imported before a command needs it."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from argparse import Namespace
from collections.abc import Sequence

from ..errors import GameTheoryPrefError
from . import exit_codes
from .output import as_typed, note, printable
from .parser import UsageError, build_parser

# Errors that other arguments or another file would avoid.
_OF_THE_USER = (GameTheoryPrefError, UsageError, OSError)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after the program's name; those of the process when left out.

    Returns
    -------
    int
        0 done; 1 the thing checked is false; 2 usage or input error; 3 ran but not conclusive;
        130 interrupted.
    """
    debug = bool(os.environ.get("GTPREF_DEBUG"))
    try:
        args = build_parser().parse_args(argv)
        args.argv = list(sys.argv[1:] if argv is None else argv)
        debug = debug or args.debug
        code = _run(args)
        # A closed pipe shows only when the buffer is written: here, not in the interpreter's last breath.
        sys.stdout.flush()
        return code
    except SystemExit as stop:  # argparse ends this way after --help and --version
        return stop.code if isinstance(stop.code, int) else exit_codes.DONE
    except BrokenPipeError:
        _drop_stdout()
        return exit_codes.DONE
    except KeyboardInterrupt:
        print("gtpref: interrupted", file=sys.stderr)
        return exit_codes.INTERRUPTED
    except Exception as error:
        if debug:
            raise
        print(f"gtpref: error: {printable(_sentence(error), sys.stderr)}", file=sys.stderr)
        return exit_codes.USAGE if isinstance(error, _OF_THE_USER) else exit_codes.INCONCLUSIVE


def _run(args: Namespace) -> int:
    """Import the module of the command and run it, its warnings as notes on the error stream."""
    module = importlib.import_module(f".{args.module}", __package__)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        code: int = module.run(args)
    for text in dict.fromkeys(str(warning.message) for warning in caught if _is_for_users(warning)):
        note(args, text)
    return code


def _is_for_users(warning: warnings.WarningMessage) -> bool:
    # The library warns with subclasses of UserWarning; deprecations are for maintainers.
    return issubclass(warning.category, UserWarning)


def _sentence(error: Exception) -> str:
    if isinstance(error, GameTheoryPrefError | UsageError):
        return as_typed(str(error))
    if isinstance(error, OSError):
        return str(error) if error.filename is None else f"{error.filename}: {error.strerror}"
    if isinstance(error, MemoryError):
        return f"out of memory ({error})"
    what = f"{type(error).__name__}: {error}"
    return f"{what}; this is a fault of gtpref: please report it with what --debug and gtpref info print"


def _drop_stdout() -> None:
    """Point the closed standard output at nothing, so that the flush at exit stays silent."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
