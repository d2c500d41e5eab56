"""Write an answer to a file; the suffix is the format."""

from __future__ import annotations

import csv
import pathlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..games import in_win_probabilities, is_symmetric
from ..gap import payoff_vectors
from .output import json_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .answering import Report


def require_folder(path: str | None) -> None:
    """Refuse a file in a folder that does not exist, before any work is done for it."""
    folder = pathlib.Path(path or ".").parent
    if not folder.is_dir():
        raise InputError(f"{path} cannot be written: there is no folder {folder}; make it first")


def write(
    path: str,
    *,
    data: Callable[[], Mapping[str, Any]],
    table: Callable[[], Iterable[Sequence[Any]]],
    page: Callable[[], str],
    picture: Callable[[], Axes | Figure],
) -> None:
    """Write what a command found out in the format that the suffix of the path names; only that one is made.

    Parameters
    ----------
    path : str
        Where to write.
    data, table, page, picture : callable
        Make the content of JSON and CSV, of an HTML page, and of all other formats.
    """
    target = pathlib.Path(path)
    suffix = target.suffix.lower()
    if suffix == ".json":
        target.write_text(json_text(data(), ascii_only=False) + "\n", encoding="utf-8")
    elif suffix == ".csv":
        with target.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(table())
    elif suffix == ".html":
        target.write_text(page(), encoding="utf-8")
    else:
        from ..plot import save as save_picture

        save_picture(picture(), target)


def save(report: Report, path: str) -> None:
    """Write the answer as JSON, CSV, an HTML report or a picture."""
    write(
        path,
        data=report.to_dict,
        table=lambda: _rows(report),
        page=lambda: _page(report),
        picture=lambda: _picture(report),
    )


def _page(report: Report) -> str:
    from ..html import report as html_report

    return html_report(report.solution)


def _picture(report: Report) -> Figure:
    from ..plot import figure

    return figure(report.solution)


def _rows(report: Report) -> list[list[Any]]:
    """Return name and probability first, so that the file is also a reference policy for a later solve."""
    game, policy = report.loaded.game, report.solution.policy
    if is_symmetric(game):
        payoff = payoff_vectors(game, policy)[0]
        columns: dict[str, Any] = {"name": game.names, "probability": policy}
        if in_win_probabilities(game):
            columns["win_rate_against_policy"] = 0.5 + payoff
        else:
            columns["payoff_against_policy"] = payoff
        if report.minimax is not None:
            columns["minimax_probability"] = report.minimax.policy
        return [list(columns), *([*_plain(row)] for row in zip(*columns.values(), strict=True))]
    rows: list[list[Any]] = [["name", "probability", "payoff", "player"]]
    payoffs = payoff_vectors(game, policy)
    for player, names, part, payoff in zip(("row", "column"), game.names, policy, payoffs, strict=True):
        rows += [[*_plain(row), player] for row in zip(names, part, payoff, strict=True)]
    return rows


def _plain(row: tuple[Any, ...]) -> list[Any]:
    return [value.item() if isinstance(value, np.generic) else value for value in row]
