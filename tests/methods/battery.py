"""What every method must do, whatever it is called: checks that take a class of rules and name none.

`jit=False` runs a check in the interpreter; that is for rules made up by tests, which nothing keeps compiled.
"""

from __future__ import annotations

import inspect
import json
import pathlib
import pickle
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref._jit import interpreted
from gametheory_pref.facts import Facts
from gametheory_pref.iterating import Run
from gametheory_pref.methods import Bound, Contraction, MethodInfo, settle
from gametheory_pref.problem import as_problem
from gametheory_pref.tabular import tabular
from gametheory_pref.verbs import Schedule

DOCS = pathlib.Path(__file__).parents[2] / "docs"
TEMPERATURE = 0.15
SHORT = 30
# Two units in the last place for every step: sums of a step are added up in another order by compiled code.
LAST_BITS = 2 * SHORT * float(np.finfo(np.float64).eps)
# One turn more or less of an inner loop that ends at a tolerance.
INNER_TURN = 1e-11


# -- games


def skew(seed: int, n: int) -> np.ndarray:
    upper = np.triu(np.random.default_rng(seed).uniform(-0.5, 0.5, (n, n)), 1)
    return upper - upper.T


def policy(seed: int, n: int) -> np.ndarray:
    weights = np.exp(np.random.default_rng(1000 + seed).normal(size=n))
    return weights / weights.sum()


def tournament(seed: int, n: int) -> np.ndarray:
    """Every pair decided for sure: win probabilities 0 and 1."""
    return np.sign(skew(seed, n)) / 2 + 0.5


def with_twin(matrix: np.ndarray) -> np.ndarray:
    order = [*range(len(matrix)), 0]
    return matrix[np.ix_(order, order)]


AWKWARD: dict[str, np.ndarray] = {
    "one response": np.array([[0.5]]),
    "two responses": np.array([[0.5, 0.9], [0.1, 0.5]]),
    "all ties": np.full((3, 3), 0.5),
    "drawn": skew(1, 6) + 0.5,
    "with a twin": with_twin(skew(2, 4) + 0.5),
    "sure wins": tournament(3, 5),
    "one sure winner": np.array([[0.5, 1.0, 1.0], [0.0, 0.5, 0.5], [0.0, 0.5, 0.5]]),
}

# Games whose answers lie off the centre, so that an answer without work is a wrong one.
ZOO = ("comal", "biased_rock_paper_scissors", "dominated_lizard", "clear_favourite", "two_scissors")
OFF_CENTRE = {3: np.array([0.7, 0.2, 0.1]), 4: np.array([0.5, 0.1, 0.1, 0.3])}


def temperatures(info: MethodInfo) -> list[float]:
    return [heat for heat, kind in ((0.0, "minimax"), (TEMPERATURE, "regularized")) if kind in info.solves]


# -- runs


def run(rule: Any, game: Any, *, jit: bool, temperature: float, steps: int = SHORT, **more: Any) -> gp.Solution:
    """`steps` steps whatever the gap, unless it is 0 exactly."""
    more.setdefault("record", gp.Record(per_decade=10_000 if steps <= 100 else 16))
    if rule.info.samples_terms:
        more.setdefault("rng", 0)
    return gp.solve(game, rule, temperature=temperature, tol=0.0, max_steps=steps, jit=jit, **more)


def off_centre(temperature: float, n: int) -> dict[str, Any]:
    """Start away from the centre; with a temperature the reference is off the centre as well."""
    return {"start": policy(5, n)} | ({"reference": policy(6, n)} if temperature else {})


def run_of(solution: gp.Solution) -> Run:
    assert solution.run is not None
    return solution.run


def both(one: gp.Solution, other: gp.Solution) -> list[tuple[np.ndarray, np.ndarray]]:
    """Logarithms and averages of two runs as far as both go: one may meet a gap of exactly 0 before the other."""
    first, second = run_of(one), run_of(other)
    rows = min(len(first.steps), len(second.steps))
    assert rows > 5
    return [(first.log_last[:rows], first.average[:rows]), (second.log_last[:rows], second.average[:rows])]


def stepwise(rule: Any, temperature: float, payoff: np.ndarray) -> tuple[Any, Any]:
    """A settled rule and the problem as its steps see it, in the interpreter."""
    problem = as_problem(payoff + 0.5, temperature=temperature, reference=policy(6, len(payoff)))
    flat = tabular(problem, policy(5, len(payoff)), gp.Exact()).problem
    return settle(rule, Facts(flat, 100).step_facts), flat


def frozen_luck() -> np.random.Generator:
    return np.random.default_rng(0)


def sampled_only(rule: Any) -> bool:
    """Whether the rule draws samples even when the oracle would tell the payoffs."""
    rule, flat = stepwise(rule, temperatures(rule.info)[-1], skew(1, 4))
    try:
        rule.step(flat, rule.init(flat), frozen_luck())
    except gp.UnsupportedCombination:
        return True
    return False


def drawn_terms(rule_class: Any) -> bool:
    """Whether a run depends on the order of the responses, because the rule draws among them by itself."""
    return bool(rule_class.info.samples_terms)


# -- the checks


def check_policies_are_policies(rule_class: Any, *, jit: bool) -> None:
    """On the simplex, finite, starting at the start, with gaps that the game itself confirms."""
    for heat in temperatures(rule_class.info):
        for name, preference in AWKWARD.items():
            solution = run(rule_class(), preference, jit=jit, temperature=heat, **off_centre(heat, len(preference)))
            ran, problem = run_of(solution), solution.problem
            assert solution.status in (gp.Status.STEP_LIMIT, gp.Status.CONVERGED), f"{name}: {solution.message}"
            last = np.exp(ran.log_last)
            for policies in (last, ran.average):
                assert (policies >= 0.0).all(), name
                np.testing.assert_allclose(policies.sum(axis=1), 1.0, atol=1e-12, err_msg=name)
            assert ran.steps[0] == 0
            np.testing.assert_allclose(last[0], policy(5, len(preference)), atol=1e-12, err_msg=name)
            for gaps, policies in ((ran.gap_last, last), (ran.gap_average, ran.average)):
                reference = {"temperature": heat, "reference": problem.reference}
                told = gp.duality_gap(problem.game, np.clip(policies[-1], 0, 1) / policies[-1].sum(), **reference)
                np.testing.assert_allclose(gaps[-1], told, atol=1e-11, err_msg=name)
            np.testing.assert_allclose(solution.policy, ran.answers()[-1], atol=1e-15)


def check_counts(rule_class: Any, *, jit: bool) -> None:
    """One step is one step, and takes as many payoff products as it says."""

    class Columns(np.ndarray):
        def __matmul__(self, other):
            # A difference of two policies stands for two products.
            Counted.products += 2 * self.shape[1]
            return np.asarray(self) @ other

    class Counted(np.ndarray):
        products = 0

        def __matmul__(self, other):
            Counted.products += len(other) if drawn_terms(rule_class) else 1
            return np.asarray(self) @ other

        def __getitem__(self, key):
            return np.asarray(self)[key].view(Columns)

    rule = rule_class()
    if sampled_only(rule):
        return
    for heat in temperatures(rule.info):
        settled, flat = stepwise(rule, heat, skew(1, 4))
        flat = flat._replace(payoff=flat.payoff.view(Counted))
        state = settled.init(flat)
        assert state.t == 0
        # What `init` asks for is counted by methods that count; others start without asking.
        Counted.products = 0 if rule.info.payoff_calls is not None else Counted.products
        for t in range(1, 8):
            state = settled.step(flat, state, frozen_luck() if drawn_terms(rule_class) else None)
            assert state.t == t
            counted = state.calls if rule.info.payoff_calls is None else t * rule.info.payoff_calls
            assert counted == Counted.products, f"says {counted} payoff products, took {Counted.products}"
        Counted.products = 0


def check_step_sizes_are_read_on_time(rule_class: Any, *, jit: bool) -> None:
    """The step that follows t steps has the size ``scale / (t + offset) ** power``."""
    if not hasattr(rule_class(), "step_size"):
        return
    schedule = Schedule(0.6, 2.0, 1.0)
    for heat in temperatures(rule_class.info):
        rule, flat = stepwise(rule_class()._replace(step_size=schedule), heat, skew(1, 4))
        state = rule.init(flat)
        for t in range(6):
            constant = rule._replace(step_size=Schedule(0.6 / (t + 2.0)))
            lucky = drawn_terms(rule_class) or sampled_only(rule_class())
            new, same = (one.step(flat, state, frozen_luck() if lucky else None) for one in (rule, constant))
            np.testing.assert_allclose(new.x.prob, same.x.prob, atol=1e-14, err_msg=f"step {t}")
            state = new


def check_an_equilibrium_is_a_fixed_point(rule_class: Any, *, jit: bool) -> None:
    """Of methods that promise convergence of the policy itself, by constant steps."""
    info = rule_class.info
    if info.answer != "last" or not info.converges:
        return
    for heat in temperatures(info):
        reference = policy(6, 3)
        problem = as_problem(gp.zoo["comal"].game, temperature=heat, reference=reference if heat else None)
        exact = gp.solve(problem.game, temperature=heat, reference=problem.reference, tol=1e-13).policy
        flat = tabular(problem, exact, gp.Exact()).problem
        rule = settle(rule_class(), Facts(flat, 100).step_facts)
        # Where steps decay, each may have a fixed point of its own, and the equilibrium be the limit of those.
        if getattr(rule, "step_size", Schedule(1.0)).power != 0.0:
            continue
        # Step by step, because a run would end at once.
        state = rule.init(flat)
        for _ in range(10):
            with interpreted():
                state = rule.step(flat, state, frozen_luck())
            np.testing.assert_allclose(state.x.prob, exact, atol=1e-9)


def check_names_do_not_matter(rule_class: Any, *, jit: bool) -> None:
    """Permuting the responses permutes the run."""
    if drawn_terms(rule_class):
        return
    order = np.array([3, 0, 4, 1, 2])
    payoff = skew(4, 5)
    for heat in temperatures(rule_class.info):
        keys = off_centre(heat, 5)
        one = run(rule_class(), payoff + 0.5, jit=jit, temperature=heat, **keys)
        moved = {key: value[order] for key, value in keys.items()}
        other = run(rule_class(), payoff[np.ix_(order, order)] + 0.5, jit=jit, temperature=heat, **moved)
        (last, average), (moved_last, moved_average) = both(one, other)
        np.testing.assert_allclose(moved_last, last[:, order], atol=1e-8)
        np.testing.assert_allclose(moved_average, average[:, order], atol=1e-9)


def check_twins_share(rule_class: Any, *, jit: bool) -> None:
    """A response split in two plays, in sum, what it played alone: rules on policies see masses, not rows.

    Rules that are for tables only may treat every row alike, and need not pass.
    """
    if rule_class.info.tabular_only or drawn_terms(rule_class):
        return
    payoff = skew(4, 4)
    for heat in temperatures(rule_class.info):
        keys = off_centre(heat, 4)
        alone = run(rule_class(), payoff + 0.5, jit=jit, temperature=heat, **keys)
        # The spread of the start enters some step sizes, and twins have more of it: take the step sizes found alone.
        rule = run_of(alone).rule
        split = {key: np.append(np.append(value[0] / 2, value[1:]), value[0] / 2) for key, value in keys.items()}
        twins = run(rule, with_twin(payoff) + 0.5, jit=jit, temperature=heat, **split)
        (expected, _), (last, _) = both(alone, twins)
        np.testing.assert_allclose(last[:, 0], last[:, 4], rtol=1e-7)
        mass = np.exp(last)
        mass[:, 0] += mass[:, 4]
        np.testing.assert_allclose(mass[:, :4], np.exp(expected), atol=1e-8)


def check_responses_without_reference_are_out(rule_class: Any, *, jit: bool) -> None:
    """At a positive temperature such a response gets no mass, and the others play as if it were not there."""
    if "regularized" not in rule_class.info.solves:
        return
    payoff, anchor, keep = skew(4, 5), np.array([0.4, 0.0, 0.3, 0.0, 0.3]), [0, 2, 4]
    whole = run(rule_class(), payoff + 0.5, jit=jit, temperature=TEMPERATURE, reference=anchor)
    part = run(
        rule_class(), payoff[np.ix_(keep, keep)] + 0.5, jit=jit, temperature=TEMPERATURE, reference=anchor[keep]
    )
    assert (whole.policy[[1, 3]] == 0.0).all()
    np.testing.assert_allclose(whole.policy[keep], part.policy, atol=1e-13)


def check_two_players_play_as_one_against_itself(rule_class: Any, *, jit: bool) -> None:
    """The two players of a symmetric game who start alike stay alike, and play what one policy would.

    Where they step one after the other, it is the mean of their policies.
    """
    if drawn_terms(rule_class):
        return
    payoff = skew(4, 4)
    game = gp.matrix_game(payoff)
    for heat in temperatures(rule_class.info):
        keys = off_centre(heat, 4)
        one = run(rule_class(), payoff + 0.5, jit=jit, temperature=heat, **keys)
        pair = {key: (value, value) for key, value in keys.items()}
        try:
            two = run(run_of(one).rule, game, jit=jit, temperature=heat, **pair)
        except gp.UnsupportedCombination:
            continue
        mean = 0.5 * (two.policy[0] + two.policy[1])
        for player in (mean,) if rule_class.info.alternates else two.policy:
            np.testing.assert_allclose(player, one.policy, atol=1e-8)


def check_two_players_with_different_choices(rule_class: Any, *, jit: bool) -> None:
    """Two rows against five columns, neither played evenly at the answer; payoffs of the size of win probabilities."""
    game = gp.matrix_game(gp.zoo["two_by_five"].game.row_payoff / 6.0)
    start = (policy(1, 2), policy(2, 5))
    for heat in temperatures(rule_class.info):
        try:
            solution = run(rule_class(), game, jit=jit, temperature=heat, steps=3000, start=start)
        except gp.UnsupportedCombination:
            continue
        for player, choices in zip(solution.policy, (2, 5), strict=True):
            assert player.shape == (choices,) and (player >= 0.0).all()
            np.testing.assert_allclose(player.sum(), 1.0, atol=1e-12)
        told = gp.duality_gap(game, solution.policy, temperature=heat)
        np.testing.assert_allclose(solution.gap, told, atol=1e-12)
        if rule_class.info.converges:
            assert solution.gap <= 0.1 * run_of(solution).gap_last[0], f"temperature {heat}"


def check_going_on_is_one_long_run(rule_class: Any, *, jit: bool) -> None:
    for heat in temperatures(rule_class.info):
        keys = {"jit": jit, "temperature": heat, **off_centre(heat, 5)}
        rule = run_of(run(rule_class(), skew(4, 5) + 0.5, **keys)).rule
        long = run(rule, skew(4, 5) + 0.5, **keys)
        half = run(rule, skew(4, 5) + 0.5, steps=11, **keys)
        rest = run(rule, skew(4, 5) + 0.5, **keys | {"steps": SHORT - 11, "start": half, "rng": None})
        assert rest.n_steps == long.n_steps > 11 and rest.payoff_calls == long.payoff_calls
        np.testing.assert_array_equal(run_of(rest).log_last, run_of(long).log_last)
        np.testing.assert_array_equal(run_of(rest).average, run_of(long).average)
        np.testing.assert_array_equal(rest.trace.step, long.trace.step)


def check_the_same_luck_gives_the_same_run(rule_class: Any, *, jit: bool) -> None:
    for heat in temperatures(rule_class.info):
        oracle = gp.Exact() if drawn_terms(rule_class) else gp.Sampled(3)
        keys = {"jit": jit, "temperature": heat, "oracle": oracle, **off_centre(heat, 5)}
        rule = _hurried(rule_class())
        runs = [run_of(run(rule, skew(4, 5) + 0.5, rng=seed, **keys)) for seed in (7, 7, 8)]
        np.testing.assert_array_equal(runs[0].log_last, runs[1].log_last)
        assert not np.array_equal(runs[0].log_last, runs[2].log_last)
        assert np.isfinite(runs[0].gap_last).all()


def _hurried(rule: Any) -> Any:
    """The rule with short inner loops, which with sampled payoffs meet no tolerance before their limit."""
    return rule._replace(inner_steps=5) if hasattr(rule, "inner_steps") else rule


def check_batches_run_like_single_games(rule_class: Any, *, jit: bool) -> None:
    """The batch loop is compiled apart from the run loop."""
    if drawn_terms(rule_class):
        with pytest.raises(gp.UnsupportedCombination, match="one by one"):
            gp.solve_batch([skew(4, 5) + 0.5], method=rule_class())
        return
    for heat in temperatures(rule_class.info):
        games = [skew(seed, 5) + 0.5 for seed in (4, 5, 6)]
        anchor = policy(6, 5)
        batch = gp.solve_batch(games, method=rule_class(), temperature=heat, reference=anchor, tol=0, max_steps=SHORT)
        for row, game in enumerate(games):
            place = {"reference": anchor} if heat else {"start": anchor}
            alone = run(rule_class(), game, jit=jit, temperature=heat, **place)
            np.testing.assert_allclose(batch.policy[row], alone.policy, rtol=LAST_BITS, atol=LAST_BITS)
            assert batch.n_steps[row] == alone.n_steps


def check_callbacks_see_and_stop_the_run(rule_class: Any, *, jit: bool) -> None:
    seen = []

    def look(snapshot: gp.Snapshot) -> None:
        seen.append(snapshot)
        if snapshot.step >= 5:
            raise StopIteration

    for heat in temperatures(rule_class.info):
        seen.clear()
        keys = off_centre(heat, 5)
        solution = run(rule_class(), skew(4, 5) + 0.5, jit=jit, temperature=heat, callback=look, **keys)
        assert solution.status is gp.Status.STOPPED and solution.n_steps == 5
        assert [snapshot.step for snapshot in seen] == [0, 1, 2, 3, 4, 5]
        np.testing.assert_array_equal(seen[-1].policy, solution.policy)


def check_the_time_limit_ends_the_run(rule_class: Any, *, jit: bool) -> None:
    heat = temperatures(rule_class.info)[0]
    solution = run(rule_class(), skew(4, 5) + 0.5, jit=jit, temperature=heat, time_limit=0.0, callback=lambda _: None,
                   **off_centre(heat, 5))
    assert solution.status is gp.Status.TIME_LIMIT and solution.n_steps < SHORT


def check_settings_survive_being_written_down(rule_class: Any, *, jit: bool) -> None:
    rule = rule_class()
    known = {type(rule).__name__: type(rule)} | {
        type(part).__name__: type(part) for part in _parts(rule) if hasattr(part, "_fields")
    }
    assert eval(repr(rule), known) == rule
    if inspect.getmodule(rule_class) is not None and "<locals>" not in rule_class.__qualname__:
        assert pickle.loads(pickle.dumps(rule)) == rule
    written = json.loads(json.dumps(rule._asdict()))
    read = rule_class(**{name: _tuples(value, getattr(rule, name)) for name, value in written.items()})
    assert read == rule
    settled, problem = stepwise(rule, temperatures(rule.info)[-1], skew(1, 4))
    assert settle(read, Facts(problem, 100).step_facts) == settled


def _parts(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, tuple):
        for part in value:
            yield from _parts(part)


def _tuples(value: Any, like: Any) -> Any:
    """Lists, which is what JSON has, as the tuples that they were."""
    if isinstance(value, list):
        parts = [_tuples(part, old) for part, old in zip(value, like, strict=True)]
        return type(like)(*parts) if hasattr(like, "_fields") else tuple(parts)
    return value


def check_compiled_code_does_what_the_source_says(rule_class: Any, *, jit: bool, oracle: Any = gp.Exact()) -> None:  # noqa: B008
    """To the last bits of every step: logarithms relative to 1 + their size, and averages."""
    if not jit:
        return
    counts_calls = rule_class.info.payoff_calls is None
    for heat in temperatures(rule_class.info):
        keys = {"temperature": heat, "oracle": oracle, "rng": 5, **off_centre(heat, 6)}
        rule = rule_class() if isinstance(oracle, gp.Exact) else _hurried(rule_class())
        fast, slow = (run(rule, skew(1, 6) + 0.5, jit=way, **keys) for way in (True, False))
        (last, average), (slow_last, slow_average) = both(fast, slow)
        close = INNER_TURN if counts_calls else LAST_BITS
        rows = len(last)
        calls, slow_calls = (run_of(one).payoff_calls[:rows] for one in (fast, slow))
        if counts_calls and isinstance(oracle, gp.Sampled):
            # Labels are few, so that the two sides of a test may be equal but for rounding; where the two ways of
            # running decide differently they draw different luck from then on.
            rows = int(np.argmax(np.append(calls != slow_calls, True)))
            assert rows > 10
        np.testing.assert_allclose(last[:rows], slow_last[:rows], rtol=close, atol=close)
        np.testing.assert_allclose(average[:rows], slow_average[:rows], rtol=close, atol=close)
        np.testing.assert_allclose(calls[:rows], slow_calls[:rows], rtol=0.02 if counts_calls else 0.0)


def check_the_answer_is_reached(rule_class: Any, *, jit: bool) -> None:
    """Games with known answers are solved: to a tenth of the first gap at least, and to what the theorems promise.

    A method that says that it need not converge must leave one unsolved.
    """
    missed = []
    for heat in temperatures(rule_class.info):
        for name in ZOO:
            solution = _zoo_run(rule_class, name, heat, jit)
            first, promised = run_of(solution).gap_last[0], _promised_gap(run_of(solution))
            goal = min(0.1 * first, promised) if rule_class.info.converges else 1e-4 * first
            if solution.gap > goal:
                missed.append(f"{name} at temperature {heat}: gap {solution.gap:.3g} from {first:.3g}, not {goal:.3g}")
    if rule_class.info.converges:
        assert not missed, "; ".join(missed)
    else:
        assert missed, "it says that it need not converge, but it does on all of these games"


def _zoo_run(rule_class: Any, name: str, heat: float, jit: bool) -> gp.Solution:
    game = gp.zoo[name].game
    keys = {"start": OFF_CENTRE[game.n_responses]}
    if heat:
        keys["reference"] = policy(6, game.n_responses)
    return run(rule_class(), game, jit=jit, temperature=heat, steps=20_000 if jit else 3000, **keys)


def _promised_gap(ran: Run) -> float:
    """The smallest gap that a theorem about the answer promises at the end."""
    rule, facts, end, promised = ran.rule, ran.facts, ran.steps[-1:], [np.inf]
    for theorem in rule.info.guarantees:
        if not theorem.proved or theorem.of != rule.info.answer or theorem.hypotheses(rule, facts) is not None:
            continue
        if isinstance(theorem, Bound) and theorem.quantity in ("gap", "gap" if facts.temperature else "gap0"):
            promised.append(float(theorem.bound(rule, facts, end)[0]))
        if isinstance(theorem, Contraction) and not theorem.grows and facts.temperature > 0.0:
            exact = facts.log_equilibrium
            first = float(np.exp(exact) @ (exact - ran.log_last[0]))
            # Gap and divergence bound each other at a positive temperature (docs/theory.md, from divergence to gap).
            ratio = 2.0 * facts.temperature + 2.0 * facts.payoff_bound**2 / facts.temperature
            promised.append(ratio * first * float(np.exp(theorem.log_factor(rule, facts, end)[0])))
    return max(min(promised), 1e-12)


def check_theorems_hold(rule_class: Any, *, jit: bool) -> None:
    """No theorem is violated, where it says something about a run on a game of the zoo."""
    for heat in temperatures(rule_class.info):
        for name in ZOO[:3]:
            report = gp.verify_rate(_zoo_run(rule_class, name, heat, jit))
            assert report.verdict != "violated", f"{name} at temperature {heat}: {report.reason}"


def check_documentation(rule_class: Any, *, jit: bool) -> None:
    """Mathematics, every setting, and for every theorem what it says and where it is proved."""
    info, text = rule_class.info, inspect.getdoc(rule_class) or ""
    assert ".. math::" in text, "the docstring has no formula"
    fields = rule_class._fields
    if fields:
        section = re.search(r"Parameters\n-+\n(.*?)(\n\n\w+\n-+\n|\Z)", text, re.DOTALL)
        assert section, "the docstring has no section Parameters"
        for name in fields:
            assert re.search(rf"^{name} : ", section[1], re.MULTILINE), f"the docstring does not explain {name}"
    assert info.title and info.name == info.name.lower() and info.solves <= {"minimax", "regularized"} and info.solves
    names = [guarantee.name for guarantee in info.guarantees]
    assert len(names) == len(set(names))
    for guarantee in info.guarantees:
        assert guarantee.statement and guarantee.source, guarantee.name
        for page in re.findall(r"docs/[\w/]+\.md", guarantee.source):
            assert (DOCS.parent / page).is_file(), f"{guarantee.name} cites {page}, which does not exist"
    assert info.cite, "no reference"
    known = set(re.findall(r"@\w+\{([^,]+),", (DOCS / "references.bib").read_text(encoding="utf-8")))
    assert set(info.cite) <= known, f"docs/references.bib lacks {set(info.cite) - known}"


BATTERY: tuple[Callable[..., None], ...] = (
    check_policies_are_policies,
    check_counts,
    check_step_sizes_are_read_on_time,
    check_an_equilibrium_is_a_fixed_point,
    check_names_do_not_matter,
    check_twins_share,
    check_responses_without_reference_are_out,
    check_two_players_play_as_one_against_itself,
    check_two_players_with_different_choices,
    check_going_on_is_one_long_run,
    check_callbacks_see_and_stop_the_run,
    check_the_time_limit_ends_the_run,
    check_settings_survive_being_written_down,
    check_compiled_code_does_what_the_source_says,
    check_the_answer_is_reached,
    check_theorems_hold,
    check_documentation,
)
"""All checks with exact payoffs. Samples are compiled apart, so `check_the_same_luck_gives_the_same_run` runs apart."""
