"""A rule in a script: look one step ahead, then step by the payoffs met now and ahead, half and half."""

from typing import NamedTuple

import gametheory_pref as gp
from gametheory_pref.methods import (
    REGULARIZED,
    Contraction,
    MethodInfo,
    anchored_log_factor,
    exact_payoffs,
    method,
)
from gametheory_pref.verbs import Point, blend, combine, field, mirror, step_size_at


class State(NamedTuple):
    x: Point
    t: int


@method(
    MethodInfo(name="mine", title="Mine", solves=REGULARIZED, payoff_calls=2, answer="last", step_sizes={}, cite=())
)
class Mine(NamedTuple):
    step_size: float = 0.5

    def init(self, problem):
        return State(problem.start, 0)

    def step(self, problem, state, rng):
        eta = step_size_at(self.step_size, state.t)
        pull = eta * problem.temperature
        base = blend(problem, (state.x, problem.reference), (1.0 - pull, pull))
        now = field(problem, state.x, rng)
        ahead = field(problem, mirror(problem, base, now, eta), rng)
        return State(mirror(problem, base, combine(problem, (now, ahead), (0.5, 0.5)), eta), state.t + 1)


# What I expect of it, to be put to the test: KL(pi* || pi) falls by 1 - eta beta a step.
CLAIM = Contraction(
    name="mine-contracts", statement="KL(pi* || pi_{t+1}) <= (1 - eta beta) KL(pi* || pi_t)", source="a guess",
    of="last", hypotheses=lambda rule, facts: exact_payoffs(facts), log_factor=anchored_log_factor,
)

if __name__ == "__main__":
    game = gp.zoo["comal"].game
    for rule in (Mine(step_size=0.5), Mine(step_size=4.0)):
        solution = gp.solve(game, rule, temperature=0.2, tol=0, max_steps=200)
        print(f"step size {rule.step_size}: the claim: {gp.verify_rate(solution, CLAIM).verdict}")
    games = [gp.zoo[name].game.preference for name in ("comal", "biased_rock_paper_scissors")]
    print(gp.solve_batch(games, method=Mine(), temperature=0.2).policy.round(4))
    comparison = gp.compare(["comal"], {"mine": Mine(), "egpo": "egpo"}, temperatures=[0.2], tol=1e-9)
    for row in comparison.summary():
        print(f"{row.method}: {row.payoff_calls:.0f} payoff products to a gap of 1e-9")
