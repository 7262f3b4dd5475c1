"""Dead ReLUs: how large may the learning rate be?

Claim (CS231n, "Activation Functions"): a large step can push a ReLU unit so far that it is
negative on every training example. Its gradient is then 0, and it never comes back: with too
high a learning rate "as much as 40% of your network can be dead". A leaky ReLU does not die.

Measured: one hidden layer of 100 units learns the 1,797 digits by plain SGD; afterwards a unit
counts as dead if no gradient passes through it for any training image. The averages are over
three nets. At sensible rates no unit dies. At 1 a quarter is dead (40% with the first seed, as the
lecture says), and yet the net reads nearly every training digit: the living units are enough.
At 2 nearly the whole layer is dead, and the net with it. No leaky unit is ever dead; but up to
two thirds of them come to be negative on every image, where they are linear with slope 0.01. What
leaks is enough to go on learning.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import figure

import tinygrad_cs as tg
from tinygrad_cs import data, nn

ACTIVATIONS = {"ReLU": (nn.ReLU, "o-"), "leaky ReLU": (nn.LeakyReLU, "s--")}
RATES = [0.03, 0.1, 0.3, 0.6, 1.0, 1.4, 2.0]
QUICK_RATES = [0.1, 2.0]


@cache
def digits() -> tuple[Any, Any]:
    """Images (1797, 64) with mean 0 and deviation 1 over all pixels, and their digits."""
    images, labels = data.load_digits()
    return data.Standardizer(axis=None).fit(images).transform(images), labels


def train(activation: str, rate: float, epochs: int, seed: int) -> nn.Sequential:
    """A net after `epochs` of SGD."""
    tg.manual_seed(seed)
    net = nn.Sequential(nn.Linear(64, 100), ACTIVATIONS[activation][0](), nn.Linear(100, 10))
    optimizer = tg.optim.SGD(net.parameters(), lr=rate)

    @tg.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(epochs):
        for x, y in data.DataLoader(data.TensorDataset(*digits()), 32, shuffle=True):
            step(x, y)
    return net


@cache
def measure(activation: str, rate: float, quick: bool, seed: int) -> Any:
    """Shares: of dead units, of units that are never positive, of digits read correctly."""
    images, labels = digits()
    shares = []
    for net_seed in range(seed, seed + (1 if quick else 3)):
        net = train(activation, rate, 4 if quick else 10, net_seed)
        z = tg.tensor(net[0](images).data, requires_grad=True)
        net[1](z).sum().backward()
        dead = (z.grad == 0).all(0)
        never_positive = (z.data <= 0).all(0)
        correct = net(images).data.argmax(1) == labels
        shares.append((dead.mean(), never_positive.mean(), correct.mean()))
    return np.mean(shares, 0)


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Dead units and accuracy for every learning rate."""
    found = {}
    for activation in ACTIVATIONS:
        for rate in QUICK_RATES if quick else RATES:
            shares = measure(activation, rate, quick, seed)
            for what, share in zip(("dead", "never positive", "accuracy"), shares, strict=True):
                found[f"{activation}, rate {rate}: {what}"] = float(share)
    return found


def draw(quick: bool, seed: int) -> Figure:
    """Dead units, units that are never positive, and accuracy against the learning rate."""
    rates = QUICK_RATES if quick else RATES
    picture, (cells,) = figure(12, 4.2, columns=3)
    for activation, (_, line) in ACTIVATIONS.items():
        shares = np.array([measure(activation, rate, quick, seed) for rate in rates]).T
        for cell, share in zip(cells, shares, strict=True):
            cell.plot(rates, share, line, label=activation)
    cells[0].set(title="Dead: no gradient passes", ylabel="share of units")
    cells[1].set(title="Negative on every image", ylabel="share of units")
    cells[2].set(title="Accuracy on the training images", ylabel="share read correctly")
    for cell in cells:
        cell.set(xlabel="learning rate", ylim=(-0.05, 1.05))
        cell.legend()
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("dead_relu", __doc__, finding, draw))
