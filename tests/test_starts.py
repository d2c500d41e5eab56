"""Where rules may start: projected steps anywhere, multiplicative ones where every response has mass."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref.methods import starts_anywhere

CYCLE = [[0.5, 0.1, 0.8, 0.7], [0.9, 0.5, 0.1, 0.7], [0.2, 0.9, 0.5, 0.7], [0.3, 0.3, 0.3, 0.5]]
WINNER = np.array([4.0, 3.0, 4.0, 0.0]) / 11.0
ANYWHERE = [rule for rule in gp.METHODS.primary() if "minimax" in rule.info.solves and starts_anywhere(rule())]


@pytest.mark.parametrize("rule", ANYWHERE, ids=lambda rule: rule.info.name)
@pytest.mark.parametrize("start", [[1.0, 0.0, 0.0, 0.0], WINNER], ids=["vertex", "winner"])
def test_projected_steps_start_without_mass_and_give_some(rule: type, start: list[float]) -> None:
    solution = gp.solve(CYCLE, rule, start=start, tol=0.02, max_steps=20_000, jit=False, rng=0)
    assert solution.converged
    assert_allclose(solution.policy, WINNER, atol=0.25)
    assert_allclose(solution.gap, gp.duality_gap(CYCLE, solution.policy), atol=1e-12)


def test_rules_that_start_anywhere_are_these() -> None:
    names = {rule.info.name for rule in ANYWHERE}
    assert names >= {"restarted_halpern", "halpern", "anchored_extragradient", "vr_halpern", "vr_extragradient"}
    assert not names & {"extragradient", "multiplicative_weights", "optimistic", "vr_mirror_prox", "sppo"}
    assert starts_anywhere(gp.METHODS["extragradient"](geometry=gp.Euclidean()))
    assert not starts_anywhere(gp.METHODS["anchored_extragradient"](geometry=gp.Entropic()))


def test_multiplicative_steps_do_not() -> None:
    with pytest.raises(gp.InputError, match="gives no mass to 1"):
        gp.solve(CYCLE, "extragradient", start=[1.0, 0.0, 0.0, 0.0])


def test_an_exact_answer_is_a_start() -> None:
    exact = gp.solve(CYCLE)
    assert_allclose(exact.policy, WINNER, atol=1e-12)
    assert gp.solve(CYCLE, "restarted_halpern", start=exact, jit=False).n_steps == 0


def test_the_norm_of_a_large_table_takes_a_few_products() -> None:
    upper = np.triu(np.random.default_rng(0).uniform(-1.0, 1.0, (400, 400)), 1)
    game = gp.from_margins(upper - upper.T)
    solution = gp.solve(game, "restarted_halpern", tol=0.0, max_steps=2, jit=False)
    assert_allclose(solution.run.facts.norm, np.linalg.norm(game.payoff, 2), rtol=1e-3)
