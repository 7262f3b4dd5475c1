"""Checks of what a `DataLoader` is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.errors import ArgumentError
from ..engine.tensor import Tensor
from .dataset import Dataset

if TYPE_CHECKING:
    from .loader import DataLoader


def check_dataset(dataset: Any) -> Dataset:
    """The data set; raises `ArgumentError` for anything else."""
    # Arrays, lists and tensors have a length and an index too, but would give bare samples.
    if isinstance(dataset, (np.ndarray, list, tuple, Tensor)) or not isinstance(dataset, Dataset):
        raise ArgumentError(
            f"DataLoader: expected a data set, got {type(dataset).__name__}; "
            f"write DataLoader(TensorDataset(x, y), ...)"
        )
    return dataset


def check_timeout(timeout: float | None, num_workers: int) -> float | None:
    """Seconds to wait, None for ever."""
    if timeout is None or timeout == 0:
        return None
    if not 0 < timeout < float("inf"):
        raise ArgumentError(f"DataLoader: expected timeout in seconds > 0, got {timeout!r}")
    if not num_workers:
        raise ArgumentError(
            f"DataLoader: timeout={timeout} needs workers to wait for; write num_workers=1"
        )
    return timeout


def check_order(loader: DataLoader, sampler: bool, batch_sampler: bool) -> None:
    """Raise `ArgumentError` where the order is given twice, or leaves no batch."""
    where, samples = "DataLoader", len(loader.dataset)
    if batch_sampler and (loader.batch_size != 1 or loader.shuffle or sampler or loader.drop_last):
        raise ArgumentError(
            f"{where}: a batch_sampler decides alone what a batch is; leave out batch_size, "
            f"shuffle, sampler and drop_last"
        )
    if sampler and loader.shuffle:
        raise ArgumentError(
            f"{where}: a sampler decides the order; leave out shuffle, or write "
            f"sampler=RandomSampler(...)"
        )
    if samples == 0:
        raise ArgumentError(f"{where}: expected at least one sample, got an empty data set")
    if loader.drop_last and not sampler and samples < loader.batch_size:
        raise ArgumentError(
            f"{where}: drop_last=True leaves no batch of {loader.batch_size} out of "
            f"{samples} samples; write batch_size={samples} or drop_last=False"
        )
