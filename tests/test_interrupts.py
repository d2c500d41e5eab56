"""Ctrl-C during compiled code neither crashes the process nor leaves a run between two steps."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, signal, threading
import numpy as np
import gametheory_pref as gp

scores = np.random.default_rng(0).normal(size=(30, 30))
game = gp.from_scores(scores - scores.T)
rule = gp.METHODS["multiplicative_weights"](step_size=0.1)
gp.solve(game, rule, tol=0.0, max_steps=2)
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    gp.solve(game, rule, tol=0.0, max_steps=10**9)
except gp.Interrupted as stop:
    reached = stop.solution
again = gp.solve(game, rule, tol=0.0, max_steps=reached.n_steps)
ends = [solution.run.resume for solution in (reached, again)]
assert ends[0].state.t == reached.n_steps > 0
assert np.array_equal(ends[0].state.x.log, ends[1].state.x.log)
assert np.array_equal(ends[0].total, ends[1].total)
print("sound")
"""


def test_an_interrupt_during_compiled_steps_leaves_the_state_after_the_last_step():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "sound\n"), done.stderr
