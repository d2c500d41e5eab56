"""`verify`: every theorem of every method put to the test, and controls that must fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from .methods._info import Guarantee, Trial
from .rate_report import RateReport, Verdict

Kind = Literal["theorem", "printed claim", "negative control"]


@dataclass(frozen=True, eq=False)
class Case:
    """A theorem on one trial.

    Attributes
    ----------
    trial : Trial
        Game, temperature and settings.
    report : RateReport
        What came out; `report.curve` holds the numbers.
    """

    trial: Trial
    report: RateReport


@dataclass(frozen=True, eq=False)
class VerificationRow:
    """A theorem on all its trials.

    Attributes
    ----------
    method : str
        Name of the rule.
    guarantee : Guarantee
        The theorem or claim.
    kind : {"theorem", "printed claim", "negative control"}
        What it is: proved, printed but known to be wrong, or a claim that nobody makes.
    expected : {"holds", "violated"}
        What should come out.
    verdict : {"holds", "violated", "inconclusive"}
        What came out: violated if any trial is, else holds if any does.
    tightness : float or None
        Largest ratio of what was measured to what the theorem allows, over all trials.
    n_judged, n_inconclusive : int
        Trials that decided, and trials that did not.
    reason : str
        One sentence with the numbers of the trial that decided, or why none did.
    cases : tuple of Case
        Every trial; the deciding one first.
    """

    method: str
    guarantee: Guarantee
    kind: Kind
    expected: Verdict
    verdict: Verdict
    tightness: float | None
    n_judged: int
    n_inconclusive: int
    reason: str
    cases: tuple[Case, ...]

    @property
    def ok(self) -> bool:
        """Whether what came out is what should."""
        return self.verdict == self.expected


@dataclass(frozen=True, eq=False, repr=False)
class Verification:
    """What `verify` found out: one row per theorem.

    Attributes
    ----------
    rows : tuple of VerificationRow
    seconds : float
        Wall time.
    """

    rows: tuple[VerificationRow, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether every row came out as expected."""
        return all(row.ok for row in self.rows)

    @property
    def failures(self) -> tuple[VerificationRow, ...]:
        """Rows that did not."""
        return tuple(row for row in self.rows if not row.ok)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        raise NotImplementedError

    def to_text(self, *, width: int = 100) -> str:
        """Return the table as text."""
        raise NotImplementedError
