"""Schedules made of schedules: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from ...engine.errors import ArgumentError, StateDictError
from ..optimizer import Optimizer
from .arguments import check_count, check_milestones, check_optimizer
from .plateau import ReduceLROnPlateau
from .ramps import LinearLR
from .schedule import LRScheduler, after_the_program

__all__ = ["ChainedScheduler", "SequentialLR", "WarmupLR"]


class _Composite(LRScheduler):
    """Holds schedules over one optimizer, and their state inside its own."""

    def _hold(self, optimizer: Optimizer, schedulers: Sequence[LRScheduler]) -> None:
        name = type(self).__name__
        if not schedulers:
            raise ArgumentError(f"{name}: expected at least one schedule, got none")
        for i, scheduler in enumerate(schedulers):
            if not isinstance(scheduler, LRScheduler):
                raise ArgumentError(
                    f"{name}: expected schedules, entry {i} is {type(scheduler).__name__}"
                )
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ArgumentError(
                    f"{name}: entry {i} is ReduceLROnPlateau, whose step needs a metric; step it "
                    f"on its own, beside this one"
                )
            if scheduler.optimizer is not optimizer:
                raise ArgumentError(f"{name}: entry {i} belongs to another optimizer")
        self.optimizer = optimizer
        self._schedulers = list(schedulers)

    def state_dict(self) -> dict[str, Any]:
        """As of every schedule, with the states of those it holds under `"_schedulers"`."""
        held = [scheduler.state_dict() for scheduler in self._schedulers]
        return super().state_dict() | {"_schedulers": held}

    def _state_names(self) -> list[str]:
        return [name for name in super()._state_names() if name != "_schedulers"]

    def _check_state(self, state: dict[str, Any]) -> None:
        held = state.get("_schedulers", ())
        if len(held) != len(self._schedulers):
            raise StateDictError(
                f"{type(self).__name__}.load_state_dict: nothing was loaded: expected the states "
                f"of {len(self._schedulers)} schedules under '_schedulers', got {len(held)}"
            )
        super()._check_state(_without_held(state))
        for scheduler, saved in zip(self._schedulers, held, strict=True):
            scheduler._check_state(saved)

    def _take(self, state: dict[str, Any]) -> None:
        super()._take(_without_held(state))
        for scheduler, saved in zip(self._schedulers, state["_schedulers"], strict=True):
            scheduler._take(saved)

    def __repr__(self) -> str:
        held = "".join(f"\n  {scheduler!r}" for scheduler in self._schedulers)
        return f"{super().__repr__()}{held}"


def _without_held(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name != "_schedulers"}


class SequentialLR(_Composite):
    """One schedule after the other; at each milestone the next one starts, at the initial rate.

    Args:
        optimizer: whose rates change.
        schedulers: made over this optimizer.
        milestones: increasing numbers of steps, one less than there are schedules.

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> first = tg.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5)
        >>> second = tg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        >>> schedule = tg.optim.lr_scheduler.SequentialLR(optimizer, [first, second], [2])
        >>> for _ in range(4):
        ...     print(round(schedule.get_last_lr()[0], 6))
        ...     schedule.step()
        0.4
        0.4
        0.8
        0.4
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
    ) -> None:
        name = type(self).__name__
        check_optimizer(name, optimizer)
        self._hold(optimizer, schedulers)
        milestones = check_milestones(name, milestones, 1)
        if len(milestones) != len(schedulers) - 1:
            raise ArgumentError(
                f"{name}: {len(schedulers)} schedules need {len(schedulers) - 1} milestones "
                f"between them, got {len(milestones)}"
            )
        self.milestones = milestones
        super().__init__(optimizer)

    def _begin(self, last_epoch: int = -1) -> None:
        self.last_epoch = last_epoch + 1
        self._start(self._schedulers[0])

    def _start(self, scheduler: LRScheduler) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        scheduler._begin()
        self._note_rates()

    @after_the_program
    def step(self) -> None:
        """Count one step, and let the schedule whose turn it is set the rates."""
        self.last_epoch += 1
        scheduler = self._schedulers[bisect_right(self.milestones, self.last_epoch)]
        if self.last_epoch in self.milestones:
            self._start(scheduler)
        else:
            scheduler.step()
            self._note_rates()


class ChainedScheduler(_Composite):
    """Several schedules at once: their multipliers multiply.

    Those that set the rate instead (`LambdaLR`, `CosineAnnealingWarmRestarts`, `OneCycleLR`)
    overwrite what came before them.

    Args:
        schedulers: made over one optimizer.
        optimizer: that one; the first schedule's, if left out.

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> first = tg.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5)
        >>> second = tg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        >>> schedule = tg.optim.lr_scheduler.ChainedScheduler([first, second])
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.2]
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        name = type(self).__name__
        if optimizer is not None:
            check_optimizer(name, optimizer)
        first = getattr(schedulers[0], "optimizer", None) if schedulers else None
        self._hold(optimizer or first, schedulers)  # type: ignore[arg-type]
        self.last_epoch = 0
        self.base_lrs = list(self._schedulers[0].base_lrs)
        self._note_rates()

    def _begin(self, last_epoch: int = -1) -> None:
        self.last_epoch = last_epoch + 1
        for scheduler in self._schedulers:
            scheduler._begin()
        self._note_rates()

    @after_the_program
    def step(self) -> None:
        """Step all of them, in order."""
        self.last_epoch += 1
        for scheduler in self._schedulers:
            scheduler.step()
        self._note_rates()


class WarmupLR(SequentialLR):
    """Rise on a straight line for `warmup_steps` steps, then do what `after` says.

        lr(t) = lr(0) (t + 1) / (warmup_steps + 1)   for t < warmup_steps

    After that `after` starts, with t counted from there: `SequentialLR` of `LinearLR` and `after`.

    Args:
        optimizer: whose rates change.
        warmup_steps: how many steps stay below the initial rate.
        after: a schedule made over this optimizer.

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> cosine = tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
        >>> schedule = tg.optim.lr_scheduler.WarmupLR(optimizer, 3, after=cosine)
        >>> for _ in range(5):
        ...     print(round(schedule.get_last_lr()[0], 6))
        ...     schedule.step()
        0.2
        0.4
        0.6
        0.8
        0.4
    """

    def __init__(self, optimizer: Optimizer, warmup_steps: int, after: LRScheduler) -> None:
        check_count("WarmupLR", warmup_steps=warmup_steps)
        rise = LinearLR(optimizer, 1 / (warmup_steps + 1), 1.0, warmup_steps)
        super().__init__(optimizer, [rise, after], [warmup_steps])
