"""Log-space probabilities: identities, extreme sizes, zero mass."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gametheory_pref.kernels.logspace import kl_divergence, log_normalize, logsumexp


def test_logsumexp_of_known_sums():
    assert_allclose(logsumexp(np.log([1.0, 2.0, 5.0])), np.log(8.0), rtol=1e-15)
    assert logsumexp(np.array([-np.inf, 3.0])) == 3.0
    assert logsumexp(np.array([-np.inf, -np.inf])) == -np.inf
    assert_allclose(logsumexp(np.array([1e5, 1e5])), 1e5 + np.log(2.0), rtol=1e-15)


@pytest.mark.parametrize("shift", [0.0, 1e6, -1e6])
def test_log_normalize_sums_to_one_whatever_the_size_of_the_logits(shift):
    logits = np.array([0.25, -1.5, 2.0, -np.inf, -40.0]) + shift
    out = np.empty(5)
    result = log_normalize(logits, out)
    assert result is out or np.shares_memory(result, out)
    assert abs(np.exp(out).sum() - 1.0) < 4e-16
    assert out[3] == -np.inf
    assert_allclose(out[0] - out[1], 1.75, atol=1e-9 if shift else 1e-15)


def test_log_normalize_in_place_and_without_any_mass():
    logits = np.log([3.0, 1.0])
    log_normalize(logits, logits)
    assert_allclose(np.exp(logits), [0.75, 0.25], rtol=1e-15)
    nothing = np.full(3, -np.inf)
    assert (log_normalize(nothing, np.empty(3)) == -np.inf).all()


def test_kl_divergence_of_closed_forms():
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.25, 0.5])
    with np.errstate(divide="ignore"):
        log_p, log_q = np.log(p), np.log(q)
    assert_allclose(kl_divergence(log_p, log_q), np.log(2.0), rtol=1e-15)
    assert kl_divergence(log_q, log_p) == np.inf
    assert kl_divergence(log_p, log_p) == 0.0


def test_kl_divergence_resolves_what_the_plain_sum_loses():
    delta = 1e-12
    log_p, log_q = np.log([0.5 + delta, 0.5 - delta]), np.log([0.5, 0.5])
    assert_allclose(kl_divergence(log_p, log_q), 2.0 * delta**2, rtol=1e-3)


def test_compiled_and_interpreted_agree():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=6) * 5.0, rng.normal(size=6)
    log_p, log_q = np.empty(6), np.empty(6)
    log_normalize(a, log_p)
    log_normalize(b, log_q)
    assert_allclose(log_normalize.function(a, np.empty(6)), log_p, rtol=0, atol=4e-16)
    assert_allclose(kl_divergence.function(log_p, log_q), kl_divergence(log_p, log_q), rtol=1e-14)
