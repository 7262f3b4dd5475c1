"""Batch normalisation's two modes: what does it do in training, and what in evaluation?

Claim (CS231n, "Batch Normalization", after Ioffe and Szegedy 2015): in training each channel is
normalised by mean and deviation of the batch, so what reaches the nonlinearity has mean 0 and
deviation 1 whatever the weights; in evaluation by moving averages of both, so that the output of a
sample depends on no other, and a batch of one works.

Measured in a net of ten layers with half of He's weights: without normalisation what reaches the
ReLUs dies out, with it the deviation is 1 in every layer. In the first three layers, in training,
a sample's output changes by half of its size with the other 15 of its batch; in evaluation not at
all, and alone it gets the same but for rounding. Fresh, the evaluation is 0.9 of its size off the
training output, as it divides by a deviation of 1; after 100 batches of 16 it is 0.17 off. With
momentum 0.1 the averages forget their start as 0.9^t and then keep trembling, as theory says by
sqrt(0.1 / 1.9) = 0.23 of the deviation of a batch's mean. Only `momentum=None`, the average of all
batches, goes on converging.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREEN, ORANGE, figure

import tinygrad_cs as tg
from tinygrad_cs import nn

DEPTH, WIDTH, BATCH = 10, 100, 16
MEAN, STD = 3.0, 2.0
MOMENTA = [0.1, 0.01, None]


def net(normalised: bool) -> nn.Sequential:
    """Ten layers with weights of half of He's deviation, normalised before each ReLU or not."""
    layers: list[nn.Module] = []
    for _ in range(DEPTH):
        linear = nn.Linear(WIDTH, WIDTH, bias=not normalised)
        nn.init.normal_(linear.weight, std=0.5 * (2 / WIDTH) ** 0.5)
        layers += [linear, *([nn.BatchNorm1d(WIDTH)] if normalised else []), nn.ReLU()]
    return nn.Sequential(*layers)


@tg.no_grad()
def before_relu(model: nn.Sequential, x: Any) -> list[np.ndarray]:
    """What reaches each ReLU."""
    found = []
    for layer in model:
        if isinstance(layer, nn.ReLU):
            found.append(x.data)
        x = layer(x)
    return found


@tg.no_grad()
def modes(draw: Any) -> dict[str, float]:
    """What one net gives in its two modes, fresh and after a hundred batches."""
    model, x, count = nn.Sequential(*net(True)[:9]), draw(1000), 100

    def off() -> float:
        """How far the evaluation of a batch is from its training output, relative to the norm."""
        tested, shown = model.eval()(x).data, model.train()(x).data
        return float(np.linalg.norm(tested - shown) / np.linalg.norm(shown))

    found = {"evaluation against training, fresh": off()}
    for _ in range(count):
        model(draw(BATCH))
    found[f"evaluation against training, after {count} batches"] = off()
    sample = draw(1)
    for name in ("training", "evaluation"):
        model.train(name == "training")
        batches = [np.concatenate([sample, draw(BATCH - 1)]) for _ in range(50)]
        seen = np.array([model(batch)[0].data for batch in batches], "float64")
        varies = np.linalg.norm(np.std(seen, axis=0)) / np.linalg.norm(np.mean(seen, axis=0))
        found[f"{name}: the other samples change the output by"] = float(varies)
    alone = np.abs(model(sample)[0].data - seen[0]).max() / np.abs(seen[0]).max()
    return found | {"evaluation: a batch of one is off by": float(alone)}


@tg.no_grad()
def averages(momentum: float | None, batches: int, draw: Any) -> np.ndarray:
    """(batches + 1,): how far the running mean is off after so many batches."""
    layer = nn.BatchNorm1d(WIDTH, momentum=momentum)
    off = [MEAN]
    for _ in range(batches):
        layer(MEAN + STD * draw(BATCH))
        off.append(float(np.sqrt(np.mean((layer.running_mean.data - MEAN) ** 2))))
    return np.array(off)


def expected(momentum: float | None, batches: int) -> np.ndarray:
    """What `averages` should be: the start forgotten, and the noise of the batches that count."""
    t, noise = np.arange(batches + 1), STD / BATCH**0.5
    if momentum is None:
        return np.where(t == 0, MEAN, noise / np.sqrt(np.maximum(t, 1)))
    kept = (1 - momentum) ** t
    return np.sqrt((MEAN * kept) ** 2 + noise**2 * momentum / (2 - momentum) * (1 - kept**2))


@cache
def measure(quick: bool, seed: int) -> tuple[dict[str, Any], dict[str, float], dict[Any, Any]]:
    """Numbers before each ReLU, what differs between modes, curves of the running means."""
    random = tg.manual_seed(seed)

    def draw(n: int) -> np.ndarray:
        return random.standard_normal((n, WIDTH), "float32")

    reach = {name: before_relu(net(name == "with"), draw(500)) for name in ("without", "with")}
    batches = 300 if quick else 1000
    curves = {momentum: averages(momentum, batches, draw) for momentum in MOMENTA}
    return reach, modes(draw), curves


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Moments before the ReLUs, differences between the modes, errors of the averages."""
    reach, found, curves = measure(quick, seed)
    told: dict[str, float] = {}
    for name, layers in reach.items():
        told[f"{name}: deviation before ReLU 1"] = float(layers[0].std())
        told[f"{name}: deviation before ReLU {DEPTH}"] = float(layers[-1].std())
        told[f"{name}: largest mean of a unit / deviation"] = max(
            float(np.abs(z.mean(axis=0)).max() / z.std()) for z in layers
        )
    told |= found
    for momentum, off in curves.items():
        late = slice(len(off) // 2, None)
        told[f"momentum {momentum}: mean off by, second half"] = float(off[late].mean())
        theory = expected(momentum, len(off) - 1)[late].mean()
        told[f"momentum {momentum}: the same in theory"] = float(theory)
    return told


def draw(quick: bool, seed: int) -> Figure:
    reach, _, curves = measure(quick, seed)
    picture, ((left, middle, right),) = figure(14, 4.4, columns=3)
    for cell, (name, layers), colour in zip(
        (left, middle), reach.items(), (ORANGE, BLUE), strict=True
    ):
        shown = [layers[i].ravel() for i in range(DEPTH)]
        parts = cell.violinplot(shown, showextrema=False, widths=0.9)
        for body in parts["bodies"]:
            body.set(facecolor=colour, alpha=0.8)
        cell.set(title=f"Before each ReLU, {name} normalisation", xlabel="layer", ylim=(-4, 4))
        cell.set_xticks(range(1, DEPTH + 1))
    for (momentum, off), colour in zip(curves.items(), (ORANGE, GREEN, BLUE), strict=True):
        right.loglog(off, color=colour, lw=1, label=f"momentum {momentum}")
        right.loglog(expected(momentum, len(off) - 1), "--", color="black", lw=1)
    right.set(title="Running mean (dashed: theory)", xlabel="batches", ylabel="off by")
    right.legend()
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("batch_norm_modes", __doc__, finding, draw))
