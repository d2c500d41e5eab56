"""Rules as plain data: what saved runs and databases of sweeps hold in place of objects."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import InputError
from .methods import METHODS, Rule
from .verbs import Entropic, Euclidean, Schedule

_GEOMETRIES = (Entropic(), Euclidean())


def rule_to_dict(rule: Rule) -> dict[str, Any]:
    """Return the name and settings of a rule as plain data; of one from elsewhere a hash of its code, too.

    Raises
    ------
    InputError
        A setting that JSON cannot hold, so that a file could not tell two such rules apart.
    """
    kind, name = type(rule), rule.info.name
    known = name in METHODS and METHODS[name] is kind
    settings = {field: _plain(value, field, name) for field, value in rule._asdict().items()}
    if known:
        return {"name": name, "class": None, "settings": settings}
    return {
        "name": name,
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "code": _code_hash(kind),  # type: ignore[arg-type]
        "settings": settings,
    }


@functools.cache
def _code_hash(kind: type) -> str:
    """Return a hash of the file of a class, which helpers of its steps may stand in; of its steps where there is none.

    A rule that somebody is still working on must not be given the results of what it was before.
    """
    module = inspect.getmodule(kind)
    try:
        source = inspect.getsource(kind if module is None else module).encode()
    except (OSError, TypeError):
        steps = [getattr(kind, name).__code__ for name in ("init", "step")]
        source = repr([(step.co_code, step.co_names, step.co_consts) for step in steps]).encode()
    return hashlib.sha256(source).hexdigest()[:32]


def _plain(value: Any, field: str, name: str) -> Any:
    if isinstance(value, (tuple, list, np.ndarray)):
        return [_plain(item, field, name) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise InputError(f"{field} of {name} is {value!r}; only numbers, words and tuples of them can be stored")


def rule_from_dict(saved: Mapping[str, Any]) -> Rule | None:
    """Return the rule that `rule_to_dict` described; None if it is not one of `METHODS`, or no longer fits."""
    kind = METHODS.get(saved["name"]) if saved["class"] is None else None
    if kind is None or set(saved["settings"]) != set(kind._fields):
        return None
    settings = {field: _typed(value) for field, value in saved["settings"].items()}
    if "geometry" in settings:
        settings["geometry"] = next(one for one in _GEOMETRIES if one == settings["geometry"])
    rule = kind(**settings)
    return rule._replace(step_size=Schedule(*rule.step_size)) if "step_size" in settings else rule


def _typed(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_typed(item) for item in value)
    return float(value) if value in ("inf", "-inf", "nan") else value
