"""Solve the equations of a sure part of the support and leave a smaller symmetric game (Schur complement)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._types import BoolArray, FloatArray, IntArray


def gains(payoff: FloatArray, p: FloatArray) -> FloatArray:
    """Return payoff @ p by the BLAS that factorises; two, each with its threads, would wait on each other."""
    from scipy.linalg import blas

    result: FloatArray = blas.dgemv(-1.0, payoff.T, p)
    return result


def block(payoff: FloatArray, rows: IntArray, columns: IntArray) -> FloatArray:
    """Return the submatrix of some rows and columns (two `take` are faster than `ix_`)."""
    result: FloatArray = payoff.take(rows, axis=0).take(columns, axis=1)
    return result


class Elimination(NamedTuple):
    """What is left of a game after the equations of the sure support are solved.

    (theta, x_sure) = response @ x_open + offset, and `game` is the symmetric game in (x_open, 1), or in
    x_open alone if nothing is sure.
    """

    sure: IntArray
    open_indices: IntArray
    response: FloatArray
    offset: FloatArray
    game: FloatArray


def eliminate(payoff: FloatArray, certainty: FloatArray, inside: BoolArray, undecided: BoolArray) -> Elimination | None:
    """Eliminate the sure support C (and theta) from the optimality conditions; None if C is too degenerate.

    With M = [0, -1'; 1, -A_CC] and F = [1'; A_CU] the equations read M (theta, x_C) = F x_U - e. The slack of
    U is then K x_U + q with K = -A_UU + F' inv(M) F, skew because M is, and q = -F' inv(M) e: a self-dual
    problem, whose homogeneous form is a symmetric game.
    """
    from scipy.linalg import lapack

    sure = np.flatnonzero(inside & ~undecided)
    open_indices = np.flatnonzero(undecided)
    for _ in range(2):
        if sure.size % 2 == 0 and sure.size > 0:
            # M has order |C| + 1, and a skew matrix of odd order is singular.
            weakest = int(certainty[sure].argmin())
            open_indices = np.append(open_indices, sure[weakest])
            sure = np.delete(sure, weakest)
        k = sure.size
        if k == 0 and open_indices.size == 0:
            return None
        if k == 0:
            game = block(payoff, open_indices, open_indices)
            return Elimination(sure, open_indices, np.empty((1, open_indices.size)), np.empty(1), game)
        matrix = np.empty((k + 1, k + 1), order="F")
        matrix.T[1:, 1:] = block(payoff, sure, sure)
        matrix[0] = -1.0
        matrix[:, 0] = 1.0
        matrix[0, 0] = 0.0
        factors, pivots, _ = lapack.dgetrf(matrix, overwrite_a=1)
        dependent = np.abs(factors.diagonal())[1:] < 1e-9
        if not dependent.any():
            return _schur_complement(payoff, sure, open_indices, factors, pivots)
        if 8 * np.count_nonzero(dependent) > k:
            return None
        # Independent columns of a skew matrix span a nonsingular principal submatrix; the others stay in the
        # game.
        open_indices = np.append(open_indices, sure[dependent])
        sure = sure[~dependent]
    return None


def _schur_complement(
    payoff: FloatArray, sure: IntArray, open_indices: IntArray, factors: FloatArray, pivots: IntArray
) -> Elimination:
    from scipy.linalg import blas, lapack

    k, u = sure.size, open_indices.size
    border = np.ones((k + 1, u + 1), order="F")
    np.negative(block(payoff, open_indices, sure), out=border.T[:u, 1:])
    border[0, u] = -1.0
    border[1:, u] = 0.0
    solution, _ = lapack.dgetrs(factors, pivots, border)
    coupling = blas.dgemm(1.0, border[:, :u], solution, trans_a=1)
    game = np.zeros((u + 1, u + 1))
    game[:u, :u] = block(payoff, open_indices, open_indices) - coupling[:, :u]
    game[:u, u] = -coupling[:, u]
    game[u, :u] = coupling[:, u]
    return Elimination(sure, open_indices, solution[:, :u], solution[:, u], game)
