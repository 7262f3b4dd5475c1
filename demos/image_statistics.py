"""Image statistics: what is subtracted from images, from how many, and may the test part help?

Claim (CS231n, "Data Preprocessing"): AlexNet subtracts the mean image, VGGNet the mean of each
colour channel, ResNet divides by each channel's deviation as well. Any such statistic is taken
from the training part alone, and applied to the others.

Measured on 32 x 32 patches of two photographs: what the three leave, and how far the statistics of
n patches are from those of all: as far as the standard error says, 0.1 for ten
patches, 0.012 for 300. Added up batch by batch (`partial_fit`) they are those of all at once, to
rounding.

Then what leaks: classifiers whose preprocessing saw the test part too, against honest ones, over
many small splits of the digits. A test result that the test part helped to make need not flatter:
mean and deviation of all 440 images cost a point against those of the 40 training images, and
whitening six, as directions in which only test images vary are blown up. It is wrong all the same:
not what a new image will get. What looks at labels flatters without limit: of 1000 columns of
noise, the 20 that agree best with all labels "predict" 83 % of a coin's throws.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_sample_image
from style import BLUE, ORANGE, figure

import tinygrad_cs as tg
from tinygrad_cs import data

CONVENTIONS = {
    "AlexNet": data.MeanImage,
    "VGGNet": data.ChannelMean,
    "ResNet": data.ChannelStandardizer,
}
SIZES = [10, 30, 100, 300]


digits = cache(data.load_digits)


def patches() -> np.ndarray:
    """520 patches (3, 32, 32) of a temple and a flower, values of 0 to 1."""
    found = []
    for name in ("china.jpg", "flower.jpg"):
        image = load_sample_image(name)[:416, :640].transpose(2, 0, 1) / np.float32(255)
        found.append(
            image.reshape(3, 13, 32, 20, 32).transpose(1, 3, 0, 2, 4).reshape(-1, 3, 32, 32)
        )
    return np.concatenate(found)


def standard_errors(images: Any, random: np.random.Generator, repeats: int) -> np.ndarray:
    """(sizes, 2): how far a channel's mean of n patches is off, and the standard error."""
    means = images.mean(axis=(2, 3), dtype="float64")  # a patch is one draw: its pixels are alike
    truth, spread = means.mean(axis=0), means.std(axis=0)
    rows = []
    for n in SIZES:
        samples = [random.permutation(len(images))[:n] for _ in range(repeats)]
        off = [data.ChannelMean().fit(images[rows]).mean.ravel() - truth for rows in samples]
        # Drawn without putting back: of all patches the mean is known exactly.
        expected = spread * np.sqrt((1 / n) * (len(images) - n) / (len(images) - 1))
        rows.append((np.sqrt(np.mean(np.square(off))), np.sqrt(np.mean(expected**2))))
    return np.array(rows)


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


KINDS = ["mean and deviation", "whitening", "choice of columns by labels"]


@cache
def measure(quick: bool, seed: int) -> tuple[Any, np.ndarray, dict[str, np.ndarray]]:
    """Patches, errors of statistics by sample size, and (splits, 2) accuracies by kind of leak."""
    random = tg.manual_seed(seed)
    images, splits = patches(), 30 if quick else 200
    errors = standard_errors(images, random, 30 if quick else 200)
    return images, errors, {k: np.array([leak(k, random) for _ in range(splits)]) for k in KINDS}


def finding(quick: bool, seed: int) -> dict[str, float]:
    """What each convention leaves, errors of samples, what the test part adds to accuracy."""
    images, errors, leaks = measure(quick, seed)
    found: dict[str, float] = {}
    for name, convention in CONVENTIONS.items():
        step = convention().fit(images)
        z = step.transform(images)
        parts = convention()
        for start in range(0, len(images), 64):
            parts.partial_fit(images[start : start + 64])
        found |= {
            f"{name}: numbers in the mean": step.mean.size,
            f"{name}: largest mean of a pixel left": float(np.abs(z.mean(axis=0)).max()),
            f"{name}: largest mean of a channel left": float(np.abs(z.mean((0, 2, 3))).max()),
            f"{name}: deviation of all": float(z.std()),
            f"{name}: batch by batch, off by": float(np.abs(parts.mean - step.mean).max()),
        }
    for n, (off, expected) in zip(SIZES, errors, strict=True):
        found[f"{n} patches: error"] = float(off)
        found[f"{n} patches: error / standard error"] = float(off / expected)
    for kind, scores in leaks.items():
        gain = scores[:, 1] - scores[:, 0]
        found |= {
            f"{kind}: honest accuracy": float(scores[:, 0].mean()),
            f"{kind}: with the test part": float(scores[:, 1].mean()),
            f"{kind}: standard error of the difference": float(gain.std() / len(gain) ** 0.5),
        }
    return found


def draw(quick: bool, seed: int) -> Figure:
    images, errors, leaks = measure(quick, seed)
    picture, (top, bottom) = figure(12, 7.5, rows=2, columns=3)
    for cell, (name, convention) in zip(top, CONVENTIONS.items(), strict=True):
        z = convention().fit_transform(images)[260 + 150]
        cell.imshow(np.clip(0.5 + z.transpose(1, 2, 0) / (4 if name == "ResNet" else 1), 0, 1))
        numbers = {"AlexNet": "mean image", "VGGNet": "3 means", "ResNet": "3 means, 3 deviations"}
        cell.set_title(f"{name}: {numbers[name]}")
        cell.axis("off")
    first, second, third = bottom
    first.imshow(data.MeanImage().fit(images).mean[0].transpose(1, 2, 0))
    first.set_title(f"mean image of {len(images)} patches")
    first.axis("off")
    second.loglog(SIZES, errors[:, 0], "o", color=ORANGE, label="measured")
    second.loglog(SIZES, errors[:, 1], color=BLUE, label="standard error")
    second.set(title="Mean of a channel", xlabel="patches", ylabel="error")
    second.legend()
    for at, (_, scores) in enumerate(leaks.items()):
        for side, colour in ((0, BLUE), (1, ORANGE)):
            mean, error = scores[:, side].mean(), scores[:, side].std() / len(scores) ** 0.5
            third.bar(at + 0.4 * side, mean, 0.38, yerr=error, color=colour)
    third.set_xticks(np.arange(3) + 0.2, ["mean,\ndeviation", "whitening", "columns\nby labels"])
    third.set(
        title="Fitted on training (blue) or all (orange)", ylabel="test accuracy", ylim=(0, 1)
    )
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("image_statistics", __doc__, finding, draw))
