"""How many terms of a finite sum, or columns of a payoff, methods evaluate until they are there: calls, not seconds.

    python benchmarks/variance_reduction.py [--picture docs/images/variance_reduction.png] [-o results.json]

Sums: the mean of n operators ``(1 - rotation) / 2``, each 1-cocoercive, to a residual of 0.002 D. Halpern with whole
products against the single loop with the step of its theorem, 1/4, and with 1. Bars: the slope of calls against n in
log-log is at least .95 for whole products and at most .65 for draws.

Games: columns until the gap of the average falls to a share of the first gap, in payoff products. Extragradient with
whole products against variance-reduced extragradient and mirror prox, next to what ``variance_reduction`` foretells:
rank one and a game close to it, and two of noise, where draws do not pay. No bar: this is for choosing a method.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # Read when numpy is imported.

import numpy as np

import gametheory_pref as gp

METHODS = ("whole products", "single loop, step 1/4", "single loop, step 1")
SLOPES = {"whole products": (0.95, 1.1), "single loop, step 1/4": (0.4, 0.65), "single loop, step 1": (0.4, 0.65)}
RESIDUAL, SHARE = 0.002, 0.1


def half_rotations(n_terms: int, planes: int = 10) -> gp.Inclusion:
    """Return the mean of ``(1 - rotation) / 2``: angles from 0.01 to 1, up to twice that in a term."""
    rng = np.random.default_rng(0)
    angles = np.geomspace(1e-2, 1.0, planes) * (1.0 + rng.uniform(-1.0, 1.0, (n_terms, planes)))
    terms = np.zeros((n_terms, 2 * planes, 2 * planes))
    even, odd = np.arange(0, 2 * planes, 2), np.arange(1, 2 * planes, 2)
    terms[:, even, even] = terms[:, odd, odd] = (1.0 - np.cos(angles)) / 2.0
    terms[:, even, odd], terms[:, odd, even] = np.sin(angles) / 2.0, -np.sin(angles) / 2.0
    return gp.inclusion(terms, start=rng.standard_normal(2 * planes))


def calls_on_a_sum(n_terms: int) -> dict[str, int]:
    """Return how many terms each method evaluates; what the residual costs is not counted."""
    inclusion, drawn = half_rotations(n_terms), gp.METHODS["vr_halpern"]
    rules = (gp.METHODS["halpern"].one_step(1.0), drawn.single_loop(0.25), drawn.single_loop(1.0))
    found = {}
    for name, rule in zip(METHODS, rules, strict=True):
        tol = RESIDUAL * inclusion.distance
        solution = gp.solve_inclusion(inclusion, rule, tol=tol, rng=0, record=gp.Record(per_decade=400)).require()
        found[name] = int(solution.operator_calls)
    return found


def measure_sums(sizes: list[int]) -> dict[str, Any]:
    """Print calls against n and their slopes, and return them."""
    rows = {n: calls_on_a_sum(n) for n in sizes}
    for n, row in rows.items():
        gain = row["whole products"] / row["single loop, step 1"]
        told = "  ".join(f"{name} {row[name]:>9,d}" for name in METHODS)
        print(f"sum of {n:5d}: {told}   x{gain:.2f}", flush=True)
    slopes = {name: float(np.polyfit(np.log(sizes), np.log([rows[n][name] for n in sizes]), 1)[0]) for name in METHODS}
    for name, slope in slopes.items():
        low, high = SLOPES[name]
        verdict = "meets" if low <= slope <= high else "MISSES"
        print(f"calls of {name} grow like n^{slope:.3f}  {verdict} {low} to {high}")
    return {"rows": {str(n): row for n, row in rows.items()}, "slopes": slopes}


def policeman_and_burglar(n: int) -> np.ndarray:
    """Return Nemirovski's game: the wealth of a house, unless the burglar is caught. It is close to rank one."""
    wealth, house = np.abs(np.random.RandomState(1).randn(n)), np.arange(n)
    return wealth[:, None] * (1.0 - np.exp(-0.8 * np.abs(house[:, None] - house)))


def games() -> dict[str, np.ndarray]:
    """Return payoffs of the row player."""
    rng = np.random.default_rng(0)
    low = rng.standard_normal((400, 2)) @ rng.standard_normal((2, 400))
    return {
        "policeman and burglar, 400": policeman_and_burglar(400),
        "rank two, 400": low,
        "Gaussian, 64": rng.standard_normal((64, 64)),
        "signs, 200": np.sign(rng.standard_normal((200, 200))),
    }


def products(payoff: np.ndarray) -> tuple[dict[str, float], float]:
    """Return how many payoff products each method takes, and what is foretold."""
    game, norm = gp.matrix_game(payoff), float(np.linalg.norm(payoff, 2))
    rules = {
        "extragradient": (gp.METHODS["extragradient"](geometry=gp.Euclidean(), step_size=0.99 / norm), 3000),
        "vr_extragradient": (gp.METHODS["vr_extragradient"](), 300_000),
        "vr_mirror_prox": (gp.METHODS["vr_mirror_prox"](gamma=0.9), 300_000),
    }
    found, foretold = {}, np.nan
    for name, (rule, steps) in rules.items():
        first = gp.solve(game, rule, tol=0.0, max_steps=1, rng=0)
        tol = SHARE * float(first.run.gap_average[0])
        drawn = rule.info.samples_terms
        # The answer of extragradient is its last policy, which may be there long before the average.
        stop = tol if drawn else 0.0
        solution = gp.solve(game, rule, tol=stop, max_steps=steps, rng=0, record=gp.Record(per_decade=64))
        calls = solution.run.payoff_calls[np.flatnonzero(solution.run.gap_average <= tol)[:1]]
        found[name] = float(calls[0]) if calls.size else float("inf")
        foretold = float(solution.run.facts.variance_reduction)
    return found, foretold


def measure_games() -> list[dict[str, Any]]:
    """Print products for each game and return them."""
    rows = []
    for name, payoff in games().items():
        found, foretold = products(payoff)
        gain = found["extragradient"] / found["vr_extragradient"]
        told = "  ".join(f"{method} {count:.0f}" for method, count in found.items())
        print(f"{name:27s} {told}   x{gain:.2f} (foretold {foretold:.1f})", flush=True)
        rows.append({"game": name, "products": found, "gain": gain, "foretold": foretold})
    return rows


def draw(sums: dict[str, Any], path: pathlib.Path) -> None:
    """Draw calls against the number of terms."""
    from gametheory_pref.plot.style import hide_frame, new_axes, set_title, style

    sizes = [int(n) for n in sums["rows"]]
    with style():
        ax = new_axes(6.4, 4.0)
        for name in METHODS:
            calls = [row[name] for row in sums["rows"].values()]
            ax.loglog(sizes, calls, marker="o", label=f"{name}: n^{sums['slopes'][name]:.2f}")
        ax.set_xlabel("terms")
        ax.set_ylabel("terms evaluated")
        ax.legend(frameon=False)
        hide_frame(ax)
        for side in ("left", "bottom"):
            ax.spines[side].set_visible(True)
        set_title(ax, "Evaluations until the residual is 0.002 D", inches=6.0)
        ax.figure.savefig(path, dpi=150)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[16, 64, 256, 1024, 4096])
    parser.add_argument("--picture", type=pathlib.Path, help="draw calls against the number of terms")
    parser.add_argument("-o", "--output", type=pathlib.Path)
    arguments = parser.parse_args()
    sums = measure_sums(arguments.sizes)
    if arguments.picture:
        draw(sums, arguments.picture)
    rows = measure_games()
    if arguments.output:
        arguments.output.write_text(json.dumps({"sums": sums, "games": rows}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
