"""Every real file: an answer, or exit code 2 with a sentence that says what to do."""

from __future__ import annotations

import json
import pathlib

import pytest

# Files that no option-free call can read as a game, and what their sentence must advise.
NOT_A_GAME = {
    "agent_task/atari_agent57_table.csv": "--kind scores-by-task",
    "agent_task/atari_muesli_table11.csv": "--kind scores-by-task",
    "agent_task/atari_rainbow_table5.csv": "--kind scores-by-task",
    "games/known_equilibria.json": "there is no matrix",
    "judges/llmbar_verdicts.csv": "rename the columns",
    "nc/alpaca_eval2_preference.npz": "there is no matrix",
    "payoff/axelrod_ipd.npz": "--kind points",
    "payoff/rrps_43bots.csv": "--kind points",
    "payoff/type_chart_18.csv": "--kind points",
    "texts/llmfao_responses.jsonl.gz": "comparisons need",
}
LARGE = {"payoff/blotto_10_4.npz", "payoff/blotto_10_5.npz"}
WITH_OPTIONS = {
    "agent_task/atari_agent57_table.csv": ("atari_agent57_table", ["--kind", "scores-by-task"]),
    "payoff/axelrod_ipd.npz": ("axelrod_ipd", ["--kind", "points"]),
    "payoff/rrps_43bots.csv": ("rrps_43bots", ["--kind", "points"]),
    "payoff/type_chart_18.csv": ("type_chart_18", ["--kind", "points"]),
    "elections/00008-00000009.soi": ("00008-00000009.soi|unranked-bottom", ["--unranked", "bottom"]),
}


def _files(folder: pathlib.Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*") if path.is_file())


def test_every_file_is_described_or_refused_with_advice(run, shared_data):
    for name in _files(shared_data):
        result = run("data", "info", str(shared_data / name))
        assert result.code == (2 if name in NOT_A_GAME else 0), (name, result.err)
        if name in NOT_A_GAME:
            assert NOT_A_GAME[name] in result.err, name
            assert result.err.count("\n") == 1, name


def test_every_two_player_and_larger_game_is_solved_or_refused(run, shared_data):
    for path in sorted((shared_data / "games").glob("*.nfg")):
        facts = json.loads(run("data", "info", str(path), "--json").out)["data"]
        result = run("solve", str(path), "--json")
        if facts["game"] == "matrix" and facts["constant_sum"] is not None:
            assert result.code == 0, (path.name, result.err)
            assert json.loads(result.out)["solution"]["gap"] <= 1e-9, path.name
        else:
            assert result.code == 2, path.name
            assert "add up to a constant" in result.err, path.name


def _check_solved(run, folder: pathlib.Path, name: str) -> None:
    known = json.loads((folder / "solutions.json").read_text(encoding="utf-8"))
    result = run("solve", str(folder / name), "--json")
    assert result.code == 0, (name, result.err)
    payload = json.loads(result.out)
    assert payload["solution"]["gap"] <= 1e-9, name
    file = pathlib.PurePath(name).name.removesuffix(".gz")
    record = known.get(file) or known.get(file.rsplit(".", 1)[0])
    if record is not None and "condorcet_winner" in record:
        assert payload["majority"]["condorcet_winner"] == record["condorcet_winner"], name


@pytest.mark.parametrize("folder", ["elections", "pairwise", "battles", "nc", "payoff"])
def test_every_preference_file_is_solved(run, shared_data, folder):
    for name in _files(shared_data):
        if name.startswith(folder) and name not in NOT_A_GAME and name not in LARGE:
            _check_solved(run, shared_data, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LARGE))
def test_every_large_preference_file_is_solved(run, shared_data, name):
    _check_solved(run, shared_data, name)


@pytest.mark.parametrize("name", sorted(WITH_OPTIONS))
def test_the_advised_option_gives_the_known_answer(run, shared_data, name):
    key, options = WITH_OPTIONS[name]
    record = json.loads((shared_data / "solutions.json").read_text(encoding="utf-8"))[key]
    payload = json.loads(run("solve", str(shared_data / name), "--json", *options).out)
    found = payload["majority"]
    assert found["condorcet_winner"] == record["condorcet_winner"]
    assert set(found["smith_set"]) == set(record["smith_set"])
    lottery = record.get("maximal_lottery") or record["maximal_lottery_margin"]
    if lottery["unique"]:
        policy = dict(zip(payload["data"]["names"], payload["solution"]["policy"], strict=True))
        for label, share in lottery["p"].items():
            assert policy[label] == pytest.approx(share, abs=1e-9)
