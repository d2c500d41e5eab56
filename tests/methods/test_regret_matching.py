"""Regret matching: its steps by hand, its bound on averages, and no regrets left."""

from __future__ import annotations

import numpy as np
import pytest

import gametheory_pref as gp

from .stepping import guarantee, set_up, softmax_of_normals, states

Matching = gp.METHODS["regret_matching"]
COMAL = gp.zoo["comal"].game
START = [0.5, 0.3, 0.2]


@pytest.mark.parametrize("plus", [False, True])
def test_steps_by_hand(plus):
    rule, problem, _ = set_up(Matching(plus=plus), COMAL, start=START)
    policy, regret = np.array(START), np.zeros(3)
    for state in states(rule, problem, 30)[1:]:
        payoff = COMAL.payoff @ policy
        regret = regret + payoff - policy @ payoff
        if plus:
            regret = np.maximum(regret, 0.0)
        gains = np.maximum(regret, 0.0)
        policy = gains / gains.sum() if gains.sum() > 0.0 else policy
        np.testing.assert_allclose(state.x.prob, policy, atol=1e-13)
        np.testing.assert_allclose(state.regret.value, regret, atol=1e-13)


@pytest.mark.parametrize("plus", [False, True])
@pytest.mark.parametrize("name", ["comal", "rock_paper_scissors", "clear_favourite", "quadratic_residue_seven"])
def test_averages_keep_their_bound(name, plus):
    game = gp.zoo[name].game
    rule, problem, facts = set_up(Matching(plus=plus), game, reference=softmax_of_normals(game.n_responses))
    steps = np.arange(1, 601)
    averages = np.cumsum([state.x.prob for state in states(rule, problem, 599)], axis=0) / steps[:, None]
    bound = guarantee(rule, "regret-matching-average")
    assert bound.hypotheses(rule, facts) is None
    gaps = 2.0 * (averages @ problem.payoff.T).max(axis=1)
    allowed = bound.bound(rule, facts, steps)
    assert (gaps <= allowed).all()
    np.testing.assert_allclose(allowed, 2.0 * np.abs(game.payoff).max() * np.sqrt(game.n_responses / steps))
    assert gaps[-1] < 0.05


@pytest.mark.parametrize("plus", [False, True])
def test_two_players(plus):
    """Each with regrets of its own; the sum of both gaps keeps the bound."""
    game = gp.matrix_game([[3.0, -1.0, 0.0], [-2.0, 4.0, 1.0]])
    rule, problem, facts = set_up(Matching(plus=plus), game)
    found = states(rule, problem, 1000)
    np.testing.assert_allclose([state.x.prob[:2].sum() for state in found], 1.0, atol=1e-12)
    np.testing.assert_allclose([state.x.prob[2:].sum() for state in found], 1.0, atol=1e-12)
    row, column = np.split(np.mean([state.x.prob for state in found[:-1]], axis=0), [2])
    gap = gp.duality_gap(game, (row, column))
    assert gap <= guarantee(rule, "regret-matching-average").bound(rule, facts, np.array([1000]))[0]
    assert gap < 0.2


def test_without_regrets_the_policy_stays():
    rule, problem, _ = set_up(Matching(), np.full((3, 3), 0.5), start=START)
    np.testing.assert_array_equal(states(rule, problem, 5)[-1].x.prob, START)
