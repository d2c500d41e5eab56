"""The Python that does what a command did."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from ..methods import Rule
from ..trace import Record
from ..verbs import Sampled, Schedule
from .following import Plan

# Reading options of the command line with their defaults, which `gp.read` shares.
_READING = {
    "kind": "auto",
    "ties": "half",
    "unranked": "ignore",
    "missing": "half",
    "judge": None,
    "symmetrize": False,
    "skip_bad": False,
    "format": None,
    "encoding": "utf-8",
}


def python_of(args: Namespace, plan: Plan, rule: Rule) -> list[str]:
    """Return lines of Python that run a rule as the command did, with policies of files written out.

    Parameters
    ----------
    args : Namespace
        What was typed.
    plan : Plan
        What was made of it.
    rule : rule
        The rule as it was asked for, before step sizes were settled.
    """
    lines = ["import gametheory_pref as gp", *_game(args)]
    settings = ", ".join(
        f"{name}={_literal(value)}" for name, value in rule._asdict().items()
        if value != rule._field_defaults.get(name)
    )
    lines.append(f'rule = gp.METHODS["{rule.info.name}"]({settings})')
    options = ", ".join(f"{name}={value}" for name, value in _options(plan).items())
    return [*lines, f"solution = gp.solve(game, rule, {options})"]


def python_of_comparison(args: Namespace, plans: Sequence[Plan]) -> list[str]:
    """Return lines of Python that run several rules with their default settings, each as its plan says."""
    lines = ["import gametheory_pref as gp", *_game(args)]
    if any(_stops(plan) for plan in plans):
        lines += ["", "def stop(snapshot):", f"    if snapshot.payoff_calls >= {plans[0].products}:"]
        lines += ["        raise StopIteration", ""]
    lines.append("solutions = {}")
    for plan in plans:
        options = _options(plan) | ({"callback": "stop"} if _stops(plan) else {})
        settings = ", ".join(f"{name}={value}" for name, value in options.items())
        name = plan.rule.info.name
        lines.append(f'solutions["{name}"] = gp.solve(game, "{name}", {settings})')
    return lines


def _stops(plan: Plan) -> bool:
    """Return whether a limit on the steps does not say what the payoff products allow."""
    return plan.rule.info.payoff_calls is None and plan.products is not None


def _options(plan: Plan) -> dict[str, str]:
    """Return the arguments of `solve` after the rule, as they are written."""
    options: dict[str, str] = {}
    if plan.temperature:
        options["temperature"] = repr(plan.temperature)
    for name in ("reference", "start"):
        policy = getattr(plan, name)
        if policy is not None:
            options[name] = repr(policy.tolist())
    if isinstance(plan.oracle, Sampled):
        told = "" if plan.oracle.labels else ", labels=False"
        options |= {"oracle": f"gp.Sampled({plan.oracle.opponents}{told})", "rng": repr(plan.seed)}
    options |= {"tol": repr(plan.tol), "max_steps": repr(plan.steps)}
    if plan.time_limit is not None:
        options["time_limit"] = repr(plan.time_limit)
    if plan.record != Record():
        options["record"] = f"gp.Record(per_decade={plan.record.per_decade})"
    return options


def _game(args: Namespace) -> list[str]:
    name: str = args.file
    if name.startswith("zoo:"):
        return [f'game = gp.zoo["{name.removeprefix("zoo:")}"].game']
    typed = {option: getattr(args, option) for option in _READING}
    chosen = [f"{option}={value!r}" for option, value in typed.items() if value != _READING[option]]
    if name.startswith("dataset:"):
        source = f'dataset_path("{name.removeprefix("dataset:")}")'
        return [
            "from gametheory_pref.datasets import dataset_path",
            f"game = gp.read({', '.join([source, *chosen])})",
        ]
    if name == "-":
        return ["import sys", f"game = gp.read({', '.join(['sys.stdin.buffer', *chosen])})"]
    return [f"game = gp.read({', '.join([repr(name), *chosen])})"]


def _literal(value: Any) -> str:
    if isinstance(value, Schedule):
        return f"gp.Schedule({', '.join(repr(float(part)) for part in value)})"
    return repr(value)
