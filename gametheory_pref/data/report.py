"""What a data set holds, in numbers and in sentences."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._types import Labels
from ..games import Game, MatrixGame, OperatorGame, PreferenceGame
from ..games.pair_votes import PairVotes
from ..games.votes import Votes
from .options import Loaded, Options
from .reader import Format, load
from .source import Source

SCHEMA = "gtpref.data/1"


@dataclass(frozen=True)
class DataReport:
    """What was read; None stands for what the source does not say.

    Attributes
    ----------
    file, format : str
        Where it came from and what it was read as; empty for a game made in memory.
    game : {"preference", "matrix", "multiplayer", "operator"}
        Type of the game.
    shape : tuple of int
        Number of responses, or of actions of each player.
    kind : {"rate", "margin"} or None
        How counted comparisons became payoffs.
    n_comparisons, n_ties : float or None
        Number, or total weight, of comparisons and of ties among them.
    n_pairs, n_missing : int or None
        Pairs of responses, and how many were never compared.
    least_per_pair, most_per_pair : float or None
        Fewest and most comparisons of a pair that was compared.
    n_judges, n_prompts : int or None
        Distinct judges and prompts of the log.
    weighted : bool
        Whether the judgements carry weights.
    first_share : float or None
        Share of the decided comparisons won by the response shown first; 1/2 when position does not matter.
    notes : tuple of str
        What the reader met and decided.
    payoff : str or None
        What the payoff of a game without a table is, such as "sparse, 20000 entries".
    """

    file: str
    format: str
    game: str
    shape: tuple[int, ...]
    kind: str | None = None
    n_comparisons: float | None = None
    n_ties: float | None = None
    n_pairs: int | None = None
    n_missing: int | None = None
    least_per_pair: float | None = None
    most_per_pair: float | None = None
    n_judges: int | None = None
    n_prompts: int | None = None
    weighted: bool = False
    first_share: float | None = None
    notes: tuple[str, ...] = ()
    payoff: str | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The report in words, one fact per sentence."""
        said = [self._what()]
        if self.n_comparisons is not None:
            said.append(self._votes())
            said.append(f"{self.n_missing} of {self.n_pairs} pairs were never compared.")
            if self.least_per_pair is not None and self.most_per_pair is not None:
                said.append(_per_pair(self.least_per_pair, self.most_per_pair))
        people = [
            f"{count} {word if count == 1 else word + 's'}"
            for count, word in ((self.n_judges, "judge"), (self.n_prompts, "prompt"))
            if count is not None
        ]
        if people:
            said.append(f"The log names {' and '.join(people)}.")
        if self.first_share is not None:
            said.append(f"The response shown first won {100 * self.first_share:.1f} % of the decided comparisons.")
        return (*said, *(f"{note[:1].upper()}{note[1:]}." for note in self.notes))

    def _what(self) -> str:
        source = f"{self.file}: {self.format}. " if self.format else ""
        if self.game == "preference":
            return f"{source}A preference game of {self.shape[0]} responses."
        if self.payoff is not None:
            what = f"preference game of {self.shape[0]} responses"
            if len(self.shape) == 2:
                what = f"zero-sum game of two players with {self.shape[0]} x {self.shape[1]} actions"
            return f"{source}A {what}, without a table: {self.payoff}."
        players = "two players" if self.game == "matrix" else f"{len(self.shape)} players"
        return f"{source}A game of {players} with {' x '.join(map(str, self.shape))} actions."

    def _votes(self) -> str:
        unit = "comparisons by total weight" if self.weighted else "comparisons"
        played = {"rate": "win rates", "margin": "wins minus losses"}[str(self.kind)]
        return (
            f"{self.n_comparisons:.10g} {unit}, {self.n_ties:.10g} of them ties (half a win each); played as {played}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, with a schema name."""
        return {"schema": SCHEMA} | asdict(self) | {"shape": list(self.shape), "notes": list(self.notes)}


def data_report(
    source: Game | Loaded | Source, options: Options | None = None, *, format: Format | None = None
) -> DataReport:
    """Return what a game, or the file it is read from, holds.

    Parameters
    ----------
    source : game, Loaded, path or open file
        A file is read with `options`, see `read`.

    Raises
    ------
    InputError
        The file cannot be read as a game.

    Examples
    --------
    >>> from gametheory_pref.games.votes import from_counts
    >>> for sentence in data_report(from_counts([[0, 3], [1, 0]], names=["tea", "milk"])).sentences:
    ...     print(sentence)
    A preference game of 2 responses.
    4 comparisons, 0 of them ties (half a win each); played as win rates.
    0 of 1 pairs were never compared.
    Each compared pair has 4 comparisons.
    """
    if isinstance(source, Loaded):
        loaded = source
    elif isinstance(source, Game):
        votes = source.votes if isinstance(source, (PreferenceGame, OperatorGame)) else None
        loaded = Loaded(source, "", () if votes is None else votes.notes)
    else:
        loaded = load(source, options, format=format)
    game = loaded.game
    if isinstance(game, PreferenceGame):
        return _of_preference_game(game, loaded)
    if isinstance(game, MatrixGame):
        return DataReport(loaded.file, loaded.format, "matrix", game.row_payoff.shape, notes=loaded.notes)
    if isinstance(game, OperatorGame):
        return _of_operator_game(game, loaded)
    return DataReport(loaded.file, loaded.format, "multiplayer", game.payoffs.shape[1:], notes=loaded.notes)


def _of_preference_game(game: PreferenceGame, loaded: Loaded) -> DataReport:
    report = DataReport(loaded.file, loaded.format, "preference", (game.n_responses,), notes=loaded.notes)
    return report if game.votes is None else _with_votes(report, game.votes)


def _of_operator_game(game: OperatorGame, loaded: Loaded) -> DataReport:
    shape = game.payoff.shape[:1] if game.is_symmetric else game.payoff.shape
    what = game.payoff.describe()
    report = DataReport(loaded.file, loaded.format, "operator", shape, notes=loaded.notes, payoff=what)
    return report if game.votes is None else _with_votes(report, game.votes)


def _with_votes(report: DataReport, votes: Votes | PairVotes) -> DataReport:
    n = report.shape[0]
    compared = votes.totals[votes.totals > 0]
    log = votes.comparisons
    return replace(
        report,
        kind=votes.kind,
        n_comparisons=votes.n_comparisons,
        n_ties=votes.n_ties,
        n_pairs=n * (n - 1) // 2,
        n_missing=votes.n_missing,
        least_per_pair=float(compared.min()) if compared.size else None,
        most_per_pair=float(compared.max()) if compared.size else None,
        n_judges=None if log is None or log.judge is None else _count_named(log.judge, log.judges),
        n_prompts=None if log is None or log.prompt is None else np.unique(log.prompt).size,
        weighted=log is not None and log.weight is not None,
        first_share=votes.first_share,
    )


def _count_named(codes: NDArray[np.int32], labels: Labels) -> int:
    """Return how many labels occur; a blank cell names nobody."""
    return sum(labels[code] != "" for code in np.unique(codes).tolist())


def _per_pair(least: float, most: float) -> str:
    if least == most:
        return f"Each compared pair has {least:g} {'comparison' if least == 1 else 'comparisons'}."
    return f"A compared pair has {least:g} to {most:g} comparisons."
