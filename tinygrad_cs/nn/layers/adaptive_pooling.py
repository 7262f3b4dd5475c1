"""Pooling to an output of a given size, in windows of equal or of random sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ...engine.errors import ArgumentError
from .. import functional
from ..functional.arguments import per_axis
from ..module import Module

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "FractionalMaxPool2d",
]


class _Adaptive(Module):
    _axes: ClassVar[int]

    def _take(self, output_size: Any) -> None:
        several = isinstance(output_size, Sequence)
        given = [1 if n is None else n for n in output_size] if several else output_size
        if output_size is not None or self._axes == 1:
            per_axis(given, self._axes, "output_size", type(self).__name__)
        # None keeps a length, for one axis or for all
        self.output_size = (None,) * self._axes if output_size is None else output_size

    def extra_repr(self) -> str:
        """How many windows."""
        return f"output_size={self.output_size}"


class _AdaptiveMax(_Adaptive):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        self._take(output_size)
        self.return_indices = return_indices


class _AdaptiveAvg(_Adaptive):
    def __init__(self, output_size: Any) -> None:
        self._take(output_size)


class AdaptiveMaxPool1d(_AdaptiveMax):
    """The largest entry of each of `output_size` windows along one axis, however long it is.

    Args:
        output_size: how many windows.
        return_indices: also return where each largest entry stands (default False).

    Window u of m begins at floor(u L / m) and ends at ceil((u + 1) L / m): they overlap where m
    does not divide L. Raises `ArgumentError` for a size below 1.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.AdaptiveMaxPool1d(2)(tg.tensor([[1.0, 3.0, 2.0, 0.0, 4.0]]))
        tensor([[3., 4.]])
    """

    _axes = 1

    def forward(self, input: Any) -> Any:
        """(N, C, L) gives (N, C, output_size), or that and the indices."""
        return functional.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMax):
    """The largest entry of each window of an image of any size, with as many windows as asked for.

    Args:
        output_size: (H', W'), or one number for both; None keeps a length.
        return_indices: also return where each largest entry stands, row by row (default False).

    Windows and errors as of `AdaptiveMaxPool1d`.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> nn.AdaptiveMaxPool2d((5, None))(np.ones((2, 3, 9, 7))).shape
        (2, 3, 5, 7)
    """

    _axes = 2

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) gives (N, C, H', W'), or that and the indices."""
        return functional.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveAvgPool1d(_AdaptiveAvg):
    """The mean of each of `output_size` windows along one axis, however long it is.

    Args:
        output_size: how many windows, placed as those of `AdaptiveMaxPool1d`.

    Raises `ArgumentError` for a size below 1.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.AdaptiveAvgPool1d(2)(tg.tensor([[1.0, 3.0, 2.0, 0.0, 4.0]]))
        tensor([[2., 2.]])
    """

    _axes = 1

    def forward(self, input: Any) -> Any:
        """(N, C, L) gives (N, C, output_size)."""
        return functional.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvg):
    """The mean of each window of an image of any size, with as many windows as asked for.

    Args:
        output_size: (H', W'), or one number for both; None keeps a length. 1 is global average
            pooling: one number for each channel, so that a net takes images of any size.

    Windows and errors as of `AdaptiveAvgPool1d`.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> nn.AdaptiveAvgPool2d(1)(np.ones((2, 64, 9, 7))).shape
        (2, 64, 1, 1)
    """

    _axes = 2

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) gives (N, C, H', W')."""
        return functional.adaptive_avg_pool2d(input, self.output_size)


class FractionalMaxPool2d(Module):
    """The largest entry of each of randomly placed regions of an image.

    B. Graham, Fractional Max-Pooling, 2014: an image shrinks by a factor between 1 and 2 a layer
    instead of by 2, and where the regions lie is drawn anew in each call, which regularises.

    Args:
        kernel_size: size of the regions, a number or one for each axis.
        output_size: (H', W'), or one number for both.
        output_ratio: instead of `output_size`, the share of each length that is left, in (0, 1).
        return_indices: also return where each largest entry stands, row by row (default False).

    In evaluation mode the regions are always the same, so that predictions repeat; PyTorch draws
    there too. `nn.functional.fractional_max_pool2d` has Graham's own regions. Raises
    `ArgumentError` unless exactly one of `output_size` and `output_ratio` is given.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> nn.FractionalMaxPool2d(2, output_ratio=0.7)(np.ones((2, 3, 20, 20))).shape
        (2, 3, 14, 14)
    """

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
    ) -> None:
        self.kernel_size = per_axis(kernel_size, 2, "kernel_size", "FractionalMaxPool2d")
        if (output_size is None) == (output_ratio is None):
            raise ArgumentError("FractionalMaxPool2d: give either output_size or output_ratio")
        if output_size is not None:
            output_size = per_axis(output_size, 2, "output_size", "FractionalMaxPool2d")
        self.output_size = output_size
        self.output_ratio = output_ratio
        self.return_indices = return_indices

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) gives (N, C, H', W'), or that and the indices."""
        return functional.fractional_max_pool2d(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
            generator=None if self.training else 0,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """The regions, and how many."""
        size, ratio = self.output_size, self.output_ratio
        many = f"output_size={size}" if ratio is None else f"output_ratio={ratio}"
        return f"kernel_size={self.kernel_size}, {many}"
