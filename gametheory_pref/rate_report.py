"""What came out when a theorem was put to the test on a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Literal, NamedTuple, TypeAlias

from ._types import FloatArray, IntArray
from .methods._info import Guarantee

Verdict: TypeAlias = Literal["holds", "violated", "inconclusive"]


class Curve(NamedTuple):
    """What was compared, one entry per record point: for tables and pictures.

    Attributes
    ----------
    quantity : str
        What `values` are, such as "KL(pi* || pi_t)".
    steps : ndarray of int
    values : ndarray
        The measured quantity (its mean over runs with independent luck).
    bounds : ndarray
        What the theorem allows, or the fitted line; NaN or infinite where it says nothing.
    """

    quantity: str
    steps: IntArray
    values: FloatArray
    bounds: FloatArray


@dataclass(frozen=True, eq=False, repr=False)
class RateReport:
    """What `verify_rate` found out.

    Attributes
    ----------
    method : str
        Name of the rule.
    guarantee : Guarantee or None
        The theorem; None when all theorems of the rule were tested, each in `parts`.
    verdict : {"holds", "violated", "inconclusive"}
        "inconclusive" when a hypothesis fails, or when the run could not have shown a violation.
    reason : str
        One sentence with the numbers.
    tightness : float or None
        Largest ratio of what was measured to what the theorem allows (for contractions: of the factors per step). At
        most 1 when it holds; far below 1 the theorem is loose.
    slope, slope_interval, window
        Fitted slope, its 95 per cent interval, and the first and last step of the fit: of ``log KL`` against the step
        for local rates, of log against log for decays.
    predicted_factor, observed_factor : float or None
        Factor of the divergence per step, for local rates.
    n_runs : int
        How many runs were looked at.
    curve : Curve or None
        The numbers behind the verdict (of the deciding run).
    parts : tuple of RateReport
        One report per theorem, or per run, when there are several.
    """

    method: str
    guarantee: Guarantee | None
    verdict: Verdict
    reason: str
    tightness: float | None = None
    slope: float | None = None
    slope_interval: tuple[float, float] | None = None
    window: tuple[int, int] | None = None
    predicted_factor: float | None = None
    observed_factor: float | None = None
    n_runs: int = 1
    curve: Curve | None = None
    parts: tuple[RateReport, ...] = ()

    @property
    def name(self) -> str:
        """Name of the theorem, or of the method whose theorems were tested."""
        return self.method if self.guarantee is None else self.guarantee.name

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, null for what is not finite."""
        numbers = ("tightness", "slope", "predicted_factor", "observed_factor")
        return {
            "method": self.method,
            "guarantee": None if self.guarantee is None else self.guarantee.name,
            "statement": None if self.guarantee is None else self.guarantee.statement,
            "source": None if self.guarantee is None else self.guarantee.source,
            "verdict": self.verdict,
            "reason": self.reason,
            **{name: _plain(getattr(self, name)) for name in numbers},
            "slope_interval": None if self.slope_interval is None else [_plain(x) for x in self.slope_interval],
            "window": None if self.window is None else list(self.window),
            "n_runs": self.n_runs,
            "parts": [part.to_dict() for part in self.parts],
        }

    def __repr__(self) -> str:
        lines = [f"RateReport({self.name}: {self.verdict}; {self.reason})"]
        lines += [f"  {part!r}" for part in self.parts if self.guarantee is None]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        shown = self.parts if self.guarantee is None and self.parts else (self,)
        cells = [
            (part.name, part.verdict, "" if part.tightness is None else f"{part.tightness:.3g}", part.reason)
            for part in shown
        ]
        head = "".join(f'<th style="text-align: left">{title}</th>' for title in _COLUMNS)
        rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in cells)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


_COLUMNS = ("theorem", "verdict", "tightness", "reason")


def joined(reports: Sequence[RateReport], method: str, guarantee: Guarantee | None) -> RateReport:
    """Return one report for several: violated if any is, else holds if any does.

    The worst of those that decide gives the numbers.
    """
    verdicts = [report.verdict for report in reports]
    ranked: tuple[Verdict, ...] = ("violated", "holds", "inconclusive")
    verdict = next(kind for kind in ranked if kind in verdicts)
    deciding = [report for report in reports if report.verdict == verdict]
    worst = max(deciding, key=lambda report: -math.inf if report.tightness is None else report.tightness)
    reason = f"{worst.name}: {worst.reason}" if guarantee is None else worst.reason
    if len(reports) > 1:
        told = [f"{count} {_SAY[kind][count > 1]}" for kind in ranked if (count := verdicts.count(kind))]
        reason += f" ({', '.join(told)})"
    return replace(
        worst,
        method=method,
        guarantee=guarantee,
        reason=reason,
        n_runs=max(report.n_runs for report in reports) if guarantee is None else sum(r.n_runs for r in reports),
        parts=tuple(reports),
    )


# For one, and for several.
_SAY: dict[Verdict, tuple[str, str]] = {
    "violated": ("is violated", "are violated"),
    "holds": ("holds", "hold"),
    "inconclusive": ("decides nothing", "decide nothing"),
}


def _plain(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else float(number)
