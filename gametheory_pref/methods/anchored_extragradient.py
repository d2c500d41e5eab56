"""Extragradient steps from a base that is drawn to the start: EAG with constant and varying steps, and FEG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InputError
from ..verbs import (
    Entropic,
    Euclidean,
    Generator,
    Schedule,
    TabularProblem,
    field,
    mean,
    part,
    prox,
    start_in,
    step_size_at,
)
from ._geometry import check_geometry, euclidean
from ._info import MINIMAX, Bound, MethodInfo, StepFacts, StepSize, exact_payoffs, first_reason, method, norm_of, within
from ._theory import (
    MONOTONE,
    constant_step,
    inclusion_trials,
    known_distance,
    start_distance,
    without_constraint,
)

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts

# Step sizes of Yoon and Ryu, times the Lipschitz constant: constant, and at the start of the shrinking ones.
_CONSTANT = 0.125
_SHRINKING = 0.618


def feg_step(facts: StepFacts) -> Schedule:
    r"""Return the step of FEG, :math:`\eta = 1/L`."""
    return Schedule(1.0 / norm_of(facts))


def eag_c_step(facts: StepFacts) -> Schedule:
    r"""Return the step of EAG-C, :math:`\eta = 1/(8L)`."""
    return Schedule(_CONSTANT / norm_of(facts))


def eag_v_step(facts: StepFacts) -> Schedule:
    r"""Return the first step of EAG-V, :math:`\eta = 0.618/L`."""
    return Schedule(_SHRINKING / norm_of(facts))


def _check(rule: AnchoredExtragradient, facts: StepFacts) -> None:
    if not 1.0 <= rule.anchor_offset < float("inf"):
        raise InputError(f"anchor_offset must be a number of at least 1; got {rule.anchor_offset!r}")
    check_geometry(rule, facts)


def _setting(rule: Any, facts: Facts, *, offset: float, shortened: bool, shrinking: bool, name: str) -> str | None:
    same = (rule.anchor_offset, rule.shortened, rule.shrinking) == (offset, shortened, shrinking)
    return first_reason(
        None if same else f"the settings are not those of {name}",
        euclidean(rule),
        constant_step(rule),
        exact_payoffs(facts),
        without_constraint(facts),
        known_distance(facts),
    )


def _feg_hypotheses(rule: Any, facts: Facts) -> str | None:
    setting = _setting(rule, facts, offset=1.0, shortened=True, shrinking=False, name="FEG")
    return setting or within(rule.step_size, 1.0 / facts.norm, "1 / L")


def _eag_c_hypotheses(rule: Any, facts: Facts) -> str | None:
    setting = _setting(rule, facts, offset=2.0, shortened=False, shrinking=False, name="EAG-C")
    return setting or _exactly(rule, _CONSTANT / facts.norm, "1 / (8 L)")


def _eag_v_hypotheses(rule: Any, facts: Facts) -> str | None:
    setting = _setting(rule, facts, offset=2.0, shortened=False, shrinking=True, name="EAG-V")
    return setting or _exactly(rule, _SHRINKING / facts.norm, "0.618 / L")


def _exactly(rule: Any, step: float, formula: str) -> str | None:
    return None if abs(rule.step_size.scale - step) <= 1e-9 * step else f"step_size is not the theorem's, {formula}"


def _feg_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    return np.asarray(2.0 * start_distance(facts) / (rule.step_size.scale * steps))


def _eag_c_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    return np.asarray(np.sqrt(260.0) * facts.norm * start_distance(facts) / (steps + 1.0))


def _eag_v_bound(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    return np.asarray(np.sqrt(27.0 / ((steps + 1.0) * (steps + 2.0))) * facts.norm * start_distance(facts))


@part
def next_share(share: float, t: int) -> float:
    """Return the step size of EAG-V after t + 1 steps over that at the start, `share` being that after t steps."""
    square = (_SHRINKING * share) ** 2
    return share * (1.0 - square / ((t + 1.0) * (t + 3.0) * (1.0 - square)))


class State(NamedTuple):
    """The current policy, the number of steps taken, and the step size over that at the start."""

    x: Any
    t: int
    share: float


@method(
    MethodInfo(
        name="anchored_extragradient",
        title="Anchored extragradient (FEG, EAG)",
        solves=MINIMAX,
        payoff_calls=2,
        answer="last",
        step_sizes={"feg": feg_step, "eag_c": eag_c_step, "eag_v": eag_v_step},
        cite=("yoon2021accelerated", "lee2021fast", "cai2022accelerated"),
        trust="theory",
        aliases=("feg", "eag"),
        tabular_only=True,
        check=_check,
        uses_norm=True,
        solves_inclusions=True,
        guarantees=(
            Bound(
                name="feg-residual",
                statement="|F(z_t)| <= 2 D / (eta t)  for  eta <= 1 / L, without constraint; D = |z_0 - z*|",
                source="Lee and Kim 2021, FEG for monotone operators; docs/theory.md, anchoring",
                of="last",
                hypotheses=_feg_hypotheses,
                quantity="residual",
                bound=_feg_bound,
                trials=inclusion_trials(*MONOTONE),
            ),
            Bound(
                name="eag-c-residual",
                statement="|F(z_t)|^2 <= 260 L^2 D^2 / (t + 1)^2  for  eta = 1 / (8 L), without constraint",
                source="Yoon and Ryu 2021, EAG with constant step size",
                of="last",
                hypotheses=_eag_c_hypotheses,
                quantity="residual",
                bound=_eag_c_bound,
                trials=inclusion_trials(*MONOTONE, step_size="eag_c", anchor_offset=2.0, shortened=False),
            ),
            Bound(
                name="eag-v-residual",
                statement="|F(z_t)|^2 <= 27 L^2 D^2 / ((t + 1)(t + 2))  for  eta_0 = 0.618 / L, without constraint",
                source="Yoon and Ryu 2021, EAG with varying step size",
                of="last",
                hypotheses=_eag_v_hypotheses,
                quantity="residual",
                bound=_eag_v_bound,
                trials=inclusion_trials(
                    *MONOTONE, step_size="eag_v", anchor_offset=2.0, shortened=False, shrinking=True
                ),
            ),
        ),
    )
)
class AnchoredExtragradient(NamedTuple):
    r"""Look ahead and step from a base that is drawn to the start, the less the longer the run.

    With :math:`F(z) = -Az`, the anchor weight :math:`\beta_k = 1/(k+q)` and :math:`P` the projection on the simplices,

    .. math::
        b_k = z_k + \beta_k (z_0 - z_k), \qquad
        z_{k+1/2} = P\big(b_k - \theta_k \eta_k F(z_k)\big), \qquad
        z_{k+1} = P\big(b_k - \eta_k F(z_{k+1/2})\big).

    - FEG, the default: :math:`q = 1`, :math:`\theta_k = 1-\beta_k`, :math:`\eta_k = 1/L`;
    - EAG-C, ``eag_c()``: :math:`q = 2`, :math:`\theta_k = 1`, :math:`\eta_k = 1/(8L)`;
    - EAG-V, ``eag_v()``: :math:`q = 2`, :math:`\theta_k = 1`, and :math:`\eta_k` shrinks from :math:`0.618/L` to about
      :math:`0.437/L`.

    The residual of the last iterate falls like :math:`1/k`, which no method that sees F alone can improve, where that
    of extragradient falls like :math:`1/\sqrt{k}`.

    Parameters
    ----------
    step_size : float, str or Schedule
        :math:`\eta_0`; "feg" is :math:`1/L`, "eag_c" :math:`1/(8L)` and "eag_v" :math:`0.618/L`, with
        :math:`L = \|A\|_2`.
    anchor_offset : float
        q, at least 1.
    shortened : bool
        Whether the look-ahead is shorter by :math:`1-\beta_k`.
    shrinking : bool
        Whether steps shrink by :math:`\eta_{k+1} = \eta_k (1 - s_k^2/((k+1)(k+3)(1-s_k^2)))` with
        :math:`s_k = 0.618\, \eta_k/\eta_0`.
    geometry : Euclidean or Entropic
        With ``Entropic()`` both lines are mirror steps from geometric means; there is no theorem about it.

    Notes
    -----
    The bounds are about operators on :math:`R^d` (`solve_inclusion`). On simplices both lines are projected, as Cai,
    Oikonomou and Zheng do; here no bound with a constant is claimed for that.

    References
    ----------
    yoon2021accelerated, lee2021fast, cai2022accelerated.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> solution = gp.solve(gp.zoo["comal"].game, "anchored_extragradient", start=[0.5, 0.3, 0.2], tol=1e-3)
    >>> solution.policy.round(2), solution.converged
    (array([0.36, 0.27, 0.36]), True)
    """

    step_size: StepSize = "feg"
    anchor_offset: float = 1.0
    shortened: bool = True
    shrinking: bool = False
    geometry: Euclidean | Entropic = Euclidean()

    @classmethod
    def eag_c(cls) -> AnchoredExtragradient:
        """Return EAG with a constant step size."""
        return cls("eag_c", 2.0, False, False)

    @classmethod
    def eag_v(cls) -> AnchoredExtragradient:
        """Return EAG with steps that shrink."""
        return cls("eag_v", 2.0, False, True)

    def init(self, problem: TabularProblem) -> State:
        """Start at the start."""
        return State(x=start_in(problem, self.geometry), t=0, share=1.0)

    def step(self, problem: TabularProblem, state: State, rng: Generator) -> State:
        """Take one step."""
        eta = step_size_at(self.step_size, state.t) * state.share
        beta = 1.0 / (state.t + self.anchor_offset)
        ahead = eta * (1.0 - beta) if self.shortened else eta
        base = mean(problem, (state.x, start_in(problem, self.geometry)), (1.0 - beta, beta))
        half = prox(problem, base, field(problem, state.x, rng), ahead)
        new = prox(problem, base, field(problem, half, rng), eta)
        share = next_share(state.share, state.t) if self.shrinking else state.share
        return State(x=new, t=state.t + 1, share=share)
