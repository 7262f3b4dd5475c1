"""Random in training, averaged out in test: which layers behave differently in the two modes?

Claim (CS231n, "Regularization"): many regularisers share one pattern. In training some randomness
is added, z = f(x, random); in test it is averaged out, exactly or approximately: dropout,
DropConnect, stochastic depth, fractional pooling, and batch normalisation, whose randomness is the
company a sample happens to be in.

Measured by walking all layers of `tg.nn`, each made from the names of its arguments and called in
both modes. A result can change by chance, for the same batch, or by the company of other samples,
with the same numbers drawn. No layer does either in evaluation, and those that do in training are
all that have two modes. Then the average of many training results is compared with the evaluation,
in units of its standard error. Averaged out exactly, about 1, is what is linear in what is drawn:
dropout by itself, DropConnect, one block of stochastic depth, dropout on attention. Not exactly:
dropout with a nonlinearity behind it, batch normalisation, fractional pooling (one choice of
regions stands for all), and alpha dropout, which keeps mean and variance of all units and not the
value of each.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from every_layer import caller, layers, make
from matplotlib.figure import Figure
from style import BLUE, ORANGE, figure

import tinygrad_cs as tg

COLUMNS = ["training, chance", "training, company", "evaluation, chance", "evaluation, company"]
OFF = "average - evaluation, in standard errors"
TINY, EXACT = 1e-5, 2.0


@tg.no_grad()
def behaviour(layer: Any, calls: int, seed: int) -> dict[str, float]:
    """How much the result of a sample varies in both modes, by chance and by company."""
    call, draw = caller(layer, tg.manual_seed(seed))
    batch, found = draw(), {}

    def company() -> Any:
        other = draw()
        other[0] = batch[0]
        return other

    def spread(results: list[np.ndarray]) -> float:
        return float(np.ptp(np.array(results, "float64"), axis=0).max())

    def with_same_numbers(x: Any) -> np.ndarray:
        tg.manual_seed(seed)
        return call(x)[0]

    others = [company() for _ in range(5)]
    for mode in ("training", "evaluation"):
        layer.train(mode == "training")
        found[f"{mode}, chance"] = spread([call(batch)[0] for _ in range(20)])
        found[f"{mode}, company"] = spread([with_same_numbers(x) for x in others])
    if max(found.values()) > TINY:
        random = tg.manual_seed(seed + 1)
        call, draw = caller(layer.train(), random)
        results = np.array([call(company())[0] for _ in range(calls)], "float64")
        tested = layer.eval() and call(batch)[0]
        error = results.mean(axis=0) - tested
        chance = np.sqrt(np.mean(results.var(axis=0)) / calls)
        found[OFF] = float(np.sqrt(np.mean(error**2)) / chance)
        found["relative"] = float(np.linalg.norm(error) / np.linalg.norm(tested))
    return found


@cache
def measure(quick: bool, seed: int) -> tuple[int, dict[str, dict[str, float]]]:
    """The number of layers, and the behaviour of those with something random, by name."""
    tg.manual_seed(seed)
    made = {name: make(kind) for name, kind in layers().items()}
    table = {name: behaviour(layer, 500 if quick else 4000, seed) for name, layer in made.items()}
    return len(table), {name: row for name, row in table.items() if OFF in row}


def finding(quick: bool, seed: int) -> dict[str, float]:
    """How many layers there are, and what distinguishes those with two modes."""
    count, table = measure(quick, seed)
    told: dict[str, float] = {"layers": count, "layers with two modes": len(table)}
    for mode in ("training", "evaluation"):
        for why in ("chance", "company"):
            changes = [row[f"{mode}, {why}"] > TINY for row in table.values()]
            told[f"layers that change by {why} in {mode}"] = sum(changes)
    return told | {f"{name}: {OFF}": row[OFF] for name, row in table.items()}


def draw(quick: bool, seed: int) -> Figure:
    """The table, with the distances of the averages as bars."""
    _, rows = measure(quick, seed)
    picture, ((table, bars),) = figure(11, 0.36 * len(rows) + 1.3, columns=2)
    for at, row in enumerate(rows.values()):
        for column, key in enumerate(COLUMNS):
            yes = row[key] > TINY
            text, colour = ("yes", ORANGE) if yes else ("no", "0.6")
            table.text(column, at, text, color=colour, ha="center", va="center")
        length = max(row[OFF], 0.25)
        bars.barh(at, length, color=BLUE if row[OFF] < EXACT else ORANGE)
        bars.text(max(length, 1) * 1.1, at, f"{row['relative']:.1%}", va="center", fontsize=9)
    table.set_xticks(range(4), [key.replace(", ", "\nby ") for key in COLUMNS], fontsize=9)
    table.xaxis.tick_top()
    table.set_yticks(range(len(rows)), rows)
    table.set(xlim=(-0.5, 3.5), ylim=(len(rows) - 0.5, -0.5))
    bars.set(xscale="log", xlim=(0.2, 500), yticks=[], ylim=(len(rows) - 0.5, -0.5))
    bars.set(xlabel=OFF, title="Blue: averaged out (%: distance)")
    bars.axvline(1, color="black", lw=1)
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("train_test_randomness", __doc__, finding, draw))
