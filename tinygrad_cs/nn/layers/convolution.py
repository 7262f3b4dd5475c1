"""Convolutions with learned kernels."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ... import ops
from ...engine.errors import ArgumentError
from ...engine.modes import default_dtype
from ...engine.types import np
from .. import functional, init
from ..functional.arguments import as_data, per_axis
from ..module import Module
from ..parameter import Parameter

__all__ = ["Conv1d", "Conv2d"]

_PADDING_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""PyTorch's names for what surrounds the input, and NumPy's."""


class Kernels(Module):
    """What convolutions and transposed convolutions share: arguments, weight, bias, printing."""

    _axes: ClassVar[int]

    def _take(
        self, in_channels: Any, out_channels: Any, kernel_size: Any, stride: Any, dilation: Any,
        groups: Any, padding_mode: str,
    ) -> None:  # fmt: skip
        where, axes = type(self).__name__, self._axes
        (self.in_channels,) = per_axis(in_channels, 1, "in_channels", where)
        (self.out_channels,) = per_axis(out_channels, 1, "out_channels", where)
        (self.groups,) = per_axis(groups, 1, "groups", where)
        self.kernel_size = per_axis(kernel_size, axes, "kernel_size", where)
        self.stride = per_axis(stride, axes, "stride", where)
        self.dilation = per_axis(dilation, axes, "dilation", where)
        self.padding_mode = padding_mode
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ArgumentError(
                f"{where}: groups={groups} must divide in_channels={in_channels} and "
                f"out_channels={out_channels}: each group sees its share of the one and makes its "
                f"share of the other"
            )

    def _make(self, shape: tuple[int, ...], fan_in: float, bias: bool) -> None:
        """Weight and bias; an output sums `fan_in` products in the mean."""
        self.weight = Parameter(np.zeros(shape, default_dtype()))
        self.bias = Parameter(np.zeros(self.out_channels, default_dtype())) if bias else None
        init.normal_(self.weight, std=math.sqrt(2 / fan_in))

    def extra_repr(self) -> str:
        """Channels, kernel, and what differs from the defaults."""
        usual = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1, "groups": 1}
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        for name, default in usual.items():
            value = vars(self).get(name, default)
            if value not in (default, (default,) * self._axes):
                text += f", {name}={value!r}"
        if self.bias is None:
            text += ", bias=False"
        return (
            text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode!r}"
        )


class _Convolution(Kernels):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:
        self._take(
            in_channels, out_channels, kernel_size, stride, dilation, groups, padding_mode
        )  # fmt: skip
        where = type(self).__name__
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ArgumentError(
                    f"{where}: padding must be 'same', 'valid' or whole numbers, got {padding!r}"
                )
            if padding == "same" and max(self.stride) > 1:
                raise ArgumentError(
                    f"{where}: padding='same' keeps the length, which a stride of {self.stride} "
                    f"does not; give the padding as a number"
                )
            self.padding: Any = padding
        else:
            self.padding = per_axis(padding, self._axes, "padding", where, least=0)
        if padding_mode not in ("zeros", *_PADDING_MODES):
            raise ArgumentError(
                f"{where}: padding_mode must be one of 'zeros', "
                f"{', '.join(map(repr, _PADDING_MODES))}; got {padding_mode!r}"
            )
        share = self.in_channels // self.groups
        shape = (self.out_channels, share, *self.kernel_size)
        self._make(shape, share * math.prod(self.kernel_size), bias)

    def _apply_to(self, function: Any, input: Any) -> Any:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = self._padded(input), 0
        return function(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def _padded(self, input: Any) -> Any:
        """The input with a frame of its own entries."""
        input = as_data(input, self._axes, type(self).__name__)
        pads: Any = self.padding
        if pads == "valid":
            return input
        if pads == "same":
            missing = [(k - 1) * d for k, d in zip(self.kernel_size, self.dilation, strict=True)]
            widths = [(total // 2, total - total // 2) for total in missing]
        else:
            widths = [(p, p) for p in pads]
        frame = [(0, 0)] * (input.ndim - self._axes) + widths
        return ops.pad(input, frame, _PADDING_MODES[self.padding_mode])


class Conv1d(_Convolution):
    """Convolution along one axis: every output is a `Linear` map of a window, the same everywhere.

    Args:
        in_channels: C of the input.
        out_channels: O of the output, the number of kernels.
        kernel_size: length K of a kernel.
        stride: step of the kernel (default 1).
        padding: entries added on both sides (default 0), "valid" for none, or "same" for as many
            as keep the length (then the stride must be 1).
        dilation: distance of kernel entries (default 1).
        groups: parts into which the channels are split, each convolved on its own (default 1).
        bias: whether to add one number to each output channel (default True).
        padding_mode: what is added: "zeros" (default), "reflect", "replicate" or "circular".

    Attributes:
        weight: (O, C / groups, K), He initialisation: normal with variance 2 / (C K / groups), the
            number of products that an output sums.
        bias: (O,), zeros; None without bias.

    It has O C K weights however long the input is; a `Linear` layer between the same shapes would
    have O C L^2. The kernel is not flipped (a cross-correlation). Just before a batch normalisation
    the bias is superfluous: its mean takes it away again. Raises `ArgumentError` when it is made
    with sizes below 1 or groups that do not divide the channels, `ShapeError` for an input of other
    channels or shorter than the kernel.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> nn.Conv1d(3, 8, kernel_size=5, padding="same")(np.ones((2, 3, 20), "float32")).shape
        (2, 8, 20)
    """

    _axes = 1

    def forward(self, input: Any) -> Any:
        """`input` (N, C, L) or (C, L) gives (N, O, L') or (O, L')."""
        return self._apply_to(functional.conv1d, input)


class Conv2d(_Convolution):
    """Convolution of images: the same small `Linear` map of every window.

    Args:
        in_channels: C of the input.
        out_channels: O of the output, the number of kernels.
        kernel_size: a number, or (KH, KW).
        stride, dilation: as of `Conv1d`; a number, or one for each axis.
        padding: as of `Conv1d`; a number, one for each axis, "valid" or "same".
        groups: parts into which the channels are split (default 1); as many as channels make a
            depthwise convolution.
        bias: whether to add one number to each output channel (default True).
        padding_mode: "zeros" (default), "reflect", "replicate" or "circular".

    Attributes:
        weight: (O, C / groups, KH, KW), He initialisation: normal with variance
            2 / (C KH KW / groups), the number of products that an output sums.
        bias: (O,), zeros; None without bias.

    Channels come before height and width: images that are loaded as (N, H, W, C) need
    `x.transpose(0, 3, 1, 2)`. A 5 x 5 layer from 3 to 6 channels has 6 * 3 * 25 + 6 = 456
    parameters for images of any size; a `Linear` layer between the same shapes would have millions.
    The side becomes (H + 2 padding - dilation (KH - 1) - 1) // stride + 1: where that rounds, the
    last rows are never seen. Raises as `Conv1d`.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> layer = nn.Conv2d(3, 6, 5)
        >>> layer
        Conv2d(3, 6, kernel_size=(5, 5))
        456 parameters
        >>> layer(np.ones((2, 3, 32, 32), "float32")).shape
        (2, 6, 28, 28)
    """

    _axes = 2

    def forward(self, input: Any) -> Any:
        """`input` (N, C, H, W) or (C, H, W) gives (N, O, H', W') or (O, H', W')."""
        return self._apply_to(functional.conv2d, input)
