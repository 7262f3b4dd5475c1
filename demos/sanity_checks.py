"""Sanity checks: which mistakes do they find before the first long training?

Claim (CS231n, "Neural Networks Part 3"): before training, the loss of C classes is ln C; a penalty
raises it; a tiny subset can be learned to 100 %; an update is about a thousandth of the weights.
Where one of these fails, something is broken.

Measured: the loss of fresh nets for 2 to 1000 classes, then `tg.training.sanity_checks` on a net
for the digits, once in order and once for each of five mistakes. Two things differ from the
lecture. ln C is exact for outputs of 0 only; He's weights start above it, by about half the
variance of the outputs. And shuffled labels pass: twenty wrong labels are learned by heart as well
as right ones, so this check finds broken code, not broken data.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREEN, ORANGE, figure

import tinygrad_cs as tg
from tinygrad_cs import data, nn

CLASSES = [2, 10, 100, 1000]


def first_loss(classes: int, std: float, seed: int) -> float:
    """The loss of a fresh net whose last weights have deviation `std` times He's."""
    random = tg.manual_seed(seed)
    model = nn.Sequential(nn.Linear(50, 100), nn.ReLU(), nn.Linear(100, classes))
    model[2].weight.data[...] *= std
    x = random.standard_normal((500, 50), "float32")
    return nn.functional.cross_entropy(model(x), random.integers(classes, size=500)).item()


def net(scale: float = 1.0) -> nn.Sequential:
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    for p in model.parameters():
        p.data[...] *= scale
    return model


def cases(seed: int) -> dict[str, Any]:
    """The checks of a net in order, and of one mistake each."""
    images, labels = data.load_digits()
    x, y = ((images - 8) / 8)[:200], labels[:200]
    wrong = np.random.default_rng(seed).permutation(y)
    loss = nn.CrossEntropyLoss()

    def check(x: Any, y: Any, model: nn.Module, rate: float = 5e-4, **options: Any) -> Any:
        optimizer = tg.optim.Adam(model.parameters(), lr=rate)
        return tg.training.sanity_checks(model, x, y, loss, optimizer=optimizer, **options)

    return {
        "in order": check(x, y, net()),
        "weights ten times too large": check(x, y, net(10)),
        "rate 1": check(x, y, net(), 1.0),
        "penalty of strength 0": check(x, y, net(), penalty=lambda m: nn.l2_penalty(m, 0.0)),
        "inputs are all 0": check(0 * x, y, net()),
        "labels shuffled": check(x, wrong, net()),
    }


@cache
def measure(quick: bool, seed: int) -> tuple[dict[tuple[int, float], float], dict[str, Any]]:
    scales = (0.01, 1.0)
    losses = {(c, s): first_loss(c, s, seed) for c in CLASSES for s in scales}
    tg.manual_seed(seed)
    return losses, cases(seed)


def finding(quick: bool, seed: int) -> dict[str, float]:
    """First losses minus ln C; how many of the four checks each case passes."""
    losses, checked = measure(quick, seed)
    found: dict[str, float] = {}
    for (classes, scale), loss in losses.items():
        name = "He's weights" if scale == 1 else "small last weights"
        found[f"loss - ln C, {classes} classes, {name}"] = loss - math.log(classes)
    for name, checks in checked.items():
        found[f"checks passed of 4, {name}"] = sum(check.passed for check in checks)
    return found


def draw(quick: bool, seed: int) -> Figure:
    losses, checked = measure(quick, seed)
    picture, ((left, right),) = figure(14, 4.6, columns=2)
    for scale, colour, label in [(1.0, ORANGE, "He's weights"), (0.01, BLUE, "small last weights")]:
        left.semilogx(CLASSES, [losses[c, scale] for c in CLASSES], "o", color=colour, label=label)
    left.semilogx(CLASSES, np.log(CLASSES), color="black", label="ln C")
    left.set(title="Loss before training", xlabel="classes C", ylabel="cross-entropy")
    left.legend()
    names = [check.name for check in checked["in order"]]
    for row, checks in enumerate(checked.values()):
        for column, check in enumerate(checks):
            colour = GREEN if check.passed else ORANGE
            text = ("passed" if check.passed else "FAILED") + f"\n{check.found}"
            right.text(column, row, text, color=colour, ha="center", va="center", fontsize=10)
    right.set_xticks(range(len(names)), [n.replace(" by", "\nby") for n in names], fontsize=9)
    right.set_yticks(range(len(checked)), checked, fontsize=10)
    right.set(title="Checks", xlim=(-0.5, 3.5), ylim=(len(checked) - 0.5, -0.5))
    right.grid(False)
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("sanity_checks", __doc__, finding, draw))
