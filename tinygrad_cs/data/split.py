"""Parts of one data set, none of them overlapping: to train, to validate, to test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..engine.errors import ArgumentError, DTypeError, MissingDependency, ShapeError
from ..engine.types import Array
from .checks import (
    as_array,
    as_generator,
    length_of,
    optional_generator,
    or_library,
    positive_integer,
    same_length,
)
from .dataset import Dataset, Subset

Part = tuple[Array, ...]
Seed = np.random.Generator | int | None


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


def random_split(
    dataset: Dataset, lengths: Sequence[float], generator: Seed = None, stratify: Any = None
) -> list[Subset]:
    """Deal the samples of a data set out to parts, at random; a `Subset` for each part.

    Args:
        dataset: a data set.
        lengths: the parts' numbers of samples, which sum to that of the data set; or fractions
            that sum to 1, rounded down, the rest going to the parts in turn.
        generator: a NumPy generator, an integer seed, or by default what `tg.manual_seed` seeds.
        stratify: integer labels of shape (n,): every part gets its share of each class, give or
            take a sample (None: chance decides).

    Raises `ArgumentError` for lengths that do not sum or leave a part empty, and for classes with
    fewer samples than there are parts.

    Example:
        >>> import tinygrad_cs as tg
        >>> dataset = tg.data.TensorDataset(range(10))
        >>> [len(part) for part in tg.data.random_split(dataset, [0.7, 0.3], generator=0)]
        [7, 3]
    """
    where = "random_split"
    samples = length_of(where, dataset)
    counts = _part_sizes(samples, lengths)
    rng = or_library(optional_generator(where, generator))
    if stratify is None:
        order = rng.permutation(samples)
    else:
        classes, sizes = _classes(where, stratify, samples, len(counts))
        order = _evenly(classes, sizes, rng)
    return [Subset(dataset, part) for part in np.split(order, np.cumsum(counts)[:-1])]


def k_fold(
    dataset: Any,
    n_splits: int = 5,
    *,
    shuffle: bool = True,
    generator: Seed = None,
    stratify: Any = None,
) -> Iterator[tuple[Array, Array]]:
    """Cross-validation: every sample is used to validate once, and to train the other times.

    Yields `n_splits` pairs of sorted positions (to train on, to validate on), for `Subset`.
    Settings chosen by these scores look better than they are: keep a test part out of it.

    Args:
        dataset: a data set, or the number of samples.
        n_splits: parts, at least 2; their sizes differ by at most one sample.
        shuffle: deal the samples at random (False: stretches in the order of the data; with
            `stratify`, the samples of a class in turn).
        generator: a NumPy generator, an integer seed, or by default what `tg.manual_seed` seeds.
        stratify: integer labels of shape (n,): of each class every part gets equally many
            samples, give or take one.

    Raises `ArgumentError` for fewer samples, of any class if stratified, than parts.

    Example:
        >>> import tinygrad_cs as tg
        >>> for train, validate in tg.data.k_fold(5, 2, shuffle=False):
        ...     print(train, validate)
        [3 4] [0 1 2]
        [0 1 2] [3 4]
    """
    where = "k_fold"
    samples = length_of(where, dataset)
    parts = positive_integer(where, "n_splits", n_splits, least=2)
    if parts > samples:
        raise ArgumentError(f"{where}: cannot make n_splits={parts} parts of {samples} samples")
    rng = or_library(optional_generator(where, generator))
    order = rng.permutation(samples) if shuffle else np.arange(samples)
    if stratify is None:
        ends = np.cumsum([0] + [(samples + k) // parts for k in reversed(range(parts))])
        folds = [order[start:end] for start, end in pairwise(ends)]
    else:
        classes, _ = _classes(where, stratify, samples, parts)
        # Sorted by class and dealt like cards, no part gets two more of a class than another.
        by_class = order[np.argsort(classes[order], kind="stable")]
        folds = [by_class[k::parts] for k in range(parts)]
    return (_apart(fold, samples) for fold in folds)


def _apart(fold: Array, samples: int) -> tuple[Array, Array]:
    held_out = np.zeros(samples, bool)
    held_out[fold] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _part_sizes(samples: int, lengths: Sequence[float]) -> Array:
    sizes = np.asarray(lengths)
    if sizes.ndim != 1 or not len(sizes) or sizes.dtype.kind not in "iuf":
        raise ArgumentError(
            f"random_split: expected lengths such as [80, 20] or [0.8, 0.2], got {lengths!r}"
        )
    if sizes.dtype.kind == "f" and abs(sizes.sum() - 1) < 1e-6:
        # The small number saves 0.29 * 100 from its rounding error.
        sizes = np.floor(samples * sizes + 1e-9).astype(np.int64)
        sizes[: samples - sizes.sum()] += 1
    if sizes.dtype.kind == "f" or sizes.sum() != samples:
        raise ArgumentError(
            f"random_split: expected whole numbers that sum to {samples}, the number of samples, "
            f"or fractions that sum to 1; got {lengths!r} with sum {sum(lengths)}"
        )
    if sizes.min() < 1:
        raise ArgumentError(
            f"random_split: expected at least one sample in every part, got parts of "
            f"{sizes.tolist()} samples from lengths={lengths!r}"
        )
    return sizes


def _classes(where: str, labels: Any, samples: int, parts: int) -> tuple[Array, Array]:
    """The class of every sample, counted from 0, and the number of samples of each class."""
    array = as_array(where, labels)
    if array.shape != (samples,):
        raise ShapeError(
            f"{where}: expected stratify to hold one label a sample, shape ({samples},), got "
            f"{array.shape}"
        )
    if array.dtype.kind not in "iub":
        raise DTypeError(f"{where}: expected stratify to hold integer labels, got {array.dtype}")
    names, classes, sizes = np.unique(array, return_inverse=True, return_counts=True)
    rare = int(sizes.argmin())
    if sizes[rare] < parts:
        raise ArgumentError(
            f"{where}: cannot give each of {parts} parts its share of class {names[rare]}, which "
            f"has {sizes[rare]} samples. Merge rare classes or leave stratify out"
        )
    return classes, sizes


def _evenly(classes: Array, sizes: Array, rng: np.random.Generator) -> Array:
    """A random order in which the samples of every class come at even distances."""
    shuffled = rng.permutation(len(classes))
    by_class = shuffled[np.argsort(classes[shuffled], kind="stable")]
    rank = np.arange(len(classes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    offset = rng.random(len(sizes))
    place = (rank + np.repeat(offset, sizes)) / np.repeat(sizes, sizes)
    return by_class[np.argsort(place, kind="stable")]
