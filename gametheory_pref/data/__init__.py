"""Preference games from files: readers, writers, and what the data held."""

from .options import Loaded, Options
from .preflib import Ballots, read_ballots
from .reader import load, read, read_text
from .report import DataReport, data_report
from .writer import write

__all__ = [
    "Ballots",
    "DataReport",
    "Loaded",
    "Options",
    "data_report",
    "load",
    "read",
    "read_ballots",
    "read_text",
    "write",
]
