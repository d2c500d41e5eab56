"""Products of large matrices with a vector, a panel of rows at a time, so that threads can share a matrix.

Every kernel reads its panel once. Sums over rows go to a vector that the caller has for each panel: added up in the
order of the panels, they do not depend on who did which.
"""

from __future__ import annotations

from .._jit import jit
from .elementary import exp_below


@jit(reassociate=True, allocates=False)
def dots(matrix, vector, out):
    """Write ``matrix @ vector``."""
    n_rows, n = matrix.shape
    # Four rows at a time, so that an entry of the vector is loaded once for four products.
    n_fours = n_rows - n_rows % 4
    for i in range(0, n_fours, 4):
        first, second, third, fourth = matrix[i], matrix[i + 1], matrix[i + 2], matrix[i + 3]
        a = b = c = d = 0.0
        for j in range(n):
            mass = vector[j]
            a += first[j] * mass
            b += second[j] * mass
            c += third[j] * mass
            d += fourth[j] * mass
        out[i], out[i + 1], out[i + 2], out[i + 3] = a, b, c, d
    for i in range(n_fours, n_rows):
        row = matrix[i]
        a = 0.0
        for j in range(n):
            a += row[j] * vector[j]
        out[i] = a


@jit(reassociate=True, allocates=False)
def add_rows(matrix, masses, sums):
    """Add ``masses @ matrix`` to `sums`."""
    # No tiles of columns: short stretches of rows cost more, as memory is read ahead along a row, than sums in the
    # second cache do.
    n_rows, n = matrix.shape
    n_fours = n_rows - n_rows % 4
    for i in range(0, n_fours, 4):
        first, second, third, fourth = matrix[i], matrix[i + 1], matrix[i + 2], matrix[i + 3]
        w, x, y, z = masses[i], masses[i + 1], masses[i + 2], masses[i + 3]
        for j in range(n):
            sums[j] += w * first[j] + x * second[j] + y * third[j] + z * fourth[j]
    for i in range(n_fours, n_rows):
        row, w = matrix[i], masses[i]
        for j in range(n):
            sums[j] += w * row[j]


@jit(reassociate=True, allocates=False)
def dots_and_rows(matrix, vector, masses, out, sums):
    """Write ``matrix @ vector``, and add ``masses @ matrix`` to `sums`."""
    n_rows, n = matrix.shape
    n_fours = n_rows - n_rows % 4
    for i in range(0, n_fours, 4):
        first, second, third, fourth = matrix[i], matrix[i + 1], matrix[i + 2], matrix[i + 3]
        w, x, y, z = masses[i], masses[i + 1], masses[i + 2], masses[i + 3]
        a = b = c = d = 0.0
        for j in range(n):
            mass = vector[j]
            a += first[j] * mass
            b += second[j] * mass
            c += third[j] * mass
            d += fourth[j] * mass
            sums[j] += w * first[j] + x * second[j] + y * third[j] + z * fourth[j]
        out[i], out[i + 1], out[i + 2], out[i + 3] = a, b, c, d
    for i in range(n_fours, n_rows):
        row, w = matrix[i], masses[i]
        a = 0.0
        for j in range(n):
            a += row[j] * vector[j]
            sums[j] += w * row[j]
        out[i] = a


@jit(reassociate=True, allocates=False)
def add_triangle(matrix, first_row, last_row, vector, sums):
    """Add what the rows from `first_row` to `last_row` of a skew matrix, above the diagonal, have in its product.

    Every entry is used for its mirror image, too, so that half of the matrix is read.
    """
    n = vector.size
    n_fours = last_row - (last_row - first_row) % 4
    for i in range(first_row, n_fours, 4):
        for k in range(i, i + 4):
            for j in range(k + 1, i + 4):
                sums[k] += matrix[k, j] * vector[j]
                sums[j] -= matrix[k, j] * vector[k]
        right = slice(i + 4, n)
        first, second = matrix[i, right], matrix[i + 1, right]
        third, fourth = matrix[i + 2, right], matrix[i + 3, right]
        across, below = vector[right], sums[right]
        w, x, y, z = vector[i], vector[i + 1], vector[i + 2], vector[i + 3]
        a = b = c = d = 0.0
        for j in range(across.size):
            mass = across[j]
            a += first[j] * mass
            b += second[j] * mass
            c += third[j] * mass
            d += fourth[j] * mass
            below[j] -= w * first[j] + x * second[j] + y * third[j] + z * fourth[j]
        sums[i] += a
        sums[i + 1] += b
        sums[i + 2] += c
        sums[i + 3] += d
    for i in range(n_fours, last_row):
        for j in range(i + 1, n):
            sums[i] += matrix[i, j] * vector[j]
            sums[j] -= matrix[i, j] * vector[i]


@jit(reassociate=True, allocates=False)
def add_win_margins(turned, vectors, first_row, last_row, vector, scores, sums):
    """Add what some rows have in the product of ``sigmoid(s) - 1/2``, above the diagonal, mirrored too.

    Parameters
    ----------
    turned : array, shape (n, rank)
        ``V R`` of scores ``V R V'``.
    vectors : array, shape (rank, n)
        V, transposed, so that neighbors in memory belong to neighbors in a row of scores.
    scores : array, shape (tile,)
        Scratch; its size is how many columns are found at a time.
    """
    rank, n = vectors.shape
    tile = scores.size
    rank_fours = rank - rank % 4
    for left in range(first_row + 1, n, tile):
        end = min(left + tile, n)
        for i in range(first_row, min(last_row, end - 1)):
            start = max(left, i + 1)
            part = slice(start, end)
            found, across, below = scores[: end - start], vector[part], sums[part]
            for j in range(found.size):
                found[j] = 0.0
            for k in range(0, rank_fours, 4):
                first, second, third, fourth = (
                    vectors[k, part], vectors[k + 1, part], vectors[k + 2, part], vectors[k + 3, part]
                )
                a, b, c, d = turned[i, k], turned[i, k + 1], turned[i, k + 2], turned[i, k + 3]
                for j in range(found.size):
                    found[j] += a * first[j] + b * second[j] + c * third[j] + d * fourth[j]
            for k in range(rank_fours, rank):
                row, a = vectors[k, part], turned[i, k]
                for j in range(found.size):
                    found[j] += a * row[j]
            mass, total = vector[i], 0.0
            for j in range(found.size):
                score = found[j]
                small = exp_below(-abs(score))
                margin = 0.5 * (1.0 - small) / (1.0 + small)
                margin = -margin if score < 0.0 else margin
                total += margin * across[j]
                below[j] -= mass * margin
            sums[i] += total
