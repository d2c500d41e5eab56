"""Update rules, one file each; `METHODS` finds them, there is no list to edit.

Whoever writes a rule finds here what describes it (`method`, `MethodInfo`, `StepSize`), its theorems (`Bound`,
`Contraction`, `LocalRate`, `Limit`, `Decay`, with the hypotheses and factors that several share) and its step sizes
(`StepFacts`, `extragradient_cap`, ...); the words of its steps are in `gametheory_pref.verbs`.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .._types import BoolArray
from ..errors import InputError, UnknownName, UnsupportedCombination
from ..verbs import Euclidean, Exact, Sampled, Schedule
from ._info import (
    BOTH,
    MINIMAX,
    REGULARIZED,
    Bound,
    Contraction,
    Decay,
    Guarantee,
    Limit,
    LocalRate,
    MethodInfo,
    StepFacts,
    StepSize,
    Trial,
    anchored_log_factor,
    balanced_step,
    cold,
    exact_payoffs,
    extragradient_cap,
    first_reason,
    method,
    mirror_descent_cap,
    step_sizes_of,
    warm,
    within,
)
from ._theory import (
    constant_step,
    contraction_gap,
    isolated,
    one_policy,
    same_step,
    spectral_radius,
    start_divergence,
    starts_at_reference,
    unique_equilibrium,
)

__all__ = [
    "METHODS",
    # a rule
    "method",
    "MethodInfo",
    "MINIMAX",
    "REGULARIZED",
    "BOTH",
    "Rule",
    "as_rule",
    "settle",
    # its step sizes
    "StepSize",
    "StepFacts",
    "extragradient_cap",
    "mirror_descent_cap",
    "balanced_step",
    # its theorems
    "Guarantee",
    "Bound",
    "Contraction",
    "LocalRate",
    "Limit",
    "Decay",
    "Trial",
    # their hypotheses: each returns the reason when it fails
    "first_reason",
    "exact_payoffs",
    "warm",
    "cold",
    "within",
    "constant_step",
    "same_step",
    "one_policy",
    "unique_equilibrium",
    "isolated",
    "starts_at_reference",
    # their numbers
    "anchored_log_factor",
    "step_sizes_of",
    "start_divergence",
    "spectral_radius",
    "contraction_gap",
]

Rule = Any
"""A NamedTuple of settings with ``info``, ``init(problem)`` and ``step(problem, state, rng)``."""


class Methods(Mapping[str, Any]):
    """Name or alias -> class of rules; every module of the package that defines a class with ``info`` is found."""

    @cached_property
    def _classes(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for module_info in pkgutil.iter_modules(__path__):
            if module_info.name.startswith("_"):
                continue
            module = importlib.import_module(f".{module_info.name}", __name__)
            for value in vars(module).values():
                if isinstance(getattr(value, "info", None), MethodInfo) and value.__module__ == module.__name__:
                    found[value.info.name] = value
        return dict(sorted(found.items()))

    @cached_property
    def _names(self) -> dict[str, Any]:
        names = dict(self._classes)
        for rule in self._classes.values():
            for alias in rule.info.aliases:
                if alias in names:
                    raise RuntimeError(f"two methods are called {alias!r}")
                names[alias] = rule
        return names

    def __getitem__(self, name: str) -> Any:
        try:
            return self._names[name]
        except KeyError:
            raise unknown_method(name) from None

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def primary(self) -> list[Any]:
        """Return every class once, in the order of its names."""
        return list(self._classes.values())

    def __repr__(self) -> str:
        return f"Methods({', '.join(self._classes)})"


METHODS = Methods()


def unknown_method(name: object, exact: Sequence[str] = ()) -> InputError:
    """Return the error about a name that no method has: what is meant, perhaps, and where to look.

    Parameters
    ----------
    name : object
        What was given.
    exact : sequence of str
        Names of exact methods that would do, too.
    """
    known = {spelled.replace("_", ""): spelled for spelled in reversed([*exact, *METHODS])}
    plain = "".join(letter for letter in str(name).lower() if letter.isalnum())
    close = [known[one] for one in difflib.get_close_matches(plain, known, n=3, cutoff=0.7)]
    meant = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    names = f"method must be one of {', '.join(exact)}, or an update rule" if exact else "method must be an update rule"
    return UnknownName(f"method {name!r} is unknown; {meant}{names} (list(gp.METHODS) names them)")


def as_rule(method: Any, exact: Sequence[str] = ()) -> Rule:
    """Return a rule from a name, a class of rules (default settings) or a rule.

    Parameters
    ----------
    method : str, class or rule
    exact : sequence of str
        Names of exact methods, for the message about an unknown name where these would do, too.

    Raises
    ------
    InputError
        No method has that name, or it is not a rule.
    """
    if isinstance(method, str):
        if method not in METHODS:
            raise unknown_method(method, exact)
        method = METHODS[method]
    if isinstance(method, type) and isinstance(getattr(method, "info", None), MethodInfo):
        method = method()
    if not is_rule(method):
        example = next(iter(METHODS))
        raise InputError(f"method must be a name or a rule of gp.METHODS, such as {example!r}; got {method!r}")
    return method


def is_rule(value: Any) -> bool:
    """Return whether a value is an instance of a class of rules."""
    return isinstance(value, tuple) and isinstance(getattr(type(value), "info", None), MethodInfo)


def misfit(info: MethodInfo, temperature: float) -> str | None:
    """Return a remark if the method is for other temperatures, else None."""
    if ("regularized" if temperature > 0.0 else "minimax") in info.solves:
        return None
    for_what = "positive temperatures" if "regularized" in info.solves else "temperature 0"
    return f"{info.name} is for {for_what}; here its answer need not approach the equilibrium"


def starts_anywhere(rule: Rule) -> bool:
    """Return whether the rule may start at a policy that gives no mass to a response."""
    return bool(rule.info.projects) or isinstance(getattr(rule, "geometry", None), Euclidean)


def check_oracle(rule: Rule, oracle: Exact | Sampled) -> None:
    """Refuse sampled payoffs for a rule whose settings make no sense with them.

    Raises
    ------
    UnsupportedCombination
        With the reason, and the setting to change.
    """
    reason = rule.info.unsampled(rule) if rule.info.unsampled is not None and isinstance(oracle, Sampled) else None
    if reason is not None:
        raise UnsupportedCombination(reason)


def settle(rule: Rule, facts: StepFacts) -> Rule:
    """Return the rule with its step size as a `Schedule`, all settings checked.

    Raises
    ------
    InputError
        A step size that is not positive, that the method does not know, or that is too large for explicit anchoring.
    """
    info: MethodInfo = rule.info
    facts = with_norm(rule, inner_facts(rule, facts))
    _check_kinds(rule)
    if hasattr(rule, "step_size"):
        schedule = _schedule(rule.step_size, info, facts)
        rule = rule._replace(step_size=schedule)
        product = _largest_product(schedule, facts)
        if product > info.largest_product * (1.0 + 1e-12):
            raise InputError(
                f"step_size times temperature is {product:.4g}; {info.name} needs at most {info.largest_product:g} "
                f"(at temperature {facts.temperature:g} a step_size of at most "
                f"{info.largest_product / facts.temperature:.4g})"
            )
    if info.check is not None:
        info.check(rule, facts)
    return rule


def _check_kinds(rule: Rule) -> None:
    """Refuse what is no truth value where the default is one, and no number where it is a float."""
    for name, default in type(rule)._field_defaults.items():
        value = getattr(rule, name)
        if isinstance(default, bool) and not isinstance(value, (bool, np.bool_)):
            raise InputError(f"{name} must be True or False; got {value!r}")
        if isinstance(value, (bool, np.bool_)) and not isinstance(default, bool) and isinstance(default, (int, float)):
            raise InputError(f"{name} must be a number; got {value!r}")
        # A step size may be a name or a `Schedule` instead.
        if name != "step_size" and isinstance(default, float) and not isinstance(value, (int, float, np.number)):
            raise InputError(f"{name} must be a number; got {value!r}")


def with_norm(rule: Rule, facts: StepFacts) -> StepFacts:
    """Return the facts with the norm as a number, for a rule that uses it."""
    wanted = rule.info.uses_norm or isinstance(getattr(rule, "geometry", None), Euclidean)
    if not wanted or not callable(facts.norm):
        return facts
    return facts._replace(norm=np.maximum(facts.norm(), 1e-12))


def inner_facts(rule: Rule, facts: StepFacts) -> StepFacts:
    """Return the facts that step sizes are chosen by: the inner game's, for a rule that regularises by itself."""
    if not hasattr(rule, "inner_temperature"):
        return facts
    heat = rule.inner_temperature
    if not (isinstance(heat, (int, float)) and 0.0 < heat < float("inf")):
        raise InputError(f"inner_temperature must be a positive number; got {heat!r}")
    return facts._replace(temperature=facts.temperature * 0.0 + heat)


def settle_each(rule: Rule, facts: StepFacts) -> tuple[Rule, Schedule, BoolArray]:
    """Return the rule and the step sizes of many games: `settle` for facts that are arrays with one entry per game.

    Returns
    -------
    rule : Rule
        Settled on the first game that the settings suit.
    schedule : Schedule
        Of arrays with one entry per game.
    suits : ndarray of bool
        Which games the settings suit; the schedule of the others means nothing.

    Raises
    ------
    InputError
        As `settle`, where the settings suit none of the games; it is the first one's.
    """
    info: MethodInfo = rule.info
    count = len(facts.temperature)
    first, settled = _first_settled(rule, facts)
    facts_inside = with_norm(rule, inner_facts(rule, facts))
    suits = np.arange(count) >= first
    doubtful = suits & (info.check is not None)
    if not hasattr(rule, "step_size"):
        schedule = Schedule(np.ones(count), np.ones(count), np.ones(count))  # type: ignore[arg-type]
    else:
        named = isinstance(rule.step_size, str)
        with np.errstate(all="ignore"):
            found = info.step_sizes[rule.step_size](facts_inside) if named else settled.step_size
            columns: list[Any] = [np.array(np.broadcast_to(part, count), dtype=np.float64) for part in found]
            schedule = Schedule(*columns)
        product = _largest_product(schedule, facts_inside)
        doubtful |= suits & ((product > info.largest_product) | np.isin(schedule.scale, (0.0, np.inf)))
    for game in np.flatnonzero(doubtful):
        suits[game] = not isinstance(_settled_alone(rule, facts, game), InputError)
    return settled, schedule, suits


def _first_settled(rule: Rule, facts: StepFacts) -> tuple[int, Rule]:
    """Return the first game that the settings suit, and the rule settled on it."""
    reason = None
    for game in range(len(facts.temperature)):
        settled = _settled_alone(rule, facts, game)
        if not isinstance(settled, InputError):
            return game, settled
        reason = reason or settled
    raise reason or InputError("there is no game to settle a rule on")


def _largest_product(schedule: Schedule, facts: StepFacts) -> Any:
    """Return the largest step size of the run, its first or its last, times the temperature."""
    last = schedule.offset + facts.horizon - 1
    with np.errstate(all="ignore"):
        first_size, last_size = (
            schedule.scale / np.float64(t) ** schedule.power for t in (schedule.offset, last)
        )
        return np.maximum(first_size, last_size) * facts.temperature


def _settled_alone(rule: Rule, facts: StepFacts, game: int | np.integer[Any]) -> Rule | InputError:
    """Return the rule settled on one of many games, or why it cannot be."""
    facts = with_norm(rule, facts)
    norm = 0.0 if callable(facts.norm) or facts.norm is None else facts.norm
    parts = (facts.payoff_bound, facts.temperature, facts.spread, facts.condorcet_margin, norm)
    bound, temperature, spread, margin, norm = (
        float(np.broadcast_to(part, len(facts.temperature))[game]) for part in parts
    )
    try:
        return settle(rule, StepFacts(bound, temperature, spread, facts.horizon, margin, norm))
    except InputError as error:
        return error


def _schedule(step_size: Any, info: MethodInfo, facts: StepFacts) -> Schedule:
    if isinstance(step_size, str):
        if step_size not in info.step_sizes:
            known = ", ".join(repr(name) for name in info.step_sizes)
            raise InputError(f"step_size of {info.name} must be a positive number, a Schedule, or one of {known}; "
                             f"got {step_size!r}")
        return _named_schedule(step_size, info, facts)
    if isinstance(step_size, (bool, np.bool_)):
        raise InputError(f"step_size must be a positive number, a name or a Schedule; got {step_size!r}")
    if isinstance(step_size, Schedule):
        schedule = step_size
    else:
        try:
            schedule = Schedule(float(step_size))
        except (TypeError, ValueError):
            raise InputError(f"step_size must be a positive number, a name or a Schedule; got {step_size!r}") from None
    numbers = (schedule.scale, schedule.offset, schedule.power)
    if not (all(abs(x) < float("inf") for x in numbers) and schedule.scale > 0 and schedule.offset > 0):
        raise InputError(f"step_size must be positive and finite; got {step_size!r}")
    return Schedule(*(float(part) for part in schedule))


def _named_schedule(name: str, info: MethodInfo, facts: StepFacts) -> Schedule:
    try:
        with np.errstate(divide="ignore"):
            schedule = Schedule(*(float(part) for part in info.step_sizes[name](facts)))
    except ZeroDivisionError:
        schedule = Schedule(float("inf"))
    # Where all payoffs are 0 the start is the answer, whatever the step.
    if schedule.scale == float("inf") and facts.payoff_bound > 0.0:
        raise InputError(
            f"step_size {name!r} of {info.name} has no finite value at temperature {facts.temperature:g}; "
            "give a number, or a positive temperature"
        )
    if schedule.scale == 0.0:
        raise InputError(
            f"step_size {name!r} of {info.name} comes to 0 for this game at temperature {facts.temperature:g}, and "
            "nothing would move; give a number or another of the method's names"
        )
    return schedule
