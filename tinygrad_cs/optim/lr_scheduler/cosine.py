"""Schedules along a cosine: one fall, or a fall again and again."""

from __future__ import annotations

import math

from ..optimizer import Optimizer
from .arguments import check_count, check_range
from .schedule import LRScheduler, after_the_program

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"]


class CosineAnnealingLR(LRScheduler):
    """Fall from the initial rate to `eta_min` along half a cosine.

        lr(t) = eta_min + (lr(0) - eta_min) (1 + cos(pi t / T_max)) / 2

    Loshchilov and Hutter 2017 (without restarts). Beyond T_max it rises again.

    Args:
        optimizer: whose rates change.
        T_max: how many steps the fall takes; as a rule all of the training.
        eta_min: the lowest rate (default 0).
        last_epoch: see `LRScheduler`.

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
        >>> schedule.step()
        >>> round(schedule.get_last_lr()[0], 6)
        0.4
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        check_count("CosineAnnealingLR", T_max=T_max)
        check_range("CosineAnnealingLR", eta_min=eta_min)
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """See the class."""
        return (1 + math.cos(math.pi * t / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """Fall along half a cosine, jump back, and fall again, each time more slowly if asked for.

        lr = eta_min + (lr(0) - eta_min) (1 + cos(pi T_cur / T_i)) / 2

    T_cur counts the steps since the last restart; the i-th fall takes T_i = T_0 T_mult^i steps.
    Loshchilov and Hutter 2017 (SGDR). The nets at the end of each fall make a cheap ensemble. It
    sets the rate, and so overwrites what other schedules did to it.

    Args:
        optimizer: whose rates change.
        T_0: how many steps the first fall takes.
        T_mult: by how much each fall is longer than the one before (default 1).
        eta_min: the lowest rate (default 0).
        last_epoch: see `LRScheduler`.

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = tg.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
        >>> for _ in range(3):
        ...     print(round(schedule.get_last_lr()[0], 6))
        ...     schedule.step()
        0.8
        0.4
        0.8
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        check_count("CosineAnnealingWarmRestarts", T_0=T_0, T_mult=T_mult)
        check_range("CosineAnnealingWarmRestarts", eta_min=eta_min)
        self.T_0 = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def _begin(self, last_epoch: int = -1) -> None:
        self._t: float = last_epoch + 1
        super()._begin(last_epoch)

    def _phase(self) -> tuple[float, int]:
        """T_cur and T_i."""
        if self.T_mult == 1:
            return self._t % self.T_0, self.T_0
        since, length = self._t, self.T_0
        while since >= length:
            since -= length
            length *= self.T_mult
        return since, length

    def get_lr(self) -> list[float]:
        """See the class."""
        since, length = self._phase()
        multiplier = (1 + math.cos(math.pi * since / length)) / 2
        return [self.eta_min + (base - self.eta_min) * multiplier for base in self.base_lrs]

    @after_the_program
    def step(self, epoch: float | None = None) -> None:
        """Count one step, or go to any point: `step(epoch + i / batches)` moves within an epoch."""
        if epoch is None:
            self._t += 1
        else:
            check_range("CosineAnnealingWarmRestarts", epoch=epoch)
            self._t = epoch
        self.last_epoch = math.floor(self._t)
        self._set_rates()
