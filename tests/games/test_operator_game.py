"""Games whose payoff is known by its products: every way to build one, what is refused, and what it costs."""

from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import coo_array, csr_array
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import gametheory_pref as gp
from gametheory_pref.operators import Dense, Embeddings, FromFunction, LowRankSkew, Sparse

RNG = np.random.default_rng(11)
SKEW = np.triu(RNG.uniform(-0.5, 0.5, (9, 9)), 1)
SKEW -= SKEW.T
TALL = RNG.uniform(-1.0, 1.0, (7, 4))


def entries(game):
    """Return the payoff as a table, column by column."""
    return np.column_stack([game.payoff @ column for column in np.eye(game.payoff.shape[1])])


WAYS = {
    "array": lambda A: gp.operator_game(A, two_player=A is TALL),
    "list": lambda A: gp.operator_game(A.tolist()),
    "sparse": lambda A: gp.operator_game(csr_array(A)),
    "coordinates": lambda A: gp.operator_game(coo_array(A)),
    "operator": lambda A: gp.operator_game(Dense(A, is_skew=A is SKEW)),
    "linear operator": lambda A: gp.operator_game(aslinearoperator(A)),
    "callable": lambda A: (
        gp.operator_game(lambda v: A @ v, shape=9)
        if A is SKEW
        else gp.operator_game(lambda v: A @ v, transposed=lambda v: v @ A, shape=A.shape)
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("A", [SKEW, TALL], ids=["skew", "rectangular"])
def test_every_way_gives_the_same_game(way, A):
    game = WAYS[way](A)
    assert isinstance(game, gp.OperatorGame)
    assert game.is_symmetric == (A is SKEW)
    assert_allclose(entries(game), A, atol=1e-15)
    v = RNG.dirichlet(np.ones(A.shape[0]))
    assert_allclose(game.payoff.transposed_product(v), v @ A, atol=1e-14)


def test_gaps_are_those_of_the_table():
    policy = RNG.dirichlet(np.ones(9))
    table, game = gp.preference_game(SKEW + 0.5), gp.operator_game(csr_array(SKEW))
    assert_allclose(gp.duality_gap(game, policy), gp.duality_gap(table, policy), rtol=1e-12)
    assert_allclose(gp.exploitability(game, policy), gp.exploitability(table, policy), rtol=1e-12)
    heat = {"temperature": 0.1, "reference": RNG.dirichlet(np.ones(9))}
    assert_allclose(gp.duality_gap(game, policy, **heat), gp.duality_gap(table, policy, **heat), rtol=1e-10)
    both = (RNG.dirichlet(np.ones(7)), RNG.dirichlet(np.ones(4)))
    assert_allclose(gp.duality_gap(gp.operator_game(TALL), both), gp.duality_gap(gp.matrix_game(TALL), both))


def test_a_square_payoff_of_two_players_has_to_be_said_to_be_one():
    square = RNG.uniform(-1.0, 1.0, (5, 5))
    for payoff in (square, csr_array(square), Dense(square, is_skew=False)):
        with pytest.raises(gp.InputError, match="two_player=True"):
            gp.operator_game(payoff)
        game = gp.operator_game(payoff, two_player=True)
        assert not game.is_symmetric
        assert_allclose(entries(game), square)
    assert not gp.operator_game(SKEW, two_player=True).is_symmetric


def test_rounding_is_taken_out_exactly_and_the_input_is_left_alone():
    rough = SKEW.copy()
    rough[0, 1] += 1e-12
    for payoff in (rough, csr_array(rough)):
        before = payoff.copy()
        table = entries(gp.operator_game(payoff))
        assert_array_equal(table, -table.T)
        assert_array_equal(payoff - before if payoff is rough else (payoff - before).toarray(), 0.0)


def test_names():
    names = list("abcdefghi")
    game = gp.operator_game(SKEW, names=names)
    assert game.names == game.row_names == tuple(names) and game.index("c") == 2
    with pytest.raises(gp.InputError, match="no response is called 'z'; the names start with a, b, c"):
        game.index("z")
    pair = gp.operator_game(TALL, row_names=range(7), column_names=list("wxyz"))
    assert pair.names == (tuple(range(7)), tuple("wxyz"))
    assert gp.operator_game(SKEW).names == range(9)


def test_a_memory_map_stays_on_the_disk(tmp_path):
    path = tmp_path / "payoff.npy"
    n = 1500
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=(n, n))
    # i beats the 700 after it on a circle.
    for i in range(n):
        lead = (np.arange(n) - i) % n
        file[i] = 0.5 * (((lead > 0) & (lead <= 700)).astype(float) - (lead >= n - 700))
    file.flush()
    tracemalloc.start()
    game = gp.operator_game(np.load(path, mmap_mode="r"))
    gap = gp.duality_gap(game, np.full(n, 1.0 / n))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert gap < 1e-12 and peak < 0.6 * 8 * n * n
    changed = np.load(path, mmap_mode="r+")
    changed[0, 1] += 1e-12
    with pytest.raises(gp.InputError, match="lies in a file and is skew only up to 1e-12; write"):
        gp.operator_game(changed)
    single = np.lib.format.open_memmap(tmp_path / "single.npy", mode="w+", dtype=np.float32, shape=(2, 2))
    with pytest.raises(gp.InputError, match="memory map of float32; write it as float64"):
        gp.operator_game(single)


BAD = [
    ({"payoff": [[0.0, np.nan], [0.0, 0.0]]}, r"^payoff has a value that is not finite: entry \(0, 1\) is nan"),
    ({"payoff": np.array([[0.0, np.inf], [0.0, 0.0]])}, r"^payoff has a value that is not finite: entry \(0, 1\)"),
    ({"payoff": np.zeros(3)}, r"^payoff must be a matrix with rows and columns; its shape is \(3,\)"),
    ({"payoff": np.zeros((0, 3))}, r"^payoff must be a matrix with rows and columns; its shape is \(0, 3\)"),
    ({"payoff": "scores.csv"}, "^payoff must "),
    ({"payoff": np.array([[0.5, 0.7], [0.3, 0.5]])}, r"^payoff must be skew-symmetric; .* Pass P - 1/2 for win"),
    ({"payoff": csr_array([[0, 1.0], [1.0, 0]])}, r"payoff\[0, 1\] = 1 and payoff\[1, 0\] = 1 do not cancel\. Pass"),
    ({"payoff": csr_array([[0, 1.0], [-1.0, 0]]), "shape": 2}, "^shape is for a callable payoff; leave it out for a"),
    ({"payoff": [[0.0]], "transposed": abs}, "^transposed is for a callable payoff"),
    ({"payoff": Sparse(csr_array((2, 2)), is_skew=True), "two_player": True}, "^two_player=True, but payoff.is_skew"),
    ({"payoff": lambda v: v}, "^shape is missing: say how many responses"),
    ({"payoff": lambda v: v, "shape": 3}, "^product is not that of a skew matrix"),
    ({"payoff": lambda v: v, "shape": (3, 4)}, "^transposed is missing"),
    ({"payoff": lambda v: v, "shape": 2.5}, r"^shape must be a whole number of at least 1; got 2\.5"),
    ({"payoff": lambda v: -v, "shape": 3, "transposed": abs}, "^transposed is given, and the payoff of a symmetric"),
    ({"payoff": lambda v: v + 1.0, "shape": 3}, "^product is not linear"),
    ({"payoff": lambda v: v[:-1], "shape": 3}, r"^product returned an array of shape \(2,\)"),
    ({"payoff": SKEW, "row_names": list("abcdefghi")}, "^row_names and column_names are for two players"),
    ({"payoff": TALL, "names": list("abcdefg")}, "^names is for a symmetric game"),
    ({"payoff": SKEW, "names": ["a", "b"]}, "^names has 2 entries for 9 responses"),
    ({"payoff": SKEW, "atol": -1.0}, "^atol must be a finite number of at least 0"),
    ({"payoff": aslinearoperator(SKEW), "shape": 9}, "^a LinearOperator brings its transpose and its shape"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=range(len(BAD)))
def test_bad_input_is_refused_with_the_reason(arguments, message):
    with pytest.raises(gp.InputError, match=message):
        gp.operator_game(**arguments)


def test_a_linear_operator_that_is_not_skew_is_of_two_players_on_request():
    square = RNG.uniform(-1.0, 1.0, (5, 5))
    with pytest.raises(gp.InputError, match="not that of a skew matrix"):
        gp.operator_game(aslinearoperator(square))
    assert_allclose(entries(gp.operator_game(aslinearoperator(square), two_player=True)), square)
    wrong = LinearOperator((4, 5), matvec=lambda v: v[:4], rmatvec=lambda v: np.append(v, v[0]))
    with pytest.raises(gp.InputError, match="transposed is not the transpose of product"):
        gp.operator_game(wrong)


def test_embeddings_have_the_scores_of_the_general_preference_model():
    V = RNG.standard_normal((6, 4))
    form = np.kron(np.eye(2), [[0.0, -1.0], [1.0, 0.0]])
    scores = np.array([[(form @ V[i]) @ V[j] for j in range(6)] for i in range(6)])
    pairs = sum(np.outer(V[:, k], V[:, k + 1]) - np.outer(V[:, k + 1], V[:, k]) for k in (0, 2))
    assert_allclose(scores, pairs, atol=1e-15)
    linear, logistic = gp.from_embeddings(V), gp.from_embeddings(V, link="logistic", names=list("abcdef"))
    assert isinstance(linear.payoff, LowRankSkew) and isinstance(logistic.payoff, Embeddings)
    assert_allclose(entries(linear), scores, atol=1e-14)
    assert_allclose(entries(logistic), 1.0 / (1.0 + np.exp(-scores)) - 0.5, atol=1e-14)
    assert_allclose(entries(logistic), gp.from_scores(scores).payoff, atol=1e-14)
    R = np.triu(RNG.standard_normal((4, 4)), 1)
    R -= R.T
    assert_allclose(entries(gp.from_embeddings(V, R)), V @ R @ V.T, atol=1e-14)
    assert logistic.names == tuple("abcdef")


def test_embeddings_of_strengths_have_the_strongest_as_winner():
    strengths = np.array([0.3, -1.0, 2.0, 0.5])
    game = gp.from_embeddings(np.column_stack([strengths, np.ones(4)]), link="logistic")
    assert_allclose(entries(game)[2, 3], 1.0 / (1.0 + np.exp(-1.5)) - 0.5)
    assert gp.exploitability(game, [0, 0, 1, 0]) == 0.0
    assert gp.exploitability(game, [1, 0, 0, 0]) > 0.3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"V": np.ones((3, 3))}, "^V has 3 columns, and without R they must come in pairs"),
        ({"V": np.ones((3, 2)), "R": np.eye(3)}, r"^R has shape \(3, 3\) and V 2 columns; R must be 2 x 2"),
        ({"V": np.ones((3, 2)), "R": np.eye(2)}, r"^R must be skew-symmetric; R\[0, 0\] = 1 and R\[0, 0\] = 1"),
        ({"V": np.ones((0, 2))}, r"^V is empty \(shape \(0, 2\)\)"),
        ({"V": [[1.0, np.nan]]}, "^V has a value that is not finite"),
        ({"V": np.ones((3, 2)), "link": "probit"}, "^link must be one of linear, logistic; got 'probit'"),
        ({"V": np.ones((3, 2)), "names": ["a"]}, "^names has 1 entries for 3 responses"),
    ],
)
def test_bad_embeddings_are_refused(arguments, message):
    with pytest.raises(gp.InputError, match=message):
        gp.from_embeddings(**arguments)


def test_a_mean_of_games():
    other = np.triu(RNG.uniform(-0.5, 0.5, (9, 9)), 1)
    other -= other.T
    names = [f"r{i}" for i in range(9)]
    games = [gp.preference_game(SKEW + 0.5, names=names), gp.operator_game(csr_array(other), names=names)]
    mean = gp.finite_sum_game(games, weights=[1.0, 3.0])
    large = gp.finite_sum_game(games, weights=[0.5e308, 1.5e308])
    assert_allclose(entries(large), entries(mean), atol=1e-15)
    assert mean.is_symmetric and mean.names == tuple(names)
    assert_allclose(entries(mean), 0.25 * SKEW + 0.75 * other, atol=1e-15)
    assert_allclose(entries(gp.finite_sum_game(games)), 0.5 * (SKEW + other), atol=1e-15)
    pair = gp.finite_sum_game([gp.matrix_game(TALL), gp.operator_game(-3.0 * TALL)])
    assert_allclose(entries(pair), -TALL, atol=1e-15)


def test_means_of_unlike_games_are_refused():
    symmetric, pair = gp.operator_game(SKEW), gp.operator_game(TALL)
    with pytest.raises(gp.InputError, match="^games is empty"):
        gp.finite_sum_game([])
    with pytest.raises(gp.UnsupportedCombination, match=r"^games\[1\] is of two players and games\[0\] is not"):
        gp.finite_sum_game([symmetric, pair])
    with pytest.raises(gp.InputError, match=r"^terms\[1\] has shape"):
        gp.finite_sum_game([symmetric, gp.operator_game(SKEW[:3, :3])])
    with pytest.raises(gp.InputError, match=r"^the responses of games\[1\] are called otherwise"):
        gp.finite_sum_game([symmetric, gp.operator_game(SKEW, names=list("abcdefghi"))])
    with pytest.raises(gp.UnsupportedCombination, match=r"^games\[0\] is a MatrixGame; a mean is made of"):
        gp.finite_sum_game([gp.matrix_game(TALL, TALL)])
    with pytest.raises(gp.InputError, match="weights"):
        gp.finite_sum_game([symmetric], weights=[0.0])
    with pytest.raises(gp.InputError, match="weights"):
        gp.finite_sum_game([symmetric], weights=[1.0, 1.0])


def test_a_million_names_cost_nothing():
    tracemalloc.start()
    game = gp.operator_game(FromFunction((10**6, 10**6), lambda v: np.zeros(10**6), is_skew=True, bound=0.0))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 10**5 and game.names[999_999] == 999_999
    assert repr(game).startswith("OperatorGame(1000000 responses; products by ")


def test_pickling():
    for game in (gp.operator_game(csr_array(SKEW), names=list("abcdefghi")), gp.operator_game(TALL)):
        copy = pickle.loads(pickle.dumps(game))
        assert copy.names == game.names
        assert_array_equal(entries(copy), entries(game))


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1e200])
@pytest.mark.parametrize("way", [np.asarray, csr_array, lambda A: lambda v: A @ v], ids=["table", "sparse", "products"])
def test_the_unit_of_the_payoff_does_not_count(way, scale):
    payoff = scale * np.array([[0.0, -1.0, 2.0], [1.0, 0.0, -1.0], [-2.0, 1.0, 0.0]])
    shape = {"shape": 3} if callable(way(payoff)) else {}
    solution = gp.solve(gp.operator_game(way(payoff), **shape), tol=1e-9 * scale)
    assert solution.status.is_answer
    assert_allclose(solution.policy, [0.25, 0.5, 0.25], atol=1e-9)
    with pytest.raises(gp.InputError, match="skew"):
        gp.operator_game(way(payoff + 0.1 * scale), **shape)


@pytest.mark.parametrize(
    "matrix", [[[0.0, 0.1], [0.1, 0.0]], [[-0.1, -0.1], [-0.1, -0.1]], [[0.0, np.nan], [0.1, 0.0]]]
)
def test_operators_are_not_taken_at_their_word(matrix):
    """The second has a policy that gains 0.1 less than nothing: what would be a gap below 0."""
    with pytest.raises(gp.InputError, match="skew|not finite"):
        gp.operator_game(Dense(np.array(matrix), is_skew=True))


def test_masked_tables_are_refused():
    payoff = np.array([[0.0, 0.25], [-0.25, 0.0]])
    with pytest.raises(gp.InputError, match="masked"):
        gp.operator_game(np.ma.array(payoff, mask=payoff != 0.0))


def test_a_linear_operator_without_a_transpose_is_refused():
    half = LinearOperator((2, 3), matvec=lambda v: v[:2], dtype=np.float64)
    with pytest.raises(gp.InputError, match="rmatvec"):
        gp.operator_game(half)


def test_a_shape_has_two_sizes():
    with pytest.raises(gp.InputError, match="shape must be"):
        gp.operator_game(lambda v: 0.0 * v, shape=(3, 3, 3))


@pytest.mark.parametrize("link", ["linear", "logistic"])
def test_embeddings_whose_scores_are_not_finite_are_refused(link):
    with pytest.raises(gp.InputError, match="Divide V"):
        gp.from_embeddings(np.array([[1e200, 1.0], [1.0, 1e200]]), link=link)


def test_a_game_alone_is_no_list_of_games():
    with pytest.raises(gp.InputError, match=r"PreferenceGame, so pass \[game, ...\]"):
        gp.finite_sum_game(gp.zoo["comal"].game)
