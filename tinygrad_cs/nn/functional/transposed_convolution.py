"""Transposed convolution under PyTorch's names and arguments."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...engine.errors import ArgumentError, ShapeError
from ...ops.sliding.convolution import conv_input
from ...ops.sliding.windows import windows
from .arguments import as_bias, as_data, as_weight, check_groups, on_batch, per_axis

__all__ = ["conv_transpose1d", "conv_transpose2d"]


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Transposed convolution along one axis: what `conv1d` does to gradients of its input.

    Args:
        input: (N, C, L), or (C, L) for one sample.
        weight: (C, O / groups, K).
        bias: (O,) or None.
        stride: distance at which kernels are laid down (default 1).
        padding: entries cut off on both sides (default 0).
        output_padding: entries added at the end (default 0), below the stride or the dilation:
            a `conv1d` with a stride gives several lengths the same result, and this says which.
        groups: parts into which the channels are split (default 1).
        dilation: distance of kernel entries (default 1).

    Returns (N, O, L') with L' = (L - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1.
    Raises `ShapeError` where shapes do not fit together, `ArgumentError` for other arguments.

    Example:
        >>> import tinygrad_cs as tg
        >>> x, w = tg.tensor([[[1.0, 2.0]]]), tg.tensor([[[1.0, 10.0]]])
        >>> tg.nn.functional.conv_transpose1d(x, w)
        tensor([[[ 1., 12., 20.]]])
    """
    return _conv_transpose(
        1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Transposed convolution of images: what `conv2d` does to gradients of its input.

    Args:
        input: (N, C, H, W), or (C, H, W) for one image.
        weight: (C, O / groups, KH, KW).
        bias: (O,) or None.
        stride, padding, output_padding, dilation: as of `conv_transpose1d`; a number, or one for
            each axis.
        groups: parts into which the channels are split (default 1).

    Returns (N, O, H', W') or (O, H', W'); the lengths are those of `conv_transpose1d`.
    Raises `ShapeError` where shapes do not fit together, `ArgumentError` for other arguments.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> x, w = tg.asarray(np.ones((8, 6, 7, 7))), tg.asarray(np.ones((6, 3, 4, 4)))
        >>> tg.nn.functional.conv_transpose2d(x, w, stride=2, padding=1).shape
        (8, 3, 14, 14)
    """
    return _conv_transpose(
        2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def _conv_transpose(
    axes: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, output_padding: Any,
    groups: int, dilation: Any,
) -> Any:  # fmt: skip
    where = f"conv_transpose{axes}d"
    input, weight = as_data(input, axes, where), as_weight(weight, axes, where, "C, O / groups")
    steps, gaps = (
        per_axis(stride, axes, "stride", where),
        per_axis(dilation, axes, "dilation", where),
    )
    cut = per_axis(padding, axes, "padding", where, least=0)
    more = per_axis(output_padding, axes, "output_padding", where, least=0)
    check_groups(groups, weight, where)
    if input.shape[-axes - 1] != weight.shape[0]:
        raise ShapeError(
            f"{where}: a weight of shape {weight.shape} is for an input of {weight.shape[0]} "
            f"channels, got {input.shape[-axes - 1]} in an input of shape {input.shape}; the "
            f"weight of a transposed convolution is (C, O / groups, ...), input channels first"
        )
    bias = as_bias(bias, weight.shape[1] * groups, where)
    along = []
    for n, k, s, p, extra, d in zip(
        input.shape[-axes:], weight.shape[2:], steps, cut, more, gaps, strict=True
    ):
        if extra >= max(s, d):
            raise ArgumentError(
                f"{where}: output_padding must be smaller than the stride or the dilation, got "
                f"output_padding={extra} with stride={s}, dilation={d}"
            )
        size = (n - 1) * s - 2 * p + d * (k - 1) + extra + 1
        if n < 1 or size < 1:
            raise ShapeError(
                f"{where}: an input of length {n} with kernel {k}, stride {s} and padding {p} "
                f"leaves an output of length {size}; use less padding or a longer input"
            )
        # the windows over the output; what output_padding adds at its end, none of them sees
        along.append(windows(size, k, s, p, p - extra, d))
    out = on_batch(lambda x: conv_input(x, weight, tuple(along), groups), input, axes)
    return out if bias is None else out + ops.reshape(bias, (-1, *[1] * axes))
