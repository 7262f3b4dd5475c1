"""Pooling to an output of a given size, under PyTorch's names and arguments.

Window u of m over an axis of length n begins at floor(u n / m) and ends at ceil((u + 1) n / m): as
equal as whole numbers can be, overlapping where n is not a multiple of m.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ... import ops
from ...engine.errors import ShapeError
from ...ops.sliding.windows import Axis, Bins, windows
from .arguments import as_data, per_axis
from .pooling import max_over, mean_over

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
]


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest entry of each of `output_size` windows along one axis.

    Args:
        input: (N, C, L), or (C, L) for one sample.
        output_size: how many windows; they are as equal in length as possible.
        return_indices: also return where each largest entry stands in L (an integer array).

    Ties, NaN and derivatives as of `max_pool1d`. Raises `ArgumentError` for a size below 1,
    `ShapeError` for other inputs.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.adaptive_max_pool1d(tg.tensor([[[1.0, 3.0, 2.0, 0.0, 4.0]]]), 2)
        tensor([[[3., 4.]]])
    """
    along = _windows(1, input, output_size, "adaptive_max_pool1d")
    return max_over(input, along, return_indices, "adaptive_max_pool1d")


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest entry of each window of an image, with as many windows as asked for.

    Args:
        input: (N, C, H, W), or (C, H, W) for one image.
        output_size: (H', W'), or one number for both; None keeps a length.
        return_indices: also return where each largest entry stands, counted row by row in H * W.

    Ties, NaN and derivatives as of `max_pool1d`. Raises `ArgumentError` for a size below 1,
    `ShapeError` for other inputs.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> image = tg.asarray(np.arange(12.0, dtype="float32").reshape(1, 3, 4))
        >>> tg.nn.functional.adaptive_max_pool2d(image, (1, 2))
        tensor([[[ 9., 11.]]])
    """
    along = _windows(2, input, output_size, "adaptive_max_pool2d")
    return max_over(input, along, return_indices, "adaptive_max_pool2d")


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The mean of each of `output_size` windows along one axis.

    Args:
        input: (N, C, L), or (C, L) for one sample.
        output_size: how many windows; they are as equal in length as possible.

    Raises `ArgumentError` for a size below 1, `ShapeError` for other inputs.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.adaptive_avg_pool1d(tg.tensor([[[1.0, 3.0, 2.0, 0.0, 4.0]]]), 2)
        tensor([[[2., 2.]]])
    """
    return _mean(1, input, output_size, "adaptive_avg_pool1d")


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The mean of each window of an image, with as many windows as asked for.

    Args:
        input: (N, C, H, W), or (C, H, W) for one image.
        output_size: (H', W'), or one number for both; None keeps a length.

    Raises `ArgumentError` for a size below 1, `ShapeError` for other inputs.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> image = tg.asarray(np.arange(12.0, dtype="float32").reshape(1, 3, 4))
        >>> tg.nn.functional.adaptive_avg_pool2d(image, 1)
        tensor([[[5.5]]])
    """
    return _mean(2, input, output_size, "adaptive_avg_pool2d")


def _mean(axes: int, input: Any, output_size: Any, where: str) -> Any:
    along = _windows(axes, input, output_size, where)
    if all(axis.count == 1 for axis in along):
        return ops.mean(as_data(input, axes, where), axis=tuple(range(-axes, 0)), keepdims=True)
    return mean_over(input, along, along, where)


def _windows(axes: int, input: Any, output_size: Any, where: str) -> tuple[Axis, ...]:
    lengths = as_data(input, axes, where).shape[-axes:]
    if 0 in lengths:
        raise ShapeError(f"{where}: nothing to pool in an input of shape {input.shape}")
    if isinstance(output_size, Sequence) and len(output_size) == axes:
        output_size = [n if m is None else m for n, m in zip(lengths, output_size, strict=True)]
    counts = per_axis(output_size, axes, "output_size", where)
    return tuple(_bins(n, m) for n, m in zip(lengths, counts, strict=True))


@lru_cache(maxsize=256)
def _bins(n: int, m: int) -> Axis:
    if n % m == 0:
        return windows(n, n // m, n // m)
    starts = tuple(u * n // m for u in range(m))
    return Bins(n, starts, tuple(-(-(u + 1) * n // m) for u in range(m)))
