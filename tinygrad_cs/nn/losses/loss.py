"""What all losses share: the reduction, and weights as buffers."""

from __future__ import annotations

from typing import Any

from ...engine.errors import ShapeError
from ...engine.tensor import Tensor
from ...engine.types import np
from .. import functional
from ..foreign import described
from ..module import Module


class Loss(Module):
    """Base of the losses.

    Args:
        reduction: `"mean"` (default), `"sum"` or `"none"`.
        *more: refused, with a message for those who give prediction and target here.
    """

    def __init__(self, reduction: str = "mean", *more: Any) -> None:
        if more and not hasattr(reduction, "shape"):
            raise TypeError(f"{type(self).__name__}() takes one argument, got {1 + len(more)}")
        self.reduction = functional.check_reduction(reduction, type(self).__name__)

    def _hold(self, **weights: Any) -> None:
        """Weights as buffers; None where there are none, which keeps them out of the state."""
        for name, value in weights.items():
            if value is not None and not isinstance(value, Tensor):
                value = Tensor(value)
            self.register_buffer(name, value)

    def _hold_for_classes(self, weight: Any) -> None:
        """A weight for each class, so that a prediction put in its place is noticed here."""
        if weight is not None and np.ndim(getattr(weight, "_data", weight)) != 1:
            name = type(self).__name__
            raise ShapeError(
                f"{name}: weight must hold one number for each class, shape (C,), got "
                f"{described(weight, name)}"
            )
        self._hold(weight=weight)

    _defaults: tuple[tuple[str, Any], ...] = ()
    """Arguments beside the reduction with their defaults, for `repr`."""

    def extra_repr(self) -> str:
        """The arguments that are not at their defaults."""
        pairs = [(name, getattr(self, name), default) for name, default in self._defaults]
        pairs.append(("reduction", self.reduction, "mean"))
        return ", ".join(f"{name}={value!r}" for name, value, default in pairs if value != default)
