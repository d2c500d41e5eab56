"""Damaged files of every format: a valid game or an `InputError` of one line, never anything else."""

from __future__ import annotations

import gzip
import io
import json
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gametheory_pref.data import Options, load
from gametheory_pref.data.json_format import game_to_dict
from gametheory_pref.data.options import KINDS, MISSING, TIES, UNRANKED
from gametheory_pref.errors import InputError
from gametheory_pref.games import Game, MatrixGame, PreferenceGame, matrix_game, multiplayer_game
from gametheory_pref.games.comparisons import from_comparisons
from gametheory_pref.games.votes import from_counts


def _saved(save: Callable[..., None], *arrays: Any, **named: Any) -> bytes:
    stream = io.BytesIO()
    save(stream, *arrays, **named)
    return stream.getvalue()


def _json(game: Game) -> bytes:
    return json.dumps(game_to_dict(game)).encode()


P = np.array([[0.5, 0.7], [0.3, 0.5]])
LOG = from_comparisons(["a", "b"], ["b", "c"], ["left", "tie"], judge=["x", "y"], weight=[1.0, 2.5])
VALID: dict[str, bytes] = {
    "matrix.csv": b",a,b\na,0.5,0.7\nb,0.3,0.5\n",
    "counts.tsv": b"a\tb\n\t3\n1\t\n",
    "blanks.txt": b"0 0.4 -1\n-0.4 0 0\n1 0 0\n",
    "log.csv": b'judge,model_a,model_b,winner,weight\nx,a,"b\nc",model_a,1\ny,a,"b\nc",tie,2\n',
    "hot.csv": b"left,right,winner_left,winner_right,winner_tie\na,b,1,0,0\nb,c,0,0,1\n",
    "pairs.csv": b"item_a,item_b,wins_a,wins_b,ties\na,b,3,1,0\nc,a,0,0,2\n",
    "tasks.csv": b"game,x,y,z\nt1,1,2,3\nt2,5,4,4\n",
    "log.jsonl": b'{"left": "a", "right": "b", "winner": "left"}\n{"left": "a", "right": "c", "winner": "tie"}\n',
    "matrix.json": b'{"names": ["a", "b"], "preference": [[0.5, 0.7], [0.3, 0.5]]}',
    "counts.json": b'{"names": ["a", "b"], "wins": [[0, 7], [3, 0]], "ties": [[0, 1], [1, 0]]}',
    "log.json": _json(LOG),
    "votes.json": _json(from_counts([[0, 3], [1, 0]], names=["a", "b"], kind="margin")),
    "game.json": _json(matrix_game([[3, -1], [-1, 1]])),
    "three.json": _json(multiplayer_game(np.arange(12.0).reshape(3, 2, 1, 2))),
    "one.npy": _saved(np.save, P),
    "named.npz": _saved(np.savez_compressed, P=P, names=np.array(["a", "b"])),
    "counts.npz": _saved(np.savez, wins=np.array([[0, 7], [3, 0]])),
    "strict.soc": b"# DATA TYPE: soc\n# NUMBER VOTERS: 3\n# ALTERNATIVE NAME 1: A\n# ALTERNATIVE NAME 2: B\n3: 1,2\n",
    "ties.toi": b"# ALTERNATIVE NAME 1: A\n# ALTERNATIVE NAME 2: B\n# ALTERNATIVE NAME 3: C\n2: {1,3},2\n1: 2\n",
    "payoff.nfg": b'NFG 1 R "t" { "a" "b" } { 2 2 } 1 -1 1/3 -0.25 0 0 1e-3 2',
    "outcome.nfg": b'NFG 1 R "t" { "a" "b" } { {"x" "y"} {"z"} } "" { { "o" 1, -1 } } 1 0',
    "matrix.csv.gz": gzip.compress(b",a,b\na,0.5,0.7\nb,0.3,0.5\n", mtime=0),
}


def assert_valid(game: Game) -> None:
    """The invariants that solvers rely on."""
    if isinstance(game, PreferenceGame):
        assert game.n_responses >= 1 and len(game.names) == game.n_responses
        assert np.isfinite(game.preference).all()
        assert np.array_equal(game.payoff, -game.payoff.T)
        assert np.abs(game.payoff).max() <= 0.5
        assert len(set(game.names)) == len(game.names)
    elif isinstance(game, MatrixGame):
        assert np.isfinite(game.row_payoff).all() and np.isfinite(game.column_payoff).all()
    else:
        assert np.isfinite(game.payoffs).all()


def check_valid_or_refused(name: str, content: bytes, options: Options) -> None:
    stream = io.BytesIO(content)
    stream.name = name  # type: ignore[attr-defined]
    try:
        game = load(stream, options).game
    except InputError as error:
        assert error.reason and str(error).isprintable()
        return
    assert_valid(game)


@pytest.mark.parametrize("name", VALID)
def test_the_files_to_be_damaged_are_valid(name: str) -> None:
    stream = io.BytesIO(VALID[name])
    stream.name = name  # type: ignore[attr-defined]
    kind = "scores-by-task" if name == "tasks.csv" else "auto"
    assert_valid(load(stream, Options(kind=kind)).game)


OPTIONS = st.builds(
    Options,
    kind=st.sampled_from(KINDS),
    ties=st.sampled_from(TIES),
    unranked=st.sampled_from(UNRANKED),
    missing=st.sampled_from(MISSING),
    judge=st.none() | st.just("x"),
    symmetrize=st.booleans(),
    skip_bad=st.booleans(),
)
TOKENS = b"nan inf -1 1e308 0 , ; { } [ ] : # null true 1/0 tie winner a".split()
PIECES = st.binary(max_size=8) | st.sampled_from(
    [*TOKENS, b'"', b"\t", b"\n", b"\r", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"9" * 400]
)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """A valid file after a few cuts, copies and insertions."""
    name = draw(st.sampled_from(sorted(VALID)))
    content = VALID[name]
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        stop = draw(st.integers(start, min(len(content), start + 12)))
        piece = draw(PIECES | st.just(content[start:stop] * 2))
        content = content[:start] + piece + content[stop:]
    return name, content


@given(damaged(), st.just(Options()) | OPTIONS)
@settings(max_examples=400, deadline=None)
def test_damaged_files(file: tuple[str, bytes], options: Options) -> None:
    check_valid_or_refused(*file, options)


@pytest.mark.slow
@given(damaged(), st.just(Options()) | OPTIONS)
@settings(max_examples=5_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_many_damaged_files(file: tuple[str, bytes], options: Options) -> None:
    check_valid_or_refused(*file, options)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)
SAVED = [json.loads(VALID[name]) for name in ("log.json", "votes.json", "game.json", "three.json", "counts.json")]


def _paths(data: Any) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [()] + [(key, *path) for key, value in items for path in _paths(value)]


@given(st.sampled_from(SAVED), st.data(), JSON_VALUES)
@settings(max_examples=300, deadline=None)
def test_saved_games_with_one_value_replaced(saved: Any, data: st.DataObject, value: Any) -> None:
    path = data.draw(st.sampled_from(_paths(saved)))
    document = json.loads(json.dumps(saved))
    if path:
        place = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
    else:
        document = value
    check_valid_or_refused("x.json", json.dumps(document).encode(), Options())


@pytest.mark.slow
def test_coverage_guided_fuzzing(tmp_path: pathlib.Path) -> None:
    """A minute or two of libFuzzer over the readers, from the valid files above and a fixed seed."""
    pytest.importorskip("atheris", reason="atheris has wheels for Linux only")
    for name, content in VALID.items():
        # The first byte chooses the options; 9 is kind="auto" with the format found from the content.
        (tmp_path / name).write_bytes(b"\x09" + content)
    script = pathlib.Path(__file__).with_name("fuzz_readers.py")
    root = pathlib.Path(__file__).parents[2]
    finished = subprocess.run(
        [
            sys.executable,
            str(script),
            "-runs=300000",
            "-max_total_time=120",
            "-seed=1",
            "-max_len=3000",
            "-timeout=20",
            str(tmp_path),
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-4000:]
    assert "Done " in finished.stderr
