"""From what the user names to the cells of a sweep, and the combinations that make no sense."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .._check import choice, non_negative, positive_whole
from ..errors import GameTheoryPrefError, InputError, UnknownName, UnsupportedCombination
from ..exact_methods import EXACT_NAMES
from ..facts import Facts
from ..games import Game
from ..methods import METHODS, Methods, Rule, as_rule, check_oracle, settle, starts_anywhere
from ..problem import as_game, as_problem
from ..rule_data import rule_to_dict
from ..solving import checked_oracle
from ..tabular import tabular
from ..verbs import Exact, Sampled
from .cells import Cell, NamedProblem

STARTS = ("reference", "random")


class Skipped(NamedTuple):
    """A combination that is not run, and why."""

    method: str
    game: str
    temperature: float
    reason: str


@dataclass(frozen=True, eq=False)
class Grid:
    """The cells of a sweep in order, and the combinations left out."""

    cells: tuple[Cell, ...]
    skipped: tuple[Skipped, ...]


def build_grid(
    games: Any,
    methods: Any,
    *,
    temperatures: Any = (0.0,),
    seeds: Any = (0,),
    references: Mapping[str, Any] | None = None,
    starts: str = "reference",
    max_steps: int = 10_000,
    tol: float = 0.0,
    oracle: Exact | Sampled = Exact(),  # noqa: B008 - a constant
) -> Grid:
    """Return the cells of methods x games x temperatures x seeds, all settings checked; see `compare`."""
    rules = named_rules(methods)
    choice(starts, STARTS, name="starts")
    steps, largest_gap = positive_whole(max_steps, name="max_steps"), non_negative(tol, name="tol")
    oracle = checked_oracle(oracle)
    cells: list[Cell] = []
    skipped: dict[Skipped, None] = {}
    for named in _problems(games, _sequence(temperatures, "temperatures"), references):
        for seed in _seeds(seeds):
            plain = [
                Cell(label, rule, named, seed, starts, steps, largest_gap, oracle) for label, rule in rules.items()
            ]
            for cell in plain:
                settled = _settled(cell)
                if isinstance(settled, Skipped):
                    skipped[settled] = None
                else:
                    cells.append(settled)
    if not cells:
        raise InputError(f"no combination can be run; the first reason: {next(iter(skipped)).reason}")
    return Grid(tuple(cells), tuple(skipped))


def _problems(games: Any, temperatures: list[Any], references: Mapping[str, Any] | None) -> list[NamedProblem]:
    if references is not None and not isinstance(references, Mapping):
        raise InputError(f"references must map names of games to policies; got {references!r}")
    named = named_games(games)
    for name in references or {}:
        if name not in named:
            raise InputError(f"references names {name!r}, which is none of the games {', '.join(named)}")
    anchors = references or {}
    return [
        NamedProblem(name, as_problem(game, temperature=heat, reference=anchors.get(name)))
        for name, game in named.items()
        for heat in temperatures
    ]


def _settled(cell: Cell) -> Cell | Skipped:
    """Return the cell with its rule settled on the problem, or why the two do not go together."""
    problem = cell.named.problem
    try:
        _check_temperature(cell.rule, problem.temperature)
        check_oracle(cell.rule, cell.oracle)
        table = tabular(problem, cell.start(), cell.oracle, anywhere=starts_anywhere(cell.rule))
        rule = settle(cell.rule, Facts(table.problem, cell.max_steps).step_facts)
    except GameTheoryPrefError as error:
        return Skipped(cell.method, cell.named.name, problem.temperature, str(error))
    return Cell(
        cell.method, rule, cell.named, cell.seed, cell.starts, cell.max_steps, cell.tol, cell.oracle
    )


def _check_temperature(rule: Rule, temperature: float) -> None:
    if temperature > 0.0 and "regularized" not in rule.info.solves:
        raise UnsupportedCombination(f"{rule.info.name} is for temperature 0 only")
    if temperature == 0.0 and "minimax" not in rule.info.solves:
        raise UnsupportedCombination(f"{rule.info.name} is for positive temperatures only")


def named_games(games: Any) -> dict[str, Game]:
    """Return name -> game from a mapping, a sequence of games and names in the zoo, or one of these."""
    if isinstance(games, Mapping):
        named = {str(name): as_game(_from_zoo(game)) for name, game in games.items()}
    else:
        is_one = isinstance(games, str) or hasattr(games, "names") or getattr(games, "ndim", 0) == 2
        named = {}
        for position, game in enumerate([games] if is_one else _sequence(games, "games")):
            name = game if isinstance(game, str) else f"game {position}"
            if name in named:
                raise InputError(f"games has {name!r} twice")
            named[name] = as_game(_from_zoo(game))
    if not named:
        raise InputError("games is empty; give at least one game")
    return named


def _from_zoo(game: Any) -> Any:
    if not isinstance(game, str):
        return game
    from ..games.zoo import ZOO

    try:
        return ZOO[game].game
    except UnknownName as error:
        raise InputError(f"{error}; a file is read with gp.read({game!r})") from None


def named_rules(methods: Any) -> dict[str, Rule]:
    """Return label -> rule from a mapping, a sequence of names and rules, or one of these."""
    if isinstance(methods, Methods):
        # Its aliases are further names of the same rules.
        methods = [kind.info.name for kind in methods.primary()]
    if isinstance(methods, Mapping):
        rules = {str(label): _rule(method) for label, method in methods.items()}
    else:
        is_one = isinstance(methods, (str, type)) or hasattr(methods, "info")
        rules = {}
        for method in [methods] if is_one else _sequence(methods, "methods"):
            rule = _rule(method)
            label = method if isinstance(method, str) else label_of(rule)
            if label in rules:
                raise InputError(f"methods has {label!r} twice; name rules apart with a mapping from label to rule")
            rules[label] = rule
    if not rules:
        raise InputError(f"methods is empty; give names such as {next(iter(METHODS))!r}, or rules")
    for rule in rules.values():
        rule_to_dict(rule)
    return rules


def _rule(method: Any) -> Rule:
    if isinstance(method, str) and method in EXACT_NAMES:
        raise InputError(f"method {method!r} is exact and has no steps to compare; gp.solve runs it")
    return as_rule(method)


def label_of(rule: Rule) -> str:
    """Return the name of a rule with the settings that are not its defaults.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> label_of(gp.METHODS["extragradient"](step_size=0.5))
    'extragradient(step_size=0.5)'
    """
    defaults = type(rule)._field_defaults
    changed = [f"{name}={value!r}" for name, value in rule._asdict().items() if value != defaults.get(name)]
    return f"{rule.info.name}({', '.join(changed)})" if changed else str(rule.info.name)


def _sequence(values: Any, name: str) -> list[Any]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InputError(f"{name} must be a sequence; got {values!r}")
    items = list(values)
    if not items:
        raise InputError(f"{name} is empty")
    return items


def _seeds(seeds: Any) -> list[int]:
    """Return whole numbers of at least 0, each once; a number of seeds counts from 0."""
    if isinstance(seeds, (int, np.integer)) and not isinstance(seeds, bool):
        seeds = range(positive_whole(seeds, name="seeds"))
    found: dict[int, None] = {}
    for seed in _sequence(seeds, "seeds"):
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise InputError(f"seeds must be whole numbers of at least 0; got {seed!r}")
        found[int(seed)] = None
    return list(found)
