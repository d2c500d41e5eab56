"""``gtpref compare``: several update rules on one game, the gap against what it cost."""

from __future__ import annotations

import math
import shlex
from argparse import Namespace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..data import Loaded
from ..errors import InputError, UnsupportedCombination
from ..iterating import Run
from ..methods import METHODS, Rule
from ..solution import Solution
from ..status import Status
from ..trace import Record
from ..verbs import Sampled
from . import exit_codes
from .answering import require_solvable
from .following import Plan, follow, oracle_in_words
from .game_summary import describe, heading, remarks
from .output import note, show, show_json
from .parser import UsageError
from .progress import Progress
from .reading import load
from .reproduce import python_of_comparison
from .rule_arguments import plain_settings, rule_class, settings_in_words
from .run_command import aligned, oracle_to_dict, plan_of
from .saving import require_folder, write
from .text import count, fields
from .theorem_words import main_claim, remark_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCHEMA = "gtpref.compare/1"
_MOST_BUDGETS = 5
CAPTION = (
    "duality gap after so many payoff products, and how many it took to get to the tolerance",
    "sorted by the latter; those that did not get there, by the gap at the end",
)


class Entry(NamedTuple):
    """A method and how it did within a number of payoff products, or why it was not run."""

    name: str
    title: str
    solution: Solution | None
    refusal: str | None = None
    products: int = 0

    @property
    def run(self) -> Run:
        """The run of a method that ran."""
        assert self.solution is not None and self.solution.run is not None
        return self.solution.run

    def gap_after(self, budget: int) -> float | None:
        """Return the gap at the last record point that cost at most `budget` payoff products.

        A run that ended with an answer before has the gap of that answer; one that ended without has none.
        """
        assert self.solution is not None
        trace = self.solution.trace
        if trace.payoff_calls[-1] < budget and not self.solution.converged:
            return None
        return self._gap_within(budget)

    @property
    def final_gap(self) -> float | None:
        """The gap at the last record point within the limit, which a method with steps of several costs may overrun."""
        return self._gap_within(self.products)

    def _gap_within(self, budget: int) -> float | None:
        assert self.solution is not None
        trace = self.solution.trace
        index = int((trace.payoff_calls <= budget).sum()) - 1
        return _finite(float(trace.metrics["gap"][index]))

    def cost_of(self, tol: float) -> int | None:
        """Return the payoff products after which the gap was first seen to be at most `tol`."""
        assert self.solution is not None
        trace = self.solution.trace
        reached = (trace.metrics["gap"] <= tol) & (trace.payoff_calls <= self.products)
        return int(trace.payoff_calls[reached.argmax()]) if reached.any() else None


class CompareReport(NamedTuple):
    """Everything that one ``gtpref compare`` found out."""

    loaded: Loaded
    plan: Plan
    entries: list[Entry]
    command: str
    python: list[str]

    @property
    def solutions(self) -> list[Solution]:
        """Where the methods that ran ended, in the order of `ran`."""
        return [entry.solution for entry in self.ran if entry.solution is not None]

    @property
    def ran(self) -> list[Entry]:
        """The methods that ran: the cheapest way to the tolerance first; those that missed it by their final gap."""
        ran = [entry for entry in self.entries if entry.solution is not None]
        return sorted(ran, key=lambda entry: _rank(entry, self.plan.tol))

    @property
    def budgets(self) -> list[int]:
        """Numbers of payoff products at which gaps are compared."""
        assert self.plan.products is not None
        most = min(self.plan.products, max(entry.run.payoff_calls[-1] for entry in self.ran))
        return [10**k for k in range(1, 16) if 10**k < most][-_MOST_BUDGETS:]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data under the schema of the command."""
        return {
            "schema": SCHEMA,
            "data": describe(self.loaded),
            "temperature": self.plan.temperature,
            "oracle": oracle_to_dict(self.plan.oracle),
            "rng": self.plan.seed,
            "tol": self.plan.tol,
            "products": self.plan.products,
            "steps": self.plan.steps,
            "budgets": self.budgets,
            "methods": [self._entry_to_dict(entry) for entry in self.ran],
            "refused": [{"method": e.name, "reason": e.refusal} for e in self.entries if e.refusal is not None],
            "command": self.command,
            "python": "\n".join(self.python),
        }

    def _entry_to_dict(self, entry: Entry) -> dict[str, Any]:
        solution = entry.solution
        assert solution is not None
        trace = {**solution.trace.to_dict()}
        trace["metrics"] = {name: [_finite(x) for x in column] for name, column in trace["metrics"].items()}
        policy = solution.policy
        return {
            "method": entry.name,
            "title": entry.title,
            "answer": entry.run.rule.info.answer,
            "settings": plain_settings(entry.run.rule),
            "status": solution.status.name.lower(),
            "gap": _finite(solution.gap),
            "gap_at_end": entry.final_gap,
            "gap_after": [entry.gap_after(budget) for budget in self.budgets],
            "payoff_calls_to_tol": entry.cost_of(self.plan.tol),
            "n_steps": solution.n_steps,
            "payoff_calls": solution.payoff_calls,
            "seconds": solution.seconds,
            "theorem": main_claim(entry.run),
            "policy": [part.tolist() for part in policy] if isinstance(policy, tuple) else policy.tolist(),
            "trace": trace,
        }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _rank(entry: Entry, tol: float) -> tuple[float, float]:
    cost, gap = entry.cost_of(tol), entry.final_gap
    return (math.inf if cost is None else cost, math.inf if gap is None else gap)


def run(args: Namespace) -> int:
    """Read, run every method, print, and write the file asked for."""
    require_folder(args.output)
    loaded = load(args)
    require_solvable(loaded.game, loaded.file, "compare")
    classes = _methods(args)
    steps = args.products if args.steps is None else args.steps
    plan = plan_of(args, loaded, None, steps)._replace(record=Record(), products=args.products)
    with Progress(args) as line:
        entries = _entries(plan, classes, line)
    if all(entry.solution is None for entry in entries):
        raise UsageError(f"no method could be run; {entries[0].name}: {entries[0].refusal}")
    # The defaults: every rule is run with its own.
    plans = [_within_products(plan, type(entry.run.rule)()) for entry in entries if entry.solution is not None]
    command, python = shlex.join(["gtpref", *args.argv]), python_of_comparison(args, plans)
    report = CompareReport(loaded, plan, entries, command, python)
    if args.json:
        show_json(report.to_dict())
    elif not args.quiet:
        show("\n".join(lines(report)))
    if args.output:
        save(report, args.output)
        note(args, f"wrote {args.output}")
    if any(entry.run.status is Status.INTERRUPTED for entry in report.ran):
        note(args, f"interrupted: {len(entries)} of {len(classes)} methods were run, the last of them in part")
        return exit_codes.INTERRUPTED
    return exit_codes.DONE


def _methods(args: Namespace) -> list[Any]:
    """Return the classes of rules that ``--methods`` names; without it, all that solve this kind of problem."""
    if args.methods is None:
        wanted = "regularized" if args.temperature > 0.0 else "minimax"
        return [cls for cls in METHODS.primary() if wanted in cls.info.solves]
    names = [name.strip() for name in args.methods.split(",") if name.strip()]
    if not names:
        raise UsageError("--methods names none; write --methods NAME,NAME (gtpref methods lists them)")
    return list(dict.fromkeys(rule_class(name) for name in names))


def _entries(plan: Plan, classes: list[Any], line: Progress) -> list[Entry]:
    entries: list[Entry] = []
    for i, cls in enumerate(classes):
        line.prefix = f"{i + 1} of {len(classes)}, {cls.info.name}: "
        try:
            solution = follow(_within_products(plan, cls()), line)
        except (InputError, UnsupportedCombination) as error:
            entries.append(Entry(cls.info.name, cls.info.title, None, str(error)))
            continue
        assert plan.products is not None
        entries.append(Entry(cls.info.name, cls.info.title, solution, products=plan.products))
        if solution.status is Status.INTERRUPTED:
            break
    return entries


def _within_products(plan: Plan, rule: Rule) -> Plan:
    """Return the plan for a rule, with no more steps than the payoff products pay for; a step costs one or more."""
    assert plan.products is not None
    affordable = max(1, plan.products // (rule.info.payoff_calls or 1))
    return plan._replace(rule=rule, steps=min(plan.steps, affordable))


def question(plan: Plan) -> str:
    """Return what all methods were asked for."""
    parts = [f"temperature {plan.temperature:g}", oracle_in_words(plan.oracle)]
    if isinstance(plan.oracle, Sampled):
        parts.append(f"rng {plan.seed}")
    assert plan.products is not None
    parts.append(f"at most {count(plan.products, 'payoff product')} each")
    if plan.steps < plan.products:
        parts.append(f"at most {count(plan.steps, 'step')}")
    return ", ".join(parts)


def lines(report: CompareReport) -> list[str]:
    """Return the comparison for a person."""
    rows = table_rows(report)
    sides = "ll" + "r" * (len(rows[0]) - 2)
    return [
        heading(report.loaded),
        *remarks(report.loaded),
        question(report.plan),
        "",
        *CAPTION,
        *aligned(rows, sides),
        "",
        "settings, and what is proved here",
        *fields(claims(report)),
    ]


def table_rows(report: CompareReport) -> list[tuple[str, ...]]:
    """Return the table as text, its head first."""
    head = ("method", "answer", *(f"{budget:,}" for budget in report.budgets), "at the end", f"to {report.plan.tol:g}")
    rows = [head]
    for entry in report.ran:
        cost = entry.cost_of(report.plan.tol)
        gaps = [_gap_text(gap) for gap in [*map(entry.gap_after, report.budgets), entry.final_gap]]
        rows.append((entry.title, entry.run.rule.info.answer, *gaps, "-" if cost is None else f"{cost:,}"))
    return rows


def _gap_text(gap: float | None) -> str:
    return "-" if gap is None else f"{gap:.1e}"


def claims(report: CompareReport) -> list[tuple[str, str]]:
    """Return what is known about each method here: its settings, its theorem, or why it was not run."""
    pairs = []
    for entry in report.ran:
        settings = settings_in_words(entry.run.rule, type(entry.run.rule)(), entry.run.facts.step_facts)
        told = [*settings, remark_of(entry.run), main_claim(entry.run)]
        pairs.append((entry.title, "; ".join(part for part in told if part)))
    return pairs + [(entry.title, f"NOT RUN: {entry.refusal}") for entry in report.entries if entry.refusal is not None]


def save(report: CompareReport, path: str) -> None:
    """Write the comparison as JSON, CSV, an HTML page or a picture."""
    write(
        path,
        data=report.to_dict,
        table=lambda: _curves(report),
        page=lambda: _page(report),
        picture=lambda: _picture(report),
    )


def _page(report: CompareReport) -> str:
    from .compare_page import compare_page

    return compare_page(report, question(report.plan), CAPTION, table_rows(report), claims(report))


def _picture(report: CompareReport) -> Axes:
    from ..plot import gap_curves

    return gap_curves(report.solutions)


def _curves(report: CompareReport) -> list[list[Any]]:
    rows: list[list[Any]] = [["method", "step", "payoff_calls", "seconds", "gap"]]
    for entry in report.ran:
        assert entry.solution is not None
        trace = entry.solution.trace
        columns = (trace.step, trace.payoff_calls, trace.seconds, trace.metrics["gap"])
        rows += [[entry.name, *(value.item() for value in row)] for row in zip(*columns, strict=True)]
    return rows
