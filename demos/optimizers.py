"""Seven optimizers on four surfaces: who gets down, and in how many steps?

    python demos/optimizers.py

CS231n, "Neural Networks Part 3", claims that plain gradient descent zigzags where one direction is
much steeper than the other, that momentum builds up speed along the shallow one, that Nesterov's
look-ahead helps further, that dividing by the gradients' own size (AdaGrad, RMSProp, Adam) evens
the directions out and leaves saddles quickly, and that AdaGrad's rate dies.

Every optimizer gets the best rate of the same grid, or the comparison would be one of rates; a
goal is reached when the walk stays there. Some things look different from the lecture. Dividing by
the gradients' size works along the axes: turn the same bowl by 30 degrees, and AdaGrad is no
faster than SGD and RMSProp slower than momentum. At the saddle momentum is slower than SGD: it
leaves early, and then circles. AdaGrad's dying rate does not show: it takes a rate so high that it
has arrived before. AdamW is helped on the bowls, where its decay pulls to 0, the minimum, and
hindered in the valley, where it does not. (How they get there: optimizer_race.py. Adam's first
steps: bias_correction.py.)
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


@cache
def measure(quick: bool) -> dict[str, dict[str, tuple[float, float, np.ndarray]]]:
    """For each surface and optimizer the best rate and its walk; nothing here is random."""
    rates = 10.0 ** np.arange(-3, 1.1, 0.5 if quick else 0.25)
    limit = 300 if quick else 1000
    surfaces = list(SURFACES)[:3] if quick else SURFACES
    return {s: {n: best(s, m, rates, limit) for n, m in OPTIMIZERS.items()} for s in surfaces}


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Steps to the goal (inf: never)."""
    found: dict[str, float] = {}
    for surface, row in measure(quick).items():
        found |= {f"steps, {surface}, {name}": steps for name, (steps, *_) in row.items()}
    return found


def draw(quick: bool, seed: int) -> Figure:
    """The walks, and how many steps each takes."""
    walks = measure(quick)
    picture, (cells,) = figure(3.6 * len(walks), 4.9, columns=len(walks))
    for cell, (surface, row) in zip(cells, walks.items(), strict=True):
        f, start, _ = SURFACES[surface]
        left, right, low, high = FRAMES[surface]
        x, y = np.meshgrid(np.linspace(left, right, 200), np.linspace(low, high, 200))
        height = f(x, y)
        cell.contour(x, y, np.log(height - height.min() + 0.05), 14, colors="0.8", linewidths=1)
        lines = [
            cell.plot(*path.T, ".-", color=COLOURS[name], lw=1.2, ms=3)[0]
            for name, (_, _, path) in row.items()
        ]
        cell.plot(*start, "s", color="black")
        cell.grid(False)
        cell.set(xlabel="x", ylabel="y", xlim=(left, right), ylim=(low, high))
        cell.set_title(surface.replace(", ", ",\n"))
        steps = [f"{n:.0f} steps" if n < np.inf else "never" for n, *_ in row.values()]
        cell.legend(lines, steps, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    picture.legend(lines, OPTIMIZERS, loc="outside upper center", ncols=len(OPTIMIZERS))
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("optimizers", __doc__, finding, draw))
