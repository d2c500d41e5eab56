from __future__ import annotations

import inspect
import pathlib
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose

import gametheory_pref as gp

from .worked import GAMES, UNEVEN, drawn

PAPERS = gp.PAPERS
EXAMPLES = {
    "eta": 2.0, "tau": 0.1, "beta": 0.5, "alpha": 0.2, "lr": 0.1, "n": 3, "weight": 0.5, "inner_steps": 5,
    "refresh": 5, "ratio": 0.3, "history": 2, "players": 3,
}  # fmt: skip
GIVEN = {name: {argument: EXAMPLES[argument] for argument in inspect.signature(paper.settings).parameters}
         for name, paper in PAPERS.items()}


@pytest.mark.parametrize("name", list(PAPERS))
def test_a_paper_explains_its_arguments_and_solve_takes_its_settings(name):
    paper = PAPERS[name]
    assert set(GIVEN[name]) == {symbol.argument for symbol in paper.symbols}
    for symbol in paper.symbols:
        assert symbol.paper and symbol.meaning and symbol.here
    assert all(p.kind is p.KEYWORD_ONLY for p in inspect.signature(paper.settings).parameters.values())
    settings = paper.settings(**GIVEN[name])
    assert settings["method"].info.name == paper.method
    kinds = settings["method"].info.solves
    assert ("regularized" if settings["temperature"] > 0.0 else "minimax") in kinds
    found = gp.solve(GAMES["comal"], **settings, start=UNEVEN, tol=0.0, max_steps=3, jit=False)
    assert np.isfinite(found.gap) and not np.allclose(found.run.log_last[-1], np.log(UNEVEN))


@pytest.mark.parametrize("name", list(PAPERS))
def test_a_paper_cites_what_is_in_the_bibliography(name):
    bibliography = (pathlib.Path(__file__).parents[2] / "docs" / "references.bib").read_text(encoding="utf-8")
    known = set(re.findall(r"^@\w+\{(\w+),", bibliography, re.MULTILINE))
    assert set(PAPERS[name].cite) <= known


def steps(settings, game, count=5):
    found = gp.solve(game, **settings, reference=UNEVEN, tol=0.0, max_steps=count, jit=False)
    return found.run.log_last[-1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (PAPERS["inpo"].settings(eta=4.0, tau=0.2), PAPERS["mtpo"].settings(eta=0.25, alpha=0.2)),
        # 1 / (1 / eta_M + alpha) = 1 / eta_INPO
        (PAPERS["inpo"].settings(eta=4.0, tau=0.2), PAPERS["mmd"].settings(eta=1.0 / 3.8, alpha=0.2)),
        (PAPERS["inpo"].settings(eta=4.0, tau=0.2), PAPERS["online_ipo"].settings(tau=0.2, lr=0.0375, n=3)),
        (PAPERS["nash_mp"].settings(beta=0.2, weight=0.8), PAPERS["egpo"].settings(beta=0.2, eta=1.0)),
        (PAPERS["egpo"].settings(beta=0.2, eta=1.0), PAPERS["egpo_program"].settings(beta=0.2, lr=0.15, n=3)),
        (PAPERS["dno"].settings(eta=4.0), PAPERS["spo"].settings(eta=0.125)),
        (PAPERS["gpo"].settings(beta=4.0), PAPERS["dno"].settings(eta=4.0)),
        (PAPERS["sppo"].settings(eta=5.0), PAPERS["sppo_program"].settings(beta=0.2)),
        (PAPERS["onpo"].settings(eta=0.5), PAPERS["inference_time_nash_md"].settings(beta=2.0)),
        (PAPERS["comal"].settings(eta=0.5, tau=0.6, inner_steps=4), PAPERS["comal_program"].settings(
            eta=2.0, ratio=0.3, inner_steps=4)),
        (PAPERS["mnpo_program"].settings(eta=4.0, ratio=0.05, history=1), PAPERS["inpo"].settings(eta=4.0, tau=0.2)),
    ],
)
def test_papers_that_are_the_same_algorithm(one, other):
    game = drawn(3, 3)
    assert_allclose(steps(one, game), steps(other, game), atol=1e-12)


def test_spo_states_preferences_in_minus_1_to_1():
    game, eta = drawn(3, 3), 0.4
    policy = np.array(UNEVEN) * np.exp(eta * 2.0 * game.payoff @ UNEVEN)
    asked = PAPERS["spo"].settings(eta=eta)
    assert_allclose(np.exp(steps(asked, game, 1)), policy / policy.sum(), rtol=1e-14)


def test_mmd_minimises_its_own_objective():
    """argmax <x, A y> - alpha KL(x || magnet) - KL(x || y) / eta_M."""
    game, eta, alpha = drawn(4, 3), 0.7, 0.5
    magnet, before = np.array(UNEVEN), np.array([0.2, 0.2, 0.6])
    settings = PAPERS["mmd"].settings(eta=eta, alpha=alpha)
    x = gp.solve(game, **settings, reference=magnet, start=before, tol=0.0, max_steps=1, jit=False).policy
    gradient = game.payoff @ before - alpha * np.log(x / magnet) - np.log(x / before) / eta
    assert np.ptp(gradient) < 1e-14


def test_unknown_papers_and_numbers_that_make_no_sense():
    with pytest.raises(gp.InputError, match="did you mean 'inpo'"):
        PAPERS["inpoo"]
    with pytest.raises(KeyError):
        PAPERS["nothing like it"]
    with pytest.raises(gp.InputError, match="eta must be positive; got 0"):
        PAPERS["inpo"].settings(eta=0, tau=0.1)
    with pytest.raises(gp.InputError, match="n must be a whole number"):
        PAPERS["egpo_program"].settings(beta=0.1, lr=0.1, n=2.5)
    # INPO with its program's eta of 0.005 and tau = eta / 3 is allowed; a pull of more than everything is not.
    with pytest.raises(gp.InputError, match="step_size times temperature"):
        gp.solve(GAMES["comal"], **PAPERS["inpo"].settings(eta=0.1, tau=0.2))
