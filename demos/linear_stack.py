"""Linear stacks: what does depth give without nonlinearities?

Claim (CS231n, "Neural Networks"; CS229, "Neural Networks"): nothing. W3 (W2 (W1 x)) = (W3 W2 W1) x
is one linear map, so a deep linear net can represent no more than a single layer. The
nonlinearity between the layers is what makes depth count.

Measured: a random stack of five layers with biases against the one layer made of their product;
and what a single layer, a stack of three and the same stack with ReLUs learn of points labelled
by the sign of x1 x2, which no line separates. "No more" can be less: one layer of 3 units in the
stack, and the product has rank 3, where a single layer may have rank 20.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, ORANGE, figure

import tinygrad_cs as tg
from tinygrad_cs import nn


def one_layer(stack: nn.Sequential) -> nn.Linear:
    """The single layer that does what the stack of `Linear` layers does."""
    weight, bias = np.eye(stack[0].in_features), np.zeros(stack[0].in_features)
    for layer in stack:
        weight, bias = layer.weight.data @ weight, layer.weight.data @ bias + layer.bias.data
    single = nn.Linear(*weight.T.shape).double()
    single.weight.data[...], single.bias.data[...] = weight, bias
    return single


def nets() -> dict[str, nn.Sequential]:
    """A layer, a stack of layers, and the stack with ReLUs between them."""
    return {
        "one layer": nn.Sequential(nn.Linear(2, 1)),
        "three layers": nn.Sequential(nn.Linear(2, 16), nn.Linear(16, 16), nn.Linear(16, 1)),
        "three layers, ReLU": nn.Sequential(
            nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)
        ),
    }


def examples(count: int, random: Any) -> tuple[Any, Any]:
    """Points in the plane, and 1 where both coordinates have the same sign."""
    x = random.uniform(-1, 1, size=(count, 2)).astype("float32")
    return x, (x[:, :1] * x[:, 1:] > 0).astype("float32")


@cache
def trained(quick: bool, seed: int) -> dict[str, nn.Sequential]:
    """The three nets after the same training."""
    random = tg.manual_seed(seed)
    x, y = examples(500, random)
    models = nets()
    for net in models.values():
        optimizer = tg.optim.Adam(net.parameters(), lr=0.01)

        @tg.compile
        def step(net: Any = net, optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(net(x), y)
            loss.backward()
            optimizer.step()
            return loss

        for _ in range(300 if quick else 1000):
            step()
    return models


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Stack against product, the rank through a narrow layer, and what each net learns."""
    random = tg.manual_seed(seed)
    widths = [20, 30, 3, 30, 20, 20]
    stack = nn.Sequential(*[nn.Linear(*pair).double() for pair in pairwise(widths)])
    for layer in stack:
        nn.init.normal_(layer.bias)
    x = random.normal(size=(100, 20))
    single = one_layer(stack)
    expected = stack(x).data
    found = {
        "stack against one layer: relative difference": float(
            np.abs(single(x).data - expected).max() / np.abs(expected).max()
        ),
        "rank of 20 x 20 weights through 3 units": float(np.linalg.matrix_rank(single.weight.data)),
    }
    points, labels = examples(2000, random)
    for name, net in trained(quick, seed).items():
        accuracy = ((net(points).data > 0) == labels).mean()
        found[f"{name}: accuracy"] = float(accuracy)
    return found


def draw(quick: bool, seed: int) -> Figure:
    """What the nets answer in every point of the plane."""
    axis = np.linspace(-1, 1, 101, dtype="float32")
    plane = np.stack(np.meshgrid(axis, axis), -1)
    points, labels = examples(200, np.random.default_rng(seed))
    picture, cells = figure(12, 3.8, columns=3)
    for cell, (name, net) in zip(cells[0], trained(quick, seed).items(), strict=True):
        probability = tg.sigmoid(net(plane.reshape(-1, 2))).data.reshape(plane.shape[:2])
        shades = cell.pcolormesh(axis, axis, probability, cmap="PuOr", vmin=0, vmax=1, alpha=0.35)
        for value, marker, colour in ((0, "o", ORANGE), (1, "^", BLUE)):
            cell.plot(*points[labels[:, 0] == value].T, marker, color=colour, markersize=4)
        cell.set(title=name, xlabel="x1", ylabel="x2", aspect="equal")
        cell.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1])
        cell.grid(visible=False)
    picture.colorbar(shades, ax=cells[0], label="P(equal signs, triangles)")
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("linear_stack", __doc__, finding, draw))
