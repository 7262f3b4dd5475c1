"""A training step of a net of single numbers, after micrograd's demo: MLP 2-16-16-1, 32 points.

Mean hinge loss plus decay times the sum of the squares of all parameters, a step of SGD, and the
loss read as a Python float. Each library builds the net as its own examples do, neuron by neuron
and point by point; `python-by-hand` says how far plain floats get.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from by_hand import Step
from scalar_python import python_step

CASES = {"moons": ((2, 16, 16, 1), 32)}


@dataclass(frozen=True)
class Problem:
    """Weights (out, in) and biases of the layers, points, and labels of -1 and 1."""

    weights: list[np.ndarray]
    biases: list[np.ndarray]
    x: list[list[float]]
    y: list[float]
    rate: float = 0.05
    decay: float = 1e-4


def draw(sizes: tuple[int, ...], count: int) -> Problem:
    """Every point four times, once with the other label, so that the loss does not vanish."""
    rng = np.random.default_rng(0)
    weights = [rng.uniform(-1, 1, (o, i)) * i**-0.5 for i, o in pairwise(sizes)]
    biases = [rng.uniform(-0.1, 0.1, o) for o in sizes[1:]]
    x = np.tile(rng.standard_normal((count // 4, sizes[0])), (4, 1))
    y = np.tile(rng.choice([-1.0, 1.0], count // 4), 4)
    y[: count // 4] *= -1
    return Problem(weights, biases, x.tolist(), y.tolist())


def make(case: str, peer: str) -> Step:
    """The step of one library."""
    return PEERS[peer](draw(*CASES[case]))


def ours(problem: Problem, compiled: bool = False) -> Step:
    import tinygrad_cs as tg

    layers = [
        [([tg.Scalar(w) for w in row], tg.Scalar(b)) for row, b in zip(matrix, bias, strict=True)]
        for matrix, bias in zip(problem.weights, problem.biases, strict=True)
    ]
    parameters = [p for layer in layers for row, b in layer for p in (*row, b)]
    points = list(zip(problem.x, problem.y, strict=True))
    rate, decay = problem.rate, problem.decay

    def score(x: list[Any]) -> Any:
        for layer in layers:
            out = []
            for row, b in layer:
                z = b
                for w, a in zip(row, x):  # noqa: B905 - `strict` would be timed as well
                    z = z + w * a
                out.append(tg.relu(z) if layer is not layers[-1] else z)
            x = out
        return x[0]

    def train() -> Any:
        for p in parameters:
            p.grad = None
        losses = [tg.relu(1 - y * score(x)) for x, y in points]
        loss = sum(losses[1:], losses[0]) * (1 / len(losses))
        squares = [p * p for p in parameters]
        loss = loss + decay * sum(squares[1:], squares[0])
        loss.backward()
        for p in parameters:
            p.data -= rate * p.grad
        return loss

    whole_step = tg.compile(train) if compiled else train

    def weights() -> list[np.ndarray]:
        return [
            np.array(part)
            for layer in layers
            for part in ([[w.data for w in row] for row, _ in layer], [b.data for _, b in layer])
        ]

    return Step(lambda: whole_step().item(), weights)


def micrograd(problem: Problem) -> Step:
    from micrograd.nn import MLP

    widths = [len(w) for w in problem.weights]
    model = MLP(len(problem.x[0]), widths)
    for layer, matrix, bias in zip(model.layers, problem.weights, problem.biases, strict=True):
        for neuron, row, b in zip(layer.neurons, matrix, bias, strict=True):
            neuron.b.data = float(b)
            for value, w in zip(neuron.w, row, strict=True):
                value.data = float(w)
    rate, decay = problem.rate, problem.decay

    def step() -> float:
        scores = list(map(model, problem.x))
        losses = [(1 + -y * score).relu() for y, score in zip(problem.y, scores)]  # noqa: B905
        data_loss = sum(losses) * (1.0 / len(losses))
        loss = data_loss + decay * sum(p * p for p in model.parameters())
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= rate * p.grad
        return loss.data

    def weights() -> list[np.ndarray]:
        return [
            np.array(part)
            for layer in model.layers
            for part in (
                [[w.data for w in neuron.w] for neuron in layer.neurons],
                [neuron.b.data for neuron in layer.neurons],
            )
        ]

    return Step(step, weights)


PEERS: dict[str, Callable[[Problem], Step]] = {
    "ours": ours,
    "ours-compiled": partial(ours, compiled=True),
    "micrograd": micrograd,
    "python-by-hand": python_step,
}
