"""What payoff products cost: against the bandwidth of the memory, and against non-zeros and rank up to a million items.

    python benchmarks/payoff_costs.py [--full] [--picture docs/images/payoff_costs.png] [-o results.json]

Bars: past the caches, a product with a dense payoff moves its bytes at 80 per cent of the bandwidth of memory; the cost
of sparse and low-rank products grows like their entries: slopes of 1 on logarithmic scales, give or take 0.1, fitted
past the caches (from one cache to the next an entry costs more: these figures are printed).

Bandwidth is measured beside the products, in the same rounds, on one core and on two: a sum over an array (reads only,
like a product), a copy, and the triad ``a = b + s c`` of STREAM. A product reads its matrix once, so the sum is what it
is compared with; one that reads half of a skew matrix can be faster than a sum over all of it. The least time over the
rounds counts. The curves are those of one core.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

BANDWIDTH_BAR, SLOPE_BAR = 0.8, 0.1
CACHE_BYTES = 64e6  # What is larger does not stay in the last cache of the machines that we know.
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
STREAMS = ("sum", "copy", "triad")
WIDTHS = {"sparse": (10, 30, 100), "low rank": (4, 16, 64)}
DENSE_SIZES = {"default": (1000, 2000, 5000, 10_000), "full": (1000, 2000, 5000, 10_000, 20_000)}
SIZES = (1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)
MOST_ENTRIES = 6e7

Tasks = dict[str, tuple[float, Callable[[], Any]]]


def least_seconds(tasks: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Return the least time of each task; they take turns, short ones several calls at a time."""
    repeats = {}
    for name, task in tasks.items():
        task()
        began = time.perf_counter()
        task()
        repeats[name] = max(1, min(1000, int(0.002 / max(time.perf_counter() - began, 1e-9))))
    least = dict.fromkeys(tasks, np.inf)
    for _ in range(rounds):
        for name, task in tasks.items():
            began = time.perf_counter()
            for _ in range(repeats[name]):
                task()
            least[name] = min(least[name], (time.perf_counter() - began) / repeats[name])
    return least


# -- bandwidth, and dense products


def streams(size: int) -> Tasks:
    """Return bytes and call of the sum, the copy and the triad over arrays of `size` numbers, in compiled threads."""
    import numba

    loop = numba.njit(parallel=True, fastmath=True)

    @loop
    def total(a: np.ndarray) -> float:
        result = 0.0
        for i in numba.prange(a.size):
            result += a[i]
        return result

    @loop
    def copy(a: np.ndarray, b: np.ndarray) -> None:
        for i in numba.prange(a.size):
            a[i] = b[i]

    @loop
    def triad(a: np.ndarray, b: np.ndarray, c: np.ndarray, s: float) -> None:
        for i in numba.prange(a.size):
            a[i] = b[i] + s * c[i]

    a, b, c = (np.full(size, value) for value in (1.0, 2.0, 3.0))
    # A cache reads what it is about to write; STREAM does not count that, and neither do we.
    return {
        "sum": (8.0 * size, lambda: total(a)),
        "copy": (16.0 * size, lambda: copy(a, b)),
        "triad": (24.0 * size, lambda: triad(a, b, c, 0.5)),
    }


def dense_products(n: int) -> Tasks:
    """Return bytes of the matrix and call of every product with a dense payoff."""
    from gametheory_pref.operators import Dense

    rng = np.random.default_rng(n)
    matrix = rng.uniform(-0.5, 0.5, (n, n))
    matrix -= matrix.T
    policy, nbytes = rng.dirichlet(np.ones(n)), float(matrix.nbytes)
    two_player, symmetric = Dense(matrix, is_skew=False), Dense(matrix, is_skew=True)
    return {
        "A @ q": (nbytes, lambda: two_player.product(policy)),
        "p @ A": (nbytes, lambda: two_player.transposed_product(policy)),
        "both": (nbytes, lambda: two_player.both_products(policy, policy)),
        "skew A @ p": (nbytes, lambda: symmetric.product(policy)),
        "NumPy A @ q": (nbytes, lambda: matrix @ policy),
    }


def dense(sizes: tuple[int, ...], rounds: int) -> list[dict[str, Any]]:
    """Return the bandwidth of every dense product and its share of that of the sum, on the cores of this process."""
    rows = []
    for n in sizes:
        tasks = {**streams(20_000_000), **dense_products(n)}
        least = least_seconds({name: call for name, (_, call) in tasks.items()}, rounds)
        rate = {name: nbytes / least[name] for name, (nbytes, _) in tasks.items()}
        rows += [
            {"n": n, "what": name, "bytes": nbytes, "seconds": least[name], "rate": rate[name],
             "share": rate[name] / rate["sum"]}
            for name, (nbytes, _) in tasks.items()
        ]  # fmt: skip
    return rows


# -- sparse and low-rank products


def operator_of(kind: str, n: int, width: int) -> Any:
    """Return a skew payoff with about `width` entries in a row, or the scores of embeddings of that rank."""
    import gametheory_pref as gp

    rng = np.random.default_rng((n, width))
    if kind == "low rank":
        return gp.from_embeddings(rng.normal(size=(n, width))).payoff
    from scipy import sparse

    rows = np.repeat(np.arange(n), width // 2)
    upper = sparse.csr_array((rng.uniform(-0.5, 0.5, len(rows)), (rows, rng.integers(0, n, len(rows)))), shape=(n, n))
    return gp.operator_game(sparse.csr_array(upper - upper.T)).payoff


def curves(rounds: int) -> list[dict[str, Any]]:
    """Return the seconds of products of both kinds at every size."""
    rows = []
    for kind, width in ((kind, width) for kind, widths in WIDTHS.items() for width in widths):
        for n in SIZES:
            if n < 5 * width or (kind == "sparse" and n * width > MOST_ENTRIES):
                continue
            operator = operator_of(kind, n, width)
            call = functools.partial(operator.product, np.random.default_rng(n).dirichlet(np.ones(n)))
            seconds = least_seconds({"product": call}, rounds)["product"]
            entries = operator.matrix.nnz if kind == "sparse" else n * width
            rows.append({
                "kind": kind, "width": width, "n": n, "entries": entries, "seconds": seconds, "bytes": operator.nbytes,
            })  # fmt: skip
    return rows


def slopes(rows: list[dict[str, Any]], fixed: str, varied: str) -> dict[str, dict[int, float]]:
    """Return for each kind and value of `fixed` how seconds grow with entries, over operators past the caches."""
    found: dict[str, dict[int, float]] = {}
    for kind, value in dict.fromkeys((row["kind"], row[fixed]) for row in rows):
        points = [r for r in rows if (r["kind"], r[fixed]) == (kind, value) and r["bytes"] >= CACHE_BYTES]
        if len({r[varied] for r in points}) >= 2:
            x, y = np.log([r["entries"] for r in points]), np.log([r["seconds"] for r in points])
            found.setdefault(kind, {})[value] = float(np.polyfit(x, y, 1)[0])
    return found


# -- the picture


def draw(rows: list[dict[str, Any]], dense_rows: list[dict[str, Any]], file: pathlib.Path) -> None:
    """Draw seconds of a product against the number of responses."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7.2, 4.6), layout="constrained")
    points = [row for row in dense_rows if row["what"] == "skew A @ p"]
    axes.loglog([p["n"] for p in points], [p["seconds"] for p in points], "k^-", markersize=4, label="dense")
    end = max(points, key=lambda p: p["n"])
    reach = np.array([end["n"], max(SIZES)])
    axes.loglog(reach, end["seconds"] * (reach / end["n"]) ** 2, "k:", linewidth=1.0, label="dense, projected")
    for kind, color, marker, text in (
        ("sparse", "tab:orange", "o", "sparse, {} entries a row"), ("low rank", "tab:blue", "s", "rank {}"),
    ):  # fmt: skip
        widths = WIDTHS[kind]
        for k, width in reversed(list(enumerate(widths))):
            points = [row for row in rows if (row["kind"], row["width"]) == (kind, width)]
            axes.loglog(
                [p["n"] for p in points], [p["seconds"] for p in points], marker=marker, color=color,
                alpha=0.4 + 0.6 * (k + 1) / len(widths), markersize=4, linewidth=1.2, label=text.format(width),
            )  # fmt: skip
    axes.set_xlabel("responses")
    axes.set_ylabel("seconds of a payoff product, one core")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(file, dpi=120)
    plt.close(figure)


# -- all of it


def report_dense(rows: list[dict[str, Any]], cores: int) -> None:
    """Print the bandwidth of each product and its share."""
    best = {what: max(row["rate"] for row in rows if row["what"] == what) for what in STREAMS}
    print(f"{cores} core(s): " + ", ".join(f"{what} {rate / 1e9:.1f} GB/s" for what, rate in best.items()))
    for row in rows:
        if row["what"] in STREAMS:
            continue
        judged = row["bytes"] >= CACHE_BYTES and not row["what"].startswith("NumPy")
        verdict = f" {'meets' if row['share'] >= BANDWIDTH_BAR else 'MISSES'} {BANDWIDTH_BAR:g}" if judged else ""
        print(
            f"  n = {row['n']:6d}  {row['what']:12} {row['rate'] / 1e9:6.1f} GB/s, {row['share']:5.2f} of the sum"
            f"{verdict}{' (in cache)' if row['bytes'] < CACHE_BYTES else ''}"
        )


def report_curves(rows: list[dict[str, Any]], fits: dict[str, dict[str, dict[int, float]]]) -> None:
    """Print what an entry costs, and the slopes."""
    print("nanoseconds an entry, with the fewest responses, with the most, at least")
    for kind, width in dict.fromkeys((row["kind"], row["width"]) for row in rows):
        each = [1e9 * r["seconds"] / r["entries"] for r in rows if (r["kind"], r["width"]) == (kind, width)]
        print(f"  {kind:9} {width:3d}: {each[0]:.2f}, {each[-1]:.2f}, {min(each):.2f}")
    print("past the caches, seconds of a product grow like entries to the power")
    for varied, by_kind in fits.items():
        fixed = {"n": "width", "width": "n"}[varied]
        for kind, found in by_kind.items():
            for value, fit in found.items():
                verdict = "meets" if abs(fit - 1.0) <= SLOPE_BAR else "MISSES"
                print(f"  {kind:9} {fixed} {value:8d}, larger {varied:5}: {fit:.2f} {verdict} 1 +- {SLOPE_BAR:g}")


def on_cores(cores: int, what: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the figures of a process with that many threads and, where the system can say so, on that many cores."""
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(cores))}
    command = [sys.executable, __file__, "--part", what, str(cores), "--rounds", str(arguments.rounds)]
    command += ["--full"] if arguments.full else []
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def part(what: str, cores: int, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure in this process."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    sizes = DENSE_SIZES["full" if arguments.full else "default"]
    return dense(sizes, arguments.rounds) if what == "dense" else curves(arguments.rounds)


def main() -> int:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs=2, metavar=("WHAT", "CORES"), help=argparse.SUPPRESS)
    parser.add_argument("--full", action="store_true", help="dense payoffs up to n = 20,000")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--picture", type=pathlib.Path, help="draw the cost curves")
    parser.add_argument("-o", "--output", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.part:
        print(json.dumps(part(arguments.part[0], int(arguments.part[1]), arguments)))
        return 0
    dense_rows = {cores: on_cores(cores, "dense", arguments) for cores in (1, 2)}
    for cores, rows in dense_rows.items():
        report_dense(rows, cores)
    rows = on_cores(1, "curves", arguments)
    fits = {"n": slopes(rows, "width", "n"), "width": slopes(rows, "n", "width")}
    report_curves(rows, fits)
    if arguments.picture:
        draw(rows, dense_rows[1], arguments.picture)
    if arguments.output:
        document = {"dense": dense_rows, "curves": rows, "slopes": fits}
        arguments.output.write_text(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
