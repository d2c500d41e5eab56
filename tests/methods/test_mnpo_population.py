"""The population of MNPO: consensus, then multiplicative weights; and what the paper's loss does instead."""

from __future__ import annotations

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref.verbs import Anchor, Bank

from .stepping import guarantee, logs, set_up, softmax_of_normals, states

Population, Mnpo = gp.METHODS["mnpo_population"], gp.METHODS["mnpo"]
COMAL = gp.zoo["comal"].game
START = [0.5, 0.3, 0.2]


def softmax(log: np.ndarray) -> np.ndarray:
    shifted = np.exp(log - log.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def drawn_bank(players: int, n: int, seed: int = 0, scale: float = 1.0) -> Bank:
    log = np.log(softmax(scale * np.random.default_rng(seed).normal(size=(players, n))))
    return Bank(log, np.exp(log))


def spread(bank: Bank) -> float:
    """The largest difference of log-ratios between two players."""
    return max(np.ptp(a - b) for a in bank.log for b in bank.log)


@pytest.mark.parametrize("players", [2, 3, 5])
def test_a_step_is_equation_ten_of_the_paper(players):
    eta, bank = 0.7, drawn_bank(players, 3)
    rule, problem, _ = set_up(Population(step_size=eta, players=players), COMAL, start=START)
    state = rule.init(problem)._replace(players=bank, t=players)
    new = rule.step(problem, state, None)
    for i in range(players):
        others = [j for j in range(players) if j != i]
        direct = bank.log[others].mean(axis=0) + eta * np.mean([problem.payoff @ bank.prob[j] for j in others], axis=0)
        np.testing.assert_allclose(new.players.prob[i], softmax(direct), atol=1e-14)
    np.testing.assert_allclose(new.x.prob, softmax(new.players.log.mean(axis=0)), atol=1e-14)
    assert new.calls - state.calls == players


def test_three_players_agree_in_twenty_steps():
    """Printed: a spread of 4.9 falls to 5e-6."""
    rule, problem, _ = set_up(Population(step_size=0.1, players=3), COMAL, start=START)
    bank = drawn_bank(3, 3, seed=1, scale=1.5)
    bank = Bank(np.log(softmax(bank.log * 4.9 / spread(bank))), softmax(bank.log * 4.9 / spread(bank)))
    np.testing.assert_allclose(spread(bank), 4.9, rtol=1e-12)
    found = states(rule, problem, 20, rule.init(problem)._replace(players=bank, t=3))
    spreads = np.array([spread(state.players) for state in found])
    np.testing.assert_allclose(spreads[-1], 5e-6, rtol=0.1)
    assert (spreads[1:] <= (1.0 + 0.1 * 0.4) / 2.0 * spreads[:-1]).all()


def test_players_who_agree_are_multiplicative_weights():
    rule, problem, _ = set_up(Population(step_size=0.5, players=4), COMAL, start=START)
    log = np.tile(problem.start.log, (4, 1))
    found = states(rule, problem, 50, rule.init(problem)._replace(players=Bank(log, np.exp(log)), t=4))
    plain, _, _ = set_up(gp.METHODS["multiplicative_weights"](step_size=0.5), COMAL, start=START)
    np.testing.assert_allclose(logs(found), logs(states(plain, problem, 50)), atol=1e-11)


def test_two_players_swap_two_runs_of_multiplicative_weights():
    rule, problem, facts = set_up(Population(step_size=0.5, players=2), COMAL, start=START)
    bank = drawn_bank(2, 3)
    found = states(rule, problem, 7, rule.init(problem)._replace(players=bank, t=2))
    plain, _, _ = set_up(gp.METHODS["multiplicative_weights"](step_size=0.5), COMAL, start=START)
    own = plain.init(problem)._replace(x=type(problem.start)(bank.log[0], bank.prob[0]))
    run = logs(states(plain, problem, 7, own))
    for t, state in enumerate(found):
        np.testing.assert_allclose(state.players.log[t % 2], run[t], atol=1e-12)
    assert "needs less than 1" in guarantee(rule, "mnpo-population-average").hypotheses(rule, facts)


@pytest.mark.parametrize("players", [3, 4])
@pytest.mark.parametrize("name", ["comal", "rock_paper_scissors", "quadratic_residue_seven"])
def test_averages_keep_their_bound(name, players):
    game = gp.zoo[name].game
    reference = softmax_of_normals(game.n_responses)
    rule, problem, facts = set_up(Population(players=players), game, reference=reference, horizon=400)
    found = states(rule, problem, 400)
    averages = np.cumsum([state.x.prob for state in found[:-1]], axis=0) / np.arange(1, 401)[:, None]
    bound = guarantee(rule, "mnpo-population-average")
    assert bound.hypotheses(rule, facts) is None
    gaps = 2.0 * (averages @ problem.payoff.T).max(axis=1)
    assert (gaps <= bound.bound(rule, facts, np.arange(1, 401))).all()
    assert gaps[-1] < 0.25 * gaps[0]


def test_the_loss_of_the_paper_is_minimised_by_another_policy():
    """Its equivalence (Proposition 1) holds only if all opponents equal the sampler.

    The squared loss over pairs of the sampler, with the opponents' mean log-ratio as anchor, is minimised by a policy
    in which opponents are anchors and the payoff is that against the sampler: the step of the rule `mnpo`.
    """
    eta, n = 1.0, 3
    bank = drawn_bank(3, n, seed=2, scale=0.5)
    sampler, opponents = bank.prob[0], bank.log[1:]
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    rows = np.array([np.eye(n)[i] - np.eye(n)[j] for i, j in pairs])
    root = np.sqrt([sampler[i] * sampler[j] for i, j in pairs])
    target = rows @ opponents.mean(axis=0) + eta * np.array([COMAL.payoff[i, j] for i, j in pairs])
    minimiser = softmax(np.linalg.lstsq(root[:, None] * rows, root * target, rcond=None)[0])

    rule, problem, _ = set_up(Mnpo(step_size=eta, weights=(0.0, 0.5, 0.5)), COMAL, start=START)
    state = rule.init(problem)._replace(x=type(problem.start)(bank.log[0], sampler), past=tuple(map(Anchor, opponents)))
    np.testing.assert_allclose(rule.step(problem, state, None).x.prob, minimiser, atol=1e-13)

    population, problem, _ = set_up(Population(step_size=eta, players=3), COMAL, start=START)
    answer = population.step(problem, population.init(problem)._replace(players=bank, t=3), None).players.prob[0]
    apart = 0.5 * np.abs(answer - minimiser).sum()
    assert apart > 5e-3
    # With opponents that equal the sampler the two agree.
    same = Bank(np.tile(bank.log[0], (3, 1)), np.tile(sampler, (3, 1)))
    answer = population.step(problem, population.init(problem)._replace(players=same, t=3), None).players.prob[0]
    state = state._replace(past=2 * (Anchor(bank.log[0]),))
    np.testing.assert_allclose(answer, rule.step(problem, state, None).x.prob, atol=1e-14)


def test_players_join_one_step_apart():
    rule, problem, _ = set_up(Population(step_size=0.5, players=3), COMAL, start=START)
    found = states(rule, problem, 3)
    plain, _, _ = set_up(gp.METHODS["multiplicative_weights"](step_size=0.5), COMAL, start=START)
    run = logs(states(plain, problem, 2))
    np.testing.assert_allclose(found[2].players.log, run[::-1], atol=1e-13)
    assert [state.calls for state in found] == [0, 1, 2, 5]


@pytest.mark.parametrize("players", [1, 2.0])
def test_wrong_numbers_of_players_are_refused(players):
    with pytest.raises(gp.InputError, match="players must be a whole number"):
        set_up(Population(players=players), COMAL)
