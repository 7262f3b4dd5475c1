"""Samples by position: what a loader asks of a data set, and arrays side by side as one."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from ..engine.types import Array
from .checks import as_array, same_length


@runtime_checkable
class Dataset(Protocol):
    """What `DataLoader` needs: a length, and the samples at an array of positions.

    `dataset[positions]` with int64 positions of shape (k,) returns a tuple of arrays of length k.

    Example:
        >>> import tinygrad_cs as tg
        >>> class Squares:
        ...     def __len__(self):
        ...         return 4
        ...     def __getitem__(self, positions):
        ...         return positions, positions**2
        >>> [batch[1].tolist() for batch in tg.data.DataLoader(Squares(), batch_size=2)]
        [[0, 1], [4, 9]]
    """

    def __len__(self) -> int: ...

    def __getitem__(self, positions: Any, /) -> tuple[Array, ...]: ...


class TensorDataset:
    """Arrays whose first axes run over the same samples, indexed together.

    Arrays, tensors (their data) and lists of numbers are held by reference, of any shape (n, ...)
    and numeric dtype. `dataset[i]` gives a tuple with one entry per array; indexing follows NumPy.
    Raises `ArgumentError` without arrays or samples, `ShapeError` for different lengths and
    single numbers, `DTypeError` for text and objects.

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
        return tuple(array.take(positions, axis=0) for array in self.arrays)

    def __repr__(self) -> str:
        arrays = ", ".join(f"{array.dtype}{list(array.shape)}" for array in self.arrays)
        return f"TensorDataset({arrays})"
