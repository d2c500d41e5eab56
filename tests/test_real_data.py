"""Every independently solved game of the real-data folder: winner, uniqueness, dimension, proof, KL equilibria."""

from __future__ import annotations

import functools
import json
import pathlib
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref.exact.rational import prove, rational_payoff

from .conftest import shared_data_folder

FOLDER = shared_data_folder()
RECORDS: dict[str, Any] = (
    {} if FOLDER is None else json.loads((FOLDER / "solutions.json").read_text(encoding="utf-8"))
)
# The proof of these takes many seconds; they run in the slow suite.
LARGE = 60

pytestmark = pytest.mark.skipif(not RECORDS, reason="the folder of real data is absent; set GAMETHEORY_PREF_DATA")


def source(key: str) -> pathlib.Path:
    """Return the file of a record."""
    assert FOLDER is not None
    stem = key.split("|")[0]
    patterns = [f"*/{stem}", f"*/{stem}.gz", f"pairwise/{stem}.csv", f"payoff/{stem}.*", f"agent_task/{stem}.csv"]
    patterns += [f"nc/{stem}.csv", f"nc/{stem}_matches.csv", f"battles/{stem}.csv"]
    for pattern in patterns:
        found = sorted(FOLDER.glob(pattern))
        if found:
            return found[0]
    raise AssertionError(f"no file for {key}")


# Files whose numbers are not win rates or counts say what they are.
EXPLICIT_KINDS = {
    "axelrod_ipd": "points", "rrps_43bots": "points", "type_chart_18": "points",
    "atari_agent57_table": "scores-by-task", "atari_muesli_table11": "scores-by-task",
    "atari_rainbow_table5": "scores-by-task",
}


@functools.cache
def load(key: str, kind: str) -> gp.PreferenceGame:
    """Return the game of a record; `kind` says how counts become payoffs."""
    chosen = EXPLICIT_KINDS.get(key, "auto" if "maximal_lottery" in RECORDS[key] else kind)
    unranked = "bottom" if key.endswith("|unranked-bottom") else "ignore"
    # The rates stated for incomplete orders with ties leave tied pairs out of the number of comparisons.
    ties = "drop" if key.endswith(".toi") else "half"
    game = gp.read(source(key), kind=chosen, unranked=unranked, ties=ties)
    assert isinstance(game, gp.PreferenceGame)
    return game


def lottery_cases() -> list[Any]:
    cases = []
    for key, record in RECORDS.items():
        for field, kind in [
            ("maximal_lottery_margin", "margin"), ("maximal_lottery_rate", "rate"), ("maximal_lottery", "margin")
        ]:
            if isinstance(record.get(field), dict):
                cases.append(pytest.param(key, field, kind, id=f"{key}-{field.removeprefix('maximal_')}"))
    return cases


def as_vector(game: gp.PreferenceGame, table: dict[str, float]) -> np.ndarray:
    missing = set(table) - {str(name) for name in game.names}
    assert not missing, f"unknown names {missing}"
    return np.array([table.get(str(name), 0.0) for name in game.names])


@pytest.mark.parametrize(("key", "field", "kind"), lottery_cases())
def test_winner(key: str, field: str, kind: str) -> None:
    game, stated = load(key, kind), RECORDS[key][field]
    solution = gp.solve(game)
    certificate = solution.certificate()
    assert solution.converged, solution.message
    assert solution.gap <= 1e-9
    assert certificate.verify()
    assert certificate.unique == stated["unique"]
    assert certificate.dimension == stated["dimension_of_solution_set"]
    union = {str(name) for name in certificate.support_union}
    assert len(union) == stated.get("support_union_size", len(union))
    assert union == set(stated.get("support_union", union))
    assert {str(name) for name in solution.support()} <= union
    if stated["unique"]:
        np.testing.assert_allclose(solution.policy, as_vector(game, stated["p"]), atol=1e-7)
    elif stated.get("max_entropy_exploitability") == 0.0:
        np.testing.assert_allclose(solution.policy, as_vector(game, stated["max_entropy_p"]), atol=1e-5)
    elif "max_entropy_p" in stated:
        # The stated point ignores the responses outside the union of supports, and one of them beats it.
        assert gp.exploitability(game, as_vector(game, stated["max_entropy_p"])) > 1e-3
        np.testing.assert_allclose(solution.policy, maximum_entropy_by_cone(game, stated["support_union"]), atol=1e-5)


def maximum_entropy_by_cone(game: gp.PreferenceGame, union: list[str]) -> np.ndarray:
    """Maximise the entropy over all winners, which play `union` only, with an independent conic solver."""
    import cvxpy

    played = [game.index(name) for name in union]
    others = np.setdiff1d(np.arange(game.n_responses), played)
    weights = cvxpy.Variable(len(played))
    constraints = [cvxpy.sum(weights) == 1, game.payoff[np.ix_(played, played)] @ weights == 0]
    if others.size:
        constraints.append(game.payoff[np.ix_(others, played)] @ weights <= 0)
    problem = cvxpy.Problem(cvxpy.Maximize(cvxpy.sum(cvxpy.entr(weights))), constraints)
    problem.solve(solver=cvxpy.CLARABEL)
    assert problem.status == cvxpy.OPTIMAL
    result = np.zeros(game.n_responses)
    result[played] = weights.value
    return result


@pytest.mark.parametrize(
    ("key", "field", "kind"),
    [
        pytest.param(
            *case.values, id=case.id, marks=[pytest.mark.slow] if RECORDS[case.values[0]]["n_items"] > LARGE else []
        )
        for case in lottery_cases()
        if RECORDS[case.values[0]][case.values[1]].get("exact_certificate", True) is True
    ],
)
def test_exact_certificate(key: str, field: str, kind: str) -> None:
    game, stated = load(key, kind), RECORDS[key][field]
    certificate = gp.solve(game).certificate(exact=True)
    proof = certificate.proof
    assert proof is not None
    assert certificate.verify()
    assert proof.unique == stated["unique"]
    assert proof.dimension == stated["dimension_of_solution_set"]
    if stated["unique"] and "p_exact" in stated:
        found = {str(name): p for name, p in zip(game.names, proof.policy, strict=True) if p}
        assert found == {name: Fraction(p) for name, p in stated["p_exact"].items() if Fraction(p)}


def regularised_cases() -> list[Any]:
    return [
        pytest.param(key, float(heat), id=f"{key}-{heat}")
        for key, record in RECORDS.items()
        for heat in record.get("kl_regularised_uniform_ref", {})
    ]


@pytest.mark.parametrize(("key", "temperature"), regularised_cases())
def test_regularised_equilibrium(key: str, temperature: float) -> None:
    game = load(key, "rate")
    stated = RECORDS[key]["kl_regularised_uniform_ref"][f"{temperature:g}"]["p"]
    solution = gp.solve(game, temperature=temperature)
    assert solution.converged, solution.message
    assert solution.gap <= 1e-12
    np.testing.assert_allclose(solution.policy, as_vector(game, stated), atol=1e-8)


@pytest.mark.parametrize("key", [key for key, record in RECORDS.items() if "smith_set" in record])
def test_majority_sets(key: str) -> None:
    record = RECORDS[key]
    game = load(key, "margin")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gp.MissingPairsWarning)
        assert {str(name) for name in gp.smith_set(game)} == set(record["smith_set"])
        assert {str(name) for name in gp.schwartz_set(game)} == set(record["schwartz_set"])
    winner = gp.condorcet_winner(game)
    assert (None if winner is None else str(winner)) == record["condorcet_winner"]


def test_a_tampered_proof_is_refused() -> None:
    game = load("00008-00000009.toc", "margin")
    certificate = gp.solve(game).certificate(exact=True)
    proof = certificate.proof
    assert proof is not None
    assert proof.verify(rational_payoff(game))
    other = load("00007-00000086.soi", "margin")
    assert not proof.verify(rational_payoff(other))
    assert prove is not None
