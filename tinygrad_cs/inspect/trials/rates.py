"""`find_lr`: which learning rates a net can take, in one short training.

L. N. Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.checks import positive_integer
from ...engine.errors import ArgumentError
from ...engine.types import Array, np
from ...nn.module import Module
from ...optim import LBFGS, Adam, Optimizer
from ...training.batches import Epochs, check_batch
from ...training.step import NotFinite, Step
from . import pictures
from .arguments import check_model_and_loss, check_optimizer, check_trainable
from .copies import on_copies
from .samples import batches_of
from .task import Loss

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["RateRange", "find_lr"]

DIVERGED = 4.0


@dataclass
class RateRange:
    """What `find_lr` found.

    Attributes:
        lr: the rates that were tried, rising.
        loss: of the batch before the step with each of them.
        smoothed: the loss as a moving average.
        suggestion: the rate to begin with.
        lowest: the rate at which the smoothed loss was lowest, the first fifth left out; at this
            rate training is about to fail.
        diverged: did the loss explode before the last rate?
    """

    lr: Array
    loss: Array
    smoothed: Array
    suggestion: float
    lowest: float
    diverged: bool

    def plot(self, path: str | Path | None = None) -> Figure:
        """The loss over the rate with the suggestion, as a matplotlib figure.

        Args:
            path: where to write the picture too (default None: nowhere).

        Raises `MissingDependency` without matplotlib.
        """
        return pictures.written(pictures.rate_range(self), path)

    def __repr__(self) -> str:
        end = "diverged" if self.diverged else "loss still finite"
        return (
            f"RateRange(suggestion={self.suggestion:.2g}, lowest={self.lowest:.2g}, "
            f"{self.lr[0]:.1e} to {self.lr[-1]:.1e}, {end})"
        )


def find_lr(
    model: Module,
    loss: Loss,
    data: Any,
    *,
    optimizer: Optimizer | None = None,
    lr_min: float = 1e-6,
    lr_max: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    smoothing: float = 0.9,
) -> RateRange:
    """Train for a moment with a rate that grows from step to step, and see where the loss falls.

    The rate rises by a constant factor. Too small, and the loss stays flat; then it falls; too
    large, and it explodes, where the test ends. The suggestion lies where the smoothed loss has
    come 60 % of its way down, between a twentieth and a fifth of the rate at which it was lowest:
    that one is already too large to stay at. It is a rate to begin with, not the best one: a
    schedule should let it fall, and where the loss stays on a plateau for hundreds of steps, so
    short a training sees little of what a rate can do.

    Args:
        model: at the point where training would begin. It stays as it is, and so do its buffers:
            all happens on copies.
        loss: called with prediction and target, as for `fit`.
        data: a `DataLoader`, which stays where it is, a data set, or arrays `(x, y)`; read again
            and again as needed.
        optimizer: that of the training, over the model's parameters (default Adam); its groups
            keep the ratios of their rates, the first one's is what is tried. It stays as it is.
        lr_min, lr_max: the first and the last rate (default 1e-6 and 10).
        steps: how many rates (default 100).
        batch_size: for data sets and arrays (default 32); rates belong to a size of batches.
        smoothing: share of the old in the moving average (default 0.9; corrected at the start).

    Returns a `RateRange`. Raises `ArgumentError` for arguments out of range, for `LBFGS`, which
    searches its own steps, and where the loss is not finite or never falls: then the fault is not
    the rate, and `tg.inspect.sanity_check` may say where it is.

    Example:
        >>> import tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> x, y = tg.data.two_spirals(200)
        >>> net = tg.nn.Sequential(tg.nn.Linear(2, 32), tg.nn.Tanh(), tg.nn.Linear(32, 2))
        >>> found = tg.inspect.find_lr(net, tg.nn.CrossEntropyLoss(), (x, y))
        >>> 1e-3 < found.suggestion < found.lowest
        True
    """
    check_model_and_loss("find_lr", model, loss)
    check_trainable("find_lr", model)
    if optimizer is not None:
        check_optimizer("find_lr", model, optimizer)
    if isinstance(optimizer, LBFGS):
        raise ArgumentError("find_lr: LBFGS searches the length of its steps itself; take lr=1")
    if not 0 < lr_min < lr_max < math.inf:
        raise ArgumentError(f"find_lr: expected 0 < lr_min < lr_max, got {lr_min}, {lr_max}")
    if not 0 <= smoothing < 1:
        raise ArgumentError(f"find_lr: smoothing must be in [0, 1), got {smoothing}")
    positive_integer("find_lr", "steps", steps, least=10)
    positive_integer("find_lr", "batch_size", batch_size)
    rates = np.geomspace(lr_min, lr_max, steps)
    with on_copies(model, loss, optimizer) as (copied_loss, copied):
        own = copied or Adam([p for p in model.parameters() if p.requires_grad])
        losses = _train(model, copied_loss, own, data, rates, batch_size)
    return _judged(rates, losses, smoothing)


def _train(
    model: Module, loss: Loss, optimizer: Optimizer, data: Any, rates: Array, batch_size: int
) -> list[float]:
    """The loss at each rate, as far as it is finite and not far above its best."""
    loader = batches_of("find_lr", data, batch_size, shuffle=True)
    first = float(optimizer.param_groups[0]["lr"]) or 1.0
    shares = [float(group["lr"]) / first for group in optimizer.param_groups]
    updates = Step(model, loss, optimizer)(Epochs(_forever(loader)))
    losses: list[float] = []
    for rate in rates.tolist():
        for group, share in zip(optimizer.param_groups, shares, strict=True):
            group["lr"] = rate * share
        try:
            with np.errstate(all="ignore"):
                value, _ = next(updates)
        except NotFinite:
            break
        losses.append(value)
        recent = float(np.median(losses[-3:]))
        start = float(np.median(losses[:5]))
        if len(losses) > 5 and recent - min(losses) > DIVERGED * abs(start - min(losses[:5])) + (
            DIVERGED * abs(start)
        ):
            break
    return losses


def _forever(loader: Any) -> Iterator[Any]:
    while True:
        empty = True
        for batch in loader:
            check_batch(batch)
            empty = False
            yield batch
        if empty:
            raise ArgumentError("find_lr: there are no batches")


def _judged(rates: Array, losses: list[float], smoothing: float) -> RateRange:
    if len(losses) < 10:
        raise ArgumentError(
            f"find_lr: the loss was not finite, or exploded, after {len(losses)} steps, at a "
            f"rate of {rates[max(len(losses) - 1, 0)]:.1e}: the fault is not the rate; "
            f"tg.inspect.sanity_check(model, loss, data) may say where it is"
        )
    loss = np.array(losses)
    average, smoothed = 0.0, np.empty_like(loss)
    for k, value in enumerate(losses):
        average = smoothing * average + (1 - smoothing) * value
        smoothed[k] = average / (1 - smoothing ** (k + 1))
    tried = rates[: len(loss)]
    first = loss[: max(5, len(loss) // 5)]
    start, noise = float(np.median(first)), float(np.std(first))
    # the average of the first few batches is low or high by chance
    bottom = len(first) + int(smoothed[len(first) :].argmin())
    if start - smoothed[bottom] < max(1e-3 * abs(start), 0.5 * noise):
        raise ArgumentError(
            f"find_lr: the loss never falls: {start:.4g} at first, {smoothed[bottom]:.4g} at best; "
            f"{len(rates)} steps may be too few (try steps={4 * len(rates)}), lr_max={rates[-1]:g} "
            f"too small, or the fault is not the rate: "
            f"tg.inspect.sanity_check(model, loss, data) may say where it is"
        )
    level = start - 0.6 * (start - smoothed[bottom])
    # the last time that it comes down to this level: the first batches may be easy by chance
    down = int(np.flatnonzero(smoothed[: bottom + 1] > level)[-1:].sum()) + 1
    lowest = float(tried[bottom])
    return RateRange(
        lr=tried,
        loss=loss,
        smoothed=smoothed,
        suggestion=float(np.clip(tried[min(down, bottom)], lowest / 20, lowest / 5)),
        lowest=lowest,
        diverged=len(loss) < len(rates),
    )
