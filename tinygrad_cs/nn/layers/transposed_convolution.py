"""Transposed convolutions with learned kernels: from small images to large ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...engine.errors import ArgumentError, ShapeError
from .. import functional
from ..functional.arguments import as_data, per_axis
from .convolution import Kernels

__all__ = ["ConvTranspose1d", "ConvTranspose2d"]


class _Transposed(Kernels):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
    ) -> None:
        self._take(
            in_channels, out_channels, kernel_size, stride, dilation, groups, padding_mode
        )  # fmt: skip
        where, axes = type(self).__name__, self._axes
        if padding_mode != "zeros":
            raise ArgumentError(
                f"{where}: padding cuts entries off here, so padding_mode can only be 'zeros'; "
                f"got {padding_mode!r}"
            )
        self.padding = per_axis(padding, axes, "padding", where, least=0)
        self.output_padding = per_axis(output_padding, axes, "output_padding", where, least=0)
        for extra, s, d in zip(self.output_padding, self.stride, self.dilation, strict=True):
            if extra >= max(s, d):
                raise ArgumentError(
                    f"{where}: output_padding must be smaller than the stride or the dilation, got "
                    f"output_padding={extra} with stride={s}, dilation={d}"
                )
        shape = (self.in_channels, self.out_channels // self.groups, *self.kernel_size)
        # Every input lays down a whole kernel, but with a stride only some of them meet.
        share = self.in_channels // self.groups * math.prod(self.kernel_size)
        self._make(shape, share / math.prod(self.stride), bias)

    def _apply_to(self, function: Callable[..., Any], input: Any, output_size: Any) -> Any:
        more = self.output_padding if output_size is None else self._reach(input, output_size)
        return function(
            input, self.weight, self.bias, self.stride, self.padding, more, self.groups,
            self.dilation,
        )  # fmt: skip

    def _reach(self, input: Any, output_size: Any) -> tuple[int, ...]:
        """The output_padding that gives this size."""
        where, axes = type(self).__name__, self._axes
        lengths = as_data(input, axes, where).shape[-axes:]
        wanted = per_axis(tuple(output_size)[-axes:], axes, "output_size", where)
        smallest = tuple(
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(
                lengths, self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        )
        most = tuple(least + max(s, d) - 1 for least, s, d in zip(
            smallest, self.stride, self.dilation, strict=True
        ))  # fmt: skip
        if not all(a <= w <= b for a, w, b in zip(smallest, wanted, most, strict=True)):
            raise ShapeError(
                f"{where}: an input of {lengths} gives outputs from {smallest} to {most}; "
                f"output_size={tuple(output_size)} is none of them"
            )
        return tuple(w - least for w, least in zip(wanted, smallest, strict=True))


class ConvTranspose1d(_Transposed):
    """Transposed convolution along one axis: every input entry lays down a kernel, and they add up.

    Args:
        in_channels: C of the input.
        out_channels: O of the output.
        kernel_size: length K of a kernel.
        stride: distance at which kernels are laid down (default 1): the factor by which the input
            grows.
        padding: entries cut off on both sides (default 0).
        output_padding: entries added at the end (default 0), below the stride or the dilation.
        groups: parts into which the channels are split (default 1).
        bias: whether to add one number to each output channel (default True).
        dilation: distance of kernel entries (default 1).
        padding_mode: only "zeros".

    Attributes:
        weight: (C, O / groups, K), input channels first. He initialisation: normal with variance
            2 / fan in, where C K / (groups stride) products meet in an output in the mean.
        bias: (O,), zeros; None without bias.

    Where the stride does not divide the kernel size, outputs get unequally many contributions, and
    a checkerboard pattern shows (Odena and others, Deconvolution and Checkerboard Artifacts, 2016).
    Raises `ArgumentError` when it is made with arguments that do not fit together, `ShapeError` for
    an input of other channels.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> nn.ConvTranspose1d(8, 3, kernel_size=4, stride=2, padding=1)(
        ...     np.ones((2, 8, 10), "float32")
        ... ).shape
        (2, 3, 20)
    """

    _axes = 1

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """(N, C, L) gives (N, O, L'); `output_size` chooses L' instead of `output_padding`."""
        return self._apply_to(functional.conv_transpose1d, input, output_size)


class ConvTranspose2d(_Transposed):
    """Transposed convolution of images: every pixel lays down a kernel, and they add up.

    Args:
        in_channels: C of the input.
        out_channels: O of the output.
        kernel_size, stride, padding, output_padding, dilation: as of `ConvTranspose1d`; a number,
            or one for each axis.
        groups: parts into which the channels are split (default 1).
        bias: whether to add one number to each output channel (default True).
        padding_mode: only "zeros".

    Attributes:
        weight: (C, O / groups, KH, KW), input channels first; initialised as of `ConvTranspose1d`.
        bias: (O,), zeros; None without bias.

    Checkerboards and errors as of `ConvTranspose1d`.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> layer = nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1)
        >>> x = np.ones((2, 16, 7, 7), "float32")
        >>> layer(x).shape, layer(x, output_size=(14, 14)).shape
        ((2, 8, 13, 13), (2, 8, 14, 14))
    """

    _axes = 2

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """(N, C, H, W) gives (N, O, H', W'); `output_size` instead of `output_padding`."""
        return self._apply_to(functional.conv_transpose2d, input, output_size)
