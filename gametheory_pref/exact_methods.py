"""Which exact method answers which question; each turns a `Problem` into an `Answer`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from ._types import FloatArray
from .active_set import Progress, active_set
from .errors import InputError, UnsupportedCombination
from .exact.solution_set import SolutionSet, optimal_strategies, solution_set
from .games import Game, MatrixGame, MultiplayerGame, OperatorGame, PreferenceGame
from .gap import problem_gap
from .operators import Dense, LowRank, LowRankSkew, PayoffOperator
from .problem import Policy, Problem, action_counts
from .status import Status
from .trace import Snapshot

if TYPE_CHECKING:
    from .exact.low_rank_interior_point import PathProgress
    from .exact.regularized import Regularized

# Above this size an interior point with LAPACK beats pivoting (benchmarks/large_games.py).
_SIMPLEX_LIMIT = 100
# Above this order the active-set method is at least as fast as the interior point, which decides uniqueness as well
# (benchmarks/large_games.py): of a preference game, and of a two-player one, both players counted.
_INTERIOR_LIMIT, _INTERIOR_LIMIT_OF_PAIR = 1500, 1000
# Rank of a payoff up to which the interior point on its factors goes before the active-set method.
_MOST_RANK = 400
# Gap that an exact method is asked for; nearly all end at rounding level.
_TARGET_GAP = 1e-9
# Gap above which an answer by pivoting is compared with the interior point's.
_PIVOTING_GAP = 1e-13


class Limits(NamedTuple):
    """When to stop short of the answer: gap that suffices, steps, moment of `time.perf_counter`, word of the user.

    Methods that come closer bit by bit call `callback` as they go; it may raise ``StopIteration``. They keep the
    policies on the way only if `keeps_policies`.
    """

    tol: float
    max_steps: int
    deadline: float | None
    callback: Callable[[Snapshot], object] | None = None
    keeps_policies: bool = False


class Answer(NamedTuple):
    """What a method found, before it is measured on the game."""

    policy: Policy
    status: Status
    method: str
    detail: str
    n_steps: int
    payoff_calls: int
    sets: tuple[SolutionSet, ...] | None
    on_the_way: tuple[Snapshot, ...] = ()
    """What the callback saw, the answer included; empty for methods that show their end only."""


Method: TypeAlias = Callable[[Problem, Policy | None, Limits], Answer]


def choose(problem: Problem, name: str) -> Method:
    """Return the method called `name` for this kind of game and temperature.

    Raises
    ------
    UnsupportedCombination
        There is no exact method for the game, or this one is for other games.
    InputError
        No method has that name.
    """
    game = problem.game
    if isinstance(game, MultiplayerGame) or (isinstance(game, MatrixGame) and game.constant_sum is None):
        what = f"{game.n_players}-player" if isinstance(game, MultiplayerGame) else "general-sum"
        raise UnsupportedCombination(
            f"solve takes preference games and two-player games whose payoffs add up to a constant; this is a {what} "
            "game. duality_gap(game, policies) tells how far given policies are from equilibrium"
        )
    table = _METHODS[type(game), problem.temperature > 0.0]
    if name in table:
        return table[name]
    if not table:
        raise UnsupportedCombination(
            f"no exact method solves a game known by its products at temperature {problem.temperature:g}; name an "
            "update rule, such as method='extragradient', or leave method out"
        )
    if any(name in other for other in _METHODS.values()):
        raise UnsupportedCombination(
            f"method {name!r} does not solve this game at temperature {problem.temperature:g}; "
            f"use one of {', '.join(table)}"
        )
    raise InputError(f"method must be one of {', '.join(table)}; got {name!r}")


def replaced(problem: Problem, method: object) -> object:
    """Return the update rule that "auto" stands for where there is no exact method; any other method as it is."""
    automatic = isinstance(method, str) and method == "auto"
    return "extragradient" if automatic and "auto" not in _methods_for(problem) else method


def _methods_for(problem: Problem) -> dict[str, Method]:
    return _METHODS.get((type(problem.game), problem.temperature > 0.0), _METHODS[PreferenceGame, False])


def _minimax_winner(problem: Problem, start: Policy | None, limits: Limits) -> Answer:
    """Choose the method by size; where several winners are found, take the one closest to the anchor."""
    n = _preference(problem).n_responses
    if n > _INTERIOR_LIMIT:
        return _because(_active_set(problem, start, limits), f"there are more than {_INTERIOR_LIMIT} responses")
    small = n <= _SIMPLEX_LIMIT
    answer = (_pivoting_winner if small else _interior_winner)(problem, start, limits)
    if small and problem_gap(problem, answer.policy) > _PIVOTING_GAP:
        # Blocks of near ties can end the pivots a little early; the interior point's last step does not mind them.
        other = _interior_winner(problem, start, limits)
        answer = min(answer, other, key=lambda found: problem_gap(problem, found.policy))
    found = None if answer.sets is None else answer.sets[0]
    if found is None or found.unique is not False:
        return answer
    anchor = problem.reference if start is None else start
    which = "the maximum-entropy winner" if anchor is None else "the winner closest to the anchor in KL"
    policy = _nearest_winner(problem, found, anchor)
    return answer._replace(policy=policy, detail=f"{answer.detail}; this is {which}")


def _nearest_winner(problem: Problem, found: SolutionSet, anchor: Policy | None) -> FloatArray:
    if anchor is None:
        return found.max_entropy
    from .exact.max_entropy import max_entropy

    return max_entropy(_preference(problem).payoff, found.support_union, reference=_single(anchor))


def _pivoting_winner(problem: Problem, start: Policy | None, limits: Limits) -> Answer:
    from .exact.simplex import solve_symmetric

    payoff = _preference(problem).payoff
    solved = solve_symmetric(payoff)
    if solved.nondegenerate:
        played = np.flatnonzero(solved.row > 0.0)
        found = SolutionSet(True, 0, played, solved.row, solved.row, "the optimal basis is nondegenerate")
    else:
        found = solution_set(payoff, solved.row)
    status = Status.EXACT if solved.is_optimal else Status.STEP_LIMIT
    detail = f"simplex method, {_count(solved.n_pivots, 'pivot')}; {_on_uniqueness(found)}"
    return Answer(solved.row, status, "simplex", detail, solved.n_pivots, 1, (found,))


def _interior_winner(problem: Problem, start: Policy | None, limits: Limits) -> Answer:
    from .exact.interior_point import interior_point

    payoff = _preference(problem).payoff
    steps = limits.max_steps
    solved = interior_point(payoff, tol=_TARGET_GAP, max_steps=steps, deadline=limits.deadline)
    found = solution_set(payoff, solved.policy) if solved.gap <= _TARGET_GAP else None
    detail = f"interior point, {_count(solved.n_steps, 'step')}"
    if found is not None:
        detail += f"; {_on_uniqueness(found)}"
    sets = None if found is None else (found,)
    return Answer(solved.policy, solved.status, "interior_point", detail, solved.n_steps, solved.n_steps, sets)


def _on_uniqueness(found: SolutionSet) -> str:
    if found.unique is None:
        return f"whether it is the only winner is not decided ({found.reason})"
    if found.unique:
        return "the winner is unique"
    return f"the winner is not unique ({found.reason})"


def _maximin(problem: Problem, start: Policy | None, limits: Limits) -> Answer:
    """Solve a two-player constant-sum game; among several optimal strategies take those of maximum entropy."""
    if problem.reference is not None or start is not None:
        raise UnsupportedCombination(
            "at temperature 0, reference and start choose among the winners of a preference game; "
            "leave them out for a two-player game"
        )
    row_payoff = _zero_sum_payoff(problem)
    if sum(row_payoff.shape) > _INTERIOR_LIMIT_OF_PAIR:
        why = f"there are more than {_INTERIOR_LIMIT_OF_PAIR} responses"
        return _because(_active_set(problem, start, limits), why)
    small = max(row_payoff.shape) <= _SIMPLEX_LIMIT
    answer = (_pivoting_maximin if small else _interior_maximin)(problem, start, limits)
    if answer.sets is None or all(found.unique is not False for found in answer.sets):
        return answer
    policy = tuple(found.max_entropy for found in answer.sets)
    return answer._replace(policy=policy, detail=f"{answer.detail}; these are the ones of maximum entropy")


def _pivoting_maximin(problem: Problem, start: Policy | None, limits: Limits) -> Answer:
    from .exact.simplex import solve_by_simplex

    payoff = _zero_sum_payoff(problem)
    solved = solve_by_simplex(payoff)
    status = Status.EXACT if solved.is_optimal else Status.STEP_LIMIT
    sets = optimal_strategies(payoff, solved.value, solved.row, solved.column)
    detail = f"simplex method, {_count(solved.n_pivots, 'pivot')}; {_on_both(sets)}"
    return Answer((solved.row, solved.column), status, "simplex", detail, solved.n_pivots, 2, sets)


def _interior_maximin(problem: Problem, start: Policy | None, limits: Limits) -> Answer:
    from .exact.interior_point import interior_point
    from .exact.symmetrization import recover_profile, symmetrize_game

    payoff = _zero_sum_payoff(problem)
    skew = symmetrize_game(payoff)
    solved = interior_point(skew, tol=_TARGET_GAP, max_steps=limits.max_steps, deadline=limits.deadline)
    row, column = recover_profile(solved.policy, *payoff.shape)
    sets = None
    detail = f"interior point on the symmetrized game, {_count(solved.n_steps, 'step')}"
    if solved.gap <= _TARGET_GAP:
        sets = optimal_strategies(payoff, float(row @ payoff @ column), row, column)
        detail += f"; {_on_both(sets)}"
    return Answer((row, column), solved.status, "interior_point", detail, solved.n_steps, solved.n_steps, sets)


def _on_both(sets: tuple[SolutionSet, ...]) -> str:
    words = {True: "is unique", False: "is not unique", None: "may not be unique"}
    return " and ".join(
        f"the {player} player's strategy {words[found.unique]}"
        for player, found in zip(("row", "column"), sets, strict=True)
    )


def _regularized_equilibrium(problem: Problem, start: Policy | None, limits: Limits) -> Answer:
    from .exact.regularized import regularized

    solved = regularized(
        _preference(problem).payoff,
        problem.temperature,
        problem.log_reference()[0],
        start=None if start is None else _single(start),
        tol=limits.tol,
        max_steps=limits.max_steps,
        deadline=limits.deadline,
    )
    return _from_regularized(solved, solved.policy)


def _regularized_profile(problem: Problem, start: Policy | None, limits: Limits) -> Answer:
    from .exact.regularized import regularized_zero_sum

    payoff = _zero_sum_payoff(problem)
    row_reference, column_reference = problem.log_reference()
    solved = regularized_zero_sum(
        payoff,
        problem.temperature,
        row_reference,
        column_reference,
        start=None if start is None else (start[0], start[1]),
        tol=limits.tol,
        max_steps=limits.max_steps,
        deadline=limits.deadline,
    )
    return _from_regularized(solved, (solved.policy[: payoff.shape[0]], solved.policy[payoff.shape[0] :]))


def _active_set(problem: Problem, start: Policy | None, limits: Limits) -> Answer:
    """Find who is played by first-order steps, solve the game of these exactly, certify the answer on all."""
    counts = action_counts(problem.game)
    began = time.perf_counter()
    seen: list[Snapshot] = []

    def look(progress: Progress) -> None:
        steps, products, best = progress
        seconds = time.perf_counter() - began
        seen.append(Snapshot(steps, products, seconds, {"gap": best.gap}, _split(best.policy, counts)))
        _show(seen, limits)

    anchor = problem.reference if start is None else start
    solved = active_set(
        payoff_operator(problem.game),
        start=None if anchor is None else np.concatenate(anchor if isinstance(anchor, tuple) else (anchor,)),
        tol=limits.tol,
        max_steps=limits.max_steps,
        deadline=limits.deadline,
        watch=look,
    )
    detail = f"active-set method, {_count(solved.n_steps, 'first-order step')}"
    if solved.n_exact:
        detail += f" and {_count(solved.n_exact, 'exact solution')} of at most {_count(solved.largest, 'response')}"
    detail += "; whether this is the only answer is not decided"
    return Answer(
        _split(solved.policy, counts), solved.status, "active_set", detail, solved.n_steps, solved.n_products, None,
        tuple(seen),
    )  # fmt: skip


def _show(seen: list[Snapshot], limits: Limits) -> None:
    """Show the user the last snapshot; keep its policy, as large as the game, only if the record asks for it."""
    shown = seen[-1]
    if not limits.keeps_policies:
        seen[-1] = shown._replace(policy=())
    if limits.callback is not None:
        limits.callback(shown)


def _large_equilibrium(problem: Problem, start: Policy | None, limits: Limits) -> Answer:
    """Take the interior point where the payoff has low rank, unless there is a policy to start from."""
    payoff = payoff_operator(problem.game)
    rank = _rank(payoff)
    fresh = start is None and problem.reference is None
    return (_interior_low_rank if fresh and 0 < rank <= _MOST_RANK else _active_set)(problem, start, limits)


def _rank(payoff: PayoffOperator) -> int:
    """Return the number of columns of the factors; 0 if the payoff has none."""
    if isinstance(payoff, LowRankSkew):
        return int(payoff.vectors.shape[1])
    return int(payoff.left.shape[1]) if isinstance(payoff, LowRank) else 0


def _interior_low_rank(problem: Problem, start: Policy | None, limits: Limits) -> Answer:
    """Solve a game of low rank by an interior point that takes a few products with the factors for a step."""
    from .exact.low_rank_interior_point import low_rank_interior_point

    payoff = payoff_operator(problem.game)
    if not _rank(payoff):
        raise UnsupportedCombination(
            f"method 'interior_point' takes games without a table only if their payoff has low rank; this one is "
            f"{payoff.describe()}. Use method='active_set'"
        )
    counts = action_counts(problem.game)
    began = time.perf_counter()
    seen: list[Snapshot] = []

    def look(progress: PathProgress) -> None:
        steps, products, policy, gap = progress
        seconds = time.perf_counter() - began
        seen.append(Snapshot(steps, products, seconds, {"gap": gap}, _split(policy, counts)))
        _show(seen, limits)

    solved = low_rank_interior_point(
        payoff, tol=limits.tol, max_steps=limits.max_steps, deadline=limits.deadline, watch=look
    )
    if seen:
        seen[-1] = seen[-1]._replace(metrics={"gap": solved.gap}, policy=_split(solved.policy, counts))
    detail = f"interior point on the factors, {_count(solved.n_steps, 'step')}"
    detail += "; whether this is the only answer is not decided"
    return Answer(
        _split(solved.policy, counts), solved.status, "interior_point", detail, solved.n_steps, solved.n_products, None,
        tuple(seen),
    )  # fmt: skip


def _split(flat: FloatArray, counts: tuple[int, ...]) -> Policy:
    """Return the policy of each player from one vector."""
    return flat if len(counts) == 1 else tuple(np.split(flat, np.cumsum(counts)[:-1]))


def _because(answer: Answer, reason: str) -> Answer:
    return answer._replace(detail=f"{answer.detail}; the method was chosen because {reason}")


def payoff_operator(game: Game) -> PayoffOperator:
    """Return the payoff of a zero-sum game, or of one whose payoffs add up to a constant, as an operator; no copy."""
    if isinstance(game, OperatorGame):
        return game.payoff
    if isinstance(game, PreferenceGame):
        return Dense(game.payoff, is_skew=True)
    assert isinstance(game, MatrixGame)
    return Dense(game.row_payoff, is_skew=False)


def _from_regularized(solved: Regularized, policy: Policy) -> Answer:
    method = {"newton": "Newton's method", "anderson": "Anderson's fixed-point method"}[solved.route]
    detail = f"{method}, {_count(solved.n_steps, 'step')}; the regularised equilibrium is unique"
    return Answer(policy, solved.status, solved.route, detail, solved.n_steps, solved.payoff_calls, None)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _preference(problem: Problem) -> PreferenceGame:
    assert isinstance(problem.game, PreferenceGame)
    return problem.game


def _single(policy: Policy) -> FloatArray:
    assert isinstance(policy, np.ndarray)
    return policy


def _zero_sum_payoff(problem: Problem) -> FloatArray:
    """Return the row player's payoff; a constant sum changes nobody's best strategy."""
    assert isinstance(problem.game, MatrixGame)
    return problem.game.row_payoff


# (kind of game, positive temperature?) -> name -> method
_METHODS: dict[tuple[type, bool], dict[str, Method]] = {
    (PreferenceGame, False): {
        "auto": _minimax_winner,
        "simplex": _pivoting_winner,
        "interior_point": _interior_winner,
        "active_set": _active_set,
    },
    (MatrixGame, False): {
        "auto": _maximin,
        "simplex": _pivoting_maximin,
        "interior_point": _interior_maximin,
        "active_set": _active_set,
    },
    (OperatorGame, False): {
        "auto": _large_equilibrium,
        "interior_point": _interior_low_rank,
        "active_set": _active_set,
    },
    (PreferenceGame, True): {"auto": _regularized_equilibrium, "newton": _regularized_equilibrium},
    (MatrixGame, True): {"auto": _regularized_profile, "newton": _regularized_profile},
    (OperatorGame, True): {},
}
EXACT_NAMES = tuple(dict.fromkeys(name for table in _METHODS.values() for name in table))
