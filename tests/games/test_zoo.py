"""Every answer of the zoo, derived again in fractions and by HiGHS, and its tables against their sources."""

from __future__ import annotations

import csv
import importlib.util
import itertools
import json
import pathlib
import re
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gametheory_pref.errors import InputError
from gametheory_pref.games import MatrixGame, PreferenceGame
from gametheory_pref.games.zoo import ZOO
from gametheory_pref.games.zoo_entry import ZooEntry

PREFERENCE = [name for name, entry in ZOO.items() if isinstance(entry.game, PreferenceGame)]
MATRIX = [name for name, entry in ZOO.items() if isinstance(entry.game, MatrixGame)]
SEVERAL = [name for name in PREFERENCE if not ZOO[name].unique]


def product(matrix, vector):
    return [sum((a * x for a, x in zip(row, vector, strict=True)), Fraction(0)) for row in matrix]


def rank(rows):
    rows = [list(row) for row in rows]
    found = 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((r for r in range(found, len(rows)) if rows[r][column]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for r in range(found + 1, len(rows)):
            factor = rows[r][column] / rows[found][column]
            if factor:
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[found], strict=True)]
        found += 1
    return found


def relative_interior(guarantees, value):
    """Return a point of ``{x >= 0, sum x = 1, guarantees @ x >= value}`` where only forced equalities hold.

    Homogenised, and with slacks capped at 1, the sum of the slacks is largest where every slack that can be
    positive is so (Freund, Roundy and Todd 1985).
    """
    from scipy.optimize import linprog

    g = np.array([[float(a - value) for a in row] for row in guarantees])
    m, n = g.shape
    upper = np.block([[-np.eye(n), np.eye(n), np.zeros((n, m))], [-g, np.zeros((m, n)), np.eye(m)]])
    cost = np.concatenate([np.zeros(n), -np.ones(n + m)])
    bounds = [(0, None)] * n + [(0, 1)] * (n + m)
    answer = linprog(cost, A_ub=upper, b_ub=np.zeros(n + m), bounds=bounds)
    assert answer.status == 0
    point = answer.x[:n] / answer.x[:n].sum()
    return [Fraction(float(x)).limit_denominator(100_000) for x in point]


def solution_set(guarantees, value, point):
    """Return the support and the dimension of a polytope of optimal policies around a point of its interior.

    All in fractions; that `point` is interior is HiGHS's word, which a symmetric game can prove (see below).
    """
    payoff = product(guarantees, point)
    assert sum(point) == 1
    assert min(point) >= 0
    assert min(payoff) >= value
    unit = [[Fraction(int(i == j)) for j in range(len(point))] for i in range(len(point))]
    equalities = [unit[i] for i, p in enumerate(point) if p == 0]
    equalities += [[a - value for a in row] for row, u in zip(guarantees, payoff, strict=True) if u == value]
    equalities.append([Fraction(1)] * len(point))
    return [i for i, p in enumerate(point) if p], len(point) - rank(equalities)


def largest_guarantee(payoff):
    """Return the value of a zero-sum game and an optimal row policy, by HiGHS."""
    from scipy.optimize import linprog

    m, n = payoff.shape
    cost = np.append(np.zeros(m), -1.0)
    answer = linprog(
        cost,
        A_ub=np.hstack([-payoff.T, np.ones((n, 1))]),
        b_ub=np.zeros(n),
        A_eq=[np.append(np.ones(m), 0.0)],
        b_eq=[1.0],
        bounds=[(0, None)] * m + [(None, None)],
    )
    return -answer.fun, answer.x[:m]


@pytest.mark.parametrize("name", PREFERENCE)
def test_a_preference_payoff_is_skew_and_its_float_version_the_nearest(name):
    entry = ZOO[name]
    payoff = entry.payoff_exact
    n = len(payoff)
    assert all(payoff[i][j] == -payoff[j][i] for i in range(n) for j in range(n))
    assert all(abs(value) <= Fraction(1, 2) for row in payoff for value in row)
    exact = np.array([[float(value) for value in row] for row in payoff])
    assert_allclose(entry.game.payoff, exact, rtol=0, atol=2**-54)
    assert np.array_equal(entry.game.payoff, -entry.game.payoff.T)


@pytest.mark.parametrize("name", [name for name in PREFERENCE if ZOO[name].winner_exact is not None])
def test_nothing_gains_against_the_winner(name):
    winner = ZOO[name].winner_exact
    assert all(isinstance(p, Fraction) and p >= 0 for p in winner)
    assert sum(winner) == 1
    assert max(product(ZOO[name].payoff_exact, winner)) <= 0


@pytest.mark.parametrize("name", PREFERENCE)
def test_the_set_of_winners(name):
    """A winner with ``p_i > 0`` exactly where ``(A p)_i = 0`` settles it: the set is a kernel."""
    entry = ZOO[name]
    payoff = entry.payoff_exact
    guarantees = [[-a for a in row] for row in payoff]
    point = entry.winner_exact if entry.dimension == 0 else relative_interior(guarantees, Fraction(0))
    support, dimension = solution_set(guarantees, Fraction(0), point)
    gains = product(payoff, point)
    assert all((p > 0) == (gain == 0) for p, gain in zip(point, gains, strict=True))
    on_support = [[payoff[i][j] for j in support] for i in support]
    assert len(support) - rank(on_support) - 1 == dimension == entry.dimension
    assert tuple(entry.game.names[i] for i in support) == entry.support_union
    assert entry.unique == (dimension == 0)


@pytest.mark.parametrize("name", SEVERAL)
def test_among_several_winners_the_entropy_is_largest(name):
    """Entropy is concave: its maximum is where no feasible direction ascends, which is a linear programme."""
    from scipy.optimize import linprog

    entry = ZOO[name]
    payoff, policy = entry.game.payoff, entry.winner
    played = policy > 0
    slope = np.where(played, -np.log(np.where(played, policy, 1.0)), 0.0)
    bounds = [(0, None) if inside else (0, 0) for inside in played]
    n = len(policy)
    answer = linprog(-slope, A_ub=payoff, b_ub=np.zeros(n), A_eq=[np.ones(n)], b_eq=[1.0], bounds=bounds)
    assert_allclose(-answer.fun, slope @ policy, rtol=0, atol=1e-9)
    assert max(payoff @ policy) <= 1e-15


def test_the_maximum_of_entropy_of_efrons_dice_is_the_root_of_its_equation():
    a, b, c, d = ZOO["dice_efron"].winner
    assert a == c
    assert_allclose([b, d], [1 / 2 - 5 * a / 6, 1 / 2 - 7 * a / 6], rtol=1e-15)
    assert_allclose(a**12, b**5 * d**7, rtol=1e-13)
    assert ZOO["dice_efron"].winner_exact is None


@pytest.mark.parametrize("name", [name for name in PREFERENCE if ZOO[name].unique])
def test_highs_finds_the_same_winner(name):
    value, policy = largest_guarantee(np.array(ZOO[name].game.payoff))
    assert_allclose(value, 0.0, atol=1e-9)
    assert_allclose(policy, ZOO[name].winner, atol=1e-6)


def beats(payoff, i, j):
    return payoff[i][j] > 0


def brute_force_smith(payoff):
    """Return the smallest set that beats everything outside: such sets are nested, so grow one from each."""
    n = len(payoff)
    best = set(range(n))
    for start in range(n):
        members = {start}
        while True:
            outside = set(range(n)) - members
            unbeaten = {j for j in outside if not all(beats(payoff, i, j) for i in members)}
            if not unbeaten:
                break
            members |= unbeaten
        if len(members) < len(best):
            best = members
    return best


def brute_force_schwartz(payoff):
    """Return the union of the minimal sets that nobody outside beats, each grown from a member."""
    n = len(payoff)
    closed = []
    for start in range(n):
        members = {start}
        while True:
            beaters = {j for j in range(n) if j not in members and any(beats(payoff, j, i) for i in members)}
            if not beaters:
                break
            members |= beaters
        closed.append(frozenset(members))
    return set().union(*(s for s in closed if not any(t < s for t in closed)))


@pytest.mark.parametrize("name", PREFERENCE)
def test_majority_sets(name):
    entry = ZOO[name]
    payoff, names = entry.payoff_exact, entry.game.names
    assert entry.smith_set == tuple(names[i] for i in sorted(brute_force_smith(payoff)))
    assert entry.schwartz_set == tuple(names[i] for i in sorted(brute_force_schwartz(payoff)))
    n = len(names)
    unbeaten = [names[i] for i in range(n) if all(payoff[i][j] > 0 for j in range(n) if j != i)]
    assert entry.condorcet_winner == (unbeaten[0] if unbeaten else None)


@pytest.mark.parametrize("name", MATRIX)
def test_matrix_games(name):
    entry = ZOO[name]
    payoff = [list(row) for row in entry.payoff_exact]
    transposed = [list(column) for column in zip(*payoff, strict=True)]
    row, column = entry.winner_exact
    assert sum(row) == sum(column) == 1
    assert min(row) >= 0 and min(column) >= 0
    assert min(product(transposed, row)) == entry.value == max(product(payoff, column))
    against = [[-a for a in row] for row in payoff]
    for player, (guarantees, value) in enumerate([(transposed, entry.value), (against, -entry.value)]):
        support, dimension = solution_set(guarantees, value, relative_interior(guarantees, value))
        assert dimension == entry.dimension[player]
        assert tuple(entry.game.names[player][i] for i in support) == entry.support_union[player]
    assert_allclose(largest_guarantee(np.array(entry.game.row_payoff))[0], float(entry.value), atol=1e-9)
    assert np.array_equal(entry.game.row_payoff, np.array(payoff, dtype=float))
    assert entry.unique == (entry.dimension == (0, 0))
    assert (entry.smith_set, entry.schwartz_set, entry.condorcet_winner) == ((), (), None)


def test_pennies_with_pass_has_the_largest_entropy_at_thirds():
    column = [Fraction(1, 3)] * 3
    assert ZOO["pennies_with_pass"].winner_exact[1] == tuple(column)
    assert not ZOO["pennies_with_pass"].unique


def test_the_zoo_tells_solvers_apart():
    """Uniform, transposed and pure answers fail on many games: a zoo where they pass would test nothing."""
    uniform_fails = flipped_fails = pure_fails = 0
    for name in PREFERENCE:
        entry = ZOO[name]
        payoff = entry.game.payoff
        n = len(payoff)
        uniform_fails += bool(max(payoff @ np.full(n, 1 / n)) > 1e-9)
        flipped_fails += bool(max(-payoff @ entry.winner) > 1e-9)
        pure_fails += bool((payoff.max(axis=0) > 1e-9).all())
    assert uniform_fails >= 20
    assert flipped_fails >= 12
    assert pure_fails >= 18
    assert sum(not entry.unique for entry in ZOO.values()) >= 6


# The tables against their sources.


def penney_by_markov_chain(first, second):
    """Return the chance that `first` appears before `second`, from the chain of the last two tosses."""
    states = ["".join(s) for k in range(3) for s in itertools.product("HT", repeat=k)]
    equations = []
    for state in states:
        row = {other: Fraction(int(other == state)) for other in states}
        constant = Fraction(0)
        for toss in "HT":
            word = state + toss
            if word.endswith(first):
                constant += Fraction(1, 2)
            elif not word.endswith(second):
                row[word[-2:]] -= Fraction(1, 2)
        equations.append([row[other] for other in states] + [constant])
    for k in range(len(states)):
        pivot = next(r for r in range(k, len(states)) if equations[r][k])
        equations[k], equations[pivot] = equations[pivot], equations[k]
        equations[k] = [a / equations[k][k] for a in equations[k]]
        for r in range(len(states)):
            if r != k:
                factor = equations[r][k]
                equations[r] = [a - factor * b for a, b in zip(equations[r], equations[k], strict=True)]
    return equations[0][-1]


def test_conways_odds_are_those_of_the_markov_chain():
    entry = ZOO["penney"]
    names = entry.game.names
    assert names == tuple("".join(word) for word in itertools.product("HT", repeat=3))
    for i, j in itertools.permutations(range(8), 2):
        assert entry.payoff_exact[i][j] + Fraction(1, 2) == penney_by_markov_chain(names[i], names[j])
    assert entry.payoff_exact[4][0] == Fraction(7, 8) - Fraction(1, 2)  # THH before HHH, the classic 7 to 1
    for j in range(8):
        assert max(entry.payoff_exact[i][j] for i in range(8)) > 0


@pytest.mark.parametrize("name", [name for name in PREFERENCE if name.startswith("dice")])
def test_dice_by_throwing_them(name):
    entry = ZOO[name]
    dice = [tuple(map(int, label.split("-"))) for label in entry.game.names]
    for i, j in itertools.permutations(range(len(dice)), 2):
        outcomes = [np.sign(a - b) for a in dice[i] for b in dice[j]]
        assert 2 * entry.payoff_exact[i][j] == Fraction(int(sum(outcomes)), len(outcomes))


def test_what_the_sources_say_about_dice():
    efron, oskar = ZOO["dice_efron"].payoff_exact, ZOO["dice_oskar"].payoff_exact
    assert [efron[i][(i + 1) % 4] for i in range(4)] == [Fraction(1, 6)] * 4
    assert efron[2][0] == Fraction(5, 9) - Fraction(1, 2)
    for i, j in itertools.combinations(range(7), 2):
        assert any(oskar[k][i] > 0 and oskar[k][j] > 0 for k in range(7))
    assert {abs(oskar[i][j]) for i, j in itertools.permutations(range(7), 2)} == {Fraction(1, 18)}
    nash_md = ZOO["dice_nash_md"].payoff_exact
    assert [nash_md[i][(i + 1) % 3] for i in range(3)] == [nash_md[0][1]] * 3
    assert abs(nash_md[0][1]) == Fraction(5, 9) - Fraction(1, 2)


def test_the_seven_and_the_hand_game():
    """What is said about tournaments: every two are beaten by a third, and who beats whom by hand."""
    seven = ZOO["quadratic_residue_seven"].payoff_exact
    for i, j in itertools.combinations(range(7), 2):
        assert any(seven[k][i] > 0 and seven[k][j] > 0 for k in range(7))
    game = ZOO["rock_paper_scissors_lizard_spock"].game
    beaten = {
        "rock": {"scissors", "lizard"},
        "paper": {"rock", "Spock"},
        "scissors": {"paper", "lizard"},
        "lizard": {"paper", "Spock"},
        "Spock": {"rock", "scissors"},
    }
    for name, losers in beaten.items():
        wins = game.payoff[game.index(name)] > 0
        assert {other for other, won in zip(game.names, wins, strict=True) if won} == losers


def test_the_favourite_has_the_smallest_victories():
    payoff = ZOO["clear_favourite"].payoff_exact
    largest = [max(row) for row in payoff]
    assert largest[0] == min(largest) < min(largest[1:])


def test_tennessee_from_its_four_groups_of_voters():
    orders = {"MNCK": 42, "NCKM": 26, "CKNM": 15, "KCNM": 17}
    wins = ZOO["tennessee"].game.votes.wins
    for (i, a), (j, b) in itertools.permutations(enumerate("MNCK"), 2):
        assert wins[i, j] == sum(count for order, count in orders.items() if order.index(a) < order.index(b))


def count_ballots(path, *, ignore_unranked):
    """Return names and wins of a PrefLib file; unranked alternatives tie at the bottom, or are left out."""
    names, wins = [], np.zeros(0)
    for line in path.read_text(encoding="utf-8").splitlines():
        if title := re.match(r"# ALTERNATIVE NAME \d+: (.*)", line):
            names.append(title[1].strip())
        if line.startswith("#") or not line.strip():
            continue
        n = len(names)
        if not wins.size:
            wins = np.zeros((n, n))
        count, order = line.split(":")
        position = np.full(n, np.inf)
        for place, group in enumerate(re.findall(r"\{[^}]*\}|\d+", order)):
            position[[int(k) - 1 for k in re.findall(r"\d+", group)]] = place
        ahead = position[:, None] < position[None, :]
        if ignore_unranked:
            ahead &= np.isfinite(position)[None, :]
        wins += int(count) * ahead
    return names, wins


@pytest.mark.parametrize(
    ("name", "file", "ignore_unranked", "solution"),
    [
        ("govan_2007", "00008-00000009.soi", False, "00008-00000009.soi|unranked-bottom"),
        ("ers_86", "00007-00000086.soi", True, "00007-00000086.soi"),
        ("ers_86_margins", "00007-00000086.soi", True, "00007-00000086.soi"),
        ("burlington_2009", "00005-00000002.toi", False, None),
        ("tour_de_france_1921", "00043-00000107.soc", False, "00043-00000107.soc"),
    ],
)
def test_elections_against_the_ballots(shared_data, name, file, ignore_unranked, solution):
    entry = ZOO[name]
    names, wins = count_ballots(shared_data / "elections" / file, ignore_unranked=ignore_unranked)
    if name == "tour_de_france_1921":
        surnames = ["HEUSGHEM", "SCIEUR", "LUCOTTI", "MOTTIAT", "BARTH"]
        where = [next(i for i, full in enumerate(names) if full.startswith(s)) for s in surnames]
        names, wins = list(entry.game.names), wins[np.ix_(where, where)]
    assert list(entry.game.names) == names
    assert np.array_equal(entry.game.votes.wins, wins)
    if solution is None:
        return
    record = json.loads((shared_data / "solutions.json").read_text(encoding="utf-8"))[solution]
    kind = "maximal_lottery_rate" if name == "ers_86" else "maximal_lottery_margin"
    known = [Fraction(text) for text in record[kind]["p_exact"].values()]
    assert [p for p in entry.winner_exact if p] == known


@pytest.mark.parametrize("name", ["pandalm", "arena"])
def test_model_battles_against_the_counts(shared_data, name):
    file = {"pandalm": "pandalm_human.csv", "arena": "arena_complete_20240329.csv"}[name]
    game = ZOO[name].game
    seen = 0
    with (shared_data / "pairwise" / file).open(encoding="utf-8", newline="") as stream:
        for record in csv.DictReader(stream):
            if {record["item_a"], record["item_b"]} <= set(game.names):
                i, j = game.index(record["item_a"]), game.index(record["item_b"])
                assert game.votes.wins[i, j] == int(record["wins_a"])
                assert game.votes.wins[j, i] == int(record["wins_b"])
                assert game.votes.ties[i, j] == game.votes.ties[j, i] == int(record["ties"])
                seen += 1
    assert seen == game.n_responses * (game.n_responses - 1) // 2
    assert f"{game.votes.n_comparisons:g}" in ZOO[name].title


def test_blotto_and_dice_against_the_solved_copies(shared_data):
    solutions = json.loads((shared_data / "solutions.json").read_text(encoding="utf-8"))
    record = solutions["blotto_5_3"]
    entry = ZOO["blotto"]
    assert list(entry.game.names) == record["items"]
    assert list(entry.schwartz_set) == record["schwartz_set"]
    assert list(entry.support_union) == record["maximal_lottery"]["support_union"]
    assert entry.dimension == record["maximal_lottery"]["dimension_of_solution_set"]
    rows = np.genfromtxt(shared_data / "payoff" / "blotto_5_3.csv", delimiter=",", skip_header=1)[:, 1:]
    assert np.array_equal(2 * entry.game.payoff, rows)
    for name, key in [("dice_miwin", "dice_miwin"), ("dice_oskar", "dice_oskar7")]:
        known = list(solutions[key]["maximal_lottery_margin"]["p_exact"].values())
        assert list(ZOO[name].winner_exact) == [Fraction(text) for text in known]


# The mapping.


def test_an_unknown_name_is_refused_with_a_suggestion():
    with pytest.raises(InputError, match=r"^no game is called 'coml'; did you mean 'comal'\?$"):
        ZOO["coml"]
    with pytest.raises(KeyError, match=r"did you mean 'two_scissors'\?"):
        ZOO["two_scisors"]
    with pytest.raises(InputError, match="the zoo has rock_paper_scissors, biased") as caught:
        ZOO["qqqq"]
    assert all(name in str(caught.value) for name in ZOO)
    assert "qqqq" not in ZOO
    assert ZOO.get("qqqq") is None


def test_the_listing_names_every_game():
    lines = repr(ZOO).splitlines()
    assert lines[0] == f"Zoo of {len(ZOO)} games:"
    assert [line.split()[0] for line in lines[1:]] == list(ZOO)
    assert all(line.endswith(entry.title) for line, entry in zip(lines[1:], ZOO.values(), strict=True))
    assert len(set(ZOO)) == len(ZOO) >= 30
    assert repr(ZOO["comal"]) == "ZooEntry('comal': the COMAL cycle of three)"


def test_entries_do_not_change():
    entry: ZooEntry = ZOO["comal"]
    assert entry.game is ZOO["comal"].game
    with pytest.raises(ValueError, match="read-only"):
        entry.winner[0] = 1.0
    with pytest.raises(AttributeError):
        entry.title = "other"
    with pytest.raises(TypeError):
        ZOO["comal"] = entry


@pytest.mark.parametrize("name", list(ZOO))
def test_every_entry_says_where_it_comes_from(name):
    entry = ZOO[name]
    assert entry.name == name
    assert len(entry.source) >= 9
    assert entry.source.endswith(".")
    assert not entry.note or entry.note.endswith(".")


def test_the_page_is_up_to_date():
    script = pathlib.Path(__file__).parents[2] / "docs" / "generate_zoo.py"
    spec = importlib.util.spec_from_file_location("generate_zoo", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.page(), "run python docs/generate_zoo.py"
