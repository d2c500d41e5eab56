"""Payoffs as torch tensors of float64: dense, compressed rows, low rank, distributed, or in shards of rows.

A product takes vectors of NumPy, or tensors on the payoff's own device (`TorchPayoff.apply`): a run can stay there.
"""

from __future__ import annotations

import contextlib
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from .._optional import require
from .._types import FloatArray, IntArray
from ..errors import InputError
from .base import Cost, PayoffOperator
from .dense import Dense
from .examined import examined_skewness
from .low_rank import LowRank, LowRankSkew
from .sparse import Sparse


def torch_module() -> ModuleType:
    """Return torch, or say which extra installs it."""
    return require("torch", extra="torch", purpose="payoffs on a device")


class TorchPayoff(PayoffOperator):
    """A payoff that lives on a torch device.

    Attributes
    ----------
    device : torch.device
        Where the vectors of `apply` live.
    """

    device: Any

    @abstractmethod
    def apply(self, vector: Any) -> Any:
        """Return ``A @ vector`` for a tensor of float64 on `device`."""

    @abstractmethod
    def apply_transposed(self, vector: Any) -> Any:
        """Return ``A.T @ vector`` for a tensor of float64 on `device`."""

    def product(self, vector: FloatArray) -> FloatArray:
        """Return ``A @ vector``; the vector moves to the device and the product back."""
        return to_host(self.apply(to_device(vector, self.device)))

    def transposed_product(self, vector: FloatArray) -> FloatArray:
        """Return ``A.T @ vector``."""
        return to_host(self.apply_transposed(to_device(vector, self.device)))


def to_device(vector: FloatArray, device: Any) -> Any:
    """Return a copy of an array as a tensor of the same type on a device."""
    return torch_module().tensor(np.asarray(vector), device=device)


def to_host(tensor: Any) -> FloatArray:
    """Return a tensor as an array."""
    return np.asarray(tensor.cpu().numpy())


class TorchMatrix(TorchPayoff):
    """A payoff matrix as a tensor: dense, in compressed rows (CSR), or a `DTensor` spread over processes.

    With a `DTensor` every process runs the same program: each gets the whole product, gathered from all, so that all
    take the same steps. Whatever depends on the clock, such as a time limit, may part them, and then they wait for
    one another for ever.

    Parameters
    ----------
    matrix : torch.Tensor, shape (rows, columns)
        float64.
    is_skew : bool
        Whether the matrix is skew; not checked here.
    """

    def __init__(self, matrix: Any, *, is_skew: bool) -> None:
        self.matrix = matrix
        self.shape = (int(matrix.shape[0]), int(matrix.shape[1]))
        self.is_skew = is_skew
        self.device = matrix.device

    @cached_property
    def transposed(self) -> Any:
        """The transpose; for compressed rows a copy, made when first used.

        Products with the transpose of compressed rows are slow, and on a GPU add up in an order that changes.
        """
        if not self.is_sparse:
            return self.matrix.T
        with _compressed_rows_are_fine():
            return self.matrix.transpose(0, 1).to_sparse_csr()

    @property
    def is_sparse(self) -> bool:
        """Whether the matrix is in compressed rows."""
        return self.matrix.layout is torch_module().sparse_csr

    @property
    def is_distributed(self) -> bool:
        """Whether the matrix is a `DTensor`."""
        return hasattr(self.matrix, "device_mesh")

    def apply(self, vector: Any) -> Any:
        """Return ``A @ vector``."""
        return self._multiplied(self.matrix, vector)

    def apply_transposed(self, vector: Any) -> Any:
        """Return ``A.T @ vector``."""
        return -self.apply(vector) if self.is_skew else self._multiplied(self.transposed, vector)

    def _multiplied(self, matrix: Any, vector: Any) -> Any:
        if not self.is_distributed:
            return matrix @ vector
        from torch.distributed.tensor import DTensor, Replicate

        mesh = matrix.device_mesh
        everywhere = DTensor.from_local(vector, mesh, [Replicate()] * mesh.ndim, run_check=False)
        return (matrix @ everywhere).full_tensor()

    @property
    def cost(self) -> Cost:
        """What one product takes."""
        entries = self.matrix.values().numel() if self.is_sparse else self.shape[0] * self.shape[1]
        return Cost(float(_bytes(self.matrix)), 2.0 * entries)

    @property
    def nbytes(self) -> int:
        """Bytes of the matrix, over all processes, and of its transpose where there is a copy."""
        copies = 1 if self.is_sparse and "transposed" in self.__dict__ else 0
        return _bytes(self.matrix) * (1 + copies)

    def largest(self) -> float:
        """Return the largest absolute value."""
        entries = self.matrix.values() if self.is_sparse else self.matrix
        if entries.numel() == 0:
            return 0.0
        top, bottom = entries.max(), entries.min()
        if self.is_distributed:
            top, bottom = top.full_tensor(), bottom.full_tensor()
        return max(float(top), -float(bottom))

    def describe(self) -> str:
        """Return the layout and the device."""
        kind = f"sparse, {self.matrix.values().numel()} entries" if self.is_sparse else "dense"
        where = f"spread over {self.matrix.device_mesh.size()} processes" if self.is_distributed else str(self.device)
        return f"torch, {kind}, {where}"

    def block(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Return the submatrix."""
        if self.is_distributed:
            return super().block(rows, columns)
        row, column = (torch_module().tensor(np.asarray(where), device=self.device) for where in (rows, columns))
        if self.is_sparse:
            return to_host(_sparse_block(self.matrix, row, column))
        return to_host(self.matrix.index_select(0, row).index_select(1, column))

    @property
    def block_is_cheap(self) -> bool:
        """True, but for matrices spread over processes."""
        return not self.is_distributed


def _bytes(matrix: Any) -> int:
    if matrix.layout is torch_module().sparse_csr:
        return sum(part.nbytes for part in (matrix.values(), matrix.col_indices(), matrix.crow_indices()))
    return int(matrix.numel() * matrix.element_size())


def _sparse_block(matrix: Any, rows: Any, columns: Any) -> Any:
    """Return the dense submatrix of a matrix in compressed rows: the entries of the rows, of which columns are kept."""
    torch = torch_module()
    first = matrix.crow_indices()
    counts = (first[rows + 1] - first[rows]).long()
    shift = first[rows].long() - (counts.cumsum(0) - counts)
    entries = torch.arange(int(counts.sum()), device=rows.device) + shift.repeat_interleave(counts)
    row = torch.arange(len(rows), device=rows.device).repeat_interleave(counts)
    wanted, place_of = columns.unique(return_inverse=True)
    place = torch.full((matrix.shape[1],), -1, device=rows.device)
    place[wanted] = torch.arange(len(wanted), device=rows.device)
    column = place[matrix.col_indices()[entries].long()]
    kept = column >= 0
    block = torch.zeros((len(rows), len(wanted)), dtype=torch.float64, device=rows.device)
    block.index_put_((row[kept], column[kept]), matrix.values()[entries][kept], accumulate=True)
    return block[:, place_of]


class TorchLowRank(TorchPayoff):
    """The payoff ``left @ right.T``.

    Parameters
    ----------
    left, right : torch.Tensor, shape (rows, rank) and (columns, rank)
        float64, dense, on one device.
    is_skew : bool
        Whether the product is skew; not checked here.
    """

    def __init__(self, left: Any, right: Any, *, is_skew: bool) -> None:
        self.left, self.right = left, right
        self.shape = (int(left.shape[0]), int(right.shape[0]))
        self.is_skew = is_skew
        self.device = left.device

    def apply(self, vector: Any) -> Any:
        """Return ``A @ vector``."""
        return self.left @ (vector @ self.right)

    def apply_transposed(self, vector: Any) -> Any:
        """Return ``A.T @ vector``."""
        return -self.apply(vector) if self.is_skew else self.right @ (vector @ self.left)

    @property
    def cost(self) -> Cost:
        """What one product takes."""
        return Cost(float(self.nbytes), 2.0 * (self.left.numel() + self.right.numel()))

    @property
    def nbytes(self) -> int:
        """Bytes of the factors."""
        return int(self.left.nbytes + self.right.nbytes)

    def largest(self) -> float:
        """Return the bound that the lengths of the factors' rows give."""
        return float(self.left.norm(dim=1).max() * self.right.norm(dim=1).max())

    def describe(self) -> str:
        """Return the rank and the device."""
        return f"torch, rank {self.left.shape[1]}, {self.device}"

    def block(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Return the submatrix."""
        row, column = (torch_module().tensor(np.asarray(where), device=self.device) for where in (rows, columns))
        return to_host(self.left[row] @ self.right[column].T)

    @property
    def block_is_cheap(self) -> bool:
        """True."""
        return True


class TorchShards(TorchPayoff):
    """A payoff whose rows lie in several pieces, one after the other, each on a device of its own.

    A vector is copied to every device, each multiplies its rows, and the pieces of the product are gathered where the
    first shard is. Devices that work asynchronously, as GPUs do, work at the same time.

    Parameters
    ----------
    shards : sequence of TorchPayoff
        The pieces, all with the same number of columns.
    is_skew : bool
        Whether the whole is skew; not checked here.
    """

    def __init__(self, shards: Sequence[TorchPayoff], *, is_skew: bool) -> None:
        self.shards = tuple(shards)
        self.first_rows = np.cumsum([0, *(shard.shape[0] for shard in shards)])
        self.shape = (int(self.first_rows[-1]), shards[0].shape[1])
        self.is_skew = is_skew
        self.device = shards[0].device

    def apply(self, vector: Any) -> Any:
        """Return ``A @ vector``."""
        pieces = [shard.apply(vector.to(shard.device, non_blocking=True)) for shard in self.shards]
        return torch_module().cat([piece.to(self.device) for piece in pieces])

    def apply_transposed(self, vector: Any) -> Any:
        """Return ``A.T @ vector``."""
        if self.is_skew:
            return -self.apply(vector)
        parts = vector.split([shard.shape[0] for shard in self.shards])
        pieces = [
            shard.apply_transposed(part.to(shard.device, non_blocking=True))
            for shard, part in zip(self.shards, parts, strict=True)
        ]
        total = pieces[0].to(self.device)
        for piece in pieces[1:]:
            total = total + piece.to(self.device)
        return total

    @property
    def cost(self) -> Cost:
        """What one product takes, all devices together."""
        costs = [shard.cost for shard in self.shards]
        return Cost(sum(cost.bytes for cost in costs), sum(cost.flops for cost in costs))

    @property
    def nbytes(self) -> int:
        """Bytes of all shards."""
        return sum(shard.nbytes for shard in self.shards)

    def largest(self) -> float:
        """Return the largest bound of a shard."""
        return max(shard.largest() for shard in self.shards)

    def describe(self) -> str:
        """Return how many shards there are, and the first."""
        return f"{len(self.shards)} shards of rows, the first: {self.shards[0].describe()}"

    def block(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """Return the submatrix."""
        block = np.empty((len(rows), len(columns)))
        owner = np.searchsorted(self.first_rows, rows, side="right") - 1
        for number in np.unique(owner):
            own = owner == number
            block[own] = self.shards[number].block(np.asarray(rows)[own] - self.first_rows[number], columns)
        return block

    @property
    def block_is_cheap(self) -> bool:
        """Whether it is for every shard."""
        return all(shard.block_is_cheap for shard in self.shards)


def torch_payoff(value: Any, *, two_player: bool = False) -> TorchPayoff:
    """Return a payoff made of tensors as an operator.

    Parameters
    ----------
    value : torch.Tensor, (left, right), or list
        A matrix: dense, in compressed rows, or a `DTensor`. A tuple of two tensors is the low-rank payoff
        ``left @ right.T``. A list holds consecutive rows of the payoff, each item any of these on a device of its own.
    two_player : bool
        Whether a square payoff is that of two different players; otherwise it must be skew, the payoff of a symmetric
        game. Two products with random vectors tell.

    Raises
    ------
    InputError
        Not float64; not a matrix; not finite; or square, not skew, and not `two_player`.
    MissingDependency
        torch is not installed.

    Examples
    --------
    >>> torch = __import__("pytest").importorskip("torch")
    >>> payoff = torch_payoff(torch.tensor([[0.0, 0.25], [-0.25, 0.0]], dtype=torch.float64))
    >>> payoff
    TorchMatrix(2 x 2; torch, dense, cpu)
    >>> payoff.is_skew, payoff @ __import__("numpy").array([0.5, 0.5])
    (True, array([ 0.125, -0.125]))
    """
    payoff = _built(value)
    payoff.is_skew = examined_skewness(payoff, two_player=two_player)
    return payoff


def _built(value: Any) -> TorchPayoff:
    if not isinstance(value, list):
        return _built_one(value, "payoff")
    if not value:
        raise InputError("payoff is an empty list; give tensors that hold consecutive rows")
    shards = [_built_one(item, f"payoff[{k}]") for k, item in enumerate(value)]
    if len({shard.shape[1] for shard in shards}) > 1:
        columns = ", ".join(str(shard.shape[1]) for shard in shards)
        raise InputError(f"payoff holds rows of different lengths ({columns}); give the same columns to all")
    return TorchShards(shards, is_skew=False)


def _built_one(value: Any, name: str) -> TorchPayoff:
    if not isinstance(value, tuple):
        return TorchMatrix(_checked(value, name), is_skew=False)
    if len(value) != 2:
        raise InputError(f"{name} is a tuple of {len(value)}; a low-rank payoff is a pair, (left, right)")
    left, right = (_checked(part, f"{name}[{k}]") for k, part in enumerate(value))
    if left.shape[1] != right.shape[1] or left.device != right.device:
        raise InputError(
            f"{name} is a pair of tensors of shape {tuple(left.shape)} on {left.device} and {tuple(right.shape)} on "
            f"{right.device}; left @ right.T needs the same number of columns, and one device"
        )
    return TorchLowRank(left, right, is_skew=False)


def _checked(tensor: Any, name: str) -> Any:
    torch = torch_module()
    if not isinstance(tensor, torch.Tensor):
        raise InputError(f"{name} must be a torch tensor; got {type(tensor).__name__}")
    if tensor.dtype is not torch.float64:
        raise InputError(f"{name} is of {tensor.dtype}, too coarse for a certified gap; pass {name}.double()")
    if tensor.ndim != 2 or 0 in tensor.shape:
        raise InputError(f"{name} must be a matrix with entries; got shape {tuple(tensor.shape)}")
    if tensor.layout not in (torch.strided, torch.sparse_csr):
        raise InputError(f"{name} has the layout {tensor.layout}; pass {name}.to_sparse_csr() or {name}.to_dense()")
    return tensor.detach()


def on_device(payoff: PayoffOperator, device: Any) -> TorchPayoff:
    """Return a copy of a dense, sparse or low-rank payoff on a torch device.

    Parameters
    ----------
    payoff : Dense, Sparse, LowRank or LowRankSkew
        In memory; `OperatorGame.payoff` of a game of these.
    device : str or torch.device
        Such as ``"cuda"`` or ``"cpu"``.

    Raises
    ------
    InputError
        The operator is of another kind.
    """
    torch = torch_module()
    if isinstance(payoff, Dense):
        return TorchMatrix(torch.tensor(payoff.matrix, device=device), is_skew=payoff.is_skew)
    if isinstance(payoff, LowRankSkew):
        payoff = LowRank(payoff.vectors @ payoff.skew, payoff.vectors, is_skew=True)
    if isinstance(payoff, LowRank):
        left, right = (torch.tensor(part, device=device) for part in (payoff.left, payoff.right))
        return TorchLowRank(left, right, is_skew=payoff.is_skew)
    if isinstance(payoff, Sparse):
        return TorchMatrix(_compressed_rows(payoff.matrix, device), is_skew=payoff.is_skew)
    raise InputError(f"{payoff!r} has no copy on a device; dense, sparse and low-rank payoffs do")


def _compressed_rows(matrix: Any, device: Any) -> Any:
    torch = torch_module()
    parts = [torch.tensor(part, device=device) for part in (matrix.indptr, matrix.indices, matrix.data)]
    with _compressed_rows_are_fine():
        return torch.sparse_csr_tensor(*parts, size=matrix.shape, check_invariants=False)


@contextlib.contextmanager
def _compressed_rows_are_fine() -> Iterator[None]:
    """Keep torch from warning that compressed rows are a beta: what is used of them is tested against SciPy."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse")
        yield
