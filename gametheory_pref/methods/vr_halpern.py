"""Variance-reduced Halpern iterations on finite sums: one loop for cocoercive terms, two for monotone ones."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InputError, UnsupportedCombination
from ..verbs import (
    Direction,
    Euclidean,
    Generator,
    Mixture,
    Schedule,
    TabularProblem,
    batch_difference,
    bookmark,
    chance,
    combine,
    field,
    mean_norm,
    mixture,
    no_direction,
    part,
    players_in,
    project,
    rewind,
    rewrite,
    square_distance,
    start_in,
    step_size_at,
    term_count,
    term_difference,
    term_weights,
    terms_drawn,
)
from ._info import MINIMAX, Bound, MethodInfo, StepFacts, StepSize, Trial, cold, first_reason, mean_norm_of, method
from ._theory import constant_step, known_distance, start_distance
from .vr_mirror_prox import unsampled

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts

# The inner constant of the theorem.
_PROVED = 42.0


def resolvent_step(facts: StepFacts) -> Schedule:
    r"""Return :math:`\sqrt N / L`, which balances outer and inner steps."""
    return Schedule(np.sqrt(facts.n_terms) / mean_norm_of(facts))


def single_loop_step(facts: StepFacts) -> Schedule:
    r"""Return :math:`c/4` for the modulus c of averaged cocoercivity.

    Raises
    ------
    InputError
        The modulus is not known.
    UnsupportedCombination
        The terms are not cocoercive.
    """
    _refuse_without_cocoercivity(facts)
    if facts.mean_cocoercivity is None:
        raise InputError(
            "the modulus of averaged cocoercivity is not known, and the step size is found from it; pass "
            "mean_cocoercivity to gp.inclusion, or a number as step_size"
        )
    return Schedule(0.25 * min(facts.mean_cocoercivity, 1e12))


def _refuse_without_cocoercivity(facts: StepFacts) -> None:
    modulus = facts.mean_cocoercivity
    if modulus is not None and modulus <= 0.0:
        raise UnsupportedCombination(
            f"the single loop of vr_halpern needs terms that are cocoercive on average, and the modulus here is "
            f"{modulus:g} (payoffs of games are skew): it would stall or diverge. Take gp.METHODS['vr_halpern'](), "
            "whose two loops need monotone terms only, or add mu * z to the operator"
        )


def _check(rule: VRHalpern, facts: StepFacts) -> None:
    if not (rule.form is None or isinstance(rule.form, SingleLoop)):
        raise InputError(f"form must be None, or come from VRHalpern.single_loop(); got {rule.form!r}")
    if not rule.inner_constant > 0.0:
        raise InputError(f"inner_constant must be positive; got {rule.inner_constant!r}")
    if not 0.0 < rule.inner_step < 1.0:
        raise InputError(f"inner_step must lie between 0 and 1; got {rule.inner_step!r}")
    if not 0.0 <= rule.refresh < 1.0:
        raise InputError(f"refresh must be a probability below 1, or 0 for the default 1/N; got {rule.refresh!r}")
    if rule.form is not None:
        _check_single_loop(rule.form, rule.step_size.scale, facts)


def _check_single_loop(form: SingleLoop, step_size: float, facts: StepFacts) -> None:
    if not (isinstance(form.batch, int) and 0 <= form.batch <= facts.n_terms):
        raise InputError(
            f"batch must be a whole number of at most {facts.n_terms} terms, or 0 for their square root; "
            f"got {form.batch!r}"
        )
    if not 0.0 <= form.refresh <= 1.0:
        raise InputError(f"refresh must be a probability, or 0 for the paper's schedule; got {form.refresh!r}")
    _refuse_without_cocoercivity(facts)
    if facts.mean_cocoercivity is None:
        modulus = facts.sampled_cocoercivity()
        _refuse_without_cocoercivity(facts._replace(mean_cocoercivity=modulus))
        if step_size > modulus:
            warnings.warn(
                f"step_size is {step_size:.4g}, and pairs of points show that the terms are at most "
                f"{modulus:.4g}-cocoercive on average; the single loop of vr_halpern needs a step_size below that, "
                "and a quarter of it for its theorem",
                stacklevel=2,
            )


def _single_loop_hypotheses(rule: Any, facts: Any) -> str | None:
    if not isinstance(rule.form, SingleLoop):
        return "the method has two loops; the theorem is about VRHalpern.single_loop()"
    modulus = facts.step_facts.mean_cocoercivity
    return first_reason(
        constant_step(rule),
        None if rule.form == SingleLoop() else "batch or refresh is not the theorem's",
        None if modulus else "the terms are not known to be cocoercive on average",
        None if modulus and rule.step_size.scale <= 0.25 * modulus * (1.0 + 1e-12) else "step_size is above c / 4",
        known_distance(facts),
    )


def _single_loop_bound(rule: Any, facts: Any, steps: IntArray) -> FloatArray:
    return np.asarray(4.0 * start_distance(facts) / (rule.step_size.scale * (steps + 4.0)))


def _two_loop_hypotheses(rule: Any, facts: Facts) -> str | None:
    largest = np.sqrt(facts.step_facts.n_terms) / facts.mean_norm
    return first_reason(
        cold(facts),
        "the operator is no game; the theorem's gap is that of a game" if hasattr(facts, "inclusion") else None,
        constant_step(rule),
        None if rule.form is None else "the method has a single loop; the theorem is about two",
        None if rule.inner_constant >= _PROVED else f"inner_constant is below the theorem's, {_PROVED:g}",
        None if rule.refresh == 0.0 else "refresh is not the theorem's, 1/N",
        "inner loops may stop early; the theorem's do not" if rule.early_stop else None,
        None if rule.step_size.scale <= largest * (1.0 + 1e-12) else "step_size is above sqrt(N) / L",
        known_distance(facts),
    )


def _two_loop_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    """Return what ``E |u - J u| <= 7 D / k`` says of the gap of the answer, an inexact J u."""
    players = players_in(facts.problem.blocks)
    k = np.maximum(steps - 1.0, 0.0)
    slope = np.sqrt(2.0 * players) / rule.step_size.scale + np.sqrt(players) * facts.norm / (k + 2.0) ** 4
    return np.asarray((2.0 if facts.is_symmetric else 1.0) * slope * 7.0 * start_distance(facts) / k)


class State(NamedTuple):
    """The answer, the anchored iterate, the law of draws, the Lipschitz constant of terms, and terms evaluated."""

    x: Mixture
    t: int
    u: Mixture
    weights: Direction
    lipschitz: float
    calls: int


class SingleState(NamedTuple):
    """The iterate and the one before, and the estimate of the payoff."""

    x: Mixture
    t: int
    before: Mixture
    payoff: Direction
    calls: int


class SingleLoop(NamedTuple):
    """The form with one loop, for terms that are cocoercive on average.

    Attributes
    ----------
    batch : int
        Terms in a difference; 0 stands for the square root of their number.
    refresh : float
        Probability of a whole product; 0 stands for the paper's schedule, `refresh_at`.
    """

    batch: int = 0
    refresh: float = 0.0

    def init(self, problem: TabularProblem) -> SingleState:
        """Start at the start."""
        start = start_in(problem, Euclidean())
        return SingleState(x=start, t=0, before=start, payoff=no_direction(problem), calls=0)

    def step(self, rule: VRHalpern, problem: TabularProblem, state: SingleState, rng: Generator) -> SingleState:
        """Take one step."""
        t, count = state.t, term_count(problem)
        batch = self.batch if self.batch > 0 else int(count**0.5)
        refresh = self.refresh if self.refresh > 0.0 and t > 0 else refresh_at(t, count)
        if chance(problem, refresh, rng):
            payoff, calls = field(problem, state.x, rng), state.calls + count
        else:
            change = batch_difference(problem, state.x, state.before, batch, rng)
            payoff, calls = combine(problem, (state.payoff, change), (1.0, 1.0)), state.calls + 2 * batch
        weight = 2.0 / (t + 4.0)
        base = mixture(problem, (problem.start, state.x), (weight, 1.0 - weight))
        new = project(problem, base, payoff, step_size_at(rule.step_size, t))
        return SingleState(x=new, t=t + 1, before=state.x, payoff=payoff, calls=calls)


@part
def refresh_at(t: int, count: int) -> float:
    """Return the probability that the single loop evaluates all `count` terms in the step that follows t steps."""
    if t <= 1:
        return 1.0
    return 4.0 / (t + 4.0) if t - 1.0 <= count**0.5 else 4.0 / (count**0.5 + 5.0)


def expected_calls(n_terms: int, steps: int) -> float:
    """Return the mean number of terms that the single loop evaluates in a number of steps.

    It is about ``2 n log(n)`` to begin with, and ``6 sqrt(n)`` a step from then on.

    Examples
    --------
    >>> round(expected_calls(256, 500), 1), round(expected_calls(1024, 500), 1)
    (38233.7, 89649.3)
    """
    chances = np.array([refresh_at(t, n_terms) for t in range(steps)])
    return float((chances * n_terms + (1.0 - chances) * 2 * int(n_terms**0.5)).sum())


class Inner(NamedTuple):
    """The end of an inner loop, and the terms that it evaluated."""

    v: Mixture
    calls: int


@part
def inner_length(constant: float, draws: float, reach: float, t: int) -> int:
    """Return ``c (N + sqrt(N) (eta L + 1)) log(1.252 (t + 2))``, the most inner steps after t outer ones."""
    length: int = math.ceil(constant * (draws + draws**0.5 * (reach + 1.0)) * math.log(1.252 * (t + 2.0)))
    return length


@part
def inexact_resolvent(
    problem: TabularProblem, rule: VRHalpern, state: State, eta: float, rng: Generator
) -> Inner:
    """Return the solution v of ``v = P(u + eta A v)``, as far as the inner loop finds it.

    It is a forward-reflected-backward loop on the operator ``H(v) = v - u - eta A v`` with one draw a step, and with a
    snapshot w that moves.
    """
    drawn, count, u = terms_drawn(problem), term_count(problem), state.u
    draws, reach = count / drawn, eta * state.lipschitz
    p = rule.refresh if rule.refresh > 0.0 else min(1.0 / draws, 0.5)
    gamma = rule.inner_step * (p * (1.0 - p)) ** 0.5 / (reach + 1.0)
    tolerance, check = 1.0 / (state.t + 2.0) ** 2, 1.0 / (reach + 1.0)
    v, w, before = mixture(problem, (u,), (1.0,)), mixture(problem, (u,), (1.0,)), mixture(problem, (u,), (1.0,))
    payoff, calls = field(problem, u, rng), count
    since = bookmark(problem)
    for _ in range(inner_length(rule.inner_constant, draws, reach, state.t)):
        base = mixture(problem, (v, w, u, before), (1.0 - p - gamma, p - gamma, gamma, gamma))
        change = term_difference(problem, v, before, state.weights, rng)
        new = project(problem, base, combine(problem, (payoff, change), (1.0, 1.0)), gamma * eta)
        v, before = rewrite(problem, v, new), rewrite(problem, before, w)
        calls += 2 * drawn
        if chance(problem, p, rng):
            w = rewrite(problem, w, v)
            payoff = rewrite(problem, payoff, field(problem, w, rng))
            calls += count
            if rule.early_stop:
                # H is 1-strongly monotone and (reach + 1)-Lipschitz, so that the distance to its zero is at most
                # 2 (reach + 1) times the length of this step.
                ahead = project(problem, mixture(problem, (w, u), (1.0 - check, check)), payoff, check * eta)
                error = 2.0 * (reach + 1.0) * square_distance(problem, w, ahead) ** 0.5
                if error <= tolerance * square_distance(problem, u, w) ** 0.5:
                    break
        rewind(problem, since)
    return Inner(v, calls)


@method(
    MethodInfo(
        name="vr_halpern",
        title="Variance-reduced Halpern",
        solves=MINIMAX,
        payoff_calls=None,
        answer="last",
        step_sizes={"resolvent": resolvent_step, "single_loop": single_loop_step},
        cite=("cai2024variance", "alacaoglu2022stochastic"),
        trust="theory",
        check=_check,
        unsampled=unsampled,
        samples_terms=True,
        projects=True,
        solves_inclusions=True,
        guarantees=(
            Bound(
                name="vr-halpern-single-loop",
                statement="E dist(0, F(x_t) + N(x_t)) <= 16 L D / (t + 4)  for  eta = 1/(4L), "
                "F_i 1/L-cocoercive on average",
                source="Cai, Alacaoglu and Diakonikolas 2024; docs/theory.md, variance reduction",
                of="last",
                sampled=True,
                hypotheses=_single_loop_hypotheses,
                quantity="residual",
                bound=_single_loop_bound,
                trials=tuple(
                    Trial(f"inclusion turns_{n_terms}_0", settings={"step_size": "single_loop", "form": SingleLoop()},
                          max_steps=400, per_decade=16, seeds=20)
                    for n_terms in (16, 256)
                ),
            ),
            Bound(
                name="vr-halpern-two-loops",
                statement="E gap(x_{k+1}) <= 2 (sqrt(2) / eta + L / (k+2)^4) 7 D / k, from E |u_k - J u_k| <= 7 D / k",
                source="Cai, Alacaoglu and Diakonikolas 2024; docs/theory.md, variance reduction",
                of="last",
                sampled=True,
                hypotheses=_two_loop_hypotheses,
                quantity="gap",
                bound=_two_loop_bound,
                trials=tuple(
                    Trial(game, settings={"inner_constant": _PROVED, "early_stop": False}, max_steps=200,
                          per_decade=16, seeds=20)
                    for game in ("comal", "random_10_3")
                ),
            ),
        ),
    )
)
class VRHalpern(NamedTuple):
    r"""Go back towards the start, ever less, with resolvents that an inner loop finds from few terms.

    .. math::
        x_{k+1} \approx J u_k, \qquad u_{k+1} = \lambda_k u_0 + (1-\lambda_k) x_{k+1}, \qquad \lambda_k = \frac{1}{k+2},

    where :math:`v = J u` solves :math:`v = P(u + \eta A v)`. The inner loop, with :math:`H(v) = v - u - \eta A v` and
    :math:`\alpha = 1 - p`, begins with :math:`v = w = w_- = u_k` and repeats

    .. math::
        v \leftarrow P\big(\alpha v + (1-\alpha) w - \gamma [H(w) + \hat H(v) - \hat H(w_-)]\big), \qquad
        \gamma = c_1 \frac{\sqrt{p(1-p)}}{\eta L + 1},

    then :math:`w_- \leftarrow w`, and with probability p the snapshot moves, :math:`w \leftarrow v`. One draw a step
    gives :math:`\hat H`: a column of the table for each player, in proportion to its squared norm, or a term of an
    operator that is a mean. The loop takes at most :math:`c_0 (N + \sqrt N (\eta L + 1)) \log(1.252 (k+2))` steps,
    where N draws make up a product. It stops early when a new snapshot is proved to lie within
    :math:`\|u_k - w\|/(k+2)^2` of the solution.

    The other form, ``VRHalpern.single_loop()``, is for terms that are cocoercive on average:

    .. math::
        u_{k+1} = P(\lambda_k u_0 + (1-\lambda_k) u_k + \eta g_k), \qquad \lambda_k = \frac{2}{k+4},

    where :math:`g_k` is the payoff of :math:`u_k` with probability :math:`p_k`, and otherwise
    :math:`g_{k-1}` plus the difference of the payoffs of :math:`u_k` and :math:`u_{k-1}` on a batch. Games are not
    cocoercive, and it refuses them.

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`. "resolvent" is :math:`\sqrt N / L` with the Lipschitz constant of the terms, :math:`\|A\|_F` for
        columns of a table; "single_loop" is :math:`c/4` with the modulus c of averaged cocoercivity.
    inner_constant : float
        :math:`c_0`. With early stops the 42 of the theorem is a limit that inner loops do not come near; without them 5
        is enough, measured, and 1 too little.
    inner_step : float
        :math:`c_1` below 1.
    refresh : float
        p; 0 stands for 1/N.
    early_stop : bool
        Whether inner loops stop early.
    form : None or SingleLoop
        None for two loops; the other form has a constructor of its own.

    Notes
    -----
    ``State.calls`` counts terms: a payoff product counts as one for each of its columns, a draw as two for each player,
    because the sample is of a difference. The authors' code sets the snapshot back to :math:`u_k` whenever it would
    move; then no length makes an inner loop exact, and the gap is three times as large (docs/theory.md, variance
    reduction).

    References
    ----------
    cai2024variance, alacaoglu2022stochastic.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> solution = gp.solve(gp.zoo["comal"].game, "vr_halpern", start=[0.5, 0.3, 0.2], tol=1e-2, rng=0, jit=False)
    >>> solution.policy.round(2), solution.n_steps, solution.payoff_calls
    (array([0.36, 0.28, 0.36]), 18, 961)
    """

    step_size: StepSize = "resolvent"
    inner_constant: float = _PROVED
    inner_step: float = 0.99
    refresh: float = 0.0
    early_stop: bool = True
    form: SingleLoop | None = None

    @classmethod
    def single_loop(cls, step_size: StepSize = "single_loop", batch: int = 0, refresh: float = 0.0) -> VRHalpern:
        """Return the form with one loop, for terms that are cocoercive on average."""
        return cls(step_size, form=SingleLoop(batch, refresh))

    def init(self, problem: TabularProblem) -> Any:
        """Start at the start."""
        return first_state(self.form, problem)

    def step(self, problem: TabularProblem, state: Any, rng: Generator) -> Any:
        """Take one outer step, or one of the single loop."""
        return next_state(self.form, self, problem, state, rng)


def first_state(form: SingleLoop | None, problem: TabularProblem) -> Any:
    """Return the state of a form before the first step."""
    if form is not None:
        return form.init(problem)
    start = start_in(problem, Euclidean())
    return State(x=start, t=0, u=start, weights=term_weights(problem), lipschitz=mean_norm(problem), calls=0)


@part
def next_state(form: SingleLoop | None, rule: VRHalpern, problem: TabularProblem, state: Any, rng: Generator) -> Any:
    """Return the state of a form after one more step."""
    if form is not None:
        return form.step(rule, problem, state, rng)
    found = inexact_resolvent(problem, rule, state, step_size_at(rule.step_size, state.t), rng)
    weight = 1.0 / (state.t + 2.0)
    u = mixture(problem, (problem.start, found.v), (weight, 1.0 - weight))
    return State(
        x=found.v, t=state.t + 1, u=u, weights=state.weights, lipschitz=state.lipschitz, calls=state.calls + found.calls
    )
