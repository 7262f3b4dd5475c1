"""Augmentation: what does each of the usual random changes do to a photograph?

Claim (CS231n, "Data Augmentation"): flips, random crops, changes of colour, rotations, noise, and
mixtures of two images are new training images for which the label is known: it stays, or is mixed
in the same proportion. PCA jitter (AlexNet) shifts all pixels of an image by one colour, along
which the colours of the data vary most.

Measured on parts of two photographs that come with scikit-learn, a temple and a flower: how much
each changes the pixels on average, and whether the label tells the truth. Mixup's label is the
share by which two images are added, CutMix's the share of pixels; both to rounding. Cutout hides a
quarter of the image less what falls outside; noise is a little weaker than asked for, as black and
white cannot get darker and brighter. PCA jitter moves colours along the first component, grey,
to 97 %, and so is mostly a change of brightness; with the paper's std of 0.1 instead of 1, as
here, nobody would see it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_sample_image
from style import figure

from tinygrad_cs import data

SIZE = 64
SIGMA = 0.15


def photographs() -> np.ndarray:
    """A temple and a flower (2, 3, 64, 64), float32 of 0 to 1."""
    corners = {"china.jpg": (60, 130), "flower.jpg": (20, 200)}
    parts = []
    for name, (top, left) in corners.items():
        whole = load_sample_image(name).transpose(2, 0, 1)[None] / np.float32(255)
        parts.append(data.resize(whole[:, :, top : top + 320, left : left + 320], SIZE))
    return np.concatenate(parts)


def augmentations(images: Any) -> dict[str, Any]:
    """The changes, by the name that stands above them."""
    return {
        "crop, padded by 12": data.RandomCrop(SIZE, padding=12),
        "crop of random size": data.RandomResizedCrop(SIZE, scale=(0.2, 0.6)),
        "flip": data.RandomHorizontalFlip(p=1),
        "rotation, shift": data.RandomAffine(20, translate=(0.1, 0.1)),
        "colour jitter": data.ColorJitter(0.4, 0.4, 0.6, hue=0.08),
        "PCA colours": data.PCAColorJitter(std=1.0).fit(images),
        "noise": data.GaussianNoise(SIGMA),
        "cutout": data.Cutout(SIZE // 2),
        "mixup": data.Mixup(num_classes=2),
        "cutmix": data.CutMix(num_classes=2),
    }


@cache
def measure(quick: bool, seed: int) -> tuple[Any, dict[str, tuple[Any, Any]]]:
    """The photographs, and many changed copies of both with their labels, by augmentation."""
    images, copies = photographs(), 100 if quick else 400
    x, y = np.tile(images, (copies, 1, 1, 1)), np.tile([0, 1], copies)
    changes = augmentations(images)
    return images, {name: change(x, y, generator=seed) for name, change in changes.items()}


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Mean change of a pixel by each augmentation, and whether labels are what images are."""
    images, changed = measure(quick, seed)
    found: dict[str, float] = {}
    originals = np.tile(images, (len(changed["flip"][0]) // 2, 1, 1, 1))
    for name, (x, _) in changed.items():
        found[f"{name}: mean change of a pixel"] = float(np.abs(x - originals).mean())
    twice = data.RandomHorizontalFlip(p=1)(changed["flip"][0])
    found["flipped twice, off by"] = float(np.abs(twice - originals).max())
    hidden = (changed["cutout"][0] == 0).all(axis=1)
    found["cutout: share of pixels hidden"] = float(hidden.mean())
    noise = changed["noise"][0] - originals
    found["noise: deviation / sigma"] = float(noise.std() / SIGMA)
    inside = (originals > 0.4) & (originals < 0.6)
    found["noise: deviation / sigma, in the middle of the scale"] = float(
        noise[inside].std() / SIGMA
    )
    pca = augmentations(images)["PCA colours"]
    shares = pca.eigenvalues**2 / (pca.eigenvalues**2).sum()
    found["PCA colours: share of the first component in the shift"] = float(shares[0])
    others = originals.reshape(-1, 2, *images.shape[1:])[:, ::-1].reshape(originals.shape)
    for name in ("mixup", "cutmix"):
        x, y = changed[name]
        own = y[np.arange(len(y)), np.arange(len(y)) % 2]  # how much of the label is its own
        step = originals - others
        if name == "mixup":
            kept = ((x - others) * step).sum((1, 2, 3)) / (step**2).sum((1, 2, 3))
        else:
            # Where two photographs agree in a pixel, nobody can tell whose it is.
            kept = ((x == originals) & (step != 0)).sum((1, 2, 3)) / (step != 0).sum((1, 2, 3))
        found[f"{name}: label and image differ by at most"] = float(np.abs(kept - own).max())
    return found


def draw(quick: bool, seed: int) -> Figure:
    """Four changed copies for each augmentation, below the photograph they come from."""
    images, changed = measure(quick, seed)
    picture, cells = figure(13, 5.2, rows=4, columns=len(changed) + 1)
    for cell, image, name in zip(cells[:2, 0], images, ("temple", "flower"), strict=True):
        cell.imshow(image.transpose(1, 2, 0))
        cell.set_xlabel(name, fontsize=10)
    for column, (name, (x, y)) in enumerate(changed.items(), 1):
        # Images mixed with their like would show nothing.
        shown = np.flatnonzero(np.abs(y[:, 0] - 0.5) < 0.4) if y.ndim == 2 else range(4)
        for row, image in enumerate(shown[:4]):
            cell = cells[row, column]
            cell.imshow(np.clip(x[image].transpose(1, 2, 0), 0, 1))
            if y.ndim == 2:
                cell.set_xlabel(f"{y[image, 0]:.0%} temple", fontsize=8)
        cells[0, column].set_title(name.replace(", ", ",\n").replace(" of", "\nof"), fontsize=10)
    for cell in cells.flat:
        cell.set(xticks=[], yticks=[])
        cell.spines[:].set_visible(False)
        cell.grid(False)
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("augmentation_sheet", __doc__, finding, draw))
