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
    n_eights = n_rows - n_rows % 8
    for i in range(0, n_eights, 8):
        rows = (
            matrix[i], matrix[i + 1], matrix[i + 2], matrix[i + 3],
            matrix[i + 4], matrix[i + 5], matrix[i + 6], matrix[i + 7],
        )
        eight_rows(rows, vector, masses[i : i + 8], out[i : i + 8], sums)
    for i in range(n_eights, n_rows):
        row, w = matrix[i], masses[i]
        a = 0.0
        for j in range(n):
            a += row[j] * vector[j]
            sums[j] += w * row[j]
        out[i] = a


@jit(reassociate=True, allocates=False)
def eight_rows(rows, vector, masses, out, sums):
    """Write ``rows @ vector``, and add ``masses @ rows`` to `sums`, for eight rows.

    So many, because the sums are loaded and stored once for all of them: with four that takes a fifth of the time.
    """
    # Rows one by one: of a part of a matrix the compiler would not know that entries of a row are neighbors.
    r0, r1, r2, r3, r4, r5, r6, r7 = rows
    w0, w1, w2, w3 = masses[0], masses[1], masses[2], masses[3]
    w4, w5, w6, w7 = masses[4], masses[5], masses[6], masses[7]
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = 0.0
    for j in range(vector.size):
        mass = vector[j]
        a0 += r0[j] * mass
        a1 += r1[j] * mass
        a2 += r2[j] * mass
        a3 += r3[j] * mass
        a4 += r4[j] * mass
        a5 += r5[j] * mass
        a6 += r6[j] * mass
        a7 += r7[j] * mass
        upper = w0 * r0[j] + w1 * r1[j] + w2 * r2[j] + w3 * r3[j]
        lower = w4 * r4[j] + w5 * r5[j] + w6 * r6[j] + w7 * r7[j]
        sums[j] += upper + lower
    out[0], out[1], out[2], out[3] = a0, a1, a2, a3
    out[4], out[5], out[6], out[7] = a4, a5, a6, a7


@jit(reassociate=True, allocates=False)
def add_triangle(matrix, first_row, last_row, vector, negative, scratch, sums):
    """Add what the rows from `first_row` to `last_row` of a skew matrix, above the diagonal, have in its product.

    Every entry is used for its mirror image, too, so that half of the matrix is read.

    Parameters
    ----------
    negative : array, shape (n,)
        ``-vector``.
    scratch : array, shape (8,)
        Anything.
    """
    n = vector.size
    n_eights = last_row - (last_row - first_row) % 8
    for i in range(first_row, n_eights, 8):
        for k in range(i, i + 8):
            for j in range(k + 1, i + 8):
                sums[k] += matrix[k, j] * vector[j]
                sums[j] -= matrix[k, j] * vector[k]
        right = slice(i + 8, n)
        rows = (
            matrix[i, right], matrix[i + 1, right], matrix[i + 2, right], matrix[i + 3, right],
            matrix[i + 4, right], matrix[i + 5, right], matrix[i + 6, right], matrix[i + 7, right],
        )
        eight_rows(rows, vector[right], negative[i : i + 8], scratch, sums[right])
        for k in range(8):
            sums[i + k] += scratch[k]
    for i in range(n_eights, last_row):
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
