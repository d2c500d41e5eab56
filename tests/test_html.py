"""Tables and reports say what the data say, whatever the names are, and load nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gametheory_pref import html
from gametheory_pref.exact.solution_set import SolutionSet
from gametheory_pref.games import PreferenceGame, matrix_game, preference_game
from gametheory_pref.majority import smith_layers
from gametheory_pref.plot.style import cell_colors
from gametheory_pref.plot.words import display_order
from gametheory_pref.solving import solve
from gametheory_pref.status import Status

from .drawn_games import random_game, solution_of

EVIL = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a & b", "' onmouseover='x"]
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Elements with their attributes and text; unbalanced tags are an error."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[dict] = []
        self.elements: list[dict] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        element = {"tag": tag, "attributes": dict(attributes), "text": "", "rows": []}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.elements.append({"tag": tag, "attributes": dict(attributes), "text": ""})

    def handle_endtag(self, tag):
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag: str, **attributes: str) -> list[dict]:
        return [
            e for e in self.elements
            if e["tag"] == tag and all(e["attributes"].get(key) == value for key, value in attributes.items())
        ]


def rock_paper_scissors() -> PreferenceGame:
    return preference_game(
        [[0.5, 0.4, 0.8, 0.9], [0.6, 0.5, 0.3, 0.9], [0.2, 0.7, 0.5, 0.9], [0.1, 0.1, 0.1, 0.5]],
        names=["rock", "paper", "scissors", "mud"],
    )


WINNER = np.array([2, 3, 1, 0]) / 6.0


def cells(game: PreferenceGame) -> dict[tuple[int, int], dict]:
    """Return the cells of the table by (row, column) of the game."""
    page = Page(html.game_table(game))
    order = display_order(game)[:25]
    body = [e for e in page.all("td") if "background" in e["attributes"]["style"]]
    assert len(body) == len(order) ** 2
    return {
        (int(i), int(j)): body[row * len(order) + column]
        for row, i in enumerate(order)
        for column, j in enumerate(order)
    }


def test_cells_hold_row_against_column_and_their_mirror():
    game = rock_paper_scissors()
    table = cells(game)
    for (i, j), cell in table.items():
        if i == j:
            assert cell["text"] == ""
            continue
        assert_allclose(float(cell["text"]), game.preference[i, j], atol=1e-12)
        assert f"background: {cell_colors(game.preference[i, j])[0]}" in cell["attributes"]["style"]
        assert_allclose(float(cell["text"]) + float(table[j, i]["text"]), 1.0)
    assert table[0, 2]["attributes"]["title"] == "rock beats scissors with probability 0.8"


def test_rows_and_columns_are_named_in_the_same_order():
    page = Page(html.game_table(rock_paper_scissors()))
    rows = [e["text"] for e in page.all("th", scope="row")]
    columns = [e["text"] for e in page.all("th", scope="col")]
    # Mean win rates: rock 2.6, paper 2.3, scissors 2.3 over four; mud is below the Smith set.
    assert rows == ["● rock", "● paper", "● scissors", "mud"]
    assert columns == ["rock", "paper", "scissors", "mud"]


def test_box_runs_around_exactly_the_smith_set():
    for game in (rock_paper_scissors(), random_game(9, seed=3), preference_game([[0.5, 0.8], [0.2, 0.5]])):
        smith = set(smith_layers(game)[0].tolist())
        order = display_order(game).tolist()
        first, last = order[0], order[len(smith) - 1]
        for (i, j), cell in cells(game).items():
            sides = set(re.findall(r"border-(\w+):", cell["attributes"]["style"]))
            wanted = set()
            if i in smith and j in smith:
                wanted = {
                    side
                    for side, there in {
                        "top": i == first, "bottom": i == last, "left": j == first, "right": j == last
                    }.items()
                    if there
                }
            assert sides == wanted


def test_pairs_never_compared_have_stripes_and_no_number():
    game = random_game(8, seed=1)
    for (i, j), cell in cells(game).items():
        striped = "repeating-linear-gradient" in cell["attributes"]["style"]
        assert striped == (i != j and game.votes.totals[i, j] == 0)
        assert (cell["text"] == "") == (striped or i == j)
    assert f"{game.n_missing} pairs never compared" in html.game_table(game)


def test_large_games_are_cut_with_a_sentence():
    game = random_game(30)
    text = html.game_table(game)
    assert "The first 25 of 30 responses" in text
    assert len(Page(text).all("tr")) == 26
    assert "The first" not in html.game_table(random_game(25))


def facts(text: str) -> dict[str, str]:
    """Return the certificate table as name -> text."""
    page = Page(text)
    last = None
    found = {}
    for element in page.elements:
        if element["tag"] == "th":
            last = element["text"]
        elif element["tag"] == "td" and last is not None and element["text"]:
            found[last] = element["text"]
    return found


def test_certificate_is_told_in_words():
    table = facts(html.solution_table(solution_of(rock_paper_scissors(), WINNER)))
    assert re.fullmatch(r"[\d.e-]+ in units of win probability", table["Duality gap"])
    assert float(table["Duality gap"].split()[0]) < 1e-15
    assert table["Condorcet winner"] == "none"
    assert table["Smith set"] == "rock, paper, scissors (3 of 4)"
    assert table["Majority cycle"] == "rock beats scissors beats paper beats rock"
    assert table["Outside the Smith set"] == "probability 0"
    assert table["Uniqueness"] == "uniqueness not decided"


def test_a_solved_game_is_told_as_unique():
    text = html.solution_table(solve(rock_paper_scissors()))
    assert facts(text)["Uniqueness"] == "unique"
    assert facts(text)["paper"] == "0.500"


def test_gap_and_best_response_are_those_of_the_policy():
    solution = solution_of(rock_paper_scissors(), np.array([0.0, 0.0, 0.0, 1.0]))
    table = facts(html.solution_table(solution))
    assert table["Duality gap"].startswith("0.8 in")
    assert table["Best response"] == "rock gains 0.4"
    assert table["Outside the Smith set"] == "probability 1"


def test_condorcet_winner_is_named():
    game = preference_game([[0.5, 0.2], [0.8, 0.5]], names=["loser", "winner"])
    table = facts(html.solution_table(solution_of(game, np.array([0.0, 1.0]))))
    assert table["Condorcet winner"] == "winner"
    assert "Majority cycle" not in table


def test_several_answers_are_told_with_their_dimension_and_support():
    game = preference_game(np.full((3, 3), 0.5), names=["a", "b", "c"])
    third = np.full(3, 1 / 3)
    every = SolutionSet(False, 2, np.arange(3), third, third, "all tie")
    table = facts(html.solution_table(replace(solution_of(game, third), solution_sets=(every,))))
    assert table["Uniqueness"] == "not unique: the answers form a set of dimension 2"
    assert table["Played by some answer"] == "a, b, c"
    assert table["Majority cycle"] == "none: only ties"


def test_regularised_answers_name_their_temperature():
    game = rock_paper_scissors()
    text = html.solution_table(solution_of(game, WINNER, temperature=0.5))
    assert "KL-regularised equilibrium at temperature 0.5" in text
    assert facts(text)["Regularisation"] == "temperature 0.5, uniform reference policy"
    assert facts(text)["Uniqueness"] == "unique"


def test_bar_lengths_are_proportional_to_the_policy():
    text = html.solution_table(solution_of(rock_paper_scissors(), WINNER))
    bars = [float(width) for width in re.findall(r'<div style="width: ([\d.]+)%', text)]
    assert_allclose(bars, np.sort(WINNER)[::-1] / WINNER.max() * 100, atol=0.005)
    names = [e["text"] for e in Page(text).all("th", scope="row")][:4]
    assert names == ["paper", "rock", "scissors", "mud"]


def test_long_policies_are_collapsed():
    policy = np.zeros(60)
    policy[[3, 5]] = 0.5
    assert "and 58 more with 0" in html.solution_table(solution_of(random_game(60), policy))
    tail = np.r_[np.full(12, 0.05), np.full(48, 0.4 / 48)]
    text = html.solution_table(solution_of(random_game(60), tail))
    assert facts(text)["and 48 more together"] == "0.400"


def test_two_players_have_a_table_and_a_regret_each():
    game = matrix_game([[3, -1], [-1, 1]], row_names=["up", "down"], column_names=["left", "right"])
    policy = (np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    text = html.solution_table(solution_of(game, policy))
    assert [e["text"] for e in Page(text).all("caption")] == ["Row player", "Column player"]
    assert facts(text)["Best response"] == "up gains 2; right gains 1"
    assert facts(text)["Duality gap"] == "3 in units of the payoff"
    assert "Condorcet winner" not in facts(text)


def test_a_failed_solve_says_so():
    game = rock_paper_scissors()
    failed = solution_of(game, WINNER, status=Status.STEP_LIMIT)
    assert "Not an answer to the tolerance: the step limit" in html.solution_table(failed)
    assert "Not an answer" not in html.solution_table(solution_of(game, WINNER))


@pytest.mark.parametrize("n", [4, 30])
def test_names_cannot_inject_anything(n):
    names = [EVIL[i % 4] + (f" {i}" if i >= 4 else "") for i in range(n)]
    game = random_game(n, names=names)
    solution = solution_of(game, np.full(n, 1.0 / n))
    for text in (html.game_table(game), html.solution_table(solution), html.report(solution)):
        page = Page(text)
        assert not page.all("script")
        assert not page.all("img")
        assert not any(key.startswith("on") for e in page.elements for key in e["attributes"])
    # They are shown as they are written.
    assert EVIL[0] in Page(html.solution_table(solution)).elements[0]["text"]


@pytest.mark.parametrize("n", [1, 5, 40])
def test_report_loads_nothing(n):
    game = random_game(n) if n > 1 else preference_game([[0.5]])
    text = html.report(solution_of(game, np.full(n, 1.0 / n)))
    page = Page(text.replace("<!DOCTYPE html>", ""))
    assert not [e for e in page.elements if e["tag"] in ("link", "script", "iframe", "object", "embed")]
    for element in page.elements:
        for key, value in element["attributes"].items():
            if not key.startswith("xmlns"):
                assert "://" not in (value or ""), f"{element['tag']} {key}={value}"
            if key in ("src", "href", "xlink:href"):
                assert value.startswith(("#", "data:image/png;base64,"))
    outside = re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert "://" not in outside
    assert "@import" not in text
    assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", text)


def test_report_has_the_tables_and_the_pictures():
    solution = solution_of(rock_paper_scissors(), WINNER)
    text = html.report(solution)
    assert html.solution_table(solution) in text
    assert html.game_table(solution.problem.game) in text
    assert text.count("<svg") == 1
    assert html.report(solution_of(random_game(30), np.full(30, 1 / 30))).count("<svg") == 2
    assert "<title>Minimax Winner of 4 responses</title>" in text


def test_ids_in_a_report_are_unique():
    page = Page(html.report(solution_of(random_game(30), np.full(30, 1 / 30))).replace("<!DOCTYPE html>", ""))
    ids = [e["attributes"]["id"] for e in page.elements if "id" in e["attributes"]]
    assert ids
    assert len(ids) == len(set(ids))


def test_report_of_a_two_player_game():
    game = matrix_game([[3, -1], [-1, 1]])
    text = html.report(solution_of(game, (np.array([0.5, 0.5]), np.array([1.0, 0.0]))))
    assert "Nash equilibrium of 2 x 2 actions" in text
    assert "<svg" not in text


def test_the_same_answer_gives_the_same_page():
    solution = solution_of(rock_paper_scissors(), WINNER)
    assert html.report(solution) == html.report(solution)


def test_notebooks_show_the_tables():
    game = rock_paper_scissors()
    assert game._repr_html_() == html.game_table(game)
    solution = solution_of(game, WINNER)
    assert solution._repr_html_() == html.solution_table(solution)
