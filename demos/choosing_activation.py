"""Which activation? One net, nine activations, each at its best learning rate.

Claim (CS231n, "Activation Functions", in short): use ReLU, and be careful with the learning rate;
try leaky ReLU, ELU or Maxout; try tanh, but expect less; do not use sigmoid.

Measured: five hidden layers of 64 units learn the digits by plain SGD in 15 epochs; each
activation gets the weights that belong to it, and of five rates the one with the lowest validation
loss. The averages are over three splits and nets; means less than a percent apart say little with
540 test images.

Sigmoid learns nothing at any rate, as the lecture says. But tanh is not behind: 96.7 % is more
than the 95 of ReLU and leaky ReLU. ELU, SELU and Maxout, which has twice the weights, are at the
top with 96.7 to 97.0, PReLU follows. The rates differ, too: tanh wants 0.3, ReLU 0.03. PReLU moves
its slopes from 0.25 up to 0.35 to 0.53, far from ReLU's 0. (What Maxout can be: maxout.py.)
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, figure

import tinygrad_cs as tg
from tinygrad_cs import data, nn

WIDTH, DEPTH = 64, 5
# Each with the weights that belong to it.
ACTIVATIONS: dict[str, tuple[Any, Any]] = {
    "sigmoid": (nn.Sigmoid, nn.init.xavier_normal_),
    "tanh": (nn.Tanh, nn.init.xavier_normal_),
    "ReLU": (nn.ReLU, nn.init.kaiming_normal_),
    "leaky ReLU": (nn.LeakyReLU, nn.init.kaiming_normal_),
    "PReLU": (lambda: nn.PReLU(init=0.25), nn.init.kaiming_normal_),
    "ELU": (nn.ELU, nn.init.kaiming_normal_),
    "SELU": (nn.SELU, nn.init.lecun_normal_),
    "GELU": (nn.GELU, nn.init.kaiming_normal_),
    "Maxout": (None, None),
}
RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
SEEDS = 3


@cache
def digits(seed: int) -> Any:
    """Images (n, 64) with mean 0 and deviation 1, and labels: to train, to choose, to test."""
    images, labels = data.load_digits()
    parts = data.train_validation_test_split(
        images, labels, validation=0.2, test=0.3, seed=seed, stratify=labels
    )
    scaler = data.Standardizer(axis=None).fit(parts[0][0])
    return [(scaler.transform(x), y) for x, y in parts]


def build(activation: str) -> nn.Sequential:
    """Five hidden layers of 64 units; Maxout of two pieces has twice the weights."""
    make, initialise = ACTIVATIONS[activation]
    layers: list[nn.Module] = []
    for _ in range(DEPTH):
        if make is None:
            layers.append(nn.Maxout(64, WIDTH))
            continue
        linear = nn.Linear(64, WIDTH)
        initialise(linear.weight)
        layers += [linear, make()]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 10))


@tg.no_grad()
def evaluate(net: nn.Module, images: Any, labels: Any) -> tuple[float, float]:
    """Cross-entropy and share read correctly."""
    logits = net(images)
    accuracy = np.mean(logits.data.argmax(1) == labels)
    return nn.functional.cross_entropy(logits, labels).item(), float(accuracy)


@cache
def train(activation: str, rate: float, quick: bool, seed: int) -> dict[str, Any]:
    """Losses on the training and the validation part, test accuracy, slopes after each epoch."""
    tg.manual_seed(seed)
    net = build(activation)
    training, validation, test = digits(seed)
    optimizer = tg.optim.SGD(net.parameters(), lr=rate)

    @tg.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    slopes = []
    for _ in range(4 if quick else 15):
        for x, y in data.DataLoader(data.TensorDataset(*training), 32, shuffle=True):
            # A rate far too high overflows; that the loss says it is enough here.
            if not np.isfinite(step(x, y).item()):
                return {"validation": np.inf, "training": np.inf, "test": 0.1, "slopes": []}
        slopes.append([m.weight.item() for m in net if isinstance(m, nn.PReLU)])
    loss, chosen_by, right = (evaluate(net, *part) for part in (training, validation, test))
    found = {"training": loss[0], "validation": chosen_by[0], "test": right[1]}
    return found | {"slopes": np.array(slopes)}


@cache
def best(activation: str, quick: bool, seed: int) -> tuple[float, list[dict[str, Any]]]:
    """The rate with the lowest validation loss, averaged over seeds, and its runs."""
    rates, seeds = (RATES[1::2], 1) if quick else (RATES, SEEDS)
    runs = {r: [train(activation, r, quick, seed + s) for s in range(seeds)] for r in rates}
    rate = min(runs, key=lambda r: np.mean([run["validation"] for run in runs[r]]))
    return rate, runs[rate]


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Best rates, losses and accuracies; the learned slopes."""
    found: dict[str, float] = {}
    for name in ACTIVATIONS:
        rate, runs = best(name, quick, seed)
        found[f"{name}: best rate"] = rate
        found[f"{name}: training loss"] = float(np.mean([run["training"] for run in runs]))
        found[f"{name}: test accuracy"] = float(np.mean([run["test"] for run in runs]))
    slopes = np.mean([run["slopes"][-1] for run in best("PReLU", quick, seed)[1]], 0)
    found |= {f"PReLU: slope of layer {i}": float(a) for i, a in enumerate(slopes, start=1)}
    return found


def draw(quick: bool, seed: int) -> Figure:
    """Accuracies of all runs, and how the slopes of PReLU change."""
    picture, ((left, right),) = figure(12, 4.6, columns=2)
    names = list(ACTIVATIONS)
    for row, name in enumerate(names):
        rate, runs = best(name, quick, seed)
        accuracies = [run["test"] for run in runs]
        left.plot(accuracies, [row] * len(runs), "o", color=BLUE, alpha=0.5)
        left.plot(np.mean(accuracies), row, "|", color="black", markersize=16, mew=2)
        names[row] = f"{name}, rate {rate:g}"
    left.set(title="Test accuracy (mean: line)", xlabel="share read correctly")
    left.set_yticks(range(len(names)), names)
    left.set_xlim(right=1)
    if not quick:
        # Sigmoid is far to the left of this; the rest is what there is to choose from.
        left.set_xlim(0.9, 1)
        left.text(0.902, 0, "0.1: does not learn", va="center", color=BLUE)
    left.invert_yaxis()
    slopes = best("PReLU", quick, seed)[1][0]["slopes"]
    for layer, values in enumerate(slopes.T, start=1):
        epochs = np.arange(1, len(values) + 1)
        right.plot(epochs, values, marker=".os^v"[layer - 1], ms=4, label=f"layer {layer}")
    right.lines[-1].set_color("black")  # there are only four colours
    right.axhline(0.25, color="0.5", lw=1)
    right.set(title="Slopes of PReLU, first net", xlabel="epoch", ylabel="slope")
    right.set_ylim(0)
    right.legend(ncols=2, fontsize=9)
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("choosing_activation", __doc__, finding, draw))
