"""Modules that hold modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...engine.errors import ArgumentError
from ..module import Module

__all__ = ["Sequential"]


class Sequential(Module):
    """Modules (or plain functions) one after the other.

    Args:
        *modules: called in this order, each on the result of the one before.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        Sequential(
          0: Linear(in_features=2, out_features=3)  # 9
          1: ReLU()
          2: Linear(in_features=3, out_features=1)  # 4
        )
        13 parameters
    """

    def __init__(self, *modules: Callable[[Any], Any]) -> None:
        for i, module in enumerate(modules):
            if isinstance(module, type):
                raise ArgumentError(
                    f"Sequential: argument {i} is the class {module.__name__}; write "
                    f"nn.{module.__name__}()"
                )
            if not callable(module):
                raise ArgumentError(
                    f"Sequential: expected modules, argument {i} is {type(module).__name__}"
                )
            setattr(self, str(i), module)

    def _modules(self) -> list[Callable[[Any], Any]]:
        return [value for name, value in vars(self).items() if name.isdigit()]

    def forward(self, x: Any) -> Any:
        """The last module's output."""
        for name, module in vars(self).items():
            if name.isdigit():
                x = module(x)
        return x

    def __len__(self) -> int:
        return len(self._modules())

    def __getitem__(self, index: int) -> Callable[[Any], Any]:
        return self._modules()[index]

    def __iter__(self) -> Iterator[Callable[[Any], Any]]:
        return iter(self._modules())
