"""Dropout: is the test-time net the average of the many thinned nets of training?

Claim (CS231n, "Regularization", after Srivastava et al. 2014): without correction a unit's
expected output in training is (1 - p) times that in test, so either test outputs are multiplied
by 1 - p, or training outputs are divided by it ("inverted" dropout). Test time then approximates
the average over all thinned nets, exactly so for a linear layer. And dropout reduces overfitting.

Measured: averages over many masks for one linear layer and for a net with two ReLU layers, whose
difference does not vanish: an average of ReLUs is no ReLU of the average. Then a wide net learns
100 digits by heart, with rates from 0 to 0.7. The gap to new digits stays: their loss falls by a
tenth, their accuracy hardly moves. And only a net that overfits gains: with half the width and 150
steps, p = 0.5 made the loss on new digits a seventh higher.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, ORANGE, figure

import tinygrad_cs as tg
from tinygrad_cs import data, nn

RATES = [0.0, 0.1, 0.3, 0.5, 0.7]


def ratio(dropout: nn.Module, count: int) -> float:
    """The mean of a unit of 1 over many masks in training, divided by what it is in test."""
    ones = tg.tensor(np.ones(count))
    return dropout.train()(ones).mean().item() / dropout.eval()(ones).mean().item()


@tg.no_grad()
def distances(model: nn.Module, x: Any, masks: int) -> np.ndarray:
    """How far the running average over masks is from the output in test, relative to its norm."""
    model.eval()
    test = model(x).data
    model.train()
    outputs = np.array([model(x).data for _ in range(masks)], "float64")
    averages = outputs.cumsum(axis=0) / np.arange(1, masks + 1)[:, None, None]
    return np.linalg.norm(averages - test, axis=(1, 2)) / np.linalg.norm(test)


@tg.no_grad()
def score(model: nn.Module, x: Any, y: Any) -> tuple[float, float]:
    """Loss and accuracy in test."""
    logits = model.eval()(x)
    right = float(np.mean(logits.data.argmax(axis=1) == y))
    return nn.functional.cross_entropy(logits, y).item(), right


def overfit(rate: float, samples: int, steps: int, seed: int) -> tuple[float, float, float, float]:
    """Losses on the few training digits and on 1000 new ones, then both accuracies."""
    random = tg.manual_seed(seed)
    images, labels = data.load_digits()
    order = random.permutation(len(images))
    x, y = (images[order] - 8) / 8, labels[order]
    few, new = slice(samples), slice(samples, samples + 1000)
    model = nn.Sequential(
        *[nn.Linear(64, 256), nn.ReLU(), nn.Dropout(rate)],
        *[nn.Linear(256, 256), nn.ReLU(), nn.Dropout(rate)],
        nn.Linear(256, 10),
    )
    optimizer = tg.optim.Adam(model.parameters(), lr=1e-3)

    @tg.compile
    def step(x: Any, y: Any) -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    model.train()
    for _ in range(steps):
        step(x[few], y[few])
    return tuple(np.array([score(model, x[s], y[s]) for s in (few, new)]).T.ravel())


@cache
def measure(quick: bool, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Distances by number of masks for two models, and (rates, 4) averages of `overfit`."""
    random = tg.manual_seed(seed)
    x = random.normal(size=(20, 64)).astype("float32")
    models = {
        "linear layer": nn.Sequential(nn.Dropout(0.5), nn.Linear(64, 10)),
        "two ReLU layers": nn.Sequential(
            *[nn.Linear(64, 100), nn.ReLU(), nn.Dropout(0.5)],
            *[nn.Linear(100, 100), nn.ReLU(), nn.Dropout(0.5), nn.Linear(100, 10)],
        ),
    }
    curves = {name: distances(m, x, 1000 if quick else 3000) for name, m in models.items()}
    rates, repeats = ([0.0, 0.5], 2) if quick else (RATES, 2)
    rows = [
        [overfit(p, 100, 150 if quick else 250, seed + r) for r in range(repeats)] for p in rates
    ]
    return curves, np.mean(rows, axis=1)


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Training over test for both forms, distances after 1 and many masks, the effect of rates."""
    tg.manual_seed(seed)
    count = 100_000
    found = {
        "training / test of a unit, inverted": ratio(nn.Dropout(0.3), count),
        "training / test of a unit, plain": ratio(nn.PlainDropout(0.3), count),
    }
    curves, rows = measure(quick, seed)
    for name, curve in curves.items():
        found[f"distance to test, {name}, 1 mask"] = float(curve[0])
        found[f"distance to test, {name}, {len(curve)} masks"] = float(curve[-1])
    for rate, (_, loss, _, right) in zip([0.0, 0.5] if quick else RATES, rows, strict=True):
        found |= {f"loss on new digits, p = {rate}": loss, f"accuracy on them, p = {rate}": right}
    return found


def draw(quick: bool, seed: int) -> Figure:
    curves, rows = measure(quick, seed)
    picture, ((left, middle, right),) = figure(14, 4.2, columns=3)
    for (name, curve), line in zip(curves.items(), ("-", "--"), strict=True):
        left.loglog(np.arange(1, len(curve) + 1), curve, line, label=name)
    left.set(title="Average over masks", xlabel="masks", ylabel="relative distance to test output")
    left.legend()
    rates = [0.0, 0.5] if quick else RATES
    for cell, first, name in [(middle, 0, "cross-entropy"), (right, 2, "share read correctly")]:
        cell.plot(rates, rows[:, first], "o-", color=BLUE, label="100 training digits")
        cell.plot(rates, rows[:, first + 1], "s--", color=ORANGE, label="1000 new digits")
        cell.set(xlabel="dropout rate p", ylabel=name)
        cell.legend()
    middle.set_title("Loss")
    right.set_title("Accuracy")
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("dropout_ensemble", __doc__, finding, draw))
