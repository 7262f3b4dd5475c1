"""Multiply-adds of a layer's call, from the shapes that go in and come out.

Counted are the products of matrices and kernels, each with the addition behind it as one; biases,
activations, normalisations, pooling and other passes over the entries count as none.
"""

from __future__ import annotations

import math
from typing import Any

from .. import nn
from ..engine.types import Shape
from ..nn.layers.convolution import Kernels
from ..nn.layers.recurrent_base import Recurrent
from ..nn.layers.recurrent_cells import Cell

FREE = (
    nn.BatchNorm1d, nn.BatchNorm2d, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.LayerNorm,
    nn.GroupNorm, nn.RMSNorm, nn.Embedding, nn.PReLU,
)  # fmt: skip
"""Layers with parameters but without products of matrices."""


def multiply_adds(layer: Any, given: list[Shape], out: Shape) -> int | None:
    """How many there are in one call; None where a layer with parameters is not known.

    Args:
        layer: the module.
        given: the shapes of its arguments.
        out: the shape of its result, the first one if there are several.
    """
    if isinstance(layer, Recurrent):
        return _recurrent(layer, given[0])
    if isinstance(layer, nn.MultiheadAttention):
        return _attention(layer, given)
    if isinstance(layer, (nn.ConvTranspose1d, nn.ConvTranspose2d)):
        # every entry of the input is spread by the kernels
        axes = len(layer.kernel_size)
        places = math.prod(given[0][-axes:]) * (given[0][0] if len(given[0]) > axes + 1 else 1)
        return int(places * layer.weight.size)
    if isinstance(layer, Kernels):
        # a row of the weight for every entry of the output
        return math.prod(out) * layer.weight.size // layer.out_channels
    if isinstance(layer, nn.MaxoutConv2d):
        # all pieces are computed, one is kept
        return math.prod(out) // layer.out_channels * layer.weight.size
    if isinstance(layer, (nn.Linear, nn.Maxout)):
        return math.prod(out[:-1]) * layer.weight.size
    if isinstance(layer, nn.Bilinear):
        # W x2 for every entry of x1, and then the product with x1
        outputs, first, second = layer.weight.shape
        return math.prod(out[:-1]) * outputs * first * (second + 1)
    if isinstance(layer, Cell):
        batch = math.prod(given[0][:-1])
        return int(batch * (layer.weight_ih.size + layer.weight_hh.size))
    if isinstance(layer, FREE) or not any(
        isinstance(v, nn.Parameter) for v in vars(layer).values()
    ):
        return 0
    return None


def _recurrent(layer: Any, given: Shape) -> int:
    """Every matrix once for each step of each sample."""
    steps = math.prod(given[:-1])
    names = [name for name in layer._weights if name.startswith("weight")]
    return steps * sum(int(getattr(layer, name).size) for name in names)


def _attention(layer: Any, given: list[Shape]) -> int:
    """Projections, scores, weighted sums; the last projection is a layer of its own."""
    query, key = given[0], given[1]
    single, first = len(query) == 2, layer.batch_first
    batch = 1 if single else query[0 if first else 1]
    length, keys = (shape[0 if single else int(first)] for shape in (query, key))
    e = int(layer.embed_dim)
    projections = batch * e * (length * e + keys * (layer.kdim + layer.vdim))
    return int(projections) + 2 * batch * length * keys * e
