"""A race of six optimizers, as a film: down a bowl, off a saddle, along a valley.

    python demos/optimizer_race.py --out pictures

Claim (CS231n, "Neural Networks Part 3", which shows two such films): where one direction is much
steeper than the other, plain gradient descent zigzags across and creeps along; momentum shoots
over the target and has to turn back; methods that divide by the size of the gradient go straight;
and at a saddle they leave at once while gradient descent is stuck.

Each runs at the rate that is best for it, as in `optimizers.py`, where the arrivals are measured.
The film shows how. SGD crosses the bottom of the bowl with every single one of its 140 steps.
Momentum crosses it 16 times and Nesterov 25 times, and both overshoot the target. But those who
divide by the gradient do not go straight: at its best rate RMSProp is thrown 70 times as far as
the target is, and is back in four steps. At the saddle they leave at once, in one step, Adam in
four; gradient descent is not stuck for long: 13 steps.
"""

from __future__ import annotations

from typing import Any

import lesson
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from optimizers import COLOURS, FRAMES, SURFACES, measure
from PIL import Image
from style import figure

RACE = ("bowl", "saddle", "Rosenbrock")
RUNNERS = ("SGD", "momentum", "Nesterov", "AdaGrad", "RMSProp", "Adam")
IMAGES = 60


def paths(surface: str, quick: bool) -> dict[str, Any]:
    """The points (steps, 2) that each optimizer visits, at its best rate."""
    return {name: measure(quick)[surface][name][2] for name in RUNNERS}


def turns(path: Any) -> int:
    """How often the walk crosses the bottom of the bowl, y = 0."""
    return int(np.sum(path[1:, 1] * path[:-1, 1] < 0))


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Crossings and length of the way in the bowl, and when each has left the saddle."""
    found: dict[str, float] = {}
    for name, path in paths("bowl", quick).items():
        found[f"bowl, {name}: steps"] = len(path) - 1
        found[f"bowl, {name}: crossings of the bottom"] = turns(path)
        length = np.hypot(*np.diff(path, axis=0).T).sum()
        found[f"bowl, {name}: way / straight line"] = float(length / np.hypot(*path[0]))
    for name, path in paths("saddle", quick).items():
        away = np.abs(path[:, 1]) > 0.5
        found[f"saddle, {name}: steps until it has left"] = float(away.argmax())
        found[f"saddle, {name}: steps"] = len(path) - 1
    return found


def tracks(quick: bool) -> tuple[Figure, list[tuple[Any, Any, Any]]]:
    """The surfaces, and for each walk its points, its line and its head."""
    surfaces = [surface for surface in RACE if surface in measure(quick)]
    picture, (cells,) = figure(4 * len(surfaces), 4.2, columns=len(surfaces))
    walks = []
    for cell, surface in zip(cells, surfaces, strict=True):
        left, right, low, high = FRAMES[surface]
        x, y = np.meshgrid(np.linspace(left, right, 150), np.linspace(low, high, 150))
        height = SURFACES[surface][0](x, y)
        cell.contour(x, y, np.log(height - height.min() + 0.05), 9, colors="0.85", linewidths=1)
        cell.set(xlim=(left, right), ylim=(low, high), title=surface, xlabel="x", ylabel="y")
        cell.grid(False)
        for name, path in paths(surface, quick).items():
            (line,) = cell.plot([], [], color=COLOURS[name], lw=1.3, label=name)
            (head,) = cell.plot([], [], "o", color=COLOURS[name], ms=6)
            walks.append((path, line, head))
    lines = [line for _, line, _ in walks[: len(RUNNERS)]]
    picture.legend(lines, RUNNERS, loc="outside lower center", ncols=len(RUNNERS), fontsize=10)
    return picture, walks


def show(picture: Figure, walks: Any, step: int) -> None:
    """Everybody where they are after so many steps; who has arrived stays there."""
    for path, line, head in walks:
        line.set_data(*path[: step + 1].T)
        head.set_data(*path[min(step, len(path) - 1), :, None])
    picture.suptitle(f"after {step} steps")


def draw(quick: bool, seed: int) -> Figure:
    """The race after 20 steps."""
    picture, walks = tracks(quick)
    show(picture, walks, 20)
    return picture


def film(quick: bool, seed: int) -> list[Any]:
    """The whole race; the steps between two images become more and more."""
    picture, walks = tracks(quick)
    canvas = FigureCanvasAgg(picture)
    picture.set_dpi(64)
    longest = max(len(path) for path, _, _ in walks)
    times = np.arange(IMAGES // 4 if quick else IMAGES)
    images: list[Any] = []
    for step in np.maximum(times, np.geomspace(1, longest, len(times)).astype(int)).tolist():
        show(picture, walks, step)
        canvas.draw()
        picture.set_layout_engine("none")  # what is arranged once stays where it is
        images.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
    # One palette without dithering, so that an image costs only what moved since the last one.
    palette = images[-1].quantize(256, Image.Quantize.MAXCOVERAGE)
    return [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]


if __name__ == "__main__":
    raise SystemExit(lesson.run("optimizer_race", __doc__, finding, draw, film=film))
