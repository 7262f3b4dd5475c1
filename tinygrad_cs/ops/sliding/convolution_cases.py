"""What checks of convolution need: small cases of every kind, and the sums written out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from ...engine.types import Array, Shape, np
from ..families import Case, Draw
from .window_cases import draw_axes, draw_windows, visits
from .windows import Windows


def _draw_shapes(draw: Draw) -> tuple[Shape, Shape, Shape, dict[str, Any]]:
    """Shapes of input, kernels and output, and the parameters."""
    n, (groups, c, o) = draw.shape(1, 1)[:1], draw.choice([(1, 1, 1), (1, 2, 2), (2, 1, 1)])
    axes = draw_axes(draw, draw_windows)
    x = (*n, groups * c, *[axis.size for axis in axes])
    w = (groups * o, c, *[axis.kernel for axis in axes])
    y = (*n, groups * o, *[axis.count for axis in axes])
    return x, w, y, {"axes": axes, "groups": groups}


def conv_cases(draw: Draw) -> Case:
    """An input and kernels."""
    x, w, _, params = _draw_shapes(draw)
    return [draw.array(x), draw.array(w)], params


def biased_cases(draw: Draw) -> Case:
    """An input, kernels and a bias."""
    x, w, _, params = _draw_shapes(draw)
    return [draw.array(x), draw.array(w), draw.array(w[:1])], params


def input_cases(draw: Draw) -> Case:
    """Something of the output's shape, and kernels."""
    _, w, y, params = _draw_shapes(draw)
    return [draw.array(y), draw.array(w)], params


def weight_cases(draw: Draw) -> Case:
    """An input, and something of the output's shape."""
    x, _, y, params = _draw_shapes(draw)
    return [draw.array(x), draw.array(y)], params


def _terms(axes: tuple[Windows, ...], groups: int, c: int, o: int) -> Iterator[tuple[Any, ...]]:
    """Where the factors of the products in the sum stand: in x, in w and in the output."""
    for group, (window, entry, place) in itertools.product(range(groups), visits(axes)):
        ins, outs = slice(group * c, (group + 1) * c), slice(group * o, (group + 1) * o)
        yield (slice(None), ins, *place), (outs, slice(None), *entry), (slice(None), outs, *window)


def conv_reference(x: Any, w: Any, axes: tuple[Windows, ...], groups: int) -> Array:
    """The sum as it is defined, term by term."""
    out: Array = np.zeros((len(x), len(w), *[axis.count for axis in axes]))
    for in_x, in_w, in_out in _terms(axes, groups, w.shape[1], len(w) // groups):
        out[in_out] += x[in_x] @ w[in_w].T
    return out


def biased_reference(x: Any, w: Any, bias: Any, axes: tuple[Windows, ...], groups: int) -> Array:
    """The same, and the bias of each output channel."""
    return conv_reference(x, w, axes, groups) + bias.reshape(-1, *[1] * len(axes))


def input_reference(y: Any, w: Any, axes: tuple[Windows, ...], groups: int) -> Array:
    """Every term sent back to the input it came from."""
    out: Array = np.zeros((len(y), groups * w.shape[1], *[axis.size for axis in axes]))
    for in_x, in_w, in_out in _terms(axes, groups, w.shape[1], len(w) // groups):
        out[in_x] += y[in_out] @ w[in_w]
    return out


def weight_reference(x: Any, y: Any, axes: tuple[Windows, ...], groups: int) -> Array:
    """Every term sent back to the kernel entry it came from."""
    c, o = x.shape[1] // groups, y.shape[1] // groups
    out: Array = np.zeros((y.shape[1], c, *[axis.kernel for axis in axes]))
    for in_x, in_w, in_out in _terms(axes, groups, c, o):
        out[in_w] += y[in_out].T @ x[in_x]
    return out
