"""The one place that speaks to numba: kernels compile on first use and are cached where stale code cannot survive.

A `Kernel` holds a plain Python function. Calling it runs the compiled function; `Kernel.function` is the same source
in the interpreter (for debugging, for ``jit=False``, and for small work in a process that has not paid for the
compiler yet). numba itself is imported by the first compilation, never by ``import gametheory_pref``.

numba's own cache does not notice an edit of a *called* function in another file, so ours lives in a folder named after
a hash of every source file that compiled code can come from: any edit starts a fresh folder. Kernels may import from
those files only, which a test holds.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import gc
import hashlib
import logging
import os
import pathlib
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Generic, ParamSpec, TypeVar, overload

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

# Reductions may be reordered and contracted, but NaN and infinity keep their meaning: plain ``fastmath=True`` makes
# ``isnan`` false for a NaN, which would switch off every divergence check.
_REORDERING = frozenset({"contract", "reassoc", "nsz", "arcp"})

# Files and folders of the package that compiled code can come from: kernels, and the update rules fused on top of them.
# Two sets, so that an edit of a rule does not send the solvers of small games back to the compiler.
COMPILED_SOURCES = ("_jit.py", "_simd.py", "_simd_compiled.py", "status.py", "kernels")
RULE_SOURCES = (
    *COMPILED_SOURCES, "values.py", "sum_verbs.py", "verbs.py", "compiled_verbs.py", "fused.py", "lanes.py", "methods",
)

_KEPT_CACHE_FOLDERS = 4
_CACHE_FOLDER_LIFE = 7 * 24 * 3600.0

# numba reads the cache folder from its global configuration. Without the lock two threads that compile at once would
# write caches into the working folder, or leave the configuration changed for everybody's functions.
_CONFIGURING = threading.RLock()

_log = logging.getLogger(__name__)

_interpreting: contextvars.ContextVar[bool] = contextvars.ContextVar("interpreting", default=False)


@contextlib.contextmanager
def interpreted() -> Iterator[None]:
    """Run the kernels called inside the block in the interpreter, so that breakpoints and tracebacks work."""
    token = _interpreting.set(True)
    try:
        yield
    finally:
        _interpreting.reset(token)


@contextlib.contextmanager
def delayed_interrupt() -> Iterator[None]:
    """Let Ctrl-C wait until the end of the block.

    An exception that is raised while numba wraps up the results of a call crashes the process, and would in any case
    leave half of what a call changes changed. Blocks should be short: tenths of a second.
    """
    before = signal.getsignal(signal.SIGINT) if threading.current_thread() is threading.main_thread() else None
    if not callable(before):  # another thread, ignored, or handled outside Python: no exception will come
        yield
        return
    waiting: list[Any] = []
    signal.signal(signal.SIGINT, lambda *what: waiting.append(what))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting:
        before(*waiting[-1])


def cache_folder(sources: tuple[str, ...] = COMPILED_SOURCES) -> pathlib.Path:
    """Return the folder of compiled code for exactly these package sources.

    ``GAMETHEORY_PREF_CACHE_DIR`` overrides the user cache folder of the platform.
    """
    return _cache_root() / _source_hash(sources)


def _cache_root() -> pathlib.Path:
    override = os.environ.get("GAMETHEORY_PREF_CACHE_DIR")
    if override:
        return pathlib.Path(override)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or pathlib.Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = pathlib.Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "gametheory_pref"


@functools.cache
def _source_hash(sources: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    package = pathlib.Path(__file__).parent
    for name in sources:
        source = package / name
        for path in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            digest.update(str(path.relative_to(package)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


@functools.cache
def _prepare_cache_folder(sources: tuple[str, ...]) -> str | None:
    """Create the cache folder and drop old ones; None when the disk does not allow it."""
    folder = cache_folder(sources)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        siblings = sorted(folder.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in siblings[_KEPT_CACHE_FOLDERS:]:
            # Another process may still write to a recent folder, so only those long out of use go.
            if time.time() - old.stat().st_mtime > _CACHE_FOLDER_LIFE:
                shutil.rmtree(old, ignore_errors=True)
    except OSError:
        return None
    return str(folder) if os.access(folder, os.W_OK) else None


class Kernel(Generic[_Arguments, _Result]):
    """A numeric function on plain arrays, compiled by numba on the first call.

    Kernels may call one another by name; numba resolves the call through `_numba_type_`.

    Attributes
    ----------
    function : callable
        The Python source, which the interpreter can run as it stands.
    reassociate : bool
        Whether sums may be reordered. A kernel that keeps the order gives, bit for bit, the interpreter's result
        as long as it uses only ``+ - * /`` and comparisons.
    allocates : bool
        Whether the code makes arrays. Code that does not is compiled without numba's reference counts, which cost a
        short step of a small game more than its arithmetic (all that it calls must be such code, too).
    sources : tuple of str, or None
        What the compiled code comes from, so that the cache can tell when it is stale; None keeps it off the disk.
    rule : str, optional
        Name of the update rule from outside the package that the code is made of: when it does not compile, the
        message is for whoever wrote that.
    internal : bool
        Whether only other kernels call it once compiled: it gets no entry from Python, which takes its arguments apart.
    """

    def __init__(
        self,
        function: Callable[_Arguments, _Result],
        *,
        reassociate: bool = False,
        allocates: bool = True,
        sources: tuple[str, ...] | None = COMPILED_SOURCES,
        rule: str | None = None,
        internal: bool = False,
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.reassociate = reassociate
        self.allocates = allocates
        self.sources = sources
        self.rule = rule
        self.internal = internal
        self._compiled: Any = None

    @property
    def is_loaded(self) -> bool:
        """Whether this process has already compiled the kernel or read it from the cache."""
        return self._compiled is not None and bool(self._compiled.overloads)

    @property
    def is_cached(self) -> bool:
        """Whether an earlier process left compiled code for some argument types on the disk."""
        if self.sources is None:
            return False
        name = f"{self.__module__.rpartition('.')[2]}.{self.function.__qualname__}-*.nbi"
        return any(cache_folder(self.sources).glob(f"*/{name}"))

    @property
    def compiled(self) -> Any:
        """The numba dispatcher."""
        if self._compiled is None:
            with _CONFIGURING:
                if self._compiled is None:
                    if not self.is_cached:
                        _log.info("compiling %s: some seconds, once; the cache keeps it", self.function.__qualname__)
                    self._compiled = _compile(self)
        return self._compiled

    @property
    def _numba_type_(self) -> Any:
        from numba.core import types

        return types.Dispatcher(self.compiled)

    def __call__(self, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        if _interpreting.get():
            return self.function(*args, **kwargs)
        try:
            with contextlib.nullcontext() if self.is_loaded else _no_collection():
                result: _Result = self.compiled(*args, **kwargs)
        except Exception as error:
            from ._uncompilable import comes_from_compiler, uncompilable

            if self.rule is None or not comes_from_compiler(error):
                raise
            # Without numba's pages, which stand in the error's __context__.
            raise uncompilable(self.rule, error) from None
        return result


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Put off the search for garbage: it goes through all that the compiler made, again and again, and finds nothing.

    That is a tenth of a first call, compiled or from the cache.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _compile(kernel: Kernel[..., Any]) -> Any:
    import numba

    options: dict[str, Any] = {"nogil": True, "fastmath": set(_REORDERING) if kernel.reassociate else False}
    if not kernel.allocates:
        # Division follows IEEE here, so that no kernel needs the machinery of exceptions.
        options |= {"_nrt": False, "error_model": "numpy", "no_cfunc_wrapper": True}
    if kernel.internal:
        options["no_cpython_wrapper"] = True
    folder = None if kernel.sources is None else _prepare_cache_folder(kernel.sources)
    if folder is None:
        return numba.njit(**options)(kernel.function)
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = folder
    try:
        return numba.njit(cache=True, **options)(kernel.function)
    finally:
        numba.config.CACHE_DIR = before


# Compiled code on the disk loads in the time of interpreting a thousand small games, but a process that solves one or
# two should not wait for it. A compilation costs some times as much, once for the life of the cache.
_CALLS_BEFORE_LOADING = 3
_CALLS_BEFORE_COMPILING = 100
_SECONDS_BEFORE_COMPILING = 0.4


class InterpretedFirst:
    """Chooses between the interpreter and compiled code for a kernel that this process has not loaded yet.

    The first calls run in the interpreter, as long as that costs less than loading or compiling the kernel would.
    Estimates decide, not clocks, so a program makes the same choices whenever it runs with the same cache.
    """

    def __init__(self, kernel: Kernel[..., Any]) -> None:
        self.kernel = kernel
        self._calls_left: int | None = None
        self._seconds_left = _SECONDS_BEFORE_COMPILING

    def context(self, seconds: float) -> contextlib.AbstractContextManager[None]:
        """Return the context in which to run a call that takes about `seconds` in the interpreter."""
        return interpreted() if self._covers(seconds) else contextlib.nullcontext()

    def finish(self) -> None:
        """Use compiled code from now on."""
        self._calls_left = 0

    def _covers(self, seconds: float) -> bool:
        if self.kernel.is_loaded:
            return False
        if self._calls_left is None:
            self._calls_left = _CALLS_BEFORE_LOADING if self.kernel.is_cached else _CALLS_BEFORE_COMPILING
        self._calls_left -= 1
        self._seconds_left -= seconds
        return self._calls_left >= 0 and self._seconds_left >= 0.0


@overload
def jit(function: Callable[_Arguments, _Result]) -> Kernel[_Arguments, _Result]: ...


@overload
def jit(
    *, reassociate: bool = False, allocates: bool = True
) -> Callable[[Callable[_Arguments, _Result]], Kernel[_Arguments, _Result]]: ...


def jit(function: Any = None, *, reassociate: bool = False, allocates: bool = True) -> Any:
    """Mark a function as a `Kernel`."""
    if function is None:
        return lambda inner: Kernel(inner, reassociate=reassociate, allocates=allocates)
    return Kernel(function, reassociate=reassociate, allocates=allocates)
