"""Proximal point: the implicit equation, the theorem for any step, printed tails, and what inexact solves may cost."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref.exact.regularized import regularized
from gametheory_pref.sweeping.grid import build_grid

from .stepping import divergences, guarantee, set_up, softmax_of_normals, states, tail

Prox = gp.METHODS["nash_prox"]
ROCK = gp.zoo["rock_paper_scissors"].game
COMAL = gp.zoo["comal"].game
START = np.array([0.5, 0.3, 0.2])


def random_game(seed: int, n: int) -> np.ndarray:
    upper = np.triu(np.random.default_rng(seed).uniform(-0.5, 0.5, (n, n)), 1)
    return 0.5 + upper - upper.T


@pytest.mark.parametrize(("temperature", "eta"), [(0.1, 0.5), (0.1, 9.9), (0.1, 10.0), (0.0, 2.0), (0.0, 50.0)])
def test_a_step_solves_its_implicit_equation(temperature, eta):
    rule, problem, _ = set_up(Prox(step_size=eta), random_game(0, 6), temperature, reference=softmax_of_normals(6))
    x = problem.start.log + np.arange(6.0)
    x -= np.log(np.exp(x).sum())
    state = rule.init(problem._replace(start=type(problem.start)(x, np.exp(x))))
    new = rule.step(problem, state, None).x
    pull = eta * temperature
    anchor = (1.0 - pull) * x + pull * problem.reference.log
    residual = new.log - anchor - eta * problem.payoff @ new.prob
    np.testing.assert_allclose(residual, residual.mean(), atol=1e-11)
    # The same policy by Newton's method: the equilibrium at temperature 1 / eta with that anchor.
    exact = regularized(problem.payoff, 1.0 / eta, anchor - np.log(np.exp(anchor).sum()), tol=1e-13)
    np.testing.assert_allclose(new.prob, exact.policy, atol=1e-11)


PRINTED = [(ROCK, 0.5, 0.5, 0.2322), (ROCK, 0.1, 5 / 6, 0.5648), (ROCK, 0.02, 0.9615, 0.7068),
           (COMAL, 0.1, 5 / 6, 0.6197), (COMAL, 0.02, 0.9615, 0.7961)]  # fmt: skip


@pytest.mark.parametrize(("game", "temperature", "bound", "printed"), PRINTED)
def test_printed_tails(game, temperature, bound, printed):
    """With the proximal weight 1/2, from the reference: a factor per step, its bound, and the spectrum's forecast."""
    rule, problem, facts = set_up(
        Prox(step_size=1.0 / (0.5 + temperature)), game, temperature, reference=softmax_of_normals(3)
    )
    values = divergences(facts, states(rule, problem, 45))
    measured = tail(values, 8)
    np.testing.assert_allclose(measured, printed, rtol=2e-3)
    np.testing.assert_allclose(guarantee(rule, "proximal-point-local-rate").factor(rule, facts), measured, rtol=1e-3)
    clear = values > 1e-20
    ratios = values[1:][clear[1:]] / values[:-1][clear[1:]]
    log_factor = guarantee(rule, "proximal-point-contraction").log_factor(rule, facts, np.array([1]))
    np.testing.assert_allclose(np.exp(log_factor), [bound], rtol=1e-4)
    assert ratios.max() <= bound


@pytest.mark.parametrize("proximal_weight", [1e-3, 0.05, 2.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_theorem_holds_for_any_proximal_weight(proximal_weight, seed):
    temperature = 0.05
    rule, problem, facts = set_up(
        Prox(step_size=1.0 / (proximal_weight + temperature)), random_game(seed, 7), temperature,
        reference=softmax_of_normals(7),
    )  # fmt: skip
    values = divergences(facts, states(rule, problem, 6))
    clear = values[1:] > 1e-20
    kept = proximal_weight / (proximal_weight + temperature)
    assert (values[1:][clear] <= kept * values[:-1][clear] * (1.0 + 1e-8)).all()


def test_printed_gaps_without_regularisation():
    """COMAL with exact inner solves at tau = 0.1; the divergence falls at every step."""
    rule, problem, facts = set_up(Prox(step_size=10.0), COMAL, start=START)
    found = states(rule, problem, 30)
    # KL(pi* || new) <= KL(pi* || old) - KL(new || old)
    moved = [facts.divergence_from(new.x.log, old.x.log[None])[0] for old, new in pairwise(found)]
    assert (np.diff(divergences(facts, found)) + moved <= 1e-14).all() and moved[0] > 1e-3
    assert (np.diff(divergences(facts, found)) <= 1e-28).all()
    gaps = [2.0 * (problem.payoff @ found[step].x.prob).max() for step in (10, 30)]
    np.testing.assert_allclose(gaps, [2.9e-5, 2.1e-12], rtol=0.02)


def test_the_spectrum_forecasts_the_steps_without_regularisation():
    """Rock, paper, scissors turns at sqrt(3)/6: the divergence falls by 1 / (1 + eta^2 / 12) a step."""
    rule, problem, facts = set_up(Prox(step_size=10.0), ROCK, start=START)
    found = states(rule, problem, 30)
    np.testing.assert_allclose(tail(divergences(facts, found), 6), 1.0 / (1.0 + 100.0 / 12.0), rtol=1e-3)
    assert 2.0 * (problem.payoff @ found[-1].x.prob).max() < 1e-14


@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_the_loosest_relative_error_keeps_the_rate_and_saves_payoffs(temperature):
    game, reference = random_game(3, 8), softmax_of_normals(8)
    calls = {}
    for loose in (0.0, 1.0):
        rule, problem, facts = set_up(
            Prox(step_size=5.0, relative_tol=loose), game, temperature, reference=reference
        )
        found = states(rule, problem, 25)
        values = divergences(facts, found)
        log_factor = guarantee(rule, "proximal-point-contraction").log_factor(rule, facts, np.arange(26))
        allowed = np.exp(np.diff(log_factor)) * values[:-1] + 1e-26
        assert (values[1:] <= allowed * (1.0 + 1e-9)).all()
        calls[loose] = found[-1].calls
    assert 3 * calls[1.0] < calls[0.0]


def test_an_absolute_error_enters_once_a_step():
    rule, problem, facts = set_up(Prox(step_size=2.0, inner_tol=1e-4), COMAL, 0.1, reference=softmax_of_normals(3))
    values = divergences(facts, states(rule, problem, 40))
    assert (values[1:] <= 0.8 * values[:-1] + 1e-4).all()
    inexact = guarantee(rule, "proximal-point-inexact")
    assert inexact.hypotheses(rule, facts) is None
    assert (values <= inexact.bound(rule, facts, np.arange(41))).all()
    assert "exact inner solves" in guarantee(rule, "proximal-point-contraction").hypotheses(rule, facts)


def test_a_cap_on_inner_steps_is_no_theorem():
    rule, problem, facts = set_up(Prox(inner_steps=2), COMAL, 0.1)
    found = states(rule, problem, 3)
    assert all("inner_steps is 2" in one.hypotheses(rule, facts) for one in rule.info.guarantees)
    assert found[-1].calls >= 3 * 5


@pytest.mark.parametrize(
    "setting", [{"inner_tol": 0.0}, {"relative_tol": -1.0}, {"inner_steps": 0}, {"step_size": 11.0}]
)
def test_wrong_settings_are_refused(setting):
    with pytest.raises(gp.InputError, match=next(iter(setting))):
        set_up(Prox(**setting), COMAL, 0.1)


def test_compiled_code_solves_with_little_scratch():
    """Thousands of inner steps keep within the rows that the run began with."""
    rule = Prox(step_size=1e4)
    solution = gp.solve(random_game(0, 12), rule, temperature=1e-4, tol=1e-10, max_steps=1)
    assert solution.converged and solution.payoff_calls > 1000
    assert solution.run.facts.problem.arena.rows.shape[0] < 100
    np.testing.assert_allclose(solution.policy, gp.solve(random_game(0, 12), temperature=1e-4).policy, atol=1e-6)


def test_the_reply_is_played_however_loose_the_inner_solve():
    """With a tolerance that the first point meets, the reply to it is a step of mirror descent."""
    prox, problem, _ = set_up(Prox(step_size=0.5, inner_tol=10.0), COMAL, 0.1, reference=START)
    plain, _, _ = set_up(gp.METHODS["mirror_descent"](step_size=0.5), COMAL, 0.1, reference=START)
    for ours, theirs in zip(states(prox, problem, 3), states(plain, problem, 3), strict=True):
        np.testing.assert_allclose(ours.x.prob, theirs.x.prob, rtol=1e-14)


def test_sampled_payoffs_need_short_inner_loops():
    noisy = {"temperature": 0.1, "oracle": gp.Sampled(4), "rng": 0, "max_steps": 3, "tol": 0.0, "jit": False}
    with pytest.raises(gp.UnsupportedCombination, match="take all its inner_steps, 10000; give .* at most 100"):
        gp.solve(COMAL, Prox(), **noisy)
    short = gp.solve(COMAL, Prox(inner_steps=5), **noisy)
    # A first product, and at least two for each inner step: none of them ended early.
    assert short.n_steps == 3
    assert short.payoff_calls >= 3 * (1 + 2 * 5)
    grid = build_grid("comal", [Prox(), Prox(inner_steps=5)], temperatures=[0.1], oracle=gp.Sampled(4))
    assert [one.reason.partition(" meets")[0] for one in grid.skipped] == ["proximal_point with sampled payoffs"]
    assert [cell.rule.inner_steps for cell in grid.cells] == [5]
