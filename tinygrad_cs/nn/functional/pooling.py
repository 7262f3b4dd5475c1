"""Pooling over windows of one size, under PyTorch's names and arguments."""

from __future__ import annotations

import math
from functools import lru_cache
from numbers import Real
from typing import Any

from ... import ops
from ...engine.errors import ArgumentError, ShapeError
from ...engine.modes import as_one
from ...engine.types import Shape
from ...ops.sliding.largest import positions_of_max
from ...ops.sliding.pooling import pick
from ...ops.sliding.window_sums import window_sum
from ...ops.sliding.windows import Axis, Windows, windows
from .arguments import as_data, per_axis, refuse_large_windows

__all__ = ["avg_pool1d", "avg_pool2d", "max_pool1d", "max_pool2d"]


def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest entry of each window along one axis.

    Args:
        input: (N, C, L), or (C, L) for one sample.
        kernel_size: length of a window.
        stride: distance of windows (default: their length).
        padding: entries of -infinity on both sides (default 0), at most half a window.
        dilation: distance of entries of a window (default 1).
        ceil_mode: does a last window count that only partly fits (default False)?
        return_indices: also return where each largest entry stands in L (an integer array).

    Of equal entries the first gets the gradient; NaN counts as larger than any number. Entries
    that are not the largest are not connected: their own derivatives, even infinite, do not count.
    Raises `ShapeError` where a window is larger than the padded input, `ArgumentError` for other
    arguments.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([[[1.0, 3.0, 2.0, 2.0]]], requires_grad=True)
        >>> y, indices = tg.nn.functional.max_pool1d(x, 2, return_indices=True)
        >>> indices
        array([[[1, 2]]])
        >>> y.sum().backward()
        >>> x.grad
        array([[[0., 1., 1., 0.]]], dtype=float32)
    """
    along = _windows(1, input, kernel_size, stride, padding, dilation, ceil_mode, "max_pool1d")
    return max_over(input, along, return_indices, "max_pool1d")


def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest entry of each window of an image.

    Args:
        input: (N, C, H, W), or (C, H, W) for one image.
        kernel_size, stride, padding, dilation: as of `max_pool1d`; a number, or one for each axis.
        ceil_mode: does a last window count that only partly fits (default False)?
        return_indices: also return where each largest entry stands, counted row by row in H * W.

    Ties, NaN and derivatives as of `max_pool1d`; the first entry is the first row by row. Raises
    `ShapeError` where a window is larger than the padded image, `ArgumentError` for other
    arguments.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> image = tg.asarray(np.arange(16.0, dtype="float32").reshape(1, 4, 4))
        >>> tg.nn.functional.max_pool2d(image, 2)
        tensor([[[ 5.,  7.],
                 [13., 15.]]])
    """
    along = _windows(2, input, kernel_size, stride, padding, dilation, ceil_mode, "max_pool2d")
    return max_over(input, along, return_indices, "max_pool2d")


def max_over(input: Any, along: tuple[Axis, ...], return_indices: bool, where: str) -> Any:
    """The largest entry of each of the windows, and where it stands if asked."""
    input = as_data(input, len(along), where)
    places = as_one(positions_of_max, getattr(input, "_data", input), along)
    out = pick(input, places)
    return (out, places % math.prod(axis.size for axis in along)) if return_indices else out


def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window along one axis.

    Args:
        input: (N, C, L), or (C, L) for one sample.
        kernel_size: length of a window.
        stride: distance of windows (default: their length).
        padding: zeros on both sides (default 0), at most half a window.
        ceil_mode: does a last window count that only partly fits (default False)?
        count_include_pad: do zeros of the padding count in the mean (default True)?

    Raises `ShapeError` where a window is larger than the padded input, `ArgumentError` for other
    arguments.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.avg_pool1d(tg.tensor([[[1.0, 3.0, 2.0, 4.0]]]), 2)
        tensor([[[2., 3.]]])
    """
    along = _windows(1, input, kernel_size, stride, padding, 1, ceil_mode, "avg_pool1d")
    return mean_over(input, along, _counted(along, padding, count_include_pad), "avg_pool1d")


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window of an image.

    Args:
        input: (N, C, H, W), or (C, H, W) for one image.
        kernel_size, stride, padding: as of `avg_pool1d`; a number, or one for each axis.
        ceil_mode: does a last window count that only partly fits (default False)?
        count_include_pad: do zeros of the padding count in the mean (default True)?
        divisor_override: divide the sums by this instead of by how many entries count.

    Raises `ShapeError` where a window is larger than the padded image, `ArgumentError` for other
    arguments.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> image = tg.asarray(np.arange(16.0, dtype="float32").reshape(1, 4, 4))
        >>> tg.nn.functional.avg_pool2d(image, 2)
        tensor([[[ 2.5,  4.5],
                 [10.5, 12.5]]])
    """
    along = _windows(2, input, kernel_size, stride, padding, 1, ceil_mode, "avg_pool2d")
    if divisor_override is not None:
        if not isinstance(divisor_override, Real) or not divisor_override:
            raise ArgumentError(
                f"avg_pool2d: divisor_override must be a number other than 0, or None for the "
                f"number of entries, got {divisor_override!r}"
            )
        total = window_sum(_in_floats(as_data(input, 2, "avg_pool2d")), along)
        return total / float(divisor_override)
    return mean_over(input, along, _counted(along, padding, count_include_pad), "avg_pool2d")


def mean_over(input: Any, along: tuple[Axis, ...], counted: tuple[Axis, ...], where: str) -> Any:
    """The sum of each of the windows, divided by how many entries those of `counted` see."""
    input = _in_floats(as_data(input, len(along), where))
    total = window_sum(input, along)
    divisor = _entries(counted)
    if type(divisor) is int:
        return total / divisor
    return total / divisor.astype(input.dtype)


def _in_floats(input: Any) -> Any:
    """Sums of small integers would wrap."""
    return input if input.dtype.kind == "f" else ops.astype(input, float)


@lru_cache(maxsize=64)
def _entries(counted: tuple[Axis, ...]) -> Any:
    """How many entries each window sees: one number, or an array where they differ."""
    counts = [axis.sees for axis in counted]
    if all((count == count[0]).all() for count in counts):
        return math.prod(int(count[0]) for count in counts)
    return math.prod([c.reshape(-1, *[1] * k) for k, c in enumerate(reversed(counts))])


def _counted(along: tuple[Windows, ...], padding: Any, with_padding: bool) -> tuple[Windows, ...]:
    """The windows whose entries count in the mean: those that are summed, or with the padding.

    What `ceil_mode` lets a window reach beyond the padding never counts.
    """
    if not with_padding or not any(axis.low or axis.high for axis in along):
        return along
    pads = per_axis(padding, len(along), "padding", "avg_pool", least=0)
    return tuple(
        windows(axis.size + 2 * pad, axis.kernel, axis.stride, 0, axis.high - pad)
        for axis, pad in zip(along, pads, strict=True)
    )


def _windows(
    axes: int, input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: bool, where: str,
) -> tuple[Windows, ...]:  # fmt: skip
    input = as_data(input, axes, where)
    kernel = per_axis(kernel_size, axes, "kernel_size", where)
    steps = kernel if stride is None else per_axis(stride, axes, "stride", where)
    pads = per_axis(padding, axes, "padding", where, least=0)
    gaps = per_axis(dilation, axes, "dilation", where)
    return _geometry(input.shape, kernel, steps, pads, gaps, bool(ceil_mode), where)


@lru_cache(maxsize=256)
def _geometry(
    shape: Shape, kernel: Shape, steps: Shape, pads: Shape, gaps: Shape, ceil_mode: bool, where: str
) -> tuple[Windows, ...]:
    along = []
    for n, k, s, p, d in zip(shape[-len(kernel) :], kernel, steps, pads, gaps, strict=True):
        axis = windows(n, k, s, p, p, d)
        if p > k // 2:
            raise ArgumentError(
                f"{where}: padding must be at most half of kernel_size, got padding={p} with "
                f"kernel_size={k}; a window of padding alone would have no value"
            )
        if ceil_mode:
            axis = _with_last(axis)
        along.append(axis)
    refuse_large_windows(along, where)
    for axis in along:
        if not axis.sees.all():
            raise ShapeError(
                f"{where}: with dilation {axis.dilation} some window of {axis.kernel} sees nothing "
                f"but padding of an input of shape {shape}; use less dilation or padding"
            )
    return tuple(along)


def _with_last(axis: Windows) -> Windows:
    """One more window at the end, unless it would begin beyond the input and its first padding."""
    count = -(-(axis.size + 2 * axis.low - axis.reach) // axis.stride) + 1
    if (count - 1) * axis.stride >= axis.size + axis.low:
        count -= 1
    high = (count - 1) * axis.stride + axis.reach - axis.size - axis.low
    return windows(axis.size, axis.kernel, axis.stride, axis.low, high, axis.dilation)
