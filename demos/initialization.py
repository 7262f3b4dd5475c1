"""Initialisation: how large should the first weights be?

Claim (CS231n, "Weight Initialization"): in ten layers of tanh, weights of standard deviation 0.01
let the activations die out, and with them the gradients of the weights, which are products with
activations; large ones push every unit to -1 or 1, where tanh is flat; Xavier's 1/sqrt(fan in)
keeps the spread about the same in every layer. With ReLU Xavier's activations die out as well,
since ReLU throws half of the variance away; He's sqrt(2/fan in) makes up for it.

Measured: histograms and spreads of the activations of each layer, 500 units wide as in the
lecture, for one batch of normal inputs. Where the lecture says "about the same": Xavier's spread
under tanh falls slowly from layer to layer, as tanh shortens every number and Xavier's
derivation takes it for a straight line.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, ORANGE, figure

import tinygrad_cs as tg
from tinygrad_cs import nn

DEPTH = 10
SETTINGS = {
    "tanh, std 0.01": (tg.tanh, lambda w: nn.init.normal_(w, std=0.01)),
    "tanh, Xavier": (tg.tanh, nn.init.xavier_normal_),
    "tanh, std 1": (tg.tanh, lambda w: nn.init.normal_(w, std=1.0)),
    "ReLU, Xavier": (tg.relu, nn.init.xavier_normal_),
    "ReLU, He": (tg.relu, nn.init.kaiming_normal_),
}


@cache
def activations(setting: str, quick: bool, seed: int) -> list[Any]:
    """Outputs of the ten layers for one batch."""
    function, initialise = SETTINGS[setting]
    rows, width = (100, 200) if quick else (1000, 500)
    x = tg.manual_seed(seed).normal(size=(rows, width)).astype("float32")
    outputs = []
    with tg.no_grad():
        for _ in range(DEPTH):
            layer = nn.Linear(width, width)
            initialise(layer.weight)
            x = function(layer(x))
            outputs.append(x.numpy())
    return outputs


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Spread after the first and last layer, and the share of saturated units where it is large."""
    found = {}
    for setting in SETTINGS:
        first, *_, last = activations(setting, quick, seed)
        found[f"{setting}: spread after layer 1"] = float(first.std())
        found[f"{setting}: spread after layer 10"] = float(last.std())
        if setting.startswith("tanh"):
            found[f"{setting}: share beyond 0.99"] = float((np.abs(last) > 0.99).mean())
    return found


def draw(quick: bool, seed: int) -> Figure:
    """A row of histograms for every setting, a column for every other layer."""
    shown = [1, 2, 4, 6, 8, 10]
    picture, cells = figure(12, 10, rows=len(SETTINGS), columns=len(shown))
    for row, setting in zip(cells, SETTINGS, strict=True):
        layers = activations(setting, quick, seed)
        bounded = setting.startswith("tanh")
        for cell, layer in zip(row, shown, strict=True):
            values = layers[layer - 1]
            cell.hist(
                values.ravel(),
                bins=41,
                range=(-1, 1) if bounded else (0, 3),
                weights=np.full(values.size, 1 / values.size),
                color=BLUE if bounded else ORANGE,
            )
            cell.set_title(f"layer {layer}: std {values.std():.2g}", fontsize=10)
            cell.set(yscale="log", ylim=(1e-4, 1.5))
        row[0].set_ylabel(f"{setting}\nshare of units")
    for cell in cells[-1]:
        cell.set_xlabel("activation")
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("initialization", __doc__, finding, draw))
