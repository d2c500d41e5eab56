"""Every verb is written twice, as NumPy and as a compiled loop; here the two meet, and the samples meet their means."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from gametheory_pref import Exact, InputError, Sampled, Schedule, UnsupportedCombination, verbs
from gametheory_pref._jit import interpreted
from gametheory_pref.fused import copied, kernel_of, new_marks, overwrite
from gametheory_pref.kernels.steps import sampled_difference, sampled_payoff
from gametheory_pref.methods import as_rule
from gametheory_pref.methods._info import BOTH, MethodInfo, method
from gametheory_pref.tabular import new_arena
from gametheory_pref.verbs import Anchor, Bank, Direction, Mixture, Point, TabularProblem


def info(name: str) -> MethodInfo:
    return MethodInfo(
        name=name, title=name, solves=BOTH, payoff_calls=1, answer="last", step_sizes={}, cite=(), trust="experimental"
    )


class Everything(NamedTuple):
    """What every verb returned, and what it was given: the state of a rule that says all words once."""

    x: Point
    t: int
    y: Point
    bank: Bank
    direction: Direction
    field: Direction
    field_of_mixture: Direction
    mirror: Point
    mirror_of_anchor: Point
    normalize: Point
    blend: Anchor
    blend_without_first: Anchor
    blend_of_anchors: Anchor
    mixture: Mixture
    combine: Direction
    nothing: Direction
    divergence: float
    divergence_from_itself: float
    inner: float
    reply: Mixture
    recall: Point
    remember: Bank
    history: tuple[Anchor, ...]
    add_regrets: Direction
    positive: Direction
    proportional: Mixture
    proportional_to_nothing: Mixture
    step_size: float


@method(info("every_verb"))
class EveryVerb(NamedTuple):
    step_size: Schedule = Schedule(0.7, 2.0, 0.5)
    weights: tuple[float, float, float] = (0.5, -0.25, 0.75)

    def init(self, problem):
        nothing = verbs.no_direction(problem)
        anchor, average = Anchor(problem.start.log), Mixture(problem.start.prob)
        bank = verbs.bank_of(problem, problem.start, 3)
        x = problem.start
        return Everything(
            x, 0, x, bank, nothing, nothing, nothing, x, x, x, anchor, anchor, anchor, average, nothing, nothing,
            0.0, 0.0, 0.0, average, x, bank, verbs.anchors_of(problem, x, self.weights), nothing, nothing, average,
            average, 0.0,
        )  # fmt: skip

    def step(self, problem, state, rng):
        x, y, direction, bank = state.x, state.y, state.direction, state.bank
        payoff = verbs.field(problem, x, rng)
        average = verbs.mixture(problem, (x, y), (0.25, 0.75))
        anchor = verbs.blend(problem, (x, y, problem.reference), (0.5, 0.25, 0.25))
        return Everything(
            x=x,
            t=state.t + 1,
            y=y,
            bank=bank,
            direction=direction,
            field=payoff,
            field_of_mixture=verbs.field(problem, average, rng),
            mirror=verbs.mirror(problem, x, direction, 1.5),
            mirror_of_anchor=verbs.mirror(problem, anchor, direction, -0.3),
            normalize=verbs.normalize(problem, anchor),
            blend=anchor,
            blend_without_first=verbs.blend(problem, (x, problem.start), (0.0, 1.0)),
            blend_of_anchors=verbs.blend(problem, (anchor, y), (1.5, -0.5)),
            mixture=average,
            combine=verbs.combine(problem, (payoff, direction), (2.0, -1.0)),
            nothing=verbs.no_direction(problem),
            divergence=verbs.divergence(problem, x, y),
            divergence_from_itself=verbs.divergence(problem, x, x),
            inner=verbs.inner(problem, direction, x, y),
            reply=verbs.reply(problem, direction),
            recall=verbs.recall(problem, bank, 1),
            remember=verbs.remember(problem, bank, x),
            history=(Anchor(x.log),) + state.history[:-1],  # noqa: RUF005 - numba knows no starred display
            add_regrets=verbs.add_regrets(problem, direction, payoff, average),
            positive=verbs.positive(problem, direction),
            proportional=verbs.proportional(problem, direction, x),
            proportional_to_nothing=verbs.proportional(problem, verbs.no_direction(problem), average),
            step_size=verbs.step_size_at(self.step_size, state.t),
        )


class Draws(NamedTuple):
    x: Point
    t: int
    y: Point
    field: Direction
    estimate: Direction
    difference: Direction


@method(info("every_sample"))
class EverySample(NamedTuple):
    def init(self, problem):
        nothing = verbs.no_direction(problem)
        return Draws(problem.start, 0, problem.start, nothing, nothing, nothing)

    def step(self, problem, state, rng):
        return Draws(
            x=state.x,
            t=state.t + 1,
            y=state.y,
            field=verbs.field(problem, state.x, rng),
            estimate=verbs.estimate(problem, state.y, rng),
            difference=verbs.difference(problem, state.x, state.y, rng),
        )


def drawn_policy(rng: np.random.Generator, blocks, *, empty: float = 0.0) -> Point:
    """A policy with masses of many sizes; a share of the responses has none at all."""
    parts = []
    for size in np.diff(blocks):
        log = rng.normal(scale=3.0, size=size)
        log[(rng.random(size) < empty) & (np.arange(size) != rng.integers(size))] = -np.inf
        log -= np.log(np.exp(log - log.max()).sum()) + log.max()
        parts.append(log)
    log = np.concatenate(parts)
    return Point(log, np.exp(log))


def drawn_problem(seed: int, blocks, oracle=Exact(), *, empty: float = 0.0) -> tuple[TabularProblem, Point, Point]:  # noqa: B008
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.uniform(-0.5, 0.5, (blocks[-1], blocks[-1])), 1)
    start = drawn_policy(rng, blocks)
    problem = TabularProblem(
        upper - upper.T,
        np.array(blocks),
        drawn_policy(rng, blocks),
        start,
        0.3,
        oracle,
        new_arena(int(blocks[-1]), 64),
    )
    return problem, drawn_policy(rng, blocks, empty=empty), drawn_policy(rng, blocks)


def everything_about(problem: TabularProblem, x: Point, y: Point, seed: int) -> Everything:
    rng = np.random.default_rng(seed)
    bank = Bank(np.stack([y.log, problem.reference.log, x.log]), np.stack([y.prob, problem.reference.prob, x.prob]))
    direction = Direction(rng.normal(size=x.log.size))
    return EveryVerb().init(problem)._replace(x=x, y=y, bank=bank, direction=direction)


def stepped(rule, problem, state, rng):
    """The state after one step, by the run loop that `solve` uses."""
    state, spare, total = copied(state), copied(state), np.zeros(state.x.prob.size)
    played = total + state.x.prob
    marks = new_marks(np.array([1]), total.size)
    outcome, new = kernel_of(rule)((rule, state, spare), problem, rng, total, marks, 0.0, False)
    assert not outcome.arena_full
    np.testing.assert_array_equal(total, played)
    return new


def flat(state, path: str = ""):
    """Every array and number of a state with its name."""
    if isinstance(state, tuple):
        for name, part in zip(getattr(state, "_fields", range(len(state))), state, strict=True):
            yield from flat(part, f"{path}.{name}")
    else:
        yield path, np.asarray(state)


def check_equal(one, other, rtol: float) -> None:
    for (name, a), (_, b) in zip(flat(one), flat(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-300 if rtol == 0.0 else 1e-14, err_msg=name)


BLOCKS = [(0, 1), (0, 2), (0, 7), (0, 3, 7), (0, 1, 2, 6), (0, 40)]


@pytest.mark.parametrize("blocks", BLOCKS, ids=str)
@pytest.mark.parametrize("empty", [0.0, 0.5])
def test_compiled_verbs_say_what_the_plain_ones_say(blocks, empty):
    for seed in range(5):
        problem, x, y = drawn_problem(seed, blocks, empty=empty)
        state = everything_about(problem, x, y, seed)
        compiled = stepped(EveryVerb(), problem, state, None)
        with interpreted():
            plain = stepped(EveryVerb(), problem, state, None)
        check_equal(compiled, plain, rtol=1e-12)
        assert not any(np.isnan(values).any() for _, values in flat(compiled))


def test_plain_verbs_against_their_formulas():
    problem, x, y = drawn_problem(3, (0, 3, 7))
    state = everything_about(problem, x, y, 3)
    with interpreted():
        new = stepped(EveryVerb(), problem, state, None)
    d = state.direction.value

    def softmax(log):
        parts = [np.exp(log[:3]), np.exp(log[3:])]
        return np.concatenate([part / part.sum() for part in parts])

    np.testing.assert_allclose(new.field.value, problem.payoff @ x.prob, atol=1e-15)
    np.testing.assert_allclose(new.mirror.prob, softmax(x.log + 1.5 * d), atol=1e-14)
    anchor = 0.5 * x.log + 0.25 * y.log + 0.25 * problem.reference.log
    np.testing.assert_allclose(new.blend.log, anchor, atol=1e-13)
    np.testing.assert_allclose(new.mirror_of_anchor.prob, softmax(anchor - 0.3 * d), atol=1e-14)
    np.testing.assert_allclose(new.normalize.prob, softmax(anchor), atol=1e-14)
    np.testing.assert_array_equal(new.blend_without_first.log, problem.start.log)
    np.testing.assert_allclose(new.mixture.prob, 0.25 * x.prob + 0.75 * y.prob, atol=1e-15)
    np.testing.assert_allclose(new.combine.value, 2.0 * problem.payoff @ x.prob - d, atol=1e-14)
    np.testing.assert_array_equal(new.nothing.value, np.zeros(7))
    np.testing.assert_allclose(new.divergence, (x.prob * (x.log - y.log)).sum(), atol=1e-13)
    assert new.divergence_from_itself == 0.0
    np.testing.assert_allclose(new.inner, d @ x.prob - d @ y.prob, atol=1e-14)
    np.testing.assert_array_equal(np.flatnonzero(new.reply.prob), [d[:3].argmax(), 3 + d[3:].argmax()])
    np.testing.assert_array_equal(new.recall.log, problem.reference.log)
    np.testing.assert_array_equal(new.remember.log, [x.log, y.log, problem.reference.log])
    np.testing.assert_array_equal([anchor.log for anchor in new.history], [x.log, *2 * [problem.start.log]])
    average = Mixture(0.25 * x.prob + 0.75 * y.prob)
    payoff = problem.payoff @ x.prob
    for part in (slice(0, 3), slice(3, 7)):
        more = payoff[part] - payoff[part] @ average.prob[part]
        np.testing.assert_allclose(new.add_regrets.value[part], d[part] + more, atol=1e-14)
        weight = np.maximum(d[part], 0.0)
        np.testing.assert_array_equal(new.positive.value[part], weight)
        shares = weight / weight.sum() if weight.any() else x.prob[part]
        np.testing.assert_allclose(new.proportional.prob[part], shares, atol=1e-14)
    np.testing.assert_allclose(new.proportional_to_nothing.prob, average.prob, atol=1e-15)
    assert new.step_size == 0.7 / np.sqrt(2.0)


@pytest.mark.parametrize("t", [0, 1, 9])
def test_step_sizes_follow_the_number_of_steps_taken(t):
    assert verbs.step_size_at(Schedule(0.3), t) == 0.3
    assert verbs.step_size_at(Schedule(2.0, 2.0, 1.0), t) == 2.0 / (t + 2)
    np.testing.assert_allclose(verbs.step_size_at(Schedule(2.0, 1.0, 0.5), t), 2.0 / np.sqrt(t + 1.0), rtol=1e-15)


def test_a_point_without_weight_may_be_infinite():
    """The product of a weight of 0 and the logarithm of 0 is not a number; such a point is left out."""
    problem, x, y = drawn_problem(0, (0, 6), empty=0.9)
    assert np.isinf(x.log).any()
    for state in (everything_about(problem, x, y, 0), everything_about(problem, x, y, 1)):
        new = stepped(EveryVerb(), problem, state, None)
        assert np.isfinite(new.blend_without_first.log).all()


def test_a_mirror_step_does_not_overflow():
    problem, x, y = drawn_problem(0, (0, 5))
    state = everything_about(problem, x, y, 0)._replace(direction=Direction(np.array([1e4, -1e4, 0.0, 1e4, 5.0])))
    new = stepped(EveryVerb(), problem, state, None)
    np.testing.assert_allclose(new.mirror.prob.sum(), 1.0, rtol=1e-14)
    assert (new.mirror.prob[[1, 2, 4]] == 0.0).all() and np.isfinite(new.mirror.log).all()


@pytest.mark.parametrize("oracle", [Sampled(1, True), Sampled(7, True), Sampled(7, False)], ids=str)
def test_plain_and_compiled_code_draw_the_same(oracle):
    for seed, blocks in enumerate([(0, 1), (0, 2), (0, 9)]):
        problem, x, y = drawn_problem(seed, blocks, oracle)
        state = EverySample().init(problem)._replace(x=x, y=y)
        luck, same_luck = np.random.default_rng(seed), np.random.default_rng(seed)
        compiled = stepped(EverySample(), problem, state, luck)
        with interpreted():
            plain = stepped(EverySample(), problem, state, same_luck)
        for (name, a), (_, b) in zip(flat(compiled), flat(plain), strict=True):
            np.testing.assert_array_equal(a, b, err_msg=name)
        assert luck.bit_generator.state == same_luck.bit_generator.state


DRAWS = 200_000


@pytest.mark.parametrize("labels", [True, False])
def test_sampled_payoffs_are_unbiased(labels):
    problem, x, _ = drawn_problem(11, (0, 6))
    out = np.empty(6)
    sampled_payoff(problem.payoff, x.prob, DRAWS, labels, np.random.default_rng(0), out)
    mean = problem.payoff @ x.prob
    variance = (0.25 if labels else problem.payoff**2 @ x.prob) - mean**2
    assert (np.abs(out - mean) <= 5.0 * np.sqrt(variance / DRAWS)).all()
    # The error of a sample that forgot its labels' mean, or drew its opponents evenly, is far larger.
    assert np.abs(problem.payoff.mean(axis=1) - mean).max() > 50.0 * np.sqrt(variance.max() / DRAWS)


@pytest.mark.parametrize("labels", [True, False])
def test_coupled_differences_are_unbiased(labels):
    problem, x, y = drawn_problem(12, (0, 6))
    out = np.empty(6)
    sampled_difference(problem.payoff, x.prob, y.prob, DRAWS, labels, np.random.default_rng(1), out)
    assert (np.abs(out - problem.payoff @ (x.prob - y.prob)) <= 5.0 / np.sqrt(DRAWS)).all()


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("distance", [0.3, 0.03, 0.003, 0.0])
def test_the_variance_of_coupled_differences_goes_to_zero_with_the_distance(labels, distance):
    problem, x, y = drawn_problem(13, (0, 6))
    near = (1.0 - distance) * x.prob + distance * y.prob
    rng, count, square = np.random.default_rng(2), 40_000, np.zeros(6)
    out = np.empty(6)
    for _ in range(count):
        sampled_difference(problem.payoff, x.prob, near, 1, labels, rng, out)
        square += out**2
    # One number draws both opponents: they differ at most where the cumulated probabilities do.
    apart = np.abs(np.cumsum(x.prob - near))[:-1].sum()
    assert (square / count <= apart + 5.0 * np.sqrt(apart / count)).all()
    assert distance == 0.0 or square.max() > 0.0


def test_responses_without_probability_are_never_drawn():
    """Not even by a number beyond the rounded sum of all probabilities."""
    payoff = np.array([[0.0, 0.1, 0.5], [-0.1, 0.0, 0.5], [-0.5, -0.5, 0.0]])
    out = np.empty(3)
    rng = np.random.default_rng(3)
    for _ in range(2000):
        sampled_payoff(payoff, np.array([0.3, 0.6, 0.0]), 1, False, rng, out)
        assert out[2] == -0.5


def test_sampling_words_need_a_sampling_oracle():
    problem, x, y = drawn_problem(0, (0, 3))
    with pytest.raises(UnsupportedCombination, match="oracle=Sampled"):
        verbs.estimate(problem, x, np.random.default_rng(0))
    with pytest.raises(UnsupportedCombination, match="oracle=Sampled"):
        verbs.difference(problem, x, y, np.random.default_rng(0))


def test_replies_take_the_first_of_several():
    problem, x, y = drawn_problem(0, (0, 2, 5))
    state = everything_about(problem, x, y, 0)._replace(direction=Direction(np.array([1.0, 1.0, 0.0, 2.0, 2.0])))
    np.testing.assert_array_equal(stepped(EveryVerb(), problem, state, None).reply.prob, [1.0, 0.0, 0.0, 1.0, 0.0])


def test_a_step_that_runs_out_of_scratch_says_how_much_it_took():
    problem, x, y = drawn_problem(0, (0, 4))
    small = problem._replace(arena=new_arena(4, 3))
    state = everything_about(problem, x, y, 0)
    outcome, _ = kernel_of(EveryVerb())(
        (EveryVerb(), copied(state), copied(state)), small, None, np.zeros(4), new_marks(np.array([1]), 4), 0.0, False
    )
    assert outcome.arena_full
    np.testing.assert_array_equal(state.x.log, x.log)


def test_a_copied_state_shares_no_array():
    """A state may begin with one policy in two fields; after a step they differ."""
    point = Point(np.zeros(2), np.full(2, 0.5))

    class Twice(NamedTuple):
        x: Point
        before: Point
        t: int

    spare = copied(Twice(point, point, 0))
    new = Twice(Point(np.ones(2), np.ones(2)), Point(np.zeros(2), np.zeros(2)), 1)
    written = overwrite(new, spare)
    assert written.t == 1
    np.testing.assert_array_equal(written.x.log, [1.0, 1.0])
    np.testing.assert_array_equal(written.before.log, [0.0, 0.0])


def test_what_is_not_a_rule_is_refused():
    with pytest.raises(InputError, match="method must be a name or a rule"):
        as_rule(Schedule(0.1))


@pytest.mark.parametrize("size", [51, 400])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_projections_of_medium_vectors_are_those_of_the_kernel(size: int, scale: float) -> None:
    from gametheory_pref.kernels.projection import projected_step

    vector, blocks = np.random.default_rng(size).normal(size=size) * scale, np.array([0, size // 3, size])
    expected = np.empty(size)
    with interpreted():
        projected_step(vector, vector, 0.0, blocks, expected)
    found = verbs._projected(vector.copy(), blocks)
    np.testing.assert_allclose(found, expected, atol=1e-15)
    np.testing.assert_allclose([found[: size // 3].sum(), found[size // 3 :].sum()], 1.0, atol=1e-12)


def test_projections_of_what_is_not_finite_are_nan() -> None:
    vector = np.full(60, 0.5)
    vector[3] = np.inf
    assert np.isnan(verbs._projected(vector, np.array([0, 60]))).all()
