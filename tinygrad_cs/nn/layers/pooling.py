"""Pooling over windows of one size: the largest entry, or the mean."""

from __future__ import annotations

from typing import Any, ClassVar

from ...engine.errors import ArgumentError
from .. import functional
from ..functional.arguments import per_axis
from ..module import Module

__all__ = ["AvgPool1d", "AvgPool2d", "MaxPool1d", "MaxPool2d"]


class _Pool(Module):
    _axes: ClassVar[int]

    def _take(self, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool) -> None:
        where, axes = type(self).__name__, self._axes
        self.kernel_size = per_axis(kernel_size, axes, "kernel_size", where)
        self.stride = (
            self.kernel_size if stride is None else per_axis(stride, axes, "stride", where)
        )
        self.padding = per_axis(padding, axes, "padding", where, least=0)
        self.ceil_mode = bool(ceil_mode)
        if any(p > k // 2 for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise ArgumentError(
                f"{where}: padding must be at most half of kernel_size, got padding={padding} "
                f"with kernel_size={kernel_size}; a window of padding alone would have no value"
            )

    def extra_repr(self) -> str:
        """The windows."""
        text = f"kernel_size={self.kernel_size}, stride={self.stride}"
        if any(self.padding):
            text += f", padding={self.padding}"
        if max(vars(self).get("dilation", (1,))) > 1:
            text += f", dilation={vars(self)['dilation']}"
        return text + (", ceil_mode=True" if self.ceil_mode else "")


class _MaxPool(_Pool):
    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        self._take(kernel_size, stride, padding, ceil_mode)
        self.dilation = per_axis(dilation, self._axes, "dilation", type(self).__name__)
        self.return_indices = return_indices


class MaxPool1d(_MaxPool):
    """The largest entry of each window along one axis.

    Args:
        kernel_size: length of a window.
        stride: distance of windows (default: their length).
        padding: entries of -infinity on both sides (default 0), at most half a window.
        dilation: distance of entries of a window (default 1).
        return_indices: also return where each largest entry stands (default False).
        ceil_mode: does a last window count that only partly fits (default False)?

    Only the largest entry of a window gets a gradient, of equal ones the first: behind a ReLU a
    window of zeros sends its gradient to its first entry, where ReLU stops it. With `ceil_mode`
    False the entries that fill no window are never seen. Raises `ArgumentError` when it is made
    with arguments that do not fit together, `ShapeError` where a window is larger than the input.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.MaxPool1d(2)(tg.tensor([[1.0, 3.0, 2.0, 0.0, 9.0]]))
        tensor([[3., 2.]])
    """

    _axes = 1

    def forward(self, input: Any) -> Any:
        """(N, C, L) gives (N, C, L'), or that and the indices."""
        return functional.max_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip


class MaxPool2d(_MaxPool):
    """The largest entry of each window of an image.

    Args:
        kernel_size, stride, padding, dilation: as of `MaxPool1d`; a number, or one for each axis.
        return_indices: also return where each largest entry stands, row by row (default False).
        ceil_mode: does a last window count that only partly fits (default False)?

    Gradients, entries that fill no window, and errors as of `MaxPool1d`.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> image = tg.asarray(np.arange(16.0, dtype="float32").reshape(1, 4, 4))
        >>> tg.nn.MaxPool2d(2)(image)
        tensor([[[ 5.,  7.],
                 [13., 15.]]])
    """

    _axes = 2

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) gives (N, C, H', W'), or that and the indices."""
        return functional.max_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode,
            self.return_indices,
        )  # fmt: skip


class AvgPool1d(_Pool):
    """The mean of each window along one axis.

    Args:
        kernel_size: length of a window.
        stride: distance of windows (default: their length).
        padding: zeros on both sides (default 0), at most half a window.
        ceil_mode: does a last window count that only partly fits (default False)?
        count_include_pad: do zeros of the padding count in the mean (default True)? They pull the
            means at the edges towards 0.

    Raises `ArgumentError` when it is made with arguments that do not fit together, `ShapeError`
    where a window is larger than the input.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.AvgPool1d(2)(tg.tensor([[1.0, 3.0, 2.0, 0.0]]))
        tensor([[2., 1.]])
    """

    _axes = 1

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self._take(kernel_size, stride, padding, ceil_mode)
        self.count_include_pad = count_include_pad

    def forward(self, input: Any) -> Any:
        """(N, C, L) gives (N, C, L')."""
        return functional.avg_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad,
        )  # fmt: skip


class AvgPool2d(_Pool):
    """The mean of each window of an image.

    Args:
        kernel_size, stride, padding: as of `AvgPool1d`; a number, or one for each axis.
        ceil_mode: does a last window count that only partly fits (default False)?
        count_include_pad: do zeros of the padding count in the mean (default True)?
        divisor_override: divide the sums by this instead of by how many entries count.

    Errors as of `AvgPool1d`.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> image = tg.asarray(np.arange(16.0, dtype="float32").reshape(1, 4, 4))
        >>> tg.nn.AvgPool2d(2)(image)
        tensor([[[ 2.5,  4.5],
                 [10.5, 12.5]]])
    """

    _axes = 2

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        self._take(kernel_size, stride, padding, ceil_mode)
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) gives (N, C, H', W')."""
        return functional.avg_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )  # fmt: skip
