"""How a computation ended, and the sentence that says what to do about it."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """Outcome of one solve; an integer, so that a batch can hold one per game in an array."""

    EXACT = 0
    CONVERGED = 1
    STEP_LIMIT = 2
    TIME_LIMIT = 3
    STOPPED = 4
    NONFINITE = 5
    INACCURATE = 6
    INVALID = 7
    INTERRUPTED = 8

    @property
    def is_answer(self) -> bool:
        """Whether the returned policy is an answer to the stated tolerance."""
        return self in (Status.EXACT, Status.CONVERGED)

    @property
    def message(self) -> str:
        """One sentence for a person."""
        return _MESSAGES[self]


_MESSAGES = {
    Status.EXACT: "solved by exact mathematics to the accuracy of float64",
    Status.CONVERGED: "the duality gap is at most the tolerance",
    Status.STEP_LIMIT: "the step limit came first; raise max_steps, or start from this solution",
    Status.TIME_LIMIT: "the time limit came first; raise time_limit, or start from this solution",
    Status.STOPPED: "the callback ended the run",
    Status.NONFINITE: "an iterate left the finite numbers; a smaller step_size or a higher temperature usually helps",
    Status.INACCURATE: "float64 could not reach the tolerance here; the stated gap is what was reached",
    Status.INTERRUPTED: "the run was interrupted; start from this solution to go on",
    Status.INVALID: "this is not a game (see the input rules of preference_game)",
}
