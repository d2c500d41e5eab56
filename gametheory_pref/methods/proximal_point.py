"""The proximal point method, exact and inexact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..verbs import (
    Generator,
    Point,
    TabularProblem,
    blend,
    bookmark,
    divergence,
    field,
    keep,
    mirror,
    normalize,
    step_size_at,
)
from ._adaptive import accepted_step
from ._info import (
    BOTH,
    Bound,
    Contraction,
    LocalRate,
    MethodInfo,
    StepFacts,
    StepSize,
    anchored_log_factor,
    balanced_step,
    exact_payoffs,
    first_reason,
    method,
)
from ._theory import constant_step, isolated, unique_equilibrium

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts

# Inner solves stop where double precision does: the divergence of policies that agree to 14 digits.
_EXACT = 1e-28
# Fewer inner steps than this are taken for a limit that the inner solves meet.
_ENOUGH = 1000
# More inner steps with sampled payoffs are a mistake: noise keeps them from every tolerance.
_MOST_SAMPLED = 100


def _solved(rule: Any, facts: Facts) -> str | None:
    relative = None if rule.relative_tol <= 1.0 else "relative_tol is above 1; the theorem needs at most 1"
    few = None if rule.inner_steps >= _ENOUGH else (
        f"inner_steps is {rule.inner_steps}, so that inner solves may end before their tolerance"
    )
    return first_reason(relative, few, exact_payoffs(facts), unique_equilibrium(facts))


def _exactly_solved(rule: Any, facts: Facts) -> str | None:
    exact = rule.inner_tol <= _EXACT
    loose = None if exact else f"inner_tol is {rule.inner_tol:g}; this theorem is about exact inner solves"
    return first_reason(loose, _solved(rule, facts))


def _local_rate_applies(rule: Any, facts: Facts) -> str | None:
    rough = None if rule.relative_tol == 0.0 else "relative_tol is positive; the spectrum is that of exact solves"
    return first_reason(rough, constant_step(rule), _exactly_solved(rule, facts), isolated(facts))


def _inexact_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    # The spread bounds the first divergence of each player.
    first = facts.spread * (facts.problem.blocks.size - 1)
    return np.asarray(first * np.exp(anchored_log_factor(rule, facts, steps)) + steps * rule.inner_tol)


def _local_factor(rule: Any, facts: Facts) -> float:
    eta = rule.step_size.scale
    k, w = 1.0 - eta * facts.temperature, facts.frequencies
    return float((k**2 / (1.0 + (eta * w) ** 2)).max())


def _check(rule: Any, facts: StepFacts) -> None:
    if not 0.0 < rule.inner_tol < float("inf"):
        raise InputError(f"inner_tol must be a positive number; got {rule.inner_tol!r}")
    if not 0.0 <= rule.relative_tol < float("inf"):
        raise InputError(f"relative_tol must be a number of at least 0; got {rule.relative_tol!r}")
    if not (isinstance(rule.inner_steps, int) and rule.inner_steps >= 1):
        raise InputError(f"inner_steps must be a whole number of at least 1; got {rule.inner_steps!r}")


def _unsampled(rule: Any) -> str | None:
    if not isinstance(rule.inner_steps, int) or rule.inner_steps <= _MOST_SAMPLED:
        return None
    return (
        f"proximal_point with sampled payoffs meets no tolerance, so that each step would take all its inner_steps, "
        f"{rule.inner_steps}; give inner_steps of at most {_MOST_SAMPLED}, such as 10"
    )


class State(NamedTuple):
    """The current policy, the number of steps taken, the last inner step size, and payoff products so far."""

    x: Point
    t: int
    inner_step_size: float
    calls: int


@method(
    MethodInfo(
        name="proximal_point",
        title="Proximal point (Nash-Prox)",
        solves=BOTH,
        payoff_calls=None,
        answer="last",
        step_sizes={"balanced": balanced_step},
        cite=("tiapkin2025accelerating", "nemirovski2004prox", "monteiro2010complexity"),
        trust="theory",
        aliases=("nash_prox",),
        check=_check,
        unsampled=_unsampled,
        guarantees=(
            Contraction(
                name="proximal-point-contraction",
                statement="KL(pi* || pi_{t+1}) <= (1 - eta beta) KL(pi* || pi_t)  for any  lambda = 1/eta - beta >= 0; "
                "at temperature 0 it never grows",
                source="docs/theory.md, proximal point; Tiapkin et al. 2025",
                of="last",
                hypotheses=_exactly_solved,
                log_factor=anchored_log_factor,
            ),
            Bound(
                name="proximal-point-inexact",
                statement="KL(pi* || pi_t) <= prod_s (1 - eta_s beta) D + t inner_tol  if every inner solve ends by "
                "its tolerances and relative_tol <= 1",
                source="docs/theory.md, proximal point; the relative error is that of Monteiro and Svaiter 2010",
                of="last",
                hypotheses=_solved,
                quantity="kl",
                bound=_inexact_bound,
            ),
            LocalRate(
                name="proximal-point-local-rate",
                statement="KL falls by max_w k^2 / (1 + eta^2 w^2) per step near pi*, k = 1 - eta beta",
                source="docs/theory.md, spectrum at the equilibrium",
                of="last",
                hypotheses=_local_rate_applies,
                factor=_local_factor,
            ),
        ),
    )
)
class ProximalPoint(NamedTuple):
    r"""Let the policy answer its own successor: every step solves a game that is regularised enough to be easy.

    .. math::
        \pi_{t+1} \propto \pi_t^{1-\eta\beta}\, \mu^{\eta\beta} \exp(\eta A \pi_{t+1})

    The right-hand side is the equilibrium equation of the same game at the temperature
    :math:`1/\eta = \lambda + \beta`, anchored at :math:`b \propto \pi_t^{1-\eta\beta} \mu^{\eta\beta}`. An inner
    loop of extragradient steps with adaptive step sizes finds a policy y that nearly solves it, and the reply
    :math:`y^+ \propto b \exp(\eta A y)` is played:

    .. math::
        KL(y \| y^+) \le \max(\varepsilon,\ \sigma (1-\eta\beta)\, KL(y \| \pi_t)).

    For the reply, unlike for y itself, the error enters the theorem without a factor: it is no more than
    :math:`\varepsilon` a step, and nothing at all for :math:`\sigma \le 1`.

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`; any with :math:`\eta\beta \le 1`. "balanced" is :math:`1/(a+\beta)`, so that
        :math:`\lambda = a = \max|A|`.
    inner_tol : float
        :math:`\varepsilon`; the default asks for what double precision can tell.
    relative_tol : float
        :math:`\sigma`; 0 is the exact method, 1 the loosest with the same rate.
    inner_steps : int
        Most inner steps for one outer step. Sampled payoffs meet no tolerance, so that all are taken; then it must be
        100 or less.

    Notes
    -----
    Tiapkin et al. write the weight :math:`\lambda` of the proximal term :math:`KL(\cdot \| \pi_t)` in place of the
    step :math:`\eta = 1/(\lambda+\beta)`. With a temperature of 0 and exact inner solves this is COMAL at
    :math:`\tau = 1/\eta`. The inner loop has its own steps, so ``State.calls`` counts payoff products.
    On random games of 8 to 600 responses the exact method takes about 50 a step, ``relative_tol=1`` about 4, in as many
    steps.

    References
    ----------
    tiapkin2025accelerating, nemirovski2004prox, monteiro2010complexity.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> exact = gp.solve(game, "proximal_point", temperature=0.1, tol=1e-12, jit=False)
    >>> exact.policy.round(4)
    array([0.3371, 0.2835, 0.3794])
    """

    step_size: StepSize = "balanced"
    inner_tol: float = _EXACT
    relative_tol: float = 0.0
    inner_steps: int = 10_000

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        return State(x=problem.start, t=0, inner_step_size=0.0, calls=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Solve one regularised game."""
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        anchor = normalize(problem, blend(problem, (state.x, problem.reference), (1.0 - pull, pull)))
        loose = self.relative_tol * (1.0 - pull)
        inner = state.inner_step_size if state.inner_step_size > 0.0 else eta
        y, calls = state.x, state.calls + 1
        since = bookmark(problem)
        payoff = field(problem, y, rng)
        reply = mirror(problem, anchor, payoff, eta)
        for _ in range(self.inner_steps):
            if divergence(problem, y, reply) <= max(self.inner_tol, loose * divergence(problem, y, state.x)):
                break
            found = accepted_step(problem, y, payoff, anchor, 1.0 / eta, min(1.2 * inner, eta), 0.5, rng)
            inner = found.step_size
            y = keep(problem, found.x, since)
            payoff = field(problem, y, rng)
            reply = mirror(problem, anchor, payoff, eta)
            calls += 1 + found.calls
        return State(x=reply, t=state.t + 1, inner_step_size=inner, calls=calls)
