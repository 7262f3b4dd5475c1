"""Losses that want the score of the right class ahead by a margin, and are content then."""

from __future__ import annotations

from typing import Any

from ....engine.errors import ArgumentError, ShapeError
from ....ops.reductions.losses import check_classes, class_margins
from ...foreign import with_shape
from ..arguments import check_number
from .checks import (
    check_reduction,
    class_weights,
    reduce,
    refuse_empty_mean,
    refuse_integers,
)

__all__ = ["multi_class_hinge_loss", "multi_margin_loss"]


def _scores_and_classes(input: Any, target: Any, where: str, reduction: str) -> tuple[Any, Any]:
    input = with_shape(input)
    if input.ndim not in (1, 2):
        raise ShapeError(
            f"{where}: expected scores of shape (N, C), or (C,) for one sample, got {input.shape}"
        )
    refuse_integers(input, where, target, "scores")
    classes, _ = check_classes(input, target, where)
    refuse_empty_mean(input.shape, reduction, where)
    return input, classes


def multi_class_hinge_loss(
    input: Any, target: Any, margin: float = 1.0, reduction: str = "mean"
) -> Any:
    """Sum over the wrong classes j of max(0, s_j - s_y + margin), averaged over the batch.

    The support vector machine of several classes; J. Weston and C. Watkins, Support Vector
    Machines for Multi-Class Pattern Recognition, 1999.

    Args:
        input: scores of shape (N, C), or (C,) for one sample.
        target: integer classes of shape (N,), or () for one sample.
        margin: by how much the right class shall be ahead (default 1).
        reduction: `"mean"` over the samples (default), `"sum"` or `"none"`.

    At chance level, equal scores, it is (C - 1) times the margin: with small random weights that
    is what the first step shows. `multi_margin_loss` divides by C. A sample that keeps all margins
    has gradient 0 (a dead hinge) and is never looked at again; the size of the margin only sets
    the scale of the scores, which a penalty on the weights then bounds.

    Raises `DTypeError` for targets that are not integer, `IndexOutOfRange` for a class beyond C,
    `ShapeError` for shapes that do not fit and for an empty batch.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> scores = tg.tensor([[3.2, 5.1, -1.7]], requires_grad=True)
        >>> loss = tg.nn.functional.multi_class_hinge_loss(scores, np.array([0]))
        >>> round(loss.item(), 4)
        2.9
        >>> loss.backward()
        >>> scores.grad
        array([[-1.,  1.,  0.]], dtype=float32)
    """
    check_reduction(reduction, "multi_class_hinge_loss")
    margin = check_number(margin, "margin", "multi_class_hinge_loss")
    input, classes = _scores_and_classes(input, target, "multi_class_hinge_loss", reduction)
    return reduce(class_margins(input, classes, margin), reduction)


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """Sum over the wrong classes j of w_y max(0, margin - s_y + s_j)^p, divided by C.

    Args:
        input: scores of shape (N, C), or (C,) for one sample.
        target: integer classes of shape (N,), or () for one sample.
        p: 1 (default), or 2 for squares, which punish large violations more.
        margin: by how much the right class shall be ahead (default 1).
        weight: w, one number for each class; a mean stays divided by the number of samples.
        reduction: `"mean"` over the samples (default), `"sum"` or `"none"`.

    At chance level, equal scores, it is margin^p (C - 1) / C. The lectures' form, which does not
    divide by C, is `multi_class_hinge_loss`; that a hinge can be dead is said there.

    Raises `ArgumentError` for another `p`, `DTypeError` for targets that are not integer,
    `IndexOutOfRange` for a class beyond C, `ShapeError` for shapes that do not fit.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> scores = tg.tensor([[0.0, 0.0, 0.0, 0.0]])
        >>> tg.nn.functional.multi_margin_loss(scores, np.array([0]))
        tensor(0.75)
    """
    check_reduction(reduction, "multi_margin_loss")
    if check_number(p, "p", "multi_margin_loss") not in (1, 2):
        raise ArgumentError(f"multi_margin_loss: p must be 1 or 2, got {p!r}")
    margin = check_number(margin, "margin", "multi_margin_loss")
    input, classes = _scores_and_classes(input, target, "multi_margin_loss", reduction)
    count = input.shape[-1]
    losses = class_margins(input, classes, margin, p) / count
    if weight is not None:
        weights = class_weights(weight, count, "multi_margin_loss")
        losses = losses * weights[classes].astype(losses.dtype)
    return reduce(losses, reduction)
