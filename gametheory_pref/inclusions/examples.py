"""Inclusions by name, for putting theorems to the test."""

from __future__ import annotations

import re

import numpy as np

from ..errors import InputError
from .statement import Inclusion, inclusion


def example(name: str) -> Inclusion:
    """Return an inclusion without constraint by its name; its Lipschitz constant is 1, or that of terms at most 1.

    - "rotation": a quarter turn of the plane;
    - "skew_SIZE_SEED": a random skew operator;
    - "hard_SIZE": a skew operator whose singular values go from 1 down to 1e-3, evenly on a log scale;
    - "cocoercive_SIZE_SEED": a random operator of half the rank, neither symmetric nor skew;
    - "turns_TERMS_SEED": the mean of terms ``(1 - R) / 2`` with rotations R of ten planes by random angles, each of
      them 1-cocoercive.

    Raises
    ------
    InputError
        No such name.

    Examples
    --------
    >>> example("skew_6_0").cocoercivity, 0.0 < example("cocoercive_6_0").cocoercivity < 1.0
    (0.0, True)
    """
    if name == "rotation":
        return inclusion([[0.0, 1.0], [-1.0, 0.0]], start=[1.0, 0.0])
    turns = re.fullmatch(r"turns_(\d+)_(\d+)", name)
    if turns is not None:
        return _half_turns(int(turns[1]), np.random.default_rng(int(turns[2])))
    match = re.fullmatch(r"(skew|cocoercive)_(\d+)_(\d+)|(hard)_(\d+)", name)
    if match is None:
        raise InputError(
            "name must be rotation, skew_SIZE_SEED, hard_SIZE, cocoercive_SIZE_SEED or turns_TERMS_SEED; "
            f"got {name!r}"
        )
    if match[4]:
        half = int(match[5]) // 2
        corner = np.diag(np.logspace(0.0, -3.0, half))
        zero = np.zeros((half, half))
        return inclusion(np.block([[zero, corner], [-corner, zero]]), start=np.repeat([1.0, 0.0], half))
    size, rng = int(match[2]), np.random.default_rng(int(match[3]))
    square = rng.standard_normal((size, size))
    skew = square - square.T
    if match[1] == "skew":
        return inclusion(skew / np.linalg.norm(skew, 2), start=rng.standard_normal(size))
    half = rng.standard_normal((size, max(size // 2, 1))) / np.sqrt(size)
    # H (1 + K) H' with a skew K vanishes where its symmetric part does, as cocoercive operators do.
    inner = rng.standard_normal((half.shape[1], half.shape[1]))
    matrix = half @ (np.eye(half.shape[1]) + (inner - inner.T)) @ half.T
    return inclusion(matrix / np.linalg.norm(matrix, 2), start=rng.standard_normal(size))


def _half_turns(n_terms: int, rng: np.random.Generator) -> Inclusion:
    angles = np.geomspace(1e-2, 1.0, 10) * rng.uniform(0.0, 2.0, (n_terms, 10))
    terms = np.zeros((n_terms, 20, 20))
    even, odd = np.arange(0, 20, 2), np.arange(1, 20, 2)
    terms[:, even, even] = terms[:, odd, odd] = (1.0 - np.cos(angles)) / 2.0
    terms[:, even, odd], terms[:, odd, even] = np.sin(angles) / 2.0, -np.sin(angles) / 2.0
    return inclusion(terms, start=rng.standard_normal(20))
