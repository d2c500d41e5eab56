"""Everything the package raises or warns on purpose.

Each message names the argument or the file and line, shows the offending value and says what to do.
"""

from __future__ import annotations


class GameTheoryPrefError(Exception):
    """Base of every error that the package raises on purpose."""


class InputError(GameTheoryPrefError, ValueError):
    """The input cannot be used as it is; the message says which part and how to mend it.

    Parameters
    ----------
    reason : str
        What is wrong and what to do.
    file : str, optional
        File that was read.
    line : int, optional
        Line of `file`, counted from 1.
    """

    def __init__(self, reason: str, *, file: str | None = None, line: int | None = None) -> None:
        self.reason = reason
        self.file = file
        self.line = line
        where = "" if file is None else f"{file}: " if line is None else f"{file}: line {line}: "
        super().__init__(where + reason)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_input_error, (self.reason, self.file, self.line)


def _rebuild_input_error(reason: str, file: str | None, line: int | None) -> InputError:
    return InputError(reason, file=file, line=line)


class UnknownName(InputError, KeyError):
    """No entry of a mapping, such as ``gp.METHODS`` or ``gp.zoo``, has that name; a `KeyError` too."""

    # A KeyError shows its message quoted.
    __str__ = Exception.__str__


class NotConverged(GameTheoryPrefError):
    """A result was required to be an answer and is not one."""


class MissingDependency(GameTheoryPrefError, ImportError):
    """An optional library is needed; the message names the extra that installs it."""


class UnsupportedCombination(GameTheoryPrefError, TypeError):
    """The pieces are valid each, but not together (a method and a game, say)."""


class MissingPairsWarning(UserWarning):
    """Pairs without data make a set-valued answer (Smith, Schwartz) say more than the data do."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended a run; ``solve(..., start=error.solution)`` goes on from where it stood."""

    def __init__(self, solution: object) -> None:
        self.solution = solution
        super().__init__("the run was interrupted; the exception's solution attribute holds what it had reached")
