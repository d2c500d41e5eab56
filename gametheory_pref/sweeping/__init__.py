"""Methods x games x temperatures x seeds: the grid, its cells, the engine that runs them, the database of results."""

from .comparison import Comparison
from .engine import compare

__all__ = ["Comparison", "compare"]
