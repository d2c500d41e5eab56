"""Every way in which a file can be wrong has its sentence, with the file and the line."""

from __future__ import annotations

import gzip
import io
import pathlib
import pickle
import re
from typing import Any

import numpy as np
import pytest

from gametheory_pref.data import Options, load, read
from gametheory_pref.data import source as source_module
from gametheory_pref.errors import InputError, MissingDependency, UnsupportedCombination

LOG = "model_a,model_b,winner\n"
PAIRS = "item_a,item_b,wins_a,wins_b,ties\n"
ORDERS = "# ALTERNATIVE NAME 1: A\n# ALTERNATIVE NAME 2: B\n# ALTERNATIVE NAME 3: C\n"
NFG = 'NFG 1 R "t" { "a" "b" } { 2 2 }\n'

CASES: dict[str, tuple[str, str, int | None, dict[str, Any]]] = {
    # name: (text, what the message says, line, choices)
    "empty": ("", "the file is empty", None, {}),
    "blank": ("  \n\n", "the file is empty", None, {}),
    "matrix header only": (",a,b\n", "column names but no rows", 1, {}),
    "log header only": (LOG, "no comparisons, only column names", None, {}),
    "pairs header only": (PAIRS, "no comparisons, only column names", None, {}),
    "one response": ("0.5\n", "only one response, 0; a game needs at least two", None, {}),
    "ragged matrix": (",a,b\na,0.5,0.5\nb,0.5\n", "the row has 2 cells", 3, {}),
    "ragged log": (LOG + "a,b,tie\na,b\n", "the row has 2 cells and the header 3", 3, {}),
    "ragged pairs": (PAIRS + "a,b,1,2\n", "the row has 4 cells and the header 5", 2, {}),
    "nan": (",a,b\na,0.5,nan\nb,0.3,0.5\n", "'nan' is not a number; fill in or drop", 2, {}),
    "infinity": (",a,b\na,0.5,0.7\nb,-inf,0.5\n", "'-inf' is not finite", 3, {}),
    "overflow": ("0 1e999\n-1e999 0", "'1e999' is not finite", 1, {}),
    "word": (",a,b\na,0.5,maybe\nb,0.3,0.5\n", "'maybe' is not a number", 2, {}),
    "underscore": ("0 1 1_0\n3 0 1\n2 2 0", "'1_0' is not a number", 1, {}),
    "decimal comma": (";a;b\na;0.5;0,7\nb;0,3;0.5\n", "decimal comma; write a decimal point", 2, {}),
    "blank cell": (",a,b\na,0.5,\nb,0.3,0.5\n", "cell [a, b] is blank", 2, {}),
    "not complementary": (
        ",x1,y1\nx1,0.5,0.7\ny1,0.2,0.5\n",
        'P[x1,y1] + P[y1,x1] = 0.900, not 1. If ties were left out of the win counts, pass ties="half-missing"',
        2,
        {},
    ),
    "diagonal": (",a,b\na,1,0.5\nb,0.5,1\n", "P[a, a] = 1; against itself", 2, {}),
    "more than one": (
        ",a,b\na,0.5,0.9\nb,0.3,0.5\n",
        "is more than 1, so no ties are missing",
        2,
        {"ties": "half-missing"},
    ),
    "not a probability": ("0.5 1.7\n-0.7 0.5", "P[0, 1] = 1.7 is not a probability", 1, {"kind": "prob"}),
    "negative counts": ("0 3\n-1 0", "wins[1, 0] = -1 is negative", 2, {"kind": "counts"}),
    "fractional counts": ("0 3.5\n1 0", "wins[0, 1] = 3.5 is fractional", 1, {"kind": "counts"}),
    "no votes": ("0 0\n0 0", "there are 0 comparisons", None, {}),
    "against itself in counts": (
        "2 3\n1 0",
        "wins[0, 0] = 2; a response is not compared with itself",
        1,
        {"kind": "counts"},
    ),
    "large skew": (
        "0 5\n-5 0",
        'may be margins, payoffs or log-odds. Say what the entries are: kind="margin"',
        None,
        {},
    ),
    "not skew": ("0 5\n-4 0", "there are negative entries, but the matrix is not skew", None, {}),
    "margins that do not cancel": (
        "0 5\n-4 0",
        "do not cancel. For points to the row",
        1,
        {"kind": "margin"},
    ),
    "neither": ("0.5 2.5\n1 0.5", "the matrix is neither win rates", None, {}),
    "points": ("3 5\n0 1", "the game is M - M.T", None, {}),
    "rectangular": ("1 2 3\n4 5 6", 'kind="scores-by-task" reads rows as tasks', None, {}),
    "names differ": (",a,b\na,0.5,0.7\nc,0.3,0.5\n", "row 2 is called 'c' and column 2 'b'", 3, {}),
    "duplicate columns": (",a,a\na,0.5,0.7\nb,0.3,0.5\n", "two columns are called 'a'", 1, {}),
    "duplicate rows": ("a,0.5,0.7\na,0.3,0.5\n", "two rows are called 'a'", 2, {}),
    "unnamed column": (",a,\na,0.5,0.7\nb,0.3,0.5\n", "column 2 has no name", 1, {}),
    "unknown winner": (
        LOG + "a,b,model_a\na,b,GPT!\n",
        "1 row not understood; first: 'GPT!'. Known winners: model_a, model_b",
        3,
        {},
    ),
    "several unknown": (LOG + "a,b,?\na,b,??\n", "2 rows not understood; first: '?'", 2, {}),
    "no winner": (LOG + "a,b,\n", "no winner is given", 2, {}),
    "third party wins": (
        LOG + "a,b,c\nb,c,c\n",
        "winner 'c' is neither of the two responses, 'a' and 'b'",
        2,
        {},
    ),
    "itself": (LOG + "a,b,tie\na,a,tie\n", "'a' is compared with itself", 3, {}),
    "line of a row after a quoted line end": (LOG + '"a\nx",b,tie\na,b,oops\n', "'oops'", 4, {}),
    "line of a row after blank lines": ("\n" + LOG + "\n\na,b,oops\n", "'oops'", 5, {}),
    "unnamed response": (LOG + "a,,tie\n", "'' is not the name of a response", 2, {}),
    "word as a name": (LOG + "left,b,left\n", "can be read in two ways", None, {}),
    "open quote": (LOG + 'a,"b,tie\na,b,tie\n', "never closed", 2, {}),
    "stray quote": (LOG + 'a,"b"c,tie\n', "cannot be split into cells", 2, {}),
    "negative weight": (
        "left,right,winner,weight\na,b,tie,1\na,b,tie,-1\n",
        "weight -1 is not a finite",
        3,
        {},
    ),
    "weight nan": ("left,right,winner,weight\na,b,tie,nan\n", "column 'weight': 'nan'", 2, {}),
    "no winner column": ("model_a,model_b\na,b\n", "none says who won", 1, {}),
    "two pairs": ("model_a,model_b,left,right,winner\na,b,a,b,tie\n", "both name the two responses", 1, {}),
    "two winner columns": ("left,right,winner,winner\na,b,tie,tie\n", "2 columns called 'winner'", 1, {}),
    "one-hot": ("left,right,winner_left,winner_right\na,b,1,1\n", "must hold a single 1", 2, {}),
    "unknown judge": (
        "judge,left,right,winner\nx,a,b,tie\n",
        "no judge is called 'z'; judges: x",
        None,
        {"judge": "z"},
    ),
    "no judges": (LOG + "a,b,tie\n", "the log has no column 'judge'", None, {"judge": "z"}),
    "judge of a matrix": ("0 1\n3 0", "a matrix does not say who judged", None, {"judge": "z"}),
    "negative wins": (PAIRS + "a,b,1,2,0\na,c,-1,2,0\n", "-1 wins of 'a' and 'c' is negative", 3, {}),
    "fractional wins": (PAIRS + "a,b,1.5,2,0\n", "1.5 wins of 'a' and 'b' is fractional", 2, {}),
    "pair with itself": (PAIRS + "a,a,1,2,0\n", "'a' is compared with itself", 2, {}),
    "pairs without votes": (PAIRS + "a,b,0,0,0\n", "there are 0 comparisons", None, {}),
    "missing pairs": (PAIRS + "a,b,1,0,0\nb,c,1,0,0\n", "first: a and c", None, {"missing": "error"}),
    "kind of a log": (LOG + "a,b,tie\n", 'kind="prob" is for matrices', None, {"kind": "prob"}),
    "ties of a log": (
        LOG + "a,b,tie\n",
        'ties="half-missing" is for matrices',
        None,
        {"ties": "half-missing"},
    ),
    "bad kind": ("0 1\n3 0", "kind must be one of auto", None, {"kind": "proportion"}),
    "ties of margins": ("0 .5\n-.5 0", "ties='drop' makes no sense for a matrix of margins", None, {"ties": "drop"}),
    "ties of counts": ("0 3\n1 0", 'ties="half-missing" is for matrices', None, {"ties": "half-missing"}),
    "averaging a log": (LOG + "a,b,tie\n", "symmetrize=True averages", None, {"symmetrize": True}),
    "averaging counts": ("0 3\n1 0", "symmetrize=True makes no sense", None, {"symmetrize": True}),
    "averaging a Gambit game": (NFG + "1 2 3 4 5 6 7 8", "symmetrize=True makes", None, {"symmetrize": True}),
    "more strategies than numbers": (
        'NFG 1 R "" {"a" "b"} {9999999 9999999} 1',
        "more than there are numbers",
        None,
        {},
    ),
    "order without colon": (ORDERS + "1,2,3\n", "is not of the form 'count: best", 4, {}),
    "unknown alternative": (ORDERS + "1: 1,2,4\n", "alternative 4 is not among the 3", 4, {}),
    "ranked twice": (ORDERS + "1: 1,2,3\n1: 1,2,1\n", "alternative 1 is ranked twice", 5, {}),
    "open brace": (ORDERS + "1: 1,{2,3\n", "'{2,3' has a brace without its partner", 4, {}),
    "no orders": (ORDERS, "there are no votes", None, {}),
    "no voters": (ORDERS + "0: 1,2,3\n", "there are no votes", None, {}),
    "wrong number of voters": (
        "# NUMBER VOTERS: 3\n" + ORDERS + "2: 1,2,3\n",
        "promises 3 voters and the file has 2",
        1,
        {},
    ),
    "tie in a strict order": ("# DATA TYPE: soc\n" + ORDERS + "2: 1,{2,3}\n", "orders without ties", 5, {}),
    "incomplete order": ("# DATA TYPE: toc\n" + ORDERS + "2: 1,2\n", "leaves out alternative 3", 5, {}),
    "twin alternatives": (
        ORDERS.replace("C", "B") + "1: 1,2,3\n",
        "alternatives 2 and 3 are both called 'B'",
        3,
        {},
    ),
    "missing alternative": (ORDERS.replace("3:", "4:") + "1: 1,2\n", "not number 3", None, {}),
    "one alternative": ("# ALTERNATIVE NAME 1: A\n5: 1\n", "only one alternative", None, {}),
    "game cut short": (NFG + "1 2 3 4 5", "the file ends where payoff 5 of 8 should be", 2, {}),
    "game too long": (NFG + "1 2 3 4 5 6 7 8\n9", "'9' stands after the end of the game", 3, {}),
    "division by zero": (NFG + "1/0 2 3 4 5 6 7 8", "'1/0' divides by zero", 2, {}),
    "not a payoff": (NFG + "1 2 3 x 5 6 7 8", "'x' is not a number", 2, {}),
    "huge payoff": (NFG + "1e9999 2 3 4 5 6 7 8", "is not a number within float64", 2, {}),
    "too large to hold": (NFG + "1e390 2 3 4 5 6 7 8", "a payoff exceeds 1e+150", None, {}),
    "unknown outcome": (
        'NFG 1 R "" {"a" "b"} {1 1} { { "" 1 2 } } 2',
        "cell 1 has outcome 2, but there are 1",
        None,
        {},
    ),
    "strategies for one": ('NFG 1 R "" {"a" "b"} {1}', "there are 2 players and strategies for 1", 1, {}),
    "open string": ('NFG 1 R "t { "a" }', "cannot be read; a quote may not be closed", 1, {}),
    "version": ('NFG 2 R "t" {"a"} {1} 1', "must start with 'NFG 1 R'", 1, {}),
    "kind of a Gambit game": (
        NFG + "1 2 3 4 5 6 7 8",
        'kind="counts" does not fit',
        None,
        {"kind": "counts"},
    ),
    "not JSON": ('{"names": [}', "this is not JSON", 1, {}),
    "JSON nan": ('{"preference": [[0.5, NaN], [0.3, 0.5]]}', "NaN is not a number", None, {}),
    "JSON ragged": ('{"preference": [[0.5, 0.7], [0.3]]}', "preference is ragged", None, {}),
    "JSON twice": ('{"P": 1, "P": 2}', "the key 'P' occurs twice", None, {}),
    "JSON nothing": ('{"x": 1}', "there is no matrix under any of the names", None, {}),
    "JSON scalar": ("[]", "is empty", None, {}),
    "JSON several": ('{"P": [[0.5]], "wins": [[0]]}', "there are several matrices, P and wins", None, {}),
    "JSON names": ('{"names": ["a"], "P": [[0.5, 0.5], [0.5, 0.5]]}', "there are 1 names", None, {}),
    "JSON twins": ('{"names": ["a", "a"], "P": [[0.5, 0.5], [0.5, 0.5]]}', "names has 'a' twice", None, {}),
    "JSON huge": ('{"wins": [[0, 1' + "0" * 400 + "], [0, 0]]}", "not a number within float64", None, {}),
    "JSON deep": ("[" * 100_000, "", None, {}),
    "JSON schema": ('{"schema": "gtpref.game/9"}', "this version reads 'gtpref.game/1'", None, {}),
    "JSON lines": (
        '{"left": "a", "right": "b", "winner": "tie"}\n{"left": "a", "winner": "tie"}\n',
        "no 'right'",
        2,
        {},
    ),
    "JSON lines winner": (
        '{"left": "a", "right": "b", "winner": "tie"}\n{"left": "a", "right": "b", "winner": "x"}\n',
        "'x'",
        2,
        {},
    ),
    "JSON lines list": ('{"left": "a", "right": "b", "winner": "tie"}\n[1]\n', "must be an object", 2, {}),
    "terminal codes": (",\x1b[2J,a\n\x1b[2J,0.5,x\na,0.3,0.5\n", "(column 'a')", 2, {}),
    "line end in a name": (',"x\ny",a\n"x\ny",0.5,0.6\na,0.3,0.5\n', "P[x\\ny,a] + P[a,x\\ny] = 0.900", 3, {}),
    "counts and a winner": ("left,right,winner,wins_left,wins_right\na,b,tie,1,2\n", "keep one of the two", 1, {}),
    "unnamed in pairs": (PAIRS + "a,,1,2,0\n", "a response has no name", 2, {}),
    "no number": (PAIRS + "a,b,,2,0\n", "there is no number", 2, {}),
    "very long cell": (LOG + "a,b," + "x" * 200_000 + "\n", "a cell is longer than 131072 characters", 2, {}),
    "bad row of one judge": (
        "judge,left,right,winner\nx,a,b,?\ny,a,b,tie\ny,a,b,?\n",
        "1 row not understood",
        4,
        {"judge": "y"},
    ),
    "both rates zero": (
        ",a,b\na,,0\nb,0,\n",
        "without ties nothing is left of the pair",
        2,
        {"ties": "drop", "kind": "prob"},
    ),
    "too large to square": ("0 1\n-1e308 0", "entry [1, 0] is -1e+308; divide all entries", 2, {}),
    "one task column": ("task,x\nt,1\n", "there is only one response, 'x'", None, {"kind": "scores-by-task"}),
    "names alone": ("a\nb\nc\n", "there are names but no numbers", 1, {}),
    "no alternatives": ("# DATA TYPE: soc\n1: 1,2\n", "the header names no alternatives", 1, {}),
    "unnamed alternative": (ORDERS.replace(" B", "") + "1: 1,2,3\n", "alternative 2 has no name", 2, {}),
    "number of voters": ("# NUMBER VOTERS: many\n" + ORDERS + "1: 1\n", "must be a whole number; it is 'many'", 1, {}),
    "alternative named twice": (ORDERS.replace("2:", "1:") + "1: 1\n", "alternative 1 is named twice", 2, {}),
    "enormous alternative": (ORDERS + "1: 1,2," + "9" * 5000 + "\n", "is not the number of an alternative", 4, {}),
    "JSON ties beside rates": (
        '{"P": [[0.5, 0.5], [0.5, 0.5]], "ties": [[0, 1], [1, 0]]}',
        "ties belong to win counts",
        None,
        {},
    ),
    "JSON ties not symmetric": ('{"wins": [[0, 1], [1, 0]], "ties": [[0, 1], [0, 0]]}', "ties[0, 1] = 1 but", None, {}),
    "JSON columns": ('{"left": ["a"], "right": ["b", "c"], "winner": ["tie"]}', "columns differ in length", None, {}),
    "JSON number": ('{"wins": [[0, true], [1, null]]}', "has entry (0, 1) = True, not a number", None, {}),
    "JSON digits": ('{"wins": ' + "1" * 5000 + "}", "this is not JSON that can be read", None, {}),
    "JSON lines weight": (
        '{"left": "a", "right": "b", "winner": "tie", "weight": 1}\n'
        '{"left": "a", "right": "b", "winner": "tie", "weight": "much"}\n',
        "'weight' must be a number; it is 'much'",
        2,
        {},
    ),
    "JSON lines label": (
        '{"left": "a", "right": "b", "winner": "tie"}\n{"left": ["a"], "right": "b", "winner": "tie"}\n',
        "'left' must be text or a whole number; it is list",
        2,
        {},
    ),
    "JSON lines pairs": (
        '{"left": "a", "right": "b", "wins_left": 1, "wins_right": 2}\n'
        '{"left": "a", "right": "a", "wins_left": 1, "wins_right": 2}\n',
        "'a' is compared with itself",
        2,
        {},
    ),
    "enormous wins": (PAIRS + "a,b,1e300,1,0\n", "1e+300 wins of 'a' and 'b' is beyond 2**53", 2, {}),
    "enormous counts": ("0 1e100\n1 0", "wins[0, 1] = 1e+100 is beyond 2**53", 1, {"kind": "counts"}),
    "enormous weight": ("left,right,winner,weight\na,b,tie,1e300\n", "weight 1e+300 is not", 2, {}),
    "JSON enormous ties": ('{"wins": [[0, 1], [0, 0]], "ties": [[0, 1e300], [1e300, 0]]}', "beyond 2**53", None, {}),
    "NUL": (",a,b\na,0.5,0.7\nb\0,0.3,0.5\n", "there is a NUL character", 3, {}),
}


@pytest.mark.parametrize(("text", "message", "line", "choices"), CASES.values(), ids=CASES.keys())
def test_each_mistake_has_its_sentence(
    text: str, message: str, line: int | None, choices: dict[str, Any], tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "data"
    path.write_bytes(text.encode())
    with pytest.raises(InputError) as caught:
        read(path, **choices)
    assert message in caught.value.reason
    assert caught.value.line == line
    assert caught.value.file in (str(path), None if "must be one of" in message else str(path))
    assert str(caught.value).isprintable()


def test_wrong_encoding_names_the_byte_and_the_line(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(",a,b\na,0.5,0.7\né,0.3,0.5\n".encode("latin-1"))
    with pytest.raises(InputError, match=re.escape(f"{path}: line 3: byte 0xe9 is not UTF-8; save")):
        read(path)


def test_missing_file_and_directory(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InputError, match="nowhere.csv: no such file"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="is a directory; name one file in it"):
        read(tmp_path)
    with pytest.raises(InputError, match="use read_text"):
        read("0.5 0.7\n0.3 0.5")
    with pytest.raises(InputError, match="source must be a path or an open file; got list"):
        read([[0.5]])  # type: ignore[arg-type]


def test_gzip_that_is_cut_short(tmp_path: pathlib.Path) -> None:
    whole = gzip.compress(b"0.5 0.7\n0.3 0.5\n" * 50)
    path = tmp_path / "x.csv.gz"
    for broken in (whole[:-9], whole[: len(whole) // 2], whole[:2], whole[:20] + b"junk" + whole[24:]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match="the gzip stream is cut short or damaged"):
            read(path)


def test_gzip_bomb_is_refused_before_it_fills_the_memory(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_module, "MAX_BYTES", 1 << 22)
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"0,1\n" * (1 << 21)))
    with pytest.raises(InputError, match="holds more than"):
        read(path)


class EndlessLine(io.RawIOBase):
    """Two gigabytes of digits without a line end, made as they are read, and a count of what was taken."""

    def __init__(self, start: bytes = b"a,b\n") -> None:
        self.taken = 0
        self.start = start

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "the reader must not ask for everything at once"
        piece = (self.start[self.taken :] + b"7" * size)[:size]
        self.taken += len(piece)
        return piece if self.taken < 2 << 30 else b""


@pytest.mark.parametrize("start", [b"a,b\n", b"\n\n", b'model_a,model_b,winner\n"'])
def test_a_line_of_two_gigabytes_is_refused_without_loading_it(start: bytes) -> None:
    stream = EndlessLine(start)
    with pytest.raises(InputError, match="the line is longer than 64 MiB") as caught:
        read(stream)  # type: ignore[arg-type]
    assert caught.value.line == start.count(b"\n") + 1
    assert stream.taken <= source_module.MAX_LINE + (2 << 20)


def test_pickles_are_never_opened(tmp_path: pathlib.Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (pathlib.Path.touch, (tmp_path / "opened",))

    objects = np.array([[Trap(), 1], [2, 3]], dtype=object)
    np.save(tmp_path / "x.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "x.npz", P=objects)
    for name in ("x.npy", "x.npz"):
        with pytest.raises(InputError, match="pickled Python objects.*never loaded"):
            read(tmp_path / name)
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(InputError):
        read(tmp_path / "x.pkl")
    assert not (tmp_path / "opened").exists()


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_npy(np.eye(3))[:-8], "it may be cut short"),
        (_npy(np.eye(3)).replace(b"(3, 3)", b"(3,-3)"), "it may be cut short|damaged"),
        (_npy(np.eye(3)).replace(b"(3, 3)", b"(9e9,)"), "damaged or not one of NumPy's"),
        (_npy(np.eye(3))[:9], "damaged or not one of NumPy's"),
        (_npy(np.array([[0.5, np.nan], [0.5, 0.5]])), r"entry \(0, 1\) = nan"),
        (_npy(np.array([0.5, 0.5])), "must be rows of numbers"),
        (_npy(np.array([["a", "b"]])), "must be rows of numbers"),
        (_npy(np.array([[0.5, 1j], [1, 1]])), "must be rows of numbers"),
        (_npy(np.empty((0, 0))), "is empty"),
        (b"PK\x03\x04 and then nothing", "the archive is damaged"),
        (b"PK\x05\x06" + bytes(18), "found: nothing"),
        (b"PAR1 not a table", "the Parquet file is damaged"),
    ],
)
def test_damaged_binary_files(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(io.BytesIO(content))


def test_name_and_content_disagree(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.npz"
    path.write_text("0.5 0.7\n0.3 0.5")
    with pytest.raises(InputError, match=r"the name says .npz, but the content is not NPZ"):
        read(path)


def test_zip_bomb_is_refused(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gametheory_pref.data import arrays

    np.savez_compressed(tmp_path / "x.npz", P=np.zeros((600, 600)))
    monkeypatch.setattr(arrays, "MAX_BYTES", 1 << 20)
    with pytest.raises(InputError, match="the archive unpacks to more than"):
        read(tmp_path / "x.npz")


def test_too_many_responses_means_a_wrong_column() -> None:
    text = LOG + "".join(f"text {k},b,tie\n" for k in range(10_001))
    with pytest.raises(InputError, match="10001 of the 10002 different responses occur .* may be the wrong"):
        read(io.StringIO(text))


def test_weighted_pairs_must_be_named(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.wmd"
    path.write_text(ORDERS + "3,1,2\n")
    with pytest.raises(InputError, match='pass kind="counts".*or kind="margin"'):
        read(path)


def test_choices_are_checked_by_name() -> None:
    for name in ("kind", "ties", "unranked", "missing"):
        with pytest.raises(InputError, match=f"{name} must be one of"):
            Options(**{name: "nonsense"})
    with pytest.raises(InputError, match="format must be one of table"):
        load(io.BytesIO(b"0 1\n3 0"), format="excel")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="encoding 'klingon' is not known"):
        read(io.BytesIO(b"0 1\n3 0"), encoding="klingon")


def test_a_game_is_not_an_election(tmp_path: pathlib.Path) -> None:
    from gametheory_pref.data import write
    from gametheory_pref.games import from_margins

    with pytest.raises(UnsupportedCombination, match="holds ballots"):
        write(from_margins([[0, 1], [-1, 0]]), tmp_path / "x.soc")
    with pytest.raises(InputError, match="unknown suffix '.xlsx'"):
        write(from_margins([[0, 1], [-1, 0]]), tmp_path / "x.xlsx")


def test_elections_of_before_2022_are_named_as_such(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.soc"
    path.write_text("2\n1,A\n2,B\n3,3,1\n3,1,2\n")
    with pytest.raises(InputError, match="line 1: this is PrefLib's format from before 2022"):
        read(path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("3,1", "is not of the form 'weight,first,second'"),
        ("3,1,1", "must name two different alternatives of 1 to 3"),
        ("3,1,9", "must name two different alternatives of 1 to 3"),
        ("0.5,1,2", "weight '0.5' is not a whole number"),
    ],
)
def test_weighted_pairs_are_checked(row: str, message: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "x.pwg"
    path.write_text(f"{ORDERS}3,1,2\n{row}\n")
    with pytest.raises(InputError, match=f"line 5: .*{message}"):
        read(path, kind="counts")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"model": ["a"], "text": ["b"]}, "the columns are 'model', 'text'; comparisons need"),
        ({"left": [0.5], "right": ["b"], "winner": ["tie"]}, "column 'left' has type double; labels are"),
        ({"left": ["a", None], "right": ["b", "b"], "winner": ["tie"] * 2}, "row 1: None is not the name"),
        ({"left": ["a"], "right": ["b"], "winner": ["?"]}, r"row 0: 1 row not understood; first: '\?'"),
        (
            {"left": ["a"] * 2, "right": ["b"] * 2, "winner": ["tie"] * 2, "weight": [1.0, None]},
            "row 1: column 'weight'",
        ),
        ({"left": ["a"], "right": ["b"], "winner": ["tie"], "weight": ["x"]}, "column 'weight' must hold numbers"),
        ({"left": ["a"], "right": ["b"], "winner_left": [1], "winner_right": [1]}, "must hold a single 1"),
        ({"item_a": ["a"], "item_b": ["a"], "wins_a": [1], "wins_b": [1]}, "row 0: 'a' is compared with itself"),
    ],
)
def test_parquet_files_are_checked(columns: dict[str, Any], message: str, tmp_path: pathlib.Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    pyarrow.parquet.write_table(arrow.table(columns), tmp_path / "x.parquet")
    with pytest.raises(InputError, match=message):
        read(tmp_path / "x.parquet")


def test_damaged_text_in_a_parquet_file(tmp_path: pathlib.Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    table = arrow.table({"left": ["Anna"], "right": ["Bert"], "winner": ["tie"]})
    pyarrow.parquet.write_table(
        table, tmp_path / "x.parquet", compression="none", use_dictionary=False, write_statistics=False
    )
    content = (tmp_path / "x.parquet").read_bytes()
    assert read(io.BytesIO(content)).names == ("Anna", "Bert")
    assert content.count(b"Anna") == 1
    with pytest.raises(InputError, match="the Parquet file is damaged .*UTF8"):
        read(io.BytesIO(content.replace(b"Anna", b"A\xd8na")))


def test_parquet_without_pyarrow_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependency, match=r"gametheory-pref\[parquet\]"):
        read(io.BytesIO(b"PAR1"))


def test_only_preference_games_are_written_as_tables(tmp_path: pathlib.Path) -> None:
    from gametheory_pref.data import write
    from gametheory_pref.games import matrix_game, multiplayer_game

    for suffix in (".csv", ".npz"):
        for game in (matrix_game([[1, 2]]), multiplayer_game(np.ones((3, 1, 1, 1)))):
            with pytest.raises(UnsupportedCombination, match="write .*[.]json"):
                write(game, tmp_path / f"x{suffix}")
