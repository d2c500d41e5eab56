"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import pathlib

import pytest
from hypothesis import HealthCheck, settings

# Whether a test passes must not depend on how busy the machine is, nor on compiling at the first call.
# CI judges a change by the same examples each time; everybody else searches new ones at every run.
settings.register_profile(
    "no_clock", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("no_clock")


# A program that a test starts in a process of its own, not a module of tests.
collect_ignore = ["data/fuzz_readers.py"]


def shared_data_folder() -> pathlib.Path | None:
    """Return the folder with the real elections, battles and solved games, when this machine has it.

    ``GAMETHEORY_PREF_DATA`` names it; else a folder ``shared/data`` beside the checkout is taken.
    """
    named = os.environ.get("GAMETHEORY_PREF_DATA")
    folder = pathlib.Path(named) if named else pathlib.Path(__file__).parents[2] / "shared" / "data"
    return folder if (folder / "solutions.json").is_file() else None


@pytest.fixture(scope="session")
def shared_data() -> pathlib.Path:
    """Folder of real data; the test is skipped where it is absent."""
    folder = shared_data_folder()
    if folder is None:
        pytest.skip("the folder of real data is absent; set GAMETHEORY_PREF_DATA")
    return folder
