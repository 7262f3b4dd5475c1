"""One training: what it is made of; `loop.py` says how it goes on, `state.py` what survives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..engine.errors import ArgumentError
from ..nn.module import Module
from ..optim import ExponentialMovingAverage, Optimizer
from ..optim.lr_scheduler import LRScheduler
from .arguments import (
    average_uses,
    check_clipping,
    check_model_and_optimizer,
    check_schedule,
    monitored,
    whole,
)
from .batches import Epochs, as_loader, as_validation, count_of
from .best import Best
from .callbacks import EVENTS, as_callbacks, listeners
from .history import History
from .judging import Judge
from .loop import Loop
from .metrics import Gathering, chosen_metrics
from .progress import chosen_progress
from .recovery import LastGood
from .step import Step
from .totals import Totals

if TYPE_CHECKING:
    from ..compiler import Compiled

__all__ = ["Run"]


class Run(Loop):
    """A training that can be stopped, saved, loaded and continued; `fit` makes one and runs it.

    `state_dict()` at the end of any batch, loaded into a run made alike, goes on as if nothing had
    happened: the same numbers, bit for bit.

    Args:
        model, train, validation, ...: as for `fit`.

    Attributes:
        model, optimizer, schedule, history: what they are called.
        epochs: how many epochs there shall be; it may be raised to go on after the end, from the
            weights that are then in place.
        epoch: complete epochs.
        steps: updates of the weights since the very beginning.
        loss: the loss of the last update.
        average: the exponential moving average of the weights, or None.
        interrupted: whether Ctrl-C ended it.
        best: the best value of the monitored column, and its epoch.
        batches_per_epoch: None if the loader does not know.
        program: with `compile=True` what `tg.compile` made of the step (its `source` is the step
            for reading), else None.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> x, y = np.linspace(-1, 1, 6, dtype="float32")[:, None], np.zeros((6, 1), "float32")
        >>> def made():
        ...     model = tg.nn.Linear(1, 1)
        ...     optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
        ...     return tg.training.Run(
        ...         model, (x, y), batch_size=2, loss=tg.nn.MSELoss(), optimizer=optimizer,
        ...         epochs=2, progress=False,
        ...     )
        >>> first, second = made(), made()
        >>> _ = first.train()
        >>> second.load_state_dict(first.state_dict())
        >>> second.epoch, bool((second.model.weight.data == first.model.weight.data).all())
        (2, True)
    """

    def __init__(
        self,
        model: Module,
        train: Any,
        validation: Any = None,
        *,
        loss: Callable[..., Any],
        optimizer: Optimizer,
        epochs: int,
        batch_size: int | None = None,
        shuffle: bool = True,
        metrics: Any = (),
        schedule: LRScheduler | None = None,
        schedule_every: str = "epoch",
        accumulate: int = 1,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        ema: float | ExponentialMovingAverage | None = None,
        ema_use: Sequence[str] = ("validation", "final"),
        compile: bool = False,
        monitor: str | None = None,
        patience: int | None = None,
        min_delta: float = 0.0,
        callbacks: Any = (),
        progress: bool = True,
    ) -> None:
        check_model_and_optimizer(model, optimizer, loss)
        check_clipping(clip_norm, clip_value)
        self.model, self.loss_function, self.optimizer = model, loss, optimizer
        self.epochs = whole("epochs", epochs, least=0)
        self.accumulate = whole("accumulate", accumulate)
        loader = as_loader("fit", train, batch_size, shuffle)
        self.batches_per_epoch = count_of(loader)
        self._batches = Epochs(loader)
        if validation is not None:
            validation = as_validation(validation, batch_size)
        self._metrics = Gathering(chosen_metrics("fit", metrics))
        self._metrics.reset()
        seen = self._metrics.add if self._metrics.metrics else None
        self._step = step_of(compile)(model, loss, optimizer, seen, clip_norm, clip_value)
        self._totals = Totals(self._step.averages)
        check_schedule(schedule, schedule_every, optimizer)
        self.schedule, self._schedules_batches = schedule, schedule_every == "batch"
        self.average = (
            ExponentialMovingAverage(model, ema) if isinstance(ema, (int, float)) else ema
        )
        column, higher = monitored(monitor, self._metrics.metrics, validation is not None, schedule)
        if patience is not None:
            whole("patience", patience, least=0)
        self.best = Best(column, higher, patience, min_delta)
        self._judge = Judge(
            model,
            loss,
            self._metrics.metrics,
            validation,
            self.average,
            average_uses(ema_use),
            self.best,
        )
        self._progress = chosen_progress(progress)
        self.callbacks = as_callbacks("fit", callbacks)
        shown = [] if self._progress is None else [self._progress]
        self._listeners = {e: listeners([*self.callbacks, *shown], e) for e in EVENTS}

        self.history = History()
        self.epoch = self.steps = 0
        self.loss = math.nan
        self._stop: str | None = None
        self.interrupted = False
        self._last_good = LastGood()

    @property
    def program(self) -> Compiled | None:
        """The compiled step."""
        return getattr(self._step, "program", None)

    def parts(self) -> dict[str, Any]:
        """Everything with a state of its own, by name."""
        return {
            "model": self.model,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "average": self.average,
            "metrics": self._metrics,
            "totals": self._totals,
            "best": self.best,
            "data": self._batches,
        }


def step_of(compile: bool) -> type[Step]:
    """The kind of step that was asked for; only who compiles waits for the compiler."""
    if not isinstance(compile, bool):
        raise ArgumentError(f"fit: compile must be True or False, got {compile!r}")
    if not compile:
        return Step
    from .compiled import CompiledStep

    return CompiledStep
