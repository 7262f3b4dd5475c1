"""Windows as columns and back, under PyTorch's names and arguments."""

from __future__ import annotations

import math
from typing import Any

from ...engine.errors import ShapeError
from ...ops.sliding import unfolding
from ...ops.sliding.windows import Windows, windows
from ..foreign import with_shape
from .arguments import as_data, on_batch, per_axis, refuse_large_windows

__all__ = ["fold", "unfold"]


def unfold(
    input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """Every window of an image as a column ("im2col").

    Args:
        input: (N, C, H, W), or (C, H, W) for one image.
        kernel_size, dilation, padding, stride: as of `conv2d`; a number, or one for each axis.

    Returns (N, C * KH * KW, windows) or without N: channels first, then entries row by row; windows
    row by row. Raises `ShapeError` where a window is larger than the padded image.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> image = tg.asarray(np.arange(6.0, dtype="float32").reshape(1, 1, 2, 3))
        >>> tg.nn.functional.unfold(image, kernel_size=2)
        tensor([[[0., 1.],
                 [1., 2.],
                 [3., 4.],
                 [4., 5.]]])
    """
    input = as_data(input, 2, "unfold")
    along = _windows(input.shape[-2:], kernel_size, dilation, padding, stride, "unfold")
    return on_batch(lambda x: unfolding.unfold(x, along), input, 2)


def fold(
    input: Any,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Any:
    """Columns added back to where `unfold` read them: its transpose, not its inverse.

    Args:
        input: (N, C * KH * KW, windows), or without N.
        output_size: (H, W) of the image.
        kernel_size, dilation, padding, stride: as given to `unfold`.

    Returns (N, C, H, W) or (C, H, W); where windows overlap, their entries are summed.
    Raises `ShapeError` where the columns are not those of such an image.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> image = tg.asarray(np.ones((1, 1, 3, 3), "float32"))
        >>> columns = tg.nn.functional.unfold(image, kernel_size=2)
        >>> tg.nn.functional.fold(columns, (3, 3), kernel_size=2)  # how many windows see an entry
        tensor([[[[1., 2., 1.],
                  [2., 4., 2.],
                  [1., 2., 1.]]]])
    """
    input = with_shape(input)
    size = per_axis(output_size, 2, "output_size", "fold")
    along = _windows(size, kernel_size, dilation, padding, stride, "fold")
    entries = math.prod(axis.kernel for axis in along)
    count = math.prod(axis.count for axis in along)
    if input.ndim not in (2, 3) or input.shape[-2] % entries or input.shape[-1] != count:
        raise ShapeError(
            f"fold: an image of {size} has {count} windows of {entries} entries, so expected an "
            f"input of shape (N, C * {entries}, {count}), or (C * {entries}, {count}) for one "
            f"image; got {input.shape}"
        )
    return on_batch(lambda x: unfolding.fold(x, along), input, 1)


def _windows(
    size: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any, where: str
) -> tuple[Windows, ...]:
    kernel = per_axis(kernel_size, 2, "kernel_size", where)
    pads = per_axis(padding, 2, "padding", where, least=0)
    steps, gaps = per_axis(stride, 2, "stride", where), per_axis(dilation, 2, "dilation", where)
    along = tuple(
        windows(n, k, s, p, p, d)
        for n, k, s, p, d in zip(size, kernel, steps, pads, gaps, strict=True)
    )
    refuse_large_windows(along, where)
    return along
