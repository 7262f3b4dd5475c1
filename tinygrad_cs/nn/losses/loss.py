"""What all losses share: the reduction."""

from __future__ import annotations

from .. import functional
from ..module import Module


class Loss(Module):
    """Base of the losses.

    Args:
        reduction: `"mean"` (default), `"sum"` or `"none"`.
    """

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = functional.check_reduction(reduction, type(self).__name__)

    def extra_repr(self) -> str:
        """The reduction, where it is not the mean."""
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"
