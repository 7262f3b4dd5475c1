"""Steps that shift and scale each entry by itself: which axes their statistics are taken over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.errors import ArgumentError, ShapeError
from ...engine.types import Array, Shape
from .transformer import Transformer

Axes = int | Sequence[int] | None


class EntrywiseTransformer(Transformer):
    """A transformer whose statistics have the shape of the data, 1 along the axes in `axis`."""

    axis: Axes

    def _axes(self, where: str, array: Array) -> tuple[int, ...]:
        """`axis` as positive numbers; the axis of the samples is one of them."""
        axis = range(array.ndim) if self.axis is None else self.axis
        try:
            axes = np.lib.array_utils.normalize_axis_tuple(axis, array.ndim)
        except (ValueError, TypeError) as error:
            raise ArgumentError(
                f"{where}: expected axes of data of shape {array.shape}, got axis={self.axis!r}"
            ) from error
        if 0 not in axes:
            raise ArgumentError(
                f"{where}: expected axes with 0, that of the samples, among them, got "
                f"axis={self.axis!r}; statistics of single samples need no fitting"
            )
        return axes

    def _kept(self) -> Array | None:
        """A statistic, with the axes kept at length 1."""
        raise NotImplementedError

    def _input_shape(self) -> Shape | None:
        kept = self._kept()
        return None if kept is None else kept.shape[1:]


def check_images(where: str, array: Array) -> None:
    """Raise `ShapeError` for what is no batch of images."""
    if array.ndim != 4:
        raise ShapeError(
            f"{where}: expected images of shape (N, C, H, W), got {array.shape}; write "
            f"x.reshape(-1, channels, height, width), or x.transpose(0, 3, 1, 2) for channels last"
        )


def check_axis(name: str, axis: Any) -> None:
    """Raise `ArgumentError` for what cannot be an axis of anything."""
    entries = axis if isinstance(axis, (tuple, list)) else () if axis is None else (axis,)
    if any(isinstance(a, bool) or not isinstance(a, (int, np.integer)) for a in entries):
        raise ArgumentError(
            f"{name}: expected axis to be an integer, several of them or None, got {axis!r}"
        )


def divisor(lengths: Array, dtype: np.dtype[Any]) -> Array:
    """`lengths` in `dtype`, 1 where there is nothing to divide by, not even in that precision."""
    cast = lengths.astype(dtype)
    return np.where(cast == 0, cast.dtype.type(1), cast)
