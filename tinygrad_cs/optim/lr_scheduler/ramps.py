"""Schedules for the first steps: a smaller rate at once, or one that rises."""

from __future__ import annotations

from ...engine.errors import ArgumentError
from ..optimizer import Optimizer
from .arguments import check_count, check_range
from .schedule import LRScheduler

__all__ = ["ConstantLR", "LinearLR"]


class ConstantLR(LRScheduler):
    """A multiple of the rate for the first steps, the whole rate afterwards.

        lr(t) = lr(0) factor   for t < total_iters,   lr(0) afterwards

    Args:
        optimizer: whose rates change.
        factor: between 0 and 1 (default 1/3).
        total_iters: how many steps it lasts (default 5).
        last_epoch: see `LRScheduler`.

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> tg.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5).get_last_lr()
        [0.4]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        check_range("ConstantLR", most=1.0, factor=factor)
        check_count("ConstantLR", 0, total_iters=total_iters)
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """See the class."""
        return self.factor if t < self.total_iters else 1.0


class LinearLR(LRScheduler):
    """A multiple of the rate that moves on a straight line: a warm-up, if it rises.

        lr(t) = lr(0) (start_factor + (end_factor - start_factor) min(t, total_iters) / total_iters)

    The first gradients of a random net are large and point anywhere; a rate that is right later
    may throw the weights far away (Goyal et al. 2017). In front of another schedule: `WarmupLR`.

    Args:
        optimizer: whose rates change.
        start_factor: at the first step, above 0 and at most 1 (default 1/3).
        end_factor: from step total_iters on, between 0 and 1 (default 1).
        total_iters: how many steps the line takes (default 5).
        last_epoch: see `LRScheduler`.

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = tg.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
        >>> schedule.step()
        >>> round(schedule.get_last_lr()[0], 6)
        0.6
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        check_range("LinearLR", most=1.0, start_factor=start_factor, end_factor=end_factor)
        if start_factor == 0:
            raise ArgumentError(
                "LinearLR: start_factor must be above 0: at rate 0 the first step teaches "
                "nothing; write for example start_factor=1 / total_iters"
            )
        check_count("LinearLR", total_iters=total_iters)
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """See the class."""
        done = min(t, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * done
