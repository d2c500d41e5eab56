"""Keep a run of an update rule in a file, so that another process can go on where it stood."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._types import FloatArray
from .errors import InputError, UnsupportedCombination
from .facts import Facts
from .games import Game
from .iterating import Run, RunState
from .methods import METHODS, Rule
from .operators import PayoffOperator
from .operators.stored import stored_numbers
from .problem import Problem, as_problem
from .rule_data import rule_from_dict, rule_to_dict
from .solution import Solution
from .solving import solution_of
from .status import Status
from .tabular import Tabular, tabular
from .verbs import Exact, Point, Sampled

SCHEMA = "gtpref.run_state/3"
_COLUMNS = ("steps", "payoff_calls", "seconds", "gap_last", "gap_average", "log_last", "average")
_GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")


def save_run(solution: Solution, file: str | os.PathLike[str]) -> None:
    """Write the run behind a solution to a file; `load_run` reads it.

    The file holds the rule with its settings, its state to the last bit, the random generator, and what was recorded.
    Of game and reference it holds hashes only. It is written beside its place and moved there, so that a crash leaves
    the earlier file or the new one, never half of one.

    Parameters
    ----------
    solution : Solution
        What `solve` returned for a method of `METHODS`.
    file : path
        Where to write; an NPZ archive of plain arrays.

    Raises
    ------
    InputError
        The solution has no run: exact methods keep none.
    UnsupportedCombination
        The rule is not in `METHODS`, so that no other process could find it.
    """
    run = solution.run
    if run is None:
        raise InputError(f"solution was found by {solution.method}, which keeps no run; save_run is for update rules")
    if run.resume.state is None:
        raise InputError("solution comes from a database of sweeps, which keeps no state to go on from; solve again")
    rule = run.rule
    if METHODS.get(rule.info.name) is not type(rule):
        raise UnsupportedCombination(f"{type(rule).__name__} is no method of gp.METHODS, where load_run looks for it")
    facts = {
        "schema": SCHEMA,
        "rule": rule_to_dict(rule),
        "problem": _fingerprint(run.facts.problem),
        "oracle": _plain_oracle(run.facts.problem.oracle),
        "horizon": run.facts.horizon,
        "status": solution.status.name,
        "changed": run.changed,
        "luck": run.resume.luck,
    }
    arrays = {
        "facts": np.array(json.dumps(facts, default=lambda array: array.tolist())),
        "start": run.facts.problem.start.log,
        "total": run.resume.total,
        **{name: getattr(run, name) for name in _COLUMNS},
        **dict(_leaves(run.resume.state, "state")),
    }
    _write(pathlib.Path(file), arrays)


def _write(path: pathlib.Path, arrays: Mapping[str, Any]) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def load_run(
    file: str | os.PathLike[str], game: Game | ArrayLike, *, temperature: float = 0.0, reference: Any = None
) -> Solution:
    """Return the solution that `save_run` wrote, for ``solve(game, start=...)`` to go on with.

    Parameters
    ----------
    file : path
        What `save_run` wrote.
    game, temperature, reference
        The problem of the run, as it was given to `solve`.

    Raises
    ------
    InputError
        Not such a file, or the run was of another problem.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["rock_paper_scissors"].game
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "run.npz"
    >>> first = gp.solve(game, "extragradient", temperature=0.1, start=[0.6, 0.3, 0.1], max_steps=10, jit=False)
    >>> gp.save_run(first, file)
    >>> loaded = gp.load_run(file, game, temperature=0.1)
    >>> rest = gp.solve(game, loaded.run.rule, temperature=0.1, start=loaded, max_steps=10, jit=False)
    >>> rest.n_steps, rest.gap < first.gap
    (20, True)
    """
    problem = as_problem(game, temperature=temperature, reference=reference)
    name = os.fspath(file)
    facts, arrays = _read(name)
    try:
        saved = _Saved.of(facts, arrays)
        table = _table(problem, saved)
        if others := _differences(saved.problem, _fingerprint(table.problem)):
            raise InputError(f"holds a run of another problem: {'; '.join(others)}; give those of that run", file=name)
        run = _run(table, saved)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"is damaged ({type(error).__name__}: {error}); start the run again", file=name) from error
    return solution_of(problem, run, status=run.status, seconds=float(run.seconds[-1]))


@dataclass(frozen=True)
class _Saved:
    """What a file holds."""

    rule: Rule
    problem: dict[str, Any]
    oracle: Exact | Sampled
    horizon: int
    status: Status
    changed: bool
    luck: Any
    arrays: Mapping[str, Any]

    @classmethod
    def of(cls, facts: Mapping[str, Any], arrays: Mapping[str, Any]) -> _Saved:
        rule = rule_from_dict(facts["rule"])
        if rule is None:
            raise ValueError(f"no method {facts['rule']['name']!r} with the settings {facts['rule']['settings']!r}")
        luck = facts["luck"]
        if luck is not None and luck["bit_generator"] not in _GENERATORS:
            raise ValueError(f"no generator {luck['bit_generator']!r}")
        return cls(
            rule=rule,
            problem=dict(facts["problem"]),
            oracle=Exact() if facts["oracle"] is None else Sampled(**facts["oracle"]),
            horizon=int(facts["horizon"]),
            status=Status[facts["status"]],
            changed=bool(facts["changed"]),
            luck=luck,
            arrays=arrays,
        )


def _read(name: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    try:
        with np.load(name, allow_pickle=False) as archive:
            arrays = dict(archive)
        facts = json.loads(str(arrays["facts"]))
        known = facts["schema"] == SCHEMA
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError("is not a saved run of this package; give another file name", file=name) from error
    if not known:
        raise InputError(f"was written by another version ({facts['schema']}, not {SCHEMA})", file=name)
    return facts, arrays


def _table(problem: Problem, saved: _Saved) -> Tabular:
    """Return the problem on flat arrays with the start of the saved run, which is the anchor at temperature 0."""
    table = tabular(problem, None, saved.oracle)
    log = saved.arrays["start"]
    if log.shape != table.problem.start.log.shape:
        return table
    start = Point(log, np.exp(log))
    reference = table.problem.reference if problem.temperature > 0.0 else start
    return table._replace(problem=table.problem._replace(start=start, reference=reference))


def _run(table: Tabular, saved: _Saved) -> Run:
    template = saved.rule.init(table.problem)
    state = _rebuilt(template, "state", saved.arrays)
    return Run(
        rule=saved.rule,
        facts=Facts(table.problem, saved.horizon),
        tabular=table,
        status=saved.status,
        resume=RunState(state, saved.arrays["total"], saved.luck),
        changed=saved.changed,
        **{name: saved.arrays[name] for name in _COLUMNS},
    )


def _fingerprint(problem: Any) -> dict[str, Any]:
    """Return what defines the problem: the temperature, and hashes of payoffs with players, and of the anchor."""
    game = hashlib.sha256(str(problem.blocks.tolist()).encode())
    payoff = problem.payoff
    for array in stored_numbers(payoff) if isinstance(payoff, PayoffOperator) else (payoff,):
        game.update(np.ascontiguousarray(array).tobytes())
    return {
        "temperature": float(problem.temperature),
        "game": game.hexdigest(),
        "reference": hashlib.sha256(problem.reference.log.tobytes()).hexdigest(),
    }


def _differences(saved: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    """Return which parts of two problems are not the same."""
    found = []
    heats = saved["temperature"], asked["temperature"]
    if heats[0] != heats[1]:
        found.append(f"its temperature is {heats[0]:g}, not {heats[1]:g}")
    # Responses that the reference rules out are no part of the game that is played, so that one may change the other.
    if saved["game"] != asked["game"]:
        found.append("its game is another, or its reference plays other responses")
    # At temperature 0 the anchor is the start, which belongs to the run.
    elif all(heat > 0.0 for heat in heats) and saved["reference"] != asked["reference"]:
        found.append("its reference is another")
    return found


def _plain_oracle(oracle: Exact | Sampled) -> dict[str, Any] | None:
    return oracle._asdict() if isinstance(oracle, Sampled) else None


def _parts(value: tuple[Any, ...], path: str) -> Iterator[tuple[Any, str]]:
    names = getattr(value, "_fields", range(len(value)))
    return ((part, f"{path}.{name}") for name, part in zip(names, value, strict=True))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, FloatArray]]:
    """Return every array and number of a state, with a name."""
    if isinstance(value, tuple):
        for part, name in _parts(value, path):
            yield from _leaves(part, name)
    else:
        yield path, np.asarray(value)


def _rebuilt(template: Any, path: str, arrays: Mapping[str, Any]) -> Any:
    """Return a state like `template` with the saved arrays and numbers in it."""
    if isinstance(template, tuple):
        parts = [_rebuilt(part, name, arrays) for part, name in _parts(template, path)]
        return type(template)(*parts) if hasattr(template, "_fields") else tuple(parts)
    saved = arrays[path]
    if isinstance(template, np.ndarray):
        if saved.shape != template.shape or saved.dtype != template.dtype:
            raise ValueError(f"{path} has shape {saved.shape}, not {template.shape}")
        return np.array(saved)
    return type(template)(saved.item())
