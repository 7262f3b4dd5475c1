"""What all losses share: the reduction, and weights as buffers."""

from __future__ import annotations

from typing import Any

from ...engine.tensor import Tensor
from .. import functional
from ..module import Module


class Loss(Module):
    """Base of the losses.

    Args:
        reduction: `"mean"` (default), `"sum"` or `"none"`.
    """

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = functional.check_reduction(reduction, type(self).__name__)

    def _hold(self, **weights: Any) -> None:
        """Weights as buffers; None where there are none, which keeps them out of the state."""
        for name, value in weights.items():
            if value is not None and not isinstance(value, Tensor):
                value = Tensor(value)
            self.register_buffer(name, value)

    _defaults: tuple[tuple[str, Any], ...] = ()
    """Arguments beside the reduction with their defaults, for `repr`."""

    def extra_repr(self) -> str:
        """The arguments that are not at their defaults."""
        pairs = [(name, getattr(self, name), default) for name, default in self._defaults]
        pairs.append(("reduction", self.reduction, "mean"))
        return ", ".join(f"{name}={value!r}" for name, value, default in pairs if value != default)
