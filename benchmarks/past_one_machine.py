"""What a payoff product moves and takes here, on a cluster of processes too; from that, what a million items cost.

    python benchmarks/past_one_machine.py [--gigabytes 1.2] [--items 1000000] [--comparisons N ...] [-o results.json]

No peers and no bars: the question is what the same run costs elsewhere. Engines take turns and the least time counts.

1. Bytes a second of products in memory: a dense matrix, battle graphs of `items` items with so many comparisons of
   random pairs (10^8 take 10 GB and minutes to set up), and embeddings of rank 16. Bytes are those that
   `operator.cost` states, seconds those of the one core at work.
2. A dense skew matrix of so many gigabytes, multiplied by NumPy, by dask in one and in two processes, where each keeps
   its rows, and by torch on the processor. A matrix of 64 rows in as many chunks gives the time per product that does
   not depend on the size. Products of all engines are compared with NumPy's.
3. A step of restarted Halpern on the two processes, and what a step takes besides its products at `items` items.
4. The projection: ``seconds = bytes / (machines * bandwidth) + overhead`` per product, two products and the vectors a
   step.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import pathlib
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # Read when numpy is imported,
os.environ.setdefault("OMP_NUM_THREADS", "1")  # and this when torch is.

import dask
import dask.array as da
import distributed
import numpy as np
from scipy import sparse

import gametheory_pref as gp
from gametheory_pref.games import OperatorGame
from gametheory_pref.operators import Dense, LowRank, PayoffOperator, Sparse
from gametheory_pref.operators.dask_array import DaskArray

RANK, CHUNKS, ROUNDS = 16, 4, 7
# What is assumed of a machine of a cluster, and of a GPU: bytes of memory and bytes a second, of the network too.
SERVER_MEMORY, GPU_MEMORY, GPU_BANDWIDTH, NETWORK = 256e9, 80e9, 2e12, 1.25e9


def least_seconds(
    calls: dict[str, Callable[[], Any]], clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Return the least time of each call, which take turns."""
    best = dict.fromkeys(calls, math.inf)
    for call in calls.values():
        call()
    for _ in range(ROUNDS):
        for name, call in calls.items():
            began = clock()
            call()
            best[name] = min(best[name], clock() - began)
    return best


def factors(n: int, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the factors of a skew payoff of that rank with entries of about 1/10."""
    right = np.random.default_rng(0).standard_normal((n, rank)) / (10.0 * rank**0.25) ** 0.5
    left = np.empty_like(right)
    left[:, 0::2], left[:, 1::2] = -right[:, 1::2], right[:, 0::2]
    return left, right


def battle_graph(n: int, comparisons: int) -> Sparse:
    """Return the payoff of comparisons between random pairs: half the share of wins less that of losses."""
    rng = np.random.default_rng(1)
    winner, loser = rng.integers(n, size=(2, comparisons), dtype=np.int32)
    kept = winner != loser
    winner, loser = winner[kept], loser[kept]
    wins = sparse.coo_array((np.ones(len(winner)), (winner, loser)), shape=(n, n)).tocsr()
    games = wins + wins.T
    payoff = wins - wins.T
    payoff.sort_indices()
    games.sort_indices()
    # Both have the same pattern: pairs that were compared, a pair that is level included.
    payoff = sparse.csr_array((payoff.data, payoff.indices, payoff.indptr), shape=(n, n))
    scale = sparse.csr_array((0.5 / games.data, games.indices, games.indptr), shape=(n, n))
    return Sparse(payoff.multiply(scale).tocsr(), is_skew=True)


def dense_skew(n: int) -> np.ndarray:
    """Return a dense skew payoff."""
    left, right = factors(n, RANK)
    return np.asarray(left @ right.T)


def in_memory(items: int, comparisons: list[int]) -> dict[str, dict[str, float]]:
    """Measure products in the memory of this process."""
    dense = dense_skew(10_000)
    payoffs: dict[str, PayoffOperator] = {
        "dense": Dense(dense, is_skew=True),
        "embeddings": LowRank(*factors(items, RANK), is_skew=True),
        **{graph_name(count): battle_graph(items, count) for count in comparisons},
    }
    vectors = {name: np.full(payoff.shape[1], 1.0 / payoff.shape[1]) for name, payoff in payoffs.items()}
    calls = {name: (lambda p=payoff, v=vectors[name]: p @ v) for name, payoff in payoffs.items()}
    # One thread works: the time of the processor leaves out when others had it.
    seconds = least_seconds({"plain sum": dense.sum, **calls}, time.process_time)
    rows = {"plain sum": {"bytes": float(dense.nbytes), "flops": float(dense.size), "seconds": seconds["plain sum"]}}
    for name, payoff in payoffs.items():
        rows[name] = {"bytes": payoff.cost.bytes, "flops": payoff.cost.flops, "seconds": seconds[name]}
    for name, row in rows.items():
        row["bytes_per_second"] = row["bytes"] / row["seconds"]
        print(
            f"{name:31s} {row['bytes'] / 1e6:9.1f} MB {row['flops'] / 1e6:9.1f} Mflop {1e3 * row['seconds']:8.2f} ms"
            f" {row['bytes_per_second'] / 1e9:7.2f} GB/s"
        )
    return rows


def graph_name(comparisons: int) -> str:
    """Return what a graph is called in the tables."""
    return f"battle graph, {comparisons:.0e} comparisons"


def rows_of(left: np.ndarray, right: np.ndarray, block_id: tuple[int, int]) -> np.ndarray:
    """Return a chunk of rows of a dense skew payoff: made on the worker that keeps it."""
    size = -(-len(left) // CHUNKS)
    return left[block_id[0] * size : (block_id[0] + 1) * size] @ right.T


def in_chunks(n: int) -> da.Array:
    """Return the payoff as a dask array of `CHUNKS` chunks of rows, not yet made."""
    size = -(-n // CHUNKS)
    sizes = tuple(min(size, n - first) for first in range(0, n, size))
    left, right = (dask.delayed(part) for part in factors(n, RANK))
    chunks = [
        da.from_delayed(dask.delayed(rows_of)(left, right, (k, 0)), (rows, n), float) for k, rows in enumerate(sizes)
    ]
    return da.concatenate(chunks)


@contextlib.contextmanager
def cluster(processes: int) -> Iterator[distributed.Client]:
    """Run so many worker processes of one thread each."""
    with (
        distributed.LocalCluster(
            n_workers=processes, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=0
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client


def held(n: int) -> DaskArray:
    """Return the payoff, its chunks in the memory of the workers."""
    array = in_chunks(n).persist()
    distributed.wait(array)
    return DaskArray(array, is_skew=True)


def engines(n: int) -> dict[str, dict[str, float]]:
    """Measure products of one dense matrix by several engines, and of a small one cut alike."""
    matrix, tiny_matrix = dense_skew(n), dense_skew(64)
    policy = np.random.default_rng(2).dirichlet(np.ones(n))
    small = np.full(64, 1.0 / 64)
    expected = matrix @ policy
    rows = {}

    def measure(name: str, payoff: PayoffOperator, tiny: PayoffOperator) -> None:
        error = float(np.abs(payoff @ policy - expected).max())
        seconds = least_seconds({
            "numpy": lambda: matrix @ policy, "product": lambda: payoff @ policy, "small": lambda: tiny @ small
        })  # fmt: skip
        rows[name] = {
            "seconds": seconds["product"], "of_small": seconds["small"],
            "numpy_seconds": seconds["numpy"], "ratio": seconds["product"] / seconds["numpy"], "error": error,
        }  # fmt: skip
        print(
            f"{name:22s} {1e3 * seconds['product']:9.1f} ms ({rows[name]['ratio']:.2f} of NumPy's"
            f" {1e3 * seconds['numpy']:.1f} ms); a small one {1e3 * seconds['small']:.2f} ms; error {error:.1e}"
        )

    measure("NumPy", Dense(matrix, is_skew=True), Dense(tiny_matrix, is_skew=True))
    for name, payoff in of_torch(matrix).items():
        measure(name, payoff, of_torch(tiny_matrix)[name])
    with dask.config.set(scheduler="threads", num_workers=2):
        arrays = (da.from_array(part, chunks=(-(-len(part) // CHUNKS), -1)) for part in (matrix, tiny_matrix))
        measure("dask, two threads", *(DaskArray(array, is_skew=True) for array in arrays))
    for processes in (1, 2):
        with cluster(processes):
            name = f"dask, {processes} process{'es' if processes > 1 else ''}"
            payoff = held(n)
            measure(name, payoff, held(64))
            if processes == 2:
                rows[name].update(run_on(payoff, matrix))
    return rows


def of_torch(matrix: np.ndarray) -> dict[str, PayoffOperator]:
    """Return the payoff as torch tensors, whole and in two shards; nothing where torch is not installed."""
    try:
        import torch
    except ModuleNotFoundError:
        return {}
    from gametheory_pref.operators.torch_tensor import torch_payoff

    whole, half = torch.from_numpy(matrix), len(matrix) // 2
    return {"torch, one tensor": torch_payoff(whole), "torch, two shards": torch_payoff([whole[:half], whole[half:]])}


def run_on(payoff: DaskArray, matrix: np.ndarray, steps: int = 20) -> dict[str, float]:
    """Run restarted Halpern on the cluster and in memory, and compare."""
    rule = gp.METHODS["restarted_halpern"](step_size=0.5 / Dense(matrix, is_skew=True).norm)
    here, there = (
        gp.solve(OperatorGame(one, range(len(matrix)), range(len(matrix))), rule, tol=0.0, max_steps=steps)
        for one in (Dense(matrix, is_skew=True), payoff)
    )
    apart = float(np.abs(here.policy - there.policy).max())
    # The record at step 0 ends what is done once.
    here_step, there_step = (float(one.run.seconds[-1] - one.run.seconds[0]) / steps for one in (here, there))
    print(
        f"  restarted Halpern, {steps} steps: {there_step:.3f} s a step on the cluster, {here_step:.3f} s in memory;"
        f" policies differ by {apart:.1e}; gap {there.gap:.3e}, of the start {there.trace.metrics['gap'][0]:.3e}"
    )
    return {"seconds_a_step": there_step, "in_memory": here_step, "apart": apart}


def vectors_of_a_step(items: int) -> dict[str, float]:
    """Measure what a step of restarted Halpern takes besides its two products."""
    payoff = LowRank(*factors(items, 2), is_skew=True)
    policy = np.full(items, 1.0 / items)
    product = least_seconds({"product": lambda: payoff @ policy})["product"]
    game = OperatorGame(payoff, range(items), range(items))
    rule = gp.METHODS["restarted_halpern"](step_size=0.5 / payoff.norm)
    seconds = {}
    for steps in (10, 40):
        seconds[steps] = min(gp.solve(game, rule, tol=0.0, max_steps=steps).run.seconds[-1] for _ in range(2))
    step = (seconds[40] - seconds[10]) / 30
    rest = max(step - 2.0 * product, 0.0)
    print(f"a step at {items} items besides its products: {1e3 * rest:.1f} ms, {1e9 * rest / items:.1f} ns an item")
    return {"seconds_per_item": rest / items}


def projection(
    memory: dict[str, dict[str, float]], engine: dict[str, dict[str, float]], per_item: float
) -> list[dict[str, Any]]:
    """Return what a million items cost, from the bytes of a product and the bytes a second measured here."""
    n = 10**6
    largest_graph = [name for name in memory if name.startswith("battle graph")][-1]
    graphs = {graph_name(count): 12.0 * 2 * count + 4.0 * n for count in (10**6, 10**7, 10**8)}
    cases = [(name, size, name if name in memory else largest_graph) for name, size in graphs.items()]
    cases += [
        ("embeddings, rank 16", 16.0 * 16 * n, "embeddings"),
        ("embeddings, rank 1024", 16.0 * 1024 * n, "embeddings"),
        ("dense", 8.0 * n * n, "dense"),
    ]
    overhead = engine["dask, 2 processes"]["of_small"]
    rows = []
    for name, size, kind in cases:
        bandwidth = memory[kind]["bytes_per_second"]
        machines = math.ceil(size / SERVER_MEMORY)
        # One machine needs no cluster; several get the vector, and send back their part of the product.
        apart = overhead + 2.0 * 8.0 * n / NETWORK if machines > 1 else 0.0
        product = size / (machines * bandwidth) + apart
        gpus = math.ceil(size / GPU_MEMORY)
        rows.append({
            "case": name, "gigabytes": size / 1e9, "machines": machines, "product": product,
            "thousand_steps": 1000.0 * (2.0 * product + per_item * n), "gpus": gpus,
            "gpu_product": size / (gpus * GPU_BANDWIDTH),
        })  # fmt: skip
    print("\nat a million items                 memory  machines   a product  1000 steps | GPUs  by bandwidth alone")
    for row in rows:
        print(
            f"{row['case']:31s} {row['gigabytes']:7.3g} GB {row['machines']:8d} {row['product']:9.3g} s"
            f" {row['thousand_steps']:9.3g} s | {row['gpus']:4d} {row['gpu_product']:9.2g} s"
        )
    return rows


def main() -> None:
    """Measure and project."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=1.2, help="size of the dense matrix (default: %(default)s)")
    parser.add_argument("--items", type=int, default=1_000_000, help="of sparse and low-rank payoffs")
    parser.add_argument("--comparisons", type=int, nargs="+", default=[10**6, 10**7], help="of battle graphs")
    parser.add_argument("-o", "--output", type=pathlib.Path, help="write the results to a JSON file")
    arguments = parser.parse_args()
    memory = in_memory(arguments.items, arguments.comparisons)
    n = int(math.sqrt(arguments.gigabytes * 1e9 / 8.0))
    print(f"\na dense product of {n} x {n}, {8.0 * n * n / 1e9:.2f} GB")
    engine = engines(n)
    vectors = vectors_of_a_step(arguments.items)
    rows = projection(memory, engine, vectors["seconds_per_item"])
    if arguments.output:
        found = {"memory": memory, "engines": engine, "vectors": vectors, "projection": rows}
        arguments.output.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    warnings.filterwarnings("ignore", message="Sending large graph")
    main()
