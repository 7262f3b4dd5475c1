"""XOR and the checkerboard: neither coordinate alone says anything about the class."""

from __future__ import annotations

import numpy as np

from ..checks import as_generator, positive_integer
from ..samples import Samples
from .points import checked_noise, scattered


def xor(n: int, noise: float = 0.1, seed: int | np.random.Generator = 0) -> Samples:
    """Points (n, 2) float32 around the corners of the unit square; labels (n,) int64: a xor b.

    The problem that no single layer solves (Minsky and Papert, 1969). The corners take turns, so
    n = 4 without noise is the truth table; `noise` is the standard deviation of every coordinate
    around its corner. The same `seed` gives the same points. Raises `ArgumentError` for n < 1 and
    negative noise.

    Example:
        >>> import tinygrad_cs as tg
        >>> points, labels = tg.data.xor(4, noise=0)
        >>> points.tolist(), labels.tolist()
        ([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]], [0, 1, 0, 1])
    """
    n = positive_integer("xor", "n", n)
    noise = checked_noise("xor", noise)
    corners = np.array([(0, 0), (0, 1), (1, 1), (1, 0)])[np.arange(n) % 4]
    return scattered(corners, corners[:, 0] ^ corners[:, 1], noise, as_generator("xor", seed))


def checkerboard(
    n: int, squares: int = 4, noise: float = 0.0, seed: int | np.random.Generator = 0
) -> Samples:
    """Points (n, 2) float32 on a board of `squares` by `squares`; labels (n,) int64, its colours.

    The board is centred at the origin, its squares have side 1 and the one at the bottom left is of
    class 0. Points are uniform on the squares of their class before `noise`, the standard
    deviation of every coordinate, moves some of them over an edge. Labels alternate. The same
    `seed` gives the same points. Raises `ArgumentError` for n < 1, fewer than 2 squares a side and
    negative noise.

    Example:
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> points, labels = tg.data.checkerboard(6, squares=4)
        >>> (np.floor(points).sum(axis=1) % 2).tolist(), labels.tolist()
        ([0.0, 1.0, 0.0, 1.0, 0.0, 1.0], [0, 1, 0, 1, 0, 1])
    """
    n = positive_integer("checkerboard", "n", n)
    squares = positive_integer("checkerboard", "squares", squares, least=2)
    noise = checked_noise("checkerboard", noise)
    rng = as_generator("checkerboard", seed)
    labels = np.arange(n) % 2
    # Counted row by row, every second square is of one colour; on a board with an even side the
    # colours of odd rows come out the other way round and change places.
    square = 2 * rng.integers((squares**2 + 1 - labels) // 2) + labels
    row, column = np.divmod(square, squares)
    column ^= (row + column + labels) % 2
    corner = np.stack([column, row], axis=1) - squares / 2
    return scattered(corner + rng.uniform(size=(n, 2)), labels, noise, rng)
