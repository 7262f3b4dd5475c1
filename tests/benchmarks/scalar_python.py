"""The training step of ``scalar_step.py`` by hand in plain Python: floats, lists and loops.

What makes it fast: products and sums of whole rows happen in C (``sum``, ``map``, comprehensions
over locals), and what ReLU or the margin sets to zero is skipped, forward as well as backward.
"""

from __future__ import annotations

from operator import mul
from typing import TYPE_CHECKING

import numpy as np
from by_hand import Step

if TYPE_CHECKING:
    from scalar_step import Problem


def python_step(problem: Problem) -> Step:
    """The step for two inputs, two hidden layers and one output."""
    (w1, b1), (w2, b2), ((w3,), (b3,)) = (
        (w.tolist(), b.tolist()) for w, b in zip(problem.weights, problem.biases, strict=True)
    )
    rate, decay = problem.rate, problem.decay
    points = [(*x, y) for x, y in zip(problem.x, problem.y, strict=True)]
    count = len(points)
    none2, none1 = [[0.0] * len(row) for row in w2], [0.0] * len(w1)

    def step() -> float:
        nonlocal w1, b1, w2, b2, w3, b3
        first = [(*row, b) for row, b in zip(w1, b1)]  # noqa: B905 - `strict` takes time
        second = list(zip(w2, b2))  # noqa: B905
        dw1x, dw1y, db1 = none1[:], none1[:], none1[:]
        dw2, db2 = [row[:] for row in none2], [0.0] * len(b2)
        dw3, db3, loss = [0.0] * len(w3), 0.0, 0.0
        for x, y, label in points:
            h1 = [z if (z := u * x + v * y + b) > 0 else 0.0 for u, v, b in first]
            h2 = [z if (z := sum(map(mul, row, h1), b)) > 0 else 0.0 for row, b in second]
            margin = 1 - label * sum(map(mul, w3, h2), b3)
            if margin <= 0:
                continue
            loss += margin
            d = -label / count
            db3 += d
            dw3 = [g + d * h for g, h in zip(dw3, h2)]  # noqa: B905
            below = none1
            for k, h in enumerate(h2):
                if h > 0:
                    dh = d * w3[k]
                    db2[k] += dh
                    dw2[k] = [g + dh * a for g, a in zip(dw2[k], h1)]  # noqa: B905
                    below = [g + dh * w for g, w in zip(below, w2[k])]  # noqa: B905
            for j, h in enumerate(h1):
                if h > 0:
                    dh = below[j]
                    dw1x[j] += dh * x
                    dw1y[j] += dh * y
                    db1[j] += dh
        squares = sum(map(mul, b1, b1)) + sum(map(mul, b2, b2)) + sum(map(mul, w3, w3)) + b3 * b3
        for row in (*w1, *w2):
            squares += sum(map(mul, row, row))
        keep = 1 - 2 * rate * decay
        w1 = [
            [keep * u - rate * du, keep * v - rate * dv]
            for (u, v), du, dv in zip(w1, dw1x, dw1y)  # noqa: B905
        ]
        b1 = [keep * b - rate * g for b, g in zip(b1, db1)]  # noqa: B905
        w2 = [
            [keep * w - rate * g for w, g in zip(row, grads)]  # noqa: B905
            for row, grads in zip(w2, dw2)  # noqa: B905
        ]
        b2 = [keep * b - rate * g for b, g in zip(b2, db2)]  # noqa: B905
        w3 = [keep * w - rate * g for w, g in zip(w3, dw3)]  # noqa: B905
        b3 = keep * b3 - rate * db3
        return loss / count + decay * squares

    return Step(step, lambda: [np.array(a) for a in (w1, b1, w2, b2, [w3], [b3])])
