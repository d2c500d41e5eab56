"""Coverage-guided fuzzing of the readers with libFuzzer, through atheris.

Run ``python fuzz_readers.py -max_total_time=60 -seed=1 [corpus folder]``; a crash is a bug. The first byte
chooses the options, so that they are searched too.
"""

from __future__ import annotations

import io
import sys

import atheris
import numpy as np

with atheris.instrument_imports(include=["gametheory_pref.data", "gametheory_pref.games"]):
    from gametheory_pref.data import Options, load
    from gametheory_pref.data.options import KINDS, TIES, UNRANKED
    from gametheory_pref.data.reader import FORMATS
    from gametheory_pref.errors import InputError
    from gametheory_pref.games import MatrixGame, PreferenceGame

SEARCHED = [name for name in FORMATS if name != "parquet"]


def check(data: bytes) -> None:
    """Read the bytes: the outcome is a finite game or an `InputError` of one line, and nothing else."""
    if not data:
        return
    choice, content = data[0], data[1:]
    if content.startswith(b"PAR1"):
        return  # decoded by pyarrow's own threads, which the fuzzer can neither follow nor bound
    options = Options(
        kind=KINDS[choice % len(KINDS)],
        ties=TIES[choice % len(TIES)],
        unranked=UNRANKED[choice % 2],
        skip_bad=choice % 5 == 1,
    )
    format = SEARCHED[choice % 16] if choice % 16 < len(SEARCHED) else None
    try:
        game = load(io.BytesIO(content), options, format=format).game
    except InputError as error:
        if not str(error).isprintable():
            raise AssertionError(f"a message that is not one line of text: {error!r}") from error
        return
    if isinstance(game, PreferenceGame):
        assert np.array_equal(game.payoff, -game.payoff.T)
        assert np.isfinite(game.preference).all()
        assert np.abs(game.payoff).max() <= 0.5
    elif isinstance(game, MatrixGame):
        assert np.isfinite(game.row_payoff).all() and np.isfinite(game.column_payoff).all()
    else:
        assert np.isfinite(game.payoffs).all()


if __name__ == "__main__":
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
