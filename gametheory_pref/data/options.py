"""What the caller of a reader may choose, checked once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .._check import choice, non_negative
from ..errors import InputError
from ..games import Game
from ..games.comparisons import TABLES, Ties
from ..games.votes import Kind

KINDS = ("auto", "prob", "counts", "rate", "margin", "scores", "points", "payoff", "scores-by-task")
TIES = ("half", "drop", "half-missing")
UNRANKED = ("ignore", "bottom")
MISSING = ("half", "error")


@dataclass(frozen=True)
class Options:
    """See `gametheory_pref.data.reader.read` for what each choice means."""

    kind: str = "auto"
    ties: str = "half"
    unranked: str = "ignore"
    missing: str = "half"
    judge: str | None = None
    symmetrize: bool = False
    skip_bad: bool = False
    atol: float = 1e-9
    table: str = "auto"

    def __post_init__(self) -> None:
        choice(self.kind, KINDS, name="kind")
        choice(self.ties, TIES, name="ties")
        choice(self.unranked, UNRANKED, name="unranked")
        choice(self.missing, MISSING, name="missing")
        non_negative(self.atol, name="atol")
        choice(self.table, TABLES, name="table")

    def with_kind(self, kind: str) -> Options:
        """Return the same choices with another `kind`."""
        return replace(self, kind=kind)

    def vote_kind(self) -> Kind:
        """Return how counted comparisons become payoffs."""
        if self.symmetrize:
            raise InputError(
                "symmetrize=True averages a matrix of win probabilities; here comparisons are counted, so leave it out"
            )
        if self.kind in ("auto", "rate", "counts"):
            return "rate"
        if self.kind == "margin":
            return "margin"
        raise InputError(
            f'kind="{self.kind}" is for matrices and this is a list of comparisons; '
            'use kind="rate" (win rates) or kind="margin" (wins minus losses)'
        )

    def vote_ties(self) -> Ties:
        """Return what a counted tie is worth."""
        if self.ties == "half-missing":
            raise InputError(
                'ties="half-missing" is for matrices of win rates that left the ties out; here ties are '
                "counted, "
                'so use ties="half" or ties="drop"'
            )
        return "drop" if self.ties == "drop" else "half"

    def require_no_choice_for_probabilities(self, what: str) -> None:
        """Refuse choices that mend a matrix of win probabilities, for anything else."""
        for name, default in (("ties", "half"), ("symmetrize", False)):
            value = getattr(self, name)
            if value != default:
                raise InputError(f"{name}={value!r} makes no sense for {what}; leave it out")

    def require_comparisons(self, what: str) -> None:
        """Refuse choices that only make sense for a log of judgements."""
        if self.judge is not None:
            raise InputError(f"judge={self.judge!r} was asked for, but {what} does not say who judged; leave it out")


@dataclass(frozen=True, eq=False)
class Loaded:
    """A game and how it was read.

    Attributes
    ----------
    game : PreferenceGame, MatrixGame or MultiplayerGame
        The game.
    format : str
        What the source was read as.
    notes : tuple of str
        Sentences on what the reader met and decided.
    file : str
        Name of the source.
    """

    game: Game
    format: str
    notes: tuple[str, ...] = ()
    file: str = field(default="")
