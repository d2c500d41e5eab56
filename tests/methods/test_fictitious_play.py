"""Fictitious play: best responses to the average, whose gap falls on every game, at a rate that no theorem gives."""

from __future__ import annotations

import numpy as np
import pytest

import gametheory_pref as gp

from .stepping import set_up, states

Fictitious = gp.METHODS["fictitious_play"]
START = [0.5, 0.3, 0.2]


def test_every_play_answers_the_average_of_those_before():
    rule, problem, _ = set_up(Fictitious(), gp.zoo["comal"].game, start=START)
    found = states(rule, problem, 200)
    for t in range(1, 200):
        average = np.mean([state.x.prob for state in found[:t]], axis=0)
        payoff = problem.payoff @ average
        played = int(found[t].x.prob.argmax())
        assert found[t].x.prob[played] == 1.0 and payoff[played] >= payoff.max() - 1e-14
    assert len({int(state.x.prob.argmax()) for state in found}) == 3


@pytest.mark.parametrize("name", ["comal", "rock_paper_scissors", "clear_favourite", "dominated_lizard"])
def test_the_gap_of_the_average_falls(name):
    rule, problem, _ = set_up(Fictitious(), gp.zoo[name].game)
    averages = np.cumsum([state.x.prob for state in states(rule, problem, 3000)], axis=0)
    gaps = [2.0 * (problem.payoff @ averages[t - 1]).max() / t for t in (30, 300, 3000)]
    assert gaps[2] < 0.5 * gaps[1] < 0.25 * gaps[0] + 1e-12 and gaps[2] < 0.02


def test_two_players_answer_each_other():
    game = gp.matrix_game([[3.0, -1.0, 0.0], [-2.0, 4.0, 1.0]])
    rule, problem, _ = set_up(Fictitious(), game)
    average = np.mean([state.x.prob for state in states(rule, problem, 3000)], axis=0)
    row, column = np.split(average, [2])
    assert gp.duality_gap(game, (row, column)) < 0.1


def test_no_rate_is_claimed():
    """Robinson's theorem has no usable constant, Karlin's rate is a conjecture that depends on how ties are broken."""
    assert Fictitious.info.guarantees == () and Fictitious.info.answer == "average"
