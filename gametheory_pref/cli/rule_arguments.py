"""From ``--method``, ``--step-size`` and ``--set`` to an update rule, and a rule's settings back in words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any

from ..errors import UnsupportedCombination
from ..exact_methods import EXACT_NAMES
from ..methods import METHODS, Rule, inner_facts, with_norm
from ..methods._info import StepFacts
from ..verbs import Entropic, Euclidean, Schedule
from .parser import UsageError

_WORDS = {"true": True, "false": False, "none": None}
_GEOMETRIES: dict[str, Any] = {"entropic": Entropic(), "euclidean": Euclidean()}
# Names of three letters that share two are not meant for one another.
CLOSE = 0.75
_SCHEDULE = re.compile(r"(?P<scale>[^/]+)/(\(t\+(?P<offset>[^)]+)\)|t)(\^(?P<power>.+))?")


def rule_class(name: str) -> Any:
    """Return the class of rules of that name.

    Raises
    ------
    UsageError
        There is none.
    """
    if name in METHODS:
        return METHODS[name]
    if name in EXACT_NAMES:
        raise UsageError(f"{name} is no update rule but exact mathematics: gtpref solve runs it")
    close = difflib.get_close_matches(name, list(METHODS), n=3, cutoff=CLOSE)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    raise UsageError(f"no update rule is called {name!r}; {hint}gtpref methods lists them")


def rule_from(name: str, step_size: str | None, assignments: Sequence[str]) -> Rule:
    """Return the rule with its settings.

    Raises
    ------
    UsageError
        An unknown method or setting, or a value of the wrong kind.
    UnsupportedCombination
        A step size for a method that has none.
    """
    cls = rule_class(name)
    settings: dict[str, Any] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set {text}: write --set name=value")
        if key in settings:
            raise UsageError(f"--set {key} is given twice")
        settings[key] = _checked(cls, key, value)
    if step_size is not None:
        if "step_size" not in cls._fields:
            raise UnsupportedCombination(f"{cls.info.name} has no step size; leave --step-size out")
        settings["step_size"] = read_step_size(step_size)
    missing = [key for key in cls._fields if key not in cls._field_defaults and key not in settings]
    if missing:
        name = cls.info.name
        raise UsageError(f"{name} needs --set {missing[0]}=...; gtpref methods {name} says what it is")
    return cls(**settings)


def _checked(cls: Any, key: str, text: str) -> Any:
    """Return the value of a setting, of the kind that its default has."""
    known = [name for name in cls._fields if name != "step_size"]
    if key == "step_size":
        raise UsageError("--set step_size: the step size has an option of its own, --step-size")
    if key not in known:
        listed = f"its settings are {', '.join(known)}" if known else "it has none but the step size"
        raise UsageError(f"--set {key}: {cls.info.name} has no such setting; {listed}")
    if key == "geometry":
        if text.strip().lower() not in _GEOMETRIES:
            raise UsageError(f"--set geometry: must be {' or '.join(_GEOMETRIES)}; got {text!r}")
        return _GEOMETRIES[text.strip().lower()]
    value, default = _value(text), cls._field_defaults.get(key)
    if type(default) is tuple:
        value = value if type(value) is tuple else (value,)
        return tuple(float(part) if isinstance(part, int) else part for part in value)
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    if _kind(default) is not None and _kind(value) != _kind(default):
        raise UsageError(f"--set {key}: must be {_kind(default)}, as the default {default!r} is; got {text!r}")
    return value


def _kind(value: Any) -> str | None:
    """Return what a value is, where nothing else could be meant: names may stand for numbers."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "a whole number"
    if isinstance(value, float):
        return "a number"
    return None


def _value(text: str) -> Any:
    if "," in text:
        return tuple(_value(part) for part in text.split(",") if part.strip())
    text = text.strip()
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for read in (int, float, read_schedule):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def read_step_size(text: str) -> Any:
    """Return a number, a `Schedule` from text such as ``0.5/(t+1)^0.5``, or the name of a step-size rule.

    Raises
    ------
    UsageError
        Something else.
    """
    for read in (float, read_schedule):
        try:
            return read(text)
        except ValueError:
            continue
    if not text.replace("_", "").isalnum():
        raise UsageError(
            f"--step-size {text}: must be a number, a schedule such as 0.5/(t+1)^0.5, or a name (gtpref methods NAME)"
        )
    return text


def read_schedule(text: str) -> Schedule:
    """Return the schedule that ``scale/(t+offset)^power`` describes.

    Examples
    --------
    >>> read_schedule("0.5/(t + 2)^0.5")
    Schedule(scale=0.5, offset=2.0, power=0.5)
    """
    found = _SCHEDULE.fullmatch(text.replace(" ", ""))
    if found is None:
        raise ValueError(f"no schedule: {text!r}")
    return Schedule(float(found["scale"]), float(found["offset"] or 0.0), float(found["power"] or 1.0))


def show_schedule(schedule: Schedule) -> str:
    """Return a schedule as `read_schedule` reads it, a constant as its number.

    Examples
    --------
    >>> show_schedule(Schedule(0.25)), show_schedule(Schedule(0.5, 2.0, 0.5)), show_schedule(Schedule(1.0, 1.0, 1.0))
    ('0.25', '0.5/(t+2)^0.5', '1/(t+1)')
    """
    if schedule.power == 0.0:
        return f"{schedule.scale:.6g}"
    power = "" if schedule.power == 1.0 else f"^{schedule.power:g}"
    return f"{schedule.scale:.6g}/(t+{schedule.offset:g}){power}"


def settings_in_words(settled: Rule, asked: Rule | None, facts: StepFacts) -> list[str]:
    """Return "step size 0.62 (largest)" and the settings that are not the defaults.

    A step size that is chosen for a number of steps is told with it, because any other limit gives another one.
    """
    words = []
    for name, value in settled._asdict().items():
        if name == "step_size":
            called = getattr(asked, "step_size", None)
            why = f" ({_chosen(called, settled, facts)})" if isinstance(called, str) else ""
            words.append(f"step size {show_schedule(value)}{why}")
        elif value != settled._field_defaults.get(name):
            shown = show_schedule(value) if isinstance(value, Schedule) else _plain(value)
            words.append(f"{name.replace('_', ' ')} {shown}")
    return words


def _chosen(name: str, settled: Rule, facts: StepFacts) -> str:
    """Return the name of a step-size rule, with the number of steps it was applied to if the size depends on that."""
    rule, facts = settled.info.step_sizes[name], with_norm(settled, inner_facts(settled, facts))
    here, longer = (tuple(rule(facts._replace(horizon=steps))) for steps in (facts.horizon, 2 * facts.horizon))
    # A run that was gone on with keeps the step size of its first limit.
    depends = here != longer and here == tuple(settled.step_size)
    return f"{name}, for {facts.horizon:,} steps" if depends else name


def plain_settings(rule: Rule) -> dict[str, Any]:
    """Return the settings as plain data."""
    return {name: _plain(value) for name, value in rule._asdict().items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Schedule):
        return value._asdict()
    return type(value).__name__.lower() if isinstance(value, (Entropic, Euclidean)) else value
