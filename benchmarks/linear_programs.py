"""Large zero-sum games as linear programmes, and the solvers of linear programmes that users would take instead.

Each game is written once, in the way that suits these solvers best: ``min value: A q - value <= 0, sum(q) = 1, q >= 0``
for the column player's policy ``q``, whose multipliers are the row player's policy. A payoff of low rank
``left @ right.T`` gets ``rank`` further variables ``s = right.T q``, so that no solver ever meets the full matrix.

Not counted against a peer: building its model, compiling (JAX), and reading its answer. Of what it returns the best
point counts: the policy, its multipliers, and in symmetric games their mean.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import game_kinds
import numpy as np


class Game(NamedTuple):
    """A zero-sum game: payoff to the row player as an array, a sparse matrix, or factors of ``left @ right.T``."""

    payoff: Any
    is_symmetric: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Responses of the row and the column player."""
        if isinstance(self.payoff, tuple):
            return len(self.payoff[0]), len(self.payoff[1])
        return self.payoff.shape

    def rows(self, column_policy: np.ndarray) -> np.ndarray:
        """Return the payoff of each row against a policy of the column player."""
        if isinstance(self.payoff, tuple):
            return self.payoff[0] @ (self.payoff[1].T @ column_policy)
        return self.payoff @ column_policy

    def columns(self, row_policy: np.ndarray) -> np.ndarray:
        """Return the payoff to the row player of each column against a policy of the row player."""
        if isinstance(self.payoff, tuple):
            return self.payoff[1] @ (self.payoff[0].T @ row_policy)
        return self.payoff.T @ row_policy


def as_policy(point: np.ndarray) -> np.ndarray | None:
    """Return the nonnegative part of a point, made to sum to 1; None if there is none."""
    point = np.maximum(np.nan_to_num(np.asarray(point, float)), 0.0)
    total = float(point.sum())
    return point / total if 0.0 < total < np.inf else None


def certified_gap(game: Game, column_point: np.ndarray, row_point: np.ndarray) -> float:
    """Return the two-sided gap, recomputed from the data, of the best policies that an answer holds."""
    column, row = as_policy(column_point), as_policy(row_point)
    if not game.is_symmetric:
        if column is None or row is None:
            return np.inf
        return float(game.rows(column).max() - game.columns(row).min())
    found = [one for one in (column, row) if one is not None]
    if len(found) == 2:
        found.append(0.5 * (found[0] + found[1]))
    return min((2.0 * float(game.rows(one).max()) for one in found), default=np.inf)


# -- the games


def gaussian(rng: np.random.Generator, n: int) -> Game:
    """Return a two-player game of ``n x n/2`` independent normal payoffs."""
    return Game(rng.normal(size=(n, n // 2)), False)


def battles(rng: np.random.Generator, n: int, per_item: int = 50) -> Game:
    """Return win rates less 1/2 of a sparse battle graph: Bradley-Terry wins, a few battles on each edge."""
    from scipy import sparse

    first = rng.integers(0, n, n * per_item // 2)
    second = rng.integers(0, n, len(first))
    low, high = np.minimum(first, second), np.maximum(first, second)
    pairs = np.unique((low * n + high)[low < high])
    low, high = pairs // n, pairs % n
    strength = 0.3 * rng.normal(size=n)
    shown = rng.integers(1, 12, len(pairs))
    wins = rng.binomial(shown, 1.0 / (1.0 + np.exp(strength[high] - strength[low])))
    rate = wins / shown - 0.5
    upper = sparse.csr_array((rate, (low, high)), shape=(n, n))
    skew = sparse.csr_array(upper - upper.T)
    skew.eliminate_zeros()
    return Game(skew, True)


RANK = 16
TURN = np.kron(np.eye(RANK // 2), [[0.0, 1.0], [-1.0, 0.0]])
"""R of the embeddings: their dimensions are turned in pairs."""


def embeddings(rng: np.random.Generator, n: int) -> Game:
    """Return scores ``V R V'`` of general preference embeddings."""
    vectors = rng.normal(size=(n, RANK)) / np.sqrt(RANK)
    return Game((vectors @ TURN, vectors), True)


def dense(kind: Callable[[np.random.Generator, int], np.ndarray]) -> Callable[[np.random.Generator, int], Game]:
    """Return a kind of symmetric game in an array."""
    return lambda rng, n: Game(kind(rng, n), True)


KINDS: dict[str, Callable[[np.random.Generator, int], Game]] = {
    **{name: dense(kind) for name, kind in game_kinds.KINDS.items()},
    "gaussian": gaussian,
    "battles": battles,
    "embeddings": embeddings,
}


def game_of(kind: str, n: int) -> Game:
    """Return the game of a kind and size; always the same one."""
    return KINDS[kind](np.random.default_rng(n), n)


# -- as linear programmes


class Program(NamedTuple):
    """``min cost @ x: matrix @ x <= 0 but for equalities, x[:n] >= 0``: see the module."""

    inequalities: Any  # rows (A, [0,] -1), <= 0; their multipliers are the row player's policy
    equalities: Any  # (1, .., 1 | 0) = 1 and, for low rank, (right.T, -1, 0) = 0
    right_hand_side: np.ndarray
    cost: np.ndarray
    lower: np.ndarray
    n_policy: int

    @property
    def is_sparse(self) -> bool:
        """Whether the matrix is a SciPy one."""
        return not isinstance(self.inequalities, np.ndarray)


def program_of(game: Game) -> Program:
    """Return the linear programme of a game."""
    from scipy import sparse

    rows, columns = game.shape
    rank = game.payoff[0].shape[1] if isinstance(game.payoff, tuple) else 0
    size = columns + rank + 1
    cost = np.zeros(size)
    cost[-1] = 1.0
    lower = np.concatenate([np.zeros(columns), np.full(rank + 1, -np.inf)])
    minus = -np.ones((rows, 1))
    if rank:
        left, right = (sparse.csr_array(part) for part in game.payoff)
        inequalities = sparse.hstack([sparse.csr_array((rows, columns)), left, sparse.csr_array(minus)], format="csr")
        linked = sparse.hstack([right.T, -sparse.eye_array(rank), sparse.csr_array((rank, 1))], format="csr")
    elif isinstance(game.payoff, np.ndarray):
        inequalities, linked = np.hstack([game.payoff, minus]), None
    else:
        inequalities, linked = sparse.hstack([game.payoff, sparse.csr_array(minus)], format="csr"), None
    total = np.concatenate([np.ones(columns), np.zeros(rank + 1)])[None]
    if isinstance(inequalities, np.ndarray):
        equalities = total
    else:
        parts = [sparse.csr_array(total)] + ([] if linked is None else [linked])
        equalities = sparse.vstack(parts, format="csr")
    right_hand_side = np.zeros(1 + rank)
    right_hand_side[0] = 1.0
    return Program(inequalities, equalities, right_hand_side, cost, lower, columns)


def columnwise(program: Program) -> Any:
    """Return inequalities over equalities in compressed columns."""
    from scipy import sparse

    if program.is_sparse:
        return sparse.csc_array(sparse.vstack([program.inequalities, program.equalities]))
    matrix = np.asfortranarray(np.vstack([program.inequalities, program.equalities]))
    rows, columns = matrix.shape
    return sparse.csc_matrix(
        (matrix.ravel(order="F"), np.tile(np.arange(rows, dtype=np.int32), columns), np.arange(columns + 1) * rows),
        shape=matrix.shape,
    )


# -- the peers: each takes a programme and returns solve(tolerance, time limit) -> (seconds, column policy, row policy)

Answer = tuple[float, np.ndarray, np.ndarray]
Solve = Callable[[float, float], Answer]
Peer = Callable[[Program, int], Solve]


def highs(program: Program, method: str, threads: int) -> Solve:
    """Return HiGHS: "ipx" (interior point), "hipo" (its newer one), "pdlp" (cuPDLP-C) or "hipdlp"."""
    import highspy

    matrix = columnwise(program)
    rows = program.inequalities.shape[0]
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = matrix.shape
    model.col_cost_, model.col_lower_ = program.cost, program.lower
    model.col_upper_ = np.full(len(program.cost), np.inf)
    model.row_lower_ = np.concatenate([np.full(rows, -np.inf), program.right_hand_side])
    model.row_upper_ = np.concatenate([np.zeros(rows), program.right_hand_side])
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", threads)
    solver.setOptionValue("solver", method)
    solver.setOptionValue("run_crossover", "off")
    solver.setOptionValue("presolve", "off")
    solver.passModel(model)
    del matrix, model

    def solve(tolerance: float, limit: float) -> Answer:
        solver.clearSolver()
        solver.setOptionValue("time_limit", solver.getRunTime() + limit)  # Its clock goes on from run to run.
        for option in ("primal_feasibility_tolerance", "dual_feasibility_tolerance"):
            solver.setOptionValue(option, max(tolerance, 1e-10))
        solver.setOptionValue("ipm_optimality_tolerance", max(tolerance, 1e-12))
        solver.setOptionValue("pdlp_optimality_tolerance", max(tolerance, 1e-12))
        solver.setOptionValue("kkt_tolerance", max(tolerance, 1e-10))
        began = time.perf_counter()
        solver.run()
        took = time.perf_counter() - began
        found = solver.getSolution()
        return took, np.array(found.col_value)[: program.n_policy], np.abs(np.array(found.row_dual)[:rows])

    return solve


def ortools_pdlp(program: Program, threads: int) -> Solve:
    """Return OR-tools PDLP."""
    from ortools.pdlp import solvers_pb2
    from ortools.pdlp.python import pdlp
    from scipy import sparse

    rows = program.inequalities.shape[0]
    model = pdlp.QuadraticProgram()
    model.resize_and_initialize(len(program.cost), rows + len(program.right_hand_side))
    model.objective_vector = program.cost
    model.constraint_matrix = sparse.csc_matrix(columnwise(program))
    model.constraint_lower_bounds = np.concatenate([np.full(rows, -np.inf), program.right_hand_side])
    model.constraint_upper_bounds = np.concatenate([np.zeros(rows), program.right_hand_side])
    model.variable_lower_bounds = program.lower
    model.variable_upper_bounds = np.full(len(program.cost), np.inf)

    def solve(tolerance: float, limit: float) -> Answer:
        settings = solvers_pb2.PrimalDualHybridGradientParams()
        settings.num_threads = threads
        settings.termination_criteria.time_sec_limit = limit
        settings.termination_criteria.simple_optimality_criteria.eps_optimal_absolute = tolerance
        settings.termination_criteria.simple_optimality_criteria.eps_optimal_relative = tolerance
        began = time.perf_counter()
        found = pdlp.primal_dual_hybrid_gradient(model, settings)
        took = time.perf_counter() - began
        return took, np.array(found.primal_solution)[: program.n_policy], np.abs(np.array(found.dual_solution)[:rows])

    return solve


def mpax(program: Program, threads: int) -> Solve:
    """Return MPAX r2HPDHG, compiled ahead of time; it has no time limit, and JAX takes all cores that it is given."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    from mpax import create_lp, r2HPDHG

    rows = program.inequalities.shape[0]
    n = len(program.cost)
    lp = create_lp(
        jnp.asarray(program.cost),
        program.equalities,
        jnp.asarray(program.right_hand_side),
        -program.inequalities,
        jnp.zeros(rows),
        jnp.asarray(program.lower),
        jnp.full(n, jnp.inf),
        use_sparse_matrix=program.is_sparse,
    )
    run = jax.jit(lambda lp, tolerance: r2HPDHG(eps_abs=tolerance, eps_rel=tolerance).optimize(lp))
    run = run.lower(lp, 1e-4).compile()
    run(lp, 1.0)

    def solve(tolerance: float, limit: float) -> Answer:
        began = time.perf_counter()
        found = jax.block_until_ready(run(lp, tolerance))
        took = time.perf_counter() - began
        multipliers = np.asarray(found.dual_solution)[len(program.right_hand_side) :]
        return took, np.asarray(found.primal_solution)[: program.n_policy], np.abs(multipliers)

    return solve


def piqp(program: Program, threads: int) -> Solve:
    """Return PIQP, dense or sparse like the programme; it has no time limit and one thread."""
    import piqp as peer
    from scipy import sparse

    n, rows = len(program.cost), program.inequalities.shape[0]
    if program.is_sparse:
        make, quadratic = peer.SparseSolver, sparse.csc_matrix((n, n))
        equalities, inequalities = sparse.csc_matrix(program.equalities), sparse.csc_matrix(program.inequalities)
    else:
        make, quadratic = peer.DenseSolver, np.zeros((n, n))
        equalities, inequalities = program.equalities, program.inequalities

    def solve(tolerance: float, limit: float) -> Answer:
        solver = make()
        solver.settings.eps_abs = solver.settings.eps_duality_gap_abs = tolerance
        solver.settings.eps_rel = solver.settings.eps_duality_gap_rel = 0.0
        solver.setup(
            quadratic,
            program.cost,
            equalities,
            program.right_hand_side,
            inequalities,
            np.full(rows, -np.inf),
            np.zeros(rows),
            program.lower,
            np.full(n, np.inf),
        )
        began = time.perf_counter()
        solver.solve()
        took = time.perf_counter() - began
        return took, np.array(solver.result.x)[: program.n_policy], np.abs(np.array(solver.result.z_u))

    return solve


FIRST_ORDER: dict[str, Peer] = {
    "ortools pdlp": ortools_pdlp,
    "mpax r2hpdhg": mpax,
    "highs cupdlp-c": lambda program, threads: highs(program, "pdlp", threads),
    "highs hipdlp": lambda program, threads: highs(program, "hipdlp", threads),
}
INTERIOR_POINT: dict[str, Peer] = {
    "piqp": piqp,
    "highs ipx": lambda program, threads: highs(program, "ipx", threads),
    "highs hipo": lambda program, threads: highs(program, "hipo", threads),
}
PEERS = {**FIRST_ORDER, **INTERIOR_POINT}
