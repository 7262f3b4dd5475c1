"""SELU: can a plain deep net keep its activations normalised by itself?

Claim (Klambauer and others, Self-Normalizing Neural Networks, 2017; CS231n, "Activation
Functions"): with LeCun's weights, of variance 1 / fan in, SELU keeps the activations near mean 0
and variance 1 through any number of layers, without normalisation layers, and pulls them back
where they start elsewhere.

Measured: mean and variance of the activations of 50 plain layers. SELU pulls a batch of mean 1
and variance 4 to mean 0 and variance 1 within some fifteen layers, and keeps it there. The weights
matter: with He's, of twice the variance, the activations grow without end. Other activations have
no such fixed point: under tanh they shrink, and ReLU with He's weights keeps their mean square
on average, but nothing pulls it back - it wanders - and their mean is far from 0.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import figure

import tinygrad_cs as tg
from tinygrad_cs import nn

SETTINGS = {
    "SELU, LeCun": (nn.functional.selu, nn.init.lecun_normal_, "-"),
    "SELU, He": (nn.functional.selu, nn.init.kaiming_normal_, "--"),
    "tanh, LeCun": (tg.tanh, nn.init.lecun_normal_, "-."),
    "ReLU, He": (tg.relu, nn.init.kaiming_normal_, ":"),
}


@cache
def moments(setting: str, quick: bool, seed: int) -> Any:
    """Mean and variance of the activations, of the input and after each layer."""
    function, initialise, _ = SETTINGS[setting]
    random = tg.manual_seed(seed)
    depth, width = (20, 200) if quick else (50, 500)
    x = tg.tensor(random.normal(1, 2, size=(200, width)))
    found = [(x.data.mean(), x.data.var())]
    with tg.no_grad():
        for _ in range(depth):
            layer = nn.Linear(width, width)
            initialise(layer.weight)
            x = function(layer(x))
            found.append((x.data.mean(), x.data.var()))
    return np.array(found)


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Where each net's activations end up: the average over the second half of the layers."""
    found = {}
    for setting in SETTINGS:
        values = moments(setting, quick, seed)
        mean, variance = values[len(values) // 2 :].mean(0)
        found[f"{setting}: mean"] = float(mean)
        found[f"{setting}: variance"] = float(variance)
        found[f"{setting}: variance after the last layer"] = float(values[-1, 1])
    return found


def draw(quick: bool, seed: int) -> Figure:
    """Both moments along the net."""
    picture, ((left, right),) = figure(11, 4.5, columns=2)
    for setting, (*_, line) in SETTINGS.items():
        mean, variance = moments(setting, quick, seed).T
        left.plot(mean, line, label=setting)
        right.semilogy(variance, line, label=setting)
    left.set(title="Mean of the activations", xlabel="layers passed", ylabel="mean")
    right.set(title="Variance of the activations", xlabel="layers passed", ylabel="variance")
    left.set_ylim(-0.5, 4)  # SELU with He's weights leaves the picture
    left.legend()
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("selu", __doc__, finding, draw))
