"""Some samples of whatever a training takes as data, without moving its loader or generators."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from ...data import DataLoader, Dataset, TensorDataset
from ...engine.errors import ArgumentError
from ...engine.modes import generator
from ...engine.tensor import Tensor
from ...engine.types import Array, np
from ...training.batches import Batch, as_loader, check_batch

EVALUATION_BATCH = 256


def some_samples(where: str, data: Any, count: int, seed: int) -> tuple[Array, ...]:
    """At most `count` samples as arrays, inputs first, the target last.

    Of arrays and data sets they are drawn at random by the seed, because a file may be sorted by
    class; of a loader they are those of its first batches.
    """
    if isinstance(data, (tuple, list)) and len(data) > 1:
        data = _dataset(where, data)
    if isinstance(data, (np.ndarray, Tensor)):
        raise ArgumentError(f"{where}: expected inputs and targets, (x, y), got one array")
    if isinstance(data, Dataset) and not isinstance(data, DataLoader):
        if not len(data):
            raise ArgumentError(f"{where}: there are no samples")
        chosen = np.random.default_rng(seed).permutation(len(data))[:count]
        if isinstance(data, TensorDataset):
            return tuple(np.array(array[chosen]) for array in data.arrays)
        taken = [(tuple(data[int(i)])) for i in chosen]
        return _arrays(where, [tuple(np.asarray(_plain(v))[None] for v in one) for one in taken])
    batches, samples = [], 0
    for batch in batches_of(where, data, count):
        batches.append(batch)
        samples += len(batch[-1])
        if samples >= count:
            break
    return tuple(array[:count] for array in _arrays(where, batches))


def batches_of(where: str, data: Any, batch_size: int | None, shuffle: bool = False) -> Any:
    """The batches of `data`, which may be iterated over again and again; the loader stays put."""
    if isinstance(data, (tuple, list)) and len(data) > 1:
        data = _dataset(where, data)
    loader = as_loader(where, data, batch_size or EVALUATION_BATCH, shuffle)
    return _elsewhere(loader) if isinstance(loader, DataLoader) else loader


def batches_once(where: str, data: Any, batch_size: int | None = None) -> list[Batch]:
    """All batches of one epoch, in a list: a loss over them is the same function at every point."""
    random = generator().bit_generator
    state = random.state
    try:
        batches = list(batches_of(where, data, batch_size))
    finally:
        random.state = state
    for batch in batches:
        check_batch(batch)
    if not batches:
        raise ArgumentError(f"{where}: there are no batches")
    return batches


def _dataset(where: str, data: Any) -> TensorDataset:
    arrays = [np.asarray(_plain(array)) for array in data]
    lengths = {len(array) if array.ndim else 0 for array in arrays}
    if len(lengths) > 1 or 0 in lengths:
        raise ArgumentError(
            f"{where}: expected inputs and targets (x, y) of the same, positive number of samples, "
            f"got shapes {', '.join(str(array.shape) for array in arrays)}"
        )
    return TensorDataset(*arrays)


def _elsewhere(loader: DataLoader) -> DataLoader:
    """A loader of the same samples with its own position and generators."""
    twin = copy.copy(loader)
    twin._epoch = twin._loaded = None
    try:
        return copy.deepcopy(twin, {id(loader.dataset): loader.dataset})
    except Exception:  # a sampler or function that cannot be copied
        return twin


def _arrays(where: str, batches: Iterable[Batch]) -> tuple[Array, ...]:
    """Batches laid end to end."""
    parts = []
    for batch in batches:
        check_batch(batch)
        parts.append([np.asarray(_plain(value)) for value in batch])
    if not parts:
        raise ArgumentError(f"{where}: there are no batches")
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _plain(value: Any) -> Any:
    return value._data if isinstance(value, Tensor) else value
