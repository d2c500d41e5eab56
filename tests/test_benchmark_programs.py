"""The linear programmes, the gap and the sweep of tolerances by which the benchmarks judge peers."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

BENCHMARKS = pathlib.Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import linear_programs

    return linear_programs


@pytest.fixture
def comparison(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import large_first_order

    return large_first_order


def solved(programs: Any, game: Any) -> tuple[float, np.ndarray, np.ndarray]:
    """Return value, column policy and multipliers by SciPy's HiGHS."""
    from scipy.optimize import linprog

    program = programs.program_of(game)
    bounds = np.column_stack([program.lower, np.full(len(program.lower), np.inf)])
    rows = program.inequalities.shape[0]
    found = linprog(
        program.cost, program.inequalities, np.zeros(rows), program.equalities, program.right_hand_side, bounds
    )
    return found.fun, found.x[: program.n_policy], -found.ineqlin.marginals


@pytest.mark.parametrize("kind", ["uniform", "votes", "bt_cyclic", "gaussian", "battles", "embeddings"])
def test_the_programme_of_every_kind_has_the_equilibrium_as_its_answer(programs: Any, kind: str) -> None:
    game = programs.game_of(kind, 60)
    value, column, row = solved(programs, game)
    assert_allclose(programs.certified_gap(game, column, row), 0.0, atol=1e-7)
    assert_allclose(game.rows(column).max(), value, atol=1e-7)
    uniform = [np.full(n, 1.0 / n) for n in game.shape]
    assert programs.certified_gap(game, uniform[1], uniform[0]) > 0.01
    assert programs.certified_gap(game, -column, -row) == np.inf
    if game.is_symmetric:
        assert_allclose(value, 0.0, atol=1e-7)


@pytest.mark.parametrize("kind", ["battles", "embeddings"])
def test_sparse_and_low_rank_programmes_have_the_value_of_the_full_one(programs: Any, kind: str) -> None:
    game = programs.game_of(kind, 60)
    full = game.payoff[0] @ game.payoff[1].T if isinstance(game.payoff, tuple) else game.payoff.toarray()
    assert_allclose(full, -full.T, atol=1e-12)
    policy = np.random.default_rng(0).dirichlet(np.ones(60))
    assert_allclose(game.rows(policy), full @ policy, atol=1e-12)
    assert_allclose(game.columns(policy), full.T @ policy, atol=1e-12)
    dense = programs.Game(full, True)
    assert_allclose(solved(programs, game)[0], solved(programs, dense)[0], atol=1e-8)


def test_the_gap_takes_the_better_of_policy_multipliers_and_their_mean(programs: Any) -> None:
    game = programs.Game(np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]), True)
    rock, third = np.array([1.0, 0.0, 0.0]), np.full(3, 2.0)
    assert programs.certified_gap(game, rock, rock) == 2.0
    assert_allclose(programs.certified_gap(game, rock, third), 0.0, atol=1e-15)
    assert_allclose(programs.certified_gap(game, rock, np.full(3, np.nan)), 2.0)
    assert_allclose(programs.certified_gap(game._replace(is_symmetric=False), rock, third), 1.0)


class Pretended:
    """A solver whose gap is nine times its tolerance and whose time grows by a second for each ten of it."""

    failed = ""

    def __init__(self, run: Any) -> None:
        self.make, self.asked = run, []

    def run(self, tolerance: float, limit: float) -> Any:
        self.asked.append(tolerance)
        return self.make(tolerance, -np.log10(tolerance), 9.0 * tolerance)


def test_the_sweep_finds_the_loosest_tolerance_for_each_gap(comparison: Any) -> None:
    worker = Pretended(comparison.Run)
    runs = comparison.sweep(worker, dict.fromkeys(comparison.TARGETS, 100.0), is_interior_point=False)
    for target in comparison.TARGETS:
        assert_allclose(comparison.fastest(runs, target).tolerance, 0.1 * target)
    assert min(worker.asked) >= 0.9e-9


def test_the_sweep_gives_up_a_solver_that_is_too_slow_to_every_gap(comparison: Any) -> None:
    worker = Pretended(comparison.Run)
    runs = comparison.sweep(worker, dict.fromkeys(comparison.TARGETS, 3.5), is_interior_point=False)
    assert comparison.fastest(runs, 1e-8) is None
    assert min(worker.asked) > 0.5e-4


def test_an_interior_point_starts_at_the_target(comparison: Any) -> None:
    worker = Pretended(comparison.Run)
    runs = comparison.sweep(worker, dict.fromkeys(comparison.TARGETS, 100.0), is_interior_point=True)
    assert worker.asked[0] == comparison.TARGETS[0]
    assert all(comparison.fastest(runs, target) is not None for target in comparison.TARGETS)


def test_ratios_are_bounds_where_no_peer_came_and_none_where_we_miss(comparison: Any) -> None:
    ours, peer = {"seconds": 2.0, "gap": 1e-7}, {"seconds": 8.0, "gap": 1e-7}
    assert comparison.ratio_of(peer, ours, 1e-6, 60.0) == (4.0, False)
    assert comparison.ratio_of(None, ours, 1e-6, 60.0) == (30.0, True)
    assert comparison.ratio_of({"seconds": 1.0, "gap": 1e-5}, ours, 1e-6, 60.0) == (30.0, True)
    assert comparison.ratio_of(peer, ours, 1e-8, 60.0) == (None, False)


def test_the_crossover_is_the_size_from_which_all_larger_ones_are_ahead(comparison: Any) -> None:
    def row(n: int, ratio: float | None) -> dict[str, Any]:
        return {"kind": "uniform", "n": n, "auto against interior point": ratio}

    rows = [row(1000, 1.5), row(2000, 0.5), row(5000, 1.2), row(5000, 1.1), row(10_000, 3.0)]
    assert comparison.crossovers(rows) == {"uniform": 5000}
    assert comparison.crossovers([*rows, row(20_000, None)]) == {"uniform": None}
