"""Normalisation within each sample, as layers: the same in training and in evaluation.

Batch normalisation, which looks across samples, stands in `batch_normalization.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...engine.errors import ArgumentError
from ...engine.modes import default_dtype
from ...engine.types import np
from .. import functional
from ..foreign import described
from ..module import Module
from ..parameter import Parameter
from .sizes import check_sizes

__all__ = ["GroupNorm", "LayerNorm", "RMSNorm"]


def check_eps(where: str, eps: Any) -> None:
    """Raise `ArgumentError` for what cannot be added to a variance."""
    if not isinstance(eps, (float, int, np.floating)) or not 0 <= eps < float("inf"):
        raise ArgumentError(
            f"{where}: eps must be a number of 0 or more, got {described(eps, where)}"
        )


def _lengths(where: str, normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    one = not isinstance(normalized_shape, Sequence)
    lengths: Any = (normalized_shape,) if one else tuple(normalized_shape)  # type: ignore[arg-type]
    if not lengths:
        raise ArgumentError(f"{where}: normalized_shape must name an axis at least, got ()")
    for length in lengths:
        check_sizes(where, normalized_shape=length)
    return tuple(int(length) for length in lengths)


class LayerNorm(Module):
    """weight (x - mean) / sqrt(variance + eps) + bias for each sample, over its features.

    J. L. Ba, J. R. Kiros and G. E. Hinton, Layer Normalization, 2016. Training and evaluation are
    the same, and so are batches of any size: a sample does not see the others.

    Args:
        normalized_shape: length of the last axis, or lengths of the last axes, which are normalised
            together.
        eps: added to the variance (default 1e-5).
        elementwise_affine: whether to learn weight and bias (default True).
        bias: whether to learn the bias (default True).

    Attributes:
        weight: of shape `normalized_shape`, ones; or None.
        bias: of the same shape, zeros; or None.

    Over a single feature the result is the bias, whatever the input. The variance is the biased
    one. Raises `ArgumentError` for lengths below 1, `ShapeError` for inputs with other last axes.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.LayerNorm(2, eps=0.0)(tg.tensor([[1.0, 3.0], [10.0, 30.0]])).data
        array([[-1.,  1.],
               [-1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        self.normalized_shape = _lengths("LayerNorm", normalized_shape)
        check_eps("LayerNorm", eps)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        shape, dtype = self.normalized_shape, default_dtype()
        self.weight = Parameter(np.ones(shape, dtype)) if elementwise_affine else None
        self.bias = Parameter(np.zeros(shape, dtype)) if elementwise_affine and bias else None

    def forward(self, x: Any) -> Any:
        """Same shape as `x` (..., *normalized_shape)."""
        return functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The lengths, and what differs from the defaults."""
        affine = "" if self.elementwise_affine else ", elementwise_affine=False"
        bias = ", bias=False" if self.elementwise_affine and self.bias is None else ""
        return f"{self.normalized_shape}, eps={self.eps}{affine}{bias}"


class RMSNorm(Module):
    """weight x / sqrt(mean(x^2) + eps) for each sample: `LayerNorm` without means and bias.

    B. Zhang and R. Sennrich, Root Mean Square Layer Normalization, 2019.

    Args:
        normalized_shape: length of the last axis, or lengths of the last axes, which are normalised
            together.
        eps: added to the mean square; by default the distance of 1 to the next number of the
            input's dtype.
        elementwise_affine: whether to learn the weight (default True).

    Attributes:
        weight: of shape `normalized_shape`, ones; or None.

    Raises `ArgumentError` for lengths below 1, `ShapeError` for inputs with other last axes.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.RMSNorm(4)(tg.tensor([[3.0, 3.0, 3.0, -3.0]])).data
        array([[ 1.,  1.,  1., -1.]], dtype=float32)
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
    ) -> None:
        self.normalized_shape = _lengths("RMSNorm", normalized_shape)
        if eps is not None:
            check_eps("RMSNorm", eps)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        ones = np.ones(self.normalized_shape, default_dtype())
        self.weight = Parameter(ones) if elementwise_affine else None

    def forward(self, x: Any) -> Any:
        """Same shape as `x` (..., *normalized_shape)."""
        return functional.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The lengths, and what differs from the defaults."""
        affine = "" if self.elementwise_affine else ", elementwise_affine=False"
        return f"{self.normalized_shape}, eps={self.eps}{affine}"


class GroupNorm(Module):
    """weight (x - mean) / sqrt(variance + eps) + bias for each group of channels of each sample.

    Y. Wu and K. He, Group Normalization, 2018: for batches too small for `BatchNorm2d`. Training
    and evaluation are the same.

    Args:
        num_groups: a divisor of `num_channels`; neighbouring channels are a group.
        num_channels: C of the inputs (N, C) or (N, C, ...).
        eps: added to the variance (default 1e-5).
        affine: whether to learn weight and bias (default True).

    Attributes:
        weight: (num_channels,), ones; or None.
        bias: (num_channels,), zeros; or None.

    The variance is the biased one. Raises `ArgumentError` for numbers that do not fit, `ShapeError`
    for inputs with other channels and where a group has a single value.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.GroupNorm(2, 4, eps=0.0)(tg.tensor([[1.0, 3.0, 10.0, 30.0]])).data
        array([[-1.,  1., -1.,  1.]], dtype=float32)
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True
    ) -> None:
        check_sizes("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise ArgumentError(
                f"GroupNorm: num_groups must divide num_channels, so that all groups are equal; "
                f"got num_groups={num_groups}, num_channels={num_channels}"
            )
        check_eps("GroupNorm", eps)
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self.weight = Parameter(np.ones(num_channels, default_dtype())) if affine else None
        self.bias = Parameter(np.zeros(num_channels, default_dtype())) if affine else None

    def forward(self, x: Any) -> Any:
        """Same shape as `x` (N, num_channels, ...)."""
        return functional.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The numbers, and what differs from the defaults."""
        affine = "" if self.affine else ", affine=False"
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}{affine}"
