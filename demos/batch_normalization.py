"""Batch normalisation: how much does it forgive a badly chosen scale of weights, or rate?

Claim (CS231n, "Batch Normalization", after Ioffe and Szegedy 2015): it makes a net much less
sensitive to the initial weights, and it allows higher learning rates.

Measured on the digits: a net with eight hidden layers is trained for a few epochs from weights
that are He's times a factor between 0.1 and 10, and with rates between 0.001 and 10, with and
without normalisation before each ReLU. What counts is how wide the range is in which it learns.
Without it one scale works, He's; with it all do. It is no cure for every rate: 0.001 stays too
slow and 10 too high for both.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import figure

import tinygrad_cs as tg
from tinygrad_cs import data, nn

DEPTH, WIDTH, BATCH = 8, 32, 64
SCALES = [0.1, 0.3, 1.0, 3.0, 10.0]
RATES = [0.001, 0.01, 0.1, 1.0, 10.0]
LEARNED = 0.8


def net(normalised: bool, scale: float) -> nn.Sequential:
    """Eight hidden layers; every weight is He's times `scale`."""
    layers: list[nn.Module] = []
    for inputs in [64] + [WIDTH] * (DEPTH - 1):
        layers += [nn.Linear(inputs, WIDTH, bias=not normalised)]
        layers += [nn.BatchNorm1d(WIDTH)] if normalised else []
        layers += [nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(WIDTH, 10))
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=scale * (2 / layer.weight.shape[1]) ** 0.5)
    return model


def accuracy(normalised: bool, scale: float, rate: float, steps: int, seed: int) -> float:
    """The share of test digits that the net reads after `steps` steps of plain SGD."""
    random = tg.manual_seed(seed)
    images, labels = data.load_digits()
    (x, y), _, (x_test, y_test) = data.train_validation_test_split(
        (images - 8) / 8, labels, seed=seed, stratify=labels
    )
    model = net(normalised, scale)
    optimizer = tg.optim.SGD(model.parameters(), lr=rate)

    @tg.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    # Exploding nets overflow: that is what is measured here.
    with np.errstate(all="ignore"), warnings.catch_warnings(), tg.no_grad():
        warnings.simplefilter("ignore")
        for _ in range(steps):
            rows = random.integers(len(x), size=BATCH)
            with tg.enable_grad():
                loss = step(x[rows], y[rows]).item()
            if not np.isfinite(loss):
                return 0.1
        model.eval()
        return float(np.mean(model(x_test).data.argmax(axis=1) == y_test))


@cache
def measure(quick: bool, seed: int) -> dict[tuple[bool, float, float], float]:
    """Accuracies by (normalised, scale, rate)."""
    steps = 120 if quick else 300
    scales, rates = (SCALES[1:4], RATES[2:3]) if quick else (SCALES, RATES)
    cells = [(n, s, r) for n in (False, True) for s in scales for r in rates]
    return {cell: accuracy(*cell, steps, seed) for cell in cells}


def finding(quick: bool, seed: int) -> dict[str, float]:
    """In how many of the combinations of scale and rate 80 % of the digits are read."""
    table = measure(quick, seed)
    found = {}
    for normalised, name in [(False, "without"), (True, "with")]:
        cells = {cell[1:]: share for cell, share in table.items() if cell[0] == normalised}
        learned = [cell for cell, share in cells.items() if share >= LEARNED]
        found[f"combinations that learn, {name}"] = len(learned) / len(cells)
        found[f"best accuracy, {name}"] = max(cells.values())
        found[f"largest rate that learns, {name}"] = max([r for _, r in learned], default=0)
    return found


def draw(quick: bool, seed: int) -> Figure:
    table = measure(quick, seed)
    scales = sorted({scale for _, scale, _ in table})
    rates = sorted({rate for _, _, rate in table})
    picture, (axes,) = figure(10, 4.6, columns=2)
    for cell, normalised in zip(axes, (False, True), strict=True):
        shares = np.array([[table[normalised, s, r] for r in rates] for s in scales])
        image = cell.imshow(shares, cmap="cividis", vmin=0, vmax=1, aspect="auto", origin="lower")
        for (row, column), share in np.ndenumerate(shares):
            colour = "black" if share > 0.5 else "white"
            cell.text(column, row, f"{share:.2f}", ha="center", va="center", color=colour)
        cell.set_title("with batch normalisation" if normalised else "without")
        cell.set_xticks(range(len(rates)), [f"{r:g}" for r in rates])
        cell.set_yticks(range(len(scales)), [f"{s:g}" for s in scales])
        cell.set(xlabel="learning rate", ylabel="initial weights / He's")
        cell.grid(False)
    picture.colorbar(image, ax=axes, label="share of test digits read")
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("batch_normalization", __doc__, finding, draw))
