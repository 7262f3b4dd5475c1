"""Losses for distributions."""

from __future__ import annotations

from typing import Any

from .. import functional
from ..functional.arguments import check_number
from ..functional.losses.checks import check_switch
from .loss import Loss

__all__ = ["GaussianNLLLoss", "KLDivLoss"]


class KLDivLoss(Loss):
    """Kullback-Leibler divergence p (log p - log q), from log q.

    Args:
        reduction: `"batchmean"` is the divergence as it is defined, averaged over the first axis;
            `"mean"` (default, as in PyTorch) divides by the number of all entries; or `"sum"`,
            `"none"`.
        log_target: is the target log p? (Default False.)

    The input holds logarithms (`log_softmax`), the target probabilities. Given q in place of log q
    it can be negative. Where p is 0 the term is 0 with gradient 0.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> log_q, p = tg.tensor(np.log([[0.5, 0.5]])), tg.tensor([[1.0, 0.0]])
        >>> round(tg.nn.KLDivLoss("batchmean")(log_q, p).item(), 4)
        0.6931
    """

    _defaults = (("log_target", False),)

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        self.reduction = functional.check_reduction(reduction, "KLDivLoss", also=("batchmean",))
        self.log_target = check_switch(log_target, "log_target", "KLDivLoss")

    def forward(self, input: Any, target: Any) -> Any:
        """Logarithms of probabilities, and probabilities of the same shape."""
        return functional.kl_div(input, target, self.reduction, self.log_target)


class GaussianNLLLoss(Loss):
    """(log v + (prediction - target)^2 / v) / 2 with v = max(var, eps).

    D. A. Nix and A. S. Weigend, Estimating the Mean and Variance of the Target Probability
    Distribution, 1994.

    Args:
        full: add log(2 pi) / 2 (default False).
        eps: least variance (default 1e-6); below it the gradient is that at `eps`.
        reduction: `"mean"` (default), `"sum"` or `"none"`.

    It can be negative. Where variances shrink towards 0 the gradients of the predictions explode:
    a larger `eps` bounds them.

    Raises `ArgumentError` for an `eps` that is not positive.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.GaussianNLLLoss()(tg.tensor([0.0]), tg.tensor([2.0]), tg.tensor([1.0]))
        tensor(2.)
    """

    _defaults = (("full", False), ("eps", 1e-6))

    def __init__(self, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.eps = check_number(eps, "eps", "GaussianNLLLoss", above=0)
        self.full = check_switch(full, "full", "GaussianNLLLoss")

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        """Predictions and targets of the same shape, and the variances of the predictions."""
        return functional.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)
