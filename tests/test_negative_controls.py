"""Solvers that do nothing, guess, or flip a sign must fail the battery that the real ones pass."""

from __future__ import annotations

import numpy as np
import pytest

import gametheory_pref as gp

from .known_answers import BATTERY, Solver


def real(preference: np.ndarray) -> np.ndarray:
    return np.asarray(gp.solve(preference).policy)


def pivoting(preference: np.ndarray) -> np.ndarray:
    return np.asarray(gp.solve(preference, "simplex").policy)


def interior_point(preference: np.ndarray) -> np.ndarray:
    return np.asarray(gp.solve(preference, "interior_point").policy)


def batch(preference: np.ndarray) -> np.ndarray:
    return gp.solve_batch(preference[None]).policy[0]


def no_op(preference: np.ndarray) -> np.ndarray:
    return np.eye(len(preference))[0]


def uniform(preference: np.ndarray) -> np.ndarray:
    return np.full(len(preference), 1.0 / len(preference))


def sign_flipped(preference: np.ndarray) -> np.ndarray:
    return real(1.0 - preference)


def transposed(preference: np.ndarray) -> np.ndarray:
    return real(preference.T)


def borda(preference: np.ndarray) -> np.ndarray:
    return np.eye(len(preference))[int(preference.sum(axis=1).argmax())]


@pytest.mark.parametrize("solver", [real, pivoting, interior_point, batch], ids=lambda solver: solver.__name__)
@pytest.mark.parametrize("check", BATTERY, ids=lambda check: check.__name__)
def test_real_solvers_pass(check, solver: Solver) -> None:  # type: ignore[no-untyped-def]
    check(solver)


@pytest.mark.parametrize("solver", [no_op, uniform, sign_flipped, transposed, borda], ids=lambda s: s.__name__)
@pytest.mark.parametrize("check", BATTERY, ids=lambda check: check.__name__)
def test_broken_solvers_fail(check, solver: Solver) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(AssertionError):
        check(solver)


@pytest.mark.parametrize("flip", [lambda P: P.T, lambda P: 1.0 - P], ids=["transposed", "sign flipped"])
def test_regularised_equilibrium_of_a_flipped_game_differs(flip) -> None:  # type: ignore[no-untyped-def]
    preference = np.array([[0.5, 0.1, 0.8], [0.9, 0.5, 0.1], [0.2, 0.9, 0.5]])
    wrong = gp.solve(flip(preference), temperature=0.1).policy
    assert gp.duality_gap(preference, wrong, temperature=0.1) > 1e-3
