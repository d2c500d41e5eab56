"""Forward-reflected mirror descent: the payoff, plus its last change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..verbs import (
    Direction,
    Entropic,
    Euclidean,
    Generator,
    Schedule,
    TabularProblem,
    combine,
    field,
    mean,
    no_direction,
    prox,
    start_in,
    step_size_at,
)
from ._geometry import check_geometry, entropic
from ._info import (
    BOTH,
    Bound,
    LocalRate,
    MethodInfo,
    StepFacts,
    StepSize,
    cold,
    exact_payoffs,
    first_reason,
    method,
    norm_of,
    within,
)
from ._theory import constant_step, isolated, one_policy, spectral_radius, start_divergence, unique_equilibrium

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts


def forward_reflected_cap(facts: StepFacts) -> Schedule:
    r"""Return the largest step whose :math:`\lambda = 1/\eta-\beta` has :math:`\lambda^2 \ge a\lambda+2a\beta+2a^2`."""
    a, beta = facts.payoff_bound, facts.temperature
    return Schedule(2.0 / (a + 2.0 * beta + np.sqrt(9.0 * a**2 + 8.0 * a * beta)))


def euclidean_step(facts: StepFacts) -> Schedule:
    r"""Return the step of optimistic gradient descent in the Euclidean geometry, :math:`\eta = 1/(3\|A\|_2)`."""
    return Schedule(1.0 / (3.0 * norm_of(facts)))


def _check(rule: ForwardReflected, facts: StepFacts) -> None:
    check_geometry(rule, facts, largest=0.5)


def _within_cap(rule: Any, facts: Facts) -> str | None:
    largest = float(forward_reflected_cap(facts.step_facts).scale)
    cap = within(rule.step_size, largest, "2 / (a + 2 beta + sqrt(9 a^2 + 8 a beta))")
    return first_reason(entropic(rule), exact_payoffs(facts), constant_step(rule), cap)


def _kl_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(_within_cap(rule, facts), unique_equilibrium(facts))


def _kl_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    eta, beta, a = rule.step_size.scale, facts.temperature, facts.payoff_bound
    rate = eta * beta / (1.0 + eta * a)
    return np.asarray(start_divergence(facts) / (1.0 - eta * a) * np.exp(steps * np.log1p(-rate)))


def _average_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(cold(facts), one_policy(facts), _within_cap(rule, facts))


def _average_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(2.0 * (facts.spread / rule.step_size.scale + facts.payoff_bound) / steps)


def _local_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(entropic(rule), exact_payoffs(facts), constant_step(rule), isolated(facts))


def _local_factor(rule: Any, facts: Facts) -> float:
    eta = rule.step_size.scale
    turn = 1j * eta * facts.frequencies
    return spectral_radius(1.0 - eta * facts.temperature + 2.0 * turn, turn) ** 2


class State(NamedTuple):
    """The current policy, the payoff met before it, and the number of steps taken."""

    x: Any
    payoff: Direction
    t: int


@method(
    MethodInfo(
        name="forward_reflected",
        title="Forward-reflected mirror descent",
        solves=BOTH,
        payoff_calls=1,
        answer="last",
        step_sizes={"largest": forward_reflected_cap, "euclidean": euclidean_step},
        cite=("malitsky2020forward", "popov1980modification"),
        trust="theory",
        side_by_side=True,
        check=_check,
        solves_inclusions=True,
        guarantees=(
            Bound(
                name="forward-reflected-divergence",
                statement="KL(pi* || pi_t) <= (1 - eta beta / (1 + eta a))^t KL(pi* || pi_0) / (1 - eta a)  "
                "if  lambda^2 >= a lambda + 2 a beta + 2 a^2",
                source="docs/theory.md, forward-reflected mirror descent",
                of="last",
                hypotheses=_kl_hypotheses,
                quantity="kl",
                bound=_kl_bound,
            ),
            Bound(
                name="forward-reflected-average",
                statement="gap(average) <= 2 (D / eta + a) / T  if  eta <= 1 / (2 a)",
                source="docs/theory.md, forward-reflected mirror descent",
                of="average",
                hypotheses=_average_hypotheses,
                quantity="gap",
                bound=_average_bound,
            ),
            LocalRate(
                name="forward-reflected-local-rate",
                statement="KL falls by max_w max|z|^2 per step near pi*, z^2 - (k + 2 i eta w) z + i eta w = 0, "
                "k = 1 - eta beta",
                source="docs/theory.md, spectrum at the equilibrium",
                of="last",
                hypotheses=_local_hypotheses,
                factor=_local_factor,
            ),
        ),
    )
)
class ForwardReflected(NamedTuple):
    r"""Anchored step with the payoff against the current policy reflected in the one before.

    .. math::
        \pi_{t+1} \propto \pi_t^{1-\eta\beta}\, \mu^{\eta\beta} \exp(\eta A (2\pi_t - \pi_{t-1})), \qquad
        \pi_{-1} = \pi_0

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`; "largest" is the largest step with the rates below, :math:`1/(2a)` at temperature 0; "euclidean"
        is :math:`1/(3\|A\|_2)`.
    geometry : Entropic or Euclidean
        With ``Euclidean()`` steps are projected; for temperature 0, and for `solve_inclusion`. Without constraint that
        is optimistic gradient descent, and the half-steps of Popov's method.

    Notes
    -----
    One payoff product a step, and no second policy beside the one played. Malitsky and Tam have it in Euclidean
    distance, where :math:`\lambda` is the step, a the Lipschitz constant.

    The bound: with :math:`\lambda = 1/\eta-\beta`, :math:`(\lambda+\beta)\mathrm{KL}(\pi^*\|\pi_t) +
    \langle \pi_t - \pi^*, A(\pi_t-\pi_{t-1})\rangle + (\lambda-a)\mathrm{KL}(\pi_t\|\pi_{t-1})` falls by
    :math:`1-\eta\beta/(1+\eta a)` a step, and is at least :math:`(\lambda+\beta-a)\mathrm{KL}(\pi^*\|\pi_t)`.

    References
    ----------
    malitsky2020forward, popov1980modification.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> solution = gp.solve(game, "forward_reflected", temperature=0.1, start=[0.5, 0.3, 0.2], tol=1e-12)
    >>> solution.policy.round(4), solution.n_steps < 200
    (array([0.3371, 0.2835, 0.3794]), True)
    """

    step_size: StepSize = "largest"
    geometry: Euclidean | Entropic = Entropic()

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        return State(x=start_in(problem, self.geometry), payoff=no_direction(problem), t=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        payoff = field(problem, state.x, rng)
        # Before the first step there is no payoff to reflect in.
        weights = (2.0, -1.0) if state.t > 0 else (1.0, 0.0)
        reflected = combine(problem, (payoff, state.payoff), weights)
        new = prox(problem, mean(problem, (state.x, problem.reference), (1.0 - pull, pull)), reflected, eta)
        return State(x=new, payoff=payoff, t=state.t + 1)
