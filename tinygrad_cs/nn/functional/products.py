"""Maps with a weight matrix, under PyTorch's names."""

from __future__ import annotations

import math
from typing import Any

from ... import ops
from ...engine.errors import ShapeError
from ...engine.types import Shape, np

__all__ = ["bilinear", "linear"]


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """x W^T + b for `input` (..., in), `weight` (out, in), `bias` (out,) or None.

    Raises `ShapeError` where the last axis of `input` has another length than `weight` expects.

    Example:
        >>> import tinygrad_cs as tg
        >>> x, w = tg.tensor([[1.0, 2.0]]), tg.tensor([[3.0, 4.0]])
        >>> tg.nn.functional.linear(x, w, tg.tensor([0.5]))
        tensor([[11.5]])
    """
    if bias is not None:
        try:
            return ops.linear(input, weight, bias)
        except ShapeError as error:
            shape, rows = (np.shape(getattr(x, "_data", x)) for x in (input, weight))
            if hint := _hint(shape, rows):
                raise ShapeError(f"{error}{hint}") from error
            raise
    shape, rows = (np.shape(getattr(x, "_data", x)) for x in (input, weight))
    if len(rows) != 2:
        raise ShapeError(f"linear: expected a weight of shape (out, in), got {rows}")
    if shape[-1:] != rows[1:]:
        raise ShapeError(
            f"linear: expected an input of shape (..., {rows[1]}) for a weight of shape {rows}, "
            f"got {shape}{_hint(shape, rows)}"
        )
    return ops.matmul(input, weight.T)


def _hint(shape: Shape, rows: Shape) -> str:
    """What to write where all axes behind the first together have the length that is expected."""
    if len(rows) != 2 or len(shape) < 3 or math.prod(shape[1:]) != rows[1]:
        return ""
    return (
        f"; {' * '.join(map(str, shape[1:]))} = {rows[1]}, so put nn.Flatten() before this layer, "
        f"or write x.reshape(len(x), -1)"
    )


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """x1^T W_k x2 + b_k for every output k.

    Args:
        input1: (..., in1).
        input2: (..., in2), the other axes as those of `input1`.
        weight: (out, in1, in2).
        bias: (out,) or None.

    The result has shape (..., out). Raises `ShapeError` where lengths differ.

    Example:
        >>> import tinygrad_cs as tg
        >>> x, y, w = tg.tensor([1.0, 2.0]), tg.tensor([3.0]), tg.tensor([[[1.0], [1.0]]])
        >>> tg.nn.functional.bilinear(x, y, w)
        tensor([9.])
    """
    shapes = [np.shape(getattr(x, "_data", x)) for x in (input1, input2, weight)]
    x1, x2, w = shapes
    if len(w) != 3 or not x1 or not x2 or (x1[-1], x2[-1]) != w[1:] or x1[:-1] != x2[:-1]:
        raise ShapeError(
            f"bilinear: expected inputs (..., in1) and (..., in2) and a weight (out, in1, in2); "
            f"got {x1}, {x2} and {w}"
        )
    if bias is not None and np.shape(getattr(bias, "_data", bias)) != w[:1]:
        raise ShapeError(
            f"bilinear: expected a bias of shape {w[:1]} for a weight of shape {w}, got "
            f"{np.shape(getattr(bias, '_data', bias))}"
        )
    out = ops.einsum("...i,kij,...j->...k", input1, weight, input2)
    return out if bias is None else out + bias
