"""Parts left out at random, so that none can rely on another.

The "inverted" forms scale up in training what stays: the expected value is then that of
evaluation, which needs nothing. `plain_dropout` alone scales in evaluation instead. All masks come
from the generator that `tg.manual_seed` seeds, fresh ones in every call.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from ... import ops
from ...engine.errors import ArgumentError, ShapeError
from ...engine.modes import generator
from ...engine.types import Array, Shape, np
from ...ops.elementwise.dropping import drop
from ..foreign import described
from .products import linear

__all__ = [
    "alpha_dropout",
    "drop_connect",
    "dropout",
    "dropout2d",
    "plain_dropout",
    "stochastic_depth",
]

_SELU_FLOOR = -1.7580993408473766
"""Where SELU saturates: -scale * alpha, the value that stands for "off" there."""


def check_probability(p: float, where: str) -> float:
    """`p` as a Python number; raises `ArgumentError` for what is no number from 0 to 1."""
    if not isinstance(p, Real) or not 0 <= p <= 1:
        raise ArgumentError(f"{where}: p is a probability from 0 to 1, got {described(p, where)}")
    return float(p)


def _shape_of(input: Any) -> Shape:
    shape: Shape = np.shape(getattr(input, "_data", input))
    return shape


def _kept(shape: Shape, p: float) -> Array:
    """True with probability 1 - p, each on its own."""
    kept: Array = generator().random(shape, np.float32) >= p
    return kept


def _inverted(input: Any, shape: Shape, p: float) -> Any:
    """A mask of `shape`, divided by the probability to stay."""
    if p == 0:
        return input
    if p == 1:
        return drop(input, np.zeros(shape, bool))
    return drop(input, _kept(shape, p), 1 / (1 - p))


def dropout(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """Entries set to zero with probability `p`, the others divided by 1 - p.

    N. Srivastava and others, Dropout: A Simple Way to Prevent Neural Networks from Overfitting,
    2014; "inverted": the expected value in training is the input, as in evaluation.

    Args:
        input: any shape.
        p: probability in [0, 1]; 0 is the identity, 1 gives zeros with gradient zero.
        training: False returns the input unchanged.

    The entries are drawn from the generator that `tg.manual_seed` seeds. Raises `ArgumentError`
    for a `p` that is no probability.

    Example:
        >>> import tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> tg.nn.functional.dropout(tg.tensor([1.0, 1.0, 1.0, 1.0]), p=0.5)
        tensor([2., 2., 2., 0.])
    """
    p = check_probability(p, "dropout")
    return _inverted(input, _shape_of(input), p) if training else input


def dropout2d(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """Whole channels set to zero with probability `p`, the others divided by 1 - p.

    J. Tompson and others, Efficient Object Localization Using Convolutional Networks, 2015:
    neighbouring pixels say nearly the same, so that single ones left out are not missed.

    Args:
        input: (N, C, H, W).
        p: probability in [0, 1]; 0 is the identity, 1 gives zeros with gradient zero.
        training: False returns the input unchanged.

    Raises `ArgumentError` for a `p` that is no probability, `ShapeError` for other inputs.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> tg.nn.functional.dropout2d(tg.tensor(np.ones((1, 4, 1, 2))))[0, :, 0]
        tensor([[2., 2.],
                [2., 2.],
                [2., 2.],
                [0., 0.]], dtype=float64)
    """
    p = check_probability(p, "dropout2d")
    shape = _shape_of(input)
    if len(shape) != 4:
        raise ShapeError(
            f"dropout2d: expected an input of shape (N, C, H, W), of which whole channels are left "
            f"out, got {shape}; for one image write x[None], for (N, C) use dropout"
        )
    return _inverted(input, (*shape[:2], 1, 1), p) if training else input


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False) -> Any:
    """Entries set to SELU's lower limit with probability `p`; then all are scaled and shifted.

    G. Klambauer and others, Self-Normalizing Neural Networks, 2017. With l = -1.7581, that limit,
    and q = 1 - p the result is a x + b where it stays and a l + b elsewhere,
    a = (q + l^2 q p)^(-1/2) and b = -a p l: mean 0 and variance 1 stay what they are.

    Args:
        input: any shape, values of mean 0 and variance 1 as `selu` gives them.
        p: probability in [0, 1]; 0 is the identity, 1 gives zeros with gradient zero.
        training: False (default, as in PyTorch) returns the input unchanged.

    Raises `ArgumentError` for a `p` that is no probability.

    Example:
        >>> import tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> x = tg.tensor([0.0, 1.0, -1.0, 1.0])
        >>> tg.nn.functional.alpha_dropout(x, 0.5, training=True).data.round(4)
        array([ 0.7792,  1.6656, -0.1072, -0.7792], dtype=float32)
    """
    p = check_probability(p, "alpha_dropout")
    if not training or p in (0, 1):
        return _inverted(input, _shape_of(input), p) if training else input
    q, low = 1 - p, _SELU_FLOOR
    a = 1 / math.sqrt(q + low * low * q * p)
    b = -a * p * low
    return drop(input, _kept(_shape_of(input), p), a, b, a * low + b)


def plain_dropout(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """Dropout as first published: a mask in training, a factor 1 - p in evaluation.

    G. Hinton and others, Improving Neural Networks by Preventing Co-adaptation of Feature
    Detectors, 2012. The expected value in training, (1 - p) x, is that of evaluation.

    Args:
        input: any shape.
        p: probability in [0, 1] that an entry is set to zero.
        training: False multiplies by 1 - p, without drawing.

    Forgetting that factor is the classical mistake, which `dropout` does away with. Raises
    `ArgumentError` for a `p` that is no probability.

    Example:
        >>> import tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> x = tg.tensor([1.0, 1.0, 1.0, 1.0])
        >>> tg.nn.functional.plain_dropout(x), tg.nn.functional.plain_dropout(x, training=False)
        (tensor([1., 1., 1., 0.]), tensor([0.5, 0.5, 0.5, 0.5]))
    """
    p = check_probability(p, "plain_dropout")
    if p == 0:
        return input
    shape = _shape_of(input)
    if p == 1:
        return drop(input, np.zeros(shape, bool))
    return drop(input, _kept(shape, p)) if training else ops.multiply(input, 1 - p)


def drop_connect(
    input: Any, weight: Any, bias: Any = None, p: float = 0.5, training: bool = True
) -> Any:
    """`linear` with weights, not activations, set to zero with probability `p`.

    L. Wan and others, Regularization of Neural Networks using DropConnect, 2013; inverted: the
    others are divided by 1 - p, so that the expected weights are those of evaluation.

    Args:
        input: (..., in).
        weight: (out, in). One mask is drawn for the whole batch.
        bias: (out,) or None; it is left alone.
        p: probability in [0, 1]; 0 is `linear`, 1 leaves the bias.
        training: False is `linear`.

    Raises `ArgumentError` for a `p` that is no probability, `ShapeError` as `linear`.

    Example:
        >>> import tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> x, w = tg.tensor([[1.0, 10.0]]), tg.tensor([[1.0, 1.0], [1.0, 1.0]])
        >>> tg.nn.functional.drop_connect(x, w)
        tensor([[22.,  2.]])
    """
    p = check_probability(p, "drop_connect")
    return linear(input, _inverted(weight, _shape_of(weight), p) if training else weight, bias)


def stochastic_depth(input: Any, p: float, mode: str = "batch", training: bool = True) -> Any:
    """A residual branch set to zero with probability `p`, else divided by 1 - p.

    G. Huang and others, Deep Networks with Stochastic Depth, 2016; inverted: the expected value in
    training is the input, as in evaluation.

    Args:
        input: what the branch computed, (N, ...).
        p: probability in [0, 1]; 0 is the identity, 1 gives zeros with gradient zero.
        mode: `"batch"` draws once for all samples, `"row"` for each of them.
        training: False returns the input unchanged.

    `nn.StochasticDepth` does not compute a branch that is left out by batch. Raises `ArgumentError`
    for a `p` that is no probability and for another mode.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> x = tg.tensor([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
        >>> tg.nn.functional.stochastic_depth(x, 0.5, mode="row")[:, 0]
        tensor([2., 2., 2., 0.])
    """
    p = check_probability(p, "stochastic_depth")
    check_mode(mode, "stochastic_depth")
    if not training:
        return input
    shape = _shape_of(input)
    ones = (1,) * len(shape)
    if mode == "row" and not shape:
        raise ShapeError("stochastic_depth: mode 'row' needs samples, got an input of shape ()")
    return _inverted(input, (shape[0], *ones[1:]) if mode == "row" else ones, p)


def check_mode(mode: Any, where: str) -> None:
    """Raise `ArgumentError` for what is no mode of stochastic depth."""
    if mode not in ("batch", "row"):
        raise ArgumentError(f"{where}: mode is 'batch' or 'row' (each sample), got {mode!r}")
