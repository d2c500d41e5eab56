"""How far a policy is from equilibrium, computed from the game and the policy alone.

All gaps are two-sided duality gaps in units of the payoff: of win probability for a preference game.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ._jit import InterpretedFirst
from ._types import FloatArray
from .games import Game, MatrixGame, MultiplayerGame, OperatorGame, PreferenceGame, is_symmetric
from .kernels.logspace import log_normalize
from .problem import Policy, Problem, as_game, as_policy, as_problem

# Seconds that the interpreter takes to normalise one entry.
_INTERPRETER_UNIT = 1e-6

_normalizing = InterpretedFirst(log_normalize)


class Deviation(NamedTuple):
    """What one player gains by the best change of policy, the others staying as they are."""

    best_response: int
    regret: float


def duality_gap(
    game: Game | ArrayLike, policy: Any, *, temperature: float = 0.0, reference: Any = None
) -> float:
    r"""Return the two-sided duality gap of a policy; 0 exactly at equilibria.

    For a preference game with payoff :math:`A = P - 1/2` it is :math:`2 \max_i (A \pi)_i`, and with
    temperature :math:`\beta` it is :math:`2 \beta\, \mathrm{KL}(\pi \,\|\, \mathrm{BR}_\beta(\pi))`, which
    equals :math:`2\beta[\log\sum_i \mu_i e^{(A\pi)_i/\beta} + \mathrm{KL}(\pi\|\mu)]` and is better
    conditioned. For other games it is NashConv, the sum over players of what each could gain.

    Parameters
    ----------
    game : game or array_like
        The game; a square array is a matrix of win probabilities.
    policy : array_like, or tuple of array_like
        One distribution, or one per player for games that are not symmetric.
    temperature : float
        KL weight.
    reference : array_like, tuple or None
        Anchor policy; uniform when left out.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> round(gp.duality_gap([[0.5, 0.7], [0.3, 0.5]], [0.5, 0.5]), 12)
    0.2
    """
    problem = as_problem(game, temperature=temperature, reference=reference)
    return problem_gap(problem, as_policy(problem.game, policy))


def exploitability(game: Game | ArrayLike, policy: Any) -> float:
    """Return the duality gap without regularisation divided by the number of players.

    For a preference game: by how much the best response beats the policy, above one half.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> round(gp.exploitability([[0.5, 0.7], [0.3, 0.5]], [0.5, 0.5]), 12)
    0.1
    """
    checked = as_game(game)
    players = checked.n_players if isinstance(checked, MultiplayerGame) else 2
    return duality_gap(checked, policy) / players


def problem_gap(problem: Problem, policy: Policy) -> float:
    """Return the duality gap of a checked policy."""
    regret = sum(deviation.regret for deviation in deviations(problem, policy))
    return 2.0 * regret if is_symmetric(problem.game) else regret


def deviations(problem: Problem, policy: Policy) -> tuple[Deviation, ...]:
    """Return each player's best response and regret; a symmetric game counts as one player."""
    payoffs = payoff_vectors(problem.game, policy)
    policies = policy if isinstance(policy, tuple) else (policy,)
    if problem.temperature == 0.0:
        return tuple(_deviation(u, pi) for u, pi in zip(payoffs, policies, strict=True))
    log_reference = problem.log_reference()
    return tuple(
        _regularized_deviation(u, pi, mu, problem.temperature)
        for u, pi, mu in zip(payoffs, policies, log_reference, strict=True)
    )


def reply_scores(problem: Problem, policy: Policy) -> tuple[FloatArray, ...]:
    """Return, for each player, what its best pure reply maximises: payoff plus temperature times log reference."""
    payoffs = payoff_vectors(problem.game, policy)
    if problem.temperature == 0.0:
        return payoffs
    anchors = problem.log_reference()
    return tuple(u + problem.temperature * mu for u, mu in zip(payoffs, anchors, strict=True))


def _deviation(payoff: FloatArray, policy: FloatArray) -> Deviation:
    best = int(payoff.argmax())
    # Differences before the sum: the regret of an equilibrium is then free of the payoff's own size.
    return Deviation(best, max(float(policy @ (payoff[best] - payoff)), 0.0))


def _regularized_deviation(
    payoff: FloatArray, policy: FloatArray, log_reference: FloatArray, temperature: float
) -> Deviation:
    scores = log_reference + payoff / temperature
    with _normalizing.context(_INTERPRETER_UNIT * scores.size):
        log_reply = log_normalize(scores, np.empty_like(scores))
    return Deviation(int(scores.argmax()), temperature * divergence(policy, log_reply))


def divergence(policy: FloatArray, log_other: FloatArray) -> float:
    """Return KL(policy || other) as a sum of non-negative terms, so that small values keep their digits.

    With ``d = log policy - log other`` the sum of ``policy * (d + expm1(-d))`` is the divergence, because
    both vectors sum to one; a response that the policy never plays adds what the other gives it.
    """
    played = policy > np.finfo(np.float64).tiny
    mass = policy[played]
    difference = np.log(mass) - log_other[played]
    return float(mass @ (difference + np.expm1(-difference)) + np.exp(log_other[~played]).sum())


def payoff_vectors(game: Game, policy: Policy) -> tuple[FloatArray, ...]:
    """Return the payoff of every action of every player against the others' policies."""
    if isinstance(game, PreferenceGame):
        return (game.payoff @ policy,)
    if isinstance(game, MatrixGame):
        row, column = policy
        if game.is_zero_sum:
            return (game.row_payoff @ column, -(row @ game.row_payoff))
        return (game.row_payoff @ column, row @ game.column_payoff)
    if isinstance(game, OperatorGame):
        if not isinstance(policy, tuple):
            return (game.payoff.product(policy),)
        up, down = game.payoff.both_products(*policy)
        return (up, -down)
    return tuple(_multiplayer_payoff(game.payoffs[p], policy, p) for p in range(game.n_players))


def _multiplayer_payoff(tensor: FloatArray, policy: Policy, player: int) -> FloatArray:
    """Contract the tensor with everybody's policy but the player's own, last axis first."""
    for other in reversed(range(len(policy))):
        if other != player:
            tensor = np.tensordot(tensor, policy[other], axes=(other, 0))
    return tensor


def value(problem: Problem, policy: Policy) -> float:
    """Return the first player's expected payoff: win probability (1/2 by symmetry) for a preference game."""
    game = problem.game
    if isinstance(game, PreferenceGame):
        return 0.5
    if is_symmetric(game):
        return 0.0
    return float(policy[0] @ payoff_vectors(game, policy)[0])
