"""Self-play preference optimisation with its squared loss: the log normaliser exact, or replaced by 1/2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._types import FloatArray, IntArray
from ..errors import InputError
from ..verbs import Generator, Point, Schedule, TabularProblem, combine, field, mirror, part, step_size_at
from ._info import (
    MINIMAX,
    Bound,
    MethodInfo,
    StepFacts,
    StepSize,
    cold,
    exact_payoffs,
    first_reason,
    method,
)
from ._theory import constant_step
from .multiplicative_weights import horizon_step

if TYPE_CHECKING:
    from ..facts import Facts


def paper_step(facts: StepFacts) -> Schedule:
    r"""Return the step of the paper's proof, :math:`D/\sqrt T`."""
    return Schedule(facts.spread / np.sqrt(facts.horizon))


def _check(rule: Any, facts: StepFacts) -> None:
    if not isinstance(rule.exact_normalizer, (bool, np.bool_)):
        raise InputError(f"exact_normalizer must be True or False; got {rule.exact_normalizer!r}")


def _average_hypotheses(rule: Any, facts: Facts) -> str | None:
    return first_reason(cold(facts), exact_payoffs(facts), constant_step(rule))


def _average_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    eta, a = rule.step_size.scale, facts.payoff_bound
    price = 1.0 if rule.exact_normalizer else np.exp(eta * a)
    with np.errstate(divide="ignore"):
        return np.asarray(2.0 * facts.spread / (eta * steps) + eta * a**2 * price)


@part
def wright_omega(y: float) -> float:
    """Return the positive solution z of ``z + log z = y``."""
    if y < -50.0:
        return float(np.exp(y))
    if y < -2.0:
        z = np.exp(y)
    elif y < 1.0:
        z = np.exp(2.0 * (y - 1.0) / 3.0)
    else:
        z = y - np.log(y) + np.log(y) / y
    # Two steps of Fritsch, Shafer and Crowley, of order four, from a start that is good to a few per cent.
    for _ in range(2):
        rest = y - z - np.log(z)
        bend = 2.0 * (z + 1.0) * (z + 1.0 + 2.0 * rest / 3.0)
        z *= 1.0 + rest / (z + 1.0) * (bend - rest) / (bend - 2.0 * rest)
    return float(z)


@part
def excess_mass(target: FloatArray, prob: FloatArray, first: int, last: int, nu: float) -> tuple[float, float]:
    """Return the mass of ``prob * exp(x)`` less 1, and its derivative in nu, where ``x + nu exp(x) = target``."""
    mass, slope = 0.0, 0.0
    for i in range(first, last):
        shift = wright_omega(np.log(nu) + target[i])
        ratio = np.exp(target[i] - shift)
        mass += prob[i] * ratio
        slope -= prob[i] * ratio * ratio / (1.0 + shift)
    return mass - 1.0, slope


@part
def normalizing_price(target: FloatArray, prob: FloatArray, first: int, last: int) -> float:
    """Return the multiplier nu >= 0 at which the mass is 1; `target` has mean 0 under `prob`."""
    low, high, variance = 0.0, 0.0, 0.0
    for i in range(first, last):
        high = max(high, target[i])
        variance += prob[i] * target[i] * target[i]
    nu = min(0.5 * variance, high)
    # Newton's method for a mass that falls in nu, with bisection where it leaves the bracket.
    for _ in range(200):
        if nu <= 0.0 or high - low <= 1e-16 * high:
            break
        excess, slope = excess_mass(target, prob, first, last, nu)
        if excess > 0.0:
            low = nu
        else:
            high = nu
        new = nu - excess / slope
        if not low < new < high:
            new = 0.5 * (low + high)
        if abs(new - nu) <= 1e-16 * (1.0 + nu):
            break
        nu = new
    return nu


@part
def regress_on_simplex(target: FloatArray, prob: FloatArray, blocks: IntArray) -> None:
    """Turn the targets of a squared loss into the log-ratios of the policy that minimises it on the simplex."""
    for block in range(blocks.size - 1):
        first, last = blocks[block], blocks[block + 1]
        mean = 0.0
        for i in range(first, last):
            mean += prob[i] * target[i]
        # 0 for exact payoffs; a sample of win rates among one's own responses has mean 1/2 too.
        for i in range(first, last):
            target[i] -= mean
        nu = normalizing_price(target, prob, first, last)
        if nu > 0.0:
            for i in range(first, last):
                target[i] -= wright_omega(np.log(nu) + target[i])


class State(NamedTuple):
    """The current policy and the number of steps taken."""

    x: Point
    t: int


@method(
    MethodInfo(
        name="sppo",
        title="Self-play preference optimisation (SPPO)",
        solves=MINIMAX,
        payoff_calls=1,
        answer="average",
        step_sizes={"horizon": horizon_step, "paper": paper_step},
        cite=("wu2025sppo",),
        trust="theory",
        tabular_only=True,
        indexes_arrays=True,
        check=_check,
        guarantees=(
            Bound(
                name="sppo-average",
                statement="gap(average) <= 2 D / (eta T) + eta a^2 exp(eta a); without exp(...) if log Z is exact",
                source="Wu et al. 2025, O(1/sqrt(T)); the constants from docs/theory.md, multiplicative weights",
                of="average",
                hypotheses=_average_hypotheses,
                quantity="gap",
                bound=_average_bound,
            ),
        ),
    )
)
class SPPO(NamedTuple):
    r"""Regress the log-ratio to the current policy on its win rates less 1/2, and take the best policy of all.

    .. math::
        \pi_{t+1} = \arg\min_\pi \mathrm{E}_{y\sim\pi_t}
        \Bigl(\log\frac{\pi(y)}{\pi_t(y)} - \eta\,(A\pi_t)(y) \Bigr)^2

    Parameters
    ----------
    exact_normalizer : bool
        Whether the loss has :math:`\log Z_t` in it; its minimiser is then the step of `MultiplicativeWeights`. The
        paper puts 1/2 in its place, as above.
    step_size : float, str or Schedule
        :math:`\eta`; "horizon" is that of `MultiplicativeWeights`, "paper" is :math:`D/\sqrt T`.

    Notes
    -----
    The minimiser over the simplex is no shifted copy of the target: with :math:`x = \log(\pi/\pi_t)` it solves
    :math:`x_i + \nu e^{x_i} = \eta (A\pi_t)_i` for the :math:`\nu \ge 0` that makes the mass 1, and
    :math:`\nu = \mathrm{KL}(\pi_t\|\pi_{t+1})`. It differs from multiplicative weights in the third order of
    :math:`\eta`: nothing to see for :math:`\eta \le 1`, everything at the 1000 of the released code.

    The price in the bound: :math:`\nu \le \log Z_t \le \eta^2a^2/2` by Jensen and Hoeffding, and it is paid at most
    :math:`e^{\eta a}` times.

    Symbols of the paper: its :math:`\eta` is the step here; ``beta`` in the released code is :math:`1/\eta`.

    References
    ----------
    wu2025sppo.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> for exact in (True, False):
    ...     rule = gp.METHODS["sppo"](exact_normalizer=exact, step_size=5.0)
    ...     first = gp.solve(game, rule, start=[0.5, 0.3, 0.2], tol=0.0, max_steps=1)
    ...     first.run.resume.state.x.prob.round(4)
    array([0.3401, 0.5019, 0.158 ])
    array([0.3519, 0.4858, 0.1623])
    """

    exact_normalizer: bool = False
    step_size: StepSize = "horizon"

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        return State(x=problem.start, t=0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        eta = step_size_at(self.step_size, state.t)
        target = combine(problem, (field(problem, state.x, rng),), (eta,))
        if not self.exact_normalizer:
            regress_on_simplex(target.value, state.x.prob, problem.blocks)
        return State(x=mirror(problem, state.x, target, 1.0), t=state.t + 1)
