"""What a method's theorems say about one run, in words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..facts import Facts
from ..iterating import Run
from ..methods import Rule, misfit
from ..methods._info import Bound, Contraction, Decay, Guarantee, Limit, LocalRate
from .text import count

# Hypotheses may ask for the exact equilibrium, which larger games make slow.
_MOST_RESPONSES = 300
_QUANTITIES = {
    "kl": "KL from the equilibrium",
    "gap": "gap",
    "gap0": "gap without regularisation",
    "residual": "residual",
}
# A divergence from the equilibrium that counts as none, and what a smaller number is called: float64 may show it as 0.
_ARRIVED, _SMALLEST = 1e-12, 1e-300
# Theorems that say most come first.
_KINDS = (Contraction, Bound, Decay, Limit, LocalRate)


class Applied(NamedTuple):
    """A theorem on a run: what it says there, or why it says nothing."""

    guarantee: Guarantee
    words: str | None
    excuse: str | None


def applied(run: Run) -> list[Applied]:
    """Return every proved theorem about the policy that the rule answers with, the most telling first.

    Games of more than 300 responses are not judged: finding their equilibrium could take longer than the run.
    """
    info = run.rule.info
    if run.facts.n > _MOST_RESPONSES:
        return []
    proved = [g for g in info.guarantees if g.proved and g.of == info.answer]
    ranked = sorted(proved, key=lambda g: next(i for i, kind in enumerate(_KINDS) if isinstance(g, kind)))
    return [_applied(guarantee, run) for guarantee in ranked]


def _applied(guarantee: Guarantee, run: Run) -> Applied:
    rule, facts = run.rule, run.facts
    excuse = guarantee.hypotheses(rule, facts)
    if excuse is None and not guarantee.sampled and not facts.is_exact:
        excuse = "the payoffs were sampled; the theorem is about exact ones"
    if excuse is not None:
        return Applied(guarantee, None, excuse)
    words = what_it_says(guarantee, rule, facts, max(1, int(run.steps[-1])))
    # With sampled payoffs theorems are about expectations: a single run may well lie above.
    return Applied(guarantee, words if facts.is_exact else f"on average over seeds, {words}", None)


def what_it_says(guarantee: Guarantee, rule: Rule, facts: Facts, steps: int) -> str:
    """Return the claim of a theorem with the numbers of this problem after so many steps."""
    if isinstance(guarantee, Contraction):
        return _contraction(guarantee, rule, facts, steps)
    if isinstance(guarantee, Bound):
        last = float(guarantee.bound(rule, facts, np.array([steps]))[0])
        if not np.isfinite(last):
            return _in_symbols(guarantee)
        return f"{_QUANTITIES[guarantee.quantity]} {_at_most(last)} after {count(steps, 'step')}"
    if isinstance(guarantee, Limit):
        return _limit(guarantee, rule, facts)
    if isinstance(guarantee, Decay):
        return f"{_QUANTITIES[guarantee.quantity]} falls at least like t^{guarantee.power:g}"
    if isinstance(guarantee, LocalRate):
        return f"near the equilibrium, KL from it is multiplied by {guarantee.factor(rule, facts):.4g} a step"
    return _in_symbols(guarantee)


def _contraction(guarantee: Contraction, rule: Rule, facts: Facts, steps: int) -> str:
    first, last = guarantee.log_factor(rule, facts, np.array([1, steps]))
    if guarantee.grows:
        return "KL from the equilibrium never falls" if first >= 0.0 else _in_symbols(guarantee)
    if last > 0.0:
        return _in_symbols(guarantee)
    if last == 0.0:
        return "KL from the equilibrium never rises"
    if abs(last - steps * first) <= 1e-9 * abs(last) and first < 0.0:
        return f"KL from the equilibrium falls at least by the factor {np.exp(first):.4g} a step"
    return f"KL from the equilibrium is multiplied by {_at_most(np.exp(last))} in {count(steps, 'step')}"


def _limit(guarantee: Limit, rule: Rule, facts: Facts) -> str:
    if facts.log_equilibrium is None:
        return _in_symbols(guarantee)
    end = facts.divergence_from(facts.log_equilibrium, guarantee.log_policy(rule, facts)[None])[0]
    if end <= _ARRIVED:
        return "converges to the equilibrium"
    return f"does not converge to the equilibrium: KL from it tends to {end:.2g}"


def _at_most(number: float) -> str:
    return f"at most {number:.2g}" if number >= _SMALLEST else f"below {_SMALLEST:g}"


def _in_symbols(guarantee: Guarantee) -> str:
    return f"{guarantee.statement} (symbols: docs/notation.md)"


def main_claim(run: Run) -> str:
    """Return what the first theorem that applies says, or why none does."""
    if run.steps[-1] == 0:
        return "none applies: no step was recorded"
    found = applied(run)
    for claim in found:
        if claim.words is not None:
            return claim.words
    if run.facts.n > _MOST_RESPONSES:
        return f"not judged for more than {_MOST_RESPONSES} responses"
    return f"none applies: {found[0].excuse}" if found else "none known"


def remark_of(run: Run) -> str | None:
    """Return a warning that the answer need not approach the equilibrium; None where the main claim speaks of that."""
    info = run.rule.info
    remark = misfit(info, run.facts.temperature)
    if remark is not None or info.converges:
        return remark
    if any(isinstance(claim.guarantee, Limit) and claim.words is not None for claim in applied(run)):
        return None
    return f"{info.name} need not converge to the equilibrium"
