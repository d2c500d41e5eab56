"""Slopes are those of curves with known slopes, and their intervals cover."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gametheory_pref.slopes import line, mean_line, oscillating_line


def test_a_line_is_found() -> None:
    x = np.array([0.0, 1.0, 4.0, 9.0])
    fit = line(x, 3.0 - 0.25 * x)
    assert_allclose((fit.slope, fit.intercept), (-0.25, 3.0), rtol=1e-12)
    assert fit.interval[1] - fit.interval[0] < 1e-12


def test_intervals_cover_as_often_as_they_say() -> None:
    rng, x = np.random.default_rng(0), np.linspace(0.0, 1.0, 12)
    inside = 0
    for _ in range(1000):
        low, high = line(x, 2.0 * x + 0.1 * rng.standard_normal(12)).interval
        inside += low <= 2.0 <= high
    assert 925 <= inside <= 975


def test_two_points_have_no_interval() -> None:
    assert line(np.array([0.0, 1.0]), np.array([0.0, 1.0])).interval == (-np.inf, np.inf)


@pytest.mark.parametrize("amplitude", [0.2, 0.8])
@pytest.mark.parametrize("frequency", [0.1, 0.7, 2.9])
def test_a_wave_does_not_tilt_the_line(frequency: float, amplitude: float) -> None:
    t = np.arange(100.0, 260.0)
    y = -0.03 * t + np.log(1.0 + amplitude * np.cos(frequency * t + 1.0))
    assert_allclose(oscillating_line(t, y).slope, -0.03, rtol=0.02)


def test_a_straight_curve_gets_the_plain_line() -> None:
    t = np.arange(0.0, 40.0)
    assert oscillating_line(t, -0.5 * t) == line(t, -0.5 * t)


def test_the_interval_of_a_mean_curve_comes_from_the_seeds() -> None:
    rng, t = np.random.default_rng(1), np.geomspace(10.0, 1000.0, 20)
    inside = 0
    for _ in range(200):
        curves = t**-0.5 * np.exp(0.3 * rng.standard_normal((20, 20)))
        low, high = mean_line(t, curves).interval
        inside += low <= -0.5 <= high
    assert 180 <= inside <= 199
