"""The hinge over classes: how far wrong classes come within a margin of the right one."""

from __future__ import annotations

from typing import Any

from ....engine.define import operation
from ....engine.types import Array, np
from ...elementwise.selection import relu, where
from ...elementwise.signs import sign
from ...families import Case, Draw
from ...indices.taking import take_along_axis
from ...shapes.shaping import reshape
from ..sums import sum
from .shares import flat_places


def _is_right(target: Array, classes: int) -> Array:
    """True at the right class of each row."""
    right: Array = np.equal(target[..., None], np.arange(classes))
    return right


def _slope(scores: Any, target: Array, margin: float, p: int) -> Any:
    """Each wrong class within the margin falls, the right one rises by as much together."""
    right = _is_right(target, scores.shape[-1])
    gap = scores - take_along_axis(scores, target[..., None], axis=-1) + margin
    slack = where(right, 0, relu(gap))
    steep = 2 * slack if p == 2 else sign(slack)
    return where(right, -sum(steep, -1, keepdims=True), steep)


def _cases(draw: Draw) -> Case:
    classes = draw.integer(1, 4)
    target = draw.rng.integers(0, classes, size=draw.shape(max_dims=1))
    # scores on a grid of 0.5 and a margin beside it: no gap is near its kink
    scores = draw.rng.integers(-4, 5, size=(*target.shape, classes)) / 2.0
    return [scores], {"target": target, "margin": 0.75, "p": draw.choice([1, 2])}


def _reference(scores: Any, target: Any, margin: float, p: int) -> Any:
    right = np.take_along_axis(scores, target[..., None], axis=-1)
    return (np.maximum(0, scores - right + margin) ** p).sum(axis=-1) - margin**p


@operation(
    keep={"slope": _slope},
    cases=_cases,
    reference=_reference,
    dscores=lambda g, slope, target: reshape(g, (*target.shape, 1)) * slope,
)
def class_margins(scores: Any, target: Array, margin: float = 1.0, p: int = 1) -> Any:
    """Sum over j != y of max(0, s_j - s_y + margin)^p for each row; p is 1 or 2.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> scores = tg.tensor([[3.0, 5.0, -1.0]])
        >>> tg.ops.reductions.losses.class_margins(scores, np.array([0]))
        tensor([3.])
    """
    scores = np.ascontiguousarray(scores)  # so that `reshape` makes views
    places = flat_places(target, scores.shape[-1])
    picked = scores.reshape(-1)[places].reshape(*target.shape, 1)
    slack = np.maximum(scores - picked + margin, 0)
    slack.reshape(-1)[places] = 0
    losses = np.add.reduce(slack if p == 1 else slack * slack, axis=-1)
    slope = np.sign(slack) if p == 1 else 2 * slack
    slope.reshape(-1)[places] = -np.add.reduce(slope, axis=-1).reshape(-1)
    return losses, slope
