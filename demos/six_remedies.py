"""Six remedies: what makes a deep net trainable, one after the other?

Claim (CS229, "Deep learning", and CS231n, "Training Neural Networks", on vanishing and exploding
gradients): initial weights after Glorot or He, activations that do not saturate, batch
normalisation, clipping, a better optimizer and dropout each help to train a deep net.

Measured: a net of 16 sigmoid layers with weights of deviation 0.01 reads digits no better than by
chance. Remedies are added one by one and kept. The gradient of the first layer relative to that of
the last, before training, shows which ones act on the cause. Not all help here: Glorot alone does
not save sigmoids (each passes at most a quarter of the gradient), clipping to norm 1 only slows
plain SGD down, since nearly every gradient here is longer, and dropout does not pay in a net this
narrow and short-lived. Which remedy does most of the work depends on the rate: at the 0.01 used
here it is He's weights with leaky ReLU; at 0.05 these overflow, and batch normalisation saves them.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, ORANGE, figure

import tinygrad_cs as tg
from tinygrad_cs import data, nn

DEPTH, WIDTH, BATCH = 16, 48, 64


class Remedies(NamedTuple):
    """What is switched on."""

    initialised: bool = False
    leaky: bool = False
    normalised: bool = False
    clipped: bool = False
    adam: bool = False
    dropout: float = 0.0


STAGES = {
    "sigmoid, deviation 0.01, SGD": Remedies(),
    "+ Glorot / He": Remedies(True),
    "+ leaky ReLU": Remedies(True, True),
    "+ batch normalisation": Remedies(True, True, True),
    "+ clipping to norm 1": Remedies(True, True, True, True),
    "+ Adam": Remedies(True, True, True, True, True),
    "+ dropout 0.1": Remedies(True, True, True, True, True, 0.1),
}


def build(use: Remedies) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs in [64] + [WIDTH] * (DEPTH - 1):
        layers.append(nn.Linear(inputs, WIDTH))
        layers += [nn.BatchNorm1d(WIDTH)] if use.normalised else []
        layers.append(nn.LeakyReLU(0.1) if use.leaky else nn.Sigmoid())
    layers += [nn.Dropout(use.dropout)] if use.dropout else []
    model = nn.Sequential(*layers, nn.Linear(WIDTH, 10))
    if use.initialised:
        nn.init.apply(model)  # Glorot's rule before sigmoid, He's before leaky ReLU
    else:
        nn.init.apply(model, lambda weight: nn.init.normal_(weight, std=0.01))
    return model


def train(use: Remedies, steps: int, seed: int) -> tuple[float, Any, float]:
    """First over last layer's gradient before training, losses by step, accuracy on new digits."""
    random = tg.manual_seed(seed)
    images, labels = data.load_digits()
    (x, y), _, (x_new, y_new) = data.train_validation_test_split(
        (images - 8) / 8, labels, seed=seed, stratify=labels
    )
    model = build(use)
    parameters = list(model.parameters())
    # Momentum, so that plain SGD gets a fair chance.
    optimizer: Any = tg.optim.SGD(parameters, lr=0.01, momentum=0.9)
    if use.adam:
        optimizer = tg.optim.Adam(parameters, lr=3e-3)
    reach, losses = np.nan, []
    for step in range(steps):
        rows = random.integers(len(x), size=BATCH)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        if step == 0:
            first, last = (np.linalg.norm(model[i].weight.grad) for i in (0, -1))
            reach = float(first / last)
        if use.clipped:
            nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(loss.item())
    with tg.no_grad():
        right = model.eval()(x_new).data.argmax(axis=1) == y_new
    return reach, np.array(losses), float(right.mean())


@cache
def measure(quick: bool, seed: int) -> dict[str, tuple[float, Any, float]]:
    names = [name for i, name in enumerate(STAGES) if not quick or i in (0, 1, 3, 5)]
    return {name: train(STAGES[name], 100 if quick else 500, seed) for name in names}


def finding(quick: bool, seed: int) -> dict[str, float]:
    """For each stage the accuracy on new digits, and the reach of the gradient."""
    found = {}
    for name, (reach, _, accuracy) in measure(quick, seed).items():
        found |= {f"accuracy, {name}": accuracy, f"gradient first / last layer, {name}": reach}
    return found


def draw(quick: bool, seed: int) -> Figure:
    stages = measure(quick, seed)
    picture, ((left, right),) = figure(13, 4.5, columns=2)
    places = range(len(stages))[::-1]
    for cell, column, colour in [(left, 2, BLUE), (right, 0, ORANGE)]:
        values = [stage[column] for stage in stages.values()]
        cell.barh(places, values, color=colour)
        for place, value in zip(places, values, strict=True):
            cell.text(value, place, f" {value:.3g}", va="center")
    left.set_yticks(places, stages)
    right.set_yticks(places, [""] * len(stages))
    left.set(title="Accuracy", xlabel="share of new digits read", xlim=(0, 1.15))
    right.set(title="Gradient before training", xlabel="norm in the first layer / in the last")
    right.set_xscale("log")
    right.margins(x=0.25)
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("six_remedies", __doc__, finding, draw))
