"""Probabilities from scores, under PyTorch's names (`dim` for the axis)."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...engine.errors import ArgumentError
from ...engine.types import np
from ..foreign import described

__all__ = ["log_softmax", "softmax", "softmin"]


def check_dim(dim: Any, where: str) -> None:
    """Raise `ArgumentError` unless `dim` names one axis."""
    if not isinstance(dim, (int, np.integer)) or isinstance(dim, bool):
        raise ArgumentError(
            f"{where}: dim must say along which axis the probabilities sum to 1, got "
            f"dim={described(dim, where)}; "
            f"write dim=-1 for scores (N, C), dim=1 for (N, C, H, W)"
        )


def softmax(input: Any, dim: int | None = None) -> Any:
    """Probabilities e^x / sum(e^x) along axis `dim`, stable for large values.

    Args:
        input: scores of any shape, from -inf (probability 0) up.
        dim: the axis along which they sum to 1; has no default, as a guess would be silently wrong.

    Raises `ArgumentError` without `dim`, `AxisError` for an axis that is not there.

    Not before `cross_entropy`, which takes scores: see `nn.Softmax`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.softmax(tg.tensor([0.0, 0.0]), dim=0)
        tensor([0.5, 0.5])
    """
    if type(dim) is not int:
        check_dim(dim, "softmax")
    return ops.softmax(input, dim)


def softmin(input: Any, dim: int | None = None) -> Any:
    """Probabilities e^-x / sum(e^-x) along axis `dim`: the smallest gets most.

    Args:
        input: costs of any shape.
        dim: the axis along which they sum to 1.

    Raises as `softmax`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.softmin(tg.tensor([0.0, 1000.0]), dim=0)
        tensor([1., 0.])
    """
    if type(dim) is not int:
        check_dim(dim, "softmin")
    return ops.softmax(ops.negative(input), dim)


def log_softmax(input: Any, dim: int | None = None) -> Any:
    """Logarithms of the probabilities along axis `dim`; never log 0, as log(softmax(x)) may be.

    Args:
        input: scores of any shape.
        dim: the axis along which the probabilities sum to 1.

    Raises as `softmax`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.log_softmax(tg.tensor([0.0, 0.0]), dim=0)
        tensor([-0.6931472, -0.6931472])
        >>> tg.nn.functional.log_softmax(tg.tensor([0.0, 1000.0]), dim=0)
        tensor([-1000.,     0.])
    """
    if type(dim) is not int:
        check_dim(dim, "log_softmax")
    return ops.log_softmax(input, dim)
