"""Probabilities as layers."""

from __future__ import annotations

from typing import Any

from .. import functional
from ..functional.probabilities import check_dim
from ..module import Module

__all__ = ["LogSoftmax", "Softmax", "Softmin"]


class Softmax(Module):
    """Probabilities e^x / sum(e^x) along axis `dim`.

    Args:
        dim: the axis along which they sum to 1; has no default, as a guess would be silently wrong.

    Not before `nn.CrossEntropyLoss`, which takes scores and has its own softmax. Applied twice, it
    flattens: scores of (0, 1) at most give probabilities near each other however sure the net is,
    and the loss cannot fall below a bound well above 0.

    Raises `ArgumentError` without `dim`.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.nn.Softmax(dim=-1)(tg.tensor([[0.0, 0.0], [1000.0, 0.0]]))
        tensor([[0.5, 0.5],
                [1. , 0. ]])
        >>> scores, label = tg.tensor([[1000.0, 0.0]]), np.array([0])
        >>> loss = tg.nn.CrossEntropyLoss()
        >>> loss(scores, label).item()
        0.0
        >>> round(loss(tg.nn.Softmax(dim=-1)(scores), label).item(), 4)  # the mistake
        0.3133
    """

    def __init__(self, dim: int | None = None) -> None:
        check_dim(dim, type(self).__name__)
        self.dim = dim

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.softmax(x, self.dim)

    def extra_repr(self) -> str:
        """The axis."""
        return f"dim={self.dim}"


class Softmin(Softmax):
    """Probabilities e^-x / sum(e^-x) along axis `dim`: the smallest gets most.

    Args:
        dim: the axis along which they sum to 1.

    Raises `ArgumentError` without `dim`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.Softmin(dim=-1)(tg.tensor([0.0, 1000.0]))
        tensor([1., 0.])
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.softmin(x, self.dim)


class LogSoftmax(Softmax):
    """Logarithms of the probabilities along axis `dim`; never log 0, as log(softmax(x)) may be.

    Args:
        dim: the axis along which the probabilities sum to 1.

    Raises `ArgumentError` without `dim`.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.LogSoftmax(dim=-1)(tg.tensor([0.0, 1000.0]))
        tensor([-1000.,     0.])
    """

    def forward(self, x: Any) -> Any:
        """Same shape as `x`."""
        return functional.log_softmax(x, self.dim)
