"""From samples to a batch: what the samples have in common becomes a new first axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..engine.arrays import to_array
from ..engine.errors import ArgumentError, DTypeError, ShapeError
from ..engine.types import Array
from .checks import as_array

_NUMBERS = (bool, int, float)


def default_collate(samples: Sequence[Any]) -> Any:
    """Join samples of one structure into a batch of that structure.

    Arrays and numbers are stacked along a new first axis, tensors give their data, tuples, lists
    and dicts are joined entry by entry, strings and bytes are listed. Python floats take the
    default dtype, everything else keeps its own.

    Args:
        samples: a sequence of at least one sample.

    Raises `ShapeError` for arrays of different shapes (sequences of different lengths want a
    `collate_fn` that pads), `ArgumentError` for structures that differ, for None and for tensors
    that require a gradient, `DTypeError` for objects that are no numbers.

    Example:
        >>> import numpy as np
        >>> import tinygrad_cs as tg
        >>> image, label = tg.data.default_collate([(np.zeros(3), 7), (np.ones(3), 2)])
        >>> image.shape, label
        ((2, 3), array([7, 2]))
        >>> tg.data.default_collate([{"x": 1.5, "name": "a"}, {"x": 2.5, "name": "b"}])
        {'x': array([1.5, 2.5], dtype=float32), 'name': ['a', 'b']}
    """
    if not samples:
        raise ArgumentError("default_collate: expected at least one sample, got none")
    first = samples[0]
    if isinstance(first, Mapping):
        _same(samples, "keys", _keys)
        return {key: default_collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, (tuple, list)):
        _same(samples, "number of entries", _entries)
        columns = [default_collate(column) for column in zip(*samples, strict=True)]
        if hasattr(first, "_fields"):
            return type(first)(*columns)
        return tuple(columns) if isinstance(first, tuple) else columns
    if isinstance(first, (str, bytes)):
        return list(samples)
    return _stacked(samples)


def _keys(sample: Any) -> Any:
    return sorted(map(str, sample)) if isinstance(sample, Mapping) else type(sample).__name__


def _entries(sample: Any) -> Any:
    return len(sample) if isinstance(sample, (tuple, list)) else type(sample).__name__


def _same(samples: Sequence[Any], what: str, of: Callable[[Any], Any]) -> None:
    expected = of(samples[0])
    for position, sample in enumerate(samples):
        if (found := of(sample)) != expected:
            raise ArgumentError(
                f"default_collate: expected every sample of a batch to have the same {what}, got "
                f"{expected!r} in the first and {found!r} in sample {position} of the batch; give "
                f"the loader a collate_fn that joins them"
            )


def _stacked(samples: Sequence[Any]) -> Array:
    where = "default_collate"
    if type(samples[0]) in _NUMBERS and all(type(sample) in _NUMBERS for sample in samples):
        return to_array(list(samples))
    arrays = [_array(where, position, sample) for position, sample in enumerate(samples)]
    for position, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            raise ShapeError(
                f"{where}: expected arrays of equal shapes in a batch, got {arrays[0].shape} in "
                f"the first and {array.shape} in sample {position} of the batch; crop or pad the "
                f"samples, or give the loader a collate_fn that does"
            )
    return np.stack(arrays)


def _array(where: str, position: int, sample: Any) -> Array:
    if type(sample) is np.ndarray and sample.dtype.kind in "fiub":
        return sample
    if sample is None:
        raise ArgumentError(
            f"{where}: sample {position} of the batch is None, expected numbers; does __getitem__ "
            f"of the data set return its sample on every path?"
        )
    try:
        return as_array(where, sample)
    except DTypeError as error:
        raise DTypeError(
            f"{where}: expected numbers, arrays, tensors, strings, or tuples, lists and dicts of "
            f"them; sample {position} of the batch is {type(sample).__name__}: {error}"
        ) from error


def read_samples(dataset: Any, positions: Array) -> list[Any]:
    """The samples one by one; an error says which sample it came from."""
    samples = []
    for position in positions.tolist():
        try:
            samples.append(dataset[position])
        except Exception as error:
            error.add_note(f"raised by sample {position} of {type(dataset).__name__}")
            raise
    return samples


def read_batch(dataset: Any, positions: Array) -> Any:
    """The samples at `positions`, joined: by the data set itself where it can."""
    take = batch_reader(dataset)
    return default_collate(read_samples(dataset, positions)) if take is None else take(positions)


def batch_reader(dataset: Any) -> Callable[[Array], Any] | None:
    """The `take` of a data set, if there is one and it knows what `__getitem__` does."""
    for kind in type(dataset).__mro__:
        if "take" in vars(kind):
            bound: Callable[[Array], Any] = dataset.take
            return bound
        if "__getitem__" in vars(kind):
            # A subclass changed the samples: the take of its parent would pass them over.
            return None
    return None
