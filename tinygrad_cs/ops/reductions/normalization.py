"""Derivatives of normalisation: values less their mean, divided by their standard deviation.

S. Ioffe and C. Szegedy, Batch Normalization, 2015; the derivative of section 3, its terms gathered.
"""

from __future__ import annotations

import math
from typing import Any

from ...engine.define import operation
from ...engine.types import Shape, np
from ..families import Case, Draw
from ..shapes.shaping import reshape
from .normalization_derivatives import residual_on, total, total_product
from .normalization_layout import Layout, draw_layout, per_channel, single, sums


def _at_channels(layout: Layout, values: Any) -> Any:
    """Weights, a flat array or one number for all, in the shape that broadcasts."""
    return values if isinstance(values, float) else reshape(values, layout.affine)


def _standardized(
    x: Any, layout: Layout, eps: float, centred: bool, moments: list[Any] | None = None
) -> tuple[Any, Any, Any]:
    """Memory that is free again, the normalised values, and what they were multiplied by."""
    values = single(x.reshape(layout.view))
    if centred:
        average = sums(values, layout.means) / layout.size
        values = values - average
    spare = values * values
    variance = sums(spare, layout.means) / layout.size
    if centred and moments is not None:
        moments += (average, variance)
    inverse = 1 / np.sqrt(variance + eps)
    normalised = np.multiply(values, inverse, values) if centred else values * inverse
    return spare, normalised, inverse


def _cases(draw: Draw) -> Case:
    shape, layout = draw_layout(draw)
    size = math.prod(layout.affine)
    weights = draw.array((size,)), draw.array((size,))
    # a large eps: entries that nearly agree have derivatives beyond numeric ones
    params = {"layout": layout, "eps": draw.choice([0.5, 1.0]), "centred": draw.flag()}
    return [draw.array(shape), *weights], params


def _reference(x: Any, weight: Any, bias: Any, layout: Layout, eps: float, centred: bool) -> Any:
    v = np.reshape(x, layout.view)
    if centred:
        v = v - np.mean(v, axis=layout.means.axes, keepdims=True)
    z = v / np.sqrt(np.mean(v * v, axis=layout.means.axes, keepdims=True) + eps)
    return np.reshape(
        np.reshape(weight, layout.affine) * z + np.reshape(bias, layout.affine), np.shape(x)
    )


def _normalised(x: Any, layout: Layout, eps: float, centred: bool) -> Any:
    return reshape(standardize(x, 1.0, 0.0, layout, eps, centred), layout.view)


def _without_weights(draw: Draw) -> Case:
    (x, _, _), params = _cases(draw)
    return [x], params


def _inverse_reference(x: Any, layout: Layout, eps: float, centred: bool) -> Any:
    v = np.reshape(x, layout.view)
    moment = (np.var if centred else np.mean)(
        v if centred else v * v, axis=layout.means.axes, keepdims=True
    )
    return 1 / np.sqrt(moment + eps)


@operation(
    keep={"normalised": _normalised},
    cases=_without_weights,
    reference=_inverse_reference,
    # z = (x - mean) * out, so the derivative of (variance + eps)^(-1/2) is -out^2 z / n
    dx=lambda g, out, normalised, layout, x_shape: reshape(
        -(g / layout.size) * out * out * normalised, x_shape
    ),
)
def inverse_deviation(x: Any, layout: Layout, eps: float, centred: bool = True) -> Any:
    """1 / sqrt(variance + eps), or of the mean square if not `centred`.

    Example:
        >>> import tinygrad_cs as tg
        >>> from tinygrad_cs.ops.reductions.normalization import inverse_deviation
        >>> from tinygrad_cs.ops.reductions.normalization_layout import per_channel
        >>> inverse_deviation(tg.tensor([[1.0], [5.0]]), per_channel((2, 1)), eps=0.0)
        tensor([[0.5]])
    """
    _, normalised, inverse = _standardized(x, layout, eps, centred)
    return inverse, normalised


def _d_x(
    g: Any, normalised: Any, inverse: Any, weight: Any, layout: Layout, centred: bool,
    x_shape: Shape,
) -> Any:  # fmt: skip
    """weight inverse (g - mean(g) - z mean(g z)): mean and deviation follow the entry a little."""
    w = _at_channels(layout, weight)
    if layout.uniform or isinstance(w, float):
        return residual_on(g, normalised, inverse * w, layout, centred)
    g = reshape(g, layout.view) * w
    return reshape(residual_on(g, normalised, inverse, layout, centred), x_shape)


@operation(
    keep={
        "normalised": _normalised,
        "inverse": lambda x, layout, eps, centred: inverse_deviation(x, layout, eps, centred),
    },
    cases=_cases,
    reference=_reference,
    dx=_d_x,
    dweight=lambda g, normalised, layout: total_product(g, normalised, layout),
    dbias=lambda g, layout: total(g, layout),
)
def standardize(
    x: Any,
    weight: Any,
    bias: Any,
    layout: Layout,
    eps: float = 1e-5,
    centred: bool = True,
    moments: list[Any] | None = None,
) -> Any:
    """weight (x - mean) / sqrt(variance + eps) + bias, with the biased variance.

    Args:
        x: values.
        weight, bias: flat arrays; the floats 1.0 and 0.0 for none.
        layout: which entries share a mean, and which a weight.
        eps: added to the variance.
        centred: False does without the mean: the root of the mean square is divided by.
        moments: a list that receives mean and variance.

    Example:
        >>> import tinygrad_cs as tg
        >>> from tinygrad_cs.ops.reductions.normalization import standardize
        >>> from tinygrad_cs.ops.reductions.normalization_layout import per_channel
        >>> standardize(tg.tensor([[1.0], [3.0]]), 1.0, 0.0, per_channel((2, 1)), eps=0.0)
        tensor([[-1.],
                [ 1.]])
    """
    affine = layout.affine
    spare, normalised, inverse = _standardized(x, layout, eps, centred, moments)
    out = normalised
    if type(weight) is not float:
        weight = weight.reshape(affine)
        # the squares are no longer needed: their memory takes the result
        fits = spare.dtype == normalised.dtype == weight.dtype
        out = np.multiply(normalised, weight, spare if fits else None)
    if type(bias) is not float:
        bias = bias.reshape(affine)
        if out is spare and out.dtype == bias.dtype:
            out += bias
        else:
            out = out + bias
    if x.dtype == np.float16:
        out = out.astype(np.result_type(x, weight, bias))
    return out.reshape(x.shape), normalised, inverse


def _given_cases(draw: Draw) -> Case:
    shape = draw.shape(min_dims=2)
    layout = per_channel(shape)
    size = math.prod(layout.affine)
    operands = [draw.array(shape), draw.array((size,)), draw.array((size,))]
    average, inverse = draw.array(layout.affine), draw.array(layout.affine, (0.5, 2.0))
    return operands, {"average": average, "inverse": inverse, "layout": layout}


def _given_reference(
    x: Any, weight: Any, bias: Any, average: Any, inverse: Any, layout: Layout
) -> Any:
    z = (np.reshape(x, layout.view) - average) * inverse
    return np.reshape(
        np.reshape(weight, layout.affine) * z + np.reshape(bias, layout.affine), np.shape(x)
    )


@operation(
    keep={"centred": lambda x, average, layout: reshape(x, layout.view) - average},
    cases=_given_cases,
    reference=_given_reference,
    dx=lambda g, weight, inverse, layout, x_shape: reshape(
        reshape(g, layout.view) * (inverse * _at_channels(layout, weight)), x_shape
    ),
    dweight=lambda g, centred, inverse, layout: (
        total_product(g, centred, layout) * inverse.reshape(-1)
    ),
    dbias=lambda g, layout: total(g, layout),
)
def standardize_by(
    x: Any, weight: Any, bias: Any, average: Any, inverse: Any, layout: Layout
) -> Any:
    """weight (x - average) * inverse + bias for statistics of other data, which are constants.

    Args:
        x: values.
        weight, bias: flat arrays; the floats 1.0 and 0.0 for none.
        average, inverse: arrays of the shape `layout.affine`.
        layout: which entries share them.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> from tinygrad_cs.ops.reductions.normalization import standardize_by
        >>> from tinygrad_cs.ops.reductions.normalization_layout import per_channel
        >>> x, mean, inverse = tg.tensor([[3.0]]), np.float32([1.0]), np.float32([0.5])
        >>> standardize_by(x, 1.0, 0.0, mean, inverse, per_channel((1, 1)))
        tensor([[1.]])
    """
    values = single(x.reshape(layout.view))
    values = values - average
    scale = inverse if type(weight) is float else inverse * weight.reshape(layout.affine)
    out = values * scale
    if type(bias) is not float:
        out += bias.reshape(layout.affine)
    if out.dtype != x.dtype and x.dtype.kind == "f":
        out = out.astype(np.result_type(x, weight, bias))
    return out.reshape(x.shape), values
