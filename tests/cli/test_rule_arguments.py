"""From words on the command line to a rule with settings."""

from __future__ import annotations

import pytest

import gametheory_pref as gp
from gametheory_pref.cli.parser import UsageError
from gametheory_pref.cli.rule_arguments import read_step_size, rule_from, settings_in_words, show_schedule
from gametheory_pref.methods import settle
from gametheory_pref.methods._info import StepFacts

FACTS = StepFacts(payoff_bound=0.5, temperature=0.0, spread=1.0, horizon=2000)


@pytest.mark.parametrize(
    ("method", "assignments", "expected"),
    [
        ("regret_matching", ["plus=true"], {"plus": True}),
        ("regret_matching", ["plus=False"], {"plus": False}),
        ("mnpo_population", ["players=4"], {"players": 4}),
        ("mnpo", ["weights=0.5,0.25,0.25"], {"weights": (0.5, 0.25, 0.25)}),
        ("mnpo", ["weights=1"], {"weights": (1.0,)}),
        ("magnetic", ["inner_temperature=1", "refresh=7"], {"inner_temperature": 1.0, "refresh": 7}),
        ("proximal_point", ["inner_tol=1e-3"], {"inner_tol": 1e-3}),
    ],
)
def test_settings_get_the_kind_of_their_default(method, assignments, expected):
    rule = rule_from(method, None, assignments)
    assert rule == gp.METHODS[method](**expected)
    for name, value in expected.items():
        assert type(getattr(rule, name)) is type(value)


@pytest.mark.parametrize(
    ("method", "assignment", "sentence"),
    [
        ("regret_matching", "plus=1", "must be true or false, as the default False is; got '1'"),
        ("mnpo_population", "players=2.5", "must be a whole number, as the default 3 is; got '2.5'"),
        ("magnetic", "inner_temperature=warm", "must be a number, as the default 0.2 is; got 'warm'"),
        ("magnetic", "inner_temperature=true", "must be a number"),
        ("magnetic", "refresh=", "must be a whole number"),
        ("magnetic", "refrsh=3", "has no such setting; its settings are inner_temperature, refresh"),
    ],
)
def test_a_value_of_another_kind_is_refused(method, assignment, sentence):
    with pytest.raises(UsageError, match=sentence):
        rule_from(method, None, [assignment])


def test_a_setting_is_given_once():
    with pytest.raises(UsageError, match="--set refresh is given twice"):
        rule_from("magnetic", None, ["refresh=3", "refresh=4"])


def test_a_method_without_step_size_takes_none():
    with pytest.raises(gp.UnsupportedCombination, match="regret_matching has no step size"):
        rule_from("regret_matching", "0.1", [])


@pytest.mark.parametrize("schedule", [gp.Schedule(0.25), gp.Schedule(0.5, 2.0, 0.5), gp.Schedule(3.0, 1.0, 1.0)])
def test_a_schedule_is_read_as_it_is_shown(schedule):
    shown = show_schedule(schedule)
    read = read_step_size(shown)
    assert read == (schedule if schedule.power else schedule.scale)
    assert rule_from("egpo", shown, []).step_size == read


def test_names_stay_names():
    assert read_step_size("largest") == "largest"
    assert read_step_size("1e-3") == 1e-3


def test_settings_that_are_not_the_defaults_are_told():
    rule = gp.METHODS["magnetic"](step_size=gp.Schedule(0.5), refresh=7)
    asked = gp.METHODS["magnetic"](refresh=7)
    assert settings_in_words(rule, asked, FACTS) == ["step size 0.5 (largest)", "refresh 7"]


def test_a_step_size_for_a_number_of_steps_is_told_with_it():
    asked = gp.METHODS["spo"]()
    settled = settle(asked, FACTS)
    size = show_schedule(settled.step_size)
    assert settings_in_words(settled, asked, FACTS) == [f"step size {size} (horizon, for 2,000 steps)"]
    # A run that was gone on with has the step size of its first limit.
    assert settings_in_words(settled, asked, FACTS._replace(horizon=3000)) == [f"step size {size} (horizon)"]
