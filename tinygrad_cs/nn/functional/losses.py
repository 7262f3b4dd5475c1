"""Losses under PyTorch's names: one number from predictions and targets."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...engine.errors import ArgumentError, ShapeError
from ...engine.tensor import asarray
from ...engine.types import np
from ...ops.reductions.losses import squared_error

__all__ = ["check_reduction", "cross_entropy", "mse_loss"]

_REDUCTIONS = ("mean", "sum", "none")


def check_reduction(reduction: str, where: str) -> str:
    """`reduction` if it is one; raises `ArgumentError` otherwise."""
    if reduction not in _REDUCTIONS:
        raise ArgumentError(
            f"{where}: reduction must be one of {', '.join(map(repr, _REDUCTIONS))}, "
            f"got {reduction!r}"
        )
    return reduction


def cross_entropy(input: Any, target: Any, reduction: str = "mean") -> Any:
    """-log softmax(input)[target], fused: its gradient is (softmax - one-hot).

    Args:
        input: logits of shape (N, C), or (C,) for one sample.
        target: integer classes of shape (N,), or () for one sample.
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    At chance level the loss is log C. Raises `DTypeError` for targets that are not integer,
    `ShapeError` for other shapes and for an empty batch, `IndexOutOfRange` for a class beyond C.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> logits = tg.tensor([[0.0, 0.0], [0.0, 0.0]], requires_grad=True)
        >>> loss = tg.nn.functional.cross_entropy(logits, np.array([0, 1]))
        >>> round(loss.item(), 4)
        0.6931
        >>> loss.backward()
        >>> logits.grad
        array([[-0.25,  0.25],
               [ 0.25, -0.25]], dtype=float32)
    """
    check_reduction(reduction, "cross_entropy")
    input = input if hasattr(input, "ndim") else asarray(input)
    classes = ops.check_classes(input, target)
    if reduction == "mean" and not classes.size:
        raise ShapeError(
            f"cross_entropy: the mean over an empty batch does not exist; got logits of shape "
            f"{input.shape}"
        )
    return ops.softmax_cross_entropy(input, classes, reduction)


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """(input - target)^2, averaged over all entries by default.

    Raises `ShapeError` unless both have the same shape: (N, 1) against (N,) would broadcast to
    (N, N) and train on nonsense; `ArgumentError` for a target with NaN.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.mse_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
        tensor(2.)
    """
    check_reduction(reduction, "mse_loss")
    shape, wanted = (np.shape(getattr(x, "_data", x)) for x in (input, target))
    if shape != wanted:
        raise ShapeError(
            f"mse_loss: prediction and target must have the same shape, got {shape} and {wanted}; "
            f"reshape one of them"
        )
    if 0 in shape and reduction == "mean":
        raise ShapeError(f"mse_loss: the mean over an empty batch does not exist; got {shape}")
    loss = squared_error(input, target, reduction)
    value = getattr(loss, "_data", loss)
    if (value != value).any():  # NaN, which is not equal to itself
        _refuse_missing(target)
    return loss


def _refuse_missing(target: Any) -> None:
    if missing := np.count_nonzero(np.isnan(getattr(target, "_data", target))):
        raise ArgumentError(
            f"mse_loss: the target holds NaN in {missing} of {np.size(target)} entries; leave "
            f"those samples out or fill them in"
        )
