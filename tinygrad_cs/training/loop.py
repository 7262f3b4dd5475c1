"""How a training goes on: batch after batch, epoch after epoch, until something ends it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ..nn.module import Module
from ..optim import ExponentialMovingAverage, Optimizer
from ..optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from .batches import Epochs
from .best import Best
from .history import History
from .interruption import asking_on_interrupt
from .judging import Judge
from .metrics import Gathering
from .progress import Progress
from .recovery import LastGood, check_weights
from .state import Resumable
from .step import NotFinite, Step
from .totals import Totals


class Loop(Resumable):
    """What `Run` does; `Run` says what its parts are."""

    model: Module
    loss_function: Callable[..., Any]
    optimizer: Optimizer
    schedule: LRScheduler | None
    average: ExponentialMovingAverage | None
    best: Best
    epochs: int
    accumulate: int
    batches_per_epoch: int | None
    epoch: int
    steps: int
    loss: float
    interrupted: bool
    _batches: Epochs
    _step: Step
    _metrics: Gathering
    _totals: Totals
    _judge: Judge
    _last_good: LastGood
    _listeners: Mapping[str, list[Callable[[Any], None]]]
    _progress: Progress | None
    _schedules_batches: bool
    _stop: str | None

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
        return self._totals.mean_loss

    @property
    def place(self) -> str:
        """The present epoch and batch, in words."""
        of = "" if self.batches_per_epoch is None else f" of {self.batches_per_epoch}"
        return f"epoch {self.epoch + 1}, batch {self.batch}{of}"

    def stop(self, reason: str) -> None:
        """End the training after the present batch; `history.stopped` will say why."""
        self._stop = reason

    def train(self) -> History:
        """Train until `epochs` epochs are complete, or something else ends it; see `fit`."""
        self._stop = self.history.stopped = None
        # after a failure the epochs that are repeated are told anew
        self.history.rows = [row for row in self.history.rows if row["epoch"] <= self.epoch]
        self.interrupted = False
        modes: list[tuple[Module, bool]] = []
        if not self.model.training:
            modes = [(module, module.training) for module in self.model.modules()]
            self.model.train()
        try:
            with asking_on_interrupt(self._interrupt):
                self._tell("on_train_begin")
                self._last_good.keep(self)
                while self.epoch < self.epochs and self._stop is None:
                    self._train_epoch()
                check_weights(self.optimizer, self.loss)
                self._end()
        except NotFinite as found:
            raise self._last_good.restored(self, found) from None
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
        totals, last_good = self._totals, self._last_good
        began = time.perf_counter() - totals.seconds
        # Once a batch: whatever can be asked before is asked here.
        add, remember = totals.add, last_good.losses.append
        told = self._listeners["on_batch_end"]
        more = self._step.clips or self._schedules_batches or self.average is not None or told
        step, batches = self._step, self._batches
        alone = self.accumulate == 1
        for value, samples in step(batches) if alone else step.grouped(batches, self.accumulate):
            self.loss = value
            remember(value)
            add(value, samples)
            self.steps += 1
            if more:
                totals.seconds = time.perf_counter() - began
                self._after_step()
            if self.steps >= last_good.next:
                last_good.keep_if_good(self)
            if self._stop is not None and self.batch != self.batches_per_epoch:
                break
        else:
            totals.seconds = time.perf_counter() - began
            self._complete_epoch()
            return
        totals.seconds = time.perf_counter() - began

    def _after_step(self) -> None:
        self._totals.norm += self._step.norm
        if self.average is not None:
            self.average.update()
        if self._schedules_batches:
            self._totals.lr = self.lr
            self.schedule.step()  # type: ignore[union-attr]
        self._tell("on_batch_end")

    def _complete_epoch(self) -> None:
        began = time.perf_counter()
        row = self._row()
        if self._judge.judge(row):
            self.history.best_epoch = self.epoch + 1
        row["lr"] = self._totals.lr if self._schedules_batches else self.lr
        row["seconds"] = self._totals.seconds + time.perf_counter() - began
        self.history.append(row)
        if isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step(row[self.best.monitor])
        elif self.schedule is not None and not self._schedules_batches:
            self.schedule.step()
        self.epoch += 1
        self._batches.end()
        self._totals.reset()
        self._metrics.reset()
        if self._stop is None:
            self._stop = self.best.reason_to_stop()
        self._tell("on_epoch_end")

    def _row(self) -> dict[str, Any]:
        row: dict[str, Any] = {"epoch": self.epoch + 1, "loss": self.mean_loss}
        row |= self._metrics.compute()
        if self._step.clip_norm is not None:
            row["gradient_norm"] = self._totals.norm / self._totals.updates
        return row

    def _end(self) -> None:
        """Say why it is over, and put the final weights in place."""
        why = self._stop
        if why is None or (self.interrupted and self.epoch >= self.epochs):
            self.interrupted, why = False, f"finished {self.epochs} epochs"
        elif self.batch:
            why += f" in {self.place} (mean loss {self.mean_loss:.4g})"
        elif self.interrupted:
            why += f" after epoch {self.epoch}"
        self.history.stopped = why
        # what is interrupted may go on: it needs the weights it had
        if not self.interrupted:
            self._judge.put_final_weights()
        self._tell("on_train_end")
