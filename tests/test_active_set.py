"""The active-set method: its answers are equilibria, at little work, on every kind of zero-sum game."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref.games import OperatorGame
from gametheory_pref.operators import Dense, LowRank, PayoffOperator, Sparse


def skew(seed: int, n: int) -> np.ndarray:
    upper = np.triu(np.random.default_rng(seed).uniform(-0.5, 0.5, (n, n)), 1)
    return upper - upper.T


@pytest.mark.parametrize("n", [1, 2, 3, 10, 40, 150])
def test_preference_games(n: int) -> None:
    game = gp.preference_game(skew(n, n) + 0.5)
    solution = gp.solve(game, "active_set", tol=1e-9).require()
    assert solution.method == "active_set"
    assert_allclose(solution.policy, gp.solve(game).policy, atol=1e-7)
    assert_allclose(gp.duality_gap(game, solution.policy), solution.gap, atol=1e-15)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (5, 1), (7, 4), (30, 90), (120, 130)])
def test_two_players(shape: tuple[int, int]) -> None:
    game = gp.matrix_game(np.random.default_rng(sum(shape)).normal(size=shape))
    solution = gp.solve(game, "active_set", tol=1e-9).require()
    exact = gp.solve(game)
    assert_allclose(solution.value, exact.value, atol=1e-9)
    for found, expected in zip(solution.policy, exact.policy, strict=True):
        assert_allclose(found, expected, atol=1e-7)


def by_products(payoff: PayoffOperator) -> OperatorGame:
    rows, columns = payoff.shape
    return OperatorGame(payoff, range(rows), range(columns))


def operators() -> dict[str, PayoffOperator]:
    from scipy import sparse

    rng = np.random.default_rng(0)
    few = sparse.random(200, 200, density=0.05, random_state=0)
    vectors, turn = rng.normal(size=(200, 4)), np.kron(np.eye(2), [[0.0, -1.0], [1.0, 0.0]])
    return {
        "dense": Dense(skew(1, 200), is_skew=True),
        "sparse": Sparse(sparse.csr_array(few - few.T), is_skew=True),
        "low rank": LowRank(vectors @ turn, vectors, is_skew=True),
        "two players": Dense(rng.normal(size=(60, 200)), is_skew=False),
        "two players, low rank": LowRank(rng.normal(size=(60, 3)), rng.normal(size=(200, 3)), is_skew=False),
    }


@pytest.mark.parametrize("name", list(operators()))
@pytest.mark.parametrize("tol", [1e-4, 1e-9])
def test_games_known_by_their_products(name: str, tol: float) -> None:
    payoff = operators()[name]
    solution = gp.solve(by_products(payoff), "active_set", tol=tol).require()
    assert solution.method == "active_set" and solution.gap <= tol
    table = payoff.block(np.arange(payoff.shape[0]), np.arange(payoff.shape[1]))
    assert_allclose(solution.value, gp.solve(gp.matrix_game(table)).value, atol=tol)
    assert_allclose(gp.duality_gap(gp.matrix_game(table), pair(solution.policy)), solution.gap, atol=1e-14)


def pair(policy: np.ndarray | tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    return policy if isinstance(policy, tuple) else (policy, policy)


# -- games with many answers, or hardly any question


@pytest.mark.parametrize(
    "payoff",
    [
        np.zeros((300, 300)),
        np.kron(np.array([[0.0, -1.0, 2.0], [1.0, 0.0, -1.0], [-2.0, 1.0, 0.0]]) / 8, np.ones((70, 70))),
        np.sign(np.subtract.outer(np.arange(150), np.arange(150))) / 2.0,
        np.zeros((2, 2)),
    ],
    ids=["all tied", "clones", "a sure winner", "two tied"],
)
def test_degenerate_games(payoff: np.ndarray) -> None:
    solution = gp.solve(by_products(Dense(payoff, is_skew=True)), tol=1e-10).require()
    assert 2.0 * (payoff @ solution.policy).max() <= 1e-10
    assert_allclose(solution.policy.sum(), 1.0, atol=1e-12)


def test_a_sparse_graph_of_battles_in_which_most_pairs_are_tied() -> None:
    from scipy import sparse

    few = sparse.random(2000, 2000, density=0.002, random_state=0)
    solution = gp.solve(by_products(Sparse(sparse.csr_array(few - few.T), is_skew=True)), tol=1e-8).require()
    assert solution.method == "active_set" and solution.gap <= 1e-8
    assert "chosen" in solution.message


# -- limits, callbacks, starts


def big() -> gp.PreferenceGame:
    return gp.preference_game(skew(0, 400) + 0.5)


def test_it_ends_at_the_step_limit_and_at_the_time_limit() -> None:
    steps = gp.solve(big(), "active_set", tol=1e-9, max_steps=5)
    assert steps.status is gp.Status.STEP_LIMIT and steps.n_steps == 5
    late = gp.solve(big(), "active_set", tol=1e-9, time_limit=0.0)
    assert late.status is gp.Status.TIME_LIMIT and late.n_steps <= 1
    assert_allclose(late.gap, gp.duality_gap(late.problem.game, late.policy), atol=1e-15)


def test_a_loose_tolerance_takes_no_exact_solution() -> None:
    solution = gp.solve(big(), "active_set", tol=0.05).require()
    assert 1e-6 < solution.gap <= 0.05 and "exact solution" not in solution.message


def test_the_same_question_has_the_same_answer() -> None:
    one, other = (gp.solve(big(), "active_set", tol=1e-9) for _ in range(2))
    np.testing.assert_array_equal(one.policy, other.policy)


def test_the_callback_sees_and_stops_the_search() -> None:
    seen: list[gp.Snapshot] = []

    def stop(snapshot: gp.Snapshot) -> None:
        seen.append(snapshot)
        raise StopIteration

    whole = gp.solve(big(), "active_set", tol=1e-14, callback=seen.append)
    assert len(seen) == len(whole.trace.step) >= 1
    assert_allclose(seen[-1].metrics["gap"], whole.gap, atol=1e-13)
    seen.clear()
    gp.solve(big(), "active_set", tol=1e-14, callback=stop)
    assert len(seen) == 1


def test_an_interrupt_leaves_the_best_point() -> None:
    class Interrupting(Dense):
        products = 0

        def product(self, vector: np.ndarray) -> np.ndarray:
            self.products += 1
            if self.products == 40:
                raise KeyboardInterrupt
            return super().product(vector)

    with pytest.raises(gp.Interrupted) as error:
        gp.solve(by_products(Interrupting(skew(0, 400), is_skew=True)), "active_set", tol=1e-9)
    solution = error.value.solution
    assert isinstance(solution, gp.Solution) and solution.status is gp.Status.INTERRUPTED
    again = gp.solve(by_products(Dense(skew(0, 400), is_skew=True)), "active_set", tol=1e-9, start=solution)
    assert again.require().gap <= 1e-9


def test_a_good_start_needs_no_steps() -> None:
    game = big()
    first = gp.solve(game, "active_set", tol=1e-9)
    assert gp.solve(game, "active_set", tol=1e-9, start=first).n_steps == 0
