r"""An extragradient step as long as its proof allows, for games whose Lipschitz constant nobody knows.

Let :math:`b \propto x^{1-\eta\beta} \mu^{\eta\beta}`, let :math:`y` be any policy and
:math:`y^+ \propto b \exp(\eta A y)`. Because A is skew, every equilibrium :math:`\pi^*` satisfies

.. math::
    KL(\pi^* \| y^+) \le (1-\eta\beta)\, KL(\pi^* \| x) + KL(y \| y^+) - (1-\eta\beta)\, KL(y \| x)
    - \eta\beta\, KL(y \| \pi^*),

with equality at a positive temperature. So a step from x to :math:`y^+` brings every equilibrium closer by the factor
:math:`1-\eta\beta` as soon as

.. math::
    KL(y \| y^+) \le (1-\eta\beta)\, KL(y \| x),

which a rule can check without knowing :math:`\pi^*`. Extragradient takes the half step for y; the proximal point method
solves :math:`y = y^+`.
"""

from __future__ import annotations

from typing import NamedTuple

from ..verbs import Direction, Generator, Point, TabularProblem, blend, divergence, field, mirror, part

# Divergences of two policies that agree to the last digits are of this size.
ROUNDING = 1e-30
# Bounds the search where no step passes: payoffs that are not finite, or sampled.
_MOST_TRIALS = 60


class Accepted(NamedTuple):
    """The end of a step, its size, and the payoff products that it took to find it."""

    x: Point
    step_size: float
    calls: int


@part
def accepted_step(
    problem: TabularProblem,
    x: Point,
    payoff: Direction,
    anchor: Point,
    temperature: float,
    step_size: float,
    shrink: float,
    rng: Generator,
) -> Accepted:
    r"""Return the extragradient step from x with the first of `step_size`, times `shrink`, ... that passes the test.

    `payoff` is that against x. With :math:`\eta^2 a^2 \le 1 - \eta\beta` every step passes, so that the step is
    at least `shrink` times the largest such :math:`\eta`, or the first one tried.
    """
    calls = 0
    while True:
        pull = step_size * temperature
        base = blend(problem, (x, anchor), (1.0 - pull, pull))
        half = mirror(problem, base, payoff, step_size)
        new = mirror(problem, base, field(problem, half, rng), step_size)
        calls += 1
        allowed = (1.0 - pull) * divergence(problem, half, x) + ROUNDING
        if divergence(problem, half, new) <= allowed or calls == _MOST_TRIALS:
            return Accepted(new, step_size, calls)
        step_size = step_size * shrink
