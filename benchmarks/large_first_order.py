"""Large zero-sum games to a certified gap: restarted Halpern and "auto" against first-order and interior-point solvers.

    python benchmarks/large_first_order.py            # n = 1000 to 10,000; under 8 minutes on two quiet cores
    python benchmarks/large_first_order.py --quick    # n = 300; a minute or two, to see that it runs
    python benchmarks/large_first_order.py --full     # every kind at n = 1000, 2000, 5000, 10,000; hours

Bars, to a gap of 1e-4, 1e-6 and 1e-8: at least 3 times as fast as the best first-order peer; "auto" ahead of every
interior-point method from some size on, the crossover, which is reported.

The gap is two-sided and recomputed from the data on the policies that a solver returns. A peer stops by a criterion of
its own, so its tolerance is swept for the one that certifies the gap soonest; a peer is given up where it is slower
than another of its family to every gap. Each solver has the game in a process of its own with as many threads as the
others (``--threads``, 2 unless given). Then ours and the best peers take turns, round after round, and medians count.
Peers are timed from their model in memory to their answer: what builds or compiles the model is free. Ours is timed as
a whole `gp.solve`, with its certificate, on a game that it has not seen before. Nobody starts warm. On busy cores run
it with ``--threads 1``: two threads of BLAS that wait for each other can take tens of times as long as one.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

TARGETS = (1e-4, 1e-6, 1e-8)
FIRST_ORDER_BAR, INTERIOR_POINT_BAR = 3.0, 1.0
LOOSEST, TIGHTEST = 1e-2, 1e-12
ROUNDS, LONG_SECONDS = 3, 10.0  # What takes longer than this is timed once.
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
OURS = {"restarted halpern": "restarted_halpern", "auto": "auto"}
# In the order in which they are tried: the first is likely the best, and sets what the others have to beat.
FIRST_ORDER = {
    True: ("mpax r2hpdhg", "highs cupdlp-c", "highs hipdlp", "ortools pdlp"),
    False: ("highs cupdlp-c", "highs hipdlp", "ortools pdlp", "mpax r2hpdhg"),
}
INTERIOR_POINT = {True: ("piqp", "highs ipx", "highs hipo"), False: ("highs ipx", "piqp", "highs hipo")}
DENSE_KINDS, OTHER_KINDS = ("uniform", "votes", "bt_cyclic", "gaussian"), ("battles", "embeddings")
CASES = {
    "default": [
        *((kind, 1000) for kind in DENSE_KINDS),
        *((kind, 2000) for kind in ("uniform", "bt_cyclic")),
        *((kind, 10_000) for kind in OTHER_KINDS),
    ],
    "quick": [(kind, 300) for kind in (*DENSE_KINDS, *OTHER_KINDS)],
    "full": [(kind, n) for n in (1000, 2000, 5000, 10_000) for kind in (*DENSE_KINDS, *OTHER_KINDS)],
}


# -- in the process of one solver


def our_solver(game: Any, method: str) -> Callable[[float, float], tuple[float, Any, Any]]:
    """Return this package as a solver like the peers, compiled before on a small game and by a step on this one."""
    import linear_programs
    import numpy as np

    import gametheory_pref as gp

    def built(game: Any) -> Any:
        if isinstance(game.payoff, tuple):
            return gp.from_embeddings(game.payoff[1], linear_programs.TURN)
        if not isinstance(game.payoff, np.ndarray):
            return gp.operator_game(game.payoff)
        return gp.preference_game(game.payoff + 0.5) if game.is_symmetric else gp.matrix_game(game.payoff)

    def solve(tolerance: float, limit: float) -> tuple[float, Any, Any]:
        ready = built(game)
        began = time.perf_counter()
        solution = gp.solve(ready, method, tol=tolerance, max_steps=10**7, time_limit=limit)
        took = time.perf_counter() - began
        policy = solution.policy
        return (took, policy, policy) if game.is_symmetric else (took, policy[1], policy[0])

    kind = "uniform" if game.is_symmetric else "gaussian"
    gp.solve(built(linear_programs.game_of(kind, 150)), method, tol=1e-6)
    gp.solve(built(game), method, max_steps=3)
    return solve


def serve(name: str, kind: str, n: int, threads: int) -> None:
    """Solve the game for each line with a tolerance and a time limit; answer with seconds and gap."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # Whatever a library prints is no answer.
    import linear_programs

    game = linear_programs.game_of(kind, n)
    if name in OURS:
        solve = our_solver(game, OURS[name])
    else:
        solve = linear_programs.PEERS[name](linear_programs.program_of(game), threads)
    print("ready", file=answers)
    for line in sys.stdin:
        tolerance, limit = map(float, line.split())
        took, column, row = solve(tolerance, limit)
        print(json.dumps([took, linear_programs.certified_gap(game, column, row)]), file=answers)


# -- in the process that compares


class Run(NamedTuple):
    """One answer."""

    tolerance: float
    seconds: float
    gap: float


class Worker:
    """The process of one solver with one game; `failed` says why there is none any more."""

    def __init__(self, name: str, kind: str, n: int, threads: int) -> None:
        self.name, self.failed = name, ""
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", name, kind, str(n), "--threads", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))},
        )
        self._read(300.0)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def _read(self, seconds: float) -> str:
        """Return the next line, or say why there was none."""
        if select.select([self.process.stdout], [], [], seconds)[0]:
            line = self.process.stdout.readline()
            if line:
                return line
            error = self.process.stderr.read().strip().splitlines()
            self.failed = error[-1] if error else f"ended by signal {-self.process.wait()}"
        else:
            self.failed = "out of time"
        self.close()
        return ""

    def run(self, tolerance: float, limit: float) -> Run | None:
        """Return an answer; None if there is none. Solvers without a time limit are stopped soon after it."""
        if self.failed:
            return None
        print(tolerance, limit, file=self.process.stdin, flush=True)
        line = self._read(1.2 * limit + 5.0)
        return Run(tolerance, *json.loads(line)) if line else None

    def close(self) -> None:
        """End the process."""
        if self.process.poll() is None:
            self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()
        self.process.wait()


def fastest(runs: list[Run], target: float) -> Run | None:
    """Return the fastest run within the target."""
    return min((run for run in runs if run.gap <= target), key=lambda run: run.seconds, default=None)


def sweep(worker: Worker, limits: dict[float, float], *, is_interior_point: bool) -> list[Run]:
    """Return runs among which is, for each target, one with nearly the loosest tolerance that certifies it.

    The tolerance falls by tens, and for a first-order solver goes half-way back once for each target. An interior point
    takes about as long for any tolerance, so it starts at the targets. `limits` holds the seconds after which a target
    is given up; they do not fall from target to target.
    """
    runs: list[Run] = []
    tolerance = TARGETS[0] if is_interior_point else LOOSEST
    while tolerance >= TIGHTEST:
        left = [target for target in TARGETS if fastest(runs, target) is None]
        limit = max((limits[target] for target in left), default=0.0)
        if not left or (runs and runs[-1].seconds >= limit):
            return runs if left else runs + _half_way_back(worker, runs, limits, is_interior_point)
        run = worker.run(tolerance, limit)
        if run is None:
            return runs
        runs.append(run)
        if is_interior_point and run.gap > left[0]:
            tolerance /= 10.0
        else:
            tolerance = min([tolerance / 10.0, *([t for t in left if t < run.gap][:1] if is_interior_point else [])])
    return runs


def _half_way_back(
    worker: Worker, runs: list[Run], limits: dict[float, float], is_interior_point: bool
) -> list[Run]:
    best = {run for target in TARGETS if (run := fastest(runs, target)) and run.tolerance < LOOSEST}
    if is_interior_point:
        return []
    found = [worker.run(run.tolerance * 10.0**0.5, limits[TARGETS[-1]]) for run in sorted(best)]
    return [run for run in found if run is not None]


class Best(NamedTuple):
    """The fastest solver to a target, and the tolerance that takes it there."""

    name: str
    run: Run


def compare_peers(
    names: tuple[str, ...], kind: str, n: int, threads: int, seconds: float, *, is_interior_point: bool
) -> tuple[dict[float, Best], dict[str, Any]]:
    """Return the best peer of a family for each target, and what each did."""
    best: dict[float, Best] = {}
    did: dict[str, Any] = {}
    for name in names:
        limits, slowest = {}, 0.0
        for target in TARGETS:
            known = best[target].run.seconds if target in best else seconds
            limits[target] = slowest = max(slowest, known)
        with Worker(name, kind, n, threads) as worker:
            runs = sweep(worker, limits, is_interior_point=is_interior_point)
            failed = worker.failed
        within = {target: fastest(runs, target) for target in TARGETS}
        for target, run in within.items():
            if run is not None and (target not in best or run.seconds < best[target].run.seconds):
                best[target] = Best(name, run)
        did[name] = {"runs": runs, "given up after": limits[TARGETS[-1]], "failed": failed}
        shown = "  ".join(f"{'-' if run is None else f'{run.seconds:.3g}':>7}" for run in within.values())
        print(f"    {name:18} {shown}{'   ' + failed if failed else ''}", flush=True)
    return best, did


def take_turns(
    kind: str, n: int, threads: int, seconds: float, best: dict[str, dict[float, Best]]
) -> dict[str, dict[float, dict[str, Any]]]:
    """Return median seconds and worst gap of ours and of the best of each family, for each target."""
    tasks: dict[tuple[str, float], tuple[str, float]] = {
        (name, target): (name, target) for target in TARGETS for name in OURS
    }
    for family, winners in best.items():
        tasks.update({(family, target): (one.name, one.run.tolerance) for target, one in winners.items()})
    workers = {name: Worker(name, kind, n, threads) for name in {solver for solver, _ in tasks.values()}}
    runs: dict[tuple[str, float], list[Run]] = {task: [] for task in tasks}
    try:
        for _ in range(ROUNDS):
            for task, (solver, tolerance) in tasks.items():
                if not any(run.seconds > LONG_SECONDS for run in runs[task]):
                    run = workers[solver].run(tolerance, seconds)
                    runs[task].extend([] if run is None else [run])
        failed = {name: worker.failed for name, worker in workers.items() if worker.failed}
    finally:
        for worker in workers.values():
            worker.close()
    for name, why in failed.items():
        print(f"    {name}: {why}")
    measured: dict[str, dict[float, dict[str, Any]]] = {name: {} for name in (*OURS, *best)}
    for (name, target), found in runs.items():
        if found:
            measured[name][target] = {
                "solver": tasks[name, target][0],
                "seconds": statistics.median(run.seconds for run in found),
                "gap": max(run.gap for run in found),
            }
    return measured


def ratio_of(
    peer: dict[str, Any] | None, ours: dict[str, Any] | None, target: float, seconds: float
) -> tuple[float | None, bool]:
    """Return how many times as fast ours is, and whether that is only a lower bound; None if ours misses the gap."""
    if ours is None or ours["gap"] > target:
        return None, False
    if peer is None or peer["gap"] > target:
        return seconds / ours["seconds"], True
    return peer["seconds"] / ours["seconds"], False


def report(kind: str, n: int, seconds: float, measured: dict[str, dict[float, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Print a line for each target, and return them."""
    rows = []
    for target in TARGETS:
        row: dict[str, Any] = {"kind": kind, "n": n, "gap": target}
        row.update({name: found.get(target) for name, found in measured.items()})
        times = "  ".join(
            f"{name} {'not within' if one is None else f'''{one['seconds']:.3g} s'''}"
            for name, one in ((name, row[name]) for name in OURS)
        )
        print(f"  to {target:.0e}: {times}")
        for family, names, bar in (
            ("first-order", tuple(OURS), FIRST_ORDER_BAR),
            ("interior point", ("auto",), INTERIOR_POINT_BAR),
        ):
            peer = row[family]
            shown = []
            for name in names:
                ratio, is_bound = ratio_of(peer, row[name], target, seconds)
                row[f"{name} against {family}"] = ratio
                if ratio is None:
                    shown.append(f"{name} misses the gap")
                    continue
                verdict = "meets" if ratio >= bar else "may meet" if is_bound else "MISSES"
                shown.append(f"{name} {'more than ' if is_bound else ''}x{ratio:.2f} {verdict} {bar:g}")
            best = f"none within {seconds:g} s" if peer is None else f"{peer['solver']} {peer['seconds']:.3g} s"
            print(f"     {family:14} ({best}): {', '.join(shown)}", flush=True)
        rows.append(row)
    return rows


def crossovers(rows: list[dict[str, Any]]) -> dict[str, int | None]:
    """Return for each kind the size from which "auto" is ahead of every interior point to every gap, if any is."""
    found: dict[str, int | None] = {}
    for kind in dict.fromkeys(row["kind"] for row in rows):
        found[kind] = None
        for n in sorted({row["n"] for row in rows if row["kind"] == kind}, reverse=True):
            ratios = [row["auto against interior point"] for row in rows if (row["kind"], row["n"]) == (kind, n)]
            if any(ratio is None or ratio < INTERIOR_POINT_BAR for ratio in ratios):
                break
            found[kind] = n
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", nargs=3, metavar=("SOLVER", "KIND", "N"), help=argparse.SUPPRESS)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_const", const="quick", dest="size", default="default")
    size.add_argument("--full", action="store_const", const="full", dest="size")
    parser.add_argument("--kinds", nargs="+", choices=(*DENSE_KINDS, *OTHER_KINDS), help="only these")
    parser.add_argument("--sizes", type=int, nargs="+", help="these numbers of responses instead")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, help="limit of a run (default: 15, with --full 120)")
    parser.add_argument("-o", "--output", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.serve:
        name, kind, n = arguments.serve
        serve(name, kind, int(n), arguments.threads)
        return 0
    seconds = arguments.seconds or (120.0 if arguments.size == "full" else 15.0)
    kinds = arguments.kinds or (*DENSE_KINDS, *OTHER_KINDS)
    cases = [(kind, n) for kind, n in CASES[arguments.size] if kind in kinds]
    if arguments.sizes:
        cases = [(kind, n) for n in arguments.sizes for kind in kinds]
    print(f"{arguments.threads} threads, at most {seconds:g} s a run")
    rows: list[dict[str, Any]] = []
    peers: list[dict[str, Any]] = []
    for kind, n in cases:
        print(f"\n{kind}, n = {n}; seconds to a gap of {', '.join(f'{target:.0e}' for target in TARGETS)}", flush=True)
        is_dense = kind in DENSE_KINDS
        best, did = {}, {}
        for family, names in (("first-order", FIRST_ORDER[is_dense]), ("interior point", INTERIOR_POINT[is_dense])):
            best[family], found = compare_peers(
                names, kind, n, arguments.threads, seconds, is_interior_point=family == "interior point"
            )
            did.update(found)
        peers.append({"kind": kind, "n": n, "peers": did})
        rows += report(kind, n, seconds, take_turns(kind, n, arguments.threads, seconds, best))
    found = crossovers(rows)
    print("\nahead of every interior point, of the sizes measured: ", end="")
    print(", ".join(f"{kind} {'never' if n is None else f'from {n} on'}" for kind, n in found.items()))
    if arguments.output:
        document = {"threads": arguments.threads, "seconds": seconds, "rows": rows, "peers": peers, "crossover": found}
        arguments.output.write_text(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
