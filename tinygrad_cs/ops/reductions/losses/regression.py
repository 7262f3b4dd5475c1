"""Losses of the difference of two arrays; each keeps its slope."""

from __future__ import annotations

from typing import Any

from ....engine.define import operation
from ....engine.types import np
from ...elementwise.selection import clip
from ...elementwise.signs import sign
from ...families import Case, Draw
from .shares import plainly, reduced, share, some_reduction, two_alike


def _squared_rule(g: Any, difference: Any, reduction: str, factor: float) -> Any:
    """2 (a - b), shared by as many as there are."""
    if reduction == "mean" and difference.size:
        factor /= difference.size
    return g * factor * difference


@operation(
    keep={"difference": lambda a, b: a - b},
    cases=two_alike,
    reference=lambda a, b, reduction: plainly((a - b) ** 2, reduction),
    da=lambda g, difference, reduction: _squared_rule(g, difference, reduction, 2),
    db=lambda g, difference, reduction: _squared_rule(g, difference, reduction, -2),
)
def squared_error(a: Any, b: Any, reduction: str = "mean") -> Any:
    """(a - b)^2 for equal shapes, as it is, summed, or averaged.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.reductions.losses.squared_error(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
        tensor(2.)
    """
    difference = np.asarray(np.subtract(a, b))
    return reduced(np.multiply(difference, difference), reduction), difference


def _apart(draw: Draw, kinks: tuple[float, ...]) -> list[Any]:
    """Two arrays whose difference is away from the kinks."""
    a = draw.array(draw.shape())
    return [a, np.asarray(a - draw.array(a.shape, kinks=kinks))]


def _absolute_cases(draw: Draw) -> Case:
    return _apart(draw, (0.0,)), some_reduction(draw)


@operation(
    keep={"side": lambda a, b: sign(a - b)},
    cases=_absolute_cases,
    reference=lambda a, b, reduction: plainly(np.abs(a - b), reduction),
    da=lambda g, side, reduction: share(g, side, reduction),
    db=lambda g, side, reduction: share(-g, side, reduction),
)
def absolute_error(a: Any, b: Any, reduction: str = "mean") -> Any:
    """|a - b| for equal shapes, as it is, summed, or averaged.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.reductions.losses.absolute_error(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
        tensor(1.)
    """
    difference = np.asarray(np.subtract(a, b))
    return reduced(np.abs(difference), reduction), np.asarray(np.sign(difference))


def _huber_cases(draw: Draw) -> Case:
    delta = draw.choice([0.5, 1.0])
    parameters = {"delta": delta, "scale": draw.choice([1.0, 3.0])}
    return _apart(draw, (-delta, delta)), parameters | some_reduction(draw)


def _huber_reference(a: Any, b: Any, reduction: str, delta: float, scale: float) -> Any:
    d = np.abs(a - b)
    losses = np.where(d <= delta, d**2 / 2, delta * (d - delta / 2))
    return plainly(scale * losses, reduction)


@operation(
    # d and delta sign(d) in one: the derivative of d^2 / 2, limited
    keep={"slope": lambda a, b, delta: clip(a - b, -delta, delta)},
    cases=_huber_cases,
    reference=_huber_reference,
    da=lambda g, slope, reduction, scale: share(g * scale, slope, reduction),
    db=lambda g, slope, reduction, scale: share(g * -scale, slope, reduction),
)
def huber_error(
    a: Any, b: Any, reduction: str = "mean", delta: float = 1.0, scale: float = 1.0
) -> Any:
    """Half the square of d = a - b up to |d| = delta, then delta (|d| - delta / 2); times `scale`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.reductions.losses.huber_error(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]))
        tensor(0.75)
    """
    difference = np.asarray(np.subtract(a, b))
    slope = np.minimum(np.maximum(difference, -delta), delta)
    losses = slope * (difference - slope / 2)  # with the signs of d and its slope multiplied out
    if scale != 1:
        losses = losses * scale
    return reduced(losses, reduction), slope
