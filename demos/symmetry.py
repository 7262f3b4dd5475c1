"""Symmetry: what do equal weights learn, and how small may random ones be?

Claim (CS231n, "Weight Initialization"): from weights that are all zero, or all the same, every
unit of a layer computes the same, gets the same gradient and stays the same; small random numbers
break the symmetry. Deviations of 0.01 do well in small nets but not in deep ones, where signals
die out; large ones saturate tanh. (Histograms of all layers: initialization.py.)

Measured while two layers of 32 tanh units learn the digits: how many units are independent,
counted by the singular values of their weights above a hundredth of the largest. From a constant
they are equal to the last bit after 3000 steps, one unit that reads 40 % of the digits; from zeros
only the last biases learn. A deviation of 1e-6 around the constant breaks the symmetry as well as
one of 0.01; it takes some 800 steps to grow. Then the deviation in nets of 1 and 8 hidden layers,
all with the same rate: 0.01 learns with one and not at all with eight, Xavier's 1 / sqrt(fan in)
learns with both, and 1 saturates more than half of the units: with eight it reads 30 %.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREEN, ORANGE, PINK, figure

import tinygrad_cs as tg
from tinygrad_cs import data, nn

# Constant and deviation of all weights; None is Xavier's 1 / sqrt(fan in).
STARTS: dict[str, tuple[float, float | None]] = {
    "zeros": (0.0, 0.0),
    "constant 0.1": (0.1, 0.0),
    "constant 0.1, std 1e-6": (0.1, 1e-6),
    "constant 0.1, std 0.01": (0.1, 0.01),
    "zero mean, std 0.01": (0.0, 0.01),
}
LINES: list[Any] = ["-", "--", "-.", ":", (0, (3, 1, 1, 1, 1, 1))]
COLOURS = [BLUE, ORANGE, GREEN, PINK, "black"]
DEVIATIONS: dict[str, float | None] = {"0.01": 0.01, "Xavier": None, "1": 1.0}
WIDTH = 32


def net(depth: int, mean: float, std: float | None) -> nn.Sequential:
    """`depth` hidden layers of tanh; all weights are drawn alike, biases are zero."""
    layers: list[nn.Module] = []
    for inputs in [64] + [WIDTH] * (depth - 1):
        layers += [nn.Linear(inputs, WIDTH), nn.Tanh()]
    model = nn.Sequential(*layers, nn.Linear(WIDTH, 10))
    for p in model.parameters():
        if p.ndim == 2:
            nn.init.normal_(p, mean, p.shape[1] ** -0.5 if std is None else std)
    return model


def units(weight: Any) -> int:
    """How many independent units there are: singular values above 1 % of the largest."""
    values = np.linalg.svd(weight, compute_uv=False)
    return int(np.sum(values > 0.01 * values[0])) if values[0] > 0 else 0


@tg.no_grad()
def saturated(model: nn.Sequential, x: Any) -> float:
    """The share of the last hidden layer's outputs beyond 0.99."""
    return float((np.abs(model[:-1](x).data) > 0.99).mean())


def train(model: nn.Sequential, rate: float, steps: int, random: np.random.Generator) -> Any:
    """(steps, 2): independent units before each step and the loss; accuracy on new digits."""
    images, labels = data.load_digits()
    order = random.permutation(len(images))
    x, y = (images[order] - 8) / 8, labels[order]
    optimizer = tg.optim.SGD(model.parameters(), lr=rate, momentum=0.9)

    @tg.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    rows = []
    for _ in range(steps):
        batch = random.integers(1200, size=64)
        rank = units(model[0].weight.data)
        rows.append((rank, step(x[batch], y[batch]).item()))
    with tg.no_grad():
        right = np.mean(model(x[1200:]).data.argmax(axis=1) == y[1200:])
    return np.array(rows), float(right)


@cache
def measure(quick: bool, seed: int) -> tuple[dict[str, Any], dict[tuple[int, str], Any]]:
    """Curves, accuracy and weights by start; accuracy and saturation by depth and deviation."""
    starts, deep = {}, {}
    for name, (mean, std) in STARTS.items():
        random = tg.manual_seed(seed)
        model = net(2, mean, std)
        rows, right = train(model, 0.1, 1200 if quick else 3000, random)
        starts[name] = rows, right, model[0].weight.data.copy()
    for depth in (1, 8):
        for name, deviation in DEVIATIONS.items():
            random = tg.manual_seed(seed)
            model = net(depth, 0.0, deviation)
            share = saturated(model, (data.load_digits()[0][:200] - 8) / 8)
            _, right = train(model, 0.005, 600, random)
            deep[depth, name] = right, share
    return starts, deep


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Independent units at the end, their largest difference, accuracies, saturation."""
    starts, deep = measure(quick, seed)
    found: dict[str, float] = {}
    for name, (rows, right, weight) in starts.items():
        found |= {
            f"{name}: independent units at the end": rows[-1, 0],
            f"{name}: largest difference of two units": float(np.ptp(weight, axis=0).max()),
            f"{name}: accuracy": right,
        }
    for (depth, name), (right, share) in deep.items():
        found[f"{depth} hidden, std {name}: accuracy"] = right
        found[f"{depth} hidden, std {name}: saturated at first"] = share
    return found


def draw(quick: bool, seed: int) -> Figure:
    starts, deep = measure(quick, seed)
    picture, ((left, middle, right),) = figure(14, 4.4, columns=3)
    for line, colour, (name, (rows, *_)) in zip(LINES, COLOURS, starts.items(), strict=True):
        left.plot(rows[:, 0], linestyle=line, color=colour, label=name)
        smooth = np.convolve(rows[:, 1], np.ones(10) / 10, "valid")
        middle.plot(smooth, linestyle=line, color=colour, label=name)
    left.set(title="Independent units of 32", xlabel="step", ylabel="singular values > 1 %")
    left.legend(fontsize=9)
    middle.set(title="Loss", xlabel="step", ylabel="cross-entropy")
    for at, (depth, hatch) in enumerate([(1, ""), (8, "//")]):
        heights = [deep[depth, name][0] for name in DEVIATIONS]
        right.bar(np.arange(3) + 0.4 * at, heights, 0.38, hatch=hatch, label=f"{depth} hidden")
    right.set_xticks(np.arange(3) + 0.2, [f"std {name}" for name in DEVIATIONS])
    right.set(title="Accuracy on new digits", ylim=(0, 1.2))
    right.legend(ncols=2)
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("symmetry", __doc__, finding, draw))
