"""Which kernel runs, and in the interpreter or compiled, must not change an answer."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gametheory_pref.exact import simplex
from gametheory_pref.exact.simplex import solve_by_simplex, solve_symmetric


def random_skew(n, seed=0):
    upper = np.triu(np.random.default_rng(seed).uniform(-0.5, 0.5, (n, n)), 1)
    return upper - upper.T


@pytest.mark.parametrize("n", [1, 2, 5, 20, 32, 33, 60])
def test_symmetric_games_of_every_size(n):
    payoff = random_skew(n)
    solved = solve_symmetric(payoff)
    assert (payoff @ solved.row).max() <= 1e-14
    assert solved.is_optimal
    assert solved.nondegenerate
    assert solved.value == 0.0
    assert solved.column is solved.row


def test_both_entry_points_agree():
    payoff = random_skew(9, seed=4)
    assert_allclose(solve_symmetric(payoff).row, solve_by_simplex(payoff).row, atol=1e-13)


def test_a_lost_path_falls_back_on_the_simplex_method(monkeypatch):
    payoff = random_skew(6)
    expected = solve_by_simplex(payoff)
    monkeypatch.setattr(simplex, "_GOOD_EXCESS", -1.0)
    assert_array_equal(solve_symmetric(payoff).row, expected.row)


def test_layout_does_not_matter_and_the_input_stays():
    payoff = np.random.default_rng(2).normal(size=(4, 6))
    payoff.flags.writeable = False
    expected = solve_by_simplex(payoff)
    assert_array_equal(solve_by_simplex(np.asfortranarray(payoff)).row, expected.row)
    wide = np.zeros((8, 12))
    wide[::2, ::2] = payoff
    assert_array_equal(solve_by_simplex(wide[::2, ::2]).column, expected.column)


def test_small_games_of_a_new_process_need_no_compiler_and_have_the_same_bits():
    code = """
import sys
import numpy as np
from gametheory_pref.exact import simplex
rng = np.random.default_rng(0)
upper = np.triu(rng.uniform(-0.5, 0.5, (8, 8)), 1)
payoffs = upper - upper.T, rng.normal(size=(5, 7))
def both():
    return simplex.solve_symmetric(payoffs[0]), simplex.solve_by_simplex(payoffs[1])
first = both()
assert "numba" not in sys.modules
simplex._pivoting.finish()
simplex._principal_pivoting.finish()
for before, after in zip(first, both()):
    for one, other in zip(before, after):
        assert np.array_equal(one, other), (one, other)
assert "numba" in sys.modules
print("same")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "same\n"
