"""Accelerated preference optimisation: momentum on the logarithms of a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..verbs import Generator, Point, TabularProblem, blend, field, mirror, normalize, step_size_at
from ._info import (
    BOTH,
    Bound,
    LocalRate,
    MethodInfo,
    StepFacts,
    StepSize,
    Trial,
    balanced_step,
    cold,
    exact_payoffs,
    first_reason,
    method,
    step_sizes_of,
)
from ._theory import constant_step, isolated, one_policy, spectral_radius

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts


def total_step(rule: Any, steps: IntArray) -> FloatArray:
    r"""Return :math:`W_T`, how far T steps move the logarithms along a payoff that never changes.

    The logarithms of the steps without momentum are :math:`V_{t+1} = V_t + \alpha (V_t - V_{t-1}) + \eta_t`, and
    :math:`W_T = V_T + \alpha (V_T - V_{T-1})`.
    """
    before, plain, total = 0.0, 0.0, [0.0]
    for eta in step_sizes_of(rule.step_size, steps):
        before, plain = plain, total[-1] + eta
        total.append(plain + rule.alpha * (plain - before))
    return np.array(total)[steps]


def _bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(2.0 * facts.spread / total_step(rule, steps))


def _constant_payoff(rule: Any, facts: Facts) -> str | None:
    scores = facts.payoff[:, 0]
    constant = np.allclose(facts.payoff, scores[:, None] - scores, rtol=0.0, atol=1e-12)
    varies = None if constant else "payoffs are no differences of scores; the theorem is about such, which never change"
    return first_reason(cold(facts), exact_payoffs(facts), one_policy(facts), varies)


def _any_preference(rule: Any, facts: Facts) -> str | None:
    return first_reason(cold(facts), exact_payoffs(facts), one_policy(facts))


def _local_factor(rule: Any, facts: Facts) -> float:
    eta, alpha = rule.step_size.scale, rule.alpha
    plain = 1.0 - eta * facts.temperature + 1j * eta * facts.frequencies
    return spectral_radius((1.0 + alpha) * plain, alpha * plain) ** 2


def _local_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(exact_payoffs(facts), constant_step(rule), isolated(facts))


def _check(rule: Any, facts: StepFacts) -> None:
    if not 0.0 <= rule.alpha < 1.0:
        raise InputError(f"alpha must be at least 0 and below 1; got {rule.alpha!r}")


class State(NamedTuple):
    """The current policy, the last one before its extrapolation, and the number of steps taken."""

    x: Point
    plain: Point
    t: int


# Scores whose differences are payoffs: no response gains by what the others do.
_TRANSITIVE = 0.5 + 0.25 * np.subtract.outer([0.0, 0.3, 0.7, 1.0, -0.4], [0.0, 0.3, 0.7, 1.0, -0.4])


@method(
    MethodInfo(
        name="accelerated",
        title="Accelerated preference optimisation (APO)",
        solves=BOTH,
        payoff_calls=1,
        answer="last",
        step_sizes={"balanced": balanced_step},
        cite=("he2024accelerated",),
        trust="theory",
        side_by_side=True,
        aliases=("apo",),
        check=_check,
        converges=False,
        guarantees=(
            Bound(
                name="accelerated-transitive",
                statement="gap(pi_T) <= 2 D / W_T, with W_T ~ eta T / (1 - alpha), if A_ij = r_i - r_j",
                source="docs/theory.md, momentum; the speed-up of He et al. 2024 in this case",
                of="last",
                hypotheses=_constant_payoff,
                quantity="gap",
                bound=_bound,
                trials=(
                    Trial(_TRANSITIVE, settings={"alpha": 0.0}),
                    Trial(_TRANSITIVE, settings={"alpha": 0.3}),
                    Trial(_TRANSITIVE, settings={"alpha": 0.6}),
                ),
            ),
            LocalRate(
                name="accelerated-local-rate",
                statement="KL changes by max |z|^2 per step near pi*, z^2 = (k + i eta w) ((1 + alpha) z - alpha), "
                "k = 1 - eta beta",
                source="docs/theory.md, spectrum at the equilibrium",
                of="last",
                hypotheses=_local_hypotheses,
                factor=_local_factor,
            ),
            Bound(
                name="accelerated-any-preference",
                statement="gap(pi_T) <= 2 D / W_T for every preference",
                source="the speed-up of He et al. 2024, taken for more than Bradley-Terry preferences",
                of="last",
                hypotheses=_any_preference,
                quantity="gap",
                bound=_bound,
                proved=False,
                trials=(
                    Trial("rock_paper_scissors", max_steps=2000),
                    Trial("comal", max_steps=2000),
                ),
            ),
        ),
    )
)
class Accelerated(NamedTuple):
    r"""Take a mirror descent step, then go on in the direction in which the last two such steps differ.

    .. math::
        \hat\pi_{t+1} \propto \pi_t^{1-\eta\beta}\, \mu^{\eta\beta} \exp(\eta A \pi_t), \qquad
        \pi_{t+1} \propto \hat\pi_{t+1} \left( \hat\pi_{t+1} / \hat\pi_t \right)^\alpha

    Where payoffs are differences of scores, :math:`A_{ij} = r_i - r_j`, every step points the same way and momentum
    makes T steps worth :math:`T/(1-\alpha)`. In a cycle the direction rotates, and momentum makes the policy spiral
    outwards faster than without: at temperature 0 do not use this method where preferences may be cyclic.

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`; "balanced" is :math:`1/(a+\beta)`.
    alpha : float
        Momentum, at least 0 and below 1; 0 is mirror descent.

    Notes
    -----
    The paper has :math:`\beta = 0` and writes :math:`\beta_{paper} = 1/\eta`; :math:`\alpha` is the same.

    References
    ----------
    he2024accelerated.

    Examples
    --------
    >>> import numpy as np
    >>> import gametheory_pref as gp
    >>> score = np.array([0.0, 0.3, 0.7, 1.0, -0.4])
    >>> win = 0.5 + 0.25 * (score[:, None] - score)
    >>> rules = [gp.METHODS["accelerated"](step_size=0.8, alpha=alpha) for alpha in (0.0, 0.3, 0.6)]
    >>> policies = [gp.solve(win, rule, tol=0.0, max_steps=40, jit=False).policy for rule in rules]
    >>> [float(f"{1.0 - score @ policy:.3g}") for policy in policies]
    [0.0275, 0.00977, 0.000849]
    """

    step_size: StepSize = "balanced"
    alpha: float = 0.3

    def init(self, problem: TabularProblem) -> State:
        """Start at the start, without momentum."""
        return State(x=problem.start, plain=problem.start, t=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        plain = mirror(problem, base, field(problem, state.x, rng), eta)
        new = normalize(problem, blend(problem, (plain, state.plain), (1.0 + self.alpha, -self.alpha)))
        return State(x=new, plain=plain, t=state.t + 1)
