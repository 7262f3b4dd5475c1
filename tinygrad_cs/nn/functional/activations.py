"""Curved activations under PyTorch's names: smooth, or smooth but for a bend at 0."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...engine.errors import ArgumentError

__all__ = [
    "celu",
    "elu",
    "gelu",
    "logsigmoid",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "tanh",
]


def sigmoid(input: Any) -> Any:
    """1 / (1 + e^-x); saturates on both sides.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.sigmoid(tg.tensor([0.0]))
        tensor([0.5])
    """
    return ops.sigmoid(input)


def tanh(input: Any) -> Any:
    """Hyperbolic tangent; saturates on both sides.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.tanh(tg.tensor([0.0]))
        tensor([0.])
    """
    return ops.tanh(input)


def logsigmoid(input: Any) -> Any:
    """log(1 / (1 + e^-x)), without overflow and without taking log 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.logsigmoid(tg.tensor([-1000.0, 1000.0]))
        tensor([-1000.,     0.])
    """
    return ops.logsigmoid(input)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + e^(beta x)) / beta, a smooth relu; its derivative is sigmoid(beta x).

    Args:
        input: any shape.
        beta: sharpness (default 1), not 0.
        threshold: where beta x is larger (default 20) the result is x itself.

    Raises `ArgumentError` for beta = 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.softplus(tg.tensor([-1000.0, 0.0, 1000.0])).data.round(4)
        array([0.000e+00, 6.931e-01, 1.000e+03], dtype=float32)
    """
    if beta == 0:
        raise ArgumentError("softplus: divides by beta, which must not be 0")
    return ops.softplus(input, beta, threshold)


def elu(input: Any, alpha: float = 1.0) -> Any:
    """x for x > 0, else alpha (e^x - 1) (Clevert, Unterthiner and Hochreiter 2016).

    Args:
        input: any shape.
        alpha: the limit for x to -infinity is -alpha (default 1). The derivative at 0 is that from
            the left, alpha.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.elu(tg.tensor([-1000.0, 0.0, 2.0]))
        tensor([-1.,  0.,  2.])
    """
    return ops.elu(input, alpha)


SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def selu(input: Any) -> Any:
    """scale x for x > 0, else scale alpha (e^x - 1), which keeps mean 0 and variance 1.

    alpha = 1.6732632423543772 and scale = 1.0507009873554805 are such that normal numbers with
    mean 0 and variance 1 have mean 0 and variance 1 afterwards, and that both are drawn there
    (Klambauer, Unterthiner, Mayr and Hochreiter 2017). The derivative at 0 is scale alpha.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.selu(tg.tensor([-1000.0, 0.0, 1.0]))
        tensor([-1.7580993,  0.       ,  1.050701 ])
    """
    return ops.elu(input, SELU_ALPHA, SELU_SCALE)


def celu(input: Any, alpha: float = 1.0) -> Any:
    """x for x > 0, else alpha (e^(x / alpha) - 1): `elu` without a bend (Barron 2017).

    Args:
        input: any shape.
        alpha: the limit for x to -infinity is -alpha (default 1); above 0.

    Raises `ArgumentError` for an alpha of 0 or less.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.celu(tg.tensor([-1000.0, 0.0, 2.0]), alpha=0.5)
        tensor([-0.5,  0. ,  2. ])
    """
    if not alpha > 0:
        raise ArgumentError(
            f"celu: alpha must be above 0, got {alpha}; for max(x, 0) write relu, for a steeper or "
            f"reversed negative side elu"
        )
    return ops.elu(input, alpha, 1.0, 1 / alpha)


def gelu(input: Any, approximate: str = "none") -> Any:
    """x Phi(x), where Phi is the distribution function of a normal number.

    D. Hendrycks and K. Gimpel, Gaussian Error Linear Units, 2016.

    Args:
        input: any shape.
        approximate: "none" (default), or "tanh" for
            x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2, which differs by less than 0.0005.

    Raises `ArgumentError` for another `approximate`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.gelu(tg.tensor([-1.0, 0.0, 1.0])).data.round(4)
        array([-0.1587,  0.    ,  0.8413], dtype=float32)
    """
    if approximate == "none":
        return ops.gelu(input)
    if approximate == "tanh":
        return ops.gelu_tanh(input)
    raise ArgumentError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")


def silu(input: Any) -> Any:
    """x / (1 + e^-x), x times its sigmoid (also called swish).

    S. Elfwing, E. Uchibe and K. Doya, Sigmoid-Weighted Linear Units, 2018.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.silu(tg.tensor([-1.0, 0.0, 1.0])).data.round(4)
        array([-0.2689,  0.    ,  0.7311], dtype=float32)
    """
    return ops.silu(input)
