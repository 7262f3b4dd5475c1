"""Curved activations as layers: smooth, or smooth but for a bend at 0."""

from __future__ import annotations

from typing import Any

from ...engine.errors import ArgumentError
from .. import functional
from ..foreign import described
from ..functional.arguments import check_number
from ..module import Module

__all__ = ["CELU", "ELU", "GELU", "SELU", "LogSigmoid", "SiLU", "Sigmoid", "Softplus", "Tanh"]


class Sigmoid(Module):
    """1 / (1 + e^-x), between 0 and 1: as a gate or an output, rarely between layers.

    It saturates: where |x| is large the gradient is nearly 0, at best it is 1/4, so a stack of
    them learns slowly. It is not zero-centred: its outputs are positive, so all gradients of one
    unit's weights behind it have the same sign, and steps zigzag. Before a loss, take the one that
    knows of it: it needs no logarithm of a rounded 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([-10.0, 0.0, 10.0], requires_grad=True)
        >>> tg.nn.Sigmoid()(x).sum().backward()
        >>> x.grad.round(4)
        array([0.  , 0.25, 0.  ], dtype=float32)
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.sigmoid(x)


class Tanh(Module):
    """Hyperbolic tangent, between -1 and 1: zero-centred; saturates where |x| is above about 5.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([-10.0, 0.0, 10.0], requires_grad=True)
        >>> tg.nn.Tanh()(x).sum().backward()
        >>> x.grad.round(4)
        array([0., 1., 0.], dtype=float32)
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.tanh(x)


class LogSigmoid(Module):
    """log(1 / (1 + e^-x)), without overflow and without taking log 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.LogSigmoid()(tg.tensor([-1000.0, 1000.0]))
        tensor([-1000.,     0.])
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.logsigmoid(x)


class Softplus(Module):
    """log(1 + e^(beta x)) / beta, a smooth ReLU: for outputs above 0; saturates for x << 0.

    Args:
        beta: sharpness (default 1), not 0.
        threshold: where beta x is larger (default 20) the result is x itself.

    Raises `ArgumentError` for beta = 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.Softplus()(tg.tensor([0.0, 30.0])).data.round(4)
        array([ 0.6931, 30.    ], dtype=float32)
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta = check_number(beta, "beta", "Softplus")
        if not self.beta:
            raise ArgumentError("Softplus: divides by beta, which must not be 0")
        self.threshold = check_number(threshold, "threshold", "Softplus")

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.softplus(x, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """Sharpness and threshold."""
        return f"beta={self.beta}, threshold={self.threshold}"


class ELU(Module):
    """x for x > 0, else alpha (e^x - 1): means nearer to 0 than ReLU's (Clevert et al. 2016).

    Args:
        alpha: the limit for x to -infinity is -alpha (default 1), and the derivative at 0 alpha.

    It saturates for x << 0, where the gradient alpha e^x is nearly 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([-10.0, -1.0, 2.0], requires_grad=True)
        >>> tg.nn.ELU()(x).sum().backward()
        >>> x.grad.round(4)
        array([0.    , 0.3679, 1.    ], dtype=float32)
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = check_number(alpha, "alpha", "ELU")

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.elu(x, self.alpha)

    def extra_repr(self) -> str:
        """The limit."""
        return f"alpha={self.alpha}"


class SELU(Module):
    """scale x for x > 0, else scale alpha (e^x - 1): keeps mean 0 and variance 1.

    Only behind weights with mean 0 and variance 1 / fan in (`nn.init.normal_` with
    std=1 / sqrt(fan_in); He's are twice that), and on standardized inputs. Klambauer, Unterthiner,
    Mayr and Hochreiter 2017.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> x = np.random.default_rng(0).normal(size=100_000)
        >>> y = tg.nn.SELU()(x)
        >>> abs(y.mean().round(2)).item(), y.var().round(2).item()
        (0.0, 1.0)
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.selu(x)


class CELU(Module):
    """x for x > 0, else alpha (e^(x / alpha) - 1): ELU without a bend at 0 (Barron 2017).

    Args:
        alpha: the limit for x to -infinity is -alpha (default 1); above 0.

    Raises `ArgumentError` for an alpha of 0 or less.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.CELU(0.5)(tg.tensor([-1000.0, 0.0, 2.0]))
        tensor([-0.5,  0. ,  2. ])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = check_number(alpha, "alpha", "CELU")
        if self.alpha <= 0:
            raise ArgumentError(f"CELU: alpha must be above 0, got {alpha}")

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.celu(x, self.alpha)

    def extra_repr(self) -> str:
        """The limit."""
        return f"alpha={self.alpha}"


class GELU(Module):
    """x Phi(x), where Phi is the normal distribution function (Hendrycks and Gimpel 2016).

    Args:
        approximate: "none" (default), or "tanh" for a formula that differs by less than 0.0005.

    Raises `ArgumentError` for another `approximate`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.GELU()(tg.tensor([-1.0, 0.0, 1.0])).data.round(4)
        array([-0.1587,  0.    ,  0.8413], dtype=float32)
    """

    def __init__(self, approximate: str = "none") -> None:
        if not isinstance(approximate, str) or approximate not in ("none", "tanh"):
            raise ArgumentError(
                f"GELU: approximate must be 'none' or 'tanh', got {described(approximate, 'GELU')}"
            )
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        """The formula."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """x / (1 + e^-x), x times its sigmoid, also called swish (Elfwing, Uchibe and Doya 2018).

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.SiLU()(tg.tensor([-1.0, 0.0, 1.0])).data.round(4)
        array([-0.2689,  0.    ,  0.7311], dtype=float32)
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.silu(x)
