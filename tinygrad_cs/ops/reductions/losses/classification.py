"""Losses for choosing one of several classes: softmax, logarithm and choice in one operation."""

from __future__ import annotations

from functools import cache
from typing import Any

from ....engine.arrays import one
from ....engine.define import operation
from ....engine.errors import DTypeError, IndexOutOfRange, ShapeError
from ....engine.types import Array, np
from ...families import Case, Draw
from ...shapes.shaping import reshape
from ..softmax import log_softmax, softmax
from ..sums import sum
from .shares import flat_places, plainly, some_reduction


def check_classes(
    scores: Any, target: Any, where: str = "cross_entropy", ignore_index: int | None = None
) -> tuple[Array, Array | None]:
    """Class indices that fit the scores, and where they count (None for everywhere).

    The classes of the scores lie along axis 1, or 0 for one sample; the target has the other axes.
    Raises `DTypeError` for anything but integers, `ShapeError` for another batch, and
    `IndexOutOfRange` for a class that does not exist.
    """
    indices = target
    if type(target) is not np.ndarray:
        indices = np.asarray(getattr(target, "_data", target))
    if indices.dtype.kind not in "iu":
        raise _no_indices(scores, indices, where)
    shape = scores.shape
    if len(shape) == 2:
        batch, classes = shape[:1], shape[1]
    elif len(shape) == 1:
        batch, classes = (), shape[0]
    else:
        batch, classes = shape[:1] + shape[2:], shape[1] if shape else 0
    if not shape or indices.shape != batch:
        raise _other_batch(scores, indices, where)
    if not indices.size:
        return indices, None
    counted = None
    if ignore_index is not None and ignore_index >= 0:
        counted = _counted(indices, ignore_index)
    # One comparison finds both ends: a negative index is huge when read as unsigned.
    unsigned = indices.astype(np.uint64) if indices.itemsize < 8 else indices.view(np.uint64)
    if np.maximum.reduce(unsigned, axis=0 if unsigned.ndim == 1 else None) >= classes:
        wrong = unsigned >= classes
        if ignore_index is not None:
            counted = _counted(indices, ignore_index)
            wrong &= indices != ignore_index
        if wrong.any():
            raise IndexOutOfRange(
                f"{where}: classes go from 0 to {classes - 1} for scores of shape {shape}; the "
                f"target holds {sorted(set(indices[wrong].tolist()))[:5]}"
            )
    return indices, counted


def _counted(indices: Array, ignore_index: int) -> Array | None:
    counted: Array = indices != ignore_index
    return None if counted.all() else counted


def _no_indices(scores: Any, indices: Array, where: str) -> DTypeError:
    detail = " with NaN" if indices.dtype.kind == "f" and np.isnan(indices).any() else ""
    return DTypeError(
        f"{where}: the target holds class indices, so it must be integer, got "
        f"{indices.dtype}{detail}; convert labels with .astype('int64')"
    )


def _other_batch(scores: Any, indices: Array, where: str) -> ShapeError | DTypeError:
    if scores.ndim and indices.shape == scores.shape:
        return DTypeError(
            f"{where}: the target has the shape {indices.shape} of the scores and integers, as "
            f"one-hot rows do; it takes class indices: target.argmax(1)"
        )
    return ShapeError(
        f"{where}: scores of shape (N, C) need a target of shape (N,), scores (N, C, d1, ...) a "
        f"target (N, d1, ...), scores (C,) a single class; got scores {scores.shape} and target "
        f"{indices.shape}"
    )


def _cases(draw: Draw) -> Case:
    shape = draw.shape(max_dims=1)
    classes = draw.integer(1, 4)
    target = draw.rng.integers(0, classes, size=shape)
    return [draw.array((*shape, classes))], {"target": target} | some_reduction(draw)


def _reference(logits: Any, target: Any, reduction: str) -> Any:
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    losses = -np.log(np.take_along_axis(p, target[..., None], axis=-1)[..., 0])
    return plainly(losses, reduction)


def _residual(logits: Any, target: Array) -> Any:
    """p - y: the probabilities less one at the target."""
    p = softmax(logits)
    hot = np.zeros(p.shape, p.dtype)
    hot.reshape(-1)[flat_places(target, p.shape[-1])] = 1
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
    few = logits.ndim == 2 and logits.shape[1] <= _FEW
    z, total, picked = (_classes_first if few else _classes_last)(logits, target)
    losses = np.log(total) - picked
    if reduction == "none":
        return losses.reshape(target.shape), z
    loss = losses.dot(one(losses.shape, losses.dtype))
    return (loss / target.size if reduction == "mean" else loss), z


_FEW = 64
"""Up to so many classes it is quicker to go through the batch class by class than row by row."""


def _classes_last(logits: Any, target: Array) -> tuple[Any, Any, Any]:
    """p - y; the sum of exp(z) and z at the target for each row, where z has its maximum at 0."""
    # row-major whatever the layout of the logits, so that `flat` is a view
    z = np.subtract(logits, np.maximum.reduce(logits, axis=-1, keepdims=True), order="C")
    places = flat_places(target, z.shape[-1])
    flat = z.reshape(-1)
    picked = flat[places]
    np.exp(z, z)
    total = np.add.reduce(z, axis=-1, keepdims=True)
    z /= total
    flat[places] -= 1
    return z, total.reshape(-1), picked


def _classes_first(logits: Any, target: Array) -> tuple[Any, Any, Any]:
    """The same on the transpose: NumPy is slow where it adds up a few numbers many times."""
    z = np.positive(logits.T, order="C")
    z -= np.maximum.reduce(z, axis=0)
    rows = target if target.dtype == np.intp else target.astype(np.intp)  # uint8 would overflow
    places = rows * len(rows) + _columns(len(rows))
    flat = z.reshape(-1)
    picked = flat[places]
    np.exp(z, z)
    total = np.add.reduce(z, axis=0)
    z /= total
    flat[places] -= 1
    return z.T, total, picked


@cache
def _columns(n: int) -> Array:
    columns = np.arange(n)
    columns.flags.writeable = False
    return columns


def _soft_cases(draw: Draw) -> Case:
    shape = (*draw.shape(max_dims=2), draw.integer(1, 4))
    return [draw.array(shape), draw.array(shape, (0.1, 1.0))], {}


def _soft_reference(logits: Any, shares: Any) -> Any:
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    return -(shares * np.log(p)).sum(axis=-1)


def _soft_rule(g: Any, logits: Any, shares: Any) -> Any:
    """p sum(q) - q, which is p - q for shares that sum to 1."""
    residual = softmax(logits) * sum(shares, -1, keepdims=True) - shares
    return reshape(g, (*shares.shape[:-1], 1)) * residual


@operation(
    cases=_soft_cases,
    reference=_soft_reference,
    dlogits=_soft_rule,
    dshares=lambda g, logits, logits_shape: (
        reshape(-g, (*logits_shape[:-1], 1)) * log_softmax(logits)
    ),
)
def soft_cross_entropy(logits: Any, shares: Any) -> Any:
    """-sum of shares log softmax(logits) over the last axis; a share of 0 counts as nothing.

    Example:
        >>> import tinygrad_cs as tg
        >>> logits, shares = tg.tensor([[0.0, 0.0]]), tg.tensor([[0.5, 0.5]])
        >>> tg.ops.reductions.losses.soft_cross_entropy(logits, shares)
        tensor([0.6931472])
    """
    logarithms = log_softmax(logits)
    terms = np.zeros(logarithms.shape, np.result_type(logarithms, shares))
    np.multiply(shares, logarithms, out=terms, where=np.not_equal(shares, 0))
    return -np.add.reduce(terms, axis=-1)
