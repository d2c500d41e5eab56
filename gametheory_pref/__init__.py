"""Preference games: from real comparisons to a certified winner.

Examples
--------
>>> import gametheory_pref as gp
>>> game = gp.from_counts([[0, 60, 35], [40, 0, 80], [65, 20, 0]], names=["rock", "paper", "scissors"])
>>> solution = gp.solve(game)
>>> solution.policy.round(4), solution.gap < 1e-15
(array([0.5455, 0.2727, 0.1818]), True)
>>> solution.certificate(exact=True).proof.policy
(Fraction(6, 11), Fraction(3, 11), Fraction(2, 11))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name -> module that defines it. Names resolve on first use, so that importing the package costs next to
# nothing; no module is called like a public function, or importing it would shadow the function.
_HOMES = {
    "BatchSolution": "batch",
    "Certificate": "certificate",
    "Comparison": "sweeping",
    "Comparisons": "games.comparisons",
    "GameTheoryPrefError": "errors",
    "Entropic": "verbs",
    "Euclidean": "verbs",
    "Exact": "verbs",
    "Inclusion": "inclusions",
    "InclusionSolution": "inclusions",
    "InputError": "errors",
    "Interrupted": "errors",
    "METHODS": "methods",
    "MatrixGame": "games",
    "MissingDependency": "errors",
    "MissingPairsWarning": "errors",
    "MultiplayerGame": "games",
    "NotConverged": "errors",
    "OperatorGame": "games",
    "PairVotes": "games.pair_votes",
    "PreferenceGame": "games",
    "PAPERS": "methods._papers",
    "Problem": "problem",
    "RateReport": "rate_report",
    "Record": "trace",
    "Sampled": "verbs",
    "Schedule": "verbs",
    "Snapshot": "trace",
    "Solution": "solution",
    "Status": "status",
    "TemperaturePath": "temperature_path",
    "Trace": "trace",
    "UnsupportedCombination": "errors",
    "Verification": "verification",
    "Votes": "games.votes",
    "compare": "sweeping",
    "condorcet_winner": "majority",
    "duality_gap": "gap",
    "exploitability": "gap",
    "finite_sum_game": "games",
    "from_comparisons": "games.comparisons",
    "from_counts": "games.votes",
    "from_embeddings": "games",
    "from_margins": "games",
    "from_scores": "games",
    "inclusion": "inclusions",
    "load_run": "run_state",
    "majority_cycle": "majority",
    "matrix_game": "games",
    "multiplayer_game": "games",
    "operator_game": "games",
    "path": "temperature_path",
    "preference_game": "games",
    "read": "data",
    "save_run": "run_state",
    "schwartz_set": "majority",
    "smith_set": "majority",
    "solve": "solving",
    "solve_batch": "batch",
    "solve_inclusion": "inclusions",
    "verify": "verification",
    "verify_rate": "rates",
    "weak_condorcet_winners": "majority",
    "write": "data",
    "zoo": "games.zoo",
}
PUBLIC_MODULES = frozenset({"plot"})

__all__ = [*_HOMES, *PUBLIC_MODULES]

if TYPE_CHECKING:
    from . import plot as plot
    from .batch import BatchSolution as BatchSolution
    from .batch import solve_batch as solve_batch
    from .certificate import Certificate as Certificate
    from .data.reader import read as read
    from .data.writer import write as write
    from .errors import GameTheoryPrefError as GameTheoryPrefError
    from .errors import InputError as InputError
    from .errors import Interrupted as Interrupted
    from .errors import MissingDependency as MissingDependency
    from .errors import MissingPairsWarning as MissingPairsWarning
    from .errors import NotConverged as NotConverged
    from .errors import UnsupportedCombination as UnsupportedCombination
    from .games import MatrixGame as MatrixGame
    from .games import MultiplayerGame as MultiplayerGame
    from .games import OperatorGame as OperatorGame
    from .games import PreferenceGame as PreferenceGame
    from .games import finite_sum_game as finite_sum_game
    from .games import from_embeddings as from_embeddings
    from .games import from_margins as from_margins
    from .games import from_scores as from_scores
    from .games import matrix_game as matrix_game
    from .games import multiplayer_game as multiplayer_game
    from .games import operator_game as operator_game
    from .games import preference_game as preference_game
    from .games.comparisons import Comparisons as Comparisons
    from .games.comparisons import from_comparisons as from_comparisons
    from .games.pair_votes import PairVotes as PairVotes
    from .games.votes import Votes as Votes
    from .games.votes import from_counts as from_counts
    from .games.zoo import ZOO as zoo  # noqa: F401
    from .gap import duality_gap as duality_gap
    from .gap import exploitability as exploitability
    from .inclusions import Inclusion as Inclusion
    from .inclusions import InclusionSolution as InclusionSolution
    from .inclusions import inclusion as inclusion
    from .inclusions import solve_inclusion as solve_inclusion
    from .majority import condorcet_winner as condorcet_winner
    from .majority import majority_cycle as majority_cycle
    from .majority import schwartz_set as schwartz_set
    from .majority import smith_set as smith_set
    from .majority import weak_condorcet_winners as weak_condorcet_winners
    from .methods import METHODS as METHODS
    from .methods._papers import PAPERS as PAPERS
    from .problem import Problem as Problem
    from .rate_report import RateReport as RateReport
    from .rates import verify_rate as verify_rate
    from .run_state import load_run as load_run
    from .run_state import save_run as save_run
    from .solution import Solution as Solution
    from .solving import solve as solve
    from .status import Status as Status
    from .sweeping import Comparison as Comparison
    from .sweeping import compare as compare
    from .temperature_path import TemperaturePath as TemperaturePath
    from .temperature_path import path as path
    from .trace import Record as Record
    from .trace import Snapshot as Snapshot
    from .trace import Trace as Trace
    from .verbs import Entropic as Entropic
    from .verbs import Euclidean as Euclidean
    from .verbs import Exact as Exact
    from .verbs import Sampled as Sampled
    from .verbs import Schedule as Schedule
    from .verification import Verification as Verification
    from .verification import verify as verify


def __getattr__(name: str) -> Any:
    if name in PUBLIC_MODULES:
        return importlib.import_module(f".{name}", __name__)
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{home}", __name__), "ZOO" if name == "zoo" else name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
