"""Initialisers that do not look at the shape: constants and random numbers of a given spread."""

from __future__ import annotations

import math
from typing import Any

from ...engine.errors import ArgumentError, DTypeError
from ...engine.modes import generator
from ...engine.tensor import Tensor, overwrite
from ...engine.types import Array, np

__all__ = ["constant_", "normal_", "ones_", "trunc_normal_", "uniform_", "zeros_"]


def check_tensor(name: str, tensor: Any) -> None:
    """Raise `DTypeError` unless this is a tensor of floating numbers."""
    if not isinstance(tensor, Tensor):
        raise DTypeError(
            f"{name}: expected a parameter such as layer.weight, got {type(tensor).__name__}"
        )
    if tensor.dtype.kind != "f":
        raise DTypeError(f"{name}: expected a floating dtype, got {tensor.dtype}")


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Fill with normal numbers.

    With a std that ignores the fan, such as 0.01, the signal of a deep net fades by the same factor
    at every layer, or explodes: `xavier_normal_` and `kaiming_normal_` choose it by the fan.

    Args:
        tensor: changed in place and returned.
        mean, std: of the numbers (default 0 and 1).

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.normal_(nn.Parameter([0.0, 0.0]), std=0.01).shape
        (2,)
    """
    check_tensor("normal_", tensor)
    _check_std("normal_", std)
    overwrite(tensor, generator().normal(mean, std, tensor.shape))
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Fill with numbers uniform between a and b.

    Args:
        tensor: changed in place and returned.
        a, b: the bounds (default 0 and 1); all positive weights are rarely what one wants.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.uniform_(nn.Parameter([0.0, 0.0]), -0.1, 0.1).shape
        (2,)
    """
    check_tensor("uniform_", tensor)
    if not a <= b:
        raise ArgumentError(f"uniform_: a must not be above b, got a={a} and b={b}")
    overwrite(tensor, generator().uniform(a, b, tensor.shape))
    return tensor


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0
) -> Tensor:
    """Fill with normal numbers between a and b: those outside are drawn again.

    a and b are values, not multiples of std: with std=0.02 the defaults cut nothing; two deviations
    are a=-0.04, b=0.04. Cutting at two deviations lowers the std by a factor of 0.88.

    Args:
        tensor: changed in place and returned.
        mean, std: before cutting (default 0 and 1).
        a, b: the bounds (default -2 and 2).

    Raises `ArgumentError` where a is not below b, or nearly nothing lies between infinite bounds.

    Example:
        >>> from tinygrad_cs import nn
        >>> w = nn.init.trunc_normal_(nn.Parameter([0.0, 0.0]), std=0.02, a=-0.04, b=0.04)
        >>> bool((abs(w.data) <= 0.04).all())
        True
    """
    check_tensor("trunc_normal_", tensor)
    _check_std("trunc_normal_", std)
    if not a < b:
        raise ArgumentError(f"trunc_normal_: a must be below b, got a={a} and b={b}")
    if std == 0:
        return constant_(tensor, min(max(mean, a), b))
    between = _below((b - mean) / std) - _below((a - mean) / std)
    if between < 0.3 and math.isinf(b - a):
        raise ArgumentError(
            f"trunc_normal_: less than a third of the numbers lie between a={a} and b={b}; with "
            f"mean={mean} and std={std} give finite bounds"
        )
    values: Array = np.empty(tensor.size)
    missing = np.arange(tensor.size)
    while missing.size:
        drawn, kept = _candidates(missing.size, mean, std, a, b, narrow=between < 0.3)
        values[missing[kept]] = drawn[kept]
        missing = missing[~kept]
    overwrite(tensor, values.reshape(tensor.shape))
    return tensor


def _candidates(
    n: int, mean: float, std: float, a: float, b: float, *, narrow: bool
) -> tuple[Array, Array]:
    """Numbers, and which of them to keep; from a uniform density where normal ones rarely fit."""
    if not narrow:
        drawn = generator().normal(mean, std, n)
        return drawn, (a <= drawn) & (drawn <= b)
    drawn = generator().uniform(a, b, n)
    peak = min(max(mean, a), b)
    log_density = ((peak - mean) ** 2 - (drawn - mean) ** 2) / (2 * std**2)
    return drawn, -generator().exponential(size=n) <= log_density


def _below(z: float) -> float:
    """The share of standard normal numbers below z."""
    return math.erfc(-z / math.sqrt(2)) / 2


def _check_std(name: str, std: float) -> None:
    if not std >= 0:
        raise ArgumentError(f"{name}: std must be 0 or more, got {std}")


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number.

    Never a layer's weights: units that start equal get equal gradients and stay equal, however wide
    the layer is. 0.01 for the biases of relu layers lets all units start active.

    Args:
        tensor: changed in place and returned.
        val: the number.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.constant_(nn.Parameter([1.0]), 0.01).data
        array([0.01], dtype=float32)
    """
    check_tensor("constant_", tensor)
    overwrite(tensor, np.full(tensor.shape, val))
    return tensor


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros; right for biases, wrong for weights: all units would stay the same.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.zeros_(nn.Parameter([1.0])).data
        array([0.], dtype=float32)
    """
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones; right for the scale of a normalisation.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.init.ones_(nn.Parameter([0.0])).data
        array([1.], dtype=float32)
    """
    return constant_(tensor, 1.0)
