"""Losses of distances: what is alike comes together, what is different keeps a margin."""

from __future__ import annotations

from typing import Any

from .... import ops
from ....engine.errors import ArgumentError, ShapeError
from ....ops.linalg.vector_norms import vector_norm
from ....ops.reductions.losses.shares import tiny
from ...foreign import with_shape
from ..arguments import check_number
from .checks import (
    check_reduction,
    pair,
    reduce,
    refuse_empty_mean,
    refuse_integers,
    shape_of,
    signs,
)

__all__ = ["cosine_embedding_loss", "hinge_embedding_loss", "triplet_margin_loss"]


def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, reduction: str = "mean"
) -> Any:
    """The distance x itself where the target is 1, max(0, margin - x) where it is -1.

    R. Hadsell, S. Chopra and Y. LeCun, Dimensionality Reduction by Learning an Invariant Mapping,
    2006, has the squares of it.

    Args:
        input: distances between the two of each pair, any shape.
        target: 1 for alike, -1 for different, of the same shape.
        margin: how far different ones shall be apart (default 1).
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    Different pairs further apart than the margin have gradient 0 (a dead hinge): they are learned.

    Raises `ArgumentError` for targets that are not 1 or -1, `ShapeError` for different shapes.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> x = tg.tensor([0.2, 0.2, 3.0])
        >>> tg.nn.functional.hinge_embedding_loss(x, np.array([1, -1, -1]), reduction="none")
        tensor([0.2, 0.8, 0. ])
    """
    check_reduction(reduction, "hinge_embedding_loss")
    margin = check_number(margin, "margin", "hinge_embedding_loss")
    input, _ = pair(input, target, "hinge_embedding_loss", reduction)
    alike = signs(target, "hinge_embedding_loss")
    input = with_shape(input)
    return reduce(ops.where(alike, input, ops.relu(margin - input)), reduction)


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """1 - cos(x1, x2) where the target is 1, max(0, cos(x1, x2) - margin) where it is -1.

    Args:
        input1, input2: vectors of shape (N, D), or (D,) for one pair.
        target: 1 for alike, -1 for different, of shape (N,), or () for one pair.
        margin: the largest cosine of different ones, from -1 to 1 (default 0).
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    The lengths of the vectors do not matter. In many dimensions random directions have a cosine
    near 0: for margin 0 the loss starts at 1 for alike and near 0 for different pairs. A vector of
    zeros has cosine 0 with anything, and a steep gradient.

    Raises `ArgumentError` for targets that are not 1 or -1, `ShapeError` for shapes that do not
    fit.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> a, b = tg.tensor([[1.0, 0.0], [1.0, 0.0]]), tg.tensor([[3.0, 4.0], [0.0, 2.0]])
        >>> loss = tg.nn.functional.cosine_embedding_loss(a, b, np.array([1, -1]))
        >>> round(loss.item(), 4)
        0.2
    """
    name = "cosine_embedding_loss"
    check_reduction(reduction, name)
    margin = check_number(margin, "margin", name)
    if not -1 <= margin <= 1:
        raise ArgumentError(f"{name}: margin is a cosine from -1 to 1, got {margin}")
    a, b = with_shape(input1), with_shape(input2)
    for x in (a, b):
        refuse_integers(x, name, what="both inputs")
    if a.shape != b.shape or a.ndim not in (1, 2) or shape_of(target) != a.shape[:-1]:
        raise ShapeError(
            f"{name}: expected vectors (N, D) twice and a target (N,), or (D,) twice and (), got "
            f"{a.shape}, {b.shape} and {shape_of(target)}"
        )
    refuse_empty_mean(a.shape, reduction, name)
    alike = signs(target, name)
    cosine = _cosine(a, b)
    return reduce(ops.where(alike, 1 - cosine, ops.relu(cosine - margin)), reduction)


def _cosine(a: Any, b: Any) -> Any:
    """The cosines of the angles, with 1e-12 added to each squared length, as in PyTorch."""
    squared = (ops.sum(a * a, -1) + tiny(a)) * (ops.sum(b * b, -1) + tiny(b))
    return ops.sum(a * b, -1) / ops.sqrt(squared)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), with d(x, y) = ‖x - y + eps‖.

    V. Balntas and others, Learning Shallow Convolutional Feature Descriptors with Triplet Losses,
    2016.

    Args:
        anchor, positive, negative: vectors of the same shape (..., D).
        margin: by how much the negative shall be further away, larger than 0 (default 1).
        p: exponent of the norm (default 2).
        eps: what keeps the norm away from 0, where it has no derivative (default 1e-6).
        swap: take the nearer of d(anchor, negative) and d(positive, negative).
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    Where all vectors collapse to one point the loss is the margin, and training stays there: a
    loss that stops at the margin says so. Triplets that keep the margin have gradient 0 (a dead
    hinge); choose negatives that are near.

    Raises `ShapeError` for different shapes, `ArgumentError` for a margin that is not positive.

    Example:
        >>> import tinygrad_cs as tg
        >>> a, p, n = tg.tensor([[0.0, 0.0]]), tg.tensor([[3.0, 4.0]]), tg.tensor([[0.0, 5.5]])
        >>> round(tg.nn.functional.triplet_margin_loss(a, p, n).item(), 4)
        0.5
    """
    name = "triplet_margin_loss"
    check_reduction(reduction, name)
    margin = check_number(margin, "margin", name, above=0)
    p = check_number(p, "p", name)
    eps = check_number(eps, "eps", name)
    anchor, positive, negative = with_shape(anchor), with_shape(positive), with_shape(negative)
    for x in (anchor, positive, negative):
        refuse_integers(x, name, what="anchor, positive and negative")
    shapes = [x.shape for x in (anchor, positive, negative)]
    if not shapes[0] or len(set(shapes)) > 1:
        raise ShapeError(
            f"{name}: anchor, positive and negative must have the same shape (..., D), got "
            f"{', '.join(map(str, shapes))}"
        )
    refuse_empty_mean(shapes[0], reduction, name)

    def distance(x: Any, y: Any) -> Any:
        return vector_norm(x - y + eps, -1, ord=p)

    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = ops.minimum(far, distance(positive, negative))
    return reduce(ops.relu(near - far + margin), reduction)
