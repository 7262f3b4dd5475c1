"""Activations made of straight pieces, under PyTorch's names."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...engine.errors import ArgumentError, ShapeError
from ...engine.types import np
from ..foreign import with_shape
from .arguments import per_axis

__all__ = [
    "hardsigmoid",
    "hardtanh",
    "leaky_relu",
    "maxout",
    "prelu",
    "relu",
    "relu6",
]


def relu(input: Any) -> Any:
    """max(x, 0); the derivative at 0 is 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.relu(tg.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """
    return ops.relu(input)


def relu6(input: Any) -> Any:
    """min(max(x, 0), 6); the derivatives at 0 and at 6 are 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.relu6(tg.tensor([-1.0, 2.0, 7.0]))
        tensor([0., 2., 6.])
    """
    return ops.hardtanh(input, 0.0, 6.0)


def leaky_relu(input: Any, negative_slope: float = 0.01) -> Any:
    """x for x > 0, else `negative_slope` times x (Maas, Hannun and Ng 2013).

    Args:
        input: any shape.
        negative_slope: default 0.01; also the derivative at 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.leaky_relu(tg.tensor([-1.0, 2.0]), negative_slope=0.25)
        tensor([-0.25,  2.  ])
    """
    if negative_slope == 0:  # what relu cuts off stays dead; 0 times infinity would not
        return ops.relu(input)
    return ops.leaky_relu(input, float(negative_slope))


def prelu(input: Any, weight: Any) -> Any:
    """x for x > 0, else the weight times x: `leaky_relu` with slopes that are learned.

    Args:
        input: (N, C, ...), or any shape where the weight is a single number.
        weight: (C,), one slope for each channel (axis 1), or (1,) for all. The derivative of the
            result by x at 0 is the weight.

    Raises `ShapeError` for a weight of another shape.

    K. He, X. Zhang, S. Ren and J. Sun, Delving Deep into Rectifiers, 2015.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([[-1.0, -1.0], [2.0, -3.0]])
        >>> tg.nn.functional.prelu(x, tg.tensor([0.5, 0.25]))
        tensor([[-0.5 , -0.25],
                [ 2.  , -0.75]])
    """
    shape, slopes = (np.shape(getattr(x, "_data", x)) for x in (input, weight))
    if slopes == (1,):
        return ops.prelu(input, weight if shape else ops.reshape(weight, ()))
    if slopes:
        if len(slopes) != 1 or len(shape) < 2 or shape[1] != slopes[0]:
            raise ShapeError(
                f"prelu: expected a weight of shape (1,), or one slope for each channel (axis 1) "
                f"of the input; got a weight of {slopes} for an input of {shape}"
            )
        if len(shape) > 2:
            weight = ops.reshape(weight, (-1, *[1] * (len(shape) - 2)))
    return ops.prelu(input, weight)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """x limited to [min_val, max_val].

    Args:
        input: any shape.
        min_val, max_val: the bounds (default -1 and 1). There the derivative is 0, as outside;
            that of `tg.clip` is 1.

    Raises `ArgumentError` unless min_val < max_val.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.hardtanh(tg.tensor([-2.0, 0.5, 2.0]))
        tensor([-1. ,  0.5,  1. ])
    """
    if not min_val < max_val:
        raise ArgumentError(
            f"hardtanh: min_val must be below max_val, got min_val={min_val}, max_val={max_val}"
        )
    return ops.hardtanh(input, float(min_val), float(max_val))


def hardsigmoid(input: Any) -> Any:
    """x / 6 + 1/2 limited to [0, 1]; the derivatives at -3 and 3 are 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.hardsigmoid(tg.tensor([-4.0, 0.0, 4.0]))
        tensor([0. , 0.5, 1. ])
    """
    return ops.hardsigmoid(input)


def maxout(input: Any, pieces: int, dim: int = -1) -> Any:
    """The largest of every `pieces` channels that follow each other.

    Args:
        input: any shape; the length of axis `dim` is a multiple of `pieces`.
        pieces: how many channels become one.
        dim: the axis of the channels (default the last; 1 for images (N, C, H, W)).

    Axis `dim` becomes shorter by the factor `pieces`. Equal channels share the gradient. Raises
    `ArgumentError` for pieces below 1, `ShapeError` where they do not divide the channels.

    I. Goodfellow and others, Maxout Networks, 2013.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.maxout(tg.tensor([1.0, 3.0, -5.0, -4.0]), pieces=2)
        tensor([ 3., -4.])
    """
    (pieces,) = per_axis(pieces, 1, "pieces", "maxout")
    input = with_shape(input)
    shape = input.shape
    axis = dim + len(shape) if dim < 0 else dim
    if not 0 <= axis < len(shape) or shape[axis] % pieces:
        raise ShapeError(
            f"maxout: expected axis dim={dim} to have a multiple of pieces={pieces} channels, got "
            f"an input of shape {shape}; a layer before it with C outputs must have pieces * C"
        )
    split = (*shape[:axis], shape[axis] // pieces, pieces, *shape[axis + 1 :])
    return ops.max(ops.reshape(input, split), axis=axis + 1)
