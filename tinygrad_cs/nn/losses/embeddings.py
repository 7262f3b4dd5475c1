"""Losses of distances: what is alike comes together, what is different keeps a margin."""

from __future__ import annotations

from typing import Any

from ...engine.errors import ArgumentError
from .. import functional
from ..functional.arguments import check_number
from ..functional.losses.checks import check_switch
from .loss import Loss

__all__ = ["CosineEmbeddingLoss", "HingeEmbeddingLoss", "TripletMarginLoss"]


class HingeEmbeddingLoss(Loss):
    """The distance x itself where the target is 1, max(0, margin - x) where it is -1.

    Args:
        margin: how far different ones shall be apart (default 1).
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    Different pairs further apart than the margin have gradient 0 (a dead hinge).

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> loss = tg.nn.HingeEmbeddingLoss(reduction="none")
        >>> loss(tg.tensor([0.2, 0.2, 3.0]), np.array([1, -1, -1]))
        tensor([0.2, 0.8, 0. ])
    """

    _defaults = (("margin", 1.0),)

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = check_number(margin, "margin", "HingeEmbeddingLoss")

    def forward(self, input: Any, target: Any) -> Any:
        """Distances, and targets 1 or -1 of the same shape."""
        return functional.hinge_embedding_loss(input, target, self.margin, self.reduction)


class CosineEmbeddingLoss(Loss):
    """1 - cos(x1, x2) where the target is 1, max(0, cos(x1, x2) - margin) where it is -1.

    Args:
        margin: the largest cosine of different ones, from -1 to 1 (default 0).
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    The lengths of the vectors do not matter; a vector of zeros has cosine 0 with anything.

    Raises `ArgumentError` for a margin that is no cosine.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> a, b = tg.tensor([[1.0, 0.0]]), tg.tensor([[3.0, 4.0]])
        >>> round(tg.nn.CosineEmbeddingLoss()(a, b, np.array([1])).item(), 4)
        0.4
    """

    _defaults = (("margin", 0.0),)

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = check_number(margin, "margin", "CosineEmbeddingLoss")
        if not -1 <= margin <= 1:
            raise ArgumentError(
                f"CosineEmbeddingLoss: margin is a cosine from -1 to 1, got {margin}"
            )

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        """Vectors (N, D) twice, and targets 1 or -1 (N,)."""
        return functional.cosine_embedding_loss(input1, input2, target, self.margin, self.reduction)


class TripletMarginLoss(Loss):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), with d(x, y) = ‖x - y + eps‖.

    V. Balntas and others, Learning Shallow Convolutional Feature Descriptors with Triplet Losses,
    2016.

    Args:
        margin: by how much the negative shall be further away, larger than 0 (default 1).
        p: exponent of the norm (default 2).
        eps: what keeps the norm away from 0 (default 1e-6).
        swap: take the nearer of d(anchor, negative) and d(positive, negative).
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    A loss that stops at the margin has put all vectors into one point. Triplets that keep the
    margin have gradient 0 (a dead hinge); choose negatives that are near.

    Raises `ArgumentError` for a margin that is not positive.

    Example:
        >>> import tinygrad_cs as tg
        >>> a, p, n = tg.tensor([[0.0, 0.0]]), tg.tensor([[3.0, 4.0]]), tg.tensor([[0.0, 5.5]])
        >>> round(tg.nn.TripletMarginLoss()(a, p, n).item(), 4)
        0.5
    """

    _defaults = (("margin", 1.0), ("p", 2.0), ("eps", 1e-6), ("swap", False))

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.margin = check_number(margin, "margin", "TripletMarginLoss", above=0)
        self.p = check_number(p, "p", "TripletMarginLoss")
        self.eps = check_number(eps, "eps", "TripletMarginLoss")
        self.swap = check_switch(swap, "swap", "TripletMarginLoss")

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        """Three tensors of vectors of the same shape (..., D)."""
        return functional.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, self.reduction
        )
