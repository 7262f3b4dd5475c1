"""How training shows itself: a bar in a terminal or a notebook, a line per epoch elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from .callbacks import Callback
from .history import Row, shown

if TYPE_CHECKING:
    from .run import Run

NOT_SHOWN = ("epoch", "seconds", "gradient_norm")
REFRESH = 0.1
"""Seconds between two looks of a bar at the loss."""
WORTH_TELLING = 10.0
"""Seconds left from which on a line tells them: a quick run prints the same text each time."""


class Progress(Callback):
    """Base of what shows the progress; `close` is called in any case, also after an error."""

    def close(self) -> None:
        """Leave the terminal as it should be."""


class Lines(Progress):
    """One line per epoch, for files, pipes and terminals without tqdm."""

    def __init__(self) -> None:
        self._began = 0.0
        self._before = 0

    def on_train_begin(self, run: Run) -> None:
        """Start the clock."""
        self._began, self._before = time.perf_counter(), run.epoch

    def on_epoch_end(self, run: Run) -> None:
        """The epoch's values, and how long the rest may take."""
        width = len(str(run.epochs))
        line = f"epoch {run.epoch:{width}}/{run.epochs}: {summary(run.history.rows[-1])}"
        passed = time.perf_counter() - self._began
        left = passed / max(1, run.epoch - self._before) * (run.epochs - run.epoch)
        if left >= WORTH_TELLING:
            line += f", {duration(left)} left"
        print(line, flush=True)

    def on_train_end(self, run: Run) -> None:
        """Why it is over, unless all epochs are done."""
        if run.epoch < run.epochs:
            print(run.history.stopped, flush=True)


class Bar(Progress):
    """tqdm's bar over all batches of all epochs: its time left is that of the training."""

    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._bar: Any = None
        self._next = 0.0
        self._shown = 0
        self._last = ""

    def on_train_begin(self, run: Run) -> None:
        """Draw the bar."""
        per_epoch = run.batches_per_epoch
        done = run.epoch * (per_epoch or 0) + run.batch
        total = None if per_epoch is None else per_epoch * run.epochs
        self._bar = self._tqdm(total=total, initial=done, unit="batch", dynamic_ncols=True)
        self._shown = done
        self._describe(run)

    def on_batch_end(self, run: Run) -> None:
        """Move on, a few times a second."""
        now = time.perf_counter()
        if now < self._next:
            return
        self._next = now + REFRESH
        self._advance(run)
        values = {"loss": run.mean_loss, "lr": run.lr}
        self._bar.set_postfix_str(f"{summary(values)}{self._last}", refresh=False)

    def on_epoch_begin(self, run: Run) -> None:
        """Name the epoch."""
        self._describe(run)

    def on_epoch_end(self, run: Run) -> None:
        """Show the validation too."""
        self._advance(run)
        row = run.history.rows[-1]
        self._last = ", ".join(
            ["", *(f"{name.replace('_', ' ')} {shown(name, row[name])}" for name in validated(row))]
        )
        self._bar.set_postfix_str(summary(row), refresh=True)

    def on_train_end(self, run: Run) -> None:
        """Say why, unless all epochs are done."""
        self.close()
        if run.epoch < run.epochs:
            print(run.history.stopped, flush=True)

    def close(self) -> None:
        """End the line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _describe(self, run: Run) -> None:
        number = min(run.epoch + 1, run.epochs)
        self._bar.set_description_str(f"epoch {number}/{run.epochs}", refresh=False)

    def _advance(self, run: Run) -> None:
        per_epoch = run.batches_per_epoch
        done = run.epoch * per_epoch + run.batch if per_epoch else run.steps
        self._bar.update(done - self._shown)
        self._shown = done


def chosen_progress(wanted: bool) -> Progress | None:
    """What suits where the output goes."""
    if not wanted:
        return None
    notebook = "ipykernel" in sys.modules
    if not notebook and not (sys.stdout.isatty() and sys.stderr.isatty()):
        return Lines()
    try:
        from tqdm import tqdm
    except ImportError:
        return Lines()
    return Bar((_notebook_bar() if notebook else None) or tqdm)


def _notebook_bar() -> Any:
    """tqdm's bar for notebooks; None where the widgets that it needs are not installed."""
    try:
        from ipywidgets import IntProgress  # noqa: F401
        from tqdm.notebook import tqdm
    except ImportError:
        return None
    return tqdm


def validated(row: Row) -> list[str]:
    """The names of an epoch's validation values that are single numbers."""
    return [
        name
        for name, value in row.items()
        if name.startswith("validation_") and not isinstance(value, list)
    ]


def summary(row: Row) -> str:
    """An epoch in a line."""
    return ", ".join(
        f"{name.replace('_', ' ')} {shown(name, value)}"
        for name, value in row.items()
        if name not in NOT_SHOWN and value is not None and not isinstance(value, list)
    )


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, as one would say it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
