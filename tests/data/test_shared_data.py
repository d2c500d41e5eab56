"""Every real file is a game or a sentence, and the games have the winners that others computed."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gametheory_pref.data.options import Options
from gametheory_pref.data.reader import load, read
from gametheory_pref.errors import InputError
from gametheory_pref.games import MatrixGame, MultiplayerGame, PreferenceGame

REFUSED = {
    "agent_task/atari_agent57_table.csv": 'kind="scores-by-task"',
    "agent_task/atari_muesli_table11.csv": 'kind="scores-by-task"',
    "agent_task/atari_rainbow_table5.csv": 'kind="scores-by-task"',
    "games/known_equilibria.json": "no matrix under any of the names",
    "judges/llmbar_verdicts.csv": "neither comparisons",
    "nc/alpaca_eval2_preference.npz": "no matrix under any of the names",
    "payoff/axelrod_ipd.npz": 'kind="points"',
    "payoff/rrps_43bots.csv": 'kind="points"',
    "payoff/type_chart_18.csv": 'kind="points"',
    "texts/llmfao_responses.jsonl.gz": "comparisons need",
}

EXPLICIT_KIND = {
    "agent_task": "scores-by-task",
    "payoff/axelrod_ipd": "points",
    "payoff/rrps_43bots": "points",
    "payoff/type_chart_18": "points",
}


def _file_of(folder: pathlib.Path, key: str) -> pathlib.Path:
    stem = {"tennis_top40": "tennis_top40_matches"}.get(key, key)
    for place in ("elections", "pairwise", "payoff", "agent_task", "nc"):
        for name in (stem, f"{stem}.gz", f"{stem}.csv", f"{stem}.npz"):
            if (folder / place / name).is_file():
                return folder / place / name
    raise AssertionError(f"no file for {key}")


def _read_key(folder: pathlib.Path, key: str, kind: str) -> PreferenceGame:
    name, _, unranked = key.partition("|")
    path = _file_of(folder, name)
    place = path.parent.name
    explicit = EXPLICIT_KIND.get(place) or EXPLICIT_KIND.get(f"{place}/{path.stem}")
    counted = place in ("elections", "pairwise", "nc") and name != "egpo_checkpoints_winrate"
    game = read(
        path,
        kind=explicit or (kind if counted else "auto"),
        unranked="bottom" if unranked else "ignore",
    )
    assert isinstance(game, PreferenceGame)
    return game


def test_every_file_is_a_game_or_a_sentence(shared_data: pathlib.Path) -> None:
    files = [p for p in sorted(shared_data.glob("*/*")) if p.is_file()]
    assert len(files) > 100
    for path in files:
        key = f"{path.parent.name}/{path.name}"
        try:
            loaded = load(path)
        except InputError as error:
            assert key in REFUSED, error
            assert REFUSED[key] in error.reason
            assert error.file == str(path)
            continue
        assert key not in REFUSED
        if isinstance(loaded.game, PreferenceGame):
            assert np.isfinite(loaded.game.preference).all()
            assert np.array_equal(loaded.game.payoff, -loaded.game.payoff.T)
        else:
            assert isinstance(loaded.game, (MatrixGame, MultiplayerGame))


def _records(shared_data: pathlib.Path) -> dict[str, Any]:
    return json.loads((shared_data / "solutions.json").read_text(encoding="utf-8"))


def _condorcet(game: PreferenceGame) -> Any:
    beats_all = (game.payoff > 0).sum(axis=1) == game.n_responses - 1
    return game.names[int(np.argmax(beats_all))] if beats_all.any() else None


@pytest.mark.parametrize("kind", ["margin", "rate"])
def test_solutions_hold_for_the_games_read(shared_data: pathlib.Path, kind: str) -> None:
    checked = 0
    for key, record in _records(shared_data).items():
        if kind == "rate" and record.get("n_ij_constant") and record["n_items"] > 100:
            continue  # The same game as with margins, and slow to read.
        game = _read_key(shared_data, key, kind)
        assert game.n_responses == record["n_items"], key
        if "items" in record:
            assert set(map(str, game.names)) == set(record["items"]), key
        if "pairs_without_data" in record:
            assert game.n_missing == record["pairs_without_data"], key
            ties = (np.triu(game.payoff == 0, 1) & (game.votes.totals > 0)).sum()
            assert ties == record["majority_ties"], key
        if "condorcet_winner" in record:
            assert _condorcet(game) == record["condorcet_winner"], key
        lottery = record.get(f"maximal_lottery_{kind}", record.get("maximal_lottery"))
        if isinstance(lottery, str):
            lottery = record["maximal_lottery_margin"]
        if lottery is None or "p" not in lottery:
            continue
        policy = np.zeros(game.n_responses)
        for name, mass in lottery["p"].items():
            policy[game.names.index(name)] = mass
        scale = max(float(np.abs(game.payoff).max()), 1e-300)
        # The stated winner must not lose to anything, and turning the sign round must spoil that.
        assert_allclose(policy.sum(), 1.0, atol=1e-12)
        assert float((game.payoff @ policy).max()) <= 1e-9 * scale, key
        checked += 1
    assert checked >= 60


def test_transposing_a_game_spoils_its_solution(shared_data: pathlib.Path) -> None:
    """The check above can fail: a reader that swaps rows and columns does not pass it."""
    record = _records(shared_data)["arena_complete_20240329"]
    game = _read_key(shared_data, "arena_complete_20240329", "rate")
    policy = np.array([float(name == record["condorcet_winner"]) for name in game.names])
    assert float((game.payoff @ policy).max()) <= 1e-9
    assert float((game.payoff.T @ policy).max()) > 0.01


@pytest.mark.parametrize(
    "name", ["cems_schools", "firstnames_192", "llmfao_crowd", "llmfao_gpt3", "llmfao_gpt4", "pandalm_human"]
)
def test_battle_logs_add_up_to_the_published_counts(shared_data: pathlib.Path, name: str) -> None:
    log = read(shared_data / "battles" / f"{name}.csv")
    pairs = read(shared_data / "pairwise" / f"{name}.csv")
    assert isinstance(log, PreferenceGame) and isinstance(pairs, PreferenceGame)
    assert log.votes is not None and pairs.votes is not None
    order = [log.index(label) for label in pairs.names]
    pick = np.ix_(order, order)
    assert np.array_equal(log.votes.wins[pick], pairs.votes.wins)
    assert np.array_equal(log.votes.ties[pick], pairs.votes.ties)


def test_one_judge_alone(shared_data: pathlib.Path) -> None:
    path = shared_data / "battles" / "pandalm_human.csv"
    games = [read(path, judge=f"annotator{k}") for k in (1, 2, 3)]
    everyone = read(path)
    assert all(isinstance(game, PreferenceGame) and game.votes is not None for game in games)
    assert sum(game.votes.n_comparisons for game in games) == everyone.votes.n_comparisons
    with pytest.raises(InputError, match="annotator1, annotator2, annotator3"):
        read(path, judge="annotator4")


def test_gambit_games_have_their_known_equilibria(shared_data: pathlib.Path) -> None:
    """No player gains by leaving a stated equilibrium; a reader with the wrong player fastest fails this."""
    known = json.loads((shared_data / "games" / "known_equilibria.json").read_text(encoding="utf-8"))
    checked = 0
    for name, record in known.items():
        game = load(shared_data / "games" / name, Options()).game
        for equilibrium in record.get("equilibria", [])[:5]:
            profile = [np.array(player) for player in equilibrium["profile"]]
            tolerance = 1e-8 * max(1.0, _scale(game))
            assert _largest_gain(game, profile) <= tolerance, name
            assert_allclose(_payoffs(game, profile), equilibrium["payoffs"], atol=tolerance, err_msg=name)
            checked += 1
    assert checked > 100


def _tensor(game: Any) -> np.ndarray[Any, Any]:
    return np.stack([game.row_payoff, game.column_payoff]) if isinstance(game, MatrixGame) else game.payoffs


def _scale(game: Any) -> float:
    return float(np.abs(_tensor(game)).max())


def _largest_gain(game: Any, profile: list[np.ndarray[Any, Any]]) -> float:
    gains = []
    for player, payoff in enumerate(_tensor(game)):
        for other in reversed(range(len(profile))):
            if other != player:
                payoff = np.tensordot(payoff, profile[other], axes=(other, 0))
        gains.append(float(payoff.max() - payoff @ profile[player]))
    return max(gains)


def _payoffs(game: Any, profile: list[np.ndarray[Any, Any]]) -> list[float]:
    result = []
    for payoff in _tensor(game):
        for mixed in profile:
            payoff = np.tensordot(payoff, mixed, axes=(0, 0))
        result.append(float(payoff))
    return result
