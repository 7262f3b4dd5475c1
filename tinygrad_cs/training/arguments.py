"""Checks of what `fit` is given, before any time is spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.errors import ArgumentError
from ..nn.module import Module
from ..optim import Optimizer
from ..optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from .metrics import Metric

LOSSES = ("loss", "validation_loss")
USES = ("validation", "final")


def whole(name: str, value: Any, least: int = 1) -> int:
    """`value`, a whole number of at least `least`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ArgumentError(f"fit: {name} must be a whole number of {least} or more, got {value!r}")
    return value


def check_model_and_optimizer(model: Any, optimizer: Any, loss: Any) -> None:
    """Raise `ArgumentError` unless the optimizer trains this model, and the loss can be called."""
    if not isinstance(model, Module):
        raise ArgumentError(f"fit: expected an nn.Module as model, got {type(model).__name__}")
    if not isinstance(optimizer, Optimizer):
        raise ArgumentError(
            f"fit: expected an optimizer such as optim.Adam(model.parameters(), lr=1e-3), got "
            f"{type(optimizer).__name__}"
        )
    if not callable(loss) or isinstance(loss, type):
        raise ArgumentError(
            f"fit: expected a loss that can be called with prediction and target, such as "
            f"nn.CrossEntropyLoss(), got {loss!r}"
        )
    if getattr(loss, "reduction", "mean") == "none":
        raise ArgumentError("fit: reduction='none' gives no single loss; take 'mean' or 'sum'")
    trained = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if not any(id(parameter) in trained for parameter in model.parameters()):
        raise ArgumentError(
            "fit: the optimizer holds none of this model's parameters, so nothing would be "
            "learned; make the optimizer after the model: optim.Adam(model.parameters())"
        )


def check_clipping(clip_norm: Any, clip_value: Any) -> None:
    """Raise `ArgumentError` for bounds that are no positive numbers."""
    for name, value in (("clip_norm", clip_norm), ("clip_value", clip_value)):
        if value is not None and (not isinstance(value, (int, float)) or not value > 0):
            raise ArgumentError(f"fit: {name} must be a number above 0, got {value!r}")


def check_schedule(schedule: Any, every: str, optimizer: Optimizer) -> None:
    """Raise `ArgumentError` unless the schedule changes this optimizer's rate."""
    if every not in ("epoch", "batch"):
        raise ArgumentError(f"fit: schedule_every must be 'epoch' or 'batch', got {every!r}")
    if schedule is None:
        if every == "batch":
            raise ArgumentError("fit: schedule_every='batch' without a schedule")
        return
    if not isinstance(schedule, LRScheduler):
        raise ArgumentError(
            f"fit: expected a schedule such as optim.lr_scheduler.StepLR(optimizer, 10), got "
            f"{type(schedule).__name__}"
        )
    if schedule.optimizer is not optimizer:
        raise ArgumentError("fit: the schedule belongs to another optimizer")
    if isinstance(schedule, ReduceLROnPlateau) and every == "batch":
        raise ArgumentError(
            "fit: ReduceLROnPlateau looks at the validation, which is once an epoch; write "
            "schedule_every='epoch'"
        )


def monitored(
    monitor: str | None,
    metrics: Mapping[str, Metric],
    validated: bool,
    schedule: LRScheduler | None,
) -> tuple[str, bool]:
    """The column to watch, and whether larger values of it are better."""
    known = ["loss", *metrics]
    if validated:
        known += [f"validation_{name}" for name in known]
    column = monitor or LOSSES[validated]
    if column not in known:
        raise ArgumentError(
            f"fit: cannot monitor {monitor!r}; there will be {', '.join(known)}"
            + ("" if validated else "; give validation data for columns of it")
        )
    metric = metrics.get(column.removeprefix("validation_"))
    higher = False if metric is None else metric.higher_is_better
    if isinstance(schedule, ReduceLROnPlateau) and schedule.mode != ("max" if higher else "min"):
        raise ArgumentError(
            f"fit: ReduceLROnPlateau(mode={schedule.mode!r}) would wait for the wrong direction "
            f"of {column!r}; write mode={'max' if higher else 'min'!r}"
        )
    return column, higher


def average_uses(ema_use: Sequence[str]) -> frozenset[str]:
    """What the averaged weights are for."""
    uses = [ema_use] if isinstance(ema_use, str) else list(ema_use)
    for use in uses:
        if use not in USES:
            raise ArgumentError(f"fit: ema_use takes 'validation' and 'final', got {use!r}")
    return frozenset(uses)
