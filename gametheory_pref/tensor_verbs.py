"""The verbs on torch tensors: the same update rules, step by step on the device where the payoff lives.

A step reads from the device what the rule decides by, such as a distance or a divergence, and the projection a mass in
each of its rounds; vectors leave it where a record is written. Verbs that draw terms or opponents visit the host.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from . import verbs
from ._jit import interpreted
from ._types import FloatArray
from .kernels.elementary import excess_series
from .operators import PayoffOperator, Stacked
from .operators.torch_tensor import TorchPayoff, to_device, to_host, torch_module
from .verbs import Anchor, Bank, Direction, Mixture, Point, TabularProblem


def resident(problem: TabularProblem) -> Any:
    """Return the problem as steps see it: on the device of its payoff, if that is made of torch tensors."""
    payoff = problem.payoff
    inner = payoff.payoff if isinstance(payoff, Stacked) else payoff
    return TensorProblem(problem, inner.device) if isinstance(inner, TorchPayoff) else problem


def _as_written(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Return the NumPy body of a verb as a method, for one whose lines mean the same on tensors."""
    body = verb.__wrapped__  # type: ignore[attr-defined]

    def answer(self: TensorProblem, *arguments: Any) -> Any:
        return body(self, *arguments)

    return answer


class TensorProblem:
    """A `TabularProblem` whose policies and payoffs are tensors of float64 on one device.

    Parameters
    ----------
    problem : TabularProblem
        With a payoff made of torch tensors.
    device : torch.device
        Where that payoff takes its vectors.
    """

    def __init__(self, problem: TabularProblem, device: Any) -> None:
        self.table, self.device = problem, device
        self.payoff = _Resident(problem.payoff)
        self.blocks = problem.blocks
        self.reference, self.start = self.at_home(problem.reference), self.at_home(problem.start)
        self.temperature = problem.temperature
        self.oracle = problem.oracle
        self._parts = [slice(int(first), int(last)) for first, last in itertools.pairwise(problem.blocks)]

    def at_home(self, value: Any) -> Any:
        """Return a state with its arrays as tensors."""
        return _mapped(value, np.ndarray, lambda array: to_device(array, self.device))

    def on_host(self, value: Any) -> Any:
        """Return a state with its tensors as arrays."""
        return _mapped(value, torch_module().Tensor, to_host)

    def in_both(self, prob: Any) -> Point:
        """Return a policy in both coordinates."""
        return Point(prob.log(), prob)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the answer to a verb that is not below: that of tables, on a visit to the host."""
        body = getattr(getattr(verbs, name, None), "__wrapped__", None)
        if body is None:
            raise AttributeError(f"a problem on a device has no {name!r}")

        def answer(*arguments: Any) -> Any:
            return self.at_home(body(self.table, *self.on_host(arguments)))

        return answer

    field = _as_written(verbs.field)
    mirror = _as_written(verbs.mirror)
    prox = _as_written(verbs.prox)
    mean = _as_written(verbs.mean)
    start_in = _as_written(verbs.start_in)
    inner = _as_written(verbs.inner)
    square_distance = _as_written(verbs.square_distance)
    recall = _as_written(verbs.recall)
    anchors_of = _as_written(verbs.anchors_of)
    bookmark = _as_written(verbs.bookmark)
    keep = _as_written(verbs.keep)

    def project(self, base: Point | Mixture, direction: Direction, step_size: float) -> Mixture:
        """Return the policy closest to ``base + step_size * direction``."""
        vector: Any = base.prob + step_size * direction.value
        for part in self._parts:
            vector[part] = projected(vector[part])
        return Mixture(vector)

    share_of_side = _as_written(verbs.share_of_side)

    def start_of_side(self, side: int) -> Mixture:
        """Return the start as one side knows it."""
        if self.blocks.size != 3:
            return Mixture(self.start.prob)
        given: Any = self.start.prob
        prob, own = _zeros(given), self._parts[side]
        prob[own] = given[own]
        return Mixture(prob)

    def field_of_side(self, x: Mixture, side: int, rng: Any) -> Direction:
        """Return the payoff of every response of one side, 0 elsewhere."""
        if self.blocks.size != 3:
            return Direction(self.payoff @ x.prob)
        return Direction(self.payoff.side_product(x.prob, side))

    def project_side(self, base: Mixture, direction: Direction, step_size: float, side: int) -> Mixture:
        """Return `project` of one side, without mass elsewhere."""
        if self.blocks.size != 3:
            return self.project(base, direction, step_size)
        given: Any = base.prob
        prob, own = _zeros(given), self._parts[side]
        prob[own] = projected(given[own] + step_size * direction.value[own])
        return Mixture(prob)

    def normalize(self, anchor: Point | Anchor) -> Point:
        """Return the policy proportional to `anchor`."""
        given: Any = anchor.log
        log, prob = given.new_empty(given.shape), given.new_empty(given.shape)
        for part in self._parts:
            log[part] = given[part].log_softmax(0)
            prob[part] = given[part].softmax(0)
        return Point(log, prob)

    def blend(self, points: tuple[Point | Anchor, ...], weights: tuple[float, ...]) -> Anchor:
        """Return ``prod_k point_k ** weight_k``, unnormalised."""
        return Anchor(_combined([point.log for point in points], weights))

    def mixture(self, points: tuple[Point | Mixture, ...], weights: tuple[float, ...]) -> Mixture:
        """Return the arithmetic mixture."""
        return Mixture(_combined([point.prob for point in points], weights))

    def combine(self, directions: tuple[Direction, ...], weights: tuple[float, ...]) -> Direction:
        """Return the linear combination."""
        return Direction(_combined([direction.value for direction in directions], weights))

    def no_direction(self) -> Direction:
        """Return the direction that is zero everywhere."""
        return Direction(_zeros(self.start.prob))

    def divergence(self, x: Point, y: Point) -> float:
        """Return ``KL(x || y)``, by the terms of `kernels.steps.block_divergence`."""
        p: Any = x.prob
        difference = torch_module().where(p > 0.0, x.log - y.log, -1.0)
        with interpreted():
            near = p * excess_series(difference)
        far = p * (difference - 1.0) + y.prob
        return float(near.where(difference.abs() < 0.3, far).sum())

    def reply(self, direction: Direction) -> Mixture:
        """Return each player's best pure response."""
        value: Any = direction.value
        prob = _zeros(value)
        for part in self._parts:
            prob[part][value[part].argmax()] = 1.0
        return Mixture(prob)

    def bank_of(self, x: Point, size: int) -> Bank:
        """Return a bank of `size` copies of a policy."""
        log, prob = (tensor.expand(size, -1) for tensor in (x.log, x.prob))  # type: ignore[attr-defined]
        return Bank(log, prob)

    def remember(self, bank: Bank, x: Point) -> Bank:
        """Return the bank with `x` in front and its oldest policy dropped."""
        cat = torch_module().cat
        return Bank(cat([x.log[None], bank.log[:-1]]), cat([x.prob[None], bank.prob[:-1]]))

    def add_regrets(self, so_far: Direction, direction: Direction, x: Point | Mixture) -> Direction:
        """Return `so_far` plus how much more every response gets than its player's policy in `x`."""
        value: Any = direction.value.clone()  # type: ignore[attr-defined]
        for part in self._parts:
            value[part] -= value[part] @ x.prob[part]
        return Direction(so_far.value + value)

    def positive(self, direction: Direction) -> Direction:
        """Return the positive part of a direction."""
        value: Any = direction.value
        return Direction(value.clamp_min(0.0))

    def proportional(self, direction: Direction, otherwise: Point | Mixture) -> Mixture:
        """Return each player's policy proportional to the positive part; that of `otherwise` where nothing is."""
        given: Any = otherwise.prob
        weight, prob = self.positive(direction).value, given.clone()
        for part in self._parts:
            total = float(weight[part].sum())
            if total > 0.0:
                prob[part] = weight[part] / total
        return Mixture(prob)


class _Resident:
    """A payoff that multiplies tensors."""

    def __init__(self, payoff: PayoffOperator) -> None:
        self.payoff: Any = payoff
        self.shape = payoff.shape

    def __matmul__(self, vector: Any) -> Any:
        if not isinstance(self.payoff, Stacked):
            return self.payoff.apply(vector)
        inner: Any = self.payoff.payoff
        row, column = vector.split(inner.shape)
        return torch_module().cat([inner.apply(column), -inner.apply_transposed(row)])

    def side_product(self, vector: Any, side: int) -> Any:
        """Return the half of the product that one of two players gets, and 0 for the other."""
        inner: Any = self.payoff.payoff
        (row, column), out = vector.split(inner.shape), _zeros(vector)
        if side == 0:
            out[: inner.shape[0]] = inner.apply(column)
        else:
            out[inner.shape[0] :] = -inner.apply_transposed(row)
        return out


def _mapped(value: Any, kind: type, convert: Callable[[Any], Any]) -> Any:
    """Return a state with what is of a kind converted."""
    if isinstance(value, kind):
        return convert(value)
    if isinstance(value, tuple):
        parts = [_mapped(part, kind, convert) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def _zeros(like: Any) -> Any:
    return like.new_zeros(like.shape)


def _combined(vectors: list[FloatArray], weights: tuple[float, ...]) -> Any:
    total = _zeros(vectors[0])
    for vector, weight in zip(vectors, weights, strict=True):
        # 0 * -inf would be NaN: a policy that is left out may have responses without mass.
        if weight != 0.0:
            total.add_(vector, alpha=weight)
    return total


def projected(vector: Any) -> Any:
    """Return the closest point of the simplex to a tensor; NaN where it is not finite.

    The rounds of `kernels.projection.project_one`, where the method is explained; each reads two numbers.
    """
    torch = torch_module()
    size = vector.numel()
    if not bool(vector.isfinite().all()):
        return torch.full_like(vector, np.nan)
    vector = (vector - vector.max()).clamp_min_(-1.0)
    level, above = max((float(vector.sum()) - 1.0) / size, -1.0), -1
    while True:
        excess = (vector - level).clamp_min_(0.0)
        mass, count = torch.stack([excess.sum(), excess.count_nonzero().double()]).tolist()
        if count == above or mass <= 1.0:
            return excess
        above = count
        level += (mass - 1.0) / count
