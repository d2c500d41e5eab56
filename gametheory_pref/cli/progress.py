"""One line on standard error that says how far a long command is; only people at a terminal see it."""

from __future__ import annotations

import math
import shutil
import sys
import time
from argparse import Namespace
from types import TracebackType

from .output import printable

_REDRAW_SECONDS = 0.1
_ERASE_LINE = "\r\x1b[K"


class Progress:
    """A line that is drawn over again, at most ten times a second, and gone when the block ends.

    Nothing is written with ``--quiet``, or where standard error is not a terminal.
    """

    def __init__(self, args: Namespace) -> None:
        self.live = not args.quiet and sys.stderr.isatty()
        self.prefix = ""
        self._drawn_at = -math.inf

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def show(self, text: str) -> None:
        """Draw the line, unless it was drawn just now."""
        now = time.monotonic()
        if not self.live or now - self._drawn_at < _REDRAW_SECONDS:
            return
        self._drawn_at = now
        # A line that wraps could not be erased.
        cells = shutil.get_terminal_size((80, 24)).columns - 1
        sys.stderr.write(_ERASE_LINE + printable(self.prefix + text, sys.stderr)[:cells])
        sys.stderr.flush()

    def clear(self) -> None:
        """Erase the line, so that other text can be written."""
        if self.live and math.isfinite(self._drawn_at):
            sys.stderr.write(_ERASE_LINE)
            sys.stderr.flush()
            self._drawn_at = -math.inf


def duration(seconds: float) -> str:
    """Return a time to wait, to about two digits.

    Examples
    --------
    >>> duration(0.2), duration(75.0), duration(8000.0), duration(float("inf"))
    ('1 s', '1 min 15 s', '2 h 13 min', 'unknown')
    """
    if not math.isfinite(seconds):
        return "unknown"
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def time_left(elapsed: float, share: float) -> str:
    """Return how long the rest takes if it goes on as the `share` that is done did.

    Examples
    --------
    >>> time_left(30.0, 0.75), time_left(0.0, 0.0)
    ('10 s', 'unknown')
    """
    return duration(elapsed * (1.0 - share) / share if share > 0.0 else math.inf)
