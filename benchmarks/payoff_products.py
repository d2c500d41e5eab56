"""Products with large payoffs: how close to the speed of memory, and what they cost up to a million responses.

    python benchmarks/payoff_products.py [--size 8000] [--one-thread] [--curves] [-o results.json]

Bar: dense products read the matrix at 80 per cent of the speed of a plain sum over it, in one thread or in all,
whichever is faster. Everything takes turns, round after round, and the least time counts. `--one-thread` stays on one
core (on Linux) and counts processor time, the steadier of the two on a busy machine. `--curves` times sparse payoffs
of 20 entries a row and low-rank ones of rank 16 from 1000 to a million responses, embeddings up to 10,000.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # Read when numpy is imported.

import numpy as np
import scipy.sparse

from gametheory_pref._jit import jit
from gametheory_pref._threads import available_threads
from gametheory_pref.operators import Dense, Embeddings, LowRankSkew, PayoffOperator, Sparse
from gametheory_pref.operators.panels import each_panel, panels

Clock = Callable[[], float]
BAR = 0.8
ROUNDS = 15


@jit(reassociate=True, allocates=False)
def plain_sum(row):
    """Return the sum of a vector."""
    total = 0.0
    for i in range(row.size):
        total += row[i]
    return total


def least_times(calls: dict[str, Callable[[], object]], clock: Clock, rounds: int = ROUNDS) -> dict[str, float]:
    """Return the least time of each call, taking turns."""
    least = dict.fromkeys(calls, np.inf)
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            began = clock()
            call()
            least[name] = min(least[name], clock() - began)
    return least


def dense_speeds(n: int, clock: Clock) -> dict[str, float]:
    """Return bytes read a second by dense products, as a fraction of a plain sum over the same matrix."""
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((n, n))
    matrix -= matrix.T
    plain, skew = Dense(matrix, is_skew=False), Dense(matrix, is_skew=True)
    vector, flat = rng.random(n), matrix.ravel()
    cuts = [slice(n * rows.start, n * rows.stop) for rows in panels(n)]
    least = least_times({
        "sum, one thread": lambda: plain_sum(flat),
        "sum, threads": lambda: each_panel(lambda part: plain_sum(flat[part]), cuts),
        "NumPy": lambda: matrix @ vector,
        "product": lambda: plain.product(vector),
        "transposed product": lambda: plain.transposed_product(vector),
        "both products": lambda: plain.both_products(vector, vector),
        "skew product": lambda: skew.product(vector),
    }, clock)
    read = {name: matrix.nbytes * (0.5 if name == "skew product" else 1.0) / seconds for name, seconds in least.items()}
    memory = max(read["sum, one thread"], read["sum, threads"])
    print(f"n = {n}, {available_threads()} threads; bytes read a second")
    for name, speed in read.items():
        verdict = "" if name.startswith(("sum", "NumPy")) else f"  {'>=' if speed >= BAR * memory else '<'} {BAR}"
        print(f"  {name:20s} {speed / 1e9:6.1f} GB/s  {speed / memory:5.2f}{verdict}  {least[name] * 1e3:8.2f} ms")
    return {name: speed / memory for name, speed in read.items()}


def of_kind(kind: str, n: int) -> PayoffOperator:
    """Return a payoff of n responses."""
    rng = np.random.default_rng(0)
    if kind == "sparse":
        places = rng.integers(n, size=(2, 10 * n))
        half = scipy.sparse.csr_array((rng.standard_normal(10 * n), tuple(places)), shape=(n, n))
        return Sparse((half - half.T).tocsr(), is_skew=True)
    turn = np.kron(np.eye(8), np.array([[0.0, 1.0], [-1.0, 0.0]]))
    vectors = rng.standard_normal((n, 16))
    return LowRankSkew(vectors, turn) if kind == "low rank" else Embeddings(0.3 * vectors, turn)


def curves(clock: Clock) -> dict[str, dict[int, float]]:
    """Return the seconds of a product by kind and number of responses."""
    times: dict[str, dict[int, float]] = {}
    for kind, sizes in {
        "sparse": [10**3, 10**4, 10**5, 10**6], "low rank": [10**3, 10**4, 10**5, 10**6],
        "embeddings": [10**3, 3 * 10**3, 10**4],
    }.items():
        for n in sizes:
            operator, vector = of_kind(kind, n), np.full(n, 1.0 / n)
            seconds = least_times({kind: lambda o=operator, v=vector: o.product(v)}, clock, rounds=5)[kind]
            times.setdefault(kind, {})[n] = seconds
            print(f"  {kind:10s} n = {n:8d}  {seconds * 1e3:9.3f} ms  {operator.cost.bytes / seconds / 1e9:6.1f} GB/s  "
                  f"{operator.cost.flops / seconds / 1e9:6.2f} Gflop/s  {operator.nbytes / 1e6:8.1f} MB held")
    return times


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=8000)
    parser.add_argument("--one-thread", action="store_true")
    parser.add_argument("--curves", action="store_true")
    parser.add_argument("-o", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.one_thread:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    clock = time.process_time if arguments.one_thread else time.perf_counter
    results: dict[str, object] = {"dense": dense_speeds(arguments.size, clock)}
    if arguments.curves:
        results["curves"] = curves(clock)
    if arguments.o:
        arguments.o.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
