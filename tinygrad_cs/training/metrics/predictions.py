"""From what a model returns to classes: the reading that all metrics of classes share."""

from __future__ import annotations

from typing import Any

from ...engine.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError
from ...engine.types import Array, np

LARGEST_COUNT = 100_000
"""Classes that are counted without being announced: a label beyond is rather a mistake."""


def as_arrays(where: str, prediction: Any, target: Any) -> tuple[Array, Array]:
    """Both as arrays of numbers with at least one axis."""
    prediction, target = np.asarray(prediction), np.asarray(target)
    for name, array in (("prediction", prediction), ("target", target)):
        if array.dtype.kind not in "fiub":
            raise DTypeError(f"{where}: expected numbers as {name}, got {array.dtype}")
        if array.ndim == 0:
            raise ShapeError(f"{where}: expected a batch as {name}, got a single number")
    return prediction, target


def scores_and_classes(where: str, prediction: Any, target: Any) -> tuple[Array, Array]:
    """Scores (M, C) and true classes (M,): further axes of the batch are laid end to end.

    Accepts scores (N, C, d1, ...) with classes (N, d1, ...), or with probabilities of the same
    shape, whose largest is the true class.
    """
    prediction, target = as_arrays(where, prediction, target)
    if prediction.ndim < 2:
        raise ShapeError(
            f"{where}: expected scores of shape (N, C), got {prediction.shape}; for classes that "
            f"were decided already, give integers; for one score of two classes, threshold=0.0"
        )
    if target.shape == prediction.shape and target.dtype.kind == "f":
        target = target.argmax(axis=1)
    if target.dtype.kind not in "iub":
        raise DTypeError(
            f"{where}: expected integer classes as target, got {target.dtype} of shape "
            f"{target.shape} for scores of shape {prediction.shape}"
        )
    if target.shape != prediction.shape[:1] + prediction.shape[2:]:
        raise ShapeError(
            f"{where}: scores of shape {prediction.shape} need classes of shape "
            f"{prediction.shape[:1] + prediction.shape[2:]}, got {target.shape}"
        )
    if prediction.ndim > 2:
        prediction = np.moveaxis(prediction, 1, -1).reshape(-1, prediction.shape[1])
        target = target.reshape(-1)
    return prediction, target


def decided(
    where: str, prediction: Any, target: Any, threshold: float | None, ignore_index: int
) -> tuple[Array, Array, int | None]:
    """Predicted and true classes, each (M,), and how many classes there are if that is known.

    Integers count as decided; with a threshold scores of the target's shape are classes 1 above
    it and 0 elsewhere; other scores are decided by the largest along axis 1.
    """
    count: int | None = None
    if threshold is not None or np.asarray(prediction).dtype.kind in "iub":
        prediction, target = as_arrays(where, prediction, target)
        if prediction.shape != target.shape:
            raise ShapeError(
                f"{where}: predictions of shape {prediction.shape} and targets of shape "
                f"{target.shape} differ; write prediction.reshape(target.shape), or squeeze(1)"
            )
        if threshold is not None:
            prediction, count = prediction > threshold, 2
        prediction, target = prediction.reshape(-1), target.reshape(-1)
        if target.dtype.kind == "f" and (target != np.floor(target)).any():
            raise DTypeError(
                f"{where}: expected whole numbers as targets, got {target.dtype} with fractions"
            )
    else:
        scores, target = scores_and_classes(where, prediction, target)
        prediction, count = scores.argmax(axis=1), scores.shape[1]
    if target.dtype.kind != "b" and target.size and target.min() < 0:
        kept = target != ignore_index
        prediction, target = prediction[kept], target[kept]
    return prediction, target, count


def check_range(where: str, classes: Array, count: int) -> None:
    """Raise `IndexOutOfRange` for a class that is not one of 0 to count - 1."""
    if classes.size and not 0 <= classes.min() <= classes.max() < count:
        raise IndexOutOfRange(
            f"{where}: expected classes from 0 to {count - 1}, got {classes.min()} to "
            f"{classes.max()}"
        )


def count_of(where: str, announced: int | None, known: int | None, *classes: Array) -> int:
    """How many classes there are: as announced, as scores have, or as the labels show."""
    if announced is None and known is None:
        announced = 1 + max((int(part.max()) for part in classes if part.size), default=-1)
        if announced > LARGEST_COUNT:
            raise IndexOutOfRange(
                f"{where}: the class {announced - 1} would mean {announced} classes; if that is "
                f"right, say num_classes={announced}"
            )
    elif announced is None:
        announced = known
    assert announced is not None
    for part in classes:
        check_range(where, part, announced)
    return announced


def check_average(where: str, average: str | None) -> None:
    """Raise `ArgumentError` unless this is a way to average over classes."""
    if average not in ("macro", "micro", None):
        raise ArgumentError(
            f"{where}: average must be 'macro', 'micro' or None (one value per class), got "
            f"{average!r}"
        )
