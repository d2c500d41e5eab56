"""The verbs as machine code: a loop for each, on scratch of the problem's arena, and how numba is told of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from . import verbs
from .kernels import projection, steps, sums
from .verbs import Anchor, Bank, Direction, Euclidean, Mixture, Point, TabularProblem


def fresh_row(arena):
    """Return the next free row of the arena, as a direction; the first one, and a note, when it is full."""
    row = arena.cursor[0]
    if row + 1 > arena.rows.shape[0]:
        arena.cursor[1] = 1
        row = 0
    arena.cursor[0] = row + 1
    return Direction(arena.rows[row])


def fresh_point(arena):
    """Return the next two free rows of the arena, as a point; the first one twice, and a note, when it is full."""
    row = arena.cursor[0]
    if row + 2 > arena.rows.shape[0]:
        arena.cursor[1] = 1
        return Point(arena.rows[0], arena.rows[0])
    arena.cursor[0] = row + 2
    return Point(arena.rows[row], arena.rows[row + 1])


def fresh_bank(arena, size):
    """Return the next rows of the arena as a bank of `size` policies; of fewer, and a note, when it is full."""
    row = arena.cursor[0]
    if row + 2 * size > arena.rows.shape[0]:
        arena.cursor[1] = 2 * size
        return Bank(arena.rows[:size], arena.rows[:size])
    arena.cursor[0] = row + 2 * size
    return Bank(arena.rows[row : row + size], arena.rows[row + size : row + 2 * size])


def write_product(problem: Any, prob: Any, out: Any) -> None:
    """Write the payoff of every response against the policy with these probabilities."""
    out[:] = problem.payoff @ prob


def _write_product(problem, prob, out):
    steps.payoff_product(problem.payoff, prob, out)


def _write_triangle_product(problem, prob, out):
    steps.triangle_product(problem.payoff.matrix, prob, out)


def write_side_product(problem: Any, prob: Any, side: int, out: Any) -> None:
    """Write the payoffs of one of two players against the other's policy."""
    steps.side_product(problem.payoff, prob, problem.blocks, side, out)


def _write_side_product(problem, prob, side, out):
    steps.side_product(problem.payoff, prob, problem.blocks, side, out)


def _write_triangle_side_product(problem, prob, side, out):
    steps.side_product(problem.payoff.matrix, prob, problem.blocks, side, out)


def _field_of_side_exact(problem, x, side, rng):
    out = fresh_row(problem.arena)
    if problem.blocks.size == 3:
        write_side_product(problem, x.prob, side, out.value)
    else:
        write_product(problem, x.prob, out.value)
    return out


def _estimate_of_side(problem, x, side, rng):
    # Samples are for symmetric games, where a side is the whole.
    return verbs.estimate(problem, x, rng)


def _project_side(problem, base, direction, step_size, side):
    out = fresh_row(problem.arena).value
    projection.projected_side(base.prob, direction.value, step_size, problem.blocks, side, out)
    return Mixture(out)


def _start_of_side(problem, side):
    out = fresh_row(problem.arena).value
    steps.set_scaled(1.0, problem.start.prob, out)
    if problem.blocks.size == 3:
        for i in range(problem.blocks[1 - side], problem.blocks[2 - side]):
            out[i] = 0.0
    return Mixture(out)


def _share_of_side(problem):
    return 1.0 if problem.blocks.size == 3 else 0.5


def _field_exact(problem, x, rng):
    out = fresh_row(problem.arena)
    write_product(problem, x.prob, out.value)
    return out


def _estimate(problem, x, rng):
    out = fresh_row(problem.arena)
    oracle = problem.oracle
    steps.sampled_payoff(problem.payoff, x.prob, oracle.opponents, oracle.labels, rng, out.value)
    return out


def _difference(problem, x, y, rng):
    out = fresh_row(problem.arena)
    oracle = problem.oracle
    steps.sampled_difference(problem.payoff, x.prob, y.prob, oracle.opponents, oracle.labels, rng, out.value)
    return out


def _mirror(problem, base, direction, step_size):
    out = fresh_point(problem.arena)
    steps.mirror_step(base.log, direction.value, step_size, problem.blocks, out.log, out.prob)
    return out


def _project(problem, base, direction, step_size):
    out = fresh_row(problem.arena).value
    projection.projected_step(base.prob, direction.value, step_size, problem.blocks, out)
    return Mixture(out)


def _start_mixture(problem, geometry):
    return Mixture(problem.start.prob)


def _start_point(problem, geometry):
    return problem.start


def _square_distance(problem, x, y):
    total = 0.0
    for i in range(x.prob.size):
        total += (x.prob[i] - y.prob[i]) ** 2
    return total


def _normalize(problem, anchor):
    out = fresh_point(problem.arena)
    steps.normalize_log(anchor.log, problem.blocks, out.log, out.prob)
    return out


def _no_direction(problem):
    out = fresh_row(problem.arena)
    steps.set_scaled(0.0, out.value, out.value)
    return out


def _divergence(problem, x, y):
    return steps.block_divergence(x.log, x.prob, y.log, y.prob)


def _inner(problem, direction, x, y):
    total = 0.0
    for i in range(direction.value.size):
        total += direction.value[i] * (x.prob[i] - y.prob[i])
    return total


def _reply(problem, direction):
    out = fresh_row(problem.arena).value
    steps.best_replies(direction.value, problem.blocks, out)
    return Mixture(out)


def _bank_of(problem, x, size):
    out = fresh_bank(problem.arena, size)
    for age in range(out.log.shape[0]):
        steps.set_scaled(1.0, x.log, out.log[age])
        steps.set_scaled(1.0, x.prob, out.prob[age])
    return out


def _recall(problem, bank, age):
    # A bank that found too little scratch is short; the step is done again with more.
    age = min(age, bank.log.shape[0] - 1)
    return Point(bank.log[age], bank.prob[age])


def _remember(problem, bank, x):
    out = fresh_bank(problem.arena, bank.log.shape[0])
    for i in range(x.log.size):
        out.log[0, i] = x.log[i]
        out.prob[0, i] = x.prob[i]
    for age in range(1, out.log.shape[0]):
        for i in range(x.log.size):
            out.log[age, i] = bank.log[age - 1, i]
            out.prob[age, i] = bank.prob[age - 1, i]
    return out


def _bookmark(problem):
    return problem.arena.cursor[0]


def _keep(problem, x, since):
    problem.arena.cursor[0] = since
    # The rows to write begin at or before those of `x`, so that no row is read after it was written.
    out = fresh_point(problem.arena)
    steps.set_scaled(1.0, x.log, out.log)
    steps.set_scaled(1.0, x.prob, out.prob)
    return out


def _keep_mixture(problem, x, since):
    problem.arena.cursor[0] = since
    out = fresh_row(problem.arena).value
    steps.set_scaled(1.0, x.prob, out)
    return Mixture(out)


def _add_regrets(problem, so_far, direction, x):
    out = fresh_row(problem.arena)
    steps.add_regrets(so_far.value, direction.value, x.prob, problem.blocks, out.value)
    return out


def _positive(problem, direction):
    out = fresh_row(problem.arena)
    for i in range(out.value.size):
        out.value[i] = max(direction.value[i], 0.0)
    return out


def _proportional(problem, direction, otherwise):
    out = fresh_row(problem.arena).value
    steps.share_out(direction.value, otherwise.prob, problem.blocks, out)
    return Mixture(out)


def matrix_of(problem: Any) -> Any:
    """Return the entries of a payoff; in a tuple, because compiled code that counts no references returns no arrays."""
    return (problem.payoff,)


def _matrix_of(problem):
    return (problem.payoff,)


def _triangle_matrix_of(problem):
    return (problem.payoff.matrix,)


def _term_count(problem):
    return problem.start.prob.size


def _terms_drawn(problem):
    return max(problem.blocks.size - 1, 1)


def _batch_difference(problem, x, y, size, rng):
    picked, out = fresh_row(problem.arena).value[:size], fresh_row(problem.arena)
    sums.draw_subset(x.prob.size, rng, picked)
    sums.batch_difference(matrix_of(problem)[0], x.prob, y.prob, picked, out.value)
    return out


def _term_difference(problem, x, y, weights, rng):
    out = fresh_row(problem.arena)
    sums.term_difference(matrix_of(problem)[0], x.prob, y.prob, weights.value, problem.blocks, rng, out.value)
    return out


def _moved_difference(problem, x, y, rng):
    scratch, out = fresh_row(problem.arena).value, fresh_row(problem.arena)
    sums.moved_difference(matrix_of(problem)[0], x.prob, y.prob, problem.blocks, rng, scratch, out.value)
    return out


def _chance(problem, probability, rng):
    return rng.random() < probability


def _rewrite_mixture(problem, old, new):
    steps.set_scaled(1.0, new.prob, old.prob)
    return old


def _rewrite_direction(problem, old, new):
    steps.set_scaled(1.0, new.value, old.value)
    return old


def _rewind(problem, since):
    problem.arena.cursor[0] = since


_TABULAR_VERBS: dict[Callable[..., Any], Callable[..., Any]] = {
    verbs.estimate: _estimate,
    verbs.difference: _difference,
    verbs.mirror: _mirror,
    verbs.project: _project,
    verbs.project_side: _project_side,
    verbs.start_of_side: _start_of_side,
    verbs.share_of_side: _share_of_side,
    verbs.square_distance: _square_distance,
    verbs.normalize: _normalize,
    verbs.divergence: _divergence,
    verbs.inner: _inner,
    verbs.reply: _reply,
    verbs.add_regrets: _add_regrets,
    verbs.proportional: _proportional,
    verbs.term_count: _term_count,
    verbs.terms_drawn: _terms_drawn,
    verbs.batch_difference: _batch_difference,
    verbs.term_difference: _term_difference,
    verbs.moved_difference: _moved_difference,
    verbs.chance: _chance,
}
SHARED_VERBS: dict[Callable[..., Any], Callable[..., Any]] = {
    verbs.no_direction: _no_direction,
    verbs.bank_of: _bank_of,
    verbs.recall: _recall,
    verbs.remember: _remember,
    verbs.bookmark: _bookmark,
    verbs.rewind: _rewind,
    verbs.positive: _positive,
}
"""Verbs that only copy, or take every number alone: they suit any problem with an arena."""

WEIGHTED_SUMS: dict[Callable[..., Any], tuple[str, type]] = {
    verbs.blend: ("log", Anchor),
    verbs.mixture: ("prob", Mixture),
    verbs.combine: ("value", Direction),
}
"""Which vector of their parts these add up, and what they return."""

OPTIONS = {"_nrt": False, "error_model": "numpy", "no_cfunc_wrapper": True}


@functools.cache
def register_part(function: Callable[..., Any]) -> None:
    """Tell numba that a plain function is compiled as it stands."""
    from numba.extending import overload

    overload(function, jit_options=OPTIONS, strict=False)(always(function))


def register_verb(
    verb: Callable[..., Any], problem_class: type, choose: Callable[..., Any], *, inline: bool = False
) -> None:
    """Tell numba what a verb means for problems of a class: `choose` gets the types of its arguments."""
    from numba.extending import overload

    def chosen(problem: Any, *others: Any) -> Any:
        return choose(problem, *others) if problem.instance_class is problem_class else None

    overload(verb, jit_options=OPTIONS | {"forceinline": inline}, strict=False)(chosen)


def always(implementation: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that chooses an implementation whatever the types."""

    # No partial function: numba looks up the file of what chose when it explains why nothing fits.
    def chosen(*_: Any) -> Callable[..., Any]:
        return implementation

    return chosen


def _is_array(problem: Any) -> bool:
    return hasattr(problem.types[problem.fields.index("payoff")], "ndim")


def _samples_nothing(problem: Any) -> bool:
    oracle = problem.types[problem.fields.index("oracle")]
    return bool(oracle.instance_class is verbs.Exact)


def _weighted_sum(field: str, result: type, problem: Any, parts: Any, weights: Any) -> Callable[..., Any]:
    """Return the loop ``out = sum_k weights[k] * part_k`` for this number of parts, in one pass."""
    count = range(len(weights))
    # 0 * -inf would be NaN: a policy that is left out may have responses without mass.
    terms = " + ".join(f"(w{k} * v{k}[i] if w{k} != 0.0 else 0.0)" for k in count)
    source = [
        "def weighted_sum(problem, parts, weights):",
        "    out = fresh_row(problem.arena).value",
        *(f"    v{k}, w{k} = parts[{k}].{field}, weights[{k}]" for k in count),
        "    for i in range(out.size):",
        f"        out[i] = {terms}",
        "    return result(out)",
    ]
    return written("weighted_sum", source, {"fresh_row": fresh_row, "result": result})


def choose_keep(problem: Any, x: Any, since: Any) -> Callable[..., Any]:
    """Return `verbs.keep` for this kind of policy."""
    return _keep_mixture if x.instance_class is Mixture else _keep


def _mean(problem: Any, parts: Any, weights: Any) -> Callable[..., Any]:
    verb = verbs.mixture if parts.types[0].instance_class is Mixture else verbs.blend
    return _weighted_sum(*WEIGHTED_SUMS[verb], problem, parts, weights)


def _repeating(count: int) -> Callable[..., Any]:
    """Return `verbs.anchors_of` for this number of weights."""
    source = ["def anchors_of(problem, x, weights):", f"    return ({'Anchor(x.log), ' * count})"]
    return written("anchors_of", source, {"Anchor": Anchor})


def written(name: str, source: list[str], names: dict[str, Any]) -> Callable[..., Any]:
    """Return the function that these lines define."""
    namespace = dict(names)
    exec("\n".join(source), namespace)
    function: Callable[..., Any] = namespace[name]
    return function

@functools.cache
def register_verbs() -> None:
    """Tell numba what the verbs mean for flat arrays; once, before the first rule is compiled."""
    from numba.extending import overload

    for verb, implementation in (_TABULAR_VERBS | SHARED_VERBS).items():
        register_verb(verb, TabularProblem, always(implementation))
    for function in (fresh_row, fresh_point, fresh_bank):
        register_part(function)
    register_verb(
        verbs.field, TabularProblem, lambda problem, x, rng: _field_exact if _samples_nothing(problem) else _estimate
    )
    for verb, (field, result) in WEIGHTED_SUMS.items():
        register_verb(verb, TabularProblem, functools.partial(_weighted_sum, field, result), inline=True)
    register_verb(
        verbs.start_in,
        TabularProblem,
        lambda problem, geometry: _start_mixture if geometry.instance_class is Euclidean else _start_point,
    )
    register_verb(
        verbs.prox,
        TabularProblem,
        lambda problem, base, *_: _project if base.instance_class is Mixture else _mirror,
    )
    register_verb(verbs.mean, TabularProblem, _mean, inline=True)
    register_verb(
        verbs.rewrite,
        TabularProblem,
        lambda problem, old, new: _rewrite_mixture if old.instance_class is Mixture else _rewrite_direction,
    )
    register_verb(verbs.keep, TabularProblem, choose_keep)
    overload(verbs.anchors_of, jit_options=OPTIONS, strict=False)(
        lambda problem, x, weights: _repeating(len(weights))
    )
    overload(matrix_of, jit_options=OPTIONS, strict=False)(
        lambda problem: _matrix_of if _is_array(problem) else _triangle_matrix_of
    )
    register_verb(
        verbs.field_of_side,
        TabularProblem,
        lambda problem, *_: _field_of_side_exact if _samples_nothing(problem) else _estimate_of_side,
    )
    overload(write_side_product, jit_options=OPTIONS, strict=False)(
        lambda problem, prob, side, out: _write_side_product if _is_array(problem) else _write_triangle_side_product
    )
    overload(write_product, jit_options=OPTIONS, strict=False)(
        lambda problem, prob, out: _write_product if _is_array(problem) else _write_triangle_product
    )
