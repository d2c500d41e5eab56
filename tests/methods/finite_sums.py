"""Instances of the tests of variance-reduced methods."""

from __future__ import annotations

import numpy as np

import gametheory_pref as gp

ROCK_PAPER_SCISSORS = gp.matrix_game([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
OFF_CENTER = (np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.2, 0.6]))


def half_rotations(n_terms: int, seed: int = 0, planes: int = 10) -> gp.Inclusion:
    """The mean of ``(1 - rotation) / 2``, each 1-cocoercive: angles from 0.01 to 1, up to twice that in a term."""
    rng = np.random.default_rng(seed)
    angles = np.geomspace(1e-2, 1.0, planes) * (1.0 + rng.uniform(-1.0, 1.0, (n_terms, planes)))
    terms = np.zeros((n_terms, 2 * planes, 2 * planes))
    even, odd = np.arange(0, 2 * planes, 2), np.arange(1, 2 * planes, 2)
    terms[:, even, even] = terms[:, odd, odd] = (1.0 - np.cos(angles)) / 2.0
    terms[:, even, odd], terms[:, odd, even] = np.sin(angles) / 2.0, -np.sin(angles) / 2.0
    return gp.inclusion(terms, start=rng.standard_normal(2 * planes))


def policeman_and_burglar(n: int, *, wealth_of_the_policeman: bool = False) -> np.ndarray:
    """Nemirovski's game: the burglar, who maximises, chooses a row; wealth belongs to the house that is robbed."""
    wealth, house = np.abs(np.random.RandomState(1).randn(n)), np.arange(n)
    escape = 1.0 - np.exp(-0.8 * np.abs(house[:, None] - house))
    return escape * (wealth if wealth_of_the_policeman else wealth[:, None])
