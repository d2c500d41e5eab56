"""What is run, what is left out, and what is refused."""

from __future__ import annotations

import importlib.util
import json
import pathlib
import sys

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref.rule_data import rule_from_dict, rule_to_dict
from gametheory_pref.sweeping.cells import random_start
from gametheory_pref.sweeping.grid import build_grid, named_games, named_rules
from gametheory_pref.sweeping.identity import game_hash

EXTRAGRADIENT = gp.METHODS["extragradient"]


def keys(**changes: object) -> list[str]:
    settings: dict[str, object] = {"games": "comal", "methods": "extragradient", "temperatures": [0.1]}
    grid = build_grid(**(settings | changes))  # type: ignore[arg-type]
    return [cell.key for cell in grid.cells]


def test_a_grid_is_the_product_in_order() -> None:
    grid = build_grid(
        ["comal", "rock_paper_scissors"], ["extragradient", "multiplicative_weights"], temperatures=[0.0], seeds=[3, 5]
    )
    found = [(cell.named.name, cell.seed, cell.method) for cell in grid.cells]
    assert found == [
        (game, seed, method)
        for game in ("comal", "rock_paper_scissors")
        for seed in (3, 5)
        for method in ("extragradient", "multiplicative_weights")
    ]
    assert grid.skipped == ()


def test_what_makes_no_sense_is_left_out_with_its_reason() -> None:
    rules = {"mw": "multiplicative_weights", "bold": EXTRAGRADIENT(step_size=20.0), "eg": EXTRAGRADIENT()}
    grid = build_grid("comal", rules, temperatures=[0.0, 0.1], seeds=range(4))
    assert {(cell.method, cell.named.problem.temperature) for cell in grid.cells} == {
        ("mw", 0.0), ("bold", 0.0), ("eg", 0.0), ("eg", 0.1)
    }
    # Once for all seeds.
    assert [(one.method, one.temperature) for one in grid.skipped] == [("mw", 0.1), ("bold", 0.1)]
    assert "temperature 0 only" in grid.skipped[0].reason
    assert "step_size times temperature is 2" in grid.skipped[1].reason


def test_a_start_without_mass_is_left_out() -> None:
    anchors = {"comal": [0.5, 0.5, 0.0]}
    grid = build_grid(["comal"], ["extragradient"], temperatures=[0.0, 0.1], references=anchors)
    assert [cell.named.problem.temperature for cell in grid.cells] == [0.1]
    assert "no mass" in grid.skipped[0].reason


def test_nothing_to_run_is_an_error_with_the_reason() -> None:
    with pytest.raises(gp.InputError, match="no combination can be run.*temperature 0 only"):
        build_grid("comal", "multiplicative_weights", temperatures=[0.1])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"methods": "extragradientt"}, "extragradientt"),
        ({"methods": ["simplex"]}, "method 'simplex' is exact and has no steps to compare; gp.solve runs it"),
        ({"methods": []}, "methods is empty"),
        ({"methods": ["extragradient", "extragradient"]}, "twice"),
        ({"games": "no such game"}, "no such game"),
        ({"games": ["votes.csv"]}, r"'votes.csv'.*a file is read with gp.read\('votes.csv'\)"),
        ({"seeds": 0}, "seeds must be a whole number of at least 1; got 0"),
        ({"seeds": True}, "seeds must be a sequence; got True"),
        ({"games": []}, "games is empty"),
        ({"temperatures": [-1.0]}, "-1"),
        ({"temperatures": 0.1}, "temperatures must be a sequence"),
        ({"seeds": [-1]}, "seeds must be whole numbers"),
        ({"seeds": [0.5]}, "seeds must be whole numbers"),
        ({"starts": "anywhere"}, "starts must be one of"),
        ({"max_steps": 0}, "max_steps"),
        ({"tol": -1.0}, "tol"),
        ({"oracle": "noisy"}, "oracle"),
        ({"references": {"rps": [0.5, 0.5]}}, "rps"),
        ({"references": [0.5, 0.5]}, "references must map"),
        ({"references": {"comal": [0.5, 0.6, 0.2]}}, "reference sums to 1.3"),
        ({"temperatures": ["warm"]}, "temperature must be a number"),
    ],
)
def test_bad_arguments_are_named(changes: dict[str, object], words: str) -> None:
    with pytest.raises(gp.GameTheoryPrefError, match=words):
        keys(**changes)


def test_a_number_of_seeds_counts_from_zero() -> None:
    grid = build_grid("comal", "extragradient", seeds=3)
    assert [cell.seed for cell in grid.cells] == [0, 1, 2]


def test_games_are_named() -> None:
    comal = gp.zoo["comal"].game
    assert list(named_games({"mine": comal, "zoo": "comal"})) == ["mine", "zoo"]
    assert list(named_games(["comal", comal])) == ["comal", "game 1"]
    assert list(named_games(comal)) == ["game 0"]
    assert list(named_games(np.array([[0.5, 0.7], [0.3, 0.5]]))) == ["game 0"]


@pytest.mark.parametrize(
    "changes",
    [
        {"games": "rock_paper_scissors"},
        {"methods": [EXTRAGRADIENT(step_size=0.25)]},
        {"temperatures": [0.2]},
        {"references": {"comal": [0.5, 0.3, 0.2]}},
        {"starts": "random"},
        {"max_steps": 500},
        {"tol": 1e-6},
        {"oracle": gp.Sampled(opponents=2)},
        {"seeds": [1]},
    ],
)
def test_whatever_changes_a_result_changes_the_key(changes: dict[str, object]) -> None:
    assert keys(**changes) != keys()


def test_what_changes_no_result_keeps_the_key() -> None:
    game = gp.zoo["comal"].game
    assert keys(games={"another name": game}) == keys()
    assert keys(methods={"another label": EXTRAGRADIENT()}) == keys()
    step = build_grid("comal", "extragradient", temperatures=[0.1]).cells[0].rule.step_size
    assert keys(methods={"settled": EXTRAGRADIENT(step_size=step.scale)}) == keys()


def test_every_rule_survives_json() -> None:
    grid = build_grid("comal", gp.METHODS, temperatures=[0.0, 0.1])
    assert {cell.rule.info.name for cell in grid.cells} == {kind.info.name for kind in gp.METHODS.primary()}
    for cell in grid.cells:
        again = rule_from_dict(json.loads(json.dumps(rule_to_dict(cell.rule))))
        assert again == cell.rule and type(again) is type(cell.rule)
        assert list(map(type, again)) == list(map(type, cell.rule)), cell.method


RULE = """
from gametheory_pref import METHODS
SPEED = {speed}
class Mine(METHODS["extragradient"]):
    def step(self, problem, state, rng):
        for _ in range(SPEED):
            state = super().step(problem, state, rng)
        return state
"""


def test_a_rule_from_elsewhere_is_told_from_what_it_was_before(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def described(speed: int) -> dict[str, object]:
        (tmp_path / "my_rule.py").write_text(RULE.format(speed=speed))
        spec = importlib.util.spec_from_file_location("my_rule", tmp_path / "my_rule.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "my_rule", module)
        spec.loader.exec_module(module)
        return rule_to_dict(module.Mine())

    first = described(1)
    assert first["class"] == "my_rule.Mine" and described(1) == first
    # The class is the same to the letter; what its step looks up is not.
    assert described(20) != first
    assert "code" not in rule_to_dict(EXTRAGRADIENT())


def test_all_methods_are_named_once() -> None:
    assert list(named_rules(gp.METHODS)) == [kind.info.name for kind in gp.METHODS.primary()]


def test_games_are_told_apart_by_payoff_and_names() -> None:
    one = gp.preference_game([[0.5, 0.7], [0.3, 0.5]])
    assert game_hash(one) == game_hash(gp.preference_game([[0.5, 0.7], [0.3, 0.5]]))
    assert game_hash(one) != game_hash(gp.preference_game([[0.5, 0.7], [0.3, 0.5]], names=["a", "b"]))
    assert game_hash(one) != game_hash(gp.preference_game([[0.5, np.nextafter(0.7, 1.0)], [0.3, 0.5]]))


def test_random_starts_are_uniform_policies_by_seed() -> None:
    game = gp.zoo["comal"].game
    starts = np.array([random_start(game, seed) for seed in range(400)])
    np.testing.assert_allclose(starts.sum(axis=1), 1.0)
    # Mean 1/3 and variance 1/18 of a uniform point of the triangle.
    np.testing.assert_allclose(starts.mean(axis=0), 1 / 3, atol=0.05)
    np.testing.assert_allclose(starts.var(axis=0), 1 / 18, atol=0.015)
    np.testing.assert_array_equal(random_start(game, 7), starts[7])
    row, column = random_start(gp.matrix_game([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]), 0)
    assert row.shape == (2,) and column.shape == (3,)
