"""Run an update rule on thousands of preference games, those of one size after the other."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ._jit import delayed_interrupt
from ._simd import LANES
from ._threads import in_threads
from ._types import BoolArray, FloatArray, IntArray
from .errors import InputError
from .fused import BatchAnswers, BatchGames, batch_kernel_of, copied
from .iterating import record_points, seconds_of_step
from .kernels.pivot_batch import find_games, read_games
from .lanes import LaneAnswers, lane_kernel_of, new_scratch, new_states
from .methods import Rule, settle_each
from .methods._info import step_facts
from .status import Status
from .tabular import new_arena
from .trace import Record
from .verbs import Euclidean, Exact, Point, TabularProblem

_Array = TypeVar("_Array", bound=NDArray[Any])

# After about this long a thread looks whether Ctrl-C was pressed; the game at hand is finished first.
_STRETCH_SECONDS = 0.2
# Steps that a game is expected to take when work is weighed against the cost of a thread.
_USUAL_STEPS = 50
_ARENA_ROWS = 64
# Larger games fill vectors by themselves. Side by side, a game of 8 takes a quarter of its time alone, one of 32 two
# thirds; a game whose seven neighbours have long ended takes twice and five times its time.
_LARGEST_IN_LANES = 24
_LANES_SPEEDUP = 3


class Question(NamedTuple):
    """Checked arguments, one row per game; logarithms of the reference are up to a constant."""

    preference: FloatArray
    active: BoolArray
    log_reference: FloatArray
    temperature: FloatArray
    tol: float

    def of(self, games: slice | BoolArray) -> Question:
        """Return the rows of some games."""
        return Question(
            read_only(self.preference[games]),
            read_only(self.active[games]),
            read_only(self.log_reference[games]),
            read_only(self.temperature[games]),
            self.tol,
        )


class Answers(NamedTuple):
    """The arrays to fill, one row per game; they hold zero, infinity and `Status.INVALID` where there is no game."""

    policy: FloatArray
    gap: FloatArray
    status: IntArray
    n_steps: IntArray

    def of(self, games: slice | BoolArray) -> Answers:
        """Return the rows of some games: views for a slice, copies for a mask."""
        return Answers(self.policy[games], self.gap[games], self.status[games], self.n_steps[games])


def read_only(array: _Array) -> _Array:
    """Return a read-only view: some inputs come that way, and numba would compile kernels once for each."""
    view = array.view()
    view.flags.writeable = False
    return view


class _Group(NamedTuple):
    """Games that keep equally many responses, where these are, and what the rule needs to know about each."""

    place: IntArray
    members: IntArray
    rule: Rule
    games: BatchGames


def run_rule_batch(rule: Rule, question: Question, max_steps: int, out: Answers) -> None:
    """Run a rule on every game from its reference, each until its own gap is small enough.

    Raises
    ------
    InputError
        The settings of the rule suit none of the games; nothing has run then.
    """
    points = record_points(0, max_steps, Record().per_decade)
    for group in _groups(rule, question, max_steps):
        if _suits_lanes(group):
            _run_in_lanes(group, points, question.tol, out)
        else:
            _run_one_by_one(group, points, question.tol, out)


def _suits_lanes(group: _Group) -> bool:
    """Return whether games run side by side; how many there are does not matter, so that no result depends on it."""
    power = group.games.power
    small = group.members.shape[1] <= _LARGEST_IN_LANES
    multiplies = not isinstance(getattr(group.rule, "geometry", None), Euclidean)
    return bool(small and multiplies and group.rule.info.side_by_side and (power == power[:1]).all())


def _run_in_lanes(group: _Group, points: IntArray, tol: float, out: Answers) -> None:
    """Run the rule on `LANES` games of a group at a time, and write down how each ended."""
    count, n = group.members.shape
    found = LaneAnswers(
        np.zeros((count, n)), np.full(count, np.inf), np.zeros(count, dtype=np.int64), *np.zeros((2, count), np.bool_)
    )
    # Games that share a bundle should end together: the temperature and the step size say how fast they are.
    order = np.lexsort((group.games.scale, group.games.temperature))
    run = functools.partial(_run_bundles, lane_kernel_of(group.rule), group, order, points, tol, found)
    in_threads(run, -(-count // LANES), entries=count * n * n * _USUAL_STEPS / _LANES_SPEEDUP)
    _write(group.place, group.members, found, tol, out)


def _run_bundles(
    kernel: Any, group: _Group, order: IntArray, points: IntArray, tol: float, found: LaneAnswers, part: slice
) -> slice | None:
    """Run the compiled loop on some bundles for a while, and return those for which time was up."""
    n, rule = group.members.shape[1], group.rule
    rest = order[LANES * part.start : LANES * part.stop]
    budget = int(_STRETCH_SECONDS / seconds_of_step(n))
    averaged = rule.info.answer == "average"
    rows, done = _ARENA_ROWS, 0
    while True:
        scratch = new_scratch(n, rows)
        player = rule, *new_states(rule, n)
        with delayed_interrupt():
            done += int(kernel(player, scratch, group.games, rest[done:], points, budget, tol, averaged, found))
        if scratch.arena.cursor[1] == 0:
            return None if done >= len(rest) else slice(part.start + done // LANES, part.stop)
        rows = 4 * max(rows, int(scratch.arena.cursor[1]))


def _run_one_by_one(group: _Group, points: IntArray, tol: float, out: Answers) -> None:
    count, n = group.members.shape
    run = functools.partial(_run_part, batch_kernel_of(group.rule), group, points, tol, out)
    in_threads(run, count, entries=count * n * n * _USUAL_STEPS)


def _run_part(
    kernel: Any, group: _Group, points: IntArray, tol: float, out: Answers, part: slice
) -> slice | None:
    """Run the rule on games of a group, write down how each ended, and return those for which time was up."""
    games = BatchGames(*(column[part] for column in group.games))
    found, done = _run_games(kernel, group.rule, games, points, tol)
    ended = BatchAnswers(found.policy[:done], found.gap[:done], found.n_steps[:done], found.finite[:done])
    _write(group.place[part][:done], group.members[part][:done], ended, tol, out)
    return None if done == len(found.gap) else slice(part.start + done, part.stop)


def _write(
    place: IntArray, members: IntArray, found: BatchAnswers | LaneAnswers, tol: float, out: Answers
) -> None:
    """Write down how some games ended."""
    out.policy[place[:, None], members] = found.policy
    out.gap[place], out.n_steps[place] = found.gap, found.n_steps
    unfinished = np.where(found.finite, Status.STEP_LIMIT, Status.NONFINITE)
    out.status[place] = np.where(found.gap <= tol, Status.CONVERGED, unfinished)


def _groups(rule: Rule, question: Question, max_steps: int) -> list[_Group]:
    """Return the games by size, without those that the settings of the rule do not suit."""
    valid = np.empty(len(question.active), dtype=np.bool_)
    find_games(question.preference, question.active, question.log_reference, valid)
    has_mass = question.log_reference > -np.inf
    cold = question.temperature == 0.0
    # At temperature 0 the reference is only the start, from where steps reach no response without mass.
    valid &= ~cold | (has_mass | ~question.active).all(axis=1)
    kept = question.active & has_mass
    sizes = np.where(valid, kept.sum(axis=1), 0)
    groups, refused = [], None
    for size in np.unique(sizes[sizes > 0]):
        try:
            groups.append(_group(rule, question, max_steps, np.flatnonzero(sizes == size), kept))
        except InputError as error:
            refused = refused or error
    if refused is not None and not groups:
        raise refused
    return groups


def _group(rule: Rule, question: Question, max_steps: int, place: IntArray, kept: BoolArray) -> _Group:
    members = np.nonzero(kept[place])[1].reshape(len(place), -1)
    count, n = members.shape
    payoff, bound, margin = np.empty((count, n, n)), np.empty(count), np.empty(count)

    def read(part: slice) -> None:
        read_games(question.preference, place[part], members[part], payoff[part], bound[part], margin[part])

    in_threads(read, count, entries=payoff.size)
    log_start = question.log_reference[place[:, None], members]
    log_start -= log_start.max(axis=1, keepdims=True)
    log_start -= np.log(np.exp(log_start).sum(axis=1, keepdims=True))
    temperature = question.temperature[place]
    spread = -log_start.min(axis=1)
    facts = step_facts(
        bound, temperature, spread, max_steps, margin, lambda: np.linalg.norm(payoff, 2, axis=(1, 2))
    )
    settled, schedule, suits = settle_each(rule, facts)
    scale, offset, power = map(np.asarray, schedule)
    games = BatchGames(payoff, log_start, np.exp(log_start), temperature, scale, offset, power)
    if not suits.all():
        place, members, games = place[suits], members[suits], BatchGames(*(column[suits] for column in games))
    return _Group(place, members, settled, games)


def _run_games(
    kernel: Any, rule: Rule, games: BatchGames, points: IntArray, tol: float
) -> tuple[BatchAnswers, int]:
    """Run the compiled loop for a while, with more scratch if a step turns out to need it; return how many are done."""
    count, n = games.start.shape
    out = BatchAnswers(
        np.zeros((count, n)), np.full(count, np.inf), np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.bool_)
    )
    budget = int(_STRETCH_SECONDS / seconds_of_step(n))
    averaged = rule.info.answer == "average"
    blocks, start, rows = np.array([0, n]), Point(games.log_start[0], games.start[0]), _ARENA_ROWS
    while True:
        template = TabularProblem(
            games.payoff[0], blocks, start, start, float(games.temperature[0]), Exact(), new_arena(n, rows)
        )
        state = copied(rule.init(template))
        player = rule, state, copied(state)
        with delayed_interrupt():
            done = int(kernel(player, template, games, np.zeros(n), points, budget, tol, averaged, out))
        if template.arena.cursor[1] == 0:
            return out, done
        rows = 4 * max(rows, int(template.arena.cursor[1]))
