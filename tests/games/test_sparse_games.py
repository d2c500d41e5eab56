"""Comparisons of many responses: the sparse game is the dense one, without a table."""

from __future__ import annotations

import itertools
import json
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import coo_array, csr_array

import gametheory_pref as gp
from gametheory_pref.games.pair_votes import PairVotes, count_pairs

WINNERS = ("left", "right", "tie")


def drawn_log(rng, n, rows, *, weighted):
    left = rng.integers(0, n, rows)
    right = (left + rng.integers(1, n, rows)) % n
    winner = rng.choice(WINNERS, rows)
    weight = rng.choice([0.0, 0.1, 1.0, 2.5], rows) if weighted else None
    if weighted:
        weight[0] = 1.0
    return left, right, winner, weight


@pytest.mark.parametrize("kind", ["rate", "margin"])
@pytest.mark.parametrize("ties", ["half", "drop"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_sparse_game_of_a_log_is_the_dense_one_bit_for_bit(kind, ties, weighted):
    rng = np.random.default_rng(7)
    for n, rows in itertools.product((2, 5, 30), (40, 400)):
        left, right, winner, weight = drawn_log(rng, n, rows, weighted=weighted)
        settings = {"weight": weight, "kind": kind, "ties": ties, "names": list(range(n))}
        dense = gp.from_comparisons(left, right, winner, **settings)
        sparse = gp.from_comparisons(left, right, winner, **settings, table="sparse")
        assert isinstance(dense, gp.PreferenceGame) and isinstance(sparse, gp.OperatorGame)
        matrix = sparse.payoff.matrix
        assert_array_equal(matrix.toarray(), dense.payoff)
        assert_array_equal((matrix + matrix.T).toarray(), 0.0)
        assert matrix.nnz == np.count_nonzero(dense.payoff)
        assert sparse.names == dense.names
        assert sparse.n_missing == dense.n_missing
        assert sparse.votes.notes == dense.votes.notes
        assert_allclose(sparse.votes.n_comparisons, dense.votes.n_comparisons, rtol=1e-14)
        assert_allclose(sparse.votes.n_ties, dense.votes.n_ties, rtol=1e-14, atol=1e-14)
        assert_allclose(sparse.votes.first_share, dense.votes.first_share, rtol=1e-14)


def test_sparse_counts_are_those_of_the_table():
    rng = np.random.default_rng(1)
    wins = rng.integers(0, 4, (12, 12)) * rng.integers(0, 2, (12, 12))
    np.fill_diagonal(wins, 0)
    ties = np.triu(rng.integers(0, 3, (12, 12)), 1)
    ties += ties.T
    names = [f"item {i}" for i in range(12)]
    for kind in ("rate", "margin"):
        dense = gp.from_counts(wins, ties=ties, names=names, kind=kind)
        sparse = gp.from_counts(csr_array(wins), ties=coo_array(ties), names=names, kind=kind)
        assert_array_equal(sparse.payoff.matrix.toarray(), dense.payoff)
        assert (sparse.n_missing, sparse.names) == (dense.n_missing, dense.names)
        assert sparse.votes.n_ties == dense.votes.n_ties


def test_entries_given_twice_are_added():
    wins = coo_array(([1, 2, 1], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    assert gp.from_counts(wins).payoff.matrix[0, 1] == 0.25


def test_sparse_margins_are_those_of_the_table():
    margins = np.array([[0.0, 0.4, 0.0], [-0.4, 0.0, -1.0], [0.0, 1.0, 0.0]])
    sparse = gp.from_margins(csr_array(margins), names=["a", "b", "c"])
    assert_array_equal(sparse.payoff.matrix.toarray(), gp.from_margins(margins).payoff)
    margins[0, 1] += 1e-12
    given_matrix = csr_array(margins)
    sparse = gp.from_margins(given_matrix)
    assert_array_equal(sparse.payoff.matrix.toarray(), gp.from_margins(margins).payoff)
    assert_array_equal(given_matrix.toarray(), margins)


@given(data=st.data(), n=st.integers(2, 7))
@settings(max_examples=60)
def test_the_first_missing_pair_is_that_of_the_table(data, n):
    pairs = list(itertools.combinations(range(n), 2))
    compared = data.draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))
    low, high = (np.array(side) for side in zip(*compared, strict=True))
    votes = count_pairs(n, high, low, np.ones(len(low), np.int8), None, positioned=False)
    missing = [pair for pair in pairs if pair not in compared]
    assert votes.n_missing == len(missing)
    if missing:
        assert votes.first_missing() == missing[0]


def test_a_pair_never_compared_is_refused_on_request():
    wins = coo_array(([1, 2, 1], ([0, 0, 1], [1, 2, 0])), shape=(3, 3))
    with pytest.raises(gp.InputError, match=r"^1 pairs were never compared; first: b and c\. Collect them"):
        gp.from_counts(wins, names=["a", "b", "c"], missing="error")
    full = wins + coo_array(([1], ([1], [2])), shape=(3, 3))
    assert gp.from_counts(full, missing="error").n_missing == 0


BAD = [
    (gp.from_counts, csr_array([[0, -1], [1, 0]]), r"^wins\[0, 1\] = -1 is negative; counts are whole numbers"),
    (gp.from_counts, csr_array([[0, 0.5], [1, 0]]), r"^wins\[0, 1\] = 0\.5 is fractional"),
    (gp.from_counts, csr_array([[1, 2], [1, 0]]), r"^wins\[0, 0\] = 1; a response is not compared with itself"),
    (gp.from_counts, csr_array([[0, np.nan], [1, 0]]), r"^wins has a value that is not finite: entry \(0, 1\) is nan"),
    (gp.from_counts, csr_array([[0, 1, 2], [1, 0, 2]]), r"^wins must be square, .* its shape is \(2, 3\)$"),
    (gp.from_counts, csr_array([[0, 1j], [1, 0]]), "^wins must hold real numbers; its type is complex128$"),
    (gp.from_counts, csr_array((2, 2)), "^there are 0 comparisons"),
    (gp.from_margins, csr_array([[0, 0.5], [0.5, 0]]), r"^M must be skew-symmetric; M\[0, 1\] = 0\.5 and M\[1, 0\]"),
    (gp.from_margins, csr_array([[0, 2.0], [-2.0, 0]]), r"^M must lie in \[-1, 1\]; M\[0, 1\] is 2\."),
]


@pytest.mark.parametrize(("make", "matrix", "message"), BAD)
def test_bad_sparse_input_is_refused(make, matrix, message):
    with pytest.raises(gp.InputError, match=message):
        make(matrix)


def test_ties_are_checked():
    wins = csr_array([[0, 1], [1, 0]])
    with pytest.raises(gp.InputError, match=r"^ties\[0, 1\] = 1 but ties\[1, 0\] = 0; a tie belongs to the pair"):
        gp.from_counts(wins, ties=csr_array([[0, 1], [0, 0]]))
    with pytest.raises(gp.InputError, match="^ties must be sparse where wins is; got list"):
        gp.from_counts(wins, ties=[[0, 1], [1, 0]])
    with pytest.raises(gp.InputError, match=r"^ties has shape \(3, 3\) and wins \(2, 2\)"):
        gp.from_counts(wins, ties=csr_array((3, 3)))
    with pytest.raises(gp.InputError, match="^ties is sparse and wins is not"):
        gp.from_counts([[0, 1], [1, 0]], ties=csr_array((2, 2)))


def log_text(rng, n, rows):
    left, right, winner, _ = drawn_log(rng, n, rows, weighted=False)
    lines = [f"item{i},item{j},{said}" for i, j, said in zip(left, right, winner, strict=True)]
    return "left,right,winner\n" + "\n".join(lines) + "\n"


def test_a_log_of_many_responses_is_read_as_a_sparse_game(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(log_text(np.random.default_rng(3), 10_500, 40_000))
    game = gp.read(path)
    assert isinstance(game, gp.OperatorGame) and isinstance(game.votes, PairVotes)
    assert game.votes.n_comparisons == 40_000
    held = game.payoff.nbytes + sum(
        array.nbytes for array in vars(game.votes).values() if isinstance(array, np.ndarray)
    )
    assert held < 100 * 40_000
    assert game.n_missing == game.votes.n_pairs - np.count_nonzero(game.votes.totals)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_table_says_what_a_file_of_comparisons_becomes(tmp_path, suffix):
    path = tmp_path / f"pairs{suffix}"
    rows = [("a", "b", 3, 1, 2), ("b", "c", 2, 0, 0), ("b", "a", 1, 1, 0)]
    columns = ("item_a", "item_b", "wins_a", "wins_b", "ties")
    if suffix == ".csv":
        path.write_text("\n".join(",".join(map(str, row)) for row in [columns, *rows]) + "\n")
    else:
        path.write_text("\n".join(json.dumps(dict(zip(columns, row, strict=True))) for row in rows) + "\n")
    dense, sparse = gp.read(path), gp.read(path, table="sparse")
    assert_array_equal(dense.votes.wins, [[0, 4, 0], [2, 0, 2], [0, 0, 0]])
    assert_array_equal(dense.votes.ties, [[0, 2, 0], [2, 0, 0], [0, 0, 0]])
    assert_array_equal(sparse.payoff.matrix.toarray(), dense.payoff)
    assert sparse.votes.notes == dense.votes.notes == ("rows that repeat a pair (1) were added to it",)
    assert_array_equal(gp.read(path, table="sparse", ties="drop").votes.ties, 0)
    with pytest.raises(gp.InputError, match="^table must be one of auto, dense, sparse; got 'big'"):
        gp.read(path, table="big")


def test_a_sparse_game_survives_pickling():
    game = gp.from_counts(csr_array([[0, 3], [1, 0]]), names=["a", "b"])
    copy = pickle.loads(pickle.dumps(game))
    assert copy.names == ("a", "b") and copy.votes.n_comparisons == 4
    assert_array_equal((copy.payoff @ np.eye(2)[0]), game.payoff @ np.eye(2)[0])


def test_counting_takes_memory_that_grows_with_the_log_and_not_with_the_pairs():
    rng = np.random.default_rng(4)
    n, rows = 40_000, 400_000
    left = rng.integers(0, n, rows).astype(np.int32)
    right = ((left + rng.integers(1, n, rows)) % n).astype(np.int32)
    winner = np.array(["left", "right"])[rng.integers(0, 2, rows)]
    tracemalloc.start()
    game = gp.from_comparisons(left, right, winner)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    given = left.nbytes + right.nbytes + winner.nbytes
    assert isinstance(game, gp.OperatorGame)
    assert held < 6 * given and peak < 10 * given


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint8])
def test_entries_given_twice_are_added_whatever_they_are_kept_in(kind):
    """One entry for each battle, in as few bytes as a one takes: the sums do not fit into these."""
    who, whom = np.repeat([0, 1], [3000, 1000]), np.repeat([1, 0], [3000, 1000])
    game = gp.from_counts(coo_array((np.ones(4000, kind), (who, whom)), shape=(2, 2)))
    assert_array_equal(game.votes.wins_low, [3000.0])
    assert_array_equal(game.votes.wins_high, [1000.0])
