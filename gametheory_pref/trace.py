"""What is written down while a solve runs, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ._check import positive_whole
from ._types import FloatArray, IntArray
from .errors import InputError


@dataclass(frozen=True)
class Record:
    """What to write down: points per factor of ten of the step count, and whether to keep the policies.

    An exact method has one record point, its end.
    """

    per_decade: int = 16
    points: bool = False


class Snapshot(NamedTuple):
    """What a callback sees at a record point."""

    step: int
    payoff_calls: int
    seconds: float
    metrics: Mapping[str, float]
    policy: FloatArray | tuple[FloatArray, ...]


@dataclass(frozen=True, eq=False)
class Trace:
    """Columns of equal length, one row per record point."""

    step: IntArray
    payoff_calls: IntArray
    seconds: FloatArray
    metrics: Mapping[str, FloatArray]
    policies: tuple[Any, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, snapshots: list[Snapshot], *, points: bool = False) -> Trace:
        """Return the columns of a list of snapshots."""
        names = snapshots[0].metrics.keys() if snapshots else ()
        return cls(
            np.array([s.step for s in snapshots], dtype=np.int64),
            np.array([s.payoff_calls for s in snapshots], dtype=np.int64),
            np.array([s.seconds for s in snapshots], dtype=np.float64),
            {name: np.array([s.metrics[name] for s in snapshots]) for name in names},
            tuple(s.policy for s in snapshots) if points else (),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists."""
        return {
            "step": self.step.tolist(),
            "payoff_calls": self.payoff_calls.tolist(),
            "seconds": self.seconds.tolist(),
            "metrics": {name: column.tolist() for name, column in self.metrics.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Trace:
        """Return the trace that `to_dict` wrote."""
        return cls(
            np.array(data["step"], dtype=np.int64),
            np.array(data["payoff_calls"], dtype=np.int64),
            np.array(data["seconds"], dtype=np.float64),
            {name: np.array(column, dtype=np.float64) for name, column in data["metrics"].items()},
        )


def check_hooks(rng: Any, record: Any, callback: Any) -> None:
    """Refuse what no method could use, though the exact ones draw nothing and record their end alone."""
    if rng is not None:
        try:
            np.random.default_rng(rng)
        except (TypeError, ValueError) as error:
            raise InputError(f"rng must be a seed of at least 0 or a numpy Generator; got {rng!r}") from error
    if not isinstance(record, Record):
        raise InputError(f"record must be a Record; got {record!r}")
    positive_whole(record.per_decade, name="record.per_decade")
    if callback is not None and not callable(callback):
        raise InputError(f"callback must be a function of a Snapshot; got {callback!r}")
