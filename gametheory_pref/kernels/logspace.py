"""Probabilities as logarithms: the one place of the package that normalises, averages and compares them.

A probability of zero is ``-inf`` and stays exactly that through every function here.
"""

from __future__ import annotations

import numpy as np

from .._jit import jit


@jit
def logsumexp(logits):
    """Return ``log(sum(exp(logits)))``, the maximum taken out first; ``-inf`` for no mass at all."""
    top = -np.inf
    for i in range(logits.size):
        top = max(top, logits[i])
    if top == -np.inf:
        return top
    mass = 0.0
    for i in range(logits.size):
        mass += np.exp(logits[i] - top)
    return top + np.log(mass)


@jit
def log_normalize(logits, out):
    """Write ``logits - logsumexp(logits)``, the logarithm of softmax, to `out` and return it.

    `out` may be `logits`. The second pass removes the rounding of the first where all logits are large: an
    error of one ulp of their size, which the exponential would turn into a relative error of the mass.
    """
    shift = logsumexp(logits)
    if shift == -np.inf:
        for i in range(logits.size):
            out[i] = -np.inf
        return out
    for i in range(logits.size):
        out[i] = logits[i] - shift
    shift = logsumexp(out)
    for i in range(logits.size):
        out[i] -= shift
    return out


@jit
def kl_divergence(log_p, log_q):
    """Return ``KL(p || q)`` of two normalised log-policies; ``inf`` where q has no mass and p has some.

    Summed as ``p (d + expm1(-d))`` with ``d = log p - log q``, which equals ``p d - p + q``: every term is
    non-negative and of second order in d, so that a divergence of 1e-30 is resolved, while the plain sum of
    ``p d`` loses everything below 1e-16 to cancellation. A response without mass in p contributes its mass
    in q.
    """
    total = 0.0
    for i in range(log_p.size):
        mass = np.exp(log_p[i])
        if mass == 0.0:
            total += np.exp(log_q[i])
        elif log_q[i] == -np.inf:
            return np.inf
        else:
            difference = log_p[i] - log_q[i]
            total += mass * (difference + np.expm1(-difference))
    return total
