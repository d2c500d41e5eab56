"""`verify_rate` puts a theorem to the test on a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .errors import InputError
from .inclusions import InclusionRun, InclusionSolution
from .judging import judge, judged_together
from .measuring import AnyRun
from .methods._info import Guarantee
from .rate_report import RateReport, joined
from .solution import Solution


def verify_rate(
    runs: Solution | InclusionSolution | Sequence[Solution | InclusionSolution],
    guarantee: Guarantee | str | None = None,
) -> RateReport:
    """Put a theorem to the test on what a method recorded.

    Hypotheses come first: where one fails the verdict is "inconclusive", with the reason. Then

    - a bound is compared at every record point, with a relative slack of 1e-9 and 64 units of rounding;
    - a contraction of ``KL(pi* || pi_t)`` between all neighbouring record points and from the start, above 1e-12;
    - a local rate with the slope of ``log KL`` over the later half of its way from 1e-3 to rounding: they agree when
      the logarithms of the factors differ by at most 2 per cent, over the whole window and over its later part;
    - a limit with the last policy, which has arrived at a divergence of 1e-12;
    - a decay with the log-log slope over the last part of the run, one-sided, 10 per cent on the power; sampled
      payoffs need 20 runs, and the interval comes from leaving out each in turn.

    A run that could not have shown a violation (too short, at rest, already at rounding) is inconclusive, too.

    Parameters
    ----------
    runs : Solution, InclusionSolution, or a sequence of them
        By one method of `METHODS`: one run, runs with independent seeds, or runs of different lengths. More points
        are recorded with ``solve(record=Record(per_decade=64))``.
    guarantee : Guarantee, str or None
        A theorem, or the name of one of the method's; None tests all that are proved.

    Returns
    -------
    RateReport
        Verdict, reason and numbers. Over several theorems or runs "violated" if any is, else "holds" if any does.

    Raises
    ------
    InputError
        A solution without a run of an update rule, runs of different methods, or no such theorem.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> game = gp.zoo["comal"].game
    >>> solution = gp.solve(game, "extragradient", temperature=0.1, reference=[0.5, 0.3, 0.2], tol=0, max_steps=300)
    >>> report = gp.verify_rate(solution, "extragradient-local-rate")
    >>> report.verdict, round(report.observed_factor, 3), round(report.predicted_factor, 3)
    ('holds', 0.448, 0.448)
    """
    recorded = _runs(runs)
    info = recorded[0].rule.info
    if guarantee is not None:
        return _verdict(_named(guarantee, info.guarantees), recorded)
    reports = [_verdict(theorem, recorded) for theorem in info.guarantees if theorem.proved]
    if not reports:
        return RateReport(info.name, None, "inconclusive", "no theorem about this method is known to the toolkit")
    return joined(reports, info.name, None)


def _runs(runs: Any) -> list[AnyRun]:
    kinds = Solution, InclusionSolution
    solutions = [runs] if isinstance(runs, kinds) else list(runs) if isinstance(runs, Iterable) else []
    if not solutions or not all(isinstance(solution, kinds) for solution in solutions):
        raise InputError(f"runs must be a Solution or a sequence of them; got {runs!r}")
    recorded = []
    for solution in solutions:
        if solution.run is None:
            raise InputError(
                f"runs holds a solution by {solution.method}, which has no run of an update rule; "
                "solve with a method of gp.METHODS"
            )
        recorded.append(solution.run)
    names = {run.rule.info.name for run in recorded}
    if len(names) > 1:
        raise InputError(f"runs must be by one method; got {', '.join(sorted(names))}")
    return recorded


def _named(guarantee: Guarantee | str, known: tuple[Guarantee, ...]) -> Guarantee:
    if isinstance(guarantee, Guarantee):
        return guarantee
    for theorem in known:
        if theorem.name == guarantee:
            return theorem
    names = ", ".join(theorem.name for theorem in known) or "none"
    raise InputError(f"guarantee must be one of {names}; got {guarantee!r}")


def _verdict(theorem: Guarantee, runs: list[AnyRun]) -> RateReport:
    if judged_together(theorem):
        if not all(_same_problem(runs[0], run) for run in runs[1:]):
            raise InputError(f"runs must be of one problem, because {theorem.name} is judged by all of them together")
        return judge(theorem, runs)
    reports = [judge(theorem, [run]) for run in runs]
    return reports[0] if len(reports) == 1 else joined(reports, runs[0].rule.info.name, theorem)


def _same_problem(one: AnyRun, other: AnyRun) -> bool:
    if isinstance(one, InclusionRun) or isinstance(other, InclusionRun):
        mine, its = (getattr(run.facts, "inclusion", None) for run in (one, other))
        return mine is its
    first, second = one.facts.problem, other.facts.problem
    return np.array_equal(first.payoff, second.payoff) and first.temperature == second.temperature
