"""What theorems speak about, against what is known or computed another way."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref.facts import Facts
from gametheory_pref.problem import as_problem
from gametheory_pref.tabular import tabular


def facts_of(game, temperature: float = 0.0, reference=None) -> Facts:  # type: ignore[no-untyped-def]
    return Facts(tabular(as_problem(game, temperature=temperature, reference=reference), None, gp.Exact()).problem, 100)


def random_game(n: int, seed: int) -> np.ndarray:
    below = np.tril(np.random.default_rng(seed).uniform(-0.5, 0.5, (n, n)), -1)
    return 0.5 + below - below.T


@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_rock_paper_scissors_turns_at_the_known_rate(temperature: float) -> None:
    facts = facts_of(gp.zoo["rock_paper_scissors"].game, temperature)
    assert_allclose(facts.frequencies, [np.sqrt(3.0) / 6.0], rtol=1e-12)


@pytest.mark.parametrize("n", [2, 3, 4, 9, 10])
def test_frequencies_are_the_spectrum_without_the_constants(n: int) -> None:
    facts = facts_of(random_game(n, n), 0.1)
    pi = np.exp(facts.log_equilibrium)
    spectrum = np.linalg.eigvals(facts.payoff @ (np.diag(pi) - np.outer(pi, pi)))
    assert_allclose(spectrum.real, 0.0, atol=1e-9)
    # Every rotation comes as a pair; constants add one zero, and an even number of responses another one.
    pairs = np.sort(np.abs(spectrum.imag))[n % 2 :][1 - n % 2 :]
    expected = np.unique(np.concatenate([[0.0] * (n % 2 == 0), pairs[1::2]]).round(9))
    assert_allclose(facts.frequencies, expected, atol=1e-8)


def test_the_equilibrium_of_two_players() -> None:
    game = gp.zoo["oneill"].game
    facts = facts_of(game)
    assert_allclose(np.exp(facts.log_equilibrium), [0.4, 0.2, 0.2, 0.2] * 2, atol=1e-12)
    warm = facts_of(game, 0.1)
    row, column = gp.solve(game, temperature=0.1).policy
    assert_allclose(np.exp(warm.log_equilibrium), np.concatenate([row, column]), atol=1e-10)
    pair = (np.array([0.7, 0.1, 0.1, 0.1]), np.array([0.1, 0.2, 0.3, 0.4]))
    logs = np.log(np.concatenate(pair))[None]
    assert_allclose(warm.gaps(logs, 0.1), gp.duality_gap(game, pair, temperature=0.1), rtol=1e-12)
    assert_allclose(warm.gaps(logs, 0.0), gp.duality_gap(game, pair), rtol=1e-12)


def test_no_equilibrium_is_named_where_there_are_several() -> None:
    assert facts_of(gp.zoo["weak_condorcet"].game).log_equilibrium is None
    assert facts_of(gp.zoo["two_scissors"].game).log_equilibrium is None
    assert facts_of(gp.zoo["two_scissors"].game, 0.1).log_equilibrium is not None


@pytest.mark.parametrize("name", ["comal", "star", "rock_paper_scissors_well"])
def test_the_equilibrium_is_the_winner_of_the_zoo(name: str) -> None:
    facts = facts_of(gp.zoo[name].game)
    assert_allclose(np.exp(facts.log_equilibrium), gp.zoo[name].winner, atol=1e-12)
    assert facts.is_interior == (name == "comal")


def test_gaps_are_those_of_the_library() -> None:
    game, rng = random_game(6, 0), np.random.default_rng(0)
    logs = np.log(rng.dirichlet(np.ones(6), 20))
    mu = rng.dirichlet(np.ones(6))
    facts = facts_of(game, 0.05, mu)
    for temperature in (0.0, 0.05):
        expected = [gp.duality_gap(game, np.exp(row), temperature=temperature, reference=mu) for row in logs]
        assert_allclose(facts.gaps(logs, temperature), expected, rtol=1e-9, atol=1e-15)


def test_divergence_counts_what_a_policy_gives_to_responses_that_the_center_leaves_out() -> None:
    facts = facts_of(gp.zoo["dominated_lizard"].game)
    center, policy = np.array([1 / 3, 1 / 3, 1 / 3, 0.0]), np.array([0.3, 0.2, 0.1, 0.4])
    with np.errstate(divide="ignore"):
        found = facts.divergence_from(np.log(center), np.log(policy)[None])
    assert_allclose(found, (center[:3] * np.log(center[:3] / policy[:3])).sum(), rtol=1e-12)


def test_divergence_keeps_its_digits_when_small() -> None:
    facts = facts_of(gp.zoo["comal"].game)
    # KL(p || q) of q = p exp(e d) / Z is e^2/2 times the variance of d under p, to leading order.
    d, size = np.array([1.0, -0.5, 0.25]), 1e-9
    p = np.exp(facts.log_equilibrium)
    tilted = facts.log_equilibrium + size * d
    tilted -= np.log(np.exp(tilted).sum())
    variance = p @ d**2 - (p @ d) ** 2
    assert_allclose(facts.divergence_from(facts.log_equilibrium, tilted[None]), 0.5 * size**2 * variance, rtol=1e-6)


@pytest.mark.parametrize("temperature", [0.005, 0.1, 2.0])
def test_the_equilibrium_is_as_exact_as_stated(temperature: float) -> None:
    facts = facts_of(random_game(10, 3), temperature)
    assert facts.equilibrium_error < 1e-12
    # A solution in 40 digits would differ by no more; a step of Newton's method in float64 shows the same scale.
    pi = np.exp(facts.log_equilibrium)
    residual = facts.log_equilibrium - facts.log_reply(pi, temperature)
    covariance = np.diag(pi) - np.outer(pi, pi)
    error = np.linalg.solve(np.eye(10) - facts.payoff @ covariance / temperature, residual)
    assert np.sqrt(error @ covariance @ error) <= facts.equilibrium_error
