"""``gtpref demo``: the main job on real data that come with the package."""

from __future__ import annotations

from argparse import Namespace

import numpy as np

from .. import majority
from .._jit import interpreted
from ..data import load
from ..datasets import dataset_path
from ..exact.rational import Proof
from ..games import PreferenceGame
from ..solution import Solution
from . import exit_codes
from .answering import Question, Report, answer
from .game_summary import cycle_text
from .output import note, show, show_json
from .policy_table import Column, table
from .saving import save
from .text import count, listing

_TEMPERATURE = 0.05
_QUESTIONS = {
    "pandalm_human": Question(temperature=_TEMPERATURE),
    "govan_2007": Question(exact=True),
    "arena_top8": Question(temperature=_TEMPERATURE),
}
PYTHON = """\
import gametheory_pref as gp
from gametheory_pref.datasets import dataset_path

game = gp.read(dataset_path("govan_2007"))
solution = gp.solve(game)
fractions = solution.certificate(exact=True).proof.policy"""


def run(args: Namespace) -> int:
    """Solve the bundled data sets and tell what came out."""
    # Games this small are solved before a compiler would be there.
    with interpreted():
        reports = {name: answer(load(dataset_path(name)), question) for name, question in _QUESTIONS.items()}
        if args.json:
            found = {name: report.to_dict() for name, report in reports.items()}
            show_json({"schema": "gtpref.demo/1", "datasets": found, "python": PYTHON})
        elif not args.quiet:
            show("\n".join(_story(reports)))
        if args.output:
            save(reports["govan_2007"], args.output)
            note(args, f"wrote {args.output} (Govan)")
    verified = all(report.verified for report in reports.values())
    return exit_codes.DONE if verified else exit_codes.FALSE


def _story(reports: dict[str, Report]) -> list[str]:
    return [
        "Which of 5 language models gives the better answer? People judged (PandaLM).",
        *_models(reports["pandalm_human"]),
        "",
        "Who won? Voters ranked the candidates (Govan ward, Glasgow, 2007; the three strongest).",
        *_election(reports["govan_2007"]),
        "",
        "Which of 8 chat models? Visitors judged (Chatbot Arena, March 2024).",
        *_models(reports["arena_top8"]),
        "",
        "The election in Python:",
        *(f"  {line}" for line in PYTHON.splitlines() if line),
        "Your own data: gtpref solve FILE -o report.html",
    ]


def _models(report: Report) -> list[str]:
    game = _game(report)
    return [
        f"  {_comparisons(game)}: {_winner(report)}",
        f"  KL-regularised, temperature {_TEMPERATURE:g}: {_shares(report.solution)}",
    ]


def _winner(report: Report) -> str:
    """Return the sentence on the best model, which the minimax solution has to confirm."""
    assert report.minimax is not None
    best = majority.condorcet_winner(_game(report))
    agrees = report.minimax.support() == (best,)
    return f"{best} beats every other model, so it is {'the' if agrees else 'NOT the'} Minimax Winner"


def _election(report: Report) -> list[str]:
    game = _game(report)
    cycle = majority.majority_cycle(game)
    policy = np.asarray(report.solution.policy)
    proof = report.certificate.proof
    assert isinstance(proof, Proof)
    fractions = listing(sorted(proof.policy, reverse=True), None)
    only = "the only one" if proof.unique else "one of several"
    verdict = "proved" if report.verified else "NOT proved"
    rows = table(game.names, [Column("Minimax Winner", policy)], game.payoff @ policy, every=True)
    return [
        f"  {_comparisons(game)}: {cycle_text(cycle)}",
        "  nobody beats both others; the lottery that loses to nobody is",
        *(f"    {line}" for line in rows[1:]),
        f"  exactly {fractions}, {only}: {verdict} in rational arithmetic",
    ]


def _game(report: Report) -> PreferenceGame:
    game = report.loaded.game
    assert isinstance(game, PreferenceGame)
    return game


def _comparisons(game: PreferenceGame) -> str:
    assert game.votes is not None
    return count(game.votes.n_comparisons, "comparison")


def _shares(solution: Solution) -> str:
    policy = np.asarray(solution.policy)
    order = [i for i in np.argsort(-policy, kind="stable") if policy[i] > 0.0]
    shown = [f"{solution.names[i]} {policy[i]:.4f}" for i in order[:2]]
    rest = float(policy[order[2:]].sum())
    return listing(shown, None) + (f", others {rest:.4f}" if rest else "")
