"""Work in threads, on many games or on panels of a large one; compiled code holds no lock of the interpreter."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

import numpy as np

# Below this many entries of matrices to be read a thread costs more than it saves.
_SERIAL_ENTRIES = 30_000
# Several chunks a thread, so that one slow stretch of games does not leave the others idle.
_CHUNKS_PER_THREAD = 4


def in_threads(task: Callable[[slice], slice | None], n_games: int, *, entries: float) -> None:
    """Run `task` over slices that cover all games, on all cores that this process may use.

    After an error or Ctrl-C no further slice is begun.

    Parameters
    ----------
    task : callable
        Works on one slice; slices do not overlap. It may stop early, so that Ctrl-C is seen, and return the rest.
    n_games : int
        How many games there are.
    entries : float
        Entries of matrices that all of it reads, as a measure of work.
    """
    threads = available_threads() if entries > _SERIAL_ENTRIES else 1
    count = 1 if threads == 1 else min(n_games, threads * _CHUNKS_PER_THREAD)
    edges = np.linspace(0, n_games, count + 1).astype(int).tolist()
    chunks: SimpleQueue[slice] = SimpleQueue()
    for chunk in map(slice, edges[:-1], edges[1:]):
        chunks.put(chunk)
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.is_set():
                rest = task(chunks.get_nowait())
                if rest is not None:
                    chunks.put(rest)
        except Empty:
            return
        except BaseException:
            stop.set()
            raise

    if threads == 1:
        work()
        return
    with ThreadPoolExecutor(threads - 1) as pool:
        helpers = [pool.submit(work) for _ in range(threads - 1)]
        work()
        for helper in helpers:
            helper.result()


def share(task: Callable[[int], object], count: int) -> None:
    """Call ``task(0), ..., task(count - 1)`` on all cores that this process may use, in any order.

    For work of a millisecond that is done again and again: its threads stay.
    """
    pieces: SimpleQueue[int] = SimpleQueue()
    for piece in range(count):
        pieces.put(piece)
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.is_set():
                task(pieces.get_nowait())
        except Empty:
            return
        except BaseException:
            stop.set()
            raise

    threads = min(available_threads(), count)
    helpers = [_standing_pool(os.getpid()).submit(work) for _ in range(threads - 1)]
    try:
        work()
    finally:
        # Those that have not begun find nothing to do; waiting for them could be waiting for oneself.
        begun = [helper for helper in helpers if not helper.cancel()]
    for helper in begun:
        helper.result()


@functools.lru_cache(maxsize=1)
def _standing_pool(process: int) -> ThreadPoolExecutor:
    """Return the threads of this process; a fork has none of its parent's."""
    return ThreadPoolExecutor(max(1, available_threads() - 1), thread_name_prefix=f"gametheory_pref-{process}")


def available_threads() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
