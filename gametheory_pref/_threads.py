"""Work on many games in threads; compiled code holds no lock of the interpreter."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

import numpy as np

# Below this many entries of matrices to be read a thread costs more than it saves.
_SERIAL_ENTRIES = 30_000
# Several chunks a thread, so that one slow stretch of games does not leave the others idle.
_CHUNKS_PER_THREAD = 4


def in_threads(
    task: Callable[[slice], None], n_games: int, *, entries: float, largest_chunk: int | None = None
) -> None:
    """Run `task` over slices that cover all games, on all cores that this process may use.

    After an error or Ctrl-C no further chunk is begun.

    Parameters
    ----------
    task : callable
        Works on one slice; slices do not overlap.
    n_games : int
        How many games there are.
    entries : float
        Entries of matrices that all of it reads, as a measure of work.
    largest_chunk : int, optional
        Most games of a slice, for work so long that Ctrl-C should not wait for a fair share of it.
    """
    threads = available_threads() if entries > _SERIAL_ENTRIES else 1
    count = 1 if threads == 1 else threads * _CHUNKS_PER_THREAD
    if largest_chunk is not None:
        count = max(count, -(-n_games // largest_chunk))
    edges = np.linspace(0, n_games, max(1, min(n_games, count)) + 1).astype(int).tolist()
    chunks: SimpleQueue[slice] = SimpleQueue()
    for chunk in map(slice, edges[:-1], edges[1:]):
        chunks.put(chunk)

    def next_chunk() -> slice | None:
        try:
            return chunks.get_nowait()
        except Empty:
            return None

    def work() -> None:
        try:
            while (chunk := next_chunk()) is not None:
                task(chunk)
        finally:
            while next_chunk() is not None:
                pass

    if threads == 1:
        work()
        return
    with ThreadPoolExecutor(threads - 1) as pool:
        helpers = [pool.submit(work) for _ in range(threads - 1)]
        work()
        for helper in helpers:
            helper.result()


def available_threads() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
