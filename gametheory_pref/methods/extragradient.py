"""Extragradient preference optimisation, mirror prox, Nash mirror prox: one algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..verbs import Entropic, Euclidean, Generator, Schedule, TabularProblem, field, mean, prox, start_in, step_size_at
from ._geometry import check_geometry, entropic, euclidean
from ._info import (
    BOTH,
    Bound,
    Contraction,
    LocalRate,
    MethodInfo,
    StepFacts,
    StepSize,
    anchored_log_factor,
    exact_payoffs,
    extragradient_cap,
    first_reason,
    method,
    norm_of,
    warm,
    within,
)
from ._theory import (
    MONOTONE,
    constant_step,
    contraction_gap,
    inclusion_trials,
    isolated,
    known_distance,
    one_policy,
    same_step,
    start_distance,
    unique_equilibrium,
    without_constraint,
)

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts


def nash_mp_step(facts: StepFacts) -> Schedule:
    r"""Return the step of Nash mirror prox, :math:`\eta = 1/(1/2+\beta)`: its proximal weight is 1/2."""
    return Schedule(1.0 / (0.5 + facts.temperature))


def euclidean_step(facts: StepFacts) -> Schedule:
    r"""Return the step of the rate in the Euclidean geometry, :math:`\eta = 1/(\sqrt 2 \|A\|_2)`."""
    return Schedule(np.sqrt(0.5) / norm_of(facts))


def _check(rule: Extragradient, facts: StepFacts) -> None:
    check_geometry(rule, facts, largest=1.0)


def _within_cap(rule: Any, facts: Facts) -> str | None:
    largest = float(extragradient_cap(facts.step_facts).scale)
    cap = within(rule.step_size, largest, "2 / (beta + sqrt(beta^2 + 4 a^2))")
    return first_reason(entropic(rule), exact_payoffs(facts), cap, unique_equilibrium(facts))


def _gap_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(warm(facts), one_policy(facts), _within_cap(rule, facts))


def _nash_mp_hypotheses(rule: Any, facts: Facts) -> str | None:
    step = same_step(rule, float(nash_mp_step(facts.step_facts).scale), "1 / (1/2 + beta)")
    return first_reason(warm(facts), step, _within_cap(rule, facts))


def _nash_mp_log_factor(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    return np.asarray(-steps * np.log1p(2.0 * facts.temperature))


def _local_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(entropic(rule), exact_payoffs(facts), constant_step(rule), isolated(facts))


def _residual_hypotheses(rule: Any, facts: Facts, largest: float, formula: str) -> str | None:
    setting = first_reason(
        euclidean(rule), constant_step(rule), exact_payoffs(facts), without_constraint(facts), known_distance(facts)
    )
    return setting or within(rule.step_size, largest / max(facts.norm, 1e-12), formula)


def _residual_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    eta = rule.step_size.scale
    return np.asarray(start_distance(facts) / (eta * np.sqrt((1.0 - (eta * facts.norm) ** 2) * (steps + 1.0))))


def _small_step_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    return np.asarray(2.0 * start_distance(facts) / (rule.step_size.scale * np.sqrt(steps)))


def _local_factor(rule: Any, facts: Facts) -> float:
    eta = rule.step_size.scale
    k, w = 1.0 - eta * facts.temperature, facts.frequencies
    return float((np.abs(k + 1j * eta * w * (k + 1j * eta * w)) ** 2).max())


class State(NamedTuple):
    """The current policy and the number of steps taken."""

    x: Any
    t: int


@method(
    MethodInfo(
        name="extragradient",
        title="Extragradient (EGPO, Nash-MP)",
        solves=BOTH,
        payoff_calls=2,
        answer="last",
        step_sizes={"largest": extragradient_cap, "nash_mp": nash_mp_step, "euclidean": euclidean_step},
        cite=(
            "zhou2025extragradient",
            "tiapkin2025accelerating",
            "nemirovski2004prox",
            "korpelevich1976extragradient",
            "gorbunov2022extragradient",
            "golowich2020last",
        ),
        trust="paper numbers",
        side_by_side=True,
        check=_check,
        solves_inclusions=True,
        aliases=("egpo", "mirror_prox", "nash_mp"),
        guarantees=(
            Contraction(
                name="extragradient-contraction",
                statement="KL(pi* || pi_{t+1}) <= (1 - eta beta) KL(pi* || pi_t)  if  lambda (lambda + beta) >= a^2",
                source="docs/theory.md, extragradient; the linear rate of Zhou et al. 2025 with constants",
                of="last",
                hypotheses=_within_cap,
                log_factor=anchored_log_factor,
            ),
            Contraction(
                name="nash-mirror-prox-rate",
                statement="KL(pi* || pi_{t+1}) <= KL(pi* || pi_t) / (1 + 2 beta)  if  eta = 1/(1/2 + beta), a <= 1/2",
                source="Tiapkin et al. 2025, rate (1 + 2 beta)^(-N/2) in N preference queries, two a step",
                of="last",
                hypotheses=_nash_mp_hypotheses,
                log_factor=_nash_mp_log_factor,
            ),
            Bound(
                name="extragradient-gap",
                statement="gap(pi_t) <= (2 beta + 2 a^2/beta) rho(B) (1 - eta beta)^t KL(pi* || pi_0)",
                source="docs/theory.md, from divergence to gap",
                of="last",
                hypotheses=_gap_hypotheses,
                quantity="gap",
                bound=contraction_gap,
            ),
            LocalRate(
                name="extragradient-local-rate",
                statement="KL falls by max_w |k + i eta w (k + i eta w)|^2 per step near pi*, k = 1 - eta beta",
                source="docs/theory.md, spectrum at the equilibrium",
                of="last",
                hypotheses=_local_hypotheses,
                factor=_local_factor,
            ),
            Bound(
                name="extragradient-residual",
                statement="|F(z_t)|^2 <= D^2 / (eta^2 (1 - eta^2 L^2) (t + 1))  for  eta <= 1 / (sqrt(2) L), "
                "Euclidean, without constraint",
                source="Gorbunov, Loizou and Gidel 2022",
                of="last",
                hypotheses=lambda rule, facts: _residual_hypotheses(rule, facts, 0.5**0.5, "1 / (sqrt(2) L)"),
                quantity="residual",
                bound=_residual_bound,
                trials=inclusion_trials(*MONOTONE, step_size="euclidean", geometry=Euclidean()),
            ),
            Bound(
                name="extragradient-small-step-residual",
                statement="|F(z_t)| <= 2 D / (eta sqrt(t))  for  eta <= 1 / (30 L), F linear, Euclidean, "
                "without constraint",
                source="Golowich et al. 2020",
                of="last",
                hypotheses=lambda rule, facts: _residual_hypotheses(rule, facts, 1.0 / 30.0, "1 / (30 L)"),
                quantity="residual",
                bound=_small_step_bound,
                trials=inclusion_trials("rotation", max_steps=8000, step_size=1.0 / 30.0, geometry=Euclidean()),
            ),
        ),
    )
)
class Extragradient(NamedTuple):
    r"""Look ahead with the current payoff, then step from the same base with the payoff found there.

    .. math::
        b_t \propto \pi_t^{1-\eta\beta}\, \mu^{\eta\beta}, \qquad
        \pi_{t+1/2} \propto b_t \exp(\eta A \pi_t), \qquad
        \pi_{t+1} \propto b_t \exp(\eta A \pi_{t+1/2})

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`; "largest" is the largest step with the linear rate, and ``1 / a`` at temperature 0, where the
        divergence from the equilibrium never rises; "nash_mp" is :math:`1/(1/2+\beta)`, "euclidean"
        :math:`1/(\sqrt 2 \|A\|_2)`.
    geometry : Entropic or Euclidean
        With ``Euclidean()`` steps are projected; for temperature 0, and for `solve_inclusion`. That is the method of
        Korpelevich.

    Notes
    -----
    Symbols of the papers. EGPO: :math:`\beta` is the temperature and :math:`\eta` the step; a gradient step with
    learning rate :math:`\alpha` on the pairwise loss over n responses is :math:`\eta = 4\alpha/(\beta n)`. Nash-MP:
    the proximal weight :math:`\lambda` gives :math:`\eta = 1/(\lambda + \beta)`, and its rate is
    :math:`\lambda/(\lambda+\beta)` a step with two payoff products. What never rises is the divergence; the duality
    gap may rise on the way.

    References
    ----------
    zhou2025extragradient, tiapkin2025accelerating, nemirovski2004prox, korpelevich1976extragradient,
    gorbunov2022extragradient, golowich2020last.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> solution = gp.solve(game, "extragradient", temperature=0.1, start=[0.5, 0.3, 0.2], tol=1e-12)
    >>> solution.policy.round(4), solution.n_steps < 100
    (array([0.3371, 0.2835, 0.3794]), True)
    """

    step_size: StepSize = "largest"
    geometry: Euclidean | Entropic = Entropic()

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        return State(x=start_in(problem, self.geometry), t=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        base = mean(problem, (state.x, problem.reference), (1.0 - pull, pull))
        half = prox(problem, base, field(problem, state.x, rng), eta)
        new = prox(problem, base, field(problem, half, rng), eta)
        return State(x=new, t=state.t + 1)
