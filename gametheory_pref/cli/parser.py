"""What can be typed. Only argparse is imported, so that ``gtpref --help`` answers at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from .. import __version__

KINDS = ("auto", "prob", "counts", "rate", "margin", "scores", "points", "payoff", "scores-by-task")
TIES = ("half", "drop", "half-missing")
UNRANKED = ("ignore", "bottom")
MISSING = ("half", "error")
FORMATS = ("table", "json", "jsonl", "npz", "npy", "parquet", "preflib", "nfg")
PICTURES = (".png", ".svg", ".pdf")
OUTPUTS = (*PICTURES, ".html", ".json", ".csv")

_FILE = "file, - for standard input, zoo:NAME for a named game, dataset:NAME for bundled data"
_EPILOG = """\
exit codes: 0 done; 1 the thing checked is false; 2 usage or input error; 3 ran but not conclusive;
130 interrupted. Results go to standard output, everything else to standard error."""


class UsageError(Exception):
    """The command line itself is wrong."""


class _Parser(argparse.ArgumentParser):
    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        # argparse leaves what a command does not know to the parser above it, whose help does not list the options.
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            advice = "; separate the names after --methods by commas" if _loose_names(args, unknown) else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{advice}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def _loose_names(args: Sequence[str] | None, unknown: Sequence[str]) -> bool:
    """Return whether the arguments that nobody knows look like names for ``--methods``."""
    return args is not None and "--methods" in args and not any(text.startswith("-") for text in unknown)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = _Parser(
        prog="gtpref",
        description="Preference games: from real comparisons to a certified winner.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"gtpref {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    _add_solve(commands)
    _add_run(commands)
    _add_compare(commands)
    _add_methods(commands)
    _add_verify(commands)
    _add_sweep(commands)
    _add_report(commands)
    _add_data(commands)
    _add_demo(commands)
    _add_info(commands)
    return parser


def _add_solve(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = _command(
        commands,
        "solve",
        "solve_command",
        "who wins, with a certificate",
        usage="gtpref solve FILE [options]",
    )
    command.add_argument("file", metavar="FILE", help=_FILE)
    solving = command.add_argument_group("the question")
    solving.add_argument(
        "--temperature",
        type=_non_negative,
        default=0.0,
        metavar="B",
        help="weight of KL(policy || reference) against the payoff, win probability (papers: beta or tau)",
    )
    solving.add_argument(
        "--reference",
        default="uniform",
        metavar="FILE|uniform",
        help="reference policy: CSV lines 'name,probability', or JSON {name: probability}",
    )
    solving.add_argument(
        "--method", default="auto", metavar="NAME", help="solver (default: auto, exact mathematics)"
    )
    solving.add_argument(
        "--tol", type=_positive, metavar="GAP", help="largest duality gap that counts as an answer"
    )
    solving.add_argument(
        "--time-limit", type=_positive, metavar="S", help="seconds after which the best answer so far is taken"
    )
    solving.add_argument(
        "--exact", action="store_true", help="prove the winner in rational arithmetic and print the fractions"
    )
    _add_reading(command)
    result = command.add_argument_group("the result")
    _add_output(result)
    result.add_argument("--all", action="store_true", help="show every response, however many there are")


def _add_sweep(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = _command(
        commands,
        "sweep",
        "sweep_command",
        "methods x games x temperatures x seeds into a database, resumable",
        usage="gtpref sweep CONFIG.toml --db FILE [options]",
    )
    command.add_argument("config", metavar="CONFIG.toml", help="what to run; see docs/sweeps.md")
    command.add_argument("--db", required=True, metavar="FILE", help="SQLite file; what it holds is not run again")
    command.add_argument(
        "--jobs", type=_jobs, default=-1, metavar="N", help="cells at a time (default: one per core)"
    )
    command.add_argument("--dry-run", action="store_true", help="say what would be run, and stop")
    command.add_argument("--retry-failed", action="store_true", help="run again the failures in the database")


def _add_report(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = _command(
        commands,
        "report",
        "report_command",
        "a database of sweeps as one HTML page that loads nothing from elsewhere",
        usage="gtpref report DB -o FILE.html [options]",
    )
    command.add_argument("database", metavar="DB", help="SQLite file that gtpref sweep wrote")
    command.add_argument("-o", "--output", required=True, metavar="FILE.html", help="page to write")


def _add_run(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = _command(
        commands,
        "run",
        "run_command",
        "one update rule on a game: its way, where it ended, a certificate",
        usage="gtpref run FILE --method NAME [options]",
    )
    command.add_argument("file", metavar="FILE", help=_FILE)
    rule = command.add_argument_group("the rule")
    rule.add_argument("--method", required=True, metavar="NAME", help="update rule; gtpref methods lists them")
    rule.add_argument(
        "--step-size",
        metavar="X|NAME",
        help="a number, a schedule such as 0.5/(t+1)^0.5, or a step-size rule of the method",
    )
    rule.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="another setting; may be repeated"
    )
    _add_question(command.add_argument_group("the question"))
    limits = _add_limits(command)
    limits.add_argument(
        "--steps", type=_whole, default=100_000, metavar="N", help="largest number of steps (default: 100000)"
    )
    command.add_argument(
        "--state",
        metavar="STATE.npz",
        help="keep the state here, every ten seconds and at the end; if the file is there, go on from it",
    )
    _add_reading(command)
    result = command.add_argument_group("the result")
    _add_output(result)
    result.add_argument("--all", action="store_true", help="show every response, however many there are")


def _add_compare(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = _command(
        commands,
        "compare",
        "compare_command",
        "several update rules on a game: the gap against what it cost",
        usage="gtpref compare FILE [--methods NAME,NAME] [options]",
    )
    command.add_argument("file", metavar="FILE", help=_FILE)
    command.add_argument(
        "--methods", metavar="NAME,NAME", help="update rules (default: all that solve this kind of problem)"
    )
    _add_question(command.add_argument_group("the question"))
    limits = _add_limits(command)
    limits.add_argument(
        "--products",
        type=_whole,
        default=100_000,
        metavar="N",
        help="largest number of payoff products, the same for all; a step costs one or more (default: 100000)",
    )
    limits.add_argument("--steps", type=_whole, metavar="N", help="largest number of steps (default: no other limit)")
    _add_reading(command)
    _add_output(command.add_argument_group("the result"))


def _add_methods(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = _command(
        commands,
        "methods",
        "methods_command",
        "the update rules, and what is known about each",
        usage="gtpref methods [NAME] [options]",
    )
    command.add_argument("name", nargs="?", metavar="NAME", help="update rule to describe (default: list all)")


def _add_verify(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = _command(
        commands,
        "verify",
        "verify_command",
        "theorems put to the test: exit 0 if all is as expected, 1 if not, 3 if undecided",
        usage="gtpref verify [METHOD|THEOREM ...] [options]",
    )
    command.add_argument(
        "names",
        nargs="*",
        metavar="METHOD|THEOREM",
        help="methods, single theorems or negative controls (default: every one of them, some minutes)",
    )
    command.add_argument(
        "-o", "--output", type=_page_path, metavar="OUT", help="write a report with pictures (.html) or .json"
    )


def _add_question(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--temperature",
        type=_non_negative,
        default=0.0,
        metavar="B",
        help="weight of KL(policy || reference) against the payoff, win probability (papers: beta or tau)",
    )
    group.add_argument(
        "--reference",
        default="uniform",
        metavar="FILE|uniform",
        help="reference policy: CSV lines 'name,probability', or JSON {name: probability}",
    )
    group.add_argument("--start", metavar="FILE", help="first policy, in the same formats (default: the reference)")
    group.add_argument(
        "--sampled",
        type=_whole,
        metavar="M",
        help="show the rule M opponents drawn from the policy, and who wins against each, instead of exact payoffs",
    )
    group.add_argument(
        "--probabilities", action="store_true", help="with --sampled: tell win probabilities, not win or lose"
    )
    group.add_argument("--rng", type=_seed, metavar="SEED", help="seed of the samples (default: drawn, and printed)")


def _add_limits(command: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the limits that commands share; return the group for their own."""
    limits = command.add_argument_group("when to stop")
    limits.add_argument(
        "--tol", type=_non_negative, default=1e-6, metavar="GAP", help="duality gap to stop at (default: 1e-6)"
    )
    limits.add_argument("--time-limit", type=_positive, metavar="S", help="seconds to stop after")
    return limits


def _add_data(commands: argparse._SubParsersAction[_Parser]) -> None:
    data = commands.add_parser(
        "data", help="look at, check and convert files", description="Look at, check, convert."
    )
    actions = data.add_subparsers(metavar="ACTION", required=True, parser_class=_Parser)
    for name, help_text in (
        ("info", "what a file holds"),
        ("check", "whether a file is a game: exit 0, or 1 and why"),
    ):
        action = _command(
            actions, name, "data_command", help_text, usage=f"gtpref data {name} FILE [options]"
        )
        action.set_defaults(action=name)
        action.add_argument("file", metavar="FILE", help=_FILE)
        _add_reading(action)
    convert = _command(
        actions,
        "convert",
        "data_command",
        "write a game in another format",
        usage="gtpref data convert FILE OUT [options]",
    )
    convert.set_defaults(action="convert")
    convert.add_argument("file", metavar="FILE", help=_FILE)
    convert.add_argument("output", metavar="OUT", help="file to write; its suffix is the format")
    _add_reading(convert)


def _add_demo(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = _command(
        commands, "demo", "demo_command", "the main job on bundled real data", usage="gtpref demo [options]"
    )
    _add_output(command)


def _add_info(commands: argparse._SubParsersAction[_Parser]) -> None:
    _command(
        commands,
        "info",
        "info_command",
        "versions, threads and folders, for bug reports",
        usage="gtpref info [--json]",
    )


def _command(
    commands: argparse._SubParsersAction[_Parser], name: str, module: str, help_text: str, *, usage: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        usage=usage,
        help=help_text,
        description=f"{help_text[0].upper()}{help_text[1:]}.",
        allow_abbrev=False,
    )
    command.set_defaults(module=module)
    command.add_argument("--json", action="store_true", help="print JSON with a schema field")
    command.add_argument(
        "--quiet", action="store_true", help="print errors only, and JSON where --json asks for it"
    )
    command.add_argument(
        "--debug", action="store_true", help="show the traceback of an error (also GTPREF_DEBUG=1)"
    )
    return command


def _add_reading(command: argparse.ArgumentParser) -> None:
    reading = command.add_argument_group("how to read the file")
    reading.add_argument(
        "--kind", choices=KINDS, default="auto", help="what the numbers are (default: found out)"
    )
    reading.add_argument(
        "--ties", choices=TIES, default="half", help="what a tie is worth (default: half a win)"
    )
    reading.add_argument(
        "--unranked",
        choices=UNRANKED,
        default="ignore",
        help="alternatives that a voter left out: not compared, or below every ranked one",
    )
    reading.add_argument(
        "--missing", choices=MISSING, default="half", help="pairs never compared: play them as 1/2, or refuse"
    )
    reading.add_argument("--judge", metavar="NAME", help="count the judgements of one judge only")
    reading.add_argument("--symmetrize", action="store_true", help="replace P by (P + 1 - P.T) / 2")
    reading.add_argument(
        "--format", choices=FORMATS, help="format of the file (default: by its name and first bytes)"
    )
    reading.add_argument(
        "--encoding", default="utf-8", metavar="NAME", help="encoding of text (default: utf-8)"
    )
    reading.add_argument("--skip-bad", action="store_true", help="leave out rows that cannot be understood")


def _add_output(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "-o",
        "--output",
        type=_output_path,
        metavar="OUT",
        help=f"write a picture, report or table; the suffix decides: {', '.join(OUTPUTS)}",
    )


def _output_path(text: str) -> str:
    if not text.lower().endswith(OUTPUTS):
        raise argparse.ArgumentTypeError(f"{text!r} must end in one of {', '.join(OUTPUTS)}")
    return text


def _jobs(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1 and number != -1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, or -1 for every core; got {text}")
    return number


def _whole(text: str) -> int:
    return _integer(text, least=1)


def _seed(text: str) -> int:
    return _integer(text, least=0)


def _integer(text: str, *, least: int) -> int:
    try:
        number = int(text.replace("_", ""))
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number; got {text!r}") from None
    if number < least:
        raise argparse.ArgumentTypeError(f"must be at least {least}; got {text}")
    return number


def _page_path(text: str) -> str:
    if not text.lower().endswith((".html", ".json")):
        raise argparse.ArgumentTypeError(f"{text!r} must end in .html or .json")
    return text


def _non_negative(text: str) -> float:
    number = _finite(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0; got {text}")
    return number


def _positive(text: str) -> float:
    number = _finite(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"must be above 0; got {text}")
    return number


def _finite(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number; got {text!r}") from None
    if number - number != 0:
        raise argparse.ArgumentTypeError(f"must be finite; got {text}")
    return number
