"""Zigzag: why should inputs be centred?

Claim (CS231n, "Activation Functions" and "Data Preprocessing"): if all inputs of a neuron are
positive, as a sigmoid's outputs are, the gradients of its weights are all positive or all
negative, for they are the inputs times one number. Updates can then only go to the quadrants
(+, +) and (-, -), and the way to an optimum at (1, -1) is a zigzag. Centred inputs go straighter.

Measured: the signs of the gradients of a linear neuron, for single examples and for batches; and
the way of a neuron with two weights that learns y = x1 - x2 by SGD from inputs in [0, 1], or from
the same inputs less 1/2, until its weights are within 0.1 of (1, -1). With the same small rate the
positive inputs' way is twice as long, but takes as many steps. What the zigzag really costs is the
learning rate: centred inputs bear one several times as large and then need fewer than half of the
steps. And as the lecture says, a batch softens it: the signs in a sum need not agree.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, ORANGE, figure

from tinygrad_cs import nn

OPTIMUM = np.array([[1.0, -1.0]])
RATES = [0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0]
KINDS = {"positive": ("o-", 0.0), "centred": ("s--", 0.5)}


def gradient(neuron: nn.Linear, x: Any, optimum: Any) -> Any:
    """The gradient of the mean squared error over the examples `x`."""
    neuron.zero_grad()
    nn.functional.mse_loss(neuron(x), x @ optimum.T).backward()
    return neuron.weight.grad


def inputs(kind: str, count: int, features: int, seed: int) -> Any:
    """`count` examples in [0, 1], or [-1/2, 1/2]."""
    return np.random.default_rng(seed).uniform(size=(count, features)) - KINDS[kind][1]


def share_of_one_sign(kind: str, batch: int, seed: int) -> float:
    """How often all ten weights of a neuron, still at zero, get gradients of the same sign."""
    neuron = nn.Linear(10, 1, bias=False).double()
    nn.init.zeros_(neuron.weight)
    optimum = np.resize(OPTIMUM, (1, 10))
    batches = inputs(kind, 500 * batch, 10, seed).reshape(500, batch, 10)
    signs = [np.sign(gradient(neuron, x, optimum)) for x in batches]
    return float(np.mean([abs(s.sum()) == 10 for s in signs]))


def way(kind: str, rate: float, seed: int) -> Any:
    """The weights after each step, (steps + 1, 2), until they are within 0.1 of the optimum."""
    neuron = nn.Linear(2, 1, bias=False).double()
    nn.init.zeros_(neuron.weight)
    points = [neuron.weight.data.copy()]
    for x in inputs(kind, 1000, 2, seed):
        if not 0.1 < np.linalg.norm(points[-1] - OPTIMUM) < 1e3:
            break
        neuron.weight.data -= rate * gradient(neuron, x[None], OPTIMUM)
        points.append(neuron.weight.data.copy())
    return np.concatenate(points)


@cache
def length_and_steps(kind: str, rate: float, quick: bool, seed: int) -> Any:
    """Length in multiples of the straight line, and steps; means over several orders of examples.

    A way that never arrives has infinitely many steps.
    """
    ways = [way(kind, rate, 100 * seed + i) for i in range(15 if quick else 40)]
    lengths = [np.linalg.norm(np.diff(w, axis=0), axis=1).sum() / 2**0.5 for w in ways]
    steps = [len(w) - 1 if np.linalg.norm(w[-1] - OPTIMUM) < 0.1 else np.inf for w in ways]
    return np.mean(lengths), np.mean(steps)


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Signs, and the ways with the same rate and with each kind's best rate."""
    found = {}
    for kind in KINDS:
        for batch in (1, 32):
            name = f"{kind}: ten gradients of one sign, batch of {batch}"
            found[name] = share_of_one_sign(kind, batch, seed)
        best = min(RATES, key=lambda rate: length_and_steps(kind, rate, quick, seed)[1])
        for name, rate in (("same", RATES[0]), ("best", best)):
            length, steps = length_and_steps(kind, rate, quick, seed)
            found[f"{kind}, {name} rate: learning rate"] = rate
            found[f"{kind}, {name} rate: way / straight line"] = float(length)
            found[f"{kind}, {name} rate: steps"] = float(steps)
    return found


def draw(quick: bool, seed: int) -> Figure:
    """Both ways on the plane of the weights."""
    picture, cells = figure(11, 5, columns=2)
    picture.suptitle("The weights of one neuron, one example a step, learning rate 0.7")
    for cell, (kind, (line, _)) in zip(cells[0], KINDS.items(), strict=True):
        points = way(kind, 0.7, 100 * seed)
        colour = BLUE if kind == "positive" else ORANGE
        cell.plot(*points.T, line, color=colour, markersize=4, linewidth=1)
        cell.plot([0, 1], [0, -1], ":", color="0.4", label="straight line")
        cell.plot(1, -1, "*", color="black", markersize=14, label="optimum")
        cell.set(title=f"Inputs {kind}: {len(points) - 1} steps", aspect="equal")
        cell.set(xlabel="weight of x1", ylabel="weight of x2", xlim=(-0.75, 1.5), ylim=(-1.5, 0.75))
        cell.set(xticks=[-0.5, 0, 0.5, 1, 1.5], yticks=[-1.5, -1, -0.5, 0, 0.5])
        cell.legend()
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("zigzag", __doc__, finding, draw))
