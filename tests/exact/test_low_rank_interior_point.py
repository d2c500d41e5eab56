"""The interior point on factors against the dense one, known answers, degenerate games and what must fail."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import gametheory_pref as gp
from gametheory_pref.errors import InputError, UnsupportedCombination
from gametheory_pref.exact import low_rank_path
from gametheory_pref.exact.interior_point import interior_point
from gametheory_pref.exact.low_rank_interior_point import LowRankInteriorPoint, low_rank_interior_point
from gametheory_pref.exact.simplex import solve_by_simplex
from gametheory_pref.operators import Dense, LowRank, LowRankSkew, PayoffOperator
from gametheory_pref.status import Status


def drawn_skew(rng: np.random.Generator, order: int) -> np.ndarray:
    matrix = rng.normal(size=(order, order))
    return matrix - matrix.T


def entries(payoff: PayoffOperator) -> np.ndarray:
    return payoff.block(*map(np.arange, payoff.shape))


def gap_of(matrix: np.ndarray, payoff: PayoffOperator, policy: np.ndarray) -> float:
    """Return the gap of policies, from the entries of the payoff alone."""
    row, column = (policy, policy) if payoff.is_skew else np.split(policy, [len(matrix)])
    return float((matrix @ column).max() - (row @ matrix).min())


def assert_is_answer(payoff: PayoffOperator, tol: float = 1e-9) -> LowRankInteriorPoint:
    """Solve to a gap that is a share of the largest entry, and see from the entries that it is one."""
    matrix = entries(payoff)
    largest = float(np.abs(matrix).max()) or 1.0
    answer = low_rank_interior_point(payoff, tol=tol * largest)
    assert answer.status is Status.CONVERGED
    assert answer.policy.min() >= 0.0
    sums = [answer.policy.sum()] if payoff.is_skew else [part.sum() for part in np.split(answer.policy, [len(matrix)])]
    assert_allclose(sums, 1.0, rtol=0, atol=1e-13)
    assert gap_of(matrix, payoff, answer.policy) <= (tol + 1e-14) * largest
    assert_allclose(answer.gap, gap_of(matrix, payoff, answer.policy), rtol=0, atol=1e-13 * largest)
    return answer


def symmetric(kind: str, n: int, rank: int, seed: int = 0) -> LowRankSkew:
    rng = np.random.default_rng(seed)
    vectors, turn = rng.normal(size=(n, rank)), drawn_skew(rng, rank)
    if kind == "duplicates":
        vectors = (vectors + 1.0)[rng.integers(0, max(1, n // 4), n)]
    if kind == "whole numbers":
        vectors, turn = rng.integers(0, 3, (n, rank)).astype(float), np.sign(turn)
    if kind == "rows of all sizes":
        vectors = (vectors + 2.0) * 10.0 ** rng.uniform(-3.0, 3.0, (n, 1))
    if kind == "columns of all sizes":
        vectors = (vectors + 1.0) * 10.0 ** rng.uniform(-3.0, 3.0, rank)
    return LowRankSkew(vectors + 3.0 if kind == "away from zero" else vectors, turn)


KINDS = ["about zero", "away from zero", "duplicates", "whole numbers", "rows of all sizes", "columns of all sizes"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "rank"), [(1, 3), (2, 1), (5, 8), (60, 1), (60, 2), (300, 7), (300, 40)])
def test_symmetric_games(kind, n, rank):
    assert assert_is_answer(symmetric(kind, n, rank)).n_steps < 60


@pytest.mark.parametrize(("n", "rank"), [(40, 3), (200, 6), (300, 16)])
def test_the_unique_winner_is_that_of_the_dense_interior_point(n, rank):
    payoff = symmetric("away from zero", n, rank)
    other = interior_point(entries(payoff))
    assert other.status is Status.EXACT and np.count_nonzero(other.policy) <= rank + 1
    answer = assert_is_answer(payoff, tol=1e-12)
    assert_allclose(answer.policy, other.policy, rtol=0, atol=1e-8)
    assert_array_equal(answer.policy > 0.0, other.policy > 1e-12)


@pytest.mark.parametrize(("rows", "columns", "rank"), [(1, 1, 1), (1, 9, 2), (60, 7, 3), (200, 300, 1), (300, 120, 20)])
@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_two_players(rows, columns, rank, shift):
    rng = np.random.default_rng(rows)
    left, right = rng.normal(size=(rows, rank)) + shift, rng.normal(size=(columns, rank)) - 0.3 * shift
    payoff = LowRank(left, right, is_skew=False)
    answer = assert_is_answer(payoff, tol=1e-11)
    row, column = np.split(answer.policy, [rows])
    value = solve_by_simplex(entries(payoff)).value
    assert_allclose(row @ entries(payoff) @ column, value, rtol=0, atol=1e-9)


def test_a_constant_payoff_leaves_policies_as_they_were():
    answer = assert_is_answer(LowRank(np.ones((3, 1)), np.ones((5, 1)), is_skew=False))
    assert_allclose(answer.policy, [1 / 3] * 3 + [1 / 5] * 5)


def test_a_skew_product_of_two_factors_is_the_game_of_one():
    one = symmetric("away from zero", 120, 5)
    two = LowRank(one.vectors @ one.skew, one.vectors, is_skew=True)
    assert_allclose(assert_is_answer(two).policy, assert_is_answer(one).policy, rtol=0, atol=1e-7)


def test_no_payoff_at_all_is_a_game_of_ties():
    answer = low_rank_interior_point(LowRankSkew(np.ones((4, 2)), np.zeros((2, 2))), tol=0.0)
    assert_array_equal(answer.policy, np.full(4, 0.25))
    assert (answer.gap, answer.status, answer.n_steps) == (0.0, Status.CONVERGED, 0)


@pytest.mark.parametrize("second", [4.9, 4.9999, 5.0 - 1e-9])
def test_a_response_that_beats_all_is_played_alone(second):
    strengths = np.array([5.0, second, *np.random.default_rng(1).normal(size=50)])
    payoff = LowRankSkew(np.column_stack([strengths, np.ones(52)]), np.array([[0.0, 1.0], [-1.0, 0.0]]))
    answer = low_rank_interior_point(payoff, tol=0.0 if second < 4.99 else 1e-8)
    assert answer.status is Status.CONVERGED
    if second < 4.99:
        assert_array_equal(np.flatnonzero(answer.policy), [0])


def test_a_known_cycle():
    """Four points on axes, each beaten by the next, at lengths 1, 2, 3, 4: play x with x_1 = 3 x_3, 2 x_2 = 4 x_4."""
    lengths = np.array([1.0, 2.0, 3.0, 4.0])
    vectors = lengths[:, None] * np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    payoff = LowRankSkew(vectors, np.array([[0.0, 1.0], [-1.0, 0.0]]))
    policy = assert_is_answer(payoff, tol=1e-13).policy
    assert_allclose([policy[0] - 3.0 * policy[2], 2.0 * policy[1] - 4.0 * policy[3]], 0.0, rtol=0, atol=1e-12)
    assert policy.min() > 0.01


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_small_games_of_small_numbers(data):
    rank = data.draw(st.integers(1, 3))
    number = st.integers(-2, 2)
    row = st.lists(number, min_size=rank, max_size=rank)
    left = np.array(data.draw(st.lists(row, min_size=1, max_size=6)), float)
    right = np.array(data.draw(st.lists(row, min_size=1, max_size=6)), float)
    assert_is_answer(LowRank(left, right, is_skew=False))
    assert_is_answer(LowRank(np.hstack([left, right[:1] * 0.0 + left]), np.hstack([left, -left]), is_skew=True))
    above = np.triu(np.array(data.draw(st.lists(row, min_size=rank, max_size=rank)), float), 1)
    assert_is_answer(LowRankSkew(left, above - above.T))


@pytest.mark.parametrize("change", ["nothing", "sign", "length"])
def test_other_directions_do_not_solve_the_game(change, monkeypatch):
    """The answer is the direction's work: none, the opposite one or a random length of its parts does not find it."""
    right = low_rank_path.corrected_direction

    def wrong(system):
        found = right(system)
        if change == "nothing":
            return found._replace(dp=0.0 * found.dp, ds=0.0 * found.ds, small=0.0 * found.small)
        if change == "sign":
            return found._replace(dp=-found.dp, ds=-found.ds, small=-found.small, longest=0.1)
        return found._replace(longest=1.7)

    monkeypatch.setattr(low_rank_path, "corrected_direction", wrong)
    monkeypatch.setattr(low_rank_path, "_REFINEMENTS", 0)
    answer = low_rank_interior_point(symmetric("away from zero", 60, 4), max_steps=40)
    assert answer.status in (Status.INACCURATE, Status.STEP_LIMIT) and answer.gap > 1e-6


def test_what_float64_cannot_reach_is_said():
    answer = low_rank_interior_point(symmetric("about zero", 100, 4), tol=0.0)
    assert answer.status is Status.INACCURATE
    assert 0.0 < answer.gap < 1e-13


@pytest.mark.parametrize(("seed", "without"), [(50, "_REFINEMENTS"), (23, "TurnedEquations")])
def test_hard_equations_need_what_is_there_for_them(seed, without, monkeypatch):
    """Rows of a million sizes: the matrix of the small equations has condition numbers of 1e18 and more at the end."""
    payoff = symmetric("rows of all sizes", 300, 40, seed=seed)
    assert_is_answer(payoff)
    monkeypatch.setattr(low_rank_path, "TurnedEquations", low_rank_path.SmallEquations)
    if without == "_REFINEMENTS":
        monkeypatch.setattr(low_rank_path, "_REFINEMENTS", 0)
    largest = float(np.abs(entries(payoff)).max())
    assert low_rank_interior_point(payoff, tol=1e-9 * largest).status is Status.INACCURATE


def strengths_and_turns(n: int, rank: int, seed: int = 0) -> LowRankSkew:
    """Return scores in which strength counts and what beats what turns in circles beside it; few are played."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, rank))
    vectors[:, 0] *= 3.0
    vectors[:, 1] = 1.0
    return LowRankSkew(vectors, np.kron(np.eye(rank // 2), [[0.0, 1.0], [-1.0, 0.0]]))


def certified(payoff: PayoffOperator, answer: LowRankInteriorPoint) -> float:
    row, column = (answer.policy,) * 2 if payoff.is_skew else np.split(answer.policy, [payoff.shape[0]])
    return float(payoff.product(column).max() - payoff.transposed_product(row).min())


@pytest.mark.parametrize("seed", range(4))
def test_of_many_responses_few_are_solved_for(seed):
    payoff = strengths_and_turns(20_000, 8, seed)
    answer = low_rank_interior_point(payoff, tol=1e-10)
    assert answer.status is Status.CONVERGED and certified(payoff, answer) <= 1e-10
    assert 1 <= np.count_nonzero(answer.policy) <= 9
    # A step takes five products and the matrix, so that ten steps on all responses would take more.
    assert answer.n_products < 50


def test_those_who_beat_the_answer_of_few_join(monkeypatch):
    monkeypatch.setattr(low_rank_path, "_FEW", 2)
    monkeypatch.setattr(low_rank_path, "_SHARE", 10_000)
    rounds = []
    learn = low_rank_path.LowRankPath.learn
    monkeypatch.setattr(low_rank_path.LowRankPath, "learn", lambda *given: rounds.append(given) or learn(*given))
    payoff = strengths_and_turns(20_000, 8, seed=1)
    answer = low_rank_interior_point(payoff, tol=1e-10)
    assert answer.status is Status.CONVERGED and certified(payoff, answer) <= 1e-10
    assert len(rounds) > 1


def test_many_responses_of_two_players():
    rng = np.random.default_rng(5)
    payoff = LowRank(rng.normal(size=(9000, 4)) + 1.0, rng.normal(size=(3000, 4)) - 0.5, is_skew=False)
    answer = low_rank_interior_point(payoff, tol=1e-10)
    assert answer.status is Status.CONVERGED and certified(payoff, answer) <= 1e-10


def test_many_small_numbers_of_two_players():
    """Ties and duplicates by the thousand."""
    rng = np.random.default_rng(6)
    left, right = rng.integers(-1, 3, (6000, 3)).astype(float), rng.integers(-1, 2, (5000, 3)).astype(float)
    payoff = LowRank(left, right, is_skew=False)
    answer = low_rank_interior_point(payoff, tol=1e-10)
    assert answer.status is Status.CONVERGED and certified(payoff, answer) <= 1e-10


def test_limits():
    payoff = symmetric("away from zero", 200, 6)
    few = low_rank_interior_point(payoff, max_steps=3)
    assert (few.status, few.n_steps) == (Status.STEP_LIMIT, 3)
    none = low_rank_interior_point(payoff, deadline=time.perf_counter())
    assert (none.status, none.n_steps) == (Status.TIME_LIMIT, 0)
    loose = low_rank_interior_point(payoff, tol=1e-2)
    assert loose.status is Status.CONVERGED and loose.n_steps < low_rank_interior_point(payoff).n_steps


def test_the_same_bits_every_time():
    payoff = symmetric("away from zero", 5000, 6)
    assert_array_equal(low_rank_interior_point(payoff).policy, low_rank_interior_point(payoff).policy)


def test_watched_steps_and_their_end():
    seen = []

    def watch(progress):
        seen.append(progress)
        if len(seen) == 4:
            raise StopIteration

    answer = low_rank_interior_point(symmetric("away from zero", 200, 6), watch=watch)
    assert answer.status is Status.STOPPED
    assert [progress.n_steps for progress in seen] == [1, 2, 3, 4]
    assert seen[-1].gap < seen[0].gap and answer.gap <= 1.01 * seen[-1].gap


def test_memory_is_a_few_vectors():
    import tracemalloc

    payoff = symmetric("about zero", 100_000, 16)
    tracemalloc.start()
    low_rank_interior_point(payoff)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 8 * 100_000


def test_other_payoffs_are_refused():
    with pytest.raises(InputError, match="LowRank"):
        low_rank_interior_point(Dense(np.zeros((2, 2)), is_skew=True))
    with pytest.raises(InputError, match="finite"):
        low_rank_interior_point(LowRankSkew(np.array([[1.0, np.nan]]), np.array([[0.0, 1.0], [-1.0, 0.0]])))


@pytest.mark.parametrize("method", ["auto", "interior_point"])
def test_solve_takes_it_for_embeddings(method):
    vectors = np.random.default_rng(3).normal(size=(2000, 4)) + 1.0
    solution = gp.solve(gp.from_embeddings(vectors), method, tol=1e-8)
    assert solution.converged and solution.gap <= 1e-8 and solution.method == "interior_point"
    assert "interior point on the factors" in solution.message
    assert solution.certificate().verify()


def test_solve_takes_it_for_two_players():
    rng = np.random.default_rng(4)
    payoff = LowRank(rng.normal(size=(300, 3)), rng.normal(size=(500, 3)), is_skew=False)
    solution = gp.solve(gp.operator_game(payoff))
    assert solution.converged and solution.method == "interior_point"
    assert [len(part) for part in solution.policy] == [300, 500]


def test_solve_goes_on_from_a_policy_by_steps_and_refuses_what_has_no_factors():
    game = gp.from_embeddings(np.random.default_rng(3).normal(size=(50, 4)))
    assert gp.solve(game, start=np.full(50, 0.02)).method == "active_set"
    with pytest.raises(UnsupportedCombination, match="low rank"):
        gp.solve(gp.operator_game(np.zeros((3, 3))), "interior_point")
