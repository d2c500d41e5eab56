"""Update rules on many games at once: each game as if `solve` had run it alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gametheory_pref as gp
from gametheory_pref import _threads, iterating_batch
from gametheory_pref.errors import InputError
from gametheory_pref.methods import METHODS, settle, settle_each
from gametheory_pref.methods._info import StepFacts
from gametheory_pref.status import Status
from gametheory_pref.verbs import Schedule

COMAL = np.array([[0.5, 0.1, 0.8], [0.9, 0.5, 0.1], [0.2, 0.9, 0.5]])
FIELDS = ("policy", "gap", "status", "n_steps")


def random_games(n_games, n, seed=0):
    upper = np.triu(np.random.default_rng(seed).uniform(-0.5, 0.5, (n_games, n, n)), 1)
    return 0.5 + upper - upper.swapaxes(1, 2)


def assert_as_alone(batch, games, method, temperatures, **settings):
    """Compare with `solve`: the same steps, and results up to the order of sums."""
    references = settings.pop("references", [None] * len(games))
    for i, (game, temperature, reference) in enumerate(zip(games, temperatures, references, strict=True)):
        alone = gp.solve(game, method, temperature=temperature, reference=reference, **settings)
        assert batch.status[i] == alone.status, alone.message
        assert batch.n_steps[i] == alone.n_steps
        assert_allclose(batch.policy[i], alone.policy, rtol=1e-12, atol=1e-300)
        assert_allclose(batch.gap[i], alone.gap, rtol=1e-9, atol=1e-15)


def test_a_known_answer():
    batch = gp.solve_batch([COMAL], method="extragradient", temperature=0.1, tol=1e-13)
    assert_allclose(batch.policy[0], gp.solve(COMAL, temperature=0.1).policy, atol=1e-6)
    assert batch.status[0] == Status.CONVERGED
    assert batch.method == "extragradient"
    assert 0 < batch.n_steps[0] < 200
    assert len(batch.require()) == 1


def test_every_game_runs_as_if_alone():
    """Last iterate at several temperatures, 0 among them, with step sizes that depend on the game."""
    games, temperatures = random_games(12, 5), np.repeat([0.0, 0.05, 0.3], 4)
    settings = {"tol": 1e-6, "max_steps": 60}
    batch = gp.solve_batch(games, method="extragradient", temperature=temperatures, **settings)
    assert {Status.CONVERGED, Status.STEP_LIMIT} == {Status(code) for code in batch.status}
    assert_as_alone(batch, games, "extragradient", temperatures, **settings)


def test_averages_and_steps_that_shrink():
    games = random_games(6, 4, seed=1)
    rule = METHODS["multiplicative_weights"](step_size=Schedule(2.0, power=0.5))
    batch = gp.solve_batch(games, method=rule, tol=0.05, max_steps=2_000)
    assert (batch.status == Status.CONVERGED).all()
    assert_as_alone(batch, games, rule, np.zeros(6), tol=0.05, max_steps=2_000)


def test_games_of_different_sizes_share_a_batch():
    games, rng = random_games(9, 6, seed=2), np.random.default_rng(3)
    mask = rng.random((9, 6)) < 0.6
    mask[:, 1] = True
    batch = gp.solve_batch(
        np.where(mask[:, :, None] & mask[:, None, :], games, np.nan),
        method="extragradient", temperature=0.1, mask=mask,
    )
    assert len(np.unique(mask.sum(axis=1))) > 2
    for game, chosen, policy in zip(games, mask, batch.policy, strict=True):
        part = gp.solve_batch(game[np.ix_(chosen, chosen)][None], method="extragradient", temperature=0.1)
        assert_array_equal(policy[chosen], part.policy[0])
        assert_array_equal(policy[~chosen], 0.0)


def test_the_reference_is_the_anchor_or_the_start():
    games, temperatures = random_games(6, 4, seed=4), np.repeat([0.0, 0.1], 3)
    references = np.random.default_rng(5).dirichlet(np.ones(4), 6)
    references[4] = [0.5, 0.0, 0.25, 0.25]  # leaves a response out of a regularised game
    settings = {"tol": 1e-8, "max_steps": 40}
    batch = gp.solve_batch(
        games, method="extragradient", temperature=temperatures, reference=references, **settings
    )
    assert batch.policy[4, 1] == 0.0
    assert_as_alone(batch, games, "extragradient", temperatures, references=references, **settings)
    uniform = gp.solve_batch(games, method="extragradient", temperature=temperatures, **settings)
    assert (np.abs(uniform.policy - batch.policy).max(axis=1) > 1e-3).all()


def test_bad_games_are_marked_and_the_others_solved():
    games = random_games(5, 3, seed=6)
    games[1, 0, 1] = np.nan
    games[2, 0, 1] += 0.1
    start = np.full((5, 3), 1 / 3)
    start[3] = [0.5, 0.5, 0.0]  # at temperature 0 steps would never leave the edge
    batch = gp.solve_batch(games, method="extragradient", reference=start, tol=1e-3)
    assert_array_equal(batch.status, [1, Status.INVALID, Status.INVALID, Status.INVALID, 1])
    assert_array_equal(batch.policy[1:4], 0.0)
    assert_array_equal(batch.gap[1:4], np.inf)
    assert_array_equal(batch.n_steps[1:4], 0)


def test_a_run_that_leaves_the_finite_numbers_keeps_its_last_finite_answer():
    rule = METHODS["multiplicative_weights"](step_size=Schedule(1e308, power=-1.0))  # infinite from the second step on
    games = np.stack([COMAL, np.full((3, 3), 0.5)])
    batch = gp.solve_batch(games, method=rule, tol=1e-9, max_steps=500, reference=[0.5, 0.25, 0.25])
    assert_array_equal(batch.status, [Status.NONFINITE, Status.CONVERGED])
    assert_allclose(batch.policy[0].sum(), 1.0)
    assert np.isfinite(batch.gap[0])
    assert batch.n_steps[0] < 10


@pytest.mark.parametrize("threads", [2, 5])
def test_results_depend_neither_on_threads_nor_on_neighbours(monkeypatch, threads):
    games = random_games(300, 5, seed=7)
    games[17, 0, 0] = np.nan
    settings = {"method": "extragradient", "temperature": 0.05}
    monkeypatch.setattr(_threads, "available_threads", lambda: 1)
    one = gp.solve_batch(games, **settings)
    monkeypatch.setattr(_threads, "available_threads", lambda: threads)
    monkeypatch.setattr(iterating_batch, "_STRETCH_SECONDS", 1e-4)
    many = gp.solve_batch(games, **settings)
    part = gp.solve_batch(games[40:50], **settings)
    for name in FIELDS:
        assert_array_equal(getattr(one, name), getattr(many, name))
        assert_array_equal(getattr(one, name)[40:50], getattr(part, name))


def test_a_step_that_runs_out_of_scratch_gets_more(monkeypatch):
    games = random_games(3, 4, seed=8)
    expected = gp.solve_batch(games, method="extragradient", temperature=0.1)
    monkeypatch.setattr(iterating_batch, "_ARENA_ROWS", 3)
    small = gp.solve_batch(games, method="extragradient", temperature=0.1)
    for name in FIELDS:
        assert_array_equal(getattr(expected, name), getattr(small, name))


def test_step_sizes_for_many_games_are_those_of_each():
    # Rules that draw opponents run on no batch.
    for rule_class in [each for each in METHODS.primary() if not each.info.samples_terms]:
        heats = np.array([0.1, 0.02]) if "regularized" in rule_class.info.solves else np.zeros(2)
        facts = StepFacts(np.array([0.2, 0.4]), heats, np.array([1.0, 2.0]), 100, norm=np.array([0.3, 0.5]))
        rule, schedule, suits = settle_each(rule_class(), facts)
        assert suits.all()
        if not hasattr(rule, "step_size"):
            continue
        for game in range(2):
            own = StepFacts(*(part[game] for part in facts[:3]), 100, norm=facts.norm[game])
            alone = settle(rule_class(), own)
            assert_allclose([part[game] for part in schedule], alone.step_size, rtol=1e-15, err_msg=str(rule_class))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "extragradent"}, "method 'extragradent' is unknown; did you mean 'extragradient'"),
        ({"method": METHODS["extragradient"](step_size=-1.0)}, "step_size must be positive"),
        ({"method": METHODS["extragradient"](step_size="paper")}, "step_size of extragradient"),
        (
            {"method": METHODS["extragradient"](step_size=2.0), "temperature": [0.6, 0.7, 0.8]},
            r"^step_size times temperature is 1\.2",
        ),
        ({"method": "extragradient", "max_steps": 0}, "max_steps must be"),
        ({"method": "extragradient", "tol": -1.0}, "tol must be"),
    ],
)  # fmt: skip
def test_settings_that_suit_no_game_are_refused_with_the_first_reason(settings, message):
    with pytest.raises(InputError, match=message):
        gp.solve_batch(random_games(3, 3), **settings)


def test_a_game_that_the_settings_do_not_suit_is_invalid_and_the_others_are_solved():
    games, heats = random_games(4, 3, seed=3), np.array([0.7, 0.1, 0.6, 0.2])
    rule = METHODS["extragradient"](step_size=2.0)
    batch = gp.solve_batch(games, method=rule, temperature=heats, tol=1e-6)
    assert_array_equal(batch.status, [Status.INVALID, Status.CONVERGED, Status.INVALID, Status.CONVERGED])
    assert_array_equal(batch.policy[[0, 2]], 0.0)
    assert_array_equal(batch.gap[[0, 2]], np.inf)
    alone = gp.solve_batch(games[1::2], method=rule, temperature=heats[1::2], tol=1e-6)
    assert_array_equal(batch.policy[1::2], alone.policy)
    assert_as_alone(alone, games[1::2], rule, heats[1::2], tol=1e-6)


def test_games_of_another_size_do_not_suffer_from_settings_that_suit_none_of_one_size():
    mask = np.array([[True, True, False], [True, True, True]])
    rule = METHODS["extragradient"](step_size=2.0)
    batch = gp.solve_batch(random_games(2, 3), method=rule, temperature=[0.7, 0.1], mask=mask, tol=1e-6)
    assert_array_equal(batch.status, [Status.INVALID, Status.CONVERGED])


def test_calls_after_the_first_search_no_types(monkeypatch):
    """States of two methods look alike to numba; each call would then look up types in Python, for 0.25 ms."""
    from numba.core import dispatcher

    settings = {"temperature": 0.1, "max_steps": 5, "tol": 0.0}
    for method in ("extragradient", "mirror_descent"):
        gp.solve(COMAL, method, **settings)

    def refuse(*_):
        raise AssertionError("a search for types")

    monkeypatch.setattr(dispatcher._DispatcherBase, "typeof_pyval", refuse)
    for method in ("extragradient", "mirror_descent", "extragradient"):
        assert gp.solve(COMAL, method, **settings).n_steps == 5


@pytest.mark.parametrize("threads", [1, 3])
def test_what_a_task_leaves_over_is_taken_up_again(monkeypatch, threads):
    monkeypatch.setattr(_threads, "available_threads", lambda: threads)
    visits = np.zeros(100, dtype=int)

    def task(games):
        first = slice(games.start, min(games.start + 7, games.stop))
        visits[first] += 1
        return None if first.stop == games.stop else slice(first.stop, games.stop)

    _threads.in_threads(task, len(visits), entries=1e9)
    assert_array_equal(visits, 1)


@pytest.mark.parametrize("threads", [1, 3])
def test_no_slice_is_begun_after_ctrl_c(monkeypatch, threads):
    monkeypatch.setattr(_threads, "available_threads", lambda: threads)
    begun = []

    def task(games):
        begun.append(games)
        if len(begun) >= 5:
            raise KeyboardInterrupt
        return games

    with pytest.raises(KeyboardInterrupt):
        _threads.in_threads(task, 100, entries=1e9)
    assert len(begun) <= 5 + threads
