"""Answers to games without a table: certificate, JSON, HTML, pictures, and real data against the table's answer."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

import gametheory_pref as gp
from gametheory_pref.operators import FromFunction

WINS = np.random.default_rng(5).integers(0, 6, (12, 12))
np.fill_diagonal(WINS, 0)
NAMES = [f"item {i}" for i in range(12)]
TABLE = gp.from_counts(WINS, names=NAMES)
SPARSE = gp.from_counts(csr_array(WINS), names=NAMES)
TALL = np.random.default_rng(6).uniform(-1.0, 1.0, (6, 4))


@pytest.fixture(scope="module")
def solution():
    return gp.solve(SPARSE, tol=1e-9)


@pytest.fixture(scope="module")
def pair():
    return gp.solve(gp.operator_game(csr_array(TALL)), tol=1e-9)


def test_the_answer_is_that_of_the_table(solution, pair):
    assert solution.converged and solution.gap <= 1e-9
    assert solution.message.startswith("chosen for 12 responses without a table (sparse, ")
    assert "chosen for 6 x 4 responses without a table" in pair.message
    assert_allclose(solution.policy, gp.solve(TABLE).policy, atol=1e-7)
    exact = gp.solve(gp.matrix_game(TALL))
    assert_allclose(pair.value, exact.value, atol=1e-8)
    for mine, theirs in zip(pair.policy, exact.policy, strict=True):
        assert_allclose(mine, theirs, atol=1e-7)


def test_the_certificate_can_be_checked_and_says_what_it_does_not_know(solution, pair):
    certificate, of_table = solution.certificate(), gp.solve(TABLE).certificate()
    assert certificate.verify()
    assert certificate.unique is None
    assert "uniqueness: the set of all answers is not analysed" in certificate.notes[0]
    assert certificate.condorcet_winner == of_table.condorcet_winner
    assert certificate.smith_set == of_table.smith_set
    assert certificate.schwartz_set == of_table.schwartz_set
    assert certificate.mass_outside_smith <= 1e-9
    assert set(certificate.support) == set(of_table.support) == set(solution.support())
    wrong = replace(solution, policy=np.full(12, 1 / 12)).certificate()
    assert not replace(wrong, gap=solution.gap).verify()
    assert not replace(certificate, best_response=NAMES[int(np.argmin(SPARSE.payoff @ solution.policy))]).verify()
    with pytest.raises(gp.UnsupportedCombination, match="exact certificate is made for preference and constant-sum"):
        solution.certificate(exact=True)
    assert pair.certificate().verify()
    with pytest.raises(gp.UnsupportedCombination, match="^smith_set is defined for preference games"):
        _ = pair.certificate().smith_set


def test_majorities_of_embeddings_are_not_claimed():
    game = gp.from_embeddings(np.random.default_rng(0).standard_normal((5, 2)))
    certificate = gp.solve(game).certificate()
    assert certificate.verify() and "smith_set" not in certificate.to_dict()
    with pytest.raises(gp.UnsupportedCombination, match=r"^condorcet_winner needs the entries .*skew of rank 2"):
        _ = certificate.condorcet_winner


def test_json_brings_the_solution_back(solution, pair):
    for one in (solution, pair):
        copy = gp.Solution.from_json(one.to_json())
        assert (copy.gap, copy.names, copy.status) == (one.gap, one.names, one.status)
        assert copy.certificate().verify()


def test_a_solution_of_a_game_of_products_is_written_with_a_summary_of_the_game():
    def product(v):
        return np.roll(v, 1) - np.roll(v, -1)

    solution = gp.solve(gp.operator_game(product, shape=5, bound=1.0))
    data = json.loads(solution.to_json())
    assert data["gap"] <= 1e-6 and len(data["policy"]) == 5
    assert "known by its products only" in data["game"]["payoff"]["note"]
    with pytest.raises(gp.InputError, match="this only says what the game was"):
        gp.Solution.from_dict(data)


def test_pickling_keeps_everything(solution):
    copy = pickle.loads(pickle.dumps(solution))
    assert_array_equal(copy.policy, solution.policy)
    assert copy.certificate().verify()


@pytest.mark.parametrize("temperature", [0.3, 0.02])
def test_a_positive_temperature_is_solved_by_default(temperature):
    reference = np.random.default_rng(1).dirichlet(np.ones(12))
    question = {"temperature": temperature, "reference": reference}
    solution = gp.solve(SPARSE, tol=1e-9, **question)
    assert solution.converged and "extragradient" in solution.method
    assert_allclose(solution.policy, gp.solve(TABLE, **question).policy, atol=1e-4)
    certificate = solution.certificate()
    assert certificate.unique is True and certificate.verify()


def test_html_says_what_there_is(solution, pair):
    page = solution._repr_html_()
    for words in ("Minimax Winner", "win probability", "Smith set", "sparse", "uniqueness"):
        assert words in page
    assert "Majority cycle" not in page
    assert "Row player" in pair._repr_html_() and "to the first player" in pair._repr_html_()
    game = SPARSE._repr_html_()
    for words in ("12 responses", f"sparse, {SPARSE.payoff.matrix.nnz} entries", "never compared", "bytes moved"):
        assert words.lower() in game.lower()


def test_pictures_of_a_million_responses_show_the_top_ones():
    n = 10**6

    def product(v):
        return np.concatenate([[v[1:].sum()], np.full(n - 1, -v[0])])

    payoff = FromFunction((n, n), product, is_skew=True, bound=1.0)
    policy = np.zeros(n)
    policy[0] = 1.0
    game = gp.operator_game(payoff)
    small = gp.solve(gp.operator_game(csr_array((2, 2))))
    solution = replace(small, problem=gp.Problem(game), policy=policy, gap=gp.duality_gap(game, policy))
    assert solution.gap == 0.0
    texts = [text.get_text() for text in solution.plot().get_yticklabels()]
    assert texts == ["0", "and 999999 more with 0"]
    assert "999999 more" in solution._repr_html_()
    assert repr(solution).startswith("Solution(0 1.0000; gap 0")


REAL = ["elections/00041-00000001.soc.gz", "elections/00014-00000002.soi", "pairwise/firstnames_192.csv"]


@pytest.mark.parametrize("file", REAL)
def test_real_data_without_a_table(shared_data, file):
    table = gp.read(shared_data / file)
    if table.votes is None:
        sparse = gp.operator_game(csr_array(table.payoff), names=table.names)
    else:
        sparse = gp.from_counts(
            csr_array(table.votes.wins), ties=csr_array(table.votes.ties), names=table.names, kind=table.votes.kind
        )
    assert_array_equal(sparse.payoff.matrix.toarray(), table.payoff)
    assert gp.condorcet_winner(sparse) == gp.condorcet_winner(table)
    solution = gp.solve(sparse, tol=1e-8)
    assert solution.converged and solution.certificate().verify()
    assert gp.duality_gap(table, solution.policy) == pytest.approx(solution.gap, abs=1e-14)


@pytest.mark.parametrize("game", [SPARSE, gp.operator_game(TALL)], ids=["symmetric", "two players"])
def test_a_run_goes_on_where_it_stood(game, tmp_path):
    whole = gp.solve(game, "optimistic", tol=0.0, max_steps=40)
    first = gp.solve(game, "optimistic", tol=0.0, max_steps=15)
    then = gp.solve(game, "optimistic", tol=0.0, max_steps=25, start=first)
    gp.save_run(first, tmp_path / "run.npz")
    saved = gp.load_run(tmp_path / "run.npz", game)
    after = gp.solve(game, "optimistic", tol=0.0, max_steps=25, start=saved)
    for other in (then, after):
        assert other.n_steps == 40 and other.gap == whole.gap
        assert_array_equal(np.hstack(other.policy), np.hstack(whole.policy))


def test_a_saved_run_knows_its_game(tmp_path):
    gp.save_run(gp.solve(SPARSE, "optimistic", max_steps=3), tmp_path / "run.npz")
    changed = WINS.copy()
    changed[0, 1] += 1
    with pytest.raises(gp.InputError, match="game"):
        gp.load_run(tmp_path / "run.npz", gp.from_counts(csr_array(changed), names=NAMES))
    products = gp.operator_game(lambda v: np.roll(v, 1) - np.roll(v, -1), shape=5, bound=1.0)
    with pytest.raises(gp.UnsupportedCombination, match="cannot be recognised again"):
        gp.save_run(gp.solve(products, "optimistic", max_steps=3), tmp_path / "other.npz")
