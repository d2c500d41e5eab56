"""One sentence in place of numba's pages when somebody's update rule cannot be compiled."""

from __future__ import annotations

import re
import traceback

from .errors import UnsupportedCombination

# What numba says around the line that helps: where it was in its own work, and the code it quotes.
_AROUND = re.compile(
    r"Failed in nopython|No implementation of|There (are|is) \d|- Of which|Overload (in|of) function|With argument|"
    r"Rejected as|raised from|During:|File \"|- Resolution failure|Enable |This error is usually|\^|>>> |None$|<source|"
    r"No match"
)
_TRIMMED = re.compile(r"^\w*(Error|Exception): |,? defined at .*$|\. Raised from .*$")
_PLACE = re.compile(r"([^\s\"/\\]*[/\\])*(?P<file>[^\s\"/\\]+\.py)\"?(?: \(|, line )(?P<line>\d+)")
_OWN_FILES = frozenset({"compiled_verbs.py", "fused.py", "lanes.py", "_jit.py"})
_HINTS = {
    "NRT required": "it makes an array; use the verbs, which have their own scratch",
    "Untyped global name": "mark functions that a step calls with @verbs.part; other globals must be numbers",
    "Cannot unify": "a variable keeps its type, and step returns the type of init, every field of it",
}


def comes_from_compiler(error: BaseException) -> bool:
    """Return whether numba raised an error while it compiled, rather than the code that it had compiled."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__", "").startswith("numba.") for frame, _ in frames)


def uncompilable(rule: str, error: BaseException) -> UnsupportedCombination:
    """Return the error to raise where numba refused a rule: its name, the line that helps, and what to do."""
    texts = [str(one) for one in _chain(error)]
    reason = next((found for found in map(_reason, texts) if found), texts[0].strip().partition("\n")[0])
    hint = next((f" ({words})" for start, words in _HINTS.items() if start in reason), "")
    place = next((found for found in map(_place, texts) if found), "")
    return UnsupportedCombination(
        f"{rule} cannot be compiled{place}: {reason}{hint}; mend the rule, or pass jit=False to run it in the "
        "interpreter"
    )


def _chain(error: BaseException | None) -> list[BaseException]:
    """Return what was raised and what it was raised on top of, the innermost first."""
    found: list[BaseException] = []
    while error is not None:
        found.insert(0, error)
        error = error.__cause__ or error.__context__
    return found


def _reason(text: str) -> str:
    """Return the first line that is neither numba's account of its own work nor quoted code."""
    quoting = False
    for line in map(str.strip, text.splitlines()):
        quoting = bool(line) and (quoting or line.startswith('File "'))
        if line and not quoting and not _AROUND.search(line):
            return _TRIMMED.sub("", line)
    return ""


def _place(text: str) -> str:
    """Return the first place outside numba and this package's loops."""
    for match in _PLACE.finditer(text):
        if "numba" not in match[0] and match["file"] not in _OWN_FILES:
            return f" ({match['file']}, line {match['line']})"
    return ""
