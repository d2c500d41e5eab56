"""Install the package and its peers into an environment of their own and run the benchmarks there.

    python3 benchmarks/run.py                       # all of them; about half an hour
    python3 benchmarks/run.py small_games start_up  # some
    python3 benchmarks/run.py --environment DIR -o results.json

Every script prints ratios to its peers measured in the same, interleaved run. Absolute times depend on the machine
and on what else it is doing; quote ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import venv

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
SCRIPTS = ("start_up", "small_games", "regularized_games", "large_games", "sweeps", "update_rules", "payoff_products",
           "past_one_machine", "variance_reduction", "large_first_order", "large_inputs", "payoff_costs")


def environment_python(folder: pathlib.Path) -> pathlib.Path:
    """Create the environment with the package and the peers, and return its interpreter."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(folder, with_pip=True)
    install = [str(python), "-m", "pip", "install", "--quiet"]
    subprocess.run([*install, "-c", str(ROOT / "constraints.txt"), str(ROOT)], check=True)
    subprocess.run([*install, "-c", str(ROOT / "constraints.txt"), "-r", str(HERE / "peers.txt")], check=True)
    return python


def main() -> int:
    """Run the chosen benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", nargs="*", metavar="SCRIPT", help=f"of {', '.join(SCRIPTS)} (default: all)")
    parser.add_argument("--environment", type=pathlib.Path, help="folder to create or reuse (default: a temporary one)")
    parser.add_argument("-o", "--output", type=pathlib.Path, help="write all results to one JSON file")
    arguments = parser.parse_args()
    unknown = set(arguments.scripts) - set(SCRIPTS)
    if unknown:
        parser.error(f"unknown benchmark {', '.join(sorted(unknown))}; known: {', '.join(SCRIPTS)}")
    results = {}
    with tempfile.TemporaryDirectory() as temporary:
        python = environment_python(arguments.environment or pathlib.Path(temporary) / "environment")
        for name in arguments.scripts or SCRIPTS:
            print(f"\n== {name}", flush=True)
            output = pathlib.Path(temporary) / f"{name}.json"
            # Run outside the checkout, so that the installed package is measured.
            subprocess.run([str(python), str(HERE / f"{name}.py"), "-o", str(output)], check=True, cwd=temporary)
            results[name] = json.loads(output.read_text(encoding="utf-8"))
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
