"""A sweep of 10 methods x 20 games x 10 seeds x 10,000 steps, and what it costs beyond its steps.

    python benchmarks/sweeps.py [-o results.json]

Bars: seconds, not minutes, on two cores; the database within 15 per cent of the sweep without one; at most 2 ms of
processor time a cell beyond the steps themselves; taking up a finished sweep within a fifth of running it.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import tempfile
import time
from typing import Any, NamedTuple

# numpy reads these when it loads.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402

import gametheory_pref as gp  # noqa: E402

METHODS = (
    "accelerated", "adaptive_extragradient", "extragradient", "forward_reflected", "mirror_descent", "mnpo", "nash_ema",
    "nash_md", "optimistic", "proximal_point",
)
TEMPERATURE, N_GAMES, N_RESPONSES, N_SEEDS = 0.1, 20, 10, 10


class Cost(NamedTuple):
    """Wall and processor seconds."""

    wall: float
    processor: float


def games() -> dict[str, gp.PreferenceGame]:
    """Return random games."""
    rng = np.random.default_rng(0)
    found = {}
    for number in range(N_GAMES):
        scores = rng.uniform(-1.0, 1.0, (N_RESPONSES, N_RESPONSES))
        found[f"game {number}"] = gp.from_margins((scores - scores.T) / 2.0)
    return found


def cost(max_steps: int, **options: Any) -> Cost:
    """Run the sweep and return what it took."""
    wall, processor = time.perf_counter(), time.process_time()
    settings: dict[str, Any] = {"temperatures": [TEMPERATURE], "seeds": range(N_SEEDS), "starts": "random"}
    comparison = gp.compare(games(), METHODS, max_steps=max_steps, **settings, **options)
    found = Cost(time.perf_counter() - wall, time.process_time() - processor)
    assert len(comparison.cells) == len(METHODS) * N_GAMES * N_SEEDS and not comparison.failures
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=pathlib.Path, help="write the numbers to a JSON file")
    output = parser.parse_args().output
    gp.compare("comal", METHODS, temperatures=[TEMPERATURE], max_steps=10)
    cells = len(METHODS) * N_GAMES * N_SEEDS
    with tempfile.TemporaryDirectory() as folder:
        database = pathlib.Path(folder) / "runs.sqlite"
        one_step, plain = cost(1), cost(10_000)
        stored, again = cost(10_000, database=database), cost(10_000, database=database)
        size = database.stat().st_size
    results = {
        "cells": cells,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "wall_s": plain.wall,
        "processor_s": plain.processor,
        "processor_ms_per_cell_beyond_steps": 1e3 * one_step.processor / cells,
        "with_database": stored.processor / plain.processor,
        "taking_up": again.processor / stored.processor,
        "megabytes": size / 1e6,
    }
    where = f"on {results['cores']} cores, {plain.processor:.1f} s of CPU"
    print(f"{cells} cells of 10,000 steps: {plain.wall:.1f} s {where}")
    print(f"beyond the steps: {results['processor_ms_per_cell_beyond_steps']:.2f} ms of CPU a cell")
    print(f"with the database: {results['with_database']:.2f} of that without, {results['megabytes']:.0f} MB")
    print(f"taking up the finished sweep: {results['taking_up']:.2f} of running it")
    if output:
        output.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
