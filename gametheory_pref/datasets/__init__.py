"""Small real data sets that come with the package; `README.md` beside this file says where they are from."""

from __future__ import annotations

import pathlib

from ..errors import InputError

_FOLDER = pathlib.Path(__file__).parent


def dataset_names() -> tuple[str, ...]:
    """Return the names that `dataset_path` knows.

    Examples
    --------
    >>> from gametheory_pref.datasets import dataset_names
    >>> dataset_names()
    ('arena_top8', 'govan_2007', 'pandalm_human')
    """
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.csv")))


def dataset_path(name: str) -> pathlib.Path:
    """Return the file of a data set, for `gametheory_pref.read`.

    Raises
    ------
    InputError
        No data set of that name.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> from gametheory_pref.datasets import dataset_path
    >>> gp.read(dataset_path("govan_2007"))
    PreferenceGame(3 responses, 28680 comparisons)
    """
    if name not in dataset_names():
        raise InputError(f"no data set is called {name!r}; there are {', '.join(dataset_names())}")
    return _FOLDER / f"{name}.csv"
