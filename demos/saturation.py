"""Saturation: how much of a gradient does an activation function let through?

Claim (CS231n, "Activation Functions"): a sigmoid passes at most a quarter of the gradient, at 0,
and nothing at -10 or 10, where it is flat; tanh passes all of it at 0 and nothing on either
side; ReLU passes all of it for every positive input and nothing for negative ones.

Measured by backpropagation through each function, at the points of the lecture and on a fine
grid. "Nothing" is small rather than 0 for sigmoid and tanh: 4.5e-5 of the gradient passes a
sigmoid at 10. But two such layers leave 2e-9, and from x = 17 on float32 rounds sigmoid to 1 and
its derivative to exactly 0. ReLU at 0 has no derivative; like every library, this one takes 0.
"""

from __future__ import annotations

from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import figure

import tinygrad_cs as tg

ACTIVATIONS = {"sigmoid": tg.sigmoid, "tanh": tg.tanh, "ReLU": tg.relu}


def value_and_slope(function: Any, points: Any) -> tuple[Any, Any]:
    """f(x) and f'(x): each output depends on its own input, so the gradient of the sum is f'."""
    x = tg.tensor(points, requires_grad=True)
    y = function(x)
    y.sum().backward()
    return y.data, x.grad


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Derivatives at the lecture's points; where sigmoid is flat in float32."""
    found = {}
    for name, function in ACTIVATIONS.items():
        _, slopes = value_and_slope(function, np.array([-10.0, 0.0, 10.0]))
        found |= {f"{name}' at {x}": float(s) for x, s in zip((-10, 0, 10), slopes, strict=True)}

    grid = np.linspace(0, 30, 301 if quick else 3001, dtype="float32")
    _, slopes = value_and_slope(tg.sigmoid, grid)
    found["sigmoid' at most"] = float(slopes.max())
    found["sigmoid' is exactly 0 in float32 from x ="] = float(grid[slopes == 0].min())
    return found


def draw(quick: bool, seed: int) -> Figure:
    """The functions, and beside them what they let through."""
    x = np.linspace(-10, 10, 801)
    picture, ((left, right),) = figure(10, 4, columns=2)
    for (name, function), line in zip(ACTIVATIONS.items(), ("-", "--", ":"), strict=True):
        value, slope = value_and_slope(function, x)
        left.plot(x, value, line, label=name)
        right.plot(x, slope, line, label=name)
    left.set(title="Activation", xlabel="input x", ylabel="output f(x)", ylim=(-1.2, 2.2))
    right.set(title="Share of the gradient that passes", xlabel="input x", ylabel="f'(x)")
    for cell in (left, right):
        cell.set_xticks([-10, -5, 0, 5, 10])
    left.legend(loc="upper left")
    right.legend(loc="center left")
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("saturation", __doc__, finding, draw))
