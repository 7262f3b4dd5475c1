"""Directions without lengths: vectors of norm one, and the angle between two."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...ops import linalg
from ...ops.axes import axis_number, broadcast_shape, shape_of

__all__ = ["cosine_similarity", "normalize"]


def _unit(x: Any, p: float, axis: int, eps: float) -> Any:
    """x over its norms along an axis, which count as `eps` at least."""
    return x / ops.maximum(linalg.vector_norm(x, axis, True, p), float(eps))


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """x / max(‖x‖, eps), with the p-norm along axis `dim`.

    Args:
        input: any shape.
        p: exponent of the norm (default 2).
        dim: axis of the vectors (default 1).
        eps: least divisor (default 1e-12); a vector of zeros stays zero.

    Raises `AxisError` for an axis that does not exist.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.normalize(tg.tensor([[3.0, 4.0]]))
        tensor([[0.6, 0.8]])
    """
    return _unit(input, p, axis_number("normalize", dim, shape_of(input)), eps)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors, x1·x2 / (max(‖x1‖, eps) max(‖x2‖, eps)).

    Args:
        x1, x2: arrays that broadcast with each other.
        dim: axis of the vectors (default 1); the result lacks it.
        eps: least divisor for each norm (default 1e-8); with a vector of zeros the cosine is 0.

    Raises `ShapeError` for shapes that do not broadcast, `AxisError` for an axis that does not
    exist.

    Example:
        >>> import tinygrad_cs as tg
        >>> a, b = tg.tensor([[1.0, 0.0]]), tg.tensor([[3.0, 4.0]])
        >>> tg.nn.functional.cosine_similarity(a, b)
        tensor([0.6])
    """
    shape = broadcast_shape("cosine_similarity", shape_of(x1), shape_of(x2))
    axis = axis_number("cosine_similarity", dim, shape)
    a, b = ops.broadcast_to(x1, shape), ops.broadcast_to(x2, shape)
    return ops.sum(_unit(a, 2.0, axis, eps) * _unit(b, 2.0, axis, eps), axis=axis)
