"""Whitening: what do centring, scaling, PCA and whitening do to the covariance of images?

Claim (CS231n, "Data Preprocessing"): centring moves the cloud of images to the origin, scaling
gives every pixel the same spread, the rotation to principal components makes the covariance
diagonal, and whitening makes it the identity. Whitening "can greatly exaggerate the noise", as
directions in which the images hardly differ become as large as all others; an eps prevents it.

Measured on the digits, everything fitted on one half of them: the correlations, and the least and
largest variance in any direction in which that half varies at all (60 of 64: some pixels never
change). PCA removes the correlations, whitening makes all variances 1. On the other half the
identity is only near: there is a direction of variance 5.6, since the small variances were
measured least well. Nearest neighbours, for whom all directions count alike, pay for the
exaggerated noise: they read 93 % instead of 98 %, and with an eps of 0.01 still 97 %. Scaling
pixels to one spread does some of the same harm. Centring and rotating alone change no distance.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import figure

import tinygrad_cs as tg
from tinygrad_cs import data

STEPS: dict[str, Any] = {
    "raw": lambda: None,
    "centred": data.Center,
    "scaled": data.Standardizer,
    "PCA": data.PCA,
    "PCA, whitened": lambda: data.PCA(whiten=True, eps=0),
    "ZCA": lambda: data.ZCA(eps=0),
    "ZCA, eps 0.01": lambda: data.ZCA(eps=0.01),
}


def covariance(x: Any) -> np.ndarray:
    """The population's, in float64, of what has variance."""
    x = np.asarray(x, "float64")
    return np.cov(x[:, x.std(axis=0) > 1e-6].T, bias=True)


def off_diagonal(c: np.ndarray) -> float:
    """The root mean square of the correlations of different features."""
    spread = np.sqrt(np.diag(c))
    correlation = c / spread / spread[:, None]
    return float(np.sqrt((correlation[~np.eye(len(c), dtype=bool)] ** 2).mean()))


def spectrum(x: Any) -> np.ndarray:
    """Variances along the principal directions, without those in which nothing varies."""
    variances = np.linalg.eigvalsh(covariance(x))
    return variances[variances > 1e-9 * variances.max()]


def read(x: Any, y: Any, x_new: Any, y_new: Any) -> float:
    """The share of new digits whose nearest neighbour has the same label."""
    squared = (x_new**2).sum(1)[:, None] - 2 * x_new @ x.T + (x**2).sum(1)
    return float(np.mean(y[squared.argmin(1)] == y_new))


@cache
def measure(seed: int) -> tuple[dict[str, tuple[Any, Any]], dict[str, float]]:
    """Both halves after every step, and the accuracy of nearest neighbours."""
    images, labels = data.load_digits()
    order = tg.manual_seed(seed).permutation(len(images))
    x, y = (images[order] / 16).astype("float64"), labels[order]
    half = len(x) // 2
    halves, accuracies = {}, {}
    for name, make in STEPS.items():
        step = make()
        old, new = x[:half], x[half:]
        if step is not None:
            old, new = step.fit_transform(old), step.transform(new)
        halves[name] = old, new
        accuracies[name] = read(old, y[:half], new, y[half:])
    return halves, accuracies


def finding(quick: bool, seed: int) -> dict[str, float]:
    """For every step: correlations and variances, on both halves, and what can be read."""
    halves, accuracies = measure(seed)
    found: dict[str, float] = {}
    for name, (old, new) in halves.items():
        spread = spectrum(old)
        found |= {
            f"{name}: correlations": off_diagonal(covariance(old)),
            f"{name}: least variance": float(spread[0]),
            f"{name}: largest variance": float(spread[-1]),
            f"{name}: largest variance, other half": float(spectrum(new)[-1]),
            f"{name}: read by nearest neighbours": accuracies[name],
        }
    for name in ("raw", "centred"):
        found[f"{name}: largest mean"] = float(np.abs(halves[name][0].mean(axis=0)).max())
    return found | {"directions with variance": len(spectrum(halves["centred"][0]))}


def draw(quick: bool, seed: int) -> Figure:
    """A digit after every step, and the covariance of all of them."""
    halves, _ = measure(seed)
    picture, (images, matrices) = figure(13, 4.4, rows=2, columns=len(STEPS))
    for top, bottom, (name, (x, _)) in zip(images, matrices, halves.items(), strict=True):
        image = np.zeros(64)
        image[: x.shape[1]] = x[0]
        limit = np.abs(image).max()
        top.imshow(image.reshape(8, 8), cmap="RdBu_r", vmin=-limit, vmax=limit)
        top.set_title(name, fontsize=11)
        c = np.cov(x.T, bias=True)
        limit = np.percentile(np.abs(c), 99.5)
        bottom.imshow(c, cmap="RdBu_r", vmin=-limit, vmax=limit)
        for cell in (top, bottom):
            cell.set(xticks=[], yticks=[])
            cell.grid(False)
    images[0].set_ylabel("a digit")
    matrices[0].set_ylabel("covariance")
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("whitening", __doc__, finding, draw))
