"""The command `gtpref`: arguments in, text or JSON out, an exit code."""

from .entry import main

__all__ = ["main"]
