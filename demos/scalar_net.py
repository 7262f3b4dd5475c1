"""A net of numbers: how far does one get with nothing but `+`, `*` and `tanh` of one number?

Claim (after Karpathy's micrograd, 2020): backpropagation needs no arrays. A graph of single
numbers, each of which knows what it was computed from, is enough to train a net; arrays only do
many of these numbers at once.

A net of 105 such numbers learns two moons, all of them right, and so are a hundred new points. Its
gradient is that of the same net with a matrix for each layer, to rounding: nothing else happens
there. What arrays change is the time: a step on 100 points makes some 20,000 nodes here and takes
hundreds of times as long as the few operations on arrays. The table is the graph of one neuron, as
`tg.inspect.draw` prints it; `neuron_graph().save("one_neuron.svg")` draws it.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from timeit import repeat
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, ORANGE, figure

import tinygrad_cs as tg
from tinygrad_cs import data, nn

SIZES, RATE = (2, 8, 8, 1), 0.2


class Neuron:
    """tanh(w1 x1 + ... + wn xn + b), or the sum itself for the last one."""

    def __init__(self, inputs: int, random: np.random.Generator, linear: bool) -> None:
        self.w = [tg.Scalar(v) for v in random.normal(scale=inputs**-0.5, size=inputs).tolist()]
        self.b = tg.Scalar(0.0)
        self.linear = linear

    def __call__(self, x: list[Any]) -> Any:
        total = self.b
        for weight, value in zip(self.w, x, strict=True):
            total = total + weight * value
        return total if self.linear else tg.tanh(total)


class Net:
    """Layers of neurons; each reads all outputs of the layer below."""

    def __init__(self, sizes: tuple[int, ...], random: np.random.Generator) -> None:
        self.layers = [
            [Neuron(inputs, random, linear=outputs == 1) for _ in range(outputs)]
            for inputs, outputs in pairwise(sizes)
        ]
        self.parameters = [p for layer in self.layers for n in layer for p in (*n.w, n.b)]

    def __call__(self, x: list[Any]) -> Any:
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return x[0]


def cost(net: Any, points: Any, labels: Any) -> Any:
    """Binary cross-entropy, log(1 + exp(-z)) for label 1 and log(1 + exp(z)) for label 0."""
    total = tg.Scalar(0.0)
    for x, label in zip(points.tolist(), labels.tolist(), strict=True):
        total = total + tg.softplus((1 - 2 * label) * net(x))
    return total / len(points)


def with_arrays(net: Net) -> nn.Sequential:
    """The same net with a matrix for each layer, in float64."""
    layers: list[nn.Module] = []
    for layer in net.layers:
        linear = nn.Linear(len(layer[0].w), len(layer))
        linear.weight = nn.Parameter(np.array([[w.data for w in neuron.w] for neuron in layer]))
        linear.bias = nn.Parameter(np.array([neuron.b.data for neuron in layer]))
        layers += [linear, nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def neuron_graph() -> Any:
    """What one neuron computes for the point (1, -2), with the derivatives of its output."""
    neuron = Neuron(2, np.random.default_rng(0), linear=False)
    x = [tg.Scalar(1.0), tg.Scalar(-2.0)]
    names = {"w1": neuron.w[0], "w2": neuron.w[1], "b": neuron.b, "x1": x[0], "x2": x[1]}
    return tg.inspect.draw(neuron(x), names=names)


def array_cost(net: Any, points: Any, labels: Any) -> Any:
    """`cost`, of all points at once."""
    return tg.softplus((1 - 2 * labels) * net(points)[:, 0]).mean()


@cache
def measure(quick: bool, seed: int) -> tuple[Net, list[float], dict[str, float]]:
    """The trained net, its costs, and how it compares with arrays."""
    count, steps = (50, 40) if quick else (100, 100)
    points, labels = data.two_moons(count, noise=0.1, seed=seed)
    points = points.astype(float)
    net = Net(SIZES, np.random.default_rng(seed))
    arrays = with_arrays(net)
    array_cost(arrays, points, labels).backward()
    velocity = [0.0] * len(net.parameters)
    costs, found = [], {}
    for step in range(steps):
        loss = cost(net, points, labels)
        for p in net.parameters:
            p.grad = None
        loss.backward()
        if step == 0:
            there = np.concatenate(
                [np.c_[m.weight.grad, m.bias.grad].ravel() for m in arrays if hasattr(m, "bias")]
            )
            here = np.array([p.grad for p in net.parameters])
            found["largest difference to the gradient with arrays"] = np.abs(here - there).max()
        for i, p in enumerate(net.parameters):
            velocity[i] = 0.9 * velocity[i] - RATE * p.grad
            p.data += velocity[i]
        costs.append(loss.data)

    numbers = min(repeat(lambda: cost(net, points, labels).backward(), number=1, repeat=3))
    at_once = min(
        repeat(lambda: array_cost(arrays, points, labels).backward(), number=1, repeat=50)
    )
    found |= {"parameters": len(net.parameters), "cost before": costs[0], "cost after": costs[-1]}
    for what, seed_of in (("training", seed), ("new", seed + 1)):
        x, y = data.two_moons(100, noise=0.1, seed=seed_of)
        with tg.no_grad():
            right = [(net(p).item() > 0) == label for p, label in zip(x.tolist(), y, strict=True)]
        found[f"accuracy on {what} points"] = float(np.mean(right))
    found |= {"milliseconds a step with numbers": 1e3 * numbers}
    found |= {"milliseconds a step with arrays": 1e3 * at_once}
    return net, costs, found


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Costs, accuracies, times, and the difference to the same net with arrays."""
    print(f"One neuron:\n\n{neuron_graph()}\n")
    return measure(quick, seed)[2]


def draw(quick: bool, seed: int) -> Figure:
    """The boundary, and the cost."""
    net, costs, _ = measure(quick, seed)
    picture, ((left, right),) = figure(11, 4.5, columns=2)
    points, labels = data.two_moons(100, noise=0.1, seed=seed)
    ticks = 25 if quick else 50
    x, y = np.linspace(-1.5, 2.5, ticks), np.linspace(-1, 1.5, ticks)
    with tg.no_grad():
        height = [[net([u, v]).item() for u in x.tolist()] for v in y.tolist()]
    left.contourf(x, y, np.clip(height, -4, 4), 12, cmap="RdBu", alpha=0.5)
    left.contour(x, y, height, [0], colors="black")
    for label, colour, marker in ((0, ORANGE, "o"), (1, BLUE, "s")):
        left.plot(*points[labels == label].T, marker, color=colour, markersize=4)
    left.set(title="The boundary", xlabel="x", ylabel="y")
    right.plot(costs)
    right.set(title="Cost", xlabel="step", ylabel="binary cross-entropy", ylim=(0, None))
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("scalar_net", __doc__, finding, draw))
