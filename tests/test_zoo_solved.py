"""The solvers on every game of the zoo, whose answers are derived without them in ``games/test_zoo.py``."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp

PREFERENCE = [name for name, entry in gp.zoo.items() if entry.value is None]


def as_tuple(policy):
    return policy if isinstance(policy, tuple) else (policy,)


@pytest.mark.parametrize("name", list(gp.zoo))
def test_the_answer_of_auto(name):
    """One winner, or the one of maximum entropy; and the certificate knows how many there are."""
    entry = gp.zoo[name]
    solution = gp.solve(entry.game).require()
    for found, known in zip(as_tuple(solution.policy), as_tuple(entry.winner), strict=True):
        assert_allclose(found, known, rtol=0, atol=1e-12)
        assert not (found[known == 0.0]).any()
    certificate = solution.certificate()
    assert certificate.verify()
    assert certificate.gap < 1e-15
    assert certificate.unique == entry.unique
    assert certificate.dimension == entry.dimension
    assert certificate.support_union == entry.support_union
    if entry.value is not None:
        assert_allclose(solution.value, float(entry.value), rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", PREFERENCE)
@pytest.mark.parametrize("method", ["simplex", "interior_point"])
def test_each_exact_method_finds_a_winner(name, method):
    entry = gp.zoo[name]
    solution = gp.solve(entry.game, method).require()
    assert max(entry.game.payoff @ solution.policy) < 1e-14
    if entry.unique:
        assert_allclose(solution.policy, entry.winner, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", PREFERENCE)
def test_majorities_in_the_certificate(name):
    entry = gp.zoo[name]
    certificate = gp.solve(entry.game).certificate()
    assert certificate.condorcet_winner == entry.condorcet_winner
    assert certificate.smith_set == entry.smith_set
    assert certificate.schwartz_set == entry.schwartz_set
    assert certificate.mass_outside_smith == 0.0


@pytest.mark.parametrize("name", [name for name in PREFERENCE if gp.zoo[name].game.votes is not None])
def test_counts_are_proved_in_fractions(name):
    entry = gp.zoo[name]
    proof = gp.solve(entry.game).certificate(exact=True).proof
    assert proof.dimension == entry.dimension
    assert proof.unique == entry.unique
    if entry.unique:
        assert tuple(proof.policy) == entry.winner_exact


@pytest.mark.parametrize("name", [name for name in PREFERENCE if gp.zoo[name].game.n_responses <= 30])
def test_cold_equilibria_approach_the_winner_of_maximum_entropy(name):
    """The penalty is least, among winners, where entropy is largest, so that is the limit."""
    entry = gp.zoo[name]
    cold = gp.solve(entry.game, temperature=1e-9).require()
    assert_allclose(cold.policy, entry.winner, rtol=0, atol=1e-6)


def test_a_flipped_zoo_is_answered_differently():
    differs = 0
    for name in PREFERENCE:
        entry = gp.zoo[name]
        flipped = gp.solve(entry.game.preference.T).policy
        differs += bool(np.abs(flipped - entry.winner).max() > 1e-3)
    assert differs >= 12
