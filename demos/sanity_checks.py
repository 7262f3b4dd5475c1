"""Sanity checks: which mistakes do they find before the first long training?

Claim (CS231n, "Neural Networks Part 3"): before training, the loss of C classes is ln C; a penalty
raises it; a tiny subset can be learned to 100 %; an update is about a thousandth of the weights.
Where one of these fails, something is broken.

Measured: the loss of fresh nets for 2 to 1000 classes, then `tg.inspect.sanity_check` on a net for
the digits, once in order and once for each of six mistakes. Three things differ from the lecture.
ln C is exact for outputs of 0 only; He's weights start above it, by about half the variance of the
outputs. Twenty shuffled labels are learned by heart as well as right ones: only samples held out
show that nothing was learned. And a softmax taken twice passes all of the lecture's checks; it is
found by asking whether the outputs are probabilities already.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREEN, ORANGE, PINK, figure

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
        return tg.inspect.sanity_check(model, loss, (x, y), optimizer=optimizer, **options)

    return {
        "in order": check(x, y, net()),
        "weights ten times too large": check(x, y, net(10)),
        "rate 1": check(x, y, net(), 1.0),
        "softmax twice": check(x, y, nn.Sequential(*net(), nn.Softmax(dim=1))),
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
    """First losses minus ln C; how many of the checks each case passes."""
    losses, checked = measure(quick, seed)
    found: dict[str, float] = {}
    for (classes, scale), loss in losses.items():
        name = "He's weights" if scale == 1 else "small last weights"
        found[f"loss - ln C, {classes} classes, {name}"] = loss - math.log(classes)
    for name, checks in checked.items():
        verdicts = [check.verdict for check in checks.values()]
        found[f"checks passed of {len(verdicts)}, {name}"] = verdicts.count("passed")
    return found


def draw(quick: bool, seed: int) -> Figure:
    losses, checked = measure(quick, seed)
    picture, ((left, right),) = figure(13, 4.6, columns=2)
    for scale, colour, label in [(1.0, ORANGE, "He's weights"), (0.01, BLUE, "small last weights")]:
        left.semilogx(CLASSES, [losses[c, scale] for c in CLASSES], "o", color=colour, label=label)
    left.semilogx(CLASSES, np.log(CLASSES), color="black", label="ln C")
    left.set(title="Loss before training", xlabel="classes C", ylabel="cross-entropy")
    left.legend()
    colours = {"passed": GREEN, "unclear": PINK, "failed": ORANGE}
    for row, checks in enumerate(checked.values()):
        for column, check in enumerate(checks.values()):
            colour, text = colours[check.verdict], check.verdict
            right.text(column, row, text, color=colour, ha="center", va="center", fontsize=9)
    names = list(checked["in order"])
    right.set_xticks(range(len(names)), [name.replace(" ", "\n") for name in names], fontsize=8)
    right.set_yticks(range(len(checked)), checked, fontsize=10)
    right.set_box_aspect(0.6)
    right.set(title="Checks", xlim=(-0.6, len(names) - 0.4), ylim=(len(checked) - 0.5, -0.5))
    right.grid(False)
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("sanity_checks", __doc__, finding, draw))
