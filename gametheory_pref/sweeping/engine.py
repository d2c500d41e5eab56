"""Run the cells of a grid through joblib, one coordinator writing down what comes back."""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ..errors import InputError, Interrupted
from ..verbs import Exact, Sampled
from .cells import CellOutcome, CellResult, run_cell
from .comparison import Comparison
from .database import Database
from .grid import Grid, build_grid


class Progress(NamedTuple):
    """How far a sweep is.

    Attributes
    ----------
    total : int
        Cells of the grid.
    found : int
        Of these, already in the database.
    done : int
        Finished, those found included.
    failed : int
        Of these, failures.
    seconds : float
        Since the first cell was handed out.
    """

    total: int
    found: int
    done: int
    failed: int
    seconds: float

    @property
    def rate(self) -> float:
        """Cells per second of this run."""
        return (self.done - self.found) / self.seconds if self.seconds > 0.0 else 0.0

    @property
    def seconds_left(self) -> float:
        """Estimate of the time left; infinite before the first cell is done."""
        left = self.total - self.done
        return 0.0 if left == 0 else left / self.rate if self.rate > 0.0 else float("inf")


def compare(
    games: Any,
    methods: Any,
    *,
    temperatures: Any = (0.0,),
    seeds: Any = (0,),
    references: Mapping[str, Any] | None = None,
    starts: str = "reference",
    max_steps: int = 10_000,
    tol: float = 0.0,
    oracle: Exact | Sampled = Exact(),  # noqa: B008 - a constant
    n_jobs: int = -1,
    database: str | os.PathLike[str] | None = None,
    retry_failed: bool = False,
    progress: Callable[[Progress], Any] | None = None,
) -> Comparison:
    """Run methods x games x temperatures x seeds and return all trajectories.

    A combination that makes no sense (a method that does not solve this temperature, a step size too large for it) is
    skipped with its reason, where `solve` would run a method at a temperature that it is not for and say so in
    ``message``: a table has no room for such a remark. A cell that fails keeps its message and traceback, and does not
    stop the others.

    Parameters
    ----------
    games : mapping, sequence, game or str
        Name -> game; or games and names in the zoo.
    methods : mapping, sequence, rule or str
        Label -> rule or name; or rules and names of `METHODS`; ``gp.METHODS`` itself stands for all.
    temperatures : sequence of float
        KL weights, in units of the payoff.
    seeds : sequence of int, or int
        Seeds of the samples, where the oracle samples, and of the start, where it is drawn; a number n stands for
        0 to n - 1. With exact payoffs and a fixed start all seeds give the same run.
    references : mapping, optional
        Name of a game -> reference policy; uniform for the games left out.
    starts : {"reference", "random"}
        Where to start: at the reference, or at a policy drawn uniformly from the simplex, the same for all methods.
    max_steps : int
        Steps of each run.
    tol : float
        Duality gap at which a run ends early; 0 runs all steps.
    oracle : Exact or Sampled
        What the rules see.
    n_jobs : int
        Threads, -1 for all cores. Compiled steps release the interpreter's lock, so threads suffice; inside
        ``joblib.parallel_config("dask")`` the cells run on the cluster instead.
    database : path, optional
        SQLite file that keeps every result; cells that it holds are not run again.
    retry_failed : bool
        Run again the failures that the database holds.
    progress : callable, optional
        Called with a `Progress` after every cell.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        An argument is not usable, or no combination can be run.
    Interrupted
        Ctrl-C; its ``solution`` is the comparison so far, and everything finished is in the database.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> comparison = gp.compare(["comal"], ["extragradient", "multiplicative_weights"], temperatures=[0.0, 0.1])
    >>> comparison
    Comparison(3 cells of 2 methods on 1 game, 1 combination skipped)
    >>> comparison.skipped[0].reason
    'multiplicative_weights is for temperature 0 only'
    >>> comparison.best()["comal", 0.1].gap < 1e-15
    True
    """
    grid = build_grid(
        games,
        methods,
        temperatures=temperatures,
        seeds=seeds,
        references=references,
        starts=starts,
        max_steps=max_steps,
        tol=tol,
        oracle=oracle,
    )
    return run_grid(grid, n_jobs=n_jobs, database=database, retry_failed=retry_failed, progress=progress)


def run_grid(
    grid: Grid,
    *,
    n_jobs: int = -1,
    database: str | os.PathLike[str] | None = None,
    retry_failed: bool = False,
    progress: Callable[[Progress], Any] | None = None,
) -> Comparison:
    """Run the cells of a grid that the database does not hold; see `compare`."""
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs == 0:
        raise InputError(f"n_jobs must be a whole number other than 0, -1 for all cores; got {n_jobs!r}")
    if progress is not None and not callable(progress):
        raise InputError(f"progress must be a function of a Progress; got {progress!r}")
    with contextlib.ExitStack() as stack:
        store = None if database is None else Database(database)
        outcomes: dict[str, CellOutcome] = {}
        if store is not None:
            stack.callback(store.close)
            store.plan(grid)
            outcomes = _found(store, grid, retry_failed)
        try:
            for key, outcome in _fresh(grid, outcomes, n_jobs, progress):
                outcomes[key] = outcome
                if store is not None:
                    store.store(key, outcome)
        except KeyboardInterrupt:
            if store is not None:
                store.flush()
            raise Interrupted(_comparison(grid, outcomes)) from None
    return _comparison(grid, outcomes)


def _found(store: Database, grid: Grid, retry_failed: bool) -> dict[str, CellOutcome]:
    found = store.found(cell.key for cell in grid.cells)
    return {key: outcome for key, outcome in found.items() if not (retry_failed and outcome.failed)}


def _fresh(
    grid: Grid, outcomes: Mapping[str, CellOutcome], n_jobs: int, progress: Callable[[Progress], Any] | None
) -> Iterator[tuple[str, CellOutcome]]:
    """Yield key and outcome of the cells that have none, as they finish."""
    import joblib

    unique = {cell.key: cell for cell in grid.cells}
    pending = [cell for key, cell in unique.items() if key not in outcomes]
    failed = sum(outcome.failed for outcome in outcomes.values())
    found = done = len(unique) - len(pending)
    began = time.perf_counter()
    if progress is not None:
        progress(Progress(len(unique), found, done, failed, 0.0))
    # Hints only: a backend that the user configured takes over.
    parallel = joblib.Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator_unordered")
    with _closing_quietly(parallel(joblib.delayed(run_cell)(cell) for cell in pending)) as stream:
        for key, outcome in stream:
            yield key, outcome
            done, failed = done + 1, failed + outcome.failed
            if progress is not None:
                progress(Progress(len(unique), found, done, failed, time.perf_counter() - began))


@contextlib.contextmanager
def _closing_quietly(stream: Iterator[Any]) -> Iterator[Iterator[Any]]:
    """Close joblib's stream at the end, without its warning that results of an interrupted run were not used."""
    try:
        yield stream
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r".*tasks (which|have)", category=UserWarning)
            stream.close()  # type: ignore[attr-defined]


def _comparison(grid: Grid, outcomes: Mapping[str, CellOutcome]) -> Comparison:
    finished = [CellResult(cell, outcomes[cell.key]) for cell in grid.cells if cell.key in outcomes]
    return Comparison(tuple(finished), grid.skipped, len(grid.cells) - len(finished))
