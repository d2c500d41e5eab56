"""`verify`: every theorem of every method put to the test, and controls that must fail."""

from __future__ import annotations

import functools
import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal, TypeAlias

import numpy as np

from ._types import FloatArray
from .errors import InputError, UnsupportedCombination
from .games import PreferenceGame, preference_game
from .games.zoo import ZOO
from .inclusions import Inclusion, InclusionSolution, example, solve_inclusion
from .methods import METHODS, as_rule
from .methods._info import Guarantee, Trial
from .negative_controls import controls as negative_controls
from .rate_report import RateReport, Verdict
from .rates import verify_rate
from .solution import Solution
from .solving import solve
from .trace import Record
from .verbs import Exact, Sampled

Kind: TypeAlias = Literal["theorem", "printed claim", "negative control"]

SCHEMA = "gtpref.verification/1"

GAMES = (
    "rock_paper_scissors",
    "biased_rock_paper_scissors",
    "comal",
    "weighted_five_cycle",
    "bradley_terry",
    "star_8",
    "random_10_0",
    "random_10_1",
    "random_10_2",
)
TEMPERATURES = (0.02, 0.1, 0.5)
# A run may stop at this gap: nothing is compared below it.
_FLOOR = 1e-24


@dataclass(frozen=True, eq=False)
class Case:
    """A theorem on one trial.

    Attributes
    ----------
    trial : Trial
        Game, temperature and settings.
    report : RateReport
        What came out; `report.curve` holds the numbers.
    """

    trial: Trial
    report: RateReport

    def __str__(self) -> str:
        game = self.trial.game if isinstance(self.trial.game, str) else "a game"
        settings = "".join(f", {name} {value}" for name, value in self.trial.settings.items())
        return f"{game}, temperature {self.trial.temperature:g}{settings}"


@dataclass(frozen=True, eq=False)
class VerificationRow:
    """A theorem on all its trials.

    Attributes
    ----------
    method : str
        Name of the rule.
    guarantee : Guarantee
        The theorem or claim.
    kind : {"theorem", "printed claim", "negative control"}
        What it is: proved, printed but known to be wrong, or a claim that nobody makes.
    expected : {"holds", "violated"}
        What should come out.
    verdict : {"holds", "violated", "inconclusive"}
        What came out: violated if any trial is, else holds if any does.
    tightness : float or None
        Largest ratio of what was measured to what the theorem allows, over all trials.
    n_judged, n_inconclusive : int
        Trials that decided, and trials that did not.
    reason : str
        One sentence with the numbers of the trial that decided, or why none did.
    cases : tuple of Case
        Every trial; the deciding one first.
    """

    method: str
    guarantee: Guarantee
    kind: Kind
    expected: Verdict
    verdict: Verdict
    tightness: float | None
    n_judged: int
    n_inconclusive: int
    reason: str
    cases: tuple[Case, ...]

    @property
    def ok(self) -> bool:
        """Whether what came out is what should."""
        return self.verdict == self.expected

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, null for what is not finite."""
        tightness = self.tightness
        return {
            "method": self.method,
            "theorem": self.guarantee.name,
            "statement": self.guarantee.statement,
            "source": self.guarantee.source,
            "kind": self.kind,
            "expected": self.expected,
            "verdict": self.verdict,
            "ok": self.ok,
            "tightness": tightness if tightness is not None and math.isfinite(tightness) else None,
            "n_judged": self.n_judged,
            "n_inconclusive": self.n_inconclusive,
            "reason": self.reason,
            "cases": [{"trial": str(case), **case.report.to_dict()} for case in self.cases],
        }


@dataclass(frozen=True, eq=False, repr=False)
class Verification:
    """What `verify` found out: one row per theorem.

    Attributes
    ----------
    rows : tuple of VerificationRow
    seconds : float
        Wall time.
    n_planned : int or None
        How many rows there would be if nobody had stopped it; None when it came to its end.
    """

    rows: tuple[VerificationRow, ...]
    seconds: float
    n_planned: int | None = None

    @property
    def ok(self) -> bool:
        """Whether every row came out as expected."""
        return all(row.ok for row in self.rows)

    @property
    def failures(self) -> tuple[VerificationRow, ...]:
        """Rows that did not."""
        return tuple(row for row in self.rows if not row.ok)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, null for what is not finite."""
        return {
            "schema": SCHEMA,
            "ok": self.ok,
            "seconds": self.seconds,
            "n_planned": self.n_planned,
            "rows": [row.to_dict() for row in self.rows],
        }

    def to_text(self) -> str:
        """Return the table as text: a line per theorem, and a sentence for each that came out wrong."""
        lines = []
        for kind, title in _TITLES.items():
            rows = [row for row in self.rows if row.kind == kind]
            if rows:
                lines += [title, *_table(rows), ""]
        lines += [f"{row.method}, {row.guarantee.name}: {row.verdict}. {row.reason}" for row in self.failures]
        return "\n".join([*lines, self._closing()])

    def _closing(self) -> str:
        """Return how many rows are as they should be, out of those that were tried."""
        rows = "1 row" if len(self.rows) == 1 else f"{len(self.rows)} rows"
        if self.n_planned is not None:
            rows = f"{len(self.rows)} of {self.n_planned} rows tried"
        wrong = len(self.failures)
        if wrong:
            return f"{rows}, {wrong} not as {'it' if wrong == 1 else 'they'} should be."
        if len(self.rows) == 1:
            return f"{rows}, as it should be."
        return f"{rows}, all as they should be." if self.rows else f"{rows}."

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.to_text())}</pre>"

    def __repr__(self) -> str:
        return f"Verification({len(self.rows)} rows, {len(self.failures)} not as they should be)"


_TITLES: dict[Kind, str] = {
    "theorem": "Theorems; each should hold",
    "printed claim": "Printed claims known to be wrong or too broad; each should be violated",
    "negative control": "Negative controls; each should be violated",
}


def _table(rows: list[VerificationRow]) -> list[str]:
    cells = [("", "method", "theorem", "verdict", "tightness", "judged")]
    for row in rows:
        tightness = "" if row.tightness is None else f"{row.tightness:.4g}"
        judged = f"{row.n_judged}/{row.n_judged + row.n_inconclusive}"
        mark = "ok" if row.ok else "!!"
        cells.append((mark, row.method, row.guarantee.name, row.verdict, tightness, judged))
    widths = [max(len(line[column]) for line in cells) for column in range(6)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def verify(
    methods: Sequence[Any] | None = None,
    *,
    controls: bool = True,
    callback: Callable[[VerificationRow], Any] | None = None,
) -> Verification:
    """Put every theorem of every method to the test.

    A theorem is tried with every named step size of its method on cycles, a transitive game, a star and random games,
    at temperatures 0.02, 0.1 and 0.5, or at 0; or on the trials that it names itself. What is proved should hold; what
    is printed but known to be wrong, and the negative controls, should come out violated.

    Parameters
    ----------
    methods : sequence of str or rules, optional
        Which methods; all of `METHODS` when left out.
    controls : bool
        Whether to run the negative controls, too.
    callback : callable, optional
        Called with each `VerificationRow` when it is done.

    Returns
    -------
    Verification
        One row per theorem; `Verification.to_text` is the table.

    Raises
    ------
    InputError
        No such method.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> found = gp.verify(["multiplicative_weights"], controls=False)
    >>> found.ok, {row.verdict for row in found.rows}
    (True, {'holds'})
    """
    began = time.perf_counter()
    rows: list[VerificationRow] = []
    for bench, claims in _agenda(methods, controls):
        for theorem, kind in claims:
            rows.append(bench.row(theorem, kind))
            if callback is not None:
                callback(rows[-1])
    return Verification(tuple(rows), time.perf_counter() - began)


def _agenda(
    methods: Sequence[Any] | None, controls: bool
) -> Iterator[tuple[Bench, list[tuple[Guarantee, Kind]]]]:
    """Yield every rule with the claims about it."""
    if isinstance(methods, str):
        raise InputError(f"methods must be a sequence of names or rules; got {methods!r}, write [{methods!r}]")
    rules = METHODS.primary() if methods is None else [as_rule(method) for method in methods]
    for rule in rules:
        theorems = rule.info.guarantees
        yield Bench(rule), [(theorem, "theorem" if theorem.proved else "printed claim") for theorem in theorems]
    if controls:
        for rule, claim in negative_controls():
            yield Bench(rule, jit=False), [(claim, "negative control")]


class Bench:
    """A rule with its runs, which all theorems about it look at.

    Parameters
    ----------
    rule : rule or class of rules
        One with settings of its own is tried with these only.
    jit : bool
        False runs it in the interpreter.
    """

    def __init__(self, rule: Any, *, jit: bool = True) -> None:
        self.rule = as_rule(rule)
        self._runs_of = functools.cache(functools.partial(_run, self.rule, jit))
        self._usual = _usual_trials(self.rule)

    def row(self, theorem: Guarantee, kind: Kind) -> VerificationRow:
        """Try a theorem on its trials, or on the usual ones where it names none."""
        cases = [Case(trial, self._judged(theorem, trial)) for trial in theorem.trials or self._usual]
        found = {case.report.verdict for case in cases}
        ranked: tuple[Verdict, ...] = ("violated", "holds", "inconclusive")
        verdict = next(outcome for outcome in ranked if outcome in found)
        cases.sort(key=lambda case: (case.report.verdict != verdict, -_tightness(case.report)))
        judged = [case for case in cases if case.report.verdict != "inconclusive"]
        tightness = max((_tightness(case.report) for case in judged), default=-math.inf)
        return VerificationRow(
            method=self.rule.info.name,
            guarantee=theorem,
            kind=kind,
            expected="holds" if kind == "theorem" else "violated",
            verdict=verdict,
            tightness=tightness if math.isfinite(tightness) else None,
            n_judged=len(judged),
            n_inconclusive=len(cases) - len(judged),
            reason=f"{cases[0]}: {cases[0].report.reason}",
            cases=tuple(cases),
        )

    def _judged(self, theorem: Guarantee, trial: Trial) -> RateReport:
        runs = self._runs_of(trial)
        if isinstance(runs, str):
            return RateReport(self.rule.info.name, theorem, "inconclusive", runs)
        return verify_rate(runs, theorem)


def _tightness(report: RateReport) -> float:
    return -math.inf if report.tightness is None else report.tightness


def _run(rule: Any, jit: bool, trial: Trial) -> list[Solution] | list[InclusionSolution] | str:
    """Return the runs of a trial, or the sentence that says why there are none."""
    if isinstance(trial.game, str) and trial.game.startswith("inclusion "):
        return _runs_on_inclusion(rule, trial, example(trial.game.removeprefix("inclusion ")))
    game = game_by_name(trial.game)
    reference, start = (_policy(value, game.n_responses) for value in (trial.reference, trial.start))
    luck = np.random.SeedSequence(0).spawn(trial.seeds)
    oracle = Sampled(trial.opponents, True) if trial.opponents else Exact()
    try:
        return [
            solve(
                game,
                rule._replace(**trial.settings),
                temperature=trial.temperature,
                reference=reference,
                start=start,
                tol=_FLOOR,
                max_steps=trial.max_steps,
                record=Record(per_decade=trial.per_decade),
                rng=np.random.default_rng(seed),
                oracle=oracle,
                jit=jit,
            )
            for seed in luck
        ]
    except (InputError, UnsupportedCombination) as error:
        return str(error)


def _runs_on_inclusion(rule: Any, trial: Trial, inclusion: Inclusion) -> list[InclusionSolution] | str:
    record = Record(per_decade=trial.per_decade)
    limits: dict[str, Any] = {"tol": _FLOOR, "max_steps": trial.max_steps, "record": record}
    luck = [np.random.default_rng(seed) for seed in np.random.SeedSequence(0).spawn(trial.seeds)]
    try:
        return [solve_inclusion(inclusion, rule._replace(**trial.settings), rng=rng, **limits) for rng in luck]
    except (InputError, UnsupportedCombination) as error:
        return str(error)


def game_by_name(game: Any) -> PreferenceGame:
    """Return a game by its name, or from its win probabilities."""
    if not isinstance(game, str):
        return preference_game(game)
    if game in ZOO:
        found = ZOO[game].game
        assert isinstance(found, PreferenceGame)
        return found
    if match := re.fullmatch(r"random_(\d+)_(\d+)", game):
        n, seed = (int(number) for number in match.groups())
        below = np.tril(np.random.default_rng(seed).uniform(-0.5, 0.5, (n, n)), -1)
        return preference_game(0.5 + below - below.T)
    if match := re.fullmatch(r"star_(\d+)", game):
        n = int(match.group(1))
        wins = np.full((n, n), 0.5)
        wins[0, 1:], wins[1:, 0] = 1.0, 0.0
        return preference_game(wins)
    raise InputError(f"game must be a name of the zoo, random_SIZE_SEED or star_SIZE; got {game!r}")


def _policy(value: Any, n: int) -> FloatArray | None:
    if value is None:
        return None
    if not isinstance(value, int):
        return np.asarray(value, dtype=np.float64)
    weight = np.exp(np.random.default_rng(value).standard_normal(n))
    return np.asarray(weight / weight.sum())


def _usual_trials(rule: Any) -> tuple[Trial, ...]:
    """Return the usual games at the temperatures that a rule solves, with each of its named step sizes."""
    info = rule.info
    temperatures = [0.0] * ("minimax" in info.solves) + list(TEMPERATURES) * ("regularized" in info.solves)
    own = rule != type(rule)()
    settings = [{}] if own or not info.step_sizes else [{"step_size": name} for name in info.step_sizes]
    return tuple(Trial(game, heat, chosen) for game in GAMES for heat in temperatures for chosen in settings)
