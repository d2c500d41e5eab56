"""Rational proofs: known fractions, exact sizes of the set of winners, and refusals."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gametheory_pref.errors import InputError, UnsupportedCombination
from gametheory_pref.exact.integer_kernel import kernel, rank_at_least
from gametheory_pref.exact.rational import Proof, RationalPayoff, prove, rational_payoff
from gametheory_pref.exact.solution_set import solution_set
from gametheory_pref.games import PreferenceGame
from gametheory_pref.games.votes import Votes

from .test_solution_set import (
    CLONED_SCISSORS,
    affine_dimension,
    integer_games,
    skew,
    table_payoff,
    union,
    vertices,
)

CYCLE_WINS = np.array([[0, 6, 2], [4, 0, 7], [8, 3, 0]], dtype=float)


def proof_of(payoff, exact=None, policy=None):
    """Prove the winner of maximal entropy, or the one given."""
    found = solution_set(payoff, np.full(len(payoff), 1 / len(payoff)))
    exact = RationalPayoff.from_payoff(payoff) if exact is None else exact
    return prove(exact, found.max_entropy if policy is None else policy, found), exact


def random_counts(seed, n, low=50, high=150):
    rng = np.random.default_rng(seed)
    total = np.triu(rng.integers(low, high, (n, n)), 1)
    wins = rng.binomial(total, rng.uniform(0.2, 0.8, (n, n)))
    return (wins + (total - wins).T).astype(float)


def rates(wins):
    total = wins + wins.T
    return np.divide(wins - wins.T, 2 * total, out=np.zeros_like(wins), where=total > 0)


class TestReading:
    def test_rates_count_a_tie_as_half_a_win(self):
        wins, ties = np.array([[0.0, 3.0], [1.0, 0.0]]), np.array([[0.0, 2.0], [2.0, 0.0]])
        assert RationalPayoff.from_counts(wins, ties).entry(0, 1) == Fraction(4, 6) - Fraction(1, 2)

    def test_margins_have_one_denominator(self):
        wins = np.array([[0, 3, 5], [1, 0, 0], [5, 1, 0]], dtype=float)
        exact = RationalPayoff.from_counts(wins, kind="margin")
        assert exact.entry(0, 1) == Fraction(2, 20)
        assert exact.entry(2, 1) == Fraction(1, 20)

    def test_pairs_never_compared_are_even(self):
        wins = np.array([[0, 0, 1], [0, 0, 2], [3, 4, 0]], dtype=float)
        assert RationalPayoff.from_counts(wins).entry(0, 1) == 0

    def test_weights_are_decimals(self):
        wins = np.array([[0, 0.1], [0.2, 0]])
        assert RationalPayoff.from_counts(wins).entry(0, 1) == Fraction(1, 3) - Fraction(1, 2)

    def test_counts_agree_with_the_float_payoff(self):
        wins = random_counts(0, 7)
        exact = RationalPayoff.from_counts(wins)
        assert_allclose([[float(exact.entry(i, j)) for j in range(7)] for i in range(7)], rates(wins),
        atol=1e-16)

    @pytest.mark.parametrize(
        ("probability", "meant"),
        [
            (0.1, Fraction(1, 10)),
            (0.7, Fraction(7, 10)),
            (1 / 3, Fraction(1, 3)),
            (0.12345678901, Fraction(12345678901, 10**11)),
            (123456 / 654321, Fraction(123456, 654321)),
        ],
    )
    def test_probabilities(self, probability, meant):
        # As a game computes it: half the difference of the two entries.
        lead = (probability - (1 - probability)) / 2
        exact = RationalPayoff.from_payoff(np.array([[0.0, lead], [-lead, 0.0]]))
        assert exact.entry(0, 1) == meant - Fraction(1, 2)
        assert exact.entry(1, 0) == Fraction(1, 2) - meant

    def test_irrational_probabilities_are_refused(self):
        with pytest.raises(UnsupportedCombination, match=r"0\.35434369377420.* column 2 .*Give win counts"):
            RationalPayoff.from_payoff(skew(np.tanh([1.0, -0.3, 0.7]) / 2, 3))

    def test_points_are_decimals(self):
        points = np.array([[0.3, 0.1], [0.3, 0.9]])
        assert RationalPayoff.from_points(points).entry(1, 0) == Fraction(2, 10)

    def test_game_with_votes(self):
        wins, ties = CYCLE_WINS, np.zeros((3, 3))
        payoff = rates(wins)
        game = PreferenceGame(payoff, (0, 1, 2), Votes(wins, ties, "rate"))
        assert rational_payoff(game).entry(0, 2) == Fraction(-3, 10)
        assert "win counts" in rational_payoff(game).reading
        assert "win counts" not in rational_payoff(dataclasses.replace(game, votes=None)).reading


class TestKernel:
    def test_skew_matrix_by_hand(self):
        solved = kernel(np.array([[0, 1, -2], [-1, 0, 3], [2, -3, 0]], dtype=object))
        assert solved.nullity == 1
        assert solved.extend([Fraction(1)]) == [3, 2, 1]

    def test_full_rank(self):
        assert kernel(np.array([[0, 5], [-5, 0]], dtype=object)).nullity == 0

    def test_zero_matrix(self):
        assert kernel(np.zeros((3, 3), dtype=object)).nullity == 3

    @pytest.mark.parametrize("prime", [268435399, 268435367])
    def test_entries_that_vanish_modulo_a_prime(self, prime):
        matrix = np.array([[0, prime, -2], [-prime, 0, 3 * prime], [2, -3 * prime, 0]], dtype=object)
        solved = kernel(matrix)
        assert solved.nullity == 1
        assert not (matrix @ np.array(solved.extend([Fraction(1)]), dtype=object)).any()

    def test_rank_bound_cannot_be_too_high(self):
        matrix = np.array([[1, 2, 3], [2, 4, 6], [1, 0, 1]], dtype=object)
        assert rank_at_least(matrix, 2)
        assert not rank_at_least(matrix, 3)

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(
        st.integers(1, 6).flatmap(
            lambda n: st.tuples(
                st.lists(st.lists(st.integers(-9, 9), min_size=n, max_size=n), min_size=1, max_size=6),
                st.integers(0, 70),
            )
        )
    )
    def test_nullity_and_vectors(self, case):
        rows, bits = case
        matrix = np.array([[value << bits for value in row] for row in rows], dtype=object)
        solved = kernel(matrix)
        assert solved.nullity == matrix.shape[1] - np.linalg.matrix_rank(np.array(rows, dtype=float))
        for unit in np.eye(solved.nullity, dtype=int).tolist():
            vector = np.array(solved.extend([Fraction(value) for value in unit]), dtype=object)
            assert not (matrix @ vector).any()


class TestProof:
    def test_win_counts(self):
        proof, exact = proof_of(rates(CYCLE_WINS), RationalPayoff.from_counts(CYCLE_WINS))
        assert proof.policy == (Fraction(1, 3), Fraction(1, 2), Fraction(1, 6))
        assert (proof.unique, proof.dimension, proof.value) == (True, 0, 0)
        assert proof.verify(exact)

    def test_condorcet_winner(self):
        proof, exact = proof_of(skew([0.1, 0.3, -0.4], 3))
        assert proof.policy == (1, 0, 0)
        assert proof.unique
        assert proof.verify(exact)

    def test_clones(self):
        proof, exact = proof_of(CLONED_SCISSORS)
        third, sixth = Fraction(1, 3), Fraction(1, 6)
        assert proof.policy == (third, third, sixth, sixth)
        assert (proof.unique, proof.dimension, proof.support_union) == (False, 1, (0, 1, 2, 3))
        assert proof.verify(exact)

    def test_all_tied(self):
        proof, exact = proof_of(np.zeros((3, 3)))
        assert proof.policy == (Fraction(1, 3),) * 3
        assert proof.dimension == 2
        assert proof.verify(exact)

    def test_vertex_of_many(self):
        proof, exact = proof_of(CLONED_SCISSORS, policy=np.array([1, 1, 0, 1]) / 3)
        assert proof.policy == (Fraction(1, 3), Fraction(1, 3), 0, Fraction(1, 3))
        assert not proof.unique
        assert proof.verify(exact)

    def test_irrational_winner_of_many_is_approached_from_inside(self):
        # Winners of all ties with bounds met exactly: the nearest fractions may step over a bound.
        payoff = skew([0.0, 0.125, -0.25], 3)
        policy = np.array([2 / 3, 1 / 3, 0.0])
        proof, exact = proof_of(payoff, policy=policy)
        assert_allclose([float(p) for p in proof.policy], policy, atol=1e-12)
        assert proof.verify(exact)

    def test_digits_beyond_what_python_prints(self):
        large = Fraction(-(10**9000) - 7, 10**4500 + 1)
        proof = Proof((large,), (1 / large,), True, 0, (0,), "made up")
        data = json.loads(json.dumps(proof.to_dict()))
        assert len(data["policy"][0]) == 1 + 9001 + 1 + 4501
        assert Proof.from_dict(data) == proof

    def test_text(self):
        proof, exact = proof_of(rates(CYCLE_WINS), RationalPayoff.from_counts(CYCLE_WINS))
        data = json.loads(json.dumps(proof.to_dict()))
        assert data["policy"] == ["1/3", "1/2", "1/6"]
        assert Proof.from_dict(data) == proof
        assert Proof.from_dict(data).verify(exact)


class TestRefusal:
    def test_policy_that_is_no_winner(self):
        found = solution_set(rates(CYCLE_WINS), np.full(3, 1 / 3))
        with pytest.raises(InputError, match=r"response 0 beats it by 0\.05"):
            prove(RationalPayoff.from_counts(CYCLE_WINS), np.array([0.5, 0.5, 0.0]), found)

    def test_winner_of_the_transposed_game(self):
        payoff = skew([0.1, 0.3, -0.4], 3)
        found = solution_set(payoff.T, np.full(3, 1 / 3))
        with pytest.raises(InputError, match="is not a winner"):
            prove(RationalPayoff.from_payoff(payoff), found.max_entropy, found)

    def test_wrong_claims_of_float64_are_not_believed(self):
        payoff = CLONED_SCISSORS
        found = solution_set(payoff, np.full(4, 0.25))
        wrong = dataclasses.replace(found, support_union=np.array([0, 1, 2]))
        with pytest.raises(UnsupportedCombination, match="strictly complementary"):
            prove(RationalPayoff.from_payoff(payoff), np.array([1, 1, 1, 0]) / 3, wrong)

    @pytest.mark.parametrize(
        "change",
        [
            {"policy": (Fraction(1, 3), Fraction(1, 2), Fraction(1, 5))},
            {"policy": (Fraction(1, 3), Fraction(1, 3), Fraction(1, 3))},
            {"policy": (Fraction(4, 3), Fraction(-1, 2), Fraction(1, 6))},
            {"interior": (Fraction(1, 3), Fraction(1, 3), Fraction(1, 3))},
            {"unique": False},
            {"unique": False, "dimension": 1},
            {"dimension": 1},
            {"support_union": (0, 1)},
            {"policy": (Fraction(1),), "interior": (Fraction(1),), "support_union": (0,)},
        ],
    )
    def test_tampered_proof(self, change):
        proof, exact = proof_of(rates(CYCLE_WINS), RationalPayoff.from_counts(CYCLE_WINS))
        assert not dataclasses.replace(proof, **change).verify(exact)

    @pytest.mark.parametrize("change", [{"dimension": 2}, {"dimension": 0}, {"dimension": 0, "unique": True}])
    def test_tampered_size_of_the_set(self, change):
        proof, exact = proof_of(CLONED_SCISSORS)
        assert not dataclasses.replace(proof, policy=proof.interior, **change).verify(exact)

    def test_proof_of_another_game(self):
        proof, _ = proof_of(rates(CYCLE_WINS), RationalPayoff.from_counts(CYCLE_WINS))
        wins = CYCLE_WINS.copy()
        wins[0, 1] += 1
        assert not proof.verify(RationalPayoff.from_counts(wins))

    def test_out_of_reach(self, monkeypatch):
        from gametheory_pref.exact import integer_kernel

        monkeypatch.setattr(integer_kernel, "_MOST_WORK", 10)
        with pytest.raises(UnsupportedCombination, match="would take too long"):
            proof_of(rates(CYCLE_WINS), RationalPayoff.from_counts(CYCLE_WINS))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(integer_games())
def test_agrees_with_the_exact_vertices(game):
    winners = vertices(game.tolist())
    proof, exact = proof_of(game / 8, RationalPayoff.from_points(game / 2.0))
    assert proof.dimension == affine_dimension(winners)
    assert proof.unique is (len(winners) == 1)
    assert_array_equal(proof.support_union, union(winners))
    assert proof.verify(exact)
    if proof.unique:
        assert proof.policy == winners[0]
    for vertex in winners:
        of_vertex, _ = proof_of(game / 8, exact, np.array(vertex, dtype=float))
        assert of_vertex.policy == vertex
        assert of_vertex.verify(exact)


@pytest.mark.parametrize(("n", "kind"), [(40, "rate"), (40, "margin"), (90, "rate"), (200, "margin")])
def test_random_elections(n, kind):
    wins = random_counts(n, n)
    exact = RationalPayoff.from_counts(wins, kind=kind)
    payoff = rates(wins) if kind == "rate" else (wins - wins.T) / (2 * (wins + wins.T).max())
    proof, _ = proof_of(payoff, exact)
    assert proof.unique
    assert len(proof.support_union) > n // 4
    assert proof.verify(exact)


@pytest.mark.parametrize(
    "name", ["blotto_5_3", "blotto_10_3", "blotto_10_4", "blotto_10_5", "axelrod_ipd", "type_chart_18",
    "rrps_43bots"]
)
def test_solved_tables(shared_data, name):
    payoff, names = table_payoff(shared_data / "payoff", name)
    stated = json.loads((shared_data / "solutions.json").read_text(encoding="utf-8"))[name]["maximal_lottery"]
    proof, exact = proof_of(payoff)
    assert proof.unique == stated["unique"]
    assert proof.dimension == stated["dimension_of_solution_set"]
    assert proof.verify(exact)
    if "p_exact" in stated:
        found = {names[i]: str(p) for i, p in enumerate(proof.policy) if p}
        assert found == {key: value for key, value in stated["p_exact"].items() if value != "0"}
