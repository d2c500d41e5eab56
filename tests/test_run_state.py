"""A run in a file: going on from it gives the run that was never stopped, to the last bit."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import gametheory_pref as gp
from gametheory_pref import run_state

GAME = gp.zoo["rock_paper_scissors"].game
START = [0.6, 0.3, 0.1]


def ended(solution):
    return solution.run.resume


def assert_same_run(one, other):
    assert one.n_steps == other.n_steps
    assert_array_equal(ended(one).state.x.prob, ended(other).state.x.prob)
    assert_array_equal(one.run.log_last, other.run.log_last)
    assert_array_equal(ended(one).total, ended(other).total)
    assert_array_equal(one.run.gap_last[-1], other.run.gap_last[-1])
    assert one.run.rule == other.run.rule


def run(max_steps, method="extragradient", **settings):
    return gp.solve(GAME, method, **{"tol": 0.0, "jit": False, "max_steps": max_steps, **settings})


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("extragradient", {"temperature": 0.1}),
        ("extragradient", {"temperature": 0.1, "start": START}),
        ("multiplicative_weights", {"start": START}),
        ("extragradient", {"temperature": 0.1, "oracle": gp.Sampled(opponents=3), "rng": 5}),
        ("extragradient", {"temperature": 0.1, "reference": [0.5, 0.5, 0.0]}),
    ],
)
def test_going_on_from_a_file_is_the_run_that_was_never_stopped(tmp_path, method, settings):
    file = tmp_path / "run.npz"
    problem = {name: settings[name] for name in ("temperature", "reference") if name in settings}
    whole = run(30, method, **settings)
    # The horizon is that of the whole run: a step size may depend on it.
    gp.save_run(run(12, whole.run.rule, **settings), file)
    loaded = gp.load_run(file, GAME, **problem)
    oracle = settings.get("oracle", gp.Exact())
    rest = run(18, loaded.run.rule, **problem, oracle=oracle, start=loaded)
    assert_same_run(rest, whole)
    # What theorems are told about the run is that of its start, too.
    assert rest.run.facts.spread == whole.run.facts.spread


@pytest.mark.parametrize("name", [cls.info.name for cls in gp.METHODS.primary()])
def test_every_method_goes_on_where_it_stood(tmp_path, name):
    file = tmp_path / "run.npz"
    temperature = 0.1 if "regularized" in gp.METHODS[name].info.solves else 0.0
    settings = {"temperature": temperature, "start": START, "rng": 5}
    whole = run(12, name, **settings)
    gp.save_run(run(5, whole.run.rule, **settings), file)
    loaded = gp.load_run(file, GAME, temperature=temperature)
    rest = run(7, loaded.run.rule, temperature=temperature, start=loaded)
    assert_same_run(rest, whole)
    assert rest.payoff_calls == whole.payoff_calls


def test_the_file_keeps_the_solution(tmp_path):
    file = tmp_path / "run.npz"
    saved = run(12, temperature=0.1, start=START)
    gp.save_run(saved, file)
    loaded = gp.load_run(file, GAME, temperature=0.1)
    assert_same_run(loaded, saved)
    assert_array_equal(loaded.policy, saved.policy)
    assert (loaded.gap, loaded.status, loaded.message) == (saved.gap, saved.status, saved.message)
    for name in ("step", "payoff_calls", "seconds"):
        assert_array_equal(getattr(loaded.trace, name), getattr(saved.trace, name))
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("bits", ["PCG64", "MT19937", "Philox", "SFC64"])
def test_every_generator_goes_on_where_it_stood(tmp_path, bits):
    file = tmp_path / "run.npz"
    settings = {"temperature": 0.1, "oracle": gp.Sampled(opponents=2)}

    def generator():
        return np.random.Generator(getattr(np.random, bits)(7))

    whole = run(9, rng=generator(), **settings)
    gp.save_run(run(4, whole.run.rule, rng=generator(), **settings), file)
    loaded = gp.load_run(file, GAME, temperature=0.1)
    assert_same_run(run(5, loaded.run.rule, start=loaded, **settings), whole)


@pytest.mark.parametrize(
    ("game", "problem", "which"),
    [
        (gp.preference_game([[0.5, 0.9], [0.1, 0.5]]), {}, "game is another"),
        (gp.preference_game(1.0 - GAME.preference), {}, "game is another"),
        (GAME, {"temperature": 0.2}, "temperature is 0.1, not 0.2"),
        (GAME, {"reference": START}, "reference is another"),
        (GAME, {"reference": [0.5, 0.5, 0.0]}, "or its reference plays other responses"),
    ],
)
def test_another_problem_is_refused(tmp_path, game, problem, which):
    file = tmp_path / "run.npz"
    gp.save_run(run(3, temperature=0.1), file)
    with pytest.raises(gp.InputError, match=f"another problem: .*{which}"):
        gp.load_run(file, game, **{"temperature": 0.1, **problem})


def test_what_is_no_saved_run_is_refused(tmp_path):
    file = tmp_path / "run.npz"
    file.write_text("step,gap\n")
    with pytest.raises(gp.InputError, match=r"run\.npz: is not a saved run"):
        gp.load_run(file, GAME)
    np.savez(file, steps=np.arange(3))
    with pytest.raises(gp.InputError, match="is not a saved run"):
        gp.load_run(file, GAME)
    np.savez(file, facts=np.array({"schema": run_state.SCHEMA}, dtype=object))
    with pytest.raises(gp.InputError, match="is not a saved run"):
        gp.load_run(file, GAME)
    np.savez(file, facts=np.array(json.dumps({"schema": "gtpref.run_state/0"})))
    with pytest.raises(gp.InputError, match="another version"):
        gp.load_run(file, GAME)


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays.pop("state.x.log"),
        lambda arrays: arrays.update({"state.x.log": np.zeros(4)}),
        lambda arrays: arrays.update({"state.t": np.array("soon")}),
        lambda arrays: arrays.pop("total"),
        lambda arrays: arrays.update(facts=np.array(str(arrays["facts"]).replace("extragradient", "magic"))),
        lambda arrays: arrays.update(facts=np.array(str(arrays["facts"]).replace("step_size", "stride"))),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, change):
    file = tmp_path / "run.npz"
    gp.save_run(run(3, temperature=0.1), file)
    arrays = dict(np.load(file))
    change(arrays)
    np.savez(file, **arrays)
    with pytest.raises(gp.InputError, match="damaged"):
        gp.load_run(file, GAME, temperature=0.1)


def test_what_cannot_be_saved_is_refused(tmp_path):
    with pytest.raises(gp.InputError, match="keeps no run"):
        gp.save_run(gp.solve(GAME), tmp_path / "run.npz")

    class Mine(gp.METHODS["extragradient"]):
        pass

    with pytest.raises(gp.UnsupportedCombination, match="Mine is no method"):
        gp.save_run(run(3, Mine(), temperature=0.1), tmp_path / "run.npz")


def test_a_run_without_a_state_is_a_start_only(tmp_path):
    cell = gp.compare({"game": GAME}, ["extragradient"], temperatures=[0.1], starts="random", max_steps=5).cells[0]
    stored = cell.solution()
    with pytest.raises(gp.InputError, match="keeps no state"):
        gp.save_run(stored, tmp_path / "run.npz")
    settings = {"temperature": 0.1, "tol": 0.0, "max_steps": 5}
    again = gp.solve(GAME, "extragradient", start=stored, **settings)
    assert_array_equal(again.policy, gp.solve(GAME, "extragradient", start=stored.policy, **settings).policy)
    assert again.n_steps == 5


def test_a_run_that_left_the_finite_numbers_is_a_start_only():
    sppo = gp.METHODS["sppo"]
    with np.errstate(all="ignore"):
        lost = gp.solve(GAME, sppo(step_size=1e300), start=[0.6, 0.3, 0.1], max_steps=5, jit=False)
    assert lost.status is gp.Status.NONFINITE
    found = gp.solve(GAME, sppo(step_size=0.1), start=lost, max_steps=5, tol=0.0, jit=False)
    assert found.n_steps == 5 and np.isfinite(found.gap)


def test_a_write_that_fails_leaves_the_earlier_file(tmp_path, monkeypatch):
    file = tmp_path / "run.npz"
    gp.save_run(run(3, temperature=0.1), file)
    before = file.read_bytes()

    def full_disk(stream, **_):
        stream.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_state.np, "savez", full_disk)
    with pytest.raises(OSError, match="No space"):
        gp.save_run(run(4, temperature=0.1), file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]
