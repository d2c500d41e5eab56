"""The same call on a cluster, by joblib's own switch."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import joblib
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gametheory_pref as gp
from gametheory_pref.sweeping import cells as cells_module

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two worker processes on this machine, without a dashboard that would listen for the network."""
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    )
    with cluster, distributed.Client(cluster) as client:
        yield client


def test_a_sweep_runs_on_the_cluster(client: Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {
        "temperatures": [0.0, 0.1], "seeds": range(4), "starts": "random", "max_steps": 100,
        "oracle": gp.Sampled(opponents=3),
    }
    methods = ["extragradient", gp.METHODS["multiplicative_weights"](step_size=0.1)]
    here = gp.compare(["comal", "rock_paper_scissors"], methods, **settings)
    # This process must not be the one that runs the cells.
    monkeypatch.setattr(cells_module, "solve", None)
    with joblib.parallel_config("dask"):
        there = gp.compare(["comal", "rock_paper_scissors"], methods, database=tmp_path / "db", **settings)
    assert there.failures == () and len(there.cells) == len(here.cells) == 24
    for mine, yours in zip(here.cells, there.cells, strict=True):
        assert mine.cell.key == yours.cell.key
        assert_array_equal(mine.policy, yours.policy)
        for name in ("step", "payoff_calls", "gap", "gap_last", "gap_average"):
            assert_array_equal(mine.column(name), yours.column(name))
        # The equilibrium is known up to rounding, which differs between compiled and interpreted code.
        for name in ("kl_last", "kl_average"):
            assert_allclose(mine.column(name), yours.column(name), rtol=1e-9, atol=1e-14)
    assert len(gp.Comparison.load(tmp_path / "db").cells) == 24


def test_failures_on_the_cluster_come_home(client: Any) -> None:
    game = gp.zoo["comal"].game
    with joblib.parallel_config("dask"):
        comparison = gp.compare({"comal": game}, Planted(), temperatures=[0.1], max_steps=10)
    (failure,) = comparison.failures
    assert failure.status == "failed"
    assert "planted" in failure.message


class Planted(gp.METHODS["extragradient"]):  # type: ignore[misc]
    """A rule that cannot begin."""

    def init(self, problem: Any) -> Any:
        raise ArithmeticError("planted")
