"""Pictures say what the data say: every assertion is about what an artist shows, not about pixels."""

from __future__ import annotations

import re
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from numpy.testing import assert_allclose

from gametheory_pref import plot
from gametheory_pref.errors import InputError, UnsupportedCombination
from gametheory_pref.games import PreferenceGame, matrix_game, multiplayer_game, preference_game
from gametheory_pref.games.votes import from_counts
from gametheory_pref.gap import problem_gap
from gametheory_pref.majority import smith_layers, smith_set
from gametheory_pref.plot.style import LAST_RESORT, cell_colors, font_family, shorten
from gametheory_pref.plot.words import display_order, show_win
from gametheory_pref.problem import Problem
from gametheory_pref.status import Status
from gametheory_pref.temperature_path import TemperaturePath

from .drawn_games import random_game, solution_of

NASTY = [
    "$x$_{\\frac",
    "<script>alert(1)</script>",
    "日本語の応答",
    "Ångström çñ \U0001f600",
    "two\nlines\tand a tab",
    "lone \ud800 surrogate",
    "a-very-long-model-name-that-goes-on-and-on-2024-04-09",
    "a-very-long-model-name-that-goes-on-and-on-2024-04-10",
]


@pytest.fixture
def cycle_over_two() -> PreferenceGame:
    """Rock beats scissors beats paper beats rock; all three beat mud, which beats dust."""
    names = ["dust", "rock", "mud", "paper", "scissors"]
    P = np.full((5, 5), 0.5)
    beaten = [
        ("rock", "scissors", 0.8), ("scissors", "paper", 0.7), ("paper", "rock", 0.6), ("mud", "dust", 0.65),
        ("rock", "mud", 0.55), ("paper", "mud", 0.99), ("scissors", "mud", 1.0),
        ("rock", "dust", 0.75), ("paper", "dust", 0.85), ("scissors", "dust", 0.999),
    ]
    for winner, loser, p in beaten:
        i, j = names.index(winner), names.index(loser)
        P[i, j], P[j, i] = p, 1.0 - p
    return preference_game(P, names=names)


def by_gid(ax, prefix: str) -> list:
    return [artist for artist in ax.get_children() if str(artist.get_gid() or "").startswith(prefix)]


def title(ax) -> str:
    return ax.get_title(loc="left") or ax.get_title()


def row_names(ax) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def number(text: str) -> float:
    return 0.5 if text == "½" else float(text.lstrip("<>"))


# --- the win matrix ---------------------------------------------------------------------------------------


def test_heat_map_orders_rows_by_layers_then_mean(cycle_over_two):
    ax = plot.win_matrix(cycle_over_two)
    # Sums of the cycle: scissors .2+.7+1+.999, paper .6+.3+.99+.85, rock .4+.8+.55+.75.
    assert row_names(ax) == ["scissors", "paper", "rock", "mud", "dust"]
    assert [label.get_text() for label in ax.get_xticklabels()] == row_names(ax)


def test_heat_map_shows_row_against_column(cycle_over_two):
    ax = plot.win_matrix(cycle_over_two)
    names = row_names(ax)
    index = [cycle_over_two.names.index(name) for name in names]
    assert_allclose(ax.images[0].get_array(), cycle_over_two.preference[np.ix_(index, index)])
    assert ax.images[0].get_clim() == (0.0, 1.0)
    # rock beats scissors: blue at the row of rock, more blue than red; the mirror cell is orange.
    rock, scissors = names.index("rock"), names.index("scissors")
    colors = ax.images[0].to_rgba(ax.images[0].get_array())
    assert colors[rock, scissors, 2] > colors[rock, scissors, 0]
    assert colors[scissors, rock, 0] > colors[scissors, rock, 2]


def test_every_number_in_the_heat_map_is_the_win_probability():
    game = random_game(9)
    ax = plot.win_matrix(game)
    index = [game.names.index(int(name)) for name in row_names(ax)]
    seen = set()
    for text in ax.texts:
        column, row = (round(value) for value in text.get_position())
        i, j = index[row], index[column]
        assert_allclose(number(text.get_text()), game.preference[i, j], atol=0.0101)
        seen.add((i, j))
    compared = {(i, j) for i, j in np.argwhere(game.votes.totals > 0)}
    assert seen == compared


def test_numbers_never_round_onto_certainty_or_a_tie():
    assert show_win(0.9999) == ">.99"
    assert show_win(1e-7) == "<.01"
    assert show_win(0.5001) == ">.50"
    assert show_win(0.4999) == "<.50"
    assert [show_win(p) for p in (0.0, 0.5, 1.0, 0.996, 0.25)] == ["0", "½", "1", ">.99", ".25"]


def test_box_spans_exactly_the_smith_set(cycle_over_two):
    for game in (cycle_over_two, random_game(7, seed=3), preference_game([[0.5, 0.9], [0.1, 0.5]])):
        ax = plot.win_matrix(game)
        (box,) = by_gid(ax, "smith")
        assert (box.get_x(), box.get_y()) == (-0.5, -0.5)
        assert box.get_width() == box.get_height()
        end = box.get_y() + box.get_height()
        inside = {int(tick) for tick in ax.get_yticks() if box.get_y() < tick < end}
        order = display_order(game)
        assert {game.names[order[row]] for row in inside} == {game.names[i] for i in smith_layers(game)[0]}


def test_pairs_never_compared_are_hatched_and_carry_no_number():
    game = random_game(8, seed=1)
    ax = plot.win_matrix(game)
    index = [int(name) for name in row_names(ax)]
    (patch,) = by_gid(ax, "missing")
    assert patch.get_hatch()
    centres = patch.get_path().vertices.reshape(-1, 5, 2)[:, :4].mean(axis=1).round().astype(int)
    hatched = {(index[row], index[column]) for column, row in centres}
    missing = np.argwhere((game.votes.totals == 0) & ~np.eye(8, dtype=bool))
    assert hatched == {(i, j) for i, j in missing}
    assert hatched


def test_ties_stay_visible_without_numbers():
    game = random_game(40, seed=2)
    ax = plot.win_matrix(game)
    assert not ax.texts
    (dots,) = by_gid(ax, "ties")
    order = display_order(game)
    shown = {(order[round(row)], order[round(column)]) for column, row in zip(*dots.get_data(), strict=True)}
    tied = np.argwhere((game.payoff == 0) & (game.votes.totals > 0))
    assert shown == {(i, j) for i, j in tied}


def test_names_that_do_not_fit_are_left_out_evenly_and_the_title_says_so():
    game = random_game(40)
    assert "is named" not in title(plot.win_matrix(game))
    ax = plot.win_matrix(game, ax=Figure(figsize=(3, 3)).add_subplot())
    step = int(re.search(r"one row in (\d+) is named", title(ax).replace("\n", " ")).group(1))
    assert row_names(ax) == [str(i) for i in display_order(game)[::step]]
    assert_allclose(ax.get_yticks(), np.arange(0, 40, step))


def test_the_picture_does_not_depend_on_the_order_of_the_responses(cycle_over_two):
    P, names = cycle_over_two.preference, cycle_over_two.names
    order = [4, 2, 0, 1, 3]
    shuffled = preference_game(P[np.ix_(order, order)], names=[names[i] for i in order])
    first, second = plot.win_matrix(cycle_over_two), plot.win_matrix(shuffled)
    assert row_names(first) == row_names(second)
    assert_allclose(first.images[0].get_array(), second.images[0].get_array())


# --- the majority graph -----------------------------------------------------------------------------------


def arrows(ax) -> dict[tuple[str, str], FancyArrowPatch]:
    """Return the edges by (name at the tail, name at the head), read off the drawing."""
    places = {
        text.get_text(): np.array(text.xy) for text in ax.texts if getattr(text, "xy", None) is not None
    }

    def at(point) -> str:
        return min(places, key=lambda name: np.hypot(*(places[name] - point)))

    found = {}
    for patch in ax.patches:
        tail, head = patch._posA_posB
        found[at(np.array(tail)), at(np.array(head))] = patch
    return found


def test_arrows_point_from_winner_to_loser(cycle_over_two):
    game = cycle_over_two
    drawn = arrows(plot.majority_graph(game))
    assert len(drawn) == 10
    for (winner, loser), patch in drawn.items():
        assert game.preference[game.index(winner), game.index(loser)] > 0.5
        # The only arrow head is at the end.
        assert type(patch.get_arrowstyle()).__name__ == "CurveFilledB"


def test_only_arrows_in_cycles_are_highlighted(cycle_over_two):
    drawn = arrows(plot.majority_graph(cycle_over_two))
    loud = {pair for pair, patch in drawn.items() if patch.get_gid().startswith("cycle")}
    assert loud == {("rock", "scissors"), ("scissors", "paper"), ("paper", "rock")}
    assert len({drawn[pair].get_edgecolor() for pair in loud}) == 1
    quiet = {drawn[pair].get_edgecolor() for pair in drawn.keys() - loud}
    assert drawn["rock", "scissors"].get_edgecolor() not in quiet


def test_cycles_below_the_smith_set_are_highlighted_too(cycle_over_two):
    P = np.full((6, 6), 0.9)
    P[1:, 1:] = cycle_over_two.preference
    P[1:, 0], P[0, 0] = 0.1, 0.5
    game = preference_game(P, names=["paragon", *cycle_over_two.names])
    drawn = arrows(plot.majority_graph(game))
    assert smith_set(game) == ("paragon",)
    assert sum(patch.get_gid().startswith("cycle") for patch in drawn.values()) == 3


def test_edge_labels_give_the_winners_probability(cycle_over_two):
    game = cycle_over_two
    ax = plot.majority_graph(game)
    labels = [text for text in ax.texts if getattr(text, "xy", None) is None]
    drawn = arrows(ax)
    assert len(labels) == len(drawn)
    for label in labels:
        point = np.array(label.get_position())

        def distance(pair, point=point):
            tail, head = (np.array(end) for end in drawn[pair]._posA_posB)
            share = np.clip((point - tail) @ (head - tail) / ((head - tail) @ (head - tail)), 0, 1)
            return np.hypot(*(tail + share * (head - tail) - point))

        winner, loser = min(drawn, key=distance)
        p = game.preference[game.index(winner), game.index(loser)]
        assert_allclose(number(label.get_text()), p, atol=0.0101)


def test_ties_are_dashed_and_missing_pairs_dotted():
    game = from_counts([[0, 2, 0], [2, 0, 5], [0, 1, 0]], names=["a", "b", "c"])
    drawn = arrows(plot.majority_graph(game))
    looks = {frozenset(pair): patch for pair, patch in drawn.items()}
    assert looks[frozenset("ab")].get_linestyle() == "--"
    assert looks[frozenset("ac")].get_linestyle() == ":"
    assert looks[frozenset("bc")].get_linestyle() == "-"
    assert type(looks[frozenset("ab")].get_arrowstyle()).__name__ == "Curve"
    assert ("b", "c") in drawn


def test_smith_set_is_filled(cycle_over_two):
    ax = plot.majority_graph(cycle_over_two)
    (nodes,) = [artist for artist in ax.collections if len(artist.get_offsets()) == 5]
    white = (nodes.get_facecolors()[:, :3] == 1.0).all(axis=1)
    names = {}
    for text in ax.texts:
        if getattr(text, "xy", None) is not None:
            names[tuple(np.round(text.xy, 9))] = text.get_text()
    filled = {names[tuple(np.round(xy, 9))] for xy in nodes.get_offsets()[~white]}
    assert filled == {"rock", "paper", "scissors"}


def test_large_graph_shows_whole_layers_and_says_so():
    strength = np.arange(20.0)
    P = np.where(np.subtract.outer(strength, strength) < 0, 0.8, 0.2)
    np.fill_diagonal(P, 0.5)
    ax = plot.majority_graph(preference_game(P))
    assert "top 12 of 20" in title(ax)
    assert {text.get_text() for text in ax.texts} == {str(i) for i in range(12)}


def test_large_smith_set_is_cut_and_says_so():
    game = random_game(30, seed=5)
    ax = plot.majority_graph(game)
    size = len(smith_layers(game)[0])
    assert size > 12
    assert "the 12 with the highest mean win rate" in title(ax).replace("\n", " ")
    assert {int(text.get_text()) for text in ax.texts} == set(display_order(game)[:12].tolist())


# --- policies ---------------------------------------------------------------------------------------------


def bar_values(ax) -> dict[str, list[float]]:
    ticks = dict(zip(ax.get_yticks(), row_names(ax), strict=True))
    found: dict[str, list[float]] = {}
    for patch in ax.patches:
        y = patch.get_y() + patch.get_height() / 2
        name = ticks[min(ticks, key=lambda tick: abs(tick - y))]
        found.setdefault(name, []).append(patch.get_width())
    return found


def test_bars_equal_the_policy(cycle_over_two):
    policy = np.array([0.0, 0.25, 0.0, 0.7, 0.05])
    ax = plot.policy_bars(solution_of(cycle_over_two, policy))
    bars = bar_values(ax)
    assert list(bars) == ["paper", "rock", "scissors", "dust", "mud"]
    for name, widths in bars.items():
        assert_allclose(widths, [policy[cycle_over_two.index(name)]], atol=0)
    assert [text.get_text() for text in ax.texts] == ["0.700", "0.250", "0.050", "0", "0"]


def test_zeros_of_a_large_game_become_one_line():
    policy = np.zeros(120)
    policy[[7, 90]] = 0.75, 0.25
    ax = plot.policy_bars(solution_of(random_game(120), policy))
    assert row_names(ax) == ["7", "90", "and 118 more with 0"]
    assert_allclose([patch.get_width() for patch in ax.patches], [0.75, 0.25])


def test_a_long_tail_is_added_up():
    policy = np.r_[np.full(12, 0.05), np.full(20, 0.02)]
    ax = plot.policy_bars(solution_of(random_game(32), policy))
    assert row_names(ax)[-1] == "and 20 more together"
    assert len(ax.patches) == 12
    assert ax.texts[-1].get_text() == "0.400"


def test_two_players_get_a_block_each():
    columns = ["left", "mid", "right"]
    game = matrix_game([[3, -1, 0], [-1, 1, 2]], row_names=["up", "down"], column_names=columns)
    policy = (np.array([0.4, 0.6]), np.array([0.1, 0.2, 0.7]))
    ax = plot.policy_bars(solution_of(game, policy))
    assert bar_values(ax) == {"down": [0.6], "up": [0.4], "right": [0.7], "mid": [0.2], "left": [0.1]}
    assert [text.get_text() for text in by_gid(ax, "heading")] == ["Row player", "Column player"]


def test_three_players_get_a_block_each():
    game = multiplayer_game(np.zeros((3, 2, 2, 2)))
    half = np.array([0.5, 0.5])
    ax = plot.policy_bars(solution_of(game, (half, half, half)))
    assert [text.get_text() for text in by_gid(ax, "heading")] == ["Player 1", "Player 2", "Player 3"]
    assert len(ax.patches) == 6


def test_a_failed_solve_says_so(cycle_over_two):
    failed = solution_of(cycle_over_two, np.full(5, 0.2), status=Status.STEP_LIMIT)
    assert "Not an answer to the tolerance" in title(plot.policy_bars(failed))
    assert "Not an answer to the tolerance" in plot.figure(failed).get_suptitle()
    answer = solution_of(cycle_over_two, np.full(5, 0.2))
    assert "Not an answer" not in title(plot.policy_bars(answer))


def test_titles_name_the_question(cycle_over_two):
    uniform = np.full(5, 0.2)
    assert title(plot.policy_bars(solution_of(cycle_over_two, uniform))).startswith("Minimax Winner\n")
    warm = plot.policy_bars(solution_of(cycle_over_two, uniform, temperature=0.25))
    assert title(warm).startswith("KL-regularised equilibrium at temperature 0.25\n")


def test_comparison_draws_each_policy_in_its_colour(cycle_over_two):
    first, second = np.array([0.0, 0.25, 0.0, 0.7, 0.05]), np.full(5, 0.2)
    ax = plot.compare_policies(
        {"exact": solution_of(cycle_over_two, first), "warm": solution_of(cycle_over_two, second, 1.0)}
    )
    for name, widths in bar_values(ax).items():
        i = cycle_over_two.index(name)
        assert_allclose(widths, [first[i], second[i]], atol=0)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    colors = [patch.get_facecolor() for patch in ax.get_legend().get_patches()]
    assert texts == ["exact", "warm"]
    assert colors == [ax.patches[0].get_facecolor(), ax.patches[1].get_facecolor()]
    assert colors[0] != colors[1]


def test_comparison_refuses_different_responses(cycle_over_two):
    other = solution_of(random_game(5), np.full(5, 0.2))
    with pytest.raises(InputError, match="'b' are not those of 'a'"):
        plot.compare_policies({"a": solution_of(cycle_over_two, np.full(5, 0.2)), "b": other})
    with pytest.raises(InputError, match="1 to 7 solutions; got 0"):
        plot.compare_policies({})


# --- the temperature path ---------------------------------------------------------------------------------


def path_of(game: PreferenceGame, temperatures, gaps, tol: float = 1e-6) -> TemperaturePath:
    heats = np.asarray(temperatures, dtype=float)
    rng = np.random.default_rng(4)
    policies = rng.dirichlet(np.ones(game.n_responses), size=len(heats))
    costs = np.array([problem_gap(Problem(game), policy) for policy in policies])
    status = (Status.EXACT,) * len(heats)
    return TemperaturePath(game, heats, policies, np.asarray(gaps), costs, tol, status)


def test_path_draws_one_line_per_response_over_the_temperature(cycle_over_two):
    path = path_of(cycle_over_two, [0.1, 1.0, 0.01], [0.0, 0.0, 0.0])
    ax = plot.temperature_path(path)
    assert ax.get_xscale() == "log"
    order = [2, 0, 1]
    for i, name in enumerate(cycle_over_two.names):
        (line,) = [line for line in ax.get_lines() if line.get_gid() == f"response-{i}"]
        assert line.get_label() == name
        assert_allclose(line.get_xdata(), [0.01, 0.1, 1.0])
        assert_allclose(line.get_ydata(), path.policies[order, i])


def test_points_are_hollow_exactly_where_the_gap_exceeds_the_tolerance(cycle_over_two):
    path = path_of(cycle_over_two, [0.01, 0.1, 1.0, 10.0], [2e-6, 1e-6, 0.0, 1e-3])
    ax = plot.temperature_path(path)
    for i in range(5):
        (hollow,), (solid,) = by_gid(ax, f"hollow-{i}"), by_gid(ax, f"solid-{i}")
        assert_allclose(hollow.get_xdata(), [0.01, 10.0])
        assert_allclose(hollow.get_ydata(), path.policies[[0, 3], i])
        assert_allclose(solid.get_xdata(), [0.1, 1.0])
        assert hollow.get_markerfacecolor() == "#ffffff"
        assert solid.get_markerfacecolor() != "#ffffff"
    assert "2 of 4 points" in title(ax)


def test_cost_is_on_the_second_axis(cycle_over_two):
    path = path_of(cycle_over_two, [0.01, 0.1], [0.0, 0.0])
    ax = plot.temperature_path(path)
    (side,) = [other for other in ax.figure.axes if other is not ax]
    (line,) = side.get_lines()
    assert_allclose(line.get_ydata(), path.costs)
    assert "win probability" in side.get_ylabel()
    assert not by_gid(ax, "hollow")


def test_temperature_zero_has_its_own_tick(cycle_over_two):
    path = path_of(cycle_over_two, [0.0, 0.1, 1.0], [0.0, 0.0, 0.0])
    ax = plot.temperature_path(path)
    ax.figure.draw_without_rendering()
    ticks = dict(zip([label.get_text() for label in ax.get_xticklabels()], ax.get_xticks(), strict=True))
    (line,) = by_gid(ax, "response-0")
    assert_allclose(line.get_xdata()[0], ticks["0"])
    assert 0 < ticks["0"] < 0.1 == ticks["0.1"]


def test_path_of_many_responses_names_the_largest():
    path = path_of(random_game(25), [0.1, 1.0], [0.0, 0.0])
    ax = plot.temperature_path(path)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    largest = np.argsort(-path.policies.max(axis=0))[:6]
    assert texts == ["19 more", *(str(i) for i in largest), "cost (right axis)"]
    assert len(by_gid(ax, "response")) == 25


# --- all pictures -----------------------------------------------------------------------------------------


def every_picture(game: PreferenceGame) -> list:
    n = game.n_responses
    solution = solution_of(game, np.full(n, 1.0 / n))
    return [
        plot.win_matrix(game),
        plot.majority_graph(game),
        plot.policy_bars(solution),
        plot.compare_policies({"$a$": solution, "$b$": solution}),
        plot.temperature_path(path_of(game, [0.0, 0.3], [0.0, 1.0])),
        plot.figure(solution),
    ]


@pytest.mark.skipif(LAST_RESORT not in font_family(), reason="matplotlib before 3.11 warns of missing glyphs")
@pytest.mark.parametrize("n", [8, pytest.param(30, marks=pytest.mark.slow)])
def test_hostile_names_are_drawn_without_a_warning(n, tmp_path):
    names = [NASTY[i % len(NASTY)] + (f" {i}" if i >= len(NASTY) else "") for i in range(n)]
    for k, picture in enumerate(every_picture(random_game(n, names=names))):
        plot.save(picture, tmp_path / f"{k}.svg")
        text = (tmp_path / f"{k}.svg").read_text(encoding="utf-8")
        assert "<script>" not in text
    for suffix in (".png", ".pdf"):
        plot.save(plot.win_matrix(random_game(n, names=names)), tmp_path / f"one{suffix}")


@pytest.mark.skipif(LAST_RESORT not in font_family(), reason="matplotlib before 3.11 warns of missing glyphs")
def test_hostile_names_are_drawn_on_axes_made_elsewhere(tmp_path):
    game = random_game(8, names=NASTY)
    uniform = solution_of(game, np.full(8, 1 / 8))
    page = Figure(figsize=(12, 9))
    places = page.subplots(2, 3).flat
    plot.win_matrix(game, ax=places[0])
    plot.majority_graph(game, ax=places[1])
    plot.policy_bars(uniform, ax=places[2])
    plot.compare_policies(dict.fromkeys(NASTY[:3], uniform), ax=places[3])
    plot.temperature_path(path_of(game, [0.1, 0.3], [0.0, 1.0]), ax=places[4])
    page.savefig(tmp_path / "x.png")


def test_dollar_signs_are_not_mathematics(tmp_path):
    game = preference_game([[0.5, 0.6], [0.4, 0.5]], names=["$a$", "$b^2$"])
    for picture in every_picture(game):
        plot.save(picture, tmp_path / "x.svg")
        assert ">$b^2$<" in (tmp_path / "x.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_the_same_picture_gives_the_same_bytes(suffix, tmp_path, cycle_over_two):
    solution = solution_of(cycle_over_two, np.full(5, 0.2))
    for name in ("a", "b"):
        plot.save(plot.figure(solution), tmp_path / (name + suffix))
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_save_takes_axes_on_a_panel_for_the_whole_figure(tmp_path, cycle_over_two):
    solution = solution_of(cycle_over_two, np.full(5, 0.2))
    plot.save(plot.figure(solution).subfigs[0].axes[0], tmp_path / "panel.svg")
    plot.save(plot.figure(solution), tmp_path / "page.svg")
    assert (tmp_path / "panel.svg").read_bytes() == (tmp_path / "page.svg").read_bytes()


def test_save_refuses_other_formats(tmp_path, cycle_over_two):
    with pytest.raises(InputError, match=r"\.png, \.pdf or \.svg; got 'x\.docx'"):
        plot.save(plot.win_matrix(cycle_over_two), tmp_path / "x.docx")


def test_given_axes_are_drawn_on_and_returned(cycle_over_two):
    solution = solution_of(cycle_over_two, np.full(5, 0.2))
    draws = [
        lambda ax: plot.win_matrix(cycle_over_two, ax=ax),
        lambda ax: plot.majority_graph(cycle_over_two, ax=ax),
        lambda ax: plot.policy_bars(solution, ax=ax),
        lambda ax: plot.compare_policies({"a": solution}, ax=ax),
        lambda ax: plot.temperature_path(path_of(cycle_over_two, [0.1], [0.0]), ax=ax),
    ]
    for draw in draws:
        ax = Figure().add_subplot()
        assert draw(ax) is ax
        assert title(ax)


def test_page_holds_the_three_pictures(cycle_over_two):
    policy = np.array([0.0, 0.25, 0.0, 0.7, 0.05])
    page = plot.figure(solution_of(cycle_over_two, policy))
    matrix, graph, bars = (panel.axes[0] for panel in page.subfigs)
    assert len(matrix.images) == 1
    assert len(arrows(graph)) == 10
    assert bar_values(bars)["paper"] == [0.7]
    assert "duality gap" in page.get_suptitle()
    assert "Smith set has 3 of 5" in page.get_suptitle()


def test_page_of_a_large_game_shows_its_top_rows():
    game = random_game(60)
    page = plot.figure(solution_of(game, np.full(60, 1 / 60)))
    matrix = page.subfigs[0].axes[0]
    assert row_names(matrix) == [str(i) for i in display_order(game)[:25]]
    assert "top 25 of 60" in title(matrix).replace("\n", " ")


def test_pictures_of_preference_games_refuse_other_games():
    game = matrix_game([[1.0, 0.0], [0.0, 1.0]])
    for draw in (plot.win_matrix, plot.majority_graph):
        with pytest.raises(UnsupportedCombination, match="draws preference games; this is a MatrixGame"):
            draw(game)
    half = np.array([0.5, 0.5])
    assert plot.figure(solution_of(game, (half, half))).axes


def test_results_draw_themselves(cycle_over_two):
    policy = np.array([0.0, 0.25, 0.0, 0.7, 0.05])
    ax = Figure().add_subplot()
    assert solution_of(cycle_over_two, policy).plot(ax) is ax
    assert bar_values(ax)["paper"] == [0.7]
    path = path_of(cycle_over_two, [0.1, 1.0], [0.0, 0.0])
    (line,) = by_gid(path.plot(), "response-3")
    assert_allclose(line.get_ydata(), path.policies[:, 3])


def test_settings_and_pyplot_stay_as_they_were(cycle_over_two, tmp_path):
    before = dict(matplotlib.rcParams)
    for picture in every_picture(cycle_over_two):
        plot.save(picture, tmp_path / "x.png")
    assert dict(matplotlib.rcParams) == before


def test_importing_the_module_does_not_import_matplotlib():
    code = (
        "import sys, gametheory_pref.plot, gametheory_pref.html; "
        "print([m for m in ('matplotlib', 'scipy.sparse', 'numba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_drawing_does_not_import_pyplot():
    code = (
        "import sys, gametheory_pref.plot as plot; plot.majority_graph([[0.5, 0.7], [0.3, 0.5]]); "
        "plot.win_matrix([[0.5, 0.7], [0.3, 0.5]]); print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# --- labels and colours -----------------------------------------------------------------------------------


def test_shortened_labels_still_differ():
    short = shorten(NASTY, 20)
    assert len(set(short)) == len(NASTY)
    assert all("\n" not in text for text in short)
    assert shorten([0, 1, "plain"]) == ["0", "1", "plain"]
    same_ends = [f"prefix-prefix-{i}-suffix-suffix" for i in range(3)]
    assert len(set(shorten(same_ends, 16))) == 3


def test_cell_colours_are_mirror_images_and_legible():
    def contrast(p: float) -> float:
        background, text = cell_colors(p)
        light, dark = sorted((luminance(background), luminance(text)), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    def luminance(color: str) -> float:
        assert re.fullmatch("#[0-9a-f]{6}", color)
        parts = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    assert cell_colors(0.5)[0] == "#ffffff"
    assert cell_colors(1.0)[0] == "#0072b2"
    assert cell_colors(0.0)[0] == "#e66100"
    # 4.5 is the least contrast of readable text (WCAG 2.1, AA).
    assert min(contrast(p) for p in np.linspace(0, 1, 201)) > 4.5


def test_the_page_of_a_large_game_shows_who_is_played() -> None:
    from gametheory_pref.plot.graph import _shown
    from gametheory_pref.solving import solve

    rng = np.random.default_rng(0)
    n = 30
    upper = np.triu(rng.uniform(-0.5, 0.5, (n, n)), 1)
    solution = solve(0.5 + upper - upper.T)
    played = np.flatnonzero(np.asarray(solution.policy) > 0)
    assert 3 <= len(played) <= 12
    assert set(_shown(solution.problem.game, np.asarray(solution.policy)).tolist()) == set(played.tolist())
    assert len(_shown(solution.problem.game, None)) <= 12
