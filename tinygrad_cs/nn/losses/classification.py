"""Losses for choosing one of several classes."""

from __future__ import annotations

from typing import Any

from ...engine.errors import ArgumentError
from .. import functional
from ..functional.arguments import check_number
from ..functional.losses.checks import check_ignore_index
from ..functional.losses.classification import check_smoothing
from .loss import Loss

__all__ = ["CrossEntropyLoss", "MultiClassHingeLoss", "MultiMarginLoss", "NLLLoss"]


class CrossEntropyLoss(Loss):
    """-log softmax(logits)[class], the loss for choosing one of C classes.

    Args:
        weight: one number for each class (default none); a mean is divided by those of the
            targets.
        ignore_index: a target that counts nothing (default -100).
        reduction: `"mean"` (default), `"sum"` or `"none"`.
        label_smoothing: how much of each target is spread evenly over the classes, from 0
            (default) to 1.

    Takes logits, not probabilities: a softmax before it would be applied twice, and training
    would crawl. At chance level the loss is log C.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> loss = tg.nn.CrossEntropyLoss()(tg.tensor([[0.0] * 10]), np.array([3]))
        >>> round(loss.item(), 4), round(float(np.log(10)), 4)
        (2.3026, 2.3026)
    """

    _defaults = (("ignore_index", -100), ("label_smoothing", 0.0))

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self._hold_for_classes(weight)
        self.ignore_index = check_ignore_index(ignore_index, "CrossEntropyLoss")
        self.label_smoothing = check_smoothing(label_smoothing, "CrossEntropyLoss")

    def forward(self, input: Any, target: Any) -> Any:
        """Logits (N, C, ...) and integer classes (N, ...), or probabilities like the logits."""
        return functional.cross_entropy(
            input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing
        )


class NLLLoss(Loss):
    """-log_p[class] from logarithms of probabilities, as `log_softmax` gives.

    Args:
        weight: one number for each class (default none); a mean is divided by those of the
            targets.
        ignore_index: a target that counts nothing (default -100).
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    At chance level the loss is log C. Given logits or probabilities instead of logarithms it gets
    negative and falls without end; `CrossEntropyLoss` takes logits.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> log_p = tg.log_softmax(tg.tensor([[0.0, 0.0]]))
        >>> tg.nn.NLLLoss()(log_p, np.array([1]))
        tensor(0.6931472)
    """

    _defaults = (("ignore_index", -100),)

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self._hold_for_classes(weight)
        self.ignore_index = check_ignore_index(ignore_index, "NLLLoss")

    def forward(self, input: Any, target: Any) -> Any:
        """Logarithms of probabilities (N, C, ...) and integer classes (N, ...)."""
        return functional.nll_loss(input, target, self.weight, self.ignore_index, self.reduction)


class MultiClassHingeLoss(Loss):
    """Sum over the wrong classes j of max(0, s_j - s_y + margin), averaged over the batch.

    The support vector machine of several classes; J. Weston and C. Watkins, Support Vector
    Machines for Multi-Class Pattern Recognition, 1999.

    Args:
        margin: by how much the right class shall be ahead (default 1).
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    At chance level, equal scores, it is (C - 1) times the margin. A sample that keeps all margins
    has gradient 0 (a dead hinge). `MultiMarginLoss` is the same divided by C.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> loss = tg.nn.MultiClassHingeLoss()(tg.tensor([[3.2, 5.1, -1.7]]), np.array([0]))
        >>> round(loss.item(), 4)
        2.9
    """

    _defaults = (("margin", 1.0),)

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = check_number(margin, "margin", "MultiClassHingeLoss")

    def forward(self, input: Any, target: Any) -> Any:
        """Scores (N, C) and integer classes (N,)."""
        return functional.multi_class_hinge_loss(input, target, self.margin, self.reduction)


class MultiMarginLoss(Loss):
    """Sum over the wrong classes j of w_y max(0, margin - s_y + s_j)^p, divided by C.

    Args:
        p: 1 (default), or 2 for squares.
        margin: by how much the right class shall be ahead (default 1).
        weight: w, one number for each class (default none).
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    At chance level, equal scores, it is margin^p (C - 1) / C. A sample that keeps all margins has
    gradient 0 (a dead hinge). The lectures' form is `MultiClassHingeLoss`.

    Raises `ArgumentError` for another `p`.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.nn.MultiMarginLoss()(tg.tensor([[0.0, 0.0, 0.0, 0.0]]), np.array([0]))
        tensor(0.75)
    """

    _defaults = (("p", 1), ("margin", 1.0))

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        if check_number(p, "p", "MultiMarginLoss") not in (1, 2):
            raise ArgumentError(f"MultiMarginLoss: p must be 1 or 2, got {p!r}")
        self.margin = check_number(margin, "margin", "MultiMarginLoss")
        self.p = p
        self._hold_for_classes(weight)

    def forward(self, input: Any, target: Any) -> Any:
        """Scores (N, C) and integer classes (N,)."""
        return functional.multi_margin_loss(
            input, target, self.p, self.margin, self.weight, self.reduction
        )
