"""Linear maps: `Linear`."""

from __future__ import annotations

from typing import Any

from ...engine.errors import ArgumentError
from ...engine.modes import default_dtype
from ...engine.types import np
from .. import functional, init
from ..module import Module
from ..parameter import Parameter

__all__ = ["Linear"]


class Linear(Module):
    """x W^T + b.

    Args:
        in_features: length of the last axis of the input.
        out_features: length of the last axis of the output.
        bias: whether to add b (default True).

    Attributes:
        weight: (out_features, in_features), He initialisation: normal with variance
            2 / in_features, which keeps the scale of activations through ReLU layers.
        bias: (out_features,), zeros; None without bias.

    Raises `ArgumentError` for sizes below 1, `ShapeError` for inputs of another length.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> nn.Linear(3, 2)(np.ones((5, 3), "float32")).shape
        (5, 2)
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        sizes = (in_features, out_features)
        if not all(isinstance(size, (int, np.integer)) and size >= 1 for size in sizes):
            raise ArgumentError(
                f"Linear: sizes must be whole numbers of 1 or more, got in_features={in_features}, "
                f"out_features={out_features}"
            )
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(np.zeros((out_features, in_features), default_dtype()))
        self.bias = Parameter(np.zeros(out_features, default_dtype())) if bias else None
        init.kaiming_normal_(self.weight)

    def forward(self, x: Any) -> Any:
        """`x` (..., in_features) gives (..., out_features)."""
        return functional.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        bias = "" if self.bias is not None else ", bias=False"
        return f"in_features={self.in_features}, out_features={self.out_features}{bias}"
