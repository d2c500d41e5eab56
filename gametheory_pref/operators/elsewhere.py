"""Payoffs in dask arrays and torch tensors, told by their types alone, so that neither library is imported for it."""

from __future__ import annotations

from typing import Any

from .base import PayoffOperator


def payoff_elsewhere(value: Any, *, two_player: bool) -> PayoffOperator | None:
    """Return the operator of a dask array, of torch tensors, or of a pair or list of these; None for anything else.

    Parameters
    ----------
    value : object
        What `dask_array.dask_payoff` or `torch_tensor.torch_payoff` takes.
    two_player : bool
        Whether a square payoff is that of two different players.

    Raises
    ------
    InputError
        As these two do.
    """
    library = _library(value)
    if library == "dask":
        from .dask_array import dask_payoff

        return dask_payoff(value, two_player=two_player)
    if library == "torch":
        from .torch_tensor import torch_payoff

        return torch_payoff(value, two_player=two_player)
    return None


def _library(value: Any) -> str:
    """Return "dask" or "torch" if an object, or the first object of a pair or list, comes from there, else nothing."""
    while isinstance(value, (tuple, list)) and value:
        value = value[0]
    roots = {base.__module__.partition(".")[0] for base in type(value).__mro__}
    return next((library for library in ("dask", "torch") if library in roots), "")
