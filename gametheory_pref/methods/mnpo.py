"""Multiplayer Nash preference optimisation as released: one player anchored at several of its past policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..verbs import (
    Anchor,
    Generator,
    Point,
    TabularProblem,
    anchors_of,
    blend,
    field,
    mirror,
    step_size_at,
)
from ._info import (
    BOTH,
    LocalRate,
    MethodInfo,
    StepFacts,
    StepSize,
    balanced_step,
    exact_payoffs,
    first_reason,
    method,
)
from ._theory import constant_step, isolated

if TYPE_CHECKING:
    from ..facts import Facts


def second_moment(weights: tuple[float, ...]) -> float:
    r"""Return :math:`m_2 = \sum_j \lambda_j j^2`; small steps damp rotation iff it exceeds 1."""
    return float(sum(weight * lag**2 for lag, weight in enumerate(weights)))


def _local_factor(rule: Any, facts: Facts) -> float:
    """Return the square of the largest root of ``z^J = k sum_j weight_j z^(J-1-j) + i eta w z^(J-1)`` for all w."""
    eta = rule.step_size.scale
    kept = -(1.0 - eta * facts.temperature) * np.array(rule.weights, dtype=np.complex128)
    largest = 0.0
    for frequency in facts.frequencies:
        polynomial = np.concatenate([[1.0], kept])
        polynomial[1] -= 1j * eta * frequency
        largest = max(largest, float(np.abs(np.roots(polynomial)).max()))
    return largest**2


def _local_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(exact_payoffs(facts), constant_step(rule), isolated(facts))


def _check(rule: Any, facts: StepFacts) -> None:
    weights = rule.weights
    numbers = isinstance(weights, tuple) and len(weights) > 0 and all(isinstance(w, float) for w in weights)
    if not (numbers and min(weights) >= 0.0 and abs(sum(weights) - 1.0) <= 1e-9):
        raise InputError(
            "weights must be a tuple of floats, none negative, that add up to 1, the weight of the current policy "
            f"first; got {weights!r}"
        )


class State(NamedTuple):
    """The current policy, the ones before it, the latest first, and the number of steps taken."""

    x: Point
    past: tuple[Anchor, ...]
    t: int


@method(
    MethodInfo(
        name="mnpo",
        title="Multiplayer Nash, anchored at history (TD-MNPO)",
        solves=BOTH,
        payoff_calls=1,
        answer="last",
        step_sizes={"balanced": balanced_step},
        cite=("wu2025multiplayer",),
        trust="theory",
        side_by_side=True,
        aliases=("td_mnpo",),
        check=_check,
        guarantees=(
            LocalRate(
                name="mnpo-local-rate",
                statement="KL changes by max |z|^2 a step near pi*, z^J = k sum_j weight_j z^(J-1-j) + i eta w z^(J-1)"
                " and k = 1 - eta beta; at temperature 0 and small eta it falls iff sum_j weight_j j^2 > 1 "
                "(if no number above 2 divides all j + 1 with weight)",
                source="docs/theory.md, historical anchors",
                of="last",
                hypotheses=_local_hypotheses,
                factor=_local_factor,
            ),
        ),
    )
)
class Mnpo(NamedTuple):
    r"""Mirror descent whose base is a geometric mean of the reference and of the last few policies.

    .. math::
        \pi_{t+1} \propto \mu^{\eta\beta} \left( \prod_j \pi_{t-j}^{\lambda_j} \right)^{1-\eta\beta}
        \exp(\eta A \pi_t)

    This is what the released loss of MNPO is minimised by. Its several opponents are the player's own past policies,
    and they enter as anchors only: the payoff is that against the current policy. The fixed point is the regularised
    equilibrium, whatever the weights. The lags damp rotation: at temperature 0 an equilibrium that plays every response
    attracts, for small steps, if and only if :math:`m_2 = \sum_j \lambda_j j^2 > 1`. Equal weights on three policies
    do (:math:`m_2 = 5/3`), on two do not (1/2), and on one this is multiplicative weights. (Provided that no
    number above 2 divides all :math:`j+1` with weight: looking back at the third policy alone interleaves three runs,
    of which some combination grows, for all its :math:`m_2 = 4`.)

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`; "balanced" is :math:`1/(a+\beta)`, with which three equal weights damp every rotation.
    weights : tuple of float
        :math:`\lambda_0, \lambda_1, \dots`: weights of the current policy, of the one before, ...; they add up to 1.

    Notes
    -----
    Symbols of the paper and its program: their ``eta`` is :math:`1/\eta`, ``ratio`` is :math:`\eta\beta`; hence
    :math:`\beta = \mathrm{ratio} \cdot \mathrm{eta}`. Before there is history, the start stands in for it. The
    update that the paper derives, in which opponents enter the payoff, is `MnpoPopulation`.

    References
    ----------
    wu2025multiplayer.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> solution = gp.solve(game, "mnpo", start=[0.5, 0.3, 0.2], tol=1e-9, jit=False)
    >>> solution.policy.round(4)
    array([0.3636, 0.2727, 0.3636])
    """

    step_size: StepSize = "balanced"
    weights: tuple[float, ...] = (1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0)

    def init(self, problem: TabularProblem) -> State:
        """Start at the start, as if the policy had always been there."""
        return State(x=problem.start, past=anchors_of(problem, problem.start, self.weights[1:]), t=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        recent = (Anchor(state.x.log),) + state.past  # noqa: RUF005 - numba knows no starred display
        history = blend(problem, recent, self.weights)
        base = blend(problem, (history, problem.reference), (1.0 - pull, pull))
        new = mirror(problem, base, field(problem, state.x, rng), eta)
        return State(x=new, past=recent[:-1], t=state.t + 1)
