"""Variance-reduced extragradient and mirror prox: a whole product now and then, single opponents in between."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..verbs import (
    Anchor,
    Direction,
    Euclidean,
    Generator,
    Mixture,
    Point,
    Schedule,
    TabularProblem,
    blend,
    chance,
    combine,
    field,
    mirror,
    mixture,
    moved_difference,
    part,
    players_in,
    project,
    start_in,
    step_size_at,
    term_count,
    term_difference,
    term_weights,
    terms_drawn,
)
from ._info import (
    MINIMAX,
    Bound,
    MethodInfo,
    StepFacts,
    StepSize,
    Trial,
    cold,
    first_reason,
    mean_norm_of,
    method,
)
from ._theory import constant_step

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts


def inverse_mean_norm(facts: StepFacts) -> Schedule:
    r"""Return :math:`1/L` for the Lipschitz constant of the terms; :math:`\|A\|_F` for columns of a table."""
    return Schedule(1.0 / mean_norm_of(facts))


def inverse_bound(facts: StepFacts) -> Schedule:
    r"""Return :math:`1/\max|A|`, the Lipschitz constant between the 1-norm and the largest entry."""
    return Schedule(1.0 / facts.payoff_bound)


def unsampled(rule: Any) -> str:
    """Return why these rules see no samples of an oracle."""
    return f"{rule.info.name} draws opponents by itself, by a law of its own; leave oracle out, and pass rng"


@part
def refresh_probability(problem: TabularProblem, chosen: float) -> float:
    """Return the probability of a new snapshot: the one chosen, or 2 draws in as many as make up a product."""
    if chosen > 0.0:
        return min(chosen, 1.0)
    return min(2.0 * terms_drawn(problem) / term_count(problem), 1.0)


@part
def epoch_length(problem: TabularProblem, chosen: int) -> int:
    """Return the length of an epoch: the one chosen, or half as many draws as make up a product."""
    return chosen if chosen > 0 else max(term_count(problem) // (2 * terms_drawn(problem)), 1)


def _draws(facts: Facts) -> float:
    """Return how many draws make up a product of a table, one column for each player."""
    return facts.n / players_in(facts.problem.blocks)


def _check_gamma(rule: Any) -> None:
    if not 0.0 < rule.gamma < 1.0:
        raise InputError(f"gamma of {rule.info.name} must lie between 0 and 1; got {rule.gamma!r}")


# -- extragradient


def _check_extragradient(rule: Any, facts: StepFacts) -> None:
    _check_gamma(rule)
    if not 0.0 <= rule.refresh <= 1.0:
        raise InputError(f"refresh must be a probability, or 0 for the default 2/N; got {rule.refresh!r}")


def _probability(rule: Any, facts: Facts) -> float:
    return float(rule.refresh) if rule.refresh > 0.0 else min(2.0 / _draws(facts), 1.0)


def _extragradient_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    start, blocks = facts.problem.start.prob, facts.problem.blocks
    policies = [start[a:b] for a, b in itertools.pairwise(blocks)]
    farthest = sum(float(policy @ policy + 1.0 - 2.0 * policy.min()) for policy in policies)
    # The theorem is for 2 gamma eta = 1 / L; a shorter step is that of a larger L, which is as true.
    scale = 17.5 / (2.0 * rule.gamma * rule.step_size.scale * np.sqrt(_probability(rule, facts)))
    return _whole_average(facts, scale * farthest, steps, np.zeros(len(steps)))


def _whole_average(facts: Facts, total: float, steps: IntArray, loose: Any) -> FloatArray:
    """Return the bound on the gap of the average of the start and all half steps but the last.

    `total` is what the theorem gives, times the number of steps that it counts; `loose` steps it does not count have a
    gap of at most ``2 max |A|``, as the start has. The gap is convex.
    """
    regrets = (total + (loose + 1.0) * 2.0 * facts.payoff_bound) / steps
    return np.asarray(2.0 * regrets if facts.is_symmetric else regrets)


class ExtragradientState(NamedTuple):
    """The last half step, the iterate, the snapshot with its payoff, the law of draws, and terms evaluated so far."""

    x: Mixture
    t: int
    z: Mixture
    snapshot: Mixture
    payoff: Direction
    weights: Direction
    calls: int


@method(
    MethodInfo(
        name="vr_extragradient",
        title="Variance-reduced extragradient",
        solves=MINIMAX,
        payoff_calls=None,
        answer="average",
        step_sizes={"theory": inverse_mean_norm},
        cite=("alacaoglu2022stochastic",),
        trust="theory",
        check=_check_extragradient,
        unsampled=unsampled,
        samples_terms=True,
        projects=True,
        solves_inclusions=True,
        guarantees=(
            Bound(
                name="vr-extragradient-average",
                statement="E gap(average of half steps) <= 17.5 L max_z |z_0 - z|^2 / (2 gamma sqrt(p) T)  "
                "for  gamma <= 1/2",
                source="Alacaoglu and Malitsky 2022; docs/theory.md, variance reduction",
                of="average",
                sampled=True,
                hypotheses=lambda rule, facts: first_reason(
                    cold(facts), constant_step(rule), _half(rule), _theory_step(rule, facts)
                ),
                quantity="gap",
                bound=_extragradient_bound,
                trials=tuple(
                    Trial(game, settings={"gamma": 0.5}, max_steps=20_000, per_decade=16, seeds=20)
                    for game in ("comal", "random_30_1")
                ),
            ),
        ),
    )
)
class VRExtragradient(NamedTuple):
    r"""Extragradient from a snapshot, corrected by one opponent drawn anew in every step.

    With the iterate :math:`z`, the snapshot :math:`w` and :math:`\bar z = (1-p) z + p w`,

    .. math::
        z_{1/2} = \Pi(\bar z + \tau A w), \qquad
        z^+ = \Pi\big(\bar z + \tau [A w + \hat A (z_{1/2} - w)]\big), \qquad \tau = \gamma \sqrt{p}\, \eta,

    where :math:`\hat A (z_{1/2} - w)` is a sample without bias: a column of A for each player, drawn in proportion to
    its squared norm. With probability p the new iterate becomes the snapshot, and its payoff is computed. The theorem
    is about the average of the half steps, which is the answer; ``trace.gap_last`` is that of the last.

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`; "theory" is 1/L, with the Lipschitz constant of the terms: :math:`\|A\|_F` for columns of a
        table. It is scaled down by :math:`\gamma\sqrt p`.
    gamma : float
        :math:`\gamma` below 1. The default, 0.99, is beyond the theorem, whose constant is for at most 1/2; with
        ``gamma=0.5`` it can be put to the test.
    refresh : float
        p; 0 stands for :math:`2/N`, where N draws make up a payoff product.

    Notes
    -----
    ``State.calls`` counts terms: a payoff product counts as one for each of its columns, a draw as two for each player,
    because the sample is of a difference. It needs fewer products than extragradient by a factor of about
    :math:`\|A\|_2 \sqrt{N/2} / \|A\|_F`, which ``solution.run.facts.variance_reduction`` tells: large for payoffs of
    low rank. It is about 1.4 for payoffs that are noise, for which extragradient is better. A mean of terms of its own,
    such as an operator's, is sampled evenly.

    References
    ----------
    alacaoglu2022stochastic.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> solution = gp.solve(game, "vr_extragradient", tol=1e-3, rng=0, jit=False)
    >>> solution.policy.round(2), solution.n_steps, solution.payoff_calls
    (array([0.36, 0.27, 0.36]), 316, 419)
    """

    step_size: StepSize = "theory"
    gamma: float = 0.99
    refresh: float = 0.0

    def init(self, problem: TabularProblem) -> ExtragradientState:
        """Start at the start, which is the first snapshot."""
        start = start_in(problem, Euclidean())
        return ExtragradientState(
            x=start, t=0, z=start, snapshot=start, payoff=field(problem, start, None), weights=term_weights(problem),
            calls=term_count(problem),
        )  # fmt: skip

    def step(self, problem: TabularProblem, state: ExtragradientState, rng: Generator) -> ExtragradientState:
        """Take one step."""
        p = refresh_probability(problem, self.refresh)
        tau = self.gamma * p**0.5 * step_size_at(self.step_size, state.t)
        base = mixture(problem, (state.z, state.snapshot), (1.0 - p, p))
        half = project(problem, base, state.payoff, tau)
        correction = term_difference(problem, half, state.snapshot, state.weights, rng)
        new = project(problem, base, combine(problem, (state.payoff, correction), (1.0, 1.0)), tau)
        snapshot, payoff, calls = state.snapshot, state.payoff, state.calls + 2 * terms_drawn(problem)
        if chance(problem, p, rng):
            snapshot, payoff, calls = new, field(problem, new, rng), calls + term_count(problem)
        return ExtragradientState(
            x=half, t=state.t + 1, z=new, snapshot=snapshot, payoff=payoff, weights=state.weights, calls=calls
        )


def _half(rule: Any) -> str | None:
    return None if rule.gamma <= 0.5 else f"gamma is {rule.gamma:g}; the theorem's constant is for at most 1/2"


def _theory_step(rule: Any, facts: Facts) -> str | None:
    largest = 1.0 / facts.mean_norm
    if rule.step_size.scale <= largest * (1.0 + 1e-12):
        return None
    return f"step_size is {rule.step_size.scale:.4g}; the theorem needs at most 1/L = {largest:.4g}"


# -- mirror prox


def _check_mirror_prox(rule: Any, facts: StepFacts) -> None:
    _check_gamma(rule)
    if not (isinstance(rule.epoch, (int, np.integer)) and rule.epoch >= 0):
        raise InputError(f"epoch must be a whole number of steps, or 0 for the default N/2; got {rule.epoch!r}")


def _length(rule: Any, facts: Facts) -> int:
    return int(rule.epoch) or max(int(facts.n // (2 * players_in(facts.problem.blocks))), 1)


def _mirror_prox_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    length = _length(rule, facts)
    noise = 8.0 * rule.gamma**2 / (1.0 - rule.gamma**2)
    blocks = facts.problem.blocks
    spread = -sum(float(facts.problem.start.log[a:b].min()) for a, b in itertools.pairwise(blocks))
    tau = rule.gamma * np.sqrt(1.0 / length) * rule.step_size.scale
    # alpha + K (1 - alpha) with alpha = 1 - 1/K.
    weight = 1.0 + (1.0 + noise) * (2.0 - 1.0 / length)
    return _whole_average(facts, weight * spread / tau, steps, np.maximum(steps - 1, 0) % length)


def _within_bound(rule: Any, facts: Facts) -> str | None:
    largest = 1.0 / facts.payoff_bound if facts.payoff_bound > 0.0 else np.inf
    if rule.step_size.scale <= largest * (1.0 + 1e-12):
        return None
    return f"step_size is {rule.step_size.scale:.4g}; the theorem needs at most 1/max|A| = {largest:.4g}"


class MirrorProxState(NamedTuple):
    """The last half step, the iterate, the snapshot in both means with its payoff, and the means of this epoch."""

    x: Point
    t: int
    z: Point
    center: Anchor
    snapshot: Mixture
    payoff: Direction
    log_sum: Anchor
    prob_sum: Mixture
    calls: int


@method(
    MethodInfo(
        name="vr_mirror_prox",
        title="Variance-reduced mirror prox",
        solves=MINIMAX,
        payoff_calls=None,
        answer="average",
        step_sizes={"theory": inverse_bound},
        cite=("alacaoglu2022stochastic",),
        trust="theory",
        check=_check_mirror_prox,
        unsampled=unsampled,
        samples_terms=True,
        guarantees=(
            Bound(
                name="vr-mirror-prox-average",
                statement="E gap(average of half steps) <= (1 + (1 + 8 gamma^2/(1 - gamma^2)) (alpha + K (1 - alpha))) "
                "log(mn) / (tau K S), alpha = 1 - 1/K, tau = gamma sqrt(1 - alpha) / max|A|",
                source="Alacaoglu and Malitsky 2022; docs/theory.md, variance reduction",
                of="average",
                sampled=True,
                hypotheses=lambda rule, facts: first_reason(
                    cold(facts), constant_step(rule), _within_bound(rule, facts)
                ),
                quantity="gap",
                bound=_mirror_prox_bound,
                trials=tuple(
                    Trial(game, max_steps=20_000, per_decade=16, seeds=20) for game in ("comal", "random_30_1")
                ),
            ),
        ),
    )
)
class VRMirrorProx(NamedTuple):
    r"""Mirror prox in epochs of K steps, corrected by one opponent drawn anew in every step.

    In an epoch with the snapshot :math:`w` and its geometric counterpart :math:`\bar w`, and with
    :math:`\alpha = 1 - 1/K`,

    .. math::
        z_{1/2} \propto z^{\alpha} \bar w^{1-\alpha} \exp(\tau A w), \qquad
        z^+ \propto z^{\alpha} \bar w^{1-\alpha} \exp\big(\tau [A w + \hat A (z_{1/2} - w)]\big), \qquad
        \tau = \gamma \sqrt{1-\alpha}\, \eta,

    where :math:`\hat A (z_{1/2} - w)` is a sample without bias: each player draws a column j with probability
    :math:`|z_{1/2} - w|_j / \|z_{1/2} - w\|_1`. After K steps their arithmetic and geometric means are the next
    snapshot. The theorem is about the average of the half steps, which is the answer; ``trace.gap_last`` is that of
    the last.

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta`; "theory" is :math:`1/\max|A|`. It is scaled down by :math:`\gamma\sqrt{1-\alpha}`.
    gamma : float
        :math:`\gamma` below 1; 1/3 is near the best constant of the theorem.
    epoch : int
        K; 0 stands for N/2, where N draws make up a payoff product.

    Notes
    -----
    ``State.calls`` counts terms: a payoff product counts as one for each of its columns, a draw as two for each player,
    because the sample is of a difference.

    References
    ----------
    alacaoglu2022stochastic.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> solution = gp.solve(game, "vr_mirror_prox", tol=1e-3, rng=0, jit=False)
    >>> solution.policy.round(2), solution.n_steps, solution.payoff_calls
    (array([0.36, 0.27, 0.37]), 205, 343)
    """

    step_size: StepSize = "theory"
    gamma: float = 1.0 / 3.0
    epoch: int = 0

    def init(self, problem: TabularProblem) -> MirrorProxState:
        """Start at the start, which is the first snapshot."""
        start = problem.start
        nothing = mixture(problem, (start,), (0.0,))
        return MirrorProxState(
            x=start, t=0, z=start, center=Anchor(start.log), snapshot=Mixture(start.prob),
            payoff=field(problem, start, None), log_sum=Anchor(nothing.prob), prob_sum=nothing,
            calls=term_count(problem),
        )  # fmt: skip

    def step(self, problem: TabularProblem, state: MirrorProxState, rng: Generator) -> MirrorProxState:
        """Take one step."""
        length = epoch_length(problem, self.epoch)
        share = 1.0 / length
        tau = self.gamma * share**0.5 * step_size_at(self.step_size, state.t)
        base = blend(problem, (state.z, state.center), (1.0 - share, share))
        half = mirror(problem, base, state.payoff, tau)
        correction = moved_difference(problem, half, state.snapshot, rng)
        new = mirror(problem, base, combine(problem, (state.payoff, correction), (1.0, 1.0)), tau)
        log_sum = blend(problem, (state.log_sum, new), (1.0, share))
        prob_sum = mixture(problem, (state.prob_sum, new), (1.0, share))
        center, snapshot, payoff = state.center, state.snapshot, state.payoff
        calls = state.calls + 2 * terms_drawn(problem)
        if (state.t + 1) % length == 0:
            center, snapshot = log_sum, prob_sum
            payoff, calls = field(problem, snapshot, rng), calls + term_count(problem)
            prob_sum = mixture(problem, (prob_sum,), (0.0,))
            log_sum = blend(problem, (log_sum,), (0.0,))
        return MirrorProxState(
            x=half, t=state.t + 1, z=new, center=center, snapshot=snapshot, payoff=payoff, log_sum=log_sum,
            prob_sum=prob_sum, calls=calls,
        )  # fmt: skip
