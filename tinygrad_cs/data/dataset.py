"""Samples by position: arrays side by side, data sets in a row, and parts of a data set."""

from __future__ import annotations

from itertools import accumulate
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ..engine.errors import ArgumentError, IndexOutOfRange
from ..engine.types import Array
from .checks import as_array, length_of, positions_in, same_length
from .collate import default_collate, read_batch, read_samples


@runtime_checkable
class Dataset(Protocol):
    """What `DataLoader` needs: a length, and the sample at each position from 0.

    Any class with the two methods will do; deriving from this one is allowed. A sample is an
    array, a number, a string, or tuples, lists and dicts of them, as `default_collate` joins them.

    A data set that reads many samples faster than one by one also defines `take(positions)`: from
    int64 positions of shape (k,) it makes the batch, already joined.

    Example:
        >>> import tinygrad_cs as tg
        >>> class Squares(tg.data.Dataset):
        ...     def __len__(self):
        ...         return 4
        ...     def __getitem__(self, position):
        ...         return position, position**2
        >>> [batch[1].tolist() for batch in tg.data.DataLoader(Squares(), batch_size=2)]
        [[0, 1], [4, 9]]
    """

    def __len__(self) -> int: ...

    def __getitem__(self, position: Any, /) -> Any: ...


class TensorDataset:
    """Arrays whose first axes run over the same samples, indexed together.

    Arrays, tensors (their data) and lists of numbers are held by reference, of any shape (n, ...)
    and numeric dtype. `dataset[i]` gives a tuple with one entry per array; indexing follows NumPy.
    Arrays on disk (`np.memmap`, `np.load(..., mmap_mode="r")`) stay there: only what a batch needs
    is read. Raises `ArgumentError` without arrays or samples, `ShapeError` for different lengths
    and single numbers, `DTypeError` for text and objects.

    Example:
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> dataset = tg.data.TensorDataset(np.eye(3), np.array([7, 8, 9]))
        >>> len(dataset)
        3
        >>> dataset[1]
        (array([0., 1., 0.]), np.int64(8))
    """

    arrays: tuple[Array, ...]

    def __init__(self, *arrays: Any) -> None:
        self.arrays = tuple(as_array("TensorDataset", array) for array in arrays)
        self._length = same_length("TensorDataset", self.arrays)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, positions: Any, /) -> tuple[Array, ...]:
        return tuple(array[positions] for array in self.arrays)

    def take(self, positions: Array) -> tuple[Array, ...]:
        """The samples at integer `positions` of shape (k,), copied.

        Raises NumPy's `IndexError` for a position that does not exist.

        Example:
            >>> import tinygrad_cs as tg
            >>> dataset = tg.data.TensorDataset([1, 2, 3])
            >>> dataset.take([2, 0])
            (array([3, 1]),)
        """
        # Half the time of indexing for rows of a matrix, and never a view.
        return tuple([array.take(positions, axis=0) for array in self.arrays])

    def __repr__(self) -> str:
        arrays = ", ".join(f"{array.dtype}{list(array.shape)}" for array in self.arrays)
        return f"TensorDataset({arrays})"


class Subset:
    """Some samples of a data set, in an order of one's own.

    Args:
        dataset: a data set, held by reference.
        indices: positions in it, a list or array of shape (k,); repeated ones count repeatedly.

    Raises `IndexOutOfRange` for a position that the data set does not have, `DTypeError` for
    positions that are no integers, among them masks.

    Example:
        >>> import tinygrad_cs as tg
        >>> odd = tg.data.Subset(tg.data.TensorDataset([0, 1, 2, 3]), [1, 3])
        >>> len(odd), odd[1]
        (2, (np.int64(3),))
    """

    def __init__(self, dataset: Dataset, indices: Any) -> None:
        self.dataset = dataset
        self.indices = positions_in("Subset", "indices", indices, len(dataset))

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, position: Any, /) -> Any:
        chosen = self.indices[position]
        return self.dataset[int(chosen) if chosen.ndim == 0 else chosen]

    def take(self, positions: Array) -> Any:
        """The samples at integer `positions` of this part, joined.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.data.Subset(tg.data.TensorDataset([5, 6, 7]), [2, 0]).take([0])
            (array([7]),)
        """
        return read_batch(self.dataset, self.indices[positions])

    def __repr__(self) -> str:
        return f"Subset({len(self)} of {self.dataset!r})"


class ConcatDataset:
    """Data sets in a row, as one: the samples of the first, then those of the second, and so on.

    Args:
        datasets: at least one data set; together they have at least one sample.

    Raises `ArgumentError` without data sets or samples, and, where samples are read,
    `IndexOutOfRange` for a position that does not exist.

    Example:
        >>> import tinygrad_cs as tg
        >>> both = tg.data.ConcatDataset([tg.data.TensorDataset([1]), tg.data.TensorDataset([2])])
        >>> len(both), both[1]
        (2, (np.int64(2),))
    """

    def __init__(self, datasets: Any) -> None:
        self.datasets: list[Dataset] = list(datasets)
        for dataset in self.datasets:
            if not isinstance(dataset, Dataset):
                raise ArgumentError(
                    f"ConcatDataset: expected a list of data sets, got "
                    f"{type(dataset).__name__} in it"
                )
        self.ends = np.array(list(accumulate(map(len, self.datasets))), np.int64)
        length_of("ConcatDataset", int(self.ends[-1]) if len(self.ends) else 0)

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __getitem__(self, position: Any, /) -> Any:
        samples = len(self)
        if not -samples <= position < samples:
            raise IndexOutOfRange(
                f"ConcatDataset: expected a position below {samples}, the number of samples, got "
                f"{position}"
            )
        which, within = self._places(np.array([position]))
        return self.datasets[which[0]][int(within[0])]

    def take(self, positions: Array) -> Any:
        """The samples at integer `positions` of shape (k,), joined.

        Example:
            >>> import tinygrad_cs as tg
            >>> both = tg.data.ConcatDataset([tg.data.TensorDataset([k, -k]) for k in (1, 2)])
            >>> both.take([3, 0])
            (array([-2,  1]),)
        """
        which, within = self._places(positions_in("take", "positions", positions, len(self)))
        if len(which) and (which == which[0]).all():
            return read_batch(self.datasets[which[0]], within)
        if not all(type(dataset) is TensorDataset for dataset in self.datasets):
            return default_collate(read_samples(self, positions))
        # One gathering a data set; then back to the order that was asked for.
        grouped = np.argsort(which, kind="stable")
        ends = np.searchsorted(which[grouped], np.arange(len(self.datasets)), side="right")
        parts = [
            read_batch(dataset, within[places])
            for dataset, places in zip(self.datasets, np.split(grouped, ends[:-1]), strict=True)
            if len(places)
        ]
        back = np.empty_like(grouped)
        back[grouped] = np.arange(len(grouped))
        return tuple(np.concatenate(column)[back] for column in zip(*parts, strict=True))

    def _places(self, positions: Array) -> tuple[Array, Array]:
        positions = np.where(positions < 0, positions + len(self), positions)
        which = np.searchsorted(self.ends, positions, side="right")
        return which, positions - np.concatenate([[0], self.ends])[which]

    def __repr__(self) -> str:
        return f"ConcatDataset({self.datasets!r})"
