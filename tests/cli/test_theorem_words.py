"""What theorems say about a run, in words: at the steps taken, never a zero, never a mean for a single run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref.cli.theorem_words import applied, main_claim, remark_of
from gametheory_pref.methods._info import Bound

GAME = gp.zoo["comal"].game


def a_run(method, **settings):
    return gp.solve(GAME, method, **{"temperature": 0.1, "max_steps": 30, "tol": 0.0, "jit": False, **settings}).run


def bound(value):
    return Bound("b", "kl <= m^2", "nobody", "last", lambda rule, facts: None, quantity="kl", bound=value)


def with_claim(run, guarantee):
    """Return the run as if its method had this theorem only."""

    class Rule(type(run.rule)):
        info = replace(run.rule.info, guarantees=(guarantee,))

    return replace(run, rule=Rule(*run.rule))


def test_a_theorem_is_told_at_the_steps_taken():
    run = a_run("extragradient", max_steps=400, tol=1e-3)
    assert 0 < run.steps[-1] < run.facts.horizon
    claimed = with_claim(run, bound(lambda rule, facts, steps: 1.0 / steps))
    assert main_claim(claimed) == f"KL from the equilibrium at most {1 / run.steps[-1]:.2g} after {run.steps[-1]} steps"


def test_no_theorem_is_told_about_a_run_without_a_step():
    run = a_run("extragradient", tol=1.0)
    assert run.steps[-1] == 0
    assert main_claim(run) == "none applies: no step was recorded"


@pytest.mark.parametrize("value", [0.0, 1e-320])
def test_a_bound_is_never_called_zero(value):
    run = with_claim(a_run("extragradient"), bound(lambda rule, facts, steps: np.full(len(steps), value)))
    assert main_claim(run) == "KL from the equilibrium below 1e-300 after 30 steps"


def test_a_claim_in_symbols_says_where_they_are_explained():
    run = with_claim(a_run("extragradient"), bound(lambda rule, facts, steps: np.full(len(steps), np.inf)))
    assert main_claim(run) == "kl <= m^2 (symbols: docs/notation.md)"


def test_a_mean_over_seeds_is_no_bound_on_a_run():
    rule = gp.METHODS["nash_md"](step_size="theorem")
    words = main_claim(a_run(rule, oracle=gp.Sampled(opponents=4), rng=0))
    assert words.startswith("on average over seeds, KL from the equilibrium at most ")
    assert not main_claim(a_run(rule)).startswith("on average")


def test_a_biased_limit_is_told_in_words_with_its_distance():
    run = a_run(gp.METHODS["nash_md_pg"](mixture=0.5), reference=[0.5, 0.3, 0.2])
    limit = next(claim.guarantee for claim in applied(run) if claim.guarantee.name == "nash-md-pg-limit")
    center = run.facts.log_equilibrium
    distance = np.exp(center) @ (center - limit.log_policy(run.rule, run.facts))
    assert distance > 1e-4
    assert main_claim(run) == f"does not converge to the equilibrium: KL from it tends to {distance:.2g}"
    assert remark_of(run) is None
    assert main_claim(a_run(gp.METHODS["nash_md_pg"](mixture=0.0))) == "converges to the equilibrium"


def test_a_method_that_need_not_converge_says_so():
    assert remark_of(a_run("accelerated")) == "accelerated need not converge to the equilibrium"
    assert remark_of(a_run("extragradient")) is None
    assert "for temperature 0" in remark_of(a_run("multiplicative_weights"))
