"""Maps with a weight matrix, under PyTorch's names."""

from __future__ import annotations

from typing import Any

from ... import ops

__all__ = ["linear"]


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """x W^T + b for `input` (..., in), `weight` (out, in), `bias` (out,) or None.

    Raises `ShapeError` where the last axis of `input` has another length than `weight` expects.

    Example:
        >>> import tinygrad_cs as tg
        >>> x, w = tg.tensor([[1.0, 2.0]]), tg.tensor([[3.0, 4.0]])
        >>> tg.nn.functional.linear(x, w, tg.tensor([0.5]))
        tensor([[11.5]])
    """
    return ops.matmul(input, weight.T) if bias is None else ops.linear(input, weight, bias)
