"""Losses for yes or no, one or several labels at once."""

from __future__ import annotations

from typing import Any

from .. import functional
from .loss import Loss

__all__ = ["BCELoss", "BCEWithLogitsLoss"]


class BCELoss(Loss):
    """-y log p - (1 - y) log(1 - p) for probabilities p.

    Args:
        weight: a factor for each entry, or what broadcasts to the input (default none).
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    At chance level, p = 1/2, it is log 2 = 0.6931. The logarithms end at -100. It wants
    probabilities: logits are refused. Rather than a sigmoid before it use `BCEWithLogitsLoss`,
    which does not round 1 - p away.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.BCELoss()(tg.tensor([0.5, 0.5]), tg.tensor([1.0, 0.0]))
        tensor(0.6931472)
    """

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self._hold(weight=weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Probabilities and labels in [0, 1], of the same shape."""
        return functional.binary_cross_entropy(input, target, self.weight, self.reduction)


class BCEWithLogitsLoss(Loss):
    """-w y log p - (1 - y) log(1 - p) with p = sigmoid(logit), without overflow.

    Args:
        weight: a factor for each entry, or what broadcasts to the input (default none).
        reduction: `"mean"` (default), `"sum"` or `"none"`.
        pos_weight: w, a factor for the part of the label 1, or what broadcasts to the target.

    At chance level, logits 0, it is log 2 = 0.6931. A sigmoid before it would be applied twice:
    the loss could not get below 0.31, and training would crawl.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.BCEWithLogitsLoss()(tg.tensor([0.0, 1000.0]), tg.tensor([1.0, 1.0]))
        tensor(0.3465736)
    """

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self._hold(weight=weight, pos_weight=pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Logits, and labels in [0, 1] of the same shape."""
        return functional.binary_cross_entropy_with_logits(
            input, target, self.weight, self.reduction, self.pos_weight
        )
