from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp

from .worked import GAMES, UNEVEN, divergences, drawn, run, theorem

NASH_MD_PG = gp.METHODS["nash_md_pg"]


@pytest.mark.parametrize(("mixture", "printed"), [(0.125, 9.4e-4), (0.25, 4.6e-3), (0.5, 2.9e-2)])
def test_a_constant_mixture_ends_beside_the_equilibrium(mixture, printed):
    found = run(GAMES["comal"], NASH_MD_PG(mixture=mixture), 3000, temperature=0.1, reference=UNEVEN)
    assert_allclose(divergences(found)[-1], printed, rtol=0.02)
    opponent = gp.solve(GAMES["comal"], temperature=0.1 / (1.0 - mixture), reference=UNEVEN, tol=1e-13)
    reply = np.exp(found.facts.log_reply(opponent.policy, 0.1))
    assert_allclose(np.exp(found.log_last[-1]), reply, atol=3e-15)
    limit = theorem(NASH_MD_PG, "nash-md-pg-limit")
    assert limit.hypotheses(found.rule, found.facts) is None
    assert_allclose(np.exp(limit.log_policy(found.rule, found.facts)), reply, atol=3e-15)


def test_all_of_the_mixture_is_the_reply_to_the_reference():
    game, reference = GAMES["comal"], np.array(UNEVEN)
    found = run(game, NASH_MD_PG(mixture=1.0), 1000, temperature=0.1, reference=reference)
    reply = reference * np.exp(game.payoff @ reference / 0.1)
    assert_allclose(np.exp(found.log_last[-1]), reply / reply.sum(), atol=1e-14)


@pytest.mark.parametrize(("mixture", "other"), [(0.0, "mirror_descent"), (0.06, "nash_md")])
def test_mixtures_that_are_other_rules(mixture, other):
    """No mixture is mirror descent; the pull eta beta as mixture is Nash-MD."""
    game = drawn(6, 5)
    one, two = (
        run(game, rule, 40, temperature=0.2, reference=[0.1, 0.2, 0.3, 0.2, 0.2])
        for rule in (NASH_MD_PG(mixture=mixture, step_size=0.3), gp.METHODS[other](step_size=0.3))
    )
    assert_allclose(one.log_last, two.log_last, atol=1e-13)


def test_ipo_md_has_the_same_fixed_point():
    """Its gradient vanishes where the payoff against the mixture less the KL term is constant on the mixture."""
    game, tau, mixture = GAMES["comal"], 0.1, 0.25
    found = run(game, NASH_MD_PG(mixture=mixture), 5000, temperature=tau, reference=UNEVEN)
    policy = np.exp(found.log_last[-1])
    mixed = policy ** (1.0 - mixture) * np.array(UNEVEN) ** mixture
    mixed /= mixed.sum()
    score = game.payoff @ mixed - tau * np.log(policy / UNEVEN)
    assert np.ptp(score) < 1e-14


def test_a_mixture_is_a_weight():
    with pytest.raises(gp.InputError, match="mixture must be a weight"):
        gp.solve(GAMES["comal"], NASH_MD_PG(mixture=1.5), temperature=0.1)
    for mixture in (-0.1, float("nan"), "half"):
        with pytest.raises(gp.InputError, match="mixture must be a"):
            gp.solve(GAMES["comal"], NASH_MD_PG(mixture=mixture), temperature=0.1)
