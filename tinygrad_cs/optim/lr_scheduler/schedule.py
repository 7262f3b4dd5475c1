"""What all schedules share: a multiplier of the number of steps, and how steps chain."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar, cast

from ...engine.errors import ArgumentError, StateDictError
from ...engine.modes import current_trace
from ..optimizer import Optimizer
from .arguments import check_count, check_optimizer

Step = TypeVar("Step", bound=Callable[..., None])


def after_the_program(step: Step) -> Step:
    """In a traced function a step is no part of the program: it is made behind every call."""

    @wraps(step)
    def stepping(*args: Any, **kwargs: Any) -> None:
        trace = current_trace()
        if trace is None:
            step(*args, **kwargs)
        else:
            trace.after_call(partial(step, *args, **kwargs))

    return cast(Step, stepping)


class LRScheduler:
    """Base of all schedules: the learning rate is the initial one times `multiplier(t)`.

        lr(t) = lr(0) multiplier(t)

    A step multiplies the rate that the optimizer has by multiplier(t) / multiplier(t - 1) instead
    of setting it. So two schedules on one optimizer multiply, and a rate changed by hand stays
    changed. A subclass defines `multiplier`; one that is no multiple of the initial rate defines
    `get_lr` instead, and then overwrites what other schedules did.

    Call `step()` after `optimizer.step()`, once per epoch or once per batch: t counts these calls.

    Args:
        optimizer: its `param_groups` get a new `"lr"` at every step; the first schedule notes each
            group's `"initial_lr"` there.
        last_epoch: start at t = last_epoch + 1, from the groups' `"initial_lr"` (default -1: a
            new run). `load_state_dict` is the easier way to go on.

    Attributes:
        last_epoch: t, the number of steps done.
        base_lrs: the initial rate of each group.

    Example:
        >>> import tinygrad_cs as tg
        >>> class Halving(tg.optim.lr_scheduler.LRScheduler):
        ...     def multiplier(self, t):
        ...         return 0.5**t
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=0.8)
        >>> schedule = Halving(optimizer)
        >>> schedule.step()
        >>> schedule.get_last_lr()
        [0.4]
    """

    eta_min: float = 0.0
    """What the multiplier leaves alone: lr(t) = eta_min + (lr(0) - eta_min) multiplier(t)."""

    last_epoch: int
    base_lrs: list[float]
    _last_lr: list[float]
    _multiplier: float  # what the rates hold of this schedule already

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        check_optimizer(name, optimizer)
        check_count(name, -1, last_epoch=last_epoch)
        self.optimizer = optimizer
        if optimizer._resumed == []:
            optimizer._resumed = [_options(group) for group in optimizer.param_groups]
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise ArgumentError(
                    f"{name}: last_epoch={last_epoch} goes on with an earlier run, but parameter "
                    f"group {i} has no 'initial_lr'; load the optimizer's state first, or leave "
                    f"last_epoch out"
                )
            else:
                group["lr"] = group["initial_lr"]
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self._begin(last_epoch)

    def multiplier(self, t: int) -> float:
        """What the initial rate is multiplied by after t steps; subclasses define it."""
        raise ArgumentError(f"{type(self).__name__} does not define multiplier(self, t)")

    def get_lr(self) -> list[float]:
        """The rates to come, one per group; `step` calls it after counting."""
        before, self._multiplier = self._multiplier, float(self.multiplier(self.last_epoch))
        rates: list[float] = [group["lr"] for group in self.optimizer.param_groups]
        if before == self._multiplier:
            return rates
        low = self.eta_min
        if before == 0:  # nothing is left to multiply: rise from the floor
            bases = zip(rates, self.base_lrs, strict=True)
            return [rate + (base - low) * self._multiplier for rate, base in bases]
        ratio = self._multiplier / before
        return [low + (rate - low) * ratio for rate in rates]

    @after_the_program
    def step(self) -> None:
        """Count one step and set every group's rate."""
        self.optimizer._resumed = None
        self.last_epoch += 1
        self._set_rates()

    def get_last_lr(self) -> list[float]:
        """The rate of every group as this schedule last left it."""
        return list(self._last_lr)

    def _begin(self, last_epoch: int = -1) -> None:
        """Start (again): the groups' rates hold nothing of this schedule yet."""
        self._multiplier = 1.0
        self.last_epoch = last_epoch + 1
        self._set_rates()

    def _set_rates(self) -> None:
        groups, rates = self.optimizer.param_groups, self.get_lr()
        if len(groups) != len(rates):
            raise ArgumentError(
                f"{type(self).__name__}: made for {len(self.base_lrs)} parameter groups, but the "
                f"optimizer now has {len(groups)}; make a new schedule after add_param_group"
            )
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate
        self._note_rates()

    def _note_rates(self) -> None:
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything but the optimizer and functions, for `load_state_dict`.

        The rates themselves are in the optimizer's state too: save and load both.
        """
        return {name: copy.deepcopy(vars(self)[name]) for name in self._state_names()}

    def _state_names(self) -> list[str]:
        return [name for name in vars(self) if name != "optimizer"]

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` of the same kind of schedule gave.

        The optimizer's rates are then those of its own state, whether that is loaded before the
        schedule is made, after it, or last; where it is not loaded, those this schedule last set.

        Raises `StateDictError` where entries are missing or unknown; then nothing was loaded.
        """
        self._check_state(state)
        self._take(state)
        resumed, groups = self.optimizer._resumed, self.optimizer.param_groups
        if resumed is None:
            self._restore()
        elif resumed:
            # making the schedule changed what the optimizer had loaded
            for group, options in zip(groups, resumed, strict=True):
                group.update(options)

    def _check_state(self, state: dict[str, Any]) -> None:
        if set(state) != set(self._state_names()):
            raise StateDictError(
                f"{type(self).__name__}.load_state_dict: nothing was loaded: expected the entries "
                f"{sorted(self._state_names())}, got {sorted(state)}; was this saved by another "
                f"kind of schedule?"
            )

    def _take(self, state: dict[str, Any]) -> None:
        vars(self).update(copy.deepcopy(state))

    def _restore(self) -> None:
        """Give the optimizer the rates that this schedule last set."""
        for group, rate in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            group["lr"] = rate

    def __repr__(self) -> str:
        hidden = ("optimizer", "base_lrs", "last_epoch")
        shown = [
            f"{name}={value!r}"
            for name, value in vars(self).items()
            if name not in hidden and not name.startswith("_")
        ]
        rates = ", ".join(f"{rate:.6g}" for rate in self._last_lr)
        return f"{type(self).__name__}({', '.join(shown)})  # step {self.last_epoch}: lr {rates}"


def _options(group: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name != "params"}
