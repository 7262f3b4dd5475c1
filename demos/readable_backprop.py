"""Backpropagation as code one can read: the hand derivation beside what the engine runs.

    python demos/readable_backprop.py

A net with one hidden layer learns whether two coordinates have the same sign. Its training step
is compiled; the program that runs is printed beside the derivation of the CS229 notes, line by
line, and then it trains the net.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

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


def main(arguments: list[str] | None = None) -> int:
    """Print, compare, train."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0, help="of data and weights (default 0)")
    parser.add_argument("--steps", type=int, default=500, help="training steps (default 500)")
    options = parser.parse_args(arguments)
    tg.manual_seed(options.seed)
    x, y = data(256, options.seed)
    model, step = trainer()
    expected = by_hand(model, x, y)
    first = step(x, y).item()
    print(DERIVATION)
    print("The program that runs:\n")
    print(step.source)
    print("Both on the first batch, largest difference of an entry:\n")
    for name, parameter in model.named_parameters():
        print(f"  d {name:9} {np.abs(parameter.grad - expected[name]).max():.1e}")
    loss = first
    for _ in range(options.steps - 1):
        loss = step(x, y).item()
    points, labels = data(1000, options.seed + 1)
    accuracy = float(np.mean((model(points).data > 0) == labels))
    print(f"\nloss {first:.3f} -> {loss:.3f} in {options.steps} steps")
    print(f"accuracy on 1000 new points: {accuracy:.3f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
