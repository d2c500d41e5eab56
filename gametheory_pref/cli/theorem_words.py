"""What a method's theorems say about one run, in words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..facts import Facts
from ..iterating import Run
from ..methods import Rule
from ..methods._info import Bound, Contraction, Decay, Guarantee, Limit, LocalRate

# Hypotheses may ask for the exact equilibrium, which larger games make slow.
_MOST_RESPONSES = 300
_QUANTITIES = {"kl": "KL from the equilibrium", "gap": "gap", "gap0": "gap without regularisation"}
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
    return [_applied(guarantee, run.rule, run.facts) for guarantee in ranked]


def _applied(guarantee: Guarantee, rule: Rule, facts: Facts) -> Applied:
    excuse = guarantee.hypotheses(rule, facts)
    if excuse is None and not guarantee.sampled and not facts.is_exact:
        excuse = "the payoffs were sampled; the theorem is about exact ones"
    words = None if excuse is not None else what_it_says(guarantee, rule, facts)
    return Applied(guarantee, words, excuse)


def what_it_says(guarantee: Guarantee, rule: Rule, facts: Facts) -> str:
    """Return the claim of a theorem with the numbers of this problem."""
    if isinstance(guarantee, Contraction):
        return _contraction(guarantee, rule, facts)
    if isinstance(guarantee, Bound):
        last = float(guarantee.bound(rule, facts, np.array([facts.horizon]))[0])
        if not np.isfinite(last):
            return guarantee.statement
        return f"{_QUANTITIES[guarantee.quantity]} at most {last:.2g} after {facts.horizon:,} steps"
    if isinstance(guarantee, Decay):
        return f"{_QUANTITIES[guarantee.quantity]} falls at least like t^{guarantee.power:g}"
    if isinstance(guarantee, LocalRate):
        return f"near the equilibrium, KL from it is multiplied by {guarantee.factor(rule, facts):.4g} a step"
    return guarantee.statement


def _contraction(guarantee: Contraction, rule: Rule, facts: Facts) -> str:
    first, last = guarantee.log_factor(rule, facts, np.array([1, facts.horizon]))
    if guarantee.grows:
        return "KL from the equilibrium never falls" if first >= 0.0 else guarantee.statement
    if last > 0.0:
        return guarantee.statement
    if last == 0.0:
        return "KL from the equilibrium never rises"
    if abs(last - facts.horizon * first) <= 1e-9 * abs(last) and first < 0.0:
        return f"KL from the equilibrium falls at least by the factor {np.exp(first):.4g} a step"
    return f"KL from the equilibrium falls at least by the factor {np.exp(last):.2g} in {facts.horizon:,} steps"


def main_claim(run: Run) -> str:
    """Return what the first theorem that applies says, or why none does."""
    found = applied(run)
    for claim in found:
        if claim.words is not None:
            return claim.words
    if run.facts.n > _MOST_RESPONSES:
        return f"not judged for more than {_MOST_RESPONSES} responses"
    return f"none applies: {found[0].excuse}" if found else "none known"
