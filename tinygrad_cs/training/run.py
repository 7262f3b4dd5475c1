"""One training: where it stands, how it goes on, and everything that must survive a stop."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from ..engine.modes import generator
from ..engine.types import np
from ..nn.module import Module
from ..optim import ExponentialMovingAverage, Optimizer
from ..optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from .arguments import (
    average_uses,
    check_clipping,
    check_model_and_optimizer,
    check_schedule,
    monitored,
    whole,
)
from .batches import Batch, Epochs, as_loader, as_validation, check_batch, count_of
from .best import Best
from .callbacks import EVENTS, as_callbacks, listeners
from .diagnosis import Diagnosis, diagnose
from .errors import NonFiniteLossError
from .evaluation import evaluated
from .history import History
from .interruption import asking_on_interrupt
from .metrics import Gathering, chosen_metrics
from .progress import chosen_progress
from .state import OWN, refuse_other
from .step import NotFinite, Step

__all__ = ["Run"]

SNAPSHOT = 500
"""Steps between two states that are kept to come back to."""
REMEMBERED = 6
"""Losses that a diagnosis shows."""


class Run:
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
        self._validation = validation
        self._metrics = Gathering(chosen_metrics("fit", metrics))
        self._step = Step(model, loss, optimizer, clip_norm, clip_value)
        check_schedule(schedule, schedule_every, optimizer)
        self.schedule, self._schedules_batches = schedule, schedule_every == "batch"
        self.average = (
            ExponentialMovingAverage(model, ema) if isinstance(ema, (int, float)) else ema
        )
        self._average_use = average_uses(ema_use)
        column, higher = monitored(monitor, self._metrics.metrics, validation is not None, schedule)
        if patience is not None:
            whole("patience", patience, least=0)
        self.best = Best(column, higher, patience, min_delta)
        self._progress = chosen_progress(progress)
        self.callbacks = as_callbacks("fit", callbacks)
        shown = [] if self._progress is None else [self._progress]
        self._listeners = {e: listeners([*self.callbacks, *shown], e) for e in EVENTS}

        self.history = History()
        self.epoch = self.steps = 0
        self.loss = math.nan
        self._stop: str | None = None
        self.interrupted = False
        self._losses: deque[float] = deque(maxlen=REMEMBERED)
        self._good: dict[str, Any] = {}
        self._next_snapshot = 0
        self._seconds = 0.0
        self._reset_totals()

    @property
    def batch(self) -> int:
        """Batches seen in the present epoch."""
        return self._batches.seen

    @property
    def lr(self) -> float:
        """The learning rate of the first parameter group."""
        rate: float = self.optimizer.param_groups[0]["lr"]
        return rate

    @property
    def mean_loss(self) -> float:
        """The mean loss of the present epoch so far; NaN before its first batch."""
        return self._loss_sum / self._samples if self._samples else math.nan

    def stop(self, reason: str) -> None:
        """End the training after the present batch; `history.stopped` will say why."""
        self._stop = reason

    def train(self) -> History:
        """Train until `epochs` epochs are complete, or something else ends it; see `fit`."""
        self._stop = self.history.stopped = None
        # after a failure the epochs that are repeated are told anew
        self.history.rows = [row for row in self.history.rows if row["epoch"] <= self.epoch]
        self.interrupted = False
        modes = [(module, module.training) for module in self.model.modules()]
        if not self.model.training:
            self.model.train()
        try:
            with asking_on_interrupt(self._interrupt):
                self._tell("on_train_begin")
                self._good, self._next_snapshot = self._core(), self.steps + SNAPSHOT
                while self.epoch < self.epochs and self._stop is None:
                    self._train_epoch()
                self._check_weights()
                self._end()
        except NotFinite as found:
            raise self._failure(found) from None
        finally:
            for module, training in modes:
                module.training = training
            if self._progress is not None:
                self._progress.close()
        return self.history

    def _interrupt(self) -> None:
        self.interrupted = True
        self.stop("interrupted")

    def _tell(self, event: str) -> None:
        for listener in self._listeners[event]:
            listener(self)

    def _train_epoch(self) -> None:
        if not self.batch:
            self._tell("on_epoch_begin")
        began = time.perf_counter() - self._seconds
        # Once a batch: whatever can be asked before is asked here.
        learn = self._learn_one if self.accumulate == 1 else self._learn_several
        remember, averages = self._losses.append, self._step.averages
        told = self._listeners["on_batch_end"]
        more = self._step.clips or self._schedules_batches or self.average is not None or told
        for group in self._groups():
            value, samples = learn(group)
            self.loss = value
            remember(value)
            self._loss_sum += value * samples if averages else value
            self._samples += samples
            self.steps += 1
            if more:
                self._seconds = time.perf_counter() - began
                self._after_step()
            if self.steps >= self._next_snapshot:
                self._keep_if_good()
            if self._stop is not None and self.batch != self.batches_per_epoch:
                break
        else:
            self._seconds = time.perf_counter() - began
            self._complete_epoch()
            return
        self._seconds = time.perf_counter() - began

    def _after_step(self) -> None:
        self._norm_sum += self._step.norm
        if self.average is not None:
            self.average.update()
        if self._schedules_batches:
            self._lr_used = self.lr
            self.schedule.step()  # type: ignore[union-attr]
        self._tell("on_batch_end")

    def _keep_if_good(self) -> None:
        """Note the state to come back to, unless the loss has just begun to explode."""
        before = self._good["run"]["loss"]
        if not self.loss > 10 * abs(before) + 1:
            self._check_weights()
            self._good = self._core()
            self._next_snapshot = self.steps + SNAPSHOT

    def _check_weights(self) -> None:
        if not all(np.isfinite(p._data).all() for p in self.model.parameters()):
            raise NotFinite((), self.loss, "weights")

    def _groups(self) -> Iterator[Any]:
        """Batches, or lists of as many as are learned from together."""
        batches = self._batches.left()
        if self.accumulate == 1:
            return batches
        return iter(lambda: list(islice(batches, self.accumulate)), [])

    def _learn_one(self, batch: Batch) -> tuple[float, int]:
        self._batches.seen += 1
        if not self.steps:
            check_batch(batch)
        value, prediction = self._step(*batch)
        if self._metrics.metrics:
            self._metrics.add(prediction, batch[-1])
        return value, len(batch[-1])

    def _learn_several(self, group: list[Batch]) -> tuple[float, int]:
        self._batches.seen += len(group)
        if not self.steps:
            check_batch(group[0])
        value, predictions = self._step.accumulated(group)
        for batch, prediction in zip(group, predictions, strict=True):
            self._metrics.add(prediction, batch[-1])
        return value, sum(len(batch[-1]) for batch in group)

    def _reset_totals(self) -> None:
        self._loss_sum = self._norm_sum = self._seconds = 0.0
        self._samples = 0
        self._first_step = self.steps
        self._lr_used = math.nan
        self._metrics.reset()

    def _complete_epoch(self) -> None:
        began = time.perf_counter()
        row = self._row()
        with self._weights_for("validation"):
            if self._validation is not None:
                row |= self._validated()
            # weights are kept as they were validated
            if self.best.see(row[self.best.monitor], self.epoch + 1):
                self.history.best_epoch = self.epoch + 1
                if self.best.patience is not None:
                    self.best.weights = self.model.state_dict()
        row["lr"] = self._lr_used if self._schedules_batches else self.lr
        row["seconds"] = self._seconds + time.perf_counter() - began
        self.history.append(row)
        if isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step(row[self.best.monitor])
        elif self.schedule is not None and not self._schedules_batches:
            self.schedule.step()
        self.epoch += 1
        self._batches.end()
        self._reset_totals()
        if self._stop is None:
            self._stop = self.best.reason_to_stop()
        self._tell("on_epoch_end")

    def _row(self) -> dict[str, Any]:
        row: dict[str, Any] = {"epoch": self.epoch + 1, "loss": self.mean_loss}
        row |= self._metrics.compute()
        if self._step.clip_norm is not None:
            row["gradient_norm"] = self._norm_sum / (self.steps - self._first_step)
        return row

    def _validated(self) -> dict[str, Any]:
        # the training's sums of this epoch are in the row already
        values = evaluated(self.model, self._validation, self.loss_function, self._metrics.metrics)
        return {f"validation_{name}": value for name, value in values.items()}

    @contextmanager
    def _weights_for(self, use: str) -> Iterator[None]:
        if self.average is not None and self.average.updates and use in self._average_use:
            with self.average.applied():
                yield
        else:
            yield

    def _end(self) -> None:
        """Say why it is over, and put the final weights in place."""
        why = self._stop
        if why is None or (self.interrupted and self.epoch >= self.epochs):
            self.interrupted, why = False, f"finished {self.epochs} epochs"
        elif self.batch:
            why += f" in epoch {self._place()} (mean loss {self.mean_loss:.4g})"
        elif self.interrupted:
            why += f" after epoch {self.epoch}"
        self.history.stopped = why
        # what is interrupted may go on: it needs the weights it had
        if not self.interrupted:
            if self.best.weights is not None:
                self.model.load_state_dict(self.best.weights)
            elif self.average is not None and self.average.updates and "final" in self._average_use:
                self.average.copy_to()
        self._tell("on_train_end")

    def _place(self) -> str:
        of = "" if self.batches_per_epoch is None else f" of {self.batches_per_epoch}"
        return f"{self.epoch + 1}, batch {self._batches.seen}{of}"

    def _failure(self, found: NotFinite) -> NonFiniteLossError:
        """The error that explains it, with the last good state restored."""
        place = f"epoch {self._place()}"
        diagnosis = Diagnosis(found.what, place, found.loss, list(self._losses), self.lr)
        batch = found.batch or None
        diagnose(diagnosis, self.model, self.loss_function, self.optimizer, batch)
        self._load_core(self._good)
        diagnosis.restored = (
            f"model, optimizer and position are back at epoch {self.epoch + 1} after {self.batch} "
            f"batches: error.run.train() goes on from there"
        )
        self.optimizer.zero_grad()
        self.history.stopped = f"the {found.what} became infinite or NaN in {place}"
        return NonFiniteLossError(diagnosis, self.history, self)

    def state_dict(self) -> dict[str, Any]:
        """Copies of everything that the training depends on, as nested dicts, lists and arrays.

        Model with buffers, optimizer, schedule, moving average, position in the data, random
        generator, history, best epoch, callbacks. Take it between batches: in `on_batch_end` or
        later events, or while nothing runs.
        """
        return self._core() | {
            "history": self.history.state_dict(),
            "callbacks": [callback.state_dict() for callback in self.callbacks],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go to where `state_dict` of a run made alike was; `train()` continues from there.

        Raises `StateDictError` where something does not fit; then nothing was changed.
        """
        before = self.state_dict()
        refuse_other(state, before)
        try:
            self._load(state)
        except Exception:
            self._load(before)
            raise

    def _load(self, state: Mapping[str, Any]) -> None:
        self._load_core(state)
        self.history.load_state_dict(state["history"])
        for callback, saved in zip(self.callbacks, state["callbacks"], strict=True):
            callback.load_state_dict(saved)

    def _core(self) -> dict[str, Any]:
        """What the next numbers depend on."""
        parts = {name: part if part is None else part.state_dict() for name, part in self._parts()}
        own = {name: getattr(self, name) for name in OWN}
        return parts | {"run": own, "generator": generator().bit_generator.state}

    def _load_core(self, state: Mapping[str, Any]) -> None:
        for name, part in self._parts():
            if part is not None:
                part.load_state_dict(state[name])
        vars(self).update(state["run"])
        # last: finding the place in the data may have drawn
        generator().bit_generator.state = state["generator"]

    def _parts(self) -> list[tuple[str, Any]]:
        """Everything with a state of its own, by name."""
        return [
            ("model", self.model),
            ("optimizer", self.optimizer),
            ("schedule", self.schedule),
            ("average", self.average),
            ("metrics", self._metrics),
            ("best", self.best),
            ("data", self._batches),
        ]
