"""Every kind of operator against the dense matrix that it stands for."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gametheory_pref._threads import share
from gametheory_pref.operators import (
    Dense,
    Embeddings,
    FiniteSum,
    FromFunction,
    LowRank,
    LowRankSkew,
    PayoffOperator,
    Sparse,
    Stacked,
)

Made = tuple[PayoffOperator, np.ndarray]


def skew_matrix(n: int, seed: int) -> np.ndarray:
    matrix = np.random.default_rng(seed).standard_normal((n, n))
    return matrix - matrix.T


def sparse_matrix(rows: int, columns: int, seed: int) -> np.ndarray:
    """Return a matrix with rows and columns that are empty."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((rows, columns)) * (rng.random((rows, columns)) < 0.3)
    matrix[:: 3] = 0.0
    return matrix


def small_skew(rank: int, seed: int) -> np.ndarray:
    return skew_matrix(rank, seed + 1000)


def dense(rows: int, columns: int, seed: int) -> Made:
    matrix = np.random.default_rng(seed).standard_normal((rows, columns))
    return Dense(matrix, is_skew=False), matrix


def dense_fortran(rows: int, columns: int, seed: int) -> Made:
    matrix = np.random.default_rng(seed).standard_normal((rows, columns))
    return Dense(np.asfortranarray(matrix), is_skew=False), matrix


def dense_strided(rows: int, columns: int, seed: int) -> Made:
    whole = np.random.default_rng(seed).standard_normal((2 * rows, 3 * columns))
    return Dense(whole[::2, ::3], is_skew=False), whole[::2, ::3]


def sparse(rows: int, columns: int, seed: int) -> Made:
    matrix = sparse_matrix(rows, columns, seed)
    return Sparse(scipy.sparse.csr_array(matrix), is_skew=False), matrix


def low_rank(rows: int, columns: int, seed: int) -> Made:
    rng = np.random.default_rng(seed)
    left, right = rng.standard_normal((rows, 3)), rng.standard_normal((columns, 3))
    return LowRank(left, right, is_skew=False), left @ right.T


def finite_sum(rows: int, columns: int, seed: int) -> Made:
    made = [kind(rows, columns, seed + i) for i, kind in enumerate((dense, sparse, low_rank))]
    weights = [1.0, 2.0, 5.0]
    return (
        FiniteSum([operator for operator, _ in made], weights),
        sum(w * matrix for w, (_, matrix) in zip(weights, made, strict=True)) / 8.0,
    )


def from_function(rows: int, columns: int, seed: int) -> Made:
    matrix = np.random.default_rng(seed).standard_normal((rows, columns))
    return FromFunction((rows, columns), lambda v: matrix @ v, transposed=lambda v: v @ matrix), matrix


def skew_dense(n: int, seed: int) -> Made:
    return Dense(skew_matrix(n, seed), is_skew=True), skew_matrix(n, seed)


def skew_fortran(n: int, seed: int) -> Made:
    return Dense(np.asfortranarray(skew_matrix(n, seed)), is_skew=True), skew_matrix(n, seed)


def skew_sparse(n: int, seed: int) -> Made:
    matrix = sparse_matrix(n, n, seed)
    matrix -= matrix.T
    return Sparse(scipy.sparse.csr_array(matrix), is_skew=True), matrix


def skew_low_rank(n: int, seed: int) -> Made:
    vectors, skew = np.random.default_rng(seed).standard_normal((n, 4)), small_skew(4, seed)
    return LowRank(vectors @ skew, vectors, is_skew=True), vectors @ skew @ vectors.T


def skew_scores(n: int, seed: int) -> Made:
    vectors, skew = np.random.default_rng(seed).standard_normal((n, 4)), small_skew(4, seed)
    return LowRankSkew(vectors, skew), vectors @ skew @ vectors.T


def skew_embeddings(n: int, seed: int) -> Made:
    vectors, skew = np.random.default_rng(seed).standard_normal((n, 4)), small_skew(4, seed)
    return Embeddings(vectors, skew), 1.0 / (1.0 + np.exp(-vectors @ skew @ vectors.T)) - 0.5


def skew_sum(n: int, seed: int) -> Made:
    made = [kind(n, seed + i) for i, kind in enumerate((skew_dense, skew_sparse, skew_embeddings))]
    return FiniteSum([operator for operator, _ in made]), sum(matrix for _, matrix in made) / 3.0


def skew_function(n: int, seed: int) -> Made:
    matrix = skew_matrix(n, seed)
    return FromFunction((n, n), lambda v: matrix @ v, is_skew=True), matrix


def stack(made: Made) -> Made:
    operator, matrix = made
    rows, columns = matrix.shape
    return Stacked(operator), np.block([
        [np.zeros((rows, rows)), matrix], [-matrix.T, np.zeros((columns, columns))]
    ])


RECTANGULAR = [dense, dense_fortran, dense_strided, sparse, low_rank, finite_sum, from_function]
SKEW = [skew_dense, skew_fortran, skew_sparse, skew_low_rank, skew_scores, skew_embeddings, skew_sum, skew_function]


def every_kind(rows: int, columns: int, seed: int) -> list[Made]:
    plain = [kind(rows, columns, seed) for kind in RECTANGULAR]
    return plain + [stack(made) for made in plain] + [kind(rows, seed) for kind in SKEW]


def check_against(operator: PayoffOperator, matrix: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    row, column = rng.standard_normal(matrix.shape[0]), rng.standard_normal(matrix.shape[1])
    close = {"rtol": 1e-12, "atol": 1e-12 * (1.0 + np.abs(matrix).max()) * (1.0 + sum(matrix.shape))}
    assert operator.shape == matrix.shape
    assert_allclose(operator.product(column), matrix @ column, **close)
    assert_allclose(operator @ column, matrix @ column, **close)
    assert_allclose(operator.transposed_product(row), matrix.T @ row, **close)
    up, down = operator.both_products(row, column)
    assert_allclose(up, matrix @ column, **close)
    assert_allclose(down, matrix.T @ row, **close)
    rows, columns = rng.integers(matrix.shape[0], size=4), rng.integers(matrix.shape[1], size=3)
    assert_allclose(operator.block(rows, columns), matrix[np.ix_(rows, columns)], **close)
    assert operator.largest() >= np.abs(matrix).max() * (1.0 - 1e-12)
    # Products of factors whose parts cancel are rounded to the size of the parts.
    rounding = 1e-12 * (1.0 + operator.largest())
    assert operator.norm <= np.linalg.norm(matrix, 2) * (1.0 + 1e-12) + rounding
    assert operator.norm >= np.linalg.norm(matrix, 2) * (1.0 - 1e-3) - rounding


@settings(max_examples=12)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 10**6))
def test_every_kind_is_its_matrix(rows: int, columns: int, seed: int) -> None:
    for operator, matrix in every_kind(rows, columns, seed):
        check_against(operator, matrix, seed)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 40), (40, 1), (33, 57), (230, 250)])
def test_shapes(rows: int, columns: int) -> None:
    for operator, matrix in every_kind(rows, columns, seed=5):
        check_against(operator, matrix, seed=6)


@settings(max_examples=12)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 10**6))
def test_all_terms_together_are_the_operator(rows: int, columns: int, seed: int) -> None:
    vector_of = np.random.default_rng(seed).standard_normal
    for operator, matrix in every_kind(rows, columns, seed):
        vector = vector_of(matrix.shape[1])
        scale = (1.0 + np.abs(matrix).max()) * (1.0 + sum(matrix.shape))
        whole = operator.terms_product(np.arange(operator.n_terms), vector)
        assert_allclose(whole, matrix @ vector, rtol=1e-12, atol=1e-12 * scale)
        singles = [operator.terms_product(np.array([i]), vector) for i in (0, operator.n_terms - 1)]
        twice = operator.terms_product(np.array([0, operator.n_terms - 1, 0]), vector)
        assert_allclose(twice, (2.0 * singles[0] + singles[1]) / 3.0, rtol=1e-12, atol=1e-12 * scale)


def test_a_term_of_a_plain_matrix_is_a_column() -> None:
    vector = np.random.default_rng(1).standard_normal(7)
    for kind in [dense, sparse, low_rank, from_function]:
        operator, matrix = kind(5, 7, seed=2)
        assert operator.n_terms == 7
        assert not operator.is_finite_sum
        assert_allclose(operator.terms_product(np.array([3]), vector), 7.0 * matrix[:, 3] * vector[3], rtol=1e-12)


def test_a_term_of_a_sum_is_weighted_by_how_many_there_are() -> None:
    terms = [dense(4, 3, seed) for seed in range(3)]
    operator = FiniteSum([term for term, _ in terms], [0.5, 0.2, 0.3])
    vector = np.array([0.2, -1.0, 3.0])
    assert (operator.n_terms, operator.is_finite_sum) == (3, True)
    assert_allclose(operator.terms_product(np.array([1]), vector), 3.0 * 0.2 * terms[1][1] @ vector, rtol=1e-13)
    stacked = Stacked(operator)
    assert (stacked.n_terms, stacked.is_finite_sum) == (3, True)
    both = np.concatenate([np.ones(4), vector])
    expected = 0.6 * np.concatenate([terms[1][1] @ vector, -terms[1][1].T @ np.ones(4)])
    assert_allclose(stacked.terms_product(np.array([1]), both), expected, rtol=1e-13)


@pytest.mark.parametrize("kind", SKEW, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("n", [1, 2, 7, 130, 600])
def test_skew_operators_are_skew(kind: Callable[[int, int], Made], n: int) -> None:
    operator, _ = kind(n, seed=3)
    assert operator.is_skew
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((2, n))
    rounding = 1e-15 * n * n * operator.largest()
    assert abs(x @ operator.product(x)) <= rounding
    assert abs(x @ operator.product(y) + y @ operator.product(x)) <= rounding
    assert_array_equal(operator.transposed_product(x), -operator.product(x))


@pytest.mark.parametrize("kind", [skew_dense, skew_sparse, skew_scores, skew_embeddings, skew_sum])
def test_blocks_of_skew_operators_are_skew_to_the_bit(kind: Callable[[int, int], Made]) -> None:
    operator, _ = kind(60, seed=8)
    rows, columns = np.arange(3, 50, 2), np.arange(0, 60, 5)
    assert_array_equal(operator.block(rows, columns), -operator.block(columns, rows).T)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("is_skew", [False, True])
def test_memory_maps(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, dtype: str, order: str,
                     is_skew: bool) -> None:
    monkeypatch.setattr("gametheory_pref.operators.dense._PANEL_BYTES", 8 * 50 * 7)
    matrix = skew_matrix(50, seed=1) if is_skew else np.random.default_rng(1).standard_normal((40, 50))
    matrix = matrix.astype(np.float32).astype(np.float64)
    file = np.memmap(tmp_path / "payoff", dtype=dtype, mode="w+", shape=matrix.shape, order=order)
    file[:] = matrix
    file.flush()
    mapped = np.memmap(tmp_path / "payoff", dtype=dtype, mode="r", shape=matrix.shape, order=order)
    operator = Dense(mapped, is_skew=is_skew)
    check_against(operator, matrix, seed=2)
    vector = np.random.default_rng(3).standard_normal(matrix.shape[1])
    assert_allclose(operator.terms_product(np.arange(operator.n_terms), vector), matrix @ vector, rtol=1e-11)
    assert operator.describe() == "dense, mapped from a file"
    assert operator.nbytes == matrix.size * np.dtype(dtype).itemsize


def test_float32_in_memory_is_held_as_float64() -> None:
    matrix = np.random.default_rng(0).standard_normal((6, 5)).astype(np.float32)
    check_against(Dense(matrix, is_skew=False), matrix.astype(np.float64), seed=1)


def spectrum(values: np.ndarray, seed: int) -> np.ndarray:
    """Return a matrix with these singular values, and singular vectors in no special position."""
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.standard_normal((len(values),) * 2))[0] for _ in range(2))
    return (left * values) @ right.T


@pytest.mark.parametrize("gap", [1e-1, 1e-2, 1e-3, 1e-5, 1e-9, 0.0])
@pytest.mark.parametrize("rest", ["spread", "flat", "geometric"])
def test_norm_where_the_top_of_the_spectrum_is_close(gap: float, rest: str) -> None:
    n = 300
    tail = {
        "spread": np.linspace(0.0, 1.0 - gap, n - 1), "flat": np.full(n - 1, 1.0 - gap),
        "geometric": (1.0 - gap) * 0.98 ** np.arange(n - 1),
    }[rest]
    matrix = spectrum(np.concatenate([[1.0], tail]), seed=1)
    for operator in (Dense(matrix, is_skew=False), Stacked(Dense(matrix, is_skew=False))):
        assert 1.0 - 1e-3 <= operator.norm <= 1.0 + 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_norm_of_random_games(seed: int) -> None:
    for operator, matrix in (skew_dense(400, seed), dense(250, 900, seed), skew_sparse(400, seed)):
        exact = np.linalg.norm(matrix, 2)
        assert exact * (1.0 - 1e-3) <= operator.norm <= exact * (1.0 + 1e-12)


def test_norm_of_low_rank_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gametheory_pref.operators.low_rank._ROWS_AT_ONCE", 7)
    for operator, matrix in (low_rank(40, 23, 1), skew_low_rank(33, 1), skew_scores(33, 1)):
        assert_allclose(operator.norm, np.linalg.norm(matrix, 2), rtol=1e-12)


def test_norm_of_nothing() -> None:
    assert Sparse(scipy.sparse.csr_array((300, 300)), is_skew=True).norm == 0.0
    assert LowRank(np.zeros((5, 2)), np.ones((400, 2)), is_skew=False).norm == 0.0


def test_matrices_of_a_sum_are_added_up_once() -> None:
    """A product with a hundred judges costs what one with a single judge does; others are multiplied one by one."""
    kinds = [skew_dense, skew_fortran, skew_sparse, skew_sparse, skew_embeddings]
    made = [kind(50, seed) for seed, kind in enumerate(20 * kinds)]
    weights = np.random.default_rng(0).random(100)
    operator = FiniteSum([term for term, _ in made], weights)
    matrix = np.tensordot(weights / weights.sum(), np.array([matrix for _, matrix in made]), axes=1)
    check_against(operator, matrix, seed=1)
    embeddings = [term for term, _ in made if isinstance(term, Embeddings)]
    assert operator.cost.flops <= sum(term.cost.flops for term in embeddings) + 4.0 * 50 * 50
    everything = operator.block(np.arange(50), np.arange(50))
    assert_array_equal(everything, -everything.T)


@pytest.fixture
def always_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send operators of any size through compiled code, panels and threads."""
    for module in ("dense", "embeddings", "sparse"):
        monkeypatch.setattr(f"gametheory_pref.operators.{module}._LARGE", 0)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 3), (1, 40), (40, 1), (66, 65), (259, 131), (131, 259)])
@pytest.mark.usefixtures("always_large")
def test_large_operators(rows: int, columns: int) -> None:
    kinds: list[Made] = [kind(rows, columns, 7) for kind in (dense, dense_fortran, dense_strided, sparse)]
    kinds += [stack(made) for made in kinds] + [kind(rows, 7) for kind in SKEW]
    for operator, matrix in kinds:
        check_against(operator, matrix, seed=8)


@pytest.mark.parametrize("rank", [1, 2, 5, 8])
@pytest.mark.usefixtures("always_large")
def test_large_embeddings(rank: int) -> None:
    vectors, skew = 3.0 * np.random.default_rng(2).standard_normal((700, rank)), small_skew(rank, 1)
    operator = Embeddings(vectors, skew)
    matrix = operator.block(np.arange(700), np.arange(700))
    assert_allclose(matrix, 0.5 * np.tanh(0.5 * vectors @ skew @ vectors.T), atol=1e-12)
    vector = np.random.default_rng(1).standard_normal(700)
    assert_allclose(operator.product(vector), matrix @ vector, atol=1e-11)


@pytest.mark.usefixtures("always_large")
def test_large_products_do_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = [*every_kind(300, 280, seed=3), skew_embeddings(300, 3)]
    answers = []
    for threads in (1, 2, 5):
        monkeypatch.setattr("gametheory_pref._threads.available_threads", lambda threads=threads: threads)
        rng = np.random.default_rng(1)
        answers.append([
            operator.both_products(rng.standard_normal(len(matrix)), rng.standard_normal(matrix.shape[1]))
            for operator, matrix in kinds
        ])
    for first, *others in zip(*answers, strict=True):
        for other in others:
            assert_array_equal(first[0], other[0])
            assert_array_equal(first[1], other[1])


@pytest.mark.usefixtures("always_large")
def test_what_a_large_skew_matrix_has_below_the_diagonal_is_not_read() -> None:
    whole = skew_matrix(150, seed=1)
    upper = np.triu(whole, 1)
    lower = np.tril(whole, -1)
    vector = np.random.default_rng(1).standard_normal(150)
    assert_allclose(Dense(upper, is_skew=True).product(vector), whole @ vector, atol=1e-11)
    assert_allclose(Dense(np.asfortranarray(lower), is_skew=True).product(vector), whole @ vector, atol=1e-11)
    assert Dense(whole, is_skew=True).cost.bytes == 0.5 * whole.nbytes


@pytest.mark.usefixtures("always_large")
def test_vectors_of_another_size_are_refused() -> None:
    for operator in (dense(40, 30, 0)[0], dense_fortran(40, 30, 0)[0], skew_dense(40, 0)[0], skew_embeddings(40, 0)[0],
                     sparse(40, 30, 0)[0]):
        for size in (1, 29, 41):
            with pytest.raises(ValueError, match=r"vector must have shape|mismatch"):
                operator.product(np.ones(size))
            with pytest.raises(ValueError, match=r"vector must have shape|mismatch"):
                operator.transposed_product(np.ones(size))
    with pytest.raises(ValueError, match=r"vector must have shape \(40,\)"):
        dense(40, 30, 0)[0].both_products(np.ones(30), np.ones(30))


def test_the_threads_of_products_are_for_everybody() -> None:
    """Whoever is busy in one of the standing threads may share out work as well, and errors reach the caller."""
    done: set[tuple[int, int]] = set()
    share(lambda i: share(lambda j: done.add((i, j)), 5), 6)
    assert done == {(i, j) for i in range(6) for j in range(5)}

    def fail(i: int) -> None:
        if i == 3:
            raise ValueError("three")

    with pytest.raises(ValueError, match="three"):
        share(fail, 8)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_products_go_on_after_a_fork() -> None:
    """A forked process has none of the threads of its parent, and must not wait for them."""
    code = (
        "import os\n"
        "from gametheory_pref import _threads\n"
        "_threads.available_threads = lambda: 3\n"
        "_threads.share(lambda i: None, 8)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    _threads.share(lambda i: None, 8)\n"
        "    os._exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60,
                          check=True, cwd=pathlib.Path(__file__).parents[2])
    assert done.stdout.strip() == "7"


def test_some_columns_and_rows() -> None:
    rng = np.random.default_rng(4)
    for operator, matrix in every_kind(30, 23, seed=9):
        columns, rows = rng.integers(matrix.shape[1], size=6), rng.integers(matrix.shape[0], size=5)
        masses = rng.standard_normal(6)
        assert_allclose(operator.columns_product(columns, masses), matrix[:, columns] @ masses, atol=1e-11)
        assert_allclose(operator.rows_product(rows, masses[:5]), masses[:5] @ matrix[rows], atol=1e-11)


def test_products_are_the_same_every_time() -> None:
    for operator, matrix in every_kind(90, 80, seed=3):
        vector = np.random.default_rng(1).standard_normal(matrix.shape[1])
        first = operator.product(vector)
        again = operator.product(vector)
        assert first is not again
        assert_array_equal(first, again)


def test_cost_and_description() -> None:
    assert dense(30, 20, 0)[0].cost == (8 * 600, 2 * 600)
    assert Stacked(dense(30, 20, 0)[0]).cost == (2 * 8 * 600, 4 * 600)
    for operator, _ in every_kind(30, 20, seed=1):
        assert operator.cost.bytes > 0.0
        assert operator.describe()
        assert f"{operator.shape[0]} x {operator.shape[1]}" in repr(operator)


def test_bradley_terry_as_embeddings() -> None:
    strengths = np.array([1.5, 0.0, -0.5])
    operator = Embeddings(np.column_stack([strengths, np.ones(3)]), np.array([[0.0, 1.0], [-1.0, 0.0]]))
    win = 1.0 / (1.0 + np.exp(-(strengths[:, None] - strengths)))
    assert_allclose(operator.block(np.arange(3), np.arange(3)), win - 0.5, rtol=1e-13)


def test_embeddings_far_apart_win_for_sure() -> None:
    operator = Embeddings(np.array([[1e4, 1.0], [-1e4, 1.0]]), np.array([[0.0, 1.0], [-1.0, 0.0]]))
    assert_array_equal(operator.product(np.array([0.0, 1.0])), [0.5, 0.0])
    assert operator.largest() == 0.5


def test_the_large_entries_bound_of_a_function() -> None:
    matrix = np.zeros((50, 50))
    matrix[3, 7], matrix[7, 3] = 2.0, -2.0
    assert 2.0 <= FromFunction((50, 50), lambda v: matrix @ v, is_skew=True).largest() <= 2.1
    assert FromFunction((50, 50), lambda v: matrix @ v, is_skew=True, bound=3).largest() == 3.0


def test_a_function_may_reuse_its_array_but_not_write_to_its_argument() -> None:
    buffer = np.zeros(3)

    def product(vector: np.ndarray) -> np.ndarray:
        buffer[:] = np.roll(vector, 1) - np.roll(vector, -1)
        return buffer

    operator = FromFunction((3, 3), product, is_skew=True)
    first = operator.product(np.array([1.0, 0.0, 0.0]))
    operator.product(np.array([0.0, 5.0, 0.0]))
    assert_array_equal(first, [0.0, 1.0, -1.0])

    def careless(vector: np.ndarray) -> np.ndarray:
        vector *= 2.0
        return vector

    with pytest.raises(ValueError, match="read-only"):
        FromFunction((3, 3), careless, is_skew=True)


def turn(vector: np.ndarray) -> np.ndarray:
    return np.roll(vector, 1) - np.roll(vector, -1)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"product": lambda v: np.roll(v, 1), "is_skew": True}, "product is not that of a skew matrix"),
    ({"product": np.abs, "is_skew": True}, "product is not linear"),
    ({"product": lambda v: v[:2], "is_skew": True}, r"product returned an array of shape \(2,\).*\(3,\) is due"),
    ({"product": lambda v: np.full(3, np.nan), "is_skew": True}, "product returned a value that is not finite"),
    ({"product": lambda v: 1j * v, "is_skew": True}, "product must return real numbers"),
    ({"product": lambda v: None, "is_skew": True}, r"product returned an array of shape \(\)"),
    ({"product": turn}, "transposed is missing"),
    ({"product": turn, "transposed": turn}, "transposed is not the transpose of product"),
    ({"product": turn, "transposed": lambda v: -turn(v), "is_skew": True}, "transposed is given for a skew payoff"),
    ({"product": turn, "is_skew": True, "bound": -1.0}, "bound must be a finite number"),
    ({"product": turn, "is_skew": True, "shape": (3, 4)}, "shape must be square"),
    ({"product": turn, "is_skew": True, "shape": (0, 0)}, "shape must have at least one row"),
])
def test_functions_that_are_no_products(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FromFunction(**{"shape": (3, 3), **arguments})


def test_a_function_is_checked_at_every_product() -> None:
    fail = False
    operator = FromFunction((3, 3), lambda v: turn(v) * (np.nan if fail else 1.0), is_skew=True)
    fail = True
    with pytest.raises(ValueError, match="not finite"):
        operator.product(np.ones(3))


@pytest.mark.parametrize(("terms", "weights", "message"), [
    ([], None, "terms is empty"),
    ([dense(3, 3, 0)[0], dense(3, 2, 0)[0]], None, r"terms\[1\] has shape \(3, 2\) and terms\[0\] \(3, 3\)"),
    ([dense(3, 3, 0)[0]], [0.5, 0.5], "weights has 2 entries for 1 terms"),
    ([dense(3, 3, 0)[0]] * 2, [-0.5, 1.5], "weights must be at least 0"),
    ([dense(3, 3, 0)[0]] * 2, [0.0, 0.0], "not all 0"),
    ([dense(3, 3, 0)[0]] * 2, [0.5, np.nan], "weights has a value that is not finite"),
])
def test_sums_that_are_none(terms: list, weights: list | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FiniteSum(terms, weights)
