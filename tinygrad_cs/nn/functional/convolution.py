"""Convolution under PyTorch's names and arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...engine.errors import ArgumentError, ShapeError
from ...ops.sliding.convolution import biased_conv, conv
from ...ops.sliding.windows import windows
from .arguments import (
    as_bias,
    as_data,
    as_weight,
    channels_hint,
    check_groups,
    on_batch,
    per_axis,
    refuse_large_windows,
)

__all__ = ["conv1d", "conv2d"]


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Convolution along one axis (a cross-correlation: the kernel is not flipped).

    Args:
        input: (N, C, L), or (C, L) for one sample.
        weight: (O, C / groups, K).
        bias: (O,) or None.
        stride: step of the kernel (default 1).
        padding: zeros added on both sides (default 0), "valid" for none, or "same" for as many as
            keep the length (then the stride must be 1; an odd one goes to the end).
        dilation: distance of kernel entries (default 1).
        groups: parts into which the channels are split, each convolved on its own (default 1).

    Returns (N, O, L') with L' = (L + 2 padding - dilation (K - 1) - 1) // stride + 1, or (O, L').
    Raises `ShapeError` where shapes do not fit together, `ArgumentError` for other arguments.

    Example:
        >>> import tinygrad_cs as tg
        >>> x, w = tg.tensor([[[1.0, 2.0, 4.0]]]), tg.tensor([[[1.0, 10.0]]])
        >>> tg.nn.functional.conv1d(x, w)
        tensor([[[21., 42.]]])
    """
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Convolution of images (a cross-correlation: the kernel is not flipped).

    Args:
        input: (N, C, H, W), or (C, H, W) for one image.
        weight: (O, C / groups, KH, KW).
        bias: (O,) or None.
        stride, dilation: as of `conv1d`; a number, or one for each axis.
        padding: as of `conv1d`; a number, one for each axis, "valid" or "same".
        groups: parts into which the channels are split, each convolved on its own (default 1).

    Returns (N, O, H', W') or (O, H', W'); the lengths are those of `conv1d` along each axis.
    Raises `ShapeError` where shapes do not fit together, `ArgumentError` for other arguments.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> x, w = tg.asarray(np.ones((8, 3, 28, 28))), tg.asarray(np.ones((6, 3, 5, 5)))
        >>> tg.nn.functional.conv2d(x, w, padding="same", stride=1).shape
        (8, 6, 28, 28)
        >>> tg.nn.functional.conv2d(x, w, stride=2).shape
        (8, 6, 12, 12)
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def _conv(
    axes: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any,
    groups: int,
) -> Any:  # fmt: skip
    where = f"conv{axes}d"
    input, weight = as_data(input, axes, where), as_weight(weight, axes, where, "O, C / groups")
    steps, gaps = (
        per_axis(stride, axes, "stride", where),
        per_axis(dilation, axes, "dilation", where),
    )
    check_groups(groups, weight, where)
    channels, kernel = input.shape[-axes - 1], weight.shape[2:]
    if channels != weight.shape[1] * groups:
        wanted = weight.shape[1] * groups
        hint = channels_hint(input.shape, wanted, axes)
        raise ShapeError(
            f"{where}: a weight of shape {weight.shape} with groups={groups} is for an input of "
            f"{wanted} channels, got {channels} in an input of shape "
            f"{input.shape}"
            + (hint or "; the second length of the weight is the number of channels / groups")
        )
    bias = as_bias(bias, weight.shape[0], where)
    pads = _padding(padding, kernel, steps, gaps, where)
    along = tuple(
        windows(size, k, s, low, high, d)
        for size, k, s, (low, high), d in zip(
            input.shape[-axes:], kernel, steps, pads, gaps, strict=True
        )
    )
    refuse_large_windows(along, where)
    if bias is None:
        return on_batch(lambda x: conv(x, weight, along, groups), input, axes)
    return on_batch(lambda x: biased_conv(x, weight, bias, along, groups), input, axes)


def _padding(
    padding: Any, kernel: Sequence[int], steps: Sequence[int], gaps: Sequence[int], where: str
) -> list[tuple[int, int]]:
    """Zeros before and after the input, for each axis."""
    if not isinstance(padding, str):
        return [(p, p) for p in per_axis(padding, len(kernel), "padding", where, least=0)]
    if padding == "valid":
        return [(0, 0)] * len(kernel)
    if padding != "same":
        raise ArgumentError(
            f"{where}: padding must be 'same', 'valid' or whole numbers, got {padding!r}"
        )
    if max(steps) > 1:
        raise ArgumentError(
            f"{where}: padding='same' keeps the length, which a stride of {tuple(steps)} does not; "
            f"give the padding as a number"
        )
    missing = [(k - 1) * d for k, d in zip(kernel, gaps, strict=True)]
    return [(total // 2, total - total // 2) for total in missing]
