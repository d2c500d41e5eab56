"""Draw the picture of docs/inclusions.md: ``python docs/draw_inclusions.py``."""

from __future__ import annotations

import pathlib

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt

import gametheory_pref as gp
from gametheory_pref.inclusions import example

METHODS = {
    "extragradient": "extragradient",
    "optimistic gradient": "forward_reflected",
    "EAG-V": gp.METHODS["anchored_extragradient"].eag_v(),
    "FEG": "anchored_extragradient",
    "Halpern, resolvent": "halpern",
}


def main() -> None:
    """Write the picture."""
    inclusion = example("hard_40")
    figure, axes = plt.subplots(figsize=(6.0, 3.8), layout="constrained")
    for label, method in METHODS.items():
        trace = gp.solve_inclusion(inclusion, method, tol=0.0, max_steps=10_000).trace
        axes.loglog(trace.payoff_calls[1:], trace.metrics["residual"][1:], label=label)
    axes.set(xlabel="operator calls", ylabel="residual $|F(z)|$", xlim=(1, 10_000), ylim=(1e-4, None))
    axes.legend()
    figure.savefig(pathlib.Path(__file__).parent / "images" / "inclusions.png", dpi=120)


if __name__ == "__main__":
    main()
