"""One cell of a sweep: a rule on a problem with a seed; how it runs, and what it leaves behind."""

from __future__ import annotations

import hashlib
import json
import traceback
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .._types import FloatArray
from ..errors import InputError
from ..facts import Facts
from ..fused import kernel_of
from ..games import Game, PreferenceGame
from ..gap import problem_gap, value
from ..iterating import Run, RunState
from ..methods import Rule, starts_anywhere
from ..problem import Policy, Problem, action_counts
from ..rule_data import rule_to_dict
from ..solution import Solution
from ..solving import solve
from ..status import Status
from ..tabular import tabular
from ..trace import Record, Trace
from ..verbs import Exact, Sampled
from .identity import game_hash, policy_hash, policy_of

RESULT_SCHEMA = 1
"""Rises when what a cell computes changes, so that old databases are not taken for new results."""

COLUMNS = ("step", "payoff_calls", "seconds", "gap", "gap_last", "gap_average", "kl_last", "kl_average")
"""Columns of a trajectory; ``gap`` is that of the answer, ``kl`` the divergence of the equilibrium from the policy."""

FAILED = "failed"
"""Status of a cell that raised an exception; other cells carry the name of a `Status`."""

# Iterates make the verdict of a theorem a matter of reading; those of larger games would swell the database.
MOST_KEPT = 512
# The equilibrium of larger games costs more than a short run.
_MOST_SOLVED = 128


@dataclass(frozen=True, eq=False)
class NamedProblem:
    """A problem of the grid: a game under its name, a temperature, a reference."""

    name: str
    problem: Problem

    @cached_property
    def game_hash(self) -> str:
        """Hash of the payoffs and names."""
        return game_hash(self.problem.game)

    @cached_property
    def log_equilibrium(self) -> FloatArray | None:
        """Logarithm of the equilibrium over the responses kept, where it is unique and cheap; else None."""
        game, heat = self.problem.game, self.problem.temperature
        if sum(action_counts(game)) > _MOST_SOLVED:
            return None
        # At temperature 0 the reference is a start only, which may lie on the boundary.
        plain = Problem(game, heat, self.problem.reference if heat > 0.0 else None)
        return Facts(tabular(plain, None, Exact()).problem, 1).log_equilibrium


@dataclass(frozen=True, eq=False)
class Cell:
    """A rule, settled, on a problem with a seed.

    Attributes
    ----------
    method : str
        Label in tables and legends.
    rule : NamedTuple
        The rule, its step size a `Schedule`.
    named : NamedProblem
    seed : int
        Of the start where `starts` is "random", and of the samples where the oracle samples.
    starts : {"reference", "random"}
    max_steps : int
    tol : float
    oracle : Exact or Sampled
    """

    method: str
    rule: Rule
    named: NamedProblem
    seed: int
    starts: str
    max_steps: int
    tol: float
    oracle: Exact | Sampled

    @cached_property
    def definition(self) -> dict[str, Any]:
        """Everything that the result depends on, as plain data."""
        problem = self.named.problem
        # At temperature 0 the reference is where the run starts, unless the start is drawn.
        counts = problem.temperature > 0.0 or self.starts == "reference"
        return {
            "schema": RESULT_SCHEMA,
            "rule": rule_to_dict(self.rule),
            "game": self.named.game_hash,
            "temperature": problem.temperature,
            "reference": policy_hash(problem.reference) if counts else None,
            "starts": self.starts,
            "max_steps": self.max_steps,
            "tol": self.tol,
            "seed": self.seed,
            "oracle": None if isinstance(self.oracle, Exact) else list(self.oracle),
        }

    @cached_property
    def key(self) -> str:
        """Hash of the definition in canonical JSON."""
        text = json.dumps(self.definition, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def start(self) -> Policy | None:
        """Return the first policy; None means the reference."""
        return None if self.starts == "reference" else random_start(self.named.problem.game, self.seed)

    def solve(self) -> Solution:
        """Run the rule and return its solution; the same call from anywhere gives the same numbers.

        Examples
        --------
        >>> import gametheory_pref as gp
        >>> comparison = gp.compare("comal", ["extragradient"], temperatures=[0.1], max_steps=100)
        >>> comparison.cells[0].cell.solve().n_steps
        100
        """
        problem = self.named.problem
        return solve(
            problem.game,
            self.rule,
            temperature=problem.temperature,
            reference=problem.reference,
            start=self.start(),
            tol=self.tol,
            max_steps=self.max_steps,
            record=Record(),
            rng=run_generator(self.seed),
            oracle=self.oracle,
        )


class CellOutcome(NamedTuple):
    """What a cell left behind; plain arrays and words, so that it travels and can be stored.

    Attributes
    ----------
    status : str
        Name of a `Status` in lower case, or "failed".
    message : str
        What was done and how it ended; of a failure, the exception.
    traceback : str
        Of a failure; empty otherwise.
    seconds : float
        Wall time of the cell, without the compilation of its rule.
    policy : ndarray or None
        The answer, all players' probabilities one after the other.
    trajectory : ndarray, shape (records, 8), or None
        `COLUMNS`, one row per record point; NaN where the equilibrium is not unique or too expensive.
    iterates : ndarray, shape (records, 2, n), or None
        Logarithms of the iterates, and averages of the policies played.
    """

    status: str
    message: str
    traceback: str
    seconds: float
    policy: FloatArray | None
    trajectory: FloatArray | None
    iterates: FloatArray | None

    @property
    def failed(self) -> bool:
        """Whether it raised an exception or left the finite numbers."""
        return self.status in (FAILED, Status.NONFINITE.name.lower())


def run_cell(cell: Cell) -> tuple[str, CellOutcome]:
    """Run a cell and return its key and outcome; whatever goes wrong in it is an outcome, too."""
    try:
        if not kernel_of(cell.rule).is_loaded:
            # A first step that nobody times: whoever comes first would otherwise pay for the compiler.
            replace(cell, max_steps=1).solve()
        return cell.key, _outcome(cell, cell.solve())
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        return cell.key, CellOutcome(FAILED, message, traceback.format_exc(), 0.0, None, None, None)


def _outcome(cell: Cell, solution: Solution) -> CellOutcome:
    run = solution.run
    assert run is not None
    averaged = run.rule.info.answer == "average"
    trajectory = np.column_stack(
        [
            run.steps,
            run.payoff_calls,
            run.seconds,
            run.gap_average if averaged else run.gap_last,
            run.gap_last,
            run.gap_average,
            *_divergences(run.facts, cell.named.log_equilibrium, run),
        ]
    ).astype(np.float64)
    policy = solution.policy
    keep = run.log_last.shape[1] <= MOST_KEPT
    return CellOutcome(
        solution.status.name.lower(),
        solution.message,
        "",
        solution.seconds,
        np.concatenate(policy) if isinstance(policy, tuple) else policy,
        trajectory,
        np.stack([run.log_last, run.average], axis=1) if keep else None,
    )


def _divergences(facts: Facts, log_equilibrium: FloatArray | None, run: Run) -> tuple[FloatArray, FloatArray]:
    """Return the divergence of the equilibrium from the iterates and from the averages; NaN where it is not known."""
    if log_equilibrium is None:
        unknown = np.full(len(run.steps), np.nan)
        return unknown, unknown
    with np.errstate(divide="ignore"):
        log_average = np.log(run.average)
    return facts.divergence_from(log_equilibrium, run.log_last), facts.divergence_from(log_equilibrium, log_average)


def run_of(cell: Cell, outcome: CellOutcome) -> Run | None:
    """Return the run behind an outcome, with its iterates; None where they were not kept."""
    if outcome.trajectory is None or outcome.iterates is None:
        return None
    table = tabular(cell.named.problem, cell.start(), cell.oracle, anywhere=starts_anywhere(cell.rule))
    column = dict(zip(COLUMNS, outcome.trajectory.T, strict=True))
    steps = column["step"].astype(np.int64)
    average = np.ascontiguousarray(outcome.iterates[:, 1])
    return Run(
        rule=cell.rule,
        facts=Facts(table.problem, cell.max_steps),
        tabular=table,
        status=Status[outcome.status.upper()],
        # The state of the rule is not stored: the run can be judged, not gone on with.
        resume=RunState(None, average[-1] * steps[-1]),
        steps=steps,
        payoff_calls=column["payoff_calls"].astype(np.int64),
        seconds=column["seconds"],
        gap_last=column["gap_last"],
        gap_average=column["gap_average"],
        log_last=np.ascontiguousarray(outcome.iterates[:, 0]),
        average=average,
    )


def random_start(game: Game, seed: int) -> Policy:
    """Return a policy drawn uniformly from the simplex, for each player; the same for every method and temperature."""
    generator = np.random.default_rng(np.random.SeedSequence(seed).spawn(2)[0])
    parts = tuple(_interior(generator.dirichlet(np.ones(count))) for count in action_counts(game))
    return parts[0] if isinstance(game, PreferenceGame) else parts


def _interior(policy: FloatArray) -> FloatArray:
    # A draw that underflows would start on the boundary, which multiplicative steps never leave.
    inside = np.maximum(policy, 1e-300)
    return np.asarray(inside / inside.sum())


def run_generator(seed: int) -> np.random.Generator:
    """Return the generator of a run's samples: another stream than that of its start."""
    return np.random.default_rng(np.random.SeedSequence(seed).spawn(2)[1])


@dataclass(frozen=True, eq=False)
class CellResult:
    """A cell and its outcome.

    Attributes
    ----------
    cell : Cell
    outcome : CellOutcome
    """

    cell: Cell
    outcome: CellOutcome

    @property
    def method(self) -> str:
        """Label of the method."""
        return self.cell.method

    @property
    def game(self) -> str:
        """Name of the game."""
        return self.cell.named.name

    @property
    def temperature(self) -> float:
        """KL weight."""
        return self.cell.named.problem.temperature

    @property
    def seed(self) -> int:
        """Seed of the start and of the samples."""
        return self.cell.seed

    @property
    def status(self) -> str:
        """How it ended: the name of a `Status` in lower case, or "failed"."""
        return self.outcome.status

    @property
    def message(self) -> str:
        """What was done and how it ended."""
        return self.outcome.message

    @property
    def failed(self) -> bool:
        """Whether it raised an exception or left the finite numbers."""
        return self.outcome.failed

    @property
    def policy(self) -> FloatArray | None:
        """The answer; None of a failure."""
        return self.outcome.policy

    def column(self, name: str) -> FloatArray:
        """Return a column of the trajectory, one of ``COLUMNS``; empty of a failure."""
        if name not in COLUMNS:
            raise InputError(f"column must be one of {', '.join(COLUMNS)}; got {name!r}")
        trajectory = self.outcome.trajectory
        return np.empty(0) if trajectory is None else trajectory[:, COLUMNS.index(name)]

    @property
    def gap(self) -> float:
        """Duality gap of the answer; infinite of a failure."""
        gaps = self.column("gap")
        return float(gaps[-1]) if len(gaps) else np.inf

    def solution(self) -> Solution | None:
        """Return the outcome as a solution, for plots and for `verify_rate`, without running it again.

        It has no state to go on from, and no ``run`` where the iterates were not kept. None of a failure without
        numbers.
        """
        outcome, problem = self.outcome, self.cell.named.problem
        if outcome.trajectory is None or outcome.policy is None:
            return None
        column = dict(zip(COLUMNS, outcome.trajectory.T, strict=True))
        steps, calls = (column[name].astype(np.int64) for name in ("step", "payoff_calls"))
        policy = policy_of(problem.game, outcome.policy)
        metrics = {name: column[name] for name in ("gap", "gap_last", "gap_average")}
        return Solution(
            problem=problem,
            policy=policy,
            value=value(problem, policy),
            gap=problem_gap(problem, policy),
            status=Status[outcome.status.upper()],
            message=outcome.message,
            method=self.cell.rule.info.name,
            n_steps=int(steps[-1]),
            payoff_calls=int(calls[-1]),
            seconds=outcome.seconds,
            trace=Trace(steps, calls, column["seconds"], metrics),
            run=run_of(self.cell, outcome),
        )
