r"""What is true of regularised games whose reference is replaced by the current policy every few steps.

With the reference r, the inner equilibrium :math:`\pi_\tau \propto r \exp(A \pi_\tau / \tau)` is a proximal point, so
that :math:`KL(\pi^* \| \pi_\tau) \le KL(\pi^* \| r)` for every equilibrium :math:`\pi^*` of the game. After k inner
steps from r the policy :math:`x_k` is still off by :math:`e_k = \log x_k - \log \pi_\tau`, and
:math:`KL(\pi^* \| x_k) \le KL(\pi^* \| \pi_\tau) + s_k` with :math:`s_k` the span of :math:`e_k`. Within the step
caps

.. math::
    s_{k+1} \le (1-\eta\tau)\, s_k + 2 \eta a \|q_k - \pi_\tau\|_1, \qquad s_0 \le 2a/\tau, \qquad
    KL(\pi_\tau \| x_k) \le (1-\eta\tau)^k\, a/\tau,

where :math:`q_k` is what the payoff is against. For mirror descent it is :math:`x_k`, and Pinsker's inequality bounds
the distance; for extragradient it is the half step h, with
:math:`\eta\tau KL(h \| \pi_\tau) \le (1-\eta\tau) KL(\pi_\tau \| x_k)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._info import cold, exact_payoffs, extragradient_cap, first_reason, mirror_descent_cap, within
from ._theory import constant_step, unique_equilibrium

if TYPE_CHECKING:
    from .._types import FloatArray
    from ..facts import Facts


def within_inner_cap(rule: Any, facts: Facts, lookahead: bool) -> str | None:
    """Return None if the inner steps, extragradient's with `lookahead` and else mirror descent's, keep their cap."""
    inner = facts.step_facts._replace(temperature=rule.inner_temperature)
    cap = extragradient_cap if lookahead else mirror_descent_cap
    formula = "2 / (tau + sqrt(tau^2 + 4 a^2))" if lookahead else "tau / (tau^2 + a^2)"
    too_long = within(rule.step_size, float(cap(inner).scale), formula)
    return first_reason(cold(facts), exact_payoffs(facts), constant_step(rule), too_long, unique_equilibrium(facts))


def inner_error(step_size: float, temperature: float, payoff_bound: float, steps: int, lookahead: bool) -> FloatArray:
    """Return the bound on the span of the error of the inner equilibrium after 0 to `steps` inner steps."""
    pull = step_size * temperature
    against = (1.0 - pull) / pull if lookahead else 1.0
    divergence = payoff_bound / temperature * (1.0 - pull) ** np.arange(steps)
    added = 2.0 * step_size * payoff_bound * np.sqrt(2.0 * against * divergence)
    span = np.empty(steps + 1)
    span[0] = 2.0 * payoff_bound / temperature
    for k in range(steps):
        span[k + 1] = (1.0 - pull) * span[k] + added[k]
    return span


def first_divergence(facts: Facts) -> float:
    """Return ``KL(pi* || start)``."""
    assert facts.log_equilibrium is not None
    return float(facts.divergence_from(facts.log_equilibrium, facts.problem.start.log[None])[0])
