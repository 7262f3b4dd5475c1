"""Fused losses: one operation where the composed form would cost several passes."""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.errors import DTypeError, IndexOutOfRange, ShapeError
from ...engine.types import Array, np
from ..families import Case, Draw
from ..shapes.shaping import reshape
from .softmax import softmax
from .sums import mean, sum


def check_classes(logits: Any, target: Any) -> Array:
    """Class indices as an integer array that fits the logits.

    Raises `DTypeError` for anything but integers, `ShapeError` for another batch, and
    `IndexOutOfRange` for a class that does not exist.
    """
    indices = np.asarray(getattr(target, "_data", target))
    if indices.dtype.kind not in "iu":
        if logits.ndim and indices.shape == logits.shape:
            raise DTypeError(
                f"cross_entropy: the target has the shape {indices.shape} of the logits, as "
                f"one-hot rows or probabilities do; it takes class indices: target.argmax(-1)"
            )
        detail = " with NaN" if indices.dtype.kind == "f" and np.isnan(indices).any() else ""
        raise DTypeError(
            f"cross_entropy: the target holds class indices, so it must be integer, got "
            f"{indices.dtype}{detail}; convert labels with .astype('int64')"
        )
    if logits.ndim == 0 or indices.shape != logits.shape[:-1]:
        raise ShapeError(
            f"cross_entropy: logits of shape (N, C) need a target of shape (N,); got logits "
            f"{logits.shape} and target {indices.shape}"
        )
    if not indices.size:
        return indices
    classes = logits.shape[-1]
    # One comparison finds both ends: a negative index is huge when read as unsigned.
    unsigned = indices.astype(np.uint64) if indices.itemsize < 8 else indices.view(np.uint64)
    if np.maximum.reduce(unsigned, axis=None) >= classes:
        wrong = indices[unsigned >= classes]
        raise IndexOutOfRange(
            f"cross_entropy: classes go from 0 to {classes - 1} for logits of shape "
            f"{logits.shape}; the target holds {sorted(set(wrong.tolist()))[:5]}"
        )
    result: Array = indices
    return result


def _cases(draw: Draw) -> Case:
    shape = draw.shape(max_dims=1)
    classes = draw.integer(1, 4)
    target = draw.rng.integers(0, classes, size=shape)
    reduction = draw.choice(["none", "sum", "mean"])
    return [draw.array((*shape, classes))], {"target": target, "reduction": reduction}


def _reference(logits: Any, target: Any, reduction: str) -> Any:
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    losses = -np.log(np.take_along_axis(p, target[..., None], axis=-1)[..., 0])
    return losses if reduction == "none" else getattr(np, reduction)(losses)


def _flat_places(target: Array, classes: int) -> Array:
    """Where the targets stand in the logits laid end to end."""
    places: Array = np.arange(0, target.size * classes, classes)
    places += target.reshape(-1)
    return places


def _residual(logits: Any, target: Array) -> Any:
    """p - y: the probabilities less one at the target."""
    p = softmax(logits)
    hot = np.zeros(p.shape, p.dtype)
    hot.reshape(-1)[_flat_places(target, p.shape[-1])] = 1
    return p - hot


def _rule(g: Any, residual: Any, target: Array, reduction: str) -> Any:
    """p - y, which the notes call a3 - y: softmax and logarithm cancel."""
    if reduction == "none":
        return reshape(g, (*target.shape, 1)) * residual
    return residual * (g / target.size if reduction == "mean" else g)


@operation(keep={"residual": _residual}, cases=_cases, reference=_reference, dlogits=_rule)
def softmax_cross_entropy(logits: Any, target: Array, reduction: str = "mean") -> Any:
    """-log softmax(logits)[target] for each row: `logits` (..., C), integer `target` (...).

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.ops.softmax_cross_entropy(tg.tensor([[0.0, 0.0]]), np.array([1]))
        tensor(0.6931472)
    """
    # row-major whatever the layout of the logits, so that `flat` is a view
    z = np.subtract(logits, np.maximum.reduce(logits, axis=-1, keepdims=True), order="C")
    places = _flat_places(target, z.shape[-1])
    flat = z.reshape(-1)
    picked = flat[places]
    np.exp(z, z)
    total = np.add.reduce(z, axis=-1, keepdims=True)
    z /= total
    flat[places] -= 1
    losses = np.log(total.reshape(-1)) - picked
    if reduction == "none":
        return losses.reshape(target.shape), z
    loss = np.add.reduce(losses)
    return (loss / target.size if reduction == "mean" else loss), z


def _error_cases(draw: Draw) -> Case:
    shape = draw.shape()
    operands = [draw.array(shape), draw.array(shape)]
    return operands, {"reduction": draw.choice(["none", "sum", "mean"])}


def _error_reference(a: Any, b: Any, reduction: str) -> Any:
    return (a - b) ** 2 if reduction == "none" else getattr(np, reduction)((a - b) ** 2)


def _error_rule(g: Any, difference: Any, reduction: str, factor: float) -> Any:
    """2 (a - b), shared by as many as there are."""
    if reduction == "mean" and difference.size:
        factor /= difference.size
    return g * factor * difference


@operation(
    keep={"difference": lambda a, b: a - b},
    cases=_error_cases,
    reference=_error_reference,
    da=lambda g, difference, reduction: _error_rule(g, difference, reduction, 2),
    db=lambda g, difference, reduction: _error_rule(g, difference, reduction, -2),
)
def squared_error(a: Any, b: Any, reduction: str = "mean") -> Any:
    """(a - b)^2 for equal shapes, as it is, summed, or averaged.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.reductions.losses.squared_error(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
        tensor(2.)
    """
    difference = np.asarray(np.subtract(a, b))
    squares = np.multiply(difference, difference)
    if reduction == "none":
        return squares, difference
    return (mean if reduction == "mean" else sum)(np.asarray(squares)), difference
