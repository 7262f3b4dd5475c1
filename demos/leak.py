"""Leaks: may the test part help to prepare the data?

Claim (CS231n, "Data Preprocessing"): "any preprocessing statistics must only be computed on the
training data, and then applied to the validation / test data".

Measured: classifiers whose preprocessing saw the test part too, against honest ones, over many
small splits of the digits. A test result that the test part helped to make need not flatter: mean
and deviation of all 440 images cost a point against those of the 40 training images, and whitening
five, as directions in which only test images vary are blown up. It is wrong all the same: not what
a new image will get. What looks at labels flatters without limit: of 1000 columns of noise, the 20
that agree best with all labels "predict" 84 % of a coin's throws.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, ORANGE, figure

import tinygrad_cs as tg
from tinygrad_cs import data

KINDS = ["mean and deviation", "whitening", "choice of columns by labels"]
digits = cache(data.load_digits)


def nearest_mean(x: Any, y: Any, x_test: Any, y_test: Any) -> float:
    """Accuracy of the class whose mean is nearest."""
    means = np.array([x[y == c].mean(axis=0) for c in np.unique(y)])
    distance = ((x_test[:, None] - means) ** 2).sum(axis=2)
    return float(np.mean(np.unique(y)[distance.argmin(axis=1)] == y_test))


def leak(kind: str, random: np.random.Generator) -> tuple[float, float]:
    """Accuracy on the test part when the statistics are of the training part, and of all."""
    if kind == "choice of columns by labels":
        x, y = random.normal(size=(100, 1000)), np.arange(100) % 2
        train, test = np.arange(50), np.arange(50, 100)
    else:
        images, labels = digits()
        order = random.permutation(len(images))[:440]
        x, y = images[order] / 16, labels[order]
        train, test = np.arange(40), np.arange(40, 440)
    scores = []
    for seen in (train, np.arange(len(x))):
        if kind == "choice of columns by labels":
            gap = x[seen][y[seen] == 0].mean(axis=0) - x[seen][y[seen] == 1].mean(axis=0)
            z = x[:, np.argsort(-np.abs(gap))[:20]]
        else:
            step = (
                data.Standardizer() if kind == "mean and deviation" else data.PCA(20, whiten=True)
            )
            z = step.fit(x[seen]).transform(x)
        scores.append(nearest_mean(z[train], y[train], z[test], y[test]))
    return scores[0], scores[1]


@cache
def measure(quick: bool, seed: int) -> dict[str, np.ndarray]:
    """(splits, 2) accuracies by kind of leak: honest, and with the test part."""
    random, splits = tg.manual_seed(seed), 30 if quick else 200
    return {kind: np.array([leak(kind, random) for _ in range(splits)]) for kind in KINDS}


def finding(quick: bool, seed: int) -> dict[str, float]:
    """What the test part adds to the accuracy."""
    found: dict[str, float] = {}
    for kind, scores in measure(quick, seed).items():
        gain = scores[:, 1] - scores[:, 0]
        found |= {
            f"{kind}: honest accuracy": float(scores[:, 0].mean()),
            f"{kind}: with the test part": float(scores[:, 1].mean()),
            f"{kind}: standard error of the difference": float(gain.std() / len(gain) ** 0.5),
        }
    return found


def draw(quick: bool, seed: int) -> Figure:
    """Bars with two standard errors."""
    picture, ((cell,),) = figure(8, 4.4)
    labels = ["training part alone (honest)", "test part as well"]
    for side, colour, hatch in ((0, BLUE, ""), (1, ORANGE, "//")):
        scores = np.array([scores[:, side] for scores in measure(quick, seed).values()])
        errors = 2 * scores.std(axis=1) / scores.shape[1] ** 0.5
        places = np.arange(len(KINDS)) + 0.4 * side
        bars = cell.bar(places, scores.mean(axis=1), 0.38, yerr=errors, color=colour, hatch=hatch)
        bars.set_label(labels[side])
    cell.set_xticks(np.arange(3) + 0.2, ["mean, deviation", "whitening", "columns by labels"])
    cell.axhline(0.5, xmin=0.67, color="black", lw=1, ls=":")
    cell.set(title="Fitted on", ylabel="test accuracy", ylim=(0, 1.2))
    cell.legend(loc="upper left", ncols=2)
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("leak", __doc__, finding, draw))
