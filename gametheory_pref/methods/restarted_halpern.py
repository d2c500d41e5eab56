"""Restarted, reflected Halpern iteration on the primal-dual hybrid gradient map, for large games."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._check import non_negative
from ..errors import InputError
from ..verbs import (
    Direction,
    Generator,
    Mixture,
    Schedule,
    TabularProblem,
    combine,
    field_of_side,
    inner,
    mixture,
    no_direction,
    part,
    project_side,
    share_of_side,
    square_distance,
    start_of_side,
    step_size_at,
)
from ._info import (
    MINIMAX,
    Bound,
    MethodInfo,
    StepFacts,
    StepSize,
    Trial,
    cold,
    exact_payoffs,
    first_reason,
    method,
    within,
)
from ._theory import constant_step, known_distance, start_distance

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts


def largest_step(facts: StepFacts) -> Schedule:
    r"""Return :math:`\eta = 0.998 / \|A\|_2`, with which the map is firmly nonexpansive."""
    return Schedule(0.998 / facts.norm)


def _check(rule: RestartedHalpern, facts: StepFacts) -> None:
    if not 0.0 <= rule.reflection <= 1.0:
        raise InputError(f"reflection must lie in [0, 1]; got {rule.reflection!r}")
    for name in ("sufficient", "necessary", "share"):
        if non_negative(getattr(rule, name), name=name) > 1.0:
            raise InputError(f"{name} must lie in [0, 1]; got {getattr(rule, name)!r}")
    if not rule.growth >= 1.0:
        raise InputError(f"growth must be at least 1 (1 keeps the step size); got {rule.growth!r}")
    if not non_negative(rule.check_every, name="check_every").is_integer():
        raise InputError(f"check_every must be a whole number (0 never restarts); got {rule.check_every!r}")


def _hypotheses(rule: RestartedHalpern, facts: Facts) -> str | None:
    return first_reason(
        None if rule.check_every == 0 else "the iteration restarts (check_every > 0); the theorem is about one epoch",
        constant_step(rule),
        cold(facts),
        exact_payoffs(facts),
        known_distance(facts),
        within(rule.step_size, 1.0 / max(facts.norm, 1e-12), "1 / L"),
    )


def _gap_bound(rule: RestartedHalpern, facts: Facts, steps: IntArray) -> FloatArray:
    speed, most = 1.0 / rule.step_size.scale, 1.0 / rule.step_size.scale + facts.norm
    size = (2.0 * speed * most) ** 0.5 if facts.is_symmetric else most
    with np.errstate(divide="ignore"):
        return np.asarray(2.0 * size * start_distance(facts) * 2.0 / ((1.0 + rule.reflection) * steps))


def _trials() -> tuple[Trial, ...]:
    settings: tuple[dict[str, Any], ...] = ({"check_every": 0}, {"check_every": 0, "reflection": 0.0})
    games = ("comal", "dominated_lizard", "random_10_0", "random_10_1")
    return tuple(Trial(game, settings=chosen, max_steps=2000) for game in games for chosen in settings)


class Epoch(NamedTuple):
    """What happened since the last restart.

    Attributes
    ----------
    length : int
        Steps taken.
    first, last : float
        Residual at the first step, and at the last check; infinite before there was one.
    steepest : float
        Largest ratio of what the payoff turned to what the step size allows; above 1 the map is not nonexpansive.
    """

    length: int
    first: float
    last: float
    steepest: float


class State(NamedTuple):
    """The answer, the iterates of both sides, their anchors, all with payoffs, and a factor of the step size."""

    x: Mixture
    payoff: Direction
    t: int
    calls: int
    z: Mixture
    w: Mixture
    payoff_z: Direction
    payoff_w: Direction
    z_0: Mixture
    w_0: Mixture
    payoff_z_0: Direction
    payoff_w_0: Direction
    residual: float
    stretch: float
    growth: float
    epoch: Epoch


@part
def due(rule: RestartedHalpern, t: int, epoch: Epoch, residual: float) -> bool:
    """Return whether the iteration starts again: the residual fell enough, or rises again, or the epoch is long."""
    if rule.check_every == 0 or epoch.length % rule.check_every != 0:
        return False
    much = residual <= rule.sufficient * epoch.first
    some = residual <= rule.necessary * epoch.first
    return much or (some and residual > epoch.last) or epoch.length >= rule.share * t


@method(
    MethodInfo(
        name="restarted_halpern",
        title="Restarted Halpern-PDHG",
        solves=MINIMAX,
        payoff_calls=None,
        answer="last",
        step_sizes={"largest": largest_step},
        cite=("lu2024restarted", "chen2024hprlp"),
        trust="theory",
        tabular_only=True,
        check=_check,
        uses_norm=True,
        projects=True,
        alternates=True,
        guarantees=(
            Bound(
                name="halpern-pdhg-gap",
                statement="gap(pi_t) <= c sqrt(2 (1/eta + L) / eta) |pi_0 - pi*| / t  for  eta <= 1 / L, without "
                "restarts; c = 4 / (1 + reflection), and for two players c (1/eta + L) |pi_0 - pi*| / t",
                source="docs/theory.md, two copies; the residual: Lieder 2021 on the reflected map",
                of="last",
                hypotheses=_hypotheses,
                quantity="gap",
                bound=_gap_bound,
                trials=_trials(),
            ),
        ),
    )
)
class RestartedHalpern(NamedTuple):
    r"""Anchor the reflected primal-dual hybrid gradient map to where it last restarted.

    Two copies :math:`z, w` of the policy, or two players, play each other. With the skew payoff :math:`A`,

    .. math::
        z^+ = \Pi(z + \eta A w), \qquad w^+ = \Pi(w + \eta A (2 z^+ - z)),

    is a firmly nonexpansive map :math:`T` in the norm
    :math:`\|(z, w)\|_M^2 = (\|z\|^2 + \|w\|^2)/\eta - 2 \langle w, A z\rangle`, for :math:`\eta \|A\|_2 < 1`. Halpern's
    iteration on its reflection, with :math:`k` steps since the last restart and :math:`\rho` the `reflection`,

    .. math::
        u_{k+1} = \frac{k+1}{k+2} \big((1+\rho) T u_k - \rho u_k\big) + \frac{1}{k+2} u_0,

    has the residual :math:`\|u_k - T u_k\|_M \le \|u_0 - u^*\|_M / (k+1)` for :math:`\rho = 1`. Games are sharp, so
    that restarts make the rate linear. The answer is the mean of both copies of :math:`T u_k`; the anchored point lags
    behind. Every iterate of a projection is a policy, so that only optimality is left to polish.

    The first step size suits the whole payoff, but near an equilibrium only the responses that are played matter. So
    at a restart the step grows, by at most the factor `growth`, as far as the steepest turn since the last one allows.
    Where a step turns out to be too long, the iteration restarts with a shorter one, and `growth` is replaced by its
    square root. A norm that was underestimated is mended in the same way.

    Parameters
    ----------
    step_size : float or "largest"
        :math:`\eta`, to start with.
    growth : float
        Largest factor by which the step grows at a restart; 1 keeps the theorem's step.
    reflection : float
        :math:`\rho` in [0, 1].
    check_every : int
        Steps between checks for a restart; 0 never restarts.
    sufficient : float
        Restart when the residual is at most this share of that of the epoch's first step;
    necessary : float
        or at most this share of it, and rising;
    share : float
        or when the epoch holds this share of all steps.

    Notes
    -----
    In a two-player game :math:`z` is the column player's policy and :math:`w` the row player's, and the answer is both.
    Primal weights would balance variables of different size; policies have the same, and measured, weights change
    nothing, so that there are none.

    References
    ----------
    lu2024restarted, chen2024hprlp.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> P = [[0.5, 0.1, 0.8], [0.9, 0.5, 0.1], [0.2, 0.9, 0.5]]
    >>> solution = gp.solve(P, "restarted_halpern", tol=1e-12, jit=False)
    >>> solution.policy.round(4), solution.n_steps
    (array([0.3636, 0.2727, 0.3636]), 178)
    """

    step_size: StepSize = "largest"
    growth: float = 2.0
    reflection: float = 1.0
    check_every: int = 40
    sufficient: float = 0.2
    necessary: float = 0.8
    share: float = 0.36

    def init(self, problem: TabularProblem) -> State:
        """Start both sides, and the anchor, at the start."""
        start, z, w = Mixture(problem.start.prob), start_of_side(problem, 1), start_of_side(problem, 0)
        unknown = no_direction(problem)
        infinite = float("inf")
        return State(
            x=start, payoff=unknown, t=0, calls=0, z=z, w=w, payoff_z=unknown, payoff_w=unknown,
            z_0=z, w_0=w, payoff_z_0=unknown, payoff_w_0=unknown,
            residual=infinite, stretch=1.0, growth=self.growth,
            epoch=Epoch(0, infinite, infinite, 0.0),
        )  # fmt: skip

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        old_z, old_w, anchor_z, anchor_w = state.payoff_z, state.payoff_w, state.payoff_z_0, state.payoff_w_0
        share = share_of_side(problem)
        # Two products of one side each are one of both sides in a two-player game.
        calls = state.calls + int(1.0 / share)
        if state.t == 0:
            calls *= 2
            old_z = anchor_z = field_of_side(problem, state.z, 0, rng)
            old_w = anchor_w = field_of_side(problem, state.w, 1, rng)
        eta, stretch = state.stretch * step_size_at(self.step_size, state.t), state.stretch
        z = project_side(problem, state.z, old_w, eta, 1)
        payoff_z = field_of_side(problem, z, 0, rng)
        ahead = combine(problem, (payoff_z, old_z), (2.0, -1.0))
        w = project_side(problem, state.w, ahead, eta, 0)
        payoff_w = field_of_side(problem, w, 1, rng)

        moved = (square_distance(problem, state.z, z) + square_distance(problem, state.w, w)) / eta
        turned = 2.0 * inner(problem, combine(problem, (payoff_z, old_z), (1.0, -1.0)), state.w, w)
        steepness = abs(turned) / moved if moved > 0.0 else 0.0
        residual = max(moved + turned, 0.0) ** 0.5
        length = state.epoch.length + 1
        epoch = Epoch(
            length,
            residual if length == 1 else state.epoch.first,
            state.epoch.last,
            max(steepness, state.epoch.steepest),
        )
        x = mixture(problem, (z, w), (share, share))
        payoff = combine(problem, (payoff_z, payoff_w), (share, share))
        too_long = self.check_every > 0 and steepness > 0.998
        infinite = float("inf")
        # By position, because numba takes at most 15 arguments by keyword.
        if too_long or due(self, state.t + 1, epoch, residual):
            if too_long:
                stretch, growth = stretch * 0.7 / steepness, state.growth**0.5
            else:
                stretch, growth = stretch * min(max(0.9 / max(epoch.steepest, 1e-9), 1.0), state.growth), state.growth
            return State(
                x, payoff, state.t + 1, calls,
                z, w, payoff_z, payoff_w,
                z, w, payoff_z, payoff_w,
                residual, stretch, growth, Epoch(0, infinite, infinite, 0.0),
            )  # fmt: skip
        checked = self.check_every > 0 and length % self.check_every == 0
        weight = length / (length + 1.0)
        weights = (weight * (1.0 + self.reflection), -weight * self.reflection, 1.0 - weight)
        return State(
            x,
            payoff,
            state.t + 1,
            calls,
            mixture(problem, (z, state.z, state.z_0), weights),
            mixture(problem, (w, state.w, state.w_0), weights),
            combine(problem, (payoff_z, old_z, anchor_z), weights),
            combine(problem, (payoff_w, old_w, anchor_w), weights),
            state.z_0,
            state.w_0,
            anchor_z,
            anchor_w,
            residual,
            stretch,
            state.growth,
            Epoch(length, epoch.first, residual if checked else epoch.last, epoch.steepest),
        )
