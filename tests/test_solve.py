"""`solve`: what it chooses, what it says, what it refuses."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest

import gametheory_pref as gp
from gametheory_pref.iterating import record_points
from gametheory_pref.status import Status

from .known_answers import UNIQUE, clones

COMAL = np.array(UNIQUE["comal"][0])


def test_auto_says_what_it_chose() -> None:
    small = gp.solve(COMAL)
    assert small.method == "simplex"
    assert "simplex" in small.message
    assert "unique" in small.message
    rng = np.random.default_rng(3)
    upper = np.triu(rng.uniform(-0.5, 0.5, (400, 400)), 1)
    large = gp.solve(0.5 + upper - upper.T)
    assert large.method == "interior_point"
    assert large.status is Status.EXACT
    assert large.gap <= 1e-9


@pytest.mark.parametrize("method", ["auto", "simplex", "interior_point"])
def test_exact_methods_agree(method: str) -> None:
    rng = np.random.default_rng(11)
    for n in (3, 12, 60):
        upper = np.triu(rng.uniform(-0.5, 0.5, (n, n)), 1)
        solution = gp.solve(0.5 + upper - upper.T, method)
        np.testing.assert_allclose(solution.policy, gp.solve(0.5 + upper - upper.T).policy, atol=1e-10)
        assert solution.converged


def test_the_maximum_entropy_winner_is_chosen_and_said() -> None:
    preference, winner = clones()
    solution = gp.solve(preference)
    np.testing.assert_allclose(solution.policy, winner, atol=1e-9)
    certificate = solution.certificate()
    assert certificate.unique is False
    assert certificate.dimension == 1
    assert certificate.support_union == (0, 1, 2, 3)
    assert "maximum-entropy" in solution.message
    vertex = gp.solve(preference, "simplex")
    assert len(vertex.support()) == 3
    assert vertex.certificate().unique is False


def test_reference_and_start_choose_the_closest_winner() -> None:
    preference, _ = clones()
    # Scissors and its twin share 1/3 in the proportion of the anchor.
    for argument in ({"reference": [0.4, 0.3, 0.2, 0.1]}, {"start": [0.4, 0.3, 0.2, 0.1]}):
        policy = gp.solve(preference, **argument).policy  # type: ignore[arg-type]
        np.testing.assert_allclose(policy, [1 / 3, 1 / 3, 2 / 9, 1 / 9], atol=1e-9)


def test_the_zero_temperature_limit_is_continuous() -> None:
    preference, winner = clones()
    cold = gp.solve(preference, temperature=1e-4).policy
    np.testing.assert_allclose(cold, winner, atol=1e-3)
    anchor = [0.4, 0.3, 0.2, 0.1]
    cold = gp.solve(preference, temperature=1e-4, reference=anchor).policy
    np.testing.assert_allclose(cold, gp.solve(preference, reference=anchor).policy, atol=1e-3)


def test_regularised_equilibrium_is_the_fixed_point() -> None:
    anchor = np.array([0.2, 0.5, 0.3])
    for temperature in (5.0, 0.5, 0.05, 0.005):
        policy = np.asarray(gp.solve(COMAL, temperature=temperature, reference=anchor).policy)
        unnormalised = anchor * np.exp((COMAL - 0.5) @ policy / temperature)
        np.testing.assert_allclose(policy, unnormalised / unnormalised.sum(), atol=1e-11)


def test_zero_mass_in_the_reference_removes_the_response() -> None:
    policy = np.asarray(gp.solve(COMAL, temperature=0.2, reference=[0.5, 0.5, 0.0]).policy)
    assert policy[2] == 0.0
    # Two responses: log-odds x solves x = (2 p - 1 with P = 0.1) / temperature, a logistic equation.
    pair = np.asarray(gp.solve(COMAL[:2, :2], temperature=0.2).policy)
    np.testing.assert_allclose(policy[:2], pair, atol=1e-12)
    # Payoffs +-0.4: the log-odds of the better response are (0.4 p + 0.4 (1 - p)) / 0.2 = 2.
    np.testing.assert_allclose(pair[1] / pair[0], math.exp(2.0), rtol=1e-10)


@pytest.mark.parametrize(
    ("payoff", "row", "column", "value"),
    [
        ([[3, -1], [-1, 1]], [1 / 3, 2 / 3], [1 / 3, 2 / 3], 1 / 3),
        # O'Neill (1987): the joker and three number cards.
        (
            [[1, -1, -1, -1], [-1, -1, 1, 1], [-1, 1, -1, 1], [-1, 1, 1, -1]],
            [0.4, 0.2, 0.2, 0.2],
            [0.4, 0.2, 0.2, 0.2],
            -0.2,
        ),
        ([[2, 3, 1, 4, 0], [1, 0, 5, 2, 3]], None, None, None),
    ],
)
def test_two_player_games(payoff, row, column, value) -> None:  # type: ignore[no-untyped-def]
    game = gp.matrix_game(payoff)
    solution = gp.solve(game)
    assert isinstance(solution.policy, tuple)
    assert solution.gap <= 1e-12
    if row is not None:
        np.testing.assert_allclose(solution.policy[0], row, atol=1e-12)
        np.testing.assert_allclose(solution.policy[1], column, atol=1e-12)
        np.testing.assert_allclose(solution.value, value, atol=1e-12)
    by_interior_point = gp.solve(game, "interior_point")
    np.testing.assert_allclose(by_interior_point.value, solution.value, atol=1e-9)
    # Swapping the players negates the value and exchanges the strategies.
    swapped = gp.solve(gp.matrix_game(-np.array(payoff).T))
    np.testing.assert_allclose(swapped.value, -solution.value, atol=1e-12)
    np.testing.assert_allclose(swapped.policy[0], solution.policy[1], atol=1e-9)


def test_constant_sum_games_are_solved_and_general_sum_refused() -> None:
    payoff = np.array([[3.0, -1.0], [-1.0, 1.0]])
    solution = gp.solve(gp.matrix_game(payoff, 10.0 - payoff))
    np.testing.assert_allclose(solution.value, 1 / 3, atol=1e-12)
    with pytest.raises(gp.UnsupportedCombination, match="general-sum"):
        gp.solve(gp.matrix_game([[3, 0], [5, 1]], [[3, 5], [0, 1]]))
    with pytest.raises(gp.UnsupportedCombination, match="3-player"):
        gp.solve(gp.multiplayer_game(np.zeros((3, 2, 2, 2))))


def test_regularised_two_player_game_is_the_fixed_point() -> None:
    payoff = np.array([[3.0, -1.0, 0.5], [-1.0, 1.0, 0.0]])
    temperature = 0.7
    solution = gp.solve(gp.matrix_game(payoff), temperature=temperature)
    row, column = solution.policy
    for policy, scores in ((row, payoff @ column), (column, -payoff.T @ row)):
        reply = np.exp(scores / temperature)
        np.testing.assert_allclose(policy, reply / reply.sum(), atol=1e-10)
    assert solution.gap <= 1e-12


@pytest.mark.parametrize(
    ("name", "meant"),
    [("nashmd", "'nash_md'"), ("Nash-MD", "'nash_md'"), ("simplx", "'simplex'"), ("extragradent", "'extragradient'")],
)
def test_a_name_that_is_nearly_right_is_told_what_is_meant(name: str, meant: str) -> None:
    with pytest.raises(gp.InputError, match=f"^method '{name}' is unknown; did you mean {meant}.*list.gp.METHODS"):
        gp.solve(COMAL, name)


def test_the_mapping_of_methods_raises_key_errors_that_say_what_is_meant() -> None:
    with pytest.raises(KeyError) as caught:
        gp.METHODS["nashmd"]
    assert isinstance(caught.value, gp.InputError)
    assert str(caught.value).startswith("method 'nashmd' is unknown; did you mean 'nash_md'")
    assert gp.METHODS.get("nashmd") is None
    assert "nashmd" not in gp.METHODS


@pytest.mark.parametrize("method", ["auto", "newton"])
def test_samples_are_not_for_exact_methods(method: str) -> None:
    with pytest.raises(gp.UnsupportedCombination, match=f"oracle has no effect on exact methods.*'{method}'.*rule"):
        gp.solve(COMAL, method, temperature=0.1, oracle=gp.Sampled(4))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"oracle": gp.Sampled(labels="no")}, "oracle.labels must be True or False; got 'no'"),
        ({"oracle": gp.Sampled(opponents="3")}, "oracle.opponents must be a number; got '3'"),
        ({"oracle": gp.Sampled(opponents=True)}, "oracle.opponents must be a number; got True"),
        ({"max_steps": "3"}, "max_steps must be a number; got '3'"),
        ({"tol": "1e-3"}, "tol must be a number; got '1e-3'"),
        ({"temperature": True}, "temperature must be a number; got True"),
        ({"method": gp.METHODS["extragradient"](step_size=True)}, "step_size must be a positive number.*got True"),
        ({"method": gp.METHODS["proximal_point"](inner_steps=True)}, "inner_steps must be a number; got True"),
    ],
)
def test_words_and_truth_values_are_no_numbers(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(gp.InputError, match=message):
        gp.solve(COMAL, **({"method": "extragradient", "jit": False} | settings))


def test_numbers_that_overflow_in_the_interpreter_end_a_run_without_warnings() -> None:
    rule = gp.METHODS["sppo"](step_size=1e300)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        solution = gp.solve(COMAL, rule, start=[0.5, 0.3, 0.2], max_steps=50, tol=0.0, jit=False)
    assert solution.status is Status.NONFINITE


def test_bad_arguments_have_their_sentences() -> None:
    with pytest.raises(gp.InputError, match="method 'magic' is unknown.* one of auto, simplex"):
        gp.solve(COMAL, "magic")
    with pytest.raises(gp.UnsupportedCombination, match="'newton' does not solve this game at temperature 0"):
        gp.solve(COMAL, "newton")
    with pytest.raises(gp.InputError, match="temperature must be a finite number of at least 0; got -1"):
        gp.solve(COMAL, temperature=-1)
    with pytest.raises(gp.InputError, match="reference sums to 0.9, not 1"):
        gp.solve(COMAL, temperature=1, reference=[0.3, 0.3, 0.3])
    with pytest.raises(gp.InputError, match="reference has 2 entries for 3 responses"):
        gp.solve(COMAL, temperature=1, reference=[0.5, 0.5])
    with pytest.raises(gp.InputError, match="start has a negative probability"):
        gp.solve(COMAL, start=[-0.5, 1.0, 0.5])
    with pytest.raises(gp.InputError, match="max_steps must be a whole number of at least 1; got 0"):
        gp.solve(COMAL, max_steps=0)
    with pytest.raises(gp.InputError, match="tol must be"):
        gp.solve(COMAL, tol=float("nan"))
    with pytest.raises(gp.InputError, match=r"P\[0, 1\] \+ P\[1, 0\] = 0.9, not 1"):
        gp.solve([[0.5, 0.4], [0.5, 0.5]])
    for steps in (float("nan"), float("inf"), "many", None, 2.5, True):
        with pytest.raises(gp.InputError, match="max_steps must be"):
            gp.solve(COMAL, max_steps=steps)  # type: ignore[arg-type]
    for seed in ("x", -1):
        with pytest.raises(gp.InputError, match="rng must be a seed"):
            gp.solve(COMAL, rng=seed)  # type: ignore[arg-type]
    with pytest.raises(gp.InputError, match="record must be a Record; got None"):
        gp.solve(COMAL, record=None)  # type: ignore[arg-type]
    with pytest.raises(gp.InputError, match="record.per_decade must be"):
        gp.solve(gp.zoo["comal"].game, record=gp.Record(per_decade=-3))
    with pytest.raises(gp.InputError, match="callback must be a function of a Snapshot; got 3"):
        gp.solve(COMAL, callback=3)  # type: ignore[arg-type]
    with pytest.raises(gp.InputError, match="tol must be"):
        gp.path(COMAL, [0.1], tol=-1.0)
    with pytest.raises(gp.InputError, match="temperature is 1e-300; payoffs divided by it overflow"):
        gp.path(COMAL, [0.1, 1e-300])


def test_single_precision_counts_as_rounded() -> None:
    third = np.array([[1 / 2, 1 / 3, 2 / 3], [2 / 3, 1 / 2, 1 / 3], [1 / 3, 2 / 3, 1 / 2]], dtype=np.float32)
    np.testing.assert_allclose(gp.solve(third, temperature=0.1).policy, 1 / 3, atol=1e-6)
    reference = np.full(3, 1 / 3, dtype=np.float32)
    np.testing.assert_allclose(gp.solve(third, temperature=0.1, reference=reference).policy, 1 / 3, atol=1e-6)
    with pytest.raises(gp.InputError, match=r"= 1.00001\d*, not 1. For rounded numbers raise atol"):
        gp.solve(third + np.triu(np.full((3, 3), 1e-5, dtype=np.float32), 1))
    with pytest.raises(gp.InputError, match=r"= 1.0000001, not 1. For rounded numbers raise atol"):
        gp.solve([[0.5, 0.3000001], [0.7, 0.5]])


def test_one_response() -> None:
    for temperature in (0.0, 0.3):
        solution = gp.solve([[0.5]], temperature=temperature)
        assert solution.policy.tolist() == [1.0]  # type: ignore[union-attr]
        assert solution.gap == 0.0
        assert solution.certificate().unique is True


def test_where_a_run_ends_does_not_depend_on_its_limit() -> None:
    game = gp.zoo["comal"].game
    limits = (60, 100, 1000, 3000, 99_999)
    ends = {gp.solve(game, "inpo", temperature=0.3, tol=1e-6, max_steps=limit, jit=False).n_steps for limit in limits}
    assert len(ends) == 1 and ends.pop() < 60


@pytest.mark.parametrize("per_decade", [1, 7, 16])
def test_record_points_are_evenly_spaced_in_the_logarithm(per_decade: int) -> None:
    points = record_points(0, 5000, per_decade)
    np.testing.assert_array_equal(points[[0, -1]], [0, 5000])
    grid = {round(10.0 ** (k / per_decade)) for k in range(4 * per_decade)}
    assert set(points[1:-1].tolist()) == {step for step in grid if step < 5000}
    np.testing.assert_array_equal(record_points(37, 900, per_decade)[1:-1], points[(points > 37) & (points < 900)])
    np.testing.assert_array_equal(record_points(5, 5, per_decade), [5])


def test_callback_sees_the_end_and_trace_records_it() -> None:
    seen: list[gp.Snapshot] = []
    solution = gp.solve(COMAL, callback=seen.append, record=gp.Record(points=True))
    assert len(seen) == 1
    np.testing.assert_array_equal(seen[0].policy, solution.policy)
    assert solution.trace.metrics["gap"].tolist() == [solution.gap]
    np.testing.assert_array_equal(solution.trace.policies[0], solution.policy)


def test_interpreted_and_compiled_answers_agree() -> None:
    for temperature in (0.0, 0.1):
        plain = gp.solve(COMAL, temperature=temperature, jit=False)
        compiled = gp.solve(COMAL, temperature=temperature)
        np.testing.assert_allclose(plain.policy, compiled.policy, atol=1e-14)


@pytest.mark.parametrize("temperature", [0.0, 0.1])
def test_the_interpreter_returns_the_same_types(temperature: float) -> None:
    """Plain numbers either way, so that no text, JSON or comparison depends on whether a kernel was compiled."""
    from gametheory_pref._jit import interpreted
    from gametheory_pref.exact.regularized import regularized

    plain, compiled = (gp.solve(COMAL, temperature=temperature, jit=jit) for jit in (False, True))
    for name in ("gap", "value", "n_steps", "payoff_calls", "seconds"):
        assert type(getattr(plain, name)) is type(getattr(compiled, name)) in (int, float), name
    log_reference = np.full(3, -np.log(3.0))
    with interpreted():
        inside = regularized(COMAL - 0.5, 0.1, log_reference)
    outside = regularized(COMAL - 0.5, 0.1, log_reference)
    assert [type(part) for part in inside] == [type(part) for part in outside]


def test_permuting_responses_permutes_the_answer() -> None:
    rng = np.random.default_rng(5)
    upper = np.triu(rng.uniform(-0.5, 0.5, (9, 9)), 1)
    preference = 0.5 + upper - upper.T
    order = rng.permutation(9)
    for temperature in (0.0, 0.07):
        policy = np.asarray(gp.solve(preference, temperature=temperature).policy)
        permuted = gp.solve(preference[np.ix_(order, order)], temperature=temperature).policy
        np.testing.assert_allclose(permuted, policy[order], atol=1e-10)


def test_time_limit_returns_the_best_point_so_far() -> None:
    rng = np.random.default_rng(6)
    upper = np.triu(rng.uniform(-0.5, 0.5, (300, 300)), 1)
    solution = gp.solve(0.5 + upper - upper.T, time_limit=0.0)
    assert solution.status is Status.TIME_LIMIT
    assert not solution.converged
    assert np.isfinite(solution.gap)
    np.testing.assert_allclose(np.sum(solution.policy), 1.0)
    with pytest.raises(gp.NotConverged, match="time limit"):
        solution.require()


def test_a_small_exact_solve_imports_no_compiler() -> None:
    code = (
        "import sys, gametheory_pref as gp\n"
        "gp.solve([[.5, .1, .8], [.9, .5, .1], [.2, .9, .5]]).certificate()\n"
        "print([m for m in ('numba', 'scipy', 'matplotlib', 'cvxpy') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_json_round_trip_keeps_every_digit() -> None:
    wins = [[0, 6, 2], [4, 0, 7], [8, 3, 0]]
    for game, temperature in ((gp.from_counts(wins, names=["a", "b", "c"]), 0.0), (COMAL, 0.3)):
        solution = gp.solve(game, temperature=temperature, reference=[0.2, 0.3, 0.5] if temperature else None)
        back = gp.Solution.from_json(solution.to_json())
        np.testing.assert_array_equal(back.policy, solution.policy)
        assert back.gap == solution.gap
        assert back.to_dict() == solution.to_dict()
        assert back.certificate().verify()
    two = gp.solve(gp.matrix_game([[3, -1], [-1, 1]], row_names=["u", "d"]))
    assert gp.Solution.from_json(two.to_json()).to_dict() == two.to_dict()


def test_json_with_a_false_claim_is_refused() -> None:
    data = gp.solve(COMAL).to_dict()
    data["policy"] = [1.0, 0.0, 0.0]
    with pytest.raises(gp.InputError, match="gap is stated as"):
        gp.Solution.from_dict(data)
    with pytest.raises(gp.InputError, match="gap is stated as inf"):
        gp.Solution.from_dict(data | {"gap": None})
    data["gap"] = gp.duality_gap(COMAL, [1.0, 0.0, 0.0])
    with pytest.raises(gp.InputError, match="status is stated as exact"):
        gp.Solution.from_dict(data)
    with pytest.raises(gp.InputError, match="schema must be"):
        gp.Solution.from_dict({"schema": "other/1"})


def test_a_damaged_solution_is_refused_in_words() -> None:
    whole = gp.solve(COMAL).to_dict()
    for key in ("game", "temperature", "policy", "value", "status", "n_steps", "seconds", "trace"):
        with pytest.raises(gp.InputError):
            gp.Solution.from_dict(whole | {key: None})
        with pytest.raises(gp.InputError):
            gp.Solution.from_dict({name: value for name, value in whole.items() if name != key})
    with pytest.raises(gp.InputError, match="damaged"):
        gp.Solution.from_dict(whole | {"status": "splendid"})
    for text in ("[]", "null", "3"):
        with pytest.raises(gp.InputError, match="schema must be"):
            gp.Solution.from_json(text)
    with pytest.raises(gp.InputError, match="text is not JSON.*line 1"):
        gp.Solution.from_json("{")


def test_certificate_verifies_and_notices_tampering() -> None:
    import dataclasses

    certificate = gp.solve(gp.from_counts([[0, 6, 2], [4, 0, 7], [8, 3, 0]])).certificate(exact=True)
    assert certificate.verify()
    assert certificate.condorcet_winner is None
    assert certificate.smith_set == (0, 1, 2)
    assert certificate.mass_outside_smith == 0.0
    assert not dataclasses.replace(certificate, policy=np.array([1.0, 0.0, 0.0])).verify()
    assert not dataclasses.replace(certificate, gap=0.5).verify()
    assert not dataclasses.replace(certificate, policy=np.array([0.5, 0.6, -0.1])).verify()


@pytest.mark.parametrize("exact", [False, True])
def test_every_claim_of_a_certificate_is_verified(exact: bool) -> None:
    import dataclasses

    games = {
        "unique": gp.preference_game([[0.5, 0.9], [0.1, 0.5]], names=["a", "b"]),
        "tied": gp.preference_game([[0.5, 0.5, 0.9], [0.5, 0.5, 0.8], [0.1, 0.2, 0.5]], names=["a", "b", "c"]),
        "pair": gp.matrix_game([[3, -1, -1], [-1, 1, 1]], row_names=["u", "d"], column_names=["l", "m", "r"]),
    }
    for name, game in games.items():
        certificate = gp.solve(game).certificate(exact=exact)
        assert certificate.verify(), name
        single = name != "pair"
        lies: list[dict[str, object]] = [
            {"unique": not certificate.unique},
            {"dimension": 2 if single else (1, 2)},
            {"support_union": ("b",) if single else (("u",), ("l",))},
            {"best_response": "nobody" if single else ("nobody", "l")},
        ]
        if single:
            lies.append({"best_response": "b" if name == "unique" else "c"})
        for lie in lies:
            assert not dataclasses.replace(certificate, **lie).verify(), (name, lie)  # type: ignore[arg-type]


def test_certificates_of_a_regularised_equilibrium_are_verified() -> None:
    import dataclasses

    solution = gp.solve(COMAL, temperature=0.1, reference=[0.5, 0.5, 0.0])
    certificate = solution.certificate()
    assert certificate.verify()
    assert certificate.unique
    assert not dataclasses.replace(certificate, unique=False).verify()
    assert not dataclasses.replace(certificate, best_response=2).verify()


def test_a_certificate_with_the_proof_of_another_game_is_refused() -> None:
    """The float claims of each certificate stay true; only the proof is not its own."""
    import dataclasses

    certificate = gp.solve(gp.from_counts([[0, 6, 2], [4, 0, 7], [8, 3, 0]])).certificate(exact=True)
    larger = gp.solve(gp.from_counts([[0, 6, 2, 9], [4, 0, 7, 9], [8, 3, 0, 9], [1, 1, 1, 0]])).certificate(exact=True)
    assert certificate.proof is not None
    assert not dataclasses.replace(certificate, proof=larger.proof).verify()
    assert not dataclasses.replace(larger, proof=certificate.proof).verify()
    tampered = dataclasses.replace(certificate.proof, policy=certificate.proof.policy[::-1])
    assert certificate.verify()
    assert not dataclasses.replace(certificate, proof=tampered).verify()

    pennies = gp.solve(gp.matrix_game([[3, -1], [-1, 1]])).certificate(exact=True)
    assert not dataclasses.replace(pennies, proof=certificate.proof).verify()
    assert not dataclasses.replace(certificate, proof=pennies.proof).verify()


def test_exact_certificates_are_refused_where_there_is_none() -> None:
    with pytest.raises(gp.UnsupportedCombination, match="temperature 0"):
        gp.solve(COMAL, temperature=0.1).certificate(exact=True)
    irrational = np.array([[0.5, 0.5 + 1 / np.pi], [0.5 - 1 / np.pi, 0.5]])
    with pytest.raises(gp.UnsupportedCombination):
        gp.solve(irrational).certificate(exact=True)


def test_both_players_of_a_zero_sum_game_are_proved() -> None:
    import dataclasses

    certificate = gp.solve(gp.matrix_game([[3, -1], [-1, 1]])).certificate(exact=True)
    assert certificate.verify()
    assert str(certificate.proof) == "ZeroSumProof(value 1/3, row (1/3, 2/3), column (1/3, 2/3))"
    assert certificate.unique is True
    other = gp.solve(gp.matrix_game([[3, -1], [-1, 2]]))
    assert not dataclasses.replace(certificate, problem=other.problem).verify()
    wrong = (np.array([0.5, 0.5]), np.array([1 / 3, 2 / 3]))
    assert not dataclasses.replace(certificate, policy=wrong).verify()


def test_results_pickle() -> None:
    solution = gp.solve(COMAL)
    back = pickle.loads(pickle.dumps(solution))
    np.testing.assert_array_equal(back.policy, solution.policy)
    assert not back.problem.game.payoff.flags.writeable
    error = pickle.loads(pickle.dumps(gp.InputError("bad", file="x.csv", line=3)))
    assert str(error) == "x.csv: line 3: bad"


def test_path_returns_the_order_asked_for_and_its_costs() -> None:
    heats = [0.01, 1.0, 0.0, 0.1]
    path = gp.path(COMAL, heats)
    assert path.converged
    for k, heat in enumerate(heats):
        np.testing.assert_allclose(path.policies[k], gp.solve(COMAL, temperature=heat).policy, atol=1e-10)
        np.testing.assert_allclose(path.costs[k], gp.duality_gap(COMAL, path.policies[k]), atol=1e-15)
    # The cost of a temperature falls with it (the KL constraint loosens).
    order = np.argsort(heats)
    assert (np.diff(path.costs[order]) >= -1e-12).all()
    with pytest.raises(gp.InputError, match="temperatures must hold"):
        gp.path(COMAL, [0.1, -1.0])


@pytest.mark.parametrize("temperature", [1e-3, 1e-4, 1e-5])
def test_path_reaches_low_temperatures_with_an_honest_gap(temperature: float) -> None:
    rng = np.random.default_rng(8)
    upper = np.triu(rng.uniform(-0.5, 0.5, (12, 12)), 1)
    preference = 0.5 + upper - upper.T
    path = gp.path(preference, np.geomspace(temperature, 1.0, 9))
    assert path.converged
    assert path.gaps.max() <= 1e-12
    # Gap_0 of the equilibrium at temperature b is at most 2 b log n (uniform reference).
    assert path.costs[0] <= 2 * temperature * np.log(12)
    assert path.costs[-1] > 0.01


def test_a_block_of_near_ties_is_solved_to_rounding() -> None:
    """Margins of 1e-11 among responses that all lose a third to two others' wins: pivoting alone stops at 1e-11."""
    rng = np.random.default_rng(0)
    n = int(rng.integers(3, 9))
    block = np.triu(rng.uniform(-0.5, 0.5, (n, n)), 1)
    payoff = np.zeros((n + 2, n + 2))
    payoff[:n, :n] = (block - block.T) * 1e-11
    payoff[:n, n:] = 0.3
    payoff[n:, :n] = -0.3
    assert gp.solve(0.5 + payoff, "simplex").gap > 1e-12
    assert gp.solve(0.5 + payoff).gap <= 1e-13


def test_texts_and_zoo_entries_are_pointed_the_right_way() -> None:
    with pytest.raises(gp.InputError, match=r"read files with gp\.read"):
        gp.solve("counts.csv")
    with pytest.raises(gp.InputError, match=r"pass its \.game"):
        gp.solve(gp.zoo["comal"])  # type: ignore[arg-type]
