"""Initialisers by the fan: one variance-scaling core, a line for each published rule.

If the n inputs of a unit have second moment q and its weights mean 0 and variance s, its output has
variance n s q. So s = 1 / n keeps the scale through linear layers; a nonlinearity between the
layers makes it gain^2 / n.
"""

from __future__ import annotations

import math

from ...engine.errors import ArgumentError, ShapeError
from ...engine.tensor import Tensor
from .filling import check_tensor, normal_, uniform_
from .gains import calculate_gain

__all__ = [
    "fans",
    "kaiming_normal_",
    "kaiming_uniform_",
    "lecun_normal_",
    "lecun_uniform_",
    "xavier_normal_",
    "xavier_uniform_",
]


def fans(tensor: Tensor) -> tuple[int, int]:
    """Fan in and fan out: how many numbers a unit sums, and how many sums a number enters.

    Of a weight (out, in) they are in and out; of a convolution (out, in / groups, K...) both times
    the size of the kernel. A transposed convolution has (in, out / groups, K...) and gets the two
    exchanged, as in PyTorch; with a stride s, in K / (groups s) numbers meet in an output. (Of a
    grouped convolution the true fan out is smaller by the number of groups, which the shape does
    not tell.)

    Raises `ShapeError` for fewer than two axes.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.fans(nn.Linear(3, 2).weight)
        (3, 2)
    """
    check_tensor("init", tensor)
    if tensor.ndim < 2:
        raise ShapeError(
            f"init: fan in and fan out need a weight with two axes or more, got {tensor.shape}; "
            f"for a bias write zeros_ or constant_"
        )
    receptive = math.prod(tensor.shape[2:])
    return tensor.shape[1] * receptive, tensor.shape[0] * receptive


def scaled_(tensor: Tensor, variance: float, *, normal: bool) -> Tensor:
    """Mean 0 and this variance, normal or uniform."""
    std = math.sqrt(variance)
    if normal:
        return normal_(tensor, 0.0, std)
    # A uniform number in (-b, b) has variance b^2 / 3.
    return uniform_(tensor, -math.sqrt(3) * std, math.sqrt(3) * std)


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Variance 2 gain^2 / (fan in + fan out), normal (Glorot and Bengio 2010); for tanh.

    The mean of the two fans is a compromise: fan in keeps the variance of the activations, fan out
    that of the gradients. In relu nets it halves the variance at every layer: `kaiming_normal_`.

    Args:
        tensor: a weight with two axes or more, changed in place and returned.
        gain: see `calculate_gain` (default 1).

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.xavier_normal_(nn.Linear(4, 2).weight, gain=5 / 3).shape
        (2, 4)
    """
    return scaled_(tensor, _share(2 * gain**2, sum(fans(tensor))), normal=True)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Variance 2 gain^2 / (fan in + fan out), uniform: see `xavier_normal_`.

    The bound is gain sqrt(6 / (fan in + fan out)).

    Args:
        tensor: a weight with two axes or more, changed in place and returned.
        gain: see `calculate_gain` (default 1).

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.xavier_uniform_(nn.Linear(4, 2).weight).shape
        (2, 4)
    """
    return scaled_(tensor, _share(2 * gain**2, sum(fans(tensor))), normal=False)


def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "relu"
) -> Tensor:
    """Variance gain^2 / fan, normal (He et al. 2015): 2 / fan in for relu.

    Args:
        tensor: a weight with two axes or more, changed in place and returned.
        a: slope of the leaky relu that follows; 0, the default, is relu.
        mode: "fan_in" (default) keeps the variance of the activations, "fan_out" that of the
            gradients.
        nonlinearity: what follows (default "relu"), see `calculate_gain`.

    Raises `ArgumentError` for other modes and nonlinearities.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.kaiming_normal_(nn.Linear(4, 2).weight).shape
        (2, 4)
    """
    return scaled_(tensor, _kaiming(tensor, a, mode, nonlinearity), normal=True)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "relu"
) -> Tensor:
    """Variance gain^2 / fan, uniform: see `kaiming_normal_`, also for the arguments.

    The bound is gain sqrt(3 / fan). PyTorch's own layers start with a = sqrt(5), which makes it
    1 / sqrt(fan in).

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.kaiming_uniform_(nn.Linear(4, 2).weight, a=5**0.5).shape
        (2, 4)
    """
    return scaled_(tensor, _kaiming(tensor, a, mode, nonlinearity), normal=False)


def lecun_normal_(tensor: Tensor) -> Tensor:
    """Variance 1 / fan in, normal (LeCun et al. 1998): the lectures' randn(...) / sqrt(Din).

    Keeps the scale through linear layers, and is what selu needs to normalise itself (Klambauer et
    al. 2017).

    Args:
        tensor: a weight with two axes or more, changed in place and returned.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.lecun_normal_(nn.Linear(4, 2).weight).shape
        (2, 4)
    """
    return scaled_(tensor, _share(1.0, fans(tensor)[0]), normal=True)


def lecun_uniform_(tensor: Tensor) -> Tensor:
    """Variance 1 / fan in, uniform: see `lecun_normal_`; the bound is sqrt(3 / fan in).

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.lecun_uniform_(nn.Linear(4, 2).weight).shape
        (2, 4)
    """
    return scaled_(tensor, _share(1.0, fans(tensor)[0]), normal=False)


def _share(variance: float, fan: float) -> float:
    """variance / fan; of an empty weight anything will do."""
    return variance / fan if fan else 0.0


def _kaiming(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if isinstance(a, str):
        raise ArgumentError(
            f"init: a must be the slope of a leaky relu, got {a!r}; write mode={a!r} or "
            f"nonlinearity={a!r}"
        )
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"init: mode must be 'fan_in' or 'fan_out', got {mode!r}")
    # relu is leaky relu of slope 0, so that `a` alone says which of them follows.
    rectifier = nonlinearity in ("relu", "leaky_relu")
    gain = calculate_gain("leaky_relu", a) if rectifier else calculate_gain(nonlinearity)
    return _share(gain**2, fans(tensor)[mode == "fan_out"])
