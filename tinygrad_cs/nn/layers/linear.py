"""Maps with a weight matrix: `Linear`, `Bilinear`."""

from __future__ import annotations

import math
from typing import Any

from ...engine.modes import default_dtype
from ...engine.types import np
from .. import functional, init
from ..module import Module
from ..parameter import Parameter
from .sizes import check_sizes

__all__ = ["Bilinear", "Linear"]


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
        check_sizes("Linear", in_features=in_features, out_features=out_features)
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


class Bilinear(Module):
    """x1^T W_k x2 + b_k for every output k: linear in each of two inputs, a product in both.

    Args:
        in1_features: length of the last axis of the first input.
        in2_features: length of the last axis of the second.
        out_features: length of the last axis of the output.
        bias: whether to add b (default True).

    Attributes:
        weight: (out_features, in1_features, in2_features), normal with variance
            1 / (in1_features in2_features): an output sums so many products. No factor 2 as for
            `Linear`: two inputs of variance 1 and mean 0 give an output of variance 1.
        bias: (out_features,), zeros; None without bias.

    It has in1 in2 out weights, which soon are more than the data can determine: a `Linear` layer of
    both inputs joined has (in1 + in2) out. Raises `ArgumentError` for sizes below 1, `ShapeError`
    for inputs of other lengths.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> nn.Bilinear(3, 4, 2)(np.ones((5, 3), "float32"), np.ones((5, 4), "float32")).shape
        (5, 2)
    """

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True
    ) -> None:
        check_sizes(
            "Bilinear",
            in1_features=in1_features,
            in2_features=in2_features,
            out_features=out_features,
        )
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        self.weight = Parameter(np.zeros(shape, default_dtype()))
        self.bias = Parameter(np.zeros(out_features, default_dtype())) if bias else None
        init.normal_(self.weight, std=1 / math.sqrt(in1_features * in2_features))

    def forward(self, input1: Any, input2: Any) -> Any:
        """(..., in1_features) and (..., in2_features) give (..., out_features)."""
        return functional.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        bias = "" if self.bias is not None else ", bias=False"
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}{bias}"
        )
