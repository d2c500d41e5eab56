"""Games, references and curves that the worked numbers of several methods are about."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import gametheory_pref as gp
from gametheory_pref.facts import Facts
from gametheory_pref.methods import settle
from gametheory_pref.problem import as_problem
from gametheory_pref.tabular import tabular

UNEVEN = [0.5, 0.3, 0.2]


def drawn(seed: int, n: int = 10) -> gp.PreferenceGame:
    """The game whose lower triangle is drawn uniformly from [-1/2, 1/2]."""
    below = np.tril(np.random.default_rng(seed).uniform(-0.5, 0.5, (n, n)), -1)
    return gp.preference_game(0.5 + below - below.T)


def softmax_of_normals(n: int, seed: int = 1) -> np.ndarray:
    weights = np.exp(np.random.default_rng(seed).standard_normal(n))
    return weights / weights.sum()


GAMES = {
    "rock_paper_scissors": gp.zoo["rock_paper_scissors"].game,
    "comal": gp.zoo["comal"].game,
    "random10": drawn(0),
}


def reference_of(name: str) -> np.ndarray:
    return softmax_of_normals(GAMES[name].n_responses)


class Curve(NamedTuple):
    """Logarithms of the iterates, and their divergence from the equilibrium, step by step in plain Python."""

    logs: np.ndarray
    kl: np.ndarray
    rule: Any
    facts: Facts

    @property
    def largest_factor(self) -> float:
        return float((self.kl[1:] / self.kl[:-1]).max())

    @property
    def tail(self) -> float:
        """Geometric mean of the factors over the second half of the run."""
        half = len(self.kl) // 2
        return float((self.kl[-1] / self.kl[half]) ** (1.0 / (len(self.kl) - 1 - half)))


def curve(
    rule: Any, game: gp.PreferenceGame, temperature: float, reference: Any, *, until: float = 1e-9, most: int = 20_000
) -> Curve:
    """Step until the divergence is at most `until`."""
    problem = tabular(as_problem(game, temperature=temperature, reference=reference), None, gp.Exact()).problem
    facts = Facts(problem, most)
    rule = settle(rule, facts.step_facts)
    target = np.exp(facts.log_equilibrium)
    state = rule.init(problem)
    logs, kl = [state.x.log], []
    while True:
        difference = facts.log_equilibrium - logs[-1]
        kl.append(float(target @ (difference + np.expm1(-difference))))
        if kl[-1] <= until or len(kl) > most:
            return Curve(np.array(logs), np.array(kl), rule, facts)
        state = rule.step(problem, state, None)
        logs.append(state.x.log)


def run(game: Any, rule: Any, steps: int, **more: Any) -> Any:
    """The `Run` of so many steps, whatever the gap."""
    return gp.solve(game, rule, tol=0.0, max_steps=steps, **more).run


def divergences(run: Any) -> np.ndarray:
    """Divergence of the equilibrium from every recorded iterate."""
    return run.facts.divergence_from(run.facts.log_equilibrium, run.log_last)


def theorem(rule: Any, name: str) -> Any:
    return next(guarantee for guarantee in rule.info.guarantees if guarantee.name == name)


def minimiser_of_pairwise_loss(anchor: np.ndarray, prob: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least squares over pairs drawn twice from `prob`: log-ratios to `anchor` against differences of `target`."""
    n = len(prob)
    first, second = (index.ravel() for index in np.indices((n, n)))
    weight = np.sqrt(prob[first] * prob[second])
    rows = (np.eye(n)[first] - np.eye(n)[second]) * weight[:, None]
    goal = (anchor[first] - anchor[second] + target[first, second]) * weight
    logits = np.linalg.lstsq(rows, goal, rcond=None)[0]
    policy = np.exp(logits - logits.max())
    return policy / policy.sum()
