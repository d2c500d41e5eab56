"""`solve_inclusion`, and what it returns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._check import non_negative, positive_whole
from .._types import FloatArray, RNGLike
from ..errors import InputError, Interrupted, NotConverged, UnsupportedCombination
from ..exact_methods import Limits
from ..methods import METHODS, Rule, as_rule
from ..status import Status
from ..trace import Record, Snapshot, Trace, check_hooks
from ..verbs import Entropic, Euclidean
from .residual import tangent_residual
from .running import InclusionRun, run_on_inclusion
from .statement import Inclusion

_MESSAGES = {
    Status.CONVERGED: "the residual is at most the tolerance",
    Status.STEP_LIMIT: "the step limit came first; raise max_steps",
    Status.TIME_LIMIT: "the time limit came first; raise time_limit",
    Status.NONFINITE: "the iterates left the finite numbers after the last record point; a smaller step_size usually "
    "helps, or a method for operators that are monotone and not cocoercive",
    Status.INTERRUPTED: "the run was interrupted",
}


@dataclass(frozen=True, eq=False, repr=False)
class InclusionSolution:
    """What `solve_inclusion` returns.

    Attributes
    ----------
    inclusion : Inclusion
        The question.
    point : ndarray, shape (d,)
        The answer.
    residual : float
        Distance of 0 from ``F(point) + N_C(point)``, recomputed from the operator.
    status : Status
        How the run ended.
    message : str
        What was done and how it ended.
    method : str
        Name of the update rule.
    n_steps : int
    operator_calls : int
        Terms of the operator that the steps evaluated: ``inclusion.n_terms`` for a whole value.
    residual_calls : int
        Terms evaluated for the residuals at record points, which the method does not need.
    seconds : float
        Wall time.
    trace : Trace
        Steps, operator calls and residuals.
    run : InclusionRun
        What lies behind, for `verify_rate`.
    """

    inclusion: Inclusion
    point: FloatArray
    residual: float
    status: Status
    message: str
    method: str
    n_steps: int
    operator_calls: int
    residual_calls: int
    seconds: float
    trace: Trace
    run: InclusionRun = field(repr=False)

    @property
    def converged(self) -> bool:
        """Whether the residual is at most the tolerance."""
        return self.status.is_answer

    def require(self) -> InclusionSolution:
        """Return the solution, or raise `NotConverged` with its message."""
        if not self.converged:
            raise NotConverged(f"{self.message} (residual {self.residual:.3g})")
        return self

    def __repr__(self) -> str:
        return (
            f"InclusionSolution({self.method}, residual {self.residual:.3g}, {self.n_steps} steps, "
            f"{self.operator_calls} operator calls, {self.status.name.lower()})"
        )


def solve_inclusion(
    inclusion: Inclusion,
    method: Any,
    *,
    tol: float = 1e-6,
    max_steps: int = 100_000,
    time_limit: float | None = None,
    record: Record = Record(),  # noqa: B008 - frozen
    callback: Callable[[Snapshot], Any] | None = None,
    rng: RNGLike = None,
) -> InclusionSolution:
    r"""Find z with :math:`0 \in F(z) + N_C(z)` by an update rule, until the residual is small.

    Parameters
    ----------
    inclusion : Inclusion
        What to solve; see `inclusion`.
    method : str or rule
        A method of `METHODS` that knows inclusions: "halpern", "anchored_extragradient", "extragradient",
        "forward_reflected" (these two in the Euclidean geometry), ...; or such a rule with settings of its own.
    tol : float
        Largest residual that counts as an answer: the distance of 0 from :math:`F(z) + N_C(z)`, looked at where the
        trace has a row.
    max_steps : int
        Limit on steps.
    time_limit : float, optional
        Seconds after which the point so far is returned.
    record : Record
        Rows of the trace for a factor of ten of the steps, and whether to keep the points.
    callback : callable, optional
        Called with a `Snapshot` for every row; raising ``StopIteration`` ends the run.
    rng : None, int or Generator
        Randomness of stochastic methods.

    Returns
    -------
    InclusionSolution

    Raises
    ------
    InputError
        An argument that cannot be used, or a step size that needs a constant which is not known.
    UnsupportedCombination
        A method that does not know inclusions, or whose hypotheses fail on this operator, as far as they were measured.
    Interrupted
        Ctrl-C; a `KeyboardInterrupt` with the solution so far.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> rotation = gp.inclusion([[0.0, 1.0], [-1.0, 0.0]], start=[1.0, 0.0])
    >>> solution = gp.solve_inclusion(rotation, "anchored_extragradient", tol=1e-3)
    >>> solution.converged, solution.residual <= 1e-3, solution.operator_calls == 2 * solution.n_steps
    (True, True, True)
    """
    began = time.perf_counter()
    if not isinstance(inclusion, Inclusion):
        raise InputError(f"inclusion must be an Inclusion, as gp.inclusion returns it; got {inclusion!r}")
    rule = _suitable(_in_its_geometry(method))
    check_hooks(rng, record, callback)
    deadline = None if time_limit is None else began + non_negative(time_limit, name="time_limit")
    limits = Limits(non_negative(tol, name="tol"), positive_whole(max_steps, name="max_steps"), deadline)
    run = run_on_inclusion(inclusion, rule, limits, record, callback, np.random.default_rng(rng))
    solution = _solution(inclusion, run, time.perf_counter() - began)
    if run.status is Status.INTERRUPTED:
        raise Interrupted(solution)
    return solution


def _in_its_geometry(method: Any) -> Rule:
    """Return the rule; one that is named comes with the settings of the Euclidean geometry."""
    rule = as_rule(method)
    if isinstance(method, str) and "euclidean" in rule.info.step_sizes:
        return rule._replace(geometry=Euclidean(), step_size="euclidean")
    return rule


def _suitable(rule: Rule) -> Rule:
    """Return the rule if it runs on inclusions as it stands."""
    if not rule.info.solves_inclusions:
        known = ", ".join(sorted(each.info.name for each in METHODS.primary() if each.info.solves_inclusions))
        raise UnsupportedCombination(f"{rule.info.name} does not solve inclusions; these do: {known}")
    if isinstance(getattr(rule, "geometry", None), Entropic):
        raise UnsupportedCombination(
            f"{rule.info.name} has the entropic geometry, and inclusions the Euclidean one; pass its name alone, or "
            f"geometry=gp.Euclidean() among its settings"
        )
    return rule


def _solution(inclusion: Inclusion, run: InclusionRun, seconds: float) -> InclusionSolution:
    which = "the average of the points" if run.rule.info.answer == "average" else "the last point"
    done = f"{run.rule.info.title}, {run.steps[-1]} steps; this is {which}"
    return InclusionSolution(
        inclusion=inclusion,
        point=run.point,
        residual=tangent_residual(inclusion.operator(run.point), run.point, inclusion.blocks),
        status=run.status,
        message=f"{done}; {_MESSAGES.get(run.status, run.status.message)}",
        method=run.rule.info.name,
        n_steps=int(run.steps[-1]),
        operator_calls=int(run.operator_calls[-1]),
        residual_calls=inclusion.n_terms * (len(run.steps) + 1),
        seconds=seconds,
        trace=Trace(run.steps, run.operator_calls, run.seconds, {"residual": run.residual}, run.points),
        run=run,
    )
