"""The identities and inequalities on which docs/theory.md rests, on games drawn at random, in plain NumPy."""

from __future__ import annotations

import pathlib
import re

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref.methods import settle
from gametheory_pref.methods._info import step_facts

SEEDS = range(15)
PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "theory.md").read_text(encoding="utf-8")


def headings() -> set[str]:
    return {line.lstrip("# ").lower() for line in PAGE.splitlines() if line.startswith("## ")}


def softmax(log: np.ndarray) -> np.ndarray:
    weights = np.exp(log - log.max())
    return weights / weights.sum()


def kl(p: np.ndarray, q: np.ndarray) -> float:
    return float((p * (np.log(p) - np.log(q))).sum())


class Setting:
    """A game, a reference, a temperature, its equilibrium, and a policy to start from."""

    def __init__(self, seed: int, *, temperature: float | None = None, scale: float = 1.0) -> None:
        self.rng = rng = np.random.default_rng(seed)
        n = int(rng.integers(2, 7))
        upper = np.triu(rng.uniform(-0.5, 0.5, (n, n)), 1)
        self.n, self.A = n, upper - upper.T
        self.a = np.abs(self.A).max()
        self.beta = float(10.0 ** rng.uniform(-1.5, 0.5)) if temperature is None else temperature
        self.mu = softmax(rng.normal(size=n))
        self.x = softmax(scale * rng.normal(size=n) * 2.0)
        if self.beta:
            self.star = gp.solve(self.A + 0.5, temperature=self.beta, reference=self.mu, tol=1e-13).policy

    def policy(self) -> np.ndarray:
        return softmax(self.rng.normal(size=self.n) * 2.0)

    def step(self, y: np.ndarray, g: np.ndarray, eta: float) -> np.ndarray:
        """The maximum of ``<x, g> - beta KL(x || mu) - lambda KL(x || y)`` with ``lambda = 1 / eta - beta``."""
        pull = eta * self.beta
        return softmax((1.0 - pull) * np.log(y) + pull * np.log(self.mu) + eta * g)

    def reply(self, q: np.ndarray) -> np.ndarray:
        return softmax(np.log(self.mu) + self.A @ q / self.beta)

    def gap(self, x: np.ndarray) -> float:
        return 2.0 * self.beta * kl(x, self.reply(x))


def test_every_section_that_a_theorem_cites_exists():
    known = headings()
    for rule in gp.METHODS.primary():
        for guarantee in rule.info.guarantees:
            for section in re.findall(r"docs/theory\.md, ([^;,]+)", guarantee.source):
                assert section.strip().lower().removesuffix(" has the limit") in known, (guarantee.name, section)


@pytest.mark.parametrize("seed", SEEDS)
def test_equilibrium_identity(seed):
    s = Setting(seed)
    x, star, beta = s.policy(), s.star, s.beta
    left = beta * kl(x, s.mu) - beta * kl(star, s.mu) - x @ s.A @ star
    np.testing.assert_allclose(left, beta * kl(x, star), atol=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_step_tool(seed):
    s = Setting(seed)
    eta = float(s.rng.uniform(0.0, 1.0)) / s.beta
    y, u, q, lam = s.x, s.policy(), s.policy(), 1.0 / eta - s.beta
    g = s.A @ q
    new = s.step(y, g, eta)
    right = lam * kl(u, y) - lam * kl(new, y) + (new - u) @ g - s.beta * kl(new, s.mu) + s.beta * kl(u, s.mu)
    np.testing.assert_allclose((s.beta + lam) * kl(u, new), right, rtol=1e-9, atol=1e-9)
    # Against the equilibrium, both ways in which the page writes it.
    star = s.star
    main = lam * kl(star, y) - lam * kl(new, y) - s.beta * kl(new, star) + (new - star) @ s.A @ (q - new)
    np.testing.assert_allclose((s.beta + lam) * kl(star, new), main, rtol=1e-9, atol=1e-8)
    k = 1.0 - eta * s.beta
    other = k * kl(star, y) + kl(q, new) - k * kl(q, y) - eta * s.beta * kl(q, star)
    np.testing.assert_allclose(kl(star, new), other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_look_ahead_within_the_cap_passes_the_test(seed):
    s = Setting(seed)
    eta = 2.0 / (s.beta + np.sqrt(s.beta**2 + 4.0 * s.a**2))
    half = s.step(s.x, s.A @ s.x, eta)
    new = s.step(s.x, s.A @ half, eta)
    k = 1.0 - eta * s.beta
    assert kl(half, new) <= k * kl(half, s.x) + 1e-14
    assert kl(s.star, new) <= k * kl(s.star, s.x) * (1.0 + 1e-9) + 1e-12
    # The divergence of the half step that moving references rest on.
    assert eta * s.beta * kl(half, s.star) <= k * kl(s.star, s.x) + 1e-10


@pytest.mark.parametrize("seed", SEEDS)
def test_mirror_descent_within_the_cap(seed):
    s = Setting(seed)
    eta = s.beta / (s.beta**2 + s.a**2)
    new = s.step(s.x, s.A @ s.x, eta)
    assert kl(s.star, new) <= (1.0 - eta * s.beta) * kl(s.star, s.x) * (1.0 + 1e-9) + 1e-12


@pytest.mark.parametrize("seed", SEEDS)
def test_gap_identity_and_sandwich(seed):
    s = Setting(seed)
    x, star, beta = s.x, s.star, s.beta
    np.testing.assert_allclose(s.gap(x), 2.0 * beta * (kl(x, star) + kl(star, s.reply(x))), rtol=1e-8, atol=1e-10)
    assert 2.0 * beta * kl(x, star) <= s.gap(x) + 1e-12
    assert s.gap(x) <= (2.0 * beta + 2.0 * s.a**2 / beta) * kl(x, star) * (1.0 + 1e-9) + 1e-12
    plain = 2.0 * (s.A @ x).max()
    assert plain <= s.gap(x) - 2.0 * beta * kl(x, s.mu) + 2.0 * beta * np.log(1.0 / s.mu).max() + 1e-12


@pytest.mark.parametrize("seed", SEEDS)
def test_exchange_of_arguments(seed):
    s = Setting(seed)
    b = np.abs(np.log(s.x) - np.log(s.star)).max()
    rho = (b * np.exp(b) - np.exp(b) + 1.0) / (np.exp(b) - 1.0 - b)
    assert kl(s.x, s.star) <= rho * kl(s.star, s.x) * (1.0 + 1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_multiplicative_weights(seed):
    s = Setting(seed, temperature=0.0)
    eta, v, u = float(s.rng.uniform(0.05, 3.0)), s.A @ s.x, s.policy()
    z = s.x @ np.exp(eta * v)
    new = s.x * np.exp(eta * v) / z
    np.testing.assert_allclose(kl(u, new) - kl(u, s.x), -eta * u @ v + np.log(z), atol=1e-12)
    np.testing.assert_allclose(kl(s.x, new), np.log(z), atol=1e-12)
    assert np.log(z) <= eta**2 * s.a**2 / 2.0 + 1e-15


@pytest.mark.parametrize("seed", SEEDS)
def test_condorcet_key(seed):
    s = Setting(seed, temperature=0.0)
    s.A[0, 1:] = s.rng.uniform(0.05, 0.5, s.n - 1)
    s.A[1:, 0] = -s.A[0, 1:]
    a, margin = np.abs(s.A).max(), s.A[0, 1:].min()
    eta = margin / (1.8 * a**2)
    log_z = np.log(s.x @ np.exp(eta * (s.A @ s.x)))
    assert log_z <= 0.9 * a**2 * eta**2 * (1.0 - s.x[0]) + 1e-15
    assert log_z <= eta * margin * (1.0 - s.x[0]) / 2.0 + 1e-15


@pytest.mark.parametrize("seed", SEEDS)
def test_nash_mirror_descent(seed):
    s = Setting(seed)
    eta = float(s.rng.uniform(0.0, 1.0)) / s.beta
    k, star = 1.0 - eta * s.beta, s.star
    m = softmax(k * np.log(s.x) + (1.0 - k) * np.log(s.mu))
    z = m @ np.exp(eta * (s.A @ m))
    new = m * np.exp(eta * (s.A @ m)) / z
    right = k * kl(star, s.x) - k * kl(m, s.x) - eta * s.beta * kl(m, star) + np.log(z)
    np.testing.assert_allclose(kl(star, new), right, rtol=1e-9, atol=1e-9)
    # The mixtures follow mirror descent with another step at another temperature.
    hotter, step = s.beta / k, eta * k
    after = softmax(k * np.log(new) + (1.0 - k) * np.log(s.mu))
    pull = step * hotter
    expected = softmax((1.0 - pull) * np.log(m) + pull * np.log(s.mu) + step * (s.A @ m))
    np.testing.assert_allclose(after, expected, atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_opponents_mixed_with_the_reference(seed):
    s = Setting(seed)
    eta, share = float(s.rng.uniform(0.0, 1.0)) / s.beta, float(s.rng.uniform(0.0, 1.0))
    other = softmax((1.0 - share) * np.log(s.x) + share * np.log(s.mu))
    new = s.step(s.x, s.A @ other, eta)
    after = softmax((1.0 - share) * np.log(new) + share * np.log(s.mu))
    pull = eta * s.beta
    step = (1.0 - share) * eta
    expected = softmax((1.0 - pull) * np.log(other) + pull * np.log(s.mu) + step * (s.A @ other))
    np.testing.assert_allclose(after, expected, atol=1e-12)
    np.testing.assert_allclose(pull, step * s.beta / (1.0 - share), rtol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_optimistic_potential(seed):
    s = Setting(seed)
    name = gp.METHODS["optimistic"]
    eta = settle(name(), step_facts(s.a, s.beta, 1.0, 10)).step_size.scale
    lam = 1.0 / eta - s.beta
    gamma = lam + s.beta - s.a**2 / lam - s.a
    base, last = s.x, s.policy()
    now = s.step(base, s.A @ last, eta)
    after = s.step(base, s.A @ now, eta)

    def potential(b, p):
        return (lam + s.beta) * kl(s.star, b) + gamma * kl(b, p)

    assert potential(after, now) <= (1.0 - eta * s.beta) * potential(base, last) * (1.0 + 1e-9)
    assert gamma * kl(s.star, now) <= (1.0 - eta * s.beta) * potential(base, last) * (1.0 + 1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_forward_reflected_potential(seed):
    s = Setting(seed)
    eta = settle(gp.METHODS["forward_reflected"](), step_facts(s.a, s.beta, 1.0, 10)).step_size.scale
    lam = 1.0 / eta - s.beta
    before, now = s.policy(), s.x
    after = s.step(now, s.A @ (2.0 * now - before), eta)

    def potential(x, y):
        return (lam + s.beta) * kl(s.star, x) + (x - s.star) @ s.A @ (x - y) + (lam - s.a) * kl(x, y)

    factor = 1.0 - eta * s.beta / (1.0 + eta * s.a)
    assert potential(after, now) <= factor * potential(now, before) * (1.0 + 1e-9)
    assert (lam + s.beta - s.a) * kl(s.star, now) <= potential(now, before) * (1.0 + 1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_operator_extrapolation_potential(seed):
    s = Setting(seed)
    eta = 2.0 / (2.0 * s.a + s.beta + np.sqrt(4.0 * s.a**2 + s.beta**2))
    lam, k = 1.0 / eta - s.beta, 1.0 - eta * s.beta
    np.testing.assert_allclose(lam * (lam + s.beta), s.a * (2.0 * lam + s.beta), rtol=1e-9)
    before, now = s.policy(), s.x
    after = s.step(now, s.A @ (now + k * (now - before)), eta)

    def potential(x, y):
        return (lam + s.beta) * kl(s.star, x) + (x - s.star) @ s.A @ (x - y) + (lam - k * s.a) * kl(x, y)

    assert potential(after, now) <= k * potential(now, before) * (1.0 + 1e-9)
    assert (lam + s.beta - s.a) * kl(s.star, now) <= potential(now, before) * (1.0 + 1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_squared_loss_on_the_simplex(seed):
    """SPPO with 1/2 for log Z: its price nu is the divergence of the step, and no more than log Z."""
    s = Setting(seed, temperature=0.0)
    eta, v = float(s.rng.uniform(0.1, 4.0)), s.A @ s.x
    rule = gp.METHODS["sppo"](step_size=eta)
    new = np.exp(gp.solve(s.A + 0.5, rule, start=s.x, tol=0, max_steps=1, jit=False).run.log_last[-1])
    shift = np.log(new / s.x)
    nu = (eta * v - shift) / np.exp(shift)
    np.testing.assert_allclose(nu, nu.mean(), atol=1e-9)
    np.testing.assert_allclose(nu.mean(), kl(s.x, new), atol=1e-9)
    assert 0.0 <= nu.mean() <= np.log(s.x @ np.exp(eta * v)) + 1e-12


@pytest.mark.parametrize("seed", SEEDS)
def test_spectrum_is_imaginary(seed):
    s = Setting(seed)
    spectrum = np.linalg.eigvals(s.A @ (np.diag(s.star) - np.outer(s.star, s.star)))
    # Rounding splits the double eigenvalue 0 into two of the size of its root.
    np.testing.assert_allclose(spectrum.real, 0.0, atol=1e-6)
    assert np.abs(spectrum).max() <= s.a


@pytest.mark.parametrize("weights", [(1.0,), (0.5, 0.5), (1 / 3, 1 / 3, 1 / 3), (0.7, 0.0, 0.3), (0.8, 0.0, 0.2)])
def test_historical_anchors(weights):
    """Roots of the exact characteristic polynomial against the expansion in eta, and its sign against m2."""
    lags = np.arange(len(weights))
    m1, m2 = (lags * weights).sum(), (lags**2 * weights).sum()
    for turn in (0.03, 0.01):
        polynomial = np.concatenate([[1.0], -np.array(weights, dtype=complex)])
        polynomial[1] -= 1j * turn
        growth = np.log(np.abs(np.roots(polynomial)).max())
        predicted = (1.0 - m2) * turn**2 / (2.0 * (1.0 + m1) ** 3)
        np.testing.assert_allclose(growth, predicted, rtol=0.02, atol=1e-12)


@pytest.mark.parametrize(("weights", "falls"), [((0, 1), False), ((0, 0.5, 0, 0.5), True), ((0, 0, 1), False)])
def test_historical_anchors_at_other_roots_of_unity(weights, falls):
    """m2 is 1, 5 and 4; 2 divides the lags in the first two cases, 3 in the last."""
    polynomial = np.concatenate([[1.0], -np.array(weights, dtype=complex)])
    growth = []
    for turn in (0.01j, -0.01j):
        turned = polynomial.copy()
        turned[1] -= turn
        growth.append(np.abs(np.roots(turned)).max())
    # With m2 = 1 the modulus stays 1 exactly.
    assert (max(growth) < 1.0 - 1e-9) == falls


@pytest.mark.parametrize("seed", SEEDS)
def test_sampled_nash_mirror_descent(seed):
    s = Setting(seed)
    eta, g, m = float(s.rng.uniform(0.0, 3.0)), s.rng.choice([-0.5, 0.5], size=s.n), s.x
    assert np.log(m @ np.exp(eta * g)) <= eta * m @ g + eta**2 / 8.0 + 1e-14


@pytest.mark.parametrize("seed", SEEDS)
def test_moving_references(seed):
    s = Setting(seed)
    eta = s.beta / (s.beta**2 + s.a**2)
    k = 1.0 - eta * s.beta
    q = s.policy()
    new = s.step(s.x, s.A @ q, eta)

    def span(p, r):
        return np.ptp(np.log(p) - np.log(r))

    assert span(new, s.star) <= k * span(s.x, s.star) + 2.0 * eta * s.a * np.abs(q - s.star).sum() + 1e-9
    assert kl(s.star, s.mu) <= s.a / s.beta
    u = s.policy()
    assert kl(u, new) <= kl(u, s.star) + span(new, s.star) + 1e-9


@pytest.mark.parametrize("seed", SEEDS)
def test_populations(seed):
    """The geometric mean takes a step of multiplicative weights; differences shrink."""
    s = Setting(seed, temperature=0.0)
    eta, players = float(s.rng.uniform(0.05, 0.8)), [s.policy() for _ in range(4)]
    logs = np.log(players)
    mean = np.exp(logs).mean(axis=0)
    answers = [(np.delete(logs + eta * (np.exp(logs) @ s.A.T), i, axis=0)).mean(axis=0) for i in range(4)]
    geometric, after = softmax(logs.mean(axis=0)), softmax(np.mean(answers, axis=0))
    np.testing.assert_allclose(after, softmax(np.log(geometric) + eta * (s.A @ mean)), atol=1e-12)
    rate = (1.0 + eta * s.a) / 3.0
    spans = [np.ptp(logs[0] - logs[1]), np.ptp(answers[0] - answers[1])]
    assert spans[1] <= rate * spans[0] + 1e-12
    assert np.abs(players[0] - players[1]).sum() <= spans[0] / 2.0


@pytest.mark.parametrize("seed", SEEDS)
def test_momentum(seed):
    """Along a payoff that never changes, the gap is at most 2 D over the distance gone."""
    s = Setting(seed, temperature=0.0)
    r, w = s.rng.uniform(-0.5, 0.5, s.n) / 2.0, float(10.0 ** s.rng.uniform(-1, 2))
    policy = softmax(np.log(s.x) + w * r)
    assert 2.0 * (r.max() - policy @ r) <= 2.0 * np.log(1.0 / s.x).max() / w + 1e-12
