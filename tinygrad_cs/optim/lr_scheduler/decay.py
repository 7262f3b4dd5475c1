"""Schedules that only fall: by steps, exponentially, as a polynomial, as a square root."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable

from ..optimizer import Optimizer
from .arguments import check_count, check_milestones, check_range
from .schedule import LRScheduler

__all__ = ["ExponentialLR", "InverseSquareRootLR", "MultiStepLR", "PolynomialLR", "StepLR"]


class StepLR(LRScheduler):
    """Multiply the rate by gamma every `step_size` steps.

        lr(t) = lr(0) gamma^floor(t / step_size)

    A first choice where the loss is seen to stall; dropping too early freezes a net that would
    still have learned at the higher rate.

    Args:
        optimizer: whose rates change.
        step_size: how many steps a rate lasts.
        gamma: the factor of each drop (default 0.1).
        last_epoch: see `LRScheduler`.

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = tg.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
        >>> for _ in range(4):
        ...     schedule.step()
        >>> schedule.get_last_lr()
        [0.2]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        check_count("StepLR", step_size=step_size)
        check_range("StepLR", gamma=gamma)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """See the class."""
        return float(self.gamma ** (t // self.step_size))


class MultiStepLR(LRScheduler):
    """Multiply the rate by gamma at each milestone.

        lr(t) = lr(0) gamma^(number of milestones <= t)

    Args:
        optimizer: whose rates change.
        milestones: increasing numbers of steps.
        gamma: the factor of each drop (default 0.1).
        last_epoch: see `LRScheduler`.

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = tg.optim.lr_scheduler.MultiStepLR(optimizer, [1, 3], gamma=0.5)
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.4]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = check_milestones("MultiStepLR", milestones, 0)
        check_range("MultiStepLR", gamma=gamma)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """See the class."""
        return float(self.gamma ** bisect_right(self.milestones, t))


class ExponentialLR(LRScheduler):
    """Multiply the rate by gamma at every step.

        lr(t) = lr(0) gamma^t

    Args:
        optimizer: whose rates change.
        gamma: the factor of each step; 0.95 once per epoch halves the rate in 14 epochs.
        last_epoch: see `LRScheduler`.

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = tg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.4]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        check_range("ExponentialLR", gamma=gamma)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """See the class."""
        return float(self.gamma**t)


class PolynomialLR(LRScheduler):
    """Let the rate fall to zero as a power of what remains.

        lr(t) = lr(0) (1 - min(t, total_iters) / total_iters)^power

    Args:
        optimizer: whose rates change.
        total_iters: the step at which the rate is zero, and stays so (default 5).
        power: 1, the default, falls on a straight line; larger ones fall earlier.
        last_epoch: see `LRScheduler`.

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = tg.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4)
        >>> schedule.step()
        >>> round(schedule.get_last_lr()[0], 6)
        0.6
    """

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        check_count("PolynomialLR", total_iters=total_iters)
        check_range("PolynomialLR", power=power)
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """See the class."""
        return float((1 - min(t, self.total_iters) / self.total_iters) ** self.power)


class InverseSquareRootLR(LRScheduler):
    """Rise on a straight line for `warmup_steps` steps, then fall as 1 / sqrt(steps).

        lr(t) = lr(0) min((t + 1) / warmup_steps, sqrt(warmup_steps / (t + 1)))

    Vaswani et al. 2017, section 5.3, with the optimizer's rate as the peak (there it is
    1 / sqrt(d_model warmup_steps)). The number of steps still to come does not enter, so training
    can go on as long as it pays. Made for one `step()` per batch.

    Args:
        optimizer: whose rates change.
        warmup_steps: how many steps it takes to the peak.
        last_epoch: see `LRScheduler`.

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.Adam([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = tg.optim.lr_scheduler.InverseSquareRootLR(optimizer, warmup_steps=4)
        >>> schedule.get_last_lr()
        [0.2]
        >>> for _ in range(15):
        ...     schedule.step()
        >>> round(schedule.get_last_lr()[0], 6)
        0.4
    """

    def __init__(self, optimizer: Optimizer, warmup_steps: int, last_epoch: int = -1) -> None:
        check_count("InverseSquareRootLR", warmup_steps=warmup_steps)
        self.warmup_steps = warmup_steps
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """See the class."""
        return min((t + 1) / self.warmup_steps, math.sqrt(self.warmup_steps / (t + 1)))
