"""Zero-sum games whose payoff is known by its products only, for responses too many for a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from .._check import as_float_array, choice, labels_or_range, non_negative, positive_whole
from .._types import FloatArray, Label, LabelsLike
from ..errors import InputError, UnsupportedCombination
from ..operators import Dense, Embeddings, FiniteSum, FromFunction, LowRankSkew, PayoffOperator, Sparse
from ..operators.elsewhere import payoff_elsewhere
from ..operators.examined import examined_skewness

if TYPE_CHECKING:
    from .pair_votes import PairVotes

# How far from skew a symmetric operator may be that computes in a precision of its own.
_ROUNDING_OF_OTHERS = 1e-6
# Rows of a table that are looked at together when it is checked.
_ROWS_AT_ONCE = 512


@dataclass(frozen=True, eq=False, repr=False)
class OperatorGame:
    """A zero-sum game whose payoff is a `PayoffOperator`; build it with `operator_game`, `from_embeddings`, ...

    With a skew operator it is symmetric, a preference game whose payoff is the win probability less 1/2 (or whatever
    unit the operator has); otherwise the row player gets the payoff and the column player its negative.

    Attributes
    ----------
    payoff : PayoffOperator
        Payoff to the row player.
    row_names, column_names : sequence
        What the responses are called; ``range(n)`` when the user named none. The same for both in a symmetric game.
    votes : PairVotes or None
        The comparisons that the payoff was estimated from.
    """

    payoff: PayoffOperator
    row_names: Sequence[Label]
    column_names: Sequence[Label]
    votes: PairVotes | None = field(default=None)

    @property
    def is_symmetric(self) -> bool:
        """Whether one policy plays against itself."""
        return self.payoff.is_skew

    @property
    def in_win_probabilities(self) -> bool:
        """Whether the payoff is known to be a win probability less 1/2: from comparisons or logistic scores."""
        return self.votes is not None or isinstance(self.payoff, Embeddings)

    @property
    def names(self) -> Any:
        """Names of the responses; a pair where the players differ."""
        return self.row_names if self.is_symmetric else (self.row_names, self.column_names)

    @property
    def n_responses(self) -> int:
        """Number of responses of the row player."""
        return self.payoff.shape[0]

    @property
    def n_missing(self) -> int:
        """Number of pairs without a single comparison (0 when the game did not come from comparisons)."""
        return 0 if self.votes is None else self.votes.n_missing

    def index(self, name: Label) -> int:
        """Return the position of a response of the row player."""
        try:
            return self.row_names.index(name)
        except ValueError:
            known = ", ".join(str(label) for label in self.row_names[:8])
            raise InputError(f"no response is called {name!r}; the names start with {known}") from None

    def __repr__(self) -> str:
        rows, columns = self.payoff.shape
        size = f"{rows} responses" if self.is_symmetric else f"{rows} x {columns}, zero-sum"
        if self.votes is not None:
            size += f", {self.votes.n_comparisons:.10g} comparisons"
        missing = f", {self.n_missing} pairs never compared" if self.n_missing else ""
        return f"OperatorGame({size}{missing}; {self.payoff.describe()})"

    def _repr_html_(self) -> str:
        from ..html import operator_game_summary

        return operator_game_summary(self)


def operator_game(
    payoff: Any,
    *,
    transposed: Callable[[FloatArray], FloatArray] | None = None,
    shape: int | tuple[int, int] | None = None,
    two_player: bool = False,
    bound: float | None = None,
    names: LabelsLike = None,
    row_names: LabelsLike = None,
    column_names: LabelsLike = None,
    atol: float = 1e-9,
) -> OperatorGame:
    r"""Return the zero-sum game of a payoff that is known by its products.

    A skew payoff, :math:`A^\top = -A`, is a symmetric game: a preference game if its entries are win probabilities
    less 1/2. A rectangular payoff, or a square one with ``two_player=True``, is a game of two players in which the row
    player gets `payoff` and the column player its negative. Nothing here makes a table: use it where one would not fit.

    Parameters
    ----------
    payoff : PayoffOperator, array_like, scipy sparse matrix, scipy LinearOperator, callable, dask array or torch tensor
        What multiplies a policy. An array, a memory map included, is used where it lies if it is float64: do not
        change it afterwards. A callable takes a vector and returns the payoff times it. A dask array is multiplied on
        the scheduler in force, torch tensors of float64 on their device: a matrix, a pair ``(left, right)`` for
        ``left @ right.T``, or a list of these that hold consecutive rows.
    transposed : callable, optional
        Product with the transpose, for a callable `payoff` of two players.
    shape : int or tuple of int
        Number of responses, or of the row and the column player's, for a callable `payoff`.
    two_player : bool
        Whether a square payoff is that of two different players.
    bound : float, optional
        Upper bound on the absolute values of the entries of a callable `payoff` or a `LinearOperator`, such as 0.5.
    names : sequence of str, optional
        What the responses of a symmetric game are called.
    row_names, column_names : sequence of str, optional
        What the responses of two players are called.
    atol : float
        Largest ``|A + A.T|`` of an array or sparse matrix that passes as rounding, in units of the largest entry where
        that is below 1; the game then plays ``(A - A.T) / 2``. Callables and operators are held to their own precision
        by products with random vectors.

    Returns
    -------
    OperatorGame

    Raises
    ------
    InputError
        Not finite, not a matrix, products that no one matrix has; or square, not skew, and not said to be
        `two_player`.

    Examples
    --------
    A circle of a million responses, each of which beats the next:

    >>> import gametheory_pref as gp
    >>> import numpy as np
    >>> def product(v):
    ...     return 0.5 * (np.roll(v, -1) - np.roll(v, 1))
    >>> game = gp.operator_game(product, shape=1_000_000, bound=0.5)
    >>> game
    OperatorGame(1000000 responses; products by product)
    >>> gp.exploitability(game, np.full(1_000_000, 1e-6))
    0.0

    Two players:

    >>> gp.operator_game([[3.0, -1.0, 0.0], [-1.0, 1.0, 2.0]])
    OperatorGame(2 x 3, zero-sum; dense)
    """
    from .sparse_games import is_sparse

    tolerance = non_negative(atol, name="atol")
    if not _is_function(payoff):
        _refuse_settings_of_functions(payoff, transposed, shape, bound)
    if isinstance(payoff, PayoffOperator):
        operator = _said_of(payoff, two_player)
    elif (elsewhere := payoff_elsewhere(payoff, two_player=two_player)) is not None:
        operator = elsewhere
    elif is_sparse(payoff):
        operator = _sparse(payoff, two_player, tolerance)
    elif _is_function(payoff):
        operator = _from_products(payoff, transposed, shape, two_player, bound)
    else:
        operator = _dense(payoff, two_player, tolerance)
    return _named(operator, names, row_names, column_names)


def _is_function(payoff: Any) -> bool:
    return not isinstance(payoff, PayoffOperator) and (hasattr(payoff, "matvec") or callable(payoff))


def _refuse_settings_of_functions(payoff: Any, transposed: Any, shape: Any, bound: Any) -> None:
    for name, value in (("transposed", transposed), ("shape", shape), ("bound", bound)):
        if value is not None:
            raise InputError(f"{name} is for a callable payoff; leave it out for a {type(payoff).__name__}")


def _named(operator: PayoffOperator, names: Any, row_names: Any, column_names: Any) -> OperatorGame:
    rows, columns = operator.shape
    if operator.is_skew:
        if row_names is not None or column_names is not None:
            raise InputError("row_names and column_names are for two players; this game is symmetric, so pass names")
        called = labels_or_range(names, rows)
        return OperatorGame(operator, called, called)
    if names is not None:
        raise InputError("names is for a symmetric game; this one has two players, so pass row_names and column_names")
    return OperatorGame(
        operator,
        labels_or_range(row_names, rows, name="row_names"),
        labels_or_range(column_names, columns, name="column_names"),
    )


def _said_of(operator: PayoffOperator, two_player: bool) -> PayoffOperator:
    rows, columns = operator.shape
    examined_skewness(operator, two_player=not operator.is_skew, rounding=_ROUNDING_OF_OTHERS)
    if operator.is_skew and two_player:
        raise InputError("two_player=True, but payoff.is_skew is true; make the operator with is_skew=False")
    if rows == columns and not operator.is_skew and not two_player:
        raise InputError(
            "payoff is square and payoff.is_skew is false: make the operator with is_skew=True for a symmetric game, "
            "or pass two_player=True"
        )
    return operator


def _sparse(matrix: Any, two_player: bool, atol: float) -> Sparse:
    from .sparse_games import as_csr, skew_csr

    found = as_csr(matrix, name="payoff")
    rows, columns = found.shape
    if two_player or rows != columns:
        return Sparse(found, is_skew=False)
    try:
        largest = float(np.abs(found.data).max(initial=0.0))
        return Sparse(skew_csr(found, range(rows), name="payoff", atol=atol * min(largest, 1.0)), is_skew=True)
    except InputError as error:
        raise InputError(f"{error.reason}. Pass two_player=True if it is the payoff of two different players") from None


def _dense(payoff: Any, two_player: bool, atol: float) -> Dense:
    matrix = _table(payoff)
    rows, columns = matrix.shape
    if two_player or rows != columns:
        return Dense(matrix, is_skew=False)
    off, (i, j) = _farthest_from_skew(matrix)
    if off > 0.0 and off > atol * min(float(max(matrix.max(), -matrix.min())), 1.0):
        raise InputError(
            f"payoff must be skew-symmetric; payoff[{i}, {j}] = {matrix[i, j]:.6g} and payoff[{j}, {i}] = "
            f"{matrix[j, i]:.6g} do not cancel. Pass P - 1/2 for win probabilities P, or two_player=True if it is the "
            "payoff of two different players"
        )
    if off == 0.0:
        return Dense(matrix, is_skew=True)
    if isinstance(payoff, np.memmap):
        raise InputError(
            f"payoff lies in a file and is skew only up to {off:.2g}; write (A - A.T) / 2 there, which is so exactly"
        )
    skew = matrix - matrix.T
    skew /= 2.0
    return Dense(skew, is_skew=True)


def _table(payoff: Any) -> FloatArray:
    """Return a finite float64 matrix, the array itself where it is one; a file is read a few rows at a time."""
    if not isinstance(payoff, np.ndarray) or payoff.dtype != np.float64 or isinstance(payoff, np.ma.MaskedArray):
        if isinstance(payoff, np.memmap):
            raise InputError(f"payoff is a memory map of {payoff.dtype}; write it as float64")
        matrix = as_float_array(payoff, name="payoff", ndim=2)
    else:
        matrix = payoff
    if matrix.ndim != 2 or matrix.size == 0:
        raise InputError(f"payoff must be a matrix with rows and columns; its shape is {matrix.shape}")
    for start in range(0, len(matrix), _ROWS_AT_ONCE):
        finite = np.isfinite(matrix[start : start + _ROWS_AT_ONCE])
        if not finite.all():
            i, j = np.argwhere(~finite)[0]
            raise InputError(
                f"payoff has a value that is not finite: entry ({start + i}, {j}) is {matrix[start + i, j]}. "
                "Fill in or drop what is missing"
            )
    view = matrix.view()
    view.flags.writeable = False
    return view


def _farthest_from_skew(matrix: FloatArray) -> tuple[float, tuple[int, int]]:
    """Return the largest ``|A + A'|`` and where it is, block by block."""
    worst, place = 0.0, (0, 0)
    for rows in range(0, len(matrix), _ROWS_AT_ONCE):
        for columns in range(rows, len(matrix), _ROWS_AT_ONCE):
            one = matrix[rows : rows + _ROWS_AT_ONCE, columns : columns + _ROWS_AT_ONCE]
            other = matrix[columns : columns + _ROWS_AT_ONCE, rows : rows + _ROWS_AT_ONCE]
            off = np.abs(one + other.T)
            if off.max() > worst:
                i, j = np.unravel_index(int(np.argmax(off)), off.shape)
                worst, place = float(off.max()), (rows + int(i), columns + int(j))
    return worst, place


def _from_products(
    payoff: Any, transposed: Any, shape: Any, two_player: bool, bound: float | None
) -> FromFunction:
    """Return the operator of a callable or a scipy LinearOperator."""
    if hasattr(payoff, "matvec"):
        if transposed is not None or (shape is not None and tuple(np.atleast_1d(shape)) != tuple(payoff.shape)):
            raise InputError("a LinearOperator brings its transpose and its shape; leave transposed and shape out")
        product, transposed, shape = payoff.matvec, _transpose_of(payoff), payoff.shape
    else:
        product = payoff
    if shape is None:
        raise InputError("shape is missing: say how many responses a callable payoff is about, as in shape=100_000")
    if not isinstance(shape, (tuple, list)):
        shape = (shape, shape)
    if len(shape) != 2:
        raise InputError(f"shape must be a number of responses, or of rows and of columns; got {tuple(shape)}")
    rows, columns = (positive_whole(size, name="shape") for size in shape)
    if rows == columns and not two_player:
        if transposed is not None and not hasattr(payoff, "matvec"):
            raise InputError(
                "transposed is given, and the payoff of a symmetric game needs none; leave it out, or pass "
                "two_player=True"
            )
        return FromFunction((rows, columns), product, is_skew=True, bound=bound)
    return FromFunction((rows, columns), product, transposed=transposed, bound=bound)


def _transpose_of(payoff: Any) -> Callable[[FloatArray], FloatArray]:
    """Return the product with the transpose of a scipy LinearOperator, which may have none."""

    def transposed(vector: FloatArray) -> FloatArray:
        try:
            product: FloatArray = payoff.rmatvec(vector)
        except NotImplementedError:
            raise InputError(
                "payoff is a LinearOperator without rmatvec, which a game of two players needs; make it with "
                "rmatvec=..., the product with its transpose"
            ) from None
        return product

    return transposed


def from_embeddings(
    V: ArrayLike,
    R: ArrayLike | None = None,
    *,
    link: Literal["linear", "logistic"] = "linear",
    names: LabelsLike = None,
) -> OperatorGame:
    r"""Return the symmetric game of general preference embeddings: scores :math:`S = V R V^\top`, R skew.

    Parameters
    ----------
    V : array_like, shape (n, d)
        One embedding per response.
    R : array_like, shape (d, d), optional
        Skew-symmetric. By default the blocks ``[[0, 1], [-1, 0]]`` along the diagonal, so that the score of i over j
        is :math:`\sum_l v_{i,2l} v_{j,2l+1} - v_{i,2l+1} v_{j,2l}`. That is :math:`\langle R_\succ v_i, v_j\rangle` of
        the general preference model, equation 4.1 of arXiv:2410.02197, whose :math:`R_\succ` is the transpose of
        `R`. With ``V = [r, 1]`` it is the Bradley-Terry score :math:`r_i - r_j`.
    link : {"linear", "logistic"}
        "linear": the payoff is the score, and a product costs :math:`O(n d)`. "logistic": i beats j with probability
        ``1 / (1 + exp(-S[i, j]))``, the payoff is that less 1/2, and a product costs :math:`O(n^2 d)` time but
        no table. They are different games with, in general, different winners.
    names : sequence of str, optional
        What the responses are called.

    Raises
    ------
    InputError
        An odd d without `R`, shapes that do not fit, `R` not skew, or entries that are not finite.

    Examples
    --------
    Rock, paper and scissors as three directions in the plane, and what they score against rock:

    >>> import gametheory_pref as gp
    >>> import numpy as np
    >>> angles = 2 * np.pi * np.arange(3) / 3
    >>> game = gp.from_embeddings(np.column_stack([np.cos(angles), np.sin(angles)]))
    >>> game
    OperatorGame(3 responses; skew of rank 2)
    >>> (game.payoff @ np.array([1.0, 0.0, 0.0])).round(3)
    array([ 0.   , -0.866,  0.866])
    """
    vectors = as_float_array(V, name="V", ndim=2)
    if vectors.size == 0:
        raise InputError(f"V is empty (shape {vectors.shape}); give one embedding per response")
    choice(link, ("linear", "logistic"), name="link")
    skew = _skew_form(R, vectors.shape[1])
    scores = LowRankSkew(vectors, skew)
    with np.errstate(over="ignore"):
        bound = scores.largest()
    if not np.isfinite(bound):
        raise InputError(
            f"V has entries of {np.abs(vectors).max():.3g} and R of {np.abs(skew).max():.3g}: scores V R V' are not "
            "finite. Divide V by its largest entry"
        )
    operator = scores if link == "linear" else Embeddings(vectors, skew)
    called = labels_or_range(names, len(vectors))
    return OperatorGame(operator, called, called)


def _skew_form(R: Any, rank: int) -> FloatArray:
    if R is None:
        if rank % 2:
            raise InputError(f"V has {rank} columns, and without R they must come in pairs; pass R, or add a column")
        return np.kron(np.eye(rank // 2), np.array([[0.0, 1.0], [-1.0, 0.0]]))
    skew = as_float_array(R, name="R", ndim=2)
    if skew.shape != (rank, rank):
        raise InputError(f"R has shape {skew.shape} and V {rank} columns; R must be {rank} x {rank}")
    off = np.abs(skew + skew.T)
    if off.max() > 1e-9 * max(float(np.abs(skew).max()), 1.0):
        i, j = np.unravel_index(int(np.argmax(off)), off.shape)
        raise InputError(
            f"R must be skew-symmetric; R[{i}, {j}] = {skew[i, j]:.6g} and R[{j}, {i}] = {skew[j, i]:.6g} do not cancel"
        )
    return np.asarray((skew - skew.T) / 2.0)


def finite_sum_game(games: Sequence[Any], weights: ArrayLike | None = None) -> OperatorGame:
    """Return the game whose payoff is the weighted mean of the payoffs of several: judges, prompts or batches.

    Parameters
    ----------
    games : sequence of PreferenceGame, OperatorGame or zero-sum MatrixGame
        All symmetric or all of two players, about the same responses under the same names.
    weights : array_like, shape (len(games),), optional
        At least 0 and not all 0; they are divided by their sum. Equal when left out.

    Raises
    ------
    InputError
        No games, other responses or names, or weights that do not fit.
    UnsupportedCombination
        Symmetric games beside games of two players, or games that are not zero-sum.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> strict = gp.preference_game([[0.5, 0.9], [0.1, 0.5]], names=["tea", "milk"])
    >>> mild = gp.preference_game([[0.5, 0.4], [0.6, 0.5]], names=["tea", "milk"])
    >>> panel = gp.finite_sum_game([strict, mild], weights=[1, 3])
    >>> (panel.payoff @ [0.0, 1.0]).round(3)
    array([0.025, 0.   ])
    """
    try:
        members = list(games)
    except TypeError:
        raise InputError(f"games must be a list of games; got a {type(games).__name__}, so pass [game, ...]") from None
    if not members:
        raise InputError("games is empty; a mean needs at least one game")
    operators = [_operator_of(game, i) for i, game in enumerate(members)]
    first = members[0]
    for i, (game, operator) in enumerate(zip(members, operators, strict=True)):
        if operator.is_skew != operators[0].is_skew:
            raise UnsupportedCombination(
                f"games[{i}] is {'symmetric' if operator.is_skew else 'of two players'} and games[0] is not; a mean "
                "needs games of one kind"
            )
        if operator.shape == operators[0].shape and not _same_names(game, first):
            raise InputError(f"the responses of games[{i}] are called otherwise than those of games[0]; use one order")
    payoff = FiniteSum(operators, None if weights is None else as_float_array(weights, name="weights", ndim=1))
    if payoff.is_skew:
        return OperatorGame(payoff, first.names, first.names)
    return OperatorGame(payoff, *first.names)


def _same_names(one: Any, other: Any) -> bool:
    """Return whether the responses of two games of one kind and size are called alike."""
    for mine, theirs in zip(_name_lists(one), _name_lists(other), strict=True):
        if mine != theirs and not all(a == b for a, b in zip(mine, theirs, strict=True)):
            return False
    return True


def _name_lists(game: Any) -> tuple[Sequence[Label], ...]:
    two_player = hasattr(game, "column_names") and not getattr(game, "is_symmetric", False)
    return tuple(game.names) if two_player else (game.names,)


def _operator_of(game: Any, i: int) -> PayoffOperator:
    from .matrix import MatrixGame
    from .preference import PreferenceGame

    if isinstance(game, OperatorGame):
        return game.payoff
    if isinstance(game, PreferenceGame):
        return Dense(game.payoff, is_skew=True)
    if isinstance(game, MatrixGame) and game.constant_sum == 0.0:
        return Dense(game.row_payoff, is_skew=False)
    raise UnsupportedCombination(
        f"games[{i}] is a {type(game).__name__}; a mean is made of preference games, operator games and zero-sum "
        "matrix games"
    )
