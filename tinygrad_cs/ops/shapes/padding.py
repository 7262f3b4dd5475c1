"""Padding: the cotangent loses the frame, or its entries go back to where they were copied from."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ...engine.define import composition, operation
from ...engine.errors import ArgumentError, DTypeError, ShapeError
from ...engine.record import MOVE
from ...engine.types import Array, Shape, T, np
from ..axes import axis_number, raw, shape_of
from ..families import Case, Draw
from ..indices.indexing import getitem
from ..indices.taking import take

__all__ = ["pad"]

Widths = tuple[tuple[int, int], ...]


def _frame_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape())
    return [x], {"widths": tuple((draw.integer(0, 2), draw.integer(0, 2)) for _ in x.shape)}


def _inside(shape: Shape, widths: Widths) -> tuple[slice, ...]:
    pairs = zip(shape, widths, strict=True)
    return tuple([slice(before, before + n) for n, (before, _) in pairs])


@operation(
    MOVE,
    cases=_frame_cases,
    reference=lambda x, widths: np.pad(x, widths) if x.ndim else x,
    dx=lambda g, x_shape, widths: getitem(g, _inside(x_shape, widths)),
)
def pad_zeros(x: T, widths: Widths) -> T:
    """A frame of zeros around x, of two widths for each axis.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.pad_zeros(tg.tensor([1.0]), ((1, 2),))
        tensor([0., 1., 0., 0.])
    """
    # np.pad itself takes five times as long on small arrays
    values = np.asarray(x)
    shape = [n + before + after for n, (before, after) in zip(values.shape, widths, strict=True)]
    out = np.zeros(shape, values.dtype)
    out[_inside(values.shape, widths)] = values
    return out


_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


def _pad_cases(draw: Draw) -> Case:
    x = draw.array(draw.shape(max_dims=2))
    pair = (draw.integer(0, 5), draw.integer(0, 5))
    width = draw.choice([pair, [pair], pair[0], tuple(pair for _ in x.shape) or 1])
    mode = draw.choice(_MODES)
    if mode == "constant":
        value = draw.choice([0, 0.5, (1.0, 2.0)])
        return [x], {"pad_width": width, "mode": mode, "constant_values": value}
    return [x], {"pad_width": width, "mode": mode}


@composition("x", numpy=np.pad, cases=_pad_cases)
def pad(x: Any, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Any:
    """Entries added before the first and after the last of each axis.

    Args:
        x: values.
        pad_width: how many: one number; a pair (before, after) for every axis; or a pair for each
            axis; or a dictionary of either by axis.
        mode: "constant" (default); "edge" repeats the outermost entry; "reflect" mirrors at the
            outermost entry, "symmetric" at its edge; "wrap" goes on at the other end. Widths may
            exceed the axis.
        constant_values: of mode "constant", in the forms of `pad_width`; default 0.

    Raises `ArgumentError` for another mode and for negative widths, `ShapeError` where an axis
    without entries would have to be copied from.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.pad(tg.tensor([1.0, 2.0, 3.0]), (1, 2), "reflect")
        tensor([2., 1., 2., 3., 2., 1.])
    """
    shape = shape_of(x)
    widths = _widths(pad_width, shape)
    if mode == "constant":
        out = pad_zeros(x, widths)
        if not shape or (type(constant_values) is int and constant_values == 0):
            return out
        frame = np.pad(np.zeros(shape, raw(x).dtype), widths, constant_values=constant_values)
        return out + frame
    if mode not in _MODES:
        raise ArgumentError(f"pad: mode is one of {', '.join(_MODES)}; got {mode!r}")
    for axis, (length, (before, after)) in enumerate(zip(shape, widths, strict=True)):
        if before or after:
            if not length:
                raise ShapeError(
                    f"pad: axis {axis} of shape {shape} has no entries that mode {mode!r} could "
                    f'copy; use mode "constant"'
                )
            x = take(x, _sources(length, before, after, mode), axis)
    return x


@lru_cache(maxsize=64)
def _few_sources(length: int, before: int, after: int, mode: str) -> Array:
    sources: Array = np.pad(np.arange(length), (before, after), mode)
    return sources


def _sources(length: int, before: int, after: int, mode: str) -> Array:
    """From which entry of an axis each entry of the padded one is copied."""
    few = length + before + after < 4096
    make: Any = _few_sources if few else _few_sources.__wrapped__
    sources: Array = make(length, before, after, mode)
    return sources


def _widths(pad_width: Any, shape: Shape) -> Widths:
    """A pair of widths for each axis, from any of NumPy's forms."""
    if isinstance(pad_width, dict):
        by_axis: list[Any] = [0] * len(shape)
        for axis, width in pad_width.items():
            by_axis[axis_number("pad", axis, shape)] = width
        pad_width = tuple([w if isinstance(w, tuple) else (w, w) for w in by_axis])
    if _is_width(pad_width):
        return ((pad_width, pad_width),) * len(shape)
    if _is_pair(pad_width):
        return (pad_width,) * len(shape)
    if type(pad_width) is tuple and len(pad_width) == len(shape) and all(map(_is_pair, pad_width)):
        return pad_width
    widths = raw(pad_width)
    if widths.dtype.kind not in "iu" and widths.size:
        raise DTypeError(f"pad: widths are integers, got {pad_width!r}")
    if (widths < 0).any():
        raise ArgumentError(f"pad: widths cannot be negative, got {pad_width!r}; slice instead")
    try:
        pairs: list[list[int]] = np.broadcast_to(widths, (len(shape), 2)).tolist()
    except ValueError as error:
        raise ShapeError(
            f"pad: pad_width is a number, a pair (before, after) or a pair for each axis of shape "
            f"{shape}; got {pad_width!r}"
        ) from error
    return tuple([(before, after) for before, after in pairs])


def _is_width(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_pair(value: Any) -> bool:
    return type(value) is tuple and len(value) == 2 and _is_width(value[0]) and _is_width(value[1])
