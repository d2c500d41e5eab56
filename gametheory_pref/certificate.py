"""What can be checked about an answer, from the data alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from . import majority
from ._types import FloatArray, IntArray, Label, Labels
from .errors import UnsupportedCombination
from .games import MatrixGame, OperatorGame, PreferenceGame, is_symmetric
from .gap import deviations, problem_gap, reply_scores, value
from .problem import Policy, Problem, action_counts

if TYPE_CHECKING:
    from .exact.rational import Proof
    from .exact.rational_zero_sum import ZeroSumProof
    from .exact.solution_set import SolutionSet

# Probabilities up to this size are rounding of zero: exact solvers return true zeros, so it matters for others only.
_SUPPORT = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class Certificate:
    """A claim about a policy that anybody can check without the solver.

    Attributes
    ----------
    problem : Problem
        Game, temperature, reference.
    policy : ndarray or tuple of ndarray
        The claimed answer.
    gap : float
        Two-sided duality gap of `policy`, recomputed from the game in float64.
    best_response : label, or tuple of labels
        The best pure reply of each player.
    regret : float, or tuple of float
        What the best reply gains.
    unique : bool or None
        Whether the answer is the only one; None when float64 cannot decide or nobody asked.
    dimension : int, tuple of int, or None
        Dimension of the set of all answers (0 when unique), one per player.
    support_union : tuple of labels, or tuple of tuples
        Responses that some answer plays.
    proof : Proof, ZeroSumProof or None
        The exact rational answer, when it was asked for.
    """

    problem: Problem
    policy: Policy
    gap: float
    best_response: Any
    regret: Any
    unique: bool | None
    dimension: Any
    support_union: Any
    proof: Proof | ZeroSumProof | None = field(default=None)

    @property
    def support(self) -> Any:
        """Labels of the responses with positive probability (a tuple per player)."""
        return support_labels(self.problem, self.policy)

    @cached_property
    def condorcet_winner(self) -> Label | None:
        """The response that beats every other one, or None (preference games only, tables or sparse)."""
        return majority.condorcet_winner(self._majority_game("condorcet_winner"))

    @cached_property
    def smith_set(self) -> Labels:
        """Smallest set whose members beat everybody outside it (preference games only)."""
        game = self._majority_game("smith_set")
        return tuple(game.names[i] for i in majority.smith_indices(game))

    @cached_property
    def schwartz_set(self) -> Labels:
        """Union of the smallest undominated sets (preference games only)."""
        game = self._majority_game("schwartz_set")
        return tuple(game.names[i] for i in majority.schwartz_indices(game))

    @cached_property
    def mass_outside_smith(self) -> float:
        """Probability that the policy gives to responses outside the Smith set; 0 for a Minimax Winner."""
        game = self._majority_game("mass_outside_smith")
        outside = np.ones(game.n_responses, dtype=bool)
        outside[majority.smith_indices(game)] = False
        return float(np.asarray(self.policy)[outside].sum())

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that a reader of the numbers should know."""
        game, notes = self.problem.game, []
        if isinstance(game, OperatorGame) and self.unique is None:
            notes.append("uniqueness: the set of all answers is not analysed for games known by their products")
        if isinstance(game, (PreferenceGame, OperatorGame)) and majority.has_majorities(game):
            note = majority.missing_pairs_note(game, majority.smith_indices(game))
            notes += [] if note is None else [f"Smith set: {note}"]
        return tuple(notes)

    def verify(self) -> bool:
        """Check every claim again from the game and the policy, and the rational proof if there is one.

        What is claimed of the set of all answers is held against the proof, or else against a fresh analysis in
        float64; where that cannot decide, the claim stands.
        """
        problem = self.problem
        for policy, count in zip(_as_tuple(self.policy), action_counts(problem.game), strict=True):
            if policy.shape != (count,) or not np.isfinite(policy).all() or (policy < 0).any():
                return False
            if abs(float(policy.sum()) - 1.0) > 1e-9:
                return False
        found = deviations(problem, self.policy)
        regrets = np.array([deviation.regret for deviation in found])
        rounding = 1e-12 * max(1.0, self.gap)
        if abs(problem_gap(problem, self.policy) - self.gap) > rounding:
            return False
        if not np.allclose(regrets, np.atleast_1d(self.regret), rtol=0.0, atol=rounding):
            return False
        # The proof comes before the claims read from it: one of another game may not even fit the names.
        if self.proof is not None and not self._verify_proof(self.proof):
            return False
        return self._best_responses_hold() and self._solution_set_holds()

    def _best_responses_hold(self) -> bool:
        """Whether nothing beats the best responses named by more than rounding: ties leave a choice."""
        single = is_symmetric(self.problem.game)
        replies = (self.best_response,) if single else self.best_response
        scores = reply_scores(self.problem, self.policy)
        for reply, names, score in zip(replies, _names(self.problem), scores, strict=True):
            rounding = 1e-12 * max(1.0, float(np.abs(score[np.isfinite(score)]).max()))
            if reply not in names or score.max() - score[names.index(reply)] > rounding:
                return False
        return True

    def _solution_set_holds(self) -> bool:
        """Whether uniqueness, dimension and union of supports are what the proof, or a fresh analysis, says."""
        if self.unique is None:
            return True
        sets = answer_sets(self.problem, self.policy) if self.proof is None else None
        unique, dimension, union = _on_all_answers(self.problem, sets, self.proof)
        if unique is None or None in np.atleast_1d(dimension):
            return True
        return (unique, dimension, union) == (self.unique, self.dimension, self.support_union)

    def _verify_proof(self, proof: Proof | ZeroSumProof) -> bool:
        """Check the proof against the data, and the float policy against the proof.

        The float policy is either the exact one, or another point of a set that the proof shows to be larger.
        """
        game = self.problem.game
        if isinstance(game, MatrixGame):
            return _proves_profile(proof, game, _as_tuple(self.policy))
        from .exact.rational import Proof, rational_payoff

        if not isinstance(proof, Proof) or isinstance(self.policy, tuple):
            return False
        close = _close(proof.policy, self.policy) or not proof.unique
        return close and proof.verify(rational_payoff(self._preference_game("proof")))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, without NaN."""
        result: dict[str, Any] = {
            "gap": self.gap,
            "best_response": _plain(self.best_response),
            "regret": _plain(self.regret),
            "support": _plain(self.support),
            "unique": self.unique,
            "dimension": _plain(self.dimension),
            "support_union": _plain(self.support_union),
        }
        if majority.has_majorities(self.problem.game):
            result["condorcet_winner"] = self.condorcet_winner
            result["smith_set"] = _plain(self.smith_set)
            result["schwartz_set"] = _plain(self.schwartz_set)
            result["mass_outside_smith"] = self.mass_outside_smith
        result["notes"] = list(self.notes)
        result["proof"] = None if self.proof is None else self.proof.to_dict()
        return result

    def __repr__(self) -> str:
        unique = {True: "unique", False: "not unique", None: "uniqueness not decided"}[self.unique]
        exact = "" if self.proof is None else ", proved in rational arithmetic"
        return f"Certificate(gap {self.gap:.2g}, {unique}{exact})"

    def _majority_game(self, what: str) -> PreferenceGame | OperatorGame:
        """Return the game if it is known who beats whom."""
        game = self.problem.game
        if isinstance(game, OperatorGame) and majority.has_majorities(game):
            return game
        if isinstance(game, OperatorGame) and game.is_symmetric:
            raise UnsupportedCombination(
                f"{what} needs the entries of the payoff, and this game is known by its products only "
                f"({game.payoff.describe()})"
            )
        return self._preference_game(what)

    def _preference_game(self, what: str) -> PreferenceGame:
        game = self.problem.game
        if not isinstance(game, PreferenceGame):
            raise UnsupportedCombination(f"{what} is defined for preference games; this is a {type(game).__name__}")
        return game


def certify(problem: Problem, policy: Policy, sets: tuple[SolutionSet, ...] | None, *, exact: bool) -> Certificate:
    """Return the certificate of a policy, all numbers recomputed from the game."""
    game = problem.game
    found = deviations(problem, policy)
    names = _names(problem)
    replies = tuple(names[p][deviation.best_response] for p, deviation in enumerate(found))
    regrets = tuple(deviation.regret for deviation in found)
    single = is_symmetric(game)
    proof = _prove(problem, policy, sets) if exact else None
    unique, dimension, union = _on_all_answers(problem, sets, proof)
    return Certificate(
        problem,
        policy,
        problem_gap(problem, policy),
        replies[0] if single else replies,
        regrets[0] if single else regrets,
        unique,
        dimension,
        union,
        proof,
    )


def answer_sets(problem: Problem, policy: Policy) -> tuple[SolutionSet, ...] | None:
    """Analyse the sets of all answers at temperature 0, one per player; None where there is no such analysis."""
    from .exact.solution_set import optimal_strategies, solution_set

    game = problem.game
    if problem.temperature > 0.0:
        return None
    if isinstance(game, PreferenceGame) and not isinstance(policy, tuple):
        return (solution_set(game.payoff, policy),)
    if isinstance(game, MatrixGame) and game.constant_sum is not None:
        row, column = policy
        return optimal_strategies(game.row_payoff, value(problem, policy), row, column)
    return None


def _on_all_answers(
    problem: Problem, sets: tuple[SolutionSet, ...] | None, proof: Proof | ZeroSumProof | None
) -> tuple[bool | None, Any, Any]:
    """Return uniqueness, dimension and union of supports: by the proof, the analysis, or strict concavity."""
    game, names = problem.game, _names(problem)
    single = is_symmetric(game)
    if proof is not None:
        return _proved(proof, names)
    if sets is not None:
        dimensions = tuple(found.dimension for found in sets)
        unions = tuple(_labels(labels, found.support_union) for labels, found in zip(names, sets, strict=True))
        return (_all_unique(sets), dimensions[0], unions[0]) if single else (_all_unique(sets), dimensions, unions)
    constant_sum = isinstance(game, MatrixGame) and game.constant_sum is not None
    zero_sum = single or constant_sum or isinstance(game, OperatorGame)
    if problem.temperature > 0.0 and zero_sum:
        return True, 0 if single else (0, 0), None
    return None, None, None


def _prove(problem: Problem, policy: Policy, sets: tuple[SolutionSet, ...] | None) -> Proof | ZeroSumProof:
    from .exact.rational import prove, rational_payoff
    from .exact.rational_zero_sum import prove_zero_sum

    game = problem.game
    if problem.temperature > 0.0:
        raise UnsupportedCombination(
            f"an exact certificate needs temperature 0 (it is {problem.temperature:g}): a KL-regularised equilibrium "
            "is not rational"
        )
    players = answer_sets(problem, policy) if sets is None else sets
    if players is not None and isinstance(game, PreferenceGame) and not isinstance(policy, tuple):
        return prove(rational_payoff(game), policy, players[0])
    if players is not None and isinstance(game, MatrixGame):
        return prove_zero_sum(game.row_payoff, policy[0], policy[1], (players[0], players[1]))
    raise UnsupportedCombination(
        f"an exact certificate is made for preference and constant-sum games; this is a {type(game).__name__}"
    )


def _proved(proof: Proof | ZeroSumProof, names: tuple[Labels, ...]) -> tuple[bool, Any, Any]:
    """Return uniqueness, dimension and union of supports as the proof has them."""
    from .exact.rational import Proof

    if isinstance(proof, Proof):
        return proof.unique, proof.dimension, _labels(names[0], proof.support_union)
    unions = tuple(_labels(labels, union) for labels, union in zip(names, proof.support_union, strict=True))
    return all(proof.unique), proof.dimension, unions


def _proves_profile(proof: Proof | ZeroSumProof, game: MatrixGame, policy: tuple[FloatArray, ...]) -> bool:
    from .exact.rational_zero_sum import ZeroSumProof

    if not isinstance(proof, ZeroSumProof):
        return False
    exact = (proof.row, proof.column)
    close = all(
        _close(fractions, part) or not unique
        for fractions, part, unique in zip(exact, policy, proof.unique, strict=True)
    )
    return close and proof.verify(game.row_payoff)


def _close(exact: Sequence[Fraction], policy: FloatArray) -> bool:
    floats = np.array([float(p) for p in exact])
    return floats.shape == policy.shape and bool(np.abs(floats - policy).max() <= 1e-7)


def _all_unique(sets: tuple[SolutionSet, ...]) -> bool | None:
    flags = [found.unique for found in sets]
    if False in flags:
        return False
    return None if None in flags else True


def support_labels(problem: Problem, policy: Policy, atol: float = _SUPPORT) -> Any:
    """Return the labels with probability above `atol`, a tuple per player for games that are not symmetric."""
    names = _names(problem)
    found = tuple(
        _labels(names[p], np.flatnonzero(part > atol)) for p, part in enumerate(_as_tuple(policy))
    )
    return found if isinstance(policy, tuple) else found[0]


def _names(problem: Problem) -> tuple[Labels, ...]:
    names: Any = problem.game.names
    return (names,) if is_symmetric(problem.game) else names


def _labels(names: Labels, indices: Iterable[int] | IntArray) -> Labels:
    return tuple(names[i] for i in indices)


def _as_tuple(policy: Policy) -> tuple[FloatArray, ...]:
    return policy if isinstance(policy, tuple) else (policy,)


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
