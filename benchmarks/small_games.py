"""Small exact games, one at a time and ten thousand at once, against QuantEcon, PIQP and DAQP.

    python benchmarks/small_games.py [--games 10000] [--rounds 25] [-o results.json]

Bars, one game, compiled kernel against QuantEcon's compiled `minmax` on the same matrix: twice as fast at
n = 3 to 16, 1.2 times at 30, 1.8 times at 100. Ten thousand games, whole `solve_batch` call on two cores: at
most 0.5 microseconds a game at n = 8 and 2 at n = 16, 8 times as fast as a Python loop over `minmax`, 1.8
times as fast as a compiled parallel loop over it.

Solvers take turns, round after round, and the least time of each counts. The gap is the largest
``2 max(A p)`` of all answers, recomputed here. Peers come from the environment (benchmarks/run.py makes one);
those that are absent are named and left out.
"""

from __future__ import annotations

import argparse
import functools
import json
import pathlib
import sys
import time
from collections.abc import Callable

import numpy as np
from game_kinds import KINDS

import gametheory_pref as gp
from gametheory_pref.exact.simplex import solve_symmetric
from gametheory_pref.kernels.pivot import solve_game
from gametheory_pref.kernels.skew_pivot import LARGEST, solve_symmetric_game

ONE_GAME_BARS = {3: 2.0, 5: 2.0, 8: 2.0, 16: 2.0, 30: 1.2, 100: 1.8}
BATCH_MICROSECONDS = {8: 0.5, 16: 2.0}
LOOP_BAR, COMPILED_BAR = 8.0, 1.8
TURN_SECONDS = 0.002
LOOP_SAMPLE = 1000
"""Games of a batch on which loops in Python are timed."""

Solver = Callable[[np.ndarray], np.ndarray]


def kernel(payoff: np.ndarray) -> np.ndarray:
    """Call the compiled kernel for the size, as bare as QuantEcon's function is."""
    n = len(payoff)
    policy = np.empty(n)
    if n <= LARGEST:
        solve_symmetric_game.compiled(payoff, policy)
    else:
        solve_game.compiled(payoff, policy, np.empty(n))
    return policy


def front(payoff: np.ndarray) -> np.ndarray:
    """Call the function that `gp.solve` calls: checks the answer, and whether it is unique."""
    return solve_symmetric(payoff).row


def quantecon_solver() -> Solver:
    """Return QuantEcon's compiled simplex method for matrix games."""
    from quantecon.optimize.minmax import minmax

    def solve(payoff: np.ndarray) -> np.ndarray:
        return minmax(payoff)[1]

    return solve


def piqp_solver() -> Solver:
    """Return PIQP's dense interior point on ``min theta: A p <= theta, 1'p = 1, p >= 0``."""
    import piqp

    def solve(payoff: np.ndarray) -> np.ndarray:
        n = len(payoff)
        solver = piqp.DenseSolver()
        solver.settings.eps_abs = solver.settings.eps_duality_gap_abs = 1e-9
        solver.settings.eps_rel = solver.settings.eps_duality_gap_rel = 0.0
        last = np.append(np.zeros(n), 1.0)
        solver.setup(
            np.zeros((n + 1, n + 1)), last, 1.0 - last[None], np.ones(1),
            np.column_stack([payoff, -np.ones(n)]), np.full(n, -np.inf), np.zeros(n),
            np.append(np.zeros(n), -np.inf), np.full(n + 1, np.inf),
        )  # fmt: skip
        solver.solve()
        return solver.result.x[:n]

    return solve


def daqp_solver() -> Solver:
    """Return DAQP's dual active set on the least-norm point of ``A p <= 0, 1'p = 1, p >= 0``."""
    import daqp

    def solve(payoff: np.ndarray) -> np.ndarray:
        n = len(payoff)
        constraints = np.ascontiguousarray(np.vstack([payoff, np.ones(n)]))
        upper = np.concatenate([np.ones(n), np.zeros(n), [1.0]])
        lower = np.concatenate([np.zeros(n), np.full(n, -1e30), [1.0]])
        sense = np.append(np.zeros(2 * n, dtype=np.int32), np.int32(5))  # 5: an equality
        return daqp.solve(np.eye(n), np.zeros(n), constraints, upper, lower, sense)[0]

    return solve


def installed_peers() -> dict[str, Solver]:
    """Return the peers that are installed, and say which are not."""
    found: dict[str, Solver] = {}
    for name, make in (("quantecon", quantecon_solver), ("piqp", piqp_solver), ("daqp", daqp_solver)):
        try:
            found[name] = make()
        except ModuleNotFoundError as error:
            print(f"{name} is not installed ({error.name}): its bars are not measured")
    return found


def largest_gap(payoffs: np.ndarray, policies: np.ndarray) -> float:
    """Return the largest two-sided gap, after the points are made policies."""
    policies = np.maximum(policies, 0.0)
    policies /= policies.sum(axis=1, keepdims=True)
    return float(2.0 * np.einsum("bij,bj->bi", payoffs, policies).max())


def interleaved(tasks: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the least seconds of each task over rounds in which each runs for about one turn."""
    repeats = {}
    for name, task in tasks.items():
        task()
        began = time.perf_counter()
        task()
        repeats[name] = max(1, int(TURN_SECONDS / (time.perf_counter() - began)))
    best = dict.fromkeys(tasks, float("inf"))
    for _ in range(rounds):
        for name, task in tasks.items():
            began = time.perf_counter()
            for _ in range(repeats[name]):
                task()
            best[name] = min(best[name], (time.perf_counter() - began) / repeats[name])
    return best


def over(solver: Solver, payoffs: list[np.ndarray]) -> Callable[[], object]:
    """Return a task that solves all games in a Python loop."""

    def task() -> None:
        for payoff in payoffs:
            solver(payoff)

    return task


def mark(ratio: float, bar: float) -> str:
    """Return the ratio with the verdict on its bar."""
    return f"{ratio:5.2f} {'>=' if ratio >= bar else '< '} {bar:g}"


def one_game(rounds: int) -> list[dict[str, object]]:
    """Measure single games of several sizes; print a table."""
    solvers: dict[str, Solver] = {"kernel": kernel, "front": front, **installed_peers()}
    names = list(solvers)
    print("\nOne game, microseconds")
    print(f"{'n':>4} {'kind':10}", *(f"{name:>10}" for name in names), "  quantecon/kernel largest gaps")
    results = []
    for n, bar in ONE_GAME_BARS.items():
        for kind, make in KINDS.items():
            rng = np.random.default_rng(n)
            games = [make(rng, n) for _ in range(max(3, 200 // n))]
            chosen = {name: solver for name, solver in solvers.items() if n <= 30 or name != "daqp"}
            best = interleaved({name: over(solver, games) for name, solver in chosen.items()}, rounds)
            per_game = {name: 1e6 * seconds / len(games) for name, seconds in best.items()}
            gaps = {
                name: largest_gap(np.array(games), np.array([solver(game) for game in games]))
                for name, solver in chosen.items()
            }
            ratio = per_game["quantecon"] / per_game["kernel"] if "quantecon" in per_game else float("nan")
            print(
                f"{n:4} {kind:10}", *(f"{per_game.get(name, float('nan')):10.2f}" for name in names),
                f"  {mark(ratio, bar):14}  ", ", ".join(f"{name} {gap:.0e}" for name, gap in gaps.items()),
                flush=True,
            )  # fmt: skip
            results.append({"n": n, "kind": kind, "us": per_game, "gap": gaps, "ratio": ratio, "bar": bar})
    return results


def compiled_loop() -> Callable[[np.ndarray], np.ndarray]:
    """Return a loop over QuantEcon's `minmax` as an expert would write it: compiled, on all cores."""
    import numba
    from quantecon.optimize.minmax import minmax

    @numba.njit(parallel=True)
    def solve_all(payoffs):  # type: ignore[no-untyped-def]
        policies = np.empty(payoffs.shape[:2])
        for game in numba.prange(payoffs.shape[0]):
            _, row, _ = minmax(payoffs[game])
            policies[game] = row
        return policies

    return solve_all


def batches(n_games: int, rounds: int) -> list[dict[str, object]]:
    """Measure `solve_batch`; print a table."""
    peers = installed_peers()
    compiled = compiled_loop() if "quantecon" in peers else None
    print(f"\n{n_games} games, microseconds a game")
    print("   n kind           ours  compiled     loop   bar us   compiled/ours  loop/ours    gaps")
    results = []
    for n, bar in BATCH_MICROSECONDS.items():
        for kind, make in KINDS.items():
            rng = np.random.default_rng(n)
            payoffs = np.array([make(rng, n) for _ in range(n_games)])
            preference = payoffs + 0.5
            tasks: dict[str, Callable[[], object]] = {"ours": functools.partial(gp.solve_batch, preference)}
            gaps = {"ours": largest_gap(payoffs, gp.solve_batch(preference).policy)}
            if compiled is not None:
                tasks["compiled"] = functools.partial(compiled, payoffs)
                gaps["compiled"] = largest_gap(payoffs, compiled(payoffs))
                tasks["loop"] = over(peers["quantecon"], list(payoffs[:LOOP_SAMPLE]))
            best = interleaved(tasks, rounds)
            games = {"loop": min(LOOP_SAMPLE, n_games)}
            per_game = {name: 1e6 * seconds / games.get(name, n_games) for name, seconds in best.items()}
            ours = per_game["ours"]
            ratios = {name: per_game.get(name, float("nan")) / ours for name in ("compiled", "loop")}
            print(
                f"{n:4} {kind:10} {ours:8.3f} {per_game.get('compiled', float('nan')):9.3f} "
                f"{per_game.get('loop', float('nan')):8.2f}   {'<=' if ours <= bar else '> '} {bar:g}   "
                f"{mark(ratios['compiled'], COMPILED_BAR):14} {mark(ratios['loop'], LOOP_BAR):12}",
                ", ".join(f"{name} {gap:.0e}" for name, gap in gaps.items()),
                flush=True,
            )  # fmt: skip
            results.append({"n": n, "kind": kind, "us": per_game, "gap": gaps, "ratio": ratios, "bar": bar})
    return results


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--games", type=int, default=10_000, help="games of a batch")
    parser.add_argument("--rounds", type=int, default=25, help="turns that each solver gets")
    parser.add_argument("-o", "--output", type=pathlib.Path)
    arguments = parser.parse_args()
    for n in (LARGEST, LARGEST + 1):
        kernel(np.zeros((n, n)))  # compiles, so that nothing below is interpreted
    results = {"one_game": one_game(arguments.rounds), "batch": batches(arguments.games, arguments.rounds)}
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
