"""Arguments of functions that slide windows: a number or one per axis, with or without a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

from ... import ops
from ...engine.errors import ArgumentError, ShapeError
from ...engine.types import np
from ...ops.sliding.windows import Windows
from ..foreign import described, with_shape

LAYOUT = {1: ("N, C, L", "C, L"), 2: ("N, C, H, W", "C, H, W")}
"""The shapes of data with one and with two spatial axes, with and without a batch."""


def per_axis(value: Any, axes: int, name: str, where: str, least: int = 1) -> tuple[int, ...]:
    """A whole number for each spatial axis, from one number or a sequence of them."""
    if type(value) is int and value >= least:
        return (value,) * axes
    given = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
    numbers = all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in given)
    if not numbers or len(given) not in (1, axes) or min(given) < least:
        several = f" or a sequence of {axes} of them" if axes > 1 else ""
        raise ArgumentError(
            f"{where}: {name} must be a whole number of {least} or more{several}, got "
            f"{described(value, where)}"
        )
    return tuple(int(v) for v in given) * (axes if len(given) == 1 else 1)


def check_number(value: Any, name: str, where: str, above: float | None = None) -> float:
    """`value` as a Python number; raises `ArgumentError` unless it is one, larger than `above`."""
    if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value):
        raise ArgumentError(f"{where}: {name} must be a number, got {described(value, where)}")
    if above is not None and value <= above:
        raise ArgumentError(f"{where}: {name} must be larger than {above}, got {value!r}")
    return float(value)


def as_data(input: Any, axes: int, where: str) -> Any:
    """The input as something with a shape; raises `ShapeError` unless it is data with channels."""
    input = with_shape(input)
    if input.ndim not in (axes + 1, axes + 2):
        batch, single = LAYOUT[axes]
        raise ShapeError(
            f"{where}: expected an input of shape ({batch}), or ({single}) for one sample; "
            f"got {input.shape}"
        )
    return input


def on_batch(function: Callable[[Any], Any], input: Any, axes: int) -> Any:
    """`function` of the input as a batch; for one sample the result is one sample again."""
    if input.ndim == axes + 2:
        return function(input)
    out = function(ops.expand_dims(input, 0))
    return ops.reshape(out, out.shape[1:])


def refuse_large_windows(along: Sequence[Windows], where: str) -> None:
    """Raise `ShapeError` where a window is larger than the padded input."""
    for k, axis in enumerate(along, -len(along)):
        if axis.count < 1 or axis.size < 1:
            padded = axis.size + axis.low + axis.high
            gaps = f" with dilation {axis.dilation}" if axis.dilation > 1 else ""
            raise ShapeError(
                f"{where}: a window of {axis.kernel}{gaps} reaches over {axis.reach}, but along "
                f"axis {k} the input has length {axis.size}, padded {padded}; use a smaller "
                f"window, more padding or a larger input"
            )


def channels_hint(shape: Sequence[int], wanted: int, axes: int) -> str:
    """What to write where the axes of a batch stand in another order, or one is missing."""
    if axes not in LAYOUT:
        return ""
    batch, _ = LAYOUT[axes]
    if len(shape) == axes + 2 and shape[-1] == wanted:
        order = ", ".join(map(str, (0, axes + 1, *range(1, axes + 1))))
        return f"; the channels seem to come last: bring them to ({batch}) by x.transpose({order})"
    if len(shape) == axes + 1 and shape[-1] == wanted != 1:
        order = ", ".join(map(str, (axes, *range(axes))))
        return f"; the channels seem to come last: bring them first by x.transpose({order})"
    if len(shape) == axes + 1 and wanted == 1:
        return (
            f"; for a batch without an axis of channels write x[:, None], which gives ({batch}) "
            f"with C = 1"
        )
    return ""


def as_weight(weight: Any, axes: int, where: str, lead: str) -> Any:
    """The weight as something with a shape; raises `ShapeError` unless it holds kernels."""
    weight = with_shape(weight)
    kernel = {1: "K", 2: "KH, KW"}[axes]
    if weight.ndim != axes + 2 or 0 in weight.shape[1:]:
        raise ShapeError(
            f"{where}: expected a weight of shape ({lead}, {kernel}), got {weight.shape}"
        )
    return weight


def as_bias(bias: Any, channels: int, where: str) -> Any:
    """The bias as something with a shape, or None; raises `ShapeError` for another length."""
    if bias is None:
        return None
    bias = with_shape(bias)
    if bias.shape != (channels,):
        raise ShapeError(
            f"{where}: expected a bias of shape ({channels},), one number for each output "
            f"channel, got {bias.shape}"
        )
    return bias


def check_groups(groups: Any, weight: Any, where: str) -> None:
    """Raise unless `groups` is a whole number that splits the weight into equal parts."""
    (groups,) = per_axis(groups, 1, "groups", where)
    if weight.shape[0] % groups:
        raise ShapeError(
            f"{where}: groups={groups} does not divide the first length of the weight, "
            f"{weight.shape[0]} of {weight.shape}; each group has as many channels as the others"
        )
