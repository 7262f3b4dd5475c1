"""L1, L2 and elastic net: which penalty makes weights sparse, which one small?

Claim (CS231n, "Regularization"; CS229, "Regularization and model selection"): L1 pulls every weight
with the same force, so useless ones end at 0; L2 pulls in proportion to the weight, so large ones
shrink most and hardly any reaches 0. Both help against overfitting. The elastic net, their sum, is
sparse too, but keeps weights of columns that go together (Zou and Hastie 2005).

Measured: a logistic regression tells benign from malignant tumours by 30 features that mean
something and 70 columns of pure noise, from few samples. A weight counts as 0 below 1e-2: plain
gradient steps jump to and fro across 0, so none is exactly 0. Of six columns that say nearly the
same (radius, perimeter and area, on average and at worst) L1 picks three, the elastic net all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREEN, ORANGE, PINK, figure

import tinygrad_cs as tg
from tinygrad_cs import data, nn

NOISE = 70
PENALTIES: dict[str, Callable[[nn.Module], Any]] = {
    "no penalty": lambda model: 0.0,
    "L1": lambda model: nn.l1_penalty(model, 0.02),
    "L2": lambda model: nn.l2_penalty(model, 0.1),
    "elastic net": lambda model: nn.elastic_net_penalty(model, 0.02, 0.1),
}
COLOURS = dict(zip(PENALTIES, [GREEN, ORANGE, BLUE, PINK], strict=True))
# Radius, perimeter and area of a tumour, on average and at worst: three ways to say one thing.
ALIKE = [0, 2, 3, 20, 22, 23]


def tumours(seed: int) -> tuple[Any, Any, Any, Any]:
    """150 samples to learn from and the others, each (n, 100), standardised, and their labels."""
    random = np.random.default_rng(seed)
    x, y = data.load_breast_cancer()
    x = np.concatenate([x, random.normal(size=(len(x), NOISE))], axis=1).astype("float32")
    order = random.permutation(len(x))
    few, rest = order[:150], order[150:]
    scaler = data.Standardizer().fit(x[few])
    return scaler.transform(x[few]), y[few], scaler.transform(x[rest]), y[rest]


def fit(penalty: Callable[[nn.Module], Any], steps: int, seed: int) -> tuple[Any, float]:
    """The weights (100,) after full gradient steps, and the share of new samples told right."""
    x, y, x_new, y_new = tumours(seed)
    model = nn.Linear(x.shape[1], 1)
    nn.init.zeros_(model.weight)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    targets = y[:, None].astype("float32")

    @tg.compile
    def step(x: Any, targets: Any) -> None:
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(x), targets)
        (loss + penalty(model)).backward()
        optimizer.step()

    for _ in range(steps):
        step(x, targets)
    told = model(x_new).data[:, 0] > 0
    return model.weight.data[0].copy(), float(np.mean(told == y_new))


@cache
def measure(quick: bool, seed: int) -> dict[str, tuple[Any, float]]:
    return {name: fit(p, 3000 if quick else 8000, seed) for name, p in PENALTIES.items()}


def finding(quick: bool, seed: int) -> dict[str, float]:
    """The share of weights that are 0, the largest weight, the norm, the accuracy."""
    found = {}
    for name, (weights, accuracy) in measure(quick, seed).items():
        found |= {
            f"share of zeros, {name}": float(np.mean(np.abs(weights) < 1e-2)),
            f"largest weight, {name}": float(np.abs(weights).max()),
            f"norm of the weights, {name}": float(np.linalg.norm(weights)),
            f"accuracy on new samples, {name}": accuracy,
            f"of six columns that say the same, used, {name}": float(
                np.sum(np.abs(weights[ALIKE]) >= 1e-2)
            ),
        }
    return found


def draw(quick: bool, seed: int) -> Figure:
    """All 100 weights, side by side."""
    picture, axes = figure(10, 8.5, rows=4)
    for cell, (name, (weights, accuracy)) in zip(
        axes[:, 0], measure(quick, seed).items(), strict=True
    ):
        zeros = np.mean(np.abs(weights) < 1e-2)
        cell.bar(range(len(weights)), weights, color=COLOURS[name])
        cell.axvline(len(weights) - NOISE - 0.5, color="0.4", linestyle=":")
        cell.set_title(f"{name}: {zeros:.0%} zeros, {accuracy:.1%} of new samples told right")
        cell.set_ylabel("weight")
    axes[-1, 0].set_xlabel("column of the data: 30 features, then (right of the dots) 70 of noise")
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("l1_l2", __doc__, finding, draw))
