"""Import an optional library, or say which extra installs it."""

from __future__ import annotations

import importlib
from types import ModuleType

from .errors import MissingDependency


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Return the imported `module`, or raise `MissingDependency` naming the extra.

    Parameters
    ----------
    module : str
        Dotted name of the module.
    extra : str
        Extra of this distribution that installs it.
    purpose : str
        What needs it, as the subject of the sentence ("reading Parquet files").
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingDependency(
            f'{purpose} needs {module.split(".")[0]}: pip install "gametheory-pref[{extra}]"'
        ) from error
