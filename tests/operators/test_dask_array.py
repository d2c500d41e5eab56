"""Payoffs as dask arrays: products as NumPy computes them, on every scheduler."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

import gametheory_pref as gp
from gametheory_pref import InputError
from gametheory_pref.games import OperatorGame
from gametheory_pref.operators import Dense
from gametheory_pref.operators.elsewhere import payoff_elsewhere

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

from gametheory_pref.operators.dask_array import DaskArray, dask_payoff  # noqa: E402


def drawn(rows: int, columns: int, *, skew: bool) -> np.ndarray:
    matrix = np.random.default_rng(0).normal(size=(rows, columns))
    return (matrix - matrix.T) / 8.0 if skew else matrix / 4.0


def game_of(payoff) -> OperatorGame:
    return OperatorGame(payoff, range(payoff.shape[0]), range(payoff.shape[1]))


@pytest.fixture(autouse=True)
def threads():
    with dask.config.set(scheduler="threads"):
        yield


@pytest.mark.parametrize("skew", [True, False])
@pytest.mark.parametrize("chunks", [(7, -1), (-1, 6), (7, 6), (-1, -1)], ids=str)
def test_products_are_numpys(chunks: tuple[int, int], skew: bool) -> None:
    matrix = drawn(20, 20 if skew else 17, skew=skew)
    payoff = dask_payoff(da.from_array(matrix, chunks=chunks))
    rng = np.random.default_rng(1)
    row, column = (rng.normal(size=size) for size in matrix.shape)
    assert (payoff.shape, payoff.is_skew) == (matrix.shape, skew)
    assert_allclose(payoff @ column, matrix @ column, rtol=1e-13, atol=1e-14)
    assert_allclose(payoff.transposed_product(row), matrix.T @ row, rtol=1e-13, atol=1e-14)
    up, down = payoff.both_products(row, column)
    assert_allclose(up, matrix @ column, rtol=1e-13, atol=1e-14)
    assert_allclose(down, matrix.T @ row, rtol=1e-13, atol=1e-14)
    assert payoff.largest() == np.abs(matrix).max()
    assert_allclose(payoff.norm, np.linalg.norm(matrix, 2), rtol=1e-3)
    assert payoff.cost == (8.0 * matrix.size, 2.0 * matrix.size)
    rows, columns = np.array([11, 0, 19, 3]), np.array([16, 2, 2])
    assert_allclose(payoff.block(rows, columns), matrix[np.ix_(rows, columns)], rtol=0.0, atol=0.0)


@pytest.mark.parametrize("skew", [True, False])
def test_chunks_may_be_sparse(skew: bool) -> None:
    matrix = sparse.random_array((30, 30), density=0.1, rng=np.random.default_rng(2), format="csr")
    matrix = (matrix - matrix.T).tocsr() if skew else matrix
    dense = matrix.toarray()
    payoff = dask_payoff(da.from_array(dense, chunks=(8, 13)).map_blocks(sparse.csr_array), two_player=not skew)
    rng = np.random.default_rng(3)
    row, column = rng.normal(size=(2, 30))
    assert payoff.is_skew == skew
    assert_allclose(payoff @ column, dense @ column, rtol=1e-13, atol=1e-14)
    for got, expected in zip(payoff.both_products(row, column), (dense @ column, dense.T @ row), strict=True):
        assert_allclose(got, expected, rtol=1e-13, atol=1e-14)
    assert payoff.cost.flops == 2.0 * matrix.nnz
    assert payoff.cost.bytes < 8.0 * dense.size
    assert payoff.largest() == np.abs(dense).max()
    rows, columns = np.array([29, 0, 8]), np.array([12, 13, 0])
    assert_allclose(payoff.block(rows, columns), dense[np.ix_(rows, columns)], rtol=0.0, atol=0.0)


def test_both_products_look_at_every_chunk_once() -> None:
    seen: list[int] = []

    def watched(chunk: np.ndarray) -> np.ndarray:
        seen.append(1)
        return chunk

    matrix = drawn(12, 12, skew=True)
    array = da.from_array(matrix, chunks=(6, 4)).map_blocks(watched, meta=np.zeros((0, 0)))
    payoff = DaskArray(array, is_skew=True)
    assert seen == []
    payoff.both_products(np.ones(12), np.ones(12))
    assert len(seen) == 6


@pytest.mark.parametrize("name", ["restarted_halpern", "extragradient"])
@pytest.mark.parametrize("skew", [True, False])
def test_rules_take_the_steps_that_they_take_in_memory(name: str, skew: bool) -> None:
    matrix = drawn(25, 25 if skew else 18, skew=skew)
    rule = gp.METHODS[name](step_size=0.3)
    one = gp.solve(game_of(Dense(matrix, is_skew=skew)), rule, tol=0.0, max_steps=30)
    other = gp.solve(game_of(dask_payoff(da.from_array(matrix, chunks=(10, 10)))), rule, tol=0.0, max_steps=30)
    assert one.gap < one.trace.metrics["gap"][0]
    assert_allclose(np.hstack(other.policy), np.hstack(one.policy), rtol=0.0, atol=1e-13)
    assert_allclose(other.gap, one.gap, rtol=0.0, atol=1e-13)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (lambda: da.zeros((3, 3), dtype=np.float32), r"of float32; pass payoff\.astype\(float\)"),
        (lambda: da.zeros(3), r"must be a matrix .* got shape \(3,\)"),
        (lambda: da.zeros((0, 3)), "must be a matrix with entries"),
        (lambda: da.ones((4, 4), chunks=2)[da.ones(4, chunks=2) > 0], r"compute_chunk_sizes\(\)"),
        (lambda: da.from_array(np.array([[0.0, np.nan], [1.0, 0.0]]), chunks=1), "not finite"),
        (lambda: np.zeros((3, 3)), "must be a dask array; got ndarray"),
    ],
)
def test_what_is_no_payoff_is_refused(array, message: str) -> None:
    with pytest.raises(InputError, match=message):
        dask_payoff(array())


def test_a_square_payoff_that_is_not_skew_is_refused_unless_two_play() -> None:
    array = da.from_array(drawn(9, 9, skew=True) + 1e-6, chunks=4)
    with pytest.raises(InputError, match=r"must be skew-symmetric.*two_player=True"):
        dask_payoff(array)
    assert not dask_payoff(array, two_player=True).is_skew


def test_dask_arrays_are_told_from_other_payoffs() -> None:
    array = da.from_array(drawn(9, 8, skew=False), chunks=4)
    assert isinstance(payoff_elsewhere(array, two_player=False), DaskArray)
    assert payoff_elsewhere(np.zeros((2, 2)), two_player=False) is None


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "dask.array", None)
    with pytest.raises(gp.MissingDependency, match=r"gametheory-pref\[cluster\]"):
        dask_payoff(None)


def test_processes_do_as_well() -> None:
    matrix = drawn(12, 12, skew=True)
    with dask.config.set(scheduler="processes", num_workers=2):
        product = DaskArray(da.from_array(matrix, chunks=(6, 12)), is_skew=True) @ np.ones(12)
    assert_allclose(product, matrix @ np.ones(12), rtol=1e-13, atol=1e-14)


@pytest.mark.slow
def test_a_cluster_of_two_processes() -> None:
    distributed = pytest.importorskip("distributed")
    matrix = drawn(40, 40, skew=True)
    rule = gp.METHODS["restarted_halpern"](step_size=0.3)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
        dask.config.set(scheduler=None),
    ):
        array = da.from_array(matrix, chunks=(10, 40)).persist()
        distributed.wait(array)
        held = {worker: len(keys) for worker, keys in client.has_what().items()}
        payoff = dask_payoff(array)
        rng = np.random.default_rng(4)
        row, column = rng.normal(size=(2, 40))
        products = payoff.both_products(row, column)
        solution = gp.solve(game_of(payoff), rule, tol=0.0, max_steps=30)
        processes = set(client.run(__import__("os").getpid).values())
    assert len(processes) == 2
    assert sorted(held.values()) == [2, 2]
    assert_allclose(products[0], matrix @ column, rtol=1e-13, atol=1e-14)
    assert_allclose(products[1], matrix.T @ row, rtol=1e-13, atol=1e-14)
    expected = gp.solve(game_of(Dense(matrix, is_skew=True)), rule, tol=0.0, max_steps=30)
    assert_allclose(solution.policy, expected.policy, rtol=0.0, atol=1e-13)
