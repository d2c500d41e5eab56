"""The methods of papers in the symbols of papers: which rule each is, and what its numbers are here."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict

from .._check import non_negative, positive_whole
from ..errors import InputError, UnknownName
from . import METHODS, Rule


class Symbol(NamedTuple):
    """A symbol of a paper, or a name in its program.

    Attributes
    ----------
    paper : str
        How it is written there.
    argument : str
        Its name as an argument of `Paper.settings`.
    meaning : str
        What it is.
    here : str
        What it is in terms of the step size ``eta``, the temperature ``beta`` and the settings of the rule.
    """

    paper: str
    argument: str
    meaning: str
    here: str


class Settings(TypedDict):
    """Arguments for `solve`."""

    method: Rule
    temperature: float


@dataclass(frozen=True)
class Paper:
    """A method as a paper, or its program, states it.

    Attributes
    ----------
    name : str
        Key in `PAPERS`.
    title : str
        What it is called.
    cite : tuple of str
        Keys of ``docs/references.bib``.
    method : str
        Which rule of `METHODS` it is.
    symbols : tuple of Symbol
        The table that converts.
    settings : callable
        Takes the paper's numbers by keyword and returns ``{"method": rule, "temperature": beta}`` for `solve`.
    note : str
        What else to know.
    """

    name: str
    title: str
    cite: tuple[str, ...]
    method: str
    symbols: tuple[Symbol, ...]
    settings: Callable[..., Settings]
    note: str = ""


class Papers(Mapping[str, Paper]):
    """Methods of papers by name, each a `Paper`.

    Examples
    --------
    >>> import gametheory_pref as gp
    >>> for symbol in gp.PAPERS["inpo"].symbols:
    ...     print(f"{symbol.paper}, {symbol.meaning}: {symbol.here}")
    eta, inverse step: eta = 1 / eta_paper
    tau, KL weight: beta = tau
    >>> gp.PAPERS["inpo"].settings(eta=10.0, tau=0.1)
    {'method': MirrorDescent(step_size=0.1), 'temperature': 0.1}
    >>> gp.solve(gp.zoo["comal"].game, **gp.PAPERS["inpo"].settings(eta=10.0, tau=0.1), tol=1e-10).policy.round(4)
    array([0.3371, 0.2835, 0.3794])
    """

    def __init__(self, papers: tuple[Paper, ...]) -> None:
        self._papers = {paper.name: paper for paper in papers}

    def __getitem__(self, name: str) -> Paper:
        try:
            return self._papers[name]
        except KeyError:
            close = difflib.get_close_matches(str(name), self._papers, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(self._papers)}"
            raise UnknownName(f"no paper's method is called {name!r}; {hint}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._papers)

    def __len__(self) -> int:
        return len(self._papers)

    def __repr__(self) -> str:
        return f"Papers({', '.join(self._papers)})"


def _positive(value: Any, name: str) -> float:
    number = non_negative(value, name=name)
    if number == 0.0:
        raise InputError(f"{name} must be positive; got {value!r}")
    return number


def _step(eta: float | None, default: str) -> float | str:
    return default if eta is None else _positive(eta, "eta")


def _settings(name: str, temperature: float, **fields: Any) -> Settings:
    return {"method": METHODS[name](**fields), "temperature": temperature}


def _nash_md(*, tau: float, eta: float | None = None) -> Settings:
    return _settings("nash_md", _positive(tau, "tau"), step_size=_step(eta, "theorem"))


def _nash_md_pg(*, tau: float, beta: float = 0.125, eta: float | None = None) -> Settings:
    return _settings("nash_md_pg", _positive(tau, "tau"), mixture=float(beta), step_size=_step(eta, "largest"))


def _nash_ema(*, tau: float, beta: float = 0.8, eta: float | None = None) -> Settings:
    return _settings("nash_ema", _positive(tau, "tau"), decay=float(beta), step_size=_step(eta, "cautious"))


def _egpo(*, beta: float, eta: float | None = None) -> Settings:
    return _settings("extragradient", non_negative(beta, name="beta"), step_size=_step(eta, "largest"))


def _gradient_step(temperature: float, lr: float, n: int) -> float:
    """Return the step of one gradient step on the logits of the pairwise squared loss over n responses."""
    return 4.0 * _positive(lr, "lr") / (temperature * positive_whole(n, name="n"))


def _egpo_program(*, beta: float, lr: float, n: int) -> Settings:
    temperature = _positive(beta, "beta")
    return _settings("extragradient", temperature, step_size=_gradient_step(temperature, lr, n))


def _online_ipo(*, tau: float, lr: float, n: int) -> Settings:
    temperature = _positive(tau, "tau")
    return _settings("mirror_descent", temperature, step_size=_gradient_step(temperature, lr, n))


def _mtpo(*, alpha: float, eta: float) -> Settings:
    return _settings("mirror_descent", _positive(alpha, "alpha"), step_size=_positive(eta, "eta"))


def _inpo(*, eta: float, tau: float) -> Settings:
    return _settings("mirror_descent", _positive(tau, "tau"), step_size=1.0 / _positive(eta, "eta"))


def _mmd(*, eta: float, alpha: float) -> Settings:
    step, magnet = _positive(eta, "eta"), _positive(alpha, "alpha")
    return _settings("mirror_descent", magnet, step_size=step / (1.0 + step * magnet))


def _mpo(*, eta: float, alpha: float, refresh: int) -> Settings:
    step, magnet = _positive(eta, "eta"), _positive(alpha, "alpha")
    return _settings(
        "magnetic",
        0.0,
        step_size=step / (1.0 + step * magnet),
        inner_temperature=magnet,
        refresh=positive_whole(refresh, name="refresh"),
    )


def _onpo(*, eta: float | None = None) -> Settings:
    return _settings("optimistic", 0.0, step_size=_step(eta, "onpo"))


def _inference_time(*, beta: float = 2.0) -> Settings:
    return _settings("optimistic", 0.0, step_size=1.0 / _positive(beta, "beta"))


def _spo(*, eta: float) -> Settings:
    return _settings("multiplicative_weights", 0.0, step_size=2.0 * _positive(eta, "eta"))


def _dno(*, eta: float) -> Settings:
    return _settings("multiplicative_weights", 0.0, step_size=1.0 / _positive(eta, "eta"))


def _gpo(*, beta: float) -> Settings:
    return _settings("multiplicative_weights", 0.0, step_size=1.0 / _positive(beta, "beta"))


def _sppo(*, eta: float | None = None) -> Settings:
    return _settings("sppo", 0.0, step_size=_step(eta, "paper"))


def _sppo_program(*, beta: float = 0.001) -> Settings:
    return _settings("sppo", 0.0, step_size=1.0 / _positive(beta, "beta"))


def _nash_mp(*, beta: float, weight: float = 0.5) -> Settings:
    temperature = non_negative(beta, name="beta")
    return _settings("extragradient", temperature, step_size=1.0 / (_positive(weight, "weight") + temperature))


def _nash_prox(*, beta: float, weight: float) -> Settings:
    temperature = non_negative(beta, name="beta")
    return _settings("proximal_point", temperature, step_size=1.0 / (_positive(weight, "weight") + temperature))


def _comal(*, eta: float, tau: float, inner_steps: int) -> Settings:
    return _settings(
        "comal",
        0.0,
        step_size=_positive(eta, "eta"),
        inner_temperature=_positive(tau, "tau"),
        inner_steps=positive_whole(inner_steps, name="inner_steps"),
    )


def _comal_program(*, eta: float = 0.002, ratio: float = 1.0 / 3.0, inner_steps: int = 12) -> Settings:
    inverse = _positive(eta, "eta")
    return _comal(eta=1.0 / inverse, tau=_positive(ratio, "ratio") * inverse, inner_steps=inner_steps)


def _mnpo(*, eta: float, players: int) -> Settings:
    whole = positive_whole(players, name="players")
    return _settings("mnpo_population", 0.0, step_size=_positive(eta, "eta"), players=whole)


def _mnpo_program(*, eta: float, ratio: float = 1.0 / 3.0, history: int = 2) -> Settings:
    inverse, lags = _positive(eta, "eta"), positive_whole(history, name="history")
    weights = (1.0 / lags,) * lags
    return _settings("mnpo", _positive(ratio, "ratio") * inverse, step_size=1.0 / inverse, weights=weights)


def _apo(*, beta: float, alpha: float) -> Settings:
    return _settings("accelerated", 0.0, step_size=1.0 / _positive(beta, "beta"), alpha=float(alpha))


_STEP = Symbol("eta", "eta", "step", "eta = eta")
_INVERSE = Symbol("eta", "eta", "inverse step", "eta = 1 / eta_paper")
_TAU = Symbol("tau", "tau", "KL weight", "beta = tau")
_BETA = Symbol("beta", "beta", "KL weight", "beta = beta")
_COLD = " Temperature 0."
_RATE = Symbol("lr", "lr", "learning rate on the logits", "eta = 4 lr / (beta n)")
_COUNT = Symbol("n", "n", "number of responses, paired uniformly", "enters the step")

PAPERS = Papers((
    Paper("nash_md", "Nash-MD", ("munos2024nash",), "nash_md", (_STEP, _TAU), _nash_md,
          "Without eta, the steps of the theorem, 2 / (tau (t + 2))."),
    Paper("nash_md_pg", "Nash-MD-PG", ("munos2024nash",), "nash_md_pg",
          (_TAU, Symbol("beta", "beta", "weight of the reference in the opponent", "mixture = beta"), _STEP),
          _nash_md_pg, "The exact natural-gradient step; the paper samples policy gradients."),
    Paper("ipo_md", "IPO-MD", ("calandriello2024human",), "nash_md_pg",
          (_TAU, Symbol("beta", "beta", "weight of the reference in the opponent", "mixture = beta"), _STEP),
          _nash_md_pg, "The exact step; the paper samples gradients of its loss."),
    Paper("nash_ema", "Nash-EMA-PG", ("munos2024nash",), "nash_ema",
          (_TAU, Symbol("beta", "beta", "share of the average that is kept", "decay = beta"), _STEP), _nash_ema),
    Paper("egpo", "EGPO", ("zhou2025extragradient",), "extragradient", (_STEP, _BETA), _egpo,
          "Without eta, the largest step with the linear rate."),
    Paper("egpo_program", "EGPO, its simulations", ("zhou2025extragradient",), "extragradient",
          (_BETA, _RATE, _COUNT), _egpo_program,
          "The program's Nash-MD mixes half as much as the paper's: mixture = 2 lr / n in nash_md_pg."),
    Paper("online_ipo", "Online IPO", ("calandriello2024human",), "mirror_descent",
          (_TAU, Symbol("lr", "lr", "learning rate on the logits", "eta = 4 lr / (tau n)"), _COUNT), _online_ipo,
          "The exact gradient with uniform pairs, as in the simulations of EGPO."),
    Paper("mtpo", "MTPO, one turn", ("shani2024multiturn",), "mirror_descent",
          (_STEP, Symbol("alpha", "alpha", "KL weight", "beta = alpha")), _mtpo),
    Paper("inpo", "INPO", ("zhang2025inpo",), "mirror_descent", (_INVERSE, _TAU), _inpo,
          "The program passes ratio = tau / eta."),
    Paper("mmd", "Magnetic mirror descent", ("sokota2023unified",), "mirror_descent",
          (Symbol("eta", "eta", "step, without the magnet", "eta = eta_paper / (1 + eta_paper alpha)"),
           Symbol("alpha", "alpha", "strength of the magnet", "beta = alpha")), _mmd),
    Paper("mpo", "MPO", ("wang2025magnetic",), "magnetic",
          (Symbol("eta", "eta", "step, without the magnet", "eta = eta_paper / (1 + eta_paper alpha)"),
           Symbol("alpha", "alpha", "strength of the magnet", "inner_temperature = alpha"),
           Symbol("K", "refresh", "steps between two moves of the magnet", "refresh = K")), _mpo,
          "The magnet moves, so that the limit is an equilibrium of the game itself." + _COLD),
    Paper("onpo", "ONPO", ("zhang2025onpo",), "optimistic", (_STEP,), _onpo,
          "Without eta, min(1/2, sqrt(D))." + _COLD),
    Paper("inference_time_nash_md", "Nash mirror descent at inference time", (), "optimistic",
          (Symbol("beta", "beta", "inverse step", "eta = 1 / beta"),), _inference_time,
          "The paper's answer is the average of the policies played." + _COLD),
    Paper("spo", "SPO", ("swamy2024minimaximalist",), "multiplicative_weights",
          (Symbol("eta", "eta", "step for preferences in [-1, 1]", "eta = 2 eta_paper"),), _spo, _COLD.strip()),
    Paper("dno", "DNO, exact", ("rosset2024direct",), "multiplicative_weights", (_INVERSE,), _dno,
          "Also SPO as restated there." + _COLD),
    Paper("gpo", "GPO, exact", ("zhang2025beyond",), "multiplicative_weights",
          (Symbol("beta", "beta", "inverse step", "eta = 1 / beta"),), _gpo,
          "Its payoffs are scores (log-odds), not win probabilities: another game, gp.matrix_game(scores)." + _COLD),
    Paper("sppo", "SPPO", ("wu2025sppo",), "sppo", (_STEP,), _sppo, "Without eta, D / sqrt(T)." + _COLD),
    Paper("sppo_program", "SPPO, its program", ("wu2025sppo",), "sppo",
          (Symbol("beta", "beta", "inverse step, released as 0.001", "eta = 1 / beta"),), _sppo_program,
          "The program makes preferences transitive first; here the game is used as it is." + _COLD),
    Paper("nash_mp", "Nash mirror prox", ("tiapkin2025accelerating",), "extragradient",
          (_BETA, Symbol("lambda", "weight", "proximal weight", "eta = 1 / (lambda + beta)")), _nash_mp),
    Paper("nash_prox", "Nash-Prox", ("tiapkin2025accelerating",), "proximal_point",
          (_BETA, Symbol("lambda", "weight", "proximal weight", "eta = 1 / (lambda + beta)")), _nash_prox),
    Paper("comal", "COMAL", ("liu2024comal",), "comal",
          (_STEP, Symbol("tau", "tau", "KL weight of the inner games", "inner_temperature = tau"),
           Symbol("K", "inner_steps", "inner steps", "inner_steps = K")), _comal, _COLD.strip()),
    Paper("comal_program", "COMAL, its program", ("liu2024comal",), "comal",
          (Symbol("ETA", "eta", "inverse step", "eta = 1 / ETA"),
           Symbol("RATIO", "ratio", "eta tau", "inner_temperature = RATIO ETA"),
           Symbol("K", "inner_steps", "inner steps", "inner_steps = K")), _comal_program, _COLD.strip()),
    Paper("mnpo", "MNPO, its update", ("wu2025multiplayer",), "mnpo_population",
          (_STEP, Symbol("n", "players", "players", "players = n")), _mnpo,
          "The KL weight of the paper's game does not appear in its update." + _COLD),
    Paper("mnpo_program", "TD-MNPO, its loss and program", ("wu2025multiplayer",), "mnpo",
          (_INVERSE, Symbol("ratio", "ratio", "weight of the reference", "beta = ratio eta_paper"),
           Symbol("max_history", "history", "past policies, weighted alike", "weights = (1 / history, ...)")),
          _mnpo_program, "beta, weights and het_loss_weight have no effect in the released trainer."),
    Paper("apo", "APO", ("he2024accelerated",), "accelerated",
          (Symbol("beta", "beta", "inverse step", "eta = 1 / beta"),
           Symbol("alpha", "alpha", "extrapolation", "alpha = alpha")), _apo,
          "Faster on transitive preferences only; in a cycle it spirals outwards faster." + _COLD),
))
