"""A small training set: what do augmentation, early stopping and averaged views add?

Claim (CS231n, "Data Augmentation" and "Regularization"): changed copies of the images stand in for
missing ones; early stopping ends before overfitting; at test time averaging the predictions for
several views helps a little more. An augmentation must keep the label: horizontal flips do not,
for digits.

Measured with 100 training digits, ten of each, and all others as new ones, in ten draws; all nets
of a draw see the same digits, so differences are known better than accuracies. What helps depends
on the strength. Of 8 x 8 pixels a whole one is too much to shift, and costs 1.7 points; shifts of
up to half a pixel add 1.3, with rotations 1.8. Cutout and Mixup cost a little, flips 2.7. Early
stopping costs 2.5: the 20 digits it watches are missing, and without it nothing got worse.
Averages over views, in probabilities, add 0.8 and 3.2 points where the net was trained with such
views, and nothing or less than nothing without. Mirror images help only the net that was trained
with them, which stays below the one without anything.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREEN, ORANGE, PINK, figure

import tinygrad_cs as tg
from tinygrad_cs import data, nn

BATCH = 50
HALF = (1 / 16, 1 / 16)  # of 8 pixels
VIEWS = ["one view", "averaging half shifts", "averaging shifts", "averaging flips"]
WAYS: dict[str, Any] = {
    "none": data.Compose([]),
    "shifts of half a pixel": data.RandomAffine(0, translate=HALF),
    "half shifts, rotations": data.RandomAffine(15, translate=HALF),
    "shifts of a pixel": data.RandomCrop(8, padding=1),
    "Cutout": data.Cutout(2),
    "Mixup": data.Mixup(alpha=0.4, num_classes=10),
    "flips": data.RandomHorizontalFlip(),
    "early stopping": data.Compose([]),
}


def shifted(images: Any, share: float) -> list[Any]:
    """The image, and moved in each direction by a share of a pixel, interpolated."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    moved = [padded[:, :, i : i + 8, j : j + 8] for i, j in ((0, 1), (2, 1), (1, 0), (1, 2))]
    return [images, *((1 - share) * images + share * view for view in moved)]


def net() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))


def train(way: str, x: Any, y: Any, steps: int, seed: int) -> nn.Sequential:
    """A net after `steps` of Adam on augmented batches; with early stopping its best state."""
    random = tg.manual_seed(seed)
    model, augment = net(), WAYS[way]
    optimizer = tg.optim.Adam(model.parameters(), lr=2e-3)

    @tg.compile
    def step(x: Any, y: Any) -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(2 * x - 1), y).backward()
        optimizer.step()

    held_out = len(x) // 5 if way == "early stopping" else 0  # what it costs to know when to stop
    best, kept = np.inf, model.state_dict()
    for t in range(steps):
        rows = random.integers(held_out, len(x), size=BATCH)
        step(*augment(x[rows], y[rows]))
        if held_out and t % 10 == 9:
            with tg.no_grad():
                logits = model(2 * x[:held_out] - 1)
                loss = nn.functional.cross_entropy(logits, y[:held_out]).item()
            if loss < best:
                best, kept = loss, model.state_dict()
    if held_out:
        model.load_state_dict(kept)
    return model.eval()


def score(model: nn.Sequential, x: Any, y: Any) -> tuple[float, ...]:
    """Accuracy from the image, with shifts by half a pixel and by one, with its mirror image."""
    views = [
        lambda images: [images],
        lambda images: shifted(images, 0.5),
        lambda images: shifted(images, 1.0),
        data.FlipViews(),
    ]
    probabilities = [data.average_views(lambda z: model(2 * z - 1), x, v) for v in views]
    return tuple(float(np.mean(p.argmax(axis=1) == y)) for p in probabilities)


@cache
def measure(quick: bool, seed: int) -> np.ndarray:
    """Accuracies (draws, ways, views) on new digits."""
    images, labels = data.load_digits()
    images = (images / 16).reshape(-1, 1, 8, 8)
    table = []
    for draw in range(3 if quick else 10):
        order = np.random.default_rng([seed, draw]).permutation(len(images))
        few = np.array([order[labels[order] == digit][:10] for digit in range(10)]).T.ravel()
        new = np.setdiff1d(order, few, assume_unique=True)
        row = []
        for way in WAYS:
            model = train(way, images[few], labels[few], 200 if quick else 400, seed + draw)
            row.append(score(model, images[new], labels[new]))
        table.append(row)
    return np.array(table)


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Mean accuracy of each way, and what it adds to none, with standard errors; so for views."""
    table = measure(quick, seed)
    found: dict[str, float] = {}

    def told(name: str, values: np.ndarray) -> None:
        found[name] = float(values.mean())
        found[f"{name}, standard error"] = float(values.std(ddof=1) / len(values) ** 0.5)

    for at, way in enumerate(WAYS):
        if at == 0:
            told("none: accuracy", table[:, 0, 0])
        else:
            told(f"{way}: adds", table[:, at, 0] - table[:, 0, 0])
    for way in ("none", "shifts of half a pixel", "shifts of a pixel"):
        rows = table[:, list(WAYS).index(way)]
        for view, name in enumerate(VIEWS[1:], 1):
            told(f"{way}: {name} adds", rows[:, view] - rows[:, 0])
    return found


def draw(quick: bool, seed: int) -> Figure:
    table = measure(quick, seed)
    picture, ((cell,),) = figure(11, 4.6)
    looks = zip(VIEWS, (BLUE, GREEN, PINK, ORANGE), "os^v", strict=True)
    for kind, (name, colour, mark) in enumerate(looks):
        at = np.arange(len(WAYS)) + 0.18 * (kind - 1.5)
        values = table[:, :, kind]
        error = values.std(axis=0, ddof=1) / len(values) ** 0.5
        cell.errorbar(at, values.mean(axis=0), 2 * error, fmt=mark, color=colour, label=name)
    cell.set_xticks(range(len(WAYS)), [way.replace(" ", "\n", 2) for way in WAYS], fontsize=9)
    cell.set(title="100 training digits", ylabel="accuracy on new digits (2 standard errors)")
    cell.legend(loc="upper center", ncols=4, fontsize=9)
    cell.set_ylim(top=0.95)
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("small_data", __doc__, finding, draw))
