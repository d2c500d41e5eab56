"""`read` turns a file of any known format into a game, or says what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from ..errors import InputError
from ..games import Game
from .arrays import read_npy, read_npz
from .delimited import read_delimited
from .gambit import read_nfg
from .json_format import read_json, read_jsonl
from .options import Loaded, Options
from .parquet import read_parquet
from .preflib import read_preflib
from .source import Raw, Source, decode, read_bytes

Format = Literal["table", "json", "jsonl", "npz", "npy", "parquet", "preflib", "nfg"]

FORMATS: tuple[Format, ...] = ("table", "json", "jsonl", "npz", "npy", "parquet", "preflib", "nfg")

_OF_SUFFIX: dict[str, Format] = {
    ".csv": "table",
    ".tsv": "table",
    ".tab": "table",
    ".txt": "table",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".npz": "npz",
    ".npy": "npy",
    ".parquet": "parquet",
    ".soc": "preflib",
    ".soi": "preflib",
    ".toc": "preflib",
    ".toi": "preflib",
    ".pwg": "preflib",
    ".wmd": "preflib",
    ".nfg": "nfg",
}

_OF_MAGIC: tuple[tuple[bytes, Format], ...] = (
    (b"PK\x03\x04", "npz"),
    (b"PK\x05\x06", "npz"),
    (b"\x93NUMPY", "npy"),
    (b"PAR1", "parquet"),
)


def read(
    source: Source,
    *,
    kind: str = "auto",
    ties: str = "half",
    unranked: str = "ignore",
    missing: str = "half",
    judge: str | None = None,
    symmetrize: bool = False,
    skip_bad: bool = False,
    atol: float = 1e-9,
    table: str = "auto",
    format: Format | None = None,
    encoding: str = "utf-8",
) -> Game:
    """Return the game in a file: a matrix, a log of comparisons, counted pairs, an election or a Gambit game.

    Nothing is guessed in silence: what can be read in two ways is refused with a sentence that names the
    option, and what the reader decided stands in ``game.votes.notes`` and in `data_report`.

    Parameters
    ----------
    source : path or open file
        CSV, TSV, blank-separated text, JSON, JSON lines, NPZ, NPY, Parquet, PrefLib (``.soc .soi .toc .toi``,
        ``.pwg .wmd``) or Gambit ``.nfg``; any of them gzipped.
    kind : str
        What a matrix holds: "prob" (win probabilities, ``P + P.T == 1``), "counts" (times the row beat the
        column), "margin" (skew; divided by the largest entry when that exceeds 1), "scores" (skew log-odds),
        "points" (points to the row; the game is ``M - M.T``), "payoff" (zero-sum game of two players),
        "scores-by-task" (rows are tasks, columns responses, the higher score wins). "auto" takes the only
        thing that the entries can be. For counted comparisons "rate" (also "auto") or "margin", as in
        `from_counts`.
    ties : {"half", "drop", "half-missing"}
        A tie is half a win for both, or does not count. "half-missing" is for matrices of win rates without
        the ties: what ``P + P.T`` lacks to 1 is shared.
    unranked : {"ignore", "bottom"}
        Elections: a pair counts only for voters who ranked both, or unranked alternatives tie below the
        ranked ones.
    missing : {"half", "error"}
        A pair never compared is played as 1/2, or refused.
    judge : str, optional
        Use only the judgements of this judge.
    symmetrize : bool
        Replace a matrix of probabilities by ``(P + 1 - P.T) / 2``.
    skip_bad : bool
        Leave out the rows of a log that are not understood, and count them in the notes.
    atol : float
        Largest ``|P + P.T - 1|`` that passes as rounding.
    table : {"auto", "dense", "sparse"}
        What comparisons become: "auto" makes tables up to 10,000 responses, and above a sparse game that stores no
        more than the pairs that were compared.
    format : {"table", "json", "jsonl", "npz", "npy", "parquet", "preflib", "nfg"}, optional
        Read `source` as this, whatever its name and first bytes say.
    encoding : str
        Encoding of text without a byte-order mark.

    Returns
    -------
    PreferenceGame, OperatorGame, MatrixGame or MultiplayerGame
        Gambit games of two players are a `MatrixGame`, of more a `MultiplayerGame`; most else is a
        `PreferenceGame`, or of very many responses an `OperatorGame`.

    Raises
    ------
    InputError
        With file and line where there is one, the value found, and what to do.
    MissingDependency
        A Parquet file without pyarrow.
    """
    options = Options(kind, ties, unranked, missing, judge, symmetrize, skip_bad, atol, table)
    return load(source, options, format=format, encoding=encoding).game


def read_text(text: str, *, name: str = "<text>", format: Format | None = None, kind: str = "auto") -> Game:
    """Return the game in pasted text, as `read` would from a file called `name`.

    Examples
    --------
    >>> lines = ["0.5 0.7", "0.3 0.5"]
    >>> read_text(chr(10).join(lines)).preference
    array([[0.5, 0.7],
           [0.3, 0.5]])
    """
    return _load_raw(Raw(text.encode("utf-8", "surrogatepass"), name), Options(kind), format, "utf-8").game


def load(
    source: Source, options: Options | None = None, *, format: Format | None = None, encoding: str = "utf-8"
) -> Loaded:
    """Return the game in a file together with the format found and notes on what was decided; see `read`."""
    return _load_raw(read_bytes(source), options or Options(), format, encoding)


def _load_raw(raw: Raw, options: Options, format: Format | None, encoding: str) -> Loaded:
    if format is not None and format not in FORMATS:
        raise InputError(f"format must be one of {', '.join(FORMATS)}; got {format!r}")
    try:
        if not raw.data:
            raise InputError("the file is empty; there is nothing to read")
        loaded = _dispatch(raw, options, format, encoding)
    except InputError as error:
        raise InputError(_printable(error.reason), file=raw.file, line=error.line) from error.__cause__
    return replace(loaded, file=raw.file)


def _printable(text: str) -> str:
    """Return a message on one line: names and values from a file may hold line ends and terminal codes."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _dispatch(raw: Raw, options: Options, format: Format | None, encoding: str) -> Loaded:
    found = format or next((name for magic, name in _OF_MAGIC if raw.data.startswith(magic)), None)
    binary: dict[str, Callable[[bytes, Options], Loaded]] = {
        "npz": read_npz,
        "npy": read_npy,
        "parquet": read_parquet,
    }
    if found in binary:
        return binary[found](raw.data, options)
    found = found or _OF_SUFFIX.get(raw.suffix)
    if found in binary:
        raise InputError(f"the name says {raw.suffix}, but the content is not {found.upper()}; it may be damaged")
    text = decode(raw, encoding)
    found = found or _sniff(text)
    if found == "preflib":
        return read_preflib(text, options, suffix=raw.suffix)
    if found == "nfg":
        return read_nfg(text, options)
    if found == "json":
        return read_json(text, options)
    if found == "jsonl":
        return read_jsonl(text, options)
    return read_delimited(text, options, suffix=raw.suffix)


def _sniff(text: str) -> Format:
    """Return the format of text whose name tells nothing."""
    start = text[:4096].lstrip()
    if start.startswith("NFG"):
        return "nfg"
    if start.startswith("["):
        return "json"
    if start.startswith("{"):
        first = start.split("\n", 1)[0].rstrip()
        return "jsonl" if first.endswith("}") and "\n" in start else "json"
    if re.match(r"#\s*(FILE NAME|TITLE|DESCRIPTION|DATA TYPE|NUMBER [A-Z]+|ALTERNATIVE NAME)\b", start):
        return "preflib"
    return "table"
