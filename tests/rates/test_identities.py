"""The inequalities that every theorem on this page of mathematics rests on, on random instances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref.exact.regularized import regularized
from gametheory_pref.methods._info import StepFacts, extragradient_cap, mirror_descent_cap


def normalized(logs: np.ndarray) -> np.ndarray:
    logs = logs - logs.max(axis=-1, keepdims=True)
    return logs - np.log(np.exp(logs).sum(axis=-1, keepdims=True))


def divergence(log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
    d = log_p - log_q
    return (np.exp(log_p) * (d + np.expm1(-d))).sum(axis=-1)


class Instances(NamedTuple):
    """Many games of one size, each with its temperature, equilibrium, reference and a policy."""

    payoff: np.ndarray
    beta: np.ndarray
    a: np.ndarray
    log_mu: np.ndarray
    log_equilibrium: np.ndarray
    log_policy: np.ndarray

    def field(self, log_policy: np.ndarray) -> np.ndarray:
        return np.einsum("kij,kj->ki", self.payoff, np.exp(log_policy))

    def reply(self, log_policy: np.ndarray) -> np.ndarray:
        return normalized(self.log_mu + self.field(log_policy) / self.beta[:, None])

    def step(self, log_base: np.ndarray, log_at: np.ndarray, eta: np.ndarray) -> np.ndarray:
        pull = (eta * self.beta)[:, None]
        return normalized((1.0 - pull) * log_base + pull * self.log_mu + eta[:, None] * self.field(log_at))

    def proximal(self, eta: np.ndarray) -> np.ndarray:
        """Return the exact proximal step: an equilibrium with another anchor."""
        pull = (eta * self.beta)[:, None]
        anchors = normalized((1.0 - pull) * self.log_policy + pull * self.log_mu)
        return np.stack([
            regularized(payoff, 1.0 / h, anchor).log_policy
            for payoff, h, anchor in zip(self.payoff, eta, anchors, strict=True)
        ])


def instances(n: int, count: int, seed: int) -> Instances:
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.uniform(-0.5, 0.5, (count, n, n)), 1)
    signs = rng.random(count) < 0.3
    upper[signs] = 0.5 * np.sign(upper[signs])
    payoff = upper - upper.transpose(0, 2, 1)
    beta = 10.0 ** rng.uniform(-2.0, 0.5, count)
    log_mu = normalized(rng.standard_normal((count, n)))
    log_equilibrium = np.stack([
        regularized(A, b, mu).log_policy for A, b, mu in zip(payoff, beta, log_mu, strict=True)
    ])
    spread = 10.0 ** rng.uniform(-2.0, 1.3, (count, 1))
    log_policy = normalized(log_equilibrium + spread * rng.standard_normal((count, n)))
    a = np.abs(payoff).max(axis=(1, 2))
    return Instances(payoff, beta, a, log_mu, log_equilibrium, log_policy)


@pytest.fixture(scope="module", params=[2, 3, 5, 7])
def many(request: pytest.FixtureRequest) -> Instances:
    return instances(request.param, 600, request.param)


def test_a_policy_ties_with_itself(many: Instances) -> None:
    pi = np.exp(many.log_policy)
    assert_allclose(np.einsum("ki,kij,kj->k", pi, many.payoff, pi), 0.0, atol=1e-15)


def test_both_forms_of_the_regularised_gap_agree(many: Instances) -> None:
    scores = many.log_mu + many.field(many.log_policy) / many.beta[:, None]
    top = scores.max(axis=1)
    lse = top + np.log(np.exp(scores - top[:, None]).sum(axis=1))
    gap = 2.0 * many.beta * (lse + divergence(many.log_policy, many.log_mu))
    assert_allclose(
        gap, 2.0 * many.beta * divergence(many.log_policy, many.reply(many.log_policy)), rtol=1e-9, atol=1e-13
    )
    library = [
        gp.duality_gap(0.5 + A, np.exp(policy), temperature=b, reference=np.exp(mu))
        for A, policy, b, mu in zip(many.payoff, many.log_policy, many.beta, many.log_mu, strict=True)
    ]
    assert_allclose(gap, library, rtol=1e-8, atol=1e-12)


def test_the_gap_lies_between_two_multiples_of_the_divergence(many: Instances) -> None:
    gap = 2.0 * many.beta * divergence(many.log_policy, many.reply(many.log_policy))
    kl = divergence(many.log_policy, many.log_equilibrium)
    upper = 2.0 * many.beta + 2.0 * many.a**2 / many.beta
    assert (gap >= 2.0 * many.beta * kl * (1.0 - 1e-9)).all()
    assert (gap <= upper * kl * (1.0 + 1e-9)).all()
    assert (gap / (upper * kl)).max() > 0.4, "the upper bound is not idle"
    assert (2.0 * many.beta * kl / gap).max() > 0.9, "nor is the lower one"


def test_the_gap_without_temperature_is_bounded_by_the_gap_with_it(many: Instances) -> None:
    gap = 2.0 * many.beta * divergence(many.log_policy, many.reply(many.log_policy))
    bare = 2.0 * many.field(many.log_policy).max(axis=1)
    reach = 2.0 * many.beta * (-many.log_mu).max(axis=1)
    bound = gap - 2.0 * many.beta * divergence(many.log_policy, many.log_mu) + reach
    assert (bare <= bound + 1e-12).all()
    at_equilibrium = 2.0 * many.field(many.log_equilibrium).max(axis=1)
    assert (at_equilibrium <= reach - 2.0 * many.beta * divergence(many.log_equilibrium, many.log_mu) + 1e-12).all()


def test_the_one_step_inequality(many: Instances) -> None:
    """x+ maximises <x, g> - beta KL(x || mu) - lambda KL(x || y); compare it with any u.

    The theorem says "at most"; for this divergence both sides are equal.
    """
    rng = np.random.default_rng(5)
    shape = many.log_policy.shape
    g, log_u = rng.standard_normal(shape), normalized(3.0 * rng.standard_normal(shape))
    pull, log_y = 10.0 ** rng.uniform(-2.0, 2.0, len(g)), many.log_policy
    total = (many.beta + pull)[:, None]
    log_x = normalized((many.beta[:, None] * many.log_mu + pull[:, None] * log_y + g) / total)
    gain = ((np.exp(log_x) - np.exp(log_u)) * g).sum(axis=1)
    left = (many.beta + pull) * divergence(log_u, log_x)
    right = (
        pull * (divergence(log_u, log_y) - divergence(log_x, log_y))
        + gain
        - many.beta * (divergence(log_x, many.log_mu) - divergence(log_u, many.log_mu))
    )
    assert_allclose(left, right, rtol=1e-8, atol=1e-8)


def test_the_equilibrium_inequality(many: Instances) -> None:
    x = np.exp(many.log_policy)
    left = (
        many.beta * (divergence(many.log_policy, many.log_mu) - divergence(many.log_equilibrium, many.log_mu))
        - (x * many.field(many.log_equilibrium)).sum(axis=1)
    )
    right = many.beta * divergence(many.log_policy, many.log_equilibrium)
    assert (left >= right * (1.0 - 1e-9) - 1e-12).all()


def ratios(many: Instances, after: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Return the observed factor of the divergence over the one of the theorem, where it is not rounding."""
    before = divergence(many.log_equilibrium, many.log_policy)
    ratio = divergence(many.log_equilibrium, after) / before / (1.0 - eta * many.beta)
    return ratio[before > 1e-9]


def caps(many: Instances) -> StepFacts:
    return StepFacts(many.a, many.beta, 0.0, 1)


def test_mirror_descent_contracts_up_to_its_cap(many: Instances) -> None:
    eta = mirror_descent_cap(caps(many)).scale
    ratio = ratios(many, many.step(many.log_policy, many.log_policy, eta), eta)
    assert 0.9 < ratio.max() <= 1.0 + 1e-9


def test_extragradient_contracts_up_to_its_cap(many: Instances) -> None:
    eta = extragradient_cap(caps(many)).scale
    half = many.step(many.log_policy, many.log_policy, eta)
    ratio = ratios(many, many.step(many.log_policy, half, eta), eta)
    assert 0.7 < ratio.max() <= 1.0 + 1e-9


def test_nash_mirror_prox_contracts_at_its_step(many: Instances) -> None:
    eta = 1.0 / (0.5 + many.beta)
    half = many.step(many.log_policy, many.log_policy, eta)
    assert ratios(many, many.step(many.log_policy, half, eta), eta).max() <= 1.0 + 1e-9


def test_the_proximal_step_contracts_at_any_step_size(many: Instances) -> None:
    few = Instances(*(part[:80] for part in many))
    eta = 1.0 / (few.beta + 10.0 ** np.random.default_rng(0).uniform(-2.0, 1.0, 80))
    assert ratios(few, few.proximal(eta), eta).max() <= 1.0 + 1e-9


def test_mirror_descent_beyond_its_cap_may_fail(many: Instances) -> None:
    """The caps are not idle: at the cap of extragradient mirror descent contracts no more."""
    eta = extragradient_cap(caps(many)).scale
    if many.log_policy.shape[1] > 2:
        assert ratios(many, many.step(many.log_policy, many.log_policy, eta), eta).max() > 1.0


def test_the_wrong_sign_breaks_the_contraction(many: Instances) -> None:
    eta = mirror_descent_cap(caps(many)).scale
    flipped = many._replace(payoff=-many.payoff)
    assert ratios(many, flipped.step(many.log_policy, many.log_policy, eta), eta).max() > 1.01


def test_the_next_policy_beats_the_one_before(many: Instances) -> None:
    """P(pi_{t+1} > pi_t) >= 1/2 + KL(pi_{t+1} || pi_t) / eta for one step of multiplicative weights."""
    eta = 10.0 ** np.random.default_rng(1).uniform(-1.0, 1.0, len(many.beta))
    after = normalized(many.log_policy + eta[:, None] * many.field(many.log_policy))
    wins = (np.exp(after) * many.field(many.log_policy)).sum(axis=1)
    assert (wins >= divergence(after, many.log_policy) / eta - 1e-12).all()
