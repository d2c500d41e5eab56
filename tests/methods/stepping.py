"""Take the steps of a rule one by one in plain Python, and measure where they lead."""

from __future__ import annotations

from typing import Any

import numpy as np

import gametheory_pref as gp
from gametheory_pref.facts import Facts
from gametheory_pref.methods import settle
from gametheory_pref.problem import as_problem
from gametheory_pref.tabular import tabular
from gametheory_pref.verbs import TabularProblem


def set_up(
    rule: Any, game: Any, temperature: float = 0.0, *, reference: Any = None, start: Any = None, horizon: int = 100
) -> tuple[Any, TabularProblem, Facts]:
    """Return the rule with its step sizes, the problem that steps see, and its facts."""
    problem = as_problem(game, temperature=temperature, reference=reference)
    flat = tabular(problem, None if start is None else np.asarray(start), gp.Exact()).problem
    facts = Facts(flat, horizon)
    return settle(rule, facts.step_facts), flat, facts


def states(rule: Any, problem: TabularProblem, steps: int, state: Any = None) -> list[Any]:
    """Return the states after 0 to `steps` steps."""
    found = [rule.init(problem) if state is None else state]
    for _ in range(steps):
        found.append(rule.step(problem, found[-1], None))
    return found


def logs(found: list[Any]) -> np.ndarray:
    """Return the logarithms of the policies played, one row per state."""
    return np.array([state.x.log for state in found])


def divergences(facts: Facts, found: list[Any]) -> np.ndarray:
    """Return ``KL(pi* || pi_t)`` of every state."""
    assert facts.log_equilibrium is not None
    return facts.divergence_from(facts.log_equilibrium, logs(found))


def guarantee(rule: Any, name: str) -> Any:
    """Return the guarantee of a rule with this name."""
    return next(one for one in rule.info.guarantees if one.name == name)


def softmax_of_normals(n: int, seed: int = 1) -> np.ndarray:
    """Return the reference that the printed experiments use."""
    weights = np.exp(np.random.default_rng(seed).normal(size=n))
    return weights / weights.sum()


def tail(values: np.ndarray, last: int, floor: float = 1e-22) -> float:
    """Return the geometric mean of the last ratios of successive values above the floor."""
    end = int(np.flatnonzero(values > floor)[-1])
    return float((values[end] / values[end - last]) ** (1.0 / last))
