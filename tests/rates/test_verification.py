"""The table finds what is true, what is printed but wrong, and what is nonsense; and a new method by itself."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref import verification
from gametheory_pref.methods import METHODS
from gametheory_pref.methods._info import (
    REGULARIZED,
    Contraction,
    Limit,
    LocalRate,
    MethodInfo,
    Trial,
    anchored_log_factor,
    extragradient_cap,
    method,
)
from gametheory_pref.negative_controls import ForgottenAnchor, StandStill, WrongSign, controls
from gametheory_pref.verbs import Generator, Point, TabularProblem, blend, field, mirror, step_size_at


@pytest.fixture(scope="module")
def found() -> gp.Verification:
    """Two methods and all negative controls."""
    return gp.verify(["extragradient", "multiplicative_weights"])


def test_theorems_hold_and_controls_are_violated(found: gp.Verification) -> None:
    assert found.ok, found.to_text()
    assert not found.failures
    assert {row.kind for row in found.rows} >= {"theorem", "negative control"}
    for row in found.rows:
        assert row.verdict == ("holds" if row.kind == "theorem" else "violated")
        assert row.n_judged + row.n_inconclusive == len(row.cases)
        assert row.n_judged > 0


def test_every_control_is_tried(found: gp.Verification) -> None:
    named = {row.guarantee.name for row in found.rows if row.kind == "negative control"}
    assert named == {control.claim.name for control in controls()}
    assert named >= {
        "stand-still-contracts",
        "wrong-sign-contracts",
        "forgotten-anchor-contracts",
        "mirror-descent-any-step",
        "multiplicative-weights-last-iterate",
        "momentum-on-a-cycle",
    }


def test_theorems_are_tried_on_many_games_and_temperatures(found: gp.Verification) -> None:
    row = next(row for row in found.rows if row.guarantee.name == "extragradient-contraction")
    judged = [case.trial for case in row.cases if case.report.verdict == "holds"]
    assert {trial.game for trial in judged} == set(verification.GAMES)
    assert {trial.temperature for trial in judged} == {0.0, *verification.TEMPERATURES}
    assert 0.9 < row.tightness <= 1.0 + 1e-9


def test_tightness_is_that_of_the_worst_trial(found: gp.Verification) -> None:
    row = next(row for row in found.rows if row.guarantee.name == "multiplicative-weights-average")
    assert row.tightness == max(case.report.tightness for case in row.cases if case.report.verdict == "holds")
    assert row.tightness == row.cases[0].report.tightness
    assert row.reason.startswith(str(row.cases[0]))


def test_the_table_is_plain_data_and_text(found: gp.Verification) -> None:
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["schema"] == "gtpref.verification/1" and plain["ok"] is True
    assert len(plain["rows"]) == len(found.rows)
    assert plain["rows"][0]["cases"][0]["trial"]
    text = found.to_text()
    assert f"{len(found.rows)} rows, all as they should be." in text
    for row in found.rows:
        assert row.guarantee.name in text and row.guarantee.name in found._repr_html_()


def test_rows_that_fail_say_why(found: gp.Verification) -> None:
    row = dataclasses.replace(found.rows[0], verdict="violated", reason="because of this")
    broken = dataclasses.replace(found, rows=(row, *found.rows[1:]))
    assert not broken.ok and broken.failures == (row,)
    assert "because of this" in broken.to_text() and "!!" in broken.to_text()
    assert broken.to_text().endswith(f"\n{len(found.rows)} rows, 1 not as it should be.")


def test_rows_that_were_not_tried_are_not_called_good(found: gp.Verification) -> None:
    some = dataclasses.replace(found, rows=found.rows[:2], n_planned=57)
    assert some.to_text().endswith("\n2 of 57 rows tried, all as they should be.")
    assert dataclasses.replace(some, rows=()).to_text() == "0 of 57 rows tried."
    assert dataclasses.replace(found, rows=found.rows[:1]).to_text().endswith("\n1 row, as it should be.")
    assert some.to_dict()["n_planned"] == 57


def test_progress_is_told_row_by_row() -> None:
    seen: list[Any] = []
    found = gp.verify([], callback=seen.append)
    assert tuple(seen) == found.rows


def test_methods_must_be_known() -> None:
    with pytest.raises(gp.InputError, match="did you mean 'extragradient'"):
        gp.verify(["extragradeint"])
    with pytest.raises(gp.InputError, match="methods must be a sequence"):
        gp.verify("extragradient")


# -- games and trials


def test_games_by_name() -> None:
    game = verification.game_by_name("random_6_2")
    assert game.n_responses == 6
    assert_allclose(game.payoff, verification.game_by_name("random_6_2").payoff)
    assert np.abs(game.payoff - verification.game_by_name("random_6_3").payoff).max() > 0.1
    star = verification.game_by_name("star_4")
    assert_allclose(star.payoff[0], [0.0, 0.5, 0.5, 0.5])
    assert_allclose(star.payoff[1:, 1:], 0.0)
    assert verification.game_by_name([[0.5, 0.7], [0.3, 0.5]]).n_responses == 2
    with pytest.raises(gp.InputError, match="game must be a name of the zoo"):
        verification.game_by_name("no_such_game")


def test_a_trial_that_cannot_run_decides_nothing() -> None:
    claim = Contraction(
        "impossible", "...", "a test", "last", lambda rule, facts: None, anchored_log_factor,
        trials=(Trial("comal", 0.1, {"step_size": 1e9}),),
    )
    row = verification.Bench(StandStill, jit=False).row(claim, "theorem")
    assert row.verdict == "inconclusive" and not row.ok
    assert "step_size times temperature" in row.reason


# -- a method from one file, right and wrong


class State(NamedTuple):
    x: Point
    t: int


def _equilibrium(rule: Any, facts: Any) -> np.ndarray:
    return np.asarray(facts.log_equilibrium)


def _factor(rule: Any, facts: Any) -> float:
    eta = rule.step_size.scale
    k, w = 1.0 - eta * facts.temperature, facts.frequencies
    return float((np.abs(k + 1j * eta * w * (k + 1j * eta * w)) ** 2).max())


def claims() -> tuple[Any, ...]:
    trials = (Trial("comal", 0.1, max_steps=250), Trial("bradley_terry", 0.5, max_steps=250))
    return (
        Contraction(
            "own-contraction", "...", "a test", "last", lambda rule, facts: None, anchored_log_factor, trials=trials
        ),
        Limit("own-limit", "...", "a test", "last", lambda rule, facts: None, _equilibrium, trials=trials),
        LocalRate("own-rate", "...", "a test", "last", lambda rule, facts: None, _factor, trials=trials),
    )


def own_info() -> MethodInfo:
    return MethodInfo(
        name="own", title="Own", solves=REGULARIZED, payoff_calls=2, answer="last",
        step_sizes={"largest": extragradient_cap}, cite=(), guarantees=claims(),
    )


@method(own_info())
class Own(NamedTuple):
    """Extragradient, written once more by somebody else; `mistake` plants an error."""

    step_size: Any = "largest"
    mistake: int = 0

    def init(self, problem: TabularProblem) -> State:
        return State(problem.start, 0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        eta = step_size_at(self.step_size, state.t)
        pull = 0.0 if self.mistake == 1 else eta * problem.temperature
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        half = state.x if self.mistake == 2 else mirror(problem, base, field(problem, state.x, rng), eta)
        push = -eta if self.mistake == 3 else eta
        start = blend(problem, (half, problem.reference), (1.0 - pull, pull)) if self.mistake == 4 else base
        return State(mirror(problem, start, field(problem, half, rng), push), state.t + 1)


def verdicts(mistake: int) -> dict[str, str]:
    bench = verification.Bench(Own(mistake=mistake), jit=False)
    return {claim.name: bench.row(claim, "theorem").verdict for claim in Own.info.guarantees}


def test_a_new_method_is_verified_from_its_own_claims() -> None:
    assert verdicts(0) == {"own-contraction": "holds", "own-limit": "holds", "own-rate": "holds"}


@pytest.mark.parametrize(
    "mistake", [1, 2, 3, 4], ids=["forgotten anchor", "no lookahead", "wrong sign", "steps from the lookahead"]
)
def test_planted_mistakes_are_found(mistake: int) -> None:
    assert "violated" in verdicts(mistake).values()


@pytest.mark.parametrize("rule", [StandStill, WrongSign, ForgottenAnchor])
def test_wrong_rules_meet_no_theorem_of_the_right_ones(rule: Any) -> None:
    """Whatever is proved about the last iterate of mirror descent, claimed by a wrong rule with its step."""
    bench = verification.Bench(rule, jit=False)
    for theorem in METHODS["mirror_descent"].info.guarantees:
        if theorem.proved and theorem.of == "last" and not theorem.trials:
            short = tuple(Trial(game, 0.5, max_steps=300) for game in ("comal", "bradley_terry", "random_10_0"))
            row = bench.row(dataclasses.replace(theorem, trials=short), "theorem")
            assert row.verdict != "holds", f"{theorem.name}: {row.reason}"


@pytest.mark.slow
def test_the_whole_table() -> None:
    """Every theorem of every registered method, found without being named."""
    found = gp.verify()
    assert found.ok, found.to_text()
    listed = {(row.method, row.guarantee.name) for row in found.rows}
    for rule in METHODS.primary():
        for theorem in rule.info.guarantees:
            assert (rule.info.name, theorem.name) in listed
