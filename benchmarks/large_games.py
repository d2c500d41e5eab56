"""Medium and large symmetric games to a gap of 1e-9: the interior-point solver against PIQP and HiGHS.

    python benchmarks/large_games.py [--sizes 300 1000 2000] [-o results.json]

Bars: at least 1.4 times as fast as PIQP's dense solver and 10 times as fast as HiGHS (the faster of its simplex
and its interior point). Every solver gets the same game in turn, round after round; the least time of each counts.
The gap is ``2 * max(A p)`` at the returned point, made nonnegative and of sum 1; a gap above 1e-9 is marked. Below
n = 1000 the figures are means over several games. All run on one core unless OPENBLAS_NUM_THREADS says otherwise:
PIQP and HiGHS use one in any case, and threads of BLAS wait for one another where cores are busy.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # Read when numpy is imported.

import numpy as np
from game_kinds import KINDS, uniform

from gametheory_pref.exact.interior_point import interior_point

PIQP_BAR, HIGHS_BAR, GAP_BAR = 1.4, 10.0, 1e-9
SIMPLEX_SECONDS = 25.0

Solver = Callable[[np.ndarray], np.ndarray]


def ours(payoff: np.ndarray) -> np.ndarray:
    """Solve by this package."""
    return interior_point(payoff).policy


def piqp_solver() -> Solver:
    """Return PIQP's dense solver on ``min theta: A p <= theta, 1'p = 1, p >= 0``.

    Faster here than the feasibility problem without theta.
    """
    import piqp

    def solve(payoff: np.ndarray) -> np.ndarray:
        n = len(payoff)
        solver = piqp.DenseSolver()
        solver.settings.eps_abs = solver.settings.eps_duality_gap_abs = GAP_BAR
        solver.settings.eps_rel = solver.settings.eps_duality_gap_rel = 0.0
        last = np.zeros(n + 1)
        last[n] = 1.0
        solver.setup(
            np.zeros((n + 1, n + 1)),
            last,
            1.0 - last[None],
            np.ones(1),
            np.column_stack([payoff, -np.ones(n)]),
            np.full(n, -np.inf),
            np.zeros(n),
            np.append(np.zeros(n), -np.inf),
            np.full(n + 1, np.inf),
        )
        solver.solve()
        return solver.result.x[:n]

    return solve


def highs_solver(method: str) -> Solver:
    """Return HiGHS, by "simplex" or "ipm", on the same programme."""
    import highspy

    def solve(payoff: np.ndarray) -> np.ndarray:
        n = len(payoff)
        matrix = np.vstack([np.column_stack([payoff, -np.ones(n)]), np.append(np.ones(n), 0.0)])
        programme = highspy.HighsLp()
        programme.num_col_, programme.num_row_ = n + 1, n + 1
        programme.col_cost_ = np.append(np.zeros(n), 1.0)
        programme.col_lower_ = np.append(np.zeros(n), -np.inf)
        programme.col_upper_ = np.full(n + 1, np.inf)
        programme.row_lower_ = np.append(np.full(n, -np.inf), 1.0)
        programme.row_upper_ = np.append(np.zeros(n), 1.0)
        programme.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        programme.a_matrix_.start_ = np.arange(n + 2) * (n + 1)
        programme.a_matrix_.index_ = np.tile(np.arange(n + 1), n + 1)
        programme.a_matrix_.value_ = matrix.T.ravel()
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("solver", method)
        solver.setOptionValue("run_crossover", "off")
        if method == "simplex":
            solver.setOptionValue("time_limit", SIMPLEX_SECONDS)
        solver.setOptionValue("primal_feasibility_tolerance", 1e-10)
        solver.setOptionValue("dual_feasibility_tolerance", 1e-10)
        solver.setOptionValue("ipm_optimality_tolerance", 1e-10)
        solver.passModel(programme)
        solver.run()
        return np.array(solver.getSolution().col_value[:n])

    return solve


def peers() -> dict[str, Solver]:
    """Return the peers that are installed, and say which are not."""
    found: dict[str, Solver] = {}
    for name, make in (
        ("piqp", piqp_solver),
        ("highs ipm", lambda: highs_solver("ipm")),
        ("highs simplex", lambda: highs_solver("simplex")),
    ):
        try:
            found[name] = make()
        except ModuleNotFoundError as error:
            print(f"{name} is not installed ({error.name}): its bar is not measured")
    return found


def gap_of(payoff: np.ndarray, policy: np.ndarray) -> float:
    """Return the two-sided gap of a point after it is made a policy."""
    policy = np.maximum(policy, 0.0)
    total = float(policy.sum())
    return 2.0 * float((payoff @ policy).max()) / total if total > 0.0 else np.inf


def rounds_of(name: str, n: int) -> int:
    """Return how often to run: HiGHS takes seconds from n = 1000 on, its simplex minutes unless stopped."""
    if name.startswith("highs") and n >= 1000:
        return 1
    return 5 if n < 2000 else 3


def measure(payoffs: list[np.ndarray], solvers: dict[str, Solver]) -> dict[str, dict[str, float]]:
    """Return per solver the mean over the games of the least seconds over interleaved rounds, and the worst gap."""
    n = len(payoffs[0])
    least = {name: np.full(len(payoffs), np.inf) for name in solvers}
    worst = dict.fromkeys(solvers, 0.0)
    for round_number in range(max(rounds_of(name, n) for name in solvers)):
        for i, payoff in enumerate(payoffs):
            for name, solve in solvers.items():
                if round_number >= rounds_of(name, n):
                    continue
                began = time.perf_counter()
                policy = solve(payoff)
                least[name][i] = min(least[name][i], time.perf_counter() - began)
                worst[name] = max(worst[name], gap_of(payoff, policy))
    return {name: {"seconds": float(least[name].mean()), "gap": worst[name]} for name in solvers}


def report(kind: str, n: int, measured: dict[str, dict[str, float]]) -> dict[str, object]:
    """Print one row and return it."""
    own = measured["ours"]["seconds"]
    ratios: dict[str, float] = {}
    if "piqp" in measured:
        ratios["piqp"] = measured["piqp"]["seconds"] / own
    highs = [one["seconds"] for name, one in measured.items() if name.startswith("highs") and one["gap"] <= GAP_BAR]
    if highs:
        ratios["highs"] = min(highs) / own
    times = "  ".join(
        f"{name} {1e3 * one['seconds']:.1f} ms{'' if one['gap'] <= GAP_BAR else '!'} ({one['gap']:.0e})"
        for name, one in measured.items()
    )
    verdicts = "  ".join(
        f"x{ratios[name]:.2f} {name} {'meets' if ratios[name] >= bar else 'MISSES'} {bar:g}"
        for name, bar in (("piqp", PIQP_BAR), ("highs", HIGHS_BAR))
        if name in ratios
    )
    print(f"n = {n:4d} {kind:9s}  {verdicts}   | {times}", flush=True)
    return {"n": n, "kind": kind, "ratios": ratios, "measured": measured}


def blas_in_use() -> list[dict[str, object]]:
    """Return kernel and threads of every BLAS loaded, if threadpoolctl is installed to ask them."""
    try:
        from threadpoolctl import threadpool_info
    except ModuleNotFoundError:
        return []
    keys = ("internal_api", "version", "architecture", "num_threads")
    return [{key: one.get(key) for key in keys} for one in threadpool_info()]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[300, 1000, 2000])
    parser.add_argument("-o", "--output", type=pathlib.Path)
    arguments = parser.parse_args()
    solvers: dict[str, Solver] = {"ours": ours, **peers()}
    ours(uniform(np.random.default_rng(1), 50))
    blas = blas_in_use()
    for one in blas:
        print("BLAS:", ", ".join(f"{key} {value}" for key, value in one.items()))
    rows = []
    for n in arguments.sizes:
        for kind in KINDS.values():
            payoffs = [kind(np.random.default_rng((n, i)), n) for i in range(5 if n < 1000 else 1)]
            rows.append(report(kind.__name__, n, measure(payoffs, solvers)))
    if arguments.output:
        arguments.output.write_text(json.dumps({"blas": blas, "rows": rows}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
