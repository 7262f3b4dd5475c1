"""What the derivatives of normalisation do to a cotangent, each in as few passes."""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.record import LINEAR, MOVE
from ...engine.types import np
from ..families import Case, Draw
from ..shapes.shaping import reshape
from .normalization_layout import Layout, draw_layout, single, sums
from .sums import mean, spread


def _total_cases(draw: Draw) -> Case:
    shape, layout = draw_layout(draw)
    return [draw.array(shape)], {"layout": layout}


@operation(
    MOVE,
    cases=_total_cases,
    reference=lambda x, layout: np.ravel(
        np.sum(np.reshape(x, layout.view), axis=layout.copies.axes)
    ),
    dx=lambda g, x_shape, layout: reshape(
        spread(reshape(g, layout.affine), layout.view, layout.copies.axes), x_shape
    ),
)
def total(x: Any, layout: Layout) -> Any:
    """The sum of entries that share a weight: the derivative of a bias.

    Example:
        >>> import tinygrad_cs as tg
        >>> from tinygrad_cs.ops.reductions.normalization_derivatives import total
        >>> from tinygrad_cs.ops.reductions.normalization_layout import per_channel
        >>> total(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), per_channel((2, 2)))
        tensor([4., 6.])
    """
    return sums(single(x.reshape(layout.view)), layout.copies).reshape(-1)


def _product_cases(draw: Draw) -> Case:
    shape, layout = draw_layout(draw)
    return [draw.array(shape), draw.array(layout.view)], {"layout": layout}


@operation(
    LINEAR,
    cases=_product_cases,
    reference=lambda x, z, layout: np.ravel(
        np.sum(np.reshape(x, layout.view) * z, axis=layout.copies.axes)
    ),
    dx=lambda g, x_shape, z, layout: reshape(reshape(g, layout.affine) * z, x_shape),
    dz=lambda g, x, layout: reshape(g, layout.affine) * reshape(x, layout.view),
)
def total_product(x: Any, z: Any, layout: Layout) -> Any:
    """The sum of x z over entries that share a weight: the derivative of a weight.

    Example:
        >>> import tinygrad_cs as tg
        >>> from tinygrad_cs.ops.reductions.normalization_derivatives import total_product
        >>> from tinygrad_cs.ops.reductions.normalization_layout import per_channel
        >>> x = tg.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> total_product(x, x, per_channel((2, 2)))
        tensor([10., 20.])
    """
    return sums(single(x.reshape(layout.view)) * z, layout.copies).reshape(-1)


def _mean(x: Any, layout: Layout) -> Any:
    return mean(x, axis=layout.means.axes, keepdims=True)


def _residual_cases(draw: Draw) -> Case:
    shape, layout = draw_layout(draw)
    operands = [draw.array(shape), draw.array(layout.view), draw.array(layout.means.kept)]
    return operands, {"layout": layout, "centred": draw.flag()}


def _residual_reference(x: Any, z: Any, scale: Any, layout: Layout, centred: bool) -> Any:
    v = np.reshape(x, layout.view)
    slope = np.mean(v * z, axis=layout.means.axes, keepdims=True)
    offset = np.mean(v, axis=layout.means.axes, keepdims=True) if centred else 0
    return np.reshape(scale * (v - offset - z * slope), np.shape(x))


def _d_z(g: Any, x: Any, z: Any, scale: Any, layout: Layout) -> Any:
    g, x = reshape(g, layout.view), reshape(x, layout.view)
    return -scale * (g * _mean(x * z, layout) + x * _mean(g * z, layout))


@operation(
    cases=_residual_cases,
    reference=_residual_reference,
    # as a matrix between x and the result it is symmetric
    dx=lambda g, z, scale, layout, centred: residual_on(g, z, scale, layout, centred),
    dz=_d_z,
    dscale=lambda g, x, z, layout, centred: reshape(
        g * residual_on(x, z, 1.0, layout, centred), layout.view
    ),
)
def residual_on(x: Any, z: Any, scale: Any, layout: Layout, centred: bool = True) -> Any:
    """scale * (x - mean(x) - z mean(x z)): what the regression of x on a standardised z leaves.

    Args:
        x: values.
        z: in the shape `layout.view`.
        scale: one number for each mean.
        layout: which entries share a mean.
        centred: False leaves mean(x) where it is: the regression through the origin.

    Example:
        >>> import tinygrad_cs as tg
        >>> from tinygrad_cs.ops.reductions.normalization_derivatives import residual_on
        >>> from tinygrad_cs.ops.reductions.normalization_layout import per_sample
        >>> x, z = tg.tensor([[1.0, 2.0, 4.0, 5.0]]), tg.tensor([[-1.0, -1.0, 1.0, 1.0]])
        >>> residual_on(x, z, 1.0, per_sample((1, 4), 1))
        tensor([[-0.5,  0.5, -0.5,  0.5]])
    """
    values = single(x.reshape(layout.view))
    out = values * z
    slope = sums(out, layout.means) / layout.size
    out = np.multiply(z, slope, out)
    out = np.subtract(values, out, out)
    if centred:
        out -= sums(values, layout.means) / layout.size
    out *= scale
    return out.reshape(x.shape)
