"""What the data themselves tell: scales of the inputs, and whether targets depend on them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ..engine.types import Array, np
from .findings import Finding

SAMPLES = 500
"""Neighbours are looked for among so many samples, spread over the data."""
FEWEST = 50
"""With less than this, neighbours are too far away to tell anything."""
SURE = 3.0
"""Standard deviations by which neighbours must agree more often than strangers."""


def chance_of(y: Array) -> float | None:
    """The loss of guessing by frequency: the entropy of the classes; None for numbers."""
    if y.dtype.kind not in "iub" or not y.size:
        return None
    shares = np.unique(y, return_counts=True)[1] / y.size
    return float(-(shares * np.log(shares)).sum()) or None


def scale_of(x: Array) -> Iterator[str]:
    """What is unusual about the inputs; nothing for integers, which are names and not amounts."""
    if x.dtype.kind != "f" or len(x) < 2:
        return
    rows = x.reshape(len(x), -1).astype(np.float64)
    rows = rows[np.isfinite(rows).all(axis=1)]
    if len(rows) < 2:
        return
    deviations = rows.std(axis=0)
    yield from unusual(float(rows.mean()), float(rows.std()))
    varying = deviations[deviations > 0]
    if varying.size and varying.max() > 50 * np.median(varying):
        yield (
            f"the largest deviation of a feature is {varying.max():.3g}, the median "
            f"{np.median(varying):.3g}"
        )


def unusual(mean: float, deviation: float) -> Iterator[str]:
    """Is this far from mean 0 and deviation 1?"""
    size = math.hypot(mean, deviation)
    if not 0.01 <= size <= 5 or abs(mean) > 2 * deviation:
        yield f"the inputs have mean {mean:.3g} and deviation {deviation:.3g}"


def not_normalised(signs: list[str]) -> Iterator[Finding]:
    """The inputs are far from mean 0 and deviation 1."""
    if signs:
        yield Finding(
            "inputs not normalised",
            "; ".join(signs),
            "raw units: the first layer is driven by the largest features, and the loss is a "
            "narrow valley",
            "data.Standardizer().fit(x_train), and its transform for all parts",
        )


def agreement(x: Array, y: Array) -> tuple[float, float, float] | None:
    """How much the target of the nearest neighbour tells, what chance gives, and the deviations.

    For classes the share of equal targets, for numbers the correlation. None where that cannot be
    asked: integer inputs, too few samples, a constant target.
    """
    if x.dtype.kind != "f":
        return None
    known = np.isfinite(x.reshape(len(x), -1)).all(axis=1)
    x, y = x[known], y[known]
    if len(x) < FEWEST:
        return None
    chosen = np.linspace(0, len(x) - 1, min(len(x), SAMPLES)).astype(int)
    rows = x[chosen].reshape(len(chosen), -1).astype(np.float64)
    targets = y[chosen].reshape(len(chosen), -1)
    spread = rows.std(axis=0)
    rows = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1)
    squares = (rows * rows).sum(axis=1)
    distances = squares[:, None] + squares - 2 * rows @ rows.T
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argmin(axis=1)
    if y.dtype.kind in "iub" and targets.shape[1] == 1:
        shares = np.unique(targets, return_counts=True)[1] / len(targets)
        expected = float((shares**2).sum())
        if expected == 1:
            return None
        found = float((targets[nearest] == targets).mean())
        deviation = math.sqrt(expected * (1 - expected) / len(targets))
        return found, expected, (found - expected) / deviation
    values = targets.astype(np.float64)
    values = values - values.mean(axis=0)
    if y.dtype.kind != "f" or not (values != 0).any():
        return None
    found = float((values[nearest] * values).sum() / (values * values).sum())
    return found, 0.0, found * math.sqrt(len(values))


def labels_shuffled(course: Any, data: tuple[Array, Array] | None) -> Iterator[Finding]:
    """The targets do not depend on the inputs, as far as neighbours and validation tell."""
    signs, chance = [], course.chance
    if chance is not None and course.validation and course.loss:
        best = min(course.validation)
        if best < 0.9 * chance:
            return  # it was learned
        if best > 0.97 * chance and min(course.loss) < 0.9 * chance:
            signs.append(
                f"the best validation loss is {best:.4g}, guessing has {chance:.4g}, while the "
                f"training loss fell to {min(course.loss):.4g}"
            )
    found = None if data is None else agreement(*data)
    if found is not None and found[2] < SURE:
        what = (
            "have the same class" if data and data[1].dtype.kind in "iub" else "are correlated by"
        )
        signs.append(
            f"nearest neighbours {what} {found[0]:.3g}, by chance it would be {found[1]:.3g}"
        )
    if signs:
        yield Finding(
            "labels shuffled",
            "; ".join(signs),
            "inputs and targets in different orders, or targets that these inputs do not determine",
            "look at some samples with their labels; shuffle both with one permutation, or leave "
            "that to the DataLoader",
        )
