"""Vanishing gradients: what reaches the first layer of a deep net?

Claim (CS231n, "Activation Functions"; CS229, "Backpropagation"): on its way back the gradient is
multiplied by the weights and slopes of every layer, so over many layers it shrinks or grows
geometrically. The slope of sigmoid is at most 1/4 and its gradient vanishes; tanh, with slopes up
to 1, loses less; ReLU with He's weights keeps it.

Measured: the norm of the gradient at the output of each of 20 layers of 256 units, for a random
direction at the top, averaged over random nets. Each activation comes with the weights it is
usually given: Xavier's for sigmoid and tanh, He's for ReLU. If the loss is geometric, the factor
of the lower half of the layers is that of the upper half. It is for sigmoid, and for ReLU, where
it is 1. It is not for tanh: the lower layers' outputs are larger and their slopes smaller, and
they cost more than the upper ones, through which gradients pass almost unchanged.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import figure

import tinygrad_cs as tg
from tinygrad_cs import nn

ACTIVATIONS = {
    "sigmoid": (tg.sigmoid, nn.init.xavier_normal_, "o-"),
    "tanh": (tg.tanh, nn.init.xavier_normal_, "s--"),
    "ReLU": (tg.relu, nn.init.kaiming_normal_, "^:"),
}


def one_net(activation: str, depth: int, width: int, random: Any) -> list[float]:
    """Norms of the gradients at the outputs of layers 1 to `depth`."""
    function, initialise, _ = ACTIVATIONS[activation]
    x = random.normal(size=(64, width)).astype("float32")
    outputs = []
    for _ in range(depth):
        layer = nn.Linear(width, width)
        initialise(layer.weight)
        x = function(layer(x))
        x.retain_grad()
        outputs.append(x)
    x.backward(random.normal(size=x.shape).astype("float32"))
    return [float(np.linalg.norm(output.grad)) for output in outputs]


@cache
def measure(activation: str, quick: bool, seed: int) -> Any:
    """Norm of the gradient per layer relative to the last one, the geometric mean over nets."""
    depth, width, nets = (10, 64, 3) if quick else (20, 256, 10)
    random = tg.manual_seed(seed)
    norms = np.array([one_net(activation, depth, width, random) for _ in range(nets)])
    return np.exp(np.log(norms / norms[:, -1:]).mean(0))


def finding(quick: bool, seed: int) -> dict[str, float]:
    """The factor per layer in both halves of the net, and what reaches the first layer."""
    found = {}
    for name in ACTIVATIONS:
        logarithms = np.log(measure(name, quick, seed))
        for half, part in zip(("lower", "upper"), np.array_split(logarithms, 2), strict=True):
            growth = np.polyfit(np.arange(len(part)), part, 1)[0]
            found[f"{name}: factor per layer, {half} half"] = float(np.exp(-growth))
        found[f"{name}: share that reaches the first layer"] = float(np.exp(logarithms[0]))
    return found


def draw(quick: bool, seed: int) -> Figure:
    """The norms, where a constant factor is a straight line; and without sigmoid in close-up."""
    picture, ((left, right),) = figure(11, 4.5, columns=2)
    for name, (*_, line) in ACTIVATIONS.items():
        norms = measure(name, quick, seed)
        layers = np.arange(1, len(norms) + 1)
        colour = left.semilogy(layers, norms, line, markersize=5, label=name)[0].get_color()
        if name != "sigmoid":
            right.plot(layers, norms, line, markersize=5, label=name, color=colour)
    left.set(title="The gradient on its way back", ylabel="norm (last layer = 1)")
    right.set(title="The same in close-up", ylabel="norm (last layer = 1)", ylim=(0, 1.2))
    for cell in (left, right):
        cell.set_xlabel("layer")
        cell.xaxis.get_major_locator().set_params(integer=True)
        cell.legend(loc="lower right")
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("vanishing_gradients", __doc__, finding, draw))
