"""Backpropagation as code one can read: the hand derivation beside what the engine runs.

Claim (CS229, "Deep Learning" notes): a net's gradient is a short program of matrix products, the
forward pass read backwards, and whoever has derived it once can write it down.

A net with one hidden layer learns whether two coordinates have the same sign. Its training step is
compiled; the program that runs is printed below the derivation of the notes, line by line the same,
and then it trains the net. Both gradients are equal to rounding.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, ORANGE, figure

import tinygrad_cs as tg
from tinygrad_cs import nn

DERIVATION = """\
The derivation by hand, for J = -(1/m) sum of y log a2 + (1 - y) log(1 - a2):

  z1 = x W1' + b1     a1 = sigmoid(z1)
  z2 = a1 W2' + b2    a2 = sigmoid(z2)

  dJ/dz2 = (a2 - y) / m         logarithm and sigmoid cancel
  dJ/dW2 = dJ/dz2' a1           the upstream gradient times the layer's input
  dJ/db2 = dJ/dz2 summed over the batch
  dJ/da1 = dJ/dz2 W2            what was computed for the layer above is used again
  dJ/dz1 = dJ/da1 * a1 (1 - a1)
  dJ/dW1 = dJ/dz1' x
  dJ/db1 = dJ/dz1 summed over the batch
"""


def data(count: int, seed: int) -> tuple[Any, Any]:
    """Points in the plane, and 1 where both coordinates have the same sign."""
    x = np.random.default_rng(seed).normal(size=(count, 2)).astype("float32")
    return x, (x[:, :1] * x[:, 1:] > 0).astype("float32")


def trainer(hidden: int = 16) -> tuple[nn.Sequential, Any]:
    """The net, and its compiled training step."""
    model = nn.Sequential(nn.Linear(2, hidden), nn.Sigmoid(), nn.Linear(hidden, 1))
    nn.init.normal_(model[0].weight, std=2.0)
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)

    @tg.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return model, step


def by_hand(model: nn.Sequential, x: Any, y: Any) -> dict[str, Any]:
    """The gradients of the derivation above."""
    w1, b1, w2, b2 = (p.data for p in model.parameters())
    a1 = 1 / (1 + np.exp(-(x @ w1.T + b1)))
    a2 = 1 / (1 + np.exp(-(a1 @ w2.T + b2)))
    dz2 = (a2 - y) / len(x)
    dz1 = dz2 @ w2 * a1 * (1 - a1)
    gradients = [dz1.T @ x, dz1.sum(0), dz2.T @ a1, dz2.sum(0)]
    return dict(zip(dict(model.named_parameters()), gradients, strict=True))


@cache
def measure(quick: bool, seed: int) -> tuple[nn.Sequential, Any, list[float], dict[str, float]]:
    """The trained net, the compiled step, its losses, and the differences in the first one."""
    tg.manual_seed(seed)
    x, y = data(256, seed)
    model, step = trainer()
    expected = by_hand(model, x, y)
    losses = [step(x, y).item()]
    differences = {
        f"d {name}: largest difference": float(np.abs(parameter.grad - expected[name]).max())
        for name, parameter in model.named_parameters()
    }
    losses += [step(x, y).item() for _ in range(199 if quick else 499)]
    return model, step, losses, differences


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Differences of the gradients, losses, accuracy; derivation and program are printed first."""
    model, step, losses, found = measure(quick, seed)
    print(f"{DERIVATION}\nThe program that runs:\n\n{step.source}")
    points, labels = data(1000, seed + 1)
    right = (model(points).data > 0) == labels
    found = found | {"loss before": losses[0], "loss after": losses[-1]}
    return found | {"accuracy on 1000 new points": float(np.mean(right))}


def draw(quick: bool, seed: int) -> Figure:
    """What the net has learned, and how fast."""
    model, _, losses, _ = measure(quick, seed)
    picture, ((left, right),) = figure(10, 4.2, columns=2)
    ticks = np.linspace(-3, 3, 121, dtype="float32")
    grid = np.stack(np.meshgrid(ticks, ticks), axis=-1)
    heights = tg.sigmoid(model(grid.reshape(-1, 2))).data.reshape(121, 121)
    shown = left.contourf(ticks, ticks, heights, np.linspace(0, 1, 11), cmap="PuOr", alpha=0.6)
    picture.colorbar(shown, ax=left, label="P(same sign)")
    x, y = data(256, seed)
    for label, colour, mark in ((0, ORANGE, "o"), (1, BLUE, "^")):
        left.plot(*x[y[:, 0] == label].T, mark, color=colour, ms=4)
    left.set(title="What it has learned", xlabel="x1", ylabel="x2", xlim=(-3, 3), ylim=(-3, 3))
    right.plot(np.arange(1, len(losses) + 1), losses)
    right.set(title="Loss", xlabel="step", ylabel="binary cross-entropy", ylim=(0, None))
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("readable_backprop", __doc__, finding, draw))
