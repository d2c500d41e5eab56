"""Colours, fonts and labels that every picture and table shares."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from .._types import Label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Blue and orange differ for every common colour blindness; the series add Okabe and Ito's palette (2008).
BLUE = "#0072b2"
ORANGE = "#e66100"
WHITE = "#ffffff"
INK = "#1a1a1a"
BLACK = "#000000"
GREY = "#767676"
PALE = "#ececec"
SERIES = (BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")

# matplotlib ships the first of the fonts; the others draw names in other scripts where the machine has them.
# The last one, shipped since matplotlib 3.11, has a box for every character: no name is without a glyph.
FONT = "DejaVu Sans"
LAST_RESORT = "Last Resort High-Efficiency"
_OTHER_SCRIPTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans CJK KR",
    "Source Han Sans SC",
    "PingFang SC",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "WenQuanYi Zen Hei",
    "Arial Unicode MS",
)

# Names longer than this are cut in the middle, where model names differ least.
LONGEST_LABEL = 28
_SHORTEST_LABEL = 10
_ELLIPSIS = "…"


@contextmanager
def style() -> Iterator[None]:
    """Apply the settings of the package while drawing or saving, and restore the user's afterwards."""
    import matplotlib

    settings: Any = {
        "font.family": list(font_family()),
        "font.size": 9.0,
        "axes.titlesize": 10.0,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GREY,
        "text.color": INK,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "hatch.linewidth": 0.6,
        "legend.frameon": False,
        "legend.fontsize": 8.0,
        "savefig.dpi": 160.0,
        "svg.fonttype": "none",
        "svg.hashsalt": "gametheory_pref",
        "pdf.fonttype": 42,
    }
    with matplotlib.rc_context(settings):
        yield


def font_family() -> tuple[str, ...]:
    """Return the fonts to look for a character in, first to last."""
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    return tuple(
        name
        for name in (FONT, *_OTHER_SCRIPTS, "sans-serif", LAST_RESORT)
        if name in installed or name == "sans-serif"
    )


def name_look() -> dict[str, Any]:
    """Return how to write names, in any script and as they are, on axes made outside `style`."""
    return {"family": list(font_family()), "parse_math": False}


def new_axes(width: float, height: float) -> Axes:
    """Return the axes of a new figure of that size in inches, unknown to pyplot."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained").add_subplot()


def axes_size(ax: Axes) -> tuple[float, float]:
    """Return the width and height of the axes in inches."""
    box = ax.get_window_extent()
    dpi = ax.figure.dpi
    return float(box.width / dpi), float(box.height / dpi)


def label_limit(ax: Axes) -> int:
    """Return how many characters a name may have on these axes."""
    return min(max(int(4.0 * axes_size(ax)[0]), _SHORTEST_LABEL), LONGEST_LABEL)


def hide_frame(ax: Axes) -> None:
    """Hide the upper and right edge, which axes made outside `style` have."""
    ax.spines[["top", "right"]].set_visible(False)


def set_title(
    ax: Axes, *lines: str, inches: float, pad: float = 8.0, loc: Literal["left", "center"] = "left"
) -> None:
    """Write a title of several lines, each wrapped to a width in inches."""
    wrapped = [part for line in lines for part in wrap_title(line, inches)]
    ax.set_title("\n".join(wrapped), pad=pad, loc=loc, parse_math=False)


def wrap_title(line: str, inches: float) -> list[str]:
    """Return the lines that a line of a title takes on a width in inches."""
    return textwrap.wrap(line, max(int(13.0 * inches), 24))


def one_line(label: Label) -> str:
    """Return a label as text that can be drawn: one line, nothing invisible."""
    text = " ".join(str(label).split())
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def shorten(labels: Sequence[Label], limit: int = LONGEST_LABEL) -> list[str]:
    """Return drawable labels of at most about `limit` characters that still differ.

    Examples
    --------
    >>> shorten(["tea", "an-enormously-long-model-name-2024-04-09"], 20)
    ['tea', 'an-enormo…2024-04-09']
    """
    full = [one_line(label) for label in labels]
    short = [_cut(text, limit) for text in full]
    times = Counter(short)
    return [f"{text} (#{i})" if times[text] > 1 else text for i, text in enumerate(short)]


def _cut(text: str, limit: int) -> str:
    columns = _columns(text)
    if columns <= limit:
        return text
    limit = max(limit * len(text) // columns, 4)
    tail = limit // 2
    return text[: limit - tail - 1].rstrip() + _ELLIPSIS + text[-tail:].lstrip()


def label_inches(labels: Sequence[str], size: float = 9.0) -> float:
    """Return about how wide the widest label is when drawn at `size` points."""
    return max((_columns(text) for text in labels), default=0) * 0.6 * size / 72.0


def _columns(text: str) -> int:
    """Return the width of a text in narrow characters; East Asian ones count double."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def cell_colors(p: float) -> tuple[str, str]:
    """Return the background and text colour of a cell with win probability `p`.

    Examples
    --------
    >>> cell_colors(0.5), cell_colors(1.0)
    (('#ffffff', '#000000'), ('#0072b2', '#ffffff'))
    """
    strength = min(abs(2.0 * p - 1.0), 1.0)
    end = _rgb(BLUE if p > 0.5 else ORANGE)
    color = tuple(round(255.0 + strength * (part - 255.0)) for part in end)
    background = "#" + "".join(f"{part:02x}" for part in color)
    # Of black and white one always has a contrast of at least 4.58; a softer black would not.
    return background, max((WHITE, BLACK), key=lambda text: _contrast(text, background))


def _rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


def _contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.1)."""
    high, low = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    parts = [part / 255.0 for part in _rgb(color)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
