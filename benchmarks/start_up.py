"""How long people wait: import, help, a first answer, one whole solve with its certificate.

    python benchmarks/start_up.py [-o results.json]

Bars: import within 0.3 s of numpy's own; ``gtpref --help`` within 0.3 s of Python's own; ``gtpref solve small.csv``
within 0.6 s warm; no compile above 1 s in the exact path of a first run; a whole ``gp.solve`` with its certificate
at n = 8 within 150 microseconds.
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

SMALL = ",rock,paper,scissors,lizard\nrock,.5,.7,.2,.6\npaper,.3,.5,.8,.65\nscissors,.8,.2,.5,.7\nlizard,.4,.35,.3,.5\n"

FIRST_COMPILED = """
import time, numpy as np
from gametheory_pref._jit import Kernel
import gametheory_pref as gp
rng = np.random.default_rng(0)
upper = np.triu(rng.uniform(-.5, .5, ({n}, {n})), 1)
P = .5 + upper - upper.T
began = time.perf_counter()
for _ in range({repeats}):
    gp.solve(P)
print(time.perf_counter() - began)
"""

WHOLE_SOLVE = """
import time, numpy as np, gametheory_pref as gp
rng = np.random.default_rng(0)
times, certified = [], []
for _ in range(400):
    upper = np.triu(rng.uniform(-.5, .5, (8, 8)), 1)
    game = gp.preference_game(.5 + upper - upper.T)
    t = time.perf_counter(); solution = gp.solve(game); times.append(time.perf_counter() - t)
    t = time.perf_counter(); solution.certificate(); certified.append(time.perf_counter() - t)
print(1e6 * np.median(times[100:]), 1e6 * np.median(certified[100:]))
"""


def seconds(command: list[str], repeats: int = 7, **options: object) -> float:
    """Return the least wall time of a command over some runs."""
    best = float("inf")
    for _ in range(repeats):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
        best = min(best, time.perf_counter() - began)
    return best


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=pathlib.Path)
    arguments = parser.parse_args()
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        small = pathlib.Path(folder) / "small.csv"
        small.write_text(SMALL)
        bare = seconds([python, "-c", "pass"])
        numpy_only = seconds([python, "-c", "import numpy"])
        package = seconds([python, "-c", "import numpy, gametheory_pref"])
        usage = seconds([python, "-m", "gametheory_pref", "--help"])
        answer = seconds([python, "-m", "gametheory_pref", "solve", str(small)])
        cold = {}
        for n, repeats in ((8, 1), (8, 200), (60, 1), (400, 1)):
            code = FIRST_COMPILED.format(n=n, repeats=repeats)
            cache = pathlib.Path(folder) / f"cache-{n}-{repeats}"
            environment = {**os.environ, "GAMETHEORY_PREF_CACHE_DIR": str(cache)}
            run = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, env=environment)
            warm = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, env=environment)
            cold[f"n={n}, {repeats} solves"] = (float(run.stdout), float(warm.stdout))
        solve_us, certificate_us = map(float, subprocess.run(
            [python, "-c", WHOLE_SOLVE], check=True, capture_output=True, text=True
        ).stdout.split())
    rows = {
        "import beyond numpy's own, s (bar 0.3)": package - numpy_only,
        "gtpref --help beyond Python's own, s (bar 0.3)": usage - bare,
        "gtpref solve small.csv, whole process, s (bar 0.6)": answer,
        "gp.solve at n = 8, microseconds": solve_us,
        "its certificate, microseconds": certificate_us,
        "both (bar 150)": solve_us + certificate_us,
    }
    for what, (first, second) in cold.items():
        rows[f"first process ever, {what}, s"] = first
        rows[f"next process, {what}, s"] = second
    for what, figure in rows.items():
        print(f"{what:60s} {figure:10.4g}")
    if arguments.output:
        arguments.output.write_text(json.dumps(rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
