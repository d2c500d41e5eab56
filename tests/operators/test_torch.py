"""Payoffs as torch tensors: products as NumPy computes them, and whole runs that stay on the device."""

from __future__ import annotations

import multiprocessing
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref import InputError, verbs
from gametheory_pref.facts import Facts
from gametheory_pref.games import OperatorGame
from gametheory_pref.kernels.projection import project_one
from gametheory_pref.matrix_free import in_both
from gametheory_pref.methods import settle
from gametheory_pref.operators import Dense, LowRank, LowRankSkew, Sparse
from gametheory_pref.operators.elsewhere import payoff_elsewhere
from gametheory_pref.tabular import tabular
from gametheory_pref.verbs import Anchor, Direction, Exact, Mixture, Point

torch = pytest.importorskip("torch")

from gametheory_pref.operators.torch_tensor import on_device, torch_payoff  # noqa: E402
from gametheory_pref.tensor_verbs import TensorProblem, projected, resident  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    """Threads of torch that wait for busy cores take a thousand times as long as the products here."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))]


def drawn_skew(n: int, seed: int = 0) -> np.ndarray:
    matrix = np.random.default_rng(seed).normal(size=(n, n))
    return (matrix - matrix.T) / 8.0


def drawn_sparse(rows: int, columns: int, *, skew: bool):
    from scipy import sparse

    matrix = sparse.random_array((rows, columns), density=0.1, rng=np.random.default_rng(1), format="csr")
    return (matrix - matrix.T).tocsr() if skew else matrix


def drawn_factors(n: int, rank: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Factors of a skew payoff: embeddings, and their pairs of coordinates turned by a right angle."""
    right = np.random.default_rng(2).normal(size=(n, rank)) / 4.0
    turn = np.kron(np.eye(rank // 2), np.array([[0.0, 1.0], [-1.0, 0.0]]))
    return right @ turn, right


def game_of(payoff) -> OperatorGame:
    return OperatorGame(payoff, range(payoff.shape[0]), range(payoff.shape[1]))


def in_memory(kind: str):
    n = 40
    if kind == "dense":
        return Dense(drawn_skew(n), is_skew=True)
    if kind == "dense, two players":
        return Dense(np.random.default_rng(3).normal(size=(30, n)) / 4.0, is_skew=False)
    if kind == "sparse":
        return Sparse(drawn_sparse(n, n, skew=True), is_skew=True)
    if kind == "sparse, two players":
        return Sparse(drawn_sparse(30, n, skew=False), is_skew=False)
    if kind == "embeddings":
        turn = np.kron(np.eye(2), np.array([[0.0, 1.0], [-1.0, 0.0]]))
        return LowRankSkew(drawn_factors(n)[1], turn)
    return LowRank(*drawn_factors(n), is_skew=True)


KINDS = ["dense", "dense, two players", "sparse", "sparse, two players", "low rank"]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", [*KINDS, "embeddings"])
def test_what_an_operator_says_is_what_numpy_says(kind: str, device: str) -> None:
    here = in_memory(kind)
    there = on_device(here, device)
    rng = np.random.default_rng(4)
    row, column = (rng.normal(size=size) for size in here.shape)
    assert (there.shape, there.is_skew, there.cost.flops) == (here.shape, here.is_skew, here.cost.flops)
    assert_allclose(there @ column, here @ column, rtol=1e-13, atol=1e-14)
    assert_allclose(there.transposed_product(row), here.transposed_product(row), rtol=1e-13, atol=1e-14)
    for one, other in zip(there.both_products(row, column), here.both_products(row, column), strict=True):
        assert_allclose(one, other, rtol=1e-13, atol=1e-14)
    assert_allclose(there.largest(), here.largest(), rtol=1e-13)
    assert_allclose(there.norm, here.norm, rtol=1e-4)
    rows, columns = np.array([7, 3, 20]), np.array([11, 0, 11, 25])
    assert_allclose(there.block(rows, columns), here.block(rows, columns), rtol=1e-13, atol=1e-15)


def test_who_plays_is_told_by_the_payoff_and_two_player() -> None:
    skew = torch.tensor(drawn_skew(30))
    assert torch_payoff(skew).is_skew
    assert not torch_payoff(skew, two_player=True).is_skew
    assert not torch_payoff(skew[:20]).is_skew
    left, right = (torch.tensor(part) for part in drawn_factors(30))
    assert torch_payoff((left, right)).is_skew


@pytest.mark.parametrize("value", [torch.tensor(drawn_skew(30)) + 1e-6, (torch.tensor(drawn_factors(9)[0]),) * 2])
def test_a_square_payoff_that_is_not_skew_is_refused_unless_two_play(value) -> None:
    with pytest.raises(InputError, match=r"must be skew-symmetric.*two_player=True"):
        torch_payoff(value)
    assert not torch_payoff(value, two_player=True).is_skew


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.zeros((3, 3)), r"payoff is of torch\.float32, .* pass payoff\.double\(\)"),
        (torch.zeros(3, dtype=torch.float64), r"must be a matrix .* got shape \(3,\)"),
        (torch.zeros((0, 3), dtype=torch.float64), r"must be a matrix with entries"),
        (torch.tensor([[0.0, np.nan], [0.0, 0.0]], dtype=torch.float64), "not finite"),
        (torch.tensor([[0.0, np.inf], [-np.inf, 0.0]], dtype=torch.float64), "not finite"),
        (torch.eye(3, dtype=torch.float64).to_sparse(), r"pass payoff\.to_sparse_csr\(\)"),
        ((torch.zeros(3, 2, dtype=torch.float64), torch.zeros(3, 1, dtype=torch.float64)), "same number of columns"),
        ((torch.zeros((3, 2), dtype=torch.float64),), "tuple of 1"),
        ([], "empty list"),
        ([torch.zeros((1, 2), dtype=torch.float64), torch.zeros((1, 3), dtype=torch.float64)], r"lengths \(2, 3\)"),
        (np.zeros((3, 3)), "must be a torch tensor; got ndarray"),
    ],
)
def test_what_is_no_payoff_is_refused(value, message: str) -> None:
    with pytest.raises(InputError, match=message):
        torch_payoff(value)


@pytest.mark.parametrize("seed", range(6))
def test_projection_is_the_kernels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vector = rng.normal(size=200) * 10.0 ** rng.integers(-3, 4) + 10.0 ** rng.integers(0, 6)
    if seed == 0:
        vector[:] = 3.0
    expected = vector.copy()
    project_one(expected)
    assert_allclose(projected(torch.tensor(vector)).numpy(), expected, rtol=0.0, atol=1e-15)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_projection_of_what_is_not_finite_is_nan(bad: float) -> None:
    assert projected(torch.tensor([0.1, bad, 0.2], dtype=torch.float64)).isnan().all()


def both_problems(kind: str) -> tuple[verbs.TabularProblem, TensorProblem]:
    game = game_of(in_memory(kind))
    here = tabular(gp.Problem(game, 0.2), None, Exact()).problem
    there = resident(tabular(gp.Problem(game_of(on_device(game.payoff, "cpu")), 0.2), None, Exact()).problem)
    assert isinstance(there, TensorProblem)
    return here, there


def drawn_points(problem: verbs.TabularProblem) -> dict[str, object]:
    rng = np.random.default_rng(5)
    x, y = (
        verbs.normalize(problem, Anchor(rng.normal(scale=3.0, size=problem.start.log.size))) for _ in range(2)
    )
    # A response without mass, one alone with it, and policies that nearly agree.
    empty = x.prob.copy()
    empty[3] = 0.0
    edge = in_both(problem, empty / empty[: problem.blocks[1]].sum())
    close = verbs.normalize(problem, Anchor(x.log + 1e-6 * y.log))
    d, e = (Direction(rng.normal(size=x.log.size)) for _ in range(2))
    return {"x": x, "y": y, "edge": edge, "close": close, "d": d, "e": e}


SENTENCES = {
    "field": lambda p, a: verbs.field(p, a["x"], None),
    "field of mixture": lambda p, a: verbs.field(p, Mixture(a["edge"].prob), None),
    "mirror": lambda p, a: verbs.mirror(p, a["x"], a["d"], 1.5),
    "project": lambda p, a: verbs.project(p, a["x"], a["d"], 0.3),
    "prox of mixture": lambda p, a: verbs.prox(p, Mixture(a["x"].prob), a["d"], 0.3),
    "prox of point": lambda p, a: verbs.prox(p, a["x"], a["d"], 0.3),
    "mean of mixtures": lambda p, a: verbs.mean(p, (Mixture(a["x"].prob), Mixture(a["y"].prob)), (0.3, 0.7)),
    "mean of points": lambda p, a: verbs.mean(p, (a["x"], a["y"]), (0.3, 0.7)),
    "start in Euclidean": lambda p, a: verbs.start_in(p, gp.Euclidean()),
    "start in entropic": lambda p, a: verbs.start_in(p, gp.Entropic()),
    "normalize": lambda p, a: verbs.normalize(p, Anchor(a["d"].value)),
    "blend": lambda p, a: verbs.blend(p, (a["x"], a["y"], p.reference), (1.5, -0.25, -0.25)),
    "blend without one": lambda p, a: verbs.blend(p, (a["edge"], a["y"]), (0.0, 1.0)),
    "mixture": lambda p, a: verbs.mixture(p, (a["x"], a["edge"]), (0.25, 0.75)),
    "combine": lambda p, a: verbs.combine(p, (a["d"], a["e"]), (2.0, -1.0)),
    "no direction": lambda p, a: verbs.no_direction(p),
    "divergence": lambda p, a: verbs.divergence(p, a["x"], a["y"]),
    "divergence at the edge": lambda p, a: verbs.divergence(p, a["edge"], a["y"]),
    "divergence from the edge": lambda p, a: verbs.divergence(p, a["y"], a["edge"]),
    "divergence of neighbours": lambda p, a: verbs.divergence(p, a["x"], a["close"]),
    "inner": lambda p, a: verbs.inner(p, a["d"], a["x"], a["y"]),
    "square distance": lambda p, a: verbs.square_distance(p, a["x"], a["y"]),
    "reply": lambda p, a: verbs.reply(p, a["d"]),
    "bank_of": lambda p, a: verbs.bank_of(p, a["x"], 3),
    "recall": lambda p, a: verbs.recall(p, verbs.remember(p, verbs.bank_of(p, a["x"], 3), a["y"]), 0),
    "remember": lambda p, a: verbs.remember(p, verbs.bank_of(p, a["x"], 3), a["y"]),
    "anchors_of": lambda p, a: verbs.anchors_of(p, a["x"], (0.5, 0.5)),
    "bookmark": lambda p, a: verbs.bookmark(p),
    "keep": lambda p, a: verbs.keep(p, a["x"], 0),
    "add_regrets": lambda p, a: verbs.add_regrets(p, a["d"], a["e"], a["x"]),
    "positive": lambda p, a: verbs.positive(p, a["d"]),
    "proportional": lambda p, a: verbs.proportional(p, a["d"], a["x"]),
    "proportional to nothing": lambda p, a: verbs.proportional(p, verbs.no_direction(p), a["x"]),
    "in_both": lambda p, a: in_both(p, a["edge"].prob),
}


@pytest.mark.parametrize("kind", ["dense", "dense, two players"])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_verb_means_the_same_on_tensors(sentence: str, kind: str) -> None:
    here, there = both_problems(kind)
    arguments = drawn_points(here)
    moved = {name: there.at_home(value) for name, value in arguments.items()}
    with np.errstate(all="ignore"):
        expected, got = SENTENCES[sentence](here, arguments), SENTENCES[sentence](there, moved)
    assert type(got) is type(expected)
    rtol = 1e-9 if "neighbours" in sentence else 1e-13
    for one, other in zip(leaves(got), leaves(expected), strict=True):
        if isinstance(one, torch.Tensor):
            assert one.dtype is torch.float64
        assert_allclose(np.asarray(one), other, rtol=rtol, atol=1e-14 if rtol < 1e-10 else 0.0)


def leaves(value) -> list[object]:
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, tuple) else [value]


def test_verbs_that_draw_visit_the_host_and_come_back() -> None:
    here, there = both_problems("dense")
    arguments = drawn_points(here)
    moved = {name: there.at_home(value) for name, value in arguments.items()}
    expected, got = (
        verbs.batch_difference(problem, a["x"], a["y"], 5, np.random.default_rng(7))
        for problem, a in ((here, arguments), (there, moved))
    )
    assert isinstance(got.value, torch.Tensor)
    assert_allclose(got.value.numpy(), expected.value, rtol=1e-13, atol=1e-15)
    assert verbs.term_count(there) == 40
    with pytest.raises(AttributeError, match="no 'sing'"):
        there.sing  # noqa: B018


RULES = {
    "restarted_halpern": 0.0,
    "extragradient": 0.0,
    "optimistic": 0.0,
    "regret_matching": 0.0,
    "mirror_descent": 0.1,
    "adaptive_extragradient": 0.1,
    "sppo": 0.0,
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", RULES)
def test_a_rule_takes_the_same_steps_on_a_device(name: str, kind: str, device: str) -> None:
    here = in_memory(kind)
    rule = rule_for(name, here)
    one, other = (
        gp.solve(
            game_of(payoff), rule, temperature=RULES[name], tol=0.0, max_steps=200, record=gp.Record(points=True)
        )
        for payoff in (here, on_device(here, device))
    )
    assert one.trace.metrics["gap"].min() < 0.9 * one.trace.metrics["gap"][0]
    for policy, twin in zip(one.trace.policies, other.trace.policies, strict=True):
        assert_allclose(np.hstack(twin), np.hstack(policy), rtol=0.0, atol=1e-12)
    # A gap moves by at most 2 max |A| times the sum of what 40 or 70 probabilities moved.
    for metric, column in one.trace.metrics.items():
        assert_allclose(other.trace.metrics[metric], column, rtol=0.0, atol=1e-11)


def rule_for(name: str, payoff):
    """The rule, its step size settled once where it comes from a norm, which is found up to 1e-4 only."""
    rule = gp.METHODS[name]()
    return rule._replace(step_size=0.998 / payoff.norm) if rule.info.uses_norm else rule


# Rules that draw terms read columns, which are found on the host.
ON_THE_DEVICE = [
    rule
    for rule in gp.METHODS.primary()
    if not (rule.info.indexes_arrays or getattr(rule.info, "samples_terms", False))
]


@pytest.mark.parametrize("rule_class", ON_THE_DEVICE, ids=lambda rule: rule.info.name)
def test_steps_never_leave_the_device(rule_class, monkeypatch: pytest.MonkeyPatch) -> None:
    payoff = on_device(in_memory("dense"), "cpu")
    heat = 0.1 if "regularized" in rule_class.info.solves else 0.0
    table = tabular(gp.Problem(game_of(payoff), heat), None, Exact()).problem
    rule = settle(rule_class(), Facts(table, 100).step_facts)
    problem = resident(table)
    moved: list[int] = []
    monkeypatch.setattr("gametheory_pref.tensor_verbs.to_host", lambda tensor: moved.append(1) or tensor.numpy())
    monkeypatch.setattr(type(payoff), "product", None)
    state = rule.init(problem)
    for _ in range(5):
        state = rule.step(problem, state, None)
    assert moved == []
    assert isinstance(state.x.prob, torch.Tensor)
    assert state.x.prob.dtype is torch.float64


def test_a_run_goes_on_where_it_ended() -> None:
    game = game_of(on_device(in_memory("dense"), "cpu"))
    whole = gp.solve(game, "restarted_halpern", tol=0.0, max_steps=200)
    half = gp.solve(game, "restarted_halpern", tol=0.0, max_steps=100)
    assert isinstance(half.run.resume.state.x.prob, np.ndarray)
    rest = gp.solve(game, "restarted_halpern", start=half, tol=0.0, max_steps=100)
    assert rest.n_steps == 200
    assert_allclose(rest.policy, whole.policy, rtol=0.0, atol=1e-13)


@pytest.mark.parametrize("kind", ["dense", "sparse", "dense, two players", "sparse, two players", "low rank"])
def test_shards_of_rows_are_the_matrix(kind: str) -> None:
    here = in_memory(kind)
    if isinstance(here, LowRank):
        cut = [here.left[:15], here.left[15:16], here.left[16:]]
        shards = [(torch.tensor(left), torch.tensor(here.right)) for left in cut]
    else:
        whole = here.matrix
        pieces = [type(here)(whole[part], is_skew=False) for part in (slice(0, 15), slice(15, 16), slice(16, None))]
        shards = [on_device(piece, "cpu").matrix for piece in pieces]
    there = torch_payoff(shards)
    rng = np.random.default_rng(6)
    row, column = (rng.normal(size=size) for size in here.shape)
    assert (there.shape, there.is_skew) == (here.shape, here.is_skew)
    assert_allclose(there @ column, here @ column, rtol=1e-13, atol=1e-14)
    assert_allclose(there.transposed_product(row), here.transposed_product(row), rtol=1e-13, atol=1e-14)
    rows, columns = np.array([17, 3, 15, 29]), np.array([11, 0, 25])
    assert_allclose(there.block(rows, columns), here.block(rows, columns), rtol=1e-13, atol=1e-15)
    rule = rule_for("restarted_halpern", here)
    one, other = (gp.solve(game_of(payoff), rule, tol=0.0, max_steps=200) for payoff in (here, there))
    assert_allclose(np.hstack(other.policy), np.hstack(one.policy), rtol=0.0, atol=1e-12)


def _run_in_a_process(rank: int, port: int, answers) -> None:
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Shard, distribute_tensor

    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    mesh = init_device_mesh("cpu", (2,))
    found = []
    for matrix in (drawn_skew(41), drawn_skew(41)[:29]):
        payoff = torch_payoff(distribute_tensor(torch.tensor(matrix), mesh, [Shard(0)]))
        solution = gp.solve(game_of(payoff), gp.METHODS["restarted_halpern"](step_size=0.2), tol=0.0, max_steps=100)
        local = payoff.matrix.to_local().shape[0]
        found.append((payoff.is_skew, local, payoff.largest(), np.hstack(solution.policy)))
    answers.put((rank, found))
    dist.destroy_process_group()


@pytest.mark.slow
def test_a_matrix_spread_over_two_processes() -> None:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    workers = [context.Process(target=_run_in_a_process, args=(rank, port, answers)) for rank in range(2)]
    for worker in workers:
        worker.start()
    found = dict(answers.get(timeout=120) for _ in workers)
    for worker in workers:
        worker.join(timeout=60)
    for case, matrix in enumerate((drawn_skew(41), drawn_skew(41)[:29])):
        is_skew = case == 0
        rule = gp.METHODS["restarted_halpern"](step_size=0.2)
        expected = gp.solve(game_of(Dense(matrix, is_skew=is_skew)), rule, tol=0.0, max_steps=100)
        assert sum(found[rank][case][1] for rank in range(2)) == len(matrix)
        for rank in range(2):
            skew, local, largest, policy = found[rank][case]
            assert skew == is_skew
            assert 0 < local < len(matrix)
            assert largest == np.abs(matrix).max()
            assert_allclose(policy, np.hstack(expected.policy), rtol=0.0, atol=1e-12)


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(gp.MissingDependency, match=r"gametheory-pref\[torch\]"):
        torch_payoff(None)


def test_tensors_are_told_from_other_payoffs() -> None:
    tensor = torch.tensor(drawn_skew(6))
    for value in (tensor, torch.nn.Parameter(tensor), [tensor[:2], tensor[2:]]):
        found = payoff_elsewhere(value, two_player=False)
        assert found is not None
        assert found.is_skew
    for value in (drawn_skew(6), [[0.0, 1.0], [-1.0, 0.0]], [], abs):
        assert payoff_elsewhere(value, two_player=False) is None


def test_the_front_door_takes_tensors() -> None:
    matrix = drawn_skew(25)
    game = gp.operator_game(torch.tensor(matrix))
    solution = gp.solve(game, "restarted_halpern", tol=1e-8)
    assert solution.converged
    # Recomputed from the table.
    assert 2.0 * (matrix @ solution.policy).max() <= 1e-8
    with pytest.raises(InputError, match=r"must be skew-symmetric"):
        gp.operator_game(torch.tensor(matrix) + 0.1)


def test_autograd_and_warnings_stay_out() -> None:
    leaf = torch.tensor(drawn_skew(10), requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        payoff = torch_payoff(leaf)
        policy = np.full(10, 0.1)
        policy.flags.writeable = False
        assert_allclose(payoff @ policy, drawn_skew(10) @ policy, rtol=0.0, atol=1e-15)


def test_a_point_is_a_pair_of_tensors() -> None:
    _, there = both_problems("dense")
    assert isinstance(there.start, Point)
    assert there.start.log.device.type == "cpu"
