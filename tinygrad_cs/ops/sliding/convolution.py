"""Convolution, and the two products its derivatives consist of.

out[n, o, u, v] = sum over c, i, j of w[o, c, i, j] * x[n, c, y(u, i), z(v, j)]  is linear in x and
in w. So the cotangent of x is a product of g and w (`conv_input`, known as transposed convolution)
and that of w a product of x and g (`conv_weight`). Each of the three has the other two as its
derivatives: there are derivatives of any order and no further formula.

How they are computed: a matrix product per kernel row, on the copies of `row_windows.py`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from ...engine.define import operation
from ...engine.record import LINEAR
from ...engine.types import Array, np
from ..reductions.reductions import sum
from .convolution_cases import (
    biased_cases,
    biased_reference,
    conv_cases,
    conv_reference,
    input_cases,
    input_reference,
    weight_cases,
    weight_reference,
)
from .row_windows import RowWindows, buffer_for, columns_spread, parts_of_batch
from .small_products import product, summed_product
from .windows import Windows

Axes: TypeAlias = tuple[Windows, ...]
"""The windows along each spatial axis: one or two."""

_ONE_ROW = Windows(size=1, kernel=1)


def _rows_and_cols(axes: Axes) -> tuple[Windows, Windows]:
    """Data with one spatial axis is an image of one row."""
    return (_ONE_ROW, *axes) if len(axes) == 1 else axes  # type: ignore[return-value]


def _image(x: Any) -> Any:
    return x if x.ndim == 4 else np.expand_dims(x, 2)


def _convolve(x: Any, w: Any, bias: Any, axes: Axes, groups: int) -> Array:
    rows, cols = _rows_and_cols(axes)
    x, w = _image(x), _image(w)
    dtype = np.result_type(x, w) if bias is None else np.result_type(x, w, bias)
    o, c, kh, kw = w.shape
    # (i, group, o, c * j): a matrix for each kernel row
    matrices = w.reshape(groups, o // groups, c, kh, kw).transpose(3, 0, 1, 2, 4)
    matrices = matrices.reshape(kh, groups, o // groups, c * kw)
    out = np.empty((len(x), groups, o // groups, rows.count * cols.count), dtype)
    windows = RowWindows(x, rows, cols, groups, dtype)
    term = None
    for part, copy in windows.copies():
        total = product(matrices[0], copy[..., windows.runs[0]], out=out[part])
        term = np.empty_like(total) if term is None else term[: len(total)]
        for matrix, run in zip(matrices[1:], windows.runs[1:], strict=True):
            total += product(matrix, copy[..., run], out=term)
        if bias is not None:
            total += bias.reshape(groups, -1, 1)
    return out.reshape(len(x), o, *[axis.count for axis in axes])


@operation(
    LINEAR,
    cases=conv_cases,
    reference=conv_reference,
    dx=lambda g, w, axes, groups: conv_input(g, w, axes, groups),
    dw=lambda g, x, axes, groups: conv_weight(x, g, axes, groups),
)
def conv(x: Any, w: Any, axes: Axes, groups: int = 1) -> Any:
    """Convolution of `x` (N, C, *size) with `w` (O, C / groups, *kernel), without bias.

    As everywhere in this field it is a cross-correlation: the kernel is not flipped.

    Args:
        x: the input.
        w: the kernels.
        axes: the windows along each of the one or two spatial axes.
        groups: parts into which channels are split, each convolved on its own (default 1).

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs.ops.sliding.convolution import Windows, conv
        >>> x, w = np.array([[[1.0, 2.0, 4.0]]]), np.array([[[1.0, 10.0]]])
        >>> conv(x, w, (Windows(size=3, kernel=2),))
        array([[[21., 42.]]])
    """
    return _convolve(x, w, None, axes, groups)


@operation(
    cases=biased_cases,
    reference=biased_reference,
    dx=lambda g, w, axes, groups: conv_input(g, w, axes, groups),
    dw=lambda g, x, axes, groups: conv_weight(x, g, axes, groups),
    dbias=lambda g: sum(g, axis=(0, *range(2, g.ndim))),
)
def biased_conv(x: Any, w: Any, bias: Any, axes: Axes, groups: int = 1) -> Any:
    """`conv` plus a `bias` (O,) per output channel, in one operation.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs.ops.sliding.convolution import Windows, biased_conv
        >>> x, w = np.array([[[1.0, 2.0, 4.0]]]), np.array([[[1.0, 10.0]]])
        >>> biased_conv(x, w, np.array([0.5]), (Windows(size=3, kernel=2),))
        array([[[21.5, 42.5]]])
    """
    return _convolve(x, w, bias, axes, groups)


@operation(
    LINEAR,
    cases=input_cases,
    reference=input_reference,
    dy=lambda g, w, axes, groups: conv(g, w, axes, groups),
    dw=lambda g, y, axes, groups: conv_weight(g, y, axes, groups),
)
def conv_input(y: Any, w: Any, axes: Axes, groups: int = 1) -> Any:
    """Transposed convolution: `conv` transposed as a map of `x`, applied to `y` (N, O, *count).

    dx[y(u, i), z(v, j)] += w[o, c, i, j] * y[o, u, v]: kernel columns are gathered, as in `conv`,
    and kernel rows scattered, because a whole row is added as fast as it is read.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs.ops.sliding.convolution import Windows, conv_input
        >>> y, w = np.array([[[1.0, 2.0]]]), np.array([[[1.0, 10.0]]])
        >>> conv_input(y, w, (Windows(size=3, kernel=2),))
        array([[[ 1., 12., 20.]]])
    """
    rows, cols = _rows_and_cols(axes)
    y, w = _image(y), _image(w)
    dtype = np.result_type(y, w)
    (n, o), (_, c, kh, kw) = y.shape[:2], w.shape
    # (group, i * c, o * j)
    matrix = w.reshape(groups, o // groups, c, kh, kw).transpose(0, 3, 2, 1, 4)
    matrix = matrix.reshape(groups, kh * c, o // groups * kw)
    out = np.zeros((n, groups, c, rows.size, cols.size), dtype)
    parts = parts_of_batch(n, (o * kw + groups * c * kh) * rows.count * cols.size, dtype)
    buffer = buffer_for(parts, (groups, kh * c, rows.count * cols.size), dtype)
    for part, copy in columns_spread(y, cols, groups, parts, dtype):
        scattered = product(matrix, copy, out=buffer[: len(copy)])
        scattered = scattered.reshape(-1, groups, kh, c, rows.count, cols.size)
        for i, (u, z) in enumerate(rows.overlaps):
            out[part, :, :, z] += scattered[:, :, i, :, u]
    return out.reshape(n, groups * c, *[axis.size for axis in axes])


@operation(
    LINEAR,
    cases=weight_cases,
    reference=weight_reference,
    dx=lambda g, y, axes, groups: conv_input(y, g, axes, groups),
    dy=lambda g, x, axes, groups: conv(x, g, axes, groups),
)
def conv_weight(x: Any, y: Any, axes: Axes, groups: int = 1) -> Any:
    """`conv` transposed as a map of `w`, applied to `y` (N, O, *count): how x and y correlate.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs.ops.sliding.convolution import Windows, conv_weight
        >>> x, y = np.array([[[1.0, 2.0, 4.0]]]), np.array([[[1.0, 10.0]]])
        >>> conv_weight(x, y, (Windows(size=3, kernel=2),))
        array([[[21., 42.]]])
    """
    rows, cols = _rows_and_cols(axes)
    x, y = _image(x), _image(y)
    dtype = np.result_type(x, y)
    (n, o), c = y.shape[:2], x.shape[1] // groups
    flat = y.reshape(n, groups, o // groups, rows.count * cols.count).swapaxes(2, 3)
    # (i, group, c * j, o): in this order the products are faster than in that of w
    out = np.zeros((rows.kernel, groups, c * cols.kernel, o // groups), dtype)
    windows = RowWindows(x, rows, cols, groups, dtype)
    for part, copy in windows.copies():
        for i, run in enumerate(windows.runs):
            out[i] += summed_product(copy[..., run], flat[part])
    kernels = out.reshape(rows.kernel, groups, c, cols.kernel, o // groups).transpose(1, 4, 2, 0, 3)
    return kernels.reshape(o, c, *[axis.kernel for axis in axes])
