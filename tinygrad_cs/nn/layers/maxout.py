"""Maxout: the activation is learned, as the largest of several linear maps.

I. Goodfellow and others, Maxout Networks, 2013.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from ...engine.modes import default_dtype
from ...engine.types import np
from .. import functional, init
from ..functional.arguments import per_axis
from ..module import Module
from ..parameter import Parameter

__all__ = ["Maxout", "MaxoutConv2d"]


class Maxout(Module):
    """max over j of (w_j x + b_j), a linear layer and its activation in one.

    Args:
        in_features: length of the last axis of the input.
        out_features: length of the last axis of the output.
        pieces: how many linear maps each output is the largest of (default 2).

    Attributes:
        weight: (out_features * pieces, in_features); the pieces of an output follow each other.
            Normal with variance 1 / in_features over the second moment of the largest of `pieces`
            normal numbers, which keeps the scale of activations.
        bias: (out_features * pieces,), zeros.

    It does not saturate and does not die, but has `pieces` times the parameters. ReLU (w and 0) and
    leaky ReLU (w and 0.01 w) are special cases.

    Raises `ArgumentError` for sizes below 1, `ShapeError` for inputs of another length.

    Example:
        >>> import tinygrad_cs as tg
        >>> layer = tg.nn.Maxout(1, 1, pieces=2)
        >>> _ = layer.load_state_dict({"weight": [[1.0], [-1.0]], "bias": [0.0, 0.0]})
        >>> layer(tg.tensor([[-3.0], [2.0]])).data  # |x|
        array([[3.],
               [2.]], dtype=float32)
        >>> tg.nn.Maxout(10, 5, pieces=3)
        Maxout(in_features=10, out_features=5, pieces=3)
        165 parameters
    """

    def __init__(self, in_features: int, out_features: int, pieces: int = 2) -> None:
        (self.in_features,) = per_axis(in_features, 1, "in_features", "Maxout")
        (self.out_features,) = per_axis(out_features, 1, "out_features", "Maxout")
        (self.pieces,) = per_axis(pieces, 1, "pieces", "Maxout")
        maps = self.out_features * self.pieces
        self.weight = _weights((maps, self.in_features), self.pieces)
        self.bias = Parameter(np.zeros(maps, default_dtype()))

    def forward(self, x: Any) -> Any:
        """`x` (..., in_features) gives (..., out_features)."""
        return functional.maxout(functional.linear(x, self.weight, self.bias), self.pieces)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"pieces={self.pieces}"
        )


class MaxoutConv2d(Module):
    """The largest of several convolutions, at every place of every channel.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: height and width of the window; a number, or one for each axis.
        pieces: how many convolutions each channel is the largest of (default 2).
        stride, padding, dilation: as of `functional.conv2d`.

    Attributes:
        weight: (out_channels * pieces, in_channels, KH, KW); the pieces of a channel follow each
            other. Drawn as that of `Maxout`.
        bias: (out_channels * pieces,), zeros.

    Raises `ArgumentError` for sizes below 1, `ShapeError` for inputs that do not fit.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> layer = tg.nn.MaxoutConv2d(3, 8, kernel_size=3, pieces=2, padding=1)
        >>> layer(np.ones((5, 3, 6, 6), "float32")).shape
        (5, 8, 6, 6)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        pieces: int = 2,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
    ) -> None:
        where = "MaxoutConv2d"
        (self.in_channels,) = per_axis(in_channels, 1, "in_channels", where)
        (self.out_channels,) = per_axis(out_channels, 1, "out_channels", where)
        self.kernel_size = per_axis(kernel_size, 2, "kernel_size", where)
        (self.pieces,) = per_axis(pieces, 1, "pieces", where)
        self.stride = per_axis(stride, 2, "stride", where)
        self.padding = (
            padding if isinstance(padding, str) else per_axis(padding, 2, "padding", where, least=0)
        )
        self.dilation = per_axis(dilation, 2, "dilation", where)
        maps = self.out_channels * self.pieces
        self.weight = _weights((maps, self.in_channels, *self.kernel_size), self.pieces)
        self.bias = Parameter(np.zeros(maps, default_dtype()))

    def forward(self, x: Any) -> Any:
        """`x` (N, in_channels, H, W) gives (N, out_channels, H', W'); N may be missing."""
        maps = functional.conv2d(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation
        )
        return functional.maxout(maps, self.pieces, dim=-3)

    def extra_repr(self) -> str:
        """The sizes, and what differs from the defaults."""
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"pieces={self.pieces}"
        )
        others = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
        for name, usual in others.items():
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        return text


def _weights(shape: tuple[int, ...], pieces: int) -> Parameter:
    weight = Parameter(np.zeros(shape, default_dtype()))
    fan_in, _ = init.fans(weight)
    init.normal_(weight, std=1 / math.sqrt(fan_in * second_moment(pieces)))
    return weight


@cache
def second_moment(pieces: int) -> float:
    """E max(z_1, ..., z_k)^2 of k independent normal numbers: 1 for one and two, then more.

    The integral of z^2 k phi(z) Phi(z)^(k - 1), as a sum.
    """
    z, step = np.linspace(-12, 12, 2401, retstep=True)
    below = np.array([math.erfc(-v / math.sqrt(2)) / 2 for v in z.tolist()])
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return float(np.sum(z * z * pieces * density * below ** (pieces - 1)) * step)
