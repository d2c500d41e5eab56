"""Rational proofs for both players of a zero-sum game."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from gametheory_pref.errors import InputError, UnsupportedCombination
from gametheory_pref.exact.rational_zero_sum import ZeroSumProof, prove_zero_sum
from gametheory_pref.exact.solution_set import optimal_strategies

from .test_solution_set import affine_dimension, game_value, rectangular_games, union, vertices


def proof_of(payoff, value=None):
    payoff = np.asarray(payoff, dtype=float)
    m, n = payoff.shape
    value = game_value(payoff) if value is None else value
    found = optimal_strategies(payoff, value, np.full(m, 1 / m), np.full(n, 1 / n))
    return prove_zero_sum(payoff, found[0].max_entropy, found[1].max_entropy, found), payoff


def test_two_by_two():
    # v = (ad - bc) / (a + d - b - c) with the off-diagonal b, c: (12 - 2) / (7 - 3).
    proof, payoff = proof_of([[3, 1], [2, 4]])
    assert proof.value == Fraction(10, 4)
    assert proof.row == (Fraction(1, 2), Fraction(1, 2))
    assert proof.column == (Fraction(3, 4), Fraction(1, 4))
    assert proof.unique == (True, True)
    assert proof.verify(payoff)


def test_thirds_are_thirds():
    proof, payoff = proof_of([[1 / 3, -2 / 3], [-1 / 3, 1 / 3]])
    assert proof.value == Fraction(-1, 15)
    assert proof.verify(payoff)


def test_payoffs_next_to_zero_are_not_rounded_away():
    proof, payoff = proof_of([[1e-9], [0.0]], 1e-9)
    assert proof.value == Fraction(1, 10**9)
    assert proof.row == (1, 0)
    assert proof.verify(payoff)
    # Float64 takes a lead of 1e-17 beside 1 for a tie; exact arithmetic does not follow it there.
    with pytest.raises(UnsupportedCombination, match="too close to another one"):
        proof_of([[1.0, 1e-17], [1.0, 0.0]], 0.0)


def test_one_player_has_a_choice():
    proof, payoff = proof_of([[2, 2, 5], [1, 3, 5]])
    assert proof.value == 2
    assert proof.dimension == (0, 1)
    assert proof.unique == (True, False)
    assert proof.support_union == ((0,), (0, 1))
    assert proof.column == (Fraction(1, 2), Fraction(1, 2), 0)
    assert proof.verify(payoff)


def test_round_trip():
    proof, payoff = proof_of([[3, 1], [2, 4]])
    again = ZeroSumProof.from_dict(json.loads(json.dumps(proof.to_dict())))
    assert again == proof
    assert again.verify(payoff)


def test_strategies_that_are_not_optimal():
    payoff = np.array([[3.0, 1.0], [2.0, 4.0]])
    found = optimal_strategies(payoff, 2.5, np.full(2, 0.5), np.array([0.75, 0.25]))
    with pytest.raises(InputError, match="not a winner"):
        prove_zero_sum(payoff, np.array([0.25, 0.75]), np.array([0.75, 0.25]), found)


def test_tampering():
    proof, payoff = proof_of([[3, 1], [2, 4]])
    assert not dataclasses.replace(proof, value=Fraction(2)).verify(payoff)
    assert not dataclasses.replace(proof, n_rows=1).verify(payoff)
    assert not proof.verify(payoff + np.eye(2))
    assert not proof.verify(-payoff.T)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(rectangular_games())
def test_agrees_with_the_exact_vertices(game):
    m, n = game.shape
    proof, payoff = proof_of(game)
    excess = [[entry - proof.value for entry in row] for row in game.tolist()]
    of_row = vertices([[-excess[i][j] for i in range(m)] for j in range(n)])
    of_column = vertices(excess)
    assert proof.dimension == (affine_dimension(of_row), affine_dimension(of_column))
    assert proof.support_union == (tuple(union(of_row)), tuple(union(of_column)))
    assert all(sum(proof.row[i] * game[i, j] for i in range(m)) >= proof.value for j in range(n))
    assert all(sum(game[i, j] * proof.column[j] for j in range(n)) <= proof.value for i in range(m))
    assert proof.verify(payoff)
