"""`Parameter`: a tensor that a module learns."""

from __future__ import annotations

from typing import Any

from ..engine.tensor import Tensor


class Parameter(Tensor):
    """A tensor that counts as a parameter when it is an attribute of a `Module`.

    Args:
        data: initial values (copied); Python floats take the default dtype.
        requires_grad: False freezes it (default True).

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.Parameter([1.0, 2.0]).requires_grad
        True
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)

    def __repr__(self) -> str:
        return f"Parameter({self._data.shape}, {self._data.dtype})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Parameter, (self._data, self.requires_grad)
