"""What an inclusion is made from: constants that are measured, closest solutions, and messages."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp
from gametheory_pref.inclusions import example
from gametheory_pref.inclusions.operators import linear_cocoercivity

RNG = np.random.default_rng(1)


def random_cocoercive(seed, size=6):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(size, size // 2))
    turn = rng.normal(size=(size // 2, size // 2))
    return factor @ (np.eye(size // 2) + turn - turn.T) @ factor.T


@pytest.mark.parametrize("seed", range(10))
def test_cocoercivity_is_the_largest_modulus(seed):
    matrix = random_cocoercive(seed)
    modulus = gp.inclusion(matrix, start=np.zeros(6)).cocoercivity
    moves = np.random.default_rng(seed).normal(size=(4000, 6)) @ matrix.T @ matrix
    images = moves @ matrix.T
    ratios = (images * moves).sum(axis=1) / (images**2).sum(axis=1)
    assert ratios.min() >= modulus * (1.0 - 1e-9)
    # Attained: F(z) - c/2 F'F has a null vector on the range.
    symmetric = 0.5 * (matrix + matrix.T)
    assert np.linalg.eigvalsh(symmetric - modulus * matrix.T @ matrix)[0] > -1e-9 * np.linalg.norm(matrix) ** 2
    assert np.linalg.eigvalsh(symmetric - 1.01 * modulus * matrix.T @ matrix)[0] < 0.0


def test_known_moduli():
    skew = np.array([[0.0, 3.0], [-3.0, 0.0]])
    for mu in (0.1, 1.0, 7.0):
        assert_allclose(gp.inclusion(mu * np.eye(2) + skew).cocoercivity, mu / (mu**2 + 9.0), rtol=1e-12)
    assert gp.inclusion(skew).cocoercivity == 0.0
    assert_allclose(gp.inclusion(np.diag([2.0, 0.5])).cocoercivity, 0.5, rtol=1e-14)
    assert linear_cocoercivity(-np.eye(2), np.eye(2)) == 0.0
    assert gp.inclusion(np.zeros((2, 2))).cocoercivity == np.inf
    # One block positive, one skew: the second has no modulus.
    assert gp.inclusion(np.block([[np.eye(2), np.zeros((2, 2))], [np.zeros((2, 2)), skew]])).cocoercivity == 0.0


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_constants_in_units_whose_squares_are_no_floating_point_numbers(unit):
    matrix, terms = random_cocoercive(1), np.stack([random_cocoercive(seed, 4) for seed in range(3)])
    plain, scaled = gp.inclusion(matrix), gp.inclusion(unit * matrix)
    assert_allclose([scaled.lipschitz, 1.0 / scaled.cocoercivity], [unit * plain.lipschitz, unit / plain.cocoercivity])
    plain, scaled = gp.inclusion(terms), gp.inclusion(unit * terms)
    assert_allclose(scaled.mean_lipschitz, unit * plain.mean_lipschitz)
    assert_allclose(1.0 / scaled.mean_cocoercivity, unit / plain.mean_cocoercivity)


def test_matrices_that_are_not_monotone_are_refused_with_what_was_measured():
    for matrix, value in (([[-1.0]], "-1 for B; add at least 1 times"), (np.diag([5.0, -0.25]), "-0.25 for B; ")):
        with pytest.raises(gp.InputError, match=rf"eigenvalue of \(B \+ B'\)/2 is {value}"):
            gp.inclusion(matrix)
    with pytest.raises(gp.InputError, match="is -1 for the mean of the matrices B"):
        gp.inclusion([[[1.0]], [[-3.0]]])
    # A term alone may be anything.
    assert gp.inclusion([[[3.0]], [[-1.0]]]).lipschitz == 1.0
    # Rounding is no reason, at any size.
    for unit in (1e-200, 1.0, 1e200):
        assert gp.inclusion(unit * random_cocoercive(3)).lipschitz > 0.0
        with pytest.raises(gp.InputError, match="must be monotone"):
            gp.inclusion(unit * (random_cocoercive(3) - 1e-6 * np.eye(6)))


def test_on_simplices_directions_along_them_count_alone():
    """1 - 3/2 * (all ones) stretches (1, 1) by -2, and (1, -1) by 1."""
    matrix = np.eye(2) - 1.5 * np.ones((2, 2))
    assert gp.inclusion(matrix, simplices=(2,)).lipschitz == pytest.approx(2.0)
    with pytest.raises(gp.InputError, match=r"is -2 for B"):
        gp.inclusion(matrix)
    with pytest.raises(gp.InputError, match=r"along the simplices, is -1 for B"):
        gp.inclusion(-np.eye(2), simplices=(2,))
    # Two players who both gain where they agree: no zero-sum game.
    both = np.kron([[0.0, -1.0], [-1.0, 0.0]], np.eye(2))
    with pytest.raises(gp.InputError, match=r"along the simplices, is -1 for B"):
        gp.inclusion(both, simplices=(2, 2))


def test_constants_of_means_are_those_of_their_definitions():
    rng = np.random.default_rng(4)
    terms = np.stack([random_cocoercive(seed, 4) for seed in range(5)])
    found = gp.inclusion(terms, start=rng.normal(size=4))
    assert found.n_terms == 5
    square = np.mean([term.T @ term for term in terms], axis=0)
    assert_allclose(found.mean_lipschitz, np.sqrt(np.linalg.norm(square, 2)), rtol=1e-12)
    assert_allclose(found.mean_cocoercivity, linear_cocoercivity(terms.mean(axis=0), square), rtol=1e-12)
    assert found.lipschitz <= found.mean_lipschitz and found.mean_cocoercivity <= found.cocoercivity * (1 + 1e-12)
    symmetric = 0.5 * (terms.mean(axis=0) + terms.mean(axis=0).T)
    assert np.linalg.eigvalsh(symmetric - found.mean_cocoercivity * square)[0] > -1e-9


def test_a_mean_of_functions_is_the_mean_of_matrices():
    terms, offsets, z = RNG.normal(size=(3, 4, 4)) + 4.0 * np.eye(4), RNG.normal(size=(3, 4)), RNG.normal(size=4)
    linear = gp.inclusion(terms, start=z, offset=offsets)
    functions = [lambda z, B=B, b=b: B @ z + b for B, b in zip(terms, offsets, strict=True)]
    called = gp.inclusion(functions, start=z)
    assert_allclose(called.operator(z), linear.operator(z), rtol=1e-12)
    for indices in ([0], [2, 1], [1, 1, 0]):
        chosen = np.array(indices)
        expected = np.mean([terms[i] @ z + offsets[i] for i in indices], axis=0)
        assert_allclose(linear.operator.mean_of_terms(chosen, z), expected, rtol=1e-12)
        assert_allclose(called.operator.mean_of_terms(chosen, z), expected, rtol=1e-12)
    assert called.lipschitz is None and called.cocoercivity is None


@pytest.mark.parametrize("seed", range(5))
def test_the_solution_without_constraint_is_the_closest_zero(seed):
    rng = np.random.default_rng(seed)
    matrix = random_cocoercive(seed)
    target, start = rng.normal(size=6), rng.normal(size=6)
    found = gp.inclusion(matrix, start=start, offset=-matrix @ target)
    assert_allclose(matrix @ found.solution - matrix @ target, 0.0, atol=1e-9 * np.linalg.norm(matrix))
    # The way there is orthogonal to what may be added to a solution.
    null = np.linalg.svd(matrix)[2][3:]
    assert_allclose(null @ (found.solution - start), 0.0, atol=1e-9)
    assert gp.inclusion(matrix, start=start, offset=null[0]).solution is None


def test_the_solution_of_a_game_is_the_closest_equilibrium():
    # Rock, paper, scissors and rock again: any split of the rock.
    beats = np.array([[0, -1, 1, 0], [1, 0, -1, 1], [-1, 1, 0, -1], [0, -1, 1, 0]]) / 2.0
    game = gp.preference_game(beats + 0.5)
    assert_allclose(gp.inclusion(game).solution, [1 / 6, 1 / 3, 1 / 3, 1 / 6], atol=1e-12)
    assert_allclose(gp.inclusion(game, start=[0.7, 0.1, 0.1, 0.1]).solution, [1 / 3, 1 / 3, 1 / 3, 0.0], atol=1e-12)
    uneven = [13 / 60, 1 / 3, 1 / 3, 7 / 60]
    assert_allclose(gp.inclusion(game, start=[0.3, 0.3, 0.2, 0.2]).solution, uneven, atol=1e-12)
    unique = gp.zoo["comal"].game
    assert_allclose(gp.inclusion(unique).solution, gp.solve(unique).policy, atol=1e-12)
    pair = gp.matrix_game([[1.0, -2.0, 0.0], [0.0, 1.0, -1.0], [-1.0, 0.0, 2.0]])
    assert_allclose(gp.inclusion(pair).solution, [0.25, 0.5, 0.25, 0.5, 0.25, 0.25], atol=1e-12)


def test_a_game_may_be_taken_off_its_simplices():
    free = gp.inclusion(gp.matrix_game([[1.0, 0.0], [0.0, 0.1]]), start=[1.0, 1.0, 0.0, 0.0], simplices=())
    assert not free.is_constrained and free.lipschitz == 1.0 and free.cocoercivity == 0.0
    assert_allclose(free.distance, np.sqrt(2.0), rtol=1e-12)


def test_examples_are_what_their_names_say():
    for name in ("rotation", "hard_20", "skew_7_3", "cocoercive_8_2"):
        found = example(name)
        assert_allclose(found.lipschitz, 1.0, rtol=1e-12)
        assert (found.cocoercivity > 0.0) == name.startswith("cocoercive")
        assert found.distance > 0.0
    turns = example("turns_16_0")
    assert turns.n_terms == 16 and turns.dimension == 20 and turns.mean_lipschitz <= 1.0
    assert_allclose([linear_cocoercivity(term, term.T @ term) for term in turns.operator.matrices], 1.0, rtol=1e-9)
    with pytest.raises(gp.InputError, match="got 'easy_3'"):
        example("easy_3")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"operator": lambda z: z}, "start is needed"),
        ({"operator": np.eye(3), "start": [1.0, 2.0]}, "start has 2 entries; the operator has 3"),
        ({"operator": np.eye(3), "simplices": (2, 2)}, r"add up to 4; the operator has 3"),
        ({"operator": np.eye(3), "simplices": 3}, "simplices must be a sequence"),
        ({"operator": np.eye(3), "start": [0.5, 0.6, 0.1], "simplices": (3,)}, "start must lie on the simplices"),
        ({"operator": np.eye(3), "start": [np.nan, 0.0, 0.0]}, "start has a value that is not finite"),
        ({"operator": np.ones((2, 3))}, "square"),
        ({"operator": np.eye(2), "offset": [1.0]}, r"offset must have shape \(2,\)"),
        ({"operator": np.eye(2), "lipschitz": 2.0}, "lipschitz is measured for matrices, 1 here"),
        ({"operator": lambda z: z, "start": [0.0], "cocoercivity": -1.0}, "cocoercivity must be"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(arguments, message):
    with pytest.raises(gp.InputError, match=message):
        gp.inclusion(**arguments)


def test_a_function_of_the_wrong_shape_is_named_when_it_is_called():
    inclusion = gp.inclusion(lambda z: z[:1], start=[1.0, 2.0], lipschitz=1.0)
    with pytest.raises(gp.InputError, match=r"must return an array of shape \(2,\)"):
        gp.solve_inclusion(inclusion, "halpern", max_steps=3)
