"""The picture behind a verdict shows the numbers of the report."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import gametheory_pref as gp
from gametheory_pref.rate_report import Curve, RateReport

GAME = gp.zoo["comal"].game
START = [0.5, 0.3, 0.2]


def report_on(method, theorem, **settings):
    options = {"max_steps": 150, "tol": 0.0, "start": START, "jit": False, **settings}
    return gp.verify_rate(gp.solve(GAME, method, **options), theorem)


def lines_of(ax):
    return {line.get_label(): (line.get_xdata(), line.get_ydata()) for line in ax.get_lines()}


def test_a_linear_rate_is_drawn_over_the_steps_with_its_bound():
    report = report_on("extragradient", "extragradient-contraction", temperature=0.1, tol=1e-12)
    ax = gp.plot.rate_curve(report)
    drawn = lines_of(ax)
    curve = report.curve
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")
    assert_array_equal(drawn[curve.quantity][0], curve.steps)
    assert_array_equal(drawn[curve.quantity][1], curve.values)
    assert_array_equal(drawn["bound of the theorem"][1], curve.bounds)
    assert ax.get_title(loc="left") == "extragradient-contraction: holds"


def test_a_bound_that_falls_like_a_power_is_drawn_on_logarithmic_axes():
    report = report_on("multiplicative_weights", "multiplicative-weights-average")
    ax = gp.plot.rate_curve(report)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    steps, values = lines_of(ax)[report.curve.quantity]
    assert steps[0] == 1
    assert_array_equal(values, report.curve.values[1:])


def test_a_fit_shows_its_window():
    report = report_on("extragradient", "extragradient-local-rate", temperature=0.1, tol=1e-20)
    assert report.window is not None
    ax = gp.plot.rate_curve(report)
    first, last = report.window
    box = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert (round(box.x0), round(box.x1)) == (first, last)
    fitted = lines_of(ax)["fitted line"][1]
    assert np.isfinite(fitted).sum() == np.isfinite(report.curve.bounds).sum()


def test_a_bound_on_the_end_alone_is_a_mark():
    report = report_on(gp.METHODS["spo"](step_size="onpo"), "onpo-theorem-1")
    assert np.isfinite(report.curve.bounds).sum() == 1
    (bound,) = [line for line in gp.plot.rate_curve(report).get_lines() if line.get_gid() == "bound"]
    assert bound.get_marker() == "_"
    assert_array_equal(bound.get_ydata()[-1], report.curve.bounds[-1])


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    steps = np.arange(1, 5001)
    report = RateReport("rule", gp.METHODS["spo"].info.guarantees[0], "holds", "", curve=Curve(
        "the duality gap", steps, 1.0 / steps, 2.0 / steps
    ))
    drawn, _ = lines_of(gp.plot.rate_curve(report))["the duality gap"]
    assert len(drawn) < 300
    assert (drawn[0], drawn[-1]) == (1, 5000)


def test_a_report_without_a_curve_is_refused():
    report = report_on("extragradient", "extragradient-contraction", temperature=0.1, oracle=gp.Sampled(3), rng=0)
    assert report.verdict == "inconclusive"
    with pytest.raises(gp.InputError, match="has no curve: the payoffs were sampled"):
        gp.plot.rate_curve(report)
