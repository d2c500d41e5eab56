"""The active-set method: its answers are equilibria, at little work, on every kind of zero-sum game."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gametheory_pref as gp
from gametheory_pref.active_set import Candidate, _best, _Search, active_set
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


def test_the_callback_stops_the_steps() -> None:
    seen: list[gp.Snapshot] = []

    def stop_at_30(snapshot: gp.Snapshot) -> None:
        seen.append(snapshot)
        if snapshot.step >= 30:
            raise StopIteration

    game = by_products(Dense(skew(0, 400), is_skew=True))
    solution = gp.solve(game, "active_set", tol=1e-300, max_steps=40, callback=stop_at_30)
    assert solution.status is gp.Status.STOPPED and solution.n_steps == 30
    assert {10, 20, 30} <= {snapshot.step for snapshot in seen}
    assert all(len(snapshot.policy) == 400 for snapshot in seen)


@pytest.mark.parametrize("points", [False, True])
def test_policies_on_the_way_are_kept_only_if_the_record_asks(points: bool) -> None:
    from gametheory_pref.exact_methods import Limits, choose
    from gametheory_pref.problem import as_problem

    problem = as_problem(by_products(Dense(skew(0, 400), is_skew=True)))
    answer = choose(problem, "active_set")(problem, None, Limits(1e-300, 20, None, keeps_policies=points))
    assert [len(snapshot.policy) for snapshot in answer.on_the_way] == [400 * points] * len(answer.on_the_way)
    assert len(answer.on_the_way) >= 2


@pytest.mark.parametrize("first", [1, 3])
def test_an_interrupt_before_the_first_step_leaves_the_start(first: int) -> None:
    class Interrupting(Dense):
        products = 0

        def product(self, vector: np.ndarray) -> np.ndarray:
            self.products += 1
            if self.products == first:
                raise KeyboardInterrupt
            return super().product(vector)

    start = np.random.default_rng(0).dirichlet(np.ones(400))
    with pytest.raises(gp.Interrupted) as error:
        gp.solve(by_products(Interrupting(skew(0, 400), is_skew=True)), "active_set", start=start)
    solution = error.value.solution
    assert isinstance(solution, gp.Solution) and solution.n_steps == 0
    assert_allclose(solution.policy, start, rtol=1e-15)


# -- who plays


def search(payoff: np.ndarray) -> _Search:
    found = _Search(Dense(payoff, is_skew=True), None, 1e-9, 1000, None, None)
    found._measure()
    return found


def test_the_best_have_the_largest_advantage() -> None:
    advantage = np.array([0.0, 5.0, 1.0, 4.0, 9.0, 2.0])
    positions = np.array([0, 1, 2, 3, 5])
    assert sorted(_best(positions, advantage, 2)) == [1, 3]
    assert sorted(_best(positions, advantage, 5)) == [0, 1, 2, 3, 5]


def test_those_join_that_beat_the_answer_and_those_far_from_being_played_leave() -> None:
    payoff = np.array([0.0, 0.0, -0.5, -30.0, 1.0, -1.0])
    policy = np.array([0.5, 0.5, 0.0, 0.0, 0.0, 0.0])
    looking = search(skew(0, 6))
    # 2 is not played but near; 3 is far; 4 beats the answer; 5 does not.
    assert_array_equal(looking._joined(np.arange(4), Candidate(policy, payoff, 2.0)), [0, 1, 2, 4])
    assert looking._joined(np.array([0, 1, 4]), Candidate(policy, payoff, 2.0)).size == 0


def test_steps_go_on_from_the_best_point() -> None:
    looking = search(skew(0, 40))
    looking._steps(5)
    policy = np.random.default_rng(1).dirichlet(np.ones(40))
    looking.best = looking._measured(policy)
    looking._start_again()
    assert looking.state.t == 5
    for mixture in (looking.state.z, looking.state.w, looking.state.z_0, looking.state.w_0):
        assert_array_equal(mixture.prob, policy)
    assert_allclose(looking.state.payoff_z.value, looking.payoff.product(policy), rtol=1e-15)


def test_a_game_that_takes_two_rounds() -> None:
    rng = np.random.default_rng(3)
    strength, noise = np.sort(rng.normal(size=300)), np.triu(rng.normal(size=(300, 300)), 1) * 0.3
    payoff = np.tanh(strength[:, None] - strength) + noise - noise.T
    answer = active_set(Dense(payoff, is_skew=True))
    assert (answer.status, answer.n_steps, answer.n_exact, answer.largest) == (gp.Status.CONVERGED, 10, 2, 79)
    assert 2.0 * (payoff @ answer.policy).max() <= 1e-12
