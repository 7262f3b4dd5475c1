"""Bias correction, shrinking steps, warm-up: how large are the first steps, and the later ones?

Claim (CS231n, "Parameter updates"): Adam's averages start at zero, and its bias correction makes
up for it in the first steps; AdaGrad's steps shrink all the time; warm-up keeps the first steps
small on purpose.

Measured on a slope of 1, where every step should have the size of the rate. With correction it
has. Without it, it is (1 - b1^t) / sqrt(1 - b2^t) times as large, to rounding: with the usual betas
not too small but too large, 3.2 times at first and 6.6 times at most. Too small it is where b2 is
small as well, 0.32 times for 0.9 and 0.9. AdaGrad's steps are 1 / sqrt(t) of the first: 10,000
steps go as far as 200 of the first size.

Then a net with eight hidden layers learns the digits at six rates: with Adam as it is, without
correction (the same as a rate that follows the factor above), and with 50 steps of linear warm-up.
Uncorrected, it fails from a rate of 0.01 on, where corrected it learns; at rates that are too low
it gains, as from any larger step. Warm-up adds nothing here: this net does not need it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREEN, ORANGE, PINK, figure

import tinygrad_cs as tg
from tinygrad_cs import data, nn, optim

BETAS = [(0.9, 0.999), (0.9, 0.99), (0.9, 0.9)]
RATES = [3e-4, 1e-3, 3e-3, 1e-2, 2e-2, 3e-2]
WARM = 50


def raw(t: Any, betas: tuple[float, float]) -> Any:
    """The size of step t without correction, over its size with it (for a small eps)."""
    return (1 - betas[0] ** t) / np.sqrt(1 - betas[1] ** t)


WAYS: dict[str, Any] = {
    "corrected": lambda t: 1.0,
    "not corrected": lambda t: float(raw(t + 1, (0.9, 0.999))),
    "warm-up": lambda t: min(1.0, (t + 1) / WARM),
}


def steps_on_a_slope(make: Any, count: int) -> np.ndarray:
    """The sizes of steps where the slope is 1 all the time."""
    place = tg.tensor(np.array(0.0), requires_grad=True)
    optimizer, sizes = make([place]), []
    for _ in range(count):
        optimizer.zero_grad()
        before = place.item()
        (place * 1.0).backward()
        optimizer.step()
        sizes.append(before - place.item())
    return np.array(sizes)


def by_hand(betas: tuple[float, float], count: int) -> np.ndarray:
    """Adam's steps there without correction, from its definition."""
    m = v = 0.0
    sizes = []
    for _ in range(count):
        m, v = betas[0] * m + 1 - betas[0], betas[1] * v + 1 - betas[1]
        sizes.append(m / v**0.5)
    return np.array(sizes)


def train(way: str, rate: float, steps: int, seed: int) -> np.ndarray:
    """The losses of a deep net."""
    random = tg.manual_seed(seed)
    images, labels = data.load_digits()
    x = (images - 8) / 8
    layers: list[nn.Module] = []
    for inputs in [64] + [32] * 7:
        layers += [nn.Linear(inputs, 32), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(32, 10))
    optimizer = optim.Adam(model.parameters(), lr=rate)
    schedule = optim.lr_scheduler.LambdaLR(optimizer, WAYS[way])

    @tg.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    losses = []
    for _ in range(steps):
        rows = random.integers(len(x), size=64)
        losses.append(step(x[rows], labels[rows]).item())
        schedule.step()
    return np.array(losses)


@cache
def measure(quick: bool, seed: int) -> dict[tuple[str, float], np.ndarray]:
    """Losses (seeds, steps) by way and rate."""
    rates, steps, seeds = ([1e-3, 2e-2], 150, 2) if quick else (RATES, 300, 4)
    return {
        (way, rate): np.array([train(way, rate, steps, seed + s) for s in range(seeds)])
        for way in WAYS
        for rate in rates
    }


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Sizes of steps in units of the rate, and losses of the net, early and at the end."""
    found: dict[str, float] = {}
    for betas in BETAS:
        corrected = steps_on_a_slope(lambda p, b=betas: optim.Adam(p, lr=1.0, betas=b), 1000)
        plain, t = by_hand(betas, 1000), np.arange(1, 1001)
        found |= {
            f"betas {betas}: corrected, off 1 by": float(np.abs(corrected - 1).max()),
            f"betas {betas}: first step not corrected": plain[0],
            f"betas {betas}: largest": plain.max(),
            f"betas {betas}: formula off by": float(np.abs(plain / raw(t, betas) - 1).max()),
        }
    adagrad = steps_on_a_slope(lambda p: optim.Adagrad(p, lr=1.0), 10_000)
    found["AdaGrad: step 100"] = adagrad[99]
    found["AdaGrad: step 10000"] = adagrad[-1]
    found["AdaGrad: way of 10000 steps"] = float(adagrad.sum())
    for (way, rate), losses in measure(quick, seed).items():
        found[f"{way}, rate {rate:g}: highest loss"] = float(losses.max(axis=1).mean())
        found[f"{way}, rate {rate:g}: loss at the end"] = float(losses[:, -50:].mean())
    return found


def draw(quick: bool, seed: int) -> Figure:
    runs = measure(quick, seed)
    picture, ((left, middle, right),) = figure(14, 4.4, columns=3)
    t = np.arange(1, 10_001)
    for betas, line in zip(BETAS, ("-", "--", "-."), strict=True):
        left.loglog(t, raw(t, betas), line, color=ORANGE, label=f"not corrected, {betas}")
    left.loglog(t, np.ones(len(t)), color=BLUE, label="corrected")
    left.loglog(t, t**-0.5, ":", color=PINK, label="AdaGrad")
    left.set(title="On a slope of 1", xlabel="step", ylabel="size / rate")
    left.legend(fontsize=8)
    rates = sorted({rate for _, rate in runs})
    for way, colour, line in zip(WAYS, (BLUE, ORANGE, GREEN), ("o-", "s--", "^-."), strict=True):
        highest = [runs[way, rate].max(axis=1).mean() for rate in rates]
        last = [runs[way, rate][:, -50:].mean() for rate in rates]
        middle.loglog(rates, highest, line, color=colour, label=way)
        right.loglog(rates, last, line, color=colour, label=way)
    middle.set(title="A deep net: highest loss", xlabel="rate", ylabel="cross-entropy")
    right.set(title="Loss of the last 50 steps", xlabel="rate", ylabel="cross-entropy")
    middle.legend()
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("bias_correction", __doc__, finding, draw))
