"""What a method says about itself: what it solves, its step sizes, its theorems and how far to trust it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np

from ..errors import InputError
from ..verbs import Schedule

if TYPE_CHECKING:
    from .._types import FloatArray, IntArray
    from ..facts import Facts

StepSize: TypeAlias = Any
"""A constant, the name of a step-size rule of the method ("largest", "paper", ...), or a `Schedule`."""

Iterate: TypeAlias = Literal["last", "average"]


class StepFacts(NamedTuple):
    """What step-size rules may use; numbers for one game, or arrays with one entry per game.

    Attributes
    ----------
    payoff_bound : float
        ``a = max |A|``.
    temperature : float
        KL weight, ``beta``.
    spread : float
        ``D = max_i log(1 / pi_0(i))`` of the start.
    horizon : int
        Number of steps planned.
    condorcet_margin : float
        Smallest payoff of a response that beats every other; 0 when there is none.
    norm : float, or callable without arguments that returns it
        ``L = |A|_2``, the Lipschitz constant in the Euclidean norm. It takes long to find, so facts come with a
        function, which is called for rules that say `MethodInfo.uses_norm`; their step-size rules see the number.
    cocoercivity : float or None
        Largest c with ``<F(u) - F(v), u - v> >= c |F(u) - F(v)|^2``, where F(x) = -A x: 0 for games, whose payoffs are
        skew. Of the operator of an `Inclusion`, where it is not 0 alone; None where it is not known.
    is_constrained : bool
        Whether the problem lives on simplices, as games do; False for an `Inclusion` on R^d.
    n_terms : float
        Number of terms that the operator of an `Inclusion` is the mean of; in games, of draws of one column for each
        player that make up a payoff product.
    mean_norm, mean_cocoercivity : float, None, or (the norm) callable without arguments that returns it
        Constants of such a mean, for terms drawn as `verbs.term_weights` says: of
        ``mean |F_i(u) - F_i(v)|^2 <= L^2 |u - v|^2``, and of
        ``<F(u) - F(v), u - v> >= c mean |F_i(u) - F_i(v)|^2``.
    sampled_cocoercivity : callable without arguments, or None
        Measures the latter c on random pairs of points, where it is not known: an upper bound.
    """

    payoff_bound: Any
    temperature: Any
    spread: Any
    horizon: int
    condorcet_margin: Any = 0.0
    norm: Any = None
    cocoercivity: Any = 0.0
    is_constrained: bool = True
    n_terms: float = 1
    mean_norm: Any = None
    mean_cocoercivity: Any = 0.0
    sampled_cocoercivity: Any = None


def norm_of(facts: StepFacts) -> Any:
    """Return the 2-norm of the payoff, found now if it was not before; never 0, so that it can be divided by.

    Raises
    ------
    InputError
        It is not known: of the operator of an inclusion that is a function.
    """
    norm = np.maximum(facts.norm(), 1e-12) if callable(facts.norm) else facts.norm
    if np.isnan(norm).any():
        raise InputError(
            "the Lipschitz constant of the operator is not known, and the step size is found from it; pass lipschitz "
            "to gp.inclusion, or a number as step_size"
        )
    return norm


def mean_norm_of(facts: StepFacts) -> Any:
    """Return the Lipschitz constant of the payoff as a mean of terms, found now if it was not before; never 0.

    Raises
    ------
    InputError
        It is not known.
    """
    if facts.mean_norm is None:
        raise InputError(
            "the Lipschitz constant of the terms is not known, and the step size is found from it; pass mean_lipschitz "
            "to gp.inclusion, or a number as step_size"
        )
    return np.maximum(facts.mean_norm() if callable(facts.mean_norm) else facts.mean_norm, 1e-12)


def step_facts(
    payoff_bound: Any, temperature: Any, spread: Any, horizon: int, condorcet_margin: Any = 0.0, norm: Any = None
) -> StepFacts:
    """Return the facts with bounds that can be divided by: where all is tied, or one response is all there is.

    All are upper bounds, so a larger one is as true.
    """
    bounds = np.maximum(payoff_bound, 1e-12), np.maximum(spread, 1e-12)
    return StepFacts(bounds[0], temperature, bounds[1], horizon, condorcet_margin, norm)


StepSizeRule: TypeAlias = Callable[[StepFacts], Schedule]


@dataclass(frozen=True, eq=False)
class Trial:
    """A run on which a theorem is put to the test.

    Attributes
    ----------
    game : str or array_like
        A name in `zoo`, a name such as "random_10_3" (ten responses, seed 3) or "star_8", or win probabilities; or
        "inclusion skew_10_3" for the operator that `inclusions.examples` calls "skew_10_3".
    temperature : float
        KL weight.
    settings : mapping
        Settings of the rule that differ from its defaults.
    reference : int, array_like or None
        Anchor policy, also the start if there is no other; an int seeds the softmax of standard normals, None means
        uniform.
    start : array_like or None
        Where to start.
    max_steps : int
        Length of the run.
    per_decade : int
        Record points for every factor of ten of the step count.
    opponents : int
        Opponents drawn, with labels, for one payoff; 0 means exact payoffs.
    seeds : int
        Runs, with independent luck; one is enough for exact payoffs.
    """

    game: Any
    temperature: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    reference: Any = 1
    start: Any = None
    max_steps: int = 20_000
    per_decade: int = 64
    opponents: int = 0
    seeds: int = 1


@dataclass(frozen=True)
class Guarantee:
    """A theorem about the iterates of a rule, as data that `verify_rate` tests.

    Attributes
    ----------
    name : str
        Unique, in words joined by hyphens.
    statement : str
        The claim in a line of plain mathematics; ``pi*`` is the equilibrium, ``pi_t`` the iterate after t steps.
    source : str
        Where it is stated or proved.
    of : {"last", "average"}
        Which policy it is about: the iterate, or the average of those played.
    hypotheses : callable
        ``(rule, facts) -> None``, or the reason why the theorem says nothing about this run.
    proved : bool
        False for a claim as printed that is known to be wrong, or too broad; `verify` expects to see it violated.
    trials : tuple of Trial
        Runs on which `verify` tries the theorem, instead of its usual games. A theorem that asks for special settings
        or starts, and a claim that fails on some games only, name theirs here.
    sampled : bool
        True for a theorem about sampled payoffs. Any other says nothing about a run that saw samples.
    """

    name: str
    statement: str
    source: str
    of: Iterate
    hypotheses: Callable[[Any, Facts], str | None]
    proved: bool = field(default=True, kw_only=True)
    trials: tuple[Trial, ...] = field(default=(), kw_only=True)
    sampled: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Bound(Guarantee):
    """A quantity stays below a bound with explicit constants at every step.

    `quantity` is "kl" for ``KL(pi* || pi_t)``, "gap" for the duality gap of the problem, "gap0" for the gap of the
    unregularised game, "residual" for the distance of 0 from ``F(z) + N_C(z)``, F(x) = -A x in games; `bound` is
    ``(rule, facts, steps) -> array``, infinite where it says nothing.
    """

    quantity: Literal["kl", "gap", "gap0", "residual"]
    bound: Callable[[Any, Facts, IntArray], FloatArray]


@dataclass(frozen=True)
class Contraction(Guarantee):
    """``KL(pi* || pi_t)`` changes by at most a factor (with `grows`, by at least that factor) between any two steps.

    `log_factor` is ``(rule, facts, steps) -> array``: logarithm of the factor from step 0 to each step.
    """

    log_factor: Callable[[Any, Facts, IntArray], FloatArray]
    grows: bool = False


@dataclass(frozen=True)
class LocalRate(Guarantee):
    """Near the equilibrium ``KL(pi* || pi_t)`` changes by this factor per step: ``(rule, facts) -> float``."""

    factor: Callable[[Any, Facts], float]


@dataclass(frozen=True)
class Limit(Guarantee):
    """The iterates converge to this policy, given as logarithms: ``(rule, facts) -> array``."""

    log_policy: Callable[[Any, Facts], FloatArray]


@dataclass(frozen=True)
class Decay(Guarantee):
    """A quantity falls at least like ``t ** power``, with a constant that the theorem leaves open."""

    quantity: Literal["kl", "gap", "gap0", "residual"]
    power: float


@dataclass(frozen=True)
class MethodInfo:
    """What a rule says about itself.

    Attributes
    ----------
    name : str
        Key in `METHODS`.
    title : str
        A short name for tables and legends.
    solves : frozenset of {"minimax", "regularized"}
        Temperature 0, a positive temperature, or both.
    payoff_calls : int or None
        Payoff products per step; None if the state counts them in a field ``calls``.
    answer : {"last", "average"}
        Which policy `solve` returns.
    step_sizes : mapping
        Name -> rule; the first is the default. Empty for methods without a step size.
    cite : tuple of str
        Keys of ``docs/references.bib``.
    guarantees : tuple of Guarantee
        The theorems.
    trust : {"paper numbers", "theory", "experimental"}
        Checked against numbers printed in the paper; against its theorems only; or neither.
    aliases : tuple of str
        Other names in `METHODS`: of papers whose method is this rule.
    tabular_only : bool
        True if the rule uses more than the verbs that any policy has.
    indexes_arrays : bool
        True if its steps look at single entries, so that they are taken on the host wherever the payoff lives.
    side_by_side : bool
        Whether a step does the same for every game, so that many small games can take it side by side (`lanes`). It
        may use `field`, `mirror`, `normalize`, weighted sums and the verbs that only copy; it may not branch on a
        number that differs between games (temperature, step size), nor keep one in the state.
    largest_product : float
        Upper limit of ``step_size * temperature``: 1 for explicit anchoring, infinite where any step is meaningful.
    check : callable
        ``(rule, step_facts) -> None``; raises `InputError` for settings that make no sense.
    unsampled : callable
        ``rule -> str or None``: why these settings make no sense with sampled payoffs, if so.
    uses_norm : bool
        Whether its step sizes or steps use the 2-norm of the payoff.
    samples_terms : bool
        Whether it draws terms of the payoff by itself, even from an oracle that tells it exactly: then its runs depend
        on `rng`, and ``State.calls`` counts terms, `verbs.term_count` to a payoff product. What a run reports, and
        what methods are compared by, is the number of products that these make up.
    solves_inclusions : bool
        Whether it runs, in the Euclidean geometry, on the operator of an `Inclusion` as on the payoffs of a game.
    projects : bool
        Whether its steps give mass to any response, so that it may start without: projected ones do, multiplicative
        ones never. Rules with a `geometry` need not say so.
    alternates : bool
        Whether the players of a two-player game step one after the other, so that two who start alike do not stay
        alike; the policy of a symmetric game is then the mean of theirs.
    converges : bool
        Whether, with the default settings and payoffs of the size of win probabilities, the answer comes as close as
        one likes to an equilibrium of every problem that the method solves. False where the limit is biased or the
        answer may cycle; the tests hold a method to it.
    """

    name: str
    title: str
    solves: frozenset[str]
    payoff_calls: int | None
    answer: Iterate
    step_sizes: Mapping[str, StepSizeRule]
    cite: tuple[str, ...]
    guarantees: tuple[Guarantee, ...] = ()
    trust: Literal["paper numbers", "theory", "experimental"] = "experimental"
    aliases: tuple[str, ...] = ()
    tabular_only: bool = False
    indexes_arrays: bool = False
    side_by_side: bool = False
    largest_product: float = 1.0
    check: Callable[[Any, StepFacts], None] | None = None
    unsampled: Callable[[Any], str | None] | None = None
    uses_norm: bool = False
    samples_terms: bool = False
    solves_inclusions: bool = False
    projects: bool = False
    alternates: bool = False
    converges: bool = True


_Class = TypeVar("_Class", bound=type)


def method(info: MethodInfo) -> Callable[[_Class], _Class]:
    """Return a decorator that makes a NamedTuple of settings, with ``init`` and ``step``, a rule with this `info`."""

    def decorate(rule_class: _Class) -> _Class:
        rule_class.info = info  # type: ignore[attr-defined]
        return rule_class

    return decorate


MINIMAX = frozenset({"minimax"})
REGULARIZED = frozenset({"regularized"})
BOTH = MINIMAX | REGULARIZED


def extragradient_cap(facts: StepFacts) -> Schedule:
    r"""Return the largest step with :math:`\lambda(\lambda+\beta) \ge a^2`, where :math:`\lambda = 1/\eta - \beta`."""
    a, beta = facts.payoff_bound, facts.temperature
    # (-beta + sqrt(beta^2 + 4 a^2)) / (2 a^2), without the cancellation of a small a.
    return Schedule(2.0 / (beta + np.sqrt(beta**2 + 4.0 * a**2)))


def mirror_descent_cap(facts: StepFacts) -> Schedule:
    r"""Return the largest step with :math:`\lambda \ge a^2/\beta`: :math:`\eta = \beta / (\beta^2 + a^2)`."""
    return Schedule(facts.temperature / (facts.temperature**2 + facts.payoff_bound**2))


def balanced_step(facts: StepFacts) -> Schedule:
    r"""Return the step with :math:`\lambda = a`: :math:`\eta = 1 / (a + \beta)`."""
    return Schedule(1.0 / (facts.payoff_bound + facts.temperature))


def step_sizes_of(schedule: Schedule, steps: IntArray) -> FloatArray:
    """Return the step size at each of the steps ``0 .. steps.max() - 1``."""
    t = np.arange(int(steps.max()) if steps.size else 0, dtype=np.float64)
    return np.asarray(schedule.scale / (t + schedule.offset) ** schedule.power)


def anchored_log_factor(rule: Any, facts: Facts, steps: IntArray) -> FloatArray:
    r"""Return :math:`\sum_{s<t} \log(1 - \eta_s \beta)` for each t of `steps`."""
    with np.errstate(divide="ignore"):
        logs = np.log1p(-step_sizes_of(rule.step_size, steps) * facts.temperature)
    return np.asarray(np.concatenate([[0.0], np.cumsum(logs)])[steps])


def within(schedule: Schedule, largest: float, formula: str) -> str | None:
    """Return None if no step exceeds `largest`, else the sentence that says so."""
    if schedule.power < 0.0:
        return f"the steps grow; the theorem needs all of them to be at most {formula} = {largest:.4g}"
    first = float(step_sizes_of(schedule, np.array([1]))[0])
    if first <= largest * (1.0 + 1e-12):
        return None
    return f"step_size is {first:.4g}; the theorem needs at most {formula} = {largest:.4g}"


def exact_payoffs(facts: Facts) -> str | None:
    """Return None if the rule saw exact payoffs, else the sentence that says so."""
    return None if facts.is_exact else "the payoffs were sampled; the theorem is about exact ones"


def warm(facts: Facts) -> str | None:
    """Return None at a positive temperature."""
    return None if facts.temperature > 0.0 else "the temperature is 0; the theorem is about positive ones"


def cold(facts: Facts) -> str | None:
    """Return None at temperature 0."""
    return None if facts.temperature == 0.0 else "the temperature is positive; the theorem is about temperature 0"


def first_reason(*reasons: str | None) -> str | None:
    """Return the first reason, or None when every hypothesis holds."""
    return next((reason for reason in reasons if reason is not None), None)
