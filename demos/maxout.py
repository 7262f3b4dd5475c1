"""Maxout: which functions can one unit be?

Claim (CS231n, "Activation Functions", after Goodfellow and others 2013): max(w1 x + b1, w2 x + b2)
generalises ReLU and leaky ReLU, does not saturate and does not die, but doubles the parameters.

Measured: with the maps (w, 0) a unit is ReLU and with (w, 0.01 w) leaky ReLU, to rounding. Some
gradient passes for every input. With more maps a unit can be any convex function: it learns |x|
with two of them, exactly, and x^2 on [-1, 1] piece by piece; n pieces are off by 0.298 / n^2, what
the best n straight lines are off by. But pieces do die: a map that is nowhere the largest gets no
gradient. Of four or eight maps the unit uses three (with seed 0), and is no better than with three.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREEN, ORANGE, PINK, figure

import tinygrad_cs as tg
from tinygrad_cs import nn

PIECES = (2, 4, 8)
X = np.linspace(-1, 1, 401)[:, None]


def difference(slope: float, seed: int) -> float:
    """Largest difference of Maxout with the maps w x + b and slope (w x + b) to a leaky ReLU."""
    random = np.random.default_rng(seed)
    w, b, x = random.normal(size=(7, 5)), random.normal(size=7), random.normal(size=(100, 5))
    maxout = nn.Maxout(5, 7).double()
    weight = np.stack([w, slope * w], 1).reshape(14, 5)  # the maps of a unit follow each other
    maxout.load_state_dict({"weight": weight, "bias": np.stack([b, slope * b], 1).ravel()})
    expected = nn.functional.leaky_relu(x @ w.T + b, slope)
    return float(np.abs(maxout(x).data - expected.data).max())


@cache
def learned(target: str, pieces: int, quick: bool, seed: int) -> tuple[Any, int]:
    """A single unit's errors after training, and how many of its maps are somewhere largest."""
    tg.manual_seed(seed)
    unit = nn.Maxout(1, 1, pieces).double()
    steps = 1500 if quick else 4000
    optimizer = tg.optim.Adam(unit.parameters(), lr=0.05)
    schedule = tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    y = np.abs(X) if target == "|x|" else X**2

    @tg.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = ((unit(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(steps):
        step(X, y)
        schedule.step()
    maps = X @ unit.weight.data.T + unit.bias.data
    return unit(X).data - y, len(np.unique(maps.argmax(axis=1)))


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Differences to what it should be, parameters, and the least slope in any direction."""
    found: dict[str, float] = {}
    for what, slope in (("ReLU", 0.0), ("leaky ReLU", 0.01)):
        found[f"as {what}: largest difference"] = difference(slope, seed)
    layers = {"Linear": nn.Linear(64, 64), "Maxout": nn.Maxout(64, 64)}
    for name, layer in layers.items():
        found[f"{name}, 64 to 64: parameters"] = sum(p.size for p in layer.parameters())
    x = tg.tensor(np.random.default_rng(seed).normal(size=(500, 64)), requires_grad=True)
    tg.manual_seed(seed)
    nn.Maxout(64, 64).double()(x).sum().backward()
    found["inputs without a gradient"] = float((x.grad == 0).all(axis=1).sum())
    for target, pieces in (("|x|", 2), *(("x^2", pieces) for pieces in PIECES)):
        errors, used = learned(target, pieces, quick, seed)
        found[f"{target}, {pieces} maps: used"] = used
        found[f"{target}, {pieces} maps: error"] = float(np.sqrt(np.mean(errors**2)))
    return found


def draw(quick: bool, seed: int) -> Figure:
    """The parabola and what one unit makes of it."""
    picture, ((left, right),) = figure(10, 4.2, columns=2)
    left.plot(X, X**2, color="black", lw=1, label="x²")
    for pieces, colour, line in zip(PIECES, (ORANGE, BLUE, GREEN), ("--", "-", ":"), strict=True):
        errors, _ = learned("x^2", pieces, quick, seed)
        left.plot(X, X**2 + errors, line, color=colour, label=f"{pieces} maps")
        right.plot(X, errors, line, color=colour, label=f"x², {pieces} maps")
    right.plot(X, learned("|x|", 2, quick, seed)[0], "-.", color=PINK, label="|x|, 2 maps")
    left.set(title="One unit learns a parabola", xlabel="input x", ylabel="output")
    right.set(title="Its error", xlabel="input x", ylabel="output - target")
    for cell in (left, right):
        cell.set_xticks([-1, -0.5, 0, 0.5, 1])
    left.legend()
    right.legend(fontsize=9)
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("maxout", __doc__, finding, draw))
