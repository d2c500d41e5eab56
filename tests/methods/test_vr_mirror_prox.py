"""Variance-reduced extragradient and mirror prox: steps by hand, bounds on averages, and when they pay."""

from __future__ import annotations

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref.methods.vr_mirror_prox import epoch_length, refresh_probability

from .finite_sums import half_rotations, policeman_and_burglar
from .stepping import guarantee, set_up, softmax_of_normals

Extragradient, MirrorProx = gp.METHODS["vr_extragradient"], gp.METHODS["vr_mirror_prox"]
COMAL = gp.zoo["comal"].game
START = [0.5, 0.3, 0.2]


def drawn(weights: np.ndarray, uniform: float) -> int:
    return int(np.searchsorted(np.cumsum(weights), uniform, side="right"))


def on_simplex(point: np.ndarray) -> np.ndarray:
    part = np.sort(point)[::-1]
    levels = (np.cumsum(part) - 1.0) / np.arange(1, len(point) + 1)
    return np.maximum(point - levels[np.flatnonzero(part > levels)[-1]], 0.0)


def test_extragradient_by_hand():
    rule, problem, facts = set_up(Extragradient(gamma=0.8), COMAL, start=START)
    payoff, luck, same_luck = COMAL.payoff, np.random.default_rng(4), np.random.default_rng(4)
    norm = np.linalg.norm(payoff)
    np.testing.assert_allclose(facts.mean_norm, norm, rtol=1e-12)
    p = 2.0 / 3.0
    tau = 0.8 * np.sqrt(p) / norm
    weights = (payoff**2).sum(axis=0) / norm**2
    z = w = np.array(START)
    state, calls = rule.init(problem), 3
    for _ in range(40):
        state = rule.step(problem, state, luck)
        base = (1.0 - p) * z + p * w
        half = on_simplex(base + tau * payoff @ w)
        j = drawn(weights, same_luck.random())
        z = on_simplex(base + tau * (payoff @ w + payoff[:, j] * (half - w)[j] / weights[j]))
        calls += 2
        if same_luck.random() < p:
            w, calls = z, calls + 3
        np.testing.assert_allclose(state.x.prob, half, atol=1e-12)
        np.testing.assert_allclose(state.z.prob, z, atol=1e-12)
        assert state.calls == calls


def test_mirror_prox_by_hand():
    """Epochs of three steps, so that snapshots are means of several iterates."""
    rule, problem, _ = set_up(MirrorProx(epoch=3, gamma=0.5), COMAL, start=START)
    payoff, luck, same_luck = COMAL.payoff, np.random.default_rng(4), np.random.default_rng(4)
    tau = 0.5 * np.sqrt(1.0 / 3.0) / np.abs(payoff).max()
    log_z = log_w = np.log(START)
    w, state, calls = np.array(START), rule.init(problem), 3

    def policy(log):
        return np.exp(log) / np.exp(log).sum()

    for _ in range(10):
        logs = []
        for _ in range(3):
            state = rule.step(problem, state, luck)
            base = 2.0 / 3.0 * log_z + 1.0 / 3.0 * log_w
            half = policy(base + tau * payoff @ w)
            move = half - w
            size = np.abs(move).sum()
            luck_of_step = same_luck.random()
            j = drawn(np.abs(move) / size, luck_of_step) if size > 0.0 else 0
            log_z = np.log(policy(base + tau * (payoff @ w + payoff[:, j] * size * np.sign(move[j]))))
            logs.append(log_z)
            calls += 2
            np.testing.assert_allclose(state.x.prob, half, atol=1e-12)
        log_w, w, calls = np.mean(logs, axis=0), np.exp(logs).mean(axis=0), calls + 3
        np.testing.assert_allclose(state.snapshot.prob, w, atol=1e-12)
        assert state.calls == calls


def test_probability_and_length_that_are_not_chosen():
    _, one, _ = set_up(Extragradient(), np.full((9, 9), 0.5))
    assert refresh_probability(one, 0.0) == 2.0 / 9.0 and epoch_length(one, 0) == 4
    _, two, _ = set_up(Extragradient(), gp.matrix_game(np.arange(24.0).reshape(4, 6)))
    assert refresh_probability(two, 0.0) == 2.0 / 5.0 and epoch_length(two, 0) == 2
    assert refresh_probability(two, 0.3) == 0.3 and epoch_length(two, 7) == 7


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Extragradient(gamma=1.0), "gamma"),
        (Extragradient(refresh=1.5), "refresh"),
        (MirrorProx(gamma=0.0), "gamma"),
        (MirrorProx(epoch=-1), "epoch"),
    ],
)
def test_settings_that_make_no_sense_are_refused(rule, message):
    with pytest.raises(gp.InputError, match=message):
        gp.solve(COMAL, rule)


def runs_of(rule, game, *, seeds: int = 20, steps: int = 2000, **keys):
    return [
        gp.solve(game, rule, tol=0.0, max_steps=steps, record=gp.Record(per_decade=16), rng=seed, **keys)
        for seed in range(seeds)
    ]


@pytest.mark.parametrize(
    ("rule", "name"),
    [(Extragradient(gamma=0.5), "vr-extragradient-average"), (MirrorProx(), "vr-mirror-prox-average")],
    ids=["extragradient", "mirror prox"],
)
def test_bounds_on_averages_hold(rule, name):
    game = gp.zoo["biased_rock_paper_scissors"].game
    runs = runs_of(rule, game, start=softmax_of_normals(3))
    report = gp.verify_rate(runs, name)
    assert report.verdict == "holds" and report.n_runs == 20
    assert gp.verify_rate(runs[:10], name).verdict == "inconclusive"
    # Two players from two starts.
    pair = gp.matrix_game([[3.0, -1.0, 0.0], [-2.0, 4.0, 1.0]])
    start = (softmax_of_normals(2), softmax_of_normals(3))
    assert gp.verify_rate(runs_of(rule, pair, start=start), name).verdict == "holds"


def test_the_constant_is_for_half_the_step():
    solution = gp.solve(COMAL, Extragradient(), tol=0.0, max_steps=50, rng=0)
    report = gp.verify_rate(solution, "vr-extragradient-average")
    assert report.verdict == "inconclusive" and "the theorem's constant is for at most 1/2" in report.reason


def test_half_the_step_doubles_the_bound():
    bounds = []
    for gamma in (0.5, 0.25):
        rule, _, facts = set_up(Extragradient(gamma=gamma), COMAL)
        theorem = guarantee(rule, "vr-extragradient-average")
        assert theorem.hypotheses(rule, facts) is None
        bounds.append(theorem.bound(rule, facts, np.array([10**9]))[0] * 10**9)
    own = 4.0 * np.abs(COMAL.payoff).max()
    np.testing.assert_allclose((bounds[1] - own) / (bounds[0] - own), 2.0, rtol=1e-9)
    # From the uniform policy on three responses, with p = 2/3; a gap is twice the regret.
    np.testing.assert_allclose(
        bounds[0] - own, 2.0 * 17.5 * np.linalg.norm(COMAL.payoff) * (2.0 / 3.0) / np.sqrt(2.0 / 3.0), rtol=1e-9
    )


@pytest.mark.slow
def test_the_theory_of_mirror_prox_is_six_times_too_pessimistic():
    """Three games of 200 responses."""
    rng = np.random.default_rng(0)
    upper = np.triu(rng.uniform(-0.5, 0.5, (200, 200)), 1)
    games = [
        gp.matrix_game(rng.standard_normal((200, 200))),
        gp.matrix_game(policeman_and_burglar(200, wealth_of_the_policeman=True)),
        gp.preference_game(0.5 + upper - upper.T),
    ]
    for game in games:
        runs = runs_of(MirrorProx(), game, seeds=3, steps=20_000)
        first = runs[0].run
        bound = guarantee(MirrorProx(), "vr-mirror-prox-average").bound(first.rule, first.facts, first.steps[1:])
        ratio = np.mean([run.run.gap_average for run in runs], axis=0)[1:] / bound
        assert 0.05 <= ratio[-1] <= 0.17


def test_the_game_of_the_policeman_and_the_burglar():
    code, game = policeman_and_burglar(100, wealth_of_the_policeman=True), policeman_and_burglar(100)
    for payoff in (code, game):
        np.testing.assert_allclose(np.linalg.norm(payoff, 2), 86.44, atol=0.005)
        np.testing.assert_allclose(np.linalg.norm(payoff), 87.07, atol=0.005)
    solution = gp.solve(gp.matrix_game(code), tol=1e-10)
    row, column = solution.policy
    np.testing.assert_allclose(row @ code @ column, 0.012664599, atol=1e-9)
    # With the wealth of the house that is robbed the burglar takes the price of a good house.
    row, column = gp.solve(gp.matrix_game(game), tol=1e-10).policy
    np.testing.assert_allclose(row @ game @ column, 1.7014080507629255, rtol=1e-8)


def products(game, rule, target: float, steps: int) -> float:
    """How many products of the whole payoff it takes until the gap of the average falls to a share of the first."""
    solution = gp.solve(game, rule, tol=0.0, max_steps=steps, record=gp.Record(per_decade=64), rng=0)
    run = solution.run
    reached = np.flatnonzero(run.gap_average <= target * run.gap_average[0])
    assert reached.size
    return float(run.payoff_calls[reached[0]])


def test_terms_are_reported_as_the_products_that_they_make_up() -> None:
    """Rules that draw terms are compared with others by whole products; the state counts terms."""
    margins = np.triu(np.random.default_rng(0).uniform(-1.0, 1.0, (8, 8)), 1)
    game = gp.from_margins(margins - margins.T)
    solution = gp.solve(game, "vr_extragradient", tol=0.0, max_steps=100, rng=0, jit=False)
    terms = solution.run.resume.state.calls
    assert terms > 2 * 100
    assert solution.payoff_calls == -(-terms // 8)
    assert solution.trace.payoff_calls[-1] == solution.payoff_calls


def gain(payoff: np.ndarray, target: float, steps: int) -> tuple[float, float]:
    """How many times fewer products variance reduction takes than extragradient, and how many are foretold."""
    game = gp.matrix_game(payoff)
    plain = gp.METHODS["extragradient"](geometry=gp.Euclidean(), step_size=0.99 / np.linalg.norm(payoff, 2))
    foretold = set_up(Extragradient(), game)[2].variance_reduction
    return products(game, plain, target, steps) / products(game, Extragradient(), target, 30 * steps), foretold


@pytest.mark.slow
def test_it_pays_for_low_rank_and_not_for_noise():
    found, foretold = gain(np.random.default_rng(0).standard_normal((64, 64)), 1e-2, 1000)
    assert 0.4 <= found <= 0.8 and 1.2 <= foretold <= 1.6
    found, foretold = gain(policeman_and_burglar(576, wealth_of_the_policeman=True), 1e-1, 1000)
    assert found >= 5.0 and foretold >= 15.0


def test_what_is_foretold():
    rank_one = gp.matrix_game(np.outer(np.arange(1.0, 9.0), np.ones(8)))
    np.testing.assert_allclose(set_up(Extragradient(), rank_one)[2].variance_reduction, np.sqrt(8 / 2), rtol=1e-12)
    # N = 4 draws make up a product, and all singular values of the identity are the same.
    identity = set_up(Extragradient(), gp.matrix_game(np.eye(4)))[2]
    np.testing.assert_allclose(identity.variance_reduction, np.sqrt(4 / 2) / 2, rtol=1e-12)


def test_inclusions_are_solved_by_terms():
    inclusion = half_rotations(16)
    solution = gp.solve_inclusion(inclusion, Extragradient(), tol=0.03 * inclusion.distance, max_steps=20_000, rng=0)
    assert solution.converged
    assert solution.operator_calls == solution.run.state.calls < 16 * solution.n_steps


def test_seeds_decide_and_are_kept():
    one, same, other = (
        gp.solve(COMAL, MirrorProx(), tol=0.0, max_steps=30, rng=seed, jit=False) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.policy, same.policy)
    assert not np.array_equal(one.policy, other.policy)
    with pytest.raises(gp.UnsupportedCombination, match="leave oracle out, and pass rng"):
        gp.solve(COMAL, MirrorProx(), oracle=gp.Sampled(3))
