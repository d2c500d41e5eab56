"""Play against a running average of one's own past policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._check import non_negative
from ..errors import InputError
from ..verbs import Generator, Point, Schedule, TabularProblem, blend, field, mirror, normalize, step_size_at
from ._info import (
    REGULARIZED,
    LocalRate,
    MethodInfo,
    StepFacts,
    StepSize,
    exact_payoffs,
    first_reason,
    method,
    mirror_descent_cap,
    warm,
)
from ._theory import constant_step, spectral_radius

if TYPE_CHECKING:
    from ..facts import Facts


def cautious_step(facts: StepFacts) -> Schedule:
    """Return a tenth of the largest step of mirror descent, as an opponent that lags by ten steps asks for."""
    return Schedule(0.1 * mirror_descent_cap(facts).scale)


def _check(rule: Any, facts: StepFacts) -> None:
    if non_negative(rule.decay, name="decay") >= 1.0:
        raise InputError(f"decay must be at least 0 (the latest policy alone) and below 1; got {rule.decay!r}")


def _local_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(warm(facts), exact_payoffs(facts), constant_step(rule))


def _local_factor(rule: Any, facts: Facts) -> float:
    eta, new = rule.step_size.scale, 1.0 - rule.decay
    k, turn = 1.0 - eta * facts.temperature, 1j * eta * facts.frequencies
    return spectral_radius(k + rule.decay + new * turn, k * rule.decay + 0.0 * turn) ** 2


class State(NamedTuple):
    """The current policy, the running average of all, and the number of steps taken."""

    x: Point
    average: Point
    t: int


@method(
    MethodInfo(
        name="nash_ema",
        title="Nash-EMA",
        solves=REGULARIZED,
        payoff_calls=1,
        answer="last",
        step_sizes={"cautious": cautious_step},
        cite=("munos2024nash",),
        trust="experimental",
        side_by_side=True,
        check=_check,
        guarantees=(
            LocalRate(
                name="nash-ema-local-rate",
                statement="KL falls by max_w max|z|^2 per step near pi*, "
                "z^2 - (k + d + (1 - d) i eta w) z + k d = 0, k = 1 - eta beta, d the decay",
                source="docs/theory.md, spectrum at the equilibrium",
                of="last",
                hypotheses=_local_hypotheses,
                factor=_local_factor,
            ),
        ),
    )
)
class NashEMA(NamedTuple):
    r"""Anchored step with the payoff against the exponential moving average of past policies, taken in logarithms.

    .. math::
        \pi_{t+1} \propto \pi_t^{1-\eta\beta}\, \mu^{\eta\beta} \exp(\eta A \bar\pi_t), \qquad
        \bar\pi_{t+1} \propto \bar\pi_t^{d}\, \pi_{t+1}^{1-d}

    Parameters
    ----------
    decay : float
        d, the share of the old average that is kept; 0 is `MirrorDescent`. The paper keeps 0.999 of the parameters.
    step_size : float, str or Schedule
        :math:`\eta`; "cautious" is :math:`0.1\,\beta/(\beta^2+a^2)`, stable near the equilibrium for a decay of up to
        0.9. A slower average asks for smaller steps, roughly in proportion to ``1 - decay``.

    Notes
    -----
    The paper offers this opponent without a theorem. Its limit, where it has one, is the equilibrium. An opponent that
    lags behind makes the rotation harder to damp, not easier: it is most harmful when ``1 - decay`` is near
    :math:`\eta\beta`. Symbols of the paper: :math:`\tau` is the temperature.

    References
    ----------
    munos2024nash.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> gp.solve(game, "nash_ema", temperature=0.1, start=[0.5, 0.3, 0.2], tol=1e-10).policy.round(4)
    array([0.3371, 0.2835, 0.3794])
    """

    decay: float = 0.8
    step_size: StepSize = "cautious"

    def init(self, problem: TabularProblem) -> State:
        """Start at the start, which is the average of itself."""
        return State(x=problem.start, average=problem.start, t=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        new = mirror(problem, base, field(problem, state.average, rng), eta)
        average = normalize(problem, blend(problem, (state.average, new), (self.decay, 1.0 - self.decay)))
        return State(x=new, average=average, t=state.t + 1)
