"""Halpern's iteration: its bounds, the point it converges to, its refusals, and the cases at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import gametheory_pref as gp
from gametheory_pref.inclusions import example
from gametheory_pref.inclusions.facts import InclusionFacts
from gametheory_pref.inclusions.oracle import NegatedOperator, flat_problem
from gametheory_pref.methods import Bound, settle

HALPERN = gp.METHODS["halpern"]
EVERY_STEP = gp.Record(per_decade=10_000)
COCOERCIVE = [f"cocoercive_{size}_{seed}" for size in (2, 3, 10) for seed in range(4)]


def run(rule, inclusion, steps, record=EVERY_STEP):
    return gp.solve_inclusion(inclusion, rule, tol=0.0, max_steps=steps, record=record)


def states(rule, inclusion, steps):
    """Yield the states of a rule, step by step."""
    problem = flat_problem(inclusion, NegatedOperator(inclusion))
    settled = settle(rule, InclusionFacts(inclusion, problem, steps).step_facts)
    state = settled.init(problem)
    for _ in range(steps):
        state = settled.step(problem, state, None)
        yield state


def spiral(angle):
    """An operator of modulus 1 that turns most of what it keeps: its eigenvalues lie on the circle of those."""
    z = 0.5 + 0.5 * np.exp(1j * angle)
    return gp.inclusion([[z.real, -z.imag], [z.imag, z.real]], start=[1.0, 0.0])


# -- bounds


@pytest.mark.parametrize("seed", range(5))
def test_on_nonexpansive_maps_the_tight_bound_holds(seed):
    """``|u - T u| <= 2 D / (k + 1)`` for T = I - F, F 1/2-cocoercive: orthogonal maps and their means with I."""
    rng = np.random.default_rng(seed)
    orthogonal = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    matrix = np.eye(4) - (rng.random() * orthogonal if seed % 2 else orthogonal)
    inclusion = gp.inclusion(matrix, start=rng.normal(size=4))
    assert inclusion.cocoercivity >= 0.5 * (1.0 - 1e-9)
    rule = HALPERN.forward(step_size=1.0)
    residuals = [np.linalg.norm(matrix @ state.u.prob) for state in states(rule, inclusion, 200)]
    ratios = np.array(residuals) * np.arange(2, 202) / (2.0 * inclusion.distance)
    assert ratios.max() <= 1.0 + 1e-9


def test_it_is_attained_by_a_half_turn():
    inclusion = gp.inclusion([[2.0]], start=[1.0])
    residuals = [2.0 * abs(float(state.u[0][0])) for state in states(HALPERN.forward(), inclusion, 100)]
    ratios = np.array(residuals) * np.arange(2, 102) / (2.0 * inclusion.distance)
    assert_allclose(ratios.max(), 1.0, rtol=1e-12)


def test_forward_steps_on_cocoercive_operators():
    """|F(u_k)| <= L D / k, where u_1 is the start."""
    ratios = []
    for name in COCOERCIVE:
        inclusion = example(name)
        for k, state in enumerate(states(HALPERN.forward(), inclusion, 300), start=2):
            residual = np.linalg.norm(inclusion.operator(state.u.prob))
            ratios.append(residual * k * inclusion.cocoercivity / inclusion.distance)
    assert 0.99 < max(ratios) <= 1.0 + 1e-9


FORMS = {
    "forward": (HALPERN.forward(), "halpern-forward-residual", 1.0),
    "anchored step": (HALPERN.one_step(), "halpern-anchored-step-residual", 0.609),
    "parameter-free": (HALPERN.parameter_free(0.5), "halpern-parameter-free-residual", None),
    "resolvent": (HALPERN(), "halpern-resolvent-residual", None),
}


@pytest.mark.parametrize("name", FORMS)
def test_bounds_hold_at_every_step(name):
    rule, theorem, known = FORMS[name]
    instances = [*map(example, COCOERCIVE), *map(spiral, (2.5, 2.9, 3.09))]
    reports = [gp.verify_rate(run(rule, instance, 200), theorem) for instance in instances]
    verdicts = {report.verdict for report in reports}
    assert "violated" not in verdicts and "holds" in verdicts
    worst = max(report.tightness for report in reports if report.tightness is not None)
    assert worst <= 1.0 + 1e-9
    if known is not None:
        assert_allclose(worst, known, atol=0.01)


def tightened(theorem, factor):
    found = next(one for one in HALPERN.info.guarantees if one.name == theorem)
    return Bound(
        f"{theorem}-tighter", found.statement, "made up", found.of, found.hypotheses, quantity="residual",
        bound=lambda rule, facts, steps: factor * found.bound(rule, facts, steps),
    )  # fmt: skip


def test_bounds_a_fifth_tighter_than_the_worst_are_violated():
    for rule, theorem, name, factor in (
        (HALPERN.forward(), "halpern-forward-residual", "cocoercive_3_2", 0.8),
        (HALPERN(), "halpern-resolvent-residual", "rotation", 0.8 * 0.66),
    ):
        solution = run(rule, example(name), 150)
        assert gp.verify_rate(solution, theorem).verdict == "holds"
        assert gp.verify_rate(solution, tightened(theorem, factor)).verdict == "violated"


class Flipped(HALPERN):
    """Walks the other way."""

    def step(self, problem, state, rng):
        backwards = self.step_size._replace(scale=-self.step_size.scale)
        return HALPERN.step(self._replace(step_size=backwards), problem, state, rng)


class Idle(HALPERN):
    """Does not move."""

    def step(self, problem, state, rng):
        return state._replace(t=state.t + 1, calls=state.calls + 1)


@pytest.mark.parametrize("wrong", [Flipped, Idle])
def test_wrong_methods_violate_the_bounds(wrong):
    for right, theorem, _ in (FORMS["forward"], FORMS["anchored step"], FORMS["resolvent"]):
        report = gp.verify_rate(run(wrong(*right), example("cocoercive_10_0"), 300), theorem)
        assert report.verdict == "violated", theorem


@pytest.mark.parametrize("name", ["rotation", "skew_10_0", "skew_5_1", "hard_20"])
def test_resolvents_take_what_forward_steps_cannot(name):
    inclusion = example(name)
    solution = run(HALPERN(), inclusion, 300)
    report = gp.verify_rate(solution, "halpern-resolvent-residual")
    assert report.verdict == "holds" and report.tightness <= 1.0
    with pytest.raises(gp.UnsupportedCombination, match="modulus of cocoercivity here is 0 .*take gp.METH"):
        run(HALPERN.forward(), inclusion, 300)


def test_refused_forward_steps_would_diverge():
    """What the refusal is for: the same steps, told a modulus that is not true."""
    skew = example("rotation").operator.matrix
    misled = gp.inclusion(lambda z: skew @ z, start=[1.0, 0.0], lipschitz=1.0, cocoercivity=1.0)
    solution = run(HALPERN.forward(), misled, 300)
    assert solution.residual > 1e3 and not solution.converged


def test_exact_resolvents_are_those_of_a_linear_solve():
    inclusion = example("skew_10_0")
    tight = HALPERN(step_size=0.5, inner_tol=1e-12)
    u, inverse = inclusion.start, np.linalg.inv(np.eye(10) + 0.5 * inclusion.operator.matrix)
    for k, state in enumerate(states(tight, inclusion, 30)):
        assert_allclose(state.x.prob, inverse @ u, atol=1e-11)
        u = inclusion.start / (k + 2.0) + (k + 1.0) / (k + 2.0) * inverse @ u
        assert_allclose(state.u.prob, u, atol=1e-11)


def test_inner_loops_by_hand_end_at_tolerances_that_shrink():
    """The last change is at most ``inner_tol |u - v| (t + 1)^(-3/2)``, and loops begin where the answers lead."""
    inclusion = example("skew_10_0")
    matrix, u_0, eta = inclusion.operator.matrix, inclusion.start, 0.5
    x = before = u = u_0
    calls = 0
    for t, state in enumerate(states(HALPERN(step_size=eta, inner_tol=0.1), inclusion, 200)):
        onward = max(t - 1.0, 0.0) / (t + 1.0)
        v = x + onward * (x - before)
        while True:
            v, last, calls = u - eta * matrix @ v, v, calls + 1
            if np.linalg.norm(v - last) <= 0.1 * np.linalg.norm(u - v) / (t + 1.0) ** 1.5:
                break
        before, x, u = x, v, u_0 / (t + 2.0) + (t + 1.0) / (t + 2.0) * v
        assert state.calls == calls
        assert_allclose(state.x.prob, x, atol=1e-12)


def test_the_accuracy_asked_for_is_reached_when_promised():
    """|u - J(u)| <= eps after 4 D / eps steps with inner errors of at most eps / (4 k (k + 1))."""
    for name in ("rotation", "hard_20", "skew_10_0"):
        inclusion, eps = example(name), 0.05
        steps = int(np.ceil(4.0 * inclusion.distance / eps))
        rule = HALPERN(inner_tol=0.0, accuracy=eps)
        *_, last = states(rule, inclusion, steps)
        inverse = np.linalg.inv(np.eye(inclusion.dimension) + 0.5 * inclusion.operator.matrix)
        assert np.linalg.norm(last.u.prob - inverse @ last.u.prob) <= eps
        assert last.calls < 8 * steps
        assert gp.verify_rate(run(rule, inclusion, steps), "halpern-resolvent-residual").verdict == "holds"


def test_in_games_the_gap_has_its_bound():
    for name in ("comal", "biased_rock_paper_scissors", "two_by_five"):
        solution = gp.solve(gp.zoo[name].game, "halpern", tol=0.0, max_steps=2000, record=gp.Record(per_decade=64))
        for theorem in ("halpern-resolvent-residual", "halpern-resolvent-gap"):
            assert gp.verify_rate(solution, theorem).verdict == "holds", name
        assert solution.payoff_calls < 6 * solution.n_steps


def test_parameter_free_steps_stop_at_twice_the_constant():
    inclusion = example("cocoercive_10_0")
    true = 1.0 / inclusion.cocoercivity
    for guess in (1e-3, true, 1e3 * true):
        *_, last = states(HALPERN.parameter_free(guess), inclusion, 300)
        assert 2.0 / last.step_size <= max(2.0 * true, guess) * (1.0 + 1e-12)
        # One evaluation a step, one at the start, and one for every doubling.
        assert last.calls == 301 + round(np.log2(2.0 / last.step_size / guess))


def test_parameter_free_steps_are_plain_ones_when_the_guess_is_right():
    inclusion = gp.inclusion(np.diag([1.0, 0.3]), start=[1.0, 2.0])
    plain, free = (run(rule, inclusion, 40) for rule in (HALPERN.forward(), HALPERN.parameter_free(1.0)))
    *_, anchored = states(HALPERN.forward(), inclusion, 40)
    assert_allclose(free.point, anchored.u.prob, atol=1e-13)
    assert free.operator_calls == plain.operator_calls + 1


# -- the point of convergence


def test_among_several_solutions_it_finds_the_closest():
    beats = np.array([[0, -1, 1, 0], [1, 0, -1, 1], [-1, 1, 0, -1], [0, -1, 1, 0]]) / 2.0
    game = gp.preference_game(beats + 0.5)
    for start, closest in (
        ([0.25, 0.25, 0.25, 0.25], [1 / 6, 1 / 3, 1 / 3, 1 / 6]),
        ([0.3, 0.3, 0.2, 0.2], [13 / 60, 1 / 3, 1 / 3, 7 / 60]),
    ):
        found = run(HALPERN(), gp.inclusion(game, start=start), 4000, gp.Record())
        assert_allclose(found.point, closest, atol=2e-3)
        played = gp.solve(game, "halpern", start=start, tol=0.0, max_steps=4000)
        assert_allclose(played.policy, closest, atol=2e-3)


def test_the_closest_zero_of_a_singular_operator():
    inclusion = example("cocoercive_10_1")
    for rule in (HALPERN(), HALPERN.forward(), HALPERN.parameter_free()):
        found = run(rule, inclusion, 5000, gp.Record())
        null = np.linalg.svd(inclusion.operator.matrix)[2][5:]
        assert_allclose(null @ (found.point - inclusion.start), 0.0, atol=1e-9)


# -- edges


def test_at_a_solution_it_stays_to_the_last_bit():
    solved = gp.inclusion(example("skew_5_0").operator.matrix, start=np.zeros(5))
    for rule in (HALPERN(), gp.METHODS["anchored_extragradient"]()):
        found = run(rule, solved, 10)
        assert found.converged and found.n_steps == 0 and found.residual == 0.0 and solved.distance == 0.0
        *_, last = states(rule, solved, 10)
        assert_array_equal(last.x.prob, np.zeros(5))


def test_an_operator_of_zeros_is_solved_by_the_start():
    zero = gp.inclusion(np.zeros((3, 3)), start=[1.0, 2.0, 3.0])
    for rule in (HALPERN(), HALPERN.forward(), "anchored_extragradient", "extragradient"):
        found = gp.solve_inclusion(zero, rule, tol=0.0, max_steps=5)
        assert found.residual == 0.0 and found.n_steps == 0
    *_, last = states(HALPERN(), zero, 5)
    assert_allclose(last.x.prob, [1.0, 2.0, 3.0], rtol=1e-15)


def test_one_row_against_many_columns():
    game = gp.matrix_game([[3.0, -1.0, 2.0]])
    for method in ("halpern", "anchored_extragradient"):
        solution = gp.solve(game, method, tol=1e-4, jit=False)
        assert solution.converged
        assert_allclose(solution.policy[0], [1.0], atol=1e-12)
        assert_allclose(solution.policy[1], [0.0, 1.0, 0.0], atol=1e-3)


def test_from_the_boundary():
    game = gp.zoo["comal"].game
    found = run(HALPERN(), gp.inclusion(game, start=[1.0, 0.0, 0.0]), 3000, gp.Record())
    assert_allclose(found.point, gp.solve(game).policy, atol=2e-3)


# -- settings


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (HALPERN(inner_tol=0.9), r"inner_tol must be a number in \[0, 0.5\]; got 0.9"),
        (HALPERN(inner_tol=0.0), "inner_tol and accuracy are both 0"),
        (HALPERN(accuracy=-1.0), "accuracy must be"),
        (HALPERN(inner_steps=0), "inner_steps must be"),
        (HALPERN(form="forward"), "form must be None"),
        (HALPERN(step_size="forward"), "modulus of cocoercivity here is 0"),
    ],
)
def test_settings_without_a_meaning_are_refused(rule, message):
    with pytest.raises((gp.InputError, gp.UnsupportedCombination), match=message):
        gp.solve(gp.zoo["comal"].game, rule, jit=False)


def test_what_is_not_known_is_asked_for():
    unknown = gp.inclusion(lambda z: z - 1.0, start=[0.0, 0.0])
    with pytest.raises(gp.InputError, match="modulus of cocoercivity of the operator is not known"):
        gp.solve_inclusion(unknown, HALPERN.forward())
    with pytest.raises(gp.InputError, match="Lipschitz constant of the operator is not known"):
        gp.solve_inclusion(unknown, HALPERN())
    assert_allclose(gp.solve_inclusion(unknown, HALPERN.parameter_free(), tol=1e-3).point, 1.0, atol=1e-3)
    on_a_simplex = gp.inclusion(lambda z: z, simplices=(2,), start=[0.3, 0.7])
    with pytest.raises(gp.UnsupportedCombination, match=r"parameter-free halpern is for operators on R\^d"):
        gp.solve_inclusion(on_a_simplex, HALPERN.parameter_free())
    with pytest.raises(gp.InputError, match="lipschitz must be a positive number; got 0"):
        HALPERN.parameter_free(0)


@pytest.mark.parametrize(
    ("rule", "inclusion"),
    [
        (HALPERN(), example("hard_40")),
        (HALPERN.forward(), gp.inclusion(np.diag(np.logspace(0.0, -3.0, 20)), start=np.ones(20))),
    ],
)
def test_the_rate_on_a_hard_operator_is_one_over_k(rule, inclusion):
    solution = run(rule, inclusion, 10_000, gp.Record())
    late = solution.trace.step >= 1000
    slope = np.polyfit(np.log(solution.trace.step[late]), np.log(solution.trace.metrics["residual"][late]), 1)[0]
    assert slope <= -0.9
