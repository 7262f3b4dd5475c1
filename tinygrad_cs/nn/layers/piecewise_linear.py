"""Activations made of straight pieces, as layers."""

from __future__ import annotations

from typing import Any

from ...engine.errors import ArgumentError
from ...engine.modes import default_dtype
from ...engine.types import np
from .. import functional
from ..functional.arguments import check_number, per_axis
from ..module import Module
from ..parameter import Parameter

__all__ = ["Hardsigmoid", "Hardtanh", "Identity", "LeakyReLU", "PReLU", "ReLU", "ReLU6"]


class Identity(Module):
    """x itself: where a place in a model has to be filled.

    Args:
        *args, **kwargs: ignored, so that it can stand for any layer.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.Identity()(tg.tensor([1.0]))
        tensor([1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, x: Any) -> Any:
        """`x`."""
        return x


class ReLU(Module):
    """max(x, 0): cheap, does not saturate for x > 0; not zero-centred.

    A unit that is negative on all data is dead: its gradient is 0, so it never comes back. Large
    learning rates kill units; `LeakyReLU`, `ELU` and biases slightly above 0 help.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([-2.0, -1.0, 3.0], requires_grad=True)
        >>> tg.nn.ReLU()(x).sum().backward()
        >>> x.grad
        array([0., 0., 1.], dtype=float32)
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.relu(x)


class ReLU6(Module):
    """min(max(x, 0), 6): saturates on both sides; the derivatives at 0 and at 6 are 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.ReLU6()(tg.tensor([-1.0, 2.0, 7.0]))
        tensor([0., 2., 6.])
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.relu6(x)


class LeakyReLU(Module):
    """x for x > 0, else `negative_slope` times x: never dead (Maas, Hannun and Ng 2013).

    Args:
        negative_slope: default 0.01; also the derivative at 0.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor([-2.0, 3.0], requires_grad=True)
        >>> tg.nn.LeakyReLU(0.25)(x).sum().backward()
        >>> x.grad
        array([0.25, 1.  ], dtype=float32)
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = check_number(negative_slope, "negative_slope", "LeakyReLU")

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        """The slope."""
        return f"negative_slope={self.negative_slope}"


class PReLU(Module):
    """x for x > 0, else the weight times x: `LeakyReLU` with slopes that are learned.

    Args:
        num_parameters: 1 (default) for one slope, or the number of channels (axis 1).
        init: the first slope (default 0.25).

    Attributes:
        weight: (num_parameters,). Weight decay would draw it to 0, and so the unit to a ReLU: give
            it to the optimizer in a group without.

    Raises `ArgumentError` for a num_parameters below 1, `ShapeError` for other channels.

    K. He, X. Zhang, S. Ren and J. Sun, Delving Deep into Rectifiers, 2015.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.PReLU()(tg.tensor([-2.0, 3.0])).data
        array([-0.5,  3. ], dtype=float32)
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        (self.num_parameters,) = per_axis(num_parameters, 1, "num_parameters", "PReLU")
        self.weight = Parameter(np.full(self.num_parameters, init, default_dtype()))

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.prelu(x, self.weight)

    def extra_repr(self) -> str:
        """The number of slopes."""
        return f"num_parameters={self.num_parameters}"


class Hardtanh(Module):
    """x limited to [min_val, max_val]; the derivative is 0 outside and at the bounds.

    Args:
        min_val, max_val: the bounds (default -1 and 1).

    Raises `ArgumentError` unless min_val < max_val.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.Hardtanh()(tg.tensor([-2.0, 0.5, 2.0]))
        tensor([-1. ,  0.5,  1. ])
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        check_number(min_val, "min_val", "Hardtanh")
        check_number(max_val, "max_val", "Hardtanh")
        if not min_val < max_val:
            raise ArgumentError(
                f"Hardtanh: min_val must be below max_val, got min_val={min_val}, max_val={max_val}"
            )
        self.min_val = min_val
        self.max_val = max_val

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.hardtanh(x, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        """The bounds."""
        return f"min_val={self.min_val}, max_val={self.max_val}"


class Hardsigmoid(Module):
    """x / 6 + 1/2 limited to [0, 1]; the derivative is 0 from |x| = 3 on.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.Hardsigmoid()(tg.tensor([-4.0, 0.0, 4.0]))
        tensor([0. , 0.5, 1. ])
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.hardsigmoid(x)
