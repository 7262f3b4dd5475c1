"""Updates and weights: what do the ratio of their sizes and the loss curve say about the rate?

Claim (CS231n, "Babysitting the learning process"): the norm of an update should be about a
thousandth of that of the weights. A loss that stays flat tells of too low a rate, one that explodes
of too high a rate; a large gap between training and validation accuracy tells of overfitting, no
gap of too small a model.

Measured on the digits over seven powers of ten of the rate, for SGD and for Adam. Ratios of 1e-5
and below stay flat, and rates that move the weights by more than 15 % a step at first explode to a
hundred times the first loss, after which the units are dead and the loss stays flat at ln 10. A
thousandth lies safely between, but is no optimum: this small net ends lowest with 0.12 for SGD and
0.017 for Adam. In the mean of five nets the gap grows with the width from 0.02 to 0.05, then falls
a little: 64 units overfit no more than 16. The smallest gap comes with a model too small to learn
even the training digits.
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

RATES = {
    "SGD": [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0],
    "Adam": [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0],
}
OPTIMIZERS = {"SGD": tg.optim.SGD, "Adam": tg.optim.Adam}
TRAINING, BATCH, FIRST = 500, 50, 50


def sizes(model: nn.Module) -> list[np.ndarray]:
    return [p.data.copy() for p in model.parameters() if p.ndim == 2]


def accuracy(model: nn.Module, x: Any, y: Any) -> float:
    with tg.no_grad():
        return float(np.mean(model(x).data.argmax(axis=1) == y))


def train(
    name: str, rate: float, width: int, steps: int, seed: int
) -> tuple[Any, Any, float, float]:
    """Losses and ratios of every step, accuracy on the training part and on 1000 new digits."""
    random = tg.manual_seed(seed)
    images, labels = data.load_digits()
    order = random.permutation(len(images))
    x, y = (images[order] - 8) / 8, labels[order]
    model = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
    optimizer = OPTIMIZERS[name](model.parameters(), lr=rate)
    losses, ratios = [], []

    @tg.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    with np.errstate(all="ignore"):  # too high a rate overflows
        for _ in range(steps):
            rows = random.integers(TRAINING, size=BATCH)
            before = sizes(model)
            losses.append(step(x[rows], y[rows]).item())
            moved = [np.linalg.norm(b - a) for a, b in zip(before, sizes(model), strict=True)]
            lengths = [np.linalg.norm(a) for a in before]
            ratios.append(np.mean(np.divide(moved, lengths)))
            if not losses[-1] < 1e6:
                break
        few, new = slice(TRAINING), slice(TRAINING, TRAINING + 1000)
        shares = [accuracy(model, x[part], y[part]) for part in (few, new)]
    return np.array(losses), np.array(ratios), *shares


@cache
def measure(quick: bool, seed: int) -> tuple[dict[tuple[str, float], Any], dict[int, Any]]:
    """Runs by optimizer and rate, and both accuracies of five nets by width."""
    steps = 200 if quick else 1000
    runs = {(n, r): train(n, r, 64, steps, seed) for n, rates in RATES.items() for r in rates}
    widths = {
        width: np.mean([train("Adam", 1e-3, width, steps, seed + r)[2:] for r in range(5)], axis=0)
        for width in (1, 4, 16, 64)
    }
    return runs, widths


def finding(quick: bool, seed: int) -> dict[str, float]:
    """The ratio of the first steps, the highest and last loss, and both accuracies."""
    runs, widths = measure(quick, seed)
    found: dict[str, float] = {}
    for (name, rate), (losses, ratios, *_) in runs.items():
        key = f"{name}, rate {rate:g}"
        found[f"{key}: update / weight"] = float(ratios[:FIRST].mean())
        found[f"{key}: highest loss / first"] = float(losses.max() / losses[0])
        found[f"{key}: loss at the end"] = float(losses[-20:].mean())
    for width, (old, new) in widths.items():
        found[f"{width} hidden: training accuracy"] = old
        found[f"{width} hidden: gap to new digits"] = old - new
    return found


def draw(quick: bool, seed: int) -> Figure:
    runs, widths = measure(quick, seed)
    picture, ((left, middle, right),) = figure(14, 4.4, columns=3)
    colours = [BLUE, "#56B4E9", GREEN, "#E69F00", ORANGE, PINK, "black"]
    for colour, rate in zip(colours, RATES["SGD"], strict=True):
        losses, *_ = runs["SGD", rate]
        left.semilogy(losses, color=colour, lw=1.2, label=f"{rate:g}")
    left.set(title="SGD, by rate", xlabel="step", ylabel="loss", ylim=(1e-4, 1e3))
    left.legend(fontsize=8, ncols=4, loc="upper right")
    for name, mark in (("SGD", "o-"), ("Adam", "s--")):
        points = [
            (ratios[:FIRST].mean(), losses[-20:].mean())
            for (n, _), (losses, ratios, *_) in runs.items()
            if n == name
        ]
        middle.loglog(*np.array(points).T, mark, label=name)
    middle.axvline(1e-3, color="black", lw=1)
    middle.set(
        title="Loss at the end",
        xlabel="update / weight, first 50 steps",
        ylabel="loss",
        ylim=(1e-4, 10),
    )
    middle.legend()
    for at, (old, new) in enumerate(widths.values()):
        right.bar(at, old, 0.38, color=BLUE, label="training" if at == 0 else None)
        right.bar(at + 0.4, new, 0.38, color=ORANGE, label="new digits" if at == 0 else None)
        right.text(at + 0.2, max(old, new) + 0.02, f"gap {old - new:.2f}", ha="center", fontsize=9)
    right.set_xticks(np.arange(4) + 0.2, [f"{width} hidden" for width in widths])
    right.set(title="Accuracy", ylim=(0, 1.25))
    right.legend(ncols=2)
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("update_ratio", __doc__, finding, draw))
