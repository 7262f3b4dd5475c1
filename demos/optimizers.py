"""Seven optimizers on four surfaces: who gets down, and in how many steps?

    python demos/optimizers.py

CS231n, "Neural Networks Part 3", claims that plain gradient descent zigzags where one direction is
much steeper than the other, that momentum builds up speed along the shallow one, that Nesterov's
look-ahead helps further, that dividing by the gradients' own size (AdaGrad, RMSProp, Adam) evens
the directions out and leaves saddles quickly, and that AdaGrad's rate dies. Adam's averages start
at zero; its bias correction is there for the first steps.

Every optimizer gets the best rate of the same grid, or the comparison would be one of rates; a
goal is reached when the walk stays there. Some things look different from the lecture. Dividing by
the gradients' size works along the axes: turn the same bowl by 30 degrees, and AdaGrad is no
faster than SGD and RMSProp slower than momentum. At the saddle momentum is slower than SGD: it
leaves early, and then circles. AdaGrad's dying rate does not show: it takes a rate so high that it
has arrived before. AdamW is helped on the bowls, where its decay pulls to 0, the minimum, and
hindered in the valley, where it does not. And Adam's raw first step is too large, not too small,
although both averages start at zero: the square's is slower (0.1 / sqrt(0.001) = 3.2 times the
rate). RMSProp has no such correction: its first step is ten times its rate.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREEN, ORANGE, PINK, figure

import tinygrad_cs as tg
from tinygrad_cs import optim

OPTIMIZERS = {
    "SGD": lambda p, lr: optim.SGD(p, lr=lr),
    "momentum": lambda p, lr: optim.SGD(p, lr=lr, momentum=0.9),
    "Nesterov": lambda p, lr: optim.SGD(p, lr=lr, momentum=0.9, nesterov=True),
    "AdaGrad": lambda p, lr: optim.Adagrad(p, lr=lr),
    "RMSProp": lambda p, lr: optim.RMSprop(p, lr=lr),
    "Adam": lambda p, lr: optim.Adam(p, lr=lr),
    "AdamW": lambda p, lr: optim.AdamW(p, lr=lr),
}
STAY = 20
COLOURS = dict(
    zip(OPTIMIZERS, ["black", BLUE, "#56B4E9", GREEN, PINK, ORANGE, "#E69F00"], strict=True)
)


def bowl(x: Any, y: Any) -> Any:
    return (x**2 + 50 * y**2) / 2


def turned(x: Any, y: Any) -> tuple[Any, Any]:
    """The coordinates of (x, y) along axes turned by 30 degrees."""
    return 0.75**0.5 * x + 0.5 * y, 0.75**0.5 * y - 0.5 * x


# What is drawn and minimised, where the walk starts, the value that it has to reach.
SURFACES: dict[str, tuple[Any, tuple[float, float], float]] = {
    "bowl": (bowl, (-4.0, 1.0), 1e-3),
    "bowl, turned by 30 degrees": (lambda x, y: bowl(*turned(x, y)), (-3.96, -1.13), 1e-3),
    "saddle": (lambda x, y: x**2 - y**2 + y**4 / 4, (1.0, 1e-3), -0.9),
    "Rosenbrock": (lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2, (-1.2, 1.0), 1e-2),
}
FRAMES = {
    "bowl": (-4.5, 1.5, -1.5, 1.5),
    "bowl, turned by 30 degrees": (-4.5, 1.5, -3.0, 1.5),
    "saddle": (-1.5, 1.5, -2.0, 2.0),
    "Rosenbrock": (-2.0, 2.0, -1.0, 3.0),
}


def walk(surface: str, make: Any, rate: float, limit: int) -> tuple[float, np.ndarray]:
    """Steps until the walk arrives (inf: never within `limit`), and the points visited.

    To have arrived is to stay at the goal: who shoots past it was lucky, not fast.
    """
    f, start, goal = SURFACES[surface]
    point = tg.tensor(np.array(start), requires_grad=True)
    optimizer = make([point], rate)
    path: list[np.ndarray] = []
    arrived = np.inf
    for step in range(limit + STAY):
        optimizer.zero_grad()
        path.append(point.data.copy())
        value = f(point[0], point[1])
        height = value.item()
        arrived = min(arrived, step) if height <= goal else np.inf
        # Too large a rate flies off; too small a rate is still under way at the limit.
        if step - arrived >= STAY or not abs(height) < 1e6 or (step > limit and arrived > limit):
            break
        value.backward()
        optimizer.step()
    return arrived, np.array(path[: int(min(arrived, limit)) + 1])


def best(surface: str, make: Any, rates: Any, limit: int) -> tuple[float, float, np.ndarray]:
    """Steps, rate and walk of the rate that arrives first; of the lowest end where none does."""
    f = SURFACES[surface][0]
    walks = []
    for rate in rates:
        steps, path = walk(surface, make, rate, limit)
        limit = int(min(limit, steps))
        end = float(f(*path[-1]))
        walks.append((steps, end if np.isfinite(end) else np.inf, rate, path))
    steps, _, rate, path = min(walks, key=lambda w: w[:2])
    return steps, rate, path


def first_steps(count: int = 50) -> tuple[np.ndarray, np.ndarray]:
    """Sizes of Adam's first steps, in units of the rate, with and without bias correction.

    The slope is 1 all the time, so every step should have size 1.
    """
    place = tg.tensor(0.0, requires_grad=True)
    adam = optim.Adam([place], lr=1.0)
    corrected, raw, mean, square = [], [], 0.0, 0.0
    for _ in range(count):
        adam.zero_grad()
        before = place.item()
        (place * 1.0).backward()
        adam.step()
        corrected.append(before - place.item())
        mean, square = 0.9 * mean + 0.1, 0.999 * square + 0.001
        raw.append(mean / square**0.5)
    return np.array(corrected), np.array(raw)


@cache
def measure(quick: bool) -> dict[str, dict[str, tuple[float, float, np.ndarray]]]:
    """For each surface and optimizer the best rate and its walk; nothing here is random."""
    rates = 10.0 ** np.arange(-3, 1.1, 0.5 if quick else 0.25)
    limit = 300 if quick else 1000
    surfaces = list(SURFACES)[:3] if quick else SURFACES
    return {s: {n: best(s, m, rates, limit) for n, m in OPTIMIZERS.items()} for s in surfaces}


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Steps to the goal (inf: never), and Adam's first step with and without bias correction."""
    found: dict[str, float] = {}
    for surface, row in measure(quick).items():
        found |= {f"steps, {surface}, {name}": steps for name, (steps, *_) in row.items()}
    corrected, raw = first_steps()
    found |= {"first step, corrected": corrected[0], "first step, raw": raw[0]}
    return found | {"largest step, raw": raw.max()}


def draw(quick: bool, seed: int) -> Figure:
    walks = measure(quick)
    picture, axes = figure(15, 9.5, rows=2, columns=3)
    for cell, (surface, row) in zip(axes.flat, walks.items(), strict=False):
        f, start, _ = SURFACES[surface]
        left, right, low, high = FRAMES[surface]
        x, y = np.meshgrid(np.linspace(left, right, 200), np.linspace(low, high, 200))
        height = f(x, y)
        cell.contour(x, y, np.log(height - height.min() + 0.05), 14, colors="0.8", linewidths=1)
        for name, (steps, rate, path) in row.items():
            label = f"{steps} steps" if steps < np.inf else "never"
            cell.plot(
                *path.T, ".-", color=COLOURS[name], label=f"{label}, rate {rate:.2g}", lw=1.2, ms=3
            )
        cell.plot(*start, "s", color="black")
        cell.set(title=surface, xlabel="x", ylabel="y", xlim=(left, right), ylim=(low, high))
        cell.legend(fontsize=8, loc="best", framealpha=0.9)
    handles, _ = axes[0, 0].get_legend_handles_labels()
    axes[1, 2].legend(handles, OPTIMIZERS, loc="center", fontsize=13)
    axes[1, 2].axis("off")
    last = axes[1, 1]
    for sizes, name in zip(first_steps(), ["with", "without"], strict=True):
        last.plot(range(1, len(sizes) + 1), sizes, ".-", label=f"{name} bias correction")
    last.set(title="Adam on a slope of 1", xlabel="step", ylabel="size of the step / rate")
    last.set_ylim(0)
    last.legend(loc="center right")
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("optimizers", __doc__, finding, draw))
