"""``gtpref run``: one update rule on one game, its way to the answer, and a certificate for where it ended."""

from __future__ import annotations

import shlex
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._types import FloatArray
from ..certificate import Certificate
from ..data import Loaded
from ..errors import UnsupportedCombination
from ..games import MatrixGame, OperatorGame, PreferenceGame, in_win_probabilities, is_symmetric
from ..gap import payoff_vectors
from ..iterating import Run
from ..problem import Policy, action_counts
from ..solution import Solution
from ..status import Status
from ..trace import Record
from ..verbs import Exact, Sampled
from . import exit_codes
from .answering import read_policy, require_solvable, solution_to_dict
from .following import Plan, follow, oracle_in_words, saved_run
from .game_summary import describe, heading, remarks
from .output import note, show, show_json
from .parser import UsageError
from .policy_table import Column, table
from .progress import Progress
from .reading import load
from .reproduce import python_of
from .rule_arguments import plain_settings, rule_from, settings_in_words
from .saving import require_folder, write
from .text import count, fields, seconds
from .theorem_words import applied, main_claim, remark_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCHEMA = "gtpref.run/1"
# Three responses have a picture of the whole way, and the path in it should look like the path taken.
_DENSE = Record(per_decade=500)
_ENDINGS = {
    Status.STEP_LIMIT: "the step limit came first (--steps)",
    Status.TIME_LIMIT: "the time limit came first (--time-limit)",
    Status.INTERRUPTED: "interrupted",
    Status.NONFINITE: "an iterate left the finite numbers; try a smaller --step-size or a higher --temperature",
}


class RunReport(NamedTuple):
    """Everything that one ``gtpref run`` found out."""

    loaded: Loaded
    plan: Plan
    solution: Solution
    certificate: Certificate
    verified: bool
    command: str
    python: list[str]

    @property
    def run(self) -> Run:
        """The run behind the solution."""
        assert self.solution.run is not None
        return self.solution.run

    def to_dict(self) -> dict[str, Any]:
        """Return plain data under the schema of the command."""
        info = self.run.rule.info
        return {
            "schema": SCHEMA,
            "data": describe(self.loaded),
            "method": info.name,
            "title": info.title,
            "answer": info.answer,
            "settings": plain_settings(self.run.rule),
            "oracle": oracle_to_dict(self.plan.oracle),
            "rng": self.plan.seed,
            "tol": self.plan.tol,
            "steps": self.plan.steps,
            "theorems": [
                {
                    "name": claim.guarantee.name,
                    "statement": claim.guarantee.statement,
                    "source": claim.guarantee.source,
                    "says": claim.words,
                    "silent_because": claim.excuse,
                }
                for claim in applied(self.run)
            ],
            "solution": {**solution_to_dict(self.solution), "certificate": self.certificate.to_dict()},
            "command": self.command,
            "python": "\n".join(self.python),
        }


def oracle_to_dict(oracle: Exact | Sampled) -> dict[str, Any]:
    """Return what the rule sees, as plain data."""
    if isinstance(oracle, Exact):
        return {"kind": "exact"}
    return {"kind": "sampled", "opponents": oracle.opponents, "labels": oracle.labels}


def run(args: Namespace) -> int:
    """Read, run, print, and write the files asked for."""
    require_folder(args.output)
    require_folder(args.state)
    loaded = load(args)
    require_solvable(loaded.game, loaded.file, "run")
    rule = rule_from(args.method, args.step_size, args.set)
    plan = plan_of(args, loaded, rule, args.steps)
    given = {text.partition("=")[0] for text in args.set} | ({"step_size"} if args.step_size else set())
    earlier = saved_run(args.state, plan, given=given) if args.state else None
    if earlier is not None:
        note(args, _standing(earlier, plan, args.state))
        # The samples go on where they were, whatever seed that began with.
        plan = plan._replace(seed=args.rng)
    with Progress(args) as line:
        solution = follow(plan, line, earlier=earlier, state_file=args.state)
    certificate = solution.certificate()
    command, python = shlex.join(["gtpref", *args.argv]), python_of(args, plan, rule)
    report = RunReport(loaded, plan, solution, certificate, certificate.verify(), command, python)
    if args.json:
        show_json(report.to_dict())
    elif not args.quiet:
        show("\n".join(lines(report, every=args.all)))
    if args.output:
        save(report, args.output)
        note(args, f"wrote {args.output}")
    return _exit_code(args, report)


def _standing(earlier: Solution, plan: Plan, file: str) -> str:
    """Return from where a saved run goes on, or why it does not."""
    at = f"already at step {earlier.n_steps:,} in {file}"
    if earlier.gap <= plan.tol:
        return f"{at}, and within the tolerance; nothing is run"
    if earlier.n_steps >= plan.steps:
        return f"{at}, and --steps {plan.steps:,} counts these; nothing is run"
    return f"going on from step {earlier.n_steps:,} in {file}"


def plan_of(args: Namespace, loaded: Loaded, rule: Any, steps: int) -> Plan:
    """Return what the arguments that all methods share ask for, with a limit on the steps."""
    game = loaded.game
    if args.probabilities and args.sampled is None:
        raise UsageError("--probabilities says what a judge of sampled opponents tells; add --sampled M")
    if args.sampled is not None and not isinstance(game, PreferenceGame):
        raise UnsupportedCombination("--sampled is for preference games; leave it out for a game of two players")
    oracle = Exact() if args.sampled is None else Sampled(args.sampled, labels=not args.probabilities)
    seed = args.rng
    if seed is None and isinstance(oracle, Sampled):
        seed = int(np.random.SeedSequence().generate_state(1)[0])
    return Plan(
        game=game,
        rule=rule,
        temperature=args.temperature,
        reference=None if args.reference == "uniform" else read_policy("--reference", args.reference, game),
        start=None if args.start is None else read_policy("--start", args.start, game),
        oracle=oracle,
        seed=seed,
        tol=args.tol,
        steps=steps,
        time_limit=args.time_limit,
        record=_DENSE if action_counts(game) == (3,) and isinstance(oracle, Exact) else Record(),
    )


def _exit_code(args: Namespace, report: RunReport) -> int:
    if report.solution.status is Status.INTERRUPTED:
        kept = "with --state FILE it could go on from there"
        if args.state:
            kept = f"state saved; to go on: {report.command}"
        note(args, f"interrupted at step {report.solution.n_steps:,}; {kept}")
        return exit_codes.INTERRUPTED
    if not report.verified:
        return exit_codes.FALSE
    return exit_codes.DONE if report.solution.converged else exit_codes.INCONCLUSIVE


def lines(report: RunReport, *, every: bool) -> list[str]:
    """Return the run for a person."""
    remark = remark_of(report.run)
    return [
        heading(report.loaded),
        *remarks(report.loaded),
        method_line(report.run, report.plan),
        *([f"note: {remark}"] if remark else []),
        "",
        *_trace_table(report.run),
        "",
        *_policies(report, every=every),
        "",
        *fields(_closing(report)),
    ]


def method_line(run: Run, plan: Plan) -> str:
    """Return what ran, with its settings."""
    heat = f"temperature {run.facts.temperature:g}"
    settings = settings_in_words(run.rule, plan.rule, run.facts.step_facts)
    parts = [run.rule.info.title, heat, *settings, oracle_in_words(plan.oracle)]
    if isinstance(plan.oracle, Sampled):
        parts.append("samples gone on with" if plan.seed is None else f"rng {plan.seed}")
    return ", ".join(parts)


def _trace_table(run: Run) -> list[str]:
    """Return about two rows for every factor of ten of the step count."""
    decades = np.arange(0, 2 * len(str(run.steps[-1])) + 1) / 2.0
    wanted = np.concatenate([[0], np.round(10.0**decades)])
    rows = np.searchsorted(run.steps, wanted[wanted < run.steps[-1]])
    rows = np.unique(np.append(rows, len(run.steps) - 1))
    gaps = run.gap_average if run.rule.info.answer == "average" else run.gap_last
    cells = [("step", "payoff products", "duality gap")]
    cells += [(f"{run.steps[i]:,}", f"{run.payoff_calls[i]:,}", f"{gaps[i]:.3g}") for i in rows]
    return aligned(cells, "rrl")


def aligned(rows: Sequence[tuple[str, ...]], sides: str) -> list[str]:
    """Return rows of cells as lines, each column to the right ("r") or left ("l")."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(cells) if side == "r" else cell.ljust(cells)
            for cell, cells, side in zip(row, widths, sides, strict=True)
        ).rstrip()
        for row in rows
    ]


def _title(run: Run) -> str:
    return "Average of the policies played" if run.rule.info.answer == "average" else "Last policy"


def _policies(report: RunReport, *, every: bool) -> list[str]:
    game, policy = report.loaded.game, report.solution.policy
    title = _title(report.run)
    if isinstance(game, PreferenceGame) or (isinstance(game, OperatorGame) and game.is_symmetric):
        mine = np.asarray(policy)
        return table(game.names, [Column(title, mine)], game.payoff @ mine, every=every)
    assert isinstance(game, (MatrixGame, OperatorGame))
    row, column = policy
    row_payoff, column_payoff = payoff_vectors(game, policy)
    return [
        *table(game.row_names, [Column(f"{title}, row player", row)], row_payoff, every=every),
        "",
        *table(game.column_names, [Column(f"{title}, column player", column)], column_payoff, every=every),
    ]


def _closing(report: RunReport) -> list[tuple[str, str]]:
    solution = report.solution
    unit = "win probability" if in_win_probabilities(report.loaded.game) else "payoff"
    checked = "recomputed from the game" if report.verified else "CHECK FAILED"
    cost = f"{count(solution.n_steps, 'step')}, {count(solution.payoff_calls, 'payoff product')}"
    return [
        ("Answer", ending(solution)),
        ("Theorem", main_claim(report.run)),
        ("Certificate", f"duality gap {solution.gap:.2g} in {unit}, {checked}"),
        ("Ran", f"{cost} in {seconds(solution.seconds)} by {solution.method}"),
    ]


def ending(solution: Solution) -> str:
    """Return how a run ended, and what can be done about it."""
    if solution.converged:
        return "duality gap within the tolerance"
    return f"NOT CONVERGED: {_ENDINGS.get(solution.status, solution.status.message)}"


def save(report: RunReport, path: str) -> None:
    """Write the run as JSON, a CSV trajectory, an HTML page or a picture."""
    write(
        path,
        data=report.to_dict,
        table=lambda: _trajectory(report),
        page=lambda: _page(report),
        picture=lambda: _picture(report),
    )


def _page(report: RunReport) -> str:
    from .run_page import run_page

    return run_page(report, method_line(report.run, report.plan), _closing(report))


def _picture(report: RunReport) -> Axes:
    from ..plot import convergence

    return convergence(report.solution)


def _trajectory(report: RunReport) -> list[list[Any]]:
    """Return one row for every record point: cost, gaps, and the probabilities of the answer there."""
    run, names = report.run, report.solution.names
    if not is_symmetric(report.loaded.game):
        names = [f"{player}: {name}" for player, part in zip(("row", "column"), names, strict=True) for name in part]
    columns = [run.steps, run.payoff_calls, run.seconds, run.gap_last, run.gap_average]
    head: list[Any] = ["step", "payoff_calls", "seconds", "gap_last", "gap_average"]
    answers = run.answers()
    if len(answers) < len(run.steps):
        # The policies of very large games are not kept.
        return [head, *([column[i].item() for column in columns] for i in range(len(run.steps)))]
    head += names
    rows = [
        [*(column[i].item() for column in columns), *_flat(run.tabular.policy(answers[i])).tolist()]
        for i in range(len(run.steps))
    ]
    return [head, *rows]


def _flat(policy: Policy) -> FloatArray:
    return np.concatenate(policy) if isinstance(policy, tuple) else policy
