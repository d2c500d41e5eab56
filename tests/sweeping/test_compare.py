"""What a sweep finds is what `solve` finds, cell by cell."""

from __future__ import annotations

import pathlib
import pickle
import threading
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gametheory_pref as gp
from gametheory_pref.fused import kernel_of
from gametheory_pref.sweeping import cells as cells_module
from gametheory_pref.sweeping.cells import COLUMNS, run_cell
from gametheory_pref.sweeping.grid import build_grid

EXTRAGRADIENT = gp.METHODS["extragradient"]
METHODS = ["extragradient", "multiplicative_weights"]


@pytest.fixture(scope="module")
def small() -> gp.Comparison:
    """Two methods from random starts on two games, three seeds."""
    return gp.compare(["comal", "rock_paper_scissors"], METHODS, seeds=range(3), starts="random", max_steps=300)


def test_every_cell_is_what_solve_finds(small: gp.Comparison) -> None:
    assert len(small.cells) == 12
    for cell in small.cells:
        start = cells_module.random_start(gp.zoo[cell.game].game, cell.seed)
        alone = gp.solve(gp.zoo[cell.game].game, cell.method, start=start, tol=0.0, max_steps=300)
        assert_array_equal(cell.policy, alone.policy)
        assert_array_equal(cell.column("gap"), alone.trace.metrics["gap"])
        assert_array_equal(cell.column("payoff_calls"), alone.trace.payoff_calls)
        assert cell.status == "step_limit"


def test_seeds_give_different_starts_shared_by_methods(small: gp.Comparison) -> None:
    first = {(cell.game, cell.method, cell.seed): cell.column("gap")[0] for cell in small.cells}
    assert first["comal", "extragradient", 1] == first["comal", "multiplicative_weights", 1]
    assert len({first["comal", "extragradient", seed] for seed in range(3)}) == 3


def test_noise_goes_by_seed_and_not_by_order() -> None:
    settings: dict[str, Any] = {"temperatures": [0.1], "oracle": gp.Sampled(opponents=4), "max_steps": 50}
    both = gp.compare("comal", "extragradient", seeds=[0, 1], **settings)
    again = gp.compare("comal", "extragradient", seeds=[1, 0], n_jobs=1, **settings)
    policies = {cell.seed: cell.policy for cell in both.cells}
    assert_array_equal(policies[1], again.cells[0].policy)
    assert_array_equal(policies[0], again.cells[1].policy)
    assert np.abs(policies[0] - policies[1]).max() > 1e-6


def test_divergence_from_the_equilibrium() -> None:
    comparison = gp.compare("comal", METHODS, temperatures=[0.0, 0.1], max_steps=100)
    game = gp.zoo["comal"].game
    for cell in comparison.cells:
        target = gp.solve(game, temperature=cell.temperature, tol=1e-14).policy
        for at in (0, 5, -1):
            played = np.exp(cell.outcome.iterates[at, 0])
            assert_allclose(cell.column("kl_last")[at], target @ np.log(target / played), atol=1e-12)
            averaged = cell.outcome.iterates[at, 1]
            assert_allclose(cell.column("kl_average")[at], target @ np.log(target / averaged), atol=1e-12)


def test_a_rule_is_compiled_before_its_first_cell_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    # A class of its own, which no other test has compiled.
    class Fresh(gp.METHODS["multiplicative_weights"]):  # type: ignore[misc]
        pass

    real, timed = cells_module.solve, []

    def watched(game: Any, rule: Any, **options: Any) -> Any:
        timed.append((options["max_steps"], kernel_of(rule).is_loaded))
        return real(game, rule, **options)

    monkeypatch.setattr(cells_module, "solve", watched)
    comparison = gp.compare("comal", [Fresh(step_size=0.1)], seeds=2, starts="random", max_steps=20, n_jobs=1)
    assert [cell.status for cell in comparison.cells] == ["step_limit", "step_limit"]
    assert timed == [(1, False), (20, True), (20, True)]


def test_no_divergence_where_the_equilibrium_is_not_unique() -> None:
    tied = gp.preference_game(np.full((3, 3), 0.5))
    cell = gp.compare({"tied": tied}, "extragradient", max_steps=10).cells[0]
    assert np.isnan(cell.column("kl_last")).all()
    assert np.isfinite(cell.column("gap")).all()


def test_a_solution_comes_back_without_running(small: gp.Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "solve", None)
    cell = small.cells[0]
    solution = cell.solution()
    assert solution is not None and solution.run is not None
    assert solution.gap == pytest.approx(cell.gap, abs=1e-15)
    assert_array_equal(np.exp(solution.run.log_last[-1]), cell.policy)
    report = gp.verify_rate(solution, "extragradient-contraction")
    assert report.verdict == "holds"


def test_verdicts_are_those_of_the_run_itself() -> None:
    comparison = gp.compare("comal", METHODS, temperatures=[0.0, 0.1], max_steps=200)
    for cell in comparison.cells:
        stored, fresh = gp.verify_rate(cell.solution()), gp.verify_rate(cell.cell.solve())
        assert len(stored.parts) == len(fresh.parts) > 1
        for mine, yours in zip(stored.parts, fresh.parts, strict=True):
            assert (mine.name, mine.verdict) == (yours.name, yours.verdict)
            assert mine.tightness == (None if yours.tightness is None else pytest.approx(yours.tightness, rel=1e-6))


def test_a_failure_is_a_result_with_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    real = cells_module.solve

    def broken(game: Any, rule: Any, **options: Any) -> Any:
        if isinstance(rule, gp.METHODS["multiplicative_weights"]):
            raise ArithmeticError("out of luck")
        return real(game, rule, **options)

    monkeypatch.setattr(cells_module, "solve", broken)
    comparison = gp.compare("comal", METHODS, max_steps=10)
    (failure,) = comparison.failures
    assert (failure.method, failure.status, failure.message) == (
        "multiplicative_weights", "failed", "ArithmeticError: out of luck"
    )
    assert 'raise ArithmeticError("out of luck")' in failure.outcome.traceback
    assert failure.gap == np.inf and failure.solution() is None and failure.column("gap").size == 0
    rows = {row.method: row for row in comparison.summary()}
    assert rows["multiplicative_weights"].n_failed == 1 and rows["multiplicative_weights"].gap == np.inf
    assert comparison.best()["comal", 0.0].method == "extragradient"
    assert "1 failure" in repr(comparison)


def test_cells_and_results_travel() -> None:
    cell = build_grid("comal", "extragradient", temperatures=[0.1], max_steps=20).cells[0]
    key, outcome = run_cell(pickle.loads(pickle.dumps(cell)))
    assert key == cell.key
    assert_array_equal(pickle.loads(pickle.dumps(outcome)).policy, outcome.policy)


def test_threads_by_default_and_otherwise_what_the_user_configures(monkeypatch: pytest.MonkeyPatch) -> None:
    import joblib

    real, threads = cells_module.solve, set()

    def watched(*arguments: Any, **options: Any) -> Any:
        threads.add(threading.current_thread())
        return real(*arguments, **options)

    monkeypatch.setattr(cells_module, "solve", watched)
    settings: dict[str, Any] = {"temperatures": [0.1], "seeds": range(6), "max_steps": 10, "n_jobs": 2}
    threaded = gp.compare("comal", "extragradient", **settings)
    assert threading.main_thread() not in threads
    threads.clear()
    with joblib.parallel_config("sequential"):
        serial = gp.compare("comal", "extragradient", **settings)
    assert threads == {threading.main_thread()}
    for here, there in zip(threaded.cells, serial.cells, strict=True):
        assert_array_equal(here.policy, there.policy)


def test_progress_counts_cells() -> None:
    seen: list[Any] = []
    gp.compare("comal", "extragradient", temperatures=[0.1], seeds=range(5), max_steps=10, progress=seen.append)
    assert [one.done for one in seen] == [0, 1, 2, 3, 4, 5]
    assert seen[0].seconds_left == np.inf and seen[-1].seconds_left == 0.0
    halfway = seen[0]._replace(total=300, found=100, done=200, seconds=50.0)
    assert halfway.rate == 2.0 and halfway.seconds_left == 50.0


def test_ctrl_c_returns_what_is_there() -> None:
    def stop(progress: Any) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(gp.Interrupted) as caught:
        gp.compare("comal", "extragradient", temperatures=[0.1], seeds=range(8), max_steps=10, progress=stop)
    comparison = caught.value.solution
    assert isinstance(comparison, gp.Comparison)
    assert len(comparison.cells) == 3 and comparison.n_pending == 5


@pytest.mark.parametrize("n_jobs", [0, 1.5, True, "all"])
def test_bad_number_of_jobs(n_jobs: Any) -> None:
    with pytest.raises(gp.InputError, match="n_jobs"):
        gp.compare("comal", "extragradient", n_jobs=n_jobs)


def test_summary_orders_and_measures(small: gp.Comparison) -> None:
    rows = small.summary()
    assert [(row.game, row.method) for row in rows] == [
        (game, method) for game in ("comal", "rock_paper_scissors") for method in METHODS
    ]
    gaps = sorted(cell.gap for cell in small.cells if (cell.game, cell.method) == ("comal", METHODS[1]))
    assert (rows[1].gap_low, rows[1].gap, rows[1].gap_high) == tuple(gaps)
    assert rows[1].payoff_calls == 300 and rows[0].payoff_calls == 600
    assert small.best()["comal", 0.0] == rows[0]


def test_parquet_holds_every_record_point(small: gp.Comparison, tmp_path: pathlib.Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    small.to_parquet(tmp_path / "sweep.parquet")
    table = parquet.read_table(tmp_path / "sweep.parquet")
    assert table.num_rows == sum(len(cell.column("step")) for cell in small.cells)
    assert table.column_names[:4] == ["method", "game", "temperature", "seed"]
    assert table.column_names[-len(COLUMNS):] == list(COLUMNS)
    last = table.slice(table.num_rows - 1).to_pylist()[0]
    assert last["gap"] == small.cells[-1].gap and last["step"] == 300 and last["seed"] == 2


def test_failures_have_a_row_without_numbers(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    monkeypatch.setattr(cells_module, "solve", lambda *_, **__: 1 / 0)
    gp.compare("comal", "extragradient").to_parquet(tmp_path / "failed.parquet")
    (row,) = parquet.read_table(tmp_path / "failed.parquet").to_pylist()
    assert row["status"] == "failed" and row["step"] is None and row["gap"] is None
    assert row["message"] == "ZeroDivisionError: division by zero"


def test_data_frame(small: gp.Comparison) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = small.to_frame()
    assert str(frame["step"].dtype) == "Int64"
    ends = frame.groupby(["game", "method", "seed"])["gap"].last()
    for cell in small.cells:
        assert ends[cell.game, cell.method, cell.seed] == cell.gap


def test_plot_draws_a_line_per_method(small: gp.Comparison) -> None:
    ax = small.plot("comal")
    labels = [line.get_label() for line in ax.get_lines()]
    assert labels[:2] == METHODS
    first = small.plot()
    assert first.get_title(loc="left").startswith(f"{small.cells[0].game}: Gap of each method's answer at temperature ")
    other = small.plot(small.cells[-1].game)
    assert other.get_title(loc="left").startswith(f"{small.cells[-1].game}: ")
    assert small.cells[-1].game != small.cells[0].game
    with pytest.raises(gp.InputError, match="no cell is on game 'chess'"):
        small.plot("chess")


def test_columns_are_named(small: gp.Comparison) -> None:
    with pytest.raises(gp.InputError, match="column must be one of"):
        small.cells[0].column("regret")
