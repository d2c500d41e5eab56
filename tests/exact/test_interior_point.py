"""The interior-point solver against known answers, an independent LP solver and degenerate games."""

from __future__ import annotations

import csv
import json
import pathlib
import time

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gametheory_pref.errors import InputError
from gametheory_pref.exact.interior_point import central_point, interior_point
from gametheory_pref.status import Status


def skew(upper: np.ndarray) -> np.ndarray:
    upper = np.triu(upper, 1)
    return upper - upper.T


def uniform_game(rng: np.random.Generator, n: int) -> np.ndarray:
    return skew(rng.uniform(-0.5, 0.5, (n, n)))


def votes_game(rng: np.random.Generator, n: int) -> np.ndarray:
    return skew(2.0 * rng.binomial(15, 0.5, (n, n)) - 15.0) / 30.0


def bt_cyclic_game(rng: np.random.Generator, n: int) -> np.ndarray:
    strength, plane = rng.normal(size=n), rng.normal(size=(n, 2))
    turn = np.outer(plane[:, 0], plane[:, 1])
    return skew(1.0 / (1.0 + np.exp(-(strength[:, None] - strength + 2.0 * (turn - turn.T)))) - 0.5)


def ties_game(rng: np.random.Generator, n: int) -> np.ndarray:
    return skew(rng.integers(-1, 2, (n, n)).astype(float))


def clones_game(rng: np.random.Generator, n: int) -> np.ndarray:
    distinct = ties_game(rng, max(3, n // 3))
    who = rng.integers(0, len(distinct), n)
    return distinct[np.ix_(who, who)]


KINDS = [uniform_game, votes_game, bt_cyclic_game, ties_game, clones_game]


def two_sided_gap(payoff: np.ndarray, policy: np.ndarray) -> float:
    return float((payoff @ policy).max() - (policy @ payoff).min())


def assert_is_answer(payoff: np.ndarray, *, gap: float = 1e-13) -> np.ndarray:
    answer = interior_point(payoff)
    assert answer.policy.min() >= 0.0
    assert_allclose(answer.policy.sum(), 1.0, rtol=0, atol=1e-14)
    assert two_sided_gap(payoff, answer.policy) <= gap * np.abs(payoff).max()
    assert_allclose(answer.gap, 2.0 * (payoff @ answer.policy).max(), rtol=0, atol=0)
    assert answer.status is Status.EXACT
    return answer.policy


def lp_policy(payoff: np.ndarray) -> np.ndarray:
    from scipy.optimize import linprog

    n = len(payoff)
    result = linprog(
        np.append(np.zeros(n), 1.0),
        A_ub=np.column_stack([payoff, -np.ones(n)]),
        b_ub=np.zeros(n),
        A_eq=np.append(np.ones(n), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, None)] * n + [(None, None)],
    )
    return result.x[:n]


def lp_reach(payoff: np.ndarray, i: int) -> float:
    """Largest probability of response i in any optimal policy."""
    from scipy.optimize import linprog

    n = len(payoff)
    goal = np.zeros(n)
    goal[i] = -1.0
    result = linprog(goal, A_ub=payoff, b_ub=np.full(n, 1e-12), A_eq=np.ones((1, n)), b_eq=[1.0])
    return -result.fun


@pytest.mark.parametrize(
    ("payoff", "expected"),
    [
        ([[0.0, 3, -2], [-3, 0, 1], [2, -1, 0]], [1 / 6, 1 / 3, 1 / 2]),
        # Preference 0.7/0.6/0.8 around the cycle: the last-iterate example of the COMAL paper.
        ([[0.0, 0.2, -0.3], [-0.2, 0, 0.4], [0.3, -0.4, 0]], [4 / 9, 1 / 3, 2 / 9]),
        ([[0.0, 0.4, -0.3], [-0.4, 0, 0.4], [0.3, -0.4, 0]], [4 / 11, 3 / 11, 4 / 11]),
        ([[0.0, 1, 1, 1], [-1, 0, 3, -2], [-1, -3, 0, 1], [-1, 2, -1, 0]], [1, 0, 0, 0]),
        ([[0.0, -0.25], [0.25, 0]], [0, 1]),
        ([[0.0]], [1]),
    ],
)
def test_known_answers(payoff: list[list[float]], expected: list[float]) -> None:
    assert_allclose(assert_is_answer(np.array(payoff)), expected, rtol=0, atol=1e-15)


def test_regular_tournament_of_any_odd_order_is_uniform() -> None:
    for n in (5, 41, 101):
        i = np.arange(n)
        ahead = (i[None] - i[:, None]) % n
        payoff = np.where(ahead == 0, 0.0, np.where(ahead <= n // 2, 1.0, -1.0))
        assert_allclose(assert_is_answer(payoff), np.full(n, 1 / n), rtol=0, atol=1e-14)


def test_planted_optimum_is_found_at_every_order() -> None:
    rng = np.random.default_rng(3)
    for n, k in ((9, 5), (50, 21), (160, 77), (400, 201)):
        planted = np.zeros(n)
        planted[rng.permutation(n)[:k]] = rng.uniform(0.5, 1.5, k)
        planted /= planted.sum()
        slack = np.where(planted > 0, 0.0, rng.uniform(0.1, 1.0, n))
        core = uniform_game(rng, n)
        # The rank-two skew term makes payoff @ planted = -slack, exactly the conditions of a unique optimum.
        gap = -slack - core @ planted
        gap -= (gap @ planted) * planted / (planted @ planted)
        payoff = core + (np.outer(gap, planted) - np.outer(planted, gap)) / (planted @ planted)
        payoff = skew(payoff)
        assert_allclose(assert_is_answer(payoff), planted, rtol=0, atol=1e-11)


def test_all_ties_give_the_uniform_policy() -> None:
    answer = interior_point(np.zeros((4, 4)))
    assert_array_equal(answer.policy, np.full(4, 0.25))
    assert answer.gap == 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_an_independent_solver(kind) -> None:
    rng = np.random.default_rng(11)
    for n in (5, 8, 15, 30, 45, 60):
        payoff = kind(rng, n)
        policy = assert_is_answer(payoff)
        reference = lp_policy(payoff)
        # Any two optimal policies share the value 0 against each other's best replies.
        assert (payoff @ reference)[policy > 1e-9].min() > -1e-9
        if kind in (uniform_game, bt_cyclic_game):
            assert_allclose(policy, reference, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_medium_games_end_exact(kind) -> None:
    rng = np.random.default_rng(5)
    for n in (64, 128, 257):
        assert_is_answer(kind(rng, n))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_games_end_exact(kind) -> None:
    rng = np.random.default_rng(17)
    for n in [*rng.integers(1, 60, 600), *rng.integers(60, 300, 60), 700]:
        assert_is_answer(kind(rng, int(n)))


def test_answer_scales_with_the_payoff() -> None:
    payoff = uniform_game(np.random.default_rng(2), 50)
    policy = assert_is_answer(payoff)
    for factor in (1e-12, 1e-3, 1e6, 1e150):
        assert_allclose(assert_is_answer(factor * payoff), policy, rtol=0, atol=1e-12)


def test_negated_game_has_another_answer() -> None:
    payoff = uniform_game(np.random.default_rng(4), 21)
    policy = assert_is_answer(payoff)
    assert two_sided_gap(-payoff, policy) > 0.1
    assert two_sided_gap(payoff, assert_is_answer(-payoff)) > 0.1


def read_payoff(folder: pathlib.Path, name: str) -> np.ndarray:
    table = folder / "payoff" / f"{name}.csv"
    if table.is_file():
        with table.open(newline="") as lines:
            rows = list(csv.reader(lines))[1:]
        return np.array([[float(x) for x in row[1:]] for row in rows])
    with np.load(folder / "payoff" / f"{name}.npz") as arrays:
        if "S" in arrays:
            return arrays["S"].astype(float)
        points = arrays["points"].astype(float)
        return points - points.T


def known_optima(folder: pathlib.Path, name: str) -> dict[str, object]:
    record = json.loads((folder / "solutions.json").read_text())[name]
    lottery = record.get("maximal_lottery_margin") or record["maximal_lottery"]
    if "support_union" in lottery:
        union = [record["items"].index(item) for item in lottery["support_union"]]
        return {"union": sorted(union), "size": len(union)}
    return {"size": lottery["support_union_size"]}


DEGENERATE = ["blotto_5_3", "blotto_10_3", "blotto_10_4", "blotto_10_5", "axelrod_ipd"]


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_real_games(shared_data: pathlib.Path, name: str) -> None:
    policy = assert_is_answer(read_payoff(shared_data, name))
    known = known_optima(shared_data, name)
    assert np.count_nonzero(policy > 1e-9) <= known["size"]
    if "union" in known:
        assert set(np.flatnonzero(policy > 1e-9)) <= set(known["union"])


@pytest.mark.parametrize("name", DEGENERATE)
def test_deep_central_point_finds_all_supports_of_degenerate_games(
    shared_data: pathlib.Path, name: str
) -> None:
    payoff = read_payoff(shared_data, name)
    point = central_point(payoff / payoff.max(), mu=1e-12)
    inside = np.flatnonzero(point.policy > point.slack)
    known = known_optima(shared_data, name)
    assert inside.size == known["size"]
    if "union" in known:
        assert_array_equal(inside, known["union"])
    assert np.abs(np.log10(point.policy / point.slack)).min() > 2.0


def test_badly_scaled_game_falls_back_to_double_precision() -> None:
    rng = np.random.default_rng(21)
    scale = np.exp(3.0 * rng.normal(size=250))
    assert_is_answer(uniform_game(rng, 250) * np.outer(scale, scale))


@pytest.mark.parametrize("kind", [uniform_game, votes_game, bt_cyclic_game])
def test_few_large_factorizations_are_needed(kind) -> None:
    # An interior-point method without reduction takes ten or more; that is what makes this one fast.
    answer = interior_point(kind(np.random.default_rng(6), 400))
    assert answer.status is Status.EXACT
    assert answer.n_factorizations <= 6


def test_memory_order_does_not_matter() -> None:
    payoff = uniform_game(np.random.default_rng(23), 90)
    policy = interior_point(payoff).policy
    assert_array_equal(interior_point(np.asfortranarray(payoff)).policy, policy)
    padded = np.zeros((180, 180))
    padded[::2, ::2] = payoff
    assert_array_equal(interior_point(padded[::2, ::2]).policy, policy)


class TestCentralPoint:
    @pytest.mark.parametrize("kind", KINDS)
    def test_is_centred_and_separated(self, kind) -> None:
        rng = np.random.default_rng(7)
        for n in (3, 12, 40, 90):
            payoff = kind(rng, n)
            point = central_point(payoff, mu=1e-12)
            products = point.policy * point.slack
            assert products.max() <= 2.01e-12
            assert products.min() >= 0.49e-12
            assert_allclose(point.policy.sum(), 1.0, rtol=0, atol=1e-14)
            theta = payoff @ point.policy + point.slack
            assert_allclose(theta, theta[0], rtol=0, atol=1e-14)

    @pytest.mark.parametrize("kind", [votes_game, ties_game, clones_game])
    def test_ratio_finds_the_union_of_supports(self, kind) -> None:
        rng = np.random.default_rng(13)
        for n in (4, 7, 12):
            payoff = kind(rng, n)
            point = central_point(payoff, mu=1e-12)
            reach = np.array([lp_reach(payoff, i) for i in range(n)])
            assert_array_equal(point.policy > point.slack, reach > 1e-6)


class TestLimitsAndInput:
    def test_step_limit_returns_the_best_point(self) -> None:
        payoff = uniform_game(np.random.default_rng(1), 60)
        answer = interior_point(payoff, max_steps=1)
        assert answer.status is Status.STEP_LIMIT
        assert answer.n_steps == 1
        assert 1e-9 < answer.gap < 2.0 * (payoff @ np.full(60, 1 / 60)).max()

    def test_deadline_in_the_past_takes_no_step(self) -> None:
        payoff = uniform_game(np.random.default_rng(1), 60)
        answer = interior_point(payoff, deadline=time.perf_counter())
        assert answer.status is Status.TIME_LIMIT
        assert answer.n_steps == 0

    @pytest.mark.parametrize(
        "payoff",
        [np.ones((2, 2)), np.array([[0.0, np.nan], [np.nan, 0.0]]), np.zeros((2, 3)), np.zeros((0, 0))],
    )
    def test_what_is_no_symmetric_game_is_refused(self, payoff: np.ndarray) -> None:
        with pytest.raises(InputError, match="payoff must be"):
            interior_point(payoff)

    def test_infinite_payoff_is_refused(self) -> None:
        with pytest.raises(InputError, match="finite"):
            interior_point(np.array([[0.0, np.inf], [-np.inf, 0.0]]))

    def test_input_is_left_as_it_was(self) -> None:
        payoff = uniform_game(np.random.default_rng(8), 80)
        before = payoff.copy()
        interior_point(payoff)
        assert_array_equal(payoff, before)
