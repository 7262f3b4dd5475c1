"""Activations under PyTorch's names (`dim` for the axis)."""

from __future__ import annotations

from typing import Any

from ... import ops

__all__ = ["log_softmax", "relu", "sigmoid", "softmax", "tanh"]


def relu(input: Any) -> Any:
    """max(x, 0).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.relu(tg.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """
    return ops.relu(input)


def tanh(input: Any) -> Any:
    """Hyperbolic tangent.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.tanh(tg.tensor([0.0]))
        tensor([0.])
    """
    return ops.tanh(input)


def sigmoid(input: Any) -> Any:
    """1 / (1 + e^-x).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.sigmoid(tg.tensor([0.0]))
        tensor([0.5])
    """
    return ops.sigmoid(input)


def softmax(input: Any, dim: int) -> Any:
    """Probabilities along axis `dim`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.softmax(tg.tensor([0.0, 0.0]), dim=0)
        tensor([0.5, 0.5])
    """
    return ops.softmax(input, dim)


def log_softmax(input: Any, dim: int) -> Any:
    """Logarithms of the probabilities along axis `dim`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.log_softmax(tg.tensor([0.0, 0.0]), dim=0)
        tensor([-0.6931472, -0.6931472])
    """
    return ops.log_softmax(input, dim)
