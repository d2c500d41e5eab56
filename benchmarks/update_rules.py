"""Update rules: steps against loops by hand and NumPy, memory bandwidth, whole answers, batches, starts, a sweep.

    python benchmarks/update_rules.py [--games 10000] [--rounds 40] [-o results.json]

Bars. A fused step at n = 10: at most 2 times the leanest kernel written by hand for that rule, and at most a tenth of
a loop over NumPy. At n = 1000: at least 80 per cent of a step is the payoff product, which takes at most 1 / 0.9 of
the time of a plain sum over the matrix (less is possible: it reads the half above the diagonal). A KL-regularised
equilibrium to 1e-10 at n = 8: a fortieth of the time of a NumPy loop. Ten thousand games of 8 and 16: a fifth of the
time of a jit-and-vmap JAX version (if installed). A new rule in a fresh process: 3 seconds without and 0.5 with
compiled code on the disk, numba's import included. Ten methods x 20 games x 10 seeds x 10^4 steps in threads: less
than a minute.

The kernels by hand hold one symmetric game, no averages, no records, no scratch and no choice of step sizes, and share
only exp with the package. Candidates take turns, round after round, and the least time of each counts; what runs in a
single thread is timed by the time that the thread ran.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numba
import numpy as np

import gametheory_pref as gp
from gametheory_pref.facts import Facts
from gametheory_pref.fused import copied, for_kernel, kernel_of, new_marks
from gametheory_pref.kernels.elementary import exp_below
from gametheory_pref.kernels.steps import payoff_product, triangle_product
from gametheory_pref.methods import settle
from gametheory_pref.problem import as_problem
from gametheory_pref.tabular import tabular
from gametheory_pref.verbs import Exact

LEAN_BAR, NUMPY_BAR, PRODUCT_BAR, BANDWIDTH_BAR = 2.0, 10.0, 0.8, 0.9
ANSWER_BAR, JAX_BAR = 40.0, 5.0
COLD_SECONDS, CACHED_SECONDS, SWEEP_SECONDS = 3.0, 0.5, 60.0
TOL = 1e-10

Clock = Callable[[], float]


def mark(value: float, bar: float, at_most: bool = False) -> str:
    """Return a figure with whether it meets its bar."""
    met = value <= bar if at_most else value >= bar
    return f"{value:.3g} {'meets' if met else 'misses'} {'<=' if at_most else '>='} {bar:g}"


def interleaved(tasks: dict[str, Callable[[], Any]], rounds: int, clock: Clock = time.perf_counter) -> dict[str, float]:
    """Return the least time of each task; all take turns."""
    best = dict.fromkeys(tasks, np.inf)
    for task in tasks.values():
        task()
    for _ in range(rounds):
        for name, task in tasks.items():
            began = clock()
            task()
            best[name] = min(best[name], clock() - began)
    return best


def random_preference(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return win probabilities with uniform entries."""
    upper = np.triu(rng.uniform(-0.5, 0.5, shape), 1)
    return 0.5 + upper - np.swapaxes(upper, -1, -2)


# -- the leanest kernels by hand

lean = numba.njit(_nrt=False, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"})


@lean
def product(payoff, prob, out):
    """Write ``payoff @ prob``."""
    for i in range(prob.size):
        total = 0.0
        for j in range(prob.size):
            total += payoff[i, j] * prob[j]
        out[i] = total


@lean
def softmax(log, prob):
    """Normalise logarithms and write the probabilities."""
    top = -np.inf
    for i in range(log.size):
        if log[i] > top:
            top = log[i]
    mass = 0.0
    for i in range(log.size):
        log[i] -= top
        prob[i] = exp_below(log[i])
        mass += prob[i]
    shift, scale = np.log(mass), 1.0 / mass
    for i in range(log.size):
        log[i] -= shift
        prob[i] *= scale


@lean
def lean_mirror_descent(payoff, anchor, eta, beta, log, prob, work, count):
    """Multiplicative weights where beta is 0."""
    u = work[0]
    for _ in range(count):
        product(payoff, prob, u)
        for i in range(log.size):
            log[i] = (1.0 - eta * beta) * log[i] + eta * beta * anchor[i] + eta * u[i]
        softmax(log, prob)


@lean
def lean_extragradient(payoff, anchor, eta, beta, log, prob, work, count):
    """Look ahead, then step."""
    u, half, prob_half = work[0], work[1], work[2]
    for _ in range(count):
        product(payoff, prob, u)
        for i in range(log.size):
            log[i] = (1.0 - eta * beta) * log[i] + eta * beta * anchor[i]
            half[i] = log[i] + eta * u[i]
        softmax(half, prob_half)
        product(payoff, prob_half, u)
        for i in range(log.size):
            log[i] += eta * u[i]
        softmax(log, prob)


@lean
def lean_nash_md(payoff, anchor, eta, beta, log, prob, work, count):
    """Step from the geometric mixture with the payoff against it."""
    u = work[0]
    for _ in range(count):
        for i in range(log.size):
            log[i] = (1.0 - eta * beta) * log[i] + eta * beta * anchor[i]
        softmax(log, prob)
        product(payoff, prob, u)
        for i in range(log.size):
            log[i] += eta * u[i]
        softmax(log, prob)


@lean
def lean_optimistic(payoff, anchor, eta, beta, log, prob, work, count):
    """Two steps with one payoff; the base starts where the policy starts."""
    u, base, prob_base = work[0], work[1], work[2]
    for i in range(log.size):
        base[i] = log[i]
    for _ in range(count):
        product(payoff, prob, u)
        for i in range(log.size):
            base[i] = (1.0 - eta * beta) * base[i] + eta * beta * anchor[i] + eta * u[i]
        softmax(base, prob_base)
        for i in range(log.size):
            log[i] = (1.0 - eta * beta) * base[i] + eta * beta * anchor[i] + eta * u[i]
        softmax(log, prob)


@lean
def lean_accelerated(payoff, anchor, eta, beta, log, prob, work, count):
    """Step, then add momentum of 0.3."""
    u, plain, before, prob_plain = work[0], work[1], work[2], work[3]
    for i in range(log.size):
        before[i] = log[i]
    for _ in range(count):
        product(payoff, prob, u)
        for i in range(log.size):
            plain[i] = (1.0 - eta * beta) * log[i] + eta * beta * anchor[i] + eta * u[i]
        softmax(plain, prob_plain)
        for i in range(log.size):
            log[i] = 1.3 * plain[i] - 0.3 * before[i]
            before[i] = plain[i]
        softmax(log, prob)


@lean
def lean_mnpo(payoff, anchor, eta, beta, log, prob, work, count):
    """Equal weights on the last three policies."""
    u, one, two = work[0], work[1], work[2]
    for i in range(log.size):
        one[i] = two[i] = log[i]
    for _ in range(count):
        product(payoff, prob, u)
        for i in range(log.size):
            history = (log[i] + one[i] + two[i]) / 3.0
            two[i] = one[i]
            one[i] = log[i]
            log[i] = (1.0 - eta * beta) * history + eta * beta * anchor[i] + eta * u[i]
        softmax(log, prob)


@lean
def lean_regret_matching(payoff, anchor, eta, beta, log, prob, work, count):
    """Probabilities in proportion to positive regrets; logarithms for the policy that is returned."""
    u, regret = work[0], work[1]
    for i in range(log.size):
        regret[i] = 0.0
    for _ in range(count):
        product(payoff, prob, u)
        mean = 0.0
        for i in range(log.size):
            mean += u[i] * prob[i]
        mass = 0.0
        for i in range(log.size):
            regret[i] += u[i] - mean
            mass += max(regret[i], 0.0)
        if mass > 0.0:
            for i in range(log.size):
                prob[i] = max(regret[i], 0.0) / mass
    for i in range(log.size):
        log[i] = np.log(prob[i])


@lean
def lean_fictitious_play(payoff, anchor, eta, beta, log, prob, work, count):
    """Play the best response to all that was played."""
    u, total = work[0], work[1]
    for i in range(log.size):
        total[i] = 0.0
    for _ in range(count):
        product(payoff, prob, u)
        best = 0
        for i in range(log.size):
            total[i] += u[i]
            if total[i] > total[best]:
                best = i
        for i in range(log.size):
            prob[i] = 0.0
        prob[best] = 1.0


# -- the same in NumPy


def np_softmax(log):
    """Return normalised logarithms and probabilities."""
    log = log - log.max()
    weight = np.exp(log)
    mass = weight.sum()
    return log - np.log(mass), weight / mass


def np_mirror_descent(payoff, anchor, eta, beta, log, prob, count):
    """Multiplicative weights where beta is 0."""
    for _ in range(count):
        log, prob = np_softmax((1.0 - eta * beta) * log + eta * beta * anchor + eta * (payoff @ prob))
    return prob


def np_extragradient(payoff, anchor, eta, beta, log, prob, count):
    """Look ahead, then step."""
    for _ in range(count):
        base = (1.0 - eta * beta) * log + eta * beta * anchor
        _, half = np_softmax(base + eta * (payoff @ prob))
        log, prob = np_softmax(base + eta * (payoff @ half))
    return prob


def np_nash_md(payoff, anchor, eta, beta, log, prob, count):
    """Step from the geometric mixture with the payoff against it."""
    for _ in range(count):
        base, mixed = np_softmax((1.0 - eta * beta) * log + eta * beta * anchor)
        log, prob = np_softmax(base + eta * (payoff @ mixed))
    return prob


def np_optimistic(payoff, anchor, eta, beta, log, prob, count):
    """Two steps with one payoff."""
    base = log
    for _ in range(count):
        move = eta * beta * anchor + eta * (payoff @ prob)
        base, _ = np_softmax((1.0 - eta * beta) * base + move)
        log, prob = np_softmax((1.0 - eta * beta) * base + move)
    return prob


def np_accelerated(payoff, anchor, eta, beta, log, prob, count):
    """Step, then add momentum of 0.3."""
    before = log
    for _ in range(count):
        plain, _ = np_softmax((1.0 - eta * beta) * log + eta * beta * anchor + eta * (payoff @ prob))
        log, prob = np_softmax(1.3 * plain - 0.3 * before)
        before = plain
    return prob


def np_mnpo(payoff, anchor, eta, beta, log, prob, count):
    """Equal weights on the last three policies."""
    past = [log, log, log]
    for _ in range(count):
        log, prob = np_softmax((1.0 - eta * beta) * sum(past) / 3.0 + eta * beta * anchor + eta * (payoff @ prob))
        past = [log, past[0], past[1]]
    return prob


def np_regret_matching(payoff, anchor, eta, beta, log, prob, count):
    """Probabilities in proportion to positive regrets."""
    regret = np.zeros(len(prob))
    for _ in range(count):
        u = payoff @ prob
        regret = regret + u - u @ prob
        positive = np.maximum(regret, 0.0)
        mass = positive.sum()
        prob = positive / mass if mass > 0.0 else prob
    return prob


def np_fictitious_play(payoff, anchor, eta, beta, log, prob, count):
    """Play the best response to all that was played."""
    total = np.zeros(len(prob))
    for _ in range(count):
        total = total + payoff @ prob
        prob = np.zeros(len(prob))
        prob[total.argmax()] = 1.0
    return prob


class Shape(NamedTuple):
    """A rule, its temperature, and what to compare it with."""

    rule: Any
    temperature: float
    by_hand: Any
    in_numpy: Callable[..., np.ndarray]


def shapes() -> dict[str, Shape]:
    """Return the shapes of update rules that are measured."""
    methods = gp.METHODS
    return {
        "multiplicative_weights": Shape(
            methods["multiplicative_weights"](0.05), 0.0, lean_mirror_descent, np_mirror_descent
        ),
        "mirror_descent": Shape(methods["mirror_descent"](0.3), 0.1, lean_mirror_descent, np_mirror_descent),
        "extragradient": Shape(methods["extragradient"](1.0), 0.1, lean_extragradient, np_extragradient),
        "nash_md": Shape(methods["nash_md"](0.3), 0.1, lean_nash_md, np_nash_md),
        "optimistic": Shape(methods["optimistic"](0.5), 0.1, lean_optimistic, np_optimistic),
        "accelerated": Shape(methods["accelerated"](0.3), 0.1, lean_accelerated, np_accelerated),
        "mnpo": Shape(methods["mnpo"](0.5), 0.1, lean_mnpo, np_mnpo),
        "regret_matching": Shape(methods["regret_matching"](), 0.0, lean_regret_matching, np_regret_matching),
        "fictitious_play": Shape(methods["fictitious_play"](), 0.0, lean_fictitious_play, np_fictitious_play),
    }


class Fused:
    """The compiled loop of a rule on one game, as `solve` runs it."""

    def __init__(self, preference: np.ndarray, rule: Any, temperature: float) -> None:
        self.problem = tabular(as_problem(preference, temperature=temperature), None, Exact()).problem
        self.rule = settle(rule, Facts(self.problem, 100_000).step_facts)
        self.kernel = kernel_of(self.rule).compiled
        self.for_kernel = for_kernel(self.problem)
        self.n = len(preference)

    def run(self, count: int) -> np.ndarray:
        """Take steps from the start and return the last policy."""
        state = copied(self.rule.init(self.problem))
        marks = new_marks(np.array([count]), self.n)
        self.kernel((self.rule, state, copied(state)), self.for_kernel, None, np.zeros(self.n), marks, -1.0, False)
        return np.exp(marks.log_last[0])


def steps(rounds: int) -> dict[str, Any]:
    """Measure a step of every shape at n = 10."""
    n, count = 10, 10_000
    preference = random_preference(np.random.default_rng(0), n, n)
    payoff, anchor = preference - 0.5, np.full(n, -np.log(n))
    print(f"\nOne step at n = {n}, nanoseconds")
    print("rule                      fused   by hand    NumPy   fused / by hand      NumPy / fused")
    results: dict[str, Any] = {}
    for name, shape in shapes().items():
        fused = Fused(preference, shape.rule, shape.temperature)
        eta = float(getattr(shape.rule, "step_size", 0.0))

        def by_hand(count: int = count, shape: Shape = shape, eta: float = eta) -> np.ndarray:
            log, prob = anchor.copy(), np.exp(anchor)
            shape.by_hand(payoff, anchor, eta, shape.temperature, log, prob, np.zeros((4, n)), count)
            return prob

        def in_numpy(count: int = 50, shape: Shape = shape, eta: float = eta) -> np.ndarray:
            return shape.in_numpy(payoff, anchor, eta, shape.temperature, anchor, np.exp(anchor), count)

        for other in (by_hand, in_numpy):
            np.testing.assert_allclose(other(37), fused.run(37), rtol=1e-8, atol=1e-12, err_msg=name)
        best = interleaved(
            {"fused": lambda fused=fused: fused.run(count), "by hand": by_hand, "NumPy": in_numpy},
            rounds, time.thread_time,
        )  # fmt: skip
        each = {key: 1e9 * best[key] / (50 if key == "NumPy" else count) for key in best}
        ratios = each["fused"] / each["by hand"], each["NumPy"] / each["fused"]
        print(
            f"{name:24} {each['fused']:6.0f} {each['by hand']:9.0f} {each['NumPy']:8.0f}   "
            f"{mark(ratios[0], LEAN_BAR, at_most=True):20} {mark(ratios[1], NUMPY_BAR)}",
            flush=True,
        )
        results[name] = {"ns": each, "ratios": ratios}
    return results


@numba.njit(error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"})
def plain_sum(vector):
    """Return the sum of a long vector: nothing but reading."""
    total = 0.0
    for i in range(vector.size):
        total += vector[i]
    return total


def large_steps(rounds: int) -> dict[str, Any]:
    """Measure how much of a step is the payoff product, and how fast that reads the matrix."""
    print("\nLarge games: share of the payoff product, and its speed against a plain sum over the matrix")
    return {str(n): large_step(n, rounds) for n in (200, 1000, 2000)}


def large_step(n: int, rounds: int) -> dict[str, float]:
    """Measure a step of extragradient, which has two products."""
    preference = random_preference(np.random.default_rng(1), n, n)
    fused = Fused(preference, gp.METHODS["extragradient"](1.0), 0.1)
    payoff, prob, out = fused.problem.payoff, np.full(n, 1.0 / n), np.zeros(n)
    flat, count = payoff.reshape(-1), max(20, 4_000_000 // n**2)
    best = interleaved(
        {
            "longer": lambda: fused.run(2 * count),
            "shorter": lambda: fused.run(count),
            "all of it": lambda: [payoff_product.compiled(payoff, prob, out) for _ in range(count)],
            "product": lambda: [triangle_product.compiled(payoff, prob, out) for _ in range(count)],
            "BLAS": lambda: [np.dot(payoff, prob, out=out) for _ in range(count)],
            "sum": lambda: [plain_sum(flat) for _ in range(count)],
        },
        rounds, time.thread_time,
    )  # fmt: skip
    step, each = (best["longer"] - best["shorter"]) / count, best["product"] / count
    share, speed = 2.0 * each / step, best["sum"] / best["product"]
    print(
        f"n = {n:5}: a step of extragradient {1e6 * step:7.1f} us; share {mark(share, PRODUCT_BAR)}; "
        f"speed {mark(speed, BANDWIDTH_BAR)} ({4e-9 * n * n / each:.1f} GB/s; times: BLAS / ours "
        f"{best['BLAS'] / best['product']:.2f}, all of the matrix / ours {best['all of it'] / best['product']:.2f})",
        flush=True,
    )
    return {"step": step, "share": share, "speed": speed}


def numpy_answer(payoff: np.ndarray, beta: float, eta: float) -> np.ndarray:
    """Run extragradient in NumPy until the gap, looked at every ten steps, is small enough."""
    n = len(payoff)
    anchor = np.full(n, -np.log(n))
    log, prob = anchor, np.exp(anchor)
    for step in range(100_000):
        u = payoff @ prob
        if step % 10 == 0:
            scores = anchor + u / beta
            top = scores.max()
            reach = top + np.log(np.exp(scores - top).sum())
            if 2.0 * beta * (reach + prob @ (log - anchor) - prob @ u / beta) <= TOL:
                break
        base = (1.0 - eta * beta) * log + eta * beta * anchor
        _, half = np_softmax(base + eta * u)
        log, prob = np_softmax(base + eta * (payoff @ half))
    return prob


def answers(rounds: int) -> dict[str, Any]:
    """Measure a KL-regularised equilibrium to 1e-10 at n = 8."""
    n = 8
    game = gp.preference_game(random_preference(np.random.default_rng(2), n, n))
    print(f"\nOne KL-regularised equilibrium to {TOL:g} at n = {n} by extragradient, microseconds")
    results: dict[str, Any] = {}
    for beta in (0.3, 0.1, 0.03, 0.01):
        solved = gp.solve(game, "extragradient", temperature=beta, tol=TOL)
        eta = solved.run.rule.step_size.scale
        fused = Fused(game.preference, gp.METHODS["extragradient"](eta), beta)
        best = interleaved(
            {
                "solve": lambda beta=beta: gp.solve(game, "extragradient", temperature=beta, tol=TOL),
                "loop": lambda fused=fused, count=solved.n_steps: fused.run(count),
                "NumPy": lambda beta=beta, eta=eta: numpy_answer(game.payoff, beta, eta),
            },
            rounds, time.thread_time,
        )  # fmt: skip
        difference = np.abs(solved.policy - numpy_answer(game.payoff, beta, eta)).max()
        ratios = {name: best["NumPy"] / best[name] for name in ("solve", "loop")}
        print(
            f"temperature {beta:5}: {solved.n_steps:4} steps; solve {1e6 * best['solve']:6.0f}, its loop "
            f"{1e6 * best['loop']:6.0f}, NumPy {1e6 * best['NumPy']:7.0f}; NumPy / loop "
            f"{mark(ratios['loop'], ANSWER_BAR)}; NumPy / solve {mark(ratios['solve'], ANSWER_BAR)}; "
            f"policies differ by {difference:.0e}",
            flush=True,
        )
        results[str(beta)] = {"seconds": best, "ratios": ratios}
    # The cost of a call: everything that is not a step.
    gp.solve(game, "extragradient", temperature=0.1, tol=0.0, max_steps=25)
    call = interleaved(
        {"call": lambda: gp.solve(game, "extragradient", temperature=0.1, tol=0.0, max_steps=25)}, 10 * rounds,
        time.thread_time,
    )["call"]  # fmt: skip
    print(f"a call with 25 steps: {1e6 * call:.0f} us")
    results["call"] = call
    return results


def jax_solvers() -> dict[str, Callable[[np.ndarray, float, int], np.ndarray]] | None:
    """Return extragradient on stacked games in JAX: until every gap is small, and for a number of steps."""
    try:
        import jax
    except ModuleNotFoundError:
        print("jax is not installed: its bar is not measured")
        return None
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def normalized(log: Any) -> Any:
        return log - jax.nn.logsumexp(log)

    def step(payoff: Any, beta: Any, eta: Any, anchor: Any, log: Any) -> Any:
        base = (1.0 - eta * beta) * log + eta * beta * anchor
        half = normalized(base + eta * (payoff @ jnp.exp(log)))
        return normalized(base + eta * (payoff @ jnp.exp(half)))

    def gap(payoff: Any, beta: Any, anchor: Any, log: Any) -> Any:
        reply = normalized(anchor + payoff @ jnp.exp(log) / beta)
        return 2.0 * beta * (jnp.exp(log) @ (log - reply))

    def start(payoff: Any, beta: Any) -> Any:
        a = jnp.abs(payoff).max()
        return 2.0 / (beta + jnp.sqrt(beta**2 + 4.0 * a**2)), jnp.full(payoff.shape[0], -jnp.log(payoff.shape[0]))

    def until(payoff: Any, beta: Any, blocks: int) -> Any:
        eta, anchor = start(payoff, beta)

        def more(log: Any) -> Any:
            return jax.lax.fori_loop(0, 10, lambda _, log: step(payoff, beta, eta, anchor, log), log)

        return jnp.exp(jax.lax.while_loop(lambda log: gap(payoff, beta, anchor, log) > TOL, more, anchor))

    def fixed(payoff: Any, beta: Any, blocks: int) -> Any:
        eta, anchor = start(payoff, beta)
        end, _ = jax.lax.scan(lambda log, _: (step(payoff, beta, eta, anchor, log), None), anchor, None, length=blocks)
        return jnp.exp(end)

    def stacked(one: Callable[..., Any]) -> Callable[[np.ndarray, float, int], np.ndarray]:
        compiled = jax.jit(jax.vmap(one, in_axes=(0, None, None)), static_argnums=2)
        return lambda payoffs, beta, count: np.asarray(compiled(payoffs, beta, count))

    return {"JAX while": stacked(until), "JAX scan": stacked(fixed)}


def batches(n_games: int, rounds: int) -> dict[str, Any]:
    """Measure ten thousand games at once."""
    solvers = jax_solvers()
    print(f"\n{n_games} games to {TOL:g} by extragradient, all cores, microseconds a game")
    results: dict[str, Any] = {}
    for n in (8, 16):
        games = random_preference(np.random.default_rng(n), n_games, n, n)
        for beta in (0.3, 0.1, 0.03):
            solved = gp.solve_batch(games, method="extragradient", temperature=beta, tol=TOL).require()
            tasks: dict[str, Callable[[], Any]] = {
                "ours": lambda games=games, beta=beta: gp.solve_batch(
                    games, method="extragradient", temperature=beta, tol=TOL
                )
            }
            count = int(solved.n_steps.max())
            for name, solver in (solvers or {}).items():
                policy = solver(games - 0.5, beta, count)
                np.testing.assert_allclose(policy, solved.policy, atol=1e-4)
                tasks[name] = lambda solver=solver, payoffs=games - 0.5, beta=beta, count=count: solver(
                    payoffs, beta, count
                )
            best = interleaved(tasks, max(3, rounds // 8))
            each = {name: 1e6 * seconds / n_games for name, seconds in best.items()}
            peers = [value for name, value in each.items() if name != "ours"]
            print(
                f"n = {n:2}, temperature {beta:4}: {solved.n_steps.mean():5.1f} steps a game (most {count}); "
                + ", ".join(f"{name} {value:.2f}" for name, value in each.items())
                + (f"; faster JAX / ours {mark(min(peers) / each['ours'], JAX_BAR)}" if peers else ""),
                flush=True,
            )
            results[f"{n} {beta}"] = each
    return results


_START = """
import time
began = time.perf_counter()
import gametheory_pref as gp
gp.solve([[0.5, 0.1, 0.8], [0.9, 0.5, 0.1], [0.2, 0.9, 0.5]], {method!r}, temperature=0.1, max_steps=50, tol=0.0)
print(time.perf_counter() - began, time.process_time())
"""


def starts(rounds: int) -> dict[str, Any]:
    """Measure the first solve of a fresh process: with nothing compiled, with other rules compiled, with everything."""
    print("\nFirst solve of a fresh process by an update rule, seconds, imports included")
    best = dict.fromkeys(("cold", "new rule", "cached"), (np.inf, np.inf))
    turns = [("cold", "extragradient"), ("new rule", "mirror_descent"), *3 * [("cached", "extragradient")]]
    for _ in range(max(1, rounds // 20)):
        with tempfile.TemporaryDirectory() as folder:
            for kind, method in turns:
                run = subprocess.run(
                    [sys.executable, "-c", _START.format(method=method)],
                    check=True, capture_output=True, text=True, env={**os.environ, "GAMETHEORY_PREF_CACHE_DIR": folder},
                )  # fmt: skip
                best[kind] = min(best[kind], tuple(map(float, run.stdout.split())))
    for kind, bar in (("cold", COLD_SECONDS), ("new rule", COLD_SECONDS), ("cached", CACHED_SECONDS)):
        seconds, busy = best[kind]
        print(f"{kind:9} {mark(seconds, bar, at_most=True)} ({busy:.2f} s of processor time)", flush=True)
    return best


SWEPT = (
    "multiplicative_weights", "optimistic", "mnpo", "regret_matching", "mirror_descent", "extragradient", "nash_md",
    "accelerated", "forward_reflected", "magnetic",
)  # fmt: skip


def sweep(n_games: int = 20, n_seeds: int = 10, n_steps: int = 10_000) -> dict[str, Any]:
    """Measure 10 methods x 20 games x 10 seeds x 10^4 steps in plain threads: the floor under any sweep engine."""
    rng = np.random.default_rng(3)
    games = [gp.preference_game(random_preference(rng, n, n)) for n in rng.integers(3, 17, n_games)]
    cells = [
        (name, game, rng.dirichlet(np.full(game.n_responses, 5.0)))
        for name in SWEPT for game in games for _ in range(n_seeds)
    ]  # fmt: skip

    def cell(question: Any) -> None:
        name, game, start = question
        temperature = 0.1 if "regularized" in gp.METHODS[name].info.solves else 0.0
        gp.solve(game, name, temperature=temperature, start=start, tol=0.0, max_steps=n_steps)

    for question in cells[:: n_games * n_seeds]:
        cell(question)  # compiles
    threads = os.cpu_count() or 1
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(cell, cells))
    seconds = time.perf_counter() - began
    each = 1e9 * seconds * threads / len(cells) / n_steps
    print(
        f"\n{len(SWEPT)} methods x {n_games} games x {n_seeds} starts x {n_steps} steps in {threads} threads: "
        f"{mark(seconds, SWEEP_SECONDS, at_most=True)} s ({each:.0f} ns a step)"
    )
    return {"seconds": seconds, "threads": threads}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=10_000, help="games of a batch")
    parser.add_argument("--rounds", type=int, default=40, help="turns that each candidate gets")
    parser.add_argument("-o", "--output", type=pathlib.Path)
    arguments = parser.parse_args()
    rounds = arguments.rounds
    results = {
        "starts": starts(rounds),
        "steps": steps(rounds),
        "large_steps": large_steps(rounds),
        "answers": answers(rounds),
        "batches": batches(arguments.games, rounds),
        "sweep": sweep(),
    }
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=1, default=float), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
