"""Checks of arguments that more than one file of this folder makes."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.arrays import to_array
from ..engine.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError
from ..engine.modes import generator as library_generator
from ..engine.tensor import Tensor
from ..engine.types import Array


def as_array(where: str, values: Any) -> Array:
    """`values` as an array of numbers; tensors give their data, Python floats take the default.

    Raises `DTypeError` for text, objects and ragged lists, and `ArgumentError` for a tensor whose
    gradient would be lost.
    """
    if isinstance(values, Tensor) and values.requires_grad:
        raise ArgumentError(
            f"{where}: expected data, got a tensor that requires a gradient, which would be lost "
            f"here; write x.detach()"
        )
    return to_array(values)


def same_length(where: str, arrays: Sequence[Array]) -> int:
    """The common, positive length of `arrays` along their first axis."""
    if not arrays:
        raise ArgumentError(f"{where}: expected at least one array, got none")
    for position, array in enumerate(arrays):
        if array.ndim == 0:
            raise ShapeError(
                f"{where}: array {position} is a single number, expected one entry per sample "
                f"along axis 0; write np.atleast_1d(...)"
            )
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1:
        raise ShapeError(
            f"{where}: expected arrays with the same number of samples along axis 0, got "
            f"lengths {', '.join(map(str, lengths))} from shapes "
            f"{', '.join(str(array.shape) for array in arrays)}"
        )
    if lengths[0] == 0:
        raise ArgumentError(
            f"{where}: expected at least one sample, got shape {arrays[0].shape}; check the "
            f"filter or slice that made the data"
        )
    return lengths[0]


def positive_integer(where: str, name: str, value: Any, least: int = 1) -> int:
    """`value` as a Python integer of at least 1, or of at least `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise ArgumentError(f"{where}: expected {name} to be an integer >= {least}, got {value!r}")
    return number


def as_generator(where: str, seed: np.random.Generator | int) -> np.random.Generator:
    """A NumPy generator from a seed; a generator as it is."""
    if isinstance(seed, np.random.Generator):
        return seed
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ArgumentError(
            f"{where}: expected an integer seed >= 0 or a generator such as "
            f"np.random.default_rng(0), got {seed!r}"
        )
    return np.random.default_rng(seed)


def optional_generator(
    where: str, generator: np.random.Generator | int | None
) -> np.random.Generator | None:
    """As `as_generator`; None stays None and stands for the library's generator at the time."""
    return None if generator is None else as_generator(where, generator)


def or_library(generator: np.random.Generator | None) -> np.random.Generator:
    """The generator, or else the one that `tg.manual_seed` seeds, asked for when it is needed."""
    return library_generator() if generator is None else generator


def whole_numbers(where: str, what: str, values: Any) -> Array:
    """`values` as an int64 array of shape (k,); `what` names them in the errors."""
    if not isinstance(values, np.ndarray):
        values = list(values)
    array: Array = np.asarray(values, dtype=None if len(values) else np.int64)
    if array.ndim != 1:
        raise ShapeError(
            f"{where}: expected {what} to be a flat list, got an array of shape {array.shape}"
        )
    if array.dtype.kind not in "iu":
        advice = "; write np.flatnonzero(mask)" if array.dtype.kind == "b" else ""
        raise DTypeError(f"{where}: expected {what} to be integers, got {array.dtype}{advice}")
    return array.astype(np.int64, copy=False)


def positions_in(where: str, what: str, values: Any, samples: int) -> Array:
    """`values` as positions of samples, counted from the end where negative."""
    array = whole_numbers(where, what, values)
    wrong = (array < -samples) | (array >= samples)
    if wrong.any():
        raise IndexOutOfRange(
            f"{where}: expected {what} to lie between 0 and {samples - 1}, the positions of "
            f"{samples} samples, got {array[wrong][0]}"
        )
    return np.where(array < 0, array + samples, array)


def length_of(where: str, source: Any) -> int:
    """The number of samples of a data set, or the number itself; at least 1."""
    samples = source if isinstance(source, (int, np.integer)) else len(source)
    if samples < 1:
        raise ArgumentError(
            f"{where}: expected at least one sample, got an empty data set; check the filter or "
            f"slice that made it"
        )
    return int(samples)
