"""Mini-batches: every sample once an epoch, in order or in a seeded random order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..engine.errors import ArgumentError
from ..engine.modes import generator as library_generator
from ..engine.tensor import Tensor
from ..engine.types import Array
from .checks import as_generator, positive_integer
from .dataset import Dataset, TensorDataset


class DataLoader:
    """Iterate over a data set in batches; each `for` loop over the loader is one epoch.

    `dataset` is a `TensorDataset` or any `Dataset`; a batch is a tuple of NumPy arrays, each of
    shape (batch_size, ...), copied from the data; the last one is shorter where the batch size
    does not divide the number of samples, and left out with `drop_last=True`. `shuffle=True`
    draws one permutation an epoch from `generator`: a NumPy generator, an integer seed (a new
    loader with this seed repeats the same epochs), or by default the generator that
    `tg.manual_seed` seeds. `len(loader)` is the number of batches an epoch.

    Raises `ArgumentError` for a batch size that is no integer >= 1, an empty data set, a bare
    array or list instead of a data set, a seed that is no integer >= 0, and where `drop_last`
    would leave no batch at all.

    Example:
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> dataset = tg.data.TensorDataset(np.arange(5), np.arange(5) ** 2)
        >>> for x, y in tg.data.DataLoader(dataset, batch_size=2):
        ...     print(x, y)
        [0 1] [0 1]
        [2 3] [4 9]
        [4] [16]
        >>> loader = tg.data.DataLoader(dataset, batch_size=5, shuffle=True, generator=0)
        >>> first, second = ([x.tolist() for x, y in loader] for epoch in range(2))
        >>> first == second, sorted(first[0]) == sorted(second[0])
        (False, True)
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int = 1,
        shuffle: bool = False,
        drop_last: bool = False,
        generator: np.random.Generator | int | None = None,
    ) -> None:
        self.dataset = _checked(dataset)
        self.batch_size = positive_integer("DataLoader", "batch_size", batch_size)
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.generator = None if generator is None else as_generator("DataLoader", generator)
        samples = len(dataset)
        if samples == 0:
            raise ArgumentError("DataLoader: expected at least one sample, got an empty data set")
        if drop_last and samples < self.batch_size:
            raise ArgumentError(
                f"DataLoader: drop_last=True leaves no batch of {self.batch_size} out of "
                f"{samples} samples; write batch_size={samples} or drop_last=False"
            )

    def __len__(self) -> int:
        samples = len(self.dataset)
        return samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        samples, size = len(self.dataset), self.batch_size
        if self.shuffle:
            # Asked for at every epoch, so that tg.manual_seed works after the loader is made.
            order = (self.generator or library_generator()).permutation(samples)
        else:
            order = np.arange(samples)
        dataset = self.dataset
        fetch = dataset.take if isinstance(dataset, TensorDataset) else dataset.__getitem__
        end = samples - samples % size if self.drop_last else samples
        for start in range(0, end, size):
            yield fetch(order[start : start + size])

    def __repr__(self) -> str:
        return (
            f"DataLoader({self.dataset!r}, batch_size={self.batch_size}, "
            f"shuffle={self.shuffle}, drop_last={self.drop_last})"
        )


def _checked(dataset: Any) -> Dataset:
    # Arrays, lists and tensors have a length and an index too, but would give bare samples.
    if isinstance(dataset, (np.ndarray, list, tuple, Tensor)) or not isinstance(dataset, Dataset):
        raise ArgumentError(
            f"DataLoader: expected a data set, got {type(dataset).__name__}; "
            f"write DataLoader(TensorDataset(x, y), ...)"
        )
    return dataset
