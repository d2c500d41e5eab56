"""KL-regularised equilibria: one game or ten thousand against SciPy, NumPy and jaxopt (if installed).

    python benchmarks/regularized_games.py [--games 10000] [-o results.json]

Bars: one game of 8 responses at least 10 times as fast as `scipy.optimize.root`; 512 responses faster than
the best peer; a batch of games at temperature 0.1 at most 0.6 (n = 8) and 2.5 (n = 16) microseconds a game;
at n = 8, at least 15 times as fast as Newton's method on stacked NumPy arrays and 400 times as fast as a loop
over `root`. Solvers take turns of two milliseconds or more, round after round, and the least time of each
counts. The error is the largest ``|pi - BR_b(pi)|``. The batch uses all cores, so that its bars hold on two
idle ones; BLAS threads wait for one another on a busy machine, where OPENBLAS_NUM_THREADS=1 helps.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import gametheory_pref as gp
from gametheory_pref.exact.regularized import regularized

TOL = 1e-10
ONE_GAME_BAR, BATCH_NUMPY_BAR, BATCH_ROOT_BAR = 10.0, 15.0, 400.0
MICROSECONDS_BAR = {8: 0.6, 16: 2.5}
TURN_SECONDS = 0.002
COLD_SECONDS = 0.2

ROOT_SAMPLE = 100
"""Games of a batch on which the loop over `root` is timed."""

Solver = Callable[[np.ndarray, float], np.ndarray]


def random_payoffs(count: int, n: int, seed: int) -> np.ndarray:
    """Return skew payoffs with uniform entries."""
    upper = np.triu(np.random.default_rng(seed).uniform(-0.5, 0.5, (count, n, n)), 1)
    return upper - np.swapaxes(upper, 1, 2)


def best_reply(payoff: np.ndarray, temperature: float, policy: np.ndarray) -> np.ndarray:
    """Return the softmax reply to one policy or to a stack of them; the reference is uniform."""
    logits = np.squeeze(payoff @ policy[..., None], -1) / temperature
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def error_of(payoff: np.ndarray, temperature: float, policy: np.ndarray) -> float:
    """Return how far policies are from being fixed points."""
    return float(np.abs(policy - best_reply(payoff, temperature, policy)).max())


def ours(payoff: np.ndarray, temperature: float) -> np.ndarray:
    """Solve one game by this package."""
    return regularized(payoff, temperature, np.full(len(payoff), -np.log(len(payoff)))).policy


def scipy_root(payoff: np.ndarray, temperature: float) -> np.ndarray:
    """Solve by SciPy's hybrid method in the policy, started at the reference."""
    from scipy.optimize import root

    n = len(payoff)
    return root(lambda p: p - best_reply(payoff, temperature, p), np.full(n, 1.0 / n), tol=TOL).x


def scipy_anderson(payoff: np.ndarray, temperature: float) -> np.ndarray:
    """Solve by SciPy's Anderson mixing of the fixed point."""
    from scipy.optimize import anderson

    n = len(payoff)
    start = np.full(n, 1.0 / n)
    return anderson(lambda p: p - best_reply(payoff, temperature, p), start, f_tol=TOL, M=10, maxiter=500)


def jaxopt_anderson() -> Solver:
    """Return jaxopt's Anderson acceleration, compiled."""
    import jax
    import jaxopt

    jax.config.update("jax_enable_x64", True)

    def reply(p: Any, payoff: Any, temperature: Any) -> Any:
        return jax.nn.softmax(payoff @ p / temperature)

    run = jax.jit(jaxopt.AndersonAcceleration(reply, history_size=10, tol=TOL, maxiter=500).run)

    def solve(payoff: np.ndarray, temperature: float) -> np.ndarray:
        n = len(payoff)
        return np.asarray(run(np.full(n, 1.0 / n), payoff, temperature).params)

    return solve


def stacked_newton(payoff: np.ndarray, temperature: float) -> np.ndarray:
    """Solve a stack of games by Newton's method on NumPy arrays, damped where entries grow."""
    count, n, _ = payoff.shape
    log_policy = np.full((count, n), -np.log(n))
    for _ in range(50):
        policy = np.exp(log_policy)
        logits = np.squeeze(payoff @ policy[..., None], -1) / temperature
        jacobian = np.eye(n) - payoff * policy[:, None, :] / temperature
        sides = np.stack([log_policy - logits, np.ones((count, n))], axis=-1)
        solved = np.linalg.solve(jacobian, sides)
        masses = policy[:, None, :] @ solved
        step = solved[..., 1] * masses[:, :, 0] / masses[:, :, 1] - solved[..., 0]
        log_policy += np.where(step > 0.0, np.log1p(np.maximum(step, 0.0)), step)
        log_policy -= np.log(np.exp(log_policy).sum(1, keepdims=True))
        if np.abs(step).max() < 1e-7:
            break
    return np.exp(log_policy)


def batch(payoff: np.ndarray) -> Solver:
    """Return this package's solver for one stack of games; it takes win probabilities, and checks them."""
    preference = payoff + 0.5
    return lambda _, temperature: gp.solve_batch(preference, temperature=temperature, tol=TOL).policy


def root_loop(payoff: np.ndarray, temperature: float) -> np.ndarray:
    """Loop over `scipy_root`."""
    return np.array([scipy_root(one, temperature) for one in payoff])


def attempt(solve: Solver, payoff: np.ndarray, temperature: float) -> tuple[float, np.ndarray]:
    """Return the seconds and the answer; a solver that gives up has none."""
    began = time.perf_counter()
    try:
        answer = solve(payoff, temperature)
    except Exception:  # peers raise what they like, SciPy's NoConvergence for one
        answer = np.full(payoff.shape[:-1], np.nan)
    return time.perf_counter() - began, answer


def turn(solve: Solver, payoff: np.ndarray, temperature: float) -> tuple[float, np.ndarray]:
    """Return the mean seconds of as many runs as fill a turn, after one that warms the caches; slow runs count cold."""
    first, answer = attempt(solve, payoff, temperature)
    if first > COLD_SECONDS:
        return first, answer
    repeats = max(1, int(TURN_SECONDS / first))
    return sum(attempt(solve, payoff, temperature)[0] for _ in range(repeats)) / repeats, answer


def measure(solvers: dict[str, Solver], payoff: np.ndarray, temperature: float, seconds: float) -> dict[str, Any]:
    """Let the solvers take turns for about `seconds`; return the least time and the error of each."""
    result: dict[str, Any] = {}
    ends = time.perf_counter() + seconds
    rounds = 0
    while rounds < 5 or time.perf_counter() < ends:
        for name, solve in solvers.items():
            took, answer = turn(solve, payoff, temperature)
            best = min(took, result.get(name, {}).get("seconds", np.inf))
            result[name] = {"seconds": best, "error": error_of(payoff, temperature, answer)}
        rounds += 1
    return result


def verdict(ratio: float, bar: float, *, least: bool = True) -> str:
    """Return the words for a figure against its bar."""
    return f"{ratio:.3g} ({'meets' if (ratio >= bar) == least else 'MISSES'} {bar:g})"


def one_game(n: int, temperature: float, peers: dict[str, Solver]) -> dict[str, Any]:
    """Compare on one game."""
    payoff = random_payoffs(1, n, seed=n)[0]
    measured = measure({"ours": ours, **peers}, payoff, temperature, seconds=1.0)
    own = measured["ours"]["seconds"]
    print(f"one game, n = {n}, temperature {temperature:g}")
    for name, one in measured.items():
        answered = one["error"] <= 1e3 * TOL
        ratio = "" if name == "ours" else f"  {one['seconds'] / own:8.1f} times ours"
        error = f"error {one['error']:.0e}{'' if answered else '!'}"
        print(f"  {name:18s} {1e3 * one['seconds']:10.4f} ms  {error}{ratio}")
    if n == 8 and "root" in measured:
        print(f"  root / ours: {verdict(measured['root']['seconds'] / own, ONE_GAME_BAR)}")
    answered = [one["seconds"] for name, one in measured.items() if name != "ours" and one["error"] <= 1e3 * TOL]
    if n == 512 and answered:
        print(f"  best peer / ours: {verdict(min(answered) / own, 1.0)}")
    return {"n": n, "temperature": temperature, "measured": measured}


def many_games(n: int, temperature: float, count: int) -> dict[str, Any]:
    """Compare on a batch; the loop over `root` runs on a part of it and is scaled."""
    payoff = random_payoffs(count, n, seed=n)
    solvers = {"ours": batch(payoff), "stacked NumPy Newton": stacked_newton}
    measured = measure(solvers, payoff, temperature, seconds=5.0)
    part = payoff[:ROOT_SAMPLE]
    measured["loop over root"] = measure({"": root_loop}, part, temperature, seconds=0.0)[""]
    measured["loop over root"]["seconds"] *= count / len(part)
    microseconds = {name: 1e6 * one["seconds"] / count for name, one in measured.items()}
    print(f"{count} games, n = {n}, temperature {temperature:g}")
    for name, one in measured.items():
        ratio = "" if name == "ours" else f"  {microseconds[name] / microseconds['ours']:8.1f} times ours"
        print(f"  {name:22s} {microseconds[name]:10.3f} us a game  error {one['error']:.0e}{ratio}")
    if temperature == 0.1:
        print(f"  microseconds a game: {verdict(microseconds['ours'], MICROSECONDS_BAR[n], least=False)}")
    if temperature == 0.1 and n == 8:
        for name, bar in (("stacked NumPy Newton", BATCH_NUMPY_BAR), ("loop over root", BATCH_ROOT_BAR)):
            print(f"  {name} / ours: {verdict(microseconds[name] / microseconds['ours'], bar)}")
    return {"n": n, "temperature": temperature, "games": count, "measured": measured}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=10_000, help="games in a batch")
    parser.add_argument("-o", "--output", type=pathlib.Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # peers warn of ill-conditioned steps; the error column tells what came of them
    peers: dict[str, Solver] = {"root": scipy_root, "anderson": scipy_anderson}
    try:
        peers["jaxopt anderson"] = jaxopt_anderson()
    except ModuleNotFoundError as error:
        print(f"jaxopt is not measured: {error.name} is not installed")
    results: dict[str, Any] = {"one game": [], "many games": []}
    for n, temperature in ((8, 0.1), (8, 0.02), (64, 0.1), (64, 0.02), (512, 0.1), (512, 0.02)):
        results["one game"].append(one_game(n, temperature, peers))
    for n, temperature in ((8, 0.1), (16, 0.1), (16, 0.02)):
        results["many games"].append(many_games(n, temperature, arguments.games))
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
