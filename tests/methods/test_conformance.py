"""Every registered method passes the battery, without being named; wrong ones, planted here, do not."""

from __future__ import annotations

import numpy as np
import pytest

import gametheory_pref as gp

from . import battery, planted
from .battery import BATTERY

RULES = gp.METHODS.primary()


@pytest.mark.parametrize("check", BATTERY, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("rule_class", RULES, ids=lambda rule_class: rule_class.info.name)
def test_every_method(rule_class, check):
    check(rule_class, jit=True)


SETTINGS = [
    (rule_class, name)
    for rule_class in RULES
    for name, default in rule_class._field_defaults.items()
    if isinstance(default, (bool, int, float))
]


@pytest.mark.parametrize(("rule_class", "name"), SETTINGS)
def test_settings_of_another_kind_are_refused_by_name(rule_class, name):
    heat = battery.temperatures(rule_class.info)[0]
    with pytest.raises(gp.InputError, match=f"{name} must be .*got 'x'"):
        gp.solve(gp.zoo["comal"].game, rule_class(**{name: "x"}), temperature=heat, jit=False)


@pytest.mark.parametrize("rule_class", RULES, ids=lambda rule_class: rule_class.info.name)
def test_the_same_luck_gives_the_same_run(rule_class):
    battery.check_the_same_luck_gives_the_same_run(rule_class, jit=False)


def every(number: int):
    """All rules, the first of every `number` in the fast suite: each loop costs seconds to compile."""
    return [
        pytest.param(rule_class, id=rule_class.info.name, marks=[pytest.mark.slow] if place % number else [])
        for place, rule_class in enumerate(RULES)
    ]


@pytest.mark.parametrize("rule_class", every(10))
def test_compiled_samples_are_those_of_the_source(rule_class):
    battery.check_the_same_luck_gives_the_same_run(rule_class, jit=True)
    if rule_class.info.samples_terms:
        with pytest.raises(gp.UnsupportedCombination, match="draws opponents by itself"):
            gp.solve(gp.zoo["comal"].game, rule_class(), oracle=gp.Sampled(3))
        return
    battery.check_compiled_code_does_what_the_source_says(rule_class, jit=True, oracle=gp.Sampled(3))


@pytest.mark.parametrize("rule_class", every(6))
def test_batches_run_like_single_games(rule_class):
    battery.check_batches_run_like_single_games(rule_class, jit=True)


CHECKS = {
    check.__name__.removeprefix("check_"): check
    for check in (*BATTERY, battery.check_the_same_luck_gives_the_same_run)
}


@pytest.mark.parametrize("rule_class", planted.WRONG, ids=lambda rule_class: rule_class.__name__)
def test_a_wrong_method_is_rejected_by_the_check_for_it(rule_class):
    with pytest.raises(AssertionError):
        CHECKS[planted.WRONG[rule_class]](rule_class, jit=False)


@pytest.mark.parametrize("name", sorted(set(planted.WRONG.values())))
def test_the_right_method_in_the_interpreter_is_not(name):
    """So that what rejects a wrong method is its fault, and not the interpreter's."""
    CHECKS[name](gp.METHODS["extragradient"], jit=False)


def test_a_blown_up_run_says_so_and_returns_the_last_finite_policy():
    record = gp.Record(per_decade=100)
    whole = gp.solve(gp.zoo["comal"].game, planted.BlownUp(), start=[0.5, 0.3, 0.2], tol=0, max_steps=10, jit=False)
    blown = gp.solve(
        gp.zoo["comal"].game, planted.BlownUp(), start=[0.5, 0.3, 0.2], tol=0, max_steps=50, jit=False, record=record
    )
    assert blown.status is gp.Status.NONFINITE and not blown.converged
    assert blown.n_steps == 10 and np.isfinite(blown.gap)
    np.testing.assert_array_equal(blown.policy, whole.policy)
