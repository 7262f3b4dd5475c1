"""Learning rate schedules: what do they look like, and does decay pay?

Claim (CS231n, "Neural Networks Part 3"; CS231n 2022, "Training Neural Networks"): a constant high
rate moves fast and then bounces about without settling; lowering it (in steps, exponentially, as a
cosine, linearly, by 1/sqrt(t)) ends lower than leaving it. A short warm-up keeps a high rate from
blowing up at the start.

Measured on digits with small batches, a high rate and fresh noise on every pixel each time: the
loss on noisy new digits over the run, and the accuracy at its end. A constant rate ten times
smaller runs along: decay has to beat that one too. The noise matters. Without it a net that can
learn the digits by heart has a loss of 0 in every batch at once, its gradients vanish by
themselves, and a constant high rate then ends lowest of all. Not every decay beats the small
constant rate: dropping by steps freezes the net where it stands. And warm-up gains nothing in a
net this shallow, which the high rate does not blow up.
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
from tinygrad_cs.optim import lr_scheduler as rates

HIGH, BATCH, NOISE = 0.3, 8, 0.8
# A schedule by name, given the optimizer and the number of steps.
SCHEDULES: dict[str, Callable[[Any, int], Any]] = {
    "constant": lambda o, n: rates.ConstantLR(o, factor=1.0, total_iters=1),
    "constant, a tenth": lambda o, n: rates.ConstantLR(o, factor=0.1, total_iters=10 * n),
    "steps": lambda o, n: rates.StepLR(o, step_size=n // 3, gamma=0.1),
    "exponential": lambda o, n: rates.ExponentialLR(o, gamma=0.01 ** (1 / n)),
    "cosine": lambda o, n: rates.CosineAnnealingLR(o, T_max=n),
    "linear": lambda o, n: rates.PolynomialLR(o, total_iters=n),
    "1 / sqrt(t)": lambda o, n: rates.LambdaLR(o, lambda t: (1 + 99 * t / n) ** -0.5),
    "warm-up, cosine": lambda o, n: rates.WarmupLR(o, n // 10, rates.CosineAnnealingLR(o, n)),
}
LOOKS = [("black", "-"), ("black", ":"), (BLUE, "-"), (BLUE, "--"), (ORANGE, "-"),
         (ORANGE, "--"), (GREEN, "-"), (PINK, "-")]  # fmt: skip


def run(make: Callable[[Any, int], Any], steps: int, seed: int) -> tuple[Any, Any, float]:
    """The rates by step, loss on new digits at 50 moments, accuracy on them."""
    random = tg.manual_seed(seed)
    images, labels = data.load_digits()
    (x, y), _, (x_new, y_new) = data.train_validation_test_split(
        (images - 8) / 8, labels, test=0.4, seed=seed, stratify=labels
    )
    x_new = x_new + NOISE * random.standard_normal(x_new.shape, "float32")
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = tg.optim.SGD(model.parameters(), lr=HIGH)
    schedule = make(optimizer, steps)
    cross_entropy = nn.CrossEntropyLoss()
    used, losses = [], []
    for step in range(steps):
        used.append(optimizer.param_groups[0]["lr"])
        rows = random.integers(len(x), size=BATCH)
        optimizer.zero_grad()
        noisy = x[rows] + NOISE * random.standard_normal((BATCH, 64), "float32")
        cross_entropy(model(noisy), y[rows]).backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % (steps // 50) == 0:
            with tg.no_grad():
                losses.append(cross_entropy(model(x_new), y_new).item())
    right = model(x_new).data.argmax(axis=1) == y_new
    return np.array(used), np.array(losses), float(right.mean())


@cache
def measure(quick: bool, seed: int) -> dict[str, tuple[Any, Any, float]]:
    """Rates, losses and accuracy by schedule, averaged over some seeds."""
    names = ["constant", "steps", "cosine"] if quick else list(SCHEDULES)
    steps, repeats = (600, 2) if quick else (2000, 2)
    rows = {n: [run(SCHEDULES[n], steps, seed + r) for r in range(repeats)] for n in names}
    return {
        name: (row[0][0], np.mean([r[1] for r in row], axis=0), float(np.mean([r[2] for r in row])))
        for name, row in rows.items()
    }


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Loss and accuracy on noisy new digits at the end."""
    found = {}
    for name, (_, losses, accuracy) in measure(quick, seed).items():
        found |= {f"final loss, {name}": float(losses[-1]), f"accuracy, {name}": accuracy}
    return found


def draw(quick: bool, seed: int) -> Figure:
    picture, ((left, right),) = figure(13, 5, columns=2)
    runs = measure(quick, seed)
    for (name, (used, losses, accuracy)), (colour, line) in zip(runs.items(), LOOKS, strict=False):
        left.plot(used, line, color=colour, label=name)
        moments = np.arange(1, 51) * len(used) / 50
        label = f"{name}: {accuracy:.1%} right"
        right.semilogy(moments, losses, line, color=colour, label=label, lw=1.5)
    left.set(title="Schedules", xlabel="step", ylabel="learning rate")
    right.set(title="Loss on noisy new digits", xlabel="step", ylabel="cross-entropy")
    left.legend(fontsize=9)
    right.legend(fontsize=9)
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("schedules", __doc__, finding, draw))
