"""Halpern's iteration: a nonexpansive map averaged with the start, the less the longer the run."""

from __future__ import annotations

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
    bookmark,
    combine,
    field,
    inner,
    keep,
    mixture,
    no_direction,
    part,
    project,
    square_distance,
    start_in,
    step_size_at,
)
from ._info import (
    MINIMAX,
    Bound,
    MethodInfo,
    StepFacts,
    StepSize,
    exact_payoffs,
    first_reason,
    method,
    norm_of,
    within,
)
from ._theory import (
    COCOERCIVE,
    constant_step,
    inclusion_trials,
    known_distance,
    start_distance,
    without_constraint,
)

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts

# Halvings of the error from 1 to below rounding, and some more; fewer inner steps may end an inner solve early.
_ENOUGH = 60
# More inner steps with sampled payoffs are a mistake: noise keeps them from every tolerance.
_MOST_SAMPLED = 20


def resolvent_step(facts: StepFacts) -> Schedule:
    r"""Return :math:`\eta = 1/(2L)`, with which the inner loop halves its error with every payoff product."""
    return Schedule(0.5 / norm_of(facts))


def forward_step(facts: StepFacts) -> Schedule:
    """Return twice the modulus of cocoercivity, the largest step with which the forward map is nonexpansive."""
    return Schedule(2.0 * _modulus(facts))


def one_step_step(facts: StepFacts) -> Schedule:
    """Return the modulus of cocoercivity, the largest step of the theorem on the one-step form."""
    return Schedule(_modulus(facts))


def _modulus(facts: StepFacts) -> float:
    """Return the modulus of cocoercivity, infinite for an operator that is constant.

    Raises
    ------
    UnsupportedCombination
        The operator is not cocoercive.
    InputError
        The modulus is not known.
    """
    if facts.cocoercivity is None:
        raise InputError(
            "the modulus of cocoercivity of the operator is not known; pass cocoercivity to gp.inclusion, or take "
            "gp.METHODS['halpern'].parameter_free(), which finds it"
        )
    _refuse_without_cocoercivity(facts)
    return float(min(facts.cocoercivity, 1e12))


def _refuse_without_cocoercivity(facts: StepFacts) -> None:
    if facts.cocoercivity is not None and facts.cocoercivity <= 0.0:
        raise UnsupportedCombination(
            f"forward steps of halpern need a cocoercive operator, and the modulus of cocoercivity here is "
            f"{facts.cocoercivity:g} (payoffs of games are skew); take gp.METHODS['halpern'](), whose map is the "
            "resolvent, or 'anchored_extragradient'"
        )


def _check(rule: Halpern, facts: StepFacts) -> None:
    if np.any(np.asarray(facts.temperature) > 0.0):
        raise UnsupportedCombination(
            "halpern is for temperature 0; name a method for positive ones, such as 'extragradient'"
        )
    if not (rule.form is None or isinstance(rule.form, (Forward, Adaptive))):
        raise InputError(
            f"form must be None, or come from Halpern.forward(), one_step() or parameter_free(); got {rule.form!r}"
        )
    if not 0.0 <= rule.inner_tol <= 0.5:
        raise InputError(f"inner_tol must be a number in [0, 0.5]; got {rule.inner_tol!r}")
    if not 0.0 <= rule.accuracy < float("inf"):
        raise InputError(f"accuracy must be a number of at least 0; got {rule.accuracy!r}")
    if rule.inner_tol == rule.accuracy == 0.0:
        raise InputError("inner_tol and accuracy are both 0, which inner loops cannot reach; make one positive")
    if not (isinstance(rule.inner_steps, int) and rule.inner_steps >= 1):
        raise InputError(f"inner_steps must be a whole number of at least 1; got {rule.inner_steps!r}")
    if rule.form is not None:
        _refuse_without_cocoercivity(facts)
    if isinstance(rule.form, Adaptive) and facts.is_constrained:
        raise UnsupportedCombination(
            "parameter-free halpern is for operators on R^d; on simplices take gp.METHODS['halpern']()"
        )


def _unsampled(rule: Any) -> str | None:
    if not isinstance(rule.inner_steps, int) or rule.inner_steps <= _MOST_SAMPLED:
        return None
    return (
        f"halpern with sampled payoffs meets no tolerance, so that each step would take all its inner_steps, "
        f"{rule.inner_steps}; give inner_steps of at most {_MOST_SAMPLED}, such as 5"
    )


# -- theorems


def _resolvent_hypotheses(rule: Any, facts: Facts) -> str | None:
    few = None if rule.inner_steps >= _ENOUGH else (
        f"inner_steps is {rule.inner_steps}, so that inner solves may end before their tolerance"
    )
    return first_reason(
        None if rule.form is None else "the map is not the resolvent",
        few,
        constant_step(rule),
        exact_payoffs(facts),
        known_distance(facts),
    ) or within(rule.step_size, 0.5 / max(facts.norm, 1e-12), "1 / (2 L)")


def _resolvent_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    """Return the bound of docs/theory.md, anchoring: k = t - 1 steps lie behind the last application of the map."""
    t = np.maximum(steps, 1)
    k = np.arange(int(t.max()), dtype=np.float64)
    relative = rule.inner_tol / (k + 1.0) ** 1.5
    growth = np.cumprod(np.append(1.0, 1.0 + 2.0 * relative / (1.0 - relative)))
    fixed_point = growth[t - 1] * (2.0 * start_distance(facts) + 0.5 * rule.accuracy * np.log(t)) / t
    last, floor = relative[t - 1], rule.accuracy / (4.0 * t * (t + 1.0))
    bound = (1.0 + 0.5 * last) * (fixed_point + floor) / (1.0 - last) + 0.5 * floor
    return np.where(steps >= 1, bound / rule.step_size.scale, np.inf)


def _in_a_game(rule: Any, facts: Facts) -> str | None:
    game = None if hasattr(facts, "gaps") else "the run was on an inclusion; gaps are of games"
    return game or _resolvent_hypotheses(rule, facts)


def _gap_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    players = facts.problem.blocks.size - 1
    # The toolkit's gap of a symmetric game is that of its two equal players.
    both = 2.0 if players == 1 else 1.0
    return np.asarray(both * np.sqrt(2.0 * players) * _resolvent_bound(rule, facts, steps))


def _of_form(rule: Any, facts: Any, form: Any) -> str | None:
    same = type(rule.form) is type(form) and rule.form == form
    return first_reason(
        None if same else "the theorem is about another form of the iteration",
        constant_step(rule),
        exact_payoffs(facts),
        known_distance(facts),
        None if facts.step_facts.cocoercivity else "the operator is not known to be cocoercive",
    )


def _forward_hypotheses(rule: Any, facts: Any) -> str | None:
    return _of_form(rule, facts, Forward()) or within(rule.step_size, 2.0 * facts.step_facts.cocoercivity, "2 / L")


def _forward_bound(rule: Any, facts: Any, steps: IntArray) -> FloatArray:
    return np.asarray(2.0 * start_distance(facts) / (rule.step_size.scale * steps))


def _anchored_step_hypotheses(rule: Any, facts: Any) -> str | None:
    form = first_reason(_of_form(rule, facts, Forward(inside=True)), without_constraint(facts))
    return form or within(rule.step_size, facts.step_facts.cocoercivity, "1 / L")


def _anchored_step_bound(rule: Any, facts: Any, steps: IntArray) -> FloatArray:
    bound = 4.0 * start_distance(facts) / (rule.step_size.scale * (steps + 3.0))
    return np.where(steps >= 1, bound, np.inf)


def _parameter_free_hypotheses(rule: Any, facts: Any) -> str | None:
    return first_reason(_of_form(rule, facts, Adaptive()), without_constraint(facts))


def _parameter_free_bound(rule: Any, facts: Any, steps: IntArray) -> FloatArray:
    largest = max(2.0 / facts.step_facts.cocoercivity, 2.0 / rule.step_size.scale)
    return np.asarray(largest * start_distance(facts) / steps)


# -- the rule


class State(NamedTuple):
    """The answer, the one before it, the anchored iterate, the number of steps, and payoff products so far."""

    x: Mixture
    before: Mixture
    u: Mixture
    t: int
    calls: int


class AdaptiveState(NamedTuple):
    """The iterate and its payoff, steps and payoff products so far, the last step size and the sum of all."""

    x: Mixture
    payoff: Direction
    t: int
    calls: int
    step_size: float
    total: float


class Forward(NamedTuple):
    """The form with forward steps: ``T u = P(u - eta F(u))``, or the anchor inside of the step.

    Attributes
    ----------
    inside : bool
        Whether steps start from the anchored point.
    """

    inside: bool = False

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        start = start_in(problem, Euclidean())
        return State(x=start, before=start, u=start, t=0, calls=0)

    def step(self, rule: Halpern, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        t, u = state.t, state.u
        eta, payoff = step_size_at(rule.step_size, t), field(problem, u, rng)
        if self.inside:
            x = u = project(problem, drawn_to_start(problem, u, 2.0 / (t + 4.0)), payoff, eta)
        else:
            x = project(problem, u, payoff, eta)
            u = drawn_to_start(problem, x, 1.0 / (t + 2.0))
        return State(x, state.x, u, t + 1, state.calls + 1)


class Adaptive(NamedTuple):
    """The parameter-free form: forward steps whose sizes are halved until they suit both ends.

    Attributes
    ----------
    halvings : int
        Most of them in a run: where values of the operator are all rounding, no step size suits.
    """

    halvings: int = 50

    def init(self, problem: TabularProblem) -> AdaptiveState:
        """Start at the start."""
        return AdaptiveState(start_in(problem, Euclidean()), no_direction(problem), 0, 0, 0.0, 0.0)

    def step(
        self, rule: Halpern, problem: TabularProblem, state: AdaptiveState, rng: Generator
    ) -> AdaptiveState:
        """Take one step."""
        u, payoff, calls, eta = state.x, state.payoff, state.calls, state.step_size
        if state.t == 0:
            payoff, calls, eta = field(problem, u, rng), 1, step_size_at(rule.step_size, 0)
        smallest = step_size_at(rule.step_size, 0) * 0.5**self.halvings
        while True:
            new = drawn_to_start(problem, project(problem, u, payoff, eta), eta / (2.0 * eta + state.total))
            new_payoff = field(problem, new, rng)
            calls += 1
            turn = combine(problem, (payoff, new_payoff), (1.0, -1.0))
            change = square_distance(problem, Mixture(payoff.value), Mixture(new_payoff.value))
            if inner(problem, turn, new, u) >= 0.5 * eta * change or eta <= smallest:
                break
            eta *= 0.5
        return AdaptiveState(new, new_payoff, state.t + 1, calls, eta, state.total + eta)


@part
def drawn_to_start(problem: TabularProblem, x: Mixture, weight: float) -> Mixture:
    """Return the mixture of the start, with this weight, and x."""
    return mixture(problem, (problem.start, x), (weight, 1.0 - weight))


# Compiled code sees the type of `form` and leaves the other branch out: forward steps are for inclusions.


@part
def first_state(form: Forward | Adaptive | None, problem: TabularProblem) -> Any:
    """Return the state before the first step of a form."""
    if form is None:
        start = start_in(problem, Euclidean())
        return State(x=start, before=start, u=start, t=0, calls=0)
    return form.init(problem)


@part
def next_state(
    form: Forward | Adaptive | None, rule: Halpern, problem: TabularProblem, state: Any, rng: Generator
) -> Any:
    """Return the state after a step of a form."""
    if form is None:
        return after_resolvent(rule, problem, state, rng)
    return form.step(rule, problem, state, rng)


@part
def after_resolvent(rule: Halpern, problem: TabularProblem, state: State, rng: Generator) -> State:
    """Return the state after a step with v such that ``v = P(u + eta A v)``, up to the tolerances of the rule."""
    t, u, eta = state.t, state.u, step_size_at(rule.step_size, state.t)
    relative = rule.inner_tol / (t + 1.0) ** 1.5
    floor = rule.accuracy / (4.0 * (t + 1.0) * (t + 2.0))
    since = bookmark(problem)
    # Answers change smoothly: going on as before comes closer than standing still, if only to a policy.
    onward = max(t - 1.0, 0.0) / (t + 1.0)
    ahead = mixture(problem, (state.x, state.before), (1.0 + onward, -onward))
    v, calls = project(problem, ahead, no_direction(problem), 0.0), state.calls + 1
    new = project(problem, u, field(problem, v, rng), eta)
    for _ in range(rule.inner_steps - 1):
        if square_distance(problem, new, v) <= max(floor**2, relative**2 * square_distance(problem, u, new)):
            break
        v = keep(problem, new, since)
        new = project(problem, u, field(problem, v, rng), eta)
        calls += 1
    return State(new, state.x, drawn_to_start(problem, new, 1.0 / (t + 2.0)), t + 1, calls)


@method(
    MethodInfo(
        name="halpern",
        title="Halpern iteration",
        solves=MINIMAX,
        payoff_calls=None,
        answer="last",
        step_sizes={"resolvent": resolvent_step, "forward": forward_step, "anchored_step": one_step_step},
        cite=("halpern1967fixed", "diakonikolas2020halpern", "lieder2021convergence", "wittmann1992approximation"),
        trust="theory",
        tabular_only=True,
        check=_check,
        unsampled=_unsampled,
        uses_norm=True,
        projects=True,
        solves_inclusions=True,
        guarantees=(
            Bound(
                name="halpern-resolvent-residual",
                statement="dist(0, F(x_t) + N(x_t)) <= c 2 D / (eta t)  for  eta <= 1 / (2 L), F monotone; "
                "c -> 1 as inner_tol -> 0",
                source="docs/theory.md, anchoring; exact resolvents: Lieder 2021, Diakonikolas 2020",
                of="last",
                hypotheses=_resolvent_hypotheses,
                quantity="residual",
                bound=_resolvent_bound,
            ),
            Bound(
                name="halpern-resolvent-gap",
                statement="gap(x_t) <= c 4 sqrt(2) D / (eta t); c 4 D / (eta t) for two players",
                source="docs/theory.md, anchoring",
                of="last",
                hypotheses=_in_a_game,
                quantity="gap",
                bound=_gap_bound,
            ),
            Bound(
                name="halpern-forward-residual",
                statement="dist(0, F(x_t) + N(x_t)) <= 2 D / (eta t)  for  eta <= 2 / L, F 1/L-cocoercive",
                source="Lieder 2021, Diakonikolas 2020; docs/theory.md, anchoring",
                of="last",
                hypotheses=_forward_hypotheses,
                quantity="residual",
                bound=_forward_bound,
                trials=inclusion_trials(*COCOERCIVE, step_size="forward", form=Forward()),
            ),
            Bound(
                name="halpern-anchored-step-residual",
                statement="|F(x_t)| <= 4 D / (eta (t + 3))  for  eta <= 1 / L, F 1/L-cocoercive, without constraint",
                source="docs/theory.md, anchoring",
                of="last",
                hypotheses=_anchored_step_hypotheses,
                quantity="residual",
                bound=_anchored_step_bound,
                trials=inclusion_trials(*COCOERCIVE, step_size="anchored_step", form=Forward(inside=True)),
            ),
            Bound(
                name="halpern-parameter-free-residual",
                statement="|F(x_t)| <= max(2 L, L_0) D / t  with  L_0 = 2 / eta, F 1/L-cocoercive, without constraint",
                source="Diakonikolas 2020; docs/theory.md, anchoring",
                of="last",
                hypotheses=_parameter_free_hypotheses,
                quantity="residual",
                bound=_parameter_free_bound,
                trials=inclusion_trials(*COCOERCIVE, step_size=20.0, form=Adaptive()),
            ),
        ),
    )
)
class Halpern(NamedTuple):
    r"""Apply a nonexpansive map T and go back towards the start, ever less.

    .. math::
        u_{k+1} = \lambda_k u_0 + (1-\lambda_k) T u_k, \qquad \lambda_k = \frac{1}{k+2}

    With :math:`F(z) = -Az` and P the projection on the simplices, the map is one of these:

    - the resolvent, ``Halpern()``: :math:`Tu = v` with :math:`v = P(u - \eta F(v))`, for any monotone Lipschitz F, and
      so for games. An inner loop :math:`v \leftarrow P(u_k - \eta F(v))` finds it, until its last change is at most
      :math:`\sigma \|u_k - v\| (k+1)^{-3/2}` or :math:`\varepsilon / (4(k+1)(k+2))`;
    - the forward step, ``Halpern.forward()``: :math:`Tu = P(u - \eta F(u))`, for cocoercive F alone. On a game it
      is not nonexpansive, and refused;
    - the anchored step, ``Halpern.one_step()``: :math:`u_{k+1} = P(\lambda_k u_0 + (1-\lambda_k) u_k - \eta F(u_k))`
      with :math:`\lambda_k = 2/(k+4)`, for cocoercive F;
    - parameter-free, ``Halpern.parameter_free()``: forward steps whose :math:`\eta_k` is halved until
      :math:`\langle F(u_{k+1}) - F(u_k), u_{k+1} - u_k\rangle \ge \frac{\eta_k}{2} \|F(u_{k+1}) - F(u_k)\|^2`, with
      :math:`\lambda_k = \eta_k / (\eta_k + \sum_{i \le k} \eta_i)`; without constraint.

    The answer is :math:`Tu_k`, since :math:`u_{k+1}` lags behind; in the last two forms :math:`u_{k+1}`. Among several
    solutions it converges to the one closest to the start (Wittmann).

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`. "resolvent" is :math:`1/(2L)` with :math:`L = \|A\|_2`; "forward" is :math:`2c` and
        "anchored_step" :math:`c`, with the modulus of cocoercivity c.
    inner_tol : float
        :math:`\sigma`, at most 1/2.
    accuracy : float
        :math:`\varepsilon`, the distance :math:`\|u - Tu\|` that is asked for. With :math:`\sigma = 0` this is the
        inexact iteration of Diakonikolas, which meets it after :math:`4D/\varepsilon` steps.
    inner_steps : int
        Most steps of an inner loop. With :math:`\eta \le 1/(2L)` its tolerance comes before 60.
    form : None, Forward or Adaptive
        None for the resolvent; the other forms have constructors of their own.

    Notes
    -----
    The residual of the answer is at most :math:`2D/(\eta t)`, up to a factor close to 1 for the inner tolerance. The
    residual is the distance of 0 from :math:`F(x) + N(x)`; times the diameter of the simplices it bounds the gap.
    ``State.calls`` counts payoff products, one to four a step in long runs: the inner loop begins where the last
    two answers point, and they move ever less.

    References
    ----------
    halpern1967fixed, diakonikolas2020halpern, lieder2021convergence, wittmann1992approximation.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> solution = gp.solve(gp.zoo["comal"].game, "halpern", start=[0.5, 0.3, 0.2], tol=1e-3)
    >>> solution.policy.round(2), solution.converged
    (array([0.36, 0.27, 0.36]), True)
    """

    step_size: StepSize = "resolvent"
    inner_tol: float = 0.05
    accuracy: float = 0.0
    inner_steps: int = 100
    form: Forward | Adaptive | None = None

    @classmethod
    def forward(cls, step_size: StepSize = "forward") -> Halpern:
        """Return the iteration on forward steps, for cocoercive operators."""
        return cls(step_size, form=Forward())

    @classmethod
    def one_step(cls, step_size: StepSize = "anchored_step") -> Halpern:
        """Return the form whose steps start from the anchored point, for cocoercive operators."""
        return cls(step_size, form=Forward(inside=True))

    @classmethod
    def parameter_free(cls, lipschitz: float = 1.0) -> Halpern:
        """Return the iteration that finds its step sizes, from a first guess of the Lipschitz constant."""
        if not 0.0 < lipschitz < float("inf"):
            raise InputError(f"lipschitz must be a positive number; got {lipschitz!r}")
        return cls(2.0 / lipschitz, form=Adaptive())

    def init(self, problem: TabularProblem) -> Any:
        """Start at the start."""
        return first_state(self.form, problem)

    def step(self, problem: TabularProblem, state: Any, rng: Generator) -> Any:
        """Take one step."""
        return next_state(self.form, self, problem, state, rng)
