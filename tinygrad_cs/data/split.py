"""Training, validation and test part of one data set, none of them overlapping."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.errors import ArgumentError, MissingDependency
from ..engine.types import Array
from .checks import as_array, as_generator, same_length

Part = tuple[Array, ...]


def train_validation_test_split(
    *arrays: Any,
    validation: float = 0.15,
    test: float = 0.2,
    seed: np.random.Generator | int = 0,
    stratify: Any = None,
) -> tuple[Part, Part, Part]:
    """Shuffle the samples and split them in three: a tuple of arrays for each part.

    `arrays` have the same number of samples along axis 0 and keep their dtype; `validation` and
    `test` are fractions of all samples, rounded to whole samples, and the training part is the
    rest. The same `seed` gives the same split. `stratify`, integer labels of shape (n,), keeps
    the share of every class equal in the three parts (needs scikit-learn).

    Raises `ShapeError` for different lengths, `ArgumentError` for fractions that leave a part
    empty and for classes too small to stratify, `MissingDependency` without scikit-learn.

    Example:
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> x, y = np.arange(20.0), np.arange(20) % 2
        >>> train, validation, test = tg.data.train_validation_test_split(x, y, stratify=y)
        >>> [len(part[0]) for part in (train, validation, test)]
        [13, 3, 4]
        >>> int(test[1].sum())
        2
    """
    where = "train_validation_test_split"
    columns = [as_array(where, array) for array in arrays]
    samples = same_length(where, columns)
    held_out = _counts(samples, validation, test)
    rng = as_generator(where, seed)
    if stratify is None:
        order = rng.permutation(samples)
        chosen = np.split(order, np.cumsum(held_out))
    else:
        labels = as_array(where, stratify)
        same_length(where, [*columns, labels])
        chosen = _stratified(labels, held_out, rng)
    test_part, validation_part, train_part = (
        tuple(column[positions] for column in columns) for positions in chosen
    )
    return train_part, validation_part, test_part


def _counts(samples: int, validation: float, test: float) -> list[int]:
    """How many samples test and validation part get."""
    counts = [0, 0]
    if 0 < validation < 1 and 0 < test < 1:
        counts = [round(samples * test), round(samples * validation)]
    if 0 in counts or sum(counts) >= samples:
        raise ArgumentError(
            f"train_validation_test_split: expected validation and test to be fractions that "
            f"leave every part at least one sample, got validation={validation!r} and "
            f"test={test!r} for {samples} samples; the training part is the rest"
        )
    return counts


def _stratified(labels: Array, held_out: list[int], rng: np.random.Generator) -> list[Array]:
    try:
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise MissingDependency(
            "train_validation_test_split: stratify needs scikit-learn, which is not installed; "
            'run pip install "tinygrad_cs[demos]" or leave stratify out'
        ) from error
    # scikit-learn takes the older interface, here around the same stream of random bits.
    random_state = np.random.RandomState(rng.bit_generator)
    rest = np.arange(len(labels))
    chosen = []
    for count in held_out:
        try:
            rest, part = train_test_split(
                rest, test_size=count, stratify=labels[rest], random_state=random_state
            )
        except ValueError as error:
            raise ArgumentError(
                f"train_validation_test_split: cannot give every part its share of each class: "
                f"{error} Merge rare classes or leave stratify out"
            ) from error
        chosen.append(part)
    return [*chosen, rest]
