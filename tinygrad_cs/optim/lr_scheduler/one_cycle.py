"""One rise and one long fall, with the momentum moving the other way: `OneCycleLR`."""

from __future__ import annotations

import math
from bisect import bisect_left

from ...engine.errors import ArgumentError
from ..optimizer import Optimizer
from .arguments import check_choice, check_count, check_optimizer, check_range, per_group
from .schedule import LRScheduler, after_the_program

__all__ = ["OneCycleLR"]


class OneCycleLR(LRScheduler):
    """Rise to `max_lr`, then fall far below the start; the momentum falls and rises.

    The rate goes through max_lr / div_factor, max_lr, and max_lr / (div_factor final_div_factor);
    between two of them, a and b, with p from 0 to 1, along

        b + (a - b) (1 + cos(pi p)) / 2      or, 'linear',      a + (b - a) p

    Smith and Topin 2018. Made for one `step()` per batch, `total_steps` of them. It sets rate and
    momentum, and so overwrites what other schedules did to them.

    Args:
        optimizer: whose rates change, and whose `momentum` or first of `betas`.
        max_lr: the highest rate; a list gives one to each parameter group.
        total_steps: how many steps there are; or give both of the next two.
        epochs, steps_per_epoch: total_steps is their product.
        pct_start: the share of the steps that rise (default 0.3).
        anneal_strategy: 'cos' (default) or 'linear'.
        cycle_momentum: whether the momentum moves too (default True).
        base_momentum, max_momentum: it falls from the second to the first and rises again (default
            0.85 and 0.95); lists give one to each parameter group.
        div_factor: the rate starts at max_lr / div_factor (default 25).
        final_div_factor: it ends at the start's rate / final_div_factor (default 10,000).
        three_phase: fall to the start's rate as fast as it rose, then to the end (default False).
        last_epoch: see `LRScheduler`.

    Raises `ArgumentError` for steps beyond total_steps, and for an optimizer without momentum
    where it should move.

    Example:
        >>> import tinygrad_cs as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], momentum=0.9)
        >>> schedule = tg.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
        >>> rates = [schedule.get_last_lr()[0]]
        >>> for _ in range(9):
        ...     schedule.step()
        ...     rates.append(schedule.get_last_lr()[0])
        >>> [round(rates[i], 6) for i in (0, 2, 9)]
        [0.04, 1.0, 4e-06]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        name = "OneCycleLR"
        check_optimizer(name, optimizer)
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        check_range(name, most=0.5 if three_phase else 1.0, pct_start=pct_start)
        check_choice(name, "anneal_strategy", anneal_strategy, ("cos", "linear"))
        for divisor in (div_factor, final_div_factor):
            if not divisor > 0:
                raise ArgumentError(f"{name}: divisors must be numbers above 0, got {divisor!r}")
        self.anneal_strategy = anneal_strategy
        self.cycle_momentum = cycle_momentum
        rise, last = pct_start * self.total_steps - 1, self.total_steps - 1
        self._ends = [rise, 2 * rise, last] if three_phase else [rise, last]
        self._rates, self._momenta = [], []
        peaks = per_group(name, "max_lr", max_lr, optimizer)
        lows = per_group(name, "base_momentum", base_momentum, optimizer)
        highs = per_group(name, "max_momentum", max_momentum, optimizer)
        for group, peak, low, high in zip(optimizer.param_groups, peaks, lows, highs, strict=True):
            check_range(name, max_lr=peak)
            start = group["initial_lr"] = peak / div_factor
            end = start / final_div_factor
            if cycle_momentum:
                check_range(name, most=1.0, base_momentum=low, max_momentum=high)
                _momentum_of(group)
            self._rates.append([start, peak, start, end] if three_phase else [start, peak, end])
            self._momenta.append([high, low, high, high] if three_phase else [high, low, high])
        super().__init__(optimizer, last_epoch)

    def _between(self, knots: list[float]) -> float:
        """The value after `last_epoch` steps on the way through the knots."""
        t, ends = self.last_epoch, self._ends
        phase = min(bisect_left(ends, t), len(ends) - 1)
        start = ends[phase - 1] if phase else 0.0
        a, b = knots[phase], knots[phase + 1]
        # The step after the last has no use any more, but must not overshoot.
        p = min((t - start) / (ends[phase] - start), 1.0) if ends[phase] > start else 1.0
        if self.anneal_strategy == "linear":
            return a + (b - a) * p
        return b + (a - b) * (1 + math.cos(math.pi * p)) / 2

    def get_lr(self) -> list[float]:
        """See the class."""
        return [self._between(knots) for knots in self._rates]

    @after_the_program
    def step(self) -> None:
        """Count one step and set every group's rate and momentum."""
        if self.last_epoch >= self.total_steps:
            raise ArgumentError(
                f"OneCycleLR: step {self.last_epoch + 1} of {self.total_steps}: the cycle is over; "
                f"make total_steps the number of all steps (epochs times batches per epoch)"
            )
        super().step()

    def _set_rates(self) -> None:
        super()._set_rates()
        self._set_momenta()

    def _restore(self) -> None:
        super()._restore()
        self._set_momenta()

    def _set_momenta(self) -> None:
        if not self.cycle_momentum:
            return
        for group, knots in zip(self.optimizer.param_groups, self._momenta, strict=True):
            momentum = self._between(knots)
            if _momentum_of(group) == "betas":
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum


def _total(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is not None:
        check_count("OneCycleLR", total_steps=total_steps)
        return total_steps
    if epochs is None or steps_per_epoch is None:
        raise ArgumentError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
    check_count("OneCycleLR", epochs=epochs, steps_per_epoch=steps_per_epoch)
    return epochs * steps_per_epoch


def _momentum_of(group: dict[str, object]) -> str:
    for key in ("betas", "momentum"):
        if key in group:
            return key
    raise ArgumentError(
        "OneCycleLR: this optimizer has neither momentum nor betas; write cycle_momentum=False"
    )
