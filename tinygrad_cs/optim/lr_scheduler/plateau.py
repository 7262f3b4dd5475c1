"""A schedule that looks at a metric: `ReduceLROnPlateau`."""

from __future__ import annotations

import math
from typing import SupportsFloat

from ...engine.errors import ArgumentError
from ..optimizer import Optimizer
from .arguments import check_choice, check_count, check_optimizer, check_range, per_group
from .schedule import LRScheduler

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """Multiply the rate by `factor` when a metric has not improved for more than `patience` steps.

        lr <- max(factor lr, min_lr)   after patience + 1 steps without a better metric

    Better than the best so far means, for mode 'min', metric < best (1 - threshold), or
    metric < best - threshold with threshold_mode 'abs'; for 'max' with > and +. What one does by
    hand while watching the validation loss. Feed it the validation loss, not the training loss:
    that one goes on falling while the net overfits.

    Args:
        optimizer: whose rates change.
        mode: 'min' for losses (default), 'max' for accuracies.
        factor: of each drop, below 1 (default 0.1).
        patience: how many steps without improvement are forgiven (default 10).
        threshold: smaller improvements do not count (default 1e-4).
        threshold_mode: 'rel' (default), a share of the best, or 'abs'; metrics that may be
            negative, such as log likelihoods, need 'abs'.
        cooldown: how many steps after a drop are not counted (default 0).
        min_lr: the lowest rate; a list gives one to each parameter group (default 0).
        eps: drops smaller than this are left out (default 1e-8).

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = tg.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
        >>> for loss in (3.0, 2.0, 2.0, 2.0):
        ...     schedule.step(loss)
        >>> schedule.get_last_lr()
        [0.4]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        name = "ReduceLROnPlateau"
        check_optimizer(name, optimizer)
        check_choice(name, "mode", mode, ("min", "max"))
        check_choice(name, "threshold_mode", threshold_mode, ("rel", "abs"))
        check_count(name, 0, patience=patience, cooldown=cooldown)
        check_range(name, factor=factor, threshold=threshold, eps=eps)
        if factor >= 1:
            raise ArgumentError(f"{name}: factor must be below 1 to reduce the rate, got {factor}")
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.min_lrs = per_group(name, "min_lr", min_lr, optimizer)
        for rate in self.min_lrs:
            check_range(name, min_lr=rate)
        self.eps = eps
        self.base_lrs = [group["lr"] for group in optimizer.param_groups]
        self._begin()

    def _begin(self, last_epoch: int = -1) -> None:
        self.last_epoch = last_epoch + 1
        self.best = math.inf if self.mode == "min" else -math.inf
        self.cooldown_counter = 0
        self.num_bad_epochs = 0
        self._note_rates()

    def step(self, metrics: SupportsFloat) -> None:  # type: ignore[override]
        """Look at the metric of this step (a number or a tensor of one); drop the rates if due."""
        self.last_epoch += 1
        current = float(metrics)
        if self._is_better(current):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._note_rates()

    def _is_better(self, metric: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "rel":
            bar = self.best * (1 + sign * self.threshold)
        else:
            bar = self.best + sign * self.threshold
        return metric > bar if self.mode == "max" else metric < bar

    def _reduce(self) -> None:
        for group, least in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            reduced = max(group["lr"] * self.factor, least)
            if group["lr"] - reduced > self.eps:
                group["lr"] = reduced
