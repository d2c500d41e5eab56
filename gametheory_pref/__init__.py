"""Preference games: from real comparisons to a certified winner."""

__version__ = "0.1.0"
