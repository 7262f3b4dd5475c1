"""Checks of arguments that more than one file of this folder makes."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.arrays import to_array
from ..engine.errors import ArgumentError, ShapeError
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


def positive_integer(where: str, name: str, value: Any) -> int:
    """`value` as a Python integer of at least 1."""
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise ArgumentError(f"{where}: expected {name} to be an integer >= 1, got {value!r}")
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
