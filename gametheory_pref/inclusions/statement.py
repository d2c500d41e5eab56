"""What is to be solved: `Inclusion`, and the factory that makes one from what users have."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .._check import as_float_array, non_negative, positive_whole
from .._types import FloatArray, IntArray
from ..errors import InputError, UnsupportedCombination
from ..games import MatrixGame, OperatorGame, PreferenceGame
from ..problem import action_counts, as_problem
from ..tabular import tabular
from ..verbs import Exact
from .operators import Function, Linear, Operator, SumOfFunctions, SumOfLinear, least_stretch


@dataclass(frozen=True, eq=False)
class Inclusion:
    r"""Find z with :math:`0 \in F(z) + N_C(z)`, F monotone and C either :math:`R^d` or a product of simplices.

    :math:`N_C` is the normal cone: without constraint this is ``F(z) = 0``, on simplices it is a variational
    inequality, and for the operator of a zero-sum game its solutions are the equilibria. `inclusion` makes one.

    Attributes
    ----------
    operator : Operator
        F, or the mean of ``operator.n_terms`` terms.
    start : ndarray, shape (d,)
        Where methods start, and what anchored methods are drawn to.
    blocks : ndarray of int
        Where each simplex begins, and d; ``array([0])`` without constraint.
    lipschitz, cocoercivity, mean_lipschitz, mean_cocoercivity : float or None
        Constants of F in the Euclidean norm (see `operators.Operator`), measured where F is linear; None where they
        are not known. A cocoercivity of 0 means that F is known not to be cocoercive.
    """

    operator: Operator
    start: FloatArray
    blocks: IntArray
    lipschitz: float | None
    cocoercivity: float | None
    mean_lipschitz: float | None
    mean_cocoercivity: float | None
    known_solution: FloatArray | None = field(default=None, repr=False)

    @property
    def dimension(self) -> int:
        """Number of unknowns, d."""
        return self.start.size

    @property
    def n_terms(self) -> int:
        """Number of terms that F is the mean of; 1 where it is no sum."""
        return self.operator.n_terms

    @property
    def is_constrained(self) -> bool:
        """Whether z is confined to simplices."""
        return self.blocks.size > 1

    @cached_property
    def solution(self) -> FloatArray | None:
        """The solution closest to `start` as far as it is known: given, or found for linear operators; else None."""
        from .solutions import nearest_solution

        return self.known_solution if self.known_solution is not None else nearest_solution(self)

    @property
    def distance(self) -> float | None:
        """Distance from the start to the closest solution, D; None if no solution is known."""
        return None if self.solution is None else float(np.linalg.norm(self.start - self.solution))

    def __repr__(self) -> str:
        terms = "" if self.n_terms == 1 else f", mean of {self.n_terms} terms"
        where = f"on simplices of {np.diff(self.blocks).tolist()}" if self.is_constrained else "without constraint"
        return f"Inclusion(d={self.dimension}, {where}{terms})"


def inclusion(
    operator: Any,
    start: Any = None,
    *,
    offset: Any = None,
    simplices: Sequence[int] | None = None,
    lipschitz: float | None = None,
    cocoercivity: float | None = None,
    mean_lipschitz: float | None = None,
    mean_cocoercivity: float | None = None,
    solution: Any = None,
) -> Inclusion:
    r"""Return the monotone inclusion :math:`0 \in F(z) + N_C(z)`.

    Parameters
    ----------
    operator : callable, array_like, sequence of callables, or game
        F, monotone: ``<F(u) - F(v), u - v> >= 0``. For matrices this is measured; for functions it is the caller's
        promise, and runs may diverge or stall where it is broken. A matrix B of shape (d, d) is ``z -> B z + b``; an
        array of shape (n, d, d), or a sequence of n functions, is the mean of n terms. A preference game, or a
        two-player game whose payoffs add up to a constant, is the skew operator ``z -> -A z`` of its payoff on the
        policies of all players, one after the other.
    start : array_like, shape (d,), optional
        Where methods start; uniform on simplices, and 0 otherwise, where the dimension is known.
    offset : array_like, shape (d,) or (n, d), optional
        b, for matrices.
    simplices : sequence of int, optional
        Sizes of the simplices that z is confined to, one after the other; ``()`` for no constraint. Left out, those of
        the game, and none for other operators.
    lipschitz, cocoercivity, mean_lipschitz, mean_cocoercivity : float, optional
        Constants of F; measured where it is given by matrices, and wanted by the step sizes of most methods otherwise.
    solution : array_like, shape (d,), optional
        The solution closest to the start, for theorems; found for linear operators.

    Returns
    -------
    Inclusion

    Raises
    ------
    InputError
        Matrices whose mean is not monotone (on simplices, along them), shapes that do not fit, a start off the
        simplices, or constants for an operator whose own are measured.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> rotation = gp.inclusion([[0.0, 1.0], [-1.0, 0.0]], start=[1.0, 0.0])
    >>> rotation.lipschitz, rotation.cocoercivity, rotation.distance
    (1.0, 0.0, 1.0)
    >>> gp.inclusion(gp.zoo["comal"].game)
    Inclusion(d=3, on simplices of [3])
    """
    game_sizes: tuple[int, ...] | None = None
    if isinstance(operator, (MatrixGame, PreferenceGame)):
        game_sizes, operator = action_counts(operator), -_stacked_payoff(operator)
    elif isinstance(operator, OperatorGame):
        raise UnsupportedCombination("inclusion takes games with a payoff matrix; give -A @ z as a function instead")
    sizes = _sizes(game_sizes or () if simplices is None else simplices)
    first = None if start is None else as_float_array(start, name="start", ndim=1)
    found = _operator(operator, offset, sum(sizes) or (None if first is None else first.size))
    if sizes and sum(sizes) != found.dimension:
        raise InputError(f"simplices {sizes} add up to {sum(sizes)}; the operator has {found.dimension} unknowns")
    blocks = np.cumsum((0, *sizes)).astype(np.int64)
    if isinstance(found, Linear):
        _refuse_unless_monotone(found, blocks)
    constants = {
        "lipschitz": lipschitz,
        "cocoercivity": cocoercivity,
        "mean_lipschitz": mean_lipschitz,
        "mean_cocoercivity": mean_cocoercivity,
    }
    return Inclusion(
        found,
        _start(first, found.dimension, blocks),
        blocks,
        **{name: _constant(value, name, found) for name, value in constants.items()},
        known_solution=None if solution is None else _vector(solution, found.dimension, "solution"),
    )


def _stacked_payoff(game: MatrixGame | PreferenceGame) -> FloatArray:
    """Return the skew payoff over the responses of all players."""
    return np.asarray(tabular(as_problem(game), None, Exact()).problem.payoff)


def _operator(operator: Any, offset: Any, dimension: int | None) -> Operator:
    """Return the operator, whatever it was given as."""
    functions = operator if isinstance(operator, Sequence) and operator and callable(operator[0]) else None
    if callable(operator) or functions is not None:
        if offset is not None:
            raise InputError("offset is for matrices; add it in the function")
        if dimension is None:
            raise InputError("start is needed, or simplices, to tell how many unknowns the function takes")
        return Function(operator, dimension) if functions is None else SumOfFunctions(functions, dimension)
    matrices = as_float_array(operator, name="operator", ndim=3 if np.ndim(operator) == 3 else 2)
    if matrices.shape[-1] != matrices.shape[-2] or matrices.size == 0:
        raise InputError(f"operator must hold square matrices; its shape is {matrices.shape}")
    shape = matrices.shape[:-1]
    given = np.zeros(shape) if offset is None else as_float_array(offset, name="offset", ndim=len(shape))
    if given.shape != shape:
        raise InputError(f"offset must have shape {shape}, as the matrices have rows; got {given.shape}")
    return Linear(matrices, given) if matrices.ndim == 2 else SumOfLinear(matrices, given)


def _refuse_unless_monotone(operator: Linear, blocks: IntArray) -> None:
    smallest = least_stretch(operator.matrix, blocks)
    if smallest < 0.0:
        mean = "the mean of the matrices B" if operator.n_terms > 1 else "B"
        where = ", along the simplices," if blocks.size > 1 else ""
        raise InputError(
            f"operator must be monotone, and the smallest eigenvalue of (B + B')/2{where} is {smallest:.6g} for "
            f"{mean}; add at least {-smallest:.6g} times the identity, or change the sign if these are payoffs "
            "(F is -A z)"
        )


def _sizes(simplices: Any) -> tuple[int, ...]:
    try:
        return tuple(positive_whole(size, name="simplices") for size in simplices)
    except TypeError:
        raise InputError(f"simplices must be a sequence of sizes, such as (3, 3); got {simplices!r}") from None


def _constant(value: Any, name: str, operator: Operator) -> float | None:
    measured: float | None = getattr(operator, name)
    if value is None:
        return measured
    if measured is not None:
        raise InputError(f"{name} is measured for matrices, {measured:.6g} here; leave it out")
    return non_negative(value, name=name)


def _start(start: FloatArray | None, dimension: int, blocks: IntArray) -> FloatArray:
    if start is None:
        sizes = np.diff(blocks)
        return np.repeat(1.0 / sizes, sizes) if sizes.size else np.zeros(dimension)
    checked = _vector(start, dimension, "start")
    for first, last in itertools.pairwise(blocks):
        part = checked[first:last]
        if part.min() < 0.0 or abs(part.sum() - 1.0) > 1e-9:
            raise InputError(
                f"start must lie on the simplices; entries {first} to {last - 1} are {part.tolist()}, which are no "
                "probabilities that add up to 1"
            )
    return checked


def _vector(value: Any, dimension: int, name: str) -> FloatArray:
    array = as_float_array(value, name=name, ndim=1)
    if array.size != dimension:
        raise InputError(f"{name} has {array.size} entries; the operator has {dimension} unknowns")
    return array
