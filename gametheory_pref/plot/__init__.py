"""Pictures of games, answers and runs, drawn with matplotlib.

Every function takes the axes to draw on as `ax` and returns them; without `ax` it makes a figure of its own,
reachable as ``ax.figure``. Nothing is shown and no global state of matplotlib changes; `save` writes a file.
"""

from .bars import compare_policies, policy_bars
from .bounds import convergence
from .curves import rate_curve
from .gaps import gap_curves
from .graph import majority_graph
from .heat_map import win_matrix
from .page import figure, save
from .temperatures import temperature_path
from .triangle import simplex_trajectory

__all__ = [
    "compare_policies",
    "convergence",
    "figure",
    "gap_curves",
    "majority_graph",
    "policy_bars",
    "rate_curve",
    "save",
    "simplex_trajectory",
    "temperature_path",
    "win_matrix",
]
