"""``gtpref solve``: who wins, with a certificate."""

from __future__ import annotations

import contextlib
import os
from argparse import Namespace
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from .._jit import interpreted
from .._types import Labels
from ..exact.rational import Proof
from ..games import MatrixGame, OperatorGame, PreferenceGame, in_win_probabilities, is_symmetric
from ..gap import payoff_vectors
from ..majority import has_majorities
from ..solution import Solution
from ..status import Status
from ..trace import Snapshot
from . import exit_codes
from .answering import Question, Report, answer, is_small
from .game_summary import heading, majority_fields, remarks
from .output import note, show, show_json
from .policy_table import Column, table
from .progress import Progress, duration
from .reading import load
from .saving import require_folder, save
from .text import fields, label, listing, seconds

_LONG_FRACTION = 30
# Larger files take more than a blink to read.
_SLOW_BYTES = 5_000_000


def run(args: Namespace) -> int:
    """Read, solve, print, and write the file asked for."""
    require_folder(args.output)
    with Progress(args) as line:
        if os.path.isfile(args.file) and os.path.getsize(args.file) > _SLOW_BYTES:
            line.show(f"reading {args.file}")
        loaded = load(args)
    question = Question(args.temperature, args.reference, args.method, args.tol, args.exact, args.time_limit)
    with interpreted() if is_small(loaded.game) else contextlib.nullcontext():
        with Progress(args) as line:
            report = answer(loaded, question, _watcher(line, loaded.game))
        if args.json:
            show_json(report.to_dict())
        elif not args.quiet:
            show("\n".join(lines(report, every=args.all)))
        if args.output:
            save(report, args.output)
            note(args, f"wrote {args.output}")
    return _exit_code(report)


def _watcher(line: Progress, game: Any) -> Callable[[Snapshot], None] | None:
    """Return what draws how far a large game is; None where nothing is seen on the way."""
    if not isinstance(game, OperatorGame):
        return None

    def show(snapshot: Snapshot) -> None:
        line.show(f"step {snapshot.step:,}, gap {snapshot.metrics['gap']:.2g}, {duration(snapshot.seconds)}")

    return show


def _exit_code(report: Report) -> int:
    if not report.verified:
        return exit_codes.FALSE
    if report.solution.status is Status.INTERRUPTED:
        return exit_codes.INTERRUPTED
    return exit_codes.DONE if report.solution.converged else exit_codes.INCONCLUSIVE


def lines(report: Report, *, every: bool) -> list[str]:
    """Return the answer for a person."""
    top = [heading(report.loaded), *remarks(report.loaded)]
    game: Any = report.loaded.game
    return [*top, *(_symmetric_lines if is_symmetric(game) else _two_player_lines)(report, game, every=every)]


def _symmetric_lines(report: Report, game: PreferenceGame | OperatorGame, *, every: bool) -> list[str]:
    policy = np.asarray(report.solution.policy)
    result = fields(majority_fields(game, every=every)) if has_majorities(game) else []
    result += ["", *table(game.names, _columns(report), game.payoff @ policy, every=every), ""]
    worst = "Win rate" if in_win_probabilities(game) else "Payoff"
    return result + fields([*_answer_fields(report), (worst, _worst_case(report)), *_check_fields(report)])


def _columns(report: Report) -> list[Column]:
    policy = np.asarray(report.solution.policy)
    if report.minimax is None:
        return [Column("Minimax Winner", policy)]
    title = f"KL-regularised, temperature {report.solution.problem.temperature:g}"
    return [Column("Minimax Winner", np.asarray(report.minimax.policy)), Column(title, policy)]


def _worst_case(report: Report) -> str:
    game, policy = report.loaded.game, np.asarray(report.solution.policy)
    assert isinstance(game, (PreferenceGame, OperatorGame))
    even = 0.5 if in_win_probabilities(game) else 0.0
    against = even - game.payoff @ policy
    worst = int(np.argmin(against))
    if against[worst] >= even - 1e-9:
        return f"at least {even:.4f} against every response"
    return f"at least {against[worst]:.4f}, against {label(game.names[worst])}"


def _two_player_lines(report: Report, game: MatrixGame | OperatorGame, *, every: bool) -> list[str]:
    row, column = report.solution.policy
    row_payoff, column_payoff = payoff_vectors(game, report.solution.policy)
    result = ["", *table(game.row_names, [Column("Row player", row)], row_payoff, every=every)]
    result += ["", *table(game.column_names, [Column("Column player", column)], column_payoff, every=every)]
    value = f"{report.solution.value:.10g} to the row player"
    if isinstance(game, MatrixGame) and game.constant_sum:
        value += f", {game.constant_sum - report.solution.value:.10g} to the column player"
    return [*result, "", *fields([("Value", value), *_answer_fields(report), *_check_fields(report)])]


def _answer_fields(report: Report) -> list[tuple[str, str]]:
    if not report.solution.converged:
        return [("Answer", f"NOT CONVERGED: {report.solution.message}")]
    claim = report.certificate
    if claim.unique:
        return [("Answer", "unique")]
    if claim.unique is None:
        return [("Answer", f"whether it is the only one is not decided{_reason(report.solution)}")]
    if isinstance(claim.dimension, tuple):
        each = zip(("row", "column"), claim.dimension, claim.support_union, strict=True)
        extent = "; ".join(f"{player} player {_extent(dim, len(played))}" for player, dim, played in each)
    else:
        extent = f"the winners form {_extent(claim.dimension, len(claim.support_union))}"
    return [("Answer", f"not unique: {extent}"), ("", f"shown is {_which(report.question)}")]


def _reason(solution: Solution) -> str:
    sets = solution.solution_sets or ()
    return "".join(f": {found.reason}" for found in sets if found.unique is None)


def _extent(dimension: int | None, n_played: int) -> str:
    if dimension is None:
        return "not decided"
    return "unique" if dimension == 0 else f"a set of dimension {dimension} on {n_played} responses"


def _which(question: Question) -> str:
    if question.method != "auto":
        return f"the one that {question.method} met first"
    nearest = question.reference != "uniform"
    return "the one nearest to the reference" if nearest else "the one of maximum entropy"


def _check_fields(report: Report) -> list[tuple[str, str]]:
    solution = report.solution
    unit = "win probability" if in_win_probabilities(report.loaded.game) else "payoff"
    checked = "recomputed from the game" if report.verified else "CHECK FAILED"
    result = [("Certificate", f"duality gap {solution.gap:.2g} in {unit}, {checked}")]
    result += _proof_fields(report)
    return [*result, ("Solved", f"in {seconds(solution.seconds)} by {solution.method}")]


def _proof_fields(report: Report) -> list[tuple[str, str]]:
    proof = report.certificate.proof
    if proof is None:
        return []
    verdict = "verified" if report.verified else "does NOT verify"
    if isinstance(proof, Proof):
        exact = [("Exact", _fractions(report.solution.names, proof.policy))]
        reading = proof.reading
    else:
        row_names, column_names = report.solution.names
        exact = [
            ("Exact value", _fraction(str(proof.value))),
            ("Exact row", _fractions(row_names, proof.row)),
            ("Exact column", _fractions(column_names, proof.column)),
        ]
        reading = proof.pair.reading
    return [*exact, ("Proof", f"{verdict} in rational arithmetic, from {reading}")]


def _fractions(names: Labels, policy: Sequence[Fraction]) -> str:
    played = sorted((i for i, p in enumerate(policy) if p), key=lambda i: -policy[i])
    return listing((f"{names[i]} {_fraction(str(policy[i]))}" for i in played), 8)


def _fraction(shown: str) -> str:
    return shown if len(shown) <= _LONG_FRACTION else f"a fraction of {len(shown) - 1} digits (--json has it)"
