"""Resizing under PyTorch's name and arguments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...engine.errors import ArgumentError, ShapeError
from ...ops.sliding.interpolation import Resize, resize_linear, resize_nearest
from ..foreign import with_shape
from .arguments import per_axis

__all__ = ["interpolate"]

_MODES = {"nearest": (1, 2), "linear": (1,), "bilinear": (2,)}
"""The numbers of spatial axes each mode is for."""


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Any:
    """Data resized along its spatial axes.

    Args:
        input: (N, C, L) or (N, C, H, W).
        size: the new length, or one for each axis.
        scale_factor: instead of `size`, new lengths in multiples of the old, rounded down.
        mode: "nearest" (default) copies, "linear" (one axis) and "bilinear" (two) interpolate.
        align_corners: only for the latter two. True keeps the centres of the outermost entries
            where they are, False (default) their outer edges.

    An axis that keeps its length is copied as it is, whatever the factor was rounded from.

    Raises `ArgumentError` unless exactly one of `size` and `scale_factor` is given, and for a mode
    that does not exist; `ShapeError` for an input of other axes than the mode is for.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([[[0.0, 2.0]]])
        >>> tg.nn.functional.interpolate(x, scale_factor=2)
        tensor([[[0., 0., 2., 2.]]])
        >>> tg.nn.functional.interpolate(x, size=3, mode="linear", align_corners=True)
        tensor([[[0., 1., 2.]]])
    """
    if mode not in _MODES:
        raise ArgumentError(
            f"interpolate: mode must be one of {', '.join(map(repr, _MODES))}, got {mode!r}"
        )
    if mode == "nearest" and align_corners is not None:
        raise ArgumentError(
            "interpolate: align_corners is for the modes 'linear' and 'bilinear'; leave it out "
            "with mode='nearest'"
        )
    input = with_shape(input)
    axes = input.ndim - 2
    if axes not in _MODES[mode] or 0 in input.shape[2:]:
        wanted = " or ".join({1: "(N, C, L)", 2: "(N, C, H, W)"}[n] for n in _MODES[mode])
        raise ShapeError(
            f"interpolate: mode={mode!r} is for an input of shape {wanted}, got {input.shape}"
        )
    corners = bool(align_corners)
    along = tuple(Resize(n, m, s, corners) for n, m, s in _lengths(input, axes, size, scale_factor))
    return (resize_nearest if mode == "nearest" else resize_linear)(input, along)


def _lengths(input: Any, axes: int, size: Any, factor: Any) -> list[tuple[int, int, float]]:
    """Old and new length of each axis, and the distance of outputs in inputs."""
    old = input.shape[2:]
    if (size is None) == (factor is None):
        raise ArgumentError("interpolate: give either size or scale_factor")
    if size is not None:
        new = per_axis(size, axes, "size", "interpolate")
        return [(n, m, n / m) for n, m in zip(old, new, strict=True)]
    factors = list(factor) if isinstance(factor, Sequence) else [factor] * axes
    lengths = [
        (n, math.floor(n * f), 1 / f)
        for n, f in zip(old, factors, strict=False)
        if 0 < f < math.inf
    ]
    if len(factors) != axes or len(lengths) != axes or min(m for _, m, _ in lengths) < 1:
        raise ArgumentError(
            f"interpolate: scale_factor must be a positive number, or one for each of the {axes} "
            f"spatial axes, that leaves at least one entry of {old}; got {factor!r}"
        )
    return lengths
