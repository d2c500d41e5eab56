"""What a sweep found: cells, tables, export."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .._optional import require
from ..errors import InputError
from ..solution import Solution
from .cells import COLUMNS, CellResult
from .grid import Skipped

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Summary(NamedTuple):
    """One method on one game at one temperature, over all seeds.

    Attributes
    ----------
    game, temperature, method
        Which.
    n_runs, n_failed : int
        Runs, and those of them that failed.
    gap : float
        Median of the final duality gap, a failure counting as infinite.
    gap_low, gap_high : float
        10th and 90th percentile.
    payoff_calls : float
        Median number of payoff products of the runs that did not fail; NaN when all failed.
    seconds : float
        Median wall time of these.
    """

    game: str
    temperature: float
    method: str
    n_runs: int
    n_failed: int
    gap: float
    gap_low: float
    gap_high: float
    payoff_calls: float
    seconds: float


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What `compare` returns.

    Attributes
    ----------
    cells : tuple of CellResult
        One per method, game, temperature and seed, in this order of the grid: game, temperature, seed, method.
    skipped : tuple of Skipped
        Combinations that make no sense, each with its ``reason``.
    n_pending : int
        Cells of the grid that have not been run, after an interruption.
    """

    cells: tuple[CellResult, ...]
    skipped: tuple[Skipped, ...] = ()
    n_pending: int = 0

    @classmethod
    def load(cls, file: str | os.PathLike[str]) -> Comparison:
        """Return everything that a database of sweeps holds.

        Raises
        ------
        InputError
            No such file, or not such a database.
        """
        from .database import read_database

        return cls(*read_database(file))

    @property
    def failures(self) -> tuple[CellResult, ...]:
        """Cells that raised an exception or left the finite numbers; see ``message`` and ``outcome.traceback``."""
        return tuple(cell for cell in self.cells if cell.failed)

    def summary(self) -> list[Summary]:
        """Return one row per game, temperature and method, the methods of a problem from the best to the worst."""
        rows = [_summary(*what, cells) for what, cells in self._groups().items()]
        places = {(row.game, row.temperature): place for place, row in reversed(list(enumerate(rows)))}
        return sorted(rows, key=lambda row: (places[row.game, row.temperature], row.gap, row.payoff_calls))

    def best(self) -> dict[tuple[str, float], Summary]:
        """Return for each game and temperature the method of the smallest median gap."""
        found: dict[tuple[str, float], Summary] = {}
        for row in self.summary():
            found.setdefault((row.game, row.temperature), row)
        return found

    def _groups(self) -> dict[tuple[str, float, str], list[CellResult]]:
        groups: dict[tuple[str, float, str], list[CellResult]] = {}
        for cell in self.cells:
            groups.setdefault((cell.game, cell.temperature, cell.method), []).append(cell)
        return groups

    def to_frame(self) -> Any:
        """Return a pandas data frame, one row per record point; a failure has one row without numbers.

        Raises
        ------
        MissingDependency
            pandas is not installed.
        """
        pandas = require("pandas", extra="frames", purpose="a data frame of a comparison")
        frame = pandas.DataFrame(self._columns())
        # Whole numbers stay whole beside the empty places of failures.
        return frame.astype(dict.fromkeys(_WHOLE, "Int64"))

    def to_parquet(self, file: str | os.PathLike[str]) -> None:
        """Write the rows of `to_frame` as a Parquet file.

        Raises
        ------
        MissingDependency
            pyarrow is not installed.
        """
        arrow = require("pyarrow", extra="parquet", purpose="writing Parquet files")
        parquet = require("pyarrow.parquet", extra="parquet", purpose="writing Parquet files")
        columns = self._columns()
        numbers = np.isnan(columns["step"])
        for name in COLUMNS:
            kind = arrow.int64() if name in _WHOLE else arrow.float64()
            values = np.where(numbers, 0, columns[name]).astype(np.int64) if name in _WHOLE else columns[name]
            columns[name] = arrow.array(values, type=kind, mask=numbers)
        parquet.write_table(arrow.table(columns), os.fspath(file))

    def _columns(self) -> dict[str, Any]:
        tables = [cell.outcome.trajectory for cell in self.cells]
        blocks = [np.full((1, len(COLUMNS)), np.nan) if table is None else table for table in tables]
        lengths = [len(block) for block in blocks]
        whole = np.concatenate(blocks) if blocks else np.empty((0, len(COLUMNS)))
        words: dict[str, list[Any]] = {
            "method": [cell.method for cell in self.cells],
            "game": [cell.game for cell in self.cells],
            "temperature": [cell.temperature for cell in self.cells],
            "seed": [cell.seed for cell in self.cells],
            "status": [cell.status for cell in self.cells],
            "message": [cell.message for cell in self.cells],
        }
        columns: dict[str, Any] = {name: list(_repeated(values, lengths)) for name, values in words.items()}
        return columns | {name: whole[:, place] for place, name in enumerate(COLUMNS)}

    def solutions(self, game: str | None = None, temperature: float | None = None) -> dict[str, list[Solution]]:
        """Return method -> solutions of all seeds on one problem, for `gp.plot`; failures without numbers left out.

        Parameters
        ----------
        game, temperature : optional
            Which problem; the first one that fits when left out.

        Raises
        ------
        InputError
            There is no such cell.
        """
        problem = self._problem(game, temperature)
        found: dict[str, list[Solution]] = {}
        for cell in self.cells:
            solution = cell.solution() if (cell.game, cell.temperature) == problem else None
            if solution is not None:
                found.setdefault(cell.method, []).append(solution)
        return found

    def _problem(self, game: str | None, temperature: float | None) -> tuple[str, float]:
        problems = dict.fromkeys((cell.game, cell.temperature) for cell in self.cells)
        for name, heat in problems:
            if game in (None, name) and temperature in (None, heat):
                return name, heat
        known = ", ".join(f"{name!r} at {heat:g}" for name, heat in problems) or "none at all"
        raise InputError(f"no cell is on game {game!r} at temperature {temperature!r}; there are {known}")

    def plot(self, game: str | None = None, temperature: float | None = None, *, ax: Axes | None = None) -> Axes:
        """Draw the duality gap against payoff calls, one curve per method: median over seeds, band 10 to 90 per cent.

        The title names the problem.

        Parameters
        ----------
        game, temperature : optional
            Which problem; the first one that fits when left out.
        ax : Axes, optional
            Where to draw.
        """
        from ..plot import gap_curves
        from ..plot.style import axes_size, one_line, set_title

        name, heat = self._problem(game, temperature)
        axes = gap_curves(self.solutions(name, heat), ax=ax)
        title = f"{one_line(name)}: {axes.get_title(loc='left')}"
        set_title(axes, *title.split("\n"), inches=axes_size(axes)[0])
        return axes

    def to_html(self) -> str:
        """Return a page in one file that loads nothing from elsewhere: tables, pictures, verdicts of the theorems."""
        from ..sweep_report import report, theorem_rows

        return report(self, theorem_rows(self))

    def _repr_html_(self) -> str:
        from ..sweep_report import summary_table

        return summary_table(self)

    def __repr__(self) -> str:
        methods = len({cell.method for cell in self.cells})
        games = len({cell.game for cell in self.cells})
        parts = [f"{_count(len(self.cells), 'cell')} of {_count(methods, 'method')} on {_count(games, 'game')}"]
        for number, what in (
            (len(self.failures), "failure"), (len(self.skipped), "combination skipped"), (self.n_pending, "cell to run")
        ):
            if number:
                first, *rest = what.split(" ")
                parts.append(" ".join([_count(number, first), *rest]))
        return f"Comparison({', '.join(parts)})"


_WHOLE = ("step", "payoff_calls")


def _summary(game: str, temperature: float, method: str, cells: list[CellResult]) -> Summary:
    gaps = np.array([cell.gap for cell in cells])
    gaps[[cell.failed for cell in cells]] = np.inf
    done = [cell for cell in cells if not cell.failed]
    # Percentiles that are members of the sample: an average with the infinite gap of a failure would be NaN.
    low, middle, high = np.quantile(gaps, [0.1, 0.5, 0.9], method="inverted_cdf")
    return Summary(
        game,
        temperature,
        method,
        len(cells),
        len(cells) - len(done),
        float(middle),
        float(low),
        float(high),
        float(np.median([cell.column("payoff_calls")[-1] for cell in done])) if done else np.nan,
        float(np.median([cell.outcome.seconds for cell in done])) if done else np.nan,
    )


def _repeated(values: list[Any], lengths: list[int]) -> Iterator[Any]:
    for value, length in zip(values, lengths, strict=True):
        yield from (value,) * length


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
