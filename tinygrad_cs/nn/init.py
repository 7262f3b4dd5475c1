"""Initialisers: one variance-scaling core, two lines each.

A layer keeps the variance of what flows through it when the variance of its weights is
gain^2 / fan; which fan and which gain is the difference between the published rules. All change a
parameter in place and return it, as the trailing underscore says.
"""

from __future__ import annotations

import math

from ..engine.errors import ArgumentError, ShapeError
from ..engine.modes import generator
from ..engine.tensor import Tensor, overwrite
from ..engine.types import np

_GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2)}


def calculate_gain(nonlinearity: str) -> float:
    """The gain that makes up for the variance a nonlinearity takes: sqrt(2) for relu.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.calculate_gain("linear")
        1.0
    """
    try:
        return _GAINS[nonlinearity]
    except KeyError as error:
        raise ArgumentError(
            f"calculate_gain: expected one of {', '.join(map(repr, _GAINS))}, got {nonlinearity!r}"
        ) from error


def fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs and outputs a weight of shape (out, in, ...) connects each unit to."""
    if tensor.ndim < 2:
        raise ShapeError(
            f"init: fan in and fan out need a weight with two axes or more, got {tensor.shape}"
        )
    receptive = math.prod(tensor.shape[2:])
    return tensor.shape[1] * receptive, tensor.shape[0] * receptive


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Fill with normal numbers.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.normal_(nn.Parameter([0.0, 0.0]), std=0.01).shape
        (2,)
    """
    overwrite(tensor, generator().normal(mean, std, tensor.shape))
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Fill with numbers uniform between a and b.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.uniform_(nn.Parameter([0.0, 0.0])).shape
        (2,)
    """
    overwrite(tensor, generator().uniform(a, b, tensor.shape))
    return tensor


def _scaled(tensor: Tensor, variance: float, *, normal: bool) -> Tensor:
    std = math.sqrt(variance)
    if normal:
        return normal_(tensor, 0.0, std)
    # A uniform number in (-b, b) has variance b^2 / 3.
    return uniform_(tensor, -math.sqrt(3) * std, math.sqrt(3) * std)


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Variance 2 gain^2 / (fan in + fan out), normal (Glorot and Bengio 2010); for tanh.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.xavier_normal_(nn.Linear(4, 2).weight).shape
        (2, 4)
    """
    return _scaled(tensor, 2 * gain**2 / sum(fans(tensor)), normal=True)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Variance 2 gain^2 / (fan in + fan out), uniform (Glorot and Bengio 2010); for tanh.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.xavier_uniform_(nn.Linear(4, 2).weight).shape
        (2, 4)
    """
    return _scaled(tensor, 2 * gain**2 / sum(fans(tensor)), normal=False)


def kaiming_normal_(tensor: Tensor, mode: str = "fan_in", nonlinearity: str = "relu") -> Tensor:
    """Variance gain^2 / fan, normal (He et al. 2015): 2 / fan in for relu.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.kaiming_normal_(nn.Linear(4, 2).weight).shape
        (2, 4)
    """
    return _scaled(tensor, calculate_gain(nonlinearity) ** 2 / _fan(tensor, mode), normal=True)


def kaiming_uniform_(tensor: Tensor, mode: str = "fan_in", nonlinearity: str = "relu") -> Tensor:
    """Variance gain^2 / fan, uniform (He et al. 2015): 2 / fan in for relu.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.kaiming_uniform_(nn.Linear(4, 2).weight).shape
        (2, 4)
    """
    return _scaled(tensor, calculate_gain(nonlinearity) ** 2 / _fan(tensor, mode), normal=False)


def _fan(tensor: Tensor, mode: str) -> int:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"init: mode must be 'fan_in' or 'fan_out', got {mode!r}")
    return fans(tensor)[mode == "fan_out"]


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros; right for biases, wrong for weights: all units would stay the same.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.zeros_(nn.Parameter([1.0])).data
        array([0.], dtype=float32)
    """
    return constant_(tensor, 0.0)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.constant_(nn.Parameter([1.0]), 0.01).data
        array([0.01], dtype=float32)
    """
    overwrite(tensor, np.full(tensor.shape, val))
    return tensor
