"""Image statistics: what is subtracted from images, and from how many?

Claim (CS231n, "Data Preprocessing"): AlexNet subtracts the mean image, VGGNet the mean of each
colour channel, ResNet divides by each channel's deviation as well. Any such statistic is taken
from the training part alone, and applied to the others.

Measured on 32 x 32 patches of two photographs: what the three leave, and how far the statistics of
n patches are from those of all: as far as the standard error says, 0.1 for ten patches, 0.012 for
300. Added up batch by batch (`partial_fit`) they are those of all at once, to rounding.
(What they must not be taken from: leak.py.)
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


@cache
def measure(quick: bool, seed: int) -> tuple[Any, np.ndarray]:
    """The patches, and errors of their statistics by sample size."""
    images = patches()
    return images, standard_errors(images, tg.manual_seed(seed), 30 if quick else 200)


def finding(quick: bool, seed: int) -> dict[str, float]:
    """What each convention leaves; errors of samples."""
    images, errors = measure(quick, seed)
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
    return found


def draw(quick: bool, seed: int) -> Figure:
    images, errors = measure(quick, seed)
    picture, (cells,) = figure(13, 3.6, columns=4)
    for cell, (name, convention) in zip(cells, CONVENTIONS.items(), strict=False):
        z = convention().fit_transform(images)[260 + 150]
        cell.imshow(np.clip(0.5 + z.transpose(1, 2, 0) / (4 if name == "ResNet" else 1), 0, 1))
        numbers = {"AlexNet": "mean image", "VGGNet": "3 means", "ResNet": "and 3 deviations"}
        cell.set_title(f"{name}: {numbers[name]}")
        cell.axis("off")
    cells[3].loglog(SIZES, errors[:, 0], "o", color=ORANGE, label="measured")
    cells[3].loglog(SIZES, errors[:, 1], color=BLUE, label="standard error")
    cells[3].set(title="Mean of a channel", xlabel="patches", ylabel="error (white = 1)")
    cells[3].legend()
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("image_statistics", __doc__, finding, draw))
