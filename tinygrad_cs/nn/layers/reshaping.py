"""Layers that change the shape, not the values; and resizing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ... import ops
from ...engine.errors import ArgumentError, ShapeError
from .. import functional
from ..foreign import described, with_shape
from ..functional.arguments import per_axis
from ..module import Module

__all__ = ["Flatten", "Unflatten", "Upsample"]


class Flatten(Module):
    """Several axes laid end to end as one, by default all but the batch: (N, C, L) to (N, C L).

    Args:
        start_dim: the first of them (default 1).
        end_dim: the last of them (default -1).

    The order is row by row: the last axis varies fastest, channels slowest. A `Linear` layer behind
    it relies on it, so weights trained on images as (N, H, W, C), or after other axes were swapped,
    do not fit even where the count does. Raises `ShapeError` for an input without these axes.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> nn.Flatten()(np.ones((8, 16, 5, 5))).shape
        (8, 400)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        for dim in (start_dim, end_dim):
            if not isinstance(dim, int):
                raise ArgumentError(
                    f"Flatten: start_dim and end_dim are whole numbers, got "
                    f"{described(dim, 'Flatten')}"
                )
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Any) -> Any:
        """The axes from `start_dim` to `end_dim` become one."""
        input = with_shape(input)
        shape, n = input.shape, input.ndim
        first, last = (axis + n if axis < 0 else axis for axis in (self.start_dim, self.end_dim))
        if not 0 <= first <= last < n:
            raise ShapeError(
                f"Flatten: start_dim={self.start_dim} and end_dim={self.end_dim} need an input "
                f"that has these axes, in this order; got shape {shape}"
            )
        joined = math.prod(shape[first : last + 1])
        return ops.reshape(input, (*shape[:first], joined, *shape[last + 1 :]))

    def extra_repr(self) -> str:
        """The axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """One axis as several, row by row: undoes `Flatten`.

    Args:
        dim: the axis.
        unflattened_size: its new lengths; one of them may be -1, for what is left.

    Raises `ArgumentError` for other lengths, `ShapeError` where the axis has not as many entries.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> nn.Unflatten(1, (16, 5, 5))(np.ones((8, 400))).shape
        (8, 16, 5, 5)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        sizes = tuple(unflattened_size) if isinstance(unflattened_size, Sequence) else ()
        if (
            not isinstance(dim, int)
            or not sizes
            or not all(isinstance(n, int) and n >= -1 for n in sizes)
            or sizes.count(-1) > 1
        ):
            raise ArgumentError(
                f"Unflatten: expected an axis and a sequence of lengths, of which one may be -1; "
                f"got {dim!r} and {unflattened_size!r}"
            )
        self.dim = dim
        self.unflattened_size = sizes

    def forward(self, input: Any) -> Any:
        """The axis `dim` becomes as many as there are lengths."""
        input = with_shape(input)
        shape, n, sizes = input.shape, input.ndim, self.unflattened_size
        axis = self.dim + n if self.dim < 0 else self.dim
        known = math.prod(size for size in sizes if size >= 0)
        length = shape[axis] if 0 <= axis < n else None
        if length is None or (length != known if -1 not in sizes else not known or length % known):
            raise ShapeError(
                f"Unflatten: axis {self.dim} of an input of shape {shape} cannot become {sizes}"
            )
        sizes = tuple(length // known if size == -1 else size for size in sizes)
        return ops.reshape(input, (*shape[:axis], *sizes, *shape[axis + 1 :]))

    def extra_repr(self) -> str:
        """The axis and its lengths."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Upsample(Module):
    """Data resized along its spatial axes, by copies of the nearest entry or by interpolation.

    Args:
        size: the new length, or one for each axis.
        scale_factor: instead of `size`, new lengths in multiples of the old.
        mode: "nearest" (default), "linear" for (N, C, L) or "bilinear" for (N, C, H, W).
        align_corners: see `nn.functional.interpolate`.

    Followed by a convolution it grows images without the checkerboards of `ConvTranspose2d`. Raises
    `ArgumentError` unless exactly one of `size` and `scale_factor` is given.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> nn.Upsample(scale_factor=2, mode="bilinear")(np.ones((1, 3, 7, 7), "float32")).shape
        (1, 3, 14, 14)
    """

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
    ) -> None:
        if (size is None) == (scale_factor is None):
            raise ArgumentError("Upsample: give either size or scale_factor")
        if mode not in ("nearest", "linear", "bilinear"):
            raise ArgumentError(
                f"Upsample: mode must be 'nearest', 'linear' or 'bilinear', got {mode!r}"
            )
        if size is not None:
            per_axis(size, len(size) if isinstance(size, Sequence) else 1, "size", "Upsample")
        self.size = size
        self.scale_factor = scale_factor
        self.mode = mode
        self.align_corners = align_corners

    def forward(self, input: Any) -> Any:
        """(N, C, L) or (N, C, H, W) with other lengths at the end."""
        return functional.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners
        )

    def extra_repr(self) -> str:
        """The size or the factor, and the mode."""
        to = f"size={self.size}" if self.size is not None else f"scale_factor={self.scale_factor}"
        return f"{to}, mode={self.mode!r}"
