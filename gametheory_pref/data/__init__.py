"""Preference games from files: readers, writers, and what the data held."""
