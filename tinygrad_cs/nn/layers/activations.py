"""Activations as layers."""

from __future__ import annotations

from typing import Any

from .. import functional
from ..module import Module

__all__ = ["ReLU", "Sigmoid", "Tanh"]


class ReLU(Module):
    """max(x, 0): does not saturate for x > 0; a unit that is negative on all data is dead.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.ReLU()(tg.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.relu(x)


class Tanh(Module):
    """Hyperbolic tangent: zero-centred; saturates beyond |x| of about 5, where gradients vanish.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.Tanh()(tg.tensor([0.0]))
        tensor([0.])
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.tanh(x)


class Sigmoid(Module):
    """1 / (1 + e^-x): output in (0, 1), not zero-centred; saturates on both sides.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.Sigmoid()(tg.tensor([0.0]))
        tensor([0.5])
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.sigmoid(x)
