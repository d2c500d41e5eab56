"""The answer to a problem, with everything needed to check it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ._types import FloatArray
from .certificate import Certificate, answer_sets, certify, support_labels
from .errors import InputError, NotConverged
from .games import is_symmetric
from .gap import problem_gap
from .problem import Policy, Problem, as_policy
from .status import Status
from .trace import Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .exact.solution_set import SolutionSet
    from .iterating import Run

EXACT_GAP = 1e-9
"""Largest gap of an answer that may be called exact."""

SCHEMA = "gtpref.solution/1"


@dataclass(frozen=True, eq=False, repr=False)
class Solution:
    """What `solve` returns.

    Attributes
    ----------
    problem : Problem
        The question.
    policy : ndarray, shape (n,), or tuple of ndarray
        Probabilities; one array per player for games that are not symmetric.
    value : float
        Expected payoff of the first player: the win probability 1/2 for a preference game.
    gap : float
        Two-sided duality gap, recomputed from the game, in units of the payoff.
    status : Status
        How the solve ended.
    message : str
        What was done and how it ended, in a sentence or two.
    method : str
        What solved it.
    n_steps, payoff_calls : int
        Steps of the method, and products of the payoff matrix with a policy.
    seconds : float
        Wall time.
    trace : Trace
        What was recorded on the way.
    run : Run or None
        The run of an update rule behind the answer: its settings, iterates and state, for `verify_rate`, for plots, and
        for ``solve(start=solution)`` to go on; None for exact methods and for solutions read from a file.
    """

    problem: Problem
    policy: Policy
    value: float
    gap: float
    status: Status
    message: str
    method: str
    n_steps: int
    payoff_calls: int
    seconds: float
    trace: Trace
    solution_sets: tuple[SolutionSet, ...] | None = field(default=None)
    run: Run | None = field(default=None)

    @property
    def converged(self) -> bool:
        """Whether the policy is an answer to the stated tolerance."""
        return self.status.is_answer

    @property
    def names(self) -> Any:
        """What the responses are called (a tuple per player for games that are not symmetric)."""
        return self.problem.game.names

    def require(self) -> Solution:
        """Return the solution, or raise `NotConverged` with its message."""
        if not self.converged:
            raise NotConverged(f"{self.message} (gap {self.gap:.3g})")
        return self

    def certificate(self, *, exact: bool = False) -> Certificate:
        """Return the claim that anybody can check.

        Parameters
        ----------
        exact : bool
            Prove a Minimax Winner in rational arithmetic; needs a game from counts, or probabilities whose shortest
            decimals add up to 1 exactly.

        Raises
        ------
        UnsupportedCombination
            `exact` for a regularised or asymmetric game, or for data that are not rational.
        """
        return certify(self.problem, self.policy, self.solution_sets, exact=exact)

    def support(self, atol: float = 1e-9) -> Any:
        """Return the labels with probability above `atol` (a tuple per player where players differ)."""
        return support_labels(self.problem, self.policy, atol)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data under a `schema`, with the game, and null for what is not finite."""
        from .data.json_format import game_to_dict

        reference = self.problem.reference
        return {
            "schema": SCHEMA,
            "game": game_to_dict(self.problem.game),
            "temperature": self.problem.temperature,
            "reference": None if reference is None else _plain_policy(reference),
            "policy": _plain_policy(self.policy),
            "value": self.value,
            "gap": self.gap if math.isfinite(self.gap) else None,
            "status": self.status.name.lower(),
            "converged": self.converged,
            "message": self.message,
            "method": self.method,
            "n_steps": self.n_steps,
            "payoff_calls": self.payoff_calls,
            "seconds": self.seconds,
            "trace": self.trace.to_dict(),
            "certificate": self.certificate().to_dict(),
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """Return `to_dict` as JSON text; numbers in full precision."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Solution:
        """Return the solution that `to_dict` wrote; its gap is recomputed from the game.

        Raises
        ------
        InputError
            Not such a dictionary, or the stated gap is not the gap of the stated policy.
        """
        if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
            stated = data.get("schema") if isinstance(data, Mapping) else data
            raise InputError(f"schema must be {SCHEMA!r}; got {stated!r}")
        try:
            return cls._from_checked_schema(data)
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"the solution is damaged: {type(error).__name__}: {error}; write it again") from error

    @classmethod
    def _from_checked_schema(cls, data: Mapping[str, Any]) -> Solution:
        from .data.json_format import game_from_dict

        game = game_from_dict(data["game"])
        reference = data["reference"]
        problem = Problem(
            game, float(data["temperature"]), None if reference is None else _read_policy(game, reference, "reference")
        )
        policy = _read_policy(game, data["policy"], "policy")
        gap = problem_gap(problem, policy)
        stated = math.inf if data["gap"] is None else float(data["gap"])
        if not (stated == gap or abs(gap - stated) <= 1e-9 + 1e-6 * gap):
            raise InputError(f"gap is stated as {stated:.6g} but the policy's gap in this game is {gap:.6g}")
        status = Status[data["status"].upper()]
        if status is Status.EXACT and gap > EXACT_GAP:
            raise InputError(f"status is stated as exact but the gap is {gap:.6g}, above {EXACT_GAP:g}")
        return cls(
            problem=problem,
            policy=policy,
            value=float(data["value"]),
            gap=gap,
            status=status,
            message=data["message"],
            method=data["method"],
            n_steps=int(data["n_steps"]),
            payoff_calls=int(data["payoff_calls"]),
            seconds=float(data["seconds"]),
            trace=Trace.from_dict(data["trace"]),
            solution_sets=answer_sets(problem, policy),
        )

    @classmethod
    def from_json(cls, text: str) -> Solution:
        """Return the solution that `to_json` wrote."""
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(f"text is not JSON: {error}") from error
        return cls.from_dict(data)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the policy as bars (needs matplotlib) and return the axes."""
        from .plot import policy_bars

        return policy_bars(self, ax=ax)

    def _repr_html_(self) -> str:
        from .html import solution_table

        return solution_table(self)

    def __repr__(self) -> str:
        parts = self.policy if isinstance(self.policy, tuple) else (self.policy,)
        names = self.names if isinstance(self.policy, tuple) else (self.names,)
        shown = " | ".join(_top(part, labels) for part, labels in zip(parts, names, strict=True))
        return f"Solution({shown}; gap {self.gap:.2g}, {self.status.name.lower()} by {self.method})"


def _top(policy: FloatArray, names: Any, count: int = 4) -> str:
    order = np.argsort(-policy, kind="stable")
    order = order[policy[order] > 0][: count + 1]
    shown = ", ".join(f"{names[i]} {policy[i]:.4f}" for i in order[:count])
    return shown + (", ..." if len(order) > count else "")


def _plain_policy(policy: Policy) -> Any:
    return [part.tolist() for part in policy] if isinstance(policy, tuple) else policy.tolist()


def _read_policy(game: Any, value: Any, name: str) -> Policy:
    return as_policy(game, value if is_symmetric(game) else tuple(value), name=name)
