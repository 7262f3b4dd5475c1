"""Leaving out units, weights or blocks: how does it change overfitting, and does a rate help?

Claim (CS231n, "Regularization"): dropout leaves out units, DropConnect (Wan and others 2013)
weights, stochastic depth (Huang and others 2016) whole blocks of a residual net. All are the same
in expectation in training and in test, whether outputs are divided by 1 - p in training
("inverted") or multiplied by it in test, and all are meant against overfitting.

Measured: the average over many masks against the test output, for one layer or block; plain and
inverted dropout, DropConnect and stochastic depth agree with it to one or two percent, which is
chance. Then a residual net learns 100 digits by heart, and reads 86 % of 1000 new ones. Dropout
with rates of 0.1 to 0.5 adds two points, and takes two from the gap of 14; 0.7 is too much.
DropConnect adds 1.5 up to a rate of 0.3 and costs 4 at 0.5, as a mask of its weights is shared by
all samples and so noisier. Stochastic depth, made for hundreds of layers, does nothing that can be
told from chance in three blocks. (dropout_ensemble.py: what the average over masks is in deep
nets.)
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREEN, ORANGE, figure

import tinygrad_cs as tg
from tinygrad_cs import data, nn

RATES = [0.0, 0.1, 0.3, 0.5, 0.7]
WIDTH, BLOCKS, FEW = 64, 3, 100


def block(kind: str, p: float) -> nn.Module:
    """A residual block that leaves something out with probability p."""
    linear = nn.DropConnect(WIDTH, WIDTH, p=p) if kind == "DropConnect" else nn.Linear(WIDTH, WIDTH)
    if kind == "stochastic depth":
        return nn.StochasticDepth(nn.Sequential(linear, nn.ReLU()), p, mode="row")
    extra = [nn.Dropout(p)] if kind == "dropout" else []
    return nn.Residual(nn.Sequential(linear, nn.ReLU(), *extra))


KINDS = ["dropout", "DropConnect", "stochastic depth"]


def net(kind: str, p: float) -> nn.Sequential:
    blocks = [block(kind, p) for _ in range(BLOCKS)]
    return nn.Sequential(nn.Linear(64, WIDTH), nn.ReLU(), *blocks, nn.Linear(WIDTH, 10))


@tg.no_grad()
def expectation(layer: nn.Module, masks: int) -> float:
    """How far the average over masks is from the test output, relative to its norm."""
    x = np.ones((1, WIDTH), "float32")
    average = np.mean([layer.train()(x).data for _ in range(masks)], axis=0, dtype="float64")
    tested = layer.eval()(x).data
    return float(np.linalg.norm(average - tested) / np.linalg.norm(tested))


@tg.no_grad()
def score(model: nn.Module, x: Any, y: Any) -> tuple[float, float]:
    """Loss and accuracy in test."""
    logits = model.eval()(x)
    right = float(np.mean(logits.data.argmax(axis=1) == y))
    return nn.functional.cross_entropy(logits, y).item(), right


def overfit(kind: str, p: float, steps: int, seed: int) -> tuple[float, ...]:
    """Loss and accuracy on 100 training digits, then on 1000 new ones."""
    random = tg.manual_seed(seed)
    images, labels = data.load_digits()
    order = random.permutation(len(images))
    x, y = (images[order] - 8) / 8, labels[order]
    few, new = slice(FEW), slice(FEW, FEW + 1000)
    model = net(kind, p)
    optimizer = tg.optim.Adam(model.parameters(), lr=1e-3)

    @tg.compile
    def step(x: Any, y: Any) -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    for _ in range(steps):
        step(x[few], y[few])
    return (*score(model, x[few], y[few]), *score(model, x[new], y[new]))


@cache
def measure(quick: bool, seed: int) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Distances to the test output, and (rates, seeds, 4) results of `overfit` by kind."""
    tg.manual_seed(seed)
    masks = 500 if quick else 4000
    layers = {
        "dropout, inverted": nn.Dropout(0.5),
        "dropout, plain": nn.PlainDropout(0.5),
        "DropConnect": nn.DropConnect(WIDTH, WIDTH, p=0.5),
        "stochastic depth": nn.StochasticDepth(nn.Linear(WIDTH, WIDTH), 0.5),
    }
    distances = {name: expectation(layer, masks) for name, layer in layers.items()}
    steps, seeds, rates = (150, 2, [0.0, 0.5]) if quick else (400, 4, RATES)
    table = {
        kind: np.array([[overfit(kind, p, steps, seed + s) for s in range(seeds)] for p in rates])
        for kind in KINDS
    }
    return distances, table


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Distances of averages; for each kind and rate the gap and what it does to new digits."""
    distances, table = measure(quick, seed)
    found = {f"{name}: average of masks, off by": n for name, n in distances.items()}
    first = table["dropout"][0]
    found["p = 0: loss on new digits"] = float(first[:, 2].mean())
    found["p = 0: accuracy on them"] = float(first[:, 3].mean())
    found["p = 0: gap to training accuracy"] = float((first[:, 1] - first[:, 3]).mean())
    for kind, rows in table.items():
        for p, row in list(zip([0.0, 0.5] if quick else RATES, rows, strict=True))[1:]:
            gain = row[:, 3] - rows[0, :, 3]
            found |= {
                f"{kind}, p = {p}: loss on new digits": float(row[:, 2].mean()),
                f"{kind}, p = {p}: accuracy gained": float(gain.mean()),
                f"{kind}, p = {p}: its standard error": float(gain.std(ddof=1) / len(gain) ** 0.5),
                f"{kind}, p = {p}: gap": float((row[:, 1] - row[:, 3]).mean()),
            }
    return found


def draw(quick: bool, seed: int) -> Figure:
    _, table = measure(quick, seed)
    rates = [0.0, 0.5] if quick else RATES
    picture, (cells,) = figure(14, 4.2, columns=3)
    for (kind, rows), colour, mark in zip(
        table.items(), (BLUE, GREEN, ORANGE), ("o-", "s--", "^-."), strict=True
    ):
        for cell, values in zip(
            cells, (rows[..., 2], rows[..., 3], rows[..., 1] - rows[..., 3]), strict=True
        ):
            error = values.std(axis=1, ddof=1) / values.shape[1] ** 0.5
            cell.errorbar(rates, values.mean(axis=1), error, fmt=mark, color=colour, label=kind)
    for cell, name in zip(
        cells,
        ("loss on new digits", "accuracy on new digits", "gap to training accuracy"),
        strict=True,
    ):
        cell.set(xlabel="rate p", ylabel=name)
    cells[0].legend()
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("dropout_rates", __doc__, finding, draw))
